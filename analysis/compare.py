"""How far two recordings agree: the same seed on two devices, before and after a change."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from izhires.files import as_path

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr


@dataclass(frozen=True)
class Agreement:
    """How far one variable of two recordings agrees.

    Parameters
    ----------
    name : str
    identical : bool
        Bit for bit, missing values at the same places.
    difference : float
        Largest absolute difference; NaN where it has no meaning.
    scale : float
        Largest absolute value in the first recording.
    text : str
        In words.
    """

    name: str
    identical: bool
    difference: float
    scale: float
    text: str


def compare(first: xr.Dataset | str | Path, second: xr.Dataset | str | Path) -> list[Agreement]:
    """Compare two recordings variable by variable.

    Parameters
    ----------
    first, second : xarray.Dataset, str or Path
        Recordings, or their files.

    Returns
    -------
    list of Agreement
        Spikes first, unless neither holds any; a variable that one lacks is named.

    Raises
    ------
    ConfigurationError
        If one is neither a data set nor a path.
    RecordingError
        If a file cannot be read.
    """
    first, second = _recording(first, "first"), _recording(second, "second")
    found = []
    if "spike_time" in first and "spike_time" in second:
        found.append(_spikes(first, second))
    elif "spike_time" in first or "spike_time" in second:
        where = "first" if "spike_time" in first else "second"
        found.append(Agreement("spikes", False, np.nan, np.nan, f"only in the {where}"))
    names = [name for name in first.variables if not str(name).startswith("spike_")]
    for name in names:
        if name not in second.variables:
            found.append(Agreement(str(name), False, np.nan, np.nan, "only in the first"))
            continue
        a, b = first[name].values, second[name].values
        if a.shape != b.shape:
            found.append(Agreement(str(name), False, np.nan, np.nan, f"shapes {a.shape} and {b.shape}"))
        elif a.dtype.kind not in "fiu":
            same = bool(np.array_equal(a, b))
            found.append(Agreement(str(name), same, np.nan, np.nan, "identical" if same else "different"))
        else:
            same = bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))
            scale = float(np.nanmax(np.abs(a), initial=0.0))
            off = float(np.nanmax(np.abs(a.astype(float) - b), initial=0.0))
            missing = int((np.isnan(a) != np.isnan(b)).sum()) if a.dtype.kind == "f" else 0
            parts = [f"differs by at most {off:.3g}"] if off else []
            parts += [f"{off / scale:.2g} of its largest value"] if off and scale else []
            parts += [f"{missing} values missing in one only"] if missing else []
            text = "identical" if same else ", ".join(parts) or "different"
            found.append(Agreement(str(name), same, off, scale, text))
    found += [
        Agreement(str(name), False, np.nan, np.nan, "only in the second")
        for name in second.variables
        if name not in first.variables and not str(name).startswith("spike_")
    ]
    return found


def _recording(given: xr.Dataset | str | Path, place: str) -> xr.Dataset:
    import xarray as xr

    from izhires.recordings.recording import load

    return given if isinstance(given, xr.Dataset) else load(as_path(given, place))


def shared_spikes(first: xr.Dataset, second: xr.Dataset) -> tuple[int, tuple[int, int], float]:
    """Return how many of the kept spikes, in order of time and cell, two recordings share until they differ.

    Returns
    -------
    shared : int
    counts : (int, int)
        Spikes of each.
    moment : float
        When they differ first, s; NaN where they never do.
    """
    trains = []
    for each in (first, second):
        time, cell = each["spike_time"].values, each["spike_neuron"].values
        order = np.lexsort((cell, time))
        # time steps are 0.1 ms or longer: whole microseconds tell them apart and forgive the last bit
        trains.append(np.stack([np.rint(time[order] * 1e6).astype(np.int64), cell[order].astype(np.int64)]))
    a, b = trains
    shared = min(a.shape[1], b.shape[1])
    differs = (a[:, :shared] != b[:, :shared]).any(axis=0)
    at = int(np.argmax(differs)) if differs.any() else shared
    moment = min((train[0, at] / 1e6 for train in trains if at < train.shape[1]), default=np.nan)
    return at, (a.shape[1], b.shape[1]), moment


def _spikes(first: xr.Dataset, second: xr.Dataset) -> Agreement:
    """Compare the kept spikes, and find the first that differs."""
    at, (one, other), moment = shared_spikes(first, second)
    kept = json.loads(first.attrs.get("configuration", "{}")).get("keep", {}).get("spikes")
    only = "; only those of probes were kept, see keep.spikes" if kept == "probes" else ""
    if np.isnan(moment):
        return Agreement("spikes", True, 0.0, one, f"all {one} identical")
    text = f"the first {at} of {one} and {other} identical, then different from {moment:.4f} s on{only}"
    return Agreement("spikes", False, np.nan, one, text)
