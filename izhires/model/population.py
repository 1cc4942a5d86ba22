"""Populations: cells of one model, what drives them, and the decay of their currents."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import model_validator

from izhires.building.parts import Group, Link, Monitor, Update
from izhires.cells.base import Cell
from izhires.declare import PAPER, Declaration, Drive, Milliseconds, Noise, chosen, parameter
from izhires.errors import ConfigurationError, check_ascends
from izhires.model.variables import cell_values, check_filled
from izhires.plasticity.intrinsic import Intrinsic
from izhires.readouts.base import RecordedVariable

if TYPE_CHECKING:
    from izhires.building.draft import Draft
    from izhires.recordings.recording import Results

CUED = "cue_weight*int(elapsed(t) > -dt/2)*int(elapsed(t) < cue_duration - dt/2)"
"""What the cue adds to the drive, where there is one only."""

EXCITATION = """
I_fast_post += (1 - slow_fraction_post)*w
I_slow_post += slow_fraction_post*w*tau_fast_post/tau_slow_post
"""
"""What a spike of an excitatory cell does. The slow share is scaled so that the charge w*tau_fast is only divided."""

INHIBITION = "I_inhibitory_post += w"

REFERENCE_SIZE = 1000
"""Cells of the network that the defaults were chosen for. What a cell receives does not depend on the size: each cell
has as many targets in a larger network, hence as many sources; a smaller one that has too few cells for that has as
much stronger synapses, see `izhires.circuits.base.Reservoir.targets`."""

MOST_CELLS = 100_000
"""Cells of the largest network: the time to draw synapses grows with the square, an hour for so many."""

OF_CIRCUIT = "cells"
"""The population of the circuit, which is the one that is read unless ``state.of`` names another."""


Pattern = Callable[[np.random.Generator, int], np.ndarray]
"""Draws the drive of each cell by an input channel, mV/ms, shape (n,)."""


class Input(Declaration):
    """Whom an input channel reaches, and how strongly: cells of one population, chosen at random."""

    to: str = parameter(OF_CIRCUIT, "population that it reaches", source="by choice")
    share: float = parameter(0.1, "share of its cells that it reaches", ge=0, le=1)
    strength: tuple[Drive, Drive] = parameter(("20 mV/ms", "20 mV/ms"), "range of the drive while it is on")

    @model_validator(mode="after")
    def _ascends(self) -> Input:
        check_ascends(self.strength, "strength")
        return self


def cue_to_a_share(n: int, share: float, strength: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Draw the drive of n cells while the cue is on: uniform in a range for a share of them, 0 for the others."""
    reached = rng.random(n) < share
    return np.where(reached, rng.uniform(*strength, n), 0.0)


def place_of(population: str) -> str:
    """Return the table of a configuration that a population stands in."""
    return "reservoir" if population == OF_CIRCUIT else f"populations.{population}"


