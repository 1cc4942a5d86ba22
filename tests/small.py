"""A small network and a short task, which the tests of the simulation share, so that they share builds too."""

from __future__ import annotations

import functools

import numpy as np

from izhires.building.draft import make_plan
from izhires.devices import get
from izhires.model.configuration import Configuration
from izhires.model.seeds import Seeds

TRIAL = 0.3
"""Length of a trial, s; one snapshot is taken a trial, at its onset."""

PARADIGM = {
    "type": "meet",
    "trial_duration": "300 ms",
    "cue_onset": "30 ms",
    "window": "220 ms",
    "cue_duration": "20 ms",
    "event_width": "20 ms",
    "warm_up": 1,
    "order": "exact",
    "probes": [2, 4],
    "blocks": [
        {"trials": 4, "latency": {"A": "60 ms", "B": "110 ms"}, "probability": {"A": 0.5, "B": 0.5}},
        {"trials": 4, "latency": {"A": "90 ms", "B": "40 ms"}, "probability": {"A": 0.5, "B": 0.5}},
    ],
}

# All that decides whether this network is worth looking at is written here, whatever the defaults are. It has no noise,
# and a drive at which no cell fires before the cue. So every trial ends at rest, where differences of rounding between
# two programs shrink. With a drive at which cells go on firing they grow until, after a second or so, they decide over
# spikes.
QUIET = {
    "n": 100,
    "noise": "0 mV/sqrt(ms)",
    "bias_excitatory": ["1 mV/ms", "3 mV/ms"],
    "bias_inhibitory": ["0 mV/ms", "0.5 mV/ms"],
    "slow_fraction": 0.2,
}

CIRCUITS = {
    "sequence": {
        **QUIET,
        "type": "sequence",
        "groups": 8,
        "random_degree": 6,
        "inhibitory_degree": 5,
        "inhibition_degree": 10,
        "input_next": "12.5 mV/ms",
        "weight_random": "0.04 mV/ms",
        "weight_to_inhibitory": "0.18 mV/ms",
        "weight_inhibition": "0.5 mV/ms",
        "weight_disinhibition": "0.18 mV/ms",
        "delay": ["8 ms", "12 ms"],
        "cue_strength": "20 mV/ms",
    },
    "random": {
        **QUIET,
        "type": "random",
        "out_degree": 10,
        "adaptation": ["50 ms", "200 ms"],
        "weight_excitation": "0.5 mV/ms",
        "weight_inhibition": "1 mV/ms",
        "delay": "1.5 ms",
        "cue_share": 0.8,
        "cue_strength": ["0 mV/ms", "30 mV/ms"],
    },
    "grown": {
        **QUIET,
        "type": "grown",
        "development": None,
        "connected": 0.3,
        "weight_excitation": "0.6 mV/ms",
        "delay": ["8 ms", "12 ms"],
        "inhibitory_degree": 5,
        "inhibition_degree": 10,
        "cue_cells": 20,
        "cue_strength": "20 mV/ms",
    },
    "unconnected": {**QUIET, "type": "unconnected", "cue_share": 0.8, "cue_strength": ["0 mV/ms", "30 mV/ms"]},
}

RULES = {
    "three_factor": {"rate": "2e-4 1/ms"},
    "normalised_three_factor": {"rate": "0.02 1/ms", "surprise_gain": 5.0, "surprise_rate": 0.4},
    "td": {"between_trials": False},
    "two_factor": {"rate": 0.05},
    "surprise_two_factor": {"fastest": 0.3, "slowest": 0.01, "threshold": 7.0, "drift": 0.5},
}
"""Parameters of the rules; those of a rule that is not here are its defaults."""


def configuration(circuit="sequence", when="normalised_three_factor", what="surprise_two_factor", **changes):
    """Return a small configuration; `changes` are keys with ``__`` between tables, as ``when__feedback="0 mV/ms"``."""
    data = {
        "reservoir": dict(CIRCUITS[circuit]),
        "state": {"tau_mean": "500 ms", "tau_power": "300 ms"},
        "when": {
            "rule": {"type": when, **RULES.get(when, {})},
            "gate": {"type": "event_window", "half_width": "30 ms"},
            "feedback": "0.5 mV/ms",
        },
        "what": {"rule": {"type": what, **RULES.get(what, {})}},
        "paradigm": dict(PARADIGM),
        "keep": {"spikes": "all"},
    }
    for key, value in changes.items():
        *tables, last = key.split("__")
        table = data
        for name in tables:
            table = table.setdefault(name, {})
        table[last] = value
    return Configuration.parse(data)


def planned(model, seed=0, **fixed):
    """Return experiment, plan and arrays of one seed; `fixed` are streams with a seed of their own."""
    seeds = Seeds(seed=seed, **fixed)
    experiment = model.paradigm.experiment(seeds.generator("trials"))
    return experiment, *make_plan(model, experiment, seeds)


@functools.lru_cache(maxsize=64)
def outputs(model, device="cpp", seed=0):
    """Return what a device's program returns; run once in a session."""
    _, plan, arrays = planned(model, seed)
    return get(device).prepare(plan).run(arrays)


def spikes(found):
    """Return the spikes as whole microseconds and cells, in order of time, then cell."""
    time = np.round(found["spikes.t"] * 1e6).astype(int)
    order = np.lexsort((found["spikes.i"], time))
    return np.stack([time[order], found["spikes.i"][order]])


def shipped(family):
    """Return the alternatives of a family that the package itself brings, by type."""
    found = family.alternatives()
    return {name: each for name, each in found.items() if each.__module__.startswith(f"{family.package}.")}
