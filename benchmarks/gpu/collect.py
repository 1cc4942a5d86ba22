"""What the projects of `make.py` gave: right or not, and how long a replicate takes beside one on a CPU.

    python benchmarks/gpu/collect.py FOLDER OUT [OUT ...] --figure gpu.png --keep gpu.json

Every OUT holds what `run.sh` packed on one machine: that with the GPU, and this one, where it runs the programs of the
CPU alone (``sh FOLDER/run.sh OUT``), which is the line of two cores. Every result is held against the C++ device, run
here: statistics over replicates with noise, spikes without noise, for as long as these are the same.
"""

from __future__ import annotations

import io
import json
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from make import Project, drawn

sys.path.insert(0, str(Path(__file__).parents[1]))
from stored import finish, options

from izhires.analysis.compare import shared_spikes
from izhires.building.parts import Monitor
from izhires.building.replicates import combine, split
from izhires.devices import get
from izhires.devices.standalone import EARLIER, StandaloneDevice
from izhires.errors import IzhiresError
from izhires.running.run import Drawn, Execution, record

NOISES = 8
"""Runs of the C++ device with another noise each, whose mean and spread a device is held against."""


@dataclass
class Machine:
    """What one machine gave: its description, seconds of builds and loops, and the folder of results."""

    facts: dict[str, str]
    results: Path
    builds: dict[str, tuple[int, float]] = field(default_factory=dict)
    loops: dict[tuple[str, str, int], list[tuple[int, float]]] = field(default_factory=dict)
    left_out: dict[str, float] = field(default_factory=dict)

    def seconds(self, name: str, label: str, copies: int = 1) -> float:
        """Return the least seconds of the loop over time, of those runs that reached their end; NaN without any."""
        good = [seconds for status, seconds in self.loops.get((name, label, copies), []) if status == 0]
        return min(good, default=np.nan)


def unpack(out: Path, folder: Path) -> Machine:
    """Unpack what `run.sh` left in a folder."""
    parts = sorted(out.glob("results.tar.gz.*"))
    if not parts:
        sys.exit(f"{out} holds no results.tar.gz.aa that run.sh has packed")
    whole = io.BytesIO(b"".join(part.read_bytes() for part in parts))
    with tarfile.open(fileobj=whole, mode="r:gz") as archive:
        archive.extractall(folder, filter="data")
    results = folder / "results"
    lines = (results / "machine.txt").read_text().splitlines()
    machine = Machine(dict(line.partition(" ")[::2] for line in lines), results)
    for line in (results / "times.txt").read_text().splitlines():
        kind, *rest = line.split()
        if kind == "build":
            machine.builds[rest[0]] = int(rest[1]), float(rest[2])
        elif kind == "run":
            name, label, copies, status, _, seconds = rest
            machine.loops.setdefault((name, label, int(copies)), []).append((int(status), float(seconds)))
        else:
            machine.left_out[rest[0]] = float(rest[1])
    return machine


def recordings(project: Project, own: Path, results: Path, one: Drawn) -> list[xr.Dataset | None]:
    """Return the recording of each replicate, None for one that is silent or ran away; empty where files were too large
    to come back.

    Raises
    ------
    IzhiresError
        If the run was not finished.
    """
    target = get(project.device)
    assert isinstance(target, StandaloneDevice)
    many = project.replicates
    plan, _ = combine([one.plan] * many, [one.arrays] * many)
    program = target.program(plan, own, 0.0)
    files = [results / facts["file"] for facts in program.facts["outputs"].values()]
    program._check_complete(results)
    if not all(file.exists() or file.with_name(file.name + EARLIER).exists() for file in files):
        return []
    outputs = program.collect(results)
    for monitor in (each for each in plan.of(Monitor) if not each.every):  # which CUDA does not keep in order
        order = np.lexsort((outputs[f"{monitor.name}.i"], outputs[f"{monitor.name}.t"]))
        for name in ("t", "i"):
            outputs[f"{monitor.name}.{name}"] = outputs[f"{monitor.name}.{name}"][order]
    return [_recording(one, each, project.device) for each in split(plan, outputs)]


def _recording(one: Drawn, outputs: dict[str, np.ndarray], device: str) -> xr.Dataset | None:
    try:
        return record(one, outputs, Execution(device, "", "", 0.0, 0.0))
    except IzhiresError:
        return None


@cache
def here(network: str, n: int, noise: bool, seed: int = 0) -> xr.Dataset:
    """Return the recording of a network on the C++ device of this machine, in double precision."""
    one = drawn(Project(network, n, 1), noise)
    arrays = {**one.arrays}
    for name in arrays:
        if name.endswith(".noise_seed"):
            arrays[name] = np.array(seed, dtype=arrays[name].dtype)
    found = _recording(one, get("cpp").prepare(one.plan).run(arrays), "cpp")
    if found is None:
        raise RuntimeError(f"{network} of {n} cells is silent or runs away on cpp, too")
    return found


