"""The work in JAX, float32: one compiled scan over milliseconds, two steps of the cells in each; dense recurrence."""

import time

import jax
import jax.numpy as jnp
import numpy as np
from given import CUE, DT, RATE, TAU, TAU_TRACE, TEST, TRAIN, K, N, read, synapses, tell

a, b, c, d, sigma, bias, cued = (jnp.asarray(read(f"{name}.f64"), jnp.float32)
                                 for name in ("a", "b", "c", "d", "sig", "bg", "cuem"))  # fmt: skip
source, target, weight = synapses()
dense = np.zeros((N, N), np.float32)
np.add.at(dense, (source, target), weight)
dense = jnp.asarray(dense)
back = jnp.asarray(read("Wfb.f64").reshape(K, N), jnp.float32)
learns = jnp.asarray(np.arange(K) < K // 2, jnp.float32)


def millisecond(state, m):
    """Read, learn, feed back; then two steps of the cells, each with the spikes of two steps before."""
    v, u, current, r, w, before, last, key = state
    in_trial = m % 1000
    z = w @ r
    gate = (m < 1000 * TRAIN) & (in_trial >= 600) & (in_trial < 800)
    step = RATE * gate * learns * (jnp.sin(jnp.pi * (in_trial - 600) / 200) - z)
    w = w + step[:, None] * r
    drive = bias + cued * CUE * ((in_trial >= 100) & (in_trial < 150)) + z @ back
    key, own = jax.random.split(key)
    noise = sigma * jax.random.normal(own, (2, N))
    counts = []
    for half in range(2):
        total = 0.04 * v * v + 5 * v + 140 - u + current + drive + noise[half]
        v, u = v + DT * total, u + DT * a * (b * v - u)
        current, r = current * (1 - DT / TAU), r * (1 - DT / TAU_TRACE)
        spikes = v >= 30
        current = current + before @ dense
        v, u, r = jnp.where(spikes, c, v), jnp.where(spikes, u + d, u), r + spikes
        before, last = last, spikes.astype(jnp.float32)
        counts.append(spikes)
    return (v, u, current, r, w, before, last, key), (z, jnp.stack(counts))


v = jnp.full(N, -65.0)
zeros = jnp.zeros(N)
start = (
    v,
    b * v,
    zeros,
    zeros,
    jnp.asarray(read("W0.f64").reshape(K, N), jnp.float32),
    zeros,
    zeros,
    jax.random.key(7),
)


@jax.jit
def trial(state, number):
    """Return the state after a trial, and what was recorded."""
    return jax.lax.scan(millisecond, state, 1000 * number + jnp.arange(1000))


state, _ = trial(start, 0)  # compiles
jax.block_until_ready(state)
state, fired, began = start, 0, time.perf_counter()
for number in range(TRAIN + TEST):
    state, (z, spikes) = trial(state, number)
    fired += len(np.argwhere(np.asarray(spikes)))
tell(time.perf_counter() - began, fired, "all but the readouts of once a trial; float32, dense")
