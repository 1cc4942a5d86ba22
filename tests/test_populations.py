"""Several populations and the connections between them, as a configuration file has them."""

import functools
import tomllib
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import small

from izhires.building.replicates import combine, split
from izhires.devices import get
from izhires.errors import ConfigurationError
from izhires.model.configuration import Configuration, read
from izhires.recordings.recording import load, save
from izhires.running.run import draw, simulate
from izhires.wirings.base import Wiring
from izhires.wirings.random import FixedInDegree, FixedOutDegree, Probability
from izhires.wirings.regular import All, OneToOne

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "two_areas.toml"

TWO = """
[populations.other]
n = 40
noise = "0 mV/sqrt(ms)"
bias_excitatory = ["0.1 mV/ms", "0.9 mV/ms"]
bias_inhibitory = ["0.1 mV/ms", "0.9 mV/ms"]
cue_share = 0.5
cue_strength = ["5 mV/ms", "10 mV/ms"]
cell = {type = "lif", composition = {E = 0.75, I = 0.25}, spread = {tau_m = 0.1}}

[connections.forward]
from = "cells"
to = "other"
wiring = {type = "fixed_in_degree", degree = 5}
weight = "1 mV/ms"
delay = ["1 ms", "4 ms"]

[connections.back]
from = "other"
to = "cells"
cells = "inhibitory"
wiring = {type = "fixed_out_degree", degree = 8}
weight = "0.3 mV/ms"

[connections.within]
from = "other"
to = "other"
wiring = "all"
weight = "0.02 mV/ms"
"""


def two(**changes):
    """A small configuration with a second population; `changes` as `Declaration.with_changes` has them."""
    made = Configuration.parse({**small.configuration().to_dict(), **tomllib.loads(TWO)})
    return made.with_changes(**changes)


def fired(found):
    """Spikes of both populations, as `small.spikes` has them."""
    other = {name: found[f"other_spikes.{name.partition('.')[2]}"] for name in ("spikes.t", "spikes.i")}
    return small.spikes(found), small.spikes(other)


@functools.cache
def recorded():
    return simulate(two(), seed=1, device="cpp")


def test_two_populations_fire_alike_on_all_devices():
    one, other = (fired(small.outputs(two(), device, 1)) for device in ("cpp", "numpy"))
    for mine, theirs in zip(one, other, strict=True):
        assert mine.shape[1] > 200
        assert np.array_equal(mine, theirs)
    # what they send changes the others
    assert not np.array_equal(small.spikes(small.outputs(small.configuration(), "numpy", 1)), one[0])


def test_two_networks_side_by_side_are_those_of_two_runs():
    networks = [draw(two(), seed) for seed in (1, 2)]
    plan, arrays = combine([each.plan for each in networks], [each.arrays for each in networks])
    both = split(plan, get("numpy").prepare(plan).run(arrays))
    for seed, mine in zip((1, 2), both, strict=True):
        for found, expected in zip(fired(mine), fired(small.outputs(two(), "numpy", seed)), strict=True):
            assert np.array_equal(found, expected)
    assert not np.array_equal(fired(both[0])[1], fired(both[1])[1])


def test_a_recording_holds_both(tmp_path):
    recording = recorded()
    assert recording["other_cell_type"].values.tolist() == ["E"] * 30 + ["I"] * 10
    spikes = recording["other_spike_neuron"].values
    duration = draw(two(), 1).experiment.duration
    np.testing.assert_allclose(recording["other_rate"], np.bincount(spikes, minlength=40) / duration)
    assert (np.diff(recording["other_spike_time"]) >= 0).all()
    assert recording["other_rate"].attrs["units"] == "Hz"
    again = load(save(recording, tmp_path / "two.nc"))
    for name in ("other_rate", "other_cell_type", "other_spike_time", "other_spike_neuron", "rate", "spike_time"):
        assert np.array_equal(again[name], recording[name])


