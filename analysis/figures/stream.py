"""Streams of stimuli: responses to deviants and their controls, omissions, and what is learned of transitions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from izhires.analysis.declared import Unavailable
from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure
from izhires.analysis.metrics.stream import OF_OBSERVERS, StreamOfTrials, responses, streams
from izhires.analysis.statistics import nonnegative, spread_over_seeds

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

STEP = 5
"""Of how many milliseconds of the prediction one is drawn."""

LONGEST_RUN = 8
"""Number of standards before a deviant from which on all are taken together."""

NETWORK = "network"
LOOKS: dict[str, dict[str, Any]] = {
    NETWORK: {"color": style.BLACK, "marker": "o"},
    "frequency": {"color": "#0173b2", "marker": "s"},
    "transition": {"color": "#de8f05", "marker": "^"},
}
"""How network and observers are drawn."""

NEITHER = "neither"
"""Role of a stimulus that is no standard and no deviant."""

LABELS = {NETWORK: NETWORK} | {name: f"exact observer of {of}" for name, of in OF_OBSERVERS.items()}


PANELS = ("response", "run", "omission")
"""Panels of the figure of responses."""

RESPONSE = (-np.inf, 1.0)
"""Range of a response, 1 - prediction: a prediction may be larger than 1, not smaller than 0."""

LEAST = 45
"""What a panel needs, mm."""


def _height(panels: int, width: float) -> float:
    """Return the height (mm) of some panels, with the legend below."""
    side = max(1, min(panels, int(width / LEAST)))
    return 56.0 * -(-panels // side) + (16 if width > 120 else 28)


def _columns(made: FigureBase) -> int:
    """Return how many entries of the legend stand side by side."""
    return 3 if style.width(made) > 120 else 1


def _who(stream: StreamOfTrials) -> dict[str, np.ndarray]:
    return {name.removeprefix("_") or NETWORK: values for name, values in responses(stream).items()}


def _shown(found: Sequence[StreamOfTrials], stream: StreamOfTrials, block: int) -> Iterator[tuple[int, str]]:
    """Yield the stimuli of a block to be compared: all, but of a control only those that are deviants elsewhere."""
    deviants = {
        name
        for each in found
        for number in each.blocks
        for name in (each.events[k] for k in each.role(number, "deviant"))
    }
    control = not stream.role(block, "standard") and len({each.variant for each in found}) > 1
    for k, name in enumerate(stream.events):
        if not control or not deviants or name in deviants:
            yield k, name


def prepare(recordings: Sequence[xr.Dataset]) -> Tables:
    """Return responses of each stream, by stimulus and by standards before, and predictions in omissions."""
    found = streams(recordings)
    rows, runs, left = [], [], []
    for stream in found:
        each = _who(stream)
        for block in stream.blocks:
            settled = stream.settled(block)
            roles = {k: role for role in ("standard", "deviant") for k in stream.role(block, role)}
            place = {"variant": stream.variant, "block": block, "seed": stream.seed}
            for k, name in _shown(found, stream, block):
                mine = settled[stream.code[settled] == k]
                rows += [
                    {**place, "event": name, "role": roles.get(k, NEITHER), "who": who, "response": values[mine].mean()}
                    for who, values in each.items()
                    if len(mine)
                ]
            if "standard" in roles.values():
                before = np.minimum(stream.run_before(block), LONGEST_RUN)
                deviants = [k for k, role in roles.items() if role == "deviant"]
                for number in range(LONGEST_RUN + 1):
                    deviant = settled[np.isin(stream.code[settled], deviants) & (before[settled] == number)]
                    runs += [
                        {**place, "standards": number, "who": who, "response": values[deviant].mean()}
                        for who, values in each.items()
                        if len(deviant)
                    ]
            shown = stream.omitted.get(block, np.empty((0, 0, 0)))
            if len(shown):
                mean = shown[len(shown) // 2 :].mean(0)[:, ::STEP]
                left += [
                    {**place, "event": name, "time": float(time - stream.latency), "prediction": value}
                    for name, course in zip(stream.events, mean, strict=True)
                    for time, value in zip(stream.time[::STEP], course, strict=True)
                ]
    table = pd.DataFrame(rows)
    by = ["variant", "block", "event", "role", "who"]
    made = {"response": spread_over_seeds(table, by, "response", RESPONSE)}
    if runs:
        made["run"] = spread_over_seeds(
            pd.DataFrame(runs), ["variant", "block", "standards", "who"], "response", RESPONSE
        )
    if left:
        table = pd.DataFrame(left)
        by = ["variant", "block", "event", "time"]
        made["omission"] = spread_over_seeds(table, by, "prediction", nonnegative(table["prediction"]))
    return made


@figure(
    "stream",
    title="Responses to the stimuli of a stream",
    all_cues=True,
    caption=(
        "Response to each stimulus (1 - its prediction at its moment, before it is heard), by sequence and block; of "
        "sequences in which all are equally frequent only the stimuli that are deviants elsewhere. "
        "Below each is whether it is a standard or a deviant: as declared for event files, where what is declared as "
        "other is neither; of drawn sequences the most frequent stimulus is the standard, all others are deviants.",
        "Response to deviants against the number of standards directly before.",
        "Prediction where a stimulus was left out, against the time from its expected onset, in the first sequence's "
        "last block. All: second half of each block, mean and spread over seeds; observers on the same trials.",
    ),
    alt=(
        "Point charts of the response to each stimulus for the network and two exact observers, by kind of sequence "
        "and by the number of standards before; line chart of the prediction of each stimulus over time in omissions."
    ),
    prepare=prepare,
    needs=("prediction", "trial_what"),
    height=lambda tables, width: _height(len(set(PANELS) & set(tables)), width),
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw responses, responses by standards before, and omissions side by side."""
    panels = [name for name in PANELS if name in prepared]
    grid = dict(zip(panels, style.tiles(made, len(panels), LEAST), strict=True))
    _responses(grid["response"], prepared["response"])
    if "run" in grid:
        _runs(grid["run"], prepared["run"])
    if "omission" in grid:
        _omissions(grid["omission"], prepared["omission"])
    table = prepared["response"]
    style.legend_below(
        made,
        [grid[name] for name in panels if name != "omission"],
        _columns(made),
        int(table["seeds"].max()),
        spread="bands, bars",
    )
    return list(grid.values())


