"""Arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Paradigm = Annotated[str, typer.Argument(help="What the world does: see 'izhires list paradigms'.")]
Config = Annotated[Path | None, typer.Option(help="Configuration file (TOML).")]
Changes = Annotated[list[str] | None, typer.Option("--set", help="key=value, e.g. reservoir.n=500; repeatable.")]
Conditions = Annotated[
    list[str] | None, typer.Option(help="A control or comparison, see 'izhires list conditions'; repeatable.")
]
Plain = Annotated[bool, typer.Option("--plain", help="Brian2's own templates only; short for --device plain.")]
Device = Annotated[str, typer.Option(help="See 'izhires list devices'; default: cpp where a compiler is.")]
