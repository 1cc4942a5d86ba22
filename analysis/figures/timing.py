"""When the prediction peaks, and how wide it is, against the latency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure, part_values
from izhires.analysis.metrics.distribution import widths
from izhires.analysis.statistics import POSITIVE, spread_over_seeds, t_interval

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


def prepare(recordings: Sequence[xr.Dataset], table: pd.DataFrame) -> Tables:
    """Return peak error and width of each seed, event and block, their mean over seeds, and the slope of the width."""
    measured = [
        widths(recording).assign(seed=selection.seed(recording), variant=str(recording.attrs.get("variant", "")))
        for recording in recordings
    ]
    width = pd.concat(measured, ignore_index=True).dropna()
    names = selection.events(recordings[0])  # so that an event has the colour that it has in other figures
    width = width.sort_values("event", key=lambda events: events.map(names.index), kind="stable")
    if width["latency"].nunique() < 2:
        raise Unavailable(f"needs predictions at two or more latencies, got {width['latency'].nunique()}")
    peak = part_values(table, "peak_error", ["signed"]).rename(columns={"value": "peak"})
    keys = ["variant", "seed", "block", "event"]
    every = width.merge(peak.drop(columns="part"), on=keys, how="left").rename(columns={"deviation": "width"})
    slopes = part_values(table, "scalar_timing", ["slope", "exponent", "cv"])
    found = []
    for part, own in slopes.groupby("part", sort=False):
        mean, low, high = t_interval(own["value"])
        found.append({"part": part, "mean": mean, "low": low, "high": high, "seeds": own["seed"].nunique()})
    # several events and blocks at one latency: the mean of a seed first
    seeds = every.groupby(["seed", "latency"])[["width", "peak"]].mean().reset_index()
    return {
        "measured": every[["variant", "seed", "block", "event", "latency", "width", "peak"]],
        "width": spread_over_seeds(seeds, ["latency"], "width", POSITIVE).sort_values("latency"),
        "peak": spread_over_seeds(seeds, ["latency"], "peak").sort_values("latency"),
        "scalar": pd.DataFrame(found),
        "truth": pd.DataFrame({"event_width": [1e3 * float(recordings[0].attrs["event_width"])]}),
    }


@figure(
    "timing",
    title="Peak and width of the prediction against latency",
    caption=(
        "Time of the predicted peak less the latency at the last probe of each block: each seed, event and block a "
        "point; black: mean and spread over seeds.",
        "Width of the prediction (full width at half maximum / 2.355). Dashed: width of the expectation, the same at "
        "all latencies; dotted: width in proportion to the latency (scalar timing) at the mean coefficient of "
        "variation. Number: slope of width on latency and its 95% t-interval over seeds, 0 for the expectation.",
    ),
    alt="Scatter plots of the error of the predicted peak, and of the width of the prediction, against latency.",
    prepare=prepare,
    needs=("prediction", "outcome_latency"),
    metrics=("peak_error", "scalar_timing"),
    height=lambda tables, width: 66.0 if width > 75 else 110.0,
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw peak error and width against latency."""
    panels = style.tiles(made, 2, 38)
    every, scalar = prepared["measured"], prepared["scalar"].set_index("part")
    colour = style.colours(list(dict.fromkeys(every["event"])))
    rng = np.random.default_rng(0)
    every = every.assign(place=every["latency"] + rng.uniform(-8, 8, len(every)))
    for axes, name in zip(panels, ("peak", "width"), strict=True):
        for event, shade in colour.items():
            own = every[every["event"] == event]
            label = f"{style.shown(event)}, each seed and block"
            axes.plot(own["place"], own[name], ".", color=shade, alpha=0.6, label=label)
        mean = prepared[name]
        style.points(axes, mean["latency"], mean, color=style.BLACK, label="mean over seeds")
        axes.set_xlabel("latency (ms)")
        reach = float(every["latency"].max() - every["latency"].min())
        axes.set_xlim(every["latency"].min() - 0.12 * reach, every["latency"].max() + 0.12 * reach)
        style.few_ticks(axes)
    panels[0].axhline(0, color=style.GREY, linewidth=0.6, linestyle=(0, (4, 2)))
    panels[0].set_ylabel("peak less latency (ms)")
    true = float(prepared["truth"]["event_width"].iloc[0])
    axes = panels[1]
    axes.axhline(true, color=style.GREY, linestyle=(0, (4, 2)), linewidth=0.9, label="expectation")
    late = np.array(axes.get_xlim())
    axes.plot(late, scalar.loc["cv", "mean"] * late, color=style.GREY, linestyle=(0, (1, 1.5)), label="scalar timing")
    axes.set_ylabel("width (ms)")
    largest = [every["width"].max(), prepared["width"]["high"].max(), true, float(scalar["mean"]["cv"]) * late[1]]
    axes.set_ylim(0, 1.25 * np.nanmax(np.array(largest, float)))
    slope, low, high = (float(scalar[column]["slope"]) for column in ("mean", "low", "high"))
    interval = "" if np.isnan(low) else f"\n[{style.signed(low, 3)}, {style.signed(high, 3)}]"
    axes.text(0.97, 0.03, f"slope {style.signed(slope, 3)}{interval}", transform=axes.transAxes, ha="right",
              va="bottom")  # fmt: skip
    style.legend_below(made, panels, 4 if style.width(made) > 120 else 2, every["seed"].nunique(), spread="bars")
    return panels
