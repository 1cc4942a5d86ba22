"""Single precision: on the devices that can, said in the recording, and another build."""

from __future__ import annotations

import numpy as np
import pytest
import small

from izhires import network, simulate
from izhires.building.parts import Monitor
from izhires.devices import able, get
from izhires.errors import ConfigurationError

DOUBLE = small.configuration()
SINGLE = small.configuration(precision="single")
EARLY = 4 * small.TRIAL
"""Until here (s) no difference of rounding has moved a spike."""


@pytest.mark.parametrize("device", ["cpp", "plain"])
def test_the_same_network_in_other_numbers(device):
    double, single = (small.outputs(each, device) for each in (DOUBLE, SINGLE))
    _, plan, _ = small.planned(SINGLE)
    for monitor in plan.of(Monitor):
        for variable in monitor.variables:
            if monitor.every:
                assert single[f"{monitor.name}.{variable}"].dtype == np.float32
                assert double[f"{monitor.name}.{variable}"].dtype == np.float64
        # times are double in either
        assert single[f"{monitor.name}.t"].dtype == np.float64
    early = [small.spikes(each)[:, small.spikes(each)[0] < 1e6 * EARLY] for each in (double, single)]
    assert early[0].shape[1] > 100
    assert np.array_equal(*early)
    rows = round(1e3 * EARLY)
    apart = np.abs(double["when_output.z"][:rows] - single["when_output.z"][:rows]).max()
    assert 0 < apart < 1e-4
    assert np.abs(double["when_output.z"][:rows]).max() > 0.05


def test_templates_of_this_package_serve_and_the_recording_says_so():
    found = simulate(SINGLE, 0)
    assert (found.attrs["precision"], found.attrs["templates"]) == ("single", "own")
    assert simulate(DOUBLE, 0).attrs["precision"] == "double"


def test_each_precision_has_a_build_of_its_own():
    plans = [small.planned(each)[1] for each in (DOUBLE, SINGLE)]
    assert plans[0].fingerprint() != plans[1].fingerprint()
    assert get("cpp").build_key(plans[0]) != get("cpp").build_key(plans[1])
    assert type(plans[1]).from_dict(plans[1].to_dict()) == plans[1]


@pytest.mark.parametrize("device", ["numpy", "cython"])
def test_a_device_that_cannot_refuses(device):
    assert device not in able("single")
    said = f"precision: the device '{device}' cannot calculate in single precision \\(valid: cpp, plain, cuda\\)"
    with pytest.raises(ConfigurationError, match=said):
        simulate(SINGLE, 0, device=device)


def test_what_needs_double_precision_is_refused():
    with pytest.raises(ConfigurationError, match=r"precision: the inverse correlation .* needs double precision"):
        simulate(small.configuration(precision="single", when__rule="force"), 0)
    with pytest.raises(ConfigurationError, match=r"precision: a session's own network has the precision of brian2"):
        network(SINGLE)
    with pytest.raises(ConfigurationError, match=r"precision: 'half' is not a choice"):
        small.configuration(precision="half")
