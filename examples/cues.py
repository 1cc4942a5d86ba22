"""Three cues with statistics of their own, one network: does "what" read from the state which cue it was?

    python examples/cues.py --seeds 100:110 --out results/cues
    python examples/cues.py --tune --seeds 0:5

With one cue the identity readout is a counter. With three it must read the cue. Each network learns all three
interleaved, then hears two of them at once at half strength; another one learns one cue in the first block and another
in the second. Beside the default do it networks whose "what" reads another state, or learns at another rate; and two
counters without any network, one told which cue it was and one not, each by the rule of the network beside it. Prints
three tables, and writes cues.csv, learning.csv, cues.md and cues.png/.pdf. With ``--tune``: which of several states and
rates those were chosen of, replayed on recorded states, since "what" drives no cell.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

import izhires
from izhires import Configuration, Rule
from izhires.analysis.counter import counted, counter
from izhires.analysis.figures import style
from izhires.analysis.metrics.prediction import rmse
from izhires.analysis.statistics import over_seeds
from izhires.model.configuration import parse_seeds
from izhires.model.model import MEAN_RATE_UPDATE, STATE_EQUATIONS
from izhires.paradigms import Experiment, Meet

CUES = {
    "tone": {"latency": {"A": "300 ms", "B": "600 ms"}, "probability": {"A": 0.8, "B": 0.2}},
    "light": {"latency": {"A": "400 ms", "B": "700 ms"}, "probability": {"A": 0.5, "B": 0.5}},
    "touch": {"latency": {"A": "500 ms", "B": "800 ms"}, "probability": {"A": 0.2, "B": 0.8}},
}
EVENTS = ("A", "B")
FIRST, SECOND = "tone", "touch"
"""The cues that are learned one after the other, and heard together."""
MIXTURES = 3
"""Trials in which both are heard."""

INTERLEAVED = {
    "type": "mixed",
    "order": "exact",
    "probes": [1, 10, 30, 100, 200, 300],
    "blocks": [{"name": "all", "trials": 300, "cues": CUES}],
}


def serial() -> dict[str, Any]:
    """Return the task in which the second cue is learned after the first; both are probed throughout."""
    blocks = []
    for heard in (FIRST, SECOND):
        cues = {name: {**CUES[name], "share": 1.0 if name == heard else 1e-9} for name in (FIRST, SECOND)}
        blocks.append({"name": heard, "trials": 100, "cues": cues})
    return {"type": "meet", "order": "exact", "probes": [100], "blocks": blocks}


ONE_CUE = {"type": "meet", "probes": [100]}

NETWORKS: dict[str, dict[str, Any]] = {
    "mean rate": {"state": {"update": MEAN_RATE_UPDATE}, "what": {"rule": "surprise_two_factor"}},
    "slowest rate .03": {
        "state": {"update": MEAN_RATE_UPDATE},
        "what": {"rule": {"type": "surprise_two_factor", "slowest": 0.03}},
    },
    "one rate": {"what": {"rule": "surprise_two_factor"}},
    "one rate, slowest .03": {"what": {"rule": {"type": "surprise_two_factor", "slowest": 0.03}}},
    "default": {},
}
"""What "what" reads, and at which rate: by default how far the trace is above its mean, and a rate for each synapse."""


class Mixed(Meet):
    """MEET with several cues, at the end of which two cues are heard at once, each at half strength."""

    type: Literal["mixed"] = "mixed"  # type: ignore[assignment]

    def experiment(self, rng: np.random.Generator, variant: str = "") -> Experiment:
        """Add the trials, and state what is heard in all."""
        made = super().experiment(rng, variant)
        last = made.trials[made.trials["kind"] == "probe"].iloc[[-1] * MIXTURES].assign(cue_name=FIRST)
        later = made.duration + np.arange(MIXTURES) * self.trial_duration / 1e3
        last = last.assign(onset=later, cue=later + self.cue_onset / 1e3)
        heard = made.trials[["cue", "cue_name"]].assign(strength=1.0)
        halves = [last[["cue"]].assign(cue_name=name, strength=0.5) for name in (FIRST, SECOND)]
        inputs = pd.concat([heard, *halves]).rename(columns={"cue": "onset", "cue_name": "channel"})
        return Experiment(
            paradigm=made.paradigm, variant=made.variant, events=made.events,
            trials=pd.concat([made.trials, last], ignore_index=True), outcomes=made.outcomes, window=made.window,
            event_width=made.event_width, cue_duration=made.cue_duration, cues=made.cues,
            inputs=inputs.assign(duration=made.cue_duration),
        )  # fmt: skip


def truth(name: str, event: str = "A") -> float:
    """Return the probability of an event after a cue."""
    return float(CUES[name]["probability"][event])


def degrees(one: np.ndarray, other: np.ndarray) -> float:
    """Return the angle between two vectors."""
    return float(np.degrees(np.arccos(np.clip(one @ other / np.linalg.norm(one) / np.linalg.norm(other), -1, 1))))


def of_interleaved(recording: xr.Dataset) -> dict[str, float]:
    """Return what is measured in a network that learned all cues interleaved."""
    found: dict[str, float] = {}
    cue, probe = recording["trial_cue_name"].values.astype(str), recording["cue_name"].values.astype(str)
    mixture = np.arange(len(probe)) >= len(probe) - MIXTURES
    last = {name: int(np.flatnonzero((probe == name) & ~mixture)[-1]) for name in CUES}
    true = np.array([[truth(name, event) for event in EVENTS] for name in CUES])

    def say(who: str, said: np.ndarray) -> None:
        found.update({f"{who}: q_A after {name}": said[k, 0] for k, name in enumerate(CUES)})
        found[f"{who}: error of q"] = float(np.sqrt(((said - true) ** 2).mean()))

    say("network", np.stack([recording["what"].values[last[name]] for name in CUES]))
    event, learn = recording["trial_event"].values.astype(str), recording["trial_learn"].values.astype(bool)
    outcomes = np.stack([event == name for name in EVENTS], axis=1).astype(float)
    trial = [int(recording["trial_of_probe"].values[last[name]]) for name in CUES]
    for who in ("not told", "told"):
        say(f"counter {who}", counter(recording, who == "told")[trial])
    happened = {name: outcomes[learn & (cue == name)].mean(axis=0) for name in CUES}
    found["frequencies: error of q"] = float(np.sqrt(((np.stack(list(happened.values())) - true) ** 2).mean()))

    # when: that the timing is the cue's own, not that of another
    times = recording["time"].values
    peaks = []
    for name in CUES:
        for event_name in EVENTS:
            z = recording["when"].isel(probe=last[name]).sel(event=event_name).values
            peaks.append(abs(times[z.argmax()] * 1e3 - float(CUES[name]["latency"][event_name].split()[0])))
    found["when: distance of the peak from the latency (ms)"] = float(np.mean(peaks))
    own = recording.isel(probe=list(last.values()))
    nothing = rmse(0 * own["prediction"], own["expectation"]).values.mean()
    found["error of the prediction over predicting nothing"] = float(
        rmse(own["prediction"], own["expectation"]).values.mean() / nothing
    )

    states = recording["mean_state"].values.astype(float)
    before = {name: int(np.flatnonzero((probe == name) & ~mixture)[-2]) for name in CUES}
    pairs = list(itertools.combinations(CUES, 2))
    shuffle = np.random.default_rng(0).permutation
    found["angle of x between cues"] = np.mean([degrees(states[last[a]], states[last[b]]) for a, b in pairs])
    found["angle of x, same cue"] = np.mean([degrees(states[last[a]], states[before[a]]) for a in CUES])
    found["angle of x, cells shuffled"] = np.mean(
        [degrees(states[last[a]], shuffle(states[last[b]])) for a, b in pairs]
    )

    # both cues at once: the mean of both, their sum, or one of them?
    said = recording["what"].values[mixture, 0].mean()
    one, other = (recording["what"].values[last[name], 0] for name in (FIRST, SECOND))
    found["mixture: q_A"], found["mixture: mean of both"], found["mixture: sum of both"] = (
        said,
        (one + other) / 2,
        one + other,
    )
    for name in (FIRST, SECOND):
        place = np.abs(times - float(CUES[name]["latency"]["A"].split()[0]) / 1e3).argmin()
        z = recording["when"].sel(event="A").isel(time=place).values
        found[f"mixture: z_A at the latency after {name}, over that after {name} alone"] = (
            z[mixture].mean() / z[last[name]]
        )
    return {name: float(value) for name, value in found.items()}


def of_serial(recording: xr.Dataset) -> dict[str, float]:
    """Return what learning the second cue did to the first."""
    probe, block = recording["cue_name"].values.astype(str), recording["block"].values
    q, times = recording["what"].sel(event="A").values, recording["time"].values
    early, late = (int(np.flatnonzero((probe == FIRST) & (block == k))[-1]) for k in (0, 1))
    second = int(np.flatnonzero((probe == SECOND) & (block == 1))[-1])
    untaught = int(np.flatnonzero((probe == SECOND) & (block == 0))[-1])
    place = np.abs(times - float(CUES[FIRST]["latency"]["A"].split()[0]) / 1e3).argmin()
    z = recording["when"].sel(event="A").isel(time=place).values
    weights, states = recording["what_weights"].sel(event="A").values, recording["mean_state"].values.astype(float)
    return {
        f"q_A after {FIRST}, learned": q[early],
        f"q_A after {SECOND}, then not yet heard": q[untaught],
        f"q_A after {SECOND}, learned": q[second],
        f"q_A after {FIRST}, now": q[late],
        f"what: share of what it learned of {FIRST} lost": (q[early] - q[late]) / (q[early] - truth(SECOND)),
        f"when: z_A at its latency after {FIRST}, now over learned": z[late] / z[early],
        f"length of x after {FIRST}, now over learned": float(
            np.linalg.norm(states[late]) / np.linalg.norm(states[early])
        ),
        "angle of what each block wrote": degrees(weights[early], weights[late] - weights[early]),
    }


def of_one(recording: xr.Dataset) -> dict[str, float]:
    """Return how well MEET as it is, with one cue, is learned: the price of the change."""
    last = np.flatnonzero(recording["block_trial"].values == recording["block_trial"].values.max())
    own = recording.isel(probe=last)
    nothing = rmse(0 * own["prediction"], own["expectation"]).values.mean()
    return {
        "error of the prediction over predicting nothing": rmse(own["prediction"], own["expectation"]).values.mean()
        / nothing
    }


def learning(recording: xr.Dataset) -> list[tuple[str, int, float]]:
    """Return cue, number and q_A of each training trial of each cue, before learning from it."""
    cue, learn = recording["trial_cue_name"].values.astype(str), recording["trial_learn"].values.astype(bool)
    said = recording["trial_what"].sel(event="A").values
    return [(name, k, q) for name in CUES for k, q in enumerate(said[learn & (cue == name)], start=1)]


def main() -> None:
    """Run, measure, write and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="100:110")
    parser.add_argument("--out", type=Path, default=Path("results/cues"))
    parser.add_argument("--tune", action="store_true", help="compare states and rates instead")
    given = parser.parse_args()
    seeds = parse_seeds(given.seeds)
    if given.tune:
        print(tuned(seeds))
        return
    rows, curves = [], []
    for network, changes in NETWORKS.items():
        for seed in seeds:
            keep = {"spikes": "none"}
            recording = izhires.simulate(Configuration.parse({**changes, "paradigm": INTERLEAVED, "keep": keep}), seed)
            found = {f"interleaved, {name}": value for name, value in of_interleaved(recording).items()}
            curves += [(network, seed, *row) for row in learning(recording)]
            recording = izhires.simulate(Configuration.parse({**changes, "paradigm": serial(), "keep": keep}), seed)
            found |= {f"serial, {name}": value for name, value in of_serial(recording).items()}
            recording = izhires.simulate(Configuration.parse({**changes, "paradigm": ONE_CUE, "keep": keep}), seed)
            found |= {f"one cue, {name}": value for name, value in of_one(recording).items()}
            rows += [(network, name, seed, value) for name, value in found.items()]
            print(f"{network}, seed {seed}", flush=True)
    table = pd.DataFrame(rows, columns=["network", "measure", "seed", "value"])
    given.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(given.out / "cues.csv", index=False, float_format="%.5g")
    text = written(table)
    (given.out / "cues.md").write_text(text + "\n", encoding="utf-8")
    print(text)
    curve = pd.DataFrame(curves, columns=["network", "seed", "cue", "trial", "q"])
    curve.to_csv(given.out / "learning.csv", index=False, float_format="%.5g")
    draw(table, curve, given.out)


