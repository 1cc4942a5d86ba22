"""Processes that do tasks for this one, and end with it.

A worker and its driver talk through a socket. The worker is told where to look for modules, then one task at a time;
it answers with messages on the way and with the outcome of each task. It ends when the socket closes.

A process pool of a library (joblib, concurrent.futures) leaves its workers and their simulations behind when the driver
is killed outright; these are tied to it, see `izhires.running.processes`.
"""

from __future__ import annotations

import importlib
import os
import pickle
import sys
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from izhires.errors import GrowthWarning, IzhiresError, LostError, SimulationError, SlowerWarning
from izhires.imports import load, loaded
from izhires.optional import keep_out
from izhires.running.processes import ending, python, tied

if TYPE_CHECKING:
    import subprocess

TaskReport = Callable[[str, str, float], None]
"""Called with the name of a task, its stage, and the share that is done."""


@dataclass(frozen=True)
class Task:
    """A call that a worker is to make: ``function(*arguments, say)``, where `say` is a `TaskReport`."""

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Message:
    """A stage that a task has reached, and the share that is done."""

    name: str
    stage: str
    share: float


@dataclass(frozen=True)
class Outcome:
    """The end of a task: what its function returned, or the error that ended it."""

    value: Any = None
    error: IzhiresError | None = None


def attempt(task: Task, say: TaskReport) -> Outcome:
    """Do a task; return its outcome, whatever that is."""
    try:
        return Outcome(task.function(*task.arguments, say))
    except IzhiresError as error:
        return Outcome(error=error)
    except Exception as error:
        traceback.print_exc()
        problem = f"stopped on an unexpected {type(error).__name__}, see above"
        return Outcome(error=SimulationError(problem, task.name))


def run_tasks(
    waiting: deque[Task] | Iterator[Task], at_once: int, say: TaskReport, imports: Sequence[str] = ()
) -> Generator[tuple[Task, Outcome]]:
    """Do tasks in parallel processes, each of which does one after the other.

    Wrap it in `contextlib.closing`, so that an error between two outcomes ends the processes, too.

    Parameters
    ----------
    waiting : deque or iterator of Task
        In order. A deque is emptied, and whoever takes the outcomes may append a task anew. An iterator is asked for
        a task when a process is free, so that it may make them while others are done.
    at_once : int
        Number of processes.
    say : Report
        Gets what the tasks report.
    imports : sequence of str
        Modules that a process imports while it waits for its first task.

    Yields
    ------
    task : Task
    outcome : Outcome
        With a `LostError` where the process was killed; another then takes its place.
    """
    from izhires.devices.standalone import working_folder

    busy: dict[Any, tuple[Any, Task]] = {}
    with ExitStack() as stack:
        # of all workers, so that nothing remains of those that are killed
        work = stack.enter_context(working_folder())

        def give(channel: Any, process: Any) -> None:
            task = _following(waiting)
            if task is None:
                return
            busy[channel] = process, task
            with suppress(BrokenPipeError, ConnectionResetError):  # then it says so below
                _send(channel, task)

        def start() -> tuple[Any, Any]:
            return stack.enter_context(_worker(work, imports))

        most = min(at_once, len(waiting)) if isinstance(waiting, deque) else at_once
        for idle in [start() for _ in range(most)]:
            give(*idle)
        while busy:
            for channel in wait(list(busy)):
                process, task = busy[channel]
                try:
                    message: Any = channel.recv()  # type: ignore[union-attr, call-arg]
                except (EOFError, OSError):  # either, as it ended between two messages or within one
                    message = None
                if isinstance(message, Message):
                    say(message.name, message.stage, message.share)
                    continue
                del busy[channel]
                if message is not None:
                    yield task, message
                    give(channel, process)
                else:
                    how = ending(process.wait())
                    yield task, Outcome(error=LostError(f"its process {how}", task.name))
                    if waiting:
                        give(*start())


def _following(waiting: deque[Task] | Iterator[Task]) -> Task | None:
    if isinstance(waiting, deque):
        return waiting.popleft() if waiting else None
    return next(waiting, None)


def results(tasks: Iterable[Task], processes: int = 1, imports: Sequence[str] = ()) -> list[Any]:
    """Do tasks, here or in parallel processes; return what each returned, in their order.

    Parameters
    ----------
    tasks : iterable of Task
        Each with another name. What it does after its last task is done while that task is.
    processes : int
        1 does all of them here, as do machines on which workers cannot be tied to this process
        (`izhires.running.processes`).
    imports : sequence of str
        See `run_tasks`.

    Raises
    ------
    IzhiresError
        Of the first task that fails; the others are ended.
    """
    if processes == 1 or os.name != "posix":
        return [task.function(*task.arguments, silent) for task in tasks]
    found: dict[str, Any] = {}

    def noted() -> Iterator[Task]:
        for task in tasks:
            found[task.name] = None
            yield task

    with closing(run_tasks(noted(), processes, silent, imports)) as outcomes:
        for task, outcome in outcomes:
            if outcome.error is not None:
                raise outcome.error
            found[task.name] = outcome.value
    return list(found.values())


def silent(name: str, stage: str, share: float) -> None:
    """Report nothing."""


@contextmanager
def _worker(work: Path, imports: Sequence[str]) -> Iterator[tuple[Connection, subprocess.Popen[bytes]]]:
    """Start a worker; it ends at the end of the block, is killed on an error, and ends with this process.

    Its temporary files lie in the folder `work`.
    """
    ours, theirs = Pipe()
    command, environment = python("-c", f"from izhires.running.worker import main; main({theirs.fileno()})")
    with tied(command, env=environment | {"TMPDIR": str(work)}, pass_fds=[theirs.fileno()]) as process:
        theirs.close()
        try:
            with suppress(BrokenPipeError):  # it was killed already, which shows when it is given a task
                ours.send((sys.path, imports, list(loaded())))
            yield ours, process
        finally:
            ours.close()


def _send(channel: Connection, task: Task) -> None:
    import cloudpickle  # takes along classes that a user's script defines

    channel.send_bytes(cloudpickle.dumps(task))


def _say_growth(message: Warning | str, category: type[Warning], *place: Any, **rest: Any) -> None:
    """Say what a network came to in one line, as the command line does; other warnings as Python has them."""
    if issubclass(category, GrowthWarning):
        print(f"izhires: {message}", file=sys.stderr, flush=True)
    else:
        sys.stderr.write(warnings.formatwarning(message, category, *place[:2]))


def main(descriptor: int) -> None:
    """Do one task after the other, until there is nobody to give one."""
    keep_out()
    channel = Connection(descriptor)

    def say(*message: Any) -> None:
        channel.send(Message(*message))

    try:
        sys.path[:], imports, own = channel.recv()
        warnings.simplefilter("ignore", SlowerWarning)  # the process that gives the tasks has said it
        warnings.showwarning = _say_growth  # nobody else knows it
        for each in imports:
            importlib.import_module(each)
        load(own)
        while True:
            data = channel.recv_bytes()
            try:
                task = pickle.loads(data)
            except Exception as error:  # a module of the user's that is not there, say
                channel.send(Outcome(error=SimulationError(f"a worker cannot read the task: {error}")))
            else:
                channel.send(attempt(task, say))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
