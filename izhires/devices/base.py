"""What a device does: prepare a plan once, then run it with any numbers of the same shape."""

from __future__ import annotations

import abc
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from izhires.building.plan import Plan
from izhires.errors import closest

ProgressReport = Callable[[float, int], None]
"""Called with the share of the run that is done, 0 to 1, and the number of spikes so far. An error that it raises
ends the run."""


def _ability(short: str, words: str) -> bool:
    return field(default=False, metadata={"short": short, "words": words})


@dataclass(frozen=True)
class Abilities:
    """What a device can do beyond running a plan. Listings, refusals and the doctor read it.

    Parameters
    ----------
    own_templates : bool
        Its programs are made with this package's templates, where these serve.
    own_noise : bool
        Noise comes from this package's generator.
    repeats : bool
        The same seed gives the same bytes again.
    replicates : bool
        It runs several networks of one plan as one, see `izhires.building.replicates.combine`.
    pieces : bool
        Long recordings are written to the disk while a run goes on.
    memory : bool
        Its programs tell the most memory that they had (``peak_bytes``).
    guard : bool
        A run stops when a readout diverges.
    profile : bool
        Its programs tell what each of Brian2's objects takes.
    single : bool
        It calculates in single precision, where a plan asks for it.
    export : bool
        It writes projects that are built and run without Python.
    python : bool
        Python is there while a network runs, for a ``network_operation``.
    """

    own_templates: bool = _ability("own templates", "be made with this package's templates")
    own_noise: bool = _ability("own noise", "draw noise from this package's generator")
    repeats: bool = _ability("repeats", "give the same bytes again for the same seed")
    replicates: bool = _ability("replicates", "run several networks side by side as one")
    pieces: bool = _ability("pieces", "write long recordings to the disk while a run goes on")
    memory: bool = _ability("memory", "tell the memory that a run had")
    guard: bool = _ability("guard", "stop when a readout diverges")
    profile: bool = _ability("profile", "tell where the time of a run goes")
    single: bool = _ability("single precision", "calculate in single precision")
    export: bool = _ability("export", "write a project")
    python: bool = _ability("python", "run Python within a network")

    def __str__(self) -> str:
        return ", ".join(each.metadata["short"] for each in fields(self) if getattr(self, each.name))

    @classmethod
    def words(cls, name: str) -> str:
        """Return an ability in words, as they follow "can"."""
        return next(str(each.metadata["words"]) for each in fields(cls) if each.name == name)


class Program(abc.ABC):
    """A plan that a device has made ready to run.

    Attributes
    ----------
    build_seconds : float
        Time it took to make it ready; 0 when an earlier build served.
    measured : dict of str to float
        What the last run measured of itself: ``loop_seconds`` of the simulation alone, ``peak_bytes`` of memory. Empty
        where it is not known.
    units : mapping of str to str
        Unit of each output, as Brian2 knows it; after a run.
    templates : str
        ``"own"`` where this package's templates stand in for Brian2's, ``"plain"`` where they do not, and why.
    """

    build_seconds: float
    measured: dict[str, float]
    units: Mapping[str, str] = MappingProxyType({})
    templates: str = "plain"

    @abc.abstractmethod
    def schedule(self) -> str:
        """Return Brian2's table of what runs when within a time step."""

    @abc.abstractmethod
    def run(self, arrays: dict[str, np.ndarray], report: ProgressReport | None = None) -> dict[str, np.ndarray]:
        """Run with the given numbers.

        Parameters
        ----------
        arrays : dict of str to ndarray
            What `izhires.building.plan.Plan.shapes` lists, in those shapes.
        report : callable, optional

        Returns
        -------
        dict of str to ndarray
            By ``monitor.variable``, SI units: of a monitor of events ``t`` and ``i``; of others ``t`` (row,), and each
            variable (row, element). All end early when a guard stopped the run.

        Raises
        ------
        SimulationError
            If the run did not reach its end.
        """


class Device(abc.ABC):
    """A target that runs plans. One file each; a user's own subclass is known by its `name` as soon as it is defined.

    Attributes
    ----------
    name, summary : str
    source : str
        What to cite beside Brian2.
    abilities : Abilities
    packages : dict of str to str
        Python packages that this device alone needs, and how to install each.
    step, cell_step : float
        What a time step of the cells takes on a quiet machine, s: whatever their number, and for each of them (as
        measured in docs/speed.md and docs/devices.md); 0 where it is not known.
    quick : bool
        Whether a small network is made ready within seconds.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    source: ClassVar[str] = ""
    abilities: ClassVar[Abilities] = Abilities()
    packages: ClassVar[dict[str, str]] = {}
    step: ClassVar[float] = 0.0
    cell_step: ClassVar[float] = 0.0
    quick: ClassVar[bool] = True

    @classmethod
    def tools(cls) -> dict[str, str]:
        """Return the programs that must be on the PATH, and what to install for each."""
        return {}

    @classmethod
    @abc.abstractmethod
    def missing(cls) -> str:
        """Return what this machine lacks to use the device, empty if nothing."""

    @abc.abstractmethod
    def prepare(self, plan: Plan) -> Program:
        """Make a plan ready to run.

        Raises
        ------
        ToolchainError
            If a tool is missing or fails.
        ConfigurationError
            If Brian2 cannot read an equation of the plan; a runtime device finds that out when it runs.
        """


def without(tools: dict[str, str]) -> str:
    """Return which of some tools, each with what to install, is not on the PATH; empty if all are."""
    for tool, package in tools.items():
        if shutil.which(tool) is None:
            return f"{tool!r} is not on the PATH; install {package}"
    return ""


def check_arrays(plan: Plan, arrays: dict[str, np.ndarray]) -> None:
    """Compare the numbers of a run with the shapes of its plan; a compiled program would run on with other numbers."""
    for name, (dtype, shape) in plan.shapes.items():
        given = arrays.get(name)
        if given is None or given.shape != tuple(shape) or given.dtype.str != dtype:
            found = "nothing" if given is None else f"{given.dtype} {given.shape}"
            raise ValueError(f"{name} must be {np.dtype(dtype)} {tuple(shape)}, got {found}")
    for name in arrays:  # which no program would read
        if name not in plan.shapes:
            raise ValueError(f"the plan has no numbers {name!r}{closest(name, plan.shapes)}")


def noise_seed(arrays: dict[str, np.ndarray]) -> int:
    """Return the seed of a device's one generator of noise: that of the first group that has one."""
    return next((int(value) for name, value in arrays.items() if name.endswith(".noise_seed")), 0)
