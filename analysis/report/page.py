"""Fill the template: one HTML file that needs no network."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from izhires.analysis.report import contents, film, outcome
from izhires.analysis.report.outcome import number
from izhires.files import as_path, whole

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from izhires.analysis.figures.base import Analysed, Prepared

LARGEST = 5_000_000
"""Bytes that a page may have."""
LARGEST_DRAWING = 120_000
"""Bytes up to which a figure is kept as lines (SVG) rather than as dots (PNG)."""


def make_report(folder: str | Path) -> str:
    """Return the page about a folder of recordings, or of folders of recordings, as `izhires reproduce` makes them.

    Metrics are taken from ``metrics.csv`` of a folder where that is no older than its recordings, else computed: all of
    them for one folder, those of the comparison for each of several.

    Parameters
    ----------
    folder : path

    Returns
    -------
    str
        HTML.

    Raises
    ------
    RecordingError
        If there is no recording, or one cannot be read.
    """
    import jinja2

    from izhires.analysis.figures.base import prepare_all
    from izhires.analysis.kept import study, study_folders
    from izhires.analysis.statistics import FEW, column_of_spread
    from izhires.analysis.table import analyse, notes
    from izhires.recordings.citations import cite

    folder = as_path(folder, "folder")
    places = study_folders(folder)
    several = len(places) > 1
    share = film.NUMBERS // min(contents.FILMS, len(places))
    runs, compared, first = [], [], None
    films: list[dict[str, Any]] = []
    missing: list[str] = []
    errors: dict[str, pd.Series] = {}
    for place in places:
        recordings, known = study(place)
        lines = [line for line in contents.HEADLINES if line.compared]
        wanted = {each.partition(".")[0] for line in lines for each in (line.value, line.chance) if each}
        table = known if known is not None else analyse(recordings, only=sorted(wanted) if several else None)
        said = contents.facts(place, recordings)
        runs.append(said)
        missing += [f"{place.name}: {line}" if several else line for line in said.unknown]
        if len(films) < contents.FILMS:
            own, lacking = contents.films(recordings, place.name if several else "", contents.FILMS - len(films), share)
            films += own
            missing += lacking
        compared.append((place.name, contents.headlines(table, compared=True)))
        errors[place.name] = outcome.of_seeds(table, "error.last")
        if first is None:
            first = table
            missing += [f"not computed: {line}" for line in notes(table)] if not several else []
    assert first is not None  # `study_folders` never returns none
    there = [any(cells[k]["value"] for _, cells in compared) for k in range(len(compared[0][1]))]
    compared = [(name, [cell for cell, kept in zip(cells, there, strict=True) if kept]) for name, cells in compared]
    what = runs[0].lines[0][1].replace("_", " ")
    whose = folder.resolve().name
    names = all_figures_alone(several)
    figures, undrawn = _figures(prepare_all(_studies(places), names), names)
    claims = contents.claims(folder)
    pictures = [each for each in figures if each["figure"] == _picture(figures)]
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("izhires.analysis", "report"),
        autoescape=lambda name: bool(name and "html" in name), trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    environment.filters |= {"number": number, "anchor": anchor}
    environment.globals["interval"] = interval
    environment.globals["few"] = FEW
    environment.globals["header"] = column_of_spread(int(first["seed"].nunique()))
    families = contents.results(first) if not several else []
    in_use = [row["name"] for row in families] if not several else [line.value for line in contents.HEADLINES]
    return environment.get_template("page.html.jinja").render(
        title=f"{whose}: {len(runs)} studies" if several else whose if whose == what else f"{whose}: {what}",
        several=several, runs=runs, headlines=contents.headlines(first) if not several else [], families=families,
        compared=compared, claims=claims, films=films, pictures=pictures,
        figures=[each for each in figures if each not in pictures],
        outcome=outcome.compared_out(errors, claims) if several else outcome.came_out(first),
        film_data=json.dumps(films, separators=(",", ":")).replace("<", "\\u003c"),
        missing=[*missing, *(f"not drawn: {line}" for line in undrawn)], definitions=contents.definitions(in_use),
        bibliography=cite(folder),
    )  # fmt: skip


def write_report(folder: str | Path, out: str | Path | None = None) -> Path:
    """Write the page about a folder; see `make_report`.

    Parameters
    ----------
    folder : path
    out : path, optional
        The file; ``report.html`` in the folder when left out.

    Returns
    -------
    Path

    Raises
    ------
    RecordingError
        If there is no recording, one cannot be read, or the file cannot be written.
    """
    path = as_path(folder, "folder") / "report.html" if out is None else as_path(out)
    text = make_report(folder)
    with whole(path) as part:
        part.write_text(text, encoding="utf-8")
    return path


def all_figures_alone(several: bool = False) -> list[str]:
    """Return the names of the figures that are not composed of others, in the order in which a reader wants them.

    Those that show studies side by side are among them where there are several.
    """
    from izhires.analysis.figures.base import all_figures

    order = ["conditions", "cues", "task", "model", "raster", "learning_curve", "predictions", "timing", "calibration",
             "levels", "recalibration", "adaptation", "observers", "weight_space", "angles", "subspaces"]  # fmt: skip
    alone = [name for name, each in all_figures().items() if not each.panels and (several or not each.side_by_side)]
    return sorted(alone, key=lambda name: order.index(name) if name in order else len(order))


PICTURES = ("predictions", "cues", "participant", "interval_reproduction", "foreperiod", "conditioning", "choice",
            "stream", "levels")  # fmt: skip
"""Figures with which a page opens, the first of these that there is: what is predicted before and after learning, or,
where the task has none, what is shown of its own."""


def _picture(figures: Iterable[dict[str, Any]]) -> str:
    """Return the name of the figure with which a page opens, empty where there is none."""
    there = {each["figure"] for each in figures}
    return next((name for name in PICTURES if name in there), "")


def _studies(places: Iterable[Path]) -> Iterator[Analysed]:
    from izhires.analysis.kept import study

    return (study(place) for place in places)


def _figures(prepared: Iterable[Prepared | str], order: Sequence[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return each figure as an image within the page, in order, and one line for each that could not be made."""
    found, missing = [], []
    for each in prepared:
        if isinstance(each, str):
            missing.append(each)
            continue
        drawn = each.draw()
        millimetres = 25.4 * drawn.get_figwidth()
        found.append(
            {
                "name": each.name, "title": each.title, "caption": each.caption, "alt": each.alt,
                "image": _image(drawn), "wide": millimetres > 120, "figure": each.declared.name,
            }
        )  # fmt: skip
    return sorted(found, key=lambda each: order.index(each["figure"])), missing


def _image(figure: Figure) -> str:
    """Return a figure as a data URI: lines where they are few, else dots."""
    from izhires.analysis.figures import style

    with style.applied():
        stream = io.BytesIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
        kind = "svg+xml"
        if stream.tell() > LARGEST_DRAWING:
            stream = io.BytesIO()
            figure.savefig(stream, format="png", dpi=200, pil_kwargs={"optimize": True})
            kind = "png"
    return f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode()}"


def anchor(name: str) -> str:
    """Return the id of a definition."""
    return "is-" + name.replace("_", "-").replace(".", "--")


def interval(low: Any, high: Any) -> str:
    """Return an interval in brackets, empty when there is none."""
    return f"[{number(low)}, {number(high)}]" if number(low) and number(high) else ""
