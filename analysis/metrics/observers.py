"""The network beside observers that live through the same trials, trial by trial."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics.base import ALL_EVENTS, Item, Row, metric
from izhires.analysis.metrics.prediction import by_event
from izhires.analysis.observers import Expected, ObservedTask, all_observers, observe
from izhires.analysis.statistics import POSITIVE, SHARE, Range, difference_of

if TYPE_CHECKING:
    import xarray as xr

NETWORK = "network"
"""Name under which the network stands beside the observers."""

OBSERVERS = all_observers()


def expected(recording: xr.Dataset, names: Iterable[str]) -> tuple[dict[str, Expected], list[Row]]:
    """Return what observers expect on a recording's trials.

    Parameters
    ----------
    recording : xarray.Dataset
    names : iterable of str

    Returns
    -------
    expected : dict
        By observer, in the order of `names`.
    missing : list of Row
        One for each observer that cannot, with the reason.

    Raises
    ------
    Unavailable
        If the recording holds no trial table.
    """
    task = ObservedTask.of_recording(recording)
    found: dict[str, Expected] = {}
    missing = []
    for name in names:
        try:
            found[name] = observe(name, task)
        except Unavailable as reason:
            missing.append(Row(np.nan, name, note=str(reason)))
    return found, missing


def probe_rows(recording: xr.Dataset) -> np.ndarray:
    """Return the row of the trial table of each probe."""
    return selection.trials_of_probes(recording)


def probe_error(recording: xr.Dataset, course: np.ndarray) -> dict[str, np.ndarray]:
    """Return the error of an observer's complete prediction at each probe, for all events together and for each.

    Parameters
    ----------
    recording : xarray.Dataset
    course : ndarray, (trial, event, time)

    Returns
    -------
    dict of str to ndarray, (probe,)
        Measured as `izhires.analysis.metrics.prediction.by_event` measures the network's.
    """
    wanted = recording["expectation"].transpose("probe", "event", "time")
    return {
        name: each.values for name, each in by_event(wanted.copy(data=course[probe_rows(recording)]), wanted).items()
    }


def training_rows(recording: xr.Dataset, block: int) -> np.ndarray:
    """Return the rows of a block's trials that are learned from."""
    learned = recording["trial_learn"].values.astype(bool)
    return np.flatnonzero(learned & (recording["trial_block"].values == block))


def network_probability(recording: xr.Dataset) -> np.ndarray:
    """Return clip(q, 0, 1) of each trial before it is learned from, (trial, event), NaN where it was not recorded."""
    return np.clip(recording["trial_what"].transpose("trial", "event").values, 0, 1)


def _parts(of: str, names: Iterable[str], within: Range) -> dict[str, Item]:
    return {
        NETWORK: Item(f"{of} of the network"),
        **{name: Item(f"{of} of {name}: {OBSERVERS[name].description}") for name in names},
        **{f"{NETWORK}_minus_{name}": Item(f"network less {name}: its interval over seeds is the test",
                                        within=difference_of(within))
           for name in names},
    }  # fmt: skip


_ERROR = _parts("mean error over the probes of the block", OBSERVERS, POSITIVE)
_LAST = {
    f"{name}_last": Item(f"error of {name} at the last probe of the block", detail=True)
    for name in (NETWORK, *OBSERVERS)
}


@metric(
    "observer_error",
    unit="1",
    within=POSITIVE,
    description="error of the complete prediction of the network and of observers of the same trials, at the probes",
    definition=(
        "root mean square of prediction - expectation over the window, as the metric 'error', at each probe with the "
        "trials before it; mean over a block's probes, and at its last"
    ),
    source="this project; each observer has a source of its own",
    worst="highest",
    needs=("prediction", "expectation", "trial_event", "trial_learn"),
    parts=_ERROR | _LAST,
)
def observer_error(recording: xr.Dataset) -> Iterator[Row]:
    """Error of network and observers in each block, and the differences."""
    found, missing = expected(recording, OBSERVERS)
    yield from missing
    network = {name: each.values for name, each in by_event(recording["prediction"], recording["expectation"]).items()}
    errors = {NETWORK: network} | {name: probe_error(recording, each.course) for name, each in found.items()}
    for block in selection.blocks(recording):
        probes = selection.probes(recording, block)
        for event in network:
            for name, each in errors.items():
                yield Row(float(each[event][probes].mean()), name, block, event)
                yield Row(float(each[event][probes[-1]]), f"{name}_last", block, event)
            for name in found:
                difference = network[event][probes] - errors[name][event][probes]
                yield Row(float(difference.mean()), f"{NETWORK}_minus_{name}", block, event)


_WITH_PROBABILITY = [name for name, each in OBSERVERS.items() if each.probability]


@metric(
    "observer_probability",
    unit="1",
    within=SHARE,
    description="distance of the probability that network and observers expect from the true one, trial by trial",
    definition=(
        "|p_hat - p| before each trial that is learned from, mean over the trials of a block; "
        "network: clip(what, 0, 1); where p is the frequency among the trials themselves (a participant's), "
        "a count arrives at it by construction"
    ),
    source="this project; each observer has a source of its own",
    worst="highest",
    needs=("trial_what", "trial_event", "trial_learn", "outcome_probability"),
    parts=_parts("mean of |p_hat - p| over the trials of the block", _WITH_PROBABILITY, SHARE),
)
def observer_probability(recording: xr.Dataset) -> Iterator[Row]:
    """Distance from the true probability in each block, for all events together and for each."""
    found, missing = expected(recording, _WITH_PROBABILITY)
    yield from missing
    guesses = {NETWORK: network_probability(recording)} | {name: each.probability for name, each in found.items()}
    events = selection.events(recording)
    for block in np.unique(recording["trial_block"].values):
        rows = training_rows(recording, block)
        if not len(rows):
            continue
        true = np.array([selection.probability(recording, int(block), event) for event in events])
        off = {name: np.abs(guess[rows] - true).mean(0) for name, guess in guesses.items()}
        for event, chosen in ((ALL_EVENTS, slice(None)), *zip(events, range(len(events)), strict=True)):
            value = {name: float(each[chosen].mean()) for name, each in off.items()}
            for name in value:
                yield Row(value[name], name, int(block), event)
            for name in found:
                yield Row(value[NETWORK] - value[name], f"{NETWORK}_minus_{name}", int(block), event)
