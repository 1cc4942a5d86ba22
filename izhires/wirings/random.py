"""Random synapses: a stated number onto each target, from each source, or each pair with a probability."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from izhires.declare import parameter
from izhires.errors import ConfigurationError
from izhires.wirings.base import Wiring, chosen_partners

AT_ONCE = 10_000_000
"""Pairs that are drawn together: all pairs of a large network do not fit into memory."""


def choices(
    ones: np.ndarray, others: np.ndarray, degree: int, same: bool, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw for each of `ones` so many different `others`; refuse more than there are."""
    there = len(others) - same
    if degree > there:
        raise ConfigurationError(f"{degree} cells asked for, only {there} there", "degree")
    return chosen_partners(ones, others, degree, same, rng)


class FixedInDegree(Wiring):
    """Every target has the same number of sources, drawn at random without repetition."""

    type: Literal["fixed_in_degree"] = "fixed_in_degree"
    degree: int = parameter(10, "sources of every target", ge=0)

    def draw(  # noqa: D102
        self, sources: np.ndarray, targets: np.ndarray, same: bool, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        target, source = choices(targets, sources, self.degree, same, rng)
        return source, target


class FixedOutDegree(Wiring):
    """Every source has the same number of targets, drawn at random without repetition."""

    type: Literal["fixed_out_degree"] = "fixed_out_degree"
    degree: int = parameter(10, "targets of every source", ge=0)

    def draw(  # noqa: D102
        self, sources: np.ndarray, targets: np.ndarray, same: bool, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        return choices(sources, targets, self.degree, same, rng)


class Probability(Wiring):
    """Every pair is connected with the same probability, independently.

    How many synapses there are differs between seeds, so that they cannot run as replicates.
    """

    type: Literal["probability"] = "probability"
    drawn: ClassVar[bool] = True
    p: float = parameter(0.1, "probability that a pair is connected", ge=0, le=1)

    def draw(  # noqa: D102
        self, sources: np.ndarray, targets: np.ndarray, same: bool, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        rows = max(1, AT_ONCE // max(1, len(targets)))
        source, target = [np.empty(0, int)], [np.empty(0, int)]
        for start in range(0, len(sources), rows):
            some = sources[start : start + rows]
            found = rng.random((len(some), len(targets))) < self.p
            if same:
                found &= some[:, None] != targets
            i, j = np.nonzero(found)
            source.append(some[i])
            target.append(targets[j])
        return np.concatenate(source), np.concatenate(target)
