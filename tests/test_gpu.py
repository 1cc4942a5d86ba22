"""The folder that a machine with a GPU gets: its numbers, its script, and what is read from what comes back.

Without a GPU all of it is run with programs of the C++ device in the place of those of CUDA, and nvcc compiles one.
"""

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

from izhires.building.replicates import combine
from izhires.devices import cuda, get
from izhires.running.run import draw, simulate

GPU = Path(__file__).resolve().parents[1] / "benchmarks" / "gpu"
sys.path.insert(0, str(GPU))
import collect  # noqa: E402
import make  # noqa: E402

TOOLS = all(shutil.which(tool, path=os.defpath) for tool in ("make", "g++", "sh"))
pytestmark = pytest.mark.skipif(not TOOLS, reason=f"make and g++ are not in {os.defpath}")
SMALL = {"keep__spikes": "all", "reservoir__noise": "0.3 mV/sqrt(ms)"}


@pytest.fixture
def small_networks(monkeypatch):
    """All networks are the small one of the tests."""
    made = {each: small.configuration(**SMALL, precision=each) for each in ("double", "single")}
    monkeypatch.setattr(make, "configuration", lambda network, n, precision: made[precision])
    collect.here.cache_clear()
    yield made["double"]
    collect.here.cache_clear()


def sh(*command, **environment):
    """Run in an environment without anything but what is named."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.run(list(map(str, command)), env={"PATH": os.defpath, **environment}, **streams)


def test_the_script_is_one_of_any_shell():
    assert sh("sh", "-n", GPU / "run.sh").stdout == ""
    if checker := shutil.which("shellcheck"):
        done = sh(checker, "--shell=sh", GPU / "run.sh")
        assert (done.returncode, done.stdout) == (0, "")


@pytest.fixture(scope="module")
def tile(tmp_path_factory):
    program = tmp_path_factory.mktemp("tile") / "tile"
    assert sh("g++", "-std=c++17", GPU / "tile.cpp", "-o", program).stdout == ""
    return program


def run_tile(tile, replicates, numbers, table, folder):
    (folder / "from").mkdir()
    (folder / "to").mkdir()
    for name, array in numbers.items():
        array.tofile(folder / "from" / name)
    text = "".join(" ".join(map(str, row)) + "\n" for row in table)
    command = [tile, str(replicates), folder / "from", folder / "to"]
    return subprocess.run(list(map(str, command)), input=text, capture_output=True, text=True)


def test_the_numbers_of_several_networks_are_made_of_those_of_one(tile, tmp_path):
    """As `izhires.building.replicates.combine` puts them side by side, for a number that no rule was found by."""
    drawn = draw(small.configuration(**SMALL), 3)
    arrays = {name: array for name, array in drawn.arrays.items() if array.ndim}
    one = [drawn.plan], [drawn.arrays]
    _, three = combine(*(3 * each for each in one))
    _, five = combine(*(5 * each for each in one))
    table = []
    for name in (name for name, array in five.items() if array.ndim):
        table.append((name, five[name].dtype.itemsize, *make.rule(arrays.get(name), three[name])))
    done = run_tile(tile, 5, arrays, table, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert {row[2] for row in table} >= {"same", "repeat", "columns", "offset", "replicate"}
    for name, size, *_ in table:
        made = np.fromfile(tmp_path / "to" / name, dtype=five[name].dtype)
        assert size == five[name].itemsize
        np.testing.assert_array_equal(made, five[name].ravel(), err_msg=name)


def test_rows_of_several_columns_and_counts(tile, tmp_path):
    signal = np.arange(6.0).reshape(3, 2)
    three = np.concatenate([signal] * 3, axis=1)
    assert make.rule(signal, three) == ("columns", 2)
    assert make.rule(None, np.arange(12, dtype=np.int32)) == ("count", 4)
    table = [("signal", 8, "columns", 2), ("count", 4, "count", 4)]
    assert run_tile(tile, 2, {"signal": signal}, table, tmp_path).returncode == 0
    made = np.fromfile(tmp_path / "to" / "signal").reshape(3, 4)
    np.testing.assert_array_equal(made, [[0, 1, 0, 1], [2, 3, 2, 3], [4, 5, 4, 5]])
    np.testing.assert_array_equal(np.fromfile(tmp_path / "to" / "count", np.int32), np.arange(8))
    with pytest.raises(ValueError, match="no operation makes"):
        make.rule(signal, three + 1)


def test_what_is_wrong_with_a_table_is_said(tile, tmp_path):
    done = run_tile(tile, 2, {}, [("missing", 8, "repeat", 0)], tmp_path)
    assert (done.returncode, done.stderr) == (1, f"{tmp_path}/from/missing is not there\n")


def test_where_the_lines_cross():
    assert collect.crossover([1, 16, 64], [8.0, 2.0, 0.5], 1.0) == pytest.approx(32)
    assert collect.crossover([1, 16], [1.0, 0.5], 2.0) == 1
    assert collect.crossover([1, 16], [8.0, 4.0], 2.0) == np.inf


def test_what_a_project_is_called():
    every = make.projects("cuda")
    assert len({each.name for each in every}) == len(every)
    cuda_ones = [each for each in every if each.device == "cuda"]
    assert {each.replicates for each in cuda_ones} == {1, 16, 64, 256}
    assert {each.n for each in cuda_ones} == {1000, 4000}
    assert {each.precision for each in cuda_ones} == {"double", "single"}
    assert {each.network for each in cuda_ones} == {"meet", "random", "plastic"}


@pytest.mark.slow
def test_all_of_it_with_the_cpp_device(small_networks, tmp_path, capsys, monkeypatch):
    """Built, run and packed by the script in an environment without anything, and read back; a project that does not
    compile, and one that fails, stop none of the others.
    """
    folder, out = tmp_path / "folder", tmp_path / "out"
    projects = [make.Project("small", 100, many, device="cpp") for many in (1, 3)]
    broken = [make.Project("broken", 100, 1, device="cpp"), make.Project("failing", 100, 1, device="cpp")]
    make.make(folder, [broken[0], projects[0], broken[1], projects[1]])
    (folder / "projects" / broken[0].name / "hot.cpp").write_text("this is no program\n")
    runs = folder / "projects" / broken[1].name / "runs"
    runs.write_text(runs.read_text().replace("cells.noise=", "cells.nothing="))
    done = sh("sh", folder / "run.sh", out, JOBS="2", BUILD_SECONDS="1500", ALL_SECONDS="1600", RUN_SECONDS="300")
    assert done.returncode == 0, done.stdout
    assert "broken-100-double-1-cpu was not built" in done.stdout
    assert "failing-100-double-1-cpu noise failed with 1: " in done.stdout
    assert "small-100-double-3-cpu noise, 1 at once: loop" in done.stdout

    kept, figure = tmp_path / "kept.json", tmp_path / "gpu.png"
    monkeypatch.setattr(sys, "argv", ["collect", *map(str, (folder, out, "--keep", kept, "--figure", figure))])
    collect.main()
    said = capsys.readouterr().out
    assert "broken-100-double-1-cpu: not built: make: " in said
    assert json.loads(kept.read_text())["values"]["small-100-double, 3 replicates"] > 0
    assert figure.stat().st_size > 1000
    # the program without noise gives the spikes that it gives here
    lines = said.partition("small-100-double-1-cpu: built")[2].splitlines()
    quiet = next(line for line in lines if "without noise" in line)
    assert quiet.endswith("spikes identical, and no other")

    machine = collect.unpack(out, tmp_path / "unpacked")
    own = folder / "projects" / projects[0].name
    (alone,) = collect.recordings(
        projects[0], own, machine.results / projects[0].name / "noise", make.drawn(projects[0])
    )
    reference = simulate(small_networks, make.SEED)
    np.testing.assert_array_equal(alone["spike_time"], reference["spike_time"])
    np.testing.assert_array_equal(alone["prediction"], reference["prediction"])


@pytest.mark.slow
@pytest.mark.skipif(bool(cuda.CudaDevice.cannot_generate()), reason=cuda.CudaDevice.cannot_generate() or "brian2cuda")
def test_a_cuda_project_as_far_as_there_is_no_gpu(small_networks, tmp_path, capsys, monkeypatch):
    """It is generated, has every number, and compiles where nvcc is; that it does not run is told."""
    monkeypatch.delenv("IZHIRES_CUDA_ARCHITECTURE", raising=False)
    folder, out = tmp_path / "folder", tmp_path / "out"
    project = make.Project("small", 100, 3, "single")
    make.make(folder, [project])
    own = folder / "projects" / project.name
    program = get("cuda").program(
        combine([make.drawn(project).plan] * 3, [make.drawn(project).arrays] * 3)[0], own, 0.0
    )
    files = [file for facts in program.facts["inputs"].values() for file in facts.get("files", ())]
    assert {line.split()[0] for line in (own / "table").read_text().splitlines()} >= set(files)
    # brian2cuda writes an f after whatever it takes for a number, the end of a clock's name among them
    for path in (own / "code_objects").glob("*.cu"):
        assert not re.search(r"[A-Za-z]_\d+\.f[a-z]", path.read_text()), path.name
    (line,) = (own / "runs").read_text().splitlines()
    assert line.startswith("noise IZHIRES_NOISE_SEED=")
    if lacking := cuda.CudaDevice.cannot_compile():
        pytest.skip(lacking)
    place = str(Path(shutil.which("nvcc")).parent)
    patience = {"BUILD_SECONDS": "1500", "ALL_SECONDS": "1600"}
    done = sh("sh", folder / "run.sh", out, PATH=f"{place}:{os.defpath}", CURAND=str(cuda.curand()), **patience)
    assert done.returncode == 0
    assert (own / "main").exists(), (folder / "results" / "logs" / f"{project.name}.build").read_text()[-2000:]
    if cuda.gpu() is None:
        assert f"{project.name} noise failed with " in done.stdout
        monkeypatch.setattr(sys, "argv", ["collect", str(folder), str(out)])
        collect.main()
        said = capsys.readouterr().out
        assert f"{project.name}: built in " in said
        assert re.search("no result: [^\n]*: the program wrote no results; [^\n]*; it said: ", said)