def _responses(axes: Axes, table: pd.DataFrame) -> None:
    places = list(dict.fromkeys(table[["variant", "block", "event"]].itertuples(index=False, name=None)))
    several = table["block"].nunique() > 1
    for number, who in enumerate(LOOKS):
        own = table[table["who"] == who].set_index(["variant", "block", "event"]).loc[places].reset_index()
        style.points(axes, np.arange(len(own)) + 0.18 * (number - 1), own, label=LABELS[who], **LOOKS[who])
    roles = table.set_index(["variant", "block", "event"])["role"].to_dict()
    names = [
        "\n".join(filter(None, [variant.replace("_", " "), f"block {block}" if several else "",
                                event if roles[variant, block, event] == NEITHER
                                else f"{event}, {roles[variant, block, event]}"]))
        for variant, block, event in places
    ]  # fmt: skip
    axes.set_xticks(range(len(places)), names, rotation=90)
    axes.set(ylabel="response, 1 \u2212 prediction", xlim=(-0.6, len(places) - 0.4))
    axes.set_ylim(bottom=min(0.0, 1.1 * float(table[["mean", "low"]].min().min())))


def _runs(axes: Axes, table: pd.DataFrame) -> None:
    first = table[["variant", "block"]].iloc[0]
    table = table[(table["variant"] == first["variant"]) & (table["block"] == first["block"])]
    for number, who in enumerate(LOOKS):
        own = table[table["who"] == who]
        style.points(axes, own["standards"] + 0.18 * (number - 1), own, label=LABELS[who], **LOOKS[who])
    axes.set_xticks(range(0, LONGEST_RUN + 1, 2), [*map(str, range(0, LONGEST_RUN, 2)), f"{LONGEST_RUN}+"])
    axes.set(xlabel="standards before the deviant", ylabel="response to the deviant")


