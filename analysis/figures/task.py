"""The task: one trial, and the blocks with their latencies and probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure
from izhires.analysis.metrics.calibration import unit_expectation

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


def prepare(recordings: Sequence[xr.Dataset]) -> Tables:
    """Return the signals of one trial (lane, time, value), the training trials, and the statistics of the blocks."""
    recording = selection.one_condition(recordings)[0]
    table, names = selection.trials(recording), selection.events(recording)
    block = selection.blocks(recording)[0]
    window, cue = float(recording.attrs["window"]), float(recording.attrs["cue_duration"])
    first = table[table["block"] == block].iloc[0]
    start = float(first["onset"] - first["cue"])
    times = np.round(np.arange(round(start * 1000), round((start + float(first["duration"])) * 1000)) / 1000, 3)
    lanes = [
        pd.DataFrame({"lane": lane, "time": times, "value": value})
        for lane, value in (
            ("cue", ((times >= 0) & (times < cue)).astype(float)),
            ("window", ((times >= 0) & (times < window)).astype(float)),
        )
    ]
    for name in names:
        try:
            latencies, chances = selection.event_latencies(recording, block, name)
        except Unavailable:
            continue
        value = unit_expectation(times, latencies, chances, float(recording.attrs["event_width"]))
        lanes.append(pd.DataFrame({"lane": name, "time": times, "value": value / value.max()}))

    training = table[table["kind"] == "train"].reset_index(drop=True)
    shown = training.assign(trial=np.arange(1, len(training) + 1))[["trial", "block", "event", "latency"]]
    if "trial_latency_of" in recording:
        late = selection.latencies(recording)[table["kind"] == "train"].reset_index(drop=True)
        each = [shown.assign(event=name, latency=late[name])[late[name].notna()] for name in names]
        shown = pd.concat([*each, shown[late.isna().all(axis=1)]], ignore_index=True)
    spans = shown.groupby("block")["trial"].agg(first="min", last="max").reset_index()
    truth = selection.outcomes(recording)
    truth["weighted"] = truth["latency"] * truth["probability"]
    truth = truth.groupby(["block", "event"], sort=False).agg(
        latencies=("latency", "nunique"), latency=("latency", "mean"), weighted=("weighted", "sum"),
        probability=("probability", "sum"),
    )  # fmt: skip
    truth["latency"] = (truth["weighted"] / truth["probability"]).where(truth["probability"] > 0, truth["latency"])
    blocks = truth.drop(columns="weighted").reset_index().merge(spans, on="block")
    blocks["name"] = [selection.block_name(recording, int(block)) for block in blocks["block"]]
    return {"trial": pd.concat(lanes, ignore_index=True), "trials": shown, "blocks": blocks}


@figure(
    "task",
    title="The task",
    caption=(
        "One trial of the first block: the cue, the window in which predictions are read, and where each event may "
        "occur (p: its probability).",
        "Every training trial of one seed: the event that occurred and when; lines and numbers give the latency and "
        "probability that each block holds; events of one latency are drawn beside each other.",
    ),
    alt=(
        "Time course of one trial with its cue, window and events, and a scatter plot of the time of each trial's "
        "event against the number of the trial, by block."
    ),
    prepare=prepare,
    height=lambda tables, width: 58.0 if width > 120 else 104.0,
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw the signals of one trial beside all trials."""
    from matplotlib.transforms import offset_copy

    wide = style.width(made) > 120
    one, every = made.subplots(1, 2, width_ratios=(1, 1.9)) if wide else made.subplots(2, 1, height_ratios=(1, 1.2))
    blocks, trials = prepared["blocks"], prepared["trials"]
    events = list(dict.fromkeys(blocks["event"]))
    colour = style.colours(events)
    lanes = list(dict.fromkeys(prepared["trial"]["lane"]))
    first = blocks[blocks["block"] == blocks["block"].min()].set_index("event")

    for place, lane in enumerate(reversed(lanes)):
        rows = prepared["trial"][prepared["trial"]["lane"] == lane]
        shade = colour.get(lane, style.GREY if lane == "window" else style.BLACK)
        height = 0.25 if lane == "window" else 0.75
        one.fill_between(rows["time"], place, place + height * rows["value"], color=shade, linewidth=0, alpha=0.85)
        one.axhline(place, color=style.PALE, linewidth=0.6, zorder=0)
    labels = [
        f"{lane}\np = {first.loc[lane, 'probability']:.2g}" if lane in events else lane for lane in reversed(lanes)
    ]
    one.set_yticks(np.arange(len(lanes)) + 0.3, labels)
    one.tick_params(axis="y", length=0)
    one.spines["left"].set_visible(False)
    one.set(xlabel="time from cue (s)", ylim=(-0.1, len(lanes)))

    late = trials["latency"].dropna()
    if late.empty:  # nothing followed the cue in any trial
        late = prepared["trial"]["time"].clip(lower=0)
    top, low = float(late.max()), float(late.min())
    room = max(top - low, 0.3 * top)
    # events that share a latency lie on each other: they are drawn as many points apart
    one_time = blocks[blocks["latencies"] == 1]
    shared = one_time.groupby(["block", "latency"])["event"].transform("nunique").max() > 1
    apart = {event: 3.5 * k * shared for k, event in enumerate(events)}
    for event in events:
        rows = trials[trials["event"] == event]
        beside = offset_copy(every.transData, every.get_figure(root=True), y=apart[event], units="points")
        every.plot(rows["trial"], rows["latency"], ".", color=colour[event], markersize=2.2, alpha=0.8,
                   transform=beside, label=style.shown(event))  # fmt: skip
        for row in one_time[one_time["event"] == event].itertuples():
            every.plot([row.first, row.last], [row.latency] * 2, color=colour[event], linewidth=3, alpha=0.3,
                       transform=beside)  # fmt: skip
            above = 3 + (9.5 * events.index(event) + 3.5 * (len(events) - 1)) * shared
            every.annotate(f"p = {row.probability:.2g}", (row.first, row.latency), (1, above), va="bottom",
                           textcoords="offset points", color=colour[event])  # fmt: skip
    for block, span in blocks.groupby("block"):
        start, end = span["first"].iloc[0], span["last"].iloc[0]
        if block != blocks["block"].min():
            every.axvline(start - 0.5, color=style.GREY, linewidth=0.6, linestyle=":")
        across = every.get_xaxis_transform()
        every.text((start + end) / 2, 1.01, span["name"].iloc[0], ha="center", va="bottom", transform=across)
    every.set(xlabel="training trial", ylabel="time of event from cue (s)",
              xlim=(0, trials["trial"].max() + 1), ylim=(low - 0.25 * room, top + 0.3 * room))  # fmt: skip
    made.legend(*every.get_legend_handles_labels(), title="event", markerscale=3, handlelength=1,
                loc="outside right center" if wide else "outside lower center",
                ncols=1 if wide else len(events))  # fmt: skip
    return [one, every]
