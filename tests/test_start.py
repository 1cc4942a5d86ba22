"""How quickly a command starts: what is slow to import is imported by what needs it."""

import subprocess
import sys

import pytest
import small

SLOW = (
    "brian2", "scipy", "scipy.stats", "matplotlib", "matplotlib.pyplot", "seaborn", "sympy", "Cython", "netCDF4",
    "pandas", "xarray", "rich", "statsmodels", "dask", "distributed", "cupy",
)  # fmt: skip

LOADED = """
import sys
from types import ModuleType
sys.modules["pyhgf"] = None  # which imports pyplot for itself
sys.argv = ["izhires", *{arguments!r}]
from izhires.cli import main
try:
    main()
except SystemExit:
    pass
print(*[name for name in {slow!r} if type(sys.modules.get(name)) is ModuleType], file=sys.stderr)
"""
"""A module that stands in for another, or bars its way, is not it."""


def loaded(*arguments):
    """Return which slow modules a command has imported by its end."""
    code = LOADED.format(arguments=[str(each) for each in arguments], slow=SLOW)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr.splitlines()[-1].split()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["run", "--help"],
        ["list"],
        ["list", "parameters"],
        ["cache"],
        ["run", "meeet"],
        ["doctor", "--quick"],
    ],
)
def test_a_command_that_does_not_simulate(arguments):
    # typer sets its help with it, and the doctor has colours
    assert loaded(*arguments) == (["rich"] if {"--help", "doctor"} & set(arguments) else [])


def test_nothing_of_brian2_is_imported_to_run_what_is_built(tmp_path):
    """The program runs by itself; Brian2 is needed where it is generated, in a process of its own."""
    configuration = small.configuration()
    small.outputs(configuration)
    (tmp_path / "small.toml").write_text(configuration.to_toml(), encoding="utf-8")
    found = loaded("run", "meet", "--config", tmp_path / "small.toml", "--out", tmp_path / "out")
    assert list((tmp_path / "out").glob("*.nc"))
    assert found == ["netCDF4", "pandas", "xarray"]  # tables of trials, and the recording
    found = loaded("export", "meet", "--config", tmp_path / "small.toml", "--out", tmp_path / "project")
    assert (tmp_path / "project" / "Makefile").exists()
    assert found == ["pandas"]
    subprocess.run(["make", "-s", "-C", tmp_path / "project", "run"], check=True, capture_output=True)
    assert loaded("collect", tmp_path / "project") == ["netCDF4", "pandas", "xarray"]
    assert list((tmp_path / "project").glob("*.nc"))


NEVER = {"dask", "distributed", "cupy", "matplotlib.pyplot", "seaborn", "brian2"}


def test_analyses_and_figures_import_what_they_use(tmp_path):
    configuration = small.configuration()
    small.outputs(configuration)
    (tmp_path / "small.toml").write_text(configuration.to_toml(), encoding="utf-8")
    assert not NEVER & set(loaded("run", "meet", "--config", tmp_path / "small.toml", "--out", tmp_path / "out"))
    found = set(loaded("analyse", tmp_path / "out", "--processes", "1"))
    assert (tmp_path / "out" / "metrics.csv").exists()
    assert "scipy.stats" in found
    assert not NEVER & found
    found = set(
        loaded("figures", tmp_path / "out", "--only", "predictions", "--only", "calibration", "--processes", "1")
    )
    assert list((tmp_path / "out" / "figures").glob("*.pdf"))
    assert "matplotlib" in found
    assert not NEVER & found


IN = """
import sys
from izhires.optional import import_when_used, keep_out, library
keep_out()
import_when_used("pandas")
import pandas as pd
import pandas
assert "pandas.core" not in sys.modules
assert pd.DataFrame({{"a": [1]}})["a"].sum() == 1
assert sys.modules["pandas"] is not pd and sys.modules["pandas"].DataFrame is pd.DataFrame
from pandas import Series
assert Series is pd.Series
try:
    import {name}
except ImportError:
    pass
else:
    raise AssertionError("{name} came in")
library("distributed")
import {name}
"""


@pytest.mark.parametrize("name", ["dask", "distributed"])
def test_what_stays_out_comes_in_when_it_is_asked_for(name):
    pytest.importorskip("distributed")
    subprocess.run([sys.executable, "-c", IN.format(name=name)], check=True)


def test_what_a_user_imports_may_use_what_is_installed(tmp_path):
    pytest.importorskip("dask")
    (tmp_path / "mine.py").write_text("import dask")
    found = loaded("list", "gates", "--import", tmp_path / "mine.py")
    assert "dask" in found
