"""Readouts of the network's own states, fitted anew to all trials seen: no rule that learns online sees more."""

from __future__ import annotations

import numpy as np

from izhires.analysis.declared import Unavailable
from izhires.analysis.observers.base import Expected, ObservedTask, observer

EVERY = 0.01
"""Time between the samples of a state that are fitted and read (s)."""

PENALTY = 3.0
"""Penalty of the fit, in units of the mean square of one sample of the state. Assumed: between 1 and 10 the error in
MEET hardly depends on it; a hundred times smaller and the fit follows the chance of each trial."""


def ridge(task: ObservedTask, told: bool, penalty: float = PENALTY) -> Expected:
    """Return what a readout reads in each trial without learning that was fitted to the trials before it.

    The targets are the bump of the trial's event, and 0 for the other events. With X the states of all samples of the
    trials seen, less their mean, Y the targets less theirs, and lambda = penalty * trace(X^T X)/samples, the reading of
    a state s is mean(Y) + (s - mean(X)) (X^T X + lambda 1)^-1 X^T Y. It is 0 as long as no trial has been seen, and
    read between the samples by linear interpolation.

    Parameters
    ----------
    task : Task
    told : bool
        Whether only the trials of the same block are fitted.
    penalty : float
        In units of the mean square of a sample.

    Returns
    -------
    Expected
        Course only, in the rows that are not learned from (probes); NaN in the others.

    Raises
    ------
    Unavailable
        If the task has no states, or its recording not all spikes.
    """
    from scipy.linalg import solve

    if task.states is None:
        raise Unavailable("needs the states of a network, which a table of trials does not hold")
    states = task.states(EVERY).transpose("trial", "time", "neuron")
    grid, block, outcomes = states["time"].values, task.trials["block"].to_numpy(), task.outcomes
    latencies = task.trials["latency"].to_numpy(float)
    shape, cells = (len(outcomes), len(task.events)), states.sizes["neuron"]

    def nothing() -> tuple[int, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        return 0, np.zeros(cells), np.zeros(shape[1]), np.zeros((cells, cells)), np.zeros((cells, shape[1]))

    samples, of_x, of_y, of_xx, of_xy = nothing()
    course = np.full((*shape, len(task.times)), np.nan)
    weights: np.ndarray | None = None
    for trial, outcome in enumerate(outcomes):
        if told and trial and block[trial] != block[trial - 1]:
            samples, of_x, of_y, of_xx, of_xy = nothing()
            weights = None
        x = states.values[trial]
        if outcome >= 0:
            y = np.zeros((len(grid), shape[1]))
            if outcome < shape[1]:
                y[:, outcome] = np.exp(-((grid - latencies[trial]) ** 2) / (2 * task.event_width**2))
            samples += len(grid)
            of_x += x.sum(0)
            of_y += y.sum(0)
            of_xx += x.T @ x
            of_xy += x.T @ y
            weights = None
            continue
        read = np.zeros((len(grid), shape[1]))
        if samples:
            centre, level = of_x / samples, of_y / samples
            if weights is None:
                square = of_xx - samples * np.outer(centre, centre)
                power = max(float(np.trace(square)) / samples, np.finfo(float).tiny)
                square[np.diag_indices(cells)] += penalty * power
                weights = solve(square, of_xy - samples * np.outer(centre, level), assume_a="pos")
            read = level + (x - centre) @ weights
        for event in range(shape[1]):
            course[trial, event] = np.interp(task.times, grid, read[:, event])
    unknown = np.full(shape, np.nan)
    return Expected(course, unknown, unknown, unknown)


_DEFINITION = (
    f"ridge regression with a constant of the trials' bumps on the standardised states, {1e3 * EVERY:g}-ms grid, "
    f"penalty {PENALTY:g} times the mean square of a sample; fitted to {{}}"
)
_SOURCE = "this project; ridge regression: Hoerl & Kennard 1970, doi 10.1080/00401706.1970.10488634"


@observer(
    "ridge_told",
    description="readout of the network's states fitted to the trials seen since the last switch",
    definition=_DEFINITION.format("all trials of the block before the probe"),
    source=_SOURCE,
    told=True,
    probability=False,
)
def ridge_told(task: ObservedTask) -> Expected:
    """Fit the trials of this block."""
    return ridge(task, told=True)


@observer(
    "ridge",
    description="readout of the network's states fitted to all trials seen, across the switches",
    definition=_DEFINITION.format("all trials before the probe"),
    source=_SOURCE,
    probability=False,
)
def ridge_all(task: ObservedTask) -> Expected:
    """Fit every trial so far."""
    return ridge(task, told=False)
