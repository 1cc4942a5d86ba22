"""What a sweep found: the metrics of its recordings as a tidy table and as a labelled data set."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from izhires.errors import ConfigurationError
from izhires.files import as_path, read_toml
from izhires.sweeps.index import Entry, path_of, reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import xarray as xr

COLUMNS = ("point", "condition", "variant", "seed")


@dataclass(frozen=True)
class SweepResults:
    """What a sweep's folder holds.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a value: point, one column a parameter (``table.attrs["units"]`` has the units), condition, variant,
        seed, run, metric, block, event, value, unit, note. A metric over several variants or seeds (see ``scope`` of
        `izhires.analysis.metrics.base.Metric`) is computed within each point and condition, and leaves empty what it
        pools.
    dataset : xarray.Dataset
        One variable a metric with the dimensions point, condition, variant, seed, block, event that it has; parameters
        are coordinates of ``point``.
    entries : list of Entry
        Each design point, and how its run stands.
    """

    table: pd.DataFrame
    dataset: xr.Dataset
    entries: list[Entry]

    @property
    def failed(self) -> list[Entry]:
        """The design points whose runs failed, with their errors."""
        return [each for each in self.entries if each.state == "failed"]


def results(folder: str | Path, metrics: Sequence[str] | None = None) -> SweepResults:
    """Read a sweep's folder, wherever it lies now; nothing is simulated or written.

    Parameters
    ----------
    folder : str or Path
    metrics : sequence of str, optional
        In the place of those that the sweep names.

    Raises
    ------
    RecordingError
        If the folder holds no sweep, or a recording cannot be read.
    ConfigurationError
        If there is no such metric.
    """
    from izhires.sweeps.design import METRICS

    folder = as_path(folder, "folder")
    if metrics is not None:
        from izhires.analysis.table import chosen_metrics

        chosen_metrics(metrics)
    with reading(folder) as index:
        entries = index.entries()
    chosen = list(metrics) if metrics is not None else _metrics_of(folder)
    chosen = list(METRICS) if chosen is None else chosen
    table = _table(folder, entries, chosen)
    return SweepResults(table, _dataset(table, entries), entries)


def _metrics_of(folder: Path) -> list[str] | None:
    """Return the metrics that a sweep's file names; a file of another version may say more than this one reads."""
    try:
        found = read_toml(folder / "sweep.toml").get("metrics")
    except ConfigurationError:
        return None
    return None if found is None else [str(each) for each in found]


def _table(folder: Path, entries: list[Entry], metrics: list[str]) -> pd.DataFrame:
    import pandas as pd

    from izhires.analysis import analyse
    from izhires.analysis.table import COLUMNS as TIDY
    from izhires.recordings.recording import load

    columns, units = _columns(entries)
    groups: dict[tuple[int, str], list[Entry]] = {}
    for each in entries:
        if each.state == "good" and metrics:
            groups.setdefault((each.number, each.condition), []).append(each)
    found = []
    for (number, condition), own in groups.items():
        part = analyse([load(path_of(folder, each.run)) for each in own], metrics)
        runs = {(each.variant, each.seed): each.run for each in own}
        keys = zip(part["variant"], part["seed"].astype(object), strict=True)
        part.insert(0, "run", [runs.get(key, "") for key in keys])
        part.insert(0, "condition", condition)
        for name in reversed(columns):
            part.insert(0, name, columns[name][number])
        part.insert(0, "point", number)
        found.append(part)
    empty = pd.DataFrame(columns=["point", *columns, "condition", "run", *TIDY])
    table = pd.concat(found, ignore_index=True) if found else empty
    table.attrs["units"] = units
    return table


def _columns(entries: list[Entry]) -> tuple[dict[str, dict[int, Any]], dict[str, str]]:
    """Return the value of each parameter at each point, and the units: numbers where all have the same unit."""
    points = {each.number: each.parameters for each in entries}
    names = dict.fromkeys(name for row in points.values() for name in row)
    columns, units = {}, {}
    for name in names:
        values, unit = _numbers([row.get(name) for row in points.values()])
        columns[name] = dict(zip(points, values, strict=True))
        if unit:
            units[name] = unit
    return columns, units


def _dataset(table: pd.DataFrame, entries: list[Entry]) -> xr.Dataset:
    import numpy as np
    import xarray as xr

    columns, units = _columns(entries)
    found = xr.Dataset(coords={"point": np.array(list(dict.fromkeys(each.number for each in entries)), int)})
    for name, values in columns.items():
        attributes = {"units": units[name]} if name in units else {}
        found = found.assign_coords({name: ("point", np.array(list(values.values())), attributes)})
    if table.empty:
        return found
    axes = [*COLUMNS, "block", "event"]
    for metric, rows in table.groupby("metric", sort=False):
        # what a metric leaves empty in every row is no axis of it
        own = [axis for axis in axes if (rows[axis].notna() & (rows[axis].astype(object) != "")).any()]
        numbers = {axis: rows[axis].fillna(-1).astype(int) for axis in ("seed", "block") if axis in own}
        series = rows.assign(**numbers).set_index(own)["value"]
        variable = series[~series.index.duplicated()].to_xarray()
        variable.attrs["units"] = rows["unit"].iloc[0]
        found = found.merge(variable.rename(str(metric)).to_dataset(), join="outer")
    return found


def _numbers(values: list[Any]) -> tuple[list[Any], str]:
    """Return values as numbers, and their unit, where all have the same; else as text, empty where there is none."""
    from izhires.sweeps.design import _number

    try:
        split = [_number(value) for value in values]
    except ValueError:  # a ConfigurationError is one
        split = []
    if len({unit for _, unit in split}) == 1 and not any(isinstance(value, bool) for value in values):
        return [number for number, _ in split], split[0][1]
    return ["" if value is None else value if isinstance(value, str) else json.dumps(value) for value in values], ""
