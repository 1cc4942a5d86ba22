"""Does a network that grew its own sequence do the task as well as one whose sequence was wired by hand?

    python examples/grown.py --seeds 300:310 --out results/grown

Each seed has a network that is random at birth, hears the cue while it is plastic until it is a sequence, and is then
frozen (`reservoir.type = "grown"`; after Jun & Jin 2007, doi 10.1371/journal.pone.0000723). It does two blocks of MEET
as it is, with its recurrence cut, and with each excitatory synapse moved to another cell (the weights it learned,
without their order). Beside it do it `sequence`, wired by hand, and `random` at its best point (examples/random.toml)
without its recurrence: a bank of cells that adapt slowly. No network is drawn anew: those that did not grow well are in
the table. What was run is kept in the folder, and not run again. Writes growth.csv, error.csv, grown.md and
grown.png/.pdf.
"""

from __future__ import annotations

import argparse
import tomllib
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

import izhires
from izhires import Configuration
from izhires.analysis.claims.base import end_error
from izhires.analysis.figures import style
from izhires.analysis.metrics.prediction import rmse
from izhires.analysis.statistics import over_seeds
from izhires.circuits.development import SETTLING, develop, first_spikes, tested
from izhires.circuits.grown import Grown
from izhires.errors import GrowthWarning
from izhires.model.configuration import parse_seeds
from izhires.model.seeds import Seeds
from izhires.paradigms.meet import DEFAULT_BLOCKS
from izhires.recordings.recording import save
from izhires.running.run import code, simulate_together
from izhires.running.run import draw as drawn

RANDOM = Path(__file__).with_name("random.toml")
"""The random circuit at its best point, found on seeds 0 to 9: with rates of learning and states of its own."""
NETWORKS = {
    "grown": {"reservoir": {"type": "grown"}},
    "sequence": {},
    "random, recurrence cut": tomllib.loads(RANDOM.read_text(encoding="utf-8")),
    "grown, recurrence cut": {"reservoir": {"type": "grown", "recurrence": 0.0}},
    "grown, shuffled": {"reservoir": {"type": "grown"}},
}
NETWORKS["random, recurrence cut"]["reservoir"]["recurrence"] = 0.0
AT_BIRTH = Configuration.parse({"reservoir": {"type": "grown", "development": "none"}})
CONTROLS, FEW = ("grown, recurrence cut", "grown, shuffled"), 5
"""Networks that predict hardly more than nothing, and on how many seeds they are looked at."""
YOUNG = 100
"""Trials after which a network is drawn on its way."""
PROBES = [1, 80, 85, 90, 95, 100]
"""Those that are looked at: the first and, at the end of a block, the mean of five, since in one the wave may die."""
TASK = {"type": "meet", "probes": PROBES, "blocks": [block.to_dict() for block in DEFAULT_BLOCKS[:2]]}
"""The first two blocks of the usual task, 300 and 600 ms, then 500 and 800 ms; the others have no other latencies."""


def errors(recording: xr.Dataset) -> dict[str, float]:
    """Return the error at the ends of the blocks, that of predicting nothing, and how far it fell in the first."""
    error = rmse(recording["prediction"], recording["expectation"]).values
    nothing = rmse(0 * recording["prediction"], recording["expectation"]).values
    block, trial = recording["block"].values, recording["block_trial"].values
    ends = [end_error(recording, each) for each in np.unique(block)]
    first = block == block[0]
    return {
        "end of blocks": float(np.mean(ends)),
        "worst end": float(np.max(ends)),
        "ratio 100/1": float(ends[0] / error[first & (trial == 1)].mean()),
        "over predicting nothing": float(np.mean(ends) / nothing.mean()),
    }


