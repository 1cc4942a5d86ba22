"""What x when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from izhires.declare import PAPER
from izhires.predictions.base import Prediction


class Factorised(Prediction):
    """what x when, y_k(t) = clip(q_k, 0, 1)*max(z_k(t), 0): the paper's; when learns only from its event's trials."""

    type: Literal["factorised"] = "factorised"
    formula: ClassVar[str] = "clip(what, 0, 1)*max(when, 0)"
    source: ClassVar[str] = PAPER
    target_trial: ClassVar[str] = "outcome"
    together: ClassVar[bool] = False

    def predict(self, outputs: Mapping[str, np.ndarray]) -> np.ndarray:  # noqa: D102
        return np.clip(outputs["what"], 0, 1)[..., None] * np.maximum(outputs["when"], 0)
