"""One run: paradigm + model + seeds + device -> recording."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from izhires import paradigms
from izhires.building.draft import make_plan
from izhires.building.parts import Monitor
from izhires.building.plan import Plan
from izhires.building.replicates import combine, split
from izhires.declare import Declaration, classes_of
from izhires.devices import DEFAULT, Device, check, get
from izhires.devices.base import noise_seed
from izhires.errors import ConfigurationError, SimulationError
from izhires.imports import used
from izhires.model.configuration import Configuration
from izhires.model.seeds import Seeds
from izhires.recordings import bounds, elapsed, schema
from izhires.recordings.recording import assemble, mean_rates, of_experiment, portions, task_values
from izhires.recordings.schema import LAYOUT
from izhires.units import MS

if TYPE_CHECKING:
    import brian2 as b2
    import xarray as xr

    from izhires.model.connection import Connection
    from izhires.paradigms.experiment import Experiment
    from izhires.readouts.base import Readout


def simulate(
    configuration: Configuration | None = None,
    seed: int = 0,
    variant: str = "",
    device: str | Device = DEFAULT,
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
        The recording, see `izhires.recordings.recording`.

    Raises
    ------
    ConfigurationError, ParadigmError
        If something declared cannot be.
    ToolchainError
        If the device cannot be used.
    SimulationError
        If the network is silent, ran away, or did not finish.
    RecordingError
        If what a part of one's own records makes it no whole recording.
    """
    (found,) = simulate_together([draw(configuration or Configuration(), seed, variant)], device, report)
    if isinstance(found, SimulationError):
        raise found
    schema.check(found, found.attrs["title"])  # as `save` does: what a user's own parts record is in it
    return found


@dataclass(frozen=True)
class Drawn:
    """What a seed makes of a configuration: the trials, the plan, and its numbers."""

    configuration: Configuration
    seeds: Seeds
    variant: str
    experiment: Experiment
    plan: Plan
    arrays: dict[str, np.ndarray]


def draw(configuration: Configuration, seed: int, variant: str = "", experiment: Experiment | None = None) -> Drawn:
    """Draw trials and network of one run; `experiment` are its trials, where these were drawn already.

    Raises
    ------
    ConfigurationError, ParadigmError
        If something declared cannot be.
    """
    if not isinstance(configuration, Configuration):
        problem = f"is a {type(configuration).__name__}; make it one with izhires.Configuration.parse(...)"
        raise ConfigurationError(problem, "configuration")
    seeds = configuration.seeds.with_changes(seed=seed)
    experiment = experiment or configuration.paradigm.experiment(seeds.generator("trials"), variant)
    task_values(experiment)  # what cannot be written is refused before anything is simulated
    return Drawn(configuration, seeds, variant, experiment, *make_plan(configuration, experiment, seeds))


def network(configuration: Configuration | None = None, seed: int = 0, variant: str = "") -> b2.Network:
    """Return the network of a configuration, with all objects by name, to be run as any Brian2 network.

    It is made on whatever device the session has set: Brian2's runtime, ``cpp_standalone``, ``cuda_standalone``.
    Groups, synapses and monitors of one's own are added to it; `brian2.scheduling_summary` shows what there is. Every
    trial of the experiment is in it: ``network.run(duration)`` runs the first of them.

    Parameters
    ----------
    configuration : Configuration, optional
        The default is the paper's task on the default circuit.
    seed : int
        Seed of every stream that the configuration does not fix. That of the noise becomes the seed of Brian2's own
        random numbers.
    variant : str
        One of the paradigm's variants, for paradigms that have several.

    Returns
    -------
    brian2.Network

    Raises
    ------
    ConfigurationError, ParadigmError
        If something declared cannot be.

    Examples
    --------
    >>> import brian2 as b2, izhires
    >>> net = izhires.network(izhires.Configuration(), seed=100)  # doctest: +SKIP
    >>> trace = b2.StateMonitor(net["cells"], "v", record=[0, 1, 2])  # doctest: +SKIP
    >>> net.add(trace)  # doctest: +SKIP
    >>> net.run(3 * b2.second)  # doctest: +SKIP
    """
    import brian2 as b2

    from izhires.building.build import build

    drawn = draw(configuration or Configuration(), seed, variant)
    if drawn.plan.precision == "single":
        problem = "a session's own network has the precision of brian2.prefs.core.default_float_dtype; set that"
        raise ConfigurationError(problem, "precision")
    b2.seed(noise_seed(drawn.arrays))
    return build(drawn.plan, drawn.arrays).network


