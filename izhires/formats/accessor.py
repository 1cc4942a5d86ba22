"""What every recording can do by itself: ``recording.izhires.plot_raster()``. Importing this module makes it so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import xarray as xr

from izhires import formats

if TYPE_CHECKING:
    import neo
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@xr.register_dataset_accessor("izhires")  # type: ignore[no-untyped-call]
class Accessor:
    """The forms of `izhires.formats` and the figures of `izhires.analysis.plots` as methods of a recording.

    A figure is drawn into `figure`, a figure of matplotlib or a part of one, by default a new one, and its axes are
    returned. `style` is one of `izhires.analysis.figures.style.LOOKS`.
    """

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

    def plot_prediction(
        self, probe: int | None = None, *, figure: Figure | None = None, style: str = "plain"
    ) -> list[Axes]:
        """Draw predictions beside expectations, of one probe or of the last of each block."""
        return self._drawn("prediction", figure, style, probe=probe)

    def plot_expectation(self, *, figure: Figure | None = None, style: str = "plain") -> list[Axes]:
        """Draw what is to be learned in each block."""
        return self._drawn("expectation", figure, style)

    def plot_learning_curve(self, *, figure: Figure | None = None, style: str = "plain") -> list[Axes]:
        """Draw the error of every probe, and that of predicting nothing."""
        return self._drawn("learning_curve", figure, style)

    def plot_weights(self, *, figure: Figure | None = None, style: str = "plain") -> list[Axes]:
        """Draw the weights of both readouts at the last probe."""
        return self._drawn("weights", figure, style)

    def plot_raster(self, *, figure: Figure | None = None, style: str = "plain") -> list[Axes]:
        """Draw the spikes of one probe and the states that its cue evokes."""
        return self._drawn("raster", figure, style)

    def _drawn(self, name: str, figure: Figure | None, style: str, **given: Any) -> list[Axes]:
        from izhires.analysis import plots

        return plots.drawn(getattr(plots, name), self._recording, figure, style, **given)

    def _repr_html_(self) -> str:
        from izhires.display import of_recording

        return of_recording(self._recording)

    def __repr__(self) -> str:
        return f"<{self._recording.attrs.get('title', 'a part of a recording')}>"
