"""The rules' and gates' Brian2 texts, run on a bench of one readout: against their closed forms, and against what every rule must obey."""

import brian2 as b2
import numpy as np
import pytest
import small

from izhires.declare import Unit
from izhires.gates.base import Gate
from izhires.gates.event_window import EventWindow
from izhires.plan import BRIAN_UNITS
from izhires.rules.base import Rule
from izhires.rules.normalised_three_factor import NormalisedThreeFactor
from izhires.rules.surprise_two_factor import SurpriseTwoFactor
from izhires.rules.three_factor import ThreeFactor
from izhires.rules.two_factor import TwoFactor

RULES = small.shipped(Rule)
STATE = np.array([0.5, -1.0, 2.0, 0.0, 1.5])
"""Standardised traces of five cells, |s|^2 = 7.5."""
RATES = np.array([20.0, 5.0, 0.0, 12.0, 8.0])
"""Mean traces of five cells, Hz, |x|^2 = 633 Hz^2."""
EXACT = {"rtol": 1e-12, "atol": 1e-15}

CLOSED_FORMS = set()


def closed_form(component):
    """Mark a test that holds one rule or gate against its closed form."""

    def mark(test):
        CLOSED_FORMS.add(component)
        return test

    return mark


def constants(component):
    """Equations lines and values (SI) of the numeric parameters."""
    lines, values = "", {}
    for name, info in type(component).model_fields.items():
        value = getattr(component, name)
        if not isinstance(value, str):
            unit = next((each.unit for each in info.metadata if isinstance(each, Unit)), "")
            dimension, size = BRIAN_UNITS[unit]
            lines += f"{name} : {dimension} (shared, constant)\n"
            values[name] = float(value) * size
    return lines, values


def bench(rule, steps, weights=None, state=None, dt=1.0, gate=None, **names):
    """Run a rule alone for some steps: one channel that reads five cells, whose activity does not change.

    Parameters
    ----------
    rule : Rule
    steps : int
        Steps of `dt` for a rule that runs every step, else trials.
    weights, state : array, optional
        Of the five cells, at the start.
    dt : float
        ms.
    gate : Gate, optional
        In place of the name ``gate``.
    **names
        What the channel knows: a number, one number a step, or a Brian2 expression. Not given: an event that occurs, is taught, and is
        not at its peak.

    Returns
    -------
    dict of str to array
        Before each step: the prediction, and after it every variable of the rule; ``w`` (step, cell) after it.
    """
    online = rule.schedule == "step"
    state = (STATE if online else RATES) if state is None else state
    prediction, target, activity = ("z", "target", "s") if online else ("q", "outcome", "x")
    unit = "1" if online else "Hz"
    given = {target: 1.0, "learning": 1.0}
    if online:
        given |= {"gate": 1.0, "occurs": 1.0, "at_event": 0.0, "since_event": 0.0, "mean_power": "power"} | names
        if gate is not None:
            given["gate"] = gate.expression
    else:
        given |= names
    namespace, lines = {}, f"{prediction} : 1\npower : {unit}**2\nerror = {target} - {prediction} : 1\n"
    for name, value in given.items():
        dimension = "second" if name == "since_event" else "1"
        if np.ndim(value):
            namespace[f"{name}_of_step"] = b2.TimedArray(np.array(value, float), dt=dt * b2.ms)
            value = f"{name}_of_step(t)"
        lines += f"{name} = {value}{'*second' if name == 'since_event' and not isinstance(value, str) else ''} : {dimension}\n"

    clock = b2.Clock(dt * b2.ms)
    rule_lines, values = constants(rule)
    gate_lines, gate_values = constants(gate) if gate is not None else ("", {})
    options = {"clock": clock, "namespace": namespace, "codeobj_class": b2.codegen.runtime.numpy_rt.NumpyCodeObject}
    cells = b2.NeuronGroup(len(state), f"{activity} : {unit}", **options)
    channel = b2.NeuronGroup(1, lines + rule.equations + "\n" + rule_lines + gate_lines, events={"learn": "step != 0"}, **options)
    channel.run_regularly(rule.channel_update, clock=clock, when="start", order=2, codeobj_class=options["codeobj_class"])
    channel.set_event_schedule("learn", "start", 3)
    readout = b2.Synapses(
        cells, channel, f"w : {'1' if online else 'second'}\n{prediction}_post = w*{activity}_pre : 1 (summed)",
        on_post={"learn": rule.weight_update}, on_event={"learn": "learn"}, **options,
    )  # fmt: skip
    readout.connect()
    summing = b2.Synapses(cells, channel, f"power_post = {activity}_pre**2 : {unit}**2 (summed)", **options)
    summing.connect()
    for thing, order in ((readout.summed_updaters[f"{prediction}_post"], 0), (summing.summed_updaters["power_post"], 1)):
        thing.when, thing.order = "start", order
    readout.learn.when, readout.learn.order = "start", 4
    for name, value in (values | gate_values).items():
        setattr(channel, f"{name}_", value)
    for name, value in rule.initial.items():
        setattr(channel, f"{name}_", values[value] if isinstance(value, str) else value)
    setattr(cells, f"{activity}_", state)
    if weights is not None:
        readout.w_ = weights
    own = [line.split(":")[0].strip() for line in rule.equations.strip().splitlines()]
    kept = b2.StateMonitor(channel, [prediction, *own], record=0, clock=clock, when="end", codeobj_class=options["codeobj_class"])
    kept_w = b2.StateMonitor(readout, "w", record=True, clock=clock, when="end", codeobj_class=options["codeobj_class"])
    b2.Network(cells, channel, readout, summing, kept, kept_w).run(steps * dt * b2.ms)
    found = {name: np.array(getattr(kept, f"{name}_")[0]) for name in (prediction, *own)}
    return found | {"w": np.array(kept_w.w_).T}


def test_every_rule_and_every_gate_is_held_against_its_closed_form():
    assert set(RULES.values()) | set(small.shipped(Gate).values()) == CLOSED_FORMS


# closed forms


@closed_form(ThreeFactor)
@pytest.mark.parametrize("dt", [1.0, 0.5])
def test_three_factor_removes_the_same_share_of_the_error_every_step(dt):
    """z_n = target (1 - (1 - rate dt gate |s|^2)^n), along s."""
    rule, gate, target, n = ThreeFactor(rate="0.01 1/ms"), 0.4, 0.8, np.arange(30)
    found = bench(rule, 30, dt=dt, gate=None, target=target, **{"gate": gate} if False else {})
    share = rule.rate * dt * (STATE @ STATE)
    np.testing.assert_allclose(found["z"], target * (1 - (1 - share) ** n), **EXACT)
    direction = found["w"][-1] / (STATE + (STATE == 0))
    np.testing.assert_allclose(direction[STATE != 0], direction[0], **EXACT)
    assert found["w"][-1][3] == 0
    assert gate
