"""
A rule of one's own
===================

An equation string and a few declared facts make a learning rule. This one averages all trials so far, so it is calibrated in a world that stays, and slow in one that changes; the model's
rule lets surprise set its rate back. One seed; over seeds: `examples/own_rule.py`.
"""

from typing import Literal

import matplotlib.pyplot as plt

from izhires import Configuration, Rule, simulate


class Decaying(Rule):
    """Two-factor rule whose rate falls as 1/(1 + trials)."""

    type: Literal["decaying"] = "decaying"
    schedule = "trial"
    equations = "trials : 1\nstep : second**2"
    channel_update = "step = learning*error/(1 + trials)/(power + 1*Hz**2)\ntrials += learning"
    weight_update = "w += step_post*x_pre"
    source = "this page"


latency = {"A": "300 ms", "B": "600 ms"}
blocks = [
    {"trials": 30, "latency": latency, "probability": {"A": 0.8, "B": 0.2}},
    {"trials": 30, "latency": latency, "probability": {"A": 0.2, "B": 0.8}},
]
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
for rule in ("surprise_two_factor", "decaying"):
    configuration = Configuration(paradigm={"type": "meet", "blocks": blocks}, what={"rule": rule})
    recording = simulate(configuration, seed=0)
    axes.plot(recording.probe_trial, recording.what.sel(event="A"), marker=".", label=rule)
axes.step([0, 30, 60], [0.8, 0.8, 0.2], color="0.5", linestyle="--", label="true probability of A")
axes.set(xlabel="training trials", ylabel="what(A)")
axes.legend()
