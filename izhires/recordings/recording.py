"""Recordings: what one run left, as one labelled data set and one netCDF-4 file.

A file is written under a temporary name beside its own and renamed when it is whole, so that a file with the right name
is a whole one. Behind its last netCDF byte, where readers of netCDF do not look, stands the SHA-256 of all bytes
before: the HDF5 library may end the process, or never come back, on a file of which one byte was changed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from izhires.building.parts import Monitor
from izhires.errors import ConfigurationError, ParadigmError, RecordingError
from izhires.files import as_path, whole
from izhires.recordings import schema
from izhires.recordings.schema import LAYOUT
from izhires.units import MS

if TYPE_CHECKING:
    import xarray as xr

    from izhires.building.plan import Plan
    from izhires.model.model import Model
    from izhires.paradigms.experiment import Experiment

STATE_STEP = 0.01
"""Time between two samples of the kept spike traces, s."""

# how long before a moment a spike still shows in the trace, in time constants; the rest is below 1e-8
MEMORY = 20.0

# rows of results, or bytes of a file, that are looked at together
PORTION = 2**20

# what two times may differ by and still be the same, s
SAME = 1e-9

# after the last byte of netCDF; 64 digits and a line's end follow, the SHA-256 of all bytes before
LAST_BYTES = b"\nizhires sha256 "

CHANGED = "was changed after it was written: its checksum does not agree"


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
    keep_spikes : {"probes", "all", "none"}
        Which spikes to keep, see `assemble`.
    arrays : mapping, optional
        The numbers of the run, by ``part.variable``.
    units : mapping, optional
        The units of the outputs, as Brian2 knows them.

    Attributes
    ----------
    probes : array of int
        Positions of the probes among the trials.
    time : array
        Time from the cue over the window, s, one step of the readouts after the other.
    cells, channels : int
        Cells that are read, and events.
    """

    def __init__(
        self,
        plan: Plan,
        experiment: Experiment,
        outputs: dict[str, np.ndarray],
        keep_spikes: str = "probes",
        arrays: Mapping[str, np.ndarray] | None = None,
        units: Mapping[str, str] | None = None,
    ) -> None:
        self.plan, self.experiment, self.outputs, self.keep_spikes = plan, experiment, outputs, keep_spikes
        self.arrays, self.units = arrays or {}, units or {}
        self.trials = experiment.trials.reset_index(drop=True)
        self.probes = np.flatnonzero(self.trials["kind"] == "probe")
        self.time = np.arange(round(experiment.window / plan.readout_step)) * plan.readout_step
        self.cells, self.channels = plan.length("state"), len(experiment.events)

    def kept_probes(self) -> list[int]:
        """Return the first and the last probe of each block and cue, by their number among the probes."""
        rows = self.trials.iloc[self.probes].reset_index()
        own = ["block", "cue_name"] if "cue_name" in rows else ["block"]
        return sorted({i for _, each in rows.groupby(own) for i in (each.index[0], each.index[-1])})

    def kept_spikes(self, monitor: str) -> tuple[np.ndarray, np.ndarray]:
        """Return times (s) and cells of the spikes that a recording keeps."""
        times, cells = self.outputs[f"{monitor}.t"], self.outputs[f"{monitor}.i"]
        if self.keep_spikes == "all":
            return times, cells
        probes = self.trials.iloc[self.probes[self.kept_probes()] if self.keep_spikes == "probes" else []]
        pieces = [
            spikes_between(self.outputs, onset, onset + duration, monitor)
            for onset, duration in zip(probes["onset"], probes["duration"], strict=True)
        ]
        times, cells = zip((times[:0], cells[:0]), *pieces, strict=True)
        return np.concatenate(times), np.concatenate(cells)

    def mean_rates(self, monitor: str, cells: int) -> np.ndarray:
        """Return the mean rate of each cell over the experiment, Hz."""
        return mean_rates(cells, self.experiment.duration, self.outputs, monitor)

    def at_ends(self, output: str) -> np.ndarray:
        """Return an output at the start and the end, shape (2, element); NaN for the end of a run that was stopped."""
        values = self.outputs[output]
        if len(values) == 1:
            values = np.concatenate([values, np.full_like(values, np.nan)])
        return values[[0, -1]]

    def in_probes(self, output: str) -> np.ndarray:
        """Return an output of every step over the window of each probe, shape (probe, element, time)."""
        values = self.outputs[output]
        cues = np.round(self.trials["cue"].to_numpy()[self.probes] / self.plan.readout_step).astype(int)
        if not len(cues):
            return np.empty((0, values.shape[1], len(self.time)))
        return np.stack([values[at : at + len(self.time)].T for at in cues])

    def at_events(self, output: str) -> np.ndarray:
        """Return an output of every step at the moment of each trial's event, NaN without one, shape (trial, element).

        Where several events may come in a trial, each channel is read at the moment of its own. It is the reading of
        that step, before the weights learn from it (`izhires.building.parts.SCHEDULE`).
        """
        values = self.outputs[output]
        found = np.full((len(self.trials), values.shape[1]), np.nan)
        if self.experiment.latencies is not None:
            late = self.experiment.latencies.to_numpy()
            trial, event = np.nonzero(np.isfinite(late))
            moments = self.trials["cue"].to_numpy()[trial] + late[trial, event]
            found[trial, event] = values[np.round(moments / self.plan.readout_step).astype(int), event]
            return found
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
    arrays: Mapping[str, np.ndarray] | None = None,
    units: Mapping[str, str] | None = None,
) -> xr.Dataset:
    """Make the labelled data set of a run.

    Parameters
    ----------
    plan : Plan
    model : Model
    experiment : Experiment
    outputs : dict
        What a device's program returned, as `of_experiment` gives it.
    keep_spikes : {"probes", "all", "none"}
        Which spikes to keep: those of the first and last probe of each block, all, or none.
    arrays : mapping, optional
        The numbers of the run, as the plan came with.
    units : mapping, optional
        The units of the outputs, as Brian2 knows them.

    Returns
    -------
    xarray.Dataset

    Raises
    ------
    ConfigurationError
        If a part of the model records something under the name of something else.
    """
    import izhires.formats.accessor  # noqa: F401  (its methods come with every recording)

    results = Results(plan, experiment, outputs, keep_spikes, arrays, units)
    cells = model.population(model.state.of)
    n, k, time, trials = results.cells, results.channels, results.time, results.trials
    probes = trials.iloc[results.probes]
    training = (trials["kind"] == "train").to_numpy()
    completed = np.concatenate([[0], np.cumsum(training)])[probes.index]
    started = {block: int(training[: rows.index[0]].sum()) for block, rows in trials.groupby("block")}
    cue_of_probe = experiment.cue_of_trials[results.probes]
    of_probes = list(zip(probes["block"], cue_of_probe, strict=True))
    expected = {given: experiment.expectation(int(given[0]), time, given[1]) for given in dict.fromkeys(of_probes)}
    read = model.variables(results)

    data: dict[str, Any] = {
        "prediction": model.predict(results),
        "expectation": (
            np.stack([expected[given] for given in of_probes]) if len(probes) else np.empty((0, k, len(time)))
        ),
        **task_values(experiment),
        "rate": mean_rates(n, experiment.duration, outputs),
        "cell_type": cells.cell_types(),
        "excitatory": cells.excitatory(),
        "time": time,
        "neuron": np.arange(n),
        "probe": np.arange(len(probes)),
        "trial_of_probe": probes.index,
        "block": probes["block"],
        "probe_trial": completed,
        "block_trial": completed - np.array([started[block] for block in probes["block"]], dtype=int),
    }

    if "cue_name" in trials:
        data["cue_name"] = cue_of_probe
    if kept := results.kept_probes():
        state_time = np.arange(0, experiment.window, STATE_STEP)
        tau = cells.tau_trace * MS
        traces = []
        for cue in probes["cue"].iloc[kept]:
            own = spikes_between(outputs, cue - MEMORY * tau, cue + experiment.window)
            traces.append(spike_trace(*own, cue + state_time, n, tau).astype(np.float32))
        data |= {"state_trace": np.stack(traces), "state_probe": kept, "state_time": state_time}
    if keep_spikes != "none":
        data["spike_time"], data["spike_neuron"] = results.kept_spikes("spikes")
    for name, each in read.items():
        if name in data or (name in schema.VARIABLES and each.dims != schema.VARIABLES[name].dims):
            raise ConfigurationError("a part of the model records something else under this name", name)
    data |= {name: each.values for name, each in read.items() if name in schema.VARIABLES}
    recording = schema.dataset(data)
    further = {name: each for name, each in read.items() if name not in schema.VARIABLES}
    return recording.assign(
        {
            name: (each.dims, each.values, {"units": each.unit, "long_name": each.meaning})
            for name, each in further.items()
        }
    )


