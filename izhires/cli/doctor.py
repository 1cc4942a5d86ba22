"""``izhires doctor``: what works here."""

from __future__ import annotations

from typing import Annotated

import typer

COMMAND = "doctor"


def command(
    quick: Annotated[bool, typer.Option("--quick", help="Only look at what is there, and try no device.")] = False,
) -> int:
    """Say what works on this machine, by trying it, and what to install for what does not."""
    from rich.console import Console

    from izhires.doctor import examine

    console = Console(highlight=False, soft_wrap=True)
    lacking = 0
    marks = {True: "[green]works [/]", False: "[red]lacks [/]", None: "note  "}
    with console.status("") as status:
        for finding in examine(status.update, quick):
            lacking += finding.needed and not finding.works
            console.print(f"{marks[finding.works]} [bold]{finding.subject}[/]: ", end="")
            console.print(finding.text, markup=False)
    console.print("all that is needed is here" if not lacking else f"{lacking} needed things are lacking, see above")
    return 3 if lacking else 0
