"""From a plan to one Brian2 network, the same for every device.

The order of events within one readout step (1 ms) is written once, in `SCHEDULE`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import brian2 as b2
import numpy as np
from brian2.core.base import BrianObjectException

from izhires.errors import ConfigurationError
from izhires.plan import INVERSE_STATE, Plan

# object -> (slot, order): readouts first, from the state that the step before left; then the cells; at a window's end,
# "what"
_IN_ORDER = {
    "start": (
        "state filter",
        "state shuffled",
        "population power",
        "population mean power",
        "when reading",
        "gate",
        "pooled",
        "population rule",
        "inverse told",
        "inverse reset",
        "inverse reading",
        "inverse projection",
        "inverse scaled",
        "when rule",
        "when learning event",
        "when weights",
        "inverse update",
        "feedback",
        "drive",
    ),
    "before_groups": ("recording",),
    "groups": ("cells",),
    "thresholds": ("spikes", "window's end", "trial readouts cleared"),
    "synapses": ("synapses", "trial reading", "trial rule", "trial weights"),
    "resets": ("reset",),
}
SCHEDULE: dict[str, tuple[str, int]] = {
    name: (slot, order) for slot, names in _IN_ORDER.items() for order, name in enumerate(names)
}

TRIAL_READOUTS = ("what", "confidence")
"""Readouts of x that learn once a trial."""


@dataclass(frozen=True)
class Built:
    """A Brian2 network, with the names of what goes in and what comes out.

    Parameters
    ----------
    network : brian2.Network
    outputs : dict of str to brian2 variable
        Recorded variables: ``spikes.t``, ``spikes.i``, ``when.z``, ``snapshots.when``, ``snapshots.what``,
        ``snapshots.x``, ``snapshots.q``, ``snapshots.t``, and ``snapshots.confidence`` where it is read.
    parameters : dict of str to brian2 variable
        Variables of one value, by ``object.variable``.
    """

    network: b2.Network
    outputs: dict[str, Any]
    parameters: dict[str, Any]


class Additions:
    """What a device needs or adds beyond plain Brian2; this one adds nothing."""

    own_noise: ClassVar[bool] = False
    """Whether `cells` draws the numbers ``gaussian`` that take the place of Brian2's ``xi``."""

    def clock(self, step: float) -> b2.Clock:
        """Return the clock of the cells."""
        return b2.Clock(step * b2.second, name="cell_clock")

    def cells(self, cells: b2.NeuronGroup) -> None:
        """Take over noise, equations and threshold of the cells."""

    def propagation(self, pathway: Any) -> None:
        """Take over the delivery of spikes through synapses."""

    def dense_event(self, pathway: Any, rows: int) -> None:
        """Take over what happens to the weights of channels that have an event, as `dense_sum` has the channels."""

    def dense_sum(self, updater: Any, inner: str, rows: int, together: int = 1) -> None:
        """Take over a summed variable between channels and all cells of their network, `rows` channels in order.

        The inner loop runs over the cells, which are ``pre`` or ``post``; `together` channels have the same cells.
        """

    def inverse(self, synapses: b2.Synapses, matrices: int) -> Any:
        """Return an object that takes over reading, resetting and updating `matrices` inverse correlations, or None."""
        return None


def _at(thing: Any, name: str) -> None:
    thing.when, thing.order = SCHEDULE[name]


