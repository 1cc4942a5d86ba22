"""The benchmarks go on working: all of them import, and the one against a program by hand runs on a small network."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
ROOT = BENCHMARKS.parent

CELLS, CHANNELS = 50, 2


@pytest.fixture
def network(tmp_path):
    """Return the folder of a network as the program by hand reads it."""
    rng = np.random.default_rng(7)
    excitatory = np.arange(CELLS) < 0.8 * CELLS
    targets = [np.sort(rng.choice(np.delete(np.arange(CELLS), i), 5, replace=False)) for i in range(CELLS)]
    arrays = {
        "a": np.where(excitatory, 0.02, 0.1), "b": np.full(CELLS, 0.2), "c": np.full(CELLS, -65.0),
        "d": np.where(excitatory, 8.0, 2.0), "sig": np.where(excitatory, 5.0, 2.0), "bg": np.full(CELLS, 2.0),
        "w": np.repeat(np.where(excitatory, 0.3, -1.2), 5), "cuem": (np.arange(CELLS) < 10).astype(float),
        "Wfb": rng.uniform(-1, 1, (CHANNELS, CELLS)), "W0": 0.002 * rng.standard_normal((CHANNELS, CELLS)),
    }  # fmt: skip
    for name, values in arrays.items():
        values.astype(float).tofile(tmp_path / f"{name}.f64")
    np.concatenate(targets).astype(np.int32).tofile(tmp_path / "col.i32")
    np.arange(0, 5 * CELLS + 1, 5, dtype=np.int32).tofile(tmp_path / "rp.i32")
    (tmp_path / "meta.json").write_text(json.dumps({"N": CELLS, "K": CHANNELS}))
    return tmp_path


def run(*arguments, **environment):
    paths = os.pathsep.join([str(ROOT), str(BENCHMARKS)])
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": paths, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_work_of_a_program_by_hand(network):
    """Its rule reads no latency: a signal that nothing reads is left out of a program, and is no fault."""
    said = run(BENCHMARKS / "limit.py", BENCH_NETWORK=str(network), BENCH_TRAIN="3", BENCH_TEST="1")
    found = json.loads(said.splitlines()[-1])
    assert found["rate"] > 1
    assert found["sim_s"] > 0


def test_all_import():
    scripts = [path.stem for path in BENCHMARKS.glob("*.py") if not path.stem.startswith(("test_", "conftest"))]
    assert "limit" in scripts
    run("-c", f"import {', '.join(sorted(scripts))}")
