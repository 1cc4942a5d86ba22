"""Further variables of a recording: any variable of any part of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from izhires.building.parts import Extension, Group, Monitor, Pathway
from izhires.declare import Declaration, Milliseconds, parameter
from izhires.errors import ConfigurationError, closest
from izhires.model.variables import read
from izhires.units import symbol

if TYPE_CHECKING:
    from izhires.building.draft import Draft
    from izhires.readouts.base import RecordedVariable
    from izhires.recordings.recording import Results


class Record(Declaration):
    """One variable of one part, of chosen elements, every so often.

    A recording has it as ``PART_VARIABLE``, with the dimensions ``PART_VARIABLE_time`` (s from the start of the
    experiment) and ``PART_VARIABLE_element``; where the recording has that name without being asked, as the level of
    a neuromodulator in each probe, as ``kept_PART_VARIABLE``.
    """

    of: str = parameter(
        ..., "the part: a group or pathway of the plan, as 'cells' or 'when_weights'", source="by choice"
    )
    variable: str = parameter(..., "a variable of its equations", source="by choice")
    elements: tuple[int, ...] | None = parameter(None, "which elements; all when 'none'", source="by choice")
    every: Milliseconds = parameter("1 ms", "time between two samples", source="by choice", gt=0)

    @property
    def name(self) -> str:
        """Name in a recording."""
        return f"{self.of}_{self.variable}"

    def parts(self, draft: Draft) -> None:
        """Add the monitor.

        Raises
        ------
        ConfigurationError
            If there is no such part, variable or element, or the interval is no multiple of the part's steps.
        """
        part = draft.parts.get(self.of)
        extended = any(isinstance(each, Extension) for each in draft.parts.values())
        fitting = [name for name, each in draft.parts.items() if isinstance(each, Group | Pathway)]
        if self.of in fitting:
            assert part is not None
            known = _recordable(part.texts["equations"])
            if self.variable not in known:
                problem = f"{self.of!r} has no variable {self.variable!r}{closest(self.variable, known)}"
                raise ConfigurationError(problem, "variable", known)
            size = draft.length(self.of)
            if wrong := [each for each in self.elements or () if not 0 <= each < size]:
                problem = f"{self.of!r} has the elements 0 to {size - 1}, got {wrong[0]}"
                raise ConfigurationError(problem, "elements")
        elif not extended:
            raise ConfigurationError(f"there is no part {self.of!r}{closest(self.of, fitting)}", "of", fitting)
        elif self.elements is None:
            raise ConfigurationError("name the elements of a part that an extension adds", "elements")
        lengths = {"readout": draft.step * 1e3, "cells": draft.model.time_step}
        fitting = [name for name, length in lengths.items() if _divides(length, self.every)]
        if not fitting:
            problem = f"must be a multiple of the cells' step, {lengths['cells']:g} ms, got {self.every:g} ms"
            raise ConfigurationError(problem, "every")
        step = fitting[0]
        monitor = Monitor(
            f"record_{self.name}",
            self.of,
            (self.variable,),
            every=round(self.every / lengths[step]),
            step=step,  # type: ignore[arg-type]
            elements=self.elements,
        )
        draft.add(monitor)

    def variables(self, results: Results) -> dict[str, RecordedVariable]:
        """Return what a recording keeps."""
        from izhires.readouts.base import RecordedVariable

        monitor = f"record_{self.name}"
        values, times = results.outputs[f"{monitor}.{self.variable}"], results.outputs[f"{monitor}.t"]
        try:
            equations = results.plan.part(self.of).texts["equations"]
        except ConfigurationError:  # an extension's, whose equations nobody knows here
            equations = ""
        known = _recordable(equations)
        own = results.units.get(f"{monitor}.{self.variable}", "SI")
        unit = symbol(known[self.variable]) if self.variable in known else own
        elements = np.arange(values.shape[1]) if self.elements is None else np.array(self.elements)
        dims = (f"{self.name}_time", f"{self.name}_element")
        return {
            self.name: RecordedVariable(dims, values, unit, f"{self.variable} of {self.of}"),
            dims[0]: RecordedVariable(dims[:1], times, "s", "time from the start of the experiment"),
            dims[1]: RecordedVariable(dims[1:], elements, "1", f"element of {self.of}"),
        }


def _divides(step: float, interval: float) -> bool:
    return interval / step >= 1 - 1e-9 and abs(interval / step - round(interval / step)) < 1e-9


def _recordable(equations: str) -> dict[str, str]:
    """Return the variables that each member has, with their units; what all share is no element's."""
    return {name: each.unit for name, each in read(equations).items() if "shared" not in each.flags}
