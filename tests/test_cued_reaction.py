import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from izhires.errors import ConfigurationError, ParadigmError
from izhires.paradigms import CuedReaction

HEADER = "onset\tduration\ttrial_type\tresponse_time"
GOOD = """
0.5 start
2.0 cue
4.0 go
4.3 button press
9.0 cue
10.7 no-go
11.2 error of commission
11.3 error feedback tone
17.0 cue
25.0 cue
26.8 go
27.1 button press
27.9 button press
33.0 end
"""


def write(path, rows, header=HEADER):
    """Write an event file from lines of onset and trial_type."""
    cells = [line.split(" ", 1) for line in rows.strip().splitlines()]
    path.write_text("\n".join([header, *(f"{onset}\tn/a\t{name}\tn/a" for onset, name in cells)]) + "\n")
    return str(path)


def task(*files, **changes):
    return CuedReaction(**{"events_files": files, "cue": "cue", "events": ("go", "no-go"), **changes})


def make(*files, **changes):
    return task(*files, **changes).experiment(np.random.default_rng(0))


@pytest.fixture
def good(tmp_path):
    return write(tmp_path / "run-1.tsv", GOOD)


def test_a_small_file(good):
    experiment = make(good, warm_up=0)
    assert (experiment.paradigm, experiment.events) == ("cued_reaction", ("go", "no-go"))
    # the longest latency 2.0 s and four widths of 100 ms
    assert (experiment.window, experiment.event_width, experiment.cue_duration) == (2.4, 0.1, 0.25)
    trials = experiment.trials
    assert trials["kind"].tolist() == ["probe", "train", "train", "train", "train", "probe"]
    assert trials["learn"].tolist() == [False, True, True, True, True, False]
    assert trials["event"].tolist() == ["", "go", "no-go", "", "go", ""]
    np.testing.assert_array_equal(trials["latency"], [np.nan, 2.0, 1.7, np.nan, 1.8, np.nan])
    np.testing.assert_allclose(trials["response_time"], [np.nan, 0.3, 0.5, np.nan, 0.3, np.nan])
    # from cue to cue as in the file, the last to the file's end; a probe as long as the median of 7, 8, 8 and 9 s
    np.testing.assert_allclose(trials["duration"], [8, 7, 8, 8, 9, 8])
    np.testing.assert_allclose(trials["cue"] - trials["onset"], 1)
    np.testing.assert_allclose(np.diff(trials["cue"])[1:4], [7, 8, 8])
    outcomes = experiment.outcomes
    assert outcomes["event"].tolist() == ["go", "go", "no-go"]
    assert outcomes["latency"].tolist() == [1.8, 2.0, 1.7]
    assert outcomes["probability"].tolist() == [0.25, 0.25, 0.25]


def test_waits_are_shortened_only_when_asked(good):
    longest = make(good, longest_wait="5 s", warm_up=0).trials
    # from the end of the window to the next cue at most 5 s: 2.4 + 5 s between cues
    np.testing.assert_allclose(np.diff(longest["cue"])[1:4], [7, 7.4, 7.4])
    assert longest["duration"].max() <= 7.4
    kept = make(good, warm_up=0).trials
    assert longest["latency"].equals(kept["latency"])
    assert longest["response_time"].equals(kept["response_time"])


def test_warm_up_trials_stand_first_are_cue_only_and_do_not_learn(good):
    without = make(good, warm_up=0).trials
    assert task(good).warm_up == 1
    for count in (1, 3):
        experiment = make(good, warm_up=count)
        first, rest = experiment.trials[:count], experiment.trials[count:]
        assert first["kind"].tolist() == ["warm-up"] * count
        assert first["event"].tolist() == [""] * count
        assert first[["latency", "response_time"]].isna().all(axis=None)
        assert first["block"].tolist() == [0] * count
        assert not first["learn"].any()
        # as long as a probe, and all that follows is as it was, later
        np.testing.assert_allclose(first["duration"], 8)
        moved = rest.assign(onset=rest["onset"] - 8 * count, cue=rest["cue"] - 8 * count).reset_index(drop=True)
        pd.testing.assert_frame_equal(moved, without)
        assert experiment.outcomes["probability"].tolist() == [0.25, 0.25, 0.25]


