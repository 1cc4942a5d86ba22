"""What all peers read: the network of ``$BENCH_NETWORK`` and the constants of the work."""

import json
import os
from pathlib import Path

import numpy as np

FOLDER = Path(os.environ["BENCH_NETWORK"])
TRAIN, TEST = int(os.environ.get("BENCH_TRAIN", 100)), int(os.environ.get("BENCH_TEST", 10))
META = json.loads((FOLDER / "meta.json").read_text())
N, K = META["N"], META["K"]
DT, TAU, TAU_TRACE = 0.5, 8.0, 30.0  # ms
RATE, CUE = 1e-4, 5.0


def read(name):
    """Return an array of the folder."""
    return np.fromfile(FOLDER / name, dtype=np.float64 if name.endswith("f64") else np.int32)


def synapses():
    """Return source, target and weight (mV/ms)."""
    return np.repeat(np.arange(N), np.diff(read("rp.i32"))), read("col.i32"), read("w.f64")


def tell(seconds, spikes, what="all of the work"):
    """Print the line that is asked for."""
    print(json.dumps({"sim_s": seconds, "rate": spikes / N / (TRAIN + TEST), "what": what}))
