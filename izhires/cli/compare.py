"""``izhires compare``: how far two recordings agree."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

COMMAND = "compare"


def command(
    first: Annotated[Path, typer.Argument(help="A recording.")],
    second: Annotated[Path, typer.Argument(help="Another, of the same seed on another device, say.")],
) -> None:
    """Compare two recordings, variable by variable; spikes in order of time."""
    from izhires.analysis.compare import compare
    from izhires.recordings.recording import load

    found = compare(load(first), load(second))
    width = max(len(each.name) for each in found)
    for each in found:
        print(f"{each.name:<{width}}  {each.text}")
    identical = sum(each.identical for each in found)
    print(f"{identical} of {len(found)} identical")
