"""The rules' and gates' Brian2 texts on a bench of one readout: their closed forms, and what every rule must obey."""

import itertools

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
GATES = small.shipped(Gate)
ONLINE = [name for name, rule in RULES.items() if rule.schedule == "step"]
OFFLINE = [name for name, rule in RULES.items() if rule.schedule == "trial"]

TRACES = np.array([0.5, -1.0, 2.0, 0.0, 1.5])
"""Standardised traces s of five cells."""
RATES = np.array([20.0, 5.0, 0.0, 12.0, 8.0])
"""Mean traces x of five cells, Hz."""
EXACT = {"rtol": 1e-12, "atol": 1e-15}

CLOSED_FORMS = set()


def closed_form(component):
    """Mark a test that holds a rule or a gate against its closed form."""

    def mark(test):
        CLOSED_FORMS.add(component)
        return test

    return mark


@pytest.fixture(autouse=True)
def numpy_target():
    before, b2.prefs.codegen.target = b2.prefs.codegen.target, "numpy"
    yield
    b2.prefs.codegen.target = before


def constants(component):
    """Return equations lines and values (SI) of the numeric parameters."""
    lines, values = "", {}
    for name, info in type(component).model_fields.items():
        value = getattr(component, name)
        if not isinstance(value, str):
            unit = next((each.unit for each in info.metadata if isinstance(each, Unit)), "")
            dimension, size = BRIAN_UNITS[unit]
            lines += f"{name} : {dimension} (shared, constant)\n"
            values[name] = float(value) * size
    return lines, values


def bench(rule, steps, weights=0.0, activity=None, dt=1.0, **names):
    """Run a rule alone: one channel that reads five cells, whose activity stays as it is.

    Parameters
    ----------
    rule : Rule
    steps : int
        Steps, or trials.
    weights, activity : array, optional
        Of the five cells.
    dt : float
        ms.
    **names
        What the channel knows: a number, one number a step, a Brian2 expression, or, for ``gate``, a gate. By default
        the channel's event occurs in a trial that teaches, the gate is open, and the peak is elsewhere.

    Returns
    -------
    dict of str to array
        By step: the prediction (z or q) before learning; after it every variable of the rule, and the weights ``w``
        (step, cell).
    """
    if rule.schedule == "step":
        read, told, of_cell, unit, weight_unit = "z", "target", "s", "1", "1"
        known = {"gate": 1.0, "occurs": 1.0, "at_event": 0.0, "since_event": 0.0, "mean_power": "power"}
        activity = TRACES if activity is None else activity
    else:
        read, told, of_cell, unit, weight_unit = "q", "outcome", "x", "Hz", "second"
        known = {}
        activity = RATES if activity is None else activity
    known = {told: 1.0, "learning": 1.0, **known, **names}
    lines, values = constants(rule)
    if isinstance(known.get("gate"), Gate):
        gate_lines, gate_values = constants(known["gate"])
        lines, values = lines + gate_lines, values | gate_values
        known["gate"] = known["gate"].expression
    square = f"{unit}**2" if unit != "1" else "1"
    lines += f"{read} : 1\npower : {square}\nerror = {told} - {read} : 1\n" + rule.equations + "\n"
    signals = {}
    for name, value in known.items():
        if np.ndim(value):
            signals[f"{name}_given"] = b2.TimedArray(np.array(value, float), dt=dt * b2.ms)
            value = f"{name}_given(t)"
        lines += f"{name} = {value}*second : second\n" if name == "since_event" else f"{name} = {value} : 1\n"

    clock = b2.Clock(dt * b2.ms)
    cells = b2.NeuronGroup(5, f"{of_cell} : {unit}", clock=clock)
    due = "step != 0" if rule.schedule == "step" else "t >= 0*second"
    channel = b2.NeuronGroup(1, lines, events={"learn": due}, clock=clock, namespace=signals)
    readout = b2.Synapses(cells, channel, f"w : {weight_unit}\n{read}_post = w*{of_cell}_pre : 1 (summed)",
                          on_post={"learn": rule.weight_update}, on_event={"learn": "learn"}, clock=clock)  # fmt: skip
    size = b2.Synapses(cells, channel, f"power_post = {of_cell}_pre**2 : {square} (summed)", clock=clock)
    readout.connect()
    size.connect()
    readout.summed_updaters[f"{read}_post"].order, size.summed_updaters["power_post"].order = 0, 1
    readout.summed_updaters[f"{read}_post"].when = size.summed_updaters["power_post"].when = "start"
    channel.run_regularly(rule.channel_update, clock=clock, when="start", order=2)
    channel.set_event_schedule("learn", "start", 3)
    readout.learn.when, readout.learn.order = "start", 4

    own = [line.split(":")[0].strip() for line in rule.equations.strip().splitlines()]
    kept = b2.StateMonitor(channel, [read, *own], record=0, clock=clock, when="end")
    kept_weights = b2.StateMonitor(readout, "w", record=True, clock=clock, when="end")
    setattr(cells, f"{of_cell}_", activity)
    readout.w_ = weights
    for name, value in values.items():
        setattr(channel, f"{name}_", value)
    for name, value in rule.initial.items():
        setattr(channel, f"{name}_", values[value] if isinstance(value, str) else value)
    b2.Network(cells, channel, readout, size, kept, kept_weights).run(steps * dt * b2.ms)
    found = {name: np.array(getattr(kept, f"{name}_")[0]) for name in (read, *own)}
    return found | {"w": np.array(kept_weights.w_).T}


