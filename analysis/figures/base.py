"""How a figure is declared, and how all of them are made and saved.

A figure is prepared, that is, turned into labelled tables of just what is drawn, and then drawn. Drawing fills any
canvas it is given, so that the same file makes a figure of its own and a panel of a composed one.
"""

from __future__ import annotations

import os
import re
import string
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from izhires.analysis import selection
from izhires.analysis.declared import Registry, Unavailable, require
from izhires.analysis.statistics import FEW
from izhires.errors import ConfigurationError, closest
from izhires.files import as_path, whole
from izhires.running.worker import Task, TaskReport, results

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, FigureBase

Tables = dict[str, "pd.DataFrame"]
Prepare = Callable[..., Tables]
Draw = Callable[[Tables, "FigureBase"], Sequence["Axes"]]
Height = Callable[[Tables, float], float]


@dataclass(frozen=True)
class DeclaredFigure:
    """A declared figure; made by the decorator `figure`, or by `compose` from others.

    Parameters
    ----------
    name : str
        Name of its files.
    title : str
    captions : tuple of str
        One for each panel that gets a letter.
    alt : str
        What a reader sees who sees no figure: kind of plot, axes, what is compared.
    needs : tuple of str
        Variables that every recording must hold.
    metrics : tuple of str
        Metrics whose tidy table it is made of.
    columns : int
        Columns of a page that it wants, 1 or 2.
    height : callable
        ``height(tables, width)``, both in mm.
    prepare : callable
        ``prepare(recordings)`` returns the tables of just what is drawn; ``prepare(recordings, table)`` when it is made
        of metrics.
    function : callable
        ``function(tables, figure)`` draws into an empty figure or part of one, and returns the axes at which a panel
        begins.
    panels : tuple of tuple of str
        Rows of the figures that it is composed of.
    all_cues : bool
        Whether it shows all cues at once; others are made for each cue, where there are several.
    side_by_side : bool
        Whether it shows several studies; its recordings say by the attribute ``study`` of which each is, and hold
        neither spikes nor what is of single cells.
    """

    name: str
    title: str
    captions: tuple[str, ...]
    alt: str
    needs: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    columns: int = 2
    height: Height = field(default=lambda tables, width: 70.0, repr=False)
    prepare: Prepare = field(default=lambda recordings: {}, repr=False)
    function: Draw = field(default=lambda tables, figure: [], repr=False)
    panels: tuple[tuple[str, ...], ...] = ()
    all_cues: bool = False
    side_by_side: bool = False

    def tables(self, recordings: Sequence[xr.Dataset], known: pd.DataFrame | None = None) -> Tables:
        """Return the tables of what is drawn.

        Parameters
        ----------
        recordings : sequence of xarray.Dataset
        known : pandas.DataFrame, optional
            A tidy table of these very recordings; metrics that it lacks are computed.

        Raises
        ------
        Unavailable
            If the figure cannot be made of these recordings.
        """
        for recording in recordings:
            require(recording, self.needs)
        if not self.metrics:
            return self.prepare(recordings)
        return self.prepare(recordings, _metrics(self.metrics, recordings, known))

    def draw(self, tables: Tables, style: str = "plain", columns: int | None = None) -> Figure:
        """Return the figure in one of the styles, one or two columns wide."""
        return draw([[(self, tables)]], style, columns or self.columns)

    def caption(self, style: str = "plain", first: int = 0, several: bool = False) -> str:
        """Return the caption, its panels lettered from `first` on where there is more than one."""
        from izhires.analysis.figures.style import look

        if len(self.captions) < 2 and not several:
            return " ".join(self.captions)
        names = _letters(look(style).capitals)[first:]
        return " ".join(f"{letter}, {text}" for letter, text in zip(names, self.captions, strict=False))


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
    name: str,
    *,
    title: str,
    caption: str | Sequence[str],
    alt: str,
    prepare: Prepare,
    needs: Iterable[str] = ("prediction", "expectation"),
    metrics: Iterable[str] = (),
    columns: int = 2,
    height: float | Height = 70.0,
    all_cues: bool = False,
    side_by_side: bool = False,
) -> Callable[[Draw], Draw]:
    """Declare a figure: the decorated function draws what `prepare` prepared.

    Parameters
    ----------
    name, title, alt, prepare, needs, metrics, columns, all_cues, side_by_side
        See `DeclaredFigure`.
    caption : str or sequence of str
        One for each panel that gets a letter.
    height : float or callable
        mm, or ``height(tables, width)``.
    """

    def declare(function: Draw) -> Draw:
        captions = (caption,) if isinstance(caption, str) else tuple(caption)
        high: Height = height if callable(height) else lambda tables, width: height
        FIGURES.add(
            DeclaredFigure(
                name,
                title,
                captions,
                alt,
                tuple(needs),
                tuple(metrics),
                columns,
                high,
                prepare,
                function,
                all_cues=all_cues,
                side_by_side=side_by_side,
            )
        )
        return function

    return declare


