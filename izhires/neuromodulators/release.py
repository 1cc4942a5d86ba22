"""A neuromodulator with numbers of one's own."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.neuromodulators.base import Neuromodulator


class Release(Neuromodulator):
    """Released as an expression says, by default at every event, and gone with the one decay of Izhikevich (2007)."""

    type: Literal["release"] = "release"

    source: ClassVar[str] = "Izhikevich (2007), doi 10.1093/cercor/bhl152"
