"""Template of a learning rule: ``izhires run meet --import rule.py --set when.rule=my_rule --out results/my``."""

from typing import ClassVar, Literal

from izhires import Rule
from izhires.declare import PerMillisecond, parameter


class MyRule(Rule):
    """Presynaptic activity x timing error x gate, every readout step: dw_k/dt = rate*G_k*(target_k - z_k)*s."""

    type: Literal["my_rule"] = "my_rule"
    rate: PerMillisecond = parameter("5e-5 1/ms", "learning rate", source="assumed", ge=0)

    schedule: ClassVar[Literal["step", "trial"]] = "step"
    channel_update: ClassVar[str] = "step = rate*dt*gate*error"
    weight_update: ClassVar[str] = "w += step_post*s_pre"
    source: ClassVar[str] = "this script"
