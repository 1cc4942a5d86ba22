"""A run as a project of its own: nothing but make, the same recording, and nothing of this machine in it."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import small
from terminal import izhires

from izhires import simulate
from izhires.building.plan import Plan
from izhires.devices import cuda
from izhires.errors import ConfigurationError, RecordingError, SimulationError, ToolchainError
from izhires.recordings.recording import load
from izhires.running.export import collect, export

QUIET = small.configuration()
LEVELS = {
    "type": "meet_levels",
    "trial_duration": "300 ms",
    "cue_onset": "30 ms",
    "window": "220 ms",
    "cue_duration": "20 ms",
    "warm_up": 0,
    "trials": 4,
    "levels": [0.0, 0.5],
    "latency": {"A": "60 ms", "B": "110 ms"},
    "probes": [2],
}
EMPTY = {"PATH": os.defpath}
"""An environment without anything: where the compiler and make are, and no more."""

TOOLS = all(shutil.which(tool, path=os.defpath) for tool in ("make", "g++"))
compiled = pytest.mark.skipif(not TOOLS, reason=f"make and g++ are not in {os.defpath}")


def make(folder, *arguments, environment=None):
    """Run make alone, in an environment without anything."""
    command = ["make", *arguments]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.run(command, cwd=folder, env=environment or EMPTY, **streams)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project as the command line writes it, built and run."""
    if not TOOLS:
        pytest.skip(f"make and g++ are not in {os.defpath}")
    folder = tmp_path_factory.mktemp("export")
    (folder / "small.toml").write_text(QUIET.to_toml(), encoding="utf-8")
    target = folder / "project"
    done = izhires("export", "meet", "--config", folder / "small.toml", "--seed", 3, "--out", target)
    assert (done.returncode, done.stderr) == (0, "")
    assert str(target) in done.stdout
    written = {path.relative_to(target): path.read_bytes() for path in target.rglob("*") if path.is_file()}
    # somewhere else, as on another machine
    moved = target.rename(folder / "moved")
    made = make(moved, "run")
    assert made.returncode == 0, made.stdout
    return moved, written


