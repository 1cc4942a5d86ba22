"""What a prediction is: which trials teach a channel of an online readout, and how it is made of the readouts."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from izhires.declare import Component
from izhires.rules.base import EARLIER_NAMES

if TYPE_CHECKING:
    from izhires.model.model import Model


class Prediction(Component):
    """How the prediction of each channel, y_k(t), is made of the outputs of the readouts.

    Attributes
    ----------
    formula : str
        What `predict` computes, in words that the recordings' descriptions take: ``max(when, 0)``.
    target_trial : str
        Brian2 expression: 1 in trials that give a channel of an online readout a target to learn. It may read
        ``outcome``, 1 in trials that hold the channel's event.
    together : bool
        Whether the channels of an online readout learn in the same trials.
    source : str
        Citation.
    """

    family: ClassVar[str] = "prediction"
    package: ClassVar[str] = "izhires.predictions"
    earlier_texts: ClassVar[dict[str, str]] = EARLIER_NAMES

    formula: ClassVar[str] = ""
    target_trial: ClassVar[str]
    together: ClassVar[bool]
    source: ClassVar[str] = ""

    @abc.abstractmethod
    def predict(self, outputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the prediction.

        Parameters
        ----------
        outputs : mapping of str to array
            The output of each readout by its name: (probe, event) of one that reads once a trial, (probe, event, time)
            of one that reads online.

        Returns
        -------
        array, shape (probe, event, time)
        """

    def check(self, model: Model) -> None:
        """Refuse a model that this prediction cannot be made of.

        Raises
        ------
        ConfigurationError
        """
