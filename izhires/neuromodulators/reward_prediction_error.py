"""Dopamine as the error of a prediction of reward that the network makes itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Literal

from izhires.declare import parameter
from izhires.errors import ConfigurationError, check_known
from izhires.neuromodulators.base import Sum
from izhires.neuromodulators.dopamine import Dopamine

if TYPE_CHECKING:
    from izhires.model.model import Model

SCHULTZ = "Schultz, Dayan & Montague (1997), doi 10.1126/science.275.5306.1593"


class RewardPredictionError(Dopamine):
    """Dopamine that a temporal-difference error releases, delta = r + gamma*V(t) - V(t - dt) of a readout.

    The channels of the readout each predict one event (`izhires.rules.td`), and count as much as `reward` says that
    their events are worth; so V is the value of the state, and the sum of their errors is that of reward. A negative
    error takes from the level: it dips below its tonic value, to `lowest` at least.
    """

    type: Literal["reward_prediction_error"] = "reward_prediction_error"  # type: ignore[assignment]
    of: str = parameter("value", "readout whose error it is; its rule has a 'delta'", source="by choice")
    gain: float = parameter(1.0, "what an error of 1 releases")
    release: str = parameter(
        "gain*prediction_error", "what is released in each readout step, as a Brian2 expression", source=SCHULTZ
    )

    source: ClassVar[str] = f"{SCHULTZ}; kinetics: {Dopamine.source}"

    def heard(self, model: Model) -> dict[str, Sum]:  # noqa: D102
        return {"prediction_error": Sum(of=self.of, summand="delta", rewarded=True), **self.sums}

    def check(self, name: str, model: Model) -> None:  # noqa: D102
        super().check(name, model)
        readouts, place = model.all_readouts(), f"neuromodulators.{name}.of"
        fitting = [key for key, each in readouts.items() if _has_delta(each)]
        check_known(self.of, readouts, "readout", place)
        if self.of not in fitting:
            raise ConfigurationError(f"the rule of {self.of!r} has no 'delta', as the rule 'td' has", place, fitting)


def _has_delta(readout: object) -> bool:
    return bool(re.search(r"(?m)^\s*delta\s*[:=]", getattr(getattr(readout, "rule", None), "equations", "")))
