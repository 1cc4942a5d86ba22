"""Recordings for pynapple (Viejo et al. 2023, doi 10.7554/eLife.85786)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from izhires.formats.shared import (
    CELLS,
    PREDICTIONS,
    TRIALS,
    happened,
    has_spikes,
    library,
    observed,
    probe_cues,
    require,
    spike_trains,
)

if TYPE_CHECKING:
    import xarray as xr


def to_pynapple(recording: xr.Dataset) -> dict[str, Any]:
    """Return spikes, trials and predictions as pynapple objects.

    Parameters
    ----------
    recording : xarray.Dataset

    Returns
    -------
    dict
        Times in seconds from the start of the experiment.

        - ``"units"``: a ``TsGroup``, one element a cell, with neuron (its number in the whole recording), cell_type and
          excitatory; its time support is the time in which spikes were kept, so that rates come out right. Absent when
          no spikes were kept;
        - ``"trials"``: an ``IntervalSet`` with the columns of the trial table. pynapple keeps intervals apart, so each
          ends 1 microsecond early;
        - ``"inputs"``, where the task has inputs besides a cue in each trial: of each input channel a ``TsdFrame`` at
          the onsets, with the columns duration (s) and strength;
        - ``"cues"``: a ``Ts``; ``"events"``: a ``Tsd`` whose values are indices into the recording's events;
        - ``"prediction"``, ``"expectation"``, ``"when"``: a ``TsdFrame`` each, one column an event, over the windows of
          the probes; those that the recording holds. Absent without probes. Of a part of a recording, those probes
          whose trial it holds.

    Raises
    ------
    RecordingError
        If the recording lacks a variable of the trials or cells.
    ToolchainError
        If pynapple is not installed.
    """
    nap = library("pynapple")
    require(recording, *TRIALS)
    onset, length, cue = (recording[f"trial_{name}"].values for name in ("onset", "duration", "cue"))
    columns = ("cue", "latency", "event", "block", "kind", "learn", "response_time", "cue_name")
    metadata = {name: recording[f"trial_{name}"].values for name in columns if f"trial_{name}" in recording}
    found: dict[str, Any] = {}
    if has_spikes(recording):
        require(recording, *CELLS)
        start, end = observed(recording).T
        support = nap.IntervalSet(start, end)
        found["units"] = nap.TsGroup(
            {i: nap.Ts(train, time_support=support) for i, train in enumerate(spike_trains(recording))},
            time_support=support,
            metadata={name: recording[name].values for name in ("neuron", *CELLS)},
        )
    found["trials"] = nap.IntervalSet(onset, onset + length - 1e-6, metadata=metadata)
    names = list(recording["event"].values)
    found["cues"] = nap.Ts(cue)
    _, event, times = happened(recording)
    found["events"] = nap.Tsd(times, np.array([names.index(each) for each in event]))
    if "input_onset" in recording:
        channel = recording["input_channel"].values.astype(str)
        onset, *pulse = (recording[f"input_{name}"].values for name in ("onset", "duration", "strength"))
        found["inputs"] = {
            name: nap.TsdFrame(onset[channel == name], np.stack(pulse, axis=1)[channel == name],
                               columns=["duration", "strength"])
            for name in dict.fromkeys(channel.tolist())
        }  # fmt: skip
    held, cues = probe_cues(recording)
    if not len(held):
        return found
    # an interval set is in order of time
    order = np.argsort(cues)
    held, cues, time = held[order], cues[order], recording["time"].values
    windows = nap.IntervalSet(cues, cues + time[-1])
    for name in (each for each in PREDICTIONS if each in recording):
        values = recording[name].transpose("probe", "time", "event").values[held].reshape(-1, len(names))
        found[name] = nap.TsdFrame((cues[:, None] + time).ravel(), values, time_support=windows, columns=names)
    return found
