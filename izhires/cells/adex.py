"""Adaptive exponential integrate-and-fire cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from izhires.cells.base import CURRENTS, SPREAD_OF_START, TRACE, CellType, Tabled, published
from izhires.declare import parameter

BRETTE_2005 = "Brette & Gerstner (2005), J. Neurophysiol. 94:3637, doi 10.1152/jn.00686.2005"
NAUD_2008 = "Naud et al. (2008), Biol. Cybern. 99:335, doi 10.1007/s00422-008-0264-7, table 1"
SIGN = "the sign is assumed"

MEMBRANE = """
dv/dt = (g_L*(E_L - v) + g_L*Delta_T*exp((v - V_T)/Delta_T) - u)/C + I + noise*xi : volt
du/dt = (a*(v - E_L) - u)/tau_w : amp
"""

PARAMETERS = """
C : farad (constant)
g_L : siemens (constant)
E_L : volt (constant)
V_T : volt (constant)
Delta_T : volt (constant)
a : siemens (constant)
tau_w : second (constant)
b : amp (constant)
V_r : volt (constant)
V_peak : volt (constant)
"""

UNITS = {
    "C": "pF", "g_L": "nS", "E_L": "mV", "V_T": "mV", "Delta_T": "mV", "a": "nS", "tau_w": "ms", "b": "pA",
    "V_r": "mV", "V_peak": "mV",
}  # fmt: skip


def _cell(*values: float) -> dict[str, float]:
    return dict(zip(UNITS, values, strict=True))


CELL_TYPES: dict[str, CellType] = {
    **published(
        f"{BRETTE_2005}; {SIGN}",
        RS=("regular spiking", True, _cell(281.0, 30.0, -70.6, -50.4, 2.0, 4.0, 144.0, 80.5, -70.6, 20.0)),
    ),
    **published(
        f"{NAUD_2008}; {SIGN}",
        tonic=("tonic spiking, fig. 4a", False, _cell(200.0, 10.0, -70.0, -50.0, 2.0, 2.0, 30.0, 0.0, -58.0, 0.0)),
        adapting=("adaptation, fig. 4b", True, _cell(200.0, 12.0, -70.0, -50.0, 2.0, 2.0, 300.0, 60.0, -58.0, 0.0)),
        initial_burst=(
            "initial burst, fig. 4c", True, _cell(130.0, 18.0, -58.0, -50.0, 2.0, 4.0, 150.0, 120.0, -50.0, 0.0)
        ),
        bursting=(
            "regular bursting, fig. 4d", True, _cell(200.0, 10.0, -58.0, -50.0, 2.0, 2.0, 120.0, 100.0, -46.0, 0.0)
        ),
        accelerating=(
            "delayed accelerating, fig. 4e", True, _cell(200.0, 12.0, -70.0, -50.0, 2.0, -10.0, 300.0, 0.0, -58.0, 0.0)
        ),
        irregular=(
            "irregular spiking, fig. 4h", True, _cell(100.0, 12.0, -60.0, -50.0, 2.0, -11.0, 130.0, 30.0, -48.0, 0.0)
        ),
    ),
}  # fmt: skip
"""Adding a cell type is adding one entry, in the order and units of `UNITS`."""


class AdEx(Tabled):
    """Leak, exponential onset and adaptation: C*dv/dt = g_L*(E_L - v) + g_L*Delta_T*exp((v - V_T)/Delta_T) - u + C*I.

    tau_w*du/dt = a*(v - E_L) - u; a spike, v >= V_peak, sets v = V_r and adds b to u. The adaptation u is called w in
    the papers; here w is the weight of a synapse. I is over the capacitance, as everywhere here. With Euler steps of
    0.5 ms rates are up to a tenth below those of fine steps, and the irregular pattern is another irregular one.
    """

    source: ClassVar[str] = BRETTE_2005
    units: ClassVar[dict[str, str]] = UNITS
    table: ClassVar[dict[str, CellType]] = CELL_TYPES

    type: Literal["adex"] = "adex"
    composition: dict[str, float] = parameter(
        {"adapting": 0.56, "initial_burst": 0.14, "bursting": 0.10, "tonic": 0.20}, "share of each cell type"
    )
    equations: str = parameter(
        MEMBRANE + CURRENTS.lstrip() + PARAMETERS.lstrip(), "the cell, as Brian2 equations", source=BRETTE_2005
    )
    threshold: str = parameter("v >= V_peak", "spike condition", source=BRETTE_2005)
    reset: str = parameter(f"v = V_r\nu += b\n{TRACE}", "what a spike does to its cell", source=BRETTE_2005)

    def start(self, values: Mapping[str, np.ndarray], n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Begin near rest: v around E_L, u = 0."""
        return {"v": values["E_L"] + SPREAD_OF_START * rng.standard_normal(n), "u": np.zeros(n)}
