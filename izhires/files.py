"""Files and folders that are whole or absent, and what is asked of every path and TOML file."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from izhires.errors import ConfigurationError, IzhiresError, RecordingError

PART = ".part"
"""Ending of a file while it is written."""


def as_path(given: object, place: str = "path") -> Path:
    """Return what a caller names a file or folder by.

    Parameters
    ----------
    given : str or Path
    place : str
        What the caller calls it.

    Raises
    ------
    ConfigurationError
        If it is neither, or names nothing.
    """
    if not isinstance(given, (str, os.PathLike)) or isinstance(os.fspath(given), bytes):
        raise ConfigurationError(f"must be a path (str or pathlib.Path), got {_briefly(given)}", place)
    if not os.fspath(given) or "\0" in os.fspath(given):
        raise ConfigurationError(f"is no name of a file or folder: {os.fspath(given)!r}", place)
    return Path(given)


def _briefly(given: object) -> str:
    text = " ".join(repr(given).split())
    return text if len(text) <= 60 else f"a {type(given).__name__}"


def read_toml(path: str | Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    ConfigurationError
        If it cannot be read, or is not TOML.
    """
    path = as_path(path)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror or error}", str(path)) from None
    except RecursionError:
        raise ConfigurationError("is not TOML: too many brackets within brackets", str(path)) from None
    except ValueError as error:  # not TOML, not UTF-8, or a number of more digits than Python reads
        raise ConfigurationError(f"is not TOML: {' '.join(str(error).split())}", str(path)) from None


@contextmanager
def private_folder(root: Path, prefix: str) -> Iterator[Path]:
    """Make a folder that no other process uses, remove it afterwards, and remove those of processes that were killed.

    Parameters
    ----------
    root : Path
        Where to make it.
    prefix : str
        How its name begins.
    """
    from filelock import FileLock, Timeout

    for old in root.glob(f"{prefix}*"):
        with contextlib.suppress(OSError, Timeout), FileLock(old / ".lock", timeout=0):
            # nobody holds it, so its owner is gone
            shutil.rmtree(old, ignore_errors=True)
    while True:
        made = tempfile.TemporaryDirectory(prefix=prefix, dir=root, ignore_cleanup_errors=True)
        with made as name, contextlib.ExitStack() as stack:
            own = Path(name)
            try:
                stack.enter_context(FileLock(own / ".lock"))
            except (FileNotFoundError, FileExistsError):
                # another took it for that of a killed process, in the moment before it was held
                continue
            yield own
            return


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Give a temporary name beside `path`, and rename it when all is written; on an error nothing is left.

    Raises
    ------
    RecordingError
        If the folder cannot be written to or is full.
    """
    path = as_path(path)
    part = path.parent / f".{path.name}-{os.getpid()}{PART}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(part, path)
    except IzhiresError:
        raise
    except (OSError, RuntimeError) as error:  # the netCDF library raises either
        raise RecordingError(f"cannot be written: {_reason(error, path.parent)}", str(path)) from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _reason(error: Exception, folder: Path) -> str:
    reason = getattr(error, "strerror", None) or " ".join(str(error).split())
    with contextlib.suppress(OSError):
        # the netCDF library does not say that a disk is full
        reason += f" ({shutil.disk_usage(folder).free / 1e6:.3g} MB are free there)"
    return reason


def remove_parts(folder: Path) -> list[str]:
    """Remove what killed runs left half-written; return the names of the files that they would have become."""
    names = []
    for part in sorted(folder.glob(f".*{PART}")):
        part.unlink(missing_ok=True)
        names.append(part.name[1:].rpartition("-")[0])
    return names
