"""A participant's cued reaction task: event files of the BIDS standard become the trials that the network receives."""

from __future__ import annotations

import json
import math
import os
import re
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import field_validator, model_validator

from izhires.declare import Milliseconds, parameter
from izhires.errors import Complaint, ConfigurationError, ParadigmError, closest, shown
from izhires.paradigms.base import MOST, Paradigm, whole_milliseconds
from izhires.paradigms.experiment import Experiment, check_size
from izhires.paradigms.text_table import PathText, TableRow, TextTable, as_name, read_text_table
from izhires.units import SPELLED, UNITS

DATA_SET = "OpenNeuro ds003690 v1.0.0, doi 10.18112/openneuro.ds003690.v1.0.0"

MISSING = "n/a"
"""What a BIDS table has where there is nothing."""

RESPONSES = ("button press", "error of commission")
LONGEST_LATENCY = 60.0
"""Time (s) from a cue to its target beyond which the window must be given, since it may be a mistaken unit."""


class CuedReaction(Paradigm):
    """A cue, then one of several targets or none, at the times at which a participant heard them (BIDS event files).

    Where there are several cues, each is an input channel of its own, the true statistics are those given the cue, and
    each probe is one of every cue that its block has.

    A trial goes from `cue_onset` before its cue to `cue_onset` before the next; what a file holds before its first
    trial is left out. The last trial of a file ends with the file's last row, and no earlier than `cue_onset` after the
    window. A probe is as long as the median training trial. Rows that are neither cue, target nor response are ignored.
    Rows need no order in the file, and what nobody named may miss its onset. Times are in seconds, or in the unit that
    the JSON file beside the table (or one that the data set has for several) gives for the column. A response that
    shares the onset of the next cue belongs to the target before it.

    Files of several participants, told apart by the ``sub-LABEL_`` that BIDS puts first into a file's name, are a
    variant each.
    """

    source: ClassVar[str] = f"Ribeiro & Castelo-Branco (2019), doi 10.1016/j.neurobiolaging.2018.09.028; {DATA_SET}"

    options: ClassVar[dict[str, str]] = {
        "--events": "events_files",
        "--cue": "cue",
        "--event": "events",
        "--response": "responses",
        "--cue-column": "cue_column",
        "--event-column": "event_column",
        "--response-column": "response_column",
        "--response-time-column": "response_time_column",
        "--longest-response": "longest_response",
        "--window": "window",
        "--probe-every": "probe_every",
    }

    type: Literal["cued_reaction"] = "cued_reaction"
    events_files: tuple[PathText, ...] = parameter(
        ..., "BIDS event files (tsv, tsv.gz), a file a run of the experiment, in order"
    )
    cue: str | tuple[str, ...] = parameter(
        ..., "name of the cue, in cue_column; or names of several, each of which is a cue of its own"
    )
    events: tuple[str, ...] = parameter(..., "name of each target, in event_column")
    responses: tuple[str, ...] = parameter(
        RESPONSES,
        "names of the rows that are responses, in response_column: the first after a target gives its response time, "
        "unless the target's own response_time does",
        source=DATA_SET,
    )
    cue_column: str = parameter("trial_type", "column that names the cue", source="BIDS", min_length=1)
    event_column: str | None = parameter(
        None, "column that names the targets; none: cue_column", source="by choice", min_length=1
    )
    response_column: str | None = parameter(
        None, "column that names the responses; none: event_column", source="by choice", min_length=1
    )
    response_time_column: str = parameter(
        "response_time", "column that holds a target's response time", source="BIDS", min_length=1
    )
    longest_response: Milliseconds = parameter(
        "5000 ms",
        "longest time from a target to its response: a row that comes later is none, a longer response_time refused",
        source="by choice",
        gt=0,
    )
    cue_onset: Milliseconds = parameter("1000 ms", "time from the start of a trial to its cue", ge=0)
    window: Milliseconds | None = parameter(
        None,
        "time after the cue in which predictions are read; "
        "none: the longest latency and four times event_width, up to the next 100 ms",
        ge=1,
    )
    longest_wait: Milliseconds | None = parameter(
        None, "longer waits from the end of the window to the next cue are shortened to this; none: all are kept"
    )
    cue_duration: Milliseconds = parameter("250 ms", "length of the cue", source=f"{DATA_SET}, its README", ge=1)
    event_width: Milliseconds = parameter(
        "100 ms", "standard deviation of the bump that stands for an event", symbol="sigma", ge=1
    )
    probe_every: int = parameter(
        10,
        "training trials of a block between probes; there is also one before the first trial and after the last",
        ge=1,
    )
    warm_up: int = parameter(
        1, "cue-only trials without learning before the first, in which the network settles", ge=0, le=MOST
    )
    block_per_file: bool = parameter(False, "whether each file is a block, rather than all files one")

    @field_validator("cue", mode="before")
    @classmethod
    def _one_alone(cls, value: Any) -> Any:
        if isinstance(value, (list, tuple)) and all(isinstance(each, str) for each in value):
            return value[0] if len(value) == 1 else tuple(value)
        if not isinstance(value, str):  # not in the words of pydantic, which speaks of each alternative
            raise ConfigurationError(f"must be text, got {shown(value)}")
        return value

    @field_validator("cue", "events", "responses", mode="after")
    @classmethod
    def _as_names(cls, value: Any) -> Any:
        return as_name(value) if isinstance(value, str) else tuple(as_name(each) for each in value)

    @model_validator(mode="after")
    def _names_fit(self) -> CuedReaction:
        found = []
        if not self.events_files:
            found.append(Complaint("events_files", "needs at least one file, got none"))
        if not self.events:
            found.append(Complaint("events", "has no events"))
        found += file_complaints(self.events_files)
        if not self.cues:
            found.append(Complaint("cue", "needs at least one name, got none"))
        for k, name in enumerate(self.cues):
            place = "cue" if isinstance(self.cue, str) else f"cue[{k}]"
            if name in ("", MISSING):
                found.append(Complaint(place, f"{name!r} names nothing"))
            elif name in self.cues[:k]:
                found.append(Complaint(place, f"{name!r} is named twice"))
        taken = list(self.cues)
        for field in ("events", "responses"):
            for k, name in enumerate(getattr(self, field)):
                if not name:
                    found.append(Complaint(f"{field}[{k}]", "the name is empty"))
                elif name == MISSING:
                    found.append(Complaint(f"{field}[{k}]", f"{name!r} stands for a missing value, and names nothing"))
                elif name in taken and len(set(self._columns())) == 1:
                    found.append(Complaint(f"{field}[{k}]", f"{name!r} is named twice among cue, events and responses"))
                taken.append(name)
        for field in ("cue_onset", "window", "longest_wait", "cue_duration"):
            found += whole_milliseconds(getattr(self, field), field)
        if self.longest_wait is not None and self.longest_wait < self.cue_onset + 1:
            found.append(
                Complaint(
                    "longest_wait",
                    f"must be at least 1 ms longer than cue_onset, {self.cue_onset:g} ms, got {self.longest_wait:g} ms",
                )
            )
        if found:
            raise ConfigurationError(found)
        return self

    @property
    def cues(self) -> tuple[str, ...]:
        """Names of the cues."""
        return (self.cue,) if isinstance(self.cue, str) else self.cue

    def variants(self) -> tuple[str, ...]:
        """Return one variant a participant, ``"sub-LABEL"``; ``("",)`` when all files are of one."""
        found = tuple(dict.fromkeys(participant(path) for path in self.events_files))
        return found if len(found) > 1 else ("",)

    def experiment(self, rng: np.random.Generator, variant: str = "") -> Experiment:
        """Read a participant's event files and lay out their trials; see `Paradigm.experiment`. Nothing is drawn.

        The table of trials has a further column ``response_time`` (s from the target, NaN for none).
        """
        self.check_variant(variant)
        runs = [self._read(path) for path in self.events_files if not variant or participant(path) == variant]
        self._check_names(runs)
        notes = Notes()
        heard = [self._cued(run, notes) for run in runs]
        window = self._window(heard)
        rests = [self._rests(run, trials, window, heard) for run, trials in zip(runs, heard, strict=True)]

        # whole milliseconds throughout, so that the silence between two sounds is exactly that of the file
        lead, probe_rest = round(self.cue_onset), round(float(np.median(np.concatenate(rests))))
        trained = sum(len(trials) for trials in heard)
        several = len(self.cues) > 1
        # each probe is one of every cue that is heard in its block
        blocks = [[trial.cue.cue for trials in part for trial in trials] for part in
                  ([[each] for each in heard] if self.block_per_file else [heard])]  # fmt: skip
        probed = [[name for name in self.cues if name in names] for names in blocks]
        many = self.warm_up + trained + (1 + trained // self.probe_every + len(runs)) * len(self.cues)
        check_size(many, many * (lead + window + probe_rest) / 1e3)
        rows: list[dict[str, object]] = []
        now = done = 0

        def add(rest: int, block: int, kind: str, cue: str, trial: _Cued | None = None) -> None:
            nonlocal now
            rows.append(
                {
                    "onset": now / 1e3,
                    "duration": (lead + window + rest) / 1e3,
                    "cue": (now + lead) / 1e3,
                    "event": trial.event if trial else "",
                    "latency": trial.latency / 1e3 if trial and trial.target else np.nan,
                    "block": block,
                    "kind": kind,
                    "learn": kind == "train",
                    "response_time": trial.response_time if trial else np.nan,
                }
                | ({"cue_name": cue} if several else {})
            )
            now += lead + window + rest

        for k in range(self.warm_up):
            add(probe_rest, 0, "warm-up", probed[0][k % len(probed[0])])
        for cue in probed[0]:
            add(probe_rest, 0, "probe", cue)
        for index, (trials, waits) in enumerate(zip(heard, rests, strict=True)):
            block = index if self.block_per_file else 0
            done = 0 if self.block_per_file else done
            for trial, rest in zip(trials, waits, strict=True):
                add(rest, block, "train", trial.cue.cue, trial)
                done += 1
                last = trial is trials[-1] and (self.block_per_file or index == len(heard) - 1)
                if last or done % self.probe_every == 0:
                    for cue in probed[block]:
                        add(probe_rest, block, "probe", cue)
        experiment = Experiment.from_table(
            pd.DataFrame(rows),
            events=self.events,
            window=window / 1e3,
            event_width=self.event_width / 1e3,
            cue_duration=self.cue_duration / 1e3,
            paradigm=self.type,
            variant=variant,
            cues=[name for name in self.cues if any(name in names for names in blocks)] if several else None,
        )
        answers = Counter(each.answer for trials in heard for each in trials if not math.isnan(each.response_time))
        return replace(experiment, notes=notes.lines(), answers=tuple(answers.items()))

    def _columns(self) -> tuple[str, str, str]:
        """Return the columns that name cue, targets and responses."""
        event = self.event_column or self.cue_column
        return self.cue_column, event, self.response_column or event

    def _read(self, path: str) -> EventFile:
        found = read_events(path, *self._columns(), self.response_time_column)
        if self.response_time_column != "response_time" and found.times is None:
            found.table.needed([self.response_time_column])
        return found

    def _check_names(self, runs: list[EventFile]) -> None:
        """Complain of a file without any cue, and of a cue, event or response that all files lack."""
        for run in runs:
            names = occurring([run], "cue")
            if not any(cue in names for cue in self.cues):
                said = "the cue" if len(self.cues) == 1 else "no cue occurs: there is no"
                end = " does not occur" if len(self.cues) == 1 else ""
                cue = self.cues[0]
                raise ParadigmError(f"{said} {cue!r}{end}{closest(cue, names)}", run.path, some(names))
        # the standard's names of responses need not occur, those named in a call do; in any participant
        named = () if self.responses == RESPONSES else self.responses
        asked = (("cue", self.cues, "cue"), ("event", self.events, "event"), ("response", named, "response"))
        for what, names, role in asked:
            there = occurring(runs, role)
            if any(name not in there for name in names) and len(runs) < len(self.events_files):
                there = occurring([self._read(path) for path in self.events_files], role)
            for name in names:
                if name not in there:
                    place = ", ".join(run.path for run in runs)
                    raise ParadigmError(f"the {what} {name!r} does not occur{closest(name, there)}", place, some(there))

    def _cued(self, run: EventFile, notes: Notes) -> list[_Cued]:
        """Return the trials of one file: each cue with the target and the response that follow it."""
        rows: list[tuple[int, int, str, EventRow]] = []
        for row in run.rows:
            roles = [
                role
                for role, names in (("response", self.responses), ("cue", self.cues), ("event", self.events))
                if getattr(row, role) in names
            ]
            if len(roles) > 1:
                raise ParadigmError(f"is a {roles[0]} by one column and a {roles[1]} by another", run.place(row))
            if roles and row.onset is None:
                raise ParadigmError(f"onset {MISSING!r} is not a number of seconds", run.place(row))
            if roles and row.onset is not None:
                # of what has one onset, a response belongs to what was before, and a target follows its cue
                rows.append((row.onset, ("response", "cue", "event").index(roles[0]), roles[0], row))
        trials: list[_Cued] = []
        pressed = {onset: row for onset, _, role, row in reversed(rows) if role == "response"}
        targets = {onset for onset, _, role, _ in rows if role == "event"}
        late: _Cued | None = None
        for onset, _, role, row in sorted(rows, key=lambda each: each[:2]):
            if role == "cue":
                trials.append(_Cued(row, onset))
            elif role == "event":
                if not trials:
                    raise ParadigmError(f"{row.event!r} does not follow a cue", run.place(row))
                trial = trials[-1]
                if trial.target is not None:
                    raise ParadigmError(
                        f"{row.event!r} is the second target after the cue on line {trial.cue.line}, "
                        f"the first is on line {trial.target.line}",
                        run.place(row),
                    )
                trial.target, trial.target_onset = row, onset
                trial.response_time = response_time(run, row, notes, self.longest_response)
                trial.answer = f"column {run.times}"
                if trial.awaits_response and onset in pressed:
                    raise ParadigmError(
                        f"{pressed[onset].response!r} has the onset of its target {row.event!r}, on line {row.line}: "
                        f"that is no response time; write the response's own onset, or its time into the column "
                        f"{self.response_time_column} of the target",
                        run.place(pressed[onset]),
                    )
            elif trials and trials[-1].awaits_response and onset not in targets:
                trial = trials[-1]
                after = onset - trial.target_onset
                if after <= self.longest_response:
                    trial.response_time, trial.answer = after / 1e3, repr(row.response)
                elif trial is not late:
                    late = trial
                    notes.add(
                        "response {after:g} s after its target, later than longest_response, {limit:g} s; read as none",
                        run.place(row),
                        limit=self.longest_response / 1e3,
                        after=after / 1e3,
                    )
        for trial in trials:
            if trial.target is None:
                continue
            if self.window is not None and trial.latency >= round(self.window):
                raise ParadigmError(
                    f"{trial.event!r} comes {trial.latency} ms after its cue, outside the window of {self.window:g} ms",
                    run.place(trial.target),
                )
            if self.window is None and trial.latency > LONGEST_LATENCY * 1e3:
                raise ParadigmError(
                    f"{trial.event!r} comes {trial.latency / 1e3:g} s after its cue, on line {trial.cue.line}: "
                    f"more than {LONGEST_LATENCY:g} s; onsets are in seconds, unless the file {run.sidecar} "
                    "says another unit; a window of such a length must be given (paradigm.window)",
                    run.place(trial.target),
                )
        return trials

    def _window(self, heard: list[list[_Cued]]) -> int:
        """Return the window in whole milliseconds."""
        if self.window is not None:
            return round(self.window)
        longest = max(trial.latency for trials in heard for trial in trials)
        return math.ceil((longest + 4 * self.event_width) / 100) * 100

    def _rests(self, run: EventFile, trials: list[_Cued], window: int, heard: list[list[_Cued]]) -> list[int]:
        """Return how long each trial goes on after its window, in milliseconds."""
        lead, rests = round(self.cue_onset), []
        for trial, following in pairwise(trials):
            between = following.onset - trial.onset
            rests.append(between - window - lead)
            if rests[-1] >= 1:
                continue
            longest = max((each for own in heard for each in own), key=lambda each: each.latency)
            if self.window is None and longest.target is not None and longest.target is not trial.target:
                # what makes the window too long is at fault, not the cues that it is too long for
                raise ParadigmError(
                    f"{longest.event!r} comes {longest.latency} ms after its cue, on line {longest.cue.line}, which "
                    f"makes the window {window} ms: too long for the {between} ms between the cues on lines "
                    f"{trial.cue.line} and {following.cue.line} of {run.path} with {lead} ms (cue_onset) before a cue; "
                    "a shorter paradigm.window or paradigm.cue_onset must be given, which end before the next cue",
                    longest.target.place,
                )
            raise ParadigmError(
                f"the next cue, on line {following.cue.line}, comes {between} ms after this one: too soon for "
                f"the window of {window} ms and the {lead} ms (cue_onset) before a cue; a shorter paradigm.window or "
                "paradigm.cue_onset must be given",
                run.place(trial.cue),
            )
        end = max(row.onset for row in run.rows if row.onset is not None)
        rests.append(max(end - trials[-1].onset - window, lead, 1))
        if self.longest_wait is not None:
            longest_rest = max(round(self.longest_wait) - lead, 1)
            rests = [min(rest, longest_rest) for rest in rests]
        return rests


class Notes:
    """What was read otherwise than it stands, said once a kind."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}

    def add(self, kind: str, place: str, **values: Any) -> None:
        """Note what was read at a place; `kind` is the text, in which `values` are filled in."""
        self._found.setdefault(kind, []).append(f"{place}: {kind.format(**values)}")

    def lines(self) -> tuple[str, ...]:
        """Return the first of each kind, with the number of the others."""
        return tuple(
            first + (f" (and {len(others)} more)" if others else "") for first, *others in self._found.values()
        )


@dataclass(frozen=True)
class EventRow:
    """One row of an event file: its place, onset (whole ms, None for n/a), its names as cue, target and response, and
    all its cells.
    """

    place: str
    line: int
    onset: int | None
    cue: str
    event: str
    response: str
    cells: TableRow


@dataclass(frozen=True)
class EventFile:
    """The rows of one event file, in the file's order, with the columns that it has and their units."""

    table: TextTable
    rows: tuple[EventRow, ...]
    times: str | None
    """Column of response times, where there is one."""
    units: dict[str, float]
    """Seconds of the unit that a file beside the table gives for a column."""

    @property
    def path(self) -> str:
        """The file, as it was named."""
        return self.table.path

    @property
    def sidecar(self) -> str:
        """The name of the JSON file that belongs to this one alone."""
        return f"{_stem(Path(self.path).name)}.json"

    def place(self, row: EventRow) -> str:
        """Return the file and line of a row, for a complaint."""
        return row.place

    def seconds(self, row: EventRow, column: str, otherwise: str = "") -> float:
        """Return the time in a cell, s."""
        value = self.table.number(row.cells, column, otherwise=otherwise)
        # without the noise of the conversion
        return float(f"{value * self.units[column]:.14g}") if column in self.units else value


def response_time(run: EventFile, row: EventRow, notes: Notes, longest: float) -> float:
    """Return the response time (s) that a target's own row holds, NaN for none.

    Raises
    ------
    ParadigmError
        If it is no number, or longer than `longest` (ms).
    """
    if run.times is None or row.cells[run.times] == MISSING:
        return math.nan
    seconds = run.seconds(row, run.times, f"{MISSING} where there is none")
    if seconds > longest / 1e3:
        raise ParadigmError(
            f"{run.times} {row.cells[run.times]!r} is {seconds:g} s, longer than longest_response, "
            f"{longest / 1e3:g} s; if it is in another unit, the file {run.sidecar} must say so "
            f'({{"{run.times}": {{"Units": "ms"}}}})',
            run.place(row),
        )
    if seconds <= 0:
        notes.add("{column} of 0 or less, read as none", run.place(row), column=run.times)
        return math.nan
    return seconds


def occurring(runs: list[EventFile], role: str) -> tuple[str, ...]:
    """Return every name that rows have in a role, in order of first appearance."""
    names = dict.fromkeys(getattr(row, role) for run in runs for row in run.rows)
    return tuple(name for name in names if name not in ("", MISSING))


def some(names: tuple[str, ...], most: int = 20) -> tuple[str, ...]:
    """Return the first of many names, and how many more there are."""
    return names if len(names) <= most else (*names[:most], f"and {len(names) - most} more")


@dataclass
class _Cued:
    """A cue with what followed it."""

    cue: EventRow
    onset: int
    target: EventRow | None = None
    target_onset: int = 0
    response_time: float = math.nan  # s from the target
    answer: str = ""  # the row or column that it is of

    @property
    def event(self) -> str:
        return self.target.event if self.target else ""

    @property
    def latency(self) -> int:
        """Whole ms from the cue to the target; 0 without one."""
        return self.target_onset - self.onset if self.target else 0

    @property
    def awaits_response(self) -> bool:
        return self.target is not None and math.isnan(self.response_time)


def participant(path: str) -> str:
    """Return the participant in the name of an event file, ``sub-LABEL``, or nothing."""
    found = re.match(r"sub-[0-9A-Za-z]+(?=_)", Path(path).name)
    return found[0] if found else ""


def file_complaints(paths: tuple[str, ...]) -> list[Complaint]:
    """Return what is wrong with the names of event files: one without a participant beside others, one twice."""
    found, named = [], [participant(path) for path in paths]
    if "" in named and any(named):
        place = f"events_files[{named.index('')}]"
        found.append(Complaint(place, "its name lacks the participant (sub-LABEL_) that others begin with"))
    real = [os.path.realpath(os.path.expanduser(path)) for path in paths]
    return found + [
        Complaint(f"events_files[{k}]", f"{paths[k]!r} is there twice")
        for k, path in enumerate(real)
        if path in real[:k]
    ]


def read_events(
    path: str | Path,
    cue_column: str = "trial_type",
    event_column: str | None = None,
    response_column: str | None = None,
    response_time_column: str = "response_time",
) -> EventFile:
    """Read a BIDS event file.

    Parameters
    ----------
    path : str or Path
        A tab-separated table, compressed or not, with a column ``onset`` (s, or in the unit that a JSON file gives).
    cue_column, event_column, response_column : str
        The columns that name cues, targets and responses; the second is by default as the first, the third as the
        second.
    response_time_column : str
        The column of a target's response time; it may be missing.

    Returns
    -------
    EventFile
        Onsets rounded to whole milliseconds.

    Raises
    ------
    ParadigmError
        Naming the file, and the line where there is one: a file that is missing, unreadable, empty or no text, a
        missing column, a row of another length than the header, an onset that is neither a number nor ``n/a``, a unit
        that is none of time.
    """
    table = read_text_table(path, "\t")
    event_column = event_column or cue_column
    response_column = response_column or event_column
    columns = table.needed(("onset", cue_column, event_column, response_column))
    onset, times = columns["onset"], table.column(response_time_column)
    units = _units(table, [onset, *([times] if times else [])])
    if not table.rows:
        raise ParadigmError("has a header and no events", table.path)
    rows = []
    for row in table.rows:
        if row.short:
            raise ParadigmError(f"has fewer columns than the header, which has {len(table.columns)}", table.place(row))
        at = None
        if row[onset] != MISSING:
            at = round(table.number(row, onset) * units.get(onset, 1.0) * 1e3)
        cue, event, response = (as_name(row[columns[each]]) for each in (cue_column, event_column, response_column))
        rows.append(EventRow(table.place(row), row.line, at, cue, event, response, row))
    return EventFile(table, tuple(rows), times, units)


def _units(table: TextTable, columns: list[str]) -> dict[str, float]:
    """Return the seconds of the unit of each column for which a JSON file of the data set gives one."""
    found: dict[str, float] = {}
    for sidecar in _sidecars(Path(table.path).expanduser()):
        try:
            meaning = json.loads(sidecar.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError, RecursionError) as error:
            reason = " ".join(str(getattr(error, "strerror", None) or error).split())
            raise ParadigmError(f"describes {table.path}, and cannot be read: {reason}", str(sidecar)) from None
        if not isinstance(meaning, dict):
            raise ParadigmError(f"describes {table.path}, and is no table of columns", str(sidecar))
        for column in columns:
            about = meaning.get(column)
            unit = about.get("Units") if isinstance(about, dict) else None
            if unit in (None, "", MISSING):
                continue
            named = SPELLED.get(unit.strip().lower()) if isinstance(unit, str) else None
            seconds = UNITS[named].size if named else None
            if seconds is None:
                raise ParadigmError(
                    f"the unit of {column}, {unit!r}, is none of time", str(sidecar), ("s", "ms", "us", "min")
                )
            found[column] = seconds
    return found


def _sidecars(path: Path) -> list[Path]:
    """Return the JSON files that describe an event file, those that count most last.

    BIDS: a file beside it or, within the data set (whose first folder holds ``dataset_description.json``), further up,
    that ends as it does and whose name has no part that its own lacks; what is nearer counts more.
    """
    above = [path.parent, *path.parent.absolute().parents[:3]]
    top = next((k for k, folder in enumerate(above) if (folder / "dataset_description.json").is_file()), 0)
    own = _stem(path.name).split("_")
    found: list[Path] = []
    for folder in reversed(above[: top + 1]):
        here = [each for each in folder.glob("*.json") if each.stem.split("_")[-1] == own[-1]]
        found += sorted(
            (each for each in here if set(each.stem.split("_")) <= set(own)),
            key=lambda each: (len(each.stem.split("_")), each.name),
        )
    return found


def _stem(name: str) -> str:
    """Return the name of a table without its endings."""
    return re.sub(r"(\.tsv|\.txt)?(\.gz)?$", "", name)
