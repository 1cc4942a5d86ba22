"""Produced against sample interval, where an interval is heard and to be reproduced (ready, set, go).

The network produces an interval by predicting when go comes: the time from set to the peak of its prediction in a
probe, which has ready and set and no go. A Bayes least-squares observer, one that believes its measurement, and one
that produces the prior's mean whatever it hears are fitted to the same productions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable, require
from izhires.analysis.metrics.base import Item, Row, metric
from izhires.analysis.statistics import POSITIVE, SHARE

if TYPE_CHECKING:
    import xarray as xr

READINGS = ("peak", "centre", "rise")
"""The largest prediction; its centre of mass; its first crossing of half of its peak. Peak and rise are read after a
Gaussian filter as wide as an event, so that no single sample decides."""

SHUFFLES = 10_000

OBSERVERS = ("least_squares", "likelihood", "mean")

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(48)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()

# Weber fractions within which an observer is sought
_SMALLEST, _LARGEST = 0.005, 1.0


class Observer(NamedTuple):
    """An observer with its Weber fractions of measurement and production, and a constant error (ms)."""

    kind: str
    w_measure: float
    w_produce: float
    offset: float
    log_likelihood: float = np.nan

    @property
    def information_criterion(self) -> float:
        """Akaike's: 2*parameters - 2*log_likelihood."""
        return 2 * (2 if self.kind == "mean" else 3) - 2 * self.log_likelihood


def read_times(curves: np.ndarray, times: np.ndarray, width: float) -> dict[str, np.ndarray]:
    """Return the time of each reading of some predictions.

    Parameters
    ----------
    curves : array, (probe, time)
        Predictions; what is below 0 counts as 0.
    times : array, (time,)
        Evenly spaced.
    width : float
        Standard deviation of the filter, in the unit of `times`.

    Returns
    -------
    dict of str to array, (probe,)
        By `READINGS`, in the unit of `times`; NaN where nothing is predicted.
    """
    from scipy.ndimage import gaussian_filter1d

    curves = np.clip(curves, 0, None).astype(float)
    filtered = gaussian_filter1d(curves, width / (times[1] - times[0]), axis=1, mode="constant")
    top = filtered.max(axis=1)
    some = top > 0
    mass = np.where(some, curves.sum(axis=1), np.nan)
    found = {
        "peak": times[filtered.argmax(axis=1)],
        "centre": curves @ times / mass,
        "rise": times[(filtered >= top[:, None] / 2).argmax(axis=1)],
    }
    return {name: np.where(some, each, np.nan) for name, each in found.items()}


def productions(recordings: Sequence[xr.Dataset]) -> pd.DataFrame:
    """Return what was produced in each probe after the last training trial.

    Parameters
    ----------
    recordings : sequence of xarray.Dataset
        Of the paradigm ``interval_reproduction``, or of a table of trials with the inputs ready and set and a cue name
        for each sample interval.

    Returns
    -------
    pandas.DataFrame
        Columns prior, seed, event, interval (ms), probe, and one a reading (ms from set), NaN where nothing is
        predicted.

    Raises
    ------
    Unavailable
        If a recording is of another task, or has one sample interval only.
    """
    tables = []
    for recording in selection.by_cue(recordings):
        require(recording, ("prediction", "input_channel", "outcome_latency"))
        latencies = np.unique(recording["outcome_latency"].values)
        if not {"ready", "set"} <= {*recording["input_channel"].values.astype(str)} or len(latencies) != 1:
            raise Unavailable(
                "needs the inputs ready and set, and one interval a cue, as interval_reproduction has them"
            )
        trained = recording["block_trial"].values
        probes = np.flatnonzero(trained == trained.max())
        (event,) = selection.events(recording)[:1]
        curves = recording["prediction"].sel(event=event).transpose("probe", "time").values[probes]
        found = pd.DataFrame({"probe": recording["probe"].values[probes]})
        attrs = recording.attrs
        for name, values in read_times(
            curves, 1e3 * recording["time"].values, 1e3 * float(attrs["event_width"])
        ).items():
            found[name] = values
        named: dict[str, Any] = {
            "prior": str(attrs.get("whole_variant", attrs.get("variant", ""))),
            "seed": selection.seed(recording),
            "event": event,
            "interval": 1e3 * float(latencies[0]),
        }
        tables.append(found.assign(**named)[[*named, "probe", *READINGS]])
    found = (
        pd.concat(tables, ignore_index=True).sort_values(["interval", "probe"], kind="stable")
        if tables
        else pd.DataFrame()
    )
    if found.empty or found.groupby(["prior", "seed"])["interval"].nunique().min() < 2:
        raise Unavailable("needs two or more sample intervals")
    return found


def slope(interval: np.ndarray, produced: np.ndarray, shuffles: int = 0) -> tuple[float, np.ndarray]:
    """Return the least-squares slope of produced on sample intervals, and those of shuffled productions.

    Parameters
    ----------
    interval, produced : array, (probe,)
    shuffles : int

    Returns
    -------
    slope : float
        1 where intervals are reproduced, 0 where the same is produced whatever was heard.
    chance : array, (shuffle,)
    """
    centred, produced = interval - interval.mean(), produced - produced.mean()
    weight = centred / (centred @ centred)
    rng = np.random.default_rng(len(interval))
    return float(weight @ produced), rng.permuted(np.tile(produced, (shuffles, 1)), axis=1) @ weight


