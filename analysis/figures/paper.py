"""The figures of a paper, composed of the others: task and model, learning, calibration, switches, weights, subspaces.

They follow the figures of Yamada & Chao (2026), doi 10.1038/s42003-026-10836-2, one subject each. Of
each, those panels are drawn that the recordings allow.
"""

from izhires.analysis.figures.base import compose

compose("figure_1", title="The task and the model", panels=[["task"], ["model"], ["raster"]])
compose("figure_2", title="Learning and prediction", panels=[["learning_curve", "timing"], ["predictions"]])
compose("figure_3", title="Calibration of probability", panels=[["calibration", "levels"]])
compose("figure_4", title="Recalibration after switches", panels=[["recalibration"], ["adaptation"]])
compose("figure_5", title="Weight space", panels=[["weight_space"]])
compose("figure_6", title="What and when subspaces", panels=[["angles"], ["subspaces"]])
