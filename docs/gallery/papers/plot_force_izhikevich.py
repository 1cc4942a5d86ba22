"""
FORCE on Izhikevich cells (Nicola & Clopath 2017)
=================================================

A recurrent network of Izhikevich cells learns to produce a sine of 5 Hz: its readout is fed back through fixed random weights and is learned by recursive least squares, while the static
recurrence makes the activity rich. Equations and constants of Nicola & Clopath (2017), *Nature Communications* 8:2208, doi 10.1038/s41467-017-01827-3, but 500 cells for
their 2,000 and steps of 0.1 ms for 0.04 ms; one seed. In plain numpy, since this package's tasks ask for events after cues, not for courses without end.
"""

import matplotlib.pyplot as plt
import numpy as np

rng = np.random.default_rng(5)
cells, step = 500, 0.1  # ms
# pA, mV, ms, nS: capacitance, two potentials, peak, reset, recovery
C, v_r, v_t, v_peak, v_reset, k, a, b, d = 250.0, -60.0, -20.0, 30.0, -65.0, 2.5, 0.01, 0.0, 200.0
tau_rise, tau_decay, bias, G, Q = 2.0, 20.0, 1000.0, 5e3, 5e3
recurrent = G * rng.standard_normal((cells, cells)) * (rng.random((cells, cells)) < 0.1) / (0.1 * np.sqrt(cells))
feedback = Q * rng.uniform(-1, 1, cells)

on, off, end = 1000, 4000, 6000  # learning from 1 to 4 s
time = np.arange(0, end, step)
target = np.sin(2 * np.pi * 5 * time / 1000)

# %%
# Double-exponential filters of the spikes, r, drive both the cells and the readout; the readout learns every 2 ms.

v = v_r + (v_peak - v_r) * rng.random(cells)
u, h, r, h_in, current = np.zeros((5, cells))
weights, P = np.zeros(cells), np.eye(cells) * 2.0
z, produced, spikes = 0.0, np.zeros(len(time)), []
rise, decay = np.exp(-step / tau_rise), np.exp(-step / tau_decay)
for n, now in enumerate(time):
    total = current + feedback * z + bias
    v, u = v + step * (k * (v - v_r) * (v - v_t) - u + total) / C, u + step * a * (b * (v - v_r) - u)
    fired = np.flatnonzero(v >= v_peak)
    current = current * rise + h_in * step
    h_in *= decay
    r = r * rise + h * step
    h *= decay
    if len(fired):
        h_in += recurrent[:, fired].sum(1) / (tau_rise * tau_decay)
        h[fired] += 1 / (tau_rise * tau_decay)
        v[fired] = v_reset
        u[fired] += d
        spikes += [(now, cell) for cell in fired if cell < 50]
    z = weights @ r
    if on <= now < off and n % 20 == 0:
        gain = P @ r
        norm = 1 + r @ gain
        weights -= (z - target[n]) * gain / norm
        P -= np.outer(gain, gain) / norm
    produced[n] = z

# %%
# Before, while and after it learns (grey). Afterwards nothing tells it what it should do: it produces the sine by itself, and what is left of an error is mostly a phase that drifts.

after = (time >= off) & (time < end)
for name, wrong in (("produced", produced - target), ("nothing at all", target)):
    print(f"error (RMSE) after learning, {name}: {np.sqrt(np.mean(wrong[after] ** 2)):.3f}")
figure, grid = plt.subplots(2, 1, figsize=(7, 4), sharex=True, layout="constrained")
grid[0].plot(time / 1000, target, color="0.6", label="target")
grid[0].plot(time / 1000, produced, linewidth=0.8, label="produced")
grid[0].set(ylabel="z", ylim=(-2, 2))
grid[0].legend(loc="lower right", ncols=2)
moments, who = np.array(spikes).T
grid[1].plot(moments / 1000, who, "|", markersize=1.5, color="k")
grid[1].set(xlabel="time (s)", ylabel="cell")
for axes in grid:
    axes.axvspan(on / 1000, off / 1000, color="0.92", zorder=0, linewidth=0)
