"""A readout of every step: learned online, and fed back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import model_validator

from izhires.building.parts import Event, Group, Guard, Link, Monitor, Pathway, Reaction, Update
from izhires.building.plan import mentions
from izhires.declare import Drive, chosen, parameter, refuse_earlier
from izhires.errors import ConfigurationError
from izhires.gates.base import Gate
from izhires.readouts.base import Readout, RecordedVariable, Watched
from izhires.rules.base import EARLIER_NAMES, Rule

if TYPE_CHECKING:
    from izhires.building.draft import Draft
    from izhires.recordings.recording import Results

CHANNELS = """
z : 1
target_trial = {target_trial} : 1
has_target = target_trial*in_window : 1
occurs = outcome*in_window : 1
target = occurs*exp(-since_event**2/(2*event_width**2)) : 1
error = in_window*(target - z) : 1
at_event = int(abs(since_event) < dt/2) : 1
at_window_end = int(abs(elapsed(t) - window) < dt/2) : 1
gate = {gate} : 1
fed_back = {fed_back} : volt/second
"""

FED_BACK = "feedback_gain*clip(z, 0, feedback_limit)*in_window*clip(learn(t) + feedback_at_test, 0, 1)"

POWER = """
power : 1
mean_power : 1
"""
POWER_UPDATE = "mean_power += (power - mean_power)*dt/tau_power"

INVERSE = """
P : 1
gain_post = P*s_pre*int(abs(matrix - selected_pre) < 0.5)*int(weight_pre > 0) : 1 (summed)
matrix : integer (constant)
penalty : 1 (shared, constant)
"""
INVERSE_STATE = """
gain : 1
scaled : 1
weight : 1
selected : 1
resetting : 1
weight_now : 1 (linked)
selected_now : 1 (linked)
resetting_now : 1 (linked)
projected : 1 (linked)
"""
INVERSE_LINKS = {
    "weight_now": "weight",
    "selected_now": "selected",
    "resetting_now": "resetting",
    "projected": "projected",
}
INVERSE_NETWORK = """
selected : 1
projected : 1
"""
INVERSE_TOLD = """
weight = weight_now
selected = selected_now
resetting = resetting_now
"""
INVERSE_RESET = "P = P*(1 - resetting_pre) + resetting_pre/penalty*int(i == j)"
INVERSE_SCALED = "scaled = gain*sqrt(weight/(1 + weight*projected))"
INVERSE_UPDATE = "P -= scaled_pre*scaled_post*int(abs(matrix - selected_pre) < 0.5)"
"""Recursive least squares: P, the inverse of the correlations that the states s had when ``weight`` was not 0, and
gain = P s. Channels that learn in different trials have a matrix each, ``selected`` by the trial's event. The
network variables of the rule have ``weight``, and ``resetting``, the rule a ``penalty``; ``projected`` is the sum of
gain*s."""


class Online(Readout):
    """Read every readout step, z_k = sum_i w_ki s_i; learned online, and fed back into the cells."""

    type: Literal["online"] = "online"
    schedule: ClassVar[Literal["step", "trial"]] = "step"

    rule: chosen(Rule, "uncertainty_three_factor") = parameter("uncertainty_three_factor", "learning rule")  # type: ignore[valid-type]
    gate: chosen(Gate, "event_window") = parameter("event_window", "third factor")  # type: ignore[valid-type]
    feedback: Drive = parameter("0.2 mV/ms", "gain of the feedback into the cells", ge=0)
    feedback_to: str = parameter("", "population that gets the feedback; the one that is read by default")
    feedback_limit: float = parameter(1.5, "largest prediction that is fed back", gt=0)
    largest_prediction: float = parameter(
        100.0, "size of a timing prediction beyond which it has diverged, and the run stops", source="by choice", gt=0
    )
    feedback_at_test: bool = parameter(True, "whether there is feedback in trials that do not teach")
    fed_back: str = parameter(FED_BACK, "what each channel feeds back, as a Brian2 expression")

    @model_validator(mode="after")
    def _fits(self) -> Online:
        self.check_rule(self.rule)
        refuse_earlier(self.fed_back, EARLIER_NAMES, "fed_back")
        return self

    def parts(self, draft: Draft, name: str) -> None:  # noqa: D102
        experiment, prediction = draft.experiment, draft.model.prediction
        rule, gate, n, k = self.rule, self.gate, draft.cells, draft.channels
        lines, numbers = self.channel_numbers(
            draft,
            rule,
            {
                "window": ("second", experiment.window),
                "event_width": ("second", experiment.event_width),
                "feedback_gain": ("volt/second", self.feedback),
                "feedback_limit": ("1", self.feedback_limit),
                "largest_prediction": ("1", self.largest_prediction),
                "feedback_at_test": ("1", float(self.feedback_at_test)),
            },
            gate,
        )
        equations = self.task(draft, name) + CHANNELS.format(
            gate=gate.expression, target_trial=prediction.target_trial, fed_back=self.fed_back
        )
        equations += f"{gate.equations}\n{lines}"
        if mentions("exploration", rule.channel_update, *rule.channel_sums.values()):
            equations += "exploration = explore(t, i) : 1\n"
            draft.add_exploration()
        known = self._network(draft, name)
        equations += "".join(f"{each} : 1 (linked)\n" for each in known)
        equations += "".join(f"{each}_summand = {text} : 1\n" for each, text in rule.channel_sums.items())
        links = {each: Link(f"{name}_network", each, "network") for each in known}
        events = {"learn": Event(rule.active, "online learning event")}
        draft.add(Group(name, k, equations, events=events, links=links), **numbers)
        self.listen(draft, name, rule, gate)
        if gate.update:
            draft.add(Update(f"{name}_gate", name, gate.update, "gate"))
        draft.add(Update(f"{name}_rule", name, rule.channel_update, "online rule"))
        for each in rule.channel_sums:
            equations = f"{each}_post = {each}_summand_pre : 1 (summed)"
            sums = {f"{each}_post": "channel sums"}
            draft.add(Pathway(f"{name}_{each}", name, f"{name}_network", equations, "all by target", sums=sums))
        weights = Pathway(
            f"{name}_weights",
            "state",
            name,
            f"w : 1\n{rule.weight_equations}\nz_post = w*s_pre : 1 (summed)",
            "all by target",
            reactions={"learn": Reaction(rule.weight_update, "post", "online weights", "learn", "dense")},
            sums={"z_post": "online reading"},
            template="dense",
        )
        draft.add(weights, w=np.zeros(n * k))
        owner, variable = draft.feed_back(name, self.feedback_to)
        variable, reached = f"{variable}_post", draft.length(owner)
        feedback = Pathway(
            f"{name}_feedback",
            name,
            owner,
            f"w : 1\n{variable} = w*fed_back_pre : volt/second (summed)",
            "all by source",
            sums={variable: "feedback"},
            template="dense",
        )
        draft.add(feedback, w=draft.inputs.standard_normal((k, reached)).ravel())
        draft.add(Monitor(f"{name}_output", name, ("z",)))
        draft.add(Monitor(f"{name}_snapshots", f"{name}_weights", ("w",), every=draft.snapshot, after=True))
        draft.add(Guard(f"{name}_guard", name, "z", "largest_prediction"))

    def _network(self, draft: Draft, name: str) -> list[str]:
        """Add what the rule needs of the whole network: power, sums over channels, the inverse correlation.

        Returns
        -------
        list of str
            The variables of the network that the channels know.
        """
        rule, model, network = self.rule, draft.model, f"{name}_network"
        own = f"{rule.population_equations}\n{INVERSE_NETWORK if rule.inverse else ''}"
        update = rule.population_update
        if rule.inverse:
            if draft.experiment.latencies is not None and not model.prediction.together:
                problem = "has a matrix of states for each event's trials, and several events may come in one"
                raise ConfigurationError(f"{rule.type!r} {problem}", f"{name}.rule")
            # one matrix that all share, or that of the trial's event
            update += "\nselected = " + ("0" if model.prediction.together else "clip(event(t), 0, inf)")
        lines, values = draft.constants(rule)
        numbers = {each: values[each] for each in values if mentions(each, update)}
        own += "".join(f"{line}\n" for line in lines.splitlines() if line.split(" :")[0] in numbers)
        own += "".join(f"{each} : 1\n" for each in rule.channel_sums)
        # what the network has, the channels know
        names = [line.split(":")[0].strip() for line in own.splitlines() if line.strip() and "constant" not in line]
        known = [each for each in names if mentions(each, rule.channel_update)]
        powered = mentions("(mean_)?power", rule.channel_update, rule.population_update, *rule.channel_sums.values())
        if powered:
            power_lines, power_values = draft.constants(model.state, only=("tau_power",))
            own, numbers = POWER + own + power_lines, numbers | power_values
            known = ["power", "mean_power", *known]
        draft.add(Group(network, 1, own), **numbers)
        if powered:
            draft.add(Update(f"{name}_mean_power", network, POWER_UPDATE, "network mean power"))
            equations = "power_post = s_pre**2 : 1 (summed)"
            sums = {"power_post": "network power"}
            power = Pathway(f"{name}_power", "state", network, equations, "all by target", sums=sums, template="dense")
            draft.add(power)
        if update:
            draft.add(Update(f"{name}_network_rule", network, update, "network rule"))
        if rule.inverse:
            self._inverse(draft, name)
        return known

    def _inverse(self, draft: Draft, name: str) -> None:
        if "gain :" in draft.parts["state"].texts["equations"]:
            raise ConfigurationError(
                "only one readout may have a rule with the inverse correlation of the states", name
            )
        inverse = f"{name}_inverse"
        links = {variable: Link(f"{name}_network", of, "network") for variable, of in INVERSE_LINKS.items()}
        draft.extend("state", INVERSE_STATE, **links)
        draft.add(Update(f"{inverse}_told", "state", INVERSE_TOLD, "inverse told"))
        synapses = Pathway(
            inverse,
            "state",
            "state",
            INVERSE,
            "all by target",
            sums={"gain_post": "inverse reading"},
            copies="matrix",
            # all channels share one matrix, or each has that of its event
            count=1 if draft.model.prediction.together else draft.channels,
            template="inverse",
        )
        draft.add(synapses, penalty=self.rule.penalty)
        draft.add(Update(f"{inverse}_reset", inverse, INVERSE_RESET, "inverse reset"))
        draft.add(Update(f"{inverse}_update", inverse, INVERSE_UPDATE, "inverse update"))
        equations = "projected_post = gain_pre*s_pre : 1 (summed)"
        sums = {"projected_post": "inverse projection"}
        projection = Pathway(
            f"{name}_projection",
            "state",
            f"{name}_network",
            equations,
            "all by target",
            sums=sums,
            template="dense",
        )
        draft.add(projection)
        draft.add(Update(f"{inverse}_scaled", "state", INVERSE_SCALED, "inverse scaled"))

    def watched(self, name: str) -> Iterator[Watched]:  # noqa: D102
        yield Watched(f"{name}_output.z", "timing prediction", self.largest_prediction)
        yield Watched(f"{name}_snapshots.w", "timing weights")

    def output(self, results: Results, name: str) -> np.ndarray:  # noqa: D102
        return results.in_probes(f"{name}_output.z")

    def variables(self, results: Results, name: str) -> dict[str, RecordedVariable]:  # noqa: D102
        shape = (-1, results.channels, results.cells)
        return {
            name: RecordedVariable(
                ("probe", "event", "time"), self.output(results, name), "1", "timing prediction over the probe's window"
            ),
            f"{name}_weights": RecordedVariable(
                ("probe", "event", "neuron"),
                results.inside_probes(f"{name}_snapshots.w").reshape(shape),
                "1",
                "weights of the timing readout at the probe",
            ),
            f"trial_{name}": RecordedVariable(
                ("trial", "event"),
                results.at_events(f"{name}_output.z"),
                "1",
                "timing prediction at the moment of the trial's event; NaN without one",
            ),
        }
