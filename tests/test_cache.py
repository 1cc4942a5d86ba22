"""The builds that are kept: listed and removed, broken and half-made ones too; a build in progress stays."""

import json
import os
import shutil
import sys
import time

import pytest
import small
from filelock import FileLock
from terminal import COMMAND, izhires

from izhires.circuits import development
from izhires.devices import get
from izhires.devices.standalone import builds, cache_folder, remove_build
from izhires.running.processes import tied

QUIET = small.configuration()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of its own with one whole build, copied from that of all tests."""
    program = get("cpp").prepare(small.planned(QUIET)[1])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = cache_folder()
    assert folder == tmp_path / "izhires" / "builds"
    folder.mkdir(parents=True)
    shutil.copytree(program.folder, folder / program.folder.name)
    (folder / f"{program.folder.name}.lock").touch()
    return folder


def whole(cache):
    return next(path for path in cache.iterdir() if path.is_dir() and "." not in path.name)


def half_made(cache, name="abc.part"):
    (cache / name).mkdir()
    (cache / name / "hot.cpp").write_text("int")
    return cache / name


def test_an_empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "absent"))
    assert builds() == []
    done = izhires("cache")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"0 builds, 0 MB in {tmp_path / 'absent' / 'izhires' / 'builds'}\n"
    assert izhires("cache", "--clear").stdout == "0 builds removed, 0 MB\n"


def test_the_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "izhires" / "builds"


@pytest.mark.skipif(sys.platform != "linux", reason="a standard of free desktops")
@pytest.mark.parametrize("given", ["relative", "./relative", "~/relative", ""])
def test_a_relative_folder_is_ignored(given, monkeypatch, tmp_path):
    """As the XDG Base Directory Specification has it."""
    monkeypatch.setenv("XDG_CACHE_HOME", given)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "izhires" / "builds"


def test_a_list(cache):
    (build,) = builds()
    assert build.folder == whole(cache)
    assert build.summary == "100 cells, 4.201 s"
    assert build.size == sum(path.stat().st_size for path in build.folder.rglob("*") if path.is_file())
    first, last = izhires("cache").stdout.splitlines()
    assert first.startswith(f"{build.folder.name}  {build.made}  ")
    assert first.endswith(build.summary)
    assert last.startswith("1 builds, ") and last.endswith(f" MB in {cache}")


def test_replicates_are_counted(cache):
    path = whole(cache) / "plan.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "replicates": 16}))
    assert builds()[0].summary == "1600 cells, 4.201 s"


@pytest.mark.parametrize("content", ["not json", "[]", "{}", "null", '{"cells": 1}', b"\xff\xfe", None])
def test_a_broken_plan(cache, content):
    path = whole(cache) / "plan.json"
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (build,) = builds()
    assert build.summary == "unreadable"
    assert remove_build(build)
    assert builds() == []


def test_half_made_builds_are_listed_and_removed(cache):
    part = half_made(cache)
    (whole(cache) / "main").unlink()  # as by a program that cleans caches file by file
    assert sorted(build.summary for build in builds()) == [
        "100 cells, 4.201 s, not finished",
        "unreadable, not finished",
    ]
    done = izhires("cache", "--clear")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("2 builds removed, ")
    assert not part.exists()
    assert not any(path.is_dir() for path in cache.iterdir())


def test_a_build_in_progress_stays(cache):
    key = whole(cache).name
    half_made(cache, "other.part")
    with FileLock(cache / "other.lock"):
        done = izhires("cache", "--clear")
    said = done.stdout.splitlines()
    assert said[0].startswith("1 builds removed, ")
    assert said[1:] == ["other.part is being built now and stays"]
    assert [path.name for path in cache.iterdir() if path.is_dir()] == ["other.part"]
    assert key not in said[0]


def test_a_build_that_vanishes_while_it_is_listed(cache, monkeypatch):
    """Another process clears the cache, or finishes a build, meanwhile."""
    part = half_made(cache)
    real = json.loads

    def meanwhile(text):
        shutil.rmtree(part, ignore_errors=True)
        return real(text)

    monkeypatch.setattr("izhires.devices.standalone.json.loads", meanwhile)
    found = builds()
    assert [build.folder for build in found if build.folder.exists()] == [whole(cache)]


def test_a_file_among_the_builds(cache):
    (cache / "notes.txt").write_text("mine")
    assert len(builds()) == 1
    izhires("cache", "--clear")
    assert (cache / "notes.txt").exists()


def test_developed_networks(cache, command_line):
    """They are counted and removed with the builds; where there are none, nothing is said of them."""
    folder = development.folder()
    assert folder.parent == cache.parent
    assert "developed networks" not in command_line("cache")[1].out
    folder.mkdir()
    for name in "ab":
        (folder / f"{name}.npz").write_bytes(bytes(10**6))
    assert command_line("cache")[1].out.splitlines()[-1] == f"2 developed networks, 2 MB in {folder}"
    assert command_line("cache", "--clear")[1].out.splitlines()[-1] == "2 developed networks removed, 2 MB"
    assert not list(folder.glob("*.npz"))


def test_newest_first(cache):
    old = half_made(cache, "old.part")
    os.utime(old, (time.time() - 7200,) * 2)
    assert [build.folder.name for build in builds()] == [whole(cache).name, "old.part"]


def test_a_cleared_build_is_made_again_and_a_program_that_runs_goes_on(cache):
    """A run has its own copies of the numbers; the program itself is open already."""
    _, plan, arrays = small.planned(QUIET)
    program = get("cpp").prepare(plan)
    assert program.build_seconds == 0.0
    (build,) = builds()
    shown = []

    def clear(share, _):
        if not shown:
            shown.append(share)
            assert remove_build(build)

    found = program.run(arrays, clear)
    assert shown
    assert len(found["spikes.t"]) > 100
    assert builds() == []


@pytest.mark.skipif(os.name != "posix", reason="needs a limit of the size of files")
@pytest.mark.parametrize("most", [2_000, 200_000])
def test_a_disk_that_fills_during_a_build(most, tmp_path):
    """No file may grow beyond a size: generator or compiler cannot go on, and one line says so."""
    path = tmp_path / "small.toml"
    path.write_text(QUIET.to_toml(), encoding="utf-8")
    command = [*COMMAND, "run", "meet", "--config", str(path), "--out", str(tmp_path / "out")]
    code = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))\n"
    code += f"import os, sys; os.execv(sys.executable, {command!r})"
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    with tied([sys.executable, "-c", code], stderr=-1, text=True, env=environment) as process:
        said = process.stderr.read()
    assert process.returncode in (3, 5), said
    assert len(said.splitlines()) == 1, said
    assert said.startswith("izhires: ")
    assert "Traceback" not in said
    # nothing passes for a build
    assert not any((build.folder / "main").exists() and "not finished" not in build.summary
                   for build in _builds_of(tmp_path / "cache"))  # fmt: skip


def _builds_of(cache):
    before = os.environ["XDG_CACHE_HOME"]
    os.environ["XDG_CACHE_HOME"] = str(cache)
    try:
        return builds()
    finally:
        os.environ["XDG_CACHE_HOME"] = before
