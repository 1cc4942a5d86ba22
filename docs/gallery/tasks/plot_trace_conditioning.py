"""
Trace conditioning
==================

A stimulus, a gap, a reward. A readout that learns values by temporal differences releases dopamine by its error: at first at the reward, later at the stimulus, and where the reward stays away
there is a dip (Schultz, Dayan & Montague 1997, doi 10.1126/science.275.5306.1593). 60 trials, one seed, after which the response to the reward is still there; five designs over seeds: :doc:`/paradigms/trace_conditioning`.
"""

import matplotlib.pyplot as plt
import numpy as np

from izhires import Configuration, simulate

design = [{"name": "acquisition", "trials": 60, "probability": {"CS": 0.9}}]
configuration = Configuration.parse(
    {
        # what the readouts see is the spike trace itself: between trials there is next to none, and no value
        "state": {"equations": "s = r/(10*Hz) : 1\nx = r : Hz", "update": ""},
        "when": {"feedback": "0 mV/ms"},
        "readouts": {"value": "value"},
        "neuromodulators": {"dopamine": {"type": "reward_prediction_error", "reward": ["reward"]}},
        "paradigm": {"type": "trace_conditioning", "designs": {"acquisition": design}, "stimuli": {"CS": ["CS"]}},
        "keep": {"spikes": "none", "record": [{"of": "dopamine", "variable": "released", "every": "1 ms"}]},
    }
)
recording = simulate(configuration, seed=100, variant=configuration.paradigm.variants()[0])

# %%
# What is released around the stimulus, in early and in late trials with the reward, and in trials without.

released = recording["dopamine_released"].values.ravel()
time = recording["dopamine_released_time"].values
trained = recording.trial_kind.values == "train"
rewarded = recording.trial_event.values == "reward"
number = np.cumsum(trained) * trained
groups = {
    "first 5 rewarded": trained & rewarded & (number <= 5),
    "rewarded, of the last 15": trained & rewarded & (number > 45),
    "reward omitted, late": trained & ~rewarded & (number > 20),
}
figure, grid = plt.subplots(3, 1, figsize=(7, 5), sharex=True, layout="constrained")
for axes, (name, chosen) in zip(grid, groups.items(), strict=True):
    rows = [np.searchsorted(time, cue - 0.3) for cue in recording.trial_cue.values[chosen]]
    mean = np.mean([released[row : row + 1200] for row in rows], axis=0)
    axes.plot(np.arange(1200) / 1e3 - 0.3, np.convolve(mean, np.ones(20) / 20, "same"))
    axes.set(title=f"{name} ({len(rows)} trials)", ylabel="released")
    for moment in (0, 0.6):
        axes.axvline(moment, color="0.7", linestyle="--", linewidth=0.8)
grid[-1].set_xlabel("time from the stimulus (s); dashed: stimulus, time of the reward")
