"""
Replicates side by side
=======================

Four seeds run as one network with block-diagonal synapses, and each leaves its own recording. That is how a GPU is filled; here it is done on the CPU, where separate processes are faster. Without noise each recording
is that of its seed alone, bit for bit, which this page checks.
"""

import matplotlib.pyplot as plt
import numpy as np

from izhires import Configuration, simulate
from izhires.running.run import draw, simulate_together

block = {"trials": 30, "latency": {"A": "300 ms", "B": "600 ms"}, "probability": {"A": 0.7, "B": 0.3}}
quiet = {"noise": "0 mV/sqrt(ms)"}
configuration = Configuration(paradigm={"type": "meet", "blocks": [block]}, reservoir=quiet, keep={"spikes": "none"})
together = simulate_together([draw(configuration, seed) for seed in range(4)])

# %%
# Four networks, one program.

figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
for recording in together:
    axes.plot(
        recording.time, recording.prediction.sel(event="A").isel(probe=-1), label=f"seed {recording.attrs['seed']}"
    )
axes.plot(
    recording.time,
    recording.expectation.sel(event="A").isel(probe=-1),
    color="0.4",
    linestyle="--",
    label="expectation",
)
axes.set(xlabel="time from cue (s)", ylabel="prediction of A")
axes.legend()

# %%
# The same seed alone.

alone = simulate(configuration, seed=2)
print("equal to the seed alone:", np.array_equal(alone.prediction.values, together[2].prediction.values))
