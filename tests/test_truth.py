"""The truth of a task, against numbers by hand, enumeration of all trials, and integrals."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import beta

from izhires.analysis.observers.change_point import change_point
from izhires.errors import ParadigmError
from izhires.paradigms import Meet, expectation, truth
from izhires.paradigms.foreperiod import Foreperiod

BY_HAND = pd.DataFrame(
    [(0, "A", 0.1, 0.2), (0, "B", 0.2, 0.3), (0, "A", 0.3, 0.4), (1, "A", 0.1, 1.0)],
    columns=["block", "event", "latency", "probability"],
)
"""In block 0 nothing follows with probability 0.1."""
TIMES = np.arange(0, 0.5, 0.001)


def test_survivor_and_hazard_by_hand():
    at = [0.0, 0.1, 0.101, 0.2, 0.201, 0.3, 0.301, 0.49]
    np.testing.assert_allclose(truth.survivor(BY_HAND, 0, at), [1, 1, 0.8, 0.8, 0.5, 0.5, 0.1, 0.1])
    found = truth.hazard(BY_HAND, ["A", "B", "C"], 0, at)
    np.testing.assert_allclose(found[0], [0, 0.2, 0, 0, 0, 0.8, 0, 0])
    np.testing.assert_allclose(found[1], [0, 0, 0, 0.375, 0, 0, 0, 0])
    assert not found[2].any()
    # what must come, comes; and then nothing is left
    assert truth.hazard(BY_HAND, ["A"], 1, [0.1, 0.2]).tolist() == [[1, 0]]
    assert truth.survivor(BY_HAND, 1, [0.1, 0.2]).tolist() == [1, 0]


def test_hazards_multiply_to_the_survivor_and_give_the_probabilities_back():
    rng = np.random.default_rng(0)
    chance = rng.dirichlet(np.ones(31))[:30]  # the rest is nothing
    table = pd.DataFrame({"block": 0, "event": rng.choice(["A", "B"], 30), "probability": chance,
                          "latency": rng.permutation(np.arange(30, 330))[:30] / 1e3})  # fmt: skip
    whole = truth.hazard(table, ["A", "B"], 0, TIMES).sum(0)
    left = np.cumprod(1 - whole)
    np.testing.assert_allclose(truth.survivor(table, 0, TIMES)[1:], left[:-1])
    assert left[-1] == pytest.approx(1 - chance.sum())
    for row in table.itertuples():
        here = np.abs(TIMES - row.latency) < 5e-4
        assert (whole * truth.survivor(table, 0, TIMES))[here] == pytest.approx(row.probability)


def test_the_survivor_conditioned_expectation_by_hand_and_against_drawn_trials():
    bump = lambda t, late: np.exp(-((t - late) ** 2) / (2 * 0.04**2))  # noqa: E731
    found = truth.survivor_expectation(BY_HAND, ["A", "B"], 0, [0.05, 0.15, 0.3], 0.04)
    assert found[0, 0] == pytest.approx(0.2 * bump(0.05, 0.1) + 0.4 * bump(0.05, 0.3))
    assert found[0, 1] == pytest.approx(0.2 * bump(0.15, 0.1) + 0.4 / 0.8 * bump(0.15, 0.3))
    assert found[0, 2] == pytest.approx(0.2 * bump(0.3, 0.1) + 0.4 / 0.5)
    assert found[1, 1] == pytest.approx(0.3 / 0.8 * bump(0.15, 0.2))
    assert found[1, 2] == pytest.approx(0.3 / 0.8 * bump(0.3, 0.2))
    # before the first latency nobody knows more than the probabilities; a certain event is certain
    early = TIMES <= 0.1
    everything = truth.survivor_expectation(BY_HAND, ["A", "B"], 0, TIMES, 0.04)
    np.testing.assert_allclose(everything[:, early], expectation(BY_HAND, ["A", "B"], 0, TIMES, 0.04)[:, early])
    np.testing.assert_allclose(truth.survivor_expectation(BY_HAND, ["A"], 1, TIMES, 0.04)[0], bump(TIMES, 0.1))
    # ten trials as the table has them; those without an event before t: the mean of the bumps still to come, to which
    # the bump of what could have come at 0.1 s is added
    ten, at = np.repeat([0.1, 0.2, 0.3, np.inf], [2, 3, 4, 1]), 0.25
    mean = np.where(ten == 0.3, bump(at, 0.3), 0)[ten >= at].mean()
    found = truth.survivor_expectation(BY_HAND, ["A"], 0, [at], 0.04)[0, 0]
    assert found == pytest.approx(mean + 0.2 * bump(at, 0.1))


@pytest.mark.parametrize("blur", [{}, {"fraction": 0.0, "deviation": 0.05}, {"fraction": 0.1, "deviation": 0.02}])
def test_blurred_forms_against_integrals(blur):
    def density(t):
        return truth.blurred_probability(BY_HAND, ["A", "B"], 0, [t], **blur)[:, 0].sum()

    assert quad(density, -1, 2, limit=200, points=[0.1, 0.2, 0.3])[0] == pytest.approx(0.9, abs=1e-6)
    for t in (0.05, 0.17, 0.31):
        left = 1 - quad(density, -1, t, limit=200)[0]
        found = truth.blurred_hazard(BY_HAND, ["A", "B"], 0, [t], **blur)
        wanted = truth.blurred_probability(BY_HAND, ["A", "B"], 0, [t], **blur) / left
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_a_fixed_blur_as_wide_as_the_bump_is_the_expectation():
    found = truth.blurred_probability(BY_HAND, ["A", "B"], 0, TIMES, fraction=0, deviation=0.04)
    wanted = expectation(BY_HAND, ["A", "B"], 0, TIMES, 0.04)
    np.testing.assert_allclose(found * np.sqrt(2 * np.pi) * 0.04, wanted)


def test_a_blurred_hazard_stays_finite_and_a_latency_needs_a_blur():
    late = truth.blurred_hazard(BY_HAND, ["A"], 1, [0.1, 1, 10, 1000], fraction=0, deviation=0.001)
    assert np.isfinite(late).all()
    assert late[0, -1] == 0
    with pytest.raises(ValueError, match="fraction or deviation must be above 0"):
        truth.blurred_probability(BY_HAND, ["A"], 0, TIMES, fraction=0)


def test_an_exponential_has_a_flat_hazard_until_its_cut_and_a_uniform_one_a_rising():
    paradigm = Foreperiod(blocks=[{"distribution": {"kind": "exponential", "mean": "100 ms", "longest": "1 s"}}, {}])
    made = [paradigm.experiment(np.random.default_rng(0), name) for name in paradigm.variants()]
    flat, rising = (each.hazard(0, each.outcomes["latency"])[0] for each in made)
    # geometric: 1 - exp(-20/100), as far as what the cut takes, exp(-7), does not show
    np.testing.assert_allclose(flat[:15], 1 - np.exp(-0.2), rtol=0.02)
    np.testing.assert_allclose(rising, 1 / np.arange(31, 0, -1))


def test_shannon_surprise_by_hand():
    trials = pd.DataFrame(
        [(0, "A", 0.1, "train"), (0, "", np.nan, "train"), (0, "", np.nan, "probe"), (0, "A", 0.3, "train"),
         (1, "A", 0.1, "train"), (1, "B", 0.1, "train")], columns=["block", "event", "latency", "kind"],
    )  # fmt: skip
    found = truth.shannon_surprise(BY_HAND, trials)
    # a probe is not part of the task, and in block 1 there is no B
    np.testing.assert_allclose(found, [*-np.log([0.2, 0.1, np.nan, 0.4, 1]), np.inf])


def test_bayesian_surprise_is_the_divergence_of_the_beliefs():
    two = BY_HAND[:2].assign(probability=[0.2, 0.8])
    happened = ["A", "A", "B", "A"]
    trials = pd.DataFrame({"block": 0, "kind": "train", "event": happened,
                           "latency": [{"A": 0.1, "B": 0.2}[each] for each in happened]})  # fmt: skip
    found = truth.bayesian_surprise(two, trials)
    counts = np.ones(2)
    for value, event in zip(found, happened, strict=True):
        before = beta(*counts)
        counts["AB".index(event)] += 1
        after = beta(*counts)
        divergence = quad(lambda x: after.pdf(x) * (after.logpdf(x) - before.logpdf(x)), 1e-12, 1 - 1e-12)[0]  # noqa: B023
        assert value == pytest.approx(divergence, abs=1e-6)
    np.testing.assert_allclose(truth.bayesian_surprise(two, trials, prior=1e6), 0, atol=1e-5)


def test_the_observer_that_counts_is_the_one_that_is_told_of_switches():
    outcome = np.random.default_rng(2).integers(0, 2, 40)
    block = np.repeat([0, 1], 20)
    trials = pd.DataFrame({"block": block, "kind": "train", "event": np.array(["A", "B"])[outcome],
                           "latency": np.array([0.1, 0.2])[outcome]})  # fmt: skip
    table = pd.concat([BY_HAND[:2].assign(probability=0.5, block=k) for k in (0, 1)])
    mean, variance = change_point(outcome, np.ones(2), np.append(0.0, np.diff(block) != 0))
    p, v = (each[np.arange(40), outcome] for each in (mean, variance))
    total = p * (1 - p) / v - 1  # of the Beta with this mean and variance
    from scipy.special import digamma

    wanted = -np.log(p) + digamma(p * total + 1) - digamma(total + 1)
    np.testing.assert_allclose(truth.bayesian_surprise(table, trials), wanted)


def test_an_experiment_tells_its_truth_for_each_cue():
    cues = {"one": {"latency": {"A": "300 ms"}, "probability": {"A": 0.5}, "omission": 0.5},
            "two": {"latency": {"A": "300 ms", "B": "600 ms"}, "probability": {"A": 0.25, "B": 0.75}}}  # fmt: skip
    made = Meet(blocks=[{"trials": 40, "cues": cues}]).experiment(np.random.default_rng(0))
    at = [0.3, 0.6, 0.7]
    np.testing.assert_allclose(made.survivor(0, at, "one"), [1, 0.5, 0.5])
    np.testing.assert_allclose(made.survivor(0, at, "two"), [1, 0.75, 0])
    np.testing.assert_allclose(made.hazard(0, at, "two"), [[0.25, 0, 0], [0, 1, 0]])
    np.testing.assert_allclose(
        made.survivor_expectation(0, [0.6], "two"), [[0.25 * np.exp(-(0.3**2) / (2 * 0.04**2))], [1]]
    )
    assert made.blurred_probability(0, at, "one").shape == made.blurred_hazard(0, at, "one").shape == (2, 3)
    surprise, trials = made.shannon_surprise(), made.trials
    for (cue, event), wanted in {("one", ""): 0.5, ("one", "A"): 0.5, ("two", "A"): 0.25, ("two", "B"): 0.75}.items():
        mine = (trials["kind"] == "train") & (trials["cue_name"] == cue) & (trials["event"] == event)
        assert mine.any()
        np.testing.assert_allclose(surprise[mine], -np.log(wanted))
    assert np.isnan(surprise[trials["kind"] != "train"]).all()
    # the first trial of each cue: Laplace's rule over two outcomes
    belief = made.bayesian_surprise()
    for cue in cues:
        first = np.flatnonzero((trials["kind"] == "train") & (trials["cue_name"] == cue))[0]
        assert belief[first] == pytest.approx(np.log(2) + 1 - 0.5 - 1)  # psi(2) - psi(3) = -1/2
    with pytest.raises(ParadigmError, match=r"cue: 'three' is not a cue \(valid: one, two\)"):
        made.hazard(0, at, "three")
    with pytest.raises(ParadigmError, match="cue: '' is not a cue"):
        made.survivor(0, at)
    with pytest.raises(ParadigmError, match="block: 4 is none; blocks are 0 to 0"):
        made.hazard(4, at, "one")
