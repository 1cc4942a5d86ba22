"""Several events in one trial, epochs with names: tables made by hand, closed forms, and the task with one event."""

import functools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import small

from izhires import formats, imports
from izhires.analysis import selection
from izhires.analysis.counter import counter
from izhires.analysis.declared import Unavailable
from izhires.analysis.figures.base import prepare_all
from izhires.analysis.metrics.base import all_metrics
from izhires.analysis.observers import ObservedTask
from izhires.building.draft import make_plan
from izhires.devices import get
from izhires.errors import ConfigurationError, ParadigmError
from izhires.model.configuration import Configuration
from izhires.model.model import MEAN_RATE_UPDATE
from izhires.model.seeds import Seeds
from izhires.paradigms import Experiment, Meet, Table
from izhires.paradigms.base import Paradigm
from izhires.paradigms.meet import Block, draw
from izhires.recordings.recording import load, save
from izhires.running.run import simulate

BLOCKS = [
    {"trials": 8, "independent": True, "latency": {"A": "60 ms", "B": "130 ms"}, "probability": {"A": 0.75, "B": 0.5}}
]


def both(**changes):
    return small.configuration(**{"paradigm__blocks": BLOCKS, "paradigm__probes": [4, 8], **changes})


@functools.cache
def recorded():
    return simulate(both(), 0)


def by_hand(**changes):
    """Three trials of 300 ms with the cue at 50 ms: both events, none, the later alone; then a probe."""
    trials = {"onset": [0.0, 0.3, 0.6, 0.9], "duration": 0.3, "cue": [0.05, 0.35, 0.65, 0.95]}
    trials["kind"] = ["train", "train", "train", "probe"]
    latencies = {"A": [0.1, np.nan, np.nan, np.nan], "B": [0.04, np.nan, 0.15, np.nan]}
    return Experiment.from_table(trials, window=0.2, latencies=latencies, **changes)


def test_the_first_event_of_a_trial_stands_in_the_table():
    made = by_hand()
    assert made.events == ("A", "B")
    assert made.trials["event"].tolist() == ["B", "", "B", ""]
    np.testing.assert_array_equal(made.trials["latency"], [0.04, np.nan, 0.15, np.nan])
    # each event by itself: one of three, two of three
    assert made.outcomes.to_dict("list") == {
        "block": [0, 0, 0],
        "event": ["A", "B", "B"],
        "latency": [0.1, 0.04, 0.15],
        "probability": [1 / 3, 1 / 3, 1 / 3],
    }
    assert "several events" in str(made) and "no event" not in str(made)
    assert made == by_hand() and made != replace(made, latencies=made.latencies.assign(A=np.nan))


def test_signals_by_hand():
    made = by_hand(epochs={"onset": [0.1, 1.0], "duration": [0.2, 0.1], "name": ["early", "late"]})
    found = made.signals()
    now = np.arange(1200) / 1000
    at = np.flatnonzero(found["at_event"]).tolist()
    assert at == [90, 150, 800]
    assert [int(found["event"][k]) for k in at] == [1, 0, 1]
    np.testing.assert_allclose([found["latency"][k] for k in at], [0.04, 0.1, 0.15])
    # B at 40 and A at 100 ms after the cue at 50 ms: midway, at 70 ms, the earlier one is still the nearest
    assert [int(found["event"][k]) for k in (0, 119, 120, 121, 299, 300, 599, 600, 899, 900)] == [
        1, 1, 1, 0, 0, -1, -1, 1, 1, -1
    ]  # fmt: skip
    own = found["latency_of"]
    assert own.shape == (1200, 2)
    np.testing.assert_allclose(own[now < 0.3], [[0.1, 0.04]] * 300)
    np.testing.assert_allclose(own[(now >= 0.3) & (now < 0.6)], -1)
    # A does not come in the third trial: it has the latency of the event that does
    np.testing.assert_allclose(own[(now >= 0.6) & (now < 0.9)], 0.15)
    np.testing.assert_array_equal(np.flatnonzero(found["epoch_early"]), np.arange(100, 300))
    np.testing.assert_array_equal(np.flatnonzero(found["epoch_late"]), np.arange(1000, 1100))
    coarse = made.signals(0.01)
    np.testing.assert_array_equal(coarse["latency_of"], own[::10])
    np.testing.assert_array_equal(coarse["epoch_early"], found["epoch_early"][::10])


