"""Template of a wiring, which cells of two populations are connected: ``wiring = "my_wiring"`` of a connection."""

from typing import Literal

import numpy as np

from izhires.declare import parameter
from izhires.wirings.base import Wiring


class MyWiring(Wiring):
    """A ring: every source with the next few targets, by number."""

    type: Literal["my_wiring"] = "my_wiring"
    neighbours: int = parameter(3, "targets of a source", source="assumed", ge=1)

    def draw(
        self, sources: np.ndarray, targets: np.ndarray, same: bool, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return source and target of each synapse."""
        steps = np.arange(1, self.neighbours + 1)
        place = (np.arange(len(sources))[:, None] + steps) % len(targets)
        return np.repeat(sources, self.neighbours), targets[place.ravel()]
