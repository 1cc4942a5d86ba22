"""What becomes of a recording in every command: odd names of events, no probes, a part of the cells and trials."""

import csv
import html
import importlib.util
import json
import re
import runpy
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import small
import synthetic
from hypothesis import example, settings
from hypothesis import given as drawn
from hypothesis import strategies as st
from matplotlib.text import Text

import izhires
from izhires import formats
from izhires.analysis import analyse
from izhires.analysis.figures.base import Prepared, prepare_all
from izhires.analysis.kept import read_table
from izhires.errors import ConfigurationError, ParadigmError, RecordingError
from izhires.model.configuration import Configuration
from izhires.predictions.base import Prediction
from izhires.recordings.recording import load, save
from izhires.running.run import simulate
from izhires.sweeps.design import Spec
from izhires.sweeps.driver import sweep

NAMES = ("$a_b$", r"50 %\frac{x", "_low", "NA", "a,b;\"c'", "<b>&amp;")


def odd(seed=0):
    """A synthetic recording whose events have the names of `NAMES`."""
    latency = {name: 0.2 + 0.12 * k for k, name in enumerate(NAMES)}
    later = {name: 0.3 + 0.1 * k for k, name in enumerate(NAMES)}
    chance = dict.fromkeys(NAMES, 1 / len(NAMES))
    blocks = [synthetic.Block(latency, chance, 60), synthetic.Block(later, chance, 60)]
    recording = synthetic.recording(synthetic.experiment(blocks, seed=seed), seed=seed, neurons=10)
    return recording.assign_attrs(
        configuration=json.dumps(Configuration().to_dict()), created="2026-01-02T03:04:05+00:00",
        variant="$x_y$ 50%", device="cpp", versions="{}",
    )  # fmt: skip


@pytest.fixture(scope="module")
def odd_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd") / "a $b_c$ %d"
    for seed in range(2):
        save(odd(seed), folder / f"meet_seed{seed}.nc")
    return folder


def test_odd_names_in_metrics(odd_folder, command_line):
    code, said = command_line("analyse", odd_folder, "--processes", "1")
    assert code == 0, said.err
    table = read_table(odd_folder / "metrics.csv")
    events = {each for each in table["event"] if each not in ("", "all events")}
    assert events == set(NAMES)
    assert set(table["variant"]) - {""} == {"$x_y$ 50%"}  # empty: of the whole study
    errors = table[(table["metric"] == "error.last") & (table["event"] == "NA")]
    assert errors["value"].notna().all()


def test_odd_names_in_figures(odd_folder):
    """Every name stands in the figure as it is written, and legends leave none out."""
    seen = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = prepare_all(
            [(izhires.load_folder(odd_folder), None)], ["task", "predictions", "timing", "recalibration"]
        )
        for each in made:
            assert isinstance(each, Prepared), each
            drawn = each.draw()
            texts = drawn.findobj(Text)
            assert not any(text.get_parse_math() for text in texts if text.get_text())
            seen[each.declared.name] = "\n".join(text.get_text() for text in texts)
    for name in NAMES:
        for figure, text in seen.items():
            assert name in text, (figure, name)
    legend = seen["task"].split("training trial")[1] + seen["task"]
    assert " _low" in legend


def test_odd_names_in_a_report(odd_folder, command_line):
    code, said = command_line("report", odd_folder)
    assert code == 0, said.err
    page = (odd_folder / "report.html").read_text(encoding="utf-8")
    for name in NAMES:
        assert html.escape(name, quote=True).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in page, name
    assert "<b>&amp;" not in page  # never as markup
    data = re.search(r'id="film-data">(.*?)</script>', page, re.DOTALL)
    assert json.loads(data[1])[0]["events"] == list(NAMES)


