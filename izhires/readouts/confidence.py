"""Readouts for and against each event, from which confidence is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from izhires.declare import chosen, parameter
from izhires.readouts.base import RecordedVariable, Watched
from izhires.readouts.trial import Trial
from izhires.rules.base import Rule

if TYPE_CHECKING:
    from izhires.building.draft import Draft
    from izhires.recordings.recording import Results


class Confidence(Trial):
    """Two more readouts of x for each event, of its occurrence and of its absence, from which confidence is read.

    With the rule ``counting`` their outputs a_k, b_k are counts, and Beta(1 + a_k, 1 + b_k) is the posterior of the
    event's probability. They are read, and change nothing else.
    """

    type: Literal["confidence"] = "confidence"  # type: ignore[assignment]
    channel_equations: ClassVar[str] = """
    q : 1
    power : Hz**2
    error = outcome - q : 1
    against : 1 (constant)
    """

    rule: chosen(Rule, "counting") = parameter("counting", "learning rule")  # type: ignore[valid-type]

    def parts(self, draft: Draft, name: str) -> None:  # noqa: D102
        k = draft.channels
        lines, numbers = self.channel_numbers(draft, self.rule, {"window": ("second", draft.experiment.window)})
        numbers |= {variable: np.tile(values, 2) for variable, values in numbers.items() if np.ndim(values)}
        # the outcome that a rule knows is here what the channel counts: that its event occurs, or that it does not
        task = self.task(draft, name, "against + (1 - 2*against)*{occurs}", kinds=2)
        numbers["against"] = np.repeat([0.0, 1.0], k)
        self.add_channels(draft, name, 2 * k, f"{task}{self.channel_equations}\n{lines}", numbers)

    def record_weights(self, draft: Draft, name: str) -> None:
        """Record no weights: the counts say it all."""

    def watched(self, name: str) -> Iterator[Watched]:  # noqa: D102
        yield from ()

    usual_name: ClassVar[str] = "confidence"

    def recorded(self, name: str) -> tuple[str, ...]:  # noqa: D102
        own = "" if name == self.usual_name else f"_{name}"
        return f"trial_count{own}", f"trial_count_against{own}"

    def output(self, results: Results, name: str) -> None:  # noqa: D102
        return None

    def variables(self, results: Results, name: str) -> dict[str, RecordedVariable]:  # noqa: D102
        counts = results.at_window_ends(f"{name}_output.q").reshape(-1, 2, results.channels)
        count, against = self.recorded(name)
        return {
            count: RecordedVariable(
                ("trial", "event"),
                counts[:, 0],
                "1",
                "occurrences of the event that the confidence readout counts, before learning from the trial",
            ),
            against: RecordedVariable(
                ("trial", "event"), counts[:, 1], "1", "absences of the event that the confidence readout counts"
            ),
        }
