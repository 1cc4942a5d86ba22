"""Tables as they are given, to tables of one type a column, with times on whole milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from izhires.errors import Complaint, ParadigmError, shown

KINDS = ("warm-up", "train", "probe")
"""A training trial is part of the task. Two kinds are inserted, cue-only and with learning off: a probe, whose
prediction is read, and a warm-up trial, during which the network settles."""

TRIAL_COLUMNS = ("onset", "duration", "cue", "event", "latency", "block", "kind", "learn")
OUTCOME_COLUMNS = ("block", "event", "latency", "probability")
INPUT_COLUMNS = ("onset", "channel", "duration", "strength")
EPOCH_COLUMNS = ("onset", "duration", "name")

_LONGEST = 1e10  # s, far beyond what can be simulated, and within whole numbers of 64 bits in microseconds


def cue_names(table: pd.DataFrame, cues: tuple[str, ...]) -> np.ndarray:
    """Return the name of the cue of each row of a table; the one there is where the table does not say it."""
    return table["cue_name"].to_numpy() if "cue_name" in table else np.full(len(table), cues[0], object)


def first_events(latencies: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the name and the latency of the first event of each trial, empty and NaN where none comes.

    Parameters
    ----------
    latencies : pandas.DataFrame
        As `Experiment` has it.
    """
    late = latencies.to_numpy(float)
    first = np.argmin(np.where(np.isnan(late), np.inf, late), axis=1)
    none = np.isnan(late).all(axis=1)
    names = np.where(none, "", np.array([*map(str, latencies)], object)[first])
    return names, late[np.arange(len(late)), first]


def milliseconds(seconds: Any) -> np.ndarray:
    """Return times (s) as whole milliseconds."""
    return np.rint(np.asarray(seconds, dtype=float) * 1e3).astype(np.int64)


