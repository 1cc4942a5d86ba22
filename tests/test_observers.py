"""Observers against enumeration, closed forms and an independent solution; network beside observers on known trials."""

import dataclasses
import itertools
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.special import betaln, gammaln
from synthetic import MEET, Block, experiment, recording, study
from test_cued_reaction import data_set, needs_data, runs

from izhires.analysis import all_figures, analyse, notes
from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics.base import ALL_EVENTS
from izhires.analysis.metrics.prediction import ridge_readout
from izhires.analysis.observers import ObservedTask, all_observers, observe
from izhires.analysis.observers.change_point import CONCENTRATIONS, HAZARD, change_point, expected_times
from izhires.analysis.observers.hgf import COUPLING, TONIC_VOLATILITY, _filtered, binary_filter
from izhires.analysis.observers.ridge import EVERY, ridge
from izhires.errors import ConfigurationError
from izhires.paradigms.cued_reaction import CuedReaction

TABLE = [name for name, each in all_observers().items() if not name.startswith("ridge")]
"""Observers that need nothing but the trials."""


def task(events, latencies, blocks=None, learn=None, names=("A", "B"), window=0.2, states=None):
    """Return a task of trials written down one by one."""
    count = len(events)
    trials = pd.DataFrame({"block": blocks or [0] * count, "event": events, "latency": latencies})
    trials["learn"] = True if learn is None else learn
    return ObservedTask(trials, names, window, 0.01, states)


def enumerated(outcomes, prior, hazard):
    """Return mean and variance before each trial from all ways in which changes may have happened, one by one."""

    def evidence(counts):
        a = prior + counts
        return gammaln(prior.sum()) - gammaln(a.sum()) + (gammaln(a) - gammaln(prior)).sum()

    mean, variance = [], []
    for trial in range(len(outcomes)):
        weights, first, second = [], [], []
        for changed in itertools.product((0, 1), repeat=trial):
            log, counts = 0.0, np.zeros(len(prior))
            with np.errstate(divide="ignore"):
                for at in range(trial + 1):
                    if at and changed[at - 1]:
                        log += evidence(counts) + np.log(hazard[at])
                        counts = np.zeros(len(prior))
                    elif at:
                        log += np.log(1 - hazard[at])
                    if at < trial and outcomes[at] >= 0:
                        counts[outcomes[at]] += 1
            weights.append(np.exp(log + evidence(counts)))
            a, total = prior + counts, (prior + counts).sum()
            first.append(a / total)
            second.append(a * (a + 1) / (total * (total + 1)))
        weights = np.array(weights) / np.sum(weights)
        mean.append(weights @ np.array(first))
        variance.append(weights @ np.array(second) - mean[-1] ** 2)
    return np.array(mean), np.array(variance)


@pytest.mark.parametrize(
    "size, hazards", [(2, 0.01), (2, 0.3), (3, 0.1), (4, 0.5), (2, 0.0), (3, "told"), (3, "mixed")]
)
def test_the_recursion_is_the_sum_over_all_configurations_of_changes(size, hazards):
    rng = np.random.default_rng(size)
    outcomes = rng.integers(-1, size, 10)
    prior = rng.uniform(0.1, 2, size)
    if hazards == "told":
        hazard = np.array([0, 0, 0, 1, 0, 0, 0, 0, 1, 0.0])
    elif hazards == "mixed":
        hazard = rng.uniform(0, 1, 10)
        hazard[[0, 4, 7]] = 0, 0, 1
    else:
        hazard = np.full(10, hazards)
        hazard[0] = 0
    for found, exact in zip(change_point(outcomes, prior, hazard), enumerated(outcomes, prior, hazard), strict=True):
        np.testing.assert_allclose(found, exact, rtol=1e-9, atol=1e-12)


