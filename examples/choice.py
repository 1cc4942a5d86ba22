"""Does a network that chooses find the better arm, and follow reversals? Five studies, one table, two figures.

    python examples/choice.py --out results/choice

One cue: both learning rules, and without learning. Two cues, after which the arms pay the opposite: x of all cells, and
of the excitatory ones alone. Beside each network a Rescorla-Wagner learner with softmax (the same rate and
temperature), which for two cues has values for each, and a learner that knows the probabilities and infers which block
it is; both choose for themselves on the same payoffs. Mean and standard deviation over seeds. Recordings that are there
are kept.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from izhires import load_folder, run_batch
from izhires.analysis import make_figures
from izhires.analysis.declared import Unavailable
from izhires.analysis.learners import Bandit, distance_from_counter
from izhires.analysis.metrics.choice import learners, of_the_better, stays, to_criterion
from izhires.analysis.selection import by_cue
from izhires.analysis.statistics import mean_and_deviation
from izhires.model.configuration import parse_seeds, read

HERE = Path(__file__).parent
TASK = {"type": "choice"}
STUDIES = {
    "one_cue": lambda: read(HERE / "choice.toml", paradigm=TASK),
    "surprise": lambda: read(
        settings=["readouts.choice.type=choice", "readouts.choice.rule=surprise_two_factor"], paradigm=TASK
    ),
    "no_learning": lambda: read(HERE / "choice.toml", ["readouts.choice.learning_blocks=0"], TASK),
    "two_cues": lambda: read(HERE / "choice_two_cues.toml", paradigm=TASK),
    "two_cues_excitatory": lambda: read(HERE / "choice_two_cues_excitatory.toml", paradigm=TASK),
}
WHO = {"": "network", "rescorla_wagner": "Rescorla-Wagner", "bayes": "infers block"}
TRIALS = "trials to 8 of 10"


def of_a_seed(recording, bandit: Bandit) -> list[dict[str, object]]:
    """Return one row for the network and each learner: what is printed, in numbers."""
    rows = []
    reversed_ = bandit.block > 0
    place = np.concatenate(
        [np.arange((bandit.block == k).sum()) / (bandit.block == k).sum() for k in np.unique(bandit.block)]
    )
    for name, choices in learners(recording, bandit).items():
        better = of_the_better(bandit, choices)
        needed = np.array([to_criterion(better[:, bandit.block == k]) for k in np.unique(bandit.block)[1:]])
        stay, shift = stays(choices, bandit)
        row = {
            "who": WHO[name],
            "first block": better[:, ~reversed_].mean(),
            "reversals": better[:, reversed_].mean(),
            "late": better[:, reversed_ & (place >= 0.5)].mean(),
            TRIALS: np.median(needed),
            "never": np.isinf(needed).mean(),
            "win-stay": np.nanmean(stay),
            "lose-shift": np.nanmean(shift),
        }
        if not name:
            try:
                row["counter"] = distance_from_counter(recording, bandit)
            except Unavailable:
                row["counter"] = np.nan
            row["values"] = bandit.value.std()
        rows.append(row)
    return rows


def between_cues(recording) -> float:
    """Return the cosine of x between the first probes of two cues, NaN with one cue."""
    if "cue_name" not in recording:
        return np.nan
    names, x = recording["cue_name"].values.astype(str), recording["mean_state"].values
    one, two = (x[np.flatnonzero(names == name)[0]] for name in dict.fromkeys(names))
    return float(one @ two / np.linalg.norm(one) / np.linalg.norm(two))


def main() -> None:
    """Run the studies, print the table and draw the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("results/choice"), help="folder for recordings and figures")
    parser.add_argument("--seeds", default="100:110", help="7, or 1,4,9, or 100:110 (half-open)")
    parser.add_argument("--processes", type=int, default=None, help="at most this many runs at once")
    given = parser.parse_args()
    printed = []
    for study, configuration in STUDIES.items():
        run_batch(configuration(), parse_seeds(given.seeds), given.out / study, processes=given.processes)
        recordings = load_folder(given.out / study)
        apart = by_cue(recordings)
        if study in ("one_cue", "two_cues", "two_cues_excitatory"):
            make_figures(apart, given.out / f"{study}_figures", ["choice"])
        table = pd.DataFrame(
            [
                {"study": study, "seed": int(each.attrs["seed"]), **row}
                for each in apart
                for row in of_a_seed(each, Bandit.of_recording(each))
            ]
        )
        # both cues of a seed are one network
        seeds = table.groupby(["study", "who", "seed"], sort=False).mean().reset_index()
        numbers = [name for name in seeds if name not in ("study", "who", "seed")]
        for (_, who), rows in seeds.groupby(["study", "who"], sort=False):
            text = {
                name: f"{rows[name].median():.1f}"  # infinite where the criterion is never met
                if name == TRIALS
                else mean_and_deviation(rows[name], 3 if name in ("counter", "values") else 2)
                for name in numbers
            }
            cosine = pd.Series([between_cues(each) for each in recordings]) if who == WHO[""] else pd.Series([np.nan])
            printed.append({"study": study, "who": who, **text, "cosine of cues": mean_and_deviation(cosine, 2)})
    print(f"seeds {given.seeds}; mean ± standard deviation over seeds, of the trials to criterion the median")
    with pd.option_context("display.width", 250, "display.max_columns", None):
        print(pd.DataFrame(printed).to_string(index=False))


if __name__ == "__main__":
    main()
