"""Whole runs of both devices against a second implementation of the same equations, see reference.py."""

import os

import numpy as np
import pytest
import reference
import small

from izhires.circuits.base import Reservoir
from izhires.gates.base import Gate
from izhires.model.model import MEAN_RATE_UPDATE
from izhires.predictions.base import Prediction
from izhires.rules.base import Rule

TOLERANCE = 1e-9
"""Of the largest value of an output. Found: 3e-15."""

OPEN_LOOP = {"when__feedback": "0 mV/ms"}
CASES = {
    "sequence": small.configuration(),
    "sequence, open loop": small.configuration(**OPEN_LOOP),
    # surprised by every second trial, and learning in the literal window only
    "sequence, other parameters": small.configuration(
        what__rule={"type": "surprise_two_factor", "threshold": 3.0, "fastest": 0.4, "slowest": 0.2, "drift": 0.1},
        when__rule={"type": "normalised_three_factor", "surprise_gain": 12.0, "rate": "0.05 1/ms"},
        when__gate={"half_width": "30 ms", "closed_outside": True},
        reservoir__tau_fast="4 ms",
        reservoir__slow_fraction=0.3,
        when__feedback_limit=0.4,
    ),
    # surprised, too, and slow in between
    "sequence, uncertainty": small.configuration(
        what__rule={"type": "uncertainty_two_factor", "threshold": 2.0, "slowest": 0.15, "drift": 0.1, "half": "3 Hz"},
        when__rule={
            "type": "uncertainty_three_factor",
            "slowest": "0.01 1/ms",
            "threshold": 1.0,
            "smallest_spread": 0.1,
        },
    ),
    "sequence, mean rate": small.configuration(state__update=MEAN_RATE_UPDATE),
    "sequence, readouts every 0.5 ms": small.configuration(state__time_step="0.5 ms", **OPEN_LOOP),
    "random": small.configuration("random", "three_factor", "two_factor"),
    "random, open loop": small.configuration("random", "three_factor", "two_factor", **OPEN_LOOP),
    "grown, at birth": small.configuration("grown", **OPEN_LOOP),
    "unconnected": small.configuration("unconnected", when__feedback="2 mV/ms"),
    "eligibility, dopamine": small.configuration(
        when__rule={"type": "eligibility_three_factor", "rate": "0.01 1/ms", "tau_eligibility": "80 ms"},
        when__gate={"type": "dopamine", "tau_rise": "10 ms", "tau_decay": "60 ms"},
    ),
    "eligibility, acetylcholine, merged": small.configuration(
        when__rule={"type": "eligibility_three_factor", "rate": "0.01 1/ms", "tau_eligibility": "50 ms"},
        when__gate={"type": "acetylcholine", "tau_rise": "20 ms", "tau_decay": "400 ms"},
        readout="merged",
        confidence={},
    ),
    "joint": small.configuration(
        when__rule={"type": "consolidated_three_factor", "rate": "0.01 1/ms", "threshold": 2.0, "slowest": 0.2},
        when__gate="open",
        readout="joint",
        what__rule={"type": "counting", "forgetting": 0.1},
    ),
    "node perturbation, phasic": small.configuration(
        "random",
        when__rule={"type": "node_perturbation", "rate": "0.1 1/ms"},
        when__gate={"type": "phasic", "tau_rise": "5 ms", "tau_decay": "50 ms", "lead": "30 ms", "tonic": 0.1},
        confidence={"rule": "two_factor"},
    ),
    "force": small.configuration(
        when__rule={"type": "force", "penalty": 30.0, "reset_at_switch": True}, state__shuffled_at_test=True
    ),
    "force, merged": small.configuration(
        "random", when__rule={"type": "force", "interval": "2 ms"}, when__gate="open", readout="merged"
    ),
    "consolidation, frozen": small.configuration(
        when__rule={"type": "eligibility_three_factor", "rate": "0.03 1/ms", "tau_eligibility": "100 ms"},
        when__gate={"type": "consolidation", "delay": "20 ms", "duration": "80 ms"},
        when__learning_blocks=1,
        when__feedback_at_test=False,
    ),
}


@pytest.fixture(scope="module")
def truth():
    """The reference's outputs by case, simulated once."""
    found = {}

    def of(name):
        if name not in found:
            experiment, plan, arrays = small.planned(CASES[name])
            found[name] = reference.simulate(CASES[name], experiment, plan, arrays)
        return found[name]

    return of


def test_every_rule_gate_readout_and_circuit_is_held_against_the_reference():
    rules = {each.when.rule.type for each in CASES.values()} | {each.what.rule.type for each in CASES.values()}
    # temporal differences and levels of neuromodulators are held against plain loops of their own
    assert rules == set(small.shipped(Rule)) - {"td"}
    assert {each.prediction.type for each in CASES.values()} == set(small.shipped(Prediction))
    assert {each.when.gate.type for each in CASES.values()} == set(small.shipped(Gate)) - {"level"}
    assert {each.reservoir.type for each in CASES.values()} == set(small.shipped(Reservoir))


@pytest.mark.parametrize("name", CASES)
def test_the_reference_run_is_worth_comparing(name, truth):
    found = truth(name)
    assert len(found["spikes.t"]) > 1500
    trials = small.planned(CASES[name])[0].trials
    learned = trials["kind"].to_numpy() == "train"
    assert learned.sum() == 8
    assert (~learned).sum() == 6
    # snapshots stand at the onsets of trials and after the last one
    for readout in ("when", "what"):
        changed = np.any(np.diff(found[f"{readout}_snapshots.w"], axis=0) != 0, axis=1)
        blocks = getattr(CASES[name], readout).learning_blocks
        expected = learned & (trials["block"] < (9 if blocks is None else blocks))
        if readout == "when" and CASES[name].when.gate.type in ("dopamine", "acetylcholine"):
            # still open as the next trial begins, whose first step the snapshot of its onset has seen
            assert changed[: len(trials)][expected].all()
        else:
            assert np.array_equal(changed[: len(trials)], expected)
    assert found["when_output.z"].max() > 0.4
    assert found["what_output.q"].max() > 0.1


@pytest.mark.parametrize("device", ["cpp", "numpy", *(["cython"] if "IZHIRES_TEST_CYTHON" in os.environ else [])])
@pytest.mark.parametrize("name", CASES)
def test_a_run_agrees_with_the_reference(name, device, truth):
    expected, found = truth(name), small.outputs(CASES[name], device)
    assert np.array_equal(small.spikes(found), small.spikes(expected))
    assert found.keys() == expected.keys()
    for key in found.keys() - {"spikes.t", "spikes.i"}:
        assert found[key].shape == expected[key].shape, key
        scale = np.abs(expected[key]).max()
        assert scale > 0, key
        assert np.abs(found[key] - expected[key]).max() < TOLERANCE * scale, key


def test_what_is_fed_back_changes_the_spikes(truth):
    """So the agreement with the loop closed says something that the agreement with the loop open does not."""
    for name in ("sequence", "random"):
        closed, opened = (small.spikes(truth(each)) for each in (name, f"{name}, open loop"))
        assert not np.array_equal(closed, opened)
