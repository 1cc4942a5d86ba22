"""The prediction beside what it may follow where latencies vary: probability or hazard, sharp or blurred."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure
from izhires.analysis.metrics.foreperiod import courses, judged, varied
from izhires.analysis.statistics import nonnegative, spread_over_seeds

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

LINES = {
    "probability": ("probability", (0, ())),
    "survivor": ("hazard", (0, (3, 1.5))),
    "blurred_probability": ("blurred probability", (0, (1, 1))),
    "blurred_survivor": ("blurred hazard", (0, (3, 1, 1, 1))),
}
"""What each candidate is called, and the dashes of its line."""


def prepare(recordings: Sequence[xr.Dataset]) -> Tables:
    """Return the prediction of each condition, all candidates, and single last probes.

    A condition is an event with several latencies in a block of a variant. A course is over its mean in the window.
    """
    shown, single, wanted = [], [], []
    drawn: set[str] = set()
    for recording in recordings:
        variant = str(recording.attrs.get("variant", ""))
        several = len(selection.blocks(recording)) > 1
        for block in selection.blocks(recording):
            for event in varied(recording, block):
                many = len(selection.events(recording)) > 1
                name = " ".join([variant] * bool(variant) + [f"block {block}"] * several + [event] * many) or event
                predicted = recording["prediction"].isel(probe=judged(recording, block)).sel(event=event)
                curves = predicted.transpose("probe", "time").values
                if not len(curves) or not curves.mean() > 0:
                    continue
                time = recording["time"].values
                seed, mean = selection.seed(recording), curves.mean(0) / curves.mean()
                shown.append(pd.DataFrame({"condition": name, "seed": seed, "time": time, "course": mean}))
                if name not in drawn:
                    last = curves[-1] / curves[-1].mean() if curves[-1].mean() > 0 else np.nan
                    single.append(pd.DataFrame({"condition": name, "seed": seed, "time": time, "course": last}))
                    own = courses(recording, block, event)
                    own = (own / own.mean()).reset_index().melt("time", var_name="candidate", value_name="course")
                    wanted.append(own.assign(condition=name))
                drawn.add(name)
    if not shown:
        raise Unavailable("needs predictions of events with several latencies in a block (foreperiod)")
    table = pd.concat(shown, ignore_index=True)
    return {
        "prediction": spread_over_seeds(table, ["condition", "time"], "course", nonnegative(table["course"])),
        "last_probe": pd.concat(single, ignore_index=True),
        "candidates": pd.concat(wanted, ignore_index=True)[["condition", "candidate", "time", "course"]],
    }


@figure(
    "foreperiod",
    title="What the prediction of a varying foreperiod follows",
    caption=(
        "Above: mean of the predictions at the last ten probes of the block, mean and spread over seeds (line "
        "and band), and the very last prediction of one seed alone (thin), beside the expectation weighted by "
        "probability and by hazard, that is, given that nothing has come so far. A network that predicts the last "
        "trial alone has such a mean, too; the thin line tells. Below: the same mean beside the blurred forms of both. "
        "Each course is divided by its mean over the window."
    ),
    alt=(
        "Line charts of the prediction against time from the cue, one column a distribution of foreperiods, beside the "
        "probability and the hazard above, and beside their blurred forms below."
    ),
    prepare=prepare,
    needs=("prediction", "outcome_latency", "trial_event", "trial_latency"),
    height=lambda tables, width: 92.0 if width > 120 else 22.0 + 34 * tables["prediction"]["condition"].nunique(),
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw a column a condition, probability and hazard above, their blurred forms below."""
    table, candidates, alone = prepared["prediction"], prepared["candidates"], prepared["last_probe"]
    conditions = list(dict.fromkeys(table["condition"]))
    wide = style.width(made) > 120
    shape = (2, len(conditions)) if wide else (len(conditions), 2)
    grid: Any = made.subplots(*shape, squeeze=False, sharex=True, sharey="col" if wide else "row")
    colour, *others = style.colours(["prediction", *LINES]).values()
    shades = dict(zip(LINES, others, strict=True))
    for column, condition in enumerate(conditions):
        here = table[table["condition"] == condition]
        one = alone[alone["condition"] == condition]
        own = candidates[candidates["condition"] == condition]
        for row, blurred in enumerate((False, True)):
            axes = grid[row, column] if wide else grid[column, row]
            if not blurred:
                axes.plot(one["time"], one["course"], color=style.PALE, linewidth=0.7, zorder=1, label="one probe")
            style.band(axes, here, "time", color=colour, label="prediction")
            for name, (words, dashes) in LINES.items():
                if name.startswith("blurred") == blurred:
                    true = own[own["candidate"] == name]
                    axes.plot(true["time"], true["course"], color=style.dark(shades[name]), linestyle=dashes,
                              linewidth=0.9, label=words)  # fmt: skip
            spec = axes.get_subplotspec()
            if spec.is_first_row() and wide:
                axes.set_title(condition)
            if not wide:
                axes.set_title(condition if not blurred else "blurred")
            if spec.is_last_row():
                axes.set_xlabel("time from cue (s)")
            style.few_ticks(axes)
            if spec.is_first_col():
                axes.set_ylabel("course / its mean")
            top = max(float(each.max().max()) for each in (here[["mean", "high"]], one[["course"]], own[["course"]]))
            axes.set_ylim(min(0.0, float(one["course"].min())), 1.08 * top)
    entries = [grid[0, 0], grid[1, 0] if wide else grid[0, 1]]
    style.legend_below(made, entries, 3 if wide else 2, int(table["seeds"].max()), spread="bands")
    return [grid[0, 0]]
