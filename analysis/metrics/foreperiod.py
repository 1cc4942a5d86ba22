"""What the course of a prediction over the window follows, where an event has many latencies: probability, or hazard.

The candidates are all made of the true outcomes of the block, on one scale, that of bumps of height 1:

``probability``
    the expectation, each bump weighted by its probability;
``survivor``
    each bump weighted by its probability given that nothing has come so far: the hazard;
``blurred_probability``, ``blurred_survivor``
    both to someone whose clock is imprecise in proportion to the time (`izhires.paradigms.truth`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics.base import Item, Row, metric
from izhires.analysis.metrics.calibration import pearson
from izhires.analysis.statistics import ANY, CORRELATION, POSITIVE
from izhires.paradigms import truth
from izhires.paradigms.experiment import expectation

if TYPE_CHECKING:
    import xarray as xr

CANDIDATES = {
    "probability": "the probability-weighted expectation",
    "survivor": "the expectation given that nothing has come so far",
    "blurred_probability": "the blurred probability",
    "blurred_survivor": "the blurred hazard",
}
"""Each candidate with what it is."""

PROBES = 10
"""Last probes of a block that are judged, each on its own; their mean is reported."""

MEMORIES = (0.3, 0.5, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300)
"""Time constants (trials) of the exponential means over past trials that a prediction is compared with."""


def courses(recording: xr.Dataset, block: int, event: str) -> pd.DataFrame:
    """Return each candidate for the course of an event's prediction over the window.

    Returns
    -------
    pandas.DataFrame
        Index: time (s from the cue); a column a candidate.
    """
    outcomes, times = selection.outcomes(recording), recording["time"].values
    width = float(recording.attrs["event_width"])
    scale = np.sqrt(2 * np.pi) * width  # from a density to bumps of height 1
    found = {
        "probability": expectation(outcomes, [event], block, times, width),
        "survivor": truth.survivor_expectation(outcomes, [event], block, times, width),
        "blurred_probability": scale * truth.blurred_probability(outcomes, [event], block, times, deviation=width),
        "blurred_survivor": scale * truth.blurred_hazard(outcomes, [event], block, times, deviation=width),
    }
    return pd.DataFrame({name: course[0] for name, course in found.items()}, index=pd.Index(times, name="time"))


def judged(recording: xr.Dataset, block: int) -> np.ndarray:
    """Return the indices of the block's last probes, after some training: at most `PROBES`."""
    probes = selection.probes(recording, block)
    return probes[recording["block_trial"].values[probes] > 0][-PROBES:]


def varied(recording: xr.Dataset, block: int) -> list[str]:
    """Return the events that have several latencies in a block."""
    found = []
    for event in selection.events(recording):
        try:
            latencies, chances = selection.event_latencies(recording, block, event)
        except Unavailable:
            continue
        if len(latencies[chances > 0]) > 1:
            found.append(event)
    return found


def past(recording: xr.Dataset, probe: int, event: str) -> np.ndarray:
    """Return the bump of this event in each training trial of the block before a probe, the last trial first.

    Returns
    -------
    ndarray, (trial, time)
        Zeros where the event did not come.
    """
    table = selection.trials(recording)
    row = int(selection.trials_of_probes(recording)[probe])
    taught = (table["kind"] == "train") & (table["block"] == table["block"].iloc[row]) & (table.index < row)
    late = selection.latencies(recording)[event][taught].to_numpy(float)[::-1]
    bumps = np.exp(
        -((recording["time"].values - late[:, None]) ** 2) / (2 * float(recording.attrs["event_width"]) ** 2)
    )
    return np.nan_to_num(bumps)


def memory(course: np.ndarray, bumps: np.ndarray) -> float:
    """Return over how many past trials a prediction averages.

    It is the time constant, of `MEMORIES`, with which the mean of past bumps, weighted by exp(-trials ago/constant),
    correlates best with the prediction.

    Parameters
    ----------
    course : ndarray, (time,)
    bumps : ndarray, (trial, time)
        The last trial first.
    """
    ago = np.arange(len(bumps))
    fits = [pearson(course, np.exp(-ago / tau) @ bumps) for tau in MEMORIES]
    return float(MEMORIES[int(np.nanargmax(fits))]) if np.isfinite(fits).any() else np.nan


_MANY = {
    **{f"r_{name}": Item(f"correlation with {text}") for name, text in CANDIDATES.items()},
    **{
        f"within_{name}": Item(f"correlation with {text} between the first latency and the last")
        for name, text in CANDIDATES.items()
    },
    **{
        f"error_{name}": Item(f"root mean square distance from {text}", within=POSITIVE)
        for name, text in CANDIDATES.items()
    },
}


