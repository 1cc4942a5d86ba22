"""What a network that grows its own sequence does beyond its task, and where it fails.

    python examples/grown_beyond.py --seeds 0:2 --out results/grown-beyond

Each row is one network of `reservoir.type = "grown"` and what a test of 100 trials finds in it: as it is; without 10 %
of its cells, before and after 200 more trials of development; with delays of single synapses instead of axons (is the
wave smoother?); grown while cells also fire by themselves; grown for 3 s, with axons as they are and three times as
slow; and the task done by a network that stays plastic. What stands in beyond.csv is not run again; the table is
beyond.md.
"""

from __future__ import annotations

import argparse
import csv
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import xarray as xr

from izhires import Configuration, simulate
from izhires.analysis.claims.base import end_error
from izhires.circuits.base import Synapses
from izhires.circuits.development import BIN, SETTLING, Development, develop, examine, first_spikes, stage, tested
from izhires.circuits.grown import Grown
from izhires.errors import GrowthWarning, SimulationError
from izhires.model.configuration import parse_seeds
from izhires.model.seeds import Seeds
from izhires.running.run import Drawn, draw, simulate_together

FIELDS = ["experiment", "seed", "trials", "reliable", "reach", "complete", "early", "filled", "error", "said"]
FEW = 800
"""Trials that the variants have at most, where the circuit itself has 1,600."""
LESION = 0.1
"""Share of the excitatory cells that are taken out, of those that the cue does not reach."""
FINE = 0.005
"""Width of the intervals that a smooth wave fills, s."""


class Scattered(Grown):
    """The same network with a delay for each synapse, drawn anew from the range of the axonal delays."""

    type: Literal["scattered"] = "scattered"  # type: ignore[assignment]
    source: ClassVar[str] = ""

    def draw_synapses(self, rng: np.random.Generator) -> tuple[Synapses, Synapses]:
        """Draw the synapses at birth."""
        excitation, inhibition = super().draw_synapses(rng)
        return replace(excitation, delay=rng.uniform(*self.delay, len(excitation.delay))), inhibition


def once(drawn: Drawn) -> xr.Dataset:
    """Run a network that was drawn."""
    (found,) = simulate_together([drawn])
    if isinstance(found, SimulationError):
        raise found
    return found


def filled(recording: xr.Dataset) -> float:
    """Return the share of 5-ms intervals, from 50 ms after the cue to the end of the sequence, with a reliable cell."""
    first = first_spikes(recording)[SETTLING:-1]
    often = np.isfinite(first).mean(axis=0) >= 0.8
    mean, spread = np.nanmean(first[:, often], axis=0), np.nanstd(first[:, often], axis=0)
    end, mean = examine(recording)["reach"] / 1e3, mean[spread < 0.015]
    intervals = np.arange(round(BIN / FINE), round(end / FINE))
    return float(np.isin(intervals, (mean / FINE).astype(int)).mean()) if len(intervals) else 0.0


def grown(circuit: Grown, seed: int) -> list[dict[str, Any]]:
    """Let a network develop, and test it."""
    seeds = Seeds(seed=seed)
    after = develop(circuit, seeds)
    recording = simulate(tested(circuit, seeds))
    return [{"trials": after.trials, "filled": filled(recording), **examine(recording)}]


def by_itself(seed: int) -> list[dict[str, Any]]:
    """Let a network develop in noise by which cells fire without the cue; say how much they do at birth."""
    circuit = Grown.parse({"development": {"trials": FEW, "noise": "1.2 mV/sqrt(ms)"}})
    rates = {}
    for noise in ("0.6 mV/sqrt(ms)", "1.2 mV/sqrt(ms)"):
        born = simulate(tested(circuit.with_changes(noise=noise), Seeds(seed=seed), at_birth=True))
        rates[noise] = examine(born)["early"]
    said = "; ".join(f"{rate:.2g} Hz before the cue at birth in noise of {noise}" for noise, rate in rates.items())
    return [{**row, "said": said} for row in grown(circuit, seed)]


def for_longer(seed: int, slower: float = 1.0) -> list[dict[str, Any]]:
    """Let a network develop to 3 s, its cells still at one spike a trial."""
    delay = [f"{each * slower:g} ms" for each in Grown().delay]
    intrinsic = Development().intrinsic.to_dict() | {"target": "0.21 Hz", "speed": "0.0008 mV/ms"}
    development = {"trials": FEW, "trial_duration": "4200 ms", "reach": "3000 ms",
                   "plasticity": {"interval": "4200 ms"}, "intrinsic": intrinsic}  # fmt: skip
    return grown(Grown.parse({"delay": delay, "development": development}), seed)


