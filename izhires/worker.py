"""A process that does runs for another one.

Both talk through a socket. The worker is told where to look for modules, then a configuration and a device, then one
job at a time; it answers with messages on the way and with the outcome of each job. It ends when the socket closes.
"""

from __future__ import annotations

import pickle
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from typing import TYPE_CHECKING, Any

from izhires.errors import IzhiresError, SimulationError
from izhires.processes import python, tied

if TYPE_CHECKING:
    import subprocess

    from izhires.batch import Job
    from izhires.configuration import Configuration


@dataclass(frozen=True)
class Message:
    """A stage that a run has reached, and the share that is done."""

    name: str
    stage: str
    share: float


@dataclass(frozen=True)
class Outcome:
    """The end of a job, with the error that ended it."""

    error: IzhiresError | None = None


@contextmanager
def worker(configuration: Configuration, device: str) -> Iterator[tuple[Connection, subprocess.Popen]]:
    """Start a worker; it ends at the end of the block, is killed on an error, and ends with this process."""
    import cloudpickle  # takes along classes that a user's script defines

    ours, theirs = Pipe()
    command, environment = python("-c", f"from izhires.worker import main; main({theirs.fileno()})")
    with tied(command, env=environment, pass_fds=[theirs.fileno()]) as process:
        theirs.close()
        try:
            ours.send(sys.path)
            ours.send_bytes(cloudpickle.dumps((configuration, device)))
            yield ours, process
        finally:
            ours.close()


def main(descriptor: int) -> None:
    """Do one job after the other, until there is nobody to give one."""
    from izhires.batch import run_job

    channel = Connection(descriptor)
    try:
        sys.path[:] = channel.recv()
        configuration, device = pickle.loads(channel.recv_bytes())

        def say(*message: Any) -> None:
            channel.send(Message(*message))

        while True:
            job: Job = channel.recv()
            try:
                run_job(job, configuration, device, say)
                outcome = Outcome()
            except IzhiresError as error:
                outcome = Outcome(error)
            except Exception as error:
                traceback.print_exc()
                outcome = Outcome(
                    SimulationError(f"stopped on an unexpected {type(error).__name__}, see above", job.name)
                )
            channel.send(outcome)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