def statistics(recording: xr.Dataset) -> dict[str, float]:
    """Return what replicates are compared by: mean rate, spread of rates over cells, regularity, and the readout."""
    time, cell = recording["spike_time"].values, recording["spike_neuron"].values
    order = np.lexsort((time, cell))
    intervals, same = np.diff(time[order]), np.diff(cell[order]) == 0
    rates = (
        np.bincount(cell, minlength=recording.sizes.get("neuron", int(cell.max()) + 1)) / recording.attrs["duration"]
    )
    found = {
        "rate of a cell (Hz)": float(rates.mean()),
        "spread of the rates over cells (Hz)": float(rates.std()),
        "CV of the intervals between spikes": float(intervals[same].std() / intervals[same].mean()),
        "root mean square of the prediction": float(np.sqrt((recording["prediction"].values ** 2).mean())),
    }
    if "plastic_weight" in recording:
        found["plastic weights at the end (mV/ms)"] = float(recording["plastic_weight"].values[-1].mean())
    return found


def differences(found: list[xr.Dataset], reference: list[xr.Dataset]) -> dict[str, tuple[float, float, float]]:
    """Return of each statistic the mean on the device, the mean on cpp, and their difference in standard errors."""
    rows = {}
    for name in statistics(reference[0]):
        one, other = (np.array([statistics(each)[name] for each in group]) for group in (found, reference))
        spread = other.std(ddof=1)
        error = spread * np.sqrt(1 / len(one) + 1 / len(other))  # the spread is the network's, whatever the device
        rows[name] = float(one.mean()), float(other.mean()), float((one.mean() - other.mean()) / error)
    return rows


def check(project: Project, machine: Machine, folder: Path) -> Iterator[str]:
    """Hold what a project gave against the C++ device; give one line a thing."""
    own, at = folder / "projects" / project.name, machine.results / project.name
    if not (at / "noise").exists():
        yield "did not run"
        return
    try:
        found = recordings(project, own, at / "noise", drawn(project))
    except IzhiresError as error:
        log = machine.results / "logs" / f"{project.name}.noise"
        said = log.read_text().strip().splitlines() if log.exists() else []
        yield f"no result: {error}; it said: {(said or ['nothing'])[-1][:160]}"
        return
    whole = [each for each in found if each is not None]
    if len(whole) < len(found):
        yield f"{len(found) - len(whole)} of {len(found)} replicates are silent, run away or diverge"
    if whole:
        reference = [here(project.network, project.n, True, seed) for seed in range(NOISES)]
        for name, (one, other, off) in differences(whole, reference).items():
            yield f"{name}: {one:.4g}, cpp {other:.4g} ({off:+.1f} standard errors)"
    elif not found:
        yield "its recordings were too large to come back"
    if (at / "quiet").exists():
        (quiet,) = recordings(project, own, at / "quiet", drawn(project, noise=False))
        if quiet is not None:
            same, (count, _), moment = shared_spikes(quiet, here(project.network, project.n, False))
            ending = "and no other" if np.isnan(moment) else f"then different from {moment:.4g} s on"
            yield f"without noise: the first {same:,} of {count:,} spikes identical, {ending}"


def crossover(replicates: list[int], seconds: list[float], line: float) -> float:
    """Return how many replicates it takes for one to take less than `line`, on straight lines through the logarithms;
    infinity where it never does.
    """
    x, y = np.log(replicates), np.log(np.array(seconds) / line)
    for k in range(len(x)):
        if y[k] <= 0:
            if k == 0 or y[k] == y[k - 1]:
                return float(replicates[k])
            return float(np.exp(x[k - 1] - y[k - 1] * (x[k] - x[k - 1]) / (y[k] - y[k - 1])))
    return float("inf")


Series = dict[str, dict[int, float]]
"""Milliseconds that a replicate takes for a second of model time, by numbers and by replicates."""


