"""What a readout is: channels that read the state of the cells through weights, which a rule changes."""

from __future__ import annotations

import abc
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from izhires.declare import Component, Declaration, parameter
from izhires.errors import ConfigurationError
from izhires.gates.base import Gate
from izhires.rules.base import Rule

if TYPE_CHECKING:
    from izhires.building.draft import Draft
    from izhires.recordings.recording import Results

IN_WINDOW = "in_window = int(elapsed(t) > -dt/2)*int(elapsed(t) < window - dt/2) : 1\n"
MOMENTS = f"since_event = elapsed(t) - latency(t) : second\n{IN_WINDOW}"
"""Where a step lies in its trial; the group has ``window``."""

MOMENTS_OF_EACH = f"since_event = elapsed(t) - {{latency}}(t, i) : second\n{IN_WINDOW}"
"""The same, for a channel whose event has a latency of its own."""

TASK = """
learning = learn(t)*int(block(t) < learning_blocks - 0.5) : 1
channel : integer (constant)
learning_blocks : 1 (shared, constant)
outcome = {outcome} : 1
"""
"""What a channel knows of the task; ``outcome`` is 1 in trials that hold its event. Signals of the experiment:
``elapsed`` (time since the cue), ``latency``, ``event`` (index of the trial's event, -1 without one), ``learn`` and
``block`` (from 0), one value a readout step."""

EVERY_BLOCK = 1e9
"""More blocks than any experiment has."""


@dataclass(frozen=True)
class RecordedVariable:
    """One variable of a recording that a readout leaves.

    Parameters
    ----------
    dims : tuple of str
    values : array
    unit, meaning : str
    """

    dims: tuple[str, ...]
    values: np.ndarray
    unit: str
    meaning: str


@dataclass(frozen=True)
class Watched:
    """An output of a run whose size tells whether a readout has diverged.

    Parameters
    ----------
    output : str
        ``monitor.variable``.
    meaning : str
        What it is, in words.
    limit : float
        The largest size that it may have.
    """

    output: str
    meaning: str
    limit: float = np.inf


class Readout(Component):
    """Channels, one for each event, that read the cells through weights; a rule changes these.

    Attributes
    ----------
    schedule : {"step", "trial"}
        The schedule of the rules that it takes.
    usual_name : str
        The name under which variables of its own in every recording (`izhires.recordings.schema`) are those of it.
    """

    family: ClassVar[str] = "readout"
    package: ClassVar[str] = "izhires.readouts"
    schedule: ClassVar[Literal["step", "trial"]]
    source: ClassVar[str] = ""
    usual_name: ClassVar[str] = ""

    learning_blocks: int | None = parameter(None, "learn in this many first blocks only; in all when 'none'", ge=0)

    def check_rule(self, rule: Rule) -> None:
        """Refuse a rule of the other schedule.

        Raises
        ------
        ConfigurationError
        """
        if rule.schedule == self.schedule:
            return
        fitting = [name for name, each in Rule.alternatives().items() if each.schedule == self.schedule]
        runs, learns = "runs online", "learns at the end of a trial"
        if self.schedule == "step":
            runs, learns = "runs at the end of a trial", "learns online"
        raise ConfigurationError(
            f"{rule.type!r} {runs}, this readout {learns}",  # type: ignore[attr-defined]
            "rule",
            fitting,
        )

    @abc.abstractmethod
    def parts(self, draft: Draft, name: str) -> None:
        """Add the parts of the readout, all of whose names begin with `name`."""

    def recorded(self, name: str) -> tuple[str, ...]:
        """Return the names of the variables that a recording keeps of the readout, see `variables`."""
        return name, f"{name}_weights", f"trial_{name}"

    def check_name(self, name: str) -> None:
        """Refuse a name under which something else would be recorded.

        Raises
        ------
        ConfigurationError
        """
        from izhires.recordings.schema import VARIABLES

        taken = [each for each in self.recorded(name) if each in VARIABLES]
        if taken and name != self.usual_name:
            problem = f"{name!r} cannot be a name here, since a recording's {taken[0]!r} is something else"
            raise ConfigurationError(f"{problem}; give another", "readouts")

    @abc.abstractmethod
    def variables(self, results: Results, name: str) -> dict[str, RecordedVariable]:
        """Return what a recording keeps of the readout, by the name of the variable there."""

    @abc.abstractmethod
    def output(self, results: Results, name: str) -> np.ndarray | None:
        """Return what the readout says in each probe, for the prediction: (probe, event) or (probe, event, time); None
        where a prediction is not made of it.
        """

    def watched(self, name: str) -> Iterator[Watched]:
        """Yield what may diverge, in the order in which one makes the other diverge."""
        yield from ()

    def task(self, draft: Draft, name: str, outcome: str = "{occurs}", kinds: int = 1) -> str:
        """Return the lines of what each channel knows of the task.

        Parameters
        ----------
        draft : Draft
        name : str
            Of the readout.
        outcome : str
            What it is taught, as a Brian2 expression of ``{occurs}``: 1 in trials that hold the channel's event.
        kinds : int
            Channels of each event: all events are there so many times, one after the other.
        """
        latencies = draft.experiment.latencies
        if latencies is None:
            return MOMENTS + TASK.format(outcome=outcome.format(occurs="int(abs(event(t) - channel) < 0.5)"))
        # readouts with one channel an event share what they hear
        own = f"{name}_" if kinds > 1 else ""
        draft.add_of_steps(f"{own}latency_of", np.tile(draft.latency_of, kinds), "second")
        draft.add_of_trials(f"{own}comes", np.tile(latencies.notna().to_numpy(), kinds))
        moments = MOMENTS_OF_EACH.format(latency=f"{own}latency_of")
        return moments + TASK.format(outcome=outcome.format(occurs=f"{own}comes(t, i)"))

    def listen(self, draft: Draft, name: str, *owners: Rule | Gate) -> None:
        """Have the channels know the levels of neuromodulators, by the names that some rule and gate give them.

        Raises
        ------
        ConfigurationError
            If two give the same name to different ones.
        """
        known: dict[str, str] = {}
        for owner in owners:
            for factor, neuromodulator in owner.factors().items():
                if known.get(factor, neuromodulator) != neuromodulator:
                    raise ConfigurationError(f"rule and gate both call a level {factor!r}; rename one", name)
                if factor not in known:
                    draft.extend(name, f"{factor} = {draft.level_at(name, neuromodulator)} : 1\n")
                known[factor] = neuromodulator

    def channel_numbers(
        self, draft: Draft, rule: Rule, shared: dict[str, tuple[str, float]], *others: Declaration
    ) -> tuple[str, dict[str, Any]]:
        """Return equation lines and numbers of the channels: parameters of the rule (and of a gate), shared constants,
        and where the variables of the rule begin.

        Raises
        ------
        ConfigurationError
            If the rule has a parameter that the readout has, too.
        """
        k = draft.channels
        lines, values = draft.constants(rule, *others)
        shared_lines, shared_values = draft.shared(**shared)
        shared_values["learning_blocks"] = EVERY_BLOCK if self.learning_blocks is None else float(self.learning_blocks)
        if clash := set(values) & set(shared_values):
            problem = f"parameter {clash.pop()!r} of {type(rule).__name__} has a name that the readout uses"
            raise ConfigurationError(problem)
        start = {
            variable: np.full(k, values[value] if isinstance(value, str) else value, float)
            for variable, value in rule.initial.items()
        }
        numbers = {**values, **shared_values, "channel": np.arange(k, dtype=np.int32), **start}
        return f"{rule.equations}\n{lines}{shared_lines}", numbers
