"""Where the weights of both readouts go: joint principal components, and the way to the end of each block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure, part_values
from izhires.analysis.metrics.weight_space import READOUTS, by_seed, conditions, way_left, weight_space
from izhires.analysis.statistics import POSITIVE, SHARE, at_the_same, spread_over_seeds, t_interval

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

LEVELS = {"probability": ("PC1", "pc1_probability"), "latency": ("PC2", "pc2_latency")}


def prepare(recordings: Sequence[xr.Dataset], table: pd.DataFrame) -> Tables:
    """Return the path of one seed, the end points of all seeds, their correlations, and the way left after switches."""
    ends, left = [], []
    path, shares = pd.DataFrame(), pd.DataFrame()
    for seed, own in by_seed(recordings).items():
        if path.empty:
            space = weight_space(own)
            scores = pd.DataFrame(space.scores[:, :2], columns=["PC1", "PC2"])
            path = pd.concat([space.rows.reset_index(drop=True), scores], axis=1).assign(seed=seed)
            shares = pd.DataFrame({"component": ["PC1", "PC2"], "explained": space.explained[:2], "seed": seed})
        space = weight_space(own, ends_only=True)
        scores = pd.DataFrame(space.scores[:, :2], columns=["PC1", "PC2"])
        rows = pd.concat([space.rows[["variant", "block"]].reset_index(drop=True), scores], axis=1)
        rows = rows.merge(conditions(own), on=["variant", "block"], how="left").assign(seed=seed)
        for level, (component, _) in LEVELS.items():  # a component has no sign of its own
            if np.ptp(rows[level]) > 0 and np.corrcoef(rows[component], rows[level])[0, 1] < 0:
                rows[component] = -rows[component]
        ends.append(rows)
        for recording in own:
            for block in selection.blocks(recording)[1:]:
                try:
                    way = way_left(recording, block)
                except Unavailable:
                    continue
                left.append(way.melt("block_trial", READOUTS, "readout", "left").assign(seed=seed, block=block))
    points = pd.concat(ends, ignore_index=True)
    found = []
    for level, (component, metric) in LEVELS.items():
        try:
            values = part_values(table, "weight_space", [metric, f"{metric}_chance"])
        except Unavailable:
            continue
        r, chance = (values.loc[values["part"] == part, "value"] for part in (metric, f"{metric}_chance"))
        if len(r):
            mean, low, high = t_interval(r, within=SHARE)
            row = {"level": level, "component": component, "r": mean, "low": low, "high": high}
            found.append({**row, "chance": float(chance.mean()), "seeds": len(r)})
    columns = ["level", "component", "r", "low", "high", "chance", "seeds"]
    tables = {"path": path, "explained": shares, "ends": points, "correlation": pd.DataFrame(found, columns=columns)}
    if left:
        by = ["readout", "block", "block_trial"]
        ways = at_the_same(pd.concat(left, ignore_index=True), by[:-1], "block_trial", "left")
        tables["way"] = spread_over_seeds(ways, by, "left", POSITIVE)
    return tables


@figure(
    "weight_space",
    title="The weights in their joint principal components",
    caption=(
        "Weights of both readouts of one network at every probe, on their first two joint principal components (either "
        "readout's weights scaled to a total variance of 1); large marks: the end of each block.",
        "Score of the end points on component 1 against the probability of the first event, each line a seed "
        "(components of the end points alone; their sign is free and turned to rise). |r|: absolute correlation, mean "
        "over seeds, and of permuted levels (chance); none of fewer than five end points.",
        "Score on component 2 against the latency of the first event.",
        "Distance of the when weights to those at the end of the block, over that just before the switch: mean and "
        "spread over seeds.",
        "The same of the what weights; after a switch that leaves the probabilities as they were they have no way to "
        "go, and the ratio says little.",
    ),
    alt=(
        "Path of the weights through two principal components, scatter plots of the components against probability and "
        "latency, and line charts of the distance to the end of the block against training trials."
    ),
    prepare=prepare,
    needs=("what_weights", "when_weights", "outcome_latency"),
    metrics=("weight_space",),
    height=lambda tables, width: (
        (112.0 if "way" in tables else 62.0) if width > 120 else 62.0 * (3 + ("way" in tables))
    ),
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw the path and the end points above, the way left below."""
    way = prepared.get("way")
    wide = style.width(made) > 120
    if wide:
        rows: list[FigureBase] = list(made.subfigures(2, 1)) if way is not None else [made]  # type: ignore[arg-type]
        panels = list(rows[0].subplots(1, 3))
        panels += list(rows[1].subplots(1, 2, sharey=True)) if way is not None else []
    else:
        grid = made.subplots(3 + (way is not None), 2 if way is not None else 1, squeeze=False)
        spec = grid[0, 0].get_gridspec()
        panels = []
        for row in range(3):
            for axes in grid[row]:
                axes.remove()
            panels.append(made.add_subplot(spec[row, :]))
        panels += list(grid[3]) if way is not None else []
    path, ends = prepared["path"], prepared["ends"]
    several = ends["variant"].nunique() > 1
    key = "variant" if several else "block"
    names = sorted(path[key].unique())
    colour = style.graded(names) if len(names) > 8 else style.colours(names)
    first = panels[0]
    for _, own in path.groupby(["variant"] if several else ["seed"]):
        first.plot(own["PC1"], own["PC2"], color=style.PALE, linewidth=0.7, zorder=1)
    for name in names:
        own = path[path[key] == name]
        label = style.shown(str(name)) if several else f"block {name}"
        first.plot(own["PC1"], own["PC2"], ".", color=colour[name], markersize=2)
        last = own[own["last"]]
        first.plot(
            last["PC1"], last["PC2"], "o", color=colour[name], markersize=5, markeredgecolor="white", label=label
        )
    share = prepared["explained"].set_index("component")["explained"]
    seed = int(path["seed"].iloc[0])
    first.set(xlabel=f"PC1 ({100 * share['PC1']:.0f}% of variance)", ylabel=f"PC2 ({100 * share['PC2']:.0f}%)")
    first.set_title(f"seed {seed}")
    correlation = prepared["correlation"].set_index("level")
    for axes, (level, (component, _)) in zip(panels[1:3], LEVELS.items(), strict=True):
        for _, own in ends.sort_values(level).groupby("seed"):
            if level in correlation.index:
                axes.plot(own[level], own[component], color=style.PALE, linewidth=0.6, zorder=1)
        for name in names:
            own = ends[ends[key] == name]
            axes.plot(own[level], own[component], "o", color=colour[name], markersize=2.8, markeredgewidth=0)
        unit = " (s)" if level == "latency" else ""
        axes.set(xlabel=f"{level} of first event{unit}", ylabel=f"{component} of end points")
        if level in correlation.index:
            axes.set_title(f"|r| = {correlation['r'][level]:.2f} (chance {correlation['chance'][level]:.2f})")
        axes.margins(0.12)
    if way is not None:
        for axes, readout in zip(panels[3:], READOUTS, strict=True):
            for name in sorted(way["block"].unique()):
                own = way[(way["readout"] == readout) & (way["block"] == name)].sort_values("block_trial")
                shade = style.GREY if several else colour[name]
                style.band(axes, own, "block_trial", color=shade)
            axes.set(xlabel="training trials since the switch" if wide else "trials since the switch")
            axes.set_title(f"{readout} weights")
            axes.axhline(1, color=style.GREY, linewidth=0.6, linestyle=(0, (4, 2)))
            axes.set_ylim(0, max(1.1, float(way[["mean", "high"]].max().max()) * 1.05))
        panels[3].set_ylabel("way left to the end of the block")
    many = min(len(names), 6 if wide else 3)
    style.legend_below(made, first, many, ends["seed"].nunique(), spread="bands")
    return panels
