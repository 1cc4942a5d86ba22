"""From model, experiment and seeds to a plan: a draft, to which each declaration adds its parts and their numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from izhires.building.parts import Group, Link, Monitor, Part, Pathway, Reaction, Signal, Update, check
from izhires.building.plan import Plan, length, rewritten, shapes
from izhires.declare import Declaration, unit_of
from izhires.errors import ConfigurationError, check_known
from izhires.model.population import CUED, Pattern, cue_to_a_share
from izhires.model.variables import BRIAN_UNITS

if TYPE_CHECKING:
    from izhires.model.model import Model
    from izhires.model.seeds import Seeds
    from izhires.paradigms.experiment import Experiment


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
        By population: the constant drive of each cell (V/s), and what draws its drive by an input channel.
    fed_back : dict of str to list of str
        By group that holds the drive of a population: its variables through which readouts drive the cells.
    latency_of : ndarray, (step, event)
        Latency of each event, where several may come in a trial, s; see `Experiment.signals`.
    precision : {"double", "single"}
        Of the network's numbers.
    """

    steps: int
    latency_of: np.ndarray
    precision: str = "double"

    def __init__(self, model: Model, experiment: Experiment, seeds: Seeds) -> None:
        self.model, self.experiment, self.seeds = model, experiment, seeds
        window, channels = experiment.window * 1e3, len(experiment.channels)
        # a user's own circuit need not know of several channels
        self.circuit = model.reservoir.fitted(*((window,) if channels == 1 else (window, channels)))
        self.inputs = seeds.generator("input")
        self.step = model.state.time_step * 1e-3
        trials = experiment.trials
        lengths = [*trials.loc[trials["kind"] == "probe", "duration"], *np.diff(trials["cue"])]
        self.snapshot = max(1, int(min(lengths, default=experiment.duration) / self.step + 1e-6))
        self.parts: dict[str, Part] = {}
        self.arrays: dict[str, np.ndarray] = {}
        self.read = model.state.of
        self.driven: dict[str, tuple[np.ndarray, Pattern]] = {}
        self.fed_back: dict[str, list[str]] = {}
        self.add_signals()

    @property
    def cells(self) -> int:
        """Number of cells that the readouts read."""
        return self.model.population(self.read).n

    def length(self, name: str) -> int:
        """Return how many members a group, or synapses a pathway, has."""
        return length(self.parts, {key: len(array) for key, array in self.arrays.items() if key.endswith(".i")}, name)

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

    def add_bias(self, population: str, more: np.ndarray) -> None:
        """Add to the constant drive of each cell of a population (V/s), read or not."""
        bias, pattern = self.driven[population]
        self.driven[population] = (bias + more, pattern)
        if population != self.read:  # whose state takes it from there
            self.set(population, bias=bias + more)

    def heard(self, population: str, rng: np.random.Generator) -> tuple[str, dict[str, Any]]:
        """Return equation lines and numbers of what drives a population, besides feedback: bias and input channels.

        Parameters
        ----------
        population : str
        rng : numpy.random.Generator
            Stream of the first channel; further ones have streams of their own.

        Raises
        ------
        ConfigurationError
            If a pattern is declared for a channel that the task does not have.
        """
        experiment, declared = self.experiment, self.model.input_channels
        for name in declared:
            check_known(name, experiment.channels, "input channel", f"input_channels.{name}")
        bias, pattern = self.driven[population]
        lines, numbers = "bias : volt/second (constant)\n", {"bias": bias}
        for k, name in enumerate(experiment.channels):
            own = self.seeds.generator("input", population, name) if k else rng
            if name not in declared:
                weight = pattern(own, k)
            elif declared[name].to == population:
                weight = cue_to_a_share(len(bias), declared[name].share, declared[name].strength, own)
            else:
                weight = np.zeros(len(bias))
            lines += f"{_weight(k)} : volt/second (constant)\n"
            numbers[_weight(k)] = weight
        if experiment.one_cue:
            line, duration = self.shared(cue_duration=("second", experiment.cue_duration))
            return lines + line, numbers | duration
        return lines, numbers

    def inputs_of_drive(self) -> list[str]:
        """Return what each input channel adds to the drive of a cell, as Brian2 expressions."""
        if self.experiment.one_cue:
            return [CUED]
        return [f"{_weight(k)}*input_{k}(t)" for k in range(len(self.experiment.channels))]

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
        drawn: bool = False,
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
        drawn : bool
            Whether how many there are is drawn, too.
        """
        step = self.model.time_step
        on_spike = Reaction(effect, "pre", "synapses", template="sparse")
        drawn = drawn or len(i) == 1  # Brian2 writes the members of a single synapse into the program
        self.add(
            Pathway(name, source, target, "w : volt/second", step="cells", reactions={"pre": on_spike}, drawn=drawn),
            i=i.astype(np.int32),
            j=j.astype(np.int32),
            w=weight,
            delay=np.maximum(1, np.round(delay / step)) * step * 1e-3,
        )

    def add_exploration(self) -> None:
        """Add the signal ``explore``, a standard normal number of each channel and step."""
        if "explore" not in self.parts:
            numbers = self.seeds.generator("exploration").standard_normal((self.steps, self.channels))
            self.add_of_steps("explore", numbers)

    def add_of_trials(self, name: str, numbers: np.ndarray) -> None:
        """Add a signal of each channel that keeps its number for a whole trial, ``NAME(t, i)``, if it is not there.

        Parameters
        ----------
        name : str
        numbers : array
            Shape (trial, channel).
        """
        onsets = np.round(self.experiment.trials["onset"].to_numpy() / self.step).astype(int)
        trial = np.maximum(np.searchsorted(onsets, np.arange(self.steps), side="right") - 1, 0)
        self.add_of_steps(name, np.asarray(numbers, float)[trial])

    def add_of_steps(self, name: str, numbers: np.ndarray, unit: str = "1") -> None:
        """Add a signal of each channel, ``NAME(t, i)``, if it is not there.

        Parameters
        ----------
        name : str
        numbers : array
            Shape (step, channel).
        unit : str
        """
        if name not in self.parts:
            self.add(Signal(name, unit, each=numbers.shape[1]))
            self.arrays[f"signals.{name}"] = numbers

    def add_signals(self) -> None:
        """Add what the task tells, and a step of rest after the last snapshot, which then sees all that was learned."""
        signals = self.experiment.signals(self.step)
        rest = -len(signals["elapsed"]) % self.snapshot + 1
        after = (("elapsed", -1.0), ("latency", -1.0), ("event", -1.0), ("learn", 0.0), ("block", signals["block"][-1]))
        others = [(name, 0.0) for name in signals if name.startswith(("input_", "epoch_"))]
        if "latency_of" in signals:
            self.latency_of = np.pad(signals["latency_of"], ((0, rest), (0, 0)), constant_values=-1.0)
        for name, value in (*after, *others):
            unit = "second" if name in ("elapsed", "latency") else "1"
            # networks side by side have their trials at the same times
            self.add(Signal(name, unit, shared=name == "elapsed"))
            self.arrays[f"signals.{name}"] = np.concatenate([signals[name], np.full(rest, value)])
        self.steps = len(signals["elapsed"]) + rest

    def plan(self) -> tuple[Plan, dict[str, np.ndarray]]:
        """Return what was drafted."""
        if self.experiment.payoffs is not None and "payoff" not in self.parts:
            problem = "the task pays for choices, and no readout chooses; [readouts.choice] with type = 'choice' does"
            raise ConfigurationError(problem, "readouts")
        parts = tuple(rewritten(part, _tidy) for part in self.parts.values())
        check(parts)
        steps = (self.model.time_step * 1e-3, self.step, self.steps)
        return Plan(*steps, parts, shapes(self.arrays), precision=self.precision), self.arrays


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


def _weight(channel: int) -> str:
    """Return the variable that is the drive of each cell by an input channel; the first is that of the cue."""
    return f"cue_weight_{channel}" if channel else "cue_weight"


def _tidy(text: str) -> str:
    return "".join(line.strip() + "\n" for line in text.splitlines() if line.strip())
