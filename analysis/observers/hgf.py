"""The hierarchical Gaussian filter: approximate Bayesian inference of drifting probabilities, by the package pyhgf."""

from __future__ import annotations

import functools
import inspect

import numpy as np

from izhires.analysis.declared import Unavailable
from izhires.analysis.observers.base import Expected, ObservedTask, observer
from izhires.analysis.observers.change_point import expected_times
from izhires.optional import library

TONIC_VOLATILITY = (-3.0, -3.0)
"""omega of the second and third level: log variance of the random walks per trial; pyhgf's own values. Assumed."""

COUPLING = 1.0
"""kappa: how much the third level changes the log volatility of the second; pyhgf's own value. Assumed."""


def binary_filter(
    happened: np.ndarray, tonic: tuple[float, float] = TONIC_VOLATILITY, coupling: float = COUPLING
) -> np.ndarray:
    """Return the probability that a three-level binary filter expects before each trial and after the last.

    Level 1 is the outcome, level 2 its log odds, level 3 the log volatility of level 2; all start at 0 with precision 1
    (levels 2 and 3). Volatility is updated as in the eHGF (the mean of level 3 before its precision).

    Parameters
    ----------
    happened : ndarray, (trial,)
        0 or 1.
    tonic : tuple of float
        omega_2, omega_3.
    coupling : float
        kappa.

    Returns
    -------
    ndarray, (trial + 1,)

    Raises
    ------
    ToolchainError
        If pyhgf is not installed.
    Unavailable
        If the filter left the range in which its approximation holds.
    """
    found = _filtered(np.asarray(happened, bool).tobytes(), tonic, coupling)
    if not np.isfinite(found).all():
        raise Unavailable("the hierarchical Gaussian filter is no longer a number on these trials")
    return found.copy()


@functools.lru_cache(maxsize=256)
def _filtered(happened: bytes, tonic: tuple[float, float], coupling: float) -> np.ndarray:
    """Compiling takes most of the time, and metrics and figures of all seeds often share their trials."""
    network = library("pyhgf.model").Network
    # since 0.3 that is not the default, and has another name
    updates = {"volatility_updates": "eHGF", "mean_field_updates": True}
    if "volatility_updates" not in inspect.signature(network).parameters:
        updates = {"update_type": "eHGF"}
    model = network(**updates)
    start = {"mean": 0.0, "precision": 1.0}
    model.add_nodes(kind="binary-state", node_parameters={"mean": 0.0, "precision": 0.0})
    model.add_nodes(value_children=([0], [1.0]), node_parameters={**start, "tonic_volatility": tonic[0]})
    model.add_nodes(volatility_children=([1], [coupling]), node_parameters={**start, "tonic_volatility": tonic[1]})
    seen = np.frombuffer(happened, bool)
    # one more trial that is not observed, for what is expected after the last
    model.input_data(np.append(seen, 0).astype(float), observed=np.append(np.ones(len(seen), int), 0))
    return np.asarray(model.node_trajectories[0]["expected_mean"], float)


@observer(
    "hgf",
    description="hierarchical Gaussian filter, one for each event (pyhgf)",
    definition=(
        f"three-level binary filter of occurred or not, omega_2 = {TONIC_VOLATILITY[0]:g}, "
        f"omega_3 = {TONIC_VOLATILITY[1]:g}, kappa = {COUPLING:g}; the events' probabilities need not sum to 1; "
        "latency: as the observer 'bayes'"
    ),
    source="Mathys et al. 2014, doi 10.3389/fnhum.2014.00825; package: pyhgf; its default parameters",
    library="pyhgf",
)
def hgf(task: ObservedTask) -> Expected:
    """Filter each event's occurrences; not told of the switches."""
    learned = task.learned
    before = np.append(0, np.cumsum(learned)[:-1])
    probability = np.stack(
        [binary_filter(task.outcomes[learned] == event)[before] for event in range(len(task.events))], axis=1
    )
    latency, unit = expected_times(task, told=False)
    return Expected(probability[:, :, None] * unit, probability, np.full_like(probability, np.nan), latency)
