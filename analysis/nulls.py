"""Chance levels for subspaces: random ones, isotropic or with the covariance of the state, and shuffled neurons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from izhires.analysis.declared import Unavailable

DRAWS = 1000
RANK_TOLERANCE = 1e-6  # well above the rounding of weights that were stored in single precision
"""A direction counts when its singular value exceeds this fraction of the largest (before anything was removed)."""


def without(vectors: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Return vectors (..., neuron, k) with their component along a direction (neuron,) removed."""
    unit = direction / np.linalg.norm(direction)
    return vectors - unit[:, None] * (unit @ vectors)[..., None, :]


def span(vectors: np.ndarray, scale: float | None = None) -> np.ndarray:
    """Return an orthonormal basis (neuron, rank) of the columns of (neuron, k).

    Parameters
    ----------
    vectors : ndarray, (neuron, k)
    scale : float, optional
        Size against which a direction counts as zero; the largest singular value when left out. Give that of the
        vectors before a projection, so that what rounding leaves of a removed direction is not taken for a direction.
    """
    left, size, _ = np.linalg.svd(vectors, full_matrices=False)
    return left[:, size > RANK_TOLERANCE * (size[0] if scale is None else scale)]


def random_angles(scales: np.ndarray, shape: tuple[int, int], rng: np.random.Generator, n: int = DRAWS) -> np.ndarray:
    """Return the smallest and the largest principal angle of pairs of random subspaces.

    Parameters
    ----------
    scales : ndarray, (dimension,)
        Standard deviation of the vectors along each of some orthogonal directions. Which directions does not matter:
        angles do not change when all vectors are rotated together.
    shape : (int, int)
        Number of vectors of either subspace.
    rng : numpy.random.Generator
    n : int
        Pairs.

    Returns
    -------
    ndarray, (n, 2)
        Degrees.
    """
    found = []
    for vectors in random_pairs(scales, shape, rng, n):
        one, other = (np.linalg.qr(part)[0] for part in vectors)
        cosines = np.linalg.svd(np.swapaxes(one, 1, 2) @ other, compute_uv=False)
        found.append(np.degrees(np.arccos(np.clip(cosines[:, [0, -1]], 0, 1))))
    return np.concatenate(found)


