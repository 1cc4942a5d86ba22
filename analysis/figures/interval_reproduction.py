"""Ready, set, go: predictions after set, and what is produced against what was heard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure, part_values
from izhires.analysis.metrics.interval_reproduction import Observer, mean_produced, productions
from izhires.analysis.statistics import POSITIVE, nonnegative, spread_over_seeds

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

STEP = 5
"""Of how many samples of the prediction one is drawn."""

DASHED = (0, (4, 2))


def prepare(recordings: Sequence[xr.Dataset], table: pd.DataFrame) -> Tables:
    """Return predictions, produced intervals and their spread, the fitted observers, and the slopes."""
    found = productions(recordings)
    curves = []
    for recording in selection.by_cue(recordings):
        last = recording["block_trial"].values == recording["block_trial"].values.max()
        mean = recording["prediction"].isel(probe=np.flatnonzero(last), event=0).mean("probe")[::STEP]
        attrs = recording.attrs
        curves.append(
            pd.DataFrame({"time": 1e3 * mean["time"].values, "prediction": mean.values}).assign(
                prior=str(attrs.get("whole_variant", attrs.get("variant", ""))),
                interval=1e3 * float(recording["outcome_latency"].values[0]),
                seed=selection.seed(recording),
            )
        )
    first = found.groupby("prior")["interval"].min()
    found = found.sort_values(
        ["prior", "interval"], key=lambda c: c.map(first) if c.name == "prior" else c, kind="stable"
    )
    keys = ["prior", "seed", "interval"]
    each = found.groupby(keys, sort=False)["peak"].agg(produced="mean", deviation="std").reset_index()
    own = part_values(table, "interval_reproduction", ["slope", "slope_chance", "w_measure", "offset", "over_mean"])
    values = own.pivot(index=["variant", "seed"], columns="part", values="value").reset_index()
    values = values.rename(columns={"variant": "prior"})
    fitted = []
    for row in values.to_dict("records"):
        intervals = np.unique(found.loc[found["prior"] == row["prior"], "interval"])
        observer = Observer("least_squares", row["w_measure"], np.nan, row["offset"])
        shown = mean_produced(observer, intervals, intervals)
        # the offset of the fit is that of its mean, which regression alone may move
        shown += row["offset"] - (shown - intervals).mean()
        fitted.append(
            pd.DataFrame({"prior": row["prior"], "seed": row["seed"], "interval": intervals, "produced": shown})
        )
    by, table = ["prior", "interval"], pd.concat(curves, ignore_index=True)
    return {
        "prediction": spread_over_seeds(table, [*by, "time"], "prediction", nonnegative(table["prediction"])),
        "seeds": each,
        "produced": spread_over_seeds(each, by, "produced", POSITIVE),
        "deviation": spread_over_seeds(each, by, "deviation", POSITIVE),
        "observer": spread_over_seeds(pd.concat(fitted, ignore_index=True), by, "produced", POSITIVE),
        "slope": values[["prior", "seed", "slope", "slope_chance", "over_mean"]],
    }


@figure(
    "interval_reproduction",
    title="Reproduction of intervals",
    all_cues=True,
    caption=(
        "Prediction of go after set in probes after training, one line a sample interval (dark: short), a panel a "
        "prior: mean over probes and seeds.",
        "Time from set to the largest prediction against the sample interval: each seed (dots), mean and "
        "spread over seeds. Grey: intervals reproduced exactly; dashed: the prior's mean; line: the mean of the "
        "Bayes least-squares observers fitted to each seed. Numbers: mean slope over seeds, and the largest slope of "
        "95% of shuffles.",
        "Standard deviation of the produced interval at one sample interval: mean and spread over seeds.",
    ),
    alt=(
        "Line charts of the prediction against time from set for each sample interval; scatter plot of produced "
        "against sample interval with the identity line and the fitted observer; standard deviation against sample "
        "interval."
    ),
    prepare=prepare,
    needs=("prediction", "input_channel", "outcome_latency"),
    metrics=("interval_reproduction",),
    height=lambda tables, width: 62.0 * -(-(tables["prediction"]["prior"].nunique() + 2) // max(1, int(width / 55))),
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw predictions, a panel a prior, then produced intervals and their spread."""
    curves, slopes = prepared["prediction"], prepared["slope"]
    priors = list(dict.fromkeys(prepared["produced"]["prior"]))
    panels = style.tiles(made, len(priors) + 2, 55)
    top = 1.05 * float(curves["mean"].max())
    for axes, prior in zip(panels, priors, strict=False):
        own = curves[curves["prior"] == prior]
        intervals = sorted(own["interval"].unique())
        for interval, colour in style.graded(intervals).items():
            here = own[own["interval"] == interval]
            axes.plot(here["time"], here["mean"], color=colour, linewidth=0.8)
            axes.plot([interval], [-0.03 * top], marker="^", markersize=3, color=colour, clip_on=False)
        name = f"prior: {prior}" if prior else "prediction"
        axes.set(title=name, xlabel="time from set (ms)", ylabel="prediction of go", ylim=(-0.06 * top, top))
        style.few_ticks(axes)
    produced, spread = panels[len(priors) :]
    ends = np.array([curves["interval"].min(), curves["interval"].max()])
    produced.plot(ends, ends, color=style.PALE, linewidth=2, zorder=0, label="reproduced exactly")
    for prior, colour in style.colours(priors).items():
        seeds, mean, observer, deviation = (
            prepared[name][prepared[name]["prior"] == prior] for name in ("seeds", "produced", "observer", "deviation")
        )
        own = slopes[slopes["prior"] == prior]
        words = f"slope {style.signed(own['slope'].mean())} (chance {own['slope_chance'].mean():.2f})"
        produced.plot(seeds["interval"], seeds["produced"], ".", color=colour, alpha=0.35, markersize=3)
        style.points(produced, mean["interval"], mean, color=colour, label=f"{prior}: {words}" if prior else words)
        produced.plot(observer["interval"], observer["mean"], color=colour, linewidth=1)
        reach = [mean["interval"].min(), mean["interval"].max()]
        produced.plot(reach, [mean["interval"].mean()] * 2, color=colour, linestyle=DASHED, linewidth=0.7)
        if deviation["mean"].notna().any():
            style.points(spread, deviation["interval"], deviation, color=colour, linestyle="-", linewidth=0.7)
    produced.set(xlabel="sample interval (ms)", ylabel="produced interval (ms)")
    spread.set(xlabel="sample interval (ms)", ylabel="standard deviation (ms)")
    spread.set_ylim(bottom=0)
    for axes in (produced, spread):
        style.few_ticks(axes)
    style.legend_below(made, produced, 2 if style.width(made) > 120 else 1, slopes["seed"].nunique(), spread="bars")
    return [panels[0], produced, spread]
