"""One readout for what and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from izhires.predictions.base import Prediction


class Merged(Prediction):
    """One readout for both, y_k(t) = max(z_k(t), 0), which learns in every trial; "what" learns beside it, unused."""

    type: Literal["merged"] = "merged"
    formula: ClassVar[str] = "max(when, 0)"
    source: ClassVar[str] = "this project: a control, one readout in the place of two"
    target_trial: ClassVar[str] = "1"
    together: ClassVar[bool] = True

    def predict(self, outputs: Mapping[str, np.ndarray]) -> np.ndarray:  # noqa: D102
        return np.maximum(outputs["when"], 0)
