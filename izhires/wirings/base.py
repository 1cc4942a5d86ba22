"""What a wiring is: it draws which cells of one population are connected with which of another."""

from __future__ import annotations

import abc
from typing import ClassVar

import numpy as np

from izhires.declare import Component


class Wiring(Component):
    """Draws the synapses of a connection."""

    family: ClassVar[str] = "wiring"
    package: ClassVar[str] = "izhires.wirings"
    source: ClassVar[str] = ""

    @abc.abstractmethod
    def draw(
        self, sources: np.ndarray, targets: np.ndarray, same: bool, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw synapses.

        Parameters
        ----------
        sources, targets : array of int
            The cells that there are to choose from.
        same : bool
            Whether both are cells of one population; then no cell has a synapse onto itself.
        rng : numpy.random.Generator

        Returns
        -------
        source, target : array of int
            A cell each for every synapse.

        Raises
        ------
        ConfigurationError
            If there are not as many cells as it asks for.
        """
