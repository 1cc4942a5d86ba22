"""Spiking reservoirs that learn what will happen, when, and how likely it is.

| name | what it is |
|---|---|
| `Configuration` | a model, its task and what is recorded: what a TOML file holds |
| `Model` | a reservoir and its two readouts, as a declaration |
| `Rule`, `Gate`, `Reservoir` | what a user's own rule, gate or circuit derives from |
| `Seeds` | one seed, five named streams |
| `simulate(configuration, seed)` | one run: paradigm -> model -> device -> recording |
| `network(configuration, seed)` | the Brian2 network itself, to be changed and run in one's own session |
| `run_batch(configuration, seeds, folder)` | many runs into one folder, in parallel |
| `sweep(spec, folder)` | many runs over parameters, conditions and seeds; goes on where it was ended |
| `load(path)`, `load_folder(path)` | recordings as xarray data sets |
| `IzhiresError` | base of every error raised on purpose |

The task rooms are `izhires.paradigms` and `izhires.analysis`.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

_HOME = {
    "Configuration": "izhires.model.configuration",
    "Gate": "izhires.gates.base",
    "IzhiresError": "izhires.errors",
    "Model": "izhires.model.model",
    "Reservoir": "izhires.circuits.base",
    "Rule": "izhires.rules.base",
    "Seeds": "izhires.model.seeds",
    "load": "izhires.recordings.recording",
    "load_folder": "izhires.recordings.recording",
    "network": "izhires.running.run",
    "run_batch": "izhires.running.batch",
    "simulate": "izhires.running.run",
    "sweep": "izhires.sweeps.driver",
}

__all__ = [
    "Configuration",
    "Gate",
    "IzhiresError",
    "Model",
    "Reservoir",
    "Rule",
    "Seeds",
    "load",
    "load_folder",
    "network",
    "run_batch",
    "simulate",
    "sweep",
]


# a checkout that is not installed: its rooms lie side by side; links here would be text or copies where none are kept
_checkout = Path(__file__).resolve().parents[1]
if not Path(__file__).with_name("paradigms").exists() and (_checkout / "paradigms" / "base.py").exists():
    __path__.append(str(_checkout))


def __getattr__(name: str) -> Any:  # nothing is imported before it is used, so that a command line starts quickly
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
