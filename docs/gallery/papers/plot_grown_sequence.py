"""
A sequence that grows (after Jun & Jin 2007)
============================================

A network that is random at birth hears a cue while its synapses are plastic. Local rules give each cell few strong synapses, and a sequence grows from the cells that the cue reaches. Short here: 150 trials
instead of 600, one seed, so that the sequence is short; the circuit ``grown`` and what it can do in the task are told of in :doc:`/science`. After Jun & Jin (2007), doi 10.1371/journal.pone.0000723;
all sizes assumed.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np

from izhires import Seeds, simulate
from izhires.circuits import development
from izhires.circuits.grown import Grown

warnings.filterwarnings("ignore")
circuit = Grown().with_changes(**{"development.trials": 150})

# %%
# The stage before the task is a configuration of this package like any other.

stage = development.stage(circuit, Seeds(seed=0))
grown = simulate(stage.with_changes(**{"keep.spikes": "all"}))
print(grown.izhires)
time, cell = grown["spike_time"].values, grown["spike_neuron"].values
cue = grown["trial_cue"].values

# %%
# Spikes after the cue in an early and a late trial; cells in the order of their first spike in the late one.

figure, grid = plt.subplots(1, 2, figsize=(7, 3), sharey=True, layout="constrained")
first = np.full(grown.sizes["neuron"], np.inf)
late = (time > cue[-1]) & (time < cue[-1] + 1)
for moment, who in zip(time[late][::-1], cell[late][::-1], strict=True):
    first[who] = moment
place = np.argsort(np.argsort(first))
for axes, onset, name in ((grid[0], cue[len(cue) // 10], "early"), (grid[1], cue[-1], "late")):
    shown = (time > onset - 0.1) & (time < onset + 1)
    axes.plot(time[shown] - onset, place[cell[shown]], "|", markersize=2)
    axes.set(title=name, xlabel="time from cue (s)")
grid[0].set_ylabel("cell, by its first spike in the late trial")