def compose(name: str, *, title: str, panels: Sequence[Sequence[str]]) -> None:
    """Declare a figure of the paper, composed of others: rows of their names."""

    def nothing(tables: Tables, figure: FigureBase) -> Sequence[Axes]:
        raise NotImplementedError

    nothing.__module__, nothing.__qualname__ = __name__, name
    FIGURES.add(DeclaredFigure(name, title, (), "", function=nothing, panels=tuple(tuple(row) for row in panels)))


def all_figures() -> dict[str, DeclaredFigure]:
    """Return every declared figure by name."""
    return FIGURES.all()


FigureRow = Sequence[tuple[DeclaredFigure, Tables]]


def draw(rows: Sequence[FigureRow], style: str = "plain", columns: int = 2) -> Figure:
    """Draw figures as the panels of one.

    Parameters
    ----------
    rows : sequence of sequence of (DeclaredFigure, tables)
        What stands side by side in each row; figures for one column share a row, one for two has it for itself.
    style : str
        See `izhires.analysis.figures.style.LOOKS`.
    columns : int
        1 or 2.
    """
    from izhires.analysis.figures import style as styles

    look = styles.look(style)
    if columns not in (1, 2):
        raise ConfigurationError(f"must be 1 or 2, got {columns}", "--columns")
    if columns == 1:
        rows = [[panel] for row in rows for panel in row]
    wide = look.width(columns)
    heights = [max(each.height(tables, wide / len(row)) for each, tables in row) for row in rows]
    with styles.applied(style):
        made = styles.page(wide * styles.MILLIMETRE, sum(heights) * styles.MILLIMETRE)
        starts: list[Axes] = []
        if len(rows) == 1 and len(rows[0]) == 1:
            ((alone, tables),) = rows[0]
            starts += alone.function(tables, made)
        else:
            strips = made.subfigures(len(rows), 1, height_ratios=heights, squeeze=False)[:, 0]
            for row, strip in zip(rows, strips, strict=True):
                places = strip.subfigures(1, len(row), squeeze=False)[0] if len(row) > 1 else [strip]
                for (each, tables), place in zip(row, places, strict=True):
                    starts += each.function(tables, place)
        _say_once(made)
        if len(starts) > 1:
            for letter, axes in zip(_letters(look.capitals), starts, strict=False):
                styles.label(axes, letter)
    return made


def _say_once(made: FigureBase) -> None:
    """Leave the number of seeds, which stands above the legend of each panel, at the last where it is that of all."""
    parts: list[FigureBase] = [made]
    for each in parts:
        parts += each.subfigs
    titled = [legend for each in parts for legend in each.legends if legend.get_title().get_text().startswith("n = ")]
    said = [legend.get_title().get_text().partition("; ") for legend in titled]
    if len({number for number, _, _ in said}) == 1:
        for legend, (_, _, spread) in list(zip(titled, said, strict=True))[:-1]:
            legend.set_title(spread)


def _letters(capitals: bool) -> str:
    return string.ascii_uppercase if capitals else string.ascii_lowercase


