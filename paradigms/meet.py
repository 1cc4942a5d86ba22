"""The Multi-Event Expectation Task: a cue, then one of several events at its own latency, in blocks that switch.

There may be several cues with statistics of their own, events at several latencies, cues that nothing follows, and
several events in one trial.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field, field_validator, model_validator

from izhires.declare import PAPER, Declaration, Milliseconds, parameter
from izhires.errors import Complaint, ConfigurationError, shown
from izhires.paradigms.base import MOST, FixedTrials
from izhires.paradigms.checks import name_problems
from izhires.paradigms.experiment import CUE, Experiment, check_size

STANDARD_PROBES = (*range(1, 31), *range(35, 101, 5))
"""Trials of a block after which a probe follows: close together while learning is fast, then every fifth."""

_SUM_TOLERANCE = 1e-9


class Outcome(Declaration):
    """One of the things that may follow a cue."""

    event: str = parameter(..., "name of the event", source="by choice")
    latency: Milliseconds = parameter(..., "time from the cue to the event", source="by choice")
    probability: float = parameter(..., "its probability", source="by choice", ge=0, le=1)


class Statistics(Declaration):
    """What follows a cue: events at one latency each, or a list of outcomes, in which an event may have several."""

    latency: dict[str, Milliseconds] = parameter({}, "time from the cue to each event")
    probability: dict[str, Annotated[float, Field(ge=0, le=1)]] = parameter({}, "probability of each event")
    outcomes: tuple[Outcome, ...] = parameter(
        (), "in place of latency and probability: what may follow, also one event at several latencies"
    )
    omission: float = parameter(0.0, "probability that no event follows the cue", ge=0, le=1)
    independent: bool = parameter(
        False,
        "each event comes or stays away by itself, so that several may follow one cue: no sum of 1",
        source="by choice",
    )

    @model_validator(mode="after")
    def _one_of_the_events(self) -> Statistics:
        latencies, chances = set(self.latency), set(self.probability)
        found = [Complaint(f"latency.{name}", "is required") for name in self.probability if name not in latencies]
        found += [Complaint(f"probability.{name}", "is required") for name in self.latency if name not in chances]
        stated = bool(latencies or chances)
        if stated and self.outcomes:
            found.append(Complaint("outcomes", "stand in place of latency and probability; give either"))
        if not stated and not self.outcomes and self._needs_events():
            found.append(Complaint("latency", "has no events"))
        place = "outcomes" if self.outcomes else "latency"
        names = [*self.latency, *self.probability, *(each.event for each in self.outcomes)]
        found += [Complaint(place, problem) for problem in name_problems(dict.fromkeys(names))]
        if not found and self.independent:
            found = self._independent_complaints(place)
        total = sum(chance for *_, chance in self.following()) + self.omission if not found else 1.0
        if not found and self._needs_events() and not self.independent and abs(total - 1) > _SUM_TOLERANCE:
            rest = "" if total > 1 else f"; omission = {1 - total + self.omission:.10g} says that no event may follow"
            place = "outcomes" if self.outcomes else "probability"
            with_omission = " with omission" if self.omission else ""
            found.append(Complaint(place, f"must sum to 1{with_omission}, the sum is {total:.10g}{rest}"))
        if found:
            raise ConfigurationError(found)
        return self

    def _needs_events(self) -> bool:
        return True

    def _independent_complaints(self, place: str) -> list[Complaint]:
        found = []
        if self.omission:
            found.append(Complaint("omission", "each event may stay away by itself; leave it out"))
        each: dict[str, list[tuple[float, float]]] = {}
        for event, latency, chance in self.following():
            each.setdefault(event, []).append((latency, chance))
        for event, own in each.items():
            if (total := sum(chance for _, chance in own)) > 1 + _SUM_TOLERANCE:
                problem = f"the probabilities of {event!r} sum to {total:.10g}, above 1"
                found.append(Complaint("outcomes" if self.outcomes else f"probability.{event}", problem))
            others = {latency for other, rows in each.items() if other != event for latency, _ in rows}
            if both := sorted(others & {latency for latency, _ in own}):
                problem = f"{event!r} and another event would both come at {both[0]:g} ms; give one another latency"
                found.append(Complaint(place, problem))
                break
        return found

    def following(self) -> list[tuple[str, float, float]]:
        """Return the event, latency (ms) and probability of each outcome but omission."""
        if self.outcomes:
            return [(each.event, each.latency, each.probability) for each in self.outcomes]
        return [(name, latency, self.probability[name]) for name, latency in self.latency.items()]


class Cue(Statistics):
    """One of several cues, with statistics of its own."""

    share: float = parameter(1.0, "how often it comes, relative to the other cues of the block", gt=0)


class Possible(NamedTuple):
    """What a trial may be: cue, event (empty: none), latency (ms; NaN without an event), probability."""

    cue: str
    event: str
    latency: float
    probability: float


class Drawn(NamedTuple):
    """What a trial is: its cue, and event and latency (ms) of all that follows, in order of time."""

    cue: str
    coming: tuple[tuple[str, float], ...]

    @property
    def first(self) -> tuple[str, float]:
        """Event and latency (ms) of what comes first, empty and NaN where nothing follows."""
        return self.coming[0] if self.coming else ("", np.nan)


class Block(Statistics):
    """Trials of equal statistics, with one cue, or with several that have statistics of their own."""

    name: str = parameter("", "what the block is called")
    trials: int = parameter(100, "number of training trials", source=PAPER, ge=1, le=MOST)
    cues: dict[str, Cue] = parameter({}, "cues by name, each with statistics of its own; none: one cue")

    @model_validator(mode="after")
    def _either(self) -> Block:
        if self.cues and (self.latency or self.probability or self.outcomes or self.omission or self.independent):
            raise ConfigurationError("each has statistics of its own; leave those of the block out", "cues")
        found = [Complaint("cues", problem) for problem in name_problems(self.cues, "a cue")]
        if found:
            raise ConfigurationError(found)
        return self

    def _needs_events(self) -> bool:
        return not self.cues

    def statistics(self) -> dict[str, Statistics]:
        """Return the statistics of each cue, by its name."""
        return {**self.cues} if self.cues else {CUE: self}

    def possible(self) -> list[Possible]:
        """Return all that a trial of this block may be, with its probability, where one event follows a cue at most;
        these sum to 1.
        """
        shares = self.shares()
        found = []
        for name, each in self.statistics().items():
            share = shares[name]
            found += [Possible(name, event, latency, share * chance) for event, latency, chance in each.following()]
            if each.omission:
                found.append(Possible(name, "", np.nan, share * each.omission))
        return found

    def shares(self) -> dict[str, float]:
        """Return the share of the trials that each cue has."""
        total = sum(each.share for each in self.cues.values())
        return {name: each.share / total for name, each in self.cues.items()} or {CUE: 1.0}

    def several(self) -> bool:
        """Whether several events may come in one trial."""
        return any(each.independent for each in self.statistics().values())

    def latencies(self, place: str) -> Iterator[tuple[str, float]]:
        """Yield the place of each latency, as a complaint names it, and the latency (ms)."""
        for name, each in self.statistics().items():
            own = f"{place}.cues.{name}" if self.cues else place
            if each.outcomes:
                yield from ((f"{own}.outcomes[{k}].latency", one.latency) for k, one in enumerate(each.outcomes))
            else:
                yield from ((f"{own}.latency.{event}", latency) for event, latency in each.latency.items())


DEFAULT_BLOCKS = (
    Block(name="first", latency={"A": "300 ms", "B": "600 ms"}, probability={"A": 0.7, "B": 0.3}),
    Block(name="timing", latency={"A": "500 ms", "B": "800 ms"}, probability={"A": 0.7, "B": 0.3}),
    Block(name="probability", latency={"A": "500 ms", "B": "800 ms"}, probability={"A": 0.2, "B": 0.8}),
    Block(name="both", latency={"A": "300 ms", "B": "600 ms"}, probability={"A": 0.8, "B": 0.2}),
)
"""Timing, then probability, then both switch. The paper gives the kinds of switch; these numbers are chosen here."""


class Meet(FixedTrials):
    """A cue announces one of several events; blocks keep latencies and probabilities, then these switch.

    Where there are several cues, each probe is one of every cue of its block, in their order.
    """

    source: ClassVar[str] = PAPER

    type: Literal["meet"] = "meet"
    blocks: tuple[Block, ...] = parameter(DEFAULT_BLOCKS, "the blocks, in order; at least one")
    probes: Literal["standard"] | tuple[int, ...] = parameter(
        "standard",
        "trials of a block after which a cue-only probe follows, learning off; "
        "standard: 1 to 30, then every fifth to 100, as far as the block goes",
    )
    probe_before_learning: bool = parameter(True, "whether a probe comes before the very first trial")
    order: Literal["independent", "exact"] = parameter(
        "independent", "each trial drawn on its own, or the rounded count of each event in random order"
    )

    @field_validator("probes", mode="before")
    @classmethod
    def _are_counts(cls, value: Any) -> Any:
        if value == "standard":
            return value
        counts = list(value) if isinstance(value, (list, tuple, range)) else [value]
        if not all(isinstance(count, (int, np.integer)) and count is not True and count > 0 for count in counts):
            raise ConfigurationError(f"must be 'standard' or a list of trial counts from 1, got {shown(value)}")
        return tuple(sorted({int(count) for count in counts}))

    @model_validator(mode="after")
    def _blocks_fit(self) -> Meet:
        # not by min_length, which also complains of too few blocks whenever one of them is wrong
        found = [] if self.blocks else [Complaint("blocks", "needs at least one block, got none")]
        for index, block in enumerate(self.blocks):
            found += self.latency_complaints(block.latencies(f"blocks[{index}]"))
            if self.probes != "standard" and self.probes and self.probes[-1] > block.trials:
                found.append(
                    Complaint("probes", f"{self.probes[-1]} is beyond the {block.trials} trials of blocks[{index}]")
                )
        if found:
            raise ConfigurationError(found)
        return self

    def events(self) -> tuple[str, ...]:
        """Return the names of the events, in order of first appearance."""
        statistics = [each for block in self.blocks for each in block.statistics().values()]
        return tuple(dict.fromkeys(event for each in statistics for event, *_ in each.following()))

    def cues(self) -> tuple[str, ...]:
        """Return the names of the cues, in order of first appearance."""
        return tuple(dict.fromkeys(name for block in self.blocks for name in block.statistics()))

    def experiment(self, rng: np.random.Generator, variant: str = "") -> Experiment:
        """Draw the events of every block and insert the probes; see `Paradigm.experiment`."""
        self.check_variant(variant)
        self.check_generator(rng)
        probes = STANDARD_PROBES if self.probes == "standard" else self.probes
        cues, of_block = self.cues(), [tuple(block.statistics()) for block in self.blocks]
        many = (
            self.warm_up
            + self.probe_before_learning * len(of_block[0])
            + sum(
                block.trials + sum(count <= block.trials for count in probes) * len(heard)
                for block, heard in zip(self.blocks, of_block, strict=True)
            )
        )
        check_size(many, many * self.trial_duration / 1e3)
        # each cue in turn
        rows = [(0, "warm-up", Drawn(of_block[0][k % len(of_block[0])], ())) for k in range(self.warm_up)]
        if self.probe_before_learning:
            rows += [(0, "probe", Drawn(cue, ())) for cue in of_block[0]]
        for index, block in enumerate(self.blocks):
            counts = set(probes)
            for done, each in enumerate(draw(block, self.order, rng), start=1):
                rows.append((index, "train", each))
                if done in counts:
                    rows += [(index, "probe", Drawn(cue, ())) for cue in of_block[index]]
        trials = pd.DataFrame(
            [(index, kind, each.cue, each.first[0], each.first[1] / 1e3) for index, kind, each in rows],
            columns=["block", "kind", "cue_name", "event", "latency"],
        )
        further = {}
        if any(block.several() for block in self.blocks):
            coming = [dict(each.coming) for *_, each in rows]
            latencies = pd.DataFrame(coming, columns=list(self.events()), dtype=float)
            further["latencies"] = latencies / 1e3
        outcomes = pd.DataFrame(
            [
                (index, event, latency / 1e3, chance, cue)
                for index, block in enumerate(self.blocks)
                for cue, each in block.statistics().items()
                for event, latency, chance in each.following()
            ],
            columns=["block", "event", "latency", "probability", "cue_name"],
        )
        return self.lay_out(trials, outcomes, events=self.events(), cues=cues, variant=variant, **further)


def draw(block: Block, order: str, rng: np.random.Generator) -> list[Drawn]:
    """Draw what each trial of a block is.

    Parameters
    ----------
    block : Block
        The statistics.
    order : {"independent", "exact"}
        Each trial drawn on its own, or the rounded count of each possible trial in random order; where events are
        independent, that of each cue, and then of each event. Counts are rounded by the largest remainder, so that they
        sum to the number of trials.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    list of Drawn
    """
    if not block.several():
        possible = block.possible()
        picked = _picked([each.probability for each in possible], block.trials, order, rng)
        all_of = [Drawn(each.cue, ((each.event, each.latency),) if each.event else ()) for each in possible]
        return [all_of[k] for k in picked]
    shares = block.shares()
    coming: list[list[tuple[str, float]]] = [[] for _ in range(block.trials)]
    cue_of = np.array(list(shares), object)[_picked(list(shares.values()), block.trials, order, rng)]
    for name, each in block.statistics().items():
        rows, following = np.flatnonzero(cue_of == name), each.following()
        events = dict.fromkeys(event for event, *_ in following)
        # one event at most, or each event by itself
        for event in events if each.independent else [None]:
            own = [one for one in following if event in (None, one[0])]
            chances = [chance for *_, chance in own]
            picked = _picked([*chances, max(0.0, 1 - sum(chances))], len(rows), order, rng)
            for row, k in zip(rows, picked, strict=True):
                if k < len(own):
                    coming[row].append(own[k][:2])
    in_time = (tuple(sorted(each, key=lambda one: one[1])) for each in coming)
    return [Drawn(str(cue), each) for cue, each in zip(cue_of, in_time, strict=True)]


def _picked(chances: list[float], many: int, order: str, rng: np.random.Generator) -> np.ndarray:
    """Draw which of several things each of many trials is."""
    share = np.array(chances) / np.sum(chances)
    if order == "independent":
        return rng.choice(len(share), size=many, p=share)
    wanted = np.round(share * many, 9)  # a count such as 0.7 * 10 is a whole number
    counts = np.floor(wanted).astype(int)
    by_remainder = np.argsort(counts - wanted, kind="stable")
    counts[by_remainder[: many - counts.sum()]] += 1
    return rng.permutation(np.repeat(np.arange(len(share)), counts))
