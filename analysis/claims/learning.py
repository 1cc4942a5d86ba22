"""That the network learns what, when and how likely; and what of it a counter or an exact observer does as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from izhires.analysis.claims.base import (
    ENDS,
    OURS,
    Criterion,
    Runs,
    as_observed,
    claim,
    enough,
    errors,
    needed,
    probe_error,
    share_left,
)
from izhires.analysis.counter import counter
from izhires.analysis.statistics import CORRELATION
from izhires.recordings.bounds import LAST

if TYPE_CHECKING:
    import xarray as xr

COUNTS = "with one cue the identity readout is a counter: one without a network does it as well"
SEEN = "exact Bayesian observer of the same trials, not told of switches"


@claim(
    "error_falls",
    statement="the error at test falls over the first 100 trials",
    published="0.44 (0.192 to 0.085)",
    ours="error at trial 100 over that at trial 1",
    control=SEEN,
    studies=("default", "no_learning"),
    tests={"ours": Criterion("ratio", "<", 0.44)},
    where="MEET, first block, latencies 300 and 600 ms, one probe each",
    beside={"none": "bound: without learning"},
    within=errors("none"),
)
def error_falls(runs: Runs) -> dict[str, float]:
    """Ratio of errors in the first block."""
    (model,), (none,) = runs["default"], runs["no_learning"]
    shown = {"ours": model, "control": as_observed(model, "bayes"), "none": none}
    return {name: probe_error(each, 0, 100) / probe_error(each, 0, 1) for name, each in shown.items()}


@claim(
    "near_exact_observer",
    statement="at the ends of blocks the network predicts as well as an exact observer",
    published="not examined",
    ours="the network's error",
    control=SEEN,
    studies=("default",),
    tests={"excess": enough("ours less the observer's")},
    where=ENDS,
    source=OURS,
    beside={"told": "exact observer that is told of the switches"},
    within=errors("told"),
)
def near_exact_observer(runs: Runs) -> dict[str, float]:
    """The network beside observers that count and need no reservoir."""
    (model,) = runs["default"]
    ours, control, told = (
        share_left(each) for each in (model, *(as_observed(model, n) for n in ("bayes", "bayes_told")))
    )
    return {"ours": ours, "control": control, "excess": ours - control, "told": told}


@claim(
    "near_ridge",
    statement="at the ends of blocks the local rules read the states as well as ridge regression",
    published="not examined",
    ours="the network's error",
    control="ridge regression on the same states, fitted to the trials since the last switch, of which it is told",
    studies=("states",),
    tests={"excess": enough("ours less that of ridge regression")},
    where=ENDS,
    source=OURS,
    beside={"untold": "ridge regression on all trials, not told of the switches"},
    within=errors("untold"),
)
def near_ridge(runs: Runs) -> dict[str, float]:
    """The best linear readout of the same states, which is not local."""
    from izhires.analysis.observers import ObservedTask

    (model,) = runs["states"]
    task = ObservedTask.of_recording(model)  # the states are rebuilt once for both
    ours, control, untold = (
        share_left(each) for each in (model, *(as_observed(model, n, task) for n in ("ridge_told", "ridge")))
    )
    return {"ours": ours, "control": control, "excess": ours - control, "untold": untold}


def _calibration(runs: Runs, event: int) -> dict[str, float]:
    """Return r over levels of an event's amplitude with the probability of the first event, and of the counter's q."""
    from izhires.analysis import selection
    from izhires.analysis.metrics.calibration import levels, pearson

    table = levels(runs["levels"])
    own = table[table["event"] == table["event"].unique()[event]]
    counts = [
        float(np.clip(counter(each)[int(selection.trials_of_probes(each)[-1]), event], 0, 1)) for each in runs["levels"]
    ]
    level = own["level"].to_numpy()
    return {
        "ours": float(np.nan_to_num(pearson(level, own["amplitude"].to_numpy()))),
        "control": float(np.nan_to_num(pearson(level, np.array(counts)))),
        "frequency": float(np.nan_to_num(pearson(level, own["counted"].to_numpy()))),
    }


LEVELS = "meet_levels: 11 probabilities, a fresh network each, latencies 300 and 600 ms, last probe of 100 trials"


def _amplitude(name: str, statement: str, published: str, event: int, sign: str, limit: float) -> None:
    @claim(
        name,
        statement=statement,
        published=published,
        ours="r of each seed",
        control="r of a counter without a network, by the same rule at the same rate",
        unit="r",
        studies=("levels",),
        tests={"ours": Criterion("r", sign, limit, correlation=True)},  # type: ignore[arg-type]
        where=LEVELS,
        beside={"frequency": "r of the relative frequency in the same trials"},
        construction=COUNTS,
    )
    def measure(runs: Runs) -> dict[str, float]:
        return _calibration(runs, event)

    measure.__qualname__ = name


_amplitude(
    "amplitude_first_event",
    "the amplitude of event A follows its probability over 11 levels",
    "r = 0.978",
    0,
    ">",
    0.978,
)
_amplitude(
    "amplitude_second_event", "the amplitude of event B falls with the probability of A over 11 levels", "r = -0.989",
    1, "<", -0.989,
)  # fmt: skip


@claim(
    "more_than_a_counter",
    statement="with one cue, the identity readout does more than count",
    published="it reads the mean state",
    ours="|q - that of a counter without a network|, mean over trials and events",
    control="|q - p| of the counter",
    studies=("default",),
    tests={"ours": needed("distance")},
    where="MEET, all trials",
    source=OURS,
    beside={
        "own": "|q - p| of the network",
        "cosine": "smallest cosine of a what vector with the mean state at the end",
    },
    within=errors("own") | {"cosine": CORRELATION},
)
def more_than_a_counter(runs: Runs) -> dict[str, float]:
    """Delta rule without a network, with the rule and rates of "what", against q trial by trial."""
    (recording,) = runs["default"]
    said, counts = recording["trial_what"].transpose("trial", "event").values, counter(recording)
    true = true_probability(recording)
    weights = recording["what_weights"].isel(probe=-1).transpose("event", "neuron").values.astype(float)
    mean = recording["mean_state"].isel(probe=-1).values.astype(float)
    cosines = weights @ mean / np.linalg.norm(weights, axis=1) / np.linalg.norm(mean)
    return {
        "ours": float(np.nanmean(np.abs(said - counts))),
        "control": float(np.nanmean(np.abs(counts - true))),
        "own": float(np.nanmean(np.abs(said - true))),
        "cosine": float(cosines.min()),
    }


def true_probability(recording: xr.Dataset) -> np.ndarray:
    """Return the true probability of each event in each trial, (trial, event)."""
    from izhires.analysis import selection

    events, blocks = selection.events(recording), recording["trial_block"].values
    of_block = {b: [selection.probability(recording, int(b), event) for event in events] for b in np.unique(blocks)}
    return np.array([of_block[block] for block in blocks])


@claim(
    "peaks_at_latencies",
    statement="predictions peak at the latencies of the events, before and after switches",
    published="shown, not measured",
    ours="distance of the peak from the latency, mean over blocks and events",
    control=SEEN,
    unit="ms",
    studies=("default", "shuffled_readout"),
    tests={"ours": Criterion("distance (half of the events' width, assumed)", "<", 20)},
    where="MEET, last probe of each block, latencies 300/500 (A) and 600/800 ms (B)",
    beside={"shuffled": "bound: readout shuffled at test"},
    within=errors("shuffled"),
)
def peaks_at_latencies(runs: Runs) -> dict[str, float]:
    """Mean absolute peak error."""
    from izhires.analysis.metrics.timing import peak_error

    (model,), (shuffled,) = runs["default"], runs["shuffled_readout"]
    shown = {"ours": model, "control": as_observed(model, "bayes"), "shuffled": shuffled}
    return {
        name: float(np.nanmean([row.value for row in peak_error(each) if row.part == "absolute"]))
        for name, each in shown.items()
    }


def _moments(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of Beta(a, b)."""
    return a / (a + b), np.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))


