"""Tasks with several cues, from the table of trials to the figures: closed forms, enumeration, tables made by hand."""

import functools
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import small
from hypothesis import given, settings
from hypothesis import strategies as st

from izhires import formats
from izhires.analysis import selection
from izhires.analysis.figures.base import _file_names, all_figures, prepare_all
from izhires.analysis.metrics.prediction import rmse
from izhires.analysis.report.page import make_report
from izhires.building.replicates import combine, split
from izhires.circuits.sequence import Sequence
from izhires.devices import get
from izhires.errors import ConfigurationError, ParadigmError
from izhires.model.configuration import Configuration, read
from izhires.model.seeds import Seeds
from izhires.paradigms import CuedReaction, Experiment, Meet, Table
from izhires.paradigms.experiment import expectation, frequencies
from izhires.recordings.citations import cite
from izhires.recordings.recording import load, save
from izhires.rules.surprise_two_factor import SurpriseTwoFactor
from izhires.running.run import draw, simulate

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"

CUES = {
    "tone": {"latency": {"A": "60 ms", "B": "110 ms"}, "probability": {"A": 0.75, "B": 0.25}},
    "light": {
        "outcomes": [
            {"event": "A", "latency": "40 ms", "probability": 0.25},
            {"event": "A", "latency": "90 ms", "probability": 0.25},
        ],
        "omission": 0.5,
    },
}
BLOCKS = [{"trials": 4, "cues": CUES}, {"trials": 2, "cues": {"tone": CUES["tone"]}}]


def two_cues(**changes):
    return small.configuration(paradigm__blocks=BLOCKS, paradigm__probes=[2], **changes)


@functools.cache
def recorded(seed=0):
    return simulate(two_cues(), seed)


# -- experiments, whatever they are


@st.composite
def tables(draw_from):
    """Trials with cues, omissions and several latencies, and pulses or none."""
    cues = draw_from(st.lists(st.text("xyz é-", min_size=1, max_size=4), min_size=1, max_size=3, unique=True))
    many = draw_from(st.integers(len(cues), 12))
    one = st.tuples(
        st.sampled_from(cues), st.sampled_from(["", "A", "B"]), st.integers(0, 199), st.sampled_from(["train", "probe"])
    )
    rows = draw_from(st.lists(one, min_size=many, max_size=many))
    trials = pd.DataFrame(rows, columns=["cue_name", "event", "latency", "kind"])
    trials.loc[0, ["event", "kind"]] = "A", "train"
    trials.loc[trials["kind"] == "probe", "event"] = ""
    trials["latency"] = (trials["latency"] / 1e3).where(trials["event"] != "")
    trials["duration"] = [draw_from(st.integers(260, 400)) / 1e3 for _ in rows]
    trials["onset"] = np.round(np.r_[0, np.cumsum(trials["duration"])[:-1]], 3)
    trials["cue"] = np.round(trials["onset"] + 0.05, 3)
    end = round(1000 * trials["duration"].sum())
    pulse = st.tuples(st.integers(0, end - 60), st.sampled_from([*cues, "noise"]), st.integers(1, 60),
                      st.sampled_from([0.0, 0.5, 1.0]))  # fmt: skip
    heard = draw_from(st.none() | st.lists(pulse, min_size=1, max_size=6))
    if heard is not None:
        heard = pd.DataFrame(heard, columns=["onset", "channel", "duration", "strength"])
        heard[["onset", "duration"]] /= 1e3
    return trials, heard


quick = settings(max_examples=50, deadline=None)


@quick
@given(tables())
def test_what_is_heard_is_the_sum_of_the_pulses(given_):
    trials, heard = given_
    made = Experiment.from_table(trials, ["A", "B"], window=0.2, inputs=heard)
    signals = made.signals()
    found = {name: signals[f"input_{k}"] for k, name in enumerate(made.channels)}
    if heard is None:
        assert made.channels == made.cues == tuple(trials["cue_name"].unique())
        assert np.array_equal(sum(found.values()), signals["cue"])
        heard = trials.assign(onset=trials["cue"], channel=trials["cue_name"], duration=0.05, strength=1.0)
    slow = {name: np.zeros(len(signals["cue"])) for name in made.channels}
    for row in heard.itertuples():
        first = round(row.onset * 1000)
        slow[row.channel][first : first + round(row.duration * 1000)] += row.strength
    for name in made.channels:
        np.testing.assert_array_equal(found[name], slow[name])
    assert made == Experiment.from_table(made.trials, made.events, made.outcomes, window=0.2, cues=made.cues,
                                         inputs=made.inputs)  # fmt: skip


