import numpy as np
import pytest
import small
from scipy.stats import binom

from izhires.analysis import analyse
from izhires.errors import ConfigurationError
from izhires.paradigms import IntervalReproduction
from izhires.running.run import simulate

THREE = {"priors": {"mine": ["300 ms", "400 ms", "500 ms"]}, "window": "800 ms", "trial_duration": "1600 ms"}


def made(variant="mine", seed=0, **changes):
    task = IntervalReproduction.parse({**THREE, **changes})
    return task.experiment(np.random.default_rng(seed), variant)


def test_the_priors_are_the_published_ones():
    priors = IntervalReproduction().priors
    assert {name: (each[0], each[-1], len(each)) for name, each in priors.items()} == {
        "short": (494, 847, 11),
        "intermediate": (671, 1023, 11),
        "long": (847, 1200, 11),
    }
    # evenly spaced to the millisecond, and the same values where they overlap
    assert all(np.ptp(np.diff(each)) <= 1 for each in priors.values())
    assert priors["short"][5:] == priors["intermediate"][:6]
    assert priors["intermediate"][5:] == priors["long"][:6]


def test_ready_comes_one_interval_before_set_and_go_one_after_it():
    experiment = made()
    trials, inputs = experiment.trials, experiment.inputs
    assert (experiment.channels, experiment.events, experiment.cues) == (
        ("ready", "set"), ("go",), ("300 ms", "400 ms", "500 ms"),
    )  # fmt: skip
    sample = trials["cue_name"].str.removesuffix(" ms").astype(float).to_numpy() / 1e3
    ready, set_ = (inputs.loc[inputs["channel"] == name, "onset"].to_numpy() for name in ("ready", "set"))
    np.testing.assert_allclose(ready, trials["onset"] + 0.2)
    np.testing.assert_allclose(set_, trials["cue"])
    np.testing.assert_allclose(set_ - ready, sample)
    train = (trials["kind"] == "train").to_numpy()
    np.testing.assert_allclose(trials["latency"][train], sample[train])
    assert trials["latency"][~train].isna().all()
    assert set(trials["event"][train]) == {"go"}
    assert experiment.outcomes[["latency", "probability"]].to_numpy().tolist() == [[0.3, 1], [0.4, 1], [0.5, 1]]


def test_what_the_network_hears_are_two_pulses_a_trial():
    experiment = made(trials=2, warm_up=0, rounds=1)
    signals = experiment.signals()
    assert [name for name in signals if name.startswith("input_")] == ["input_0", "input_1"]
    for channel in (0, 1):
        heard = signals[f"input_{channel}"]
        begin = np.flatnonzero(np.diff(heard, prepend=0) > 0) / 1e3
        assert heard.sum() == 50 * len(experiment.trials)
        np.testing.assert_allclose(begin, experiment.trials["cue"] if channel else experiment.trials["onset"] + 0.2)
    np.testing.assert_allclose(np.flatnonzero(signals["at_event"]) / 1e3,
                               (experiment.trials["cue"] + experiment.trials["latency"]).dropna())  # fmt: skip


def test_each_round_of_probes_has_each_interval_once():
    trials = made(trials=6, probes=[2, 6], rounds=2, warm_up=4).trials
    done = (trials["kind"] == "train").cumsum()
    probes = trials[trials["kind"] == "probe"]
    counts = probes.groupby([done[probes.index], "cue_name"]).size()
    assert counts.xs("300 ms", level=1).to_dict() == {0: 1, 2: 1, 6: 2}
    assert counts.groupby(level=0).nunique().eq(1).all()
    assert not probes["learn"].any()
    assert trials["kind"].tolist()[:4] == ["warm-up"] * 4
    assert trials["cue_name"].tolist()[:4] == ["300 ms", "400 ms", "500 ms", "300 ms"]


def test_the_intervals_of_the_trials_are_drawn_from_the_prior():
    counts = made(trials=3000, seed=1).trials.query("kind == 'train'")["cue_name"].value_counts()
    assert counts.between(binom.ppf(1e-7, 3000, 1 / 3), binom.isf(1e-7, 3000, 1 / 3)).all()
    exact = made(trials=301, order="exact").trials.query("kind == 'train'")["cue_name"]
    assert exact.value_counts().tolist() == [101, 100, 100]
    assert not exact.eq(made(trials=301, order="exact", seed=1).trials.query("kind == 'train'")["cue_name"]).all()


def test_intervals_that_are_held_out_are_probed_and_never_taught():
    for order in ("independent", "exact"):
        trials = made(trials=30, held_out=["400 ms"], order=order).trials
        probed = trials["kind"] == "probe"
        assert set(trials["cue_name"][probed]) == {"300 ms", "400 ms", "500 ms"}
        assert set(trials["cue_name"][~probed]) == {"300 ms", "500 ms"}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"priors": {}}, "priors: needs at least one prior, got none"),
        ({"priors": {"a": []}}, "priors.a: needs at least one sample interval, got none"),
        ({"priors": {"a": ["500 ms", "400 ms"]}}, r"priors.a\[1\]: sample intervals ascend, got 400 ms after 500 ms"),
        ({"priors": {"a": ["300.5 ms"]}}, r"priors.a\[0\]: must be whole milliseconds, got 300.5 ms"),
        ({"priors": {"a": ["30 ms"]}}, r"priors.a\[0\]: 30 ms is shorter than ready itself, 50 ms"),
        ({"priors": {"a": ["900 ms"]}}, r"priors.a\[0\]: 900 ms lies outside the window of 800 ms"),
        ({"trial_duration": "1400 ms"}, r"trial_duration: 1400 ms is too short.* priors.mine\[1\] 400 ms"),
        ({"probes": [400]}, r"probes\[0\]: 400 is beyond the 300 training trials"),
        ({"rounds": 0}, "rounds"),
        ({"held_out": ["350 ms"]}, r"held_out\[0\]: 350 ms is a sample interval of no prior"),
        ({"held_out": ["300 ms", "400 ms", "500 ms"]}, "held_out: leaves no sample interval of the prior 'mine'"),
    ],
)
def test_what_cannot_be_is_said(changes, problem):
    with pytest.raises(ConfigurationError, match=problem):
        IntervalReproduction.parse({**THREE, **changes})


def test_a_prior_that_is_not_there_is_said():
    with pytest.raises(ConfigurationError, match="'short' is not a variant"):
        made("short")


@pytest.mark.slow
def test_a_recording_is_read_interval_by_interval():
    task = {
        "type": "interval_reproduction", "priors": {"mine": ["60 ms", "90 ms", "120 ms"]}, "trials": 4, "rounds": 2,
        "cue_onset": "30 ms", "window": "220 ms", "trial_duration": "400 ms", "cue_duration": "20 ms",
        "event_width": "20 ms", "warm_up": 1,
    }  # fmt: skip
    recording = simulate(small.configuration(paradigm=task), variant="mine")
    assert recording["cue_name"].values.astype(str).tolist().count("60 ms") == 3
    # at each probe the expectation is that of its own interval
    peaks = recording["time"].values[recording["expectation"].values[:, 0].argmax(axis=1)]
    assert [f"{1e3 * peak:.0f} ms" for peak in peaks] == recording["cue_name"].values.astype(str).tolist()
    assert {*recording["input_channel"].values.astype(str)} == {"ready", "set"}
    table = analyse([recording], only=["interval_reproduction"])
    assert set(table["variant"]) == {"mine"}
    assert table.loc[table["metric"] == "interval_reproduction.slope", "value"].notna().all()
