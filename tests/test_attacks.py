"""What users mistype, break and interrupt: one line that names the place, one of the documented exit codes."""

import os
import shutil
import subprocess

import numpy as np
import pytest
import small
from terminal import COMMAND

from izhires import load, load_folder, run_batch, sweep
from izhires.analysis.compare import compare
from izhires.errors import ConfigurationError, IzhiresError
from izhires.files import as_path, read_toml
from izhires.running.batch import run_batch as batch
from izhires.running.export import collect, export
from izhires.sweeps.design import read
from izhires.sweeps.results import results

CODES = (2, 3, 4, 5)

SMALL = small.configuration()

SWEEP = 'paradigm = "meet"\nseeds = "0"\n'


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """A folder of things that are not what a command expects."""
    folder = tmp_path_factory.mktemp("attacks")
    (folder / "file").write_text("mine")
    (folder / "zero.nc").write_bytes(b"")
    (folder / "zeros").mkdir()
    (folder / "zeros" / "meet_seed0.nc").write_bytes(b"")
    (folder / "binary").mkdir()
    (folder / "binary" / "meet_seed0.nc").write_bytes(os.urandom(5000))
    (folder / "empty").mkdir()
    (folder / "full").mkdir()
    (folder / "full" / "mine").write_text("x")
    (folder / "link").symlink_to(folder / "nowhere")
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "empty.toml").write_text("")
    (folder / "binary.toml").write_bytes(bytes(range(256)))
    (folder / "brackets.toml").write_text("a = " + "[" * 2000 + "]" * 2000)
    (folder / "number.toml").write_text("a = " + "1" * 5000)
    (folder / "tables.toml").write_text("[" + ".".join("a" * 2000) + "]\n")
    (folder / "text.toml").write_text("this is a letter\n")
    (folder / "sweep.toml").write_text(SWEEP)
    (folder / "small.toml").write_text(SMALL.to_toml(), encoding="utf-8")
    (folder / "project").mkdir()
    (folder / "project" / "export.json").write_text("[]")
    (folder / "index").mkdir()
    (folder / "index" / "index.sqlite").write_bytes(b"rubbish" * 100)
    return folder


RUN = ["run", "meet", "--config", "small.toml"]

ATTACKS = [
    # options and arguments
    (["rnu"], "rnu"),
    (["run"], "paradigm"),
    (["run", "meet"], "--out"),
    ([*RUN, "--out", "o", "--seeds", "a"], "--seeds"),
    ([*RUN, "--out", "o", "--seeds", ""], "--seeds"),
    ([*RUN, "--out", "o", "--seeds", "3:1"], "--seeds"),
    ([*RUN, "--out", "o", "--seeds", "1,1"], "--seeds"),
    ([*RUN, "--out", "o", "--processes", "0"], "--processes"),
    ([*RUN, "--out", "o", "--device", "gpu"], "gpu"),
    ([*RUN, "--out", "o", "--device", "cpp", "--plain"], "--device"),
    ([*RUN, "--out", "o", "--set", "reservoir"], "--set"),
    ([*RUN, "--out", "o", "--condition", "nothing"], "--condition"),
    ([*RUN, "--out", "o", "--no-such"], "--no-such"),
    ([*RUN, "extra", "--out", "o"], "extra"),
    (["run", "meeet", "--out", "o"], "meeet"),
    (["cache", "--cleer"], "--cleer"),
    # folders and files that are something else
    ([*RUN, "--out", "file"], "file"),
    ([*RUN, "--out", "file/deep"], "file/deep"),
    ([*RUN, "--out", "link/deep/\0"], None),
    ([*RUN, "--out", "loop"], "loop"),
    ([*RUN, "--out", "/proc/here"], "/proc/here"),
    ([*RUN, "--out", "x" * 300], "xxx"),
    (["export", "meet", "--config", "small.toml", "--out", "full"], "full"),
    (["export", "meet", "--config", "small.toml", "--out", "file"], "file"),
    (["export", "meet", "--config", "small.toml", "--out", "file/deep"], "file/deep"),
    (["export", "meet", "--config", "small.toml", "--out", "link"], "link"),
    (["export", "meet", "--config", "small.toml", "--out", "loop"], "loop"),
    (["export", "meet", "--config", "small.toml", "--out", "/proc/here"], "/proc/here"),
    (["export", "meet", "--config", "small.toml", "--out", "o", "--device", "numpy"], "numpy"),
    (["collect", "empty"], "empty"),
    (["collect", "file"], "file"),
    (["collect", "project"], "project"),
    (["collect", "nowhere"], "nowhere"),
    (["analyse", "empty"], "empty"),
    (["analyse", "file"], "file"),
    (["analyse", "nowhere"], "nowhere"),
    (["analyse", "zeros"], "meet_seed0.nc"),
    (["analyse", "binary"], "meet_seed0.nc"),
    (["figures", "empty"], "empty"),
    (["figures", "zeros"], "meet_seed0.nc"),
    (["report", "file"], "file"),
    (["report", "zeros"], "meet_seed0.nc"),
    (["compare", "zero.nc", "zero.nc"], "zero.nc"),
    (["compare", "empty", "zero.nc"], "empty"),
    (["compare", "link", "zero.nc"], "link"),
    (["convert", "zero.nc", "--to", "csv"], "zero.nc"),
    (["convert", "zero.nc", "--to", "xls"], "--to"),
    # configurations
    (["run", "meet", "--out", "o", "--config", "empty"], "empty"),
    (["run", "meet", "--out", "o", "--config", "nowhere.toml"], "nowhere.toml"),
    (["run", "meet", "--out", "o", "--config", "binary.toml"], "binary.toml"),
    (["run", "meet", "--out", "o", "--config", "text.toml"], "text.toml"),
    # sweeps
    (["sweep", "--out", "empty"], "empty"),
    (["sweep", "--out", "file", "sweep.toml"], "file"),
    (["sweep", "--out", "empty", "--results"], "empty"),
    (["sweep", "--out", "index", "--results"], "index"),
    (["sweep", "--out", "o", "nowhere.toml"], "nowhere.toml"),
    (["sweep", "--out", "o", "binary.toml"], "binary.toml"),
    (["sweep", "--out", "o", "brackets.toml"], "brackets.toml"),
    (["sweep", "--out", "o", "number.toml"], "number.toml"),
    (["sweep", "--out", "o", "tables.toml"], "tables.toml"),
    (["sweep", "--out", "o", "text.toml"], "text.toml"),
    (["sweep", "--out", "o", "empty"], "empty"),
    (["sensitivity", "--out", "o", "brackets.toml"], "brackets.toml"),
]


