import dataclasses
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest

from izhires.errors import IzhiresError, ParadigmError
from izhires.paradigms import Experiment, Meet, expectation, frequencies
from izhires.paradigms.columns import KINDS

OUTCOMES = {"block": [0, 0], "event": ["A", "B"], "latency": [0.3, 0.6], "probability": [0.5, 0.5]}


def table(**changes):
    """Three trials, a probe between two training trials, with some cells changed: ``latency={0: 2.0}``."""
    trials = pd.DataFrame(
        {
            "onset": [0.0, 1.5, 3.0],
            "duration": 1.5,
            "cue": [0.2, 1.7, 3.2],
            "event": ["A", "", "B"],
            "latency": [0.3, np.nan, 0.6],
            "block": 0,
            "kind": ["train", "probe", "train"],
            "learn": [True, False, True],
        }
    )
    for column, cells in changes.items():
        trials[column] = trials[column].astype(object)
        for row, value in cells.items():
            trials.loc[row, column] = value
    return trials


def make(trials=None, events=("A", "B"), outcomes=None, window=1.1, event_width=0.04, cue_duration=0.05):
    trials = table() if trials is None else trials
    outcomes = OUTCOMES if outcomes is None else outcomes
    return Experiment("test", "", events, trials, outcomes, window, event_width, cue_duration)


def random_table(rng, grid=1):
    """Trials with random lengths, gaps, cues and latencies on a grid of so many milliseconds, in seconds."""
    rows, now = [], int(rng.integers(0, 50))
    for _ in range(12):
        before, window, after = int(rng.integers(0, 40)), 120, int(rng.integers(1, 60))
        event = str(rng.choice(["", "A", "B"]))
        latency = rng.integers(0, window) * grid / 1e3 if event else np.nan
        rows.append((now, before + window + after, now + before, event, latency))
        now += before + window + after + int(rng.integers(0, 2) * rng.integers(0, 30))
    trials = pd.DataFrame(rows, columns=["onset", "duration", "cue", "event", "latency"])
    trials[["onset", "duration", "cue"]] *= grid / 1e3
    trials["block"] = np.arange(12) // 5
    trials["kind"] = np.where((trials["event"] == "") & (rng.random(len(trials)) < 0.5), "probe", "train")
    return trials


def slow_signals(experiment, step_us):
    """The signals once more: one step after the other, one trial after the other, whole microseconds."""

    def us(seconds):
        return round(seconds * 1000) * 1000

    names = ["cue", "elapsed", "in_window", "window_end", "event", "latency", "learn", "at_event", "block"]
    result = {name: [] for name in names}
    trials = list(experiment.trials.itertuples())
    now, stop = 0, us(trials[-1].onset) + us(trials[-1].duration)
    while now < stop:
        current = trials[0]
        for trial in trials:
            if us(trial.onset) <= now:
                current = trial
        inside = us(current.onset) <= now < us(current.onset) + us(current.duration)
        elapsed = now - us(current.cue)
        row = dict.fromkeys(names, 0.0)
        row["elapsed"], row["event"], row["latency"], row["block"] = elapsed / 1e6, -1, -1, current.block
        if inside:
            row["learn"] = 1 if current.learn else 0
            if 0 <= elapsed < us(experiment.cue_duration):
                row["cue"] = 1
            if 0 <= elapsed < us(experiment.window):
                row["in_window"] = 1
            if elapsed == us(experiment.window):
                row["window_end"] = 1
            if current.event:
                row["event"] = experiment.events.index(current.event)
                row["latency"] = current.latency
                if elapsed == us(current.latency):
                    row["at_event"] = 1
        for name in names:
            result[name].append(row[name])
        now += step_us
    return {name: np.array(values, dtype=float) for name, values in result.items()}


@pytest.mark.parametrize(("step_us", "grid"), [(1000, 1), (500, 1), (2000, 2), (250, 1)])
@pytest.mark.parametrize("seed", range(4))
def test_signals_equal_a_slow_loop(seed, step_us, grid):
    trials = random_table(np.random.default_rng(seed), grid)
    experiment = Experiment.from_table(
        trials, events=["A", "B"], window=0.12 * grid, event_width=0.01, cue_duration=0.01 * grid
    )
    fast, slow = experiment.signals(step_us / 1e6), slow_signals(experiment, step_us)
    assert list(fast) == list(slow)
    for name, values in slow.items():
        assert fast[name].dtype == np.float64
        assert fast[name].ndim == 1
        np.testing.assert_array_equal(fast[name], values, err_msg=name)
    # the loop above would agree on nothing at all: what must occur does occur, once a trial
    assert fast["window_end"].sum() == len(trials)
    assert fast["at_event"].sum() == (trials["event"] != "").sum() > 0
    assert len(fast["cue"]) == round(experiment.duration / (step_us / 1e6))


