"""The weights of plastic connections at the start, at each snapshot and at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure
from izhires.analysis.metrics.synapses import histograms
from izhires.analysis.statistics import SHARE, spread_over_seeds

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

MOST = 4
"""Snapshots that are drawn between start and end; more cannot be told apart."""


def prepare(recordings: Sequence[xr.Dataset]) -> Tables:
    """Return the distribution of the weights of each connection and moment: mean and interval over seeds."""
    found = histograms(recordings, MOST)
    by = ["connection", "moment", "left", "right"]
    each = found.groupby([*by, "seed"], sort=False)["share"].mean().reset_index()  # over variants, in each seed
    order = found.groupby("moment")["time"].mean()  # experiments of different seeds need not be equally long
    shares = spread_over_seeds(each, by, "share", SHARE)
    return {"share": shares.sort_values("moment", key=lambda names: names.map(order), kind="stable")}


def _panels(tables: Tables) -> list[str]:
    return list(dict.fromkeys(tables["share"]["connection"]))


@figure(
    "plastic_weights",
    title="Weights of plastic connections",
    caption=(
        "Distribution of the weights of each plastic connection over its synapses at the start, at snapshots in "
        "between where the recording keeps any, and at the end: mean and, for start and end, spread over seeds."
    ),
    alt=(
        "Step charts of the distribution of synaptic weights, one panel a plastic connection, with one line each for "
        "the start, snapshots in between and the end."
    ),
    prepare=prepare,
    needs=(),
    height=lambda tables, width: 16.0 + 44.0 * -(-len(_panels(tables)) // max(1, int(width / 56))),
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw a panel for each connection."""
    shares = prepared["share"]
    panels = style.tiles(made, len(_panels(prepared)), 56)
    shades = style.graded(list(dict.fromkeys(shares["moment"])))
    for axes, connection in zip(panels, _panels(prepared), strict=True):
        mine = shares[shares["connection"] == connection]
        for moment in dict.fromkeys(mine["moment"]):
            own = mine[mine["moment"] == moment]
            edges = [*own["left"], own["right"].iloc[-1]]
            axes.stairs(own["mean"], edges, color=shades[moment], label=moment, linewidth=1.1)
            if moment in ("start", "end") and own["low"].notna().any():
                axes.stairs(own["high"], edges, baseline=own["low"], color=shades[moment], alpha=0.25, fill=True)
        axes.set(xlabel=f"weight of {connection} (mV/ms)", ylabel="fraction of synapses")
        axes.set_ylim(bottom=0)
        style.few_ticks(axes)
    style.legend_below(made, panels, 6 if style.width(made) > 120 else 3, int(shares["seeds"].max()), spread="bands")
    return panels[:1]
