"""From recordings to numbers and figures. Needs no simulator.

| name | what it does |
|---|---|
| `analyse(recordings)` | every metric as one tidy table |
| `summary(table)` | mean, 95% interval and worst seed of each metric |
| `differences(tables)` | studies beside each other, seed by seed |
| `notes(table)` | one line for each thing that could not be computed |
| `all_metrics()` | the declared metrics (`izhires.analysis.metrics`, one family a file) |
| `all_observers()` | the declared observers (`izhires.analysis.observers`) to hold a network against |
| `make_figures(recordings, folder)` | every figure as PDF, PNG and CSV |
| `all_figures()` | the declared figures (`izhires.analysis.figures`, one a file) |
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "analyse": "izhires.analysis.table",
    "summary": "izhires.analysis.table",
    "notes": "izhires.analysis.table",
    "differences": "izhires.analysis.paired",
    "all_metrics": "izhires.analysis.metrics.base",
    "all_observers": "izhires.analysis.observers.base",
    "make_figures": "izhires.analysis.figures.base",
    "all_figures": "izhires.analysis.figures.base",
}

__all__ = ["all_figures", "all_metrics", "all_observers", "analyse", "differences", "make_figures", "notes", "summary"]


def __getattr__(name: str) -> Any:  # nothing is imported before it is used, so that a command line starts quickly
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
