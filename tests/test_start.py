"""How quickly a command starts: what is slow to import is imported by what needs it."""

import os
import subprocess
import sys

import pytest
import small

SLOW = ("brian2", "scipy", "matplotlib", "seaborn", "sympy", "Cython", "netCDF4")

LOADED = """
import sys
sys.modules["dask"] = None  # where it is installed, xarray imports it, and it imports scipy
sys.argv = ["izhires", *{arguments!r}]
from izhires.cli import main
try:
    main()
except SystemExit:
    pass
print(*[name for name in {slow!r} if name in sys.modules], file=sys.stderr)
"""


def loaded(*arguments):
    """Return which slow modules a command has imported by its end."""
    code = LOADED.format(arguments=[str(each) for each in arguments], slow=SLOW)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr.splitlines()[-1].split()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["list"], ["list", "parameters"], ["cache"], ["run", "meeet"]]
)
def test_a_command_that_does_not_simulate(arguments):
    assert loaded(*arguments) == []


def test_nothing_of_brian2_is_imported_to_run_what_is_built(tmp_path):
    """The program runs by itself; Brian2 is needed where it is generated, in a process of its own."""
    configuration = small.configuration()
    small.outputs(configuration)
    (tmp_path / "small.toml").write_text(configuration.to_toml(), encoding="utf-8")
    found = loaded("run", "meet", "--config", tmp_path / "small.toml", "--out", tmp_path / "out")
    assert list((tmp_path / "out").glob("*.nc"))
    assert found == ["netCDF4"]  # to write the recording
    found = loaded("export", "meet", "--config", tmp_path / "small.toml", "--out", tmp_path / "project")
    assert (tmp_path / "project" / "Makefile").exists()
    assert found == []


@pytest.mark.parametrize(("code", "most"), [("import izhires", 0.5), ("import izhires.cli.run", 0.5)])
def test_processor_time_of_an_import(code, most):
    """The best of three, in a process of its own, without the start of Python itself."""
    timed = f"import time; began = time.process_time(); {code}; print(time.process_time() - began)"
    took = [float(subprocess.check_output([sys.executable, "-c", timed])) for _ in range(3)]
    assert min(took) < most


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="needs the processor time of a child")
def test_processor_time_of_a_list():
    took = []
    for _ in range(3):
        before = os.times()
        subprocess.run([sys.executable, "-m", "izhires", "list"], stdout=subprocess.DEVNULL, check=True)
        after = os.times()
        took.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(took) < 1.0


def test_processor_time_from_the_command_to_the_first_step(tmp_path):
    """Of the default experiment: all that comes before the program starts. A busy machine may take more than 0.5 s."""
    script = """
import sys, time
from izhires.devices import standalone
folder = standalone.Path(sys.argv.pop())
def stop(self, *_): raise SystemExit(print(time.process_time()))
standalone.StandaloneProgram._execute = stop
standalone.StandaloneProgram.__init__ = lambda self, plan, *_: self.__dict__.update(
    plan=plan, build_seconds=0.0, folder=folder, facts=dict(inputs={}, outputs={}))
standalone._is_whole = lambda folder: True
sys.argv[1:1] = ["run", "meet", "--out"]
from izhires.cli import main
main()
"""
    (tmp_path / "static_arrays").mkdir()
    took = []
    for k in range(3):
        command = [sys.executable, "-c", script, tmp_path / f"out{k}", tmp_path]
        took.append(subprocess.run(command, capture_output=True, text=True).stdout)
    assert min(map(float, took)) < 0.7
