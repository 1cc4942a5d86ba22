"""A participant's cued reaction task: event files of the BIDS standard become the trials that the network receives."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import model_validator

from izhires.declare import Milliseconds, parameter
from izhires.errors import Complaint, ConfigurationError, ParadigmError, closest
from izhires.paradigms.base import Paradigm
from izhires.paradigms.experiment import Experiment

DATA_SET = "OpenNeuro ds003690 v1.0.0, doi 10.18112/openneuro.ds003690.v1.0.0"


class CuedReaction(Paradigm):
    """A cue, then one of several targets or none, at the times at which a participant heard them (BIDS event files).

    A trial goes from `cue_onset` before its cue to `cue_onset` before the next; what a file holds before its first
    trial is left out. The last trial of a file ends with the file's last row, and no earlier than `cue_onset` after the
    window. A probe is as long as the median training trial. Rows that are neither cue, target nor response are ignored.
    Files of several participants, told apart by the ``sub-LABEL_`` that BIDS puts first into a file's name, are a
    variant each.
    """

    source: ClassVar[str] = f"Ribeiro & Castelo-Branco (2019), doi 10.1016/j.neurobiolaging.2018.09.028; {DATA_SET}"

    options: ClassVar[dict[str, str]] = {"--events": "events_files", "--cue": "cue", "--event": "events"}

    type: Literal["cued_reaction"] = "cued_reaction"
    events_files: tuple[str, ...] = parameter(..., "BIDS event files (tsv), a file a run of the experiment, in order")
    cue: str = parameter(..., "trial_type of the cue", min_length=1)
    events: tuple[str, ...] = parameter(..., "trial_type of each target")
    responses: tuple[str, ...] = parameter(
        ("button press", "error of commission"),
        "trial_type of the rows that are responses: the first after a target gives its response time, "
        "unless the target's own response_time does",
        source=DATA_SET,
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
    warm_up: int = parameter(1, "cue-only trials without learning before the first, in which the network settles", ge=0)
    block_per_file: bool = parameter(False, "whether each file is a block, rather than all files one")

    @model_validator(mode="after")
    def _names_fit(self) -> CuedReaction:
        found = []
        if not self.events_files:
            found.append(Complaint("events_files", "needs at least one file, got none"))
        if not self.events:
            found.append(Complaint("events", "has no events"))
        named = [participant(path) for path in self.events_files]
        if "" in named and any(named):
            place = f"events_files[{named.index('')}]"
            found.append(Complaint(place, "its name lacks the participant (sub-LABEL_) that others begin with"))
        taken = [self.cue]
        for field in ("events", "responses"):
            for k, name in enumerate(getattr(self, field)):
                if not name:
                    found.append(Complaint(f"{field}[{k}]", "the name is empty"))
                elif name in taken:
                    found.append(Complaint(f"{field}[{k}]", f"{name!r} is named twice among cue, events and responses"))
                taken.append(name)
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

    def variants(self) -> tuple[str, ...]:
        """Return one variant a participant, ``"sub-LABEL"``; ``("",)`` when all files are of one."""
        found = tuple(dict.fromkeys(participant(path) for path in self.events_files))
        return found if len(found) > 1 else ("",)

    def experiment(self, rng: np.random.Generator, variant: str = "") -> Experiment:
        """Read a participant's event files and lay out their trials; see `Paradigm.experiment`. Nothing is drawn.

        The table of trials has a further column ``response_time`` (s from the target, NaN for none).
        """
        self.check_variant(variant)
        runs = [read_events(path) for path in self.events_files if not variant or participant(path) == variant]
        self._check_names(runs)
        heard = [self._cued(run) for run in runs]
        window = self._window(heard)
        rests = [self._rests(run, trials, window) for run, trials in zip(runs, heard, strict=True)]

        # whole milliseconds throughout, so that the silence between two sounds is exactly that of the file
        lead, probe_rest = round(self.cue_onset), round(float(np.median(np.concatenate(rests))))
        rows: list[dict[str, object]] = []
        now = done = 0

        def add(rest: int, block: int, kind: str, trial: _Cued | None = None) -> None:
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
            )
            now += lead + window + rest

        for kind in ("warm-up",) * self.warm_up + ("probe",):
            add(probe_rest, 0, kind)
        for index, (trials, waits) in enumerate(zip(heard, rests, strict=True)):
            block = index if self.block_per_file else 0
            done = 0 if self.block_per_file else done
            for trial, rest in zip(trials, waits, strict=True):
                add(rest, block, "train", trial)
                done += 1
                last = trial is trials[-1] and (self.block_per_file or index == len(heard) - 1)
                if last or done % self.probe_every == 0:
                    add(probe_rest, block, "probe")
        return Experiment.from_table(
            pd.DataFrame(rows),
            events=self.events,
            window=window / 1e3,
            event_width=self.event_width / 1e3,
            cue_duration=self.cue_duration / 1e3,
            paradigm=self.type,
            variant=variant,
        )

    def _check_names(self, runs: list[EventFile]) -> None:
        """Complain of a cue that one file lacks, and of an event that all files lack."""
        for run in runs:
            if self.cue not in run.names:
                raise ParadigmError(
                    f"the cue {self.cue!r} does not occur{closest(self.cue, run.names)}", run.path, run.names
                )
        present = dict.fromkeys(name for run in runs for name in run.names)
        for event in self.events:
            if event not in present:
                place = ", ".join(run.path for run in runs)
                raise ParadigmError(f"the event {event!r} does not occur{closest(event, present)}", place, present)

    def _cued(self, run: EventFile) -> list[_Cued]:
        """Return the trials of one file: each cue with the target and the response that follow it."""
        trials: list[_Cued] = []
        for row in run.rows:
            if row.name == self.cue:
                trials.append(_Cued(row))
            elif row.name in self.events:
                if not trials:
                    raise ParadigmError(f"{row.name!r} does not follow a cue", run.place(row))
                trial = trials[-1]
                if trial.target is not None:
                    raise ParadigmError(
                        f"{row.name!r} is the second target after the cue on line {trial.cue.line}, "
                        f"the first is on line {trial.target.line}",
                        run.place(row),
                    )
                trial.target, trial.response_time = row, row.response_time
            elif row.name in self.responses and trials and trials[-1].awaits_response:
                trials[-1].response_time = (row.onset - trials[-1].cue.onset - trials[-1].latency) / 1e3
        if self.window is not None:
            for trial in trials:
                if trial.target is not None and trial.latency >= round(self.window):
                    raise ParadigmError(
                        f"{trial.event!r} comes {trial.latency} ms after its cue, "
                        f"outside the window of {self.window:g} ms",
                        run.place(trial.target),
                    )
        return trials

    def _window(self, heard: list[list[_Cued]]) -> int:
        """Return the window in whole milliseconds."""
        if self.window is not None:
            return round(self.window)
        longest = max(trial.latency for trials in heard for trial in trials)
        return math.ceil((longest + 4 * self.event_width) / 100) * 100

    def _rests(self, run: EventFile, trials: list[_Cued], window: int) -> list[int]:
        """Return how long each trial goes on after its window, in milliseconds."""
        lead, rests = round(self.cue_onset), []
        for trial, following in pairwise(trials):
            between = following.cue.onset - trial.cue.onset
            rests.append(between - window - lead)
            if rests[-1] < 1:
                raise ParadigmError(
                    f"the next cue, on line {following.cue.line}, comes {between} ms after this one: too soon for "
                    f"the window of {window} ms and the {lead} ms (cue_onset) before a cue",
                    run.place(trial.cue),
                )
        rests.append(max(run.rows[-1].onset - trials[-1].cue.onset - window, lead, 1))
        if self.longest_wait is not None:
            longest = max(round(self.longest_wait) - lead, 1)
            rests = [min(rest, longest) for rest in rests]
        return rests


@dataclass(frozen=True)
class EventRow:
    """One row of an event file: its line, onset (whole ms), ``trial_type`` and response time (s, NaN for none)."""

    line: int
    onset: int
    name: str
    response_time: float


@dataclass(frozen=True)
class EventFile:
    """The rows of one event file, in order of time."""

    path: str
    rows: tuple[EventRow, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Every ``trial_type`` that occurs, in order of first appearance."""
        return tuple(dict.fromkeys(row.name for row in self.rows))

    def place(self, row: EventRow) -> str:
        """Return the file and line of a row, for a complaint."""
        return f"{self.path}, line {row.line}"


