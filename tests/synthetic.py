"""Recordings with known answers, made without any network.

After n training trials of a block the prediction is

    target + (before - target) * exp(-n / tau),     target_k(t) = amplitude_k * bump(t - latency_k - shift),

where `before` is the prediction at the end of the block before (zero at first), so that with amplitude = probability
and shift = 0 the error of a block is exactly e0 * exp(-n / tau).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from izhires.paradigms import IntervalReproduction
from izhires.paradigms.experiment import Experiment, expectation

SCHEDULE = (*range(1, 31), *range(35, 101, 5))


@dataclass(frozen=True)
class Block:
    """The statistics of a block: event -> latency (s), or latencies, and event -> probability."""

    latency: Mapping[str, float | Sequence[float]]
    probability: Mapping[str, float]
    trials: int = 100


MEET = (
    Block({"A": 0.3, "B": 0.6}, {"A": 0.7, "B": 0.3}),
    Block({"A": 0.5, "B": 0.8}, {"A": 0.7, "B": 0.3}),
    Block({"A": 0.5, "B": 0.8}, {"A": 0.2, "B": 0.8}),
    Block({"A": 0.3, "B": 0.6}, {"A": 0.8, "B": 0.2}),
)


def experiment(
    blocks: Sequence[Block] = MEET,
    *,
    seed: int = 0,
    schedule: Sequence[int] = SCHEDULE,
    paradigm: str = "meet",
    variant: str = "",
    window: float = 1.1,
    trial: float = 1.5,
    event_width: float = 0.04,
) -> Experiment:
    """Draw the trials of some blocks; a probe comes before all trials and after the scheduled trials of each block."""
    rng = np.random.default_rng([1, seed])
    rows, outcomes = [(0, "", np.nan, "probe")], []
    for index, block in enumerate(blocks):
        kinds = [(name, late) for name, given in block.latency.items() for late in np.atleast_1d(given)]
        chances = [block.probability[name] / np.size(block.latency[name]) for name, _ in kinds]
        outcomes += [(index, name, late, chance) for (name, late), chance in zip(kinds, chances, strict=True)]
        kinds.append(("", np.nan))
        drawn = rng.choice(len(kinds), block.trials, p=[*chances, max(0.0, 1 - sum(chances))])
        for done, choice in enumerate(drawn, start=1):
            rows.append((index, *kinds[choice], "train"))
            if done in schedule:
                rows.append((index, "", np.nan, "probe"))
    trials = pd.DataFrame(rows, columns=["block", "event", "latency", "kind"])
    trials["onset"] = np.arange(len(trials)) * trial
    trials["duration"] = trial
    trials["cue"] = trials["onset"] + 0.2
    trials["learn"] = trials["kind"] == "train"
    names = tuple(dict.fromkeys(name for block in blocks for name in block.latency))
    table = pd.DataFrame(outcomes, columns=["block", "event", "latency", "probability"])
    return Experiment(paradigm, variant, names, trials, table, window, event_width, 0.05)


def recording(
    made: Experiment | None = None,
    *,
    seed: int = 0,
    tau: float = 5.0,
    shift: float = 0.0,
    amplitude: Mapping[str, float] | None = None,
    noise: float = 0.0,
    neurons: int = 60,
    silent: int = 0,
    states: bool = True,
) -> xr.Dataset:
    """Return a recording whose prediction, rates and states are known.

    Parameters
    ----------
    made : Experiment
    tau : float
        Trials in which the error falls to 1/e.
    shift : float
        Delay of every predicted peak (s).
    amplitude : mapping
        Amplitude of the prediction of each event, its probability when left out.
    noise : float
        Standard deviation of a factor on each block's amplitudes, drawn anew for each seed.
    neurons, silent : int
        Cells, and how many of them never fire. The first four fifths are excitatory at 4 Hz, the rest inhibitory
        at 10 Hz.
    states : bool
        Whether states and spikes of the first and last probe of each block are kept.
    """
    made = experiment(seed=seed) if made is None else made
    rng = np.random.default_rng([2, seed])
    names, table = list(made.events), made.trials
    time = np.round(np.arange(round(made.window * 1000)) / 1000, 3)
    probe_rows = np.flatnonzero(table["kind"] == "probe")
    done = np.array([int((table["kind"][:row] == "train").sum()) for row in probe_rows])
    block = table["block"].to_numpy()[probe_rows]
    start = np.array([int(((table["block"] < b) & (table["kind"] == "train")).sum()) for b in block])

    prediction = np.zeros((len(probe_rows), len(names), len(time)))
    wanted = np.zeros_like(prediction)
    before = np.zeros((len(names), len(time)))
    for b in np.unique(block):
        here = np.flatnonzero(block == b)
        wanted[here] = made.expectation(int(b), time)
        target = made.expectation(int(b), time - shift)
        if amplitude is not None:
            chances = made.outcomes[made.outcomes["block"] == b].groupby("event")["probability"].sum()
            unit = made.outcomes.assign(probability=1.0)
            target = expectation(unit, names, int(b), time - shift, made.event_width)
            target *= np.array([amplitude.get(name, chances[name]) for name in names])[:, None]
        target = target * (1 + noise * rng.standard_normal((len(names), 1)))
        n = (done - start)[here][:, None, None]
        prediction[here] = target + (before - target) * np.exp(-n / tau)
        before = prediction[here[-1]]

    excitatory = np.arange(neurons) < 0.8 * neurons
    rate = np.where(excitatory, 4.0, 10.0)
    rate[:silent] = 0
    shape = (len(probe_rows), len(names), neurons)
    what = prediction.max(axis=2)
    data = {
        "prediction": (("probe", "event", "time"), prediction),
        "expectation": (("probe", "event", "time"), wanted),
        "when": (("probe", "event", "time"), prediction / np.where(what > 0, what, 1)[..., None]),
        "what": (("probe", "event"), what),
        "what_weights": (("probe", "event", "neuron"), rng.standard_normal(shape)),
        "when_weights": (("probe", "event", "neuron"), rng.standard_normal(shape)),
        "mean_state": (("probe", "neuron"), np.broadcast_to(rate, (len(probe_rows), neurons)).copy()),
        "rate": (("neuron",), rate),
        "cell_type": (("neuron",), np.where(excitatory, "RS", "FS")),
        "excitatory": (("neuron",), excitatory.astype(np.int8)),
        "trial_what": (("trial", "event"), np.zeros((len(table), len(names)))),
    }
    for name in ("onset", "duration", "cue", "latency", "event", "block", "kind"):
        values = table[name].to_numpy()
        data[f"trial_{name}"] = (("trial",), values.astype(str) if name in ("event", "kind") else values)
    data["trial_learn"] = (("trial",), table["learn"].to_numpy().astype(np.int8))
    for name in ("block", "event", "latency", "probability"):
        values = made.outcomes[name].to_numpy()
        data[f"outcome_{name}"] = (("outcome",), values.astype(str) if name == "event" else values)
    coords = {
        "neuron": np.arange(neurons),
        "trial": np.arange(len(table)),
        "probe": np.arange(len(probe_rows)),
        "trial_of_probe": ("probe", probe_rows),
        "event": names,
        "time": time,
        "block": ("probe", block),
        "probe_trial": ("probe", done),
        "block_trial": ("probe", done - start),
    }
    if states:
        chosen = np.array(sorted({int(f(np.flatnonzero(block == b))) for b in np.unique(block) for f in (min, max)}))
        state_time = np.round(np.arange(-0.2, made.window, 0.01), 3)
        centre = np.linspace(0, made.window, neurons)
        tuning = rate * 3 * np.exp(-((state_time[:, None] - centre) ** 2) / (2 * 0.06**2)) + 0.2 * rate
        jitter = 1 + 0.1 * rng.standard_normal((len(chosen), 1, neurons))
        data["state_trace"] = (("state_probe", "state_time", "neuron"), tuning * jitter)
        coords |= {"state_probe": chosen, "state_time": state_time}
        spikes = []
        for probe in chosen:
            counts = rng.poisson(np.clip(tuning, 0, None) * 0.01)
            for t, cell in np.argwhere(counts > 0):
                spikes.append((table["cue"][probe_rows[probe]] + state_time[t] + rng.uniform(0, 0.01), cell))
        data["spike_time"] = (("spike",), np.array([s for s, _ in spikes]))
        data["spike_neuron"] = (("spike",), np.array([c for _, c in spikes], int))
    return xr.Dataset(
        data,
        coords,
        attrs={
            "title": "synthetic",
            "layout": 1,
            "paradigm": made.paradigm,
            "variant": made.variant,
            "seed": seed,
            "window": made.window,
            "event_width": made.event_width,
            "cue_duration": made.cue_duration,
            "time_step": 0.001,
        },
    )


def study(seeds: int = 5, **changes: object) -> list[xr.Dataset]:
    """Return the four blocks of MEET for several seeds, slightly different from each other."""
    return [recording(seed=seed, tau=4 + seed / 2, **{"noise": 0.05, **changes}) for seed in range(seeds)]


def levels(seeds: int = 3, *, noise: float = 0.0, slope: float = 1.0) -> list[xr.Dataset]:
    """Return one recording a level p(A) = 0, .1, ..., 1 and seed, with amplitude slope * probability (1 + noise)."""
    found = []
    for seed in range(seeds):
        for level in np.arange(11) / 10:
            block = Block({"A": 0.3, "B": 0.6}, {"A": level, "B": 1 - level})
            made = experiment([block], seed=seed, schedule=(100,), paradigm="meet_levels", variant=f"p={level:.2f}")
            chance = {"A": slope * level, "B": slope * (1 - level)}
            found.append(recording(made, seed=seed, amplitude=chance, noise=noise, tau=1.0, states=False))
    return found


def participant(seeds: int = 3) -> list[xr.Dataset]:
    """Return a cued reaction task: skewed latencies, two events and cue-only trials in one block."""
    rng = np.random.default_rng(3)
    late = np.round(1.5 + np.clip(rng.gamma(1.0, 0.3, 96), 0, 1.9), 3)
    block = Block({"go": late[:77], "no-go": late[77:]}, {"go": 77 / 120, "no-go": 19 / 120}, trials=120)
    found = []
    for seed in range(seeds):
        made = experiment(
            [block],
            seed=0,
            schedule=range(10, 121, 10),
            paradigm="cued_reaction",
            window=4.0,
            trial=7.7,
            event_width=0.1,
        )
        found.append(recording(made, seed=seed, tau=30.0, noise=0.05))
    return found


REPRODUCED = tuple(np.linspace(500, 800, 7).tolist())
"""Sample intervals of `reproduction`, ms."""


def reproduction(
    produce: Callable[[float, np.random.Generator], float],
    variant: str = "mine",
    *,
    seed: int = 0,
    rounds: int = 4,
    intervals: Sequence[float] = REPRODUCED,
) -> xr.Dataset:
    """Return ready, set, go: each probe peaks at ``produce(interval, rng)`` ms after set, at a height of 0.8."""
    task = IntervalReproduction.parse(
        {"priors": {variant: [f"{each:.0f} ms" for each in intervals]}, "trials": 5, "rounds": rounds}
    )
    made = task.experiment(np.random.default_rng(seed), variant)
    rng = np.random.default_rng([3, seed])
    found = recording(made, seed=seed, states=False)
    cues, probes = made.trials["cue_name"].to_numpy().astype(str), found["trial_of_probe"].values
    peak = [produce(float(name.split()[0]), rng) / 1e3 for name in cues[probes]]
    curves = 0.8 * np.exp(-((found["time"].values - np.array(peak)[:, None]) ** 2) / (2 * made.event_width**2))
    named = {
        "prediction": (("probe", "event", "time"), curves[:, None]),
        "trial_cue_name": ("trial", cues),
        "outcome_cue_name": ("outcome", made.outcomes["cue_name"].to_numpy().astype(str)),
        "input_channel": ("input", made.inputs["channel"].to_numpy().astype(str)),
    }
    return found.assign(named).assign_coords(cue_name=("probe", cues[probes]))