def test_every_rule_and_every_gate_is_held_against_its_closed_form():
    assert {*RULES.values(), *GATES.values()} == CLOSED_FORMS


@closed_form(ThreeFactor)
@pytest.mark.parametrize("dt", [1.0, 0.5])
def test_three_factor_removes_an_equal_share_of_the_error_every_step(dt):
    """z_n = target (1 - (1 - rate dt gate |s|^2)^n), with weights along s."""
    gate, target, n = 0.4, 0.8, np.arange(30)
    rule = ThreeFactor(rate="0.01 1/ms")
    found = bench(rule, 30, dt=dt, gate=gate, target=target)
    share = 0.01 * dt * gate * (TRACES @ TRACES)
    np.testing.assert_allclose(found["z"], target * (1 - (1 - share) ** n), **EXACT)
    learned = target * (1 - (1 - share) ** (n + 1)) / (TRACES @ TRACES)
    np.testing.assert_allclose(found["w"], np.outer(learned, TRACES), **EXACT)


@closed_form(NormalisedThreeFactor)
@pytest.mark.parametrize("dt", [1.0, 0.5])
def test_normalised_three_factor_removes_the_stated_share(dt):
    """Share 2 rate dt gate P/(P + <P> + 1) of the error a step, P = |s|^2."""
    rule, n, power, mean_power = NormalisedThreeFactor(rate="0.05 1/ms"), np.arange(30), TRACES @ TRACES, 3.0
    found = bench(rule, 30, dt=dt, gate=0.7, mean_power=mean_power)
    share = 2 * 0.05 * dt * 0.7 * power / (power + mean_power + 1)
    np.testing.assert_allclose(found["z"], 1 - (1 - share) ** n, **EXACT)
    # so strong an activity that + 1 is nothing, and mean power that equals it: the learning rate itself
    found = bench(rule, 2, dt=dt, activity=1e8 * TRACES)
    np.testing.assert_allclose(found["z"][1], 0.05 * dt, rtol=1e-12)


@closed_form(NormalisedThreeFactor)
def test_normalised_three_factor_never_takes_more_than_the_whole_error():
    """Share P/(P + 1) at most, however large the rate."""
    power = TRACES @ TRACES
    found = bench(NormalisedThreeFactor(rate="1000 1/ms"), 5)
    np.testing.assert_allclose(found["z"], 1 - (1 / (power + 1)) ** np.arange(5), **EXACT)


@closed_form(NormalisedThreeFactor)
def test_timing_surprise_follows_the_error_at_the_event():
    """A_n = |1 - z| (1 - (1 - surprise_rate)^n), at the event only, and the step grows by 1 + gain A."""
    rule = NormalisedThreeFactor(rate="0.01 1/ms", surprise_rate=0.3, surprise_gain=4.0)
    weights = 0.25 * TRACES / (TRACES @ TRACES)
    found = bench(rule, 10, weights=weights, gate=0.0, at_event=1.0)
    np.testing.assert_allclose(found["surprise"], 0.75 * (1 - 0.7 ** np.arange(1, 11)), **EXACT)
    for elsewhere in ({"at_event": 0.0}, {"occurs": 0.0}, {"learning": 0.0}):
        found = bench(rule, 10, weights=weights, gate=0.0, **{"at_event": 1.0, **elsewhere})
        assert not found["surprise"].any()
    power = TRACES @ TRACES
    found = bench(rule, 10, at_event=[1.0] + [0.0] * 9)
    share = 2 * 0.01 * (1 + 4 * 0.3) * power / (2 * power + 1)
    np.testing.assert_allclose(found["z"], 1 - (1 - share) ** np.arange(10), **EXACT)


