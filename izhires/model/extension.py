"""A user's function that adds Brian2 objects to the network, found by its name."""

from __future__ import annotations

import importlib
from pathlib import Path

from izhires.errors import ConfigurationError, closest


def beside(text: str, folder: str | Path) -> str:
    """Return what names a function with the whole path of its file, where it has one; relative ones start at a folder.

    Parameters
    ----------
    text : str
        ``module:function`` or ``file.py:function``.
    folder : str or Path
        The present one where it is empty.
    """
    module, _, function = text.rpartition(":")
    return f"{(Path(folder) / Path(module).expanduser()).resolve()}:{function}" if module.endswith(".py") else text


def extension(text: str) -> tuple[str, str]:
    """Return the name of a function, and the source of the module that defines it.

    The source is all that a device's generator gets, so it must stand for itself: what it imports must be importable.

    Parameters
    ----------
    text : str
        ``module:function`` or ``file.py:function``.

    Raises
    ------
    ConfigurationError
        If there is no such file, module or function.
    """
    module, colon, function = text.rpartition(":")
    if not colon or not module or not function.isidentifier():
        raise ConfigurationError(f"{text!r} is neither 'module:function' nor 'file.py:function'", "extend")
    if module.endswith(".py"):
        path = Path(module).expanduser()
    else:
        try:
            path = Path(importlib.import_module(module).__file__ or "")
        except Exception as error:
            said = " ".join(str(error).split())
            raise ConfigurationError(f"cannot import {module!r}: {type(error).__name__}: {said}", "extend") from None
    try:
        source = path.read_text(encoding="utf-8")
        names = [name for name in compile(source, str(path), "exec").co_names if name.isidentifier()]
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}", "extend") from None
    except (SyntaxError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is no Python: {error}", "extend") from None
    if function not in names:
        raise ConfigurationError(f"{path} defines no {function!r}{closest(function, names)}", "extend")
    return function, source
