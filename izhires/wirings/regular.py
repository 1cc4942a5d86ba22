"""Synapses that are not drawn: all pairs, or one partner for each cell."""

from __future__ import annotations

from typing import Literal

import numpy as np

from izhires.errors import ConfigurationError
from izhires.wirings.base import Wiring


class All(Wiring):
    """Every source is connected with every target."""

    type: Literal["all"] = "all"

    def draw(  # noqa: D102
        self, sources: np.ndarray, targets: np.ndarray, same: bool, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        source, target = np.repeat(sources, len(targets)), np.tile(targets, len(sources))
        keep = source != target if same else slice(None)
        return source[keep], target[keep]


class OneToOne(Wiring):
    """The first source with the first target, and so on; as many sources as targets, and not within a population."""

    type: Literal["one_to_one"] = "one_to_one"

    def draw(  # noqa: D102
        self, sources: np.ndarray, targets: np.ndarray, same: bool, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        if same:
            raise ConfigurationError("would connect each cell of a population with itself")
        if len(sources) != len(targets):
            raise ConfigurationError(f"{len(sources)} sources and {len(targets)} targets cannot be paired")
        return sources, targets
