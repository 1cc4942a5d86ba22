"""Cell models, one a file: equations with units, threshold and reset, and the published types as a table.

They are also of use to Brian2 scripts that have nothing else of this package::

    from brian2 import *
    from izhires import cells

    group = NeuronGroup(len(cells.types()), **cells.model())
    for i, name in enumerate(cells.types()):
        for variable, value in cells.values(name).items():
            setattr(group[i:i + 1], variable, value)
    group.I = 10*mV/ms

Other models are `model`, `types` and `values` with their name: ``cells.values("RS", "izhikevich_2007")``.
"""

from __future__ import annotations

from typing import Any

from izhires.cells.base import CURRENTS, TRACE, Cell, CellType
from izhires.cells.izhikevich import CELL_TYPES
from izhires.errors import ConfigurationError, closest

__all__ = ["CELL_TYPES", "Cell", "CellType", "model", "types", "values"]


def _named(name: str) -> type[Cell]:
    known = {each: cls for each, cls in Cell.alternatives().items() if cls.table}
    if name not in known:
        raise ConfigurationError(f"{name!r} is not a cell model{closest(name, known)}", "", known)
    return known[name]


def model(name: str = "izhikevich") -> dict[str, str]:
    """Return a cell model as the arguments of a Brian2 ``NeuronGroup``: equations, threshold, reset and method.

    Parameters
    ----------
    name : str
        As ``izhires list cell-models`` has it.

    Returns
    -------
    dict
        ``model``, ``threshold``, ``reset`` and ``method``. The input is the variable ``I`` of each cell, a current over
        the capacitance (``10*mV/ms``); the cells have no noise and no synapses.

    Raises
    ------
    ConfigurationError
        If there is no such model.
    """
    cell = _named(name)
    fields = {each: str(cell.model_fields[each].default) for each in ("equations", "threshold", "reset")}
    equations = fields["equations"].replace(CURRENTS.strip(), "I : volt/second").replace(" + noise*xi", "")
    reset = fields["reset"].replace(TRACE, "")
    return {"model": equations, "threshold": fields["threshold"], "reset": reset, "method": "euler"}


def types(name: str = "izhikevich") -> list[str]:
    """Return the published cell types of a model.

    Parameters
    ----------
    name : str
        The model.
    """
    return list(_named(name).table)


def values(cell_type: str, name: str = "izhikevich") -> dict[str, Any]:
    """Return the values of a cell type as Brian2 quantities: its parameters, and its variables near rest.

    Parameters
    ----------
    cell_type : str
    name : str
        The model.

    Returns
    -------
    dict
        By the names that the equations of `model` have.

    Raises
    ------
    ConfigurationError
        If there is no such model or type.
    """
    import numpy as np
    from brian2 import Quantity
    from brian2.equations.equations import dimensions_and_type_from_string

    from izhires.model.variables import units
    from izhires.quantities import unit

    cell = _named(name)
    if cell_type not in cell.table:
        problem = f"{cell_type!r} is not a cell type of {name!r}{closest(cell_type, cell.table)}"
        raise ConfigurationError(problem, "", cell.table)
    row = cell().base([cell_type])
    parameters = {each: row[each] * unit(cell.units[each])[0] for each in row}
    rest = cell().start(parameters, 1, _Still())  # type: ignore[arg-type]
    text = str(cell.model_fields["equations"].default)
    known = units(text)
    return {
        each: Quantity(float(np.asarray(number).item()), dim=dimensions_and_type_from_string(known[each])[0])
        for each, number in {**parameters, **rest}.items()
    }


class _Still:
    """A source of random numbers that are all 0: cells that begin in the middle of where they may begin."""

    def standard_normal(self, size: Any = None) -> Any:
        import numpy as np

        return np.zeros(size) if size is not None else 0.0
