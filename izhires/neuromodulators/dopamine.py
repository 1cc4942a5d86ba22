"""Dopamine, released at rewards."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import Milliseconds, parameter
from izhires.gates.dopamine import KINETICS
from izhires.neuromodulators.base import Neuromodulator


class Dopamine(Neuromodulator):
    """Dopamine: released at rewards, there within 100 ms, gone within a second."""

    type: Literal["dopamine"] = "dopamine"
    tau_rise: Milliseconds = parameter("100 ms", "how fast what was released reaches the cells", source=KINETICS, ge=0)
    tau_decay: Milliseconds = parameter("700 ms", "decay of the level", source=KINETICS, gt=0)
    tonic: float = parameter(0.05, "level without a release")

    source: ClassVar[str] = "kinetics assumed, after a sensor of Sun et al. (2018), doi 10.1016/j.cell.2018.06.042"
