import numpy as np
import pytest
from synthetic import MEET, SCHEDULE, Block, experiment, recording

from izhires.analysis import analyse
from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics.adaptation import (
    amplitudes,
    change_point,
    effective_rate,
    exponential_fit,
    overshoot,
)
from izhires.analysis.metrics.base import ALL_EVENTS
from izhires.analysis.metrics.calibration import event_amplitude

TRIALS = np.array([0.0, *SCHEDULE])


@pytest.mark.parametrize("tau", [1.5, 8.0, 40.0])
def test_an_exponential_is_found_again_with_and_without_noise(tau):
    errors = 0.02 + 0.3 * np.exp(-TRIALS / tau)
    assert exponential_fit(TRIALS, errors) == pytest.approx((0.02, 0.3, tau), rel=1e-4)
    assert exponential_fit(3 * TRIALS, 5 * errors)[2] == pytest.approx(3 * tau, rel=1e-4)
    noisy = errors + 0.005 * np.random.default_rng(0).normal(size=len(errors))
    assert exponential_fit(TRIALS, noisy)[2] == pytest.approx(tau, rel=0.15)


def test_courses_that_do_not_fall_have_no_time_constant():
    for errors in (0.3 - 0.2 * np.exp(-TRIALS / 8), 0.3 - 1e-3 * TRIALS):  # rising, and falling without end
        with pytest.raises(Unavailable, match="an exponential"):
            exponential_fit(TRIALS, errors)
    with pytest.raises(Unavailable, match="four or more probes"):
        exponential_fit(TRIALS[:3], TRIALS[:3])


def test_the_change_point_is_where_two_levels_meet():
    for first in (3, 20, 40):
        errors = np.where(np.arange(len(TRIALS)) < first, 0.4, 0.1)
        trial, explained = change_point(TRIALS, errors)
        assert trial == TRIALS[first] and explained == pytest.approx(1)
        noisy = errors + 0.05 * np.random.default_rng(0).normal(size=len(errors))
        assert change_point(TRIALS, noisy)[0] == TRIALS[first]
        assert change_point(TRIALS, 7 - 3 * noisy)[0] == TRIALS[first]  # neither scale nor sense nor offset matter
    with pytest.raises(Unavailable, match="does not change"):
        change_point(TRIALS, np.ones(len(TRIALS)))


def test_overshoot_of_a_damped_swing_and_none_of_an_exponential():
    n = TRIALS[1:]
    swing = 0.8 - 0.6 * np.exp(-n / 6) * np.cos(np.pi * n / 6)  # largest at the trial where it swings over
    beyond, settled = overshoot(0.2, n, swing)
    assert beyond == pytest.approx((swing.max() - 0.8) / 0.6, abs=1e-3) and settled < 1e-3
    assert overshoot(-0.2, n, -swing + 0.0)[0] == pytest.approx(beyond)
    assert overshoot(0.2, n, 0.8 - 0.6 * np.exp(-n / 6))[0] < 1e-3
    with pytest.raises(Unavailable, match="changes by less"):
        overshoot(0.75, n, swing)
    with pytest.raises(Unavailable, match="no new level"):
        overshoot(0.2, n[:30], swing[:30])


def test_amplitudes_over_a_switch_are_those_of_calibration():
    made = recording(tau=3)
    before, trials, after = amplitudes(made, 2, "A")
    assert before == pytest.approx(0.7, abs=1e-3) and after[-1] == pytest.approx(event_amplitude(made, 2, "A"))
    assert after == pytest.approx(0.2 + 0.5 * np.exp(-trials / 3), abs=1e-3)