@quick
@given(tables())
def test_frequencies_and_expectations_are_those_given_the_cue(given_):
    trials = given_[0].assign(block=0)
    found = frequencies(trials, ["A", "B"])
    training = trials[trials["kind"] == "train"]
    for row in found.itertuples():
        own = training[training["cue_name"] == row.cue_name]
        hits = (own["event"] == row.event) & (own["latency"] == row.latency)
        assert row.probability == pytest.approx(hits.sum() / len(own))
    times = np.arange(0, 0.2, 0.01)
    for cue in training["cue_name"].unique():
        own = training[training["cue_name"] == cue]
        slow = np.zeros((2, len(times)))
        for row in own[own["event"] != ""].itertuples():
            slow["AB".index(row.event)] += np.exp(-((times - row.latency) ** 2) / (2 * 0.04**2)) / len(own)
        np.testing.assert_allclose(expectation(found, ["A", "B"], 0, times, 0.04, cue), slow, atol=1e-12)


@st.composite
def statistics(draw_from):
    """What follows a cue: outcomes at several latencies, and an omission, in hundredths that sum to 1."""
    cuts = sorted(draw_from(st.lists(st.integers(0, 100), min_size=3, max_size=3)))
    parts = np.diff([0, *cuts, 100]) / 100
    late = draw_from(st.lists(st.integers(0, 1099), min_size=3, max_size=3))
    outcomes = [
        {"event": event, "latency": f"{when} ms", "probability": float(chance)}
        for event, when, chance in zip("AAB", late, parts, strict=False)
    ]
    return {"outcomes": outcomes, "omission": float(1 - sum(each["probability"] for each in outcomes))}


@quick
@given(st.dictionaries(st.sampled_from("xyz"), statistics(), min_size=1), st.integers(1, 30), st.integers(0, 2**31))
def test_meet_keeps_the_statistics_of_each_cue(cues, trials, seed):
    made = Meet(blocks=[{"trials": trials, "cues": cues}], probes=[1]).experiment(np.random.default_rng(seed))
    assert made.cues == tuple(cues)
    probes = made.trials[made.trials["kind"] == "probe"]
    assert probes["cue_name"].tolist() == [*cues, *cues]  # before learning, and after the first trial
    for name, own in made.outcomes.groupby("cue_name"):
        assert own["probability"].sum() + cues[name]["omission"] == pytest.approx(1)
    possible = {(name, each["event"], int(each["latency"].split()[0])) for name, one in cues.items()
                for each in one["outcomes"] if each["probability"]}  # fmt: skip
    training = made.trials[made.trials["kind"] == "train"]
    assert len(training) == trials
    for row in training[training["event"] != ""].itertuples():
        assert (row.cue_name, row.event, round(row.latency * 1e3)) in possible
    for name in training.loc[training["event"] == "", "cue_name"]:
        assert cues[name]["omission"] > 0


