"""What happens when the statistics switch, and which readout follows which switch."""

from __future__ import annotations

import numpy as np

from izhires.analysis.claims.base import OURS, Criterion, Runs, claim, probe_error

TIMING, PROBABILITY, BOTH = SWITCHES = 1, 2, 3
"""Blocks of the default task after a switch of timing, of probability, and of both."""


FROZEN = {
    "frozen_when": "the timing readout frozen after the first block",
    "frozen_what": "the identity readout frozen after the first block",
    "frozen_late": "both readouts frozen at this switch",
}


def left(runs: Runs, study: str, block: int, trial: int = 20) -> float:
    """Return the error some trials after a switch, over that of the last probe before it against the new statistics."""
    from izhires.analysis.metrics.base import ALL_EVENTS
    from izhires.analysis.metrics.recovery import courses

    course = courses(runs[study][0], block)[ALL_EVENTS]
    return float(course.errors[course.trials == trial][0] / course.before)


def _recalibration(name: str, what: str, block: int, frozen: str, limit: float = 0.5) -> None:
    @claim(
        f"recalibration_{name}",
        statement=f"predictions recalibrate rapidly when {what} switches",
        published="rapid, no figure",
        ours="error 20 trials after the switch over that just before it",
        control=f"with {FROZEN[frozen]}",
        studies=("default", frozen),
        tests={
            "ours": Criterion("share of the error that is left (limit assumed)", "<", limit),
            "difference": Criterion("control less ours", ">", 0),
        },
    )
    def measure(runs: Runs) -> dict[str, float]:
        return {"ours": left(runs, "default", block), "control": left(runs, frozen, block)}

    measure.__qualname__ = f"recalibration_{name}"


_recalibration("timing", "timing", TIMING, "frozen_when")
_recalibration("probability", "probability", PROBABILITY, "frozen_what")
# the last block is much like the first, so what is frozen must be what came between
_recalibration("both", "timing and probability", BOTH, "frozen_late")


@claim(
    "no_overshoot_no_drift",
    statement="after a switch the error neither overshoots nor drifts",
    published="none, no figure",
    ours="largest error after a switch over that just before it, mean over switches",
    control="with the merged readout",
    studies=("default", "merged"),
    tests={
        "ours": Criterion("largest error after over before (margin assumed)", "<", 1.1),
        "late": Criterion("error at trial 100 over that at trial 50 (margin assumed)", "<", 1.1),
        "difference": Criterion("control less ours", ">", 0),
    },
)
def no_overshoot_no_drift(runs: Runs) -> dict[str, float]:
    """Largest error, and the late trend, after each switch."""
    from izhires.analysis.metrics.base import ALL_EVENTS
    from izhires.analysis.metrics.recovery import courses

    def largest(study: str) -> float:
        found = [courses(runs[study][0], block)[ALL_EVENTS] for block in SWITCHES]
        return float(np.mean([each.errors.max() / each.before for each in found]))

    (recording,) = runs["default"]
    late = [probe_error(recording, block, 100) / probe_error(recording, block, 50) for block in SWITCHES]
    return {"ours": largest("default"), "control": largest("merged"), "late": float(np.mean(late))}


@claim(
    "what_and_when_apart",
    statement="each readout alone follows its own switch: what probability, when timing",
    published="what and when are learned apart",
    ours="error at the end of the timing block with what frozen, less that of the model",
    control="the same with when frozen",
    studies=("default", "frozen_what", "frozen_when"),
    tests={
        "ours": Criterion("what frozen, after a switch of timing (margin assumed)", "<", 0.01),
        "when_returns": Criterion(
            "when frozen, latencies and probabilities as learned or relearned (margin assumed)", "<", 0.01
        ),
        "control": Criterion("when frozen, after a switch of timing", ">", 0.01),
        "what_needed": Criterion("what frozen, after a switch of probability", ">", 0.01),
    },
    source=OURS,
)
def what_and_when_apart(runs: Runs) -> dict[str, float]:
    """Dissociation: the last block has the latencies of the first, so a frozen "when" is right again there."""

    def excess(study: str, block: int) -> float:
        return probe_error(runs[study][0], block) - probe_error(runs["default"][0], block)

    return {
        "ours": excess("frozen_what", TIMING),
        "control": excess("frozen_when", TIMING),
        "what_needed": excess("frozen_what", PROBABILITY),
        "when_returns": excess("frozen_when", BOTH),
    }