def test_probes_and_blocks(good, tmp_path):
    second = write(tmp_path / "run-2.tsv", GOOD)

    def places(**changes):
        trials = make(good, second, **changes).trials
        before = (trials["kind"] == "train").cumsum()
        return [
            (int(b), int(n))
            for b, n, kind in zip(trials["block"], before, trials["kind"], strict=True)
            if kind == "probe"
        ]

    assert places() == [(0, 0), (0, 8)]
    assert places(probe_every=3) == [(0, 0), (0, 3), (0, 6), (0, 8)]
    assert places(probe_every=4) == [(0, 0), (0, 4), (0, 8)]
    assert places(probe_every=3, block_per_file=True) == [(0, 0), (0, 3), (0, 4), (1, 7), (1, 8)]
    per_file = make(good, second, block_per_file=True).outcomes
    assert per_file.groupby("block")["probability"].sum().tolist() == [0.75, 0.75]
    assert make(good, second).outcomes["probability"].tolist() == [0.25, 0.25, 0.25]


def test_a_target_row_may_hold_its_response_time(tmp_path):
    path = tmp_path / "run.tsv"
    path.write_text(f"{HEADER}\n1\tn/a\tcue\tn/a\n2.5\tn/a\tgo\t0.41\n2.9\tn/a\tbutton press\tn/a\n")
    assert make(str(path), events=("go",)).trials["response_time"].dropna().tolist() == [0.41]


def test_windows_newlines_a_byte_order_mark_and_blank_lines_do_no_harm(good, tmp_path):
    text = Path(good).read_text()
    odd = tmp_path / "odd.tsv"
    odd.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode() + b"\r\n\r\n")
    assert make(str(odd)) == make(good)


def test_round_trip(good):
    for paradigm in (task(good), task(good, window="3 s", longest_wait="4 s", responses=(), block_per_file=True)):
        again = CuedReaction.parse(paradigm.to_dict())
        assert again == paradigm
        assert again.experiment(np.random.default_rng(1)) == paradigm.experiment(np.random.default_rng(2))