def build(plan: Plan, arrays: dict[str, np.ndarray], additions: Additions | None = None) -> Built:
    """Make the network of a plan.

    Parameters
    ----------
    plan : Plan
    arrays : dict
        What `plan.shapes` lists.
    additions : Additions, optional
        What the device adds for speed.

    Returns
    -------
    Built

    Raises
    ------
    ConfigurationError
        If Brian2 cannot read an equation, naming the object.
    """
    net = b2.Network()
    additions = additions or Additions()
    texts = plan.texts
    # all replicates together; each has its own block of cells and channels, in order
    many = plan.replicates
    n, k = plan.cells * many, plan.channels * many
    cell_clock = additions.clock(plan.cell_step)
    readout_clock = b2.Clock(plan.readout_step * b2.second, name="readout_clock")
    signals = {
        name: b2.TimedArray(
            arrays[f"signals.{name}"] * (b2.second if name in ("elapsed", "latency") else 1),
            dt=plan.readout_step * b2.second,
            name=f"{name}_signal",
        )
        for name in (key.removeprefix("signals.") for key in arrays if key.startswith("signals."))
    }
    parameters: dict[str, Any] = {}

    def fill(name: str, thing: Any) -> Any:
        for key, value in arrays.items():
            owner, variable = key.split(".")
            if owner != name or variable in ("i", "j", "other"):
                continue
            if variable != "delay":
                need(name, thing, variable)
            if value.ndim == 0:
                setattr(thing, variable + "_", value[()].item())
                parameters[key] = thing.variables[variable]
            elif variable == "delay":
                thing.pre.delay_ = value
            else:
                setattr(thing, variable + "_", value)
        net.add(thing)
        return thing

    def need(name: str, thing: Any, variable: str) -> None:
        if variable not in thing.variables:
            raise ConfigurationError(f"the equations must have a variable {variable!r}", name)

    def neurons(name: str, size: int, equations: str, clock: b2.Clock, **options: Any) -> b2.NeuronGroup:
        with _naming(name):
            return b2.NeuronGroup(size, equations, clock=clock, name=name, namespace=signals, **options)

    def step(owner: Any, code: str, name: str) -> None:
        if not code.strip():
            return
        slot, order = SCHEDULE[name]
        owner.run_regularly(code, clock=readout_clock, when=slot, order=order, name=name.replace(" ", "_"))

    for name, each in texts.items():
        for text in each.values():
            if unseeded := _UNSEEDED.search(text):
                problem = f"{unseeded[0]!r} does not follow the seed of a run; noise enters the cells as xi"
                raise ConfigurationError(problem, name)

    # cells
    equations = texts["cells"]["equations"]
    if additions.own_noise:  # for Euler, xi and a Gaussian number over sqrt(dt) are the same thing
        equations = _xi_as_array(equations) + "gaussian : 1\nnoise_seed : integer (shared, constant)\n"
    cells = neurons(
        "cells",
        n,
        equations,
        cell_clock,
        threshold=texts["cells"]["threshold"],
        reset=texts["cells"]["reset"],
        method="euler",
    )
    _at(cells.state_updater, "cells")
    _at(cells.thresholder["spike"], "spikes")
    additions.cells(cells)
    _at(cells.resetter["spike"], "reset")

    # state
    state = neurons("state", n, texts["state"]["equations"], readout_clock)
    need("cells", cells, "r")
    state.r = b2.linked_var(cells, "r")
    cells.drive = b2.linked_var(state, "drive")
    step(state, texts["state"]["update"], "state filter")
    if "shuffle" in texts["state"]:
        for variable in ("s", "x"):
            setattr(
                state,
                f"{variable}_other",
                b2.linked_var(state, f"{variable}_own", index=arrays["state.other"].astype(int)),
            )
        step(state, texts["state"]["shuffle"], "state shuffled")
    step(state, texts["state"]["drive"], "drive")
    population = neurons("population", many, texts["population"]["equations"], readout_clock)
    step(population, texts["population"].get("update", ""), "population mean power")

    # readouts
    active = texts["when"].get("active", "step != 0").strip()
    when = neurons("when", k, texts["when"]["equations"], readout_clock, events={"learn": active})
    own = np.repeat(np.arange(many), plan.channels)
    linked = re.compile(r"(?m)^(\w+) : .*\(linked\)$")
    for variable in linked.findall(texts["when"]["equations"]):
        setattr(when, variable, b2.linked_var(population, variable, index=own))
    if "inverse" in texts:
        for variable in linked.findall(INVERSE_STATE):
            of_all = b2.linked_var(population, variable.removesuffix("_now"), index=np.zeros(n, int))
            setattr(state, variable, of_all)
        step(state, texts["inverse"]["told"], "inverse told")
        step(state, texts["inverse"]["scaled"], "inverse scaled")
    if "gate" in texts["when"]:
        step(when, texts["when"]["gate"], "gate")
    if "rule" in texts["population"]:
        step(population, texts["population"]["rule"], "population rule")
    step(when, texts["when"]["update"], "when rule")
    when.set_event_schedule("learn", *SCHEDULE["when learning event"])
    groups = {"cells": cells, "state": state, "population": population, "when": when}
    for name in TRIAL_READOUTS:
        if name not in texts:
            continue
        # Brian2 runs one code per event, so the end of the window is two events: one clears, one reads and learns
        each = groups[name] = neurons(
            name,
            arrays[f"{name}.channel"].size,
            texts[name]["equations"],
            readout_clock,
            events={event: texts[name]["window_end"].strip() for event in ("clear", "window_end")},
        )
        each.set_event_schedule("clear", *SCHEDULE["window's end"])
        each.set_event_schedule("window_end", *SCHEDULE["window's end"])
        each.run_on_event("clear", "q = 0\npower = 0*Hz**2", *SCHEDULE["trial readouts cleared"])
        each.run_on_event("window_end", texts[name]["update"], *SCHEDULE["trial rule"])
    if not additions.own_noise:
        arrays = {key: value for key, value in arrays.items() if key != "cells.noise_seed"}
    for name, group in groups.items():
        fill(name, group)

    # recurrent synapses
    for name in ("excitation", "inhibition"):
        if name not in texts:
            continue
        with _naming(name):
            synapses = b2.Synapses(
                cells,
                cells,
                texts[name]["equations"],
                on_pre=texts[name]["on_pre"],
                name=name,
                clock=cell_clock,
                namespace=signals,
            )
        synapses.connect(i=arrays[f"{name}.i"], j=arrays[f"{name}.j"])
        _at(synapses.pre, "synapses")
        additions.propagation(synapses.pre)
        fill(name, synapses)

    # readout weights, channel by channel, each to all cells of its own network: weight k*cells + i is that of cell i to
    # channel k
    blocks = np.arange(n).reshape(many, plan.cells)
    cell_index, channel_index = np.repeat(blocks, plan.channels, axis=0).ravel(), np.repeat(np.arange(k), plan.cells)
    if "update" in texts["population"]:
        with _naming("population"):
            power = b2.Synapses(
                state,
                population,
                "power_post = s_pre**2 : 1 (summed)",
                name="power",
                clock=readout_clock,
                namespace=signals,
            )
        power.connect(i=np.arange(n), j=np.repeat(np.arange(many), plan.cells))
        _at(power.summed_updaters["power_post"], "population power")
        additions.dense_sum(power.summed_updaters["power_post"], "pre", many)
        net.add(power)
    with _naming("when_weights"):
        when_weights = b2.Synapses(
            state,
            when,
            texts["when_weights"]["equations"] + "z_post = w*s_pre : 1 (summed)",
            on_post={"learn": texts["when_weights"]["learn"]},
            on_event={"learn": "learn"},
            name="when_weights",
            clock=readout_clock,
            namespace=signals,
        )
    when_weights.connect(i=cell_index, j=channel_index)
    _at(when_weights.summed_updaters["z_post"], "when reading")
    additions.dense_sum(when_weights.summed_updaters["z_post"], "pre", k)
    _at(when_weights.learn, "when weights")
    additions.dense_event(when_weights.learn, k)
    fill("when_weights", when_weights)
    for variable in re.findall(r"(?m)^(\w+)_own = ", texts["when"]["equations"]):
        with _naming("population"):
            pooled = b2.Synapses(
                when,
                population,
                f"{variable}_post = {variable}_own_pre : 1 (summed)",
                name=f"{variable}_pooled",
                clock=readout_clock,
                namespace=signals,
            )
        pooled.connect(i=np.arange(k), j=own)
        _at(pooled.summed_updaters[f"{variable}_post"], "pooled")
        net.add(pooled)
    if "inverse" in texts:
        fill("inverse", _add_inverse(net, plan, state, population, readout_clock, signals, additions))
    trial_weights = {}
    for name in TRIAL_READOUTS:
        if name not in texts:
            continue
        with _naming(f"{name}_weights"):
            weights = trial_weights[name] = b2.Synapses(
                state,
                groups[name],
                texts[f"{name}_weights"]["equations"],
                on_post={"read": texts[f"{name}_weights"]["read"], "learn": texts[f"{name}_weights"]["learn"]},
                on_event={"read": "window_end", "learn": "window_end"},
                name=f"{name}_weights",
                clock=readout_clock,
                namespace=signals,
            )
        rows = len(groups[name]) // many
        weights.connect(i=np.repeat(blocks, rows, axis=0).ravel(), j=np.repeat(np.arange(rows * many), plan.cells))
        _at(weights.read, "trial reading")
        additions.propagation(weights.read)
        _at(weights.learn, "trial weights")
        additions.dense_event(weights.learn, rows * many)
        fill(f"{name}_weights", weights)
    with _naming("feedback"):
        feedback = b2.Synapses(
            when,
            state,
            "w : 1\nfeedback_post = w*fed_back_pre : volt/second (summed)",
            name="feedback",
            clock=readout_clock,
            namespace=signals,
        )
    feedback.connect(i=channel_index, j=cell_index)
    _at(feedback.summed_updaters["feedback_post"], "feedback")
    additions.dense_sum(feedback.summed_updaters["feedback_post"], "post", k, plan.channels)
    fill("feedback", feedback)

    # recordings
    slot, order = SCHEDULE["recording"]
    snapshot_dt = plan.snapshot_steps * plan.readout_step * b2.second
    # one clock for all snapshots, so that they are taken together
    snapshot_clock = b2.Clock(snapshot_dt, name="snapshot_clock")
    spikes = b2.SpikeMonitor(cells, name="spikes")
    timing = b2.StateMonitor(when, "z", record=True, clock=readout_clock, when=slot, order=order, name="timing")
    identity = b2.StateMonitor(
        groups["what"], "q", record=True, clock=snapshot_clock, when=slot, order=order, name="identity"
    )
    mean_state = b2.StateMonitor(
        state, "x", record=True, clock=snapshot_clock, when=slot, order=order, name="mean_state"
    )
    when_kept = b2.StateMonitor(
        when_weights, "w", record=True, clock=snapshot_clock, when=slot, order=order, name="when_kept"
    )
    what_kept = b2.StateMonitor(
        trial_weights["what"], "w", record=True, clock=snapshot_clock, when=slot, order=order, name="what_kept"
    )
    net.add(spikes, timing, identity, mean_state, when_kept, what_kept)
    outputs = {
        "spikes.t": spikes.variables["t"],
        "spikes.i": spikes.variables["i"],
        "when.z": timing.variables["z"],
        "snapshots.t": when_kept.variables["t"],
        "snapshots.q": identity.variables["q"],
        "snapshots.x": mean_state.variables["x"],
        "snapshots.when": when_kept.variables["w"],
        "snapshots.what": what_kept.variables["w"],
    }
    if "confidence" in groups:
        counts = b2.StateMonitor(
            groups["confidence"], "q", record=True, clock=snapshot_clock, when=slot, order=order, name="counts"
        )
        net.add(counts)
        outputs["snapshots.confidence"] = counts.variables["q"]
    return Built(net, outputs, parameters)


