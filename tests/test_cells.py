"""Cell models: published values, closed forms, firing patterns, and a plain loop beside what the package runs."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import ClassVar, Literal

import brian2 as b2
import numpy as np
import pytest
import small

from izhires import cells
from izhires.cells import CELL_TYPES, Cell, CellType
from izhires.cells.adex import AdEx
from izhires.cells.izhikevich import Izhikevich
from izhires.cells.izhikevich_2007 import Izhikevich2007
from izhires.cells.lif import LIF
from izhires.devices import get
from izhires.errors import ConfigurationError
from izhires.model.configuration import Configuration
from izhires.quantities import quantity, unit

# a, b, c, d of Izhikevich (2003), fig. 2, and the sign of the cell
PUBLISHED = {
    "RS": (True, 0.02, 0.2, -65, 8),
    "IB": (True, 0.02, 0.2, -55, 4),
    "CH": (True, 0.02, 0.2, -50, 2),
    "TC": (True, 0.02, 0.25, -65, 0.05),
    "FS": (False, 0.1, 0.2, -65, 2),
    "LTS": (False, 0.02, 0.25, -65, 2),
    "RZ": (False, 0.1, 0.26, -65, 2),
}


def test_the_published_values():
    assert {
        name: (cell.excitatory, *(cell.values[each] for each in "abcd")) for name, cell in CELL_TYPES.items()
    } == PUBLISHED


DOI = {
    "izhikevich": "10.1109/TNN.2003.820440",
    "izhikevich_2007": "10.7551/mitpress/2526.001.0001",
    "adex": "10.",
    "lif": "10.1023/A:1008925309027",
}


@pytest.mark.parametrize("model", DOI)
def test_every_entry_is_named_and_sourced(model):
    for cell in Cell.alternatives()[model].table.values():
        assert cell.description
        assert f"doi {DOI[model]}" in cell.source


def intervals(name, drive, duration=500, step=0.1):
    """Interspike intervals (ms) of a single cell under a constant drive, by a plain loop."""
    a, b, c, d = (CELL_TYPES[name].values[each] for each in "abcd")
    v, u, times = -65.0, b * -65.0, []
    for k in range(round(duration / step)):
        v, u = (
            v + step * (0.04 * v**2 + 5 * v + 140 - u + drive),
            u + step * a * (b * v - u),
        )
        if v >= 30:
            v, u = c, u + d
            times.append(k * step)
    return np.diff(times)


@pytest.mark.parametrize("name", CELL_TYPES)
def test_a_cell_without_drive_is_silent(name):
    assert len(intervals(name, 0)) == 0


def test_each_type_fires_as_its_name_says():
    regular, bursting, chattering, fast = (intervals(name, 10) for name in ("RS", "IB", "CH", "FS"))
    # regular spiking: single spikes that slow down
    assert regular.min() > 20
    assert regular[0] < regular[1] == pytest.approx(regular[-1], rel=0.02)
    # intrinsically bursting: one burst, then single spikes
    assert bursting[:2].max() < 10
    assert bursting[2:].min() > 20
    # chattering: bursts again and again
    assert ((chattering[:-1] > 20) & (chattering[1:] < 5)).sum() >= 3
    # fast spiking: high rate, hardly any adaptation
    assert fast.max() < 10
    assert fast[1:].max() / fast[1:].min() < 1.3
    # low threshold: fires at a drive that hardly moves a regular one
    assert len(intervals("LTS", 4)) > 3 * len(intervals("RS", 4))


# the other models, as their authors wrote them: mV, ms, pA, nS, pF; I in pA/pF


class Book2007:
    """Izhikevich (2007), chapter 8, one line a type."""

    C = {"RS": 100, "IB": 150, "CH": 50, "TC": 200, "FS": 20, "LTS": 100, "TRN": 40}
    v_r = {"RS": -60, "IB": -75, "CH": -60, "TC": -60, "FS": -55, "LTS": -56, "TRN": -65}
    EXCITATORY = {"RS", "IB", "CH", "TC"}

    def start(self, name):
        return self.v_r[name], 0.0

    def step(self, name, v, u, I, h):
        dv = {
            "RS": lambda: 0.7 * (v + 60) * (v + 40),
            "IB": lambda: 1.2 * (v + 75) * (v + 45),
            "CH": lambda: 1.5 * (v + 60) * (v + 40),
            "TC": lambda: 1.6 * (v + 60) * (v + 50),
            "FS": lambda: 1.0 * (v + 55) * (v + 40),
            "LTS": lambda: 1.0 * (v + 56) * (v + 42),
            "TRN": lambda: 0.25 * (v + 65) * (v + 45),
        }[name]()
        du = {
            "RS": lambda: 0.03 * (-2 * (v + 60) - u),
            "IB": lambda: 0.01 * (5 * (v + 75) - u),
            "CH": lambda: 0.03 * (1 * (v + 60) - u),
            "TC": lambda: 0.01 * ((15 if v <= -65 else 0) * (v + 65) - u),
            "FS": lambda: 0.2 * ((0 if v < -55 else 0.025 * (v + 55) ** 3) - u),
            "LTS": lambda: 0.03 * (8 * (v + 56) - u),
            "TRN": lambda: 0.015 * ((10 if v <= -65 else 2) * (v + 65) - u),
        }[name]()
        v, u = v + h * ((dv - u) / self.C[name] + I), u + h * du
        peak = {"RS": 35, "IB": 50, "CH": 25, "TC": 35 + 0.1 * u, "FS": 25, "LTS": 40 - 0.1 * u, "TRN": 0}[name]
        if v < peak:
            return v, u, False
        return *{
            "RS": (-50, u + 100),
            "IB": (-56, u + 130),
            "CH": (-40, u + 150),
            "TC": (-60 - 0.1 * u, u + 10),
            "FS": (-45, u),
            "LTS": (-53 + 0.04 * u, min(u + 20, 670)),
            "TRN": (-55, u + 50),
        }[name], True


class BookAdEx:
    """Brette & Gerstner (2005), Naud et al. (2008), table 1: C, g_L, E_L, V_T, Delta_T, a, tau_w, b, V_r."""

    TABLE = {
        "RS": (281, 30, -70.6, -50.4, 2, 4, 144, 80.5, -70.6),
        "tonic": (200, 10, -70, -50, 2, 2, 30, 0, -58),
        "adapting": (200, 12, -70, -50, 2, 2, 300, 60, -58),
        "initial_burst": (130, 18, -58, -50, 2, 4, 150, 120, -50),
        "bursting": (200, 10, -58, -50, 2, 2, 120, 100, -46),
        "accelerating": (200, 12, -70, -50, 2, -10, 300, 0, -58),
        "irregular": (100, 12, -60, -50, 2, -11, 130, 30, -48),
    }
    C = {name: row[0] for name, row in TABLE.items()}
    EXCITATORY = set(TABLE) - {"tonic"}

    def start(self, name):
        return self.TABLE[name][2], 0.0

    def step(self, name, v, w, I, h):
        C, g, E, T, D, a, tau, b, reset = self.TABLE[name]
        dv = (-g * (v - E) + g * D * np.exp((v - T) / D) - w) / C + I
        v, w = v + h * dv, w + h * (a * (v - E) - w) / tau
        return (reset, w + b, True) if v >= (20 if name == "RS" else 0) else (v, w, False)


class BookLIF:
    """Brunel (2000): 20 ms, threshold 20 mV, reset 10 mV, refractory for 2 ms; the second variable counts that."""

    C = {"E": 1, "I": 1}
    EXCITATORY = {"E"}

    def start(self, name):
        return 0.0, 0.0

    def step(self, name, v, left, I, h):
        if left > h / 2:
            return 10.0, left - h, False
        v += h * (-v / 20 + I)
        return (10.0, 2.0, True) if v >= 20 else (v, left, False)


BOOKS = {"izhikevich_2007": Book2007(), "adex": BookAdEx(), "lif": BookLIF()}
OURS = {"izhikevich_2007": Izhikevich2007, "adex": AdEx, "lif": LIF}
MODELS = pytest.mark.parametrize("model", BOOKS)

# cells rest before the cue and after their answer, where differences of rounding shrink
QUIET = {
    "izhikevich_2007": ["0.1 mV/ms", "0.3 mV/ms"],
    "adex": ["0 mV/ms", "0.02 mV/ms"],  # the irregular ones go on above 0.03
    "lif": ["0.1 mV/ms", "0.9 mV/ms"],
}


def quiet(model, circuit="unconnected", **changes):
    """A small configuration of a cell model, with all its types in equal shares."""
    names = list(OURS[model].table)
    cell = {"type": model, "composition": dict.fromkeys(names, 1 / len(names))}
    if circuit == "random":
        changes["reservoir__adaptation"] = "none"
    bias = {f"reservoir__bias_{sign}": QUIET[model] for sign in ("excitatory", "inhibitory")}
    return small.configuration(circuit, reservoir__cell=cell, **bias, **changes)


@MODELS
def test_every_type_has_the_published_values_and_sign(model):
    book, table = BOOKS[model], OURS[model].table
    assert {name for name, each in table.items() if each.excitatory} == book.EXCITATORY
    assert set(table) == set(book.C)


@MODELS
@pytest.mark.parametrize("device", ["cpp", "numpy"])
def test_a_network_fires_as_a_plain_loop_of_the_published_equations(model, device):
    made = quiet(model, when__feedback="0 mV/ms")
    experiment, plan, arrays = small.planned(made)
    book, h = BOOKS[model], made.time_step
    bias, cue = arrays["state.bias"], arrays["state.cue_weight"]
    on = np.zeros(plan.steps, bool)
    for each in experiment.trials.itertuples():
        first = round(each.cue * 1e3)
        on[first : first + round(experiment.cue_duration * 1e3)] = True
    expected = []
    for i, name in enumerate(made.reservoir.cell_types()):
        v, u = arrays["cells.v"][i] * 1e3, book.start(name)[1]
        for step in range(2 * round(experiment.duration * 1e3)):
            v, u, fired = book.step(name, v, u, bias[i] + cue[i] * on[step // 2], h)
            if fired:
                expected.append((round(step * h * 1e3), i))
    found = small.spikes(small.outputs(made, device))
    found = found[:, found[0] < experiment.duration * 1e6 - 1]
    assert sorted(expected) == list(map(tuple, found.T.tolist()))
    fired = {made.reservoir.cell_types()[i] for _, i in expected}
    assert fired >= set(book.C) - {"RS"}  # the cue is short for the regular ones


@MODELS
def test_a_wired_network_fires_alike_on_all_devices(model):
    made = quiet(model, "random")
    one, other = (small.spikes(small.outputs(made, device)) for device in ("cpp", "numpy"))
    assert one.shape[1] > 200
    assert np.array_equal(one, other)
    # and is another network than without synapses
    assert not np.array_equal(one, small.spikes(small.outputs(quiet(model), "numpy")))


def fires(model, currents, duration=500.0, step=0.1, before=0.0):
    """Spike times (ms) of plain Brian2 cells: `currents` are (type, pA), after half a second of `before` pA/pF."""
    group = b2.NeuronGroup(len(currents), **cells.model(model), dt=step * b2.ms)
    for i, (name, _) in enumerate(currents):
        for variable, value in cells.values(name, model).items():
            setattr(group[i : i + 1], variable, value)
    monitor = b2.SpikeMonitor(group)
    network = b2.Network(group, monitor)
    target, b2.prefs.codegen.target = b2.prefs.codegen.target, "numpy"
    capacitance = np.array([BOOKS[model].C[name] for name, _ in currents])
    try:
        if before:
            group.I_ = before
            network.run(500 * b2.ms)
        group.I_ = np.array([current for _, current in currents]) / capacitance
        network.run(duration * b2.ms)
    finally:
        b2.prefs.codegen.target = target
    start = 500.0 if before else 0.0
    times = [np.array(monitor.t / b2.ms)[np.array(monitor.i) == i] - start for i in range(len(currents))]
    return [each[each >= 0] for each in times]


def test_patterns_of_2007():
    regular, bursting, chattering, fast, low = map(
        np.diff, fires("izhikevich_2007", [("RS", 200), ("IB", 500), ("CH", 200), ("FS", 200), ("LTS", 200)])
    )
    assert 1.2 * regular[0] < regular[-1]
    assert regular.min() > 20
    assert bursting[0] < 0.3 * bursting[1:].min()  # a pair, then single spikes
    assert bursting[2:].max() < 1.2 * bursting[2:].min()
    assert ((chattering[:-1] > 20) & (chattering[1:] < 8)).sum() >= 3
    assert fast.max() / fast.min() < 1.25  # the steps of Euler are no small part of them
    assert low[-1] > 1.4 * low[0]  # adapts


def test_thalamic_cells_of_2007_rebound():
    """After a hyperpolarising current they fire a burst, and nothing after rest; a cortical one fires neither."""
    kinds = [("TC", 0.0), ("TRN", 0.0), ("RS", 0.0)]
    relay, reticular, cortical = fires("izhikevich_2007", kinds, before=-6.0)
    assert len(relay) >= 5
    assert (np.diff(relay, 2) > 0).all()  # a burst that slows down
    assert np.diff(relay)[0] < 10
    assert len(reticular) >= 2
    assert max(relay[-1], reticular[-1]) < 150
    assert len(cortical) == 0
    assert [len(each) for each in fires("izhikevich_2007", kinds)] == [0, 0, 0]


def test_patterns_of_adex():
    """Figures 4a to 4e and 4h of Naud et al. (2008), with the currents of their table 1."""
    currents = {"tonic": 500, "adapting": 500, "initial_burst": 400, "bursting": 210, "accelerating": 300,
                "irregular": 160}  # fmt: skip
    found = dict(zip(currents, map(np.diff, fires("adex", list(currents.items()))), strict=True))
    assert found["tonic"].max() < 1.1 * found["tonic"].min()
    assert found["adapting"][-1] > 5 * found["adapting"][0]
    assert found["initial_burst"][:2].max() < 0.3 * found["initial_burst"][2:].min()
    gaps = found["bursting"] > 50
    assert gaps.sum() >= 3
    assert not (gaps[1:] & gaps[:-1]).any()  # never a single spike
    assert found["accelerating"][0] > 1.8 * found["accelerating"][-1]
    assert (np.diff(found["accelerating"][:10]) < 0).all()
    late = found["irregular"][5:]
    assert late.std() / late.mean() > 0.3


def test_rheobase_of_2007():
    """The saddle-node: (b + k(v_t - v_r))^2/(4k), of the integrators, b < 0."""
    rheobase = (-2 + 0.7 * 20) ** 2 / (4 * 0.7)
    below, above = fires("izhikevich_2007", [("RS", 0.98 * rheobase), ("RS", 1.1 * rheobase)], 1000)
    assert len(below) == 0
    assert len(above) >= 2


def test_rheobase_of_adex():
    """(g_L + a)(V_T - E_L - D + D log(1 + a/g_L)), where a/g_L < tau_m/tau_w (Naud et al. 2008)."""
    g, a, distance, D = 10, 2, 20, 2
    rheobase = (g + a) * (distance - D + D * np.log(1 + a / g))
    below, above = fires("adex", [("tonic", 0.98 * rheobase), ("tonic", 1.02 * rheobase)], 1000)
    assert len(below) == 0
    assert len(above) >= 2


def test_rate_of_a_leaky_cell():
    """tau_ref + the steps of Euler from reset to threshold: (1 - h/tau)^k < (RI - theta)/(RI - V_r)."""
    drives = [1.01, 1.2, 2.0, 5.0]
    for step in (0.1, 0.5):
        for drive, times in zip(drives, fires("lif", [("E", each) for each in drives], 500, step), strict=True):
            steps = np.ceil(np.log((20 * drive - 20) / (20 * drive - 10)) / np.log(1 - step / 20))
            np.testing.assert_allclose(np.diff(times), 2.0 + steps * step, atol=1e-9)
            assert len(times) >= 4
    assert len(fires("lif", [("I", 0.99)], 500)[0]) == 0


@MODELS
def test_cells_start_near_rest_and_stay_there(model):
    kinds = [(name, 0.0) for name in OURS[model].table]
    assert all(len(each) == 0 for each in fires(model, kinds, 200))
    drawn = small.planned(quiet(model))[2]["cells.v"] * 1e3
    rest = np.array([BOOKS[model].start(name)[0] for name in quiet(model).reservoir.cell_types()])
    assert 3 < (drawn - rest).std() < 7


def test_the_example_of_a_plain_script(tmp_path):
    root = Path(__file__).resolve().parents[1]
    example = root / "docs" / "gallery" / "start" / "plot_firing_patterns.py"
    assert re.findall(r"(?m)^ *(?:from|import) izhires.*", example.read_text()) == ["from izhires import cells"]
    script = tmp_path / example.name
    script.write_text(f"{example.read_text()}\nfigure.savefig('firing_patterns.png')\n")
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root), "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "firing_patterns.png").read_bytes().startswith(b"\x89PNG")


def test_what_a_plain_script_gets():
    found = cells.values("RS", "izhikevich_2007")
    assert found["C"] == 100 * b2.pF
    assert found["k"].dim is (b2.nS / b2.mV).dim
    assert float(found["k"]) == pytest.approx(0.7e-6)
    assert found["v"] == found["v_r"] == -60 * b2.mV
    assert float(cells.values("FS")["u"] / (b2.mV / b2.ms)) == pytest.approx(0.2 * -65)
    assert cells.types() == list(CELL_TYPES)
    assert "xi" not in cells.model()["model"]
    with pytest.raises(ConfigurationError, match="'RSS' is not a cell type of 'izhikevich', did you mean 'RS'"):
        cells.values("RSS")
    with pytest.raises(ConfigurationError, match="'izhikevic' is not a cell model, did you mean 'izhikevich'"):
        cells.model("izhikevic")


# what differs between cells of one type


def test_spread_within_a_type():
    names = ["E"] * 4000
    cell = LIF(spread={"tau_m": 0.3, "v_reset": 0.05})
    found = cell.draw(names, np.random.default_rng(0))
    for name, (mean, spread) in {"tau_m": (20, 0.3), "v_reset": (10, 0.05)}.items():
        assert found[name].mean() == pytest.approx(mean, rel=5 * spread / np.sqrt(4000))
        assert found[name].std() / mean == pytest.approx(spread, rel=0.1)
        assert (found[name] > 0).all()
    assert (found["v_threshold"] == 20).all()
    assert abs(np.corrcoef(found["tau_m"], found["v_reset"])[0, 1]) < 0.08
    values = OURS["izhikevich_2007"]().draw(["LTS"], np.random.default_rng(0))
    assert {name: each[0] for name, each in values.items()} == Izhikevich2007.table["LTS"].values


# cell types and equations of one's own

MINE = {"excitatory": True, "values": {"a": "0.02 1/ms", "b": "0.2 1/ms", "c": "-55 mV", "d": "4 mV/ms"}}

OWN = """
[cell]
type = "equations"
equations = '''
dv/dt = (g*(E - v) - s)/C + I + noise*xi : volt
ds/dt = -s/tau_s : amp
g : siemens (constant)
E : volt (constant)
C : farad (constant)
tau_s : second (constant)
jump : amp (constant)
fired : 1
'''
threshold = "v > E + 20*mV"
reset = "v = E; s += jump; fired += 1"
initial = {v = "-70 mV", s = "5 pA"}

