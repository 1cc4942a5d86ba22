"""How far a run is, in one line, on a terminal and in a notebook."""

from __future__ import annotations

import sys
import time
from typing import TextIO

WIDTH = 30
"""Of the bar, characters."""


class Progress:
    """A line with a bar that is written anew: ``simulate(configuration, seed, report=Progress())``.

    It takes what `izhires.simulate` reports (stage, share) and what `izhires.run_batch` does (run, stage, share).

    Parameters
    ----------
    runs : int
        How many runs there are.
    to : file, optional
        By default the standard output.
    """

    def __init__(self, runs: int = 1, to: TextIO | None = None) -> None:
        self.runs, self.to = runs, to
        self._shares: dict[str, float] = {}
        self._began = time.perf_counter()
        self._line = ""
        live = (to or sys.stdout).isatty() or "ipykernel" in sys.modules
        self._step = 0.01 if live else 0.1  # a file keeps every line

    def __call__(self, *said: str | float) -> None:
        """Take what a run reports: its name where there are several, stage, share."""
        name, stage, share = said[:-2], said[-2], float(said[-1])
        run = str(name[0]) if name else ""
        if stage == "removed" or (stage == "build" and share >= 1):
            return
        self._shares[run] = 0.0 if stage == "build" else share
        done = min(sum(each for key, each in self._shares.items() if key or not name) / self.runs, 1.0)
        done = round(done / self._step) * self._step if done < 1 else done
        bar = ("#" * round(WIDTH * done)).ljust(WIDTH, ".")
        line = f"{'building' if stage == 'build' else 'running '} [{bar}] {done:4.0%}"
        if line == self._line:  # a notebook keeps all that is written
            return
        self._line = line
        end = "\n" if done >= 1 else ""
        print(
            f"\r{line} {time.perf_counter() - self._began:5.0f} s{end}", end="", file=self.to or sys.stdout, flush=True
        )