def estimate(kind: str, measured: np.ndarray, w_measure: float, prior: np.ndarray) -> np.ndarray:
    r"""Return the interval that an observer takes a measured one for.

    With :math:`p(m|t) = N(m; t, (w_m t)^2)` and a prior with equal probability for each of its intervals :math:`t_j`

    .. math:: \hat t_{BLS}(m) = \frac{\sum_j t_j\, p(m|t_j)}{\sum_j p(m|t_j)}, \qquad
              \hat t_{ML}(m) = m\, \frac{\sqrt{1 + 4 w_m^2} - 1}{2 w_m^2}.

    Parameters
    ----------
    kind : {"least_squares", "likelihood", "mean"}
        The posterior mean; the interval under which the measurement is most likely; the mean of the prior.
    measured : array
        ms.
    w_measure : float
        Weber fraction of the measurement.
    prior : array, (interval,)
        The sample intervals, ms.

    Returns
    -------
    array
        ms, of the shape of `measured`.
    """
    if kind == "mean":
        return np.full(measured.shape, prior.mean())
    if kind == "likelihood":
        return measured * (np.sqrt(1 + 4 * w_measure**2) - 1) / (2 * w_measure**2)
    spread = w_measure * prior
    log = -np.log(spread) - (measured[..., None] - prior) ** 2 / (2 * spread**2)
    weight = np.exp(log - log.max(axis=-1, keepdims=True))
    return np.asarray(weight @ prior / weight.sum(axis=-1))


