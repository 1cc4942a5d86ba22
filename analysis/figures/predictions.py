"""Predictions beside expectations, before and after the learning of each block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from izhires.analysis import selection
from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure
from izhires.analysis.statistics import nonnegative, spread_over_seeds

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

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
                name = selection.block_name(recordings[0], block)
                shown.append(rows.assign(block=block, name=name, phase=phase, seed=selection.seed(recording)))
            if recording is recordings[0]:
                curve = recording["expectation"].isel(probe=last, drop=True).reset_coords(drop=True)
                wanted.append(curve.to_dataframe("expectation").reset_index().assign(block=block))
    table = pd.concat(shown, ignore_index=True)
    expectation = pd.concat(wanted, ignore_index=True)[["block", "event", "time", "expectation"]]
    return {
        "prediction": spread_over_seeds(
            table, ["block", "name", "phase", "event", "time"], "prediction", nonnegative(table["prediction"])
        ),
        "expectation": expectation,
    }


def _height(blocks: int, width: float) -> float:
    return 84.0 if width > 120 or blocks == 1 else 24.0 + 34 * blocks


@figure(
    "predictions",
    title="Predictions before and after learning",
    caption=(
        "Cue-only predictions just before the first and after the last training trial of each block: mean "
        "and spread over seeds (line and band). Dashed: the expectation of that block, probability "
        "times a bump at the latency."
    ),
    alt=(
        "Line charts of prediction against time from the cue, one column a block, before training above and after "
        "training below, each beside the dashed expectation."
    ),
    prepare=prepare,
    height=lambda tables, width: _height(tables["prediction"]["block"].nunique(), width),
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw a column a block, a row before and a row after its training."""
    table, wanted = prepared["prediction"], prepared["expectation"]
    blocks, events = list(dict.fromkeys(table["block"])), list(dict.fromkeys(table["event"]))
    colour = style.colours(events)
    name_of = table.drop_duplicates("block").set_index("block")["name"]
    wide = style.width(made) > 120 or len(blocks) == 1
    shape = (2, len(blocks)) if wide else (len(blocks), 2)
    grid = made.subplots(*shape, squeeze=False, sharex=True, sharey=True)
    for column, block in enumerate(blocks):
        for row, phase in enumerate(PHASES):
            axes = grid[row, column] if wide else grid[column, row]
            for event in events:
                here = table[(table["block"] == block) & (table["phase"] == phase) & (table["event"] == event)]
                style.band(axes, here, "time", color=colour[event], label=f"prediction of {event}")
                true = wanted[(wanted["block"] == block) & (wanted["event"] == event)]
                axes.plot(true["time"], true["expectation"], color=style.dark(colour[event]), linestyle=(0, (3, 2)),
                          linewidth=0.9, label=f"expectation of {event}")  # fmt: skip
            names = name_of[block], f"{phase} the block"
            spec = axes.get_subplotspec()
            if spec.is_first_row():
                axes.set_title(names[0 if wide else 1])
            if spec.is_last_row():
                axes.set_xlabel("time from cue (s)")
                style.few_ticks(axes)
            if spec.is_first_col():
                axes.set_ylabel(names[1 if wide else 0])
    grid[0, 0].set_ylim(bottom=0)
    across = 4 if len(events) == 2 and style.width(made) > 120 else len(events)
    style.legend_below(made, grid[0, 0], across, int(table["seeds"].max()), spread="bands")
    return [grid[0, 0]]
