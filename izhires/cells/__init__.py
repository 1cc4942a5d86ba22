"""Cell models, one a file: equations with units, threshold and reset, and the published types as a table.

They are also of use to Brian2 scripts that have nothing else of this package::

    from izhires.cells import CELL_TYPES, values

    cells = NeuronGroup(1, equations, threshold="v >= 30*mV", reset="v = c; u += d", method="euler")
    for name, value in values("RS").items():
        setattr(cells, name, value)
"""

from __future__ import annotations

from izhires.cells.base import Cell, CellType
from izhires.cells.izhikevich import CELL_TYPES

__all__ = ["CELL_TYPES", "Cell", "CellType"]
