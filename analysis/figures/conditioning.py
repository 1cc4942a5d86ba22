"""Conditioning: dopamine at a stimulus, at a reward, and where it stays away, beside a model without a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure, part_values
from izhires.analysis.metrics.conditioning import FIRST, LAST, NEEDS, RELEASED, sessions, with_models
from izhires.analysis.statistics import spread_over_seeds

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

SHOWN = (-200, 900)
"""Times from the CS (ms) of the course."""
DASHED = (0, (3, 1.5))
BIN = 50
"""Milliseconds of one point of the course."""
TOGETHER = 10
"""Trials of a cue of one point of a design."""
RESPONSES = {"cs": "at the CS", "us": "at the US", "omission": "where it is omitted"}


def prepare(recordings: Sequence[xr.Dataset], table: pd.DataFrame) -> Tables:
    """Return the course around a certain US, responses by probability, and the trials and tests of each design."""
    found: Tables = {"course": _course(recordings)}
    levels = {
        (str(each.attrs["variant"]), int(block)): selection.probability(each, int(block), selection.events(each)[0])
        for each in recordings
        for block in np.unique(each["trial_block"].values)
    }
    parts = [*RESPONSES, *(f"rw_{each}" for each in RESPONSES)]
    values = part_values(table, "conditioning", parts)
    of_rows = zip(values["variant"].tolist(), values["block"].tolist(), strict=True)
    values["p"] = [levels.get((variant, int(block)), np.nan) for variant, block in of_rows]
    values["design"] = values["variant"].str.partition(" ")[0]
    of_levels = values[values["block"] == 0].groupby("design")["p"].nunique()
    graded = [str(design) for design, number in of_levels.items() if number > 2]
    if graded:
        found["probability"] = spread_over_seeds(
            values[values["design"] == graded[0]], ["design", "p", "part"], "value"
        )
    rows, tests, ends = [], [], []
    for design, several in sessions(recordings):
        if design in graded:
            continue
        trials, _ = with_models(several)
        seed = selection.seed(several[0])
        trials["point"] = trials.groupby(["cue", "kind", "block"]).cumcount() // TOGETHER
        own = trials[trials["kind"] == "train"]
        mean = own.groupby(["cue", "block", "point"], sort=False)[["trial", "cs", "rw_cs"]].mean().reset_index()
        rows.append(mean.assign(design=design, seed=seed))
        probes = trials[trials["kind"] == "probe"].groupby(["cue", "block"], sort=False)[["trial", "cs", "rw_cs"]]
        tests.append(probes.mean().reset_index().assign(design=design, seed=seed))
        first = trials[trials["kind"] == "train"].groupby("block")["trial"].min()
        ends.append(pd.DataFrame({"design": design, "block": first.index, "trial": first.to_numpy()}))
    for name, tables in (("trials", rows), ("tests", tests)):
        if tables:
            found[name] = _both(pd.concat(tables), ["design", "cue", "block", *(["point"] if name == "trials" else [])])
    if ends:
        found["phases"] = pd.concat(ends).drop_duplicates(["design", "block"]).reset_index(drop=True)
    return found


def _both(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return mean and interval of the network's responses, and the means of trial number and model."""
    # seeds have their trials at different places: one place for all
    means = table.groupby(by, sort=False)[["trial", "rw_cs"]].mean().reset_index()
    return spread_over_seeds(table, by, "cs").merge(means, on=by)


def _course(recordings: Sequence[xr.Dataset]) -> pd.DataFrame:
    """Return what is released around the first cue that is always followed by the US: at first, at last, omitted."""
    rows, chosen = [], None
    for each in recordings:
        event = selection.events(each)[0]
        if selection.probability(each, 0, event) < 1:
            continue
        chosen = chosen or each.attrs["variant"]
        if each.attrs["variant"] != chosen:
            continue
        table = selection.trials(each)
        first = table["block"] == 0
        rewarded = np.flatnonzero(first & (table["event"] != ""))
        omitted = np.flatnonzero(first & (table["kind"] == "probe"))
        start = round(float(each[f"{RELEASED}_time"].values[0]) * 1e3)
        cues = np.rint(each["trial_cue"].values * 1e3).astype(int) - start
        edges = np.arange(*SHOWN, BIN)
        for name, trials in {
            f"first {FIRST} trials": rewarded[:FIRST],
            f"last {LAST} trials": rewarded[-LAST:],
            "omitted": omitted,
        }.items():
            if len(trials):
                values = each[RELEASED].values[:, 0][cues[trials][:, None] + np.arange(*SHOWN)]
                values = values.reshape(len(trials), -1, BIN).sum(axis=2).mean(axis=0)
                rows.append(pd.DataFrame({"cue": chosen, "trials": name, "time": edges + BIN / 2, "value": values,
                                          "us": 1e3 * float(each["outcome_latency"].values[0]),
                                          "seed": selection.seed(each)}))  # fmt: skip
    if not rows:
        raise Unavailable("needs a cue that is always followed by the US in the first phase")
    return spread_over_seeds(pd.concat(rows), ["cue", "us", "trials", "time"], "value")


def _panels(tables: Tables) -> int:
    return 1 + ("probability" in tables) + (tables["trials"]["design"].nunique() if "trials" in tables else 0)


