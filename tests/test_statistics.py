"""Intervals over seeds: closed forms, the usual ones where there is no bound, and how often they cover the truth."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from izhires.analysis import statistics
from izhires.analysis.statistics import (
    ANGLE,
    ANY,
    CORRELATION,
    FEW,
    POSITIVE,
    SHARE,
    at_the_same,
    bootstrap_interval,
    interval_of_mean,
    over_seeds,
    spread_over_seeds,
    t_interval,
    what_spread_is,
)

BELOW = (-np.inf, 2.0)
RANGES = {"any": ANY, "positive": POSITIVE, "share": SHARE, "correlation": CORRELATION, "angle": ANGLE, "below": BELOW}


def test_without_bounds_it_is_students():
    values = np.array([0.3, -1.2, 0.8, 2.5])
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert t_interval(values, 0.9) == pytest.approx((values.mean(), *expected))
    assert t_interval(values, 0.9, within=ANY) == t_interval(values, 0.9)


def test_of_correlations_it_is_fishers():
    values = np.array([0.95, 0.9, 0.99])
    mean, low, high = t_interval(values, within=CORRELATION)
    error = values.std(ddof=1) / np.sqrt(3) / (1 - mean**2)  # d arctanh(r) / dr = 1 / (1 - r^2)
    half = stats.t.ppf(0.975, 2) * error
    assert (low, high) == pytest.approx((np.tanh(np.arctanh(mean) - half), np.tanh(np.arctanh(mean) + half)))
    assert t_interval(values)[2] > 1 > high


def test_of_shares_and_of_positive_numbers_it_is_that_of_logit_and_logarithm():
    mean, spread, n = 0.02, 0.03, 4
    half = stats.t.ppf(0.975, n - 1) * spread / np.sqrt(n)
    low, high = interval_of_mean(mean, spread, n, SHARE)
    logit = [np.log(x / (1 - x)) for x in (low, mean, high)]
    assert np.diff(logit) == pytest.approx([half / (mean * (1 - mean))] * 2)
    low, high = interval_of_mean(mean, spread, n, POSITIVE)
    assert (low, high) == pytest.approx((mean * np.exp(-half / mean), mean * np.exp(half / mean)))
    low, high = interval_of_mean(2 - mean, spread, n, BELOW)
    assert (2 - high, 2 - low) == pytest.approx((mean * np.exp(-half / mean), mean * np.exp(half / mean)))
    # an angle of 89 degrees is a share of 89/90
    low, high = interval_of_mean(89, 2, n, ANGLE)
    assert (low, high) == pytest.approx(90 * np.array(interval_of_mean(89 / 90, 2 / 90, n, SHARE)))


@pytest.mark.parametrize("name", RANGES)
def test_it_never_leaves_the_range_and_holds_the_mean(name):
    least, most = within = RANGES[name]
    rng = np.random.default_rng(0)
    base, end = (least, most) if np.isfinite([least, most]).all() else (max(least, -5), min(most, 5))
    for count in (2, 3, 5, 20):
        values = base + (end - base) * rng.beta(0.1, 0.1, (500, count)).round(3)  # many at, or just by, the bounds
        low, high = interval_of_mean(values.mean(1), values.std(1, ddof=1), count, within)
        mean = values.mean(1)
        assert np.isfinite(low).all() and (low <= mean + 1e-12).all() and (mean <= high + 1e-12).all()
        assert (low >= least).all() and (high <= most).all()


@pytest.mark.parametrize("name", RANGES)
def test_of_little_spread_far_from_the_bounds_it_is_the_usual_one(name):
    mean = {"angle": 45.0, "correlation": 0.1}.get(name, 0.5)
    usual = mean + np.array([-1, 1]) * stats.t.ppf(0.975, 9) * 1e-5 / np.sqrt(10)
    assert interval_of_mean(mean, 1e-5, 10, RANGES[name]) == pytest.approx(usual, abs=1e-8)


def test_at_a_bound_there_is_no_spread_and_of_one_seed_nothing_is_known():
    assert t_interval([0, 0, 0], within=SHARE) == (0, 0, 0)
    assert t_interval([1, 1], within=CORRELATION) == (1, 1, 1)
    assert t_interval([1 + 1e-15, 1, 1], within=CORRELATION)[1:] == (1, 1)
    assert t_interval([0.5], within=SHARE)[0] == 0.5 and np.isnan(t_interval([0.5], within=SHARE)[1:]).all()
    never = t_interval([3.0, np.inf], within=(0, np.inf))
    assert never[0] == np.inf and np.isnan(never[1:]).all()


def test_it_covers_the_mean_about_as_often_as_it_says_where_the_usual_one_and_the_bootstrap_do_not():
    rng = np.random.default_rng(1)
    values = rng.beta(0.5, 5, (20000, 3))  # skewed, most of them near 0
    true, mean, spread = 0.5 / 5.5, values.mean(1), values.std(1, ddof=1)

    def covered(limits):
        return np.mean((limits[0] <= true) & (true <= limits[1]))

    usual = covered(interval_of_mean(mean, spread, 3))
    bootstrap = covered(np.array([bootstrap_interval(each, resamples=200) for each in values[:1000]]).T)
    assert covered(interval_of_mean(mean, spread, 3, SHARE)) == pytest.approx(0.94, abs=0.01)
    assert usual == pytest.approx(0.84, abs=0.01) and bootstrap == pytest.approx(0.69, abs=0.04)


def seeds_of(count):
    return pd.DataFrame({"seed": range(count), "x": "a", "y": np.arange(count) / 10})


def test_few_seeds_are_drawn_with_their_range_and_more_with_the_interval():
    found = spread_over_seeds(seeds_of(3), ["x"], "y", SHARE).iloc[0]
    assert tuple(found[["mean", "low", "high", "seeds"]]) == pytest.approx((0.1, 0, 0.2, 3))
    assert what_spread_is(3) == "range of the seeds" and what_spread_is(1) == ""
    found = spread_over_seeds(seeds_of(FEW), ["x"], "y", SHARE)
    pd.testing.assert_frame_equal(found, over_seeds(seeds_of(FEW), ["x"], "y", SHARE))
    assert what_spread_is(FEW) == "95% interval of the mean"
    assert spread_over_seeds(seeds_of(1), ["x"], "y").iloc[0][["low", "high"]].isna().all()
    # several probes of one seed are one value
    twice = pd.concat([seeds_of(3), seeds_of(3).assign(y=lambda table: table["y"] + 0.2)])
    assert tuple(spread_over_seeds(twice, ["x"], "y").iloc[0][["mean", "seeds"]]) == pytest.approx((0.2, 3))
    # a place that fewer seeds have means what the others mean
    table = pd.concat([seeds_of(FEW), seeds_of(2).assign(x="b")])
    found = spread_over_seeds(table, ["x"], "y", SHARE).set_index("x")
    assert found.loc["b", "high"] == pytest.approx(t_interval([0, 0.1], within=SHARE)[2])


def test_the_range_of_few_seeds_is_no_interval_of_95_percent():
    # the range misses the median if all seeds lie on one side of it
    assert 1 - 2 * 0.5 ** (FEW - 1) < 0.95 <= 1 - 2 * 0.5**FEW


def test_a_few_points_lie_in_order_by_chance():
    for points in (3, 4, 5):
        orders = np.array(list(itertools.permutations(range(points))))
        steps = np.diff(orders, axis=1)
        share = ((steps > 0).all(1) | (steps < 0).all(1)).mean()
        assert f"{100 * share:.0f}% rise or fall" in statistics.few_for_r(points)
    assert share < 0.05 and points == statistics.FEWEST_FOR_R


def test_courses_that_were_probed_elsewhere_are_brought_to_the_same_places():
    same = pd.DataFrame({"of": "a", "seed": [0, 0, 1, 1], "x": [1, 3, 1, 3], "y": [1.0, 3, 2, 6]})
    pd.testing.assert_frame_equal(at_the_same(same, ["of"], "x", "y"), same)
    other = pd.DataFrame({"of": "a", "seed": [0, 0, 0, 1, 1], "x": [0, 2, 4, 1, 3], "y": [0.0, 4, 8, 1, 5]})
    found = at_the_same(other, ["of"], "x", "y").pivot(index="x", columns="seed", values="y")
    assert found.index.to_list() == [1, 2, 3]  # within the range of both
    assert found[0].to_list() == [2, 4, 6] and found[1].to_list() == [1, 3, 5]
