"""How what and when make a prediction, which trials teach, and what counts as confidence."""

import bench
import numpy as np
import pytest
import small

from izhires.errors import ConfigurationError
from izhires.model.model import Model
from izhires.predictions.base import Prediction
from izhires.predictions.factorised import Factorised
from izhires.predictions.joint import Joint
from izhires.predictions.merged import Merged
from izhires.rules.consolidated_three_factor import ConsolidatedThreeFactor
from izhires.running.run import draw, simulate

WHAT = np.array([[0.3, 1.4], [-0.2, 0.5]])
WHEN = np.array([[[0.5, -0.1, 2.0], [1.0, 0.0, -3.0]], [[0.5, 0.4, 0.3], [0.2, 0.8, -0.4]]])


@pytest.mark.parametrize(
    ("readout", "expected"),
    [
        (Factorised(), [[[0.15, 0, 0.6], [1, 0, 0]], [[0, 0, 0], [0.1, 0.4, 0]]]),
        (Merged(), [[[0.5, 0, 2], [1, 0, 0]], [[0.5, 0.4, 0.3], [0.2, 0.8, 0]]]),
        (Joint(), [[[0.5, 0, 2], [1, 0, 0]], [[0.5, 0.4, 0.3], [0.2, 0.8, 0]]]),
    ],
)
def test_predictions(readout, expected):
    np.testing.assert_allclose(readout.predict({"what": WHAT, "when": WHEN}), expected, rtol=1e-15)


def test_every_readout_is_tested_here():
    assert set(small.shipped(Prediction)) == {"factorised", "merged", "joint"}


@pytest.mark.parametrize("readout", ["factorised", "merged"])
def test_a_recording_holds_the_readouts_prediction(readout):
    recording = simulate(small.configuration(readout=readout), seed=0)
    what, when = recording["what"].values, recording["when"].values
    expected = np.maximum(when, 0)
    if readout == "factorised":
        expected = np.minimum(np.maximum(what, 0), 1)[..., None] * expected
    assert expected.max() > 0.1
    np.testing.assert_array_equal(recording["prediction"], expected)


@pytest.mark.parametrize("readout", ["factorised", "merged"])
def test_which_trials_teach(readout):
    """Factorised: those of the channel's event; merged: all that teach. Weights move in no other."""
    trials = [("A", 5), ("B", 9), ("", 0), ("", 0, "probe"), ("", 0, "probe"), ("B", 4)]
    found = bench.run(
        bench.model("normalised_three_factor", "event_window", readout=readout), bench.task(trials),
        weights={"when": 0.01},
    )["when"]  # fmt: skip
    for number, row in enumerate(trials):
        before = found[number * 22 - 1] if number else np.full((2, 10), 0.01)
        moved = np.any(found[number * 22 + 21] != before, axis=1)
        learns = row[2:3] != ("probe",)
        assert moved.tolist() == [learns and (readout == "merged" or row[0] == name) for name in "AB"]


def test_the_joint_readout_asks_for_a_rule_that_learns_once_a_trial():
    with pytest.raises(
        ConfigurationError, match=r"^Model.when.rule: 'force' learns at every step, the joint prediction once a"
    ):
        Model(readout="joint", when={"rule": "force"})
    assert Model(readout="joint", when={"rule": "consolidated_three_factor"}).prediction.together


def test_the_joint_readout_learns_the_joint_expectation_of_event_and_time():
    """Where each step has a state of its own, z_k(t) after n trials is their mean target: that of a histogram."""
    s = np.zeros((12 * 12 + 2, 10))
    s[np.arange(len(s)), np.minimum(np.arange(len(s)) % 12, 9)] = 1e4  # so that + 1 is nothing beside |s|^2
    rule = ConsolidatedThreeFactor(rate="1000 1/ms", fastest=1.0, slowest=1e-3, threshold=1e9)
    trials = [
        ("A", 2),
        ("A", 6),
        ("B", 7),
        ("", 0),
        ("A", 2),
        ("B", 3),
        ("B", 7),
        ("A", 2),
        ("", 0),
        ("B", 7),
        ("A", 6),
    ]
    experiment = bench.task([*trials, ("", 0, "probe")], window=10, width=2)
    found = bench.run(bench.model(rule, "open", readout="joint"), experiment, s=s)
    last = len(trials) * 12
    expected = experiment.expectation(0, np.arange(10) / 1e3)
    assert expected.max() > 0.25
    np.testing.assert_allclose(found["z"][last : last + 10].T, expected, rtol=0, atol=1e-7)


# confidence


def test_confidence_is_the_beta_posterior():
    """Counts for and against each event, of all trials so far: Beta(1 + a, 1 + b) is the exact posterior."""
    rng = np.random.default_rng(6)
    trials = [(str(event), 0) if event else ("", 0) for event in rng.choice(["A", "B", ""], 25, p=[0.6, 0.3, 0.1])]
    trials.insert(7, ("", 0, "probe"))
    found = bench.run(
        bench.model(confidence={}), bench.task(trials, window=1, duration=2), x=np.linspace(1, 9, 10) * 1e7,
        record=("confidence.q",),
    )["confidence.q"]  # fmt: skip
    grid = (np.arange(20000) + 0.5) / 20000
    for n in (1, 8, 20, 25):
        before = [row for row in trials[:n] if row[2:3] != ("probe",)]
        a, b = found[2 * n + 1, :2], found[2 * n + 1, 2:]
        for channel, name in enumerate("AB"):
            occurred = sum(row[0] == name for row in before)
            np.testing.assert_allclose([a[channel], b[channel]], [occurred, len(before) - occurred], rtol=0, atol=1e-9)
            # Bayes' rule on a grid, from a flat prior
            posterior = grid**occurred * (1 - grid) ** (len(before) - occurred)
            posterior /= posterior.sum()
            mean = (grid * posterior).sum()
            alpha, beta = 1 + a[channel], 1 + b[channel]
            total = alpha + beta
            np.testing.assert_allclose(alpha / total, mean, rtol=1e-6)
            deviation = np.sqrt(alpha * beta / total**2 / (total + 1))
            np.testing.assert_allclose(deviation, np.sqrt(((grid - mean) ** 2 * posterior).sum()), rtol=1e-5)


