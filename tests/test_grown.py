"""Axon remodelling against closed forms and a plain loop, and the circuit that grows by it."""

import dataclasses
import functools
import json
import warnings

import bench
import numpy as np
import pytest
import small
from given import model, run, trains, weights
from terminal import izhires
from test_plasticity import EXACT, loop

from izhires import Configuration
from izhires.circuits import development
from izhires.circuits.development import Developed, Development, develop, examine
from izhires.circuits.grown import TO_INHIBITORY, Grown
from izhires.errors import ConfigurationError, GrowthWarning, SimulationError
from izhires.model.seeds import Seeds
from izhires.plasticity.axon_remodeling import AxonRemodeling
from izhires.running.run import draw, simulate, simulate_together

RULE = {"type": "axon_remodeling", "interval": "100 ms"}


# the rule


def test_isolated_pairs():
    """A pair adds 0.3 exp(-s/8 ms), the other way round it takes 0.06 exp(-s/20 ms); a strong synapse also wears."""
    gaps = np.arange(1, 11)
    found = run(model([[2.0]] * 10, [[3.0 + gap] for gap in gaps], {**RULE, "wear": "0 mV/ms", "decay": 0}), 60)
    np.testing.assert_allclose(weights(found)[1], 0.5 + 0.3 * np.exp(-gaps / 8), **EXACT)
    found = run(model([[2.0 + gap] for gap in gaps], [[3.0]] * 10, {**RULE, "decay": 0}), 60)
    np.testing.assert_allclose(weights(found)[1], 0.5 - 0.06 * np.exp(-gaps / 20) - 0.02, **EXACT)


@pytest.mark.parametrize("device", ["numpy", "cpp"])
def test_random_trains(device):
    """All of it on single synapses: sums are the weight itself, and so each limit, decay and outgrowth is seen."""
    before, after = trains(40, 2000, seed=31), trains(25, 2000, seed=32)
    rule = {**RULE, "most_out": "0.7 mV/ms", "most_in": "0.65 mV/ms", "closed_in": "0.6 mV/ms", "tau_active": "300 ms",
            "outgrowth": "0.05 mV/ms", "decay": 0.1, "wear": "0.05 mV/ms", "a_minus": "0.1 mV/ms"}  # fmt: skip
    found = weights(run(model(before, after, rule, weight="0.1 mV/ms"), 2000, device))
    expected, ways = [], set()
    for each in zip(before, after, strict=True):
        out, into = [0.0], [0.0]

        def fire(w, x, out=out, into=into):
            if w < 0.3 and not (out[0] < 0.7 and into[0] < 0.6):
                ways.add("closed")
                return w
            new = min(w + 0.3 * x["x"], 2)
            if 0.3 < new < 2:
                out[0] += new - w
            return new

        def regular(w, x, out=out, into=into):
            out[0] = into[0] = w if w > 0.3 else 0.0
            excess = 0.5 * max(out[0] - 0.7, 0) + 0.5 * max(into[0] - 0.65, 0)
            seeks = x["fired"] > 0.5 * 300 / 100 and out[0] < 0.9 * 0.7
            w -= excess
            decays = 0.03 < w < 1.4
            w -= 0.1 * (w - 0.03) * decays
            grows = seeks and w < 0.27 and into[0] < 0.6
            ways.update({"excess"} if excess else (), {"decays"} if decays else (), {"seeks"} if grows else ())
            return min(max(w + 0.05 * grows, 0), 2)

        taus = {"x": ("pre", 8), "y": ("post", 20), "fired": ("pre", 300)}
        expected.append(
            loop(*each, 2000, 0.1, fire=fire, regular=regular, every=100, taus=taus, nearest=("x",),
                 arrive=lambda w, x: max(w - 0.1 * x["y"] - 0.05 * (w > 0.3), 0))[0]
        )  # fmt: skip
    np.testing.assert_allclose(found[1], expected, rtol=1e-9, atol=1e-12)
    assert ways == {"closed", "excess", "decays", "seeks"}


@pytest.mark.parametrize("device", ["numpy", "cpp"])
def test_a_cell_makes_few_strong_synapses(device):
    """Ten targets fire at once: the first four grow by 0.4, and then the sum is above 1.3."""
    after = [[4.0]] * 10
    rule = {**RULE, "a_plus": "0.4 mV/ms", "most_out": "1.3 mV/ms", "tau_plus": "1e9 ms", "decay": 0}
    connection = {"wiring": {"type": "fixed_out_degree", "degree": 10}, "weight": "0.1 mV/ms"}
    found = run(model([[2.0]] * 10, after, rule, **connection), 60, device)
    grown = np.zeros((10, 10))
    grown[found["arrays"]["forward.i"], found["arrays"]["forward.j"]] = weights(found)[1]
    np.testing.assert_allclose(grown[:, :4], 0.5, rtol=1e-6)
    np.testing.assert_allclose(grown[:, 4:], 0.1, rtol=1e-6)


