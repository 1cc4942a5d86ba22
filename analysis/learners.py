"""Learners that choose for themselves on the very payoffs that a network had: what its choices are measured against."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable, require

if TYPE_CHECKING:
    import xarray as xr

RATE, TEMPERATURE = 0.3, 0.2
"""Of the Rescorla-Wagner learner where the network's rule has no rate of its own. Assumed."""

AGENTS = 200
"""Learners whose mean is shown: each has other luck in its choices."""


@dataclass(frozen=True, eq=False)
class Bandit:
    """The training trials of a recording in which a network chose.

    Parameters
    ----------
    payoff : ndarray, (trial, arm)
        What each arm would have paid.
    block : ndarray, (trial,)
        Position among `blocks`.
    blocks : ndarray, (block,)
        Their numbers in the experiment.
    chance : ndarray, (block, arm)
        Probability of a reward of each arm.
    choice : ndarray, (trial,)
        Arm that the network chose.
    reward : ndarray, (trial,)
    value : ndarray, (trial, arm)
        The network's values before each choice.
    """

    payoff: np.ndarray
    block: np.ndarray
    blocks: np.ndarray
    chance: np.ndarray
    choice: np.ndarray
    reward: np.ndarray
    value: np.ndarray

    @classmethod
    def of_recording(cls, recording: xr.Dataset) -> Bandit:
        """Return the trials in which a choice was paid.

        Raises
        ------
        Unavailable
            If no readout chose.
        """
        require(recording, ["trial_choice", "trial_choice_reward", "trial_choice_value", "trial_payoff"])
        arms = selection.events(recording)
        table = selection.trials(recording)
        names = recording["trial_choice"].values.astype(str)
        rows = np.flatnonzero((table["kind"] == "train").to_numpy() & (names != ""))
        if not len(rows):
            raise Unavailable("needs trials in which a choice was paid")
        blocks, numbers = np.unique(table["block"].to_numpy()[rows], return_inverse=True)
        chance = np.array([[selection.probability(recording, int(b), arm) for arm in arms] for b in blocks])
        of_arm = {name: k for k, name in enumerate(arms)}
        of_each = ("trial_payoff", "trial_choice_value")
        payoff, value = (recording[name].transpose("trial", "event").values for name in of_each)
        choice = np.array([of_arm[name] for name in names[rows]])
        reward = recording["trial_choice_reward"].values[rows]
        return cls(payoff[rows], numbers, blocks, chance, choice, reward, value[rows])

    @property
    def best(self) -> np.ndarray:
        """Whether each arm is the best one of its block (or one of several), (trial, arm)."""
        found = self.chance == self.chance.max(axis=1, keepdims=True)
        return np.asarray(found[self.block])


def _readout(recording: xr.Dataset) -> dict[str, Any]:
    made = json.loads(recording.attrs.get("configuration", "{}"))
    found: dict[str, Any] = made.get("readouts", {}).get("choice", {})
    return found


def settings(recording: xr.Dataset) -> tuple[float, float]:
    """Return rate and temperature of the network's own readout, as far as its rule has them."""
    made = _readout(recording)
    return float(made.get("rule", {}).get("rate", RATE)), float(made.get("temperature", TEMPERATURE))


def distance_from_counter(recording: xr.Dataset, bandit: Bandit) -> float:
    """Return the root mean square of the network's values minus those of `yoked`, with the rate of the network's rule.

    Raises
    ------
    Unavailable
        If the network does not learn by a rule with one rate.
    """
    made = _readout(recording)
    if made.get("rule", {}).get("type") != "two_factor" or made.get("learning_blocks") is not None:
        raise Unavailable("needs a readout that learns throughout by the rule 'two_factor'")
    rate, _ = settings(recording)
    return float(np.sqrt(np.mean((bandit.value - yoked(bandit, rate)) ** 2)))


def rescorla_wagner(bandit: Bandit, rate: float, temperature: float, agents: int = AGENTS, seed: int = 0) -> np.ndarray:
    r"""Return the choices of learners of one value an arm, V_c \leftarrow V_c + rate*(r - V_c) of what was chosen.

    An arm is chosen with a probability in proportion to exp(V/temperature); with temperature 0 the largest value, the
    first of equal ones.

    Returns
    -------
    ndarray of int, (agent, trial)
    """
    rng = np.random.default_rng(seed)
    trials, arms = bandit.payoff.shape
    value, every = np.zeros((agents, arms)), np.arange(agents)
    found = np.empty((agents, trials), int)
    for trial in range(trials):
        chosen = (value + temperature * rng.gumbel(size=(agents, arms))).argmax(axis=1)
        value[every, chosen] += rate * (bandit.payoff[trial, chosen] - value[every, chosen])
        found[:, trial] = chosen
    return found


def yoked(bandit: Bandit, rate: float) -> np.ndarray:
    """Return the values of a Rescorla-Wagner learner that has the network's choices and rewards, (trial, arm)."""
    found, value = np.empty_like(bandit.payoff), np.zeros(bandit.payoff.shape[1])
    for trial, (chosen, reward) in enumerate(zip(bandit.choice, bandit.reward, strict=True)):
        found[trial] = value
        value[chosen] += rate * (reward - value[chosen])
    return found


def bayes(bandit: Bandit, agents: int = AGENTS, seed: int = 0) -> np.ndarray:
    """Return the choices of learners that know the arms' probabilities in every block, and infer which block it is.

    They know how often the probabilities switch, not when (a hidden Markov model), and choose the arm with the largest
    expected reward; of equal ones by chance. Nothing is tried out for what it tells.

    Returns
    -------
    ndarray of int, (agent, trial)

    Raises
    ------
    Unavailable
        If arms pay anything but 0 or 1.
    """
    if not np.isin(bandit.payoff, (0, 1)).all():
        raise Unavailable("needs rewards of 0 or 1")
    rng = np.random.default_rng(seed)
    tables = np.unique(bandit.chance, axis=0)
    many, (trials, arms) = len(tables), bandit.payoff.shape
    hazard = (len(bandit.chance) - 1) / max(1, trials - 1) if many > 1 else 0.0
    belief, every = np.full((agents, many), 1 / many), np.arange(agents)
    found = np.empty((agents, trials), int)
    for trial in range(trials):
        expected = belief @ tables
        ties = np.isclose(expected, expected.max(axis=1, keepdims=True))
        chosen = np.where(ties, rng.random((agents, arms)), -1.0).argmax(axis=1)
        won = bandit.payoff[trial, chosen]
        likely = tables[:, chosen].T
        belief = belief * np.where(won[:, None] == 1, likely, 1 - likely)
        total = belief.sum(axis=1, keepdims=True)
        belief = np.where(total > 0, belief / np.where(total > 0, total, 1), 1 / many)
        if many > 1:
            belief = (1 - hazard) * belief + hazard * (1 - belief) / (many - 1)
        found[every, trial] = chosen
    return found
