"""Amplitude of the prediction against the probability that it should express."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics.base import Item, Row, metric
from izhires.analysis.statistics import CORRELATION, FEWEST_FOR_R, POSITIVE, few_for_r
from izhires.declare import PAPER
from izhires.paradigms.experiment import expectation

if TYPE_CHECKING:
    import xarray as xr

HALF_WIDTH = 0.1
"""Half the width (s) of the stretch around an event's latency in which its amplitude is read."""


def unit_expectation(
    times: np.ndarray, latencies: np.ndarray, probabilities: np.ndarray, event_width: float
) -> np.ndarray:
    """Return the expectation of an event given that it occurs, sum_j w_j exp(-(t - t_j)^2 / (2 width^2)).

    Parameters
    ----------
    times : ndarray, (time,)
        s from the cue.
    latencies, probabilities : ndarray, (latency,)
        The event's latencies (s) and how likely each is; w_j = p_j / sum(p), or equal weights when the event never
        occurs.
    event_width : float
        s.

    Returns
    -------
    ndarray, (time,)
        For a single latency the unit bump.
    """
    total = probabilities.sum()
    weights = probabilities / total if total > 0 else np.full(len(latencies), 1 / len(latencies))
    names = np.full(len(latencies), "event")
    given = {"block": np.zeros(len(latencies), int), "event": names, "latency": latencies, "probability": weights}
    return expectation(given, ["event"], 0, times, event_width)[0]


def amplitude(prediction: np.ndarray, times: np.ndarray, latencies: np.ndarray, unit: np.ndarray) -> float:
    """Return mean(prediction) / mean(unit) over the times within 100 ms of any of the event's latencies.

    Parameters
    ----------
    prediction, times, unit : ndarray, (time,)
        `unit` from `unit_expectation`.
    latencies : ndarray, (latency,)

    Returns
    -------
    float
        1 for a prediction that equals the unit bump, p for a calibrated one.
    """
    # times lie on a grid of 1 ms: half a step of slack keeps both edges in, whatever the rounding of the sums
    near = (np.abs(times[:, None] - latencies) <= HALF_WIDTH + 5e-4).any(axis=1)
    return float(prediction[near].mean() / unit[near].mean())


def event_amplitude(recording: xr.Dataset, block: int, event: str) -> float:
    """Return the amplitude of one event at the last probe of a block.

    Raises
    ------
    Unavailable
        If the block's statistics give the event no latency.
    """
    latencies, probabilities = selection.event_latencies(recording, block, event)
    times = recording["time"].values
    unit = unit_expectation(times, latencies, probabilities, float(recording.attrs["event_width"]))
    shown = recording["prediction"].isel(probe=selection.last_probe(recording, block)).sel(event=event)
    return amplitude(shown.values, times, latencies, unit)


def levels(recordings: Sequence[xr.Dataset]) -> pd.DataFrame:
    """Return amplitude and probability of each event in each recording of a single block.

    Returns
    -------
    pandas.DataFrame
        Columns seed, variant, event, level (probability of the first event), probability (of this event), amplitude,
        counted (relative frequency of this event among the training trials that this network lived through).

    Raises
    ------
    Unavailable
        If the recordings do not hold at least three levels of probability.
    """
    rows = []
    for recording in recordings:
        if len(selection.blocks(recording)) > 1:
            raise Unavailable("needs recordings of one block each, at several probabilities")
        block, names = selection.blocks(recording)[0], selection.events(recording)
        table = selection.trials(recording)
        training = ((table["block"] == block) & (table["kind"] == "train")).to_numpy()
        came = selection.came(recording)[training].mean(axis=0)
        level = selection.probability(recording, block, names[0])
        for event, share in zip(names, came, strict=True):
            rows.append(
                {
                    "seed": selection.seed(recording),
                    "variant": str(recording.attrs.get("variant", "")),
                    "event": event,
                    "level": level,
                    "probability": selection.probability(recording, block, event),
                    "amplitude": event_amplitude(recording, block, event),
                    "counted": float(share),
                }
            )
    found = pd.DataFrame(rows)
    count = found["level"].nunique() if rows else 0
    if count < 3:
        raise Unavailable(f"needs recordings at three or more probabilities, got {count}")
    return found


def pearson(x: np.ndarray, y: np.ndarray) -> float:
    """Return Pearson's r, NaN when either is constant."""
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


@metric(
    "amplitude",
    unit="1",
    within=POSITIVE,
    description="amplitude of the prediction of each event at the last probe of each block",
    definition=(
        "mean of the prediction over latency +- 100 ms divided by the mean of the unit bump there; for an event "
        "with several latencies over all of these stretches, with the unit bumps weighted by how likely each latency is"
    ),
    needs=("prediction", "outcome_latency"),
    parts={
        "": Item("amplitude of the prediction"),
        "minus_probability": Item("amplitude less the true probability of the event", within=(-1, np.inf)),
    },
)
def amplitudes(recording: xr.Dataset) -> Iterator[Row]:
    """Amplitude of each event in each block, and how far it is from the probability."""
    for block in selection.blocks(recording):
        for event in selection.events(recording):
            try:
                value = event_amplitude(recording, block, event)
            except Unavailable as reason:
                yield Row(np.nan, "", block, event, note=str(reason))
                continue
            yield Row(value, "", block, event)
            yield Row(value - selection.probability(recording, block, event), "minus_probability", block, event)


@metric(
    "calibration",
    unit="1",
    within=CORRELATION,
    description="amplitude of each event against the probability of the first event, over levels of probability",
    definition="Pearson's r of amplitude with p(first event), over recordings of one block at several probabilities",
    source=f"{PAPER} (r = 0.978 for A, -0.989 for B)",
    scope="study",
    worst="weakest",
    needs=("prediction", "outcome_latency", "trial_event"),
    parts={
        "r": Item("r over all levels and seeds together"),
        "r_seed": Item("r over the levels of one seed"),
        "r_counting": Item("r over all levels and seeds of an observer that counts the events of the same trials"),
        "rms": Item("root mean square of amplitude - probability, over all levels and seeds", within=POSITIVE),
    },
)
def calibration(recordings: Sequence[xr.Dataset]) -> Iterator[Row]:
    """Correlation of amplitude with probability, pooled and for each seed, beside a counting observer."""
    table = levels(recordings)
    for event, group in table.groupby("event", sort=False):
        name, level = str(event), group["level"].to_numpy()
        yield _correlation(level, group["amplitude"].to_numpy(), "r", name)
        yield _correlation(level, group["counted"].to_numpy(), "r_counting", name)
        difference = group["amplitude"] - group["probability"]
        yield Row(float(np.sqrt((difference**2).mean())), "rms", event=name)
        for seed in sorted(group["seed"].unique()):
            own = group[group["seed"] == seed]
            yield _correlation(own["level"].to_numpy(), own["amplitude"].to_numpy(), "r_seed", name, int(seed))


def _correlation(level: np.ndarray, value: np.ndarray, part: str, event: str, seed: int | None = None) -> Row:
    if len(level) < FEWEST_FOR_R:
        note = f"needs {FEWEST_FOR_R} or more networks: {few_for_r(len(level))}"
        return Row(np.nan, part, event=event, seed=seed, note=note)
    r = pearson(level, value)
    note = "" if np.isfinite(r) else "constant over the levels, or one level only"
    return Row(r, part, event=event, seed=seed, note=note)
