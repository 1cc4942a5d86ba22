"""Standalone C++ as Brian2 writes it, to compare with."""

from __future__ import annotations

from typing import ClassVar, Self

from izhires.devices.base import Abilities
from izhires.devices.cpp import CppDevice


class PlainDevice(CppDevice):
    """Standalone C++ with Brian2's templates only."""

    name: ClassVar[str] = "plain"
    summary: ClassVar[str] = "standalone C++ with Brian2's templates only, several times slower; to compare with"
    templates = "plain"
    abilities: ClassVar[Abilities] = Abilities(
        repeats=True, replicates=True, memory=True, profile=True, single=True, export=True
    )
    cell_step: ClassVar[float] = 20e-9

    def profiled(self) -> Self:  # noqa: D102
        self.templates = "timed"  # but for the loop over time, which in Brian2's own cannot tell
        return self


DEVICE = PlainDevice