GOOD = pd.DataFrame(
    {"onset": [0.0, 0.3], "duration": 0.3, "cue": [0.05, 0.35], "event": ["A", ""], "latency": [0.1, np.nan],
     "cue_name": ["x", "y"]}
)  # fmt: skip
PULSE = {"onset": [0.05], "channel": ["x"], "duration": [0.05]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cues": ["x"]}, "trials[1].cue_name: 'y' is not a cue (valid: x)"),
        ({"cues": []}, "cues: has no cues"),
        ({"cues": ["x", "y", "x"]}, "cues: 'x' is there twice"),
        ({"cues": ["x", "y", "a\nb"]}, "cues: 'a\\nb' holds a line break or another control character"),
        ({"cues": "xy"}, "cues: must be a list of names, got 'xy'"),
        ({"trials": GOOD.drop(columns="cue_name"), "cues": ["x", "y"]}, "trials: needs the column cue_name"),
        (
            {"outcomes": {"block": [0], "event": ["A"], "latency": [0.1], "probability": [1.0]}},
            "outcomes: needs the column cue_name, as the trials have it",
        ),
        (
            {"outcomes": {"block": [0], "event": ["A"], "latency": [0.1], "probability": [1.0], "cue_name": ["y"]}},
            "outcomes: block 0, 'x', has trials with events, and no outcome",
        ),
        (
            {"outcomes": {"block": [0, 0], "event": ["A", "A"], "latency": [0.1, 0.12], "probability": [0.6, 0.6],
                          "cue_name": ["x", "x"]}},
            "outcomes: the probabilities of block 0, 'x' sum to 1.2, above 1",
        ),
        ({"inputs": {"onset": [0.0]}}, "inputs: columns channel, duration missing"),
        ({"inputs": PULSE | {"onset": [-0.1]}}, "inputs[0].onset: -0.1 s lies before the start of the experiment"),
        ({"inputs": PULSE | {"onset": [0.58]}}, "inputs[0].onset: ends after the experiment, at 0.63 s"),
        ({"inputs": PULSE | {"duration": [0.0]}}, "inputs[0].duration: must be at least 1 ms, got 0 s"),
        ({"inputs": PULSE | {"strength": [-1.0]}}, "inputs[0].strength: cannot be negative, got -1"),
        ({"inputs": PULSE | {"strength": ["loud"]}}, "inputs[0].strength: must be a number, got 'loud'"),
        ({"inputs": PULSE | {"channel": [""]}}, "inputs: the name of an input channel is empty"),
    ],
)  # fmt: skip
def test_contradictions_are_named(changes, message):
    given_ = {"trials": GOOD, "window": 0.2, **changes}
    with pytest.raises(ParadigmError) as caught:
        Experiment.from_table(given_.pop("trials"), **given_)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_description_names_cues_and_channels():
    made = Experiment.from_table(GOOD, window=0.2, inputs=PULSE | {"channel": ["noise"]})
    assert made.describe().splitlines()[1:] == [
        "  cues: x, y", "  further input channels: noise", "  block 0, x: A p = 1.00 at 100 ms",
    ]  # fmt: skip


# -- tables and event files


def test_a_table_has_names_of_cues(tmp_path):
    path = tmp_path / "trials.csv"
    rows = ["0,1.5,0.2,A,0.3,1", "1.5,1.5,1.7,,, 2.0", "3,1.5,3.2,B,0.6,1.0"]
    path.write_text("\n".join(["onset,duration,cue,event,latency,cue_name", *rows]) + "\n")
    made = Table(file=str(path)).experiment(np.random.default_rng(0))
    assert made.cues == ("1", "2")
    assert made.outcomes[["event", "probability", "cue_name"]].to_numpy().tolist() == [
        ["A", 0.5, "1"], ["B", 0.5, "1"],
    ]  # fmt: skip
    # a probe of each cue before the first trial, after each two, and after the last
    probed = Table(file=str(path), probe_every=2).experiment(np.random.default_rng(0)).trials
    assert (probed["kind"] + " " + probed["cue_name"]).tolist() == [
        "probe 1", "probe 2", "train 1", "train 2", "probe 1", "probe 2", "train 1", "probe 1", "probe 2",
    ]  # fmt: skip
    np.testing.assert_allclose(np.diff(probed["onset"]), 1.5)
    path.write_text(path.read_text().replace(" 2.0", ""))
    with pytest.raises(ParadigmError, match=r"trials.csv, line 3, cue_name: '' is not a cue"):
        Table(file=str(path)).experiment(np.random.default_rng(0))


def reaction(tmp_path, **changes):
    rows = [(2, "tone"), (3, "go"), (8, "light"), (14, "tone"), (15, "go"), (20, "light"), (21.5, "nogo"), (26, "end")]
    path = tmp_path / "run.tsv"
    path.write_text("onset\tduration\ttrial_type\n" + "".join(f"{onset}\tn/a\t{name}\n" for onset, name in rows))
    given_ = {"events_files": [path], "cue": ("tone", "light"), "events": ("go", "nogo"), **changes}
    return CuedReaction(**given_)


def test_several_cues_of_an_event_file(tmp_path):
    task = reaction(tmp_path, probe_every=2)
    assert task.cues == ("tone", "light")
    made = task.experiment(np.random.default_rng(0))
    assert made.cues == ("tone", "light")
    assert (made.trials["kind"] + " " + made.trials["cue_name"]).tolist() == [
        "warm-up tone", "probe tone", "probe light", "train tone", "train light", "probe tone", "probe light",
        "train tone", "train light", "probe tone", "probe light",
    ]  # fmt: skip
    found = made.outcomes.set_index(["cue_name", "event"])["probability"].to_dict()
    assert found == {("tone", "go"): 1.0, ("light", "nogo"): 0.5}
    # one of them alone hears the others' trials as waits, and needs no name
    alone = reaction(tmp_path, cue=["tone"], events=("go",))
    assert (alone.cue, alone) == ("tone", reaction(tmp_path, cue="tone", events=("go",)))
    assert "cue_name" not in alone.experiment(np.random.default_rng(0)).trials