@figure(
    "conditioning",
    title="Conditioning: dopamine at the stimulus, at the reward, and at its omission",
    all_cues=True,
    caption=(
        f"Released in each {BIN} ms around a CS that a US always follows (dashed): mean and spread over seeds.",
        "Responses at the end of acquisition against the probability of the US: points, the network; dashed, the "
        "Rescorla-Wagner model at the rate fitted to the responses to the CS.",
        f"Responses to the CS in each design, {TOGETHER} trials of a cue a point, by the number of the trial; "
        "dashed: the model. Diamonds: probes after a phase, without learning. Vertical lines: a phase begins.",
    ),
    alt=(
        "Line chart of released dopamine around a stimulus and a reward, early and late in learning and at omission; "
        "responses against reward probability; and, for each design, responses to each stimulus against trial number."
    ),
    prepare=prepare,
    needs=NEEDS,
    metrics=("conditioning",),
    height=lambda tables, width: 10.0 + 58.0 * -(-_panels(tables) // max(1, int(width / 55))),
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw the course, the probabilities, and a panel a design."""
    panels = style.tiles(made, _panels(prepared), 55, sharey=False)
    starts, rest = [panels[0]], list(panels[1:])
    course = prepared["course"]
    colours = style.colours(list(dict.fromkeys(course["trials"])))
    for name, colour in colours.items():
        style.band(panels[0], course[course["trials"] == name], "time", color=colour, linewidth=1, label=name)
    for at in (0, course["us"].iloc[0]):
        panels[0].axvline(at, color=style.GREY, linestyle="--", linewidth=0.8)
    panels[0].set(xlabel="time from the CS (ms)", ylabel=f"released in {BIN} ms", title=course["cue"].iloc[0])
    _room_for_legend(panels[0], 0.5)
    panels[0].legend(loc="upper left")
    if "probability" in prepared:
        axes = rest.pop(0)
        starts.append(axes)
        table = prepared["probability"]
        graded = table["design"].iloc[0]
        for (part, label), colour in zip(RESPONSES.items(), style.colours([*RESPONSES]).values(), strict=True):
            own = table[table["part"] == part].sort_values("p")
            style.points(axes, own["p"], own, color=colour, label=label)
            model = table[table["part"] == f"rw_{part}"].sort_values("p")
            axes.plot(model["p"], model["mean"], color=colour, linewidth=0.9, linestyle=DASHED)
        axes.axhline(0, color=style.GREY, linewidth=0.6, linestyle=(0, (4, 2)))
        axes.set(xlabel="probability of the US", ylabel="response", xlim=(-0.05, 1.05), title=graded)
        _room_for_legend(axes, 0.3)
        axes.legend(loc="upper left", ncols=2, columnspacing=1, handletextpad=0.3)
    _explain(made, prepared)
    if "trials" not in prepared:
        return starts
    starts.append(rest[0])
    for axes, (design, table) in zip(rest, prepared["trials"].groupby("design", sort=False), strict=True):
        tests, phases = (prepared[name][prepared[name]["design"] == design] for name in ("tests", "phases"))
        cues = list(dict.fromkeys([*table["cue"], *tests["cue"]]))
        for cue, colour in style.colours(cues).items():
            for block in sorted(table["block"].unique()):
                own = table[(table["cue"] == cue) & (table["block"] == block)].sort_values("trial")
                style.band(axes, own, "trial", color=colour, linewidth=1)
                axes.plot(own["trial"], own["rw_cs"], color=colour, linewidth=0.9, linestyle=DASHED)
            own = tests[tests["cue"] == cue]
            style.points(axes, own["trial"], own, color=colour, marker="D", label=style.shown(cue))
        for at in phases["trial"][1:]:
            axes.axvline(at, color=style.GREY, linewidth=0.6)
        axes.axhline(0, color=style.GREY, linewidth=0.6, linestyle=(0, (4, 2)))
        axes.set(xlabel="trial", ylabel="response to the CS", title=design)
        _room_for_legend(axes, 0.3)
        axes.legend(loc="upper left", ncols=3, columnspacing=1, handletextpad=0.3)
    return starts


def _room_for_legend(axes: Axes, share: float) -> None:
    """Move the upper end of an axis up, so that a legend stands above what is drawn."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + share * (high - low))


def _explain(made: FigureBase, prepared: Tables) -> None:
    """Say below what belongs to the network and what to the model, and how many seeds there are."""
    from matplotlib.lines import Line2D

    seeds = max(int(rows["seeds"].max()) for rows in prepared.values() if "seeds" in rows)
    handles = [
        Line2D([], [], color=style.BLACK, marker="o", markersize=3.2, label="network"),
        Line2D([], [], color=style.BLACK, linewidth=0.9, linestyle=DASHED, label="Rescorla-Wagner model"),
    ]
    if "tests" in prepared:
        handles.append(Line2D([], [], color=style.BLACK, linestyle="", marker="D", markersize=3.2, label="probes"))
    made.legend(handles=handles, loc="outside lower center", ncols=3, columnspacing=1.4,
                title=style.number_of(seeds, spread="bands, bars"))  # fmt: skip
