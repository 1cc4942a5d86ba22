"""Firing rates over the whole experiment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from izhires.analysis.metrics.base import Item, Row, metric
from izhires.analysis.statistics import POSITIVE, SHARE

if TYPE_CHECKING:
    import xarray as xr


@metric(
    "mean_rate",
    unit="Hz",
    within=POSITIVE,
    description="firing rate over the experiment, mean over cells",
    definition="spikes of a cell divided by the duration of the experiment, then the mean over cells",
    needs=("rate", "excitatory"),
    parts={"excitatory": Item("excitatory cells"), "inhibitory": Item("inhibitory cells")},
)
def mean_rate(recording: xr.Dataset) -> Iterator[Row]:
    """Mean rate of excitatory and of inhibitory cells."""
    excitatory = recording["excitatory"].values.astype(bool)
    for part, cells in (("excitatory", excitatory), ("inhibitory", ~excitatory)):
        if cells.any():
            yield Row(float(recording["rate"].values[cells].mean()), part)
        else:
            yield Row(np.nan, part, note=f"there are no {part} cells")


@metric(
    "silent_fraction",
    unit="1",
    within=SHARE,
    description="fraction of cells that never fired",
    definition="cells with rate 0 over the whole experiment divided by all cells",
    worst="highest",
    needs=("rate",),
)
def silent_fraction(recording: xr.Dataset) -> Iterator[Row]:
    """Fraction of cells without a spike."""
    yield Row(float((recording["rate"].values == 0).mean()))