def test_the_truth_of_each_event():
    made, times = by_hand(), np.array([0.0, 0.04, 0.1, 0.15])
    third = 1 / 3
    # of those trials in which B has not come yet: a third at 40 ms, a half of the rest at 150 ms
    np.testing.assert_allclose(made.hazard(0, times), [[0, 0, third, 0], [0, third, 0, 0.5]])
    bump = np.exp(-((times[:, None] - [0.04, 0.15]) ** 2) / (2 * 0.04**2))
    weight = np.array([[third, third], [third, third], [third, 0.5], [third, 0.5]])
    np.testing.assert_allclose(made.survivor_expectation(0, times)[1], (bump * weight).sum(1))
    surprise = [2 * np.log(3), np.log(1.5) + np.log(3), np.log(1.5) + np.log(3), np.nan]
    np.testing.assert_allclose(made.shannon_surprise(), surprise)
    assert np.isfinite(made.bayesian_surprise()[:3]).all()
    with pytest.raises(ParadigmError, match="several events may come"):
        made.survivor(0, times)


@pytest.mark.parametrize(
    ("latencies", "problem"),
    [
        ({"A": [0.1, 0.1], "B": [0.1, 0.1]}, r"latencies\[0\]: two events come at the same moment.*1 more row"),
        ({"A": [0.1, 0.1], "B": [0.3, np.nan]}, r"latencies\[0\].B: 0.3 s lies outside the window"),
        ({"A": [0.1], "B": [0.2]}, "needs one row a trial, 2, got 1"),
        ({"A": [0.1, "x"], "B": [0.2, 0.2]}, r"latencies\[1\].A: must be a number"),
        ({"A": [0.0002, 0.1], "B": [np.nan, np.nan]}, "below the grid of 1 ms"),
    ],
)
def test_refused_latencies(latencies, problem):
    trials = {"onset": [0.0, 0.4], "duration": 0.4, "cue": [0.1, 0.5], "event": "A", "latency": 0.1}
    with pytest.raises(ParadigmError, match=problem):
        Experiment.from_table(trials, window=0.25, latencies=latencies)


def test_refused_tables():
    trials = {"onset": [0.0, 0.4], "duration": 0.4, "cue": [0.1, 0.5], "event": "B", "latency": 0.2}
    with pytest.raises(ParadigmError, match=r"trials\[0\].event: must be the first event of the trial, 'A' at 0.1 s"):
        Experiment.from_table(trials, window=0.25, latencies={"A": [0.1, 0.1], "B": [0.2, 0.2]})
    probe = {**trials, "event": ["A", ""], "latency": [0.1, np.nan], "kind": ["train", "probe"]}
    with pytest.raises(ParadigmError, match=r"latencies\[1\].B: a probe trial is cue-only"):
        Experiment.from_table(probe, window=0.25, latencies={"A": [0.1, np.nan], "B": [np.nan, 0.2]})
    one = {**trials, "event": "A", "latency": 0.1}
    outcomes = {"block": [0, 0], "event": ["A", "A"], "latency": [0.1, 0.2], "probability": [0.6, 0.6]}
    with pytest.raises(ParadigmError, match=r"of 'A' in block 0 sum to 1\.2"):
        Experiment.from_table(one, window=0.25, latencies={"A": [0.1, 0.1]}, outcomes=outcomes)
    for epochs, problem in [
        ({"onset": [0.5], "duration": [0.5], "name": ["a"]}, "ends after the experiment, at 1 s"),
        ({"onset": [0.5], "duration": [0.0], "name": ["a"]}, "must be at least 1 ms"),
        ({"onset": [-0.5], "duration": [0.1], "name": ["a"]}, "before the start"),
        ({"onset": [0.5], "duration": [0.1], "name": ["a b"]}, "as equations have names, got 'a b'"),
        ({"onset": [], "duration": [], "name": []}, "has no interval"),
    ]:
        with pytest.raises(ParadigmError, match=problem):
            Experiment.from_table(one, window=0.25, epochs=epochs)


# -- blocks of meet


def test_events_are_drawn_by_themselves():
    block = Block(
        independent=True, trials=4000, latency={"A": "300 ms", "B": "600 ms"}, probability={"A": 0.7, "B": 0.4}
    )
    drawn = draw(block, "independent", np.random.default_rng(0))
    came = np.array([[name in dict(each.coming) for name in "AB"] for each in drawn])
    # three standard errors of a proportion
    np.testing.assert_allclose(came.mean(0), [0.7, 0.4], atol=3 * 0.5 / np.sqrt(4000))
    np.testing.assert_allclose(came.all(1).mean(), 0.28, atol=3 * 0.45 / np.sqrt(4000))
    assert all(list(each.coming) == sorted(each.coming, key=lambda one: one[1]) for each in drawn)
    exact = draw(block, "exact", np.random.default_rng(0))
    assert sum("A" in dict(each.coming) for each in exact) == 2800
    assert sum("B" in dict(each.coming) for each in exact) == 1600


