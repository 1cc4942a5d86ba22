"""What several formats need: optional libraries, and the spikes with the time in which they were kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from izhires.errors import RecordingError
from izhires.optional import library as library
from izhires.recordings import schema
from izhires.recordings.recording import cell_spikes, places, trials_of_probes
from izhires.recordings.recording import happened as happened

if TYPE_CHECKING:
    import xarray as xr

TRIALS = ("trial_onset", "trial_duration", "trial_cue", "trial_latency", "trial_event", "trial_kind", "trial_block")
"""What every form of the trials needs."""

CELLS = ("cell_type", "excitatory")
"""What every form of the spikes needs beside them."""

PREDICTIONS = ("prediction", "expectation", "when")
"""Variables over probe, event and time."""


def meaning(recording: xr.Dataset, name: str) -> str:
    """Return what a variable of a recording is, with the formula of its own readout where it is the prediction."""
    said = schema.VARIABLES[name].meaning
    if name != "prediction":
        return said
    from izhires.predictions.base import Prediction

    held = _configuration(recording)
    made = held.get("prediction", held.get("readout", {"type": "factorised"}))
    kind = made.get("type") if isinstance(made, dict) else made
    known = Prediction.alternatives().get(str(kind))
    return f"{said} {kind}" + (f": {known.formula}" if known is not None and known.formula else "")


def _configuration(recording: xr.Dataset) -> dict[str, Any]:
    """Return the configuration that a recording holds, empty when it holds none."""
    found: dict[str, Any] = json.loads(recording.attrs.get("configuration", "{}"))
    return found


def cue_names(recording: xr.Dataset) -> np.ndarray:
    """Return the name of the cue of each trial; "cue" where there is one only."""
    if "trial_cue_name" in recording.variables:
        return np.asarray(recording["trial_cue_name"].values.astype(str))
    return np.full(recording.sizes["trial"], "cue")


def has_spikes(recording: xr.Dataset) -> bool:
    """Return whether a recording holds spikes."""
    return "spike_time" in recording and "spike_neuron" in recording


def require(recording: xr.Dataset, *names: str) -> None:
    """Complain of a recording that lacks variables that a format cannot do without, or one of their dimensions.

    Raises
    ------
    RecordingError
    """
    import xarray

    if not isinstance(recording, xarray.Dataset):
        raise RecordingError(f"must be a recording (an xarray.Dataset), got {type(recording).__name__}")
    if [name for name in names if name not in recording.variables] == ["spike_time", "spike_neuron"]:
        raise RecordingError("holds no spikes; run with --set keep.spikes=all, or probes", title(recording))
    schema.require(recording, names, title(recording))


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
    keep = _configuration(recording).get("keep", {}).get("spikes", "probes")
    require(recording, "spike_time", "spike_neuron")
    if keep == "all":
        end = recording.attrs["duration"] if "duration" in recording.attrs else max(onset + length, default=0.0)
        return np.array([[0.0, float(end)]])
    rows = np.empty(0, int)
    if "state_probe" in recording.variables:
        rows = trials_of_probes(recording)[places(recording["probe"].values, recording["state_probe"].values)]
    # of a probe that is not there, nobody can tell its time
    rows = np.sort(rows[rows >= 0])
    found: list[list[float]] = []
    for start, end in zip(onset[rows], onset[rows] + length[rows], strict=True):
        if found and start <= found[-1][1]:
            found[-1][1] = end
        else:
            found.append([start, end])
    intervals = np.array(found).reshape(-1, 2)
    times = recording["spike_time"].values
    place = np.searchsorted(intervals[:, 0], times, side="right") - 1
    if (place < 0).any() or (times > intervals[place, 1]).any():
        raise RecordingError(
            "holds spikes outside the probes' trials, and does not say when it kept them (a part of a recording needs "
            "every probe whose spikes it holds, with its trial)",
            title(recording),
        )
    return intervals


def spike_trains(recording: xr.Dataset) -> list[np.ndarray]:
    """Return the spike times (s from the start of the experiment, ascending) of each cell."""
    times, cells = cell_spikes(recording)
    order = np.lexsort((times, cells))
    ends = np.searchsorted(cells[order], np.arange(recording.sizes["neuron"] + 1))
    return np.split(times[order].astype(float), ends[1:-1])


def probe_cues(recording: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of the probes whose trial the recording holds, and the time of each one's cue, s."""
    rows = trials_of_probes(recording)
    held = np.flatnonzero(rows >= 0)
    return held, recording["trial_cue"].values[rows[held]]
