"""Izhikevich cell types, one entry each.

The cells follow the two-variable model of Izhikevich (2003), here with units::

    dv/dt = (0.04/ms/mV)*v**2 + (5/ms)*v + 140*mV/ms - u + I
    du/dt = a*(b*v - u)
    when v >= 30 mV:  v = c,  u = u + d

Adding a cell type is adding one entry to `CELL_TYPES`.
"""

from __future__ import annotations

from dataclasses import dataclass

IZHIKEVICH_2003 = "Izhikevich (2003), IEEE Trans. Neural Netw. 14:1569, doi 10.1109/TNN.2003.820440, fig. 2"


@dataclass(frozen=True)
class CellType:
    """One row of the table.

    Parameters
    ----------
    name : str
        The abbreviation of the literature.
    description : str
        What it stands for.
    excitatory : bool
        Dale's law: all synapses of a cell have this sign.
    a : float
        Rate of the recovery variable u, 1/ms.
    b : float
        Sensitivity of u to v, 1/ms.
    c : float
        Reset of v, mV.
    d : float
        Jump of u at a spike, mV/ms.
    source : str
        Citation of the four values.
    """

    name: str
    description: str
    excitatory: bool
    a: float
    b: float
    c: float
    d: float
    source: str = IZHIKEVICH_2003


CELL_TYPES: dict[str, CellType] = {
    cell.name: cell
    for cell in (
        CellType("RS", "regular spiking (cortical pyramidal)", True, a=0.02, b=0.2, c=-65.0, d=8.0),
        CellType("IB", "intrinsically bursting (cortical pyramidal)", True, a=0.02, b=0.2, c=-55.0, d=4.0),
        CellType("CH", "chattering (fast rhythmic bursting)", True, a=0.02, b=0.2, c=-50.0, d=2.0),
        CellType("TC", "thalamo-cortical relay", True, a=0.02, b=0.25, c=-65.0, d=0.05),
        CellType("FS", "fast spiking interneuron", False, a=0.1, b=0.2, c=-65.0, d=2.0),
        CellType("LTS", "low-threshold spiking interneuron", False, a=0.02, b=0.25, c=-65.0, d=2.0),
        CellType("RZ", "resonator", False, a=0.1, b=0.26, c=-65.0, d=2.0),
    )
}
