"""The Brian2 network in one's own hands: membrane potentials of three cells, and an inhibitory group added by hand.

`izhires.network` returns an ordinary `brian2.Network` with all objects by name; what is added to it takes part in it.
Draws the traces of a probe and two trials, with and without the added inhibition, to membrane.png.
"""

import brian2 as b2
import matplotlib.pyplot as plt

import izhires

TRIAL = {"trials": 3, "latency": {"A": "300 ms"}, "probability": {"A": 1.0}}


def traces(inhibited: bool) -> b2.StateMonitor:
    """Return v of three cells in a probe and two trials that are learned from."""
    net = izhires.network(izhires.Configuration(paradigm={"warm_up": 0, "probes": [3], "blocks": [TRIAL]}), seed=100)
    cells = net["cells"]
    monitor = b2.StateMonitor(cells, "v", record=[0, 400, 700])
    net.add(monitor)
    if inhibited:  # ten cells that fire whenever many others do, and inhibit all
        group = b2.NeuronGroup(
            10, "dv/dt = -v/(10*ms) : 1", threshold="v > 1", reset="v = 0", method="exact", clock=cells.clock
        )
        to_group = b2.Synapses(cells, group, on_pre="v_post += 0.02", clock=cells.clock)
        to_group.connect()
        from_group = b2.Synapses(group, cells, on_pre="I_inhibitory_post -= 1*mV/ms", clock=cells.clock)
        from_group.connect()
        net.add(group, to_group, from_group)
    net.run(3 * 1.5 * b2.second)
    return monitor


if __name__ == "__main__":
    b2.prefs.codegen.target = "numpy"  # Cython would compile for minutes, to run for seconds
    _, axes = plt.subplots(2, 1, sharex=True, figsize=(7, 4))
    for axis, inhibited in zip(axes, (False, True), strict=True):
        found = traces(inhibited)
        axis.plot(found.t / b2.second, found.v.T / b2.mV, lw=0.6)
        axis.set_ylabel("v (mV)")
        axis.set_title("with an added inhibitory group" if inhibited else "as it is", fontsize=9)
    axes[1].set_xlabel("time (s)")
    plt.tight_layout()
    plt.savefig("membrane.png", dpi=200)
