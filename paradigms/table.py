"""A trial table of one's own: a CSV file, one row a trial."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import field_validator, model_validator

from izhires.declare import Milliseconds, parameter
from izhires.errors import Complaint, ConfigurationError, ParadigmError
from izhires.paradigms.base import Paradigm, whole_milliseconds
from izhires.paradigms.experiment import Experiment
from izhires.paradigms.text_table import PathText, as_name, read_text_table

NEEDED = ("onset", "duration", "cue", "event", "latency")

_ANSWERS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Table(Paradigm):
    """Trials from a CSV file with columns onset, duration, cue, event, latency (s), and optionally block, kind, learn,
    cue_name.

    Times of ``onset`` and ``cue`` count from the start of the experiment, ``latency`` from the cue; ``event`` and
    ``latency`` are empty in a cue-only trial. Only an empty cell is missing. A column ``response_time`` (s from the
    event) is read, further ones are kept as text. The expectation of a block is what occurred in it. A column
    ``cue_name`` says which cue a trial has: each is an input channel of its own, and the expectation is that given the
    cue. Whole numbers may be names, as those of events.
    """

    source: ClassVar[str] = "one's own"
    options: ClassVar[dict[str, str]] = {
        "--table": "file",
        "--event": "events",
        "--probe-every": "probe_every",
        "--window": "window",
        "--longest-response": "longest_response",
    }

    type: Literal["table"] = "table"
    file: PathText = parameter(..., "CSV file of trials", source="by choice")
    events: tuple[str, ...] = parameter(
        (), "names of the events; none: those of the file, in order", source="by choice"
    )
    window: Milliseconds = parameter("1100 ms", "time after the cue in which predictions are read", ge=1)
    cue_duration: Milliseconds = parameter("50 ms", "length of the cue", ge=1)
    event_width: Milliseconds = parameter(
        "40 ms", "standard deviation of the bump that stands for an event", symbol="sigma", ge=1
    )
    probe_every: int | None = parameter(
        None,
        "insert a cue-only probe before the first trial, after so many training trials of a block, and after its last, "
        "where there are several cues one of each that the block has; none: the probes of the file",
        source="by choice",
        ge=1,
    )
    longest_response: Milliseconds = parameter(
        "5000 ms", "longest response_time that is taken for one", source="by choice", gt=0
    )

    @field_validator("events", mode="after")
    @classmethod
    def _as_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(as_name(name) for name in names)

    @model_validator(mode="after")
    def _whole(self) -> Table:
        found = [each for name in ("window", "cue_duration") for each in whole_milliseconds(getattr(self, name), name)]
        if found:
            raise ConfigurationError(found)
        return self

    def experiment(self, rng: np.random.Generator, variant: str = "") -> Experiment:
        """Read the table; see `Paradigm.experiment`. Nothing is drawn."""
        self.check_variant(variant)
        trials = read_trials(self.file)
        notes = self._check_response_times(trials)
        lines = trials.attrs["lines"]

        def made(table: pd.DataFrame) -> Experiment:
            try:
                return Experiment.from_table(
                    table,
                    events=self.events or None,
                    window=self.window / 1e3,
                    event_width=self.event_width / 1e3,
                    cue_duration=self.cue_duration / 1e3,
                    paradigm=self.type,
                )
            except ParadigmError as error:
                raise ParadigmError(_by_line(each, self.file, lines) for each in error.complaints) from None

        found = made(trials)
        shift = max(float(np.nanmax(np.abs(trials[name] - found.trials[name]))) for name in ("onset", "cue", "latency")
                    if found.trials[name].notna().any())  # fmt: skip
        if shift > 1e-6:
            notes.append(f"{self.file}: times are rounded to whole milliseconds, by up to {shift * 1e3:.2g} ms")
        if self.probe_every is not None:
            probes = np.flatnonzero(found.trials["kind"] == "probe")
            if len(probes):
                raise ParadigmError(
                    "is a probe, and probe_every inserts others; leave either out",
                    f"{self.file}, line {lines[probes[0]]}",
                )
            found = made(_with_probes(found.trials, self.probe_every))
        return replace(found, notes=tuple(notes))

    def _check_response_times(self, trials: pd.DataFrame) -> list[str]:
        """Take out response times of 0 or less, and say so; complain of one that is too long."""
        if "response_time" not in trials:
            return []
        times, lines = trials["response_time"].to_numpy(), trials.attrs["lines"]
        long = np.flatnonzero(times > self.longest_response / 1e3)
        if len(long):
            raise ParadigmError(
                f"response_time is {times[long[0]]:g} s, longer than longest_response, "
                f"{self.longest_response / 1e3:g} s (times of a table are in seconds)",
                f"{self.file}, line {lines[long[0]]}",
            )
        none = np.flatnonzero(times <= 0)
        trials.loc[times <= 0, "response_time"] = np.nan
        more = f" (and {len(none) - 1} more)" if len(none) > 1 else ""
        return [f"{self.file}, line {lines[none[0]]}: response_time of 0 or less, read as none{more}"] * bool(len(none))


def _by_line(complaint: Complaint, file: str, lines: list[int]) -> Complaint:
    """Return a complaint on a trial as one on a line of the file."""
    where = re.fullmatch(r"trials\[(\d+)\]\.(\w+)", complaint.place)
    place = f"{file}, line {lines[int(where[1])]}, {where[2]}" if where else f"{file}, {complaint.place}"
    return replace(complaint, place=place)


def read_trials(file: str | Path) -> pd.DataFrame:
    """Read a trial table from a CSV file.

    Parameters
    ----------
    file : str or Path
        Cells separated by commas, semicolons (then numbers may have decimal commas) or tabs; the first row names the
        columns.

    Returns
    -------
    pandas.DataFrame
        Each column of one type: times as numbers (s), NaN for an empty ``latency`` or ``response_time``; names as text.
        ``attrs["lines"]`` has the line of each row.

    Raises
    ------
    ParadigmError
        Naming the file, and line and column where there is one: it is missing or unreadable, a column is missing, a
        cell holds what its column cannot.
    """
    table = read_text_table(file, ",;\t")
    columns = table.needed(NEEDED)
    columns |= {
        name: own
        for name in ("block", "kind", "learn", "response_time", "cue_name")
        if (own := table.column(name)) is not None
    }
    found: dict[str, list[object]] = {name: [] for name in columns}
    others = [name for name in table.columns if name not in columns.values()]
    found |= {name: [] for name in others if name not in found}
    for row in table.rows:
        for name, own in columns.items():
            cell = row[own]
            value: object
            if name in ("event", "kind", "cue_name"):
                value = as_name(cell)
            elif name == "learn":
                if as_name(cell).lower() not in _ANSWERS:
                    raise ParadigmError(f"learn {cell!r} is not true or false", table.place(row), _ANSWERS)
                value = _ANSWERS[as_name(cell).lower()]
            elif name in ("latency", "response_time") and not cell:
                value = math.nan
            else:
                value = number = table.number(row, own, "a whole number" if name == "block" else "a number of seconds")
                if name == "block" and (number % 1 or abs(number) > 2**53):
                    raise ParadigmError(f"block {cell!r} is not a whole number", table.place(row))
            found[name].append(value)
        for name in others:
            if name not in columns:
                found[name].append(row[name])
    trials = pd.DataFrame(found)
    trials.attrs["lines"] = [row.line for row in table.rows]
    return trials


def _with_probes(trials: pd.DataFrame, every: int) -> pd.DataFrame:
    """Insert cue-only probes among the trials of an experiment, one of each cue of the block, and move what follows.

    A probe begins with the median time before the cue, and ends after the median time that training trials go on after
    theirs.
    """
    # whole milliseconds, so that no sum of times makes a contradiction
    whole = {name: np.rint(trials[name] * 1e3).astype(int).to_numpy() for name in ("onset", "duration", "cue")}
    training = (trials["kind"] == "train").to_numpy()
    if not training.any():
        raise ConfigurationError("there is no training trial, after which a probe could be", "probe_every")
    before, rest = whole["cue"] - whole["onset"], whole["onset"] + whole["duration"] - whole["cue"]
    lead, rest = (int(np.floor(np.median(each[training]))) for each in (before, rest))
    blocks = trials["block"].to_numpy()
    rows: list[dict[str, object]] = []
    moved = done = 0
    first = int(np.flatnonzero(training)[0])

    def probe(onset: int, block: int) -> None:
        nonlocal moved
        own: list[dict[str, object]] = [{}]
        if "cue_name" in trials:
            own = [{"cue_name": name} for name in trials.loc[training & (blocks == block), "cue_name"].unique()]
        for each in own:
            rows.append({"onset": onset / 1e3, "duration": (lead + rest) / 1e3, "cue": (onset + lead) / 1e3,
                         "event": "", "latency": np.nan, "block": block, "kind": "probe", "learn": False,
                         **each})  # fmt: skip
            onset += lead + rest
            moved += lead + rest

    for index, row in enumerate(trials.to_dict("records")):
        if index == first:
            probe(whole["onset"][index] + moved, blocks[index])
        onset = whole["onset"][index] + moved
        rows.append(row | {"onset": onset / 1e3, "cue": (whole["cue"][index] + moved) / 1e3})
        done += training[index]
        last = training[index] and not (training & (blocks == blocks[index]))[index + 1 :].any()
        if training[index] and (done % every == 0 or last):
            probe(onset + whole["duration"][index], blocks[index])
        done = 0 if last else done
    return pd.DataFrame(rows)[list(trials.columns)]