@metric(
    "foreperiod",
    unit="1",
    within=CORRELATION,
    description="what the course of the prediction follows where an event has several latencies",
    definition=(
        "Pearson's r of the prediction and each candidate over the window, r between the first and the last latency "
        f"(within), and root mean square distance (error); mean over the last {PROBES} probes of the block, each "
        "judged on its own. probability: sum_j p_j bump_j; survivor: sum_j p_j/S(min(t, t_j)) bump_j, S the "
        "probability that nothing has come before; blurred: density and hazard with a standard deviation of "
        f"sqrt(event_width^2 + ({truth.WEBER} t_j)^2), times sqrt(2 pi) event_width. preference: within_probability - "
        "within_survivor. last_trial: r with the bump of the last training trial; memory: time constant of the "
        "exponential mean over past trials that correlates best, median over probes. By chance: one_trial and "
        "preference_one_trial, of the bump of one trial alone, on average; counting: r with probability of the mean "
        "over all trials of the block so far; none: error of an output of 0 from probability. readiness: r of the "
        "timing prediction at the event with the latency, over the second half of the block's training trials: "
        "positive if what comes late is better expected, as where reaction times fall with the foreperiod; chance 0"
    ),
    source=(
        "Janssen & Shadlen 2005, doi 10.1038/nn1386; Grabenhorst et al. 2019, doi 10.1038/s41467-019-13849-0; "
        "Niemi & Näätänen 1981, doi 10.1037/0033-2909.89.1.133; the measures: this project"
    ),
    needs=("prediction", "outcome_latency", "trial_event", "trial_latency"),
    parts={
        **_MANY,
        "preference": Item(
            "correlation with probability less that with hazard, between the first latency and the last",
            within=ANY,
        ),
        "preference_one_trial": Item("the same of the bump of one trial alone: no averaging", within=ANY),
        "last_trial": Item("correlation with the bump of the last trial"),
        "memory": Item("trials over which the prediction averages", "trials", within=POSITIVE),
        "one_trial": Item("correlation with probability of the bump of one trial alone: no averaging"),
        "counting": Item("correlation with probability of the mean over all trials so far: perfect averaging"),
        "none": Item("error of an output of zero from probability", within=POSITIVE),
        "readiness": Item("correlation of the timing prediction at the event with its latency"),
    },
)
def foreperiod(recording: xr.Dataset) -> Iterator[Row]:
    """Correlations and errors of each event with several latencies in each block, beside their chance levels."""
    any_varied = False
    for block in selection.blocks(recording):
        for event in varied(recording, block):
            any_varied = True
            for part, value in _of(recording, block, event).items():
                note = "" if np.isfinite(value) else "the prediction is constant, or there are too few trials"
                yield Row(float(value), part, block, event, note=note)
    if not any_varied:
        raise Unavailable("needs events with several latencies in a block")


def _of(recording: xr.Dataset, block: int, event: str) -> dict[str, float]:
    wanted, probes = courses(recording, block, event), judged(recording, block)
    if not len(probes):
        raise Unavailable(f"no probe follows a training trial of block {block}")
    latencies, chances = selection.event_latencies(recording, block, event)
    latencies, chances = latencies[chances > 0], chances[chances > 0]
    times = wanted.index.to_numpy()
    inside = (times >= latencies.min() - 5e-4) & (times <= latencies.max() + 5e-4)
    shown = recording["prediction"].sel(event=event).transpose("probe", "time").values
    each: dict[str, list[float]] = {}
    for probe in probes.tolist():
        course, bumps = shown[probe], past(recording, probe, event)
        for name in CANDIDATES:
            true = wanted[name].to_numpy()
            each.setdefault(f"r_{name}", []).append(pearson(course, true))
            each.setdefault(f"within_{name}", []).append(pearson(course[inside], true[inside]))
            each.setdefault(f"error_{name}", []).append(float(np.sqrt(np.mean((course - true) ** 2))))
        each.setdefault("last_trial", []).append(pearson(course, bumps[0]) if len(bumps) else np.nan)
        each.setdefault("memory", []).append(memory(course, bumps))
        counted = pearson(bumps.mean(0), wanted["probability"].to_numpy()) if len(bumps) else np.nan
        each.setdefault("counting", []).append(counted)
    found = {part: _middle(part, values) for part, values in each.items()}
    found["preference"] = found["within_probability"] - found["within_survivor"]
    true = wanted["probability"].to_numpy()
    width = float(recording.attrs["event_width"])
    alone = np.exp(-((times - latencies[:, None]) ** 2) / (2 * width**2))
    found["one_trial"] = float(np.average([pearson(bump, true) for bump in alone], weights=chances))
    of_one = {
        name: [pearson(bump[inside], wanted[name].to_numpy()[inside]) for bump in alone]
        for name in ("probability", "survivor")
    }
    by_chance = np.subtract(of_one["probability"], of_one["survivor"])
    found["preference_one_trial"] = float(np.average(by_chance, weights=chances))
    found["none"] = float(np.sqrt(np.mean(true**2)))
    found["readiness"] = _readiness(recording, block, event)
    return found


def _middle(part: str, values: list[float]) -> float:
    """Return the mean over probes; of time constants, which jump, the median."""
    if not np.isfinite(values).any():
        return np.nan
    return float(np.nanmedian(values) if part == "memory" else np.nanmean(values))


def _readiness(recording: xr.Dataset, block: int, event: str) -> float:
    """Return the correlation of the timing prediction at the event with the latency, second half of the block."""
    if "trial_when" not in recording:
        return np.nan
    table = selection.trials(recording)
    training = np.flatnonzero((table["kind"] == "train") & (table["block"] == block))
    late = selection.latencies(recording)[event].to_numpy(float)
    rows = [row for row in training[len(training) // 2 :] if np.isfinite(late[row])]
    ready = recording["trial_when"].sel(event=event).values[rows]
    return pearson(late[rows], ready)
