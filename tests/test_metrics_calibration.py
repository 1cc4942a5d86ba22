import numpy as np
import pytest
from synthetic import Block, experiment, levels, participant, recording

from izhires.analysis import analyse, summary
from izhires.analysis.metrics.calibration import amplitude, pearson, unit_expectation

TIMES = np.arange(1100) / 1000


def got(table, metric, **where):
    rows = table[table["metric"] == metric]
    for column, value in where.items():
        rows = rows[rows[column] == value]
    return rows["value"].to_numpy()


def test_amplitude_of_a_scaled_bump_is_its_scale():
    late, one = np.array([0.3]), np.array([1.0])
    unit = unit_expectation(TIMES, late, one, 0.04)
    assert unit.max() == pytest.approx(1) and TIMES[unit.argmax()] == pytest.approx(0.3)
    for scale in (0.0, 0.37, 1.0):
        assert amplitude(scale * unit, TIMES, late, unit) == pytest.approx(scale)


def test_amplitude_reads_exactly_100_ms_to_either_side():
    late = np.array([0.3])
    unit = unit_expectation(TIMES, late, np.array([1.0]), 0.04)
    inside = np.zeros(1100)
    inside[[200, 400]] = 1.0
    outside = np.zeros(1100)
    outside[[199, 401]] = 1.0
    assert amplitude(outside, TIMES, late, unit) == 0
    assert amplitude(inside, TIMES, late, unit) == pytest.approx(2 / unit[200:401].sum())


def test_unit_expectation_of_several_latencies_is_weighted_by_how_likely_they_are():
    late = np.array([0.2, 0.8])
    both = unit_expectation(TIMES, late, np.array([0.3, 0.1]), 0.04)
    assert both[200] == pytest.approx(0.75) and both[800] == pytest.approx(0.25)
    never = unit_expectation(TIMES, late, np.zeros(2), 0.04)
    assert never[200] == pytest.approx(0.5)
    assert amplitude(0.4 * both, TIMES, late, both) == pytest.approx(0.4)


def test_amplitudes_of_a_recording_are_those_it_was_made_with():
    made = experiment([Block({"A": 0.3, "B": 0.6}, {"A": 0.7, "B": 0.3})])
    table = analyse([recording(made, amplitude={"A": 0.55, "B": 0.35}, tau=1)], only=["amplitude"])
    assert got(table, "amplitude", event="A") == pytest.approx(0.55)
    assert got(table, "amplitude.minus_probability", event="A") == pytest.approx(-0.15)
    assert got(table, "amplitude.minus_probability", event="B") == pytest.approx(0.05)


def test_amplitude_of_the_participants_events_is_their_frequency():
    table = analyse(participant(1), only=["amplitude"])
    assert got(table, "amplitude", event="go") == pytest.approx(77 / 120, rel=0.15)
    assert got(table, "amplitude", event="go") > got(table, "amplitude", event="no-go")


def test_calibrated_levels_correlate_perfectly_whatever_their_slope():
    for slope in (1.0, 0.5):
        table = analyse(levels(2, slope=slope), only=["calibration"])
        assert got(table, "calibration.r", event="A") == pytest.approx(1)
        assert got(table, "calibration.r", event="B") == pytest.approx(-1)
        p = np.arange(11) / 10
        assert got(table, "calibration.rms", event="A") == pytest.approx((1 - slope) * np.sqrt((p**2).mean()), abs=1e-9)


def test_pooled_r_is_that_of_all_points_and_each_seed_has_its_own():
    made = levels(3, noise=0.2)
    table = analyse(made, only=["calibration", "amplitude"])
    level = [float(name[2:]) for name in table.loc[table["metric"] == "amplitude", "variant"].iloc[::2]]
    for event in ("A", "B"):
        shown = got(table, "amplitude", event=event)
        assert got(table, "calibration.r", event=event) == pytest.approx(np.corrcoef(level, shown)[0, 1])
    assert 0 < got(table, "calibration.r", event="A") < 1
    # within a seed amplitudes are proportional to the probability, hence r is 1 there
    assert got(table, "calibration.r_seed", event="A") == pytest.approx([1, 1, 1])
    assert table.loc[table["metric"] == "calibration.r", "seed"].isna().all()


def test_the_counting_observer_has_the_frequencies_of_the_trials():
    made = levels(1)
    counted = [float((each["trial_event"].values[each["trial_kind"].values == "train"] == "A").mean()) for each in made]
    expected = np.corrcoef(np.arange(11) / 10, counted)[0, 1]
    assert got(analyse(made, only=["calibration"]), "calibration.r_counting", event="A") == pytest.approx(expected)
    assert expected < 1


@pytest.mark.parametrize("recordings", [[recording(states=False)], levels(1)[:2]])
def test_too_few_levels_are_said(recordings):
    table = analyse(recordings, only=["calibration"])
    assert len(table) == 1 and np.isnan(table["value"].iloc[0])
    assert "at several probabilities" in table["note"].iloc[0] or "got 2" in table["note"].iloc[0]


def test_the_worst_seed_of_a_negative_correlation_is_the_one_nearest_to_zero():
    made = levels(2, noise=0.3)
    made[3]["prediction"] = 0 * made[3]["prediction"]  # one level of seed 0 was not learned
    found = summary(analyse(made, only=["calibration"])).set_index(["metric", "event"])["worst"]
    seeds = analyse(made, only=["calibration"])
    assert found["calibration.r_seed", "B"] == max(got(seeds, "calibration.r_seed", event="B"))
    assert found["calibration.r_seed", "A"] == min(got(seeds, "calibration.r_seed", event="A"))


def test_pearson_of_a_constant_is_not_a_number():
    assert np.isnan(pearson(np.ones(4), np.arange(4.0)))
