"""Does reward-modulated STDP learn without being told how much reward to expect?

    python examples/papers/fremaux_2010.py --seeds 100:105 --out results/fremaux_2010

Fremaux, Sprekeler & Gerstner (2010), "Functional requirements for reward-modulated spike-timing-dependent plasticity",
J. Neurosci. 30:13326, doi 10.1523/JNEUROSCI.6249-09.2010. Published: cells learn a target spike train in answer to a
fixed pattern of input spikes, from a reward that comes once a trial. The change of a weight is the success signal times
the eligibility; its mean is the covariance of both, which learns, plus the product of their means, which is
unsupervised and gets in the way. So success must be the reward minus what is expected of it: an offset of a quarter of
the reward's standard deviation keeps R-STDP from learning (figure 2, as others quote it).

A smaller piece of it, made of this package's parts: 100 cells with a fixed pattern of 500 ms (6 Hz) onto 10 leaky
cells that are to fire together 150 and 350 ms after the cue. The reward, 520 ms after the cue, is 1 - D/D0, with D the
squared distance of the filtered spikes of all ten (20 ms, as of van Rossum) from those of cells that do so, and D0 that
of silent cells. Success is the reward minus its running mean of 50 trials, plus an offset; it is released as dopamine
and gates `modulated_stdp`. Controls: the reward alone; and the success of the trial before, which says nothing about
what was done in this one.
Writes reward_bias.csv, reward_bias.md and reward_bias.png/.pdf.

Assumed: all numbers of cells, weights and rates, the form of the reward, and an eligibility without depression
(a_minus = 0). They were chosen on seeds 0 and 1 by the reward that is reached without an offset.
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
from izhires.analysis.statistics import mean_and_deviation
from izhires.cells.base import CURRENTS, TRACE, Cell, CellType, published
from izhires.declare import Hertz, Milliseconds, parameter
from izhires.model.configuration import parse_seeds
from izhires.neuromodulators.base import Neuromodulator

SOURCE = "Fremaux et al. (2010), J. Neurosci. 30:13326, doi 10.1523/JNEUROSCI.6249-09.2010"
SPIKES = 12
"""Most spikes of one input in the pattern (assumed; the mean is 3)."""
TARGETS = (150, 350)
"""When the cells are to fire, ms from the cue (assumed)."""
PATTERN, CUE, TRIAL, CELLS = 500, 50, 1000, 10
OFFSETS = (-0.5, -0.25, 0.0, 0.25, 0.5)
CONDITIONS: dict[str, dict[str, float]] = {
    **{f"offset {each:g} sd" if each else "reward minus its mean": {"offset": each} for each in OFFSETS},
    "reward alone": {"centred": 0.0},
    "success of the trial before": {"earlier": 1.0},
}
"""What dopamine says, each with the parameters of `Critic`."""
LAST = 100
"""Trials at the end over which reward is averaged."""


class Pattern(Cell):
    """Cells that fire at the same times after every cue, drawn once."""

    type: Literal["frozen_pattern"] = "frozen_pattern"
    units: ClassVar[dict[str, str]] = {}
    table: ClassVar[dict[str, CellType]] = published("this script", E=("input", True, {}))
    source: ClassVar[str] = "this script"
    composition: dict[str, float] = parameter({"E": 1.0}, "share of each cell type", source="by choice")
    rate: Hertz = parameter("6 Hz", "mean rate in the pattern")
    equations: str = "v : volt\n" + CURRENTS + "".join(f"t_{k} : second (constant)\n" for k in range(SPIKES))
    threshold: str = " or ".join(f"abs(elapsed(t) - t_{k}) < dt/2" for k in range(SPIKES))
    reset: str = TRACE

    def draw(self, types: list[str], rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw the spikes of each cell, in whole ms; those that it does not have lie in no trial."""
        import brian2 as b2

        times = np.full((len(types), SPIKES), -1e6)
        for row in times:
            many = min(int(rng.poisson(self.rate * PATTERN * 1e-3)), SPIKES)
            row[:many] = rng.choice(np.arange(1, PATTERN), many, replace=False)
        return {f"t_{k}": times[:, k] * b2.ms for k in range(SPIKES)}