def test_cues_with_and_without_independent_events():
    cues = {
        "tone": {"independent": True, "latency": {"A": "300 ms", "B": "600 ms"}, "probability": {"A": 1, "B": 1}},
        "light": {"share": 3, "latency": {"A": "300 ms", "B": "600 ms"}, "probability": {"A": 0.5, "B": 0.5}},
    }
    meet = Meet(blocks=[{"trials": 100, "cues": cues}], order="exact", probes=[100])
    made = meet.experiment(np.random.default_rng(1))
    training = (made.trials["kind"] == "train").to_numpy()
    own = made.latencies[training].notna()
    tone = (made.trials["cue_name"] == "tone")[training]
    assert tone.sum() == 25 and own[tone].to_numpy().all()
    assert own[~tone].sum().tolist() == [38, 37] or own[~tone].sum().tolist() == [37, 38]
    assert (own[~tone].sum(axis=1) == 1).all()
    assert made.latencies[~training].isna().to_numpy().all()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"omission": 0.1}, "each event may stay away by itself"),
        ({"latency": {"A": "300 ms", "B": "300 ms"}}, "'A' and another event would both come at 300 ms"),
        (
            {"latency": {}, "probability": {}, "outcomes": [
                {"event": "A", "latency": "100 ms", "probability": 0.6},
                {"event": "A", "latency": "200 ms", "probability": 0.6}]},
            "the probabilities of 'A' sum to 1.2, above 1",
        ),
    ],
)  # fmt: skip
def test_refused_blocks(changes, problem):
    given = {"independent": True, "latency": {"A": "300 ms", "B": "600 ms"}, "probability": {"A": 0.7, "B": 0.4}}
    with pytest.raises(ConfigurationError, match=problem):
        Block(**{**given, **changes})


# -- the network


def test_one_event_a_trial_is_the_task_with_one_event():
    """Said by a table of latencies, trials with one event at most teach bit for bit what they teach as they are."""
    model = small.configuration(
        confidence={}, readouts={"slow": {"rule": "eligibility_three_factor", "gate": "dopamine"}},
        neuromodulators={"dopamine": {"reward": ["B"]}},
    )  # fmt: skip
    seeds = Seeds(seed=0)
    plain = model.paradigm.experiment(seeds.generator("trials"))
    table = plain.trials
    late = pd.DataFrame({name: table["latency"].where(table["event"] == name) for name in plain.events})
    found = []
    for experiment in (plain, replace(plain, latencies=late)):
        plan, arrays = make_plan(model, experiment, Seeds(seed=0))
        found.append(get("numpy").prepare(plan).run(arrays))
    assert found[0].keys() == found[1].keys()
    for name, each in found[0].items():
        np.testing.assert_array_equal(each, found[1][name], err_msg=name)


def test_devices_agree():
    model = both(
        confidence={}, neuromodulators={"dopamine": {"reward": {"A": 1.0, "B": 2.0}}},
        readouts={"slow": {"rule": "eligibility_three_factor", "gate": "dopamine"}},
    )  # fmt: skip
    one, two = (small.outputs(model, device) for device in ("cpp", "numpy"))
    np.testing.assert_array_equal(small.spikes(one), small.spikes(two))
    for name in ("what_output.q", "when_output.z", "confidence_output.q", "dopamine_level.level", "slow_output.z"):
        np.testing.assert_allclose(one[name], two[name], rtol=1e-6, atol=1e-9, err_msg=name)
    # a release at every event, worth 1 and 2
    experiment, *_ = small.planned(model)
    level, moments = one["dopamine_level.level"][:, 0], one["dopamine_level.t"]
    cue = experiment.trials["cue"].to_numpy()
    for k, (name, worth) in enumerate({"A": 1.0, "B": 2.0}.items()):
        for trial in np.flatnonzero(experiment.latencies[name].notna()):
            at = np.searchsorted(moments, cue[trial] + experiment.latencies[name].iloc[trial] - 1e-9)
            before = level[at - 1] * np.exp(-1 / 200)
            np.testing.assert_allclose(level[at] - before, worth, atol=1e-6, err_msg=f"{name} in trial {trial}, {k}")


