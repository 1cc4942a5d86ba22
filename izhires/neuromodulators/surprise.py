"""Noradrenaline as surprise: how wrong a readout's prediction was."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from izhires.declare import parameter
from izhires.errors import ConfigurationError, check_known
from izhires.neuromodulators.base import Sum
from izhires.neuromodulators.noradrenaline import Noradrenaline

if TYPE_CHECKING:
    from izhires.model.model import Model

YU = "Yu & Dayan (2005), doi 10.1016/j.neuron.2005.04.026"

SUMMANDS = {
    ("step", "unsigned"): "at_event*occurs*abs(error)",
    ("trial", "unsigned"): "int(abs(elapsed(t) - window - dt) < dt/2)*abs(error)/2",
    ("trial", "shannon"): "int(abs(elapsed(t) - window - dt) < dt/2)*outcome*-log(clip(q, 0.01, 1))",
}
"""What each channel adds, by the schedule of the readout and the measure. A readout of once a trial is read in the
step of the window's end, hence heard in the one after."""


class Surprise(Noradrenaline):
    """Noradrenaline that wrong predictions of a readout release: unexpected uncertainty.

    Unsigned: of a readout of every step |target_k - z_k| at the event k that occurs; of one that reads once a trial
    sum_k |outcome_k - q_k|/2, in the step after the window. Shannon: -ln q_k of the event that occurred, q_k at least
    0.01, of a readout that reads once a trial.
    """

    type: Literal["surprise"] = "surprise"  # type: ignore[assignment]
    of: str = parameter("what", "readout whose predictions are meant", source="by choice")
    measure: Literal["unsigned", "shannon"] = parameter(
        "unsigned",
        "how surprise is measured",
        source="Pearce & Hall (1980), doi 10.1037/0033-295X.87.6.532; "
        "Shannon (1948), doi 10.1002/j.1538-7305.1948.tb01338.x",
    )
    gain: float = parameter(1.0, "what a surprise of 1 releases")
    release: str = parameter(
        "gain*surprise", "what is released in each readout step, as a Brian2 expression", source=YU
    )

    source: ClassVar[str] = f"{YU}; kinetics: {Noradrenaline.source}"

    def heard(self, model: Model) -> dict[str, Sum]:  # noqa: D102
        schedule = model.all_readouts()[self.of].schedule
        return {"surprise": Sum(of=self.of, summand=SUMMANDS[schedule, self.measure]), **self.sums}

    def check(self, name: str, model: Model) -> None:  # noqa: D102
        super().check(name, model)
        readouts, place = model.all_readouts(), f"neuromodulators.{name}.of"
        check_known(self.of, readouts, "readout", place)
        fitting = [key for key, each in readouts.items() if (each.schedule, self.measure) in SUMMANDS]
        if self.of not in fitting:
            raise ConfigurationError(
                f"{self.of!r} predicts no probability, which {self.measure!r} needs", place, fitting
            )
