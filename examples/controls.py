"""The controls of the claims, tuned as hard as the model: one logged search, the same for each.

    nice -n 10 python examples/controls.py --seeds 0:2 --out results/controls

Each network gets six points on the same seeds of tuning, and on MEET as the claims run it; what is minimised is the
error at the ends of the blocks (mean of the last five probes) over that of predicting nothing, mean over seeds. The
model gets its six points, too. The constant rate of "what" gets nine values on the trials of ten seeds, without a
network: with one cue the identity readout is a counter. Every run is a line of ``log.csv``; the same command goes on
where it was stopped. What it found stands in `izhires.model.conditions`, as the conditions whose names end in
``_tuned``.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import izhires
from izhires import Configuration
from izhires.analysis.claims.base import share_left
from izhires.analysis.counter import counted
from izhires.analysis.statistics import over_seeds
from izhires.model.conditions import apply
from izhires.model.configuration import parse_seeds
from izhires.model.seeds import Seeds
from izhires.rules.base import Rule

RATES = (0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2)
"""Constant rates of "what" that are compared."""

PARADIGM = {"type": "meet", "probes": [80, 85, 90, 95, 100]}

RULE, TRACE = "when.rule", "reservoir.tau_trace"


def uncertain(*values: tuple[str, str]) -> tuple[dict[str, str], ...]:
    """Return rules of the model's kind, by their fastest and slowest rate."""
    kind = "uncertainty_three_factor"
    return tuple({"type": kind, "fastest": fast, "slowest": slow} for fast, slow in values)


def normalised(*values: tuple[str, float]) -> tuple[dict[str, Any], ...]:
    """Return rules whose rate does not follow uncertainty, by rate and by how much a missed time speeds them up."""
    return tuple({"type": "normalised_three_factor", "rate": rate, "surprise_gain": gain} for rate, gain in values)


FAST = uncertain(("0.02 1/ms", "0.001 1/ms"), ("0.05 1/ms", "0.001 1/ms"), ("0.15 1/ms", "0.001 1/ms"))
# for what has to average over trials
ANY = (
    *uncertain(("0.05 1/ms", "0.001 1/ms"), ("0.05 1/ms", "0.0003 1/ms"), ("0.02 1/ms", "0.0003 1/ms")),
    *normalised(("0.0005 1/ms", 5.0), ("0.0015 1/ms", 1.0), ("0.005 1/ms", 1.0)),
)

SEARCHED: dict[str, dict[str, tuple[Any, ...]]] = {
    "default": {RULE: uncertain(*((fast, slow) for fast in ("0.02 1/ms", "0.05 1/ms", "0.15 1/ms")
                                  for slow in ("0.0003 1/ms", "0.001 1/ms")))},
    "homogeneous_cells": {RULE: FAST, "reservoir.input_next": ("10.5 mV/ms", "11.5 mV/ms")},
    "cells_250": {RULE: FAST, "reservoir.groups": (40, 80)},
    "merged": {RULE: ANY},
    # no gate: z alone in place of q times z, learned online, or once a trial
    "open_gate": {RULE: (*ANY, *normalised(("0.0002 1/ms", 5.0), ("0.0001 1/ms", 5.0), ("0.00005 1/ms", 5.0)))},
    "joint": {RULE: tuple({"type": "consolidated_three_factor", "rate": rate, "slowest": slowest}
                          for rate in ("0.003 1/ms", "0.01 1/ms", "0.03 1/ms") for slowest in (0.03, 0.1))},
    "slow_gate": {RULE: ANY},
    "adapting_cells": {RULE: (*FAST, *normalised(("0.006 1/ms", 5.0), ("0.02 1/ms", 5.0), ("0.06 1/ms", 5.0)))},
    "unconnected": {RULE: (*FAST, *normalised(("0.002 1/ms", 1.0), ("0.006 1/ms", 1.0), ("0.018 1/ms", 1.0)))},
    "no_recurrence": {RULE: FAST, TRACE: ("50 ms", "150 ms")},
}  # fmt: skip
"""By condition ("default": none), the values of its parameters: six points each, more where the best was at
an end."""


