"""Recordings: what one run left, as one labelled data set and one netCDF-4 file.

A file is written under a temporary name beside its own and renamed when it is whole, so that a file with the right name
is a whole one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from izhires.errors import RecordingError
from izhires.files import whole

if TYPE_CHECKING:
    import xarray as xr

    from izhires.model import Model
    from izhires.paradigms.experiment import Experiment
    from izhires.plan import Plan

LAYOUT = 1
"""Number of the file layout. Every layout that a release has written must load."""

STATE_STEP = 0.01
"""Time between two samples of the kept spike traces, s."""

# how long before a moment a spike still shows in the trace, in time constants; the rest is below 1e-8
MEMORY = 20.0

# rows of results that are looked at together
PORTION = 2**20

# what two times may differ by and still be the same, s
SAME = 1e-9

UNITS = {
    "time": ("s", "time from the cue"),
    "prediction": ("1", "prediction of a cue-only probe, made of what and when by the readout"),
    "expectation": ("1", "true expectation of the probe's block: sum of probability x bump"),
    "block": ("1", "block of the probe, from 0"),
    "probe_trial": ("1", "training trials completed before the probe"),
    "block_trial": ("1", "training trials completed since the probe's block began"),
    "trial_onset": ("s", "start of the trial"),
    "trial_duration": ("s", "length of the trial"),
    "trial_cue": ("s", "time of the cue"),
    "trial_latency": ("s", "time from the cue to the event; NaN in a cue-only trial"),
    "trial_event": ("", "event of the trial; empty in a cue-only trial"),
    "trial_block": ("1", "block of the trial, from 0"),
    "trial_kind": ("", "warm-up, train or probe"),
    "trial_learn": ("1", "1 in trials that teach"),
    "trial_response_time": ("s", "the participant's response time; NaN without one"),
    "outcome_block": ("1", "block of the outcome, from 0"),
    "outcome_event": ("", "event of the outcome"),
    "outcome_latency": ("s", "time from the cue to the outcome"),
    "outcome_probability": ("1", "probability of the outcome"),
    "state_trace": ("Hz", "spike trace of each cell in some probes"),
    "state_probe": ("1", "index of the probe"),
    "state_time": ("s", "time from the cue"),
    "rate": ("Hz", "mean firing rate over the experiment"),
    "cell_type": ("", "type of the cell"),
    "excitatory": ("1", "1 if the cell is excitatory"),
    "spike_time": ("s", "time of the spike from the start of the experiment"),
    "spike_neuron": ("1", "cell that spiked"),
}


def spike_trace(times: np.ndarray, cells: np.ndarray, samples: np.ndarray, n: int, tau: float) -> np.ndarray:
    """Return the spike trace r of every cell at some moments: the sum of exp(-(t - t_spike)/tau)/tau over spikes.

    Parameters
    ----------
    times, cells : array
        Spikes (s, index), in order of time.
    samples : array
        Moments, s, ascending and evenly spaced.
    n : int
        Number of cells.
    tau : float
        Decay, s.

    Returns
    -------
    array, shape (samples, cells), Hz
    """
    first = np.searchsorted(times, samples[0] - MEMORY * tau)
    trace = np.zeros((len(samples), n))
    now, value = samples[0] - MEMORY * tau, np.zeros(n)
    for row, moment in enumerate(samples):
        last = np.searchsorted(times, moment - SAME)  # rounding does not decide which of two equal times is the earlier
        value *= np.exp(-(moment - now) / tau)
        np.add.at(value, cells[first:last], np.exp(-(moment - times[first:last]) / tau) / tau)
        trace[row], first, now = value, last, moment
    return trace


class Results:
    """What a device's program returned for one network, looked at trial by trial.

    Parameters
    ----------
    plan : Plan
    experiment : Experiment
    outputs : dict of str to array
        By ``monitor.variable``.

    Attributes
    ----------
    probes : array of int
        Positions of the probes among the trials.
    time : array
        Time from the cue over the window, s, one step of the readouts after the other.
    cells, channels : int
        Cells that are read, and events.
    """

    def __init__(self, plan: Plan, experiment: Experiment, outputs: dict[str, np.ndarray]) -> None:
        self.plan, self.experiment, self.outputs = plan, experiment, outputs
        self.trials = experiment.trials.reset_index(drop=True)
        self.probes = np.flatnonzero(self.trials["kind"] == "probe")
        self.time = np.arange(round(experiment.window / plan.readout_step)) * plan.readout_step
        self.cells, self.channels = plan.length("state"), len(experiment.events)

    def in_probes(self, output: str) -> np.ndarray:
        """Return an output of every step over the window of each probe, shape (probe, element, time)."""
        values = self.outputs[output]
        cues = np.round(self.trials["cue"].to_numpy()[self.probes] / self.plan.readout_step).astype(int)
        if not len(cues):
            return np.empty((0, values.shape[1], len(self.time)))
        return np.stack([values[at : at + len(self.time)].T for at in cues])

    def at_events(self, output: str) -> np.ndarray:
        """Return an output of every step at the moment of each trial's event, NaN without one, shape (trial, element).

        It is the reading of that step, before the weights learn from it (`izhires.parts.SCHEDULE`).
        """
        values = self.outputs[output]
        found = np.full((len(self.trials), values.shape[1]), np.nan)
        happens = np.flatnonzero(self.trials["latency"].notna())
        moments = (self.trials["cue"] + self.trials["latency"]).to_numpy()[happens]
        found[happens] = values[np.round(moments / self.plan.readout_step).astype(int)]
        return found

    def inside_probes(self, output: str) -> np.ndarray:
        """Return the snapshot inside each probe's trial, shape (probe, element)."""
        onsets = self.trials["onset"].to_numpy()[self.probes]
        ends = onsets + self.trials["duration"].to_numpy()[self.probes]
        return self.outputs[output][_first_at_or_after(self._moments(output), onsets, ends)]

    def at_window_ends(self, output: str) -> np.ndarray:
        """Return what stands from the end of each trial's window to the next one's, shape (trial, element)."""
        ends = (self.trials["cue"] + self.experiment.window).to_numpy()
        return _held(self._moments(output), self.outputs[output], ends)

    def _moments(self, output: str) -> np.ndarray:
        return self.outputs[f"{output.split('.')[0]}.t"]