@closed_form(TwoFactor)
def test_two_factor_converges_geometrically():
    """q_n = outcome (1 - (1 - rate P/(P + 1 Hz^2))^n), which is 1 - (1 - rate)^n for any activity worth the name."""
    n = np.arange(30)
    power = RATES @ RATES
    found = bench(TwoFactor(rate=0.2), 30)
    np.testing.assert_allclose(found["q"], 1 - (1 - 0.2 * power / (power + 1)) ** n, **EXACT)
    found = bench(TwoFactor(rate=0.2), 30, activity=1e7 * RATES)
    np.testing.assert_allclose(found["q"], 1 - 0.8**n, **EXACT)
    # all of the error at once
    found = bench(TwoFactor(rate=1.0), 3, activity=1e7 * RATES, outcome=[1, 0, 1])
    np.testing.assert_allclose(found["q"], [0, 1, 0], atol=1e-12)


CALM = {"threshold": 1e6}


@closed_form(SurpriseTwoFactor)
def test_without_surprise_the_rate_falls_like_a_counters():
    """alpha_n = 1/(1/alpha_0 + n), until it is the slowest."""
    rule, n = SurpriseTwoFactor(fastest=0.4, slowest=0.05, **CALM), np.arange(40)
    found = bench(rule, 40, activity=np.zeros(5), outcome=0.1)
    alpha = np.maximum(1 / (1 / 0.4 + n), 0.05)
    np.testing.assert_allclose(found["step"], alpha * 0.1, **EXACT)  # |x|^2 = 0, hence over 1 Hz^2
    np.testing.assert_allclose(found["rate"][:-1], alpha[1:], **EXACT)
    assert alpha[0] == 0.4
    assert alpha[-1] == 0.05


@closed_form(SurpriseTwoFactor)
def test_a_counters_rate_makes_the_running_mean():
    """From alpha_0 = 1 the prediction is the mean of the outcomes so far."""
    outcome = np.random.default_rng(3).random(30) < 0.3
    assert 0 < outcome.mean() < 1
    found = bench(SurpriseTwoFactor(fastest=1.0, slowest=1e-6, **CALM), 30, activity=1e7 * RATES, outcome=outcome)
    np.testing.assert_allclose(found["q"][1:], (np.cumsum(outcome) / np.arange(1, 31))[:-1], rtol=1e-10, atol=1e-12)


@closed_form(SurpriseTwoFactor)
def test_errors_that_sum_beyond_the_threshold_set_the_rate_back():
    """Silent cells predict 0 for ever, so each outcome 1 is 1/sqrt(.05 .95) = 4.588 standard errors, less the drift."""
    rule = SurpriseTwoFactor(fastest=0.3, slowest=0.01, threshold=7.0, drift=0.5)
    found = bench(rule, 7, activity=np.zeros(5), outcome=[0, 0, 1, 1, 1, 0, 0])
    once = 1 / np.sqrt(0.05 * 0.95) - 0.5
    assert once < 7 < 2 * once
    np.testing.assert_allclose(found["up"], [0, 0, once, 0, once, once - 0.5, once - 1], **EXACT)
    assert found["surprised"].tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert not found["down"].any()
    # the rate with which each of the trials was learned
    alpha = 1 / (1 / 0.3 + np.array([0, 1, 2, 0, 1, 2, 3]))
    np.testing.assert_allclose(found["step"], alpha * [0, 0, 1, 1, 1, 0, 0], **EXACT)


@closed_form(SurpriseTwoFactor)
def test_an_event_that_stays_away_is_a_surprise_too():
    """From q = 1: errors of -4.588 and, at q = 0.7, -1.528 standard errors."""
    rule = SurpriseTwoFactor(fastest=0.3, slowest=0.01, threshold=5.0, drift=0.5)
    strong = 1e7 * RATES
    found = bench(rule, 3, weights=strong / (strong @ strong), activity=strong, outcome=0.0)
    first, second = 1 / np.sqrt(0.05 * 0.95) - 0.5, 0.7 / np.sqrt(0.7 * 0.3) - 0.5
    assert first < 5 < first + second
    np.testing.assert_allclose(found["q"], [1, 0.7, 0.49], rtol=1e-12)
    np.testing.assert_allclose(found["down"][:2], [first, 0], **EXACT)
    assert found["surprised"].tolist() == [0, 1, 0]


@closed_form(EventWindow)
@pytest.mark.parametrize("closed", [False, True])
def test_the_event_window_opens_around_the_event(closed):
    lag = np.arange(-400, 401)
    for latency, z, occurs, learning in itertools.product((300, 500), (-0.5, 0.1, 0.6, 1.7), (0, 1), (0, 1)):
        gate = EventWindow(half_width="150 ms", baseline=0.2, closed_outside=closed)
        lines, values = constants(gate)
        group = b2.NeuronGroup(
            len(lag),
            lines + f"since_event : second\nz : 1\noccurs : 1\nlearning : 1\ngate = {gate.expression} : 1",
            dt=1 * b2.ms,
        )
        # as the build makes it: a difference of two times, with its rounding
        group.since_event_ = (latency + lag) / 1e3 - latency / 1e3
        group.z_, group.occurs_, group.learning_ = z, occurs, learning
        for name, value in values.items():
            setattr(group, f"{name}_", value)
        outside = 0.0 if closed else min(max(z, 0.2), 1.0)
        expected = occurs * learning * np.where(np.abs(lag) <= 150, 1.0, outside)
        assert np.array_equal(group.gate_[:], expected)


