"""The tidy table of all metrics, and its summary over seeds."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from izhires.analysis.metrics.base import Item, Metric, Row, all_metrics
from izhires.analysis.selection import by_cue
from izhires.analysis.statistics import ANY, spread_of
from izhires.errors import ConfigurationError, RecordingError, closest
from izhires.running.worker import Task, TaskReport, results

if TYPE_CHECKING:
    import xarray as xr

COLUMNS = ("metric", "variant", "seed", "block", "event", "value", "unit", "note")
_TYPES: dict[Hashable, Any] = {
    "metric": str,
    "variant": str,
    "seed": "Int64",
    "block": "Int64",
    "event": str,
    "value": float,
    "unit": str,
    "note": str,
}


def analyse(recordings: Sequence[xr.Dataset], only: Iterable[str] | None = None, *, processes: int = 1) -> pd.DataFrame:
    """Compute every declared metric.

    Parameters
    ----------
    recordings : sequence of xarray.Dataset
        All recordings of a study, one a seed and variant. One of several cues is taken as one of each, whose name joins
        the variant.
    only : iterable of str, optional
        Names of the metrics to compute; all when left out.
    processes : int
        Recordings analysed at once, each in a process of its own when there is more than one.

    Returns
    -------
    pandas.DataFrame
        One row a value: metric (``name`` or ``name.part``), variant, seed, block, event, value, unit, note. ``seed`` is
        empty for a value pooled over seeds, ``block`` for one of the whole recording. What cannot be computed has the
        value NaN and its reason in ``note``.

    Raises
    ------
    ConfigurationError
        If a name in `only` is unknown.
    RecordingError
        If two recordings have the same paradigm, variant and seed, or there is none.
    """
    _check_distinct(recordings)
    recordings = by_cue(recordings)
    chosen = chosen_metrics(only)
    own = [each for each in chosen if each.scope == "recording"]
    rows: dict[str, list[tuple[Any, ...]]] = {each.name: [] for each in chosen}

    def tasks() -> Iterator[Task]:
        for number, recording in enumerate(recordings if own else ()):
            yield Task(str(number), _of_recording, (recording, own))
        for each in chosen:
            if each.scope == "study":
                rows[each.name] += [_line(each, row, row.seed, row.variant) for row in each.rows(recordings)]

    at_once = min(processes, len(recordings)) if own else 1
    for found in results(tasks(), at_once, ["izhires.analysis.table", "scipy.stats"]):
        for name, lines in found.items():
            rows[name] += lines
    return pd.DataFrame([line for each in rows.values() for line in each], columns=list(COLUMNS)).astype(_TYPES)


def _of_recording(recording: xr.Dataset, metrics: list[Metric], say: TaskReport) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of each metric of one recording."""
    seed, variant = int(recording.attrs["seed"]), str(recording.attrs.get("variant", ""))
    return {each.name: [_line(each, row, seed, variant) for row in each.rows(recording)] for each in metrics}


def _line(metric: Metric, row: Row, seed: int | None, variant: str) -> tuple[Any, ...]:
    part = metric.parts.get(row.part)
    unit = metric.unit if part is None or part.unit is None else part.unit
    return metric.full_name(row.part), variant, seed, row.block, row.event, row.value, unit, row.note


def chosen_metrics(only: Iterable[str] | None, place: str = "") -> list[Metric]:
    """Return the metrics of some names, all when left out.

    Raises
    ------
    ConfigurationError
        If a name is unknown; `place` says where it stands.
    """
    known = all_metrics()
    names = list(known) if only is None else list(only)
    for name in names:
        if name not in known:
            raise ConfigurationError(f"{name!r} is not a metric{closest(str(name), known)}", place, known)
    return [known[name] for name in names]


def _check_distinct(recordings: Sequence[xr.Dataset]) -> None:
    import xarray

    if not isinstance(recordings, Sequence) or isinstance(recordings, str):
        raise RecordingError(f"recordings must be a list of them, got {type(recordings).__name__}")
    if not recordings:
        raise RecordingError("there is no recording to analyse")
    for each in recordings:
        if not isinstance(each, xarray.Dataset):
            raise RecordingError(f"a recording must be an xarray.Dataset, got {type(each).__name__}")
    seen = set()
    for recording in recordings:
        key = tuple(str(recording.attrs.get(name, "")) for name in ("paradigm", "variant", "seed"))
        if key in seen:
            paradigm, variant, seed = key
            raise RecordingError(
                f"two recordings of {paradigm} {variant} with seed {seed}; a study has one a seed".replace("  ", " ")
            )
        seen.add(key)


def summary(table: pd.DataFrame, brief: bool = False) -> pd.DataFrame:
    """Summarise a table over seeds; the seed is the unit.

    Parameters
    ----------
    table : pandas.DataFrame
        From `analyse`, or read back from its CSV file.
    brief : bool
        Leave out what the metrics declare as details.

    Returns
    -------
    pandas.DataFrame
        Columns metric, variant, block, event, mean, low, high (95% t-interval over seeds, which never
        leaves the range of the metric; of a table of fewer than `izhires.analysis.statistics.FEW` seeds their whole
        range), worst (of the seeds, in the sense that the metric declares), seeds (values that
        enter), missing (seeds without a value), unit. Infinite values (never recovered) enter, so that a mean is never
        flattered by leaving them out.
    """
    table = _with_text(table)
    sense = {name: each.worst for each in all_metrics().values() for name in each.columns()}
    parts = {name: part for each in all_metrics().values() for name, part in each.columns().items()}
    keys = ["metric", "variant", "block", "event"]
    rows = []
    seeds = table["seed"].nunique()
    for key, group in table.groupby(keys, sort=False, dropna=False):
        name = str(key[0])
        part = parts.get(name, Item(""))
        if brief and part.detail:
            continue
        values = group["value"].to_numpy(float)
        found = values[~np.isnan(values)]
        if not found.size:
            continue
        mean, low, high = spread_of(found, part.within or ANY, seeds)
        if not part.interval:
            low = high = np.nan
        worst = _worst(found, mean, sense.get(name, ""))
        rows.append((*key, mean, low, high, worst, found.size, values.size - found.size, group["unit"].iloc[0]))
    columns = [*keys, "mean", "low", "high", "worst", "seeds", "missing", "unit"]
    return pd.DataFrame(rows, columns=columns).astype({"block": "Int64"})


def _with_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with empty text where a CSV file was read back as missing values."""
    text = ["variant", "event", "note"]
    return table.assign(**{name: table[name].astype(object).where(table[name].notna(), "") for name in text})


def _worst(values: np.ndarray, mean: float, sense: str) -> float:
    if sense == "highest":
        return float(values.max())
    if sense == "lowest":
        return float(values.min())
    if sense == "weakest":
        return float(values.min() if mean >= 0 else values.max())
    return float("nan")


def notes(table: pd.DataFrame) -> list[str]:
    """Return one plain line for each thing that could not be computed, with the metrics it concerns."""
    table = _with_text(table)
    noted = table[table["note"] != ""]
    lines = []
    # a study's metrics have rows of single seeds, too
    own = [name for each in all_metrics().values() if each.scope == "recording" for name in each.columns()]
    recordings = len(table.loc[table["metric"].isin(own), ["variant", "seed"]].drop_duplicates())
    for note, group in noted.groupby("note", sort=False):
        concerned = len(group[["variant", "seed"]].drop_duplicates())
        few = (
            f" ({concerned} of {recordings} recordings)"
            if group["seed"].notna().all() and concerned < recordings
            else ""
        )
        lines.append(f"{', '.join(dict.fromkeys(group['metric']))}: {note}{few}")
    return lines
