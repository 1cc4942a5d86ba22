"""Standalone C++ as Brian2 writes it, to compare with."""

from __future__ import annotations

from typing import ClassVar

from izhires.devices.cpp import CppDevice


class PlainDevice(CppDevice):
    """Standalone C++ with Brian2's templates only."""

    name: ClassVar[str] = "plain"
    summary: ClassVar[str] = "standalone C++ with Brian2's templates only, several times slower; to compare with"
    templates = "plain"


DEVICE = PlainDevice
