"""A trial table of one's own: a CSV file, one row a trial."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from izhires.declare import Milliseconds, parameter
from izhires.errors import ParadigmError
from izhires.paradigms.base import Paradigm
from izhires.paradigms.experiment import Experiment

NEEDED = ("onset", "duration", "cue", "event", "latency")


class Table(Paradigm):
    """Trials from a CSV file with columns onset, duration, cue, event, latency (s), and optionally block, kind, learn.

    Times of ``onset`` and ``cue`` count from the start of the experiment, ``latency`` from the cue; ``event`` and
    ``latency`` are empty in a cue-only trial. The expectation of a block is what occurred in it.
    """

    source: ClassVar[str] = "one's own"
    options: ClassVar[dict[str, str]] = {"--table": "file", "--event": "events"}

    type: Literal["table"] = "table"
    file: str = parameter(..., "CSV file of trials", source="by choice")
    events: tuple[str, ...] = parameter(
        (), "names of the events; none: those of the file, in order", source="by choice"
    )
    window: Milliseconds = parameter("1100 ms", "time after the cue in which predictions are read", ge=1)
    cue_duration: Milliseconds = parameter("50 ms", "length of the cue", ge=1)
    event_width: Milliseconds = parameter(
        "40 ms", "standard deviation of the bump that stands for an event", symbol="sigma", ge=1
    )

    def experiment(self, rng: np.random.Generator, variant: str = "") -> Experiment:
        """Read the table; see `Paradigm.experiment`. Nothing is drawn."""
        self.check_variant(variant)
        trials = read_trials(self.file)
        try:
            return Experiment.from_table(
                trials,
                events=self.events or None,
                window=self.window / 1e3,
                event_width=self.event_width / 1e3,
                cue_duration=self.cue_duration / 1e3,
                paradigm=self.type,
            )
        except ParadigmError as error:
            raise ParadigmError(error.complaints, self.file) from None


def read_trials(file: str) -> pd.DataFrame:
    """Read a trial table from a CSV file; its values are not checked yet.

    Raises
    ------
    ParadigmError
        If it is missing or unreadable, or a column is missing.
    """
    try:
        trials = pd.read_csv(Path(file).expanduser(), keep_default_na=True, dtype={"event": str, "kind": str})
    except FileNotFoundError:
        raise ParadigmError("there is no such file", file) from None
    except (OSError, ValueError) as error:  # pandas' own errors of parsing are ValueErrors
        raise ParadigmError(f"cannot be read: {error}", file) from None
    missing = [name for name in NEEDED if name not in trials]
    if missing:
        raise ParadigmError(
            f"column {' and '.join(missing)} missing; it has {', '.join(map(str, trials.columns))}", file
        )
    return trials
