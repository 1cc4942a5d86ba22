"""Named studies: what is run for the claims. A paradigm, settings and conditions; one entry each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from izhires.model.conditions import apply
from izhires.model.configuration import Configuration
from izhires.paradigms.meet import DEFAULT_BLOCKS


@dataclass(frozen=True)
class Study:
    """Runs of one configuration over seeds.

    Parameters
    ----------
    paradigm : mapping
        Parameters of the paradigm, its type among them.
    conditions : tuple of str
        See `izhires.model.conditions`.
    """

    paradigm: Mapping[str, Any] = field(default_factory=lambda: {"type": "meet"})
    conditions: tuple[str, ...] = ()

    def configuration(self, base: Mapping[str, Any] | None = None) -> Configuration:
        """Return the configuration of the study; `base` are tables that the study changes.

        Raises
        ------
        ConfigurationError
            If they do not fit together.
        """
        return apply(Configuration.parse({**(base or {}), "paradigm": dict(self.paradigm)}), self.conditions)


def _block(latency: dict[str, float], probability: dict[str, float], trials: int) -> dict[str, Any]:
    return {
        "trials": trials,
        "latency": {name: f"{value:g} ms" for name, value in latency.items()},
        "probability": probability,
    }


# close latencies: far apart ones span as many directions of weights as there are latencies, and lie on no line
_GRID = [
    _block({"A": a, "B": 700.0}, {"A": p, "B": round(1 - p, 9)}, 80)
    for p, a in product((0.5, 0.2, 0.8), (360.0, 330.0, 390.0))
]
_FEW = [1, 10, 20, 50, 75, 100]
_LEVELS = {"type": "meet_levels"}

STUDIES: dict[str, Study] = {
    "default": Study(),
    "levels": Study(_LEVELS),
    "levels_shuffled": Study(_LEVELS, ("shuffled_readout",)),
    "grid": Study({"type": "meet", "blocks": _GRID, "probes": [80]}),
    **{
        f"single_{block.name}": Study({"type": "meet", "blocks": [block.to_dict()], "probes": [100]})
        for block in DEFAULT_BLOCKS[1:]
    },
    # as many probes as the default where the course of the error counts, few elsewhere
    **{
        name: Study(conditions=(name,))
        for name in ("force", "force_reset", "merged", "no_gate", "plain_two_factor")
    },
    **{
        name: Study({"type": "meet", "probes": _FEW}, (name,))
        for name in (
            "no_learning", "shuffled_readout", "frozen_what", "frozen_when", "frozen_late", "joint",
            "node_perturbation", "literal_window_gate", "slow_gate", "dopamine", "acetylcholine", "consolidation",
            "no_recurrence", "unconnected", "homogeneous_cells", "canonical_cells", "no_feedback",
            "open_loop_at_test", "noise_double", "noise_quadruple", "cells_250", "confidence",
        )
    },
}  # fmt: skip
"""What `izhires reproduce` runs, by name."""
