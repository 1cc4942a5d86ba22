"""The observer that expects nothing."""

from __future__ import annotations

import numpy as np

from izhires.analysis.observers.base import Expected, ObservedTask, observer


@observer(
    "zero",
    description="expects nothing: the bound without learning",
    definition="prediction 0 of every event at every time",
    source="this project",
)
def zero(task: ObservedTask) -> Expected:
    """Expect nothing before every trial."""
    shape = (len(task.trials), len(task.events))
    nothing, unknown = np.zeros(shape), np.full(shape, np.nan)
    return Expected(np.zeros((*shape, len(task.times))), nothing, nothing, unknown)
