"""The command line as a user meets it: what it lists, runs, says and leaves."""

import csv
import os
import pty
import re
import select
import shlex
import subprocess
import sys
import textwrap
import time

import pytest
import small
from terminal import COMMAND, izhires, unlearned

from izhires import devices
from izhires.analysis import all_figures, all_metrics, all_observers
from izhires.analysis.claims import all_claims
from izhires.cells.base import Cell
from izhires.circuits.base import Reservoir
from izhires.cli import list as listing
from izhires.gates.base import Gate
from izhires.model.conditions import all_conditions
from izhires.neuromodulators.base import Neuromodulator
from izhires.paradigms.base import Paradigm
from izhires.plasticity.base import Plasticity
from izhires.predictions.base import Prediction
from izhires.readouts.base import Readout
from izhires.recordings.recording import load, load_folder
from izhires.rules.base import Rule
from izhires.wirings.base import Wiring

# few cells and short trials: the numpy device then needs no build and a second or two
TINY = ["reservoir.n=60", "reservoir.groups=6", "reservoir.random_degree=5", "reservoir.inhibitory_degree=4",
        "reservoir.inhibition_degree=10"]  # fmt: skip
BRIEF = ["paradigm.trial_duration=300 ms", "paradigm.cue_onset=30 ms", "paradigm.window=220 ms", "paradigm.warm_up=0"]

ONE_BLOCK = 'paradigm.blocks=[{trials = 1, latency = {A = "60 ms"}, probability = {A = 1.0}}]'


def settings(*given):
    return [word for each in given for word in ("--set", each)]


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "small.toml"
    path.write_text(small.configuration().to_toml(), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory):
    """A folder of three recordings, and how the command ended."""
    out = tmp_path_factory.mktemp("runs") / "meet"
    return out, izhires("run", "meet", "--config", config, "--seeds", "5:8", "--out", out)


@pytest.fixture
def command(command_line):
    """The command line in this process: returns the exit code and what it said on stdout."""

    def run(*arguments):
        code, said = command_line(*arguments)
        return code, said.out

    return run


KINDS = {
    "paradigms": Paradigm.alternatives,
    "circuits": Reservoir.alternatives,
    "readouts": Readout.alternatives,
    "predictions": Prediction.alternatives,
    "rules": Rule.alternatives,
    "gates": Gate.alternatives,
    "claims": all_claims,
    "conditions": all_conditions,
    "cell models": Cell.alternatives,
    "cell types": lambda: [f"{name} {each}" for name, cell in Cell.alternatives().items() for each in cell.table],
    "wirings": Wiring.alternatives,
    "plasticity": lambda: [*Plasticity.alternatives(), "intrinsic"],
    "neuromodulators": Neuromodulator.alternatives,
    "observers": all_observers,
    "metrics": all_metrics,
    "figures": all_figures,
    "devices": devices.all_devices,
}


def test_list_has_every_kind_one_line_each(command):
    code, said = command("list")
    assert code == 0
    titles = [line.removesuffix(":") for line in said.splitlines() if not line.startswith(" ")]
    assert titles == list(listing.tables())
    assert set(titles) == set(KINDS)
    for kind, names in KINDS.items():
        code, part = command("list", kind)
        assert code == 0
        assert part in said
        title, *lines = part.splitlines()
        assert title == f"{kind}:"
        assert sorted(re.split(" {2,}", line.strip())[0] for line in lines) == sorted(names())
        assert [line for line in lines if not re.fullmatch(r"  \S+( \S+)? {2,}\S.*\S", line)] == []
    assert command("list", "cell-types") == command("list", "cell types")


