"""A model made of parts: further readouts, recordings of any variable, the Brian2 network itself, and extensions."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import ClassVar, Literal

import brian2 as b2
import numpy as np
import pytest
import small

import izhires
from izhires.building.parts import Group, Link, Monitor, Pathway, Update, check, from_dict, to_dict
from izhires.building.plan import Plan
from izhires.declare import parameter
from izhires.errors import ConfigurationError
from izhires.model.configuration import Configuration, read
from izhires.readouts.trial import Trial
from izhires.recordings.recording import load, save
from izhires.running.run import draw, network, simulate, simulate_together

OPEN_LOOP = {"when__feedback": "0 mV/ms"}
HERE = __file__.rpartition("/")[0]
DEVICES = ["cpp", "numpy"]


# parts


def test_a_plan_is_plain_data_and_back():
    _, plan, _ = small.planned(small.configuration(confidence={}, state__shuffled_at_test=True))
    again = Plan.from_dict(plan.to_dict())
    assert again == plan
    assert again.fingerprint() == plan.fingerprint()
    assert [from_dict(to_dict(part)) for part in plan.parts] == list(plan.parts)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([Group("a", 1, "x : 1"), Group("a", 1, "x : 1")], "two parts of the network have this name"),
        ([Update("u", "nobody", "x = 1", "drive")], "no part 'nobody'"),
        (
            [Group("a", 1, "x : 1"), Update("u", "a", "x = 1", "driv")],
            "no place in a step 'driv', did you mean 'drive'?",
        ),
        ([Group("a", 1, "x : 1 (linked)")], "'x' is linked in one place and not in the other"),
        ([Group("a", 1, "x : 1 (linked)", links={"x": Link("b", "x")})], "no group 'b'"),
        ([Group("a", 1, "x : 1"), Pathway("p", "a", "b", "w : 1")], "no group 'b'"),
        ([Monitor("m", "cell", ("v",))], "no part 'cell'"),
    ],
)
def test_parts_that_do_not_fit_are_refused(parts, said):
    with pytest.raises(ConfigurationError, match=said):
        check(tuple(parts))


def test_equations_need_no_last_newline():
    reservoir = small.configuration().reservoir
    cut = small.configuration(reservoir__equations=reservoir.cell.equations.rstrip("\n"))
    assert small.planned(cut)[1].fingerprint() == small.planned(small.configuration())[1].fingerprint()


@pytest.mark.parametrize("update", ["s = 0.9*s + r/Hz\nx = r\n", "x = r\ns = 0.5*s + 0.1*(r - x)/Hz + r/Hz\n"])
def test_shuffling_leaves_the_texts_of_a_state_as_they_are(update):
    """What a cell's own state is does not depend on whether the readouts see another's at test."""
    rule = {"type": "three_factor", "rate": "1e-9 1/ms"}
    own = {"state__equations": "s : 1\nx : Hz", "state__update": update, "when__rule": rule, **OPEN_LOOP}
    _, plan, _ = small.planned(small.configuration(**own, state__shuffled_at_test=True))
    assert plan.part("state_filter").code == update
    plain, shuffled = (
        small.outputs(small.configuration(**own, state__shuffled_at_test=on), "numpy") for on in (False, True)
    )
    assert np.array_equal(plain["spikes.t"], shuffled["spikes.t"])
    assert np.array_equal(plain["when_snapshots.w"], shuffled["when_snapshots.w"])
    assert plain["when_snapshots.w"].any()


# further readouts


@pytest.mark.parametrize("device", DEVICES)
def test_a_further_readout_learns_as_the_first_does(device):
    """Two online readouts of one rule and gate, without feedback, say the same; one of another rule does not."""
    rule, gate = (
        {"type": "normalised_three_factor", "rate": "0.02 1/ms", "surprise_gain": 5.0, "surprise_rate": 0.4},
        {
            "type": "event_window",
            "half_width": "30 ms",
        },
    )
    twin = {"rule": rule, "gate": gate, "feedback": "0 mV/ms"}
    model = small.configuration(
        **OPEN_LOOP, readouts={"twin": twin, "late": {"type": "trial", "rule": {"type": "two_factor", "rate": 0.05}}}
    )
    recording = simulate(model, seed=3, device=device)
    assert np.array_equal(recording["twin"], recording["when"])
    assert np.array_equal(recording["twin_weights"], recording["when_weights"])
    assert np.array_equal(recording["trial_twin"], recording["trial_when"], equal_nan=True)
    assert recording["late"].dims == recording["what"].dims
    assert not np.array_equal(recording["late"], recording["what"])
    assert float(abs(recording["late"]).max()) > 0.1
    alone = simulate(small.configuration(**OPEN_LOOP), seed=3, device=device)
    for name in alone.variables:
        assert np.array_equal(alone[name], recording[name], equal_nan=alone[name].dtype.kind == "f"), name


def test_two_readouts_feed_back_together():
    one = small.configuration(when__feedback="0.5 mV/ms")
    two = small.configuration(when__feedback="0.5 mV/ms", readouts={"twin": {"feedback": "0 mV/ms"}})
    _, plan, _ = small.planned(two)
    assert plan.part("drive").code.rstrip().endswith("+ feedback + feedback_twin")
    first, second = (small.outputs(each, "numpy") for each in (one, two))
    assert np.array_equal(small.spikes(first), small.spikes(second))


def test_names_of_readouts():
    with pytest.raises(ConfigurationError, match="readouts: 'keep' cannot be a name here"):
        small.configuration(readouts={"keep": {}})
    with pytest.raises(ConfigurationError, match="'a b' cannot be a name here"):
        small.configuration(readouts={"a b": {}})


@pytest.mark.parametrize(
    ("name", "kind", "variable"),
    [
        ("rate", "online", "rate"),  # the rates of the cells were not in the recording
        ("kind", "trial", "trial_kind"),
        ("reward", "choice", "trial_choice_reward"),
        ("value", "choice", "trial_choice_value"),
        ("choice", "value", "trial_choice"),
        ("count", "online", "trial_count"),
        ("against", "confidence", "trial_count_against"),
    ],
)
def test_no_readout_takes_the_name_of_another_variable(name, kind, variable):
    with pytest.raises(ConfigurationError, match=f"{name!r} cannot be a name here.*'{variable}' is something else"):
        small.configuration(readouts={name: {"type": kind}})


def test_what_is_recorded_of_a_readout_has_the_names_that_it_says(tmp_path):
    """And can be written: a readout called 'value' could not."""
    readouts = {"value": {"type": "value"}, "reward": {"type": "trial"}, "again": {"type": "confidence"}}
    model = small.configuration(readouts=readouts)
    found = simulate(model, 3, device="numpy")
    for name, each in model.all_readouts().items():
        assert set(each.recorded(name)) <= set(found.data_vars), name
    assert load(save(found, tmp_path / "a.nc"))["trial_value"].attrs["long_name"].startswith("timing prediction")


class Greedy(Trial):
    """A readout that records under a name that is not its own."""

    type: Literal["greedy"] = "greedy"
    source: ClassVar[str] = "this test"
    under: str = parameter("", "the name", source="this test")

    def variables(self, results, name):
        return {self.under: super().variables(results, name)[f"trial_{name}"]}


@pytest.mark.parametrize("under", ["trial_kind", "rate", "state_trace", "mean_state", "trial_what"])
def test_no_variable_is_replaced_by_another(under):
    model = small.configuration(readouts={"mine": {"type": "greedy", "under": under}})
    with pytest.raises(ConfigurationError, match=rf"(mine|{under}): .*records"):
        simulate(model, 3, device="numpy")


# what is recorded


@pytest.mark.parametrize("device", DEVICES)
def test_any_variable_is_recorded(device):
    record = [
        {"of": "cells", "variable": "v", "elements": [0, 7], "every": "0.5 ms"},
        {"of": "when", "variable": "gate", "every": "1 ms"},
        {"of": "excitation", "variable": "w", "elements": [1], "every": "100 ms"},
    ]
    model = small.configuration(keep__record=record)
    recording = simulate(model, seed=0, device=device)
    v = recording["cells_v"]
    assert v.dims == ("cells_v_time", "cells_v_element")
    assert v.attrs["units"] == "V"
    assert v["cells_v_element"].values.tolist() == [0, 7]
    np.testing.assert_allclose(np.diff(v["cells_v_time"]), 0.5e-3)
    assert recording["excitation_w"].attrs["units"] == "V/s"
    assert 0 <= recording["when_gate"].min() < recording["when_gate"].max() == 1
    # v is taken before the cells of that step: after the reset of the one before
    spikes = recording["spike_time"].values[recording["spike_neuron"] == 7]
    assert len(spikes) > 3
    after = v.sel(cells_v_element=7).interp(cells_v_time=spikes + 0.5e-3, method="nearest")
    c = small.planned(model)[2]["cells.c"][7]
    np.testing.assert_allclose(after, c, rtol=1e-12)
    without = simulate(small.configuration(), seed=0, device=device)
    assert np.array_equal(without["prediction"], recording["prediction"])


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"of": "cell", "variable": "v"}, r"keep.record\[0\].of: there is no part 'cell', did you mean 'cells'\?"),
        ({"of": "cells", "variable": "volt"}, r"keep.record\[0\].variable: 'cells' has no variable 'volt'"),
        ({"of": "cells", "variable": "v", "elements": [100]}, r"elements 0 to 99, got 100"),
        (
            {"of": "cells", "variable": "v", "every": "0.7 ms"},
            r"must be a multiple of the cells' step, 0.5 ms, got 0.7 ms",
        ),
    ],
)
def test_what_cannot_be_recorded(record, said):
    with pytest.raises(ConfigurationError, match=said):
        small.planned(small.configuration(keep__record=[record]))


def test_memory_counts_what_is_recorded():
    from izhires.running.resources import needed_memory

    few, many = (
        small.planned(small.configuration(keep__record=record))[1]
        for record in ([], [{"of": "cells", "variable": "v", "every": "0.5 ms"}])
    )
    steps = round(few.duration / few.cell_step)
    assert needed_memory(many) - needed_memory(few) == 8 * steps * (100 + 1)


# the door to Brian2


def test_the_network_in_the_users_hands_gives_the_same_spikes():
    model = small.configuration(reservoir__noise="0.3 mV/sqrt(ms)")
    before, b2.prefs.codegen.target = b2.prefs.codegen.target, "numpy"
    try:
        net = izhires.network(model, seed=3)
        trace = b2.StateMonitor(net["cells"], "v", record=[0])
        net.add(trace)
        net.run(3 * small.TRIAL * b2.second)
        found = np.array(net["spikes"].t), np.array(net["spikes"].i)
    finally:
        b2.prefs.codegen.target = before
    expected = small.outputs(model, "numpy", 3)
    early = expected["spikes.t"] < 3 * small.TRIAL - 1e-9
    assert early.sum() > 20
    assert np.array_equal(found[0], expected["spikes.t"][early])
    assert np.array_equal(found[1], expected["spikes.i"][early])
    assert len(trace.t) == round(3 * small.TRIAL / 0.5e-3)


@pytest.mark.parametrize("device", DEVICES)
def test_an_extension_runs_on_every_device(device):
    record = [{"of": "counter", "variable": "n", "elements": [0], "every": "1 ms"}]
    model = small.configuration(extend=f"{HERE}/extension_counter.py:count", keep__record=record)
    recording = simulate(model, seed=0, device=device)
    counted, times = recording["counter_n"].values[:, 0], recording["counter_n_time"].values
    # by the beginning of a step, the spikes of all steps before
    expected = np.searchsorted(recording["spike_time"].values, times - 1e-9)
    assert recording["counter_n"].attrs["units"] == "1"
    assert counted[-1] > 100
    assert np.array_equal(counted, expected)
    assert np.array_equal(recording["spike_time"], simulate(small.configuration(), seed=0, device=device)["spike_time"])


@pytest.mark.parametrize(
    ("extend", "said"),
    [
        ("nothing", "is neither 'module:function' nor 'file.py:function'"),
        ("nowhere.py:f", "nowhere.py: No such file"),
        (f"{HERE}/extension_counter.py:counts", "defines no 'counts', did you mean 'count'?"),
        (f"{HERE}/extension_counter.py:in_python", "extend: in_python: a network_operation runs in Python"),
        (f"{HERE}/extension_counter.py:reads_numbers", "reads_numbers failed: NotImplementedError"),
    ],
)
def test_extensions_that_cannot_be(extend, said):
    with pytest.raises(ConfigurationError, match=said):
        simulate(small.configuration(extend=extend), seed=0)


MISTAKES = """
import brian2 as b2
def lost(network):
    cells = network["cells"]
    counter = b2.NeuronGroup(1, "n : 1", name="counter", clock=cells.clock)
    to_counter = b2.Synapses(cells, counter, on_pre="n_post += 1", name="to_counter", clock=cells.clock)
    to_counter.connect()
    network.add(to_counter)