class Critic(Neuromodulator):
    """Releases, at the end of each trial's window, how much better it went than expected."""

    type: Literal["critic"] = "critic"
    offset: float = parameter(0.0, "added to the success, in standard deviations of the reward", source=SOURCE)
    centred: float = parameter(1.0, "share of the mean reward that is subtracted", source=SOURCE)
    earlier: float = parameter(0.0, "1: success is that of the trial before", source="by choice")
    memory: float = parameter(50.0, "trials over which mean and variance run")
    tau_distance: Milliseconds = parameter("20 ms", "filter of the spikes for the distance")
    tau_decay: Milliseconds = parameter("100 ms", "decay of the level")
    equations: str = "".join(
        f"{name} : 1\n"
        for name in ("filtered", "goal", "distance", "gain", "before", "mean", "variance", "end", "trials", "success")
    )
    update: str = (
        f"filtered = filtered*exp(-dt/tau_distance) + spiked/{CELLS}\n"
        "goal = goal*exp(-dt/tau_distance) + "
        + " + ".join(f"int(abs(elapsed(t) - {each}*ms) < dt/2)" for each in TARGETS)
        + f"""
        distance = distance*int(elapsed(t) > dt/2) + (filtered - goal)**2*dt/tau_distance
        end = int(abs(elapsed(t) - window) < dt/2)
        before += end*(gain - before)
        gain += end*(1 - distance/{len(TARGETS) / 2} - gain)
        success = earlier*before + (1 - earlier)*gain - centred*mean + offset*sqrt(variance)
        variance += end/clip(trials, 1, memory)*((gain - mean)**2 - variance)
        mean += end/clip(trials, 1, memory)*(gain - mean)
        trials += end
        """
    )
    # not before a few trials have shown what to expect
    release: str = "end*success*int(trials > 5.5)"
    cells: str = "cells"
    source: ClassVar[str] = SOURCE


def configuration(trials: int = 1500, **critic: float) -> izhires.Configuration:
    """Return the network; `critic` are parameters of `Critic`."""
    return izhires.Configuration.parse(
        {
            "time_step": "1 ms",
            "reservoir": {
                "type": "unconnected",
                "n": CELLS,
                "cell": {"type": "lif", "composition": {"E": 1.0}},
                "noise": "1 mV/sqrt(ms)",
                "bias_excitatory": ["0.4 mV/ms", "0.4 mV/ms"],
                "slow_fraction": 0.0,
                "cue_share": 0.0,
            },
            "populations": {"inputs": {"n": 100, "cell": "frozen_pattern", "noise": "0 mV/sqrt(ms)"}},
            "connections": {
                "forward": {
                    "from": "inputs",
                    "wiring": "all",
                    "weight": "0.1 mV/ms",
                    "weight_spread": 0.0,
                    "plasticity": {
                        "type": "modulated_stdp",
                        "w_max": "0.4 mV/ms",
                        "a_minus": 0.0,
                        "tau_c": "500 ms",
                    },
                }
            },
            "neuromodulators": {"dopamine": {"type": "critic", **critic}},
            "when": {"feedback": "0 mV/ms"},
            "paradigm": {
                "type": "meet",
                "trial_duration": f"{TRIAL} ms",
                "cue_onset": f"{CUE} ms",
                "window": f"{PATTERN + 20} ms",
                "warm_up": 0,
                "probes": [trials - 1],
                "probe_before_learning": False,
                "blocks": [{"trials": trials - 1, "latency": {"A": "300 ms"}, "probability": {"A": 1.0}}],
            },
            "keep": {
                "spikes": "all",
                "record": [
                    {"of": "dopamine", "variable": each, "every": f"{TRIAL} ms"} for each in ("gain", "success")
                ],
            },
        }
    )


def rewards(recording: xr.Dataset) -> np.ndarray:
    """Return the reward of each trial but the last: a sample at the start of a trial is of the one before."""
    return recording["dopamine_gain"].values[1:, 0]


def run(seeds: list[int], out: Path, trials: int, conditions: dict[str, dict[str, float]]) -> dict[str, list]:
    """Run every condition; one compiled program serves them all."""
    return {
        name: [
            izhires.load(path)
            for path in izhires.run_batch(configuration(trials, **changes), seeds, out / name.replace(" ", "_"))
        ]
        for name, changes in conditions.items()
    }


def measured(found: dict[str, list[xr.Dataset]]) -> pd.DataFrame:
    """Return reward at first and at last of every run."""
    rows = [
        (name, each.attrs["seed"], rewards(each)[:20].mean(), rewards(each)[-LAST:].mean(),
         each["forward_weight"].values[-1].mean())
        for name, own in found.items() for each in own
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["dopamine", "seed", "first", "last", "weight"])


