"""Units of any kind, read without a simulator: ``"nS"``, ``"nS/mV"``, ``"volt/second**0.5"``, ``"mV/sqrt(ms)"``.

`izhires.units.UNITS` are the units of the parameters that this package declares. Cell models have many more
(capacitances, conductances, whatever a user's own equations declare); these are read here.
"""

from __future__ import annotations

import math
import re
from typing import Any

from izhires.declare import parse_quantity
from izhires.units import NUMBER, QUANTITY, UNITS

Dimensions = tuple[float, float, float, float, float, float]
"""Exponents of metre, kilogram, second, ampere, kelvin and mole."""

NONE: Dimensions = (0, 0, 0, 0, 0, 0)

# symbol -> (size in SI units, exponents)
_BASE: dict[str, tuple[float, Dimensions]] = {
    "m": (1.0, (1, 0, 0, 0, 0, 0)),
    "g": (1e-3, (0, 1, 0, 0, 0, 0)),
    "kilogram": (1.0, (0, 1, 0, 0, 0, 0)),
    "s": (1.0, (0, 0, 1, 0, 0, 0)),
    "A": (1.0, (0, 0, 0, 1, 0, 0)),
    "K": (1.0, (0, 0, 0, 0, 1, 0)),
    "mol": (1.0, (0, 0, 0, 0, 0, 1)),
    "Hz": (1.0, (0, 0, -1, 0, 0, 0)),
    "V": (1.0, (2, 1, -3, -1, 0, 0)),
    "ohm": (1.0, (2, 1, -3, -2, 0, 0)),
    "S": (1.0, (-2, -1, 3, 2, 0, 0)),
    "F": (1.0, (-2, -1, 4, 2, 0, 0)),
    "C": (1.0, (0, 0, 1, 1, 0, 0)),
    "J": (1.0, (2, 1, -2, 0, 0, 0)),
    "W": (1.0, (2, 1, -3, 0, 0, 0)),
    "N": (1.0, (1, 1, -2, 0, 0, 0)),
    "Pa": (1.0, (-1, 1, -2, 0, 0, 0)),
    "M": (1e3, (-3, 0, 0, 0, 0, 1)),
}
_WORDS = {
    "metre": "m", "meter": "m", "gram": "g", "gramme": "g", "second": "s", "amp": "A", "ampere": "A", "kelvin": "K",
    "mole": "mol", "hertz": "Hz", "volt": "V", "Ohm": "ohm", "siemens": "S", "farad": "F", "coulomb": "C",
    "joule": "J", "watt": "W", "newton": "N", "pascal": "Pa", "molar": "M",
}  # fmt: skip
_PREFIXES = {
    "": 1.0, "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "c": 1e-2, "k": 1e3, "M": 1e6, "G": 1e9,
}  # fmt: skip
_PURE = ("1", "integer", "boolean", "")


def unit(text: str) -> tuple[float, Dimensions]:
    """Return the size of a unit in SI units, and its dimensions.

    Parameters
    ----------
    text : str
        Symbols with prefixes (``nS``), or Brian2's names (``siemens``), with ``*``, ``/``, ``**`` or ``^``, ``sqrt``
        and brackets; a space multiplies.

    Raises
    ------
    ValueError
        If it is no unit.

    Examples
    --------
    >>> unit("nS/mV") == (1e-9 / 1e-3, (-4, -2, 6, 3, 0, 0))
    True
    >>> unit("volt/second")[1] == unit("mV/ms")[1]
    True
    """
    if text.strip() in _PURE:
        return 1.0, NONE
    tokens = re.findall(rf"\*\*|[*/^()]|[A-Za-z]+\d?|{NUMBER}|\S", text)
    size, dimensions = _product(tokens, text)
    if tokens:
        raise ValueError(f"{text!r} is not a unit")
    return size, dimensions


def _product(tokens: list[str], text: str) -> tuple[float, Dimensions]:
    size, dimensions = _power(tokens, text)
    while tokens and tokens[0] != ")":
        sign = -1 if tokens[0] == "/" else 1
        if tokens[0] in "*/":
            tokens.pop(0)
        other, further = _power(tokens, text)
        size = size * other if sign > 0 else size / other
        dimensions = tuple(a + sign * b for a, b in zip(dimensions, further, strict=True))  # type: ignore[assignment]
    return size, dimensions


