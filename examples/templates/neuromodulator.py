"""Template of a neuromodulator with kinetics of its own; who listens names it, see docs/neuromodulation.md."""

from typing import ClassVar, Literal

from izhires import Neuromodulator
from izhires.declare import Milliseconds, parameter


class MySubstance(Neuromodulator):
    """Released at the cue, slow to come and slow to go."""

    type: Literal["my_substance"] = "my_substance"
    release: str = parameter("at_cue", "what is released in each readout step", source="assumed")
    tau_rise: Milliseconds = parameter("100 ms", "how fast what was released reaches the cells", source="assumed", ge=0)
    tau_decay: Milliseconds = parameter("1500 ms", "decay of the level", source="assumed", gt=0)

    source: ClassVar[str] = "this script"
