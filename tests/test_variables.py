"""Variables of a user's own cells have a unit, and values."""

from typing import Literal

import brian2 as b2
import numpy as np
import pytest
import small

from izhires.cells.izhikevich import CELL_EQUATIONS
from izhires.circuits.base import Reservoir
from izhires.circuits.sequence import Sequence
from izhires.errors import ConfigurationError
from izhires.model.configuration import Configuration
from izhires.model.variables import BRIAN_UNITS, check_filled, declared, read, units
from izhires.units import UNITS

N = 100
OWN = CELL_EQUATIONS + "theta : volt (constant)\nshare : 1 (constant)\n"
GIVEN = {}


@pytest.fixture
def own():
    """Give a circuit whose cells have a threshold of their own; what it draws for them is set by the test."""

    class Own(Sequence):
        """A sequence with thresholds."""

        type: Literal["with_own_threshold"] = "with_own_threshold"

        def draw_cells(self, rng):
            return {**super().draw_cells(rng), "share": np.zeros(self.n), **GIVEN}

    def configured(**changes):
        GIVEN.clear()
        GIVEN.update(changes)
        cell = {"equations": OWN, "threshold": "v >= theta + 0*mV*share"}
        reservoir = {**small.CIRCUITS["sequence"], "type": "with_own_threshold", "cell": cell}
        return Configuration.parse({**small.configuration().to_dict(), "reservoir": reservoir})

    yield configured
    del Own


def test_the_cells_have_the_values_that_were_given(own):
    usual = small.spikes(small.outputs(small.configuration()))
    assert usual.size
    for theta in (30 * b2.mV, np.full(N, 30) * b2.mV, 0.03 * b2.volt, "30 mV", ["0.03 V"] * N):
        found = own(theta=theta)
        np.testing.assert_allclose(small.planned(found)[2]["cells.theta"], np.full(N, 0.03), rtol=1e-15)
    # v >= 30 mV, now by a variable of each cell
    assert np.array_equal(small.spikes(small.outputs(found)), usual)
    half = np.r_[np.full(50, 30.0), np.full(50, 20.0)]
    np.testing.assert_allclose(small.planned(own(theta=half * b2.mV))[2]["cells.theta"], half * 1e-3, rtol=1e-15)


def test_bare_numbers_are_in_the_units_of_a_b_c_and_d(own):
    usual = small.planned(own(theta="30 mV"))[2]
    b2_values = {"c": -65 * b2.mV, "a": 0.02 / b2.ms, "d": 8 * b2.mV / b2.ms, "bias": 2 * b2.mV / b2.ms}
    bare = small.planned(own(theta="30 mV", c=-65.0, a=0.02, d=8.0, bias=2.0))[2]
    quantities = small.planned(own(theta="30 mV", **b2_values))[2]
    texts = small.planned(own(theta="30 mV", c="-65 mV", a="0.02 1/ms", d="8 mV/ms", bias="2 V/s"))[2]
    for name in ("cells.c", "cells.a", "cells.d", "state.bias"):
        assert usual[name].shape == bare[name].shape == (N,)
        np.testing.assert_allclose(bare[name], quantities[name], rtol=1e-15)
        np.testing.assert_allclose(bare[name], texts[name], rtol=1e-15)
    assert bare["cells.c"][0] == -65e-3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"theta": 30.0}, "theta: has no unit; in the equations it is in volt: "
                          "give a Brian2 quantity, or text like '1 mV'"),
        ({"theta": np.full(N, 0.03)}, "theta: has no unit; in the equations it is in volt"),
        ({"theta": 30 * b2.ms}, "theta: has the wrong unit, s; in the equations it is in volt"),
        ({"theta": "30 ms"}, "theta: has the wrong unit, s; in the equations it is in volt"),
        ({"theta": "much"}, "theta: 'much' is not a number with a unit; in the equations it is in volt"),
        ({"theta": [1, 2] * b2.mV}, "theta: needs 100 values, one a cell, got an array of shape (2,)"),
        ({"theta": np.nan * b2.mV}, "theta: must be finite"),
        ({"theta": None}, "theta: must be numbers with a unit, got None"),
        ({"theta": "1 mV", "c": -65 * b2.ms}, "c: has the wrong unit, s; in the equations it is in volt"),
        ({"theta": "1 mV", "share": "1 mV"}, "share: has the wrong unit, V; in the equations it is in 1"),
        ({"theat": "1 mV"}, "theat: the cells' equations declare no such variable, did you mean 'theta'?"),
        ({}, "reservoir.cell.equations: the variable 'theta' (volt) has no values, and no statement sets it"),
    ],
)  # fmt: skip
def test_values_that_cannot_be(own, given, message):
    with pytest.raises(ConfigurationError) as caught:
        small.planned(own(**given))
    assert str(caught.value).removeprefix("Own.draw_cells: ").startswith(message)
    assert "\n" not in str(caught.value)


