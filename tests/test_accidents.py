"""Real processes, real signals: whatever ends a run leaves whole recordings or none, and says which."""

import os
import re
import signal
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import small
from filelock import FileLock
from terminal import COMMAND, Running, izhires, worked

import izhires as package
from izhires.devices import get, standalone
from izhires.errors import ConfigurationError, RecordingError, SimulationError
from izhires.recordings.recording import load
from izhires.running import batch
from izhires.running.batch import _differences
from izhires.running.processes import ending, tied

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are watched through /proc")

# long enough to be hit while it runs (seconds) and while it writes (part of a second), since each trial has a probe
TRIALS = 1000
LONG = {
    "paradigm__blocks": [
        {"trials": TRIALS, "latency": {"A": "60 ms", "B": "110 ms"}, "probability": {"A": 0.5, "B": 0.5}}
    ],
    "paradigm__probes": list(range(1, TRIALS + 1)),
    "keep__spikes": "all",
}


def written(folder, configuration):
    path = folder / "it.toml"
    path.write_text(configuration.to_toml(), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """The file of a long run, which is built."""
    configuration = small.configuration(**LONG)
    get("cpp").prepare(small.planned(configuration)[1])
    return written(tmp_path_factory.mktemp("long"), configuration)


@pytest.fixture
def short(tmp_path):
    return written(tmp_path, small.configuration())


def start(tmp_path, config, *arguments, seeds="0", environment=None):
    out = tmp_path / "out"
    return Running(
        tmp_path, "run", "meet", "--config", config, "--seeds", seeds, "--out", out, *arguments, environment=environment
    ), out


def recordings(out):
    """Return the names of the recordings, each of which must be whole."""
    paths = sorted(out.glob("*.nc"))
    for path in paths:
        load(path)
    return [path.name for path in paths]


def parts(out):
    return list(out.glob(".*.part"))


def kill(number, how=signal.SIGKILL):
    os.kill(number, how)


# killed outright: nothing can be said, the next run says it


def test_killed_while_it_runs(tmp_path, long):
    run, out = start(tmp_path, long)
    run.until(run.program)
    kill(run.process.pid)
    run.nothing_remains()
    assert recordings(out) == parts(out) == []
    again, out = start(tmp_path, long)
    assert again.ended()[0] == 0
    assert recordings(out) == ["meet_seed0.nc"]


def test_killed_while_several_run(tmp_path, long):
    run, out = start(tmp_path, long, "--processes", "2", seeds="0:3")
    run.until(lambda: sum("/main --results_dir" in line for line in run.processes().values()) == 2)
    kill(run.process.pid)
    run.nothing_remains()
    assert recordings(out) == parts(out) == []


@pytest.mark.parametrize(("seeds", "processes"), [("0", "1"), ("0:2", "2")])
def test_killed_while_it_writes(seeds, processes, tmp_path, long, short):
    # a kill may come when the last byte is written: then the recording is whole, and another run is killed
    for attempt in range(8):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        run, out = start(folder, long, "--processes", processes, seeds=seeds)
        run.until(lambda out=out: list(out.glob(".*.nc-*.part")))  # not of the configuration
        kill(run.process.pid)
        run.nothing_remains()
        left = parts(out)
        if left:
            break
        assert len(package.load_folder(out)) == len(recordings(out)) > 0
    assert left
    names = {part.name[1:].rpartition("-")[0] for part in left}
    assert not names & set(recordings(out))
    # the next run into the folder removes it, says so and completes; a shorter task, as no recording binds the folder
    if not recordings(out):
        again, out = start(folder, short, seeds=seeds)
        code, _, errors = again.ended()
        assert code == 0
        assert errors.splitlines() == [
            f"izhires: {name} was not finished by a run that was killed; what it left was removed"
            for name in sorted(names)
        ]
        assert parts(out) == []
        assert len(recordings(out)) == len(package.load_folder(out)) == (1 if seeds == "0" else 2)


@pytest.mark.parametrize("stage", ["generate", "compile"])
def test_killed_while_it_builds(stage, tmp_path, short):
    cache = tmp_path / "cache"
    run, out = start(tmp_path, short, environment={"XDG_CACHE_HOME": str(cache)})
    builds = cache / "izhires" / "builds"
    run.until(lambda: list(builds.glob("*.part/plan.json" if stage == "generate" else "*.part/Makefile")))
    kill(run.process.pid)
    run.nothing_remains()
    assert [each.suffix for each in builds.iterdir() if each.is_dir()] == [".part"]
    assert recordings(out) == parts(out) == []
    if stage == "compile":
        again, out = start(tmp_path, short, environment={"XDG_CACHE_HOME": str(cache)})
        code, said, _ = again.ended()
        assert code == 0
        assert "build " in said
        assert recordings(out) == ["meet_seed0.nc"]
        assert [each.suffix for each in builds.iterdir() if each.is_dir()] == [""]


def test_the_working_files_of_a_killed_run_are_removed_later(tmp_path, short, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    stale, held = (tmp_path / f"{standalone.PREFIX}{name}" for name in ("stale", "held"))
    for each in (stale, held):
        each.mkdir()
        (each / "results").write_bytes(b"x")
    with FileLock(held / ".lock"), standalone.working_folder() as work:
        assert work.parent == tmp_path
        assert sorted(tmp_path.glob(f"{standalone.PREFIX}*")) == sorted([held, work])
    assert not work.exists()


# interrupted: it says what is left


@pytest.mark.parametrize(
    ("number", "everyone", "code"),
    [(signal.SIGINT, True, 130), (signal.SIGINT, False, 130), (signal.SIGTERM, False, 143), (signal.SIGHUP, True, 129)],
)
def test_interrupted_while_it_runs(number, everyone, code, tmp_path, long):
    """Ctrl-C reaches the whole process group, other signals often only the command."""
    run, out = start(tmp_path, long)
    run.until(run.program)
    (os.killpg if everyone else os.kill)(run.process.pid, number)
    found, said, errors = run.ended()
    assert found == code
    assert errors == f"izhires: interrupted; 0 of 1 recordings finished in {out}; of the others nothing was written\n"
    # what was understood was printed before, and nothing after it
    assert said.splitlines()[-1].startswith("  1 run of 100 cells")
    assert recordings(out) == parts(out) == []
    run.nothing_remains()
    assert list(run.temporary.iterdir()) == []


@pytest.mark.parametrize("told", [True, False])
def test_interrupted_between_the_runs_of_a_batch(told, tmp_path, long):
    """Where a recording was not yet `told` of, the signal finds the command at rest while its workers go on."""
    run, out = start(tmp_path, long, "--processes", "2", seeds="0:6")
    run.until(run.program)
    if not told:
        os.kill(run.process.pid, signal.SIGSTOP)
    run.until(lambda: len(list(out.glob("*.nc"))) >= 1)
    if told:
        run.until(run.program)
    os.killpg(run.process.pid, signal.SIGINT)
    os.kill(run.process.pid, signal.SIGCONT)
    code, _, errors = run.ended()
    whole = recordings(out)
    assert code == 130
    assert 1 <= len(whole) < 6
    assert len(errors.splitlines()) == 1
    assert errors.startswith(f"izhires: interrupted; {len(whole)} of 6 recordings finished in {out} (")
    for name in whole:
        assert name.removesuffix(".nc").replace("meet_seed", "seed ") in errors
    assert parts(out) == []
    run.nothing_remains()


def test_interrupted_while_runs_are_done_anew(tmp_path, long):
    """A recording of before counts for nothing, until it is another."""
    run, out = start(tmp_path, long, "--processes", "2", seeds="0:4")
    assert run.ended()[0] == 0
    before = {path.name: path.stat().st_ino for path in out.glob("*.nc")}

    def others():
        return [path.name for path in out.glob("*.nc") if path.stat().st_ino != before[path.name]]

    run, out = start(tmp_path, long, "--processes", "1", "--again", seeds="0:4")
    run.until(others)
    os.killpg(run.process.pid, signal.SIGINT)
    code, _, errors = run.ended()
    assert code == 130
    assert 1 <= len(others()) < 4
    assert errors.startswith(f"izhires: interrupted; {len(others())} of 4 recordings finished in {out} (seed 0")


def test_interrupted_while_it_builds(tmp_path, short):
    cache = tmp_path / "cache"
    run, out = start(tmp_path, short, environment={"XDG_CACHE_HOME": str(cache)})
    run.until(lambda: list(cache.glob("izhires/builds/*.part/Makefile")))
    os.killpg(run.process.pid, signal.SIGINT)
    code, _, errors = run.ended()
    assert code == 130
    assert errors.startswith("izhires: interrupted; 0 of 1 recordings finished ")
    run.nothing_remains()
    assert recordings(out) == []


# the program of the simulation itself is ended


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGKILL, "the program was ended by SIGKILL (out of memory?); it said: nothing"),
        (signal.SIGTERM, "the program was ended by SIGTERM; it said: nothing"),
        (signal.SIGINT, "the run stopped after "),  # it answers with exit code 0 and partial results
    ],
)
def test_the_program_is_ended(number, words, tmp_path, long):
    run, out = start(tmp_path, long)
    program = run.until(run.program)
    run.until(lambda: worked(program) > 0.3)
    kill(program, number)
    code, _, errors = run.ended()
    assert code == 4
    assert len(errors.splitlines()) == 1
    assert errors.startswith("izhires: seed 0: ")
    assert words in errors
    assert recordings(out) == parts(out) == []


