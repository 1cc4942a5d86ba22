"""Recordings in the forms of other libraries, read back by those libraries."""

import json
import subprocess
import sys
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import synthetic

import izhires
from izhires import formats
from izhires.errors import ConfigurationError, ParadigmError, RecordingError, ToolchainError
from izhires.formats.bids import COLUMNS, save_events
from izhires.formats.shared import observed, spike_trains
from izhires.formats.tables import tables
from izhires.paradigms.cued_reaction import CuedReaction
from izhires.paradigms.experiment import Experiment
from izhires.paradigms.table import Table
from izhires.recordings.recording import save


def made(source=None, keep="probes", **options):
    """A synthetic recording that says when and how it was made."""
    recording = synthetic.recording(source, **options)
    configuration = {"time_step": "0.5 ms", "keep": {"spikes": keep}}
    return recording.assign_attrs(configuration=json.dumps(configuration), created="2026-01-02T03:04:05+00:00")


def everything(recording):
    """The same with spikes all over the experiment: each cell fires at a rate of its own, and one not at all."""
    rng = np.random.default_rng(5)
    end = float((recording["trial_onset"] + recording["trial_duration"])[-1])
    cells = rng.integers(0, recording.sizes["neuron"] - 1, 5000)
    times = np.sort(np.round(rng.uniform(0, end, len(cells)), 4))
    times[-1] = end - 0.0005
    bare = recording.drop_vars(["spike_time", "spike_neuron"])
    found = bare.assign(spike_time=("spike", times), spike_neuron=("spike", cells))
    return found.assign_attrs(configuration=json.dumps({"time_step": "0.5 ms", "keep": {"spikes": "all"}}))


def by_cell(recording):
    """The spikes of each cell, by a way of its own."""
    time, cell = recording["spike_time"].values, recording["spike_neuron"].values
    return [np.sort(time[cell == i]) for i in range(recording.sizes["neuron"])]


# -- tables


def test_every_variable_is_in_exactly_one_table():
    recording = made().assign_attrs(window=1.1).assign(extra=(("block_number", "event"), np.zeros((4, 2))))
    held = {name: set(dims) for name, dims in tables(recording).items()}
    for name, variable in recording.data_vars.items():
        homes = [table for table, dims in held.items() if dims == set(variable.dims)]
        assert len(homes) == 1, (name, homes)
    assert held["block_number_by_event"] == {"block_number", "event"}
    assert {"trials", "trial_events", "probes", "predictions", "weights", "neurons", "spikes", "states"} <= set(held)


@pytest.mark.parametrize("table", ["predictions", "weights", "mean_states", "states", "probe_events"])
def test_a_tidy_table_holds_every_value(table):
    recording = made()
    frame = formats.to_dataframe(recording, table)
    dims = tables(recording)[table]
    assert list(frame.columns[: len(dims)]) == list(dims)
    assert not frame.duplicated(list(dims)).any()
    again = frame.set_index(list(dims)).to_xarray()
    variables = [name for name, each in recording.data_vars.items() if each.dims == dims]
    assert variables
    for name in variables:
        np.testing.assert_array_equal(again[name].transpose(*dims).values, recording[name].values)


def test_probes_carry_their_block_and_trial():
    recording = made()
    frame = formats.to_dataframe(recording, "predictions")
    some = frame[(frame["probe"] == 50) & (frame["event"] == "B") & np.isclose(frame["time"], 0.8)].iloc[0]
    assert some["prediction"] == recording["prediction"].values[50, 1, 800]
    assert (some["block"], some["probe_trial"]) == (recording["block"].values[50], recording["probe_trial"].values[50])


def test_an_unknown_table_names_those_there_are():
    with pytest.raises(ConfigurationError, match=r"'spike' is not a table.*did you mean 'spikes'.*trials"):
        formats.to_dataframe(made(), "spike")