def random_pairs(
    scales: np.ndarray, shape: tuple[int, int], rng: np.random.Generator, n: int = DRAWS
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield n pairs of sets of random vectors, (pair, dimension, k) each, in portions that fit into memory.

    Parameters
    ----------
    scales, shape, rng, n
        See `random_angles`.
    """
    step = 100
    for start in range(0, n, step):
        vectors = scales[:, None] * rng.standard_normal((min(step, n - start), len(scales), sum(shape)))
        yield vectors[..., : shape[0]], vectors[..., shape[0] :]


def shuffled(
    vectors: np.ndarray, rng: np.random.Generator, n: int, removed: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Yield a set of vectors n times with its neurons in random order, (shuffle, neuron, k), in portions.

    All vectors move together: their lengths, their angles to each other and the distribution of weights stay; only
    which cell carries which weight is lost.

    Parameters
    ----------
    vectors : ndarray, (neuron, k)
    rng : numpy.random.Generator
    n : int
        Shuffles.
    removed : ndarray, (neuron,), optional
        A direction to project out again after each shuffle.
    """
    step = 100
    for start in range(0, n, step):
        order = rng.permuted(np.tile(np.arange(len(vectors)), (min(step, n - start), 1)), axis=1)
        yield vectors[order] if removed is None else without(vectors[order], removed)


@lru_cache(maxsize=32)
def isotropic_angles(neurons: int, shape: tuple[int, int], n: int = DRAWS) -> np.ndarray:
    """Return `random_angles` of vectors from N(0, 1) in all directions; they depend on nothing but the sizes.

    With one direction removed they are those of ``neurons - 1`` dimensions.
    """
    return random_angles(np.ones(neurons), shape, np.random.default_rng([neurons, *shape]), n)


def covariance_angles(
    samples: np.ndarray,
    shape: tuple[int, int],
    rng: np.random.Generator,
    n: int = DRAWS,
    removed: np.ndarray | None = None,
) -> np.ndarray:
    """Return `random_angles` of vectors from N(0, C), with C = X^T X / T the UNCENTRED second moment of the states.

    The mean state is a direction of C like any other, and usually its largest, because readouts that are built from
    states hold it too. The vectors are drawn in the principal axes of C, where their variances are its
    eigenvalues.

    Parameters
    ----------
    samples : ndarray, (sample, neuron)
        X, the states.
    shape, rng, n
        See `random_angles`.
    removed : ndarray, (neuron,), optional
        A direction to project out of every vector.

    Returns
    -------
    ndarray, (n, 2)
        Degrees.

    Raises
    ------
    Unavailable
        If the states are all zero.
    """
    return random_angles(state_scales(samples, removed), shape, rng, n)


def state_scales(samples: np.ndarray, removed: np.ndarray | None = None) -> np.ndarray:
    """Return the standard deviations of N(0, C) along its principal axes, see `covariance_angles`.

    Raises
    ------
    Unavailable
        If the states are all zero.
    """
    states = samples if removed is None else without(samples.T, removed).T
    # X X^T and X^T X have the same eigenvalues but for zeros; the smaller one is enough
    moment = (states @ states.T if len(states) < states.shape[1] else states.T @ states) / len(states)
    scales = np.sqrt(np.clip(np.linalg.eigvalsh(moment), 0, None))
    if not scales[-1] > 0:
        raise Unavailable("no covariance-matched null: the states are all zero")
    return scales[scales > RANK_TOLERANCE * scales[-1]]


@lru_cache(maxsize=8)
def isotropic_bases(neurons: int, dimensions: int, n: int) -> np.ndarray:
    """Return orthonormal bases (draw, neuron, dimension) of random subspaces; they depend on nothing but the sizes."""
    rng = np.random.default_rng([neurons, dimensions])
    return np.linalg.qr(rng.standard_normal((n, neurons, dimensions)))[0]


def state_bases(samples: np.ndarray, dimensions: int, rng: np.random.Generator, n: int) -> np.ndarray:
    """Return orthonormal bases (draw, neuron, dimension) of vectors from N(0, C), see `covariance_angles`.

    X^T g with g ~ N(0, 1) has the covariance X^T X.
    """
    mixing = rng.standard_normal((n, len(samples), dimensions))
    return np.linalg.qr(samples.T @ mixing)[0]


@dataclass(frozen=True)
class Comparison:
    """A value against its null distribution.

    Parameters
    ----------
    difference : float
        The value less the mean of the null.
    mean, low, high : float
        Mean and 2.5 and 97.5 percentiles of the null.
    p_larger : float
        One-sided: (1 + number of null values >= the value) / (1 + n).
    p_two_sided : float
        Twice the smaller of the two one-sided p values, at most 1.
    """

    difference: float
    mean: float
    low: float
    high: float
    p_larger: float
    p_two_sided: float


def compare(value: float, null: np.ndarray) -> Comparison:
    """Compare a value with draws of its null distribution (Phipson & Smyth 2010, doi 10.2202/1544-6115.1585)."""
    larger, smaller = ((1 + int(np.sum(side))) / (1 + len(null)) for side in (null >= value, null <= value))
    low, high = np.percentile(null, [2.5, 97.5])
    mean = float(null.mean())
    return Comparison(value - mean, mean, float(low), float(high), larger, min(1.0, 2 * min(larger, smaller)))


def effect(value: float, null: np.ndarray) -> float:
    """Return (value - mean of the null) / standard deviation of the null, NaN for a null without spread."""
    spread = float(null.std(ddof=1)) if len(null) > 1 else 0.0
    return (value - float(null.mean())) / spread if spread > 0 else float("nan")
