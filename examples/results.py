"""Everything that docs/results.md says, measured: runs the experiments, prints the table and writes it.

    python examples/results.py --seeds 100:105 --out results [--participant sub-AB4/eeg/*_events.tsv ...]

Experiments: the four blocks of the Multi-Event Expectation Task on three circuits (sequence, random, unconnected),
eleven levels of probability and five latencies on the first two, more seeds of the default, and a participant's
event files when given. Recordings that are there are kept.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from izhires import Configuration, load_folder, run_batch
from izhires.analysis import analyse, make_figures
from izhires.analysis.metrics.base import range_of
from izhires.analysis.observers.change_point import HAZARD, change_point
from izhires.analysis.statistics import POSITIVE, Range, t_interval
from izhires.model.configuration import parse_seeds, read

# the default, and two others at the best point found for each
CIRCUITS: dict[str, str | None] = {
    "sequence": None,
    "random": "random.toml",
    "unconnected": "unconnected.toml",
    "unconnected, noise": "unconnected_noise.toml",
}
HERE = Path(__file__).parent
# five latencies, two events of equal probability in each of three blocks
LATENCIES = [
    {"latency": {"A": f"{first} ms", "B": f"{second} ms"}, "probability": {"A": 0.5, "B": 0.5}}
    for first, second in ((200, 500), (350, 650), (500, 800))
]


def text(values: np.ndarray, within: Range, worst: bool = False) -> str:
    """Return mean, 95% interval over seeds within the range of the quantity, and the worst (the largest) seed."""
    found = values[~np.isnan(values)]
    if not len(found):
        return "none"
    mean, low, high = t_interval(found, within=within)
    shown = f"{mean:.3g}"
    if not np.isnan(low):
        shown += f" [{low:.3g}, {high:.3g}]"
    return shown + (f", worst {found.max():.3g}" if worst else "")


class Results:
    """Runs experiments into folders and answers with values over seeds."""

    def __init__(self, seeds: list[int], out: Path) -> None:
        self.seeds, self.out = seeds, out
        self.tables: dict[str, pd.DataFrame] = {}

    def run(
        self, name: str, configuration: Configuration, figures: bool = False, seeds: list[int] | None = None
    ) -> None:
        """Run one experiment on all seeds and compute its metrics."""
        folder = self.out / name.replace(", ", "-")
        print(f"{name} ...", flush=True)
        run_batch(configuration, seeds or self.seeds, folder)
        recordings = load_folder(folder)
        self.tables[name] = analyse(recordings)
        self.tables[name].to_csv(folder / "metrics.csv", index=False)
        if figures:
            make_figures(recordings, folder / "figures")

    def values(self, name: str, metric: str, block: int | None = None, event: str | None = None) -> np.ndarray:
        """Return a metric's values, one a seed (or pooled)."""
        table = self.tables[name]
        rows = table[table["metric"] == metric]
        if block is not None:
            rows = rows[rows["block"] == block]
        if event is not None:
            rows = rows[rows["event"] == event]
        return rows["value"].to_numpy(float)

    def text(self, name: str, metric: str, block: int | None = None, event: str | None = None,
             worst: bool = False) -> str:  # fmt: skip
        """Return a metric over seeds, see `text`."""
        whole, _, part = metric.partition(".")
        return text(self.values(name, metric, block, event), range_of(whole, part), worst)


def observer_recovery(recordings: list[xr.Dataset], block: int) -> np.ndarray:
    """Return the trial of a block by which an exact observer that is not told has recovered 75% of its error."""
    found = []
    for recording in recordings:
        trials = recording.sel(trial=recording["trial_kind"].values == "train")
        first = str(recording["event"].values[0])
        true = recording["outcome_probability"].values[
            (recording["outcome_block"].values == block) & (recording["outcome_event"].values == first)
        ]
        # one more trial that nobody sees, for what is expected after the last
        happened = np.append(trials["trial_event"].values != first, -1)
        expected = change_point(happened, np.ones(2), np.full(len(happened), HAZARD))[0][1:, 0]
        inside = np.flatnonzero(trials["trial_block"].values == block)
        error = np.abs(expected - true)[inside[0] - 1 : inside[-1] + 1]
        rest = error[50:].mean()
        found.append(np.argmax(error[1:] <= rest + 0.25 * (error[0] - rest)) + 1.0)
    return np.array(found)


