"""``izhires reproduce``: every claim with its control, in one command."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from izhires.cli import options

if TYPE_CHECKING:
    from izhires.analysis.reproduce import Ran

COMMAND = "reproduce"
TWENTY = 20
"""Seeds for which the time is foretold: as many as the published table has."""


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
    """Run every claim with a control that could win, and print the verdicts: supported, contradicted, inconclusive.

    A run that was stopped goes on where it was, with the same command. How long each study took is said as it ends, and
    kept in times.csv; how long 20 seeds take is said at the end.
    """
    from izhires.analysis.reproduce import draw_conditions, of_more_seeds, reproduce
    from izhires.cli.run import _device
    from izhires.errors import SimulationError
    from izhires.model.configuration import parse_seeds, read

    wanted = parse_seeds(seeds)
    base = read(config, set_ or []).to_dict() if config or set_ else None
    progress = ClaimProgress()
    with progress:
        table, done, parts = reproduce(
            wanted, out, claims or None, _device(device), processes, base, progress.report, progress.ended
        )
    _show(table)
    for row in table[table["missing"] != ""].to_dict("records"):
        print(f"not measured: {row['claim']}: {row['missing']}")
    began = time.perf_counter()
    figures = draw_conditions(wanted, out)
    parts["figure"] = time.perf_counter() - began
    slowest = sorted(done.items(), key=lambda each: -each[1].seconds)[:5]
    told = ", ".join(f"{name} {took:.0f} s" for name, took in parts.items())
    print(f"{len(table)} claims on {len(wanted)} seeds in {sum(parts.values()):.0f} s: {told}")
    print(f"longest studies: {', '.join(f'{name} {each.seconds:.0f} s' for name, each in slowest)}")
    if (whole := of_more_seeds(done, len(wanted), TWENTY)) is not None:
        whole += (parts["analysis"] + parts["figure"]) * TWENTY / len(wanted)
        print(f"{TWENTY} seeds of these claims take about {_time(whole)} on this machine")
    print(f"table: {out / 'claims.md'}; tests and intervals: {out / 'claims.csv'}")
    if figures:
        print(f"figure: {figures[0]}")
    failed = {study: each.problem for study, each in done.items() if each.problem}
    for study, problem in failed.items():
        typer.echo(f"izhires: {study}: {problem}", err=True)
    return SimulationError.exit_code if failed else 0


def _time(seconds: float) -> str:
    return (
        f"{seconds / 3600:.1f} h"
        if seconds >= 5400
        else f"{seconds / 60:.0f} min"
        if seconds >= 90
        else f"{seconds:.0f} s"
    )


class ClaimProgress:
    """Studies and their runs on the terminal; in a log, one line a study when it ended."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self.console = Console(stderr=True, highlight=False)
        columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
        self.bars = Progress(*columns, console=self.console, disable=not self.console.is_terminal)
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
        if run:
            self.shares[study][run] = 1.0 if stage in ("done", "kept", "failed") else share
            own = self.shares[study]
            self.bars.update(self.tasks[study], completed=sum(own.values()), total=max(len(own), 1))  # type: ignore[arg-type]

    def ended(self, study: str, ran: Ran, left: float | None) -> None:
        """Say how long a study took, and how long the others will."""
        if study in self.tasks:
            self.bars.remove_task(self.tasks.pop(study))  # type: ignore[arg-type]
        how = f"{_time(ran.seconds)}, {ran.runs} runs" if ran.runs else "there already"
        built = f", its build {_time(ran.build_seconds)}" if ran.build_seconds >= 1 else ""
        rest = f"; about {_time(left)} for the other studies" if left else ""
        self.console.print(f"izhires: {study}: {how}{built}{rest}", soft_wrap=True)


def _show(table) -> None:  # type: ignore[no-untyped-def]
    from rich.console import Console
    from rich.table import Table

    from izhires.analysis.reproduce import figure_text, verdict_text

    console = Console()
    console = console if console.is_terminal else Console(width=150)
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("claim", "published", "ours", "control", "verdict"):
        shown.add_column(name)

    for row in table.to_dict("records"):
        shown.add_row(
            row["claim"], row["published"], figure_text(row, "ours"), figure_text(row, "control"), verdict_text(row)
        )
    console.print(shown)
