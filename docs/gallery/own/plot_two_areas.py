"""
Two areas
=========

A sensory area hears the cue, a higher area is read and learns, and the cue reaches it through a connection alone. Without the connection nothing can be predicted. 40 trials, one seed;
``examples/two_areas.toml`` has the errors of four.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from izhires import read, simulate

here = Path.cwd().resolve()
file = next(
    each / "examples/two_areas.toml" for each in (here, *here.parents) if (each / "examples/two_areas.toml").exists()
)
task = {
    "type": "meet",
    "blocks": [{"trials": 40, "latency": {"A": "300 ms", "B": "600 ms"}, "probability": {"A": 0.7, "B": 0.3}}],
}
configuration = read(file, paradigm=task)
found = {
    "connected": simulate(configuration, seed=0),
    "not connected": simulate(configuration.with_changes(**{"connections.forward.weight": "0 mV/ms"}), seed=0),
}

# %%
# A connection of weight 0 is the same program with another number.

figure, grid = plt.subplots(1, 2, figsize=(7, 3), sharey=True, layout="constrained")
for axes, (name, recording) in zip(grid, found.items(), strict=True):
    last = recording.isel(probe=-1)
    for event, colour in (("A", "C0"), ("B", "C1")):
        axes.plot(recording.time, last.prediction.sel(event=event), color=colour, label=event)
        axes.plot(recording.time, last.expectation.sel(event=event), color=colour, linestyle="--", linewidth=0.8)
    error = float(np.sqrt(((last.prediction - last.expectation) ** 2).mean()))
    axes.set(title=f"{name}: error {error:.3f}", xlabel="time from cue (s)")
grid[0].set_ylabel("prediction (dashed: expectation)")
grid[0].legend()
