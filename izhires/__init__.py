"""Spiking reservoirs that learn what will happen, when, and how likely it is.

| name | what it is |
|---|---|
| `Configuration` | a model, its task and what is recorded: what a TOML file holds |
| `Model` | a reservoir and its two readouts, as a declaration |
| `Rule`, `Gate`, `Reservoir`, `Plasticity`, `Neuromodulator` | what a user's own derives from |
| `Readout`, `Cell`, `Paradigm` | likewise |
| `Experiment` | the trials that a paradigm makes, and their statistics |
| `Seeds` | one seed, five named streams |
| `simulate(configuration, seed)` | one run: paradigm -> model -> device -> recording |
| `network(configuration, seed)` | the Brian2 network itself, to be changed and run in one's own session |
| `run_batch(configuration, seeds, folder)` | many runs into one folder, in parallel |
| `sweep(spec, folder)`, `Spec` | many runs over parameters, conditions and seeds; goes on where it was ended |
| `read(path)`, `parse_seeds(text)` | a configuration file, and seeds, as the command line reads them |
| `load(path)`, `load_folder(path)`, `save(recording, path)` | recordings as xarray data sets |
| `load_dataset(folder)` | all recordings of a folder as one, read as it is used |
| `Progress` | a line that says how far a run is, to be given as `report` |
| `IzhiresError` | base of every error raised on purpose |

The task rooms are `izhires.paradigms` and `izhires.analysis`.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

_HOME = {
    "Cell": "izhires.cells.base",
    "Configuration": "izhires.model.configuration",
    "Experiment": "izhires.paradigms.experiment",
    "Gate": "izhires.gates.base",
    "IzhiresError": "izhires.errors",
    "Model": "izhires.model.model",
    "Neuromodulator": "izhires.neuromodulators.base",
    "Paradigm": "izhires.paradigms.base",
    "Plasticity": "izhires.plasticity.base",
    "Progress": "izhires.running.progress",
    "Readout": "izhires.readouts.base",
    "Reservoir": "izhires.circuits.base",
    "Rule": "izhires.rules.base",
    "Seeds": "izhires.model.seeds",
    "Spec": "izhires.sweeps.design",
    "load": "izhires.recordings.recording",
    "load_dataset": "izhires.recordings.lazy",
    "load_folder": "izhires.recordings.recording",
    "network": "izhires.running.run",
    "parse_seeds": "izhires.model.configuration",
    "read": "izhires.model.configuration",
    "run_batch": "izhires.running.batch",
    "save": "izhires.recordings.recording",
    "simulate": "izhires.running.run",
    "sweep": "izhires.sweeps.driver",
}

__all__ = [
    "Cell",
    "Configuration",
    "Experiment",
    "Gate",
    "IzhiresError",
    "Model",
    "Neuromodulator",
    "Paradigm",
    "Plasticity",
    "Progress",
    "Readout",
    "Reservoir",
    "Rule",
    "Seeds",
    "Spec",
    "load",
    "load_dataset",
    "load_folder",
    "network",
    "parse_seeds",
    "read",
    "run_batch",
    "save",
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
