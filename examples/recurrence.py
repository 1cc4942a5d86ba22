"""Does recurrence help to tell time, when every network is tuned as hard as every other?

    python examples/recurrence.py --seeds 300:310 --out results/recurrence

Nine networks, with and without recurrence: the random network of the paper, of canonical cells (`canonical`) and of
cells that adapt slowly (`random`); a chain wired by hand (`sequence`); a network that grew its sequence (`grown`);
`unconnected`, which has no synapses. Each is searched alike: the same number of candidates, drawn from the same space
(`SPACE`), with the same numbers for all, on a block of 50 trials, at two pairs of latencies and on seeds below 10.
Then the best of each does it on other seeds, at latencies that no search has seen.

The search: the points known before and random ones; then some near the best two; then the best two of all on one more
seed, which decides. Each run is a row of runs.csv; what stands there is not run again. Writes recurrence.csv,
recurrence.md and recurrence.png/.pdf.
"""

from __future__ import annotations

import argparse
import csv
import tomllib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from izhires import Configuration
from izhires.analysis.figures import style
from izhires.analysis.metrics.prediction import rmse
from izhires.analysis.statistics import over_seeds
from izhires.errors import GrowthWarning, SimulationError
from izhires.model.configuration import parse_seeds
from izhires.model.model import MEAN_RATE_UPDATE
from izhires.running.run import Drawn, draw, simulate_together

HERE = Path(__file__).parent
TUNED_ON, JUDGED_ON = ((300, 600), (450, 900)), ((250, 500), (400, 800))
"""Latencies of the two events, ms, of the search and of what is reported."""
TRIALS = 50
"""Trials of a run's block. As many in the search as in what is reported, so that each network has one build."""
PAPER = 0.092 / 0.192
"""Error after 50 trials over that after one, in Yamada & Chao (arXiv 2510.14382)."""


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((HERE / name).read_text(encoding="utf-8"))


def _without(table: dict[str, Any]) -> dict[str, Any]:
    return {**table, "reservoir": {**table.get("reservoir", {}), "recurrence": 0.0}}


RANDOM, GROWN = _read("random.toml"), {"reservoir": {"type": "grown"}}
CANONICAL = {**RANDOM, "reservoir": {**RANDOM["reservoir"], "adaptation": "none"}}
NETWORKS: dict[str, list[dict[str, Any]]] = {
    "canonical": [CANONICAL],
    "canonical, cut": [_without(CANONICAL)],
    "random": [RANDOM],
    "random, cut": [_without(RANDOM)],
    "unconnected": [_read("unconnected.toml"), _read("unconnected_noise.toml")],
    "grown": [GROWN],
    "sequence": [{}],
    "grown, cut": [_without(GROWN)],
    "sequence, cut": [_without({"reservoir": {"type": "sequence"}})],
}
"""Each with the points that were known before; they are its first candidates."""


@dataclass(frozen=True)
class Knob:
    """A number that is searched, uniformly or (`log`) in its logarithm."""

    low: float
    high: float
    meaning: str
    log: bool = False

    def at(self, share: float) -> float:
        """Return its value at a share, 0 to 1, of its range."""
        if self.log:
            return float(self.low * (self.high / self.low) ** share)
        return float(self.low + (self.high - self.low) * share)

    def share(self, value: float) -> float:
        """Return where a value lies in the range, 0 to 1; its nearer end where it lies beyond."""
        if self.log:
            found = np.log(value / self.low) / np.log(self.high / self.low)
        else:
            found = (value - self.low) / (self.high - self.low)
        return float(np.clip(found, 0, 1))


SPACE = {
    "cue_all": Knob(0, 1, "above .5 the cue reaches all cells, each with a strength between the next two"),
    "cue_one": Knob(-60, 30, "one end of these strengths, mV/ms"),
    "cue_other": Knob(-60, 30, "the other end, mV/ms"),
    "cue": Knob(0.5, 2, "else: factor on the circuit's own cue", log=True),
    "bias": Knob(-2, 2, "added to the constant drive of excitatory cells, mV/ms"),
    "bias_spread": Knob(0.2, 1.25, "factor on the distance of each drive from their mean", log=True),
    "bias_inhibitory": Knob(-3, 2, "added to the constant drive of inhibitory cells, mV/ms"),
    "noise": Knob(0, 0.5, "white noise on v, mV/sqrt(ms)"),
    "gain": Knob(0.5, 2, "factor on all recurrent weights", log=True),
    "adaptation": Knob(0.5, 2, "factor on 1/a; only of cells that adapt slowly", log=True),
    "tau_trace": Knob(30, 120, "decay of the spike trace that is read, ms", log=True),
    "smallest_spread": Knob(1, 8, "smallest spread that a cell's trace is divided by, Hz", log=True),
    "feedback": Knob(0, 1, "gain of the feedback of 'when', mV/ms"),
    "rate": Knob(0.004, 0.04, "learning rate of 'when', 1/ms", log=True),
}
"""What is searched: numbers, so that each network has one build."""
STARTS, NEAR, FINALISTS = 6, 4, 2
"""Candidates of the first round, of the second, and those that go on to further seeds."""
WIDTH = 0.12
"""Standard deviation of a step near the best, as a share of each range."""
FIRST, FURTHER = (0,), (1,)
"""Seeds of the first two rounds, and of the last."""
FIELDS = ["network", "purpose", "candidate", "seed", "early_ms", "late_ms", "error", "first", "nothing", "problem"]


