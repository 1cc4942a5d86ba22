"""Whole jobs, timed by part: import, generation, compilation, runs, analysis, figures.

Cold is with an empty cache of builds, warm the same again with the build that is kept. Seconds of the clock; those of
the processors stand in the JSON file.

    pip install '.[benchmarks]'
    python -m pytest benchmarks/test_jobs.py --benchmark-json jobs.json             # MEET and its levels: minutes
    python -m pytest benchmarks/test_jobs.py -k "not levels" --benchmark-compare jobs.json
    python -m pytest benchmarks/test_jobs.py -k reproduce --claims                  # all claims on five seeds: minutes
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

SEEDS = "100:105"
COMMANDS = {
    "import izhires": ["-c", "import izhires"],
    "import brian2": ["-c", "import brian2"],
    "list": ["-m", "izhires", "list"],
    "help": ["-m", "izhires", "--help"],
    "doctor": ["-m", "izhires", "doctor", "--quick"],
}


@pytest.fixture
def timed(benchmark):
    """Return a function that times a command once, or several times."""

    def time(*command: str, rounds: int = 1) -> None:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        benchmark.pedantic(subprocess.run, ([sys.executable, *command],), {"check": True}, rounds=rounds)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        benchmark.extra_info["processors"] = spent / rounds

    return time


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Folder of everything that is made, with a cache of builds of its own."""
    root = tmp_path_factory.mktemp("jobs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(root / "cache"))
        yield root


@pytest.mark.parametrize("name", list(COMMANDS))
def test_start(name, timed):
    """Commands that do not simulate."""
    timed(*COMMANDS[name], rounds=3)


@pytest.fixture(scope="session")
def project(folder):
    """Folder with the plan of MEET and the Makefile of its project."""
    from izhires import Configuration
    from izhires.devices import get
    from izhires.running.run import draw

    made, device, plan = folder / "project", get("cpp"), draw(Configuration(), 0).plan
    made.mkdir()
    (made / "plan.json").write_text(json.dumps(plan.to_dict()))
    return made, device.generator_arguments(), device.makefile()


def test_build_generation(timed, project):
    """The project's sources, with the import of Brian2."""
    made, arguments, _ = project
    timed("-m", "izhires.devices.generate_cpp", str(made / "plan.json"), str(made), *arguments)


def test_build_compilation(timed, project):
    """The project's program."""
    made, _, makefile = project
    (made / "makefile").unlink()
    (made / "Makefile").write_text(makefile)
    timed("-c", f"import subprocess; subprocess.run(['make', '-s', '-C', {str(made)!r}, 'main'], check=True)")


def test_smallest_run(timed, folder):
    """From the command to the recording of one trial, with the program built before."""
    block = '[{trials = 1, latency = {A = "300 ms"}, probability = {A = 1.0}}]'
    command = ["-m", "izhires", "run", "meet", "--set", f"paradigm.blocks={block}", "--out", str(folder / "smallest")]
    subprocess.run([sys.executable, *command], check=True)
    timed(*command, "--again", rounds=3)


@pytest.mark.parametrize("part", ["run", "analyse", "figures"])
@pytest.mark.parametrize("state", ["cold", "warm"])
@pytest.mark.parametrize("job", ["meet", "meet-levels"])
def test_job(job, state, part, timed, folder):
    """What `make meet` and `make levels` do."""
    out = Path(folder) / state / job
    timed("-m", "izhires", part, *([job, "--seeds", SEEDS, "--out", str(out)] if part == "run" else [str(out)]))


def test_reproduce(request, timed, folder):
    """All claims; the command itself prints its parts."""
    if not request.config.getoption("claims"):
        pytest.skip("takes minutes: give --claims")
    timed("-m", "izhires", "reproduce", "--seeds", SEEDS, "--out", str(folder / "claims"))
