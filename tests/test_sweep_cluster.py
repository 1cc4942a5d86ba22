"""A real Dask scheduler with workers that are processes of their own, on loopback; and a SLURM that is none."""

import json
import os
import re
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import small

from izhires.errors import ConfigurationError, ToolchainError
from izhires.recordings.recording import load
from izhires.running.worker import Task
from izhires.sweeps import cluster
from izhires.sweeps.design import Spec
from izhires.sweeps.driver import sweep

pytest.importorskip("distributed")

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "sweep_accidents.py"


@contextmanager
def scheduler(folder, workers):
    """Give the address of a scheduler with some workers."""
    file = folder / "scheduler.json"
    options = ["--no-dashboard", "--scheduler-file", str(file)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *options]
    processes = [subprocess.Popen(command, **quiet)]
    try:
        end = time.monotonic() + 300
        while not file.exists() and time.monotonic() < end:
            time.sleep(0.05)
        command = [sys.executable, "-m", "distributed.cli.dask_worker", "--nthreads", "1", "--no-nanny", *options]
        command += ["--host", "127.0.0.1", "--local-directory", str(folder)]
        processes += [subprocess.Popen(command, **quiet) for _ in range(workers)]
        yield json.loads(file.read_text())["address"]
    finally:
        for each in processes[::-1]:
            each.kill()
            each.wait()


def recordings(folder):
    return {path.name: load(path) for path in folder.glob("*.nc")}


@pytest.fixture
def spec():
    return Spec(base=small.configuration().to_dict(), seeds="0:3", metrics=("mean_rate",))


def test_a_sweep_on_dask_is_the_sweep_of_one_machine(spec, tmp_path):
    """One of its runs fails, and the others go on."""
    rates = [float(each["rate"].mean()) for each in recordings(here(spec, tmp_path / "here")).values()]
    base = small.configuration(keep__fastest_rate=f"{sum(sorted(rates)[-2:]) / 2} Hz").to_dict()
    limited = spec.with_changes(base=base)
    wanted = recordings(here(limited, tmp_path / "limited"))
    stages = []
    with scheduler(tmp_path, 1) as address:
        found = sweep(limited, tmp_path / "out", dask=address, report=lambda *each: stages.append(each))
        again = sweep(limited, tmp_path / "out", dask=address, report=lambda *each: stages.append(each))
    (failed,) = found.failed
    assert "the network ran away" in failed.error
    assert failed.error == again.failed[0].error
    got = recordings(tmp_path / "out")
    assert len(got) == 2 and set(got) == set(wanted)
    assert all(got[name].equals(wanted[name]) for name in got)
    assert [stage for _, stage, _ in stages].count("done") == 2
    assert [stage for _, stage, _ in stages].count("kept") == 2


def here(spec, folder):
    sweep(spec, folder)
    return folder


def test_a_dask_worker_is_killed_in_the_middle_of_a_run(tmp_path):
    """Two workers; its run is done again by another."""
    blocks = [{"trials": 400, "latency": {"A": "60 ms", "B": "110 ms"}, "probability": {"A": 0.5, "B": 0.5}}]
    base = small.configuration(paradigm__blocks=blocks, paradigm__probes=[400]).to_dict()
    (tmp_path / "it.toml").write_text(Spec(base=base, seeds="0:9", metrics=("mean_rate",)).to_toml(), encoding="utf-8")
    command = [sys.executable, str(SCRIPT), "--dask", "--spec", str(tmp_path / "it.toml"), "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "killed one of two Dask workers" in done.stdout
    assert re.search(r"disturbed: 9 recordings in \d+ s, 0 of them missing or different, 0 half-written", done.stdout)


@pytest.mark.slow
def test_64_runs_under_fire(tmp_path):
    """Twenty workers and three drivers are killed: the recordings are those of a quiet sweep."""
    command = [sys.executable, str(SCRIPT), "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "disturbed: 64 recordings" in done.stdout
    assert "killed 20 workers and 3 drivers" in done.stdout


def test_no_scheduler(spec, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 1)
    with pytest.raises(ToolchainError, match=r"Dask at tcp://127\.0\.0\.1:1: no scheduler answers"):
        sweep(spec, tmp_path / "out", dask="tcp://127.0.0.1:1")


def test_workers_of_another_version_are_refused(monkeypatch):
    task = Task("it", print, ())
    assert "a worker has izhires" in str(cluster._attempt(task, "99").error)
    assert cluster._attempt(task, cluster.version("izhires")).error is None


def test_without_dask(spec, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ToolchainError, match=r"needs the package distributed: pip install 'izhires\[dask\]'"):
        sweep(spec, tmp_path / "out", dask="tcp://127.0.0.1:1")


# SLURM: its commands are stood in for by scripts that run a job's script on this machine

SBATCH = """#!/bin/sh
for last; do :; done
cp "$last" {folder}/job.$$
sh {folder}/job.$$ >{folder}/said.$$ 2>&1 &
echo $! >>{folder}/pids
echo "Submitted batch job $!"
"""


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    pytest.importorskip("dask_jobqueue")
    folder = tmp_path / "slurm"
    folder.mkdir()
    for name, text in (("sbatch", SBATCH.format(folder=folder)), ("scancel", "#!/bin/sh\nkill $@\n")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    yield folder
    if (folder / "pids").exists():
        subprocess.run(["kill", *(folder / "pids").read_text().split()], capture_output=True)


def test_a_sweep_on_slurm(spec, slurm, tmp_path):
    options = {"jobs": 1, "cores": 1, "memory": "1GB", "walltime": "00:10:00", "interface": "lo", "queue": "short"}
    found = sweep(spec.with_changes(slurm=options), tmp_path / "out")
    assert [each.state for each in found.entries] == ["good"] * 3
    script = next(slurm.glob("job.*")).read_text()
    for line in ("#SBATCH -p short", "#SBATCH --cpus-per-task=1", "#SBATCH -t 00:10:00"):
        assert line in script
    wanted = recordings(here(spec, tmp_path / "here"))
    got = recordings(tmp_path / "out")
    assert set(got) == set(wanted) and all(got[name].equals(wanted[name]) for name in got)


REFUSAL = "sbatch: error: Batch job submission failed: Invalid account"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (
            f"#!/bin/sh\necho first >&2\necho '{REFUSAL}' >&2\necho last >&2\nexit 1\n",
            f"slurm: SLURM takes no job: {REFUSAL}",
        ),
        ("", "slurm: there is no sbatch on the PATH of this machine; start it where SLURM is"),
    ],
)
def test_what_slurm_says_of_a_job_that_it_refuses(script, words, spec, slurm, tmp_path):
    """One line, at once: Dask alone would wait for such a job for ever."""
    options = {"jobs": 1, "cores": 1, "memory": "1GB", "interface": "lo"}
    (slurm / "sbatch").write_text(script)
    if not script:
        (slurm / "sbatch").unlink()
    with pytest.raises(ToolchainError) as caught:
        sweep(spec.with_changes(slurm=options), tmp_path / "out")
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"memory": "1GB"}, r"slurm\.jobs: needs a number of jobs, got None"),
        ({"jobs": 1}, "slurm: .*memory"),
        ({"jobs": 1, "memory": "1GB", "qeue": "x"}, "slurm: .*qeue"),
    ],
)
def test_wrong_slurm_options(options, words, slurm):
    with pytest.raises(ConfigurationError, match=words), closing(cluster.slurm_cluster(options)):
        pass
