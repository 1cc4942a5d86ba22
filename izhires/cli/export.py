"""``izhires export``: a run as a project of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from izhires.cli import options
from izhires.cli.run import SETTINGS as SETTINGS

COMMAND = "export"


def command(
    context: typer.Context,
    paradigm: options.Paradigm,
    out: Annotated[Path, typer.Option(help="Empty folder for the project.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of the run.")] = 0,
    variant: Annotated[str, typer.Option(help="Variant of the paradigm, where it has several, as p=0.30.")] = "",
    config: options.Config = None,
    set_: options.Changes = None,
    condition: options.Conditions = None,
    device: Annotated[str, typer.Option(help="One that can export, see 'izhires list devices'.")] = "cpp",
) -> None:
    """Write sources, Makefile and numbers of one run, to build and run with make alone; 'izhires collect' reads its
    results.
    """
    from izhires.cli.run import configured
    from izhires.imports import loaded
    from izhires.running.export import export, import_options

    configuration = configured(context, paradigm, config, set_ or [], condition or [])
    folder = export(configuration, seed, variant, device, out)
    print(f"project in {folder}: make run there, then 'izhires collect {folder}{import_options(loaded())}'")