def task_values(experiment: Experiment) -> dict[str, Any]:
    """Return what a recording holds of its task alone: trials, outcomes and events, by name of the variable.

    Raises
    ------
    ParadigmError
        If something of it cannot be written, so that this is known before anything is simulated.
    """
    trials, outcomes = experiment.trials, experiment.outcomes
    from izhires.paradigms.columns import EPOCH_COLUMNS, INPUT_COLUMNS

    columns = ("learn", "onset", "duration", "cue", "latency", "block", "event", "kind")
    found: dict[str, Any] = {f"trial_{name}": trials[name].to_numpy() for name in columns}
    found |= {f"outcome_{name}": outcomes[name].to_numpy() for name in ("block", "latency", "probability", "event")}
    if "cue_name" in trials:
        found |= {"trial_cue_name": trials["cue_name"].to_numpy(), "outcome_cue_name": outcomes["cue_name"].to_numpy()}
    if experiment.inputs is not None:
        found |= {f"input_{name}": experiment.inputs[name].to_numpy() for name in INPUT_COLUMNS}
    if experiment.payoffs is not None:
        found["trial_payoff"] = experiment.payoffs.to_numpy()
    if experiment.latencies is not None:
        found["trial_latency_of"] = experiment.latencies.to_numpy()
    if experiment.epochs is not None:
        found |= {f"epoch_{name}": experiment.epochs[name].to_numpy() for name in EPOCH_COLUMNS}
    found |= {"event": np.array(experiment.events), "trial": np.arange(len(trials))}
    if "response_time" in trials:
        times = _numbers(trials["response_time"])
        bad = np.flatnonzero(np.isnan(times) & trials["response_time"].notna().to_numpy() | np.isinf(times))
        if len(bad):
            given = trials["response_time"].iloc[bad[0]]
            raise ParadigmError(f"must be a number of seconds, got {str(given)!r}", f"trials[{bad[0]}].response_time")
        found["trial_response_time"] = times
    for name, values in found.items():
        if schema.VARIABLES[name].dtype == schema.TEXT:
            found[name] = np.asarray(values).astype(str)
            for each in dict.fromkeys(found[name].tolist()):
                if problem := schema.text_problem(each):
                    raise ParadigmError(problem, name.replace("_", "s.", 1))
    return found


