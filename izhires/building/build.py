"""From a plan to one Brian2 network, the same for every device: one Brian2 object for each part, of the same name."""

from __future__ import annotations

import re
import types
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import singledispatchmethod
from typing import Any, ClassVar

import brian2 as b2
import numpy as np
from brian2.core.base import BrianObjectException
from brian2.units.fundamentalunits import DIMENSIONLESS, get_unit

from izhires.building.parts import KINDS, SCHEDULE, Extension, Group, Guard, Monitor, Part, Pathway, Signal, Update
from izhires.building.plan import INDICES, Plan
from izhires.errors import ConfigurationError, closest


class LongClock(b2.Clock):  # type: ignore[misc]  # of which no types are known
    """A clock of many steps of another.

    Brian2 takes the end of a run for reached where less than 1e-4 of a step is missing. Of a step of ten seconds that
    is a whole step of the others, in which its runtime then ends the run or fails. Here it is 1e-4 of theirs.
    """

    dt = b2.Clock.dt  # which Brian2 looks for in the class itself

    def __init__(self, dt: b2.Quantity, many: int, name: str) -> None:
        self._slack = b2.Clock.epsilon_dt / many
        super().__init__(dt, name=name)

    def _calc_timestep(self, target_t: float) -> np.int64:
        """Return the first step that is not before a time, s."""
        return np.int64(np.ceil(float(target_t) / self.dt_ - self._slack))


class Additions:
    """What a device needs or adds beyond plain Brian2; this one adds nothing."""

    own_noise: ClassVar[bool] = False
    """Whether `cells` draws the numbers ``gaussian`` that take the place of Brian2's ``xi``."""

    def clock(self, step: float) -> b2.Clock:
        """Return the clock of the cells."""
        return b2.Clock(step * b2.second, name="cell_clock")

    def carrying(self, *names: str) -> AbstractContextManager[None]:
        """Enclose what hands over the numbers of these names, in this order."""
        return nullcontext()

    python: ClassVar[bool] = True
    """Whether Python is there while the network runs."""

    def numbers_come_later(self, variables: list[Any]) -> None:
        """Let nobody read these variables yet: their numbers are known when the program runs."""

    def cells(self, cells: b2.NeuronGroup) -> None:
        """Take over noise, equations and threshold of cells."""

    def propagation(self, reaction: Any) -> None:
        """Take over a reaction whose hint is ``"sparse"``."""

    def dense_event(self, reaction: Any, rows: int) -> None:
        """Take over a reaction whose hint is ``"dense"``, of a pathway with `rows` targets in order."""

    def dense_sum(self, updater: Any, inner: str, rows: int, together: int = 1) -> None:
        """Take over a sum of a pathway whose hint is ``"dense"``, `rows` channels in order.

        The inner loop runs over the cells, which are ``pre`` or ``post``; `together` channels have the same cells.
        """

    def inverse(self, synapses: b2.Synapses, matrices: int) -> Any:
        """Return an object that takes over reading, resetting and updating `matrices` inverse correlations, or None."""
        return None


@dataclass
class Built:
    """A Brian2 network, with the names of what goes in and what comes out.

    Parameters
    ----------
    network : brian2.Network
    outputs : dict of str to brian2 variable
        Recorded variables, by ``monitor.variable``.
    parameters : dict of str to brian2 variable
        Variables of one value, by ``part.variable``.
    guards : list of Guard
    """

    network: b2.Network
    outputs: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    guards: list[Guard] = field(default_factory=list)


def build(plan: Plan, arrays: dict[str, np.ndarray], additions: Additions | None = None) -> Built:
    """Build the network of a plan with the numbers of one run.

    Parameters
    ----------
    plan : Plan
    arrays : dict of str to ndarray
        What `Plan.shapes` lists.
    additions : Additions, optional
        What the device adds.

    Raises
    ------
    ConfigurationError
        If Brian2 cannot read an equation of the plan.
    """
    builder = _Builder(plan, arrays, additions or Additions())
    for kind in KINDS.values():
        for part in plan.of(kind):
            for text in part.texts.values():
                if unseeded := _UNSEEDED.search(text):
                    problem = f"{unseeded[0]!r} does not follow the seed of a run; noise enters the cells as xi"
                    raise ConfigurationError(problem, part.name)
            with _naming(part.name):
                builder.make(part)
    return builder.built


