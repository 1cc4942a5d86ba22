"""The learning film: the prediction of every probe beside its expectation, as whole numbers that a page can draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable, require
from izhires.analysis.metrics.base import ALL_EVENTS
from izhires.analysis.metrics.prediction import by_event
from izhires.analysis.statistics import FEW, interval_of_mean, nonnegative, what_spread_is

if TYPE_CHECKING:
    import xarray as xr

SCALE = 1000
"""Predictions are kept in thousandths."""
NUMBERS = 160_000
"""Numbers in all films of a page, which keeps them below a megabyte."""
LEAST_POINTS = 40


def film(recordings: Sequence[xr.Dataset], name: str, numbers: int = NUMBERS) -> dict[str, Any]:
    """Return what a film of one condition shows.

    Parameters
    ----------
    recordings : sequence of xarray.Dataset
        One a seed.
    name : str
        How it is called in the list of films.
    numbers : int
        About how many numbers it may take; times, then probes are left out to keep to it.

    Returns
    -------
    dict
        ``name``, ``seeds``, ``events``, ``time`` (s), ``probes`` (block, trials of the block, of the experiment, and
        the error of all events: mean over seeds), ``expectation`` by block and event, and ``mean``, ``low``, ``high``
        by probe and event, in thousandths: mean, and the ``spread`` over seeds that is named; none for a single seed.

    Raises
    ------
    Unavailable
        If the recordings are not of one condition, or have their probes after different trials.
    """
    first = selection.one_condition(recordings)[0]
    for each in recordings:
        require(each, ["prediction", "expectation", "probe_trial"])
    if not first.sizes["probe"]:
        raise Unavailable("the recordings hold no probes")
    if any(not np.array_equal(each["probe_trial"].values, first["probe_trial"].values) for each in recordings):
        raise Unavailable("the seeds have their probes after different trials")
    events, probes = selection.events(first), first.sizes["probe"]
    curves = 3 if len(recordings) > 1 else 1
    points = int(np.clip(numbers / (curves * probes * len(events)), LEAST_POINTS, 150))
    step = max(1, -(-first.sizes["time"] // points))
    most = max(2, int(numbers / (curves * len(events) * -(-first.sizes["time"] // step))))
    chosen = np.unique(np.linspace(0, probes - 1, min(probes, most)).round().astype(int))
    shown = np.stack(
        [each["prediction"].transpose("probe", "event", "time").values[chosen, :, ::step] for each in recordings]
    )
    errors = np.mean([by_event(each["prediction"], each["expectation"])[ALL_EVENTS].values for each in recordings], 0)
    mean = shown.mean(0)
    found: dict[str, Any] = {
        "name": name,
        "seeds": len(recordings),
        "events": events,
        "time": first["time"].values[::step].round(4).tolist(),
        "probes": [
            [int(first[key].values[probe]) for key in ("block", "block_trial", "probe_trial")]
            + [round(float(errors[probe]), 4)]
            for probe in chosen
        ],
        "expectation": {},
        "mean": _whole(mean),
    }
    if len(recordings) > 1:
        if len(shown) < FEW:
            low, high = shown.min(0), shown.max(0)
        else:
            low, high = interval_of_mean(mean, shown.std(0, ddof=1), len(shown), nonnegative(shown))
        found |= {"low": _whole(low), "high": _whole(high), "spread": what_spread_is(len(shown))}
    for block in selection.blocks(first):
        wanted = first["expectation"].isel(probe=selection.last_probe(first, block)).transpose("event", "time").values
        found["expectation"][str(block)] = _whole(wanted[:, ::step])
    return found


def _whole(values: np.ndarray) -> Any:
    return np.round(SCALE * values).astype(int).tolist()
