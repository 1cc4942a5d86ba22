"""How the network adapts after a switch: exponential recovery, change point, overshoot, and rate of learning."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable, require
from izhires.analysis.metrics.base import ALL_EVENTS, Item, Row, metric
from izhires.analysis.metrics.calibration import HALF_WIDTH, unit_expectation
from izhires.analysis.metrics.recovery import SETTLED, courses
from izhires.analysis.statistics import ANY, POSITIVE, SHARE, bootstrap_interval

if TYPE_CHECKING:
    import xarray as xr

RESAMPLES = 300
EARLY = 20
"""Trials of a block that count as early; those after `recovery.SETTLED` trials count as late."""
LEAST_CHANGE = 0.1
"""Changes of an amplitude smaller than this have no overshoot to speak of."""


def exponential_fit(trials: np.ndarray, errors: np.ndarray) -> tuple[float, float, float]:
    """Fit a + b exp(-n / tau) by least squares.

    Parameters
    ----------
    trials, errors : ndarray, (probe,)

    Returns
    -------
    settled, amplitude, tau : float
        a, b, and tau in trials.

    Raises
    ------
    Unavailable
        If there are too few probes, the fit does not converge, or b is not positive or tau is longer than the course:
        then there is no recovery that an exponential describes.
    """
    from scipy.optimize import curve_fit

    if len(trials) < 4:
        raise Unavailable(f"needs four or more probes to fit an exponential, got {len(trials)}")

    def shape(n: np.ndarray, settled: float, amplitude: float, log_tau: float) -> np.ndarray:
        return settled + amplitude * np.exp(-n * np.exp(-log_tau))

    def slopes(n: np.ndarray, settled: float, amplitude: float, log_tau: float) -> np.ndarray:
        falling = np.exp(-n * np.exp(-log_tau))
        return np.stack([np.ones_like(n), falling, amplitude * falling * n * np.exp(-log_tau)], axis=1)

    low, high = float(errors.min()), float(errors.max())
    below = errors <= low + (high - low) * np.exp(-1)
    start = max(float(trials[below][0]), 1.0)
    try:
        with warnings.catch_warnings(), np.errstate(over="ignore"):
            warnings.simplefilter("ignore")  # a covariance that cannot be estimated is not asked for
            found = curve_fit(shape, trials, errors, (low, high - low, np.log(start)), jac=slopes, maxfev=500)[0]
    except RuntimeError:
        raise Unavailable("the fit of an exponential does not converge") from None
    settled, amplitude, tau = float(found[0]), float(found[1]), float(np.exp(min(found[2], 700.0)))
    if not amplitude > 0 or tau > np.ptp(trials):
        raise Unavailable("the error does not fall like an exponential within the block")
    return settled, amplitude, tau


def change_point(trials: np.ndarray, errors: np.ndarray) -> tuple[float, float]:
    """Return the trial that best splits a course in two stretches of constant error, and how much that explains.

    The split has the smallest sum of squares about the means of both stretches (least squares, Hinkley 1970).

    Parameters
    ----------
    trials, errors : ndarray, (probe,)

    Returns
    -------
    trial : float
        The first of the second stretch.
    explained : float
        1 - sum of squares within both stretches / total sum of squares.

    Raises
    ------
    Unavailable
        If the error does not change.
    """
    total = float(((errors - errors.mean()) ** 2).sum())
    if len(errors) < 2 or not total > 0:
        raise Unavailable("the error does not change in the block")
    first = np.arange(1, len(errors))
    sums = np.cumsum(errors)
    before, after = sums[:-1] / first, (sums[-1] - sums[:-1]) / (len(errors) - first)
    between = first * (len(errors) - first) / len(errors) * (before - after) ** 2
    best = int(between.argmax())
    return float(trials[best + 1]), float(between[best] / total)


def amplitudes(recording: xr.Dataset, block: int, event: str) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the amplitude of an event at its new latencies over a switch, as `calibration.amplitude` defines it.

    Returns
    -------
    before : float
        At the last probe before the switch.
    trials, after : ndarray, (probe,)
        Training trials of the block, and the amplitude at its probes.

    Raises
    ------
    Unavailable
        If the block's statistics give the event no latency.
    """
    late, chance = selection.event_latencies(recording, block, event)
    times = recording["time"].values
    unit = unit_expectation(times, late, chance, float(recording.attrs["event_width"]))
    near = (np.abs(times[:, None] - late) <= HALF_WIDTH + 5e-4).any(axis=1)
    shown = recording["prediction"].sel(event=event).transpose("probe", "time").values[:, near].mean(1)
    shown = shown / unit[near].mean()
    probes = selection.probes(recording, block)
    trials = recording["block_trial"].values[probes].astype(float)
    return float(shown[selection.before_probe(recording, block)]), trials, shown[probes]


