import numpy as np
import pytest
from synthetic import MEET, SCHEDULE, experiment, recording

from izhires.analysis import analyse
from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics.base import ALL_EVENTS
from izhires.analysis.metrics.recovery import Course, courses


@pytest.mark.parametrize("tau", [2.0, 5.0, 12.0])
def test_recovery_of_an_exponential_is_the_known_trial(tau):
    table = analyse([recording(tau=tau)], only=["recovery"])
    trials = np.array(SCHEDULE)
    error = np.exp(-trials / tau)
    settled = error[trials >= 50].mean()
    for fraction, name in ((0.5, "50"), (0.75, "75")):
        expected = trials[np.argmax(error <= settled + (1 - fraction) * (1 - settled))]
        for part in (f"recovery.{name}", f"recovery.{name}_sustained"):
            rows = table[table["metric"] == part]
            assert len(rows) == 9 and (rows["value"] == expected).all()
    assert set(table["event"]) == {ALL_EVENTS, "A", "B"} and set(table["block"]) == {1, 2, 3}


def test_e0_is_measured_against_the_new_expectation():
    made = recording(tau=1)
    times = made["time"].values
    bump = lambda late: np.exp(-((times - late) ** 2) / (2 * 0.04**2))  # noqa: E731
    expected = np.sqrt(((0.7 * bump(0.3) - 0.7 * bump(0.5)) ** 2).mean())
    assert courses(made, 1)["A"].before == pytest.approx(expected)
    assert courses(made, 1)["A"].settled == pytest.approx(0, abs=1e-12)


def test_a_course_that_comes_back_up_is_recovered_but_not_for_good():
    trials = np.arange(1.0, 11)
    errors = np.array([0.9, 0.2, 0.9, 0.9, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2])
    course = Course(1.0, trials, errors, settled=0.2)
    assert course.recovered(0.75) == 2
    assert course.recovered(0.75, stays=5) == 5
    assert course.recovered(0.75, stays=7) == np.inf
    assert Course(1.0, trials, errors, settled=0.3).recovered(0.0) == 1


def test_the_threshold_itself_counts_as_recovered():
    course = Course(1.0, np.array([1.0, 2.0]), np.array([0.6, 0.5]), settled=0.0)
    assert course.recovered(0.5) == 2


def test_nothing_to_recover_from():
    with pytest.raises(Unavailable, match="nothing to recover from"):
        Course(0.1, np.array([1.0]), np.array([0.1]), settled=0.1).recovered(0.5)
    same = (MEET[0], MEET[0])
    table = analyse([recording(experiment(same), tau=1)], only=["recovery"])
    nothing = table[table["note"].str.contains("nothing to recover from")]
    assert nothing["value"].isna().all() and len(nothing) == len(table)


def test_one_block_and_too_few_late_probes_are_said():
    table = analyse([recording(experiment(MEET[:1]))], only=["recovery"])
    assert list(table["note"]) == ["needs a switch; the recording has one block"]
    table = analyse([recording(experiment(schedule=(1, 2, 30)))], only=["recovery"])
    assert len(table) == 3 and table["note"].str.contains("no probe after 50 or more trials").all()