def test_the_population_that_is_read_is_a_matter_of_choice():
    made = two(**{"state.of": "other", "when.feedback_to": "cells"})
    recording = simulate(made, seed=1, device="numpy")
    assert recording.sizes["neuron"] == 40
    assert recording["cell_type"].values.tolist() == ["E"] * 30 + ["I"] * 10
    assert recording["cells_rate"].sizes == {"cells_neuron": 100}
    assert float(abs(recording["when"]).max()) > 0.05


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state.of": "othr"}, "state.of: there is no population 'othr', did you mean 'other'?"),
        ({"when.feedback_to": "othr"}, "when.feedback_to: there is no population 'othr', did you mean 'other'?"),
        ({"connections.forward.target": "othr"},
         "connections.forward.target: there is no population 'othr', did you mean 'other'?"),
        ({"connections.forward.source": "cell"},
         "connections.forward.source: there is no population 'cell', did you mean 'cells'?"),
        ({"connections.forward.wiring": "al"}, "connections.forward.wiring.type: 'al' is not a wiring"),
        ({"connections.forward.wiring.degre": 3}, "connections.forward.wiring.degre: unknown key"),
        ({"connections.forward.delay": ["0 ms", "1 ms"]},
         "connections.forward.delay: the range must be positive and ascend"),
        ({"connections.forward.weight": "1 mV"}, "connections.forward.weight: '1 mV' has the wrong unit"),
        ({"populations.other.cell": "lift"}, "populations.other.cell.type: 'lift' is not a cell model, "),
        ({"populations.other.cell.composition": {"EE": 1.0}},
         "populations.other.cell.composition.EE: unknown cell type"),
        ({"populations.other.cell.composition": {"E": 1.0}},
         "connections.back.cells: 'other' has no inhibitory cells"),
        ({"populations.other.n": 5}, "populations.other.n: must be at least 10, got 5"),
        ({"populations.other.cue_share": 2}, "populations.other.cue_share: must be at most 1"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(changes, said):
    with pytest.raises(ConfigurationError) as caught:
        two(**changes)
    assert str(caught.value).removeprefix("Configuration.").startswith(said)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"connections.forward.wiring.degree": 90}, "connections.forward.wiring.degree: 90 cells asked for, only 80 "),
        ({"connections.forward.wiring": "one_to_one"}, "connections.forward.wiring: 80 sources and 40 targets cannot "),
        ({"connections.within.wiring": "one_to_one"}, "connections.within.wiring: would connect each cell of a popul"),
    ],
)
def test_a_wiring_that_cannot_be(changes, said):
    with pytest.raises(ConfigurationError) as caught:
        small.planned(two(**changes))
    assert str(caught.value).startswith(said)


def test_a_connection_may_be_empty():
    for wiring in ({"type": "fixed_in_degree", "degree": 0}, {"type": "probability", "p": 0}):
        _, plan, _ = small.planned(two(**{"connections.forward.wiring": wiring}))
        assert "forward" not in {part.name for part in plan.parts}


# wirings


SOURCES, TARGETS = np.arange(3, 23), np.arange(40)


@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize(
    "wiring", [FixedInDegree(degree=7), FixedOutDegree(degree=7), Probability(p=0.3), All()], ids=lambda each: each.type
)
def test_no_pair_twice_and_no_cell_with_itself(wiring, same):
    source, target = wiring.draw(SOURCES, TARGETS, same, np.random.default_rng(0))
    assert set(source) <= set(SOURCES)
    assert set(target) <= set(TARGETS)
    assert len(set(zip(source, target, strict=True))) == len(source) > 0
    assert (source == target).any() != same


def test_degrees():
    rng = np.random.default_rng(0)
    _, target = FixedInDegree(degree=7).draw(SOURCES, TARGETS, True, rng)
    assert np.bincount(target, minlength=40).tolist() == [7] * 40
    source, _ = FixedOutDegree(degree=7).draw(SOURCES, TARGETS, True, rng)
    assert np.bincount(source)[3:].tolist() == [7] * 20
    source, _ = Probability(p=0.3).draw(np.arange(300), np.arange(400), False, rng)
    assert abs(len(source) / 120_000 - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 120_000)
    assert len(All().draw(SOURCES, TARGETS, True, rng)[0]) == 20 * 40 - 20
    assert OneToOne().draw(SOURCES, SOURCES + 1, False, rng)[1].tolist() == (SOURCES + 1).tolist()


def test_pairs_drawn_in_pieces_are_those_drawn_at_once(monkeypatch):
    whole = Probability(p=0.3).draw(SOURCES, TARGETS, True, np.random.default_rng(0))
    monkeypatch.setattr("izhires.wirings.random.AT_ONCE", 90)
    pieces = Probability(p=0.3).draw(SOURCES, TARGETS, True, np.random.default_rng(0))
    assert np.array_equal(whole, pieces)