def test_two_outcomes_without_change_are_a_counting_beta():
    outcomes = np.array([0, 0, 1, 0, 1, 1, 1])
    mean, variance = change_point(outcomes, np.ones(2), np.zeros(7))
    a = 1 + np.append(0, np.cumsum(outcomes == 0))[:7]
    b = 1 + np.append(0, np.cumsum(outcomes == 1))[:7]
    np.testing.assert_allclose(mean[:, 0], np.exp(betaln(a + 1, b) - betaln(a, b)))
    np.testing.assert_allclose(variance[:, 0], a * b / ((a + b) ** 2 * (a + b + 1)))


def test_told_observer_counts_anew_in_each_block_and_learns_nothing_from_probes():
    one = task(
        ["A", "A", "", "B", "A", "", "B"], [0.1, 0.1, np.nan, 0.15, 0.05, np.nan, 0.1],
        blocks=[0, 0, 0, 0, 1, 1, 1], learn=[True, True, False, True, True, False, True],
    )  # fmt: skip
    found = observe("bayes_told", one)
    np.testing.assert_allclose(found.probability[:, 0], [1 / 2, 2 / 3, 3 / 4, 3 / 4, 1 / 2, 2 / 3, 2 / 3])
    np.testing.assert_allclose(found.probability.sum(1), 1)
    np.testing.assert_array_equal(found.latency[:, 0], [np.nan, 0.1, 0.1, 0.1, np.nan, 0.05, 0.05])
    np.testing.assert_array_equal(found.latency[:, 1], [np.nan] * 7)
    # a Beta(3, 1) before the third row
    np.testing.assert_allclose(found.deviation[2], np.sqrt(3 / (16 * 5)))


def test_a_task_with_cue_only_trials_has_one_outcome_more():
    found = observe("bayes", task(["A", "", "B"], [0.1, np.nan, 0.1]))
    np.testing.assert_allclose(found.probability[0], [1 / 3, 1 / 3])
    p = (1 - HAZARD) * np.array([2 / 4, 1 / 4]) + HAZARD / 3
    np.testing.assert_allclose(found.probability[1], p)


def test_course_of_a_latency_seen_n_times():
    one = task(["A"] * 4, [0.1] * 4, names=("A",))
    found = observe("bayes_told", one)
    every = one.bump(one.times)
    for n in range(4):
        courses, evidence = [], []
        for c in CONCENTRATIONS:
            courses.append((n * one.bump(0.1) + c * every.mean(0)) / (n + c))
            evidence.append(np.prod([(i + c / 200) / (i + c) for i in range(n)]))
        # the one event there is: p = 1
        np.testing.assert_allclose(found.course[n, 0], np.average(courses, axis=0, weights=evidence))


@pytest.mark.parametrize("told", [True, False])
def test_latencies_that_never_occur_may_be_taken_together(told):
    events = ["A", "B", "A", "A", "A", "B", "A", "A"]
    latencies = [0.003, 0.001, 0.003, 0.007, 0.007, 0.001, 0.003, 0.003]
    one = task(events, latencies, blocks=[0, 0, 0, 1, 1, 1, 1, 2], window=0.02)
    latency, unit = expected_times(one, told)
    hazard = np.append(0, [0, 0, 1, 0, 0, 0, 1]) if told else np.append(0, np.full(7, HAZARD))
    for k, event in enumerate("AB"):
        seen = [round(late / 0.001) if each == event else -1 for each, late in zip(events, latencies, strict=True)]
        models = [change_point(np.array(seen), np.full(20, c / 20), hazard)[0] for c in CONCENTRATIONS]
        chance = np.zeros((8, 20))
        for row in range(8):
            evidence = [np.prod([each[i, seen[i]] for i in range(row) if seen[i] >= 0]) for each in models]
            chance[row] = np.average([each[row] for each in models], axis=0, weights=evidence)
        np.testing.assert_allclose(unit[:, k], chance @ one.bump(one.times), rtol=1e-12)
        likely = np.where(np.ptp(chance, axis=1) > 1e-12, chance.argmax(1) / 1000, np.nan)
        np.testing.assert_allclose(latency[:, k], likely)