def simulate_together(
    networks: list[Drawn], device: str | Device = DEFAULT, report: Callable[[str, float], None] | None = None
) -> list[xr.Dataset | SimulationError]:
    """Run several networks of one plan side by side, as one network with block-diagonal synapses.

    That fills a GPU, and is slower than separate processes on a CPU. The noise of all comes from the generator of the
    first seed; without noise each recording is that of its seed alone.

    Parameters
    ----------
    networks : list of Drawn
        Seeds and parameter values may differ; the times of the trials may not.
    device, report
        As `simulate` has them.

    Returns
    -------
    list of xarray.Dataset or SimulationError
        The recording of each network, or what is wrong with it.

    Raises
    ------
    IzhiresError
        As `simulate` does, for what concerns all.
    """
    say = report or (lambda stage, share: None)
    if isinstance(device, str):
        device = get(device)
    plan, arrays = combine([each.plan for each in networks], [each.arrays for each in networks])
    check(device, plan)
    say("build", 0.0)
    program = device.prepare(plan)
    say("run", 0.0)
    began = time.perf_counter()
    cells, many = plan.cells * plan.replicates, plan.replicates
    limits = [each.configuration.keep.fastest_rate for each in networks]
    # of several networks one may run away, firing at every step, and the others still have their recordings
    allowed = limits[0] if many == 1 else sum(sorted(limits)[1:]) + 1 / plan.cell_step
    most = allowed * plan.cells * plan.duration

    def progress(share: float, spikes: int) -> None:
        if spikes > most:  # by now the mean over the whole run, whatever comes
            now = share * plan.duration
            rate = spikes / cells / max(now, plan.readout_step)
            which = "the network" if many == 1 else f"at least two of the {many} networks side by side"
            raise SimulationError(
                f"{which} ran away: mean rate {rate:.3g} Hz in the first {now:.3g} s of {plan.duration:.4g} s, "
                f"hence more than keep.fastest_rate {limits[0]:g} Hz over the whole run"
            )
        say("run", share)

    outputs = split(plan, program.run(arrays, progress))
    took = time.perf_counter() - began
    peak = program.measured.get("peak_bytes", 0.0)
    facts = Execution(device.name, program.templates, program.schedule(), program.build_seconds, took, peak, many,
                      program.units)  # fmt: skip
    found: list[xr.Dataset | SimulationError] = []
    for each, own in zip(networks, outputs, strict=True):
        try:
            found.append(record(each, own, facts))
        except SimulationError as error:
            found.append(error)
    return found


@dataclass(frozen=True)
class Execution:
    """How a run was done: device, whether its program has this package's templates, Brian2's schedule, seconds to build
    and to run, the most memory its program had (0 if unknown), how many networks ran as one, and the outputs' units.
    """

    device: str
    templates: str
    schedule: str
    build_seconds: float
    run_seconds: float
    peak_bytes: float = 0.0
    replicates: int = 1
    units: Mapping[str, str] | None = None


def record(drawn: Drawn, outputs: dict[str, np.ndarray], facts: Execution) -> xr.Dataset:
    """Check what a program returned, and make the recording of it.

    Raises
    ------
    SimulationError
        If the network was silent, ran away, or its readouts diverged.
    """
    configuration, seeds, variant = drawn.configuration, drawn.seeds, drawn.variant
    experiment, plan = drawn.experiment, drawn.plan
    outputs = of_experiment(outputs, plan, experiment)
    check_readouts(drawn, outputs, facts)
    check_activity(drawn, outputs)
    cells = configuration.population(configuration.state.of)
    recording = assemble(plan, configuration, experiment, outputs, configuration.keep.spikes, drawn.arrays, facts.units)
    recording.attrs = {
        "title": f"izhires: {configuration.paradigm.type}{f' {variant}' if variant else ''}, seed {seeds.seed}",
        "layout": LAYOUT,
        "paradigm": configuration.paradigm.type,
        "variant": variant,
        "seed": seeds.seed,
        "configuration": json.dumps(configuration.to_dict()),
        "versions": json.dumps(
            {name: version(name) for name in ("izhires", "brian2", "numpy", "xarray")}
            | {"python": platform.python_version()}
        ),
        "git_commit": git_commit(),
        "imports": json.dumps(used(classes_of(configuration)) | configuration.extended()),
        "code": code(configuration),
        "plan": plan.fingerprint(),
        "precision": plan.precision,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "time_step": plan.readout_step,
        "window": experiment.window,
        "event_width": experiment.event_width,
        "cue_duration": experiment.cue_duration,
        "duration": experiment.duration,
        "time_told": elapsed.as_text(elapsed.measure(experiment, outputs, cells.n, cells.tau_trace * MS)),
        **{name: value for name, value in asdict(facts).items() if name != "units"},
        **configuration.reservoir.facts(seeds, configuration.time_step),
    }
    if worse := bounds.remark_on(recording):
        recording.attrs["worse_than_bounds"] = worse
    return recording


