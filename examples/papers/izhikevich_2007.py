"""Distal reward: does dopamine that comes seconds later strengthen the one synapse that earned it?

    python examples/papers/izhikevich_2007.py --seeds 100:105 --out results/izhikevich_2007

Izhikevich (2007), "Solving the distal reward problem through linkage of STDP and dopamine signaling", Cereb. Cortex
17:2443, doi 10.1093/cercor/bhl152, figure 1. Published: 1,000 cells (800 RS, 200 FS) with 100 synapses each fire at
random. One synapse, from cell n1 to cell n2, begins at 0. Whenever n2 fires within 10 ms after n1, a pulse of dopamine
(0.5 uM, decay 200 ms) follows 1 to 3 s later. Pairs of spikes leave an eligibility that decays in 1 s, and dopamine
makes a change of it. Within about an hour that synapse reaches the largest weight, while most others stay weak.

Here: the same cells, noise, weights, rule and reward at a smaller scale, 200 cells with 20 synapses each, for an hour;
``--cells 1000 --synapses 100`` is the published one. Beside it a control, the same dopamine as often on average, but at
times that have nothing to do with the spikes. Writes distal_reward.csv, distal_reward.md and distal_reward.png/.pdf.

What differs: the published input is uniform between -6.5 and 6.5 in every ms, here it is white noise of the same
variance; which cells are connected is drawn for both kinds of targets apart (16 and 4 synapses of 20); at most 8
rewards may wait at once. The reward is found inside the compiled program: `DistalReward` hears the spikes of two cells.
What comes out, and what does not: docs/neuromodulation.md, "Models of papers".
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
import xarray as xr

import izhires
from izhires.analysis.figures import style
from izhires.building.draft import Draft
from izhires.declare import Milliseconds, parameter
from izhires.model.configuration import parse_seeds
from izhires.neuromodulators.base import Neuromodulator

SOURCE = "Izhikevich (2007), Cereb. Cortex 17:2443, doi 10.1093/cercor/bhl152"
LARGEST = 4.0
"""Largest weight: the potential that one spike adds, mV."""
WAITING = 8
"""Rewards that may wait at once (assumed; on average far less than one does)."""
DUE = [f"due_{k}" for k in range(WAITING)]
KINDS = {"contingent": 1.0, "random": 0.0}
"""Whether the reward hangs on the spikes of the two cells."""
SHOWN = (-1.0, 6.0)
"""What the figure shows around a pair of spikes, s."""


class DistalReward(Neuromodulator):
    """Released 1 to 3 s after the second of two cells fired shortly after the first; or at random.

    The two cells are those of the first synapse of the connection ``recurrent``, which begins at 0.
    """

    type: Literal["distal_reward"] = "distal_reward"
    amount: float = parameter(0.5, "what one reward releases, uM", source=SOURCE)
    tonic: float = parameter(0.002, "level without a reward, uM", source=SOURCE)
    shortly: Milliseconds = parameter("10 ms", "longest time between the two spikes", source=SOURCE)
    soonest: Milliseconds = parameter("1000 ms", "shortest time to the reward", source=SOURCE)
    latest: Milliseconds = parameter("3000 ms", "longest time to the reward", source=SOURCE)
    contingent: float = parameter(1.0, "1: hangs on the spikes; 0: comes at random", source="by choice")
    at_random: float = parameter(0.0, "probability of a random reward in each step", source="by choice")
    equations: str = "fired : second\nfound : 1\ncount : 1\n" + "".join(f"{due} : second\n" for due in DUE)
    update: str = "\n".join(
        [
            # spikes of one step, 1 ms, count as one after the other only where they are: n1 in a step before
            "found = int(after > 0.5)*int(fired > 0*ms)*int(t - fired < shortly + dt/2)",
            "fired = fired + int(before > 0.5)*(t - fired)",
            *(
                f"{due} += found*int(abs(count % {WAITING} - {k}) < 0.5)"
                f"*(t + soonest + (latest - soonest)*chance(t) - {due})"
                for k, due in enumerate(DUE)
            ),
            "count += found",
        ]
    )
    release: str = (
        "amount*(contingent*("
        + " + ".join(f"int({due} > 0*ms)*int({due} <= t)*int({due} > t - dt)" for due in DUE)
        + ") + (1 - contingent)*int(chance(t) < at_random))"
    )
    source: ClassVar[str] = SOURCE

    def connected(self, draft: Draft, name: str) -> None:
        """Choose the first synapse: hear its two cells, and have it begin at 0."""
        super().connected(draft, name)
        for count, side in (("before", "i"), ("after", "j")):
            chosen = draft.arrays[f"recurrent.{side}"][0]
            draft.set(f"{name}_{count}_spikes", heard=(np.arange(draft.length("cells")) == chosen).astype(float))
        weights = draft.arrays["recurrent.w"].copy()
        weights[0] = 0.0
        draft.set("recurrent", w=weights)


def configuration(
    cells: int = 200,
    synapses: int = 20,
    minutes: int = 60,
    kind: str = "contingent",
    at_random: float = 0.0,
    amount: float = 0.5,
) -> izhires.Configuration:
    """Return the network with one kind of reward."""
    none = ["0 mV/ms", "0 mV/ms"]
    same = {"spread_a": 0.0, "spread_b": 0.0, "spread_c": "0 mV", "spread_d": 0.0}
    # the standard deviation of a number between -6.5 and 6.5 mV/ms that lasts 1 ms
    driven = {"noise": f"{13 / np.sqrt(12):.4f} mV/sqrt(ms)", "bias_excitatory": none, "bias_inhibitory": none}

    def wired(degree: int) -> dict:  # a spike adds w to the potential of its targets, 1 ms later
        return {
            "wiring": {"type": "fixed_out_degree", "degree": degree},
            "weight": "1 mV/ms",
            "weight_spread": 0.0,
            "delay": ["1 ms", "1 ms"],
            "effect": "v_post += w*ms",
        }

    plastic = {"plasticity": {"type": "modulated_stdp", "w_max": f"{LARGEST} mV/ms"}}
    heard = {"of": "cells", "members": [0]}  # which ones, `DistalReward` says
    kept = [("recurrent", "w", [0], 10_000), ("recurrent", "eligibility", [0], 10), ("dopamine", "level", None, 10),
            ("dopamine", "released", None, 1)]  # fmt: skip
    return izhires.Configuration.parse(
        {
            "reservoir": {
                "type": "unconnected",
                "n": cells * 4 // 5,
                "cell": {"composition": {"RS": 1.0}, **same},
                "cue_share": 0.0,
                **driven,
            },
            "populations": {"inhibitory": {"n": cells // 5, "cell": {"composition": {"FS": 1.0}, **same}, **driven}},
            "connections": {
                "recurrent": {**wired(synapses * 4 // 5), **plastic},
                "to_inhibitory": {"to": "inhibitory", **wired(synapses // 5), **plastic},
                "from_inhibitory": {"from": "inhibitory", "cells": "inhibitory", **wired(synapses)},
            },
            "neuromodulators": {
                "dopamine": {
                    "type": "distal_reward",
                    "counts": {"before": heard, "after": heard},
                    "contingent": KINDS[kind],
                    "at_random": at_random,
                    "amount": amount,
                }
            },
            # no task: trials only divide the time into minutes, and nothing that the readouts say is used
            "state": {"of": "inhibitory"},
            "when": {"feedback": "0 mV/ms"},
            "paradigm": {
                "type": "meet",
                "trial_duration": "60 s",
                "warm_up": 0,
                "probe_before_learning": False,
                "probes": [minutes - 1],
                "blocks": [{"trials": minutes - 1, "latency": {"A": "300 ms"}, "probability": {"A": 1.0}}],
            },
            "keep": {
                "spikes": "all",
                "record": [
                    {"of": of, "variable": variable, "every": f"{every} ms", "elements": elements or "none"}
                    for of, variable, elements, every in kept
                ],
            },
        }
    )


def others(recording: xr.Dataset) -> np.ndarray:
    """Return the weights of all excitatory synapses but the chosen one at the end, mV."""
    return np.concatenate([recording["recurrent_weight"].values[-1, 1:], recording["to_inhibitory_weight"].values[-1]])


def rewards(recording: xr.Dataset) -> np.ndarray:
    """Return the times of the rewards, s."""
    return recording["dopamine_released_time"].values[recording["dopamine_released"].values[:, 0] > 0]


def pairs(recording: xr.Dataset, shortly: int = 10) -> np.ndarray:
    """Return when n2 fired at most so many steps of 1 ms after n1, s, as the spikes of the recording have it."""
    ends = [recording[f"recurrent_{side}"].values[0] for side in ("source", "target")]
    steps = np.floor(recording["cells_spike_time"].values * 1e3 + 1e-6).astype(int)
    cells = recording["cells_spike_neuron"].values
    first, second = (np.unique(steps[cells == cell]) for cell in ends)
    last = np.searchsorted(first, second, side="left") - 1
    return second[(last >= 0) & (second - first[np.maximum(last, 0)] <= shortly)] * 1e-3


def measured(recording: xr.Dataset) -> dict[str, float]:
    """Return the numbers of one run."""
    course, rest = recording["recurrent_w"].values[:, 0], others(recording)
    chosen = recording["recurrent_weight"].values[-1, 0]
    strong = np.flatnonzero(course > 0.95 * LARGEST)
    return {
        "seed": recording.attrs["seed"],
        "rewards": len(rewards(recording)),
        "weight": chosen,
        "last quarter": course[len(course) * 3 // 4 :].mean(),
        "percentile": 100 * ((rest < chosen).mean() + (rest == chosen).mean() / 2),
        "others": rest.mean(),
        "median": np.median(rest),
        "strong others": 100 * (rest > 0.95 * LARGEST).mean(),
        "first strong": recording["recurrent_w_time"].values[strong[0]] / 60 if len(strong) else np.nan,
        "rate": recording["cells_rate"].values.mean(),
    }


def run(seeds: list[int], out: Path, cells: int, synapses: int, minutes: int) -> dict[str, list[xr.Dataset]]:
    """Run both kinds; random rewards are as many, on average, as contingent ones."""
    found: dict[str, list[xr.Dataset]] = {}
    chance = 0.0
    for kind in KINDS:
        made = configuration(cells, synapses, minutes, kind, chance)
        found[kind] = [izhires.load(path) for path in izhires.run_batch(made, seeds, out / kind)]
        chance = float(np.mean([len(rewards(each)) for each in found[kind]])) / (minutes * 60_000)
    return found


def main() -> None:
    """Run, measure, write and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="100:105")
    parser.add_argument("--out", type=Path, default=Path("results/izhikevich_2007"))
    parser.add_argument("--cells", type=int, default=200)
    parser.add_argument("--synapses", type=int, default=20, help="of each cell")
    parser.add_argument("--minutes", type=int, default=60, help="simulated")
    given = parser.parse_args()
    found = run(parse_seeds(given.seeds), given.out, given.cells, given.synapses, given.minutes)
    table = pd.DataFrame([{"reward": kind, **measured(each)} for kind, own in found.items() for each in own])
    table.to_csv(given.out / "distal_reward.csv", index=False, float_format="%.4g")
    heads = ["reward", "seed", "rewards", "weight at the end (mV)", "mean of the last quarter (mV)",
             "percentile at the end", "first at 95 % of the largest (min)", "others: mean (mV)", "others: median (mV)",
             "others at 95 % (%)"]  # fmt: skip
    text = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    text += [
        f"| {row['reward']} | {row['seed']} | {row['rewards']} | {row['weight']:.2f} | {row['last quarter']:.2f} "
        f"| {row['percentile']:.1f} | {row['first strong']:.1f} | {row['others']:.2f} | {row['median']:.2f} "
        f"| {row['strong others']:.1f} |".replace("nan", "never")
        for _, row in table.iterrows()
    ]
    text.append(f"\n{given.cells} cells with {given.synapses} synapses each, {given.minutes} min, "
                f"mean rate of the RS cells {table['rate'].mean():.1f} Hz.")  # fmt: skip
    (given.out / "distal_reward.md").write_text("\n".join(text) + "\n", encoding="utf-8")
    print("\n".join(text))
    draw(found, given.out)


