"""A task of one's own: a rhythm of three beats after each cue, any of which may be missing.

    izhires run rhythm --import examples/own_paradigm.py --seeds 100:105 --out results/rhythm
    python examples/own_paradigm.py

Its blocks could also be declared (`meet` with ``independent = true``) or stand in a table (``latency_NAME``); here the
trials are made in Python. The second command prints, for five seeds, when each beat is expected and how far each is.
"""

from typing import Literal

import numpy as np
import pandas as pd

from izhires import Configuration, simulate
from izhires.analysis.statistics import t_interval
from izhires.declare import Milliseconds, parameter
from izhires.paradigms.base import FixedTrials
from izhires.paradigms.experiment import CUE, Experiment


class Rhythm(FixedTrials):
    """Beats at equal intervals, each of which comes or stays away by itself."""

    type: Literal["rhythm"] = "rhythm"
    source = "this script"
    interval: Milliseconds = parameter("250 ms", "time from the cue, and from beat to beat", source="this script", gt=0)
    chances: tuple[float, ...] = parameter((0.9, 0.5, 0.9), "probability of each beat", source="this script")
    trials: int = parameter(100, "training trials; a probe comes before the first and after every tenth", ge=1)

    def experiment(self, rng: np.random.Generator, variant: str = "") -> Experiment:
        """Draw which beats come; see `izhires.paradigms.base.Paradigm.experiment`."""
        beats = tuple(f"beat {k + 1}" for k in range(len(self.chances)))
        times = self.interval / 1e3 * np.arange(1, len(beats) + 1)
        kinds = np.concatenate([["probe"], *(["train"] * 10 + ["probe"] for _ in range(self.trials // 10))])
        comes = (rng.random((len(kinds), len(beats))) < self.chances) & (kinds == "train")[:, None]
        late = pd.DataFrame(np.where(comes, times, np.nan), columns=list(beats))
        first = late.min(axis=1)  # the first event of a trial stands in the table of trials
        trials = pd.DataFrame({"kind": kinds, "block": 0, "cue_name": CUE, "latency": first})
        trials["event"] = late.eq(first, axis=0).idxmax(axis=1).where(first.notna(), "")
        outcomes = pd.DataFrame({"event": beats, "latency": times, "probability": self.chances})
        outcomes = outcomes.assign(block=0, cue_name=CUE)
        return self.lay_out(trials, outcomes, events=beats, cues=(CUE,), variant=variant, latencies=late)


if __name__ == "__main__":
    found = [simulate(Configuration(paradigm="rhythm"), seed) for seed in range(100, 105)]
    last = [each["prediction"].isel(probe=-1) for each in found]
    for beat, chance in zip(found[0]["event"].values, Rhythm().chances, strict=True):
        peaks = [float(each.sel(event=beat).idxmax("time")) * 1e3 for each in last]
        heights = [float(each.sel(event=beat).max("time")) for each in last]
        for what, values in (("peak (ms)", peaks), (f"height, p = {chance:g}", heights)):
            mean, low, high = t_interval(values)
            print(f"{beat}, {what}: {mean:.3g} [{low:.3g}, {high:.3g}]")
