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
    from matplotlib.figure import Figure


def prepare(recordings: Sequence[xr.Dataset]) -> Tables:
    """Return the spikes of the last probe of the first block, its states, and which cell stands on which row.

    Excitatory cells come first, then inhibitory ones, each by the time of the largest trace within the window. The
    order is taken from ANOTHER recorded probe where there is one: cells sorted by the very activity that is shown would
    form a diagonal even if they fired at random.
    """
    if not recordings:
        raise Unavailable("there are no recordings")
    recording = recordings[0]
    state_probes = [int(probe) for probe in recording["state_probe"].values]
    block = selection.blocks(recording)[0]
    probe = selection.last_probe(recording, block)
    if probe not in state_probes:
        raise Unavailable(f"no state_trace was recorded at the last probe of block {block}")
    sorted_by = next((other for other in state_probes if other != probe), probe)
    order_trace = selection.state_samples(recording, [sorted_by])
    peak = selection.state_times(recording)[order_trace.argmax(axis=0)]
    peak[order_trace.max(axis=0) <= 0] = np.inf
    excitatory = recording["excitatory"].values.astype(bool)
    order = np.lexsort((peak, ~excitatory))
    cells = pd.DataFrame({"row": np.arange(len(order)), "neuron": order, "excitatory": excitatory[order],
                          "peak_time": peak[order], "sorted_by_probe": sorted_by})  # fmt: skip

    table = selection.trials(recording)
    cue = float(table[table["kind"] == "probe"]["cue"].iloc[probe])
    time = recording["state_time"].values
    spikes = pd.DataFrame({"time": recording["spike_time"].values - cue, "neuron": recording["spike_neuron"].values})
    spikes = spikes[spikes["time"].between(time[0], time[-1])].merge(
        cells[["neuron", "row", "excitatory"]], on="neuron"
    )
    if spikes.empty:
        raise Unavailable("the recording holds no spikes of the last probe of the first block")

    trace = recording["state_trace"].transpose("state_probe", "state_time", "neuron")
    shown = trace.values[state_probes.index(probe)].T[order]
    highest = shown.max(axis=1, keepdims=True)
    shown = shown / np.where(highest > 0, highest, 1)
    state = pd.DataFrame(shown, columns=[f"{t:.3f}" for t in time])
    state.insert(0, "row", cells["row"])
    cue_table = pd.DataFrame({"start": [0.0], "end": [float(recording.attrs["cue_duration"])]})
    return {"spikes": spikes, "state": state, "cells": cells, "cue": cue_table}


@figure(
    "raster",
    title="Spikes and cue-evoked state of one probe",
    caption=(
        "a, Spikes of the last probe of the first block; cells sorted by the time of their largest trace in"
        " another probe (excitatory below the line, inhibitory above). b, Spike traces of the same cells, "
        "each divided by its own maximum. Shaded or dashed: the cue."
    ),
    prepare=prepare,
    needs=("state_trace", "spike_time", "spike_neuron", "excitatory", "trial_cue"),
)
def draw(prepared: Tables) -> Figure:
    """Draw the raster beside the sorted traces."""
    made, grid = style.canvas(1, 2, width=style.DOUBLE, height=75 * style.MILLIMETRE, sharex=True, sharey=True)
    raster, heat = grid[0]
    spikes, state, cells, cue = (prepared[name] for name in ("spikes", "state", "cells", "cue"))
    times = np.array([float(name) for name in state.columns[1:]])
    step = times[1] - times[0]
    split = int(cells["excitatory"].sum())
    colour = style.colours(["excitatory", "inhibitory"])

    raster.axvspan(cue["start"].iloc[0], cue["end"].iloc[0], color=style.PALE, linewidth=0)
    for name, kind in (("excitatory", True), ("inhibitory", False)):
        rows = spikes[spikes["excitatory"] == kind]
        raster.plot(rows["time"], rows["row"] + 0.5, linestyle="", marker="|", markersize=1.5, markeredgewidth=0.5,
                    color=colour[name], rasterized=True)  # fmt: skip
    raster.set(
        xlabel="time from cue (s)", ylabel="cell, sorted", xlim=(times[0], times[-1] + step), ylim=(0, len(cells))
    )
    style.letter(raster, "a")

    image = heat.imshow(
        state[state.columns[1:]].to_numpy(), extent=(times[0], times[-1] + step, 0, len(cells)), origin="lower",
        aspect="auto", cmap="viridis", vmin=0, vmax=1, interpolation="nearest",
    )  # fmt: skip
    heat.axvline(cue["start"].iloc[0], color="white", linewidth=0.8, linestyle="--")
    heat.set(xlabel="time from cue (s)")
    style.letter(heat, "b")
    if split < len(cells):
        raster.axhline(split, color=style.BLACK, linewidth=0.6)
        heat.axhline(split, color="white", linewidth=0.6)
    for name, place in (("excitatory", split / 2), ("inhibitory", (split + len(cells)) / 2)):
        if (cells["excitatory"] == (name == "excitatory")).any():
            raster.text(
                1.01, place, name, transform=raster.get_yaxis_transform(), rotation=90, va="center", color=colour[name]
            )
    made.colorbar(image, ax=heat, label="trace / its maximum", fraction=0.05, pad=0.02)
    return made
