"""Random recurrence with fixed out-degree, as the paper describes its network."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import model_validator

from izhires.circuits.base import Reservoir, Synapses, fixed_out_degree
from izhires.declare import Drive, Milliseconds, Noise, parameter
from izhires.errors import ConfigurationError, check_ascends
from izhires.model.population import cue_to_a_share
from izhires.model.seeds import Seeds


class Random(Reservoir):
    """Random recurrence: every cell excites or inhibits as many random cells as the others; the cue reaches most.

    Excitatory time constants 1/a are log-uniform over a wide range, far beyond the canonical 50 ms: cells then act as a
    bank of adapting oscillators that the cue resets, and it is they, not the recurrence, that carry time (see
    ``docs/science.md``).
    """

    type: Literal["random"] = "random"
    adaptation: tuple[Milliseconds, Milliseconds] | None = parameter(
        ("50 ms", "1000 ms"), "range of 1/a of excitatory cells, log-uniform; none keeps each type's own a"
    )
    bias_excitatory: tuple[Drive, Drive] = parameter(("2 mV/ms", "10 mV/ms"), "range of the constant drive, excitatory")
    bias_inhibitory: tuple[Drive, Drive] = parameter(("2 mV/ms", "4 mV/ms"), "range of the constant drive, inhibitory")
    noise: Noise = parameter("0.2 mV/sqrt(ms)", "white noise on v", ge=0)
    slow_fraction: float = parameter(0.3, "share of the excitatory charge that is slow", ge=0, le=1)
    out_degree: int = parameter(100, "targets of every cell", ge=0)
    weight_excitation: Drive = parameter("0.12 mV/ms", "mean weight of excitatory synapses", ge=0)
    weight_inhibition: Drive = parameter("0.32 mV/ms", "mean weight of inhibitory synapses (magnitude)", ge=0)
    delay: Milliseconds = parameter("1 ms", "axonal delay", gt=0)
    cue_share: float = parameter(0.8, "share of cells that the cue reaches", ge=0, le=1)
    cue_strength: tuple[Drive, Drive] = parameter(("0 mV/ms", "30 mV/ms"), "range of the drive while the cue is on")

    @model_validator(mode="after")
    def _sizes(self) -> Random:
        self.targets("out_degree", self.n - 1)
        if self.adaptation is not None:
            check_ascends(self.adaptation, "adaptation", positive=True)
        check_ascends(self.cue_strength, "cue_strength")
        if self.adaptation is not None and self.cell.parameters().get("a") != "1/ms":
            problem = f"is 1/a of Izhikevich's cells, which {self.cell.type!r} has not; give 'none'"
            raise ConfigurationError(problem, "adaptation")
        return self

    def draw_cells(self, rng: np.random.Generator) -> dict[str, np.ndarray]:  # noqa: D102
        cells = super().draw_cells(rng)
        if self.adaptation is not None:
            low, high = np.log(self.adaptation)
            time = np.exp(rng.uniform(low, high, self.n))
            cells["a"] = np.where(self.excitatory(), 1 / time, cells["a"])
        return cells

    def draw_synapses(self, rng: np.random.Generator) -> tuple[Synapses, Synapses]:  # noqa: D102
        is_excitatory = self.excitatory()
        degree, factor = self.targets("out_degree", self.n - 1)
        drawn = []
        for cells, mean in (
            (np.flatnonzero(is_excitatory), self.weight_excitation),
            (np.flatnonzero(~is_excitatory), -self.weight_inhibition),
        ):
            source, target = fixed_out_degree(cells, np.arange(self.n), degree, rng)
            weight = self.lognormal(mean * factor, len(source), rng)
            drawn.append(Synapses(source, target, weight, np.full(len(source), self.delay)).sorted())
        return drawn[0], drawn[1]

    def draw_cue(self, rng: np.random.Generator, seeds: Seeds) -> np.ndarray:  # noqa: D102
        return cue_to_a_share(self.n, self.cue_share, self.cue_strength, rng)
