"""
Ready, set, go
==============

Two signals mark an interval, and an equal one is to be produced after the second. The default chain of groups cannot: its second wave knows nothing of the first, so what follows set is the same after every
interval (:doc:`/paradigms/interval_reproduction` has the networks that can in part, over seeds). 60 trials of one prior, one seed.
"""

import matplotlib.pyplot as plt
import numpy as np

from izhires import Configuration, simulate
from izhires.analysis import all_metrics

prior = ["600 ms", "700 ms", "800 ms", "900 ms", "1000 ms"]
task = {"type": "interval_reproduction", "priors": {"mine": prior}, "trials": 60, "rounds": 2}
recording = simulate(Configuration(paradigm=task, keep={"spikes": "none"}), seed=100, variant="mine")

# %%
# What is predicted after set, for each interval between ready and set, in the last round of probes. A network that measured intervals would have five peaks.

last = recording.isel(probe=slice(-len(prior), None))
figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
for probe, colour in zip(range(len(prior)), plt.cm.viridis(np.linspace(0, 0.9, len(prior))), strict=True):
    here = last.isel(probe=probe)
    axes.plot(recording.time, here.prediction.isel(event=0), color=colour)
    axes.plot(recording.time, here.expectation.isel(event=0), color=colour, linestyle="--", linewidth=0.7)
axes.set(xlabel="time from set (s)", ylabel="prediction of go (dashed: truth)")

# %%
# The metric says it in numbers: a slope of 1 would be veridical, 0 is one and the same time.

for row in all_metrics()["interval_reproduction"].rows([recording]):
    if row.part in ("slope", "slope_chance"):
        print(row.part, round(row.value, 2))
