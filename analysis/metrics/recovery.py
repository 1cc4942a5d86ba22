"""Trials until the error has recovered after a switch of the statistics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics.base import Item, Row, metric
from izhires.analysis.metrics.prediction import by_event
from izhires.analysis.statistics import POSITIVE

if TYPE_CHECKING:
    import xarray as xr

FRACTIONS = {"50": 0.5, "75": 0.75}
SETTLED = 50
"""Training trials of a block after which its error counts as settled."""
STAYS = 5
"""Successive probes for which the sustained variant must hold."""


@dataclass(frozen=True)
class Course:
    """The error of one event (or of all) around a switch.

    Parameters
    ----------
    before : float
        e0: error of the last probe before the switch against the expectation of the new block.
    trials : ndarray, (probe,)
        Training trials of the new block completed before each of its probes.
    errors : ndarray, (probe,)
    settled : float
        e_inf: mean error of the probes after 50 or more trials of the new block.
    """

    before: float
    trials: np.ndarray
    errors: np.ndarray
    settled: float

    def recovered(self, fraction: float, stays: int = 1) -> float:
        """Return the trial of the first of `stays` successive probes with error <= e_inf + (1 - fraction) (e0 - e_inf).

        Returns
        -------
        float
            Infinity when the block ends before that.

        Raises
        ------
        Unavailable
            If there is nothing to recover from: e0 <= e_inf.
        """
        if not self.before > self.settled:
            raise Unavailable(
                "nothing to recover from: the error just before the switch is no larger than the settled error"
            )
        low = self.errors <= self.settled + (1 - fraction) * (self.before - self.settled)
        starts = [i for i in range(len(low) - stays + 1) if low[i : i + stays].all()]
        return float(self.trials[starts[0]]) if starts else float("inf")


def courses(recording: xr.Dataset, block: int) -> dict[str, Course]:
    """Return the course of the error after the switch into a block, for all events together and for each event.

    Raises
    ------
    Unavailable
        If the block has no probe after 50 or more of its trials.
    """
    probes = selection.probes(recording, block)
    trials = recording["block_trial"].values[probes].astype(float)
    late = trials >= SETTLED
    if not late.any():
        raise Unavailable(f"no probe after {SETTLED} or more trials of block {block}, hence no settled error")
    wanted = recording["expectation"].isel(probe=probes[0], drop=True)
    before = by_event(recording["prediction"].isel(probe=selection.before_probe(recording, block)), wanted)
    after = by_event(recording["prediction"].isel(probe=probes), wanted)
    return {event: Course(float(before[event]), trials, after[event].values, float(after[event].values[late].mean()))
            for event in after}  # fmt: skip


@metric(
    "recovery",
    unit="trials",
    within=POSITIVE,
    description="training trials after a switch until the error has recovered by a fraction",
    definition=(
        "first probe with error <= e_inf + (1 - f) (e0 - e_inf); e0: last probe before the switch against the new "
        f"expectation; e_inf: mean over the new block's probes after {SETTLED} or more of its trials; sustained: and "
        f"so are the next {STAYS - 1} probes (infinite if that never happens)"
    ),
    worst="highest",
    needs=("prediction", "expectation"),
    parts={
        **{name: Item(f"f = {f}") for name, f in FRACTIONS.items()},
        **{f"{name}_sustained": Item(f"f = {f}, and it stays so for {STAYS} successive probes", detail=True)
           for name, f in FRACTIONS.items()},
    },
)  # fmt: skip
def recovery(recording: xr.Dataset) -> Iterator[Row]:
    """Trials to recovery after each switch, for all events together and for each event."""
    switched = selection.blocks(recording)[1:]
    if not switched:
        raise Unavailable("needs a switch; the recording has one block")
    for block in switched:
        try:
            found = courses(recording, block)
        except Unavailable as reason:
            yield Row(np.nan, "50", block, note=str(reason))
            continue
        for event, course in found.items():
            for name, fraction in FRACTIONS.items():
                for part, stays in ((name, 1), (f"{name}_sustained", STAYS)):
                    try:
                        yield Row(course.recovered(fraction, stays), part, block, event)
                    except Unavailable as reason:
                        yield Row(np.nan, part, block, event, note=str(reason))
