"""The prediction as a distribution over event and time: its distance from the truth, and its width in time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics.base import ALL_EVENTS, Item, Row, metric
from izhires.analysis.metrics.timing import LEAST_PROBABILITY
from izhires.analysis.statistics import ANY, POSITIVE, SHARE

if TYPE_CHECKING:
    import xarray as xr

TO_DEVIATION = 2 * np.sqrt(2 * np.log(2))
"""Full width at half maximum of a Gaussian over its standard deviation."""


def normalised(prediction: np.ndarray) -> np.ndarray:
    """Return the positive part of a prediction (event, time) divided by its sum.

    Raises
    ------
    Unavailable
        If nothing is predicted.
    """
    positive = np.clip(np.asarray(prediction, float), 0, None)
    if not positive.sum() > 0:
        raise Unavailable("nothing is predicted, hence there is no distribution")
    return positive / positive.sum()


def distances(one: np.ndarray, other: np.ndarray, times: np.ndarray) -> tuple[float, np.ndarray, float]:
    """Return how far two distributions over event and time are from each other.

    With P(e), Q(e) the mass of event e and P(t|e), Q(t|e) its distribution in time:

    - mass moved between events: M = sum_e |P(e) - Q(e)| / 2, the total variation;
    - in time, for each event: T_e = Wasserstein-1 distance of P(t|e) and Q(t|e);
    - in total: D = sum_e min(P(e), Q(e)) T_e + M * window. This is the cost of moving P into Q when a unit of mass pays
      its way in time within an event, and the length of the window from one event to another, if what leaves an
      event is taken evenly from all its times. The Wasserstein distance with that cost is D or less.

    Parameters
    ----------
    one, other : ndarray, (event, time)
        Not negative, of sum 1.
    times : ndarray, (time,)
        Evenly spaced; D and T are in their units.

    Returns
    -------
    total : float
    within : ndarray, (event,)
        T_e; NaN for an event without mass in either.
    moved : float
        M, 0 to 1.
    """
    from scipy.stats import wasserstein_distance

    mass, wanted = one.sum(1), other.sum(1)
    within = np.array(
        [
            wasserstein_distance(times, times, p, q) if p.sum() > 0 and q.sum() > 0 else np.nan
            for p, q in zip(one, other, strict=True)
        ]
    )
    moved = float(np.abs(mass - wanted).sum() / 2)
    window = float(len(times) * (times[1] - times[0]))
    total = float(np.nansum(np.minimum(mass, wanted) * within) + moved * window)
    return total, within, moved


@metric(
    "distribution_distance",
    unit="ms",
    within=POSITIVE,
    description="distance of the prediction, as a distribution over event and time, from the expectation",
    definition=(
        "P: positive part of the prediction at the last probe of the block over its sum; Q: expectation over its sum. "
        "time: Wasserstein-1 distance of P(t|e) and Q(t|e) of each event; events: sum_e |P(e) - Q(e)| / 2, the mass "
        "moved between events; total: sum_e min(P(e), Q(e)) time_e + events * window. By chance: of a P that is the "
        "same at all times and for all events; of the expectation of the block before"
    ),
    source="Wasserstein distance: Villani 2009, doi 10.1007/978-3-540-71050-9; its parts: this project",
    worst="highest",
    needs=("prediction", "expectation"),
    parts={
        "total": Item("distance over event and time"),
        "time": Item("distance in time within an event"),
        "events": Item("mass moved between events", "1", within=SHARE),
        **{
            f"{part}_{name}": Item(f"{text}, of {what}", unit, part != "total", within=within)
            for name, what in (
                ("uniform", "a prediction that is the same everywhere"),
                ("unchanged", "the expectation of the block before"),
            )
            for part, text, unit, within in (
                ("total", "distance over event and time", None, None),
                ("events", "mass moved between events", "1", SHARE),
            )
        },
    },
)
def distribution_distance(recording: xr.Dataset) -> Iterator[Row]:
    """Distances at the last probe of each block, beside those of two predictions that know less."""
    times, names = 1e3 * recording["time"].values, selection.events(recording)
    wanted = recording["expectation"].transpose("probe", "event", "time").values
    shown = recording["prediction"].transpose("probe", "event", "time").values
    previous = None
    for block in selection.blocks(recording):
        probe = selection.last_probe(recording, block)
        try:
            true = normalised(wanted[probe])
        except Unavailable:
            yield Row(np.nan, "total", block, ALL_EVENTS, note=f"nothing is to be expected in block {block}")
            continue
        for name, known in (("uniform", np.full(true.shape, 1 / true.size)), ("unchanged", previous)):
            if known is not None:
                total, _, moved = distances(known, true, times)
                yield Row(total, f"total_{name}", block, ALL_EVENTS)
                yield Row(moved, f"events_{name}", block, ALL_EVENTS)
        previous = true
        try:
            total, within, moved = distances(normalised(shown[probe]), true, times)
        except Unavailable as reason:
            yield Row(np.nan, "total", block, ALL_EVENTS, note=str(reason))
            continue
        yield Row(total, "total", block, ALL_EVENTS)
        yield Row(moved, "events", block, ALL_EVENTS)
        for event, value in zip(names, within.tolist(), strict=True):
            note = "" if np.isfinite(value) else f"event {event} has no mass, hence no distribution in time"
            yield Row(value, "time", block, event, note=note)


def half_maximum_width(curve: np.ndarray, times: np.ndarray) -> float:
    """Return the full width at half maximum around the peak of a curve, interpolated between samples.

    Parameters
    ----------
    curve, times : ndarray, (time,)

    Returns
    -------
    float
        In units of `times`; NaN where the curve does not fall to half its peak on both sides.
    """
    peak = int(np.argmax(curve))
    half = curve[peak] / 2
    if not half > 0:
        return float("nan")
    before, after = np.flatnonzero(curve[:peak] <= half), np.flatnonzero(curve[peak:] <= half)
    if not before.size or not after.size:
        return float("nan")
    left, right = int(before[-1]), peak + int(after[0])

    def crossing(low: int, high: int) -> float:
        share = (half - curve[low]) / (curve[high] - curve[low])
        return float(times[low] + share * (times[high] - times[low]))

    return crossing(right, right - 1) - crossing(left, left + 1)


def widths(recording: xr.Dataset) -> pd.DataFrame:
    """Return the width of the prediction of each event at the last probe of each block.

    Events with a probability below 0.1 or with several latencies in a block are left out.

    Returns
    -------
    pandas.DataFrame
        Columns block, event, latency (ms), deviation (ms): full width at half maximum / 2.355, the standard deviation
        of a Gaussian of that width.
    """
    times = 1e3 * recording["time"].values
    rows = []
    for block in selection.blocks(recording):
        shown = recording["prediction"].isel(probe=selection.last_probe(recording, block))
        for event in selection.events(recording):
            if selection.probability(recording, block, event) < LEAST_PROBABILITY:
                continue
            late, chance = selection.event_latencies(recording, block, event)
            if (chance > 0).sum() == 1:
                width = half_maximum_width(shown.sel(event=event).values, times) / TO_DEVIATION
                rows.append((block, event, 1e3 * float(late[chance > 0][0]), width))
    return pd.DataFrame(rows, columns=["block", "event", "latency", "deviation"])


@metric(
    "timing_width",
    unit="ms",
    within=POSITIVE,
    description="width in time of the prediction of each event at the last probe of each block",
    definition=(
        "full width at half maximum around the peak / 2.355, the standard deviation of a Gaussian of that width; "
        f"events with p >= {LEAST_PROBABILITY} and one latency"
    ),
    needs=("prediction", "outcome_latency"),
    parts={
        "": Item("width of the prediction"),
        "minus_true": Item("width less that of the expectation, event_width", within=ANY),
        "over_latency": Item("coefficient of variation: width over latency", "1", detail=True),
    },
)
def timing_width(recording: xr.Dataset) -> Iterator[Row]:
    """Width of each event's prediction, and over its latency."""
    table = widths(recording)
    if table.empty:
        raise Unavailable("no event has a single latency")
    for row in table.to_dict("records"):
        block, event, value = int(row["block"]), str(row["event"]), float(row["deviation"])
        if not np.isfinite(value):
            note = "the prediction does not fall to half its peak on both sides, hence it has no width"
            yield Row(np.nan, "", block, event, note=note)
            continue
        yield Row(value, "", block, event)
        yield Row(value - 1e3 * float(recording.attrs["event_width"]), "minus_true", block, event)
        if row["latency"] > 0:
            yield Row(value / row["latency"], "over_latency", block, event)