[cell.types.SLOW]
excitatory = true
values = {g = "10 nS", E = "-70 mV", C = "200 pF", tau_s = "0.1 s", jump = "20 pA"}

[cell.types.FAST]
excitatory = false
values = {g = "0.02 uS", E = "-0.07 V", C = "100 pF", tau_s = "10 ms", jump = "0.01 nA"}
"""


def own(**changes):
    """A configuration of a user's own equations; `changes` are keys of the cell, None to leave one out."""
    cell = tomllib.loads(OWN)["cell"] | {"composition": {"SLOW": 0.7, "FAST": 0.3}}
    for key, value in changes.items():
        *tables, last = key.split("__")
        table = cell
        for name in tables:
            table = table[name]
        if value is None:
            del table[last]
        else:
            table[last] = value
    bias = {f"reservoir__bias_{sign}": ["0.1 mV/ms", "0.5 mV/ms"] for sign in ("excitatory", "inhibitory")}
    return small.configuration("random", reservoir__cell=cell, reservoir__adaptation="none", **bias)


def test_equations_of_ones_own():
    made = own()
    assert Configuration.parse(tomllib.loads(made.to_toml())) == made
    _, plan, arrays = small.planned(made)
    assert arrays["cells.C"][[0, -1]].tolist() == [200e-12, 100e-12]
    assert arrays["cells.tau_s"][[0, -1]].tolist() == [0.1, 0.01]
    assert arrays["cells.g"][-1] == pytest.approx(20e-9, rel=1e-14)
    assert (arrays["cells.s"] == 5e-12).all()
    assert np.std(arrays["cells.v"] * 1e3) == pytest.approx(5, rel=0.3)
    assert plan.part("cells").reset.count("tau_trace") == 1
    one, other = (small.spikes(small.outputs(made, device)) for device in ("cpp", "numpy"))
    assert np.array_equal(one, other)
    assert one.shape[1] > 200


