"""A folder of recordings as one labelled data set, read from its files as it is used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from izhires.errors import RecordingError
from izhires.files import as_path
from izhires.recordings import schema
from izhires.recordings.recording import files

if TYPE_CHECKING:
    import xarray as xr


def load_dataset(folder: str | Path) -> xr.Dataset:
    """Open all recordings of a folder as one data set with the dimensions ``variant`` and ``seed``.

    Nothing but labels and texts is read before it is used: ``load_dataset(folder).what.sel(seed=100).values`` reads one
    variable of one file. So no checksum is looked at; `izhires.load` does that, one file at a time. What has no common
    shape, as the spikes, is left out, and named in ``attrs["left_out"]``.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    xarray.Dataset
        Variables (variant, seed, ...) as in `izhires.recordings.schema`. NaN, 0 or an empty text stand where a seed has
        no recording of a variant. Attributes are those that all have in common.

    Raises
    ------
    RecordingError
        If the folder holds none, one that is no recording, or two of one variant and seed.
    """
    import xarray as xr
    from xarray.core import indexing

    from izhires.recordings.recording import check_layout

    opened: dict[tuple[str, int], xr.Dataset] = {}
    for path in files(as_path(folder)):
        try:
            found = xr.open_dataset(path, engine="netcdf4", decode_times=False, cache=False)
        except Exception:  # the netCDF library raises OSError, RuntimeError, ValueError and others
            raise RecordingError("is not a whole netCDF file", str(path)) from None
        check_layout(found, str(path))
        key = str(found.attrs["variant"]), int(found.attrs["seed"])
        if key in opened:
            problem = f"is a second recording of {f'variant {key[0]!r}, ' if key[0] else ''}seed {key[1]}"
            raise RecordingError(f"{problem}; izhires.load_folder reads several configurations", str(path))
        opened[key] = found
    variants = list(dict.fromkeys(variant for variant, _ in opened))
    seeds = sorted({seed for _, seed in opened})
    first = next(iter(opened.values()))
    every = list(opened.values())
    made: dict[str, Any] = {}
    labels: dict[str, Any] = {"variant": ("variant", variants), "seed": ("seed", seeds)}
    left_out = []
    for name, variable in first.variables.items():
        known = schema.VARIABLES.get(str(name))
        alike = all(name in each.variables and each.variables[name].dims == variable.dims
                    and each.variables[name].shape == variable.shape for each in every)  # fmt: skip
        ragged = {"spike", "input"} & set(variable.dims)  # as many as there happened to be
        if not alike or ragged:
            left_out.append(str(name))
            continue
        if variable.dims == (name,):
            if any(not np.array_equal(each.variables[name].values, variable.values) for each in every):
                raise RecordingError(f"differ in their {name}: izhires.load_folder reads them one by one", str(folder))
            labels[str(name)] = variable
            continue
        grid = [[opened.get((variant, seed)) for seed in seeds] for variant in variants]
        arrays = [[None if each is None else each.variables[name] for each in row] for row in grid]
        stacked = _stacked(arrays, variable)
        held = xr.Variable(("variant", "seed", *variable.dims), indexing.LazilyIndexedArray(stacked), variable.attrs)
        (labels if known is not None and known.coordinate else made)[str(name)] = held
    attributes = {key: value for key, value in first.attrs.items()
                  if all(_same(each.attrs.get(key), value) for each in every)}  # fmt: skip
    result = xr.Dataset(made, labels, {**attributes, "left_out": ", ".join(left_out)})

    def close() -> None:
        for each in every:
            each.close()

    result.set_close(close)
    return result


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(np.all(one == other))


def _stacked(arrays: list[list[xr.Variable | None]], like: xr.Variable) -> Any:
    """Return an array (variant, seed, ...) of variables of open files, of which those are read that are asked for."""
    from xarray.backends import BackendArray
    from xarray.core import indexing

    text = like.dtype.kind in "OUS"

    class Stacked(BackendArray):
        """Variables of one shape, side by side."""

        shape = (len(arrays), len(arrays[0]), *like.shape)
        gaps = any(each is None for row in arrays for each in row)
        dtype = np.dtype(object) if text else np.dtype(like.dtype)

        def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
            return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._read)

        def _read(self, key: tuple[Any, ...]) -> np.ndarray:
            one = [isinstance(each, (int, np.integer)) for each in key]
            chosen = [np.atleast_1d(np.arange(size)[each]) for size, each in zip(self.shape, key, strict=True)]
            found = np.empty([len(each) for each in chosen], dtype=self.dtype)
            fill: Any = "" if text else (np.nan if self.dtype.kind == "f" else 0)
            for row, variant in enumerate(chosen[0]):
                for column, seed in enumerate(chosen[1]):
                    held = arrays[variant][seed]
                    # one dimension after the other, each with its own list
                    found[row, column] = fill if held is None else held[tuple(chosen[2:])].values
            return found[tuple(0 if each else slice(None) for each in one)]

    return Stacked()
