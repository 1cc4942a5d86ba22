"""What a device does: prepare a plan once, then run it with any numbers of the same shape."""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import ClassVar

import numpy as np

from izhires.plan import Plan

Report = Callable[[float, int], None]
"""Called with the share of the run that is done, 0 to 1, and the number of spikes so far. An error that it raises
ends the run."""


class Program(abc.ABC):
    """A plan that a device has made ready to run.

    Attributes
    ----------
    build_seconds : float
        Time it took to make it ready; 0 when an earlier build served.
    measured : dict of str to float
        What the last run measured of itself: ``loop_seconds`` of the simulation alone, ``peak_bytes`` of memory. Empty
        where it is not known.
    templates : str
        ``"own"`` where this package's templates stand in for Brian2's, ``"plain"`` where they do not, and why.
    """

    build_seconds: float
    measured: dict[str, float]
    templates: str = "plain"

    @abc.abstractmethod
    def schedule(self) -> str:
        """Return Brian2's table of what runs when within a time step."""

    @abc.abstractmethod
    def run(self, arrays: dict[str, np.ndarray], report: Report | None = None) -> dict[str, np.ndarray]:
        """Run with the given numbers.

        Parameters
        ----------
        arrays : dict of str to ndarray
            What `izhires.plan.Plan.shapes` lists, in those shapes.
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
    """A target that runs plans. One file each."""

    name: ClassVar[str]
    summary: ClassVar[str]
    source: ClassVar[str] = ""  # what to cite beside Brian2

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


def check_arrays(plan: Plan, arrays: dict[str, np.ndarray]) -> None:
    """Compare the numbers of a run with the shapes of its plan; a compiled program would run on with other numbers."""
    for name, (dtype, shape) in plan.shapes.items():
        given = arrays.get(name)
        if given is None or given.shape != tuple(shape) or given.dtype.str != dtype:
            found = "nothing" if given is None else f"{given.dtype} {given.shape}"
            raise ValueError(f"{name} must be {np.dtype(dtype)} {tuple(shape)}, got {found}")


def noise_seed(arrays: dict[str, np.ndarray]) -> int:
    """Return the seed of a device's one generator of noise: that of the first group that has one."""
    return next((int(value) for name, value in arrays.items() if name.endswith(".noise_seed")), 0)
