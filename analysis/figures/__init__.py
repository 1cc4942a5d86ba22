"""Figures: one a file. `prepare` turns recordings into labelled tables of what is drawn, `draw` draws them (see
`base`).

| file | what it shows |
|---|---|
| `task` | one trial, and the blocks with their latencies and probabilities |
| `raster` | the spikes of one probe and the state that the cue evokes |
| `predictions` | predictions beside expectations, before and after learning |
| `learning_curve` | error against trials, with its bounds |
| `calibration` | amplitude against probability |
| `recalibration` | error around each switch |
| `angles` | angles between "what" and "when" readouts against their chance levels |
| `observers` | expected probability and error, trial by trial, beside observers of the same trials |
| `foreperiod` | predictions where latencies vary, beside probability and hazard, sharp and blurred |
| `participant` | predictions of events whose latency varies, beside the latencies themselves |
"""

from izhires.analysis.figures.base import DeclaredFigure, all_figures, figure, make_figures

__all__ = ["DeclaredFigure", "all_figures", "figure", "make_figures"]
