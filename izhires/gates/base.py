"""What a gate is: one Brian2 expression of the channel's names (see `izhires.rules.base`)."""

from __future__ import annotations

from typing import ClassVar

from izhires.declare import Component
from izhires.model.variables import refuse_taken
from izhires.rules.base import EARLIER_NAMES, TAKEN


class Gate(Component):
    """A third factor, declared apart from the rule that it multiplies.

    Attributes
    ----------
    expression : str
        Brian2 expression, dimensionless, 0 where nothing may be learned. It may read ``learning``, ``occurs``,
        ``target_trial``, ``has_target``, ``target``, ``z``, ``since_event`` (s, time from this trial's event, negative
        before it; from the channel's own where several may come in a trial), the signals of the task (``elapsed(t)``,
        ``block(t)``, ``epoch_NAME(t)`` where it has epochs), the gate's own variables, and every parameter of the gate
        by its name.
    equations : str
        Brian2 equations of the gate's own variables, one set a channel, for gates with kinetics; all start at 0.
    update : str
        Brian2 statements that renew them every readout step, before the gate is read.
    source : str
        Citation.
    """

    family: ClassVar[str] = "gate"
    package: ClassVar[str] = "izhires.gates"
    earlier_texts: ClassVar[dict[str, str]] = EARLIER_NAMES

    expression: ClassVar[str]
    equations: ClassVar[str] = ""
    update: ClassVar[str] = ""
    source: ClassVar[str] = ""

    @classmethod
    def check_texts(cls) -> None:
        """Refuse names that the channels have."""
        super().check_texts()
        refuse_taken(cls, *TAKEN["step"])

    def factors(self) -> dict[str, str]:
        """Return the neuromodulators that the texts read the levels of: the name there, and that of the level."""
        return {}
