"""Ready, set, go: an interval is heard between two signals and is to be reproduced after the second."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from izhires.declare import Milliseconds, parameter
from izhires.errors import Complaint, ConfigurationError
from izhires.paradigms.base import MOST, FixedTrials
from izhires.paradigms.checks import name_problems
from izhires.paradigms.experiment import Experiment, check_size

PAPER = "Jazayeri & Shadlen (2010), doi 10.1038/nn.2590"

READY, SET, GO = "ready", "set", "go"
"""The two input channels, and the event."""

_STEPS = (494, 529, 565, 600, 635, 671, 706, 741, 776, 812, 847, 882, 918, 953, 988, 1023, 1059, 1094, 1129, 1165, 1200)
"""Sample intervals (ms): the ends of the three priors are published, the values in between evenly spaced."""

PRIORS = {
    name: tuple(f"{each} ms" for each in _STEPS[first : first + 11])
    for name, first in (("short", 0), ("intermediate", 5), ("long", 10))
}


class IntervalReproduction(FixedTrials):
    """Ready, set, go: the event follows the second of two signals as late as that followed the first.

    The zero of a trial's clock is set. Ready comes one sample interval before it, and the event, go, one after it; the
    interval is drawn from a prior, with equal probability for each of its values. Each prior is a variant. A probe has
    ready and set, and no go; its ``cue_name`` is the sample interval, such as ``"494 ms"``, while the network hears
    nothing but the two signals.
    """

    source: ClassVar[str] = f"{PAPER}; in monkeys Jazayeri & Shadlen (2015), doi 10.1016/j.cub.2015.08.038"

    type: Literal["interval_reproduction"] = "interval_reproduction"
    trial_duration: Milliseconds = parameter("3000 ms", "length of a trial", gt=0)
    cue_onset: Milliseconds = parameter("200 ms", "time from the start of a trial to ready", ge=0)
    window: Milliseconds = parameter("1500 ms", "time after set in which predictions are read", ge=1)
    cue_duration: Milliseconds = parameter("50 ms", "length of ready and of set", ge=1)
    priors: dict[str, tuple[Milliseconds, ...]] = parameter(
        PRIORS, "sample intervals of each prior, ascending, all equally probable; each prior is a variant", source=PAPER
    )
    held_out: tuple[Milliseconds, ...] = parameter(
        (), "sample intervals of the priors that no training trial has, only probes: are they reproduced all the same?"
    )
    trials: int = parameter(300, "number of training trials", ge=1, le=MOST)
    probes: tuple[Annotated[int, Field(ge=1)], ...] = parameter(
        (), "trials after which a round of probes follows, besides those before the first trial and after the last"
    )
    rounds: int = parameter(5, "rounds of probes after the last trial, each of one probe a sample interval", ge=1)
    order: Literal["independent", "exact"] = parameter(
        "independent", "each trial drawn on its own, or all sample intervals equally often, in random order"
    )

    @model_validator(mode="after")
    def _intervals_fit(self) -> IntervalReproduction:
        found = [] if self.priors else [Complaint("priors", "needs at least one prior, got none")]
        found += [Complaint("priors", problem) for problem in name_problems(self.priors, "a prior")]
        for name, intervals in self.priors.items():
            place = f"priors.{name}"
            if not intervals:
                found.append(Complaint(place, "needs at least one sample interval, got none"))
            places = [(f"{place}[{k}]", each) for k, each in enumerate(intervals)]
            found += self.latency_complaints(places)
            for k, (where, each) in enumerate(places):
                last = self.cue_onset + each + self.window
                if k and each <= intervals[k - 1]:
                    problem = f"sample intervals ascend, got {each:g} ms after {intervals[k - 1]:g} ms"
                    found.append(Complaint(where, problem))
                elif each < self.cue_duration:
                    problem = f"{each:g} ms is shorter than ready itself, {self.cue_duration:g} ms"
                    found.append(Complaint(where, problem))
                elif last >= self.trial_duration:
                    problem = (
                        f"{self.trial_duration:g} ms is too short: trials would overlap, since cue_onset "
                        f"{self.cue_onset:g} ms + {where} {each:g} ms + window {self.window:g} ms = {last:g} ms"
                    )
                    found.append(Complaint("trial_duration", problem))
                    break
        known = sorted({each for intervals in self.priors.values() for each in intervals})
        for k, each in enumerate(self.held_out):
            if each not in known:
                choices = tuple(f"{one:g} ms" for one in known)
                found.append(Complaint(f"held_out[{k}]", f"{each:g} ms is a sample interval of no prior", choices))
        for name, intervals in self.priors.items():
            if intervals and not set(intervals) - set(self.held_out):
                found.append(Complaint("held_out", f"leaves no sample interval of the prior {name!r} to train with"))
        found += [
            Complaint(f"probes[{k}]", f"{count} is beyond the {self.trials} training trials")
            for k, count in enumerate(self.probes)
            if count > self.trials
        ]
        if found:
            raise ConfigurationError(found)
        return self

    def variants(self) -> tuple[str, ...]:
        """Return the names of the priors."""
        return tuple(self.priors)

    def experiment(self, rng: np.random.Generator, variant: str = "") -> Experiment:
        """Draw the sample intervals of one prior, and the order of each round of probes; see `Paradigm.experiment`."""
        self.check_variant(variant)
        self.check_generator(rng)
        intervals = self.priors[variant]
        n, probed = len(intervals), [0, *sorted({*self.probes} - {self.trials}), *[self.trials] * self.rounds]
        many = self.warm_up + self.trials + n * len(probed)
        check_size(many, many * self.trial_duration / 1e3)
        taught = np.flatnonzero(~np.isin(intervals, self.held_out))
        if self.order == "independent":
            drawn = taught[rng.integers(len(taught), size=self.trials)]
        else:
            drawn = rng.permutation(np.resize(taught, self.trials))
        rows = [(int(taught[k % len(taught)]), "warm-up") for k in range(self.warm_up)]
        for done in range(self.trials + 1):
            rows += [(int(drawn[done - 1]), "train")] * (done > 0)
            for _ in range(probed.count(done)):
                rows += [(int(k), "probe") for k in rng.permutation(n)]
        which, kinds = (list(each) for each in zip(*rows, strict=True))
        names = tuple(f"{each:.0f} ms" for each in intervals)
        sample = np.array(intervals)[which] / 1e3
        onset = np.arange(len(rows)) * self.trial_duration / 1e3
        ready = onset + self.cue_onset / 1e3
        train = np.array(kinds) == "train"
        trials = pd.DataFrame(
            {
                "onset": onset,
                "duration": self.trial_duration / 1e3,
                "cue": ready + sample,
                "event": np.where(train, GO, ""),
                "latency": np.where(train, sample, np.nan),
                "block": 0,
                "kind": kinds,
                "learn": train,
                "cue_name": [names[k] for k in which],
            }
        )
        outcomes = pd.DataFrame(
            {"block": 0, "event": GO, "latency": np.array(intervals) / 1e3, "probability": 1.0, "cue_name": names}
        )
        inputs = pd.DataFrame(
            {
                "onset": np.column_stack([ready, ready + sample]).ravel(),
                "channel": [READY, SET] * len(rows),
                "duration": self.cue_duration / 1e3,
            }
        )
        return Experiment(
            paradigm=self.type,
            variant=variant,
            events=(GO,),
            trials=trials,
            outcomes=outcomes,
            window=self.window / 1e3,
            event_width=self.event_width / 1e3,
            cue_duration=self.cue_duration / 1e3,
            cues=names,
            inputs=inputs,
        )
