"""Time of the simulation loop against cells, trials, channels, networks side by side and processes, with fits.

Each series changes one size of a base (1,000 cells, 100 synapses a cell, 2 channels, 40 trials). The exponent is that
of a straight line through the logarithms: 1 is proportional growth. Each point is the fastest of several rounds, where
all points take turns, since machines drift.

    python benchmarks/growth.py --keep growth.json --figure growth.pdf
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from stored import finish, options

from izhires import Configuration
from izhires.building.replicates import combine
from izhires.devices import get
from izhires.running.batch import run_batch
from izhires.running.run import draw

SERIES = {
    "cells": (100, 300, 1000, 4000, 16000),
    "trials": (20, 40, 80, 160),
    "channels": (1, 2, 4, 8, 16),
    "networks side by side": (1, 2, 4),
    "processes": (1, 2),
}


def configuration(cells: int = 1000, trials: int = 40, channels: int = 2) -> Configuration:
    """Return the base with some sizes changed."""
    events = [f"event {k}" for k in range(channels)]
    block = {
        "trials": trials,
        "latency": {event: f"{300 + 40 * k} ms" for k, event in enumerate(events)},
        "probability": dict.fromkeys(events, 1 / channels),
    }
    return Configuration.parse(
        {
            "reservoir": {"type": "random", "n": cells, "out_degree": min(100, cells - 1)},
            "paradigm": {"type": "meet", "blocks": [block], "probes": [trials], "order": "independent"},
        }
    )


def loop(**sizes: int) -> Callable[[], tuple[float, float]]:
    """Return a function that runs one network and gives the seconds of its loop, and how many cell steps those were."""
    drawn = draw(configuration(**sizes), 0)
    program = get("cpp").prepare(drawn.plan)

    def run() -> tuple[float, float]:
        program.run(drawn.arrays)
        return program.measured["loop_seconds"], drawn.plan.cells * drawn.plan.duration / drawn.plan.cell_step

    return run


def side_by_side(networks: int) -> Callable[[], tuple[float, float]]:
    """Return a function that runs several networks as one."""
    several = [draw(configuration(), seed) for seed in range(networks)]
    plan, arrays = combine([each.plan for each in several], [each.arrays for each in several])
    program = get("cpp").prepare(plan)

    def run() -> tuple[float, float]:
        program.run(arrays)
        return program.measured["loop_seconds"], networks * plan.cells * plan.duration / plan.cell_step

    return run


def in_processes(processes: int) -> Callable[[], tuple[float, float]]:
    """Return a function that makes four recordings in some processes, and gives the seconds for all of it.

    Of longer runs than the base, since it takes a process a second to start.
    """
    base = configuration(trials=400)
    plan = draw(base, 0).plan

    def run() -> tuple[float, float]:
        with tempfile.TemporaryDirectory() as name:
            began = time.perf_counter()
            run_batch(base, [0, 1, 2, 3], Path(name), processes=processes)
            return time.perf_counter() - began, 4 * plan.cells * plan.duration / plan.cell_step

    return run


def main() -> None:
    """Measure, print, fit, draw, keep."""
    parser = options(__doc__)
    parser.add_argument("--figure", type=Path, metavar="FILE.pdf")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--series", action="append", choices=list(SERIES), help="default: all")
    given = parser.parse_args()
    tasks = {}
    for name in given.series or SERIES:
        for size in SERIES[name]:
            print(f"preparing {name} = {size}", file=sys.stderr)
            kinds = {"networks side by side": side_by_side, "processes": in_processes}
            tasks[name, size] = kinds[name](size) if name in kinds else loop(**{name: size})
    found: dict[tuple[str, int], list[tuple[float, float]]] = {key: [] for key in tasks}
    for _ in range(given.rounds):
        for key, task in tasks.items():
            found[key].append(task())
    values: dict[str, float] = {}
    best = {key: min(rounds) for key, rounds in found.items()}
    for (name, size), (seconds, steps) in best.items():
        values[f"{name} = {size}"] = seconds
        drift = max(found[name, size])[0] / seconds
        print(
            f"{name:24} {size:6}  {seconds:8.3f} s  {1e9 * seconds / steps:6.2f} ns a cell step  (drift x {drift:.2f})"
        )
    for name in given.series or SERIES:
        sizes = np.array(SERIES[name], float)
        slope = np.polyfit(np.log(sizes), np.log([best[name, size][0] for size in SERIES[name]]), 1)[0]
        values[f"exponent of {name}"] = float(slope)
        print(f"{name:24} time grows with exponent {slope:.2f}")
    if given.figure:
        picture(given.figure, best, values)
    finish(given, values)


def picture(path: Path, best: dict[tuple[str, int], tuple[float, float]], values: dict[str, float]) -> None:
    """Draw the series side by side."""
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(name for name, _ in best))
    figure = Figure(figsize=(2.3 * len(names), 2.6), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        sizes = [size for each, size in best if each == name]
        seconds = [best[name, size][0] for size in sizes]
        axes.loglog(sizes, seconds, "o-", color="#0072B2", base=10)
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=45 if max(sizes) > 999 else 0)
        axes.minorticks_off()
        axes.set_xlabel(name)
        axes.set_title(f"exponent {values[f'exponent of {name}']:.2f}", fontsize=9)
        low, high = min(seconds), max(seconds)
        ticks = [tick * scale for scale in (0.01, 0.1, 1, 10, 100) for tick in (1, 2, 5)]
        shown = [tick for tick in ticks if low / 1.6 <= tick <= high * 1.6]
        axes.set_yticks(shown, [f"{tick:g}" for tick in shown])
        axes.set_ylim(low / 1.6, high * 1.6)
    figure.axes[0].set_ylabel("time / s")
    figure.savefig(path, dpi=200)


if __name__ == "__main__":
    main()
