"""The course of the state after the cue: its dimension, its repeatability, the time it tells, and whether runs diverge.

All of it is read from the spike traces of the recorded probes; dimension, likeness and distance with each cell in units
of its own spread, since the readouts see each cell standardised. Where chance comes from shifting traces in time, in a
circle over the window, it keeps the rate and the smoothness of every cell.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from izhires.analysis import nulls, selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics.base import Item, Row, metric
from izhires.analysis.metrics.prediction import RIDGE, ridge_from_products
from izhires.analysis.statistics import ANY, CORRELATION, POSITIVE, Range, difference_of

if TYPE_CHECKING:
    import xarray as xr

DRAWS = 100

SHARED = ("topology", "cells", "input", "trials")
"""The streams of `izhires.model.seeds` that make a network and its trials; the others are noise."""
PAIR = "izhires run ... " + " ".join(f"--set seeds.{name}=0" for name in SHARED)
"""What makes all seeds of a folder the same network in the same trials, apart from its noise."""


def _against(name: str, what: str, p: str, within: Range = POSITIVE) -> dict[str, Item]:
    """Return the parts of a value and its comparison with a null."""
    return {
        "": Item(name),
        "difference": Item(
            f"{name}, less its mean {what}: its interval over seeds is the test", within=difference_of(within)
        ),
        "mean": Item(f"mean {what}", interval=False),
        "low": Item(f"2.5 percentile {what}", detail=True, interval=False),
        "high": Item(f"97.5 percentile {what}", detail=True, interval=False),
        "p_two_sided": Item(f"two-sided p{p}, within one network", "1", detail=True, interval=False),
    }


def _rows(value: float, chance: np.ndarray, block: int) -> Iterator[Row]:
    yield Row(value, "", block)
    found = asdict(nulls.compare(value, chance))
    for part in ("difference", "mean", "low", "high", "p_two_sided"):
        yield Row(found[part], part, block)


def standardised(states: np.ndarray) -> np.ndarray:
    """Return states (sample, neuron) with mean 0 and standard deviation 1 of each cell; cells that never vary are 0."""
    spread = states.std(0)
    return (states - states.mean(0)) / np.where(spread > 0, spread, np.inf)


def participation_ratio(states: np.ndarray) -> float:
    """Return tr(C)^2 / tr(C^2), with C the covariance of the states over samples.

    Parameters
    ----------
    states : ndarray, (sample, neuron)

    Returns
    -------
    float
        k when the variance is spread evenly over k directions; NaN when nothing varies.
    """
    centred = states - states.mean(0)
    # X X^T and X^T X have the same trace and the same sum of squares
    gram = centred @ centred.T if len(centred) < centred.shape[1] else centred.T @ centred
    total = float((gram**2).sum())
    return float(np.trace(gram)) ** 2 / total if total > 0 else float("nan")


@metric(
    "participation_ratio",
    unit="dimensions",
    within=POSITIVE,
    description="number of dimensions over which the state's variance is spread, at the last probe of each block",
    definition=(
        "tr(C)^2/tr(C^2), C the correlation matrix of the cells over the samples of state_trace within the window; "
        f"chance: {DRAWS} draws with each cell's trace shifted in time by a random amount of its own"
    ),
    source="Gao et al. 2017, doi 10.1101/214262; chance: this project",
    needs=("state_trace",),
    parts=_against("participation ratio", "of independently shifted cells", " against shifted cells"),
)
def participation(recording: xr.Dataset) -> Iterator[Row]:
    """Participation ratio in each block, against cells that know nothing of each other."""
    for block in selection.blocks(recording):
        states = standardised(selection.state_samples(recording, [selection.last_probe(recording, block)]))
        value = participation_ratio(states)
        if np.isnan(value):
            yield Row(np.nan, "", block, note="no cell's trace varies within the window")
            continue
        rng = np.random.default_rng([selection.seed(recording), block])
        shifts = rng.integers(0, len(states), (DRAWS, states.shape[1]))
        # of each cell, its course from every moment on
        shifted = np.lib.stride_tricks.sliding_window_view(np.concatenate([states, states]).T.copy(), len(states), 1)
        cells = np.arange(len(shifted))
        chance = [participation_ratio(shifted[cells, each].T) for each in shifts]
        yield from _rows(value, np.array(chance), block)


def similarity(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the mean over cells of the correlation over time of a cell's traces in two trials, at each shift of one.

    Parameters
    ----------
    one, other : ndarray, (time, neuron)

    Returns
    -------
    ndarray, (time,)
        In -1 to 1; over the cells that vary in both. The first is that of the trials as they are, the
        k-th that after `other` was shifted by k samples, in a circle.

    Raises
    ------
    Unavailable
        If no cell varies in both.
    """
    a, b = standardised(one), standardised(other)
    both = a.any(0) & b.any(0)
    if not both.any():
        raise Unavailable("no cell's trace varies in both probes")
    products = a[:, both] @ b[:, both].T / both.sum()  # of all pairs of times
    moments = np.arange(len(a))
    return np.array([products[moments, (moments - shift) % len(a)].mean() for shift in moments])