def test_odd_names_in_other_formats(odd_folder, command_line, tmp_path):
    wanted = load(odd_folder / "meet_seed0.nc")["trial_event"].values.tolist()
    for target in ("csv", "bids", "nwb"):
        if target == "nwb" and importlib.util.find_spec("pynwb") is None:
            continue
        extra = ("--table", "trials") if target == "csv" else ()
        code, said = command_line("convert", odd_folder, "--to", target, "--out", tmp_path / target, *extra)
        assert code == 0, said.err
    with (tmp_path / "csv" / "meet_seed0" / "trials.csv").open(newline="", encoding="utf-8") as lines:
        assert [row["event"] for row in csv.DictReader(lines)] == wanted
    (events,) = [path for path in (tmp_path / "bids").rglob("*seed0*_events.tsv")]
    assert re.fullmatch(r"[A-Za-z0-9_-]+\.tsv", events.name)
    with events.open(newline="", encoding="utf-8") as lines:
        kinds = [row["trial_type"] for row in csv.DictReader(lines, delimiter="\t")]
    assert [each for each in kinds if not each.endswith("cue")] == [each for each in wanted if each]
    if importlib.util.find_spec("pynwb"):
        import pynwb

        with pynwb.NWBHDF5IO(tmp_path / "nwb" / "meet_seed0.nwb", "r") as io:
            assert list(io.read().trials["event"][:]) == wanted


NAME = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=12
)


@settings(max_examples=25, deadline=None)
@example(["n/a", "b"])
@example(["a b", 'a"b'])
@drawn(st.lists(NAME, min_size=2, max_size=3, unique=True))
def test_any_name_comes_back_from_every_file(tmp_path_factory, names):
    """Or is refused in one line, where the standard of the file has no place for it."""
    folder = tmp_path_factory.mktemp("names")
    chance = dict.fromkeys(names, 1 / len(names))
    latency = {name: 0.2 + 0.2 * k for k, name in enumerate(names)}
    made = synthetic.experiment([synthetic.Block(latency, chance, 6)], schedule=(6,))
    recording = synthetic.recording(made, neurons=5, states=False)
    wanted = recording["trial_event"].values.tolist()
    found = load(save(recording, folder / "a.nc"))
    assert found["trial_event"].values.tolist() == wanted
    assert found["event"].values.tolist() == recording["event"].values.tolist()
    formats.save_csv(found, folder, ["trials"])
    with (folder / "trials.csv").open(newline="", encoding="utf-8") as lines:
        assert [row["event"] for row in csv.DictReader(lines)] == wanted
    try:
        formats.save_bids([found], folder / "bids")
    except ParadigmError as error:
        assert len(str(error).splitlines()) == 1
        assert set(names) & {"n/a", "cue"} or any(set(name) & set("\n\r") for name in names)
        return
    (path,) = (folder / "bids").rglob("*_events.tsv")
    with path.open(newline="", encoding="utf-8") as lines:
        kinds = [row["trial_type"] for row in csv.DictReader(lines, delimiter="\t")]
    assert [each for each in kinds if each not in ("cue", "probe cue")] == [each for each in wanted if each]


# -- no probes


@pytest.fixture(scope="module")
def bare_folder(tmp_path_factory):
    """Two runs without a probe, and so without predictions or states."""
    folder = tmp_path_factory.mktemp("bare")
    made = small.configuration(paradigm__probes=[], paradigm__probe_before_learning=False, keep__spikes="probes")
    for seed in range(2):
        recording = simulate(made, seed=seed)
        assert recording.sizes["probe"] == 0
        assert "state_trace" not in recording
        save(recording, folder / f"meet_seed{seed}.nc")
    return folder


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["analyse", "{}", "--processes", "1"], "the recording holds none"),
        (["figures", "{}", "--processes", "1"], "needs probes, and the recording holds none"),
        (["report", "{}"], "report.html"),
        (
            ["convert", "{}", "--to", "nwb", "--out", "{}/nwb"],
            "predictions: the recording holds no probes",
        ),
        (["convert", "{}", "--to", "bids", "--out", "{}/bids"], "files in"),
        (["convert", "{}", "--to", "csv", "--out", "{}/csv"], "files in"),
        (["compare", "{}/meet_seed0.nc", "{}/meet_seed1.nc"], "identical"),
        (["cite", "{}"], "@software{izhires"),
    ],
)
def test_a_recording_without_probes(bare_folder, command_line, arguments, words):
    if "nwb" in arguments:
        pytest.importorskip("pynwb")
    code, said = command_line(*[each.format(bare_folder) for each in arguments])
    assert (code, said.err) == (0, "")
    assert words in said.out


