"""Whether the states tell how long ago the cue was, in every part of the window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics.base import Item, Row, metric
from izhires.analysis.statistics import POSITIVE
from izhires.recordings import elapsed

if TYPE_CHECKING:
    import xarray as xr


@metric(
    "time_told",
    unit="1",
    within=POSITIVE,
    description="error of the time since the cue that the state tells, in the worst tenth of the window",
    definition=(
        f"spike traces at {elapsed.MOMENTS} moments of up to {elapsed.TRIALS} trials, evenly over the run; each is "
        "compared with the mean over the other trials, and the moment of the nearest is the time told; mean absolute "
        "error over trials, its median over each tenth of the window, over that of a guess within it, a third of its "
        "length; chance: 1"
    ),
    worst="highest",
    parts={
        "": Item("error of the time told over that of a guess, in the worst tenth of the window"),
        "chance": Item("that of a guess within each tenth", interval=False),
        "until": Item("time after the cue up to which every tenth does better than a guess", "s"),
    },
)
def time_told(recording: xr.Dataset) -> Iterator[Row]:
    """Worst tenth of the window, and the time up to which all are told."""
    told = np.array(elapsed.of_attributes(recording.attrs))
    if not told.size:
        raise Unavailable("needs the attribute time_told, which recordings of earlier versions do not hold")
    if np.isnan(told).any():
        raise Unavailable("needs two trials to compare")
    lost = np.flatnonzero(told >= 1)
    window = float(recording.attrs["window"])
    yield Row(float(told.max()), note=elapsed.remark(recording.attrs))
    yield Row(1.0, "chance")
    yield Row(window * (lost[0] if lost.size else elapsed.PARTS) / elapsed.PARTS, "until")
