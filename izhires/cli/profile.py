"""``izhires profile``: where the time of a simulation goes."""

from __future__ import annotations

from typing import Annotated

import typer

from izhires.cli import options
from izhires.cli.run import SETTINGS as SETTINGS

COMMAND = "profile"


def command(
    context: typer.Context,
    paradigm: options.Paradigm,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the one run.")] = 0,
    config: options.Config = None,
    set_: options.Changes = None,
    condition: options.Conditions = None,
    device: Annotated[str, typer.Option(help="One that can profile, see 'izhires list devices'.")] = "cpp",
    plain: options.Plain = False,
) -> None:
    """Simulate one seed and show what each of Brian2's objects takes; nothing is recorded."""
    from rich.console import Console
    from rich.table import Table

    from izhires.cli.run import configured
    from izhires.devices import check, get, require
    from izhires.devices.standalone import StandaloneDevice
    from izhires.running.run import draw

    target = get("plain" if plain else device)
    require(target, "profile", "--device")
    assert isinstance(target, StandaloneDevice)

    configuration = configured(context, paradigm, config, set_ or [], condition or [])
    drawn = draw(configuration, seed, next(iter(configuration.paradigm.variants())))
    check(target, drawn.plan)
    console = Console(highlight=False)
    with console.status("build and run"):
        program = target.profiled().prepare(drawn.plan)
        spent = program.profile(drawn.arrays)
    whole, trials = program.measured["loop_seconds"], len(drawn.experiment.trials)
    spent["the loop over time itself"] = whole - sum(spent.values())
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("object", "s", "ms a trial", "share"):
        table.add_column(name, justify="left" if name == "object" else "right", no_wrap=True)
    for name, seconds in sorted(spent.items(), key=lambda each: -each[1]):
        table.add_row(name, f"{seconds:.3f}", f"{1e3 * seconds / trials:.3f}", f"{100 * seconds / whole:.1f} %")
    console.print(table)
    per = 1e9 * whole * drawn.plan.cell_step / (drawn.plan.duration * drawn.plan.cells)
    print(
        f"{whole:.2f} s for {trials} trials of {drawn.plan.cells} cells, {drawn.plan.duration:.0f} s of theirs: "
        f"{1e3 * whole / trials:.2f} ms a trial, {per:.2f} ns a cell step; templates: {program.templates}"
    )
