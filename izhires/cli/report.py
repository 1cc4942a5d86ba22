"""``izhires report``: one web page about a folder of recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

COMMAND = "report"


def command(
    folder: Annotated[Path, typer.Argument(help="Folder of recordings, or of folders of recordings.")],
    out: Annotated[Path | None, typer.Option(help="The page; default: report.html in the folder.")] = None,
) -> None:
    """Write one self-contained web page: runs, results, figures, film, configuration, definitions, bibliography.

    Metrics are read from metrics.csv of 'izhires analyse' where that is newer than the recordings.
    """
    from izhires.analysis.report import write_report

    path = write_report(folder, out)
    print(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
