"""Template of a gate, the third factor of a rule: ``izhires run meet --import gate.py --set when.gate=my_gate ...``."""

from typing import ClassVar, Literal

from izhires import Gate
from izhires.declare import Milliseconds, parameter


class MyGate(Gate):
    """Open in channels that learn from the trial, for some time from its event on."""

    type: Literal["my_gate"] = "my_gate"
    duration: Milliseconds = parameter("100 ms", "how long it is open", source="assumed", gt=0)

    expression: ClassVar[str] = "has_target*learning*int(since_event > -dt/2)*int(since_event < duration - dt/2)"
    source: ClassVar[str] = "this script"
