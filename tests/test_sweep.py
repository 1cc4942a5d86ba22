"""Sweeps: nothing is lost, nothing is done twice, whatever ends a run, its worker or its driver."""

import os
import shutil
import signal
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import small
from terminal import COMMAND, Running, izhires

import izhires as package
from izhires.cli.sweep import SweepProgress, duration
from izhires.errors import LostError, RecordingError, ToolchainError
from izhires.recordings.recording import load
from izhires.running import batch, resources
from izhires.running.processes import tied
from izhires.running.resources import needed_memory, processes_for
from izhires.sweeps import driver, index, pilot
from izhires.sweeps.design import Spec, expand, read
from izhires.sweeps.driver import SPEC, sweep
from izhires.sweeps.results import results

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are watched through /proc")

SMALL = Spec(
    base=small.configuration().to_dict(),
    design={"parameters": {"when.feedback": ["0.5 mV/ms", "0.25 mV/ms"]}},
    seeds="0:2",
    metrics=("error", "mean_rate"),
)
"""Four runs of a network that the other tests have built."""


def told(folder, spec=SMALL, **options):
    """Do a sweep; return its results and the last stage of each run that it told of."""
    stages = {}
    found = sweep(spec, folder, report=lambda name, stage, share: stages.update({name: stage}), **options)
    return found, stages