def test_one_run_of_several_is_ended(tmp_path, long):
    run, out = start(tmp_path, long, "--processes", "2", seeds="0:3")
    kill(run.until(run.program))
    code, _, errors = run.ended()
    assert code == 4
    assert len(recordings(out)) == 2
    first, second = errors.splitlines()
    assert first.startswith(f"izhires: 2 of 3 recordings finished in {out} (seed ")
    assert "the program was ended by SIGKILL" in second


def test_a_worker_is_ended(tmp_path, long):
    run, out = start(tmp_path, long, "--processes", "2", seeds="0:3")
    run.until(run.program)
    kill(next(number for number, line in run.processes().items() if "izhires.running.worker" in line))
    code, _, errors = run.ended()
    assert code == 4
    assert len(recordings(out)) == 2
    assert "its process was ended by SIGKILL (out of memory?)" in errors
    run.nothing_remains()


# one folder


def test_two_runs_into_one_folder(tmp_path, long):
    first, out = start(tmp_path, long)
    first.until(first.program)
    second, _ = start(tmp_path, long)
    code, _, errors = second.ended()
    assert (code, errors) == (5, f"izhires: {out}: another run is writing into this folder\n")
    assert first.ended()[0] == 0
    assert recordings(out) == ["meet_seed0.nc"]


