import dataclasses
import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import small
import xarray as xr

import izhires
from izhires.analysis import analyse
from izhires.analysis.report import write_report
from izhires.building.draft import make_plan
from izhires.devices import get
from izhires.errors import ConfigurationError, IzhiresError, RecordingError
from izhires.model.configuration import Configuration, parse_seeds
from izhires.paradigms import columns
from izhires.paradigms.experiment import Experiment
from izhires.recordings.citations import cite
from izhires.recordings.recording import (
    LAST_BYTES,
    LAYOUT,
    assemble,
    in_order,
    load,
    load_folder,
    mean_rates,
    of_experiment,
    save,
    spike_trace,
    spikes_between,
)
from izhires.recordings.schema import ATTRIBUTES as DECLARED
from izhires.recordings.schema import KINDS, VARIABLES, checksum, markdown
from izhires.running.batch import jobs
from izhires.running.run import Execution, draw, record, simulate

CONTRACT = {
    "prediction": ("probe", "event", "time"),
    "expectation": ("probe", "event", "time"),
    "when": ("probe", "event", "time"),
    "what": ("probe", "event"),
    "what_weights": ("probe", "event", "neuron"),
    "when_weights": ("probe", "event", "neuron"),
    "mean_state": ("probe", "neuron"),
    "event": ("event",),
    "time": ("time",),
    "neuron": ("neuron",),
    "trial": ("trial",),
    "probe": ("probe",),
    "trial_of_probe": ("probe",),
    "block": ("probe",),
    "probe_trial": ("probe",),
    "block_trial": ("probe",),
    **{
        f"trial_{name}": ("trial",)
        for name in ("onset", "duration", "cue", "latency", "event", "block", "kind", "learn")
    },
    "trial_what": ("trial", "event"),
    "trial_when": ("trial", "event"),
    **{f"outcome_{name}": ("outcome",) for name in ("block", "event", "latency", "probability")},
    "state_trace": ("state_probe", "state_time", "neuron"),
    "state_probe": ("state_probe",),
    "state_time": ("state_time",),
    "rate": ("neuron",),
    "cell_type": ("neuron",),
    "excitatory": ("neuron",),
    "spike_time": ("spike",),
    "spike_neuron": ("spike",),
}
ATTRIBUTES = {
    "title": str, "layout": np.integer, "paradigm": str, "variant": str, "seed": np.integer, "configuration": str,
    "versions": str, "device": str, "git_commit": str, "code": str, "plan": str, "schedule": str,
    "build_seconds": float, "run_seconds": float, "peak_bytes": float, "templates": str, "created": str,
    "time_step": float, "window": float, "event_width": float, "cue_duration": float, "duration": float,
}  # fmt: skip


@pytest.fixture(scope="module")
def configuration():
    return small.configuration()


@pytest.fixture(scope="module")
def recording(configuration):
    return simulate(configuration, seed=3)


@pytest.fixture(scope="module")
def path(recording, tmp_path_factory):
    return save(recording, tmp_path_factory.mktemp("recording") / "new folder" / "meet_seed3.nc")


def test_the_file_needs_nothing_of_this_package(path):
    code = f"""
    import json, sys
    import xarray
    found = xarray.open_dataset({str(path)!r})
    assert not any(name.startswith(("izhires", "brian2")) for name in sys.modules)
    print(json.dumps({{name: (each.dims, each.attrs) for name, each in found.variables.items()}}))
    """
    said = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    ).stdout
    found = json.loads(said)
    assert {name: tuple(dims) for name, (dims, _) in found.items()} == CONTRACT
    for name, (_, attributes) in found.items():
        assert attributes["long_name"] == VARIABLES[name].meaning, name
        assert attributes.get("units", "") == VARIABLES[name].unit, name
    with_units = {name for name, (_, attributes) in found.items() if attributes.get("units")}
    assert set(CONTRACT) - with_units == {"event", "trial_event", "trial_kind", "outcome_event", "cell_type"}


def test_the_attributes(recording, path, configuration):
    with xr.open_dataset(path) as opened:
        found = opened.attrs
    assert set(found) >= set(ATTRIBUTES)
    for name, kind in ATTRIBUTES.items():
        assert isinstance(found[name], kind), name
    assert (found["paradigm"], found["variant"], found["seed"], found["device"]) == ("meet", "", 3, "cpp")
    assert found["layout"] == LAYOUT
    assert Configuration.parse(json.loads(found["configuration"])) == configuration
    assert set(json.loads(found["versions"])) >= {"izhires", "brian2", "numpy", "xarray", "python"}
    assert found["run_seconds"] > 0
    assert found["time_step"] == 0.001


