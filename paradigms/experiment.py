"""The experiment a paradigm makes: a table of trials, its true statistics, and the signals a network receives."""

from __future__ import annotations

import itertools
import math
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from izhires.errors import Complaint, ParadigmError, shown
from izhires.paradigms import truth
from izhires.running import resources

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = ("warm-up", "train", "probe")
"""A training trial is part of the task. Two kinds are inserted, cue-only and with learning off: a probe, whose
prediction is read, and a warm-up trial, during which the network settles."""

TRIAL_COLUMNS = ("onset", "duration", "cue", "event", "latency", "block", "kind", "learn")
OUTCOME_COLUMNS = ("block", "event", "latency", "probability")
INPUT_COLUMNS = ("onset", "channel", "duration", "strength")

CUE = "cue"
"""Name of the cue where there is one only."""

MOST_SHOWN = 6
"""Blocks whose expectation `Experiment.plot` draws, at most."""

_TIMES = ("onset", "duration", "cue", "latency")
_SUM_TOLERANCE = 1e-9
_MICROSECONDS = 1_000_000
_SIGNALS = ("cue", "elapsed", "in_window", "window_end", "event", "latency", "learn", "at_event", "block")
_LONGEST = 1e10  # s, far beyond what can be simulated, and within whole numbers of 64 bits in microseconds


