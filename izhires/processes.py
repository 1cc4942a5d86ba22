"""Programs that end with the process that started them, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# reads until something comes, or until the other end of the pipe is gone, which a killed process cannot prevent
GUARD = 'read done || kill -s KILL -- "-$0" 2>/dev/null'


@contextmanager
def tied(command: list[str], **options: Any) -> Iterator[subprocess.Popen]:
    """Start a program and wait for it at the end; on an error, or when this process is killed, it and all it started are killed.

    The program leads a process group of its own: a Ctrl-C of the terminal reaches this process only, which then decides.

    Parameters
    ----------
    command : list of str
    **options
        As `subprocess.Popen` has them.

    Yields
    ------
    subprocess.Popen
    """
    if os.name != "posix":
        with subprocess.Popen(command, **options) as process:
            try:
                yield process
            except BaseException:
                process.kill()
                raise
        return
    process = subprocess.Popen(command, process_group=0, **options)
    guard = None
    try:
        guard = subprocess.Popen(["/bin/sh", "-c", GUARD, str(process.pid)], stdin=subprocess.PIPE, process_group=0)
        yield process
        process.wait()
    except BaseException:
        # not yet waited for, hence the number is still its own
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        raise
    finally:
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        if guard is not None:
            guard.communicate(b"done\n")


def ending(code: int) -> str:
    """Return how a program ended, by its exit code as `subprocess.Popen` has it."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was ended by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
