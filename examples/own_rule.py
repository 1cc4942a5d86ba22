"""A learning rule of one's own: an equation string and a few declared facts, then everything else works with it."""

from typing import ClassVar, Literal

from izhires import Configuration, Rule, simulate


class Decaying(Rule):
    """Two-factor rule whose rate falls as 1/(1 + trials): the average of all trials so far."""

    type: Literal["decaying"] = "decaying"
    schedule: ClassVar[Literal["step", "trial"]] = "trial"
    equations: ClassVar[str] = "trials : 1\nstep : second**2"
    channel_update: ClassVar[str] = "step = learning*error/(1 + trials)/(power + 1*Hz**2)\ntrials += learning"
    weight_update: ClassVar[str] = "w += step_post*x_pre"
    source: ClassVar[str] = "this script"


if __name__ == "__main__":
    block = {"trials": 20, "latency": {"A": "300 ms", "B": "600 ms"}, "probability": {"A": 0.7, "B": 0.3}}
    configuration = Configuration(paradigm={"type": "meet", "blocks": [block]}, what={"rule": "decaying"})
    recording = simulate(configuration, seed=0)
    counted = (recording.trial_event[recording.trial_kind == "train"] == "A").mean()
    print(
        f"what(A) after 20 trials: {float(recording.what.sel(event='A')[-1]):.3f}, frequency of A: {float(counted):.3f}"
    )
