"""Competition by spike timing: Song, Miller & Abbott (2000), Nat. Neurosci. 3:919, doi 10.1038/78829.

    python examples/papers/song_abbott_2000.py --seeds 100:105 --out results/song_abbott_2000

Published: a cell that integrates and fires hears 1,000 excitatory Poisson inputs through synapses with additive
spike-timing-dependent plasticity (A+ 0.005, A-/A+ 1.05, 20 ms), and 200 inhibitory ones. Weights go to either bound,
and the rate of the cell ends nearly where it does at any other rate of the inputs; its firing is irregular.

Here: the cell, its conductances and the plasticity have the published numbers. A network has ten such cells beside each
other with the same inputs, which differ in the weights that they start with, and the rule is `stdp`.

Comes out (seeds 100 to 104, mean ± standard deviation): with inputs of 10, 20, 30 and 40 Hz the cells fire at
13.5 ± 0.7, 11.6 ± 0.7, 12.7 ± 0.8 and 13.4 ± 0.6 Hz, while with fixed weights they fire at 0, 5.5, 117 and 211 Hz. The
coefficient of variation of their intervals is 0.81 to 0.86. At 20 Hz 63 % of the weights end in the lowest fifth of
their range and 15 % in the highest. Where A- is 0.9 A+ all of them go to the top, and the cells fire at 490 Hz.

Does not come out, or not yet: at 10 Hz weights are spread over the whole range (43 % in the three middle fifths), since
slow inputs change them slowly, and the rate still falls at the end.

What differs. Time goes in steps of 0.5 ms, and an arrival in the very step of a spike counts as one before it. That
adds to what strengthens half of what A- is above A+; A- is therefore times exp(step/tau), which makes up for it exactly
where spikes are independent. Uncorrected, the cells fire at 39.0 ± 0.6 Hz with 20-Hz inputs, after 200 s. Inputs are
Bernoulli trials in each step. Assumed: weights at the start, how long the network runs, delays of one step.
Writes song_abbott_2000.csv, .md, .png and .pdf.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import ndtri

import izhires
from izhires.analysis.figures import style
from izhires.analysis.statistics import mean_and_deviation
from izhires.model.configuration import parse_seeds

STEP = 0.5
"""Of the cells, ms."""
SECONDS = 500
"""How long a network learns; at 10-Hz inputs the rate still falls then."""
LAST = 20
"""What is measured at the end, s."""
RATES = (10, 20, 30, 40)
"""Of the excitatory inputs, Hz."""
TARGETS = 10
LARGEST = 0.015 / 20 * 70
"""Largest weight, mV/ms: the published conductance, 0.015 of the leak's, over tau_m, 70 mV away from its reversal."""
START, FIXED = 0.75, 0.27
"""Mean weight over the largest, at the start, and where nothing changes: about what 20-Hz inputs lead to; assumed."""
A_PLUS, A_MINUS = 0.005, 0.00525

CELL = """
dv/dt = (v_rest - v)/tau_m + I : volt
I = g_ex*(e_ex - v) + g_in*(e_in - v) : volt/second
dg_ex/dt = -g_ex/tau_syn : Hz
dg_in/dt = -g_in/tau_syn : Hz
tau_m : second (constant)
tau_syn : second (constant)
v_rest : volt (constant)
e_ex : volt (constant)
e_in : volt (constant)
"""
"""Conductances are over the capacitance, hence in Hz."""
VALUES = {"tau_m": "20 ms", "tau_syn": "5 ms", "v_rest": "-70 mV", "e_ex": "0 mV", "e_in": "-70 mV"}

POISSON = """
dv/dt = -v/dt + noise*xi : volt
level : volt (constant)
"""
"""In each step v is drawn anew, normal with a standard deviation of noise*sqrt(dt), and the cell fires above `level`:
independently of all else, whatever reaches it."""

NONE = ["0 mV/ms", "0 mV/ms"]
ALONE = {"bias_excitatory": NONE, "bias_inhibitory": NONE, "cue_strength": NONE}
"""No drive but that of the synapses."""

CORRECTED = A_MINUS * np.exp(STEP / 20)
CONTROLS = {
    "plastic": {"a_minus": CORRECTED},
    "fixed": {"a_plus": 0.0, "a_minus": 0.0},
    "A- < A+": {"a_minus": 0.9 * CORRECTED * A_PLUS / A_MINUS},
    "uncorrected": {"a_minus": A_MINUS},
}
"""The rule of each, see above."""


def level(rate: float) -> str:
    """Return the level above which noise of 1 mV/sqrt(ms) is at this rate (Hz)."""
    return f"{np.sqrt(STEP) * ndtri(1 - rate * STEP * 1e-3):.9g} mV"


