"""Streams: stimuli that follow each other without a cue, each of which is to be predicted from those before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from pydantic import model_validator

from izhires.declare import Milliseconds, parameter
from izhires.errors import Complaint, ConfigurationError
from izhires.paradigms.base import MOST, Paradigm, whole_milliseconds
from izhires.paradigms.experiment import Experiment, check_size

REST = 100
"""Silence before the first stimulus, ms."""


class Stimulus(NamedTuple):
    """One stimulus of a stream."""

    name: str
    wait: int
    """Whole ms from the onset of the stimulus before."""
    block: int
    learn: bool = True
    response_time: float = np.nan
    """s from its onset; NaN for none."""


class Stream(Paradigm):
    """Stimuli in a stream: each is heard, and is the event of a trial, to be predicted before it is heard.

    A trial's clock begins `lead` before its stimulus, and its window closes `after` the onset: with the default of 1 ms
    before the first spike that the stimulus causes, so that what is read is a prediction and not an answer. Nothing is
    heard at the beginning of the clock. The cue of a trial is the stimulus before. Now and then a stimulus is left out
    (a probe: nothing is heard, learning is off). The one after it is heard and not learned from (a warm-up trial),
    since what it follows is a silence.
    """

    stimulus_duration: Milliseconds = parameter("50 ms", "length of a stimulus", ge=1)
    lead: Milliseconds | None = parameter(
        None,
        "time from the beginning of a trial's clock to its stimulus; none: as long as the shortest time between two "
        "onsets allows",
        ge=1,
    )
    after: Milliseconds = parameter(
        "1 ms",
        "time from the onset of a stimulus to the end of the window; if longer, readouts see the answer to the "
        "stimulus beside what was expected of it",
        ge=1,
    )
    event_width: Milliseconds = parameter(
        "40 ms", "standard deviation of the bump that stands for an event", symbol="sigma", ge=1
    )
    omission_every: int = parameter(
        10, "training trials of a block between two omissions, and before the first; 0: none is left out", ge=0
    )
    warm_up: int = parameter(
        5, "stimuli without learning after the very first, in which the network settles", ge=0, le=MOST
    )

    @model_validator(mode="after")
    def _whole(self) -> Stream:
        names = ("stimulus_duration", "lead", "after")
        if found := [each for name in names for each in whole_milliseconds(getattr(self, name), name)]:
            raise ConfigurationError(found)
        return self

    def lead_for(self, shortest: int, where: str = "") -> int:
        """Return how long before its stimulus a trial's clock begins, whole ms.

        Parameters
        ----------
        shortest : int
            Shortest time between two onsets, whole ms.
        where : str
            File and line where it is.

        Raises
        ------
        ConfigurationError
            If the window does not fit between two stimuli.
        """
        most = shortest - round(self.after) - 1
        found = most if self.lead is None else round(self.lead)
        if not 1 <= found <= most:
            problem = f"{found} ms before" if self.lead is not None else "a window"
            raise ConfigurationError(
                f"{problem} and {self.after:g} ms after a stimulus (after) do not fit between two onsets, which are as "
                f"little as {shortest} ms apart{f' ({where})' if where else ''}",
                "lead" if self.lead is not None else "after",
            )
        return found

    def lay_out(
        self,
        stimuli: Sequence[Stimulus],
        omitted: Callable[[], int],
        outcomes: Callable[[int, str], Iterable[tuple[str, float]]],
        *,
        shortest: int,
        names: tuple[str, ...],
        events: tuple[str, ...],
        variant: str = "",
        notes: tuple[str, ...] = (),
    ) -> Experiment:
        """Make the experiment: a trial a stimulus, the very first excepted, which nothing comes before.

        Parameters
        ----------
        stimuli : sequence of Stimulus
            In order; the first `warm_up` after the very first are warm-up trials.
        omitted : callable
            Returns the time (whole ms) from the stimulus before to where one that is left out would have begun.
        outcomes : callable
            ``outcomes(block, before)`` returns name and probability of what may follow a stimulus.
        shortest : int
            Shortest time between two onsets that there may be, whole ms.
        names : tuple of str
            All stimuli, each of which has an input channel.
        events : tuple of str
            Those that may come.
        variant : str
        notes : tuple of str
        """
        lead = self.lead_for(shortest)
        span, width = lead + round(self.after), round(self.stimulus_duration)
        rows: list[tuple[object, ...]] = []
        heard = [(REST, stimuli[0].name)]
        now, done, block, silent = REST, 0, -1, False

        def trial(kind: str, each: Stimulus, event: str, learn: bool) -> None:
            latency, response = (lead / 1e3, each.response_time) if event else (np.nan, np.nan)
            rows.append(((now - lead) / 1e3, event, latency, each.block, kind, learn, heard[-1][1], response))

        for number, each in enumerate(stimuli[1:]):
            done = done if each.block == block else 0
            block = each.block
            now += each.wait
            learn = each.learn and number >= self.warm_up and not silent
            trial("train" if learn else "warm-up", each, each.name if learn else "", learn)
            heard.append((now, each.name))
            done, silent = done + learn, False
            if learn and self.omission_every and done % self.omission_every == 0:
                now += omitted()
                trial("probe", each, "", False)
                silent = True
        columns = ["cue", "event", "latency", "block", "kind", "learn", "cue_name", "response_time"]
        trials = pd.DataFrame(rows, columns=columns)
        trials["onset"] = trials["cue"]
        # the last goes on until all that is heard has ended
        end = max(trials["cue"].iloc[-1] + (span + 1) / 1e3, (heard[-1][0] + width) / 1e3)
        trials["duration"] = np.diff(trials["cue"], append=end)
        if trials["response_time"].isna().all():
            trials = trials.drop(columns="response_time")
        known = set(trials.loc[trials["kind"] != "warm-up", ["block", "cue_name"]].itertuples(index=False, name=None))
        table = [
            (number, event, lead / 1e3, chance, before)
            for number in range(block + 1)
            for before in names
            if (number, before) in known
            for event, chance in outcomes(number, before)
        ]
        return Experiment(
            paradigm=self.type,  # type: ignore[attr-defined]
            variant=variant,
            events=events,
            trials=trials,
            outcomes=pd.DataFrame(table, columns=["block", "event", "latency", "probability", "cue_name"]),
            window=span / 1e3,
            event_width=self.event_width / 1e3,
            cue_duration=width / 1e3,
            notes=notes,
            cues=names,
            inputs=pd.DataFrame({"onset": [at / 1e3 for at, _ in heard], "channel": [name for _, name in heard],
                                 "duration": width / 1e3, "strength": 1.0}),
        )  # fmt: skip


class TimedStream(Stream):
    """A stream whose onsets are drawn."""

    asynchrony: Milliseconds = parameter("500 ms", "time from the onset of a stimulus to the next", symbol="SOA", ge=3)
    jitter: Milliseconds = parameter(
        "0 ms", "each such time is drawn evenly from asynchrony - jitter to asynchrony + jitter", ge=0
    )

    @model_validator(mode="after")
    def _fits(self) -> TimedStream:
        names = ("asynchrony", "jitter")
        if found := [each for name in names for each in whole_milliseconds(getattr(self, name), name)]:
            raise ConfigurationError(found)
        if self.draws_onsets():
            self.check_shortest(self.shortest())
        return self

    def draws_onsets(self) -> bool:
        """Return whether onsets are drawn, rather than those of files."""
        return True

    def check_shortest(self, shortest: int, where: str = "") -> None:
        """Refuse a window or a stimulus for which two onsets are too close; see `lead_for`."""
        self.lead_for(shortest, where)
        if self.stimulus_duration >= shortest:
            at = f" ({where})" if where else ""
            problem = f"{self.stimulus_duration:g} ms outlast the {shortest} ms to the next stimulus{at}"
            raise ConfigurationError(problem, "stimulus_duration")

    def shortest(self) -> int:
        """Return the shortest time between two onsets, whole ms."""
        return round(self.asynchrony - self.jitter)

    def check_room(self, trials: int) -> None:
        """Refuse more stimuli than memory holds, before any is drawn; see `check_size`."""
        check_size(trials, trials * self.asynchrony / 1e3)

    def wait(self, rng: np.random.Generator) -> int:
        """Draw the time between two onsets, whole ms."""
        base, jitter = round(self.asynchrony), round(self.jitter)
        return base + (int(rng.integers(-jitter, jitter + 1)) if jitter else 0)


def row_complaints(row: dict[str, float], place: str) -> list[Complaint]:
    """Return what is wrong with the probabilities of what may come: they sum to 1."""
    total = sum(row.values())
    return [] if abs(total - 1) <= 1e-9 else [Complaint(place, f"must sum to 1, the sum is {total:.10g}")]