class Cells(Declaration):
    """What every population has: a cell model with its mixture of types, bias, noise, and the decay of its currents."""

    earlier_names: ClassVar[dict[str, str]] = {
        name: f"cell.{name}"
        for name in (
            "composition", "spread_a", "spread_b", "spread_c", "spread_d", "equations", "threshold", "reset",
        )
    }  # fmt: skip

    n: int = parameter(REFERENCE_SIZE, "number of cells", source=PAPER, ge=10, le=MOST_CELLS)
    cell: chosen(Cell, "izhikevich") = parameter("izhikevich", "model and types of the cells")  # type: ignore[valid-type]
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
    intrinsic: Intrinsic | None = parameter(
        None, "intrinsic plasticity of its cells; none when 'none'", source="by choice"
    )

    # the parameters that stand as symbols in the equations of the cells
    constants: ClassVar[tuple[str, ...]] = (
        "noise",
        "tau_fast",
        "tau_slow",
        "tau_inhibitory",
        "slow_fraction",
        "tau_trace",
    )

    @model_validator(mode="after")
    def _ordered_ranges(self) -> Cells:
        for name in ("bias_excitatory", "bias_inhibitory"):
            low, high = getattr(self, name)
            if low > high:
                raise ConfigurationError(f"the range must ascend, got {low:g} to {high:g} mV/ms", name)
        return self

    def cell_types(self) -> list[str]:
        """Return the type of each of the n cells, excitatory types first; shares are rounded to whole cells."""
        return self.cell.type_of_each(self.n)

    def excitatory(self) -> np.ndarray:
        """Return which cells are excitatory, shape (n,)."""
        known = self.cell.known_types()
        return np.array([known[name].excitatory for name in self.cell_types()])

    def draw_cells(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw the parameters of the cells.

        Returns
        -------
        dict
            Those of the cell model, and ``bias`` (mV/ms), each of shape (n,): bare numbers in the units that the model
            states (``a`` 1/ms, ``b`` 1/ms, ``c`` mV, ``d`` mV/ms), or quantities.
        """
        values = self.cell.draw(self.cell_types(), rng)
        low, high = np.where(self.excitatory(), np.array([self.bias_excitatory]).T, np.array([self.bias_inhibitory]).T)
        return {**values, "bias": rng.uniform(low, high)}

    def add_cells(
        self,
        draft: Draft,
        name: str,
        cells: np.random.Generator,
        start: np.random.Generator,
        noise: int,
        pattern: Pattern,
    ) -> None:
        """Add the cells of a population, and the monitor of their spikes.

        The drive of those that are read comes from the group ``state``, see `izhires.model.model.State`; others have
        theirs beside their other variables.

        Parameters
        ----------
        draft : Draft
        name : str
            Of the population.
        cells, start : numpy.random.Generator
            Streams of what differs between cells, and of where they begin.
        noise : int
            Seed of the noise.
        pattern : callable
            ``pattern(rng, channel)`` draws the drive of each cell by an input channel, mV/ms.
        """
        model = self.cell
        drawn = cell_values(self.draw_cells(cells), model.equations, self.n, type(self).__name__, model.parameters())
        lines, values = draft.constants(self, only=self.constants)
        bias = drawn.pop("bias")
        begin = model.start(drawn, self.n, start)
        effects = (model.reset, *draft.model.effects_on(name))
        check_filled(f"{place_of(name)}.cell.equations", model.equations, (*begin, *drawn, *values), *effects)
        read = name == draft.read
        equations = f"{model.equations.rstrip()}\ndrive : volt/second{' (linked)' if read else ''}\n{lines}"
        group = Group(
            name,
            self.n,
            equations,
            step="cells",
            threshold=model.threshold,
            reset=model.reset,
            links={"drive": Link("state", "drive")} if read else {},
        )
        draft.add(group, **values, **begin, **drawn, noise_seed=np.int32(noise))
        draft.driven[name] = (bias, pattern)
        if not read:
            lines, numbers = draft.heard(name, draft.seeds.generator("input", name))
            draft.extend(name, lines)
            draft.set(name, **numbers)
        draft.add(Monitor("spikes" if read else f"{name}_spikes", name, ("t", "i"), every=0, event="spike"))

    def drive(self, draft: Draft, name: str) -> None:
        """Add what renews the drive of the cells, when all that is fed back is known."""
        if self.intrinsic is not None:
            try:
                self.intrinsic.parts(draft, name)
            except ConfigurationError as error:
                raise ConfigurationError(error.complaints, f"{place_of(name)}.intrinsic") from None
        owner = draft.owner_of_drive(name)
        update = "drive" if name == draft.read else f"{name}_drive"
        drives = ["drive = bias", *draft.inputs_of_drive(), *draft.fed_back.get(owner, [])]
        draft.add(Update(update, owner, " + ".join(drives), "drive"))


class Population(Cells):
    """Further cells, beside those of the circuit: an area of their own, or cells that do one thing for others.

    A share of the cells gets the cue. They have no synapses but those of `izhires.model.connection.Connection`.
    """

    cue_share: float = parameter(0.0, "share of cells that the cue reaches", ge=0, le=1)
    cue_strength: tuple[Drive, Drive] = parameter(("0 mV/ms", "30 mV/ms"), "range of the drive while the cue is on")

    @model_validator(mode="after")
    def _cue_ascends(self) -> Population:
        check_ascends(self.cue_strength, "cue_strength")
        return self

    def parts(self, draft: Draft, name: str) -> None:
        """Add the cells."""
        seeds = draft.seeds
        start = seeds.generator("cells", f"{name} start")
        noise = seeds.integer("noise", name)
        self.add_cells(draft, name, seeds.generator("cells", name), start, noise, lambda rng, _: self.draw_cue(rng))

    def draw_cue(self, rng: np.random.Generator) -> np.ndarray:
        """Draw the drive of each cell while the cue is on, mV/ms, shape (n,); anew for each input channel."""
        return cue_to_a_share(self.n, self.cue_share, self.cue_strength, rng)


def spikes_of(results: Results, name: str, cells: Cells) -> dict[str, RecordedVariable]:
    """Return what a recording keeps of a population that is not read: types, mean rates, and spikes."""
    monitor = f"{name}_spikes"
    rate = results.mean_rates(monitor, cells.n)
    dims, spikes = (f"{name}_neuron",), (f"{name}_spike",)
    found = {
        f"{name}_rate": RecordedVariable(dims, rate, "Hz", f"mean rate of each cell of {name}"),
        f"{name}_cell_type": RecordedVariable(dims, np.array(cells.cell_types()), "1", f"type of each cell of {name}"),
    }
    if results.keep_spikes == "none":
        return found
    times, members = results.kept_spikes(monitor)
    return found | {
        f"{name}_spike_time": RecordedVariable(spikes, times, "s", f"times of spikes of {name}"),
        f"{name}_spike_neuron": RecordedVariable(spikes, members, "1", f"cell of each spike of {name}"),
    }
