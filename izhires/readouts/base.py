"""What a readout is: which trials teach a channel of "when", and how its prediction is made."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from izhires.declare import Component

if TYPE_CHECKING:
    from izhires.model import Model


class Readout(Component):
    """How the prediction of each channel is made of its timing and identity predictions z_k(t) and q_k.

    Attributes
    ----------
    formula : str
        What `predict` computes, in words that the recordings' descriptions take: ``max(when, 0)``.
    source : str
        Who proposed it.
    relevant : str
        Brian2 expression: 1 in trials whose outcome teaches a channel of "when". It may read ``outcome``, 1 in trials
        that hold the channel's event.
    together : bool
        Whether the channels of "when" learn in the same trials.
    """

    family: ClassVar[str] = "readout"
    package: ClassVar[str] = "izhires.readouts"

    formula: ClassVar[str] = ""
    source: ClassVar[str] = ""
    relevant: ClassVar[str]
    together: ClassVar[bool]

    @abc.abstractmethod
    def predict(self, what: np.ndarray, when: np.ndarray) -> np.ndarray:
        """Return the prediction.

        Parameters
        ----------
        what : array, shape (probe, event)
            Identity predictions q_k.
        when : array, shape (probe, event, time)
            Timing predictions z_k(t).

        Returns
        -------
        array, shape (probe, event, time)
        """

    def check(self, model: Model) -> None:
        """Refuse a model that this readout cannot use.

        Raises
        ------
        ConfigurationError
        """
