"""Error against training trials, with its bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure
from izhires.analysis.metrics.base import ALL_EVENTS
from izhires.analysis.metrics.prediction import best_fit, by_event, rmse
from izhires.analysis.statistics import POSITIVE, at_the_same, spread_over_seeds

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


def prepare(recordings: Sequence[xr.Dataset]) -> Tables:
    """Return the error over the first block (mean and interval over seeds) and the bounds."""
    rows, bounds = [], []
    for recording in selection.one_condition(recordings):
        seed, block = selection.seed(recording), selection.blocks(recording)[0]
        here = recording.isel(probe=selection.probes(recording, block))
        if len(here["probe"]) < 3:
            raise Unavailable("needs at least three probes in the first block")
        errors = by_event(here["prediction"], here["expectation"])[ALL_EVENTS].values
        rows += [{"seed": seed, "trial": int(trial), "error": float(error)}
                 for trial, error in zip(here["block_trial"].values, errors, strict=True)]  # fmt: skip
        last = here["expectation"].isel(probe=-1)
        bounds.append({"seed": seed, "bound": "zero output", "error": float(rmse(0 * last, last))})
        try:
            fit = best_fit(recording, block, held_out=True)
        except Unavailable:
            continue
        bounds.append({"seed": seed, "bound": "fitted readout", "error": float(rmse(fit, last.sel(time=fit["time"])))})
    course = at_the_same(pd.DataFrame(rows).assign(block=0), ["block"], "trial", "error")
    return {
        "error": spread_over_seeds(course, ["trial"], "error", POSITIVE).sort_values("trial"),
        "bounds": spread_over_seeds(pd.DataFrame(bounds), ["bound"], "error", POSITIVE),
    }


@figure(
    "learning_curve",
    title="Learning curve",
    caption=(
        "Root mean square error of the cue-only prediction against the expectation over the first block, "
        "all events together: mean and spread over seeds. Zero output: a network that predicts "
        "nothing. Fitted readout: ridge regression of the expectation on the states of the other recorded "
        "probes, scored on the last probe of the block."
    ),
    alt="Line chart of error against training trials, with the bounds of a silent and of a fitted readout.",
    prepare=prepare,
    columns=1,
    height=66,
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw error against trial; logarithmic from trial 1 on where there is a probe after it."""
    axes = made.subplots()
    table = prepared["error"]
    style.band(
        axes, table, "trial", color=style.colours(["error"])["error"], marker="o", markersize=2.2, label="prediction"
    )
    bounds = prepared["bounds"].set_index("bound")["mean"].to_dict()
    for (name, level), dashes in zip(bounds.items(), ((0, (4, 2)), (0, (1, 1.5))), strict=False):
        axes.axhline(float(level), color=style.GREY, linestyle=dashes, label=name)
    last = int(table["trial"].max())
    if 1 in set(table["trial"]):  # probes from the first trial on: their first steps need room
        axes.set_xscale("symlog", linthresh=1, linscale=0.5)
        ticks = [tick for tick in (0, 1, 3, 10, 30, 100, 300, 1000, 3000) if tick <= last]
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.set_xticks([], minor=True)
        axes.set_xlim(-0.15, last * 1.15)
    axes.set(xlabel="training trials", ylabel="error (RMSE)")
    top = np.nanmax([table["mean"].max(), table["high"].max(), prepared["bounds"]["mean"].max()])
    axes.set_ylim(0, 1.08 * top)
    style.legend_below(made, axes, 3, int(table["seeds"].max()), spread="band")
    return [axes]
