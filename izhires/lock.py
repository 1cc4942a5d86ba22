"""A file lock that ends with its process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Busy(Exception):  # noqa: N818
    """Another process holds the lock."""


@contextmanager
def lock(path: Path, wait: bool = True) -> Iterator[None]:
    """Hold a lock on a file.

    Parameters
    ----------
    path : Path
        The file; it is made when absent, and stays.
    wait : bool
        Wait for a lock that another process holds.

    Raises
    ------
    Busy
        If another process holds the lock and `wait` is false.
    """
    with path.open("a") as handle:
        if os.name == "nt":
            import msvcrt

            try:
                msvcrt.locking(handle.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
            except OSError:
                raise Busy from None
        else:
            import fcntl

            try:
                fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy from None
        yield
