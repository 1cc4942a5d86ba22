"""Statistics over seeds: the seed is the unit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import pandas as pd


def t_half_width(spread: Any, count: Any, level: float = 0.95) -> Any:
    """Return half of Student's t interval of a mean: t(count - 1, (1 + level) / 2) * spread / sqrt(count).

    Parameters
    ----------
    spread : float or array_like
        Sample standard deviation (count - 1).
    count : int or array_like
        Independent values; of a single one nothing is known.
    level : float
        Coverage of the interval.

    Returns
    -------
    float or ndarray
        NaN for fewer than two values.
    """
    from scipy.special import stdtrit

    count = np.asarray(count, float)
    half = stdtrit(np.maximum(count - 1, 1), (1 + level) / 2) * spread / np.sqrt(np.maximum(count, 1))
    return np.where(count > 1, half, np.nan)


def t_interval(values: ArrayLike, level: float = 0.95) -> tuple[float, float, float]:
    """Return the mean and Student's t interval of independent values.

    mean +- t(n - 1, (1 + level) / 2) * s / sqrt(n), with s the sample standard deviation (n - 1).

    Parameters
    ----------
    values : array_like
        One value a seed; NaNs are left out.
    level : float
        Coverage of the interval.

    Returns
    -------
    mean, low, high : float
        NaN limits for fewer than two values; all NaN for none.
    """
    found = np.asarray(values, float)
    found = found[~np.isnan(found)]
    if found.size == 0:
        return np.nan, np.nan, np.nan
    mean = float(found.mean())
    if found.size < 2 or not np.isfinite(mean):
        return mean, np.nan, np.nan
    half = float(t_half_width(found.std(ddof=1), found.size, level))
    return mean, mean - half, mean + half


def t_p(values: ArrayLike, limit: float = 0.0) -> float:
    """Return the two-sided p of Student's t test that the mean of independent values is a limit.

    Parameters
    ----------
    values : array_like
        One value a seed; NaNs are left out.
    limit : float

    Returns
    -------
    float
        NaN for fewer than two values. Of values that are all the same it is 1 where they are the limit, else 0.
    """
    from scipy.special import stdtr

    found = np.asarray(values, float)
    found = found[~np.isnan(found)]
    if found.size < 2:
        return float("nan")
    difference, spread = float(found.mean()) - limit, float(found.std(ddof=1)) / np.sqrt(found.size)
    if not np.isfinite(difference):
        return float("nan")
    # as large as rounding: the spread of values that are the same
    if spread <= 1e-12 * max(abs(limit), float(np.abs(found).max())):
        return 0.0 if abs(difference) > 1e-9 * max(abs(limit), 1e-9) else 1.0
    return float(2 * stdtr(found.size - 1, -abs(difference) / spread))


def holm(p: ArrayLike) -> np.ndarray:
    """Return p values adjusted by Holm's method (Holm 1979, Scand. J. Stat. 6:65) over all that are not NaN.

    The k-th smallest of n becomes the largest of (n - j + 1) p_j over all j <= k, at most 1.
    """
    from statsmodels.stats.multitest import multipletests

    found = np.asarray(p, float)
    there = ~np.isnan(found)
    adjusted = np.full(found.shape, np.nan)
    if there.any():
        adjusted[there] = multipletests(found[there], method="holm")[1]
    return adjusted


LARGEST_R = 1 - 1e-9
"""Correlation beyond which Fisher's z is cut off, since that of 1 is infinite."""


def fisher_z(r: ArrayLike) -> np.ndarray:
    """Return Fisher's z of correlations, artanh(r) (Fisher 1921, Metron 1:3); their means are compared as z."""
    return np.arctanh(np.clip(np.asarray(r, float), -LARGEST_R, LARGEST_R))


def mean_and_deviation(values: pd.Series, digits: int) -> str:
    """Return mean and standard deviation over seeds as text; no deviation of a single one, nothing where none is."""
    if values.isna().all():
        return ""
    spread = f" ± {values.std():.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():.{digits}f}{spread}"


def over_seeds(table: pd.DataFrame, by: Sequence[str], value: str) -> pd.DataFrame:
    """Return mean and 95% t-interval of a column over seeds, for each combination of the other columns.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a seed and combination.
    by : sequence of str
        Columns that name the combinations.
    value : str
        Column of values.

    Returns
    -------
    pandas.DataFrame
        Columns `by`, mean, low, high, seeds (the number of values).
    """
    groups = table.groupby(list(by), sort=False, dropna=False)[value]
    found = groups.agg(mean="mean", spread="std", seeds="count").reset_index()
    half = t_half_width(found["spread"], found["seeds"])
    found["low"], found["high"] = found["mean"] - half, found["mean"] + half
    return found[[*by, "mean", "low", "high", "seeds"]]


def bootstrap_interval(
    values: ArrayLike,
    statistic: Callable[[np.ndarray], float] = np.mean,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of a statistic over seeds (Efron 1979, doi 10.1214/aos/1176344552).

    With few seeds it is too narrow: of 5 seeds a nominal 95% interval of a mean covers nearer to 85%.

    Parameters
    ----------
    values : array_like, (seed, ...)
        Whole seeds are drawn with replacement.
    statistic : callable
        Of an array like `values`; resamples for which it is NaN are left out.
    resamples : int
    level : float
        Nominal coverage.
    seed : int
        Of the resampling.

    Returns
    -------
    low, high : float
        NaN for fewer than two seeds, or when the statistic is always NaN.
    """
    found = np.asarray(values, float)
    if len(found) < 2:
        return np.nan, np.nan
    order = np.random.default_rng(seed).integers(len(found), size=(resamples, len(found)))
    drawn = np.array([float(statistic(found[each])) for each in order])
    drawn = drawn[~np.isnan(drawn)]
    if not drawn.size:
        return np.nan, np.nan
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
