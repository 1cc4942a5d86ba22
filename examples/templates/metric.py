"""Template of a metric: ``izhires analyse results/meet --import metric.py`` has it in its table."""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from izhires.analysis import selection
from izhires.analysis.metrics.base import Row, metric


@metric(
    "my_metric",
    unit="s",
    description="time of the highest prediction of each event, at the end of each block",
    definition="argmax over t of the prediction of the last probe of the block",
    needs=("prediction",),
)
def my_metric(recording: xr.Dataset) -> Iterator[Row]:
    """Give one value for each block and event."""
    for block in selection.blocks(recording):
        last = recording["prediction"].isel(probe=selection.last_probe(recording, block))
        for event in selection.events(recording):
            place = int(np.argmax(last.sel(event=event).values))
            yield Row(float(recording["time"].values[place]), block=block, event=event)
