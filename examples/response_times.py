"""Do people answer faster when a network that heard what they heard was readier? From event files to one table.

    python examples/response_times.py --events sub-*/eeg/*_events.tsv --out results/response_times

Each participant's trials go to networks of their own, one a seed, with a cue-only probe before every trial, so that
readiness (the prediction of the target at the moment at which it came) is read before the trial teaches anything. Then
log RT ~ readiness + latency + trial number, random intercept and slope of readiness over participants, beside the mean
of the participants' own slopes against shuffled response times. The last rows take readiness averaged over the seeds,
readiness read within the trial itself, and, as a control, that of another participant's network. Recordings that are
there are kept.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from izhires import load_folder, run_batch
from izhires.analysis.metrics.response_time import answers, effect
from izhires.analysis.statistics import t_interval
from izhires.model.configuration import parse_seeds, read

HERE = Path(__file__).parent


def mean_of_seeds(table: pd.DataFrame) -> pd.DataFrame:
    """Return the trials with readiness averaged over the seeds of each participant."""
    readiness = table.groupby(["participant", "trial"])["readiness"].transform("mean")
    return table.assign(readiness=readiness).drop_duplicates(["participant", "trial"])


def shown(found: dict[str, float]) -> dict[str, str]:
    """Return one line of the printed table."""
    return {
        "participants": f"{found['participants']:.0f}",
        "n": f"{found['trials']:.0f}",
        "readiness": f"{found['readiness']:+.4f} [{found['readiness_low']:+.4f}, {found['readiness_high']:+.4f}]",
        "p": f"{found['readiness_p']:.3f}",
        "own slopes": f"{found['slope']:+.4f} ({found['negative']:.0f} negative)",
        "shift p": f"{found['shift_p']:.4f}",
        "held out": f"{found['held_out']:+.4f} ({found['held_out_positive']:.0f} above 0)",
        "latency (p)": f"{found['latency']:+.4f} ({found['latency_p']:.3f})",
        "trial (p)": f"{found['trial']:+.4f} ({found['trial_p']:.3f})",
    }


def main() -> None:
    """Run, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", nargs="+", required=True, help="BIDS event files of all participants")
    parser.add_argument("--cue", default="cue")
    parser.add_argument("--targets", nargs="+", default=["go", "no-go"])
    parser.add_argument("--seeds", default="100:105")
    parser.add_argument("--out", type=Path, default=Path("results/response_times"))
    parser.add_argument("--processes", type=int, default=None)
    options = parser.parse_args()
    task = {"type": "cued_reaction", "events_files": options.events, "cue": options.cue, "events": options.targets}
    configuration = read(HERE / "participant.toml", paradigm={**task, "probe_every": 1})
    run_batch(configuration, parse_seeds(options.seeds), options.out, processes=options.processes)
    recordings = load_folder(options.out)
    table = answers(recordings)
    found = {f"seed {seed}": effect(own) for seed, own in table.groupby("seed")}
    lines = {name: shown(each) for name, each in found.items()}
    lines["mean of seeds"] = shown(effect(mean_of_seeds(table)))
    lines["the same, within the trial"] = shown(effect(mean_of_seeds(answers(recordings, within=True))))
    lines["of another participant"] = shown(effect(of_another(mean_of_seeds(table))))
    pd.set_option("display.width", 200, "display.max_columns", None)
    print(pd.DataFrame(lines).T.to_string())
    print("\ncoefficients: change of log RT for one standard deviation within participant [95%, over participants]")
    if len(found) > 1:
        mean, low, high = t_interval([each["readiness"] for each in found.values()])
        print(f"readiness over {len(found)} seeds of the networks: {mean:+.4f} [95%, {low:+.4f}, {high:+.4f}]")


def of_another(table: pd.DataFrame) -> pd.DataFrame:
    """Return the trials with the readiness that the next participant's network had in its own trial of that rank.

    It keeps the course of learning and breaks the link to what this participant heard.
    """
    people = list(dict.fromkeys(table["participant"]))
    parts = []
    for person, other in zip(people, people[1:] + people[:1], strict=True):
        own, theirs = (table[table["participant"] == each].reset_index(drop=True) for each in (person, other))
        parts.append(own.assign(readiness=theirs["readiness"]).dropna(subset=["readiness"]))
    return pd.concat(parts, ignore_index=True)


if __name__ == "__main__":
    main()
