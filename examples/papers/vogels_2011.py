"""Inhibition that balances excitation and hides a memory: Vogels et al. (2011), Science 334:1569.

    python examples/papers/vogels_2011.py --seeds 100:105 --out results/vogels_2011

doi 10.1126/science.1211095. Published: inhibitory synapses onto excitatory cells that learn from near-coincident spikes
bring a network that fires at high rates to sparse, irregular firing at a target rate. Where the weights within an
assembly of cells are then made five times as strong, the assembly fires more, until inhibition has adapted and nothing
tells it from the other cells; a cue to a quarter of it recalls all of it.

Here: the equations, time constants and potentials of the paper's cells, and the rule `inhibitory` (3 Hz, 20 ms).
Four phases are the blocks of a task: nothing learns; inhibition learns; the assembly is made, and inhibition learns; it
does not, and a cue comes for 1 s in every 2.

Comes out (seeds 100 to 104, mean ± standard deviation): from 181 Hz the others come to 3.4 ± 0.1 Hz, and to
3.2 ± 0.1 Hz 20 s later; intervals have a coefficient of variation of 1.04 ± 0.01. The assembly fires at 26 ± 6 Hz in
the first second after it is made and at 3.2 ± 0.3 Hz 12 to 20 s later. While a quarter of it is cued, the rest
fires at 50 ± 11 Hz, other cells at 7 ± 3 Hz, and after the cue the rest is at 4.4 ± 0.6 Hz. Where no assembly is made,
the same cue leaves the same cells at 4.3 ± 1.2 Hz. Inhibition follows excitation from cell to cell (correlation 0.99,
before 0.01). Without learning all cells go on at 182 Hz.

Does not come out: firing that is asynchronous. Spikes of two cells within 5 ms are correlated by 0.032 ± 0.006, so that
the sum over the cells has 24 times the variance of that of independent ones. The recall does reach the others, and the
rate ends a little above the target, at which the mean change would be 0 only if spikes of both sides of a synapse
were independent.

What differs, all assumed: 800 excitatory and 200 inhibitory cells for 8,000 and 2,000, each with as many synapses (160
and 40 sources), hence ten times as dense; weights a third of the published 3 and 30 nS, with which a network of this
size locks into a rhythm of the refractory period, 167 Hz, that inhibition does not end; log-normal weights and delays
of 0.5 to 5 ms, against the same; plastic weights of 3 nS at the start and 300 nS at most; faster learning (0.3 nS for a
pair at most), for 40 s rather than hours; no learning during the cue, which is Poisson input of 50 synapses of 100 Hz
for each cued cell; Euler steps of 0.5 ms.
Writes vogels_2011.csv, .md, .png and .pdf.
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

STEP, TRIAL = 0.5, 2
"""Of the cells, ms, and a trial, s: the cue comes in its first half."""
PHASES = {"nothing learns": 2, "inhibition learns": 20, "assembly": 20, "recall": 8}
"""Length of each, s."""
CUED, ASSEMBLY, CELLS, INHIBITORY = 20, 80, 800, 200
"""The first 20 excitatory cells are the cued ones of the 80 of the assembly."""
LAST = 8
"""How much of the end of a phase is measured, s."""
TARGET = 3.0
"""Hz."""
SHOWN = list(range(0, 2 * ASSEMBLY, 2))
"""Cells whose currents are recorded: of the assembly, and as many others."""
BACKGROUND = 1.0
"""Constant drive: 200 pA over 200 pF, mV/ms, which takes a cell to its threshold and no further."""
RAISED = 5.0
"""What the weights within the assembly are multiplied by."""
LARGEST = 300.0
"""Largest plastic weight, nS."""
EXCITES, INHIBITS = 60 / 200, 20 / 200
"""A conductance of 1 nS as a current over 200 pF, mV/ms, at rest: 60 and 20 mV away from its reversal."""

CELL = """
dv/dt = int(left <= dt/2)*((v_rest - v)/tau_m + I) + int(left > dt/2)*(v_rest - v)/dt : volt
dleft/dt = -int(left > dt/2) : second
I = excited + inhibited + background : volt/second
excited = g_e*(e_e - v) : volt/second
inhibited = g_i*(e_i - v) : volt/second
dg_e/dt = -g_e/tau_e : Hz
dg_i/dt = -g_i/tau_i : Hz
tau_m : second (constant)
tau_e : second (constant)
tau_i : second (constant)
v_rest : volt (constant)
e_e : volt (constant)
e_i : volt (constant)
background : volt/second (constant)
"""
"""Conductances are over the capacitance, hence in Hz; ``left`` is what is left of the refractory period."""
VALUES = {
    "tau_m": "20 ms", "tau_e": "5 ms", "tau_i": "10 ms", "v_rest": "-60 mV", "e_e": "0 mV", "e_i": "-80 mV",
    "background": f"{BACKGROUND:g} mV/ms",
}  # fmt: skip
MEMBER = "member : 1 (constant)\ncued : 1 (constant)\n"
"""What excitatory cells are: of the assembly, and of its cued part."""

POISSON = "dv/dt = -v/dt + noise*xi : volt\nlevel : volt (constant)\n"
"""In each step v is drawn anew, and the cell fires above `level`: at random, whatever reaches it."""

NONE = ["0 mV/ms", "0 mV/ms"]
ALONE = {"noise": "0 mV/sqrt(ms)", "bias_excitatory": NONE, "bias_inhibitory": NONE, "cue_strength": NONE}
"""No drive but that of the synapses."""

CONTROLS = ("whole", "no memory", "no learning")
"""No memory: weights within the assembly stay as they were. No learning: inhibition stays as weak as at the start."""


def cell(equations: str, types: dict[str, tuple[float, bool, dict[str, str]]]) -> dict:
    """Return a cell model with some types: share, whether it excites, values."""
    return {
        "type": "equations",
        "equations": equations,
        "threshold": "v > -50*mV and left <= dt/2",
        "reset": "v = v_rest\nleft = 5*ms",
        "initial": {"v": "-60 mV"},
        "composition": {name: share for name, (share, _, _) in types.items()},
        "types": {name: {"excitatory": excites, "values": values} for name, (_, excites, values) in types.items()},
    }


def configuration(control: str = "whole", phases: dict[str, float] = PHASES) -> izhires.Configuration:
    """Return the network and its phases (s each)."""
    # what the weight of a synapse between two members is multiplied by: 1 + member*member
    member = np.sqrt((1.0 if control == "no memory" else RAISED) - 1)
    excitatory = cell(
        CELL + MEMBER,
        {
            "cued": (CUED / CELLS, True, {**VALUES, "member": member, "cued": 1.0}),
            "assembly": ((ASSEMBLY - CUED) / CELLS, True, {**VALUES, "member": member, "cued": 0.0}),
            "others": (1 - ASSEMBLY / CELLS, True, {**VALUES, "member": 0.0, "cued": 0.0}),
        },
    )
    poisson = {
        "type": "equations",
        "equations": POISSON,
        "threshold": "v > level",
        "initial": {"v": "0 mV"},
        "types": {"poisson": {"excitatory": True, "values": {
            "level": f"{np.sqrt(STEP) * ndtri(1 - 100 * STEP * 1e-3):.9g} mV"}}},
    }  # fmt: skip
    excites, inhibits = "g_e_post += w/(60*mV)", "g_i_post -= w/(20*mV)"
    plastic = {
        "type": "inhibitory", "eta": 1e-3, "target": f"{TARGET} Hz", "w_max": f"{LARGEST * INHIBITS} mV/ms",
    }  # fmt: skip
    connections = {
        # source, target, sources of each target, nS, effect
        "e_to_e": ("cells", "cells", 160, 1.0, f"{excites}*(1 + member_pre*member_post*int(block(t) > 1.5))"),
        "e_to_i": ("cells", "interneurons", 160, 1.0, excites),
        "i_to_i": ("interneurons", "interneurons", 40, 10.0, inhibits),
        "i_to_e": ("interneurons", "cells", 40, 3.0, inhibits),
        "cue": ("stimulus", "cells", 50, 1.0,
                f"{excites}*cued_post*int(block(t) > 2.5)*int(elapsed(t) >= 0*second)*int(elapsed(t) < 1*second)"),
    }  # fmt: skip
    made = {}
    for name, (source, target, degree, weight, effect) in connections.items():
        inhibitory = source == "interneurons"
        made[name] = {
            "from": source, "to": target, "cells": "inhibitory" if inhibitory else "excitatory",
            "wiring": {"degree": degree}, "weight": f"{weight * (INHIBITS if inhibitory else EXCITES)} mV/ms",
            "delay": ["0.5 ms", "5 ms"], "effect": effect,
        }  # fmt: skip
    learns = "0" if control == "no learning" else "int(block(t) > 0.5)*int(block(t) < 2.5)"
    made["i_to_e"] |= {"plasticity": plastic, "learns": learns}
    blocks = [
        {"name": name, "trials": max(1, round(seconds / TRIAL)), "latency": {"A": "300 ms"}, "probability": {"A": 1.0}}
        for name, seconds in phases.items()
    ]
    return izhires.Configuration.parse(
        {
            "time_step": f"{STEP} ms",
            "reservoir": {"type": "unconnected", "n": CELLS, **ALONE, "cell": excitatory},
            "populations": {
                "interneurons": {"n": INHIBITORY, **ALONE, "cell": cell(CELL, {"inhibitory": (1.0, False, VALUES)})},
                "stimulus": {"n": 250, **ALONE, "noise": "1 mV/sqrt(ms)", "cell": poisson},
            },
            "connections": made,
            # readouts are always there; here they look rarely, and change nothing
            "state": {"time_step": "10 ms", "equations": "s = r/Hz : 1\nx = r : Hz", "update": ""},
            "when": {"feedback": "0 mV/ms"},
            "paradigm": {
                "type": "meet", "trial_duration": f"{TRIAL * 1000} ms", "cue_onset": "0 ms", "warm_up": 0,
                "probe_before_learning": False, "probes": [], "blocks": blocks,
            },
            "keep": {
                "spikes": "all", "fastest_rate": "500 Hz",
                "record": [{"of": "cells", "variable": each, "elements": SHOWN, "every": "10 ms"}
                           for each in ("excited", "inhibited")],
            },
        }
    )  # fmt: skip


GROUPS = {"cued": (0, CUED), "assembly": (CUED, ASSEMBLY), "others": (ASSEMBLY, CELLS)}
"""Of the excitatory cells; assembly: those that are not cued."""


def rates(recording: xr.Dataset, width: float = 1.0) -> pd.DataFrame:
    """Return the mean rate (Hz) of each group in bins of so many s; the index is the start of the bin."""
    edges = np.arange(0, float(recording.attrs["duration"]) + width / 2, width)
    time, neuron = recording["spike_time"].values, recording["spike_neuron"].values
    found = {
        name: np.histogram(time[(neuron >= low) & (neuron < high)], edges)[0] / (high - low) / width
        for name, (low, high) in GROUPS.items()
    }
    inside = recording["interneurons_spike_time"].values
    found["inhibitory"] = np.histogram(inside, edges)[0] / INHIBITORY / width
    return pd.DataFrame(found, index=edges[:-1])


def starts(recording: xr.Dataset) -> np.ndarray:
    """Return when each phase begins, and the end, s."""
    block, onset = recording["trial_block"].values, recording["trial_onset"].values
    return np.append(onset[np.flatnonzero(np.diff(block, prepend=-1))], recording.attrs["duration"])


def measured(recording: xr.Dataset) -> pd.DataFrame:
    """Return the rates of the groups in each of the moments that are compared, and how balanced the cells are."""
    each, (first, learns, assembly, recall, _) = rates(recording), starts(recording)
    cue = (each.index >= recall) & ((each.index - recall) % TRIAL < 1)
    moments = {
        "before": (each.index >= first) & (each.index < learns),
        "balanced": (each.index >= assembly - LAST) & (each.index < assembly),
        "assembly made": (each.index >= assembly) & (each.index < assembly + 1),
        "assembly balanced": (each.index >= recall - LAST) & (each.index < recall),
        "cue": cue,
        "after the cue": (each.index >= recall) & ~cue,
    }
    found = pd.DataFrame({name: each[chosen].mean() for name, chosen in moments.items()}).T
    for moment, start, stop in (("before", first, learns), ("assembly balanced", recall - LAST, recall)):
        found.loc[moment, "balance"] = balance(recording, start, stop)
        found.loc[moment, ["CV", "correlation"]] = irregular(recording, start, stop)
    return found


def irregular(recording: xr.Dataset, start: float, end: float) -> tuple[float, float]:
    """Return the coefficient of variation of intervals, and the correlation of spikes of two cells, both of others.

    The latter is (F - 1)/(n - 1), with F the variance over the mean of what n cells fire together in 5 ms.
    """
    low, high = GROUPS["others"]
    time, neuron = recording["spike_time"].values, recording["spike_neuron"].values
    chosen = (time >= start) & (time < end) & (neuron >= low) & (neuron < high)
    time, neuron = time[chosen], neuron[chosen]
    order = np.lexsort((time, neuron))
    gaps, same = np.diff(time[order]), np.diff(neuron[order]) == 0
    each = pd.Series(gaps[same]).groupby(neuron[order][1:][same])
    sums = np.histogram(time, np.linspace(start, end, round((end - start) / 0.005) + 1))[0]
    return float((each.std() / each.mean()).mean()), float((sums.var() / sums.mean() - 1) / (high - low - 1))


def currents(recording: xr.Dataset, start: float, end: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean excitatory and inhibitory current (mV/ms) of the recorded cells between two moments (s)."""
    time = recording["cells_excited_time"].values
    chosen = (time >= start) & (time < end)
    return tuple(recording[f"cells_{name}"].values[chosen].mean(axis=0) for name in ("excited", "inhibited"))