def assemble(
    plan: Plan,
    model: Model,
    experiment: Experiment,
    outputs: dict[str, np.ndarray],
    keep_spikes: str = "probes",
) -> xr.Dataset:
    """Make the labelled data set of a run.

    Parameters
    ----------
    plan : Plan
    model : Model
    experiment : Experiment
    outputs : dict
        What a device's program returned.
    keep_spikes : {"probes", "all", "none"}
        Which spikes to keep: those of the first and last probe of each block, all, or none.

    Returns
    -------
    xarray.Dataset
    """
    import xarray as xr

    import izhires.formats.accessor  # noqa: F401  (its methods come with every recording)

    results = Results(plan, experiment, outputs)
    n, k, time, trials = results.cells, results.channels, results.time, results.trials
    probes = trials.iloc[results.probes]
    training = (trials["kind"] == "train").to_numpy()
    completed = np.concatenate([[0], np.cumsum(training)])[probes.index]
    started = {block: int(training[: rows.index[0]].sum()) for block, rows in trials.groupby("block")}
    expected = {block: experiment.expectation(int(block), time) for block in trials["block"].unique()}
    read = model.variables(results)

    data: dict[str, Any] = {
        "prediction": (("probe", "event", "time"), model.predict(results)),
        "expectation": (
            ("probe", "event", "time"),
            np.stack([expected[block] for block in probes["block"]]) if len(probes) else np.empty((0, k, len(time))),
        ),
        **{name: (each.dims, each.values) for name, each in read.items()},
        "trial_learn": ("trial", trials["learn"].to_numpy().astype(np.int8)),
        **{
            f"trial_{name}": ("trial", trials[name].to_numpy())
            for name in ("onset", "duration", "cue", "latency", "block")
        },
        **{f"trial_{name}": ("trial", trials[name].to_numpy().astype(str)) for name in ("event", "kind")},
        **{
            f"outcome_{name}": ("outcome", experiment.outcomes[name].to_numpy())
            for name in ("block", "latency", "probability")
        },
        "outcome_event": ("outcome", experiment.outcomes["event"].to_numpy().astype(str)),
        "rate": ("neuron", mean_rates(plan, outputs)),
        "cell_type": ("neuron", np.array(model.reservoir.cell_types())),
        "excitatory": ("neuron", model.reservoir.excitatory().astype(np.int8)),
    }
    if "response_time" in trials:
        data["trial_response_time"] = ("trial", trials["response_time"].to_numpy(float))
    coordinates: dict[str, Any] = {
        "event": np.array(experiment.events),
        "time": time,
        "block": ("probe", probes["block"].to_numpy()),
        "probe_trial": ("probe", completed),
        "block_trial": ("probe", completed - np.array([started[block] for block in probes["block"]], dtype=int)),
    }

    # traces and spikes of the first and the last probe of each block
    outputs = in_order(outputs)
    kept = sorted({i for _, rows in probes.reset_index().groupby("block") for i in (rows.index[0], rows.index[-1])})
    if kept:
        state_time = np.arange(0, experiment.window, STATE_STEP)
        tau = model.reservoir.tau_trace * 1e-3
        traces = []
        for cue in probes["cue"].iloc[kept]:
            own = spikes_between(outputs, cue - MEMORY * tau, cue + experiment.window)
            traces.append(spike_trace(*own, cue + state_time, n, tau).astype(np.float32))
        data["state_trace"] = (("state_probe", "state_time", "neuron"), np.stack(traces))
        coordinates |= {"state_probe": np.array(kept), "state_time": state_time}
    if keep_spikes != "none":
        whole_run = keep_spikes == "all"
        spans = probes[["onset", "duration"]].iloc[kept].to_numpy() if not whole_run else [(-np.inf, np.inf)]
        pieces = [spikes_between(outputs, start, start + length) for start, length in spans]
        pieces = pieces or [spikes_between(outputs, 0, 0)]
        time_and_cell = pieces[0] if len(pieces) == 1 else [np.concatenate(each) for each in zip(*pieces, strict=True)]
        for name, values in zip(("spike_time", "spike_neuron"), time_and_cell, strict=True):
            data[name] = ("spike", values)
    recording = xr.Dataset(data, coords=coordinates)
    for name, (unit, meaning) in UNITS.items():
        if name in recording.variables:
            recording[name].attrs = {"units": unit, "long_name": meaning} if unit else {"long_name": meaning}
    for name, each in read.items():
        recording[name].attrs = {"units": each.unit, "long_name": each.meaning}
    return recording


