"""What several formats need: optional libraries, and the spikes with the time in which they were kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from izhires.errors import RecordingError
from izhires.optional import library as library

if TYPE_CHECKING:
    import xarray as xr

TRIALS = ("trial_onset", "trial_duration", "trial_cue", "trial_latency", "trial_event", "trial_kind", "trial_block")
"""What every form of the trials needs."""

CELLS = ("cell_type", "excitatory")
"""What every form of the spikes needs beside them."""

PREDICTIONS = {
    "prediction": "Prediction of cue-only probes: clip(what, 0, 1)*max(when, 0).",
    "expectation": "True expectation of the probe's block: sum of probability x bump.",
    "when": "Timing prediction over the probe's window.",
}
"""Variables over probe, event and time, and what they are."""


def has_spikes(recording: xr.Dataset) -> bool:
    """Return whether a recording holds spikes."""
    return "spike_time" in recording and "spike_neuron" in recording


def require(recording: xr.Dataset, *names: str) -> None:
    """Complain of a recording that lacks variables that a format cannot do without.

    Raises
    ------
    RecordingError
    """
    missing = [name for name in names if name not in recording.variables]
    if missing == ["spike_time", "spike_neuron"]:
        raise RecordingError("holds no spikes; run with --set keep.spikes=all, or probes", title(recording))
    if missing:
        raise RecordingError(f"lacks {', '.join(missing)}", title(recording))


def title(recording: xr.Dataset) -> str:
    """Return what a recording calls itself."""
    return str(recording.attrs.get("title", "recording"))


def observed(recording: xr.Dataset) -> np.ndarray:
    """Return the intervals in which spikes were kept.

    With ``keep.spikes = "all"`` it is the whole run, else the trials of the probes whose spikes were kept: the
    first and the last of each block. Outside them nothing is known, which is not the same as silence.

    Returns
    -------
    array, shape (interval, 2), s
        Start and end, in order of time; intervals that touch are one.

    Raises
    ------
    RecordingError
        If spikes lie outside them, so that nobody can tell when the cells were watched.
    """
    onset, length = recording["trial_onset"].values, recording["trial_duration"].values
    keep = json.loads(recording.attrs.get("configuration", "{}")).get("keep", {}).get("spikes", "probes")
    require(recording, "spike_time", "spike_neuron")
    if keep == "all":
        # a run goes one readout step on, so that the last trial's end is read
        return np.array([[0.0, onset[-1] + length[-1] + float(recording.attrs["time_step"])]])
    rows = np.flatnonzero(recording["trial_kind"].values == "probe")[recording["state_probe"].values]
    found: list[list[float]] = []
    for start, end in zip(onset[rows], onset[rows] + length[rows], strict=True):
        if found and start <= found[-1][1]:
            found[-1][1] = end
        else:
            found.append([start, end])
    intervals = np.array(found).reshape(-1, 2)
    place = np.searchsorted(intervals[:, 0], recording["spike_time"].values, side="right") - 1
    if (place < 0).any() or (recording["spike_time"].values > intervals[place, 1]).any():
        raise RecordingError(
            "holds spikes outside the probes' trials, and does not say when it kept them", title(recording)
        )
    return intervals


def spike_trains(recording: xr.Dataset) -> list[np.ndarray]:
    """Return the spike times (s from the start of the experiment, ascending) of each cell."""
    order = np.lexsort((recording["spike_time"].values, recording["spike_neuron"].values))
    cells = recording["spike_neuron"].values[order]
    ends = np.searchsorted(cells, np.arange(recording.sizes["neuron"] + 1))
    return np.split(recording["spike_time"].values[order].astype(float), ends[1:-1])


def probe_cues(recording: xr.Dataset) -> np.ndarray:
    """Return the time of each probe's cue, s."""
    return recording["trial_cue"].values[recording["trial_kind"].values == "probe"]