def _power(tokens: list[str], text: str) -> tuple[float, Dimensions]:
    size, dimensions = _factor(tokens, text)
    if not tokens or tokens[0] not in ("**", "^"):
        return size, dimensions
    tokens.pop(0)
    bracket = bool(tokens) and tokens[0] == "("
    given = tokens.pop(bracket) if len(tokens) > bracket else ""
    if bracket:
        del tokens[0:2]
    if not re.fullmatch(NUMBER, given):
        raise ValueError(f"{text!r} is not a unit")
    return _raised(size, dimensions, float(given))


def _raised(size: float, dimensions: Dimensions, power: float) -> tuple[float, Dimensions]:
    raised = tuple(power * each for each in dimensions)
    return math.sqrt(size) if power == 0.5 else size**power, raised  # type: ignore[return-value]


def _factor(tokens: list[str], text: str) -> tuple[float, Dimensions]:
    if not tokens:
        raise ValueError(f"{text!r} is not a unit")
    token = tokens.pop(0)
    if token in ("(", "sqrt"):
        root = token == "sqrt"
        if root and (not tokens or tokens.pop(0) != "("):
            raise ValueError(f"{text!r} is not a unit")
        found = _product(tokens, text)
        if not tokens or tokens.pop(0) != ")":
            raise ValueError(f"{text!r} is not a unit")
        return _raised(*found, 0.5) if root else found
    if token == "1":
        return 1.0, NONE
    # Brian2 writes squares and cubes as names, too: mV2, nS3
    name, power = (token[:-1], float(token[-1])) if token[-1:] in ("2", "3", "4") else (token, 1.0)
    for prefix, factor in _PREFIXES.items():
        rest = name.removeprefix(prefix)
        symbol = _WORDS.get(rest, rest)
        if name.startswith(prefix) and symbol in _BASE:
            size, dimensions = _BASE[symbol]
            return (factor * size, dimensions) if power == 1 else _raised(factor * size, dimensions, power)
    raise ValueError(f"{text!r} is not a unit")


def quantity(value: Any, wanted: str) -> float:
    """Read a quantity into a float in the given unit.

    Parameters
    ----------
    value : str, float, or brian2.Quantity
        ``"10 nS"``; a bare number where `wanted` is none.
    wanted : str

    Raises
    ------
    ValueError
        If the unit is missing, unknown, or of another kind.

    Examples
    --------
    >>> quantity("0.01 uS", "nS"), quantity("3", "1")
    (10.0, 3.0)
    """
    if wanted in UNITS:
        try:
            return parse_quantity(value, wanted)
        except ValueError:
            try:  # in other words: 20 Hz for 0.02 1/ms
                return _general(value, wanted)
            except ValueError:
                pass
            raise
    return _general(value, wanted)


def _general(value: Any, wanted: str) -> float:
    size, dimensions = unit(wanted)
    if hasattr(value, "dim") and hasattr(value, "in_unit"):  # a Brian2 quantity
        value = as_text(value)
    pure = dimensions == NONE
    if isinstance(value, int | float):
        if pure:
            return float(value)
        raise ValueError(f"{value!r} has no unit; write it like '{value!r} {wanted}'")
    match = re.fullmatch(QUANTITY, str(value))
    if not match:
        raise ValueError(f"{value!r} is not a number{'' if pure else f' with a unit; write it like 1 {wanted}'}")
    number, given = float(match[1]), match[2] or ""
    if not given and not pure:
        raise ValueError(f"{value!r} has no unit; write it like '{number:g} {wanted}'")
    try:
        own, others = unit(given)
    except ValueError:
        raise ValueError(f"{value!r} has no unit that is known; write it like '{number:g} {wanted}'") from None
    if any(abs(a - b) > 1e-9 for a, b in zip(dimensions, others, strict=True)):
        raise ValueError(
            f"{value!r} has the wrong unit; {'it is a pure number' if pure else f'write it in {wanted} or alike'}"
        )
    return number if given == wanted else float(f"{number * own / size:.14g}")


def as_text(value: Any) -> str:
    """Return a Brian2 quantity as text with its unit, from which `quantity` reads it."""
    from brian2.units.fundamentalunits import get_unit_for_display

    if value.shape:
        raise ValueError(f"{value} is not a single quantity")
    shown = str(get_unit_for_display(value.dim))
    return f"{float(value)!r}" if shown in ("1", "") else f"{float(value)!r} {shown}"