def test_list_of_an_unknown_kind():
    done = izhires("list", "rule")
    assert (done.returncode, done.stdout) == (2, "")
    valid = ", ".join(listing.tables())
    assert done.stderr.startswith(
        "izhires: list: 'rule' is not a kind, did you mean 'rules'? (valid: paradigms, circuits, "
    )
    assert valid in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["analyse", "figures", "list", "run"]),
        (["--help"], ["analyse", "figures", "list", "run"]),
        (
            ["run", "--help"],
            ["--seeds", "half-open", "--out", "--config", "--set", "--device", "--again", "cued-reaction: --events"],
        ),
        (["analyse", "--help"], ["--out", "--full"]),
        (["figures", "--help"], ["--out"]),
        (["list", "--help"], ["cell types"]),
    ],
)
def test_help(arguments, words):
    done = izhires(*arguments, environment={"COLUMNS": "120"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: " in done.stdout
    for word in words:
        assert word in done.stdout


def test_a_batch_on_the_default_device(finished):
    out, done = finished
    assert done.returncode == 0
    assert done.stderr == ""  # quiet, when not on a terminal
    *first, last = done.stdout.splitlines()
    assert re.fullmatch(rf"3 recordings in {out}: 3 run \((built before|build \S+ s), runs \S+ s\)", last)
    assert first[0] == "meet: 8 training trials in 2 blocks, 5 probes, 4.2 s"
    assert first[1:3] == [
        "  block 0: A p = 0.50 at 60 ms, B p = 0.50 at 110 ms",
        "  block 1: A p = 0.50 at 90 ms, B p = 0.50 at 40 ms",
    ]
    assert first[3] == "  window 0.22 s from the cue, which lasts 0.02 s; events are 0.02 s wide"
    # 4.2 s in steps of 0.5 ms, 100 cells, 2 ns each
    assert re.fullmatch(
        r"  3 runs of 100 cells, \d at once: each about 0.0017 s \(2 ns a cell and step, on a quiet machine; "
        r"building and recording come on top\) and \d+ MB; all about 0.00\d+ s",
        first[4],
    )
    assert len(first) == 5
    # older versions of filelock remove the lock
    assert sorted({path.name for path in out.iterdir()} - {".lock"}) == [
        "configuration.toml", "meet_seed5.nc", "meet_seed6.nc", "meet_seed7.nc"]  # fmt: skip
    found = load_folder(out)
    assert [each.attrs["seed"] for each in found] == [5, 6, 7]
    assert {each.attrs["device"] for each in found} == {"cpp"}
    assert not found[0]["when"].equals(found[1]["when"])


def test_the_configuration_a_folder_holds_runs_it_again(finished, tmp_path):
    out, _ = finished
    done = izhires("run", "meet", "--config", out / "configuration.toml", "--seeds", "6", "--out", tmp_path / "again")
    assert done.returncode == 0
    assert load(tmp_path / "again" / "meet_seed6.nc").equals(load(out / "meet_seed6.nc"))


def test_several_processes_and_one_give_the_same(finished, config, tmp_path):
    out, _ = finished
    done = izhires("run", "meet", "--config", config, "--seeds", "5,7", "--processes", "1", "--out", tmp_path)
    assert done.returncode == 0
    for seed in (5, 7):
        assert load(tmp_path / f"meet_seed{seed}.nc").equals(load(out / f"meet_seed{seed}.nc"))


def test_a_profile_is_printed_and_nothing_is_kept(config, tmp_path):
    done = izhires("profile", "meet", "--config", config, "--seed", "3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["object", "s", "ms", "a", "trial", "share"]
    shares = [float(line.split()[-2]) for line in lines[1:-1]]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(100, abs=2)
    assert any(line.startswith("cells_stateupdater ") for line in lines)
    assert lines[-1].endswith("; templates: own") and " s for 14 trials of 100 cells, " in lines[-1]
    assert not list(tmp_path.iterdir())
    assert izhires("profile", "met").returncode == 2
    done = izhires("profile", "meet", "--device", "numpy")
    said = "izhires: --device: the device 'numpy' cannot tell where the time of a run goes (valid: cpp, plain)\n"
    assert (done.returncode, done.stderr) == (2, said)


def test_what_is_there_is_kept(config, tmp_path, command, monkeypatch):
    monkeypatch.setattr("izhires.running.run.code", lambda *declarations: "abc")
    arguments = ["run", "meet", "--config", config, "--processes", "1", "--out", tmp_path]
    assert command(*arguments, "--seeds", "1")[0] == 0
    first = (tmp_path / "meet_seed1.nc").stat()

    code, said = command(*arguments, "--seeds", "1:3")
    assert code == 0
    assert re.fullmatch(
        rf"(?s:.*)2 recordings in {tmp_path}: 1 run \(built before, runs \S+ s\), "
        r"1 kept from before \(--again runs them anew\)\n",
        said,
    )
    code, said = command(*arguments, "--seeds", "1:3")
    assert said.splitlines()[-1] == f"2 recordings in {tmp_path}: 2 kept from before (--again runs them anew)"
    now = (tmp_path / "meet_seed1.nc").stat()
    assert (now.st_ino, now.st_mtime_ns) == (first.st_ino, first.st_mtime_ns)

    # asked for again, of other code, on another device, or not whole: none of these is kept
    assert "1 run" in command(*arguments, "--seeds", "1", "--again")[1]
    assert (tmp_path / "meet_seed1.nc").stat().st_ino != first.st_ino
    monkeypatch.setattr("izhires.running.run.code", lambda *declarations: "abd")
    assert "1 run" in command(*arguments, "--seeds", "1")[1]
    assert "kept" in command(*arguments, "--seeds", "1")[1]
    (tmp_path / "meet_seed1.nc").write_bytes((tmp_path / "meet_seed1.nc").read_bytes()[:-100])
    assert "1 run" in command(*arguments, "--seeds", "1")[1]
    assert load(tmp_path / "meet_seed1.nc").attrs["code"] == "abd"


def test_the_numpy_device(tmp_path):
    block = '{trials = 2, latency = {A = "60 ms", B = "110 ms"}, probability = {A = 0.5, B = 0.5}}'
    chosen = settings(*TINY, *BRIEF, "paradigm.probes=[2]", f"paradigm.blocks=[{block}]")
    done = izhires("run", "meet", "--device", "numpy", "--out", tmp_path, *chosen)
    assert (done.returncode, unlearned(done.stderr)) == (0, [])
    found = load(tmp_path / "meet_seed0.nc")
    assert (found.attrs["device"], found.sizes["neuron"], found.sizes["probe"]) == ("numpy", 60, 2)


def test_without_a_compiler(tmp_path):
    """The default falls back and says so in one line; a device that was asked for does not."""
    there = {"CXX": "no-such-compiler"}
    chosen = settings(*TINY, *BRIEF, "paradigm.probes=[1]", "paradigm.probe_before_learning=false", ONE_BLOCK)
    done = izhires("run", "meet", "--out", tmp_path / "a", *chosen, environment=there)
    assert done.returncode == 0
    assert re.fullmatch(
        r"izhires: 'no-such-compiler' is not on the PATH; install a C\+\+ compiler \(g\+\+\); "
        r"running on the numpy device, .*\n",
        done.stderr.splitlines(keepends=True)[0],
    )
    assert load(tmp_path / "a" / "meet_seed0.nc").attrs["device"] == "numpy"
    done = izhires("run", "meet", "--device", "cpp", "--out", tmp_path / "b", *chosen, environment=there)
    assert done.returncode == 3
    assert done.stderr.startswith("izhires: device cpp: 'no-such-compiler' is not on the PATH; ")
    assert not list((tmp_path / "b").glob("*.nc"))


def test_meet_levels(tmp_path):
    chosen = settings(*TINY, *BRIEF, "paradigm.levels=[0.0, 0.5]", "paradigm.trials=1",
                      'paradigm.latency={A = "60 ms", B = "110 ms"}')  # fmt: skip
    done = izhires("run", "meet-levels", "--device", "numpy", "--seeds", "4", "--out", tmp_path, *chosen)
    assert (done.returncode, unlearned(done.stderr)) == (0, [])
    assert done.stdout.splitlines()[-1].startswith(f"2 recordings in {tmp_path}: 2 run (")
    assert "  and 1 more variants: p=0.50\n" in done.stdout
    assert sorted(path.name for path in tmp_path.glob("*.nc")) == [
        "meet_levels_p=0.00_seed4.nc", "meet_levels_p=0.50_seed4.nc"]  # fmt: skip
    first, second = load_folder(tmp_path)
    assert (first.attrs["variant"], second.attrs["variant"]) == ("p=0.00", "p=0.50")
    assert first["outcome_probability"].values.tolist() == [0, 1]
    assert first["trial_event"].values.tolist().count("B") == 1


def test_what_lasts_days_is_asked_for(tmp_path, command_line):
    """A table in the wrong unit is said with its numbers, before anything is drawn."""
    path = tmp_path / "trials.csv"
    path.write_text("onset,duration,cue,event,latency\n0,50000,0.2,A,0.4\n50000,50000,50000.2,A,0.4\n")
    code, said = command_line("run", "table", "--table", path, "--out", tmp_path / "out")
    assert (code, said.out) == (2, "")
    assert said.err == (
        "izhires: run: table: 2 training trials in 1 block, 0 probes, 100000 s, that is 27.8 h of model time, more "
        "than 24 h; is a time in the wrong unit? --long runs it all the same\n"
    )
    assert not (tmp_path / "out").exists()


def test_cued_reaction(tmp_path):
    header = "onset\tduration\ttrial_type\tresponse_time\n"
    for run, rows in enumerate(
        (
            [
                (1.0, "cue"),
                (1.1, "go"),
                (1.15, "button press"),
                (1.5, "cue"),
                (1.62, "no-go"),
                (2.0, "cue"),
                (2.4, "end"),
            ],
            [(3.0, "cue"), (3.12, "go"), (3.5, "cue"), (3.9, "end")],
        )
    ):
        text = header + "".join(f"{onset}\t0\t{name}\tn/a\n" for onset, name in rows)
        (tmp_path / f"run-{run}_events.tsv").write_text(text)
    files = [word for run in (0, 1) for word in ("--events", tmp_path / f"run-{run}_events.tsv")]
    chosen = settings(*TINY, "paradigm.cue_onset=20 ms", "paradigm.window=200 ms", "paradigm.cue_duration=20 ms",
                      "paradigm.event_width=10 ms", "paradigm.probe_every=2", "paradigm.warm_up=0")  # fmt: skip
    arguments = ["--cue", "cue", "--event", "go", "--event=no-go", "--device", "numpy"]
    done = izhires("run", "cued-reaction", *files, *arguments, "--out", tmp_path / "out", *chosen)
    assert (done.returncode, done.stderr) == (0, "")
    found = load(tmp_path / "out" / "cued_reaction_seed0.nc")
    assert found["event"].values.tolist() == ["go", "no-go"]
    training = found.isel(trial=(found["trial_kind"] == "train").values)
    assert training["trial_event"].values.tolist() == ["go", "no-go", "", "go", ""]
    assert training["trial_latency"].values.tolist()[:2] == pytest.approx([0.1, 0.12])
    assert training["trial_response_time"].values[0] == pytest.approx(0.05)
    assert found["trial_response_time"].attrs["units"] == "s"
    assert found["probe_trial"].values.tolist() == [0, 2, 4, 5]


@pytest.fixture(scope="module")
def analysed(finished):
    out, _ = finished
    return out, izhires("analyse", out)


def test_analyse(analysed):
    out, done = analysed
    assert (done.returncode, done.stderr) == (0, "")
    assert f"tidy table: {out / 'metrics.csv'}" in done.stdout
    with (out / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {"metric", "seed", "block", "event", "value", "unit"} <= set(rows[0])
    assert {row["seed"] for row in rows if row["seed"]} == {"5", "6", "7"}  # without a seed: pooled over all
    shown = done.stdout.splitlines()
    assert shown[0].split()[:6] == ["metric", "mean", "range", "of", "the", "seeds"] and "beside it" in shown[0]
    assert any(line.startswith("error.last") and "predicting nothing" in line for line in shown)
    full = izhires("analyse", out, "--full", "--out", out.parent / "full.csv").stdout.splitlines()
    assert full[0].split()[:3] == ["metric", "block", "event"] and len(full) > 3 * len(shown)
    written = (out / "metrics.csv").stat().st_mtime_ns
    only = izhires("analyse", out, "--only", "error").stdout.splitlines()
    assert {line.split()[0].partition(".")[0] for line in only[1:] if not line.startswith("not")} == {"error"}
    assert (out / "metrics.csv").stat().st_mtime_ns == written  # a part is not taken for the whole
    assert not list(out.glob(".*.part"))


def test_figures(finished, tmp_path):
    out, _ = finished
    done = izhires("figures", out, "--out", tmp_path / "figures")
    assert (done.returncode, done.stderr) == (0, "")
    *lines, last = done.stdout.splitlines()
    files = list((tmp_path / "figures").iterdir())
    assert last == f"{len(files)} files in {tmp_path / 'figures'}"
    drawn = {path.stem for path in files if path.suffix == ".pdf"}
    assert {"task", "predictions", "learning_curve"} <= drawn
    assert {line for line in lines if line.endswith(".png")} == {
        str(tmp_path / "figures" / f"{name}.png") for name in drawn
    }
    skipped = [line.split(":")[1].strip() for line in lines if line.startswith("not drawn: ")]
    assert sorted([*drawn, *skipped]) == sorted(all_figures())


@pytest.mark.parametrize("what", ["analyse", "figures"])
def test_of_a_folder_that_is_not_whole(what, finished, tmp_path):
    out, _ = finished
    (tmp_path / "meet_seed5.nc").write_bytes((out / "meet_seed5.nc").read_bytes())
    (tmp_path / "meet_seed6.nc").write_bytes((out / "meet_seed6.nc").read_bytes()[:-1])
    size = (tmp_path / "meet_seed6.nc").stat().st_size
    done = izhires(what, tmp_path)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr == f"izhires: {tmp_path / 'meet_seed6.nc'}: is not a whole netCDF file ({size} bytes)\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["meet_seed5.nc", "meet_seed6.nc"]


@pytest.mark.parametrize("what", ["analyse", "figures"])
def test_into_a_place_that_cannot_be(what, finished, tmp_path):
    out, _ = finished
    (tmp_path / "file").write_text("mine")
    done = izhires(what, out, "--out", tmp_path / "file" / "x")
    assert done.returncode == 5
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"izhires: {tmp_path / 'file'}")
    assert (tmp_path / "file").read_text() == "mine"


def test_an_output_that_cannot_be_written_to():
    with open("/dev/full", "w") as full:
        done = subprocess.run([*COMMAND, "list"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (5, "izhires: No space left on device\n")
    command = f"{shlex.join(COMMAND)} list | head -n 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("paradigms:\n", "")


def on_a_terminal(*arguments):
    """Run a command on a terminal of its own; return the exit code and everything that was written to it."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"},
    )
    os.close(theirs)
    said, end = b"", time.monotonic() + 300
    while time.monotonic() < end:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                said += os.read(ours, 65536)
            except OSError:  # nobody has the other end any more
                break
        elif process.poll() is not None:
            break
    os.close(ours)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.decode())
    return process.wait(), [line.rstrip() for line in re.split(r"[\r\n]+", text) if line.strip()]


def test_progress_on_a_terminal(config, tmp_path):
    code, lines = on_a_terminal("run", "meet", "--config", config, "--seeds", "0:3", "--out", tmp_path / "out")
    assert code == 0
    build = [line for line in lines if line.startswith("build")]
    run = [line for line in lines if line.startswith("run")]
    # build and run apart, the last state of each with the time it took
    assert re.search(r"\d:\d\d:\d\d", build[-1])
    assert re.search(r"3 of 3 +\d:\d\d:\d\d$", run[-1])
    assert any(re.search(r"[012] of 3 .* left$", line) for line in run)
    assert lines[-1].startswith("3 recordings in ")


def test_the_table_on_a_terminal(analysed):
    out, done = analysed
    code, lines = on_a_terminal("analyse", out)
    assert code == 0
    names = [line.split()[0] for line in done.stdout.splitlines() if line.startswith(("error", "angle", "mean_rate"))]
    shown = [line.split()[0] for line in lines if line.startswith(("error", "angle", "mean_rate"))]
    assert shown == names  # not cut


def test_a_script_with_a_rule_of_its_own_runs_in_several_processes(tmp_path):
    """A script needs no guard around its calls, and what it defines goes along."""
    script = tmp_path / "mine.py"
    script.write_text(
        textwrap.dedent(f"""
        from pathlib import Path
        from typing import ClassVar, Literal
        from izhires import Configuration, Rule, run_batch
        from izhires.model.configuration import read
        from izhires.declare import parameter

        class Still(Rule):
            \"\"\"Learns nothing.\"\"\"

            type: Literal["still"] = "still"
            rate: float = parameter(0.0, "not used", source="by choice")
            schedule: ClassVar = "trial"
            equations: ClassVar[str] = "step : second**2"
            channel_update: ClassVar[str] = "step = rate*error*second**2"
            weight_update: ClassVar[str] = "w += step_post*x_pre"
            source: ClassVar[str] = "nobody"

        configuration = read(None, {[*TINY, *BRIEF, "paradigm.probes=[1]", "what.rule=still", ONE_BLOCK]!r})
        for path in run_batch(configuration, [0, 1], Path({str(tmp_path / "out")!r}), "numpy", processes=2):
            print(path.name)
        """)
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("meet_seed0.nc\nmeet_seed1.nc\n", "")
    for recording in load_folder(tmp_path / "out"):
        assert not recording["what_weights"].any()
        assert recording["when_weights"].any()
