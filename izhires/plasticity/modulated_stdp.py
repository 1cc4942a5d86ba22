"""Pairs of spikes mark a synapse, and a neuromodulator that comes later changes it."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import Drive, Milliseconds, PerMillisecond, parameter
from izhires.plasticity.base import Plasticity

IZHIKEVICH = "Izhikevich (2007), Cereb. Cortex 17:2443, doi 10.1093/cercor/bhl152"
FREMAUX = "Fremaux & Gerstner (2016), Front. Neural Circuits 9:85, doi 10.3389/fncir.2015.00085"


class ModulatedStdp(Plasticity):
    r"""Pairs of spikes leave an eligibility that decays; a neuromodulator turns it into a change of the weight.

    With x and y the traces of arriving spikes and of the target's, c the ``eligibility``, and h what the receptors make
    of the levels of one or two neuromodulators::

        target fires:     c += a_plus*x
        a spike arrives:  c -= a_minus*y
        between spikes:   dc/dt = -c/tau_c
        every interval:   w += rate*w_max*c*h*interval

    h is `response` times `further_response`. By default it is the level above its baseline: below it, what would have
    strengthened a synapse weakens it. Receptors of other kinds are other expressions of ``level``, as D1-like
    ``"level/(level + 0.5)"`` and D2-like ``"-1/(1 + exp((level - 0.1)/0.02))"``; a second neuromodulator, by the name
    `further`, is ``further_level`` in `further_response`.

    Between two intervals the synapse holds c as it would have been at the last one, so that its decay is exact and
    costs nothing. Weights stay between 0 and w_max. `learns` of the connection gates both marks and changes. Amplitudes
    are those of the program that the source offers, whose weights reach 4 mV.
    """

    type: Literal["modulated_stdp"] = "modulated_stdp"
    modulator: str = parameter("dopamine", "name of the neuromodulator", source="by choice")
    response: str = parameter("level - baseline", "what its level does, as a Brian2 expression", source=IZHIKEVICH)
    baseline: float = parameter(0.0, "level at which nothing changes")
    further: str = parameter("", "name of a second neuromodulator; none when empty", source="by choice")
    further_response: str = parameter(
        "1", "what its level does, as a Brian2 expression of further_level", source=FREMAUX
    )
    a_plus: float = parameter(0.025, "eligibility that one pair adds at most", source=IZHIKEVICH, symbol="A_plus", ge=0)
    a_minus: float = parameter(
        0.0375, "eligibility that one pair takes at most", source=IZHIKEVICH, symbol="A_minus", ge=0
    )
    tau_plus: Milliseconds = parameter("20 ms", "decay of the trace of arriving spikes", source=IZHIKEVICH, gt=0)
    tau_minus: Milliseconds = parameter("20 ms", "decay of the trace of the target's spikes", source=IZHIKEVICH, gt=0)
    tau_c: Milliseconds = parameter("1000 ms", "decay of the eligibility", source=IZHIKEVICH, gt=0)
    rate: PerMillisecond = parameter("0.1 1/ms", "change at c = h = 1, as a share of w_max", source=IZHIKEVICH, gt=0)
    interval: Milliseconds = parameter("10 ms", "time between two changes of the weights", source=IZHIKEVICH, gt=0)
    w_max: Drive = parameter("1 mV/ms", "largest weight", gt=0)

    source: ClassVar[str] = f"{IZHIKEVICH}; {FREMAUX}"
    sign: ClassVar[Literal["any", "excitatory", "inhibitory"]] = "excitatory"
    equations: ClassVar[str] = "eligibility : 1\nrenewed : second (shared)"
    before: ClassVar[dict[str, str]] = {"x": "tau_plus"}
    after: ClassVar[dict[str, str]] = {"y": "tau_minus"}
    on_pre: ClassVar[str] = "eligibility -= learning*a_minus*y*exp((t - renewed)/tau_c)"
    on_post: ClassVar[str] = "eligibility += learning*a_plus*x*exp((t - renewed)/tau_c)"
    update: ClassVar[str] = """
    renewed = t
    eligibility = eligibility*exp(-interval/tau_c)
    w = clip(w + learning*rate*interval*w_max*eligibility*modulation, w_low, w_high)
    """

    def factors(self) -> dict[str, str]:  # noqa: D102
        return {"level": self.modulator, **({"further_level": self.further} if self.further else {})}

    def expressions(self) -> dict[str, str]:  # noqa: D102
        return {"modulation": f"({self.response})*({self.further_response})"}

    def bounds(self) -> tuple[float, float]:  # noqa: D102
        return 0.0, self.w_max