@pytest.mark.parametrize(
    ("cue", "message"),
    [
        ((), "CuedReaction.cue: needs at least one name, got none"),
        (("tone", "tone"), "CuedReaction.cue[1]: 'tone' is named twice"),
        (("tone", "go"), "CuedReaction.events[0]: 'go' is named twice among cue, events and responses"),
        (("tone", 3), "CuedReaction.cue: must be text, got ('tone', 3)"),
    ],
)
def test_cues_that_cannot_be(tmp_path, cue, message):
    with pytest.raises(ConfigurationError) as caught:
        reaction(tmp_path, cue=cue)
    assert str(caught.value).startswith(message)


def test_a_cue_that_no_file_has(tmp_path):
    with pytest.raises(ParadigmError, match=r"the cue 'lihgt' does not occur; did you mean 'light'\?|the cue 'lihgt'"):
        reaction(tmp_path, cue=("tone", "lihgt")).experiment(np.random.default_rng(0))


# -- the network


def reached(synapses, start):
    """Return the cells that spikes of some may reach."""
    found = set(start)
    while True:
        more = set(synapses.target[np.isin(synapses.source, list(found))].tolist()) | found
        if more == found:
            return found
        found = more


def test_a_sequence_for_each_channel():
    circuit = Sequence(groups=12, n=100, random_degree=0, inhibitory_degree=0).fitted(200, 3)
    assert circuit.sequences == 3
    seeds = Seeds(seed=4)
    groups = circuit.members(seeds)
    excitation, _ = circuit.draw_synapses(seeds.generator("topology"))
    for channel in range(3):
        driven = np.flatnonzero(circuit.draw_input(seeds.generator("input"), seeds, channel))
        own = groups[4 * channel : 4 * channel + 4]
        assert np.array_equal(driven, own[0])
        assert reached(excitation, driven.tolist()) == set(np.concatenate(own).tolist())
    # channels beyond the sequences share them; a number that is stated stays
    assert np.array_equal(circuit.draw_input(None, seeds, 3), circuit.draw_input(None, seeds, 0))
    assert Sequence(sequences=2).fitted(200, 3).sequences == 2
    assert Sequence().fitted(1100, 1) == Sequence(delay=("8 ms", "12 ms"))
    with pytest.raises(ConfigurationError, match="3 groups are no 2 sequences of two"):
        Sequence(groups=3, sequences=2)


def test_patterns_of_input_channels():
    other = {"n": 40, "cue_share": 0.5}
    patterns = {"light": {"to": "other", "share": 1.0, "strength": ["3 mV/ms", "4 mV/ms"]}}
    _, plan, arrays = small.planned(two_cues(input_channels=patterns, populations={"other": other}))
    groups = Sequence.parse(small.CIRCUITS["sequence"]).fitted(220, 2).members(Seeds(seed=0))
    assert np.array_equal(np.flatnonzero(arrays["state.cue_weight"]), groups[0])
    assert not arrays["state.cue_weight_1"].any()
    assert 0 < (arrays["other.cue_weight"] > 0).sum() < 40
    assert ((arrays["other.cue_weight_1"] >= 3) & (arrays["other.cue_weight_1"] <= 4)).all()
    assert "cue_weight*input_0(t) + cue_weight_1*input_1(t)" in plan.part("drive").texts["code"]
    half = {"tone": {"share": 0.5, "strength": ["2 mV/ms", "2 mV/ms"]}}
    weights = small.planned(two_cues(input_channels=half))[2]["state.cue_weight"]
    assert set(weights.tolist()) == {0.0, 2.0}
    with pytest.raises(ConfigurationError, match="there is no input channel 'tnoe', did you mean 'tone'"):
        small.planned(two_cues(input_channels={"tnoe": {}}))
    with pytest.raises(ConfigurationError, match=r"input_channels.tone.to"):
        two_cues(input_channels={"tone": {"to": "nobody"}})


