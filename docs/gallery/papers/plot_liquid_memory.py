"""
Memory of a liquid (after Maass, Natschläger & Markram 2002)
============================================================

Pulses of random strength reach a random network of Izhikevich cells. How long can a linear readout of its present state tell how strong an earlier one was? The cells come from this package, the
network is plain Brian2; sizes and weights are assumed and not tuned, one seed. Beside it the same cells without recurrence, since cells alone remember, too: the control that could win.
Paper: *Neural Computation* 14:2531, doi 10.1162/089976602760407955.
"""

import brian2 as b2
import matplotlib.pyplot as plt
import numpy as np

from izhires import cells

b2.prefs.codegen.target = "numpy"
count, pulses, every = 200, 300, 50  # cells, pulses, ms between two
strength = np.random.default_rng(3).uniform(0, 1, pulses)


def states(recurrence):
    """Return the spike trace of every cell at the end of every pulse's 50 ms, (pulse, cell)."""
    b2.start_scope()
    b2.defaultclock.dt = 0.5 * b2.ms
    rng = np.random.default_rng(1)
    b2.seed(1)
    pulse = b2.TimedArray(strength, dt=every * b2.ms)
    model = cells.model()
    model["model"] = f"{model['model']}\ndtrace/dt = -trace/(30*ms) : 1\nshare : 1 (constant)\nbias : 1 (constant)"
    model["reset"] = f"{model['reset']}\ntrace += 1"
    group = b2.NeuronGroup(count, **model, namespace={"pulse": pulse})
    values = {name: cells.values(name) for name in ("RS", "FS")}
    for name, place in (("RS", slice(0, 160)), ("FS", slice(160, count))):
        for variable, value in values[name].items():
            setattr(group[place], variable, value)
    group.share = 12 * (rng.random(count) < 0.5) * rng.random(count)
    group.bias = rng.uniform(2.5, 4.5, count)
    drive = "I = (bias + share*pulse(t)*int(t % (50*ms) < 20*ms))*mV/ms"
    group.run_regularly(drive, dt=0.5 * b2.ms)
    synapses = b2.Synapses(group, group, "w : volt", on_pre="v_post += w")
    synapses.connect(p=0.1)
    sign = np.where(np.asarray(synapses.i) < 160, 1.0, -3.0)
    synapses.w = recurrence * sign * rng.gamma(2, 0.4, len(sign)) * b2.mV
    synapses.delay = "1*ms + 8*ms*rand()"
    seen = b2.StateMonitor(group, "trace", record=True, dt=every * b2.ms, when="start")
    b2.run(pulses * every * b2.ms + every * b2.ms)
    return np.asarray(seen.trace).T[1 : pulses + 1]


def memory(state, most=8):
    """Return the share of the variance of the pulse k before that ridge regression explains in pulses that it was not fitted to."""
    found = []
    x = (state - state.mean(0)) / (state.std(0) + 1e-3)
    for back in range(most):
        here, wanted = x[back:], strength[: len(strength) - back] - strength.mean()
        parts = np.array_split(np.arange(len(here)), 5)
        guessed = {ridge: np.zeros(len(here)) for ridge in (1e2, 1e3, 1e4, 1e5)}
        for out in parts:
            rest = np.setdiff1d(np.arange(len(here)), out)
            square, product = here[rest].T @ here[rest], here[rest].T @ wanted[rest]
            for ridge, guess in guessed.items():
                guess[out] = here[out] @ np.linalg.solve(square + ridge * np.eye(count), product)
        errors = [np.mean((guess - wanted) ** 2) for guess in guessed.values()]
        found.append(1 - min(errors) / wanted.var())
    return found


figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
for name, recurrence in (("recurrent", 1.0), ("same cells, no recurrence", 0.0)):
    explained = memory(states(recurrence))
    print(f"{name}: {', '.join(f'{each:.2f}' for each in explained)}")
    axes.plot(np.arange(8) * every, explained, marker="o", label=name)
axes.axhline(0, color="0.5", linestyle="--", label="chance: the mean")
axes.set(xlabel="how long ago the pulse came (ms)", ylabel="explained variance", ylim=(-0.2, 1))
axes.legend()

# %%
# Most of the memory is that of the cells and of the trace that is read: recurrence of this strength adds little to it.
