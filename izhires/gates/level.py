"""The level of a neuromodulator as a gate."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import model_validator

from izhires.declare import parameter
from izhires.errors import ConfigurationError
from izhires.gates.base import Gate


class Level(Gate):
    """The level c of a neuromodulator, G_k = clip(gain*(c - reference), lowest, highest) for channels that learn.

    It is open to the channels that learn from the trial, and until the next trial begins, so that a level that comes
    late finds what an eligibility trace holds. With `lowest` below 0 a level below `reference` turns the sign of
    learning around.
    """

    type: Literal["level"] = "level"
    of: str = parameter("dopamine", "the neuromodulator, by its name in the model", source="by choice")
    gain: float = parameter(1.0, "how far a level of 1 opens it")
    reference: float = parameter(0.0, "level at which it is shut")
    lowest: float = parameter(0.0, "smallest opening")
    highest: float = parameter(1.0, "largest opening")

    expression: ClassVar[str] = "learning*target_trial*clip(gain*(level - reference), lowest, highest)"
    source: ClassVar[str] = (
        "third factors: Fremaux & Gerstner (2016), doi 10.3389/fncir.2015.00085; the kinetics are those of the "
        "neuromodulator"
    )

    def factors(self) -> dict[str, str]:  # noqa: D102
        return {"level": self.of}

    @model_validator(mode="after")
    def _ascends(self) -> Level:
        if self.lowest > self.highest:
            raise ConfigurationError(f"must be at most highest, {self.highest:g}, got {self.lowest:g}", "lowest")
        return self
