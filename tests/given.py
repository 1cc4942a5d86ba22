"""Cells that fire at given times, whatever reaches them, and what they do to plastic synapses between them.

They are a cell model as a user would write one; all else (delays, traces, order within a step) is the package's own.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import bench
import brian2 as b2
import numpy as np

from izhires.building.draft import make_plan
from izhires.cells.base import CURRENTS, Cell, CellType, published
from izhires.declare import parameter
from izhires.devices import get
from izhires.model.seeds import Seeds

DT = 0.5
"""Step of cells and readouts, ms."""


class Given(Cell):
    """Cells that fire at given times (ms), a row a cell; cells without a row are silent."""

    units: ClassVar[dict[str, str]] = {}
    table: ClassVar[dict[str, CellType]] = published("tests", E=("excites", True, {}), I=("inhibits", False, {}))

    type: Literal["given"] = "given"
    times: tuple[tuple[float, ...], ...] = parameter((), "times")

    def draw(self, types, rng):
        """Return one time of each cell in each slot."""
        slots = max(map(len, self.times))
        table = np.full((len(types), slots), -1.0)
        for row, times in enumerate(self.times):
            table[row, : len(times)] = times
        return {f"t_{slot}": table[:, slot] * b2.ms for slot in range(slots)}


def cells(times, sign="E"):
    """Return a population of ten cells that fire at these times, ms."""
    assert len(times) <= 10
    slots = range(max(map(len, times)))
    cell = {
        "type": "given", "times": [list(map(float, each)) for each in times], "composition": {sign: 1.0},
        "equations": "v : volt\n" + CURRENTS + "".join(f"t_{k} : second (constant)\n" for k in slots),
        "threshold": " or ".join(f"abs(t - t_{k}) < dt/2" for k in slots), "reset": "r += 1/tau_trace",
    }  # fmt: skip
    return {"n": 10, "cell": cell, "noise": "0 mV/sqrt(ms)"}


def model(before, after, *rules, sign="E", weight="0.5 mV/ms", record=(), changes=None, **connection):
    """Return a configuration with a connection ``forward`` between cells that fire at given times, by default each with
    the one of its number; `after` is a list of times, or a whole population.
    """
    populations = {"pre": cells(before, sign), "post": cells(after) if isinstance(after, list) else after}
    given = {
        "from": "pre", "to": "post", "wiring": "one_to_one", "weight": weight, "weight_spread": 0.0,
        "cells": {"E": "excitatory", "I": "inhibitory"}[sign], "plasticity": list(rules), **connection,
    }  # fmt: skip
    return bench.model(
        dt=DT, populations=populations, connections={"forward": given},
        keep__record=[{"of": of, "variable": variable, "every": f"{DT} ms"} for of, variable in record],
        **(changes or {}),
    )  # fmt: skip


def run(configuration, duration, device="numpy", seed=0, **task):
    """Run for so many ms; return what the device's program returns, and the numbers of the run."""
    trials = task.pop("trials", [("A", 10)])
    experiment = bench.task(trials, duration=duration, **{"window": 20, "events": ("A",), **task})
    plan, arrays = make_plan(configuration, experiment, Seeds(seed=seed))
    return {**get(device).prepare(plan).run(arrays), "arrays": arrays}


def weights(found):
    """Return the weights at the start and at the end, mV/ms."""
    return found["forward_ends.w"][[0, -1]]


def trains(rate, duration, rows=10, seed=1):
    """Return random spike times on the grid, ms, of `rows` cells that fire at `rate` (Hz)."""
    rng = np.random.default_rng(seed)
    steps = round(duration / DT)
    return [(np.flatnonzero(rng.random(steps - 1) < rate * DT * 1e-3) + 1) * DT for _ in range(rows)]
