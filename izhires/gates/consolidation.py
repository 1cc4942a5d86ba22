"""Two phases: timing errors mark synapses in the window, a later phase of consolidation changes them."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import PAPER, Milliseconds, parameter
from izhires.gates.base import Gate


class Consolidation(Gate):
    """Open in a phase of its own after the event: from `delay` to `delay + duration` after it.

    With a rule that keeps an eligibility trace the first phase, the window, marks the synapses, and this second one
    consolidates the marks: the phase-specific neuromodulation that the paper predicts. A phase that has not ended when
    the next trial's cue comes is cut there.
    """

    type: Literal["consolidation"] = "consolidation"
    delay: Milliseconds = parameter("100 ms", "time from the event to the phase", ge=0)
    duration: Milliseconds = parameter("200 ms", "length of the phase", gt=0)

    expression: ClassVar[str] = (
        "learning*target_trial*int(event(t) > -0.5)*int(elapsed(t) > -dt/2)"
        "*int(since_event > delay - dt/2)*int(since_event < delay + duration - dt/2)"
    )
    source: ClassVar[str] = f"predicted by {PAPER}"
