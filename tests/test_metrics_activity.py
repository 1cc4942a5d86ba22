import numpy as np
import pytest
from synthetic import recording

from izhires.analysis import analyse


def test_rates_and_silent_cells_are_those_of_the_recording():
    table = analyse([recording(neurons=50, silent=5)], only=["mean_rate", "silent_fraction"]).set_index("metric")
    assert table.loc["mean_rate.excitatory", "value"] == pytest.approx(4 * 35 / 40)
    assert table.loc["mean_rate.inhibitory", "value"] == pytest.approx(10)
    assert table.loc["silent_fraction", "value"] == pytest.approx(0.1)
    assert table.loc["mean_rate.inhibitory", "unit"] == "Hz"


def test_a_network_without_inhibition_has_no_inhibitory_rate():
    made = recording()
    made["excitatory"] = 0 * made["excitatory"] + 1
    table = analyse([made], only=["mean_rate"]).set_index("metric")
    assert np.isnan(table.loc["mean_rate.inhibitory", "value"])
    assert table.loc["mean_rate.inhibitory", "note"] == "there are no inhibitory cells"
