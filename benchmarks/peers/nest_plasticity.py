"""Plastic synapses of NEST under given spike trains: what its rules make of each weight, spike by spike.

    python benchmarks/peers.py --make
    ENVIRONMENT_OF_NEST/bin/python benchmarks/peers/nest_plasticity.py > tests/data/nest_plasticity.json

Prints trains, parameters and weights as JSON; `tests/test_nest.py` holds this package's rules against them. Needs NEST
and numpy only. NEST has the whole delay in the dendrite, this package in the axon; so cells that send fire here
2 ms later (both delays) than there, and every pair of spikes meets at the synapse after the same time.
"""

import json
import sys

import nest
import numpy as np

DT = 0.5
DELAY = 1.0
DURATION = 2000.0
ROWS = 4
W_MAX = 2.0
START = 0.5

RULES = {
    "stdp additive": (
        "stdp_synapse",
        {"lambda": 0.02, "alpha": 1.2, "mu_plus": 0.0, "mu_minus": 0.0, "tau_plus": 17.0, "Wmax": W_MAX},
        {"tau_minus": 34.0},
    ),
    "stdp soft": (
        "stdp_synapse",
        {"lambda": 0.05, "alpha": 0.8, "mu_plus": 0.4, "mu_minus": 0.4, "tau_plus": 20.0, "Wmax": W_MAX},
        {"tau_minus": 20.0},
    ),
    "triplet": (
        "stdp_triplet_synapse",
        {"Aplus": 0.005, "Aplus_triplet": 0.0062, "Aminus": 0.007, "Aminus_triplet": 0.0023, "tau_plus": 16.8,
         "tau_plus_triplet": 101.0, "Wmax": W_MAX},
        {"tau_minus": 33.7, "tau_minus_triplet": 125.0},
    ),
    "inhibitory": (
        "vogels_sprekeler_synapse",
        {"eta": 0.01, "alpha": 0.24, "tau": 20.0, "Wmax": -W_MAX},
        {"tau_minus": 20.0},
    ),
    "short_term": ("tsodyks2_synapse", {"U": 0.3, "u": 0.3, "tau_rec": 400.0, "tau_fac": 600.0}, {}),
    "modulated_stdp": (
        "stdp_dopamine_synapse",
        {"A_plus": 0.03, "A_minus": 0.02, "tau_plus": 20.0, "tau_c": 700.0, "tau_n": 200.0, "b": -0.1, "Wmax": W_MAX,
         "Wmin": 0.0},
        {"tau_minus": 20.0},
    ),
}  # fmt: skip
"""By name: NEST's synapse, its parameters, and those of the target cell."""


def trains(rng, phase):
    """Return spike times of `ROWS` cells, ms: none of a cell on either side falls on one of the other."""
    steps = np.arange(20, round(DURATION / DT) - 40)
    steps = steps[steps % 2 == phase]
    return [(steps[rng.random(len(steps)) < 0.025] * DT).tolist() for _ in range(ROWS)]


def weights(synapse, parameters, cell, before, after):
    """Return the weight that each spike of `before` meets, as NEST sends it."""
    nest.ResetKernel()
    nest.resolution = 0.1
    recorder = nest.Create("weight_recorder")
    further = {}
    if synapse == "stdp_dopamine_synapse":
        transmitter = nest.Create("volume_transmitter")
        further["volume_transmitter"] = transmitter
    start = -START if synapse == "vogels_sprekeler_synapse" else START
    known = {"weight_recorder": recorder, "weight": start, **further, **parameters}
    nest.CopyModel(synapse, "recorded", known)
    sources, targets = nest.Create("parrot_neuron", ROWS), nest.Create("parrot_neuron", ROWS, params=cell or None)
    shift = 2 * DELAY
    for parrots, times, later in ((sources, before, shift), (targets, after, 0.0)):
        given = [{"spike_times": np.round(np.asarray(each) + later, 1)} for each in times]
        nest.Connect(nest.Create("spike_generator", ROWS, params=given), parrots, "one_to_one", {"delay": 1.0})
    # at the second port a parrot does not repeat what it hears
    way = {"synapse_model": "recorded", "delay": DELAY}
    if synapse == "tsodyks2_synapse":
        nest.Connect(sources, nest.Create("iaf_psc_alpha", ROWS), "one_to_one", way)
    else:
        nest.Connect(sources, targets, "one_to_one", {**way, "receptor_type": 1})
    nest.Simulate(DURATION + 20)
    found = recorder.get("events")
    first = sources[0].global_id
    return [found["weights"][found["senders"] == first + row].tolist() for row in range(ROWS)]


def main():
    """Print all."""
    rng = np.random.default_rng(14)
    before, after = trains(rng, 0), trains(rng, 1)
    found = {
        "command": " ".join(["python", "benchmarks/peers/nest_plasticity.py"]),
        "nest": nest.__version__, "dt": DT, "delay": DELAY, "duration": DURATION, "w_max": W_MAX, "start": START,
        "before": before, "after": after,
        "rules": {
            name: {"synapse": synapse, "parameters": parameters, "cell": cell,
                   "weights": weights(synapse, parameters, cell, before, after)}
            for name, (synapse, parameters, cell) in RULES.items()
        },
    }  # fmt: skip
    json.dump(found, sys.stdout, indent=None)
    print()


if __name__ == "__main__":
    main()