@pytest.mark.parametrize(
    ("arguments", "place"), ATTACKS, ids=lambda each: " ".join(each)[:60] if isinstance(each, list) else ""
)
def test_it_is_said_in_one_line(arguments, place, there, command_line, monkeypatch):
    monkeypatch.chdir(there)
    before = sorted(path.name for path in there.iterdir())
    code, said = command_line(*arguments)
    assert code in CODES, said
    assert "Traceback" not in said.err
    assert len(said.err.splitlines()) == 1, said.err
    assert said.err.startswith("izhires: ")
    assert len(said.err) < 1000
    assert place is None or place in said.err
    left = sorted(path.name for path in there.iterdir())
    assert left == before  # nothing is made on the way to an error
    assert (there / "file").read_text() == "mine"
    assert [path.name for path in (there / "empty").iterdir() if not path.name.startswith(".")] == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to become somebody else")
@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ([*RUN, "--out", "out"], "out"),
        (["export", "meet", "--config", "small.toml", "--out", "project"], "project"),
        (["analyse", "secret"], "secret"),
        (["sweep", "--out", "out", "sweep.toml"], "out"),
        (["run", "meet", "--config", "secret.toml", "--out", "out"], "secret.toml"),
    ],
)
def test_permission_denied(arguments, place, tmp_path):
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    (tmp_path / "small.toml").write_text(SMALL.to_toml(), encoding="utf-8")
    (tmp_path / "sweep.toml").write_text(SWEEP)
    (tmp_path / "secret.toml").write_text("")
    (tmp_path / "secret").mkdir()
    for name in ("secret", "secret.toml"):
        (tmp_path / name).chmod(0)
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    options = {"user": 12345, "group": 12345, "extra_groups": [], "capture_output": True, "text": True}
    try:
        done = subprocess.run([*COMMAND, *arguments], cwd=tmp_path, env=environment, **options)
    except PermissionError:
        pytest.skip("this Python cannot be read by others")
    assert done.returncode in CODES, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert place in done.stderr


def test_no_home_folder(tmp_path, monkeypatch, command_line):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    code, said = command_line("cache")
    assert code == 3
    assert said.err == (
        "izhires: cache: no home folder is known; set HOME, or XDG_CACHE_HOME to a folder for what is built\n"
    )


WRONG = [None, 7, 2.5, np.zeros(3), b"bytes", ["a"], {}, "", "a\0b", np.float64(0.5)]

ENTRIES = {
    "as_path": as_path,
    "read_toml": read_toml,
    "run_batch": lambda given: batch(SMALL, [0], given),
    "sweep": lambda given: sweep("sweep.toml", given),
    "sweep, what": lambda given: sweep(given, "out"),
    "read": read,
    "results": results,
    "export": lambda given: export(SMALL, 0, "", "cpp", given),
    "collect": collect,
    "compare": lambda given: compare(given, given),
}


@pytest.mark.parametrize("given", WRONG, ids=lambda each: repr(each)[:20])
@pytest.mark.parametrize("entry", ENTRIES)
def test_what_is_no_path(entry, given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=r"must be a path|is no name of a file") as raised:
        ENTRIES[entry](given)
    assert len(str(raised.value).splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_path_may_be_text(tmp_path):
    assert as_path("a") == as_path(as_path("a"))
    configuration = small.configuration()
    (path,) = run_batch(configuration, [0], str(tmp_path / "runs"))
    assert compare(str(path), path)[0].identical
    assert len(load_folder(str(tmp_path / "runs"))) == 1
    assert load(str(path)).attrs["seed"] == 0
    project = export(configuration, 0, "", "cpp", str(tmp_path / "project"))
    with pytest.raises(IzhiresError, match="no results yet"):
        collect(str(project))
    assert shutil.which("make") is None or (project / "Makefile").exists()
