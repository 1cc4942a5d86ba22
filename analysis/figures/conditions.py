"""Error over trials, across the switches, of several conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure
from izhires.analysis.metrics.prediction import rmse
from izhires.analysis.statistics import POSITIVE, spread_over_seeds

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

WORDS = {
    "default": "the model",
    "merged": "one merged readout",
    "merged_tuned": "one merged readout, tuned",
    "force": "FORCE, not told",
    "force_reset": "FORCE, reset at switches",
    "no_gate": "no gate",
}
"""Names of studies as the legend writes them; others stand as they are."""


def prepare(recordings: Sequence[xr.Dataset]) -> Tables:
    """Return the error after each training trial, mean and interval over seeds, by study (attribute ``study``)."""
    errors, switches = [], {}
    studies = list(dict.fromkeys(str(recording.attrs.get("study", "")) for recording in recordings))
    if len(studies) < 2:
        raise Unavailable("needs recordings of two or more studies: name a folder of their folders")
    first = recordings[0]["expectation"]
    for recording in recordings:
        own = recording["expectation"]
        if own.shape != first.shape or not np.array_equal(recording["probe_trial"], recordings[0]["probe_trial"]):
            raise Unavailable(f"the study {recording.attrs['study']!r} has another task than {studies[0]!r}")
    for recording in recordings:
        study, seed = str(recording.attrs["study"]), selection.seed(recording)
        found = rmse(recording["prediction"], recording["expectation"]).values
        nothing = rmse(0 * recording["prediction"], recording["expectation"]).values
        trials = recording["probe_trial"].values
        for block in selection.blocks(recording)[1:]:
            # a block's first probe comes after its first trial
            switches[block] = int(trials[selection.probes(recording, block)[0]]) - 1, selection.switch(recording, block)
        for trial, error, zero, block in zip(trials, found, nothing, recording["block"].values, strict=True):
            errors.append({"study": study, "seed": seed, "block": block, "trial": int(trial), "error": float(error)})
            if study == studies[0]:
                errors.append({"study": "predicting nothing", "seed": seed, "block": block, "trial": int(trial),
                               "error": float(zero)})  # fmt: skip
    table = spread_over_seeds(pd.DataFrame(errors), ["study", "block", "trial"], "error", POSITIVE)
    return {
        "error": table,
        "switches": pd.DataFrame(
            [(block, *each) for block, each in switches.items()], columns=["block", "trial", "new"]
        ),
    }


@figure(
    "conditions",
    title="Error across the switches, by condition",
    caption=(
        "Error of the cue-only prediction against the expectation after each training trial, for the model and for "
        "other rules and readouts on the same seeds: mean and spread over seeds. Dashed: the error of "
        "predicting nothing. Vertical lines: switches of the statistics."
    ),
    alt=(
        "Line plot: error against training trials for the model and other rules and readouts, with a dashed line for "
        "predicting nothing and a vertical line at each switch."
    ),
    prepare=prepare,
    height=75,
    all_cues=True,
    side_by_side=True,
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw one line a study, over all blocks."""
    table, switches = prepared["error"], prepared["switches"]
    studies = [name for name in dict.fromkeys(table["study"]) if name != "predicting nothing"]
    axes = made.subplots()
    colours = {studies[0]: style.BLACK, **style.colours(studies[1:])}
    nothing = table[table["study"] == "predicting nothing"].sort_values("trial")
    axes.plot(nothing["trial"], nothing["mean"], "--", color=style.GREY, linewidth=0.8, label="predicting nothing")
    for study in studies:
        own = table[table["study"] == study]
        for k, (_, here) in enumerate(own.groupby("block")):
            label = WORDS.get(study, study.replace("_", " ")) if k == 0 else None
            style.band(axes, here.sort_values("trial"), "trial", color=colours[study], label=label)
    top = float(np.nanmax(table[["mean", "high"]].to_numpy())) * 1.12
    for trial, new in zip(switches["trial"].tolist(), switches["new"], strict=True):
        axes.axvline(trial, color=style.GREY, linewidth=0.6, linestyle=":")
        axes.text(trial + 2, top * 0.985, f"new {new}", va="top", color=style.GREY,
                  rotation=0 if style.width(made) > 120 else 90)  # fmt: skip
    axes.set(xlabel="training trials", ylabel="error (RMSE)", ylim=(0, top))
    style.legend_below(made, axes, 3 if style.width(made) > 120 else 2, int(table["seeds"].max()), spread="bands")
    return [axes]