def configuration(rate: float, control: str = "plastic", seconds: float = SECONDS) -> izhires.Configuration:
    """Return ten cells with 1,000 excitatory inputs of this rate (Hz), and with 200 inhibitory ones of 10 Hz."""
    target = {
        "type": "equations",
        "equations": CELL,
        "threshold": "v > -54*mV",
        "reset": "v = -60*mV",
        "initial": {"v": "-70 mV"},
        "types": {"target": {"excitatory": True, "values": VALUES}},
    }
    poisson = {
        "type": "equations",
        "equations": POISSON,
        "threshold": "v > level",
        "initial": {"v": "0 mV"},
        "composition": {"E": 1000 / 1200, "I": 200 / 1200},
        "types": {
            "E": {"excitatory": True, "values": {"level": level(rate)}},
            "I": {"excitatory": False, "values": {"level": level(10)}},
        },
    }
    rule = {"type": "stdp", "w_max": f"{LARGEST} mV/ms", "a_plus": A_PLUS, **CONTROLS[control]}
    mean = FIXED if control == "fixed" else START
    synapses = {"from": "inputs", "to": "cells", "wiring": "all", "delay": [f"{STEP} ms"] * 2}
    trials = max(1, round(seconds / LAST))
    return izhires.Configuration.parse(
        {
            "time_step": f"{STEP} ms",
            "reservoir": {
                "type": "unconnected", "n": TARGETS, "cell": target, "noise": "0 mV/sqrt(ms)", "tau_trace": "1000 ms",
                **ALONE,
            },
            "populations": {"inputs": {"n": 1200, "cell": poisson, "noise": "1 mV/sqrt(ms)", **ALONE}},
            "connections": {
                "excites": {
                    **synapses, "weight": f"{mean * LARGEST} mV/ms", "weight_spread": 0.3, "plasticity": rule,
                    "effect": "g_ex_post += w/(70*mV)",
                },
                # 0.05 of the leak's conductance, given as a current 10 mV away from its reversal
                "inhibits": {
                    **synapses, "cells": "inhibitory", "weight": f"{0.05 / 20 * 10} mV/ms", "weight_spread": 0.0,
                    "effect": "g_in_post -= w/(10*mV)",
                },
            },
            # readouts are always there; they look at the ten cells, rarely, and change nothing
            "state": {"time_step": "10 ms", "equations": "s = r/Hz : 1\nx = r : Hz", "update": ""},
            "when": {"feedback": "0 mV/ms"},
            # nor does the task: trials part the time, and spikes are kept of the probe, which is the last of them
            "paradigm": {
                "type": "meet", "trial_duration": f"{LAST * 1000} ms", "warm_up": 0, "probe_before_learning": False,
                "probes": [trials],
                "blocks": [{"trials": trials, "latency": {"A": "300 ms"}, "probability": {"A": 1.0}}],
            },
            "keep": {
                "slowest_rate": "0 Hz", "fastest_rate": "1000 Hz",
                "record": [{"of": "cells", "variable": "r", "every": "1000 ms"}],
            },
        }
    )  # fmt: skip


def measured(recording: xr.Dataset) -> dict[str, float]:
    """Return what is measured of a network at the end."""
    share = recording["excites_weight"].values[-1] / LARGEST
    times, cells = recording["spike_time"].values, recording["spike_neuron"].values
    found = [np.diff(times[cells == cell]) for cell in range(TARGETS)]
    return {
        "lowest fifth": np.mean(share < 0.2),
        "middle fifths": np.mean((share >= 0.2) & (share <= 0.8)),
        "highest fifth": np.mean(share > 0.8),
        "mean weight": share.mean(),
        "rate": len(times) / TARGETS / LAST,
        "CV": np.mean([each.std() / each.mean() for each in found if len(each) > 5] or [np.nan]),
    }


