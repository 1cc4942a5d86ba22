"""Presynaptic-dependent scaling: a cell that fires too little strengthens the synapses of those who fire."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import Drive, Hertz, Milliseconds, parameter
from izhires.plasticity.base import Plasticity

LIU = "Liu & Buonomano (2009), J. Neurosci. 29:13172, doi 10.1523/JNEUROSCI.2358-09.2009"


class PresynapticScaling(Plasticity):
    r"""The weights onto a cell are scaled toward a target rate, each in proportion to the rate of its own source.

    With x and y the running mean rates of the source and the target, every interval::

        w *= 1 + share*(x/target)*(1 - y/target)

    In the source the rates are spikes a trial and the change is once a trial. Weights stay between 0 and w_max; one of
    0 stays 0.
    """

    type: Literal["presynaptic_scaling"] = "presynaptic_scaling"
    share: float = parameter(0.01, "change in one interval where the source fires at the target rate", gt=0, le=1)
    target: Hertz = parameter("5 Hz", "rate of the target cells", gt=0)
    tau_rate: Milliseconds = parameter("2000 ms", "memory of the running mean rates", gt=0)
    interval: Milliseconds = parameter("100 ms", "time between two changes of the weights", gt=0)
    w_max: Drive = parameter("10 mV/ms", "largest weight", gt=0)

    source: ClassVar[str] = LIU
    sign: ClassVar[Literal["any", "excitatory", "inhibitory"]] = "excitatory"
    before: ClassVar[dict[str, str]] = {"x": "tau_rate"}
    after: ClassVar[dict[str, str]] = {"y": "tau_rate"}
    update: ClassVar[str] = """
    w = clip(w*(1 + learning*share*(x/(tau_rate*target))*(1 - y/(tau_rate*target))), w_low, w_high)
    """

    def bounds(self) -> tuple[float, float]:  # noqa: D102
        return 0.0, self.w_max
