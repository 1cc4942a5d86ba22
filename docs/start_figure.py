"""The figure of the first page: ``python docs/start_figure.py`` writes docs/figures/start.png."""

from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt

from izhires import Configuration, simulate

if __name__ == "__main__":
    recording = simulate(Configuration(), seed=100)
    recording.izhires.plot_prediction()
    plt.savefig(Path(__file__).parent / "figures" / "start.png", dpi=160)