def same(network):
    network.add(b2.NeuronGroup(1, "n : 1", name="cells"))
def mine(network):
    network.add(b2.NeuronGroup(1, "n : 1\\nv : volt\\nq : volt/second", name="mine"))
"""


@pytest.mark.parametrize("device", ["numpy", "cpp"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lost", "^extend: to_counter: needs an object that was not added; network.add has to be given all of them$"),
        ("same", "^extend: cells: is the name of a part of this network; take another$"),
        ("mine", r"'mine' has no variable 'w' \(valid: n, q, v\)$"),
    ],
)
def test_mistakes_in_an_extension_are_told_in_one_line(name, said, device, tmp_path):
    (tmp_path / "my.py").write_text(MISTAKES)
    record = [{"of": "mine", "variable": "w", "elements": [0]}] if name == "mine" else []
    with pytest.raises(ConfigurationError, match=said):
        simulate(small.configuration(extend=f"{tmp_path}/my.py:{name}", keep__record=record), seed=0, device=device)


@pytest.mark.parametrize("device", ["numpy", "cpp"])
def test_what_is_recorded_of_an_extension_has_its_unit(device, tmp_path):
    (tmp_path / "my.py").write_text(MISTAKES)
    record = [{"of": "mine", "variable": name, "elements": [0]} for name in ("n", "v", "q")]
    found = simulate(small.configuration(extend=f"{tmp_path}/my.py:mine", keep__record=record), seed=0, device=device)
    assert [found[f"mine_{name}"].attrs["units"] for name in ("n", "v", "q")] == ["1", "V", "V/s"]
    source = hashlib.sha256((tmp_path / "my.py").read_bytes()).hexdigest()[:16]
    assert json.loads(found.attrs["imports"])[str(tmp_path / "my.py")] == source


def test_an_extension_is_looked_for_beside_the_file_that_names_it(tmp_path, monkeypatch):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "my.py").write_text(MISTAKES)
    (tmp_path / "inner" / "c.toml").write_text('extend = "my.py:mine"\n')
    monkeypatch.chdir(tmp_path)
    found = read("inner/c.toml")
    assert found.extend == f"{tmp_path / 'inner' / 'my.py'}:mine"
    (tmp_path / "again.toml").write_text(found.to_toml(), encoding="utf-8")
    assert read(tmp_path / "again.toml") == found
    with pytest.raises(ConfigurationError, match=re.escape(f"{tmp_path / 'my.py'}: No such file")):
        draw(read(None, ["extend=my.py:mine"]), 0)


@pytest.mark.parametrize("make", [simulate, network, draw])
def test_a_configuration_and_no_dict(make):
    with pytest.raises(ConfigurationError, match=r"^configuration: is a dict; make it one with izhires\.Configuration"):
        make({"reservoir": {"n": 100}}, seed=0)


def test_the_page_of_recordings_records_what_it_says():
    page = (Path(__file__).parents[1] / "docs" / "howto" / "record.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    plan = draw(Configuration.parse(tomllib.loads(text)), 0).plan
    assert {"record_cells_v", "record_when_weights_w"} <= {part.name for part in plan.parts}
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(code, {})


def test_an_extension_knows_one_network_only():
    drawn = [draw(small.configuration(extend=f"{HERE}/extension_counter.py:count"), seed) for seed in (0, 1)]
    with pytest.raises(ConfigurationError, match="--replicates: 'count' knows one network only"):
        simulate_together(drawn, "numpy")
