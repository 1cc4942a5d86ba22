"""Trace conditioning: does the dopamine response move from the reward to the cue, and dip when the reward stays away?

    python examples/dopamine_conditioning.py --seeds 100:105 --out results/dopamine

A cue of 50 ms, and 600 ms after it a reward, always or in half of the trials (a network of its own for each). A value
readout learns by temporal differences, and its error releases dopamine (Schultz, Dayan & Montague 1997, doi
10.1126/science.275.5306.1593; reward probability: Fiorillo, Tobler & Schultz 2003, doi 10.1126/science.1077349).
Writes dopamine.csv, dopamine.md and dopamine.png/.pdf.

A response is all that is released from the cue to 300 ms after it, and from 100 ms before to 200 ms after the reward or
the time at which it stays away: states that are traces of spikes of 50 ms know that time no better, so the value falls
before it. That window sums a dip before an expected reward and a peak after it; docs/neuromodulation.md has them apart,
and says how these settings were chosen.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

import izhires
from izhires.analysis.figures import style
from izhires.analysis.statistics import over_seeds
from izhires.model.configuration import parse_seeds

LATENCY = 600
"""From the cue to the reward, ms."""
TRIALS = 150
CUE, REWARD = (0, 300), (LATENCY - 100, LATENCY + 200)
"""In which times from the cue (ms) a response lies."""
SHOWN = (-300, 1300)


def configuration(probability: float) -> izhires.Configuration:
    """Return the task with a reward of this probability, and the network that learns it."""
    chances = {"reward": probability, "nothing": 1 - probability}
    chances = {name: chance for name, chance in chances.items() if chance}
    task = {
        "type": "meet",
        "trial_duration": "4000 ms",
        "cue_onset": "1500 ms",
        "order": "exact",
        "probes": [TRIALS - 20, TRIALS - 10, TRIALS],
        "blocks": [{"trials": TRIALS, "latency": dict.fromkeys(chances, f"{LATENCY} ms"), "probability": chances}],
    }
    every = [("dopamine", "level"), ("dopamine", "released")]
    return izhires.Configuration.parse(
        {
            # what the readouts see is the spike trace itself: between trials there is next to none, and no value
            "state": {"equations": "s = r/(10*Hz) : 1\nx = r : Hz", "update": ""},
            "when": {"feedback": "0 mV/ms"},
            "readouts": {"value": "value"},
            "neuromodulators": {"dopamine": {"type": "reward_prediction_error", "reward": ["reward"]}},
            "paradigm": task,
            "keep": {
                "spikes": "none",
                "record": [{"of": of, "variable": variable, "every": "1 ms"} for of, variable in every],
            },
        }
    )


def around_cues(recording: xr.Dataset, variable: str) -> dict[str, np.ndarray]:
    """Return a variable of the dopamine around the cue, (trial, ms): at first, at last, and where no reward came."""
    # the level is there twice: of each probe, and of the whole run
    values = recording["kept_dopamine_level" if variable == "level" else "dopamine_released"].values[:, 0]
    cues = np.round(recording["trial_cue"].values * 1e3).astype(int)
    kind, event = recording["trial_kind"].values, recording["trial_event"].values
    rewarded = np.flatnonzero(event == "reward")
    # a probe is a cue without anything after it; so is the other half of the trials at a probability of 0.5
    last = len(cues) - 40
    omitted = np.array([i for i in range(last, len(cues)) if kind[i] == "probe" or event[i] == "nothing"])
    chosen = {"first 5 rewarded trials": rewarded[:5], "last 20 rewarded trials": rewarded[-20:], "omitted": omitted}
    return {
        name: np.stack([values[cues[i] + SHOWN[0] : cues[i] + SHOWN[1]] for i in trials])
        for name, trials in chosen.items()
    }


def main() -> None:
    """Run, measure, write and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="100:105")
    parser.add_argument("--out", type=Path, default=Path("results/dopamine"))
    given = parser.parse_args()
    seeds = parse_seeds(given.seeds)
    rows, courses = [], []
    for probability in (1.0, 0.5):
        for path in izhires.run_batch(configuration(probability), seeds, given.out / f"reward_{probability:g}"):
            recording = izhires.load(path)
            for trials, released in around_cues(recording, "released").items():
                for response, (start, end) in (("cue", CUE), ("reward", REWARD)):
                    size = released[:, start - SHOWN[0] : end - SHOWN[0]].sum(axis=1).mean()
                    rows.append((probability, trials, response, int(recording.attrs["seed"]), size))
            for trials, level in around_cues(recording, "level").items():
                courses.append((probability, trials, level.mean(axis=0)))
    found = pd.DataFrame(rows, columns=["probability", "trials", "response", "seed", "released"])
    table = over_seeds(found, ["probability", "trials", "response"], "released")
    table["spread"] = found.groupby(["probability", "trials", "response"], sort=False)["released"].std().to_numpy()
    given.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(given.out / "dopamine.csv", index=False, float_format="%.4g")
    text = ["| reward | trials | at the cue | at the time of the reward |", "|---|---|---|---|"]
    sizes = table.set_index(["probability", "trials", "response"])
    for probability, trials in dict.fromkeys(zip(found["probability"], found["trials"], strict=True)):
        cells = [sizes.loc[(probability, trials, each)] for each in ("cue", "reward")]
        text.append(f"| {probability:g} | {trials} | "
                    + " | ".join(f"{each['mean']:.2f} ± {each['spread']:.2f}" for each in cells) + " |")  # fmt: skip
    text.append(f"\nReleased dopamine, mean ± standard deviation over seeds {given.seeds}; an unexpected reward: 1.")
    (given.out / "dopamine.md").write_text("\n".join(text) + "\n", encoding="utf-8")
    print("\n".join(text))
    draw(courses, given.out, len(seeds))


def draw(courses: list[tuple[float, str, np.ndarray]], out: Path, seeds: int) -> None:
    """Draw the level around cue and reward, a line a seed and their mean."""
    time = np.arange(*SHOWN)
    with style.applied():
        made, grid = style.canvas(1, 2, width=style.DOUBLE, height=70 * style.MILLIMETRE, sharey=True)
        for axes, probability in zip(grid[0], (1.0, 0.5), strict=True):
            names = list(dict.fromkeys(trials for _, trials, _ in courses))
            colours = style.colours(names)
            for name in names:
                own = np.array([each for chance, trials, each in courses if (chance, trials) == (probability, name)])
                axes.plot(time, own.T, color=colours[name], linewidth=0.4, alpha=0.4)
                axes.plot(time, own.mean(axis=0), color=colours[name], linewidth=1.5, label=name)
            for at, what in ((0, "cue"), (LATENCY, "reward")):
                axes.axvline(at, color=style.GREY, linestyle="--", linewidth=0.8)
                axes.text(at, 1.0, f" {what}", transform=axes.get_xaxis_transform(), va="top", color=style.GREY)
            axes.set(xlabel="time from the cue (ms)", title=f"reward in {probability:.0%} of the trials")
        grid[0, 0].set_ylabel(f"level of dopamine, {seeds} seeds")
        grid[0, 1].legend(loc="lower left")
        for kind in ("png", "pdf"):
            made.savefig(out / f"dopamine.{kind}")


if __name__ == "__main__":
    main()
