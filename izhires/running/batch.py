"""Several runs into one folder: variants and seeds in parallel processes, each recording whole or absent."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from izhires.devices import DEFAULT, check, get
from izhires.errors import Complaint, ConfigurationError, IzhiresError, RecordingError, SimulationError
from izhires.files import as_path, remove_parts, whole
from izhires.model.configuration import Configuration, read
from izhires.running import resources

if TYPE_CHECKING:
    import xarray as xr

    from izhires.building.plan import Plan
    from izhires.running.run import Drawn

RunReport = Callable[[str, str, float], None]
"""Called with the name of a run, its stage, and the share that is done.

Stages are ``build`` (without a name when it serves all runs), ``run``, ``done``, ``failed``, ``kept`` (there already)
and ``removed``, with the name of a file that a killed run had not finished.
"""

HEADER = "# izhires run"
"""First words of the configuration that a folder of recordings holds."""


@dataclass(frozen=True)
class Job:
    """One run: a configuration, a variant of its paradigm, a seed, and the file of its recording."""

    variant: str
    seed: int
    path: Path
    configuration: Configuration = field(compare=False, repr=False)
    attributes: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What its recording is to hold besides, in `attrs`."""
    title: str = ""

    @property
    def name(self) -> str:
        """The name of the run on the terminal."""
        return self.title or f"{self.variant + ' ' if self.variant else ''}seed {self.seed}"


def jobs(configuration: Configuration, seeds: list[int], folder: Path) -> list[Job]:
    """Return the runs of a batch, in order of variant and seed, with the file of each."""
    name = configuration.paradigm.type
    return [
        Job(variant, seed, folder / f"{name}{'_' + variant if variant else ''}_seed{seed}.nc", configuration)
        for variant in configuration.paradigm.variants()
        for seed in seeds
    ]


def run_batch(
    configuration: Configuration,
    seeds: list[int],
    folder: str | Path,
    device: str = DEFAULT,
    processes: int | None = None,
    again: bool = False,
    report: RunReport | None = None,
    replicates: int = 1,
    first: Drawn | None = None,
) -> list[Path]:
    """Run every variant and seed, as many at once as there are cores.

    Recordings that the folder already holds of the same configuration, version and sources are kept, unless `again`.

    Parameters
    ----------
    configuration : Configuration
    seeds : list of int
    folder : str or Path
        Made when absent. It holds the runs of one configuration.
    device : str
    processes : int, optional
        At most this many at once; by default one per core.
    again : bool
        Run also what is there.
    report : callable, optional
    replicates : int
        This many seeds run side by side as one network, one such network at a time; it fills a GPU and is slower on a
        CPU.
    first : Drawn, optional
        The network of the first variant and seed, where it was drawn already.

    Returns
    -------
    list of Path

    Raises
    ------
    ConfigurationError
        If the folder holds recordings of another configuration.
    RecordingError
        If the folder is in use by another run, or cannot be written to.
    IzhiresError
        What went wrong in any run, after all others have ended.
    """
    from izhires.running.run import draw

    folder = as_path(folder, "folder")
    say = report or (lambda name, stage, share: None)
    todo = jobs(configuration, seeds, folder)
    # the first plan finds what is wrong with the task before a folder is made, and its build serves all seeds
    first = first or draw(configuration, todo[0].seed, todo[0].variant)
    plan = first.plan
    check(get(device), plan, replicates)

    @cache
    def of_variant(variant: str) -> Drawn:
        return first if variant == first.variant else draw(configuration, first.seeds.seed, variant)

    with claimed(folder, configuration) as removed:
        for name in removed:
            say(name, "removed", 1.0)
        there = [] if again else [job for job in todo if _is_there(job, of_variant, device, replicates)]
        missing = [job for job in todo if job not in there]
        for job in todo:
            if job not in missing:
                say(job.name, "kept", 1.0)
        if not missing:
            return [job.path for job in todo]
        # more processes than runs would only cost their start
        at_once = min(processes or resources.processes_for(plan), len(missing)) if os.name == "posix" else 1
        check_memory(plan, at_once, min(replicates, len(missing)))
        check_space(plan, folder, len(missing), at_once if replicates == 1 else min(replicates, len(missing)))
        if replicates > 1:
            failed = _side_by_side(missing, device, say, replicates)
        else:
            say("", "build", 0.0)
            get(device).prepare(plan)
            say("", "build", 1.0)
            if at_once == 1:
                drawn = {todo[0]: first}
                found = [_error_of(job, device, say, drawn.pop(job, None)) for job in missing]
                failed = [error for error in found if error is not None]
            else:
                failed = _in_processes(missing, device, say, at_once)
    if failed:
        raise type(failed[0])([complaint for error in failed for complaint in error.complaints])
    return [job.path for job in todo]


