"""A bandit: after the cue one of several arms is chosen, which pays with a probability of its own; blocks reverse."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from izhires.declare import Declaration, Milliseconds, parameter
from izhires.errors import Complaint, ConfigurationError
from izhires.paradigms.base import MOST, FixedTrials, whole_milliseconds
from izhires.paradigms.checks import name_problems
from izhires.paradigms.experiment import CUE, Experiment, check_size

COOLS = "Cools et al. (2002), doi 10.1523/JNEUROSCI.22-11-04563.2002"
DAW = "Daw et al. (2006), doi 10.1038/nature04766"

Probability = Annotated[float, Field(ge=0, le=1)]


class ArmsOfCue(Declaration):
    """What the arms pay after one of several cues."""

    reward: dict[str, Probability] = parameter(
        ..., "probability of a reward of each arm, by its name", source="by choice"
    )
    share: float = parameter(1.0, "how often the cue comes, relative to the other cues of the block", gt=0)


class ArmsBlock(Declaration):
    """Trials in which the arms keep their probabilities."""

    trials: int = parameter(60, "number of training trials", source="assumed", ge=1, le=MOST)
    reward: dict[str, Probability] = parameter(
        {}, "probability of a reward of each arm, by its name", source="by choice"
    )
    cues: dict[str, ArmsOfCue] = parameter(
        {}, "cues by name, after each of which the arms pay with probabilities of their own; none: one cue"
    )

    @model_validator(mode="after")
    def _either(self) -> ArmsBlock:
        found = []
        if self.cues and self.reward:
            found.append(Complaint("cues", "each has rewards of its own; leave that of the block out"))
        if not self.cues and not self.reward:
            found.append(Complaint("reward", "has no arms"))
        found += [Complaint("cues", problem) for problem in name_problems(self.cues, "a cue")]
        found += [Complaint("reward", problem) for problem in name_problems(self.arms(), "an arm")]
        if found:
            raise ConfigurationError(found)
        return self

    def rewards(self) -> dict[str, dict[str, float]]:
        """Return the probability of a reward of each arm after each cue, by its name."""
        return {name: each.reward for name, each in self.cues.items()} if self.cues else {CUE: self.reward}

    def shares(self) -> np.ndarray:
        """Return the probability of each cue, in the order of `rewards`."""
        shares = np.array([each.share for each in self.cues.values()] or [1.0])
        return shares / shares.sum()

    def arms(self) -> tuple[str, ...]:
        """Return the names of the arms, in order of first appearance."""
        return tuple(dict.fromkeys(arm for rewards in self.rewards().values() for arm in rewards))


_BETTER, _WORSE = {"left": 0.8, "right": 0.2}, {"left": 0.2, "right": 0.8}
DEFAULT_BLOCKS = tuple(ArmsBlock(reward=each) for each in (_BETTER, _WORSE, _BETTER, _WORSE))


class Choice(FixedTrials):
    """A bandit with arms that pay with a probability of their own, reversed between blocks.

    The cue says that a choice is due; a readout of the network makes it at the end of the window (the type ``choice``,
    in `izhires.readouts.choice`), and the reward follows `reward_delay` later. What each arm would pay in each trial,
    0 or 1, is drawn beforehand, each arm on its own; an arm that is not chosen keeps nothing for later (no baiting).
    A block is followed by a probe of each of its cues, and so is the start.
    """

    source: ClassVar[str] = f"reversals, 80 to 20 percent: {COOLS}; bandit: {DAW}"

    type: Literal["choice"] = "choice"
    blocks: tuple[ArmsBlock, ...] = parameter(
        DEFAULT_BLOCKS, "the blocks, in order; at least one", source=f"80 to 20 percent: {COOLS}; lengths assumed"
    )
    trial_duration: Milliseconds = parameter("1200 ms", "length of a trial", gt=0)
    window: Milliseconds = parameter("600 ms", "time from the cue to the choice", ge=1)
    reward_delay: Milliseconds = parameter("200 ms", "time from the choice to its reward", ge=1)

    @model_validator(mode="after")
    def _arms_fit(self) -> Choice:
        found = [] if self.blocks else [Complaint("blocks", "needs at least one block, got none")]
        found += whole_milliseconds(self.reward_delay, "reward_delay")
        arms = self.arms()
        for index, block in enumerate(self.blocks):
            for cue, rewards in block.rewards().items():
                place = f"blocks[{index}].cues.{cue}.reward" if block.cues else f"blocks[{index}].reward"
                problem = "is required, since the arms are the same throughout"
                found += [Complaint(f"{place}.{arm}", problem) for arm in arms if arm not in rewards]
        if self.blocks and len(arms) < 2:
            found.append(Complaint("blocks[0].reward", f"needs two arms to choose between, got {', '.join(arms)}"))
        due = self.cue_onset + self.window + self.reward_delay
        if due >= self.trial_duration:
            problem = (
                f"{self.trial_duration:g} ms is too short for cue_onset {self.cue_onset:g} ms + "
                f"window {self.window:g} ms + reward_delay {self.reward_delay:g} ms = {due:g} ms"
            )
            found.append(Complaint("trial_duration", problem))
        if found:
            raise ConfigurationError(found)
        return self

    def arms(self) -> tuple[str, ...]:
        """Return the names of the arms, in order of first appearance."""
        return tuple(dict.fromkeys(arm for block in self.blocks for arm in block.arms()))

    def cues(self) -> tuple[str, ...]:
        """Return the names of the cues, in order of first appearance."""
        return tuple(dict.fromkeys(cue for block in self.blocks for cue in block.rewards()))

    def experiment(self, rng: np.random.Generator, variant: str = "") -> Experiment:
        """Draw the cues and what every arm would pay; see `Paradigm.experiment`."""
        self.check_variant(variant)
        self.check_generator(rng)
        arms, cues, delay = self.arms(), self.cues(), (self.window + self.reward_delay) / 1e3
        of_block = [tuple(block.rewards()) for block in self.blocks]
        many = self.warm_up + len(of_block[0])
        many += sum(block.trials + len(heard) for block, heard in zip(self.blocks, of_block, strict=True))
        check_size(many, many * self.trial_duration / 1e3)
        rows = [(0, of_block[0][k % len(of_block[0])], "warm-up") for k in range(self.warm_up)]
        rows += [(0, cue, "probe") for cue in of_block[0]]
        pays = [np.full((len(rows), len(arms)), np.nan)]
        for index, block in enumerate(self.blocks):
            rewards = block.rewards()
            chances = np.array([[rewards[cue][arm] for arm in arms] for cue in rewards])
            heard = rng.choice(len(rewards), size=block.trials, p=block.shares())
            pays.append((rng.random((block.trials, len(arms))) < chances[heard]).astype(float))
            pays.append(np.full((len(rewards), len(arms)), np.nan))
            rows += [(index, of_block[index][k], "train") for k in heard]
            rows += [(index, cue, "probe") for cue in rewards]
        trials = pd.DataFrame(rows, columns=["block", "cue_name", "kind"]).assign(event="", latency=np.nan)
        outcomes = pd.DataFrame(
            [
                (index, arm, delay, chance, cue)
                for index, block in enumerate(self.blocks)
                for cue, each in block.rewards().items()
                for arm, chance in each.items()
            ],
            columns=["block", "event", "latency", "probability", "cue_name"],
        )
        return self.lay_out(
            trials,
            outcomes,
            events=arms,
            cues=cues,
            variant=variant,
            payoffs=pd.DataFrame(np.concatenate(pays), columns=list(arms)),
            reward_delay=self.reward_delay / 1e3,
        )
