"""A learning rule of one's own: an equation string and a few declared facts, then everything else works with it.

Compares it with the package's rule, in a task whose probabilities change half way.
"""

from typing import ClassVar, Literal

import pandas as pd

from izhires import Configuration, Rule, simulate
from izhires.analysis.statistics import t_interval


class Decaying(Rule):
    """Two-factor rule whose rate falls as 1/(1 + trials): the average of all trials so far."""

    type: Literal["decaying"] = "decaying"
    schedule: ClassVar[Literal["step", "trial"]] = "trial"
    equations: ClassVar[str] = "trials : 1\nstep : second**2"
    channel_update: ClassVar[str] = "step = learning*error/(1 + trials)/(power + 1*Hz**2)\ntrials += learning"
    weight_update: ClassVar[str] = "w += step_post*x_pre"
    source: ClassVar[str] = "this script"


LATENCY = {"A": "300 ms", "B": "600 ms"}
BLOCKS = [
    {"trials": 40, "latency": LATENCY, "probability": {"A": 0.8, "B": 0.2}},
    {"trials": 40, "latency": LATENCY, "probability": {"A": 0.2, "B": 0.8}},
]

if __name__ == "__main__":
    rows = []
    for rule in ("surprise_two_factor", "decaying"):
        configuration = Configuration(paradigm={"type": "meet", "blocks": BLOCKS}, what={"rule": rule})
        for seed in range(3):
            recording = simulate(configuration, seed)
            for block, probability in enumerate((0.8, 0.2)):
                last = recording.what.sel(event="A").values[recording.block == block][-1]
                rows.append((rule, f"P(A) = {probability}", abs(last - probability)))
    table = pd.DataFrame(rows, columns=["rule", "block", "error"])
    print("error of what(A) at the end of a block, mean [95% interval] over 3 seeds")
    cells = table.groupby(["rule", "block"], sort=False)["error"].apply(
        lambda e: "{:.3f} [{:.3f}, {:.3f}]".format(*t_interval(e))
    )
    print(cells.unstack().to_string())