@dataclass(frozen=True, eq=False, repr=False)
class Experiment:
    """All trials of one experiment, in time order, and the statistics they were drawn from.

    Everything is checked at construction, and all times are rounded to whole milliseconds.

    Parameters
    ----------
    paradigm : str
        Name of the paradigm that made it.
    variant : str
        One of several conditions of that paradigm, such as ``"p=0.30"``; empty when there is one only.
    events : tuple of str
        Names of the events that may follow the cue.
    trials : pandas.DataFrame
        One row a trial, times in seconds from the start of the experiment: ``onset``, ``duration``, ``cue`` (time of
        the cue), ``event`` (name, empty for a cue-only trial), ``latency`` (s from the cue, NaN for a cue-only trial),
        ``block`` (whole numbers from 0), ``kind`` (one of `KINDS`), ``learn`` (bool); where there are several cues,
        ``cue_name``. Further columns are kept.
    outcomes : pandas.DataFrame
        The true statistics, one row a possible outcome of a block: ``block``, ``event``, ``latency`` (s from the cue),
        ``probability``; where there are several cues, ``cue_name``, and the probabilities are those given this cue.
        What is missing to 1 is the probability that no event follows the cue.
    window : float
        Time after the cue in which predictions are read (s).
    event_width : float
        Standard deviation of the bump that stands for an event in time (s).
    cue_duration : float
        Length of the cue (s).
    notes : tuple of str
        What whoever made it read otherwise than it stood; no part of what two experiments are compared by.
    cues : tuple of str
        Names of the cues, one of which a trial has.
    inputs : pandas.DataFrame, optional
        What the network hears, one row a pulse: ``onset`` (s from the start of the experiment), ``channel`` (name of
        the input channel), ``duration`` (s), ``strength`` (factor, 1 where it is left out). By default each trial's cue
        is a pulse of `cue_duration` in the channel of its name.
    payoffs : pandas.DataFrame, optional
        Where a readout chooses: the reward that each event would bring in each trial if it were chosen, one row a trial
        and one column an event, NaN in probes and warm-up trials, which pay nothing. The probability of an outcome is
        then that of a reward given the choice of its event, and its latency the time from the cue to the reward, which
        may lie after the window.
    reward_delay : float
        Time from the end of the window, when a readout chooses, to the reward (s); with `payoffs` at least 1 ms.

    Raises
    ------
    ParadigmError
        Naming each row that contradicts another, with its numbers.
    """

    paradigm: str
    variant: str
    events: tuple[str, ...]
    trials: pd.DataFrame
    outcomes: pd.DataFrame
    window: float
    event_width: float
    cue_duration: float
    notes: tuple[str, ...] = ()
    cues: tuple[str, ...] = (CUE,)
    inputs: pd.DataFrame | None = None
    payoffs: pd.DataFrame | None = None
    reward_delay: float = 0.0

    def __post_init__(self) -> None:
        for name in ("window", "event_width", "cue_duration"):
            object.__setattr__(self, name, _positive_time(getattr(self, name), name))
        object.__setattr__(self, "events", _names(self.events, "events"))
        object.__setattr__(self, "cues", _names(self.cues, "cues"))
        object.__setattr__(self, "trials", _tidy_trials(self.trials))
        object.__setattr__(self, "outcomes", _tidy_outcomes(self.outcomes))
        if self.inputs is not None:
            object.__setattr__(self, "inputs", _tidy_inputs(self.inputs))
        if self.payoffs is not None:
            object.__setattr__(self, "payoffs", _tidy_payoffs(self.payoffs, self.events))
            object.__setattr__(self, "reward_delay", _positive_time(self.reward_delay, "reward_delay"))
        self.validate()

    @classmethod
    def from_table(
        cls,
        trials: pd.DataFrame | Mapping[str, Any],
        events: Iterable[str] | None = None,
        outcomes: pd.DataFrame | Mapping[str, Any] | None = None,
        *,
        window: float,
        event_width: float = 0.04,
        cue_duration: float = 0.05,
        paradigm: str = "table",
        variant: str = "",
        cues: Iterable[str] | None = None,
        inputs: pd.DataFrame | Mapping[str, Any] | None = None,
        payoffs: pd.DataFrame | Mapping[str, Any] | None = None,
        reward_delay: float = 0.0,
    ) -> Experiment:
        """Make an experiment from a table of one's own.

        Parameters
        ----------
        trials : pandas.DataFrame or mapping
            As `Experiment` has it. ``block`` (0), ``kind`` (``"train"``) and ``learn`` (true for training trials) may
            be left out; a missing event may be NaN.
        events : iterable of str, optional
            Names of the events; by default those of the trials, in order of first appearance.
        outcomes : pandas.DataFrame or mapping, optional
            As `Experiment` has it; by default the frequencies among the training trials, see `frequencies`.
        window, event_width, cue_duration : float
            As `Experiment` has them (s).
        paradigm, variant : str
            Names under which the experiment is recorded.
        cues : iterable of str, optional
            Names of the cues; by default those of the trials' ``cue_name``, in order of first appearance, or one cue
            where there is no such column.
        inputs : pandas.DataFrame or mapping, optional
            As `Experiment` has it.
        payoffs : pandas.DataFrame or mapping, optional
            As `Experiment` has it; the events are then its columns, and the outcomes by default the mean payoff of each
            block.
        reward_delay : float
            As `Experiment` has it (s).

        Raises
        ------
        ParadigmError
            As `Experiment` does.
        """
        table = _frame(trials, "trials").copy()
        if "block" not in table:
            table["block"] = 0
        if "kind" not in table:
            table["kind"] = "train"
        if "learn" not in table:
            table["learn"] = table["kind"] == "train"
        table = _tidy_trials(table)
        paid = None if payoffs is None else _frame(payoffs, "payoffs")
        occurring = [name for name in table["event"].unique() if name] if paid is None else list(map(str, paid))
        names = occurring if events is None else list(_names(events, "events"))
        heard: Iterable[str] = (
            (CUE,) if "cue_name" not in table else [name for name in table["cue_name"].unique() if name]
        )
        heard = _names(heard if cues is None else cues, "cues")
        if outcomes is not None:
            statistics = _frame(outcomes, "outcomes")
        elif paid is None:
            statistics = frequencies(table, names)
        else:
            statistics = mean_payoffs(table, _tidy_payoffs(paid, tuple(names)), window + reward_delay)
        return cls(
            paradigm, variant, tuple(names), table, statistics, window, event_width, cue_duration, cues=heard,
            inputs=None if inputs is None else _frame(inputs, "inputs"), payoffs=paid, reward_delay=reward_delay,
        )  # fmt: skip

    @property
    def duration(self) -> float:
        """Length of the whole experiment (s), from 0 to the end of the last trial."""
        return float(_milliseconds(self.trials["onset"].iloc[-1] + self.trials["duration"].iloc[-1])) / 1e3

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the input channels: the cues, then those that `inputs` has besides, in order of appearance; where
        `inputs` has none of the cues, these are what trials are told apart by, and no channels.
        """
        if self.inputs is None:
            return self.cues
        heard = self.inputs["channel"].unique()
        return tuple(dict.fromkeys([*(self.cues if set(heard) & set(self.cues) else ()), *heard]))

    @property
    def cue_of_trials(self) -> np.ndarray:
        """Name of each trial's cue."""
        return cue_names(self.trials, self.cues)

    def signals(self, time_step: float = 0.001) -> dict[str, np.ndarray]:
        """Return what the network receives, sampled at ``k * time_step`` over the whole experiment.

        Parameters
        ----------
        time_step : float
            Time between samples (s). Every time of the trial table must be a multiple of it.

        Returns
        -------
        dict of str to numpy.ndarray
            One-dimensional float64 arrays of ``round(duration / time_step)`` samples:

            - ``cue``: 1 from the cue for `cue_duration`, else 0;
            - ``elapsed``: s since this trial's cue, negative before it. A step outside all trials belongs to the trial
              before it (the first trial, when there is none before);
            - ``in_window``: 1 where ``0 <= elapsed < window``, else 0;
            - ``window_end``: 1 at the first step after the window, else 0;
            - ``event``: index into `events`, -1 where the trial has none;
            - ``latency``: s from the cue to this trial's event, -1 where it has none;
            - ``learn``: 1 in trials with learning, else 0;
            - ``at_event``: 1 at the step at which this trial's event occurs, else 0;
            - ``block``: number of the trial's block;
            - ``input_0``, ``input_1``, ...: strength of what is heard in each of `channels`, 0 where there is nothing.
              One cue alone is ``cue``.

        Raises
        ------
        ParadigmError
            If the time step is not positive, or a time is not a multiple of it.
        """
        # whole steps throughout: no rounding can move an edge
        if not isinstance(time_step, (int, float, np.number)) or not math.isfinite(time_step):
            raise ParadigmError(f"must be a number of seconds, got {shown(time_step)}", "time_step")
        step = round(time_step * _MICROSECONDS)
        if step < 1 or abs(step - time_step * _MICROSECONDS) > 1e-6:
            raise ParadigmError(f"must be a whole number of microseconds above 0, got {time_step:g} s", "time_step")

        def steps(seconds: Any, place: str) -> np.ndarray:
            whole = _milliseconds(seconds) * 1000
            wrong = np.flatnonzero(whole % step)
            if len(wrong):
                row = f"trials[{wrong[0]}]." if whole.ndim else ""
                value = np.atleast_1d(seconds)[wrong[0]]
                raise ParadigmError(f"{value:g} s is not a multiple of the time step {time_step:g} s", row + place)
            return whole // step

        check_size(len(self.trials), self.duration, time_step)
        trials = self.trials
        onset, length = steps(trials["onset"], "onset"), steps(trials["duration"], "duration")
        cue, latency = steps(trials["cue"], "cue"), steps(trials["latency"].fillna(0), "latency")
        window, pulse = steps(self.window, "window"), steps(self.cue_duration, "cue_duration")
        code = trials["event"].map({name: k for k, name in enumerate(self.events)}).fillna(-1).to_numpy(int)

        now = np.arange(onset[-1] + length[-1])
        trial = np.maximum(np.searchsorted(onset, now, side="right") - 1, 0)
        inside = (now >= onset[trial]) & (now < (onset + length)[trial])
        elapsed = now - cue[trial]
        occurs = inside & (code[trial] >= 0)
        signals = {
            "cue": inside & (elapsed >= 0) & (elapsed < pulse),
            "elapsed": elapsed * step / _MICROSECONDS,
            "in_window": inside & (elapsed >= 0) & (elapsed < window),
            "window_end": inside & (elapsed == window),
            "event": np.where(inside, code[trial], -1),
            "latency": np.where(occurs, (latency * step / _MICROSECONDS)[trial], -1.0),
            "learn": inside & trials["learn"].to_numpy()[trial],
            "at_event": occurs & (elapsed == latency[trial]),
            "block": trials["block"].to_numpy()[trial],
        }
        found = {name: np.asarray(signals[name], dtype=np.float64) for name in _SIGNALS}
        if self.one_cue:
            return found
        if self.inputs is None:
            codes = {name: k for k, name in enumerate(self.cues)}
            own = np.array([codes.get(name, -1) for name in self.cue_of_trials])[trial]
            return found | {f"input_{k}": found["cue"] * (own == k) for k in codes.values()}
        begin, span = steps(self.inputs["onset"], "onset"), steps(self.inputs["duration"], "duration")
        for k, name in enumerate(self.channels):
            heard = np.zeros(len(now))
            mine = (self.inputs["channel"] == name).to_numpy()
            for first, long, strength in zip(begin[mine], span[mine], self.inputs["strength"][mine], strict=True):
                heard[first : first + long] += strength
            found[f"input_{k}"] = heard
        return found

    @property
    def one_cue(self) -> bool:
        """Whether all that the network hears is the cue of each trial, the same in all."""
        return len(self.cues) == 1 and self.inputs is None and "cue_name" not in self.trials

    def expectation(self, block: int, times: np.ndarray, cue: str = "") -> np.ndarray:
        """Return the true expectation of one block, see the function `expectation`.

        Parameters
        ----------
        block : int
            Number of the block.
        times : array
            Seconds from the cue.
        cue : str
            Name of the cue, where there are several.

        Returns
        -------
        numpy.ndarray
            Shape (event, time).
        """
        return expectation(self.outcomes, self.events, block, times, self.event_width, cue)

    def survivor(self, block: int, times: np.ndarray, cue: str = "") -> np.ndarray:
        """Return the probability that nothing has come before each time, (time,); see `truth.survivor`."""
        return truth.survivor(self.outcomes, block, times, self._heard(block, cue))

    def hazard(self, block: int, times: np.ndarray, cue: str = "") -> np.ndarray:
        """Return the probability that each event comes at each time, given that nothing has; see `truth.hazard`.

        Parameters
        ----------
        block : int
            Number of the block.
        times : array
            Seconds from the cue.
        cue : str
            Name of the cue, where there are several.

        Returns
        -------
        numpy.ndarray
            Shape (event, time); 0 at times that are no latency.

        Raises
        ------
        ParadigmError
            If there is no such block or cue.
        """
        return truth.hazard(self.outcomes, self.events, block, times, self._heard(block, cue))

    def survivor_expectation(self, block: int, times: np.ndarray, cue: str = "") -> np.ndarray:
        """Return the expectation given that nothing has come so far; see `hazard`, `truth.survivor_expectation`."""
        heard = self._heard(block, cue)
        return truth.survivor_expectation(self.outcomes, self.events, block, times, self.event_width, heard)

    def blurred_probability(self, block: int, times: np.ndarray, cue: str = "", **blur: float) -> np.ndarray:
        """Return the blurred density of probability (1/s); see `hazard`, and `truth.blurred_probability` for blurs."""
        return truth.blurred_probability(self.outcomes, self.events, block, times, self._heard(block, cue), **blur)

    def blurred_hazard(self, block: int, times: np.ndarray, cue: str = "", **blur: float) -> np.ndarray:
        """Return the blurred hazard (1/s); see `hazard`, and `truth.blurred_hazard` for blurs."""
        return truth.blurred_hazard(self.outcomes, self.events, block, times, self._heard(block, cue), **blur)

    def shannon_surprise(self) -> np.ndarray:
        """Return how improbable what happened in each trial was (nat), (trial,); see `truth.shannon_surprise`."""
        return truth.shannon_surprise(self.outcomes, self.trials)

    def bayesian_surprise(self, prior: float = 1.0) -> np.ndarray:
        """Return how far each trial moves the belief of someone who counts (nat); see `truth.bayesian_surprise`."""
        return truth.bayesian_surprise(self.outcomes, self.trials, prior)

    def _heard(self, block: int, cue: str) -> str:
        """Return the name of a cue, or complain that there is no such block or cue."""
        if block not in self.trials["block"].to_numpy():
            last = int(self.trials["block"].iloc[-1])
            raise ParadigmError(f"{shown(block)} is none; blocks are 0 to {last}", "block")
        if cue not in self.cues and (cue or "cue_name" in self.outcomes):
            raise ParadigmError(f"{shown(cue)} is not a cue", "cue", self.cues)
        return cue

    def describe(self) -> str:
        """Return a short text: how many trials, how long, and the statistics of each block."""
        training, probes = (int((self.trials["kind"] == kind).sum()) for kind in ("train", "probe"))
        blocks = self.trials["block"].nunique()
        lines = [
            f"{self.paradigm}{' ' + self.variant if self.variant else ''}: {training} training trials in {blocks} "
            f"block{'s' if blocks > 1 else ''}, {probes} probes, {self.duration:g} s"
        ]
        if len(self.cues) > 1:
            lines.append(f"  cues: {', '.join(self.cues)}")
        if further := [name for name in self.channels if name not in self.cues]:
            lines.append(f"  further input channels: {', '.join(further)}")
        several = "cue_name" in self.outcomes
        for given, rows in self.outcomes.groupby(["block", "cue_name"] if several else ["block"], sort=not several):
            parts = []
            for event in self.events:
                mine = rows[rows["event"] == event]
                if mine.empty:
                    continue
                first, last = mine["latency"].min() * 1e3, mine["latency"].max() * 1e3
                when = f"{first:.0f} ms" if first == last else f"{first:.0f} to {last:.0f} ms"
                what = event if self.payoffs is None else f"reward of {event}"
                parts.append(f"{what} p = {mine['probability'].sum():.2f} at {when}")
            rest = 1 - rows["probability"].sum() if self.payoffs is None else 0.0
            parts += [f"no event p = {rest:.2f}"] if rest > 0.005 else []
            place = f"block {given[0]}" + (f", {given[1]}" if several else "")
            lines.append(f"  {place}: {', '.join(parts)}")
        if "response_time" in self.trials:
            times = self.trials["response_time"].dropna()
            range_ = f", {times.min():.3g} to {times.max():.3g} s, median {times.median():.3g} s" if len(times) else ""
            happened = int((self.trials["event"] != "").sum())
            lines.append(f"  response times: {len(times)} in {happened} trials with events{range_}")
        return "\n".join(lines)

    def plot(self, figure: Figure | None = None) -> list[Axes]:
        """Draw the expectation of each block, and every training trial with its event and latency.

        Parameters
        ----------
        figure : matplotlib.figure.Figure, optional
            What to draw into; by default a new figure of matplotlib.

        Returns
        -------
        list of matplotlib.axes.Axes
        """
        from izhires.analysis.figures import style

        with style.applied():
            if figure is None:
                import matplotlib.pyplot as plt

                size = style.DOUBLE, 90 * style.MILLIMETRE
                figure = plt.figure(figsize=size, layout="constrained")
            colour = style.colours(self.events)
            times = np.arange(0, self.window, 1e-3)
            blocks = list(dict.fromkeys(self.trials["block"]))
            shown = blocks[:MOST_SHOWN]
            cues = self.cues if "cue_name" in self.outcomes else ("",)
            grid = figure.subplot_mosaic([[f"block {block}" for block in shown], ["trials"] * len(shown)])
            for block in shown:
                axes = grid[f"block {block}"]
                for cue, dashes in zip(cues, itertools.cycle(("-", "--", ":", "-.")), strict=False):
                    courses = self.expectation(block, times, cue) if cue else self.expectation(block, times)
                    for event, course in zip(self.events, courses, strict=True):
                        label = f"{event}{f' after {cue}' if cue else ''}"
                        axes.plot(times, course, color=colour[event], linestyle=dashes, label=label)
                axes.set(title=f"block {block}", xlabel="time from cue (s)", ylim=(0, None))
            panels = [grid[f"block {block}"] for block in shown]
            highest = max(each.get_ylim()[1] for each in panels)
            for each in panels:
                each.set_ylim(0, highest)
            first = panels[0]
            first.set_ylabel("expectation")
            first.legend()
            trained = self.trials[self.trials["kind"] == "train"].reset_index(drop=True)
            axes = grid["trials"]
            for event in self.events:
                own = trained[trained["event"] == event]
                axes.plot(
                    own.index + 1,
                    own["latency"],
                    linestyle="",
                    marker="|",
                    markersize=5,
                    color=colour[event],
                    label=event,
                )
            for row in np.flatnonzero(np.diff(trained["block"])):
                axes.axvline(row + 1.5, color=style.PALE, linewidth=0.8, zorder=0)
            axes.set(xlabel="training trial (grey lines: a new block)", ylabel="latency (s)", ylim=(0, self.window))
            return list(grid.values())

    def _repr_html_(self) -> str:
        from izhires.display import of_experiment

        return of_experiment(self)

    def __repr__(self) -> str:
        return f"<Experiment {self.describe().splitlines()[0]}>"

    def __str__(self) -> str:
        return self.describe()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Experiment):
            return NotImplemented
        plain = ("paradigm", "variant", "events", "cues", "window", "event_width", "cue_duration", "reward_delay")
        optional = ((getattr(self, name), getattr(other, name)) for name in ("inputs", "payoffs"))
        return (
            all(getattr(self, name) == getattr(other, name) for name in plain)
            and self.trials.equals(other.trials)
            and self.outcomes.equals(other.outcomes)
            and all(one is two if one is None or two is None else one.equals(two) for one, two in optional)
        )

    __hash__ = None  # type: ignore[assignment]  # equal by content, and the tables could be changed

    def validate(self) -> None:
        """Check that the tables agree with each other and with the window.

        Raises
        ------
        ParadigmError
            Naming the first row of each kind of contradiction, with its numbers.
        """
        found = _name_complaints(self.events, "events", "event") + _name_complaints(self.cues, "cues", "cue")
        if self.trials.empty:
            found.append(Complaint("trials", "has no trials"))
        if found:
            raise ParadigmError(found)
        # outcomes that come of wrong trials would be wrong, too
        found = self._trial_complaints()
        found = found or self._outcome_complaints() + self._input_complaints() + self._payoff_complaints()
        if found:
            raise ParadigmError(found)

    def _trial_complaints(self) -> list[Complaint]:
        found: list[Complaint] = []
        table, window = self.trials, self.window
        onset, length, cue, latency = (table[name].to_numpy() for name in _TIMES)
        event, kind, block = table["event"].to_numpy(), table["kind"].to_numpy(), table["block"].to_numpy()
        # compared as whole milliseconds, so that rounding makes no contradiction
        begin, at, span = _milliseconds(onset), _milliseconds(cue), _milliseconds(window)
        end = begin + _milliseconds(length)
        close = end / 1e3

        def rows(bad: np.ndarray, column: str, problem: Callable[[int], str], choices: tuple[str, ...] = ()) -> None:
            found.extend(_first_row(bad, f"trials[{{}}].{column}", problem, choices))

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
            (at + _milliseconds(self.cue_duration) > end) & ~outside,
            "cue",
            lambda i: f"the cue, {self.cue_duration:g} s from {cue[i]:g} s, outlasts its trial, to {close[i]:g} s",
        )
        unknown = ~np.isin(event, ("", *self.events))
        rows(unknown, "event", lambda i: f"{event[i]!r} is not an event", self.events)
        if "cue_name" in table:
            name = table["cue_name"].to_numpy()
            rows(~np.isin(name, self.cues), "cue_name", lambda i: f"{name[i]!r} is not a cue", self.cues)
        elif len(self.cues) > 1:
            found.append(Complaint("trials", "needs the column cue_name, since there are several cues", self.cues))
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

    def _outcome_complaints(self) -> list[Complaint]:
        found: list[Complaint] = []
        table, trials = self.outcomes, self.trials
        block, event, latency, chance = (table[name].to_numpy() for name in OUTCOME_COLUMNS)

        def rows(bad: np.ndarray, column: str, problem: Callable[[int], str], choices: tuple[str, ...] = ()) -> None:
            found.extend(_first_row(bad, f"outcomes[{{}}].{column}", problem, choices))

        blocks = trials["block"].unique()
        rows(~np.isin(block, blocks), "block", lambda i: f"no trial belongs to block {block[i]}")
        rows(~np.isin(event, self.events), "event", lambda i: f"{event[i]!r} is not an event", self.events)
        # a reward for a choice comes after the window, at whose end the choice is made
        rows(
            ~((latency >= 0) & (latency < self.window)) if self.payoffs is None else ~(latency >= 0),
            "latency",
            lambda i: f"{latency[i]:g} s lies outside the window of {self.window:g} s after the cue",
        )
        rows(~((chance >= 0) & (chance <= 1)), "probability", lambda i: f"must be between 0 and 1, got {chance[i]:g}")
        if "cue_name" in table:
            name = table["cue_name"].to_numpy()
            rows(~np.isin(name, self.cues), "cue_name", lambda i: f"{name[i]!r} is not a cue", self.cues)
        elif "cue_name" in trials:
            found.append(Complaint("outcomes", "needs the column cue_name, as the trials have it", self.cues))
            return found
        given = pd.DataFrame({"block": block, "cue_name": cue_names(table, self.cues), "probability": chance})
        with_events = trials[trials["event"] != ""].assign(cue_name=self.cue_of_trials[trials["event"] != ""])
        known = set(zip(given["block"], given["cue_name"], strict=True))

        def place(number: int, cue: str) -> str:
            return f"block {number}" + (f", {cue!r}," if "cue_name" in table else "")

        sums = given.groupby(["block", "cue_name"], as_index=False)["probability"].sum()
        for number, cue, total in zip(sums["block"], sums["cue_name"], sums["probability"], strict=True):
            if total > 1 + _SUM_TOLERANCE and self.payoffs is None:
                problem = f"the probabilities of {place(number, cue).rstrip(',')} sum to {total:g}, above 1"
                found.append(Complaint("outcomes", problem))
        for number, cue in dict.fromkeys(zip(with_events["block"], with_events["cue_name"], strict=True)):
            if (number, cue) not in known:
                found.append(Complaint("outcomes", f"{place(number, cue)} has trials with events, and no outcome"))
        return found

    def _input_complaints(self) -> list[Complaint]:
        if self.inputs is None:
            return []
        if self.inputs.empty:
            return [Complaint("inputs", "has no pulse; leave it out where the cues are all that is heard")]
        found = [Complaint("inputs", problem) for problem in name_problems(self.channels, "an input channel")]
        onset, _, length, strength = (self.inputs[name].to_numpy() for name in INPUT_COLUMNS)
        end, last = _milliseconds(onset) + _milliseconds(length), self.duration

        def rows(bad: np.ndarray, column: str, problem: Callable[[int], str]) -> None:
            found.extend(_first_row(bad, f"inputs[{{}}].{column}", problem))

        rows(onset < 0, "onset", lambda i: f"{onset[i]:g} s lies before the start of the experiment")
        rows(_milliseconds(length) < 1, "duration", lambda i: f"must be at least 1 ms, got {length[i]:g} s")
        rows(end > _milliseconds(last), "onset", lambda i: f"ends after the experiment, at {end[i] / 1e3:g} s")
        rows(strength < 0, "strength", lambda i: f"cannot be negative, got {strength[i]:g}")
        return found

    def _payoff_complaints(self) -> list[Complaint]:
        if self.payoffs is None:
            return []
        if len(self.payoffs) != len(self.trials):
            problem = f"needs one row a trial, {len(self.trials)}, got {len(self.payoffs)}"
            return [Complaint("payoffs", problem)]
        found: list[Complaint] = []
        table = self.trials
        training = (table["kind"] == "train").to_numpy()
        for event in self.events:
            pays = self.payoffs[event].to_numpy()
            bad = np.where(training, ~np.isfinite(pays), ~np.isnan(pays))
            found += _first_row(
                bad,
                f"payoffs[{{}}].{event}",
                lambda i, pays=pays: (  # type: ignore[misc]
                    f"must be a number, got {pays[i]:g}"
                    if training[i]
                    else "a trial that is inserted pays nothing: NaN"
                ),
            )
        end = _milliseconds(table["onset"] + table["duration"])
        due = _milliseconds(table["cue"] + self.window + self.reward_delay)
        late = (due >= end) & training
        found += _first_row(
            late,
            "reward_delay",
            lambda i: f"the reward at {due[i] / 1e3:g} s is not inside trial {i}, to {end[i] / 1e3:g} s",
        )
        happens = (table["event"] != "").to_numpy()
        found += _first_row(
            happens, "trials[{}].event", lambda i: f"what is chosen decides; leave it empty, got {table['event'][i]!r}"
        )
        return found


