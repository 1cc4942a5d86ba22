"""
What is asked: tasks and their truth
====================================

A paradigm makes a table of trials and knows the statistics they are drawn from, so that what a network should expect is known before anything is simulated. Nothing is simulated here.
"""

import matplotlib.pyplot as plt
import numpy as np

from izhires.paradigms import Foreperiod, Meet, Oddball

# %%
# Blocks of two events: probability times a bump at the latency, and every trial.

experiment = Meet().experiment(np.random.default_rng(100))
print(experiment)
experiment.plot()

# %%
# A foreperiod drawn evenly between 300 and 900 ms. Its hazard, the probability that the target comes now if it has not come so far, rises to the end.

variants = Foreperiod().variants()
experiment = Foreperiod().experiment(np.random.default_rng(100), variants[0])
times = np.arange(0, experiment.window, 1e-3)
figure, grid = plt.subplots(1, 2, figsize=(7, 2.6), layout="constrained")
grid[0].plot(times, experiment.blurred_probability(0, times)[0])
grid[1].plot(times, experiment.blurred_hazard(0, times)[0])
for axes, name in zip(grid, ("blurred probability (1/s)", "blurred hazard (1/s)"), strict=True):
    axes.set(xlabel="time from cue (s)", ylabel=name, title=variants[0])

# %%
# An oddball stream: how surprising is each stimulus, to somebody who knows the probabilities, and to somebody who counts?

experiment = Oddball().experiment(np.random.default_rng(100), Oddball().variants()[0])
figure, axes = plt.subplots(figsize=(7, 2.6), layout="constrained")
axes.plot(experiment.shannon_surprise()[:100], ".", label="Shannon surprise")
axes.plot(experiment.bayesian_surprise()[:100], ".", label="Bayesian surprise of a counter")
axes.set(xlabel="stimulus", ylabel="nat")
axes.legend()
