"""A second, slow implementation of one whole run in plain numpy, to hold the generated programs against.

Written from the equations alone (`izhires.circuits.base`, `izhires.plan`, the docstrings of the rules and gates) and
from the order of events in `izhires.build.SCHEDULE`; it calls neither `izhires.build` nor Brian2. It works in mV and
ms, where the package works in SI units, and takes times from the trial table as whole steps, so that the package's
units and edges are checked too. From `make_plan` it takes what was drawn (cells, synapses, cue and feedback weights),
and how many steps there are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np


def event_window(gate, learning, occurs, lag, z):
    """Return 1 within half_width of the event that occurs, else clip(z, baseline, 1), or 0 when closed outside."""
    if not (learning and occurs):
        return 0.0
    if abs(lag) <= gate.half_width:
        return 1.0
    return 0.0 if gate.closed_outside else min(max(z, gate.baseline), 1.0)


@dataclass
class ThreeFactor:
    """Step of dw = step*s: rate*dt*gate*error."""

    rule: object

    def step(self, now):
        return self.rule.rate * now.dt * now.gate * (now.target - now.z)


@dataclass
class NormalisedThreeFactor:
    """Step of dw = step*s: min(2 rate dt (1 + gain A)/(P + <P> + 1), 1/(P + 1))*gate*error."""

    rule: object
    surprise: float = 0.0

    def step(self, now):
        rule = self.rule
        if now.lag == 0 and now.occurs and now.learning:
            self.surprise += rule.surprise_rate * (abs(1 - now.z) - self.surprise)
        speed = 2 * rule.rate * now.dt * (1 + rule.surprise_gain * self.surprise) / (now.power + now.mean_power + 1)
        return min(speed, 1 / (now.power + 1)) * now.gate * (now.target - now.z)


@dataclass
class TwoFactor:
    """Step of dw = step*x: rate*error/(P + 1 Hz^2)."""

    rule: object

    def step(self, outcome, q, power):
        return self.rule.rate * (outcome - q) / (power + 1)


@dataclass
class SurpriseTwoFactor:
    """Step of dw = step*x: alpha*error/(P + 1 Hz^2); alpha falls, and a cumulative sum test raises it."""

    rule: object
    alpha: float = 0.0
    up: float = 0.0
    down: float = 0.0

    def __post_init__(self):
        self.alpha = self.rule.fastest

    def step(self, outcome, q, power):
        rule = self.rule
        chance = min(max(q, 0.05), 0.95)
        deviation = (outcome - q) / math.sqrt(chance * (1 - chance))
        self.up = max(0.0, self.up + deviation - rule.drift)
        self.down = max(0.0, self.down - deviation - rule.drift)
        if self.up > rule.threshold or self.down > rule.threshold:
            self.alpha = max(self.alpha, rule.fastest)
            self.up = self.down = 0.0
        step = self.alpha * (outcome - q) / (power + 1)
        self.alpha = max(self.alpha / (1 + self.alpha), rule.slowest)
        return step


RULES = {
    "three_factor": ThreeFactor,
    "normalised_three_factor": NormalisedThreeFactor,
    "two_factor": TwoFactor,
    "surprise_two_factor": SurpriseTwoFactor,
}


@dataclass
class Now:
    """What a rule of the timing readout knows of one channel at one step; times in ms."""

    dt: float
    lag: float = math.inf
    occurs: bool = False
    learning: bool = False
    target: float = 0.0
    z: float = 0.0
    gate: float = 0.0
    power: float = 0.0
    mean_power: float = 0.0


@dataclass
class Outcome:
    """Everything a device's program returns, under the same names."""

    spikes: list = field(default_factory=list)
    z: list = field(default_factory=list)
    snapshots: dict = field(default_factory=lambda: {"t": [], "when": [], "what": [], "x": [], "q": []})

    def arrays(self):
        spikes = np.array(self.spikes, float).reshape(-1, 2)
        return {
            "spikes.t": spikes[:, 0] / 1e3,
            "spikes.i": spikes[:, 1].astype(int),
            "when.z": np.array(self.z),
            **{f"snapshots.{name}": np.array(values) for name, values in self.snapshots.items()},
        }


