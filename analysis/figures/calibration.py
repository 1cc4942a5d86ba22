"""Amplitude of the prediction against probability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure
from izhires.analysis.metrics.calibration import levels, pearson
from izhires.analysis.statistics import nonnegative, spread_over_seeds

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


def prepare(recordings: Sequence[xr.Dataset]) -> Tables:
    """Return the amplitude of each event, level and seed, its mean over seeds, and the pooled correlations."""
    table = levels(recordings)
    correlation = [
        {"event": event, "r": pearson(group["level"].to_numpy(), group["amplitude"].to_numpy()), "points": len(group)}
        for event, group in table.groupby("event", sort=False)
    ]
    return {
        "amplitude": table,
        "mean": spread_over_seeds(
            table, ["event", "level", "probability"], "amplitude", nonnegative(table["amplitude"])
        ).sort_values(["event", "level"]),
        "correlation": pd.DataFrame(correlation),
    }


@figure(
    "calibration",
    title="Amplitude against probability",
    caption=(
        "Amplitude of the prediction of each event after training at one level of probability, a fresh "
        "network a level: each seed (points), mean and spread over seeds (line and band). Dashed: amplitude "
        "equal to the probability of that event. r: Pearson's correlation with the probability of the first"
        " event over all levels and seeds."
    ),
    alt=(
        "Scatter plot of the amplitude of the prediction of each event against the probability of the first event, "
        "with the mean over seeds, its interval, and the line of perfect calibration."
    ),
    prepare=prepare,
    needs=("prediction", "outcome_latency", "trial_event"),
    columns=1,
    height=80,
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw amplitudes against the probability of the first event."""
    axes = made.subplots()
    table, means = prepared["amplitude"], prepared["mean"]
    events = list(dict.fromkeys(table["event"]))
    r = prepared["correlation"].set_index("event")["r"]
    for event, colour in style.colours(events).items():
        here, own = means[means["event"] == event], table[table["event"] == event]
        axes.plot(own["level"], own["amplitude"], linestyle="", marker="o", markersize=2, alpha=0.5, color=colour)
        words = f"{style.shown(event)}: r = {style.signed(r[event], 3)}"
        style.band(axes, here, "level", color=colour, label=words)
    for number, event in enumerate(events):
        here = means[means["event"] == event]
        axes.plot(here["level"], here["probability"], color=style.GREY, linestyle=(0, (4, 2)), linewidth=0.8, zorder=1,
                  label=None if number else "probability")  # fmt: skip
    axes.set(xlabel=f"probability of {events[0]}", ylabel="amplitude of the prediction", xlim=(-0.03, 1.03))
    drawn = pd.concat([table["amplitude"], means["low"], means["high"]])
    axes.set_ylim(min(0, drawn.min()) - 0.03, max(1, drawn.max()) + 0.05)
    style.legend_below(made, axes, len(events) + 1, table["seed"].nunique(), spread="bands")
    return [axes]
