"""Neuromodulators: kinetics in closed form, what releases them, who hears them, and one of a user's own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import ClassVar, Literal

import bench
import numpy as np
import pytest
import small

from izhires.errors import ConfigurationError
from izhires.neuromodulators.base import Neuromodulator
from izhires.plasticity.base import Plasticity
from izhires.recordings.citations import declared, identifiers, used
from izhires.recordings.recording import load
from izhires.rules.base import Rule
from izhires.rules.td import Td
from izhires.running.run import draw, simulate, simulate_together
from izhires.sweeps.design import read as read_sweep
from izhires.sweeps.driver import sweep

TRIALS = [("A", 10), ("B", 5), ("", 0), ("A", 12), ("", 0, "probe"), ("B", 8)]
LENGTH = 22

EVERYTHING = {
    "when__feedback": "0 mV/ms",
    "when__gate": {"type": "level", "of": "acetylcholine", "gain": 0.5},
    "readouts": {"value": "value"},
    "neuromodulators": {
        "dopamine": {"type": "reward_prediction_error", "reward": {"A": 1.0, "B": -0.5}, "delay": "5 ms"},
        "acetylcholine": {"type": "acetylcholine", "tau_rise": "10 ms", "tau_decay": "50 ms"},
        "noradrenaline": {"type": "surprise", "lowest": 0.0},
        "serotonin": {"type": "spikes", "cells": "cells"},
        "histamine": {
            "release": "few*(1 + int(chance(t) < 0.3))",
            "counts": {"few": {"of": "cells", "members": [1, 4, 70]}, "others": {"of": "cells"}},
            "equations": "all : 1\ndrawn : 1",
            "update": "all = others\ndrawn = chance(t)",
        },
    },
    "keep__record": [
        {"of": "histamine", "variable": "released", "every": "1 ms"},
        {"of": "histamine", "variable": "all", "every": "1 ms"},
        {"of": "histamine", "variable": "drawn", "every": "1 ms"},
        {"of": "serotonin", "variable": "released", "every": "1 ms"},
        {"of": "dopamine", "variable": "level", "every": "1 ms"},
    ],
}
"""A small network with a neuromodulator of each kind of drive."""


def levels(neuromodulator, trials=TRIALS, dt=1.0, record=(), known=None, window=20, **changes):
    """Return what is recorded of ``neuromodulators.c`` on the bench, one row a step of the trials."""
    found = bench.run(
        bench.model(dt=dt, neuromodulators={"c": neuromodulator}, **changes), bench.task(trials, window=window),
        record=("c.level", "c.released", *record), known=known,
    )  # fmt: skip
    return {name: values[: round(len(trials) * (window + 2) / dt)] for name, values in found.items()}


def happened(trials=TRIALS, dt=1.0, worth=(1, 1), delay=0, window=20):
    """Return what events release in each step."""
    released = np.zeros(round(len(trials) * (window + 2) / dt) + 1000)
    for number, (event, latency, *_) in enumerate(trials):
        if event:
            released[round((number * (window + 2) + latency + delay) / dt)] += worth["AB".index(event)]
    return released[: round(len(trials) * (window + 2) / dt)]


def response(released, rise, decay, dt):
    """Return the level without a tonic one: releases, each with its difference of exponentials in exact steps."""
    n = np.arange(len(released))
    a, b = np.exp(-dt / rise) if rise else 0.0, np.exp(-dt / decay)
    one = (1 - a) * (b ** (n + 1) - a ** (n + 1)) / (b - a) if rise else b**n
    return np.convolve(released, one)[: len(released)]


# kinetics


@pytest.mark.parametrize("dt", [1.0, 0.5])
@pytest.mark.parametrize("rise", [0, 4, 40])
@pytest.mark.parametrize("tonic", [0.0, 0.3])
def test_a_level_rises_and_decays_as_a_difference_of_exponentials(rise, tonic, dt):
    found = levels({"tau_rise": f"{rise} ms", "tau_decay": "15 ms", "tonic": tonic}, dt=dt)
    expected = tonic + response(happened(dt=dt), rise, 15, dt)
    assert np.ptp(expected) > 0.2
    np.testing.assert_allclose(found["c.level"][:, 0], expected, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(found["c.released"][:, 0], happened(dt=dt))


def test_exact_steps_are_those_of_continuous_time():
    """One release: decay/(decay - rise)*(exp(-t/decay) - exp(-t/rise)), to the order of the step."""
    rise, decay, dt = 4.0, 15.0, 0.1
    t = np.arange(2000) * dt
    continuous = decay / (decay - rise) * (np.exp(-t / decay) - np.exp(-t / rise))
    discrete = response(np.eye(1, 2000)[0], rise, decay, dt)
    assert np.abs(discrete - continuous).max() < 0.03
    # what is released raises the level by as much in all, however it rises
    assert abs(discrete.sum() * (1 - np.exp(-dt / decay)) - 1) < 1e-5


@pytest.mark.parametrize("rise", [0, 3])
@pytest.mark.parametrize("delay", [1, 7, 40])
def test_what_is_released_arrives_after_the_delay(delay, rise):
    """Also when several releases are on their way at once."""
    found = levels({"tau_rise": f"{rise} ms", "tau_decay": "15 ms", "delay": f"{delay} ms"})
    expected = response(happened(delay=delay), rise, 15, 1.0)
    assert expected.max() > 0.4
    np.testing.assert_allclose(found["c.level"][:, 0], expected, rtol=0, atol=1e-12)


def test_a_level_stops_at_its_lowest():
    found = levels({"reward": {"A": 1.0, "B": -2.0}, "tonic": 0.2, "lowest": 0.0, "tau_decay": "15 ms"})
    level, expected, decay = found["c.level"][:, 0], [0.2], np.exp(-1 / 15)
    for released in happened(worth=(1, -2)):
        expected.append(max(0.2 + (expected[-1] - 0.2) * decay + released, 0.0))
    np.testing.assert_allclose(level, expected[1:], rtol=0, atol=1e-12)
    assert level.min() == 0
    assert level.max() > 0.8


# what releases it


@pytest.mark.parametrize(
    ("reward", "worth"), [({}, (1, 1)), ("A", (1, 0)), (["B"], (0, 1)), ({"A": 0.5, "B": -2}, (0.5, -2))]
)
def test_events_are_worth_what_is_stated(reward, worth):
    found = levels({"type": "dopamine", "reward": reward})
    np.testing.assert_array_equal(found["c.released"][:, 0], happened(worth=worth))


def test_an_expression_of_ones_own():
    """With a variable of its own, the level of the step before, and the signals of the task."""
    found = levels(
        {
            "release": "at_cue*(1 - level) + 0.1*count*at_event",
            "equations": "count : 1",
            "update": "count += at_cue*learn(t)",
            "tau_decay": "15 ms",
        }
    )
    level, count, expected = 0.0, 0, []
    for step in range(len(TRIALS) * LENGTH):
        trial, elapsed = divmod(step, LENGTH)
        event, latency, *probe = TRIALS[trial]
        count += elapsed == 0 and not probe
        released = (elapsed == 0) * (1 - level) + 0.1 * count * bool(event and elapsed == latency)
        level = level * np.exp(-1 / 15) + released
        expected.append(level)
    np.testing.assert_allclose(found["c.level"][:, 0], expected, rtol=0, atol=1e-12)


def test_a_prediction_error_is_that_of_the_value_readout():
    """The sum of the errors of the events that are worth something; and it is the error of the reward itself."""
    value = {"value": {"type": "value", "rule": Td(rate="0.5 1/ms", tau_discount="20 ms", tau_eligibility="5 ms")}}
    found = levels(
        {"type": "reward_prediction_error", "reward": {"A": 2.0, "B": -1.0}, "gain": 0.5, "tau_rise": "0 ms"},
        record=("value.delta", "value.z"), readouts=value,
    )  # fmt: skip
    errors = found["value.delta"] @ [2.0, -1.0]
    np.testing.assert_allclose(found["c.released"][:, 0], 0.5 * errors, rtol=0, atol=1e-14)
    predicted = found["value.z"] @ [2.0, -1.0]
    expected = happened(worth=(2, -1)) + np.exp(-1 / 20) * predicted - np.concatenate([[0], predicted[:-1]])
    assert np.abs(predicted).max() > 0.05
    np.testing.assert_allclose(errors, expected, rtol=0, atol=1e-14)
    level = 0.05 + response(0.5 * errors, 0, 700, 1.0)
    np.testing.assert_allclose(found["c.level"][:, 0], level, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("of", "measure"), [("what", "unsigned"), ("what", "shannon"), ("when", "unsigned")])
def test_surprise_is_what_the_readout_did_not_expect(of, measure):
    found = levels({"type": "surprise", "of": of, "measure": measure, "gain": 2.0},
                   what={"type": "two_factor", "rate": 0.4}, record=("when.error",))  # fmt: skip
    expected = np.zeros(len(TRIALS) * LENGTH)
    for trial, (event, latency, *_) in enumerate(TRIALS):
        outcome = np.array([event == name for name in "AB"], float)
        end = trial * LENGTH + 20
        if of == "when":
            if event:
                moment = trial * LENGTH + latency
                expected[moment] = 2 * abs(found["when.error"][moment, "AB".index(event)])
            continue
        q = found["q"][end]
        size = np.abs(outcome - q).sum() / 2 if measure == "unsigned" else -outcome @ np.log(np.clip(q, 0.01, 1))
        expected[end + 1] = 2 * size
    assert len(np.unique(np.round(expected, 6))) >= 3
    np.testing.assert_allclose(found["c.released"][:, 0], expected, rtol=0, atol=1e-12)


@pytest.fixture(scope="module")
def runs():
    """The network with everything, on both devices."""
    return {device: simulate(small.configuration(**EVERYTHING), 3, device=device) for device in ("cpp", "numpy")}


@pytest.mark.parametrize("device", ["cpp", "numpy"])
def test_cells_release_as_much_as_they_fire(runs, device):
    recording = runs[device]
    released = recording["serotonin_released"].values[:, 0]
    # the spikes of the step before, each of which released 0.01
    steps = np.floor(recording["spike_time"].values * 1e3 + 1e-6).astype(int) + 1
    counted = np.bincount(steps, minlength=len(released))[: len(released)]
    assert counted.max() > 3
    np.testing.assert_allclose(released, 0.01 * counted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("device", ["cpp", "numpy"])
def test_a_neuromodulator_hears_chosen_cells_and_chance(runs, device):
    recording = runs[device]
    released, everyone, drawn = (recording[f"histamine_{name}"].values[:, 0] for name in ("released", "all", "drawn"))
    steps = np.floor(recording["spike_time"].values * 1e3 + 1e-6).astype(int) + 1
    few = np.isin(recording["spike_neuron"].values, [1, 4, 70])
    counted, chosen = (np.bincount(each, minlength=len(released))[: len(released)] for each in (steps, steps[few]))
    assert 3 < chosen.sum() < counted.sum() / 5
    np.testing.assert_array_equal(everyone, counted)
    np.testing.assert_array_equal(released, chosen * (1 + (drawn < 0.3)))
    # a number of its own in each step, uniform
    assert len(np.unique(drawn)) == len(drawn)
    assert drawn.min() >= 0
    assert drawn.max() < 1
    np.testing.assert_allclose(np.quantile(drawn, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=2 / np.sqrt(len(drawn)))


def test_both_devices_give_the_same(runs):
    one, other = runs["cpp"], runs["numpy"]
    assert np.array_equal(one["spike_time"], other["spike_time"])
    for name in ("dopamine_level", "acetylcholine_level", "noradrenaline_level", "serotonin_level", "histamine_level",
                 "value", "value_delta", "value_weights", "when_weights"):  # fmt: skip
        assert np.ptp(one[name].values) > 1e-4, name
        np.testing.assert_allclose(one[name], other[name], rtol=0, atol=1e-9 * float(abs(one[name]).max()))


def test_a_recording_holds_the_level_in_every_probe(runs):
    recording = runs["cpp"]
    level = recording["dopamine_level"]
    assert level.dims == ("probe", "time")
    assert recording["value_delta"].dims == ("probe", "event", "time")
    cue = recording["trial_cue"].values[recording["trial_of_probe"].values[1]]
    first = round(cue * 1e3)
    # what one asked to keep of the whole run has a name of its own
    course = recording["kept_dopamine_level"].values[:, 0]
    np.testing.assert_array_equal(level[1], course[first : first + level.sizes["time"]])


def test_two_networks_side_by_side_are_those_of_two_runs():
    drawn = [draw(small.configuration(**EVERYTHING), seed) for seed in (3, 5)]
    together = simulate_together(drawn, "cpp")
    assert not np.array_equal(*(each["dopamine_level"] for each in together))
    for seed, mine in zip((3, 5), together, strict=True):
        alone = simulate(small.configuration(**EVERYTHING), seed, device="cpp")
        for name in ("dopamine_level", "acetylcholine_level", "noradrenaline_level", "serotonin_level",
                     "histamine_level", "value", "when_weights", "value_weights"):  # fmt: skip
            assert np.array_equal(alone[name], mine[name]), name


# who hears it


class Hearing(Plasticity):
    """Synapses that write down what is around them, and change nothing."""

    type: Literal["hearing_of_this_test"] = "hearing_of_this_test"
    equations: ClassVar[str] = "around : 1"
    update: ClassVar[str] = "around = factor"
    source: ClassVar[str] = "a test"

    def factors(self):
        return {"factor": "c"}

    def every(self):
        return 1.0


def test_a_level_is_around_the_cells_that_it_reaches():
    plastic = {"excitation": {"plasticity": "hearing_of_this_test"}}
    record = [
        {"of": "excitation", "variable": "around", "elements": [0, 5], "every": "1 ms"},
        {"of": "c", "variable": "released", "every": "1 ms"},
    ]
    given = {"tau_decay": "15 ms", "tonic": 0.1, "reaches": ["cells"]}
    model = small.configuration(neuromodulators={"c": given}, connections=plastic, keep__record=record)
    recording = simulate(model, 0, device="numpy")
    expected = 0.1 + response(recording["c_released"].values[:, 0], 0, 15, 1.0)
    assert expected.max() > 1
    for element in (0, 5):
        np.testing.assert_allclose(
            recording["excitation_around"].sel(excitation_around_element=element), expected, atol=1e-12
        )
    with pytest.raises(ConfigurationError, match=r"plasticity\[0\]: 'c' does not reach 'cells' \(valid: others\)"):
        small.configuration(
            neuromodulators={"c": {**given, "reaches": "others"}},
            connections=plastic,
            populations={"others": {"n": 10}},
        )


class Listening(Rule):
    """Two-factor rule of once a trial whose rate is the level of a neuromodulator."""

    type: Literal["weighted_by_a_level"] = "weighted_by_a_level"
    schedule: ClassVar[str] = "trial"
    equations: ClassVar[str] = "heard : 1\nstep : second**2"
    channel_update: ClassVar[str] = "heard = rate\nstep = rate*learning*error/(power + 1*Hz**2)"
    weight_update: ClassVar[str] = "w += step_post*x_pre*rate_post/clip(rate_post, 1e-9, inf)"
    source: ClassVar[str] = "a test"

    def factors(self):
        return {"rate": "c"}


def test_a_rule_of_once_a_trial_listens_too():
    found = levels({"tau_decay": "15 ms"}, what=Listening(), record=("what.heard",))
    ends = np.arange(len(TRIALS)) * LENGTH + 20
    heard = found["what.heard"][ends, 0]
    np.testing.assert_allclose(heard, found["c.level"][ends, 0], rtol=0, atol=1e-14)
    assert heard[0] > 0.4
    assert np.any(found["what"][ends[0]])


def test_a_name_is_of_one_level():
    class Both(Listening):
        """A rule of every step that calls another level as the gate does."""

        type: Literal["weighted_by_both_levels"] = "weighted_by_both_levels"
        schedule: ClassVar[str] = "step"

        def factors(self):
            return {"level": "d"}

    model = small.configuration(
        when__rule=Both(), when__gate={"type": "level", "of": "c"}, neuromodulators={"c": {}, "d": {}}
    )
    with pytest.raises(ConfigurationError, match="rule and gate both call a level 'level'"):
        small.planned(model)


# what cannot be


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"neuromodulators": {"c": "dopamin"}},
         r"s.c.type: 'dopamin' is not a neuromodulator, did you mean 'dopamine'\? \(valid: acetylcholine, dopamine"),
        ({"neuromodulators": {"c": {"type": "reward_prediction_error", "of": "valu"}}, "readouts": {"value": "value"}},
         r"c.of: there is no readout 'valu', did you mean 'value'\? \(valid: when, what, value\)"),
        ({"neuromodulators": {"c": {"type": "reward_prediction_error", "of": "when"}}, "readouts": {"value": "value"}},
         r"c.of: the rule of 'when' has no 'delta', as the rule 'td' has \(valid: value\)"),
        ({"neuromodulators": {"c": {"type": "surprise", "of": "when", "measure": "shannon"}}},
         r"c.of: 'when' predicts no probability, which 'shannon' needs \(valid: what\)"),
        ({"neuromodulators": {"c": {"type": "spikes", "cells": "cell"}}},
         r"c.cells: there is no population 'cell', did you mean 'cells'\? \(valid: cells\)"),
        ({"neuromodulators": {"c": "spikes"}}, r"c.cells: name the population whose spikes release it"),
        ({"neuromodulators": {"c": {"per_spike": 1.0}}}, r"c.cells: name the population whose spikes release it"),
        ({"neuromodulators": {"c": {"reaches": ["cels"]}}}, r"c.reaches: there is no population 'cels', did you mean"),
        ({"neuromodulators": {"c": {"sums": {"x": {"of": "who"}}}}}, r"c.sums.x.of: there is no readout 'who'"),
        ({"neuromodulators": {"c": {"sums": {"level": {"of": "what"}}}}}, r"c.sums: 'level' cannot be a name here"),
        ({"neuromodulators": {"c": {"counts": {"x": {"of": "cel"}}}}}, r"c.counts.x.of: there is no population 'cel'"),
        ({"neuromodulators": {"c": {"counts": {"x": {"of": "cells", "members": [100]}}}}},
         r"c.counts.x.members: 'cells' has the cells 0 to 99, got 100"),
        ({"neuromodulators": {"c": {"counts": {"x": {"of": "cells"}}, "sums": {"x": {"of": "what"}}}}},
         r"c.counts: 'x' cannot be a name here"),
        ({"neuromodulators": {"c": {"tau_rise": "200 ms"}}}, r"c.tau_rise: must differ from tau_decay, 200 ms"),
        ({"neuromodulators": {"c": {"lowest": 1.0}}}, r"c.lowest: must be at most the tonic level, 0, got 1"),
        ({"when__gate": {"type": "level", "of": "dopamin"}, "neuromodulators": {"dopamine": {}}},
         r"when.gate: there is no neuromodulator 'dopamin', did you mean 'dopamine'\? \(valid: dopamine\)"),
        ({"when__gate": {"type": "level", "lowest": 2.0}, "neuromodulators": {"dopamine": {}}},
         r"when.gate.lowest: must be at most highest, 1, got 2"),
        ({"connections": {"excitation": {"plasticity": "hearing_of_this_test"}}},
         r"connections.excitation.plasticity\[0\]: there is no neuromodulator 'c'"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_in_one_line(changes, said):
    with pytest.raises(ConfigurationError, match=said) as error:
        small.configuration(**changes)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"reward": ["C"]}, r"neuromodulators.c.reward: there is no event 'C' \(valid: A, B\)"),
        ({"delay": "0.7 ms"}, r"c.delay: must be a whole multiple of the readouts' step, 1 ms, got 0.7 ms"),
        ({"sums": {"x": {"of": "confidence", "summand": "q", "rewarded": True}}}, "has not one channel an event"),
    ],
)
def test_what_the_task_does_not_have_is_said_in_one_line(given, said):
    with pytest.raises(ConfigurationError, match=said) as error:
        small.planned(small.configuration(neuromodulators={"c": given}, confidence={}))
    assert len(str(error.value).splitlines()) == 1


def test_an_expression_that_cannot_be_read_is_named():
    with pytest.raises(ConfigurationError, match="at_evnt") as error:
        simulate(small.configuration(neuromodulators={"c": {"release": "at_evnt"}}), 0, device="numpy")
    assert "c_update" in str(error.value)


# from files and scripts

SCRIPT = '''
from typing import ClassVar, Literal
from izhires.declare import Milliseconds, parameter
from izhires.neuromodulators.base import Neuromodulator

class Octopamine(Neuromodulator):
    """Released at rewards, the less the more there is."""
    type: Literal["octopamine"] = "octopamine"
    most: float = parameter(2.0, "largest level")
    release: str = "reward*(1 - level/most)"
    tau_decay: Milliseconds = parameter("15 ms", "decay of the level")
    source: ClassVar[str] = "this script"
'''


def test_one_of_ones_own_is_a_class_of_a_script(tmp_path):
    (tmp_path / "mine.py").write_text(SCRIPT)
    text = small.configuration(when__feedback="0 mV/ms").to_toml()
    text = f'import = ["mine.py"]\n{text.replace("[neuromodulators]", "")}\n[neuromodulators.octopamine]\n'
    (tmp_path / "own.toml").write_text(text + 'type = "octopamine"\nmost = 0.5\nreward = ["A"]\n')
    command = [sys.executable, "-m", "izhires"]
    listed = subprocess.run(
        [*command, "list", "neuromodulators", "--import", tmp_path / "mine.py"], capture_output=True, text=True
    )
    assert "octopamine  " in listed.stdout, listed.stderr
    done = subprocess.run(
        [*command, "run", "meet", "--config", tmp_path / "own.toml", "--seeds", "0", "--device", "numpy",
         "--out", tmp_path / "out"], capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert load(tmp_path / "out" / "meet_seed0.nc")["octopamine_level"].shape[0] > 3


def test_a_sweep_over_the_decay(tmp_path):
    """From a TOML file; both runs are of one build."""
    base = small.configuration(when__feedback="0 mV/ms").to_toml()
    base = base.replace("\n[", "\n[base.").replace("[base.[", "[[base.")
    first, _, tables = base.partition("\n[base.")
    text = (
        'paradigm = "meet"\nseeds = "0"\nmetrics = ["mean_rate"]\n[design.parameters]\n'
        '"neuromodulators.dopamine.tau_decay" = ["20 ms", "300 ms"]\n'
        f"[base]\n{first}\n[base.{tables}"
    ).replace("[base.neuromodulators]", '[base.neuromodulators.dopamine]\ntype = "dopamine"\nreward = ["A"]')
    (tmp_path / "sweep.toml").write_text(text)
    spec = read_sweep(tmp_path / "sweep.toml")
    sweep(spec, tmp_path / "out", device="numpy", processes=1)
    paths = sorted((tmp_path / "out").rglob("*.nc"))
    means = [float(load(path)["dopamine_level"].mean()) for path in paths]
    assert len(means) == 2
    assert max(means) > 1.5 * min(means)


def test_what_was_used_is_cited():
    made = small.configuration(**EVERYTHING)
    parts = used({"configuration": json.dumps(made.to_dict()), "paradigm": "meet", "device": "cpp"})
    assert "neuromodulator reward_prediction_error" in parts
    assert "neuromodulator spikes" in parts
    assert "rule td" in parts
    assert "10.1126/science.275.5306.1593" in identifiers(declared()["neuromodulator reward_prediction_error"])
    for name, each in small.shipped(Neuromodulator).items():
        assert identifiers(declared()[f"neuromodulator {name}"]), name
        assert all(row["source"] for row in each.symbols()), name
