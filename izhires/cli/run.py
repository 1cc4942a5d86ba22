"""``izhires run``: simulate a paradigm on several seeds."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from izhires.cli import options

if TYPE_CHECKING:
    from collections.abc import Callable

    from izhires.building.plan import Plan
    from izhires.model.configuration import Configuration
    from izhires.paradigms.experiment import Experiment
    from izhires.running.run import Drawn

COMMAND = "run"
# each paradigm may declare options of its own, so what typer does not know is read in `_own_options`
SETTINGS = {"context_settings": {"allow_extra_args": True, "ignore_unknown_options": True}}

LONGEST = 24.0
"""Model time (h) of a run beyond which it must be asked for, since it may come of a mistaken unit."""


def command(
    context: typer.Context,
    paradigm: options.Paradigm,
    out: Annotated[Path, typer.Option(help="Folder for the recordings, one file a seed.")],
    seeds: Annotated[str, typer.Option(help="7, or 1,4,9, or 100:105 (half-open).")] = "0",
    config: options.Config = None,
    set_: options.Changes = None,
    condition: options.Conditions = None,
    device: options.Device = "",
    plain: options.Plain = False,
    processes: Annotated[
        int | None, typer.Option(min=1, help="At most this many runs at once; default: one per core.")
    ] = None,
    replicates: Annotated[
        int, typer.Option(min=1, help="Seeds that run side by side as one network, to fill a GPU.")
    ] = 1,
    again: Annotated[bool, typer.Option("--again", help="Run also what the folder already holds.")] = False,
    long: Annotated[bool, typer.Option("--long", help="Run also what lasts more than 24 h of model time.")] = False,
) -> None:
    """Simulate a paradigm on several seeds; each leaves one recording (netCDF-4).

    What was understood is printed first: trials, events, latencies, and what the runs take, about.

    Some paradigms have options of their own.

    cued-reaction: --events FILE, --cue VALUE, --event VALUE and --response VALUE (each repeatable; several cues are
    told apart), --cue-column, --event-column, --response-column, --response-time-column, --longest-response, --window,
    --probe-every.

    table: --table FILE, --event VALUE, --probe-every N, --window, --longest-response, --inputs FILE, --epochs FILE,
    --reward-delay.

    oddball, from event files: --events FILE, --standard VALUE, --deviant VALUE and --other VALUE (each repeatable, with
    * and ?), --column, --response-time-column, --longest-response, --omission-every N, --lead.
    """
    from izhires.errors import ConfigurationError, IzhiresError
    from izhires.model.configuration import parse_seeds
    from izhires.running.batch import jobs, run_batch

    configuration = configured(context, paradigm, config, set_ or [], condition or [])
    wanted = parse_seeds(seeds)
    if plain and device not in ("", "plain"):
        raise ConfigurationError(f"--plain is the device 'plain', not {device!r}", "--device")
    device = "plain" if plain else _device(device)
    lines, first = understood(configuration, wanted, device, processes, replicates, long)
    print("\n".join(lines), flush=True)
    for remark in _remarks(configuration, first):
        # what was left open was decided; what was stated may not do
        if configuration.reservoir.fitted(0) is configuration.reservoir:
            print(f"izhires: {remark}", file=sys.stderr)
        else:
            print(remark)
    todo = jobs(configuration, wanted, out)
    progress = RunProgress({job.name: job.path for job in todo})
    began = time.perf_counter()
    try:
        with progress:
            run_batch(configuration, wanted, out, device, processes, again, progress.report, replicates, first)
        took = time.perf_counter() - began - progress.build_seconds
        _say_what_is_wrong([job.path for job in todo])
    except KeyboardInterrupt as interrupt:
        interrupt.args = (progress.left(out),)
        raise
    except IzhiresError:
        if progress.runs > 1 and "failed" in progress.stages.values():
            print(f"izhires: {progress.left(out)}", file=sys.stderr)
        raise
    kept = list(progress.stages.values()).count("kept")
    build = f"build {progress.build_seconds:.1f} s" if progress.build_seconds > 1 else "built before"
    parts = [f"{progress.runs - kept} run ({build}, runs {took:.1f} s)"] if kept < progress.runs else []
    parts += [f"{kept} kept from before (--again runs them anew)"] if kept else []
    print(f"{_recordings(progress.runs)} in {out}: {', '.join(parts)}")


def _remarks(configuration: Configuration, first: Drawn) -> list[str]:
    """Return what a user should know of the circuit in this task's window, one line a thing."""
    found = set()
    for variant in configuration.paradigm.variants():
        experiment = first.experiment
        if variant != first.variant:
            experiment = configuration.paradigm.experiment(first.seeds.generator("trials"), variant)
        # a user's own circuit need not know of several channels
        further = (len(experiment.channels),) if len(experiment.channels) > 1 else ()
        found.add((1e3 * experiment.window, *further))
    return list(dict.fromkeys(filter(None, (configuration.reservoir.remark(*each) for each in sorted(found)))))


