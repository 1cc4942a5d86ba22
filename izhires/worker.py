"""Processes that do tasks for this one, and end with it.

A worker and its driver talk through a socket. The worker is told where to look for modules, then one task at a time;
it answers with messages on the way and with the outcome of each task. It ends when the socket closes.

A process pool of a library (joblib, concurrent.futures) leaves its workers and their simulations behind when the driver
is killed outright; these are tied to it, see `izhires.processes`.
"""

from __future__ import annotations

import pickle
import sys
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from izhires.errors import IzhiresError, LostError, SimulationError
from izhires.processes import ending, python, tied

if TYPE_CHECKING:
    import subprocess

Report = Callable[[str, str, float], None]
"""Called with the name of a task, its stage, and the share that is done."""


@dataclass(frozen=True)
class Task:
    """A call that a worker is to make: ``function(*arguments, say)``, where `say` is a `Report`."""

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


def attempt(task: Task, say: Report) -> Outcome:
    """Do a task; return its outcome, whatever that is."""
    try:
        return Outcome(task.function(*task.arguments, say))
    except IzhiresError as error:
        return Outcome(error=error)
    except Exception as error:
        traceback.print_exc()
        problem = f"stopped on an unexpected {type(error).__name__}, see above"
        return Outcome(error=SimulationError(problem, task.name))


def run_tasks(waiting: deque[Task], at_once: int, say: Report) -> Generator[tuple[Task, Outcome]]:
    """Do tasks in parallel processes, each of which does one after the other.

    Wrap it in `contextlib.closing`, so that an error between two outcomes ends the processes, too.

    Parameters
    ----------
    waiting : deque of Task
        In order. It is emptied; whoever takes the outcomes may append a task anew.
    at_once : int
        Number of processes.
    say : Report
        Gets what the tasks report.

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
            task = waiting.popleft()
            busy[channel] = process, task
            with suppress(BrokenPipeError, ConnectionResetError):  # then it says so below
                _send(channel, task)

        def start() -> None:
            give(*stack.enter_context(_worker(work)))

        for _ in range(min(at_once, len(waiting))):
            start()
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
                    if waiting:
                        give(channel, process)
                else:
                    how = ending(process.wait())
                    yield task, Outcome(error=LostError(f"its process {how}", task.name))
                    if waiting:
                        start()


@contextmanager
def _worker(work: Path) -> Iterator[tuple[Connection, subprocess.Popen]]:
    """Start a worker; it ends at the end of the block, is killed on an error, and ends with this process.

    Its temporary files lie in the folder `work`.
    """
    ours, theirs = Pipe()
    command, environment = python("-c", f"from izhires.worker import main; main({theirs.fileno()})")
    with tied(command, env=environment | {"TMPDIR": str(work)}, pass_fds=[theirs.fileno()]) as process:
        theirs.close()
        try:
            with suppress(BrokenPipeError):  # it was killed already, which shows when it is given a task
                ours.send(sys.path)
            yield ours, process
        finally:
            ours.close()


def _send(channel: Connection, task: Task) -> None:
    import cloudpickle  # takes along classes that a user's script defines

    channel.send_bytes(cloudpickle.dumps(task))


def main(descriptor: int) -> None:
    """Do one task after the other, until there is nobody to give one."""
    channel = Connection(descriptor)

    def say(*message: Any) -> None:
        channel.send(Message(*message))

    try:
        sys.path[:] = channel.recv()
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