def check_size(trials: int, duration: float, time_step: float = 1e-3) -> None:
    """Refuse trials whose signals alone no memory here holds, before any is made.

    Parameters
    ----------
    trials : int
    duration : float
        Length of all of them (s).
    time_step : float
        Time between samples of the signals (s).

    Raises
    ------
    ParadigmError
        With what they need, and what is free.
    """
    needed = resources.array_bytes("<f8", (duration / time_step, len(_SIGNALS)))
    free = resources.available_memory()
    if needed > free:
        raise ParadigmError(
            f"{trials:,} trials last {duration:,.0f} s ({duration / 86400:,.1f} days) of model time: "
            f"their signals alone need {needed / 1e9:,.1f} GB of memory, {free / 1e9:,.1f} GB are free",
            "trials",
        )


def expectation(
    outcomes: pd.DataFrame | Mapping[str, Any],
    events: Iterable[str],
    block: int,
    times: np.ndarray,
    event_width: float,
    cue: str = "",
) -> np.ndarray:
    r"""Return the true, probability-weighted expectation of each event over time.

    .. math:: E_k(t) = \sum_j p_j \exp\left(-\frac{(t - t_j)^2}{2 \sigma^2}\right)

    over the outcomes :math:`j` of event :math:`k` in the block, with probability :math:`p_j` and latency :math:`t_j`.

    Parameters
    ----------
    outcomes : pandas.DataFrame or mapping
        ``block``, ``event``, ``latency`` (s from the cue), ``probability``.
    events : iterable of str
        Names of the events, in the order of the result.
    block : int
        Number of the block.
    times : array
        Seconds from the cue.
    event_width : float
        Standard deviation :math:`\sigma` of the bump (s).
    cue : str
        Name of the cue, where the outcomes have several.

    Returns
    -------
    numpy.ndarray
        Shape (event, time). An event that the block does not have is expected nowhere: zeros.
    """
    times = np.asarray(times, dtype=float)
    blocks, names, latency, chance = (np.asarray(outcomes[name]) for name in OUTCOME_COLUMNS)
    given = (blocks == block) & (np.asarray(outcomes["cue_name"]) == cue if "cue_name" in outcomes else True)
    expected = []
    for event in events:
        mine = given & (names == event)
        bumps = np.exp(-((times[:, None] - latency[mine]) ** 2) / (2 * event_width**2))
        expected.append(bumps @ chance[mine])
    return np.reshape(expected, (len(expected), len(times)))


