"""Time of the predicted peak against the true latency."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from izhires.analysis import selection
from izhires.analysis.metrics.base import Item, Row, metric
from izhires.analysis.statistics import ANY, POSITIVE

if TYPE_CHECKING:
    import xarray as xr

LEAST_PROBABILITY = 0.1
"""Events rarer than this have no predicted peak to speak of."""


@metric(
    "peak_error",
    unit="ms",
    within=POSITIVE,
    description="distance of the predicted peak from the latency, at the last probe of each block",
    definition=f"time of the largest prediction less the latency; events with p >= {LEAST_PROBABILITY} and one latency",
    worst="highest",
    needs=("prediction", "outcome_latency"),
    parts={"absolute": Item("absolute distance"), "signed": Item("positive when the peak comes too late", within=ANY)},
)
def peak_error(recording: xr.Dataset) -> Iterator[Row]:
    """Peak timing error of each event in each block."""
    times = recording["time"].values
    for block in selection.blocks(recording):
        shown = recording["prediction"].isel(probe=selection.last_probe(recording, block))
        for event in selection.events(recording):
            if selection.probability(recording, block, event) < LEAST_PROBABILITY:
                continue
            latencies, chances = selection.event_latencies(recording, block, event)
            latencies = latencies[chances > 0]
            curve = shown.sel(event=event).values
            if len(latencies) > 1:
                note = f"event {event} has {len(latencies)} latencies in block {block}, hence no single peak"
            elif not curve.max() > 0:
                note = "nothing is predicted, hence there is no peak"
            else:
                late = 1e3 * float(times[curve.argmax()] - latencies[0])
                yield Row(abs(late), "absolute", block, event)
                yield Row(late, "signed", block, event)
                continue
            yield Row(np.nan, "absolute", block, event, note=note)
