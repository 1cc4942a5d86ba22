"""A Brian2 that nobody has tried yet, and what the tools say that fail."""

import os
import re
import shutil
from importlib import metadata
from pathlib import Path

import brian2
import pytest
import small
from terminal import izhires

from izhires import simulate
from izhires.analysis.compare import compare
from izhires.devices import cpp, get
from izhires.devices.cpp import CppDevice
from izhires.errors import SimulationError, SlowerWarning, ToolchainError
from izhires.recordings.recording import load
from izhires.running.export import export
from izhires.running.processes import asked, cause

QUIET = small.configuration()
TEMPLATES = Path(cpp.__file__).parent / "templates"
NEWER = "99.1.0"
SAID = f"plain, since brian2 {NEWER} is not one that this package's templates are tested with (2.9 to 2.11)"


def lines(*folders):
    """Return the lines of C++ that are long enough to be somebody's, without those that a template would change."""
    return {
        line.strip()
        for folder in folders
        for path in folder.rglob("*")
        if path.suffix in (".cpp", ".h")
        for line in path.read_text().splitlines()
        if len(line.strip()) > 24 and not re.search(r"{[{%#]|[}%#]}|#include", line)
    }


@pytest.fixture(scope="module")
def newer(tmp_path_factory):
    """Let every process believe that Brian2 is newer than all that were tested; return what that takes.

    What is generated is that of the Brian2 which is here, and compiles without optimisation.
    """
    folder = tmp_path_factory.mktemp("newer")
    (folder / f"brian2-{NEWER}.dist-info").mkdir()
    (folder / f"brian2-{NEWER}.dist-info" / "METADATA").write_text(f"Name: brian2\nVersion: {NEWER}\n")
    compiler = folder / "cxx"
    compiler.write_text(f'#!/bin/sh\nexec {shutil.which(os.environ.get("CXX", "g++"))} "$@" -O0\n')
    compiler.chmod(0o755)
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    return {"PYTHONPATH": path, "CXX": str(compiler)}


@pytest.mark.slow
def test_a_newer_brian2_runs_its_own_code(newer, builds, tmp_path, monkeypatch):
    """With nothing of this package's templates in it, and the numbers of the device ``plain``."""
    # the build, in this process: it takes longer than a command may
    monkeypatch.setenv("CXX", newer["CXX"])
    monkeypatch.setattr(cpp, "version", lambda name: NEWER if name == "brian2" else metadata.version(name))
    _, plan, _ = small.planned(QUIET, 3)
    build = builds / get("cpp").build_key(plan)
    with pytest.warns(SlowerWarning, match=re.escape(SAID)):
        assert get("cpp").prepare(plan).folder == build
    (tmp_path / "small.toml").write_text(QUIET.to_toml(), encoding="utf-8")
    arguments = ["run", "meet", "--config", tmp_path / "small.toml", "--seeds", "3:5", "--processes", "2"]
    done = izhires(*arguments, "--out", tmp_path / "out", environment=newer)
    first, *others = done.stderr.splitlines()
    assert (done.returncode, first) == (0, f"izhires: templates: {SAID}")
    assert all("the states do not tell the time" in line for line in others)
    found = load(tmp_path / "out" / "meet_seed3.nc")
    assert (found.attrs["device"], found.attrs["templates"]) == ("cpp", SAID)
    for each in compare(simulate(QUIET, seed=3, device="plain"), found):
        assert each.identical or each.difference <= 1e-9 * each.scale, each.text

    # and the same as a project to take away
    with pytest.raises(SimulationError, match="a profile needs device cpp"):
        get("cpp").prepare(plan).profile({})
    project = export(QUIET, 3, "", "cpp", tmp_path / "project")
    brian2s = lines(Path(brian2.__file__).parent / "devices" / "cpp_standalone")
    ours = lines(TEMPLATES) - brian2s
    own = tmp_path / "own"
    own.mkdir()
    monkeypatch.undo()
    CppDevice().write_project(plan, own)
    assert len(lines(own) & ours) > 100  # what is looked for would be found
    for folder in (build, project):
        assert not lines(folder) & ours
        assert not any(path.name.startswith(("own_", "hot", "cold")) for path in folder.rglob("*"))
    sources = {path.relative_to(build) for path in build.rglob("*.cpp")}
    assert len(sources) > 40
    assert all((project / each).exists() for each in sources)
    assert "wildcard" in (project / "Makefile").read_text()


def test_the_device_plain_shares_no_template(tmp_path):
    _, plan, _ = small.planned(QUIET)
    get("plain").write_project(plan, tmp_path)
    ours = lines(TEMPLATES) - lines(Path(brian2.__file__).parent / "devices" / "cpp_standalone")
    assert not lines(tmp_path) & ours
    assert "IZHIRES_NOISE_SEED" in (tmp_path / "main.cpp").read_text()