def _read(recording: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation of the posterior that a network reads out, before each trial, (trial, event)."""
    read = (recording[name].transpose("trial", "event").values for name in ("trial_count", "trial_count_against"))
    return _moments(*(1 + np.maximum(each, 0) for each in read))


@claim(
    "confidence",
    statement="an extra readout brings back the Beta posterior of an event's probability",
    published="proposed",
    ours="distance of the posterior's mean from the exact one, mean over trials and events",
    control="distance of the exact one from itself: a count without a network",
    studies=("confidence",),
    tests={
        "ours": enough("distance of the mean"),
        "deviation": enough("distance of the standard deviation"),
    },
    where="MEET, all training trials but the first",
    construction=COUNTS,
    within=errors("deviation"),
)
def confidence(runs: Runs) -> dict[str, float]:
    """Beta posterior of the counts that the network reads out, against that of the counts themselves."""
    from izhires.analysis import selection

    (recording,) = runs["confidence"]
    learned = recording["trial_learn"].values.astype(bool)
    events = selection.came(recording)
    happened, failed = events & learned[:, None], ~events & learned[:, None]
    # of the exact counts, before each trial
    exact, spread = _moments(*(1 + np.cumsum(each, axis=0) - each for each in (happened, failed)))
    mean, deviation = _read(recording)
    later = learned & np.isfinite(mean).all(1) & np.isfinite(deviation).all(1)
    return {
        "ours": float(np.abs(mean - exact)[later].mean()),
        "deviation": float(np.abs(deviation - spread)[later].mean()),
        "control": 0.0,
    }


@claim(
    "confidence_after_switch",
    statement="... and after a switch of the probability that posterior says how uncertain the network has to be",
    published="proposed",
    ours="distance of the posterior's mean from the true probability, in its standard deviations",
    control=SEEN,
    unit="s.d.",
    studies=("confidence",),
    tests={"ours": Criterion("distance (two standard deviations, assumed)", "<", 2)},
    where=f"MEET, last {LAST} training trials of the block after the switch of probability, mean over events",
    source=OURS,
    within=errors(),
)
def confidence_after_switch(runs: Runs) -> dict[str, float]:
    """Counts that never forget are sure of the mean over both blocks."""
    from izhires.analysis.claims.switches import PROBABILITY
    from izhires.analysis.metrics.observers import training_rows
    from izhires.analysis.observers import ObservedTask, observe

    (recording,) = runs["confidence"]
    rows, true = training_rows(recording, PROBABILITY)[-LAST:], true_probability(recording)
    seen = observe("bayes", ObservedTask.of_recording(recording))
    read = {"ours": _read(recording), "control": (seen.probability, seen.deviation)}
    return {name: float((np.abs(mean - true) / spread)[rows].mean()) for name, (mean, spread) in read.items()}
