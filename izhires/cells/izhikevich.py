"""The cells of Izhikevich (2003), with units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from izhires.cells.base import CURRENTS, Cell, CellType, published
from izhires.declare import Millivolts, parameter

IZHIKEVICH_2003 = "Izhikevich (2003), IEEE Trans. Neural Netw. 14:1569, doi 10.1109/TNN.2003.820440, fig. 2"

MEMBRANE = """
dv/dt = (0.04/ms/mV)*v**2 + (5/ms)*v + 140*mV/ms - u + I + noise*xi : volt
du/dt = a*(b*v - u) : volt/second
"""

PARAMETERS = """
a : 1/second (constant)
b : 1/second (constant)
c : volt (constant)
d : volt/second (constant)
"""

CELL_EQUATIONS = MEMBRANE + CURRENTS.lstrip() + PARAMETERS.lstrip()
"""The cells as Brian2 equations."""

CELL_THRESHOLD = "v >= 30*mV"

CELL_RESET = """
v = c
u += d
r += 1/tau_trace
"""

CELL_TYPES: dict[str, CellType] = published(
    IZHIKEVICH_2003,
    RS=("regular spiking (cortical pyramidal)", True, {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0}),
    IB=("intrinsically bursting (cortical pyramidal)", True, {"a": 0.02, "b": 0.2, "c": -55.0, "d": 4.0}),
    CH=("chattering (fast rhythmic bursting)", True, {"a": 0.02, "b": 0.2, "c": -50.0, "d": 2.0}),
    TC=("thalamo-cortical relay", True, {"a": 0.02, "b": 0.25, "c": -65.0, "d": 0.05}),
    FS=("fast spiking interneuron", False, {"a": 0.1, "b": 0.2, "c": -65.0, "d": 2.0}),
    LTS=("low-threshold spiking interneuron", False, {"a": 0.02, "b": 0.25, "c": -65.0, "d": 2.0}),
    RZ=("resonator", False, {"a": 0.1, "b": 0.26, "c": -65.0, "d": 2.0}),
)
"""Adding a cell type is adding one entry: a and b in 1/ms, c in mV, d in mV/ms."""

# the smallest jump of u (mV/ms) that the spread may lead to: below it a cell bursts without end
SMALLEST_D = 0.5


class Izhikevich(Cell):
    """Two variables, dv/dt = 0.04*v^2 + 5*v + 140 - u + I and du/dt = a*(b*v - u), as published in 2003."""

    source: ClassVar[str] = IZHIKEVICH_2003
    units: ClassVar[dict[str, str]] = {"a": "1/ms", "b": "1/ms", "c": "mV", "d": "mV/ms"}
    table: ClassVar[dict[str, CellType]] = CELL_TYPES

    type: Literal["izhikevich"] = "izhikevich"
    composition: dict[str, float] = parameter(
        {"RS": 0.56, "IB": 0.14, "CH": 0.10, "FS": 0.12, "LTS": 0.08}, "share of each cell type"
    )
    spread_a: float = parameter(0.2, "standard deviation of log a within a type", ge=0)
    spread_b: float = parameter(0.02, "coefficient of variation of b within a type", ge=0)
    spread_c: Millivolts = parameter("2 mV", "standard deviation of c within a type", ge=0)
    spread_d: float = parameter(0.1, "coefficient of variation of d within a type", ge=0)
    equations: str = parameter(CELL_EQUATIONS, "the cell, as Brian2 equations", source=IZHIKEVICH_2003)
    threshold: str = parameter(CELL_THRESHOLD, "spike condition", source=IZHIKEVICH_2003)
    reset: str = parameter(CELL_RESET, "what a spike does to its cell", source=IZHIKEVICH_2003)

    def draw(self, types: list[str], rng: np.random.Generator) -> dict[str, np.ndarray]:  # noqa: D102
        x, base = rng.standard_normal((4, len(types))), self.base(types)
        return {
            "a": base["a"] * np.exp(self.spread_a * x[0]),
            "b": base["b"] * (1 + self.spread_b * x[1]),
            "c": base["c"] + self.spread_c * x[2],
            "d": np.maximum(np.minimum(SMALLEST_D, base["d"]), base["d"] * (1 + self.spread_d * x[3])),
        }

    def start(self, values: Mapping[str, np.ndarray], n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:  # noqa: D102
        found = super().start(values, n, rng)
        return {**found, "u": values["b"] * found["v"]}
