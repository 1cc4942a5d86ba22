import numpy as np
import pytest
from scipy.optimize import linprog
from synthetic import MEET, Block, experiment, levels, recording, study

from izhires.analysis import analyse
from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics.distribution import distances, half_maximum_width, normalised

TIMES = np.arange(0, 1100.0)


def bump(late, width=40.0):
    return np.exp(-((TIMES - late) ** 2) / (2 * width**2))


def test_equal_distributions_have_no_distance_whatever_their_scale():
    one = np.stack([0.7 * bump(300), 0.3 * bump(600)])
    total, within, moved = distances(normalised(3 * one), normalised(one), TIMES)
    assert (total, moved) == pytest.approx((0, 0), abs=1e-9) and within == pytest.approx([0, 0], abs=1e-9)


def test_a_shift_costs_its_length_and_a_change_of_event_the_window():
    wanted = normalised(np.stack([0.7 * bump(300), 0.3 * bump(600)]))
    total, within, moved = distances(normalised(np.stack([0.7 * bump(350), 0.3 * bump(580)])), wanted, TIMES)
    assert within == pytest.approx([50, 20], abs=1e-6) and moved == pytest.approx(0, abs=1e-9)
    assert total == pytest.approx(0.7 * 50 + 0.3 * 20, abs=1e-6)
    total, within, moved = distances(normalised(np.stack([0.5 * bump(300), 0.5 * bump(600)])), wanted, TIMES)
    assert moved == pytest.approx(0.2) and total == pytest.approx(0.2 * 1100)


def test_the_distance_in_time_is_the_area_between_the_distribution_functions_and_symmetric():
    rng = np.random.default_rng(0)
    one, other = rng.random((2, 2, 50))
    one, other = normalised(one), normalised(other)
    times = 10.0 * np.arange(50)
    _, within, _ = distances(one, other, times)
    gap = [np.abs(np.cumsum(p / p.sum() - q / q.sum()))[:-1].sum() * 10 for p, q in zip(one, other, strict=True)]
    assert within == pytest.approx(gap)
    assert distances(other, one, times)[0] == pytest.approx(distances(one, other, times)[0])


def test_the_total_bounds_the_optimal_transport_from_above_and_equals_it_for_one_event():
    rng = np.random.default_rng(1)
    times = np.arange(6.0)
    for events in (1, 2):
        one, other = (normalised(rng.random((events, 6))) for _ in range(2))
        event, when = (each.ravel() for each in np.meshgrid(np.arange(events), times, indexing="ij"))
        cost = np.where(event[:, None] == event, np.abs(when[:, None] - when), 6.0)
        n = len(event)
        kept = np.concatenate([np.kron(np.eye(n), np.ones(n)), np.kron(np.ones(n), np.eye(n))])
        least = linprog(cost.ravel(), A_eq=kept, b_eq=np.r_[one.ravel(), other.ravel()]).fun
        total = distances(one, other, times)[0]
        assert total >= least - 1e-9 and (events > 1 or total == pytest.approx(least))


def test_metric_of_a_late_prediction_with_the_wrong_amplitudes():
    made = experiment(MEET[:1])
    table = analyse(
        [recording(made, shift=0.03, amplitude={"A": 0.4, "B": 0.4}, tau=1)], only=["distribution_distance"]
    )
    value = table.set_index(["metric", "event"])["value"]
    assert value["distribution_distance.time", "A"] == pytest.approx(30, abs=0.1)
    assert value["distribution_distance.events", "all events"] == pytest.approx(0.2, abs=1e-6)
    assert value["distribution_distance.total", "all events"] == pytest.approx(0.8 * 30 + 0.2 * 1100, abs=0.2)
    # of 1,100 ms, both events alike: 0.2 of the mass moves
    assert value["distribution_distance.events_uniform", "all events"] == pytest.approx(0.2)