def test_no_edge_moves_late_in_a_long_experiment():
    experiment = Meet(warm_up=0).experiment(np.random.default_rng(0))
    signals = experiment.signals()
    assert len(signals["cue"]) == 577 * 1500
    shape = {name: values.reshape(577, 1500) for name, values in signals.items()}
    assert (shape["cue"] == (np.arange(1500) >= 200) * (np.arange(1500) < 250)).all()
    assert (shape["in_window"] == (np.arange(1500) >= 200) * (np.arange(1500) < 1300)).all()
    assert (np.argmax(shape["window_end"], axis=1) == 1300).all()
    assert (shape["elapsed"] == (np.arange(1500) - 200) / 1e3).all()
    has = experiment.trials["event"] != ""
    at = np.argmax(shape["at_event"][has], axis=1)
    np.testing.assert_array_equal(at, 200 + np.rint(experiment.trials["latency"][has] * 1e3))


def test_rounding_noise_changes_nothing():
    noisy = table()
    noise = np.random.default_rng(0).uniform(-4e-4, 4e-4, (3, 2))
    noisy["cue"] += noise[:, 0]
    noisy["latency"] += noise[:, 1]
    assert make(noisy) == make()
    # thirds of a second: trials that touch still touch when their ends are rounded
    third = pd.DataFrame({"onset": np.arange(9) / 3, "duration": 1 / 3, "cue": np.arange(9) / 3 + 0.1})
    third["event"], third["latency"] = "A", 0.05
    experiment = Experiment.from_table(third, window=0.1)
    ends = (experiment.trials["onset"] + experiment.trials["duration"])[:-1]
    np.testing.assert_allclose(ends, experiment.trials["onset"][1:], atol=1e-12)
    assert experiment.duration == 3.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"onset": {1: 1.4}}, "trials[1].onset: 1.4 s overlaps trial 0, which ends at 1.5 s"),
        ({"onset": {2: 0.5}, "cue": {2: 0.7}}, "trials[2].onset: 0.5 s comes before the trial above it, at 1.5 s"),
        ({"onset": {0: -1}, "cue": {0: -0.8}}, "trials[0].onset: -1 s lies before the start of the experiment"),
        ({"duration": {2: -1}}, "trials[2].duration: must be above 0, got -1 s"),
        ({"cue": {1: 3.1}}, "trials[1].cue: 3.1 s lies outside its trial, 1.5 to 3 s"),
        ({"cue": {1: 1.9}}, "trials[1].cue: the window, 1.1 s from 1.9 s, must end before its trial does, at 3 s"),
        ({"latency": {2: 1.1}}, "trials[2].latency: 1.1 s lies outside the window of 1.1 s after the cue"),
        ({"latency": {2: -0.1}}, "trials[2].latency: -0.1 s lies outside the window of 1.1 s"),
        ({"latency": {2: np.nan}}, "trials[2].latency: event 'B' has no latency"),
        ({"latency": {1: 0.3}}, "trials[1].latency: a cue-only trial cannot have one, got 0.3 s"),
        ({"event": {0: "C"}}, "trials[0].event: 'C' is not an event (valid: A, B)"),
        ({"event": {1: "A"}, "latency": {1: 0.3}}, "trials[1].event: a probe trial is cue-only, got event 'A'"),
        ({"learn": {1: True}}, "trials[1].learn: learning must be off in a probe trial"),
        (
            {"kind": {1: "warm-up"}, "event": {1: "A"}, "latency": {1: 0.3}},
            "trials[1].event: a warm-up trial is cue-only, got event 'A'",
        ),
        ({"kind": {1: "warm-up"}, "learn": {1: True}}, "trials[1].learn: learning must be off in a warm-up trial"),
        ({"kind": {1: "test"}}, "trials[1].kind: 'test' is not a kind of trial (valid: warm-up, train, probe)"),
        ({"block": {2: 2}}, "trials[2].block: blocks count up from 0 in order of time, got 2 after 0"),
        ({"block": {0: 1, 1: 1, 2: 1}}, "trials[0].block: blocks count up from 0 in order of time, got 1 first"),
        ({"block": {1: 1}}, "trials[2].block: blocks count up from 0 in order of time, got 0 after 1"),
        ({"block": {1: 0.5}}, "trials[1].block: must be a whole number, got 0.5"),
        ({"onset": {1: "soon"}}, "trials[1].onset: must be a number, got 'soon'"),
        ({"onset": {1: np.nan}}, "trials[1].onset: must be a number, got nan"),
        ({"latency": {2: "late"}}, "trials[2].latency: must be a number, got 'late'"),
        ({"latency": {2: np.inf}}, "trials[2].latency: must be a number, got inf"),
        ({"block": {1: np.float64(0.5)}}, "trials[1].block: must be a whole number, got 0.5"),
        ({"latency": {2: 0.0001}}, "trials[2].latency: 0.0001 s is below the grid of 1 ms"),
        ({"onset": {2: 1e300}}, "trials[2].onset: must be at most 1e+10 s, got 1e+300 s"),
        ({"learn": {1: 2}}, "trials[1].learn: must be true or false, got 2"),
        (
            {"latency": {0: 3, 2: 4}},
            "trials[0].latency: 3 s lies outside the window of 1.1 s after the cue (and 1 more row)",
        ),
    ],
)
def test_trials_that_contradict_themselves(changes, message):
    with pytest.raises(ParadigmError) as caught:
        make(table(**changes))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"events": ()}, "events: has no events"),
        ({"events": ("A", "B", "A")}, "events: 'A' is there twice"),
        ({"events": ("A", "B\n")}, "events: 'B\\n' holds a line break or another control character"),
        ({"events": "AB"}, "events: must be a list of names, got 'AB'"),
        ({"events": 5}, "events: must be a list of names, got 5"),
        ({"trials": 5}, "trials: is not a table: "),
        ({"events": ("A", "B", "")}, "events: the name of an event is empty"),
        ({"trials": table().iloc[:0]}, "trials: has no trials"),
        ({"trials": table().drop(columns=["cue", "learn"])}, "trials: columns cue, learn missing (valid: onset,"),
        ({"outcomes": {"block": [0]}}, "outcomes: columns event, latency, probability missing"),
        ({"window": -1}, "window: must be at least 1 ms, got -1 s"),
        ({"window": float("nan")}, "window: must be at least 1 ms, got nan s"),
        ({"window": "1.1 s"}, "window: must be a number of seconds, got '1.1 s'"),
        ({"event_width": 0}, "event_width: must be at least 1 ms, got 0 s"),
        ({"cue_duration": 0}, "cue_duration: must be at least 1 ms, got 0 s"),
        ({"cue_duration": 1.4}, "trials[0].cue: the cue, 1.4 s from 0.2 s, outlasts its trial, to 1.5 s"),
        (
            {"outcomes": {**OUTCOMES, "probability": [1.5, -0.5]}},
            "outcomes[0].probability: must be between 0 and 1, got 1.5",
        ),
        ({"outcomes": {**OUTCOMES, "probability": [0.5, np.nan]}}, "outcomes[1].probability: must be a number, got"),
        ({"outcomes": {**OUTCOMES, "probability": [0.7, 0.4]}}, "the probabilities of block 0 sum to 1.1, above 1"),
        (
            {"outcomes": {**OUTCOMES, "latency": [0.3, 1.2]}},
            "outcomes[1].latency: 1.2 s lies outside the window of 1.1 s",
        ),
        ({"outcomes": {**OUTCOMES, "event": ["A", "Z"]}}, "outcomes[1].event: 'Z' is not an event (valid: A, B)"),
        ({"outcomes": {**OUTCOMES, "block": [0, 1]}}, "outcomes[1].block: no trial belongs to block 1"),
        ({"trials": table(block={2: 1})}, "outcomes: block 1 has trials with events, and no outcome"),
    ],
)
def test_parts_that_contradict_each_other(changes, message):
    with pytest.raises(ParadigmError) as caught:
        make(**changes)
    assert message in str(caught.value)