@metric(
    "reliability",
    unit="1",
    within=CORRELATION,
    description="how alike the states of two trials of a block are: its first and its last probe",
    definition=(
        "Pearson's r over the window of a cell's state_trace in the two probes, mean over the cells that vary in both; "
        "chance: all shifts of one of them in time, all cells together"
    ),
    needs=("state_trace",),
    parts=_against(
        "correlation of the two trials", "when one trial is shifted in time", " against shifts", CORRELATION
    ),
)
def reliability(recording: xr.Dataset) -> Iterator[Row]:
    """Correlation of the states of the first and the last probe of each block."""
    for block in selection.blocks(recording):
        probes = np.intersect1d(selection.probes(recording, block), selection.state_probes(recording))
        if len(probes) < 2:
            yield Row(np.nan, "", block, note="needs state_trace at two probes of the block")
            continue
        first, last = (selection.state_samples(recording, [int(probe)]) for probe in (probes[0], probes[-1]))
        try:
            found = similarity(first, last)
        except Unavailable as reason:
            yield Row(np.nan, "", block, note=str(reason))
        else:
            yield from _rows(float(found[0]), found[1:], block)


@metric(
    "decoded_time",
    unit="ms",
    within=POSITIVE,
    description="error of the time since the cue as a linear readout tells it from the state of another trial",
    definition=(
        "mean absolute error over the window of a ridge regression of time on state_trace, with a constant and a "
        f"penalty of {RIDGE} of the mean square of a sample, fitted to all other recorded probes; mean over the "
        f"recorded probes of the block; chance: fitted to times in random order, {DRAWS} draws"
    ),
    source="this project; ridge regression: Hoerl & Kennard 1970, doi 10.1080/00401706.1970.10488634",
    worst="highest",
    needs=("state_trace",),
    parts=_against("mean absolute error", "when fitted to shuffled times", " against shuffled times"),
)
def decoded_time(recording: xr.Dataset) -> Iterator[Row]:
    """Error of decoded time in each block, cross-validated over probes."""
    times = 1e3 * selection.state_times(recording)
    probes = [int(probe) for probe in selection.state_probes(recording)]
    if len(probes) < 2:
        raise Unavailable("needs state_trace at two probes")
    rng = np.random.default_rng([selection.seed(recording), 0])
    states = selection.state_samples(recording, probes)
    products = states @ states.T  # of all pairs of samples
    of_probe = np.repeat(probes, len(times))
    for block in selection.blocks(recording):
        found = []
        for probe in np.intersect1d(selection.probes(recording, block), probes):
            here, rest = of_probe == probe, of_probe != probe
            known = np.tile(times, len(probes) - 1)
            shuffled = rng.permuted(np.tile(known[:, None], DRAWS), axis=0)
            read = ridge_from_products(
                products[np.ix_(rest, rest)], products[np.ix_(here, rest)], np.column_stack([known, shuffled])
            )
            found.append(np.abs(read - times[:, None]).mean(0))
        if not found:
            yield Row(np.nan, "", block, note="no state_trace was recorded at the probes that are needed")
            continue
        errors = np.mean(found, axis=0)
        yield from _rows(float(errors[0]), errors[1:], block)


