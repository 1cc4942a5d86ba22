"""The compiled FORCE update of this package against a hand-written one, in microseconds an update.

    python benchmarks/rls.py --limit LIMIT.CPP          # compile it, run both in turn, print a table

``LIMIT.CPP`` is compiled for this machine and called with the number of cells and of updates; it prints one line of
JSON, in which each ``us_...`` is one way of doing it. The package's update is timed as a user meets it: one program,
run with updates at every millisecond, and with a gate that stays shut; the difference of the two loops, over the
number of updates. It holds the reading of P, its update, and the change of the weights.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from izhires import Configuration
from izhires.building.draft import make_plan
from izhires.devices import get
from izhires.devices.cpp import compiler
from izhires.devices.standalone import StandaloneProgram
from izhires.model.seeds import Seeds
from izhires.paradigms.experiment import Experiment, frequencies

UPDATES = {500: 4000, 1000: 2000, 2000: 800}
"""Of each number of cells: enough for a second or so."""
FLAGS = ["-O3", "-march=native", "-ffast-math"]


def trial(updates: int) -> Experiment:
    """Return one training trial whose window has one step, and so one update, a millisecond."""
    table = pd.DataFrame(
        [(0.0, updates / 1e3 + 0.3, 0.2, "A", 0.3, 0, "train", True)],
        columns=["onset", "duration", "cue", "event", "latency", "block", "kind", "learn"],
    )
    return Experiment("benchmark", "", ("A",), table, frequencies(table, ["A"]), updates / 1e3, 0.04, 0.05)


def numbers(cells: int, updates: int, learning: bool) -> tuple[StandaloneProgram, dict[str, np.ndarray]]:
    """Return the program, which is the same with and without learning, and what it is given."""
    rule = {"type": "force", "interval": "1 ms"}
    when = {"rule": rule, "gate": "open", "feedback": "0 mV/ms", "learning_blocks": None if learning else 0}
    configuration = Configuration.parse(
        {"reservoir": {"type": "unconnected", "n": cells}, "when": when, "readout": "merged"}
    )
    plan, arrays = make_plan(configuration, trial(updates), Seeds(seed=1))
    return get("cpp").prepare(plan), arrays  # type: ignore[return-value]


def seconds(program: StandaloneProgram, arrays: dict[str, np.ndarray]) -> tuple[float, np.ndarray]:
    """Return what the loop over the steps took, without start and end, and the weights that came out."""
    with tempfile.TemporaryDirectory() as name:
        static, results = Path(name) / "static_arrays", Path(name) / "results"
        static.mkdir()
        results.mkdir()
        command = [program.folder / "main", "--results_dir", f"{results}{os.sep}", *program.write(arrays, static)]
        environment = {**os.environ, **program.environment(arrays)}
        subprocess.run(command, cwd=name, env=environment, check=True, stdout=subprocess.DEVNULL)
        took = float((results / "last_run_info.txt").read_text().split()[0])
        return took, program.collect(results)["when_snapshots.w"][-1]


def ours(cells: int) -> float:
    """Return microseconds an update."""
    took = {}
    for learning in (True, False):
        took[learning], weights = seconds(*numbers(cells, UPDATES[cells], learning))
        if weights.any() != learning:
            raise SystemExit(f"{cells} cells: the run {'did not learn' if learning else 'learned'}")
    return 1e6 * (took[True] - took[False]) / UPDATES[cells]


def by_hand(program: Path, cells: int) -> dict[str, float]:
    """Return microseconds an update of each variant."""
    said = subprocess.run([program, str(cells), str(UPDATES[cells])], check=True, capture_output=True, text=True).stdout
    return {name[3:]: value for name, value in json.loads(said).items() if name.startswith("us_")}


def main() -> None:
    """Run both in turn, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=Path, required=True, help="C++ source of the hand-written update")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        program = Path(name) / "limit"
        subprocess.run([compiler(), *FLAGS, str(given.limit), "-o", str(program)], check=True)
        rows = []
        for turn in range(given.rounds):
            for cells in UPDATES:
                rows.append({"round": turn, "N": cells, "izhires": ours(cells), **by_hand(program, cells)})
    table = pd.DataFrame(rows)
    variants = [name for name in table.columns if name not in ("round", "N", "izhires")]
    table["best"] = table[variants].min(axis=1)
    table["ratio"] = table["izhires"] / table["best"]
    summary = table.drop(columns="round").groupby("N").median()
    print(f"microseconds an update, median of {given.rounds} rounds; ratio of izhires to the best of the others")
    print(summary.round({**dict.fromkeys(summary.columns, 0), "ratio": 2}).to_string())
    print("ratio, from round to round:")
    print(table.pivot(index="N", columns="round", values="ratio").round(2).to_string())


if __name__ == "__main__":
    main()
