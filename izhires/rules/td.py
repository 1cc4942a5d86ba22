"""Temporal differences: a value that predicts what is still to come."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import Milliseconds, PerMillisecond, parameter
from izhires.rules.base import Rule

SUTTON = "Sutton (1988), doi 10.1007/BF00115009; Sutton & Barto (2018), MIT Press, ch. 12"
SCHULTZ = "Schultz, Dayan & Montague (1997), doi 10.1126/science.275.5306.1593"


class Td(Rule):
    r"""TD(lambda): each channel learns the discounted time to its event, V_k = w_k's, from its own next value.

    Every readout step, with r_k = 1 in the step of event k::

        delta_k = r_k(t) + gamma*V_k(t) - V_k(t - dt)        gamma = exp(-dt/tau_discount)
        w_k    += h*delta_k*e(t - dt)                        h = min(rate*dt/(|s|^2 + <|s|^2> + 1), (1 - c)/(|s|^2 + 1))
        e(t)    = c*e(t - dt) + s(t)                         c = gamma*lambda, lambda = exp(-dt/tau_eligibility)

    so that an event n steps ahead is worth gamma^(n - 1). What the value was a step before is taken as it was read
    then, before that step's learning. The bound on h keeps a step from taking more than all of an error.

    With `between_trials` values are read and learned at all times, so the cue is a surprise only as far as the states
    between trials do not foretell it. Without, V is 0 outside the window: what the cue brings is all surprise, the
    window's end teaches that nothing comes any more, and traces do not outlive a trial. The TD error is the third
    factor: a gate is not asked.
    """

    type: Literal["td"] = "td"
    rate: PerMillisecond = parameter("0.01 1/ms", "learning rate", symbol="eta", gt=0)
    tau_discount: Milliseconds = parameter("2000 ms", "time in which what is to come loses all but 1/e of its worth",
                                           gt=0)  # fmt: skip
    tau_eligibility: Milliseconds = parameter("50 ms", "decay of the eligibility trace; 0: TD(0)", ge=0)
    between_trials: bool = parameter(True, "whether values are read and learned between trials, too")

    schedule: ClassVar[Literal["step", "trial"]] = "step"
    equations: ClassVar[str] = """
    delta : 1
    value : 1
    value_before : 1
    first : 1
    carried : 1
    running : 1
    step : 1
    """
    # a picosecond: no trace, without a division by 0
    channel_update: ClassVar[str] = """
    value_before = value
    value = z*clip(in_window + between_trials, 0, 1)
    delta = occurs*at_event + exp(-dt/tau_discount)*value - value_before
    first = (1 - between_trials)*int(abs(elapsed(t)) < dt/2)
    carried = (1 - first)*exp(-dt/tau_discount)*exp(-dt/clip(tau_eligibility, 1e-12*second, inf*second))
    running = clip(between_trials + learning*(in_window + at_window_end), 0, 1)
    step = learning*(1 - first)*clip(rate*dt/(power + mean_power + 1), 0, (1 - carried)/(power + 1))*delta
    """
    weight_equations: ClassVar[str] = "eligibility : 1"
    active: ClassVar[str] = "running > 0"
    weight_update: ClassVar[str] = """
    w += step_post*eligibility
    eligibility = carried_post*eligibility + s_pre
    """
    source: ClassVar[str] = f"{SUTTON}; {SCHULTZ}"
