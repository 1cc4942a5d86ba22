"""``izhires sweep``: many runs over parameters, conditions and seeds."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from izhires.sweeps.design import Spec
    from izhires.sweeps.pilot import Forecast
    from izhires.sweeps.results import SweepResults

COMMAND = "sweep"


def command(
    out: Annotated[Path, typer.Option(help="Folder for recordings, index and results.")],
    spec: Annotated[
        Path | None, typer.Argument(help="What to run (TOML); default: what the folder was begun with.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Run the first seconds of one run; say what all will take.")
    ] = False,
    device: Annotated[str, typer.Option(help="In the place of the one that the file names.")] = "",
    processes: Annotated[
        int | None, typer.Option(min=1, help="At most this many runs at once; default: as cores and memory allow.")
    ] = None,
    dask: Annotated[str, typer.Option(help="Address of a Dask scheduler, e.g. tcp://host:8786.")] = "",
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Run also what failed before.")] = False,
    rebuild_index: Annotated[
        bool, typer.Option("--rebuild-index", help="Forget the index and make it anew from the recordings.")
    ] = False,
    results: Annotated[
        bool, typer.Option("--results", help="Run nothing: only compute the results of what is there.")
    ] = False,
) -> None:
    """Run what is missing of a sweep; write its results as one tidy table.

    Runs that the folder holds are kept, so the same command goes on where an earlier one ended, however it ended.
    """
    from izhires.sweeps.results import results as read_results

    if results:
        _finish(read_results(out), out)
        return
    wanted = specification(spec, out)
    if dry_run:
        from izhires.sweeps.pilot import predict

        chosen = wanted.with_changes(device=device) if device else wanted
        _show(predict(chosen, out, processes, retry_failed), out)
        return
    options = {"processes": processes, "dask": dask, "retry_failed": retry_failed, "rebuild_index": rebuild_index}
    code = _finish(perform(wanted, out, device, options), out)
    if code:
        raise typer.Exit(code)


def specification(spec: Path | None, out: Path) -> Spec:
    """Read what to run, from its file or from the folder that was begun with it."""
    from izhires.errors import ConfigurationError
    from izhires.sweeps.design import read
    from izhires.sweeps.driver import SPEC

    if spec is None and not (out / SPEC).exists():
        raise ConfigurationError("name the file that says what to run; the folder was not begun by a sweep", str(out))
    return read(spec or out / SPEC)


def perform(spec: Spec, out: Path, device: str, options: dict[str, Any]) -> SweepResults:
    """Do a sweep, with its progress on the terminal."""
    from izhires.errors import IzhiresError
    from izhires.sweeps.driver import sweep

    progress = SweepProgress()
    try:
        with progress:
            return sweep(spec, out, device=device, report=progress.report, **options)
    except KeyboardInterrupt as interrupt:
        interrupt.args = (f"{progress.so_far(out)}; 'izhires sweep --out {out}' goes on with the others",)
        raise
    except IzhiresError:
        if progress.stages:
            print(f"izhires: {progress.so_far(out)}; the same command goes on with the others", file=sys.stderr)
        raise


def _finish(found: SweepResults, out: Path) -> int:
    """Write the tidy table and say what there is; return the exit code."""
    from izhires.files import whole

    path = out / "results.csv"
    with whole(path) as part:
        units = {name: f"{name} ({unit})" for name, unit in found.table.attrs["units"].items()}
        found.table.rename(columns=units).to_csv(part, index=False)
    states = Counter(each.state for each in found.entries)
    words = [f"{states['good']} of {len(found.entries)} runs in {out}"]
    words += [f"{states[each]} {each}" for each in ("failed", "missing") if states[each]]
    same = len(found.entries) - len({each.run for each in found.entries})
    words += [f"{same} of them the same run as another point"] if same else []
    print(", ".join(words))
    for each in found.failed[:10]:
        print(f"failed: {each.name}: {each.error}")
    if len(found.failed) > 10:
        print(f"failed: {len(found.failed) - 10} more; the index ({out / 'index.sqlite'}) has all")
    if found.failed:
        print("--retry-failed runs them again")
    print(f"tidy table: {path}")
    return 4 if found.failed else 0


def _show(found: Forecast, out: Path) -> None:
    """Print what a sweep will take."""
    kept = f", {found.runs - found.missing} of them done" if found.missing < found.runs else ""
    print(f"{found.runs} runs{kept}")
    if not found.missing:
        return
    each = f", about {found.build_seconds:.0f} s each" if found.build_seconds else ""
    cut = "" if found.share == 1 else f" (predicted from the first {100 * found.share:.0f} % of one)"
    print(f"{found.plans} {'plan' if found.plans == 1 else 'plans'} to build{each}; the first is built now")
    print(f"a run: {found.run_seconds:.3g} s{cut}, {found.memory / found.at_once / 1e6:.0f} MB of memory, "
          f"{found.disk / found.missing / 1e6:.2g} MB on disk")  # fmt: skip
    print(f"all, {found.at_once} at once: about {duration(found.seconds)}, {found.memory / 1e9:.2g} GB of memory, "
          f"{found.disk / 1e9:.2g} GB on disk ({found.free / 1e9:.3g} GB free)")  # fmt: skip


def duration(seconds: float) -> str:
    """Return a time as people say it."""
    for length, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"


class SweepProgress:
    """A live table of a sweep on the terminal: done, running, failed, rate, time left; silent where there is none."""

    FINAL = ("done", "kept", "failed")

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self.stages: dict[str, str] = {}
        self.shares: dict[str, float] = {}
        self.total = 0
        self.building = False
        self.console = Console(stderr=True, highlight=False)
        self.began: float | None = None
        self.live = Live(
            get_renderable=self.table, console=self.console, refresh_per_second=4, transient=True, auto_refresh=True
        ) if self.console.is_terminal else None  # fmt: skip

    def __enter__(self) -> SweepProgress:
        if self.live:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()

    def report(self, name: str, stage: str, share: float) -> None:
        """Take a message of a sweep."""
        if stage == "runs":
            self.total = int(share)
        elif stage == "removed":
            print(f"izhires: {name} was not finished by a sweep that was killed; it is run anew", file=sys.stderr)
        elif stage == "damaged":
            print(f"izhires: {name} was damaged; it is run anew", file=sys.stderr)
        elif not name:
            self.building = share < 1
            self.began = time.monotonic()
        else:
            self.stages[name] = stage
            self.shares[name] = share if stage == "run" else 0.0

    def count(self) -> Counter[str]:
        """Return how many runs are in each stage."""
        return Counter(self.stages.values())

    def so_far(self, folder: Path) -> str:
        """Return how many recordings are whole, by their files: one may have been written and not yet told of."""
        from izhires.errors import RecordingError
        from izhires.sweeps.index import path_of, reading

        try:
            with reading(folder) as index:
                whole = sum(path_of(folder, each.run).exists() for each in index.entries())
        except RecordingError:  # it has not come so far
            whole = 0
        failed = f", {self.count()['failed']} failed" if self.count()["failed"] else ""
        return f"{whole} of {self.total} runs finished in {folder}{failed}"

    def rate(self) -> float:
        """Return how many runs end in a second, those under way counted by their share; 0 while nobody knows."""
        if self.began is None:
            return 0.0
        worked = self.count()["done"] + sum(self.shares.values())
        return worked / max(time.monotonic() - self.began, 1e-9)

    def seconds_left(self) -> float | None:
        """Return the time left, by the rate so far."""
        count = self.count()
        rate, ended = self.rate(), sum(count[each] for each in self.FINAL)
        return (self.total - ended - sum(self.shares.values())) / rate if rate > 0 else None

    def table(self) -> Any:
        """Return the table as it stands."""
        from rich.table import Table

        count, left = self.count(), self.seconds_left()
        # a copy, since this is called from a thread that draws
        running = [name for name, stage in list(self.stages.items()) if stage in ("run", "build")]
        waiting = self.total - len(running) - sum(count[each] for each in self.FINAL)
        shown = Table(box=None, pad_edge=False, header_style="bold")
        cells = {
            "done": count["done"] + count["kept"],
            "running": len(running),
            "waiting": waiting,
            "failed": count["failed"],
            "a minute": f"{60 * self.rate():.3g}" if count["done"] else "",
            "left": "building" if self.building else duration(left) if left is not None and count["done"] else "",
        }
        for each in cells:
            shown.add_column(each)
        shown.add_row(*map(str, cells.values()))
        whole = Table.grid(padding=(0, 2))
        whole.add_row(shown)
        for name in running[: max(1, self.console.height - 5)]:
            whole.add_row(f"{self.shares[name]:5.0%}  {name}" if self.stages[name] == "run" else f"build  {name}")
        return whole