def test_load_gives_it_back_equal(recording, path):
    found = izhires.load(path)
    xr.testing.assert_identical(found, recording)
    for name, each in recording.variables.items():
        if each.dtype.kind != "U":
            assert found[name].dtype == each.dtype, name
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_the_probes_stand_where_the_trial_table_has_them(recording, configuration):
    experiment, _, _ = small.planned(configuration, seed=3)
    done, began, place = 0, {}, 0
    for row in experiment.trials.itertuples():
        began.setdefault(row.block, done)
        if row.kind == "train":
            done += 1
        if row.kind == "probe":
            found = recording.isel(probe=place)
            assert (int(found["block"]), int(found["probe_trial"])) == (row.block, done)
            assert int(found["block_trial"]) == done - began[row.block]
            np.testing.assert_array_equal(
                found["expectation"], experiment.expectation(row.block, recording["time"].values)
            )
            place += 1
    assert recording.sizes["probe"] == place
    # the probe after a block's last trial belongs to that block
    wanted = configuration.paradigm.probes
    lengths = [block.trials for block in configuration.paradigm.blocks]
    assert wanted[-1] == lengths[0]
    starts = [0, *np.cumsum(lengths)[:-1]]
    places = [(0, 0)] + [(block, start + count) for block, start in enumerate(starts) for count in wanted]
    assert list(zip(recording["block"].values, recording["probe_trial"].values, strict=True)) == places
    for name in ("onset", "duration", "cue", "latency", "event", "block", "kind", "learn"):
        np.testing.assert_array_equal(recording[f"trial_{name}"], experiment.trials[name])
    for name in ("block", "event", "latency", "probability"):
        np.testing.assert_array_equal(recording[f"outcome_{name}"], experiment.outcomes[name])
    np.testing.assert_allclose(recording["time"], np.arange(round(experiment.window * 1e3)) * 1e-3, rtol=1e-15)


def test_the_prediction_is_what_times_when(recording):
    what = (recording["what_weights"] * recording["mean_state"]).sum("neuron")
    assert float(abs(what).max()) > 0.1
    np.testing.assert_allclose(recording["what"], what, rtol=1e-9, atol=1e-12)
    expected = recording["what"].clip(0, 1) * recording["when"].clip(0, None)
    np.testing.assert_array_equal(recording["prediction"], expected.transpose("probe", "event", "time"))


def test_the_identity_prediction_of_every_trial(recording, configuration):
    """A trial's own prediction is that of the weights before it and of its own mean state."""
    found = small.outputs(configuration, "cpp", 3)
    n, k = recording.sizes["neuron"], recording.sizes["event"]
    trials = recording.sizes["trial"]
    np.testing.assert_allclose(found["mean_state.t"][:trials], recording["trial_onset"], atol=1e-12)
    weights = found["what_snapshots.w"].reshape(-1, k, n)
    expected = np.einsum("tkn,tn->tk", weights[:trials], found["mean_state.x"][1 : trials + 1])
    np.testing.assert_allclose(recording["trial_what"], expected, rtol=1e-9, atol=1e-12)
    probes = (recording["trial_kind"] == "probe").values
    np.testing.assert_array_equal(recording["trial_what"][probes], recording["what"])
    # weights move in training trials, and in no other
    moved = np.abs(np.diff(weights[: trials + 1], axis=0)).max(axis=(1, 2)) > 0
    np.testing.assert_array_equal(moved, recording["trial_learn"] == 1)


def test_the_timing_prediction_at_each_event(recording, configuration):
    """It is the reading of the very step of the event: the weights have not yet learned from that step."""
    z = small.outputs(configuration, "cpp", 3)["when_output.z"]
    happens = (recording["trial_event"] != "").values
    assert 0 < happens.sum() < len(happens)
    moments = (recording["trial_cue"] + recording["trial_latency"]).values
    for trial in np.flatnonzero(happens):
        np.testing.assert_array_equal(recording["trial_when"][trial], z[round(moments[trial] * 1e3)])
    assert np.isnan(recording["trial_when"].values[~happens]).all()
    assert float(abs(recording["trial_when"]).max()) > 0.05


def states(recording, configuration):
    """Return what the trace is above its mean, and s, at every readout step, from the recorded spikes alone."""
    reservoir, state = configuration.reservoir, configuration.state
    end = float((recording["trial_onset"] + recording["trial_duration"])[-1])
    steps, n = round(end * 1e3 / configuration.time_step), recording.sizes["neuron"]
    fired = [[] for _ in range(steps)]
    when = np.round(recording["spike_time"].values * 1e3 / configuration.time_step).astype(int)
    for step, cell in zip(when, recording["spike_neuron"].values, strict=True):
        if step < steps:
            fired[step].append(cell)
    r, mean, variance = np.zeros(n), np.zeros(n), np.zeros(n)
    above, standardised = [], []
    per_readout = round(state.time_step / configuration.time_step)
    for step in range(steps):
        if step % per_readout == 0:
            mean += (r - mean) * state.time_step / state.tau_mean
            variance += ((r - mean) ** 2 - variance) * state.time_step / state.tau_mean
            above.append(np.maximum(r - mean, 0))
            standardised.append((r - mean) / np.sqrt(variance + state.smallest_spread**2))
        r -= r * configuration.time_step / reservoir.tau_trace
        r[fired[step]] += 1e3 / reservoir.tau_trace
    return np.array(above), np.array(standardised)


