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
    assert "median 0.3 s; of 2 'button press', 1 'error of commission'" in experiment.describe()
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
    found = make(str(path), events=("go",))
    assert found.trials["response_time"].dropna().tolist() == [0.41]
    assert "; of 1 column response_time" in found.describe()


def test_windows_newlines_a_byte_order_mark_and_blank_lines_do_no_harm(good, tmp_path):
    text = Path(good).read_text()
    odd = tmp_path / "odd.tsv"
    odd.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode() + b"\r\n\r\n")
    assert make(str(odd)) == make(good)


def small(folder, name="run.tsv", *, rows, header=HEADER):
    """Write an event file from lines of cells, and return its name."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *("\t".join(line.split("|")) for line in rows.splitlines())]) + "\n")
    return str(path)


TIMED = "1|0|cue|n/a\n3|0|go|312\n9|0|cue|n/a\n11|0|go|418\n20|0|end|n/a"


def test_units_of_files_beside_and_above_a_table(tmp_path):
    """BIDS: what is nearer counts more, and a name with a part that the table's lacks says nothing of it."""
    path = small(tmp_path, "sub-1/eeg/sub-1_task-x_run-1_events.tsv", rows=TIMED)
    (tmp_path / "task-x_events.json").write_text('{"response_time": {"Units": "milliseconds"}}')
    (tmp_path / "sub-1" / "sub-1_task-y_events.json").write_text('{"response_time": {"Units": "min"}}')

    def times(**changes):
        return make(path, events=("go",), **changes).trials["response_time"].dropna().tolist()

    with pytest.raises(ParadigmError, match=r"line 3: response_time '312' is 312 s, longer than longest_response, 5 s"):
        times()  # no data set, so only what lies beside it counts
    assert times(longest_response="500 s") == [312, 418]
    (tmp_path / "dataset_description.json").write_text("{}")
    assert times() == [0.312, 0.418]
    beside = Path(path).with_suffix(".json")
    beside.write_text('{"onset": {"Units": "s"}, "response_time": {"Units": "us"}}')
    assert times() == [0.000312, 0.000418]
    for text, said in (
        (
            '{"response_time": {"Units": "mV"}}',
            r"the unit of response_time, 'mV', is none of time \(valid: s, ms, us, min",
        ),
        ("{", "describes .*run-1_events.tsv, and cannot be read"),
        ("[]", "describes .*run-1_events.tsv, and is no table of columns"),
    ):
        beside.write_text(text)
        with pytest.raises(ParadigmError, match=said) as caught:
            times()
        assert str(caught.value).startswith(f"{beside}: ")


def test_onsets_in_a_unit_of_their_own(tmp_path, good):
    text = Path(good).read_text().splitlines()
    rows = [line.split("\t") for line in text[1:]]
    path = tmp_path / "ms_events.tsv"
    path.write_text("\n".join([text[0], *("\t".join([f"{float(row[0]) * 1e3:g}", *row[1:]]) for row in rows)]))
    path.with_suffix(".json").write_text('{"onset": {"Units": "ms"}}')
    assert make(str(path)) == make(good)


@pytest.mark.parametrize("cell", ["0,31", "0.31 s", "310ms", "", "nan", "inf", "1e999", "NA", "1_0", "--"])
def test_a_response_time_is_a_number_or_not_applicable(tmp_path, cell):
    path = small(tmp_path, rows=f"1|0|cue|n/a\n3|0|go|{cell}\n9|0|end|n/a")
    with pytest.raises(ParadigmError) as caught:
        make(path, events=("go",))
    assert str(caught.value).startswith(f"{path}, line 3: response_time {cell!r} is not a number of seconds")


def test_ties_are_not_decided_by_the_order_of_rows(tmp_path):
    """What shares a cue's onset: a response belongs to the target before, a target to this cue."""
    rows = ["1|0|cue|n/a", "3|0|go|n/a", "7|0|cue|n/a", "7|0|button press|n/a", "9|0|go|n/a", "17|0|cue|n/a",
            "17|0|go|n/a", "30|0|end|n/a"]  # fmt: skip
    found = [
        make(small(tmp_path, rows="\n".join(each)), events=("go",), window="2.5 s")
        for each in (rows, rows[::-1], rows[3:] + rows[:3])
    ]
    assert found[0] == found[1] == found[2]
    training = found[0].trials[found[0].trials["kind"] == "train"]
    assert training["latency"].tolist() == [2, 2, 0]
    assert training["response_time"].fillna(-1).tolist() == [4, -1, -1]


