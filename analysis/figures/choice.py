"""What a network chose around reversals, and after wins and losses, beside learners on the same payoffs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure
from izhires.analysis.learners import Bandit
from izhires.analysis.metrics.choice import NEEDS, learners, of_the_better, stays
from izhires.analysis.statistics import SHARE, spread_over_seeds

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

BIN = 5
"""Trials that are taken together after a reversal."""

LABELS = {"": "network", "rescorla_wagner": "Rescorla-Wagner", "bayes": "infers the block"}


def prepare(recordings: Sequence[xr.Dataset]) -> Tables:
    """Return choices after reversals, wins and losses, over seeds, and the values of the first recording."""
    after, kept, chances = [], [], []
    for recording in recordings:
        bandit, seed, variant = (
            Bandit.of_recording(recording),
            selection.seed(recording),
            str(recording.attrs["variant"]),
        )
        within = _within(bandit.block)
        chances.append(float(bandit.best.mean()))
        for name, choices in learners(recording, bandit).items():
            of = {"seed": seed, "who": name, "variant": variant}
            right = of_the_better(bandit, choices).mean(axis=0)
            later = bandit.block > 0
            trials = pd.DataFrame({"trial": within[later] // BIN * BIN + BIN / 2, "better": right[later]})
            means = trials.groupby("trial")["better"].mean()
            after += [{**of, "trial": trial, "better": value} for trial, value in means.items()]
            stay, shift = (np.nanmean(each) if np.isfinite(each).any() else np.nan for each in stays(choices, bandit))
            kept += [{**of, "after": "win", "stay": stay}, {**of, "after": "loss", "stay": 1 - shift}]
    if not after:
        raise Unavailable("needs a second block")
    better = spread_over_seeds(pd.DataFrame(after), ["variant", "who", "trial"], "better", SHARE).sort_values("trial")
    return {
        # blocks of several cues do not all last as long
        "better": better[better["seeds"] == better["seeds"].max()],
        "stay": spread_over_seeds(pd.DataFrame(kept), ["variant", "who", "after"], "stay", SHARE),
        "values": _values(recordings[0]),
        "chance": pd.DataFrame({"chance": [float(np.mean(chances))]}),
    }


def _within(block: np.ndarray) -> np.ndarray:
    """Return how many trials of its block come before each trial."""
    first = np.r_[0, np.flatnonzero(np.diff(block)) + 1]
    return np.arange(len(block)) - first[np.searchsorted(first, np.arange(len(block)), side="right") - 1]


def _values(recording: xr.Dataset) -> pd.DataFrame:
    """Return value, probability of a reward and choice of each arm in each trial of a recording."""
    bandit = Bandit.of_recording(recording)
    found = [
        pd.DataFrame(
            {
                "trial": np.arange(1, len(bandit.block) + 1),
                "arm": arm,
                "value": bandit.value[:, k],
                "probability": bandit.chance[bandit.block, k],
                "chosen": bandit.choice == k,
            }
        )
        for k, arm in enumerate(selection.events(recording))
    ]
    return pd.concat(found, ignore_index=True)


@figure(
    "choice",
    title="Choices after reversals",
    all_cues=True,
    caption=(
        "Values of the arms before each choice in the first recording (of several cues, after the first), the "
        "choices (dots), and the true probability of a reward (dashed).",
        f"Share of choices of the better arm after a reversal, in bins of {BIN} trials, all blocks but the first: mean "
        "over seeds, of the network with its spread. Rescorla-Wagner: a learner with one value an arm and a "
        "softmax, on the same payoffs, with the rate and temperature of the network's readout. Infers the block: a "
        "learner that knows the probabilities and how often they switch. Dotted: chance.",
        "How often an arm was chosen again after it paid, and after it did not: the same.",
    ),
    alt=(
        "Line chart of the values of the arms over trials with the choices; line chart of the share of better choices "
        "after a reversal; point plot of staying after a win and a loss; network beside two learners."
    ),
    prepare=prepare,
    needs=NEEDS,
    height=lambda tables, width: 106.0 if width > 120 else 170.0,
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw values above, choices after reversals and after wins and losses below."""
    wide = style.width(made) > 120
    layout: Any = [["values", "values"], ["better", "stay"]] if wide else [["values"], ["better"], ["stay"]]
    panels = made.subplot_mosaic(layout, width_ratios=[2, 1] if wide else None)
    _draw_values(panels["values"], prepared["values"])
    better, stay = prepared["better"], prepared["stay"]
    variants = list(dict.fromkeys(better["variant"]))
    # the network in black where there is one condition
    arms = list(dict.fromkeys(prepared["values"]["arm"]))
    shades = style.colours([*arms, *variants]) if len(variants) > 1 else {variants[0]: style.BLACK}
    others = [name for name in LABELS if name and name in set(better["who"])]
    dashes = dict(zip(others, ((0, (4, 2)), (0, (5, 1.5, 1, 1.5))), strict=False))
    shapes = dict(zip(("", *others), ("o", "s", "^"), strict=False))
    for variant in variants:
        for name in ("", *others):
            mine = better[(better["variant"] == variant) & (better["who"] == name)]
            text = LABELS[name] + (f", {variant}" if len(variants) > 1 else "")
            full = shades[variant] if not name else "white"
            look: dict[str, Any] = {"color": shades[variant], "label": text, "marker": shapes[name],
                                    "markersize": 3, "markerfacecolor": full}  # fmt: skip
            if name:
                panels["better"].plot(mine["trial"], mine["mean"], linewidth=0.9, linestyle=dashes[name], **look)
            else:
                style.band(panels["better"], mine, "trial", zorder=3, **look)
    panels["better"].axhline(prepared["chance"]["chance"].iloc[0], color=style.GREY, linewidth=0.6, linestyle=":")
    panels["better"].set(xlabel="trials after a reversal", ylabel="better arm chosen", ylim=(0, 1.02), xlim=(0, None))
    many = len(variants) * len(shapes)
    for place, (variant, name) in enumerate((v, n) for v in variants for n in shapes):
        mine = stay[(stay["variant"] == variant) & (stay["who"] == name)].set_index("after").loc[["win", "loss"]]
        x = np.arange(2) + (place - (many - 1) / 2) * 0.6 / many
        full = shades[variant] if not name else "white"
        style.points(panels["stay"], x, mine, marker=shapes[name], color=shades[variant], markerfacecolor=full)
    panels["stay"].set_xticks([0, 1], ["after a win", "after a loss"])
    panels["stay"].set(ylabel="same arm again", ylim=(0, 1.05), xlim=(-0.5, 1.5))
    style.legend_below(
        made, [panels["values"], panels["better"]], 4 if wide else 2, int(better["seeds"].max()), spread="bands, bars"
    )
    return [panels["values"], panels["better"], panels["stay"]]


def _draw_values(axes: Axes, table: pd.DataFrame) -> None:
    arms = list(dict.fromkeys(table["arm"]))
    for k, (arm, colour) in enumerate(style.colours(arms).items()):
        mine = table[table["arm"] == arm]
        axes.plot(mine["trial"], mine["value"], color=colour, label=f"value of {style.shown(arm)}")
        axes.step(mine["trial"], mine["probability"], where="mid", color=style.dark(colour), linewidth=0.8,
                  linestyle=(0, (3, 2)))  # fmt: skip
        chosen = mine.loc[mine["chosen"], "trial"]
        axes.plot(chosen, np.full(len(chosen), 1.08 + 0.07 * k), ".", color=colour, markersize=2)
    axes.set(xlabel="training trials", ylabel="value (reward)", xlim=(0, table["trial"].max() + 1))
    low = min(0.0, float(table["value"].min()))
    axes.set_ylim(low - 0.03, 1.08 + 0.07 * len(arms))
