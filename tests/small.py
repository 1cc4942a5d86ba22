"""A small network and a short task, which the tests of the simulation share, so that they share builds too."""

from __future__ import annotations

import numpy as np

from izhires.configuration import Configuration
from izhires.plan import make_plan
from izhires.seeds import Seeds

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

SEQUENCE = {
    "type": "sequence",
    "n": 100,
    "groups": 8,
    "random_degree": 6,
    "inhibitory_degree": 5,
    "inhibition_degree": 10,
    "noise": "0 mV/sqrt(ms)",
    "bias_excitatory": ["3 mV/ms", "6 mV/ms"],
    "bias_inhibitory": ["3 mV/ms", "6 mV/ms"],
}

RANDOM = {
    "type": "random",
    "n": 100,
    "out_degree": 10,
    "noise": "0 mV/sqrt(ms)",
    "adaptation": ["50 ms", "200 ms"],
    "bias_excitatory": ["3 mV/ms", "8 mV/ms"],
    "weight_excitation": "0.5 mV/ms",
    "weight_inhibition": "1 mV/ms",
    "delay": "1.5 ms",
}

STATE = {"tau_mean": "500 ms", "tau_power": "300 ms"}


def configuration(reservoir=SEQUENCE, when=None, what=None, state=None, paradigm=None, **other):
    """Return a small configuration; the arguments are added to the tables above."""
    data = {
        "reservoir": reservoir,
        "state": {**STATE, **(state or {})},
        "when": when or {},
        "what": what or {},
        "paradigm": {**PARADIGM, **(paradigm or {})},
        "keep": {"spikes": "all"},
        **other,
    }
    return Configuration.parse(data)


def planned(model, seed=0):
    """Return experiment, plan and arrays of one seed."""
    seeds = Seeds(seed=seed)
    experiment = model.paradigm.experiment(seeds.generator("trials"))
    return experiment, *make_plan(model, experiment, seeds)


def by_time(outputs):
    """Return the spikes as whole microseconds and cells, in order of time, then cell."""
    time = np.round(outputs["spikes.t"] * 1e6).astype(int)
    order = np.lexsort((outputs["spikes.i"], time))
    return time[order], outputs["spikes.i"][order]