def points(name: str) -> list[dict[str, Any]]:
    """Return the points of a search."""
    grid = SEARCHED[name]
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def configuration(name: str, point: dict[str, Any]) -> Configuration:
    """Return a network at a point of its search."""
    data = apply(Configuration.parse({"paradigm": PARADIGM}), [name] * (name != "default")).to_dict()
    for key, value in point.items():
        *tables, last = key.split(".")
        table = data
        for each in tables:
            table = table[each]
        table[last] = value
    data["keep"] = {**data.get("keep", {}), "spikes": "none"}
    return Configuration.parse(data)


def _said(key: str, value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['type']}, " + ", ".join(f"{name} = {each}" for name, each in value.items() if name != "type")
    return f"{key.rpartition('.')[2]} = {value}"


def search(seeds: list[int], out: Path) -> pd.DataFrame:
    """Run what the log does not hold yet, and return the log."""
    log = out / "log.csv"
    out.mkdir(parents=True, exist_ok=True)
    done = pd.read_csv(log) if log.exists() else pd.DataFrame(columns=["network", "point", "seed", "share_left"])
    known = set(zip(done["network"], done["point"], done["seed"], strict=True))
    for seed, name in itertools.product(seeds, SEARCHED):
        for point in points(name):
            text = ", ".join(_said(key, value) for key, value in point.items())
            if (name, text, seed) in known:
                continue
            try:
                value = share_left(izhires.simulate(configuration(name, point), seed))
            except izhires.IzhiresError as error:  # a network that runs away, or is silent, has lost
                print(f"{name}: {text}, seed {seed}: {error}", flush=True)
                value = float("inf")
            row = pd.DataFrame([(name, text, seed, value)], columns=["network", "point", "seed", "share_left"])
            row.to_csv(log, mode="a", header=not log.exists(), index=False)
            print(f"{name}: {text}, seed {seed}: {value:.4f}", flush=True)
    return pd.read_csv(log)


def constant_rates(seeds: list[int]) -> pd.DataFrame:
    """Return |q - p| of the counter, over the trials 20 to 100 of all blocks, by rule: columns rule, seed, distance."""
    task = Configuration().paradigm
    rules: dict[str, dict[str, Any]] = {"the model's": {"type": "uncertainty_two_factor"}}
    rules |= {f"constant {rate}": {"type": "two_factor", "rate": rate} for rate in RATES}
    rows = []
    for seed in seeds:
        made = task.experiment(Seeds(seed=seed).generator("trials"))
        trials = made.trials[made.trials["learn"]]
        outcomes = trials["event"].to_numpy()[:, None] == np.array(made.events)
        true = made.outcomes.groupby(["block", "event"])["probability"].sum()
        p = np.array([[true.get((block, event), 0.0) for event in made.events] for block in trials["block"]])
        later = trials.groupby("block").cumcount().to_numpy() >= 20
        for name, rule in rules.items():
            q = counted(
                np.full((len(trials), 1), 30.0), outcomes, np.ones(len(trials), bool),
                Rule.alternatives()[rule["type"]].parse(rule),
            )  # fmt: skip
            rows.append((name, seed, float(np.abs(q - p)[later].mean())))
    return pd.DataFrame(rows, columns=["rule", "seed", "distance"])


def main() -> None:
    """Search, and print every point with the best of each network in bold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0:2")
    parser.add_argument("--out", type=Path, default=Path("results/controls"))
    given = parser.parse_args()
    table = search(parse_seeds(given.seeds), given.out)
    means = table.groupby(["network", "point"], sort=False)["share_left"].agg(["mean", "max", "count"]).reset_index()
    print("| network | point | error over predicting nothing | worst | seeds |\n|---|---|---|---|---|")
    for _, own in means.groupby("network", sort=False):
        for row in own.itertuples():
            mark = "**" if row.Index == own["mean"].idxmin() else ""
            print(f"| {row.network} | {row.point} | {mark}{row.mean:.3f}{mark} | {row.max:.3f} | {row.count} |")
    rates = constant_rates(list(range(10)))
    rates.to_csv(given.out / "constant_rates.csv", index=False)
    print("\n| what, counted without a network, seeds 0 to 9 | distance of q from p |\n|---|---|")
    for row in over_seeds(rates, ["rule"], "distance").itertuples():
        print(f"| {row.rule} | {row.mean:.4f} [{row.low:.4f}, {row.high:.4f}] |")


if __name__ == "__main__":
    main()
