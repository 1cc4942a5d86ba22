"""The probability that the network expects, trial by trial, beside observers of the same trials."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure
from izhires.analysis.metrics.base import ALL_EVENTS
from izhires.analysis.metrics.observers import (
    NETWORK,
    expected,
    network_probability,
    probe_error,
    training_rows,
)
from izhires.analysis.metrics.prediction import by_event
from izhires.analysis.observers import all_observers
from izhires.analysis.statistics import POSITIVE, SHARE, at_the_same, spread_over_seeds

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

LABELS = {
    NETWORK: "network",
    "bayes_told": "Bayes, told of switches",
    "bayes": "Bayes, not told",
    "hgf": "hierarchical Gaussian filter",
    "ridge_told": "ridge on states, told",
    "ridge": "ridge on states, not told",
    "zero": "zero output",
}
"""Labels of what is drawn, in their order; an observer of the user's own has its name."""


def colours(names: Iterable[str]) -> dict[str, str]:
    """Return the colour of each observer, the same in all figures; those of the user's own come after the others."""
    known = [name for name in LABELS if name not in (NETWORK, "zero")]
    names = list(names)
    every = style.colours([*known, *(name for name in names if name not in known)])
    return {name: every[name] for name in names}


def prepare(recordings: Sequence[xr.Dataset]) -> Tables:
    """Return p before each trial and the error at each probe, by network and observer, and the true p of each block."""
    guesses, errors = [], []
    for recording in selection.one_condition(recordings):
        seed, events = selection.seed(recording), selection.events(recording)
        found, _ = expected(recording, all_observers())
        rows = _training(recording)
        probability = {NETWORK: network_probability(recording)} | {
            name: each.probability for name, each in found.items() if name != "zero"
        }
        for name, each in probability.items():
            if np.isnan(each[rows]).all():
                continue
            for k, event in enumerate(events):
                one = {"seed": seed, "who": name, "event": event, "trial": np.arange(1, len(rows) + 1)}
                guesses.append(pd.DataFrame({**one, "p": each[rows, k]}))
        error = {NETWORK: by_event(recording["prediction"], recording["expectation"])[ALL_EVENTS].values}
        error |= {name: probe_error(recording, each.course)[ALL_EVENTS] for name, each in found.items()}
        for name, values in error.items():
            one = {"seed": seed, "who": name, "block": recording["block"].values}
            errors.append(pd.DataFrame({**one, "trial": recording["probe_trial"].values, "error": values}))
    course = at_the_same(pd.concat(errors, ignore_index=True), ["who", "block"], "trial", "error")
    return {
        "probability": spread_over_seeds(pd.concat(guesses, ignore_index=True), ["who", "event", "trial"], "p", SHARE),
        "error": spread_over_seeds(course, ["who", "block", "trial"], "error", POSITIVE),
        "truth": _truth(recordings[0]),
    }


def _training(recording: xr.Dataset) -> np.ndarray:
    """Return the rows of all trials that are learned from."""
    rows = np.concatenate([training_rows(recording, block) for block in np.unique(recording["trial_block"].values)])
    if not len(rows):
        raise Unavailable("needs trials that are learned from")
    return rows


def _truth(recording: xr.Dataset) -> pd.DataFrame:
    """Return the true probability of each event, the trials of each block, and what is new in it."""
    blocks = recording["trial_block"].values[_training(recording)]
    known = selection.blocks(recording)
    found = []
    for block in np.unique(blocks):
        mine = np.flatnonzero(blocks == block)
        new = selection.switch(recording, int(block)) if block in known and block != known[0] else ""
        for event in selection.events(recording):
            p = selection.probability(recording, int(block), event)
            one = {"block": int(block), "new": new, "event": event, "first": mine[0] + 1, "last": mine[-1] + 1}
            found.append({**one, "probability": p})
    return pd.DataFrame(found)


