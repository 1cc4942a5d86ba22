"""Metrics of streams on recordings that are made by hand, so that every value is known."""

import json

import numpy as np
import pandas as pd
import pytest
import synthetic

from izhires.analysis import analyse, make_figures
from izhires.analysis.metrics.stream import learned_share, omission, shuffled, slope, streams
from izhires.analysis.selection import by_cue
from izhires.paradigms import Meet, Oddball, SerialOrder

ALTERNATING = {"A": {"A": 0.2, "B": 0.8}, "B": {"A": 0.8, "B": 0.2}}


def recorded(paradigm, expected, variant="", seed=0, when=0.8):
    """Return a recording in which `expected(block, before, event)` is the what prediction of every trial."""
    made = paradigm.experiment(np.random.default_rng(seed), variant or paradigm.variants()[0])
    found = synthetic.recording(made, seed=seed, neurons=4, states=False)
    trials, events = made.trials, made.events
    what = [[expected(row.block, row.cue_name, name) for name in events] for row in trials.itertuples()]
    happened = (trials["event"] != "").to_numpy()
    probes = np.flatnonzero(trials["kind"] == "probe")
    prediction = np.zeros((len(probes), len(events), found.sizes["time"]))
    prediction[:, :, -1] = when * np.array(what)[probes]
    found["prediction"] = (("probe", "event", "time"), prediction)
    found["trial_what"] = (("trial", "event"), np.array(what))
    found["trial_when"] = (("trial", "event"), np.where(happened[:, None], when, np.nan) * np.ones(len(events)))
    names = {"trial_cue_name": ("trial", made.cue_of_trials), "cue_name": ("probe", made.cue_of_trials[probes]),
             "outcome_cue_name": ("outcome", made.outcomes["cue_name"])}  # fmt: skip
    for name, (dimension, values) in names.items():
        found[name] = (dimension, np.asarray(values, str))
    return found


def value(table, metric, **where):
    rows = table[table["metric"] == metric]
    for column, wanted in where.items():
        rows = rows[rows[column] == wanted]
    return rows["value"].item()


SHORT = {"blocks": [{"trials": 200}]}


def frequencies(block, before, event):
    return {"A": 0.8, "B": 0.2}[event]


def test_a_stream_is_put_together_as_it_was_heard():
    made = SerialOrder(blocks=[{"trials": 60, "transitions": ALTERNATING}]).experiment(np.random.default_rng(0))
    found = recorded(SerialOrder(blocks=[{"trials": 60, "transitions": ALTERNATING}]), lambda *each: 0.5)
    # every omission with a prediction of its own
    marked = found.assign(prediction=found["prediction"] + np.arange(found.sizes["probe"])[:, None, None])
    for given in ([marked], by_cue([marked]), by_cue([marked])[::-1]):
        (stream,) = streams(given)
        assert stream.trials["event"].tolist() == made.trials["event"].tolist()
        assert stream.trials["before"].tolist() == made.trials["cue_name"].tolist()
        np.testing.assert_array_equal(stream.omitted[0], marked["prediction"])
        assert stream.outcomes[0, "A"] == {"A": 0.2, "B": 0.8}
        assert (stream.seed, stream.variant) == (0, "")


def test_responses_of_known_predictions():
    table = analyse([recorded(Oddball(**SHORT), frequencies)], only=["mismatch"])
    assert value(table, "mismatch.response", event="A") == pytest.approx(1 - 0.8 * 0.8)
    assert value(table, "mismatch.response", event="B") == pytest.approx(1 - 0.8 * 0.2)
    assert value(table, "mismatch.unsigned", event="B") == pytest.approx(1 - 0.16 + 0.64)
    assert value(table, "mismatch.minus_standard", event="B") == pytest.approx(0.48)
    # responses that differ between stimuli and not within: only which trials are called deviants is chance
    assert 0 < value(table, "mismatch.minus_standard_chance", event="B") < 0.2
    assert value(table, "mismatch.per_standard", event="B") == pytest.approx(0, abs=1e-12)
    assert value(table, "mismatch.omission") == pytest.approx(0.8)
    assert value(table, "mismatch.omission_elsewhere") == 0