def test_metric_of_exponential_recordings():
    table = analyse([recording(seed=s, tau=t) for s, t in enumerate((4, 5, 7))], only=["adaptation"]).set_index(
        ["metric", "block", "event"]
    )
    for block in (1, 2, 3):
        own = table.loc[("adaptation.tau", block, ALL_EVENTS)].set_index("seed")["value"]
        assert own.to_numpy(float) == pytest.approx([4, 5, 7], rel=1e-3)
        pooled = [float(table.loc[(f"adaptation.tau_pooled{end}", block, ALL_EVENTS), "value"])
                  for end in ("_low", "", "_high")]  # fmt: skip
        assert own.min() - 0.1 <= pooled[0] < pooled[1] < pooled[2] <= own.max() + 0.1
    assert (table.loc["adaptation.tau_explained"]["value"] > 0.95).all()
    assert (table.loc["adaptation.overshoot"]["value"].dropna() < 0.02).all()


def test_what_cannot_be_fitted_is_said():
    table = analyse([recording(experiment(MEET[:1]))], only=["adaptation"])
    assert list(table["note"]) == ["needs a switch; the recordings have one block each"]
    alone = analyse([recording()], only=["adaptation"])
    assert alone.loc[alone["metric"] == "adaptation.tau_pooled", "value"].notna().all()
    assert alone.loc[alone["metric"] == "adaptation.tau_pooled_low", "note"].str.contains("two or more seeds").all()
    same = analyse([recording(experiment((MEET[0], MEET[0])), tau=1)], only=["adaptation"])
    assert same.loc[same["metric"] == "adaptation.overshoot", "note"].str.contains("less than 0.1").all()
    different = [recording(), recording(experiment(seed=1, schedule=(1, 2, 10, 60, 100)), seed=1)]
    table = analyse(different, only=["adaptation"])
    assert table["note"].str.contains("probes after different trials").sum() == 3


def follow(outcomes, rate):
    p = [np.array([0.5, 0.5])]
    for each, alpha in zip(outcomes, rate, strict=True):
        p.append(p[-1] + alpha * ((each == np.arange(2)) - p[-1]))
    return np.array(p)


def test_the_rate_of_a_delta_rule_is_found_again():
    outcomes = np.random.default_rng(0).integers(0, 3, 60)  # 2: neither event
    for rate in (0.01, 0.3, 1.0):
        assert effective_rate(follow(outcomes, [rate] * 60), outcomes) == pytest.approx(rate)
    assert np.isnan(effective_rate(np.ones((3, 1)), np.zeros(2, int)))


def test_learning_rates_of_a_network_that_is_fast_then_slow_beside_the_exact_observer():
    made = recording(experiment([Block({"A": 0.3, "B": 0.6}, {"A": 0.7, "B": 0.3})] * 2))
    learn = made["trial_learn"].values.astype(bool)
    outcomes = np.array([{"A": 0, "B": 1}[name] for name in made["trial_event"].values[learn]])
    rate = np.tile(np.r_[np.full(50, 0.2), np.full(50, 0.02)], 2)
    path = follow(outcomes, rate)
    before = np.cumsum(learn) - learn  # training trials done before each row of the table
    made["trial_what"] = (("trial", "event"), path[before])
    table = analyse([made], only=["learning_rate"]).set_index(["metric", "block"])["value"]
    for block in (0, 1):
        assert table["learning_rate.early", block] == pytest.approx(0.2)
        assert table["learning_rate.late", block] == pytest.approx(0.02)
    # a counting observer with the prior (1, 1) moves by 1 / (n + 3) after n trials: 1/21 on average, late 1/53 to 1/103
    assert 1 / 103 < table["learning_rate.bayes_told_late", 1] < 1 / 53
    assert 1 / 23 < table["learning_rate.bayes_told_early", 1] < 1 / 3
    difference = table["learning_rate.late", 1] - table["learning_rate.bayes_late", 1]
    assert table["learning_rate.late_minus_bayes", 1] == pytest.approx(difference)


def test_short_blocks_and_recordings_without_trials_are_said():
    short = Block({"A": 0.3, "B": 0.6}, {"A": 0.7, "B": 0.3}, trials=40)
    table = analyse([recording(experiment([short]))], only=["learning_rate"])
    assert table.loc[table["metric"] == "learning_rate.late", "note"].str.contains("too few trials").all()
    bare = recording().drop_vars("trial_what")
    assert analyse([bare], only=["learning_rate"])["note"].str.contains("needs trial_what").all()
