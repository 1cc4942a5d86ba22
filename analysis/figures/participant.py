"""What a network predicts that heard what a participant heard: events whose latency varies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
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

BIN = 0.1
"""Width of the bins of the real latencies (s)."""


def prepare(recordings: Sequence[xr.Dataset]) -> Tables:
    """Return predictions at the first and last probe, the expectation, and the histogram of real latencies."""
    first = selection.one_condition(recordings)[0]
    outcomes = selection.outcomes(first)
    if outcomes.groupby(["block", "event"])["latency"].nunique().max() < 2:
        raise Unavailable("needs events with varying latencies (cued-reaction)")
    shown = []
    for recording in recordings:
        for phase, probe in (("first", 0), ("last", recording.sizes["probe"] - 1)):
            curve = recording["prediction"].isel(probe=probe, drop=True).reset_coords(drop=True)
            rows = curve.to_dataframe("prediction").reset_index()
            shown.append(rows.assign(probe=phase, seed=selection.seed(recording)))
    predicted = pd.concat(shown, ignore_index=True)
    wanted = first["expectation"].isel(probe=-1, drop=True).reset_coords(drop=True)
    table = selection.trials(first)
    table = table[(table["kind"] == "train") & (table["event"] != "")]
    edges = np.round(BIN * np.arange(round(float(first.attrs["window"]) / BIN) + 1), 6)
    bars = []
    for event in selection.events(first):
        counts, _ = np.histogram(table.loc[table["event"] == event, "latency"], edges)
        bars.append(pd.DataFrame({"event": event, "left": edges[:-1], "right": edges[1:], "trials": counts}))
    chances = [{"event": event, "probability": selection.probability(first, selection.blocks(first)[-1], event)}
               for event in selection.events(first)]  # fmt: skip
    return {
        "events": pd.DataFrame(chances),
        "prediction": spread_over_seeds(
            predicted, ["event", "probe", "time"], "prediction", nonnegative(predicted["prediction"])
        ),
        "expectation": wanted.to_dataframe("expectation").reset_index()[["event", "time", "expectation"]],
        "latencies": pd.concat(bars, ignore_index=True),
    }


@figure(
    "participant",
    title="Predictions of a network that heard what a participant heard",
    caption=(
        "Above: cue-only predictions of each event at the first and at the last probe, mean and "
        "spread over seeds; dashed: the expectation, one bump a real trial, weighted by its frequency "
        "among all trials. Below: latencies of the participant's own trials."
    ),
    alt=(
        "Line charts of the prediction of each event against time from the cue at the first and last probe, above "
        "histograms of the real latencies."
    ),
    prepare=prepare,
    height=88,
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw a column an event: predictions above, latencies below."""
    table, wanted, bars = prepared["prediction"], prepared["expectation"], prepared["latencies"]
    events = list(dict.fromkeys(table["event"]))
    chance = prepared["events"].set_index("event")["probability"]
    grid = made.subplots(2, len(events), squeeze=False, sharex=True, sharey="row", height_ratios=(2, 1))
    for column, (event, colour) in enumerate(style.colours(events).items()):
        above, below = grid[:, column]
        for probe, shade in (("first", style.GREY), ("last", colour)):
            here = table[(table["event"] == event) & (table["probe"] == probe)]
            name = "first probe" if probe == "first" else f"last probe: {event}"
            style.band(above, here, "time", color=shade, label=name)
        true = wanted[wanted["event"] == event]
        above.plot(true["time"], true["expectation"], color=style.dark(colour), linestyle=(0, (3, 2)), linewidth=0.9,
                   label=f"expectation of {event}")  # fmt: skip
        above.set_title(f"{event} (p = {chance[event]:.2f})")
        here = bars[bars["event"] == event]
        below.bar(here["left"], here["trials"], here["right"] - here["left"], align="edge", color=colour, linewidth=0)
        below.set_xlabel("time from cue (s)")
        style.few_ticks(below)
    grid[0, 0].set_ylabel("prediction")
    grid[0, 0].set_ylim(bottom=0)
    grid[1, 0].set_ylabel("trials")
    grid[1, 0].set_xlim(0, float(bars["right"].max()))
    style.legend_below(made, grid[0], 3 if style.width(made) > 120 else 2, int(table["seeds"].max()), spread="bands")
    return [grid[0, 0]]