def all_seen(recordings: list[xr.Dataset], block: int) -> np.ndarray:
    """Return the trial of a block by which every event has occurred: before it nobody can know all new latencies."""
    found = []
    for recording in recordings:
        mine = (recording["trial_kind"].values == "train") & (recording["trial_block"].values == block)
        happened = recording["trial_event"].values[mine]
        found.append(max(np.flatnonzero(happened == event)[0] + 1.0 for event in np.unique(happened)))
    return np.array(found)


def rows(results: Results, circuit: str) -> dict[str, str]:
    """Return the measured column of one circuit."""
    everything = "all events"
    meet, levels, latencies = (f"{kind}-{circuit}" for kind in ("meet", "levels", "latencies"))
    found = {
        f"mean rate (Hz), {kind}": results.text(meet, f"mean_rate.{kind}") for kind in ("excitatory", "inhibitory")
    }
    found["error at trial 100 over error at trial 1"] = results.text(meet, "error.ratio", 0, everything, worst=True)
    for block, kind in ((0, "trial 100"), (1, "end of block 1"), (2, "end of block 2"), (3, "end of block 3")):
        found[f"error, {kind}"] = results.text(meet, "error.last", block, everything)
    found["error of zero output, block 0"] = results.text(meet, "error_zero_output", 0, everything)
    found["error of a fitted readout, block 0 (other probes)"] = results.text(
        meet, "error_best_fit.other_probes", 0, everything
    )
    for block, kind in ((1, "timing"), (2, "probability"), (3, "both")):
        for metric, name in (
            ("recovery.75", f"75% recovery after a switch of {kind} (trials)"),
            ("recovery.75_sustained", f"the same, sustained over 5 probes, {kind}"),
        ):
            found[name] = results.text(meet, metric, block, everything, worst=True)
    found["75% recovery of the rare event (p = .2, trials)"] = results.text(meet, "recovery.75", 3, "B", worst=True)
    if levels in results.tables:
        for event in ("A", "B"):
            pooled = results.values(levels, "calibration.r", event=event)
            single = results.values(levels, "calibration.r_seed", event=event)
            counted = results.values(levels, "calibration.r_counting", event=event)
            found[f"amplitude against p(A), pooled r, {event}"] = (
                f"{pooled[0]:.4f}, worst seed {single[np.argmin(np.abs(single))]:.4f}; "
                f"an observer that counts {counted[0]:.4f}"
            )
    if latencies in results.tables:
        table = results.tables[latencies]
        peaks = table[table["metric"] == "peak_error.absolute"].groupby("seed")["value"].mean().to_numpy()
        found["peak timing error, latencies 200 to 800 ms (ms)"] = text(peaks, POSITIVE, worst=True)
    for name, title in (("angle", "as they are"), ("angle_without_mean", "mean state removed")):
        for block in (0, 3):
            parts = [results.text(meet, f"{name}.smallest", block)]
            for null in ("isotropic", "covariance"):
                low, mean, high = (
                    results.values(meet, f"{name}.smallest_{null}_{part}", block).mean()
                    for part in ("low", "mean", "high")
                )
                parts.append(f"{null} {mean:.3g} ({low:.3g} to {high:.3g})")
            found[f"smallest angle what/when, block {block}, {title} (deg)"] = "; ".join(parts)
    return found


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="100:105")
    parser.add_argument("--more", default="100:120", help="seeds of the default circuit alone")
    parser.add_argument("--out", type=Path, default=Path("results"))
    parser.add_argument("--participant", nargs="*", default=[], help="BIDS event files of one participant, in order")
    parser.add_argument("--write", type=Path, default=None, help="write the table to this Markdown file")
    options = parser.parse_args()
    results = Results(parse_seeds(options.seeds), options.out)
    columns = {}
    for circuit, file in CIRCUITS.items():
        point = HERE / file if file else None
        results.run(f"meet-{circuit}", read(point), figures=True)
        if not circuit.startswith("unconnected"):
            results.run(f"levels-{circuit}", read(point, paradigm={"type": "meet_levels"}), figures=True)
            results.run(f"latencies-{circuit}", read(point, paradigm={"type": "meet", "blocks": LATENCIES}))
        columns[circuit] = rows(results, circuit)
    table = pd.DataFrame(columns).fillna("not measured")
    lines = [
        "# Results",
        "",
        "Measured by",
        "",
        f"    python examples/results.py --seeds {options.seeds} --more {options.more} \\",
        "        --participant RUN1.tsv RUN2.tsv --write docs/results.md",
        "",
        f"Mean over {len(results.seeds)} seeds [95% t-interval over seeds], and the worst seed. What each circuit is,",
        "and how to read the angles, stands in [science.md](science.md).",
        "",
        "| measure | " + " | ".join(table.columns) + " |",
        "|---" * (len(table.columns) + 1) + "|",
        *(f"| {name} | " + " | ".join(row) + " |" for name, row in zip(table.index, table.to_numpy(), strict=True)),
    ]
    lines += ["", "Error without recurrence over error with it, at the end of each block:", ""]
    for control in ("unconnected", "unconnected, noise"):
        parts = []
        for block in range(4):
            with_it = results.values("meet-sequence", "error.last", block, "all events")
            without = results.values(f"meet-{control}", "error.last", block, "all events")
            parts.append(text(without / with_it, POSITIVE))
        lines.append(f"- {control}: " + "; ".join(parts))
    more = parse_seeds(options.more)
    results.run("more-sequence", read(), seeds=more)
    lines += ["", f"The default circuit on seeds {options.more}:", ""]
    for metric, block, name in (
        ("error.ratio", 0, "error at trial 100 over error at trial 1"),
        ("recovery.75", 1, "75% recovery, timing"),
        ("recovery.75", 2, "75% recovery, probability"),
        ("recovery.75", 3, "75% recovery, both"),
    ):
        lines.append(f"- {name}: {results.text('more-sequence', metric, block, 'all events', worst=True)}")
    lines += [
        "",
        "What the trials allow, without any network: the trial after a switch of timing by which both events have",
        "occurred, and 75% recovery of p(A) after the switch of probability by an exact observer of the same trials,",
        "which knows only that one trial in 100 brings a change.",
        "",
    ]
    for seeds, name in ((options.seeds, "meet-sequence"), (options.more, "more-sequence")):
        recordings = load_folder(options.out / name)
        seen, known = all_seen(recordings, 1), observer_recovery(recordings, 2)
        lines.append(
            f"- seeds {seeds}: both events by trial {text(seen, POSITIVE, worst=True)}; "
            f"the observer by trial {text(known, POSITIVE, worst=True)}"
        )
    if options.participant:
        given = {"type": "cued_reaction", "events_files": options.participant, "cue": "cue", "events": ["go", "no-go"]}
        configuration = read(HERE / "participant.toml", paradigm=given)
        results.run("participant", configuration, figures=True)
        lines += ["", "A participant of ds003690, amplitude beside frequency:", ""]
        for event in ("go", "no-go"):
            amplitude = results.values("participant", "amplitude", event=event)
            off = results.values("participant", "amplitude.minus_probability", event=event)
            shown = results.text("participant", "amplitude", event=event)
            lines.append(f"- {event}: {shown}; frequency {np.mean(amplitude - off):.3g}")
    report = "\n".join(lines) + "\n"
    print(report)
    if options.write:
        options.write.write_text(report, encoding="utf-8")


if __name__ == "__main__":
    main()
