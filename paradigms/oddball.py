"""The oddball: a stream of a frequent stimulus and rare ones, with the controls for rarity, or from event files."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field, field_validator, model_validator

from izhires.declare import Declaration, Milliseconds, parameter
from izhires.errors import Complaint, ConfigurationError, ParadigmError, closest
from izhires.paradigms.base import MOST
from izhires.paradigms.checks import name_problems
from izhires.paradigms.cued_reaction import (
    MISSING,
    EventFile,
    EventRow,
    Notes,
    file_complaints,
    occurring,
    participant,
    read_events,
    response_time,
    some,
)
from izhires.paradigms.experiment import Experiment
from izhires.paradigms.stream import Stimulus, TimedStream, row_complaints
from izhires.paradigms.text_table import PathText, as_name

PARRAS = "Parras et al. 2017, doi 10.1038/s41467-017-02038-6"
GAP = 1.5
"""Times the median onset asynchrony beyond which a stimulus of a file follows a break. Assumed."""


class OddballBlock(Declaration):
    """A block: stimuli drawn independently of each other."""

    name: str = parameter("", "what the block is called")
    trials: int = parameter(
        400, "number of stimuli; each but those after an omission is a training trial", ge=1, le=MOST
    )
    probability: dict[str, Annotated[float, Field(ge=0, le=1)]] = parameter(
        {"A": 0.8, "B": 0.2}, "probability of each stimulus"
    )

    @model_validator(mode="after")
    def _sums(self) -> OddballBlock:
        found = [Complaint("probability", problem) for problem in name_problems(self.probability, "a stimulus")]
        found += [] if found else row_complaints(self.probability, "probability")
        if found:
            raise ConfigurationError(found)
        return self


class Oddball(TimedStream):
    """A standard and deviants, each drawn independently of what came before; controls with equally rare stimuli.

    Two controls hold as many stimuli as make each as rare as the rarest of the first block: ``many_standards`` draws
    them independently, ``cascade`` has them one after the other in their order, and again from the first. Each is a
    variant, for a network of its own that has the same input channels.

    With `events_files` the stream is that of BIDS event files: the rows whose name in `column` is one of `standard`,
    `deviant` or `other`, patterns with ``*`` and ``?`` included, each of which is one stimulus, named by its pattern
    without these. Other rows are ignored. A stimulus after a break (more than 1.5 times the median time between two)
    is heard and not learned from, a warm-up trial. The truth is then how often each came after each. Files of several
    participants are a variant each.
    """

    source: ClassVar[str] = f"Squires et al. 1976, doi 10.1126/science.959831; controls: {PARRAS}"
    options: ClassVar[dict[str, str]] = {
        "--events": "events_files",
        "--column": "column",
        "--standard": "standard",
        "--deviant": "deviant",
        "--other": "other",
        "--response-time-column": "response_time_column",
        "--longest-response": "longest_response",
        "--omission-every": "omission_every",
        "--lead": "lead",
    }

    type: Literal["oddball"] = "oddball"
    blocks: tuple[OddballBlock, ...] = parameter((OddballBlock(),), "the blocks, in order; at least one")
    stimuli: tuple[str, ...] = parameter(
        tuple("ABCDE"), "all stimuli, in the order of the cascade; each has an input channel"
    )
    controls: tuple[Literal["many_standards", "cascade"], ...] = parameter(
        ("many_standards", "cascade"), "control sequences, a variant each", source=PARRAS
    )
    events_files: tuple[PathText, ...] = parameter(
        (), "BIDS event files (tsv, tsv.gz), a file a run, in order; none: the stream is drawn", source="by choice"
    )
    column: str = parameter("value", "column of the files that names the stimuli", source="BIDS", min_length=1)
    standard: tuple[str, ...] = parameter((), "names of standards in the files, or patterns", source="by choice")
    deviant: tuple[str, ...] = parameter((), "names of deviants in the files, or patterns", source="by choice")
    other: tuple[str, ...] = parameter((), "names of other stimuli in the files, or patterns", source="by choice")
    response_time_column: str | None = parameter(
        "response_time", "column that holds a stimulus' response time; none: not read", source="BIDS", min_length=1
    )
    longest_response: Milliseconds = parameter(
        "5000 ms", "longest response time that is taken for one", source="by choice", gt=0
    )

    @field_validator("stimuli", "standard", "deviant", "other", mode="after")
    @classmethod
    def _as_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(as_name(name) for name in names)

    @model_validator(mode="after")
    def _agrees(self) -> Oddball:
        found = self._file_complaints() if self.events_files else self._drawn_complaints()
        if found:
            raise ConfigurationError(found)
        return self

    def _drawn_complaints(self) -> list[Complaint]:
        found = [] if self.blocks else [Complaint("blocks", "needs at least one block, got none")]
        found += [Complaint("stimuli", problem) for problem in name_problems(self.stimuli, "a stimulus")]
        found += [
            Complaint("stimuli", f"{name!r} is there twice")
            for name in dict.fromkeys(self.stimuli)
            if self.stimuli.count(name) > 1
        ]
        for index, block in enumerate(self.blocks):
            found += [
                Complaint(
                    f"blocks[{index}].probability",
                    f"{name!r} is no stimulus{closest(name, self.stimuli)}",
                    self.stimuli,
                )
                for name in block.probability
                if name not in self.stimuli
            ]
        for name in ("standard", "deviant", "other"):
            if getattr(self, name):
                found.append(Complaint(name, "names rows of event files (events_files), and there are none"))
        if self.controls and self.blocks and not found:
            rarest, needed = self._rarest(), round(1 / self._rarest())
            found += [
                Complaint("stimuli", f"{name!r} must be among the first {needed}, of which the controls consist")
                for name in self.blocks[0].probability
                if name not in self.stimuli[:needed]
            ]
            if needed < 2 or needed > len(self.stimuli) or abs(rarest * needed - 1) > 1e-9:
                problem = (
                    f"as rare as the rarest of the first block, {rarest:g}, are {1 / rarest:.4g} equally frequent "
                    f"stimuli; there are {len(self.stimuli)}"
                )
                found.append(Complaint("stimuli" if needed > len(self.stimuli) else "controls", problem))
        return found

    def _file_complaints(self) -> list[Complaint]:
        usual = type(self)()
        found = [
            Complaint(name, "cannot be given beside event files, which hold the stream (events_files)")
            for name in ("blocks", "stimuli", "controls", "asynchrony", "jitter")
            if getattr(self, name) != getattr(usual, name)
        ]
        if not self.standard:
            found.append(Complaint("standard", "needs the name of at least one standard"))
        patterns, names = self._patterns(), [stripped(each) for each in self._patterns()]
        for pattern, name in zip(patterns, names, strict=True):
            if not name or pattern == MISSING:
                found.append(Complaint("standard", f"{pattern!r} names nothing"))
        for name in dict.fromkeys(names):
            if names.count(name) > 1:
                found.append(Complaint("deviant", f"{name!r} is named twice among standard, deviant and other"))
        return found + file_complaints(self.events_files)

    def draws_onsets(self) -> bool:
        """Return whether there are no event files."""
        return not self.events_files

    def _rarest(self) -> float:
        return min((chance for chance in self.blocks[0].probability.values() if chance > 0), default=1.0)

    def _patterns(self) -> tuple[str, ...]:
        return (*self.standard, *self.deviant, *self.other)

    def variants(self) -> tuple[str, ...]:
        """Return the oddball and its controls, or one variant a participant where there are event files of several."""
        if self.events_files:
            found = tuple(dict.fromkeys(participant(path) for path in self.events_files))
            return found if len(found) > 1 else ("",)
        return ("oddball", *dict.fromkeys(self.controls)) if self.controls else ("",)

    def experiment(self, rng: np.random.Generator, variant: str = "") -> Experiment:
        """Draw the stream, or read it; see `Paradigm.experiment`."""
        self.check_variant(variant)
        self.check_generator(rng)
        return self._of_files(variant) if self.events_files else self._drawn(rng, variant)

    def _drawn(self, rng: np.random.Generator, variant: str) -> Experiment:
        names = self.stimuli
        if variant in ("", "oddball"):
            chances = [block.probability for block in self.blocks]
        else:
            names_here = names[: round(1 / self._rarest())]
            chances = [dict.fromkeys(names_here, 1 / len(names_here)) for _ in self.blocks]
        events = tuple(name for name in names if any(each.get(name, 0) > 0 for each in chances))
        if variant == "cascade":
            chances = [{}] * len(self.blocks)
        self.check_room(sum(block.trials for block in self.blocks) + self.warm_up + 1)
        stimuli: list[Stimulus] = []
        for index, (block, chance) in enumerate(zip(self.blocks, chances, strict=True)):
            for _ in range(block.trials + (self.warm_up + 1 if index == 0 else 0)):
                if chance:
                    name = list(chance)[int(rng.choice(len(chance), p=list(chance.values())))]
                else:
                    name = events[len(stimuli) % len(events)]
                stimuli.append(Stimulus(name, self.wait(rng), index))
        after = dict(zip(events, (*events[1:], events[0]), strict=True))

        def outcomes(block: int, before: str) -> list[tuple[str, float]]:
            given = chances[block] or {after[before]: 1.0}
            return [(name, chance) for name, chance in given.items() if chance > 0]

        return self.lay_out(
            stimuli,
            lambda: self.wait(rng),
            outcomes,
            shortest=self.shortest(),
            names=names,
            events=events,
            variant=variant,
        )

    def _of_files(self, variant: str) -> Experiment:
        runs = [self._read(path) for path in self.events_files if not variant or participant(path) == variant]
        patterns = self._patterns()
        there = occurring(runs, "event")
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in there):
                place = ", ".join(run.path for run in runs)
                raise ParadigmError(
                    f"the stimulus {pattern!r} does not occur{closest(pattern, there)}", place, some(there)
                )
        notes, stimuli, waits = Notes(), [], []
        heard = [self._stimuli(run) for run in runs]
        gaps = [
            (later[1] - one[1], run.place(later[2]))
            for run, rows in zip(runs, heard, strict=True)
            for one, later in pairwise(rows)
        ]
        every = [wait for wait, _ in gaps]
        if not every:
            raise ParadigmError("has fewer than two stimuli", ", ".join(run.path for run in runs))
        usual = int(np.median(every))
        shortest, where = min(gaps, key=lambda each: each[0])
        most = max(1, shortest - round(self.after) - 1)
        for number, (run, rows) in enumerate(zip(runs, heard, strict=True)):
            for k, (name, onset, row) in enumerate(rows):
                wait = onset - rows[k - 1][1] if k else usual
                after_break = wait > GAP * usual if k else number > 0
                if k and wait < usual / 2 and self.lead is None:
                    raise ParadigmError(
                        f"{name!r} comes {wait} ms after the stimulus before, half the median of {usual} ms or less; "
                        "so short a time must be asked for: lead, the time before a stimulus in which it is predicted, "
                        f'at most {most} ms here, as lead = "{most} ms" or --lead "{most} ms"',
                        run.place(row),
                    )
                if after_break and k:
                    notes.add(
                        "comes {wait:g} s after the stimulus before, a break; heard and not learned from",
                        run.place(row), wait=wait / 1e3,
                    )  # fmt: skip
                wait = round(GAP * usual) if after_break and not k else wait
                waits.append(wait)
                seconds = response_time(run, row, notes, self.longest_response)
                stimuli.append(Stimulus(name, wait, 0, not after_break, seconds))
        names = tuple(stripped(pattern) for pattern in patterns)
        table = pd.DataFrame(
            [(one.name, two.name) for one, two in pairwise(stimuli) if two.learn],
            columns=["before", "event"],
        )
        counted = pd.crosstab(table["before"], table["event"], normalize="index")

        def outcomes(block: int, before: str) -> list[tuple[str, float]]:
            row = (counted.loc[before] if before in counted.index else counted.mean()).to_dict()
            return [(name, float(row[name])) for name in names if row.get(name, 0) > 0]

        self.check_shortest(shortest, where)
        return self.lay_out(
            stimuli,
            lambda: usual,
            outcomes,
            shortest=shortest,
            names=names,
            events=names,
            variant=variant,
            notes=notes.lines(),
        )

    def _read(self, path: str) -> EventFile:
        column = self.response_time_column
        found = read_events(path, self.column, response_time_column=column or "")
        if column not in (None, "response_time") and found.times is None:
            found.table.needed([column])
        return found

    def _stimuli(self, run: EventFile) -> list[tuple[str, int, EventRow]]:
        """Return name, onset (whole ms) and row of each stimulus of a file, in order of time."""
        found = []
        for row in run.rows:
            roles = [pattern for pattern in self._patterns() if fnmatchcase(row.event, pattern)]
            # a name itself is nearer than a pattern
            roles = [each for each in roles if each == row.event] or roles
            if len(roles) > 1:
                raise ParadigmError(f"{row.event!r} fits {' and '.join(map(repr, roles))}", run.place(row))
            if roles and row.onset is None:
                raise ParadigmError(f"onset {MISSING!r} is not a number of seconds", run.place(row))
            if roles and row.onset is not None:
                found.append((stripped(roles[0]), row.onset, row))
        found.sort(key=lambda each: each[1])
        for one, other in pairwise(found):
            if one[1] == other[1]:
                raise ParadigmError(f"has the onset of another stimulus, on line {one[2].line}", run.place(other[2]))
        return found


def stripped(pattern: str) -> str:
    """Return the name of a stimulus: its pattern without ``*`` and ``?``, and what joins them to a word."""
    return pattern.replace("*", "").replace("?", "").strip(" _-")
