"""Template of a circuit, who is connected with whom and who hears the cue: ``--set reservoir=my_circuit``."""

from typing import Literal

import numpy as np

from izhires import Reservoir, Seeds
from izhires.circuits.base import Synapses, fixed_out_degree
from izhires.declare import Drive, Milliseconds, parameter
from izhires.model.population import cue_to_a_share


class MyCircuit(Reservoir):
    """Every cell has the same number of random targets; excitatory cells excite and inhibitory ones inhibit them."""

    type: Literal["my_circuit"] = "my_circuit"
    degree: int = parameter(20, "targets of a cell", source="assumed", ge=1)
    weight: Drive = parameter("0.5 mV/ms", "mean weight of an excitatory synapse; an inhibitory one is twice that",
                              source="assumed", ge=0)  # fmt: skip
    delay: Milliseconds = parameter("1 ms", "delay of every synapse", source="assumed", gt=0)
    cue_share: float = parameter(0.5, "share of cells that the cue reaches", source="assumed", ge=0, le=1)
    cue_strength: tuple[Drive, Drive] = parameter(("0 mV/ms", "30 mV/ms"), "range of the drive while the cue is on",
                                                  source="assumed")  # fmt: skip

    def draw_synapses(self, rng: np.random.Generator) -> tuple[Synapses, Synapses]:
        """Return excitatory and inhibitory synapses."""
        signs, cells = self.excitatory(), np.arange(self.n)
        degree, factor = self.targets("degree", self.n - 1)
        found = []
        for own, size in ((signs, self.weight), (~signs, -2 * self.weight)):
            source, target = fixed_out_degree(np.flatnonzero(own), cells, degree, rng)
            weight = np.sign(size) * self.lognormal(abs(size) * factor, len(source), rng)
            found.append(Synapses(source, target, weight, np.full(len(source), self.delay)).sorted())
        return found[0], found[1]

    def draw_cue(self, rng: np.random.Generator, seeds: Seeds) -> np.ndarray:
        """Return the drive of each cell while the cue is on, mV/ms."""
        return cue_to_a_share(self.n, self.cue_share, self.cue_strength, rng)
