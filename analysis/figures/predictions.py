"""Predictions beside expectations, before and after the learning of each block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from izhires.analysis import selection
from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure
from izhires.analysis.statistics import over_seeds

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

PHASES = ("before", "after")


def prepare(recordings: Sequence[xr.Dataset]) -> Tables:
    """Return the predictions before and after each block (mean and interval over seeds) and the block's expectation."""
    shown, wanted = [], []
    for recording in selection.one_condition(recordings):
        for block in selection.blocks(recording):
            last = selection.last_probe(recording, block)
            for phase, probe in zip(PHASES, (selection.before_probe(recording, block), last), strict=True):
                curve = recording["prediction"].isel(probe=probe, drop=True).reset_coords(drop=True)
                rows = curve.to_dataframe("prediction").reset_index()
                shown.append(rows.assign(block=block, phase=phase, seed=selection.seed(recording)))
            if recording is recordings[0]:
                curve = recording["expectation"].isel(probe=last, drop=True).reset_coords(drop=True)
                wanted.append(curve.to_dataframe("expectation").reset_index().assign(block=block))
    table = pd.concat(shown, ignore_index=True)
    expectation = pd.concat(wanted, ignore_index=True)[["block", "event", "time", "expectation"]]
    return {
        "prediction": over_seeds(table, ["block", "phase", "event", "time"], "prediction"),
        "expectation": expectation,
    }


@figure(
    "predictions",
    title="Predictions before and after learning",
    caption=(
        "Cue-only predictions just before the first and after the last training trial of each block: mean "
        "and 95% t-interval over seeds (line and band). Dashed: the expectation of that block, probability "
        "times a bump at the latency."
    ),
    prepare=prepare,
)
def draw(prepared: Tables) -> Figure:
    """Draw a column a block, a row before and a row after its training."""
    table, wanted = prepared["prediction"], prepared["expectation"]
    blocks, events = list(dict.fromkeys(table["block"])), list(dict.fromkeys(table["event"]))
    colour = style.colours(events)
    width = style.SINGLE if len(blocks) == 1 else style.DOUBLE
    made, grid = style.canvas(2, len(blocks), width=width, height=80 * style.MILLIMETRE, sharex=True, sharey=True)
    for column, block in enumerate(blocks):
        for row, phase in enumerate(PHASES):
            axes = grid[row, column]
            for event in events:
                here = table[(table["block"] == block) & (table["phase"] == phase) & (table["event"] == event)]
                style.band(axes, here, "time", color=colour[event], label=f"prediction of {event}")
                true = wanted[(wanted["block"] == block) & (wanted["event"] == event)]
                axes.plot(true["time"], true["expectation"], color=style.dark(colour[event]), linestyle=(0, (3, 2)),
                          linewidth=0.9, label=f"expectation of {event}")  # fmt: skip
            if row == 0:
                axes.set_title(f"block {block}")
            else:
                axes.set_xlabel("time from cue (s)")
                style.few_ticks(axes)
            if column == 0:
                axes.set_ylabel(f"{phase} the block")
    grid[0, 0].set_ylim(bottom=0)
    style.legend_below(made, grid[0, 0], columns=4 if len(events) == 2 and len(blocks) > 1 else len(events))
    return made
