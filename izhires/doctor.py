"""What works on this machine, found out by trying, and what to install for what does not."""

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from izhires.errors import IzhiresError, ToolchainError

if TYPE_CHECKING:
    from izhires.building.plan import Plan
    from izhires.devices.standalone import StandaloneDevice

from izhires.devices import DEFAULT, Device, all_devices

PACKAGES = ("izhires", "brian2", "numpy", "scipy", "pandas", "xarray", "netCDF4")
"""What the package needs; devices may need others besides."""

# newest Brian2 that each Python runs
FITTING = {(3, 11): "2.9", (3, 12): "2.10", (3, 13): "2.11"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Parameters
    ----------
    subject : str
        What.
    works : bool or None
        None where it is only told.
    text : str
        What was found, and for what does not work, what to install.
    needed : bool
        Whether the package is of little use without it.
    """

    subject: str
    works: bool | None
    text: str
    needed: bool = False


def examine(report: Callable[[str], None] = lambda subject: None, quick: bool = False) -> Iterator[Finding]:
    """Look at everything, in the order in which a user needs it; try every device but where it is to be `quick`."""
    yield from _python()
    yield from _tools()
    yield from _compiler()
    yield from _cuda()
    yield _cache()
    if quick:
        return
    plan, arrays = _toy()
    for name in all_devices():
        report(f"trying the {name} device")
        yield _try(name, plan, arrays)


def _python() -> Iterator[Finding]:
    text = f"{platform.python_version()}, {platform.system()} {platform.machine()}"
    yield Finding("python", sys.version_info >= (3, 11), text, needed=True)
    found = {}
    optional = {
        name: f"for --device {device} only: {how}"
        for device, each in all_devices().items()
        for name, how in each.packages.items()
    }
    for name in (*PACKAGES, *optional):
        try:
            found[name] = version(name)
            yield Finding(name, True, found[name])
        except PackageNotFoundError:
            how = optional.get(name, f"pip install {name}")
            yield Finding(name, False, f"not installed; {how}", needed=name not in optional)
    from izhires.devices.cpp import untested

    fitting = FITTING.get(sys.version_info[:2])
    here = found.get("brian2", "")
    if fitting and here and not here.startswith(f"{fitting}."):
        yield Finding("versions", None, f"brian2 {here} here; {fitting} is the newest that was tried on this Python")
    if here and (because := untested()):
        text = f"{because}; device cpp uses Brian2's own, which are several times slower"
        yield Finding("templates", None, text)


def _tools() -> Iterator[Finding]:
    """Look for what devices need on the PATH, but for the compiler, of which more is told."""
    from izhires.devices.cpp import compiler

    devices = all_devices()
    wanted = {tool: package for each in devices.values() for tool, package in each.tools().items()}
    for tool, package in wanted.items():
        if tool == compiler():
            continue
        users = [name for name, each in devices.items() if tool in each.tools()]
        only = "" if DEFAULT in users else f", for --device {' or '.join(users)} only"
        found = shutil.which(tool)
        text = found or f"not on the PATH; install {package}{only}"
        yield Finding(tool, found is not None, text, needed=not only)


def _compiler() -> Iterator[Finding]:
    from izhires.devices.cpp import COLD_FLAGS, FLAGS, GCC_HOT_FLAGS, HOT_FLAGS, compiler, compiler_version

    try:
        flags = " ".join([*FLAGS, *HOT_FLAGS, *GCC_HOT_FLAGS])
        yield Finding(
            "compiler", True, f"{compiler()}: {compiler_version()}; {flags}; cold parts {' '.join(COLD_FLAGS)}", True
        )
    except IzhiresError as error:
        yield Finding("compiler", False, error.complaints[0].problem, True)


def _cuda() -> Iterator[Finding]:
    from izhires.devices import cuda

    place = cuda.curand()
    yield Finding(
        "cuRAND",
        place is not None,
        f"{place}" if place else "missing; install it with the CUDA toolkit, or: pip install nvidia-curand",
    )
    found = cuda.gpu()
    text = (
        f"{found[0]}, compute capability {found[1]}"
        if found
        else "none here; 'izhires export --device cuda' writes a project for one"
    )
    yield Finding("GPU", found is not None, text)
    lacking = cuda.CudaDevice.cannot_generate()
    yield Finding("brian2 for brian2cuda", not lacking, lacking or "versions go together")


def _cache() -> Finding:
    from izhires.devices.standalone import builds, cache_folder

    try:
        found, folder = builds(), cache_folder()
    except ToolchainError as error:  # no home folder
        return Finding("cache", False, error.complaints[0].problem, True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Finding(
            "cache", False, f"{folder}: {error.strerror}; set XDG_CACHE_HOME to a folder that can be written to", True
        )
    free = shutil.disk_usage(folder).free / 1e9
    size = sum(build.size for build in found) / 1e6
    return Finding("cache", True, f"{folder}: {len(found)} builds, {size:.0f} MB, {free:.0f} GB free", True)


def _toy() -> tuple[Plan, dict[str, Any]]:
    """Return the plan of a small network that learns for a few trials."""
    from izhires.building.draft import make_plan
    from izhires.model.configuration import Configuration

    block = {"trials": 2, "latency": {"A": "100 ms"}, "probability": {"A": 1.0}}
    task = {
        "type": "meet",
        "blocks": [block],
        "warm_up": 0,
        "trial_duration": "300 ms",
        "cue_onset": "20 ms",
        "window": "200 ms",
    }
    circuit = {"type": "random", "n": 50, "out_degree": 10}
    configuration = Configuration(reservoir=circuit, paradigm=task)
    experiment = configuration.paradigm.experiment(configuration.seeds.generator("trials"))
    return make_plan(configuration, experiment, configuration.seeds)


def _try(name: str, plan: Plan, arrays: dict[str, Any]) -> Finding:
    """Build and run the small network, and compare what came out with what must."""
    from izhires.building.parts import Monitor
    from izhires.devices import get
    from izhires.devices.standalone import StandaloneDevice

    device = get(name)
    needed = name == DEFAULT
    if lacking := device.missing():
        if isinstance(device, StandaloneDevice) and not needed and not device.cannot_generate():
            return _generate(device, plan, lacking)
        return Finding(f"device {name}", False, lacking, needed)
    if not device.quick:
        return _try_one_cell(device)
    try:
        began = time.perf_counter()
        program = device.prepare(plan)
        built = time.perf_counter() - began
        began = time.perf_counter()
        outputs = program.run(arrays)
        took = time.perf_counter() - began
    except IzhiresError as error:
        return Finding(f"device {name}", False, " ".join(str(error).split()), needed)
    except Exception as error:  # whatever an installation says whose parts do not fit
        return Finding(f"device {name}", False, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}", needed)
    spikes = len(outputs["spikes.t"])
    good = spikes > 0 and all(
        len(outputs[f"{each.name}.t"]) == plan.rows(each) for each in plan.of(Monitor) if each.every
    )
    text = f"a small network built in {built:.1f} s, ran in {took:.1f} s, {spikes} spikes"
    if device.abilities.own_templates:
        text += f"; templates: {program.templates}"
    return Finding(f"device {name}", good, text, needed)


def _try_one_cell(device: Device) -> Finding:
    """Run one cell with a runtime target of Brian2: compiling all pieces of a network takes minutes there."""
    import brian2 as b2

    before = b2.prefs.codegen.target
    try:
        began = time.perf_counter()
        b2.prefs.codegen.target = device.name
        cell = b2.NeuronGroup(1, "dv/dt = -v/(10*ms) : 1", method="euler", name="doctor_cell")
        cell.v = 1
        b2.Network(cell).run(10 * b2.ms)
        took = time.perf_counter() - began
        good = 0.35 < cell.v[0] < 0.38
        return Finding(
            f"device {device.name}",
            bool(good),
            f"one cell built and run in {took:.1f} s; a whole model takes minutes to compile",
        )
    except Exception as error:  # whatever the compiler or Cython say
        return Finding(f"device {device.name}", False, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")
    finally:
        b2.prefs.codegen.target = before


def _generate(device: StandaloneDevice, plan: Plan, lacking: str) -> Finding:
    """Write a project where none can run."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            device.write_project(plan, Path(folder))
        except IzhiresError as error:
            return Finding(f"device {device.name}", False, str(error))
    return Finding(f"device {device.name}", False, f"a project can be written; to run it: {lacking}")
