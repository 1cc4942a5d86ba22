r"""The truth of a task: what can be said of an event's time, by whom, from the table of its outcomes.

All functions take the outcomes of an experiment, one row a possible outcome j of a block: event, latency :math:`t_j`
(s from the cue), probability :math:`p_j`, and the name of the cue where there are several. What is missing to 1 is
:math:`p_0`, the probability that nothing follows the cue (a catch trial, an omission).

============================  =================================================================================
`survivor`                    :math:`S(t) = 1 - \sum_{t_j < t} p_j`: nothing has come before t
`hazard`                      :math:`p_k(t)/S(t)`: event k comes at t, given that nothing has come before
`survivor_expectation`        the expectation, bump by bump, given that nothing has come before
`blurred_probability`         the density of probability to someone whose clock is imprecise
`blurred_hazard`              the hazard to someone whose clock is imprecise
`shannon_surprise`            of each trial, to someone who knows the statistics
`bayesian_surprise`           of each trial, to someone who counts
============================  =================================================================================

The expectation itself is `izhires.paradigms.expectation`. `izhires.paradigms.Experiment` has a method for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

WEBER = 0.26
"""Standard deviation of a remembered latency over the latency: the Weber fraction of Janssen & Shadlen (2005),
doi 10.1038/nn1386."""

_HALF_STEP = 5e-4  # s; latencies are whole milliseconds

Outcomes: TypeAlias = "pd.DataFrame | Mapping[str, Any]"


def _rows(outcomes: Outcomes, block: int, cue: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return event, latency (s) and probability of each outcome of a block and cue."""
    given = np.asarray(outcomes["block"]) == block
    if "cue_name" in outcomes:
        given = given & (np.asarray(outcomes["cue_name"]) == cue)
    names, latency, chance = (np.asarray(outcomes[name])[given] for name in ("event", "latency", "probability"))
    return names, latency.astype(float), chance.astype(float)


def _nothing(chance: np.ndarray) -> float:
    """Return the probability that nothing follows, without what rounding leaves of a sum of 1."""
    rest = 1 - float(chance.sum())
    return rest if rest > 1e-9 else 0.0


def survivor(outcomes: Outcomes, block: int, times: np.ndarray, cue: str = "") -> np.ndarray:
    r"""Return the probability that no event has come before each time.

    .. math:: S(t) = p_0 + \sum_{t_j \ge t} p_j

    Parameters
    ----------
    outcomes : pandas.DataFrame or mapping
        See the module.
    block : int
    times : array
        s from the cue.
    cue : str
        Name of the cue, where the outcomes have several.

    Returns
    -------
    numpy.ndarray
        Shape (time,); 1 at first, :math:`p_0` after the last latency.
    """
    times = np.asarray(times, dtype=float)
    _, latency, chance = _rows(outcomes, block, cue)
    # summed over what is still to come, so that it ends at exactly 0 where there is no omission
    return _nothing(chance) + (latency >= times[..., None] - _HALF_STEP) @ chance


def hazard(outcomes: Outcomes, events: Iterable[str], block: int, times: np.ndarray, cue: str = "") -> np.ndarray:
    r"""Return the probability that each event comes at each time, given that nothing has come before.

    .. math:: h_k(t) = \frac{\sum_{j \in k,\, t_j = t} p_j}{S(t)}

    Parameters
    ----------
    outcomes, block, times, cue
        See `survivor`.
    events : iterable of str
        Names of the events, in the order of the result.

    Returns
    -------
    numpy.ndarray
        Shape (event, time); 0 at times that are no latency.
    """
    times = np.asarray(times, dtype=float)
    names, latency, chance = _rows(outcomes, block, cue)
    left = survivor(outcomes, block, times, cue)
    at = np.abs(times[:, None] - latency) < _HALF_STEP
    found = [at[:, names == event] @ chance[names == event] for event in events]
    return np.divide(found, left, out=np.zeros((len(found), len(times))), where=left > 0)