def frequencies(trials: pd.DataFrame, events: Iterable[str]) -> pd.DataFrame:
    """Return the outcomes of each block as they occurred.

    Parameters
    ----------
    trials : pandas.DataFrame
        As `Experiment` has it.
    events : iterable of str
        Names of the events, in the order of the rows.

    Returns
    -------
    pandas.DataFrame
        One row for each event and latency that occurred in a block: ``block``, ``event``, ``latency`` (s) and
        ``probability``, its frequency among all training trials of the block; where the trials have a ``cue_name``,
        among those with this cue. Cue-only training trials count, so that the probabilities may sum to less than 1;
        probes do not.
    """
    training = trials[trials["kind"] == "train"]
    order = {name: k for k, name in enumerate(events)}
    own = ["block"] + ["cue_name"] * ("cue_name" in trials)
    sizes = training.groupby(own, sort=False).size().rename("size").reset_index()
    counts = training[training["event"] != ""].groupby([*own, "event", "latency"]).size().reset_index(name="count")
    counts = counts.merge(sizes, on=own)
    counts["probability"] = counts["count"] / counts["size"]
    counts = counts.sort_values(
        [*own, "event", "latency"], key=lambda c: c.map(order) if c.name == "event" else c, kind="stable"
    )
    return counts[[*OUTCOME_COLUMNS, *own[1:]]].reset_index(drop=True)