def test_a_press_with_the_onset_of_its_target(tmp_path):
    path = small(tmp_path, rows="1|0|cue|n/a\n3|0|button press|n/a\n3|0|go|n/a\n9|0|end|n/a")
    with pytest.raises(ParadigmError, match=r"line 3: 'button press' has the onset of its target 'go', on line 4"):
        make(path, events=("go",))
    path = small(tmp_path, rows="1|0|cue|n/a\n3|0|button press|n/a\n3|0|go|0.3\n9|0|end|n/a")
    assert make(path, events=("go",)).trials["response_time"].dropna().tolist() == [0.3]


def test_columns_of_other_names(tmp_path):
    header = "onset\tduration\tphase\tstimulus\tRT"
    path = small(
        tmp_path,
        header=header,
        rows="1|0|warn|n/a|n/a\n3|0|n/a|1.0|0.4\n9|0|warn|n/a|n/a\n10|0|n/a|2.0|n/a\n20|0|n/a|n/a|n/a",
    )
    columns = {"cue_column": "phase", "event_column": "stimulus", "response_time_column": "RT"}
    found = make(path, cue="warn", events=("1", "2"), **columns)
    assert found.trials["event"].tolist() == ["", "", "1", "2", ""]
    assert found.trials["response_time"].dropna().tolist() == [0.4]
    for column, said in (("cue_column", "trial_typ"), ("response_time_column", "rts")):
        with pytest.raises(ParadigmError) as caught:
            make(path, cue="warn", events=("1", "2"), **{**columns, column: said})
        assert str(caught.value) == (
            f"{path}, line 1: column {said} missing; it has onset, duration, phase, stimulus, RT"
        )


def test_responses_that_are_named_must_occur_in_some_file(good, tmp_path):
    with pytest.raises(ParadigmError, match=r"the response 'buton press' does not occur, did you mean 'button press'"):
        make(good, responses=("error of commission", "buton press"))
    # the data set's own names need not, and a participant without errors makes none
    assert make(write(tmp_path / "a.tsv", "1 cue\n3 go\n9 no-go".replace("9 no-go", "9 cue\n11 no-go"))).notes == ()
    names = [tmp_path / f"sub-{who}_events.tsv" for who in ("A", "B")]
    files = [write(names[0], GOOD), write(names[1], GOOD.replace("error of commission", "other"))]
    paradigm = task(*files, responses=("error of commission",))
    assert paradigm.experiment(np.random.default_rng(0), "sub-B").trials["response_time"].isna().all()


def test_a_file_that_is_there_twice(good, tmp_path):
    (tmp_path / "link.tsv").symlink_to(good)
    for path in (good, str(tmp_path / "link.tsv"), Path(good)):
        with pytest.raises(ConfigurationError, match=r"events_files\[1\]: '.*' is there twice"):
            task(good, path)


def test_names_hold_any_character_but_line_breaks(tmp_path):
    names = ("$x_1$", "50 % off", "a\\b{c}", "go #1 & more")
    rows = "\n".join(f"{10 * k + 1}|0|$cue_|n/a\n{10 * k + 3}|0|{name}|n/a" for k, name in enumerate(names))
    found = make(small(tmp_path, rows=f"{rows}\n50|0|end|n/a"), cue=" $cue_ ", events=names)
    assert found.events == names
    assert sorted(found.trials["event"].unique()) == sorted(("", *names))


def test_a_long_window_is_asked_for(tmp_path):
    path = small(tmp_path, rows="1|0|cue|n/a\n71|0|go|n/a\n200|0|end|n/a")
    with pytest.raises(ParadigmError, match=r"line 3: 'go' comes 70 s after its cue, on line 2: more than 60 s"):
        make(path, events=("go",))
    assert make(path, events=("go",), window="71 s").trials["latency"].max() == 70


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
         "too soon for the window of 2400 ms and the 1000 ms (cue_onset) before a cue; a shorter paradigm.window or "
         "paradigm.cue_onset must be given"),
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
        ({"events": ("n/a",)}, "CuedReaction.events[0]: 'n/a' stands for a missing value, and names nothing"),
        ({"cue": " n/a "}, "CuedReaction.cue: 'n/a' names nothing"),
        ({"cue": None}, "CuedReaction.cue: must be text, got None"),
        ({"events_files": (5,)}, "CuedReaction.events_files[0]: must be text, got 5"),
        ({"window": "1000.4 ms"}, "CuedReaction.window: must be whole milliseconds, got 1000.4 ms"),
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
