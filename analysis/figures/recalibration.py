"""Error around each switch of the statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure
from izhires.analysis.metrics.base import ALL_EVENTS
from izhires.analysis.metrics.prediction import by_event
from izhires.analysis.metrics.recovery import FRACTIONS, courses
from izhires.analysis.statistics import POSITIVE, at_the_same, spread_over_seeds

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

SHOWN_BEFORE = 20
"""Trials before the switch that are drawn."""


def prepare(recordings: Sequence[xr.Dataset]) -> Tables:
    """Return the error before and after each switch (mean and interval over seeds) and the trials to recovery."""
    errors, marks = [], []
    for recording in selection.one_condition(recordings):
        seed = selection.seed(recording)
        switched = selection.blocks(recording)[1:]
        if not switched:
            raise Unavailable("needs a switch; the recordings have one block")
        for block in switched:
            what, called = selection.switch(recording, block), selection.block_name(recordings[0], block)
            earlier = recording.isel(
                probe=selection.probes(recording, selection.blocks(recording)[switched.index(block)])
            )
            done = earlier["block_trial"].values - earlier["block_trial"].values[-1]
            old = by_event(earlier["prediction"], earlier["expectation"])
            for event, course in courses(recording, block).items():
                key = {"seed": seed, "block": block, "name": called, "switch": what, "event": event}
                before = zip(done, old[event].values, strict=True)
                errors += [{**key, "phase": "before", "trial": int(trial), "error": float(error)}
                           for trial, error in before if trial >= -SHOWN_BEFORE]  # fmt: skip
                after = zip((0, *course.trials), (course.before, *course.errors), strict=True)
                errors += [
                    {**key, "phase": "after", "trial": int(trial), "error": float(error)} for trial, error in after
                ]
                for name, fraction in FRACTIONS.items():
                    try:
                        trials = course.recovered(fraction)
                    except Unavailable:
                        trials = np.nan
                    marks.append({**key, "fraction": f"{name}%", "trials": trials})
    by = ["block", "name", "switch", "event"]
    around = at_the_same(pd.DataFrame(errors), [*by, "phase"], "trial", "error")
    return {
        "error": spread_over_seeds(around, [*by, "phase", "trial"], "error", POSITIVE),
        "recovery": spread_over_seeds(pd.DataFrame(marks), [*by, "fraction"], "trials", POSITIVE),
    }


@figure(
    "recalibration",
    title="Recovery after switches",
    caption=(
        "Error of the cue-only prediction around each switch, for all events together and for each event: "
        "mean and spread over seeds. Grey: before the switch, against the old expectation; colour: "
        "against the new one, from the last probe before the switch (trial 0) on. Marks and numbers: trials"
        " to 50% and 75% recovery, mean over seeds."
    ),
    alt="Line charts of error against training trials since each switch, a row each for all events and for each event.",
    prepare=prepare,
    height=lambda tables, width: 34.0 * tables["error"]["event"].nunique() + 16,
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw a column a switch, a row for all events and for each event."""
    table, marks = prepared["error"], prepared["recovery"]
    switches = table[["block", "name", "switch"]].drop_duplicates()
    events = list(dict.fromkeys(table["event"]))
    colour = {ALL_EVENTS: style.BLACK, **style.colours([event for event in events if event != ALL_EVENTS])}
    grid = made.subplots(len(events), len(switches), squeeze=False, sharex=True, sharey="row")
    narrow = style.width(made) < 120 and len(switches) > 1
    for column, switch in enumerate(switches.itertuples()):
        for row, event in enumerate(events):
            axes = grid[row, column]
            here = table[(table["block"] == switch.block) & (table["event"] == event)]
            before, after = here[here["phase"] == "before"], here[here["phase"] == "after"].sort_values("trial")
            style.band(axes, before, "trial", color=style.GREY, label="before the switch")
            style.band(axes, after, "trial", color=colour[event], label=None)
            axes.axvline(0, color=style.GREY, linewidth=0.6, linestyle=":")
            here = marks[(marks["block"] == switch.block) & (marks["event"] == event)]
            for mark, symbol in zip(here.itertuples(), "^s", strict=True):
                place = np.interp(mark.mean, after["trial"], after["mean"])
                axes.plot(mark.mean, place, symbol, color=colour[event], markersize=4.5, markeredgecolor="white",
                          markeredgewidth=0.5)  # fmt: skip
            text = "\n".join(
                f"{m.fraction}: {m.mean:.1f}" if np.isfinite(m.mean) else f"{m.fraction}: none"
                for m in here.itertuples()
            )
            axes.text(0.98, 0.97, text, transform=axes.transAxes, ha="right", va="top", color=colour[event])
            if row == 0:
                what = f"new {switch.switch}" if switch.switch != "nothing" else "nothing new"
                what = what.replace(" and ", "\nand ") if narrow else what
                axes.set_title(f"{switch.name}:{chr(10) if narrow else ' '}{what}")
            if row == len(events) - 1:
                axes.set_xlabel("training trials\nsince the switch" if narrow else "training trials since the switch")
            if column == 0:
                axes.set_ylabel(f"error (RMSE)\n{event}")
    for row in grid:
        row[0].set_ylim(0, 1.12 * row[0].get_ylim()[1])  # room for the numbers
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=style.GREY, label="before the switch")]
    handles += [Line2D([], [], color=style.BLACK, linestyle="", marker=symbol, markersize=4.5,
                       label=f"{name}% recovered")
                for name, symbol in zip(FRACTIONS, "^s", strict=True)]  # fmt: skip
    made.legend(handles=handles, loc="outside lower center", ncols=3, columnspacing=1.4,
                title=style.number_of(int(table["seeds"].max()), spread="bands"))  # fmt: skip
    return [grid[0, 0]]