def test_a_coarser_readout_step_reads_the_same_curve():
    fine = task(["A", "B", "A"], [0.053, 0.1, 0.053])
    coarse = dataclasses.replace(fine, time_step=0.002)
    for name in ("zero", "bayes", "bayes_told"):
        one, other = observe(name, fine), observe(name, coarse)
        np.testing.assert_allclose(other.course, one.course[..., ::2])
        np.testing.assert_array_equal(other.latency, one.latency)


def test_the_observer_that_is_not_told_believes_a_new_time_at_the_second_sighting():
    found = observe("bayes", task(["A"] * 33, [0.05] * 30 + [0.15] * 3, names=("A",)))
    np.testing.assert_allclose(found.latency[:, 0], [np.nan, *[0.05] * 30, found.latency[31, 0], 0.15])


@pytest.mark.parametrize("name", TABLE)
def test_no_observer_looks_ahead(name):
    if name == "hgf":
        pytest.importorskip("pyhgf")
    whole = ObservedTask.of_experiment(experiment())
    early = ObservedTask(whole.trials.iloc[:250], whole.events, whole.window, whole.event_width)
    one, other = observe(name, whole), observe(name, early)
    for part in ("course", "probability", "deviation", "latency"):
        np.testing.assert_allclose(getattr(one, part)[:250], getattr(other, part), atol=1e-6)


def test_filter_with_uncoupled_volatility_is_the_two_level_recursion():
    pytest.importorskip("pyhgf")
    happened = np.random.default_rng(0).random(60) < np.repeat([0.8, 0.2], 30)
    mean, precision, expected = 0.0, 1.0, []
    for u in [*happened, 0]:
        before = 1 / (1 / precision + np.exp(-2.0))
        p = 1 / (1 + np.exp(-mean))
        expected.append(p)
        precision = before + p * (1 - p)
        mean += (u - p) / precision
    np.testing.assert_allclose(binary_filter(happened, tonic=(-2.0, -6.0), coupling=0.0), expected, atol=1e-5)


def volatile_filter(happened, tonic, coupling):
    """The three-level eHGF (Weber et al., doi 10.7554/elife.110174.1): the mean of level 3 before its precision."""
    mean, precision, above, sure, expected = 0.0, 1.0, 0.0, 1.0, []
    for u in [*happened, 0]:
        walk = np.exp(coupling * above + tonic[0])
        before, sure_before = 1 / (1 / precision + walk), 1 / (1 / sure + np.exp(tonic[1]))
        p = 1 / (1 + np.exp(-mean))
        expected.append(p)
        precision = before + p * (1 - p)
        change = (u - p) / precision
        mean += change
        surprise = (1 / precision + change**2) * before - 1
        weight = coupling * walk * before
        above += weight * surprise / (2 * sure_before)
        sure = sure_before + max(0, weight**2 / 2 + weight**2 * surprise - coupling**2 * walk * before * surprise / 2)
    return np.array(expected)


def test_filter_is_the_one_written_by_hand():
    """With the package's parameters: pyhgf 0.2, whose level 3 is a little less sure, to 8e-5, 0.3 to 4e-6."""
    pytest.importorskip("pyhgf")
    for seed in range(3):
        happened = np.random.default_rng(seed).random(60) < np.repeat([0.8, 0.2], 30)
        expected = volatile_filter(happened, TONIC_VOLATILITY, COUPLING)
        assert np.abs(expected - volatile_filter(happened, TONIC_VOLATILITY, 0.0)).max() > 20e-4
        np.testing.assert_allclose(binary_filter(happened), expected, atol=1e-4)


