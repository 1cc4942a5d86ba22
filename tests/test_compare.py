"""Two recordings, variable by variable."""

import numpy as np
import pytest
import small
from terminal import izhires

from izhires import simulate
from izhires.analysis.compare import compare
from izhires.recordings.recording import save

QUIET = small.configuration()


@pytest.fixture(scope="module")
def recording():
    return simulate(QUIET, seed=0)


def by_name(one, other):
    return {each.name: each for each in compare(one, other)}


def test_a_recording_agrees_with_itself(recording):
    found = compare(recording, recording.copy(deep=True))
    assert found[0].name == "spikes"
    assert found[0].text == f"all {recording.sizes['spike']} identical"
    assert {each.name for each in found[1:]} == {
        str(name) for name in recording.variables if not str(name).startswith("spike_")
    }
    assert all(each.identical for each in found)  # values that are missing in both among them
    assert np.isnan(recording["trial_latency"]).any()


def test_the_first_spike_that_differs_is_found(recording):
    one = recording.sortby(["spike_time", "spike_neuron"])
    other = one.copy(deep=True)
    at = 700
    moment = float(one["spike_time"][at])
    other["spike_neuron"][at] = (int(one["spike_neuron"][at]) + 1) % 100
    spikes = by_name(one, other)["spikes"]
    assert not spikes.identical
    # spikes of one time step are ordered by cell
    first = int(spikes.text.split()[2])
    assert np.searchsorted(one["spike_time"], moment) <= first <= at
    assert spikes.text.endswith(f"identical, then different from {moment:.4f} s on")
    one.attrs["configuration"] = recording.attrs["configuration"].replace('"spikes": "all"', '"spikes": "probes"')
    assert by_name(one, other)["spikes"].text.endswith(" s on; only those of probes were kept, see keep.spikes")
    one.attrs["configuration"] = recording.attrs["configuration"]
    # one that is missing
    fewer = one.isel(spike=np.delete(np.arange(one.sizes["spike"]), at))
    text = by_name(one, fewer)["spikes"].text
    assert text.startswith("the first ")
    assert f"of {one.sizes['spike']} and {one.sizes['spike'] - 1} identical" in text
    # all of the shorter one agree
    short = one.isel(spike=slice(at))
    assert by_name(one, short)["spikes"].text == (
        f"the first {at} of {one.sizes['spike']} and {at} identical, then different from {moment:.4f} s on"
    )
    assert not by_name(short, one)["spikes"].identical


def test_the_last_bit_of_a_time_and_the_order_within_a_step_do_not_count(recording):
    rng = np.random.default_rng(0)
    other = recording.isel(spike=rng.permutation(recording.sizes["spike"]))
    other["spike_time"] = other["spike_time"] * (1 + 2e-16)
    assert by_name(recording, other)["spikes"].identical


def test_numbers_that_differ(recording):
    other = recording.copy(deep=True)
    largest = float(np.abs(recording["when_weights"]).max())
    other["when_weights"][1, 0, 5] += 1e-6 * largest
    other["trial_latency"][0] = 0.123 if np.isnan(recording["trial_latency"][0]) else np.nan
    other["trial_event"] = other["trial_event"].copy(data=np.array(["C"] * other.sizes["trial"]))
    found = by_name(recording, other)
    weights = found["when_weights"]
    assert not weights.identical
    assert weights.difference == pytest.approx(1e-6 * largest, rel=1e-6)
    assert weights.scale == largest
    assert weights.text == f"differs by at most {weights.difference:.3g}, 1e-06 of its largest value"
    assert not found["trial_latency"].identical
    assert "missing" in found["trial_latency"].text
    assert (found["trial_event"].identical, found["trial_event"].text) == (False, "different")
    assert sum(not each.identical for each in found.values()) == 3


def test_a_variable_that_is_zero_in_the_first(recording):
    one, other = recording.copy(deep=True), recording.copy(deep=True)
    one["rate"][:] = 0.0
    other["rate"][:] = 2.0
    assert by_name(one, other)["rate"].text == "differs by at most 2"


def test_what_one_of_them_lacks(recording):
    less = recording.drop_vars(["state_trace", "spike_time", "spike_neuron"])
    assert by_name(recording, less)["state_trace"].text == "only in the first"
    assert by_name(less, recording)["state_trace"].text == "only in the second"
    for found in (by_name(recording, less), by_name(less, recording)):
        assert not found["spikes"].identical
        assert found["spikes"].text.startswith("only in the ")
    assert "spikes" not in by_name(less, less)


def test_other_shapes(recording):
    found = by_name(recording, recording.isel(probe=slice(3)))
    assert found["what"].text == f"shapes {recording['what'].shape} and (3, 2)"
    assert not found["what"].identical
    assert found["trial_what"].identical


def test_the_command(recording, tmp_path):
    save(recording, tmp_path / "one.nc")
    save(simulate(QUIET, seed=1), tmp_path / "other.nc")
    same = izhires("compare", tmp_path / "one.nc", tmp_path / "one.nc")
    assert (same.returncode, same.stderr) == (0, "")
    *lines, last = same.stdout.splitlines()
    assert last == f"{len(lines)} of {len(lines)} identical"
    differs = izhires("compare", tmp_path / "one.nc", tmp_path / "other.nc")
    assert differs.returncode == 0
    assert "spikes" in differs.stdout.splitlines()[0]
    assert not differs.stdout.splitlines()[-1].startswith(f"{len(lines)} of")
    absent = izhires("compare", tmp_path / "one.nc", tmp_path / "absent.nc")
    assert absent.returncode == 5
    assert absent.stderr == f"izhires: {tmp_path / 'absent.nc'}: there is no such file\n"