def test_limits_out_of_order():
    with pytest.raises(ConfigurationError, match="must lie between rest and w_max"):
        AxonRemodeling(strong="0.01 mV/ms")


# excitability


def test_excitability_of_some_cells_within_a_range():
    configuration = bench.model(
        reservoir__intrinsic={"target": "2 Hz", "speed": "9 mV/ms", "cells": "excitatory",
                              "range": ["2 mV/ms", "2.5 mV/ms"], "learns": "int(cue_weight <= 0*volt/second)"},
    )  # fmt: skip
    found = run(configuration, 400, trials=[("A", 10)] * 2)
    excitatory, moved = configuration.reservoir.excitatory(), found["cells_intrinsic_ends.intrinsic"][-1]
    bias, cued = found["arrays"]["state.bias"], found["arrays"]["state.cue_weight"] > 0
    assert not moved[~excitatory | cued].any()
    mine = (bias + moved)[excitatory & ~cued]
    assert len(mine) > 2
    assert np.all((mine >= 2 - 1e-12) & (mine <= 2.5 + 1e-12))
    assert np.ptp(mine) > 0.1 or np.allclose(mine, 2.5)


# the circuit

LITTLE = {
    "type": "grown", "n": 100, "cue_cells": 6, "inhibitory_degree": 5, "inhibition_degree": 10,
    "development": {
        "trials": 3, "trial_duration": "300 ms", "cue_onset": "50 ms", "plasticity": {"interval": "300 ms"},
    },
}  # fmt: skip


@functools.cache
def little(**changes):
    return Configuration.parse({"reservoir": {**LITTLE, **changes}, "paradigm": small.PARADIGM})


def numbers(configuration, seed=0):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GrowthWarning)
        return draw(configuration, seed).arrays


def test_at_birth():
    circuit = little(development=None).reservoir
    found, members = numbers(little(development=None)), circuit.cue_members(Seeds().generator("topology"))
    excitatory = circuit.excitatory()
    i, j = found["excitation.i"], found["excitation.j"]
    assert excitatory[i].all() and excitatory[j].all() and not np.isin(j, members).any() and not (i == j).any()
    assert set(np.bincount(i, minlength=100)[excitatory]) == {round(0.8 * (80 - 6 - 1))}
    assert np.flatnonzero(found["state.cue_weight"]).tolist() == members.tolist()
    assert [circuit.cell_types()[cell] for cell in members] == ["RS"] * 6
    assert set(found[f"{TO_INHIBITORY}.delay"]) == {1e-3}
    assert not excitatory[found[f"{TO_INHIBITORY}.j"]].any()
    np.testing.assert_allclose(
        [found["excitation.delay"].min(), found["excitation.delay"].max()], [0.02, 0.036], rtol=0.1
    )


def test_developed_it_is_what_the_development_made_of_it(monkeypatch):
    """Of the synapses at birth the strongest remain, with their delays; cells have the excitability they came to."""
    born, found = numbers(little(development=None)), numbers(little())
    circuit = little().reservoir
    grown = develop(circuit, Seeds())
    recording = simulate(development.stage(circuit, Seeds()))
    assert grown.trials == 3
    np.testing.assert_array_equal(grown.weight, recording["excitation_weight"].values[1])
    np.testing.assert_array_equal(grown.excitability, recording["cells_intrinsic"].values[1])
    assert np.array_equal(born["excitation.i"], recording["excitation_source"])
    kept = np.sort(np.argsort(-grown.weight, kind="stable")[: 8 * 80])
    for name in ("i", "j", "delay"):
        assert np.array_equal(found[f"excitation.{name}"], born[f"excitation.{name}"][kept])
    np.testing.assert_array_equal(found["excitation.w"], grown.weight[kept])
    np.testing.assert_allclose(found["state.bias"], born["state.bias"] + grown.excitability, rtol=1e-12)
    assert np.abs(grown.excitability).max() > 0 and grown.weight.max() > born["excitation.w"].max()
    for same in ("inhibition.w", f"{TO_INHIBITORY}.w", "cells.a"):
        assert np.array_equal(found[same], born[same])
    # from the cache, in this process and in another, whatever the task; cut, it is the same network without recurrence
    monkeypatch.setattr("izhires.running.run.simulate", lambda *given: pytest.fail("it was simulated again"))
    development._HELD.clear()
    cut = numbers(little(recurrence=0.0))
    assert np.array_equal(cut["excitation.i"], found["excitation.i"]) and not cut["excitation.w"].any()
    other_task = draw(little().with_changes(seeds={"trials": 8, "noise": 9}), 0).arrays
    assert np.array_equal(other_task["excitation.w"], found["excitation.w"])