def squared_distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the squared distance of two runs at all pairs of times, over its mean at unequal times.

    Parameters
    ----------
    one, other : ndarray, (time, neuron)

    Returns
    -------
    ndarray, (time of one, time of other)
        On the diagonal 0 where the runs are in one state, and about 1 where they have no more in common than two
        different times.

    Raises
    ------
    Unavailable
        If nothing varies.
    """
    both = standardised(np.concatenate([one, other]))
    a, b = both[: len(one)], both[len(one) :]
    apart = ((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T).clip(0)
    np.fill_diagonal(apart, ((a - b) ** 2).sum(1))  # exactly zero where they are equal
    unequal = (apart.sum() - np.trace(apart)) / (len(a) * (len(a) - 1))
    if not unequal > 0:
        raise Unavailable("no cell's trace varies")
    return apart / unequal


def twins(recordings: Sequence[xr.Dataset]) -> list[list[xr.Dataset]]:
    """Return the groups of recordings of one network in the same trials that differ by their noise alone.

    Raises
    ------
    Unavailable
        If there is no such pair; with the command that makes one.
    """
    from izhires.recordings.recording import configuration

    groups: dict[str, list[xr.Dataset]] = {}
    for recording in recordings:
        if "configuration" not in recording.attrs:
            continue
        made: dict[str, Any] = configuration(recording)
        fixed, own = made.pop("seeds", {}), selection.seed(recording)
        streams = {name: own if fixed.get(name) is None else fixed[name] for name in SHARED}
        key = json.dumps([made, streams, str(recording.attrs.get("variant", ""))], sort_keys=True)
        groups.setdefault(key, []).append(recording)
    found = [group for group in groups.values() if len(group) > 1]
    if not found:
        raise Unavailable(f"needs runs of one network that differ by their noise alone: {PAIR}")
    return found


@metric(
    "divergence",
    unit="1",
    within=POSITIVE,
    description="whether two runs of one network in the same trials, with other noise, part or come together",
    definition=(
        "D2(t) = |a(t) - b(t)|^2 over its mean at unequal times, from state_trace at the last probe of each block, "
        "each cell in units of its spread; distance: mean of D2 over the window (0: the same course, 1: unrelated); "
        "rate: slope of ln D over the window, a Lyapunov exponent when the noise is small enough; for each seed the "
        "mean over all its twins"
    ),
    source="this project, after Wolf et al. 1985, doi 10.1016/0167-2789(85)90011-9",
    scope="study",
    needs=("state_trace",),
    parts={
        "distance": Item("distance of the two runs; chance is 1, that of two different times"),
        "rate": Item(
            "slope of the logarithm of the distance; negative when the cue brings the runs together", "1/s", within=ANY
        ),
    },
)
def divergence(recordings: Sequence[xr.Dataset]) -> Iterator[Row]:
    """Distance and rate of divergence of runs that differ by their noise alone."""
    for group in twins(recordings):
        variant = str(group[0].attrs.get("variant", ""))
        for block in selection.blocks(group[0]):
            found: dict[int, list[tuple[float, float]]] = {selection.seed(each): [] for each in group}
            for one, other in combinations(group, 2):
                a, b = (selection.state_samples(r, [selection.last_probe(r, block)]) for r in (one, other))
                apart = np.diag(squared_distances(a, b))
                times = selection.state_times(one)
                rate = np.polyfit(times, np.log(apart) / 2, 1)[0] if (apart > 0).all() else np.nan
                for each in (one, other):
                    found[selection.seed(each)].append((float(apart.mean()), float(rate)))
            for seed, values in found.items():
                distance, rate = np.mean(values, axis=0)
                yield Row(float(distance), "distance", block, seed=seed, variant=variant)
                note = "two of the runs are in one state: is there noise?" if np.isnan(rate) else ""
                yield Row(float(rate), "rate", block, seed=seed, variant=variant, note=note)
