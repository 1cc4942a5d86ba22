"""The engine beyond one machine: a Dask cluster whose workers build what they run with their own compilers.

A build is kept in the cache of the machine that made it, under a name that holds its compiler and processor; so a
worker whose toolchain differs from another's generates and compiles the plan anew, once.
"""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Generator
from contextlib import ExitStack
from importlib.metadata import version
from queue import Empty, SimpleQueue
from typing import Any

from izhires.errors import ConfigurationError, LostError, SimulationError, ToolchainError
from izhires.optional import library
from izhires.running.processes import cause
from izhires.running.worker import Outcome, Task, TaskReport, attempt

PATIENCE = 30
"""How long to wait for a scheduler to answer, s."""


def run_on_dask(waiting: deque[Task], where: str | dict[str, Any], say: TaskReport) -> Generator[tuple[Task, Outcome]]:
    """Do tasks on the workers of a Dask cluster.

    Wrap it in `contextlib.closing`: tasks that have not begun are then taken back; those under way end by themselves.

    Parameters
    ----------
    waiting : deque of Task
        It is emptied; whoever takes the outcomes may append a task anew.
    where : str or dict
        Address of a scheduler, or the options of `dask_jobqueue.SLURMCluster`, besides ``jobs``, the number of jobs to
        ask for.
    say : Report
        Is told which tasks have begun.

    Yields
    ------
    task : Task
    outcome : Outcome
        With a `LostError` where the worker was killed more often than the scheduler allows.

    Raises
    ------
    ToolchainError
        If Dask is not installed, or no scheduler answers.
    SimulationError
        If the scheduler goes away.
    """
    distributed = library("distributed")
    with ExitStack() as stack:
        address = where if isinstance(where, str) else stack.enter_context(slurm_cluster(where))
        refused: list[str] = getattr(address, "refused", [])
        try:
            client = stack.enter_context(distributed.Client(address, timeout=PATIENCE, set_as_default=False))
        except (OSError, ValueError) as error:
            raise ToolchainError(f"no scheduler answers: {error}", f"Dask at {where}") from None
        futures: dict[str, tuple[Any, Task]] = {}
        ended: SimpleQueue[Any] = SimpleQueue()
        stack.callback(lambda: client.cancel([future for future, _ in futures.values()]))

        def give() -> None:
            while waiting:
                task = waiting.popleft()
                # the scheduler may give it to another worker when the first is killed
                future = client.submit(_attempt, task, version("izhires"), pure=False)
                futures[future.key] = future, task
                future.add_done_callback(ended.put)

        give()
        while futures:
            for name in _begun(client, futures):
                say(name, "run", 0.0)
            try:
                future = ended.get(timeout=1)
            except Empty:
                if refused:
                    raise ToolchainError(f"SLURM takes no job: {cause(refused[0])}", "slurm") from None
                if client.status != "running":
                    raise SimulationError("the scheduler is gone", "Dask") from None
                continue
            _, task = futures.pop(future.key)
            yield task, _outcome(future, task)
            give()


def _attempt(task: Task, driver: str) -> Outcome:
    """Do a task on a worker."""
    here = version("izhires")
    if here != driver:
        problem = f"a worker has izhires {here}, this sweep is of {driver}; install the same on both"
        return Outcome(error=ToolchainError(problem))
    return attempt(task, lambda name, stage, share: None)


def _outcome(future: Any, task: Task) -> Outcome:
    if future.status == "finished":
        outcome: Outcome = future.result()
        return outcome
    if future.status == "cancelled":
        raise SimulationError("the scheduler is gone, or it dropped the runs", "Dask")
    error = future.exception()
    if type(error).__name__ == "KilledWorker":
        return Outcome(error=LostError("its Dask worker was killed several times", task.name))
    return Outcome(
        error=SimulationError(f"its Dask worker could not do it: {type(error).__name__}: {error}", task.name)
    )


def _begun(client: Any, futures: dict[str, tuple[Any, Task]]) -> list[str]:
    """Return the names of the tasks that workers have now: as many as they have threads, of each the first."""
    try:
        threads = client.nthreads()
        given = client.processing()
    except (OSError, KeyError):
        return []
    keys = [str(key) for name, tasks in given.items() for key in list(tasks)[: threads.get(name, 1)]]
    return [futures[key][1].name for key in keys if key in futures]


def slurm_cluster(options: dict[str, Any]) -> Any:
    """Return a cluster of SLURM jobs; its list ``refused`` holds what was said of jobs that could not be asked for.

    Raises
    ------
    ConfigurationError
        If an option is unknown or missing.
    ToolchainError
        If dask-jobqueue is not installed, or there is no SLURM here.
    """
    slurm, status = library("dask_jobqueue.slurm"), library("distributed.core").Status
    options = dict(options)
    jobs = options.pop("jobs", None)
    if not isinstance(jobs, int) or jobs < 1:
        raise ConfigurationError(f"needs a number of jobs, got {jobs!r}", "slurm.jobs")
    if shutil.which("sbatch") is None:
        raise ToolchainError("there is no sbatch on the PATH of this machine; start it where SLURM is", "slurm")
    refused: list[str] = []

    class Job(slurm.SLURMJob):  # type: ignore[misc, name-defined]
        """Dask would print the traceback of a job that is refused, and wait for it for ever."""

        async def start(self) -> None:
            try:
                await super().start()
            except Exception as error:  # whatever sbatch or its absence make of it
                refused.append(str(error))
                self.status = status.running  # as far as Dask is concerned

    try:
        # one run at a time in a process: the netCDF library does not like threads
        own = {"cores": 1, "processes": options.get("cores", 1), "job_cls": Job}
        cluster = slurm.SLURMCluster(**{**own, **options})
    except (TypeError, ValueError) as error:
        raise ConfigurationError(str(error), "slurm") from None
    cluster.refused = refused
    cluster.scale(jobs=jobs)
    return cluster
