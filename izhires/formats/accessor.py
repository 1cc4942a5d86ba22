"""What every recording can do by itself: ``recording.izhires.to_neo()``. Importing this module makes it so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import xarray as xr

from izhires import formats

if TYPE_CHECKING:
    import neo
    import pandas as pd


@xr.register_dataset_accessor("izhires")
class Formats:
    """The forms of `izhires.formats` as methods of a recording."""

    def __init__(self, recording: xr.Dataset) -> None:
        self._recording = recording

    def to_dataframe(self, table: str = "trials") -> pd.DataFrame:
        """Return one tidy table; see `izhires.formats.tables.to_dataframe`."""
        found: pd.DataFrame = formats.to_dataframe(self._recording, table)
        return found

    def to_neo(self) -> neo.Block:
        """Return spikes, trials and predictions for Neo; see `izhires.formats.neo.to_neo`."""
        return formats.to_neo(self._recording)

    def to_pynapple(self) -> dict[str, Any]:
        """Return spikes, trials and predictions for pynapple; see `izhires.formats.pynapple.to_pynapple`."""
        found: dict[str, Any] = formats.to_pynapple(self._recording)
        return found
