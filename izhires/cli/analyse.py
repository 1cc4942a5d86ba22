"""``izhires analyse``: every metric of a folder of recordings."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

COMMAND = "analyse"


def command(
    folder: Annotated[Path, typer.Argument(help="Folder of recordings.")],
    out: Annotated[Path | None, typer.Option(help="The tidy table (CSV); default: metrics.csv in the folder.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Show also the details of each metric.")] = False,
    processes: Annotated[
        int | None, typer.Option(min=1, help="At most this many recordings at once; default: one per core.")
    ] = None,
) -> None:
    """Compute every metric; write one tidy table and show its summary over seeds."""
    from izhires.analysis import analyse, notes, summary
    from izhires.files import whole
    from izhires.recordings.recording import load_folder
    from izhires.running.resources import analyses_for

    recordings = load_folder(folder)
    table = analyse(recordings, processes=processes or analyses_for(recordings))
    path = out or folder / "metrics.csv"
    with whole(path) as part:
        table.to_csv(part, index=False)
    _show(summary(table, brief=not full))
    for line in notes(table):
        print(f"not computed: {line}")
    print(f"tidy table: {path}")


def _show(table) -> None:  # type: ignore[no-untyped-def]
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

    columns = ["metric", "variant", "block", "event", "mean", "95% interval", "worst", "seeds", "unit"]
    if not (table["variant"] != "").any():
        columns.remove("variant")
    # a file or pipe has no width of its own, and a cut table is of no use there
    console = Console()
    console = console if console.is_terminal else Console(width=160)
    for left_out in ((), ("worst",), ("worst", "95% interval")):
        shown = Table(box=None, pad_edge=False, header_style="bold")
        for name in columns:
            if name not in left_out:
                shown.add_column(name, no_wrap=True)
        for row in table.to_dict("records"):
            interval = "" if pd.isna(row["low"]) else f"{_number(row['low'])} to {_number(row['high'])}"
            cells = {**row, "mean": _number(row["mean"]), "worst": _number(row["worst"]), "95% interval": interval}
            shown.add_row(
                *("" if pd.isna(cells[name]) else str(cells[name]) for name in columns if name not in left_out)
            )
        if console.measure(shown, options=console.options.update(width=1000)).maximum <= console.width:
            break
    console.print(shown)


def _number(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else ""
