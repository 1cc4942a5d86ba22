"""The Multi-Event Expectation Task: a cue, then one of several events at its own latency, in blocks that switch."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field, field_validator, model_validator

from izhires.declare import Declaration, Milliseconds, parameter
from izhires.errors import Complaint, ConfigurationError, shown
from izhires.paradigms.base import MOST, FixedTrials
from izhires.paradigms.experiment import Experiment, check_size, name_problems

PAPER = "Yamada & Chao 2026, doi:10.1038/s42003-026-10836-2"
STANDARD_PROBES = (*range(1, 31), *range(35, 101, 5))
"""Trials of a block after which a probe follows: close together while learning is fast, then every fifth."""

_SUM_TOLERANCE = 1e-9


class Block(Declaration):
    """Trials of equal statistics."""

    name: str = parameter("", "what the block is called")
    trials: int = parameter(100, "number of training trials", source=PAPER, ge=1, le=MOST)
    latency: dict[str, Milliseconds] = parameter(..., "time from the cue to each event")
    probability: dict[str, Annotated[float, Field(ge=0, le=1)]] = parameter(..., "probability of each event")

    @model_validator(mode="after")
    def _one_of_the_events(self) -> Block:
        latencies, chances = set(self.latency), set(self.probability)
        found = [Complaint(f"latency.{name}", "is required") for name in self.probability if name not in latencies]
        found += [Complaint(f"probability.{name}", "is required") for name in self.latency if name not in chances]
        if not self.latency and not self.probability:
            found.append(Complaint("latency", "has no events"))
        found += [Complaint("latency", problem) for problem in name_problems({**self.latency, **self.probability})]
        total = sum(self.probability.values())
        if not found and abs(total - 1) > _SUM_TOLERANCE:
            found.append(Complaint("probability", f"must sum to 1, the sum is {total:.10g}"))
        if found:
            raise ConfigurationError(found)
        return self


DEFAULT_BLOCKS = (
    Block(name="first", latency={"A": "300 ms", "B": "600 ms"}, probability={"A": 0.7, "B": 0.3}),
    Block(name="timing", latency={"A": "500 ms", "B": "800 ms"}, probability={"A": 0.7, "B": 0.3}),
    Block(name="probability", latency={"A": "500 ms", "B": "800 ms"}, probability={"A": 0.2, "B": 0.8}),
    Block(name="both", latency={"A": "300 ms", "B": "600 ms"}, probability={"A": 0.8, "B": 0.2}),
)
"""Timing, then probability, then both switch. The paper gives the kinds of switch; these numbers are chosen here."""


class Meet(FixedTrials):
    """A cue announces one of several events; blocks keep latencies and probabilities, then these switch."""

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
            found += self.latency_complaints(block.latency, f"blocks[{index}].latency")
            if self.probes != "standard" and self.probes and self.probes[-1] > block.trials:
                found.append(
                    Complaint("probes", f"{self.probes[-1]} is beyond the {block.trials} trials of blocks[{index}]")
                )
        if found:
            raise ConfigurationError(found)
        return self

    def events(self) -> tuple[str, ...]:
        """Return the names of the events, in order of first appearance."""
        return tuple(dict.fromkeys(name for block in self.blocks for name in block.latency))

    def experiment(self, rng: np.random.Generator, variant: str = "") -> Experiment:
        """Draw the events of every block and insert the probes; see `Paradigm.experiment`."""
        self.check_variant(variant)
        self.check_generator(rng)
        probes = STANDARD_PROBES if self.probes == "standard" else self.probes
        many = (
            self.warm_up
            + self.probe_before_learning
            + sum(block.trials + sum(count <= block.trials for count in probes) for block in self.blocks)
        )
        check_size(many, many * self.trial_duration / 1e3)
        cue_only = ("", np.nan)
        rows: list[tuple[int, str, float, str]] = [(0, *cue_only, "warm-up")] * self.warm_up
        if self.probe_before_learning:
            rows.append((0, *cue_only, "probe"))
        for index, block in enumerate(self.blocks):
            counts = set(probes)
            for done, event in enumerate(draw(block, self.order, rng), start=1):
                rows.append((index, event, block.latency[event] / 1e3, "train"))
                if done in counts:
                    rows.append((index, *cue_only, "probe"))
        trials = pd.DataFrame(rows, columns=["block", "event", "latency", "kind"])
        trials["onset"] = np.arange(len(trials)) * self.trial_duration / 1e3
        trials["duration"] = self.trial_duration / 1e3
        trials["cue"] = trials["onset"] + self.cue_onset / 1e3
        trials["learn"] = trials["kind"] == "train"
        outcomes = pd.DataFrame(
            [
                (index, name, latency / 1e3, block.probability[name])
                for index, block in enumerate(self.blocks)
                for name, latency in block.latency.items()
            ],
            columns=["block", "event", "latency", "probability"],
        )
        return Experiment(
            paradigm=self.type,
            variant=variant,
            events=self.events(),
            trials=trials,
            outcomes=outcomes,
            window=self.window / 1e3,
            event_width=self.event_width / 1e3,
            cue_duration=self.cue_duration / 1e3,
        )


def draw(block: Block, order: str, rng: np.random.Generator) -> list[str]:
    """Draw the event of each trial of a block.

    Parameters
    ----------
    block : Block
        The statistics.
    order : {"independent", "exact"}
        Each trial drawn on its own, or the rounded count of each event in random order. Counts are rounded by the
        largest remainder, so that they sum to the number of trials.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    list of str
        The name of the event of each trial.
    """
    names = list(block.probability)
    chances = np.array(list(block.probability.values()))
    chances = chances / chances.sum()
    if order == "independent":
        picked = rng.choice(len(names), size=block.trials, p=chances)
    else:
        wanted = np.round(chances * block.trials, 9)  # a count such as 0.7 * 10 is a whole number
        counts = np.floor(wanted).astype(int)
        by_remainder = np.argsort(counts - wanted, kind="stable")
        counts[by_remainder[: block.trials - counts.sum()]] += 1
        picked = rng.permutation(np.repeat(np.arange(len(names)), counts))
    return [names[k] for k in picked]
