"""Template of a figure: ``izhires figures results/meet --import figure.py`` draws it with the others."""

from collections.abc import Sequence

import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase

from izhires.analysis import selection
from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure
from izhires.analysis.statistics import SHARE, spread_over_seeds


def prepare(recordings: Sequence[xr.Dataset]) -> Tables:
    """Return what is drawn: "what" of each event over the probes, mean and spread over seeds."""
    rows = [
        recording["what"].to_dataframe("what").reset_index().assign(seed=selection.seed(recording))
        for recording in selection.one_condition(recordings)
    ]
    table = pd.concat(rows, ignore_index=True)
    table["what"] = table["what"].clip(0, 1)  # as a prediction is made of it
    return {"what": spread_over_seeds(table, ["event", "probe_trial"], "what", SHARE)}


@figure(
    "my_figure",
    title="Identity over trials",
    caption="Identity prediction of each event at each probe: mean and spread over seeds.",
    alt="Line chart of the identity prediction against training trials, one line an event.",
    needs=("what", "probe_trial"),
    prepare=prepare,
    columns=1,
    height=60,
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw a line with its band for each event."""
    axes = made.subplots()
    table = prepared["what"]
    for event, colour in style.colours(list(dict.fromkeys(table["event"]))).items():
        style.band(axes, table[table["event"] == event], "probe_trial", color=colour, label=event)
    axes.set(xlabel="training trials", ylabel="identity prediction")
    style.legend_below(made, axes, 2, int(table["seeds"].max()), spread="bands")
    return [axes]
