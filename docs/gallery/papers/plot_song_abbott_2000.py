"""
Competition by spike timing (Song, Miller & Abbott 2000)
========================================================

A cell hears 1,000 excitatory Poisson inputs through synapses with additive spike-timing-dependent plasticity. Weights drift to either bound, and the rate of the cell is regulated. The published
numbers; 80 s of learning of one network here, where weights have only begun to part (`examples/papers/song_abbott_2000.py` goes on for 500 s, over seeds, with the control in which they do not compete;
doi 10.1038/78829).
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

import song_abbott_2000 as paper

found = {rate: simulate(paper.configuration(rate, "plastic", 80), seed=0) for rate in (20, 40)}

# %%
# Twice the input, and nearly the same rate: where weights are fixed it rises from 5.5 to 211 Hz (the paper's script above).

figure, grid = plt.subplots(1, 2, figsize=(7, 3), layout="constrained")
for rate, recording in found.items():
    course = paper.course(recording)
    grid[0].plot(course.index, course, label=f"inputs of {rate} Hz")
    start, end = recording["excites_weight"].values / paper.LARGEST
    grid[1].hist(end, np.linspace(0, 1, 26), histtype="step", label=f"end, {rate} Hz")
grid[1].hist(start, np.linspace(0, 1, 26), histtype="step", color="0.6", label="start")
grid[0].set(xlabel="time (s)", ylabel="rate of the cells (Hz)", yscale="log")
grid[1].set(xlabel="weight / largest weight", ylabel="synapses")
for axes in grid:
    axes.legend()