def _side_by_side(jobs: list[Job], device: str, say: RunReport, replicates: int) -> list[IzhiresError]:
    """Do runs in groups that are one network each; write one recording a job, and return the errors."""
    from izhires.running.run import draw, simulate_together

    errors: list[IzhiresError] = []
    for variant in dict.fromkeys(job.variant for job in jobs):
        own = [job for job in jobs if job.variant == variant]
        for start in range(0, len(own), replicates):
            group = own[start : start + replicates]

            def tell(stage: str, share: float, group: list[Job] = group) -> None:
                for job in group:
                    say(job.name, stage, share)

            found: list[xr.Dataset | SimulationError]
            try:
                found = simulate_together([draw(job.configuration, job.seed, variant) for job in group], device, tell)
            except SimulationError as error:  # of all
                found = [error] * len(group)
            for job, each in zip(group, found, strict=True):
                try:
                    _finish(job, each, say)
                except IzhiresError as error:
                    errors.append(error)
    return errors


def run_job(job: Job, device: str, say: RunReport, drawn: Drawn | None = None) -> None:
    """Do one run of a batch and write its recording; `drawn` is its network, where it was drawn already.

    Raises
    ------
    IzhiresError
        Naming the run.
    """
    from izhires.running.run import draw, simulate_together

    try:
        drawn = drawn or draw(job.configuration, job.seed, job.variant)
        (found,) = simulate_together([drawn], device, lambda stage, share: say(job.name, stage, share))
    except IzhiresError as error:
        say(job.name, "failed", 1.0)
        raise _of(job, error) from error
    _finish(job, found, say)


def _finish(job: Job, found: xr.Dataset | SimulationError, say: RunReport) -> None:
    """Write the recording of a job, or raise what went wrong with it."""
    from izhires.recordings.recording import save
    from izhires.running.run import Diverged

    try:
        if isinstance(found, Diverged) and found.partial is not None:
            # apart from the whole ones, which alone are analysed
            kept = save(found.partial, job.path.parent / "diverged" / job.path.name)
            raise SimulationError(f"{found}; the trials before it are kept in {kept}")
        if isinstance(found, SimulationError):
            raise found
        found.attrs |= job.attributes
        save(found, job.path)
    except IzhiresError as error:
        say(job.name, "failed", 1.0)
        raise _of(job, error) from error
    say(job.name, "done", 1.0)


def _of(job: Job, error: IzhiresError) -> IzhiresError:
    """Return an error that names its job."""
    return type(error)(Complaint(job.name, str(each)) for each in error.complaints)


def _error_of(job: Job, device: str, say: RunReport, drawn: Drawn | None) -> IzhiresError | None:
    try:
        run_job(job, device, say, drawn)
    except IzhiresError as error:
        return error
    return None


def _in_processes(waiting: list[Job], device: str, say: RunReport, at_once: int) -> list[IzhiresError]:
    """Do several runs at once, each worker one after the other; return the errors."""
    from izhires.running.worker import Task, run_tasks

    order = {job.name: k for k, job in enumerate(waiting)}
    tasks = deque(Task(job.name, run_job, (job, device)) for job in waiting)
    errors = []
    with closing(run_tasks(tasks, at_once, say)) as outcomes:
        for task, outcome in outcomes:
            if outcome.error is not None:
                say(task.name, "failed", 1.0)
                errors.append(outcome.error)
    return sorted(errors, key=lambda error: order.get(error.complaints[0].place, 0))


def check_memory(plan: Plan, at_once: int, replicates: int = 1) -> None:
    """Refuse to begin what the memory cannot hold.

    Raises
    ------
    SimulationError
        With what is needed, about, and what is free.
    """
    # of each run in a process of its own, or of all side by side in one
    workers = at_once if replicates == 1 else 1
    needed, free = resources.needed_memory(plan, workers, replicates), resources.available_memory()
    if needed > free:
        which = f"{at_once} runs at once need" if at_once > 1 and replicates == 1 else "the run needs"
        raise SimulationError(
            f"{which} about {needed / 1e6:.0f} MB of memory, {free / 1e6:.0f} MB are free; "
            "fewer processes, cells or trials need less"
        )


