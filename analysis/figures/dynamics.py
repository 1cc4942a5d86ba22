"""How the cells fire and what course the state takes, each against its chance level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure, part_values
from izhires.analysis.metrics.base import range_of
from izhires.analysis.statistics import SHARE, spread_over_seeds

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

STATE = {
    "participation_ratio": "dimensions",
    "reliability": "correlation of two trials",
    "decoded_time": "error of decoded time (ms)",
}
"""Metrics of the state with a chance level, and the label of the axis."""
KINDS = ("excitatory", "inhibitory")
EDGES = np.logspace(-2, 2.4, 23)
"""Edges of the bins of firing rates (Hz)."""


def prepare(recordings: Sequence[xr.Dataset], table: pd.DataFrame) -> Tables:
    """Return the distribution of rates, and each metric by block with its chance level, mean and interval."""
    shares = []
    for recording in recordings:
        cells = recording["excitatory"].values.astype(bool)
        for kind, mine in (("excitatory", cells), ("inhibitory", ~cells)):
            if not mine.any():
                continue
            rate = recording["rate"].values[mine]
            counts, _ = np.histogram(rate, EDGES)
            rows = pd.DataFrame({"left": EDGES[:-1], "right": EDGES[1:], "share": counts / mine.sum()})
            shares.append(rows.assign(seed=selection.seed(recording), kind=kind))
    rates = pd.concat(shares, ignore_index=True)
    rates = rates.groupby(["seed", "kind", "left", "right"])["share"].mean().reset_index()
    tables = {"rate": spread_over_seeds(rates, ["kind", "left", "right"], "share", SHARE)}
    states = []
    for metric in STATE:
        try:
            values = part_values(table, metric, ["", "low", "high", "mean"])
        except Unavailable:
            continue
        values = values.groupby(["part", "seed", "block"])["value"].mean().reset_index()
        found = spread_over_seeds(values[values["part"] == ""], ["block"], "value", range_of(metric, ""))
        chance = values[values["part"] != ""].pivot_table("value", "block", "part").add_prefix("chance_").reset_index()
        states.append(found.merge(chance, on="block", how="left").assign(metric=metric))
    if states:
        tables["state"] = pd.concat(states, ignore_index=True)
    spiking = []
    for metric, parts in (
        ("interval_variation", [f"cv2_{kind}" for kind in KINDS]),
        ("fano_factor", list(KINDS)),
        ("synchrony", ["", "shuffled"]),
    ):
        try:
            values = part_values(table, metric, parts)
        except Unavailable:
            continue
        values = values.groupby(["part", "seed"])["value"].mean().reset_index()  # over blocks, in each seed
        spiking.append(spread_over_seeds(values, ["part"], "value", range_of(metric, parts[0])).assign(metric=metric))
    if spiking:
        tables["spiking"] = pd.concat(spiking, ignore_index=True)
    return tables


@figure(
    "dynamics",
    title="Firing and the course of the state",
    caption=(
        "Distribution of firing rates over cells (silent cells are not on the axis): mean and spread over seeds.",
        "Participation ratio of the state, repeatability of its course, and error of the time decoded from it, by "
        "block: mean and spread over seeds; grey: mean and 95% range by chance (cells shifted in time against "
        "each other; one of the two trials shifted; times shuffled). In runs that kept all spikes also the regularity "
        "of intervals (CV2) and the Fano factor (dashed: a Poisson process) and the correlation of pairs of cells, "
        "beside that of cells from different trials.",
    ),
    alt=(
        "Step chart of the distribution of firing rates over cells, and point plots by block of the dimension, "
        "repeatability and decodability of the state beside chance levels."
    ),
    prepare=prepare,
    needs=("rate", "excitatory"),
    metrics=(*STATE, "interval_variation", "fano_factor", "synchrony"),
    height=lambda tables, width: 66.0 * (1 + (width < 170 or "spiking" in tables)),
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw rates, then the state's metrics, then those of spike trains."""
    state, spiking = prepared.get("state", pd.DataFrame()), prepared.get("spiking", pd.DataFrame())
    measured = list(dict.fromkeys(state["metric"])) if len(state) else []
    trains = list(dict.fromkeys(spiking["metric"])) if len(spiking) else []
    panels = style.tiles(made, 1 + len(measured) + len(trains), 42)
    colour = style.colours(KINDS)
    rate = prepared["rate"]
    for kind in dict.fromkeys(rate["kind"]):
        own = rate[rate["kind"] == kind]
        edges = [*own["left"], own["right"].iloc[-1]]
        panels[0].stairs(own["mean"], edges, color=colour[kind], label=f"{kind} cells", linewidth=1.1)
        if own["low"].notna().any():
            panels[0].stairs(own["high"], edges, baseline=own["low"], color=colour[kind], alpha=0.25, fill=True)
    panels[0].set_xscale("log")
    panels[0].set(xlabel="firing rate (Hz)", ylabel="fraction of cells")
    panels[0].set_xticks([0.01, 0.1, 1, 10, 100], ["0.01", "0.1", "1", "10", "100"])
    panels[0].xaxis.set_minor_formatter("")
    panels[0].set_ylim(bottom=0)
    for axes, metric in zip(panels[1:], measured, strict=False):
        own = state[state["metric"] == metric]
        place = own["block"].astype(float)
        if "chance_mean" in own and own["chance_mean"].notna().any():
            low, high = own["chance_low"], own["chance_high"]
            axes.bar(place + 0.15, high - low, 0.25, low, color=style.GREY, alpha=0.4, linewidth=0, label="chance")
            axes.hlines(own["chance_mean"], place + 0.02, place + 0.28, color=style.GREY)
        style.points(axes, place - 0.15, own, color=style.BLACK, label="network")
        axes.use_sticky_edges = False  # room below the bars
        axes.set(xlabel="block", ylabel=STATE[metric])
        style.whole_ticks(axes, own["block"].astype(int).tolist())
    for axes, metric in zip(panels[1 + len(measured) :], trains, strict=True):
        own = spiking[spiking["metric"] == metric].reset_index(drop=True)
        if metric == "synchrony":
            looks = [(style.BLACK, "same trials"), (style.GREY, "shuffled")]
        else:
            looks = [(colour[kind], kind) for kind in KINDS if own["part"].str.endswith(kind).any()]
            axes.axhline(1, color=style.GREY, linestyle=(0, (4, 2)), linewidth=0.8)
        for place, (shade, _) in enumerate(looks):
            style.points(axes, [place], own.iloc[[place]], color=shade)
        axes.set_xticks(range(len(looks)), [words for _, words in looks])
        axes.set_xlim(-0.6, len(looks) - 0.4)
        names = {
            "interval_variation": "CV2 of intervals",
            "fano_factor": "Fano factor",
            "synchrony": "correlation of cells",
        }
        axes.set_ylabel(names[metric])
        axes.set_ylim(bottom=min(0.0, 1.1 * float(own[["mean", "low"]].min().min())))
    style.legend_below(
        made, panels, 4 if style.width(made) > 120 else 2, int(rate["seeds"].max()), spread="bands, thin bars"
    )
    return panels[:2]