def _estimates(kind: str, w_measure: float, interval: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Return the estimates at the nodes of the quadrature over measurements, (interval, node)."""
    measured = np.clip(interval[:, None] * (1 + w_measure * _NODES), 1.0, None)
    return estimate(kind, measured, w_measure, prior)


def mean_produced(observer: Observer, interval: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Return the mean interval that an observer produces after each sample interval, ms."""
    return _estimates(observer.kind, observer.w_measure, interval, prior) @ _WEIGHTS + observer.offset


def log_likelihood(observer: Observer, interval: np.ndarray, produced: np.ndarray, prior: np.ndarray) -> float:
    r"""Return the log-likelihood of productions under an observer.

    .. math:: p(t_p|t_s) = \int N(t_p;\, \hat t(m) + b,\, (w_p \hat t(m))^2)\; N(m;\, t_s, (w_m t_s)^2)\; dm

    by Gauss-Hermite quadrature over the measurement :math:`m`.
    """
    values, which = np.unique(interval, return_inverse=True)
    centre = _estimates(observer.kind, observer.w_measure, values, prior)[which]
    spread = observer.w_produce * centre
    log = -((produced[:, None] - centre - observer.offset) ** 2) / (2 * spread**2) - np.log(spread)
    top = log.max(axis=1)
    inside = np.exp(log - top[:, None]) @ _WEIGHTS
    return float((top + np.log(inside)).sum() - len(produced) * np.log(2 * np.pi) / 2)


def fit(kind: str, interval: np.ndarray, produced: np.ndarray, prior: np.ndarray) -> Observer:
    """Fit an observer to productions, by maximum likelihood.

    Parameters
    ----------
    kind : str
        One of `OBSERVERS`.
    interval, produced : array, (probe,)
        ms.
    prior : array, (interval,)
        ms.
    """
    from scipy.optimize import minimize

    error = produced - interval
    offset, noise = float(produced.mean() - interval.mean()), float(error.std() / interval.mean())
    scale = prior.mean()

    def observer(x: np.ndarray) -> Observer:
        w_measure = np.exp(x[2]) if kind != "mean" else np.nan
        return Observer(kind, float(w_measure), float(np.exp(x[0])), float(scale * x[1]))

    best: Observer | None = None
    limits = [(np.log(_SMALLEST), np.log(_LARGEST)), (-1, 1), (np.log(_SMALLEST), np.log(_LARGEST))]
    for first in (0.03, 0.2) if kind != "mean" else (0.1,):
        begin = [np.log(np.clip(each, 2 * _SMALLEST, _LARGEST / 2)) for each in (noise, first)]
        start = np.array([begin[0], offset / scale, begin[1]])[: 2 if kind == "mean" else 3]
        found = minimize(
            lambda x: -log_likelihood(observer(x), interval, produced, prior),
            start,
            method="Nelder-Mead",
            bounds=limits[: len(start)],
            options={"xatol": 1e-4, "fatol": 1e-4, "maxiter": 2000},
        )
        if best is None or -found.fun > best.log_likelihood:
            best = observer(found.x)._replace(log_likelihood=float(-found.fun))
    assert best is not None
    return best


def measures(interval: np.ndarray, produced: np.ndarray) -> dict[str, float]:
    """Return every part of the metric that comes of productions alone, not of a fit.

    Parameters
    ----------
    interval, produced : array, (probe,)
        ms, without missing ones.
    """
    table = pd.DataFrame({"interval": interval, "produced": produced})
    groups = table.groupby("interval")["produced"]
    mean, spread = groups.mean(), groups.std()
    intervals = mean.index.to_numpy(float)
    steepness, chance = slope(interval, produced, SHUFFLES)
    root = float(np.sqrt(np.mean((produced - interval) ** 2)))
    scalar = slope(intervals[spread.notna()], spread.dropna().to_numpy())[0] if spread.notna().sum() > 1 else np.nan
    return {
        "slope": steepness,
        "slope_chance": float(np.quantile(np.abs(chance), 0.95)),
        "slope_p": float((1 + (np.abs(chance) >= abs(steepness)).sum()) / (1 + SHUFFLES)),
        "offset": float((mean - intervals).mean()),
        "bias": float(np.sqrt(np.mean((mean - intervals) ** 2))),
        "deviation": float(np.sqrt((spread**2).mean())),
        "error": root / float(interval.std()),
        "scalar": scalar,
    }


@metric(
    "interval_reproduction",
    unit="ms",
    description="what a network produces of an interval that it heard: slope, bias, spread, and observers fitted to it",
    definition=(
        "produced: time from set to the largest prediction of go after a Gaussian filter as wide as an event, probes "
        "after the last training trial; slope: least "
        f"squares, produced on sample interval; chance: 95% of |slope| of {SHUFFLES} shuffles among probes; bias: root "
        "mean square over sample intervals of mean produced less sample; deviation: root mean variance (n - 1) within; "
        "error: root mean square of produced less sample, over that of the prior's mean; observers: measurement "
        "N(t, (w_m t)^2), then the posterior mean under the prior (least squares), the most likely interval, or the "
        "prior's mean; production N(estimate + offset, (w_p estimate)^2); maximum likelihood"
    ),
    source="Jazayeri & Shadlen (2010), doi 10.1038/nn.2590; the constant offset is this project's",
    scope="study",
    needs=("prediction", "input_channel", "outcome_latency"),
    parts={
        "slope": Item(
            "slope of produced on sample interval: 1 reproduces, 0 produces the same whatever was heard", "1"
        ),
        "slope_chance": Item("95% of shuffled slopes are not larger, either sign", "1", interval=False),
        "slope_p": Item("p of the slope against shuffles, two-sided", "1", interval=False),
        "offset": Item("mean produced less mean sample interval"),
        "bias": Item("root mean square over sample intervals of the mean error", within=POSITIVE),
        "deviation": Item("standard deviation at one sample interval, root mean square over them", within=POSITIVE),
        "error": Item(
            "root mean square error over that of producing the prior's mean, which is 1", "1", within=POSITIVE
        ),
        "scalar": Item("slope of the standard deviation on the sample interval: its Weber fraction if scalar", "1"),
        "w_measure": Item("Weber fraction of the measurement, least-squares observer", "1", within=POSITIVE),
        "w_produce": Item("Weber fraction of the production, least-squares observer", "1", within=POSITIVE),
        "observer_slope": Item("slope of the fitted least-squares observer", "1"),
        "over_mean": Item("AIC of the observer that produces the prior's mean, less that of least squares", "1"),
        "over_likelihood": Item("AIC of the observer without a prior, less that of least squares", "1"),
        "slope_centre": Item("slope, produced read as the prediction's centre of mass", "1", detail=True),
        "slope_rise": Item("slope, produced read as the first crossing of half of the peak", "1", detail=True),
        "silent": Item("share of probes in which nothing is predicted", "1", detail=True, within=SHARE),
    },
)
def interval_reproduction(recordings: Sequence[xr.Dataset]) -> Iterator[Row]:
    """Reproduction of intervals by each seed under each prior."""
    for (prior, seed), own in productions(recordings).groupby(["prior", "seed"], sort=False):
        event, intervals = str(own["event"].iloc[0]), np.unique(own["interval"])
        heard = own.dropna(subset=list(READINGS))
        values = {"silent": 1 - len(heard) / len(own)}
        if heard["interval"].nunique() < 2:
            note = "nothing is predicted after set, hence nothing produced"
            yield Row(np.nan, "slope", event=event, seed=int(str(seed)), variant=str(prior), note=note)
        else:
            interval, produced = heard["interval"].to_numpy(), heard["peak"].to_numpy()
            values |= measures(interval, produced)
            fitted = {kind: fit(kind, interval, produced, intervals) for kind in OBSERVERS}
            least = fitted["least_squares"]
            values |= {
                "w_measure": least.w_measure,
                "w_produce": least.w_produce,
                "observer_slope": slope(intervals, mean_produced(least, intervals, intervals))[0],
                "over_mean": fitted["mean"].information_criterion - least.information_criterion,
                "over_likelihood": fitted["likelihood"].information_criterion - least.information_criterion,
            }
            for reading in READINGS[1:]:
                values[f"slope_{reading}"] = slope(interval, heard[reading].to_numpy())[0]
        for part, value in values.items():
            yield Row(float(value), part, event=event, seed=int(str(seed)), variant=str(prior))
