"""Does what is missing of a sweep: on this machine in worker processes, or on a Dask cluster."""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from izhires.devices import get
from izhires.errors import LostError, RecordingError, ToolchainError
from izhires.files import as_path, whole
from izhires.running.batch import Job, RunReport, check_space, claimed, run_job
from izhires.running.resources import needed_memory, peak_memory, processes_for
from izhires.running.worker import Task, run_tasks
from izhires.sweeps.design import Point, Spec, checked_plans, expand, plans, read
from izhires.sweeps.index import Index, digest, path_of, writing

if TYPE_CHECKING:
    from izhires.sweeps.results import SweepResults

ATTEMPTS = 5
"""How often a run is begun whose process is killed, before that counts as its failure."""

SPEC = "sweep.toml"
"""Name of the file in a sweep's folder that says what it runs."""


def sweep(
    spec: Spec | str | Path,
    folder: str | Path,
    *,
    device: str = "",
    processes: int | None = None,
    dask: str = "",
    retry_failed: bool = False,
    rebuild_index: bool = False,
    report: RunReport | None = None,
) -> SweepResults:
    """Run all that is missing of a sweep, and return what the metrics say of all its recordings.

    Runs that the folder already holds are kept. One that fails is written down with its error, and the others go on.
    One whose process is killed is begun again.

    Parameters
    ----------
    spec : Spec, str or Path
        What to run, or its TOML file.
    folder : str or Path
        Made when absent. It holds one recording a run, the index, and what was run.
    device : str, optional
        In the place of the one that the spec names.
    processes : int, optional
        At most this many at once; by default one per core, as far as the memory goes.
    dask : str, optional
        Address of a Dask scheduler whose workers see `folder` under the same name; they are to have one thread each.
    retry_failed : bool
        Run also what failed before.
    rebuild_index : bool
        Forget the index, failures among it, and make it anew from the recordings.
    report : callable, optional
        As of `izhires.run_batch`, with three more stages: ``runs`` (how many there are, in the place of the share),
        ``lost`` (a run's process was killed, and it is begun again) and ``damaged`` (the name of a recording that is
        run anew).

    Returns
    -------
    Results
        ``table`` (tidy), ``dataset`` (points x metrics) and ``entries`` (how each run stands).

    Raises
    ------
    ConfigurationError
        If a point of the design cannot be.
    RecordingError
        If another sweep is writing into the folder, or it cannot be written to, as when the disk is full.
    ToolchainError
        If the device or the cluster cannot be used.
    """
    from izhires.sweeps.results import results

    folder = as_path(folder, "folder").resolve()
    spec = spec if isinstance(spec, Spec) else read(spec)
    if device:
        spec = spec.with_changes(device=device)
    points = expand(spec)
    say = report or (lambda name, stage, share: None)
    say("", "runs", float(len(points)))
    with claimed(folder) as removed, writing(folder, rebuild_index) as index:
        for name in removed:
            say(name, "removed", 1.0)
        _keep(spec, folder)
        index.enter(points)
        for name in index.check():
            (folder / name).unlink()
            say(name, "damaged", 1.0)
        missing = _missing(points, index, retry_failed, say)
        if missing:
            _run(missing, spec, folder, index, processes, dask, say)
    return results(folder)


def _keep(spec: Spec, folder: Path) -> None:
    """Write down what is run, so that the folder needs no other file."""
    text = f"# izhires sweep --out this folder: goes on with what is missing\n{spec.to_toml()}"
    path = folder / SPEC
    if not path.exists() or path.read_text(encoding="utf-8", errors="replace") != text:
        with whole(path) as part:
            part.write_text(text, encoding="utf-8")


def _missing(points: list[Point], index: Index, retry_failed: bool, say: RunReport) -> list[Point]:
    """Return one point for each run that is to be done, those of equal plans behind each other."""
    states = index.states()
    missing: dict[str, Point] = {}
    for point in points:
        state = states.get(point.run)
        if state == "good":
            say(point.name, "kept", 1.0)
        elif state == "failed" and not retry_failed:
            say(point.name, "failed", 1.0)
        elif point.run in missing:  # a point that is the same run as an earlier one
            say(point.name, "kept", 1.0)
        else:
            missing[point.run] = point
    order = {plan.fingerprint(): k for k, plan in enumerate(plans(points))}
    return sorted(missing.values(), key=lambda point: order[point.plan.fingerprint()])


def _run(
    missing: list[Point], spec: Spec, folder: Path, index: Index, processes: int | None, dask: str, say: RunReport
) -> None:
    largest = max(checked_plans(missing, spec.device), key=needed_memory)
    at_once = min(processes_for(largest, processes), len(missing))
    check_space(largest, folder, 1, at_once)
    by_name = {point.name: point for point in missing}
    waiting = deque(Task(point.name, run_point, (_job(point, folder), spec.device)) for point in missing)
    if dask or spec.slurm:
        from izhires.sweeps.cluster import run_on_dask

        outcomes = run_on_dask(waiting, dask or spec.slurm, say)
    else:
        # what is wrong with the compiler shows before anything runs; workers build the plans that follow
        say("", "build", 0.0)
        get(spec.device).prepare(missing[0].plan)
        say("", "build", 1.0)
        outcomes = run_tasks(waiting, at_once, say)
    lost: Counter[str] = Counter()
    with closing(outcomes):
        for task, outcome in outcomes:
            run, error = by_name[task.name].run, outcome.error
            if error is None:
                index.good(run, **outcome.value)
                say(task.name, "done", 1.0)
                continue
            if isinstance(error, RecordingError):  # of one run, and so of all
                raise error
            if isinstance(error, LostError):
                check_space(largest, folder, 1, 1)
                lost[run] += 1
                if lost[run] < ATTEMPTS:
                    say(task.name, "lost", 0.0)
                    waiting.append(task)
                    continue
            index.failed(run, "; ".join(str(each) for each in error.complaints))
            say(task.name, "failed", 1.0)


def _job(point: Point, folder: Path) -> Job:
    own = {"number": point.number, "parameters": point.parameters, "condition": point.condition}
    attributes = {"run": point.run, "sweep": json.dumps(own)}
    return Job(point.variant, point.seed, path_of(folder, point.run), point.configuration, attributes, point.name)


def run_point(job: Job, device: str, say: RunReport) -> dict[str, Any]:
    """Do one run of a sweep and write its recording, in a worker; return what the index is to say of it."""
    began = time.perf_counter()
    folder = job.path.parent
    if not (folder / SPEC).exists():
        import socket

        problem = f"is not seen by the worker on {socket.gethostname()}; workers need it on a shared file system"
        raise ToolchainError(problem, str(folder))
    run_job(job, device, say)
    return {"seconds": time.perf_counter() - began, "memory": peak_memory(), "known": digest(job.path)}
