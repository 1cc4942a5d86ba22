"""Phasic acetylcholine."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import Milliseconds, parameter
from izhires.gates.phasic import Phasic

PARIKH = "seconds-long transients in Parikh et al. (2007), doi 10.1016/j.neuron.2007.08.025; value assumed"


class Acetylcholine(Phasic):
    """Acetylcholine of the cortex: a transient of seconds, which outlasts the trial that released it (see `Phasic`)."""

    type: Literal["acetylcholine"] = "acetylcholine"  # type: ignore[assignment]
    tau_rise: Milliseconds = parameter("300 ms", "time constant of the rise", source=PARIKH, gt=0)
    tau_decay: Milliseconds = parameter("2000 ms", "time constant of the decay", source=PARIKH, gt=0)
    tonic: float = parameter(0.1, "level without a release", ge=0, le=1)

    source: ClassVar[str] = "Parikh et al. (2007), doi 10.1016/j.neuron.2007.08.025"