def test_observers_know_nothing_at_first_and_learn_from_what_is_learned_from():
    (stream,) = streams([recorded(SerialOrder(blocks=[{"trials": 60, "transitions": ALTERNATING}]), lambda *each: 0.5)])
    learned = stream.trials["learn"].to_numpy()
    for name in ("frequency", "transition"):
        seen = stream.observed(name)
        np.testing.assert_allclose(seen.sum(1), 1)
        np.testing.assert_allclose(seen[: np.flatnonzero(learned)[0] + 1], 0.5)
    # one sighting after one stimulus tells nothing of what follows the other
    first = int(np.flatnonzero(learned)[0])
    before, other = stream.trials["before"].iloc[first], {"A": "B", "B": "A"}[stream.trials["before"].iloc[first]]
    later = stream.trials["before"].to_numpy()[first + 1 :]
    after_other = first + 1 + int(np.flatnonzero(later == other)[0])
    assert before != other
    np.testing.assert_allclose(stream.observed("transition")[after_other], 0.5)
    assert abs(stream.observed("frequency")[first + 1, 0] - 0.5) > 0.1


def test_a_control_takes_away_what_rarity_does():
    paradigm = Oddball(**SHORT)
    following = dict(zip("ABCDE", "BCDEA", strict=True))
    found = [
        recorded(paradigm, frequencies),
        recorded(paradigm, lambda *each: 0.2, "many_standards"),
        recorded(paradigm, lambda block, before, event: float(following[before] == event), "cascade"),
    ]
    table = analyse(found, only=["mismatch"])
    assert value(table, "mismatch.minus_control", variant="oddball less many_standards") == pytest.approx(0, abs=1e-12)
    assert value(table, "mismatch.minus_control", variant="oddball less cascade") == pytest.approx(0.64)
    assert value(table, "mismatch.unsigned_minus_control", variant="oddball less cascade") == pytest.approx(1.48 - 0.2)


def declared(folder, expected):
    """Return a recording of an event file whose standards are declared, and are not the most frequent stimulus."""
    names = np.random.default_rng(0).choice(["go", "no-go", "cue"], 200, p=[0.2, 0.3, 0.5])
    rows = [f"{k}.000\t0.1\t{name}" for k, name in enumerate(names)]
    (folder / "run_events.tsv").write_text("\n".join(["onset\tduration\tvalue", *rows, ""]))
    roles = {"standard": ("go*",), "deviant": ("no-go",), "other": ("cue",)}
    paradigm = Oddball(events_files=(str(folder / "run_events.tsv"),), warm_up=0, omission_every=0, **roles)
    found = recorded(paradigm, expected)
    found.attrs["configuration"] = json.dumps({"paradigm": {"type": "oddball", **roles}})
    return found, names


def test_declared_roles_and_not_frequencies_make_a_standard(tmp_path):
    found, names = declared(tmp_path, lambda block, before, event: {"go": 0.5, "no-go": 0.25, "cue": 1.0}[event])
    table = analyse([found], only=["mismatch"])
    assert value(table, "mismatch.minus_standard", event="no-go") == pytest.approx(0.8 * 0.25)
    assert set(table[table["metric"].str.contains("standard")]["event"]) == {"no-go"}
    assert set(table[table["metric"] == "mismatch.response"]["event"]) == {"go", "no-go", "cue"}
    (stream,) = streams([found])
    go = [0, *np.cumsum(names == "go")]
    behind = [next(k for k in range(n + 1) if k == n or names[n - 1 - k] != "go") for n in range(1, len(names))]
    assert go[-1] > 20 and stream.run_before(0).tolist() == behind
    make_figures(by_cue([found]), tmp_path, only=["stream"])
    shown = pd.read_csv(tmp_path / "stream_response.csv").set_index("event")["role"].to_dict()
    assert shown == {"go": "standard", "no-go": "deviant", "cue": "neither"}
    runs = pd.read_csv(tmp_path / "stream_run.csv").query("who == 'network'")
    np.testing.assert_allclose(runs["mean"], 1 - 0.8 * 0.25)


def test_the_number_of_standards_before_a_deviant():
    (stream,) = streams([recorded(Oddball(**SHORT), frequencies)])
    run = stream.run_before(0)
    heard = []
    for got, row in zip(run.tolist(), stream.trials.itertuples(), strict=True):
        if row.kind == "train":
            # the stimuli since the last silence, the last of them first
            assert got == next((k for k, name in enumerate(heard[::-1]) if name != "A"), len(heard))
            heard.append(row.event)
        elif row.kind == "probe":
            heard = []
        else:
            after = stream.trials["before"].iloc[row.Index + 1]
            heard = [after]
    assert slope(np.array([0.0, 1.0, 2.0]), np.array([1.0, 1.5, 2.0])) == 0.5
    assert np.isnan(slope(np.ones(3), np.arange(3.0)))


