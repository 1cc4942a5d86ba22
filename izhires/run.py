"""One run: paradigm + model + seeds + device -> recording."""

from __future__ import annotations

import json
import platform
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from izhires.configuration import Configuration
from izhires.devices import Device, get
from izhires.devices.base import Program
from izhires.errors import SimulationError
from izhires.plan import Plan, make_plan
from izhires.recording import LAYOUT, assemble
from izhires.seeds import Seeds

if TYPE_CHECKING:
    import xarray as xr


def simulate(
    configuration: Configuration | None = None,
    seed: int = 0,
    variant: str = "",
    device: str | Device = "cpp",
    report: Callable[[str, float], None] | None = None,
) -> xr.Dataset:
    """Run one network through one experiment.

    Parameters
    ----------
    configuration : Configuration
        Task, model and what to keep; the default is the paper's task on the default circuit.
    seed : int
        Seed of every stream that the configuration does not fix.
    variant : str
        One of the paradigm's variants, for paradigms that have several.
    device : str or Device
        Where to run.
    report : callable, optional
        Called with ``"build"`` or ``"run"`` and the share that is done.

    Returns
    -------
    xarray.Dataset
        The recording, see `izhires.recording`.

    Raises
    ------
    ConfigurationError, ParadigmError
        If something declared cannot be.
    ToolchainError
        If the device cannot be used.
    SimulationError
        If the network is silent, ran away, or did not finish.
    """
    configuration = configuration or Configuration()
    say = report or (lambda stage, share: None)
    if isinstance(device, str):
        device = get(device)
    seeds = configuration.seeds.with_changes(seed=seed)
    experiment = configuration.paradigm.experiment(seeds.generator("trials"), variant)
    plan, arrays = make_plan(configuration, experiment, seeds)
    say("build", 0.0)
    program = device.prepare(plan)
    say("run", 0.0)
    began = time.perf_counter()
    most = configuration.keep.fastest_rate * plan.cells * plan.duration

    def progress(share: float, spikes: int) -> None:
        if spikes > most:  # by now the mean over the whole run, whatever comes
            now = share * plan.duration
            rate = spikes / plan.cells / max(now, plan.readout_step)
            raise SimulationError(
                f"the network ran away: mean rate {rate:.3g} Hz in the first {now:.3g} s of {plan.duration:.4g} s, hence more than "
                f"keep.fastest_rate {configuration.keep.fastest_rate:g} Hz over the whole run"
            )
        say("run", share)

    outputs = program.run(arrays, progress)
    took = time.perf_counter() - began
    check_activity(plan, configuration, outputs)
    recording = assemble(plan, configuration, experiment, outputs, configuration.keep.spikes)
    recording.attrs = attributes(configuration, seeds, variant, device, plan, program, took, experiment.__dict__)
    return recording


def check_activity(plan: Plan, configuration: Configuration, outputs: dict[str, np.ndarray]) -> None:
    """Refuse a network that is silent, ran away, or whose readouts diverged.

    Raises
    ------
    SimulationError
        With the rates.
    """
    excitatory = configuration.reservoir.excitatory()
    rates = np.bincount(outputs["spikes.i"], minlength=plan.cells) / plan.duration
    found = f"mean rate {rates.mean():.3g} Hz (excitatory {rates[excitatory].mean():.3g} Hz"
    found += f", inhibitory {rates[~excitatory].mean():.3g} Hz)" if not excitatory.all() else ")"
    keep = configuration.keep
    if rates.mean() < keep.slowest_rate:
        raise SimulationError(f"the network is silent: {found}, less than keep.slowest_rate {keep.slowest_rate:g} Hz")
    if rates.mean() > keep.fastest_rate:
        raise SimulationError(f"the network ran away: {found}, more than keep.fastest_rate {keep.fastest_rate:g} Hz")
    # in the order in which one makes the other diverge
    for name, meaning in (("when.z", "timing prediction"), ("snapshots.q", "identity prediction"),
                          ("snapshots.when", "timing weights"), ("snapshots.what", "identity weights")):  # fmt: skip
        bad = ~np.isfinite(outputs[name]).all(axis=1)
        if bad.any():
            step = plan.readout_step * (1 if name == "when.z" else plan.snapshot_steps)
            raise SimulationError(f"the {meaning} is no longer a number from {np.argmax(bad) * step:.3f} s on; {found}")


def attributes(
    configuration: Configuration,
    seeds: Seeds,
    variant: str,
    device: Device,
    plan: Plan,
    program: Program,
    run_seconds: float,
    facts: dict[str, Any],
) -> dict[str, Any]:
    """Return what a file needs to be understood and run again."""
    return {
        "title": f"izhires: {configuration.paradigm.type}{f' {variant}' if variant else ''}, seed {seeds.seed}",
        "layout": LAYOUT,
        "paradigm": configuration.paradigm.type,
        "variant": variant,
        "seed": seeds.seed,
        "configuration": json.dumps(configuration.to_dict()),
        "versions": json.dumps({name: version(name) for name in ("izhires", "brian2", "numpy", "xarray")}
                               | {"python": platform.python_version()}),
        "device": device.name,
        "git_commit": git_commit(),
        "plan": plan.fingerprint(),
        "schedule": program.schedule(),
        "build_seconds": program.build_seconds,
        "run_seconds": run_seconds,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "time_step": plan.readout_step,
        **{name: facts[name] for name in ("window", "event_width", "cue_duration")},
    }  # fmt: skip


def git_commit() -> str:
    """Return the commit of the checkout this package runs from, empty outside one, with ``+`` if it was changed since."""
    folder = Path(__file__).resolve().parent
    try:
        inside = subprocess.run(["git", "ls-files", "--error-unmatch", __file__], cwd=folder, capture_output=True)
        if inside.returncode != 0:  # installed inside somebody else's checkout
            return ""
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True)
        changed = subprocess.run(["git", "status", "--porcelain", "-uno"], cwd=folder, capture_output=True, text=True)
        return commit.stdout.strip() + ("+" if changed.stdout.strip() else "")
    except (OSError, subprocess.CalledProcessError):
        return ""
