"""``izhires collect``: the results of an exported project as a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

COMMAND = "collect"


def command(
    folder: Annotated[Path, typer.Argument(help="What 'izhires export' wrote, with its results.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the recording; default: the project's.")] = None,
) -> None:
    """Read the results of an exported project into a recording (netCDF-4)."""
    from pathlib import Path

    from izhires.model.configuration import read
    from izhires.recordings.recording import save
    from izhires.running.batch import jobs
    from izhires.running.export import collect

    recording = collect(folder)
    seed, variant = recording.attrs["seed"], recording.attrs["variant"]
    job = next(
        each
        for each in jobs(read(folder / "configuration.toml"), [seed], Path(out or folder))
        if each.variant == variant
    )
    print(save(recording, job.path))