def positive_time(value: Any, place: str) -> float:
    """Return a time of at least 1 ms (s), on whole milliseconds unless it is the width of a bump."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ParadigmError(f"must be a number of seconds, got {shown(value)}", place) from None
    if not np.isfinite(number) or number < 0.5e-3:
        raise ParadigmError(f"must be at least 1 ms, got {number:g} s", place)
    if number > _LONGEST:
        raise ParadigmError(f"must be at most {_LONGEST:g} s, got {number:g} s", place)
    # the width of the bump is no time on the grid of steps
    return number if place == "event_width" else float(milliseconds(number)) / 1e3


def names_of(names: Any, place: str) -> tuple[str, ...]:
    """Return a list of names as texts."""
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise ParadigmError(f"must be a list of names, got {shown(names)}", place)
    return tuple(str(each) for each in names)


def first_row(bad: Any, place: str, problem: Callable[[int], str], choices: tuple[str, ...] = ()) -> list[Complaint]:
    """Return a complaint on the first bad row that also counts the others; nothing when no row is bad."""
    rows = np.flatnonzero(bad)
    if not len(rows):
        return []
    first = int(rows[0])
    more = f" (and {len(rows) - 1} more row{'s' if len(rows) > 2 else ''})" if len(rows) > 1 else ""
    return [Complaint(place.format(first), problem(first) + more, choices)]


def frame(table: Any, name: str) -> pd.DataFrame:
    """Return what is given as a table, or complain that it is none."""
    try:
        return pd.DataFrame(table)
    except (TypeError, ValueError) as error:
        raise ParadigmError(f"is not a table: {' '.join(str(error).split())}", name) from None


def columns_of(table: Any, columns: tuple[str, ...], name: str) -> pd.DataFrame:
    """Return a copy with the columns in order; those not asked for follow."""
    table = frame(table, name).reset_index(drop=True)
    missing = [column for column in columns if column not in table]
    if missing:
        raise ParadigmError(f"column{'s' if len(missing) > 1 else ''} {', '.join(missing)} missing", name, columns)
    return table[[*columns, *(column for column in table if column not in columns)]].copy()


def times_of(table: pd.DataFrame, column: str, name: str, missing: bool = False) -> np.ndarray:
    """Return a column of seconds; no latency may become 0 when it is rounded to whole milliseconds."""
    values = numbers_of(table, column, name, missing=missing)
    lost = (values != 0) & (np.abs(values) < 0.5e-3) & (column == "latency" or name == "latencies")
    found = first_row(lost, f"{name}[{{}}].{column}", lambda i: f"{values[i]:g} s is below the grid of 1 ms")
    found += first_row(
        np.abs(values) > _LONGEST,
        f"{name}[{{}}].{column}",
        lambda i: f"must be at most {_LONGEST:g} s, got {values[i]:g} s",
    )
    if found:
        raise ParadigmError(found)
    return values


def numbers_of(
    table: pd.DataFrame, column: str, name: str, kind: str = "a number", missing: bool = False
) -> np.ndarray:
    """Return a column of numbers of some kind, NaN for what is missing where that may be."""
    values = pd.to_numeric(table[column], errors="coerce").to_numpy(float, na_value=np.nan)
    fine = np.isfinite(values)
    if kind == "a whole number":
        fine &= values % 1 == 0
    elif kind == "true or false":
        fine &= np.isin(values, (0, 1))
    if missing:
        fine |= table[column].isna().to_numpy()
    found = first_row(~fine, f"{name}[{{}}].{column}", lambda i: f"must be {kind}, got {shown(table[column].iloc[i])}")
    if found:
        raise ParadigmError(found)
    return values


def texts_of(table: pd.DataFrame, column: str) -> pd.Series:
    """Return a column of texts, empty where one is missing."""
    return table[column].astype(object).where(table[column].notna(), "").map(str).astype(str)


def tidy_trials(table: Any) -> pd.DataFrame:
    """Return the table of trials with one type a column, all times on whole milliseconds."""
    table = columns_of(table, TRIAL_COLUMNS, "trials")
    onset, length, cue = (times_of(table, name, "trials") for name in ("onset", "duration", "cue"))
    begin = milliseconds(onset)
    table["onset"] = begin / 1e3
    # rounded at its end, so that trials that touch still touch
    table["duration"] = (milliseconds(onset + length) - begin) / 1e3
    table["cue"] = milliseconds(cue) / 1e3
    table["latency"] = np.rint(times_of(table, "latency", "trials", missing=True) * 1e3) / 1e3
    table["block"] = numbers_of(table, "block", "trials", "a whole number").astype(np.int64)
    table["event"], table["kind"] = texts_of(table, "event"), texts_of(table, "kind")
    table["learn"] = numbers_of(table, "learn", "trials", "true or false") == 1
    if "cue_name" in table:
        table["cue_name"] = texts_of(table, "cue_name")
    if "response_time" in table:  # a recording keeps it
        table["response_time"] = numbers_of(table, "response_time", "trials", missing=True)
    return table


def tidy_outcomes(table: Any) -> pd.DataFrame:
    """Return the table of outcomes with one type a column, latencies on whole milliseconds."""
    table = columns_of(table, OUTCOME_COLUMNS, "outcomes")
    table["block"] = numbers_of(table, "block", "outcomes", "a whole number").astype(np.int64)
    table["event"] = texts_of(table, "event")
    table["latency"] = np.rint(times_of(table, "latency", "outcomes") * 1e3) / 1e3
    table["probability"] = numbers_of(table, "probability", "outcomes")
    if "cue_name" in table:
        table["cue_name"] = texts_of(table, "cue_name")
    return table


def tidy_payoffs(table: Any, events: tuple[str, ...]) -> pd.DataFrame:
    """Return the table of payoffs with one column an event, in their order, all numbers."""
    table = columns_of(table, events, "payoffs")[list(events)]
    return pd.DataFrame({name: numbers_of(table, name, "payoffs", missing=True) for name in events})


def tidy_latencies(table: Any, events: tuple[str, ...]) -> pd.DataFrame:
    """Return the table of latencies with one column an event, in their order, on whole milliseconds."""
    table = columns_of(table, events, "latencies")[list(events)]
    return pd.DataFrame(
        {name: np.rint(times_of(table, name, "latencies", missing=True) * 1e3) / 1e3 for name in events}
    )


def tidy_epochs(table: Any) -> pd.DataFrame:
    """Return the table of epochs with one type a column, all times on whole milliseconds."""
    table = columns_of(table, EPOCH_COLUMNS, "epochs")
    for name in ("onset", "duration"):
        table[name] = milliseconds(times_of(table, name, "epochs")) / 1e3
    table["name"] = texts_of(table, "name")
    return table


def tidy_inputs(table: Any) -> pd.DataFrame:
    """Return the table of pulses with one type a column, all times on whole milliseconds."""
    table = frame(table, "inputs")
    table = columns_of(table if "strength" in table else table.assign(strength=1.0), INPUT_COLUMNS, "inputs")
    for name in ("onset", "duration"):
        table[name] = milliseconds(times_of(table, name, "inputs")) / 1e3
    table["channel"] = texts_of(table, "channel")
    table["strength"] = numbers_of(table, "strength", "inputs")
    return table