def written(table: pd.DataFrame) -> str:
    """Return the measures as markdown: mean over seeds with its 95 % t-interval."""
    means = over_seeds(table, ["network", "measure"], "value").set_index(["network", "measure"])
    parts = []
    for study in ("interleaved", "serial", "one cue"):
        lines = [
            f"| {study}, {table['seed'].nunique()} seeds | {' | '.join(NETWORKS)} |",
            "|---" * (len(NETWORKS) + 1) + "|",
        ]
        for name in dict.fromkeys(table["measure"]):
            if not name.startswith(f"{study}, "):
                continue
            cells = []
            for network in NETWORKS:
                mean, low, high = means.loc[(network, name), ["mean", "low", "high"]]
                digits = 1 if "angle" in name or "(ms)" in name else 3
                cells.append(f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]")
            lines.append(f"| {name.removeprefix(f'{study}, ')} | {' | '.join(cells)} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def tuned(seeds: list[int]) -> str:
    """Return the error of q after each cue for several states and rates, replayed on recorded states."""
    states = {"mean of r": None, "mean of s": "s", "mean of s above 0": "clip(s, 0, inf)"}
    states |= {"mean of s of 30 s": "slow", "mean of s of 30 s above 0": "clip(slow, 0, inf)"}
    states |= {"mean of r above its own mean": "clip(r - mean, 0*Hz, inf*Hz)/Hz"}
    equations = STATE_EQUATIONS + "slow : 1\nslow_mean : Hz\nslow_variance : Hz**2\n"
    update = MEAN_RATE_UPDATE + (
        "slow_mean += (r - slow_mean)*dt/(30*second)\n"
        "slow_variance += ((r - slow_mean)**2 - slow_variance)*dt/(30*second)\n"
        "slow = (r - slow_mean)/sqrt(slow_variance + smallest_spread**2)\n"
    )
    inside = "int(elapsed(t) > -dt/2)*int(elapsed(t) < window - dt/2)*dt/window"
    for k, text in enumerate(filter(None, states.values()), start=1):
        equations += f"total_{k} : 1\nx_{k} : 1\n"
        update += f"total_{k} = total_{k}*int(abs(elapsed(t)) > dt/2) + {text}*{inside}\n"
        update += f"x_{k} += (total_{k} - x_{k})*int(abs(elapsed(t) - window) < dt/2)\n"
    names = ["x", *(f"x_{k}" for k in range(1, len(states)))]
    record = [{"of": "state", "variable": name, "every": "1500 ms"} for name in names]
    configuration = Configuration.parse(
        {
            "paradigm": INTERLEAVED | {"type": "meet"},
            "state": {"equations": equations, "update": update},
            "what": {"rule": "surprise_two_factor"},
            "keep": {"spikes": "none", "record": record},
        }
    )
    surprise, constant = (Rule.alternatives()[name] for name in ("surprise_two_factor", "two_factor"))
    rates: dict[str, Rule] = {f"slowest {each:g}": surprise(slowest=each) for each in (0.01, 0.03, 0.05, 0.1)}
    rates |= {f"constant {each:g}": constant(rate=each) for each in (0.05, 0.1, 0.2)}
    found: dict[tuple[str, str], list[float]] = {}
    for seed in seeds:
        recording = izhires.simulate(configuration, seed)
        cue, event = (recording[f"trial_{name}"].values.astype(str) for name in ("cue_name", "event"))
        learn = recording["trial_learn"].values.astype(bool)
        outcomes = np.stack([event == name for name in EVENTS], axis=1).astype(float)
        # a sample at the start of a trial is the state that the trial before left
        held = {
            name: recording[f"state_{each}"].values[1:].astype(float) for name, each in zip(states, names, strict=True)
        }
        n = len(held["mean of s"])
        held["mean of s, and a constant"] = np.c_[held["mean of s"], np.full(n, 2.5)]
        told = np.stack([cue == name for name in CUES], axis=1)[:n]
        held |= {"told the cue, no network": told * 10.0, "not told, no network": np.full((n, 1), 10.0)}
        replayed = counted(held["mean of r"], outcomes[:n], learn[:n], surprise())
        assert np.allclose(replayed, recording["trial_what"].values[:n], atol=1e-3)
        for (name, each), (rate, rule) in itertools.product(held.items(), rates.items()):
            q = counted(each, outcomes[:n], learn[:n], rule)
            for one in CUES:
                true = np.array([truth(one, event_name) for event_name in EVENTS])
                found.setdefault((name, rate), []).append(((q[cue[:n] == one][-1] - true) ** 2).mean())
    lines = [
        f"| error of q at the end, seeds {seeds[0]} to {seeds[-1]} | {' | '.join(rates)} |",
        "|---" * (len(rates) + 1) + "|",
    ]
    for name in dict.fromkeys(name for name, _ in found):
        lines.append(f"| {name} | {' | '.join(f'{np.sqrt(np.mean(found[name, rate])):.3f}' for rate in rates)} |")
    return "\n".join(lines)


def draw(table: pd.DataFrame, curve: pd.DataFrame, out: Path) -> None:
    """Draw q after each cue as it is learned, its error by network, and what is lost of the first cue."""
    colour = style.colours(list(CUES))
    means = over_seeds(curve, ["network", "cue", "trial"], "q")
    with style.applied():
        made, grid = style.canvas(2, 2, width=style.DOUBLE, height=120 * style.MILLIMETRE)
        for axes, network, title in zip(
            grid[0], ("mean rate", "default"), ("mean rate, one rate", "default"), strict=True
        ):
            for name in CUES:
                own = means[(means["network"] == network) & (means["cue"] == name)]
                style.band(axes, own, "trial", color=colour[name], label=f"q after {name}")
                axes.axhline(truth(name), color=style.dark(colour[name]), linestyle=(0, (3, 2)), linewidth=0.9,
                             label=f"P(A | {name})")  # fmt: skip
            axes.set(title=title, xlabel="training trials with this cue", ylim=(0, 1))
        grid[0, 0].set_ylabel("q of event A")
        who = {network: (network, "network") for network in NETWORKS}
        who |= {f"counter {each}": ("default", f"counter {each}") for each in ("told", "not told")}
        for place, (network, each) in enumerate(who.values()):
            _dots(grid[1, 0], table, network, f"interleaved, {each}: error of q", place)
        grid[1, 0].set(yticks=range(len(who)), yticklabels=list(who), xlim=(0, None))
        grid[1, 0].set_xlabel("error of q at the end, a dot a seed")
        for place, network in enumerate(NETWORKS):
            _dots(grid[1, 1], table, network, f"serial, what: share of what it learned of {FIRST} lost", place)
        grid[1, 1].set(yticks=range(len(NETWORKS)), yticklabels=list(NETWORKS))
        grid[1, 1].axvline(0, color="black", linewidth=0.6)
        grid[1, 1].axvline(1, color="black", linewidth=0.6, linestyle=":")
        grid[1, 1].set_xlabel(f"share lost of {FIRST} after {SECOND} was learned")
        for axes in grid[1]:
            axes.invert_yaxis()
        for letter, axes in zip("abcd", grid.ravel(), strict=True):
            style.label(axes, letter)
        style.legend_below(made, grid[0, 0], 6, table["seed"].nunique())
        for kind in ("png", "pdf"):
            made.savefig(out / f"cues.{kind}")


def _dots(axes: Any, table: pd.DataFrame, network: str, measure: str, place: int) -> None:
    values = table.loc[(table["network"] == network) & (table["measure"] == measure), "value"]
    axes.plot(values, np.full(len(values), place), "o", color="black", markersize=2.5, alpha=0.5)


if __name__ == "__main__":
    main()
