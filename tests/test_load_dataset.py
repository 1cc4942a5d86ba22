"""A folder of recordings as one data set that is read as it is used."""

import numpy as np
import pytest
import synthetic
import xarray as xr
from xarray.backends.netCDF4_ import NetCDF4ArrayWrapper

import izhires
from izhires.errors import RecordingError


@pytest.fixture
def folder(tmp_path):
    for seed in (3, 1):
        izhires.save(synthetic.recording(seed=seed), tmp_path / f"meet_seed{seed}.nc")
    return tmp_path


def test_every_variable_is_that_of_its_file(folder):
    found = izhires.load_dataset(folder)
    assert dict(found.sizes)["seed"] == 2 and found["seed"].values.tolist() == [1, 3]
    each = {seed: izhires.load(folder / f"meet_seed{seed}.nc") for seed in (1, 3)}
    left_out = found.attrs["left_out"].split(", ")
    assert {"spike_time", "spike_neuron"} <= set(left_out)
    assert set(found.variables) == {*each[1].variables, "variant", "seed"} - set(left_out)
    for seed, one in each.items():
        own = found.sel(seed=seed).isel(variant=0)
        for name in one.variables:
            if name not in left_out:
                np.testing.assert_array_equal(own[name].values, one[name].values, err_msg=name)


@pytest.mark.parametrize(
    "key",
    [
        {"probe": [2, 0], "time": slice(3, 9)},
        {"probe": -1, "event": 1},
        {"seed": [1, 0], "probe": [0, 1], "time": [5, 2, 2]},
        {"seed": 0, "variant": 0},
        {"time": slice(None, None, -1)},
        {"probe": slice(0, 0)},
    ],
    ids=str,
)
def test_parts_are_those_of_the_whole(folder, key):
    found = izhires.load_dataset(folder)
    whole = found["prediction"].load()
    part = izhires.load_dataset(folder)["prediction"].isel(key)
    xr.testing.assert_identical(part.load(), whole.isel(key))


def test_nothing_but_labels_is_read_before_it_is_used(folder, monkeypatch):
    read = []
    plain = NetCDF4ArrayWrapper._getitem

    def counted(self, key):
        found = plain(self, key)
        read.append((self.variable_name, np.size(found)))
        return found

    monkeypatch.setattr(NetCDF4ArrayWrapper, "_getitem", counted)
    found = izhires.load_dataset(folder)
    numbers = {name for name, _ in read if found.variables[name].dtype.kind in "if"}  # texts are looked at, and short
    assert numbers <= {"event", "time", "neuron", "trial", "probe", "state_probe", "state_time"}
    read.clear()
    found["what"].sel(seed=3).isel(probe=[0, 2]).load()
    # of one file, and no more than was asked for: those values, and the labels of those probes
    assert [each for each in read if each[0] == "what"] == [("what", 2 * found.sizes["event"])]
    assert {size for name, size in read if name != "what"} == {2}


def test_where_a_seed_is_missing(folder):
    izhires.save(synthetic.recording(seed=1).assign_attrs(variant="p=0.30"), folder / "other.nc")
    found = izhires.load_dataset(folder)
    assert found["variant"].values.tolist() == ["", "p=0.30"] and found.sizes["seed"] == 2
    gap = found.sel(variant="p=0.30", seed=3)
    assert np.isnan(gap["prediction"].values).all() and (gap["trial_event"].values == "").all()
    assert not np.isnan(found.sel(variant="p=0.30", seed=1)["prediction"].values).any()


def test_what_cannot_be_one_is_refused(folder, tmp_path):
    izhires.save(synthetic.recording(seed=3), folder / "again.nc")
    with pytest.raises(RecordingError, match=r"is a second recording of seed 3; izhires.load_folder"):
        izhires.load_dataset(folder)
    (folder / "again.nc").write_text("no netCDF")
    with pytest.raises(RecordingError, match="is not a whole netCDF file"):
        izhires.load_dataset(folder)
    with pytest.raises(RecordingError, match="there is no such folder"):
        izhires.load_dataset(tmp_path / "nowhere")