@lru_cache(maxsize=8)
def drawn(network: str, start: int, seed: int, latencies: tuple[int, int]) -> Drawn:
    """Return a network at one of its known points, and a task of one block; probes after one trial, and at its end."""
    early, late = latencies
    block = {"trials": TRIALS, "latency": {"A": f"{early} ms", "B": f"{late} ms"}, "probability": {"A": 0.7, "B": 0.3}}
    probes = [1, *range(TRIALS - 4, TRIALS + 1)]
    task = {"type": "meet", "blocks": [block], "probes": probes, "probe_before_learning": False, "order": "exact"}
    table = {**NETWORKS[network][start], "paradigm": task, "keep": {"spikes": "none"}}
    # one learning rate, which is a number that can be searched
    when = table.get("when", {})
    table["when"] = {**when, "rule": {"type": "normalised_three_factor", **when.get("rule", {})}}
    table["what"] = {"rule": "surprise_two_factor"}
    table["state"] = {**table.get("state", {}), "update": MEAN_RATE_UPDATE}
    return draw(Configuration.parse(table), seed)


def changed(base: Drawn, knobs: dict[str, float]) -> Drawn:
    """Return a network with other numbers: those of a point of `SPACE`; the build stays the same."""
    if not knobs:
        return base
    arrays, reservoir = dict(base.arrays), base.configuration.reservoir
    excitatory = reservoir.excitatory()
    if knobs["cue_all"] > 0.5:
        ends = sorted((knobs["cue_one"], knobs["cue_other"]))
        arrays["state.cue_weight"] = base.seeds.generator("input", "all").uniform(*ends, reservoir.n)
    else:
        arrays["state.cue_weight"] = arrays["state.cue_weight"] * knobs["cue"]
    bias, mean = arrays["state.bias"], arrays["state.bias"][excitatory].mean()
    spread = mean + knobs["bias_spread"] * (bias - mean) + knobs["bias"]
    arrays["state.bias"] = np.where(excitatory, spread, bias + knobs["bias_inhibitory"])
    for name in [each for each in arrays if each.startswith(("excitation", "inhibition")) and each.endswith(".w")]:
        arrays[name] = arrays[name] * knobs["gain"]
    if getattr(reservoir, "adaptation", None) is not None:
        arrays["cells.a"] = np.where(excitatory, arrays["cells.a"] / knobs["adaptation"], arrays["cells.a"])
    # in SI units, as the numbers of a plan are
    numbers = {"cells.noise": knobs["noise"] * 1e-3 / np.sqrt(1e-3), "cells.tau_trace": knobs["tau_trace"] * 1e-3,
               "state.smallest_spread": knobs["smallest_spread"], "when.feedback_gain": knobs["feedback"],
               "when.rate": knobs["rate"] * 1e3}  # fmt: skip
    arrays |= {name: np.full_like(arrays[name], value) for name, value in numbers.items()}
    return replace(base, arrays=arrays)


def place(network: str, start: int) -> tuple[float, ...]:
    """Return where a known point lies in `SPACE`, as shares of its ranges."""
    arrays = drawn(network, start, FIRST[0], TUNED_ON[0]).arrays
    known = {"cue_all": 0.0, "cue_one": 0.0, "cue_other": 0.0, "cue": 1.0, "bias": 0.0, "bias_spread": 1.0,
             "bias_inhibitory": 0.0, "gain": 1.0, "adaptation": 1.0,
             "noise": float(arrays["cells.noise"]) * np.sqrt(1e-3) * 1e3,
             "tau_trace": float(arrays["cells.tau_trace"]) * 1e3, "rate": float(arrays["when.rate"]) * 1e-3,
             "smallest_spread": float(arrays["state.smallest_spread"]),
             "feedback": float(arrays["when.feedback_gain"])}  # fmt: skip
    return tuple(knob.share(known[name]) for name, knob in SPACE.items())


