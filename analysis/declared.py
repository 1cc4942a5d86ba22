"""Lists of declared things (metrics, figures): declared once, where they are written; found by importing a package."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    import xarray as xr


class Unavailable(Exception):  # noqa: N818  (not a fault: the recording simply does not hold what is asked)
    """A metric or figure cannot be made from these recordings; the text is one plain line that says why."""


def require(recording: xr.Dataset, variables: Iterable[str]) -> None:
    """Complain in one line when a recording lacks variables.

    Raises
    ------
    Unavailable
    """
    missing = [name for name in variables if name not in recording.variables]
    if missing:
        raise Unavailable(f"needs {', '.join(missing)}, which the recording does not hold")


class Named(Protocol):
    """Anything with a name and the function that makes it."""

    @property
    def name(self) -> str:
        """The name."""

    @property
    def function(self) -> Any:
        """The function."""


T = TypeVar("T", bound=Named)


class Registry(Generic[T]):
    """All declared things of one kind.

    Parameters
    ----------
    package : str
        The package whose modules declare them. Things declared elsewhere (a user's script) join by being declared.
    """

    def __init__(self, package: str) -> None:
        self.package = package
        self._known: dict[str, T] = {}

    def add(self, item: T) -> None:
        """Enter one declared thing.

        Raises
        ------
        ValueError
            If another function already has this name.
        """
        known = self._known.get(item.name)
        if known is not None and _home(known) != _home(item):
            raise ValueError(f"{item.name!r} is declared twice: in {_home(known)} and in {_home(item)}")
        self._known[item.name] = item

    def all(self) -> dict[str, T]:
        """Import every module of the package and return what is declared, by name, in the order of the modules."""
        package = importlib.import_module(self.package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self.package}.{module.name}")
        return dict(self._known)


def _home(item: Named) -> str:
    return f"{item.function.__module__}.{item.function.__qualname__}"
