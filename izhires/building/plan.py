"""From model, experiment and seeds to a plan: every Brian2 text, and every number apart from them.

The texts decide what is compiled; the numbers are handed to the compiled program at each run. So one build serves
every seed and every parameter value, and a plan can be made, printed and compared on a machine without Brian2.

A plan is a list of parts (`izhires.building.parts`). Each declaration makes its own, through a `Draft`.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from izhires.building.parts import (
    Extension,
    Group,
    Link,
    Monitor,
    Part,
    Pathway,
    Reaction,
    Signal,
    Update,
    check,
    from_dict,
    to_dict,
)
from izhires.declare import Declaration, unit_of
from izhires.errors import ConfigurationError, check_known
from izhires.model.population import OF_CIRCUIT
from izhires.model.seeds import Seeds
from izhires.model.variables import BRIAN_UNITS

if TYPE_CHECKING:
    from izhires.model.model import Model
    from izhires.paradigms.experiment import Experiment

P = TypeVar("P", bound=Part)

INDICES = ("i", "j")
"""Numbers of a pathway that are members of groups."""


@dataclass(frozen=True)
class Plan:
    """Everything that decides what is compiled.

    Parameters
    ----------
    cell_step, readout_step : float
        Time steps, s.
    steps : int
        Length of the experiment in readout steps.
    parts : tuple of Part
        What the network is made of.
    shapes : dict of str to (dtype, shape)
        Of each number or array that a run hands over, by ``part.variable``.
    replicates : int
        Networks of this size that run as one, side by side and unconnected; see `combine`.
    precision : {"double", "single"}
        Of the network's numbers; times are double ones either way.
    """

    cell_step: float
    readout_step: float
    steps: int
    parts: tuple[Part, ...]
    shapes: dict[str, tuple[str, tuple[int, ...]]]
    replicates: int = 1
    precision: str = "double"

    @property
    def duration(self) -> float:
        """Length of the experiment, s."""
        return self.steps * self.readout_step

    @property
    def cells(self) -> int:
        """Number of cells that spike, in one network."""
        return sum(each.size for each in self.of(Group) if each.threshold)

    @cached_property
    def _by_name(self) -> dict[str, Part]:
        return {part.name: part for part in self.parts}

    def part(self, name: str) -> Any:
        """Return a part by its name.

        Raises
        ------
        ConfigurationError
            If there is none.
        """
        check_known(name, self._by_name, "part", "")
        return self._by_name[name]

    def of(self, kind: type[P]) -> list[P]:
        """Return all parts of a kind, in order."""
        return [part for part in self.parts if isinstance(part, kind)]

    def changed(self, *parts: Part) -> Plan:
        """Return a plan with some parts in the place of those of their names."""
        new = {part.name: part for part in parts}
        return replace(self, parts=tuple(new.get(part.name, part) for part in self.parts))

    def rows(self, monitor: Monitor) -> int:
        """Return how many rows a monitor of every so many steps records."""
        steps = self.steps if monitor.step == "readout" else round(self.duration / self.cell_step)
        return -(-steps // monitor.every)

    def columns(self, monitor: Monitor) -> int:
        """Return how many elements a monitor records of one network."""
        return self.length(monitor.of) if monitor.elements is None else len(monitor.elements)

    def length(self, name: str) -> int:
        """Return how many members a group, or synapses a pathway, has in one network."""
        listed = {key: math.prod(shape) for key, (_, shape) in self.shapes.items() if key.endswith(".i")}
        return _length(self._by_name, listed, name) // (self.replicates if f"{name}.i" in listed else 1)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, from which `from_dict` makes an equal plan."""
        return {**self._numbers(), "parts": [to_dict(part) for part in self.parts]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Plan:
        """Return the plan of plain data."""
        shapes = {name: (dtype, tuple(shape)) for name, (dtype, shape) in data["shapes"].items()}
        return cls(**{**data, "parts": tuple(map(from_dict, data["parts"])), "shapes": shapes})

    def _numbers(self) -> dict[str, Any]:
        names = ("cell_step", "readout_step", "steps", "shapes", "replicates", "precision")
        return {name: getattr(self, name) for name in names}

    def fingerprint(self) -> str:
        """Return a hash of the whole plan: equal plans share one build."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:20]

    def __str__(self) -> str:
        lines = [f"{self.cells} cells, {self.duration:g} s"]
        for part in self.parts:
            lines += [f"{part.name}.{role}:\n{text.rstrip()}" for role, text in part.texts.items()]
        return "\n".join(lines)


def _length(parts: Mapping[str, Part], listed: Mapping[str, int], name: str) -> int:
    """Return the size of a group or pathway; `listed` holds the numbers of synapses that are given one by one."""
    part = parts[name]
    if isinstance(part, Group):
        return part.size
    assert isinstance(part, Pathway)
    if part.wiring == "listed":
        return listed[f"{name}.i"]
    return _length(parts, listed, part.source) * _length(parts, listed, part.target) * part.count


class Draft:
    """A plan in the making. Declarations add their parts and the numbers of these to it.

    Attributes
    ----------
    model, experiment, seeds
        What the plan is made of.
    circuit : Reservoir
        The circuit, fitted to the window of the task.
    inputs : numpy.random.Generator
        Stream of all that enters the cells, cue and feedback, drawn in the order of the declarations.
    step : float
        Step of the readouts, s.
    snapshot : int
        Readout steps between two snapshots of what changes once a trial: every trial of a probe has one, and so has
        the time between any two windows' ends.
    steps : int
        Length of the experiment in readout steps.
    parts : dict of str to Part
        What was added so far, by name.
    arrays : dict of str to ndarray
        The numbers of these, by ``part.variable``.
    read : str
        The population that the readouts read.
    driven : dict of str to (ndarray, callable)
        By population: the constant drive of each cell (V/s), and what draws the drive of the cue.
    fed_back : dict of str to list of str
        By group that holds the drive of a population: its variables through which readouts drive the cells.
    precision : {"double", "single"}
        Of the network's numbers.
    """

    steps: int
    precision: str = "double"

    def __init__(self, model: Model, experiment: Experiment, seeds: Seeds) -> None:
        self.model, self.experiment, self.seeds = model, experiment, seeds
        self.circuit = model.reservoir.fitted(experiment.window * 1e3)
        self.inputs = seeds.generator("input")
        self.step = model.state.time_step * 1e-3
        trials = experiment.trials
        lengths = [*trials.loc[trials["kind"] == "probe", "duration"], *np.diff(trials["cue"])]
        self.snapshot = max(1, int(min(lengths, default=experiment.duration) / self.step + 1e-6))
        self.parts: dict[str, Part] = {}
        self.arrays: dict[str, np.ndarray] = {}
        self.read = model.state.of
        self.driven: dict[str, tuple[np.ndarray, Callable[[np.random.Generator], np.ndarray]]] = {}
        self.fed_back: dict[str, list[str]] = {}
        self.add_signals()

    @property
    def cells(self) -> int:
        """Number of cells that the readouts read."""
        return self.model.population(self.read).n

    def length(self, name: str) -> int:
        """Return how many members a group, or synapses a pathway, has."""
        return _length(self.parts, {key: len(array) for key, array in self.arrays.items() if key.endswith(".i")}, name)

    @property
    def channels(self) -> int:
        """Number of events, each of which has a channel in every readout."""
        return len(self.experiment.events)

    def add(self, part: Part, **numbers: Any) -> None:
        """Add a part, and the numbers of its variables, in SI units.

        Raises
        ------
        ConfigurationError
            If there is one of this name already.
        """
        if part.name in self.parts:
            raise ConfigurationError("two parts of the network have this name", part.name)
        self.parts[part.name] = part
        self.set(part.name, **numbers)

    def set(self, name: str, **numbers: Any) -> None:
        """Give further numbers to a part, in SI units."""
        self.arrays |= {f"{name}.{variable}": np.asarray(value) for variable, value in numbers.items()}

    def extend(self, name: str, equations: str, **links: Link) -> None:
        """Add variables to a group or pathway, and what those of a group are linked to."""
        part = self.parts[name]
        assert isinstance(part, Group | Pathway)
        part = replace(part, equations=f"{part.equations.rstrip()}\n{equations}")
        self.parts[name] = replace(part, links={**part.links, **links}) if isinstance(part, Group) else part

    def react(self, name: str, arrival: str, effect: Callable[[str], str], pre: str, post: str) -> None:
        """Add what a plastic synapse does when a spike arrives, and when its target fires.

        Parameters
        ----------
        name : str
            Of the pathway.
        arrival, pre : str
            Brian2 statements before and after the effect of an arriving spike.
        effect : callable
            Makes of the effect of a spike what it is now.
        post : str
            Brian2 statements when the target fires.
        """
        pathway = self.parts[name]
        assert isinstance(pathway, Pathway)
        given = pathway.reactions["pre"]
        code = "\n".join(each for each in (arrival.strip(), effect(given.code).strip(), pre.strip()) if each)
        reactions = {**pathway.reactions, "pre": replace(given, code=f"{code}\n")}
        if post.strip():
            reactions["post"] = Reaction(f"{post.strip()}\n", "post", "target spikes", template="sparse")
        self.parts[name] = replace(pathway, reactions=reactions)

    def keep_ends(self, name: str, of: str, variable: str) -> None:
        """Add a monitor of a variable at the start and the end, see `izhires.recordings.recording.Results.at_ends`."""
        self.add(Monitor(name, of, (variable,), every=max(self.steps - 1, 1), after=True))

    def whole_steps(self, interval: float, place: str) -> int:
        """Return how many steps of the readouts an interval (ms) has.

        Raises
        ------
        ConfigurationError
            If it is no whole number of them.
        """
        steps = interval / (self.step * 1e3)
        if abs(steps - round(steps)) > 1e-9 or steps < 1:
            step = f"the readouts' step, {self.step * 1e3:g} ms"
            raise ConfigurationError(f"must be a whole multiple of {step}, got {interval:g} ms", place)
        return round(steps)

    def axonal_delay(self, name: str) -> np.ndarray | None:
        """Return the delay (s) of each source of a pathway; None if synapses of one source have different delays."""
        size = self.length(self.parts[name].source)  # type: ignore[attr-defined]
        i, delay = self.arrays[f"{name}.i"], self.arrays[f"{name}.delay"]
        found = np.full(size, self.model.time_step * 1e-3)
        found[i] = delay
        return found if np.array_equal(found[i], delay) else None

    def level_around(self, population: str, neuromodulator: str) -> str:
        """Return the variable of a population that is the level of a neuromodulator."""
        known = self.model.neuromodulators
        check_known(neuromodulator, known, "neuromodulator", "")
        reached = known[neuromodulator].reaches
        if reached and population not in reached:
            raise ConfigurationError(f"{neuromodulator!r} does not reach {population!r}", "", reached)
        return self.level_at(population, neuromodulator)

    def level_at(self, name: str, neuromodulator: str) -> str:
        """Return the variable of a group that is the level of a neuromodulator, which is one of the model."""
        variable, there, group = f"{neuromodulator}_level", f"{neuromodulator}_now", self.parts[name]
        assert isinstance(group, Group)
        if there not in group.links:
            # synapses read a variable that each member has; Brian2 has no way from them to what all members share
            link = Link(neuromodulator, "level", "network")
            self.extend(name, f"{there} : 1 (linked)\n{variable} : 1\n", **{there: link})
            begin = np.full(group.size, self.model.neuromodulators[neuromodulator].tonic, float)
            self.set(name, **{variable: begin})
            self.add(Update(f"{neuromodulator}_around_{name}", name, f"{variable} = {there}", "levels around cells"))
        return variable

    def shared(self, **values: tuple[str, float]) -> tuple[str, dict[str, float]]:
        """Return equation lines and numbers of shared constants, each given as (Brian2 dimensions, SI value)."""
        lines = "".join(f"{name} : {unit} (shared, constant)\n" for name, (unit, _) in values.items())
        return lines, {name: value for name, (_, value) in values.items()}

    def constants(self, *owners: Declaration, only: Iterable[str] | None = None) -> tuple[str, dict[str, float]]:
        """Return equation lines and SI values of the numeric parameters of some declarations, or `only` of some.

        Raises
        ------
        ConfigurationError
            If two declarations that share a group have a parameter of the same name.
        """
        lines, values = "", {}
        for owner in owners:
            for name, info in type(owner).model_fields.items():
                value = getattr(owner, name)
                if not isinstance(value, (int, float)) or (only is not None and name not in only):
                    continue
                if name in values:
                    raise ConfigurationError(
                        f"parameter {name!r} of {type(owner).__name__} has the name of another beside it; rename one"
                    )
                dimension, size = BRIAN_UNITS[unit_of(info)]
                lines += f"{name} : {dimension} (shared, constant)\n"
                values[name] = float(value) * size
        return lines, values

    def owner_of_drive(self, population: str) -> str:
        """Return the group that holds the drive of a population: that of the readouts' state, where it is read."""
        return "state" if population == self.read else population

    def feed_back(self, name: str, population: str = "") -> tuple[str, str]:
        """Return the group and its variable that take what a readout feeds back into a population, by default into the
        one that is read.
        """
        owner = self.owner_of_drive(population or self.read)
        taken = self.fed_back.setdefault(owner, [])
        variable = f"feedback_{name}" if taken else "feedback"
        self.extend(owner, f"{variable} : volt/second\n")
        taken.append(variable)
        return owner, variable

    def effects_on(self, population: str) -> list[str]:
        """Return what spikes of others do to the cells of a population."""
        circuit = self.circuit
        found = [each.effect for each in self.model.connections.values() if each.target == population]
        return found + ([circuit.excitation, circuit.inhibition] if population == OF_CIRCUIT else [])

    def add_synapses(
        self,
        name: str,
        source: str,
        target: str,
        effect: str,
        i: np.ndarray,
        j: np.ndarray,
        weight: np.ndarray,
        delay: np.ndarray,
    ) -> None:
        """Add synapses that do `effect` when a spike arrives.

        Parameters
        ----------
        name, source, target : str
            Of the pathway, and of the groups.
        effect : str
            Brian2 statements, with the weight ``w`` (V/s).
        i, j : array of int
            Members of source and target.
        weight : array
            mV/ms.
        delay : array
            ms, rounded to steps of the cells, one at least.
        """
        step = self.model.time_step
        on_spike = Reaction(effect, "pre", "synapses", template="sparse")
        self.add(
            Pathway(name, source, target, "w : volt/second", step="cells", reactions={"pre": on_spike}),
            i=i.astype(np.int32),
            j=j.astype(np.int32),
            w=weight,
            delay=np.maximum(1, np.round(delay / step)) * step * 1e-3,
        )

    def add_exploration(self) -> None:
        """Add the signal ``explore``, a standard normal number of each channel and step."""
        if "explore" not in self.parts:
            numbers = self.seeds.generator("exploration").standard_normal((self.steps, self.channels))
            self.add(Signal("explore", each=self.channels))
            self.arrays["signals.explore"] = numbers

    def add_signals(self) -> None:
        """Add what the task tells, and a step of rest after the last snapshot, which then sees all that was learned."""
        signals = self.experiment.signals(self.step)
        rest = -len(signals["elapsed"]) % self.snapshot + 1
        after = (("elapsed", -1.0), ("latency", -1.0), ("event", -1.0), ("learn", 0.0), ("block", signals["block"][-1]))
        for name, value in after:
            unit = "second" if name in ("elapsed", "latency") else "1"
            # networks side by side have their trials at the same times
            self.add(Signal(name, unit, shared=name == "elapsed"))
            self.arrays[f"signals.{name}"] = np.concatenate([signals[name], np.full(rest, value)])
        self.steps = len(signals["elapsed"]) + rest

    def plan(self) -> tuple[Plan, dict[str, np.ndarray]]:
        """Return what was drafted."""
        parts = tuple(_rewritten(part, _tidy) for part in self.parts.values())
        check(parts)
        steps = (self.model.time_step * 1e-3, self.step, self.steps)
        return Plan(*steps, parts, _shapes(self.arrays), precision=self.precision), self.arrays


def make_plan(model: Model, experiment: Experiment, seeds: Seeds) -> tuple[Plan, dict[str, np.ndarray]]:
    """Draw the network and write down what is to be built.

    Parameters
    ----------
    model : Model
    experiment : Experiment
    seeds : Seeds

    Returns
    -------
    plan : Plan
        Equal for every seed of the same model and experiment shape.
    arrays : dict of str to ndarray
        Numbers by ``part.variable``, in SI units, as `Plan.shapes` lists them.
    """
    draft = Draft(model, experiment, seeds)
    for each in model.declarations():
        each(draft)
    return draft.plan()


def mentions(name: str, *texts: str) -> bool:
    """Whether one of some Brian2 texts has this name."""
    return any(re.search(rf"\b{name}\b", text) for text in texts)


def _tidy(text: str) -> str:
    return "".join(line.strip() + "\n" for line in text.splitlines() if line.strip())


def _rewritten(part: Part, rewrite: Any) -> Part:
    """Return a part whose texts were rewritten by ``rewrite(text)``."""
    if isinstance(part, Group):
        events = {name: replace(each, condition=rewrite(each.condition).strip()) for name, each in part.events.items()}
        texts = {name: rewrite(getattr(part, name)) for name in ("equations", "threshold", "reset")}
        return replace(part, **{**texts, "threshold": texts["threshold"].strip()}, events=events)
    if isinstance(part, Pathway):
        reactions = {name: replace(each, code=rewrite(each.code)) for name, each in part.reactions.items()}
        return replace(part, equations=rewrite(part.equations), reactions=reactions)
    if isinstance(part, Update):
        return replace(part, code=rewrite(part.code))
    return part


def _shapes(arrays: dict[str, np.ndarray]) -> dict[str, tuple[str, tuple[int, ...]]]:
    return {name: (array.dtype.str, array.shape) for name, array in arrays.items()}


def combine(plans: list[Plan], runs: list[dict[str, np.ndarray]]) -> tuple[Plan, dict[str, np.ndarray]]:
    """Put several runs of one plan side by side as one network with block-diagonal synapses.

    Seeds and parameter values may differ between the runs. The noise of all comes from the generator of the first.

    Parameters
    ----------
    plans : list of Plan
        Of each run alone; all equal.
    runs : list of dict
        The numbers of each run.

    Returns
    -------
    plan : Plan
    arrays : dict
        Numbers of the whole; `split` divides what it gives.

    Raises
    ------
    ConfigurationError
        If the trials of the runs do not lie at the same times, or the plans differ otherwise.
    """
    plan = plans[0]
    for signal in (each for each in plan.of(Signal) if each.shared):
        name = f"signals.{signal.name}"
        if any(not np.array_equal(run[name], runs[0][name]) for run in runs):
            raise ConfigurationError("replicates need trials at the same times", "--replicates")
    if any(other != plan for other in plans):
        raise ConfigurationError("replicates may differ in numbers only, not in sizes or equations", "--replicates")
    if len(runs) == 1:
        return plan, runs[0]
    if any(each.template == "inverse" for each in plan.of(Pathway)):
        raise ConfigurationError(
            "the inverse correlation of a network's states has no place for others", "--replicates"
        )
    if extensions := plan.of(Extension):
        raise ConfigurationError(f"{extensions[0].function!r} knows one network only", "--replicates")
    many = len(runs)
    signals = {each.name: each for each in plan.of(Signal)}
    arrays: dict[str, np.ndarray] = {}
    differing: dict[str, list[str]] = {}
    for name, first in runs[0].items():
        owner, variable = name.split(".")
        each = [run[name] for run in runs]
        if variable == "noise_seed" or (owner == "signals" and signals[variable].shared):
            arrays[name] = first
        elif owner == "signals":
            arrays[name] = np.stack(each, axis=1) if first.ndim == 1 else np.concatenate(each, axis=1)
        elif (size := _indexed(plan, owner, variable)) is not None:
            arrays[name] = np.concatenate([other + np.int32(size * r) for r, other in enumerate(each)])
        elif first.ndim == 0 and all(other == first for other in each):
            arrays[name] = first  # one value for all, and the same arithmetic as alone
        elif first.ndim == 0:
            arrays[name] = np.repeat(np.array(each), plan.length(owner))
            differing.setdefault(owner, []).append(variable)
        else:
            arrays[name] = np.concatenate(each)
    parts = tuple(_side_by_side(plan, part, differing.get(part.name, [])) for part in plan.parts)
    for part in parts:
        if isinstance(part, Group) and _hears(plan, part.name) and part.size > 1:
            arrays[f"{part.name}.replicate"] = np.repeat(np.arange(many, dtype=np.int32), part.size)
    return replace(plan, parts=parts, shapes=_shapes(arrays), replicates=many), arrays


def _indexed(plan: Plan, owner: str, variable: str) -> int | None:
    """Return the size of the group that numbers are members of; None for other numbers."""
    part = plan.part(owner)
    if isinstance(part, Pathway) and variable in INDICES:
        return plan.length(part.source if variable == "i" else part.target)
    if isinstance(part, Group):
        for link in part.links.values():
            if link.index == variable:
                return plan.length(link.group)
    return None


def _listener(plan: Plan, part: Part) -> str:
    """Return the group whose members hear the signals in the texts of a part."""
    while isinstance(part, Update):
        part = plan.part(part.of)
    return part.target if isinstance(part, Pathway) else part.name


def _hears(plan: Plan, name: str) -> bool:
    """Whether the texts of a group, or of what goes to it, mention a signal that differs between networks."""
    own = [signal.name for signal in plan.of(Signal) if not signal.shared and signal.each == 1]
    texts = [text for part in plan.parts if _listener(plan, part) == name for text in part.texts.values()]
    return any(re.search(rf"\b{signal}\(t\)", text) for signal in own for text in texts)


def _side_by_side(plan: Plan, part: Part, differing: list[str]) -> Part:
    """A parameter that differs is now one value for each member of its group; signals differ by network."""
    listener = _listener(plan, part)
    if not isinstance(part, Group | Pathway | Update) or not isinstance(plan.part(listener), Group):
        return part
    synaptic = isinstance(part, Pathway) or (isinstance(part, Update) and isinstance(plan.part(part.of), Pathway))
    own = ("j" if synaptic else "i") if plan.length(listener) == 1 else "replicate_post" if synaptic else "replicate"

    def several(text: str) -> str:
        for variable in differing:
            text = re.sub(rf"(?m)^({variable} : .*)\(shared, constant\)$", r"\1(constant)", text)
        for signal in plan.of(Signal):
            if not signal.shared:
                text = text.replace(f"{signal.name}(t)", f"{signal.name}(t, {own})")
        return text

    found = _rewritten(part, several)
    if isinstance(found, Group) and own == "replicate" and _hears(plan, part.name):
        found = replace(found, equations=found.equations + "replicate : integer (constant)\n")
    return found


def split(plan: Plan, outputs: dict[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    """Divide what a combined plan gave into one set of outputs a run, as each run alone gives them.

    Parameters
    ----------
    plan : Plan
        The combined plan.
    outputs : dict
        What its program returned.
    """
    many = plan.replicates
    if many == 1:
        return [outputs]
    found: list[dict[str, np.ndarray]] = [{} for _ in range(many)]
    for monitor in plan.of(Monitor):
        times = outputs[f"{monitor.name}.t"]
        if not monitor.every:
            size, members = plan.length(monitor.of), outputs[f"{monitor.name}.i"]
            for r, run in enumerate(found):
                mine = members // size == r
                run[f"{monitor.name}.t"], run[f"{monitor.name}.i"] = times[mine], members[mine] - size * r
            continue
        columns = plan.columns(monitor)
        for r, run in enumerate(found):
            run[f"{monitor.name}.t"] = times
            for variable in monitor.variables:
                run[f"{monitor.name}.{variable}"] = outputs[f"{monitor.name}.{variable}"][
                    :, r * columns : (r + 1) * columns
                ]
    return found