def check_space(plan: Plan, folder: Path, runs: int, at_once: int) -> None:
    """Refuse to begin what the disk cannot hold.

    Raises
    ------
    RecordingError
        With what is needed, at the least, and what is free.
    """
    # a recording keeps what was recorded in the probes
    results = resources.recorded_bytes(plan)
    for where, needed in ((folder, runs * results / 4), (Path(tempfile.gettempdir()), at_once * results)):
        free = shutil.disk_usage(where).free
        if free < needed:
            raise RecordingError(
                f"has {free / 1e6:.3g} MB free, the run needs at least {needed / 1e6:.3g} MB there", str(where)
            )


def _is_there(job: Job, of_variant: Callable[[str], Drawn], device: str, replicates: int) -> bool:
    """Whether the job's recording is whole and was made by this configuration, device and code.

    One that ran beside others has noise that depends on them, and does not stand for one that ran alone.
    """
    from importlib.metadata import version

    from izhires.recordings.recording import load
    from izhires.running.run import code

    if not job.path.exists():
        return False
    try:
        found = load(job.path).attrs
    except RecordingError:
        return False
    return (
        found.get("code") == code(of_variant(job.variant).configuration)
        and found["device"] == device
        and json.loads(found["versions"])["izhires"] == version("izhires")
        and json.loads(found["configuration"]) == of_variant(job.variant).configuration.to_dict()
        and found["plan"] == of_variant(job.variant).plan.fingerprint()
        and (found["replicates"] == 1 or replicates > 1)
    )


@contextmanager
def claimed(folder: Path, configuration: Configuration | None = None) -> Iterator[list[str]]:
    """Hold a folder for one run at a time and one configuration; give the names of what killed runs left unfinished.

    Without a configuration it may hold recordings of several.

    Raises
    ------
    RecordingError
        If another run writes there now, or the folder cannot be written to.
    ConfigurationError
        If it holds another configuration.
    """
    from filelock import FileLock, Timeout

    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(FileLock(folder / ".lock", timeout=0))
            if configuration is not None:
                _keep_configuration(folder, configuration)
            removed = remove_parts(folder)
        except Timeout:
            raise RecordingError("another run is writing into this folder", str(folder)) from None
        except OSError as error:
            raise RecordingError(f"cannot be written to: {error.strerror or error}", str(folder)) from None
        try:
            yield removed
        finally:
            with suppress(OSError):  # what a worker left that was killed
                remove_parts(folder)


def _keep_configuration(folder: Path, configuration: Configuration) -> None:
    """Write the configuration into the folder, unless it holds the same; refuse a folder that holds another."""
    path = folder / "configuration.toml"
    if path.exists():
        ours = path.read_text(encoding="utf-8", errors="replace").startswith(HEADER)
        if not ours or any(folder.glob("*.nc")):  # a configuration that left no recording may be replaced
            differences = list(_differences(read(path).to_dict(), configuration.to_dict()))
            if differences:
                found = "; ".join(differences[:3]) + ("; ..." if len(differences) > 3 else "")
                raise ConfigurationError(
                    f"holds runs of another configuration ({found}); choose another folder", str(folder)
                )
            return
    with whole(path) as part:
        part.write_text(
            f"{HEADER} {configuration.paradigm.type} --config this file\n{configuration.to_toml()}", encoding="utf-8"
        )


def _differences(there: Any, here: Any, place: str = "") -> Iterator[str]:
    """Name what differs between two configurations."""
    if isinstance(there, dict) and isinstance(here, dict) and there.get("type") == here.get("type"):
        for key in {**there, **here}:
            yield from _differences(there.get(key), here.get(key), f"{place}.{key}" if place else key)
    elif isinstance(there, list) and isinstance(here, list) and any(isinstance(each, dict) for each in there + here):
        for number, (one, other) in enumerate(zip_longest(there, here)):
            yield from _differences(one, other, f"{place}[{number}]")
    elif there != here:
        texts = (each["type"] if isinstance(each, dict) and "type" in each else repr(each) for each in (there, here))
        cut = (text if len(text) < 60 else f"{text[:57]}..." for text in texts)
        yield "{} is {} there, {} here".format(place, *cut)
