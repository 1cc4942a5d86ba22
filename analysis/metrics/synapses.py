"""How the weights of plastic connections are distributed, and how far they move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics.base import Row, metric
from izhires.analysis.statistics import POSITIVE

if TYPE_CHECKING:
    import xarray as xr

BINS = 40
MISSING = "needs the weights of a plastic connection (connections.NAME.keep), which the recording does not hold"


def plastic(recording: xr.Dataset) -> list[str]:
    """Return the connections whose weights a recording keeps."""
    names = (str(name).removesuffix("_weight") for name in recording if str(name).endswith("_weight"))
    return [name for name in names if recording[f"{name}_weight"].dims == (f"{name}_end", f"{name}_synapse")]


class Kept(NamedTuple):
    """All weights of a connection at one moment.

    Parameters
    ----------
    moment : str
        ``"start"``, ``"end"``, or the time of a snapshot in between, as ``"10 s"``.
    time : float
        s.
    weights : ndarray
        mV/ms.
    """

    moment: str
    time: float
    weights: np.ndarray


def kept_weights(recording: xr.Dataset, connection: str) -> list[Kept]:
    """Return the weights of a connection at the start, at each snapshot and at the end, as far as they were kept.

    A snapshot is a row of ``keep.record`` of the variable ``w`` of all synapses. A run that was stopped has no end.
    """
    start, end = recording[f"{connection}_weight"].values.astype(float)
    duration, found = float(recording.attrs["duration"]), [Kept("start", 0.0, start)]
    name, time = f"{connection}_w", f"{connection}_w_time"
    if name in recording and recording[name].shape[1] == len(start):
        # V/s and mV/ms are the same number
        rows = zip(recording[time].values, recording[name].values, strict=True)
        found += [Kept(f"{t:g} s", float(t), row.astype(float)) for t, row in rows if 0 < t < duration]
    return [*found, Kept("end", duration, end)] if np.isfinite(end).all() else found


def histograms(recordings: Sequence[xr.Dataset], most: int = 0) -> pd.DataFrame:
    """Return the distribution of the weights of each plastic connection at each time at which they were kept.

    Parameters
    ----------
    recordings : sequence of xarray.Dataset
    most : int, optional
        Snapshots between start and end of each recording, evenly chosen; all by default.

    Returns
    -------
    pandas.DataFrame
        Columns seed, variant, connection, moment, time (s), left, right (mV/ms), share (of the synapses). The
        bins of a connection are the same in all recordings.

    Raises
    ------
    Unavailable
        If no recording holds weights of a plastic connection.
    """
    rows = []
    for connection in dict.fromkeys(name for each in recordings for name in plastic(each)):
        kept = [
            (each, _some(kept_weights(each, connection), most)) for each in recordings if connection in plastic(each)
        ]
        sets = [each.weights for _, found in kept for each in found]
        edges = np.histogram_bin_edges([extreme(each) for each in sets for extreme in (np.min, np.max)], BINS)
        for recording, found in kept:
            seed, variant = selection.seed(recording), str(recording.attrs.get("variant", ""))
            for moment, time, weights in found:
                counts, _ = np.histogram(weights, edges)
                own = pd.DataFrame({"left": edges[:-1], "right": edges[1:], "share": counts / len(weights)})
                rows.append(own.assign(seed=seed, variant=variant, connection=connection, moment=moment, time=time))
    if not rows:
        raise Unavailable(MISSING)
    columns = ["seed", "variant", "connection", "moment", "time", "left", "right", "share"]
    return pd.concat(rows, ignore_index=True)[columns]


def _some(found: list[Kept], most: int) -> list[Kept]:
    """Return start, end, and at most so many evenly chosen snapshots in between; all where `most` is 0."""
    if not most or len(found) <= most + 2:
        return found
    return [found[k] for k in np.linspace(0, len(found) - 1, most + 2).round().astype(int)]


@metric(
    "weight_change",
    unit="mV/ms",
    within=POSITIVE,
    description="how far the weights of a plastic connection move, one part a connection, weight_change.NAME",
    definition="mean over the synapses of |weight at the end - weight at the start|",
)
def weight_change(recording: xr.Dataset) -> Iterator[Row]:
    """Mean absolute change from the start to the end."""
    if not (names := plastic(recording)):
        raise Unavailable(MISSING)
    for name in names:
        start, end = recording[f"{name}_weight"].values.astype(float)
        yield Row(float(np.abs(end - start).mean()), name, note="" if np.isfinite(end).all() else "the run was stopped")
