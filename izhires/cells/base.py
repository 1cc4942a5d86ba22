"""What a cell model is: equations, threshold, reset, and the cell types that they are used with."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import field_validator, model_validator

from izhires.declare import ASSUMED, Component, Declaration, parameter
from izhires.errors import ConfigurationError, closest
from izhires.quantities import as_text, quantity

CURRENTS = """
I = I_fast + I_slow + I_inhibitory + drive : volt/second
dI_fast/dt = -I_fast/tau_fast : volt/second
dI_slow/dt = -I_slow/tau_slow : volt/second
dI_inhibitory/dt = -I_inhibitory/tau_inhibitory : volt/second
dr/dt = -r/tau_trace : Hz
"""
"""What every cell has besides its membrane: the currents of its synapses, each over the capacitance, and the trace r of
its spikes. ``drive`` (bias, cue, feedback; renewed every readout step) is added by the population."""

TRACE = "r += 1/tau_trace\n"
"""What every spike does to the trace of its cell."""

SPREAD_OF_START = 5e-3
"""Standard deviation of v among the cells of a population at the start, V."""


class CellType(Declaration):
    """One row of a table of cell types: the values of the parameters of a cell model."""

    description: str = parameter("", "what it stands for", source="by choice")
    excitatory: bool = parameter(..., "Dale's law: all synapses of a cell have this sign", source="by choice")
    values: dict[str, float | str] = parameter(..., "each parameter of the cell model, as '100 pF'", source="by choice")
    source: str = parameter(ASSUMED, "citation of the values", source="by choice")

    @field_validator("values", mode="before")
    @classmethod
    def _quantities_as_text(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return {name: as_text(each) if hasattr(each, "in_unit") else each for name, each in values.items()}


def published(source: str, **types: tuple[str, bool, dict[str, float]]) -> dict[str, CellType]:
    """Return a table of cell types of one source; values are bare numbers in the units of the cell model."""
    return {
        name: CellType(description=description, excitatory=excitatory, values=values, source=source)
        for name, (description, excitatory, values) in types.items()
    }


class Cell(Component):
    """A model of one cell, and the mixture of its types that a population has.

    Subclasses give `units` and a `table` of types. So do a user's own: parameters are the names in `units`, each a
    ``(constant)`` variable of the equations. These have ``v``, the membrane potential, and what `CURRENTS` has: the
    currents ``I`` of the synapses over the capacitance, and the trace ``r``, to which every spike adds `TRACE`.

    Attributes
    ----------
    units : dict of str to str
        The parameters in which types differ, each with the unit of bare numbers.
    table : dict of str to CellType
        Published types.
    rest : float
        Mean of v at the start, V.
    """

    family: ClassVar[str] = "cell model"
    package: ClassVar[str] = "izhires.cells"
    source: ClassVar[str] = ""
    units: ClassVar[dict[str, str]]
    table: ClassVar[dict[str, CellType]] = {}
    rest: ClassVar[float] = -65e-3

    composition: dict[str, float] = parameter({}, "share of each cell type")
    types: dict[str, CellType] = parameter({}, "cell types of one's own, by name", source="by choice")
    equations: str = parameter("", "the cell, as Brian2 equations")
    threshold: str = parameter("", "spike condition")
    reset: str = parameter("", "what a spike does to its cell")

    @field_validator("composition")
    @classmethod
    def _shares(cls, shares: dict[str, float]) -> dict[str, float]:
        for name, share in shares.items():
            if share < 0:
                raise ConfigurationError(f"a share cannot be negative, got {share}", name)
        if abs(sum(shares.values()) - 1) > 1e-9:
            raise ConfigurationError(f"the shares must sum to 1, they sum to {sum(shares.values()):g}")
        return shares

    @model_validator(mode="after")
    def _known(self) -> Cell:
        known = self.known_types()
        for name in self.composition:
            if name not in known:
                raise ConfigurationError(f"unknown cell type{closest(name, known)}", f"composition.{name}", known)
        for name, each in self.types.items():
            if name not in self.composition:
                raise ConfigurationError("has no share in the composition; give it one, or 0", f"types.{name}")
            self.values_of(each, f"types.{name}.values", bare=False)
        return self

    def parameters(self) -> dict[str, str]:
        """Return the parameters in which types differ, each with the unit of bare numbers."""
        return self.units

    def known_types(self) -> dict[str, CellType]:
        """Return every type that the composition may name, the user's own included."""
        return {**self.table, **self.types}

    def values_of(self, each: CellType, place: str, bare: bool = True) -> dict[str, float]:
        """Return the parameters of a cell type as numbers in their units; bare numbers are in these where `bare`.

        Raises
        ------
        ConfigurationError
            If one is missing, unknown, or has another unit.
        """
        units, found = self.parameters(), {}
        for name in dict.fromkeys([*each.values, *units]):
            if name not in units:
                problem = f"no parameter of this cell model{closest(name, units)}"
                raise ConfigurationError(problem, f"{place}.{name}", units)
            if name not in each.values:
                raise ConfigurationError("is required", f"{place}.{name}")
            value = each.values[name]
            try:
                plain = bare and isinstance(value, int | float)
                found[name] = float(value) if plain else quantity(value, units[name])
            except ValueError as error:
                raise ConfigurationError(str(error), f"{place}.{name}") from None
        return {name: found[name] for name in units}

    def type_of_each(self, n: int) -> list[str]:
        """Return the type of each of n cells, excitatory types first; shares are rounded to whole cells."""
        known = self.known_types()
        names = sorted(self.composition, key=lambda name: not known[name].excitatory)
        edges = np.round(np.cumsum([self.composition[name] for name in names]) * n).astype(int)
        counts = np.diff(np.concatenate([[0], edges]))
        return [name for name, count in zip(names, counts, strict=True) for _ in range(count)]

    def base(self, types: Iterable[str]) -> dict[str, np.ndarray]:
        """Return the parameters of cells of these types as the table has them, in their units."""
        known = self.known_types()
        rows = {name: self.values_of(known[name], f"types.{name}.values") for name in dict.fromkeys(types)}
        return {name: np.array([rows[each][name] for each in types]) for name in self.parameters()}

    @abc.abstractmethod
    def draw(self, types: list[str], rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw the parameters of cells of these types, in their units, with what differs between cells of one type."""

    def start(self, values: Mapping[str, np.ndarray], n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw the variables of the membrane at the start.

        Parameters
        ----------
        values : mapping
            The parameters of the cells, in SI units.

        Returns
        -------
        dict
            In SI units, each of shape (n,).
        """
        return {"v": self.rest + SPREAD_OF_START * rng.standard_normal(n)}


class Tabled(Cell):
    """A cell model whose parameters differ within a type by a stated coefficient of variation each."""

    spread: dict[str, float] = parameter({}, "coefficient of variation of a parameter within a type, by name")

    @model_validator(mode="after")
    def _spreads(self) -> Tabled:
        units = self.parameters()
        for name, value in self.spread.items():
            if name not in units:
                problem = f"no parameter of this cell model{closest(name, units)}"
                raise ConfigurationError(problem, f"spread.{name}", units)
            if not 0 <= value < 1:
                raise ConfigurationError(f"must be at least 0 and below 1, got {value:g}", f"spread.{name}")
        return self

    def draw(self, types: list[str], rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw each parameter as its type's value times a log-normal number of mean 1, so that no sign changes."""
        base = self.base(types)
        found = {}
        for name, values in base.items():
            s = np.sqrt(np.log1p(self.spread.get(name, 0.0) ** 2))
            found[name] = values * np.exp(s * rng.standard_normal(len(types)) - s**2 / 2)
        return found