def survivor_expectation(
    outcomes: Outcomes, events: Iterable[str], block: int, times: np.ndarray, event_width: float, cue: str = ""
) -> np.ndarray:
    r"""Return the expectation of each event over time, given that nothing has come so far.

    .. math:: C_k(t) = \sum_{j \in k} \frac{p_j}{S(\min(t, t_j))} \exp\left(-\frac{(t - t_j)^2}{2 \sigma^2}\right)

    Before an event's time its bump is weighted by what is left for it at t, afterwards by what was left at its time.

    Parameters
    ----------
    outcomes, events, block, times, cue
        See `hazard`.
    event_width : float
        Standard deviation :math:`\sigma` of the bump (s).

    Returns
    -------
    numpy.ndarray
        Shape (event, time).
    """
    times = np.asarray(times, dtype=float)
    names, latency, chance = _rows(outcomes, block, cue)
    names, latency, chance = names[chance > 0], latency[chance > 0], chance[chance > 0]
    left = survivor(outcomes, block, np.minimum(times[:, None], latency), cue)
    bumps = np.exp(-((times[:, None] - latency) ** 2) / (2 * event_width**2)) / left
    found = [bumps[:, names == event] @ chance[names == event] for event in events]
    return np.reshape(found, (len(found), len(times)))


def blurred_probability(
    outcomes: Outcomes,
    events: Iterable[str],
    block: int,
    times: np.ndarray,
    cue: str = "",
    *,
    fraction: float = WEBER,
    deviation: float = 0.0,
) -> np.ndarray:
    r"""Return the density of probability of each event over time, to someone whose clock is imprecise.

    .. math:: \tilde f_k(t) = \sum_{j \in k} \frac{p_j}{\sigma_j} \varphi\left(\frac{t - t_j}{\sigma_j}\right),
              \quad \sigma_j^2 = (\phi\, t_j)^2 + \delta^2

    with the standard normal density :math:`\varphi`: a blur that grows in proportion to the latency (scalar timing,
    `fraction` :math:`\phi`), one that is the same at all times (`deviation` :math:`\delta`), or both. With
    :math:`\phi = 0` and :math:`\delta` the width of the bump it is the expectation over
    :math:`\sqrt{2\pi}\,\delta`. Janssen & Shadlen (2005) have :math:`\phi\, t` in the place of :math:`\phi\, t_j`,
    which has no finite integral over time.

    Parameters
    ----------
    outcomes, events, block, times, cue
        See `hazard`.
    fraction : float
        :math:`\phi`, 1.
    deviation : float
        :math:`\delta`, s.

    Returns
    -------
    numpy.ndarray
        Shape (event, time), 1/s.

    Raises
    ------
    ValueError
        If a latency would not be blurred at all.
    """
    from scipy.stats import norm

    times = np.asarray(times, dtype=float)
    names, latency, chance = _rows(outcomes, block, cue)
    wide = _spread(latency, fraction, deviation)
    density = norm.pdf(times[:, None], latency, wide)
    found = [density[:, names == event] @ chance[names == event] for event in events]
    return np.reshape(found, (len(found), len(times)))


def blurred_hazard(
    outcomes: Outcomes,
    events: Iterable[str],
    block: int,
    times: np.ndarray,
    cue: str = "",
    *,
    fraction: float = WEBER,
    deviation: float = 0.0,
) -> np.ndarray:
    r"""Return the hazard of each event over time, to someone whose clock is imprecise.

    .. math:: \tilde h_k(t) = \frac{\tilde f_k(t)}{\tilde S(t)},
              \quad \tilde S(t) = p_0 + \sum_j p_j\, \Phi\left(\frac{t_j - t}{\sigma_j}\right)

    with :math:`\tilde f_k` and :math:`\sigma_j` of `blurred_probability` and the standard normal distribution function
    :math:`\Phi` (Janssen & Shadlen 2005, doi 10.1038/nn1386).

    Parameters
    ----------
    outcomes, events, block, times, cue, fraction, deviation
        See `blurred_probability`.

    Returns
    -------
    numpy.ndarray
        Shape (event, time), 1/s; 0 where nothing is left to come.

    Raises
    ------
    ValueError
        If a latency would not be blurred at all.
    """
    from scipy.stats import norm

    times = np.asarray(times, dtype=float)
    density = blurred_probability(outcomes, events, block, times, cue, fraction=fraction, deviation=deviation)
    _, latency, chance = _rows(outcomes, block, cue)
    wide = _spread(latency, fraction, deviation)
    left = _nothing(chance) + norm.sf(times[:, None], latency, wide) @ chance
    return np.divide(density, left, out=np.zeros_like(density), where=left > 0)


