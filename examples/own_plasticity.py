"""A plasticity rule of one's own with two third factors: dopamine says how much, acetylcholine says whether at all.

Pairs of spikes mark a synapse; the mark becomes a change of the weight where dopamine is away from its tonic level, in
proportion to acetylcholine, which the cue releases. Compared with the same rule where no acetylcholine comes.
"""

from typing import ClassVar, Literal

import numpy as np

from izhires import Configuration, simulate
from izhires.declare import Drive, Milliseconds, parameter
from izhires.plasticity.base import Plasticity


class Attended(Plasticity):
    """Pairs leave a mark; dopamine above its tonic level, times acetylcholine, makes a change of it."""

    type: Literal["attended"] = "attended"
    tau: Milliseconds = parameter("20 ms", "decay of the traces of spikes", source="this script", gt=0)
    tau_mark: Milliseconds = parameter("500 ms", "decay of the mark", source="this script", gt=0)
    tonic: float = parameter(0.2, "level of dopamine at which nothing changes", source="this script")
    interval: Milliseconds = parameter("5 ms", "time between two changes", source="this script", gt=0)
    w_max: Drive = parameter("4 mV/ms", "largest weight", source="this script", gt=0)

    source: ClassVar[str] = "this script"
    equations: ClassVar[str] = "mark : 1"
    before: ClassVar[dict[str, str]] = {"x": "tau"}
    after: ClassVar[dict[str, str]] = {"y": "tau"}
    on_pre: ClassVar[str] = "mark -= 0.01*y"
    on_post: ClassVar[str] = "mark += 0.01*x"
    update: ClassVar[str] = """
    mark = mark*exp(-interval/tau_mark)
    w = clip(w + learning*w_max*mark*(dopamine - tonic)*acetylcholine, w_low, w_high)
    """

    def factors(self):  # noqa: D102
        return {"dopamine": "dopamine", "acetylcholine": "acetylcholine"}

    def bounds(self):  # noqa: D102
        return 0.0, self.w_max


TASK = {
    "type": "meet",
    "blocks": [{"trials": 20, "latency": {"A": "300 ms", "B": "600 ms"}, "probability": {"A": 0.5, "B": 0.5}}],
}

if __name__ == "__main__":
    for acetylcholine in ("at_cue", "0"):
        configuration = Configuration(
            paradigm=TASK,
            populations={"sensory": {"n": 200, "cue_share": 0.5}},
            neuromodulators={
                "dopamine": {"tonic": 0.2, "tau_decay": "200 ms"},
                "acetylcholine": {"release": acetylcholine, "tau_decay": "500 ms"},
            },
            connections={
                "forward": {
                    "from": "sensory",
                    "to": "cells",
                    "wiring": {"degree": 20},
                    "weight": "0.5 mV/ms",
                    "plasticity": "attended",
                    "learns": "learn(t)",
                }
            },
        )
        weights = simulate(configuration, seed=0)["forward_weight"].values
        change = np.abs(weights[1] - weights[0]).mean()
        print(f"acetylcholine released by {acetylcholine!r}: mean change of a weight {change:.4f} mV/ms")
