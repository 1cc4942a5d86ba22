"""What happens when the statistics switch, and which readout follows which switch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from izhires.analysis.claims.base import (
    OURS,
    Criterion,
    Runs,
    as_observed,
    claim,
    end_error,
    enough,
    errors,
    needed,
    probe_error,
    zero_error,
)
from izhires.recordings.bounds import LAST

if TYPE_CHECKING:
    import xarray as xr

TIMING, PROBABILITY, BOTH = SWITCHES = 1, 2, 3
"""Blocks of the default task after a switch of timing, of probability, and of both."""


def left(recording: xr.Dataset, block: int, trial: int = 20) -> float:
    """Return the error some trials after a switch, over that of the last probe before it against the new statistics."""
    from izhires.analysis.metrics.base import ALL_EVENTS
    from izhires.analysis.metrics.recovery import courses

    course = courses(recording, block)[ALL_EVENTS]
    return float(course.errors[course.trials == trial][0] / course.before)


def _recalibration(name: str, what: str, block: int) -> None:
    @claim(
        f"recalibration_{name}",
        statement=f"predictions recalibrate rapidly when {what} switches",
        published="rapid, no figure",
        ours="error 20 trials after the switch over that just before it",
        control="exact Bayesian observer of the same trials, not told of switches",
        studies=("default",),
        tests={"ours": Criterion("share of the error that is left (limit assumed)", "<", 0.5)},
        where=f"MEET, block {block}, probe after 20 trials",
        beside={"told": "exact observer that is told of the switches"},
        within=errors("told"),
    )
    def measure(runs: Runs) -> dict[str, float]:
        (model,) = runs["default"]
        shown = {"ours": model, "control": as_observed(model, "bayes"), "told": as_observed(model, "bayes_told")}
        return {key: left(each, block) for key, each in shown.items()}

    measure.__qualname__ = f"recalibration_{name}"


_recalibration("timing", "timing", TIMING)
_recalibration("probability", "probability", PROBABILITY)
_recalibration("both", "timing and probability", BOTH)


@claim(
    "no_overshoot_no_drift",
    statement="after a switch the error neither overshoots nor drifts",
    published="none, no figure",
    ours="largest error after a switch less that just before it, over predicting nothing, mean over switches",
    control="exact Bayesian observer of the same trials, not told of switches",
    studies=("default", "merged_tuned"),
    tests={
        "ours": enough("largest error after less before"),
        "late": enough("error at the end of the block less that at trial 50, over predicting nothing"),
    },
    where=f"MEET, blocks 1 to 3, all probes; end of a block: mean of the last {LAST} probes",
    beside={"merged": "merged readout at a tuned rate"},
)
def no_overshoot_no_drift(runs: Runs) -> dict[str, float]:
    """Largest error, and the late trend, after each switch."""
    from izhires.analysis.metrics.base import ALL_EVENTS
    from izhires.analysis.metrics.recovery import courses

    def largest(recording: xr.Dataset) -> float:
        found = [courses(recording, block)[ALL_EVENTS] for block in SWITCHES]
        over = [zero_error(recording, block) for block in SWITCHES]
        return float(
            np.mean([(each.errors.max() - each.before) / zero for each, zero in zip(found, over, strict=True)])
        )

    (recording,), (merged,) = runs["default"], runs["merged_tuned"]
    late = [
        (end_error(recording, block) - probe_error(recording, block, 50)) / zero_error(recording, block)
        for block in SWITCHES
    ]
    return {
        "ours": largest(recording),
        "control": largest(as_observed(recording, "bayes")),
        "late": float(np.mean(late)),
        "merged": largest(merged),
    }


@claim(
    "what_and_when_apart",
    statement="each readout alone follows its own switch: what probability, when timing",
    published="what and when are learned apart",
    ours="error with what frozen after the first block, less that of the model, after a switch of timing",
    control="the same with when frozen",
    studies=("default", "frozen_what", "frozen_when"),
    tests={
        "ours": enough("what frozen, after a switch of timing"),
        "when_returns": enough("when frozen, latencies and probabilities as learned or relearned"),
        "control": needed("when frozen, after a switch of timing"),
        "what_needed": needed("what frozen, after a switch of probability"),
    },
    where=f"MEET, ends of blocks 1, 2, 3 (mean of the last {LAST} probes), over predicting nothing",
    source=OURS,
)
def what_and_when_apart(runs: Runs) -> dict[str, float]:
    """Dissociation: the last block has the latencies of the first, so a frozen "when" is right again there."""

    def excess(study: str, block: int) -> float:
        (model,), (frozen,) = runs["default"], runs[study]
        return (end_error(frozen, block) - end_error(model, block)) / zero_error(model, block)

    return {
        "ours": excess("frozen_what", TIMING),
        "control": excess("frozen_when", TIMING),
        "what_needed": excess("frozen_what", PROBABILITY),
        "when_returns": excess("frozen_when", BOTH),
    }
