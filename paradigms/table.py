"""A trial table of one's own: a CSV file, one row a trial, and further ones of what is heard besides, and of epochs."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import field_validator, model_validator

from izhires.declare import Milliseconds, parameter
from izhires.errors import Complaint, ConfigurationError, ParadigmError
from izhires.paradigms.base import Paradigm, whole_milliseconds
from izhires.paradigms.columns import EPOCH_COLUMNS, INPUT_COLUMNS
from izhires.paradigms.experiment import Experiment
from izhires.paradigms.text_table import PathText, as_name, read_text_table

NEEDED = ("onset", "duration", "cue")
ONE_EVENT = ("event", "latency")
LATENCY_OF, PAYOFF = "latency_", "payoff_"
"""How columns begin that there may be one of for each event: its latency where several may come in a trial, and what it
pays where a readout chooses. The name of the event follows."""

_ANSWERS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Table(Paradigm):
    """Trials from a CSV file with columns onset, duration, cue, event, latency (s), and optionally block, kind, learn,
    cue_name.

    Times of ``onset`` and ``cue`` count from the start of the experiment, ``latency`` from the cue; ``event`` and
    ``latency`` are empty in a cue-only trial. Only an empty cell is missing. A column ``response_time`` (s from the
    event) is read, further ones are kept as text. The expectation of a block is what occurred in it. A column
    ``cue_name`` says which cue a trial has: each is an input channel of its own, and the expectation is that given the
    cue. Whole numbers may be names, as those of events.

    Where several events may come in one trial, columns ``latency_NAME`` (s, empty where the event NAME does not come)
    stand in place of event and latency; where a readout chooses, columns ``payoff_NAME``, empty in probes. A file of
    `inputs` (onset, channel, duration, optionally strength) has all that the network hears, one of `epochs` (onset,
    duration, name) intervals with a name: in both onset is s from the start of the experiment.
    """

    source: ClassVar[str] = "one's own"
    options: ClassVar[dict[str, str]] = {
        "--table": "file",
        "--event": "events",
        "--probe-every": "probe_every",
        "--window": "window",
        "--longest-response": "longest_response",
        "--inputs": "inputs",
        "--epochs": "epochs",
        "--reward-delay": "reward_delay",
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

    inputs: PathText = parameter(
        "", "CSV file of all that the network hears; none: the cue of each trial", source="by choice"
    )
    epochs: PathText = parameter("", "CSV file of intervals with a name; none: without", source="by choice")
    reward_delay: Milliseconds = parameter(
        "100 ms", "time from the end of the window, when a readout chooses, to the reward", source="by choice", ge=1
    )

    @field_validator("events", mode="after")
    @classmethod
    def _as_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(as_name(name) for name in names)

    @model_validator(mode="after")
    def _whole(self) -> Table:
        times = ("window", "cue_duration", "reward_delay")
        found = [each for name in times for each in whole_milliseconds(getattr(self, name), name)]
        if found:
            raise ConfigurationError(found)
        return self

    def experiment(self, rng: np.random.Generator, variant: str = "") -> Experiment:
        """Read the table; see `Paradigm.experiment`. Nothing is drawn."""
        self.check_variant(variant)
        trials = read_trials(self.file)
        notes = self._check_response_times(trials)
        intervals: dict[str, Any] = {
            name: _read_intervals(getattr(self, name), columns, text)
            for name, columns, text in (("inputs", INPUT_COLUMNS, "channel"), ("epochs", EPOCH_COLUMNS, "name"))
            if getattr(self, name)
        }
        places = {name: (getattr(self, name), table.attrs["lines"]) for name, table in intervals.items()}
        places |= dict.fromkeys(("trials", "latencies", "payoffs"), (self.file, trials.attrs["lines"]))

        def made(table: pd.DataFrame) -> Experiment:
            late, paid = (_of_events(table, prefix) for prefix in (LATENCY_OF, PAYOFF))
            if "latency" in table and paid is None:
                late = None  # then it is a further column
            own = [f"{prefix}{name}" for prefix, each in ((LATENCY_OF, late), (PAYOFF, paid)) if each is not None
                   for name in each]  # fmt: skip
            kept = table.drop(columns=own)
            if paid is not None and "latency" not in table:
                kept = kept.assign(event="", latency=np.nan)
            try:
                return Experiment.from_table(
                    kept,
                    events=self.events or None,
                    window=self.window / 1e3,
                    event_width=self.event_width / 1e3,
                    cue_duration=self.cue_duration / 1e3,
                    paradigm=self.type,
                    latencies=late,
                    payoffs=paid,
                    reward_delay=self.reward_delay / 1e3 if paid is not None else 0.0,
                    **intervals,
                )
            except ParadigmError as error:
                raise ParadigmError(_by_line(each, self.file, places) for each in error.complaints) from None

        found = made(trials)
        shift = max(float(np.nanmax(np.abs(trials[name] - found.trials[name]))) for name in ("onset", "cue", "latency")
                    if name in trials and found.trials[name].notna().any())  # fmt: skip
        if shift > 1e-6:
            notes.append(f"{self.file}: times are rounded to whole milliseconds, by up to {shift * 1e3:.2g} ms")
        if self.probe_every is not None:
            probes = np.flatnonzero(found.trials["kind"] == "probe")
            if len(probes):
                raise ParadigmError(
                    "is a probe, and probe_every inserts others; leave either out",
                    f"{self.file}, line {trials.attrs['lines'][probes[0]]}",
                )
            if intervals:
                raise ConfigurationError(
                    f"moves what follows a probe, and the times of {' and '.join(intervals)} are fixed; "
                    "put the probes into the table",
                    "probe_every",
                )
            own = [name for name in trials if name not in found.trials]  # latencies and payoffs by event
            found = made(_with_probes(found.trials.join(trials[own]), self.probe_every).drop(
                columns=["event", "latency"] if "latency" not in trials else []))  # fmt: skip
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
        if not len(none):
            return []
        trials.loc[times <= 0, "response_time"] = np.nan
        more = f" (and {len(none) - 1} more)" if len(none) > 1 else ""
        return [f"{self.file}, line {lines[none[0]]}: response_time of 0 or less, read as none{more}"]


def _by_line(complaint: Complaint, file: str, places: dict[str, tuple[str, list[int]]]) -> Complaint:
    """Return a complaint on a row of a table as one on a line of its file."""
    where = re.fullmatch(r"(\w+)\[(\d+)\](?:\.(.+))?", complaint.place)
    if where is None or where[1] not in places:
        of = places.get(complaint.place.split(".")[0], (file,))[0]
        return replace(complaint, place=f"{of}, {complaint.place}")
    own, lines = places[where[1]]
    prefix = {"latencies": LATENCY_OF, "payoffs": PAYOFF}.get(where[1], "")
    column = f", {prefix}{where[3]}" if where[3] else ""
    return replace(complaint, place=f"{own}, line {lines[int(where[2])]}{column}")


def _of_events(table: pd.DataFrame, prefix: str) -> pd.DataFrame | None:
    """Return the columns that begin with a prefix under the names of their events; None where there are none."""
    own = {name: name.removeprefix(prefix) for name in map(str, table) if name.startswith(prefix)}
    return table[list(own)].rename(columns=own) if own else None


def _read_intervals(file: str, columns: tuple[str, ...], text: str) -> pd.DataFrame:
    """Read a table of intervals: numbers, and one column of names; ``strength`` may be left out."""
    table = read_text_table(file, ",;\t")
    own = table.needed(name for name in columns if name != "strength")
    if "strength" in columns and (strength := table.column("strength")) is not None:
        own["strength"] = strength
    kinds = {"strength": "a number"}
    found = pd.DataFrame(
        {
            name: [
                as_name(row[column]) if name == text
                else table.number(row, column, kinds.get(name, "a number of seconds"))
                for row in table.rows
            ]
            for name, column in own.items()
        }
    )  # fmt: skip
    found.attrs["lines"] = [row.line for row in table.rows]
    return found


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
    by_event = [name for name in table.columns if name.startswith((LATENCY_OF, PAYOFF))]
    one_event = table.column("latency") is not None or not by_event
    columns = table.needed((*NEEDED, *(ONE_EVENT if one_event else ())))
    if one_event:
        by_event = [name for name in by_event if name.startswith(PAYOFF)]
    columns |= {name: name for name in by_event}
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
            elif not cell and (name in ("latency", "response_time") or name in by_event):
                value = math.nan
            else:
                kind = "a number" if name.startswith(PAYOFF) else "a number of seconds"
                value = number = table.number(row, own, "a whole number" if name == "block" else kind)
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
