"""A built-in sequence: groups of excitatory cells, each of which excites the next."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import model_validator

from izhires.circuits.base import Reservoir, Synapses, fixed_out_degree
from izhires.declare import Drive, Milliseconds, parameter
from izhires.errors import ConfigurationError
from izhires.seeds import Seeds


class Sequence(Reservoir):
    """Groups of excitatory cells that excite the next group, with axonal delays; the cue starts the first group.

    A synfire chain; its cells fire in turn as time cells do. It shows that recurrence can carry time; it does not show
    that a generic reservoir does. A random target may also be one of the next group, and then has two synapses.
    """

    source: ClassVar[str] = (
        "synfire chains: Abeles (1991), Corticonics, doi 10.1017/CBO9780511574566; "
        "time cells: MacDonald et al. (2011), doi 10.1016/j.neuron.2011.07.012"
    )

    type: Literal["sequence"] = "sequence"
    groups: int = parameter(80, "number of groups in the sequence", ge=2)
    weight_next: Drive = parameter("1.15 mV/ms", "mean weight onto every cell of the next group", ge=0)
    random_degree: int = parameter(60, "excitatory targets drawn at random, a cell", ge=0)
    weight_random: Drive = parameter("0.04 mV/ms", "mean weight onto random excitatory targets", ge=0)
    inhibitory_degree: int = parameter(20, "inhibitory targets of an excitatory cell", ge=0)
    weight_to_inhibitory: Drive = parameter("0.18 mV/ms", "mean weight onto inhibitory targets", ge=0)
    inhibition_degree: int = parameter(100, "targets of an inhibitory cell", ge=0)
    weight_inhibition: Drive = parameter("0.5 mV/ms", "mean inhibition of an excitatory cell (magnitude)", ge=0)
    weight_disinhibition: Drive = parameter("0.18 mV/ms", "mean inhibition of an inhibitory cell (magnitude)", ge=0)
    delay: tuple[Milliseconds, Milliseconds] = parameter(("8 ms", "12 ms"), "range of the axonal delay, excitatory")
    delay_inhibitory: Milliseconds = parameter("0.5 ms", "axonal delay of inhibitory cells", gt=0)
    cue_strength: Drive = parameter("20 mV/ms", "drive of the first group while the cue is on", ge=0)

    @model_validator(mode="after")
    def _sizes(self) -> Sequence:
        excitatory = int(self.excitatory().sum())
        inhibitory = self.n - excitatory
        if self.groups > excitatory:
            raise ConfigurationError(f"{self.groups} groups cannot be made of {excitatory} excitatory cells", "groups")
        for name, most in (
            ("random_degree", excitatory - 1),
            ("inhibitory_degree", inhibitory),
            ("inhibition_degree", self.n - 1),
        ):
            if getattr(self, name) > most:
                raise ConfigurationError(f"{getattr(self, name)} targets asked for, only {most} cells there", name)
        if not 0 < self.delay[0] <= self.delay[1]:
            raise ConfigurationError("the range must be positive and ascend", "delay")
        return self

    def resized(self, n: int) -> dict[str, Any]:  # noqa: D102
        # as many groups, of another size; a share of each type stays what it is
        excitatory, inhibitory = int(self.excitatory().sum()), self.n - int(self.excitatory().sum())
        return {
            "weight_next": f"{self.weight_next * self.n / n} mV/ms",
            "random_degree": min(self.random_degree, excitatory * n // self.n - 1),
            "inhibitory_degree": min(self.inhibitory_degree, inhibitory * n // self.n),
            "inhibition_degree": min(self.inhibition_degree, n - 1),
        }

    def members(self, seeds: Seeds) -> list[np.ndarray]:
        """Return the cells of each group: a random partition of the excitatory cells into groups of near-equal size."""
        order = seeds.generator("topology").permutation(np.flatnonzero(self.excitatory()))
        return [np.sort(part) for part in np.array_split(order, self.groups)]

    def draw_synapses(self, rng: np.random.Generator) -> tuple[Synapses, Synapses]:  # noqa: D102
        is_excitatory = self.excitatory()
        excitatory, inhibitory = np.flatnonzero(is_excitatory), np.flatnonzero(~is_excitatory)
        # the first draw of the topology stream is the partition, see `members`
        parts = [np.sort(part) for part in np.array_split(rng.permutation(excitatory), self.groups)]
        next_source = np.concatenate([np.repeat(here, len(there)) for here, there in pairwise(parts)])
        next_target = np.concatenate([np.tile(there, len(here)) for here, there in pairwise(parts)])
        random_source, random_target = fixed_out_degree(excitatory, excitatory, self.random_degree, rng)
        to_source, to_target = fixed_out_degree(excitatory, inhibitory, self.inhibitory_degree, rng)
        source = np.concatenate([next_source, random_source, to_source])
        weight = np.concatenate(
            [
                self.lognormal(self.weight_next, len(next_source), rng),
                self.lognormal(self.weight_random, len(random_source), rng),
                self.lognormal(self.weight_to_inhibitory, len(to_source), rng),
            ]
        )
        axon = rng.uniform(*self.delay, self.n)
        excitation = Synapses(
            source, np.concatenate([next_target, random_target, to_target]), weight, axon[source]
        ).sorted()
        source, target = fixed_out_degree(inhibitory, np.arange(self.n), self.inhibition_degree, rng)
        mean = np.where(is_excitatory[target], self.weight_inhibition, self.weight_disinhibition)
        weight = -mean * self.lognormal(1.0, len(source), rng)
        return excitation, Synapses(source, target, weight, np.full(len(source), self.delay_inhibitory)).sorted()

    def draw_cue(self, rng: np.random.Generator, seeds: Seeds) -> np.ndarray:  # noqa: D102
        cue = np.zeros(self.n)
        cue[self.members(seeds)[0]] = self.cue_strength
        return cue
