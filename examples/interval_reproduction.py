"""Which networks reproduce an interval that they heard, and which produce the mean of all, whatever they heard?

    python examples/interval_reproduction.py --seeds 100:105 --out results/interval_reproduction

Ready, set, go (Jazayeri & Shadlen 2010, doi 10.1038/nn.2590) under three priors for the default circuit, `sequence`,
and for `random`. Controls under the short prior: `random` that does not hear ready, with its recurrence cut, and taught
every second interval, when the others show whether it has learned a rule or each interval by itself; `sequence` whose
rule knows no surprise, and whose readout is fitted by recursive least squares; and two ideal delay lines, one started
by ready and one by set, with the best linear readout there is (no network; see `delay_lines`). Writes
intervals.csv, a table as interval_reproduction.md, and the figure of each network with all priors.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

import izhires
from izhires import Configuration
from izhires.analysis import analyse, make_figures
from izhires.analysis.metrics.base import range_of
from izhires.analysis.metrics.interval_reproduction import measures, productions, read_times, slope
from izhires.analysis.selection import by_cue
from izhires.analysis.statistics import over_seeds, t_interval
from izhires.model.configuration import parse_seeds
from izhires.paradigms import IntervalReproduction

TASK = IntervalReproduction()
SHORT = {"type": TASK.type, "priors": {"short": [f"{each:g} ms" for each in TASK.priors["short"]]}}
HELD_OUT = TASK.priors["short"][1::2]
NETWORKS: dict[str, dict[str, Any]] = {
    "sequence": {"paradigm": TASK.type},
    "random": {"paradigm": TASK.type, "reservoir": "random"},
    "random, ready not heard": {"paradigm": SHORT, "reservoir": "random", "input_channels": {"ready": {"share": 0.0}}},
    "random, recurrence cut": {"paradigm": SHORT, "reservoir": {"type": "random", "recurrence": 0.0}},
    "random, every second interval": {
        "paradigm": {**SHORT, "held_out": [f"{each:g} ms" for each in HELD_OUT]},
        "reservoir": "random",
    },
    "sequence, without surprise": {
        "paradigm": SHORT,
        "when": {"rule": {"type": "normalised_three_factor", "surprise_gain": 0.0}},
    },
    "sequence, least squares": {"paradigm": SHORT, "when": {"rule": "force", "gate": "open"}},
}
PARTS = ("slope", "slope_chance", "error", "bias", "deviation", "scalar", "w_measure", "w_produce", "over_mean",
         "over_likelihood")  # fmt: skip
SPACING, WIDTH, STEP, RIDGE = 20.0, 20.0, 10.0, 1e-4
"""Time from cell to cell of a delay line, how long a cell is active (standard deviation), step of its samples (ms), and
the penalty over the mean squared length of a state."""


def delay_lines(prior: np.ndarray, length: float, together: bool) -> np.ndarray:
    r"""Return what the best linear readout of ideal delay lines produces.

    Cell i of a line is active around :math:`c_i` ms after its signal, :math:`\exp(-(t - c_i)^2 / (2 w^2))`. One line is
    started by ready, one by set. The readout is the ridge regression on all cells of the bump that stands for go, over
    the window after set of each sample interval.

    Parameters
    ----------
    prior : array
        Sample intervals, ms.
    length : float
        How long a line lasts after its signal, ms.
    together : bool
        Whether the readout sees products of a cell of one line and one of the other, cells that are active when both
        are, rather than the cells of both lines.

    Returns
    -------
    array
        The produced interval for each sample interval, ms.
    """
    time = np.arange(0, TASK.window, STEP)
    centre = np.arange(0, length, SPACING)
    states, wanted = [], []
    for interval in prior:
        after_set, after_ready = (
            np.exp(-((time[:, None] + late - centre) ** 2) / (2 * WIDTH**2)) for late in (0, interval)
        )
        both = after_set[:, :, None] * after_ready[:, None, :]
        states.append(both.reshape(len(time), -1) if together else np.hstack([after_set, after_ready]))
        wanted.append(np.exp(-((time - interval) ** 2) / (2 * TASK.event_width**2)))
    x, y = np.vstack(states), np.concatenate(wanted)
    kernel = x @ x.T
    fitted = kernel @ np.linalg.solve(kernel + RIDGE * np.trace(kernel) / len(kernel) * np.eye(len(kernel)), y)
    return read_times(fitted.reshape(len(prior), -1), time, TASK.event_width)["peak"]


def main() -> None:
    """Run, measure, write and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="100:105")
    parser.add_argument("--out", type=Path, default=Path("results/interval_reproduction"))
    parser.add_argument("--only", action="append", help="one of the networks; repeatable")
    parser.add_argument("--processes", type=int)
    parser.add_argument("--kept", action="store_true", help="run nothing: measure the recordings that are there")
    given = parser.parse_args()
    unknown = set(given.only or ()) - set(NETWORKS)
    if unknown:
        parser.error(f"--only: {', '.join(sorted(unknown))} is none of {', '.join(NETWORKS)}")
    seeds, tables, beside = parse_seeds(given.seeds), [], []
    for name in given.only or NETWORKS:
        folder = given.out / name.replace(", ", "_").replace(" ", "_")
        configuration = Configuration.parse({**NETWORKS[name], "keep": {"spikes": "none"}})
        if not given.kept:
            izhires.run_batch(configuration, seeds, folder, processes=given.processes)
        recordings = izhires.load_folder(folder)
        table = analyse(recordings, only=["interval_reproduction"])
        tables.append(table.assign(network=name, part=table["metric"].str.partition(".")[2]))
        lines = [*contexts(recordings), *recency(recordings), *apart(recordings, configuration.paradigm.held_out)]
        beside += [f"{name}: {line}" for line in lines]
        if len(configuration.paradigm.variants()) > 1:
            make_figures(by_cue(recordings), folder, only=["interval_reproduction"], known=table)
    found = pd.concat(tables, ignore_index=True)[["network", "variant", "seed", "part", "value"]]
    found.to_csv(given.out / "intervals.csv", index=False, float_format="%.5g")
    text = "\n".join([written(found), "", *beside, *([] if given.only else limits())])
    (given.out / "interval_reproduction.md").write_text(text + "\n", encoding="utf-8")
    print(text)


