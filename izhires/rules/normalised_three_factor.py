"""Three-factor rule whose step is divided by the power of the activity and grows while the event's time is missed."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import PAPER, PerMillisecond, parameter
from izhires.rules.base import Rule


class NormalisedThreeFactor(Rule):
    """Three-factor rule with a step normalised by |s|^2 and raised by timing surprise A_k.

    dw_k/dt = min(2*rate*(1 + gain*A_k)/(|s|^2 + <|s|^2> + 1), 1/((|s|^2 + 1) dt)) * G_k*(target_k - z_k)*s,
    and A_k moves by surprise_rate*(|1 - z_k| - A_k) at the moment event k occurs.
    """

    type: Literal["normalised_three_factor"] = "normalised_three_factor"
    rate: PerMillisecond = parameter("0.01 1/ms", "learning rate", symbol="eta", gt=0)
    surprise_gain: float = parameter(5.0, "how much a missed time speeds learning up", ge=0)
    surprise_rate: float = parameter(0.4, "how fast the timing surprise A follows, per event", ge=0, le=1)

    schedule: ClassVar[Literal["step", "trial"]] = "step"
    equations: ClassVar[str] = """
    surprise : 1
    step : 1
    """
    initial: ClassVar[dict[str, str | float]] = {"surprise": 0.0}
    # + 1 keeps the step finite while every cell is silent; |s|^2 is of the order of the number of cells
    channel_update: ClassVar[str] = """
    surprise += at_event*occurs*learning*surprise_rate*(abs(1 - z) - surprise)
    step = clip(2*rate*dt*(1 + surprise_gain*surprise)/(power + mean_power + 1), 0, 1/(power + 1))*gate*error
    """
    weight_update: ClassVar[str] = "w += step_post*s_pre"
    source: ClassVar[str] = (
        f"after {PAPER}; "
        "normalisation: Nagumo & Noda (1967), doi 10.1109/TAC.1967.1098599; "
        "surprise: Pearce & Hall (1980), doi 10.1037/0033-295X.87.6.532"
    )
