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
        f"root mean square of prediction - expectation over the window, mean over the last {bounds.LAST} probes, over "
        "that of what stands in place of the prediction: 0 (over_zero), or the mean of the expectation over the window "
        "at all times (over_flat); 1 and more: nothing was learned that these do not say"
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
    remark = bounds.remark_on(recording)
    for end in bounds.ends(recording):
        event = end.event or ALL_EVENTS
        for part, value in (("over_zero", end.over_zero), ("over_flat", end.over_flat)):
            note = remark if value > 1 else ""
            yield Row(value, part, end.block, event, note="the bound makes no error" if value != value else note)