def test_states_and_timing_predictions_follow_from_the_spikes(recording, configuration):
    above, standardised = states(recording, configuration)
    probes = np.flatnonzero(recording["trial_kind"] == "probe")
    assert len(probes) == recording.sizes["probe"]
    for probe, trial in enumerate(probes):
        cue = round(float(recording["trial_cue"][trial]) * 1e3)
        window = slice(cue, cue + recording.sizes["time"])
        np.testing.assert_allclose(recording["mean_state"][probe], above[window].mean(axis=0), rtol=1e-9, atol=1e-9)
        when = recording["when_weights"][probe].values @ standardised[window].T
        np.testing.assert_allclose(recording["when"][probe], when, rtol=1e-8, atol=1e-10)
    assert float(abs(recording["when"]).max()) > 0.05


def test_traces_are_those_of_the_first_and_last_probe_of_each_block(recording, configuration):
    blocks = recording["block"].values
    wanted = sorted({f(np.flatnonzero(blocks == block)) for block in set(blocks) for f in (min, max)})
    assert recording["state_probe"].values.tolist() == wanted
    np.testing.assert_allclose(recording["state_time"], np.arange(recording.sizes["time"] // 10) * 0.01, atol=1e-15)
    probes = np.flatnonzero(recording["trial_kind"] == "probe")
    tau, cell = configuration.reservoir.tau_trace, recording["spike_neuron"].values
    spike = np.round(recording["spike_time"].values * 1e6).astype(int)  # whole microseconds
    for row, probe in enumerate(wanted):
        cue = round(float(recording["trial_cue"][probes[probe]]) * 1e6)
        for column in range(recording.sizes["state_time"]):
            age = (cue + 10_000 * column - spike) / 1e3
            before = age > 0
            expected = np.bincount(cell[before], np.exp(-age[before] / tau) * 1e3 / tau, recording.sizes["neuron"])
            np.testing.assert_allclose(recording["state_trace"][row, column], expected, rtol=1e-5, atol=1e-5)


def test_spike_trace_against_a_slow_loop():
    rng = np.random.default_rng(2)
    times, cells = np.sort(rng.uniform(0, 3, 400)), rng.integers(0, 7, 400)
    samples, tau = 1.0 + 0.05 * np.arange(30), 0.04
    slow = np.zeros((30, 7))
    for row, moment in enumerate(samples):
        for time, cell in zip(times, cells, strict=True):
            if time < moment:
                slow[row, cell] += np.exp(-(moment - time) / tau) / tau
    np.testing.assert_allclose(spike_trace(times, cells, samples, 7, tau), slow, rtol=1e-10, atol=1e-6)
    assert not spike_trace(np.empty(0), np.empty(0, int), samples, 7, tau).any()


@pytest.mark.parametrize("scattered", ["", "cells", "all"])
def test_spikes_between_two_moments_are_in_order(scattered, monkeypatch):
    """Whatever the order in which a device leaves them, and however few are looked at together."""
    monkeypatch.setattr("izhires.recordings.recording.PORTION", 7)
    rng = np.random.default_rng(0)
    steps, cells = np.divmod(np.sort(rng.choice(100 * 50, 200, replace=False)), 50)
    expected = steps / 1000, cells
    if scattered:
        order = np.lexsort((rng.random(200), steps)) if scattered == "cells" else rng.permutation(200)
        assert (order != np.arange(200)).any()
        steps, cells = steps[order], cells[order]
    given = {"spikes.t": steps / 1000, "spikes.i": cells}
    outputs = in_order(given)
    assert (outputs is given) == (scattered == "")
    for start, end in ((-np.inf, np.inf), (0.02, 0.05), (0.0205, 0.0495), (0.3, 0.4)):
        inside = (expected[0] >= start) & (expected[0] < end)
        for found, wanted in zip(spikes_between(outputs, start, end), expected, strict=True):
            assert np.array_equal(found, wanted[inside])
    assert np.array_equal(mean_rates(50, 0.1, outputs), np.bincount(cells, minlength=50) / 0.1)


def test_rates_and_kept_spikes(recording, configuration):
    found = small.outputs(configuration, "cpp", 3)
    experiment, plan, _ = small.planned(configuration, seed=3)
    counts = np.bincount(recording["spike_neuron"], minlength=recording.sizes["neuron"])
    found = of_experiment(found, plan, experiment)
    assert counts.sum() == len(found["spikes.t"]) > 0
    assert (np.diff(recording["spike_time"]) >= 0).all()
    np.testing.assert_allclose(recording["rate"], counts / experiment.duration)
    assert recording["excitatory"].values.tolist() == [
        name not in ("FS", "LTS") for name in recording["cell_type"].values
    ]

    some = assemble(plan, configuration, experiment, found, "probes")
    rows = recording.isel(trial=np.flatnonzero(recording["trial_kind"] == "probe")[recording["state_probe"].values])
    inside = np.zeros(recording.sizes["spike"], bool)
    for start, length in zip(rows["trial_onset"].values, rows["trial_duration"].values, strict=True):
        inside |= (recording["spike_time"].values >= start) & (recording["spike_time"].values < start + length)
    assert 0 < inside.sum() < len(inside)
    np.testing.assert_array_equal(some["spike_time"], recording["spike_time"][inside])
    np.testing.assert_array_equal(some["spike_neuron"], recording["spike_neuron"][inside])
    assert "spike_time" not in assemble(plan, configuration, experiment, found, "none")


def test_a_run_again_from_the_recording_alone_is_identical(recording, path):
    with xr.open_dataset(path) as opened:
        attributes = opened.attrs
    again = simulate(
        Configuration.parse(json.loads(attributes["configuration"])), int(attributes["seed"]), attributes["variant"]
    )
    xr.testing.assert_equal(again, recording)
    for name, each in recording.variables.items():
        assert again[name].values.tobytes() == each.values.tobytes(), name
    differing = {name for name in ATTRIBUTES if again.attrs[name] != recording.attrs[name]}
    assert differing <= {"created", "build_seconds", "run_seconds", "peak_bytes", "git_commit"}
    assert not simulate(small.configuration(), seed=4)["when"].equals(recording["when"])


def one_line(error):
    text = str(error.value)
    assert len(text.splitlines()) == 1
    return text


LAST = len(LAST_BYTES) + 65


@pytest.mark.parametrize("length", [0, 1, 7, 8, 100, 2000, 0.5, 0.99, -LAST - 1, -64, -1])
def test_a_file_cut_at_any_length(length, path, tmp_path):
    size = path.stat().st_size
    cut = tmp_path / "cut.nc"
    shutil.copyfile(path, cut)
    kept = size + length if length < 0 else int(length * size) if isinstance(length, float) else length
    os.truncate(cut, kept)
    with pytest.raises(RecordingError) as error:
        load(cut)
    assert one_line(error) == f"{cut}: is not a whole netCDF file ({kept} bytes)"


def test_a_file_with_spoilt_numbers(path, tmp_path):
    spoilt = tmp_path / "spoilt.nc"
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(4000)
    spoilt.write_bytes(data)
    with pytest.raises(RecordingError) as error:
        load(spoilt)
    assert one_line(error) == f"{spoilt}: was changed after it was written: its checksum does not agree"
    spoilt.write_bytes(data[:-LAST])
    with pytest.raises(RecordingError) as error:
        load(spoilt)
    assert one_line(error) == f"{spoilt}: is not a whole netCDF file ({len(data) - LAST} bytes)"


def test_files_that_are_no_recordings(recording, tmp_path):
    cases = {
        "text.nc": (lambda path: path.write_text("onset\tduration\n" * 50), "is not a whole netCDF file (750 bytes)"),
        "foreign.nc": (
            lambda path: xr.Dataset({"x": ("a", [1.0])}).to_netcdf(path),
            "is a netCDF file, but not a recording of izhires",
        ),
        "other.nc": (
            lambda path: xr.Dataset({"prediction": ("a", [1.0])}, attrs={"layout": "landscape"}).to_netcdf(path),
            "is a netCDF file, but not a recording of izhires",
        ),
        "later.nc": (
            lambda path: recording.assign_attrs(layout=LAYOUT + 1).to_netcdf(path),
            f"was written in layout {LAYOUT + 1}, by a later version; this one reads up to {LAYOUT}",
        ),
        "folder.nc": (lambda path: path.mkdir(), "is a folder"),
        "missing.nc": (lambda path: None, "there is no such file"),
    }
    for name, (make, message) in cases.items():
        make(tmp_path / name)
        with pytest.raises(RecordingError) as error:
            load(tmp_path / name)
        assert one_line(error) == f"{tmp_path / name}: {message}"


def test_a_folder_of_recordings(recording, tmp_path):
    with pytest.raises(RecordingError, match="there is no such folder"):
        load_folder(tmp_path / "gone")
    with pytest.raises(RecordingError, match=r"holds no recording \(\*\.nc\)"):
        load_folder(tmp_path)
    (tmp_path / "study").mkdir()
    save(recording, tmp_path / "study" / "one.nc")
    with pytest.raises(RecordingError, match="its folders do, name one of them: study"):
        load_folder(tmp_path)
    with pytest.raises(RecordingError, match="is a file, not a folder"):
        load_folder(tmp_path / "study" / "one.nc")
    for seed, variant in ((10, "b"), (9, "b"), (7, "c"), (8, "a")):
        save(recording.assign_attrs(seed=seed, variant=variant), tmp_path / f"{variant}{seed}.nc")
    found = [(each.attrs["variant"], each.attrs["seed"]) for each in load_folder(tmp_path)]
    assert found == [("a", 8), ("b", 9), ("b", 10), ("c", 7)]
    (tmp_path / "d.nc").write_bytes(b"")
    with pytest.raises(RecordingError, match=r"d\.nc: is not a whole netCDF file"):
        load_folder(tmp_path)


def test_a_full_disk_leaves_nothing(path, tmp_path):
    """A process that may write no more than 20 kB to a file meets what a full disk gives."""
    code = f"""
    import resource
    from izhires.errors import RecordingError
    from izhires.recordings.recording import load, save
    recording = load({str(path)!r})
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    try:
        save(recording, {str(tmp_path / "full" / "x.nc")!r})
    except RecordingError as error:
        print(error)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith(f"{tmp_path / 'full' / 'x.nc'}: cannot be written: ")
    assert lines[0].endswith(" MB are free there)")
    assert list((tmp_path / "full").iterdir()) == []


def test_a_failed_write_leaves_the_file_of_before(recording, tmp_path, monkeypatch):
    path = save(recording, tmp_path / "x.nc")
    before = path.read_bytes()

    def fail(self, target, *_, **__):
        target.write_bytes(b"half")
        raise RuntimeError("NetCDF: HDF error")

    monkeypatch.setattr(xr.Dataset, "to_netcdf", fail)
    with pytest.raises(RecordingError, match=r"x\.nc: cannot be written: NetCDF: HDF error"):
        save(recording, path)
    assert [each.name for each in tmp_path.iterdir()] == ["x.nc"]
    assert path.read_bytes() == before


def test_folders_that_cannot_be_written_to(recording, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    for path in (tmp_path / "file" / "x.nc", tmp_path / "file" / "deep" / "x.nc", "/proc/x.nc", "/dev/null/x.nc"):
        with pytest.raises(RecordingError) as error:
            save(recording, path)
        assert one_line(error).startswith(f"{path}: cannot be written: ")
    assert (tmp_path / "file").read_text() == "not a folder"


def test_the_names_of_files(configuration, tmp_path):
    found = [job.path.name for job in jobs(configuration, [3, 1], tmp_path)]
    assert found == ["meet_seed3.nc", "meet_seed1.nc"]
    levels = Configuration.parse({"paradigm": {"type": "meet_levels", "levels": [0.1, 1.0]}})
    found = [(job.path.name, job.name) for job in jobs(levels, [5], tmp_path)]
    assert found == [("meet_levels_p=0.10_seed5.nc", "p=0.10 seed 5"), ("meet_levels_p=1.00_seed5.nc", "p=1.00 seed 5")]


# -- what happened after the end of the experiment


def test_what_happens_after_the_end_is_in_no_result():
    """Trials of unequal length make the program run on to its next snapshot, in which cells go on firing."""
    table = {
        "onset": [0.0, 0.9], "duration": [0.9, 0.3], "cue": [0.05, 0.95], "event": ["", "A"],
        "latency": [np.nan, 0.06], "kind": ["probe", "train"],
    }  # fmt: skip
    made = small.configuration(reservoir__bias_excitatory=["4 mV/ms", "7 mV/ms"])
    experiment = Experiment.from_table(table, window=0.22, event_width=0.02, cue_duration=0.02)
    drawn = draw(made, 7)
    plan, arrays = make_plan(made, experiment, drawn.seeds)
    drawn = dataclasses.replace(drawn, experiment=experiment, plan=plan, arrays=arrays)
    outputs = get("cpp").prepare(plan).run(arrays)
    assert (outputs["spikes.t"] >= 1.2).sum() > 20
    assert plan.duration > 1.5
    recording = record(drawn, outputs, Execution("cpp", "own", "", 0.0, 0.0))
    assert recording.attrs["duration"] == 1.2
    inside = outputs["spikes.t"] < 1.2 - 1e-9
    counts = np.bincount(outputs["spikes.i"][inside], minlength=100)
    np.testing.assert_array_equal(recording["rate"], counts / 1.2)
    assert recording.sizes["spike"] == counts.sum()
    assert recording["spike_time"].max() < 1.2
    # and what was learned in the last trial was read all the same
    assert np.isfinite(recording["trial_what"]).all()


@pytest.mark.parametrize("shift", [0.0, 1e-12, -1e-12])
def test_a_spike_at_the_very_end_is_after_it(shift):
    experiment, plan, _ = small.planned(small.configuration())
    times = np.array([0.0, experiment.duration - 5e-4, experiment.duration + shift])
    steps = round(experiment.duration * 1e3)
    outputs = dict(small.outputs(small.configuration())) | {"spikes.t": times, "spikes.i": np.array([1, 2, 3])}
    assert len(outputs["when_output.z"]) > steps
    found = of_experiment(outputs, plan, experiment)
    assert found["spikes.i"].tolist() == [1, 2]
    assert len(found["when_output.z"]) == len(found["when_output.t"]) == steps
    assert len(found["when_snapshots.w"]) == len(outputs["when_snapshots.w"])


# -- the schema: altered recordings


def test_the_documentation_has_the_schema():
    text = (Path(__file__).parents[1] / "docs" / "recording.md").read_text(encoding="utf-8")
    assert text.split("<!-- schema -->\n")[1] == markdown(), (
        "the tables are out of date: "
        "python -c 'from izhires.recordings.schema import markdown; print(markdown(), end=\"\")'"
    )


def test_the_kinds_of_trials_are_those_of_experiments():
    assert KINDS == columns.KINDS


def written(recording, path, fresh=True):
    """Write a recording as another program might, with a checksum of its own where that is `fresh`."""
    for each in recording.variables.values():
        each.encoding.clear()
    fresh = fresh and isinstance(recording.attrs.get("layout"), int | np.integer)
    recording.assign_attrs(checksum=checksum(recording) if fresh else "0" * 64).to_netcdf(path)
    return path


def refused(recording, path, *words, fresh=True):
    with pytest.raises(RecordingError) as error:
        load(written(recording, path, fresh))
    text = one_line(error)
    assert text.startswith(f"{path}: ")
    for word in words:
        assert word in text, (words, text)


OPTIONAL = {"trial_response_time", "trial_count", "trial_count_against", "cue_name", "trial_cue_name"}
OPTIONAL |= {"outcome_cue_name", "input_onset", "input_duration", "input_strength", "input_channel"}
OPTIONAL |= {"trial_latency_of", "epoch_onset", "epoch_duration", "epoch_name"}
OPTIONAL |= {"trial_payoff", "trial_choice", "trial_choice_reward", "trial_choice_value"}
HELD = [name for name in VARIABLES if name not in OPTIONAL]


@pytest.mark.parametrize("name", HELD)
def test_altered_variables(recording, tmp_path, name):
    about, path = VARIABLES[name], tmp_path / "a.nc"
    refused(recording.drop_vars(name), path, f"it lacks {name}")
    refused(recording.rename_vars({name: f"{name}x"}), path, f"it lacks {name}")
    dims = recording[name].dims
    held = recording[name].variable
    bare = recording.drop_vars(name)
    # other dimensions, too short, turned round
    other = held.copy(deep=True)
    other.dims = tuple(f"other_{dim}" for dim in dims)
    refused(bare.assign({name: other}), path, name, "has the dimensions")
    refused(bare.assign({name: other[:0]}), path, name, "has the dimensions")
    if len(dims) > 1:
        refused(recording.assign({name: held.transpose(*dims[::-1])}), path, name, "has the dimensions")
    # another type
    for dtype in {"U3", "f4", "f8", "i2", "i8"} - (
        {"U3"} if about.dtype == "text" else {np.dtype(about.dtype).str[1:]}
    ):
        values = np.zeros(held.shape, dtype)
        refused(bare.assign({name: (dims, values, held.attrs)}), path, name)
    # values that cannot be
    values = held.values.copy()
    if about.dtype == "text":
        values[...] = "~"
        if name not in ("event", "cell_type"):
            refused(bare.assign({name: (dims, values, held.attrs)}), path, name)
    elif values.dtype.kind == "f" and name not in recording.indexes:
        for bad in (np.nan, np.inf):
            spoilt = values.copy()
            spoilt[(0,) * spoilt.ndim] = bad
            if not (about.missing and np.isnan(bad)):
                refused(bare.assign({name: (dims, spoilt, held.attrs)}), path, f"{name} holds {bad:g}")
    elif values.dtype.kind == "i":
        values[...] = -1
        refused(bare.assign({name: (dims, values, held.attrs)}), path, name)
    # another unit, none, and one that dates would have
    for unit in ("furlong", "", 3, "seconds since then"):
        refused(
            recording.assign({name: (dims, held.values, {"units": unit})}), path, name
        ) if unit != about.unit else None


@pytest.mark.parametrize("name", [name for name in DECLARED if name not in ("diverged", "checksum")])
def test_altered_attributes(recording, tmp_path, name):
    about, path = DECLARED[name], tmp_path / "a.nc"
    bare = recording.copy()
    bare.attrs.pop(name, None)  # some are there only where they have something to say
    if not about.when:
        refused(bare, path, "not a recording of izhires" if name in ("layout", "paradigm") else f"attribute {name}")
    wrong = {str: [3, 2.5, ["a", "b"]], int: ["x", 2.5, [1, 2]], float: ["x", [0.1, 0.2], np.nan, np.inf, -1.0]}
    for value in wrong[about.kind]:
        refused(recording.assign_attrs({name: value}), path)
    if about.form:
        for value in ("", "{", "[1]", "12.5.2026", "[" * 3000):
            refused(recording.assign_attrs({name: value}), path, f"the attribute {name} is", "not a")


@pytest.mark.parametrize("layout", [0, -1, 99, "1", 1.5, [1, 2]])
def test_layouts_that_there_are_not(recording, tmp_path, layout):
    refused(recording.assign_attrs(layout=layout), tmp_path / "a.nc")


def test_text_that_was_garbled(recording, tmp_path):
    """Every text of the file is under the checksum: variables, units, meanings and attributes."""
    path = tmp_path / "a.nc"
    turned = recording["cell_type"].copy(data=recording["cell_type"].values[::-1])
    changed = [recording.assign_attrs(title="other"), recording.assign_attrs(git_commit="0")]
    changed.append(recording.assign(cell_type=turned))
    reworded = recording.copy(deep=True)
    reworded["rate"].attrs["long_name"] = "another meaning"
    more = recording.copy(deep=True)
    more["rate"].data[3] += 1e-9
    for each in (*changed, reworded, more):
        each.attrs["checksum"] = checksum(recording)
        each.to_netcdf(path)
        with pytest.raises(RecordingError, match="its checksum does not agree"):
            load(path)
    recording.to_netcdf(path)
    with pytest.raises(RecordingError, match="lacks its checksum"):
        load(path)


def test_what_is_not_in_the_tables_is_under_the_checksum(recording, tmp_path):
    n, path = recording.sizes["neuron"], tmp_path / "a.nc"
    further = recording.assign(
        mine=("neuron", np.arange(n) + 0.5, {"units": "mV"}),
        chosen=("neuron", np.arange(n) % 3 == 0),
        word=("event", np.array(["ä", ""], dtype=object)[: recording.sizes["event"]]),
        sizes=("part", np.array([3, 2**63 + 1], dtype=np.uint64)),
        one=((), 2.5),
    )
    xr.testing.assert_identical(load(save(further, path)), further)
    before = {"checksum": checksum(further)}
    for changed in (
        further.assign(mine=further["mine"] + 1e-9),
        further.assign(chosen=~further["chosen"]),
        further.assign(word=further["word"].copy(data=further["word"].values[::-1])),
        further.assign(one=2.25),
        further.assign(mine=further["mine"].assign_attrs(units="V")),
        further.drop_vars("one"),
        further.assign(other=1.0),
        further.assign_coords(spike=np.zeros(further.sizes["spike"], dtype="f4")),
    ):
        changed.assign_attrs(before).to_netcdf(path)
        with pytest.raises(RecordingError, match="its checksum does not agree"):
            load(path)
    earlier = further.assign_attrs(layout=2)
    save(earlier, path)
    xr.testing.assert_identical(load(path), earlier)
    earlier.assign_attrs(checksum=checksum(earlier)).assign(other=1.0).to_netcdf(path)
    assert float(load(path)["other"]) == 1.0
    for values in (np.array(["2026-01-01"], "M8[ns]"), np.array([1], "m8[ns]"), np.array([b"a"]), np.array([1j])):
        with pytest.raises(RecordingError, match=r"holds mine of type .*; valid: numbers, truth values, text"):
            save(recording.assign(mine=("part", values)), tmp_path / "b.nc")
    assert not (tmp_path / "b.nc").exists()


def test_a_byte_changed_anywhere(recording, path, tmp_path, monkeypatch):
    """The recording comes back as it was, or not at all; the HDF5 library, which some end, sees none of them."""
    whole, rng = path.read_bytes(), np.random.default_rng(3)
    spoilt, rest = tmp_path / "spoilt.nc", len(whole) - LAST
    with monkeypatch.context() as patch:
        patch.setattr(xr, "open_dataset", None)
        for place in [0, rest - 1, rest + len(LAST_BYTES), len(whole) - 1, *rng.integers(0, rest, 300)]:
            data = bytearray(whole)
            data[place] = (data[place] + int(rng.integers(1, 256))) % 256
            spoilt.write_bytes(data)
            with pytest.raises(RecordingError) as error:
                load(spoilt)
            assert one_line(error) == f"{spoilt}: was changed after it was written: its checksum does not agree"
    for place in range(rest, rest + len(LAST_BYTES)):
        spoilt.write_bytes(whole[:place] + b"#" + whole[place + 1 :])
        xr.testing.assert_identical(load(spoilt), recording)


def test_a_file_that_another_tool_changed(recording, path, tmp_path):
    """It cuts off what stands behind the netCDF file, and the checksum of the contents is looked at."""
    changed = tmp_path / "changed.nc"
    for rate, same in ((None, True), (1e9, False)):
        shutil.copyfile(path, changed)
        with netCDF4.Dataset(changed, "a") as opened:
            if rate is not None:
                opened["rate"][0] = rate
            opened.setncattr("note", "read")
            opened.delncattr("note")
        if same:
            xr.testing.assert_identical(load(changed), recording)
        else:
            with pytest.raises(RecordingError, match="its checksum does not agree"):
                load(changed)


def test_what_is_no_recording_is_not_written(recording, tmp_path):
    for given in (None, 3, "text", recording["rate"], xr.Dataset()):
        with pytest.raises(RecordingError) as error:
            save(given, tmp_path / "a.nc")
        assert one_line(error).startswith(f"{tmp_path / 'a.nc'}: is ")
    with pytest.raises(RecordingError, match="it lacks rate"):
        save(recording.drop_vars("rate"), tmp_path / "a.nc")
    with pytest.raises(RecordingError, match="cannot be written"):
        save(recording.assign_attrs(own={"a": 1}), tmp_path / "a.nc")
    assert list(tmp_path.iterdir()) == []


def test_a_part_of_a_recording_is_written_and_read(recording, tmp_path):
    part = recording.isel(neuron=[3, 80], trial=slice(2, 9), probe=[1, 2])
    found = load(save(part, str(tmp_path / "a.nc")))
    xr.testing.assert_identical(found, part)
    assert found["neuron"].values.tolist() == [3, 80]


@pytest.mark.parametrize("given", [None, 3, 2.5, "", b"a.nc", ["a.nc"]])
@pytest.mark.parametrize("entry", [load, load_folder, lambda path: save(xr.Dataset(), path), cite, write_report])
def test_paths_that_are_none(entry, given):
    with pytest.raises(ConfigurationError) as error:
        entry(given)
    assert one_line(error).endswith(
        ("is no name of a file or folder: ''", f"must be a path (str or pathlib.Path), got {given!r}")
    )


def test_a_recording_of_the_first_layout():
    """It loads, gets the labels that it lacks, loses what lies after its end, and is analysed and exported."""
    path = Path(__file__).with_name("data") / "layout1.nc"
    with xr.open_dataset(path) as opened:
        raw = opened.load()
    found = load(str(path))
    end = float((raw["trial_onset"] + raw["trial_duration"])[-1])
    assert found.attrs["duration"] == end
    assert found["neuron"].values.tolist() == list(range(40))
    assert found["trial_of_probe"].values.tolist() == np.flatnonzero(raw["trial_kind"] == "probe").tolist()
    assert found.sizes["spike"] == int((raw["spike_time"] < end).sum())
    for name in set(raw.variables) - {"spike_time", "spike_neuron", "rate"}:
        np.testing.assert_array_equal(found[name], raw[name])
    table = analyse([found])
    assert table.loc[table["metric"] == "error.last", "value"].notna().all()
    assert len(found.izhires.to_dataframe("neurons")) == 40


# -- what cannot be written is known before anything runs


def test_what_cannot_be_written_is_refused_before_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr("izhires.running.run.get", lambda device: pytest.fail("it ran"))
    with pytest.raises(ConfigurationError, match="seed"):
        simulate(small.configuration(), seed=2**63)
    with pytest.raises(ConfigurationError, match="seed"):
        simulate(small.configuration(seeds={"noise": 2**64}))
    with pytest.raises(ConfigurationError, match="--seeds"):
        parse_seeds(str(2**63))
    assert parse_seeds(str(2**63 - 1)) == [2**63 - 1]
    for event in ("a\0b", "a\ud800"):
        blocks = [{"trials": 4, "latency": {event: "60 ms"}, "probability": {event: 1.0}}]
        with pytest.raises(IzhiresError) as error:
            simulate(small.configuration(paradigm__blocks=blocks))
        one_line(error)