@dataclass(frozen=True)
class Prepared:
    """A figure whose tables are there, still to be drawn.

    Parameters
    ----------
    declared : DeclaredFigure
    rows : sequence of sequence of (DeclaredFigure, tables)
        As `draw` takes them.
    style : str
    columns : int
    caption, alt : str
        What is said beside it.
    cue : str
        The cue whose trials it shows, where there are several; empty: those of all.
    name : str
        Name of its files.
    """

    declared: DeclaredFigure
    rows: Sequence[FigureRow]
    style: str
    columns: int
    caption: str
    alt: str
    cue: str
    name: str

    @property
    def title(self) -> str:
        """The title, with the cue where there are several."""
        return f"{self.declared.title}: {self.cue}" if self.cue else self.declared.title

    @property
    def tables(self) -> Tables:
        """The tables of what is drawn, none where other figures have them as their own."""
        return {} if self.declared.panels else self.rows[0][0][1]

    def draw(self) -> Figure:
        """Return the figure, laid out once for all files that are made of it."""
        from izhires.analysis.figures import style as styles

        made = draw(self.rows, self.style, self.columns)
        with styles.applied(self.style):
            made.draw_without_rendering()
        made.set_layout_engine(None)
        return made


Analysed = tuple["Sequence[xr.Dataset]", "pd.DataFrame | None"]
"""All recordings of a study, and their tidy table of metrics where it is known (see `izhires.analysis.kept`)."""


SIDE_BY_SIDE = 8
"""Studies that a figure shows side by side, at most."""


def prepare_all(
    studies: Iterable[Analysed], only: Iterable[str] | None = None, style: str = "plain", columns: int | None = None
) -> Iterator[Prepared | str]:
    """Prepare every figure that some studies allow, each from the first study that allows it, one after the other.

    Of a study with several cues each figure is made once a cue, but for those that show all cues. Figures that show
    studies side by side are made of all of them, as long as these are no more than `SIDE_BY_SIDE`.

    Parameters
    ----------
    studies : iterable of (recordings, table)
        Taken one after the other, and only as far as needed.
    only, style, columns
        See `make_figures`.

    Yields
    ------
    Prepared or str
        A figure as soon as all its panels are there; at the end those that lack some, and for each that cannot be made
        one line that says why.

    Raises
    ------
    ConfigurationError
        If a name in `only` or the style is unknown.
    """
    from izhires.analysis.figures.style import look

    look(style)
    declared = all_figures()
    names = list(declared) if only is None else list(dict.fromkeys(only))
    for name in names:
        if name not in declared:
            raise ConfigurationError(f"{name!r} is not a figure{closest(name, declared)}", choices=declared)
    rows_of = {name: declared[name].panels or ((name,),) for name in names}
    panels_of = {name: [panel for row in rows for panel in row] for name, rows in rows_of.items()}
    found: dict[str, dict[str, Tables | Unavailable]] = {}  # by panel, then cue

    def made(name: str) -> Iterator[Prepared | str]:
        cues = list(dict.fromkeys(cue for panel in panels_of[name] for cue in found[panel] if cue)) or [""]
        suffixes = _file_names(cues)
        shown = cues if any("" not in found[panel] for panel in panels_of[name]) else [""]
        made_of = {cue: of_cue(name, cue, suffixes.get(cue, "")) for cue in shown}
        if len(set(map(str, made_of.values()))) == 1 and isinstance(made_of[shown[0]], str):  # one reason for all
            made_of = {"": made_of[shown[0]]}
        for cue, each in made_of.items():
            yield f"{name}{f', {cue}' if cue else ''}: {each}" if isinstance(each, str) else each

    def of_cue(name: str, cue: str, suffix: str) -> Prepared | str:
        got_of = {panel: found[panel].get(cue, found[panel].get("")) for panel in panels_of[name]}
        none = Unavailable(f"is there for other cues only, not for {cue!r}")
        parts = [[(declared[panel], got_of[panel] or none) for panel in row] for row in rows_of[name]]
        rows = [[(one, got) for one, got in row if isinstance(got, dict)] for row in parts]
        rows = [row for row in rows if row]
        if not rows:
            missing = [(one.name, got) for row in parts for one, got in row]
            alone = missing[0][0] == name
            return "; ".join(str(got) if alone else f"{panel} {got}" for panel, got in missing)
        panels = [one for row in rows for one, _ in row]
        captions, letters = [], 0
        for one in panels:
            captions.append(one.caption(style, letters, several=len(panels) > 1))
            letters += len(one.captions)
        wide = columns or (2 if len(panels) > 1 else panels[0].columns)
        captions += spread_said([got for row in rows for _, got in row])
        if cue:
            captions.insert(0, f"Trials with the cue {cue!r}.")
        alt = " ".join(one.alt for one in panels)
        return Prepared(declared[name], rows, style, wide, " ".join(captions), alt, cue, f"{name}{suffix}")

    def there(panel: str) -> bool:
        return any(isinstance(each, dict) for each in found.get(panel, {}).values())

    left = list(names)
    together = [name for name in names if declared[name].side_by_side]
    beside: list[xr.Dataset] = []
    number = 0
    for number, (recordings, known) in enumerate(studies, start=1):
        if together and number <= SIDE_BY_SIDE:
            # weights and states fill the memory
            beside += [each.drop_dims(["neuron", "spike"], errors="ignore") for each in recordings]
        for panel in dict.fromkeys(panel for name in left for panel in panels_of[name]):
            if there(panel) or declared[panel].side_by_side:
                continue
            tables = _tables_by_cue(declared[panel], recordings, known)
            if panel in found and not any(isinstance(each, dict) for each in tables.values()):
                continue
            found[panel] = tables
            whole = [name for name in left if all(map(there, panels_of[name]))]
            left = [name for name in left if name not in whole]
            for name in whole:
                yield from made(name)
        if all(name in together for name in left) and (not left or number > SIDE_BY_SIDE):
            break
    for name in together:
        found[name] = _tables_by_cue(declared[name], beside, None)
        if number > SIDE_BY_SIDE:
            found[name] = {"": Unavailable(f"shows at most {SIDE_BY_SIDE} studies side by side, and there are more")}
    for name in left:
        yield from made(name)