@pytest.mark.parametrize(
    ("rows", "line", "message"),
    [
        ("1 go\n2 cue\n4 no-go", 2, "'go' does not follow a cue"),
        ("1 cue\n3 go\n4 no-go", 4, "'no-go' is the second target after the cue on line 2, the first is on line 3"),
        ("1 cue\n3 go\n2 cue\n2.5 go\n4 no-go", 3, "'go' is the second target after the cue on line 4, the first is on "
         "line 5"),
        ("1 cue\nn/a go\n4 no-go", 3, "onset 'n/a' is not a number of seconds"),
        ("1 cue\nnan go", 3, "onset 'nan' is not a number of seconds"),
        ("1 cue\n3 go\n4 cue\n5 no-go", 2, "the next cue, on line 4, comes 3000 ms after this one: "
         "too soon for the window of 2400 ms and the 1000 ms (cue_onset) before a cue"),
        ("1 cue\n3 go\textra\n4 no-go", 3, "has 5 columns, the header has 4 (separated by tabs)"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be(tmp_path, rows, line, message):
    path = write(tmp_path / "run.tsv", rows)
    with pytest.raises(ParadigmError) as caught:
        make(path)
    assert str(caught.value) == f"{path}, line {line}: {message}"


def test_a_target_outside_the_window(good):
    with pytest.raises(ParadigmError) as caught:
        make(good, window="1.9 s")
    assert str(caught.value) == f"{good}, line 4: 'go' comes 2000 ms after its cue, outside the window of 1900 ms"


def test_names_that_do_not_occur(good, tmp_path):
    present = "(valid: start, cue, go, button press, no-go, error of commission, error feedback tone, end)"
    with pytest.raises(ParadigmError) as caught:
        make(good, cue="Cue")
    assert str(caught.value) == f"{good}: the cue 'Cue' does not occur, did you mean 'cue'? {present}"
    with pytest.raises(ParadigmError) as caught:
        make(good, events=("go", "nogo"))
    assert str(caught.value) == f"{good}: the event 'nogo' does not occur, did you mean 'no-go'? {present}"
    # a run without one of the events is no mistake, a run without the cue is
    other = write(tmp_path / "run-2.tsv", "1 cue\n3 go\n9 cue")
    assert make(good, other).events == ("go", "no-go")
    silent = write(tmp_path / "run-3.tsv", "1 rest")
    with pytest.raises(ParadigmError) as caught:
        make(good, silent)
    assert str(caught.value) == f"{silent}: the cue 'cue' does not occur (valid: rest)"


def test_files_that_cannot_be_read(tmp_path):
    def complaint(path):
        with pytest.raises(ParadigmError) as caught:
            make(str(path))
        return str(caught.value)

    path = tmp_path / "run.tsv"
    assert task(str(path)).events_files == (str(path),)  # a declaration reads nothing
    assert complaint(path) == f"{path}: there is no such file"
    assert complaint(tmp_path) == f"{tmp_path}: cannot be read: Is a directory"
    path.write_text(" \n")
    assert complaint(path) == f"{path}: is empty"
    path.write_text(HEADER + "\n\n")
    assert complaint(path) == f"{path}: has a header and no events"
    path.write_text("onset\tduration\tvalue\n1\tn/a\tcue\n")
    assert complaint(path) == f"{path}, line 1: column trial_type missing; it has onset, duration, value"
    path.write_text("onset,duration,trial_type\n1,n/a,cue\n")
    assert complaint(path) == (f"{path}, line 1: column onset and trial_type missing; it has onset,duration,trial_type")
    path.write_bytes(b"\x89HDF\r\n\x1a\n\xff\xfe\x00")
    assert complaint(path) == f"{path}: is not a text file in UTF-8: byte 0x89 on line 1; save it as UTF-8"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"events_files": ()}, "CuedReaction.events_files: needs at least one file, got none"),
        ({"events": ()}, "CuedReaction.events: has no events"),
        ({"events": ("go", "go")}, "CuedReaction.events[1]: 'go' is named twice among cue, events and responses"),
        ({"events": ("go", "cue")}, "CuedReaction.events[1]: 'cue' is named twice among cue, events and responses"),
        ({"events": ("button press",)}, "CuedReaction.responses[0]: 'button press' is named twice"),
        ({"events": ("",)}, "CuedReaction.events[0]: the name is empty"),
        ({"longest_wait": "1 s"}, "CuedReaction.longest_wait: must be at least 1 ms longer than cue_onset, 1000 ms"),
        ({"window": 3}, "CuedReaction.window: 3 has no unit"),
        ({"warm_up": -1}, "CuedReaction.warm_up: must be at least 0, got -1"),
        ({"probe_every": 0}, "CuedReaction.probe_every: must be at least 1, got 0"),
    ],
)  # fmt: skip
def test_declarations_that_cannot_be(changes, message):
    with pytest.raises(ConfigurationError) as caught:
        task("run.tsv", **changes)
    assert str(caught.value).startswith(message)


def test_what_must_be_told():
    with pytest.raises(ConfigurationError) as caught:
        CuedReaction()
    assert [str(complaint) for complaint in caught.value.complaints] == [
        f"CuedReaction.{name}: is required" for name in ("events_files", "cue", "events")
    ]


