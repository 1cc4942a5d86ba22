"""Template of a device, where a plan runs: ``izhires run meet --import device.py --device my_device ...``."""

from typing import ClassVar

from izhires.building.plan import Plan
from izhires.devices.base import Abilities, Device, Program
from izhires.devices.numpy import RuntimeProgram


class MyDevice(Device):
    """Brian2's numpy runtime under another name; `prepare` is where a simulator of one's own gets the plan."""

    name: ClassVar[str] = "my_device"
    summary: ClassVar[str] = "Brian2's numpy runtime"
    abilities: ClassVar[Abilities] = Abilities(repeats=True, python=True)

    @classmethod
    def missing(cls) -> str:
        """Return what this machine lacks to use the device."""
        return ""

    def prepare(self, plan: Plan) -> Program:
        """Return a program that runs the plan with any numbers of the same shape."""
        return RuntimeProgram(plan, "numpy")