def written(found: pd.DataFrame) -> str:
    """Return the measures as markdown: the mean over seeds with its 95% t-interval."""
    by = ["network", "variant", "part"]
    each = [over_seeds(found[found["part"] == part], by, "value", range_of(TASK.type, part)) for part in PARTS]
    means = pd.concat(each).set_index(by)
    lines = [f"| network | prior | {' | '.join(PARTS)} |", "|---" * (len(PARTS) + 2) + "|"]
    for network, prior in found[["network", "variant"]].drop_duplicates().itertuples(index=False):
        cells = []
        for part in PARTS:
            mean, low, high = means.loc[(network, prior, part), ["mean", "low", "high"]]
            cells.append(f"{mean:.3g} [{low:.3g}, {high:.3g}]" if part != "slope_chance" else f"{mean:.2g}")
        lines.append(f"| {network} | {prior} | {' | '.join(cells)} |")
    return "\n".join(lines)


def contexts(recordings: Sequence[xr.Dataset]) -> Iterator[str]:
    """Yield how much longer the same intervals are produced under a prior of longer ones: networks of equal seeds."""
    found = productions(recordings).groupby(["prior", "seed", "interval"], sort=False)["peak"].mean()
    order = found.reset_index().groupby("prior")["interval"].min().sort_values().index
    for lower, upper in pairwise(order):
        more = (found[upper] - found[lower]).dropna()
        mean, low, high = t_interval(more.groupby("seed").mean())
        shared = more.index.get_level_values("interval").nunique()
        yield f"{upper} less {lower}, {shared} intervals of both: {mean:.1f} [{low:.1f}, {high:.1f}] ms"


def recency(recordings: Sequence[xr.Dataset]) -> Iterator[str]:
    """Yield how far the mean of all that is produced follows the interval of the last training trial, over seeds."""
    rows = []
    for recording in recordings:
        found = productions([recording])
        last = 1e3 * recording["trial_latency"].values[recording["trial_kind"].values == "train"][-1]
        mean = found["interval"].mean()
        rows.append((str(found["prior"].iloc[0]), last - mean, found["peak"].mean() - mean))
    for prior, own in pd.DataFrame(rows, columns=["prior", "last", "produced"]).groupby("prior", sort=False):
        steepness, r = slope(own["last"].to_numpy(), own["produced"].to_numpy())[0], own["last"].corr(own["produced"])
        yield f"{prior}: mean produced on the last trained interval: slope {steepness:.2f}, r {r:.2f}, {len(own)} seeds"


def apart(recordings: Sequence[xr.Dataset], held_out: Sequence[float]) -> Iterator[str]:
    """Yield slope and error of the intervals that were taught and of those held out, where some were."""
    found = productions(recordings) if held_out else pd.DataFrame({"interval": []})
    groups = found.groupby(np.where(found["interval"].isin(held_out), "held out", "taught"))
    for which, own in groups:
        each = [measures(one["interval"].to_numpy(), one["peak"].to_numpy()) for _, one in own.groupby("seed")]
        text = []
        for part in ("slope", "error", "bias"):
            mean, low, high = t_interval([one[part] for one in each], within=range_of(TASK.type, part))
            text.append(f"{part} {mean:.3g} [{low:.3g}, {high:.3g}]")
        yield f"{own['interval'].nunique()} intervals {which}: {', '.join(text)}"


def limits() -> list[str]:
    """Return what ideal delay lines produce, a line each."""
    lines = []
    for name, values in TASK.priors.items():
        prior = np.array(values)
        for length, lasts, together in (
            (TASK.window, "the window", False),
            (TASK.window + prior[-1], "interval and window", False),
            (TASK.window + prior[-1], "interval and window", True),
        ):
            produced = delay_lines(prior, length, together)
            found = measures(prior, produced)
            what = "products of two delay lines" if together else "two delay lines"
            lines.append(f"{what} that last {lasts}, {name}: slope {found['slope']:.2f}, error {found['error']:.2f}, "
                         f"produced {', '.join(f'{each:.0f}' for each in produced)} ms")  # fmt: skip
    return lines


if __name__ == "__main__":
    main()