def data_set():
    """Folder of ds003690: under IZHIRES_DATA, or in shared/data beside the checkout."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    for folder in (os.environ.get("IZHIRES_DATA"), beside):
        if folder and (Path(folder) / "ds003690").is_dir():
            return Path(folder) / "ds003690"
    return None


def runs(participant):
    return tuple(str(path) for path in sorted(participant.glob("eeg/*_events.tsv")))


needs_data = pytest.mark.skipif(
    data_set() is None, reason="OpenNeuro ds003690 is not here: set IZHIRES_DATA to the folder that holds it"
)


@needs_data
def test_every_participant_of_the_real_data_set():
    participants = sorted(data_set().glob("sub-*"))
    assert participants
    for participant in participants:
        experiment = make(*runs(participant))
        training = experiment.trials[experiment.trials["kind"] == "train"]
        # the data set's own description: 80 go, 20 no-go and 20 cue-only trials in two runs
        assert training["event"].value_counts().to_dict() == {"go": 80, "no-go": 20, "": 20}, participant.name
        shares = experiment.outcomes.groupby("event")["probability"].sum()
        np.testing.assert_allclose([shares["go"], shares["no-go"]], [80 / 120, 20 / 120])
        assert training["latency"].min() >= 1.5
        assert training["latency"].max() + 0.4 <= experiment.window <= training["latency"].max() + 0.5
        answered = training.loc[training["event"] == "go", "response_time"]
        assert answered.notna().mean() > 0.9, participant.name
        assert 0.2 < answered.median() < 1
        assert (experiment.trials["kind"] == "probe").sum() == 1 + 12


@needs_data
def test_the_network_hears_what_the_participant_heard():
    files = runs(sorted(data_set().glob("sub-*"))[0])
    experiment = make(*files, probe_every=1000, warm_up=0)
    signals = experiment.signals()
    cue = np.flatnonzero(np.diff(signals["cue"], prepend=0) > 0)
    target = np.flatnonzero(signals["at_event"])
    names = np.array(experiment.events)[signals["event"][target].astype(int)]
    heard = sorted([(int(k), "cue") for k in cue[1:-1]] + list(zip(target.tolist(), names.tolist(), strict=True)))
    # the same from the files by hand, each relative to the first cue of its run
    for number, path in enumerate(files):
        rows = [line.split("\t") for line in Path(path).read_text().splitlines()[1:]]
        sounds = [(round(float(row[0]) * 1000), row[3]) for row in rows if row[3] in ("cue", "go", "no-go")]
        mine = heard[len(sounds) * number : len(sounds) * (number + 1)]
        assert [(at - mine[0][0], name) for at, name in mine] == [(at - sounds[0][0], name) for at, name in sounds]
    assert len(heard) == 2 * len(sounds)


@needs_data
def test_the_real_statistics_make_the_expectation():
    experiment = make(*runs(sorted(data_set().glob("sub-*"))[0]))
    times = np.arange(0, experiment.window, 0.001)
    expected = experiment.expectation(0, times)
    # the area of an event's expectation is its probability times the area of one bump
    area = expected.sum(axis=1) * 0.001 / (np.sqrt(2 * np.pi) * 0.1)
    np.testing.assert_allclose(area, [80 / 120, 20 / 120], rtol=1e-3)
    assert not expected[:, times < 1.0].max() > 1e-3


@needs_data
def test_the_participants_of_the_real_data_set_are_variants():
    people = sorted(data_set().glob("sub-*"))
    paradigm = task(*(path for participant in people for path in runs(participant)))
    assert paradigm.variants() == tuple(participant.name for participant in people)
    last = paradigm.experiment(np.random.default_rng(0), people[-1].name)
    pd.testing.assert_frame_equal(last.trials, make(*runs(people[-1])).trials)


def test_each_participant_is_a_variant(tmp_path):
    names = [f"sub-{who}_task-x_run-{run}_events.tsv" for who in ("B2", "A1") for run in (1, 2)]
    files = [write(tmp_path / name, GOOD if name.startswith("sub-B2") else GOOD.replace("4.0 go", "3.9 go"))
             for name in names]  # fmt: skip
    paradigm = task(*files)
    assert paradigm.variants() == ("sub-B2", "sub-A1")
    for variant, own, first in (("sub-B2", files[:2], 2.0), ("sub-A1", files[2:], 1.9)):
        found = paradigm.experiment(np.random.default_rng(0), variant)
        assert found.variant == variant
        pd.testing.assert_frame_equal(found.trials, make(*own).trials)
        assert found.trials["latency"].dropna().iloc[0] == first
    with pytest.raises(ConfigurationError, match="sub-A1"):
        paradigm.experiment(np.random.default_rng(0), "")
    # one participant alone is no variant, and no name is not a participant
    assert task(*files[:2]).variants() == ("",)
    with pytest.raises(ConfigurationError, match=r"events_files\[1\]: its name lacks the participant"):
        task(files[0], write(tmp_path / "run-1.tsv", GOOD))
