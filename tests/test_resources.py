"""What a run is said to take."""

import pytest
import small

from izhires.building.parts import Monitor
from izhires.errors import SimulationError
from izhires.model.configuration import Configuration
from izhires.running.batch import check_memory
from izhires.running.resources import INVERSE_BYTES, WORKER_MEMORY, needed_memory, recorded_bytes
from izhires.running.run import simulate


def needed(configuration):
    return needed_memory(small.planned(configuration)[1])


def test_the_memory_of_a_run_counts_the_matrices_of_least_squares():
    # a matrix an event, and one for all where all channels learn together
    own = needed(small.configuration(when__rule="force")) - needed(small.configuration(when__rule="three_factor"))
    assert own == pytest.approx(2 * 100**2 * INVERSE_BYTES, abs=2e4)
    large = Configuration.parse({"reservoir": {"n": 4000}, "when": {"rule": "force"}})
    plain = large.with_changes(**{"when.rule": "three_factor"})
    assert needed(large) - needed(plain) > 2 * 4000**2 * 16


def test_one_formula_for_runs_at_once_and_side_by_side():
    plan = small.planned(small.configuration())[1]
    one = needed_memory(plan)
    assert needed_memory(plan, at_once=3) == pytest.approx(3 * one)
    # each worker has Python once, however many networks it holds
    assert needed_memory(plan, replicates=3) == pytest.approx(3 * one - 2 * WORKER_MEMORY)
    free = needed_memory(plan, replicates=3) + 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("izhires.running.resources.available_memory", lambda: free)
        check_memory(plan, 1, replicates=3)
        with pytest.raises(SimulationError, match=f"the run needs about {needed_memory(plan, 1, 4) / 1e6:.0f} MB"):
            check_memory(plan, 1, replicates=4)


def test_single_precision_records_half_as_much():
    double, single = (small.planned(small.configuration(precision=each))[1] for each in ("double", "single"))
    times = 8 * sum(double.rows(each) for each in double.of(Monitor) if each.every)
    assert recorded_bytes(single) - times == (recorded_bytes(double) - times) / 2


@pytest.mark.slow
def test_the_matrices_take_what_is_said():
    blocks = [{"trials": 1, "latency": {"A": "60 ms", "B": "110 ms"}, "probability": {"A": 0.5, "B": 0.5}}]
    task = {**small.PARADIGM, "warm_up": 0, "probes": [1], "blocks": blocks}
    plain, force = (
        simulate(small.configuration(reservoir__n=1000, paradigm=task, when__rule=rule), 0).attrs["peak_bytes"]
        for rule in ("three_factor", "force")
    )
    assert 0.7 < 2 * 1000**2 * INVERSE_BYTES / (force - plain) < 1.5
