"""What networks make of streams of stimuli: the tables of docs/paradigms/oddball.md and serial_order.md.

    izhires run serial-order --seeds 100:105 --out results/serial_order
    python examples/streams.py results/serial_order

Each value is the mean over seeds with the sample standard deviation.
"""

import sys
from itertools import combinations

import numpy as np
import pandas as pd
import xarray as xr

from izhires.analysis import analyse
from izhires.analysis.statistics import mean_and_deviation
from izhires.recordings.recording import load_folder


def likeness(recordings: list[xr.Dataset]) -> pd.DataFrame:
    """Return how alike mean states after different stimuli are: cosine, of all cells and of either sign, by seed."""
    rows = []
    for recording in recordings:
        state, before = recording["mean_state"].values, recording["cue_name"].values.astype(str)
        excitatory = recording["excitatory"].values == 1
        for cells, chosen in (("all", slice(None)), ("excitatory", excitatory), ("inhibitory", ~excitatory)):
            means = [state[before == name][:, chosen].mean(0) for name in dict.fromkeys(before)]
            cosines = [one @ two / np.linalg.norm(one) / np.linalg.norm(two) for one, two in combinations(means, 2)]
            rows.append({"variant": recording.attrs["variant"], "cells": cells, "cosine": np.mean(cosines)})
    return pd.DataFrame(rows)


def main(folder: str) -> None:
    """Print the metrics of streams, mean and standard deviation over seeds."""
    recordings = load_folder(folder)
    table = analyse(recordings, only=["mismatch", "transitions"])
    table = table[table["value"].notna()]
    keys = ["metric", "variant", "block", "event"]
    print(folder)
    for (name, variant, block, event), rows in table.groupby(keys, sort=False, dropna=False):
        number = "" if pd.isna(block) else f"block {block}"
        place = " ".join(filter(None, [variant, number, event]))
        print(f"  {name:36s} {place:36s} {mean_and_deviation(rows['value'], 3)}  (n = {len(rows)})")
    for (variant, cells), rows in likeness(recordings).groupby(["variant", "cells"], sort=False):
        print(f"  {'cosine of states':36s} {f'{variant} {cells}':36s} {mean_and_deviation(rows['cosine'], 3)}")


if __name__ == "__main__":
    for each in sys.argv[1:]:
        main(each)