def test_the_signals_of_a_plan():
    experiment, _, arrays = small.planned(two_cues())
    signals = experiment.signals()
    for k in range(2):
        n = len(signals["cue"])
        assert np.array_equal(arrays[f"signals.input_{k}"][:n], signals[f"input_{k}"])
        assert not arrays[f"signals.input_{k}"][n:].any()


def test_programs_agree_on_the_spikes():
    found = {device: small.outputs(two_cues(), device) for device in ("numpy", "cpp")}
    one, other = map(small.spikes, found.values())
    assert one.shape[1] > 200
    assert np.array_equal(one, other)
    np.testing.assert_allclose(found["cpp"]["what_output.q"], found["numpy"]["what_output.q"], rtol=1e-9, atol=1e-12)


def test_the_cues_start_different_cells():
    """In the first steps after a cue only the first group of its sequence fires."""
    found, experiment = small.outputs(two_cues(), "numpy"), small.planned(two_cues())[0]
    groups = Sequence.parse(small.CIRCUITS["sequence"]).fitted(220, 2).members(Seeds(seed=0))
    for row in experiment.trials.iloc[1:].itertuples():
        early = (found["spikes.t"] > row.cue) & (found["spikes.t"] < row.cue + 0.006)
        fired = set(found["spikes.i"][early].tolist())
        own = groups[0] if row.cue_name == "tone" else groups[4]
        assert fired
        assert fired <= set(own.tolist())


def test_replicates_with_several_cues():
    networks = [draw(two_cues(), seed) for seed in (3, 4)]
    starts = [network.experiment.trials["cue_name"].tolist() for network in networks]
    assert starts[0] != starts[1]  # each hears its own cues
    plan, arrays = combine([each.plan for each in networks], [each.arrays for each in networks])
    beside = split(plan, get("numpy").prepare(plan).run(arrays))
    for network, mine in zip(networks, beside, strict=True):
        own = get("numpy").prepare(network.plan).run(network.arrays)
        assert np.array_equal(small.spikes(mine), small.spikes(own))


# -- recordings


def test_a_recording_comes_back(tmp_path):
    recording = recorded()
    save(recording, tmp_path / "a.nc")
    again = load(tmp_path / "a.nc")
    assert again.drop_attrs(deep=False).identical(recording.drop_attrs(deep=False))
    experiment = small.planned(two_cues())[0]
    assert again["trial_cue_name"].values.tolist() == experiment.trials["cue_name"].tolist()
    for name, column in {"outcome_cue_name": "cue_name", "outcome_probability": "probability"}.items():
        assert again[name].values.tolist() == experiment.outcomes[column].tolist()


def test_by_cue_divides_a_recording():
    recording = recorded()
    parts = selection.by_cue([recording])
    assert selection.cues(parts) == ["tone", "light"]
    assert [each.attrs["variant"] for each in parts] == ["tone", "light"]
    for name in ("prediction", "what", "trial_onset", "outcome_probability"):
        assert sum(each.sizes[each[name].dims[0]] for each in parts) == recording.sizes[recording[name].dims[0]]
    for part, cue in zip(parts, CUES, strict=True):
        own = recording.isel(probe=np.flatnonzero(recording["cue_name"].values == cue))
        np.testing.assert_array_equal(part["prediction"], own["prediction"])
        np.testing.assert_array_equal(rmse(part["prediction"], part["expectation"]),
                                      rmse(own["prediction"], own["expectation"]))  # fmt: skip
        assert set(part["state_probe"].values) <= set(part["probe"].values)
    light = selection.outcomes(parts[1])
    assert light["latency"].tolist() == [0.04, 0.09]
    assert selection.by_cue(parts)[0] is parts[0]  # what has one cue stays


