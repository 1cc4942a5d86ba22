"""Phasic dopamine."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import Milliseconds, parameter
from izhires.gates.phasic import Phasic

SUN = "order of the sensor's on and off times in Sun et al. (2018), doi 10.1016/j.cell.2018.06.042; value assumed"


class Dopamine(Phasic):
    """Dopamine: released at the event, there within 100 ms, gone within a second (see `Phasic`)."""

    type: Literal["dopamine"] = "dopamine"  # type: ignore[assignment]
    tau_rise: Milliseconds = parameter("100 ms", "time constant of the rise", source=SUN, gt=0)
    tau_decay: Milliseconds = parameter("700 ms", "time constant of the decay", source=SUN, gt=0)
    tonic: float = parameter(0.05, "level without a release", ge=0, le=1)

    source: ClassVar[str] = (
        "Sun et al. (2018), doi 10.1016/j.cell.2018.06.042; the window after activity in which dopamine acts: "
        "Yagishita et al. (2014), doi 10.1126/science.1255514"
    )
