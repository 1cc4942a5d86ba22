"""Acetylcholine of the cortex."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import Milliseconds, parameter
from izhires.gates.acetylcholine import PARIKH
from izhires.neuromodulators.base import Neuromodulator


class Acetylcholine(Neuromodulator):
    """Acetylcholine: transients of seconds, released at the cue unless another release is stated."""

    type: Literal["acetylcholine"] = "acetylcholine"
    release: str = parameter(
        "at_cue", "what is released in each readout step, as a Brian2 expression", source=PARIKH.partition(";")[0]
    )
    tau_rise: Milliseconds = parameter("300 ms", "how fast what was released reaches the cells", source=PARIKH, ge=0)
    tau_decay: Milliseconds = parameter("2000 ms", "decay of the level", source=PARIKH, gt=0)
    tonic: float = parameter(0.1, "level without a release")

    source: ClassVar[str] = "Parikh et al. (2007), doi 10.1016/j.neuron.2007.08.025"