def _spread(latency: np.ndarray, fraction: float, deviation: float) -> np.ndarray:
    wide = np.hypot(fraction * latency, deviation)
    if not (wide > 0).all():
        raise ValueError("a latency without any blur has no density: fraction or deviation must be above 0")
    return wide


def shannon_surprise(outcomes: Outcomes, trials: pd.DataFrame) -> np.ndarray:
    r"""Return how improbable what happened in each trial was, to someone who knows the statistics.

    .. math:: I = -\log p(\text{event}, \text{latency} \mid \text{block}, \text{cue})

    A trial without an event has the probability that nothing follows.

    Parameters
    ----------
    outcomes : pandas.DataFrame or mapping
        See the module.
    trials : pandas.DataFrame
        ``block``, ``event`` (empty for none), ``latency`` (s), ``kind``, and ``cue_name`` where there are several cues.

    Returns
    -------
    numpy.ndarray
        Shape (trial,), nat; infinite where the statistics exclude what happened, NaN for the trials that are none of
        the task's own (probes and warm-up trials).
    """
    found = np.full(len(trials), np.nan)
    for _, _, rows, index, chance in _conditions(outcomes, trials):
        with np.errstate(divide="ignore"):
            found[rows] = -np.log(chance[index])
    return found


def bayesian_surprise(outcomes: Outcomes, trials: pd.DataFrame, prior: float = 1.0) -> np.ndarray:
    r"""Return how far each trial moves the belief of someone who counts, and is told of each new block.

    The belief about the probabilities of the K outcomes of a block and cue, omission among them where it may be or is,
    is Dirichlet with :math:`\alpha_k` = `prior` and the number of times that k was seen in this block after this cue.
    Seeing k moves it by

    .. math:: \mathrm{KL}(\mathrm{Dir}(\alpha + e_k) \,\|\, \mathrm{Dir}(\alpha))
              = \log\frac{A}{\alpha_k} + \psi(\alpha_k + 1) - \psi(A + 1), \quad A = \sum_i \alpha_i.

    :math:`\log(A/\alpha_k)` is the Shannon surprise of this observer, the one that
    `izhires.analysis.observers.change_point` is when it is told of the switches.

    Parameters
    ----------
    outcomes, trials
        See `shannon_surprise`.
    prior : float
        Of each outcome; 1 is Laplace's rule.

    Returns
    -------
    numpy.ndarray
        Shape (trial,), nat; NaN for probes and warm-up trials.

    Notes
    -----
    Itti & Baldi (2009), doi 10.1016/j.visres.2008.09.007.
    """
    from scipy.special import digamma

    found = np.full(len(trials), np.nan)
    for _, _, rows, index, chance in _conditions(outcomes, trials):
        counts = np.full(len(chance), float(prior))
        for row, k in zip(rows, index, strict=True):
            total = float(counts.sum())
            found[row] = np.log(total / counts[k]) + digamma(counts[k] + 1) - digamma(total + 1)
            counts[k] += 1
    return found


def _conditions(
    outcomes: Outcomes, trials: pd.DataFrame
) -> Iterable[tuple[int, str, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield block, cue, the rows of its training trials, which outcome each is, and the probability of each outcome.

    Outcomes are those of the table, then what happened without being in it (probability 0), omission as ("", -1 ms).
    """
    blocks, training = trials["block"].to_numpy(), (trials["kind"] == "train").to_numpy()
    cues = trials["cue_name"].to_numpy() if "cue_name" in trials else np.full(len(trials), "")
    late = np.rint(trials["latency"].fillna(-1e-3).to_numpy(float) * 1e3).astype(int)
    happened = list(zip(trials["event"].to_numpy(), late.tolist(), strict=True))
    for block, cue in dict.fromkeys(zip(blocks[training].tolist(), cues[training].tolist(), strict=True)):
        rows = np.flatnonzero(training & (blocks == block) & (cues == cue))
        names, latency, chance = _rows(outcomes, block, cue)
        of: dict[tuple[str, int], float] = {}
        for name, when, p in zip(names.tolist(), np.rint(latency * 1e3).astype(int).tolist(), chance, strict=True):
            of[name, when] = of.get((name, when), 0.0) + float(p)
        rest = _nothing(chance)
        if rest:
            of["", -1] = rest
        for row in rows:
            of.setdefault(happened[row], 0.0)
        place = {key: k for k, key in enumerate(of)}
        yield block, cue, rows, np.array([place[happened[row]] for row in rows]), np.array(list(of.values()))