def test_tables_and_events_have_the_names(tmp_path):
    recording = recorded()
    trials = formats.to_dataframe(recording, "trials")
    assert trials["cue_name"].tolist() == recording["trial_cue_name"].values.tolist()
    events = formats.to_events(trials, 0.02)
    taught = events[events["trial_type"].isin(CUES)]
    assert (taught["trial_type"] == taught["cue_name"]).all()
    assert len(taught) == int(recording["trial_learn"].sum())
    assert set(events["trial_type"]) == {*CUES, "A", "B", "probe cue", "warm-up cue"}
    files = formats.save_bids([recording], tmp_path)
    about = json.loads(next(path for path in files if path.name.endswith("_events.json")).read_text())
    assert list(about["trial_type"]["Levels"]) == ["probe cue", "warm-up cue", *CUES, *about_events(events)]
    # and they are read back, cue by cue
    path = next(str(path) for path in files if path.name.endswith("_events.tsv"))
    task = CuedReaction(events_files=[path], cue=tuple(CUES), events=("A", "B"), cue_onset="30 ms", window="220 ms")
    again = task.experiment(np.random.default_rng(0)).trials
    own = trials[trials["kind"] == "train"]
    own_again = again[again["kind"] == "train"]
    assert own_again["cue_name"].tolist() == own["cue_name"].tolist()
    assert own_again["event"].tolist() == own["event"].tolist()
    with pytest.raises(ParadigmError, match="'tone' names a cue, and cannot name an event"):
        formats.to_events(trials.assign(event="tone"))
    with pytest.raises(ParadigmError, match="'probe cue' names the cue of an inserted trial"):
        formats.to_events(trials.assign(cue_name="probe cue"))


def about_events(events):
    return [name for name in events["trial_type"].unique() if name in ("A", "B")]


def with_inputs(recording):
    """The recording as if it had been given what it heard."""
    n = recording.sizes["trial"]
    return recording.assign(
        input_onset=("input", recording["trial_cue"].values), input_duration=("input", np.full(n, 0.02)),
        input_strength=("input", np.full(n, 0.5)), input_channel=("input", recording["trial_cue_name"].values),
    )  # fmt: skip


def test_neo_has_cues_and_inputs():
    pytest.importorskip("neo")
    recording = with_inputs(recorded())
    segment = formats.to_neo(recording).segments[0]
    assert segment.events[0].labels.tolist() == recording["trial_cue_name"].values.tolist()
    inputs = segment.epochs[1]
    assert (inputs.name, inputs.labels.tolist()) == ("inputs", recording["input_channel"].values.tolist())
    assert inputs.array_annotations["strength"].tolist() == [0.5] * len(inputs)
    assert {each.annotations["cue_name"] for each in segment.analogsignals} == set(CUES)


def test_pynapple_has_cues_and_inputs():
    pytest.importorskip("pynapple")
    recording = with_inputs(recorded())
    found = formats.to_pynapple(recording)
    assert list(found["trials"]["cue_name"]) == recording["trial_cue_name"].values.tolist()
    for name in CUES:
        own = recording["trial_cue"].values[recording["trial_cue_name"].values == name]
        np.testing.assert_allclose(found["inputs"][name].t, own)
        assert (found["inputs"][name].values == [0.02, 0.5]).all()


def test_nwb_has_cues_and_inputs(tmp_path):
    pynwb = pytest.importorskip("pynwb")
    recording = with_inputs(recorded())
    formats.save_nwb(recording, tmp_path / "a.nwb")
    with pynwb.NWBHDF5IO(str(tmp_path / "a.nwb"), "r") as io:
        file = io.read()
        assert file.trials["cue_name"][:].tolist() == recording["trial_cue_name"].values.tolist()
        assert file.intervals["inputs"]["channel"][:].tolist() == recording["input_channel"].values.tolist()
        module = file.processing["prediction"]
        assert module["probes"]["cue_name"][:].tolist() == recording["cue_name"].values.tolist()
        assert module["outcomes"]["cue_name"][:].tolist() == recording["outcome_cue_name"].values.tolist()


# -- figures and pages


def test_each_figure_for_each_cue():
    parts = selection.by_cue([recorded(0), recorded(1)])
    made = {each.name: each for each in prepare_all([(parts, None)], ["cues", "predictions", "model", "levels"])
            if not isinstance(each, str)}  # fmt: skip
    assert set(made) == {"cues", "predictions_tone", "predictions_light", "model"}
    assert made["predictions_light"].title == "Predictions before and after learning: light"
    assert made["predictions_light"].caption.startswith("Trials with the cue 'light'.")
    # one line a reason, not one a cue
    (reason,) = prepare_all([(parts, None)], ["response_times"])
    assert reason.startswith("response_times: needs trial_response_time")
    (reason,) = prepare_all([([recorded().drop_vars("trial_cue_name")], None)], ["cues"])
    assert reason == "cues: needs recordings with several cues"