def test_own_equations_in_python_take_quantities():
    slow = {"g": 10 * b2.nS, "E": -70 * b2.mV, "C": 200 * b2.pF, "tau_s": 0.1 * b2.second, "jump": 20 * b2.pA}
    made = own(types__SLOW__values=slow, initial={"v": -70 * b2.mV, "s": 5 * b2.pA})
    found, expected = small.planned(made)[2], small.planned(own())[2]
    for name in ("cells.g", "cells.C", "cells.jump", "cells.v"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-14)


def test_currents_that_the_equations_have_are_left_alone():
    equations = (
        "dv/dt = -v/(20*ms) + I : volt\nI = I_fast + drive : volt/second\ndr/dt = -r/(30*ms) : Hz\n"
        "dI_fast/dt = -I_fast/(3*ms) : volt/second"
    )
    one = {"excitatory": True, "values": {}}
    cell = {"type": "equations", "equations": equations, "threshold": "v > 20*mV", "reset": "v = 0*mV\nr += 1/(30*ms)",
            "initial": {"v": "0 mV"}, "types": {"A": one}}  # fmt: skip
    found = small.configuration("unconnected", reservoir__cell=cell).reservoir.cell
    assert found.composition == {"A": 1.0}
    assert found.equations == equations
    assert found.reset == cell["reset"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"types__SLOW__values__g": "10 mV"},
         "types.SLOW.values.g: '10 mV' has the wrong unit; write it in siemens or alike"),
        ({"types__SLOW__values__g": None}, "types.SLOW.values.g: is required"),
        ({"types__SLOW__values__g": 10}, "types.SLOW.values.g: 10.0 has no unit; write it like '10.0 siemens'"),
        ({"types__SLOW__values__g": "10 nSi"}, "types.SLOW.values.g: '10 nSi' has no unit that is known"),
        ({"types__SLOW__values__gg": "1 nS"}, "types.SLOW.values.gg: no parameter of this cell model, "),
        ({"types__SLOW": 3}, "types.SLOW: must be a table, got 3"),
        ({"types__SLOW__excitatory": None}, "types.SLOW.excitatory: is required"),
        ({"composition": {"SLO": 1.0}}, "composition.SLO: unknown cell type, did you mean 'SLOW'?"),
        ({"composition": {"SLOW": 1.0}}, "types.FAST: has no share in the composition; give it one, or 0"),
        ({"composition": None}, "composition: the shares must sum to 1, they sum to 0"),
        ({"threshold": None}, "threshold: is required"),
        ({"equations": None}, "equations: is required"),
        ({"equations": 3}, "equations: must be text, got 3"),
        ({"types": None}, "types: is required"),
        ({"initial": None}, "initial.v: is required"),
        ({"initial__v": "3 nS"}, "initial.v: '3 nS' has the wrong unit; write it in volt or alike"),
        ({"initial__x": "3 nS"}, "initial.x: the equations have no such variable"),
        ({"initial__I": "3 mV/ms"}, "initial.I: the equations have no such variable"),
        ({"spread": {"G": 0.1}}, "spread.G: no parameter of this cell model"),
        ({"spread": {"g": 1.0}}, "spread.g: must be at least 0 and below 1, got 1"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_ones_own_is_said_with_its_place(changes, said):
    with pytest.raises(ConfigurationError) as caught:
        own(**changes)
    assert str(caught.value).startswith(f"reservoir.cell.{said}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("equations", "said"),
    [
        ("du/dt = -u/(10*ms) : volt", "there is no variable 'v', the membrane potential (volt)"),
        ("dv/dt = -v/(10*ms) : 1", "'v' is the membrane potential, in volt, got 1"),
        ("dv/dt = -v/(10*ms) : volt\ndr/dt = -r/(5*ms) : 1", "'r' is the trace of the spikes, in Hz, got 1"),
        ("dv/dt = -v/w : volt\nw : second (constant)", "'w' is something else here; give the variable another name"),
        ("dv/dt = -v/q : volt\nq : zorg (constant)", "'q' has no unit that is known, 'zorg'"),
        ("dv/dt = -v/(q*ms) : volt\nq : integer (constant)", "'q' is integer, a parameter is a real number"),
    ],
)
def test_equations_that_cannot_be(equations, said):
    values = {"w": "1 ms"} if "w :" in equations else {}
    types = {"A": {"excitatory": True, "values": values}}
    with pytest.raises(ConfigurationError) as caught:
        own(equations=equations, types=types, composition={"A": 1.0}, initial={"v": "0 mV"})
    assert str(caught.value).startswith(f"reservoir.cell.equations: {said}")


def test_a_mistake_in_the_equations_is_told_of_by_name():
    types = {"A": {"excitatory": True, "values": {}}}
    made = own(equations="dv/dt = -y/(10*ms) : volt", types=types, composition={"A": 1.0}, initial={"v": "0 mV"})
    with pytest.raises(ConfigurationError, match=r'^cells: .*"y"'):
        get("numpy").prepare(small.planned(made)[1]).run(small.planned(made)[2])


def test_cell_types_of_ones_own_in_a_file():
    cell = {"composition": {"MINE": 0.5, "RS": 0.3, "FS": 0.2}, "types": {"MINE": MINE}}
    found = small.configuration(reservoir__cell=cell).reservoir
    assert found.cell_types()[0] == "MINE"
    drawn = found.with_changes(**{"cell.spread_c": "0 mV"}).draw_cells(np.random.default_rng(0))
    assert set(drawn["c"][:50]) == {-55.0}
    for values, said in (
        ({**MINE["values"], "c": -55}, "values.c: -55.0 has no unit"),
        ({**MINE["values"], "c": "4 ms"}, "values.c: '4 ms' has the wrong unit"),
        ({key: MINE["values"][key] for key in "abc"}, "values.d: is required"),
    ):
        wrong = {**cell, "types": {"MINE": {**MINE, "values": values}}}
        with pytest.raises(ConfigurationError, match=f"reservoir.cell.types.MINE.{said}"):
            small.configuration(reservoir__cell=wrong)


def test_cell_types_of_ones_own_in_a_script():
    class Further(Izhikevich):
        """With one more type."""

        type: Literal["further"] = "further"
        table: ClassVar = {**CELL_TYPES, "MINE": CellType(**MINE), "Q": CellType(
            excitatory=False, values={"a": 0.02 / b2.ms, "b": 0.2 / b2.ms, "c": -50 * b2.mV, "d": 2 * b2.mV / b2.ms}
        )}  # fmt: skip

    try:
        cell = {"type": "further", "composition": {"MINE": 0.8, "Q": 0.2}}
        drawn = small.planned(small.configuration(reservoir__cell=cell, reservoir__spread_c="0 mV"))[2]
        assert drawn["cells.c"][0] == -55e-3
        assert drawn["cells.c"][-1] == pytest.approx(-50e-3, rel=1e-12)
        assert "further" in Cell.alternatives()
    finally:
        del Further
    assert small.configuration().reservoir.cell.type == "izhikevich"


def test_units():
    assert unit("nS/mV")[0] == pytest.approx(1e-6, rel=1e-12)
    assert unit("nS/mV")[1] == unit("siemens/volt")[1]
    assert unit("volt/second**0.5") == (1.0, unit("mV/sqrt(ms)")[1])
    assert quantity("0.01 uS", "nS") == 10
    assert quantity(3 * b2.uF / b2.cm**2, "uF/cm**2") == pytest.approx(3)
    names = {"nS nS": b2.nS**2, "uF*cm^-2": b2.uF / b2.cm**2, "mV2": b2.mV**2, "1/(ms*mV)": 1 / (b2.ms * b2.mV),
             "kg*m**-1": b2.kgram / b2.metre, "Mohm": b2.Mohm, "volt/second": b2.volt / b2.second}  # fmt: skip
    for text, expected in names.items():
        size, dimensions = unit(text)
        assert size == pytest.approx(float(expected), rel=1e-12)
        assert dimensions == expected.dim._dims[:6]
    for text in ("foo", "nS/", "(mV", "mV)", "mV**", "sqrt ms", "2 mV"):
        with pytest.raises(ValueError, match="is not a unit"):
            unit(text)
