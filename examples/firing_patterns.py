"""The firing patterns of Izhikevich's cell types of 2003, with plain Brian2: the cells alone come from this package.

Each cell comes to rest, and gets a constant current. Draws one trace a type to firing_patterns.png. For the cells of
2007 give the functions of `cells` the name of the model, ``cells.types("izhikevich_2007")``, and currents of their own.
"""

import brian2 as b2
import matplotlib.pyplot as plt

from izhires import cells

if __name__ == "__main__":
    b2.prefs.codegen.target = "numpy"
    b2.defaultclock.dt = 0.1 * b2.ms
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
    _, axes = plt.subplots(len(names), 1, sharex=True, sharey=True, figsize=(7, 8))
    for axis, name, v in zip(axes, names, trace.v, strict=True):
        axis.plot(trace.t / b2.ms - 250, v / b2.mV, lw=0.7)
        axis.set_ylabel(f"{name}\nv (mV)")
    axes[-1].set_xlabel("time from the onset of the current (ms)")
    plt.tight_layout()
    plt.savefig("firing_patterns.png", dpi=200)