def lesioned(seed: int) -> list[dict[str, Any]]:
    """Take cells out of a network that grew, test it, let it develop further, and test it again."""
    circuit, seeds = Grown(), Seeds(seed=seed)
    after, born, test = develop(circuit, seeds), draw(stage(circuit, seeds), 0), draw(tested(circuit, seeds), 0)
    excitatory = np.flatnonzero(circuit.excitatory())
    cued = born.arrays["state.cue_weight"] > 0
    others = excitatory[~cued[excitatory]]
    out = np.isin(
        np.arange(circuit.n), np.random.default_rng(seed).choice(others, round(LESION * len(others)), replace=False)
    )
    spared = ~(out[born.arrays["excitation.i"]] | out[born.arrays["excitation.j"]])
    # far below threshold, and not to be moved
    bias = np.where(out, -100.0, born.arrays["state.bias"] + after.excitability)
    weight = after.weight * spared

    def result(trials: int, weight: np.ndarray, bias: np.ndarray) -> dict[str, Any]:
        strong = np.sort(np.argsort(-weight, kind="stable")[: len(test.arrays["excitation.w"])])
        own = {f"excitation.{each}": born.arrays[f"excitation.{each}"][strong] for each in ("i", "j", "delay")}
        arrays = {**test.arrays, **own, "excitation.w": weight[strong], "state.bias": bias}
        recording = once(replace(test, arrays=arrays))
        return {"trials": trials, "filled": filled(recording), **examine(recording)}

    rows = [result(after.trials, weight, bias)]
    moved = born.arrays["state.intrinsic_here"] * ~out
    arrays = {**born.arrays, "excitation.w": weight, "state.bias": bias, "state.intrinsic_here": moved}
    healed = once(replace(born, arrays=arrays))
    weight = healed["excitation_weight"].values[1] * spared
    bias = bias + healed["cells_intrinsic"].values[1]
    rows.append(result(after.trials + circuit.development.stage(), weight, bias))  # type: ignore[union-attr]
    return rows


def still_plastic(seed: int) -> list[dict[str, Any]]:
    """Do the task with a network that is frozen and with one whose strong synapses stay plastic."""
    rows = []
    for plastic in (False, True):
        rule = {**Development().plasticity.to_dict(), "interval": "1500 ms"}
        connections = {"connections": {"excitation": {"plasticity": [rule]}}} if plastic else {}
        task = {"type": "meet", "probes": [1, 80, 85, 90, 95, 100]}
        table = {"reservoir": {"type": "grown"}, "paradigm": task, "keep": {"spikes": "none"}, **connections}
        recording = simulate(Configuration.parse(table), seed)
        ends = [end_error(recording, each) for each in np.unique(recording["block"].values)]
        said = "ends of the four blocks: " + ", ".join(f"{each:.4f}" for each in ends)
        rows.append({"error": float(np.mean(ends)), "said": said})
    return rows


EXPERIMENTS: dict[tuple[str, ...], Callable[[int], list[dict[str, Any]]]] = {
    ("as it is",): lambda seed: grown(Grown(), seed),
    ("10 % of cells taken out", "and 200 trials later"): lesioned,
    ("cells fire by themselves",): by_itself,
    ("does the task frozen", "does the task plastic"): still_plastic,
    ("a delay for each synapse",): lambda seed: grown(Scattered.parse({"development": {"trials": FEW}}), seed),
    ("3 s",): for_longer,
    ("3 s, slower axons",): lambda seed: for_longer(seed, 3.0),
}
"""What is done, by the names of its rows."""


def main() -> None:
    """Do what is not done yet, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0:2")
    parser.add_argument("--out", type=Path, default=Path("results/grown-beyond"))
    given = parser.parse_args()
    warnings.simplefilter("ignore", GrowthWarning)  # it is in the table
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / "beyond.csv"
    if not path.exists():
        path.write_text(",".join(FIELDS) + "\n", encoding="utf-8")
    done = rows_of(path)
    for names, experiment in EXPERIMENTS.items():
        for seed in parse_seeds(given.seeds):
            if all(any(row["experiment"] == name and row["seed"] == str(seed) for row in done) for name in names):
                continue
            try:
                found = experiment(seed)
            except SimulationError as error:
                found = [{"said": str(error)} for _ in names]
            with path.open("a", newline="", encoding="utf-8") as file:
                for name, row in zip(names, found, strict=True):
                    csv.DictWriter(file, FIELDS).writerow({"experiment": name, "seed": seed, **row})
    text = written(rows_of(path))
    (given.out / "beyond.md").write_text(text + "\n", encoding="utf-8")
    print(text)


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of the file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def written(rows: list[dict[str, str]]) -> str:
    """Return the rows as a markdown table, in the order of the experiments."""
    titles = ["", "seed", "trials", "reliable cells", "reach (ms)", "complete", "before the cue (Hz)", "5 ms filled",
              "error", ""]  # fmt: skip
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    order = [name for names in EXPERIMENTS for name in names]
    for row in sorted(rows, key=lambda row: (order.index(row["experiment"]), int(row["seed"]))):
        shown = [_short(row[name]) for name in FIELDS]
        lines.append(f"| {' | '.join(shown)} |")
    return "\n".join(lines)


def _short(text: str) -> str:
    try:
        return f"{float(text):.4g}"
    except ValueError:
        return text


if __name__ == "__main__":
    main()
