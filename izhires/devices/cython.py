"""Brian2's Cython runtime: compiled piece by piece when first used, run from Python."""

from __future__ import annotations

import importlib.util
import shutil
from typing import ClassVar

from izhires.devices.cpp import compiler
from izhires.devices.numpy import NumpyDevice


class CythonDevice(NumpyDevice):
    """Brian2's Cython runtime."""

    name: ClassVar[str] = "cython"
    summary: ClassVar[str] = "Brian2's Cython runtime, compiled piece by piece; for debugging beside a running Python"

    @classmethod
    def missing(cls) -> str:  # noqa: D102
        if importlib.util.find_spec("Cython") is None:
            return "the Python package 'Cython' is not installed"
        if shutil.which(compiler()) is None:
            return f"{compiler()!r} is not on the PATH; install a C++ compiler (g++)"
        return ""


DEVICE = CythonDevice