def portions(length: int) -> Iterator[slice]:
    """Yield slices that cover so many rows: of long results not all is held in memory at once."""
    for start in range(0, length, PORTION):
        yield slice(start, start + PORTION)


def mean_rates(plan: Plan, outputs: dict[str, np.ndarray]) -> np.ndarray:
    """Return the mean rate of each cell over the experiment, Hz."""
    cells = outputs["spikes.i"]
    counts = sum(
        (np.bincount(cells[part], minlength=plan.cells) for part in portions(len(cells))), np.zeros(plan.cells)
    )
    return counts / plan.duration


def in_order(outputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return outputs with all spikes in order of time and then of cell, as most devices leave them."""
    times, cells = outputs["spikes.t"], outputs["spikes.i"]
    for part in portions(len(times)):
        reaching = slice(max(part.start - 1, 0), part.stop)
        later = np.diff(times[reaching])
        if not ((later > 0) | ((later == 0) & (np.diff(cells[reaching]) > 0))).all():
            order = np.lexsort((cells, times))
            return {**outputs, "spikes.t": times[order], "spikes.i": cells[order]}
    return outputs


def spikes_between(outputs: dict[str, np.ndarray], start: float, end: float) -> tuple[np.ndarray, np.ndarray]:
    """Return times (s) and cells of the spikes in [start, end), which are in order."""
    first, last = np.searchsorted(outputs["spikes.t"], (start, end))
    return outputs["spikes.t"][first:last], outputs["spikes.i"][first:last]


def _first_at_or_after(moments: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the index of the first snapshot in each interval [start, end)."""
    found = np.searchsorted(moments, start - 1e-9)
    if np.any(found >= len(moments)) or np.any(moments[np.minimum(found, len(moments) - 1)] >= end - 1e-9):
        raise RecordingError("a probe passed without a snapshot of the weights; its trial is shorter than the others")
    return found


def _held(moments: np.ndarray, values: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return the value that stands from each window's end to the next one, NaN where no snapshot lies between."""
    found = np.searchsorted(moments, ends + 1e-9)
    following = np.append(ends[1:], np.inf)
    reached = found < len(moments)
    index = np.minimum(found, len(moments) - 1)
    good = reached & (moments[index] < following + 1e-9)
    result = values[index].astype(float)
    result[~good] = np.nan
    return result


def save(recording: xr.Dataset, path: str | Path) -> Path:
    """Write a recording; the file appears under its name only when it is whole.

    Raises
    ------
    RecordingError
        If the folder cannot be written to or is full.
    """
    path = Path(path)
    # numbers compress well and losslessly at the lowest level, and a checksum finds damage; text does not take filters
    encoding = {
        name: {"zlib": True, "complevel": 1, "fletcher32": True}
        for name, each in recording.variables.items()
        if each.dtype.kind in "fi" and each.ndim
    }
    with whole(path) as part:
        recording.to_netcdf(part, format="NETCDF4", engine="netcdf4", encoding=encoding)
    return path


def load(path: str | Path) -> xr.Dataset:
    """Read a recording into memory.

    Raises
    ------
    RecordingError
        If there is no such file, or it is truncated, foreign, or of a later layout.
    """
    import xarray as xr

    import izhires.formats.accessor  # noqa: F401  (its methods come with every recording)

    path = Path(path)
    if not path.is_file():
        raise RecordingError("is a folder" if path.is_dir() else "there is no such file", str(path))
    try:
        with xr.open_dataset(path, engine="netcdf4") as opened:
            recording = opened.load()
    except PermissionError as error:
        raise RecordingError(f"cannot be read: {error.strerror}", str(path)) from None
    except Exception:  # the netCDF library raises OSError, RuntimeError, ValueError and others, in words of its own
        raise RecordingError(f"is not a whole netCDF file ({path.stat().st_size} bytes)", str(path)) from None
    layout: Any = recording.attrs.get("layout")
    ours = isinstance(layout, (int, np.integer)) and "paradigm" in recording.attrs
    if ours and int(layout) > LAYOUT:
        raise RecordingError(
            f"was written in layout {layout}, by a later version; this one reads up to {LAYOUT}", str(path)
        )
    if not ours or "prediction" not in recording:
        raise RecordingError("is a netCDF file, but not a recording of izhires", str(path))
    return recording


def files(folder: str | Path) -> list[Path]:
    """Return the recordings of a folder, in order of their names.

    Raises
    ------
    RecordingError
        If there is no such folder, or it holds none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise RecordingError("there is no such folder", str(folder))
    paths = sorted(folder.glob("*.nc"))
    if not paths:
        raise RecordingError("holds no recording (*.nc)", str(folder))
    return paths


def load_folder(folder: str | Path) -> list[xr.Dataset]:
    """Read all recordings of a folder, in order of variant and seed.

    Raises
    ------
    RecordingError
        If the folder holds none, or one that cannot be read.
    """
    recordings = [load(path) for path in files(folder)]
    return sorted(recordings, key=lambda each: (each.attrs["variant"], each.attrs["seed"]))


def configuration(recording: xr.Dataset) -> dict[str, Any]:
    """Return the configuration that made a recording, as plain data."""
    found: dict[str, Any] = json.loads(recording.attrs["configuration"])
    return found
