"""A readout that learns values by temporal differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from izhires.building.parts import Monitor
from izhires.declare import Drive, chosen, parameter
from izhires.gates.base import Gate
from izhires.readouts.base import RecordedVariable
from izhires.readouts.online import Online
from izhires.rules.base import Rule
from izhires.rules.td import SCHULTZ

if TYPE_CHECKING:
    from izhires.building.draft import Draft
    from izhires.recordings.recording import Results


class Value(Online):
    """Values: each channel says how soon its event comes, discounted, and its TD error is recorded; not fed back."""

    type: Literal["value"] = "value"  # type: ignore[assignment]
    rule: chosen(Rule, "td") = parameter("td", "learning rule")  # type: ignore[valid-type]
    gate: chosen(Gate, "open") = parameter("open", "third factor; the rule 'td' does not ask it")  # type: ignore[valid-type]
    feedback: Drive = parameter("0 mV/ms", "gain of the feedback into the cells", ge=0)

    source: ClassVar[str] = SCHULTZ

    def parts(self, draft: Draft, name: str) -> None:  # noqa: D102
        super().parts(draft, name)
        draft.add(Monitor(f"{name}_errors", name, ("delta",)))

    def recorded(self, name: str) -> tuple[str, ...]:  # noqa: D102
        return *super().recorded(name), f"{name}_delta"

    def variables(self, results: Results, name: str) -> dict[str, RecordedVariable]:  # noqa: D102
        errors = RecordedVariable(
            ("probe", "event", "time"),
            results.in_probes(f"{name}_errors.delta"),
            "1",
            "temporal-difference error over the probe's window",
        )
        return {**super().variables(results, name), f"{name}_delta": errors}
