"""Signals in the first seconds of a command, while modules are imported, too: one line, and never a traceback."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import small
from terminal import COMMAND

from izhires.recordings.recording import load

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="processes are watched through /proc")

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


def start(*arguments, command=COMMAND, **environment):
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a test run under nohup ignores it
    try:
        return subprocess.Popen(
            [*command, *map(str, arguments)],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )
    finally:
        signal.signal(signal.SIGHUP, before)


def catches(process, number):
    """Whether a process has a handler of a signal: Python has none of SIGTERM until this package runs."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(caught >> (number - 1) & 1)


def finished(process):
    """Wait for the end of a process; return what it said."""
    try:
        return process.communicate(timeout=300)
    finally:
        process.kill()


def signalled(process, number, delay):
    """Send a signal some time after the package has begun; return the exit code and what was said."""
    while process.poll() is None and not catches(process, signal.SIGTERM):
        time.sleep(0.001)
    time.sleep(delay)
    process.send_signal(number)
    _, said = finished(process)
    return process.returncode, said


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "small.toml"
    path.write_text(small.configuration().to_toml(), encoding="utf-8")
    return path


DELAYS = [0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.1, 1.5]


@pytest.mark.parametrize("number", CODES, ids=lambda number: number.name)
def test_a_signal_in_the_first_moments(number, config, tmp_path):
    """Half-way through an import of any library, say. The delays are drawn in between, so that runs differ."""
    draw, early = random.Random(), 0
    for k, delay in enumerate(DELAYS):
        out = tmp_path / str(k)
        delay += draw.uniform(0, 0.02)
        code, said = signalled(start("run", "meet", "--config", config, "--out", out), number, delay)
        where = f"after {delay:.3f} s: {code}, {said}"
        assert "Traceback" not in said and "Exception" not in said, where
        if code == 0:  # it was quicker
            assert said == "", where
            continue
        assert code == CODES[number], where
        assert len(said.splitlines()) == 1 and said.startswith("izhires: interrupted; "), where
        # what was written when the signal came is finished, and counted
        whole = [load(path) for path in out.glob("*.nc")]
        assert not list(out.glob(".*.part")), where
        assert " recordings finished" not in said or f"; {len(whole)} of 1 recordings finished" in said, where
        early += not whole
    assert early >= 3


def test_a_signal_during_the_import_of_a_module(tmp_path):
    """It waits for the end of the import, which might swallow it or be left half-made."""
    (tmp_path / "slow.py").write_text(
        "import time\n"
        "try:\n"
        "    print('importing', flush=True)\n"
        "    end = time.monotonic() + 0.5\n"
        "    while time.monotonic() < end:\n"
        "        pass\n"
        "except BaseException:\n"
        "    print('swallowed', flush=True)\n"
    )
    code = (
        "import sys\n"
        "from izhires import cli\n"
        "def command():\n"
        "    import slow\n"
        "    print('imported', flush=True)\n"
        "    while True: pass\n"
        "cli._begun = True\n"
        "with cli._signals():\n"
        "    try:\n"
        "        command()\n"
        "    except cli.Ended as ended:\n"
        "        sys.exit(ended.code)\n"
    )
    process = start(command=[sys.executable, "-c", code], PYTHONPATH=str(tmp_path))
    assert process.stdout.readline() == "importing\n"
    process.send_signal(signal.SIGINT)
    out, said = finished(process)
    assert "swallowed" not in out
    assert (process.returncode, said) == (130, "")


def test_a_signal_in_the_removal_of_an_object():
    """An exception there cannot be raised, and would be shown and forgotten."""
    code = (
        "import sys\n"
        "from izhires import cli\n"
        "class It:\n"
        "    def __del__(self):\n"
        "        print('removing', flush=True)\n"
        "        while True: pass\n"
        "def command():\n"
        "    it = It()\n"
        "    del it\n"
        "    while True: pass\n"
        "cli._begun = True\n"
        "with cli._signals():\n"
        "    try:\n"
        "        command()\n"
        "    except cli.Ended as ended:\n"
        "        sys.exit(ended.code)\n"
    )
    process = start(command=[sys.executable, "-c", code])
    assert process.stdout.readline() == "removing\n"
    process.send_signal(signal.SIGTERM)
    _, said = finished(process)
    assert "Exception ignored" not in said
    assert process.returncode == 143


@pytest.mark.parametrize("number", CODES, ids=lambda number: number.name)
def test_a_signal_while_a_file_is_locked(number, tmp_path):
    """xarray would close the file under the lock that it holds, and wait for it for ever: it is written first."""
    code = (
        "import signal, sys\n"
        "import xarray as xr\n"
        "from xarray.backends.locks import CombinedLock\n"
        "from izhires import cli\n"
        "path, number = sys.argv[1], int(sys.argv[2])\n"
        "enter, met = CombinedLock.__enter__, []\n"
        "def entered(lock):\n"
        "    enter(lock)\n"
        "    if not met:\n"
        "        met.append(lock)\n"
        "        signal.raise_signal(number)\n"
        "CombinedLock.__enter__ = entered\n"
        "cli._begun = True\n"
        "with cli._signals():\n"
        "    try:\n"
        "        xr.Dataset({'a': ('x', [1.0, 2.0])}).to_netcdf(path, engine='netcdf4')\n"
        "        print('written', flush=True)\n"
        "        while True: pass\n"
        "    except cli.Ended as ended:\n"
        "        sys.exit(ended.code if met else 1)\n"
    )
    process = start(tmp_path / "a.nc", int(number), command=[sys.executable, "-c", code])
    out, said = finished(process)
    assert (process.returncode, out, said) == (CODES[number], "written\n", "")


def test_a_signal_that_waited_interrupts_what_is_waited_for():
    """A thread sends it anew, and the system tells the main one, which may be waiting for another program."""
    code = (
        "import subprocess, sys\n"
        "from izhires import cli\n"
        "cli._begun = True\n"
        "with cli._signals():\n"
        "    try:\n"
        "        cli._later(15)\n"
        "        subprocess.run(['sleep', '100'])\n"
        "    except cli.Ended as ended:\n"
        "        sys.exit(ended.code)\n"
    )
    process = start(command=[sys.executable, "-c", code])
    out, said = finished(process)
    assert (process.returncode, out, said) == (143, "", "")


def test_what_a_shell_ignores_stays_ignored():
    """`nohup` ignores SIGHUP, and a shell SIGINT of what it starts in the background."""
    process = start(command=["sh", "-c", 'trap "" INT HUP; exec "$@"', "sh", *COMMAND, "list", "devices"])
    while process.poll() is None and not catches(process, signal.SIGTERM):
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGHUP)
    out, said = finished(process)
    assert (process.returncode, said) == (0, "")
    assert "cpp" in out