def test_csv_files_have_their_units_beside_them(tmp_path):
    recording = made()
    recording["rate"].attrs = {"units": "Hz", "long_name": "mean rate"}
    paths = formats.save_csv(recording, tmp_path, ["neurons", "spikes"])
    assert [path.name for path in paths] == ["neurons.csv", "spikes.csv", "columns.csv"]
    pd.testing.assert_frame_equal(pd.read_csv(paths[1]), formats.to_dataframe(recording, "spikes"))
    about = pd.read_csv(paths[2]).set_index(["table", "column"])
    assert tuple(about.loc[("neurons", "rate"), ["unit", "meaning"]]) == ("Hz", "mean rate")
    for path in paths[:2]:
        assert list(about.loc[path.stem].index) == list(pd.read_csv(path, nrows=1).columns)


@pytest.mark.parametrize("answered", [False, True])
def test_the_trials_as_csv_are_a_trial_table(answered, tmp_path):
    """The paradigm ``table`` reads them back: the same trials, probes included."""
    source = synthetic.experiment()
    recording = made(source)
    if answered:
        times = np.where(source.trials["event"] != "", 0.25, np.nan)
        source = replace(source, trials=source.trials.assign(response_time=times))
        recording["trial_response_time"] = ("trial", times)
    formats.save_csv(recording, tmp_path, ["trials"])
    again = Table(file=str(tmp_path / "trials.csv"), window="1100 ms").experiment(np.random.default_rng(0))
    pd.testing.assert_frame_equal(again.trials[source.trials.columns], source.trials)


# -- BIDS


def reader(path, events=("A", "B"), **options):
    """The paradigm that reads events files."""
    settings = {"cue_onset": "200 ms", "window": "1100 ms", "warm_up": 0, "probe_every": 10**6, **options}
    paradigm = CuedReaction.parse({"events_files": [str(path)], "cue": "cue", "events": list(events), **settings})
    trials = paradigm.experiment(np.random.default_rng(0)).trials
    return trials[trials["kind"] == "train"].reset_index(drop=True)


def own_trials():
    """A table without probes, with waits of many lengths, cue-only trials and response times."""
    rng = np.random.default_rng(1)
    n = 40
    length = rng.integers(1400, 3000, n) / 1e3
    event = rng.choice(["A", "B", ""], n)
    latency = np.where(event == "", np.nan, rng.integers(100, 1000, n) / 1e3)
    onset = np.concatenate([[0], np.cumsum(length)[:-1]])
    answered = np.where(event == "A", rng.integers(200, 900, n) / 1e3, np.nan)
    return pd.DataFrame(
        {"onset": onset, "duration": length, "cue": onset + 0.2, "event": event, "latency": latency,
         "response_time": answered}
    )  # fmt: skip


def test_events_are_read_back_as_the_same_trials(tmp_path):
    trials = Experiment.from_table(own_trials(), window=1.1).trials
    path, _ = save_events(trials, tmp_path / "task-own_events.tsv", 0.05)
    again = reader(path)
    columns = ["event", "latency", "response_time"]
    pd.testing.assert_frame_equal(again[columns], trials[columns])
    # from one cue to the next it is as long; only the end of the last trial is not in a file of events
    np.testing.assert_allclose(np.diff(again["cue"]), np.diff(trials["cue"]), atol=1e-9)
    np.testing.assert_allclose(again["duration"][:-1], trials["duration"][:-1], atol=1e-9)


def test_a_recording_is_read_back_without_its_probes(tmp_path):
    source = synthetic.participant(1)[0]
    answered = np.where(source["trial_event"].values == "go", 0.321, np.nan)
    recording = source.assign(trial_response_time=("trial", answered))
    paths = formats.save_bids([recording], tmp_path)
    again = reader(paths[0], ("go", "no-go"), window="4000 ms")
    trials = formats.to_dataframe(recording, "trials")
    trained = trials[trials["kind"] == "train"].reset_index(drop=True)
    assert len(trials) > len(trained) == 120
    columns = ["event", "latency", "response_time"]
    pd.testing.assert_frame_equal(again[columns], trained[columns])


