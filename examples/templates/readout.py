"""Template of a readout: ``[readouts.mine]`` with ``type = "my_readout"``; recorded as mine, trial_mine."""

from typing import Literal

from izhires.declare import chosen, parameter
from izhires.readouts.trial import Trial
from izhires.rules.base import Rule


class MyReadout(Trial):
    """Read at the end of the window, by default with the plain two-factor rule."""

    type: Literal["my_readout"] = "my_readout"  # type: ignore[assignment]
    rule: chosen(Rule, "two_factor") = parameter("two_factor", "learning rule", source="assumed")  # type: ignore[valid-type]
