"""How quickly a command starts: what is slow to import is imported by what needs it."""

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
