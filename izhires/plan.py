"""From model, experiment and seeds to a plan: every Brian2 text, and every number apart from them.

The texts decide what is compiled; the numbers are handed to the compiled program at each run. So one build serves
every seed and every parameter value, and a plan can be made, printed and compared on a machine without Brian2.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from izhires.declare import Declaration, Unit
from izhires.errors import ConfigurationError
from izhires.model import Model, What, When
from izhires.seeds import Seeds
from izhires.variables import BRIAN_UNITS, cell_values, check_filled

if TYPE_CHECKING:
    from izhires.paradigms.experiment import Experiment

TASK = """
since_event = elapsed(t) - latency(t) : second
in_window = int(elapsed(t) > -dt/2)*int(elapsed(t) < window - dt/2) : 1
outcome = int(abs(event(t) - channel) < 0.5) : 1
occurs = outcome*in_window : 1
learning = learn(t)*int(block(t) < learning_blocks - 0.5) : 1
channel : integer (constant)
learning_blocks : 1 (shared, constant)
"""
"""What a channel knows of the task. Signals of the experiment: ``elapsed`` (time since the cue), ``latency``,
``event`` (index of the trial's event, -1 without one), ``learn`` and ``block`` (from 0), one value a readout step."""

STATE = """
r : Hz (linked)
feedback : volt/second
drive : volt/second
bias : volt/second (constant)
cue_weight : volt/second (constant)
"""
"""What every state has besides its own equations, see `izhires.model.State`."""

SHUFFLED_STATE = """
s_own : 1
x_own : Hz
s_other : 1 (linked)
x_other : Hz (linked)
"""
SHUFFLED_UPDATE = """
s = learn(t)*s_own + (1 - learn(t))*s_other
x = learn(t)*x_own + (1 - learn(t))*x_other
"""
"""With ``shuffled_at_test``: in trials that do not teach, s and x of each cell are those of another one."""

DRIVE_UPDATE = """
drive = bias + cue_weight*int(elapsed(t) > -dt/2)*int(elapsed(t) < cue_duration - dt/2) + feedback
"""

POPULATION = """
power : 1
mean_power : 1
"""

POPULATION_UPDATE = "mean_power += (power - mean_power)*dt/tau_power"

INVERSE = """
P : 1
gain_post = P*s_pre*int(abs(matrix - selected_pre) < 0.5)*int(weight_pre > 0) : 1 (summed)
matrix : integer (constant)
penalty : 1 (shared, constant)
"""
INVERSE_STATE = """
gain : 1
scaled : 1
weight : 1
selected : 1
resetting : 1
weight_now : 1 (linked)
selected_now : 1 (linked)
resetting_now : 1 (linked)
projected : 1 (linked)
"""
INVERSE_POPULATION = """
selected : 1
projected : 1
"""
INVERSE_TOLD = """
weight = weight_now
selected = selected_now
resetting = resetting_now
"""
INVERSE_RESET = "P = P*(1 - resetting_pre) + resetting_pre/penalty*int(i == j)"
INVERSE_SCALED = "scaled = gain*sqrt(weight/(1 + weight*projected))"
INVERSE_UPDATE = "P -= scaled_pre*scaled_post*int(abs(matrix - selected_pre) < 0.5)"
"""Recursive least squares: P, the inverse of the correlations that the states s had when ``weight`` was not 0, and
gain = P s. Channels that learn in different trials have a matrix each, ``selected`` by the trial's event. The
population of the rule has ``weight``, and ``resetting``, the rule a ``penalty``; ``projected`` is the sum of gain*s."""

WHEN = """
z : 1
relevant = {relevant} : 1
taught = relevant*in_window : 1
target = occurs*exp(-since_event**2/(2*event_width**2)) : 1
error = in_window*(target - z) : 1
at_event = int(abs(since_event) < dt/2) : 1
closes = int(abs(elapsed(t) - window) < dt/2) : 1
gate = {gate} : 1
fed_back = {fed_back} : volt/second
"""

WHAT = """
q : 1
power : Hz**2
error = outcome - q : 1
"""

CONFIDENCE = """
q : 1
power : Hz**2
error = counted - q : 1
counted = against + (1 - 2*against)*outcome : 1
against : 1 (constant)
"""
"""Readouts for and against each event; the rule's ``outcome`` is here what the readout counts."""

WHAT_READING = """
q_post += w*x_pre
power_post += x_pre**2
"""

WINDOW_END = "abs(elapsed(t) - window) < dt/2"


@dataclass(frozen=True)
class Plan:
    """Everything that decides what is compiled.

    Parameters
    ----------
    cells, channels : int
        Sizes.
    cell_step, readout_step : float
        Time steps, s.
    steps : int
        Length of the experiment in readout steps.
    snapshot_steps : int
        Readout steps between two snapshots of weights and mean states.
    texts : dict of str to dict of str to str
        Brian2 strings by object and role.
    shapes : dict of str to (dtype, shape)
        Of each number or array that a run hands over, by ``object.variable``.
    replicates : int
        Networks of this size that run as one, side by side and unconnected; see `combine`.
    """

    cells: int
    channels: int
    cell_step: float
    readout_step: float
    steps: int
    snapshot_steps: int
    texts: dict[str, dict[str, str]]
    shapes: dict[str, tuple[str, tuple[int, ...]]]
    replicates: int = 1

    @property
    def duration(self) -> float:
        """Length of the experiment, s."""
        return self.steps * self.readout_step

    def fingerprint(self) -> str:
        """Return a hash of the whole plan: equal plans share one build."""
        return hashlib.sha256(json.dumps(self.__dict__, sort_keys=True).encode()).hexdigest()[:20]

    def __str__(self) -> str:
        lines = [f"{self.cells} cells, {self.channels} channels, {self.duration:g} s"]
        for name, texts in self.texts.items():
            lines += [f"{name}.{role}:\n{text.rstrip()}" for role, text in texts.items()]
        return "\n".join(lines)


def _constants(*owners: Declaration, only: tuple[str, ...] | None = None) -> tuple[str, dict[str, float]]:
    """Return the equations lines and the SI values of the numeric parameters of some declarations, or `only` of some.

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
            unit = next((m.unit for m in info.metadata if isinstance(m, Unit)), "")
            if name in values:
                raise ConfigurationError(
                    f"parameter {name!r} of {type(owner).__name__} has the name of another beside it; rename one"
                )
            dimension, size = BRIAN_UNITS[unit]
            lines += f"{name} : {dimension} (shared, constant)\n"
            values[name] = float(value) * size
    return lines, values


def _tidy(text: str) -> str:
    return "".join(line.strip() + "\n" for line in text.splitlines() if line.strip())


def _shared(**constants: tuple[str, float]) -> tuple[str, dict[str, float]]:
    lines = "".join(f"{name} : {unit} (shared, constant)\n" for name, (unit, _) in constants.items())
    return lines, {name: value for name, (_, value) in constants.items()}


def _snapshot_steps(experiment: Experiment, step: float) -> int:
    """Return an interval that puts a snapshot into every probe's trial, and between any two windows' ends."""
    trials = experiment.trials
    lengths = [*trials.loc[trials["kind"] == "probe", "duration"], *np.diff(trials["cue"])]
    return max(1, int(min(lengths, default=experiment.duration) / step + 1e-6))


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
        Numbers by ``object.variable``, in SI units, as `Plan.shapes` lists them.
    """
    reservoir, n, k = model.reservoir.fitted(experiment.window * 1e3), model.reservoir.n, len(experiment.events)
    arrays: dict[str, np.ndarray] = {}

    def put(owner: str, values: dict[str, float] | dict[str, np.ndarray]) -> None:
        for name, value in values.items():
            arrays[f"{owner}.{name}"] = np.asarray(value)

    window = ("second", experiment.window)

    # cells
    cells = cell_values(
        reservoir.draw_cells(seeds.generator("cells")), reservoir.equations, n, type(reservoir).__name__
    )
    constant_lines, constant_values = _constants(reservoir, only=reservoir.constants)
    put("cells", constant_values)
    put("cells", {name: cells[name] for name in "abcd"})
    start = seeds.generator("cells").spawn(1)[0]
    v = -65e-3 + 5e-3 * start.standard_normal(n)
    put("cells", {"v": v, "u": arrays["cells.b"] * v, "noise_seed": np.int32(seeds.integer("noise"))})
    put("cells", {name: values for name, values in cells.items() if name not in (*"abcd", "bias")})
    effects = (reservoir.reset, reservoir.excitation, reservoir.inhibition)
    check_filled("reservoir.equations", reservoir.equations, (*cells, *constant_values), *effects)
    check_filled("state.equations", model.state.equations, ("tau_mean", "smallest_spread"), model.state.update)
    texts = {
        "cells": {
            "equations": reservoir.equations + "\ndrive : volt/second (linked)\n" + constant_lines,
            "threshold": reservoir.threshold,
            "reset": reservoir.reset,
        }
    }

    # synapses
    for name, synapses, effect in zip(
        ("excitation", "inhibition"),
        reservoir.draw_synapses(seeds.generator("topology")),
        (reservoir.excitation, reservoir.inhibition),
        strict=True,
    ):
        if len(synapses.source) == 0:
            continue
        cell_step = model.time_step
        put(
            name,
            {
                "i": synapses.source.astype(np.int32),
                "j": synapses.target.astype(np.int32),
                "w": synapses.weight * reservoir.recurrence,
                "delay": np.maximum(1, np.round(synapses.delay / cell_step)) * cell_step * 1e-3,
            },
        )
        texts[name] = {"equations": "w : volt/second", "on_pre": effect}

    # state
    inputs = seeds.generator("input")
    state_lines, state_values = _constants(model.state, only=("tau_mean", "smallest_spread"))
    task_lines, task_values = _shared(window=window, cue_duration=("second", experiment.cue_duration))
    put("state", {**state_values, **task_values})
    put("state", {"bias": cells["bias"], "cue_weight": reservoir.draw_cue(inputs, seeds)})
    equations = STATE + model.state.equations + "\n" + state_lines + task_lines
    texts["state"] = {"equations": equations, "update": model.state.update, "drive": DRIVE_UPDATE}

    # readouts
    rule, gate = model.when.rule, model.when.gate
    loop = _shared(
        window=window,
        event_width=("second", experiment.event_width),
        feedback_gain=("volt/second", model.when.feedback),
        feedback_limit=("1", model.when.feedback_limit),
        largest_prediction=("1", model.when.largest_prediction),
        feedback_at_test=("1", float(model.when.feedback_at_test)),
    )
    within = _shared(window=window)
    equations = WHEN.format(gate=gate.expression, relevant=model.readout.relevant, fed_back=model.when.fed_back)
    equations += "\n" + gate.equations + "\n"
    put("when", _readout(texts, "when", model.when, equations, loop, gate, k=k))
    put("what", _readout(texts, "what", model.what, WHAT, within, k=k))
    texts["when_weights"] = {"equations": f"w : 1\n{rule.weight_equations}", "learn": rule.weight_update}
    texts["what_weights"] = {"equations": "w : second", "learn": model.what.rule.weight_update, "read": WHAT_READING}
    if gate.update:
        texts["when"]["gate"] = gate.update
    if model.confidence is not None:
        # the rule of this readout knows what it counts as its outcome
        task = TASK.replace("occurs = outcome*in_window : 1\n", "")
        put("confidence", _readout(texts, "confidence", model.confidence, CONFIDENCE, within, k=2 * k, task=task))
        put("confidence", {"channel": np.arange(2 * k, dtype=np.int32) % k, "against": np.repeat([0.0, 1.0], k)})
        texts["confidence"]["update"] = re.sub(r"\boutcome\b", "counted", texts["confidence"]["update"])
        learn = model.confidence.rule.weight_update
        texts["confidence_weights"] = {"equations": "w : second", "learn": learn, "read": WHAT_READING}
        put("confidence_weights", {"w": np.zeros(2 * n * k)})
    for name in ("when", "what"):
        put(f"{name}_weights", {"w": np.zeros(n * k)})
    put("feedback", {"w": inputs.standard_normal((k, n)).ravel()})
    put("population", _population(texts, model))
    if "inverse" in texts:
        put("inverse", {"penalty": model.when.rule.penalty})  # type: ignore[attr-defined]
    if model.state.shuffled_at_test:
        texts["state"]["equations"] += SHUFFLED_STATE
        own = re.sub(r"\b([sx])( \+?=)", r"\1_own\2", model.state.update)
        texts["state"]["update"] = own.replace("- x)", "- x_own)")
        texts["state"]["shuffle"] = SHUFFLED_UPDATE
        put("state", {"other": seeds.generator("input").spawn(1)[0].permutation(n).astype(np.int32)})

    # signals, and one step of rest after the last snapshot, which then sees all that was learned
    step = model.state.time_step * 1e-3
    signals = experiment.signals(step)
    snapshot_steps = _snapshot_steps(experiment, step)
    rest = -len(signals["elapsed"]) % snapshot_steps + 1
    after = (("elapsed", -1.0), ("latency", -1.0), ("event", -1.0), ("learn", 0.0), ("block", signals["block"][-1]))
    for name, value in after:
        arrays[f"signals.{name}"] = np.concatenate([signals[name], np.full(rest, value)])
    if _mentions("exploration", rule.channel_update, *rule.pooled.values()):
        steps = len(arrays["signals.elapsed"])
        arrays["signals.explore"] = seeds.generator("exploration").standard_normal((steps, k))
    plan = Plan(
        cells=n,
        channels=k,
        cell_step=model.time_step * 1e-3,
        readout_step=step,
        steps=len(arrays["signals.elapsed"]),
        snapshot_steps=snapshot_steps,
        texts={name: {role: _tidy(text) for role, text in each.items()} for name, each in texts.items()},
        shapes=_shapes(arrays),
    )
    return plan, arrays


def _mentions(name: str, *texts: str) -> bool:
    return any(re.search(rf"\b{name}\b", text) for text in texts)


def _readout(
    texts: dict[str, dict[str, str]],
    name: str,
    readout: When | What,
    equations: str,
    shared: tuple[str, dict[str, float]],
    *others: Declaration,
    k: int,
    task: str = TASK,
) -> dict[str, Any]:
    """Write the texts of one readout's channels; return their numbers."""
    rule = readout.rule
    lines, values = _constants(rule, *others)
    shared_lines, shared_values = shared
    blocks = readout.learning_blocks
    # more blocks than any experiment has
    shared_values = {**shared_values, "learning_blocks": 1e9 if blocks is None else float(blocks)}
    if clash := set(values) & set(shared_values):
        raise ConfigurationError(f"parameter {clash.pop()!r} of {type(rule).__name__} has a name that the readout uses")
    texts[name] = {
        "equations": task + equations + rule.equations + "\n" + lines + shared_lines,
        "update": rule.channel_update,
    }
    if name == "when":
        if _mentions("exploration", rule.channel_update, *rule.pooled.values()):
            texts[name]["equations"] += "exploration = explore(t, i) : 1\n"
        if rule.active.strip() != "step != 0":
            texts[name]["active"] = rule.active
    else:
        texts[name]["window_end"] = WINDOW_END
    start = {
        variable: np.full(k, values[value] if isinstance(value, str) else value, float)
        for variable, value in rule.initial.items()
    }
    return {**values, **shared_values, "channel": np.arange(k, dtype=np.int32), **start}


def _population(texts: dict[str, dict[str, str]], model: Model) -> dict[str, float]:
    """Write what the rule of "when" needs of the whole network: power, sums over channels, the inverse correlation."""
    rule = model.when.rule
    own = rule.population_equations + "\n" + (INVERSE_POPULATION if rule.inverse else "")
    update = rule.population_update
    if rule.inverse:
        # one matrix that all share, or that of the trial's event
        update += "\nselected = " + ("0" if model.readout.together else "clip(event(t), 0, inf)")
        texts["inverse"] = {
            "equations": INVERSE,
            "told": INVERSE_TOLD,
            "reset": INVERSE_RESET,
            "scaled": INVERSE_SCALED,
            "update": INVERSE_UPDATE,
        }
        texts["state"]["equations"] += INVERSE_STATE
    lines, values = _constants(rule)
    needed = [name for name in values if _mentions(name, update)]
    own += "".join(f"{line}\n" for line in lines.splitlines() if line.split(" :")[0] in needed)
    own += "".join(f"{name} : 1\n" for name in rule.pooled)
    texts["population"] = {"equations": own}
    found = {name: values[name] for name in needed}
    if update:
        texts["population"]["rule"] = update
    # what the population has, the channels know
    names = [line.split(":")[0].strip() for line in own.splitlines() if line.strip() and "constant" not in line]
    known = [name for name in names if _mentions(name, rule.channel_update)]
    if _mentions("(mean_)?power", rule.channel_update, rule.population_update, *rule.pooled.values()):
        lines, values = _constants(model.state, only=("tau_power",))
        texts["population"] |= {"equations": POPULATION + own + lines, "update": POPULATION_UPDATE}
        found |= values
        known = ["power", "mean_power", *known]
    texts["when"]["equations"] += "".join(f"{name} : 1 (linked)\n" for name in known)
    texts["when"]["equations"] += "".join(f"{name}_own = {text} : 1\n" for name, text in rule.pooled.items())
    return found


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
    if any(not np.array_equal(run["signals.elapsed"], runs[0]["signals.elapsed"]) for run in runs):
        raise ConfigurationError("replicates need trials at the same times", "--replicates")
    if any(other != plan for other in plans):
        raise ConfigurationError("replicates may differ in numbers only, not in sizes or equations", "--replicates")
    if len(runs) == 1:
        return plan, runs[0]
    if "inverse" in plan.texts:
        raise ConfigurationError(
            "the inverse correlation of a network's states has no place for others", "--replicates"
        )
    n, k, many = plan.cells, plan.channels, len(runs)
    sizes = {"cells": n, "state": n, "when": k, "what": k, "confidence": 2 * k, "population": 1}
    arrays: dict[str, np.ndarray] = {}
    differing: list[tuple[str, str]] = []
    for name, first in runs[0].items():
        owner, variable = name.split(".")
        each = [run[name] for run in runs]
        if name in ("cells.noise_seed", "signals.elapsed"):
            arrays[name] = first
        elif owner == "signals":
            arrays[name] = np.stack(each, axis=1) if first.ndim == 1 else np.concatenate(each, axis=1)
        elif variable in ("i", "j", "other"):
            arrays[name] = np.concatenate([other + np.int32(n * r) for r, other in enumerate(each)])
        elif first.ndim == 0 and all(other == first for other in each):
            arrays[name] = first  # one value for all, and the same arithmetic as alone
        elif first.ndim == 0:
            arrays[name] = np.repeat(np.array(each), sizes[owner])
            differing.append((owner, variable))
        else:
            arrays[name] = np.concatenate(each)
    own_signals = [name for name in ("state", "when", "what", "confidence") if name in plan.texts]
    for name in own_signals:
        arrays[f"{name}.replicate"] = np.repeat(np.arange(many, dtype=np.int32), sizes[name])

    def several(name: str, text: str) -> str:
        """A parameter that differs is now one value for each member of its group; signals differ by replicate."""
        for owner, variable in differing:
            if owner == name:
                text = re.sub(rf"(?m)^({variable} : .*)\(shared, constant\)$", r"\1(constant)", text)
        own = {"population": "i"}.get(name, "replicate_post" if name.endswith("_weights") else "replicate")
        for signal in ("latency", "event", "learn", "block"):
            text = text.replace(f"{signal}(t)", f"{signal}(t, {own})")
        return text

    texts = {name: {role: several(name, text) for role, text in each.items()} for name, each in plan.texts.items()}
    for name in own_signals:
        texts[name]["equations"] += "replicate : integer (constant)\n"
    return replace(plan, texts=texts, shapes=_shapes(arrays), replicates=many), arrays


def split(plan: Plan, outputs: dict[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    """Divide what a combined plan gave into one set of outputs a run, as each run alone gives them.

    Parameters
    ----------
    plan : Plan
        The combined plan.
    outputs : dict
        What its program returned.
    """
    n, many = plan.cells, plan.replicates
    if many == 1:
        return [outputs]
    found = []
    for r in range(many):
        mine = outputs["spikes.i"] // n == r
        run = {
            "spikes.t": outputs["spikes.t"][mine],
            "spikes.i": outputs["spikes.i"][mine] - n * r,
            "snapshots.t": outputs["snapshots.t"],
        }
        for name in set(outputs) - {"spikes.t", "spikes.i", "snapshots.t"}:
            columns = outputs[name].shape[1] // many
            run[name] = outputs[name][:, r * columns : (r + 1) * columns]
        found.append(run)
    return found