def main() -> None:
    """Run, measure, write and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="100:105")
    parser.add_argument("--out", type=Path, default=Path("results/fremaux_2010"))
    parser.add_argument("--trials", type=int, default=1500)
    given = parser.parse_args()
    found = run(parse_seeds(given.seeds), given.out, given.trials, CONDITIONS)
    table = measured(found)
    table.to_csv(given.out / "reward_bias.csv", index=False, float_format="%.4g")
    text = [f"| dopamine says | reward, first 20 trials | last {LAST} trials | each seed | mean weight (mV/ms) |",
            "|---|---|---|---|---|"]  # fmt: skip
    for name, own in table.groupby("dopamine", sort=False):
        each = ", ".join(f"{value:.2f}" for value in own["last"])
        spread = [mean_and_deviation(own[column], 2) for column in ("first", "last")]
        text.append(f"| {name} | {spread[0]} | {spread[1]} | {each} | {own['weight'].mean():.3f} |")
    text.append(f"\n{given.trials} trials, mean ± standard deviation over seeds {given.seeds}. 1: all cells fire once "
                "at each target, and at no other time; 0: they are silent.")  # fmt: skip
    (given.out / "reward_bias.md").write_text("\n".join(text) + "\n", encoding="utf-8")
    print("\n".join(text))
    draw(found, table, given.out)


def draw(found: dict[str, list[xr.Dataset]], table: pd.DataFrame, out: Path) -> None:
    """Draw spikes before and after learning, reward over trials, and reward at last against the offset."""
    names = ["reward minus its mean", "offset 0.25 sd", "reward alone", "success of the trial before"]
    colours = style.colours(names)
    with style.applied():
        made, grid = style.canvas(1, 3, width=style.DOUBLE, height=70 * style.MILLIMETRE)
        recording = found[names[0]][0]
        trials = len(rewards(recording))
        times = recording["spike_time"].values * 1e3
        number, after = np.divmod(times, TRIAL)
        bins = np.arange(0, PATTERN + 1, 10)
        for label, of, colour in (
            ("first", number < LAST, style.GREY),
            ("last", number >= trials - LAST, colours[names[0]]),
        ):
            rate = np.histogram(after[of] - CUE, bins)[0] / (LAST * CELLS * 0.010)
            grid[0, 0].stairs(rate, bins, color=colour, label=f"{label} {LAST} trials")
        for each in TARGETS:
            grid[0, 0].axvline(each, ymax=0.75, color=style.GREY, linestyle="--", linewidth=0.8)
        grid[0, 0].set(xlabel="time from the cue (ms)", ylabel="rate of the ten cells (Hz)")
        grid[0, 0].set_ylim(0, 1.35 * grid[0, 0].get_ylim()[1])
        grid[0, 0].legend(loc="upper left", fontsize="small")
        for name in names:
            courses = np.array([rewards(each) for each in found[name]])
            smooth = np.array([np.convolve(each, np.ones(50) / 50, "valid") for each in courses])
            at = np.arange(smooth.shape[1]) + 25
            grid[0, 1].plot(at, smooth.T, color=colours[name], linewidth=0.4, alpha=0.4)
            grid[0, 1].plot(at, smooth.mean(axis=0), color=colours[name], linewidth=1.5, label=name)
        grid[0, 1].axhline(0, color=style.GREY, linestyle=":", linewidth=0.8)
        grid[0, 1].set(xlabel="trial", ylabel="reward, mean of 50 trials", ylim=(-1, 0.6))
        own = {changes["offset"]: table[table["dopamine"] == name]["last"].to_numpy()
               for name, changes in CONDITIONS.items() if "offset" in changes}  # fmt: skip
        for offset, values in own.items():
            grid[0, 2].plot(np.full(len(values), offset), values, "o", color=style.GREY, markersize=2.5)
        grid[0, 2].plot(list(own), [values.mean() for values in own.values()], color="black")
        grid[0, 2].axhline(table["first"].mean(), color=style.GREY, linestyle="--", linewidth=0.8)
        grid[0, 2].text(0.98, table["first"].mean(), "before learning", va="bottom", ha="right", color=style.GREY,
                        transform=grid[0, 2].get_yaxis_transform())  # fmt: skip
        grid[0, 2].set(xlabel="offset (sd of the reward)", ylabel=f"reward, last {LAST} trials")
        for letter, axes in zip("abc", grid[0], strict=True):
            style.label(axes, letter)
        style.legend_below(made, grid[0, 1], columns=4, seeds=len(found[names[0]]))
        for kind in ("png", "pdf"):
            made.savefig(out / f"reward_bias.{kind}")


if __name__ == "__main__":
    main()