def test_excitability_where_another_population_is_read():
    """Its cells then have their drive themselves; and steps of the task are those of the development."""
    other = {"populations": {"other": {"n": 20, "cue_share": 1.0}}, "state": {"of": "other"}}
    elsewhere = Configuration.parse({**little().to_dict(), **other})
    born = numbers(elsewhere.with_changes(**{"reservoir.development": "none"}))
    grown = develop(little().reservoir, Seeds())
    np.testing.assert_allclose(numbers(elsewhere)["cells.bias"], born["cells.bias"] + grown.excitability, rtol=1e-12)
    assert development.stage(little().reservoir, Seeds(), 0.25).time_step == 0.25


def test_it_says_what_came_of_it(monkeypatch):
    development._HELD.clear()
    with pytest.warns(GrowthWarning) as said:
        develop(little(delay_inhibitory="1 ms").reservoir, Seeds())
    texts = [str(each.message) for each in said]
    assert texts[0].startswith("reservoir: the network develops, 3 trials of 0.3 s at most")
    assert "did not grow well in 3 trials: its sequence ends" in texts[1]
    assert "ms after the cue, before 200 ms" in texts[1]  # the window of its trials
    sick = Developed(np.zeros(1), np.zeros(1), reach=2000.0, complete=0.91, early=0.7)
    lacks = Development().falls_short(sick)
    assert lacks == [
        "91% of 100 trials are complete, fewer than 95%",
        "its cells fire at 0.7 Hz before the cue, above 0.5 Hz",
    ]
    assert not Development(reach="800 ms").falls_short(dataclasses.replace(sick, reach=800.0, complete=0.95, early=0.5))
    # and every recording of the task says it
    recording = simulate(little(delay_inhibitory="1 ms").with_changes(keep={"spikes": "none"}))
    told = json.loads(recording.attrs["development"])
    assert told["trials"] == 3 and told["falls_short"] and set(told) >= {"reliable", "reach_ms", "complete", "early_hz"}
    assert "development" not in simulate(small.configuration("grown")).attrs


def test_it_develops_until_it_is_a_sequence(monkeypatch):
    """Stages go on from what the one before left, with another noise; a test after each may be the last."""
    two = Grown.parse({**LITTLE, "development": {**LITTLE["development"], "trials": 6, "tested_every": 3}})
    first, second = development.stages(two, Seeds())
    assert (first.trials, second.trials) == (3, 6)
    born = draw(development.stage(two, Seeds()), 0)
    noise = np.int32(Seeds().integer("topology", "development", "3"))
    went_on = {**born.arrays, "excitation.w": first.weight, "state.bias": born.arrays["state.bias"]
               + first.excitability, "cells.noise_seed": noise}  # fmt: skip
    assert noise != born.arrays["cells.noise_seed"]
    (recording,) = simulate_together([dataclasses.replace(born, arrays=went_on)])
    np.testing.assert_array_equal(second.weight, recording["excitation_weight"].values[1])
    np.testing.assert_array_equal(second.excitability, first.excitability + recording["cells_intrinsic"].values[1])
    # the little network never becomes a sequence, unless little is asked of it
    asked = []
    monkeypatch.setattr(development, "examine", lambda test: asked.append(0) or {"reach": 200.0, "complete": 1.0})
    with pytest.warns(GrowthWarning) as said:
        done = develop(two.with_changes(delay_inhibitory="3 ms"), Seeds())
    assert done.trials == 3 and len(asked) == len(said) == 1
    monkeypatch.setattr(development, "examine", lambda test: asked.append(0) or {"reach": 150.0, "complete": 1.0})
    with pytest.warns(GrowthWarning, match="did not grow well in 6 trials"):
        done = develop(two.with_changes(delay_inhibitory="4 ms"), Seeds())
    assert done.trials == 6 and len(asked) == 3


def test_a_development_that_goes_wrong_is_named(monkeypatch):
    def silent(networks):
        raise SimulationError("the network is silent")

    monkeypatch.setattr("izhires.running.run.simulate_together", silent)
    circuit = little(delay_inhibitory="2 ms").reservoir
    with pytest.warns(GrowthWarning), pytest.raises(SimulationError, match="developed: the network is silent"):
        develop(circuit, Seeds())
    monkeypatch.undo()  # and nothing of it is kept
    with pytest.warns(GrowthWarning, match="did not grow well"):
        assert develop(circuit, Seeds()).weight.any()


