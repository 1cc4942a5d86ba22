"""Libraries that only some uses need, each with the extra of this package that installs it; and those that commands do
without for as long as they can, so that they start quickly.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
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

UNASKED = ("dask", "distributed", "cupy")
"""What xarray imports wherever it is installed, dask for a second and with all of scipy; no array here is of theirs."""


_kept_out: set[str] = set()


def keep_out() -> None:
    """Let this process do without `UNASKED`; to be called in programs of this package, not in a user's session."""
    for name in UNASKED:
        if name not in sys.modules:
            sys.modules[name] = None  # type: ignore[assignment]  # an import of it then fails
            _kept_out.add(name)


def let_in() -> None:
    """Take back `keep_out`, for what asks for one of them itself."""
    while _kept_out:
        name = _kept_out.pop()
        if name in sys.modules and sys.modules[name] is None:
            del sys.modules[name]


class _Later(ModuleType):
    """Stands in for a module until something of it is used; what imports it meanwhile holds this."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        module = importlib.import_module(self.__name__)
        vars(self).update(vars(module))
        return getattr(module, name)


def import_when_used(name: str) -> None:
    """Have this process import a module when something of it is first used, not where an import names it.

    `importlib.util.LazyLoader` would not do: a second import that names the module has it loaded.
    """
    spec = importlib.util.find_spec(name)
    if name not in sys.modules and spec is not None:
        sys.modules[name] = _Later(name)
        sys.modules[name].__spec__ = spec


def library(module: str) -> Any:
    """Import a module of an optional library.

    Raises
    ------
    ToolchainError
        If that fails, for whatever reason; in one line, with the command that installs it where it is missing.
    """
    if EXTRAS.get(module.partition(".")[0]) == "dask":
        let_in()
    try:
        return importlib.import_module(module)
    except (Exception, SystemExit) as error:  # one that does not fit what else is installed may raise anything
        raise ToolchainError(trouble(module.partition(".")[0], error)) from None


def trouble(name: str, error: BaseException) -> str:
    """Return what an error that an optional library raised means for its user, in one line."""
    from importlib.metadata import PackageNotFoundError, version

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