def _say_what_is_wrong(paths: list[Path]) -> None:
    """Warn of recordings whose states do not tell time in all of the window, or whose end is worse than a bound."""
    from netCDF4 import Dataset

    from izhires.recordings import bounds, elapsed

    found: dict[Callable[..., str], dict[str, str]] = {elapsed.remark: {}, bounds.remark: {}}
    for path in paths:
        with Dataset(path) as recording:
            for remark, of in found.items():
                if said := remark(recording.__dict__):
                    of[path.name] = said
    for of in found.values():
        if of:
            name, said = next(iter(of.items()))
            print(f"izhires: in {len(of)} of {_recordings(len(paths))}, first {name}: {said}", file=sys.stderr)


def configured(
    context: typer.Context, paradigm: str, config: Path | None, settings: list[str], conditions: list[str]
) -> Configuration:
    """Read the configuration of a command: the paradigm's own options, a file, settings, and named conditions."""
    from izhires.errors import ConfigurationError, closest
    from izhires.model.conditions import apply
    from izhires.model.configuration import read
    from izhires.paradigms.base import Paradigm

    known = Paradigm.alternatives()
    name = paradigm.replace("-", "_")
    if name not in known:
        raise ConfigurationError(
            f"{paradigm!r} is not a paradigm{closest(name, known)}", context.info_name or "", known
        )
    ours = [option for each in context.command.params for option in each.opts if option.startswith("--")]
    own: dict[str, Any] = {"type": name, **_own_options(context.args, known[name], ours, context.info_name or "")}
    try:
        return apply(read(config, settings, own, _say), conditions)
    except ConfigurationError as error:
        # named as it is typed here
        flags = {f"paradigm.{field}": flag for flag, field in known[name].options.items()} if config is None else {}
        raise ConfigurationError(
            replace(each, place=flags.get(each.place, each.place)) for each in error.complaints
        ) from None


def understood(
    configuration: Configuration, seeds: list[int], device: str, processes: int | None, replicates: int, long: bool
) -> tuple[list[str], Drawn]:
    """Return in words what the first run is made of with an estimate of what all take, and that run as it was drawn.

    Raises
    ------
    ConfigurationError
        If it lasts longer than `LONGEST` and nobody asked for that.
    """
    from izhires.errors import ConfigurationError
    from izhires.running.run import draw

    variants = configuration.paradigm.variants()
    generator = configuration.seeds.with_changes(seed=seeds[0]).generator("trials")
    experiment = configuration.paradigm.experiment(generator, variants[0])
    hours = experiment.duration / 3600
    if hours > LONGEST and not long:
        raise ConfigurationError(
            f"{experiment.describe().splitlines()[0]}, that is {hours:.1f} h of model time, more than {LONGEST:g} h; "
            "is a time in the wrong unit? --long runs it all the same",
            "run",
        )
    lines = experiment.describe().splitlines()
    if len(lines) > 12:
        lines = [*lines[:10], f"  ... and {len(lines) - 10} more lines of this kind"]
    if len(variants) > 1:
        lines.append(
            f"  and {len(variants) - 1} more variants: {', '.join(variants[1:4])}{', ...' * (len(variants) > 4)}"
        )
    lines.append(
        f"  window {experiment.window:g} s from the cue, which lasts {experiment.cue_duration:g} s; events are "
        f"{experiment.event_width:g} s wide"
    )
    if not (experiment.trials["kind"] == "probe").any():
        hint = "; --probe-every N inserts them" if "--probe-every" in configuration.paradigm.options else ""
        lines.append(f"  no probes: no prediction of these runs will be read{hint}")
    lines += [f"  {note}" for note in experiment.notes]
    drawn = draw(configuration, seeds[0], variants[0], experiment)
    estimate = _estimate(drawn.plan, experiment, len(variants) * len(seeds), device, processes, replicates)
    return [*lines, f"  {estimate}"], drawn


def _estimate(
    plan: Plan, experiment: Experiment, runs: int, device: str, processes: int | None, replicates: int
) -> str:
    """Return what so many runs take, by rules of thumb."""
    from izhires import devices
    from izhires.running import resources

    steps, target = experiment.duration / plan.cell_step, devices.get(device)
    seconds, source = None, ""
    if target.step or target.cell_step:
        seconds = steps * (target.step + target.cell_step * plan.cells)
        each = [f"{target.cell_step * 1e9:g} ns a cell and step"] if target.cell_step else []
        source = " and ".join([*each, *([f"{target.step * 1e3:g} ms a step"] if target.step else [])])
    beside = min(replicates, runs)
    at_once = 1 if replicates > 1 else min(processes or resources.processes_for(plan), runs)
    text = f"{runs} run{'s' if runs > 1 else ''} of {plan.cells} cells, {at_once} at once: each about "
    if seconds is not None:
        text += f"{_span(seconds)} ({source}, on a quiet machine; building and recording come on top) and "
    text += f"{resources.needed_memory(plan, 1, beside) / 1e6:.0f} MB{f' for {beside} side by side' * (beside > 1)}"
    return text if seconds is None or runs == 1 else f"{text}; all about {_span(seconds * -(-runs // at_once))}"


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _say(line: str) -> None:
    print(f"izhires: {line}", file=sys.stderr)


