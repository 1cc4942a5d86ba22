"""Libraries that are not always there: whatever they do, all that does not need them goes on."""

import ast
import json
import re
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import synthetic

from izhires.analysis.metrics.base import all_metrics
from izhires.analysis.observers import all_observers, hgf
from izhires.analysis.table import analyse, notes
from izhires.errors import ToolchainError
from izhires.optional import EXTRAS, library

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LAZY = """
def __getattr__(name):
    if name.startswith('__'):
        raise AttributeError(name)
    raise NotImplementedError('use another\\nclass')
"""
BROKEN = {
    "is not there": (
        "raise ModuleNotFoundError('no', name=MODULE)",
        "needs the package {name}: pip install 'izhires[{extra}]'",
    ),
    "lacks a name": ("from math import HGF", "cannot import name 'HGF'"),
    "lacks a library of its own": ("import nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
    "does not fit": ("import numpy\nnumpy.float_of_old", "AttributeError: module 'numpy' has no attribute"),
    "ends the process": ("raise SystemExit('no licence')", "SystemExit: no licence"),
    "raises when it is used": (LAZY, "NotImplementedError: use another class"),
}
MODULES = {"pyhgf": "pyhgf.model", "elephant": "elephant.statistics"}
"""What each library of the analyses is first asked for."""


@pytest.fixture(params=BROKEN)
def broken(request, tmp_path, monkeypatch):
    """Return a function that breaks a library, and then returns what must be said of it."""
    text, said = BROKEN[request.param]

    def break_it(name, module):
        for each in [each for each in sys.modules if each.partition(".")[0] == name]:
            monkeypatch.delitem(sys.modules, each)
        folder = tmp_path / "broken" / Path(*module.split(".")[:-1])
        folder.mkdir(parents=True, exist_ok=True)
        for parent in [folder, *folder.parents]:
            if parent == tmp_path / "broken":
                break
            (parent / "__init__.py").touch()
        (folder / f"{module.rpartition('.')[2]}.py").write_text(f"MODULE = {module!r}\n{text}\n")
        monkeypatch.syspath_prepend(tmp_path / "broken")
        return said.format(name=name, extra=EXTRAS[name])

    yield break_it
    for each in [each for each in sys.modules if each.partition(".")[0] in EXTRAS]:
        if str(tmp_path) in str(getattr(sys.modules[each], "__file__", "")):
            del sys.modules[each]


def test_every_library_is_of_an_extra():
    for name, extra in EXTRAS.items():
        wanted = {re.match(r"[\w-]+", each)[0].replace("-", "_") for each in PROJECT["optional-dependencies"][extra]}
        needed = {"quantities": "neo", "h5py": "pynwb"}.get(name, name)  # come with it
        assert needed in wanted


def test_analyses_import_optional_libraries_in_one_way():
    """Also within functions; so nothing they do can end an analysis."""
    for path in (ROOT / "analysis").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & EXTRAS.keys(), f"{path}, line {node.lineno}"
    used = {each.library for each in (*all_metrics().values(), *all_observers().values())} - {""}
    assert used == MODULES.keys()


@pytest.mark.parametrize("name", MODULES)
def test_what_a_library_does_becomes_a_note(name, broken):
    """As of pyhgf 0.3, whose model no longer has the class of 0.2: all other metrics and observers are there."""
    said = broken(name, MODULES[name])
    hgf._filtered.cache_clear()
    given = synthetic.recording(states=False)
    given["spike_time"], given["spike_neuron"] = ("spike", np.arange(400) * 0.1), ("spike", np.arange(400) % 10)
    given.attrs["configuration"] = json.dumps({"keep": {"spikes": "all"}})
    first = {"pyhgf": "observer_probability.hgf", "elephant": "interval_variation.cv2_excitatory"}[name]
    table = analyse([given], only=["observer_probability", "interval_variation", "mean_rate"])
    (line,) = [each for each in notes(table) if said in each]
    assert line.startswith(f"{first}: ") and "\n" not in line
    for other in ("observer_probability.bayes", "mean_rate"):
        assert np.isfinite(table.loc[table["metric"] == other, "value"]).all()


@pytest.mark.parametrize("name", ["pynapple", "pynwb", "SALib", "distributed"])
@pytest.mark.parametrize("broken", [name for name, (text, _) in BROKEN.items() if text != LAZY], indirect=True)
def test_what_a_library_does_is_one_line(name, broken):
    said = broken(name, f"{name}.own")
    with pytest.raises(ToolchainError) as caught:
        library(f"{name}.own")
    assert said in str(caught.value) and "\n" not in str(caught.value)