def overshoot(before: float, trials: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """Return how far a course goes beyond its new level, and how far it still does so once settled.

    With L the mean after 50 or more trials and D = L - before, the largest (a_n - L) / D over all probes, and over the
    settled ones alone, at least 0. The second is the fluctuation that stays: an overshoot is larger.

    Raises
    ------
    Unavailable
        If no probe follows 50 or more trials, or the level hardly changes.
    """
    late = trials >= SETTLED
    if not late.any():
        raise Unavailable(f"no probe after {SETTLED} or more trials of the block, hence no new level")
    level = float(after[late].mean())
    change = level - before
    if abs(change) < LEAST_CHANGE:
        raise Unavailable(f"the amplitude changes by less than {LEAST_CHANGE}")
    beyond = (after - level) / change
    return max(0.0, float(beyond.max())), max(0.0, float(beyond[late].max()))


@metric(
    "adaptation",
    unit="trials",
    within=POSITIVE,
    description="time course of the error after a switch: exponential time constant, change point, overshoot",
    definition=(
        "error: as metric `error`, against the new expectation. tau: least-squares fit of a + b exp(-n / tau) over n "
        "training trials, n = 0 the last probe before the switch; pooled: the same fit to the mean course over seeds, "
        f"low and high its percentile bootstrap over seeds ({RESAMPLES} resamples); change: first trial of the second "
        "of two stretches of constant error with the least sum of squares. overshoot: amplitude a of the event at its "
        f"new latencies, L its mean after {SETTLED} or more trials: largest (a_n - L) / (L - a_before), of changes of "
        f"{LEAST_CHANGE} or more; where latency and probability change together, a time learned faster than the "
        "probability shows as overshoot"
    ),
    source="change point: Hinkley 1970, doi 10.1093/biomet/57.1.1; bootstrap: Efron 1979, doi 10.1214/aos/1176344552",
    scope="study",
    parts={
        "tau": Item("time constant of the exponential"),
        "tau_explained": Item(
            "fraction of the variance of the error that the exponential explains", "1", detail=True, within=SHARE
        ),
        "tau_pooled": Item("time constant of the mean course over seeds", detail=True, interval=False),
        "tau_pooled_low": Item("lower end of its bootstrap interval", detail=True, interval=False),
        "tau_pooled_high": Item("upper end of its bootstrap interval", detail=True, interval=False),
        "change": Item("trial of the change point"),
        "change_explained": Item(
            "fraction of the variance of the error that the two levels explain", "1", detail=True, within=SHARE
        ),
        "overshoot": Item("overshoot of the amplitude as a fraction of its change", "1", within=ANY),
        "overshoot_settled": Item("the same of the settled probes alone: the fluctuation that stays", "1", within=ANY),
    },
)
def adaptation(recordings: Sequence[xr.Dataset]) -> Iterator[Row]:
    """Fits of each seed and switch, and the time constant of the mean over seeds."""
    pooled: dict[tuple[str, int], list[tuple[np.ndarray, np.ndarray]]] = {}
    if all(len(selection.blocks(recording)) == 1 for recording in recordings):
        raise Unavailable("needs a switch; the recordings have one block each")
    for recording in recordings:
        seed, variant = selection.seed(recording), str(recording.attrs.get("variant", ""))
        for block in selection.blocks(recording)[1:]:
            for row, course in _switch(recording, block):
                yield Row(row.value, row.part, block, row.event, seed, variant, row.note)
                if course is not None:
                    pooled.setdefault((variant, block), []).append(course)
    for (variant, block), found in pooled.items():
        yield from _pooled(found, variant, block)


def _switch(recording: xr.Dataset, block: int) -> Iterator[tuple[Row, tuple[np.ndarray, np.ndarray] | None]]:
    """Yield the rows of one switch, with that of the change point of all events also the course itself."""
    try:
        require(recording, ["prediction", "expectation"])
        found = courses(recording, block)
    except Unavailable as reason:
        yield Row(np.nan, "tau", note=str(reason)), None
        return
    for event, course in found.items():
        trials, errors = np.append(0.0, course.trials), np.append(course.before, course.errors)
        if course.trials[0] == 0:  # the block begins with a probe before its first trial
            trials, errors = course.trials, course.errors
        try:
            settled, height, tau = exponential_fit(trials, errors)
            rest = errors - settled - height * np.exp(-trials / tau)
            yield Row(tau, "tau", event=event), None
            yield (
                Row(float(1 - rest @ rest / ((errors - errors.mean()) ** 2).sum()), "tau_explained", event=event),
                None,
            )
        except Unavailable as reason:
            yield Row(np.nan, "tau", event=event, note=str(reason)), None
        try:
            trial, explained = change_point(trials, errors)
            yield Row(trial, "change", event=event), (trials, errors) if event == ALL_EVENTS else None
            yield Row(explained, "change_explained", event=event), None
        except Unavailable as reason:
            yield Row(np.nan, "change", event=event, note=str(reason)), None
        if event == ALL_EVENTS:
            continue
        try:
            for part, value in zip(("overshoot", "overshoot_settled"), overshoot(*amplitudes(recording, block, event)),
                                   strict=True):  # fmt: skip
                yield Row(value, part, event=event), None
        except Unavailable as reason:
            yield Row(np.nan, "overshoot", event=event, note=str(reason)), None


def _pooled(found: Sequence[tuple[np.ndarray, np.ndarray]], variant: str, block: int) -> Iterator[Row]:
    trials = found[0][0]
    if any(not np.array_equal(trials, other) for other, _ in found):
        note = "the seeds have their probes after different trials"
        yield Row(np.nan, "tau_pooled", block, ALL_EVENTS, variant=variant, note=note)
        return

    def constant(errors: np.ndarray) -> float:
        try:
            return exponential_fit(trials, errors.mean(0))[2]
        except Unavailable:
            return float("nan")

    several = np.array([errors for _, errors in found])
    values = (constant(several), *bootstrap_interval(several, constant, RESAMPLES))
    for part, value in zip(("tau_pooled", "tau_pooled_low", "tau_pooled_high"), values, strict=True):
        note = "" if np.isfinite(value) else "needs two or more seeds, and courses that fall like an exponential"
        yield Row(value, part, block, ALL_EVENTS, variant=variant, note=note)


def effective_rate(probability: np.ndarray, outcomes: np.ndarray) -> float:
    """Return the learning rate that best describes how a probability follows what happens.

    The least-squares slope of p_(t+1) - p_t on y_t - p_t over all trials and events, where y is 1 for the event that
    occurred and 0 for the others: the alpha of the delta rule p <- p + alpha (y - p).

    Parameters
    ----------
    probability : ndarray, (trial + 1, event)
        Before each trial, and after the last.
    outcomes : ndarray of int, (trial,)
        Index of the event that occurred; any other number for none.

    Returns
    -------
    float
        NaN when nothing was left to learn from.
    """
    happened = outcomes[:, None] == np.arange(probability.shape[1])
    surprise = happened - probability[:-1]
    size = float((surprise**2).sum())
    return float((np.diff(probability, axis=0) * surprise).sum() / size) if size > 0 else float("nan")


_LEARNERS = {
    "": "the network",
    "bayes_": "the exact Bayesian observer that is not told of the switches",
    "bayes_told_": "the exact Bayesian observer that is told",
}
_STRETCHES = {"early": f"the first {EARLY} trials of the block", "late": f"its trials after the first {SETTLED}"}


@metric(
    "learning_rate",
    unit="1",
    description="effective learning rate of the what prediction, early and late in a block, beside the exact observer",
    definition=(
        "least-squares slope of p_(t+1) - p_t on y_t - p_t over the trials of a stretch that are learned from and all "
        "events; p: the what prediction before each trial is learned from (network), the mean of the posterior "
        "(observers `bayes` and `bayes_told`); y: 1 for the event that occurred, 0 for the others"
    ),
    source="Nassar et al. 2010, doi 10.1523/JNEUROSCI.0822-10.2010; observer: Adams & MacKay 2007, arXiv 0710.3742",
    needs=("trial_what", "trial_event", "trial_learn", "trial_block"),
    parts={
        f"{who}{stretch}": Item(f"learning rate of {whom} over {when}", detail=who == "bayes_told_")
        for who, whom in _LEARNERS.items()
        for stretch, when in _STRETCHES.items()
    }
    | {
        f"{stretch}_minus_bayes": Item(f"network less observer that is not told, over {when}")
        for stretch, when in _STRETCHES.items()
    },
)
def learning_rate(recording: xr.Dataset) -> Iterator[Row]:
    """Rates of the network and of both observers in each block."""
    from izhires.analysis.observers import ObservedTask
    from izhires.analysis.observers import change_point as exact

    task = ObservedTask.of_recording(recording)
    outcomes, names = task.outcomes, len(task.events)
    prior = np.ones(names + int((outcomes == names).any()))
    expected = {"": recording["trial_what"].transpose("trial", "event").values.astype(float)} | {
        who: exact.change_point(outcomes, prior, exact.hazards(task, told))[0][:, :names]
        for who, told in (("bayes_", False), ("bayes_told_", True))
    }
    for block in selection.blocks(recording):
        mine = np.flatnonzero(task.learned & (task.trials["block"].to_numpy() == block))
        for stretch, rows in (("early", mine[: EARLY + 1]), ("late", mine[SETTLED:])):
            if len(rows) < 3:
                yield Row(np.nan, stretch, block, note=f"block {block} has too few trials: {_STRETCHES[stretch]}")
                continue
            rates = {who: effective_rate(each[rows], outcomes[rows[:-1]]) for who, each in expected.items()}
            for who, rate in rates.items():
                note = "" if np.isfinite(rate) else "nothing to learn from, or not recorded"
                yield Row(rate, f"{who}{stretch}", block, note=note)
            note = "" if np.isfinite(rates[""] - rates["bayes_"]) else "nothing to learn from, or not recorded"
            yield Row(rates[""] - rates["bayes_"], f"{stretch}_minus_bayes", block, note=note)