def test_what_a_statement_sets_needs_no_values():
    equations = (
        "dv/dt = -v/(10*ms) : volt\nlast : second\ncount : integer (constant)\nr : Hz (linked)  # one\nx = 2 : 1"
    )
    assert declared(equations) == {"last": "second", "count": "integer"}
    check_filled("here", equations, ["count"], "last = t")
    check_filled("here", equations, [], "last_post = t", "count += 1")
    for statements in ((), ("count == 1",), ("x = last",), ("blast = 2",)):
        with pytest.raises(ConfigurationError, match=r"^here: the variable 'last' \(second\) has no values"):
            check_filled("here", equations, ["count"], *statements)


def test_a_state_variable_that_nobody_sets():
    with pytest.raises(ConfigurationError, match=r"^state.equations: the variable 's' \(1\) has no values"):
        small.planned(small.configuration(state__update="x = 0*Hz"))


@pytest.mark.parametrize("name", small.CIRCUITS)
def test_every_circuit_that_is_shipped_fills_its_own(name):
    born = {"development": None} if name == "grown" else {}
    assert small.planned(Configuration.parse({"reservoir": {"type": name, **born}}))[2]["cells.a"].shape == (1000,)
    assert name in Reservoir.alternatives()


def test_brian2_agrees_with_the_table_of_units():
    """Each unit's size and dimensions are those that Brian2 gives the same text."""
    from brian2.equations.equations import dimensions_and_type_from_string

    names = {"ms": b2.ms, "s": b2.second, "us": b2.us, "min": 60 * b2.second, "mV": b2.mV, "V": b2.volt,
             "uV": b2.uvolt, "Hz": b2.Hz, "kHz": b2.kHz, "sqrt": np.sqrt}  # fmt: skip
    for name, each in UNITS.items():
        value = eval(name, {}, names)
        assert value.dim is dimensions_and_type_from_string(each.dimensions)[0], name
        assert float(np.asarray(value)) == pytest.approx(each.size, rel=1e-15), name
        assert BRIAN_UNITS[name] == (each.dimensions, each.size)


def test_variables_of_equations_in_every_form():
    equations = """
    dv/dt = (I +
             J)/C : volt (unless refractory)  # over two lines
    I = 2*J : amp (constant over dt)
    J : amp  # from outside
    C : farad (shared, constant)
    r : Hz (linked)
    """
    found = {name: (each.unit, each.flags, each.reckoned) for name, each in read(equations).items()}
    assert found == {
        "v": ("volt", ("unless refractory",), True),
        "I": ("amp", ("constant over dt",), True),
        "J": ("amp", (), False),
        "C": ("farad", ("shared", "constant"), False),
        "r": ("Hz", ("linked",), False),
    }
    assert units(equations) == {"v": "volt", "I": "amp", "J": "amp", "C": "farad"}
    assert declared(equations) == {"J": "amp", "C": "farad"}