def mean_payoffs(trials: pd.DataFrame, payoffs: pd.DataFrame, latency: float) -> pd.DataFrame:
    """Return what each event paid on average in each block, as outcomes.

    Parameters
    ----------
    trials, payoffs : pandas.DataFrame
        As `Experiment` has them.
    latency : float
        Time from the cue to the reward (s).

    Returns
    -------
    pandas.DataFrame
        Columns as those of `frequencies`.
    """
    own = ["block"] + ["cue_name"] * ("cue_name" in trials)
    training = (trials["kind"] == "train").to_numpy()
    paid = pd.concat([trials[own], payoffs], axis=1)[training]
    long = paid.melt(own, list(payoffs), "event", "probability").groupby([*own, "event"], sort=False)
    return long["probability"].mean().reset_index().assign(latency=latency)[[*OUTCOME_COLUMNS, *own[1:]]]


def cue_names(table: pd.DataFrame, cues: tuple[str, ...]) -> np.ndarray:
    """Return the name of the cue of each row of a table; the one there is where the table does not say it."""
    return table["cue_name"].to_numpy() if "cue_name" in table else np.full(len(table), cues[0], object)


def _milliseconds(seconds: Any) -> np.ndarray:
    return np.rint(np.asarray(seconds, dtype=float) * 1e3).astype(np.int64)