@dataclass(frozen=True)
class Candidate:
    """A point of the search: one that was known before, or shares of the ranges of `SPACE` that change it."""

    number: int
    start: int = 0
    shares: tuple[float, ...] = ()

    def knobs(self) -> dict[str, float]:
        """Return its numbers; none where it is a known point."""
        return {name: knob.at(share) for (name, knob), share in zip(SPACE.items(), self.shares, strict=False)}


class Log:
    """All runs, one a row of a file; what stands there is not run again."""

    def __init__(self, path: Path) -> None:
        self.path, self.rows = path, {}
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            with path.open(newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    self.rows[self._key(row)] = row
        else:
            self._write([*FIELDS, *SPACE])

    def _write(self, row: list[Any]) -> None:
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(row)

    @staticmethod
    def _key(row: dict[str, Any]) -> tuple[str, ...]:
        return tuple(str(row[name]) for name in FIELDS[:6])

    def run(self, network: str, purpose: str, candidate: Candidate, seed: int, latencies: tuple[int, int]) -> float:
        """Return the error at the end over that of predicting nothing; a network that is silent or runs away has 1."""
        given = [network, purpose, candidate.number, seed, *latencies]
        row = dict(zip(FIELDS, given, strict=False))
        key = self._key(row)
        if key not in self.rows:
            knobs = candidate.knobs()
            (found,) = simulate_together([changed(drawn(network, candidate.start, seed, latencies), knobs)])
            if isinstance(found, SimulationError):
                measured = ["", "", "", str(found)]
            else:
                error = rmse(found["prediction"], found["expectation"]).values
                nothing = rmse(0 * found["prediction"], found["expectation"]).values
                measured = [f"{each:.6g}" for each in (error[1:].mean(), error[0], nothing[-1])] + [""]
            values = [f"{value:.6g}" for value in knobs.values()]
            self._write([*given, *measured, *values])
            self.rows[key] = dict(zip([*FIELDS, *SPACE], [*given, *measured, *values], strict=False))
        row = self.rows[key]
        return float(row["error"]) / float(row["nothing"]) if row["error"] else 1.0

    def mean(self, network: str, candidate: Candidate, seeds: tuple[int, ...]) -> float:
        """Return what a candidate comes to in the search, mean over seeds and pairs of latencies."""
        return float(
            np.mean([self.run(network, "search", candidate, seed, pair) for seed in seeds for pair in TUNED_ON])
        )


def candidates(network: str, log: Log) -> Iterator[tuple[Candidate, float]]:
    """Yield each candidate of the first two rounds with what it comes to on the first seeds."""
    # the same numbers for every network
    points = np.random.default_rng(0).random((STARTS, len(SPACE)))
    steps = np.random.default_rng(1).normal(0, WIDTH, (NEAR, len(SPACE)))
    known = len(NETWORKS[network])
    made = [Candidate(number, number) for number in range(known)]
    made += [Candidate(number, 0, tuple(points[number])) for number in range(known, STARTS)]
    found = [(each, log.mean(network, each, FIRST)) for each in made]
    yield from found
    best = [each for each, _ in sorted(found, key=lambda each: each[1])[:2]]
    for number, step in enumerate(steps):
        start = best[number % 2].start
        shares = np.array(best[number % 2].shares or place(network, start))
        near = np.clip(shares + step, 0, 1)
        near[0] = shares[0]  # whom the cue reaches stays
        each = Candidate(STARTS + number, start, tuple(near))
        yield each, log.mean(network, each, FIRST)


def search(network: str, log: Log) -> Candidate:
    """Return the best candidate: of the best on the first seeds, the one that is best on all."""
    ranked = sorted(candidates(network, log), key=lambda each: each[1])
    return min((each for each, _ in ranked[:FINALISTS]), key=lambda each: log.mean(network, each, FIRST + FURTHER))


def main() -> None:
    """Search, judge, write and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="300:310")
    parser.add_argument("--out", type=Path, default=Path("results/recurrence"))
    given = parser.parse_args()
    warnings.simplefilter("ignore", GrowthWarning)  # examples/grown.py has the table of what grew
    log = Log(given.out / "runs.csv")
    best = {}
    for network in NETWORKS:
        best[network] = search(network, log)
        tuned = log.mean(network, best[network], FIRST + FURTHER)
        print(
            f"{network}: candidate {best[network].number}, {tuned:.3f} of predicting nothing in the search", flush=True
        )
    for seed in (seeds := parse_seeds(given.seeds)):
        for network, each in best.items():
            for pair in JUDGED_ON:
                log.run(network, "judged", each, seed, pair)
        print(f"seed {seed}", flush=True)
    judged = pd.DataFrame([row for row in log.rows.values() if row["purpose"] == "judged"])
    for name in ("error", "first", "nothing", "seed"):
        judged[name] = pd.to_numeric(judged[name])
    judged = judged[judged["seed"].isin(seeds)]
    judged["over nothing"] = (judged["error"] / judged["nothing"]).fillna(1.0)
    judged["ratio 50/1"] = judged["error"] / judged["first"]
    # the two pairs of latencies are one network's: their mean is its value
    measures = ["over nothing", "ratio 50/1", "error"]
    found = judged.groupby(["network", "seed"], sort=False)[measures].mean().reset_index()
    found.to_csv(given.out / "recurrence.csv", index=False, float_format="%.5g")
    text = f"{compared(found)}\n\n{beside(found)}\n"
    (given.out / "recurrence.md").write_text(text, encoding="utf-8")
    print(text)
    show(found, given.out)


def compared(found: pd.DataFrame) -> str:
    """Return the errors as markdown: mean over seeds with its 95 % t-interval, and the worst seed."""
    measures = [each for each in found if each not in ("network", "seed")]
    lines = [f"| network | {' | '.join(measures)} |", "|---" * (len(measures) + 1) + "|"]
    intervals = {each: over_seeds(found, ["network"], each).set_index("network") for each in measures}
    for name in NETWORKS:
        cells = []
        for measure in measures:
            mean, low, high = intervals[measure].loc[name, ["mean", "low", "high"]]
            worst = found.loc[found["network"] == name, measure].max()
            cells.append(f"{mean:.3g} [{low:.3g}, {high:.3g}], worst {worst:.3g}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def beside(found: pd.DataFrame) -> str:
    """Return how each network stands beside itself cut, and beside the best without recurrence, seed by seed."""
    errors = found.pivot(index="seed", columns="network", values="over nothing")
    cut = [name for name in NETWORKS if name.endswith(", cut") or name == "unconnected"]
    best = errors[cut].mean().idxmin()
    pairs = [(name, f"{name}, cut") for name in NETWORKS if f"{name}, cut" in NETWORKS]
    pairs += [(name, other) for other in (str(best), "unconnected") for name, own in pairs if own != other]
    lines = []
    for name, other in pairs:
        table = pd.DataFrame({"pair": 0, "value": np.log(errors[name] / errors[other])})
        (each,) = over_seeds(table, ["pair"], "value").itertuples()
        lines.append(f"- {name} / {other}: {np.exp(each.mean):.3g} [{np.exp(each.low):.3g}, {np.exp(each.high):.3g}]")
    return "\n".join(lines)


def show(found: pd.DataFrame, out: Path) -> None:
    """Draw a dot for each network and seed: the error at the end, and its ratio to that after one trial."""
    with style.applied():
        made, grid = style.canvas(1, 2, width=style.DOUBLE, height=70 * style.MILLIMETRE)
        for axes, measure in zip(grid[0], ("over nothing", "ratio 50/1"), strict=True):
            for place, name in enumerate(NETWORKS):
                values = found.loc[found["network"] == name, measure].dropna()
                recurrent = not name.endswith("cut") and name != "unconnected"
                axes.plot(values, np.full(len(values), place), "o", markersize=3, alpha=0.6, color="black",
                          markerfacecolor="black" if recurrent else "none")  # fmt: skip
                axes.plot([values.mean()] * 2, [place - 0.3, place + 0.3], color="black")
            axes.set(yticks=range(len(NETWORKS)), yticklabels=list(NETWORKS), xlim=(0, None))
            axes.invert_yaxis()
        grid[0, 0].set_xlabel("error after 50 trials, over predicting nothing")
        grid[0, 1].set_xlabel("error after 50 trials, over that after one")
        grid[0, 1].set_yticklabels([])
        grid[0, 1].axvline(PAPER, color=style.GREY, linestyle="--")
        grid[0, 1].text(PAPER, -0.6, " paper", color=style.GREY, va="bottom")
        for kind in ("png", "pdf"):
            made.savefig(out / f"recurrence.{kind}")


if __name__ == "__main__":
    main()