def course(recording: xr.Dataset) -> pd.Series:
    """Return the mean rate of the cells in each 10 s."""
    rate = recording["cells_r"].values.mean(axis=1)
    rate = rate[: len(rate) // 10 * 10]
    return pd.Series(rate.reshape(-1, 10).mean(axis=1), index=5 + 10 * np.arange(len(rate) // 10))


def main() -> None:
    """Run, measure, write and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="100:105")
    parser.add_argument("--out", type=Path, default=Path("results/song_abbott_2000"))
    given = parser.parse_args()
    seeds = parse_seeds(given.seeds)
    rows, courses, weights = [], {}, {}
    runs = [("plastic", rate, SECONDS) for rate in RATES]
    runs += [("A- < A+", 20, LAST), ("uncorrected", 20, 200)]
    runs += [("fixed", rate, LAST) for rate in RATES]
    for control, rate, seconds in runs:
        folder = given.out / f"{control.replace(' < ', '_below_')}_{rate}"
        paths = izhires.run_batch(configuration(rate, control, seconds), seeds, folder)
        recordings = [izhires.load(each) for each in paths]
        rows += [(control, rate, int(each.attrs["seed"]), *measured(each).values()) for each in recordings]
        names = list(measured(recordings[0]))
        if control == "plastic":
            courses[rate] = pd.concat([course(each) for each in recordings], axis=1)
        weights[control, rate] = np.stack([each["excites_weight"].values for each in recordings]) / LARGEST
    found = pd.DataFrame(rows, columns=["synapses", "inputs", "seed", *names])
    given.out.mkdir(parents=True, exist_ok=True)
    found.to_csv(given.out / "song_abbott_2000.csv", index=False, float_format="%.4g")
    text = table(found, given.seeds)
    (given.out / "song_abbott_2000.md").write_text(text, encoding="utf-8")
    print(text, end="")
    draw(found, courses, weights, given.out)


def table(found: pd.DataFrame, seeds: str) -> str:
    """Return the numbers as a table in Markdown."""
    lines = [
        "| synapses | inputs (Hz) | cells (Hz) | CV of intervals | weights in lowest, middle three, highest fifth |",
        "|---|---|---|---|---|",
    ]
    for (control, rate), own in found.groupby(["synapses", "inputs"], sort=False):
        shares = ", ".join(f"{own[each].mean():.1%}" for each in ("lowest fifth", "middle fifths", "highest fifth"))
        fired = " | ".join(mean_and_deviation(own[name], digits) for name, digits in (("rate", 1), ("CV", 2)))
        lines.append(f"| {control} | {rate} | {fired} | {shares} |")
    return "\n".join([*lines, "", f"Mean ± standard deviation over seeds {seeds}, in the last {LAST} s.", ""])


def draw(found: pd.DataFrame, courses: dict[int, pd.DataFrame], weights: dict, out: Path) -> None:
    """Draw weights, the course of the rates, and rates over those of the inputs."""
    bins = np.linspace(0, 1, 21)
    with style.applied():
        made, grid = style.canvas(1, 3, width=style.DOUBLE, height=58 * style.MILLIMETRE)
        left, middle, right = grid[0]
        two = style.colours(["plastic", "A- < A+"])
        for (control, rate), shares in weights.items():
            if rate != 20 or control not in two:
                continue
            heights = np.histogram(shares[:, -1], bins)[0] / shares[:, -1].size
            left.stairs(heights, bins, color=two[control], fill=control == "plastic", alpha=0.85, linewidth=1.4,
                        label=control.replace("-", "\u2212"))  # fmt: skip
        start = weights["plastic", 20][:, 0]
        heights = np.histogram(start, bins)[0] / start.size
        left.stairs(heights, bins, color=style.GREY, linewidth=0.9, label="at the start")
        left.set(xlabel="weight / largest", ylabel="share of the synapses", title="20-Hz inputs", yscale="log")
        left.set_ylim(0.002, 15)
        left.set_yticks([0.01, 0.1, 1], labels=["0.01", "0.1", "1"])
        left.minorticks_off()
        left.legend(loc="upper center")
        shades = style.graded([str(rate) for rate in courses])
        for rate, own in courses.items():
            middle.plot(own.index, own.mean(axis=1), color=shades[str(rate)], linewidth=1.2, label=f"{rate} Hz")
        middle.set(xlabel="time (s)", ylabel="rate of the cells (Hz)", title="plastic", yscale="log")
        middle.set_yticks([10, 20, 50, 100], labels=["10", "20", "50", "100"])
        middle.minorticks_off()
        middle.legend(title="inputs")
        names = {"plastic": "plastic", "fixed": f"fixed, mean {FIXED:g}"}
        for (control, name), colour in zip(names.items(), style.colours(list(names)).values(), strict=True):
            own = found[found["synapses"] == control].groupby("inputs")["rate"]
            right.errorbar(own.mean().index, own.mean(), yerr=own.std().fillna(0), marker="o", markersize=3,
                           color=colour, label=name)  # fmt: skip
        right.set(xlabel="rate of the inputs (Hz)", ylabel="rate of the cells (Hz)", ylim=(0, 400))
        right.set_yscale("symlog", linthresh=10)
        right.set_yticks([0, 5, 10, 100], labels=["0", "5", "10", "100"])
        right.minorticks_off()
        right.legend(loc="lower right")
        for letter, axes in zip("abc", grid[0], strict=True):
            style.label(axes, letter)
        for kind in ("png", "pdf"):
            made.savefig(out / f"song_abbott_2000.{kind}")


if __name__ == "__main__":
    main()
