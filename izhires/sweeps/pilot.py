"""One short run, and what it predicts for a whole sweep."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from izhires.building.plan import Plan
from izhires.running.batch import RunReport
from izhires.running.resources import needed_memory, peak_memory, processes_for, recorded_bytes
from izhires.running.worker import Task, run_tasks, silent
from izhires.sweeps.design import Point, Spec, checked_plans, expand
from izhires.sweeps.index import writing

LIMIT = 20.0
"""How long the pilot may simulate, s; a longer run is cut, and its length is predicted from the share it has done."""


@dataclass(frozen=True)
class Forecast:
    """What a sweep will take.

    Parameters
    ----------
    runs, missing : int
        Of the design, and of those how many are not done.
    plans : int
        How many builds the missing ones share.
    build_seconds : float
        Of one build; 0 where it was there.
    run_seconds : float
        Of the pilot, from drawing the network to its recording.
    share : float
        Of the pilot that was simulated; 1 where it was not cut.
    at_once : int
    seconds : float
        Of all that is missing.
    memory : float
        Of all runs at once, bytes.
    disk : float
        Of all missing recordings, bytes.
    free : float
        On the disk of the folder, bytes.
    """

    runs: int
    missing: int
    plans: int
    build_seconds: float
    run_seconds: float
    share: float
    at_once: int
    seconds: float
    memory: float
    disk: float
    free: float


class _Enough(Exception):  # noqa: N818
    """The pilot has run long enough."""


def predict(spec: Spec, folder: Path, processes: int | None = None, retry_failed: bool = False) -> Forecast:
    """Do one run of a sweep, or its first seconds, and return what all that is missing will take.

    Nothing is written into the folder. The pilot is the run of most cells and steps; the time of the others is taken to
    be proportional to cells x steps.

    Raises
    ------
    IzhiresError
        What is wrong with the sweep, its device, or its first run.
    """
    from izhires.devices import get

    points = expand(spec)
    missing = _missing(points, folder, retry_failed)
    here = folder if folder.exists() else next(each for each in folder.resolve().parents if each.exists())
    free = float(shutil.disk_usage(here).free)
    if not missing:
        return Forecast(len(points), 0, 0, 0.0, 0.0, 1.0, 0, 0.0, 0.0, 0.0, free)
    each = checked_plans(missing, spec.device)
    pilot = max(missing, key=lambda point: _work(point.plan))
    began = time.perf_counter()
    built = get(spec.device).prepare(pilot.plan).build_seconds
    built = time.perf_counter() - began if built else 0.0
    with closing(run_tasks(deque([Task(pilot.name, measure, (pilot, spec.device, LIMIT))]), 1, silent)) as outcomes:
        _, outcome = next(iter(outcomes))
    if outcome.error is not None:
        raise outcome.error
    found = outcome.value
    at_once = min(processes_for(max(each, key=needed_memory), processes), len(missing))
    share = sum(_work(point.plan) for point in missing) / _work(pilot.plan)
    memory = max(found["memory"], needed_memory(pilot.plan) if found["share"] < 1 else 0)
    return Forecast(
        runs=len(points),
        missing=len(missing),
        plans=len(each),
        build_seconds=built,
        run_seconds=found["seconds"],
        share=found["share"],
        at_once=at_once,
        # the pilot's own build is there by now
        seconds=found["start"] + built * (len(each) - 1) + found["seconds"] * share / at_once,
        memory=memory * at_once,
        disk=found["size"] * share,
        free=free,
    )


def _work(plan: Plan) -> float:
    return plan.cells * plan.steps


def _missing(points: list[Point], folder: Path, retry_failed: bool) -> list[Point]:
    """Return one point for each run that is not done."""
    from izhires.sweeps.index import NAME

    states: dict[str, str] = {}
    if (folder / NAME).exists():
        with writing(folder) as index:
            states = index.states()
    done = {run for run, state in states.items() if state == "good" or not retry_failed}
    return list({point.run: point for point in points if point.run not in done}.values())


def measure(point: Point, device: str, limit: float, say: RunReport) -> dict[str, Any]:
    """Do a run for at most `limit` seconds of simulation, in a worker; return its seconds, share, memory and size."""
    from izhires.devices import get
    from izhires.recordings.recording import save
    from izhires.running.run import draw, simulate_together

    began = time.perf_counter()
    start = time.process_time()  # a process that has just begun: what it took to import
    drawn = draw(point.configuration, point.seed, point.variant)
    program = get(device)
    simulated = {"from": time.perf_counter(), "share": 0.0}

    def tell(stage: str, share: float) -> None:
        simulated["share"] = share if stage == "run" else 0.0
        if stage == "run" and share == 0:
            simulated["from"] = time.perf_counter()
        if share < 1 and share > 0 and time.perf_counter() - simulated["from"] > limit:
            raise _Enough

    try:
        (found,) = simulate_together([drawn], program, tell)
    except _Enough:
        share, now = simulated["share"], time.perf_counter()
        seconds = simulated["from"] - began + (now - simulated["from"]) / share
        return {
            "seconds": seconds,
            "share": share,
            "memory": peak_memory(),
            "size": recorded_bytes(drawn.plan) / 2,
            "start": start,
        }
    if isinstance(found, Exception):
        raise found
    with tempfile.TemporaryDirectory() as folder:
        size = save(found, Path(folder) / "pilot.nc").stat().st_size
    took = time.perf_counter() - began
    return {"seconds": took, "share": 1.0, "memory": peak_memory(), "size": size, "start": start}
