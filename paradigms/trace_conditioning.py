"""Trace conditioning: a stimulus, a gap, a reward with some probability; extinction, blocking, degradation.

Each cue is one conditioned stimulus (CS), several at once (a compound), or none, and is followed by the unconditioned
stimulus (US), the one event of the task, with a probability of its own in each phase.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from izhires.declare import Declaration, Milliseconds, parameter
from izhires.errors import Complaint, ConfigurationError
from izhires.paradigms.base import MOST, FixedTrials, whole_milliseconds
from izhires.paradigms.checks import name_problems
from izhires.paradigms.experiment import Experiment, check_size
from izhires.paradigms.meet import Block, draw

SCHULTZ = "Schultz, Dayan & Montague (1997), doi 10.1126/science.275.5306.1593"
FIORILLO = "Fiorillo, Tobler & Schultz (2003), doi 10.1126/science.1077349"
WAELTI = "Waelti, Dickinson & Schultz (2001), doi 10.1038/35083500"
RESCORLA = "Rescorla (1968), doi 10.1037/h0025984"

CONTEXT = "context"
"""The input channel that is on in all trials, with `TraceConditioning.context`."""


class Phase(Declaration):
    """Trials with the same probability of the US after each cue."""

    name: str = parameter(..., "what the phase is called", source="by choice", min_length=1)
    trials: int = parameter(300, "number of training trials, of all cues together", ge=1, le=MOST)
    probability: dict[str, Annotated[float, Field(ge=0, le=1)]] = parameter(
        ..., "probability of the US after each cue, by the cue's name", source="by choice"
    )
    share: dict[str, Annotated[float, Field(gt=0)]] = parameter(
        {}, "how often a cue comes, relative to the others of the phase; 1 where it is not named", source="by choice"
    )
    tests: tuple[str, ...] = parameter((), "cues that are tested after the phase; none: its own", source="by choice")

    @model_validator(mode="after")
    def _names_fit(self) -> Phase:
        found = [] if self.probability else [Complaint("probability", "needs at least one cue, got none")]
        found += [Complaint("probability", problem) for problem in name_problems(self.probability, "a cue")]
        found += [
            Complaint("share", f"{name!r} is not a cue of the phase", tuple(self.probability))
            for name in self.share
            if name not in self.probability
        ]
        if found:
            raise ConfigurationError(found)
        return self

    def tested(self) -> tuple[str, ...]:
        """Return the cues of the probes after the phase."""
        return self.tests or tuple(self.probability)


DESIGNS = {
    "probability": (
        Phase(
            name="acquisition",
            trials=1000,
            probability={"CS0": 0.0, "CS25": 0.25, "CS50": 0.5, "CS75": 0.75, "CS100": 1.0},
        ),
    ),
    "extinction": (
        Phase(name="acquisition", probability={"CS+": 1.0, "CS-": 0.0}),
        Phase(name="extinction", probability={"CS+": 0.0, "CS-": 0.0}),
        Phase(name="reacquisition", probability={"CS+": 1.0, "CS-": 0.0}),
    ),
    "blocking": (
        Phase(name="element", probability={"A": 1.0, "B": 0.0}),
        Phase(name="compound", probability={"AX": 1.0, "BY": 1.0}, tests=("AX", "BY", "X", "Y")),
    ),
    "degradation": (
        Phase(name="acquisition", probability={"CS": 1.0, "no-CS": 0.0}),
        Phase(name="degradation", probability={"CS": 1.0, "no-CS": 1.0}),
    ),
    "maintenance": (
        Phase(name="acquisition", probability={"CS": 1.0, "no-CS": 0.0}),
        Phase(name="maintenance", probability={"CS": 1.0, "no-CS": 0.0}),
    ),
}
"""Probability as in Fiorillo et al. (2003), blocking as in Waelti et al. (2001): A has been paired with the reward, B
has not, then both are, with X and Y beside them; degradation as Rescorla (1968): rewards come as often without the CS.
Maintenance is its control, as many trials with nothing degraded. Numbers of trials are chosen here."""

STIMULI: dict[str, tuple[str, ...]] = {"AX": ("A", "X"), "BY": ("B", "Y"), "no-CS": ()}


class TraceConditioning(FixedTrials):
    """A CS, a gap, and a US with some probability; each design, a list of phases, is for a network of its own.

    The US is the event of the task: a reward, which neuromodulators and rules know of. The network does not hear it
    unless `us_heard`. Trials without a CS go on as the others do, and hold the US, if any, at the same time.
    """

    source: ClassVar[str] = f"{SCHULTZ}; probability: {FIORILLO}; blocking: {WAELTI}; contingency: {RESCORLA}"

    type: Literal["trace_conditioning"] = "trace_conditioning"
    designs: dict[str, tuple[Phase, ...]] = parameter(DESIGNS, "phases of each design, in order; each is a variant")
    stimuli: dict[str, tuple[str, ...]] = parameter(
        STIMULI, "what is heard at a cue that is not one stimulus of its own name: several at once, or none"
    )
    gap: Milliseconds = parameter("550 ms", "trace interval, from the end of the CS to the US", ge=0)
    us: str = parameter("reward", "name of the US", source="by choice", min_length=1)
    us_heard: bool = parameter(
        False,
        "whether the US is heard, as a pulse of cue_duration in the channel of its name: no, so that what the network "
        "does at its time, and where it is omitted, is what it learned, and not what it hears",
    )
    context: bool = parameter(
        False, f"whether an input channel, {CONTEXT!r}, is on all the time, so that the place has a value, too"
    )
    trial_duration: Milliseconds = parameter("2000 ms", "length of a trial", gt=0)
    cue_onset: Milliseconds = parameter("600 ms", "time from the start of a trial to its cue", ge=0)
    window: Milliseconds = parameter("900 ms", "time after the cue in which predictions are read", ge=1)
    probes: int = parameter(3, "cue-only trials of each tested cue after a phase, learning off", ge=0, le=MOST)
    order: Literal["exact", "independent"] = parameter(
        "exact", "the rounded count of each kind of trial in random order, or each trial drawn on its own"
    )

    @model_validator(mode="after")
    def _designs_fit(self) -> TraceConditioning:
        found = whole_milliseconds(self.gap, "gap")
        if not found and self.latency() >= self.window:
            found.append(
                Complaint("gap", f"cue_duration {self.cue_duration:g} ms + gap {self.gap:g} ms lies outside the window "
                                 f"of {self.window:g} ms after the cue")
            )  # fmt: skip
        found += [] if self.designs else [Complaint("designs", "needs at least one design, got none")]
        for name, phases in self.designs.items():
            # what a metric calls a variant is the design, a space, the cue
            if not name or any(letter.isspace() for letter in name):
                found.append(Complaint("designs", f"the name of a design is one word, got {name!r}"))
            if not phases:
                found.append(Complaint(f"designs.{name}", "needs at least one phase, got none"))
            taken = {self.us} if self.us_heard else set()
            taken |= {CONTEXT} if self.context else set()
            heard = {each for cue in self._cues(phases) for each in (cue, *self._stimuli(cue))}
            found += [Complaint(f"designs.{name}", f"{each!r} is the name of a channel of its own, not of a CS")
                      for each in sorted(taken & heard)]  # fmt: skip
        found += [Complaint("stimuli", problem) for each in self.stimuli.values() for problem in name_problems(each)]
        found += [Complaint(f"stimuli.{name}", "names a stimulus twice") for name, each in self.stimuli.items()
                  if len(set(each)) < len(each)]  # fmt: skip
        if found:
            raise ConfigurationError(found)
        return self

    def variants(self) -> tuple[str, ...]:
        """Return the names of the designs."""
        return tuple(self.designs)

    def latency(self) -> float:
        """Return the time from the onset of the CS to the US, ms."""
        return self.cue_duration + self.gap

    def _stimuli(self, cue: str) -> tuple[str, ...]:
        return self.stimuli.get(cue, (cue,))

    def _cues(self, phases: tuple[Phase, ...]) -> tuple[str, ...]:
        """Return the cues of a design: stimuli first, which have the first input channels, then compounds and none."""
        named = dict.fromkeys(name for phase in phases for name in (*phase.probability, *phase.tested()))
        own = [name for name in named if self._stimuli(name) == (name,)]
        return (*own, *(name for name in named if name not in own))

    def experiment(self, rng: np.random.Generator, variant: str = "") -> Experiment:
        """Draw the trials of every phase; see `Paradigm.experiment`. There is no design without a name."""
        self.check_variant(variant)
        self.check_generator(rng)
        phases = self.designs[variant]
        many = self.warm_up + sum(phase.trials + self.probes * len(phase.tested()) for phase in phases)
        check_size(many, many * self.trial_duration / 1e3)
        cues, rows = self._cues(phases), []
        first = tuple(phases[0].probability)
        rows += [(0, first[k % len(first)], "", np.nan, "warm-up") for k in range(self.warm_up)]
        for index, phase in enumerate(phases):
            for each in draw(self._block(phase), self.order, rng):
                event, latency = each.first
                rows.append((index, each.cue, event, latency / 1e3, "train"))
            rows += [(index, cue, "", np.nan, "probe") for _ in range(self.probes) for cue in phase.tested()]
        trials = pd.DataFrame(rows, columns=["block", "cue_name", "event", "latency", "kind"])
        trials["onset"] = np.arange(len(trials)) * self.trial_duration / 1e3
        trials["duration"] = self.trial_duration / 1e3
        trials["cue"] = trials["onset"] + self.cue_onset / 1e3
        trials["learn"] = trials["kind"] == "train"
        outcomes = [
            (index, self.us, self.latency() / 1e3, chance, cue)
            for index, phase in enumerate(phases)
            for cue, chance in phase.probability.items()
        ]
        return Experiment(
            paradigm=self.type,
            variant=variant,
            events=(self.us,),
            trials=trials,
            outcomes=pd.DataFrame(outcomes, columns=["block", "event", "latency", "probability", "cue_name"]),
            window=self.window / 1e3,
            event_width=self.event_width / 1e3,
            cue_duration=self.cue_duration / 1e3,
            cues=cues,
            inputs=self._inputs(trials),
        )

    def _block(self, phase: Phase) -> Block:
        """Return a phase as a block of `izhires.paradigms.meet`."""
        latency = {self.us: f"{self.latency()!r} ms"}

        def cue(name: str, chance: float) -> Mapping[str, Any]:
            share = phase.share.get(name, 1.0)
            return {"latency": latency, "probability": {self.us: chance}, "omission": 1 - chance, "share": share}

        cues = {name: cue(name, chance) for name, chance in phase.probability.items()}
        return Block.parse({"name": phase.name, "trials": phase.trials, "cues": cues})

    def _inputs(self, trials: pd.DataFrame) -> pd.DataFrame:
        """Return the pulses: the stimuli of each trial's cue, then US and context where they are heard."""
        pulse = self.cue_duration / 1e3
        rows = [
            (onset, stimulus, pulse)
            for onset, cue in zip(trials["cue"], trials["cue_name"], strict=True)
            for stimulus in self._stimuli(cue)
        ]
        if self.us_heard:
            given = trials[trials["event"] != ""]
            rows += [(onset, self.us, pulse) for onset in given["cue"] + given["latency"]]
        if self.context:
            rows.append((0.0, CONTEXT, len(trials) * self.trial_duration / 1e3))
        return pd.DataFrame(rows, columns=["onset", "channel", "duration"])