# what every rule must obey


def cases():
    """Each rule with what it learns from; a rule that runs every step with every gate."""
    for name, rule in RULES.items():
        for gate in GATES if rule.schedule == "step" else [None]:
            yield pytest.param(
                rule(),
                {"gate": GATES[gate](), "at_event": 1.0} if gate else {},
                id=f"{name}{f', {gate}' if gate else ''}",
            )


WEIGHTS = np.array([1e-3, -2e-3, 3e-3, 0.0, 1e-3])


@pytest.mark.parametrize(("rule", "names"), cases())
def test_no_error_no_change(rule, names):
    told, read = ("target", "z") if rule.schedule == "step" else ("outcome", "q")
    right = bench(rule, 4, weights=WEIGHTS, **names, **{told: read})
    assert right[read].all()
    assert np.array_equal(right["w"], np.tile(WEIGHTS, (4, 1)))
    wrong = bench(rule, 4, weights=WEIGHTS, **names, **{told: f"{read} + 0.1"})
    assert np.any(wrong["w"] != WEIGHTS)


@pytest.mark.parametrize(("rule", "names"), cases())
def test_learning_reduces_the_error(rule, names):
    found = bench(rule, 20, **names)
    error = 1 - found["z" if rule.schedule == "step" else "q"]
    assert np.all(np.diff(error) < 0)
    assert error[-1] >= -1e-12


@pytest.mark.parametrize(("rule", "names"), cases())
def test_no_learning_no_change(rule, names):
    found = bench(rule, 4, weights=WEIGHTS, learning=0.0, **names)
    assert np.array_equal(found["w"], np.tile(WEIGHTS, (4, 1)))


@pytest.mark.parametrize(("rule", "names"), cases())
def test_trials_without_learning_leave_no_trace_in_the_rule(rule, names):
    """Neither in the weights nor in what the rule remembers: what follows is learned as if they had not been."""
    told = "target" if rule.schedule == "step" else "outcome"
    outcome, taught = np.array([1, 0, 1, 1, 0, 0, 1, 1]), np.array([1, 1, 0, 0, 0, 1, 1, 1])
    broken = bench(rule, 8, learning=taught, **names, **{told: outcome})
    unbroken = bench(rule, 5, **names, **{told: outcome[taught == 1]})
    assert np.array_equal(broken["w"][taught == 1], unbroken["w"])
    assert len(np.unique(unbroken["w"], axis=0)) == 5


# rules in the whole network

PAIRS = [
    (ONLINE[i % len(ONLINE)], OFFLINE[i % len(OFFLINE)], "sequence" if i == 0 else "random")
    for i in range(max(len(ONLINE), len(OFFLINE)))
]
"""Every rule at least once, a rule of "when" beside one of "what", and the circuit that runs them."""


@pytest.mark.parametrize(("when", "what", "circuit"), PAIRS)
def test_probes_leave_the_weights_bit_identical(when, what, circuit):
    model = small.configuration(circuit, when, what)
    trials = small.planned(model)[0].trials
    found = small.outputs(model)
    at_onset = np.round(found["snapshots.t"] / small.TRIAL, 9)
    assert at_onset.tolist() == list(range(len(trials) + 1))
    for weights in (found["snapshots.when"], found["snapshots.what"]):
        for row, kind in enumerate(trials["kind"]):
            assert np.array_equal(weights[row], weights[row + 1]) == (kind != "train")


@pytest.mark.parametrize(("when", "what", "circuit"), PAIRS)
def test_learning_hardly_depends_on_the_time_step_of_the_readouts(when, what, circuit):
    """At 1 and 0.5 ms, with the same spikes; weights agree within 3 % ("when") and 0.5 % ("what") of their norm."""
    models = [
        small.configuration(circuit, when, what, when__feedback="0 mV/ms", state__time_step=step)
        for step in ("1 ms", "0.5 ms")
    ]
    coarse, fine = (small.outputs(model) for model in models)
    assert np.array_equal(small.spikes(coarse), small.spikes(fine))
    for name, tolerance in (("snapshots.when", 0.03), ("snapshots.what", 0.005)):
        last = fine[name][-1]
        assert np.linalg.norm(last) > 0
        assert np.linalg.norm(coarse[name][-1] - last) < tolerance * np.linalg.norm(last)
