"""The reservoir: heterogeneous Izhikevich cells, three synaptic currents, Dale's law, fixed recurrent weights."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from pydantic import field_validator, model_validator

from izhires.cells import CELL_TYPES
from izhires.declare import (
    Component,
    Drive,
    Milliseconds,
    Millivolts,
    Noise,
    parameter,
)
from izhires.errors import ConfigurationError, closest
from izhires.parts import Group, Link, Monitor, Pathway, Reaction
from izhires.seeds import Seeds
from izhires.variables import cell_values, check_filled

if TYPE_CHECKING:
    from izhires.plan import Draft

CELL_EQUATIONS = """
dv/dt = (0.04/ms/mV)*v**2 + (5/ms)*v + 140*mV/ms - u + I + noise*xi : volt
du/dt = a*(b*v - u) : volt/second
I = I_fast + I_slow + I_inhibitory + drive : volt/second
dI_fast/dt = -I_fast/tau_fast : volt/second
dI_slow/dt = -I_slow/tau_slow : volt/second
dI_inhibitory/dt = -I_inhibitory/tau_inhibitory : volt/second
dr/dt = -r/tau_trace : Hz
a : 1/second (constant)
b : 1/second (constant)
c : volt (constant)
d : volt/second (constant)
"""
"""The cells as Brian2 equations. ``drive`` (bias, cue, feedback; renewed every readout step) is added by the build."""

CELL_THRESHOLD = "v >= 30*mV"

CELL_RESET = """
v = c
u += d
r += 1/tau_trace
"""

EXCITATION = """
I_fast_post += (1 - slow_fraction_post)*w
I_slow_post += slow_fraction_post*w*tau_fast_post/tau_slow_post
"""
"""What a spike of an excitatory cell does. The slow share is scaled so that the charge w*tau_fast is only divided."""

INHIBITION = "I_inhibitory_post += w"

REFERENCE_SIZE = 1000
"""Cells of the network that the defaults were chosen for. What a cell receives does not depend on the size: each cell
has as many targets in a larger network, hence as many sources; a smaller one that has too few cells for that has as
much stronger synapses, see `Reservoir.targets`."""

MOST_CELLS = 100_000
"""Cells of the largest network: the time to draw synapses grows with the square, an hour for so many."""

# the smallest jump of u (mV/ms) that the spread may lead to: below it a cell bursts without end
SMALLEST_D = 0.5


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
    if degree == 0 or len(sources) == 0:
        return np.empty(0, int), np.empty(0, int)
    source = np.repeat(sources, degree)
    target = np.concatenate([rng.choice(targets[targets != each], degree, replace=False) for each in sources])
    return source, target


class Reservoir(Component):
    """What every circuit has: cells, currents, noise, cue and feedback input. Subclasses add the wiring."""

    family: ClassVar[str] = "circuit"
    package: ClassVar[str] = "izhires.circuits"
    source: ClassVar[str] = ""

    n: int = parameter(
        REFERENCE_SIZE, "number of cells", source="Yamada & Chao (arXiv 2510.14382)", ge=10, le=MOST_CELLS
    )
    composition: dict[str, float] = parameter(
        {"RS": 0.56, "IB": 0.14, "CH": 0.10, "FS": 0.12, "LTS": 0.08}, "share of each cell type"
    )
    spread_a: float = parameter(0.2, "standard deviation of log a within a type", ge=0)
    spread_b: float = parameter(0.02, "coefficient of variation of b within a type", ge=0)
    spread_c: Millivolts = parameter("2 mV", "standard deviation of c within a type", ge=0)
    spread_d: float = parameter(0.1, "coefficient of variation of d within a type", ge=0)
    bias_excitatory: tuple[Drive, Drive] = parameter(("1 mV/ms", "3 mV/ms"), "range of the constant drive, excitatory")
    bias_inhibitory: tuple[Drive, Drive] = parameter(
        ("1 mV/ms", "3.4 mV/ms"), "range of the constant drive, inhibitory"
    )
    noise: Noise = parameter("0.3 mV/sqrt(ms)", "white noise on v", ge=0)
    tau_fast: Milliseconds = parameter("5 ms", "decay of the fast excitatory current", gt=0)
    tau_slow: Milliseconds = parameter("100 ms", "decay of the slow excitatory current", gt=0)
    tau_inhibitory: Milliseconds = parameter("10 ms", "decay of the inhibitory current", gt=0)
    slow_fraction: float = parameter(0.15, "share of the excitatory charge that is slow", ge=0, le=1)
    tau_trace: Milliseconds = parameter("50 ms", "decay of the spike trace r", gt=0)
    weight_spread: float = parameter(0.5, "standard deviation of log weight (the mean is kept)", ge=0)
    recurrence: float = parameter(1.0, "factor on all recurrent weights; 0 cuts the recurrence", ge=0)
    equations: str = parameter(CELL_EQUATIONS, "the cells, as Brian2 equations")
    threshold: str = parameter(CELL_THRESHOLD, "spike condition")
    reset: str = parameter(CELL_RESET, "what a spike does to its cell")
    excitation: str = parameter(EXCITATION, "what a spike does through an excitatory synapse")
    inhibition: str = parameter(INHIBITION, "what a spike does through an inhibitory synapse")

    # the parameters that stand as symbols in the equations above
    constants: ClassVar[tuple[str, ...]] = (
        "noise",
        "tau_fast",
        "tau_slow",
        "tau_inhibitory",
        "slow_fraction",
        "tau_trace",
    )

    @field_validator("composition")
    @classmethod
    def _known_types(cls, shares: dict[str, float]) -> dict[str, float]:
        for name, share in shares.items():
            if name not in CELL_TYPES:
                raise ConfigurationError(f"unknown cell type{closest(name, CELL_TYPES)}", name, CELL_TYPES)
            if share < 0:
                raise ConfigurationError(f"a share cannot be negative, got {share}", name)
        if abs(sum(shares.values()) - 1) > 1e-9:
            raise ConfigurationError(f"the shares must sum to 1, they sum to {sum(shares.values()):g}")
        if not any(CELL_TYPES[name].excitatory and share > 0 for name, share in shares.items()):
            raise ConfigurationError("a reservoir needs at least one excitatory type")
        return shares

    @model_validator(mode="after")
    def _ordered_ranges(self) -> Reservoir:
        for name in ("bias_excitatory", "bias_inhibitory"):
            low, high = getattr(self, name)
            if low > high:
                raise ConfigurationError(f"the range must ascend, got {low:g} to {high:g} mV/ms", name)
        return self

    def cell_types(self) -> list[str]:
        """Return the type of each of the n cells, excitatory types first; shares are rounded to whole cells."""
        names = sorted(self.composition, key=lambda name: not CELL_TYPES[name].excitatory)
        edges = np.round(np.cumsum([self.composition[name] for name in names]) * self.n).astype(int)
        counts = np.diff(np.concatenate([[0], edges]))
        return [name for name, count in zip(names, counts, strict=True) for _ in range(count)]

    def excitatory(self) -> np.ndarray:
        """Return which cells are excitatory, shape (n,)."""
        return np.array([CELL_TYPES[name].excitatory for name in self.cell_types()])

    def draw_cells(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw the parameters of the cells.

        Returns
        -------
        dict
            ``a`` (1/ms), ``b`` (1/ms), ``c`` (mV), ``d`` (mV/ms), ``bias`` (mV/ms), each of shape (n,).
        """
        types = [CELL_TYPES[name] for name in self.cell_types()]
        x = rng.standard_normal((4, self.n))
        base = {name: np.array([getattr(cell, name) for cell in types]) for name in "abcd"}
        low, high = np.where(self.excitatory(), np.array([self.bias_excitatory]).T, np.array([self.bias_inhibitory]).T)
        return {
            "a": base["a"] * np.exp(self.spread_a * x[0]),
            "b": base["b"] * (1 + self.spread_b * x[1]),
            "c": base["c"] + self.spread_c * x[2],
            "d": np.maximum(np.minimum(SMALLEST_D, base["d"]), base["d"] * (1 + self.spread_d * x[3])),
            "bias": rng.uniform(low, high),
        }

    def lognormal(self, mean: float, size: int, rng: np.random.Generator) -> np.ndarray:
        """Draw weights of one sign with the given mean: mean*exp(s*x - s^2/2), s = `weight_spread`."""
        s = self.weight_spread
        return mean * np.exp(s * rng.standard_normal(size) - s**2 / 2)

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

    def fitted(self, window: float) -> Self:
        """Return the circuit for a window (ms) after the cue, with what was left open decided by it."""
        return self

    def remark(self, window: float) -> str:
        """Return what a user should know of this circuit in a window (ms) after the cue, in one line, or nothing."""
        return ""

    def parts(self, draft: Draft) -> None:
        """Add the cells and their synapses. The drive of the cells comes from the group ``state``, see `State`."""
        seeds, step = draft.seeds, draft.model.time_step
        drawn = cell_values(self.draw_cells(seeds.generator("cells")), self.equations, self.n, type(self).__name__)
        lines, values = draft.constants(self, only=self.constants)
        start = seeds.generator("cells").spawn(1)[0]
        v = -65e-3 + 5e-3 * start.standard_normal(self.n)
        effects = (self.reset, self.excitation, self.inhibition)
        check_filled("reservoir.equations", self.equations, ("v", "u", *drawn, *values), *effects)
        cells = Group(
            "cells",
            self.n,
            f"{self.equations.rstrip()}\ndrive : volt/second (linked)\n{lines}",
            step="cells",
            threshold=self.threshold,
            reset=self.reset,
            links={"drive": Link("state", "drive")},
        )
        draft.bias = drawn.pop("bias")
        numbers = {"v": v, "u": drawn["b"] * v, **drawn, "noise_seed": np.int32(seeds.integer("noise"))}
        draft.add(cells, **values, **numbers)
        for name, synapses, effect in zip(
            ("excitation", "inhibition"),
            self.draw_synapses(seeds.generator("topology")),
            (self.excitation, self.inhibition),
            strict=True,
        ):
            if len(synapses.source) == 0:
                continue
            on_spike = Reaction(effect, "pre", "synapses", template="sparse")
            draft.add(
                Pathway(name, "cells", "cells", "w : volt/second", step="cells", reactions={"pre": on_spike}),
                i=synapses.source.astype(np.int32),
                j=synapses.target.astype(np.int32),
                w=synapses.weight * self.recurrence,
                delay=np.maximum(1, np.round(synapses.delay / step)) * step * 1e-3,
            )
        draft.add(Monitor("spikes", "cells", ("t", "i"), every=0, event="spike"))

    @abc.abstractmethod
    def draw_synapses(self, rng: np.random.Generator) -> tuple[Synapses, Synapses]:
        """Draw the excitatory and the inhibitory synapses (weights in mV/ms, delays in ms)."""

    @abc.abstractmethod
    def draw_cue(self, rng: np.random.Generator, seeds: Seeds) -> np.ndarray:
        """Draw the drive of each cell while the cue is on, mV/ms, shape (n,)."""
