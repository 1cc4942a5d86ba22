"""A readout of once a trial: read and learned at the end of the window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator

from izhires.building.parts import Event, Group, Monitor, Pathway, Reaction, Update
from izhires.declare import chosen, parameter
from izhires.readouts.base import OUTCOME, TASK, Readout, RecordedVariable, Watched
from izhires.rules.base import Rule

if TYPE_CHECKING:
    from izhires.building.draft import Draft
    from izhires.recordings.recording import Results

WINDOW_END = "abs(elapsed(t) - window) < dt/2"

READING = """
q_post += w*x_pre
power_post += x_pre**2
"""


class Trial(Readout):
    """Read at the end of the window, q_k = sum_i w_ki x_i, and learned there, once a trial."""

    type: Literal["trial"] = "trial"
    schedule: ClassVar[Literal["step", "trial"]] = "trial"
    channel_equations: ClassVar[str] = f"""
    {OUTCOME}
    q : 1
    power : Hz**2
    error = outcome - q : 1
    """
    cleared: ClassVar[str] = "q = 0\npower = 0*Hz**2"
    learns: ClassVar[tuple[str, str]] = ("window_end", WINDOW_END)
    """The event at which the rule runs, and its condition."""

    rule: chosen(Rule, "uncertainty_two_factor") = parameter("uncertainty_two_factor", "learning rule")  # type: ignore[valid-type]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self.check_rule(self.rule)
        return self

    def parts(self, draft: Draft, name: str) -> None:  # noqa: D102
        lines, numbers = self.channel_numbers(draft, self.rule, {"window": ("second", draft.experiment.window)})
        self.add_channels(draft, name, draft.channels, f"{TASK}{self.channel_equations}\n{lines}", numbers)

    def add_channels(self, draft: Draft, name: str, size: int, equations: str, numbers: dict[str, object]) -> None:
        """Add a group of channels, their weights, and what is recorded of them."""
        # Brian2 runs one code per event, so the end of the window is two events: one clears, one reads and learns
        learns, condition = self.learns
        conditions = {"clear": WINDOW_END, "window_end": WINDOW_END, learns: condition}
        events = {event: Event(each, "window's end") for event, each in conditions.items()}
        draft.add(Group(name, size, equations, events=events), **numbers)
        self.listen(draft, name, self.rule)
        draft.add(Update(f"{name}_clear", name, self.cleared, "trial readouts cleared", event="clear"))
        draft.add(Update(f"{name}_rule", name, self.rule.channel_update, "trial rule", event=learns))
        weights = Pathway(
            f"{name}_weights",
            "state",
            name,
            f"w : second\n{self.rule.weight_equations}",
            "all by target",
            reactions={
                "read": Reaction(READING, "post", "trial reading", "window_end", "sparse"),
                "learn": Reaction(self.rule.weight_update, "post", "trial weights", learns, "dense"),
            },
        )
        draft.add(weights, w=np.zeros(draft.cells * size))
        draft.add(Monitor(f"{name}_output", name, ("q",), every=draft.snapshot, after=True))
        self.record_weights(draft, name)

    def record_weights(self, draft: Draft, name: str) -> None:
        """Add what is recorded of the weights."""
        draft.add(Monitor(f"{name}_snapshots", f"{name}_weights", ("w",), every=draft.snapshot, after=True))

    def watched(self, name: str) -> Iterator[Watched]:  # noqa: D102
        yield Watched(f"{name}_output.q", "identity prediction")
        yield Watched(f"{name}_snapshots.w", "identity weights")

    def output(self, results: Results, name: str) -> np.ndarray | None:  # noqa: D102
        return results.at_window_ends(f"{name}_output.q")[results.probes]

    def variables(self, results: Results, name: str) -> dict[str, RecordedVariable]:  # noqa: D102
        values, shape = results.at_window_ends(f"{name}_output.q"), (-1, results.channels, results.cells)
        return {
            name: RecordedVariable(
                ("probe", "event"), values[results.probes], "1", "identity prediction at the end of the probe's window"
            ),
            f"{name}_weights": RecordedVariable(
                ("probe", "event", "neuron"),
                results.inside_probes(f"{name}_snapshots.w").reshape(shape),
                "s",
                "weights of the identity readout at the probe",
            ),
            f"trial_{name}": RecordedVariable(
                ("trial", "event"),
                values,
                "1",
                "identity prediction at the end of the trial's window, before learning from it",
            ),
        }
