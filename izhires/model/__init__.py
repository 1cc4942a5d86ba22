"""The model as a declaration: populations, connections, neuromodulators, state, readouts, and the configuration."""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {"Model": "model", "State": "model", "Population": "population", "Connection": "connection",
         "Configuration": "configuration", "Seeds": "seeds"}  # fmt: skip

__all__ = ["Configuration", "Connection", "Model", "Population", "Seeds", "State"]


def __getattr__(name: str) -> Any:
    """Import what is asked for, and nothing else: components import single modules of this room."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