def spread_said(tables: Iterable[Tables]) -> list[str]:
    """Return the sentence of a caption that says what the spread over seeds is, where any table has one."""
    shown = [rows for each in tables for rows in each.values() if len(rows) and {"seeds", "low"} <= set(rows.columns)]
    seeds = max((int(rows["seeds"].max()) for rows in shown), default=0)
    if seeds < 2:
        return ["One seed, which has no spread."] if seeds else []
    if seeds < FEW:
        return [f"Spread: the range of the {seeds} seeds."]
    return [f"Spread: 95% t-interval of the mean of {seeds} seeds, which stays within the range of its quantity."]


def _tables_by_cue(
    declared: DeclaredFigure, recordings: Sequence[xr.Dataset], known: pd.DataFrame | None
) -> dict[str, Tables | Unavailable]:
    """Return the tables of a figure by cue, under no name those that are of all; or why there are none."""
    cues = [] if declared.all_cues else selection.cues(recordings)
    found: dict[str, Tables | Unavailable] = {}
    for cue in cues or [""]:
        own, table = recordings, known
        if cue:
            own = [each for each in recordings if each.attrs.get("cue") == cue]
            variants = {str(each.attrs["variant"]) for each in own}
            table = None if known is None else known[known["variant"].isin(variants)]
        try:
            found[cue] = declared.tables(own, table)
        except Unavailable as reason:
            found[cue] = reason
    return found


def _file_names(cues: Sequence[str]) -> dict[str, str]:
    """Return what each cue adds to the name of a file: its letters and digits, numbered where these are the same."""
    found: dict[str, str] = {}
    for number, cue in enumerate(cues, start=1):
        if cue:
            own = f"_{re.sub(r'[^0-9A-Za-z]+', '-', cue).strip('-') or number}"
            taken = {each.casefold() for each in found.values()}  # on some systems files differ by more than capitals
            found[cue] = f"{own}_{number}" if own.casefold() in taken else own
    return found


