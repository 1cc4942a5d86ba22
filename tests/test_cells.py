import numpy as np
import pytest

from izhires.cells import CELL_TYPES

# a, b, c, d of Izhikevich (2003), fig. 2, and the sign of the cell
PUBLISHED = {
    "RS": (True, 0.02, 0.2, -65, 8),
    "IB": (True, 0.02, 0.2, -55, 4),
    "CH": (True, 0.02, 0.2, -50, 2),
    "TC": (True, 0.02, 0.25, -65, 0.05),
    "FS": (False, 0.1, 0.2, -65, 2),
    "LTS": (False, 0.02, 0.25, -65, 2),
    "RZ": (False, 0.1, 0.26, -65, 2),
}


def test_the_published_values():
    assert {
        name: (cell.excitatory, *(cell.values[each] for each in "abcd")) for name, cell in CELL_TYPES.items()
    } == PUBLISHED


def test_every_entry_is_named_and_sourced():
    for cell in CELL_TYPES.values():
        assert cell.description
        assert "10.1109/TNN.2003.820440" in cell.source


def intervals(name, drive, duration=500, step=0.1):
    """Interspike intervals (ms) of a single cell under a constant drive, by a plain loop."""
    a, b, c, d = (CELL_TYPES[name].values[each] for each in "abcd")
    v, u, times = -65.0, b * -65.0, []
    for k in range(round(duration / step)):
        v, u = (
            v + step * (0.04 * v**2 + 5 * v + 140 - u + drive),
            u + step * a * (b * v - u),
        )
        if v >= 30:
            v, u = c, u + d
            times.append(k * step)
    return np.diff(times)


@pytest.mark.parametrize("name", CELL_TYPES)
def test_a_cell_without_drive_is_silent(name):
    assert len(intervals(name, 0)) == 0


def test_each_type_fires_as_its_name_says():
    regular, bursting, chattering, fast = (intervals(name, 10) for name in ("RS", "IB", "CH", "FS"))
    # regular spiking: single spikes that slow down
    assert regular.min() > 20
    assert regular[0] < regular[1] == pytest.approx(regular[-1], rel=0.02)
    # intrinsically bursting: one burst, then single spikes
    assert bursting[:2].max() < 10
    assert bursting[2:].min() > 20
    # chattering: bursts again and again
    assert ((chattering[:-1] > 20) & (chattering[1:] < 5)).sum() >= 3
    # fast spiking: high rate, hardly any adaptation
    assert fast.max() < 10
    assert fast[1:].max() / fast[1:].min() < 1.3
    # low threshold: fires at a drive that hardly moves a regular one
    assert len(intervals("LTS", 4)) > 3 * len(intervals("RS", 4))