def test_neo_and_pynapple_without_probes(bare_folder):
    recording = load(bare_folder / "meet_seed0.nc")
    if importlib.util.find_spec("neo"):
        assert len(recording.izhires.to_neo().segments) == 0
    if importlib.util.find_spec("pynapple"):
        found = recording.izhires.to_pynapple()
        assert "prediction" not in found
        assert len(found["trials"]) == recording.sizes["trial"]


# -- a part of a recording


@pytest.fixture(scope="module")
def whole():
    made = small.configuration(reservoir__bias_inhibitory=["3 mV/ms", "5 mV/ms"])
    return simulate(made, seed=5)


CHOSEN = [97, 3, 85, 84]


@pytest.fixture(scope="module")
def part(whole):
    """Some cells in another order, the trials after the first probe, and all probes."""
    first = int(whole["trial_of_probe"].values[0])
    return whole.isel(neuron=CHOSEN, trial=slice(first + 1, None))


def of_cell(whole, cell):
    return np.sort(whole["spike_time"].values[whole["spike_neuron"].values == cell])


def test_there_is_something_to_mistake(whole, part):
    counts = [len(of_cell(whole, cell)) for cell in CHOSEN]
    assert len(set(counts)) > 2
    assert max(counts) > 20
    assert part.sizes["probe"] == whole.sizes["probe"]


def test_a_part_in_neo(whole, part):
    pytest.importorskip("neo")
    (segment,) = part.izhires.to_neo().segments
    assert [train.annotations["neuron"] for train in segment.spiketrains] == CHOSEN
    for cell, train in zip(CHOSEN, segment.spiketrains, strict=True):
        np.testing.assert_array_equal(train.magnitude, of_cell(whole, cell))
    assert [each.annotations["probe"] for each in segment.analogsignals] == list(range(1, whole.sizes["probe"]))
    for signal in segment.analogsignals:
        probe = signal.annotations["probe"]
        cue = whole["trial_cue"].values[whole["trial_of_probe"].values[probe]]
        assert float(signal.t_start) == cue
        np.testing.assert_array_equal(signal.magnitude, whole["prediction"].values[probe].T)


def test_a_part_in_pynapple(whole, part):
    pytest.importorskip("pynapple")
    found = part.izhires.to_pynapple()
    assert list(found["units"]["neuron"]) == CHOSEN
    for place, cell in enumerate(CHOSEN):
        np.testing.assert_allclose(found["units"][place].t, of_cell(whole, cell), atol=1e-9)
    cues = whole["trial_cue"].values[whole["trial_of_probe"].values]
    assert found["prediction"].t[0] == pytest.approx(cues[1])
    one = found["prediction"].get(cues[2] - 1e-6, cues[2] + 0.2195)
    np.testing.assert_array_equal(one.values, whole["prediction"].values[2].T)


