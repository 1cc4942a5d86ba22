"""Named studies: what is run for the claims. A paradigm, settings and conditions; one entry each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

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
    keep : mapping
        What is recorded besides.
    """

    paradigm: Mapping[str, Any] = field(default_factory=lambda: {"type": "meet"})
    conditions: tuple[str, ...] = ()
    keep: Mapping[str, Any] = field(default_factory=dict)

    def configuration(self, base: Mapping[str, Any] | None = None) -> Configuration:
        """Return the configuration of the study; `base` are tables that the study changes.

        Raises
        ------
        ConfigurationError
            If they do not fit together.
        """
        kept = {**(base or {}).get("keep", {}), **self.keep}
        data = {**(base or {}), "paradigm": dict(self.paradigm), **({"keep": kept} if kept else {})}
        return apply(Configuration.parse(data), self.conditions)

    def described(self) -> str:
        """Return task, latencies, probabilities, trials, probes and conditions in one line."""
        task = self.configuration().paradigm
        variants = [task.experiment(np.random.default_rng(0), each) for each in task.variants()]
        experiment, table = variants[0], pd.concat([each.outcomes for each in variants])
        of_event = (
            f"{event} at {_listed(1e3 * own['latency'])} ms with p {_listed(own['probability'])}"
            for event, own in table.groupby("event", sort=False)
        )
        trials = experiment.trials["kind"].value_counts()
        cues = f", cues {', '.join(experiment.cues)}" if len(experiment.cues) > 1 else ""
        said = f"{task.type}{cues}: {', '.join(of_event)}; "
        said += f"{len(variants)} networks, " if len(variants) > 1 else ""
        said += f"blocks: {table['block'].nunique()}, "
        said += f"{trials['train']} training trials, {trials['probe']} probes"
        return "; ".join([said, *(f"condition {name}" for name in self.conditions)])


def _listed(values: pd.Series) -> str:
    return "/".join(f"{each:g}" for each in dict.fromkeys(values.round(6)))


def _block(latency: dict[str, float], probability: dict[str, float], trials: int) -> dict[str, Any]:
    return {
        "trials": trials,
        "latency": {name: f"{value:g} ms" for name, value in latency.items()},
        "probability": probability,
    }


def _grid(latencies: tuple[float, ...]) -> dict[str, Any]:
    conditions = product((0.5, 0.2, 0.8), latencies)
    blocks = [_block({"A": a, "B": 700.0}, {"A": p, "B": round(1 - p, 9)}, 80) for p, a in conditions]
    return {"type": "meet", "blocks": blocks, "probes": [80]}


_FEW = {"type": "meet", "probes": [1, 10, 20, 50, 80, 85, 90, 95, 100]}
CUES: dict[str, dict[str, dict[str, Any]]] = {
    "tone": {"latency": {"A": "300 ms", "B": "600 ms"}, "probability": {"A": 0.8, "B": 0.2}},
    "light": {"latency": {"A": "400 ms", "B": "700 ms"}, "probability": {"A": 0.5, "B": 0.5}},
    "touch": {"latency": {"A": "500 ms", "B": "800 ms"}, "probability": {"A": 0.2, "B": 0.8}},
}
"""Three cues with statistics of their own."""
FIRST, SECOND = "tone", "touch"
"""Those that are learned one after the other."""


def _cues() -> dict[str, Any]:
    block = {"name": "all", "trials": 300, "cues": CUES}
    return {"type": "meet", "order": "exact", "probes": [260, 270, 280, 290, 300], "blocks": [block]}


def _serial() -> dict[str, Any]:
    # a cue that is not heard in a block has a share of nothing there, so that it is probed
    blocks = [
        {
            "name": heard,
            "trials": 100,
            "cues": {name: {**CUES[name], "share": 1.0 if name == heard else 1e-9} for name in (FIRST, SECOND)},
        }
        for heard in (FIRST, SECOND)
    ]
    return {"type": "meet", "order": "exact", "probes": [100], "blocks": blocks}


_LEVELS = {"type": "meet_levels"}

STUDIES: dict[str, Study] = {
    "default": Study(),
    "states": Study(
        _FEW,
        keep={"spikes": "all", "record": [{"of": "state", "variable": "variance", "every": "1000 ms"}]},
    ),
    "levels": Study(_LEVELS),
    "grid": Study(_grid((360.0, 330.0, 390.0))),
    "grid_wide": Study(_grid((360.0, 200.0, 520.0))),
    **{
        f"single_{block.name}": Study({"type": "meet", "blocks": [block.to_dict()], "probes": [100]})
        for block in DEFAULT_BLOCKS[1:]
    },
    "cues": Study(_cues()),
    "cues_serial": Study(_serial()),
    # as many probes as the default where the course of the error counts, few elsewhere
    **{
        name: Study(conditions=(name,))
        for name in ("force", "force_reset", "merged", "merged_tuned", "no_gate", "constant_rate")
    },
    **{
        name: Study(_FEW, (name,))
        for name in (
            "no_learning", "shuffled_readout", "frozen_what", "frozen_when", "joint_tuned", "open_gate_tuned",
            "node_perturbation",
            "literal_window_gate", "slow_gate", "slow_gate_tuned", "dopamine", "acetylcholine", "consolidation",
            "no_recurrence_tuned", "unconnected_tuned", "adapting_cells_tuned", "homogeneous_cells_tuned",
            "canonical_cells", "no_feedback", "open_loop_at_test", "noise_double", "noise_quadruple",
            "cells_250_tuned", "confidence",
        )
    },
}  # fmt: skip
"""What `izhires reproduce` runs, by name."""
