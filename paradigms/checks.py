"""Whether the tables of an experiment agree with each other and with its window."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from izhires.errors import Complaint, ParadigmError, shown
from izhires.paradigms.columns import (
    KINDS,
    OUTCOME_COLUMNS,
    cue_names,
    first_events,
    first_row,
    milliseconds,
)

if TYPE_CHECKING:
    from izhires.paradigms.experiment import Experiment

_TIMES = ("onset", "duration", "cue", "latency")
_SUM_TOLERANCE = 1e-9


def check(made: Experiment) -> None:
    """Check that the tables agree with each other and with the window.

    Parameters
    ----------
    made : Experiment

    Raises
    ------
    ParadigmError
        Naming the first row of each kind of contradiction, with its numbers.
    """
    found = _name_complaints(made.events, "events", "event") + _name_complaints(made.cues, "cues", "cue")
    if made.trials.empty:
        found.append(Complaint("trials", "has no trials"))
    # outcomes that come of wrong trials would be wrong, too
    found = found or _trial_complaints(made)
    found = found or (
        _outcome_complaints(made)
        + _input_complaints(made)
        + _payoff_complaints(made)
        + _latency_complaints(made)
        + _epoch_complaints(made)
    )
    if found:
        raise ParadigmError(found)


def name_problems(names: Iterable[str], what: str = "an event") -> list[str]:
    """Return what is wrong with names of events: none is empty or breaks a line, and any other character may be."""
    names = list(names)
    return [f"the name of {what} is empty"] * ("" in names) + [
        f"{shown(name)} holds a line break or another control character"
        for name in names
        if any(unicodedata.category(letter) in ("Cc", "Zl", "Zp", "Cs") for letter in name)
    ]


def _name_complaints(names: tuple[str, ...], place: str, what: str) -> list[Complaint]:
    article = "an" if what[0] in "aeiou" else "a"
    found = [Complaint(place, problem) for problem in name_problems(names, f"{article} {what}")]
    if not names:
        found.append(Complaint(place, f"has no {what}s"))
    twice = (name for name in dict.fromkeys(names) if names.count(name) > 1)
    return found + [Complaint(place, f"{name!r} is there twice") for name in twice]


def _trial_complaints(made: Experiment) -> list[Complaint]:
    found: list[Complaint] = []
    table, window = made.trials, made.window
    onset, length, cue, latency = (table[name].to_numpy() for name in _TIMES)
    event, kind, block = table["event"].to_numpy(), table["kind"].to_numpy(), table["block"].to_numpy()
    # compared as whole milliseconds, so that rounding makes no contradiction
    begin, at, span = milliseconds(onset), milliseconds(cue), milliseconds(window)
    end = begin + milliseconds(length)
    close = end / 1e3

    def rows(bad: np.ndarray, column: str, problem: Callable[[int], str], choices: tuple[str, ...] = ()) -> None:
        found.extend(first_row(bad, f"trials[{{}}].{column}", problem, choices))

    rows(onset < 0, "onset", lambda i: f"{onset[i]:g} s lies before the start of the experiment")
    rows(end <= begin, "duration", lambda i: f"must be above 0, got {length[i]:g} s")
    late = np.r_[False, begin[1:] < begin[:-1]]
    rows(late, "onset", lambda i: f"{onset[i]:g} s comes before the trial above it, at {onset[i - 1]:g} s")
    overlap = np.r_[False, begin[1:] < end[:-1]] & ~late & np.r_[False, (end > begin)[:-1]]
    rows(overlap, "onset", lambda i: f"{onset[i]:g} s overlaps trial {i - 1}, which ends at {close[i - 1]:g} s")
    outside = (at < begin) | (at >= end)
    rows(outside, "cue", lambda i: f"{cue[i]:g} s lies outside its trial, {onset[i]:g} to {close[i]:g} s")
    rows(
        (at + span >= end) & ~outside,
        "cue",
        lambda i: f"the window, {window:g} s from {cue[i]:g} s, must end before its trial does, at {close[i]:g} s",
    )
    rows(
        (at + milliseconds(made.cue_duration) > end) & ~outside,
        "cue",
        lambda i: f"the cue, {made.cue_duration:g} s from {cue[i]:g} s, outlasts its trial, to {close[i]:g} s",
    )
    unknown = ~np.isin(event, ("", *made.events))
    rows(unknown, "event", lambda i: f"{event[i]!r} is not an event", made.events)
    if "cue_name" in table:
        name = table["cue_name"].to_numpy()
        rows(~np.isin(name, made.cues), "cue_name", lambda i: f"{name[i]!r} is not a cue", made.cues)
    elif len(made.cues) > 1:
        found.append(Complaint("trials", "needs the column cue_name, since there are several cues", made.cues))
    none = np.isnan(latency)
    rows((event != "") & none, "latency", lambda i: f"event {event[i]!r} has no latency")
    rows((event == "") & ~none, "latency", lambda i: f"a cue-only trial cannot have one, got {latency[i]:g} s")
    rows(
        (latency < 0) | (latency >= window),
        "latency",
        lambda i: f"{latency[i]:g} s lies outside the window of {window:g} s after the cue",
    )
    rows(~np.isin(kind, KINDS), "kind", lambda i: f"{kind[i]!r} is not a kind of trial", KINDS)
    inserted = (kind == "probe") | (kind == "warm-up")
    rows(inserted & (event != ""), "event", lambda i: f"a {kind[i]} trial is cue-only, got event {event[i]!r}")
    rows(inserted & table["learn"].to_numpy(), "learn", lambda i: f"learning must be off in a {kind[i]} trial")
    before = np.r_[-1, block[:-1]]

    def after(i: int) -> str:
        return f"after {before[i]}" if i else "first"

    skips = (block < before) | (block > before + 1) | (block < 0)
    rows(skips, "block", lambda i: f"blocks count up from 0 in order of time, got {block[i]} {after(i)}")
    return found


def _outcome_complaints(made: Experiment) -> list[Complaint]:
    found: list[Complaint] = []
    table, trials = made.outcomes, made.trials
    block, event, latency, chance = (table[name].to_numpy() for name in OUTCOME_COLUMNS)

    def rows(bad: np.ndarray, column: str, problem: Callable[[int], str], choices: tuple[str, ...] = ()) -> None:
        found.extend(first_row(bad, f"outcomes[{{}}].{column}", problem, choices))

    blocks = trials["block"].unique()
    rows(~np.isin(block, blocks), "block", lambda i: f"no trial belongs to block {block[i]}")
    rows(~np.isin(event, made.events), "event", lambda i: f"{event[i]!r} is not an event", made.events)
    # a reward for a choice comes after the window, at whose end the choice is made
    rows(
        ~((latency >= 0) & (latency < made.window)) if made.payoffs is None else ~(latency >= 0),
        "latency",
        lambda i: f"{latency[i]:g} s lies outside the window of {made.window:g} s after the cue",
    )
    rows(~((chance >= 0) & (chance <= 1)), "probability", lambda i: f"must be between 0 and 1, got {chance[i]:g}")
    if "cue_name" in table:
        name = table["cue_name"].to_numpy()
        rows(~np.isin(name, made.cues), "cue_name", lambda i: f"{name[i]!r} is not a cue", made.cues)
    elif "cue_name" in trials:
        found.append(Complaint("outcomes", "needs the column cue_name, as the trials have it", made.cues))
        return found
    given = pd.DataFrame({"block": block, "cue_name": cue_names(table, made.cues), "probability": chance})
    with_events = trials[trials["event"] != ""].assign(cue_name=made.cue_of_trials[trials["event"] != ""])
    known = set(zip(given["block"], given["cue_name"], strict=True))

    def place(number: int, cue: str) -> str:
        return f"block {number}" + (f", {cue!r}," if "cue_name" in table else "")

    # of events that may come in the same trial each has a sum of its own
    given["own"] = "" if made.latencies is None else event
    sums = given.groupby(["block", "cue_name", "own"], as_index=False)["probability"].sum()
    for number, cue, own, total in sums.itertuples(index=False):
        if total > 1 + _SUM_TOLERANCE and made.payoffs is None:
            whose = f"{own!r} in " * bool(own) + place(number, cue).rstrip(",")
            found.append(Complaint("outcomes", f"the probabilities of {whose} sum to {total:g}, above 1"))
    for number, cue in dict.fromkeys(zip(with_events["block"], with_events["cue_name"], strict=True)):
        if (number, cue) not in known:
            found.append(Complaint("outcomes", f"{place(number, cue)} has trials with events, and no outcome"))
    return found


def _input_complaints(made: Experiment) -> list[Complaint]:
    if made.inputs is None:
        return []
    if made.inputs.empty:
        return [Complaint("inputs", "has no pulse; leave it out where the cues are all that is heard")]
    found = [Complaint("inputs", problem) for problem in name_problems(made.channels, "an input channel")]
    found += _interval_complaints(made, "inputs", made.inputs, "onset")
    strength = made.inputs["strength"].to_numpy()
    negative = "inputs[{}].strength", lambda i: f"cannot be negative, got {strength[i]:g}"
    return found + first_row(strength < 0, *negative)


def _interval_complaints(made: Experiment, name: str, table: pd.DataFrame, late: str) -> list[Complaint]:
    """Return what is wrong with the times of a table; `late` is the column to blame for what ends too late."""
    onset, length = table["onset"].to_numpy(), table["duration"].to_numpy()
    end = milliseconds(onset + length)
    found: list[Complaint] = []

    def rows(bad: np.ndarray, column: str, problem: Callable[[int], str]) -> None:
        found.extend(first_row(bad, f"{name}[{{}}].{column}", problem))

    rows(onset < 0, "onset", lambda i: f"{onset[i]:g} s lies before the start of the experiment")
    rows(milliseconds(length) < 1, "duration", lambda i: f"must be at least 1 ms, got {length[i]:g} s")
    rows(end > milliseconds(made.duration), late, lambda i: f"ends after the experiment, at {end[i] / 1e3:g} s")
    return found


def _payoff_complaints(made: Experiment) -> list[Complaint]:
    if made.payoffs is None:
        return []
    if len(made.payoffs) != len(made.trials):
        problem = f"needs one row a trial, {len(made.trials)}, got {len(made.payoffs)}"
        return [Complaint("payoffs", problem)]
    found: list[Complaint] = []
    table = made.trials
    training = (table["kind"] == "train").to_numpy()
    for event in made.events:
        pays = made.payoffs[event].to_numpy()
        bad = np.where(training, ~np.isfinite(pays), ~np.isnan(pays))
        found += first_row(
            bad,
            f"payoffs[{{}}].{event}",
            lambda i, pays=pays: (  # type: ignore[misc]
                f"must be a number, got {pays[i]:g}" if training[i] else "a trial that is inserted pays nothing: NaN"
            ),
        )
    end = milliseconds(table["onset"] + table["duration"])
    due = milliseconds(table["cue"] + made.window + made.reward_delay)
    late = (due >= end) & training
    found += first_row(
        late,
        "reward_delay",
        lambda i: f"the reward at {due[i] / 1e3:g} s is not inside trial {i}, to {end[i] / 1e3:g} s",
    )
    happens = (table["event"] != "").to_numpy()
    found += first_row(
        happens, "trials[{}].event", lambda i: f"what is chosen decides; leave it empty, got {table['event'][i]!r}"
    )
    return found


def _latency_complaints(made: Experiment) -> list[Complaint]:
    if made.latencies is None:
        return []
    if len(made.latencies) != len(made.trials):
        problem = f"needs one row a trial, {len(made.trials)}, got {len(made.latencies)}"
        return [Complaint("latencies", problem)]
    if made.payoffs is not None:
        return [Complaint("latencies", "nothing follows the cue of itself where a readout chooses; leave it out")]
    found: list[Complaint] = []
    late, kind = made.latencies.to_numpy(), made.trials["kind"].to_numpy()
    for k, event in enumerate(made.events):
        own = late[:, k]
        place = f"latencies[{{}}].{event}"
        found += first_row(
            (own < 0) | (own >= made.window),
            place,
            lambda i, own=own: f"{own[i]:g} s lies outside the window of {made.window:g} s after the cue",  # type: ignore[misc]
        )
        found += first_row(
            np.isfinite(own) & (kind != "train"), place, lambda i: f"a {kind[i]} trial is cue-only; leave it out"
        )
    ordered = np.sort(late, axis=1)
    found += first_row(
        (np.diff(ordered, axis=1) < 0.5e-3).any(axis=1),  # NaN, no event, is near nothing
        "latencies[{}]",
        lambda i: "two events come at the same moment; give what comes together one name of its own",
    )
    begins, first = first_events(made.latencies)
    named, stated = made.trials["event"].to_numpy(), made.trials["latency"].to_numpy()
    found += first_row(
        (named != begins) | ~np.isclose(stated, first, equal_nan=True),
        "trials[{}].event",
        lambda i: f"must be the first event of the trial, {begins[i]!r} at {first[i]:g} s, got {named[i]!r}",
    )
    return found


def _epoch_complaints(made: Experiment) -> list[Complaint]:
    if made.epochs is None:
        return []
    if made.epochs.empty:
        return [Complaint("epochs", "has no interval; leave it out")]
    name = made.epochs["name"].to_numpy()
    return _interval_complaints(made, "epochs", made.epochs, "duration") + first_row(
        [not (each.isidentifier() and each.isascii()) for each in name],
        "epochs[{}].name",
        lambda i: f"must be letters, digits and underscores, as equations have names, got {name[i]!r}",
    )
