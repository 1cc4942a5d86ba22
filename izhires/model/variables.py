"""Variables of a user's own equations: which there are, who fills them, and their values in SI units.

A variable has values with a unit (a Brian2 quantity, or text such as ``"5 mV"``); bare numbers are for variables that
are pure numbers. The parameters of a cell model and ``bias`` may be bare, in the units that the model states.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from izhires.declare import parse_quantity
from izhires.errors import ConfigurationError, closest
from izhires.quantities import quantity
from izhires.quantities import unit as read_unit
from izhires.units import UNITS

BRIAN_UNITS: dict[str, tuple[str, float]] = {
    "": ("1", 1.0),
    **{name: (each.dimensions, each.size) for name, each in UNITS.items()},
}
"""Unit of a declared parameter -> Brian2's dimensions, and its size in SI units; pure numbers have none."""

_PURE = ("1", "integer", "boolean")


@dataclass(frozen=True)
class Variable:
    """A variable of Brian2 equations.

    Parameters
    ----------
    unit : str
        As it is written there.
    flags : tuple of str
        As ``("shared", "constant")``.
    reckoned : bool
        Whether the equations say how to reckon it, ``dx/dt = ... : unit`` or ``x = ... : unit``; else they only declare
        it, ``x : unit``.
    """

    unit: str
    flags: tuple[str, ...]
    reckoned: bool


_NAME = r"[A-Za-z_]\w*"
_VARIABLE = re.compile(
    rf"(?m)^[ \t]*(?:(?:d({_NAME})[ \t]*/[ \t]*dt|({_NAME}))[ \t]*=[^:]*|({_NAME})[ \t]*)"
    r":[ \t]*([^(\n]+?)[ \t]*(?:\(([^\n]*)\)[ \t]*)?$"
)


def read(equations: str) -> dict[str, Variable]:
    r"""Return the variables of Brian2 equations.

    >>> found = read("dv/dt = (I +\n J)/C : volt  # membrane\nI = 2*J : amp (constant over dt)\nJ : amp")
    >>> [(name, each.unit, each.reckoned) for name, each in found.items()]
    [('v', 'volt', True), ('I', 'amp', True), ('J', 'amp', False)]
    """
    found = {}
    for changing, reckoned, alone, unit, flags in _VARIABLE.findall(re.sub(r"[ \t]*#.*", "", equations)):
        words = tuple(each.strip() for each in flags.split(",")) if flags else ()
        found[changing or reckoned or alone] = Variable(unit, words, not alone)
    return found


OF_BRIAN2 = frozenset({
    "t", "dt", "N", "i", "j", "w", "xi", "inf", "pi", "e", "second", "abs", "arccos", "arcsin", "arctan", "ceil",
    "clip", "cos", "cosh", "exp", "exprel", "expm1", "floor", "int", "log", "log10", "log1p", "poisson", "rand",
    "randn", "sign", "sin", "sinh", "sqrt", "tan", "tanh", "timestep",
})  # fmt: skip
"""Names in Brian2 texts that stand for something already, and the weight ``w``."""


def refuse_taken(cls: Any, *taken: str) -> None:
    """Refuse a class that gives a parameter or a variable of its equations a name that its texts know already.

    Raises
    ------
    ConfigurationError
        Naming it.
    """
    for name in (*cls.model_fields, *read(cls.equations)):
        if name in taken or name in OF_BRIAN2 or name.endswith(("_pre", "_post")):
            problem = "is a name that is taken, see 'Names in equations' in the reference; give another"
            raise ConfigurationError(problem, f"{cls.__name__}.{name}")


def units(equations: str) -> dict[str, str]:
    """Return the variables of equations that are their own, not linked ones, each with its unit."""
    return {name: each.unit for name, each in read(equations).items() if "linked" not in each.flags}


def declared(equations: str) -> dict[str, str]:
    """Return the variables that equations only declare, and that are not linked, each with its unit."""
    known = read(equations)
    return {name: unit for name, unit in units(equations).items() if not known[name].reckoned}


