"""Components of one's own, from scripts and modules that are named: ``--import my.py``, ``import = ["lab.model"]``.

What is imported defines components (rules, gates, circuits, readouts, paradigms ...), which are then known
everywhere by their names. Nothing is ever imported because a recording or a folder says so.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from izhires.errors import ConfigurationError
from izhires.optional import let_in

ENTRY_POINTS = "izhires"
"""Group of the entry points by which an installed package brings its components."""

_loaded: dict[str, str] = {}
_installed = False


def load(names: Iterable[str], beside: str | Path = "") -> None:
    """Import scripts and modules, each once.

    Parameters
    ----------
    names : iterable of str
        Paths that end in ``.py``, or names of modules.
    beside : str or Path
        The folder from which relative paths are looked for; by default the present one.

    Raises
    ------
    ConfigurationError
        If there is no such file or module, or it cannot be imported.
    """
    for name in names:
        let_in()  # it may use whatever is installed
        if not isinstance(name, str) or not name:
            raise ConfigurationError(f"{name!r} is neither a path that ends in .py nor the name of a module", "import")
        if name.endswith(".py"):
            _script((Path(beside) / Path(name).expanduser()).resolve(), name)
        elif name not in _loaded:
            try:
                module = importlib.import_module(name)
            except ModuleNotFoundError as error:
                if error.name and (name == error.name or name.startswith(f"{error.name}.")):
                    meant = f", did you mean '{name}.py'?" if (Path(beside) / f"{name}.py").is_file() else ""
                    raise ConfigurationError(f"there is no module {name!r} on Python's path{meant}", "import") from None
                raise _failed(name, error) from None
            except Exception as error:
                raise _failed(name, error) from error
            file = getattr(module, "__file__", None)
            _loaded[name] = _hash(Path(file)) if file else ""


def load_installed() -> None:
    """Import what installed packages bring as entry points of the group ``izhires``, once."""
    global _installed
    if _installed:
        return
    _installed = True
    for entry in entry_points(group=ENTRY_POINTS):
        load([entry.module])


def loaded() -> dict[str, str]:
    """Return what was imported: path or module, and a hash of its source."""
    return dict(_loaded)


def source_of(cls: type) -> tuple[str, str]:
    """Return the file that defines a class and a hash of it; empty texts where there is none, as in a notebook."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if file is None or not Path(file).is_file():
        return "", ""
    return str(Path(file).resolve()), _hash(Path(file))


def used(classes: Iterable[type]) -> dict[str, str]:
    """Return what was imported, and the files of one's own that define these classes, each with its hash."""
    modules = (getattr(sys.modules.get(name), "__file__", None) for name in _loaded)
    named = {str(Path(file).resolve()) for file in modules if file}
    files = dict(getattr(each, "defined_in", ("", "")) for each in classes)
    return _loaded | {file: its for file, its in files.items() if file and file not in named}


def _script(path: Path, name: str) -> None:
    if str(path) in _loaded:
        return
    module_name = f"{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise ConfigurationError("there is no such file", f"import {name}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    if str(path.parent) not in sys.path:  # modules that lie beside it; at the end, so that none hides another's
        sys.path.append(str(path.parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[module_name]
        raise _failed(name, error) from error
    _loaded[str(path)] = _hash(path)
    by_value(module)


def by_value(module: ModuleType) -> None:
    """Have what a module defines sent to worker processes as it is, since they cannot import it."""
    import cloudpickle

    cloudpickle.register_pickle_by_value(module)


def _hash(path: Path) -> str:
    return source_hash(path.read_bytes())


def source_hash(source: bytes) -> str:
    """Return the hash of a source, as a recording has it."""
    return hashlib.sha256(source).hexdigest()[:16]


def _failed(name: str, error: BaseException) -> ConfigurationError:
    said = " ".join(str(error).split())
    return ConfigurationError(f"cannot be imported: {type(error).__name__}: {said}", f"import {name}")
