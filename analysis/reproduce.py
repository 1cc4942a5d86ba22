"""All claims in one go: run the studies that they need, measure every seed, judge."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from izhires.analysis.studies import STUDIES
from izhires.declare import PAPER
from izhires.devices import DEFAULT
from izhires.errors import ConfigurationError, IzhiresError, RecordingError
from izhires.files import as_path, whole
from izhires.recordings.recording import load
from izhires.running.resources import cores
from izhires.running.worker import Task, TaskReport, results

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from izhires.analysis.claims import Claim

DRAWN = ("default", "merged", "merged_tuned", "force", "force_reset", "no_gate")
"""Studies that the figure ``conditions`` shows side by side."""

ClaimReport = Callable[[str, str, str, float], None]
"""Called with the name of a study, and the name, stage and share of one of its runs; see
`izhires.running.batch.RunReport`."""


TIMES = "times.csv"
"""File in the folder that says how long each study took; it stays when a run goes on."""


class Ran(NamedTuple):
    """How a study ran: all its seconds, those of its build, its runs that were not there yet, and what went wrong."""

    seconds: float
    build_seconds: float
    runs: int
    problem: str


EndReport = Callable[[str, Ran, "float | None"], None]
"""Called with the name of a study that ended, how it ran, and the seconds that the others will take, about."""


def studies_of(claims: Mapping[str, Claim]) -> list[str]:
    """Return the studies that some claims need, in the order in which they are declared.

    Raises
    ------
    ConfigurationError
        If a claim names a study that is not there.
    """
    needed = {study for each in claims.values() for study in each.studies}
    if unknown := needed - set(STUDIES):
        raise ConfigurationError(f"no study is called {sorted(unknown)[0]!r}", "claims", STUDIES)
    return [name for name in STUDIES if name in needed]


def run_studies(
    names: Iterable[str],
    seeds: list[int],
    folder: Path,
    device: str = DEFAULT,
    processes: int | None = None,
    base: Mapping[str, Any] | None = None,
    report: ClaimReport | None = None,
    ended: EndReport | None = None,
) -> dict[str, Ran]:
    """Run studies one after the other, each into a folder of its own; what is there already is kept.

    Those whose conditions change no text of the network share a build.

    Returns
    -------
    dict
        By study. A run that fails stops no other.
    """
    from izhires.running.batch import run_batch

    names, found = list(names), dict[str, Ran]()
    for place, name in enumerate(names):
        began, problem, done = time.perf_counter(), "", set[str]()
        building = [0.0, 0.0]  # from, to

        def say(
            run: str,
            stage: str,
            share: float,
            name: str = name,
            building: list[float] = building,
            done: set[str] = done,
        ) -> None:
            if not run and stage == "build":
                building[share >= 1] = time.perf_counter()
            if stage == "done":
                done.add(run)
            if report is not None:
                report(name, run, stage, share)

        try:
            run_batch(STUDIES[name].configuration(base), seeds, folder / name, device, processes, report=say)
        except ConfigurationError:  # wrong for all seeds, and said at once
            raise
        except IzhiresError as error:
            problem = str(error)
        took = time.perf_counter() - began
        found[name] = Ran(took, max(building[1] - building[0], 0.0), len(done), problem)
        keep_time(folder, name, found[name])
        if ended is not None:
            ended(name, found[name], left_to_run(found, names[place + 1 :], len(seeds)))
    return found


def keep_time(folder: Path, name: str, ran: Ran) -> None:
    """Add a line to the table of times, unless all was there already."""
    if not ran.runs:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        new = not (folder / TIMES).exists()
        with (folder / TIMES).open("a", encoding="utf-8") as file:
            file.write("study,seconds,build_seconds,runs\n" * new)
            file.write(f"{name},{ran.seconds:.1f},{ran.build_seconds:.1f},{ran.runs}\n")
    except OSError as error:
        raise RecordingError(f"cannot be written to: {error.strerror or error}", str(folder)) from None


def left_to_run(done: Mapping[str, Ran], names: Sequence[str], seeds: int) -> float | None:
    """Return the seconds that further studies will take, about: each run and each build as long as those so far.

    None as long as nothing was run.
    """
    runs = sum(each.runs for each in done.values())
    if not runs:
        return None
    of_run = sum(each.seconds - each.build_seconds for each in done.values() if each.runs) / runs
    of_build = sum(each.build_seconds for each in done.values()) / len(done)
    variants = sum(len(STUDIES[name].configuration().paradigm.variants()) for name in names)
    return of_run * variants * seeds + of_build * len(names)


def of_more_seeds(done: Mapping[str, Ran], seeds: int, more: int) -> float | None:
    """Return the seconds that the same studies take with so many seeds, about, builds included; None of kept ones."""
    if not all(each.runs for each in done.values()):
        return None
    builds = sum(each.build_seconds for each in done.values())
    return builds + sum(each.seconds - each.build_seconds for each in done.values()) * more / seeds


class _OfSeed(dict[str, "Sequence[xr.Dataset]"]):
    """Recordings of one seed by study, read when asked for."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__()
        self.folder, self.seed = folder, seed

    def __missing__(self, study: str) -> Sequence[xr.Dataset]:
        from izhires.analysis.declared import Unavailable

        paths = sorted((self.folder / study).glob(f"*_seed{self.seed}.nc"))
        if not paths:
            raise Unavailable(f"{study} has no recording of seed {self.seed}")
        self[study] = found = [load(path) for path in paths]
        return found


