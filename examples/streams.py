"""What networks make of streams of stimuli: the tables of docs/paradigms/oddball.md and serial_order.md.

    izhires run serial-order --seeds 100:105 --out results/serial_order
    python examples/streams.py results/serial_order

Each value is the mean over seeds with the sample standard deviation.
"""

import sys

import pandas as pd

from izhires.analysis import analyse
from izhires.analysis.statistics import mean_and_deviation
from izhires.recordings.recording import load_folder


def main(folder: str) -> None:
    """Print the metrics of streams, mean and standard deviation over seeds."""
    table = analyse(load_folder(folder), only=["mismatch", "transitions"])
    table = table[table["value"].notna()]
    keys = ["metric", "variant", "block", "event"]
    print(folder)
    for (name, variant, block, event), rows in table.groupby(keys, sort=False, dropna=False):
        number = "" if pd.isna(block) else f"block {block}"
        place = " ".join(filter(None, [variant, number, event]))
        print(f"  {name:36s} {place:36s} {mean_and_deviation(rows['value'], 3)}  (n = {len(rows)})")


if __name__ == "__main__":
    for each in sys.argv[1:]:
        main(each)
