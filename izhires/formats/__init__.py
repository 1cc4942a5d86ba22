"""Recordings in the forms of other libraries and standards. Needs no simulator.

| name | what it gives | extra |
|---|---|---|
| `to_dataframe(recording, table)` | one tidy pandas table: trials, predictions, weights, spikes and others | |
| `to_neo(recording)` | spikes, trials and predictions as a `neo.Block` | `neo` |
| `to_pynapple(recording)` | the same as pynapple objects | `pynapple` |
| `save_nwb(recording, path)` | a file of Neurodata Without Borders | `nwb` |
| `to_events(trials)` | a trial table as events of the Brain Imaging Data Structure | |
| `save_bids(recordings, folder)` | a data set of such events files | |
| `save_csv(recording, folder)` | every tidy table as CSV, with its units | |

The first three are also methods of every recording that this package loaded or made: ``recording.izhires.to_neo()``. On
the command line: ``izhires convert``.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "save_bids": "izhires.formats.bids",
    "save_csv": "izhires.formats.tables",
    "save_nwb": "izhires.formats.nwb",
    "to_dataframe": "izhires.formats.tables",
    "to_events": "izhires.formats.bids",
    "to_neo": "izhires.formats.neo",
    "to_pynapple": "izhires.formats.pynapple",
}

__all__ = ["save_bids", "save_csv", "save_nwb", "to_dataframe", "to_events", "to_neo", "to_pynapple"]


def __getattr__(name: str) -> Any:  # nothing is imported before it is used, so that a command line starts quickly
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