def measure(claims: Mapping[str, Claim], seeds: Iterable[int], folder: Path, processes: int | None = 1) -> pd.DataFrame:
    """Measure every claim in every seed, in some processes or, with None, as many as there are cores.

    Returns
    -------
    pandas.DataFrame
        Columns claim, seed, quantity, value, and note: why a seed has no value, else empty.
    """
    import pandas as pd

    tasks = [Task(str(seed), _of_seed, (claims, seed, folder)) for seed in seeds]
    found = results(tasks, min(processes or cores(), len(tasks)), ["izhires.analysis.claims", "xarray", "scipy.stats"])
    rows = [row for of_seed in found for row in of_seed]
    return pd.DataFrame(rows, columns=["claim", "seed", "quantity", "value", "note"])


def _of_seed(
    claims: Mapping[str, Claim], seed: int, folder: Path, say: TaskReport
) -> list[tuple[str, int, str, float, str]]:
    runs = _OfSeed(folder, seed)
    measured = {name: each.measure(runs) for name, each in claims.items()}
    return [
        (name, seed, quantity, value, found.note)
        for name, found in measured.items()
        for quantity, value in found.values.items()
    ]


def draw_conditions(seeds: Iterable[int], folder: Path) -> list[Path]:
    """Draw the error of the studies in `DRAWN` over trials, into ``figures/``; return the files."""
    from izhires.analysis.figures.base import make_figures

    recordings = []
    for study in DRAWN:
        for seed in seeds:
            for path in sorted((folder / study).glob(f"*_seed{seed}.nc")):
                one = load(path)
                # weights and states fill the memory, and are not drawn
                recordings.append(one.drop_dims(["neuron", "spike"], errors="ignore").assign_attrs(study=study))
    return make_figures(recordings, folder / "figures", only=["conditions"]).paths if recordings else []


def figure_text(row: Mapping[Any, Any], name: str) -> str:
    """Return a figure of a row of the table of claims (``ours`` or ``control``) with its unit and interval."""
    from izhires.analysis.claims.base import interval_text

    text = interval_text(row[name], row[f"{name}_low"], row[f"{name}_high"])
    if text == "-" or row["unit"] in ("1", "r"):
        return text
    mean, _, interval = text.partition(" ")
    return f"{mean} {row['unit']} {interval}".rstrip()


def verdict_text(row: Mapping[Any, Any]) -> str:
    """Return the verdict of a row of the table of claims, and whether it holds by construction."""
    return f"{row['verdict']}, holds by construction" if row["construction"] else str(row["verdict"])


