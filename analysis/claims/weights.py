"""Where the weights of both readouts lie."""

from __future__ import annotations

import numpy as np

from izhires.analysis.claims.base import OURS, Criterion, Runs, claim

SINGLE = {1: "single_timing", 2: "single_probability", 3: "single_both"}
"""Studies of one block alone, with the statistics of each block after a switch."""


SWITCHES = {
    1: (("when",), "single_both"),
    2: (("what",), "single_timing"),
    3: (("when", "what"), "single_probability"),
}
"""Of each switch: the readouts whose statistics change, and a study that differs in just these."""


_SORTS = {"ours": Criterion("|r| (limit assumed)", ">", 0.9), "difference": Criterion("|r| less chance", ">", 0)}
_CHANCE = {
    "isotropic": Criterion("angle less that of random subspaces (margin assumed)", ">", -1),
    "covariance": Criterion("angle less that of random subspaces with the states' second moment", ">", 0),
}


def _component(runs: Runs, part: str) -> dict[str, float]:
    from izhires.analysis.metrics.weight_space import components

    found = {row.part: row.value for row in components(runs["grid"])}
    return {
        "ours": found[part],
        "control": found[f"{part}_chance"],
        "difference": found[part] - found[f"{part}_chance"],
    }


@claim(
    "weights_sort_probability",
    statement="the first component of the readout weights sorts conditions by probability",
    published="shown, no figure",
    ours="|r| of component 1 with p(A), 3 probabilities x 3 latencies",
    control="|r| with permuted probabilities",
    studies=("grid",),
    tests=_SORTS,
)
def weights_sort_probability(runs: Runs) -> dict[str, float]:
    """Joint principal components of both readouts at the ends of the blocks."""
    return _component(runs, "pc1_probability")


@claim(
    "weights_sort_latency",
    statement="the second component of the readout weights sorts conditions by latency",
    published="shown, no figure",
    ours="|r| of component 2 with the latency of A, 3 probabilities x 3 latencies",
    control="|r| with permuted latencies",
    studies=("grid",),
    tests=_SORTS,
)
def weights_sort_latency(runs: Runs) -> dict[str, float]:
    """Joint principal components of both readouts at the ends of the blocks."""
    return _component(runs, "pc2_latency")


@claim(
    "weights_reach_endpoints",
    statement="after a switch the weights move to the end point of the matching single-block condition",
    published="shown, no figure",
    ours="way left at the end of the block, mean over switches",
    control="way left to the end point of a condition that differs in what switched",
    studies=("default", *SINGLE.values()),
    tests={
        "ours": Criterion("way left (limit assumed)", "<", 0.5),
        "difference": Criterion("control less ours", ">", 0),
    },
)
def weights_reach_endpoints(runs: Runs) -> dict[str, float]:
    """Distance to the end of a network that only ever knew the new statistics, over that before the switch.

    Of the readout whose statistics switch: the other has nowhere to go.
    """
    from izhires.analysis import selection
    from izhires.analysis.metrics.weight_space import weights

    (recording,) = runs["default"]

    def way(block: int, study: str) -> float:
        squares = []
        for name in SWITCHES[block][0]:
            every = weights(recording, name)
            end, own = (weights(runs[each][0], name)[-1] for each in (study, SINGLE[block]))
            here, before = (
                every[selection.last_probe(recording, block)],
                every[selection.before_probe(recording, block)],
            )
            squares.append(float(((here - end) ** 2).sum() / ((before - own) ** 2).sum()))
        return float(np.sqrt(np.mean(squares)))

    return {
        "ours": float(np.mean([way(block, SINGLE[block]) for block in SWITCHES])),
        "control": float(np.mean([way(block, other) for block, (_, other) in SWITCHES.items()])),
    }


def _angle(runs: Runs, *, without_mean: bool) -> dict[str, float]:
    from izhires.analysis import selection
    from izhires.analysis.metrics.angles import block_angles

    (recording,) = runs["default"]
    rows = block_angles(recording, selection.blocks(recording)[-1], without_mean=without_mean)
    found = {row.part: row.value for row in rows}
    return {
        "ours": found["smallest"],
        "control": found["smallest_isotropic_mean"],
        "isotropic": found["smallest_isotropic_difference"],
        "covariance": found["smallest_covariance_difference"],
    }


@claim(
    "orthogonal",
    statement="what and when readouts lie in near-orthogonal subspaces",
    published="near-orthogonal, no figure",
    ours="smallest principal angle at the end",
    control="random subspaces of the same dimensions",
    unit="deg",
    studies=("default",),
    tests=_CHANCE,
)
def orthogonal(runs: Runs) -> dict[str, float]:
    """Smallest angle against both chance levels."""
    return _angle(runs, without_mean=False)


@claim(
    "orthogonal_without_mean",
    statement="... and so they do when the direction of the mean state, which both may share, is removed",
    published="not examined",
    ours="smallest principal angle at the end, mean state removed",
    control="random subspaces of the same dimensions",
    unit="deg",
    studies=("default",),
    tests=_CHANCE,
    source=OURS,
)
def orthogonal_without_mean(runs: Runs) -> dict[str, float]:
    """Smallest angle without the mean state, against both chance levels."""
    return _angle(runs, without_mean=True)
