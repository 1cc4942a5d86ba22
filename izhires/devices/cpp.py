"""Standalone C++ through Brian2: two units, what runs every step and what runs once, each with the optimisation it
needs.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

import numpy as np

from izhires.devices.base import noise_seed
from izhires.devices.standalone import StandaloneDevice, StandaloneProgram
from izhires.errors import ToolchainError
from izhires.plan import Plan

FLAGS = ["-std=c++17", "-w", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-I."]
# GCC gives up on the loop over the cells unless it may check this many pointers for overlap; clang does not know the
# option
HOT_FLAGS = ["-O3"]
GCC_HOT_FLAGS = ["--param=vect-max-version-for-alias-checks=1000"]
COLD_FLAGS = ["-O1"]

MAKEFILE = """\
MAKEFLAGS += -j2
CXX = {compiler}
FLAGS = {flags}

main: hot.o cold.o
\t$(CXX) hot.o cold.o -o main

hot.o: hot.cpp
\t$(CXX) $(FLAGS) {hot} -c hot.cpp -o hot.o

cold.o: cold.cpp
\t$(CXX) $(FLAGS) {cold} -c cold.cpp -o cold.o
"""


def compiler() -> str:
    """Return the C++ compiler: ``$CXX`` or ``g++``."""
    return os.environ.get("CXX") or "g++"


def compiler_version() -> str:
    """Return the first line of what the compiler says of itself.

    Raises
    ------
    ToolchainError
        If it does not answer.
    """
    try:
        return subprocess.run(
            [compiler(), "--version"], capture_output=True, text=True, check=True
        ).stdout.splitlines()[0]
    except (OSError, IndexError, subprocess.CalledProcessError) as error:
        raise ToolchainError(CppDevice.missing() or f"{compiler()} --version failed: {error}", "device cpp") from None


def processor() -> str:
    """Return what -march=native depends on, since a cache may be shared by different machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next((line for line in lines if line.startswith(("flags", "Features"))), platform.processor())
    except OSError:
        return platform.processor()


class CppProgram(StandaloneProgram):
    """A compiled C++ program."""

    def environment(self, arrays: dict[str, np.ndarray]) -> dict[str, str]:  # noqa: D102
        return {"IZHIRES_NOISE_SEED": str(noise_seed(arrays))}


class CppDevice(StandaloneDevice):
    """Standalone C++ through Brian2, with templates of this package where they are faster.

    Where these cannot be generated or compiled for a plan, Brian2's own are used, and ``build.json`` and the recording
    say so.

    Attributes
    ----------
    templates : {"own", "plain", "timed"}
        ``timed`` are Brian2's own but for the loop over time, so that their profile can be taken, too.
    most : int
        Values of each recording that a program holds before it writes them to the disk.
    """

    name: ClassVar[str] = "cpp"
    summary: ClassVar[str] = "standalone C++ through Brian2, compiled once per model shape"
    generator: ClassVar[str] = "izhires.devices.generate_cpp"
    program: ClassVar[type[StandaloneProgram]] = CppProgram
    templates: str = "own"
    most: int = 2**20

    def generator_arguments(self) -> list[str]:  # noqa: D102
        return [self.templates, str(self.most)]

    def _build(self, plan: Plan, folder: Path) -> None:
        try:
            super()._build(plan, folder)
        except ToolchainError as error:
            if self.templates != "own":
                raise
            self.templates = "plain"
            try:
                super()._build(plan, folder)
            finally:
                self.templates = "own"
            facts = folder / "build.json"
            said = {**json.loads(facts.read_text()), "templates": f"plain, since with this package's {error}"}
            facts.write_text(json.dumps(said, indent=1))

    @classmethod
    def missing(cls) -> str:  # noqa: D102
        for tool, package in ((compiler(), "a C++ compiler (g++)"), ("make", "make")):
            if shutil.which(tool) is None:
                return f"{tool!r} is not on the PATH; install {package}"
        return ""

    def makefile(self, portable: bool = False) -> str:  # noqa: D102
        clang = not portable and "clang" in compiler_version()
        hot = HOT_FLAGS if clang else HOT_FLAGS + GCC_HOT_FLAGS
        return MAKEFILE.format(
            compiler="g++" if portable else compiler(),
            flags=" ".join(FLAGS),
            hot=" ".join(hot),
            cold=" ".join(COLD_FLAGS),
        )

    def toolchain(self) -> str:  # noqa: D102
        # the list of the processor's abilities is long and of no interest beyond being the same
        return "|".join(
            [
                compiler_version(),
                version("brian2"),
                version("numpy"),
                platform.machine(),
                hashlib.sha256(processor().encode()).hexdigest(),
            ]
        )


DEVICE = CppDevice
