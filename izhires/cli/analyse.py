"""``izhires analyse``: every metric of a folder of recordings."""

from __future__ import annotations

import math
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pandas import DataFrame

COMMAND = "analyse"


def command(
    folder: Annotated[Path, typer.Argument(help="Folder of recordings, or of folders of recordings.")],
    out: Annotated[Path | None, typer.Option(help="The tidy table (CSV); default: metrics.csv in the folder.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Show also the details of each metric.")] = False,
    processes: Annotated[
        int | None, typer.Option(min=1, help="At most this many recordings at once; default: one per core.")
    ] = None,
) -> None:
    """Compute every metric; write one tidy table and show its summary over seeds.

    Of a folder of folders, which are studies, each gets its table, and what is shown is how they differ from the first,
    seed by seed; all differences stand in differences.csv (or --out).
    """
    from izhires.analysis import analyse, differences, notes, summary
    from izhires.analysis.kept import study_folders
    from izhires.files import whole
    from izhires.recordings.recording import load_folder
    from izhires.running.resources import analyses_for

    places = study_folders(folder)
    tables = {}
    for place in places:
        recordings = load_folder(place)
        table = tables[place.name] = analyse(recordings, processes=processes or analyses_for(recordings))
        path = (out if len(places) == 1 else None) or place / "metrics.csv"
        with whole(path) as part:
            table.to_csv(part, index=False)
        if len(places) > 1:
            print(f"{place.name}: {path}")
    if len(places) > 1:
        compared = differences(tables)
        path = out or folder / "differences.csv"
        with whole(path) as part:
            compared.to_csv(part, index=False)
        _show_differences(compared, places[0].name)
        print(f"differences: {path}")
        return
    _show(summary(table, brief=not full))
    for line in notes(table):
        print(f"not computed: {line}")
    print(f"tidy table: {path}")


def _show_differences(table: DataFrame, first: str) -> None:
    """Print how studies differ from the first: a line a metric and study."""
    import pandas as pd

    shown = pd.DataFrame({
        "metric": table["metric"],
        "study": table["study"],
        "mean": table["mean"].map(_number),
        f"less {first}": table["difference"].map(_number),
        "95% interval": [f"{_number(low)} to {_number(high)}" if math.isfinite(low) and math.isfinite(high) else ""
                         for low, high in zip(table["low"], table["high"], strict=True)],
        "seeds": table["seeds"],
        "unit": table["unit"],
    })  # fmt: skip
    print(shown.to_string(index=False, justify="left"))


def _show(table: DataFrame) -> None:
    """Print the summary with as many of its columns as fit; its hundreds of lines take rich as long as some metrics."""
    import pandas as pd

    columns = ["metric", "variant", "block", "event", "mean", "95% interval", "worst", "seeds", "unit"]
    if not (table["variant"] != "").any():
        columns.remove("variant")
    lines = [dict(zip(columns, columns, strict=True))]
    for row in table.to_dict("records"):
        interval = "" if math.isnan(row["low"]) else f"{_number(row['low'])} to {_number(row['high'])}"
        cells = {**row, "mean": _number(row["mean"]), "worst": _number(row["worst"]), "95% interval": interval}
        lines.append({name: "" if pd.isna(cells[name]) else str(cells[name]) for name in columns})
    widths = {name: max(len(line[name]) for line in lines) for name in columns}
    # a file or pipe has no width of its own, and a cut table is of no use there
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else math.inf
    for left_out in ("worst", "95% interval"):
        if sum(widths[name] + 2 for name in columns) - 2 > width:
            columns.remove(left_out)
    for line in lines:
        print("  ".join(f"{line[name]:<{widths[name]}}" for name in columns).rstrip())


def _number(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else ""