def test_a_part_in_nwb(whole, part, tmp_path):
    pynwb = pytest.importorskip("pynwb")
    left_out = formats.save_nwb(part, str(tmp_path / "a.nwb"))
    assert "1 probes whose trial the recording does not hold" in left_out
    with pynwb.NWBHDF5IO(tmp_path / "a.nwb", "r") as io:
        file = io.read()
        assert list(file.units.id[:]) == CHOSEN
        for place, cell in enumerate(CHOSEN):
            np.testing.assert_array_equal(file.units["spike_times"][place], of_cell(whole, cell))
        np.testing.assert_array_equal(file.units["rate"][:], whole["rate"].values[CHOSEN])
        assert list(file.trials.id[:]) == part["trial"].values.tolist()
        module = file.processing["prediction"]
        assert list(module["probes"].id[:]) == list(range(1, whole.sizes["probe"]))
        trials = whole["trial_of_probe"].values[1:]
        np.testing.assert_array_equal(module["probes"]["trial_of_probe"][:], trials)
        np.testing.assert_array_equal(module["probes"]["start_time"][:], whole["trial_cue"].values[trials])
        wanted = whole["prediction"].transpose("probe", "time", "event").values[1:]
        np.testing.assert_array_equal(module["prediction"].data[:], wanted.reshape(-1, 2))


def test_a_part_in_tables(whole, part, tmp_path):
    rows = formats.to_dataframe(part, "neurons")
    assert rows["neuron"].tolist() == CHOSEN
    np.testing.assert_array_equal(rows["rate"], whole["rate"].values[CHOSEN])
    trials = formats.to_dataframe(part, "trials")
    assert trials["trial"].tolist() == part["trial"].values.tolist()
    weights = formats.to_dataframe(part.isel(probe=[3, 1]), "weights").set_index(["probe", "event", "neuron"])
    for probe, event, cell in ((3, "A", 97), (1, "B", 3)):
        wanted = whole["what_weights"].sel(probe=probe, event=event, neuron=cell)
        assert weights.loc[(probe, event, cell), "what_weights"] == float(wanted)
    formats.save_bids([part], tmp_path)
    (path,) = tmp_path.rglob("*_events.tsv")
    found = pd.read_csv(path, sep="\t")
    assert found["trial"].unique().tolist() == part["trial"].values.tolist()
    cues = found[found["trial_type"].str.endswith("cue")].set_index("trial")["onset"]
    np.testing.assert_allclose(cues, whole["trial_cue"].values[cues.index], atol=1e-6)


def test_a_part_that_does_not_say_what_it_is_is_refused(whole):
    pytest.importorskip("neo")
    unlabelled = whole.drop_vars(["neuron"]).isel(neuron=CHOSEN)
    with pytest.raises(RecordingError, match="does not say which its own are"):
        formats.to_neo(unlabelled)
    without = whole.drop_vars(["trial_of_probe"]).isel(probe=[1, 2])
    with pytest.raises(RecordingError, match="does not say which trial each of its probes is"):
        formats.to_neo(without)
    with pytest.raises(RecordingError, match=r"no dimension neuron; of one neuron, take a list: isel\(neuron=\[0\]\)"):
        formats.to_neo(whole.isel(neuron=3))
    with pytest.raises(RecordingError, match="holds spikes outside the probes' trials"):
        some = whole.assign_attrs(configuration=json.dumps({"keep": {"spikes": "probes"}}))
        formats.to_neo(some.isel(probe=[0]))


def test_metrics_of_some_cells_are_those_of_the_same_cells(whole):
    """In another order, cells have the same firing; of a part, theirs alone."""
    order = np.random.default_rng(0).permutation(whole.sizes["neuron"])
    names = ["mean_rate", "interval_variation", "decoded_time", "selectivity"]
    one, other = (analyse([each], names) for each in (whole, whole.isel(neuron=order)))
    np.testing.assert_allclose(one["value"], other["value"], rtol=1e-6)
    some = analyse([whole.isel(neuron=CHOSEN)], ["selectivity"])
    assert some["value"].notna().any()


