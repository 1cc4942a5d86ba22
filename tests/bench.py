"""A bench for rules, gates and readouts: the network that the package builds, with states that the test gives.

Cells and their filter run as ever, and do not matter: what the readouts see, s and x, is put in their place. All else
(signals, gate, rule, sums over channels, order within a step) is the build's own.
"""

from __future__ import annotations

import dataclasses
import re

import brian2 as b2
import numpy as np
import pandas as pd
import small

from izhires.building.build import build
from izhires.building.draft import make_plan
from izhires.building.parts import Monitor, Signal
from izhires.devices import get
from izhires.model.seeds import Seeds
from izhires.paradigms.experiment import Experiment, frequencies

CELLS = 10


def model(rule=None, gate="open", what="two_factor", dt=1.0, **changes):
    """Return a configuration of ten cells, with one step for cells and readouts; `changes` as `small.configuration`.

    A gate that listens to a neuromodulator has one to listen to.
    """
    if "level" in (gate, getattr(gate, "type", ""), gate.get("type") if isinstance(gate, dict) else ""):
        changes.setdefault("neuromodulators", {"dopamine": {"tau_rise": "2 ms", "tau_decay": "9 ms"}})
    return small.configuration(
        "unconnected", "normalised_three_factor", "two_factor",
        **{"reservoir__n": CELLS, "time_step": f"{dt} ms", "state__time_step": f"{dt} ms", "what__rule": what,
           "when__rule": rule or "three_factor", "when__gate": gate, "when__feedback": "0 mV/ms",
           "when__largest_prediction": 1e9, **changes},
    )  # fmt: skip


def task(trials, window=20, duration=None, cue=0, width=5, events=("A", "B")):
    """Return an experiment of trials that follow each other; times in ms.

    Parameters
    ----------
    trials : list of (event, latency, kind, block)
        With kind "train" or "probe"; an event "" is none. Block may be left out (0), kind too ("train").
    window, duration, cue, width : int
        Of each trial; by default two steps are left after the window.
    """
    duration = duration or cue + window + 2
    rows = []
    for number, (event, latency, *rest) in enumerate(trials):
        kind, block = (rest + ["train", 0][len(rest) :])[:2]
        onset = number * duration / 1e3
        rows.append((onset, duration / 1e3, onset + cue / 1e3, event, latency / 1e3 if event else np.nan, block, kind))
    table = pd.DataFrame(rows, columns=["onset", "duration", "cue", "event", "latency", "block", "kind"])
    table["learn"] = table["kind"] == "train"
    return Experiment("bench", "", events, table, frequencies(table, list(events)), window / 1e3, width / 1e3, 1e-3)


def prepared(configuration, experiment, s=None, x=None, seed=0, known=None):
    """Return plan and arrays whose readouts see the given states.

    Parameters
    ----------
    configuration, experiment
    s : array, shape (step, CELLS) or (CELLS,), optional
        Standardised traces; standard normal numbers by default.
    x : array, shape (step, CELLS) or (CELLS,), optional
        Mean traces, Hz; a constant by default.
    seed : int
    known : dict, optional
        By ``readout.name``, what its channels know in place of what they should: a Brian2 expression, a number, or one
        number a step.
    """
    plan, arrays = make_plan(configuration, experiment, Seeds(seed=seed))
    rng = np.random.default_rng(seed)
    s = rng.standard_normal((plan.steps, CELLS)) if s is None else s
    x = np.linspace(2, 20, CELLS) if x is None else x
    for name, values in (("given_s", s), ("given_x", x)):
        made = np.zeros((plan.steps, CELLS))
        values = np.broadcast_to(values, (plan.steps if np.ndim(values) == 1 else len(values), CELLS))
        made[: len(values)] = values[: plan.steps]
        arrays[f"signals.{name}"] = made
    filtered = plan.part("state_filter")
    changed = {"state_filter": dataclasses.replace(filtered, code="s = given_s(t, i)\nx = given_x(t, i)*Hz\n")}
    signals = [Signal(name, each=CELLS) for name in ("given_s", "given_x")]
    for place, value in (known or {}).items():
        owner, name = place.split(".")
        if np.ndim(value):
            arrays[f"signals.given_{name}"] = np.resize(np.asarray(value, float), plan.steps)
            signals.append(Signal(f"given_{name}"))
            value = f"given_{name}(t)"
        line = re.compile(rf"(?m)^{name}(?: = .*)? : (\S+).*$")
        group = changed.get(owner, plan.part(owner))
        if line.search(group.equations):  # else the rule does not ask for it
            equations, links = line.sub(rf"{name} = {value} : \1", group.equations), dict(group.links)
            links.pop(name, None)
            changed[owner] = dataclasses.replace(group, equations=equations, links=links)
    shapes = {name: (array.dtype.str, array.shape) for name, array in arrays.items()}
    monitors = [dataclasses.replace(each, every=1) for each in plan.of(Monitor) if each.every]
    plan = plan.changed(*changed.values(), *monitors)
    return dataclasses.replace(plan, parts=(*signals, *plan.parts), shapes=shapes), arrays


def run(configuration, experiment, *, record=(), weights=None, **given):
    """Run on Brian2's numpy target; return one row a step.

    Parameters
    ----------
    configuration, experiment
    record : tuple of str
        Variables, as ``when.gate``, ``when_network.weight``, ``state.s``, ``what.rate``.
    weights : dict, optional
        Weights at the start, (channel, cell), by readout.
    **given
        As `prepared` takes it.

    Returns
    -------
    dict of str to array
        ``z`` and ``q`` (step, channel), ``when`` and ``what`` (step, channel, cell): the weights after the step, and
        what is asked for (step, member); SI units.
    """
    plan, arrays = prepared(configuration, experiment, **given)
    for name, values in (weights or {}).items():
        arrays[f"{name}_weights.w"] = np.ravel(np.broadcast_to(values, (plan.length("when"), CELLS))).astype(float)
    before, b2.prefs.codegen.target = b2.prefs.codegen.target, "numpy"
    try:
        net = build(plan, arrays).network
        clock = net["readout_clock"] if "readout_clock" in net else net["when"].clock
        kept = {}
        for each in {"when.z", "what.q", "when_weights.w", "what_weights.w", *record}:
            owner, variable = each.split(".")
            kept[each] = b2.StateMonitor(net[owner], variable, record=True, clock=clock, when="end")
        net.add(*kept.values())
        net.run(plan.duration * b2.second, namespace={})
        found = {each: np.array(getattr(monitor, f"{each.split('.')[1]}_")).T for each, monitor in kept.items()}
    finally:
        b2.prefs.codegen.target = before
    shape = (plan.steps, plan.length("when"), CELLS)
    return {**{name: found[name] for name in record}, "z": found["when.z"], "q": found["what.q"],
            "when": found["when_weights.w"].reshape(shape), "what": found["what_weights.w"].reshape(shape),
            "s": arrays["signals.given_s"]}  # fmt: skip


def compiled(configuration, experiment, device="cpp", **given):
    """Run on a device; return what its program returns, with weights in every step."""
    plan, arrays = prepared(configuration, experiment, **given)
    return get(device).prepare(plan).run(arrays)
