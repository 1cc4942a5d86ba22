"""Template of a cell model with a table of types: ``[reservoir.cell]`` with ``type = "my_cell"``.

A type of one's own of a published model needs no script, see "Own cell type" in the documentation.
"""

from typing import ClassVar, Literal

from izhires.cells.base import CURRENTS, TRACE, CellType, Tabled, published
from izhires.declare import parameter

MEMBRANE = "dv/dt = (v_rest - v)/tau_m + I + noise*xi : volt\n"
PARAMETERS = """
tau_m : second (constant)
v_rest : volt (constant)
v_threshold : volt (constant)
"""


class MyCell(Tabled):
    """Leak and threshold: dv/dt = (v_rest - v)/tau_m + I."""

    units: ClassVar[dict[str, str]] = {"tau_m": "ms", "v_rest": "mV", "v_threshold": "mV"}
    table: ClassVar[dict[str, CellType]] = published(
        "assumed",
        slow=("excitatory, slow", True, {"tau_m": 30.0, "v_rest": -65.0, "v_threshold": -50.0}),
        fast=("inhibitory, fast", False, {"tau_m": 10.0, "v_rest": -65.0, "v_threshold": -52.0}),
    )
    source: ClassVar[str] = "this script"

    type: Literal["my_cell"] = "my_cell"
    composition: dict[str, float] = parameter({"slow": 0.8, "fast": 0.2}, "share of each cell type", source="assumed")
    equations: str = parameter(MEMBRANE + CURRENTS.lstrip() + PARAMETERS.lstrip(), "the cell", source="this script")
    threshold: str = parameter("v > v_threshold", "spike condition", source="this script")
    reset: str = parameter(f"v = v_rest\n{TRACE}", "what a spike does to its cell", source="this script")