def test_the_distance_of_unchanged_expectations_is_that_of_the_switch():
    value = analyse(study(1), only=["distribution_distance"]).set_index(["metric", "block"])["value"]
    assert value["distribution_distance.total_unchanged", 1] == pytest.approx(200, abs=0.1)  # both events 200 ms later
    assert value["distribution_distance.events_unchanged", 2] == pytest.approx(0.5)
    assert ("distribution_distance.total_unchanged", 0) not in value.index


def test_nothing_predicted_is_said():
    made = recording(amplitude={"A": 0.0, "B": 0.0})
    table = analyse([made], only=["distribution_distance"])
    assert (
        table.loc[table["metric"] == "distribution_distance.total", "note"].str.contains("nothing is predicted").all()
    )
    with pytest.raises(Unavailable):
        normalised(-np.ones((2, 3)))


def test_width_of_a_gaussian_a_triangle_and_curves_without_one():
    for width in (5.0, 40.0, 80.0):
        assert half_maximum_width(3 * bump(500, width), TIMES) == pytest.approx(
            width * np.sqrt(8 * np.log(2)), rel=1e-3
        )
    triangle = np.clip(1 - np.abs(TIMES - 500.5) / 30, 0, None)
    # the peak lies between two samples, each 0.5 ms away: half of 1 - 0.5/30 is reached 30.5/2 + ... from the middle
    assert half_maximum_width(triangle, TIMES) == pytest.approx(2 * (30 - 15 * (1 - 0.5 / 30)))
    assert np.isnan(half_maximum_width(bump(10), TIMES)) and np.isnan(half_maximum_width(0 * TIMES, TIMES))
    assert half_maximum_width(bump(500) + 0.4 * bump(900), TIMES) == pytest.approx(94.2, abs=0.1)  # the peak's own


def scaled(seed, exponent, late=(0.2, 0.4, 0.6, 0.8)):
    """Return a recording whose predictions have the width 30 ms * (latency / 0.4 s)^exponent."""
    blocks = [Block({"A": each}, {"A": 1.0}) for each in late]
    made = recording(experiment(blocks, seed=seed, schedule=(100,)), seed=seed, states=False)
    times = 1e3 * made["time"].values
    shown = made["prediction"].values.copy()
    for probe, block in enumerate(made["block"].values):
        width = 30 * (late[block] / 0.4) ** exponent
        shown[probe, 0] = np.exp(-((times - 1e3 * late[block]) ** 2) / (2 * width**2))
    return made.assign(prediction=(("probe", "event", "time"), shown))


def test_scalar_and_constant_timing_are_told_apart():
    for exponent, slope in ((0.0, 0.0), (1.0, 30 / 400)):
        table = analyse([scaled(seed, exponent) for seed in (0, 1)], only=["scalar_timing"]).set_index("metric")[
            "value"
        ]
        assert table["scalar_timing.exponent"].to_numpy() == pytest.approx(exponent, abs=0.01)
        assert table["scalar_timing.slope"].to_numpy() == pytest.approx(slope, abs=1e-3)
        assert (table["scalar_timing.latencies"] == 4).all()
    assert table["scalar_timing.cv"].to_numpy() == pytest.approx(30 / 400, rel=1e-3)
    table = analyse([scaled(0, 1.0)], only=["timing_width"])
    cv = table.loc[table["metric"] == "timing_width.over_latency", "value"]
    assert cv.to_numpy() == pytest.approx(30 / 400, rel=1e-3) and len(cv) == 4


def test_a_calibrated_prediction_is_as_wide_as_the_expectation():
    table = analyse([recording(tau=1)], only=["timing_width"])
    assert table.loc[table["metric"] == "timing_width", "value"].to_numpy() == pytest.approx(40, rel=1e-3)
    value = analyse(levels(1), only=["scalar_timing"]).set_index("metric")["value"]
    assert value["scalar_timing.slope"] == pytest.approx(0, abs=1e-4) and value["scalar_timing.latencies"] == 2


def test_one_latency_has_no_slope():
    made = scaled(0, 1.0, late=(0.4,))
    assert analyse([made], only=["scalar_timing"])["note"].str.contains("two or more latencies, got 1").all()
