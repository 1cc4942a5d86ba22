"""The model: a reservoir, the state that is read from it, and the readouts. A description only;
`izhires.building.build` makes it run.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pydantic import model_validator

from izhires.building.parts import Group, Link, Monitor, Update
from izhires.circuits.base import Reservoir
from izhires.declare import PAPER, Declaration, Hertz, Milliseconds, chosen, parameter
from izhires.errors import ConfigurationError, check_known
from izhires.model.connection import OF_CIRCUIT_CONNECTIONS, Connection
from izhires.model.population import OF_CIRCUIT, Cells, Input, Population, spikes_of
from izhires.model.variables import check_filled
from izhires.neuromodulators.base import Neuromodulator
from izhires.predictions.base import Prediction
from izhires.readouts.base import Readout, RecordedVariable
from izhires.readouts.confidence import Confidence
from izhires.readouts.online import Online
from izhires.readouts.trial import Trial

if TYPE_CHECKING:
    import numpy as np

    from izhires.building.draft import Draft
    from izhires.recordings.recording import Results

SHUFFLED = """
s : 1
x : Hz
s_own : 1 (linked)
x_own : Hz (linked)
s_other : 1 (linked)
x_other : Hz (linked)
"""
SHUFFLED_UPDATE = """
s = learn(t)*s_own + (1 - learn(t))*s_other
x = learn(t)*x_own + (1 - learn(t))*x_other
"""
"""With ``shuffled_at_test``: in trials that do not teach, s and x of each cell are those of another one."""

STATE_EQUATIONS = """
s : 1
x : Hz
mean : Hz
variance : Hz**2
total : Hz
"""

_UPDATE = """
mean += (r - mean)*dt/tau_mean
variance += ((r - mean)**2 - variance)*dt/tau_mean
s = (r - mean)/sqrt(variance + smallest_spread**2)
total = total*int(abs(elapsed(t)) > dt/2) + {read}*int(elapsed(t) > -dt/2)*int(elapsed(t) < window - dt/2)*dt/window
x += (total - x)*int(abs(elapsed(t) - window) < dt/2)
"""
STATE_UPDATE = _UPDATE.format(read="clip(r - mean, 0*Hz, inf*Hz)")
"""The state of the readouts: s, the standardised trace, and x, renewed when the window closes: the mean over the window
of what the trace is above the cell's own running mean, 0 where it is below. What is the same after all cues drops out
of x, and "what" can tell them apart (docs/paradigms/cues.md)."""
MEAN_RATE_UPDATE = _UPDATE.format(read="r")
"""The same, with x the mean trace over the window, which is what Yamada & Chao (2026) say."""


TAKEN = (*OF_CIRCUIT_CONNECTIONS, "cells", "state", "unshuffled", "network", "spikes", "signals")
"""Names that parts of every model have."""


class State(Declaration):
    r"""What the readouts see of the cells, renewed every readout step.

    s = (r - mean)/sqrt(variance + smallest_spread**2), with running mean and variance of the spike trace r of each
    cell, and x, the mean of max(r - mean, 0) over the window after the cue; or what equations of one's own make of r.
    The paper reads the mean of r itself: the condition ``mean_rate``. The raw trace is
    ``equations = "s = r/Hz : 1\nx = r : Hz"`` with an empty ``update``.
    """

    of: str = parameter(OF_CIRCUIT, "the population that is read; 'cells' are those of the circuit")
    time_step: Milliseconds = parameter("1 ms", "step of the readouts", source=PAPER, gt=0)
    tau_mean: Milliseconds = parameter("5000 ms", "memory of the running mean and variance", gt=0)
    smallest_spread: Hertz = parameter("5 Hz", "smallest spread that a cell is divided by", gt=0)
    tau_power: Milliseconds = parameter("2000 ms", "memory of the running mean of |s|^2", gt=0)
    equations: str = parameter(
        STATE_EQUATIONS, "variables of each cell's state, s and x among them, as Brian2 equations"
    )
    update: str = parameter(
        STATE_UPDATE,
        "what renews them every readout step, as Brian2 statements; by default x is the mean over the window of what r "
        "is above its running mean",
    )
    shuffled_at_test: bool = parameter(
        False, "in trials that do not teach, the readouts see each cell in the place of another"
    )

    def parts(self, draft: Draft) -> None:
        """Add the state of the cells: what is read of them, and what drives them."""
        experiment = draft.experiment
        check_filled("state.equations", self.equations, ("tau_mean", "smallest_spread"), self.update)
        lines, values = draft.constants(self, only=("tau_mean", "smallest_spread"))
        task, times = draft.shared(window=("second", experiment.window))
        filtered = f"r : Hz (linked)\n{self.equations.rstrip()}\n{lines}{task}"
        lines_of_drive, numbers = draft.heard(self.of, draft.inputs)
        driven = f"drive : volt/second\n{lines_of_drive}"
        n, trace = draft.cells, {"r": Link(self.of, "r")}
        if self.shuffled_at_test:
            draft.add(Group("unshuffled", n, filtered, links=trace), **values, **times)
            links = {
                f"{variable}_{which}": Link("unshuffled", variable, index)
                for variable in "sx"
                for which, index in (("own", "same"), ("other", "other"))
            }
            other = draft.seeds.generator("input").spawn(1)[0].permutation(n).astype("int32")
            draft.add(Group("state", n, f"{SHUFFLED.rstrip()}\n{driven}", links=links), **numbers, other=other)
            draft.add(Update("shuffle", "state", SHUFFLED_UPDATE, "state shuffled"))
        else:
            draft.add(Group("state", n, filtered + driven, links=trace), **values, **times, **numbers)
        if self.update.strip():
            filter_of = "unshuffled" if self.shuffled_at_test else "state"
            draft.add(Update("state_filter", filter_of, self.update, "state filter"))
        draft.add(Monitor("mean_state", "state", ("x",), every=draft.snapshot, after=True))

    def variables(self, results: Results) -> dict[str, RecordedVariable]:
        """Return what a recording keeps of the state."""
        values = results.at_window_ends("mean_state.x")[results.probes]
        return {
            "mean_state": RecordedVariable(
                ("probe", "neuron"),
                values,
                "Hz",
                "x, what the trial readouts read of each cell, over the probe's window",
            )
        }


class Model(Declaration):
    """A reservoir whose readouts learn what will happen, when, and how likely it is.

    The `prediction` of a channel is made of the readouts, by default clip(q_k, 0, 1)*max(z_k, 0). ``when``, ``what``
    and ``confidence`` are the readouts of the paper; `readouts` are further ones, which read and learn beside them.
    """

    earlier_names: ClassVar[dict[str, str]] = {"readout": "prediction"}

    time_step: Milliseconds = parameter("0.5 ms", "step of the cells (Euler)", gt=0)
    reservoir: chosen(Reservoir, "sequence") = parameter("sequence", "circuit")  # type: ignore[valid-type]
    populations: dict[str, Population] = parameter({}, "further cells, by name")
    connections: dict[str, Connection] = parameter({}, "further synapses between populations, by name")
    input_channels: dict[str, Input] = parameter(
        {}, "whom an input channel of the task reaches, by the channel's name; by default as circuit and population say"
    )
    neuromodulators: dict[str, chosen(Neuromodulator, "release")] = parameter({}, "third factors, by name")  # type: ignore[valid-type]
    state: State = parameter(State(), "what the readouts see")
    when: Online = parameter(Online(), "timing readout")
    what: Trial = parameter(Trial(), "identity readout")
    confidence: Confidence | None = parameter(None, "readouts of confidence, 'none' for none")
    readouts: dict[str, chosen(Readout, "online")] = parameter({}, "further readouts, by name")  # type: ignore[valid-type]
    prediction: chosen(Prediction, "factorised") = parameter("factorised", "how readouts make a prediction")  # type: ignore[valid-type]

    @model_validator(mode="after")
    def _steps(self) -> Model:
        ratio = self.state.time_step / self.time_step
        if abs(ratio - round(ratio)) > 1e-9 or ratio < 1:
            raise ConfigurationError(
                f"must be a whole multiple of the cells' step, {self.time_step:g} ms, got {self.state.time_step:g} ms",
                "state.time_step",
            )
        for kind in ("populations", "connections", "neuromodulators", "readouts"):
            for name in getattr(self, kind):
                if kind == "connections" and name in OF_CIRCUIT_CONNECTIONS:
                    continue
                if not name.isidentifier() or name in TAKEN or name in type(self).model_fields:
                    raise ConfigurationError(f"{name!r} cannot be a name here; give another", kind)
        for name, readout in self.readouts.items():
            readout.check_name(name)
        known = self.all_populations()
        named = {"state.of": self.state.of}
        named |= {f"{name}.feedback_to": getattr(each, "feedback_to", "") for name, each in self.all_readouts().items()}
        for place, name in named.items():
            if name:
                check_known(name, known, "population", place)
        for name, each in self.input_channels.items():
            check_known(each.to, known, "population", f"input_channels.{name}.to")
        for name, connection in self.connections.items():
            connection.check(name, known)
        for name, neuromodulator in self.neuromodulators.items():
            neuromodulator.check(name, self)
        self._check_factors()
        self.prediction.check(self)
        return self

    def _check_factors(self) -> None:
        """Refuse to listen to a neuromodulator that is not there, or does not reach the cells."""
        levels = self.neuromodulators
        for name, readout in self.all_readouts().items():
            place = f"readouts.{name}" if name in self.readouts else name
            for kind in ("rule", "gate"):
                for each in getattr(readout, kind).factors().values() if hasattr(readout, kind) else ():
                    check_known(each, levels, "neuromodulator", f"{place}.{kind}")
        for name, connection in self.connections.items():
            target = OF_CIRCUIT if name in OF_CIRCUIT_CONNECTIONS else connection.target
            for number, rule in enumerate(connection.plasticity):
                for each in rule.factors().values():
                    place = f"connections.{name}.plasticity[{number}]"
                    check_known(each, levels, "neuromodulator", place)
                    reached = levels[each].reaches
                    if reached and target not in reached:
                        raise ConfigurationError(f"{each!r} does not reach {target!r}", place, reached)

    def all_readouts(self) -> dict[str, Readout]:
        """Return every readout by its name, in the order in which the network has them."""
        confidence = {} if self.confidence is None else {"confidence": self.confidence}
        return {"when": self.when, "what": self.what, **confidence, **self.readouts}

    def all_populations(self) -> dict[str, Cells]:
        """Return every population by its name: the cells of the circuit first."""
        return {OF_CIRCUIT: self.reservoir, **self.populations}

    def population(self, name: str) -> Cells:
        """Return a population by its name."""
        return self.all_populations()[name]

    def effects_on(self, population: str) -> list[str]:
        """Return what spikes of others do to the cells of a population."""
        found = [each.effect for each in self.connections.values() if each.target == population]
        return found + ([self.reservoir.excitation, self.reservoir.inhibition] if population == OF_CIRCUIT else [])

    def declarations(self) -> list[Callable[[Draft], None]]:
        """Return what adds the parts of the model to a draft, in order."""
        populations = [partial(each.parts, name=name) for name, each in self.populations.items()]
        connections = [partial(each.parts, name=name) for name, each in self.connections.items()]
        readouts = [partial(each.parts, name=name) for name, each in self.all_readouts().items()]
        drives = [partial(each.drive, name=name) for name, each in self.all_populations().items()]
        circuit = [lambda draft: draft.circuit.parts(draft)]
        levels = [partial(each.parts, name=name) for name, each in self.neuromodulators.items()]
        heard = [partial(each.connected, name=name) for name, each in self.neuromodulators.items()]
        return [*circuit, *populations, *levels, *connections, self.state.parts, *readouts, *heard, *drives]

    def variables(self, results: Results) -> dict[str, RecordedVariable]:
        """Return what a recording keeps of the state and the readouts.

        Raises
        ------
        ConfigurationError
            If two parts have variables of one name.
        """
        found = self.state.variables(results)

        def add(own: dict[str, RecordedVariable], name: str) -> None:
            for each in own:
                if each in found:
                    raise ConfigurationError(
                        f"another part of the model records {each!r}, too; give another name", name
                    )
            found.update(own)

        for name, cells in self.all_populations().items():
            if name != self.state.of:
                add(spikes_of(results, name, cells), name)
            if cells.intrinsic is not None:
                dimension = "neuron" if name == self.state.of else f"{name}_neuron"
                add(cells.intrinsic.variables(results, name, dimension), name)
        for name, connection in self.connections.items():
            add(connection.variables(results, name), name)
        for name, neuromodulator in self.neuromodulators.items():
            add(neuromodulator.variables(results, name), name)
        for name, each in self.all_readouts().items():
            add(each.variables(results, name), name)
        return found

    def predict(self, results: Results) -> np.ndarray:
        """Return the prediction in each probe, (probe, event, time)."""
        outputs = {name: each.output(results, name) for name, each in self.all_readouts().items()}
        return self.prediction.predict({name: values for name, values in outputs.items() if values is not None})
