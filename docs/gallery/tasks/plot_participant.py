"""
A participant's go/no-go task
=============================

A participant heard a cue and, after a wait, a go or a no-go signal; the network gets the same trials. The event files are not part of this package: name them in the variable ``EVENTS``, separated
by colons, as ``EVENTS=run-1_events.tsv:run-2_events.tsv``. Without them this page shows how the task is read from a file made up for it, and says so.
"""

import os
import tempfile
from pathlib import Path

import numpy as np

from izhires.paradigms import CuedReaction

files = [each for each in os.environ.get("EVENTS", "").split(os.pathsep) if each]
if not files:
    print("EVENTS names no event file of a participant; the trials below are made up, and nothing of them is a result")
    rng = np.random.default_rng(0)
    lines = ["onset\ttrial_type"]
    for trial in range(40):
        event = rng.choice(["go", "no-go"], p=[0.75, 0.25])
        lines += [f"{10 + 6 * trial:.3f}\tcue", f"{10 + 6 * trial + 1.5 + rng.gamma(2, 0.3):.3f}\t{event}"]
    made_up = Path(tempfile.mkdtemp()) / "made-up_events.tsv"
    made_up.write_text("\n".join(lines) + "\n", encoding="utf-8")
    files = [str(made_up)]

# %%
# What is understood of the files is said before anything is simulated.

task = CuedReaction(
    events_files=files, cue=("cue",), events=("go", "no-go"), event_column="trial_type", cue_column="trial_type"
)
experiment = task.experiment(np.random.default_rng(100))
print(experiment)
experiment.plot()

# %%
# The network, the figures beside the participant's own trials, and response times: :doc:`/tutorials/participant`.
