"""``izhires figures``: every figure that a folder of recordings allows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

COMMAND = "figures"


def command(
    folder: Annotated[Path, typer.Argument(help="Folder of recordings.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the figures; default: 'figures' in the folder.")] = None,
) -> None:
    """Draw every figure as PDF and PNG, with what it shows as CSV beside it."""
    from izhires.analysis import make_figures
    from izhires.recording import load_folder

    target = out or folder / "figures"
    paths, skipped = make_figures(load_folder(folder), target)
    for path in paths:
        if path.suffix == ".png":
            print(path)
    for line in skipped:
        print(f"not drawn: {line}")
    print(f"{len(paths)} files in {target}")