class _Builder:
    """One Brian2 object for each part."""

    def __init__(self, plan: Plan, arrays: dict[str, np.ndarray], additions: Additions) -> None:
        self.plan, self.arrays, self.additions = plan, arrays, additions
        self.built = Built(b2.Network(name="network"))
        # what Brian2 chooses for groups without a threshold is not worth a line each
        b2.BrianLogger.suppress_name("method_choice")
        self.objects: dict[str, Any] = {}
        self.signals: dict[str, b2.TimedArray] = {}
        self.numbered: list[Any] = []  # variables that have numbers
        self.taken: set[str] = set()  # pathways whose sums and updates a device has taken over
        readout_clock = b2.Clock(plan.readout_step * b2.second, name="readout_clock")
        self.clocks: dict[tuple[str, int], b2.Clock] = {
            ("cells", 1): additions.clock(plan.cell_step),
            ("readout", 1): readout_clock,
        }

    def clock(self, step: str, every: int = 1) -> b2.Clock:
        """Return the clock of every so many steps; what has the same clock is done together."""
        if (step, every) not in self.clocks:
            dt = every * (self.plan.cell_step if step == "cells" else self.plan.readout_step)
            # not a number at the end: in single precision brian2cuda takes the 1500. of clock_1500.t for one
            self.clocks[step, every] = LongClock(dt * b2.second, every, f"{step}_clock_every_{every}_steps")
        return self.clocks[step, every]

    @singledispatchmethod
    def make(self, part: Part) -> None:
        """Make the Brian2 object of a part, and add it to the network."""
        raise TypeError(f"{type(part).__name__} is no kind of part")

    @make.register
    def _(self, part: Signal) -> None:
        unit = 1 if part.unit == "1" else b2.second
        values = self.arrays[f"signals.{part.name}"] * unit
        self.signals[part.name] = b2.TimedArray(
            values, dt=self.plan.readout_step * b2.second, name=f"{part.name}_signal"
        )

    @make.register
    def _(self, part: Group) -> None:
        equations, options = part.equations, {}
        if part.threshold:
            if self.additions.own_noise:  # for Euler, xi and a Gaussian number over sqrt(dt) are the same thing
                equations = re.sub(r"\bxi\b", "(gaussian/sqrt(dt))", equations)
                equations += "gaussian : 1\nnoise_seed : integer (shared, constant)\n"
            options = {"threshold": part.threshold, "reset": part.reset, "method": "euler"}
        group = self.objects[part.name] = b2.NeuronGroup(
            part.size * self.plan.replicates,
            equations,
            clock=self.clock(part.step),
            name=part.name,
            namespace=self.signals,
            events={name: event.condition for name, event in part.events.items()},
            **options,
        )
        if part.threshold:
            _at(group.state_updater, "cells")
            _at(group.thresholder["spike"], "spikes")
            self.additions.cells(group)
            _at(group.resetter["spike"], "reset")
        for name, event in part.events.items():
            group.set_event_schedule(name, *SCHEDULE[event.at])
        self.built.network.add(group)
        self.link(part)
        own_noise = part.threshold and self.additions.own_noise
        self.fill(part.name, {"noise_seed"} if not own_noise else set())

    def link(self, part: Group) -> None:
        """Link variables between a new group and those that are there by now."""
        for owner in self.plan.of(Group):
            for variable, link in owner.links.items():
                if part.name not in (owner.name, link.group) or not {owner.name, link.group} <= self.objects.keys():
                    continue
                given = f"{owner.name}.{link.index}"
                if link.index == "same":
                    index = None
                elif link.index == "network":
                    index = np.repeat(np.arange(self.plan.replicates), owner.size)
                else:
                    index = self.arrays[given].astype(int)
                source = self.objects[link.group]
                self.need(link.group, source, link.variable)
                linked = b2.linked_var(source, link.variable, index=index)
                with self.additions.carrying(given) if given in self.arrays else nullcontext():
                    setattr(self.objects[owner.name], variable, linked)

    @make.register
    def _(self, part: Pathway) -> None:
        on_event = {name: each.event for name, each in part.reactions.items()}
        on = {
            side: {name: each.code for name, each in part.reactions.items() if each.side == side}
            for side in ("pre", "post")
        }
        synapses = self.objects[part.name] = b2.Synapses(
            self.objects[part.source],
            self.objects[part.target],
            part.equations,
            on_pre=on["pre"] or None,
            on_post=on["post"] or None,
            on_event=on_event or "spike",
            name=part.name,
            clock=self.clock(part.step),
            namespace=self.signals,
        )
        rows = self.connect(part, synapses)
        for name, each in part.reactions.items():
            pathway = getattr(synapses, name)
            _at(pathway, each.at)
            if each.template == "sparse":
                self.additions.propagation(pathway)
            elif each.template == "dense":
                self.additions.dense_event(pathway, rows)
        for variable, at in part.sums.items():
            updater = synapses.summed_updaters[variable]
            _at(updater, at)
            if part.template == "dense":
                by_target = part.wiring == "all by target"
                source = self.plan.length(part.source)
                self.additions.dense_sum(updater, *(("pre", rows) if by_target else ("post", rows, source)))
        self.built.network.add(synapses)
        self.fill(part.name, set(INDICES))

    def connect(self, part: Pathway, synapses: b2.Synapses) -> int:
        """Connect; return the number of members of the outer side, in all networks."""
        many, sizes = self.plan.replicates, (self.plan.length(part.source), self.plan.length(part.target))
        if part.wiring == "listed":
            names = [f"{part.name}.{each}" for each in INDICES]
            with self.additions.carrying(*names):
                synapses.connect(i=self.arrays[names[0]], j=self.arrays[names[1]])
            return len(synapses.target)
        inner, outer = sizes if part.wiring == "all by target" else sizes[::-1]
        within = np.repeat(np.arange(many * inner).reshape(many, inner), outer, axis=0).ravel()
        members = np.repeat(np.arange(many * outer), inner)
        within, members = np.tile(within, part.count), np.tile(members, part.count)
        i, j = (within, members) if part.wiring == "all by target" else (members, within)
        synapses.connect(i=i, j=j)
        if part.copies:
            setattr(synapses, part.copies, np.repeat(np.arange(part.count), many * inner * outer))
            if own := self.additions.inverse(synapses, part.count) if part.template == "inverse" else None:
                self.take_over(part, synapses, own)
        return many * outer

    def take_over(self, part: Pathway, synapses: b2.Synapses, own: Any) -> None:
        """Put a device's object in the place of the sums and updates of a pathway."""
        for each in synapses.summed_updaters.values():
            each.active = False
        _at(own, next(iter(part.sums.values())))
        self.built.network.add(own)
        self.taken.add(part.name)

    @make.register
    def _(self, part: Update) -> None:
        owner, (slot, order) = self.objects[part.of], SCHEDULE[part.at]
        if part.event:
            owner.run_on_event(part.event, part.code, when=slot, order=order)
            return
        made = owner.run_regularly(
            part.code, clock=self.clock("readout", part.every), when=slot, order=order, name=part.name
        )
        made.active = part.of not in self.taken

    @make.register
    def _(self, part: Extension) -> None:
        self.additions.numbers_come_later(self.numbered)
        known = set(self.built.network.objects)
        taken = {each.name for each in self.plan.parts}
        call(part, self.built.network)
        there = {each.id for each in self.built.network.sorted_objects}
        for thing in sorted(set(self.built.network.objects) - known, key=lambda each: str(each.name)):
            if thing.name in taken:
                raise ConfigurationError("is the name of a part of this network; take another", f"extend: {thing.name}")
            if not thing._dependencies <= there:  # Brian2 does not keep what nobody else does, and says nothing now
                problem = "needs an object that was not added; network.add has to be given all of them"
                raise ConfigurationError(problem, f"extend: {thing.name}")
            if isinstance(thing, b2.NetworkOperation) and not self.additions.python:
                problem = (
                    "a network_operation runs in Python, which this device leaves behind; say it in equations, or take "
                    "--device numpy or cython"
                )
                raise ConfigurationError(problem, f"extend: {thing.name}")
            self.objects[thing.name] = thing

    @make.register
    def _(self, part: Monitor) -> None:
        if part.of not in self.objects:
            raise ConfigurationError(f"there is no object {part.of!r}{closest(part.of, self.objects)}", part.name)
        owner = self.objects[part.of]
        for name in part.variables if part.every else ():
            if name not in owner.variables:
                own = list(getattr(owner, "equations", ()))
                problem = f"{part.of!r} has no variable {name!r}{closest(name, own)}"
                raise ConfigurationError(problem, part.name, own)
        if not part.every:
            if part.event == "spike":
                monitor = b2.SpikeMonitor(owner, name=part.name)
            else:
                monitor = b2.monitors.EventMonitor(owner, part.event, name=part.name)
        else:
            slot, order = SCHEDULE["recording"]
            many = self.plan.replicates
            size = self.plan.length(part.of) if many > 1 else 0
            elements: Any = True
            if part.elements is not None:
                elements = (np.arange(many)[:, None] * size + np.array(part.elements)).ravel()
            clock = self.clock(part.step, part.every)
            monitor = b2.StateMonitor(
                owner, list(part.variables), record=elements, clock=clock, when=slot, order=order, name=part.name
            )
        self.built.network.add(monitor)
        for variable in {"t", *part.variables}:
            self.built.outputs[f"{part.name}.{variable}"] = monitor.variables[variable]

    @make.register
    def _(self, part: Guard) -> None:
        self.built.guards.append(part)

    def fill(self, name: str, without: set[str]) -> None:
        """Hand the numbers of a part over."""
        thing = self.objects[name]
        links = {link.index for link in getattr(self.plan.part(name), "links", {}).values()}
        for key, value in self.arrays.items():
            owner, variable = key.split(".")
            if owner != name or variable in without | links:
                continue
            self.numbered += [thing.variables[variable]] if variable in thing.variables else []
            delay = variable == "delay" and isinstance(thing, b2.Synapses)
            if not delay:
                self.need(name, thing, variable)
            with self.additions.carrying(key):
                if delay:
                    thing.pre.delay_ = value
                elif value.ndim:
                    setattr(thing, f"{variable}_", value)
                else:
                    setattr(thing, f"{variable}_", value[()].item())
                    self.built.parameters[key] = thing.variables[variable]

    def need(self, name: str, thing: Any, variable: str) -> None:
        """Refuse equations without a variable that has numbers or is linked to."""
        if variable not in thing.variables:
            raise ConfigurationError(f"the equations must have a variable {variable!r}", name)


