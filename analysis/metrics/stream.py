"""Streams of stimuli: the response to each is what its prediction left open. Mismatch, omissions, transitions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable, require
from izhires.analysis.metrics.base import ALL_EVENTS, Item, Row, metric
from izhires.analysis.metrics.calibration import pearson
from izhires.analysis.statistics import CORRELATION
from izhires.paradigms.oddball import stripped

if TYPE_CHECKING:
    import xarray as xr

SHUFFLES = 1000
NEEDS = ("trial_what", "trial_when", "trial_event", "trial_learn", "trial_block", "prediction")
MEYNIEL = "Meyniel, Maheu & Dehaene 2016, doi 10.1371/journal.pcbi.1005260"
OBSERVERS = ("frequency", "transition")
"""Exact observers that are not told of switches: one counts how often each stimulus comes, one how often after each."""

LEAST_SPREAD = 0.05
"""Standard deviation of surprise (nats) below which nothing is held against it: all stimuli are as likely."""


@dataclass(frozen=True, eq=False)
class StreamOfTrials:
    """A stream in the order in which a network heard it.

    Parameters
    ----------
    seed : int
    variant : str
    events : tuple of str
    trials : pandas.DataFrame
        One row a trial: block, event (empty for an omission and in warm-up), before (the stimulus before), learn, kind.
    what : ndarray, (trial, event)
        Identity prediction, clipped to 0 to 1.
    expected : ndarray, (trial, event)
        Complete prediction at the moment of the trial's stimulus; NaN without one.
    omitted : dict of int to ndarray, (probe, event, time)
        Prediction in each block's omissions, in order of time.
    time : ndarray, (time,)
        s from the beginning of the clock.
    latency, event_width : float
        s.
    outcomes : dict of (int, str) to dict of str to float
        True probability of each stimulus, by block and stimulus before.
    contexts : dict of str to ndarray, (neuron,)
        Mean over omissions of the state that the identity readout reads, by stimulus before; empty where not recorded.
    roles : dict of str to tuple of str
        Stimuli that are declared a ``standard`` or a ``deviant``; empty where none is declared.
    """

    seed: int
    variant: str
    events: tuple[str, ...]
    trials: pd.DataFrame
    what: np.ndarray
    expected: np.ndarray
    omitted: dict[int, np.ndarray]
    time: np.ndarray
    latency: float
    event_width: float
    outcomes: dict[tuple[int, str], dict[str, float]]
    contexts: dict[str, np.ndarray]
    roles: dict[str, tuple[str, ...]]

    @cached_property
    def code(self) -> np.ndarray:
        """Index of each trial's stimulus, -1 for none."""
        known = {name: k for k, name in enumerate(self.events)}
        return np.array([known.get(name, -1) for name in self.trials["event"]])

    @cached_property
    def response(self) -> np.ndarray:
        """1 - prediction of the trial's own stimulus at its moment, (trial,); NaN without one."""
        own = self.expected[np.arange(len(self.code)), self.code]
        return np.where(self.code >= 0, 1 - own, np.nan)

    @cached_property
    def unsigned(self) -> np.ndarray:
        """Sum over stimuli of abs(what came - prediction) at the moment of the trial's stimulus, (trial,)."""
        happened = self.code[:, None] == np.arange(len(self.events))
        return np.where(self.code >= 0, np.abs(happened - self.expected).sum(1), np.nan)

    @cached_property
    def blocks(self) -> list[int]:
        """Number of each block."""
        return [int(each) for each in dict.fromkeys(self.trials["block"])]

    def settled(self, block: int) -> np.ndarray:
        """Return the rows of the second half of a block's trials that are learned from."""
        learned = self.trials["learn"].to_numpy(bool) & (self.trials["block"].to_numpy() == block) & (self.code >= 0)
        rows = np.flatnonzero(learned)
        return rows[len(rows) // 2 :]

    def observed(self, observer: str) -> np.ndarray:
        """Return the probability of each stimulus before each trial by one of `OBSERVERS`, (trial, event)."""
        return self._observed[observer]

    @cached_property
    def _observed(self) -> dict[str, np.ndarray]:
        from izhires.analysis.observers.change_point import HAZARD, change_point

        learned = self.trials["learn"].to_numpy(bool)
        seen = np.where(learned, self.code, -1)
        hazard, prior = np.append(0.0, HAZARD * learned[:-1]), np.ones(len(self.events))
        before = self.trials["before"].to_numpy()
        given = np.empty((len(seen), len(prior)))
        for name in dict.fromkeys(before):
            mine = before == name
            given[mine] = change_point(np.where(mine, seen, -1), prior, hazard)[0][mine]
        return {"frequency": change_point(seen, prior, hazard)[0], "transition": given}

    def probability(self, rows: np.ndarray) -> np.ndarray:
        """Return the true probability of each stimulus given the one before in some trials, (row, event)."""
        keys = zip(self.trials["block"].iloc[rows], self.trials["before"].iloc[rows], strict=True)
        return np.array([[self.outcomes[key].get(name, 0.0) for name in self.events] for key in keys])

    def frequency(self, block: int) -> np.ndarray:
        """Return how often each stimulus came among the learned trials of a block, (event,)."""
        own = self.trials["learn"].to_numpy(bool) & (self.trials["block"].to_numpy() == block) & (self.code >= 0)
        return np.bincount(self.code[own], minlength=len(self.events)) / max(1, own.sum())

    def role(self, block: int, role: str) -> list[int]:
        """Return the stimuli that are the ``standard`` or ``deviant`` of a block.

        Those that are declared. Where none is, the standard is the stimulus that is more frequent than any other of the
        block by the true statistics (the mean over the stimuli before), and all others are deviants; without such a
        one there are neither.
        """
        if self.roles:
            return [k for k, name in enumerate(self.events) if name in self.roles[role]]
        rows = [row for (number, _), row in self.outcomes.items() if number == block]
        mean = np.array([np.mean([row.get(name, 0.0) for row in rows]) for name in self.events])
        first, *rest = np.sort(mean)[::-1]
        if rest and first <= rest[0] + 1e-9:
            return []
        return [k for k in range(len(mean)) if (k == mean.argmax()) == (role == "standard")]

    def run_before(self, block: int) -> np.ndarray:
        """Return how many standards of a block came directly before each trial; a silence ends a run, (trial,)."""
        found, length = [], 0
        names = [self.events[k] for k in self.role(block, "standard")]
        for kind, before, earlier in zip(
            self.trials["kind"], self.trials["before"], ["", *self.trials["kind"]], strict=False
        ):
            # the stimulus before is one more in the run, unless it followed a silence, and is the first
            length = length + 1 if before in names else 0
            length = min(length, 1) if earlier == "warm-up" and kind == "train" else length
            found.append(length)
        return np.array(found)


def streams(recordings: Sequence[xr.Dataset]) -> list[StreamOfTrials]:
    """Return each recording of a stream as a whole, whether or not it was taken apart by the stimuli before.

    Sequences that have a standard come first, controls without one after them.

    Raises
    ------
    Unavailable
        If none is of a stream, in which the cue of each trial is the stimulus before.
    """
    groups: dict[tuple[str, str, int], list[xr.Dataset]] = {}
    for each in selection.by_cue(recordings):
        if "cue" in each.attrs:
            key = (str(each.attrs.get("paradigm", "")), str(each.attrs["whole_variant"]), selection.seed(each))
            groups.setdefault(key, []).append(each)
    found = [
        _joined(parts)
        for parts in groups.values()
        if {str(each.attrs["cue"]) for each in parts} <= set(selection.events(parts[0]))
    ]
    if not found:
        raise Unavailable("needs a stream, in which the cue of each trial is the stimulus before it")
    return sorted(found, key=lambda stream: not any(stream.role(block, "standard") for block in stream.blocks))


def _joined(parts: Sequence[xr.Dataset]) -> StreamOfTrials:
    for each in parts:
        require(each, NEEDS)
    first = parts[0]
    order = np.argsort(np.concatenate([each["trial"].values for each in parts]), kind="stable")

    def joined(name: str) -> np.ndarray:
        values = [each[name].transpose("trial", ...).values for each in parts]
        return np.concatenate(values)[order]

    trials = pd.concat([selection.trials(each).assign(before=str(each.attrs["cue"])) for each in parts])
    trials = trials.iloc[order].reset_index(drop=True).assign(learn=lambda table: table["learn"].astype(bool))
    what = np.clip(joined("trial_what"), 0, 1)
    when = np.maximum(joined("trial_when"), 0)
    declared = json.loads(first.attrs.get("configuration", "{}"))
    factorised = declared.get("prediction", {}).get("type", "factorised") == "factorised"
    task = declared.get("paradigm") or {}
    roles = {role: tuple(map(stripped, task.get(role) or ())) for role in ("standard", "deviant")}
    probes = np.argsort(np.concatenate([each["probe"].values for each in parts]), kind="stable")
    blocks = np.concatenate([each["block"].values for each in parts])[probes]
    shown = np.concatenate([each["prediction"].transpose("probe", "event", "time").values for each in parts])[probes]
    outcomes = {}
    for each in parts:
        table = selection.outcomes(each)
        for number in table["block"].unique().tolist():
            of_events = table[table["block"] == number].groupby("event")["probability"].sum()
            outcomes[int(number), str(each.attrs["cue"])] = {str(k): float(v) for k, v in of_events.items()}
    contexts = {
        str(each.attrs["cue"]): each["mean_state"].transpose("probe", "neuron").values.mean(0)
        for each in parts
        if "mean_state" in each and each.sizes["probe"]
    }
    latency = trials["latency"].dropna()
    return StreamOfTrials(
        seed=selection.seed(first),
        variant=str(first.attrs["whole_variant"]),
        events=tuple(selection.events(first)),
        trials=trials,
        what=what,
        expected=what * when if factorised else when,
        omitted={int(number): shown[blocks == number] for number in np.unique(blocks)},
        time=first["time"].values,
        latency=float(latency.iloc[0]) if len(latency) else np.nan,
        event_width=float(first.attrs["event_width"]),
        outcomes=outcomes,
        contexts=contexts,
        roles=roles if roles["standard"] else {},
    )


def omission(stream: StreamOfTrials, block: int) -> tuple[float, float]:
    """Return the sum over stimuli of the prediction in the omissions of a block's second half.

    Returns
    -------
    expected : float
        At the time at which the stimulus would have begun.
    elsewhere : float
        Mean over the times more than three event widths before it.

    Raises
    ------
    Unavailable
        If the block has no omission.
    """
    shown = stream.omitted.get(block, np.empty((0, 0, 0)))
    if not len(shown):
        raise Unavailable(f"block {block} has no omission")
    total = shown[len(shown) // 2 :].sum(1).mean(0)
    early = stream.time < stream.latency - 3 * stream.event_width
    at = int(np.abs(stream.time - stream.latency).argmin())
    return float(total[at]), float(total[early].mean()) if early.any() else np.nan


def slope(x: np.ndarray, y: np.ndarray) -> float:
    """Return the least-squares slope of y on x, with a constant; NaN where x is constant."""
    x = x - x.mean()
    size = float(x @ x)
    return float(x @ (y - y.mean()) / size) if size > 0 else float("nan")


def shuffled(statistic: str, x: np.ndarray, y: np.ndarray, rng: np.random.Generator, n: int = SHUFFLES) -> np.ndarray:
    """Return a statistic of x and y with x in random order, n times.

    Parameters
    ----------
    statistic : {"difference", "slope"}
        Mean of y where x is 1 less mean where it is 0, or least-squares slope of y on x.
    x, y : ndarray, (trial,)
    rng : numpy.random.Generator
    n : int
    """
    order = rng.permuted(np.tile(np.arange(len(x)), (n, 1)), axis=1)
    moved = x[order]
    if statistic == "difference":
        return moved @ y / x.sum() - (1 - moved) @ y / (1 - x).sum()
    return (moved - x.mean()) @ (y - y.mean()) / float(((x - x.mean()) ** 2).sum())


def _of(observer: str, what: str) -> dict[str, Item]:
    return {f"{what}_{observer}": Item(f"the same of the exact observer of {OF_OBSERVERS[observer]}", detail=True)}


OF_OBSERVERS = {"frequency": "frequencies", "transition": "transitions"}
_RESPONSE = (
    "response: 1 - prediction of the stimulus that came, at its moment and before it is heard, over the second half of "
    "the block's trials that are learned from; an observer's is 1 - the probability that it expects"
)


@metric(
    "mismatch",
    unit="1",
    description="response to each stimulus of a stream: deviant against standard, against controls, after omissions",
    definition=(
        f"{_RESPONSE}. standard, deviant: those that are declared, otherwise the most frequent stimulus of the block, "
        "where there is one, and all others; what is declared as neither has a response alone; control: a variant in "
        f"which all stimuli are equally frequent. chance: 95 % of {SHUFFLES} shuffles lie below, of which trials were "
        "the deviant's (minus_standard), of the numbers of standards (per_standard, size). omission: sum over stimuli "
        "of the prediction at the time at which nothing came; elsewhere: its mean before three event widths before it"
    ),
    source="Parras et al. 2017, doi 10.1038/s41467-017-02038-6; observers: Adams & MacKay 2007, arXiv 0710.3742",
    scope="study",
    parts={
        "response": Item("mean response to the stimulus"),
        **_of("frequency", "response"),
        **_of("transition", "response"),
        "unsigned": Item("the same with the sum over stimuli of abs(what came - prediction)", detail=True),
        "minus_standard": Item("mean response to a deviant less that to the standards"),
        "minus_standard_chance": Item("what it exceeds by chance in 5 of 100", interval=False),
        **_of("frequency", "minus_standard"),
        **_of("transition", "minus_standard"),
        "minus_control": Item("mean response less that to the same stimulus in a control"),
        **_of("frequency", "minus_control"),
        **_of("transition", "minus_control"),
        "unsigned_minus_control": Item("unsigned less that to the same stimulus in a control"),
        "per_standard": Item("change of the response for each further standard directly before"),
        "per_standard_chance": Item("size that it exceeds by chance in 5 of 100", interval=False),
        **_of("frequency", "per_standard"),
        **_of("transition", "per_standard"),
        "omission": Item("prediction that an omission leaves unfulfilled, at its time"),
        "omission_elsewhere": Item("prediction in omissions at other times: its chance"),
    },
)
def mismatch(recordings: Sequence[xr.Dataset]) -> Iterator[Row]:
    """Responses of each stream, and their differences."""
    found = streams(recordings)
    for stream in found:
        for block in stream.blocks:
            yield from _mismatch(stream, block)
    for stream in found:
        for control in found:
            if control.seed == stream.seed and control is not stream:
                yield from _against(stream, control)


def responses(stream: StreamOfTrials) -> dict[str, np.ndarray]:
    """Return the response in each trial of the network (``""``) and of each observer, (trial,); NaN without one."""
    rows = np.arange(len(stream.code))
    return {"": stream.response} | {
        f"_{name}": np.where(stream.code >= 0, 1 - stream.observed(name)[rows, stream.code], np.nan)
        for name in OBSERVERS
    }


def _mismatch(stream: StreamOfTrials, block: int) -> Iterator[Row]:
    rows, standard = stream.settled(block), stream.role(block, "standard")
    deviant = stream.role(block, "deviant")
    each, code = responses(stream), stream.code[rows]
    rng = np.random.default_rng([stream.seed, block])

    def row(value: float, part: str, event: str, note: str = "") -> Row:
        return Row(float(value), part, block, event, stream.seed, stream.variant, note)

    try:
        expected, elsewhere = omission(stream, block)
        yield row(expected, "omission", ALL_EVENTS)
        yield row(elsewhere, "omission_elsewhere", ALL_EVENTS)
    except Unavailable as reason:
        yield row(np.nan, "omission", ALL_EVENTS, str(reason))
    for k, name in enumerate(stream.events):
        mine = rows[code == k]
        if not len(mine):
            yield row(np.nan, "response", name, f"{name} does not come in the second half of block {block}")
            continue
        for who, values in each.items():
            yield row(values[mine].mean(), f"response{who}", name)
        yield row(stream.unsigned[mine].mean(), "unsigned", name)
        others = rows[np.isin(code, standard)]
        if k not in deviant or not len(others):
            continue
        for who, values in each.items():
            yield row(values[mine].mean() - values[others].mean(), f"minus_standard{who}", name)
        both = np.concatenate([mine, others])
        label = np.repeat([1.0, 0.0], [len(mine), len(others)])
        drawn = shuffled("difference", label, each[""][both], rng)
        yield row(np.quantile(drawn, 0.95), "minus_standard_chance", name)
        run = stream.run_before(block)[mine].astype(float)
        if len(mine) < 3 or np.ptp(run) == 0:
            note = f"fewer than three, or always as many standards before {name}"
            yield row(np.nan, "per_standard", name, note)
            continue
        for who, values in each.items():
            yield row(slope(run, values[mine]), f"per_standard{who}", name)
        drawn = np.abs(shuffled("slope", run, each[""][mine], rng))
        yield row(np.quantile(drawn, 0.95), "per_standard_chance", name)


def _against(stream: StreamOfTrials, control: StreamOfTrials) -> Iterator[Row]:
    for block in stream.blocks:
        deviant = stream.role(block, "deviant")
        if not deviant or block not in control.blocks or control.role(block, "standard"):
            continue
        here, there = stream.settled(block), control.settled(block)
        one, other = responses(stream), responses(control)
        for k, name in enumerate(stream.events):
            if name not in control.events:
                continue
            mine, theirs = here[stream.code[here] == k], there[control.code[there] == control.events.index(name)]
            if k not in deviant or not len(mine) or not len(theirs):
                continue
            found = {f"minus_control{who}": (one[who], other[who]) for who in one}
            found["unsigned_minus_control"] = (stream.unsigned, control.unsigned)
            variant = f"{stream.variant} less {control.variant}"
            for part, (ours, others) in found.items():
                yield Row(float(ours[mine].mean() - others[theirs].mean()), part, block, name, stream.seed, variant)


@metric(
    "transitions",
    unit="1",
    description="whether a network learns what follows what, or how often each stimulus comes",
    definition=(
        "slope: least squares of what_k - f_k on p(k | before) - f_k over the second half of the block's trials that "
        "are learned from and all stimuli k, through 0; f: frequency in the block; 1 for who knows the transitions, 0 "
        f"for who knows frequencies alone; complete: of the complete prediction and of p, each less its mean; chance: "
        f"95 % of {SHUFFLES} shuffles of the stimuli before lie below. "
        "surprise: Pearson's r of the response with -log p(k | before), with -log f_k, and with -log of the "
        f"probability by each exact observer. context_cosine: of x, mean over omissions after one stimulus and after "
        f"another, mean over pairs. {_RESPONSE}"
    ),
    source=f"surprise: {MEYNIEL}; observers: Adams & MacKay 2007, arXiv 0710.3742",
    scope="study",
    parts={
        "slope": Item("share of the transitions that the what prediction has"),
        "slope_chance": Item("what it exceeds by chance in 5 of 100", interval=False),
        **_of("frequency", "slope"),
        **_of("transition", "slope"),
        "slope_complete": Item("the same of the complete prediction, what and when, at the moment of the stimulus"),
        "surprise": Item("r of the response with the true surprise given the stimulus before", within=CORRELATION),
        "surprise_items": Item(
            "r of the response with the surprise of the true frequency of the stimulus", within=CORRELATION
        ),
        "surprise_frequency": Item(
            "r of the response with the surprise of the exact observer of frequencies", within=CORRELATION
        ),
        "surprise_transition": Item(
            "r of the response with the surprise of the exact observer of transitions", within=CORRELATION
        ),
        "surprise_chance": Item("size that r exceeds by chance in 5 of 100", interval=False),
        "context_cosine": Item(
            "how alike the states after different stimuli are that the identity readout reads", within=CORRELATION
        ),
    },
)
def transitions(recordings: Sequence[xr.Dataset]) -> Iterator[Row]:
    """Slope and correlations of each stream and block."""
    for stream in streams(recordings):
        for block in stream.blocks:
            yield from _transitions(stream, block)
        pairs = [
            one @ two / np.linalg.norm(one) / np.linalg.norm(two)
            for one, two in combinations(stream.contexts.values(), 2)
            if one.any() and two.any()
        ]
        note = "" if pairs else "needs omissions after two stimuli, and the states there"
        value = float(np.mean(pairs)) if pairs else np.nan
        yield Row(value, "context_cosine", seed=stream.seed, variant=stream.variant, note=note)


def learned_share(what: np.ndarray, true: np.ndarray, frequency: np.ndarray | float) -> float:
    """Return the slope through 0 of what - frequency on true - frequency, all (trial, event); NaN if they are equal."""
    x, y = (true - frequency).ravel(), (what - frequency).ravel()
    size = float(x @ x)
    return float(x @ y / size) if size > 1e-9 else float("nan")


def _transitions(stream: StreamOfTrials, block: int) -> Iterator[Row]:
    rows = stream.settled(block)

    def row(value: float, part: str, note: str = "") -> Row:
        return Row(float(value), part, block, ALL_EVENTS, stream.seed, stream.variant, note)

    if len(rows) < 3:
        yield row(np.nan, "slope", f"block {block} has too few trials")
        return
    rng = np.random.default_rng([stream.seed, block])
    true, frequency = stream.probability(rows), stream.frequency(block)
    if np.allclose(true, true[0]):
        yield row(np.nan, "slope", f"what comes in block {block} does not depend on the stimulus before")
    else:
        yield row(learned_share(stream.what[rows], true, frequency), "slope")
        for name in OBSERVERS:
            yield row(learned_share(stream.observed(name)[rows], true, frequency), f"slope_{name}")
        complete = stream.expected[rows]
        yield row(learned_share(complete - complete.mean(0), true - true.mean(0), 0.0), "slope_complete")
        drawn = [learned_share(stream.what[rows], true[rng.permutation(len(rows))], frequency) for _ in range(SHUFFLES)]
        yield row(np.quantile(drawn, 0.95), "slope_chance")
    came, response = stream.code[rows], stream.response[rows]
    own = np.arange(len(rows))
    chances = {"surprise": true, "surprise_items": np.broadcast_to(frequency, true.shape)}
    chances |= {f"surprise_{name}": stream.observed(name)[rows] for name in OBSERVERS}
    shown = None
    for part, chance in chances.items():
        surprise = -np.log(np.maximum(chance[own, came], 1e-12))
        if surprise.std() < LEAST_SPREAD:
            yield row(np.nan, part, f"all that comes in block {block} is as surprising")
            continue
        yield row(pearson(surprise, response), part)
        shown = surprise if shown is None else shown
    if shown is not None:
        drawn = [abs(pearson(rng.permutation(shown), response)) for _ in range(SHUFFLES)]
        yield row(np.quantile(drawn, 0.95), "surprise_chance")