def test_filter_follows_what_happens_and_learns_nothing_from_probes():
    pytest.importorskip("pyhgf")
    one = ObservedTask.of_recording(recording())
    p, happened = observe("hgf", one).probability, (one.trials["event"] == "A").to_numpy()
    assert (p > 0).all() and (p < 1).all()
    for start in (50, 150, 250, 350):  # the second half of each block, when it has followed the switch
        rows = np.flatnonzero(one.learned)[start : start + 50]
        assert abs(p[rows, 0].mean() - happened[rows].mean()) < 0.1
    probes = np.flatnonzero(~one.learned)
    np.testing.assert_array_equal(p[probes[:-1]], p[probes[:-1] + 1])
    likelihood = np.where(happened, p[:, 0], 1 - p[:, 0])[one.learned]
    assert np.log(likelihood).mean() > np.log(0.5) + 0.03


def test_without_pyhgf_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyhgf.model", None)  # what a failed import leaves
    _filtered.cache_clear()
    with pytest.raises(Unavailable, match=r"needs the package pyhgf: pip install 'izhires\[observers\]'"):
        observe("hgf", task(["A"], [0.1]))
    table = analyse([recording(states=False)], only=["observer_probability"])
    assert any("observer_probability.hgf: needs the package pyhgf" in line for line in notes(table))
    assert np.isfinite(table.loc[table["metric"] == "observer_probability.bayes", "value"]).all()


def test_ridge_is_the_dual_solution_on_the_trials_seen():
    rng = np.random.default_rng(0)
    events, latencies = ["A", "", "B", "A", "", "", "B", ""], [0.05, np.nan, 0.1, 0.05, np.nan, np.nan, 0.15, np.nan]
    learn = [event != "" for event in events]
    learn[5] = True  # a cue-only trial that is part of the task
    grid = np.arange(0, 0.2, EVERY)
    states = xr.DataArray(
        rng.standard_normal((8, len(grid), 15)), dims=("trial", "time", "neuron"), coords={"time": grid}
    )
    one = task(events, latencies, blocks=[0, 0, 0, 0, 0, 1, 1, 1], learn=learn, states=lambda every: states)
    for told in (False, True):
        found = ridge(one, told, penalty=0.5)
        for trial in (1, 4, 7):
            seen = [row for row in range(trial) if learn[row] and (not told or row >= 5 or trial < 5)]
            targets = np.zeros((len(seen), len(grid), 2))
            for k, row in enumerate(seen):
                if events[row]:
                    targets[k, :, "AB".index(events[row])] = np.exp(-((grid - latencies[row]) ** 2) / (2 * 0.01**2))
            fitted = states.values[seen].reshape(-1, 15)
            read = ridge_readout(fitted, targets.reshape(-1, 2), states.values[trial], penalty=0.5)
            np.testing.assert_allclose(found.course[trial][:, ::10], read.T, atol=1e-9)
        assert np.isnan(found.course[[0, 2, 3, 5, 6]]).all()
    with pytest.raises(Unavailable, match="needs the states of a network"):
        observe("ridge", task(["A"], [0.1]))


def test_an_unknown_observer_is_refused_with_the_choices():
    with pytest.raises(ConfigurationError, match=r"'bayse' is not an observer.*bayes"):
        observe("bayse", task(["A"], [0.1]))


def values(table, name, block=0, event=ALL_EVENTS):
    rows = table[(table["metric"] == name) & (table["block"] == block) & (table["event"] == event)]
    return rows["value"].to_numpy()