def _add_inverse(
    net: b2.Network,
    plan: Plan,
    state: b2.NeuronGroup,
    population: b2.NeuronGroup,
    clock: b2.Clock,
    signals: dict[str, Any],
    additions: Additions,
) -> b2.Synapses:
    """Add the inverse correlation of the states: entry (m*cells + j)*cells + i is P_ij of matrix m."""
    n, texts = plan.cells, plan.texts["inverse"]
    # all channels share one matrix where the plan selects none by the event
    matrices = plan.channels if "event(t)" in plan.texts["population"]["rule"] else 1
    inverse = b2.Synapses(state, state, texts["equations"], name="inverse", clock=clock, namespace=signals)
    inverse.connect(i=np.tile(np.arange(n), matrices * n), j=np.tile(np.repeat(np.arange(n), n), matrices))
    inverse.matrix = np.repeat(np.arange(matrices), n * n)
    reading = inverse.summed_updaters["gain_post"]
    _at(reading, "inverse reading")
    for role in ("reset", "update"):
        slot, order = SCHEDULE[f"inverse {role}"]
        inverse.run_regularly(texts[role], clock=clock, when=slot, order=order, name=f"inverse_{role}")
    own = additions.inverse(inverse, matrices)
    if own is not None:
        for each in inverse.contained_objects:
            if each is reading or each.name in ("inverse_reset", "inverse_update"):
                each.active = False
        _at(own, "inverse reading")
        net.add(own)
    projection = b2.Synapses(
        state,
        population,
        "projected_post = gain_pre*s_pre : 1 (summed)",
        name="projection",
        clock=clock,
        namespace=signals,
    )
    projection.connect(i=np.arange(n), j=np.zeros(n, int))
    _at(projection.summed_updaters["projected_post"], "inverse projection")
    additions.dense_sum(projection.summed_updaters["projected_post"], "pre", 1)
    net.add(projection)
    return inverse


_UNSEEDED = re.compile(r"\b(xi_\w+|randn?\b|poisson\b)")


def _xi_as_array(equations: str) -> str:
    return re.sub(r"\bxi\b", "(gaussian/sqrt(dt))", equations)


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
