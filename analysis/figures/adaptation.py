"""How the network adapts after a switch: learning rates beside the exact observer's, time constants, overshoot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure, part_values
from izhires.analysis.figures.observers import LABELS, colours
from izhires.analysis.metrics.base import ALL_EVENTS
from izhires.analysis.metrics.observers import NETWORK
from izhires.analysis.statistics import POSITIVE, spread_over_seeds

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

LEARNERS = {"": LABELS[NETWORK], "bayes_": LABELS["bayes"], "bayes_told_": LABELS["bayes_told"]}
STRETCHES = {"early": "first 20 trials", "late": "after 50 trials"}


def prepare(recordings: Sequence[xr.Dataset], table: pd.DataFrame) -> Tables:
    """Return learning rates by block, and time constants and overshoots by switch: each seed, mean and interval."""
    first = selection.one_condition(recordings)[0]
    switched = selection.blocks(first)[1:]
    if not switched:
        raise Unavailable("needs a switch; the recordings have one block")
    rates = part_values(table, "learning_rate", [f"{who}{when}" for who in LEARNERS for when in STRETCHES])
    rates["stretch"] = rates["part"].str.rpartition("_")[2]
    rates["who"] = rates["part"].str.removesuffix("early").str.removesuffix("late")
    tau = part_values(table, "adaptation", ["tau"])
    tau = tau[tau["event"] == ALL_EVENTS]
    tables = {
        "rate": spread_over_seeds(rates, ["who", "stretch", "block"], "value"),
        "tau": tau[["seed", "block", "value"]],
        "tau_mean": spread_over_seeds(tau, ["block"], "value", POSITIVE),
        "switches": pd.DataFrame([(block, selection.switch(first, block)) for block in switched],
                                 columns=["block", "new"]),
    }  # fmt: skip
    try:
        beyond = part_values(table, "adaptation", ["overshoot", "overshoot_settled"])
        tables["overshoot"] = spread_over_seeds(beyond, ["part", "block", "event"], "value")
    except Unavailable:
        pass
    return tables


@figure(
    "adaptation",
    title="Adaptation after switches",
    caption=(
        "Effective learning rate of the probability that is expected, over the first 20 trials of each block: the "
        "network beside exact Bayesian observers of the same trials; mean and spread over seeds.",
        "The same over the trials after the first 50.",
        "Time constant of an exponential fitted to the error after each switch: each seed a point, mean and "
        "spread over seeds (seeds whose error does not fall like an exponential are left out).",
        "Overshoot of the amplitude of each event as a fraction of its change, beside the fluctuation that stays once "
        "it has settled (grey): an overshoot is larger than that. Where latency and probability change together, a "
        "time that is learned before the probability shows as one: the old amplitude stands at the new latency for a "
        "while.",
    ),
    alt=(
        "Point plots by block of the learning rate of the network and of exact observers, early and late in a block, "
        "of the time constant of recovery, and of the overshoot."
    ),
    prepare=prepare,
    metrics=("learning_rate", "adaptation"),
    height=lambda tables, width: 110.0 if width < 170 else 66.0,
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw learning rates, time constants and overshoots."""
    count = 4 if "overshoot" in prepared else 3
    panels = style.tiles(made, count, 42)
    colour = {f"{who}_": ink for who, ink in colours(["bayes", "bayes_told"]).items()} | {"": style.BLACK}
    rate = prepared["rate"]
    top = 1.1 * float(rate[["mean", "high"]].to_numpy(float)[~rate[["mean", "high"]].isna()].max())
    for axes, (stretch, words) in zip(panels, STRETCHES.items(), strict=False):
        for shift, (who, label) in zip((-0.2, 0, 0.2), LEARNERS.items(), strict=True):
            own = rate[(rate["stretch"] == stretch) & (rate["who"] == who)]
            if len(own):
                style.points(axes, own["block"].astype(float) + shift, own, color=colour[who], label=label)
        style.whole_ticks(axes, rate["block"].astype(int).tolist())
        axes.set(xlabel="block", ylabel="learning rate")
        axes.set_title(words)
        axes.set_ylim(min(0, 1.1 * float(rate[["mean", "low"]].min().min())), top)
    axes, tau = panels[2], prepared["tau"]
    axes.plot(tau["block"].astype(float) - 0.12, tau["value"], ".", color=style.GREY, label="each seed")
    style.points(axes, prepared["tau_mean"]["block"].astype(float) + 0.12, prepared["tau_mean"], color=style.BLACK)
    axes.set_title("recovery of the error")
    axes.set(xlabel="block after the switch", ylabel="time constant (trials)")
    axes.set_ylim(0, 1.1 * float(np.nanmax([tau["value"].max(), prepared["tau_mean"]["high"].max()])))
    style.whole_ticks(axes, prepared["switches"]["block"].tolist())
    if count == 4:
        axes, table = panels[3], prepared["overshoot"]
        events = sorted(set(table["event"]))
        for k, (event, shade) in enumerate(zip(events, "sD^vP", strict=False)):
            for part, ink, shift in (("overshoot", style.BLACK, -0.2), ("overshoot_settled", style.GREY, 0.05)):
                own = table[(table["event"] == event) & (table["part"] == part)]
                words = f"overshoot of {event}" if part == "overshoot" else f"settled fluctuation of {event}"
                style.points(axes, own["block"].astype(float) + shift + 0.12 * k, own, color=ink, marker=shade,
                             label=words)  # fmt: skip
        axes.set_title("overshoot")
        axes.set(xlabel="block after the switch", ylabel="fraction of the change")
        axes.set_ylim(bottom=min(0.0, 1.1 * float(table[["mean", "low"]].min().min())))
        style.whole_ticks(axes, prepared["switches"]["block"].tolist())
    seeds = int(rate["seeds"].max())
    style.legend_below(made, panels, 4 if style.width(made) > 120 else 2, seeds, spread="bars")
    return panels
