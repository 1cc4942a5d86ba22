"""Standalone C++: generated once per plan, compiled once, run with any numbers of the same shape.

Builds are kept in the user's cache folder under a hash of the plan, the versions, the compiler and its flags. A run takes a private working
folder with its own numbers beside the shared program, so several processes may use one build at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from izhires.devices.base import Device, Program, Report, check_arrays
from izhires.errors import ConfigurationError, SimulationError, ToolchainError
from izhires.lock import lock
from izhires.plan import Plan

FLAGS = ["-std=c++17", "-w", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-I."]
# GCC gives up on the loop over the cells unless it may check this many pointers for overlap
HOT_FLAGS = ["-O3", "--param=vect-max-version-for-alias-checks=1000"]
COLD_FLAGS = ["-O1"]

MAKEFILE = """\
CXX ?= g++
FLAGS = {flags}

main: hot.o cold.o
\t$(CXX) hot.o cold.o -o main

hot.o: hot.cpp
\t$(CXX) $(FLAGS) {hot} -c hot.cpp -o hot.o

cold.o: cold.cpp
\t$(CXX) $(FLAGS) {cold} -c cold.cpp -o cold.o
"""


def cache_folder() -> Path:
    """Return the folder of all builds: ``$XDG_CACHE_HOME/izhires/builds``."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "izhires" / "builds"


def compiler() -> str:
    """Return the C++ compiler: ``$CXX`` or ``g++``."""
    return os.environ.get("CXX") or "g++"


