"""Brian2's Cython runtime: compiled piece by piece when first used, run from Python."""

from __future__ import annotations

import importlib.util
from typing import ClassVar

from izhires.devices.base import Abilities, without
from izhires.devices.cpp import COMPILER, compiler
from izhires.devices.numpy import NumpyDevice


class CythonDevice(NumpyDevice):
    """Brian2's Cython runtime."""

    name: ClassVar[str] = "cython"
    summary: ClassVar[str] = "Brian2's Cython runtime, compiled piece by piece; for debugging beside a running Python"
    packages: ClassVar[dict[str, str]] = {"Cython": "pip install Cython"}
    abilities: ClassVar[Abilities] = Abilities(replicates=True, guard=True, python=True)
    step: ClassVar[float] = 0.0
    quick: ClassVar[bool] = False

    @classmethod
    def missing(cls) -> str:  # noqa: D102
        if importlib.util.find_spec("Cython") is None:
            return "the Python package 'Cython' is not installed"
        return without(cls.tools())

    @classmethod
    def tools(cls) -> dict[str, str]:  # noqa: D102
        return {compiler(): COMPILER}


DEVICE = CythonDevice
