"""Spike-timing-dependent plasticity of pairs of spikes."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import Drive, Milliseconds, parameter
from izhires.plasticity.base import Plasticity, Texts

SONG = "Song, Miller & Abbott (2000), Nat. Neurosci. 3:919, doi 10.1038/78829"
GUETIG = "Guetig et al. (2003), J. Neurosci. 23:3697, doi 10.1523/JNEUROSCI.23-09-03697.2003"
MORRISON = "Morrison, Diesmann & Gerstner (2008), Biol. Cybern. 98:459, doi 10.1007/s00422-008-0233-1"


class Stdp(Plasticity):
    r"""Pairs of spikes: one that arrives before its target fires strengthens the synapse, one after weakens it.

    With x and y the traces of arriving spikes and of the target's::

        target fires:     w += A_plus*w_max*(1 - w/w_max)**mu*x
        a spike arrives:  w -= A_minus*w_max*(w/w_max)**mu*y

    mu = 0 is additive, mu = 1 multiplicative. All pairs count, or the nearest ones only. Weights stay between 0 and
    w_max: with hard bounds what goes beyond is cut off.
    """

    type: Literal["stdp"] = "stdp"
    a_plus: float = parameter(0.005, "share of w_max that one pair adds at most", source=SONG, symbol="A_plus", ge=0)
    a_minus: float = parameter(
        0.00525, "share of w_max that one pair takes at most", source=SONG, symbol="A_minus", ge=0
    )
    tau_plus: Milliseconds = parameter("20 ms", "decay of the trace of arriving spikes", source=SONG, gt=0)
    tau_minus: Milliseconds = parameter("20 ms", "decay of the trace of the target's spikes", source=SONG, gt=0)
    mu: float = parameter(
        0.0, "how much a change depends on the weight: 0 additive, 1 multiplicative", source=GUETIG, ge=0, le=1
    )
    w_max: Drive = parameter("1 mV/ms", "largest weight", gt=0)
    pairs: Literal["all", "nearest"] = parameter("all", "which pairs count", source=MORRISON)

    source: ClassVar[str] = f"{SONG}; {GUETIG}; {MORRISON}"
    sign: ClassVar[Literal["any", "excitatory", "inhibitory"]] = "excitatory"
    before: ClassVar[dict[str, str]] = {"x": "tau_plus"}
    after: ClassVar[dict[str, str]] = {"y": "tau_minus"}

    def texts(self) -> Texts:
        """Return the texts of this mu: the commonest two need no power, which would take most of the time."""
        down = {0.0: "w_max", 1.0: "w"}.get(self.mu, "w_max*(w/w_max)**mu")
        up = {0.0: "w_max", 1.0: "(w_max - w)"}.get(self.mu, "w_max*(1 - w/w_max)**mu")
        return Texts(
            pre=f"w = clip(w - learning*a_minus*{down}*y, w_low, w_high)",
            post=f"w = clip(w + learning*a_plus*{up}*x, w_low, w_high)",
        )

    def nearest(self) -> tuple[str, ...]:  # noqa: D102
        return ("x", "y") if self.pairs == "nearest" else ()

    def bounds(self) -> tuple[float, float]:  # noqa: D102
        return 0.0, self.w_max
