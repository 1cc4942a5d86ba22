"""No gate: open in the whole window."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import PAPER
from izhires.gates.base import Gate


class Open(Gate):
    """Open for every channel in the whole window of every trial: no attention, G_k = 1.

    The channels whose event does not occur learn, too: that nothing happens. So the timing readout learns the
    expectation itself, probability and all, and no longer the time of an event that occurs.
    """

    type: Literal["open"] = "open"

    expression: ClassVar[str] = "learning*in_window"
    source: ClassVar[str] = f"control: the gate taken away of {PAPER}"
