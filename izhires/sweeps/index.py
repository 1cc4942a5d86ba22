"""Which runs of a sweep are done: a table beside the recordings, which can always be made anew from them."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from izhires.errors import RecordingError
from izhires.sweeps.design import Point

NAME = "index.sqlite"

SCHEMA = """
CREATE TABLE IF NOT EXISTS points (
    number INTEGER, condition TEXT, variant TEXT, seed INTEGER, parameters TEXT, run TEXT,
    PRIMARY KEY (number, condition, variant, seed));
CREATE TABLE IF NOT EXISTS runs (
    run TEXT PRIMARY KEY, state TEXT, size INTEGER, digest TEXT, seconds REAL, memory INTEGER, error TEXT);
"""

RECORDING = re.compile(r"[0-9a-f]{16}\.nc")
"""Name of a recording of a sweep: the identity of its run."""


@dataclass(frozen=True)
class Entry:
    """One design point and how its run stands: ``good``, ``failed`` or ``missing``."""

    number: int
    parameters: dict[str, Any]
    condition: str
    variant: str
    seed: int
    run: str
    state: str
    seconds: float
    memory: int
    error: str

    @property
    def name(self) -> str:
        """The name of the run on the terminal."""
        return ", ".join(filter(None, [f"point {self.number}", self.condition, self.variant, f"seed {self.seed}"]))


def path_of(folder: Path, run: str) -> Path:
    """Return the file of a run's recording."""
    return folder / f"{run}.nc"


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Index:
    """The table of a sweep's folder. Whoever writes to it holds the folder's lock."""

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self.folder, self._base = folder, connection

    def enter(self, points: Iterable[Point]) -> None:
        """Write down the design, in the place of an earlier one."""
        rows = [
            (each.number, each.condition, each.variant, each.seed, json.dumps(each.parameters), each.run)
            for each in points
        ]
        with self._base:
            self._base.execute("DELETE FROM points")
            self._base.executemany("INSERT INTO points VALUES (?, ?, ?, ?, ?, ?)", rows)

    def good(self, run: str, seconds: float = float("nan"), memory: int = 0, known: str = "") -> None:
        """Write down that a run's recording is whole; `known` is its SHA-256 where that is known."""
        path = path_of(self.folder, run)
        row = (run, "good", path.stat().st_size, known or digest(path), seconds, memory, "")
        with self._base:
            self._base.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def failed(self, run: str, error: str) -> None:
        """Write down that a run failed, and why."""
        with self._base:
            self._base.execute(
                "INSERT OR REPLACE INTO runs VALUES (?, 'failed', 0, '', ?, 0, ?)", (run, float("nan"), error)
            )

    def states(self) -> dict[str, str]:
        """Return the state of each run: ``good`` or ``failed``; one that is in neither has not ended."""
        return dict(self._base.execute("SELECT run, state FROM runs"))

    def check(self) -> list[str]:
        """Compare the table with the recordings; return the names of files that are damaged and were left out.

        A recording that the table knows must have the size and SHA-256 it had when it was written. One that it does not
        know, as its writer was killed before it could say so, is read wholly.
        """
        known = {
            run: row for run, *row in self._base.execute("SELECT run, size, digest FROM runs WHERE state = 'good'")
        }
        damaged, there = [], set()
        for path in sorted(self.folder.glob("*.nc")):
            if not RECORDING.fullmatch(path.name):
                continue  # not ours
            run = path.stem
            if run in known:
                size, before = known[run]
                whole = path.stat().st_size == size and digest(path) == before
            else:
                whole = _is_recording_of(run, path)
                if whole:
                    self.good(run)
            if whole:
                there.add(run)
            else:
                damaged.append(path.name)
        with self._base:
            self._base.executemany("DELETE FROM runs WHERE run = ?", [(run,) for run in known if run not in there])
        return damaged

    def recover_points(self) -> None:
        """Take the design from the recordings, where the table has none."""
        from izhires.recordings.recording import load

        if self._base.execute("SELECT count(*) FROM points").fetchone()[0]:
            return
        rows = []
        for run, state in self.states().items():
            if state == "good":
                found = load(path_of(self.folder, run)).attrs
                point = json.loads(found["sweep"])
                rows.append(
                    (point["number"], point["condition"], str(found["variant"]), int(found["seed"]),
                     json.dumps(point["parameters"]), run)
                )  # fmt: skip
        with self._base:
            self._base.executemany("INSERT OR REPLACE INTO points VALUES (?, ?, ?, ?, ?, ?)", sorted(rows))

    def entries(self) -> list[Entry]:
        """Return every design point, in order, and how its run stands."""
        rows = self._base.execute(
            "SELECT number, parameters, condition, variant, seed, points.run, coalesce(state, 'missing'), seconds, "
            "coalesce(memory, 0), coalesce(error, '') FROM points LEFT JOIN runs ON points.run = runs.run "
            "ORDER BY number, points.rowid"
        )
        return [
            Entry(n, json.loads(row), condition, variant, seed, run, state,
                  float("nan") if seconds is None else seconds, memory, error)
            for n, row, condition, variant, seed, run, state, seconds, memory, error in rows
        ]  # fmt: skip


def _is_recording_of(run: str, path: Path) -> bool:
    from izhires.recordings.recording import load

    try:
        return load(path).attrs.get("run") == run
    except RecordingError:
        return False


def _made(connection: sqlite3.Connection) -> sqlite3.Connection:
    connection.executescript(SCHEMA)
    return connection


@contextmanager
def writing(folder: Path, again: bool = False) -> Iterator[Index]:
    """Open the index of a folder to write to it; `again` throws away what it holds, and so does damage.

    Raises
    ------
    RecordingError
        If it cannot be written to.
    """
    path = folder / NAME
    try:
        if again:
            path.unlink(missing_ok=True)
        try:
            index = Index(folder, _made(sqlite3.connect(path)))
            index.states()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:  # damaged, or no table at all
            path.unlink()
            index = Index(folder, _made(sqlite3.connect(path)))
    except (sqlite3.OperationalError, OSError) as error:
        raise RecordingError(f"cannot be written to: {error}", str(path)) from None
    with closing(index._base):
        try:
            yield index
        except sqlite3.OperationalError as error:
            raise RecordingError(f"cannot be written to: {error}", str(path)) from None


@contextmanager
def reading(folder: Path) -> Iterator[Index]:
    """Open the index of a folder to read it; where it is missing or damaged, make one in memory of the recordings.

    Raises
    ------
    RecordingError
        If the folder holds no sweep.
    """
    path = folder / NAME
    if not folder.is_dir():
        raise RecordingError("there is no such folder", str(folder))
    with ExitStack() as stack:
        try:
            connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
            stack.enter_context(closing(connection))
            connection.execute("SELECT count(*) FROM points, runs")
            index = Index(folder, connection)
        except sqlite3.DatabaseError:
            index = Index(folder, _made(stack.enter_context(closing(sqlite3.connect(":memory:")))))
            index.check()
            index.recover_points()
        if not index.entries():
            raise RecordingError("holds no sweep", str(folder))
        yield index
