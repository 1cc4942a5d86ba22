"""Foreperiods: a cue, then one target after a wait that is drawn from a distribution; or nothing, in catch trials."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from izhires.declare import Declaration, Milliseconds, parameter
from izhires.errors import Complaint, ConfigurationError
from izhires.paradigms.base import MOST, FixedTrials, whole_milliseconds
from izhires.paradigms.checks import name_problems
from izhires.paradigms.experiment import Experiment
from izhires.paradigms.meet import Block, Meet, Outcome

NIEMI = "Niemi & Näätänen (1981), doi 10.1037/0033-2909.89.1.133"
JANSSEN = "Janssen & Shadlen (2005), doi 10.1038/nn1386"
GRABENHORST = "Grabenhorst et al. (2019), doi 10.1038/s41467-019-13849-0"

_NEEDS = {
    "uniform": (),
    "exponential": ("mean",),
    "gaussian": ("mean", "deviation"),
    "bimodal": ("modes", "deviation"),
    "list": ("latencies",),
}
"""What each kind of distribution needs; the range and `step` but for a list."""
_TAKES = {"bimodal": ("weights",), "list": ("weights",)}


class Distribution(Declaration):
    """Of foreperiods, on a grid of whole milliseconds: the density of its kind at each point, divided by their sum.

    ``uniform`` is constant from `shortest` to `longest`; ``exponential`` falls as exp(-(t - shortest)/mean), so that
    its hazard is constant until the cut at `longest` raises it; ``gaussian`` is exp(-(t - mean)^2/(2 deviation^2));
    ``bimodal`` the sum of two such with the means `modes`; ``list`` has just the `latencies` with their `weights`.
    """

    kind: Literal["uniform", "exponential", "gaussian", "bimodal", "list"] = parameter(
        "uniform", "shape of the distribution", source=f"{NIEMI}; {JANSSEN}; {GRABENHORST}"
    )
    shortest: Milliseconds = parameter("300 ms", "shortest foreperiod; not of a list", ge=0)
    longest: Milliseconds = parameter("900 ms", "longest foreperiod; not of a list", ge=0)
    step: Milliseconds = parameter("20 ms", "time between two neighbouring foreperiods; not of a list", ge=1)
    mean: Milliseconds | None = parameter(
        None, "mean of a gaussian; of an exponential, its mean above shortest, were it not cut at longest", gt=0
    )
    deviation: Milliseconds | None = parameter(None, "standard deviation of a gaussian, or of each mode", gt=0)
    modes: tuple[Milliseconds, ...] = parameter((), "the two means of a bimodal distribution")
    latencies: tuple[Annotated[Milliseconds, Field(ge=0)], ...] = parameter((), "the foreperiods of a list")
    weights: tuple[Annotated[float, Field(gt=0)], ...] = parameter(
        (), "how likely each mode or foreperiod of a list is, relative to the others; none: all alike"
    )

    @model_validator(mode="after")
    def _is_one(self) -> Distribution:
        needed = _NEEDS[self.kind]
        taken = (*needed, *_TAKES.get(self.kind, ()))
        which = f"a{'n' if self.kind == 'exponential' else ''} {self.kind} distribution"
        found = [Complaint(name, f"is required of {which}") for name in needed if not getattr(self, name)]
        found += [
            Complaint(name, f"{which} has none", taken)
            for name in ("mean", "deviation", "modes", "latencies", "weights")
            if getattr(self, name) and name not in taken
        ]
        if self.modes and len(self.modes) != 2:
            found.append(Complaint("modes", f"must be two, got {len(self.modes)}"))
        several = "latencies" if self.kind == "list" else "modes"
        if self.weights and not found and len(self.weights) != len(getattr(self, several)):
            problem = f"must be as many as {several}, {len(getattr(self, several))}, got {len(self.weights)}"
            found.append(Complaint("weights", problem))
        if self.kind == "list":
            found += [
                Complaint(f"latencies[{k}]", f"{value:g} ms is there twice")
                for k, value in enumerate(self.latencies)
                if value in self.latencies[:k]
            ]
            found += [each for k, value in enumerate(self.latencies)
                      for each in whole_milliseconds(value, f"latencies[{k}]")]  # fmt: skip
        else:
            found += [each for name in ("shortest", "longest", "step")
                      for each in whole_milliseconds(getattr(self, name), name)]  # fmt: skip
            wide = self.longest - self.shortest
            if wide < 0:
                found.append(Complaint("longest", f"{self.longest:g} ms is below shortest, {self.shortest:g} ms"))
            elif not found and round(wide) % round(self.step):
                found.append(Complaint("step", f"{self.step:g} ms does not divide {wide:g} ms, longest - shortest"))
        if not found and not self._densities()[1].sum() > 0:
            found.append(Complaint("longest", "no foreperiod has a probability above 0"))
        if found:
            raise ConfigurationError(found)
        return self

    def _densities(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the foreperiods (ms) and their probabilities up to a factor."""
        if self.kind == "list":
            return np.array(self.latencies), np.array(self.weights or np.ones(len(self.latencies)))
        times: np.ndarray = np.arange(round(self.shortest), round(self.longest) + 1, round(self.step)).astype(float)
        if self.kind == "uniform":
            return times, np.ones(len(times))
        if self.kind == "exponential":
            return times, np.exp(-(times - self.shortest) / self.mean)
        modes = self.modes if self.kind == "bimodal" else (self.mean,)
        bumps = [np.exp(-((times - mode) ** 2) / (2 * self.deviation**2)) for mode in modes]  # type: ignore[operator]
        return times, np.array(self.weights or np.ones(len(modes))) @ bumps

    def probabilities(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the foreperiods (ms) in order and the probability of each; those of 0 are left out.

        Returns
        -------
        latencies, probabilities : ndarray, (foreperiod,)
        """
        times, density = self._densities()
        order = np.argsort(times)
        times, density = times[order], density[order]
        return times[density > 0], density[density > 0] / density.sum()


class ForeperiodBlock(Declaration):
    """Trials whose foreperiods have one distribution."""

    name: str = parameter("", "what the block is called; none: the kind of its distribution")
    distribution: Distribution = parameter(Distribution(), "of the foreperiods")
    catch: float = parameter(0.0, "probability of a catch trial, in which no target follows", ge=0, lt=1)

    def title(self) -> str:
        """Return its name, or what stands for it."""
        return self.name or self.distribution.kind

    def following(self, event: str, trials: int) -> Block:
        """Return the same as a block of MEET: what follows the cue, with its probability."""
        times, chances = self.distribution.probabilities()
        outcomes = tuple(
            Outcome(event=event, latency=f"{time:g} ms", probability=chance * (1 - self.catch))
            for time, chance in zip(times.tolist(), chances.tolist(), strict=True)
        )
        return Block(name=self.title(), trials=trials, outcomes=outcomes, omission=self.catch)

    def latencies(self, place: str) -> Iterator[tuple[str, float]]:
        """Yield the place of each latency that decides whether all fit, as a complaint names it, and the latency."""
        own = self.distribution
        if own.kind == "list":
            yield from ((f"{place}.latencies[{k}]", value) for k, value in enumerate(own.latencies))
        else:
            yield f"{place}.longest", own.longest


DEFAULT_BLOCKS = (
    ForeperiodBlock(distribution=Distribution(kind="uniform")),
    ForeperiodBlock(distribution=Distribution(kind="exponential", mean="150 ms")),
    ForeperiodBlock(distribution=Distribution(kind="gaussian", mean="600 ms", deviation="100 ms")),
    ForeperiodBlock(distribution=Distribution(kind="bimodal", modes=("400 ms", "800 ms"), deviation="40 ms")),
    ForeperiodBlock(distribution=Distribution(kind="list", latencies=("300 ms", "500 ms", "700 ms", "900 ms"))),
)
"""One of each kind. The kinds are those of the sources; the numbers are chosen here, to fit the window of MEET."""


class Foreperiod(FixedTrials):
    """A cue, then one target after a foreperiod that is drawn anew in each trial, or none (a catch trial).

    The table of outcomes has each foreperiod of the block with its probability. By default each block is a variant,
    for a network of its own; else one network lives through all of them in order, and the distribution switches.
    """

    source: ClassVar[str] = f"{NIEMI}; {JANSSEN}; {GRABENHORST}"

    type: Literal["foreperiod"] = "foreperiod"
    blocks: tuple[ForeperiodBlock, ...] = parameter(DEFAULT_BLOCKS, "the blocks, in order; at least one")
    separate: bool = parameter(True, "whether each block is a variant, for a network of its own", source="by choice")
    trials: int = parameter(200, "number of training trials of a block", ge=1, le=MOST)
    event: str = parameter("target", "name of the target", source="by choice")
    probe_every: int = parameter(
        5,
        "training trials of a block between cue-only probes, learning off; one also before the first and after the "
        "last of a block",
        ge=1,
    )
    order: Literal["independent", "exact"] = parameter(
        "independent", "each foreperiod drawn on its own, or the rounded count of each in random order"
    )

    @model_validator(mode="after")
    def _blocks_fit(self) -> Foreperiod:
        found = [] if self.blocks else [Complaint("blocks", "needs at least one block, got none")]
        found += [Complaint("event", problem) for problem in name_problems([self.event])]
        names = [block.title() for block in self.blocks]
        for index, block in enumerate(self.blocks):
            found += self.latency_complaints(block.latencies(f"blocks[{index}].distribution"))
            if self.separate and names[index] in names[:index]:
                problem = f"{names[index]!r} is the same variant as one before it; give it a name of its own"
                found.append(Complaint(f"blocks[{index}].name", problem))
        if found:
            raise ConfigurationError(found)
        return self

    def variants(self) -> tuple[str, ...]:
        """Return one variant a block, by its name, or ``("",)`` where one network lives through all."""
        return tuple(block.title() for block in self.blocks) if self.separate else ("",)

    def experiment(self, rng: np.random.Generator, variant: str = "") -> Experiment:
        """Draw the foreperiods of a block, or of all, and insert the probes; see `Paradigm.experiment`."""
        self.check_variant(variant)
        chosen = [block for block in self.blocks if not self.separate or block.title() == variant]
        data = self.to_dict()
        meet = Meet(
            blocks=tuple(block.following(self.event, self.trials) for block in chosen),
            probes=(*range(self.probe_every, self.trials + 1, self.probe_every), self.trials),
            order=self.order,
            **{name: data[name] for name in FixedTrials.model_fields},
        )
        return replace(meet.experiment(rng), paradigm=self.type, variant=variant)
