"""Phasic dopamine."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import Milliseconds, parameter
from izhires.gates.phasic import Phasic

KINETICS = (
    "assumed: no measured release and clearance; of the order of what the sensor of Sun et al. (2018), "
    "doi 10.1016/j.cell.2018.06.042, shows, whose own on and off times are in it"
)


class Dopamine(Phasic):
    """Dopamine: released at the event, there within 100 ms, gone within a second (see `Phasic`)."""

    type: Literal["dopamine"] = "dopamine"  # type: ignore[assignment]
    tau_rise: Milliseconds = parameter("100 ms", "time constant of the rise", source=KINETICS, gt=0)
    tau_decay: Milliseconds = parameter("700 ms", "time constant of the decay", source=KINETICS, gt=0)
    tonic: float = parameter(0.05, "level without a release", ge=0, le=1)

    source: ClassVar[str] = (
        "kinetics assumed, after a sensor of Sun et al. (2018), doi 10.1016/j.cell.2018.06.042; "
        "the window after activity in which dopamine acts: "
        "Yagishita et al. (2014), doi 10.1126/science.1255514"
    )
