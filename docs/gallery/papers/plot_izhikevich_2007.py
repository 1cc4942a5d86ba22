"""
Distal reward (Izhikevich 2007)
===============================

Pairs of spikes leave an eligibility at a synapse, and dopamine that comes later makes a change of the weight of it. Shown at one synapse after the other of a small network: the eligibility after each
pair, the dopamine at every reward, and the weight, which moves only where both are there. The experiment of the paper, an hour in which one of thousands of synapses earns all rewards, is
`examples/papers/izhikevich_2007.py` (doi 10.1093/cercor/bhl152), with its control.
"""

import matplotlib.pyplot as plt
import numpy as np

from izhires import Configuration, simulate

record = [
    {"of": "forward", "variable": name, "elements": list(range(200)), "every": "10 ms"} for name in ("w", "eligibility")
]
configuration = Configuration.parse(
    {
        "paradigm": {
            "type": "meet",
            "probes": [],
            "blocks": [{"trials": 20, "latency": {"A": "800 ms"}, "probability": {"A": 0.5}, "omission": 0.5}],
        },
        "when": {"feedback": "0 mV/ms"},
        "populations": {"sensory": {"n": 100, "cue_share": 1.0, "cue_strength": ["20 mV/ms", "40 mV/ms"]}},
        "neuromodulators": {"dopamine": {"type": "release", "tau_decay": "200 ms"}},
        "connections": {
            "forward": {
                "from": "sensory", "to": "cells", "wiring": {"degree": 10}, "weight": "1 mV/ms", "learns": "1",
                "plasticity": {"type": "modulated_stdp", "w_max": "4 mV/ms"},
            }
        },
        "keep": {"record": [*record, {"of": "dopamine", "variable": "level", "every": "10 ms"}]},
    }
)  # fmt: skip
recording = simulate(configuration, seed=0)

# %%
# The synapse whose weight changed most, of 200 that were recorded, and one that was never eligible when a reward came.

weight = recording["forward_w"].values
eligible = recording["forward_eligibility"].values
level = recording["kept_dopamine_level"].values.ravel()  # that of the probes is recorded under the shorter name
time = recording["forward_w_time"].values
change = np.abs(weight[-1] - weight[0])
figure, grid = plt.subplots(3, 1, figsize=(7, 5), sharex=True, layout="constrained")
for synapse, name in ((change.argmax(), "most changed"), (change.argmin(), "least changed")):
    grid[0].plot(time, eligible[:, synapse], linewidth=0.8, label=name)
    grid[2].plot(time, weight[:, synapse] - weight[0, synapse], label=name)
grid[1].plot(recording["dopamine_level_time"], level, color="C2")
for axes, text in zip(grid, ("eligibility", "dopamine", "change of the\nweight (mV/ms)"), strict=True):
    axes.set_ylabel(text)
grid[0].legend(bbox_to_anchor=(1, 1), loc="upper left")
grid[2].set_xlabel("time (s)")
