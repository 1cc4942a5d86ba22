"""What a neuromodulator is: kinetics of a level, and a Brian2 expression of what is released in each readout step.

The expression `release` and the statements `update` read these names, and every number of the declaration by its own.
In a step `update` runs first, then `release` is read, and then the level moves:

====================  ========================================================================================
``reward``            reward of the trial's event, in the one step of the event, else 0
``at_event``          1 in the step of the trial's event, whichever it is, else 0
``at_cue``            1 in the step of the cue, else 0
``in_window``         1 inside the window after the cue, else 0
``since_event``       time from the trial's event, negative before it
``elapsed(t)``        time from the cue; also ``latency(t)``, ``event(t)``, ``learn(t)``, ``block(t)`` of the task
``level``             the level of the step before
a name in `sums`      a sum over the channels of a readout, of the same step
a name in `counts`    how many of some cells fired since the step before
``spiked``            how many of `cells` did
``chance(t)``         a number between 0 and 1, drawn anew for each step: rewards that come at random
a name of one's own   declared in `equations`, renewed by `update`
====================  ========================================================================================

In step n, with what was released `delay` before (R), the spikes of `cells` among it, the level c moves as::

    pool(n) = pool(n-1)*exp(-dt/tau_rise) + R(n)
    c(n)    = tonic + (c(n-1) - tonic)*exp(-dt/tau_decay) + (1 - exp(-dt/tau_rise))*pool(n)

or, without a rise, by ``+ R(n)`` in the last term. So what is released raises the level by as much in all, and one
release of size 1 leaves (1 - a)*(b**(n+1) - a**(n+1))/(b - a) after n steps, a = exp(-dt/tau_rise),
b = exp(-dt/tau_decay): a difference of exponentials. Within a step, readouts are read and learn first; who listens
hears the level of the step before.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import Field, field_validator, model_validator

from izhires.building.parts import Group, Link, Monitor, Pathway, Reaction, Signal, Update
from izhires.declare import Component, Declaration, Milliseconds, parameter, refuse_earlier
from izhires.errors import ConfigurationError, check_known
from izhires.readouts.base import MOMENTS, RecordedVariable
from izhires.rules.base import EARLIER_NAMES

if TYPE_CHECKING:
    from izhires.building.draft import Draft
    from izhires.model.model import Model
    from izhires.recordings.recording import Results

EQUATIONS = (
    MOMENTS
    + """at_cue = int(abs(elapsed(t)) < dt/2) : 1
