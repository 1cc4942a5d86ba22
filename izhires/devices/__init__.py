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

All that lists, chooses or refuses devices reads `all_devices` and the abilities that each declares. A user's own device
is a subclass of `Device` with a name of its own, in a script that is imported.
"""

from __future__ import annotations

import importlib
import inspect

from izhires.building.parts import Pathway
from izhires.building.plan import Plan
from izhires.declare import subclasses
from izhires.devices.base import Abilities, Device
from izhires.errors import ConfigurationError, check_known
from izhires.imports import load_installed

_OURS = ("cpp", "plain", "cuda", "cython", "numpy")  # modules of this package, in the order of listings

DEFAULT = "cpp"
FALLBACK = "numpy"
"""What runs where the default one cannot: it needs nothing."""


def all_devices() -> dict[str, type[Device]]:
    """Return every device by its name: this package's, then those of the user's scripts, of which the last counts."""
    load_installed()
    for name in _OURS:
        importlib.import_module(f"izhires.devices.{name}")
    found: dict[str, type[Device]] = {}
    for each in subclasses(Device):  # type: ignore[type-abstract]
        if "name" in vars(each) and not inspect.isabstract(each):
            found[each.name] = each
    return dict(sorted(found.items(), key=lambda item: _OURS.index(item[0]) if item[0] in _OURS else len(_OURS)))


def get(name: str) -> Device:
    """Return a device by its name.

    Raises
    ------
    ConfigurationError
        If there is no such device.
    """
    known = all_devices()
    check_known(name, known, "device", "device")
    return known[name]()


def default() -> tuple[str, str]:
    """Return the device to use where none is named, and what the usual one lacks, empty if nothing."""
    missing = get(DEFAULT).missing()
    return (FALLBACK if missing else DEFAULT), missing


def able(ability: str) -> list[str]:
    """Return the names of the devices that have an ability."""
    return [name for name, each in all_devices().items() if getattr(each.abilities, ability)]


def require(device: Device, ability: str, place: str) -> None:
    """Refuse a device without an ability.

    Parameters
    ----------
    device : Device
    ability : str
        One of the fields of `Abilities`.
    place : str
        What asks for it, for the complaint.

    Raises
    ------
    ConfigurationError
        Naming the device, and those that can.
    """
    if not getattr(device.abilities, ability):
        raise ConfigurationError(f"the device {device.name!r} cannot {Abilities.words(ability)}", place, able(ability))


def check(device: Device, plan: Plan, replicates: int = 1) -> None:
    """Refuse a plan that a device cannot run, before anything is built.

    Parameters
    ----------
    device : Device
    plan : Plan
    replicates : int
        Networks of the plan that are to run side by side, where it is not the plan of all yet.

    Raises
    ------
    ConfigurationError
        Saying what it lacks.
    """
    if max(plan.replicates, replicates) > 1:
        require(device, "replicates", "--replicates")
    if plan.precision == "single":
        require(device, "single", "precision")
        if any(each.template == "inverse" for each in plan.of(Pathway)):
            raise ConfigurationError(
                "the inverse correlation of a network's states (rule force) needs double precision", "precision"
            )


__all__ = ["DEFAULT", "FALLBACK", "Abilities", "Device", "able", "all_devices", "check", "default", "get", "require"]
