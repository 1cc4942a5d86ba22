"""Responses of dopamine in a recording made by hand, and Rescorla-Wagner models against their closed forms."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from izhires.analysis import analyse, make_figures
from izhires.analysis.metrics.conditioning import SCALE, fitted, rescorla_wagner, scaled
from izhires.analysis.selection import by_cue
from izhires.paradigms import TraceConditioning

DESIGNS = {
    "blocking": [
        {"name": "element", "trials": 80, "probability": {"A": 1.0, "B": 0.0}},
        {"name": "compound", "trials": 80, "probability": {"AX": 1.0, "BY": 1.0}, "tests": ["AX", "X", "Y"]},
    ],
    "probability": [{"name": "acquisition", "trials": 120, "probability": {"a": 0.0, "b": 0.5, "c": 1.0}}],
}
RATE = 0.05
WORTH = np.exp(-0.3)


def recording(design, seed=0, context=False):
    """A recording in which dopamine does what a Rescorla-Wagner model of a known rate says."""
    made = TraceConditioning(designs=DESIGNS).experiment(np.random.default_rng(seed), design)
    table, heard = made.trials, made.inputs.groupby("onset")["channel"].apply(tuple)
    stimuli = [heard[cue] for cue in table["cue"]]
    rewarded = (table["event"] != "").to_numpy()
    total, before = rescorla_wagner(stimuli, rewarded, table["learn"].to_numpy(), RATE, context)
    released = np.zeros(round(made.duration * 1e3))
    for k, cue in enumerate(np.rint(table["cue"] * 1e3).astype(int)):
        released[cue + 20] += WORTH * (total[k] - before[k])
        released[cue + 600] += rewarded[k] - total[k]
    data = {f"trial_{name}": ("trial", table[name].to_numpy()) for name in table if name != "cue_name"}
    data |= {f"outcome_{name}": ("outcome", made.outcomes[name].to_numpy()) for name in made.outcomes}
    data |= {f"input_{name}": ("input", made.inputs[name].to_numpy()) for name in made.inputs}
    probes = np.flatnonzero(table["kind"] == "probe")
    data |= {
        "trial_cue_name": ("trial", table["cue_name"].to_numpy()),
        "cue_name": ("probe", table["cue_name"].to_numpy()[probes]),
        "dopamine_released": (("dopamine_released_time", "dopamine_released_element"), released[:, None]),
    }
    coords = {"dopamine_released_time": np.arange(len(released)) / 1e3, "event": ["reward"]}
    coords |= {"trial": np.arange(len(table)), "probe": np.arange(len(probes))}
    configuration = {"readouts": {"value": {"rule": {"type": "td", "tau_discount": "2000 ms"}}}}
    attrs = {"paradigm": "trace_conditioning", "variant": design, "seed": seed, "cue_duration": made.cue_duration}
    return xr.Dataset(data, coords, attrs | {"window": made.window, "configuration": json.dumps(configuration)})


@pytest.fixture(scope="module")
def table():
    found = analyse([recording("blocking"), recording("probability")], only=["conditioning"])
    return found.set_index(["metric", "variant", "block"])["value"]


def test_one_stimulus_approaches_the_us_geometrically():
    n = np.arange(40)
    one = [("A",)] * 40
    total, before = rescorla_wagner(one, np.ones(40, bool), np.ones(40, bool), 0.1)
    np.testing.assert_allclose(total, 1 - 0.9**n)
    assert not before.any()
    # a context shares what is learned half and half, and what it knows is no news at the stimulus
    total, before = rescorla_wagner(one, np.ones(40, bool), np.ones(40, bool), 0.1, context=True)
    np.testing.assert_allclose(total, 1 - 0.8**n)
    np.testing.assert_allclose(before, total / 2)


def test_a_stimulus_that_tells_nothing_new_is_blocked():
    first, then = [("A",)] * 30, [("A", "X")] * 30
    every = np.ones(61, bool)
    total, _ = rescorla_wagner([*first, *then, ("X",)], every, every, 0.1)
    rest = 0.9**30
    np.testing.assert_allclose(total[30:60], 1 - rest * 0.8 ** np.arange(30))
    assert total[60] == pytest.approx(rest * (1 - 0.8**30) / 2)
    control, _ = rescorla_wagner([*then, ("X",)], every[:31], every[:31], 0.1)
    assert control[-1] == pytest.approx((1 - 0.8**30) / 2)


def test_a_context_takes_from_a_stimulus_when_the_us_comes_without_it():
    degraded = [("CS",), ()] * 200
    us, learned = np.ones(400, bool), np.ones(400, bool)
    total, before = rescorla_wagner(degraded, us, learned, 0.1, context=True)
    assert (total - before)[10] > 0.1 and (total - before)[-2] < 0.01
    alone, _ = rescorla_wagner(degraded, us, learned, 0.1)
    assert alone[-2] > 0.99


def test_trials_without_learning_teach_nothing():
    total, _ = rescorla_wagner([("A",)] * 3, np.ones(3, bool), np.array([True, False, True]), 0.5)
    assert total.tolist() == [0, 0.5, 0.5]


def test_negative_errors_count_a_sixth():
    released = np.zeros((1, 200))
    released[0, [10, 60, 61, 120]] = 1.0, 0.5, -1.5, -3.0
    np.testing.assert_allclose(scaled(released), [[1, -1 * SCALE, -3 * SCALE, 0]])


def test_the_rate_of_a_model_is_found_again():
    rng = np.random.default_rng(0)
    trials = pd.DataFrame({"stimuli": [("A",)] * 100, "rewarded": rng.random(100) < 0.6, "learn": True})
    total, _ = rescorla_wagner(list(trials["stimuli"]), trials["rewarded"].to_numpy(), np.ones(100, bool), RATE)
    found = fitted(trials.assign(cs=0.7 * total), 0.7)
    assert found.rate == pytest.approx(RATE, rel=0.04) and found.explained > 0.99
    np.testing.assert_allclose(found.us - found.omission, 1)


@pytest.mark.parametrize("context", [False, True])
def test_the_model_that_made_the_responses_wins(context):
    found = analyse([recording("blocking", context=context)], only=["conditioning"])
    found = found[found["block"].isna()].set_index("metric")["value"]
    names = ["conditioning.rw_explained", "conditioning.rw_context_explained"]
    assert found[names[context]] > 0.999 > found[names[not context]]
    assert found[names[context].replace("explained", "rate")] == pytest.approx(RATE, rel=0.04)


def test_responses_are_what_was_released(table):
    v = 1 - (1 - RATE) ** np.arange(40)
    assert table["conditioning.cs_first", "blocking A", 0] == pytest.approx(WORTH * v[:5].mean())
    assert table["conditioning.cs", "blocking A", 0] == pytest.approx(WORTH * v[-20:].mean())
    assert table["conditioning.us_first", "blocking A", 0] == pytest.approx(1 - v[:5].mean())
    assert table["conditioning.us", "blocking A", 0] == table["conditioning.us_after", "blocking A", 0]
    assert table["conditioning.us", "blocking A", 0] == pytest.approx(1 - v[-20:].mean())
    after = 1 - (1 - RATE) ** 40  # probes alone lack the US
    assert table["conditioning.omission", "blocking A", 0] == pytest.approx(-after)
    assert table["conditioning.test", "blocking A", 0] == pytest.approx(WORTH * after)
    assert table["conditioning.cs", "blocking B", 0] == 0
    blocked, control = (table["conditioning.test", f"blocking {name}", 1] for name in "XY")
    assert blocked < 0.15 * control and control == pytest.approx(WORTH * (1 - 0.9**40) / 2)
    assert table["conditioning.cs", "probability c", 0] > table["conditioning.cs", "probability b", 0] > 0
    assert ("conditioning.us", "blocking B", 0) not in table.index  # it was never rewarded


def test_figure_and_its_tables(tmp_path):
    several = [recording(design, seed) for design in DESIGNS for seed in (0, 1)]
    made = make_figures(by_cue(several), tmp_path, only=["conditioning"])
    assert not made.skipped
    tests = pd.read_csv(tmp_path / "conditioning_tests.csv").set_index("cue")
    assert tests.loc["X", "mean"] == pytest.approx(tests.loc["X", "rw_cs"], abs=0.01)
    course = pd.read_csv(tmp_path / "conditioning_course.csv")
    first = course[(course["trials"] == "first 5 trials") & (course["time"] == 625)]
    assert first["mean"].item() == pytest.approx(1 - (1 - (1 - RATE) ** np.arange(5)).mean(), abs=0.01)


def test_other_tasks_have_none():
    other = recording("blocking").assign_attrs(paradigm="meet")
    found = analyse([other], only=["conditioning"])
    assert found["note"].tolist() == ["needs recordings of the paradigm trace_conditioning"]
