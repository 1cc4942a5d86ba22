"""All cues beside each other: what was presented after each, and what the network came to expect."""

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

PROBES = ("first", "last")


def prepare(recordings: Sequence[xr.Dataset]) -> Tables:
    """Return, by cue, the events presented, and predictions and expectations at the first and the last probe."""
    cues = selection.cues(recordings)
    if len(cues) < 2:
        raise Unavailable("needs recordings with several cues")
    presented, shown, wanted, said = [], [], [], []
    for cue in cues:
        own = selection.one_condition([each for each in recordings if each.attrs["cue"] == cue])
        table = selection.trials(own[0])
        table = table[(table["kind"] == "train") & (table["event"] != "")]
        presented.append(table[["block", "event", "latency"]].assign(cue=cue))
        for recording in own:
            selection.blocks(recording)  # which complains when there are no probes
            for place, probe in zip(PROBES, (0, -1), strict=True):
                curve = recording["prediction"].isel(probe=probe, drop=True).reset_coords(drop=True)
                rows = curve.to_dataframe("prediction").reset_index()
                shown.append(rows.assign(cue=cue, probe=place, seed=selection.seed(recording)))
            block = int(recording["block"].values[-1])
            for event in selection.events(recording):
                q = float(recording["what"].sel(event=event).values[-1]) if "what" in recording else float("nan")
                true = selection.probability(recording, block, event)
                said.append((cue, event, true, selection.seed(recording), q))
        for place, probe in zip(PROBES, (0, -1), strict=True):
            curve = own[0]["expectation"].isel(probe=probe, drop=True).reset_coords(drop=True)
            wanted.append(curve.to_dataframe("expectation").reset_index().assign(cue=cue, probe=place))
    table = pd.concat(shown, ignore_index=True)
    what = pd.DataFrame(said, columns=["cue", "event", "probability", "seed", "what"])
    return {
        "presented": pd.concat(presented, ignore_index=True)[["cue", "block", "event", "latency"]],
        "prediction": spread_over_seeds(
            table, ["cue", "probe", "event", "time"], "prediction", nonnegative(table["prediction"])
        ),
        "expectation": pd.concat(wanted, ignore_index=True)[["cue", "probe", "event", "time", "expectation"]],
        "what": spread_over_seeds(what, ["cue", "event", "probability"], "what"),
    }


@figure(
    "cues",
    title="What follows each cue, and what is expected",
    caption=(
        "A column a cue. Top: the events that followed it in the training trials of the first recording, by their "
        "latency. Below: prediction in the first and in the last probe with this cue, mean and spread over "
        "seeds (line and band). Dashed: the true expectation of that probe's block. Numbers: the identity prediction "
        "(what) of each event in the last probe / its true probability."
    ),
    alt=(
        "A column of charts for each cue: a histogram of the latencies of the events that followed it, and line charts "
        "of the prediction against time from the cue in the first and in the last probe, beside the dashed expectation."
    ),
    prepare=prepare,
    height=lambda tables, width: 92.0,
    all_cues=True,
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw a column a cue."""
    presented, table, wanted, what = (prepared[name] for name in ("presented", "prediction", "expectation", "what"))
    cues, events = list(dict.fromkeys(table["cue"])), list(dict.fromkeys(table["event"]))
    colour = style.colours(events)
    # of a bin of 20 ms
    last = float(table["time"].max())
    bins = [0.02 * k for k in range(int(last / 0.02) + 2)]
    grid = made.subplots(3, len(cues), squeeze=False, sharex=True, sharey="row", height_ratios=(0.6, 1, 1))
    for column, cue in zip(grid.T, cues, strict=True):
        own = presented[presented["cue"] == cue]
        late = [own.loc[own["event"] == event, "latency"] for event in events]
        column[0].hist(late, bins, color=[colour[event] for event in events], stacked=True)
        for axes, probe in zip(column[1:], PROBES, strict=True):
            for event in events:
                here = table[(table["cue"] == cue) & (table["probe"] == probe) & (table["event"] == event)]
                style.band(axes, here, "time", color=colour[event], label=f"prediction of {event}")
                true = wanted[(wanted["cue"] == cue) & (wanted["probe"] == probe) & (wanted["event"] == event)]
                axes.plot(true["time"], true["expectation"], color=style.dark(colour[event]), linestyle=(0, (3, 2)),
                          linewidth=0.9, label=f"expectation of {event}")  # fmt: skip
        lines = [f"{row.event}: {row.mean:.2f} / {row.probability:.2f}"
                 for row in what[(what["cue"] == cue) & what["mean"].notna()].itertuples()]  # fmt: skip
        column[2].set_title("\n".join(lines), loc="right")
        column[0].set_title(f"cue {cue}")
        column[2].set_xlabel("time from cue (s)")
        style.few_ticks(column[2])
    for axes, name in zip(grid[:, 0], ("trials", "first probe", "last probe"), strict=True):
        axes.set_ylabel(name)
    grid[0, 0].yaxis.get_major_locator().set_params(integer=True)
    for row in grid[1:]:
        row[0].set_ylim(bottom=0)
    across = 2 * len(events) if len(events) < 3 and style.width(made) > 120 else len(events)
    style.legend_below(made, grid[1, 0], across, int(table["seeds"].max()), spread="bands")
    return [grid[0, 0]]
