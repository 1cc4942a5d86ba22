"""
The figures of the paper
========================

What is predicted before and after learning, how the error falls, and where the time is: the figures that ``izhires figures`` draws of a folder, here of one short run
(four blocks of 30 trials, one seed). In the paper and in :doc:`/results` blocks have 100 trials, and there are several seeds.
"""

import matplotlib.pyplot as plt

from izhires import Configuration, simulate
from izhires.analysis import all_figures
from izhires.analysis.figures import style
from izhires.paradigms.meet import DEFAULT_BLOCKS

blocks = [{**block.to_dict(), "trials": 30} for block in DEFAULT_BLOCKS]
recording = simulate(Configuration(paradigm={"type": "meet", "blocks": blocks}), seed=100)


def show(name, height):
    """Draw a declared figure into one of matplotlib's."""
    declared = all_figures()[name]
    with style.applied():
        made = plt.figure(figsize=(style.DOUBLE, height * style.MILLIMETRE), layout="constrained")
        declared.function(declared.tables([recording]), made)


# %%
# The task, one trial of it and its blocks:
show("task", 80)

# %%
# Predictions before and after each block. Timing is there after the first block; when only probabilities switch, so do amplitudes.
show("predictions", 90)

# %%
# The error over the first block, between that of predicting nothing and that of a readout fitted to all states.
show("learning_curve", 66)

# %%
# Spikes of one probe, and the state that the cue evokes: a chain of groups that is wired by hand.
show("raster", 75)
