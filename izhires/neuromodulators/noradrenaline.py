"""Noradrenaline."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import Milliseconds, parameter
from izhires.neuromodulators.base import Neuromodulator

FENG = "sub-second sensor in Feng et al. (2019), doi 10.1016/j.neuron.2019.02.037; value assumed"


class Noradrenaline(Neuromodulator):
    """Noradrenaline: released at every event of the task unless another release is stated, gone within a second."""

    type: Literal["noradrenaline"] = "noradrenaline"
    release: str = parameter("at_event", "what is released in each readout step, as a Brian2 expression")
    tau_rise: Milliseconds = parameter("100 ms", "how fast what was released reaches the cells", source=FENG, ge=0)
    tau_decay: Milliseconds = parameter("700 ms", "decay of the level", source=FENG, gt=0)
    tonic: float = parameter(0.1, "level without a release")

    source: ClassVar[str] = "Feng et al. (2019), doi 10.1016/j.neuron.2019.02.037"
