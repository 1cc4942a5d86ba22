"""Whether the states of a network tell how long ago the cue was, in every part of the window.

A circuit's states tell time as long as they go on changing in the same way in every trial. Where they do not, a
readout cannot place an event, and what it predicts there means nothing. So every run is checked, whatever its circuit.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from izhires.recordings.recording import MEMORY, in_order, spike_trace, spikes_between

if TYPE_CHECKING:
    from collections.abc import Mapping

    from izhires.paradigms.experiment import Experiment

PARTS = 10
"""Parts of equal length into which the window is divided."""

TRIALS = 8
"""Trials that are compared, evenly over the run."""

MOMENTS = 100
"""Samples of the window."""

LEAST = 0.01
"""What is below this share of the trace of one spike, 1/tau, is no longer seen."""


def decoding_error(traces: np.ndarray, tau: float) -> np.ndarray:
    """Return how far off the time is that the nearest state of the other trials tells, as a share of the window.

    The state of each trial and moment is compared with the mean over all other trials at every moment; the moment of
    the nearest one is the time it tells. Of moments that are equally near, each is told with equal chance.

    Parameters
    ----------
    traces : array, shape (trial, moment, neuron)
        Spike traces, Hz, at moments evenly over the window.
    tau : float
        Decay of the traces, s.

    Returns
    -------
    array, shape (moment,)
        Mean absolute error over trials; NaN where fewer than two trials are there.
    """
    many, moments, _ = traces.shape
    if many < 2:
        return np.full(moments, np.nan)
    seen = np.where(traces > LEAST / tau, traces, 0).astype(np.float32)
    total = seen.sum(0)
    apart = np.abs(np.subtract.outer(np.arange(moments), np.arange(moments))) / moments
    error = np.zeros(moments)
    for own in seen:
        others = (total - own) / np.float32(many - 1)
        distance = (own**2).sum(1)[:, None] + (others**2).sum(1) - 2 * own @ others.T
        # what differs by rounding alone is equally near
        near = distance <= distance.min(1, keepdims=True) + 1e-5 * (own**2).sum(1).max() + 1e-12
        error += (near * apart).sum(1) / near.sum(1) / many
    return error


def time_told(traces: np.ndarray, tau: float) -> list[float]:
    """Return, for each tenth of the window, the median error of the time told over that of a guess within this tenth.

    From 1 on, the states tell no more than in which tenth they are, if that: a guess from a uniform distribution over a
    part of length L is off by L/3 on average. See `decoding_error` for the parameters.
    """
    return [float(np.median(part)) * 3 * PARTS for part in np.array_split(decoding_error(traces, tau), PARTS)]


def measure(experiment: Experiment, outputs: Mapping[str, np.ndarray], n: int, tau: float) -> list[float]:
    """Return `time_told` of a run, from its spikes in some trials.

    Parameters
    ----------
    experiment : Experiment
    outputs : mapping
        What a device's program returned; all spikes are in it, whatever the recording keeps.
    n : int
        Number of cells.
    tau : float
        Decay of the spike trace, s.
    """
    moments = np.arange(MOMENTS) * experiment.window / MOMENTS
    outputs = in_order(dict(outputs))
    after_warm_up = (experiment.trials["kind"] != "warm-up").to_numpy()
    found = []
    # the states after one cue need not be like those after another
    heard = [name for name in experiment.cues if (experiment.cue_of_trials[after_warm_up] == name).any()]
    for name in heard or experiment.cues[:1]:
        cues = experiment.trials.loc[after_warm_up & (experiment.cue_of_trials == name), "cue"].to_numpy()
        cues = cues[np.unique(np.linspace(0, len(cues) - 1, min(TRIALS, len(cues))).astype(int))]
        traces = np.empty((len(cues), len(moments), n), np.float32)
        for trace, cue in zip(traces, cues, strict=True):
            own = spikes_between(outputs, cue - MEMORY * tau, cue + experiment.window)
            trace[:] = spike_trace(*own, cue + moments, n, tau)
        found.append(time_told(traces, tau))
    return np.max(found, axis=0).tolist()  # of the cue after which they tell least


def as_text(told: list[float]) -> str:
    """Return `time_told` as an attribute of a recording holds it: JSON, null where it could not be measured."""
    return json.dumps([None if np.isnan(each) else round(each, 4) for each in told])


def of_attributes(attributes: Mapping[str, Any]) -> list[float]:
    """Return the `time_told` that a recording's attributes hold; empty in one of a version that did not measure it."""
    return [float("nan") if each is None else each for each in json.loads(attributes.get("time_told", "[]"))]


def remark(attributes: Mapping[str, Any]) -> str:
    """Return in which parts of the window the states of a recording do not tell time, in one line, or nothing."""
    told, window = of_attributes(attributes), float(attributes.get("window", "nan"))
    lost = [part for part, each in enumerate(told) if each >= 1]
    if not lost:
        return ""
    spans: list[list[int]] = []
    for part in lost:
        if spans and spans[-1][1] == part:
            spans[-1][1] += 1
        else:
            spans.append([part, part + 1])
    text = " and ".join(f"{window * start / PARTS:.3g} to {window * end / PARTS:.3g} s" for start, end in spans)
    return (
        f"from {text} after the cue the states do not tell the time; a prediction of an event then is not to be trusted"
    )
