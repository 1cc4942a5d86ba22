"""Networks and tasks at the edge of what can be declared: they run, and every metric says a number or why not."""

from operator import attrgetter

import numpy as np
import pytest
import small

from izhires.analysis.table import analyse
from izhires.building.parts import Update
from izhires.running.run import simulate

MANY = [f"E{k:02d}" for k in range(64)]


def task(**block):
    return {**small.PARADIGM, "probes": [1], "blocks": [block]}


BOTH = {"latency": {"A": "60 ms", "B": "110 ms"}, "probability": {"A": 0.5, "B": 0.5}}
EXTREMES = {
    "64 channels": {
        "paradigm": task(
            trials=64,
            latency={name: f"{20 + 2 * k} ms" for k, name in enumerate(MANY)},
            probability=dict.fromkeys(MANY, 1 / 64),
        )
    },
    "a block of one trial": {"paradigm": task(trials=1, **BOTH)},
    "p = 1": {"paradigm": task(trials=4, latency={"A": "60 ms", "B": "110 ms"}, probability={"A": 1.0, "B": 0.0})},
    "no inhibitory cells": {"reservoir__composition": {"RS": 1.0}},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXTREMES)
def test_it_runs_and_is_analysed(name):
    found = simulate(small.configuration(**EXTREMES[name]), 0)
    assert np.isfinite(found["prediction"]).all()
    table = analyse([found])
    told = table["value"].notna() | (table["note"] != "")
    assert told.all(), table[~told]["metric"].tolist()


@pytest.mark.parametrize("owner", ["reservoir.cell", "state"])
def test_equations_need_no_last_newline(owner):
    usual = small.configuration()
    equations = attrgetter(owner)(usual).equations
    bare = usual.with_changes(**{f"{owner}.equations": equations.rstrip("\n")})
    assert small.planned(bare)[1] == small.planned(usual)[1]


def test_open_equations_together():
    """A raw trace as the state, nothing to renew, and a feedback of one's own: each text stands where it belongs."""
    open_ = small.configuration(
        reservoir__equations=small.configuration().reservoir.cell.equations.rstrip("\n"),
        state__equations="s = r/Hz : 1\nx = r : Hz",
        state__update="",
        when__fed_back="feedback_gain*z",
    )
    plan = small.planned(open_)[1]
    assert "d : volt/second (constant)\ndrive : volt/second (linked)\n" in plan.part("cells").equations
    assert "s = r/Hz : 1\nx = r : Hz\n" in plan.part("state").equations
    assert [part.name for part in plan.of(Update) if part.at == "state filter"] == []
    assert "feedback_gain*z" in plan.part("when").equations
    found = small.outputs(open_)
    assert np.isfinite(found["when_output.z"]).all()