def test_events_file_and_what_its_columns_mean(tmp_path):
    table, meaning = save_events(own_trials(), tmp_path / "task-own_events.tsv")
    rows = pd.read_csv(table, sep="\t", dtype=str, keep_default_na=False)
    assert list(rows.columns[:3]) == ["onset", "duration", "trial_type"]
    assert (rows.loc[rows["trial_type"] == "cue", "duration"] == "n/a").all()
    assert (rows.loc[rows["trial_type"] == "A", "duration"] == "0.0").all()
    assert (np.diff(rows["onset"].astype(float)) > 0).all()
    about = json.loads(meaning.read_text())
    assert list(about) == list(rows.columns) == list(COLUMNS)
    assert set(rows["trial_type"]) <= set(about["trial_type"]["Levels"])
    assert set(COLUMNS["trial_type"]["Levels"]) == {"cue", "probe cue", "warm-up cue"}  # as it was


def test_a_data_set_of_several_recordings(tmp_path):
    recordings = [*synthetic.levels(2)[:3], synthetic.recording(seed=1).assign_attrs(variant="sub-AB1")]
    paths = formats.save_bids(recordings, tmp_path)
    found = {str(path.relative_to(tmp_path)) for path in paths if path.suffix == ".tsv"}
    assert found == {
        "participants.tsv",
        *(f"sub-seed0/beh/sub-seed0_task-meetlevels_acq-p0{k}0_events.tsv" for k in range(3)),
        "sub-AB1/beh/sub-AB1_task-meet_acq-seed1_events.tsv",
    }
    assert list(pd.read_csv(tmp_path / "participants.tsv", sep="\t")["participant_id"]) == ["sub-seed0", "sub-AB1"]
    with pytest.raises(RecordingError, match="two recordings would be"):
        formats.save_bids([recordings[0], recordings[0]], tmp_path / "twice")


