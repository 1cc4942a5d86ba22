"""How figures look: sizes of a journal's columns, fonts, colours. Nothing is changed outside `applied`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from izhires.analysis.statistics import what_spread_is
from izhires.errors import ConfigurationError, closest

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, FigureBase

MILLIMETRE = 1 / 25.4
SINGLE = 88 * MILLIMETRE
"""Width of one column (inches)."""
DOUBLE = 180 * MILLIMETRE
"""Width of two columns (inches)."""

BLACK, GREY, PALE = "0.1", "0.45", "0.8"

COLOURS = (
    "#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9",
)  # fmt: skip
"""The palette ``colorblind`` of seaborn 0.13, whose import takes as long as a figure."""


@dataclass(frozen=True)
class Look:
    """The sizes that a journal asks for; its fonts and lines stand in ``styles/NAME.mplstyle``.

    Parameters
    ----------
    single, double : float
        Width of a figure of one and of two columns, mm.
    capitals : bool
        Whether panels are lettered A, B, ... rather than a, b, ...
    """

    single: float
    double: float
    capitals: bool = False

    def width(self, columns: int) -> float:
        """Return the width of one or two columns in mm."""
        return self.single if columns == 1 else self.double


LOOKS = {
    "plain": Look(88, 180),
    "nature": Look(89, 183),
    "pnas": Look(87, 178, capitals=True),
    "jneurosci": Look(85, 176, capitals=True),
}
"""Each style by name."""


def look(name: str) -> Look:
    """Return a look by its name.

    Raises
    ------
    ConfigurationError
        If there is none of that name.
    """
    if name not in LOOKS:
        raise ConfigurationError(f"{name!r} is not a style{closest(name, LOOKS)}", "--style", LOOKS)
    return LOOKS[name]


@contextmanager
def applied(name: str = "plain") -> Iterator[None]:
    """Use a style within a ``with`` block, whatever settings of matplotlib stand outside it.

    Text stands as it is written: there is no mathematics between dollars, since names may hold them.
    """
    import matplotlib.style

    look(name)
    folder = Path(__file__).with_name("styles")
    with matplotlib.style.context(["default", *(str(folder / f"{each}.mplstyle") for each in ("plain", name))]):
        yield


def page(width: float, height: float) -> Figure:
    """Return an empty figure with constrained layout.

    Parameters
    ----------
    width, height : float
        Inches.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    made = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03))
    FigureCanvasAgg(made)  # no window, whatever machine this runs on
    return made


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
    made = page(width, height)
    return made, made.subplots(rows, columns, squeeze=False, **grid)


def width(figure: FigureBase) -> float:
    """Return the width of a figure, or of the part of one, in mm."""
    whole: Any = figure.get_figure(root=True)
    box: Any = figure.bbox  # type: ignore[attr-defined]
    return float(box.width / whole.dpi / MILLIMETRE)


def across(figure: FigureBase, panels: int, least: float = 40.0) -> int:
    """Return how many of some panels stand side by side, when each needs so many mm."""
    return max(1, min(panels, int(width(figure) / least)))


def tiles(figure: FigureBase, panels: int, least: float = 40.0, **grid: Any) -> list[Axes]:
    """Return axes for some panels in rows, as many side by side as fit; see `across`."""
    side = across(figure, panels, least)
    rows = -(-panels // side)
    found: list[Axes] = list(figure.subplots(rows, side, squeeze=False, **grid).ravel())
    for empty in found[panels:]:
        empty.remove()
    return found[:panels]


def colours(names: Sequence[str]) -> dict[str, Any]:
    """Return a colour-blind safe colour for each name, always the same for the same position."""
    from matplotlib.colors import to_rgb

    return {name: to_rgb(COLOURS[k % len(COLOURS)]) for k, name in enumerate(names)}


def graded(names: Sequence[str]) -> dict[str, Any]:
    """Return a shade for each of many names in order, from dark blue to yellow, which all readers tell apart."""
    import matplotlib

    scale = matplotlib.colormaps["cividis"]
    return {name: scale(k / max(1, len(names) - 1)) for k, name in enumerate(names)}


def dark(colour: Any) -> tuple[float, ...]:
    """Return a darker shade of a colour, for what is true beside what is predicted."""
    from matplotlib.colors import to_rgb

    return tuple(0.45 * part for part in to_rgb(colour))


def few_ticks(axes: Axes) -> None:
    """Use a few round numbers on the x axis of a narrow panel."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 5, 10]))


def whole_ticks(axes: Axes, values: Sequence[int]) -> None:
    """Put a tick at each of a few blocks."""
    axes.set_xticks(sorted(set(values)))
    axes.set_xlim(min(values) - 0.6, max(values) + 0.6)


def band(axes: Axes, table: pd.DataFrame, x: str, **line: Any) -> None:
    """Draw the column ``mean`` as a line and ``low`` to ``high`` as a band, where there is one."""
    (drawn,) = axes.plot(table[x], table["mean"], **line)
    if table["low"].notna().any():
        axes.fill_between(table[x], table["low"], table["high"], color=drawn.get_color(), alpha=0.25, linewidth=0)


def points(axes: Axes, x: Any, table: pd.DataFrame, **line: Any) -> None:
    """Draw the column ``mean`` as points with ``low`` to ``high`` as bars, where there are any."""
    import numpy as np

    mean = table["mean"].to_numpy(float)
    bars = np.abs(np.stack([mean - table["low"].to_numpy(float), table["high"].to_numpy(float) - mean]))
    look = {"linestyle": "", "marker": "o", "markersize": 3.2, "elinewidth": 0.9, **line}
    axes.errorbar(np.asarray(x, float), mean, yerr=np.nan_to_num(bars), **look)


def shown(name: str) -> str:
    """Return a name as the entry of a legend, which leaves out those that begin with an underscore."""
    return f" {name}" if name.startswith("_") else name


def label(axes: Axes, letter: str) -> None:
    """Put a panel's letter at its upper left."""
    import matplotlib

    axes.set_title(letter, loc="left", fontweight="bold", fontsize=matplotlib.rcParams["figure.titlesize"])


def legend_below(
    made: FigureBase, axes: Axes | Sequence[Axes], columns: int, seeds: int | None = None, spread: str = ""
) -> None:
    """Put one legend below a figure, with each entry of some axes once, and say how many seeds are behind it."""
    import numpy as np

    several = np.atleast_1d(np.asarray(axes, object)).tolist()
    entries = {text: handle for each in several for handle, text in zip(*each.get_legend_handles_labels(), strict=True)}
    made.legend(
        list(entries.values()), list(entries), loc="outside lower center", ncols=columns, columnspacing=1.4,
        title=None if seeds is None else number_of(seeds, spread),
    )  # fmt: skip


def number_of(seeds: int, spread: str = "") -> str:
    """Return ``n = 5 seeds``, and what the marks named in `spread` show: ``n = 5 seeds; bands: range of the seeds``."""
    words = what_spread_is(seeds) if spread else ""
    return f"n = {seeds} seed{'s' * (seeds != 1)}" + f"; {spread}: {words}" * bool(words)


def signed(value: float, digits: int = 2) -> str:
    """Return a number with a true minus sign."""
    return f"{value:.{digits}f}".replace("-", "\u2212")