def times(projects: list[Project], machines: list[Machine]) -> tuple[Series, dict[tuple[str, int], float]]:
    """Return what a replicate takes on the GPU, and on so many cores of a CPU, the fastest machine of each."""
    gpu: Series = {}
    cpu: dict[tuple[str, int], float] = {}
    device = "cuda" if any(each.device == "cuda" for each in projects) else "cpp"  # which stands in for it
    for project in projects:
        duration = drawn(project).plan.duration
        for machine in machines:
            scale = 1e3 / duration
            if project.device == device:
                seconds = machine.seconds(project.name, "noise")
                if np.isfinite(seconds):
                    gpu.setdefault(project.numbers, {})[project.replicates] = scale * seconds / project.replicates
            if project.device == "cpp" and project.replicates == 1:
                for copies in (2, 16):
                    key = project.numbers, copies
                    value = scale * machine.seconds(project.name, "side", copies) / copies
                    if np.isfinite(value):
                        cpu[key] = min(cpu.get(key, np.inf), value)
    return {name: dict(sorted(each.items())) for name, each in gpu.items()}, cpu


def picture(path: Path, gpu: Series, cpu: dict[tuple[str, int], float]) -> None:
    """Draw the time of a replicate against replicates, a panel for each network and size, beside lines of the CPU."""
    from matplotlib.figure import Figure

    panels = list(dict.fromkeys(name.rpartition("-")[0] for name in gpu))
    figure = Figure(figsize=(2.7 * len(panels), 3.0), layout="constrained")
    marks = {"double": ("o-", "#0072B2"), "single": ("s--", "#56B4E9")}
    every = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for axes, panel in zip(every, panels, strict=True):
        for precision, (mark, colour) in marks.items():
            series = gpu.get(f"{panel}-{precision}", {})
            if series:
                axes.plot(list(series), list(series.values()), mark, color=colour, label=precision)
        for cores, style in ((2, ":"), (16, "-.")):
            if (value := cpu.get((f"{panel}-double", cores))) is not None:
                axes.axhline(value, color="#D55E00", linestyle=style, label=f"CPU, {cores} cores")
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        counts = sorted({many for name, series in gpu.items() if name.startswith(f"{panel}-") for many in series})
        axes.set_xticks(counts, [str(each) for each in counts])
        axes.minorticks_off()
        network, n = panel.rsplit("-", 1)
        axes.set_title(f"{network}, {int(n):,} cells", fontsize=9)
        axes.set_xlabel("replicates side by side")
        axes.legend(fontsize=7, frameon=False)
    every[0].set_ylabel("ms a replicate\nand second of model time")
    figure.savefig(path, dpi=200)


def main() -> None:
    """Check, print, draw, keep."""
    parser = options(__doc__)
    parser.add_argument("folder", type=Path, help="what make.py wrote")
    parser.add_argument("out", type=Path, nargs="+", help="what run.sh packed, of one machine each")
    parser.add_argument("--figure", type=Path, metavar="FILE")
    given = parser.parse_args()
    try:
        listed: list[dict[str, Any]] = json.loads((given.folder / "projects.json").read_text())
    except (OSError, ValueError):
        sys.exit(f"{given.folder} is not what make.py wrote")
    projects = [Project(**each) for each in listed]
    values: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        machines = [unpack(out, Path(scratch) / str(k)) for k, out in enumerate(given.out)]
        for machine in machines:
            print("; ".join(f"{key} {value}" for key, value in machine.facts.items()))
            for project in projects:
                status, built = machine.builds.get(project.name, (-1, np.nan))
                if status:
                    log = machine.results / "logs" / f"{project.name}.build"
                    said = log.read_text().strip().splitlines() if log.exists() else []
                    print(f"{project.name}: not built: {(said or ['nothing was said'])[-1][:160]}")
                    continue
                seconds = machine.seconds(project.name, "noise")
                print(f"{project.name}: built in {built:.0f} s, loop {seconds:.3g} s")
                for line in check(project, machine, given.folder):
                    print(f"    {line}")
        gpu, cpu = times(projects, machines)
    print(
        f"\n{'ms a replicate and second of model time':40} {'replicates side by side':>40}  {'CPU, 2 and 16 cores':>20}"
    )
    for name, series in gpu.items():
        lines = {cores: cpu.get((f"{name.rpartition('-')[0]}-double", cores), np.nan) for cores in (2, 16)}
        told = "  ".join(f"{many}: {value:.3g}" for many, value in series.items())
        print(f"{name:40} {told:>40}  {lines[2]:9.3g} {lines[16]:9.3g}")
        values |= {f"{name}, {many} replicates": value for many, value in series.items()}
        for cores, line in lines.items():
            if np.isfinite(line):
                at = crossover(list(series), list(series.values()), line)
                values |= {f"{name}, crossover with {cores} cores": at, f"{name}, {cores} cores": line}
                where = f"from {at:.0f} replicates on" if np.isfinite(at) else "with no number of replicates tried"
                print(f"    faster than {cores} cores {where}")
    if given.figure and gpu:
        picture(given.figure, gpu, cpu)
    finish(given, values)


if __name__ == "__main__":
    main()
