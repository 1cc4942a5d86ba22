"""Predictions at several probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure
from izhires.analysis.statistics import nonnegative, spread_over_seeds

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

STEP = 5
"""Of how many milliseconds of the prediction one is drawn."""


def prepare(recordings: Sequence[xr.Dataset]) -> Tables:
    """Return the last prediction at each probability of the first event: mean and interval over seeds."""
    shown = []
    for recording in recordings:
        if len(selection.blocks(recording)) > 1:
            raise Unavailable("needs recordings of one block each, at several probabilities")
        block, first = selection.blocks(recording)[0], selection.events(recording)[0]
        curve = recording["prediction"].isel(probe=selection.last_probe(recording, block), drop=True)
        rows = curve.isel(time=slice(None, None, STEP)).reset_coords(drop=True).to_dataframe("prediction")
        level = selection.probability(recording, block, first)
        shown.append(rows.reset_index().assign(level=level, seed=selection.seed(recording)))
    table = pd.concat(shown, ignore_index=True)
    if table["level"].nunique() < 3:
        raise Unavailable(f"needs recordings at three or more probabilities, got {table['level'].nunique()}")
    return {
        "prediction": spread_over_seeds(
            table, ["level", "event", "time"], "prediction", nonnegative(table["prediction"])
        )
    }


@figure(
    "levels",
    title="Predictions at several probabilities",
    caption=(
        "Cue-only prediction of each event after training at one probability of the first event (colour), a fresh "
        "network a level: mean and spread over seeds."
    ),
    alt="Line charts of the prediction of each event against time from the cue, one line a level of probability.",
    prepare=prepare,
    needs=("prediction", "outcome_probability"),
    columns=1,
    height=lambda tables, width: max(80.0, 24.0 + 25 * tables["prediction"]["event"].nunique()),
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw a panel an event, above one another."""
    import matplotlib
    from matplotlib.cm import ScalarMappable

    table = prepared["prediction"]
    events, levels = list(dict.fromkeys(table["event"])), sorted(table["level"].unique())
    scale = matplotlib.colormaps["cividis"]
    grid = made.subplots(len(events), 1, squeeze=False, sharex=True, sharey=True)[:, 0]
    for axes, event in zip(grid, events, strict=True):
        for level in levels:
            own = table[(table["event"] == event) & (table["level"] == level)]
            style.band(axes, own, "time", color=scale(level), linewidth=0.9)
        axes.set_ylabel(f"prediction of {event}")
    grid[0].set_ylim(bottom=0)
    grid[-1].set_xlabel("time from cue (s)")
    made.colorbar(ScalarMappable(cmap=scale), ax=grid.tolist(), label=f"probability of {events[0]}", fraction=0.06)
    grid[0].set_title(style.number_of(int(table["seeds"].max()), spread="bands"))
    return [grid[0]]