def _omissions(axes: Axes, table: pd.DataFrame) -> None:
    table = table[table["variant"] == table["variant"].iloc[0]]
    table = table[table["block"] == table["block"].max()]
    events = list(dict.fromkeys(table["event"]))
    for event, colour in style.colours(events).items():
        style.band(axes, table[table["event"] == event], "time", color=colour, label=style.shown(event))
    axes.axvline(0, color=style.GREY, linewidth=0.8, linestyle=(0, (4, 2)))
    axes.set(xlabel="time from the omitted onset (s)", ylabel="prediction")
    axes.legend(loc="upper left")
    style.few_ticks(axes)


def prepare_transitions(recordings: Sequence[xr.Dataset]) -> Tables:
    """Return what is expected of each stimulus after each other beside its true probability, by block."""
    rows = []
    for stream in streams(recordings):
        for block in stream.blocks:
            settled = stream.settled(block)
            before = stream.trials["before"].to_numpy()[settled]
            who = {NETWORK: stream.what} | {name: stream.observed(name) for name in OF_OBSERVERS}
            for (number, name), true in stream.outcomes.items():
                mine = settled[before == name]
                if number != block or not len(mine):
                    continue
                rows += [
                    {"variant": stream.variant, "block": block, "seed": stream.seed, "before": name, "event": event,
                     "true": true.get(event, 0.0), "who": each, "expected": values[mine, k].mean()}
                    for each, values in who.items()
                    for k, event in enumerate(stream.events)
                ]  # fmt: skip
    table = pd.DataFrame(rows)
    # what does not depend on the stimulus before tells nothing
    spread = table.groupby(["variant", "event", "block"])["true"].transform("nunique")
    if not (spread > 1).any():
        raise Unavailable("needs a stream in which what comes depends on the stimulus before")
    return {"expected": spread_over_seeds(table, ["variant", "block", "before", "event", "true", "who"], "expected")}


@figure(
    "transitions",
    title="What a network learns of transitions",
    all_cues=True,
    caption=(
        "Expected probability of each stimulus after each other against the true one, by sequence and block, second "
        "half: mean over the trials, and spread over seeds; observers on the same trials. Dashed: who knows "
        "the transitions."
    ),
    alt=(
        "Point charts of the expected against the true probability of each stimulus given the one before, one panel a "
        "block, for the network and two exact observers."
    ),
    prepare=prepare_transitions,
    needs=("prediction", "trial_what"),
    height=lambda tables, width: _height(len(tables["expected"].groupby(["variant", "block"])), width),
)
def draw_transitions(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw a panel a sequence and block."""
    table = prepared["expected"]
    places = list(dict.fromkeys(table[["variant", "block"]].itertuples(index=False, name=None)))
    grid = style.tiles(made, len(places), LEAST, sharex=True, sharey=True)
    several = table["block"].nunique() > 1
    drawn = table[["mean", "low", "high"]].to_numpy(float)
    for axes, (variant, block) in zip(grid, places, strict=True):
        here = table[(table["variant"] == variant) & (table["block"] == block)]
        axes.plot([0, 1], [0, 1], color=style.GREY, linestyle=(0, (4, 2)), linewidth=0.8)
        for number, who in enumerate(LOOKS):
            own = here[here["who"] == who]
            style.points(axes, own["true"] + 0.02 * (number - 1), own, label=LABELS[who], **LOOKS[who])
        axes.set_title(" ".join(filter(None, [variant.replace("_", " "), f"block {block}" if several else ""])))
        axes.set(xlabel="true probability", xlim=(-0.05, 1.05))
        axes.set_ylim(min(0.0, float(np.nanmin(drawn))) - 0.05, max(1.0, float(np.nanmax(drawn))) + 0.05)
    grid[0].set_ylabel("expected probability")
    style.legend_below(made, grid, _columns(made), int(table["seeds"].max()), spread="bands, bars")
    return [grid[0]]