def test_the_validator_of_the_standard_finds_no_error(tmp_path):
    validator = pytest.importorskip("bids_validator_deno", reason="needs pip install bids-validator-deno")
    assert validator
    formats.save_bids([made(seed=seed) for seed in range(2)], tmp_path / "data")
    command = [sys.executable.rpartition("/")[0] + "/bids-validator-deno", "--json", tmp_path / "data"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
    issues = json.loads(said)["issues"]["issues"]
    assert [each for each in issues if each["severity"] == "error"] == []
    assert issues  # it did look: authors and the like are recommended


@pytest.mark.parametrize("name", ["cue", "probe cue"])
def test_an_event_cannot_have_the_name_of_a_cue(name):
    with pytest.raises(ParadigmError, match=f"'{name}' names a cue"):
        formats.to_events(own_trials().replace({"event": {"A": name}}))


def test_a_table_that_lacks_a_column():
    with pytest.raises(ParadigmError, match="column latency missing; it has onset, duration"):
        formats.to_events(own_trials().drop(columns="latency"))


# -- spikes and the time in which they were kept


def test_kept_intervals_are_the_probes_trials():
    recording = made()
    intervals = observed(recording)
    rows = np.flatnonzero(recording["trial_kind"].values == "probe")[recording["state_probe"].values]
    onset = recording["trial_onset"].values[rows]
    assert intervals.sum() == pytest.approx((2 * onset + 1.5).sum())
    # the trial table ends one block's last probe where no other begins, or the two are one
    assert np.isin(intervals[:, 0], onset).all()
    assert observed(everything(recording)).tolist() == [[0.0, recording.sizes["trial"] * 1.5]]


def test_probes_that_touch_are_one_interval():
    recording = made()
    first = int(np.flatnonzero(recording["trial_kind"].values == "probe")[0])
    kind = recording["trial_kind"].values.copy()
    kind[first + 1] = "probe"
    touching = recording.isel(state_probe=[0, 1]).assign_coords(state_probe=[0, 1]).isel(spike=[])
    touching["trial_kind"] = ("trial", kind)
    touching["trial_of_probe"][1] = first + 1
    assert observed(touching).tolist() == [[first * 1.5, (first + 2) * 1.5]]


def test_spikes_outside_what_was_kept_are_a_contradiction():
    recording = everything(made()).assign_attrs(configuration="{}")
    with pytest.raises(RecordingError, match="spikes outside the probes' trials"):
        observed(recording)


@pytest.mark.parametrize("whole", [False, True])
def test_neo(whole):
    pytest.importorskip("neo")
    recording = everything(made()) if whole else made()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        block = formats.to_neo(recording)
    assert len(block.segments) == (1 if whole else len(observed(recording)))
    for group, train in zip(block.groups, by_cell(recording), strict=True):
        mine = np.concatenate([each.rescale("s").magnitude for each in group.spiketrains])
        np.testing.assert_array_equal(mine, train)
    watched = sum(float(segment.spiketrains[0].duration) for segment in block.segments)
    assert watched == pytest.approx(np.diff(observed(recording)).sum())
    assert block.segments[0].spiketrains[3].annotations == {"neuron": 3, "cell_type": "RS", "excitatory": True}
    probes = [signal for segment in block.segments for signal in segment.analogsignals]
    assert len(probes) == (recording.sizes["probe"] if whole else recording.sizes["state_probe"])
    for signal in probes:
        expected = recording["prediction"].values[signal.annotations["probe"]].T
        np.testing.assert_array_equal(signal.magnitude, expected)
    if whole:
        (segment,) = block.segments
        trials, cues, events = segment.epochs[0], *segment.events
        assert len(trials) == len(cues) == recording.sizes["trial"]
        happens = recording["trial_event"].values != ""
        assert list(events.labels) == list(recording["trial_event"].values[happens])
        times = (recording["trial_cue"] + recording["trial_latency"]).values[happens]
        np.testing.assert_array_equal(events.magnitude, times)


@pytest.mark.parametrize("whole", [False, True])
def test_pynapple(whole):
    pytest.importorskip("pynapple")
    recording = everything(made()) if whole else made()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        found = formats.to_pynapple(recording)
    units, trains = found["units"], by_cell(recording)
    for i, train in enumerate(trains):
        np.testing.assert_allclose(units[i].t, train, atol=1e-9)
    # rates are those of the time in which spikes were kept, not from the first spike to the last
    counts, time = np.array([len(train) for train in trains]), np.diff(observed(recording)).sum()
    np.testing.assert_allclose(np.asarray(units.rates), counts / time)
    assert list(units["cell_type"]) == list(recording["cell_type"].values)
    assert len(found["trials"]) == recording.sizes["trial"]
    assert list(found["trials"]["block"]) == list(recording["trial_block"].values)
    cue = recording["trial_cue"].values[recording["trial_kind"].values == "probe"][7]
    one = found["prediction"].get(cue - 1e-6, cue + 1.1)
    np.testing.assert_array_equal(one.values, recording["prediction"].values[7].T)
    assert list(one.columns) == ["A", "B"]


def test_pynapple_without_spikes():
    pytest.importorskip("pynapple")
    found = formats.to_pynapple(made().drop_vars(["spike_time", "spike_neuron"]))
    assert "units" not in found
    assert len(found["cues"]) == len(found["trials"])


def test_neo_without_spikes():
    pytest.importorskip("neo")
    with pytest.raises(RecordingError, match=r"holds no spikes; run with --set keep\.spikes=all"):
        formats.to_neo(made().drop_vars(["spike_time", "spike_neuron"]))


# -- NWB


@pytest.mark.parametrize("whole", [False, True])
def test_nwb(tmp_path, whole):
    pynwb = pytest.importorskip("pynwb")
    recording = everything(made()) if whole else made()
    left_out = formats.save_nwb(recording, tmp_path / "a.nwb")
    assert len(left_out) == 1
    assert "weights" in left_out[0]
    assert [path.name for path in tmp_path.iterdir()] == ["a.nwb"]
    with pynwb.NWBHDF5IO(tmp_path / "a.nwb", "r") as io:
        file = io.read()
        for i, train in enumerate(by_cell(recording)):
            np.testing.assert_array_equal(file.units["spike_times"][i], train)
            np.testing.assert_array_equal(file.units["obs_intervals"][i], observed(recording))
        assert file.units.resolution == 0.0005
        assert list(file.units["cell_type"][:]) == list(recording["cell_type"].values)
        np.testing.assert_array_equal(file.units["rate"][:], recording["rate"])
        trials = file.trials.to_dataframe()
        for mine, theirs in {"start_time": "onset", "cue_time": "cue", "event": "event", "block": "block"}.items():
            assert list(trials[mine]) == list(recording[f"trial_{theirs}"].values)
        np.testing.assert_array_equal(np.stack(trials["what"]), recording["trial_what"])
        module = file.processing["prediction"]
        for name in ("prediction", "expectation", "when"):
            values = module[name].data[:].reshape(recording.sizes["probe"], recording.sizes["time"], -1)
            np.testing.assert_array_equal(values, recording[name].transpose("probe", "time", "event"))
            assert module[name].timestamps[-1] == pytest.approx(module["probes"]["start_time"][-1] + 1.099)
        assert list(module["outcomes"]["probability"][:]) == list(recording["outcome_probability"].values)
        assert file.session_start_time.isoformat() == "2026-01-02T03:04:05+00:00"
    assert pynwb.validate(path=tmp_path / "a.nwb") == []


def test_nwbinspector_finds_nothing_critical(tmp_path):
    inspector = pytest.importorskip("nwbinspector")
    formats.save_nwb(made(), tmp_path / "a.nwb")
    found = list(inspector.inspect_nwbfile(nwbfile_path=tmp_path / "a.nwb"))
    # a network is of no species, and has no experimenter or institution
    worse = [each for each in found if each.importance.name != "BEST_PRACTICE_SUGGESTION"]
    assert [each.check_function_name for each in worse] == ["check_subject_species_exists"]
    assert worse[0].importance.name == "BEST_PRACTICE_VIOLATION"


def test_nwb_of_a_recording_that_lacks_some(tmp_path):
    pynwb = pytest.importorskip("pynwb")
    recording = made().drop_vars(["spike_time", "spike_neuron", "trial_what", "expectation", "outcome_probability"])
    left_out = formats.save_nwb(recording, tmp_path / "a.nwb")
    assert "units: the recording holds no spikes" in left_out
    assert {line.partition(":")[0] for line in left_out[2:]} == {"trial_what", "expectation", "outcome_probability"}
    with pynwb.NWBHDF5IO(tmp_path / "a.nwb", "r") as io:
        file = io.read()
        assert file.units is None
        assert len(file.trials) == recording.sizes["trial"]
        assert set(file.processing["prediction"].data_interfaces) == {"prediction", "when", "probes"}


def test_nwb_needs_the_trials_and_the_date(tmp_path):
    pytest.importorskip("pynwb")
    with pytest.raises(RecordingError, match="lacks trial_cue"):
        formats.save_nwb(made().drop_vars("trial_cue"), tmp_path / "a.nwb")
    undated = made()
    del undated.attrs["created"]
    with pytest.raises(RecordingError, match="does not say when it was made"):
        formats.save_nwb(undated, tmp_path / "a.nwb")
    assert not list(tmp_path.iterdir())


# -- as a user calls them


def test_every_recording_has_them(tmp_path):
    recording = izhires.load(save(made(), tmp_path / "a.nc"))
    pd.testing.assert_frame_equal(recording.izhires.to_dataframe("spikes"), formats.to_dataframe(made(), "spikes"))
    assert len(recording.izhires.to_dataframe()) == recording.sizes["trial"]
    if not pytest.importorskip("neo"):
        return
    assert len(recording.izhires.to_neo().segments) == len(observed(recording))
    assert len(spike_trains(recording)) == recording.sizes["neuron"]


@pytest.mark.parametrize(
    ("name", "extra", "call"),
    [
        ("neo", "neo", lambda recording, _: formats.to_neo(recording)),
        ("pynapple", "pynapple", lambda recording, _: formats.to_pynapple(recording)),
        ("pynwb", "nwb", formats.save_nwb),
    ],
)
def test_a_library_that_is_missing(tmp_path, monkeypatch, name, extra, call):
    monkeypatch.setitem(sys.modules, name, None)  # what a failed import leaves
    with pytest.raises(ToolchainError, match=rf"^needs the package {name}: pip install 'izhires\[{extra}\]'"):
        call(made(), tmp_path / "a.nwb")


@pytest.fixture
def folder(tmp_path):
    for seed in range(2):
        save(made(seed=seed, neurons=20), tmp_path / "results" / f"meet_seed{seed}.nc")
    return tmp_path / "results"


def test_convert(folder, command_line):
    code, said = command_line("convert", folder, "--to", "csv", "--table", "trials", "--table", "neurons")
    assert (code, said.err) == (0, "")
    assert len(pd.read_csv(folder / "csv" / "meet_seed1" / "neurons.csv")) == 20
    assert not (folder / "csv" / "meet_seed1" / "weights.csv").exists()
    code, said = command_line("convert", folder, "--to", "bids", "--out", folder / "b")
    assert (code, said.out.splitlines()[-1]) == (0, f"7 files in {folder / 'b'}")


def test_convert_to_nwb(folder, command_line):
    pytest.importorskip("pynwb")
    code, said = command_line("convert", folder / "meet_seed1.nc", "--to", "nwb")
    assert code == 0, said.err
    assert said.out.splitlines()[0].startswith("not written: weights")
    assert [path.name for path in (folder / "nwb").iterdir()] == ["meet_seed1.nwb"]


def test_convert_a_trial_table(tmp_path, command_line):
    own_trials().to_csv(tmp_path / "own.csv", index=False)
    code, said = command_line("convert", tmp_path / "own.csv", "--to", "bids")
    assert code == 0, said.err
    assert reader(tmp_path / "bids" / "own_events.tsv")["event"].tolist() == own_trials()["event"].tolist()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["{}", "--to", "nbw"], 2, "--to: 'nbw' is not a format, did you mean 'nwb'? (valid: nwb, bids, csv)"),
        (["{}", "--to", "bids", "--table", "trials"], 2, "--table: goes with --to csv only"),
        (["{}", "--to", "csv", "--table", "trails"], 2, "'trails' is not a table of this recording"),
        (["{}/empty", "--to", "bids"], 5, "holds no recording"),
        (["{}/none.nc", "--to", "bids"], 5, "there is no such file"),
        (["{}/none.csv", "--to", "bids"], 2, "there is no such file"),
    ],
)
def test_convert_complains_in_one_line(folder, command_line, arguments, code, words):
    (folder / "empty").mkdir()
    ended, said = command_line("convert", *[each.format(folder) for each in arguments])
    assert ended == code
    assert words in said.err
    assert len(said.err.splitlines()) == 1


def test_convert_without_the_library(folder, command_line, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynwb", None)
    code, said = command_line("convert", folder, "--to", "nwb")
    assert (code, said.err) == (3, "izhires: needs the package pynwb: pip install 'izhires[nwb]'\n")
    assert not (folder / "nwb").exists()


def test_convert_needs_no_simulator(folder):
    code = (
        "import sys; sys.argv = ['izhires', 'convert', sys.argv[1], '--to', 'csv', '--table', 'trials']\n"
        "from izhires.cli import main\n"
        "try: main()\n"
        "except SystemExit as ended: print(ended.code, 'brian2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "0 False", done.stderr