def main() -> None:
    """Grow, run, measure, write and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="300:310")
    parser.add_argument("--out", type=Path, default=Path("results/grown"))
    given = parser.parse_args()
    seeds = parse_seeds(given.seeds)
    warnings.simplefilter("ignore", GrowthWarning)  # it is in the table
    growth, rows = [], []
    for seed in seeds:
        grown = develop(Grown(), Seeds(seed=seed))
        strong = int((grown.weight > 0.3).sum())
        growth.append((seed, grown.trials, grown.reliable, grown.reach, grown.complete, grown.early, strong))
        said = "seed {}: after {} trials {} reliable cells to {:.0f} ms, {:.0%} of the trials complete"
        print(said.format(*growth[-1]), flush=True)
    # a seed at a time, so that what is there when a run is stopped can be compared; the controls last
    jobs = [(name, seed) for seed in seeds for name in NETWORKS if name not in CONTROLS]
    jobs += [(name, seed) for seed in seeds[:FEW] for name in CONTROLS]
    for name, seed in jobs:
        folder = given.out / name.replace(", ", "_").replace(" ", "_")
        configuration = Configuration.parse({**NETWORKS[name], "paradigm": TASK, "keep": {"spikes": "none"}})
        if name == "grown, shuffled":
            recording = shuffled(configuration, seed, folder / f"seed{seed}.nc")
        else:
            (path,) = izhires.run_batch(configuration, [seed], folder, processes=1)
            recording = izhires.load(path)
        measured = errors(recording)
        print(f"{name}, seed {seed}: {measured['end of blocks']:.4f} at the ends of blocks", flush=True)
        rows += [(name, measure, seed, value) for measure, value in measured.items()]
    found = pd.DataFrame(rows, columns=["network", "measure", "seed", "value"])
    columns = ["seed", "trials", "reliable", "reach_ms", "complete", "early_hz", "strong_synapses"]
    table = pd.DataFrame(growth, columns=columns)
    given.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(given.out / "growth.csv", index=False, float_format="%.4g")
    found.to_csv(given.out / "error.csv", index=False, float_format="%.5g")
    text = [written(table), "", compared(found), "", beside(found)]
    (given.out / "grown.md").write_text("\n".join(text) + "\n", encoding="utf-8")
    print("\n".join(text))
    draw(seeds[0], found, given.out)


def shuffled(configuration: Configuration, seed: int, path: Path) -> xr.Dataset:
    """Return a run of the network in which each excitatory synapse reaches another cell, at random.

    Every cell keeps the weights and the delay of its synapses, and every cell is reached by as many.
    """
    if path.exists() and (kept := izhires.load(path)).attrs["code"] == code():
        return kept
    born = drawn(configuration, seed)
    source, target = born.arrays["excitation.i"], np.random.default_rng(seed).permutation(born.arrays["excitation.j"])
    # synapses of a source stand in the order of their targets
    order = np.lexsort((target, source))
    own = {f"excitation.{each}": born.arrays[f"excitation.{each}"][order] for each in ("w", "delay")}
    (found,) = simulate_together([replace(born, arrays={**born.arrays, **own, "excitation.j": target[order]})])
    if isinstance(found, Exception):
        raise found
    path.parent.mkdir(parents=True, exist_ok=True)
    save(found, path)
    return found


def written(growth: pd.DataFrame) -> str:
    """Return the table of networks as markdown."""
    titles = [
        "seed",
        "trials",
        "reliable cells",
        "reach (ms)",
        "complete trials",
        "before the cue (Hz)",
        "strong synapses",
    ]
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for each in growth.itertuples():
        lines.append(f"| {each.seed} | {each.trials} | {each.reliable} | {each.reach_ms:.0f} | {each.complete:.0%} | "
                     f"{each.early_hz:.2g} | {each.strong_synapses} |")  # fmt: skip
    return "\n".join(lines)


def compared(found: pd.DataFrame) -> str:
    """Return the errors as markdown: the mean over seeds with its 95 % t-interval, and the worst seed."""
    measures = list(dict.fromkeys(found["measure"]))
    lines = [f"| network | {' | '.join(measures)} |", "|---" * (len(measures) + 1) + "|"]
    means = over_seeds(found, ["network", "measure"], "value").set_index(["network", "measure"])
    worst = found.groupby(["network", "measure"])["value"].max()
    for name in dict.fromkeys(found["network"]):
        cells = []
        for measure in measures:
            mean, low, high = means.loc[(name, measure), ["mean", "low", "high"]]
            cells.append(f"{mean:.3g} [{low:.3g}, {high:.3g}], worst {worst[name, measure]:.3g}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def beside(found: pd.DataFrame) -> str:
    """Return how the grown network stands beside each other one, seed by seed, in words."""
    ends = found[found["measure"] == "end of blocks"].pivot(index="seed", columns="network", values="value")
    rows = []
    for name in (each for each in ends if each != "grown"):
        for seed, ratio in (ends["grown"] / ends[name]).dropna().items():
            rows.append((name, seed, np.log(ratio)))
    table = pd.DataFrame(rows, columns=["network", "seed", "value"])
    ratios, worst = over_seeds(table, ["network"], "value"), table.groupby("network")["value"].max()
    return "\n".join(
        f"grown / {each.network}: {np.exp(each.mean):.3g} [{np.exp(each.low):.3g}, {np.exp(each.high):.3g}], "
        f"worst {np.exp(worst[each.network]):.3g}"
        for each in ratios.itertuples()
    )


def draw(seed: int, found: pd.DataFrame, out: Path) -> None:
    """Draw one trial at birth, one on the way and one after the development, the weights, and the errors."""
    circuit, seeds = Grown(), Seeds(seed=seed)
    young = Grown.parse({"development": {"trials": YOUNG}})
    states = {
        "at birth": (drawn(AT_BIRTH, seed).arrays["excitation.w"], tested(circuit, seeds, at_birth=True)),
        f"after {YOUNG} trials": (develop(young, seeds).weight, tested(young, seeds)),
        f"after {(after := develop(circuit, seeds)).trials} trials": (after.weight, tested(circuit, seeds)),
    }
    recordings = {title: izhires.simulate(test) for title, (_, test) in states.items()}
    order = _order(list(recordings.values())[-1])
    with style.applied():
        made, grid = style.canvas(2, 3, width=style.DOUBLE, height=105 * style.MILLIMETRE)
        for axes, (title, recording) in zip(grid[0], recordings.items(), strict=True):
            _raster(axes, recording, order)
            axes.set(title=title, xlabel="time from the cue (ms)")
        grid[0, 0].set_ylabel(f"excitatory cells, seed {seed}")
        for title, (weights, _) in states.items():
            grid[1, 0].hist(weights, np.linspace(0, 2, 41), histtype="step", label=title)
        grid[1, 0].set(yscale="log", xlabel="weight (mV/ms)", ylabel="synapses", yticks=[1, 100, 10_000])
        grid[1, 0].set_yticklabels(["1", "100", "10,000"])
        grid[1, 0].legend()
        labels = {"end of blocks": "error at the ends of blocks", "ratio 100/1": "error, trial 100 over trial 1"}
        for axes, (measure, label) in zip(grid[1, 1:], labels.items(), strict=True):
            own = found[found["measure"] == measure]
            for place, name in enumerate(names := list(dict.fromkeys(own["network"]))):
                values = own.loc[own["network"] == name, "value"]
                axes.plot(values, np.full(len(values), place), "o", color="black", markersize=2.5, alpha=0.5)
            axes.set(yticks=range(len(names)), yticklabels=names, xlim=(0, None), xlabel=label)
            axes.invert_yaxis()
        grid[1, 2].set_yticklabels([])
        for kind in ("png", "pdf"):
            made.savefig(out / f"grown.{kind}")


def _order(recording: xr.Dataset) -> np.ndarray:
    """Return the place of each cell by its mean first spike; cells without any come last, inhibitory ones nowhere."""
    mean = np.nanmean(np.nan_to_num(first_spikes(recording)[SETTLING:], nan=1e3), axis=0)
    mean[recording["excitatory"].values == 0] = np.nan
    place = np.full(len(mean), np.nan)
    known = np.flatnonzero(np.isfinite(mean))
    place[known[np.argsort(mean[known])]] = np.arange(len(known))
    return place


def _raster(axes: Any, recording: xr.Dataset, order: np.ndarray) -> None:
    cue = recording["trial_cue"].values[-2]
    times, cells = recording["spike_time"].values, recording["spike_neuron"].values
    start, end = np.searchsorted(times, (cue - 0.1, cue + 1.6))
    axes.plot((times[start:end] - cue) * 1e3, order[cells[start:end]], ",", color="black")
    axes.axvspan(0, 50, color=style.GREY, alpha=0.3, linewidth=0)
    axes.set(xlim=(-100, 1600), ylim=(np.nanmax(order), 0))


if __name__ == "__main__":
    main()
