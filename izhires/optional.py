"""Libraries that only some uses need, each with the extra of this package that installs it."""

from __future__ import annotations

import importlib
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from izhires.errors import ToolchainError

EXTRAS = {
    "pyhgf": "observers",
    "elephant": "dynamics",
    "neo": "neo",
    "quantities": "neo",
    "pynapple": "pynapple",
    "pynwb": "nwb",
    "h5py": "nwb",
    "distributed": "dask",
    "dask_jobqueue": "dask",
    "SALib": "sensitivity",
}
"""Name of a library, as it is imported -> extra."""


def library(module: str) -> Any:
    """Import a module of an optional library.

    Raises
    ------
    ToolchainError
        If that fails, for whatever reason; in one line, with the command that installs it where it is missing.
    """
    try:
        return importlib.import_module(module)
    except (Exception, SystemExit) as error:  # one that does not fit what else is installed may raise anything
        raise ToolchainError(trouble(module.partition(".")[0], error)) from None


def trouble(name: str, error: BaseException) -> str:
    """Return what an error that an optional library raised means for its user, in one line."""
    if isinstance(error, ToolchainError):  # of `library`
        return str(error)
    if isinstance(error, ModuleNotFoundError) and str(error.name).partition(".")[0] == name:
        return f"needs the package {name}: pip install 'izhires[{EXTRAS[name]}]'"
    try:
        here = f" {version(name)}"
    except PackageNotFoundError:
        here = ""
    said = " ".join(str(error).split())
    return f"the package {name}{here} fails here: {type(error).__name__}{f': {said}' if said else ''}"
