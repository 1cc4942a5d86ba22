"""What a course follows: recordings that follow one candidate, the last trial, or a mean of known memory."""

import numpy as np
import pytest
from synthetic import MEET, experiment, recording

from izhires.analysis import analyse
from izhires.analysis.metrics.calibration import pearson
from izhires.analysis.metrics.foreperiod import CANDIDATES, courses, memory, past
from izhires.paradigms import Foreperiod


@pytest.fixture(scope="module")
def made():
    block = {"catch": 0.1, "distribution": {"kind": "exponential", "mean": "200 ms"}}
    paradigm = Foreperiod(trials=100, blocks=[block])
    return recording(paradigm.experiment(np.random.default_rng(0), "exponential"), states=False)


def values(made):
    table = analyse([made], only=["foreperiod"])
    assert set(table["event"]) == {"target"}
    return table.assign(part=table["metric"].str.partition(".")[2]).set_index("part")["value"]


def following(made, course):
    """The recording, with a prediction of its own: of all probes, or ``course(probe)``."""
    curves = [course(probe) if callable(course) else course for probe in range(made.sizes["probe"])]
    return made.assign(prediction=(("probe", "event", "time"), np.array(curves)[:, None]))


@pytest.mark.parametrize("name", CANDIDATES)
def test_each_candidate_is_told_from_the_others(made, name):
    true = courses(made, 0, "target")[name].to_numpy()
    found = values(following(made, 3 * true))
    assert found[f"r_{name}"] == pytest.approx(1) and found[f"within_{name}"] == pytest.approx(1)
    assert found[f"error_{name}"] == pytest.approx(2 * np.sqrt(np.mean(true**2)))
    for other in CANDIDATES:
        assert other == name or found[f"r_{other}"] < 0.98
    assert values(following(made, true))[f"error_{name}"] == pytest.approx(0, abs=1e-12)
    if not name.startswith("blurred"):
        assert (found["preference"] > 0) == (name == "probability")


def test_candidates_stand_on_one_scale(made):
    # a fixed blur of the width of the bump is the expectation; the blurred forms have the same area
    found = courses(made, 0, "target")
    assert found["probability"].sum() * 1e-3 == pytest.approx(0.9 * np.sqrt(2 * np.pi) * 0.04, rel=1e-3)
    early = found.index < 0.2
    for one, other in (("probability", "survivor"), ("blurred_probability", "blurred_survivor")):
        np.testing.assert_allclose(found[one][early], found[other][early], rtol=0.25, atol=1e-3)


def test_a_prediction_of_the_last_trial_alone_scores_its_chance(made):
    def last(probe):
        bumps = past(made, probe, "target")
        return bumps[0] if len(bumps) else np.zeros(made.sizes["time"])

    found = values(following(made, last))
    assert found["last_trial"] == pytest.approx(1) and found["memory"] == 0.3
    # of the ten last trials, what it is of all of them on average
    table = courses(made, 0, "target")
    own = [pearson(last(probe), table["probability"].to_numpy()) for probe in range(made.sizes["probe"])[-10:]]
    assert found["r_probability"] == pytest.approx(np.nanmean(own))
    assert found["one_trial"] == pytest.approx(np.nanmean(own), abs=0.3)
    assert found["counting"] > 0.95 > found["one_trial"]


def test_the_memory_of_a_mean_over_past_trials(made):
    bumps = past(made, made.sizes["probe"] - 1, "target")
    assert len(bumps) == 100
    happened = made["trial_event"].values[made["trial_kind"].values == "train"] == "target"
    np.testing.assert_array_equal(bumps.max(1)[::-1] > 0.5, happened)  # the last trial first, nothing in a catch trial
    for tau in (1, 5, 20, 100):
        assert memory(np.exp(-np.arange(100) / tau) @ bumps, bumps) == tau
    found = values(following(made, lambda probe: np.exp(-np.arange(len(past(made, probe, "target"))) / 10)
                             @ past(made, probe, "target")))  # fmt: skip
    assert found["memory"] == 10


def test_readiness_is_the_slope_over_the_latency(made):
    rising = made.assign(trial_when=(("trial", "event"), 2 * made["trial_latency"].values[:, None]))
    assert values(rising)["readiness"] == pytest.approx(1)
    falling = made.assign(trial_when=(("trial", "event"), -made["trial_latency"].values[:, None]))
    assert values(falling)["readiness"] == pytest.approx(-1)


def test_what_cannot_be_said(made):
    table = analyse([recording(experiment(MEET[:1]), states=False)], only=["foreperiod"])
    assert table["note"].tolist() == ["needs events with several latencies in a block"]
    table = analyse([following(made, np.zeros(made.sizes["time"]))], only=["foreperiod"]).set_index("metric")
    assert np.isnan(table["value"]["foreperiod.r_probability"])
    assert table["note"]["foreperiod.r_probability"] == "the prediction is constant, or there are too few trials"
    assert table["value"]["foreperiod.error_probability"] == pytest.approx(table["value"]["foreperiod.none"])
