"""What the readouts saw, rebuilt from a recording that holds all spikes.

Every readout step of length dt, from the spike trace r of each cell (`izhires.model.model.STATE_UPDATE`):

    mean     <- mean + (r - mean) dt/tau_mean
    variance <- variance + ((r - mean)^2 - variance) dt/tau_mean
    s         = (r - mean)/sqrt(variance + smallest_spread^2)

and x, the mean of max(r - mean, 0) over the window after the cue (of r, where the network read that,
`izhires.model.model.MEAN_RATE_UPDATE`). The trace itself falls by r dt/tau_trace every step of the cells
and rises by 1/tau_trace at a spike, whose step ends with it. The recursion is repeated step by step from the start of
the run, all cells at once, so that it is the network's own arithmetic up to rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable, require

if TYPE_CHECKING:
    import xarray as xr

CHUNK = 1000
"""Readout steps whose spikes are counted at once."""


def readout_states(recording: xr.Dataset, trials: Sequence[int] | None = None, every: float = 0.001) -> xr.DataArray:
    """Return the standardised state s of each cell within the window of some trials.

    Parameters
    ----------
    recording : xarray.Dataset
        With all spikes (``keep.spikes = "all"``).
    trials : sequence of int, optional
        Rows of the trial table, ascending; all when left out.
    every : float
        Time between samples from the cue on (s), a multiple of the readout step. Each value takes 8 bytes, so that a
        long run with many cells asks for few trials or a coarser grid.

    Returns
    -------
    xarray.DataArray, (trial, time, neuron)
        Coordinates: ``trial`` (row of the trial table), ``time`` (s from the cue).

    Raises
    ------
    Unavailable
        If the recording lacks spikes or its configuration, a trial does not exist, `every` is no multiple of the
        readout step, or the cells' spike trace is one of the user's own.
    """
    import xarray as xr

    run = _Run(recording)
    chosen = np.arange(len(run.cues)) if trials is None else np.asarray(trials, dtype=int)
    if len(chosen) and (chosen.min() < 0 or chosen.max() >= len(run.cues) or (np.diff(chosen) <= 0).any()):
        raise Unavailable(f"trials must be ascending and lie in 0 to {len(run.cues) - 1}, the rows of the trial table")
    stride = round(every / run.step)
    if stride < 1 or abs(stride * run.step - every) > 1e-9:
        raise Unavailable(f"every = {every:g} s is no multiple of the readout step, {run.step:g} s")
    offsets = np.arange(0, run.window, stride)
    places = {int(run.cues[trial] + offset): (row, column)
              for row, trial in enumerate(chosen) for column, offset in enumerate(offsets)}  # fmt: skip
    found = np.empty((len(chosen), len(offsets), run.cells))
    if places:
        for moment, r, mean, variance in run.walk(max(places) + 1):
            place = places.get(moment)
            if place is not None:
                found[place] = (r - mean) / np.sqrt(variance + run.smallest_spread**2)
    return xr.DataArray(
        found,
        dims=("trial", "time", "neuron"),
        coords={"trial": chosen, "time": np.round(offsets * run.step, 9)},
        attrs={"long_name": "standardised state of each cell", "units": "1"},
    )


def mean_states(recording: xr.Dataset) -> xr.DataArray:
    """Return x, the mean over the window after each trial's cue of what "what" reads of the spike trace.

    Parameters
    ----------
    recording : xarray.Dataset
        With all spikes (``keep.spikes = "all"``).

    Returns
    -------
    xarray.DataArray, (trial, neuron), Hz

    Raises
    ------
    Unavailable
        As `readout_states`.
    """
    import xarray as xr

    run = _Run(recording)
    found = np.zeros((len(run.cues), run.cells))
    last = int(run.cues[-1] + run.window)
    trial_of = np.full(last, -1)
    for trial, cue in enumerate(run.cues):
        trial_of[cue : cue + run.window] = trial
    for moment, r, mean, _ in run.walk(last):
        if trial_of[moment] >= 0:
            found[trial_of[moment]] += r if run.reads_rate else np.maximum(r - mean, 0)
    return xr.DataArray(
        found / run.window,
        dims=("trial", "neuron"),
        coords={"trial": np.arange(len(run.cues))},
        attrs={"long_name": "x, what the trial readouts read over the window", "units": "Hz"},
    )


class _Run:
    """The spikes and constants of one recording, all times as whole steps."""

    def __init__(self, recording: xr.Dataset) -> None:
        from izhires.declare import in_si
        from izhires.model.model import MEAN_RATE_UPDATE, STATE_UPDATE
        from izhires.recordings.recording import configuration

        require(recording, ["trial_cue"])
        if "configuration" not in recording.attrs:
            raise Unavailable("needs the configuration that made the recording, which it does not hold")
        made: dict[str, Any] = configuration(recording)
        if made["keep"]["spikes"] != "all":
            raise Unavailable('needs all spikes, that is a run with keep.spikes = "all"')
        require(recording, ["spike_time", "spike_neuron"])
        state = made["state"]
        read = state.get("of", "cells")
        reservoir = made["reservoir"] if read == "cells" else made["populations"][read]
        _check_trace(reservoir["cell"]["equations"], reservoir["cell"]["reset"])
        update = state.get("update", STATE_UPDATE)
        self.reads_rate = update == MEAN_RATE_UPDATE
        if update not in (STATE_UPDATE, MEAN_RATE_UPDATE):
            raise Unavailable("the readouts see a state of their own equations (state.update)")
        self.step = float(recording.attrs["time_step"])
        cell_step = in_si(made["time_step"], "ms")
        self.tau = in_si(reservoir["tau_trace"], "ms")
        self.gain = self.step / in_si(state["tau_mean"], "ms")
        self.smallest_spread = in_si(state["smallest_spread"], "Hz")
        self.cells = recording.sizes["neuron"]
        self.cues = np.rint(recording["trial_cue"].values / self.step).astype(int)
        self.window = round(float(recording.attrs["window"]) / self.step)
        within = round(self.step / cell_step)
        kept = 1 - cell_step / self.tau  # of the trace, each step of a cell (Euler)
        self.decay = kept**within
        times, self.neuron = selection.cell_spikes(recording)
        moments = np.rint(times / cell_step).astype(int)
        # a spike shows at the readout step after its own, less what the remaining cell steps took of it
        self.seen = moments // within + 1
        self.size = kept ** (within - 1 - moments % within) / self.tau

    def walk(self, steps: int) -> Iterator[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
        """Yield the moment (in readout steps) and r, mean and variance of all cells; the arrays are reused."""
        r, mean, variance, change = np.zeros((4, self.cells))
        for start in range(0, steps, CHUNK):
            end = min(start + CHUNK, steps)
            first, last = np.searchsorted(self.seen, (start, end))
            place = (self.seen[first:last] - start) * self.cells + self.neuron[first:last]
            rise = np.bincount(place, self.size[first:last], (end - start) * self.cells).reshape(-1, self.cells)
            for moment in range(start, end):
                r *= self.decay
                r += rise[moment - start]
                np.subtract(r, mean, out=change)
                change *= self.gain
                mean += change
                np.subtract(r, mean, out=change)
                change *= change
                change -= variance
                change *= self.gain
                variance += change
                yield moment, r, mean, variance


def _check_trace(equations: str, reset: str) -> None:
    """Complain when the trace r of the cells is not the package's own, to which the recursion belongs."""
    from izhires.cells.base import CURRENTS, TRACE

    def of_trace(text: str, start: str) -> list[str]:
        return ["".join(line.split()) for line in text.splitlines() if line.strip().startswith(start)]

    for given, ours, start in ((equations, CURRENTS, "dr/dt"), (reset, TRACE, "r ")):
        if of_trace(given, start) != of_trace(ours, start):
            raise Unavailable(f"the cells' own equation of the spike trace is not {of_trace(ours, start)[0]!r}")
