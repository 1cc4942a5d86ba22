"""Error of the cue-only prediction against the true expectation, beside the bounds of no learning and of a fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics.base import ALL_EVENTS, Item, Row, metric
from izhires.analysis.statistics import POSITIVE
from izhires.declare import PAPER
from izhires.paradigms import truth

if TYPE_CHECKING:
    import xarray as xr

TRIALS = (1, 10, 50, 100)
"""Training trials of a block after which the learning curve is tabulated (those of Yamada & Chao 2026)."""

RIDGE = 1e-2
"""Penalty of the fitted readout, as a fraction of the mean square of one sample of the state (see `ridge_readout`)."""


def rmse(prediction: xr.DataArray, expectation: xr.DataArray, over: Sequence[str] = ("event", "time")) -> xr.DataArray:
    """Return the root of the mean square of (prediction - expectation) over some dimensions."""
    return ((prediction - expectation) ** 2).mean(over) ** 0.5


def by_event(prediction: xr.DataArray, expectation: xr.DataArray) -> dict[str, xr.DataArray]:
    """Return the error of all events together and of each event, over time; other dimensions stay.

    The squared error of all events together is the mean of the squared errors of the events.
    """
    separate = rmse(prediction, expectation, ("time",))
    together = rmse(prediction, expectation)
    return {ALL_EVENTS: together} | {str(name): separate.sel(event=name) for name in separate["event"].values}


def ridge_readout(
    states: np.ndarray, targets: np.ndarray, others: np.ndarray | None = None, penalty: float = RIDGE
) -> np.ndarray:
    """Fit a linear readout with a constant by ridge regression and return what it reads.

    With X the states less their mean over samples, Y the targets less theirs, and lambda = penalty * trace(X X^T) / T,
    the weights are W = X^T (X X^T + lambda 1)^-1 Y and the reading of a state x is mean(Y) + (x - mean(X)) W. Solved in
    the space of samples, since there are usually fewer samples than neurons.

    Parameters
    ----------
    states : ndarray, (sample, neuron)
    targets : ndarray, (sample, event)
    others : ndarray, (sample, neuron), optional
        States to read; the fitted ones when left out.
    penalty : float
        In units of the mean square of a sample.

    Returns
    -------
    ndarray, (sample, event)
    """
    products = states @ states.T
    return ridge_from_products(products, products if others is None else others @ states.T, targets, penalty)


def ridge_from_products(
    among: np.ndarray, with_others: np.ndarray, targets: np.ndarray, penalty: float = RIDGE
) -> np.ndarray:
    """Return what `ridge_readout` returns, from the inner products of states alone.

    Parameters
    ----------
    among : ndarray, (sample, sample)
        Of the fitted states.
    with_others : ndarray, (other, sample)
        Of the states to read with the fitted ones.
    targets : ndarray, (sample, event)
    penalty : float

    Returns
    -------
    ndarray, (other, event)
    """
    from scipy.linalg import solve

    # less the mean of the fitted states, on either side
    mean, level = among.mean(0), targets.mean(0)
    centred = among - mean - mean[:, None] + mean.mean()
    power = np.trace(centred) / len(centred)
    if power <= 1e-12 * np.trace(among) / len(among):
        return np.broadcast_to(level, (len(with_others), targets.shape[1])).copy()
    read = with_others - with_others.mean(1, keepdims=True) - mean + mean.mean()
    centred[np.diag_indices_from(centred)] += penalty * power
    return level + read @ solve(centred, targets - level, assume_a="pos", check_finite=False)


def best_fit(recording: xr.Dataset, block: int, *, held_out: bool) -> xr.DataArray:
    """Return what a readout fitted to a block's expectation reads at the block's last probe.

    Parameters
    ----------
    recording : xarray.Dataset
    block : int
    held_out : bool
        False: fitted to the states of that very probe. True: fitted to the states of all other recorded probes.

    Returns
    -------
    xarray.DataArray, (event, time)
        On the coarser times of the recorded states.

    Raises
    ------
    Unavailable
        If the states of the probes that are needed were not recorded.
    """
    probe = selection.last_probe(recording, block)
    times = selection.state_times(recording)
    wanted = recording["expectation"].isel(probe=probe).sel(time=times, method="nearest").transpose("event", "time")
    target = wanted.values.T
    here = selection.state_samples(recording, [probe])
    if held_out:
        rest = [int(each) for each in selection.state_probes(recording) if each != probe]
        states = selection.state_samples(recording, rest)
        reading = ridge_readout(states, np.tile(target, (len(rest), 1)), here)
    else:
        reading = ridge_readout(here, target)
    return wanted.copy(data=reading.T)


def _rows(errors: Mapping[str, xr.DataArray], part: str, block: int, note: str = "") -> Iterator[Row]:
    for event, value in errors.items():
        yield Row(float(value), part, block, event, note=note)


@metric(
    "error",
    unit="1",
    within=POSITIVE,
    description="error of the cue-only prediction against the expectation",
    definition="root mean square of prediction - expectation over the window; for all events together and for each",
    source=f"this project; the formula of {PAPER}, is not known to us",
    worst="highest",
    needs=("prediction", "expectation"),
    parts={
        "first": Item("error at the first probe of the block"),
        **{
            f"trial_{n}": Item(f"error after {n} training trial{'s'[: n > 1]} of the block", detail=True)
            for n in TRIALS
        },
        "last": Item("error at the last probe of the block"),
        "ratio": Item("error at the last probe over error after the first training trial of the block"),
        "over_zero": Item("error at the last probe over the zero-output bound"),
    },
)
def error(recording: xr.Dataset) -> Iterator[Row]:
    """Error at set trials of each block, and the ratios that say how much was learned."""
    curves = by_event(recording["prediction"], recording["expectation"])
    zero = by_event(0 * recording["prediction"], recording["expectation"])
    for block in selection.blocks(recording):
        probes = selection.probes(recording, block)
        done = recording["block_trial"].values[probes]
        last = int(probes[-1])
        at = {part: {event: curve.values[index] for event, curve in curves.items()}
              for part, index in (("first", probes[0]), ("last", last))}  # fmt: skip
        yield from _rows(at["first"], "first", block)
        for trial in TRIALS:
            if trial not in done:
                yield Row(
                    np.nan, f"trial_{trial}", block, ALL_EVENTS, note=f"no probe after trial {trial} of the block"
                )
                continue
            index = int(probes[np.flatnonzero(done == trial)[0]])
            at[f"trial_{trial}"] = {event: curve.values[index] for event, curve in curves.items()}
            yield from _rows(at[f"trial_{trial}"], f"trial_{trial}", block)
        yield from _rows(at["last"], "last", block)
        for event, curve in curves.items():
            if "trial_1" in at:
                yield _ratio(curve.values[last], at["trial_1"][event], "ratio", block, event)
            yield _ratio(curve.values[last], zero[event].values[last], "over_zero", block, event)
        if "trial_1" not in at:
            yield Row(np.nan, "ratio", block, ALL_EVENTS, note="no probe after trial 1 of the block")


@metric(
    "error_survivor",
    unit="1",
    description="error of the cue-only prediction against what is still expected, given that nothing has come so far",
    definition=(
        "root mean square over the window of prediction - sum_j p_j/S(min(t, t_j)) bump_j at the last probe of the "
        "block, S the probability that nothing has come before; where several events may come in a trial, that this "
        "event has not. A probe has no event, so that this is what someone who knows the statistics would expect in it"
    ),
    source="Janssen & Shadlen 2005, doi 10.1038/nn1386; see izhires.paradigms.truth.survivor_expectation",
    worst="highest",
    needs=("prediction", "expectation", "outcome_latency"),
    parts={
        "last": Item("error at the last probe of the block", within=POSITIVE),
        "over_zero": Item("that over the error of an output of zero from the same", within=POSITIVE),
        "minus_error": Item("that less the error from the probability-weighted expectation: below 0, nearer to hazard"),
    },
)
def error_survivor(recording: xr.Dataset) -> Iterator[Row]:
    """Error against the survivor-conditioned expectation, for each block."""
    for block in selection.blocks(recording):
        probe = selection.last_probe(recording, block)
        shown, wanted = (recording[name].isel(probe=probe) for name in ("prediction", "expectation"))
        given = survivor_expectation(recording, block)
        found, zero, weighted = by_event(shown, given), by_event(0 * given, given), by_event(shown, wanted)
        yield from _rows(found, "last", block)
        for event, value in found.items():
            yield _ratio(float(value), float(zero[event]), "over_zero", block, event)
        yield from _rows({event: value - weighted[event] for event, value in found.items()}, "minus_error", block)


def survivor_expectation(recording: xr.Dataset, block: int) -> xr.DataArray:
    """Return what is still expected in a block at each time, given that nothing has come so far, (event, time)."""
    if selection.chosen(recording):
        raise Unavailable("nothing follows the cue of itself: what is chosen decides")
    outcomes, names = selection.outcomes(recording), selection.events(recording)
    groups = [[name] for name in names] if "trial_latency_of" in recording else [names]
    times, width = recording["time"].values, float(recording.attrs["event_width"])
    found = [
        truth.survivor_expectation(outcomes[outcomes["event"].isin(group)], group, block, times, width)
        for group in groups
    ]
    like = recording["expectation"].isel(probe=0).transpose("event", "time")
    return like.copy(data=np.concatenate(found))


def _ratio(above: float, below: float, part: str, block: int, event: str) -> Row:
    if below == 0:
        return Row(np.nan, part, block, event, note="the error it is divided by is zero")
    return Row(float(above / below), part, block, event)


@metric(
    "error_zero_output",
    unit="1",
    within=POSITIVE,
    description="error of a network that predicts nothing: the bound without learning",
    definition="root mean square of the expectation over the window",
    needs=("expectation",),
)
def error_zero_output(recording: xr.Dataset) -> Iterator[Row]:
    """Error of an output of zero, for each block."""
    for block in selection.blocks(recording):
        wanted = recording["expectation"].isel(probe=selection.last_probe(recording, block))
        yield from _rows(by_event(0 * wanted, wanted), "", block)


@metric(
    "error_best_fit",
    unit="1",
    within=POSITIVE,
    description="error of a linear readout of the network's state that was fitted to the expectation: the other bound",
    definition=(
        "root mean square, on the 10-ms grid of state_trace at the last probe of the block, of fit - expectation; fit: "
        f"ridge regression with a constant, penalty {RIDGE} of the mean square of a sample"
    ),
    source="this project; ridge regression: Hoerl & Kennard 1970, doi 10.1080/00401706.1970.10488634",
    needs=("expectation", "state_trace"),
    parts={
        "same_probe": Item(
            "fitted to the very probe on which it is scored: how well this one state spans the expectation"
        ),
        "other_probes": Item(
            "fitted to all other recorded probes: how well a readout carries over from probe to probe"
        ),
    },
)
def error_best_fit(recording: xr.Dataset) -> Iterator[Row]:
    """Error of fitted linear readouts, for each block."""
    for block in selection.blocks(recording):
        wanted = recording["expectation"].isel(probe=selection.last_probe(recording, block))
        wanted = wanted.sel(time=selection.state_times(recording), method="nearest")
        for part, held_out in (("same_probe", False), ("other_probes", True)):
            try:
                fit = best_fit(recording, block, held_out=held_out)
            except Unavailable as reason:
                yield Row(np.nan, part, block, ALL_EVENTS, note=str(reason))
            else:
                yield from _rows(by_event(fit, wanted), part, block)