def test_metrics_of_a_network_whose_answers_are_known():
    given = recording()
    blocks, events = given["trial_block"].values, ("A", "B")
    # a network that is always right about A, and .1 too high about B
    p = np.array([[MEET[block].probability[event] for event in events] for block in blocks])
    given["trial_what"] = (("trial", "event"), p + np.array([0, 0.1]))
    table = analyse([given], only=["observer_error", "observer_probability", "error", "error_zero_output"])
    for block in range(4):
        assert values(table, "observer_probability.network", block, "A") == pytest.approx(0)
        assert values(table, "observer_probability.network", block, "B") == pytest.approx(0.1)
        assert values(table, "observer_probability.network", block) == pytest.approx(0.05)
        assert values(table, "observer_probability.zero", block) == pytest.approx(0.5)
        assert values(table, "observer_probability.network_minus_zero", block) == pytest.approx(-0.45)
        for event in (ALL_EVENTS, *events):
            zero = values(table, "error_zero_output", block, event)
            assert values(table, "observer_error.zero", block, event) == pytest.approx(zero)
            assert values(table, "observer_error.zero_last", block, event) == pytest.approx(zero)
            last = values(table, "error.last", block, event)
            assert values(table, "observer_error.network_last", block, event) == pytest.approx(last)
            for name in ("bayes", "bayes_told", "zero"):
                parts = [values(table, f"observer_error.{each}", block, event) for each in
                         (f"network_minus_{name}", "network", name)]  # fmt: skip
                assert parts[0] == pytest.approx(parts[1] - parts[2])
    assert any(line.startswith("observer_error.ridge") and "needs the configuration" in line for line in notes(table))


def test_told_observer_comes_close_to_the_truth_and_its_error_is_that_of_counting():
    made = experiment([Block({"A": 0.3, "B": 0.6}, {"A": 0.7, "B": 0.3}, trials=400)], schedule=(400,))
    given = recording(made, states=False)
    table = analyse([given], only=["observer_error", "observer_probability"])
    happened = (made.trials["event"] == "A")[made.trials["kind"] == "train"].to_numpy()
    before = (1 + np.append(0, np.cumsum(happened))[:-1]) / (2 + np.arange(400))
    assert values(table, "observer_probability.bayes_told") == pytest.approx(np.abs(before - 0.7).mean())
    off = (1 + happened.sum()) / 402 - 0.7
    # the mean square of a bump is sqrt(pi) width/window; the prior on the latency takes a little of it
    expected = abs(off) * np.sqrt(np.sqrt(np.pi) * 0.04 / 1.1)
    assert values(table, "observer_error.bayes_told_last") == pytest.approx(expected, abs=2e-4)


def test_figure_shows_network_and_observers_of_all_seeds():
    recordings = study(seeds=3)
    for each in recordings:
        each["trial_what"] = each["trial_what"] + 0.25
    figure = all_figures()["observers"]
    prepared = figure.prepare(recordings)
    guesses, truth = prepared["probability"], prepared["truth"]
    network = guesses[guesses["who"] == "network"]
    assert (network["mean"] == 0.25).all() and (network["seeds"] == 3).all() and len(network) == 2 * 400
    assert {"bayes", "bayes_told"} <= set(guesses["who"]) and "zero" not in set(guesses["who"])
    assert list(truth.loc[truth["event"] == "A", "probability"]) == [0.7, 0.7, 0.2, 0.8]
    assert list(truth["first"].unique()) == [1, 101, 201, 301]
    assert list(truth["new"].unique()) == ["", "timing", "probability", "timing and probability"]
    drawn = figure.draw(prepared)
    labels = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert labels[0] == "network" and "Bayes, not told" in labels and "true probability" in labels
    assert len(labels) == len(set(labels))


@needs_data
def test_observers_live_through_a_participants_own_trials():
    paradigm = CuedReaction(events_files=runs(data_set() / "sub-AB4"), cue="cue", events=("go", "no-go"))
    one = ObservedTask.of_experiment(paradigm.experiment(np.random.default_rng(0)))
    learned, found = one.learned, observe("bayes_told", one)
    assert learned.sum() == 120
    go = (one.trials["event"] == "go").to_numpy()[learned]
    count = np.append(0, np.cumsum(go))[:-1]
    np.testing.assert_allclose(found.probability[learned, 0], (1 + count) / (3 + np.arange(120)))
    assert np.isfinite(observe("bayes", one).course).all()
