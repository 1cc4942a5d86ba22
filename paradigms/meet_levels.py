"""Amplitude against probability: one block of the Multi-Event Expectation Task at each of several probabilities."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from izhires.declare import PAPER, Milliseconds, parameter
from izhires.errors import Complaint, ConfigurationError
from izhires.paradigms.base import MOST, FixedTrials
from izhires.paradigms.experiment import Experiment
from izhires.paradigms.meet import Block, Meet


class MeetLevels(FixedTrials):
    """One block of two events at each of 11 probabilities, each level for a network of its own."""

    source: ClassVar[str] = PAPER

    type: Literal["meet_levels"] = "meet_levels"
    levels: tuple[Annotated[float, Field(ge=0, le=1)], ...] = parameter(
        tuple(k / 10 for k in range(11)), "probabilities of the first event, each a variant", source=PAPER
    )
    trials: int = parameter(100, "number of training trials of a level", source=PAPER, ge=1, le=MOST)
    latency: dict[str, Milliseconds] = parameter(
        {"A": "300 ms", "B": "600 ms"}, "time from the cue to each of two events"
    )
    probes: tuple[Annotated[int, Field(ge=1)], ...] = parameter(
        (), "trials after which a cue-only probe follows, besides those before the first trial and after the last"
    )
    order: Literal["independent", "exact"] = parameter(
        "independent", "each trial drawn on its own, or the rounded count of each event in random order"
    )

    @model_validator(mode="after")
    def _levels_fit(self) -> MeetLevels:
        found = self.latency_complaints((f"latency.{name}", value) for name, value in self.latency.items())
        if len(self.latency) != 2:
            found.append(Complaint("latency", f"needs two events, got {', '.join(self.latency) or 'none'}"))
        if not self.levels:
            found.append(Complaint("levels", "needs at least one level, got none"))
        names = self.variants()
        found += [
            Complaint(f"levels[{k}]", f"{self.levels[k]:g} is the same variant, {name!r}, as one before it")
            for k, name in enumerate(names)
            if name in names[:k]
        ]
        found += [
            Complaint(f"probes[{k}]", f"{count} is beyond the {self.trials} trials of a level")
            for k, count in enumerate(self.probes)
            if count > self.trials
        ]
        if found:
            raise ConfigurationError(found)
        return self

    def variants(self) -> tuple[str, ...]:
        """Return one variant a level: ``"p=0.00"``, ``"p=0.10"``, ..."""
        return tuple(f"p={level:.2f}" for level in self.levels)

    def experiment(self, rng: np.random.Generator, variant: str = "") -> Experiment:
        """Draw the block of one level; see `Paradigm.experiment`. There is no level without a name."""
        self.check_variant(variant)
        level = self.levels[self.variants().index(variant)]
        first, second = self.latency
        data = self.to_dict()
        block = Block(
            name=variant,
            trials=self.trials,
            latency=data["latency"],
            probability={first: level, second: 1 - level},
        )
        meet = Meet(
            blocks=(block,),
            probes=(*self.probes, self.trials),
            order=self.order,
            **{name: data[name] for name in FixedTrials.model_fields},
        )
        return replace(meet.experiment(rng), paradigm=self.type, variant=variant)
