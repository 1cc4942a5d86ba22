"""
Firing patterns from the table of cells
=======================================

The cell types of Izhikevich (2003), in plain Brian2: equations and parameters come from this package, all else is Brian2. Each cell comes to rest, and gets a constant current. For the cells of 2007 give the functions of
``cells`` the name of the model, ``cells.types("izhikevich_2007")``, and currents of their own.
"""

import brian2 as b2
import matplotlib.pyplot as plt

from izhires import cells

b2.prefs.codegen.target = "numpy"
b2.defaultclock.dt = 0.1 * b2.ms

# %%
# One cell of each type, with the values of the table.

names = cells.types()
group = b2.NeuronGroup(len(names), **cells.model())
for i, name in enumerate(names):
    for variable, value in cells.values(name).items():
        setattr(group[i : i + 1], variable, value)

b2.run(200 * b2.ms)
trace = b2.StateMonitor(group, "v", record=True)
b2.run(50 * b2.ms)
group.I = [10, 10, 10, 2, 10, 10, 2] * b2.mV / b2.ms
b2.run(300 * b2.ms)

# %%
# Regular spiking, intrinsically bursting, chattering, thalamo-cortical, fast spiking, low-threshold spiking, resonator.

figure, grid = plt.subplots(len(names), 1, sharex=True, sharey=True, figsize=(7, 8), layout="constrained")
for axes, name, v in zip(grid, names, trace.v, strict=True):
    axes.plot(trace.t / b2.ms - 250, v / b2.mV, lw=0.7)
    axes.set_ylabel(f"{name}\nv (mV)")
grid[-1].set_xlabel("time from the onset of the current (ms)")
