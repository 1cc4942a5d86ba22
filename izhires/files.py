"""Files that are whole or absent."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from izhires.errors import ConfigurationError, IzhiresError, RecordingError

PART = ".part"
"""Ending of a file while it is written."""


def as_path(given: str | os.PathLike[str], place: str = "path") -> Path:
    """Return a path, given as text or as one.

    Raises
    ------
    ConfigurationError
        If it is neither, or empty.
    """
    if isinstance(given, (str, os.PathLike)) and not isinstance(os.fspath(given), bytes) and os.fspath(given):
        return Path(given)
    raise ConfigurationError(f"must be the name of a file or folder, got {given!r}", place)


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
        reason += f" ({shutil.disk_usage(folder).free / 1e6:.0f} MB are free there)"
    return reason


def remove_parts(folder: Path) -> list[str]:
    """Remove what killed runs left half-written; return the names of the files that they would have become."""
    names = []
    for part in sorted(folder.glob(f".*{PART}")):
        part.unlink(missing_ok=True)
        names.append(part.name[1:].rpartition("-")[0])
    return names
