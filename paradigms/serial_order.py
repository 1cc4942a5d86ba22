"""Serial order: a stream in which each stimulus depends on the one before, by a transition matrix that switches."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from izhires.declare import Declaration, parameter
from izhires.errors import Complaint, ConfigurationError, closest
from izhires.paradigms.base import MOST
from izhires.paradigms.checks import name_problems
from izhires.paradigms.experiment import Experiment
from izhires.paradigms.stream import Stimulus, TimedStream, row_complaints

Transitions = dict[str, dict[str, Annotated[float, Field(ge=0, le=1)]]]


class Order(Declaration):
    """A block: stimuli drawn by one transition matrix."""

    name: str = parameter("", "what the block is called")
    trials: int = parameter(
        200, "number of stimuli; each but those after an omission is a training trial", ge=1, le=MOST
    )
    transitions: Transitions = parameter(
        ..., "for each stimulus, the probability of each that may come next", source="by choice"
    )

    @model_validator(mode="after")
    def _rows(self) -> Order:
        found = [Complaint("transitions", problem) for problem in name_problems(self.transitions, "a stimulus")]
        if not self.transitions:
            found.append(Complaint("transitions", "has no stimuli"))
        for before, row in self.transitions.items():
            found += row_complaints(row, f"transitions.{before}")
            found += [
                Complaint(f"transitions.{before}.{name}", f"has no row of its own{closest(name, self.transitions)}")
                for name in row
                if name not in self.transitions
            ]
        if found:
            raise ConfigurationError(found)
        return self


def _two(repeat_a: float, repeat_b: float) -> Transitions:
    return {"A": {"A": repeat_a, "B": round(1 - repeat_a, 9)}, "B": {"A": round(1 - repeat_b, 9), "B": repeat_b}}


DEFAULT_BLOCKS = (
    Order(name="alternating", transitions=_two(0.2, 0.2)),
    Order(name="repeating", transitions=_two(0.8, 0.8)),
    Order(name="biased", transitions=_two(0.8, 0.2)),
)
"""Two blocks in which both stimuli are equally frequent and only transitions tell, then one in which frequency is all
there is to know: A comes with 0.8 whatever came before."""


class SerialOrder(TimedStream):
    """Each stimulus depends on the one before; blocks keep the transition matrix, which then switches."""

    source: ClassVar[str] = "Meyniel, Maheu & Dehaene 2016, doi 10.1371/journal.pcbi.1005260"

    type: Literal["serial_order"] = "serial_order"
    blocks: tuple[Order, ...] = parameter(DEFAULT_BLOCKS, "the blocks, in order; at least one")

    @model_validator(mode="after")
    def _has_blocks(self) -> SerialOrder:
        found = [] if self.blocks else [Complaint("blocks", "needs at least one block, got none")]
        # the last stimulus of a block is the first context of the next
        for index, block in enumerate(self.blocks[1:], start=1):
            found += [
                Complaint(f"blocks[{index}].transitions", f"has no row for {name!r}, which the block before has")
                for name in self.blocks[index - 1].transitions
                if name not in block.transitions
            ]
        if found:
            raise ConfigurationError(found)
        return self

    def experiment(self, rng: np.random.Generator, variant: str = "") -> Experiment:
        """Draw the stream; see `Paradigm.experiment`."""
        self.check_variant(variant)
        self.check_generator(rng)
        self.check_room(sum(block.trials for block in self.blocks) + self.warm_up + 1)
        names = tuple(dict.fromkeys(name for block in self.blocks for name in block.transitions))
        first = list(self.blocks[0].transitions)
        last = first[int(rng.integers(len(first)))]
        stimuli = [Stimulus(last, self.wait(rng), 0)]
        for index, block in enumerate(self.blocks):
            for _ in range(block.trials + (self.warm_up if index == 0 else 0)):
                row = block.transitions[last]
                last = list(row)[int(rng.choice(len(row), p=list(row.values())))]
                stimuli.append(Stimulus(last, self.wait(rng), index))
        return self.lay_out(
            stimuli,
            lambda: self.wait(rng),
            lambda block, before: self.blocks[block].transitions[before].items(),
            shortest=self.shortest(),
            names=names,
            events=names,
            variant=variant,
        )