def _recordings(number: int) -> str:
    return f"{number} recording{'' if number == 1 else 's'}"


def _device(name: str) -> str:
    """Return the device to use, and say so when it is not the one a user would expect."""
    from izhires import devices

    if name:
        return devices.get(name).name
    name, missing = devices.default()
    if missing:
        print(f"izhires: {missing}; running on the {name} device, which is many times slower", file=sys.stderr)
    return name


def _own_options(arguments: list[str], paradigm: Any, others: list[str], command: str) -> dict[str, Any]:
    """Read the options that a paradigm declares (``options``: flag -> field); that of a list may be repeated."""
    from izhires.errors import ConfigurationError, closest

    options: dict[str, str] = getattr(paradigm, "options", {})
    found: dict[str, Any] = {}
    rest = list(arguments)
    while rest:
        flag, equals, value = rest.pop(0).partition("=")
        if flag not in options:
            valid = (*options, *others)
            raise ConfigurationError(f"unknown option {flag!r}{closest(flag, valid)}", command, valid)
        if not equals:
            if not rest:
                raise ConfigurationError(f"{flag} needs a value", command)
            value = rest.pop(0)
        field = options[flag]
        many = "tuple" in str(paradigm.model_fields[field].annotation)
        if not many and field in found:
            raise ConfigurationError(f"{flag} is given twice", command)
        found[field] = [*found.get(field, []), value] if many else value
    return found


def _which(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from one of the same name that was there before; nothing where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


class RunProgress:
    """Builds and runs on the terminal, with an estimate of the time left; silent where there is none.

    Parameters
    ----------
    paths : dict of str to Path
        Of each run, by name, the file of its recording.
    """

    def __init__(self, paths: dict[str, Path]) -> None:
        self.runs, self.build_seconds = len(paths), 0.0
        self.paths, self.before = paths, {name: _which(path) for name, path in paths.items()}
        self.stages: dict[str, str] = {}
        self._shares: dict[str, float] = {}
        self._began = 0.0
        self.bars = _bars() if sys.stderr.isatty() else None  # nobody else has to wait for the import
        self.build: Any = None
        self.run: Any = None

    def __enter__(self) -> RunProgress:
        if self.bars is not None:
            self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bars is not None:
            self.bars.stop()

    def left(self, folder: Path) -> str:
        """Return which recordings are whole, and which are not there.

        By their files: one may have been written and not yet told of.
        """
        whole = [
            name
            for name, path in self.paths.items()
            if self.stages.get(name) in ("done", "kept") or _which(path) not in (None, self.before[name])
        ]
        names = f" ({', '.join(whole)})" if 0 < len(whole) <= 20 else ""
        others = "; of the others nothing was written" if len(whole) < self.runs else ""
        return f"{len(whole)} of {self.runs} recordings finished in {folder}{names}{others}"

    def report(self, name: str, stage: str, share: float) -> None:
        """Take a message of a batch."""
        if stage == "removed":
            print(
                f"izhires: {name} was not finished by a run that was killed; what it left was removed", file=sys.stderr
            )
        elif not name:
            self._build(share)
        else:
            self.stages[name] = stage
            self._shares[name] = 0.0 if stage == "build" else share
            if self.bars is None:
                return
            if self.run is None:
                self.run = self.bars.add_task("run", total=self.runs, state="")
            ended = sum(each in ("done", "kept", "failed") for each in self.stages.values())
            self.bars.update(self.run, completed=sum(self._shares.values()), state=f"{ended} of {self.runs}")

    def _build(self, share: float) -> None:
        self._began = self._began or time.perf_counter()
        if share >= 1:
            self.build_seconds = time.perf_counter() - self._began
        if self.bars is None:
            return
        if self.build is None:
            self.build = self.bars.add_task("build", total=None, state="")
        if share >= 1:
            self.bars.update(self.build, total=1, completed=1, state="" if self.build_seconds > 1 else "built before")


def _bars() -> Any:
    """Return bars for builds and runs on this terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.text import Text

    class Left(TimeRemainingColumn):
        """The time left, while there is an end in sight."""

        def render(self, task: Any) -> Text:
            return Text("") if task.total is None or task.finished else super().render(task) + Text(" left")

    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[state]}"), TimeElapsedColumn()
    console = Console(stderr=True, highlight=False)
    # of rich's own mind where a terminal cannot draw (TERM=dumb)
    return Progress(*columns, Left(), console=console, disable=not console.is_terminal)