def test_who_knows_the_transitions_and_who_knows_frequencies():
    paradigm = SerialOrder(blocks=[{"trials": 300, "transitions": ALTERNATING}])
    for share in (0.0, 0.3, 1.0):
        found = recorded(
            paradigm, lambda block, before, event, share=share: 0.5 + share * (ALTERNATING[before][event] - 0.5)
        )
        table = analyse([found], only=["transitions"])
        # f is counted, and a little off one half
        assert value(table, "transitions.slope") == pytest.approx(share, abs=0.02)
        assert value(table, "transitions.slope_complete") == pytest.approx(0.8 * share, abs=1e-9)
        if share:
            assert value(table, "transitions.surprise") == pytest.approx(1)
    assert value(table, "transitions.slope_chance") < 0.3
    assert abs(value(table, "transitions.slope_frequency")) < 0.1
    assert value(table, "transitions.slope_transition") == pytest.approx(1, abs=0.15)


def test_shuffles_are_those_of_a_loop():
    rng = np.random.default_rng(3)
    x, y = (rng.random(30) < 0.3).astype(float), rng.random(30)
    for statistic, plain in (
        ("difference", lambda a: y[a == 1].mean() - y[a == 0].mean()),
        ("slope", lambda a: slope(a, y)),
    ):
        order = np.random.default_rng(5).permuted(np.tile(np.arange(30), (7, 1)), axis=1)
        np.testing.assert_allclose(
            shuffled(statistic, x, y, np.random.default_rng(5), 7), [plain(x[each]) for each in order]
        )
    assert learned_share(np.array([[0.6, 0.4]]), np.array([[0.9, 0.1]]), np.array([0.5, 0.5])) == pytest.approx(0.25)
    assert np.isnan(learned_share(x, x, x))


def test_what_is_no_stream_is_told():
    cues = {"left": {"latency": {"A": "300 ms"}, "probability": {"A": 1.0}}}
    for paradigm in (Meet(), Meet(blocks=[{"trials": 5, "cues": cues}], probes=[5])):
        made = paradigm.experiment(np.random.default_rng(0))
        table = analyse([synthetic.recording(made, states=False)], only=["mismatch", "transitions"])
        assert table["value"].isna().all()
        assert table["note"].str.contains("needs a stream").all()


def test_without_omissions_the_rest_is_there():
    found = recorded(Oddball(**SHORT, omission_every=0), frequencies)
    table = analyse([found], only=["mismatch", "transitions"])
    assert value(table, "mismatch.minus_standard", event="B") == pytest.approx(0.48)
    assert "block 0 has no omission" in set(table["note"])
    (stream,) = streams([found])
    with pytest.raises(Exception, match="no omission"):
        omission(stream, 0)


def sequences():
    """Return an oddball and its controls on two seeds, as networks that know the probabilities would have them."""
    paradigm, following = Oddball(**SHORT), dict(zip("ABCDE", "BCDEA", strict=True))
    return by_cue(
        [
            recorded(paradigm, expected, variant, seed)
            for seed in range(2)
            for variant, expected in (
                ("oddball", frequencies),
                ("many_standards", lambda *each: 0.2),
                ("cascade", lambda block, before, event: float(following[before] == event)),
            )
        ]
    )


def test_figures_show_what_was_measured(tmp_path):
    made = make_figures(sequences(), tmp_path, only=["stream", "transitions"])
    assert {path.name for path in made.paths} >= {"stream.png", "transitions.png", "stream_response.csv"}
    table = pd.read_csv(tmp_path / "stream_response.csv")
    shown = table[table["who"] == "network"].set_index(["variant", "event"])["mean"]
    assert shown["oddball", "B"] == pytest.approx(0.84)
    assert set(shown.index) == {("oddball", "A"), ("oddball", "B"), ("many_standards", "B"), ("cascade", "B")}
    table = pd.read_csv(tmp_path / "transitions_expected.csv")
    network = table[table["who"] == "network"]
    np.testing.assert_allclose(network["mean"], network["true"])
