"""``izhires analyse``: every metric of a folder of recordings."""

from __future__ import annotations

import math
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pandas import DataFrame

COMMAND = "analyse"


def command(
    folder: Annotated[Path, typer.Argument(help="Folder of recordings, or of folders of recordings.")],
    out: Annotated[Path | None, typer.Option(help="The tidy table (CSV); default: metrics.csv in the folder.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Show every metric in every block, with its details.")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Metric to compute, all its values shown (repeatable); writes a table only with --out."),
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="At most this many recordings at once; default: one per core.")
    ] = None,
) -> None:
    """Compute every metric and write one tidy table; show the main ones over seeds, beside what chance gives.

    Of fewer than six seeds the whole range is shown, of more a 95% interval of the mean. Of a folder of folders, which
    are studies, each gets its table, and what is shown is how they differ from the first, seed by seed; the differences
    stand in differences.csv (or --out), those of the metrics in --only where these are named.
    """
    from izhires.analysis import analyse, differences, notes, summary
    from izhires.analysis.kept import study_folders
    from izhires.analysis.report.contents import headlines
    from izhires.analysis.statistics import column_of_spread
    from izhires.files import whole
    from izhires.recordings.recording import load_folder
    from izhires.running.resources import analyses_for

    def measured(place: Path, path: Path | None) -> DataFrame:
        recordings = load_folder(place)
        table = analyse(recordings, only=only or None, processes=processes or analyses_for(recordings))
        if path is not None:
            with whole(path) as part:
                table.to_csv(part, index=False)
        return table

    places = study_folders(folder)
    if len(places) > 1:
        tables = {}
        for place in places:
            path = None if only else place / "metrics.csv"
            tables[place.name] = measured(place, path)
            if path is not None:
                print(f"{place.name}: {path}")
        compared = differences(tables, list(dict.fromkeys(tables[places[0].name]["metric"])) if only else None)
        written = out or folder / "differences.csv"
        with whole(written) as part:
            compared.to_csv(part, index=False)
        _print(*_differences(compared, places[0].name))
        print(f"differences: {written}")
        return
    path = out or (None if only else folder / "metrics.csv")
    table = measured(folder, path)
    spread = column_of_spread(int(table["seed"].nunique()))
    main = [] if full or only else headlines(table)
    if not main:
        _print(*_all_rows(summary(table), spread))
    else:
        _print(*_main_rows(main, spread))
        print("means over blocks and events; --full shows every metric in every block")
    for line in notes(table):
        print(f"not computed: {line}")
    if path is not None:
        print(f"tidy table: {path}")


Lines = list[dict[str, str]]
"""Rows of text by column; the first holds the heads."""


def _main_rows(found: list[dict[str, Any]], spread: str) -> tuple[Lines, list[str]]:
    """Return the rows of the report's first table, and the columns that a narrow terminal leaves out first."""
    lines = []
    for row in found:
        mean, low, high, seeds = row["value"]
        chance = row["chance"] or (math.nan,) * 4
        lines.append(
            {"metric": row["name"], "mean": _number(mean), spread: _interval(low, high), "beside it": row["beside"],
             "its mean": _number(chance[0]), "its " + spread: _interval(*chance[1:3]), "unit": row["unit"],
             "seeds": str(seeds)}
        )  # fmt: skip
    return lines, ["its " + spread, spread]


def _differences(table: DataFrame, first: str) -> tuple[Lines, list[str]]:
    """Return how studies differ from the first, a row a metric and study."""
    return [
        {"metric": row["metric"], "study": row["study"], "mean": _number(row["mean"]),
         f"less {first}": _number(row["difference"]), "95% interval": _interval(row["low"], row["high"]),
         "unit": row["unit"], "seeds": str(row["seeds"])}
        for row in table.to_dict("records")
    ], []  # fmt: skip


def _all_rows(table: DataFrame, spread: str) -> tuple[Lines, list[str]]:
    """Return all rows of a summary, and the columns that a narrow terminal leaves out first."""
    import pandas as pd

    columns = ["metric", "variant", "block", "event", "mean", spread, "worst", "seeds", "unit"]
    if not (table["variant"] != "").any():
        columns.remove("variant")
    lines = []
    for row in table.to_dict("records"):
        cells = {**row, "mean": _number(row["mean"]), "worst": _number(row["worst"])}
        cells[spread] = _interval(row["low"], row["high"])
        lines.append({name: "" if pd.isna(cells[name]) else str(cells[name]) for name in columns})
    return lines, ["worst", spread]


def _print(lines: Lines, less: list[str]) -> None:
    """Print lines with as many of their columns as fit; rich would take as long for hundreds as some metrics."""
    if not lines:
        return
    columns = list(lines[0])
    lines = [dict(zip(columns, columns, strict=True)), *lines]
    widths = {name: max(len(line[name]) for line in lines) for name in columns}
    # a file or pipe has no width of its own, and a cut table is of no use there
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else math.inf
    for left_out in less:
        if sum(widths[name] + 2 for name in columns) - 2 > width:
            columns.remove(left_out)
    for line in lines:
        print("  ".join(f"{line[name]:<{widths[name]}}" for name in columns).rstrip())


def _interval(low: float, high: float) -> str:
    return "" if math.isnan(low) else f"{_number(low)} to {_number(high)}"


def _number(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else ""
