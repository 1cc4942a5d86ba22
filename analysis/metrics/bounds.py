"""Error of the last probes of each block over that of two predictions that need no network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from izhires.analysis.metrics.base import ALL_EVENTS, Item, Row, metric
from izhires.analysis.selection import blocks
from izhires.recordings import bounds

if TYPE_CHECKING:
    import xarray as xr


@metric(
    "end_of_block",
    unit="1",
    description="error of the last probes of a block over that of predictions that need no network",
    definition=(
        f"root mean square of prediction - expectation over the window, mean over the last {bounds.LAST} probes, "
        "over that of 0 (over_zero) and of the mean of the expectation over the window, at all times (over_flat), in place "
        "of the prediction; 1 and more: nothing was learned that these do not say"
    ),
    worst="highest",
    needs=("prediction", "expectation"),
    parts={
        "over_zero": Item("over the error of predicting nothing"),
        "over_flat": Item("over the error of an expectation that is flat in time"),
    },
)
def end_of_block(recording: xr.Dataset) -> Iterator[Row]:
    """Both ratios, for each block and event."""
    blocks(recording)  # says so where there are no probes
    note = bounds.remark_on(recording)
    for end in bounds.ends(recording):
        event = end.event or ALL_EVENTS
        yield Row(end.over_zero, "over_zero", end.block, event)
        yield Row(end.over_flat, "over_flat", end.block, event, note=note if end.over_flat > 1 else "")
        note = "" if end.over_flat > 1 else note
