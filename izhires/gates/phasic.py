"""A neuromodulator's gate: released at the event, rising and decaying with finite time constants."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import model_validator

from izhires.declare import PAPER, Milliseconds, parameter
from izhires.errors import ConfigurationError
from izhires.gates.base import Gate


class Phasic(Gate):
    """Concentration of a neuromodulator: a tonic level, and a transient released at the event.

    G_k = clip(tonic + c_k, 0, 1), where c_k is the sum over the channel's events of
    (exp(-t/tau_decay) - exp(-t/tau_rise))/(its largest value), t from the release. The release is causal, at the event,
    unless `lead` is positive: then it comes that much earlier, as no signal in a brain could.
    """

    type: Literal["phasic"] = "phasic"
    tau_rise: Milliseconds = parameter("100 ms", "time constant of the rise", gt=0)
    tau_decay: Milliseconds = parameter("500 ms", "time constant of the decay", gt=0)
    tonic: float = parameter(0.0, "level without a release", ge=0, le=1)
    lead: Milliseconds = parameter("0 ms", "how long before the event the release comes (0: causal)", ge=0)

    equations: ClassVar[str] = """
    release : 1
    fast : 1
    slow : 1
    """
    # a release counts one step later: what the event itself releases cannot act on the same step
    update: ClassVar[str] = """
    release = has_target*learning*int(event(t) > -0.5)
    release *= int(abs(elapsed(t) - clip(elapsed(t) - since_event - lead, 0*second, inf*second)) < dt/2)
    fast = fast*exp(-dt/tau_rise) + release
    slow = slow*exp(-dt/tau_decay) + release
    """
    # the largest value of the difference of exponentials, with b = tau_decay/tau_rise, is (b - 1)*b**(-b/(b - 1))
    expression: ClassVar[str] = (
        "learning*clip(tonic + (slow - fast)"
        "/((tau_decay/tau_rise - 1)*(tau_decay/tau_rise)**(-(tau_decay/tau_rise)/(tau_decay/tau_rise - 1))), 0, 1)"
    )
    source: ClassVar[str] = f"this project; the limit is stated by {PAPER}"

    @model_validator(mode="after")
    def _rises_first(self) -> Phasic:
        if self.tau_rise >= self.tau_decay:
            raise ConfigurationError(
                f"must be shorter than tau_decay, {self.tau_decay:g} ms, got {self.tau_rise:g} ms", "tau_rise"
            )
        return self