def test_the_figure_of_all_cues_shows_what_was_recorded():
    recording = recorded()
    tables_ = all_figures()["cues"].tables(selection.by_cue([recording]))
    for cue in CUES:
        own = recording.isel(probe=np.flatnonzero(recording["cue_name"].values == cue))
        shown = tables_["prediction"].query("cue == @cue and probe == 'last' and event == 'A'")
        np.testing.assert_allclose(shown["mean"], own["prediction"].isel(probe=-1).sel(event="A"))
        true = tables_["expectation"].query("cue == @cue and probe == 'last' and event == 'A'")
        np.testing.assert_allclose(true["expectation"], own["expectation"].isel(probe=-1).sel(event="A"))
        happened = (recording["trial_cue_name"].values == cue) & (recording["trial_event"].values != "")
        assert (tables_["presented"]["cue"] == cue).sum() == happened.sum()
    what = tables_["what"].set_index(["cue", "event"])["probability"].to_dict()
    assert what == {("tone", "A"): 0.75, ("tone", "B"): 0.25, ("light", "A"): 0.5, ("light", "B"): 0.0}


@pytest.mark.parametrize("none_expected", [False, True])
def test_the_task_of_a_cue_that_nothing_followed(none_expected):
    light = selection.by_cue([recorded()])[1]
    nothing = light.assign(trial_event=("trial", [""] * light.sizes["trial"]),
                           trial_latency=light["trial_latency"] * np.nan)  # fmt: skip
    if none_expected:
        nothing = nothing.isel(outcome=[])
    declared = all_figures()["task"]
    declared.draw(declared.tables([nothing])).draw_without_rendering()


def test_names_of_files():
    assert _file_names(["low tone", "low-tone", "Low Tone", "é", ""]) == {
        "low tone": "_low-tone", "low-tone": "_low-tone_2", "Low Tone": "_Low-Tone_3", "é": "_4",
    }  # fmt: skip


# -- the example


@functools.cache
def example():
    spec = importlib.util.spec_from_file_location("example_cues", EXAMPLES / "cues.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where pydantic looks up what its annotations name
    spec.loader.exec_module(module)
    return module


def test_the_file_of_the_example_is_its_network():
    cues = example()
    told = read(EXAMPLES / "cues.toml")
    made = Configuration.parse({**cues.NETWORKS["default"], "paradigm": {**cues.INTERLEAVED, "type": "meet"}})
    assert (told.state.update.split(), told.what, told.paradigm.blocks[0].cues) == (
        made.state.update.split(), made.what, made.paradigm.blocks[0].cues,
    )  # fmt: skip


def test_the_counter_of_the_example_is_the_rule_of_the_network():
    """A counter on a constant is the network's own rule, where it hears nothing else; by hand for three trials."""
    outcomes = np.array([[1.0], [0.0], [1.0], [1.0]])
    found = example().counted(np.full((4, 1), 100.0), outcomes, np.ones(4, bool), SurpriseTwoFactor())
    rates, q = [0.3, 0.3 / 1.3, 0.3 / 1.6], [0.0]
    for rate, outcome in zip(rates, (1, 0, 1), strict=True):
        q.append(q[-1] + rate * (outcome - q[-1]) * 1e4 / (1e4 + 1))
    np.testing.assert_allclose(found[:, 0], q, rtol=1e-12)


def test_two_cues_at_once_are_heard_at_half_strength():
    made = (
        example().Mixed(blocks=[{"trials": 2, "cues": CUES_OF_MEET}], probes=[2]).experiment(np.random.default_rng(0))
    )
    mixed = made.trials.iloc[-3:]
    assert (mixed["kind"] == "probe").all()
    for cue in mixed["cue"]:
        own = made.inputs[made.inputs["onset"] == cue]
        assert sorted(own["channel"]) == ["tone", "touch"]
        assert (own["strength"] == 0.5).all()
    assert made.channels == ("tone", "touch")


CUES_OF_MEET = {name: {"latency": {"A": "300 ms"}, "probability": {"A": 1.0}} for name in ("tone", "touch")}


@pytest.mark.slow
def test_a_page_and_its_sources(tmp_path):
    for seed in (0, 1):
        save(recorded(seed), tmp_path / f"meet_seed{seed}.nc")
    page = make_report(tmp_path)
    assert '<th scope="col">cue</th>' in page
    assert "each seed the mean over its blocks and cues" in page
    for name in ("cues", "predictions_tone", "predictions_light"):
        assert f'id="title-{name}"' in page
    assert "@article" in cite(tmp_path)
