"""No recurrence at all: the control that shows what recurrence adds."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import model_validator

from izhires.circuits.base import Reservoir, Synapses
from izhires.declare import Drive, parameter
from izhires.errors import check_ascends
from izhires.model.population import cue_to_a_share
from izhires.model.seeds import Seeds

NONE = Synapses(np.empty(0, int), np.empty(0, int), np.empty(0), np.empty(0))


class Unconnected(Reservoir):
    """The cells of the sequence without a single synapse, retuned to the same mean rate: a control for recurrence.

    The cue reaches a share of the cells, since without synapses it would otherwise reach one group only.
    """

    type: Literal["unconnected"] = "unconnected"
    cue_share: float = parameter(0.8, "share of cells that the cue reaches", ge=0, le=1)
    cue_strength: tuple[Drive, Drive] = parameter(("0 mV/ms", "30 mV/ms"), "range of the drive while the cue is on")

    @model_validator(mode="after")
    def _ranges(self) -> Unconnected:
        check_ascends(self.cue_strength, "cue_strength")
        return self

    def draw_synapses(self, rng: np.random.Generator) -> tuple[Synapses, Synapses]:  # noqa: D102
        return NONE, NONE

    def draw_cue(self, rng: np.random.Generator, seeds: Seeds) -> np.ndarray:  # noqa: D102
        return cue_to_a_share(self.n, self.cue_share, self.cue_strength, rng)
