"""Template of a prediction, what is made of "what" and "when": ``--set prediction=my_prediction``."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from izhires.predictions.base import Prediction


class MyPrediction(Prediction):
    """The smaller of both, y_k(t) = min(q_k, z_k(t)), not below 0."""

    type: Literal["my_prediction"] = "my_prediction"
    formula: ClassVar[str] = "max(min(what, when), 0)"
    target_trial: ClassVar[str] = "outcome"  # "when" learns from the trials of its own event
    together: ClassVar[bool] = False  # each channel has its own trials
    source: ClassVar[str] = "this script"

    def predict(self, outputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the prediction in each probe, (probe, event, time)."""
        return np.maximum(np.minimum(outputs["what"][..., None], outputs["when"]), 0)
