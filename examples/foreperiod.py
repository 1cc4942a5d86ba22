"""What is learned of a foreperiod: its probability, its hazard, or the last trial? Rules and gates side by side.

    python examples/foreperiod.py --seeds 100:105 --out results/foreperiod

Each learner meets each distribution of foreperiods with a network of its own a seed. The last ten cue-only probes are
held against the probability-weighted expectation and against the expectation given that nothing has come so far (the
hazard), over the stretch of time in which targets come. Recordings that are there are kept.

Two of the gates differ by one thing: ``open`` learns in the whole window, ``until_target`` (below) until the target
has come. A mean over all trials is the probability; a mean over those trials in which nothing has come yet is the
hazard.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, ClassVar, Literal

import pandas as pd

from izhires import Configuration, Gate, load_folder, run_batch
from izhires.analysis import analyse
from izhires.analysis.figures import make_figures
from izhires.analysis.statistics import mean_and_deviation
from izhires.declare import Milliseconds, parameter
from izhires.model.configuration import parse_seeds


class UntilTarget(Gate):
    """Open from the cue until the target has come, in trials without one to the end of the window."""

    type: Literal["until_target"] = "until_target"
    after: Milliseconds = parameter("0 ms", "how long it stays open after the target", source="this script", ge=0)

    expression: ClassVar[str] = "learning*in_window*(1 - has_target*int(since_event > after + dt/2))"
    source: ClassVar[str] = "this script"


SLOW: dict[str, Any] = {"type": "normalised_three_factor", "rate": "0.001 1/ms", "surprise_gain": 0.0}

LEARNERS: dict[str, dict[str, Any]] = {
    "default": {},
    "slow, open gate": {"rule": SLOW, "gate": "open"},
    "slow, until target": {"rule": SLOW, "gate": {"type": "until_target"}},
    "consolidated, open gate": {"rule": "consolidated_three_factor", "gate": "open"},
    "td": {"rule": "td"},
    "force, open gate": {"rule": "force", "gate": "open"},
}
"""What the timing readout learns with. The default rule corrects a miss within a trial; the slow one is the same rule
without surprise and with a tenth of the rate, so that it averages over some 20 trials. Rates are assumed. FORCE takes
several times as long as the others."""

COLUMNS = {
    "within_probability": "r prob.",
    "within_survivor": "r hazard",
    "preference": "difference",
    "within_blurred_probability": "r bl. prob.",
    "within_blurred_survivor": "r bl. hazard",
    "error_over_none": "error/none",
    "last_trial": "r last trial",
    "memory": "memory",
    "readiness": "readiness",
}


def table_of(folder: Path) -> pd.DataFrame:
    """Return mean and standard deviation over seeds of each column, a row a distribution."""
    found = analyse(load_folder(folder), only=["foreperiod"])
    found["part"] = found["metric"].str.partition(".")[2]
    wide = found.pivot_table(index=["variant", "seed"], columns="part", values="value", sort=False).astype(float)
    wide["error_over_none"] = wide["error_probability"] / wide["none"]
    groups = wide.groupby("variant", sort=False)
    shown = {
        name: groups[part].apply(mean_and_deviation, digits=1 if part == "memory" else 2)
        for part, name in COLUMNS.items()
    }
    shown["chance of difference"] = groups["preference_one_trial"].mean().map("{:+.2f}".format)
    return pd.DataFrame(shown)


def main() -> None:
    """Run, measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="100:105")
    parser.add_argument("--out", type=Path, default=Path("results/foreperiod"))
    parser.add_argument("--learners", nargs="+", choices=LEARNERS, default=list(LEARNERS), metavar="LEARNER")
    parser.add_argument("--processes", type=int, default=None)
    options = parser.parse_args()
    pd.set_option("display.width", 200, "display.max_columns", None)
    seeds = parse_seeds(options.seeds)
    print(f"mean and standard deviation over {len(seeds)} seeds of the last ten probes")
    for name in options.learners:
        folder = options.out / name.replace(", ", "-").replace(" ", "_")
        configuration = Configuration(paradigm="foreperiod", when=LEARNERS[name])
        run_batch(configuration, seeds, folder, processes=options.processes)
        print(f"\n{name}\n{table_of(folder).to_string()}", flush=True)
        make_figures(load_folder(folder), folder / "figures", only=["foreperiod"])


if __name__ == "__main__":
    main()
