"""Tidy tables: one row an observation, one column a variable."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from izhires.errors import ConfigurationError, closest
from izhires.files import as_path, whole
from izhires.formats.shared import require
from izhires.recordings.schema import VARIABLES

if TYPE_CHECKING:
    import xarray as xr

TABLES: dict[str, tuple[str, ...]] = {
    "trials": ("trial",),
    "trial_events": ("trial", "event"),
    "outcomes": ("outcome",),
    "inputs": ("input",),
    "probes": ("probe",),
    "probe_events": ("probe", "event"),
    "predictions": ("probe", "event", "time"),
    "weights": ("probe", "event", "neuron"),
    "mean_states": ("probe", "neuron"),
    "states": ("state_probe", "state_time", "neuron"),
    "neurons": ("neuron",),
    "spikes": ("spike",),
}
"""Name of each table -> what one row of it is."""

_PREFIXED = ("trial", "outcome", "input", "spike")


def tables(recording: xr.Dataset) -> dict[str, tuple[str, ...]]:
    """Return the tables that a recording gives: name -> what one row is.

    Every variable is in one table, that of its dimensions; those of a pair of dimensions unknown to `TABLES` are named
    after them.
    """
    names = {dims: name for name, dims in TABLES.items()}
    # a coordinate alone makes no table, but for the probes' own
    held = {tuple(map(str, each.dims)) for each in recording.data_vars.values()} | {("probe",)}
    found = {name: dims for name, dims in TABLES.items() if dims in held}
    return found | {"_by_".join(dims): dims for dims in sorted(held) if dims and dims not in names}


def to_dataframe(recording: xr.Dataset, table: str = "trials") -> pd.DataFrame:
    """Return one tidy table of a recording.

    Parameters
    ----------
    recording : xarray.Dataset
    table : str
        One of `tables`: ``"trials"`` (one row a trial, as the paradigm ``table`` reads it), ``"predictions"`` (one row
        a probe, event and time), ``"weights"``, ``"spikes"``, ...

    Returns
    -------
    pandas.DataFrame
        The dimensions first (numbers of cells, trials and probes are those of the whole recording, also in a part of
        one), then the variables, in the units of the recording (seconds, hertz). A table of trials,
        outcomes, inputs or spikes leaves that word out of its columns' names.

    Raises
    ------
    ConfigurationError
        If there is no such table.
    """
    require(recording)
    known = tables(recording)
    if table not in known:
        raise ConfigurationError(f"{table!r} is not a table of this recording{closest(table, known)}", "table", known)
    dims = known[table]
    chosen = recording[_variables(recording, dims)]
    frame = chosen.to_dataframe(dim_order=list(dims)).reset_index()
    ours = [*dims, *(name for name in chosen.variables if name not in dims)]
    return frame[ours].rename(columns={str(name): _column(str(name), dims) for name in ours if name not in dims})


def _variables(recording: xr.Dataset, dims: tuple[str, ...]) -> list[str]:
    return [str(name) for name, each in recording.variables.items() if each.dims == dims and name not in dims]


def _column(name: str, dims: tuple[str, ...]) -> str:
    return name.removeprefix(f"{dims[0]}_") if dims[0] in _PREFIXED else name


def save_csv(recording: xr.Dataset, folder: str | Path, only: Iterable[str] | None = None) -> list[Path]:
    """Write the tidy tables of a recording, one CSV file each, and ``columns.csv`` with the unit of every column.

    Parameters
    ----------
    recording : xarray.Dataset
    folder : path
        Made if it does not exist.
    only : iterable of str, optional
        Names of the tables; all when left out. Those of predictions, weights and states are some 10 MB each.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    ConfigurationError
        If there is no such table.
    RecordingError
        If the folder cannot be written to.
    """
    folder = as_path(folder, "folder")
    require(recording)
    known = tables(recording)
    chosen = {name: to_dataframe(recording, name) for name in (known if only is None else only)}
    rows = []
    for table, frame in chosen.items():
        named = {_column(name, known[table]): name for name in _variables(recording, known[table])}
        for column in map(str, frame.columns):
            name = named.get(column, column)
            held = name in recording.variables
            about = recording[name].attrs if held else {}
            said = VARIABLES.get(name)
            meaning = said.meaning if said else f"the {name}" if held else f"number of the {name}, from 0"
            unit = said.unit if said else ""
            rows.append((table, column, about.get("units", unit), about.get("long_name", meaning)))
    chosen["columns"] = pd.DataFrame(rows, columns=["table", "column", "unit", "meaning"])
    paths = []
    for name, frame in chosen.items():
        paths.append(folder / f"{name}.csv")
        with whole(paths[-1]) as part:
            frame.to_csv(part, index=False)
    return paths
