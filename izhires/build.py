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
from izhires.plan import Plan

# object -> (slot, order): readouts first, from the state that the step before left; then the cells; at a window's end,
# "what"
SCHEDULE: dict[str, tuple[str, int]] = {
    "state filter": ("start", 0),
    "population power": ("start", 1),
    "population mean power": ("start", 2),
    "when reading": ("start", 3),
    "when rule": ("start", 4),
    "when learning event": ("start", 5),
    "when weights": ("start", 6),
    "feedback": ("start", 7),
    "drive": ("start", 8),
    "recording": ("before_groups", 0),
    "noise": ("before_groups", 1),
    "cells": ("groups", 0),
    "spikes": ("thresholds", 0),
    "window's end": ("thresholds", 1),
    "what cleared": ("thresholds", 2),
    "synapses": ("synapses", 0),
    "what reading": ("synapses", 1),
    "what rule": ("synapses", 2),
    "what weights": ("synapses", 3),
    "reset": ("resets", 0),
}


@dataclass(frozen=True)
class Built:
    """A Brian2 network, with the names of what goes in and what comes out.

    Parameters
    ----------
    network : brian2.Network
    outputs : dict of str to brian2 variable
        Recorded variables: ``spikes.t``, ``spikes.i``, ``when.z``, ``snapshots.when``, ``snapshots.what``,
        ``snapshots.x``, ``snapshots.q``, ``snapshots.t``.
    parameters : dict of str to brian2 variable
        Variables of one value, by ``object.variable``.
    """

    network: b2.Network
    outputs: dict[str, Any]
    parameters: dict[str, Any]


class Additions:
    """What a device needs or adds beyond plain Brian2; this one adds nothing."""

    own_noise: ClassVar[bool] = False
    """Whether `fill_noise` takes the place of Brian2's ``xi``."""

    def clock(self, step: float) -> b2.Clock:
        """Return the clock of the cells."""
        return b2.Clock(step * b2.second, name="cell_clock")

    def fill_noise(self, cells: b2.NeuronGroup) -> Any:
        """Return the object that fills the cells' variable ``gaussian`` before each step, where there is own noise."""
        raise NotImplementedError

    def dense_sum(self, updater: Any, inner: str, rows: int) -> None:
        """Take over a summed variable between channels and all cells of their network, `rows` channels in order.

        The inner loop runs over the cells, which are ``pre`` or ``post``.
        """


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
        for name in ("elapsed", "latency", "event", "learn")
    }
    parameters: dict[str, Any] = {}

    def fill(name: str, thing: Any) -> Any:
        for key, value in arrays.items():
            owner, variable = key.split(".")
            if owner != name or variable in ("i", "j"):
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
    _at(cells.resetter["spike"], "reset")

    # state
    state = neurons("state", n, texts["state"]["equations"], readout_clock)
    need("cells", cells, "r")
    state.r = b2.linked_var(cells, "r")
    cells.drive = b2.linked_var(state, "drive")
    step(state, texts["state"]["update"], "state filter")
    step(state, texts["state"]["drive"], "drive")
    population = neurons("population", many, texts["population"]["equations"], readout_clock)
    step(population, texts["population"]["update"], "population mean power")

    # readouts
    when = neurons("when", k, texts["when"]["equations"], readout_clock, events={"learn": "step != 0"})
    own = np.repeat(np.arange(many), plan.channels)
    when.power = b2.linked_var(population, "power", index=own)
    when.mean_power = b2.linked_var(population, "mean_power", index=own)
    step(when, texts["when"]["update"], "when rule")
    when.set_event_schedule("learn", *SCHEDULE["when learning event"])
    # Brian2 runs one code per event, so the end of the window is two events: one clears, one reads and learns
    what = neurons(
        "what",
        k,
        texts["what"]["equations"],
        readout_clock,
        events={name: texts["what"]["window_end"].strip() for name in ("clear", "window_end")},
    )
    what.set_event_schedule("clear", *SCHEDULE["window's end"])
    what.set_event_schedule("window_end", *SCHEDULE["window's end"])
    what.run_on_event("clear", "q = 0\npower = 0*Hz**2", *SCHEDULE["what cleared"])
    what.run_on_event("window_end", texts["what"]["update"], *SCHEDULE["what rule"])
    if not additions.own_noise:
        arrays = {key: value for key, value in arrays.items() if key != "cells.noise_seed"}
    for name, group in (("cells", cells), ("state", state), ("population", population), ("when", when), ("what", what)):
        fill(name, group)
    if additions.own_noise:
        source = additions.fill_noise(cells)
        _at(source, "noise")
        net.add(source)

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
        fill(name, synapses)

    # readout weights, channel by channel, each to all cells of its own network: weight k*cells + i is that of cell i to
    # channel k
    blocks = np.arange(n).reshape(many, plan.cells)
    cell_index, channel_index = np.repeat(blocks, plan.channels, axis=0).ravel(), np.repeat(np.arange(k), plan.cells)
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
    fill("when_weights", when_weights)
    with _naming("what_weights"):
        what_weights = b2.Synapses(
            state,
            what,
            texts["what_weights"]["equations"],
            on_post={"read": texts["what_weights"]["read"], "learn": texts["what_weights"]["learn"]},
            on_event={"read": "window_end", "learn": "window_end"},
            name="what_weights",
            clock=readout_clock,
            namespace=signals,
        )
    what_weights.connect(i=cell_index, j=channel_index)
    _at(what_weights.read, "what reading")
    _at(what_weights.learn, "what weights")
    fill("what_weights", what_weights)
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
    additions.dense_sum(feedback.summed_updaters["feedback_post"], "post", k)
    fill("feedback", feedback)

    # recordings
    slot, order = SCHEDULE["recording"]
    snapshot_dt = plan.snapshot_steps * plan.readout_step * b2.second
    # one clock for all snapshots, so that they are taken together
    snapshot_clock = b2.Clock(snapshot_dt, name="snapshot_clock")
    spikes = b2.SpikeMonitor(cells, name="spikes")
    timing = b2.StateMonitor(when, "z", record=True, clock=readout_clock, when=slot, order=order, name="timing")
    identity = b2.StateMonitor(what, "q", record=True, clock=snapshot_clock, when=slot, order=order, name="identity")
    mean_state = b2.StateMonitor(
        state, "x", record=True, clock=snapshot_clock, when=slot, order=order, name="mean_state"
    )
    when_kept = b2.StateMonitor(
        when_weights, "w", record=True, clock=snapshot_clock, when=slot, order=order, name="when_kept"
    )
    what_kept = b2.StateMonitor(
        what_weights, "w", record=True, clock=snapshot_clock, when=slot, order=order, name="what_kept"
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
    return Built(net, outputs, parameters)


_UNSEEDED = re.compile(r"\b(xi_\w+|randn?\b|poisson\b)")


def _xi_as_array(equations: str) -> str:
    return re.sub(r"\bxi\b", "(gaussian*dt**-0.5)", equations)


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
