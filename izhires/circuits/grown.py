"""A network that grew its own sequence: random at first, then shaped by local plasticity while it heard the cue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import model_validator

from izhires.circuits.base import EXCITATORY, Reservoir, Synapses, fixed_out_degree
from izhires.circuits.development import Development, develop
from izhires.declare import Drive, Milliseconds, parameter
from izhires.errors import ConfigurationError, check_ascends
from izhires.model.population import OF_CIRCUIT
from izhires.plasticity.axon_remodeling import JUN

if TYPE_CHECKING:
    from izhires.building.draft import Draft
    from izhires.model.seeds import Seeds

TO_INHIBITORY = "excitation_of_inhibitory"
"""Name of the synapses of excitatory cells on inhibitory ones, which have a short delay of their own."""


class Grown(Reservoir):
    """Weak random synapses that became a sequence before the task, by plasticity alone; then nothing changes any more.

    Nothing is wired in an order. Before the task the network hears the cue many times (`development`); pairs of spikes,
    few strong synapses a cell, and excitability that moves to one spike a trial make of it a wave of some 600 cells. It
    is tested in between, and develops until the wave spans the window. Then weights and excitability stand still, and
    only the strong synapses are kept. The development is simulated once for each seed of cells, topology and input,
    kept in the cache, and used again; what came of it stands in every recording (attribute ``development``).
    """

    source: ClassVar[str] = JUN

    type: Literal["grown"] = "grown"
    development: Development | None = parameter(
        Development(), "what happened before the task; none: the network as it is born"
    )
    connected: float = parameter(0.8, "share of the other excitatory cells that each has synapses on", gt=0, le=1)
    weight_excitation: Drive = parameter("0.03 mV/ms", "mean weight of excitatory synapses at birth", ge=0)
    delay: tuple[Milliseconds, Milliseconds] = parameter(
        ("20 ms", "36 ms"), "range of the axonal delay onto excitatory cells"
    )
    inhibitory_degree: int = parameter(20, "inhibitory targets of an excitatory cell", ge=0)
    weight_to_inhibitory: Drive = parameter("1 mV/ms", "mean weight onto inhibitory targets", ge=0)
    delay_to_inhibitory: Milliseconds = parameter("1 ms", "delay onto inhibitory cells", gt=0)
    inhibition_degree: int = parameter(100, "targets of an inhibitory cell", ge=0)
    weight_inhibition: Drive = parameter("0.8 mV/ms", "mean inhibition of an excitatory cell (magnitude)", ge=0)
    weight_disinhibition: Drive = parameter("0.18 mV/ms", "mean inhibition of an inhibitory cell (magnitude)", ge=0)
    delay_inhibitory: Milliseconds = parameter("0.5 ms", "axonal delay of inhibitory cells", gt=0)
    cue_cells: int = parameter(30, "excitatory cells that the cue reaches", ge=1)
    cue_strength: Drive = parameter("6 mV/ms", "drive of these while the cue is on", ge=0)
    kept: int = parameter(8, "strongest synapses that are kept after the development, a cell on average", ge=1)

    @model_validator(mode="after")
    def _sizes(self) -> Grown:
        excitatory = int(self.excitatory().sum())
        if self.cue_cells >= excitatory:
            raise ConfigurationError(f"{self.cue_cells} of {excitatory} excitatory cells", "cue_cells")
        check_ascends(self.delay, "delay", positive=True)
        self.targets("inhibitory_degree", self.n - excitatory)
        self.targets("inhibition_degree", self.n - 1)
        return self

    def cue_members(self, rng: np.random.Generator) -> np.ndarray:
        """Return the cells that the cue reaches: of the first excitatory type, as RS, as far as they go.

        They are the first draw of the topology stream.
        """
        excitatory = np.flatnonzero(self.excitatory())
        types = np.array(self.cell_types())[excitatory]
        order = rng.permutation(len(excitatory))
        first = np.argsort(types[order] != types[0], kind="stable")
        return np.sort(excitatory[order[first][: self.cue_cells]])

    def parts(self, draft: Draft) -> None:
        """Add the cells and their synapses, as they are after the development."""
        super().parts(draft)
        seeds = draft.seeds
        is_excitatory = self.excitatory()
        excitatory, inhibitory = np.flatnonzero(is_excitatory), np.flatnonzero(~is_excitatory)
        degree, stronger = self.targets("inhibitory_degree", len(inhibitory))
        rng = seeds.generator("topology", TO_INHIBITORY)
        source, target = fixed_out_degree(excitatory, inhibitory, degree, rng)
        if len(source):
            order = np.lexsort((target, source))
            weight = self.lognormal(self.weight_to_inhibitory * stronger, len(source), rng) * self.recurrence
            delay = np.full(len(source), self.delay_to_inhibitory)
            draft.add_synapses(
                TO_INHIBITORY, OF_CIRCUIT, OF_CIRCUIT, self.excitation, source[order], target[order], weight, delay
            )
        if self.development is not None:
            grown = develop(self, seeds, draft.model.time_step)
            draft.add_bias(OF_CIRCUIT, grown.excitability)
            # as many in every network, so that all have one build
            strong = np.sort(np.argsort(-grown.weight, kind="stable")[: self.kept * len(excitatory)])
            i, j, delay = (draft.arrays[f"{EXCITATORY}.{each}"][strong] for each in ("i", "j", "delay"))
            draft.set(EXCITATORY, i=i, j=j, delay=delay, w=grown.weight[strong] * self.recurrence)

    def facts(self, seeds: Seeds, time_step: float) -> dict[str, str]:
        """Return what came of the development."""
        if self.development is None:
            return {}
        grown = develop(self, seeds, time_step)
        found = {"trials": grown.trials, "reliable": grown.reliable, "reach_ms": grown.reach,
                 "complete": grown.complete, "early_hz": grown.early,
                 "falls_short": self.development.falls_short(grown)}  # fmt: skip
        return {"development": json.dumps(found)}

    def draw_synapses(self, rng: np.random.Generator) -> tuple[Synapses, Synapses]:
        """Draw the synapses at birth; see `izhires.circuits.base.Reservoir.draw_synapses`."""
        is_excitatory = self.excitatory()
        excitatory, inhibitory = np.flatnonzero(is_excitatory), np.flatnonzero(~is_excitatory)
        # none on those that hear the cue: it starts the sequence, and nothing else does
        others = np.setdiff1d(excitatory, self.cue_members(rng))
        source, target = fixed_out_degree(excitatory, others, round(self.connected * (len(others) - 1)), rng)
        weight = self.lognormal(self.weight_excitation, len(source), rng)
        axon = rng.uniform(*self.delay, self.n)
        excitation = Synapses(source, target, weight, axon[source]).sorted()
        degree, stronger = self.targets("inhibition_degree", self.n - 1)
        source, target = fixed_out_degree(inhibitory, np.arange(self.n), degree, rng)
        mean = np.where(is_excitatory[target], self.weight_inhibition, self.weight_disinhibition)
        weight = -mean * self.lognormal(stronger, len(source), rng)
        return excitation, Synapses(source, target, weight, np.full(len(source), self.delay_inhibitory)).sorted()

    def draw_input(self, rng: np.random.Generator, seeds: Seeds, channel: int) -> np.ndarray:
        """Refuse further channels: the network grew a sequence for one cue."""
        if channel:
            problem = (
                "grows one sequence, for one cue; give a pattern to the other channels in the table 'input_channels'"
            )
            raise ConfigurationError(problem, "reservoir.type")
        return self.draw_cue(rng, seeds)

    def draw_cue(self, rng: np.random.Generator, seeds: Seeds) -> np.ndarray:  # noqa: D102
        cue = np.zeros(self.n)
        cue[self.cue_members(seeds.generator("topology"))] = self.cue_strength
        return cue
