"""
A neuromodulator with kinetics
==============================

How the level of a substance rises and falls after what releases it: the equations of :doc:`/reference/names`, solved with the declared kinetics of each substance, and nothing simulated. A gate that must be
open within a hundred milliseconds of an event cannot wait for acetylcholine, and serotonin outlasts several trials. How slow it may be: :doc:`/neuromodulation`.
"""

import matplotlib.pyplot as plt
import numpy as np

from izhires import Neuromodulator

known = Neuromodulator.alternatives()
time = np.arange(0, 4000)  # ms; a release of 1 at 0, and another one after a trial of 1.5 s
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
for name in ("dopamine", "noradrenaline", "acetylcholine", "serotonin"):
    dashes = "--" if name == "noradrenaline" else "-"  # which has the kinetics of dopamine here
    substance = known[name]()
    a = np.exp(-1 / substance.tau_rise) if substance.tau_rise else 0.0
    b = np.exp(-1 / substance.tau_decay)
    pool = level = 0.0
    course = []
    for now in time:
        pool = pool * a + (now in (0, 1500))
        level = level * b + (1 - a) * pool
        course.append(level)
    axes.plot(time, course, dashes, label=f"{name}: {substance.tau_rise:g}, {substance.tau_decay:g} ms")
axes.set(xlabel="time from the first release (ms)", ylabel="level above its tonic one")
figure.legend(title="rise, decay", loc="outside right center")

# %%
# The closed form is a difference of exponentials; the step of 1 ms of the readouts is exact for it.

substance = known["dopamine"]()
a, b = np.exp(-1 / substance.tau_rise), np.exp(-1 / substance.tau_decay)
n = np.arange(1500)
closed = (1 - a) * (b ** (n + 1) - a ** (n + 1)) / (b - a)
pool, level, stepped = 0.0, 0.0, []
for now in n:
    pool = pool * a + (now == 0)
    level = level * b + (1 - a) * pool
    stepped.append(level)
print(f"largest difference between the steps and the closed form: {np.abs(closed - stepped).max():.1e}")
