"""A plan: every Brian2 text, and the shape of every number apart from them.

The texts decide what is compiled; the numbers are handed to the compiled program at each run. So one build serves
every seed and every parameter value, and a plan can be made, printed and compared on a machine without Brian2.

A plan is a list of parts (`izhires.building.parts`). Each declaration makes its own, through a draft
(`izhires.building.draft`).
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from izhires.building.parts import Group, Monitor, Part, Pathway, Update, from_dict, to_dict
from izhires.errors import check_known

P = TypeVar("P", bound=Part)

INDICES = ("i", "j")
"""Numbers of a pathway that are members of groups."""


@dataclass(frozen=True)
class Plan:
    """Everything that decides what is compiled.

    Parameters
    ----------
    cell_step, readout_step : float
        Time steps, s.
    steps : int
        Length of the experiment in readout steps.
    parts : tuple of Part
        What the network is made of.
    shapes : dict of str to (dtype, shape)
        Of each number or array that a run hands over, by ``part.variable``.
    replicates : int
        Networks of this size that run as one, side by side and unconnected; see
        `izhires.building.replicates.combine`.
    precision : {"double", "single"}
        Of the network's numbers; times are double ones either way.
    """

    cell_step: float
    readout_step: float
    steps: int
    parts: tuple[Part, ...]
    shapes: dict[str, tuple[str, tuple[int, ...]]]
    replicates: int = 1
    precision: str = "double"

    @property
    def duration(self) -> float:
        """Length of the experiment, s."""
        return self.steps * self.readout_step

    @property
    def cells(self) -> int:
        """Number of cells that spike, in one network."""
        return sum(each.size for each in self.of(Group) if each.threshold)

    @cached_property
    def _by_name(self) -> dict[str, Part]:
        return {part.name: part for part in self.parts}

    def part(self, name: str) -> Any:
        """Return a part by its name.

        Raises
        ------
        ConfigurationError
            If there is none.
        """
        check_known(name, self._by_name, "part", "")
        return self._by_name[name]

    def of(self, kind: type[P]) -> list[P]:
        """Return all parts of a kind, in order."""
        return [part for part in self.parts if isinstance(part, kind)]

    def changed(self, *parts: Part) -> Plan:
        """Return a plan with some parts in the place of those of their names."""
        new = {part.name: part for part in parts}
        return replace(self, parts=tuple(new.get(part.name, part) for part in self.parts))

    def rows(self, monitor: Monitor) -> int:
        """Return how many rows a monitor of every so many steps records."""
        steps = self.steps if monitor.step == "readout" else round(self.duration / self.cell_step)
        return -(-steps // monitor.every)

    def columns(self, monitor: Monitor) -> int:
        """Return how many elements a monitor records of one network."""
        return self.length(monitor.of) if monitor.elements is None else len(monitor.elements)

    def length(self, name: str) -> int:
        """Return how many members a group, or synapses a pathway, has in one network."""
        listed = {key: math.prod(shape) for key, (_, shape) in self.shapes.items() if key.endswith(".i")}
        return length(self._by_name, listed, name) // (self.replicates if f"{name}.i" in listed else 1)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, from which `from_dict` makes an equal plan."""
        return {**self._numbers(), "parts": [to_dict(part) for part in self.parts]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Plan:
        """Return the plan of plain data."""
        shapes = {name: (dtype, tuple(shape)) for name, (dtype, shape) in data["shapes"].items()}
        return cls(**{**data, "parts": tuple(map(from_dict, data["parts"])), "shapes": shapes})

    def _numbers(self) -> dict[str, Any]:
        names = ("cell_step", "readout_step", "steps", "shapes", "replicates", "precision")
        return {name: getattr(self, name) for name in names}

    def drawn(self) -> dict[str, int]:
        """Return how many synapses each pathway has here of which that is drawn; none where several networks run as
        one.
        """
        return {part.name: self.length(part.name) for part in self.of(Pathway) if part.drawn and self.replicates == 1}

    def with_numbers_drawn(self, numbers: Mapping[str, int]) -> Plan:
        """Return a plan with other numbers of synapses, by name of the pathway."""
        found = dict(self.shapes)
        for name, (dtype, shape) in self.shapes.items():
            owner = name.split(".")[0]
            if owner in numbers and shape:  # not what all synapses share
                found[name] = dtype, (numbers[owner],)
        return replace(self, shapes=found)

    def fingerprint(self) -> str:
        """Return a hash of the whole plan but for numbers of synapses that are drawn: equal for all seeds."""
        plan = self.with_numbers_drawn(dict.fromkeys(self.drawn(), 0))
        return hashlib.sha256(json.dumps(plan.to_dict(), sort_keys=True).encode()).hexdigest()[:20]

    def _repr_html_(self) -> str:
        from izhires.display import of_plan

        return of_plan(self)

    def __str__(self) -> str:
        lines = [f"{self.cells} cells, {self.duration:g} s"]
        for part in self.parts:
            lines += [f"{part.name}.{role}:\n{text.rstrip()}" for role, text in part.texts.items()]
        return "\n".join(lines)


def length(parts: Mapping[str, Part], listed: Mapping[str, int], name: str) -> int:
    """Return the size of a group or pathway; `listed` holds the numbers of synapses that are given one by one."""
    part = parts[name]
    if isinstance(part, Group):
        return part.size
    assert isinstance(part, Pathway)
    if part.wiring == "listed":
        return listed[f"{name}.i"]
    return length(parts, listed, part.source) * length(parts, listed, part.target) * part.count


def mentions(name: str, *texts: str) -> bool:
    """Whether one of some Brian2 texts has this name."""
    return any(re.search(rf"\b{name}\b", text) for text in texts)


def rewritten(part: Part, rewrite: Any) -> Part:
    """Return a part whose texts were rewritten by ``rewrite(text)``."""
    if isinstance(part, Group):
        events = {name: replace(each, condition=rewrite(each.condition).strip()) for name, each in part.events.items()}
        texts = {name: rewrite(getattr(part, name)) for name in ("equations", "threshold", "reset")}
        return replace(part, **{**texts, "threshold": texts["threshold"].strip()}, events=events)
    if isinstance(part, Pathway):
        reactions = {name: replace(each, code=rewrite(each.code)) for name, each in part.reactions.items()}
        return replace(part, equations=rewrite(part.equations), reactions=reactions)
    if isinstance(part, Update):
        return replace(part, code=rewrite(part.code))
    return part


def shapes(arrays: dict[str, np.ndarray]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return type and shape of each array, as `Plan.shapes` holds them."""
    return {name: (array.dtype.str, array.shape) for name, array in arrays.items()}
