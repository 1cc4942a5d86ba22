"""How an observer is declared: once, beside its function, as a metric is."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from izhires.analysis import selection
from izhires.analysis.declared import Registry, Unavailable, require
from izhires.errors import ConfigurationError, closest
from izhires.optional import trouble

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from izhires.paradigms.experiment import Experiment

LATENCY_STEP = 0.001
"""Resolution of the latencies in a trial table (s)."""


@dataclass(frozen=True, eq=False)
class ObservedTask:
    """What an observer sees: the trials, one after the other, and nothing of the statistics behind them.

    Parameters
    ----------
    trials : pandas.DataFrame
        One row a trial in order of time, with columns block, event (empty for a cue-only trial), latency (s), learn.
        An observer learns from the rows with ``learn``; it expects something before every row, probes included.
    events : tuple of str
    window, event_width : float
        s; as the experiment has them.
    states : callable, optional
        ``states(every)`` returns the network's states s (trial, time, neuron) on a grid of times `every` s apart, for
        observers that read them.
    time_step : float
        Time between the samples of a complete prediction (s): the readout step.
    """

    trials: pd.DataFrame
    events: tuple[str, ...]
    window: float
    event_width: float
    states: Callable[[float], xr.DataArray] | None = None
    time_step: float = 0.001

    @classmethod
    def of_recording(cls, recording: xr.Dataset) -> ObservedTask:
        """Return the task that a network of a recording lived through.

        Raises
        ------
        Unavailable
            If the recording holds no trial table, nothing follows its cues, since the network chooses, or several
            events may come in one trial.
        """
        from izhires.analysis.states import readout_states

        require(recording, [f"trial_{name}" for name in ("block", "event", "latency", "learn")])
        if selection.chosen(recording):
            raise Unavailable("nothing follows the cue of itself: see the learners of the metric better_choices")
        if "trial_latency_of" in recording:
            raise Unavailable("several events may come in one trial, and the observers expect one at most")
        return cls(
            selection.trials(recording),
            tuple(selection.events(recording)),
            float(recording.attrs["window"]),
            float(recording.attrs["event_width"]),
            functools.lru_cache(1)(lambda every: readout_states(recording, every=every)),
            float(recording.attrs["time_step"]),
        )

    @classmethod
    def of_experiment(cls, experiment: Experiment) -> ObservedTask:
        """Return the task of an experiment, which any paradigm makes without a network.

        Raises
        ------
        Unavailable
            If several events may come in one trial.
        """
        if experiment.latencies is not None:
            raise Unavailable("several events may come in one trial, and the observers expect one at most")
        return cls(experiment.trials, experiment.events, experiment.window, experiment.event_width)

    @property
    def times(self) -> np.ndarray:
        """Seconds from the cue at which a complete prediction is given, (time,)."""
        return np.round(np.arange(round(self.window / self.time_step)) * self.time_step, 9)

    @property
    def learned(self) -> np.ndarray:
        """Which rows an observer learns from, (trial,)."""
        return self.trials["learn"].to_numpy(bool)

    @property
    def outcomes(self) -> np.ndarray:
        """Index of each trial's event, len(events) for none, -1 in a row that is not learned from, (trial,)."""
        code = {name: k for k, name in enumerate(self.events)}
        index = np.array([code.get(name, len(self.events)) for name in self.trials["event"]], dtype=int)
        return np.where(self.learned, index, -1)

    def bump(self, latency: np.ndarray | float) -> np.ndarray:
        """Return exp(-(t - latency)^2/(2 event_width^2)) over `times`; latencies add a leading dimension."""
        return np.exp(-((self.times - np.asarray(latency)[..., None]) ** 2) / (2 * self.event_width**2))


@dataclass(frozen=True, eq=False)
class Expected:
    """What an observer expects before each row of the trial table.

    Parameters
    ----------
    course : ndarray, (trial, event, time)
        The complete prediction, of the same kind as a network's: probability-weighted bumps over `Task.times`.
        NaN in rows for which the observer gives none.
    probability : ndarray, (trial, event)
        NaN for an observer that predicts the course only.
    deviation : ndarray, (trial, event)
        Standard deviation of its belief about the probability; NaN for a point estimate.
    latency : ndarray, (trial, event)
        The most probable latency (s), NaN while it is unknown.
    """

    course: np.ndarray
    probability: np.ndarray
    deviation: np.ndarray
    latency: np.ndarray


Function = Callable[[ObservedTask], Expected]


@dataclass(frozen=True)
class Observer:
    """A declared observer; made by the decorator `observer`.

    Parameters
    ----------
    name, description, definition, source : str
        As a metric has them.
    told : bool
        Whether it is told when the statistics switch (a new block), though not to what.
    probability : bool
        Whether it gives a probability for each event in every row, beside the course.
    function : callable
        ``function(task)`` returns an `Expected`; raises `Unavailable` where it cannot.
    library : str
        The optional library that it uses (`izhires.optional`); whatever that raises makes it unavailable.
    """

    name: str
    description: str
    definition: str
    source: str
    told: bool
    probability: bool
    function: Function = field(repr=False)
    library: str = ""


OBSERVERS: Registry[Observer] = Registry("izhires.analysis.observers")


def observer(
    name: str,
    *,
    description: str,
    definition: str,
    source: str,
    told: bool = False,
    probability: bool = True,
    library: str = "",
) -> Callable[[Function], Function]:
    """Declare an observer; the decorated function stays a plain function.

    Parameters
    ----------
    name, description, definition, source, told, probability, library
        See `Observer`.
    """

    def declare(function: Function) -> Function:
        OBSERVERS.add(Observer(name, description, definition, source, told, probability, function, library))
        return function

    return declare


def all_observers() -> dict[str, Observer]:
    """Return every declared observer by name."""
    return OBSERVERS.all()


def observe(name: str, task: ObservedTask) -> Expected:
    """Return what an observer expects before each trial of a task.

    Raises
    ------
    ConfigurationError
        If there is no such observer.
    Unavailable
        If it lacks what it needs.
    """
    known = all_observers()
    if name not in known:
        raise ConfigurationError(f"{name!r} is not an observer{closest(name, known)}", choices=known)
    try:
        return known[name].function(task)
    except Unavailable:
        raise
    except (Exception, SystemExit) as error:  # a library may also try to end the process
        if not known[name].library:
            raise
        raise Unavailable(trouble(known[name].library, error)) from None