def test_every_complaint_is_given_at_once():
    with pytest.raises(ParadigmError) as caught:
        make(table(latency={2: 5.0}, cue={1: 9.0}, event={0: "C"}))
    assert [complaint.place for complaint in caught.value.complaints] == [
        "trials[1].cue",
        "trials[0].event",
        "trials[2].latency",
    ]
    assert isinstance(caught.value, IzhiresError)


@pytest.mark.parametrize(
    ("time_step", "message"),
    [
        (0, "time_step: must be a whole number of microseconds above 0, got 0 s"),
        (-0.001, "time_step: must be a whole number of microseconds above 0, got -0.001 s"),
        (1e-7, "time_step: must be a whole number of microseconds above 0, got 1e-07 s"),
        (0.007, "trials[1].onset: 1.5 s is not a multiple of the time step 0.007 s"),
    ],
)
def test_a_time_step_that_cannot_be(time_step, message):
    with pytest.raises(ParadigmError) as caught:
        make().signals(time_step)
    assert str(caught.value) == message


def test_a_text_among_response_times_is_found_before_anything_runs():
    trials = table()
    trials["response_time"] = [0.3, np.nan, "miss"]
    with pytest.raises(ParadigmError, match=r"trials\[2\].response_time: must be a number, got 'miss'"):
        make(trials)