def count(stages, stage):
    return list(stages.values()).count(stage)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a sweep that nothing disturbed."""
    folder = tmp_path_factory.mktemp("finished") / "sweep"
    told(folder)
    return folder


@pytest.fixture
def folder(finished, tmp_path):
    """A copy of it."""
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def same(one, other):
    """Whether two folders hold the same recordings, bit for bit, and no more."""
    names = sorted(path.name for path in one.glob("*.nc"))
    assert names == sorted(path.name for path in other.glob("*.nc"))
    assert not list(one.glob(".*.part")) and not list(other.glob(".*.part"))
    return all(load(one / name).equals(load(other / name)) for name in names)


# what it leaves


def test_a_sweep_is_the_runs_of_its_design(finished):
    points = expand(SMALL)
    assert sorted(path.stem for path in finished.glob("*.nc")) == sorted(point.run for point in points)
    for point in points:
        found = load(finished / f"{point.run}.nc")
        assert found.equals(package.simulate(point.configuration, point.seed))
        assert found.attrs["run"] == point.run


def test_its_results_are_a_tidy_table_and_a_labelled_data_set(finished):
    found = results(finished)
    assert [each.state for each in found.entries] == ["good"] * 4
    assert all(each.seconds > 0 and 5e7 < each.memory < 2e9 for each in found.entries)
    rows = found.table[found.table["metric"] == "mean_rate.excitatory"]
    assert list(zip(rows["point"], rows["when.feedback"], rows["seed"], strict=True)) == [
        (0, 0.5, 0), (0, 0.5, 1), (1, 0.25, 0), (1, 0.25, 1)]  # fmt: skip
    assert found.table.attrs["units"] == {"when.feedback": "mV/ms"}
    made = [load(finished / f"{point.run}.nc") for point in expand(SMALL)]
    wanted = [float(each["rate"].values[each["excitatory"].values == 1].mean()) for each in made]
    data = found.dataset
    np.testing.assert_allclose(data["mean_rate.excitatory"].values.ravel(), wanted)
    assert data["mean_rate.excitatory"].dims == ("point", "seed")
    assert data["mean_rate.excitatory"].attrs["units"] == "Hz"
    assert data["when.feedback"].values.tolist() == [0.5, 0.25]
    assert data["when.feedback"].attrs["units"] == "mV/ms"
    assert data["error.last"].dims == ("point", "seed", "block", "event")
    by_hand = found.table.query("metric == 'error.last' and point == 1 and seed == 0 and block == 1 and event == 'B'")
    assert float(data["error.last"].sel(point=1, seed=0, block=1, event="B")) == by_hand["value"].item()


def test_variants_and_conditions_are_axes(tmp_path):
    base = {**SMALL.base, "paradigm": {**small.PARADIGM, "type": "meet_levels", "levels": [0.2, 0.5, 0.8], "trials": 3}}
    for name in ("blocks", "probes"):
        del base["paradigm"][name]
    base["paradigm"]["latency"] = {"A": "60 ms", "B": "110 ms"}
    found, _ = told(tmp_path / "out", Spec(base=base, metrics=("mean_rate", "calibration")))
    assert found.dataset["mean_rate.excitatory"].sizes == {"point": 1, "variant": 3, "seed": 1}
    # a metric over all variants of a point pools them
    pooled = found.table[found.table["metric"] == "calibration.r"]
    assert len(pooled) and (pooled["run"] == "").all() and (pooled["variant"] == "").all()


# nothing twice


def test_what_is_there_is_kept(folder):
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*.nc")}
    found, stages = told(folder)
    assert count(stages, "kept") == 4
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*.nc")} == before
    assert [each.state for each in found.entries] == ["good"] * 4


def test_a_larger_design_runs_what_is_new(folder):
    found, stages = told(folder, SMALL.with_changes(seeds="0:3"))
    assert (count(stages, "kept"), count(stages, "done")) == (4, 2)
    assert len(found.entries) == 6
    found, _ = told(folder, SMALL.with_changes(seeds="2"))  # a smaller one sees its own
    assert [each.seed for each in found.entries] == [2, 2]


def test_points_that_are_the_same_run_share_it(tmp_path):
    twice = SMALL.with_changes(design={"parameters": {"when.feedback": ["0.5 mV/ms", "0.50 mV/ms"]}}, seeds=0)
    found, stages = told(tmp_path / "out", twice)
    assert (count(stages, "done"), count(stages, "kept")) == (1, 1)
    assert len(list((tmp_path / "out").glob("*.nc"))) == 1
    assert [each.state for each in found.entries] == ["good", "good"]


# damage


def test_a_checksum_finds_damage_within_a_recording(folder):
    path = max(folder.glob("*.nc"), key=lambda path: path.stat().st_size)
    whole, data = load(path), bytearray(path.read_bytes())
    found = 0
    for at in range(len(data) // 10, len(data), len(data) // 40):
        # HDF5 leaves much of a file unused, as zeros
        at += next((more for more in range(len(data) - at) if data[at + more]), 0)
        path.write_bytes(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
        try:
            assert load(path).identical(whole)
        except RecordingError:
            found += 1
    assert found > 15  # the rest changes nothing that is read


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "foreign", "of another run", "removed"])
def test_a_damaged_recording_is_run_anew(damage, known, folder, finished):
    """Whether or not the index knows what it was."""
    path = sorted(folder.glob("*.nc"))[1]
    data = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "flipped":
        for at in range(len(data) // 2, len(data)):  # HDF5 leaves some bytes unused
            path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            try:
                load(path)
            except RecordingError:
                break
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "foreign":
        path.write_text("mine")
    elif damage == "of another run":
        shutil.copy(sorted(folder.glob("*.nc"))[0], path)
    else:
        path.unlink()
    if not known:
        (folder / index.NAME).unlink()
    found, stages = told(folder)
    assert stages.get(path.name) == (None if damage == "removed" else "damaged")
    assert (count(stages, "done"), count(stages, "kept")) == (1, 3)
    assert [each.state for each in found.entries] == ["good"] * 4
    assert same(folder, finished)


@pytest.mark.parametrize("what", ["gone", "garbage", "of another program", "asked for"])
def test_the_index_is_made_anew_from_the_recordings(what, folder, finished):
    path = folder / index.NAME
    if what == "garbage":
        path.write_bytes(os.urandom(5000))
    elif what == "gone":
        path.unlink()
    elif what == "of another program":
        path.unlink()
        with closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TABLE cats (name TEXT)")
    # to read, nothing is written
    before = path.read_bytes() if path.exists() else None
    assert results(folder).table["value"].equals(results(finished).table["value"])
    assert (path.read_bytes() if path.exists() else None) == before
    _, stages = told(folder, rebuild_index=what == "asked for")
    assert count(stages, "kept") == 4
    assert results(folder).table.drop(columns="note").equals(results(finished).table.drop(columns="note"))


def test_a_file_of_the_users_own_is_left_alone(folder):
    (folder / "notes.nc").write_text("mine")
    (folder / index.NAME).unlink()
    told(folder)
    assert (folder / "notes.nc").read_text() == "mine"


# moved, and later versions


def test_a_folder_is_moved_and_read_elsewhere(folder, finished, tmp_path):
    moved = tmp_path / "archive" / "of mine"
    moved.parent.mkdir()
    shutil.move(folder, moved)
    for path in moved.iterdir():
        path.chmod(0o444)
    moved.chmod(0o555)
    try:
        assert results(moved).table.equals(results(finished).table)
    finally:
        moved.chmod(0o755)
        for path in moved.iterdir():
            path.chmod(0o644)
    done = izhires("sweep", "--out", moved)  # and it goes on from there, without the file it began with
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"4 of 4 runs in {moved}\ntidy table: {moved / 'results.csv'}\n"


def test_a_folder_of_another_version_is_read(folder, monkeypatch):
    """What was run is read from index and recordings, whatever this version would make of the design."""
    before = results(folder).table
    monkeypatch.setattr("izhires.sweeps.design.version", lambda _: "99")
    (folder / SPEC).write_text('metrics = ["error", "mean_rate"]\nfuture = 1\n')
    assert results(folder).table.equals(before)


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parent / "data").glob("layout*.nc")), ids=lambda path: path.stem
)
def test_a_recording_of_every_released_layout_loads(path):
    from izhires.analysis import analyse

    found = load(path)
    assert path.stem == f"layout{found.attrs['layout']}"
    assert path.stat().st_size < 200_000
    table = analyse([found], ["error", "peak_error", "mean_rate"])
    rate = table.loc[table["metric"] == "mean_rate.excitatory", "value"].item()
    assert rate == pytest.approx(6.598131, abs=1e-5)  # as the version that wrote it had it
    assert np.isfinite(table.loc[table["metric"] == "error.last", "value"]).all()


# failures


@pytest.fixture
def failing():
    """A sweep of three seeds, of which one counts as too fast, and its number."""
    rates = [float(package.simulate(small.configuration(), seed)["rate"].mean()) for seed in range(3)]
    limit = sum(sorted(rates)[-2:]) / 2
    base = small.configuration(keep__fastest_rate=f"{limit} Hz").to_dict()
    return Spec(base=base, seeds="0:3", metrics=("mean_rate",)), int(np.argmax(rates))


def test_a_failed_run_is_written_down_and_the_others_go_on(failing, tmp_path):
    spec, which = failing
    found, stages = told(tmp_path / "out", spec)
    assert (count(stages, "done"), count(stages, "failed")) == (2, 1)
    (failed,) = found.failed
    assert failed.seed == which
    assert "the network ran away: mean rate" in failed.error
    assert len(found.table["run"].unique()) == 2
    _, stages = told(tmp_path / "out", spec)  # it is not run again ...
    assert (count(stages, "kept"), count(stages, "failed")) == (2, 1)
    tried = []
    sweep(
        spec, tmp_path / "out", retry_failed=True, report=lambda *message: tried.append(message[:2])
    )  # ... but when asked
    assert (failed.name, "run") in tried


def test_the_command_says_what_failed(failing, tmp_path):
    spec, which = failing
    (tmp_path / "it.toml").write_text(spec.to_toml(), encoding="utf-8")
    done = izhires("sweep", tmp_path / "it.toml", "--out", tmp_path / "out")
    assert done.returncode == 4
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0] == f"2 of 3 runs in {tmp_path / 'out'}, 1 failed"
    assert lines[1].startswith(f"failed: point 0, seed {which}: ")
    assert lines[2] == "--retry-failed runs them again"
    assert (tmp_path / "out" / "results.csv").exists()


# killed


def test_a_run_that_is_killed_again_and_again_has_failed(tmp_path, monkeypatch):
    def killed(waiting, at_once, say):
        while waiting:
            yield (task := waiting.popleft()), driver_outcome(task)

    def driver_outcome(task):
        from izhires.running.worker import Outcome

        begun[task.name] = begun.get(task.name, 0) + 1
        return Outcome(error=LostError("its process was ended by SIGKILL (out of memory?)", task.name))

    begun = {}
    monkeypatch.setattr(driver, "run_tasks", killed)
    found, _ = told(tmp_path / "out")
    assert set(begun.values()) == {driver.ATTEMPTS}
    assert len(found.failed) == 4
    monkeypatch.undo()
    found, stages = told(tmp_path / "out", retry_failed=True)
    assert count(stages, "done") == 4 and not found.failed


LONG = small.configuration(
    paradigm__blocks=[{"trials": 300, "latency": {"A": "60 ms", "B": "110 ms"}, "probability": {"A": 0.5, "B": 0.5}}],
    paradigm__probes=list(range(1, 301, 3)),
)


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """The file of six runs that can be hit, and the folder of a sweep of it that nothing disturbed."""
    root = tmp_path_factory.mktemp("long")
    spec = Spec(base=LONG.to_dict(), seeds="0:6", metrics=("mean_rate",))
    (root / "it.toml").write_text(spec.to_toml(), encoding="utf-8")
    sweep(spec, root / "undisturbed")
    return root / "it.toml", root / "undisturbed"


def start(tmp_path, config, *arguments):
    out = tmp_path / "out"
    return Running(tmp_path, "sweep", config, "--out", out, "--processes", "2", *arguments), out


def workers(run):
    return [number for number, line in run.processes().items() if "izhires.running.worker" in line]


def test_a_worker_is_killed(tmp_path, long):
    run, out = start(tmp_path, long[0])
    for wanted in (0, 2):
        run.until(lambda wanted=wanted: len(list(out.glob("*.nc"))) >= wanted and run.program())
        os.kill(workers(run)[0], signal.SIGKILL)
    code, said, errors = run.ended()
    assert (code, errors) == (0, "")
    assert said.startswith(f"6 of 6 runs in {out}\n")
    assert same(out, long[1])
    run.nothing_remains()


@pytest.mark.parametrize("everything", [False, True])
def test_the_driver_is_killed(everything, tmp_path, long):
    run, out = start(tmp_path, long[0])
    run.until(lambda: len(list(out.glob("*.nc"))) >= 2 and run.program())
    for number in [*(list(run.processes()) if everything else []), run.process.pid]:
        if number in run.processes():
            os.kill(number, signal.SIGKILL)
    run.nothing_remains()
    assert len(list(out.glob("*.nc"))) < 6
    done = izhires("sweep", "--out", out)
    assert done.returncode == 0, done.stderr
    assert same(out, long[1])


@pytest.mark.parametrize("everyone", [True, False])
def test_ctrl_c(everyone, tmp_path, long):
    run, out = start(tmp_path, long[0])
    run.until(lambda: len(list(out.glob("*.nc"))) >= 1 and run.program())
    (os.killpg if everyone else os.kill)(run.process.pid, signal.SIGINT)
    code, said, errors = run.ended()
    whole = len(list(out.glob("*.nc")))
    assert (code, said) == (130, "")
    goes_on = f"'izhires sweep --out {out}' goes on with the others"
    assert errors == f"izhires: interrupted; {whole} of 6 runs finished in {out}; {goes_on}\n"
    assert 1 <= whole < 6
    run.nothing_remains()
    assert list(run.temporary.iterdir()) == []
    assert izhires("sweep", "--out", out).returncode == 0
    assert same(out, long[1])


def test_two_drivers_on_one_folder(tmp_path, long):
    first, out = start(tmp_path, long[0])
    first.until(first.program)
    second, _ = start(tmp_path, long[0])
    code, said, errors = second.ended()
    assert (code, said) == (5, "")
    assert errors.splitlines()[-1] == f"izhires: {out}: another run is writing into this folder"
    assert first.ended()[0] == 0
    assert same(out, long[1])


# a full disk


def test_a_full_disk_ends_the_sweep_and_no_run_counts_as_failed(tmp_path, monkeypatch, finished):
    real = shutil.disk_usage
    monkeypatch.setattr(batch.shutil, "disk_usage", lambda _: real(tmp_path)._replace(free=10_000))
    with pytest.raises(RecordingError, match=r"has 0\.01 MB free"):
        told(tmp_path / "out")
    monkeypatch.undo()
    _, stages = told(tmp_path / "out")
    assert count(stages, "done") == 4
    assert same(tmp_path / "out", finished)


@pytest.mark.parametrize("most", [5_000, 60_000, 150_000])
def test_a_disk_that_fills_while_it_runs(most, tmp_path, finished):
    """No file may grow beyond a size, which to the writer is what a full disk is."""
    (tmp_path / "it.toml").write_text(SMALL.to_toml(), encoding="utf-8")
    command = [*COMMAND, "sweep", str(tmp_path / "it.toml"), "--out", str(tmp_path / "out")]
    code = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))\n"
    code += f"import os, sys; os.execv(sys.executable, {command!r})"
    with tied([sys.executable, "-c", code], stdout=-1, stderr=-1, text=True) as process:
        said = process.stdout.read() + process.stderr.read()
    assert "Traceback" not in said
    assert process.returncode in (4, 5), said
    assert not list((tmp_path / "out").glob("*.nc"))
    done = izhires("sweep", "--out", tmp_path / "out", "--retry-failed") if (tmp_path / "out" / SPEC).exists() else \
        izhires("sweep", tmp_path / "it.toml", "--out", tmp_path / "out")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert same(tmp_path / "out", finished)


def test_a_worker_that_does_not_see_the_folder_says_so(tmp_path):
    (point, *_) = expand(SMALL)
    with pytest.raises(ToolchainError, match=r"is not seen by the worker on .*; workers need it on a shared"):
        driver.run_point(driver._job(point, tmp_path / "elsewhere"), "cpp", print)


# what it takes


def test_never_more_processes_than_cores_and_memory_allow(monkeypatch):
    plan = expand(SMALL)[0].plan
    monkeypatch.setattr(resources, "cores", lambda: 8)
    for runs, at_once in ((0.5, 1), (3.5, 3), (100, 8)):
        monkeypatch.setattr(resources, "available_memory", lambda runs=runs: runs * needed_memory(plan))
        assert processes_for(plan) == at_once
        assert processes_for(plan, 2) == min(2, at_once)


def test_the_memory_that_a_run_is_thought_to_take(finished):
    """Near what it takes: neither less, nor several times as much."""
    plan = expand(SMALL)[0].plan
    found = max(each.memory for each in results(finished).entries)
    assert 0.9 < needed_memory(plan) / found < 2.5


def test_free_memory():
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    assert 0 < resources.available_memory() <= float(lines["MemTotal"].split()[0]) * 1024


def test_a_pilot_predicts_what_all_will_take(tmp_path, finished):
    found = pilot.predict(SMALL, tmp_path / "out", processes=2)
    assert (found.runs, found.missing, found.plans, found.share, found.at_once) == (4, 4, 1, 1.0, 2)
    sizes = [path.stat().st_size for path in finished.glob("*.nc")]
    assert found.disk == pytest.approx(sum(sizes), rel=0.2)
    assert found.seconds == pytest.approx(2 * found.run_seconds, rel=2)
    assert not (tmp_path / "out").exists()  # nothing is written there
    found = pilot.predict(SMALL, finished)
    assert (found.runs, found.missing, found.seconds) == (4, 0, 0.0)


def test_a_long_pilot_is_cut(tmp_path, monkeypatch, long):
    """The whole is predicted from a part."""
    point = expand(read(long[0]))[0]
    whole = pilot.measure(point, "cpp", 1e9, print)
    cut = pilot.measure(point, "cpp", whole["seconds"] / 20, print)
    assert whole["share"] == 1
    assert 0 < cut["share"] < 1


def test_a_part_stands_for_the_whole(tmp_path, monkeypatch, long):
    """By a clock that goes on by a second a twentieth of the run, and by two before it."""
    now, point = [0.0], expand(read(long[0]))[0]

    def simulate(drawn, program, tell):
        now[0] += 2
        tell("run", 0.0)
        for part in range(1, 21):
            now[0] += 1
            tell("run", part / 20)
        raise AssertionError("a pilot of 5 s goes on to the end")

    monkeypatch.setattr(pilot.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr("izhires.running.run.simulate_together", simulate)
    cut = pilot.measure(point, "cpp", 5.0, print)
    assert cut["share"] == pytest.approx(0.3)
    assert cut["seconds"] == pytest.approx(2 + 20)


def test_a_dry_run_on_the_command_line(tmp_path):
    (tmp_path / "it.toml").write_text(SMALL.to_toml(), encoding="utf-8")
    done = izhires("sweep", tmp_path / "it.toml", "--out", tmp_path / "out", "--dry-run", "--processes", "2")
    assert (done.returncode, done.stderr) == (0, "")
    runs, plans, each, whole = done.stdout.splitlines()
    assert runs == "4 runs"
    assert plans.startswith("1 plan to build")
    assert "MB of memory" in each and "MB on disk" in each
    assert whole.startswith("all, 2 at once: about ") and "GB free)" in whole
    assert not (tmp_path / "out").exists()


def test_progress_tells_the_truth(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    progress = SweepProgress()
    progress.report("", "runs", 10)
    progress.report("a", "kept", 1)
    progress.report("", "build", 0)
    progress.report("", "build", 1)
    for name in "bcd":
        progress.report(name, "run", 0)
    assert progress.seconds_left() is None  # nobody knows yet
    now[0] += 20
    progress.report("b", "done", 1)
    progress.report("c", "run", 0.5)
    progress.report("d", "run", 0.5)
    # two runs' worth in 20 s, 10 - 1 - 2 left to do
    assert progress.rate() == pytest.approx(0.1)
    assert progress.seconds_left() == pytest.approx(70)
    progress.report("d", "lost", 0)
    progress.report("c", "failed", 1)
    assert progress.count() == {"kept": 1, "done": 1, "lost": 1, "failed": 1}
    assert progress.table().row_count >= 1


def test_times_as_people_say_them():
    assert [duration(t) for t in (3, 80, 100, 5000, 7000, 200000)] == [
        "3 s",
        "80 s",
        "1.7 min",
        "83.3 min",
        "1.9 h",
        "2.3 days",
    ]


def test_nothing_to_go_on_with(tmp_path):
    done = izhires("sweep", "--out", tmp_path / "none")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"izhires: {tmp_path / 'none'}: name the file that says what to run; the folder was not begun by a sweep\n"
    )
    done = izhires("sweep", "--out", tmp_path, "--results")
    assert (done.returncode, done.stderr) == (5, f"izhires: {tmp_path}: holds no sweep\n")
