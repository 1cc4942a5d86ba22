"""The reservoir in NEST: its Izhikevich cells, whose synapses are jumps of v with the charge of the current."""

import time

import nest
import numpy as np
from given import DT, TAU, TEST, TRAIN, N, read, synapses, tell

nest.set_verbosity("M_ERROR")
nest.resolution = DT
cells = nest.Create("izhikevich", N)
cells.set({"a": read("a.f64"), "b": read("b.f64"), "c": read("c.f64"), "d": read("d.f64"), "I_e": read("bg.f64"),
           "V_th": 30.0, "V_m": -65.0, "U_m": -65 * read("b.f64"), "consistent_integration": True})  # fmt: skip
for sigma in np.unique(read("sig.f64")):
    noise = nest.Create("noise_generator", params={"std": float(sigma), "dt": DT})
    nest.Connect(noise, cells[np.flatnonzero(read("sig.f64") == sigma).tolist()])
source, target, weight = synapses()
nest.Connect(source + 1, target + 1, "one_to_one",
             {"weight": weight * TAU, "delay": np.ones(len(weight)), "synapse_model": "static_synapse"})  # fmt: skip
recorder = nest.Create("spike_recorder")
nest.Connect(cells, recorder)
nest.Prepare()
began = time.perf_counter()
nest.Run(1000.0 * (TRAIN + TEST))
seconds = time.perf_counter() - began
tell(seconds, recorder.n_events, "cells and synapses only")
