"""The attention gate: open around the latency of the event that occurs."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import PAPER, Milliseconds, parameter
from izhires.gates.base import Gate


class EventWindow(Gate):
    """Open for the channels that learn from the trial: fully around the event, elsewhere as far as they predict.

    G_k = 1 within +-half_width of the event, else clip(z_k, baseline, 1): what the channel predicts at the wrong time
    is unlearned. With ``closed_outside = true`` it is 0 outside, the literal window.
    """

    type: Literal["event_window"] = "event_window"
    half_width: Milliseconds = parameter("150 ms", "half of the window in which the gate is fully open", gt=0)
    baseline: float = parameter(0.2, "smallest opening outside the window", ge=0, le=1)
    closed_outside: bool = parameter(False, "close the gate outside the window (the literal window of the paper)")

    # + dt/2: rounding of since_event must not decide whether the edge itself, a whole step, is inside
    expression: ClassVar[str] = (
        "learning*has_target*(int(abs(since_event) < half_width + dt/2)"
        " + int(abs(since_event) >= half_width + dt/2)*(1 - closed_outside)*clip(z, baseline, 1))"
    )
    source: ClassVar[str] = f"{PAPER}; its width is not known to us"