def draw(found: dict[str, list[xr.Dataset]], out: Path) -> None:
    """Draw the traces around one pair of spikes, the chosen weight over time, and all weights at the end."""
    colours = style.colours(list(KINDS))
    with style.applied():
        made, grid = style.canvas(1, 3, width=style.DOUBLE, height=62 * style.MILLIMETRE)
        traces(grid[0, 0], found["contingent"][0])
        for kind, recordings in found.items():
            for number, each in enumerate(recordings):
                minutes = each["recurrent_w_time"].values / 60
                grid[0, 1].plot(minutes, each["recurrent_w"].values[:, 0], color=colours[kind], linewidth=0.8,
                                alpha=0.8, label=None if number else f"{kind} reward")  # fmt: skip
        grid[0, 1].set(xlabel="time (min)", ylabel="chosen weight (mV)", ylim=(-0.1, 1.3 * LARGEST))
        grid[0, 1].legend(loc="upper left", fontsize="small")
        bins = np.linspace(0, LARGEST, 41)
        for kind, recordings in found.items():
            rest = np.concatenate([others(each) for each in recordings])
            share = np.histogram(rest, bins)[0] / len(rest)
            grid[0, 2].stairs(100 * share, bins, color=colours[kind], linewidth=1.0)
            height = 60 if kind == "contingent" else 100
            ends = [each["recurrent_weight"].values[-1, 0] for each in recordings]
            grid[0, 2].plot(ends, np.full(len(ends), height), "v", color=colours[kind], markersize=4, alpha=0.7)
        grid[0, 2].set(yscale="log", xlabel="weight at the end (mV)", ylabel="other synapses (%)", ylim=(0.05, 150))
        grid[0, 2].set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
        grid[0, 2].set_yticks([], minor=True)
        for letter, axes in zip("abc", grid[0], strict=True):
            style.label(axes, letter)
        for kind in ("png", "pdf"):
            made.savefig(out / f"distal_reward.{kind}")