def _processor() -> str:
    """Return what -march=native depends on, since a cache may be shared by different machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next((line for line in lines if line.startswith(("flags", "Features"))), platform.processor())
    except OSError:
        return platform.processor()


def _toolchain() -> str:
    try:
        found = subprocess.run([compiler(), "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise ToolchainError(CppDevice.missing() or f"{compiler()} --version failed: {error}") from None
    own = hashlib.sha256()
    package = Path(__file__).resolve().parents[1]
    for path in sorted([package / "build.py", *(package / "devices").rglob("*")]):
        if path.suffix in (".py", ".cpp"):
            own.update(path.read_bytes())
    # the flags of the processor are long and of no interest beyond being the same
    return "|".join([found.splitlines()[0], *FLAGS, *HOT_FLAGS, *COLD_FLAGS, version("brian2"), version("numpy"),
                     platform.machine(), own.hexdigest(), hashlib.sha256(_processor().encode()).hexdigest()])  # fmt: skip


class CppProgram(Program):
    """A compiled plan."""

    def __init__(self, plan: Plan, folder: Path, build_seconds: float) -> None:
        self.plan = plan
        self.folder = folder
        self.build_seconds = build_seconds
        self.facts: dict[str, Any] = json.loads((folder / "build.json").read_text())

    def schedule(self) -> str:  # noqa: D102
        return str(self.facts["schedule"])

    def run(self, arrays: dict[str, np.ndarray], report: Report | None = None) -> dict[str, np.ndarray]:  # noqa: D102
        check_arrays(self.plan, arrays)
        with tempfile.TemporaryDirectory(prefix="izhires-run-") as name:
            work = Path(name)
            static, results = work / "static_arrays", work / "results"
            static.mkdir()
            results.mkdir()
            arguments = self._write(arrays, static)
            self._execute([str(self.folder / "main"), "--results_dir", f"{results}{os.sep}", *arguments], work, report)
            self._check_complete(results)
            return {key: self._read(results, facts) for key, facts in self.facts["outputs"].items()}

    def _write(self, arrays: dict[str, np.ndarray], static: Path) -> list[str]:
        """Write the numbers of a run; return the command line's share of them."""
        arguments, written = [], set()
        for name, facts in self.facts["inputs"].items():
            if "argument" in facts:
                arguments.append(f"{facts['argument']}={arrays[name].item()!r}")
            for file in facts.get("files", ()):
                np.ascontiguousarray(arrays[name], dtype=facts["dtype"]).tofile(static / file)
                written.add(file)
        for path in (self.folder / "static_arrays").iterdir():
            if path.name not in written:  # constant tables of the build itself
                shutil.copyfile(path, static / path.name)
        return arguments

    def _execute(self, command: list[str], work: Path, report: Report | None) -> None:
        process = subprocess.Popen(command, cwd=work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = []
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("progress "):
                    if report is not None:
                        report(float(line.split()[1]) / self.plan.duration)
                else:
                    said.append(line.rstrip())
            code = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        # the program goes on with default numbers when an array does not fit, and says so only here
        if code != 0 or said:
            how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
            raise SimulationError(f"the program {how}; it said: {' / '.join(said[-5:]) or 'nothing'}", str(self.folder))

    def _check_complete(self, results: Path) -> None:
        """Refuse partial results: an interrupted program ends with exit code 0."""
        try:
            done = float((results / "last_run_info.txt").read_text().split()[1])
        except (OSError, IndexError, ValueError):
            raise SimulationError("the program wrote no results", str(self.folder)) from None
        if done < 1 - 1e-9:
            raise SimulationError(f"the run stopped after {100 * done:.1f} % of its time", str(self.folder))

    def _read(self, results: Path, facts: dict[str, Any]) -> np.ndarray:
        path = results / facts["file"]
        # a dynamic array that stayed empty is not closed, and may leave an empty file
        values = np.fromfile(path, dtype=facts["dtype"])
        return values.reshape(-1, facts["columns"]) if facts["columns"] else values


class CppDevice(Device):
    """Standalone C++ through Brian2."""

    name: ClassVar[str] = "cpp"
    summary: ClassVar[str] = "standalone C++ through Brian2, compiled once per model shape"

    @classmethod
    def missing(cls) -> str:  # noqa: D102
        for tool, package in ((compiler(), "a C++ compiler (g++)"), ("make", "make")):
            if shutil.which(tool) is None:
                return f"{tool!r} is not on the PATH; install {package}"
        return ""

    def prepare(self, plan: Plan) -> CppProgram:  # noqa: D102
        missing = self.missing()
        if missing:
            raise ToolchainError(f"{missing}, or use --device numpy", "device cpp", ())
        began = time.perf_counter()
        key = hashlib.sha256(f"{plan.fingerprint()}|{_toolchain()}".encode()).hexdigest()[:20]
        folder = cache_folder() / key
        if (folder / "complete").exists():
            return CppProgram(plan, folder, 0.0)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with lock(folder.parent / f"{key}.lock"):
                if not (folder / "complete").exists():
                    self._build(plan, folder)
        except OSError as error:
            raise ToolchainError(f"cannot build in the cache folder: {error.strerror or error}", str(folder.parent)) from None
        return CppProgram(plan, folder, time.perf_counter() - began)

    def _build(self, plan: Plan, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)  # what an interrupted build left
        folder.mkdir()
        (folder / "plan.json").write_text(json.dumps(plan.__dict__))
        command = [sys.executable, "-m", "izhires.devices.generate_cpp", str(folder / "plan.json"), str(folder)]
        self._step(command, folder, "generate.log")
        (folder / "Makefile").write_text(
            MAKEFILE.format(flags=" ".join(FLAGS), hot=" ".join(HOT_FLAGS), cold=" ".join(COLD_FLAGS))
        )
        (folder / "makefile").unlink(missing_ok=True)  # Brian2's own; GNU make would prefer it
        self._step(["make", "-j2", f"CXX={compiler()}"], folder, "compile.log")
        (folder / "complete").touch()

    @staticmethod
    def _step(command: list[str], folder: Path, log: str) -> None:
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        (folder / log).write_text(done.stdout)
        if done.returncode == ConfigurationError.exit_code and "generate" in log:
            raise ConfigurationError(done.stdout.strip().splitlines()[-1])
        if done.returncode != 0:
            last = (done.stdout.strip().splitlines() or ["nothing"])[-1]
            raise ToolchainError(f"{log.removesuffix('.log')} failed: {last}; the whole log is {folder / log}", "device cpp")


DEVICE = CppDevice
