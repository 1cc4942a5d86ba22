"""What this machine has, and what a run takes of it: cores and memory."""

from __future__ import annotations

import math
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from izhires.building.parts import Monitor, Pathway

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import xarray as xr

    from izhires.building.plan import Plan

WORKER_MEMORY = 250e6
"""What a worker holds besides the results of its run, bytes: Python with the libraries that it imports."""

INVERSE_BYTES = 48
"""Memory that an entry of the inverse correlation of the states takes in the program, see ``force``, bytes: its value,
source, target and matrix, and where Brian2 keeps which are whose. Measured: 44 with 1,500 cells and two matrices."""


CGROUPS = Path("/sys/fs/cgroup")
"""Where Linux shows its control groups: one tree (version 2), or one for each resource (version 1)."""

MEMBERSHIP = Path("/proc/self/cgroup")
"""Which groups this process is in."""

GRANTED = ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE", "PBS_NCPUS", "NSLOTS", "LSB_DJOB_NUMPROC")
"""Variables in which the schedulers of clusters (SLURM, PBS, Grid Engine, LSF) say how many cores a job has here."""


def cores() -> int:
    """Return the number of cores that this process may use.

    By its affinity, the share of processor time of its control groups, and what a cluster's scheduler granted.
    """
    found = [float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)]
    for group in _groups("cpu"):
        with suppress(ValueError, ZeroDivisionError):  # "max", or no such file
            first = _words(group / "cpu.max")
            quota, period = first or _words(group / "cpu.cfs_quota_us") + _words(group / "cpu.cfs_period_us")
            if float(quota) > 0:  # -1 is no limit
                found.append(float(quota) / float(period))
    for name in GRANTED:
        with suppress(ValueError):
            if int(os.environ.get(name, "")) > 0:
                found.append(int(os.environ[name]))
    return max(1, math.ceil(min(found)))


def _groups(controller: str) -> Iterator[Path]:
    """Give the folders of the control groups that this process is in, outer ones too: the limits of all hold."""
    with suppress(OSError, ValueError):
        for line in MEMBERSHIP.read_text().splitlines():
            _, controllers, name = line.split(":", 2)
            if controllers and controller not in controllers.split(","):
                continue
            root = CGROUPS / controllers
            # seen from inside a container, the path may be that of the host, and its own group is the root
            own = root / name.lstrip("/")
            yield from (each for each in (own, *own.parents) if each.is_relative_to(root) and each.is_dir())


def _words(path: Path) -> tuple[str, ...]:
    """Return what a file of a control group says; nothing where there is none."""
    with suppress(OSError):
        return tuple(path.read_text().split())
    return ()


def needed_memory(plan: Plan, at_once: int = 1, replicates: int = 1) -> float:
    """Return an estimate of the memory that runs take, bytes: the one by which runs are announced, chosen and refused.

    Of each its results once (the program writes long ones to the disk, from where they are read), its signals and
    synapses in the program and in the worker; and the workers themselves.

    Parameters
    ----------
    plan : Plan
        Of one network.
    at_once : int
        Workers.
    replicates : int
        Networks side by side in each.
    """
    return at_once * (WORKER_MEMORY + replicates * network_memory(plan))


def network_memory(plan: Plan) -> float:
    """Return an estimate of the memory that one network takes, without the worker that runs it, bytes."""
    inputs = sum(array_bytes(dtype, shape) for dtype, shape in plan.shapes.values())
    # P is not handed over, but made by the program
    matrices = sum(plan.length(each.name) for each in plan.of(Pathway) if each.template == "inverse")
    return recorded_bytes(plan) + 4 * inputs + matrices * INVERSE_BYTES


def recorded_bytes(plan: Plan) -> float:
    """Return what the monitors of every so many steps record in a run of one network, bytes."""
    monitors = [monitor for monitor in plan.of(Monitor) if monitor.every]
    value = 4.0 if plan.precision == "single" else 8.0  # times are double in either
    return sum(plan.rows(each) * (8.0 + value * plan.columns(each) * len(each.variables)) for each in monitors)


def array_bytes(dtype: str, shape: tuple[float, ...]) -> float:
    """Return the size of an array, bytes."""
    import numpy as np

    return float(np.dtype(dtype).itemsize * np.prod(shape, dtype=float))


def processes_for(plan: Plan, most: int | None = None) -> int:
    """Return how many runs of a plan this machine holds at once: one per core, as far as its free memory goes."""
    if os.name != "posix":
        return 1
    fitting = int(available_memory() // needed_memory(plan))
    return max(1, min(most or cores(), fitting))


def analyses_for(recordings: Sequence[xr.Dataset]) -> int:
    """Return how many recordings to analyse at once: one per core, as far as the free memory goes."""
    # as it is sent, as it is received, and what is computed of it
    each = WORKER_MEMORY + 4 * max(recording.nbytes for recording in recordings)
    return max(1, min(cores(), int(available_memory() // each)))


def available_memory() -> float:
    """Return the memory, bytes, that new processes may take: what is free here, within the limit of a container."""
    free = float("inf")
    try:
        lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        free = float(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
            free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2  # half: others need some, too
    for group in _groups("memory"):
        for limit, used, reclaimed in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            with suppress(ValueError, TypeError):  # "max", or no such file
                (most,), (now,) = _words(group / limit), _words(group / used)
                statistics = _words(group / "memory.stat")
                # files that were read and can be dropped count as used
                cached = dict(zip(statistics[::2], statistics[1::2], strict=False)).get(reclaimed, "0")
                free = min(free, float(most) - float(now) + float(cached))
    return max(0.0, min(free, _granted_memory()))


def _granted_memory() -> float:
    """Return the memory that SLURM grants a job on this machine, bytes; it may watch over it without a group."""
    found = [float("inf")]
    for name, many in (("SLURM_MEM_PER_NODE", "1"), ("SLURM_MEM_PER_CPU", os.environ.get("SLURM_CPUS_ON_NODE", ""))):
        with suppress(ValueError):
            megabytes = float(os.environ.get(name, "")) * int(many)
            if megabytes > 0:  # 0 is all that there is
                found.append(megabytes * 2**20)
    return min(found)


_programs = 0.0


def note_program(peak: float) -> None:
    """Remember the most memory that a program which this process ran has held, bytes, as it told itself."""
    global _programs
    _programs = max(_programs, peak)


def peak_memory() -> int:
    """Return the most memory that this process and any one program that it ran have held together, bytes."""
    try:
        import resource
    except ImportError:
        return 0
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    try:  # what Linux counts for a process begins with what its parent held
        status = Path("/proc/self/status").read_text()
        own = 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    except (OSError, StopIteration, ValueError):
        pass
    return int(own + _programs)
