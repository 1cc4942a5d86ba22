"""Plastic synapses: this package's C++ program against one that Brian2 writes of a model as its users write it.

A thousand Izhikevich cells at about 10 Hz, each with a hundred plastic synapses of a pair rule: the same cells, the
same synapses, the same rule, and each program's own noise. In Brian2 the traces are ``(event-driven)`` variables of
each synapse, as in its documentation. Prints the seconds of both loops over time, the rates, and their ratio.

    python benchmarks/plasticity.py
    python benchmarks/plasticity.py --profile        # where the time of this package's program goes
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable

import numpy as np

from izhires import Configuration
from izhires.devices import get
from izhires.devices.cpp import CppDevice
from izhires.running.run import Drawn, draw


def configured(cells: int, synapses: int, seconds: int) -> Drawn:
    """Return the network: the cells are a population of their own, beside a small circuit that is read."""
    block = {"trials": seconds, "latency": {"A": "300 ms", "B": "600 ms"}, "probability": {"A": 0.5, "B": 0.5}}
    rule = {"type": "stdp", "w_max": "0.04 mV/ms"}
    configuration = Configuration.parse(
        {
            "paradigm": {"type": "meet", "blocks": [block]},
            "reservoir": {"type": "unconnected", "n": 10},
            "populations": {
                "area": {
                    "n": cells,
                    "cell": {"composition": {"RS": 1.0}},
                    "bias_excitatory": ["3 mV/ms", "6 mV/ms"],
                    "noise": "1 mV/sqrt(ms)",
                }
            },
            "connections": {
                "recurrent": {
                    "from": "area",
                    "to": "area",
                    "wiring": {"degree": synapses},
                    "weight": "0.02 mV/ms",
                    "delay": ["1 ms", "10 ms"],
                    "plasticity": rule,
                }
            },
        }
    )
    return draw(configuration, 0)


MODEL = """
dv/dt = (0.04/ms/mV)*v**2 + (5/ms)*v + 140*mV/ms - u + I_fast + I_slow + bias + noise*xi : volt
du/dt = a*(b*v - u) : volt/second
dI_fast/dt = -I_fast/tau_fast : volt/second
dI_slow/dt = -I_slow/tau_slow : volt/second
a : 1/second (constant)
b : 1/second (constant)
c : volt (constant)
d : volt/second (constant)
bias : volt/second (constant)
"""
SYNAPSES = """
w : volt/second
dx/dt = -x/tau : 1 (event-driven)
dy/dt = -y/tau : 1 (event-driven)
"""
ON_PRE = """
I_fast_post += (1 - slow_fraction)*w
I_slow_post += slow_fraction*w*tau_fast/tau_slow
x += 1
w = clip(w - A_minus*w_max*y, 0*volt/second, w_max)
"""
ON_POST = """
y += 1
w = clip(w + A_plus*w_max*x, 0*volt/second, w_max)
"""


def by_brian2(drawn: Drawn, folder: str) -> Callable[[], tuple[float, float]]:
    """Build the same model as a user of Brian2 writes it; return what runs it, and tells the seconds of the loop over
    time and the mean rate.
    """
    import brian2 as b2

    arrays, plan = drawn.arrays, drawn.plan
    b2.set_device("cpp_standalone", build_on_run=False)
    b2.defaultclock.dt = plan.cell_step * b2.second
    constants = {
        "tau_fast": 5 * b2.ms, "tau_slow": 100 * b2.ms, "slow_fraction": 0.15, "noise": 1 * b2.mV / b2.ms**0.5,
        "tau": 20 * b2.ms, "A_plus": 0.005, "A_minus": 0.00525, "w_max": 0.04 * b2.mV / b2.ms,
    }  # fmt: skip
    cells = b2.NeuronGroup(
        plan.length("area"),
        MODEL,
        threshold="v >= 30*mV",
        reset="v = c\nu += d",
        method="euler",
        namespace=constants,
    )
    for name in ("v", "u", "a", "b", "c", "d", "bias"):
        setattr(cells, f"{name}_", arrays[f"area.{name}"])
    synapses = b2.Synapses(cells, cells, SYNAPSES, on_pre=ON_PRE, on_post=ON_POST, namespace=constants)
    synapses.connect(i=arrays["recurrent.i"], j=arrays["recurrent.j"])
    synapses.w_ = arrays["recurrent.w"]
    synapses.pre.delay_ = arrays["recurrent.delay"]
    spikes = b2.SpikeMonitor(cells)
    b2.seed(1)
    network = b2.Network(cells, synapses, spikes)
    network.run(plan.duration * b2.second)
    device = b2.get_device()
    device.build(directory=folder, compile=True, run=False)

    def run() -> tuple[float, float]:
        device.run(directory=folder)
        return device._last_run_time, spikes.num_spikes / plan.length("area") / plan.duration

    return run


def main() -> None:
    """Print what both take, in turn, several times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--synapses", type=int, default=100, help="onto each cell")
    parser.add_argument("--seconds", type=int, default=20, help="of the simulated time, about")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    drawn = configured(given.cells, given.synapses, given.seconds)
    device = get("cpp")
    assert isinstance(device, CppDevice)
    program = device.prepare(drawn.plan)
    if given.profile:
        spent = program.profile(drawn.arrays)
        for name, seconds in sorted(spent.items(), key=lambda each: -each[1])[:15]:
            print(f"{seconds:8.3f} s  {name}")
        print(f"{program.measured['loop_seconds']:8.3f} s  in all")
        return
    times = []
    with tempfile.TemporaryDirectory() as folder:
        other = by_brian2(drawn, folder)
        for _ in range(given.repeats):
            outputs = program.run(drawn.arrays)
            ours, rate = (
                program.measured["loop_seconds"],
                len(outputs["area_spikes.t"]) / given.cells / drawn.plan.duration,
            )
            brian, its_rate = other()
            times.append((ours, brian))
            print(f"this package {ours:.3f} s ({rate:.1f} Hz), Brian2 {brian:.3f} s ({its_rate:.1f} Hz)")
    ours, brian = np.median(times, axis=0)
    per = 1e9 / (given.cells * given.synapses * rate * drawn.plan.duration)
    print(
        f"{given.cells} cells, {given.synapses} plastic synapses a cell, {drawn.plan.duration:.0f} s: "
        f"{ours:.3f} s and {brian:.3f} s, {brian / ours:.1f} times as fast; {ours * per:.1f} and {brian * per:.1f} ns "
        f"a spike and synapse"
    )


if __name__ == "__main__":
    main()
