"""``izhires cite``: BibTeX of what recordings used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

COMMAND = "cite"


def command(
    folder: Annotated[Path, typer.Argument(help="Folder of recordings, or one recording.")],
    out: Annotated[Path | None, typer.Option(help="Write to this file, e.g. paper.bib, rather than show.")] = None,
) -> None:
    """Print the BibTeX of exactly what the recordings used: simulator, model, paradigm, rules, metrics, data set."""
    from izhires.files import whole
    from izhires.recordings.citations import cite

    text = cite(folder)
    if out is None:
        print(text, end="")
        return
    with whole(out) as part:
        part.write_text(text, encoding="utf-8")
    print(f"{text.count(chr(10) + '@')} works in {out}")
