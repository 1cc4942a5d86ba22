"""Connections: synapses from the cells of one population to those of another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import field_validator, model_validator

from izhires.building.parts import Guard, Monitor, Pathway, Update
from izhires.declare import Declaration, Drive, Milliseconds, chosen, parameter
from izhires.errors import ConfigurationError, check_ascends, check_known
from izhires.model.population import EXCITATION, INHIBITION, OF_CIRCUIT, Cells
from izhires.plasticity.base import Plasticity
from izhires.readouts.base import RecordedVariable, Watched
from izhires.wirings.base import Wiring, lognormal

if TYPE_CHECKING:
    from izhires.building.draft import Draft
    from izhires.recordings.recording import Results


OF_CIRCUIT_CONNECTIONS = {"excitation": "excitatory", "inhibition": "inhibitory"}
"""Connections that a circuit makes itself, each with the cells that have it. Given here, they become plastic."""

LARGEST = 1e6
"""Weight beyond which no synapse of a rule without bounds may grow, mV/ms."""


class Connection(Declaration):
    """Synapses of one sign from one population to another, or among the cells of one.

    A spike does `effect` to its targets: by default what one does in a circuit, an excitatory current of which a share
    is slow, or an inhibitory one. Weights are log-normal, delays uniform. Where the synapses are plastic, weights that
    are drawn beyond the bounds of its rules are cut off there, as they would be when they first change; a run whose
    weights are found beyond them, or are no numbers, stops.
    """

    earlier_names: ClassVar[dict[str, str]] = {"from": "source", "to": "target"}

    source: str = parameter(OF_CIRCUIT, "population whose spikes it carries ('from')", source="by choice")
    target: str = parameter(OF_CIRCUIT, "population that they reach ('to')", source="by choice")
    cells: Literal["excitatory", "inhibitory"] = parameter(
        "excitatory", "which cells of the source have these synapses: a cell has one sign", source="by choice"
    )
    wiring: chosen(Wiring, "fixed_in_degree") = parameter("fixed_in_degree", "which cells are connected")  # type: ignore[valid-type]
    weight: Drive = parameter("1 mV/ms", "mean weight (magnitude)", ge=0)
    weight_spread: float = parameter(0.5, "standard deviation of log weight (the mean is kept)", ge=0)
    delay: tuple[Milliseconds, Milliseconds] = parameter(("1 ms", "1 ms"), "range of the delay of each synapse")
    delay_of: Literal["cell", "synapse"] = parameter(
        "cell", "whether all synapses of a cell have one delay (axonal), or each its own", source="by choice"
    )
    plasticity: tuple[chosen(Plasticity, "stdp"), ...] = parameter((), "how the synapses change, in this order")  # type: ignore[valid-type]
    learns: str = parameter(
        "1",
        "when they do, as a Brian2 expression of learn(t), block(t), event(t), elapsed(t), epoch_NAME(t); 1: always",
        source="by choice",
    )
    keep: Literal["ends", "none"] = parameter(
        "ends", "whether a recording keeps plastic weights as they were at the start and the end", source="by choice"
    )
    effect: str = parameter(
        "", "what a spike does, as Brian2 statements with the weight w (V/s); by the sign of the cells when empty"
    )

    @field_validator("plasticity", mode="before")
    @classmethod
    def _several(cls, given: Any) -> Any:
        return given if isinstance(given, (list, tuple)) else [given]

    @model_validator(mode="after")
    def _ranges(self) -> Connection:
        check_ascends(self.delay, "delay", positive=True)
        return self

    def check(self, name: str, known: Mapping[str, Cells]) -> None:
        """Refuse populations that do not exist or have no cells of this sign, and rules for the other sign."""
        place = f"connections.{name}"
        if name in OF_CIRCUIT_CONNECTIONS:
            usual = type(self)(plasticity=self.plasticity, learns=self.learns, keep=self.keep)
            if self != usual:
                raise ConfigurationError("is made by the circuit; only plasticity, learns and keep can be given", place)
            sign = OF_CIRCUIT_CONNECTIONS[name]
        else:
            sign = self.cells
        for number, rule in enumerate(self.plasticity):
            if rule.sign not in ("any", sign):
                problem = f"{rule.type!r} is for {rule.sign} cells"
                raise ConfigurationError(problem, f"{place}.plasticity[{number}]")
        if name in OF_CIRCUIT_CONNECTIONS:
            return
        for side in ("source", "target"):
            check_known(getattr(self, side), known, "population", f"{place}.{side}")
        if not (known[self.source].excitatory() == (self.cells == "excitatory")).any():
            raise ConfigurationError(f"{self.source!r} has no {self.cells} cells", f"{place}.cells")

    def parts(self, draft: Draft, name: str) -> None:
        """Add the synapses, and what changes them."""
        if name not in OF_CIRCUIT_CONNECTIONS:
            self._add_synapses(draft, name)
        elif name not in draft.parts:
            raise ConfigurationError(f"this circuit has no {name}", f"connections.{name}")
        if self.plasticity:
            self._add_plasticity(draft, name)

    def _add_plasticity(self, draft: Draft, name: str) -> None:
        """Add what changes the synapses, and what finds weights that left their bounds."""
        low, high = self.bounds(name)
        weights = draft.arrays[f"{name}.w"]
        beyond = np.count_nonzero((weights < low) | (weights > high))
        if 2 * beyond > len(weights):
            problem = (
                f"{beyond} of {len(weights)} weights begin beyond the bounds of its rules, {low:g} to {high:g} mV/ms"
            )
            raise ConfigurationError(problem, f"connections.{name}.plasticity")
        lines, numbers = draft.shared(w_low=("volt/second", low), w_high=("volt/second", high))
        draft.extend(name, f"learning = {self.learns} : 1\n{lines}")
        draft.set(name, **numbers, w=np.clip(weights, low, high))
        texts = []
        for number, rule in enumerate(self.plasticity):
            try:
                texts.append(rule.parts(draft, name, number))
            except ConfigurationError as error:
                raise ConfigurationError(error.complaints, f"connections.{name}.plasticity[{number}]") from None

        def effect(code: str) -> str:
            for each in texts:
                code = re.sub(r"\bw\b", each.effect, code) if each.effect else code
            return code

        arrival, pre, post = ("\n".join(getattr(each, side) for each in texts) for side in ("arrival", "pre", "post"))
        draft.react(name, arrival, effect, pre, post)
        if self.keep == "ends":
            draft.keep_ends(f"{name}_ends", name, "w")
        pathway = draft.parts[name]
        assert isinstance(pathway, Pathway)
        wrong = f"{name}_wrong"
        limit, allowed = draft.shared(**{f"{wrong}_allowed": ("1", 0.5)})
        draft.extend(pathway.target, f"{wrong} : 1\n{limit}")
        draft.set(pathway.target, **allowed)
        # what is no number is neither above the one nor below the other
        check = f"{wrong}_post += 1 - int(w >= w_low)*int(w <= w_high)"
        draft.add(Update(f"{name}_checked", name, check, "weights checked", every=draft.snapshot))
        draft.add(Monitor(wrong, pathway.target, (wrong,), every=draft.snapshot, after=True))
        draft.add(Guard(f"{name}_guard", pathway.target, wrong, f"{wrong}_allowed"))

    def bounds(self, name: str) -> tuple[float, float]:
        """Return what the weights lie between, mV/ms: the narrowest bounds of the rules, and 0 on the other side of the
        sign.
        """
        excites = OF_CIRCUIT_CONNECTIONS.get(name, self.cells) == "excitatory"
        found = [(0.0, LARGEST) if excites else (-LARGEST, 0.0)]
        found += [each for rule in self.plasticity if (each := rule.bounds()) is not None]
        return max(low for low, _ in found), min(high for _, high in found)

    def watched(self, name: str) -> Iterator[Watched]:
        """Yield what tells that weights left their bounds."""
        if self.plasticity:
            yield Watched(f"{name}_wrong.{name}_wrong", f"weights of {name!r}", 0.5)

    def _add_synapses(self, draft: Draft, name: str) -> None:
        source, target = draft.model.population(self.source), draft.model.population(self.target)
        rng = draft.seeds.generator("topology", name)
        sources = np.flatnonzero(source.excitatory() == (self.cells == "excitatory"))
        try:
            i, j = self.wiring.draw(sources, np.arange(target.n), self.source == self.target, rng)
        except ConfigurationError as error:
            raise ConfigurationError(error.complaints, f"connections.{name}.wiring") from None
        if not len(i):
            return
        order = np.lexsort((j, i))  # spikes are delivered fastest by runs of synapses
        i, j = i[order], j[order]
        sign = 1 if self.cells == "excitatory" else -1
        weight = lognormal(sign * self.weight, self.weight_spread, len(i), rng)
        delay = rng.uniform(*self.delay, source.n)[i] if self.delay_of == "cell" else rng.uniform(*self.delay, len(i))
        effect = self.effect or (EXCITATION if sign > 0 else INHIBITION)
        draft.add_synapses(name, self.source, self.target, effect, i, j, weight, delay, self.wiring.drawn)

    def variables(self, results: Results, name: str) -> dict[str, RecordedVariable]:
        """Return what a recording keeps: the weights at the start and the end, and which cells they connect."""
        if not self.plasticity or self.keep == "none":
            return {}
        source, target = (results.arrays[f"{name}.{each}"] for each in "ij")
        dims = (f"{name}_synapse",)
        return {
            f"{name}_weight": RecordedVariable(
                (f"{name}_end", *dims), results.at_ends(f"{name}_ends.w"), "mV/ms", "weights at start and end"
            ),
            f"{name}_source": RecordedVariable(dims, source, "1", f"cell that has each synapse of {name}"),
            f"{name}_target": RecordedVariable(dims, target, "1", f"cell that each synapse of {name} reaches"),
        }
