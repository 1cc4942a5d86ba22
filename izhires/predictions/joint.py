"""A readout of the joint distribution over event and time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from izhires.errors import ConfigurationError
from izhires.predictions.merged import Merged
from izhires.rules.base import Rule

if TYPE_CHECKING:
    from izhires.model.model import Model


class Joint(Merged):
    """One readout over (event, time), learned once a trial: y_k(t) = max(z_k(t), 0) tends to the joint expectation.

    Nothing is factorised: probability and time of all events are learned together, as the mean over trials of what
    happened at each time. That needs a rule that consolidates once a trial; one that learns at every step follows the
    last trial instead (see ``merged``).
    """

    type: Literal["joint"] = "joint"  # type: ignore[assignment]
    source: ClassVar[str] = "this project: a control, the joint distribution in the place of its factors"

    def check(self, model: Model) -> None:  # noqa: D102
        if not model.when.rule.consolidates:
            fitting = [name for name, rule in Rule.alternatives().items() if rule.consolidates]
            raise ConfigurationError(
                f"{model.when.rule.type!r} learns at every step, the joint prediction once a trial",
                "when.rule",
                fitting,
            )
