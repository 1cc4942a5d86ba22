"""Brian2's numpy runtime: needs no compiler, and is the slowest."""

from __future__ import annotations

import time
from typing import ClassVar

import numpy as np

from izhires.building.plan import Plan
from izhires.devices.base import Abilities, Device, Program, ProgressReport, check_arrays, noise_seed
from izhires.errors import ToolchainError


class RuntimeProgram(Program):
    """A plan that runs in this process, with one of Brian2's runtime targets."""

    def __init__(self, plan: Plan, target: str) -> None:
        self.plan = plan
        self.target = target
        self.build_seconds = 0.0
        self.measured = {}
        self._schedule = ""

    def schedule(self) -> str:  # noqa: D102
        return self._schedule

    def run(self, arrays: dict[str, np.ndarray], report: ProgressReport | None = None) -> dict[str, np.ndarray]:  # noqa: D102
        import brian2 as b2
        from brian2.core.base import BrianObjectException

        from izhires.building.build import build, cannot_read, unit

        check_arrays(self.plan, arrays)
        # a network that cannot be prepared is told of once, not for each of its objects
        b2.BrianLogger.suppress_name("unused_brian_object")
        before = b2.prefs.codegen.target
        b2.prefs.codegen.target = self.target
        try:
            began = time.perf_counter()
            b2.seed(noise_seed(arrays))
            built = build(self.plan, arrays)
            self.build_seconds = time.perf_counter() - began
            self.units = {name: unit(variable) for name, variable in built.outputs.items()}
            counts = [each for each in built.network.objects if isinstance(each, b2.SpikeMonitor)]

            def progress(elapsed: object, completed: float, *_: object) -> None:
                if report is not None:
                    report(float(completed), sum(each.num_spikes for each in counts))
                for guard in built.guards:
                    values = getattr(built.network[guard.of], f"{guard.variable}_")[:]
                    # of networks side by side one that has diverged does not end the others
                    if self.plan.replicates == 1 and not np.all(np.abs(values) <= arrays[f"{guard.of}.{guard.limit}"]):
                        built.network.stop()

            built.network.run(
                self.plan.duration * b2.second, report=progress, report_period=0.5 * b2.second, namespace={}
            )
            self._schedule = str(b2.scheduling_summary(built.network))
            return {name: np.array(variable.get_value()) for name, variable in built.outputs.items()}
        except BrianObjectException as error:
            raise cannot_read(error) from error
        finally:
            b2.prefs.codegen.target = before


class NumpyDevice(Device):
    """Brian2's numpy runtime."""

    name: ClassVar[str] = "numpy"
    summary: ClassVar[str] = "Brian2's numpy runtime, for machines without a compiler; slow"
    abilities: ClassVar[Abilities] = Abilities(repeats=True, replicates=True, guard=True, python=True)
    step: ClassVar[float] = 0.3e-3

    @classmethod
    def missing(cls) -> str:  # noqa: D102
        return ""

    def prepare(self, plan: Plan) -> RuntimeProgram:  # noqa: D102
        if lacking := self.missing():
            raise ToolchainError(lacking, f"device {self.name}")
        return RuntimeProgram(plan, self.name)


DEVICE = NumpyDevice
