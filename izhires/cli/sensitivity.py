"""``izhires sensitivity``: which parameters matter to which claim."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

COMMAND = "sensitivity"


def command(
    out: Annotated[Path, typer.Option(help="Folder for recordings, table and figure.")],
    spec: Annotated[
        Path | None, typer.Argument(help="A sweep's file with [sensitivity]; default: what the folder was begun with.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Run the first seconds of one run; say what all will take.")
    ] = False,
    processes: Annotated[
        int | None, typer.Option(min=1, help="At most this many runs at once; default: as cores and memory allow.")
    ] = None,
    dask: Annotated[str, typer.Option(help="Address of a Dask scheduler, e.g. tcp://host:8786.")] = "",
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Run also what failed before.")] = False,
) -> None:
    """Change the assumed parameters, one at a time or all at once (Sobol); say which of them matter to which claim.

    It is a sweep, and goes on where an earlier one ended. A run that failed counts as the worst of the others.
    """
    from izhires.analysis.sensitivity import CLAIMS, analysed, strongest, write
    from izhires.cli.sweep import _show, perform, specification
    from izhires.sweeps.sensitivity import designed, parameters

    wanted = specification(spec, out)
    changed = parameters(wanted)
    sweep = designed(wanted)
    many = "1 parameter" if len(changed) == 1 else f"{len(changed)} parameters"
    print(f"{many}: {', '.join(each.key for each in changed)}")
    if dry_run:
        from izhires.sweeps.pilot import predict

        _show(predict(sweep, out, processes, retry_failed), out)
        return
    options = {"processes": processes, "dask": dask, "retry_failed": retry_failed}
    runs = perform(sweep, out, "", options)
    found = analysed(sweep, runs)
    for path in write(found, out):
        print(path)
    for each in runs.failed[:5]:
        print(f"failed: {each.name}: {each.error}")
    for claim, number in found.filled.items():
        if number:
            points = f"{number} of {len(found.outcomes)} runs"
            print(f"{CLAIMS[claim][0]}: {points} gave no finite value and count as the worst of the others")
    for name, rows in strongest(found).groupby("claim", sort=False):
        measure = "change" if found.kind == "one-at-a-time" else "total index"
        words = [f"{row.parameter} ({_largest(row):.3g})" for row in rows.itertuples()]
        print(f"{CLAIMS[str(name)][0]}, by {measure}: {', '.join(words)}")


def _largest(row) -> float:  # type: ignore[no-untyped-def]
    """Return the index, or the larger of the two changes."""
    return float(row.total) if hasattr(row, "total") else float(max(row.change_low, row.change_high, key=abs))
