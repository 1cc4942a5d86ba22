"""
Probability, or hazard?
=======================

A target follows a cue after a wait that is drawn evenly. Somebody who waits should expect it more and more, since it must come: the hazard. What does a rule learn that corrects errors at every
moment? The default is fast, and predicts the last trial; a slow rule with an open gate averages over trials, and nears the probability with more of them than here. One seed, 80 trials; over seeds and distributions:
:doc:`/paradigms/foreperiod`.
"""

import matplotlib.pyplot as plt
import numpy as np

from izhires import Configuration, simulate

block = {"name": "uniform", "distribution": {"kind": "uniform"}}
task = {"type": "foreperiod", "blocks": [block], "separate": False, "trials": 80}
slow = {"rule": {"type": "normalised_three_factor", "rate": "0.001 1/ms", "surprise_gain": 0.0}, "gate": "open"}
found = {}
for name, when in (("default", {}), ("slow rule, open gate", slow)):
    configuration = Configuration.parse({"paradigm": task, "when": when, "keep": {"spikes": "none"}})
    found[name] = simulate(configuration, seed=100)

# %%
# Timing predictions, mean of the last five probes, each over its own maximum, beside the truth.

experiment = configuration.paradigm.experiment(np.random.default_rng(100))
times = found["default"]["time"].values
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
for name, recording in found.items():
    course = recording.when.isel(event=0, probe=slice(-5, None)).mean("probe").clip(min=0)
    axes.plot(times, course / course.max(), label=name)
for name, course in (
    ("probability", experiment.blurred_probability(0, times)),
    ("hazard", experiment.blurred_hazard(0, times)),
):
    inside = times < 0.95
    axes.plot(times[inside], course[0][inside] / course[0][inside].max(), linestyle="--", label=f"blurred {name}")
axes.set(xlabel="time from cue (s)", ylabel="relative to its maximum")
figure.legend(loc="outside right center")