@dataclass
class _Cued:
    """A cue with what followed it."""

    cue: EventRow
    target: EventRow | None = None
    response_time: float = math.nan  # s from the target

    @property
    def event(self) -> str:
        return self.target.name if self.target else ""

    @property
    def latency(self) -> int:
        """Whole ms from the cue to the target; 0 without one."""
        return self.target.onset - self.cue.onset if self.target else 0

    @property
    def awaits_response(self) -> bool:
        return self.target is not None and math.isnan(self.response_time)


def participant(path: str) -> str:
    """Return the participant in the name of an event file, ``sub-LABEL``, or nothing."""
    found = re.match(r"sub-[0-9A-Za-z]+(?=_)", Path(path).name)
    return found[0] if found else ""


def read_events(path: str) -> EventFile:
    """Read a BIDS event file.

    Parameters
    ----------
    path : str
        A tab-separated table with columns ``onset`` (s) and ``trial_type``; ``response_time`` (s) is read when it is
        there, others are not.

    Returns
    -------
    EventFile
        Onsets rounded to whole milliseconds.

    Raises
    ------
    ParadigmError
        Naming the file, and the line where there is one: a file that is missing, unreadable, empty or not UTF-8, a
        missing column, a row of another length than the header, an onset that is no number or comes before the one
        above it.
    """
    header, *lines = _lines(path)
    columns = [cell.strip() for cell in header.split("\t")]
    missing = [column for column in ("onset", "trial_type") if column not in columns]
    if missing:
        raise ParadigmError(f"column {' and '.join(missing)} missing; it has {', '.join(columns)}", f"{path}, line 1")
    rows: list[EventRow] = []
    for number, line in enumerate(lines, start=2):
        if not line.strip():
            continue
        place, cells = f"{path}, line {number}", [cell.strip() for cell in line.split("\t")]
        if len(cells) != len(columns):
            raise ParadigmError(f"has {len(cells)} columns, the header has {len(columns)}", place)
        row = dict(zip(columns, cells, strict=True))
        onset, response = _number(row["onset"]), _number(row.get("response_time", ""))
        if math.isnan(onset):
            raise ParadigmError(f"onset {row['onset']!r} is not a number of seconds", place)
        rows.append(EventRow(number, round(onset * 1e3), row["trial_type"], response))
        if len(rows) > 1 and rows[-1].onset < rows[-2].onset:
            raise ParadigmError(f"onset {onset:g} s comes before the one above it, {rows[-2].onset / 1e3:g} s", place)
    if not rows:
        raise ParadigmError("has a header and no events", path)
    return EventFile(path, tuple(rows))


def _lines(path: str) -> list[str]:
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ParadigmError("there is no such file", path) from None
    except UnicodeDecodeError:
        raise ParadigmError("is not a text file in UTF-8", path) from None
    except OSError as error:
        raise ParadigmError(f"cannot be read: {error.strerror}", path) from None
    if not text.strip():
        raise ParadigmError("is empty", path)
    return text.split("\n")


def _number(cell: str) -> float:
    """Return the number in a cell, NaN when there is none."""
    try:
        value = float(cell)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan
