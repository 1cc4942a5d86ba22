"""Connections: synapses from the cells of one population to those of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import model_validator

from izhires.declare import Declaration, Drive, Milliseconds, chosen, parameter
from izhires.errors import ConfigurationError, closest
from izhires.population import EXCITATION, INHIBITION, OF_CIRCUIT, Cells
from izhires.wirings.base import Wiring

if TYPE_CHECKING:
    from izhires.plan import Draft


class Connection(Declaration):
    """Synapses of one sign from one population to another, or among the cells of one.

    A spike does `effect` to its targets: by default what one does in a circuit, an excitatory current of which a share
    is slow, or an inhibitory one. Weights are log-normal, delays uniform.
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
    effect: str = parameter(
        "", "what a spike does, as Brian2 statements with the weight w (V/s); by the sign of the cells when empty"
    )

    @model_validator(mode="after")
    def _ranges(self) -> Connection:
        if not 0 < self.delay[0] <= self.delay[1]:
            raise ConfigurationError("the range must be positive and ascend", "delay")
        return self

    def check(self, name: str, known: Mapping[str, Cells]) -> None:
        """Refuse populations that do not exist, or have no cells of this sign."""
        place = f"connections.{name}"
        for side in ("source", "target"):
            given = getattr(self, side)
            if given not in known:
                raise ConfigurationError(
                    f"there is no population {given!r}{closest(given, known)}", f"{place}.{side}", known
                )
        if not (known[self.source].excitatory() == (self.cells == "excitatory")).any():
            raise ConfigurationError(f"{self.source!r} has no {self.cells} cells", f"{place}.cells")

    def parts(self, draft: Draft, name: str) -> None:
        """Add the synapses."""
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
        s, sign = self.weight_spread, 1 if self.cells == "excitatory" else -1
        weight = sign * self.weight * np.exp(s * rng.standard_normal(len(i)) - s**2 / 2)
        delay = rng.uniform(*self.delay, len(i))
        effect = self.effect or (EXCITATION if sign > 0 else INHIBITION)
        draft.add_synapses(name, self.source, self.target, effect, i, j, weight, delay)
