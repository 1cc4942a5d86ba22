"""What a network chose: how often the better arm, after a win and a loss, and how soon after a reversal."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from izhires.analysis.declared import Unavailable
from izhires.analysis.learners import (
    AGENTS,
    RATE,
    TEMPERATURE,
    Bandit,
    bayes,
    distance_from_counter,
    rescorla_wagner,
    settings,
)
from izhires.analysis.metrics.base import Item, Row, metric
from izhires.analysis.statistics import ANY, POSITIVE, SHARE

if TYPE_CHECKING:
    import xarray as xr

RUN, OF_RUN = 10, 8
"""Criterion: so many trials in a row, of which at least so many with the better arm."""

NEEDS = ("trial_choice", "trial_choice_reward", "trial_choice_value", "trial_payoff")
LEARNERS = (
    f"rescorla_wagner: {AGENTS} learners with softmax on the same payoffs, rate and temperature those of the network's "
    f"readout ({RATE:g} and {TEMPERATURE:g} where it has none); bayes: as many that know the arms' probabilities in "
    "all blocks and how often these switch, not when, and choose what they expect most of"
)
SOURCE = (
    "this project; learner: Rescorla & Wagner 1972; softmax: Daw et al. 2006, doi 10.1038/nature04766; "
    "inference of the block: Hampton et al. 2006, doi 10.1523/JNEUROSCI.1010-06.2006"
)


def learners(recording: xr.Dataset, bandit: Bandit) -> dict[str, np.ndarray]:
    """Return the choices of each kind of learner, (agent, trial); the network's are those of one agent."""
    found = {"": bandit.choice[None], "rescorla_wagner": rescorla_wagner(bandit, *settings(recording))}
    with contextlib.suppress(Unavailable):
        found["bayes"] = bayes(bandit)
    return found


def of_the_better(bandit: Bandit, choices: np.ndarray) -> np.ndarray:
    """Return whether each choice was that of a best arm of its block, (agent, trial)."""
    return np.asarray(bandit.best[np.arange(choices.shape[1]), choices])


def to_criterion(better: np.ndarray) -> np.ndarray:
    """Return how many trials come before the first run of `RUN` of which `OF_RUN` are right, (agent,); inf: none does.

    Parameters
    ----------
    better : ndarray of bool, (agent, trial)
    """
    if better.shape[1] < RUN:
        return np.full(len(better), np.inf)
    met = np.lib.stride_tricks.sliding_window_view(better, RUN, axis=1).sum(axis=2) >= OF_RUN
    return np.where(met.any(axis=1), met.argmax(axis=1), np.inf)


def stays(choices: np.ndarray, bandit: Bandit) -> tuple[np.ndarray, np.ndarray]:
    """Return how often an arm was chosen again after a win, and another one after a loss, (agent,); NaN for never."""
    won = bandit.payoff[np.arange(choices.shape[1]), choices][:, :-1] > 0
    same, within = choices[:, 1:] == choices[:, :-1], bandit.block[1:] == bandit.block[:-1]
    wins, losses = won & within, ~won & within
    with np.errstate(invalid="ignore"):
        return (wins & same).sum(axis=1) / wins.sum(axis=1), (losses & ~same).sum(axis=1) / losses.sum(axis=1)


def _beside(about: str, unit: str | None = None) -> dict[str, Item]:
    return {
        "": Item(about, unit),
        "rescorla_wagner": Item(f"{about}: Rescorla-Wagner learner", unit),
        "bayes": Item(f"{about}: learner that infers the block", unit),
    }


