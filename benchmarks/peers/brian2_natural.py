"""The work as one writes it first in Brian2: plain objects on standalone C++, no templates of one's own."""

import tempfile

import brian2 as b2
import numpy as np
from brian2 import TimedArray, ms, mV, second
from given import CUE, RATE, TEST, TRAIN, K, N, read, synapses, tell

b2.set_device("cpp_standalone", build_on_run=False)
b2.defaultclock.dt = 0.5 * ms
time = np.arange(1000 * (TRAIN + TEST))
in_trial, learns = time % 1000, time < 1000 * TRAIN
namespace = {
    "cue": TimedArray(((in_trial >= 100) & (in_trial < 150)) * CUE * mV / ms, dt=1 * ms),
    "gate": TimedArray(1.0 * (learns & (in_trial >= 600) & (in_trial < 800)), dt=1 * ms),
    "target": TimedArray(np.sin(np.pi * (in_trial - 600) / 200), dt=1 * ms),
    "rate": RATE,
    "tau": 8 * ms,
    "tau_trace": 30 * ms,
}
cells = b2.NeuronGroup(
    N,
    """
    dv/dt = (0.04/ms/mV)*v**2 + (5/ms)*v + 140*mV/ms - u + I + bias + cued*cue(t) + feedback + sigma*xi : volt
    du/dt = a*(b*v - u) : volt/second
    dI/dt = -I/tau : volt/second
    dr/dt = -r/tau_trace : 1
    feedback : volt/second
    a : 1/second
    b : 1/second
    c : volt
    d : volt/second
    bias : volt/second
    cued : 1
    sigma : volt/second**0.5
    """,
    threshold="v >= 30*mV",
    reset="v = c\nu += d\nr += 1",
    method="euler",
    namespace=namespace,
    name="cells",
)
cells.a, cells.b, cells.c = read("a.f64") / ms, read("b.f64") / ms, read("c.f64") * mV
cells.d, cells.bias = read("d.f64") * mV / ms, read("bg.f64") * mV / ms
cells.cued, cells.sigma = read("cuem.f64"), read("sig.f64") * mV / ms * (0.5 * ms) ** 0.5
cells.v = -65 * mV
cells.u = "b*v"
readouts = b2.NeuronGroup(K, "z : 1\nlearns : 1", dt=1 * ms, name="readouts")
readouts.learns = np.arange(K) < K // 2
source, target, weight = synapses()
recurrent = b2.Synapses(cells, cells, "w : volt/second", on_pre="I_post += w", delay=1 * ms, name="recurrent")
recurrent.connect(i=source, j=target)
recurrent.w = weight * mV / ms
reading = b2.Synapses(cells, readouts, "w : 1\nz_post = w*r_pre : 1 (summed)", dt=1 * ms, namespace=namespace)
reading.connect()
reading.w = read("W0.f64").reshape(K, N).T.ravel()
reading.run_regularly("w += learns_post*gate(t)*rate*(target(t) - z_post)*r_pre", dt=1 * ms, when="end")
back = b2.Synapses(readouts, cells, "w : volt/second\nfeedback_post = w*z_pre : volt/second (summed)", dt=1 * ms)
back.connect()
back.w = read("Wfb.f64") * mV / ms
spikes, z = b2.SpikeMonitor(cells), b2.StateMonitor(readouts, "z", record=True)
b2.run((TRAIN + TEST) * second, namespace=namespace)
with tempfile.TemporaryDirectory() as folder:
    b2.device.build(directory=folder, compile=True, run=True, debug=False)
    tell(b2.device._last_run_time, spikes.num_spikes)
