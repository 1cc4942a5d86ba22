"""What single cells tell: which events are expected, the time since the cue, or both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure, part_values
from izhires.analysis.metrics.selectivity import RATE
from izhires.analysis.statistics import SHARE, spread_over_seeds

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

PARTS = {
    "when_only": "when only",
    "what_only": "what only",
    "both": "both",
    "interaction": "what depends on when",
    "what": "what, in all",
    "event": "event of the trial (control)",
}


def prepare(recordings: Sequence[xr.Dataset], table: pd.DataFrame) -> Tables:
    """Return the share of cells in each class: each seed, mean and interval, and that by chance."""
    values = part_values(table, "selectivity", [*PARTS, "what_chance"])
    each = values.groupby(["part", "seed"], sort=False)["value"].mean().reset_index()
    return {"seeds": each, "share": spread_over_seeds(each, ["part"], "value", SHARE)}


@figure(
    "selectivity",
    title="Selectivity of single cells",
    caption=(
        "Share of the cells that fire whose spike counts tell which events are expected (what), the time since the "
        f"cue (when), or both, at a false discovery rate of {RATE:g}: each seed (points), mean and spread "
        "over seeds. Cross: what, when the events had come in another order (chance). Control: the event of the "
        "trial itself, which reaches no cell."
    ),
    alt="Point plot of the share of cells in each class of selectivity, with a chance level and a control.",
    prepare=prepare,
    needs=("prediction",),
    metrics=("selectivity",),
    columns=1,
    height=62,
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw a row a class."""
    axes = made.subplots()
    share, seeds = prepared["share"].set_index("part").astype(float), prepared["seeds"]
    shown = [part for part in PARTS if part in share.index]
    colour = style.colours(["cells"])["cells"]
    for place, part in enumerate(reversed(shown)):
        own = seeds[seeds["part"] == part]
        axes.plot(own["value"], [place - 0.15] * len(own), ".", color=colour, alpha=0.6,
                  label="each seed" if place == 0 else None)  # fmt: skip
        mean, low, high = (float(share[column][part]) for column in ("mean", "low", "high"))
        spread = [[0.0], [0.0]] if np.isnan(low) else [[mean - low], [high - mean]]
        axes.errorbar([mean], [place + 0.1], xerr=spread, fmt="o", color=style.BLACK, markersize=3.2,
                      elinewidth=0.9, label="mean over seeds" if place == 0 else None)  # fmt: skip
        if part == "what" and "what_chance" in share.index:
            axes.plot(float(share["mean"]["what_chance"]), place + 0.1, "x", color=style.GREY, markersize=4,
                      label="what, by chance")  # fmt: skip
    axes.set_yticks(range(len(shown)), [PARTS[part] for part in reversed(shown)])
    axes.set(xlabel="share of the cells that fire", ylim=(-0.6, len(shown) - 0.4))
    axes.set_xlim(-0.02, max(0.1, 1.08 * float(share[["mean", "high"]].max().max())))
    style.legend_below(made, axes, 3, int(share["seeds"].max()), spread="bars")
    return [axes]