def test_what_counts_each_event_and_confidence_too():
    found = simulate(both(confidence={}, state__update=MEAN_RATE_UPDATE), 0)
    came = selection.latencies(found).notna().to_numpy()
    training = found["trial_kind"].values == "train"
    assert came[training].sum(0).tolist() == [6, 4] and came[training].all(1).any()
    counted = np.cumsum(came & training[:, None], axis=0) - (came & training[:, None])
    learned = np.cumsum(training) - training
    # within what x differs from trial to trial; a trial counted wrongly would be off by 1
    np.testing.assert_allclose(found["trial_count"].values, counted, atol=0.2)
    np.testing.assert_allclose(found["trial_count_against"].values, learned[:, None] - counted, atol=0.2)


def test_when_learns_both_in_one_trial():
    blocks = [{**BLOCKS[0], "trials": 30, "probability": {"A": 1.0, "B": 1.0}}]
    found = simulate(both(paradigm__blocks=blocks, paradigm__probes=[30]), 0)
    peaks = found["prediction"].isel(probe=-1).idxmax("time").values
    np.testing.assert_allclose(peaks, [0.06, 0.13], atol=0.02)
    late = selection.latencies(found)
    assert (np.isfinite(found["trial_when"].values) == late.notna().to_numpy()).all()
    # each is read at its own moment: in the last trial each has learned its own time
    assert (found["trial_when"].values[found["trial_kind"].values == "train"][-1] > 0.5).all()
    # what has no network sees both, too; what asks which event it was says that there is no answer
    assert (counter(found)[-1] > 0.9).all()
    with pytest.raises(Unavailable, match="several events may come in one trial"):
        list(all_metrics()["selectivity"].function(found))


def test_least_squares_with_a_matrix_an_event_is_refused():
    with pytest.raises(ConfigurationError, match="several events may come in one"):
        small.planned(both(when__rule={"type": "force"}))
    small.planned(both(when__rule={"type": "force"}, prediction="merged"))


def test_recorded_and_analysed(tmp_path):
    found = load(save(recorded(), tmp_path / "a.nc"))
    np.testing.assert_array_equal(
        found["trial_latency_of"].values, both().paradigm.experiment(Seeds(seed=0).generator("trials")).latencies
    )
    with pytest.raises(Unavailable, match="several events may come in one trial"):
        ObservedTask.of_recording(found)
    for name, metric in all_metrics().items():
        try:
            rows = list(metric.rows(found if metric.scope == "recording" else [found]))
        except Unavailable:
            continue
        if name in ("error", "amplitude", "peak_error"):
            assert any(np.isfinite(row.value) for row in rows), name
    (made,) = prepare_all([([found], None)], ["task"])
    shown = made.rows[0][0][1]["trials"]
    assert shown["event"].value_counts()["A"] == 6 and shown["event"].value_counts()["B"] == 4


def test_formats(tmp_path):
    found = recorded()
    paths = formats.save_bids([found], tmp_path)
    table = pd.read_csv(next(path for path in paths if path.suffix == ".tsv" and "task" in path.name), sep="\t")
    assert (table["trial_type"] == "A").sum() == 6 and (table["trial_type"] == "B").sum() == 4
    late = found["trial_latency_of"].values
    expected = np.sort((found["trial_cue"].values[:, None] + late)[np.isfinite(late)])
    np.testing.assert_allclose(table["onset"][table["trial_type"].isin(["A", "B"])], expected, atol=1e-6)
    events = next(each for each in formats.to_neo(found).segments[0].events if each.name == "events")
    np.testing.assert_allclose(events.times.magnitude, expected)
    np.testing.assert_allclose(formats.to_pynapple(found)["events"].t, expected, atol=1e-9)


# -- a table of one's own


def written(path, **columns):
    pd.DataFrame(columns).to_csv(path, index=False)
    return str(path)


TIMES = {"onset": [0.0, 0.3, 0.6], "duration": 0.3, "cue": [0.05, 0.35, 0.65]}
SHORT = {"window": "200 ms", "cue_duration": "20 ms"}