def check_activity(drawn: Drawn, outputs: dict[str, np.ndarray]) -> None:
    """Refuse a network that is silent or ran away.

    Raises
    ------
    SimulationError
        With the rates.
    """
    configuration = drawn.configuration
    cells = configuration.population(configuration.state.of)
    excitatory = cells.excitatory()
    rates = mean_rates(cells.n, drawn.experiment.duration, outputs)
    signs = {"excitatory": excitatory, "inhibitory": ~excitatory}
    each = ", ".join(f"{sign} {rates[own].mean():.3g} Hz" for sign, own in signs.items() if own.any())
    found = f"mean rate {rates.mean():.3g} Hz ({each})"
    keep = configuration.keep
    if rates.mean() < keep.slowest_rate:
        raise SimulationError(f"the network is silent: {found}, less than keep.slowest_rate {keep.slowest_rate:g} Hz")
    if rates.mean() > keep.fastest_rate:
        raise SimulationError(f"the network ran away: {found}, more than keep.fastest_rate {keep.fastest_rate:g} Hz")


class Diverged(SimulationError):  # noqa: N818
    """A readout or the weights of a connection diverged.

    `partial` is the recording of the trials that ended before, None when there was none.
    """

    partial: xr.Dataset | None = None


def check_readouts(drawn: Drawn, outputs: dict[str, np.ndarray], facts: Execution) -> None:
    """Refuse readouts that diverged, and connections whose weights left their bounds.

    Raises
    ------
    Diverged
        With the trial, the readout or connection, and its rule.
    """
    configuration, plan, trials = drawn.configuration, drawn.plan, drawn.experiment.trials
    readouts, connections = configuration.all_readouts(), configuration.connections
    watching: dict[str, Readout | Connection] = {**readouts, **connections}
    watched = [(name, *each) for name, owner in watching.items() for each in enumerate(owner.watched(name))]
    found = []
    # in the order in which one makes the other diverge: what all of them say, then the weights of all
    for name, _, each in sorted(watched, key=lambda row: row[1]):
        every = plan.part(each.output.split(".")[0]).every
        for part in portions(len(outputs[each.output])):
            values = outputs[each.output][part]
            with np.errstate(invalid="ignore"):
                bad = ~(np.isfinite(values) & (np.abs(values) <= each.limit)).all(axis=1)
            if not bad.any():
                continue
            found.append(((part.start + np.argmax(bad)) * plan.readout_step * every, name, each.meaning))
            break
    if not found:
        return
    moment, owner, meaning = min(found, key=lambda each: each[0])
    trial = max(int(np.searchsorted(trials["onset"].to_numpy(), moment, side="right")) - 1, 0)
    row = trials.iloc[trial]
    when = f"in trial {trial} of {len(trials)} ({row['kind']}, block {row['block']}), at {moment:.3f} s"
    if owner in connections:
        low, high = connections[owner].bounds(owner)
        rules = ", ".join(repr(each.type) for each in connections[owner].plasticity)
        error = Diverged(
            f"the {meaning} were not all numbers from {low:g} to {high:g} mV/ms {when}: plasticity {rules}"
        )
    else:
        rule = getattr(readouts[owner], "rule", None)
        whose = f"rule {rule.type!r} of {owner!r}" if rule else repr(owner)
        error = Diverged(f"the {meaning} diverged {when}: {whose}; a smaller learning rate may keep it stable")
    before = trials[trials["onset"] + trials["duration"] <= moment]
    outcomes = drawn.experiment.outcomes
    outcomes = outcomes[outcomes["block"].isin(before["block"])]
    heard = drawn.experiment.inputs
    if heard is not None:
        heard = heard[heard["onset"] + heard["duration"] <= moment]
    if len(before) and (heard is None or len(heard)):  # without a pulse there is nothing to look at
        times = {monitor.name: outputs[f"{monitor.name}.t"] < moment for monitor in plan.of(Monitor)}
        ended = {name: values[times[name.split(".")[0]]] for name, values in outputs.items()}
        error.partial = record(
            dataclasses.replace(
                drawn,
                experiment=dataclasses.replace(drawn.experiment, trials=before, outcomes=outcomes, inputs=heard),
                plan=dataclasses.replace(plan, steps=round(moment / plan.readout_step)),
            ),
            ended,
            facts,
        )
        error.partial.attrs["diverged"] = str(error)
    raise error


def code(*declarations: Declaration) -> str:
    """Return a hash of the sources that decide what a run gives: this package and its paradigms, not its analyses, and
    what the user imported (a device, say, that no declaration names), or wrote of these declarations.

    A recording made by other sources does not stand for one that these would make.
    """
    own = "".join(sorted(used(classes_of(declarations)).values()))
    return hashlib.sha256((_package() + own).encode()).hexdigest()[:16] if own else _package()


@cache
def _package() -> str:
    found = hashlib.sha256()
    rooms = (Path(__file__).resolve().parents[1], Path(paradigms.__file__).resolve().parent)
    for path in sorted(path for room in rooms for path in room.rglob("*") if path.suffix in (".py", ".cpp")):
        if not {"cli", "formats", "sweeps"} & set(path.parts):
            found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()[:16]


def git_commit() -> str:
    """Return the commit of the checkout this package runs from, with ``+`` if it was changed since; else nothing."""
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
