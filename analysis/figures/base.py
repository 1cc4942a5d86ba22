"""How a figure is declared, and how all of them are made and saved."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from izhires.analysis.declared import Registry, Unavailable, require
from izhires.errors import ConfigurationError, closest
from izhires.files import whole

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

Tables = dict[str, "pd.DataFrame"]
Prepare = Callable[[Sequence["xr.Dataset"]], Tables]
Draw = Callable[[Tables], "Figure"]


@dataclass(frozen=True)
class DeclaredFigure:
    """A declared figure; made by the decorator `figure`.

    Parameters
    ----------
    name : str
        Name of its files.
    title, caption : str
    needs : tuple of str
        Variables that every recording must hold.
    prepare : callable
        ``prepare(recordings)`` returns the tables of just what is drawn.
    draw : callable
        ``draw(tables)`` returns the matplotlib figure.
    """

    name: str
    title: str
    caption: str
    needs: tuple[str, ...]
    prepare: Prepare = field(repr=False)
    draw: Draw = field(repr=False)
    function: Draw = field(repr=False)


class Made(NamedTuple):
    """What `make_figures` made.

    Parameters
    ----------
    paths : list of Path
        Every file written.
    skipped : list of str
        One line a figure that could not be made, with the reason.
    """

    paths: list[Path]
    skipped: list[str]


FIGURES: Registry[DeclaredFigure] = Registry("izhires.analysis.figures")


def figure(
    name: str, *, title: str, caption: str, prepare: Prepare, needs: Iterable[str] = ("prediction", "expectation")
) -> Callable[[Draw], Draw]:
    """Declare a figure: the decorated function draws what `prepare` prepared, in this package's style.

    Parameters
    ----------
    name, title, caption, prepare, needs
        See `DeclaredFigure`.
    """

    def declare(function: Draw) -> Draw:
        @functools.wraps(function)
        def draw(prepared: Tables) -> Figure:
            from izhires.analysis.figures import style

            with style.applied():
                return function(prepared)

        FIGURES.add(DeclaredFigure(name, title, caption, tuple(needs), prepare, draw, function))
        return draw

    return declare


def all_figures() -> dict[str, DeclaredFigure]:
    """Return every declared figure by name."""
    return FIGURES.all()


def make_figures(
    recordings: Sequence[xr.Dataset], folder: str | os.PathLike[str], only: Iterable[str] | None = None
) -> Made:
    """Make every figure whose needs these recordings meet.

    Each figure becomes NAME.pdf, NAME.png (300 dpi) and, for each table of what is drawn, NAME_TABLE.csv. A file
    appears whole or not at all.

    Parameters
    ----------
    recordings : sequence of xarray.Dataset
        All recordings of a study.
    folder : path
        Made if it does not exist.
    only : iterable of str, optional
        Names of the figures to make; all when left out.

    Returns
    -------
    Made
        The paths, and one line for each figure that was left out.

    Raises
    ------
    ConfigurationError
        If a name in `only` is unknown.
    RecordingError
        If the folder cannot be written to.
    """
    known = all_figures()
    names = list(known) if only is None else list(only)
    for name in names:
        if name not in known:
            raise ConfigurationError(f"{name!r} is not a figure{closest(name, known)}", choices=known)
    made = Made([], [])
    for name in names:
        try:
            for recording in recordings:
                require(recording, known[name].needs)
            tables = known[name].prepare(recordings)
        except Unavailable as reason:
            made.skipped.append(f"{name}: {reason}")
            continue
        made.paths.extend(_save(known[name], tables, Path(folder)))
    return made


def _save(declared: DeclaredFigure, tables: Tables, folder: Path) -> list[Path]:
    from izhires.analysis.figures import style

    drawn = declared.draw(tables)
    # the date is left out, so that equal figures are equal files
    information: dict[str, dict[str, Any]] = {
        "pdf": {"Title": declared.title, "CreationDate": None},
        "png": {"Title": declared.title, "Description": declared.caption},
    }
    paths = []
    with style.applied():
        for kind, metadata in information.items():
            paths.append(folder / f"{declared.name}.{kind}")
            with whole(paths[-1]) as part:
                drawn.savefig(part, format=kind, metadata=metadata)
    for name, table in tables.items():
        paths.append(folder / f"{declared.name}_{name}.csv")
        with whole(paths[-1]) as part:
            table.to_csv(part, index=False, float_format="%.6g")
    return paths
