"""Hashes of what small networks give, by which a redesign shows that it changed no bit: circuits, rules, gates,
readouts, conditions, replicates and devices.

``python tests/identical.py`` prints them as JSON; ``tests/data/identical.json`` holds those of one machine, see
`test_identical.py`.
"""

from __future__ import annotations

import hashlib
import json
import sys
from importlib.metadata import version

import numpy as np
from small import configuration

from izhires.devices.cpp import compiler_version, processor
from izhires.model.model import MEAN_RATE_UPDATE
from izhires.running.run import draw, simulate_together

NOISE = {"reservoir__noise": "0.3 mV/sqrt(ms)"}
OWN_STATE = {
    "state__equations": "s : 1\nx : Hz\nslow : Hz\n",
    "state__update": "slow += (r - slow)*dt/tau_mean\ns = (r - slow)/(10*Hz)\n"
    "x += (slow - x)*int(abs(elapsed(t) - window) < dt/2)\n",
}


def _cases():
    for circuit in ("sequence", "random", "unconnected"):
        for device in ("cpp", "numpy"):
            yield f"circuit {circuit} {device}", dict(circuit=circuit), device, 1
    for rule in ("three_factor", "eligibility_three_factor", "node_perturbation", "force"):
        yield f"rule {rule}", dict(when=rule), "cpp", 1
    yield "rule consolidated_three_factor", dict(when="consolidated_three_factor", readout="joint"), "cpp", 1
    yield "rule force, merged", dict(when="force", readout="merged"), "cpp", 1
    yield "rule force, numpy", dict(when="force"), "numpy", 1
    yield "rule force with reset", dict(when="force", when__rule__reset_at_switch=True), "cpp", 1
    yield "rule two_factor", dict(what="two_factor"), "cpp", 1
    for gate in ("open", "phasic", "dopamine", "acetylcholine", "consolidation"):
        yield f"gate {gate}", dict(when="eligibility_three_factor", when__gate=gate), "cpp", 1
    yield "gate closed outside", dict(when__gate__closed_outside=True), "cpp", 1
    yield "readout merged", dict(readout="merged"), "cpp", 1
    yield "confidence", dict(confidence={}), "cpp", 1
    yield "confidence numpy", dict(confidence={}), "numpy", 1
    yield "shuffled at test", dict(state__shuffled_at_test=True), "cpp", 1
    yield "own state", OWN_STATE, "cpp", 1
    yield "raw state", dict(state__equations="s = r/Hz : 1\nx = r : Hz", state__update=""), "cpp", 1
    yield "no feedback at test", dict(when__feedback_at_test=False), "cpp", 1
    yield "learning in the first block", dict(when__learning_blocks=1, what__learning_blocks=1), "cpp", 1
    yield "recurrence cut", dict(reservoir__recurrence=0.0), "cpp", 1
    for device in ("cpp", "numpy", "plain"):
        yield f"noise {device}", NOISE, device, 1
    yield "noise random", dict(circuit="random", **NOISE), "cpp", 1
    for device in ("cpp", "numpy"):
        yield f"3 replicates {device}", dict(confidence={}), device, 3
    yield "3 replicates random", dict(circuit="random", **NOISE), "cpp", 3


# x was the mean trace when these were written down, and the rules are named in small.py: the settings are stated, so
# that a change of the default cannot hide what else changed
CASES = {
    name: ({"state__update": MEAN_RATE_UPDATE, **changes}, device, replicates)
    for name, changes, device, replicates in _cases()
}

# The default since rates follow uncertainty and "what" reads how far traces are above their means. Its bits are others
# because the rules and the state are; the cases above, which state the earlier ones, have the bits of before.
RULES = {"when": "uncertainty_three_factor", "what": "uncertainty_two_factor"}
CASES |= {f"default {device}": (RULES, device, 1) for device in ("cpp", "numpy")}
CASES |= {"default, 3 replicates": (RULES, "cpp", 3)}


def digest(values) -> str:
    """Return a hash of an array's numbers or texts."""
    values = np.ascontiguousarray(values)
    content = "\0".join(map(str, values.ravel())).encode() if values.dtype.kind in "UOS" else values.tobytes()
    return hashlib.sha256(f"{values.dtype.kind}{values.shape}".encode() + content).hexdigest()[:16]


def hashes(name: str) -> dict[str, str]:
    """Return a hash of each variable of the recordings of one case."""
    changes, device, replicates = CASES[name]
    made = configuration(**changes)
    found = simulate_together([draw(made, seed) for seed in range(3, 3 + replicates)], device)
    return {
        f"{variable} {number}" if replicates > 1 else variable: digest(recording[variable].values)
        for number, recording in enumerate(found)
        for variable in sorted(recording.variables)
    }


def machine() -> dict[str, str]:
    """Return what the bits depend on besides the program: processor, compiler, Brian2, numpy."""
    return {
        "processor": hashlib.sha256(processor().encode()).hexdigest()[:16],
        "compiler": compiler_version(),
        "brian2": version("brian2"),
        "numpy": version("numpy"),
    }


if __name__ == "__main__":
    chosen = sys.argv[1:] or list(CASES)
    found = {}
    for case in chosen:
        found[case] = hashes(case)
        print(case, file=sys.stderr)
    json.dump({"machine": machine(), "hashes": found}, sys.stdout, indent=1)