def test_a_table_with_a_latency_of_each_event(tmp_path):
    file = written(tmp_path / "t.csv", **TIMES, latency_A=[0.1, "", ""], latency_B=[0.04, "", 0.15])
    made = Table(file=file, **SHORT).experiment(np.random.default_rng(0))
    np.testing.assert_array_equal(made.latencies, by_hand().latencies[:3])
    probed = Table(file=file, probe_every=2, **SHORT).experiment(np.random.default_rng(0))
    assert probed.trials["kind"].tolist() == ["probe", "train", "train", "probe", "train", "probe"]
    np.testing.assert_array_equal(probed.latencies.dropna(how="all"), made.latencies.dropna(how="all"))
    # beside a column latency they are further columns, as any other
    file = written(tmp_path / "u.csv", **TIMES, event=["A", "", "B"], latency=[0.1, "", 0.1], latency_ms=[100, "", 100])
    kept = Table(file=file, **SHORT).experiment(np.random.default_rng(0))
    assert kept.latencies is None and kept.trials["latency_ms"].tolist() == ["100", "", "100"]
    file = written(tmp_path / "v.csv", **TIMES, latency_A=[0.1, "", "soon"])
    with pytest.raises(ParadigmError, match=r"v\.csv, line 4.*latency_A 'soon' is not a number of seconds"):
        Table(file=file, **SHORT).experiment(np.random.default_rng(0))
    file = written(tmp_path / "w.csv", **TIMES, latency_A=[0.1, "", ""], latency_B=[0.1, "", ""])
    with pytest.raises(ParadigmError, match=r"w\.csv, line 2: two events come at the same moment"):
        Table(file=file, **SHORT).experiment(np.random.default_rng(0))


def test_a_table_with_payoffs_inputs_and_epochs(tmp_path):
    file = written(tmp_path / "t.csv", **TIMES, payoff_left=[1, 0, 1], payoff_right=[0, 0.5, 1])
    made = Table(file=file, reward_delay="20 ms", **SHORT).experiment(np.random.default_rng(0))
    assert made.payoffs["right"].tolist() == [0, 0.5, 1] and made.reward_delay == 0.02
    assert made.outcomes["probability"].round(6).tolist() == [0.666667, 0.5]
    file = written(tmp_path / "u.csv", **TIMES, event=["A", "", "B"], latency=[0.1, "", 0.1])
    inputs = written(tmp_path / "in.csv", onset=[0.05, 0.5], duration=[0.02, 0.1], channel=["tone", "noise"])
    epochs = written(tmp_path / "ep.csv", onset=[0, 0.3], duration=[0.3, 0.6], name=["first", "rest"])
    made = Table(file=file, inputs=inputs, epochs=epochs, **SHORT).experiment(np.random.default_rng(0))
    assert made.channels == ("tone", "noise") and made.epochs["name"].tolist() == ["first", "rest"]
    assert made.signals()["input_1"].sum() == 100 and made.signals()["epoch_rest"].sum() == 600
    with pytest.raises(ConfigurationError, match="put the probes into the table"):
        Table(file=file, inputs=inputs, probe_every=1, **SHORT).experiment(np.random.default_rng(0))
    late = written(tmp_path / "late.csv", onset=[0.05, 0.85], duration=[0.02, 0.1], channel=["tone", "noise"])
    with pytest.raises(ParadigmError, match=r"late\.csv, line 3, onset: ends after the experiment"):
        Table(file=file, inputs=late, **SHORT).experiment(np.random.default_rng(0))


def test_a_task_of_ones_own():
    imports.load([str(Path(__file__).parents[1] / "examples" / "own_paradigm.py")])
    made = Paradigm.alternatives()["rhythm"](trials=40).experiment(np.random.default_rng(0))
    assert made.events == ("beat 1", "beat 2", "beat 3") and (made.trials["kind"] == "probe").sum() == 5
    assert made.latencies.notna().sum(axis=1).max() == 3
    assert set(np.unique(made.latencies.to_numpy()[made.latencies.notna()])) == {0.25, 0.5, 0.75}


def test_texts_read_epochs():
    """Synapses that learn in an epoch are, at its end, what they stay; without the epoch they would have gone on."""
    changes = {"connections": {"excitation": {"plasticity": ["stdp"], "learns": "epoch_early(t)"}}}
    model = both(**changes)
    plain = model.paradigm.experiment(Seeds(seed=0).generator("trials"))
    ends = {}
    for name, length in (("early", 0.6), ("whole", plain.duration)):
        epochs = pd.DataFrame({"onset": [0.0], "duration": [length], "name": ["early"]})
        plan, arrays = make_plan(model, replace(plain, epochs=epochs), Seeds(seed=0))
        ends[name] = get("numpy").prepare(plan).run(arrays)
    weights = next(name for name in ends["early"] if name.startswith("excitation") and name.endswith(".w"))
    begin, early, whole = ends["early"][weights][0], ends["early"][weights][-1], ends["whole"][weights][-1]
    assert (early != begin).any() and (whole != early).any()
    assert isinstance(model, Configuration)
