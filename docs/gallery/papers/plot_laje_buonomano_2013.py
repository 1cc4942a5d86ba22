"""
Taming chaos (after Laje & Buonomano 2013)
==========================================

A random network at g = 1.5 is chaotic: what follows an input pulse comes out differently whenever a little noise is in
it, so that its states cannot tell time for long. Recursive least squares on its recurrent synapses then teaches it *its
own* trajectory, once recorded without noise, and afterwards it comes back to it after a push. Rate units, in numpy:

    tau dx/dt = -x + W r + w_in y(t) + noise,    r = tanh(x),    tau = 10 ms

The measure of time is this package's (`izhires.recordings.elapsed`, which every recording holds as `time_told`).
The set-up is the paper's, smaller: 400 units for 800, 1 s for 2 s and more, one seed. Beside it the same network before
the training. *Nature Neuroscience* 16:925, doi 10.1038/nn.3405.
"""

import matplotlib.pyplot as plt
import numpy as np

from izhires.recordings.elapsed import decoding_error

n, p, g, tau = 400, 0.1, 1.5, 10  # units, probability of a synapse, gain, ms
plastic, every, loops = 240, 2, 30  # units whose inputs learn, ms between two steps of the rule, trials of training
pulse, length = 50, 1000  # ms: the input, and the trajectory after it
rng = np.random.default_rng(0)
weight = np.where(rng.random((n, n)) < p, rng.normal(0, g / np.sqrt(p * n), (n, n)), 0.0)
np.fill_diagonal(weight, 0)
drive = rng.normal(0, 5, n)
sources = [np.flatnonzero(weight[unit]) for unit in range(plastic)]
most = max(map(len, sources))
# inputs of all plastic units side by side; the places that a unit does not need stay 0
where = np.array([np.pad(each, (0, most - len(each))) for each in sources])
used = np.array([np.arange(most) < len(each) for each in sources])


def trial(weight, seed, noise=0.001, push=0.0, target=None, inverse=None):
    """Return the rates after the pulse, (ms, unit); with a target, learn it on the way."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-0.5, 0.5, n)
    rates = np.empty((length, n))
    for step in range(-200, length):  # 200 ms before, so that the state at the pulse is not the one it began from
        r = np.tanh(x)
        heard = drive * (-pulse <= step < 0) + (push * np.cos(np.arange(n)) if 300 <= step < 310 else 0)
        x = x + (-x + weight @ r + heard) / tau + noise * rng.normal(size=n) * np.sqrt(2 / tau)
        if step >= 0:
            rates[step] = np.tanh(x)
        if target is not None and step >= 0 and step % every == 0:
            # recursive least squares, one inverse correlation a unit, of its own inputs
            inputs = np.tanh(x)[where] * used
            gain = np.einsum("uij,uj->ui", inverse, inputs)
            gain /= (1 + np.einsum("ui,ui->u", inputs, gain))[:, None] ** 0.5
            inverse -= gain[:, :, None] * gain[:, None, :]
            missed = rates[step, :plastic] - target[step, :plastic]
            np.subtract.at(
                weight, (np.arange(plastic)[:, None], where), missed[:, None] * np.einsum("uij,uj->ui", inverse, inputs)
            )
    return rates


innate = trial(weight, seed=1, noise=0.0)
tamed = weight.copy()
inverse = np.eye(most)[None] * used[:, :, None] * used[:, None, :]
for loop in range(loops):
    trial(tamed, seed=100 + loop, target=innate, inverse=inverse)

# %%
# Ten trials from other states, with noise, and half of them pushed after 300 ms: how far they are from the innate
# trajectory (chance: from its other moments), and by how much the time is missed that the nearest state of the other
# trials tells (a guess: a third of the length).

figure, axes = plt.subplots(2, 2, figsize=(8, 5), layout="constrained", sharex=True)
chance = np.sqrt(((innate - innate[::-1]) ** 2).mean())
for row, (name, each) in zip(axes, {"before": weight, "after": tamed}.items(), strict=True):
    found = np.array([trial(each, seed=200 + k, push=0.5 * (k % 2)) for k in range(10)])
    far = np.sqrt(((found - innate) ** 2).mean(axis=2))
    missed = decoding_error(1 + found[:, ::10].astype(np.float32), tau=1e3) * length
    print(
        f"{name}, last 200 ms: distance {far[::2, -200:].mean():.2f}, pushed {far[1::2, -200:].mean():.2f} "
        f"(chance {chance:.2f}); time missed by {missed[-20:].mean():.0f} ms (a guess: {length / 3:.0f} ms)"
    )
    for pushed, colour, words in ((0, "0.4", "trials"), (1, "tab:red", "pushed")):
        for k, one in enumerate(found[pushed::2]):
            row[0].plot(one[:, 0], color=colour, linewidth=0.7)
            row[1].plot(far[pushed::2][k], color=colour, linewidth=0.7, label=words if k == 0 else None)
    row[0].plot(innate[:, 0], color="black", label="innate")
    row[0].set(ylabel=f"{name}\nrate of a unit", ylim=(-1.1, 1.1))
    row[1].axhline(chance, color="black", linestyle="--", label="chance")
    row[1].axvspan(300, 310, color="tab:red", alpha=0.3)
    row[1].set(ylabel="distance", ylim=(0, 1.1))
for each in axes[1]:
    each.set_xlabel("time after the pulse (ms)")
axes[0, 0].legend(loc="lower left")
axes[1, 1].legend(loc="upper left")

# %%
# Its own trajectory is now followed through noise, and a push is held off for half a second and more, but not for good:
# 400 units and thirty trials make it less robust than the paper's 800.
