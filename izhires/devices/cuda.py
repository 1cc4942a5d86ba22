"""CUDA through brian2cuda: one unit, generated and compiled without a GPU, run where one is.

Results are not bit-reproducible: sums over synapses use atomic additions, whose order is free. The noise comes from
cuRAND.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sysconfig
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import ClassVar

import numpy as np

from izhires.devices.base import Abilities, noise_seed, without
from izhires.devices.standalone import StandaloneDevice, StandaloneProgram
from izhires.errors import ConfigurationError, ToolchainError
from izhires.running.processes import asked

# CUDA 13 needs C++17
FLAGS = ["-std=c++17", "-O3", "-w", "-rdc=true", "-Xcompiler", "-w", "-I."]
MAKEFILE = """\
NVCC = nvcc
ARCHITECTURE = {architecture}
FLAGS = {flags}
# the folder with include/ and lib64/ or lib/ of cuRAND, where it is not beside nvcc
CURAND = {curand}
# named as a file: PyPI's package has no libcurand.so without a version
library = $(firstword $(wildcard $(CURAND)/lib64/libcurand.so* $(CURAND)/lib/libcurand.so*))
there = -I$(CURAND)/include -L$(dir $(library)) -l:$(notdir $(library)) -Xlinker -rpath=$(dir $(library))

main: all.cu
\t$(NVCC) $(FLAGS) -arch=$(ARCHITECTURE) all.cu -o main $(if $(CURAND),$(there),-lcurand)
"""
ARCHITECTURE = "8.0"
"""Used where no GPU tells its own: every later one runs it, through a translation at its first start."""


def architecture() -> str:
    """Return the compute capability to compile for: ``$IZHIRES_CUDA_ARCHITECTURE``, else that of the GPU here, else
    `ARCHITECTURE`.

    Raises
    ------
    ConfigurationError
        If the variable does not read like ``9.0``.
    """
    given = os.environ.get("IZHIRES_CUDA_ARCHITECTURE", "")
    if given and not re.fullmatch(r"\d{1,2}\.\d", given):
        raise ConfigurationError(
            f"{given!r} is not a compute capability", "IZHIRES_CUDA_ARCHITECTURE", ("8.0", "9.0", "...")
        )
    found = gpu()
    return given or (found[1] if found else ARCHITECTURE)


def gpu() -> tuple[str, str] | None:
    """Return name and compute capability of the first GPU, None without one."""
    command = ["nvidia-smi", "--query-gpu=name,compute_cap", "--format=csv,noheader"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
        name, _, capability = (part.strip() for part in said.splitlines()[0].rpartition(","))
        return (name, capability) if re.fullmatch(r"\d{1,2}\.\d", capability) else None
    except (OSError, IndexError, subprocess.SubprocessError):
        return None


def toolkit() -> Path:
    """Return the folder of the CUDA toolkit that the nvcc on the PATH belongs to, or a usual place."""
    found = shutil.which("nvcc")
    return Path(found).resolve().parents[1] if found else Path("/usr/local/cuda")


def curand() -> Path | None:
    """Return the folder of cuRAND's ``include`` and ``lib``: the toolkit's, or PyPI's ``nvidia-curand``."""
    pip = Path(sysconfig.get_path("purelib")) / "nvidia"
    places = [toolkit(), *(path.parents[1] for path in sorted(pip.glob("*/include/curand.h")))]
    places += [Path("/usr/local/cuda"), *sorted(Path("/usr/local").glob("cuda-*"), reverse=True)]
    for place in places:
        if (place / "include" / "curand_kernel.h").exists() and any(place.glob("lib*/libcurand.so*")):
            return place
    return None


class CudaProgram(StandaloneProgram):
    """A compiled CUDA program."""

    def environment(self, arrays: dict[str, np.ndarray]) -> dict[str, str]:  # noqa: D102
        return {"IZHIRES_NOISE_SEED": str(noise_seed(arrays))}

    def is_remark(self, line: str) -> bool:  # noqa: D102
        return not line.strip() or line.startswith(("INFO", "\t", "synapses"))


class CudaDevice(StandaloneDevice):
    """CUDA through brian2cuda."""

    name: ClassVar[str] = "cuda"
    summary: ClassVar[str] = "CUDA through brian2cuda (Python >= 3.12); many --replicates fill a GPU"
    source: ClassVar[str] = "Alevi et al. (2022), doi 10.3389/fninf.2022.883700"
    generator: ClassVar[str] = "izhires.devices.generate_cuda"
    program: ClassVar[type[StandaloneProgram]] = CudaProgram
    abilities: ClassVar[Abilities] = Abilities(replicates=True, single=True, export=True)
    packages: ClassVar[dict[str, str]] = {"brian2cuda": "pip install 'izhires[cuda]' on Python 3.12"}
    export_needs: ClassVar[str] = "the CUDA toolkit (nvcc and cuRAND)"
    export_remark: ClassVar[str] = """\
It is compiled for the GPU that the Makefile names as ARCHITECTURE, and runs on later ones; `make ARCHITECTURE=sm_90`
chooses another. Where cuRAND is not beside nvcc, `make CURAND=FOLDER` names the folder that holds its include/ and
lib64/ or lib/.

"""

    @classmethod
    def tools(cls) -> dict[str, str]:  # noqa: D102
        return {"nvcc": "the CUDA toolkit", "make": "make"}

    @classmethod
    def cannot_generate(cls) -> str:  # noqa: D102
        if importlib.util.find_spec("brian2cuda") is None:
            return "the Python package 'brian2cuda' is not installed; on Python 3.12: pip install 'izhires[cuda]'"
        try:
            if version("brian2cuda") == "1.0b1" and version("brian2") != "2.10.1":
                return f"brian2cuda 1.0b1 needs brian2 2.10.1, here is {version('brian2')}; pip install 'izhires[cuda]'"
        except PackageNotFoundError:
            pass
        return ""

    @classmethod
    def cannot_compile(cls) -> str:
        """Return what this machine lacks to compile one, empty if nothing."""
        if lacking := without(cls.tools()):
            return lacking
        if curand() is None:
            return "cuRAND is missing beside nvcc; install it with the CUDA toolkit, or: pip install nvidia-curand"
        return ""

    @classmethod
    def missing(cls) -> str:  # noqa: D102
        if lacking := cls.cannot_generate() or cls.cannot_compile():
            return lacking
        return (
            ""
            if gpu()
            else "there is no GPU here (nvidia-smi names none); 'izhires export --device cuda' writes a project for one"
        )

    def generator_arguments(self) -> list[str]:  # noqa: D102
        return [architecture()]

    def makefile(self, portable: bool = False) -> str:  # noqa: D102
        place = "" if portable else curand() or ""
        name = f"sm_{architecture().replace('.', '')}"
        return MAKEFILE.format(flags=" ".join(FLAGS), architecture=name, curand=place)

    def toolchain(self) -> str:  # noqa: D102
        if lacking := self.cannot_compile():
            raise ToolchainError(lacking, "device cuda")
        said = asked(["nvcc", "--version"], "device cuda")
        return "|".join([hashlib.sha256(said.encode()).hexdigest(), version("brian2"), version("brian2cuda")])


DEVICE = CudaDevice