@metric(
    "scalar_timing",
    unit="1",
    description="whether the prediction widens in proportion to the latency, as the scalar property of timing says",
    definition=(
        "over all events, blocks and variants of one seed: slope of the least-squares line of timing_width on latency, "
        "0 for the expectation itself, whose width does not change; and exponent b of width = a * latency^b (least "
        "squares of the logarithms): 1 if the coefficient of variation is constant (scalar), 0 if the width is"
    ),
    source="scalar property: Gibbon 1977, doi 10.1037/0033-295X.84.3.279; the test: this project",
    scope="study",
    needs=("prediction", "outcome_latency"),
    parts={
        "slope": Item("slope of width on latency"),
        "exponent": Item("exponent of width on latency: 0 constant width, 1 scalar"),
        "cv": Item("mean coefficient of variation (width over latency)", within=POSITIVE),
        "latencies": Item("number of distinct latencies that enter", detail=True, interval=False),
    },
)
def scalar_timing(recordings: Sequence[xr.Dataset]) -> Iterator[Row]:
    """Slope, exponent and coefficient of variation of each seed."""
    tables = [widths(recording).assign(seed=selection.seed(recording)) for recording in recordings]
    table = pd.concat(tables, ignore_index=True).dropna()
    table = table[table["latency"] > 0]
    if table["latency"].nunique() < 2:
        raise Unavailable(f"needs predictions at two or more latencies, got {table['latency'].nunique()}")
    for seed, own in table.groupby("seed"):
        late, wide = own["latency"].to_numpy(float), own["deviation"].to_numpy(float)
        count = own["latency"].nunique()
        yield Row(float(count), "latencies", seed=int(str(seed)))
        if count < 2:
            yield Row(np.nan, "slope", seed=int(str(seed)), note="one latency only")
            continue
        yield Row(float(np.polyfit(late, wide, 1)[0]), "slope", seed=int(str(seed)))
        yield Row(float(np.polyfit(np.log(late), np.log(wide), 1)[0]), "exponent", seed=int(str(seed)))
        yield Row(float((wide / late).mean()), "cv", seed=int(str(seed)))
