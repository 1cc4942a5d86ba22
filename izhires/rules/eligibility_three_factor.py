"""Three-factor rule with an eligibility trace: errors mark synapses, a gate that comes later changes them."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import Milliseconds, PerMillisecond, parameter
from izhires.rules.base import Rule


class EligibilityThreeFactor(Rule):
    """Normalised three-factor rule whose errors are held by an eligibility trace E until the gate opens.

    tau dE_k/dt = -E_k + h_k*(target_k - z_k)*s, and dw_k/dt = G_k*E_k, with the step h_k of the rule
    ``normalised_three_factor``. Both are renewed by exact steps: E_k <- e*E_k + (1 - e)*h_k*(target_k - z_k)*s with
    e = exp(-dt/tau). At tau = 0 it is the normalised rule.
    """

    type: Literal["eligibility_three_factor"] = "eligibility_three_factor"
    rate: PerMillisecond = parameter("0.005 1/ms", "learning rate", symbol="eta", gt=0)
    surprise_gain: float = parameter(5.0, "how much a missed time speeds learning up", ge=0)
    surprise_rate: float = parameter(0.4, "how fast the timing surprise A follows, per event", ge=0, le=1)
    tau_eligibility: Milliseconds = parameter(
        "500 ms",
        "decay of the eligibility trace",
        source="0.3 to 2 s in Yagishita et al. (2014), doi 10.1126/science.1255514; value assumed",
        symbol="tau",
        ge=0,
    )

    schedule: ClassVar[Literal["step", "trial"]] = "step"
    equations: ClassVar[str] = """
    surprise : 1
    hold : 1
    mark : 1
    step : 1
    """
    initial: ClassVar[dict[str, str | float]] = {"surprise": 0.0}
    # a picosecond: no trace, without a division by 0
    channel_update: ClassVar[str] = """
    surprise += at_event*occurs*learning*surprise_rate*(abs(1 - z) - surprise)
    hold = exp(-dt/clip(tau_eligibility, 1e-12*second, inf*second))
    mark = clip(2*rate*dt*(1 + surprise_gain*surprise)/(power + mean_power + 1), 0, 1/(power + 1))*error
    mark = mark*learning*in_window
    step = gate
    """
    weight_equations: ClassVar[str] = "eligibility : 1"
    active: ClassVar[str] = "t >= 0*second"
    weight_update: ClassVar[str] = """
    eligibility = hold_post*eligibility + (1 - hold_post)*mark_post*s_pre
    w += step_post*eligibility
    """
    source: ClassVar[str] = (
        "eligibility traces: Gerstner et al. (2018), doi 10.3389/fncir.2018.00053; Izhikevich (2007), "
        "doi 10.1093/cercor/bhl152; the rule itself: see normalised_three_factor"
    )
