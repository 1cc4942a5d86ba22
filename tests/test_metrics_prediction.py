import numpy as np
import pytest
import xarray as xr
from synthetic import MEET, Block, experiment, recording

from izhires.analysis import analyse
from izhires.analysis.metrics.base import ALL_EVENTS
from izhires.analysis.metrics.prediction import by_event, ridge_readout, rmse


def values(table, metric, **where):
    rows = table[table["metric"] == metric]
    for column, value in where.items():
        rows = rows[rows[column] == value]
    return rows["value"].to_numpy()


def test_error_of_arrays_with_any_order_of_dimensions():
    a = xr.DataArray([[0.0, 3.0], [0.0, 4.0]], dims=("event", "time"), coords={"event": ["A", "B"]})
    zero = 0 * a.transpose("time", "event")
    assert float(rmse(a, zero)) == pytest.approx(2.5)
    assert float(rmse(zero, zero)) == 0
    apart = by_event(a, zero)
    assert float(apart["A"]) == pytest.approx(3 / np.sqrt(2))
    assert float(apart[ALL_EVENTS]) ** 2 == pytest.approx((float(apart["A"]) ** 2 + float(apart["B"]) ** 2) / 2)


def test_zero_output_bound_has_its_closed_form():
    table = analyse([recording()], only=["error_zero_output"])
    # the integral of a squared bump is sqrt(pi) width
    mean_square = np.sqrt(np.pi) * 0.04 / 1.1
    for block, given in enumerate(MEET):
        p = np.array([given.probability["A"], given.probability["B"]])
        assert values(table, "error_zero_output", block=block, event="A") == pytest.approx(p[0] * mean_square**0.5)
        expected = np.sqrt((p**2).mean() * mean_square)
        assert values(table, "error_zero_output", block=block, event=ALL_EVENTS) == pytest.approx(expected)


def test_error_follows_the_known_decay():
    tau = 5.0
    table = analyse([recording(tau=tau)], only=["error", "error_zero_output"])
    for event in (ALL_EVENTS, "A", "B"):
        zero = values(table, "error_zero_output", block=0, event=event)
        assert values(table, "error.first", block=0, event=event) == pytest.approx(zero)
        for trial in (1, 10, 50, 100):
            got = values(table, f"error.trial_{trial}", block=0, event=event)
            assert got == pytest.approx(zero * np.exp(-trial / tau))
        assert values(table, "error.ratio", block=0, event=event) == pytest.approx(np.exp(-99 / tau))
        assert values(table, "error.over_zero", block=0, event=event) == pytest.approx(np.exp(-100 / tau))


def test_a_trial_without_a_probe_is_said():
    table = analyse([recording(experiment(schedule=(10, 100)))], only=["error"])
    for metric in ("error.trial_1", "error.trial_50", "error.ratio"):
        rows = table[table["metric"] == metric]
        assert rows["value"].isna().all() and rows["note"].str.contains("no probe after trial").all()
    assert np.isfinite(values(table, "error.trial_10")).all()


def test_ridge_readout_is_the_primal_solution():
    rng = np.random.default_rng(0)
    states, targets, others = rng.normal(2, 1, (30, 8)), rng.normal(size=(30, 2)), rng.normal(2, 1, (5, 8))
    x, y = states - states.mean(0), targets - targets.mean(0)
    penalty = 0.3 * (x**2).sum() / 30
    weights = np.linalg.solve(x.T @ x + penalty * np.eye(8), x.T @ y)
    expected = targets.mean(0) + (others - states.mean(0)) @ weights
    assert ridge_readout(states, targets, others, 0.3) == pytest.approx(expected)


def test_ridge_readout_finds_an_exact_linear_relation_and_survives_silence():
    rng = np.random.default_rng(0)
    states = rng.normal(size=(50, 6))
    targets = states @ rng.normal(size=(6, 2)) + 1.5
    assert ridge_readout(states, targets, penalty=1e-12) == pytest.approx(targets, abs=1e-6)
    assert ridge_readout(np.zeros((50, 6)), targets) == pytest.approx(np.tile(targets.mean(0), (50, 1)))


def test_best_fit_is_far_below_zero_output_and_held_out_is_no_better_than_fitted():
    made = recording()
    table = analyse([made], only=["error_zero_output", "error_best_fit"])
    for block in range(4):
        zero, same, other = (
            values(table, name, block=block, event=ALL_EVENTS)[0]
            for name in ("error_zero_output", "error_best_fit.same_probe", "error_best_fit.other_probes")
        )
        assert same < other < 0.3 * zero


def test_held_out_fit_of_equal_states_equals_the_fit_of_one_probe():
    made = recording()
    made["state_trace"] = made["state_trace"].isel(state_probe=0, drop=True) + 0 * made["state_trace"]
    table = analyse([made], only=["error_best_fit"])
    same, other = (values(table, f"error_best_fit.{part}", event="A") for part in ("same_probe", "other_probes"))
    # seven equal probes: seven times the data, of the same mean; the penalty per sample is 1/7
    assert (other <= same).all()
    states = made["state_trace"].isel(state_probe=0).sel(state_time=slice(0, None)).values
    target = np.random.default_rng(0).normal(size=(len(states), 2))
    many = ridge_readout(np.tile(states, (7, 1)), np.tile(target, (7, 1)), states, penalty=0.7)
    assert many == pytest.approx(ridge_readout(states, target, penalty=0.1))


def test_without_states_there_is_no_best_fit_and_one_line_says_so():
    table = analyse([recording(states=False)], only=["error_best_fit"])
    assert table["value"].isna().all()
    assert list(table["note"]) == ["needs state_trace, which the recording does not hold"]


def test_error_from_what_is_still_expected_by_hand():
    """With A at 300 ms (.7) and B at 600 ms (.3), after A's time B is certain: its bump counts 1, and A's .7."""
    block = [Block({"A": 0.3, "B": 0.6}, {"A": 0.7, "B": 0.3})]
    made = recording(experiment(block))
    table = analyse([made], only=["error_survivor", "error"])
    times = made["time"].values
    late = np.array([[0.3], [0.6]])
    # S is 1 up to and with 300 ms, then .3 until 600 ms
    left = np.array([np.ones_like(times), np.where(times <= 0.3 + 5e-4, 1.0, 0.3)])
    given = np.array([[0.7], [0.3]]) / left * np.exp(-((times - late) ** 2) / (2 * 0.04**2))
    shown = made["prediction"].isel(probe=-1).transpose("event", "time").values
    error = np.sqrt(((shown - given) ** 2).mean(1))
    for event, value in zip("AB", error, strict=True):
        assert values(table, "error_survivor.last", event=event) == pytest.approx(value)
        assert values(table, "error_survivor.minus_error", event=event) == pytest.approx(
            value - values(table, "error.last", event=event)
        )
    zero = np.sqrt((given**2).mean())
    assert values(table, "error_survivor.over_zero", event=ALL_EVENTS) == pytest.approx(
        np.sqrt((error**2).mean()) / zero
    )
