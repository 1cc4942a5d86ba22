"""Programs that end with the process that started them, however it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from izhires.errors import ToolchainError

# reads until something comes, or until the other end of the pipe is gone, which a killed process cannot prevent
GUARD = "read done || kill -s KILL 0"


@contextmanager
def tied(command: list[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Start a program and wait for its end; on an error, or when this process is killed, kill it and all it started.

    The program is in a process group apart: a Ctrl-C of the terminal reaches this process only, which then decides.

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
        with subprocess.Popen(command, **options) as alone:
            try:
                yield alone
            except BaseException:
                alone.kill()
                raise
        return
    # the guard leads the group, so that there is no moment at which the program has none
    guard = subprocess.Popen(["/bin/sh", "-c", GUARD], stdin=subprocess.PIPE, process_group=0)
    process: subprocess.Popen[Any] | None = None
    try:
        process = subprocess.Popen(command, process_group=guard.pid, **options)
        yield process
        process.wait()
    except BaseException:
        os.killpg(guard.pid, signal.SIGKILL)
        if process is not None:
            process.wait()
        raise
    finally:
        for stream in (process.stdin, process.stdout, process.stderr) if process else ():
            if stream is not None:
                stream.close()
        guard.communicate(b"done\n")


def python(*arguments: str) -> tuple[list[str], dict[str, str]]:
    """Return command and environment of a Python that imports this very package.

    Not the folder it is started in, which may hold another `izhires`: a checkout beside an installed package, say.
    """
    own = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [own, os.environ.get("PYTHONPATH")]))
    return [sys.executable, "-P", *arguments], {**os.environ, "PYTHONPATH": path}


def ending(code: int) -> str:
    """Return how a program ended, by its exit code as `subprocess.Popen` has it."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was ended by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")


# of g++ and clang (file:line:column: error: ...), nvcc (file(line): error: ...), ld, make and the shell
_ERRORS = (
    re.compile(r"^\S.*?(?::\d+(?::\d+)?|\(\d+\)):? (?:fatal |catastrophic )?error\b"),
    re.compile(r"undefined reference to|cannot find -l|multiple definition of"),
    re.compile(r"\b(?:fatal |internal compiler )?error:|\bnot found\b|No such file or directory|Killed", re.IGNORECASE),
)
# commands, and what an earlier line has caused
_ECHOES = re.compile(
    r"^\S*make(?:\[\d+\])?: (?:\*\*\* |Entering |Leaving |Nothing )"
    r"|^compilation terminated|^collect2: |^\d+ errors? | -o \S"
)
_MAKE = re.compile(r"^\S*make(?:\[\d+\])?: \*\*\* (?!Waiting for)")
_RAISED = re.compile(r"^(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:: |$)")


def cause(said: str) -> str:
    """Return the line of a tool's output that says why it failed: the first error of a compiler or linker with its
    place, the exception of a Python program, or else the last line that is not the echo of another.
    """
    lines = [line.rstrip() for line in said.splitlines() if line.strip()]
    for pattern in _ERRORS[:2]:
        for line in lines:
            if pattern.search(line):
                return line.strip()
    begins = [number for number, line in enumerate(lines) if line.startswith("Traceback (most recent call last)")]
    if begins:  # the last of a chain of exceptions is the one that ended it
        raised = [line for line in lines[begins[-1] :] if _RAISED.match(line)]
        if raised:
            return raised[-1]
    own = [line for line in lines if not _ECHOES.search(line)]
    for line in own:
        if _ERRORS[2].search(line):
            return line.strip()
    stopped = [line for line in lines if _MAKE.search(line)]
    return (own[-1:] or stopped[:1] or lines[-1:] or ["it said nothing"])[0].strip()


def asked(command: list[str], place: str) -> str:
    """Return what a tool prints.

    Raises
    ------
    ToolchainError
        If it cannot be started or fails, with what it said.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    except OSError as error:
        raise ToolchainError(f"{command[0]!r} cannot be run: {error.strerror or error}", place) from None
    if done.returncode != 0:
        said = cause(done.stderr or done.stdout)
        raise ToolchainError(f"{' '.join(command)} failed: {said}", place)
    return done.stdout