def test_what_make_built_and_ran_is_the_run(project, tmp_path):
    folder, _ = project
    done = izhires("collect", folder, "--out", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{tmp_path / 'meet_seed3.nc'}\n"
    found, expected = load(tmp_path / "meet_seed3.nc"), simulate(QUIET, seed=3)
    for name in expected.variables:
        assert found[name].dtype.kind == expected[name].dtype.kind
        assert np.array_equal(found[name].values, expected[name].values, equal_nan=found[name].dtype.kind == "f"), name
    assert found.variables.keys() == expected.variables.keys()
    times = {"build_seconds", "run_seconds", "peak_bytes", "created"}
    for name in expected.attrs.keys() - times:
        assert found.attrs[name] == expected.attrs[name], name
    assert found.attrs["run_seconds"] > 0


@compiled
def test_the_pages_code_reads_all_outputs_of_a_long_run(tmp_path, monkeypatch):
    record = [{"of": "cells", "variable": "v", "every": "0.5 ms"}]
    model = small.configuration(keep__record=record, paradigm={**small.PARADIGM, "trial_duration": "500 ms"})
    folder = export(model, 3, "", "cpp", tmp_path / "project")
    made = make(folder, "run")
    assert made.returncode == 0, made.stdout
    expected = small.outputs(model, "cpp", 3)
    assert expected["record_cells_v.v"].size > 2**20  # so long that it is written in pieces
    assert not list((folder / "results").glob("*.earlier"))
    page = (Path(__file__).parents[1] / "docs" / "howto" / "export.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    found = {}
    exec(code, found)
    for name, values in expected.items():
        assert np.array_equal(found["read"](name), values), name
    assert found["z"].size and found["time"].size
    collected = collect(folder)["cells_v"]
    assert np.array_equal(collected, expected["record_cells_v.v"][: len(collected)])
    assert len(collected) > 10_000


def places():
    """Return folders of this machine: the user's, the environment's, the checkout's, the cache's."""
    here = [Path.home(), Path(sys.prefix), Path(sys.executable).parent, Path.cwd(), Path(__file__).parents[1]]
    here += [Path(os.environ[name]) for name in ("XDG_CACHE_HOME", "VIRTUAL_ENV") if name in os.environ]
    here += [Path(importlib.util.find_spec(name).origin).parents[1] for name in ("brian2", "numpy", "izhires")]
    common = ("/", "/usr", "/usr/bin", "/usr/local", "/usr/local/bin")  # also in comments of Brian2's sources
    return {str(path).encode() for path in here if str(path) not in common}


def check_no_place_of_this_machine(written, folder):
    for name, content in written.items():
        for place in places() | {str(folder).encode()}:
            assert place not in content, f"{place} in {name}"


def test_nothing_of_this_machine_is_in_it(project):
    folder, written = project
    check_no_place_of_this_machine(written, folder.parent)
    assert {"Makefile", "README.md", "configuration.toml", "export.json", "hot.cpp"} <= {str(name) for name in written}
    assert not any(name.suffix in (".log", ".o") or name.name == "main" for name in written)
    # what is not pinned to a place is not pinned by a link, either
    assert not any(path.is_symlink() for path in folder.rglob("*"))
    assert "make run" in written[Path("README.md")].decode()


def test_make_again_and_clean(project, tmp_path):
    folder = shutil.copytree(project[0], tmp_path / "again")
    assert "main' is up to date" in make(folder).stdout
    assert make(folder, "clean").returncode == 0
    assert not (folder / "main").exists()
    assert not (folder / "results").exists()
    with pytest.raises(RecordingError, match="holds no results yet; 'make run' there writes them"):
        collect(folder)


def test_results_that_are_not_whole(project, tmp_path):
    folder = shutil.copytree(project[0], tmp_path / "part")
    info = folder / "results" / "last_run_info.txt"
    info.write_text("0.5 0.25")
    with pytest.raises(SimulationError, match=r"the run stopped after 25\.0 % of its time"):
        collect(folder)
    done = izhires("collect", folder)
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) == 1
    info.write_text("0.5 1")
    z = next((folder / "results").glob("*when_output_z*"))
    z.write_bytes(z.read_bytes()[:-8])
    with pytest.raises(SimulationError, match=r"the program wrote only .* of when_output\.z"):
        collect(folder)
    z.unlink()
    with pytest.raises(RecordingError, match="its results cannot be read: "):
        collect(folder)


def test_collect_of_what_is_no_project(project, tmp_path):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    for content in (None, "[]", "{}", "not json"):
        if content is not None:
            (foreign / "export.json").write_text(content)
        with pytest.raises(RecordingError, match=r"foreign: is not a project that 'izhires export' wrote$"):
            collect(foreign)
    for wrong in (foreign, tmp_path / "absent"):
        done = izhires("collect", wrong)
        assert done.returncode == 5
        assert done.stderr == f"izhires: {wrong}: is not a project that 'izhires export' wrote\n"


def test_collect_needs_the_rule_of_ones_own(tmp_path):
    script = tmp_path / "mine.py"
    script.write_text(
        """
from typing import ClassVar, Literal
from izhires import Rule

class Mine(Rule):
    \"\"\"A rule.\"\"\"
    type: Literal["mine"] = "mine"
    schedule: ClassVar[str] = "step"
    channel_update: ClassVar[str] = "step = 0*error"
    weight_update: ClassVar[str] = "w += step_post*s_pre"
"""
    )
    done = izhires("export", "meet", "--import", script, "--set", "when.rule=mine", "--out", tmp_path / "own")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"then 'izhires collect {tmp_path / 'own'} --import {script}'\n")
    assert "`izhires collect FOLDER --import mine.py`" in (tmp_path / "own" / "README.md").read_text()
    for given, said in (
        ([], "'mine' is not a rule (valid: "),
        (["--import", script], "holds no results yet"),
    ):
        done = izhires("collect", tmp_path / "own", *given)
        assert done.returncode == 5
        assert said in done.stderr and ("(it was made with --import mine.py)" in done.stderr) == (not given)
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("what", ["plan", "trials"])
def test_collect_by_another_version(what, project, tmp_path):
    folder = shutil.copytree(project[0], tmp_path / "old")
    facts = json.loads((folder / "export.json").read_text())
    (folder / "export.json").write_text(json.dumps({**facts, what: "0123", "izhires": "0.0.9"}))
    with pytest.raises(
        RecordingError, match=rf"was exported by izhires 0\.0\.9 with another {what} than this version makes of it"
    ):
        collect(folder)


def test_where_it_cannot_be_written(project, tmp_path):
    before = sorted(project[0].rglob("*"))
    full = tmp_path / "file"
    full.write_text("mine")
    for folder in (project[0], full):
        with pytest.raises(ConfigurationError, match="is not an empty folder"):
            export(QUIET, 0, "", "cpp", folder)
    assert sorted(project[0].rglob("*")) == before
    with pytest.raises(RecordingError, match="cannot be written to: "):
        export(QUIET, 0, "", "cpp", full / "deep")


@pytest.mark.parametrize("device", ["numpy", "cython"])
def test_a_device_that_writes_no_project(device, tmp_path):
    done = izhires("export", "meet", "--device", device, "--out", tmp_path / "out")
    assert done.returncode == 2
    said = f"izhires: --device: the device {device!r} cannot write a project (valid: cpp, plain, cuda)\n"
    assert done.stderr == said
    assert not (tmp_path / "out").exists()