def test_a_folder_of_another_configuration(tmp_path, short):
    run, out = start(tmp_path, short)
    assert run.ended()[0] == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    other = start(tmp_path, short, "--set", "reservoir.n=110", "--set", "paradigm.order=independent")[0]
    code, _, errors = other.ended()
    assert code == 2
    assert errors == (
        f"izhires: {out}: holds runs of another configuration (reservoir.n is 100 there, 110 here; "
        "paradigm.order is 'exact' there, 'independent' here); choose another folder\n"
    )
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_the_entry_of_a_list_that_differs_is_named():
    there, here = (
        {"keep": {"record": record}}
        for record in (
            [{"of": "cells", "variable": "v"}],
            [{"of": "cells", "variable": "u"}, {"of": "cells", "variable": "r"}],
        )
    )
    assert list(_differences(there, here)) == [
        "keep.record[0].variable is 'v' there, 'u' here",
        "keep.record[1] is None there, {'of': 'cells', 'variable': 'r'} here",
    ]


def test_what_binds_a_folder(tmp_path):
    one, two = small.configuration(), small.configuration("random")

    def claim(name, configuration):
        with batch.claimed(tmp_path / name, configuration):
            pass

    with batch.claimed(tmp_path / "a", one), pytest.raises(RecordingError, match="another run is writing"):
        claim("a", one)
    claim("a", two)  # no recording binds it
    (tmp_path / "a" / "meet_seed0.nc").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="reservoir is random there, sequence here"):
        claim("a", one)
    # a file of the user's own is not overwritten, recordings or not
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "configuration.toml").write_text("reservoir.slow_fraction = 0.3\n")
    with pytest.raises(ConfigurationError, match=r"reservoir\.n is 1000 there, 100 here"):
        claim("b", one)
    assert (tmp_path / "b" / "configuration.toml").read_text() == "reservoir.slow_fraction = 0.3\n"


def test_a_folder_that_cannot_be(tmp_path, short):
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "deep", Path("/proc/recordings")):
        done = izhires("run", "meet", "--config", short, "--out", out)
        assert done.returncode == 5
        assert len(done.stderr.splitlines()) == 1
        assert done.stderr.startswith(f"izhires: {out}: cannot be written to: ")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_disk_that_cannot_hold_the_run(tmp_path, monkeypatch):
    configuration = small.configuration()
    free = batch.shutil.disk_usage(tmp_path)._replace(free=10_000)
    monkeypatch.setattr(batch.shutil, "disk_usage", lambda _: free)
    with pytest.raises(RecordingError, match=r"has 0\.01 MB free, the run needs at least 0\.\d+ MB there"):
        batch.run_batch(configuration, [0], tmp_path / "out")
    assert recordings(tmp_path / "out") == []


@pytest.mark.parametrize("most", [5_000, 60_000])
def test_a_disk_that_fills_while_it_runs(most, tmp_path, short):
    """No file may grow beyond a size, which to the writer is what a full disk is."""
    code = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))\n"
    command = [*COMMAND, "run", "meet", "--config", str(short), "--out", str(tmp_path / "out")]
    code += f"import os, sys; os.execv(sys.executable, {command!r})"
    package.simulate(small.configuration())  # what is built is not to be the obstacle
    with tied([sys.executable, "-c", code], stderr=-1, text=True) as process:
        said = process.stderr.read()
    assert process.returncode in (4, 5)
    assert len(said.splitlines()) == 1, said
    assert said.startswith("izhires: ")
    assert recordings(tmp_path / "out") == parts(tmp_path / "out") == []