def _numbers(values: Any) -> np.ndarray:
    """Return a column of a table as numbers, NaN where there is none."""
    import pandas as pd

    return np.asarray(pd.to_numeric(values, errors="coerce"), dtype=float)


def of_experiment(outputs: dict[str, np.ndarray], plan: Plan, experiment: Experiment) -> dict[str, np.ndarray]:
    """Return outputs with spikes in order, and without what happened after the experiment's end.

    A program runs on to its next snapshot of weights, which sees all that was learned; those snapshots stay.

    Parameters
    ----------
    outputs : dict
        What a device's program returned.
    plan : Plan
    experiment : Experiment
    """
    found = dict(outputs)
    for monitor in plan.of(Monitor):
        if not monitor.every:
            found = dict(in_order(found, monitor.name))
        if not monitor.after:
            rows = np.searchsorted(found[f"{monitor.name}.t"], experiment.duration - SAME)
            for variable in {"t", *monitor.variables}:
                found[f"{monitor.name}.{variable}"] = found[f"{monitor.name}.{variable}"][:rows]
    return found


def latencies(recording: xr.Dataset) -> np.ndarray:
    """Return the time from the cue to each event in each trial (s), (trial, event); NaN where it does not come.

    Parameters
    ----------
    recording : xarray.Dataset
        With the trials' event and latency, or ``trial_latency_of`` where several may come in one.
    """
    if "trial_latency_of" in recording.variables:
        return np.asarray(recording["trial_latency_of"].transpose("trial", "event").values)
    own = recording["trial_event"].values.astype(str)[:, None] == recording["event"].values.astype(str)
    return np.where(own, recording["trial_latency"].values[:, None], np.nan)