def unit(variable: Any) -> str:
    """Return the unit (SI) of a Brian2 variable."""
    return "1" if variable.dim is DIMENSIONLESS else str(get_unit(variable.dim).dispname)


def call(part: Extension, network: b2.Network) -> None:
    """Call a user's function with a network.

    Raises
    ------
    ConfigurationError
        If it fails.
    """
    module = types.ModuleType("izhires_extension")
    try:
        exec(compile(part.source, f"<{part.function}>", "exec"), module.__dict__)
        getattr(module, part.function)(network)
    except ConfigurationError:
        raise
    except Exception as error:
        said = " ".join(str(error).split())
        raise ConfigurationError(f"{part.function} failed: {type(error).__name__}: {said}", "extend") from error


def _at(thing: Any, name: str) -> None:
    thing.when, thing.order = SCHEDULE[name]


_UNSEEDED = re.compile(r"\b(xi_\w+|randn?\b|poisson\b)")


def cannot_read(error: BaseException, place: str = "") -> ConfigurationError:
    """Return what Brian2 says of an equation as this package's error, in one line that names the object."""
    cause = error.__cause__ or error
    said = " ".join(str(cause.args[0] if cause.args else cause).split())
    if isinstance(cause, KeyError) and said.isidentifier():
        said = f"unknown name {said!r}"
    place = place or (error._brian_objname if isinstance(error, BrianObjectException) else "")
    return ConfigurationError(f"Brian2 cannot read the equations: {said}", place)


class _naming:  # noqa: N801
    """Turns what Brian2 says of an equation into this package's error, with the object's name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is not None and not isinstance(error, ConfigurationError) and isinstance(error, Exception):
            raise cannot_read(error, self.name) from error
