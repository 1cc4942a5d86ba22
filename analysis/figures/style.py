"""How figures look: sizes of a journal's columns, fonts, colours. Nothing is changed outside `applied`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MILLIMETRE = 1 / 25.4
SINGLE = 88 * MILLIMETRE
"""Width of one column (inches)."""
DOUBLE = 180 * MILLIMETRE
"""Width of two columns (inches)."""

BLACK, GREY, PALE = "0.1", "0.45", "0.8"

SETTINGS: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["Arial", "Helvetica", "Liberation Sans", "DejaVu Sans"],
    "font.size": 7,
    "axes.labelsize": 7,
    "axes.titlesize": 7,
    "figure.titlesize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "axes.linewidth": 0.6,
    "axes.labelpad": 2,
    "axes.titlepad": 3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.1,
    "lines.markersize": 3,
    "patch.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "xtick.major.pad": 2,
    "ytick.major.pad": 2,
    "pdf.fonttype": 42,  # TrueType: text stays text in a PDF
    "ps.fonttype": 42,
    "svg.fonttype": "none",
    "savefig.dpi": 300,
}


@contextmanager
def applied() -> Iterator[None]:
    """Use the style within a ``with`` block."""
    import matplotlib
    import seaborn

    settings: Any = {**seaborn.axes_style("ticks"), **seaborn.plotting_context("paper"), **SETTINGS}
    with matplotlib.rc_context(settings):
        yield


def canvas(rows: int = 1, columns: int = 1, *, width: float, height: float, **grid: Any) -> tuple[Figure, Any]:
    """Return a figure with constrained layout and a two-dimensional array of axes.

    Parameters
    ----------
    rows, columns : int
    width, height : float
        Inches; `SINGLE` or `DOUBLE` wide.
    **grid
        As ``Figure.subplots`` takes.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    made = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03))
    FigureCanvasAgg(made)  # no window, whatever machine this runs on
    return made, made.subplots(rows, columns, squeeze=False, **grid)


def colours(names: Sequence[str]) -> dict[str, Any]:
    """Return a colour-blind safe colour for each name, always the same for the same position."""
    import seaborn

    return dict(zip(names, seaborn.color_palette("colorblind", len(names)), strict=True))


def dark(colour: Any) -> tuple[float, ...]:
    """Return a darker shade of a colour, for what is true beside what is predicted."""
    from matplotlib.colors import to_rgb

    return tuple(0.45 * part for part in to_rgb(colour))


def few_ticks(axes: Axes) -> None:
    """Use a few round numbers on the x axis of a narrow panel."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 5, 10]))


def band(axes: Axes, table: pd.DataFrame, x: str, **line: Any) -> None:
    """Draw the column ``mean`` as a line and ``low`` to ``high`` as a band, where there is one."""
    (drawn,) = axes.plot(table[x], table["mean"], **line)
    if table["low"].notna().any():
        axes.fill_between(table[x], table["low"], table["high"], color=drawn.get_color(), alpha=0.25, linewidth=0)


def letter(axes: Axes, text: str) -> None:
    """Put a panel's letter at its upper left."""
    axes.set_title(text, loc="left", fontweight="bold", fontsize=8)


def legend_below(made: Figure, axes: Axes, columns: int) -> None:
    """Put one legend for the whole figure below it, with each entry of some axes once."""
    handles, labels = axes.get_legend_handles_labels()
    made.legend(handles, labels, loc="outside lower center", ncols=columns, columnspacing=1.4)
