"""The reservoir in ANNarchy, compiled for one thread."""

import tempfile
import time

import ANNarchy
from given import DT, TEST, TRAIN, N, read, synapses, tell
from scipy.sparse import csr_matrix

cell = ANNarchy.Neuron(
    parameters="a = 0.02\nb = 0.2\nc = -65.0\nd = 8.0\nbias = 0.0\nsigma = 0.0",
    equations="""
    I += -dt*I/8.0 + g_exc
    g_exc = 0.0
    dv/dt = 0.04*v*v + 5.0*v + 140.0 - u + I + bias + sigma*Normal(0.0, 1.0) : init = -65.0
    du/dt = a*(b*v - u) : init = -13.0
    """,
    spike="v >= 30.0",
    reset="v = c\nu += d",
)
network = ANNarchy.Network(dt=DT)
cells = network.create(geometry=N, neuron=cell)
for name, file in {"a": "a", "b": "b", "c": "c", "d": "d", "bias": "bg", "sigma": "sig"}.items():
    setattr(cells, name, read(f"{file}.f64"))
source, target, weight = synapses()
connection = network.connect(cells, cells, "exc")
connection.from_sparse(csr_matrix((weight, (source, target)), shape=(N, N)), delays=1.0)
monitor = network.monitor(cells, ["spike"])
with tempfile.TemporaryDirectory() as folder:
    network.compile(directory=folder, silent=True)
    began = time.perf_counter()
    network.simulate(1000.0 * (TRAIN + TEST))
    seconds = time.perf_counter() - began
    spikes = monitor.get("spike")
    tell(seconds, sum(len(times) for times in spikes.values()), "cells and synapses only")
