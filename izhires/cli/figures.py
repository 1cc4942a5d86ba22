"""``izhires figures``: every figure that a folder of recordings allows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

COMMAND = "figures"


def command(
    folder: Annotated[Path, typer.Argument(help="Folder of recordings, or of folders of recordings.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the figures; default: 'figures' in the folder.")] = None,
    style: Annotated[str, typer.Option(help="Whose sizes and fonts: plain, nature, pnas, jneurosci.")] = "plain",
    columns: Annotated[
        int | None, typer.Option(min=1, max=2, help="Columns of a page for all figures; default: each its own.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Only this figure, see 'izhires list figures'; repeatable.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="At most this many figures at once; default: one per core.")
    ] = None,
) -> int:
    """Draw every figure as PDF and PNG, with what it shows as CSV beside it.

    Metrics are read from metrics.csv of 'izhires analyse' where that is newer than the recordings. Of a folder of
    folders, each figure is made of the first folder that allows it; 'conditions' shows all of them side by side. Where
    there are several cues, most figures are drawn for each, as NAME_CUE.pdf.
    """
    from izhires.analysis.figures.base import prepare_all, save_all
    from izhires.analysis.kept import study, study_folders
    from izhires.running.resources import cores

    target = out or folder / "figures"
    studies = (study(each) for each in study_folders(folder))
    at_once = 1 if only and len(only) == 1 else processes or cores()
    paths, skipped = save_all(prepare_all(studies, only or None, style, columns), target, at_once)
    for path in paths:
        if path.suffix == ".png":
            print(path)
    for line in skipped:
        print(f"not drawn: {line}")
    print(f"{len(paths)} files in {target}" if paths else "nothing drawn")
    return 2 if only and not paths else 0