def traces(axes, recording: xr.Dataset) -> None:
    """Draw what follows a pair of spikes: of those with one reward in the time shown, that of the largest mark."""
    when, given = pairs(recording), rewards(recording)
    mark = recording["recurrent_eligibility"].values[:, 0]
    sizes = {}
    for each in when[(when > 1) & (when < given.max() - SHOWN[1])]:
        following = given[(given > each + SHOWN[0]) & (given < each + SHOWN[1])]
        if len(following) == 1 and following[0] > each + 1:
            sizes[each] = mark[int(following[0] * 100)]
    chosen = max(sizes, key=sizes.__getitem__, default=when[0])
    for variable, at, scale, label in (
        ("recurrent_eligibility", 0.0, 1 / 0.025, "eligibility"),
        ("kept_dopamine_level", -1.6, 2.0, "dopamine"),
    ):
        times = recording[f"{variable.removeprefix('kept_')}_time"].values - chosen
        shown = (times > SHOWN[0]) & (times < SHOWN[1])
        values = recording[variable].values[shown, 0]
        axes.plot(times[shown], at + scale * values, color="black", linewidth=0.9)
        axes.text(SHOWN[1], at + 0.12, label, ha="right", va="bottom")
    ends = [int(recording[f"recurrent_{side}"].values[0]) for side in ("source", "target")]
    spikes, cells = recording["cells_spike_time"].values - chosen, recording["cells_spike_neuron"].values
    for row, (name, cell) in enumerate(zip(("n1", "n2"), ends, strict=True)):
        own = spikes[(cells == cell) & (spikes > SHOWN[0]) & (spikes < SHOWN[1])]
        axes.vlines(own, 2.6 - 0.6 * row, 3.0 - 0.6 * row, color="black", linewidth=0.9)
        axes.text(SHOWN[0] - 0.15, 2.8 - 0.6 * row, name, ha="right", va="center")
    for each in given[(given > chosen) & (given < chosen + SHOWN[1])] - chosen:
        axes.axvline(each, color=style.GREY, linestyle="--", linewidth=0.8)
        axes.text(each, -1.95, " reward", va="top", color=style.GREY)
    axes.set(xlabel="time from a pair of spikes (s)", xlim=SHOWN, ylim=(-2.4, 3.2))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


if __name__ == "__main__":
    main()