def test_signals_that_no_memory_holds_are_refused_by_arithmetic():
    trials = table(duration={2: 1e9})
    with pytest.raises(ParadigmError) as caught:
        make(trials).signals()
    assert str(caught.value).startswith(
        "trials: 3 trials last 1,000,000,003 s (11,574.1 days) of model time: their signals alone need 72,000.0 GB"
    )
    for step in (None, "x", float("nan")):
        with pytest.raises(ParadigmError, match="time_step: must be a number of seconds"):
            make().signals(step)


def test_notes_are_no_part_of_what_is_compared():
    assert dataclasses.replace(make(), notes=("read otherwise",)) == make()


def test_expectation_is_the_sum_of_bumps():
    outcomes = {
        "block": [0, 0, 0, 1],
        "event": ["A", "A", "B", "A"],
        "latency": [0.3, 0.45, 0.6, 0.2],
        "probability": [0.2, 0.3, 0.4, 1.0],
    }
    trials = pd.concat(
        [table(), table(onset={k: 4.5 + 1.5 * k for k in range(3)}, cue={k: 4.7 + 1.5 * k for k in range(3)})]
    )
    trials["block"] = [0, 0, 0, 1, 1, 1]
    experiment = make(trials, events=("A", "B", "C"), outcomes=outcomes, event_width=0.05)
    times = np.arange(0, 1.1, 0.001)
    for block in (0, 1):
        expected = np.zeros((3, len(times)))
        for b, event, latency, p in zip(*outcomes.values(), strict=True):
            if b == block:
                for j, t in enumerate(times):
                    expected["ABC".index(event), j] += p * np.exp(-0.5 * ((t - latency) / 0.05) ** 2)
        np.testing.assert_allclose(experiment.expectation(block, times), expected, rtol=1e-13, atol=1e-15)
    # a lone event peaks at its latency with its probability
    lone = experiment.expectation(1, times)
    assert times[lone[0].argmax()] == 0.2
    assert lone[0].max() == 1.0
    assert not lone[1:].any()
    assert expectation(outcomes, ("B",), 0, times[:5], 0.05).shape == (1, 5)


def test_frequencies_count_cue_only_training_trials_and_no_inserted_ones():
    trials = pd.DataFrame(
        {
            "block": [0] * 7 + [1] * 2,
            "event": ["", "B", "A", "A", "B", "", "", "A", "A"],
            "latency": [np.nan, 0.6, 0.3, 0.4, 0.6, np.nan, np.nan, 0.3, 0.3],
            "kind": ["warm-up"] + ["train"] * 5 + ["probe"] + ["train"] * 2,
        }
    )
    expected = pd.DataFrame(
        [(0, "B", 0.6, 2 / 5), (0, "A", 0.3, 1 / 5), (0, "A", 0.4, 1 / 5), (1, "A", 0.3, 1.0)],
        columns=["block", "event", "latency", "probability"],
    )
    pd.testing.assert_frame_equal(frequencies(trials, ["B", "A"]), expected, check_dtype=False)


def test_a_warm_up_trial_is_cue_only_and_does_not_teach():
    assert KINDS == ("warm-up", "train", "probe")
    trials = table(kind={1: "warm-up"})
    experiment = Experiment.from_table(trials.drop(columns="learn"), window=1.1)
    assert experiment.trials["learn"].tolist() == [True, False, True]
    # the network hears its cue and nothing else; it is no part of the statistics
    signals = {name: values[1500:3000] for name, values in experiment.signals().items()}
    assert signals["cue"].sum() == 50
    assert not signals["learn"].any()
    assert not signals["at_event"].any()
    assert (signals["event"] == -1).all()
    assert experiment.outcomes["probability"].tolist() == [0.5, 0.5]