def _positive_time(value: Any, place: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ParadigmError(f"must be a number of seconds, got {shown(value)}", place) from None
    if not np.isfinite(number) or number < 0.5e-3:
        raise ParadigmError(f"must be at least 1 ms, got {number:g} s", place)
    if number > _LONGEST:
        raise ParadigmError(f"must be at most {_LONGEST:g} s, got {number:g} s", place)
    # the width of the bump is no time on the grid of steps
    return number if place == "event_width" else float(_milliseconds(number)) / 1e3


def _names(names: Any, place: str) -> tuple[str, ...]:
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise ParadigmError(f"must be a list of names, got {shown(names)}", place)
    return tuple(str(each) for each in names)


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


def _first_row(bad: Any, place: str, problem: Callable[[int], str], choices: tuple[str, ...] = ()) -> list[Complaint]:
    """Return a complaint on the first bad row that also counts the others; nothing when no row is bad."""
    rows = np.flatnonzero(bad)
    if not len(rows):
        return []
    first = int(rows[0])
    more = f" (and {len(rows) - 1} more row{'s' if len(rows) > 2 else ''})" if len(rows) > 1 else ""
    return [Complaint(place.format(first), problem(first) + more, choices)]


def _frame(table: Any, name: str) -> pd.DataFrame:
    try:
        return pd.DataFrame(table)
    except (TypeError, ValueError) as error:
        raise ParadigmError(f"is not a table: {' '.join(str(error).split())}", name) from None


def _columns(table: Any, columns: tuple[str, ...], name: str) -> pd.DataFrame:
    """Return a copy with the columns in order; those not asked for follow."""
    table = _frame(table, name).reset_index(drop=True)
    missing = [column for column in columns if column not in table]
    if missing:
        raise ParadigmError(f"column{'s' if len(missing) > 1 else ''} {', '.join(missing)} missing", name, columns)
    return table[[*columns, *(column for column in table if column not in columns)]].copy()


def _times(table: pd.DataFrame, column: str, name: str, missing: bool = False) -> np.ndarray:
    """Return a column of seconds; no latency may become 0 when it is rounded to whole milliseconds."""
    values = _numbers(table, column, name, missing=missing)
    lost = (values != 0) & (np.abs(values) < 0.5e-3) & (column == "latency")
    found = _first_row(lost, f"{name}[{{}}].{column}", lambda i: f"{values[i]:g} s is below the grid of 1 ms")
    found += _first_row(
        np.abs(values) > _LONGEST,
        f"{name}[{{}}].{column}",
        lambda i: f"must be at most {_LONGEST:g} s, got {values[i]:g} s",
    )
    if found:
        raise ParadigmError(found)
    return values


def _numbers(table: pd.DataFrame, column: str, name: str, kind: str = "a number", missing: bool = False) -> np.ndarray:
    values = pd.to_numeric(table[column], errors="coerce").to_numpy(float, na_value=np.nan)
    fine = np.isfinite(values)
    if kind == "a whole number":
        fine &= values % 1 == 0
    elif kind == "true or false":
        fine &= np.isin(values, (0, 1))
    if missing:
        fine |= table[column].isna().to_numpy()
    found = _first_row(~fine, f"{name}[{{}}].{column}", lambda i: f"must be {kind}, got {shown(table[column].iloc[i])}")
    if found:
        raise ParadigmError(found)
    return values


def _texts(table: pd.DataFrame, column: str) -> pd.Series:
    return table[column].astype(object).where(table[column].notna(), "").map(str).astype(str)


def _tidy_trials(table: Any) -> pd.DataFrame:
    """Return the table of trials with one type a column, all times on whole milliseconds."""
    table = _columns(table, TRIAL_COLUMNS, "trials")
    onset, length, cue = (_times(table, name, "trials") for name in ("onset", "duration", "cue"))
    begin = _milliseconds(onset)
    table["onset"] = begin / 1e3
    # rounded at its end, so that trials that touch still touch
    table["duration"] = (_milliseconds(onset + length) - begin) / 1e3
    table["cue"] = _milliseconds(cue) / 1e3
    table["latency"] = np.rint(_times(table, "latency", "trials", missing=True) * 1e3) / 1e3
    table["block"] = _numbers(table, "block", "trials", "a whole number").astype(np.int64)
    table["event"], table["kind"] = _texts(table, "event"), _texts(table, "kind")
    table["learn"] = _numbers(table, "learn", "trials", "true or false") == 1
    if "cue_name" in table:
        table["cue_name"] = _texts(table, "cue_name")
    if "response_time" in table:  # a recording keeps it
        table["response_time"] = _numbers(table, "response_time", "trials", missing=True)
    return table


def _tidy_outcomes(table: Any) -> pd.DataFrame:
    """Return the table of outcomes with one type a column, latencies on whole milliseconds."""
    table = _columns(table, OUTCOME_COLUMNS, "outcomes")
    table["block"] = _numbers(table, "block", "outcomes", "a whole number").astype(np.int64)
    table["event"] = _texts(table, "event")
    table["latency"] = np.rint(_times(table, "latency", "outcomes") * 1e3) / 1e3
    table["probability"] = _numbers(table, "probability", "outcomes")
    if "cue_name" in table:
        table["cue_name"] = _texts(table, "cue_name")
    return table


def _tidy_payoffs(table: Any, events: tuple[str, ...]) -> pd.DataFrame:
    """Return the table of payoffs with one column an event, in their order, all numbers."""
    table = _columns(table, events, "payoffs")[list(events)]
    return pd.DataFrame({name: _numbers(table, name, "payoffs", missing=True) for name in events})


def _tidy_inputs(table: Any) -> pd.DataFrame:
    """Return the table of pulses with one type a column, all times on whole milliseconds."""
    table = _frame(table, "inputs")
    table = _columns(table if "strength" in table else table.assign(strength=1.0), INPUT_COLUMNS, "inputs")
    for name in ("onset", "duration"):
        table[name] = _milliseconds(_times(table, name, "inputs")) / 1e3
    table["channel"] = _texts(table, "channel")
    table["strength"] = _numbers(table, "strength", "inputs")
    return table
