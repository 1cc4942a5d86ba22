"""Standalone C++ through Brian2: two units, what runs every step and what runs once, each with the optimisation it
needs.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

import numpy as np

from izhires.building.plan import Plan
from izhires.devices.base import Abilities, noise_seed, without
from izhires.devices.standalone import StandaloneDevice, StandaloneProgram
from izhires.errors import ToolchainError
from izhires.running.processes import asked

FLAGS = ["-std=c++17", "-w", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-I."]
# GCC gives up on the loop over the cells unless it may check this many pointers for overlap; clang does not know the
# option
HOT_FLAGS = ["-O3"]
GCC_HOT_FLAGS = ["--param=vect-max-version-for-alias-checks=1000"]
COLD_FLAGS = ["-O1"]

COMPILER = "a C++ compiler (g++)"
"""What to install where there is none."""

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

APART = """\
MAKEFLAGS += -j2
CXX = {compiler}
FLAGS = {flags} {hot}
SOURCES = $(wildcard *.cpp */*.cpp)

main: $(SOURCES:.cpp=.o)
\t$(CXX) $(SOURCES:.cpp=.o) -o main

.cpp.o:
\t$(CXX) $(FLAGS) -c $< -o $@
"""
"""Every source on its own, whatever there is: slower to compile, and takes nothing of Brian2's sources for granted."""

TESTED = ("2.9", "2.11")
"""First and last Brian2 that the templates of this package, and its two units, are tested with; they reach into what
Brian2 may change at any time."""


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def untested() -> str:
    """Return why this package's templates are not used with the Brian2 that is here, empty if they are."""
    here = version("brian2")
    first, last = map(_numbers, TESTED)
    if first <= _numbers(here)[: len(last)] <= last:
        return ""
    return f"brian2 {here} is not one that this package's templates are tested with ({TESTED[0]} to {TESTED[1]})"


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
    if lacking := without({compiler(): COMPILER}):
        raise ToolchainError(lacking, "device cpp")
    return next(iter(asked([compiler(), "--version"], "device cpp").splitlines()), "")


def processor() -> str:
    """Return what -march=native depends on, since a cache may be shared by different machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next((line for line in lines if line.startswith(("flags", "Features"))), platform.processor())
    except OSError:
        return platform.processor()


def _tell(folder: Path, templates: str) -> None:
    """Write which templates a project has, and why."""
    facts = folder / "build.json"
    facts.write_text(json.dumps({**json.loads(facts.read_text()), "templates": templates}, indent=1))


class CppProgram(StandaloneProgram):
    """A compiled C++ program."""

    def environment(self, arrays: dict[str, np.ndarray]) -> dict[str, str]:  # noqa: D102
        return {"IZHIRES_NOISE_SEED": str(noise_seed(arrays))}


class CppDevice(StandaloneDevice):
    """Standalone C++ through Brian2, with templates of this package where they are faster.

    Where these cannot be generated or compiled for a plan, or Brian2 is one that they are not tested with, Brian2's own
    are used, and ``build.json`` and the recording say so.

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
    abilities: ClassVar[Abilities] = Abilities(
        own_templates=True,
        own_noise=True,
        repeats=True,
        replicates=True,
        pieces=True,
        memory=True,
        guard=True,
        profile=True,
        single=True,
        export=True,
    )
    cell_step: ClassVar[float] = 2e-9
    export_needs: ClassVar[str] = "g++"
    templates: str = "own"
    most: int = 2**20

    def counts(self) -> bool:  # noqa: D102
        return not untested()  # whose sources are taken as they are

    def generator_arguments(self) -> list[str]:  # noqa: D102
        return ["apart" if untested() else self.templates, str(self.most)]

    def _build(self, plan: Plan, folder: Path) -> None:
        try:
            super()._build(plan, folder)
        except ToolchainError as error:
            if self.templates != "own" or untested():
                raise
            said = [(path.name, path.read_bytes()) for path in self._part(folder).glob("*.log")]
            self.templates = "plain"
            try:
                super()._build(plan, folder)
            finally:
                self.templates = "own"
            for name, text in said:  # of the attempt
                (folder / f"own-{name}").write_bytes(text)
            because = str(error).replace(str(self._part(folder)) + os.sep, str(folder / "own-"))
            _tell(folder, f"plain, since with this package's {because}")

    def write_project(self, plan: Plan, folder: Path, portable: bool = False) -> None:  # noqa: D102
        super().write_project(plan, folder, portable)
        if because := untested():
            _tell(folder, f"plain, since {because}")

    @classmethod
    def missing(cls) -> str:  # noqa: D102
        return without(cls.tools())

    @classmethod
    def tools(cls) -> dict[str, str]:  # noqa: D102
        return {compiler(): COMPILER, "make": "make"}

    def makefile(self, portable: bool = False) -> str:  # noqa: D102
        clang = not portable and "clang" in compiler_version()
        hot = HOT_FLAGS if clang else HOT_FLAGS + GCC_HOT_FLAGS
        return (APART if untested() else MAKEFILE).format(
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
