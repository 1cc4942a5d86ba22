"""The units of this package, in one table: every conversion and every text with a unit is read by it."""

from __future__ import annotations

import math
import re
from typing import NamedTuple


class Size(NamedTuple):
    """What a unit measures.

    Parameters
    ----------
    kind : str
        Kind of quantity; those of one kind are converted into each other.
    dimensions : str
        As Brian2 writes them.
    size : float
        Of one such unit, in SI units.
    """

    kind: str
    dimensions: str
    size: float


UNITS: dict[str, Size] = {
    "ms": Size("time", "second", 1e-3),
    "s": Size("time", "second", 1.0),
    "us": Size("time", "second", 1e-6),
    "min": Size("time", "second", 60.0),
    "mV": Size("voltage", "volt", 1e-3),
    "V": Size("voltage", "volt", 1.0),
    "uV": Size("voltage", "volt", 1e-6),
    "Hz": Size("rate", "Hz", 1.0),
    "kHz": Size("rate", "Hz", 1e3),
    "mV/ms": Size("drive", "volt/second", 1.0),
    "V/s": Size("drive", "volt/second", 1.0),
    "mV/sqrt(ms)": Size("noise", "volt/second**0.5", 1e-3 / math.sqrt(1e-3)),
    "1/ms": Size("inverse time", "1/second", 1e3),
    "1/s": Size("inverse time", "1/second", 1.0),
}

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
QUANTITY = rf"\s*({NUMBER})\s*(\S.*?)?\s*"
"""How a number with a unit is written: the number, then the unit."""

MS = UNITS["ms"].size

SPELLED: dict[str, str] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("us", "µs", "μs", "usec", "microsecond", "microseconds"), "us"),
    **dict.fromkeys(("min", "minute", "minutes"), "min"),
}
"""How others write units of time."""

SYMBOLS = {"volt": "V", "second": "s", "amp": "A", "siemens": "S", "farad": "F", "meter": "m", "kelvin": "K"}
"""Brian2's names of units, and their symbols."""


def symbol(dimensions: str) -> str:
    """Return dimensions in symbols, as ``"volt/second"`` -> ``"V/s"``."""
    return re.sub(r"[A-Za-z]+", lambda match: SYMBOLS.get(match[0], match[0]), dimensions).replace("**", "^")
