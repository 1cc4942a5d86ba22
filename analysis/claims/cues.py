"""Several cues: whether the identity readout reads from the state which cue it was, which one cue cannot show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from izhires.analysis.claims.base import OURS, Criterion, Runs, claim, enough, errors, needed
from izhires.analysis.counter import counter
from izhires.analysis.statistics import ANGLE
from izhires.analysis.studies import CUES, FIRST, SECOND
from izhires.recordings.bounds import LAST

if TYPE_CHECKING:
    import xarray as xr

WHERE = f"MEET with three cues, {', '.join(CUES)}, interleaved: last {LAST} probes of each cue after 300 trials"
SERIAL = f"MEET with two cues: {FIRST} for 100 trials, then {SECOND} for 100; event A, last probes of both blocks"


def _error(recording: xr.Dataset, said: np.ndarray) -> float:
    """Return the root of the mean square of q less the probability, over cues, events and the last probes of each.

    Parameters
    ----------
    recording : xarray.Dataset
    said : ndarray, (probe, event)
    """
    heard, events = recording["cue_name"].values.astype(str), recording["event"].values.astype(str)
    squares = []
    for name, each in CUES.items():
        true = np.array([each["probability"][event] for event in events])
        squares.append((said[np.flatnonzero(heard == name)[-LAST:]] - true) ** 2)
    return float(np.sqrt(np.mean(squares)))


def _errors(runs: Runs) -> dict[str, float]:
    from izhires.analysis import selection

    (recording,) = runs["cues"]
    rows = selection.trials_of_probes(recording)
    return {
        "ours": _error(recording, recording["what"].transpose("probe", "event").values),
        "untold": _error(recording, counter(recording)[rows]),
        "told": _error(recording, counter(recording, told=True)[rows]),
    }


@claim(
    "cue_read",
    statement="with three cues of different statistics the identity readout reads from the state which cue it was",
    published="one cue",
    ours="error of q",
    control="counter without a network that is not told the cue, same rule and rate",
    studies=("cues",),
    tests={"gain": needed("error of the control less ours")},
    where=WHERE,
    source=OURS,
    beside={"told": "counter that is told the cue"},
    within=errors("told"),
)
def cue_read(runs: Runs) -> dict[str, float]:
    """Error of the probabilities beside that of a counter of all trials."""
    found = _errors(runs)
    return {
        "ours": found["ours"],
        "control": found["untold"],
        "gain": found["untold"] - found["ours"],
        "told": found["told"],
    }


@claim(
    "cue_read_wholly",
    statement="... as well as a counter that is told the cue",
    published="one cue",
    ours="error of q",
    control="counter without a network that is told the cue, same rule and rate",
    studies=("cues",),
    tests={"behind": enough("ours less the control's")},
    where=WHERE,
    source=OURS,
    within=errors(),
)
def cue_read_wholly(runs: Runs) -> dict[str, float]:
    """Error of the probabilities beside that of a counter for each cue."""
    found = _errors(runs)
    return {"ours": found["ours"], "control": found["told"], "behind": found["ours"] - found["told"]}


def _last(recording: xr.Dataset, cue: str, block: int) -> int:
    heard, blocks = recording["cue_name"].values.astype(str), recording["block"].values
    return int(np.flatnonzero((heard == cue) & (blocks == block))[-1])


@claim(
    "cues_do_not_interfere",
    statement="learning a second cue leaves what the identity readout learned of the first",
    published="one cue",
    ours="share of what was learned of the first that is lost",
    control="counter without a network that is not told the cue",
    studies=("cues_serial",),
    tests={"ours": enough("share lost")},
    where=SERIAL,
    source=OURS,
    beside={"told": "counter that is told the cue"},
)
def cues_do_not_interfere(runs: Runs) -> dict[str, float]:
    """(q learned - q now)/(q learned - probability after the second cue), of event A after the first cue."""
    from izhires.analysis import selection

    (recording,) = runs["cues_serial"]
    rows = selection.trials_of_probes(recording)
    learned, now = (_last(recording, FIRST, block) for block in (0, 1))
    other = CUES[SECOND]["probability"]["A"]
    event = selection.events(recording).index("A")

    def lost(said: np.ndarray) -> float:
        return float((said[learned, event] - said[now, event]) / (said[learned, event] - other))

    return {
        "ours": lost(recording["what"].transpose("probe", "event").values),
        "control": lost(counter(recording)[rows]),
        "told": lost(counter(recording, told=True)[rows]),
    }


@claim(
    "cues_have_directions",
    statement="what the identity readout learns after different cues lies in near-orthogonal directions",
    published="one cue",
    ours="angle of what two cues wrote into its weights",
    control="isotropic random vectors",
    unit="deg",
    studies=("cues_serial",),
    tests={"isotropic": Criterion("angle less that of isotropic random vectors (1 degree assumed)", ">", -1)},
    where=SERIAL,
    source=OURS,
    beside={"shuffled": "the same with the cells of one in random order", "states": "angle of the mean states"},
    within=dict.fromkeys(("ours", "control", "shuffled", "states"), ANGLE),
)
def cues_have_directions(runs: Runs) -> dict[str, float]:
    """Angle, without sign, of the weights after the first block and of what the second added."""
    from izhires.analysis import nulls, selection
    from izhires.analysis.metrics.angles import principal_angles

    def degrees(one: np.ndarray, other: np.ndarray) -> float:
        return float(principal_angles(one[None], other[None])[0][0])

    (recording,) = runs["cues_serial"]
    weights = recording["what_weights"].sel(event="A").transpose("probe", "neuron").values.astype(float)
    first, end = _last(recording, FIRST, 0), _last(recording, SECOND, 1)
    one, other = weights[first], weights[end] - weights[first]
    chance = float(nulls.isotropic_angles(len(one), (1, 1))[:, 0].mean())
    rng = np.random.default_rng([selection.seed(recording), 6])
    states = recording["mean_state"].transpose("probe", "neuron").values.astype(float)
    return {
        "ours": degrees(one, other),
        "control": chance,
        "isotropic": degrees(one, other) - chance,
        "shuffled": float(np.mean([degrees(one, rng.permutation(other)) for _ in range(100)])),
        "states": degrees(states[first], states[end]),
    }
