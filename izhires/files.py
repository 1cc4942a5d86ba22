"""Files that are whole or absent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from izhires.errors import RecordingError


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Give a temporary name beside `path`, and rename it when all is written; on an error nothing is left.

    Raises
    ------
    RecordingError
        If the folder cannot be written to or is full.
    """
    path = Path(path)
    part = path.parent / f".{path.stem}-{os.getpid()}.part"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(part, path)
    except (OSError, RuntimeError) as error:
        if isinstance(error, RecordingError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise RecordingError(f"cannot be written: {reason}", str(path)) from None
    finally:
        part.unlink(missing_ok=True)
