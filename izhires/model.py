"""The model: a reservoir, the state that is read from it, and two readouts. A description only; `izhires.build` makes
it run.
"""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from izhires.circuits.base import Reservoir
from izhires.declare import Declaration, Drive, Hertz, Milliseconds, chosen, parameter
from izhires.errors import ConfigurationError
from izhires.gates.base import Gate
from izhires.readouts.base import Readout
from izhires.rules.base import Rule

STATE_EQUATIONS = """
s : 1
x : Hz
mean : Hz
variance : Hz**2
total : Hz
"""

STATE_UPDATE = """
mean += (r - mean)*dt/tau_mean
variance += ((r - mean)**2 - variance)*dt/tau_mean
s = (r - mean)/sqrt(variance + smallest_spread**2)
total = total*int(abs(elapsed(t)) > dt/2) + r*int(elapsed(t) > -dt/2)*int(elapsed(t) < window - dt/2)*dt/window
x += (total - x)*int(abs(elapsed(t) - window) < dt/2)
"""
"""The state of the readouts: s, the standardised trace, and x, the mean trace over the window, renewed when the
window closes."""

FED_BACK = "feedback_gain*clip(z, 0, feedback_limit)*in_window*clip(learn(t) + feedback_at_test, 0, 1)"


class State(Declaration):
    r"""What the readouts see of the cells, renewed every readout step.

    s = (r - mean)/sqrt(variance + smallest_spread**2), with running mean and variance of the spike trace r of each
    cell, and x, the mean of r over the window after the cue; or what equations of one's own make of r. The raw trace
    is ``equations = "s = r/Hz : 1\nx = r : Hz"`` with an empty ``update``.
    """

    time_step: Milliseconds = parameter("1 ms", "step of the readouts", source="Yamada & Chao (arXiv 2510.14382)", gt=0)
    tau_mean: Milliseconds = parameter("5000 ms", "memory of the running mean and variance", gt=0)
    smallest_spread: Hertz = parameter("5 Hz", "smallest spread that a cell is divided by", gt=0)
    tau_power: Milliseconds = parameter("2000 ms", "memory of the running mean of |s|^2", gt=0)
    equations: str = parameter(
        STATE_EQUATIONS, "variables of each cell's state, s and x among them, as Brian2 equations"
    )
    update: str = parameter(STATE_UPDATE, "what renews them every readout step, as Brian2 statements")
    shuffled_at_test: bool = parameter(
        False, "in trials that do not teach, the readouts see each cell in the place of another"
    )


class When(Declaration):
    """The timing readout: z_k = sum_i w_ki s_i, learned online and fed back into the cells."""

    rule: chosen(Rule, "normalised_three_factor") = parameter("normalised_three_factor", "learning rule")  # type: ignore[valid-type]
    gate: chosen(Gate, "event_window") = parameter("event_window", "third factor")  # type: ignore[valid-type]
    feedback: Drive = parameter("0.2 mV/ms", "gain of the feedback into the cells", ge=0)
    feedback_limit: float = parameter(1.5, "largest prediction that is fed back", gt=0)
    largest_prediction: float = parameter(
        100.0, "size of a timing prediction beyond which it has diverged, and the run stops", source="by choice", gt=0
    )
    feedback_at_test: bool = parameter(True, "whether there is feedback in trials that do not teach")
    fed_back: str = parameter(FED_BACK, "what each channel feeds back, as a Brian2 expression")
    learning_blocks: int | None = parameter(None, "learn in this many first blocks only; in all when 'none'", ge=0)

    @model_validator(mode="after")
    def _online(self) -> When:
        if self.rule.schedule != "step":
            online = [name for name, rule in Rule.alternatives().items() if rule.schedule == "step"]
            raise ConfigurationError(
                f"{self.rule.type!r} runs at the end of a trial, 'when' learns online", "rule", online
            )
        return self


class What(Declaration):
    """The identity readout: q_k = sum_i w_ki x_i at the end of the window, learned once a trial."""

    rule: chosen(Rule, "surprise_two_factor") = parameter("surprise_two_factor", "learning rule")  # type: ignore[valid-type]
    learning_blocks: int | None = parameter(None, "learn in this many first blocks only; in all when 'none'", ge=0)

    @model_validator(mode="after")
    def _offline(self) -> Self:
        if self.rule.schedule != "trial":
            offline = [name for name, rule in Rule.alternatives().items() if rule.schedule == "trial"]
            raise ConfigurationError(
                f"{self.rule.type!r} runs online, '{type(self).__name__.lower()}' learns at the end of a trial",
                "rule",
                offline,
            )
        return self


class Confidence(What):
    """Two more readouts of x for each event, of its occurrence and of its absence, from which confidence is read.

    With the rule ``counting`` their outputs a_k, b_k are counts, and Beta(1 + a_k, 1 + b_k) is the posterior of the
    event's probability. They are read, and change nothing else.
    """

    rule: chosen(Rule, "counting") = parameter("counting", "learning rule")  # type: ignore[valid-type]


class Model(Declaration):
    """A reservoir whose readouts learn what will happen, when, and how likely it is.

    The prediction of a channel is made by the `readout`, by default clip(q_k, 0, 1)*max(z_k, 0).
    """

    time_step: Milliseconds = parameter("0.5 ms", "step of the cells (Euler)", gt=0)
    reservoir: chosen(Reservoir, "sequence") = parameter("sequence", "circuit")  # type: ignore[valid-type]
    state: State = parameter(State(), "what the readouts see")
    when: When = parameter(When(), "timing readout")
    what: What = parameter(What(), "identity readout")
    readout: chosen(Readout, "factorised") = parameter("factorised", "how what and when make a prediction")  # type: ignore[valid-type]
    confidence: Confidence | None = parameter(None, "readouts of confidence, 'none' for none")

    @model_validator(mode="after")
    def _steps(self) -> Model:
        ratio = self.state.time_step / self.time_step
        if abs(ratio - round(ratio)) > 1e-9 or ratio < 1:
            raise ConfigurationError(
                f"must be a whole multiple of the cells' step, {self.time_step:g} ms, got {self.state.time_step:g} ms",
                "state.time_step",
            )
        self.readout.check(self)
        return self
