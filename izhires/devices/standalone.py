"""Standalone projects: generated once per plan, compiled once, run with any numbers of the same shape.

Builds are kept in the user's cache folder under a hash of the plan, the versions, the compiler and its flags. A run
takes a private working folder with its own numbers beside the shared program, so several processes may use one build
at once.
"""

from __future__ import annotations

import abc
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from izhires.building.plan import Plan
from izhires.devices.base import Device, Program, ProgressReport, check_arrays
from izhires.errors import ConfigurationError, LostError, SimulationError, SlowerWarning, ToolchainError
from izhires.files import private_folder
from izhires.running.processes import cause, ending, python, tied
from izhires.running.resources import note_program

# of the working folders of runs, among the temporary files
PREFIX = "izhires-run-"

EARLIER = ".earlier"
"""Added to the name of a file of results: all of it, where it was written while the run went on."""
LARGE = 2**25
"""Bytes from which on results stay on the disk, and are read from there as they are used."""


def cache_folder() -> Path:
    """Return the folder of all builds: ``builds`` in this package's part of the user's cache folder.

    On Linux that is ``$XDG_CACHE_HOME/izhires/builds``, or ``~/.cache/izhires/builds`` where the variable is unset or
    holds a relative path.

    Raises
    ------
    ToolchainError
        If the user has no home folder.
    """
    from platformdirs import user_cache_path

    try:
        return user_cache_path("izhires", appauthor=False) / "builds"
    except RuntimeError:
        problem = "no home folder is known; set HOME, or XDG_CACHE_HOME to a folder for what is built"
        raise ToolchainError(problem, "cache") from None


def _is_whole(folder: Path) -> bool:
    """Whether a build is there; it appears under its name when all is made, but a cache may be cleaned file by file."""
    return all((folder / name).exists() for name in ("main", "build.json", "static_arrays"))


@contextmanager
def working_folder() -> Iterator[Path]:
    """Make a folder for the files of one run, remove it afterwards, and remove those of runs that were killed."""
    with private_folder(Path(tempfile.gettempdir()), PREFIX) as work:
        yield work


