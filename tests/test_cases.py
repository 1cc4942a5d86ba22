"""Every small input of the shared cases, with its right value: what is read, or the one line that is said."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from izhires.errors import ParadigmError
from izhires.model.configuration import Configuration
from izhires.paradigms import CuedReaction, Table
from izhires.running.run import simulate

CASES = Path(__file__).resolve().parents[2] / "shared" / "cases"
needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not beside this checkout")

NONE = None
LATENCIES = [2.0, 1.7, 1.8]
BASE = (LATENCIES, [0.31, 0.42, 0.36])
NUMBERS = {"cue": "1", "events": ("2",)}
PRESS = {"responses": ("press",)}

# file -> options, latencies and response times of the training trials, and a part of each note
READ = {
    "base_events.tsv": ({}, *BASE),
    "base_events.tsv.gz": ({}, *BASE),
    "Onset_events.tsv": ({}, *BASE),
    "cr_events.tsv": ({}, *BASE),
    "nbsp_events.tsv": ({}, *BASE),
    "quoted_events.tsv": ({}, *BASE),
    "trailing_tab_events.tsv": ({}, *BASE),
    "unsorted_events.tsv": ({}, *BASE),
    "utf16_events.tsv": ({}, *BASE),
    "onset_na_of_an_ignored_row_events.tsv": ({}, *BASE),
    "onset_neg_events.tsv": ({}, *BASE),
    "numeric_events.tsv": (NUMBERS, *BASE),
    "value_events.tsv": ({**NUMBERS, "cue_column": "value"}, LATENCIES, [NONE] * 3),
    "cell_with_newline_events.tsv": ({}, [2.0, NONE], [NONE] * 2),
    "rt_in_ms_events.tsv": ({}, LATENCIES, [0.312, 0.418, 0.365]),
    "rt_zero_means_none_events.tsv": (
        {}, LATENCIES, [0.31, NONE, 0.36], "line 5: response_time of 0 or less, read as none"),
    "press_late_events.tsv": (
        PRESS, [2.0, 2.0], [NONE] * 2,
        "line 4: response 8 s after its target, later than longest_response, 5 s; read as none"),
}  # fmt: skip

# file -> options, and what is said of it after its name
REFUSED = {
    "na_is_target_events.tsv": ({}, ": the event 'lamp' does not occur (valid: tone, stop)"),
    "rt_text_events.tsv": ({}, ", line 5: response_time 'standard' is not a number of seconds; n/a where there is"),
    "press_at_onset_of_lamp_events.tsv": (PRESS, ", line 3: 'press' has the onset of its target 'lamp', on line 4: "),
    "press_named_otherwise_events.tsv": (
        PRESS, ": the response 'press' does not occur, did you mean 'left press'? (valid: tone, lamp, left press,"),
    "one_missing_target_events.tsv": (
        {}, ", line 6: 'lamp' comes 7000 ms after its cue, on line 4, which makes the window 7400 ms: too long"),
    "onset_ms_events.tsv": ({}, ", line 3: 'lamp' comes 2000 s after its cue, on line 2: more than 60 s"),
    "onset_decimal_comma_events.tsv": ({}, ", line 5: onset '10,7' is not a number of seconds; write it with a"),
    "short_rows_events.tsv": ({}, ", line 2: has fewer columns than the header, which has 4"),
    "two_columns_of_one_name_events.tsv": ({}, ", line 1: 2 columns are named trial_type"),
}  # fmt: skip

EVENTS = ["low", "high", "low", "", "high"]

# file -> events of the trials, and other columns
TABLES = {
    "table_base.csv": (EVENTS, {"latency": [0.4, 0.8, 0.4, NONE, 0.8], "cue": [0.2, 2.2, 4.2, 6.2, 8.2]}),
    "table_bom.csv": (EVENTS, {"latency": [0.4, 0.8, 0.4, NONE, 0.8]}),
    "table_utf16.csv": (EVENTS, {"latency": [0.4, 0.8, 0.4, NONE, 0.8]}),
    "table_semicolon_comma.csv": (EVENTS, {"latency": [0.4, 0.8, 0.4, NONE, 0.8], "cue": [0.2, 2.2, 4.2, 6.2, 8.2]}),
    "table_spaces_after_comma.csv": (EVENTS, {"latency": [0.4, 0.8, 0.4, NONE, 0.8]}),
    "table_spaces_in_event.csv": (EVENTS, {"latency": [0.4, 0.8, 0.4, NONE, 0.8]}),
    "table_index_column.csv": (EVENTS, {"onset": [0, 2, 4, 6, 8]}),
    "table_event_NA.csv": (["NA", "high", "NA", "", "high"], {"latency": [0.4, 0.8, 0.4, NONE, 0.8]}),
    "table_numeric_events.csv": (["1", "2", "1", ""], {"latency": [0.4, 0.8, 0.4, NONE]}),
    "table_learn_False.csv": (EVENTS, {"learn": [True, False, True, False, True]}),
    "table_submillisecond.csv": (["low", "high", "low"], {"latency": [0.4, 0.8, 0.401]}),
    "unequal_trials.csv": (["low", "high", "low", "high"], {"duration": [3, 2.1, 3, 2.5]}),
    "unequal_trials_with_probe.csv": (["low", "high", "low", ""], {"learn": [True, True, True, False]}),
    "short_last_trial.csv": (["", "low"], {"duration": [10, 2]}),
}

REFUSED_TABLES = {
    "table_block_1based.csv": ", line 2, block: blocks count up from 0 in order of time, got 1 first",
    "table_block_half.csv": ", line 4: block '0.5' is not a whole number",
    "table_block_text.csv": ", line 2: block 'a' is not a whole number",
    "table_comment.csv": ", line 2: has 5 columns, the header has 1 (separated by commas)",
    "table_decimal_dot_latency_comma.csv": ", line 2: latency '0,4' is not a number of seconds; write it with a",
    "table_event_null_no_latency.csv": ", line 2, latency: event 'null' has no latency (and 1 more row)",
    "table_inf.csv": ", line 6: latency 'inf' is not a number of seconds",
    "table_kind_Train.csv": ", line 2, kind: 'Train' is not a kind of trial (and 4 more rows) (valid: warm-up,",
    "table_latin1.csv": ": is not a text file in UTF-8: byte 0xf6 on line 2; save it as UTF-8",
    "table_learn_01text.csv": ", line 5: learn '' is not true or false (valid: true, 1, yes, false, 0, no)",
    "table_learn_falsetext.csv": ", line 2: learn 't' is not true or false (valid: true, 1, yes, false, 0, no)",
    "table_ms.csv": ", line 2, latency: 400 s lies outside the window of 1.1 s after the cue (and 1 more row)",
    "table_quoted_newline.csv": ", events: 'low\\ntone' holds a line break or another control character",
    "table_response_time_ms.csv": ", line 2: response_time is 350 s, longer than longest_response, 5 s",
    "table_response_time_text.csv": ", line 3: response_time 'miss' is not a number of seconds",
    "table_row_longer.csv": ", line 4: has 6 columns, the header has 5 (separated by commas)",
    "table_thousands.csv": ", line 3: onset '1,002' is not a number of seconds; write it with a decimal point",
}

OTHERS = {"README.md", "rt_in_ms_events.json", "part_of_a_recording.py"}


@needs_cases
def test_every_case_has_a_row():
    rows = [*READ, *REFUSED, *TABLES, *REFUSED_TABLES, *OTHERS]
    assert len(rows) == len(set(rows))
    assert {path.name for path in CASES.iterdir()} == set(rows)


def cued(name, options):
    task = CuedReaction(**{"events_files": (str(CASES / name),), "cue": "tone", "events": ("lamp",), **options})
    return task.experiment(np.random.default_rng(0))


def column(trials, name):
    return [NONE if value != value else value for value in trials[name].round(6).tolist()]


@needs_cases
@pytest.mark.parametrize("name", READ)
def test_event_files_that_are_read(name):
    options, latencies, times, *notes = READ[name]
    experiment = cued(name, options)
    trials = experiment.trials[experiment.trials["kind"] == "train"]
    assert column(trials, "latency") == latencies
    assert column(trials, "response_time") == times
    assert len(experiment.notes) == len(notes)
    assert all(f"{CASES / name}, {said}" in note for said, note in zip(notes, experiment.notes, strict=True))


@needs_cases
@pytest.mark.parametrize("name", REFUSED)
def test_event_files_that_are_refused(name):
    options, said = REFUSED[name]
    with pytest.raises(ParadigmError) as caught:
        cued(name, options)
    assert str(caught.value).startswith(f"{CASES / name}{said}")
    assert len(str(caught.value).splitlines()) == 1


@needs_cases
@pytest.mark.parametrize("name", TABLES)
def test_tables_that_are_read(name):
    events, columns = TABLES[name]
    experiment = Table(file=CASES / name).experiment(np.random.default_rng(0))
    assert experiment.trials["event"].tolist() == events
    assert experiment.events == tuple(dict.fromkeys(filter(None, events)))
    for each, values in columns.items():
        assert column(experiment.trials, each) == values
    rounded = "times are rounded to whole milliseconds, by up to 0.4 ms"
    assert [note.endswith(rounded) for note in experiment.notes] == [True] * (name == "table_submillisecond.csv")


@needs_cases
@pytest.mark.parametrize("name", REFUSED_TABLES)
def test_tables_that_are_refused(name):
    with pytest.raises(ParadigmError) as caught:
        Table(file=str(CASES / name)).experiment(np.random.default_rng(0))
    assert str(caught.value).startswith(f"{CASES / name}{REFUSED_TABLES[name]}")
    assert len(str(caught.value).splitlines()) == 1


def ran(name):
    """The 200-cell network of the cases, seed 7."""
    paradigm = {"type": "table", "file": str(CASES / name)}
    return simulate(Configuration(reservoir={"n": 200}, paradigm=paradigm, keep={"spikes": "all"}), seed=7)


@needs_cases
def test_nothing_after_the_end_enters_a_rate():
    """The program runs on to its next snapshot, at 20 s; of the spikes there none counts."""
    recording = ran("short_last_trial.csv")
    assert recording.attrs["duration"] == 12
    assert recording["spike_time"].values.max() < 12
    counts = np.bincount(recording["spike_neuron"].values, minlength=200)
    assert counts[recording["excitatory"].values == 1].sum() > 10
    np.testing.assert_allclose(recording["rate"].values, counts / 12, rtol=1e-12)


@needs_cases
def test_a_part_of_a_recording_keeps_the_owners_of_its_spikes(tmp_path):
    for needed in ("neo", "pynapple"):
        pytest.importorskip(needed)
    from izhires.recordings.recording import save

    path = save(ran("unequal_trials_with_probe.csv"), tmp_path / "one.nc")
    done = subprocess.run(
        [sys.executable, CASES / "part_of_a_recording.py", path], capture_output=True, text=True, env=os.environ
    )
    if done.returncode:  # a refusal is as right
        assert "RecordingError" in done.stderr.splitlines()[-1]
        return
    spikes, neo, pynapple = (
        [int(each) for each in re.findall(r"\d+", line.rpartition("[")[2])] for line in done.stdout.splitlines()[:3]
    )
    assert neo == pynapple == spikes
    assert done.stdout.splitlines()[-1] == "first probe cut off []"
