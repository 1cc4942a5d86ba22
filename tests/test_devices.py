"""Devices: one build for every number, one seed the same bytes, sound noise, clear words when a tool fails."""

import functools
import gc
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pytest
import reference
import small
from scipy import stats
from terminal import izhires

from izhires import simulate
from izhires.building.draft import make_plan
from izhires.building.parts import SCHEDULE
from izhires.cells.izhikevich import CELL_EQUATIONS, CELL_RESET
from izhires.declare import PerMillisecond, parameter
from izhires.devices import get, standalone
from izhires.devices.cpp import CppDevice
from izhires.errors import ConfigurationError, SimulationError, SlowerWarning, ToolchainError
from izhires.model.model import MEAN_RATE_UPDATE
from izhires.model.seeds import Seeds
from izhires.paradigms import Experiment
from izhires.recordings.recording import load, save
from izhires.rules.base import Rule
from izhires.running.batch import run_batch

QUIET = small.configuration()
NOISY = small.configuration(reservoir__noise="1 mV/sqrt(ms)")
"""Differs from `QUIET` in a number only, so that both share a build."""

DEVICES = ("cpp", "numpy", *(("cython",) if "IZHIRES_TEST_CYTHON" in os.environ else ()))
"""Cython takes minutes to compile all pieces of a network: its tests run with IZHIRES_TEST_CYTHON=1 only."""
TIMES = {"build_seconds", "run_seconds", "peak_bytes", "created"}


def prepared(model, seed=0, device="cpp"):
    _, plan, arrays = small.planned(model, seed)
    return get(device).prepare(plan), arrays


def same_bytes(one, other):
    assert one.keys() == other.keys()
    return all(np.asarray(one[name]).tobytes() == np.asarray(other[name]).tobytes() for name in one)


# one seed, one recording


def same_recording(one, other):
    assert {name: one.attrs[name] for name in one.attrs if name not in TIMES} == {
        name: other.attrs[name] for name in other.attrs if name not in TIMES | {"path"}
    }
    return same_bytes(dict(one.variables), dict(other.variables))


def test_one_seed_gives_the_same_bytes_again_and_in_another_process(tmp_path):
    first = simulate(NOISY, seed=3)
    assert same_recording(first, simulate(NOISY, seed=3))
    code = "import sys, test_devices as here; here.save(here.simulate(here.NOISY, seed=3), sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, tmp_path / "other.nc"], cwd=Path(__file__).parent, check=True)
    save(first, tmp_path / "own.nc")
    assert same_recording(load(tmp_path / "own.nc"), load(tmp_path / "other.nc"))
    assert not same_bytes(dict(first.variables), dict(simulate(NOISY, seed=4).variables))


def test_one_seed_gives_the_same_bytes_on_the_numpy_device():
    program, arrays = prepared(NOISY, 1, "numpy")
    assert same_bytes(small.outputs(NOISY, "numpy", 1), program.run(arrays))


# one build for every number


def test_seeds_and_values_share_a_build():
    program, arrays = prepared(QUIET)
    made = (program.folder / "main").stat().st_mtime_ns
    others = {
        "another seed": prepared(QUIET, seed=1),
        "another time constant": prepared(small.configuration(reservoir__tau_fast="4 ms")),
        "another rate of learning": prepared(
            small.configuration(what__rule={"type": "surprise_two_factor", "fastest": 0.2})
        ),
        "another drive": prepared(small.configuration(reservoir__bias_excitatory=["1 mV/ms", "2 mV/ms"])),
        "another latency": prepared(
            small.configuration(
                paradigm__blocks=[
                    {**block, "latency": {"A": "80 ms", "B": "100 ms"}} for block in small.PARADIGM["blocks"]
                ]
            )
        ),
        "noise": prepared(NOISY),
    }
    results = [program.run(arrays)]
    for name, (other, numbers) in others.items():
        assert (other.folder, other.build_seconds) == (program.folder, 0.0), name
        results.append(other.run(numbers))
        for before in results[:-1]:
            assert not np.array_equal(results[-1]["what_snapshots.w"], before["what_snapshots.w"]), name
    assert (program.folder / "main").stat().st_mtime_ns == made


