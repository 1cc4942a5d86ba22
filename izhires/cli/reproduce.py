"""``izhires reproduce``: every claim with its control, in one command."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from izhires.cli import options

COMMAND = "reproduce"


def command(
    out: Annotated[Path, typer.Option(help="Folder for the recordings, one folder a study, and the table.")],
    seeds: Annotated[str, typer.Option(help="7, or 1,4,9, or 100:105 (half-open).")] = "100:105",
    claims: Annotated[
        list[str] | None, typer.Option("--claim", help="Only this claim, see 'izhires list claims'; repeatable.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Configuration file (TOML) that every study changes; its paradigm is not used.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="key=value for every study, e.g. reservoir.n=500; repeatable.")
    ] = None,
    device: options.Device = "",
    processes: Annotated[
        int | None, typer.Option(min=1, help="At most this many runs at once; default: one per core.")
    ] = None,
) -> int:
    """Run all comparisons of the paper and their controls, and print what was reproduced.

    A run that was stopped goes on where it was, with the same command.
    """
    from izhires.analysis.reproduce import draw_conditions, reproduce
    from izhires.cli.run import _device
    from izhires.errors import SimulationError
    from izhires.model.configuration import parse_seeds, read

    wanted = parse_seeds(seeds)
    base = read(config, set_ or []).to_dict() if config or set_ else None
    progress = ClaimProgress()
    with progress:
        table, seconds, problems = reproduce(
            wanted, out, claims or None, _device(device), processes, base, progress.report
        )
    _show(table)
    for row in table[table["missing"] != ""].to_dict("records"):
        print(f"not measured: {row['claim']}: {row['missing']}")
    began = time.perf_counter()
    figures = draw_conditions(wanted, out)
    parts = {each: seconds.pop(each) for each in ("builds", "runs", "analysis")}
    parts["figure"] = time.perf_counter() - began
    slowest = ", ".join(f"{name} {took:.0f} s" for name, took in sorted(seconds.items(), key=lambda x: -x[1])[:5])
    told = ", ".join(f"{name} {took:.0f} s" for name, took in parts.items())
    print(f"{len(table)} claims on {len(wanted)} seeds in {sum(parts.values()):.0f} s: {told}")
    print(f"longest studies: {slowest}")
    print(f"table: {out / 'claims.md'}; tests and intervals: {out / 'claims.csv'}")
    if figures:
        print(f"figure: {figures[0]}")
    for study, problem in problems.items():
        typer.echo(f"izhires: {study}: {problem}", err=True)
    return SimulationError.exit_code if problems else 0


class ClaimProgress:
    """Studies and their runs on the terminal; in a log, one line a study."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        console = Console(stderr=True, highlight=False)
        self.quiet = not console.is_terminal
        self.bars = Progress(
            TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console, disable=self.quiet
        )
        self.tasks: dict[str, object] = {}
        self.shares: dict[str, dict[str, float]] = {}

    def __enter__(self) -> ClaimProgress:
        if not self.bars.disable:
            self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if not self.bars.disable:  # rich before 15 ends even what it did not begin with a line
            self.bars.stop()

    def report(self, study: str, run: str, stage: str, share: float) -> None:
        """Take a message of a study's batch."""
        if study not in self.tasks:
            self.tasks[study] = self.bars.add_task(study, total=None)
            self.shares[study] = {}
            if self.quiet:
                typer.echo(f"izhires: {study}", err=True)
        if run:
            self.shares[study][run] = 1.0 if stage in ("done", "kept", "failed") else share
            own = self.shares[study]
            self.bars.update(self.tasks[study], completed=sum(own.values()), total=max(len(own), 1))  # type: ignore[arg-type]


def _show(table) -> None:  # type: ignore[no-untyped-def]
    from rich.console import Console
    from rich.table import Table

    from izhires.analysis.reproduce import figure_text

    console = Console()
    console = console if console.is_terminal else Console(width=150)
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("claim", "published", "ours", "control", "verdict"):
        shown.add_column(name)

    for row in table.to_dict("records"):
        shown.add_row(
            row["claim"], row["published"], figure_text(row, "ours"), figure_text(row, "control"), row["verdict"]
        )
    console.print(shown)
