"""Foreperiods: distributions against their formulas, the experiment, and the bad declarations."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import small
from scipy.stats import binom

from izhires import simulate
from izhires.analysis import analyse
from izhires.errors import ConfigurationError
from izhires.model.configuration import Configuration
from izhires.paradigms import FixedTrials, Foreperiod
from izhires.paradigms.foreperiod import Distribution


def one(**distribution):
    return {"blocks": [{"distribution": distribution}]}


def test_distributions_by_their_formulas():
    times, chances = Distribution().probabilities()
    assert times.tolist() == list(range(300, 901, 20))
    np.testing.assert_allclose(chances, 1 / 31)
    times, chances = Distribution(kind="exponential", mean="100 ms", shortest="0 ms", longest="0.2 s",
                                  step="100 ms").probabilities()  # fmt: skip
    weights = np.exp([0, -1, -2])
    assert times.tolist() == [0, 100, 200]
    np.testing.assert_allclose(chances, weights / weights.sum())
    times, chances = Distribution(kind="gaussian", mean="600 ms", deviation="100 ms").probabilities()
    assert (chances * times).sum() == pytest.approx(600)
    assert chances[20] / chances[15] == pytest.approx(np.exp(-0.5))  # at 700 and 600 ms
    times, chances = Distribution(kind="bimodal", modes=["400 ms", "800 ms"], deviation="20 ms",
                                  weights=[1, 3]).probabilities()  # fmt: skip
    assert chances[times < 600].sum() == pytest.approx(0.25)
    times, chances = Distribution(kind="list", latencies=["500 ms", "0.3 s"], weights=[3, 1]).probabilities()
    assert (times.tolist(), chances.tolist()) == ([300, 500], [0.25, 0.75])
    for kind in ("gaussian", "bimodal"):  # far from the mean no probability is left, and none is listed
        more = {"mean": "310 ms"} if kind == "gaussian" else {"modes": ["310 ms", "320 ms"]}
        times, chances = Distribution(kind=kind, deviation="1 ms", **more).probabilities()
        assert (chances > 0).all() and chances.sum() == pytest.approx(1)


def test_the_default_has_a_variant_a_distribution_and_true_outcomes():
    paradigm = Foreperiod()
    assert paradigm.variants() == ("uniform", "exponential", "gaussian", "bimodal", "list")
    for block, name in zip(paradigm.blocks, paradigm.variants(), strict=True):
        made = paradigm.experiment(np.random.default_rng(3), name)
        assert (made.paradigm, made.variant, made.events, made.one_cue) == ("foreperiod", name, ("target",), True)
        times, chances = block.distribution.probabilities()
        np.testing.assert_allclose(made.outcomes["latency"] * 1e3, times)
        np.testing.assert_allclose(made.outcomes["probability"], chances)
        training = made.trials[made.trials["kind"] == "train"]
        assert len(training) == 200 and set(np.round(training["latency"] * 1e3)) <= set(times)
    places = (made.trials["kind"] == "train").cumsum()[made.trials["kind"] == "probe"]
    assert places.tolist() == list(range(0, 201, 5))


def test_draws_and_catch_trials_have_the_declared_probabilities():
    paradigm = Foreperiod(**one(kind="list", latencies=["300 ms", "500 ms"], weights=[1, 3]), trials=4000)
    paradigm = paradigm.with_changes(blocks=[paradigm.blocks[0].with_changes(catch=0.2)], probe_every=1000)
    made = paradigm.experiment(np.random.default_rng(0), "list")
    assert made.outcomes["probability"].tolist() == pytest.approx([0.2, 0.6])
    training = made.trials[made.trials["kind"] == "train"]
    assert training["learn"].all()
    for count, p in (
        ((training["event"] == "").sum(), 0.2),
        ((training["latency"] == 0.3).sum(), 0.2),
        ((training["latency"] == 0.5).sum(), 0.6),
    ):
        assert binom.ppf(5e-7, 4000, p) <= count <= binom.isf(5e-7, 4000, p)
    exact = paradigm.with_changes(order="exact", trials=10).experiment(np.random.default_rng(0), "list").trials
    training = exact[exact["kind"] == "train"]
    assert training["latency"].value_counts(dropna=False).sort_index().tolist() == [2, 6, 2]


def test_blocks_that_one_network_lives_through():
    paradigm = Foreperiod(separate=False, trials=7, probe_every=5)
    assert paradigm.variants() == ("",)
    made = paradigm.experiment(np.random.default_rng(0))
    assert made.variant == "" and made.trials["block"].max() == 4
    assert made.outcomes.groupby("block")["probability"].sum().tolist() == pytest.approx([1] * 5)
    assert (made.trials["kind"] == "probe").groupby(made.trials["block"]).sum().tolist() == [3, 2, 2, 2, 2]
    # two alike are one distribution twice, which only variants forbid
    assert Foreperiod(blocks=[{}, {}], separate=False).variants() == ("",)


def test_round_trip_and_seeds():
    paradigm = Foreperiod(blocks=[{"catch": 0.1}, {"name": "late", "distribution": {"shortest": "600 ms"}}])
    again = Foreperiod.parse(paradigm.to_dict())
    assert again == paradigm and hash(again) == hash(paradigm)
    rng = np.random.default_rng
    assert paradigm.experiment(rng(5), "late") == again.experiment(rng(5), "late")
    assert paradigm.experiment(rng(5), "late") != paradigm.experiment(rng(6), "late")


def test_through_toml(tmp_path):
    from izhires.model.configuration import read

    made = Configuration(paradigm="foreperiod")
    path = tmp_path / "foreperiod.toml"
    path.write_text(made.to_toml())
    assert read(path).paradigm == Foreperiod()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"blocks": []}, "Foreperiod.blocks: needs at least one block, got none"),
        ({"blocks": [{}, {}]}, "blocks[1].name: 'uniform' is the same variant as one before it"),
        ({"blocks": [{"catch": 1.0}]}, "Foreperiod.blocks[0].catch: must be below 1.0, got 1.0"),
        ({"event": ""}, "Foreperiod.event: the name of an event is empty"),
        ({"probe_every": 0}, "Foreperiod.probe_every: must be at least 1, got 0"),
        (one(kind="normal"), "distribution.kind: 'normal' is not a choice"),
        (one(kind="exponential"), "distribution.mean: is required of an exponential distribution"),
        (one(mean="0.5 s"), "distribution.mean: a uniform distribution has none"),
        (one(kind="list"), "distribution.latencies: is required"),
        (one(kind="list", latencies=["0.3 s", "0.3 s"]), "distribution.latencies[1]: 300 ms is there twice"),
        (one(kind="list", latencies=["0.3 s"], weights=[1, 2]), "weights: must be as many as latencies, 1, got 2"),
        (one(kind="list", latencies=["0.3 s"], weights=[0]), "weights[0]: must be above 0.0, got 0"),
        (one(kind="list", latencies=["1.5 ms"]), "latencies[0]: must be whole milliseconds, got 1.5 ms"),
        (one(kind="list", latencies=["2 s"]), "latencies[0]: 2000 ms lies outside the window of 1100 ms after the cue"),
        (one(kind="bimodal", modes=["0.4 s"], deviation="9 ms"), "distribution.modes: must be two, got 1"),
        (one(longest="1.2 s"), "distribution.longest: 1200 ms lies outside the window of 1100 ms after the cue"),
        (one(shortest="1 s"), "distribution.longest: 900 ms is below shortest, 1000 ms"),
        (one(step="70 ms"), "distribution.step: 70 ms does not divide 600 ms, longest - shortest"),
        (one(kind="gaussian", mean="90 s", deviation="1 ms"), "longest: no foreperiod has a probability above 0"),
    ],
)
def test_declarations_that_cannot_be(changes, message):
    with pytest.raises(ConfigurationError) as caught:
        Foreperiod(**changes)
    assert message in str(caught.value)
    assert len(caught.value.complaints) == 1


def test_a_variant_that_is_none():
    with pytest.raises(ConfigurationError, match=r"variant: '' is not a variant \(valid: uniform, exponential"):
        Foreperiod().experiment(np.random.default_rng(0))


@pytest.mark.slow
def test_a_network_lives_through_foreperiods_and_the_examples_gate_ends_with_the_target():
    path = Path(__file__).resolve().parents[1] / "examples" / "foreperiod.py"
    example = runpy.run_path(str(path))
    block = {"catch": 0.25, "distribution": {"kind": "list", "latencies": ["60 ms", "110 ms"]}}
    fixed = {name: small.PARADIGM[name] for name in FixedTrials.model_fields}
    made = small.configuration(
        paradigm={"type": "foreperiod", "blocks": [block], "trials": 8, "order": "exact", **fixed},
        when__gate=example["UntilTarget"](),
        keep__record=[{"of": "when", "variable": "gate"}],
    )
    recording = simulate(made, 0, "list")
    assert (recording.attrs["paradigm"], recording.attrs["variant"]) == ("foreperiod", "list")
    opened = recording["when_gate"].values.reshape(-1)
    clock = recording["when_gate_time"].values
    for row in range(recording.sizes["trial"]):
        late, cue = recording["trial_latency"].values[row], recording["trial_cue"].values[row]
        own = (clock >= cue - 1e-6) & (clock < cue + recording.attrs["window"] - 1e-6)
        until = (
            0 if recording["trial_kind"].values[row] != "train" else 220 if np.isnan(late) else round(1e3 * late) + 1
        )
        assert opened[own].tolist() == [1.0] * until + [0.0] * (220 - until)
    table = analyse([recording], only=["foreperiod"]).set_index("metric")["value"]
    assert np.isfinite(table["foreperiod.error_probability"])
