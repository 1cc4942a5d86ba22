"""Exact Bayesian observers of a world whose statistics stay for a while and then change altogether."""

from __future__ import annotations

import numpy as np

from izhires.analysis.observers.base import LATENCY_STEP, Expected, ObservedTask, observer

HAZARD = 0.01
"""Probability of a change between two trials, for the observer that is not told: one in 100, as in MEET. Assumed."""

CONCENTRATIONS = (0.1, 1.0)
"""Weights of the prior on an event's latency, in sightings, equally likely before the first trial: an observer learns
whether latencies repeat (one seen once is then expected back with probability 1/(1 + 0.1)) or vary. Assumed; with
larger ones it would know a varying latency's millisecond better, and the broader bump around it worse."""

_SOURCE = "Adams & MacKay 2007, arXiv 0710.3742; prior: Laplace's rule"


def change_point(outcomes: np.ndarray, prior: np.ndarray, hazard: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Return mean and variance of the probability of each outcome before each trial, by the exact recursion.

    The probabilities are drawn from Dirichlet(prior), and drawn anew before trial t with probability hazard_t. With
    n_k(s) the outcomes k since trial s, A the sum of the prior a, and w_s the probability that the last change came
    before trial s,

    .. math:: p_k = \sum_s w_s m_k(s), \quad m_k(s) = \frac{n_k(s) + a_k}{\sum_j n_j(s) + A},

    .. math:: \mathrm{var}_k = \sum_s w_s \left[\frac{m_k(s)(1 - m_k(s))}{\sum_j n_j(s) + A + 1} + m_k(s)^2\right]
              - p_k^2,

    the moments of the mixture of Beta posteriors. Outcome k multiplies w_s by m_k(s); a change moves the share hazard_t
    of all weights to s = t. Two outcomes and prior (1, 1) make the Beta-Bernoulli observer.

    Parameters
    ----------
    outcomes : ndarray of int, (trial,)
        Index of what happened, -1 for a trial that is not seen.
    prior : ndarray, (outcome,)
        a, all above 0.
    hazard : ndarray, (trial,)
        0 to 1; 1 where the observer is told of a switch, then 0 elsewhere.

    Returns
    -------
    mean, variance : ndarray, (trial, outcome)
    """
    size = len(prior)
    changes = 1 + int(np.count_nonzero(hazard > 0))
    weights, counted = np.zeros(changes), np.zeros((changes, size))
    weights[0] = 1.0
    first, last = 0, 1  # of the weights that are not zero
    mean, variance = np.empty((2, len(outcomes), size))
    new = True  # whether something has happened since the trial before
    for trial, (outcome, change) in enumerate(zip(outcomes.tolist(), hazard.tolist(), strict=True)):
        if change > 0:
            weights[first:last] *= 1 - change
            weights[last] = change
            first, last, new = (last if change == 1 else first), last + 1, True
        if new:
            weight, counts = weights[first:last], counted[first:last]
            total = counts.sum(1, keepdims=True) + prior.sum()
            each = (counts + prior) / total
            mean[trial] = weight @ each
            variance[trial] = weight @ (each * (1 - each) / (total + 1) + each**2) - mean[trial] ** 2
        else:
            mean[trial], variance[trial] = mean[trial - 1], variance[trial - 1]
        new = outcome >= 0
        if new:
            weight *= each[:, outcome]
            weight /= weight.sum()
            counts[:, outcome] += 1
    return mean, np.maximum(variance, 0)


def hazards(task: ObservedTask, told: bool) -> np.ndarray:
    """Return the hazard before each row: 1 at the first of a block when told, else `HAZARD` after each learned trial.

    Parameters
    ----------
    task : Task
    told : bool

    Returns
    -------
    ndarray, (trial,)
    """
    block = task.trials["block"].to_numpy()
    if told:
        return np.append(0.0, np.diff(block) != 0)
    return np.append(0.0, HAZARD * task.learned[:-1])


def expected_times(task: ObservedTask, told: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return what the exact observer expects of each event's time, given that the event occurs.

    Each event's latency is drawn from an unknown distribution over the whole milliseconds of the window, with prior
    Dirichlet(c/W for each of the W), by `change_point`; c is one of `CONCENTRATIONS`, each weighed by its evidence.
    Latencies that the table does not hold count as one outcome, which changes no probability. Identity and time are
    inferred apart, as the two readouts learn apart.

    Parameters
    ----------
    task : Task
    told : bool

    Returns
    -------
    latency : ndarray, (trial, event)
        The most probable, NaN where none was seen since the switch.
    unit : ndarray, (trial, event, time)
        The mean of the bump over the possible latencies.
    """
    hazard, outcomes = hazards(task, told), task.outcomes
    steps = np.rint(task.trials["latency"].fillna(-1).to_numpy() / LATENCY_STEP).astype(int)
    possible = round(task.window / LATENCY_STEP)
    everywhere = task.bump(np.arange(possible) * LATENCY_STEP).sum(0)
    latency = np.full((len(outcomes), len(task.events)), np.nan)
    unit = np.empty((*latency.shape, len(task.times)))
    for event in range(len(task.events)):
        mine = outcomes == event
        known, index = np.unique(steps[mine], return_inverse=True)
        seen = np.full(len(outcomes), -1)
        seen[mine] = index
        others = possible - len(known)
        each = []
        for concentration in CONCENTRATIONS:
            prior = np.full(len(known) + (others > 0), concentration / possible)
            prior[len(known) :] *= others
            each.append(change_point(seen, prior, hazard)[0])
        chance = _weighed(np.stack(each), seen)
        bumps = task.bump(known * LATENCY_STEP)
        if others:
            bumps = np.vstack([bumps, (everywhere - bumps.sum(0)) / others])
        unit[:, event] = chance @ bumps
        if len(known):
            best = chance[:, : len(known)].argmax(1)
            better = chance[np.arange(len(best)), best] > (1 + 1e-9) / possible
            latency[better, event] = known[best[better]] * LATENCY_STEP
    return latency, unit


def _weighed(chances: np.ndarray, outcomes: np.ndarray) -> np.ndarray:
    """Return the mean of several models' predictions, each weighed by how likely it made the outcomes so far.

    Parameters
    ----------
    chances : ndarray, (model, trial, outcome)
    outcomes : ndarray of int, (trial,)
        -1 for a trial that is not seen.

    Returns
    -------
    ndarray, (trial, outcome)
    """
    likelihood = np.where(outcomes >= 0, chances[:, np.arange(len(outcomes)), outcomes], 1.0)
    evidence = np.cumsum(np.log(likelihood), axis=1) - np.log(likelihood)
    weight = np.exp(evidence - evidence.max(0))
    return np.einsum("mt,mto->to", weight / weight.sum(0), chances)


def _exact(task: ObservedTask, told: bool) -> Expected:
    outcomes = task.outcomes
    none = len(task.events)
    mean, variance = change_point(outcomes, np.ones(none + (outcomes == none).any()), hazards(task, told))
    latency, unit = expected_times(task, told)
    probability = mean[:, :none]
    return Expected(probability[:, :, None] * unit, probability, np.sqrt(variance[:, :none]), latency)


_DEFINITION = (
    "p: mean of the posterior, Dirichlet(1, ..., 1) over the events and, where the task has cue-only trials, none; "
    f"latency: the same over the whole ms of the window, the sum of its prior one of {CONCENTRATIONS}; {{}}"
)


@observer(
    "bayes_told",
    description="exact Bayesian observer that is told of each switch",
    definition=_DEFINITION.format("both start anew with each block"),
    source=_SOURCE,
    told=True,
)
def bayes_told(task: ObservedTask) -> Expected:
    """Count since the last switch."""
    return _exact(task, told=True)


@observer(
    "bayes",
    description="exact Bayesian observer that is not told of the switches and knows how rare they are",
    definition=_DEFINITION.format(f"both changed before a trial with probability {HAZARD}, each on its own"),
    source=_SOURCE,
)
def bayes(task: ObservedTask) -> Expected:
    """Weigh every possible trial of the last change."""
    return _exact(task, told=False)
