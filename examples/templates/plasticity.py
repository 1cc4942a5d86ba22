"""Template of a plasticity rule: name it in ``plasticity`` of a connection, see docs/plasticity.md."""

from typing import ClassVar, Literal

from izhires import Plasticity
from izhires.declare import Drive, Milliseconds, parameter


class MyPlasticity(Plasticity):
    """Pairs of spikes: an arrival weakens by the trace y of the target, a spike of the target strengthens by x."""

    type: Literal["my_plasticity"] = "my_plasticity"
    tau: Milliseconds = parameter("20 ms", "decay of both traces", source="assumed", gt=0)
    step: float = parameter(0.005, "change for a pair, of the largest weight", source="assumed", ge=0)
    w_max: Drive = parameter("4 mV/ms", "largest weight", source="assumed", gt=0)

    before: ClassVar[dict[str, str]] = {"x": "tau"}
    after: ClassVar[dict[str, str]] = {"y": "tau"}
    on_pre: ClassVar[str] = "w = clip(w - learning*step*w_max*y, w_low, w_high)"
    on_post: ClassVar[str] = "w = clip(w + learning*step*w_max*x, w_low, w_high)"
    source: ClassVar[str] = "this script"

    def bounds(self) -> tuple[float, float]:
        """Return what every weight lies between, mV/ms."""
        return 0.0, self.w_max
