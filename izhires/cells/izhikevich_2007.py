"""The cells of Izhikevich (2007), chapter 8, with capacitances and currents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from izhires.cells.base import CURRENTS, SPREAD_OF_START, TRACE, CellType, Tabled, published
from izhires.declare import parameter

IZHIKEVICH_2007 = "Izhikevich (2007), Dynamical Systems in Neuroscience, doi 10.7551/mitpress/2526.001.0001, ch. 8"

MEMBRANE = """
dv/dt = (k*(v - v_r)*(v - v_t) - u)/C + I + noise*xi : volt
du/dt = a*(U*(v - v_b) - u) : amp
U = b + int(v > v_b)*(b_above - b + cubic*(v - v_b)*(v - v_b)) : siemens
"""

PARAMETERS = """
C : farad (constant)
k : siemens/volt (constant)
v_r : volt (constant)
v_t : volt (constant)
v_peak : volt (constant)
peak_of_u : ohm (constant)
a : 1/second (constant)
b : siemens (constant)
b_above : siemens (constant)
cubic : siemens/volt**2 (constant)
v_b : volt (constant)
c : volt (constant)
c_of_u : ohm (constant)
d : amp (constant)
u_max : amp (constant)
"""

NO_LIMIT = 1e6
"""Largest u after a spike, pA, of cells that have no such limit."""

UNITS = {
    "C": "pF", "k": "nS/mV", "v_r": "mV", "v_t": "mV", "v_peak": "mV", "peak_of_u": "mV/pA", "a": "1/ms", "b": "nS",
    "b_above": "nS", "cubic": "nS/mV**2", "v_b": "mV", "c": "mV", "c_of_u": "mV/pA", "d": "pA", "u_max": "pA",
}  # fmt: skip


def _cell(C: float, k: float, v_r: float, v_t: float, v_peak: float, a: float, b: float, c: float, d: float,
          **others: float) -> dict[str, float]:  # fmt: skip
    """Return the values of a cell, those left out as they are in a cell of one slope, peak and reset."""
    values = {
        "C": C, "k": k, "v_r": v_r, "v_t": v_t, "v_peak": v_peak, "peak_of_u": 0.0, "a": a, "b": b, "b_above": b,
        "cubic": 0.0, "v_b": v_r, "c": c, "c_of_u": 0.0, "d": d, "u_max": NO_LIMIT,
    }  # fmt: skip
    return {**values, **others}


CELL_TYPES: dict[str, CellType] = published(
    IZHIKEVICH_2007,
    RS=(
        "regular spiking (layer 5 pyramidal), fig. 8.12",
        True,
        _cell(C=100.0, k=0.7, v_r=-60.0, v_t=-40.0, v_peak=35.0, a=0.03, b=-2.0, c=-50.0, d=100.0),
    ),
    IB=(
        "intrinsically bursting (layer 5 pyramidal), fig. 8.19",
        True,
        _cell(C=150.0, k=1.2, v_r=-75.0, v_t=-45.0, v_peak=50.0, a=0.01, b=5.0, c=-56.0, d=130.0),
    ),
    CH=(
        "chattering (visual cortex), fig. 8.23",
        True,
        _cell(C=50.0, k=1.5, v_r=-60.0, v_t=-40.0, v_peak=25.0, a=0.03, b=1.0, c=-40.0, d=150.0),
    ),
    TC=(
        "thalamo-cortical relay, fig. 8.31",
        True,
        _cell(C=200.0, k=1.6, v_r=-60.0, v_t=-50.0, v_peak=35.0, peak_of_u=0.1, a=0.01, b=15.0, b_above=0.0, v_b=-65.0,
              c=-60.0, c_of_u=-0.1, d=10.0),
    ),
    FS=(
        "fast spiking interneuron, fig. 8.27",
        False,
        _cell(C=20.0, k=1.0, v_r=-55.0, v_t=-40.0, v_peak=25.0, a=0.2, b=0.0, cubic=0.025, c=-45.0, d=0.0),
    ),
    LTS=(
        "low-threshold spiking interneuron, fig. 8.25",
        False,
        _cell(C=100.0, k=1.0, v_r=-56.0, v_t=-42.0, v_peak=40.0, peak_of_u=-0.1, a=0.03, b=8.0, c=-53.0, c_of_u=0.04,
              d=20.0, u_max=670.0),
    ),
    TRN=(
        "thalamic reticular cell, fig. 8.32",
        False,
        _cell(C=40.0, k=0.25, v_r=-65.0, v_t=-45.0, v_peak=0.0, a=0.015, b=10.0, b_above=2.0, c=-55.0, d=50.0),
    ),
)  # fmt: skip
"""Adding a cell type is adding one entry, in `UNITS`."""


class Izhikevich2007(Tabled):
    """Two variables, C*dv/dt = k*(v - v_r)*(v - v_t) - u + C*I and du/dt = a*(U(v)*(v - v_b) - u); 2007.

    U(v) = b up to v_b, and b_above + cubic*(v - v_b)^2 beyond it. A spike, v >= v_peak + peak_of_u*u, sets
    v = c + c_of_u*u and u = min(u + d, u_max). I is over the capacitance, as everywhere here.
    """

    source: ClassVar[str] = IZHIKEVICH_2007
    units: ClassVar[dict[str, str]] = UNITS
    table: ClassVar[dict[str, CellType]] = CELL_TYPES

    type: Literal["izhikevich_2007"] = "izhikevich_2007"
    composition: dict[str, float] = parameter(
        {"RS": 0.56, "IB": 0.14, "CH": 0.10, "FS": 0.12, "LTS": 0.08}, "share of each cell type"
    )
    equations: str = parameter(
        MEMBRANE + CURRENTS.lstrip() + PARAMETERS.lstrip(), "the cell, as Brian2 equations", source=IZHIKEVICH_2007
    )
    threshold: str = parameter("v >= v_peak + peak_of_u*u", "spike condition", source=IZHIKEVICH_2007)
    reset: str = parameter(
        f"v = c + c_of_u*u\nu = clip(u + d, -1*amp, u_max)\n{TRACE}",
        "what a spike does to its cell",
        source=IZHIKEVICH_2007,
    )

    def start(self, values: Mapping[str, np.ndarray], n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Begin near rest: v around v_r, u = 0."""
        return {"v": values["v_r"] + SPREAD_OF_START * rng.standard_normal(n), "u": np.zeros(n)}