def check_filled(owner: str, equations: str, filled: Iterable[str], *statements: str) -> None:
    """Refuse equations with a variable that nobody fills: it would be 0 throughout.

    Parameters
    ----------
    owner : str
        Whose equations: the place of the complaint.
    equations : str
    filled : iterable of str
        Variables that have values from the start.
    *statements : str
        Texts that may assign a variable.

    Raises
    ------
    ConfigurationError
        Naming the variable.
    """
    filled = set(filled)
    for name, unit in declared(equations).items():
        assigned = re.compile(rf"\b{name}(_post|_pre)?\s*([-+*/]|\*\*|//|%)?=(?!=)")
        if name not in filled and not any(assigned.search(each) for each in statements):
            raise ConfigurationError(f"the variable {name!r} ({unit}) has no values, and no statement sets it", owner)


def cell_values(
    drawn: Mapping[str, Any], equations: str, n: int, circuit: str, units: Mapping[str, str]
) -> dict[str, np.ndarray]:
    """Return what a circuit drew for its cells in SI units, each of shape (n,).

    Parameters
    ----------
    drawn : mapping
        From `Reservoir.draw_cells`: name -> n values, or one for all.
    equations : str
        The cells'.
    n : int
        Number of cells.
    circuit : str
        Name of the circuit, for complaints.
    units : mapping
        Variables that may be bare numbers, each with its unit; ``bias`` may, in mV/ms.

    Raises
    ------
    ConfigurationError
        If values lack a unit, have a wrong one or another number, are not finite, or the equations have no such
        variable.
    """
    known, bare = {**declared(equations), "bias": "volt/second"}, {**units, "bias": "mV/ms"}
    found = {}
    for name, values in drawn.items():
        place = f"{circuit}.draw_cells: {name}"
        if name not in known:
            raise ConfigurationError(
                f"the cells' equations declare no such variable{closest(name, known)}", place, known
            )
        own = np.asarray(_in_si(values, bare.get(name, ""), known[name], place))
        if own.shape not in ((), (n,)):
            raise ConfigurationError(f"needs {n} values, one a cell, got an array of shape {own.shape}", place)
        if own.dtype.kind == "f" and not np.isfinite(own).all():
            raise ConfigurationError("must be finite", place)
        found[name] = np.full(n, own) if own.shape == () else own
    return found


def _in_si(values: Any, bare: str, unit: str, place: str) -> Any:
    """Return values in the SI form of `unit`; bare numbers are in the unit `bare`, where it is one."""
    if isinstance(values, str) or (isinstance(values, (list, tuple)) and any(isinstance(each, str) for each in values)):
        several = [values] if isinstance(values, str) else list(values)
        found = [_text_in_si(each, unit, place) for each in several]
        return found[0] if isinstance(values, str) else np.array(found)
    if hasattr(values, "dim") and hasattr(values, "in_unit"):  # a Brian2 quantity
        _check_unit(values.dim, unit, place)
        return np.asarray(values)
    numbers = np.asarray(values)
    if numbers.dtype.kind not in "biuf":
        raise ConfigurationError(f"must be numbers with a unit, got {values!r}", place)
    if bare:
        return numbers * (BRIAN_UNITS[bare][1] if bare in BRIAN_UNITS else read_unit(bare)[0])
    if unit not in _PURE:
        raise ConfigurationError(
            f"has no unit; in the equations it is in {unit}: give a Brian2 quantity, or text like '1 mV'", place
        )
    return numbers


def _text_in_si(value: Any, unit: str, place: str) -> float:
    for ours, (dimensions, size) in BRIAN_UNITS.items():
        if not ours:
            continue
        try:
            number = parse_quantity(value, ours)
        except ValueError:  # another kind of quantity
            continue
        _check_unit(_dimensions(dimensions), unit, place)
        return number * size
    try:
        return quantity(value, unit) * read_unit(unit)[0]
    except ValueError:
        pass
    raise ConfigurationError(f"{value!r} is not a number with a unit; in the equations it is in {unit}", place)


def _check_unit(dimensions: Any, unit: str, place: str) -> None:
    if dimensions is not _dimensions(unit):
        from brian2.units.fundamentalunits import get_unit_for_display

        problem = f"has the wrong unit, {get_unit_for_display(dimensions)}; in the equations it is in {unit}"
        raise ConfigurationError(problem, place)


def _dimensions(unit: str) -> Any:
    from brian2.equations.equations import dimensions_and_type_from_string

    return dimensions_and_type_from_string(unit)[0]