class StandaloneProgram(Program):
    """A compiled plan."""

    def __init__(self, plan: Plan, folder: Path, build_seconds: float) -> None:
        self.plan = plan
        self.folder = folder
        self.build_seconds = build_seconds
        self.measured = {}
        self.spent: dict[int, float] = {}  # by the number of an object, of a profile
        self.facts: dict[str, Any] = json.loads((folder / "build.json").read_text())
        self.templates = self.facts["templates"]
        self.units = {name: about["unit"] for name, about in self.facts["outputs"].items() if "unit" in about}

    def environment(self, arrays: dict[str, np.ndarray]) -> dict[str, str]:
        """Return what the program reads from its environment beyond that of this process."""
        return {}

    def is_remark(self, line: str) -> bool:
        """Whether a line that the program prints is of no importance."""
        return False

    def schedule(self) -> str:  # noqa: D102
        return str(self.facts["schedule"])

    def run(self, arrays: dict[str, np.ndarray], report: ProgressReport | None = None) -> dict[str, np.ndarray]:  # noqa: D102
        return self._run(arrays, report, {})

    def profile(self, arrays: dict[str, np.ndarray], report: ProgressReport | None = None) -> dict[str, float]:
        """Run with the given numbers; return the seconds that each of Brian2's objects takes, in the order of a step.

        Raises
        ------
        SimulationError
            If the run did not reach its end, or the program has Brian2's own loop over time, which cannot tell.
        """
        if self.templates not in ("own", "timed"):
            raise SimulationError(f"this program cannot tell ({self.templates}); a profile needs device cpp")
        self._run(arrays, report, {"IZHIRES_PROFILE": "1"})
        return {self.facts["objects"][number]: seconds for number, seconds in sorted(self.spent.items())}

    def _run(
        self, arrays: dict[str, np.ndarray], report: ProgressReport | None, environment: dict[str, str]
    ) -> dict[str, np.ndarray]:
        check_arrays(self.plan, arrays)
        self.spent.clear()
        try:
            with working_folder() as work:
                static, results = work / "static_arrays", work / "results"
                static.mkdir()
                results.mkdir()
                arguments = self.write(arrays, static)
                whole = self._execute(
                    [str(self.folder / "main"), "--results_dir", f"{results}{os.sep}", *arguments],
                    work,
                    report,
                    {**os.environ, **self.environment(arrays), **environment},
                )
                found = self.collect(results, whole)
                self.measured["loop_seconds"] = float((results / "last_run_info.txt").read_text().split()[0])
                return found
        except OSError as error:
            reason = f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"
            raise LostError(f"cannot run: {reason}", tempfile.gettempdir()) from None

    def write(self, arrays: dict[str, np.ndarray], static: Path) -> list[str]:
        """Write the numbers of a run into a folder; return the command line's share of them."""
        arguments, written = [], set()
        for name, facts in self.facts["inputs"].items():
            if "argument" in facts:
                arguments.append(f"{facts['argument']}={arrays[name].item()!r}")
            for file in facts.get("files", ()):
                np.ascontiguousarray(arrays[name], dtype=facts["dtype"]).tofile(static / file)
                written.add(file)
        for file, counted in self.facts.get("counted", {}).items():
            np.arange(self.plan.length(counted["pathway"]), dtype=counted["dtype"]).tofile(static / file)
            written.add(file)
        own = self.folder / "static_arrays"
        for path in own.iterdir():
            if path.name not in written and static != own:  # constant tables of the build itself
                shutil.copyfile(path, static / path.name)
        return arguments

    def collect(self, results: Path, whole: bool = True) -> dict[str, np.ndarray]:
        """Read what a run left in its folder of results; see `Program.run`. One that is not `whole` ended early.

        Raises
        ------
        SimulationError
            If the run was not finished, or not all of it was written.
        """
        if whole:
            self._check_complete(results)
        outputs = {key: self._read(results, facts) for key, facts in self.facts["outputs"].items()}
        if whole:
            self._check_whole(outputs)
        return outputs

    def _execute(
        self, command: list[str], work: Path, report: ProgressReport | None, environment: dict[str, str]
    ) -> bool:
        """Run the program; return whether it ran to its end, and did not stop because the readouts diverged."""
        said: list[str] = []
        whole = True
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
        with tied(command, cwd=work, env=environment, text=True, errors="replace", **streams) as process:
            for line in process.stdout or ():
                if line.startswith("progress "):
                    if report is not None:
                        time, spikes = line.split()[1:]
                        report(float(time) / self.plan.duration, int(spikes))
                elif line.startswith("diverged"):
                    whole = False
                elif line.startswith("profile "):
                    number, seconds = line.split()[1:]
                    self.spent[int(number)] = float(seconds)
                elif line.startswith("memory "):
                    self.measured["peak_bytes"] = float(line.split()[1])
                    note_program(self.measured["peak_bytes"])
                elif not self.is_remark(line):
                    said.append(line.rstrip())
            code = process.wait()
        # the program goes on with default numbers when an array does not fit, and says so only here
        if code != 0 or said:
            raise (LostError if code < 0 else SimulationError)(
                f"the program {ending(code)}; it said: {' / '.join(said[-5:]) or 'nothing'}", str(self.folder)
            )
        return whole

    def _check_complete(self, results: Path) -> None:
        """Refuse partial results: an interrupted program ends with exit code 0."""
        try:
            done = float((results / "last_run_info.txt").read_text().split()[1])
        except (OSError, IndexError, ValueError):
            free = shutil.disk_usage(results).free / 1e6
            raise LostError(f"the program wrote no results; {free:.0f} MB are free there", str(results)) from None
        if done < 1 - 1e-9:
            raise LostError(f"the run stopped after {100 * done:.1f} % of its time", str(self.folder))

    def _check_whole(self, outputs: dict[str, np.ndarray]) -> None:
        """Refuse results that a full disk cut: the program does not look whether it could write."""
        plan = self.plan
        for name in outputs:
            monitor = plan.part(name.split(".")[0])
            length = plan.rows(monitor) if monitor.every else len(outputs[f"{monitor.name}.i"])
            if len(outputs[name]) != length:
                found = f"{len(outputs[name])} of {length} rows of {name}"
                raise LostError(f"the program wrote only {found}; is the disk full?", tempfile.gettempdir())

    def _read(self, results: Path, facts: dict[str, Any]) -> np.ndarray:
        path = results / facts["file"]
        earlier = path.with_name(path.name + EARLIER)
        path = earlier if earlier.exists() else path
        columns = facts["columns"]
        columns = self.plan.length(columns) if isinstance(columns, str) else columns
        if os.name == "posix" and path.stat().st_size >= LARGE:  # the file goes, what it holds stays while it is used
            values: np.ndarray = np.memmap(path, dtype=facts["dtype"], mode="c")
        else:
            # a dynamic array that stayed empty is not closed, and may leave an empty file
            values = np.fromfile(path, dtype=facts["dtype"])
        return values[: len(values) // columns * columns].reshape(-1, columns) if columns else values


class StandaloneDevice(Device):
    """A device whose programs are generated and compiled.

    Attributes
    ----------
    generator : str
        Module that writes the project of a plan; it gets the plan's file, the folder, and `generator_arguments`.
    export_needs, export_remark : str
        What an exported project is compiled with besides make, and what its README says of it.
    """

    generator: ClassVar[str]
    program: ClassVar[type[StandaloneProgram]] = StandaloneProgram
    export_needs: ClassVar[str]
    export_remark: ClassVar[str] = ""

    @classmethod
    def cannot_generate(cls) -> str:
        """Return what this machine lacks to write a project, empty if nothing."""
        return ""

    def counts(self) -> bool:
        """Whether a program finds out itself how many synapses there are, where that is drawn; else each number has a
        build of its own.
        """
        return False

    def profiled(self) -> Self:
        """Return a device whose programs have a loop over time that a profile can be taken of."""
        return self

    def generator_arguments(self) -> list[str]:
        """Return further arguments of the generator."""
        return []

    @abc.abstractmethod
    def makefile(self, portable: bool = False) -> str:
        """Return the Makefile of a project; its first target is ``main``. A portable one names no place of this
        machine.
        """

    @abc.abstractmethod
    def toolchain(self) -> str:
        """Return what a build depends on besides its plan: versions, flags, machine.

        Raises
        ------
        ToolchainError
            If the compiler does not answer.
        """

    def build_key(self, plan: Plan) -> str:
        """Return the name of a plan's build in the cache."""
        own = hashlib.sha256()
        package = Path(__file__).resolve().parents[1]
        for path in sorted([package / "building" / "build.py", *(package / "devices").rglob("*")]):
            if path.suffix in (".py", ".cpp"):
                own.update(path.read_bytes())
        parts = (
            plan.fingerprint(),
            *([] if self.counts() else map(str, plan.drawn().values())),
            self.name,
            *self.generator_arguments(),
            self.makefile(),
            self.toolchain(),
            own.hexdigest(),
        )
        return hashlib.sha256("|".join(parts).encode()).hexdigest()[:20]

    def prepare(self, plan: Plan) -> StandaloneProgram:  # noqa: D102
        from filelock import FileLock

        from izhires.devices import FALLBACK

        missing = self.missing()
        if missing:
            raise ToolchainError(f"{missing}, or use --device {FALLBACK}", f"device {self.name}")

        began = time.perf_counter()
        key = self.build_key(plan)
        folder = cache_folder() / key
        try:
            if not _is_whole(folder):
                folder.parent.mkdir(parents=True, exist_ok=True)
                with FileLock(folder.parent / f"{key}.lock"):
                    if not _is_whole(folder):
                        self._build(plan, folder)
                        return self._program(plan, folder, time.perf_counter() - began)
            return self._program(plan, folder, 0.0)
        except OSError as error:
            raise ToolchainError(
                f"cannot build in the cache folder: {error.strerror or error}", str(folder.parent)
            ) from None

    def _program(self, plan: Plan, folder: Path, seconds: float) -> StandaloneProgram:
        """Return the program of a whole build; say what is unexpected about it."""
        program = self.program(plan, folder, seconds)
        if ", " in program.templates:
            warnings.warn(f"templates: {program.templates}", SlowerWarning, stacklevel=3)
        return program

    @staticmethod
    def _part(folder: Path) -> Path:
        """Return where a build is made; what an interrupted or failed one left is under this name, too."""
        return folder.with_name(f"{folder.name}.part")

    def _build(self, plan: Plan, folder: Path) -> None:
        part = self._part(folder)
        for old in (part, folder):
            shutil.rmtree(old, ignore_errors=True)
        part.mkdir()
        self.write_project(plan, part)
        self._step(["make", "main"], part, "compile.log")
        os.replace(part, folder)

    def write_project(self, plan: Plan, folder: Path, portable: bool = False) -> None:
        """Write the sources of a plan and their Makefile into a folder."""
        (folder / "plan.json").write_text(json.dumps(plan.to_dict()))
        files = [str(folder / "plan.json"), str(folder)]
        command, environment = python("-m", self.generator, *files, *self.generator_arguments())
        self._step(command, folder, "generate.log", environment)
        (folder / "makefile").unlink(missing_ok=True)  # Brian2's own; GNU make would prefer it
        (folder / "Makefile").write_text(self.makefile(portable))

    def _step(self, command: list[str], folder: Path, log: str, environment: dict[str, str] | None = None) -> None:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
        with tied(command, cwd=folder, env=environment, text=True, errors="replace", **streams) as process:
            said = process.stdout.read() if process.stdout else ""
        (folder / log).write_text(said)
        if process.returncode == ConfigurationError.exit_code and "generate" in log:
            raise ConfigurationError((said.strip().splitlines() or ["nothing"])[-1])
        if process.returncode != 0:
            problem = f"{log.removesuffix('.log')} failed: {cause(said)}"
            raise ToolchainError(f"{problem}; the whole log is {folder / log}", f"device {self.name}")


@dataclass(frozen=True)
class Build:
    """One entry of the cache."""

    folder: Path
    size: int
    made: str
    summary: str


def builds() -> list[Build]:
    """Return the builds in the cache, newest first, half-made ones among them."""
    found = []
    root = cache_folder()
    for folder in root.iterdir() if root.is_dir() else ():
        if not folder.is_dir():
            continue
        try:
            plan = Plan.from_dict(json.loads((folder / "plan.json").read_text()))
            summary = f"{plan.cells * plan.replicates} cells, {plan.duration:g} s"
        except (OSError, ValueError, TypeError, KeyError):
            summary = "unreadable"
        if not _is_whole(folder):
            summary += ", not finished"
        # as text, since paths as objects take several times as long, and a cache may hold tens of thousands of files
        size = sum(os.path.getsize(os.path.join(place, name)) for place, _, names in os.walk(folder) for name in names)
        found.append(
            Build(folder, size, time.strftime("%Y-%m-%d %H:%M", time.localtime(folder.stat().st_mtime)), summary)
        )
    return sorted(found, key=lambda build: build.made, reverse=True)


def remove_build(build: Build) -> bool:
    """Remove a build; return False if somebody is making it now."""
    from filelock import FileLock, Timeout

    key = build.folder.name.removesuffix(".part")
    try:
        # its file stays: somebody may be waiting for it, and would hold another than who comes next
        with FileLock(cache_folder() / f"{key}.lock", timeout=0):
            shutil.rmtree(build.folder, ignore_errors=True)
    except Timeout:
        return False
    return True