def test_every_wiring_is_tried_here():
    assert set(small.shipped(Wiring)) == {"fixed_in_degree", "fixed_out_degree", "probability", "all", "one_to_one"}


# the example


def test_the_example_of_two_areas():
    found = read(EXAMPLE)
    assert found.reservoir.cue_share == 0
    assert found.reservoir.cue_strength == (0, 0)
    assert found.populations["sensory"].cue_share > 0
    short = found.with_changes(
        paradigm=small.configuration().paradigm.to_dict(),
        **{"reservoir.n": 200, "reservoir.noise": "0 mV/sqrt(ms)", "populations.sensory.noise": "0 mV/sqrt(ms)",
           "populations.sensory.n": 50},
    )  # fmt: skip
    recordings = [simulate(short, seed=0, device=device) for device in ("cpp", "numpy")]
    for recording in recordings:
        assert 1 < recording["rate"].mean() < 50
        assert 1 < recording["sensory_rate"].mean() < 50
    # what the cue does to the sensory cells is alike; the others go on firing, and small differences grow
    one, other = (each["sensory_rate"].values for each in recordings)
    np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(recordings[0]["rate"].mean(), recordings[1]["rate"].mean(), rtol=0.05)


# how many synapses there are is drawn, too


def some(seed, **changes):
    """Return plan and numbers of a network with plastic synapses of a stated probability, whose weights are kept."""
    slow = {"type": "stdp", "a_plus": 1e-3, "w_max": "1 mV/ms"}
    further = {"wiring": {"type": "probability", "p": 0.3}, "weight": "0.01 mV/ms", "plasticity": slow}
    record = [{"of": "further", "variable": "w", "every": "300 ms"}]
    return small.planned(small.configuration(connections={"further": further}, keep__record=record, **changes), seed)[
        1:
    ]


def test_one_build_for_any_number_of_synapses():
    (plan, arrays), (other, numbers) = some(0), some(1)
    assert plan.length("further") != other.length("further")
    assert plan.fingerprint() == other.fingerprint() != some(0, reservoir__n=90)[0].fingerprint()
    programs = [get("cpp").prepare(each) for each in (plan, other)]
    assert programs[0].folder == programs[1].folder
    assert programs[1].build_seconds == 0
    # the one that was built first is run last
    for program, mine, own in ((programs[1], other, numbers), (programs[0], plan, arrays)):
        found, expected = program.run(own), get("numpy").prepare(mine).run(own)
        assert np.array_equal(small.spikes(found), small.spikes(expected))
        for name in ("further_ends.w", "record_further_w.w"):
            assert found[name].shape[1] == mine.length("further")
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-9, atol=1e-15)
        assert (found["further_ends.w"][1] != found["further_ends.w"][0]).any()


class Single(Wiring):
    """One synapse, from the third cell to the last."""

    type: Literal["with_own_single"] = "with_own_single"

    def draw(self, sources, targets, same, rng):
        return sources[2:3], targets[-1:]


def test_a_single_synapse():
    """With weight and plasticity: the same on cpp and numpy."""
    strong = {"weight": "900 mV/ms", "weight_spread": 0.0, "plasticity": {"type": "stdp", "w_max": "1000 mV/ms"}}
    configuration = small.configuration(connections={"single": {"wiring": "with_own_single", **strong}})
    _, plan, arrays = small.planned(configuration)
    assert plan.length("single") == 1
    found, expected = (get(name).prepare(plan).run(arrays) for name in ("cpp", "numpy"))
    assert np.array_equal(small.spikes(found), small.spikes(expected))
    np.testing.assert_allclose(found["single_ends.w"], expected["single_ends.w"], rtol=1e-9)
    without = small.planned(small.configuration())[1:]
    assert not np.array_equal(small.spikes(found), small.spikes(get("cpp").prepare(without[0]).run(without[1])))


def test_a_device_that_cannot_count_has_a_build_for_each_number(monkeypatch):
    (plan, _), (other, _) = some(0), some(1)
    device = get("cpp")
    assert device.build_key(plan) == device.build_key(other)
    monkeypatch.setattr(type(device), "counts", lambda self: False)
    assert device.build_key(plan) != device.build_key(other)
