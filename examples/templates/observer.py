"""Template of an observer of the same trials: ``izhires analyse results/meet --import observer.py`` has it."""

import numpy as np

from izhires.analysis.observers.base import Expected, ObservedTask, observer


@observer(
    "my_observer",
    description="expects every event with equal chances, at no time in particular",
    definition="probability 1/K of each of K events, in every trial; no course",
    source="this script",
)
def my_observer(task: ObservedTask) -> Expected:
    """Expect the same before every trial."""
    shape = (len(task.trials), len(task.events))
    unknown = np.full(shape, np.nan)
    course = np.full((*shape, len(task.times)), np.nan)
    return Expected(course, np.full(shape, 1 / len(task.events)), unknown, unknown)