def simulate(model, experiment, plan, arrays):
    """Run one noise-free network through one experiment.

    Returns what `izhires.devices.base.Program.run` returns, in its units (s, Hz).
    """
    cells, state, when, what = model.reservoir, model.state, model.when, model.what
    assert cells.noise == 0
    n, k = cells.n, len(experiment.events)
    h, dt = model.time_step, state.time_step
    steps_a_readout = round(dt / h)
    drawn = {name: np.array(value) for name, value in arrays.items()}

    # cells, in mV and ms
    a, b = drawn["cells.a"] / 1e3, drawn["cells.b"] / 1e3
    c, d = drawn["cells.c"] * 1e3, drawn["cells.d"]
    v, u = drawn["cells.v"] * 1e3, drawn["cells.u"]
    fast, slow, inhibitory = np.zeros(n), np.zeros(n), np.zeros(n)
    r = np.zeros(n)  # 1/ms
    drive = np.zeros(n)
    bias, cue_weight = drawn["state.bias"], drawn["state.cue_weight"]
    feedback_weight = drawn["feedback.w"].reshape(k, n)

    # synapses by source; what is under way, by the step at which it arrives
    outgoing = {}
    for kind in ("excitation", "inhibition"):
        for source in range(n if f"{kind}.i" in drawn else 0):
            mine = drawn[f"{kind}.i"] == source
            lag = np.round(drawn[f"{kind}.delay"][mine] * 1e3 / h).astype(int)
            outgoing[kind, source] = (drawn[f"{kind}.j"][mine], drawn[f"{kind}.w"][mine], lag)
    arriving = {}

    # readouts
    mean, variance, total, x = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    mean_power = 0.0
    when_w, what_w = np.zeros((k, n)), np.zeros((k, n))
    when_rules = [RULES[when.rule.type](when.rule) for _ in range(k)]
    what_rules = [RULES[what.rule.type](what.rule) for _ in range(k)]
    z, q = np.zeros(k), np.zeros(k)
    done = Outcome()

    # trials, in readout steps
    def steps(seconds):
        return round(seconds * 1e3 / dt)

    trials = [
        (steps(row.onset), steps(row.cue), row.event, None if row.event == "" else steps(row.latency), row.learn)
        for row in experiment.trials.itertuples()
    ]
    end = steps(experiment.duration)
    window, pulse = steps(experiment.window), steps(experiment.cue_duration)
    trial = -1

    for step in range(plan.steps * steps_a_readout):
        closes = False
        if step % steps_a_readout == 0:
            m = step // steps_a_readout
            while trial + 1 < len(trials) and m >= trials[trial + 1][0]:
                trial += 1
            _, cue, event, latency, learn = trials[trial]
            elapsed = m - cue if m < end else -1
            in_window, closes = 0 <= elapsed < window, elapsed == window

            # state, in Hz
            rate = 1e3 * r
            share = dt / state.tau_mean
            mean = mean + (rate - mean) * share
            variance = variance + ((rate - mean) ** 2 - variance) * share
            s = (rate - mean) / np.sqrt(variance + state.smallest_spread**2)
            if elapsed == 0:
                total = np.zeros(n)
            if in_window:
                total = total + rate * dt / (1e3 * experiment.window)
            if closes:
                x = total.copy()
            power = float(np.sum(s**2))
            mean_power += (power - mean_power) * dt / state.tau_power

            # "when": read, learn, feed back
            z = when_w @ s
            feedback = np.zeros(n)
            for channel, name in enumerate(experiment.events):
                now = Now(dt, learning=learn and m < end, z=z[channel], power=power, mean_power=mean_power)
                now.occurs = in_window and event == name
                if now.occurs:
                    now.lag = (elapsed - latency) * dt
                    now.target = math.exp(-(now.lag**2) / (2 * (1e3 * experiment.event_width) ** 2))
                now.gate = event_window(when.gate, now.learning, now.occurs, now.lag, now.z)
                when_w[channel] += when_rules[channel].step(now) * s
                if in_window:
                    feedback += when.feedback * min(max(z[channel], 0), when.feedback_limit) * feedback_weight[channel]
            drive = bias + cue_weight * (0 <= elapsed < pulse) + feedback

            # recording
            done.z.append(z.copy())
            if m % plan.snapshot_steps == 0:
                now = {"t": m * dt / 1e3, "when": when_w.ravel(), "what": what_w.ravel(), "x": x, "q": q}
                for key, value in now.items():
                    done.snapshots[key].append(np.array(value))

        # cells: Euler, every derivative from the values before
        dv = 0.04 * v**2 + 5 * v + 140 - u + fast + slow + inhibitory + drive
        du = a * (b * v - u)
        v, u = v + h * dv, u + h * du
        fast, slow = fast - h * fast / cells.tau_fast, slow - h * slow / cells.tau_slow
        inhibitory = inhibitory - h * inhibitory / cells.tau_inhibitory
        r = r - h * r / cells.tau_trace
        spiking = np.flatnonzero(v >= 30)
        done.spikes += [(step * h, i) for i in spiking]

        # synapses: what was sent `lag` steps ago
        for source in spiking:
            for kind in ("excitation", "inhibition"):
                for target, weight, lag in zip(*outgoing.get((kind, source), ((), (), ())), strict=True):
                    arriving.setdefault(step + lag, []).append((kind, target, weight))
        for kind, target, weight in arriving.pop(step, ()):
            if kind == "excitation":
                fast[target] += (1 - cells.slow_fraction) * weight
                slow[target] += cells.slow_fraction * weight * cells.tau_fast / cells.tau_slow
            else:
                inhibitory[target] += weight

        # "what": read and learn at the end of the window
        if closes:
            x_power = float(np.sum(x**2))
            q = what_w @ x
            for channel, name in enumerate(experiment.events):
                if learn:
                    what_w[channel] += what_rules[channel].step(float(event == name), q[channel], x_power) * x

        v[spiking], u[spiking] = c[spiking], u[spiking] + d[spiking]
        r[spiking] += 1 / cells.tau_trace
    return done.arrays()