def test_results_that_a_full_disk_cut_are_refused():
    configuration = small.configuration()
    outputs = dict(small.outputs(configuration))
    _, plan, _ = small.planned(configuration)
    program = get("cpp").prepare(plan)
    program._check_whole(outputs)
    for name in outputs:
        short = {**outputs, name: outputs[name][:-1]}
        with pytest.raises(SimulationError, match=r"the program wrote only .* is the disk full\?"):
            program._check_whole(short)


# networks that are no use


def changed(tmp_path, **changes):
    return written(tmp_path, small.configuration(**changes))


def test_a_network_that_runs_away(tmp_path):
    config = changed(tmp_path, reservoir__input_next="5000 mV/ms", reservoir__weight_random="500 mV/ms")
    done = izhires("run", "meet", "--config", config, "--out", tmp_path / "out")
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) == 1
    assert "seed 0: the network ran away: mean rate " in done.stderr
    assert "Hz" in done.stderr and "keep.fastest_rate 200 Hz" in done.stderr
    assert recordings(tmp_path / "out") == []


QUIET = {
    "reservoir__bias_excitatory": ["0 mV/ms", "0 mV/ms"],
    "reservoir__bias_inhibitory": ["0 mV/ms", "0 mV/ms"],
    "reservoir__cue_strength": "0 mV/ms",
    "reservoir__noise": "0 mV/sqrt(ms)",
    "when__feedback": "0 mV/ms",
}


def test_a_silent_network(tmp_path):
    done = izhires("run", "meet", "--config", changed(tmp_path, **QUIET), "--out", tmp_path / "out")
    assert done.returncode == 4
    found = r"izhires: seed 0: the network is silent: mean rate \S+ Hz \(excitatory \S+ Hz, inhibitory \S+ Hz\), "
    assert re.fullmatch(found + r"less than keep.slowest_rate 0.05 Hz\n", done.stderr)
    assert recordings(tmp_path / "out") == []


@pytest.mark.parametrize("processes", [1, 2])
def test_one_failing_seed_does_not_stop_the_others(processes, tmp_path):
    """The limit lies between the rates of the seeds, so that one of them counts as too fast."""
    rates = [float(package.simulate(small.configuration(), seed)["rate"].mean()) for seed in range(3)]
    highest = int(np.argmax(rates))
    limit = sum(sorted(rates)[-2:]) / 2
    config = changed(tmp_path, keep__fastest_rate=f"{limit} Hz")
    out = tmp_path / "out"
    done = izhires("run", "meet", "--config", config, "--seeds", "0:3", "--processes", processes, "--out", out)
    assert done.returncode == 4
    assert recordings(out) == [f"meet_seed{seed}.nc" for seed in range(3) if seed != highest]
    others = ", ".join(f"seed {seed}" for seed in range(3) if seed != highest)
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"izhires: 2 of 3 recordings finished in {out} (")
    assert set(lines[0].partition("(")[2].partition(")")[0].split(", ")) == set(others.split(", "))
    assert lines[1].startswith(f"izhires: seed {highest}: the network ran away: ")


# the parts


def test_a_program_ends_with_its_parent(tmp_path):
    """Also what it started itself, and also when the parent is killed."""
    code = f"""
    import sys, time
    from izhires.running.processes import tied
    with tied(["sh", "-c", "sleep 1000 & echo $! > {tmp_path}/number; wait"]):
        time.sleep(1000)
    """
    with tied([sys.executable, "-c", textwrap.dedent(code)]) as parent:
        file = tmp_path / "number"
        while not (file.exists() and file.read_text().endswith("\n")):
            time.sleep(0.01)
        inner = Path("/proc") / file.read_text().strip()
        assert inner.exists()
        parent.kill()
        end = time.monotonic() + 300
        while inner.exists() and "sleep" in (inner / "cmdline").read_text() and time.monotonic() < end:
            time.sleep(0.01)
        assert not inner.exists() or not (inner / "cmdline").read_text()


def test_an_error_ends_a_program():
    with pytest.raises(ZeroDivisionError), tied(["sleep", "100"]) as process:
        1 / 0  # noqa: B018
    assert process.returncode == -signal.SIGKILL


def test_how_a_program_ended():
    assert ending(3) == "ended with exit code 3"
    assert ending(-11) == "was ended by SIGSEGV"
    assert ending(-9) == "was ended by SIGKILL (out of memory?)"
    assert ending(-200) == "was ended by signal 200"
