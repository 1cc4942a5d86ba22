"""A neuromodulator that cells release."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import model_validator

from izhires.declare import parameter
from izhires.errors import ConfigurationError
from izhires.neuromodulators.base import Neuromodulator


class Spikes(Neuromodulator):
    """Released by the spikes of a population, as much by each: N cells at nu Hz hold it per_spike*N*nu*tau_decay up."""

    type: Literal["spikes"] = "spikes"
    release: str = parameter("0", "what is released besides, as a Brian2 expression", source="by choice")
    per_spike: float = parameter(0.01, "what the spike of one cell releases")

    source: ClassVar[str] = "volume transmission: Fuxe et al. (2010), doi 10.1016/j.pneurobio.2009.10.012"

    @model_validator(mode="after")
    def _has_cells(self) -> Spikes:
        if not self.cells:
            raise ConfigurationError("name the population whose spikes release it", "cells")
        return self