def test_a_table_of_ones_own():
    mine = table().drop(columns=["block", "kind", "learn"])
    mine["event"] = ["A", None, "B"]
    mine["note"] = ["x", "y", "z"]
    mine.index = [7, 8, 9]
    before = mine.copy()
    experiment = Experiment.from_table(mine, window=1.1)
    pd.testing.assert_frame_equal(mine, before)
    assert experiment.events == ("A", "B")
    assert list(experiment.trials["kind"]) == ["train"] * 3
    assert list(experiment.trials["learn"]) == [True] * 3
    assert list(experiment.trials["event"]) == ["A", "", "B"]
    assert list(experiment.trials["note"]) == ["x", "y", "z"]
    assert list(experiment.outcomes["probability"]) == [1 / 3, 1 / 3]
    experiment.trials.loc[0, "latency"] = 0.9
    pd.testing.assert_frame_equal(mine, before)
    with pytest.raises(ParadigmError, match="trials: has no trials"):
        Experiment.from_table(mine.iloc[:0], events=["A"], window=1.1)
    with pytest.raises(ParadigmError, match="events: has no events"):
        Experiment.from_table(table(event={0: "", 2: ""}, latency={0: np.nan, 2: np.nan}), window=1.1)


def test_equal_by_content():
    assert make() == make()
    assert make() != make(table(latency={0: 0.301}))
    assert make() != make(window=1.0)
    assert make() != make(outcomes={**OUTCOMES, "probability": [0.6, 0.4]})
    assert make() != "test"
    with pytest.raises(TypeError):
        hash(make())


def test_description():
    assert make().describe() == (
        "test: 2 training trials in 1 block, 1 probes, 4.5 s\n  block 0: A p = 0.50 at 300 ms, B p = 0.50 at 600 ms"
    )
    assert repr(make()) == "<Experiment test: 2 training trials in 1 block, 1 probes, 4.5 s>"


def test_a_new_paradigm_is_one_file_and_none_needs_a_simulator(tmp_path):
    (tmp_path / "single.py").write_text(
        textwrap.dedent(
            '''
            from typing import ClassVar, Literal
            from izhires.paradigms import Experiment, Paradigm

            class Single(Paradigm):
                """One event, once."""
                source: ClassVar[str] = "nobody"
                type: Literal["single"] = "single"

                def experiment(self, rng, variant=""):
                    self.check_variant(variant)
                    row = dict(onset=[0], duration=[1], cue=[0], event=["A"], latency=[0.1])
                    return Experiment.from_table(row, window=0.5, paradigm=self.type)
            '''
        )
    )
    script = """
        import sys
        import izhires.paradigms as room
        room.__path__.append(sys.argv[1])
        known = room.Paradigm.alternatives()
        assert set(known) >= {"cued_reaction", "meet", "meet_levels", "single"}, list(known)
        assert all(each.source and each.summary() for each in known.values())
        assert known["single"]().experiment(None).duration == 1
        assert known["single"]().variants() == ("",)
        assert "brian2" not in sys.modules
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def pulses(*channels):
    """An experiment with two cues that hears one pulse in each of some channels."""
    trials = table().assign(cue_name=["left", "right", "right"])
    outcomes = {
        "block": 0,
        "event": ["A", "B"],
        "latency": [0.3, 0.6],
        "probability": 1.0,
        "cue_name": ["left", "right"],
    }
    heard = {"onset": [0.1 * k for k in range(len(channels))], "channel": list(channels), "duration": 0.05}
    return Experiment.from_table(trials, ["A", "B"], outcomes, window=1.1, inputs=pd.DataFrame(heard))


@pytest.mark.parametrize(
    ("heard", "channels"),
    [
        (("tone",), ("tone",)),  # cues that only tell trials apart
        (("tone", "right"), ("left", "right", "tone")),  # cues that are heard, one of them in no trial
        (("tone", "tone", "light"), ("tone", "light")),
    ],
)
def test_the_channels_of_pulses(heard, channels):
    experiment = pulses(*heard)
    assert experiment.channels == channels
    signals = experiment.signals()
    assert [name for name in signals if name.startswith("input_")] == [f"input_{k}" for k in range(len(channels))]
    assert signals[f"input_{channels.index(heard[0])}"][:50].tolist() == [1.0] * 50


def test_no_pulse_at_all_is_said():
    with pytest.raises(ParadigmError, match="inputs: has no pulse"):
        pulses()
