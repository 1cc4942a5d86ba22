"""Where the default works and where it does not: tasks beyond MEET, beside the default of before.

    python examples/generality.py --seeds 300:310 --out results/generality

Each task is learned with the default as it is and with that of version 0.1 (condition `earlier_default`), on the same
trials. Prints and writes generality.md, generality.csv and generality.png/.pdf: the error of the last five probes of
each block, over that of predicting nothing and over that of an expectation that is flat in time (metric
`end_of_block`). Recordings that are there are kept, so that the same command goes on. Participants of OpenNeuro
ds003690 are left out, and it is said, where the folder named by --data (or IZHIRES_DATA) does not hold them.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

import izhires
from izhires import Configuration
from izhires.analysis.figures import style
from izhires.analysis.statistics import over_seeds, t_interval
from izhires.model.conditions import apply
from izhires.model.configuration import parse_seeds
from izhires.recordings.bounds import ends

DEFAULTS = {"earlier": ["earlier_default"], "default": []}
BOUNDS = {"over_zero": "over predicting nothing", "over_flat": "over flat in time"}
PEOPLE = ("AB4", "AB10")
"""Participants of ds003690; chosen before anything was run."""
JITTER, LATENCIES = 60.0, 9
"""Standard deviation of a latency (ms), and how many equally likely latencies stand for its normal distribution."""
EARLY, LATE = {"A": 300, "B": 600}, {"A": 500, "B": 800}
LAST = [80, 85, 90, 95, 100]
MARK = "<!-- table -->"


def block(latency: dict[str, int], chance: dict[str, float], trials: int = 100) -> dict[str, Any]:
    """Return a block of events at one latency (ms) each."""
    return {
        "trials": trials,
        "latency": {event: f"{time} ms" for event, time in latency.items()},
        "probability": chance,
    }


def jittered(latency: dict[str, int], chance: dict[str, float]) -> dict[str, Any]:
    """Return a block of events whose latencies vary about a mean (ms)."""
    away = norm.ppf((np.arange(LATENCIES) + 0.5) / LATENCIES)
    away *= JITTER / away.std()
    outcomes = [
        {"event": event, "latency": f"{round(time + each)} ms", "probability": chance[event] / LATENCIES}
        for event, time in latency.items()
        for each in away
    ]
    return {"trials": 100, "outcomes": outcomes}


def meet(*blocks: dict[str, Any], probes: list[int] = LAST, **more: Any) -> dict[str, Any]:
    """Return a task of some blocks."""
    return {"type": "meet", "blocks": list(blocks), "probes": probes, **more}


OFTEN_A, OFTEN_B = {"A": 0.7, "B": 0.3}, {"A": 0.2, "B": 0.8}
CUES = {
    "tone": {"latency": {"A": "300 ms", "B": "600 ms"}, "probability": {"A": 0.8, "B": 0.2}},
    "light": {"latency": {"A": "400 ms", "B": "700 ms"}, "probability": {"A": 0.5, "B": 0.5}},
    "touch": {"latency": {"A": "500 ms", "B": "800 ms"}, "probability": {"A": 0.2, "B": 0.8}},
}
SWITCHES = ((EARLY, OFTEN_A), (LATE, OFTEN_A), (LATE, OFTEN_B), (EARLY, {"A": 0.8, "B": 0.2}))
TASKS: dict[str, dict[str, Any]] = {
    "MEET": {"paradigm": meet(*(block(*each) for each in SWITCHES))},
    "n = 250": {"paradigm": meet(*(block(*each) for each in SWITCHES)), "reservoir": {"n": 250}},
    "150 and 1,000 ms": {"paradigm": meet(block({"A": 150, "B": 1000}, OFTEN_A))},
    "three events": {"paradigm": meet(block({"A": 250, "B": 500, "C": 750}, {"A": 0.5, "B": 0.3, "C": 0.2}))},
    "p = .05": {"paradigm": meet(block(EARLY, {"A": 0.05, "B": 0.95}))},
    "20-trial blocks": {"paradigm": meet(*(block(*each, trials=20) for each in SWITCHES), probes=[16, 17, 18, 19, 20])},
    "jitter 60 ms": {"paradigm": meet(jittered(EARLY, OFTEN_A), jittered(LATE, OFTEN_A))},
    "window 3 s": {"paradigm": meet(block({"A": 800, "B": 2500}, OFTEN_A), window="3000 ms", trial_duration="3400 ms")},
    "three cues": {
        "paradigm": meet({"trials": 300, "cues": CUES}, probes=[280, 285, 290, 295, 300], order="exact"),
    },
}


def participant(label: str, data: Path, **more: Any) -> dict[str, Any] | None:
    """Return the trials of a participant, or nothing where they are not there."""
    found = sorted((data / "ds003690" / f"sub-{label}" / "eeg").glob("*_events.tsv"))
    paradigm = {"type": "cued_reaction", "events_files": list(map(str, found)), "cue": "cue",
                "events": ["go", "no-go"], "longest_wait": "1500 ms", **more}  # fmt: skip
    return {"paradigm": paradigm} if found else None


def main() -> None:
    """Run, or go on; measure; print the table and draw it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="300:310", help="as for izhires run")
    parser.add_argument("--out", type=Path, required=True, help="folder of all recordings, the table and the figure")
    parser.add_argument("--data", type=Path, default=os.environ.get("IZHIRES_DATA"), help="folder that holds ds003690")
    parser.add_argument("--write", type=Path, help="page whose table, between its two marks, is to be renewed")
    given = parser.parse_args()
    tasks: dict[str, dict[str, Any]] = dict(TASKS)
    for label in PEOPLE:
        # the cue lasts 250 ms there, in which the first group fires more than once
        for name, more in ((label, {}), (f"{label}, cue 50 ms", {"cue_duration": "50 ms"})):
            task = None if given.data is None else participant(label, given.data, **more)
            if task is None:
                print(f"generality: {name} is left out: --data names no folder with ds003690", file=sys.stderr)
            else:
                tasks[name] = task
    rows = []
    for seed in parse_seeds(given.seeds):
        for task, changes in tasks.items():
            for default, conditions in DEFAULTS.items():
                configuration = apply(Configuration.parse({**changes, "keep": {"spikes": "none"}}), conditions)
                folder = given.out / task.replace(" ", "_").replace(",", "") / default
                (path,) = izhires.run_batch(configuration, [seed], folder, processes=1)
                found = [each for each in ends(izhires.load(path)) if not each.event]
                rows += [
                    (task, default, seed, bound, float(np.mean([getattr(each, bound) for each in found])))
                    for bound in BOUNDS
                ]
        print(f"seed {seed}", file=sys.stderr, flush=True)
    table = pd.DataFrame(rows, columns=["task", "default", "seed", "bound", "value"])
    table.to_csv(given.out / "generality.csv", index=False, float_format="%.5g")
    text = written(table)
    (given.out / "generality.md").write_text(text + "\n", encoding="utf-8")
    print(text)
    draw(table, given.out)
    if given.write:
        before, _, rest = given.write.read_text(encoding="utf-8").partition(MARK)
        given.write.write_text(f"{before}{MARK}\n{text}\n{MARK}{rest.partition(MARK)[2]}", encoding="utf-8")