def test_one_build_serves_every_seed():
    one, other = (draw(little(), seed) for seed in (0, 1))
    assert one.plan == other.plan
    assert not np.array_equal(one.arrays["excitation.w"], other.arrays["excitation.w"])


def test_workers_say_it_in_one_line(tmp_path):
    config = tmp_path / "little.toml"
    # networks that no other test has seen
    config.write_text(little(cue_strength="7 mV/ms").to_toml())
    done = izhires("run", "meet", "--config", config, "--seeds", "0:2", "--processes", "2", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    said = done.stderr.splitlines()
    assert all(line.startswith("izhires: ") for line in said)  # no warning as Python prints it
    assert sum("the network develops, 3 trials of 0.3 s at most" in line for line in said) == 2
    assert sum("the network of this seed did not grow well" in line for line in said) >= 2
    again = izhires("run", "meet", "--config", config, "--seeds", "0:2", "--out", tmp_path / "again")
    assert "develops" not in again.stderr


def made(first, cells=20, trials=15, early=0):
    """Return trials of spikes as a recording has them: of cell c, in each trial, at first(c, trial) s from the cue."""
    from xarray import Dataset

    times, members, cues = [], [], np.arange(trials) + 0.2
    for trial, cue in enumerate(cues):
        for cell in range(cells):
            at = first(cell, trial)
            if at is not None:
                times += [cue + at, cue + at + 0.02]
                members += [cell, cell]
        times += [cue - 0.05] * early
        members += [0] * early
    order = np.argsort(times, kind="stable")
    return Dataset(
        {
            "excitatory": ("neuron", np.ones(cells, int)), "trial_kind": ("trial", ["warm-up"] * trials),
            "trial_cue": ("trial", cues), "spike_time": ("spike", np.array(times)[order]),
            "spike_neuron": ("spike", np.array(members)[order]),
        },
        attrs={"window": 0.6},
        coords={"neuron": np.arange(cells)},
    )  # fmt: skip


def test_what_a_test_finds():
    """Two cells every 50 ms to 500 ms: all reliable, and each fault is seen in its own number."""
    wave = lambda cell, trial: 0.05 * (cell // 2) + 0.02  # noqa: E731
    assert examine(made(wave)) == {"reliable": 20, "reach": 500, "complete": 1.0, "early": 0.0}
    assert examine(made(wave, early=2))["early"] == pytest.approx(2 / 0.1 / 20)
    # a gap at 200 ms ends the reach; the cells after it stay reliable
    gap = lambda cell, trial: None if cell in (8, 9) else wave(cell, trial)  # noqa: E731
    assert examine(made(gap)) == {"reliable": 18, "reach": 200, "complete": 1.0, "early": 0.0}
    # one trial of ten that counts breaks off half-way
    broken = lambda cell, trial: None if trial == 12 and cell >= 10 else wave(cell, trial)  # noqa: E731
    assert examine(made(broken)) == {"reliable": 20, "reach": 500, "complete": pytest.approx(0.9), "early": 0.0}
    # cells whose time varies are none
    rng = np.random.default_rng(0)
    loose = lambda cell, trial: wave(cell, trial) + (rng.uniform(-0.019, 0.06) if cell == 3 else 0)  # noqa: E731
    assert examine(made(loose))["reliable"] == 19
    nothing = examine(made(lambda cell, trial: None, early=1))
    assert (nothing["reliable"], nothing["reach"], nothing["complete"]) == (0, 0.0, 0.0)


def test_what_cannot_be():
    with pytest.raises(ConfigurationError, match=r"plasticity.interval: must be trial_duration, 900 ms, got 2200 ms"):
        Development(trial_duration="900 ms")
    with pytest.raises(ConfigurationError, match=r"tested_every: must divide trials, 500, got 200"):
        Development(trials=500)
    with pytest.raises(ConfigurationError, match="80 of 80 excitatory cells"):
        Grown.parse({**LITTLE, "cue_cells": 80})
    with pytest.raises(ConfigurationError, match="the range must be positive and ascend"):
        Grown.parse({**LITTLE, "delay": ["5 ms", "2 ms"]})


@pytest.mark.slow
def test_a_sequence_grows():
    """With all defaults: a wave through most cells, to the end of the window of the usual task, in every trial."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GrowthWarning)
        found = develop(Grown(), Seeds(seed=10))
    assert isinstance(found, Developed)
    assert found.reliable > 400 and not Development().falls_short(found) and found.trials < Development().trials
