"""The spikes of one probe, and the state that the cue evokes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

SHOWN_BEFORE = 0.2
"""Time before the cue that the raster shows, where the trial has it (s)."""
SILENT = 5.0
"""A trace that stays below this (Hz) is what is left of earlier spikes; it is neither sorted nor stretched."""


def prepare(recordings: Sequence[xr.Dataset]) -> Tables:
    """Return the spikes of the last probe of the first block, its states, and which cell stands on which row.

    Excitatory cells come first, then inhibitory ones, each by the time of the largest trace within the window. The
    order is taken from ANOTHER recorded probe where there is one: cells sorted by the very activity that is shown would
    form a diagonal even if they fired at random.
    """
    if not recordings:
        raise Unavailable("there are no recordings")
    recording = recordings[0]
    state_probes = [int(probe) for probe in selection.state_probes(recording)]
    block = selection.blocks(recording)[0]
    probe = selection.last_probe(recording, block)
    if probe not in state_probes:
        raise Unavailable(f"no state_trace was recorded at the last probe of block {block}")
    sorted_by = next((other for other in state_probes if other != probe), probe)
    order_trace = selection.state_samples(recording, [sorted_by])
    peak = selection.state_times(recording)[order_trace.argmax(axis=0)]
    peak[order_trace.max(axis=0) < SILENT] = np.inf
    excitatory = recording["excitatory"].values.astype(bool)
    order = np.lexsort((peak, ~excitatory))
    labels = recording["neuron"].values
    cells = pd.DataFrame({"row": np.arange(len(order)), "neuron": labels[order], "excitatory": excitatory[order],
                          "peak_time": peak[order], "sorted_by_probe": sorted_by})  # fmt: skip

    trial = selection.trials(recording).iloc[selection.trials_of_probes(recording)[probe]]
    cue = float(trial["cue"])
    time = recording["state_time"].values
    start, end = max(float(trial["onset"]) - cue, -SHOWN_BEFORE), float(recording.attrs["window"])
    moments, own = selection.cell_spikes(recording)
    spikes = pd.DataFrame({"time": moments - cue, "neuron": labels[own]})
    spikes = spikes[spikes["time"].between(start, end)].merge(cells[["neuron", "row", "excitatory"]], on="neuron")
    if spikes.empty:
        raise Unavailable("the recording holds no spikes of the last probe of the first block")

    trace = recording["state_trace"].transpose("state_probe", "state_time", "neuron")
    shown = trace.sel(state_probe=recording["probe"].values[probe]).values.T[order]
    shown = shown / np.maximum(shown.max(axis=1, keepdims=True), SILENT)
    state = pd.DataFrame(shown, columns=[f"{t:.3f}" for t in time])
    state.insert(0, "row", cells["row"])
    shown_times = pd.DataFrame(
        {"start": [start], "end": [end], "cue_start": [0.0], "cue_end": [float(recording.attrs["cue_duration"])]}
    )
    return {"spikes": spikes, "state": state, "cells": cells, "times": shown_times}


ROWS = 300
"""Rows of the picture of all traces, at most: fewer than it has pixels, so that none is left out."""


def largest_of_rows(traces: np.ndarray) -> np.ndarray:
    """Return traces (cell, time) in at most `ROWS` rows, each the largest of the cells that share it."""
    if len(traces) <= ROWS:
        return traces
    # all rows as high as each other in cells, so that they stand where the raster's do
    edges = np.arange(ROWS) * len(traces) // ROWS
    return np.maximum.reduceat(traces, edges, axis=0)


@figure(
    "raster",
    title="Spikes and cue-evoked state of one probe",
    caption=(
        "Spikes of the last probe of the first block in one network; cells sorted by the time of their largest trace "
        "in another probe, silent cells last (excitatory below the line, inhibitory above). Shaded: the cue.",
        f"Spike traces of the same cells, each divided by its own maximum, "
        f"or by {SILENT:g} Hz where that is larger; of more "
        f"than {ROWS} cells, the largest of those that share a row.",
    ),
    alt=(
        "Raster of the spikes of all cells after the cue, sorted by the time at which they fire, beside a heat map of "
        "their spike traces."
    ),
    prepare=prepare,
    needs=("state_trace", "spike_time", "spike_neuron", "excitatory", "trial_cue"),
    height=lambda tables, width: 75.0 if width > 120 else 68.0,
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw the raster beside the sorted traces."""
    raster, heat = made.subplots(1, 2, sharey=True)
    spikes, state, cells = (prepared[name] for name in ("spikes", "state", "cells"))
    shown = prepared["times"].iloc[0]
    times = np.array([float(name) for name in state.columns[1:]])
    step = times[1] - times[0]
    split = int(cells["excitatory"].sum())
    colour = style.colours(["excitatory", "inhibitory"])

    raster.axvspan(shown["cue_start"], shown["cue_end"], color=style.PALE, linewidth=0)
    for name, kind in (("excitatory", True), ("inhibitory", False)):
        rows = spikes[spikes["excitatory"] == kind]
        raster.plot(rows["time"], rows["row"] + 0.5, linestyle="", marker="|", markersize=1.5, markeredgewidth=0.5,
                    color=colour[name], rasterized=True)  # fmt: skip
    raster.set(
        xlabel="time from cue (s)", ylabel="cell, sorted", xlim=(shown["start"], shown["end"]), ylim=(0, len(cells))
    )

    image = heat.imshow(
        largest_of_rows(state[state.columns[1:]].to_numpy()), extent=(times[0], times[-1] + step, 0, len(cells)),
        origin="lower", aspect="auto", cmap="viridis", vmin=0, vmax=1, interpolation="nearest",
    )  # fmt: skip
    if times[0] < shown["cue_start"]:
        heat.axvline(shown["cue_start"], color="white", linewidth=0.8, linestyle="--")
    heat.set(xlabel="time from cue (s)")
    if split < len(cells):
        raster.axhline(split, color=style.BLACK, linewidth=0.6)
        heat.axhline(split, color="white", linewidth=0.6)
    for name, place in (("excitatory", split / 2), ("inhibitory", (split + len(cells)) / 2)):
        if (cells["excitatory"] == (name == "excitatory")).any():
            raster.text(
                1.01, place, name, transform=raster.get_yaxis_transform(), rotation=90, va="center", color=colour[name]
            )
    made.colorbar(image, ax=heat, label="trace / its maximum", fraction=0.05, pad=0.02)
    return [raster, heat]
