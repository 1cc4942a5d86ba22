"""Conditions change what they say and nothing else, on every circuit, alone and together."""

import itertools
import json

import numpy as np
import pytest
import small

from izhires.circuits.base import Reservoir
from izhires.errors import ConfigurationError
from izhires.model.conditions import all_conditions, apply, condition
from izhires.model.configuration import Configuration
from izhires.recordings.recording import load
from izhires.running.run import draw, simulate

NAMES = list(all_conditions())
CIRCUITS = list(small.shipped(Reservoir))


def flat(data, place=""):
    """Return every value of nested tables by its dotted key; lists are one value."""
    if not isinstance(data, dict):
        return {place: data}
    return {
        key: value for name, each in data.items() for key, value in flat(each, f"{place}.{name}".strip(".")).items()
    }


def changed(one, other):
    one, other = flat(one.to_dict()), flat(other.to_dict())
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


@pytest.mark.parametrize("circuit", CIRCUITS)
@pytest.mark.parametrize("name", NAMES)
def test_a_condition_changes_what_it_names_and_nothing_else(name, circuit):
    before = Configuration.parse({"reservoir": circuit})
    after = apply(before, [name])
    named = all_conditions()[name].changes(before)
    found = changed(before, after)
    assert all(any(f"{key}.".startswith(f"{each}.") for each in named) for key in found)
    # a control of what the circuit lacks leaves it alone; there is none that does nothing to the default circuit
    assert found or circuit != "sequence"
    assert apply(after, [name]) == after or name.startswith(("noise_", "cells_"))


def test_every_description_is_one_line():
    for name, each in all_conditions().items():
        assert each.name == name
        assert each.description
        assert "\n" not in each.description
        assert name.replace("_", "").isalnum()


def test_the_controls_that_the_claims_need_are_there():
    assert {
        "no_feedback", "no_gate", "literal_window_gate", "no_recurrence", "homogeneous_cells", "canonical_cells",
        "shuffled_readout", "no_learning", "frozen_what", "frozen_when", "open_loop_at_test", "noise_none",
        "noise_double", "cells_100", "cells_4000",
    } <= set(NAMES)  # fmt: skip


CLEAR = ["no_feedback", "no_gate", "noise_double", "frozen_what", "confidence", "canonical_cells"]


@pytest.mark.parametrize("pair", list(itertools.permutations(CLEAR, 2)))
def test_order_is_of_no_importance(pair):
    found = apply(Configuration(), pair)
    assert found == apply(Configuration(), reversed(pair))
    assert changed(Configuration(), found) == set().union(
        *(changed(Configuration(), apply(Configuration(), [name])) for name in pair)
    )


def test_none_is_the_configuration_itself():
    assert apply(small.configuration(), []) == small.configuration()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["no_gates"], "--condition: 'no_gates' is not a condition, did you mean 'no_gate'? (valid: "),
        (["no_gate", "slow_gate"], "--condition: 'slow_gate' and 'no_gate' both change when.gate"),
        (
            ["frozen_when", "no_learning"],
            "--condition: 'no_learning' and 'frozen_when' both change when.learning_blocks",
        ),
        (["unconnected", "noise_double"], "--condition: 'noise_double' and 'unconnected' both change reservoir.noise"),
        (["no_recurrence", "unconnected"], "--condition: 'unconnected' and 'no_recurrence' both change reservoir"),
        (["joint", "force"], "--condition: 'force' and 'joint' both change when.rule"),
    ],
)
def test_what_cannot_be_together(names, message):
    with pytest.raises(ConfigurationError) as caught:
        apply(Configuration(), names)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_combination_that_cannot_be_names_the_conditions(monkeypatch):
    monkeypatch.setattr("izhires.model.conditions._KNOWN", all_conditions())
    condition("own", "own", {"prediction": "joint"})
    with pytest.raises(ConfigurationError) as caught:
        apply(Configuration(), ["no_feedback", "own"])
    assert str(caught.value).startswith(
        "when.rule: with no_feedback, own: 'uncertainty_three_factor' learns at every step"
    )
    with pytest.raises(ConfigurationError, match="there is a condition 'own' already"):
        condition("own", "again", {})


# what they do to the network


def arrays(configuration, *names, seed=3):
    return draw(apply(configuration, names), seed)


@pytest.mark.parametrize("circuit", ["sequence", "random"])
def test_without_recurrence_every_weight_is_0_and_all_else_the_same(circuit):
    before, after = arrays(small.configuration(circuit)), arrays(small.configuration(circuit), "no_recurrence")
    assert before.plan.fingerprint() == after.plan.fingerprint()
    for name in before.arrays:
        if name in ("excitation.w", "inhibition.w"):
            assert before.arrays[name].any()
            assert not after.arrays[name].any()
        else:
            np.testing.assert_array_equal(before.arrays[name], after.arrays[name])


