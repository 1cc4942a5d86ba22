"""How cells fire: regularity, variability over trials, and synchrony; each needs all spikes of a run.

The cue is the only thing that the cells hear, so all trials of a block are repetitions of one another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable, require
from izhires.analysis.metrics.base import Item, Row, metric
from izhires.analysis.statistics import CORRELATION, POSITIVE, difference_of
from izhires.optional import library

if TYPE_CHECKING:
    import xarray as xr

LEAST_INTERVALS = 20
"""Intervals a cell must have for its variation to be measured."""
LEAST_COUNT = 0.5
"""Mean number of spikes a window below which a Fano factor is near 1 whatever the cell does."""
LEAST_TRIALS = 10
BIN = 0.005
"""Width of the bins in which spikes count as synchronous (s)."""
CELLS = 100
"""Cells among which synchrony is measured, drawn from all that fire."""
SHUFFLES = 2

_KINDS = {"excitatory": 1, "inhibitory": 0}


def need_all_spikes(recording: xr.Dataset) -> None:
    """Complain in one line when a recording holds only some of the spikes.

    Raises
    ------
    Unavailable
    """
    require(recording, ("spike_time", "spike_neuron"))
    if "configuration" in recording.attrs:
        from izhires.recordings.recording import configuration

        kept = configuration(recording)["keep"]["spikes"]
        if kept == "all":
            return
    raise Unavailable('needs all spikes, that is a run with keep.spikes = "all"')


def window_counts(recording: xr.Dataset, trials: Sequence[int] | np.ndarray, width: float | None = None) -> np.ndarray:
    """Count the spikes of each cell in the window after the cue of some trials.

    Parameters
    ----------
    recording : xarray.Dataset
        With the spikes of these trials.
    trials : sequence of int
        Rows of the trial table, ascending.
    width : float, optional
        Width of the bins, s; one bin for the whole window when left out. What is left of the window after the last
        whole bin does not count.

    Returns
    -------
    ndarray of int, (trial, bin, neuron)
    """
    window = float(recording.attrs["window"])
    width = window if width is None else width
    bins, neurons = int(window / width + 1e-9), recording.sizes["neuron"]
    spikes, cells = selection.cell_spikes(recording)
    cues = recording["trial_cue"].values[np.asarray(trials, int)]
    trial = np.searchsorted(cues, spikes + 1e-9) - 1
    column = np.floor((spikes - cues[trial] + 1e-9) / width).astype(int)
    inside = (trial >= 0) & (column < bins)
    place = (trial[inside] * bins + column[inside]) * neurons + cells[inside]
    return np.bincount(place, minlength=len(cues) * bins * neurons).reshape(len(cues), bins, neurons)


@metric(
    "interval_variation",
    unit="1",
    within=POSITIVE,
    description="variation of the intervals between the spikes of a cell: 0 for a clock, 1 for a Poisson process",
    definition=(
        "CV: standard deviation over mean of a cell's intervals; CV2: mean of 2 |I_j+1 - I_j| / (I_j+1 + I_j), which "
        f"slow changes of the rate do not raise; mean over cells with {LEAST_INTERVALS} or more intervals, whole run"
    ),
    source="Holt et al. 1996, doi 10.1152/jn.1996.75.5.1806; elephant.statistics",
    library="elephant",
    needs=("spike_time", "spike_neuron", "excitatory"),
    parts={
        f"{name}_{kind}": Item(f"{name.upper()}, {kind} cells", detail=name == "cv")
        for kind in _KINDS
        for name in ("cv2", "cv")
    },
)
def interval_variation(recording: xr.Dataset) -> Iterator[Row]:
    """CV and CV2 of excitatory and of inhibitory cells."""
    need_all_spikes(recording)
    statistics = library("elephant.statistics")
    time, cell = selection.cell_spikes(recording)
    order = np.lexsort((time, cell))
    ends = np.cumsum(np.bincount(cell, minlength=recording.sizes["neuron"]))
    trains = np.split(time[order], ends[:-1])
    for kind, sign in _KINDS.items():
        mine = [train for train, own in zip(trains, recording["excitatory"].values, strict=True)
                if own == sign and len(train) > LEAST_INTERVALS]  # fmt: skip
        if not mine:
            yield Row(np.nan, f"cv2_{kind}", note=f"no {kind} cell has {LEAST_INTERVALS} intervals")
            continue
        intervals = [statistics.isi(train) for train in mine]
        yield Row(float(np.mean([statistics.cv2(each) for each in intervals])), f"cv2_{kind}")
        yield Row(float(np.mean([each.std() / each.mean() for each in intervals])), f"cv_{kind}")


def fano_factors(counts: np.ndarray) -> np.ndarray:
    """Return variance (n - 1) over mean of spike counts over trials, NaN for a cell that never fires.

    Parameters
    ----------
    counts : ndarray, (trial, neuron)

    Returns
    -------
    ndarray, (neuron,)
    """
    mean = counts.mean(0)
    return counts.var(0, ddof=1) / np.where(mean > 0, mean, np.nan)


@metric(
    "fano_factor",
    unit="1",
    within=POSITIVE,
    description="variability of spike counts over the trials of a block: 0 for equal counts, 1 for a Poisson process",
    definition=(
        "variance (n - 1) over mean, over all trials of a block, of a cell's spikes in the window after the cue; mean "
        f"over cells with {LEAST_COUNT} or more spikes a window. Learning between the trials adds to it"
    ),
    source="Fano 1947, doi 10.1103/PhysRev.72.26",
    needs=("spike_time", "spike_neuron", "excitatory", "trial_cue", "trial_block"),
    parts={kind: Item(f"{kind} cells") for kind in _KINDS},
)
def fano_factor(recording: xr.Dataset) -> Iterator[Row]:
    """Fano factor of excitatory and of inhibitory cells in each block."""
    need_all_spikes(recording)
    for block in selection.blocks(recording):
        trials = _block_trials(recording, block)
        if len(trials) < LEAST_TRIALS:
            yield Row(np.nan, "excitatory", block, note=f"a block has fewer than {LEAST_TRIALS} trials")
            continue
        counts = window_counts(recording, trials)[:, 0]
        found, active = fano_factors(counts), counts.mean(0) >= LEAST_COUNT
        for kind, sign in _KINDS.items():
            mine = found[active & (recording["excitatory"].values == sign)]
            if len(mine):
                yield Row(float(mine.mean()), kind, block)
            else:
                yield Row(np.nan, kind, block, note=f"no {kind} cell fires {LEAST_COUNT} spikes a window")


def _block_trials(recording: xr.Dataset, block: int) -> np.ndarray:
    """Return the rows of a block's training and probe trials."""
    table = selection.trials(recording)
    return np.flatnonzero((table["block"] == block) & table["kind"].isin(["train", "probe"]))


