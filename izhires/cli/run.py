"""``izhires run``: simulate a paradigm on several seeds."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

COMMAND = "run"
# each paradigm may declare options of its own, so what typer does not know is read in `_own_options`
SETTINGS = {"context_settings": {"allow_extra_args": True, "ignore_unknown_options": True}}


def command(
    context: typer.Context,
    paradigm: Annotated[str, typer.Argument(help="What the world does: see 'izhires list paradigms'.")],
    out: Annotated[Path, typer.Option(help="Folder for the recordings, one file a seed.")],
    seeds: Annotated[str, typer.Option(help="7, or 1,4,9, or 100:105 (half-open).")] = "0",
    config: Annotated[Path | None, typer.Option(help="Configuration file (TOML).")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="key=value, e.g. reservoir.n=500; repeatable.")] = None,
    device: Annotated[str, typer.Option(help="cpp or numpy; default: cpp where a compiler is.")] = "",
    processes: Annotated[int | None, typer.Option(min=1, help="At most this many runs at once; default: one per core.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Run also what the folder already holds.")] = False,
) -> None:
    """Simulate a paradigm on several seeds; each leaves one recording (netCDF-4).

    A paradigm may have options of its own, e.g. for cued-reaction: --events FILE [--events FILE ...] --cue VALUE --event VALUE ...
    """
    from izhires.batch import run_batch
    from izhires.configuration import parse_seeds, read
    from izhires.errors import ConfigurationError, closest
    from izhires.paradigms.base import Paradigm

    known = Paradigm.alternatives()
    name = paradigm.replace("-", "_")
    if name not in known:
        raise ConfigurationError(f"{paradigm!r} is not a paradigm{closest(name, known)}", "run", known)
    own: dict[str, Any] = {"type": name, **_own_options(context.args, known[name])}
    configuration = read(config, set_ or [], own)
    wanted = parse_seeds(seeds)
    device = _device(device)
    progress = Progress(len(wanted) * len(configuration.paradigm.variants()))
    began = time.perf_counter()
    with progress:
        paths = run_batch(configuration, wanted, out, device, processes, again, progress.report)
    print(f"{len(paths)} recordings in {out} ({time.perf_counter() - began:.1f} s)")


def _device(name: str) -> str:
    """Return the device to use, and say so when it is not the one a user would expect."""
    from izhires.devices import get

    if name:
        get(name)
        return name
    missing = get("cpp").missing()
    if missing:
        print(f"izhires: {missing}; running on the numpy device, which is about 18 times slower", file=sys.stderr)
        return "numpy"
    return "cpp"


def _own_options(arguments: list[str], paradigm: Any) -> dict[str, Any]:
    """Read the options that a paradigm declares (``options``: flag -> field); a flag of a list field may be repeated."""
    from izhires.errors import ConfigurationError, closest

    options: dict[str, str] = getattr(paradigm, "options", {})
    found: dict[str, Any] = {}
    rest = list(arguments)
    while rest:
        flag, equals, value = rest.pop(0).partition("=")
        if flag not in options:
            raise ConfigurationError(f"unknown option {flag!r}{closest(flag, options)}", "run", (*options, "--help"))
        if not equals:
            if not rest:
                raise ConfigurationError(f"{flag} needs a value", "run")
            value = rest.pop(0)
        field = options[flag]
        many = "tuple" in str(paradigm.model_fields[field].annotation)
        if not many and field in found:
            raise ConfigurationError(f"{flag} is given twice", "run")
        found[field] = [*found.get(field, []), value] if many else value
    return found


class Progress:
    """Builds and runs on the terminal, with an estimate of the time left; one line a finished run where there is none."""

    def __init__(self, runs: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self.runs, self.shares, self.build_began = runs, {}, 0.0  # type: ignore[var-annotated]
        self.console = Console(stderr=True)
        self.quiet = not self.console.is_terminal
        columns = [TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"), TimeElapsedColumn()]
        self.bars = Progress(*columns, TextColumn("left"), TimeRemainingColumn(), console=self.console, disable=self.quiet)
        self.build: Any = None
        self.run: Any = None

    def __enter__(self) -> Progress:
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def report(self, name: str, stage: str, share: float) -> None:
        """Take a message of a batch."""
        if stage == "build" and not name:
            if self.build is None:
                self.build_began = time.perf_counter()
                self.build = self.bars.add_task("build", total=None)
            if share >= 1:
                self.bars.update(self.build, total=1, completed=1)
                took = time.perf_counter() - self.build_began
                self.bars.console.print(f"build: {took:.1f} s" if took > 1 else "build: served by an earlier one")
            return
        if stage in ("kept", "failed"):
            text = "kept, it is there already (--again runs it anew)" if stage == "kept" else "failed"
            self.bars.console.print(f"{name}: {text}")
        self.shares[name] = share if stage in ("run", "done", "kept", "failed") else 0.0
        if self.run is None:
            self.run = self.bars.add_task("run", total=self.runs)
        self.bars.update(self.run, completed=sum(self.shares.values()))
        if stage == "done" and self.quiet:
            self.console.print(f"{name}: done")