def report_text(table: pd.DataFrame, seeds: Sequence[int], problems: Mapping[str, str]) -> str:
    """Return the table of claims as Markdown, with the rule of the verdicts, every test, and every study."""
    from izhires.analysis.claims import base
    from izhires.model.conditions import all_conditions
    from izhires.model.configuration import Configuration

    named = ", ".join(map(str, seeds)) if len(seeds) < 4 else f"{seeds[0]} to {seeds[-1]} ({len(seeds)})"
    rule = (base.__doc__ or "").split("\n\n", 1)[1].strip()
    rows = table.to_dict("records")
    counts = table["verdict"].value_counts()
    counted = ", ".join(f"{count} {name}" for name, count in counts.items())
    lines = [
        f"Seeds {named}; mean [95% t-interval over seeds, not adjusted]. {len(table)} claims: {counted}.",
        "",
        rule,
        "",
    ]
    lines += ["| claim | where | published | ours | control | verdict |", "|---|---|---|---|---|---|"]
    for row in rows:
        claimed = row["statement"] if row["source"] == PAPER else f"{row['statement']} *(not the paper's)*"
        cells = [
            claimed,
            row["where"],
            row["published"],
            f"{figure_text(row, 'ours')}: {row['measured']}",
            f"{figure_text(row, 'control')}: {row['control_is']}",
            f"**{verdict_text(row)}**",
        ]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    lines += [
        "",
        "Each test, with its interval, p, p adjusted by Holm over all tests of the table, and what it decides:",
        "",
    ]
    lines += [f"- {row['claim']} ({row['seeds']} seeds): {row['tests']}" for row in rows]
    besides = [f"- {row['claim']}: {row['beside']}" for row in rows if row["beside"]]
    if besides:
        lines += ["", "Beside them, printed and not tested (bounds, observers, alternatives):", "", *besides]
    by_construction: dict[str, list[str]] = {}
    for row in rows:
        by_construction.setdefault(row["construction"], []).append(row["claim"])
    why = [f"- {', '.join(those)}: {reason}" for reason, those in by_construction.items() if reason]
    if why:
        lines += ["", "Hold by construction:", "", *why]
    others = [f"- {row['claim']}: {row['other_margins']}" for row in rows if row["other_margins"]]
    lines += [
        "",
        f"Verdicts that half or twice the margin ({base.MARGIN:g}) would change:",
        "",
        *(others or ["- none"]),
    ]
    studies = [name for name in STUDIES if any(name in row["studies"].split(", ") for row in rows)]
    if studies:
        lines += ["", "Conditions of the studies:", "", *(f"- {name}: {STUDIES[name].described()}" for name in studies)]
        conditions = dict.fromkeys(each for name in studies for each in STUDIES[name].conditions)
        lines += ["", "What these conditions change:", ""]
        for name in conditions:
            each = all_conditions()[name]
            changes = ", ".join(f"{key} = {_value(value)}" for key, value in each.changes(Configuration()).items())
            lines.append(f"- {name}: {each.description} ({changes})")
    missing = [f"- {row['claim']}: {row['missing']}" for row in rows if row["missing"]]
    if missing:
        lines += ["", "Not measured:", "", *missing]
    if problems:
        lines += ["", "Runs that failed:", "", *(f"- {study}: {problem}" for study, problem in problems.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + "}"
    return str(value)


def reproduce(
    seeds: list[int],
    folder: Path,
    claims: Iterable[str] | None = None,
    device: str = DEFAULT,
    processes: int | None = None,
    base: Mapping[str, Any] | None = None,
    report: ClaimReport | None = None,
    ended: EndReport | None = None,
) -> tuple[pd.DataFrame, dict[str, Ran], dict[str, float]]:
    """Run, measure and judge; write ``claims.csv``, ``measured.csv`` and ``claims.md`` into the folder.

    Parameters
    ----------
    seeds : list of int
    folder : Path
        One folder a study inside. A run that was stopped goes on where it was.
    claims : iterable of str, optional
        Only these.
    device, processes
        As `izhires.run_batch` has them.
    base : mapping, optional
        Tables of a configuration that every study changes, as ``{"reservoir": {"n": 500}}``.
    report, ended : callable, optional

    Returns
    -------
    table : pandas.DataFrame
        See `izhires.analysis.claims.judge`.
    done : dict
        How each study ran, and what went wrong with it.
    seconds : dict
        Of ``builds``, ``runs`` and ``analysis``.

    Raises
    ------
    ConfigurationError
        If a claim is unknown, or the base does not fit.
    """
    from izhires.analysis.claims import all_claims, judge

    folder = as_path(folder, "folder")
    chosen = all_claims(claims)
    done = run_studies(studies_of(chosen), seeds, folder, device, processes, base, report, ended)
    began = time.perf_counter()
    measured = measure(chosen, seeds, folder, processes)
    table = judge(chosen, measured)
    problems = {name: each.problem for name, each in done.items() if each.problem}
    builds = sum(each.build_seconds for each in done.values())
    seconds = {
        "builds": builds,
        "runs": sum(each.seconds for each in done.values()) - builds,
        "analysis": time.perf_counter() - began,
    }
    try:
        for name, each in (("claims.csv", table), ("measured.csv", measured)):
            with whole(folder / name) as part:
                each.to_csv(part, index=False)
        with whole(folder / "claims.md") as part:
            part.write_text(report_text(table, seeds, problems), encoding="utf-8")
    except OSError as error:
        raise RecordingError(f"cannot be written to: {error.strerror or error}", str(folder)) from None
    return table, done, seconds