@metric(
    "better_choices",
    unit="1",
    within=SHARE,
    description="share of trials in which the better arm was chosen",
    definition=f"training trials of a block; late: second half of the block; chance: of a choice at random; {LEARNERS}",
    source=SOURCE,
    worst="lowest",
    needs=NEEDS,
    parts={
        **_beside("choices of the better arm"),
        "late": Item("choices of the better arm in the second half of the block"),
        "late_rescorla_wagner": Item("in the second half: Rescorla-Wagner learner"),
        "late_bayes": Item("in the second half: learner that infers the block"),
        "chance": Item("choices of the better arm at random", interval=False),
        "reward": Item("reward a trial", within=ANY),
        "most": Item("probability of a reward of the better arm", interval=False),
    },
)
def better_choices(recording: xr.Dataset) -> Iterator[Row]:
    """Choices of the better arm in each block."""
    bandit = Bandit.of_recording(recording)
    better = {name: of_the_better(bandit, each) for name, each in learners(recording, bandit).items()}
    for place, block in enumerate(bandit.blocks):
        rows = np.flatnonzero(bandit.block == place)
        late = rows[len(rows) // 2 :]
        for name, each in better.items():
            yield Row(float(each[:, rows].mean()), name, int(block))
            yield Row(float(each[:, late].mean()), f"late_{name}" if name else "late", int(block))
        yield Row(float(bandit.best[rows].mean()), "chance", int(block))
        yield Row(float(bandit.reward[rows].mean()), "reward", int(block))
        yield Row(float(bandit.chance[place].max()), "most", int(block))


@metric(
    "reversal",
    unit="trials",
    within=POSITIVE,
    description="trials of a block before the better arm is chosen reliably",
    definition=(
        f"training trials before the first {RUN} in a row of which {OF_RUN} or more are choices of the better arm; "
        f"infinite when no run of the block is; of learners the median; {LEARNERS}"
    ),
    source=SOURCE,
    worst="highest",
    needs=NEEDS,
    parts=_beside("trials to the criterion"),
)
def reversal(recording: xr.Dataset) -> Iterator[Row]:
    """Trials to the criterion in each block: the first is acquisition, the others are reversals."""
    bandit = Bandit.of_recording(recording)
    for name, each in learners(recording, bandit).items():
        better = of_the_better(bandit, each)
        for place, block in enumerate(bandit.blocks):
            yield Row(float(np.median(to_criterion(better[:, bandit.block == place]))), name, int(block))


@metric(
    "win_stay",
    unit="1",
    within=SHARE,
    description="how often an arm was chosen again after it paid, and another one after it did not",
    definition=f"pairs of successive training trials of one block; stay after a reward, shift after none; {LEARNERS}",
    source=f"{SOURCE}; win-stay, lose-shift: Nowak & Sigmund 1993, doi 10.1038/364056a0",
    needs=NEEDS,
    parts={
        **_beside("same choice after a win"),
        "lose_shift": Item("other choice after a loss"),
        "lose_shift_rescorla_wagner": Item("other choice after a loss: Rescorla-Wagner learner"),
        "lose_shift_bayes": Item("other choice after a loss: learner that infers the block"),
    },
)
def win_stay(recording: xr.Dataset) -> Iterator[Row]:
    """Stay after a win and shift after a loss, over the whole recording."""
    bandit = Bandit.of_recording(recording)
    for name, each in learners(recording, bandit).items():
        stay, shift = (np.nan if np.isnan(found).all() else float(np.nanmean(found)) for found in stays(each, bandit))
        yield Row(stay, name, note="" if np.isfinite(stay) else "no win was followed by a trial of its block")
        part = f"lose_shift_{name}" if name else "lose_shift"
        yield Row(shift, part, note="" if np.isfinite(shift) else "no loss was followed by a trial of its block")


@metric(
    "choice_values",
    unit="1",
    within=POSITIVE,
    description="how far the network's values are from those of a counter without any network",
    definition=(
        "root mean square of trial_choice_value minus the values of a Rescorla-Wagner learner that has the network's "
        "own choices and rewards, and the rate of its rule; deviation: standard deviation of trial_choice_value over "
        "all trials and arms. Where the first is far below the second, the readout is a counter, and the cells play no "
        "part in it"
    ),
    needs=NEEDS,
    parts={"": Item("distance from a counter"), "deviation": Item("standard deviation of the values")},
)
def choice_values(recording: xr.Dataset) -> Iterator[Row]:
    """Distance of the values from a counter that saw the same."""
    bandit = Bandit.of_recording(recording)
    yield Row(distance_from_counter(recording, bandit))
    yield Row(float(bandit.value.std()), "deviation")