def balance(recording: xr.Dataset, start: float, end: float) -> float:
    """Return the correlation over cells of mean excitation and mean inhibition."""
    excited, inhibited = currents(recording, start, end)
    return float(np.corrcoef(excited, -inhibited)[0, 1])


def main() -> None:
    """Run, measure, write and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="100:105")
    parser.add_argument("--out", type=Path, default=Path("results/vogels_2011"))
    given = parser.parse_args()
    seeds = parse_seeds(given.seeds)
    tables, recordings = [], {}
    for control in CONTROLS:
        # where nothing learns there is nothing to wait for
        phases = {**PHASES, "inhibition learns": LAST, "assembly": LAST} if control == "no learning" else PHASES
        paths = izhires.run_batch(configuration(control, phases), seeds, given.out / control.replace(" ", "_"))
        recordings[control] = [izhires.load(path) for path in paths]
        for each in recordings[control]:
            own = measured(each).rename_axis("moment").reset_index()
            tables.append(own.assign(control=control, seed=int(each.attrs["seed"])))
    found = pd.concat(tables, ignore_index=True)
    given.out.mkdir(parents=True, exist_ok=True)
    found.to_csv(given.out / "vogels_2011.csv", index=False, float_format="%.4g")
    text = table(found, given.seeds)
    (given.out / "vogels_2011.md").write_text(text, encoding="utf-8")
    print(text, end="")
    draw(found, recordings, given.out)


def table(found: pd.DataFrame, seeds: str) -> str:
    """Return the numbers as a table in Markdown."""
    groups, further = [*GROUPS, "inhibitory"], {"balance": 2, "CV": 2, "correlation": 3}
    names = [*groups, *further]
    lines = [f"| network | moment | {' | '.join(names)} |", "|---" * (len(names) + 2) + "|"]
    for (control, moment), own in found.groupby(["control", "moment"], sort=False):
        cells = [mean_and_deviation(own[each], further.get(each, 1)) for each in names]
        lines.append(f"| {control} | {moment} | {' | '.join(cells)} |")
    return "\n".join(
        [*lines, "", f"Rates (Hz), mean ± standard deviation over seeds {seeds}; assembly: without the cued cells; "
         "balance: correlation over cells of mean excitation and mean inhibition; CV of intervals and correlation of "
         "two cells in 5 ms: of others.", ""]
    )  # fmt: skip


def draw(found: pd.DataFrame, recordings: dict[str, list[xr.Dataset]], out: Path) -> None:
    """Draw the course of the rates, currents of cells before and after, and what a cue recalls."""
    whole = recordings["whole"]
    colours = style.colours([*GROUPS, "inhibitory"])
    with style.applied():
        made = style.page(style.DOUBLE, 100 * style.MILLIMETRE)
        grid = made.add_gridspec(2, 2, height_ratios=[1, 1.1])
        course, cells, recall = made.add_subplot(grid[0, :]), made.add_subplot(grid[1, 0]), made.add_subplot(grid[1, 1])
        courses = [rates(each, 0.5) for each in whole]
        for name in GROUPS:
            mean = np.mean([each[name] for each in courses], axis=0)
            course.step(courses[0].index, mean, where="post", color=colours[name], linewidth=1.0, label=name)
        edges = starts(whole[0])
        for start, end, name in zip(edges[:-1], edges[1:], PHASES, strict=True):
            course.axvline(start, color=style.PALE, linewidth=0.8, zorder=0)
            narrow = end - start < 5
            course.text((start + end) / 2, 0.43 if narrow else 0.97, name, transform=course.get_xaxis_transform(),
                        ha="center", va="center" if narrow else "top", rotation=90 if narrow else 0, color=style.GREY,
                        fontsize=6)  # fmt: skip
        course.axhline(TARGET, color=style.GREY, linestyle="--", linewidth=0.8)
        course.set(xlabel="time (s)", ylabel=f"rate (Hz), {style.number_of(len(whole))}", yscale="log",
                   xlim=edges[[0, -1]], ylim=(1, 900))  # fmt: skip
        course.set_yticks([1, 3, 10, 30, 100], labels=["1", "3", "10", "30", "100"])
        course.minorticks_off()
        course.legend(loc="center", bbox_to_anchor=(0.25, 0.6))
        dots = {"linestyle": "", "marker": "o", "markersize": 1.4}
        excited, inhibited = np.hstack([currents(each, 0, edges[1]) for each in whole])
        cells.plot(excited + BACKGROUND, -inhibited, color=style.GREY, label="before, all cells", **dots)
        # (what, seed, cell)
        end = np.swapaxes([currents(each, edges[3] - LAST, edges[3]) for each in whole], 0, 1)
        part = np.array(SHOWN) < ASSEMBLY
        for name, chosen in (("assembly", part), ("others", ~part)):
            excited, inhibited = end[..., chosen].reshape(2, -1)
            cells.plot(excited + BACKGROUND, -inhibited, color=colours[name], label=f"balanced, {name}", **dots)
        cells.axline((1, 1), slope=1, color=style.GREY, linewidth=0.7, linestyle="--")
        cells.set(xlabel="mean excitation and constant drive (mV/ms)", ylabel="mean inhibition (mV/ms)")
        cells.loglog()
        for axis in (cells.xaxis, cells.yaxis):
            axis.set_ticks([1, 3, 10, 30], labels=["1", "3", "10", "30"])
        cells.minorticks_off()
        cells.legend(loc="upper left", markerscale=2)
        moments = ["assembly balanced", "cue", "after the cue"]
        places = [(control, moment) for control in ("whole", "no memory") for moment in moments]
        wide = 0.26
        for number, name in enumerate(GROUPS):
            own = found.set_index(["control", "moment"])[name]
            for place, key in enumerate(places):
                values = np.atleast_1d(own.loc[key])
                x = place + (place >= len(moments)) * 0.6 + (number - 1) * wide
                recall.bar(x, values.mean(), wide, color=colours[name])
                recall.plot(np.full(len(values), x), values, linestyle="", marker=".", markersize=2, color=style.BLACK)
        ticks = [place + (place >= len(moments)) * 0.6 for place in range(len(places))]
        recall.set_xticks(ticks, labels=["balanced", "cue", "after"] * 2)
        for middle, name in ((1, "assembly"), (4.6, "no assembly made")):
            recall.text(middle, 1.0, name, transform=recall.get_xaxis_transform(), ha="center", va="bottom")
        recall.set(ylabel="rate (Hz)")
        for letter, axes in zip("abc", (course, cells, recall), strict=True):
            style.label(axes, letter)
        for kind in ("png", "pdf"):
            made.savefig(out / f"vogels_2011.{kind}")


if __name__ == "__main__":
    main()
