"""How the subspaces of "what" and "when" lie to each other while the network learns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure, part_values
from izhires.analysis.metrics.subspaces import course
from izhires.analysis.statistics import ANGLE, SHARE, at_the_same, spread_over_seeds

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

KINDS = {"": "as they are", "_without_mean": "without mean state"}
MEASURES = {"smallest": "smallest principal angle (deg)", "overlap": "overlap"}


def prepare(recordings: Sequence[xr.Dataset], table: pd.DataFrame) -> Tables:
    """Return angle and overlap at every probe (mean and interval over seeds), and their chance levels."""
    courses, chance = [], []
    for recording in selection.one_condition(recordings):
        for kind in KINDS:
            found = course(recording, without_mean=bool(kind))
            if found.empty:
                continue
            for measure in MEASURES:
                columns = found[["block", "probe_trial", measure, f"{measure}_isotropic"]]
                columns = columns.set_axis(["block", "trial", "value", "isotropic"], axis=1)
                courses.append(columns.assign(seed=selection.seed(recording), kind=kind, measure=measure))
    if not courses:
        raise Unavailable("the weights of what or of when are zero at every probe")
    every = pd.concat(courses, ignore_index=True)
    by = ["kind", "measure", "block", "trial"]
    ends = every.groupby("block")["trial"].max()
    for kind in KINDS:
        for measure, metric, parts in (
            ("smallest", f"angle{kind}", ("mean", "low", "high")),
            ("overlap", f"subspace{kind}", ("mean",)),
        ):
            try:
                found = part_values(table, metric, [f"{measure}_covariance_{part}" for part in parts])
            except Unavailable:
                continue
            wide = found.pivot_table("value", "block", "part").rename(columns=lambda name: name.rpartition("_")[2])
            wide = wide.assign(kind=kind, measure=measure, trial=ends.reindex(wide.index)).reset_index()
            chance.append(wide)
    names = ["kind", "measure", "block", "trial", "mean", "low", "high"]
    ranges = {"smallest": ANGLE, "overlap": SHARE}
    same = at_the_same(every, by[:-1], "trial", "value")
    spreads = [
        spread_over_seeds(own, by, "value", ranges[str(name)]) for name, own in same.groupby("measure", sort=False)
    ]
    return {
        "course": pd.concat(spreads, ignore_index=True),
        "isotropic": every.groupby(by, sort=False)["isotropic"].mean().reset_index(),
        "covariance": pd.concat(chance, ignore_index=True).reindex(columns=names)
        if chance
        else pd.DataFrame(columns=names),
    }


@figure(
    "subspaces",
    title="What and when subspaces over trials",
    caption=(
        "Smallest principal angle between the subspaces of the what and of the when weights at every probe, as they "
        "are and after the direction of the mean state was projected out: mean and spread over seeds. "
        "Dotted: mean of isotropic random subspaces. Bars at the ends of blocks: mean and 95% range of random "
        "subspaces with the second moment of the network's states. Vertical lines: switches.",
        "Overlap of the projections on both subspaces, 1 when one lies in the other, 0 when they are orthogonal; "
        "crosses: mean of random subspaces with the states' second moment.",
    ),
    alt=(
        "Line charts of the smallest angle and of the overlap of the what and when subspaces against training trials, "
        "with the mean levels of two kinds of random subspaces."
    ),
    prepare=prepare,
    needs=("what_weights", "when_weights", "mean_state"),
    metrics=("angle", "angle_without_mean", "subspace", "subspace_without_mean"),
    height=lambda tables, width: 72.0 if width > 120 else 118.0,
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw angle and overlap over trials."""
    panels = style.tiles(made, len(MEASURES), 60)
    colour = style.colours(list(KINDS))
    for axes, (measure, label) in zip(panels, MEASURES.items(), strict=True):
        for start in prepared["course"].groupby("block")["trial"].min().iloc[1:]:
            axes.axvline(start - 0.5, color=style.PALE, linewidth=0.6)
        for kind, words in KINDS.items():
            mine, isotropic, matched = (
                table[(table["kind"] == kind) & (table["measure"] == measure)]
                for table in (prepared["course"], prepared["isotropic"], prepared["covariance"])
            )
            style.band(axes, mine.sort_values("trial"), "trial", color=colour[kind], label=words)
            axes.plot(isotropic["trial"], isotropic["isotropic"], color=colour[kind], linestyle=(0, (1, 1.5)),
                      linewidth=0.9, label=f"isotropic chance, {words}")  # fmt: skip
            if len(matched):
                place = matched["trial"].astype(float) - (0 if kind else 5)
                style.points(axes, place, matched, color=style.dark(colour[kind]), marker="x", markersize=3.5,
                             label=f"covariance-matched chance, {words}")  # fmt: skip
        axes.set(xlabel="training trials", ylabel=label)
    panels[0].set_ylim(top=92)
    panels[1].set_ylim(bottom=0)
    seeds = int(prepared["course"]["seeds"].max())
    style.legend_below(made, panels, 2 if style.width(made) > 120 else 1, seeds, spread="bands")
    return panels