def test_confidence_is_read_and_changes_nothing_else():
    plain, confident = (small.configuration(), small.configuration(confidence={}))
    one, other = small.outputs(plain), small.outputs(confident)
    assert np.array_equal(small.spikes(one), small.spikes(other))
    for name in set(one) - {"spikes.t", "spikes.i"}:
        assert np.array_equal(one[name], other[name])
    assert set(other) - set(one) == {"confidence_output.q", "confidence_output.t"}
    recording = simulate(confident, seed=0)
    learned = recording["trial_learn"].values == 1
    event = recording["trial_event"].values == "A"
    count = recording["trial_count"].sel(event="A").values
    # cells differ a little from trial to trial, and so do the counts from whole numbers
    exact = np.cumsum(event & learned) - (event & learned)
    assert np.abs(count[1:] - exact[1:]).max() < 0.2 * exact.max()


# what the readouts see at test


def test_shuffled_at_test_is_a_permutation_of_the_cells():
    trials = [("A", 4), ("", 0, "probe"), ("B", 8), ("", 0, "probe")]
    configuration = bench.model("normalised_three_factor", state__shuffled_at_test=True)
    found = bench.run(configuration, bench.task(trials), record=("state.s", "state.x"))
    taught = np.repeat([row[2:3] != ("probe",) for row in trials], 22)
    s, given = found["state.s"][: len(taught)], found["s"][: len(taught)]
    assert np.array_equal(s[taught], given[taught])
    order = bench.prepared(configuration, bench.task(trials))[1]["state.other"]
    assert sorted(order) == list(range(10))
    assert not np.array_equal(order, np.arange(10))
    assert np.array_equal(s[~taught], given[~taught][:, order])
    x = found["state.x"][: len(taught)]
    assert np.array_equal(x[~taught], np.tile(np.linspace(2, 20, 10)[order], ((~taught).sum(), 1)))
    assert np.array_equal(x[taught], np.tile(np.linspace(2, 20, 10), (taught.sum(), 1)))


def test_shuffling_leaves_learning_as_it_is():
    """Without feedback, which carries what is read at test into the cells: all weights and spikes, bit for bit."""
    loose = {"when__feedback": "0 mV/ms", "when__rule": {"type": "three_factor", "rate": "2e-4 1/ms"}}
    plain, shuffled = (small.configuration(**loose, **more) for more in ({}, {"state__shuffled_at_test": True}))
    one, other = small.outputs(plain), small.outputs(shuffled)
    assert np.array_equal(small.spikes(one), small.spikes(other))
    trials = small.planned(plain)[0].trials
    for readout in ("when", "what"):
        assert np.array_equal(one[f"{readout}_snapshots.w"], other[f"{readout}_snapshots.w"])
    teaches = np.repeat(trials["kind"].to_numpy() == "train", 300)
    assert np.array_equal(
        one["when_output.z"][: len(teaches)][teaches], other["when_output.z"][: len(teaches)][teaches]
    )
    assert np.abs(one["when_output.z"] - other["when_output.z"]).max() > 0.1


def test_feedback_at_test():
    """Off, the cells run as in an open loop in trials that do not teach, and as ever in the others."""
    trials = [("A", 4), ("", 0, "probe"), ("B", 8)]
    given = {"weights": {"when": 0.1}, "record": ("when.fed_back", "state.feedback")}
    found = [
        bench.run(bench.model(when__feedback="0.5 mV/ms", when__feedback_at_test=on), bench.task(trials), **given)
        for on in (True, False)
    ]
    probe = np.repeat([False, True, False], 22)
    on, off = (each["state.feedback"][: len(probe)] for each in found)
    assert np.array_equal(on[~probe], off[~probe])
    assert on[probe].any()
    assert not off[probe].any()
    z = found[0]["z"][: len(probe)]
    elapsed = np.arange(len(probe)) % 22
    np.testing.assert_allclose(
        found[0]["when.fed_back"][: len(probe)], 0.5 * np.clip(z, 0, 1.5) * (elapsed < 20)[:, None], rtol=1e-14
    )


@pytest.mark.parametrize(("readout", "other"), [("when", "what"), ("what", "when")])
@pytest.mark.parametrize("blocks", [0, 1])
def test_learning_ends_after_the_blocks_that_are_asked_for(readout, other, blocks):
    configuration = small.configuration(**{f"{readout}__learning_blocks": blocks})
    trials = draw(configuration, 0).experiment.trials
    found = small.outputs(configuration)
    for name in (readout, other):
        moved = np.any(np.diff(found[f"{name}_snapshots.w"], axis=0) != 0, axis=1)[: len(trials)]
        allowed = trials["block"] < blocks if name == readout else True
        assert np.array_equal(moved, (trials["kind"] == "train") & allowed)
