"""Cells of a user's own equations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from pydantic import field_validator, model_validator

from izhires.cells.base import CURRENTS, TRACE, Tabled
from izhires.declare import Millivolts, parameter
from izhires.errors import ConfigurationError, closest
from izhires.model.variables import read, units
from izhires.quantities import as_text, quantity, unit

NUMBERS = ("integer", "boolean")

TAKEN = (
    "w", "drive", "bias", "cue_weight", "cue_duration", "noise", "tau_fast", "tau_slow", "tau_inhibitory",
    "slow_fraction", "tau_trace", "feedback", "noise_seed", "gaussian", "replicate",
)  # fmt: skip
"""Names that are something else in every population, or in the synapses onto its cells."""


class OwnEquations(Tabled):
    """Equations, threshold, reset and types of one's own; the parameters are the (constant) variables of the equations.

    ``v : volt`` is the membrane potential, and ``I`` the current of the synapses over the capacitance. What the
    equations leave out of it is added: the currents ``I_fast``, ``I_slow``, ``I_inhibitory`` with their sum and the
    drive, ``I``; and the trace ``r`` with what a spike adds to it.
    """

    type: Literal["equations"] = "equations"
    initial: dict[str, float | str] = parameter(
        {}, "value of a variable at the start, with its unit; 0 for those left out, v is required", source="by choice"
    )
    spread_of_start: Millivolts = parameter("5 mV", "standard deviation of v among the cells at the start", ge=0)

    @model_validator(mode="before")
    @classmethod
    def _filled_in(cls, data: Any) -> Any:
        """Add the currents and the trace where the equations have none; one type alone has all cells."""
        if not isinstance(data, dict):
            return data
        found = dict(data)
        equations, reset = found.get("equations"), found.get("reset", "")
        if isinstance(equations, str):
            known = units(equations)
            lines = [line for line in CURRENTS.strip().splitlines() if _name(line) not in known]
            if "I" in known:  # a user's own sum needs no more than what it names
                lines = [line for line in lines if re.search(rf"\b{_name(line)}\b", equations) or _name(line) == "r"]
            if lines:
                found["equations"] = "\n".join([equations.rstrip(), *lines]) + "\n"
        if isinstance(reset, str) and not re.search(r"(?m)(^|;)\s*r\s*\+?=", reset):
            found["reset"] = f"{reset.rstrip()}\n{TRACE}".lstrip()
        types = found.get("types")
        if isinstance(types, dict) and len(types) == 1 and "composition" not in found:
            found["composition"] = dict.fromkeys(types, 1.0)
        return found

    @field_validator("initial", mode="before")
    @classmethod
    def _quantities_as_text(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return {name: as_text(each) if hasattr(each, "in_unit") else each for name, each in values.items()}

    @field_validator("equations", "threshold", "types")
    @classmethod
    def _given(cls, value: Any) -> Any:
        if not value or (isinstance(value, str) and not value.strip()):
            raise ConfigurationError("is required")
        return value

    @model_validator(mode="after")
    def _complete(self) -> OwnEquations:
        known, given = units(self.equations), read(self.equations)
        for name in TAKEN:
            if name in known:
                raise ConfigurationError(
                    f"{name!r} is something else here; give the variable another name", "equations"
                )
        for name, wanted, what in (("v", "volt", "the membrane potential"), ("r", "Hz", "the trace of the spikes")):
            if name not in known:
                raise ConfigurationError(f"there is no variable {name!r}, {what} ({wanted})", "equations")
            if unit(known[name])[1] != unit(wanted)[1]:
                raise ConfigurationError(f"{name!r} is {what}, in {wanted}, got {known[name]}", "equations")
        if "v" not in self.initial:
            raise ConfigurationError("is required", "initial.v")
        changing = {
            name: each
            for name, each in known.items()
            if name not in self.parameters()
            and (not given[name].reckoned or re.search(rf"\bd{name}\s*/\s*dt\b", self.equations))
        }
        for name, value in self.initial.items():
            if name not in changing:
                problem = f"the equations have no such variable{closest(name, changing)}"
                raise ConfigurationError(problem, f"initial.{name}", changing)
            try:
                quantity(value, changing[name])
            except ValueError as error:
                raise ConfigurationError(str(error), f"initial.{name}") from None
        return self

    def parameters(self) -> dict[str, str]:
        """Return the (constant) variables of the equations, each with its unit."""
        given = read(self.equations)
        found = {
            name: each
            for name, each in units(self.equations).items()
            if "constant" in given[name].flags and not given[name].reckoned
        }
        for name, each in found.items():
            if each in NUMBERS:
                problem = f"{name!r} is {each}, a parameter is a real number: give its unit, or 1"
                raise ConfigurationError(problem, "equations")
            try:
                unit(each)
            except ValueError:
                raise ConfigurationError(f"{name!r} has no unit that is known, {each!r}", "equations") from None
        return found

    def start(self, values: Mapping[str, np.ndarray], n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Begin at `initial`, v with a spread."""
        known = units(self.equations)
        found = {}
        for name, value in self.initial.items():
            number = np.full(n, quantity(value, known[name]) * unit(known[name])[0])
            found[name] = number.astype(np.int32) if known[name] == "integer" else number
        return {**found, "v": found["v"] + self.spread_of_start * 1e-3 * rng.standard_normal(n)}


def _name(line: str) -> str:
    return next(iter(read(line)))