def mean_correlation(trains: Sequence[np.ndarray], bins: int) -> float:
    """Return the mean correlation of spike counts over all pairs of spike trains.

    Parameters
    ----------
    trains : sequence of ndarray of int
        For each cell the bin of each of its spikes, 0 to `bins` - 1; none is empty.
    bins : int

    Returns
    -------
    float
    """
    neo, pq = library("neo"), library("quantities")
    # one bin a second, each spike in the middle of its bin: nothing is left to rounding
    binned = library("elephant.conversion").BinnedSpikeTrain(
        [neo.SpikeTrain(np.sort(train) + 0.5, t_stop=bins, units="s") for train in trains], bin_size=1 * pq.s
    )
    matrix = library("elephant.spike_train_correlation").correlation_coefficient(binned)
    pairs: np.ndarray = matrix[np.triu_indices(len(trains), 1)]
    return float(np.mean(pairs))


@metric(
    "synchrony",
    unit="1",
    within=CORRELATION,
    description="mean correlation of the spike counts of pairs of cells, beside that of cells from different trials",
    definition=(
        f"mean Pearson's r of counts in {1e3 * BIN:g}-ms bins within the windows of all trials of a block, over all "
        f"pairs of at most {CELLS} cells drawn from those that fire; chance: the trials of each cell in an order of "
        f"its own, which keeps what is locked to the cue, mean of {SHUFFLES} shuffles"
    ),
    source="Perkel, Gerstein & Moore 1967, doi 10.1016/S0006-3495(67)86597-4; elephant.spike_train_correlation",
    library="elephant",
    needs=("spike_time", "spike_neuron", "trial_cue", "trial_block"),
    parts={
        "": Item("correlation of cells in the same trials"),
        "shuffled": Item("correlation of cells from different trials: what the cue alone makes", interval=False),
        "difference": Item(
            "correlation less that of shuffled trials: its interval over seeds is the test",
            within=difference_of(CORRELATION),
        ),
    },
)
def synchrony(recording: xr.Dataset) -> Iterator[Row]:
    """Mean pairwise correlation in each block, with trials as they were and shuffled."""
    need_all_spikes(recording)
    library("elephant")
    bins = int(float(recording.attrs["window"]) / BIN + 1e-9)
    for block in selection.blocks(recording):
        rng = np.random.default_rng([selection.seed(recording), block])
        trials = _block_trials(recording, block)
        (spikes, cells), cues = selection.cell_spikes(recording), recording["trial_cue"].values[trials]
        trial = np.searchsorted(cues, spikes + 1e-9) - 1
        column = np.floor((spikes - cues[trial] + 1e-9) / BIN).astype(int)
        inside = (trial >= 0) & (column < bins)
        trial, column, cell = trial[inside], column[inside], cells[inside]
        firing = np.unique(cell)
        if len(firing) < 2 or len(trials) < 2:
            yield Row(np.nan, "", block, note="needs two cells that fire and two trials")
            continue
        firing = rng.choice(firing, min(CELLS, len(firing)), replace=False)
        mine = [(trial[cell == each], column[cell == each]) for each in firing]

        def correlation(
            orders: Sequence[np.ndarray], mine: list[tuple[np.ndarray, np.ndarray]] = mine, trials: np.ndarray = trials
        ) -> float:
            trains = [order[which] * bins + when for order, (which, when) in zip(orders, mine, strict=True)]
            return mean_correlation(trains, len(trials) * bins)

        observed = correlation([np.arange(len(trials))] * len(mine))
        shuffled = [correlation([rng.permutation(len(trials)) for _ in mine]) for _ in range(SHUFFLES)]
        yield Row(observed, "", block)
        yield Row(float(np.mean(shuffled)), "shuffled", block)
        yield Row(observed - float(np.mean(shuffled)), "difference", block)
