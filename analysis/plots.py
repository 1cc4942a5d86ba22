"""The five figures that everyone wants of one recording, drawn into a figure of one's own or of matplotlib's.

Each is a method of ``recording.izhires``. Those of a study, with intervals over seeds and chance levels, are made by
`izhires.analysis.make_figures`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from izhires.analysis.figures import style as styles
from izhires.analysis.metrics.prediction import rmse
from izhires.errors import ConfigurationError, RecordingError
from izhires.recordings import schema

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEIGHT = 70.0
"""Of a figure, mm."""


def prediction(recording: xr.Dataset, made: Figure, probe: int | None = None) -> list[Axes]:
    """Draw the prediction of a probe beside the expectation of its block; by default of the last one of each block.

    Raises
    ------
    RecordingError
        If the recording holds no predictions, or no such probe.
    """
    schema.require(recording, ["prediction", "expectation", "block"])
    blocks = recording["block"].values
    rows = [np.flatnonzero(blocks == each)[-1] for each in dict.fromkeys(blocks)] if probe is None else [probe]
    return _courses(recording, made, rows, [("prediction", "-"), ("expectation", (0, (3, 2)))])


def expectation(recording: xr.Dataset, made: Figure) -> list[Axes]:
    """Draw what is to be learned: the true expectation of each block, probability times a bump at the latency.

    Raises
    ------
    RecordingError
        If the recording does not hold it.
    """
    schema.require(recording, ["expectation", "block"])
    blocks = recording["block"].values
    return _courses(
        recording, made, [np.flatnonzero(blocks == each)[0] for each in dict.fromkeys(blocks)], [("expectation", "-")]
    )


def _courses(recording: xr.Dataset, made: Figure, rows: list[Any], kinds: list[tuple[str, Any]]) -> list[Axes]:
    many = recording.sizes.get("probe", 0)
    if not rows or not all(-many <= each < many for each in rows):
        raise RecordingError(f"has {many} probes; there is none of number {rows[0] if rows else 0}", "probe")
    events = [str(each) for each in recording["event"].values]
    colour = styles.colours(events)
    found = styles.tiles(made, len(rows), sharex=True, sharey=True)
    for axes, row in zip(found, rows, strict=True):
        here = recording.isel(probe=int(row))
        for kind, dashes in kinds:
            for event in events:
                axes.plot(recording["time"], here[kind].sel(event=event), color=colour[event], linestyle=dashes,
                          label=f"{kind} of {event}")  # fmt: skip
        name = f", {here['cue_name'].item()}" if "cue_name" in here.coords else ""
        axes.set(title=f"block {int(here['block'])}{name}", xlabel="time from cue (s)")
        styles.few_ticks(axes)
    found[0].set_ylabel(kinds[0][0])
    styles.legend_below(made, found[0], len(events))
    return found


def learning_curve(recording: xr.Dataset, made: Figure) -> list[Axes]:
    """Draw the error of every probe, the root mean square of prediction minus expectation, and of predicting nothing.

    Raises
    ------
    RecordingError
        If the recording holds no predictions.
    """
    schema.require(recording, ["prediction", "expectation", "block", "probe_trial"])
    wanted = recording["expectation"]
    axes = made.subplots()
    trials = recording["probe_trial"].values
    axes.plot(trials, rmse(recording["prediction"], wanted), marker="o", markersize=3, label="prediction")
    axes.plot(trials, rmse(0 * wanted, wanted), color=styles.GREY, linestyle="--", label="predicting nothing")
    blocks = recording["block"].values
    for switch in np.flatnonzero(np.diff(blocks)):
        axes.axvline(trials[switch + 1], color=styles.PALE, linewidth=0.8, zorder=0)
    axes.set(xlabel="training trials (grey lines: a new block)", ylabel="error (RMSE)", ylim=(0, None))
    axes.legend(loc="upper right")
    return [axes]


def weights(recording: xr.Dataset, made: Figure) -> list[Axes]:
    """Draw the weights of both readouts at the last probe: of each event, sorted by the first event's.

    Raises
    ------
    RecordingError
        If the weights were left out of the recording.
    """
    schema.require(recording, ["what_weights", "when_weights"])
    events = [str(each) for each in recording["event"].values]
    colour = styles.colours(events)
    found = list(made.subplots(1, 2))
    for axes, name in zip(found, ("what", "when"), strict=True):
        last = recording[f"{name}_weights"].isel(probe=-1)
        order = np.argsort(last.isel(event=0).values)
        for event in events:
            axes.plot(last.sel(event=event).values[order], linestyle="", marker=".", markersize=2, color=colour[event],
                      label=event)  # fmt: skip
        unit = last.attrs.get("units", "1")
        axes.set(xlabel=f"cell, sorted by its weight for {events[0]}",
                 ylabel=f"weight of '{name}'{'' if unit == '1' else f' ({unit})'}")  # fmt: skip
    found[0].legend(title="event")
    return found


def raster(recording: xr.Dataset, made: Figure) -> list[Axes]:
    """Draw the spikes of the last probe of the first block beside the states; the figure ``raster`` of the analysis.

    Raises
    ------
    RecordingError
        If the recording does not hold them.
    """
    from izhires.analysis.declared import Unavailable
    from izhires.analysis.figures.base import all_figures

    declared = all_figures()["raster"]
    try:
        return list(declared.function(declared.tables([recording]), made))
    except Unavailable as problem:
        raise RecordingError(str(problem), "raster") from None


def drawn(
    draw: Callable[..., list[Axes]], recording: xr.Dataset, figure: Figure | None, style: str, **given: Any
) -> list[Axes]:
    """Draw into a figure, by default a new one of matplotlib's, two columns wide in one of the styles."""
    import matplotlib.pyplot as plt

    if figure is not None and not hasattr(figure, "subplots"):
        raise ConfigurationError(f"must be a figure of matplotlib, got {type(figure).__name__}", "figure")
    look = styles.look(style)
    with styles.applied(style):
        made = figure
        if made is None:
            size = look.width(2) * styles.MILLIMETRE, HEIGHT * styles.MILLIMETRE
            made = plt.figure(figsize=size, layout="constrained")
        return draw(recording, made, **given)
