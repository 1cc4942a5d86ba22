"""``izhires analyse``: every metric of a folder of recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

COMMAND = "analyse"


def command(
    folder: Annotated[Path, typer.Argument(help="Folder of recordings.")],
    out: Annotated[Path | None, typer.Option(help="The tidy table (CSV); default: metrics.csv in the folder.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Show also the details of each metric.")] = False,
) -> None:
    """Compute every metric; write one tidy table and show its summary over seeds."""
    from izhires.analysis import analyse, notes, summary
    from izhires.files import whole
    from izhires.recording import load_folder

    table = analyse(load_folder(folder))
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
    shown = Table(*columns, box=None, pad_edge=False, header_style="bold")

    def number(value: float) -> str:
        return "" if pd.isna(value) else f"{value:.4g}"

    for row in table.to_dict("records"):
        interval = "" if pd.isna(row["low"]) else f"{number(row['low'])} to {number(row['high'])}"
        cells = {**row, "mean": number(row["mean"]), "worst": number(row["worst"]), "95% interval": interval}
        shown.add_row(*("" if pd.isna(cells[name]) else str(cells[name]) for name in columns))
    console = Console()
    # a file or pipe has no width of its own, and a cut table is of no use there
    (console if console.is_terminal else Console(width=160)).print(shown)
