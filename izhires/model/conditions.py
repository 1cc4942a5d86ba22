"""Named conditions: a control or a comparison as a change of any configuration. One entry each.

``izhires run meet --condition no_feedback --condition noise_double`` applies them in that order of no importance: two
conditions that change the same parameter are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from izhires.errors import Complaint, ConfigurationError, closest
from izhires.model.configuration import Configuration, put
from izhires.model.model import MEAN_RATE_UPDATE

Changes = dict[str, Any]


@dataclass(frozen=True)
class Condition:
    """A named change of a configuration.

    Parameters
    ----------
    name : str
    description : str
        One line: what it takes away or puts in its place.
    changes : callable
        From a configuration to new values by dotted key, as ``{"when.feedback": "0 mV/ms"}``. A table replaces a whole
        component.
    """

    name: str
    description: str
    changes: Callable[[Configuration], Changes]


_KNOWN: dict[str, Condition] = {}


def condition(name: str, description: str, changes: Changes | Callable[[Configuration], Changes]) -> Condition:
    """Declare a condition; `changes` is a table, or a function where they depend on the configuration.

    Raises
    ------
    ConfigurationError
        If the name is taken.
    """
    if name in _KNOWN:
        raise ConfigurationError(f"there is a condition {name!r} already")
    function = changes if callable(changes) else lambda configuration: changes
    _KNOWN[name] = Condition(name, description, function)
    return _KNOWN[name]


def all_conditions() -> dict[str, Condition]:
    """Return every declared condition by name."""
    return dict(_KNOWN)


def apply(configuration: Configuration, names: Iterable[str]) -> Configuration:
    """Return a configuration under some conditions.

    Raises
    ------
    ConfigurationError
        If a name is unknown, two of them change the same parameter, or the result cannot be.
    """
    names = list(names)
    data, taken = configuration.to_dict(), dict[str, str]()
    for name in names:
        if name not in _KNOWN:
            raise ConfigurationError(f"{name!r} is not a condition{closest(name, _KNOWN)}", "--condition", _KNOWN)
        for key, value in _KNOWN[name].changes(configuration).items():
            for other, owner in taken.items():
                if f"{key}.".startswith(f"{other}.") or f"{other}.".startswith(f"{key}."):
                    raise ConfigurationError(f"{name!r} and {owner!r} both change {key}", "--condition")
            taken[key] = name
            put(data, key.split("."), value, f"condition {name}")
    try:
        return Configuration.parse(data)
    except ConfigurationError as error:
        those = f"with {', '.join(names)}: "
        raise ConfigurationError(
            Complaint(each.place, those + each.problem, each.choices) for each in error.complaints
        ) from None


def _cells(name: str) -> Callable[[Configuration], Changes]:
    """Return changes of the reservoir and its cells, where they have such a parameter."""
    spreads = {"spread_a": 0.0, "spread_b": 0.0, "spread_c": "0 mV", "spread_d": 0.0, "spread": {}}

    def changes(configuration: Configuration) -> Changes:
        reservoir = configuration.reservoir
        cell = reservoir.cell
        found: Changes = {f"cell.{key}": value for key, value in spreads.items() if key in type(cell).model_fields}
        if "adaptation" in type(reservoir).model_fields:
            found["adaptation"] = None
        if name == "homogeneous":
            share, known = float(reservoir.excitatory().mean()), cell.known_types()
            # regular spiking and fast spiking cells where there are such, else the most frequent of each sign
            usual = sorted(cell.composition, key=lambda each: (each not in ("RS", "FS"), -cell.composition[each]))
            names = {
                sign: next((each for each in usual if known[each].excitatory == sign), "") for sign in (True, False)
            }
            shares = {names[True]: share, names[False]: 1 - share}
            found["cell.composition"] = {each: value for each, value in shares.items() if value > 0}
            for key in ("bias_excitatory", "bias_inhibitory"):
                middle = f"{sum(getattr(reservoir, key)) / 2} mV/ms"
                found[key] = [middle, middle]
        return {f"reservoir.{key}": value for key, value in found.items()}

    return changes


def _noise(factor: float) -> Callable[[Configuration], Changes]:
    return lambda configuration: {"reservoir.noise": f"{configuration.reservoir.noise * factor} mV/sqrt(ms)"}


_LATE = {"when.rule": {"type": "eligibility_three_factor"}}

condition("no_feedback", "the timing prediction is not fed back", {"when.feedback": "0 mV/ms"})
condition("open_loop_at_test", "no feedback in trials that do not teach", {"when.feedback_at_test": False})
condition("no_gate", "no attention: the timing readout learns at all times, in every channel", {"when.gate": "open"})
condition(
    "open_gate",
    "no attention, and no what: the timing readout alone learns at all times, in every trial and channel",
    {"when.gate": "open", "prediction": "merged"},
)
condition(
    "literal_window_gate",
    "the gate is closed outside the latency window",
    {"when.gate": {"type": "event_window", "closed_outside": True}},
)
condition("no_recurrence", "all recurrent weights are 0", {"reservoir.recurrence": 0.0})
condition(
    "unconnected",
    "cells without a single synapse, tuned for the task: the strongest control of recurrence found",
    {
        "reservoir": {
            "type": "unconnected",
            "tau_trace": "57.5 ms",
            "bias_excitatory": ["3.09 mV/ms", "3.8 mV/ms"],
            "bias_inhibitory": ["-1 mV/ms", "1 mV/ms"],
            "noise": "0 mV/sqrt(ms)",
            "cue_share": 1.0,
            "cue_strength": ["-50 mV/ms", "-35 mV/ms"],
        },
        "state": {"tau_mean": "2000 ms", "smallest_spread": "2 Hz"},
        "when.feedback": "0.5 mV/ms",
        "when.rule": {"type": "normalised_three_factor", "rate": "0.006 1/ms", "surprise_gain": 1.0},
    },
)
condition(
    "adapting_cells",
    "random circuit at its best point without its recurrence: a bank of slowly adapting cells that the cue resets",
    {
        "reservoir": {
            "type": "random",
            "tau_trace": "100 ms",
            "bias_excitatory": ["4 mV/ms", "10 mV/ms"],
            "cue_share": 1.0,
            "delay": "0.5 ms",
            "recurrence": 0.0,
        },
        "state.smallest_spread": "3.16 Hz",
        "when.feedback": "0.5 mV/ms",
        "when.rule": {"type": "normalised_three_factor", "rate": "0.02 1/ms"},
    },
)
condition("homogeneous_cells", "two cell types, RS and FS, all cells of a type alike", _cells("homogeneous"))
condition("canonical_cells", "every cell has the parameters of its type, without spread", _cells("canonical"))
condition(
    "shuffled_readout", "at test, the readouts see each cell in the place of another", {"state.shuffled_at_test": True}
)
condition("no_learning", "neither readout learns", {"when.learning_blocks": 0, "what.learning_blocks": 0})
condition("frozen_what", "the identity readout learns in the first block only", {"what.learning_blocks": 1})
condition("frozen_when", "the timing readout learns in the first block only", {"when.learning_blocks": 1})
condition(
    "frozen_late",
    "both readouts learn in the first three blocks only",
    {"when.learning_blocks": 3, "what.learning_blocks": 3},
)
for _name, _factor in (("none", 0.0), ("half", 0.5), ("double", 2.0), ("quadruple", 4.0)):
    condition(f"noise_{_name}", f"noise in the cells times {_factor:g}", _noise(_factor))
for _n in (100, 250, 500, 2000, 4000):
    condition(f"cells_{_n}", f"{_n} cells that receive the same input on average", {"reservoir.n": _n})
condition("merged", "one readout for what and when, learned online", {"prediction": "merged"})
condition(
    "joint",
    "one readout over (event, time), learned once a trial",
    {"prediction": "joint", "when.gate": "open", "when.rule": "consolidated_three_factor"},
)
condition("confidence", "counts for and against each event are read, too", {"confidence": {}})
condition(
    "mean_rate",
    "the identity readout reads the mean spike trace itself, as the paper says",
    {"state.update": MEAN_RATE_UPDATE},
)
condition(
    "earlier_default",
    "mean spike trace, and rates that do not follow uncertainty: the default of version 0.1",
    {
        "state.update": MEAN_RATE_UPDATE,
        "when.rule": "normalised_three_factor",
        "what.rule": "surprise_two_factor",
    },
)
condition("plain_three_factor", "timing rule without normalisation and surprise", {"when.rule": "three_factor"})
condition("plain_two_factor", "identity rule with a constant rate", {"what.rule": "two_factor"})
condition("force", "timing by recursive least squares", {"when.rule": "force"})
condition(
    "force_reset",
    "timing by recursive least squares that is told of the switches",
    {"when.rule": {"type": "force", "reset_at_switch": True}},
)
condition("node_perturbation", "timing by reward-modulated exploration", {"when.rule": "node_perturbation"})
condition("slow_gate", "gate with the kinetics of dopamine, no eligibility trace", {"when.gate": "dopamine"})
condition(
    "dopamine", "gate with the kinetics of dopamine, and an eligibility trace", {"when.gate": "dopamine", **_LATE}
)
condition(
    "acetylcholine",
    "gate with the kinetics of acetylcholine, and an eligibility trace",
    {"when.gate": "acetylcholine", **_LATE},
)
condition(
    "consolidation",
    "errors mark synapses in the window, a phase after the event changes them",
    {"when.gate": "consolidation", **_LATE},
)


def _tuned(name: str, description: str, changes: Changes) -> None:
    """Declare a condition at the best point of a search, which `changes` names; what a circuit lacks stays out."""

    def found(configuration: Configuration) -> Changes:
        fields = type(configuration.reservoir).model_fields
        own = _KNOWN[name].changes(configuration)
        replaced = "reservoir" in own
        return own | {
            key: value
            for key, value in changes.items()
            if replaced or not key.startswith("reservoir.") or key.removeprefix("reservoir.") in fields
        }

    condition(f"{name}_tuned", description, found)


def _normalised(rate: str, **more: float) -> Changes:
    return {"when.rule": {"type": "normalised_three_factor", "rate": rate, **more}}


def _uncertain(fastest: str, slowest: str = "0.001 1/ms") -> Changes:
    return {"when.rule": {"type": "uncertainty_three_factor", "fastest": fastest, "slowest": slowest}}


# Best points of the search of examples/controls.py, whose table stands in docs/claims.md; the constant rate is the best
# of nine on the trials of seeds 0 to 9
_tuned(
    "merged", "one readout for what and when, learned online at a tuned rate", _uncertain("0.02 1/ms", "0.0003 1/ms")
)
_tuned(
    "open_gate",
    "no attention, and no what: the timing readout alone learns at all times, at a tuned rate",
    _normalised("0.0002 1/ms", surprise_gain=5.0),
)
_tuned(
    "joint",
    "one readout over (event, time), learned once a trial at a tuned rate",
    {"when.rule": {"type": "consolidated_three_factor", "rate": "0.01 1/ms", "slowest": 0.1}},
)
_tuned("slow_gate", "kinetics of dopamine, no trace, at a tuned rate", _normalised("0.005 1/ms", surprise_gain=1.0))
_tuned(
    "homogeneous_cells",
    "two cell types, all cells of a type alike, retuned",
    {"reservoir.input_next": "11.5 mV/ms", **_uncertain("0.15 1/ms")},
)
_tuned("cells_250", "250 cells, retuned", {"reservoir.groups": 40, **_uncertain("0.02 1/ms")})
_tuned(
    "no_recurrence",
    "all recurrent weights are 0, retuned",
    {"reservoir.tau_trace": "150 ms", **_uncertain("0.02 1/ms")},
)
_tuned("adapting_cells", "bank of slowly adapting cells, retuned", _normalised("0.02 1/ms"))
_tuned("unconnected", "cells without a single synapse, retuned", _normalised("0.018 1/ms", surprise_gain=1.0))
condition(
    "constant_rate", "identity rule with a constant rate, tuned", {"what.rule": {"type": "two_factor", "rate": 0.06}}
)
