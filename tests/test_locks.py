"""Locks and whole files among real processes, some of which are killed at any moment."""

import os
import random
import signal
import subprocess
import textwrap
import time

import pytest
import small
from filelock import FileLock, Timeout
from hypothesis import given, settings
from hypothesis import strategies as st

from izhires.errors import RecordingError
from izhires.files import private_folder, whole
from izhires.running.export import PREFIX, export
from izhires.running.processes import python

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes are killed by signals")


def process(code, *arguments, **options):
    command, environment = python("-c", textwrap.dedent(code), *map(str, arguments))
    return subprocess.Popen(command, env={**environment, **options}, stdin=-1, stdout=-1, text=True)


def line(process):
    """Wait for a line that a process prints."""
    return process.stdout.readline().strip()


CLEAR = """
    import shutil, sys
    from izhires.devices import standalone
    def slowly(folder, **options):
        print("clearing", flush=True)
        sys.stdin.readline()
        real(folder, **options)
    real, shutil.rmtree = shutil.rmtree, slowly
    print(standalone.remove_build(standalone.builds()[0]))
"""

HOLD = """
    import sys
    from filelock import FileLock
    print("waiting", flush=True)
    with FileLock(sys.argv[1]):
        print("held", flush=True)
        sys.stdin.readline()
"""


def test_a_lock_that_is_waited_for_while_the_cache_is_cleared_is_held_once(tmp_path):
    """The waiting process and the one that comes next hold the same file."""
    builds = tmp_path / "izhires" / "builds"
    (builds / "abc.part").mkdir(parents=True)
    clearing = process(CLEAR, XDG_CACHE_HOME=str(tmp_path))
    assert line(clearing) == "clearing"
    waiting = process(HOLD, builds / "abc.lock")
    assert line(waiting) == "waiting"
    time.sleep(0.3)  # it has opened the file by then
    assert clearing.communicate("\n")[0].split() == ["True"]
    assert not (builds / "abc.part").exists()
    assert line(waiting) == "held"
    with pytest.raises(Timeout), FileLock(builds / "abc.lock", timeout=0):
        pass
    waiting.communicate("\n")
    with FileLock(builds / "abc.lock", timeout=0):
        pass


def test_a_lock_ends_with_its_process(tmp_path):
    holding = process(HOLD, tmp_path / "x")
    assert [line(holding), line(holding)] == ["waiting", "held"]
    with pytest.raises(Timeout), FileLock(tmp_path / "x", timeout=0):
        pass
    holding.kill()
    holding.communicate()
    with FileLock(tmp_path / "x", timeout=0):
        pass


PRIVATE = """
    import sys
    from pathlib import Path
    from izhires.files import private_folder
    for _ in range(20):
        with private_folder(Path(sys.argv[1]), "it-") as own:
            (own / "mine").write_text("x")
            assert sorted(path.name for path in own.iterdir()) == [".lock", "mine"]
"""


def test_private_folders_of_many_processes_at_once(tmp_path):
    """None takes that of another, which has just been made, for one of a killed process."""
    running = [process(PRIVATE, tmp_path) for _ in range(4)]
    for each in running:
        each.communicate()
    assert [each.returncode for each in running] == [0] * 4
    assert list(tmp_path.iterdir()) == []


def test_a_private_folder_is_gone_after_an_error(tmp_path):
    with pytest.raises(ValueError, match="mine"), private_folder(tmp_path, "it-"):
        raise ValueError("mine")
    assert list(tmp_path.iterdir()) == []


WRITE = """
    import sys
    from pathlib import Path
    from izhires.files import whole
    print("begun", flush=True)
    k = 0
    while True:
        with whole(Path(sys.argv[1])) as part:
            part.write_bytes(bytes([k % 256]) * 200_000)
        k += 1
"""


def test_a_file_is_whole_whenever_its_writer_is_killed(tmp_path):
    path, draw = tmp_path / "it", random.Random(1)
    seen = set()
    for _ in range(8):
        writing = process(WRITE, path)
        line(writing)
        time.sleep(draw.uniform(0, 0.05))
        writing.send_signal(signal.SIGKILL)
        writing.communicate()
        if path.exists():
            found = path.read_bytes()
            assert len(found) == 200_000 and len(set(found)) == 1
            seen.add(found[0])
    assert seen


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=50), st.booleans()), max_size=6))
def test_a_file_holds_what_was_written_last_without_an_error(tmp_path_factory, writes):
    folder = tmp_path_factory.mktemp("whole")
    last = None
    for content, fails in writes:
        try:
            with whole(folder / "it") as part:
                part.write_bytes(content)
                if fails:
                    raise KeyboardInterrupt
            last = content
        except KeyboardInterrupt:
            pass
    assert [path.name for path in folder.iterdir()] == (["it"] if last is not None else [])
    assert last is None or (folder / "it").read_bytes() == last


EXPORT = """
    import sys
    from izhires.model.configuration import read
    from izhires.devices.standalone import StandaloneDevice
    from izhires.running.export import export
    def write(self, *arguments, **options):
        real(self, *arguments, **options)
        print("half", flush=True)
        sys.stdin.readline()
    real, StandaloneDevice.write_project = StandaloneDevice.write_project, write
    export(read(sys.argv[1]), 0, "", "cpp", sys.argv[2])
"""


@pytest.mark.parametrize("empty", [False, True])
def test_a_killed_export_leaves_nothing_that_blocks_the_next(empty, tmp_path):
    configuration = small.configuration()
    (tmp_path / "small.toml").write_text(configuration.to_toml(), encoding="utf-8")
    project = tmp_path / "project"
    if empty:
        project.mkdir()
    writing = process(EXPORT, tmp_path / "small.toml", project)
    assert line(writing) == "half"
    writing.kill()
    writing.communicate()
    assert project.exists() == empty
    assert not empty or all(path.name.startswith(PREFIX) for path in project.iterdir())
    export(configuration, 0, "", "cpp", project)
    assert {"Makefile", "README.md", "configuration.toml", "export.json"} <= {path.name for path in project.iterdir()}
    left = [*tmp_path.glob(f"{PREFIX}*"), *project.glob(f"{PREFIX}*")]
    assert left == []


def test_an_export_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def fails(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("izhires.devices.standalone.StandaloneDevice.write_project", fails)
    with pytest.raises(RecordingError, match="project: cannot be written to: No space left on device"):
        export(small.configuration(), 0, "", "cpp", tmp_path / "project")
    assert list(tmp_path.iterdir()) == []