def verdict(flat: pd.Series) -> str:
    """Return what the errors over those of a flat expectation, a seed each, say of a task."""
    _, _, high = t_interval(flat)
    if high <= 0.5 and flat.max() < 1:
        return "works"
    return "in part" if high < 1 else "does not"


def written(table: pd.DataFrame) -> str:
    """Return the table as markdown: mean over seeds with its 95 % t-interval, the worst seed, and a verdict."""
    means = over_seeds(table, ["task", "default", "bound"], "value").set_index(["task", "default", "bound"])
    heads = [f"{default}, {bound}" for bound in BOUNDS.values() for default in DEFAULTS]
    seeds = table["seed"].nunique()
    lines = [f"| {seeds} seeds | {' | '.join(heads)} | default / earlier | verdict |", "|---" * (len(heads) + 3) + "|"]
    for task in dict.fromkeys(table["task"]):
        mine = table[table["task"] == task]
        cells, by = [], {}
        for bound in BOUNDS:
            for default in DEFAULTS:
                own = mine[(mine["default"] == default) & (mine["bound"] == bound)].set_index("seed")["value"]
                mean, low, high = means.loc[(task, default, bound), ["mean", "low", "high"]]
                cells.append(f"{mean:.3f} [{low:.3f}, {high:.3f}], worst {own.max():.3f}")
                by[bound, default] = own
        ratio = np.log(by["over_zero", "default"] / by["over_zero", "earlier"])
        middle, low, high = np.exp(t_interval(ratio))
        said = verdict(by["over_flat", "default"])
        lines.append(f"| {task} | {' | '.join(cells)} | {middle:.2f} [{low:.2f}, {high:.2f}] | {said} |")
    return "\n".join(lines)


def draw(table: pd.DataFrame, out: Path) -> None:
    """Draw both errors of each task, a dot a seed."""
    tasks = list(dict.fromkeys(table["task"]))
    colour = style.colours(list(DEFAULTS))
    with style.applied():
        made, grid = style.canvas(1, 2, width=style.DOUBLE, height=95 * style.MILLIMETRE, sharey=True)
        grid = grid[0]
        for axes, (bound, title) in zip(grid, BOUNDS.items(), strict=True):
            for shift, default in ((-0.16, "earlier"), (0.16, "default")):
                own = table[(table["bound"] == bound) & (table["default"] == default)]
                place = own["task"].map(tasks.index) + shift
                name = "default" if default == "default" else "default of version 0.1"
                axes.plot(own["value"], place, "o", color=colour[default], markersize=2.5, alpha=0.5)
                mean = own.groupby("task")["value"].mean()
                axes.plot(mean, mean.index.map(tasks.index) + shift, "|", color=style.dark(colour[default]),
                          markersize=9, label=name)  # fmt: skip
            axes.axvline(1, color="black", linewidth=0.6, linestyle=":")
            axes.set(xlabel=f"error at the end {title}", xscale="log")
            axes.set_yticks(range(len(tasks)), tasks)
            axes.set_xticks([0.1, 0.2, 0.5, 1], ["0.1", "0.2", "0.5", "1"])
        grid[0].invert_yaxis()
        for letter, axes in zip("ab", grid, strict=True):
            style.label(axes, letter)
        style.legend_below(made, grid[0], 2, table["seed"].nunique())
        for kind in ("png", "pdf"):
            made.savefig(out / f"generality.{kind}")


if __name__ == "__main__":
    main()
