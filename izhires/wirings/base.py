"""What a wiring is: it draws which cells of one population are connected with which of another."""

from __future__ import annotations

import abc
from typing import ClassVar

import numpy as np

from izhires.declare import Component


class Wiring(Component):
    """Draws the synapses of a connection.

    Attributes
    ----------
    drawn : bool
        Whether how many synapses there are is drawn, too, and differs between seeds.
    """

    family: ClassVar[str] = "wiring"
    package: ClassVar[str] = "izhires.wirings"
    source: ClassVar[str] = ""
    drawn: ClassVar[bool] = False

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


def lognormal(mean: float, spread: float, size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw weights of one sign with the given mean: mean*exp(spread*x - spread^2/2), x standard normal."""
    return mean * np.exp(spread * rng.standard_normal(size) - spread**2 / 2)


def chosen_partners(
    ones: np.ndarray, others: np.ndarray, degree: int, same: bool, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw for each of `ones` so many different `others`.

    Parameters
    ----------
    ones, others : array of int
    degree : int
    same : bool
        Whether both are cells of one population; then no cell is drawn for itself.
    rng : numpy.random.Generator

    Returns
    -------
    one, other : array of int, shape (len(ones)*degree,)
    """
    if degree == 0 or len(ones) == 0:
        return np.empty(0, int), np.empty(0, int)
    drawn = [rng.choice(others[others != one] if same else others, degree, replace=False) for one in ones]
    return np.repeat(ones, degree), np.concatenate(drawn)
