"""Two-factor Hebbian rule: presynaptic activity x identity error, at the end of each trial."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import PAPER, parameter
from izhires.rules.base import Rule


class TwoFactor(Rule):
    """Presynaptic activity x identity error at the end of a trial: dw_k = rate*(outcome_k - q_k)*x/(|x|^2 + 1 Hz^2)."""

    type: Literal["two_factor"] = "two_factor"
    rate: float = parameter(0.05, "learning rate: share of the error removed by one trial", symbol="alpha", gt=0, le=1)

    schedule: ClassVar[Literal["step", "trial"]] = "trial"
    equations: ClassVar[str] = "step : second**2"
    channel_update: ClassVar[str] = "step = learning*rate*error/(power + 1*Hz**2)"
    weight_update: ClassVar[str] = "w += step_post*x_pre"
    source: ClassVar[str] = f"{PAPER}; Widrow & Hoff (1960), doi 10.21236/AD0241531; its rate is not published"
