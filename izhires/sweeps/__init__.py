"""Sweeps: many runs over parameters, conditions and seeds, of which nothing is lost and nothing is done twice.

| module | what it is |
|---|---|
| `design` | what is to be run: a declaration, and the runs it stands for |
| `index` | which runs are done: a table beside the recordings, rebuilt from them at need |
| `driver` | does what is missing, on this machine or on a Dask cluster |
| `cluster` | the Dask engine |
| `pilot` | one short run, and what it predicts for all |
| `results` | the tidy table and the labelled data set of a folder |
| `sensitivity` | the points of a sensitivity analysis, which `izhires.analysis.sensitivity` evaluates |
"""

from __future__ import annotations