def test_which_brian2_is_tested(monkeypatch):
    for there, tested in [
        ("2.8.0.4", False), ("2.9.0", True), ("2.10.1", True), ("2.11.0.post1", True), ("2.12", False), ("3.0", False),
    ]:  # fmt: skip
        monkeypatch.setattr(cpp, "version", lambda name, there=there: there)
        assert (cpp.untested() == "") == tested, there
    monkeypatch.undo()
    assert cpp.untested() == "", "the templates are not tested with the Brian2 that is here"


# causes

GCC = """\
g++ -O3 -c hot.cpp -o hot.o
In file included from hot.cpp:40:
code_objects/pieces.cpp: In function 'void run()':
code_objects/pieces.cpp:40:66: error: call of overloaded 'resize(int, size_t&)' is ambiguous
   40 |   resize(0, a.m);
make: *** [Makefile:9: hot.o] Error 1
make: *** Waiting for unfinished jobs....
"""
NVCC = """\
nvcc -O3 all.cu -o main
all.cu(12): error: identifier "x" is undefined

2 errors detected in the compilation of "all.cu".
make: *** [Makefile:12: main] Error 2
"""
LINKER = """\
g++ hot.o cold.o -o main
/usr/bin/ld: hot.o: in function `main':
hot.cpp:(.text+0x5): undefined reference to `brian::f()'
collect2: error: ld returned 1 exit status
make: *** [Makefile:6: main] Error 1
"""
PYTHON = """\
INFO something
Traceback (most recent call last):
  File "a.py", line 1, in <module>
    f(error=1)
ValueError: first

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3, in <module>
    raise brian2.NotThere("no")
brian2.core.NotThere: the cause
   further down
[INFO] 3 objects were deleted
"""


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (GCC, "code_objects/pieces.cpp:40:66: error: call of overloaded 'resize(int, size_t&)' is ambiguous"),
        ("main.cpp:5:10: fatal error: a.h: No such file or directory\ncompilation terminated.\n",
         "main.cpp:5:10: fatal error: a.h: No such file or directory"),
        (NVCC, 'all.cu(12): error: identifier "x" is undefined'),
        ("nvcc fatal   : Unsupported gpu architecture 'sm_1'\nmake: *** [Makefile:2: main] Error 1\n",
         "nvcc fatal   : Unsupported gpu architecture 'sm_1'"),
        (LINKER, "hot.cpp:(.text+0x5): undefined reference to `brian::f()'"),
        (PYTHON, "brian2.core.NotThere: the cause"),
        ("make: nvcc: No such file or directory\nmake: *** [Makefile:2: main] Error 127\n",
         "make: nvcc: No such file or directory"),
        ("make: *** [Makefile:9: hot.o] Error 1\nmake: *** Waiting for unfinished jobs....\n",
         "make: *** [Makefile:9: hot.o] Error 1"),
        ("g++: fatal error: Killed signal terminated program cc1plus\ncompilation terminated.\nmake: *** [a] Error 1\n",
         "g++: fatal error: Killed signal terminated program cc1plus"),
        ("first\nlast\n", "last"),
        ("", "it said nothing"),
    ],
)  # fmt: skip
def test_the_cause_is_told_and_not_the_last_line(said, found):
    assert cause(said) == found


@pytest.mark.slow
def test_the_compilers_first_error_is_shown_with_its_place_and_its_log(tmp_path, monkeypatch):
    """A real compiler, which make starts twice at once."""
    _, plan, _ = small.planned(QUIET)
    (tmp_path / "wrong.h").write_text("\nint f() { return nothing; }\n")
    script = tmp_path / "cxx"
    real = shutil.which(os.environ.get("CXX", "g++"))
    script.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && exec {real} "$@"\nexec {real} -include {tmp_path}/wrong.h "$@"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("CXX", str(script))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for device in ("plain", "cpp"):
        with pytest.raises(ToolchainError, match=r"wrong\.h:2:18: error: .*nothing.*; the whole log is ") as caught:
            get(device).prepare(plan)
        log = Path(str(caught.value).rpartition("the whole log is ")[2])
        assert log.is_relative_to(tmp_path) and "Waiting for unfinished jobs" in log.read_text()
        assert "\n" not in str(caught.value)


def test_a_tool_that_fails_is_told_of_in_its_own_words(tmp_path):
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\necho 'tool: error: no licence' >&2\necho 'see the manual' >&2\nexit 3\n")
    tool.chmod(0o755)
    with pytest.raises(ToolchainError, match=rf"^here: {tool} --version failed: tool: error: no licence$"):
        asked([str(tool), "--version"], "here")
    with pytest.raises(ToolchainError, match=r"cannot be run: No such file or directory$"):
        asked([str(tmp_path / "absent")], "here")
