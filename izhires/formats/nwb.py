"""Recordings as files of Neurodata Without Borders (Rübel et al. 2022, doi 10.7554/eLife.78362)."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from izhires.declare import in_si
from izhires.errors import RecordingError
from izhires.files import as_path, whole
from izhires.formats.shared import (
    CELLS,
    PREDICTIONS,
    TRIALS,
    has_spikes,
    library,
    meaning,
    observed,
    probe_cues,
    require,
    spike_trains,
    title,
)
from izhires.recordings.schema import TEXT, VARIABLES

if TYPE_CHECKING:
    import xarray as xr

LEFT_OUT = ("weights of the readouts, mean states and spike traces: they stay in the recording",)
"""What no NWB file of this package holds, one line each."""


def save_nwb(recording: xr.Dataset, path: str | Path) -> list[str]:
    """Write spikes, trials and predictions as an NWB file.

    Parameters
    ----------
    recording : xarray.Dataset
    path : path
        A name that ends in ``.nwb``. Times in it are seconds from the start of the experiment, and that start is the
        moment at which the simulation was recorded. It holds

        - ``trials``: start, stop, cue and event times, event, block, kind, whether the trial teaches, the identity
          prediction of each event, the name of the cue where there are several, and the response time where there is
          one;
        - ``units``: one a cell, with its type and mean rate, and with the intervals in which its spikes were kept
          (``obs_intervals``): outside them nothing is known, which is not silence;
        - the processing module ``prediction``: ``prediction``, ``expectation`` and ``when`` as time series over the
          windows of the probes (one column an event), the table ``probes``, and the table ``outcomes`` with the true
          statistics;
        - ``intervals/inputs``: what was heard, where the task has inputs besides a cue in each trial.

    Returns
    -------
    list of str
        What of this recording the file does not hold, one line each; of a part of a recording also the probes
        whose trial it lacks.

    Raises
    ------
    ToolchainError
        If pynwb is not installed.
    RecordingError
        If the recording does not say when it was made or lacks a variable of the trials or cells, or the file cannot
        be written.
    """
    path = as_path(path)
    pynwb = library("pynwb")
    require(recording, *TRIALS, "time")
    left_out = list(LEFT_OUT)
    file = _file(pynwb, recording)
    # the standard has no word for a network: sex "other", age zero (it starts untrained), and no species
    about = "A simulated network, named by its seed; no animal. It starts untrained, hence its age; sex O means: none."
    file.subject = pynwb.file.Subject(
        subject_id=f"seed{recording.attrs.get('seed')}", description=about, sex="O", age="P0D"
    )
    file.trials = _trials(pynwb, recording)
    if has_spikes(recording):
        file.units = _units(pynwb, recording)
    else:
        left_out.append("units: the recording holds no spikes")
    optional = ("trial_learn", "trial_what", "what", "outcome_probability", *PREDICTIONS)
    left_out += [f"{name}: the recording does not hold it" for name in optional if name not in recording]
    left_out += _add_predictions(pynwb, file, recording)
    if "input_onset" in recording:
        onset, length = recording["input_onset"].values, recording["input_duration"].values
        columns: dict[str, tuple[str, Any]] = {
            "start_time": ("start of what was heard, s", onset),
            "stop_time": ("its end, s", onset + length),
            **_columns(recording, "input_", ("channel", "strength")),
        }
        about = "All that the network heard, one row a pulse."
        file.add_time_intervals(_table(pynwb.epoch.TimeIntervals, "inputs", about, columns))
    with whole(path) as part:
        # the part's own name does not end in .nwb, of which pynwb would warn; an open file it takes as it is
        h5py = library("h5py")
        with h5py.File(part, "w") as opened, pynwb.NWBHDF5IO(file=opened, mode="w") as io:
            io.write(file)
    return left_out


def _file(pynwb: Any, recording: xr.Dataset) -> Any:
    attrs = recording.attrs
    try:
        start = datetime.fromisoformat(attrs["created"])
    except (KeyError, ValueError):
        raise RecordingError("does not say when it was made (attribute 'created')", title(recording)) from None
    made = [str(attrs.get(name, "")) for name in ("plan", "variant", "seed", "created")]
    return pynwb.NWBFile(
        session_description=f"Simulation of a spiking network that learns the task {attrs['paradigm']}; no animal.",
        identifier=str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(made))),
        session_start_time=start,
        session_id=title(recording),
        experiment_description="Simulated Izhikevich cells with readouts that learn what will happen, and when.",
        keywords=["simulation", "spiking neural network", "reservoir computing", "temporal expectation"],
        source_script=f"versions {attrs.get('versions', 'unknown')}, commit {attrs.get('git_commit', 'unknown')}",
        source_script_file_name="izhires",
        notes=attrs.get("configuration"),
    )


def _table(
    kind: Any, name: str, about: str, columns: dict[str, tuple[str, Any]], labels: np.ndarray | None = None, **more: Any
) -> Any:
    """Return a table of whole columns; `columns` is name -> (meaning, values), a list of arrays for a ragged column.

    `labels` are the ids of its rows, so that those of a part of a recording are the numbers of the whole one.
    """
    from pynwb.core import VectorData, VectorIndex

    made = []
    for column, (said, values) in columns.items():
        if isinstance(values, list):
            whole = np.concatenate(values) if values else np.empty(0)
            data = VectorData(name=column, description=said, data=whole)
            ends = np.cumsum([len(each) for each in values])
            made += [data, VectorIndex(name=f"{column}_index", data=ends, target=data)]
        else:
            # text as a list of plain strings, of which the format knows the length
            made.append(
                VectorData(name=column, description=said, data=values if values.dtype.kind != "U" else values.tolist())
            )
    if labels is not None:
        more["id"] = [int(each) for each in labels]
    return kind(name=name, description=about, columns=made, colnames=list(columns), **more)


def _trials(pynwb: Any, recording: xr.Dataset) -> Any:
    onset, length, cue = (recording[f"trial_{name}"].values for name in ("onset", "duration", "cue"))
    columns: dict[str, tuple[str, Any]] = {
        "start_time": ("start of the trial, s", onset),
        "stop_time": ("end of the trial, s", onset + length),
        "cue_time": ("time of the cue, s", cue),
        "event_time": ("time of the event, s; NaN in a cue-only trial", cue + recording["trial_latency"].values),
        **_columns(
            recording,
            "trial_",
            ("event", "block", "kind", "learn", "cue_name", "response_time", "latency_of", "what", "when"),
        ),
    }
    about = "Trials, probes and warm-up trials included."
    return _table(pynwb.epoch.TimeIntervals, "trials", about, columns, recording["trial"].values)


def _columns(recording: xr.Dataset, prefix: str, names: tuple[str, ...]) -> dict[str, tuple[str, Any]]:
    """Return the columns of a table, those that a recording holds, with what they mean."""
    found = {}
    for name in (each for each in names if f"{prefix}{each}" in recording.variables):
        held = recording[f"{prefix}{name}"]
        about = VARIABLES[f"{prefix}{name}"]
        said = meaning(recording, f"{prefix}{name}") + (f", {about.unit}" if about.unit not in ("", "1") else "")
        if "event" in held.dims:
            said += f"; columns: {_events(recording)}"
        values = held.transpose(about.dims[0], ...).values
        found[name] = (said, values.astype(bool) if name in ("learn", "excitatory") else
                       values.astype(str) if about.dtype == TEXT else values)  # fmt: skip
    return found


def _units(pynwb: Any, recording: xr.Dataset) -> Any:
    require(recording, *CELLS, "rate")
    step = json.loads(recording.attrs.get("configuration", "{}")).get("time_step")
    intervals = observed(recording)
    columns: dict[str, tuple[str, Any]] = {
        "spike_times": ("times of the spikes, s", spike_trains(recording)),
        "obs_intervals": ("intervals in which spikes were kept, s", [intervals] * recording.sizes["neuron"]),
        **_columns(recording, "", ("cell_type", "excitatory", "rate")),
    }
    resolution = in_si(step, "ms") if step else None
    labels = recording["neuron"].values
    return _table(pynwb.misc.Units, "units", "The cells of the network.", columns, labels, resolution=resolution)


def _add_predictions(pynwb: Any, file: Any, recording: xr.Dataset) -> list[str]:
    """Add predictions and statistics; return what there is not."""
    left_out = []
    module = file.create_processing_module("prediction", "what the network predicts in probes, and what is true")
    held, cues = probe_cues(recording)
    time, probes = recording["time"].values, recording.isel(probe=held)
    if recording.sizes["probe"] > len(held):
        left_out.append(f"{recording.sizes['probe'] - len(held)} probes whose trial the recording does not hold")
    if len(held):
        timestamps: Any = (cues[:, None] + time).ravel()
        for name in (each for each in PREDICTIONS if each in recording):
            series = pynwb.TimeSeries(
                name=name, unit=VARIABLES[name].unit, timestamps=timestamps,
                description=f"{meaning(recording, name)}. Columns: {_events(recording)}.",
                data=probes[name].transpose("probe", "time", "event").values.reshape(len(cues) * len(time), -1),
            )  # fmt: skip
            module.add(series)
            timestamps = series  # a link: the first one's times serve all
        columns = {
            "start_time": ("time of the cue, s", cues),
            "stop_time": ("end of the window, s", cues + float(recording.attrs["window"])),
            **_columns(probes, "", ("trial_of_probe", "block", "probe_trial", "block_trial", "cue_name", "what")),
        }
        about = "Windows of the cue-only probes, in which the network predicts and does not learn."
        module.add(_table(pynwb.epoch.TimeIntervals, "probes", about, columns, probes["probe"].values))
    else:
        left_out.append("predictions: the recording holds no probes")
    if "outcome_probability" in recording:
        outcomes = _columns(recording, "outcome_", ("block", "cue_name", "event", "latency", "probability"))
        about = "True statistics of each block, one row an outcome."
        module.add(_table(pynwb.core.DynamicTable, "outcomes", about, outcomes))
    return left_out


def _events(recording: xr.Dataset) -> str:
    return ", ".join(map(str, recording["event"].values))