@pytest.mark.parametrize("device", DEVICES)
def test_an_array_that_does_not_fit_is_refused_before_anything_runs(device, monkeypatch):
    program, arrays = prepared(QUIET, device=device)
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("the program was started"))
    monkeypatch.setattr("izhires.building.build.build", lambda *_, **__: pytest.fail("the network was built"))
    assert len(arrays) > 40
    for name, value in arrays.items():
        for wrong in (np.append(value, value.ravel()[:1]), value.astype(np.float32), None):
            with pytest.raises(ValueError, match=re.escape(f"{name} must be {value.dtype} {value.shape}")):
                program.run({**arrays, name: wrong})
        with pytest.raises(ValueError, match=f"{re.escape(name)} must be .*, got nothing"):
            program.run({key: each for key, each in arrays.items() if key != name})


# the cache


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


PREPARE = """
import json, sys, numpy as np, small
from izhires.devices import get
_, plan, arrays = small.planned(small.configuration())
program = get("cpp").prepare(plan)
found = program.run(arrays)
z = found["when_output.z"].sum()
print(json.dumps([program.build_seconds, str(program.folder), small.spikes(found).tolist(), z]))
"""


def test_processes_that_find_a_half_built_folder_build_once(tmp_path, monkeypatch):
    """What an interrupted build leaves is not used, and of three processes that want the same program one builds it."""
    expected = small.spikes(small.outputs(QUIET)).tolist()
    log = tmp_path / "calls"
    # a build without optimisation is enough here, and faster
    real = shutil.which(os.environ.get("CXX", "g++"))
    monkeypatch.setenv("CXX", script(tmp_path / "cxx", f'echo "$@" >> "{log}"\nexec {real} "$@" -O0'))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "izhires" / "builds" / get("cpp").build_key(small.planned(QUIET)[1])
    for each in (folder, folder.with_name(folder.name + ".part")):
        (each / "static_arrays").mkdir(parents=True)
        script(each / "main", "exit 1")
        (each / "hot.o").write_bytes(b"rubbish")
    several = [
        subprocess.Popen(
            [sys.executable, "-c", PREPARE], cwd=Path(__file__).parent, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]  # fmt: skip
    said = [json.loads(process.communicate(timeout=300)[0]) for process in several]
    assert sorted(seconds > 0 for seconds, *_ in said) == [False, False, True]
    calls = log.read_text().splitlines()
    assert [sum(f"-c {unit}.cpp" in call for call in calls) for unit in ("hot", "cold")] == [1, 1]
    for _, where, spikes, z in said:
        assert where == str(folder)
        assert spikes == expected
        assert z == said[0][3]


def test_without_a_compiler_or_make_the_way_out_is_named(tmp_path, monkeypatch):
    _, plan, _ = small.planned(QUIET)
    tools = {tool: shutil.which(tool) for tool in ("g++", "make")}
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(
        ToolchainError, match=r"'g\+\+' is not on the PATH; install a C\+\+ compiler.*or use --device numpy"
    ):
        get("cpp").prepare(plan)
    monkeypatch.setenv("CXX", "clang-of-nowhere")
    with pytest.raises(ToolchainError, match="'clang-of-nowhere' is not on the PATH; install a C"):
        get("cpp").prepare(plan)
    monkeypatch.delenv("CXX")
    (tmp_path / "g++").symlink_to(tools["g++"])
    with pytest.raises(ToolchainError, match="'make' is not on the PATH; install make, or use --device numpy"):
        get("cpp").prepare(plan)


@pytest.mark.slow
def test_a_compiler_that_fails_is_told_of_with_its_log(tmp_path, monkeypatch):
    _, plan, _ = small.planned(QUIET)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CXX", script(tmp_path / "false", "exit 1"))
    with pytest.raises(ToolchainError, match="false --version failed"):
        get("cpp").prepare(plan)
    broken = script(
        tmp_path / "broken", '[ "$1" = --version ] && echo broken 1.0 && exit 0\necho "cannot spell int" >&2\nexit 1'
    )
    monkeypatch.setenv("CXX", broken)
    with pytest.raises(ToolchainError, match=r"compile failed: .*; the whole log is ") as caught:
        get("cpp").prepare(plan)
    assert "\n" not in str(caught.value)
    log = Path(str(caught.value).rpartition("the whole log is ")[2])
    assert log.is_relative_to(tmp_path)
    assert "cannot spell int" in log.read_text()


# the order of events

OBJECTS = {
    "state_filter": "state filter",
    "when_power_summed_variable_power_post": "network power",
    "when_mean_power": "network mean power",
    "when_weights_summed_variable_z_post": "online reading",
    "when_rule": "online rule",
    "when_learn_thresholder": "online learning event",
    "when_weights_learn": "online weights",
    "when_feedback_summed_variable_feedback_post": "feedback",
    "drive": "drive",
    "mean_state": "recording",
    "what_output": "recording",
    "what_snapshots": "recording",
    "when_output": "recording",
    "when_snapshots": "recording",
    "cells_stateupdater": "cells",
    "cells_spike_thresholder": "spikes",
    "what_clear_thresholder": "window's end",
    "what_window_end_thresholder": "window's end",
    "what_clear_resetter": "trial readouts cleared",
    "excitation_pre": "synapses",
    "inhibition_pre": "synapses",
    "what_weights_read": "trial reading",
    "what_window_end_resetter": "trial rule",
    "what_weights_learn": "trial weights",
    "cells_spike_resetter": "reset",
}
"""Brian2's name of each object -> its name in the schedule."""

WITHOUT_EFFECT = {
    "spikes",
    "own_progress",
    "own_pieces",
    *(f"{name}_stateupdater" for name in ("state", "when_network", "when", "what")),
}
"""Objects that change no number, or have nothing to do."""


@pytest.mark.parametrize("device", [*DEVICES, "plain"])
def test_the_objects_run_in_the_order_of_the_schedule(device):
    if device == "cpp":
        table = simulate(NOISY, seed=3).attrs["schedule"]
    else:
        program, arrays = prepared(QUIET, device=device)
        program.run(arrays)
        table = program.schedule()
    found = []
    for line in table.splitlines()[2:]:
        name, _, _, slot, order, active = (part.strip() for part in line.split("|"))
        name = name.split(" ")[0]
        if name in WITHOUT_EFFECT:
            continue
        # the own template of the cells finds who spikes, too
        assert active == ("no" if device == "cpp" and OBJECTS[name] == "spikes" else "yes"), name
        assert (slot, int(order)) == SCHEDULE[OBJECTS[name]], name
        found.append(OBJECTS[name])
    assert list(dict.fromkeys(found)) == [name for name in SCHEDULE if name in OBJECTS.values()]
    assert len(found) == len(OBJECTS)


# this package's templates and Brian2's


def check_same_numbers(model, change=lambda arrays: arrays):
    """Run a model without noise with the templates of this package and with those of Brian2."""
    _, plan, arrays = small.planned(model)
    arrays = change(arrays)
    own, plain = (get(name).prepare(plan) for name in ("cpp", "plain"))
    assert (own.templates, plain.templates) == ("own", "plain")
    found, expected = own.run(arrays), plain.run(arrays)
    assert len(expected["spikes.t"]) > 100
    # in this order; the recorded times, too
    for name in ("spikes.t", "spikes.i", "mean_state.t"):
        assert np.array_equal(found[name], expected[name]), name
    for name in set(expected) - {"spikes.t", "spikes.i", "mean_state.t"}:
        assert found[name].shape == expected[name].shape
        assert np.abs(found[name] - expected[name]).max() <= 1e-9 * np.abs(expected[name]).max(), name
    assert own.measured["peak_bytes"] > 1e6
    return found


def test_own_templates_give_the_numbers_of_brian2():
    check_same_numbers(QUIET)


def test_every_synapse_may_have_a_delay_of_its_own_in_any_order():
    """Axonal delays and sorted synapses are the rule, not a condition."""

    def scattered(arrays):
        rng = np.random.default_rng(1)
        arrays = dict(arrays)
        for name in ("excitation", "inhibition"):
            shuffled = rng.permutation(len(arrays[f"{name}.w"]))
            for each in "ijw":
                arrays[f"{name}.{each}"] = arrays[f"{name}.{each}"][shuffled]
            arrays[f"{name}.delay"] = 0.5e-3 * rng.integers(1, 30, len(shuffled))
        return arrays

    circuit = small.configuration("random")
    one, other = check_same_numbers(circuit), check_same_numbers(circuit, scattered)
    assert not np.array_equal(one["spikes.t"], other["spikes.t"])


def test_more_cells_than_one_tile_and_more_channels_than_one_group():
    """600 cells are one tile and a rest; 6 channels are a group of four and a rest."""
    events = [f"e{k}" for k in range(6)]
    block = {
        "trials": 12,
        "latency": {event: f"{40 + 20 * k} ms" for k, event in enumerate(events)},
        "probability": dict.fromkeys(events, 1 / 6),
    }
    model = small.configuration("random", reservoir__n=600, paradigm__blocks=[block])
    check_same_numbers(model)


@pytest.mark.slow
def test_where_own_templates_do_not_compile_brian2s_are_used_and_said(tmp_path, monkeypatch):
    _, plan, arrays = small.planned(QUIET)
    expected = small.spikes(get("cpp").prepare(plan).run(arrays))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    real = shutil.which(os.environ.get("CXX", "g++"))
    # a compiler that does not like what only this package's template of the cells has
    dislikes = "grep -qs ctzll code_objects/*.cpp && echo 'cells.cpp:3:1: error: no ctzll here' && exit 1"
    monkeypatch.setenv("CXX", script(tmp_path / "cxx", f'{dislikes}\nexec {real} "$@" -O0'))
    with pytest.warns(SlowerWarning, match="templates: plain, since with this package's .* no ctzll here"):
        program = get("cpp").prepare(plan)
    said = "plain, since with this package's device cpp: compile failed: cells.cpp:3:1: error: no ctzll here"
    said += "; the whole log is "
    assert program.templates.startswith(said)
    assert "no ctzll here" in Path(program.templates.removeprefix(said)).read_text()
    assert np.array_equal(small.spikes(program.run(arrays)), expected)


def test_plain_is_short_for_the_plain_device(tmp_path):
    (tmp_path / "small.toml").write_text(QUIET.to_toml())
    arguments = ["run", "meet", "--config", tmp_path / "small.toml", "--plain"]
    refused = izhires(*arguments, "--device", "numpy", "--out", tmp_path / "no")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "--plain is the device 'plain', not 'numpy'" in refused.stderr
    assert izhires(*arguments, "--out", tmp_path / "out").returncode == 0
    (path,) = (tmp_path / "out").glob("*.nc")
    assert (load(path).attrs["device"], load(path).attrs["templates"]) == ("plain", "plain")


def test_noise_of_the_plain_device_follows_its_seed():
    program, arrays = prepared(NOISY, 1, "plain")
    one, again = program.run(arrays), program.run(arrays)
    assert same_bytes(one, again)
    other = program.run({**arrays, "cells.noise_seed": arrays["cells.noise_seed"] + np.int32(1)})
    assert not np.array_equal(small.spikes(one), small.spikes(other))


# profile


def test_a_profile_tells_what_every_object_takes():
    program, arrays = prepared(QUIET)
    spent = program.profile(arrays)
    assert {"cells_stateupdater", "excitation_pre", "when_weights_learn", "own_pieces"} <= set(spent)
    assert set(spent) - WITHOUT_EFFECT <= set(OBJECTS)
    assert min(spent.values()) >= 0
    assert 0 < sum(spent.values()) <= program.measured["loop_seconds"]
    program.run(arrays)
    assert not program.spent  # of the last run only


def test_a_profile_of_brian2s_templates_needs_this_packages_loop():
    _, plan, arrays = small.planned(QUIET)
    with pytest.raises(SimulationError, match="a profile needs device cpp"):
        get("plain").prepare(plan).profile(arrays)
    device = CppDevice()
    device.templates = "timed"
    program = device.prepare(plan)
    assert "cells_spike_thresholder" in program.profile(arrays)
    assert same_bytes(program.run(arrays), get("plain").prepare(plan).run(arrays))


# memory


def test_what_is_written_in_pieces_is_what_is_written_at_once(monkeypatch):
    _, plan, arrays = small.planned(QUIET)
    at_once, in_pieces = CppDevice(), CppDevice()
    in_pieces.most = 50
    expected = at_once.prepare(plan).run(arrays)
    monkeypatch.setattr(standalone, "LARGE", 1)
    found = in_pieces.prepare(plan).run(arrays)
    assert len(expected["spikes.t"]) > 1000 and len(expected["when_output.z"]) > 1000
    assert same_bytes(found, expected)
    assert all(isinstance(each, np.memmap) for each in found.values())


def test_a_long_run_takes_the_memory_of_a_short_one():
    """The timing prediction alone would take 50 MB: Brian2 keeps a block of memory for each of 600,000 rows."""
    block = {"trials": 2000, "latency": {"A": "60 ms", "B": "110 ms"}, "probability": {"A": 0.5, "B": 0.5}}
    _, plan, arrays = small.planned(small.configuration(paradigm__blocks=[block]))
    peaks = []
    for most in (2**26, 2**16):
        device = CppDevice()
        device.most = most
        program = device.prepare(plan)
        assert len(program.run(arrays)["when_output.z"]) == plan.steps
        peaks.append(program.measured["peak_bytes"])
    assert peaks[1] < peaks[0] - 40e6


def test_a_run_that_memory_cannot_hold_is_refused_before_anything_is_built(tmp_path, monkeypatch):
    monkeypatch.setattr("izhires.running.resources.available_memory", lambda: 50e6)
    monkeypatch.setattr("izhires.devices.standalone.StandaloneDevice.prepare", lambda *_: pytest.fail("it was built"))
    with pytest.raises(SimulationError, match=r"^the run needs about \d+ MB of memory, 50 MB are free"):
        run_batch(QUIET, [0, 1], tmp_path)
    assert not list(tmp_path.glob("*.nc"))


# noise

GAUSSIAN = """
dv/dt = -v/dt + noise*xi : volt
dr/dt = -r/dt + noise*xi*Hz/volt : Hz
u : volt/second
a : 1/second (constant)
b : 1/second (constant)
c : volt (constant)
d : volt/second (constant)
"""
"""Cells without a memory: with 1 mV/sqrt(ms) and a step of 1 ms, v/mV and r/mHz are the Gaussian number."""

CELLS, TRIALS = 600, 2000


@pytest.fixture(scope="module")
def gaussian():
    """Run the Gaussian source with a seed: what each cell got at every other step, and when that was at least 1."""
    model = small.configuration(
        "unconnected", reservoir__n=CELLS, reservoir__noise="1 mV/sqrt(ms)", reservoir__equations=GAUSSIAN,
        reservoir__threshold="v >= 1*mV", reservoir__reset="v = c", time_step="1 ms", state__update=MEAN_RATE_UPDATE,
    )  # fmt: skip
    # a window of one step at the start of every trial of two, so that x is r there
    onset = np.arange(TRIALS) * 0.002
    trials = {"onset": onset, "duration": 0.002, "cue": onset, "event": "", "latency": np.nan, "kind": "probe"}
    experiment = Experiment.from_table(trials, ["A"], window=0.001, event_width=0.001, cue_duration=0.001)
    plan, arrays = make_plan(model, experiment, Seeds())
    program = get("cpp").prepare(plan)

    def draw(seed):
        found = program.run({**arrays, "cells.noise_seed": np.asarray(seed, dtype=arrays["cells.noise_seed"].dtype)})
        beyond = np.zeros((plan.steps, CELLS), bool)
        beyond[np.round(found["spikes.t"] * 1e3).astype(int), found["spikes.i"]] = True
        values = found["mean_state.x"][2:] * 1e3
        # both views show the same numbers: r at the start of a step was drawn in the step before
        assert np.array_equal(values[: TRIALS - 2] >= 1, beyond[1 : 2 * TRIALS - 4 : 2])
        return values, beyond[: 2 * TRIALS]

    return draw


SIGMAS = 5.5
"""Bound of every standardised statistic below; a true Gaussian source of another seed goes beyond with chance 4e-8."""


def correlation(one, other):
    """Standard errors by which two arrays of standardised independent numbers are correlated."""
    return np.sum(one * other) / np.sqrt(one.size)


def test_the_gaussian_source_has_the_moments_and_the_tails_of_a_gaussian(gaussian):
    """About 1.2 million numbers. All bounds together fail a true Gaussian source with a chance below 2e-5."""
    g = gaussian(1)[0].ravel()
    n = g.size
    assert n > 1e6
    assert abs(g.mean()) * np.sqrt(n) < SIGMAS
    assert abs(g.var() - 1) * np.sqrt(n / 2) < SIGMAS
    assert abs(np.mean(g**3)) * np.sqrt(n / 15) < SIGMAS
    assert abs(np.mean(g**4) - 3) * np.sqrt(n / 96) < SIGMAS
    assert abs(np.mean(g**6) - 15) * np.sqrt(n / 10170) < SIGMAS
    for bound in (0.1, 1, 2, 3, 3.5, 4, 4.5):
        for side in (1, -1):
            assert stats.binomtest(int(np.sum(side * g > bound)), n, stats.norm.sf(bound)).pvalue > 1e-6, side * bound
    assert np.abs(g).max() > 4.5
    assert stats.kstest(g, "norm").pvalue > 1e-6
    # each cell on its own
    cells = gaussian(1)[0]
    assert np.abs(cells.mean(axis=0)).max() * np.sqrt(len(cells)) < SIGMAS
    assert np.abs((cells**2).mean(axis=0) - 1).max() * np.sqrt(len(cells) / 2) < SIGMAS + 1


def test_the_gaussian_source_is_independent_across_cells_and_steps(gaussian):
    """Numbers, their squares (pairs share a radius), and which are above 1; fails a true source with chance < 5e-6."""
    values, beyond = gaussian(1)
    square = (values**2 - 1) / np.sqrt(2)
    p = stats.norm.sf(1)
    bit = (beyond - p) / np.sqrt(p * (1 - p))
    assert abs(bit.sum()) / np.sqrt(bit.size) < SIGMAS
    for view in (values, square, bit):
        for lag in (1, 2, 3, 4, 8, 16, 128, 255, 256, 257, 512):
            assert abs(correlation(view[:, lag:], view[:, :-lag])) < SIGMAS, f"cells {lag} apart"
        for lag in (1, 2, 3, 4, 5, 10, 100):
            assert abs(correlation(view[lag:], view[:-lag])) < SIGMAS, f"steps {lag} apart"


def test_the_noise_follows_its_seed(gaussian):
    first, second, again = (gaussian(seed)[0] for seed in (1, 2, 1))
    assert np.array_equal(first, again)
    assert not np.any(np.all(first == second, axis=0))
    assert abs(correlation(first, second)) < SIGMAS
    assert abs(correlation(first[1:], second[:-1])) < SIGMAS


def test_noise_makes_cells_fire_alike_on_both_devices():
    """Mean rate, and mean and spread of the log intervals, of 40 runs on cpp and 3 on numpy of one network.

    t test with a chance of 1e-6 each to fail; a noise 20 % stronger would be noticed, which is tested too.
    """
    _, plan, arrays = small.planned(small.configuration("unconnected", reservoir__noise="1 mV/sqrt(ms)"))

    def measured(device, seeds, stronger=1.0):
        rows = []
        for seed in seeds:
            numbers = {**arrays, "cells.noise_seed": np.int32(seed), "cells.noise": arrays["cells.noise"] * stronger}
            time, cell = small.spikes(get(device).prepare(plan).run(numbers))
            order = np.lexsort((time, cell))
            interval = np.diff(time[order])[np.diff(cell[order]) == 0] / 1e3
            rows.append([len(time) / plan.cells / plan.duration, np.log(interval).mean(), np.log(interval).std()])
        return np.array(rows)

    cpp = measured("cpp", range(40))
    bound = stats.t.isf(0.5e-6, len(cpp) - 1) * cpp.std(axis=0, ddof=1) * np.sqrt(1 / len(cpp) + 1 / 3)
    assert cpp[:, 0].mean() > 2
    assert np.all(np.abs(measured("numpy", range(3)).mean(axis=0) - cpp.mean(axis=0)) < bound)
    assert np.any(np.abs(measured("cpp", range(100, 103), 1.2).mean(axis=0) - cpp.mean(axis=0)) > bound)


def test_noise_leaves_the_learning_curve_alike_on_both_devices():
    """Of 40 noises on cpp and 3 on numpy: identity predictions and log mean |timing prediction| as learning goes on.

    Both events have been taught by the first of the moments that are compared.

    16 t tests with a chance of 1e-7 each to fail; a timing rule half as fast would be noticed, which is tested too.
    """
    _, plan, arrays = small.planned(NOISY)

    def measured(device, seeds, **changes):
        program, rows = get(device).prepare(plan), []
        for seed in seeds:
            found = program.run({**arrays, **changes, "cells.noise_seed": np.int32(seed)})
            timing = [np.log(np.abs(part).mean(axis=0)) for part in np.array_split(found["when_output.z"][1800:], 4)]
            rows.append(np.concatenate([found["what_output.q"][[8, 10, 12, 14]].ravel(), np.ravel(timing)]))
        return np.array(rows)

    cpp = measured("cpp", range(40))
    assert cpp.shape == (40, 16)
    bound = stats.t.isf(0.5e-7, len(cpp) - 1) * cpp.std(axis=0, ddof=1) * np.sqrt(1 / len(cpp) + 1 / 3)
    assert np.all(bound > 0)
    assert np.all(np.abs(measured("numpy", range(3)).mean(axis=0) - cpp.mean(axis=0)) < bound)
    slower = {"when.rate": arrays["when.rate"] / 2}
    assert np.any(np.abs(measured("cpp", range(100, 103), **slower).mean(axis=0) - cpp.mean(axis=0)) > bound)


# a user's own equations

WRONG = {
    "a bracket too many": ({"equations": CELL_EQUATIONS.replace("- u + I", "- u + I)")}, "cells", r"unmatched '\)'"),
    "a wrong unit": ({"equations": CELL_EQUATIONS.replace("140*mV/ms", "140*mV")}, "cells", "Inconsistent units.*'v'"),
    "an unknown name": (
        {"equations": CELL_EQUATIONS.replace("- u + I", "- u + I + extra")},
        "cells",
        '"extra" could not be resolved',
    ),
    "a variable too few": (
        {"equations": CELL_EQUATIONS.replace("dr/dt = -r/tau_trace : Hz", "")},
        "cells",
        "must have a variable 'r'",
    ),
    "noise that has no seed": (
        {"equations": CELL_EQUATIONS.replace("noise*xi", "noise*xi_v")},
        "cells",
        "'xi_v' does not follow the seed",
    ),
    "a threshold without unit": ({"threshold": "v >= 30"}, "cells_spike_thresholder", "different units"),
    "a reset of nothing": ({"reset": CELL_RESET + "m += 1"}, "cells_spike_resetter", "unknown name 'm'"),
    "a synapse onto nothing": ({"excitation": "I_quick_post += w"}, "excitation_pre", "unknown name 'I_quick_post'"),
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_equation_is_one_line_that_names_its_object(case, device, capfd):
    changes, place, problem = WRONG[case]
    model = small.configuration(**{f"reservoir__{name}": text for name, text in changes.items()})
    _, plan, arrays = small.planned(model)
    with pytest.raises(ConfigurationError, match=problem) as caught:
        get(device).prepare(plan).run(arrays)
    (complaint,) = caught.value.complaints
    assert str(complaint).startswith(f"{place}: ")
    assert "\n" not in str(complaint)
    said = capfd.readouterr()
    assert "Traceback" not in said.out + said.err
    assert "created here" not in said.out + said.err


def test_a_rule_of_ones_own_runs_on_cpp(monkeypatch):
    class Bounded(Rule):
        """Three-factor rule whose error counts no more than a limit."""

        type: Literal["bounded"] = "bounded"
        speed: PerMillisecond = parameter("2e-4 1/ms", "learning rate", gt=0)
        limit: float = parameter(0.3, "largest error that counts", gt=0)

        schedule: ClassVar[str] = "step"
        channel_update: ClassVar[str] = "step = speed*dt*gate*clip(error, -limit, limit)"
        weight_update: ClassVar[str] = "w += step_post*s_pre"

    class Truth(reference.ThreeFactor):
        def change(self, now, s):
            return self.rule.speed * now.dt * now.gate * np.clip(now.error, -self.rule.limit, self.rule.limit) * s

    try:
        monkeypatch.setitem(reference.ONLINE, "bounded", functools.partial(reference.Apart, Truth))
        model = small.configuration(when="bounded")
        experiment, plan, arrays = small.planned(model)
        found, expected = get("cpp").prepare(plan).run(arrays), reference.simulate(model, experiment, plan, arrays)
        assert np.array_equal(small.spikes(found), small.spikes(expected))
        weights = expected["when_snapshots.w"]
        assert np.abs(found["when_snapshots.w"] - weights).max() < 1e-9 * np.abs(weights).max()
        # the limit was reached
        assert (np.abs(expected["when_output.z"]) > 0.3).any()
        # and a mistake in it is told of by name
        monkeypatch.setattr(Bounded, "weight_update", "w += step_post*s_pre*mV")
        with pytest.raises(ConfigurationError, match=r"^when_weights_learn: .*inconsistent units"):
            get("cpp").prepare(small.planned(model)[1])
    finally:
        # a class that is known to nobody is no rule any more
        model = None
        del Bounded
        gc.collect()


@pytest.mark.parametrize("device", ["cpp", "numpy"])
def test_numbers_that_the_plan_does_not_have_are_refused(device):
    """A name of an earlier version would go nowhere, and the run would be another one."""
    _, plan, arrays = small.planned(small.configuration())
    program = get(device).prepare(plan)
    with pytest.raises(ValueError, match=r"^the plan has no numbers 'feedbak\.w'"):
        program.run(arrays | {"feedbak.w": arrays["when_feedback.w"]})
