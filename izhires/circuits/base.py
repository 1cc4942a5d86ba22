"""The reservoir: heterogeneous Izhikevich cells, three synaptic currents, Dale's law, fixed recurrent weights."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from pydantic import model_validator

from izhires.declare import Component, parameter
from izhires.errors import ConfigurationError
from izhires.model.population import EXCITATION, INHIBITION, OF_CIRCUIT, REFERENCE_SIZE, Cells
from izhires.model.seeds import Seeds
from izhires.wirings.base import chosen_partners, lognormal

if TYPE_CHECKING:
    from izhires.building.draft import Draft

EXCITATORY, INHIBITORY = "excitation", "inhibition"
"""Names of the two connections of a circuit."""


@dataclass(frozen=True)
class Synapses:
    """The synapses of one sign, as plain arrays of one length.

    Parameters
    ----------
    source, target : array of int
        Cells by index.
    weight : array of float
        mV/ms, negative for inhibition.
    delay : array of float
        ms; one value for all synapses of a cell (axonal).
    """

    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    delay: np.ndarray

    def sorted(self) -> Synapses:
        """Return the same synapses ordered by source, then target."""
        order = np.lexsort((self.target, self.source))
        return Synapses(self.source[order], self.target[order], self.weight[order], self.delay[order])


def fixed_out_degree(
    sources: np.ndarray, targets: np.ndarray, degree: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw for every source `degree` different targets, never the source itself.

    Returns
    -------
    source, target : arrays of int, shape (len(sources)*degree,)
    """
    return chosen_partners(sources, targets, degree, True, rng)


class Reservoir(Component, Cells):
    """A circuit: cells and the recurrent synapses among them. Subclasses add the wiring, and who hears the cue."""

    family: ClassVar[str] = "circuit"
    package: ClassVar[str] = "izhires.circuits"
    source: ClassVar[str] = ""

    weight_spread: float = parameter(0.5, "standard deviation of log weight (the mean is kept)", ge=0)
    recurrence: float = parameter(1.0, "factor on all recurrent weights; 0 cuts the recurrence", ge=0)
    excitation: str = parameter(EXCITATION, "what a spike does through an excitatory synapse")
    inhibition: str = parameter(INHIBITION, "what a spike does through an inhibitory synapse")

    @model_validator(mode="after")
    def _excites(self) -> Reservoir:
        known = self.cell.known_types()
        if not any(known[name].excitatory and share > 0 for name, share in self.cell.composition.items()):
            raise ConfigurationError("a circuit needs at least one excitatory type", "cell.composition")
        return self

    def lognormal(self, mean: float, size: int, rng: np.random.Generator) -> np.ndarray:
        """Draw weights of one sign with the given mean: mean*exp(s*x - s^2/2), s = `weight_spread`."""
        return lognormal(mean, self.weight_spread, size, rng)

    def targets(self, name: str, there: int) -> tuple[int, float]:
        """Return how many targets a cell has, and the factor on their weights, so that a target's input stays the same.

        Parameters
        ----------
        name : str
            The parameter that states the number.
        there : int
            Cells that there are to choose from.

        Returns
        -------
        degree : int
            As stated, or all there are in a network of fewer than `REFERENCE_SIZE` cells; 0 where there are none, as of
            inhibitory cells in a network of excitatory ones.
        factor : float
            stated/degree.

        Raises
        ------
        ConfigurationError
            If the number cannot be had, and the network is not a small version of one where it can.
        """
        stated = int(getattr(self, name))
        if stated <= there or there == 0:
            return min(stated, there), 1.0
        if max(stated, self.n) >= REFERENCE_SIZE:
            raise ConfigurationError(f"{stated} targets asked for, only {there} cells there", name)
        return there, stated / there

    def reach(self) -> float | None:
        """Return how long after the cue's onset the states tell time, ms; None where the parameters do not say it."""
        return None

    def fitted(self, window: float, channels: int = 1) -> Self:
        """Return the circuit for a window (ms) after the cue and so many input channels, with what was left open
        decided by them.
        """
        return self

    def remark(self, window: float, channels: int = 1) -> str:
        """Return what a user should know of this circuit in a window (ms) after the cue and with so many input
        channels, in one line, or nothing.
        """
        return ""

    def facts(self, seeds: Seeds, time_step: float) -> dict[str, str]:
        """Return further attributes of a recording: what this network is, besides what was declared."""
        return {}

    def parts(self, draft: Draft) -> None:
        """Add the cells and their synapses."""
        seeds = draft.seeds
        start = seeds.generator("cells").spawn(1)[0]
        cells, noise = seeds.generator("cells"), seeds.integer("noise")
        self.add_cells(
            draft, OF_CIRCUIT, cells, start, noise, lambda rng, channel: self.draw_input(rng, seeds, channel)
        )
        for name, synapses, effect in zip(
            (EXCITATORY, INHIBITORY),
            self.draw_synapses(seeds.generator("topology")),
            (self.excitation, self.inhibition),
            strict=True,
        ):
            if len(synapses.source):
                weights = synapses.weight * self.recurrence
                draft.add_synapses(
                    name, OF_CIRCUIT, OF_CIRCUIT, effect, synapses.source, synapses.target, weights, synapses.delay
                )

    @abc.abstractmethod
    def draw_synapses(self, rng: np.random.Generator) -> tuple[Synapses, Synapses]:
        """Draw the excitatory and the inhibitory synapses (weights in mV/ms, delays in ms)."""

    @abc.abstractmethod
    def draw_cue(self, rng: np.random.Generator, seeds: Seeds) -> np.ndarray:
        """Draw the drive of each cell while the cue is on, mV/ms, shape (n,)."""

    def draw_input(self, rng: np.random.Generator, seeds: Seeds, channel: int) -> np.ndarray:
        """Draw the drive of each cell while there is something in an input channel, mV/ms, shape (n,).

        Channel 0 is the first cue. Each channel has a generator of its own, so that others reach other cells.
        """
        return self.draw_cue(rng, seeds)
