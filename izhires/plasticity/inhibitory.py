"""Inhibitory plasticity: inhibition of a cell grows until the cell fires at a target rate."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import Drive, Hertz, Milliseconds, parameter
from izhires.plasticity.base import Plasticity

VOGELS = "Vogels et al. (2011), Science 334:1569, doi 10.1126/science.1211095"


class Inhibitory(Plasticity):
    r"""Symmetric pairs strengthen inhibition, every arriving spike weakens it: the target's rate goes to `target`.

    With x and y the traces of arriving spikes and of the target's, and m = -w the strength::

        a spike arrives:  m += eta*w_max*(y - 2*target*tau)
        target fires:     m += eta*w_max*x

    Where the spikes of both are independent, the mean change is 0 when the target cell fires at `target`. Weights stay
    between -w_max and 0.
    """

    type: Literal["inhibitory"] = "inhibitory"
    eta: float = parameter(1e-4, "share of w_max that one pair adds at most", source=VOGELS, gt=0)
    target: Hertz = parameter("3 Hz", "rate of the target cells", source=VOGELS, symbol="rho_0", gt=0)
    tau: Milliseconds = parameter("20 ms", "decay of both traces", source=VOGELS, gt=0)
    w_max: Drive = parameter("10 mV/ms", "largest strength", gt=0)

    source: ClassVar[str] = VOGELS
    sign: ClassVar[Literal["any", "excitatory", "inhibitory"]] = "inhibitory"
    before: ClassVar[dict[str, str]] = {"x": "tau"}
    after: ClassVar[dict[str, str]] = {"y": "tau"}
    on_pre: ClassVar[str] = "w = clip(w - learning*eta*w_max*(y - 2*target*tau), w_low, w_high)"
    on_post: ClassVar[str] = "w = clip(w - learning*eta*w_max*x, w_low, w_high)"

    def bounds(self) -> tuple[float, float]:  # noqa: D102
        return -self.w_max, 0.0
