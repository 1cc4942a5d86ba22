"""The command line as a user calls it: a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

COMMAND = [sys.executable, "-m", "izhires"]


def izhires(*arguments, environment=None, cwd=None):
    """Run a command and return what it said; no error may ever show a traceback."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def unlearned(said):
    """Return the lines of what was said besides the one that so short a task was not learned, which is among them."""
    lines = said.splitlines()
    others = [line for line in lines if "the error of the last probes is" not in line]
    assert len(lines) == len(others) + 1, said
    return others


def worked(number):
    """Return the processor time that a process has taken, s; 0 when it is gone."""
    try:
        fields = (Path("/proc") / str(number) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Running:
    """A command under way, with all the processes it starts and a folder of its own for temporary files."""

    def __init__(self, folder, *arguments, environment=None):
        self.mark = uuid.uuid4().hex
        self.temporary = folder / f"temporary-{self.mark}"
        self.temporary.mkdir()
        # a test run under nohup ignores it, and so would whatever it starts
        before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
        self.process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
            env={**os.environ, "IZHIRES_TEST": self.mark, "TMPDIR": str(self.temporary), **(environment or {})},
        )
        signal.signal(signal.SIGHUP, before)

    def until(self, reached, seconds=300):
        """Wait until something is there, and return it; the command must still be at work by then."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = reached()
            if found:
                return found
            assert self.process.poll() is None, f"ended too early: {self.process.communicate()}"
            time.sleep(0.002)
        raise AssertionError("not reached in time")

    def ended(self, seconds=300):
        """Wait for the end; return the exit code and what was said, which may not be a traceback."""
        out, err = self.process.communicate(timeout=seconds)
        assert "Traceback" not in err, err
        return self.process.returncode, out, err

    def processes(self):
        """Return the command lines, by number, of every process that this command started and that still lives."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if f"IZHIRES_TEST={self.mark}".encode() in (folder / "environ").read_bytes():
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
        return found

    def program(self):
        """Return the number of the simulation's own process, when it runs."""
        return next((number for number, line in self.processes().items() if "/main --results_dir" in line), None)

    def nothing_remains(self, seconds=300):
        """Wait until no process of this command is left; one that was not ended would take processor time meanwhile."""
        end, before = time.monotonic() + seconds, {number: worked(number) for number in self.processes()}
        while left := self.processes():
            assert time.monotonic() < end, left
            for number in left:
                taken = worked(number) - before.setdefault(number, 0.0)
                assert taken < 1, f"works on, {taken} s: {left[number]}"
            time.sleep(0.02)
