"""
Inhibition that balances, and hides a memory (Vogels et al. 2011)
=================================================================

Inhibitory synapses that learn from near-coincident spikes bring a network from high rates to sparse, irregular firing at a target rate, 3 Hz. Weights within an assembly of cells are then
made five times as strong: the assembly fires more, until inhibition has adapted to it. A cue to a quarter of it recalls all of it. One seed;
`examples/papers/vogels_2011.py` says what differs from the paper, doi 10.1126/science.1211095, and has the controls.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from izhires import simulate

here = Path.cwd().resolve()
sys.path.insert(
    0, str(next(each / "examples/papers" for each in (here, *here.parents) if (each / "examples/papers").is_dir()))
)

import vogels_2011 as paper

recording = simulate(paper.configuration(), seed=0)

# %%
# Rates of the groups over the four phases. Grey lines: inhibition learns; the assembly is made; it stops learning, and the cue comes in every other second.

rates = paper.rates(recording)
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
for name in ("others", "assembly", "cued"):
    axes.plot(rates.index, rates[name], label=name)
for start in paper.starts(recording)[1:-1]:
    axes.axvline(start, color="0.8", zorder=0)
axes.axhline(paper.TARGET, color="0.5", linestyle="--", linewidth=0.8, label="target")
axes.set(xlabel="time (s)", ylabel="rate (Hz)", yscale="log")
figure.legend(loc="outside right center")

# %%
# The same in numbers: inhibition follows excitation from cell to cell (balance, a correlation) only after learning.

print(paper.measured(recording).round(2).to_string())

# %%
# Spikes of the assembly and of as many others, around the first cue.

start = paper.starts(recording)[3]
time, cell = recording["spike_time"].values, recording["spike_neuron"].values
shown = (time > start - 0.5) & (time < start + 1.5) & (cell < 2 * paper.ASSEMBLY)
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
axes.plot(time[shown] - start, cell[shown], "|", markersize=2)
axes.axhspan(0, paper.CUED, color="C1", alpha=0.2, linewidth=0, label="cued")
axes.axhspan(paper.CUED, paper.ASSEMBLY, color="C2", alpha=0.2, linewidth=0, label="assembly")
axes.set(xlabel="time from the cue (s)", ylabel="cell")
axes.legend(loc="upper right")
assert np.isfinite(rates.to_numpy()).all()
