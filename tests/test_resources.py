"""What a run is said to take."""

import pytest
import small

from izhires.model.configuration import Configuration
from izhires.running.resources import INVERSE_BYTES, needed_memory
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


@pytest.mark.slow
def test_the_matrices_take_what_is_said():
    blocks = [{"trials": 1, "latency": {"A": "60 ms", "B": "110 ms"}, "probability": {"A": 0.5, "B": 0.5}}]
    task = {**small.PARADIGM, "warm_up": 0, "probes": [1], "blocks": blocks}
    plain, force = (
        simulate(small.configuration(reservoir__n=1000, paradigm=task, when__rule=rule), 0).attrs["peak_bytes"]
        for rule in ("three_factor", "force")
    )
    assert 0.7 < 2 * 1000**2 * INVERSE_BYTES / (force - plain) < 1.5
