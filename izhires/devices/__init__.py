"""Devices: where a model runs. One target a file.

``cpp``
    standalone C++ through Brian2, compiled once per model shape; the default.
``plain``
    standalone C++ with Brian2's templates only, several times slower; to compare with.
``cuda``
    CUDA through brian2cuda, compiled once per model shape.
``cython``
    Brian2's Cython runtime.
``numpy``
    Brian2's numpy runtime, for machines without a compiler; slow.
"""

from __future__ import annotations

from izhires.devices.base import Device
from izhires.errors import ConfigurationError, closest

NAMES = ("cpp", "plain", "cuda", "cython", "numpy")


def get(name: str) -> Device:
    """Return a device by its name.

    Raises
    ------
    ConfigurationError
        If there is no such device.
    """
    if name not in NAMES:
        raise ConfigurationError(f"unknown device {name!r}{closest(name, NAMES)}", "device", NAMES)
    import importlib

    module = importlib.import_module(f"izhires.devices.{name}")
    device: Device = module.DEVICE()
    return device


__all__ = ["NAMES", "Device", "get"]