def test_an_equation_that_cannot_be_read_leaves_nothing(tmp_path):
    wrong = small.configuration(reservoir__reset="v = c\nu += d\nm += 1")
    with pytest.raises(ConfigurationError, match=r"cells_spike_resetter: .*unknown name 'm'"):
        export(wrong, 0, "", "cpp", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_variants(tmp_path):
    levels = small.configuration(paradigm=LEVELS)
    for variant in ("", "p=0.30"):
        with pytest.raises(ConfigurationError, match=r"p=0\.00") as caught:
            export(levels, 0, variant, "cpp", tmp_path / "out")
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
    folder = export(levels, 1, "p=0.50", "cpp", tmp_path / "out")
    if TOOLS:
        assert make(folder, "run").returncode == 0
        done = izhires("collect", folder)
        assert done.stdout == f"{folder / 'meet_levels_p=0.50_seed1.nc'}\n"
        assert load(folder / "meet_levels_p=0.50_seed1.nc").attrs["variant"] == "p=0.50"


# CUDA

generated = pytest.mark.skipif(
    bool(cuda.CudaDevice.cannot_generate()), reason=cuda.CudaDevice.cannot_generate() or "brian2cuda is here"
)


@pytest.fixture(scope="module")
def cuda_project(tmp_path_factory):
    before = os.environ.get("IZHIRES_CUDA_ARCHITECTURE")
    os.environ["IZHIRES_CUDA_ARCHITECTURE"] = "9.0"
    try:
        return export(QUIET, 3, "", "cuda", tmp_path_factory.mktemp("cuda") / "project")
    finally:
        del os.environ["IZHIRES_CUDA_ARCHITECTURE"]
        if before is not None:
            os.environ["IZHIRES_CUDA_ARCHITECTURE"] = before


@generated
def test_a_cuda_project_is_written_without_a_gpu(cuda_project):
    written = {path.relative_to(cuda_project): path.read_bytes() for path in cuda_project.rglob("*") if path.is_file()}
    check_no_place_of_this_machine(written, cuda_project)
    text = written[Path("Makefile")].decode()
    assert "ARCHITECTURE = sm_90" in text
    assert "-std=c++17" in text
    assert text.count("IZHIRES_NOISE_SEED=") == 1
    assert "CURAND=FOLDER" in written[Path("README.md")].decode()
    # brian2cuda's programs take arguments in lower case only
    (command,) = (line for line in text.splitlines() if "./main" in line)
    arguments = command.partition("--results_dir results/ ")[2].split()
    assert len(arguments) > 20
    for argument in arguments:
        name, _, value = argument.partition("=")
        assert name == name.lower()
        float(value)
    # every number of the run has a place of its own
    facts = json.loads(written[Path("build.json")])
    plan = Plan.from_dict(json.loads(written[Path("plan.json")]))
    assert facts["inputs"].keys() == plan.shapes.keys() - {"cells.noise_seed"}
    files = [file for each in facts["inputs"].values() for file in each.get("files", ())]
    assert len(files) == len(set(files))
    assert all((cuda_project / "static_arrays" / file).exists() for file in files)
    # the whole program is one unit, which holds every piece of generated code
    whole = written[Path("all.cu")].decode()
    assert all(f'#include "code_objects/{path.name}"' in whole for path in (cuda_project / "code_objects").glob("*.cu"))
    with pytest.raises(RecordingError, match="holds no results yet"):
        collect(cuda_project)


@generated
@pytest.mark.slow
@pytest.mark.skipif(bool(cuda.CudaDevice.cannot_compile()), reason=cuda.CudaDevice.cannot_compile() or "nvcc is here")
def test_a_cuda_project_compiles_with_its_makefile(cuda_project, tmp_path):
    folder = shutil.copytree(cuda_project, tmp_path / "project")
    environment = {"PATH": f"{Path(shutil.which('nvcc')).parent}:{os.defpath}"}
    made = make(folder, f"CURAND={cuda.curand()}", "ARCHITECTURE=sm_80", environment=environment)
    assert made.returncode == 0, made.stdout[-2000:]
    assert "-arch=sm_80" in made.stdout
    assert os.access(folder / "main", os.X_OK)
    if cuda.gpu() is None:  # without one it ends at once, and says so
        done = make(folder, "run", f"CURAND={cuda.curand()}", environment=environment)
        assert done.returncode != 0
        assert "CUDA" in done.stdout
        with pytest.raises((RecordingError, SimulationError)):
            collect(folder)


@generated
def test_an_architecture_that_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("IZHIRES_CUDA_ARCHITECTURE", "hopper")
    with pytest.raises(ConfigurationError, match="'hopper' is not a compute capability"):
        export(QUIET, 0, "", "cuda", tmp_path / "out")


def test_cuda_without_brian2cuda(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name, package=None: None)
    with pytest.raises(
        ToolchainError, match=r"'brian2cuda' is not installed; .*pip install 'izhires\[cuda\]'"
    ) as caught:
        export(QUIET, 0, "", "cuda", tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
