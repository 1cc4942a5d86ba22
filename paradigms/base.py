"""What every paradigm declares, and the trials of fixed length that several share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from pydantic import model_validator

from izhires.declare import Component, Milliseconds, parameter
from izhires.errors import Complaint, ConfigurationError, shown
from izhires.paradigms.experiment import CUE, Experiment

MOST = 10**15
"""Most trials that a declaration takes: far beyond any memory, and still a number to reckon with exactly."""


class Paradigm(Component):
    """A task: a declaration that makes experiments.

    A new paradigm is one new file of this package with a subclass that names itself in ``type`` and makes an
    `Experiment`.
    """

    family: ClassVar[str] = "paradigm"
    package: ClassVar[str] = "izhires.paradigms"
    source: ClassVar[str] = ""
    """Citation of the task."""
    options: ClassVar[dict[str, str]] = {}
    """Options of its own on the command line, each with the parameter it gives."""

    def variants(self) -> tuple[str, ...]:
        """Return the conditions of the task, each to be run with a network of its own; ``("",)`` when there is one."""
        return ("",)

    @abstractmethod
    def experiment(self, rng: np.random.Generator, variant: str = "") -> Experiment:
        """Make the experiment of one variant.

        Parameters
        ----------
        rng : numpy.random.Generator
            All that is drawn is drawn from it: equal generators give equal experiments.
        variant : str
            One of `variants`.

        Raises
        ------
        ParadigmError
            If the trials contradict themselves.
        ConfigurationError
            If there is no such variant.
        """

    def check_generator(self, rng: object) -> None:
        """Raise a `ConfigurationError` when `rng` is no generator to draw from."""
        if not isinstance(rng, np.random.Generator):
            raise ConfigurationError(f"must be a numpy.random.Generator, got {shown(rng)}", "rng")

    def check_variant(self, variant: str) -> None:
        """Raise a `ConfigurationError` that lists the variants when `variant` is none of them."""
        if variant not in self.variants():
            known = [each for each in self.variants() if each]
            raise ConfigurationError(
                f"{variant!r} is not a variant{'' if known else ': there is one only'}", "variant", known
            )


class FixedTrials(Paradigm):
    """Trials of one length, each with its cue at the same moment."""

    trial_duration: Milliseconds = parameter("1500 ms", "length of a trial", gt=0)
    cue_onset: Milliseconds = parameter("200 ms", "time from the start of a trial to its cue", ge=0)
    window: Milliseconds = parameter("1100 ms", "time after the cue in which predictions are read", ge=1)
    cue_duration: Milliseconds = parameter("50 ms", "length of the cue", ge=1)
    event_width: Milliseconds = parameter(
        "40 ms", "standard deviation of the bump that stands for an event", symbol="sigma", ge=1
    )
    warm_up: int = parameter(
        5, "cue-only trials without learning before the first, in which the network settles", ge=0, le=MOST
    )

    @model_validator(mode="after")
    def _fits(self) -> FixedTrials:
        names = ("trial_duration", "cue_onset", "window", "cue_duration")
        found = [each for name in names for each in whole_milliseconds(getattr(self, name), name)]
        if found:
            raise ConfigurationError(found)
        for name in ("window", "cue_duration"):
            last = self.cue_onset + getattr(self, name)
            if last >= self.trial_duration:
                raise ConfigurationError(
                    f"{self.trial_duration:g} ms is too short: trials would overlap, "
                    f"since cue_onset {self.cue_onset:g} ms + {name} {last - self.cue_onset:g} ms = {last:g} ms",
                    "trial_duration",
                )
        return self

    def lay_out(
        self,
        trials: pd.DataFrame,
        outcomes: pd.DataFrame,
        *,
        events: tuple[str, ...],
        cues: tuple[str, ...],
        variant: str,
        **further: Any,
    ) -> Experiment:
        """Make the experiment of trials that follow each other, in which only training trials teach.

        Parameters
        ----------
        trials, outcomes : pandas.DataFrame
            As `Experiment` has them, both with ``cue_name``; the times of the trials are added.
        events, cues : tuple of str
        variant : str
        **further
            What else the experiment has.
        """
        trials = trials.assign(
            onset=np.arange(len(trials)) * self.trial_duration / 1e3,
            duration=self.trial_duration / 1e3,
            learn=trials["kind"] == "train",
        )
        trials["cue"] = trials["onset"] + self.cue_onset / 1e3
        if cues == (CUE,):  # one cue needs no name
            trials, outcomes = trials.drop(columns="cue_name"), outcomes.drop(columns="cue_name")
        return Experiment(
            paradigm=self.type,  # type: ignore[attr-defined]
            variant=variant,
            events=events,
            trials=trials,
            outcomes=outcomes,
            window=self.window / 1e3,
            event_width=self.event_width / 1e3,
            cue_duration=self.cue_duration / 1e3,
            cues=cues,
            **further,
        )

    def latency_complaints(self, latencies: Iterable[tuple[str, float]]) -> list[Complaint]:
        """Return a complaint on each latency (ms) outside the window, or between the whole milliseconds.

        Parameters
        ----------
        latencies : iterable of (str, float)
            The place of each, as a complaint names it, and the latency.
        """
        given = list(latencies)
        found = [
            Complaint(place, f"{value:g} ms lies outside the window of {self.window:g} ms after the cue")
            for place, value in given
            if not 0 <= value < self.window
        ]
        return found or [each for place, value in given for each in whole_milliseconds(value, place)]


def whole_milliseconds(value: float | None, place: str) -> list[Complaint]:
    """Return a complaint when a time (ms) would have to be rounded: those of trials are whole milliseconds."""
    if value is None or abs(value - round(value)) < 1e-6:
        return []
    return [Complaint(place, f"must be whole milliseconds, got {value!r} ms")]
