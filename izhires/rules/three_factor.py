"""Three-factor Hebbian rule: presynaptic activity x timing error x attention gate."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import PAPER, PerMillisecond, parameter
from izhires.rules.base import Rule


class ThreeFactor(Rule):
    """Presynaptic activity x timing error x gate, every readout step: dw_k/dt = rate*G_k*(target_k - z_k)*s."""

    type: Literal["three_factor"] = "three_factor"
    rate: PerMillisecond = parameter("2e-5 1/ms", "learning rate", symbol="eta", gt=0)

    schedule: ClassVar[Literal["step", "trial"]] = "step"
    channel_update: ClassVar[str] = "step = rate*dt*gate*error"
    weight_update: ClassVar[str] = "w += step_post*s_pre"
    source: ClassVar[str] = f"{PAPER}; its rate is not known to us"