def happened(recording: xr.Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return trial (its place), name and time (s from the start of the experiment) of each event, in order of time.

    Parameters
    ----------
    recording : xarray.Dataset
        With the trials' cue, and what `latencies` needs.
    """
    late = latencies(recording)
    trial, event = np.nonzero(np.isfinite(late))
    order = np.lexsort((late[trial, event], trial))
    trial, event = trial[order], event[order]
    times = recording["trial_cue"].values[trial] + late[trial, event]
    return trial, recording["event"].values.astype(str)[event], times


def portions(length: int) -> Iterator[slice]:
    """Yield slices that cover so many rows: of long results not all is held in memory at once."""
    for start in range(0, length, PORTION):
        yield slice(start, start + PORTION)


def mean_rates(cells: int, duration: float, outputs: dict[str, np.ndarray], monitor: str = "spikes") -> np.ndarray:
    """Return the mean rate of each cell over the experiment, Hz; see `of_experiment`."""
    spikes = outputs[f"{monitor}.i"]
    counts = sum((np.bincount(spikes[part], minlength=cells) for part in portions(len(spikes))), np.zeros(cells))
    return counts / duration


def in_order(outputs: dict[str, np.ndarray], monitor: str = "spikes") -> dict[str, np.ndarray]:
    """Return outputs with the spikes of a monitor in order of time and then of cell, as most devices leave them."""
    times, cells = outputs[f"{monitor}.t"], outputs[f"{monitor}.i"]
    for part in portions(len(times)):
        reaching = slice(max(part.start - 1, 0), part.stop)
        later = np.diff(times[reaching])
        if not ((later > 0) | ((later == 0) & (np.diff(cells[reaching]) > 0))).all():
            order = np.lexsort((cells, times))
            return {**outputs, f"{monitor}.t": times[order], f"{monitor}.i": cells[order]}
    return outputs


def spikes_between(
    outputs: dict[str, np.ndarray], start: float, end: float, monitor: str = "spikes"
) -> tuple[np.ndarray, np.ndarray]:
    """Return times (s) and cells of the spikes in [start, end), which are in order."""
    times, cells = outputs[f"{monitor}.t"], outputs[f"{monitor}.i"]
    first, last = np.searchsorted(times, (start, end))
    return times[first:last], cells[first:last]


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
    ConfigurationError
        If the path is none.
    RecordingError
        If it is no whole recording, or the folder cannot be written to or is full.
    """
    path = as_path(path)
    _check(recording, str(path))
    # numbers compress well and losslessly at the lowest level, and a checksum finds damage; text does not take filters
    encoding = {
        name: {"zlib": True, "complevel": 1, "fletcher32": True}
        for name, each in recording.variables.items()
        if each.dtype.kind in "fi" and each.ndim
    }
    for name, each in recording.variables.items():
        if each.dtype.kind not in "biufUO":  # dates, say, would come back as numbers
            raise RecordingError(f"holds {name} of type {each.dtype}; valid: numbers, truth values, text", str(path))
    written = recording.assign_attrs(checksum=schema.checksum(recording))
    with whole(path) as part:
        try:
            written.to_netcdf(part, format="NETCDF4", engine="netcdf4", encoding=encoding)
        except (TypeError, ValueError, OverflowError, AttributeError) as error:  # what the format has no place for
            raise RecordingError(f"cannot be written: {' '.join(str(error).split())}", str(path)) from None
        with part.open("r+b") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
            opened.write(LAST_BYTES + f"{digest}\n".encode())
    return path


def _check(recording: Any, place: str) -> None:
    """Refuse what is no recording of this package, or not a whole one."""
    import xarray as xr

    if not isinstance(recording, xr.Dataset):
        raise RecordingError(f"is to be a recording (an xarray.Dataset), got {type(recording).__name__}", place)
    check_layout(recording, place)
    schema.check(recording, place)


def check_layout(recording: xr.Dataset, place: str) -> None:
    """Refuse a data set that is no recording, or one of a later version."""
    layout: Any = recording.attrs.get("layout")
    ours = isinstance(layout, (int, np.integer)) and "paradigm" in recording.attrs
    if ours and int(layout) > LAYOUT:
        raise RecordingError(
            f"was written in layout {layout}, by a later version; this one reads up to {LAYOUT}", place
        )
    if not ours or layout < 1:
        raise RecordingError("is a netCDF file, but not a recording of izhires", place)


def load(path: str | Path) -> xr.Dataset:
    """Read a recording into memory.

    It is checked against `izhires.recordings.schema`, and against its own checksum. One of an older layout gets the
    labels that it lacks, and loses the spikes after its experiment's end.

    Raises
    ------
    ConfigurationError
        If the path is none.
    RecordingError
        If there is no such file, or it is truncated, damaged, foreign, or of a later layout.
    """
    import xarray as xr

    import izhires.formats.accessor  # noqa: F401  (its methods come with every recording)

    path = as_path(path)
    if not path.is_file():
        raise RecordingError("is a folder" if path.is_dir() else "there is no such file", str(path))
    try:
        untouched = _is_as_written(path)
        with xr.open_dataset(path, engine="netcdf4", decode_times=False) as opened:
            recording = opened.load()
    except RecordingError:
        raise
    except PermissionError as error:
        raise RecordingError(f"cannot be read: {error.strerror}", str(path)) from None
    except Exception:  # the netCDF library raises OSError, RuntimeError, ValueError and others, in words of its own
        raise RecordingError(_not_whole(path.stat().st_size), str(path)) from None
    _check(recording, str(path))
    said = recording.attrs.pop("checksum", None)
    if said is None and int(recording.attrs["layout"]) >= 2:
        raise RecordingError("lacks its checksum; izhires.save writes it", str(path))
    if said is not None and not untouched and said != schema.checksum(recording):
        raise RecordingError(CHANGED, str(path))
    recording = recording.set_coords([name for name, each in schema.VARIABLES.items()
                                      if each.coordinate and name in recording.variables])  # fmt: skip
    return _labelled(recording)


def _is_as_written(path: Path) -> bool:
    """Whether a file ends as `save` ends it; what other tools wrote anew, or an earlier version, does not.

    Raises
    ------
    RecordingError
        If it does, and its bytes are others.
    """
    with path.open("rb") as opened:
        size = opened.seek(0, os.SEEK_END)
        rest = max(size - len(LAST_BYTES) - 65, 0)
        opened.seek(rest)
        before, found, said = opened.read().partition(LAST_BYTES)
        if not found:
            return False
        if before:  # the file was cut within the line
            raise RecordingError(_not_whole(size), str(path))
        opened.seek(0)
        digest = hashlib.sha256()
        while rest:
            digest.update(portion := opened.read(min(rest, PORTION)))
            rest -= len(portion)
    if said != f"{digest.hexdigest()}\n".encode():
        raise RecordingError(CHANGED, str(path))
    return True


def _not_whole(size: int) -> str:
    return f"is not a whole netCDF file ({size} bytes)"


def _labelled(recording: xr.Dataset) -> xr.Dataset:
    """Return a recording of any layout with its labels, and without what happened after its experiment's end."""
    if int(recording.attrs["layout"]) >= 2:
        return recording
    found = recording
    for name in ("neuron", "trial", "probe"):
        if name in found.dims and name not in found.coords:
            found = found.assign_coords(schema.dataset({name: np.arange(found.sizes[name])}).coords)
    if "trial_of_probe" not in found.coords:
        rows = np.flatnonzero(found["trial_kind"].values == "probe")
        found = found.assign_coords(schema.dataset({"trial_of_probe": rows}).drop_vars("probe", errors="ignore").coords)
    if "duration" not in found.attrs:
        end = float(np.round((found["trial_onset"] + found["trial_duration"]).values[-1], 3))
        found = found.assign_attrs(duration=end)
        if "spike_time" in found:
            inside = found["spike_time"].values < end - SAME
            found = found.isel(spike=inside)
            kept = json.loads(found.attrs.get("configuration", "{}")).get("keep")
            if isinstance(kept, dict) and kept.get("spikes") == "all" and not inside.all():
                counts = np.bincount(found["spike_neuron"].values, minlength=found.sizes["neuron"])
                found["rate"] = found["rate"].copy(data=counts / end)
    return found


def places(labels: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return where each wanted label stands among labels, -1 where it does not."""
    if not len(labels):
        return np.full(len(wanted), -1)
    order = np.argsort(labels, kind="stable")
    found = order[np.minimum(np.searchsorted(labels, wanted, sorter=order), len(labels) - 1)]
    return np.where(labels[found] == wanted, found, -1)


def trials_of_probes(recording: xr.Dataset) -> np.ndarray:
    """Return the row of the trial table that each probe is, -1 where a part of a recording does not hold that trial.

    Raises
    ------
    RecordingError
        If the data set does not say which trial a probe is.
    """
    schema.require(recording, ["trial_kind"])
    if "trial_of_probe" in recording.variables:
        schema.require(recording, ["trial_of_probe"])
        return places(recording["trial"].values, recording["trial_of_probe"].values)
    rows = np.flatnonzero(recording["trial_kind"].values == "probe")
    if len(rows) != recording.sizes.get("probe", len(rows)):
        raise RecordingError("does not say which trial each of its probes is (the coordinate trial_of_probe)")
    return rows


def cell_spikes(recording: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return time (s) and place among the recording's cells of each spike of those cells.

    Of a part of the cells (``recording.isel(neuron=...)``) these are their spikes alone.

    Raises
    ------
    RecordingError
        If the data set does not say which cells it holds.
    """
    schema.require(recording, ["spike_time", "spike_neuron"])
    times, cells = recording["spike_time"].values, recording["spike_neuron"].values
    known = "neuron" in recording.coords
    labels = np.atleast_1d(recording["neuron"].values) if known else np.arange(recording.sizes["neuron"])
    if np.array_equal(labels, np.arange(len(labels))) and (not len(cells) or cells.max() < len(labels)):
        return times, cells
    if not known:
        raise RecordingError("holds spikes of other cells, and does not say which its own are (the coordinate neuron)")
    found = places(labels, cells)
    return times[found >= 0], found[found >= 0]


def files(folder: str | Path) -> list[Path]:
    """Return the recordings of a folder, in order of their names.

    Raises
    ------
    RecordingError
        If there is no such folder, or it holds none.
    """
    folder = as_path(folder)
    if folder.is_file():
        raise RecordingError("is a file, not a folder of recordings", str(folder))
    if not folder.is_dir():
        raise RecordingError("there is no such folder", str(folder))
    paths = sorted(folder.glob("*.nc"))
    if not paths:
        inside = sorted(each.name for each in folder.iterdir() if each.is_dir() and any(each.glob("*.nc")))
        beside = f" itself; its folders do, name one of them: {', '.join(inside[:8])}" if inside else ""
        raise RecordingError(f"holds no recording (*.nc){beside}", str(folder))
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
    """Return the configuration that made a recording, as plain data under present names."""
    from izhires.model.configuration import present

    return present(json.loads(recording.attrs["configuration"]))
