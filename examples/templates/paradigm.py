"""Template of a task: ``izhires run my-task --import paradigm.py --out results/my-task``."""

from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from izhires.declare import parameter
from izhires.paradigms import FixedTrials
from izhires.paradigms.experiment import CUE, Experiment


class MyTask(FixedTrials):
    """After the cue comes A, early or late, with equal chances; a probe after every few trials."""

    type: Literal["my_task"] = "my_task"
    trials: int = parameter(40, "training trials", source="assumed", ge=1)
    probe_every: int = parameter(10, "training trials between two probes", source="assumed", ge=1)

    source: ClassVar[str] = "this script"

    def experiment(self, rng: np.random.Generator, variant: str = "") -> Experiment:
        """Draw the trials."""
        self.check_generator(rng)
        self.check_variant(variant)
        latencies = (0.3, 0.6)
        rows = [("", np.nan, "warm-up")] * self.warm_up + [("", np.nan, "probe")]
        for number in range(1, self.trials + 1):
            rows.append(("A", rng.choice(latencies), "train"))
            if number % self.probe_every == 0:
                rows.append(("", np.nan, "probe"))
        trials = pd.DataFrame(rows, columns=["event", "latency", "kind"]).assign(block=0, cue_name=CUE)
        outcomes = pd.DataFrame({"block": 0, "event": "A", "latency": latencies, "probability": 0.5, "cue_name": CUE})
        return self.lay_out(trials, outcomes, events=("A",), cues=(CUE,), variant=variant)
