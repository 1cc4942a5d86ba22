"""Leaky integrate-and-fire cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from izhires.cells.base import CURRENTS, SPREAD_OF_START, TRACE, CellType, Tabled, published
from izhires.declare import parameter

BRUNEL_2000 = "Brunel (2000), J. Comput. Neurosci. 8:183, doi 10.1023/A:1008925309027"

# a cell that has fired is put back to v_reset, with the noise of one step, until the refractory period `left` is over
MEMBRANE = """
dv/dt = int(left <= dt/2)*((v_rest - v)/tau_m + I) + int(left > dt/2)*(v_reset - v)/dt + noise*xi : volt
dleft/dt = -int(left > dt/2) : second
"""

PARAMETERS = """
tau_m : second (constant)
v_rest : volt (constant)
v_threshold : volt (constant)
v_reset : volt (constant)
tau_ref : second (constant)
"""

_VALUES = {"tau_m": 20.0, "v_rest": 0.0, "v_threshold": 20.0, "v_reset": 10.0, "tau_ref": 2.0}

CELL_TYPES: dict[str, CellType] = published(
    BRUNEL_2000,
    E=("excitatory; potentials from rest, as published", True, _VALUES),
    I=("inhibitory; potentials from rest, as published", False, _VALUES),
)
"""Adding a cell type is adding one entry: times in ms, potentials in mV."""


class LIF(Tabled):
    """Leak and threshold: dv/dt = (v_rest - v)/tau_m + I; a spike holds v at v_reset for the refractory period.

    The variable ``left`` is how much of that period is still to come; it counts whole time steps.
    """

    source: ClassVar[str] = BRUNEL_2000
    units: ClassVar[dict[str, str]] = {
        "tau_m": "ms", "v_rest": "mV", "v_threshold": "mV", "v_reset": "mV", "tau_ref": "ms",
    }  # fmt: skip
    table: ClassVar[dict[str, CellType]] = CELL_TYPES

    type: Literal["lif"] = "lif"
    composition: dict[str, float] = parameter({"E": 0.8, "I": 0.2}, "share of each cell type", source=BRUNEL_2000)
    equations: str = parameter(
        MEMBRANE + CURRENTS.lstrip() + PARAMETERS.lstrip(), "the cell, as Brian2 equations", source=BRUNEL_2000
    )
    threshold: str = parameter("v >= v_threshold and left <= dt/2", "spike condition", source=BRUNEL_2000)
    reset: str = parameter(f"v = v_reset\nleft = tau_ref\n{TRACE}", "what a spike does to its cell", source=BRUNEL_2000)

    def start(self, values: Mapping[str, np.ndarray], n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Begin around rest, below the threshold."""
        v = values["v_rest"] + SPREAD_OF_START * rng.standard_normal(n)
        return {"v": np.minimum(v, values["v_threshold"]), "left": np.zeros(n)}
