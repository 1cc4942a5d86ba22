"""A second, slow implementation of one whole run in plain numpy, to hold the generated programs against.

Written from the equations alone (`izhires.circuits.base`, `izhires.building.plan`, the docstrings of the rules and
gates) and from the order of events in `izhires.building.parts.SCHEDULE`; it calls neither `izhires.building.build` nor
Brian2. It works in mV and ms, where the package works in SI units, and takes times from the trial table as whole steps,
so that the package's
units and edges are checked too. From `make_plan` it takes what was drawn (cells, synapses, cue and feedback weights),
and how many steps there are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from izhires.model.model import MEAN_RATE_UPDATE


@dataclass
class EventWindow:
    """1 within half_width of the event, else clip(z, baseline, 1), or 0 when closed outside, in trials that teach."""

    gate: object

    def opening(self, now):
        if not (now.learning and now.target_trial and now.in_window):
            return 0.0
        if abs(now.lag) <= self.gate.half_width:
            return 1.0
        return 0.0 if self.gate.closed_outside else min(max(now.z, self.gate.baseline), 1.0)


@dataclass
class Open:
    """1 in every window that teaches."""

    gate: object

    def opening(self, now):
        return float(now.learning and now.in_window)


@dataclass
class Consolidation:
    """1 from delay after the event for duration, in trials that teach."""

    gate: object

    def opening(self, now):
        gate = self.gate
        inside = math.isfinite(now.lag) and gate.delay <= now.lag < gate.delay + gate.duration
        return float(now.learning and now.target_trial and now.elapsed >= 0 and inside)


@dataclass
class Phasic:
    """Tonic level, and of each release a difference of exponentials with the largest value 1."""

    gate: object
    releases: list = field(default_factory=list)

    def opening(self, now):
        rise, decay = self.gate.tau_rise, self.gate.tau_decay
        latency = now.elapsed - now.lag  # without an event -inf
        due = math.isfinite(latency) and now.elapsed == max(latency - self.gate.lead, 0)
        if due and now.learning and now.target_trial and now.in_window:
            self.releases.append(now.time)
        peak = rise * decay / (decay - rise) * math.log(decay / rise)
        largest = math.exp(-peak / decay) - math.exp(-peak / rise)
        age = now.time - np.array(self.releases)
        level = self.gate.tonic + np.sum(np.exp(-age / decay) - np.exp(-age / rise)) / largest
        return min(max(level, 0.0), 1.0) if now.learning else 0.0


GATES = {
    "event_window": EventWindow,
    "open": Open,
    "consolidation": Consolidation,
    "phasic": Phasic,
    "dopamine": Phasic,
    "acetylcholine": Phasic,
}


@dataclass
class ThreeFactor:
    """dw = rate*dt*gate*error*s."""

    rule: object

    def change(self, now, s):
        return self.rule.rate * now.dt * now.gate * now.error * s


def normalised(rate, now):
    """Return the step min(2 rate dt/(P + <P> + 1), 1/(P + 1))."""
    return min(2 * rate * now.dt / (now.power + now.mean_power + 1), 1 / (now.power + 1))


@dataclass
class NormalisedThreeFactor:
    """dw = step*gate*error*s, the rate raised by 1 + gain A."""

    rule: object
    surprise: float = 0.0

    def share(self, now):
        rule = self.rule
        if now.lag == 0 and now.occurs and now.learning:
            self.surprise += rule.surprise_rate * (abs(1 - now.z) - self.surprise)
        return normalised(rule.rate * (1 + rule.surprise_gain * self.surprise), now)

    def change(self, now, s):
        return self.share(now) * now.gate * now.error * s


@dataclass
class UncertaintyThreeFactor:
    """dw = step*gate*error*s; 1/rate grows by what is missed, and a cumulative sum test sets it back."""

    rule: object
    rate: float = 0.0
    usual: float = 1.0
    variance: float = 0.0
    total: float = 0.0

    def __post_init__(self):
        self.rate = self.rule.fastest

    def change(self, now, s):
        rule = self.rule
        if now.lag == 0 and now.occurs and now.learning:
            missed = min(max(1 - now.z, 0.0), 1.0)
            off = missed - self.usual
            self.total = max(
                0.0, self.total + off / math.hypot(math.sqrt(self.variance), rule.smallest_spread) - rule.drift
            )
            self.rate = min(max(1 / (1 / self.rate + rule.caution * missed**2), rule.slowest), rule.fastest)
            if self.total > rule.threshold:
                self.rate, self.total = rule.fastest, 0.0
            # of the exponentially weighted mean and variance
            self.variance = (1 - rule.memory) * self.variance + rule.memory * (1 - rule.memory) * off**2
            self.usual += rule.memory * off
        return normalised(self.rate, now) * now.gate * now.error * s


@dataclass
class EligibilityThreeFactor(NormalisedThreeFactor):
    """E <- e E + (1 - e) step*error*s while learning, dw = gate*E."""

    trace: object = 0.0

    def change(self, now, s):
        tau = self.rule.tau_eligibility
        hold = math.exp(-now.dt / tau) if tau > 0 else 0.0
        mark = self.share(now) * now.error * now.learning
        self.trace = hold * self.trace + (1 - hold) * mark * s
        return now.gate * self.trace


@dataclass
class ConsolidatedThreeFactor:
    """Collect 2 rate dt gate error s/(P + <P> + 1) in a window; at its end add alpha times that, and begin again."""

    rule: object
    alpha: float = 0.0
    up: float = 0.0
    down: float = 0.0
    trace: object = 0.0
    peak: float = 0.0
    at_event: float = 0.0

    def __post_init__(self):
        self.alpha = self.rule.fastest

    def change(self, now, s):
        rule = self.rule
        if now.elapsed == 0:
            self.peak = 0.0
        if now.in_window:
            self.peak = max(self.peak, now.z)
            self.trace = self.trace + normalised(rule.rate, now) * now.gate * now.error * s
        if now.lag == 0 and now.occurs:
            self.at_event = now.z
        if not now.at_window_end:
            return 0.0 * s
        if now.learning and now.target_trial:
            chance = min(max(self.at_event if now.outcome else self.peak, 0.05), 0.95)
            deviation = (now.outcome - chance) / math.sqrt(chance * (1 - chance))
            self.up = max(0.0, self.up + deviation - rule.drift)
            self.down = max(0.0, self.down - deviation - rule.drift)
            if self.up > rule.threshold or self.down > rule.threshold:
                self.alpha = max(self.alpha, rule.fastest)
                self.up = self.down = 0.0
        consolidated, self.trace = self.alpha * self.trace, 0.0 * s
        if now.learning and now.target_trial:
            self.alpha = max(self.alpha / (1 + self.alpha), rule.slowest)
        return consolidated


class Apart:
    """Channels that know nothing of each other."""

    def __init__(self, kind, rule, channels):
        self.own = [kind(rule) for _ in range(channels)]

    def changes(self, channels, s):
        return np.stack([own.change(now, s) for own, now in zip(self.own, channels, strict=True)])


class NodePerturbation:
    """dw_k = rate dt gate_k (m - L) xi_k/amplitude s/(P + <P> + 1), with one L for all channels that may learn."""

    def __init__(self, rule, channels):
        self.rule, self.mean = rule, 0.0

    def changes(self, channels, s):
        rule = self.rule
        loss = sum(
            (now.error - rule.amplitude * now.exploration) ** 2 for now in channels if now.in_window and now.gate
        )
        better = self.mean - loss
        self.mean += (loss - self.mean) * min(channels[0].dt / rule.tau_reward, 1)
        steps = [
            normalised(rule.rate / 2, now) * now.in_window * now.gate * better * now.exploration / rule.amplitude
            for now in channels
        ]
        return np.outer(steps, s)


class Force:
    """k = P s, dw = g error k/(1 + g s'k), P -= g k k'/(1 + g s'k); P by channel, or one for all and the mean of g."""

    def __init__(self, rule, channels):
        self.rule, self.block, self.P = rule, None, {}

    def changes(self, channels, s):
        first = channels[0]
        if self.block is not None and self.block != first.block and self.rule.reset_at_switch:
            self.P = {}
        self.block = first.block
        found = np.zeros((len(channels), len(s)))
        learns = [k for k, now in enumerate(channels) if now.in_window and now.target_trial]
        if not learns or first.elapsed % self.rule.interval != 0:
            return found
        weight = sum(channels[k].gate for k in learns) / len(learns)
        P = self.P.setdefault(-1 if first.together else learns[0], np.eye(len(s)) / self.rule.penalty)
        gain = P @ s
        for k in learns:
            found[k] = weight * channels[k].error * gain / (1 + weight * (s @ gain))
        P -= weight * np.outer(gain, gain) / (1 + weight * (s @ gain))
        return found


@dataclass
class TwoFactor:
    """Step of dw = step*x: rate*error/(P + 1 Hz^2)."""

    rule: object

    def step(self, outcome, q, power, x):
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

    def step(self, outcome, q, power, x):
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


@dataclass
class UncertaintyTwoFactor:
    """A rate for each synapse, 1/(1/fastest + count), which the cumulative sum test of the channel sets back."""

    rule: object
    up: float = 0.0
    down: float = 0.0
    count: object = 0.0

    def step(self, outcome, q, power, x):
        rule = self.rule
        chance = min(max(q, 0.05), 0.95)
        deviation = (outcome - q) / math.sqrt(chance * (1 - chance))
        self.up = max(0.0, self.up + deviation - rule.drift)
        self.down = max(0.0, self.down - deviation - rule.drift)
        if self.up > rule.threshold or self.down > rule.threshold:
            self.count = np.where(x > rule.half, 0.0, self.count)
            self.up = self.down = 0.0
        alpha = np.maximum(1 / (1 / rule.fastest + self.count), rule.slowest)
        self.count = self.count + x / (x + rule.half)
        return alpha * (outcome - q) / (power + 1)


@dataclass
class Counting:
    """Step of dw = step*x: (outcome - forgetting*q)/(P + 1 Hz^2)."""

    rule: object

    def step(self, outcome, q, power, x):
        return (outcome - self.rule.forgetting * q) / (power + 1)


ONLINE = {
    "three_factor": partial(Apart, ThreeFactor),
    "normalised_three_factor": partial(Apart, NormalisedThreeFactor),
    "uncertainty_three_factor": partial(Apart, UncertaintyThreeFactor),
    "eligibility_three_factor": partial(Apart, EligibilityThreeFactor),
    "consolidated_three_factor": partial(Apart, ConsolidatedThreeFactor),
    "node_perturbation": NodePerturbation,
    "force": Force,
}
OFFLINE = {"two_factor": TwoFactor, "surprise_two_factor": SurpriseTwoFactor, "counting": Counting}
OFFLINE["uncertainty_two_factor"] = UncertaintyTwoFactor


@dataclass
class Now:
    """What a rule of the timing readout knows of one channel at one step; times in ms."""

    dt: float
    time: float
    elapsed: float
    lag: float
    block: int
    in_window: bool
    at_window_end: bool
    learning: bool
    outcome: bool
    target_trial: bool
    together: bool
    z: float
    power: float
    mean_power: float
    exploration: float
    target: float = 0.0
    gate: float = 0.0

    @property
    def occurs(self):
        return self.outcome and self.in_window

    @property
    def error(self):
        return self.target - self.z if self.in_window else 0.0


@dataclass
class Outcome:
    """Everything a device's program returns, under the same names."""

    step: float  # ms, of the readouts
    spikes: list = field(default_factory=list)
    z: list = field(default_factory=list)
    snapshots: dict = field(
        default_factory=lambda: {"t": [], "when": [], "what": [], "x": [], "q": [], "confidence": []}
    )

    def arrays(self):
        spikes = np.array(self.spikes, float).reshape(-1, 2)
        names = {"when": "when_snapshots.w", "what": "what_snapshots.w", "x": "mean_state.x", "q": "what_output.q"}
        names |= {"confidence": "confidence_output.q"}
        times = np.array(self.snapshots["t"])
        found = {
            "spikes.t": spikes[:, 0] / 1e3,
            "spikes.i": spikes[:, 1].astype(int),
            "when_output.z": np.array(self.z),
        }
        found["when_output.t"] = np.arange(len(self.z)) * self.step / 1e3
        for name, output in names.items():
            if self.snapshots[name]:
                found[output], found[f"{output.partition('.')[0]}.t"] = np.array(self.snapshots[name]), times
        return found


KINDS = ("excitation", "excitation_of_inhibitory", "inhibition")
"""Connections that circuits make."""


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
    feedback_weight = drawn["when_feedback.w"].reshape(k, n)

    # synapses by source; what is under way, by the step at which it arrives
    outgoing = {}
    for kind in KINDS:
        for source in range(n if f"{kind}.i" in drawn else 0):
            mine = drawn[f"{kind}.i"] == source
            lag = np.round(drawn[f"{kind}.delay"][mine] * 1e3 / h).astype(int)
            outgoing[kind, source] = (drawn[f"{kind}.j"][mine], drawn[f"{kind}.w"][mine], lag)
    arriving = {}

    # readouts
    mean, variance, total, x = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    mean_power = 0.0
    when_w, what_w = np.zeros((k, n)), np.zeros((k, n))
    when_rule = ONLINE[when.rule.type](when.rule, k)
    gates = [GATES[when.gate.type](when.gate) for _ in range(k)]
    what_rules = [OFFLINE[what.rule.type](what.rule) for _ in range(k)]
    z, q = np.zeros(k), np.zeros(k)
    own_x = np.zeros(n)
    together = model.prediction.type in ("merged", "joint")
    # for and against each event
    counters = [] if model.confidence is None else [
        (OFFLINE[model.confidence.rule.type](model.confidence.rule), name, against)
        for against in (False, True) for name in experiment.events
    ]  # fmt: skip
    count, count_w = np.zeros(len(counters)), np.zeros((len(counters), n))
    done = Outcome(dt)

    # trials, in readout steps
    def steps(seconds):
        return round(seconds * 1e3 / dt)

    trials = [
        (
            steps(row.onset),
            steps(row.cue),
            row.event,
            None if row.event == "" else steps(row.latency),
            row.learn,
            row.block,
        )
        for row in experiment.trials.itertuples()
    ]
    end = steps(experiment.duration)
    window, pulse = steps(experiment.window), steps(experiment.cue_duration)
    trial = -1

    for step in range(plan.steps * steps_a_readout):
        at_window_end = False
        if step % steps_a_readout == 0:
            m = step // steps_a_readout
            while trial + 1 < len(trials) and m >= trials[trial + 1][0]:
                trial += 1
            _, cue, event, latency, learn, block = trials[trial]
            learn = bool(learn) and m < end
            event = event if m < end else ""
            elapsed = m - cue if m < end else -1
            in_window, at_window_end = 0 <= elapsed < window, elapsed == window

            # state, in Hz
            rate = 1e3 * r
            share = dt / state.tau_mean
            mean = mean + (rate - mean) * share
            variance = variance + ((rate - mean) ** 2 - variance) * share
            s = (rate - mean) / np.sqrt(variance + state.smallest_spread**2)
            if elapsed == 0:
                total = np.zeros(n)
            if in_window:
                read = rate if state.update == MEAN_RATE_UPDATE else np.maximum(rate - mean, 0)
                total = total + read * dt / (1e3 * experiment.window)
            if at_window_end:
                own_x = total.copy()
            x = own_x
            if state.shuffled_at_test and not learn:  # each cell in the place of another
                s, x = s[drawn["state.other"]], own_x[drawn["state.other"]]
            power = float(np.sum(s**2))
            mean_power += (power - mean_power) * dt / state.tau_power

            # "when": read, learn, feed back
            z = when_w @ s
            feedback = np.zeros(n)
            teaches = learn and (when.learning_blocks is None or block < when.learning_blocks)
            channels = []
            for channel, name in enumerate(experiment.events):
                lag = (elapsed - latency) * dt if event else math.inf
                now = Now(
                    dt, m * dt, elapsed * dt, lag, block, in_window, at_window_end, teaches, event == name,
                    together or event == name, together, z[channel], power, mean_power,
                    drawn["signals.explore"][m, channel] if "signals.explore" in drawn else math.nan,
                )  # fmt: skip
                if now.occurs:
                    now.target = math.exp(-(lag**2) / (2 * (1e3 * experiment.event_width) ** 2))
                now.gate = gates[channel].opening(now)
                channels.append(now)
                if in_window and (learn or when.feedback_at_test):
                    feedback += when.feedback * min(max(z[channel], 0), when.feedback_limit) * feedback_weight[channel]
            when_w += when_rule.changes(channels, s)
            drive = bias + cue_weight * (0 <= elapsed < pulse) + feedback

            # recording
            done.z.append(z.copy())
            if m % plan.part("mean_state").every == 0:
                now = {"t": m * dt / 1e3, "when": when_w.ravel(), "what": what_w.ravel(), "x": x, "q": q}
                now |= {"confidence": count} if counters else {}
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
            for kind in KINDS:
                for target, weight, lag in zip(*outgoing.get((kind, source), ((), (), ())), strict=True):
                    arriving.setdefault(step + lag, []).append((kind, target, weight))
        for kind, target, weight in arriving.pop(step, ()):
            if kind != "inhibition":
                fast[target] += (1 - cells.slow_fraction) * weight
                slow[target] += cells.slow_fraction * weight * cells.tau_fast / cells.tau_slow
            else:
                inhibitory[target] += weight

        # "what": read and learn at the end of the window
        if at_window_end:
            x_power = float(np.sum(x**2))
            q = what_w @ x
            for channel, name in enumerate(experiment.events):
                if learn and (what.learning_blocks is None or block < what.learning_blocks):
                    what_w[channel] += what_rules[channel].step(float(event == name), q[channel], x_power, x) * x
            count = count_w @ x
            for channel, (rule, name, against) in enumerate(counters):
                if learn:
                    count_w[channel] += rule.step(float((event == name) != against), count[channel], x_power, x) * x

        v[spiking], u[spiking] = c[spiking], u[spiking] + d[spiking]
        r[spiking] += 1 / cells.tau_trace
    return done.arrays()
