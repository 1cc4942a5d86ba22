"""The hierarchical Gaussian filter: approximate Bayesian inference of drifting probabilities, by the package pyhgf."""

from __future__ import annotations

import functools
import importlib.util

import numpy as np

from izhires.analysis.declared import Unavailable
from izhires.analysis.observers.base import Expected, Task, observer
from izhires.analysis.observers.change_point import expected_times

TONIC_VOLATILITY = (-3.0, -3.0)
"""omega of the second and third level: log variance of the random walks per trial; pyhgf's own values. Assumed."""

COUPLING = 1.0
"""kappa: how much the third level changes the log volatility of the second; pyhgf's own value. Assumed."""


def binary_filter(
    happened: np.ndarray, tonic: tuple[float, float] = TONIC_VOLATILITY, coupling: float = COUPLING
) -> np.ndarray:
    """Return the probability that a three-level binary filter expects before each trial and after the last.

    Level 1 is the outcome, level 2 its log odds, level 3 the log volatility of level 2; all start at 0 with precision 1
    (levels 2 and 3).

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
    Unavailable
        If pyhgf is not installed, or the filter left the range in which its approximation holds.
    """
    if importlib.util.find_spec("pyhgf") is None:
        raise Unavailable("needs pyhgf: pip install 'izhires[observers]'")
    found = _filtered(np.asarray(happened, bool).tobytes(), tonic, coupling)
    if not np.isfinite(found).all():
        raise Unavailable("the hierarchical Gaussian filter is no longer a number on these trials")
    return found.copy()


@functools.lru_cache(maxsize=256)
def _filtered(happened: bytes, tonic: tuple[float, float], coupling: float) -> np.ndarray:
    """Compiling takes most of the time, and metrics and figures of all seeds often share their trials."""
    from pyhgf.model import HGF

    model = HGF(
        n_levels=3,
        model_type="binary",
        initial_mean={"1": 0.0, "2": 0.0, "3": 0.0},
        initial_precision={"1": 0.0, "2": 1.0, "3": 1.0},
        tonic_volatility={"2": tonic[0], "3": tonic[1]},
        volatility_coupling={"2": coupling},
    )
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
)
def hgf(task: Task) -> Expected:
    """Filter each event's occurrences; not told of the switches."""
    learned = task.learned
    before = np.append(0, np.cumsum(learned)[:-1])
    probability = np.stack(
        [binary_filter(task.outcomes[learned] == event)[before] for event in range(len(task.events))], axis=1
    )
    latency, unit = expected_times(task, told=False)
    return Expected(probability[:, :, None] * unit, probability, np.full_like(probability, np.nan), latency)
