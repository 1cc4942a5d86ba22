"""The experiment a paradigm makes: a table of trials, its true statistics, and the signals a network receives."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from izhires.errors import ParadigmError, shown
from izhires.paradigms import truth
from izhires.paradigms.checks import check
from izhires.paradigms.columns import (
    OUTCOME_COLUMNS,
    cue_names,
    first_events,
    frame,
    milliseconds,
    names_of,
    positive_time,
    tidy_epochs,
    tidy_inputs,
    tidy_latencies,
    tidy_outcomes,
    tidy_payoffs,
    tidy_trials,
)
from izhires.running import resources

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CUE = "cue"
"""Name of the cue where there is one only."""

MOST_SHOWN = 6
"""Blocks whose expectation `Experiment.plot` draws, at most."""

_MICROSECONDS = 1_000_000
_SIGNALS = ("cue", "elapsed", "in_window", "window_end", "event", "latency", "learn", "at_event", "block")


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
        ``cue_name``. Further columns are kept. With `latencies` it is the first event of the trial that stands here.
    outcomes : pandas.DataFrame
        The true statistics, one row a possible outcome of a block: ``block``, ``event``, ``latency`` (s from the cue),
        ``probability``; where there are several cues, ``cue_name``, and the probabilities are those given this cue.
        What is missing to 1 is the probability that no event follows the cue; with `latencies` the probabilities of
        each event count by themselves, and what is missing to 1 is the probability that this one does not come.
    window : float
        Time after the cue in which predictions are read (s).
    event_width : float
        Standard deviation of the bump that stands for an event in time (s).
    cue_duration : float
        Length of the cue (s).
    notes : tuple of str
        What whoever made it read otherwise than it stood; no part of what two experiments are compared by.
    answers : tuple of (str, int)
        Which rows or column of a file the response times are of, and how many; no part of that either.
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
    latencies : pandas.DataFrame, optional
        Where several events may come in one trial: the time from the cue to each (s), one row a trial and one column an
        event, NaN where it does not come. Each comes once a trial at most, no two at the same moment. Columns of the
        trials named ``event`` and ``latency`` are then the first event of each trial.
    epochs : pandas.DataFrame, optional
        Intervals with a name, one row each: ``onset`` (s from the start of the experiment), ``duration`` (s), ``name``.
        The signal ``epoch_NAME`` is 1 inside those of its name, for the texts of gates, rules and connections.

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
    latencies: pd.DataFrame | None = None
    epochs: pd.DataFrame | None = None
    answers: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        for name in ("window", "event_width", "cue_duration"):
            object.__setattr__(self, name, positive_time(getattr(self, name), name))
        object.__setattr__(self, "events", names_of(self.events, "events"))
        object.__setattr__(self, "cues", names_of(self.cues, "cues"))
        object.__setattr__(self, "trials", tidy_trials(self.trials))
        object.__setattr__(self, "outcomes", tidy_outcomes(self.outcomes))
        if self.inputs is not None:
            object.__setattr__(self, "inputs", tidy_inputs(self.inputs))
        if self.payoffs is not None:
            object.__setattr__(self, "payoffs", tidy_payoffs(self.payoffs, self.events))
            object.__setattr__(self, "reward_delay", positive_time(self.reward_delay, "reward_delay"))
        if self.latencies is not None:
            object.__setattr__(self, "latencies", tidy_latencies(self.latencies, self.events))
        if self.epochs is not None:
            object.__setattr__(self, "epochs", tidy_epochs(self.epochs))
        check(self)

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
        latencies: pd.DataFrame | Mapping[str, Any] | None = None,
        epochs: pd.DataFrame | Mapping[str, Any] | None = None,
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
        latencies : pandas.DataFrame or mapping, optional
            As `Experiment` has it; the events are then its columns, and ``event`` and ``latency`` of the trials, which
            may be left out, the first of each.
        epochs : pandas.DataFrame or mapping, optional
            As `Experiment` has it.

        Raises
        ------
        ParadigmError
            As `Experiment` does.
        """
        table = frame(trials, "trials").copy()
        coming = None if latencies is None else frame(latencies, "latencies").reset_index(drop=True)
        if coming is not None and len(coming) != len(table):
            raise ParadigmError(f"needs one row a trial, {len(table)}, got {len(coming)}", "latencies")
        if coming is not None and not {"event", "latency"} & set(table):
            table["event"], table["latency"] = first_events(tidy_latencies(coming, tuple(map(str, coming))))
        if "block" not in table:
            table["block"] = 0
        if "kind" not in table:
            table["kind"] = "train"
        if "learn" not in table:
            table["learn"] = table["kind"] == "train"
        table = tidy_trials(table)
        paid = None if payoffs is None else frame(payoffs, "payoffs")
        named = paid if coming is None else coming
        occurring = [name for name in table["event"].unique() if name] if named is None else list(map(str, named))
        names = occurring if events is None else list(names_of(events, "events"))
        heard: Iterable[str] = (
            (CUE,) if "cue_name" not in table else [name for name in table["cue_name"].unique() if name]
        )
        heard = names_of(heard if cues is None else cues, "cues")
        if outcomes is not None:
            statistics = frame(outcomes, "outcomes")
        elif coming is not None:
            statistics = frequencies_of_each(table, tidy_latencies(coming, tuple(names)))
        elif paid is None:
            statistics = frequencies(table, names)
        else:
            statistics = mean_payoffs(table, tidy_payoffs(paid, tuple(names)), window + reward_delay)
        return cls(
            paradigm, variant, tuple(names), table, statistics, window, event_width, cue_duration, cues=heard,
            inputs=None if inputs is None else frame(inputs, "inputs"), payoffs=paid, reward_delay=reward_delay,
            latencies=coming, epochs=None if epochs is None else frame(epochs, "epochs"),
        )  # fmt: skip

    @property
    def duration(self) -> float:
        """Length of the whole experiment (s), from 0 to the end of the last trial."""
        return float(milliseconds(self.trials["onset"].iloc[-1] + self.trials["duration"].iloc[-1])) / 1e3

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
              One cue alone is ``cue``;
            - ``epoch_NAME``: 1 inside the epochs of this name, else 0.

            With `latencies`, ``event`` and ``latency`` are those of the trial's event that is nearest in time (of two
            equally near, the earlier), and there is ``latency_of``, of shape (step, event): s from the cue to each
            event, and for one that does not come in this trial that of the nearest, -1 where none comes.

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
            whole = milliseconds(seconds) * 1000
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
        if self.latencies is not None:
            late = np.stack([steps(self.latencies[name].fillna(0), "latency") for name in self.events], axis=1)[trial]
            comes = self.latencies.notna().to_numpy()[trial] & inside[:, None]
            # twice the distance, and one more of what is still to come: the earlier of two equally near
            away = 2 * np.abs(elapsed[:, None] - late) + (late > elapsed[:, None])
            nearest = np.argmin(np.where(comes, away, np.iinfo(np.int64).max), axis=1)
            closest = late[np.arange(len(now)), nearest]
            signals["event"] = np.where(occurs, nearest, -1)
            signals["latency"] = np.where(occurs, closest * step / _MICROSECONDS, -1.0)
            signals["at_event"] = occurs & (elapsed == closest)
        found = {name: np.asarray(signals[name], dtype=np.float64) for name in _SIGNALS}
        if self.latencies is not None:
            found["latency_of"] = np.where(comes, late * step / _MICROSECONDS, found["latency"][:, None])
        if self.epochs is not None:
            begin, span = steps(self.epochs["onset"], "onset"), steps(self.epochs["duration"], "duration")
            for name in self.epochs["name"].unique():
                signal = found[f"epoch_{name}"] = np.zeros(len(now))
                for first, long in zip(*(each[self.epochs["name"] == name] for each in (begin, span)), strict=True):
                    signal[first : first + long] = 1.0
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
        """Return the probability that nothing has come before each time, (time,); see `truth.survivor`.

        Raises
        ------
        ParadigmError
            If there is no such block or cue, or several events may come in a trial, each of which survives by itself.
        """
        if self.latencies is not None:
            raise ParadigmError("several events may come in a trial; hazard and survivor_expectation are those of each")
        return truth.survivor(self.outcomes, block, times, self._heard(block, cue))

    def hazard(self, block: int, times: np.ndarray, cue: str = "") -> np.ndarray:
        """Return the probability that each event comes at each time, given that nothing has; see `truth.hazard`.

        With `latencies`: given that this event has not come yet.

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
        return self._true(truth.hazard, block, times, cue)

    def survivor_expectation(self, block: int, times: np.ndarray, cue: str = "") -> np.ndarray:
        """Return the expectation given that nothing has come so far; see `hazard`, `truth.survivor_expectation`."""
        return self._true(truth.survivor_expectation, block, times, cue, event_width=self.event_width)

    def blurred_probability(self, block: int, times: np.ndarray, cue: str = "", **blur: float) -> np.ndarray:
        """Return the blurred density of probability (1/s); see `hazard`, and `truth.blurred_probability` for blurs."""
        return self._true(truth.blurred_probability, block, times, cue, **blur)

    def blurred_hazard(self, block: int, times: np.ndarray, cue: str = "", **blur: float) -> np.ndarray:
        """Return the blurred hazard (1/s); see `hazard`, and `truth.blurred_hazard` for blurs."""
        return self._true(truth.blurred_hazard, block, times, cue, **blur)

    def shannon_surprise(self) -> np.ndarray:
        """Return how improbable what happened in each trial was (nat), (trial,); see `truth.shannon_surprise`.

        With `latencies`: the sum over events, each by itself, as of independent ones.
        """
        each = (truth.shannon_surprise(outcomes, trials) for outcomes, trials in self._apart())
        return np.sum(list(each), axis=0)

    def bayesian_surprise(self, prior: float = 1.0) -> np.ndarray:
        """Return how far each trial moves the belief of someone who counts (nat); see `truth.bayesian_surprise`.

        With `latencies`: the sum over events, each by itself, as of independent ones.
        """
        each = (truth.bayesian_surprise(outcomes, trials, prior) for outcomes, trials in self._apart())
        return np.sum(list(each), axis=0)

    def _true(
        self, function: Callable[..., np.ndarray], block: int, times: np.ndarray, cue: str, **further: float
    ) -> np.ndarray:
        """Return a function of the true outcomes, (event, time); where several may come, of each by itself."""
        heard = self._heard(block, cue)
        if self.latencies is None:
            return function(self.outcomes, self.events, block, times, cue=heard, **further)
        own = ((self.outcomes[self.outcomes["event"] == name], name) for name in self.events)
        return np.concatenate([function(rows, [name], block, times, cue=heard, **further) for rows, name in own])

    def _apart(self) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
        """Return outcomes and trials: of all events, or where several may come in a trial of each event by itself."""
        if self.latencies is None:
            return [(self.outcomes, self.trials)]
        return [
            (
                self.outcomes[self.outcomes["event"] == name],
                self.trials.assign(event=np.where(late.notna(), str(name), ""), latency=late.to_numpy()),
            )
            for name, late in self.latencies.items()
        ]

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
        if self.latencies is not None:
            lines.append("  several events may come in one trial")
        if self.epochs is not None:
            lines.append(f"  epochs: {', '.join(self.epochs['name'].unique())}")
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
            alone = self.payoffs is None and self.latencies is None
            rest = 1 - rows["probability"].sum() if alone else 0.0
            parts += [f"no event p = {rest:.2f}"] if rest > 0.005 else []
            place = f"block {given[0]}" + (f", {given[1]}" if several else "")
            lines.append(f"  {place}: {', '.join(parts)}")
        if "response_time" in self.trials:
            times = self.trials["response_time"].dropna()
            range_ = f", {times.min():.3g} to {times.max():.3g} s, median {times.median():.3g} s" if len(times) else ""
            happened = int((self.trials["event"] != "").sum())
            of = f"; of {', '.join(f'{number} {what}' for what, number in self.answers)}" if self.answers else ""
            lines.append(f"  response times: {len(times)} in {happened} trials with events{range_}{of}")
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
        optional = (
            (getattr(self, name), getattr(other, name)) for name in ("inputs", "payoffs", "latencies", "epochs")
        )
        return (
            all(getattr(self, name) == getattr(other, name) for name in plain)
            and self.trials.equals(other.trials)
            and self.outcomes.equals(other.outcomes)
            and all(one is two if one is None or two is None else one.equals(two) for one, two in optional)
        )

    __hash__ = None  # type: ignore[assignment]  # equal by content, and the tables could be changed


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


def frequencies_of_each(trials: pd.DataFrame, latencies: pd.DataFrame) -> pd.DataFrame:
    """Return how often each event came in each block, by its latency, as outcomes.

    Parameters
    ----------
    trials, latencies : pandas.DataFrame
        As `Experiment` has them.

    Returns
    -------
    pandas.DataFrame
        Columns as those of `frequencies`, the probabilities of each event by themselves.
    """
    each = [
        frequencies(trials.assign(event=np.where(late.notna(), str(name), ""), latency=late.to_numpy()), [str(name)])
        for name, late in latencies.items()
    ]
    return pd.concat(each).sort_values("block", kind="stable").reset_index(drop=True)


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
