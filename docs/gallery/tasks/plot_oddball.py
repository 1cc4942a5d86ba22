"""
Oddball and omission
====================

A standard and a rare deviant follow each other in a stream. How surprising is each, by what the network expected of it one stimulus before? The configuration reads rates above
their mean (``examples/stream.toml``); 150 stimuli, one seed. With the controls of equally rare stimuli, over seeds: :doc:`/paradigms/oddball`.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from izhires import read, simulate

here = Path.cwd().resolve()
stream = next(
    each / "examples/stream.toml" for each in (here, *here.parents) if (each / "examples/stream.toml").exists()
)
blocks = [{"name": "stream", "trials": 150, "probability": {"A": 0.8, "B": 0.2}}]
configuration = read(
    stream, ['keep.spikes="none"'], {"type": "oddball", "blocks": blocks, "controls": [], "omission_every": 25}
)
variant = configuration.paradigm.variants()[0]
recording = simulate(configuration, seed=100, variant=variant)

# %%
# The identity prediction of each stimulus before it comes. It begins at nothing, and goes toward how often each comes. Every so often none comes where one is due: an omission.

events = [str(each) for each in recording.event.values]
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
for event in ("A", "B"):
    axes.plot(recording.trial, recording.trial_what.sel(event=event), linewidth=0.8, label=f"expected {event}")
came = recording.trial_event.values
for event, height, colour in (("A", 1.05, "C0"), ("B", 1.1, "C1")):
    axes.plot(np.flatnonzero(came == event), np.full((came == event).sum(), height), "|", markersize=4, color=colour)
axes.set(xlabel="stimulus (above: which came)", ylabel="what", ylim=(-0.2, 1.2))
figure.legend(loc="outside right center")

# %%
# Surprise at what came, 1 less what was expected of it; and what was expected where nothing came.

late = np.arange(len(came)) > 50
for event in ("A", "B"):
    own = late & (came == event)
    surprise = 1 - recording.trial_what.sel(event=event).values[own]
    print(f"{event}: mean surprise {np.nanmean(surprise):.2f} in {own.sum()} stimuli")
left_out = late & (came == "") & (recording.trial_kind.values != "warm-up")
if left_out.any():
    print(
        f"expected of A in {left_out.sum()} omissions: {np.nanmean(recording.trial_what.sel(event='A').values[left_out]):.2f}"
    )
