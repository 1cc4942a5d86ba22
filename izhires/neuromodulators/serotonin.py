"""Serotonin."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import Milliseconds, parameter
from izhires.neuromodulators.base import Neuromodulator

WAN = "sub-second rise of the sensor in Wan et al. (2021), doi 10.1038/s41593-021-00823-7; value assumed"


class Serotonin(Neuromodulator):
    """Serotonin: released at rewards unless another release is stated, and gone within seconds."""

    type: Literal["serotonin"] = "serotonin"
    tau_rise: Milliseconds = parameter("200 ms", "how fast what was released reaches the cells", source=WAN, ge=0)
    tau_decay: Milliseconds = parameter("3000 ms", "decay of the level", gt=0)
    tonic: float = parameter(0.1, "level without a release")

    source: ClassVar[str] = "Wan et al. (2021), doi 10.1038/s41593-021-00823-7"