at_event = int(event(t) > -0.5)*int(abs(since_event) < dt/2) : 1
reward = {reward} : 1
released : 1
pool : 1
level : 1
window : second (shared, constant)
"""
)

SLOW = """
pool = pool*exp(-dt/tau_rise) + {arrived}
level = tonic + (level - tonic)*exp(-dt/tau_decay) + (1 - exp(-dt/tau_rise))*pool
"""
FAST = """
pool = {arrived}
level = tonic + (level - tonic)*exp(-dt/tau_decay) + pool
"""

LINE = """
held : 1
released : 1 (linked)
arriving = int(place == timestep(t, dt) % places) : 1
place : integer (constant)
places : integer (shared, constant)
"""
"""What was released and has not arrived yet: one place for each step of the delay, in turn read and filled anew."""

TAKEN = ("since_event", "in_window", "at_cue", "at_event", "reward", "released", "arrived", "pool", "level", "window",
         "spiked", "chance")  # fmt: skip


class Sum(Declaration):
    """What a neuromodulator hears of a readout: a sum over its channels."""

    of: str = parameter(..., "the readout", source="by choice")
    summand: str = parameter("z", "what each channel adds, as a Brian2 expression of its names", source="by choice")
    rewarded: bool = parameter(False, "whether each channel counts as much as its event is worth", source="by choice")

    @model_validator(mode="after")
    def _present(self) -> Sum:
        refuse_earlier(self.summand, EARLIER_NAMES, "summand")
        return self


class Count(Declaration):
    """What a neuromodulator hears of cells: how many of them fired since the step before."""

    of: str = parameter(..., "the population", source="by choice")
    members: tuple[Annotated[int, Field(ge=0)], ...] = parameter(
        (), "which of its cells, by number; all when none is named", source="by choice"
    )


class Neuromodulator(Component):
    """The level of a substance, to which gates, rules and plastic synapses listen by its name; see the module."""

    family: ClassVar[str] = "neuromodulator"
    package: ClassVar[str] = "izhires.neuromodulators"
    source: ClassVar[str] = ""

    reward: dict[str, float] = parameter(
        {}, "what each event is worth, by name; a list of names is worth 1 each; none: each event 1", source="by choice"
    )
    release: str = parameter("reward", "what is released in each readout step, as a Brian2 expression")
    tau_rise: Milliseconds = parameter("0 ms", "how fast what was released reaches the cells; 0: at once", ge=0)
    tau_decay: Milliseconds = parameter(
        "200 ms", "decay of the level", source="Izhikevich (2007), doi 10.1093/cercor/bhl152", gt=0
    )
    tonic: float = parameter(0.0, "level without a release")
    lowest: float | None = parameter(None, "smallest level, 'none' for none: 0 where a level is an amount")
    delay: Milliseconds = parameter("0 ms", "time from the release until it begins to arrive", ge=0)
    reaches: tuple[str, ...] = parameter((), "populations that it reaches; all when none is named", source="by choice")
    sums: dict[str, Sum] = parameter({}, "what is heard of readouts, by name", source="by choice")
    counts: dict[str, Count] = parameter({}, "what is heard of cells, by name", source="by choice")
    cells: str = parameter("", "population whose spikes release it, too; none when empty", source="by choice")
    per_spike: float = parameter(0.0, "what the spike of one cell releases", source="by choice")
    equations: str = parameter("", "further variables, as Brian2 equations", source="by choice")
    update: str = parameter("", "what renews these every readout step, as Brian2 statements", source="by choice")

    @field_validator("reward", mode="before")
    @classmethod
    def _worth_one(cls, given: Any) -> Any:
        names = [given] if isinstance(given, str) else given
        return dict.fromkeys(names, 1.0) if isinstance(names, (list, tuple)) else names

    @field_validator("reaches", mode="before")
    @classmethod
    def _several(cls, given: Any) -> Any:
        return [given] if isinstance(given, str) else given

    @model_validator(mode="after")
    def _fits(self) -> Neuromodulator:
        if self.per_spike and not self.cells:
            raise ConfigurationError("name the population whose spikes release it", "cells")
        if self.tau_rise and self.tau_rise == self.tau_decay:
            raise ConfigurationError(f"must differ from tau_decay, {self.tau_decay:g} ms", "tau_rise")
        if self.lowest is not None and self.lowest > self.tonic:
            raise ConfigurationError(f"must be at most the tonic level, {self.tonic:g}, got {self.lowest:g}", "lowest")
        for field in ("sums", "counts"):
            for name in getattr(self, field):
                known = name in TAKEN or name in type(self).model_fields or (field == "counts" and name in self.sums)
                if not name.isidentifier() or known:
                    raise ConfigurationError(f"{name!r} cannot be a name here; give another", field)
        return self

    def heard(self, model: Model) -> dict[str, Sum]:
        """Return all that is heard of readouts, by the name that the texts know it by."""
        return self.sums

    def check(self, name: str, model: Model) -> None:
        """Refuse readouts and populations that do not exist."""
        place, readouts, populations = f"neuromodulators.{name}", model.all_readouts(), model.all_populations()
        for key, each in self.sums.items():
            check_known(each.of, readouts, "readout", f"{place}.sums.{key}.of")
        for reached in self.reaches:
            check_known(reached, populations, "population", f"{place}.reaches")
        if self.cells:
            check_known(self.cells, populations, "population", f"{place}.cells")
        for key, count in self.counts.items():
            check_known(count.of, populations, "population", f"{place}.counts.{key}.of")
            if count.members and max(count.members) >= (size := populations[count.of].n):
                problem = f"{count.of!r} has the cells 0 to {size - 1}, got {max(count.members)}"
                raise ConfigurationError(problem, f"{place}.counts.{key}.members")

    def worth(self, draft: Draft, name: str) -> np.ndarray:
        """Return what each event of the task is worth.

        Raises
        ------
        ConfigurationError
            If the task has no event of a name in `reward`.
        """
        events = draft.experiment.events
        for each in self.reward:
            check_known(each, events, "event", f"neuromodulators.{name}.reward")
        return np.array([self.reward.get(event, 0.0) if self.reward else 1.0 for event in events])

    def counted(self) -> dict[str, Count]:
        """Return all that is heard of cells, by the name that the texts know it by."""
        return {**self.counts, **({"spiked": Count(of=self.cells)} if self.cells else {})}

    def parts(self, draft: Draft, name: str) -> None:
        """Add the level."""
        lines, numbers = draft.constants(self)
        worth = {f"worth_{k}": float(value) for k, value in enumerate(self.worth(draft, name))}
        reward = " + ".join(f"worth_{k}*int(abs(event(t) - {k}) < 0.5)" for k in range(len(worth)))
        equations = EQUATIONS.format(reward=f"at_event*({reward})") + f"{self.equations.strip()}\n{lines}"
        equations += "".join(f"{each} : 1 (shared, constant)\n" for each in worth)
        equations += "".join(f"{key} : 1\n" for key in self.heard(draft.model))
        equations += "".join(f"{key} : 1 (linked)\n" for key in self.counted())
        released = f"({self.release}) + per_spike*spiked" if self.cells else self.release
        release = f"{self.update.rstrip()}\nreleased = {released}\n"
        equations, release = (self._with_chance(draft, name, text) for text in (equations, release))
        level = (SLOW if self.tau_rise else FAST).format(arrived="arrived" if self.delay else "released")
        if self.lowest is not None:
            level += "level = clip(level, lowest, inf)\n"
        if self.delay:
            equations += "arrived : 1\n"
        links, window = {}, draft.experiment.window
        for key in self.counted():
            counter = f"{name}_{key}"
            links[key] = Link(counter, "spiked", "network")
            draft.add(Group(counter, 1, "spiked : 1", step="cells"))
            draft.add(Update(f"{counter}_anew", counter, "spiked = 0", "spikes counted"))
        draft.add(Group(name, 1, equations, links=links), **numbers, **worth, window=window, level=float(self.tonic))
        if self.delay:
            draft.add(Update(f"{name}_release", name, release, "released"))
            self._add_line(draft, name)
            draft.add(Update(f"{name}_update", name, level, "neuromodulators"))
        else:
            draft.add(Update(f"{name}_update", name, release + level, "neuromodulators"))
        draft.add(Monitor(f"{name}_level", name, ("level",)))

    def _with_chance(self, draft: Draft, name: str, text: str) -> str:
        """Add the random numbers of each step where a text reads them; return it with their name."""
        own = f"{name}_chance"
        text, found = re.subn(r"\bchance(?=\s*\()", own, text)
        if found and own not in draft.parts:
            draft.add(Signal(own))
            draft.arrays[f"signals.{own}"] = draft.seeds.generator("exploration", name).random(draft.steps)
        return text

    def _add_line(self, draft: Draft, name: str) -> None:
        """Add what holds back what was released, for as many steps as the delay has."""
        size, line = draft.whole_steps(self.delay, f"neuromodulators.{name}.delay"), f"{name}_delay"
        link = Link(name, "released", "network")
        draft.add(Group(line, size, LINE, links={"released": link}), place=np.arange(size, dtype=np.int32), places=size)
        draft.add(
            Pathway(
                f"{line}_arrived",
                line,
                name,
                "arrived_post = held_pre*arriving_pre : 1 (summed)",
                "all by target",
                sums={"arrived_post": "arrived"},
            )
        )
        draft.add(Update(f"{line}_held", line, "held = held*(1 - arriving) + released*arriving", "held back"))

    def connected(self, draft: Draft, name: str) -> None:
        """Add what it hears of readouts and cells, when these are there."""
        for key, each in self.heard(draft.model).items():
            own = f"{name}_{key}_summand"
            draft.extend(each.of, f"{own} = {each.summand} : 1\n")
            equations, numbers = f"{key}_post = {own}_pre : 1 (summed)", {}
            if each.rewarded:
                numbers["worth"] = self.worth(draft, name)
                if draft.length(each.of) != draft.channels:
                    raise ConfigurationError(f"{each.of!r} has not one channel an event", f"neuromodulators.{name}")
                equations = f"worth : 1 (constant)\n{key}_post = worth*{own}_pre : 1 (summed)"
            sums = {f"{key}_post": "heard"}
            draft.add(Pathway(f"{name}_{key}", each.of, name, equations, "all by target", sums=sums), **numbers)
        for key, count in self.counted().items():
            counter, equations, code, numbers = f"{name}_{key}", "", "spiked_post += 1", {}
            if count.members:
                equations, code = "heard : 1 (constant)", "spiked_post += heard"
                numbers["heard"] = np.isin(np.arange(draft.length(count.of)), count.members).astype(float)
            spikes = {"pre": Reaction(code, "pre", "traces before")}
            draft.add(
                Pathway(
                    f"{counter}_spikes", count.of, counter, equations, "all by target", step="cells", reactions=spikes
                ),
                **numbers,
            )

    def variables(self, results: Results, name: str) -> dict[str, RecordedVariable]:
        """Return what a recording keeps: the level in the window of each probe."""
        values = results.in_probes(f"{name}_level.level")[:, 0]
        return {
            f"{name}_level": RecordedVariable(
                ("probe", "time"), values, "1", f"level of {name} over the probe's window"
            )
        }
