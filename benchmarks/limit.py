"""The work of a hand-written program, as a model of this package, to see how far from the limit the package runs.

One exponential current, one Gaussian number a cell a step, a delta rule in a gate, feedback of every channel: cells,
weights and constants come from the folder that ``$BENCH_NETWORK`` names, ``$BENCH_TRAIN`` and ``$BENCH_TEST`` say how
many trials of 1 s. Prints one line of JSON: seconds of the loop, mean rate, and how the program was made.

    python benchmarks/limit.py                       # print the seconds of one run
    python benchmarks/limit.py --check LIMIT.CPP     # compile the hand-written program, compare the spikes
    python benchmarks/limit.py --device plain        # Brian2's own templates
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from brian2.units import ms, mV
from pydantic import PrivateAttr

from izhires import Configuration, Gate, Rule
from izhires.cells.izhikevich import Izhikevich
from izhires.circuits.base import Reservoir, Synapses
from izhires.declare import Milliseconds, PerMillisecond, parameter
from izhires.devices import get
from izhires.model.seeds import Seeds
from izhires.paradigms import Experiment, Paradigm
from izhires.running.run import Drawn, draw

BY_HAND = "the hand-written program"


class GivenCell(Izhikevich):
    """Izhikevich's cells with one current for all synapses; all rest at -65 mV."""

    source: ClassVar[str] = BY_HAND

    type: Literal["given_cell"] = "given_cell"
    composition: dict[str, float] = parameter({"RS": 0.8, "FS": 0.2}, "share of each cell type", source=BY_HAND)
    equations: str = parameter(
        """
        dv/dt = (0.04/ms/mV)*v**2 + (5/ms)*v + 140*mV/ms - u + I + drive + sigma*xi : volt
        du/dt = a*(b*v - u) : volt/second
        dI/dt = -I/tau : volt/second
        dr/dt = -r/tau_trace : Hz
        a : 1/second (constant)
        b : 1/second (constant)
        c : volt (constant)
        d : volt/second (constant)
        sigma : volt/second**0.5 (constant)
        """,
        "the cell, as Brian2 equations",
        source=BY_HAND,
    )
    reset: str = parameter("v = c\nu += d\nr += 1*Hz", "what a spike does to its cell", source=BY_HAND)

    def start(self, values: Mapping[str, np.ndarray], n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Begin at rest."""
        v = np.full(n, self.rest)
        return {"v": v, "u": values["b"] * v}


class Given(Reservoir):
    """A network that is read from files."""

    type: Literal["given"] = "given"
    folder: str = parameter(..., "folder of the network")
    cell: GivenCell = parameter(GivenCell(), "model and types of the cells", source=BY_HAND)
    tau: Milliseconds = parameter("8 ms", "decay of the synaptic current", source=BY_HAND)
    tau_trace: Milliseconds = parameter("30 ms", "decay of the spike trace r", source=BY_HAND)
    excitation: str = parameter("I_post += w", "what a spike does through an excitatory synapse", source=BY_HAND)
    inhibition: str = parameter("I_post += w", "what a spike does through an inhibitory synapse", source=BY_HAND)

    constants: ClassVar[tuple[str, ...]] = ("tau", "tau_trace")
    _read: dict[str, np.ndarray] = PrivateAttr(default_factory=dict)

    def read(self, name: str) -> np.ndarray:
        """Return an array of the folder: ``.f64`` or ``.i32`` by its name."""
        return np.fromfile(Path(self.folder) / name, dtype=np.float64 if name.endswith("f64") else np.int32)

    def draw_cells(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Return the cells of the folder; their noise stands there as the drive of a step of 0.5 ms."""
        cells = {name: self.read(f"{name}.f64") for name in "abcd"}
        sigma = self.read("sig.f64") * mV / ms * np.sqrt(0.5 * ms)
        return {**cells, "bias": self.read("bg.f64"), "sigma": sigma}

    def draw_synapses(self, rng: np.random.Generator) -> tuple[Synapses, Synapses]:
        """Return the synapses of the folder."""
        rows, target, weight = self.read("rp.i32"), self.read("col.i32"), self.read("w.f64")
        source = np.repeat(np.arange(self.n), np.diff(rows))
        excitatory = self.excitatory()[source]
        return tuple(  # type: ignore[return-value]
            Synapses(source[own], target[own], weight[own], np.ones(own.sum())) for own in (excitatory, ~excitatory)
        )

    def draw_cue(self, rng: np.random.Generator, seeds: Seeds) -> np.ndarray:
        """Return the drive of the cue."""
        return 5.0 * self.read("cuem.f64")


class Phase(Gate):
    """Open in one phase of each trial that teaches."""

    type: Literal["phase"] = "phase"
    opens: Milliseconds = parameter("500 ms", "from the cue", source=BY_HAND)
    closes_at: Milliseconds = parameter("700 ms", "from the cue", source=BY_HAND)
    expression: ClassVar[str] = "learning*int(elapsed(t) > opens - dt/2)*int(elapsed(t) < closes_at - dt/2)"
    source: ClassVar[str] = BY_HAND


class Delta(Rule):
    """Delta rule of the first channels, whose target is half a sine in the phase."""

    type: Literal["delta"] = "delta"
    rate: PerMillisecond = parameter("1e-4 1/ms", "learning rate", source=BY_HAND)
    taught_channels: float = parameter(1.0, "number of channels that learn", source=BY_HAND)
    schedule: ClassVar[Literal["step", "trial"]] = "step"
    channel_update: ClassVar[str] = (
        "step = rate*dt*gate*int(channel < taught_channels)*(sin(pi*(elapsed(t) - opens)/(closes_at - opens)) - z)"
    )
    weight_update: ClassVar[str] = "w += step_post*s_pre"
    source: ClassVar[str] = BY_HAND


class LeastMeanSquares(Rule):
    """Delta rule once a trial."""

    type: Literal["least_mean_squares"] = "least_mean_squares"
    speed: float = parameter(1e-3, "learning rate, 1/Hz**2", source=BY_HAND)
    schedule: ClassVar[Literal["step", "trial"]] = "trial"
    equations: ClassVar[str] = "step : second**2"
    channel_update: ClassVar[str] = "step = learning*speed*error*second**2"
    weight_update: ClassVar[str] = "w += step_post*x_pre"
    source: ClassVar[str] = BY_HAND


class Trials(Paradigm):
    """Trials of 1 s with a cue at 100 ms; the last ones teach nothing."""

    type: Literal["given_trials"] = "given_trials"
    channels: int = parameter(2, "number of events")
    train: int = parameter(100, "trials that teach")
    test: int = parameter(10, "trials that do not")

    def experiment(self, rng: np.random.Generator, variant: str = "") -> Experiment:
        """Return the trials; two events alternate."""
        number = np.arange(self.train + self.test)
        events = [f"event {k}" for k in range(self.channels)]
        teaches = number < self.train
        trials = {
            "onset": number * 1.0, "duration": 1.0, "cue": number + 0.1, "block": 0,
            "event": np.where(teaches, np.where(number % 2, events[0], events[1]), ""),
            "latency": np.where(teaches, 0.6, np.nan), "kind": np.where(teaches, "train", "probe"),
        }  # fmt: skip
        return Experiment.from_table(trials, events, window=0.7, cue_duration=0.05, paradigm=self.type)


class Network:
    """The network of a folder as a declaration, and its numbers."""

    def __init__(self, folder: Path, train: int, test: int) -> None:
        self.folder, self.train, self.test = folder, train, test
        self.facts = json.loads((folder / "meta.json").read_text())

    @cached_property
    def drawn(self) -> Drawn:
        """Plan and numbers."""
        n, k = self.facts["N"], self.facts["K"]
        configuration = Configuration(
            paradigm=Trials(channels=k, train=self.train, test=self.test),
            reservoir=Given(n=n, folder=str(self.folder)),
            state={"equations": "s = r/Hz : 1\nx = r : Hz", "update": ""},
            when={
                "rule": Delta(taught_channels=k // 2),
                "gate": Phase(),
                "feedback": "1 mV/ms",
                "fed_back": "feedback_gain*z",
                "largest_prediction": 1e6,
            },
            what={"rule": LeastMeanSquares()},
        )
        drawn = draw(configuration, seed=7)
        weights = {"when_weights.w": "W0", "when_feedback.w": "Wfb"}
        own = {name: np.fromfile(self.folder / f"{file}.f64") for name, file in weights.items()}
        return dataclasses.replace(drawn, arrays={**drawn.arrays, **own})


def check(network: Network, source: Path, device: str) -> int:
    """Compare the spikes without noise with those of the hand-written program; return 1 if they part too early."""
    drawn = network.drawn
    arrays = {**drawn.arrays, "cells.sigma": np.zeros_like(drawn.arrays["cells.sigma"])}
    found = get(device).prepare(drawn.plan).run(arrays)
    with tempfile.TemporaryDirectory() as name:
        flags = ["-std=c++17", "-O3", "-march=native", f"-DKK={drawn.plan.length('when')}", "-DNOISE=0"]
        subprocess.run(["g++", *flags, str(source), "-o", f"{name}/limit"], check=True)
        arguments = [str(network.folder), str(network.train), str(network.test), f"{name}/out"]
        subprocess.run([f"{name}/limit", *arguments], check=True, stdout=subprocess.DEVNULL)
        expected = np.fromfile(f"{name}/out.spk", dtype=np.int32).reshape(-1, 2)
    steps = np.round(found["spikes.t"] / drawn.plan.cell_step).astype(np.int64)
    cells = drawn.plan.cells
    one, other = np.sort(steps * cells + found["spikes.i"]), np.sort(expected[:, 0] * np.int64(cells) + expected[:, 1])
    length = min(len(one), len(other))
    differing = np.flatnonzero(one[:length] != other[:length])
    same = int(differing[0]) if len(differing) else length
    last = (one[same] if same < len(one) else one[-1]) // cells * drawn.plan.cell_step
    print(json.dumps({"same_spikes": same, "until_s": round(float(last), 4)}))
    return int(last < 0.5)


def main() -> int:
    """Run, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", type=Path, metavar="LIMIT.CPP")
    parser.add_argument("--device", default="cpp")
    options = parser.parse_args()
    folder = os.environ.get("BENCH_NETWORK", "")
    if not (Path(folder) / "meta.json").is_file():
        print("$BENCH_NETWORK must name the folder of a network with its meta.json", file=sys.stderr)
        return 2
    network = Network(Path(folder), int(os.environ.get("BENCH_TRAIN", 100)), int(os.environ.get("BENCH_TEST", 10)))
    if options.check:
        return check(network, options.check, options.device)
    plan = network.drawn.plan
    program = get(options.device).prepare(plan)
    found = program.run(network.drawn.arrays)
    rate = len(found["spikes.i"]) / plan.cells / plan.duration
    said = {"sim_s": program.measured["loop_seconds"], "rate": round(rate, 3), "build_s": program.build_seconds}
    print(json.dumps({**said, "peak_mib": program.measured.get("peak_bytes", 0) / 2**20}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
