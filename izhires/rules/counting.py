"""Rule that counts: a readout whose output is the number of times that its outcome has occurred."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import PAPER, parameter
from izhires.rules.base import Rule


class Counting(Rule):
    """Adds one to the readout each time its outcome occurs: dw_k = (outcome_k - forgetting*q_k)*x/(|x|^2 + 1 Hz^2).

    Two such readouts a, b, of the event and of its absence, give the Beta posterior of the event's probability,
    Beta(1 + a, 1 + b): without forgetting that of all trials; with forgetting f one that remembers about 1/f trials.
    """

    type: Literal["counting"] = "counting"
    forgetting: float = parameter(0.0, "share of the count that a trial removes", symbol="f", ge=0, lt=1)

    schedule: ClassVar[Literal["step", "trial"]] = "trial"
    equations: ClassVar[str] = "step : second**2"
    channel_update: ClassVar[str] = "step = learning*(outcome - forgetting*q)/(power + 1*Hz**2)"
    weight_update: ClassVar[str] = "w += step_post*x_pre"
    source: ClassVar[str] = (
        f"this project; the Beta posterior as the confidence that is proposed to be read out by {PAPER}"
    )