def test_the_script_of_the_case(whole, tmp_path, monkeypatch, capsys):
    script = Path(__file__).parents[2] / "shared" / "cases" / "part_of_a_recording.py"
    if not script.is_file():
        pytest.skip(f"needs {script}")
    pytest.importorskip("neo")
    pytest.importorskip("pynapple")
    monkeypatch.setattr(sys, "argv", ["it", str(save(whole, tmp_path / "a.nc"))])
    runpy.run_path(str(script))
    counts = [len(of_cell(whole, cell)) for cell in np.flatnonzero(whole["excitatory"].values == 0)[:5]]
    said = capsys.readouterr().out.splitlines()
    assert said[1].split(None, 1)[1] == str(counts)
    assert said[2].split(None, 1)[1] == str(counts)
    all_of_them, late = (eval(line[line.index("[") :]) for line in said[3:])
    assert late == all_of_them[1:]


# -- what a prediction is made of


@pytest.mark.parametrize("name", ["factorised", "merged", "joint"])
def test_a_prediction_says_what_it_computes(name):
    prediction = Prediction.alternatives()[name]
    rng = np.random.default_rng(1)
    what, when = rng.normal(0.5, 1, (3, 2)), rng.normal(0, 1, (3, 2, 5))
    words = {"what": what[..., None], "when": when, "clip": np.clip, "max": np.maximum}
    found = prediction().predict({"what": what, "when": when})
    np.testing.assert_array_equal(found, eval(prediction.formula, words))
    assert prediction.source


def test_nwb_has_the_formula_of_the_readout(whole, tmp_path):
    pynwb = pytest.importorskip("pynwb")
    held = json.loads(whole.attrs["configuration"])
    # the second as version 0.1 called it
    for name, key in (("factorised", "prediction"), ("merged", "readout")):
        made = {each: value for each, value in held.items() if each != "prediction"} | {key: {"type": name}}
        formats.save_nwb(whole.assign_attrs(configuration=json.dumps(made)), tmp_path / f"{name}.nwb")
        with pynwb.NWBHDF5IO(tmp_path / f"{name}.nwb", "r") as io:
            said = io.read().processing["prediction"]["prediction"].description
        assert f"readout {name}: {Prediction.alternatives()[name].formula}. Columns: A, B." in said


# -- sweeps


def test_a_sweep_checks_its_metrics_first(tmp_path, monkeypatch):
    monkeypatch.setattr("izhires.sweeps.design.Spec.configuration", lambda spec: pytest.fail("it began"))
    with pytest.raises(ConfigurationError, match=r"metrics: 'eror' is not a metric, did you mean 'error'\?"):
        sweep(Spec(paradigm="meet", metrics=["eror"]), str(tmp_path / "sweep"))
    assert not (tmp_path / "sweep").exists()


@pytest.mark.parametrize("given", [None, 3, ""])
def test_paths_of_other_entries(whole, given):
    bids, nwb, tables = (
        lambda: formats.save_bids([whole], given), lambda: formats.save_nwb(whole, given),
        lambda: formats.save_csv(whole, given, ["trials"]),
    )  # fmt: skip
    entries = [bids, tables, lambda: izhires.run_batch(Configuration(), [0], given), lambda: sweep(Spec(), given)]
    if importlib.util.find_spec("pynwb"):
        entries.append(nwb)
    for entry in entries:
        with pytest.raises(ConfigurationError) as error:
            entry()
        wrong = f"must be a path (str or pathlib.Path), got {given!r}"
        assert str(error.value).endswith(("is no name of a file or folder: ''", wrong))


@pytest.mark.parametrize("given", [None, 3, "text"])
def test_what_is_no_recording_is_refused(given, tmp_path):
    calls = [lambda: formats.to_dataframe(given), lambda: formats.save_bids([given], tmp_path),
             lambda: formats.save_csv(given, tmp_path), lambda: analyse(given), lambda: analyse([given])]  # fmt: skip
    calls += [lambda: formats.to_neo(given)] if importlib.util.find_spec("neo") else []
    for call in calls:
        with pytest.raises(RecordingError) as error:
            call()
        assert len(str(error.value).splitlines()) == 1
