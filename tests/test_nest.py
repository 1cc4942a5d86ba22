"""Rules of plasticity against those of NEST, spike by spike, under the same trains.

The numbers of NEST stand in ``data/nest_plasticity.json``, with what made them: `benchmarks/peers/nest_plasticity.py`.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from given import DT, model, run

NEST = json.loads((Path(__file__).parent / "data" / "nest_plasticity.json").read_text())
W_MAX = {"w_max": f"{NEST['w_max']} mV/ms"}


def of_nest(name):
    found = NEST["rules"][name]
    return found["weights"], {**found["parameters"], **found["cell"]}


def ours(rule, variables=("w",), **further):
    """Return variables of the synapses in the step after each arriving spike, a list of arrays for each."""
    record = [("forward", variable) for variable in variables]
    start = f"{NEST['start']} mV/ms"
    configuration = model(NEST["before"], NEST["after"], rule, weight=start, record=record, **further)
    found = run(configuration, NEST["duration"] + 20)
    rows = [np.round((np.asarray(times) + NEST["delay"]) / DT).astype(int) + 1 for times in NEST["before"]]
    return [
        [found[f"record_forward_{variable}.{variable}"][at, row] for row, at in enumerate(rows)]
        for variable in variables
    ]


def agree(name, found, rtol=1e-9):
    weights, _ = of_nest(name)
    assert min(map(len, weights)) > 20
    for expected, got in zip(weights, found, strict=True):
        np.testing.assert_allclose(got, expected, rtol=rtol, atol=1e-12)
        assert np.ptp(expected) > 0.01


@pytest.mark.parametrize("name", ["stdp additive", "stdp soft"])
def test_stdp(name):
    """NEST: lambda and alpha*lambda are A+ and A-."""
    _, of = of_nest(name)
    rule = {"type": "stdp", "a_plus": of["lambda"], "a_minus": of["alpha"] * of["lambda"], "mu": of["mu_plus"],
            "tau_plus": f"{of['tau_plus']} ms", "tau_minus": f"{of['tau_minus']} ms", **W_MAX}  # fmt: skip
    agree(name, ours(rule)[0])


def test_triplet():
    _, of = of_nest("triplet")
    rule = {
        "type": "triplet", "a2_plus": of["Aplus"], "a3_plus": of["Aplus_triplet"], "a2_minus": of["Aminus"],
        "a3_minus": of["Aminus_triplet"], "tau_plus": f"{of['tau_plus']} ms", "tau_minus": f"{of['tau_minus']} ms",
        "tau_x": f"{of['tau_plus_triplet']} ms", "tau_y": f"{of['tau_minus_triplet']} ms", **W_MAX,
    }  # fmt: skip
    agree("triplet", ours(rule)[0])


def test_inhibitory():
    """NEST: alpha is 2 rho_0 tau, and eta no share of the largest weight."""
    _, of = of_nest("inhibitory")
    target = of["alpha"] / (2 * of["tau"] * 1e-3)
    rule = {
        "type": "inhibitory",
        "eta": of["eta"] / NEST["w_max"],
        "target": f"{target} Hz",
        "tau": f"{of['tau']} ms",
        **W_MAX,
    }
    agree("inhibitory", ours(rule, sign="I")[0])


def test_short_term():
    """NEST sends w u R; here R has lost u R by the step after."""
    _, of = of_nest("short_term")
    rule = {"type": "short_term", "utilisation": of["U"], "tau_rec": f"{of['tau_rec']} ms",
            "tau_facil": f"{of['tau_fac']} ms"}  # fmt: skip
    used, available = ours(rule, ("used", "available"))
    sent = [NEST["start"] * u * r / (1 - u) for u, r in zip(used, available, strict=True)]
    agree("short_term", sent)


def test_modulated_stdp():
    """NEST integrates dw/dt = c (n - b) without steps, here without dopamine and with b < 0: within the steps' 2 %."""
    weights, of = of_nest("modulated_stdp")
    rule = {
        "type": "modulated_stdp", "a_plus": of["A_plus"], "a_minus": of["A_minus"], "baseline": of["b"],
        "tau_plus": f"{of['tau_plus']} ms", "tau_minus": f"{of['tau_minus']} ms", "tau_c": f"{of['tau_c']} ms",
        "interval": "0.5 ms", "rate": f"{1 / NEST['w_max']} 1/ms", **W_MAX,
    }  # fmt: skip
    (found,) = ours(rule, changes={"neuromodulators": {"dopamine": {"release": "0"}}})
    for expected, got in zip(weights, found, strict=True):
        change = np.asarray(expected) - NEST["start"]
        np.testing.assert_allclose(got - NEST["start"], change, atol=0.02 * np.abs(change).max())
        assert np.abs(change).max() > 0.05
