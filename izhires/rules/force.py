"""FORCE: recursive least squares, online."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import Milliseconds, parameter
from izhires.rules.base import Rule


class Force(Rule):
    """Recursive least squares, the rule of FORCE learning, weighted by the gate.

    With P the inverse of the summed correlations of the states and g the gate:
    k = P s, w += g*(target - z)*k/(1 + g*s'k), P -= g*k k'/(1 + g*s'k), and P = 1/penalty at the beginning.
    So w is at any time the weighted ridge regression on all that was seen, with the penalty penalty*|w|^2, or, where P
    began anew, penalty*|w - w0|^2 from the weights w0 of that moment. The rule is not local: k of a cell depends on all
    cells. Channels that learn in different trials have a matrix P each; those that learn together share one, weighted
    by the mean of their gates.
    """

    type: Literal["force"] = "force"
    penalty: float = parameter(100.0, "weight of |w|^2 beside the summed squared errors; P(0) is its inverse", gt=0)
    interval: Milliseconds = parameter("4 ms", "time between two updates", gt=0)
    reset_at_switch: bool = parameter(False, "begin P anew when a block begins: the rule is told of the switch")

    schedule: ClassVar[Literal["step", "trial"]] = "step"
    inverse: ClassVar[bool] = True
    channel_sums: ClassVar[dict[str, str]] = {"gates": "has_target*gate", "channels": "has_target"}
    population_equations: ClassVar[str] = """
    weight : 1
    resetting : 1
    last_block : 1
    """
    # last_block 0 stands for "none yet": blocks are counted from 1 here
    population_update: ClassVar[str] = """
    resetting = int(last_block < 0.5) + int(last_block > 0.5)*reset_at_switch*int(block(t) + 1 > last_block + 0.5)
    last_block = block(t) + 1
    weight = gates/clip(channels, 1, inf)*int((elapsed(t) + dt/2) % interval < dt)
    """
    channel_update: ClassVar[str] = "step = has_target*weight*error/(1 + weight*projected)"
    weight_update: ClassVar[str] = "w += step_post*gain_pre"
    source: ClassVar[str] = (
        "Sussillo & Abbott (2009), doi 10.1016/j.neuron.2009.07.018; for spiking cells Nicola & Clopath (2017), "
        "doi 10.1038/s41467-017-01827-3"
    )
