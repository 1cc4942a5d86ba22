"""Short-term plasticity: facilitation and depression of what a spike does, which pass within a second."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import Milliseconds, parameter
from izhires.plasticity.base import Plasticity

TSODYKS = "Tsodyks, Pawelzik & Markram (1998), Neural Comput. 10:821, doi 10.1162/089976698300017502"


class ShortTerm(Plasticity):
    r"""A spike does w*u*R: u, the share of what is there that it uses, facilitates; R, what is there, depresses.

    At each arriving spike, s after the one before::

        u = U + u*(1 - U)*exp(-s/tau_facil)
        R = 1 - (1 - R)*exp(-s/tau_rec)

    and after its effect R -= u*R. At the first spike u = U and R = 1. The weight itself stays as it is, and so
    `learns` of the connection has no part in it. The defaults are of a depressing synapse between pyramidal cells; one
    that facilitates has, in the same source, U 0.03, tau_facil 530 ms and tau_rec 130 ms.
    """

    type: Literal["short_term"] = "short_term"
    utilisation: float = parameter(0.67, "share that a single spike uses", source=TSODYKS, symbol="U", gt=0, le=1)
    tau_rec: Milliseconds = parameter("800 ms", "recovery from depression", source=TSODYKS, gt=0)
    tau_facil: Milliseconds = parameter("0 ms", "decay of facilitation; 0: none", source=TSODYKS, ge=0)

    source: ClassVar[str] = TSODYKS
    equations: ClassVar[str] = "used : 1\navailable : 1\nlast_arrival : second"
    initial: ClassVar[dict[str, float]] = {"available": 1.0}
    # a picosecond: no facilitation, without a division by 0
    on_arrival: ClassVar[str] = """
    used = utilisation + used*(1 - utilisation)*exp(-(t - last_arrival)/clip(tau_facil, 1e-12*second, inf*second))
    available = 1 - (1 - available)*exp(-(t - last_arrival)/tau_rec)
    last_arrival = t
    """
    effect: ClassVar[str] = "(w*used*available)"
    on_pre: ClassVar[str] = "available -= used*available"