def make_figures(
    recordings: Sequence[xr.Dataset],
    folder: str | os.PathLike[str],
    only: Iterable[str] | None = None,
    *,
    style: str = "plain",
    columns: int | None = None,
    known: pd.DataFrame | None = None,
    processes: int = 1,
) -> Made:
    """Make every figure whose needs these recordings meet.

    Each figure becomes NAME.pdf, NAME.png (300 dpi) and, for each table of what is drawn, NAME_TABLE.csv. A file
    appears whole or not at all. Where there are several cues, most figures are made for each, as NAME_CUE.pdf.

    Parameters
    ----------
    recordings : sequence of xarray.Dataset
        All recordings of a study.
    folder : path
        Made if it does not exist.
    only : iterable of str, optional
        Names of the figures to make; all when left out.
    style : str
        Whose sizes and fonts: see `izhires.analysis.figures.style.LOOKS`.
    columns : int, optional
        1 or 2 columns for all figures; each its own when left out.
    known : pandas.DataFrame, optional
        The tidy table of these very recordings (see `izhires.analysis.kept`); without it, metrics are computed.
    processes : int
        Figures drawn at once, each in a process of its own when there is more than one.

    Returns
    -------
    Made
        The paths, and one line for each figure that was left out.

    Raises
    ------
    ConfigurationError
        If a name in `only` or the style is unknown.
    RecordingError
        If the folder cannot be written to.
    """
    return save_all(prepare_all([(selection.by_cue(recordings), known)], only, style, columns), folder, processes)


def save_all(figures: Iterable[Prepared | str], folder: str | os.PathLike[str], processes: int = 1) -> Made:
    """Draw figures and write them into a folder, as `make_figures` does."""
    target = as_path(folder, "folder")
    skipped: list[str] = []

    def tasks() -> Iterator[Task]:
        for each in figures:
            if isinstance(each, str):
                skipped.append(each)
            else:
                figure_of[each.name] = each.declared.name
                yield Task(each.name, _save, (each, target))

    figure_of: dict[str, str] = {}
    paths = dict(results(tasks(), processes, ["izhires.analysis.figures.base", "matplotlib.backends.backend_pdf"]))
    declared = list(all_figures())
    order = sorted(figure_of, key=lambda name: declared.index(figure_of[name]))
    return Made([path for name in order for path in paths[name]], skipped)


def _save(prepared: Prepared, folder: Path, say: TaskReport) -> tuple[str, list[Path]]:
    from izhires.analysis.figures import style as styles

    name, title = prepared.name, prepared.title
    # the date is left out, so that equal figures are equal files
    information: dict[str, dict[str, Any]] = {
        "pdf": {"metadata": {"Title": title, "Subject": prepared.caption, "CreationDate": None}},
        "png": {"metadata": {"Title": title, "Description": prepared.caption}, "pil_kwargs": {"compress_level": 4}},
    }
    paths = []
    made = prepared.draw()
    with styles.applied(prepared.style):
        for kind, options in information.items():
            paths.append(folder / f"{name}.{kind}")
            with whole(paths[-1]) as part:
                made.savefig(part, format=kind, **options)
    for table, rows in prepared.tables.items():
        paths.append(folder / f"{name}_{table}.csv")
        with whole(paths[-1]) as part:
            rows.to_csv(part, index=False, float_format="%.6g")
    return name, paths


def _metrics(names: Sequence[str], recordings: Sequence[xr.Dataset], known: pd.DataFrame | None) -> pd.DataFrame:
    """Return the tidy table of some metrics, out of a known one where that holds them all."""
    from izhires.analysis.table import analyse

    if known is not None:
        whose = known["metric"].str.partition(".")[0]
        if set(names) <= set(whose):
            return known[whose.isin(names)].reset_index(drop=True)
    return analyse(recordings, only=names)


def part_values(table: pd.DataFrame, metric: str, parts: Sequence[str]) -> pd.DataFrame:
    """Return the values of some parts of one metric.

    Returns
    -------
    pandas.DataFrame
        Columns part, variant, seed, block, event, value; only what could be computed.

    Raises
    ------
    Unavailable
        If there is no value, with the note of the metric.
    """
    own = table[table["metric"].str.partition(".")[0] == metric]
    names = {f"{metric}.{part}" if part else metric: part for part in parts}
    found = own[own["metric"].isin(names)].dropna(subset="value")
    if found.empty:
        notes = [note for note in own["note"].fillna("") if note]
        raise Unavailable(notes[0] if notes else f"there is no value of {metric}")
    found = found.assign(part=found["metric"].map(names), variant=found["variant"].fillna(""))
    return found[["part", "variant", "seed", "block", "event", "value"]].reset_index(drop=True)
