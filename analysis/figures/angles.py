"""Angles between "what" and "when" readouts against their chance levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure
from izhires.analysis.metrics.angles import NULLS, SIZES

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

KINDS = {"angle": "as they are", "angle_without_mean": "without mean state"}


def prepare(recordings: Sequence[xr.Dataset], table: pd.DataFrame) -> Tables:
    """Return the observed angles of each seed and block, and the null intervals (mean over seeds of their limits)."""
    selection.one_condition(recordings)
    table = table.dropna(subset=["value", "block"]).copy()
    table[["kind", "part"]] = table["metric"].str.split(".", n=1, expand=True)
    observed = table[table["part"].isin(SIZES)]
    observed = observed.rename(columns={"part": "size", "value": "angle"})[["kind", "size", "block", "seed", "angle"]]
    if observed.empty:
        raise Unavailable("no angle could be computed from these weights")
    nulls = []
    for null in NULLS:
        for size in SIZES:
            names = {f"{size}_{null}_{limit}": limit for limit in ("mean", "low", "high")}
            rows = table[table["part"].isin(names)]
            if rows.empty:
                continue
            wide = (
                rows.assign(limit=rows["part"].map(names))
                .pivot_table("value", ["kind", "block"], "limit")
                .reset_index()
            )
            nulls.append(wide.assign(null=null, size=size))
    chance = pd.concat(nulls, ignore_index=True)[["kind", "size", "block", "null", "mean", "low", "high"]]
    return {"observed": observed.reset_index(drop=True), "null": chance}


@figure(
    "angles",
    title="Angles between what and when readouts",
    caption=(
        "Smallest and largest principal angle between the subspaces of the what and of the when weights at "
        "the end of each block, each seed a point, as they are and after the direction of the mean state "
        "was projected out. Bars: 95% range (and mean) of random subspaces of the same dimensions, "
        "isotropic, and with the second moment of the network's states. An angle below isotropic chance is closer than "
        "chance; that chance decides, since the other shares the direction of the mean state with both readouts."
    ),
    alt=(
        "Point plots of principal angle in degrees against block: smallest and largest angle, with and without the "
        "mean state, each beside bars of two chance levels."
    ),
    prepare=prepare,
    needs=("what_weights", "when_weights"),
    metrics=tuple(KINDS),
    height=lambda tables, width: 74.0 if width > 120 else 124.0,
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw a panel for each angle, without and with the mean direction removed."""
    observed, null = prepared["observed"], prepared["null"]
    kinds = [kind for kind in KINDS if kind in set(observed["kind"])]
    panels = [(size, kind) for size in SIZES for kind in kinds]
    grid = style.tiles(made, len(panels), sharex=True, sharey=True)
    names = {"isotropic": "chance: isotropic", "covariance": "chance: covariance-matched"}
    colour = style.colours(["observed", *names])
    blocks = sorted(observed["block"].unique())
    for axes, (size, kind) in zip(grid, panels, strict=True):
        for shift, name in ((0.12, "isotropic"), (0.34, "covariance")):
            rows = null[(null["kind"] == kind) & (null["size"] == size) & (null["null"] == name)]
            if rows.empty:
                continue
            place = rows["block"].astype(float) + shift
            axes.bar(place, rows["high"] - rows["low"], 0.2, rows["low"], color=colour[name], alpha=0.4, linewidth=0,
                     label=names[name])  # fmt: skip
            axes.hlines(rows["mean"], place - 0.1, place + 0.1, color=colour[name], linewidth=1.2)
        rows = observed[(observed["kind"] == kind) & (observed["size"] == size)]
        axes.plot(rows["block"].astype(float) - 0.2, rows["angle"], linestyle="", marker="o", color=colour["observed"],
                  markeredgecolor="white", markeredgewidth=0.3, markersize=3.5,
                  label="network (each seed)")  # fmt: skip
        axes.set_title(f"{size} angle,\n{KINDS[kind]}")
        if axes.get_subplotspec().is_last_row():  # type: ignore[union-attr]
            axes.set_xlabel("block")
        if axes.get_subplotspec().is_first_col():  # type: ignore[union-attr]
            axes.set_ylabel("principal angle (deg)")
    first = grid[0]
    first.set_xticks(blocks)
    margin = 0.6 if len(blocks) > 1 else 1.2
    first.set_xlim(min(blocks) - margin, max(blocks) + margin)
    low = min(observed["angle"].min(), null["low"].min())
    first.set_ylim(max(0, low - 5), 92)
    style.legend_below(made, first, 3 if style.width(made) > 120 else 1, observed["seed"].nunique())
    return [first]