@pytest.mark.parametrize("circuit", CIRCUITS)
def test_homogeneous_and_canonical_cells(circuit):
    # which cells there are does not depend on what becomes of their synapses
    born = {"development": None} if circuit == "grown" else {}
    configuration = Configuration.parse({"reservoir": {"type": circuit, **born}})
    types = np.array(configuration.reservoir.cell_types())
    canonical = arrays(configuration, "canonical_cells")
    homogeneous = arrays(configuration, "homogeneous_cells")
    spread = arrays(configuration)
    after = np.array(homogeneous.configuration.reservoir.cell_types())
    assert set(after) == {"RS", "FS"}
    assert np.array_equal(homogeneous.configuration.reservoir.excitatory(), configuration.reservoir.excitatory())
    for name in "abcd":
        values = [each.arrays[f"cells.{name}"] for each in (spread, canonical, homogeneous)]
        for kind in np.unique(types):
            assert len(np.unique(values[1][types == kind])) == 1
        for kind in np.unique(after):
            assert len(np.unique(values[2][after == kind])) == 1
    assert any(
        len(np.unique(spread.arrays[f"cells.{name}"][types == kind])) > 1
        for name in "abcd"
        for kind in np.unique(types)
    )
    bias = homogeneous.arrays["state.bias"]
    for kind in ("RS", "FS"):
        assert np.ptp(bias[after == kind]) < 1e-12


@pytest.mark.parametrize("factor", [("none", 0.0), ("half", 0.5), ("double", 2.0), ("quadruple", 4.0)])
def test_noise(factor):
    name, times = factor
    before = arrays(Configuration()).arrays["cells.noise"]
    assert before > 0
    np.testing.assert_allclose(
        arrays(Configuration(), f"noise_{name}").arrays["cells.noise"], times * before, rtol=1e-12
    )


@pytest.mark.parametrize("n", [100, 250, 500, 2000, 4000])
def test_sizes_receive_the_same_input_on_average(n):
    """Excitation of the excitatory cells, from other cells, within a tenth of that in the default network."""

    def received(found):
        reservoir, weights = found.configuration.reservoir, found.arrays["excitation.w"]
        excitatory = reservoir.excitatory()
        target = found.arrays["excitation.j"]
        return weights[excitatory[target]].sum() / excitatory.sum()

    configuration = Configuration.parse({"paradigm": {"type": "meet", "blocks": small.PARADIGM["blocks"]}})
    before, after = (
        np.mean([received(arrays(configuration, *names, seed=s)) for s in (1, 2)]) for names in ((), (f"cells_{n}",))
    )
    assert apply(configuration, [f"cells_{n}"]).reservoir.n == n
    assert abs(after / before - 1) < 0.1


# what they do to a run, in the small task


def test_no_learning_leaves_nothing_learned():
    found = simulate(apply(small.configuration(), ["no_learning"]), 0)
    assert not found["when_weights"].any()
    assert not found["what_weights"].any()
    assert not found["prediction"].any()


@pytest.mark.parametrize(
    ("name", "frozen", "other"), [("frozen_what", "what", "when"), ("frozen_when", "when", "what")]
)
def test_what_is_frozen_stays_after_the_first_block(name, frozen, other):
    found = simulate(apply(small.configuration(), [name]), 0)
    late = found["block"].values == 1
    weights = found[f"{frozen}_weights"].values
    end = weights[~late][-1]
    assert end.any()
    assert np.array_equal(weights[late], np.tile(end, (late.sum(), 1, 1)))
    assert np.any(found[f"{other}_weights"].values[late][-1] != found[f"{other}_weights"].values[~late][-1])


def test_the_command_line_takes_several(command_line, tmp_path):
    path = tmp_path / "it.toml"
    path.write_text(small.configuration().to_toml(), encoding="utf-8")
    arguments = ("run", "meet", "--config", path, "--condition", "no_learning", "--condition", "no_feedback")
    code, _ = command_line(*arguments, "--seeds", "1", "--out", tmp_path / "out")
    assert code == 0
    held = Configuration.parse(json.loads(load(tmp_path / "out" / "meet_seed1.nc").attrs["configuration"]))
    assert held == apply(small.configuration(), ["no_learning", "no_feedback"])
    code, said = command_line("run", "meet", "--condition", "no_gates", "--out", tmp_path / "none")
    assert code == 2
    assert said.err.startswith("izhires: --condition: 'no_gates' is not a condition, did you mean 'no_gate'?")
    assert not (tmp_path / "none").exists()