@figure(
    "observers",
    title="The network beside observers of the same trials",
    caption=(
        "Above: the probability of each event that is expected before each training trial, mean over seeds; band: "
        "spread over seeds of the network, clip(what, 0, 1); dashed: the true probability. Below: root mean square "
        "error of the complete prediction (what, when and how likely) at the probes, all events together, mean over "
        "seeds, with the network's spread. Dotted: switches of the statistics. Every seed has trials of its "
        "own, which network and observers share."
    ),
    alt=(
        "Line charts against training trials: the probability of each event that network and ideal observers expect "
        "and, below, the error of their complete predictions."
    ),
    prepare=prepare,
    needs=("prediction", "expectation", "trial_what", "trial_event", "trial_learn"),
    height=lambda tables, width: 38.0 * tables["truth"]["event"].nunique() + (62 if width > 120 else 78),
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw a row an event, and the error below."""
    guesses, errors, truth = prepared["probability"], prepared["error"], prepared["truth"]
    events = list(dict.fromkeys(truth["event"]))
    drawn = set(errors["who"])
    who = [name for name in LABELS if name in drawn]
    who += [name for name in dict.fromkeys(errors["who"]) if name not in LABELS]
    look: dict[str, dict[str, Any]] = {
        name: {"color": colour, "label": LABELS.get(name, name), "linewidth": 0.9}
        for name, colour in colours(name for name in who if name not in (NETWORK, "zero")).items()
    }
    look[NETWORK] = {"color": style.BLACK, "label": LABELS[NETWORK], "zorder": 3}
    look["zero"] = {"color": style.GREY, "label": LABELS["zero"], "linestyle": (0, (1, 1.5))}
    grid = made.subplots(len(events) + 1, 1, squeeze=False, sharex=True)
    narrow = style.width(made) < 120
    blocks = truth.drop_duplicates("block")
    for axes in grid[:, 0]:
        for start in blocks["first"].iloc[1:]:
            axes.axvline(start - 0.5, color=style.GREY, linewidth=0.6, linestyle=":")
    for axes, event in zip(grid[:, 0], events, strict=False):
        for name in who:
            here = guesses[(guesses["who"] == name) & (guesses["event"] == event)]
            if len(here):
                _line(axes, here, name == NETWORK, look[name])
        mine = truth[truth["event"] == event]
        true = {"color": style.GREY, "linestyle": (0, (3, 2)), "linewidth": 0.9, "zorder": 2}
        for row in mine.itertuples():
            axes.plot([row.first, row.last], [row.probability] * 2, **true)
        axes.plot([], [], **true, label="true probability")
        axes.set(ylabel=f"expected p({event})", ylim=(0, 1))
    for row in blocks[blocks["new"] != ""].itertuples():
        new = str(row.new) if row.new != "nothing" else "nothing new"
        text = new.replace(" and ", "\nand ") if narrow else f"switch: {new}"
        grid[0, 0].annotate(text, (row.first, 1), xytext=(2, 1), textcoords="offset points",
                            color=style.GREY, va="bottom")  # fmt: skip
    below = grid[-1, 0]
    for name in who:
        mine = errors[errors["who"] == name]
        for k, (_, here) in enumerate(mine.groupby("block")):
            line = look[name] if k == 0 else {**look[name], "label": None}
            _line(below, here.sort_values("trial"), name == NETWORK, line)
    below.set(xlabel="training trials", ylabel="error (RMSE)", xlim=(0, truth["last"].max() + 1))
    below.set_ylim(bottom=0)
    handles = dict(zip(*reversed(grid[0, 0].get_legend_handles_labels()), strict=True))
    handles = dict(zip(*reversed(below.get_legend_handles_labels()), strict=True)) | handles
    across = 2 if narrow else -(-len(handles) // 2)
    made.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=across, columnspacing=1.4,
                title=style.number_of(int(errors["seeds"].max()), spread="bands"))  # fmt: skip
    return [grid[0, 0]]


def _line(axes: Axes, table: pd.DataFrame, interval: bool, line: dict[str, Any]) -> None:
    """Draw means over trials, with the interval over seeds where asked for."""
    if interval:
        style.band(axes, table, "trial", **line)
    else:
        axes.plot(table["trial"], table["mean"], **line)
