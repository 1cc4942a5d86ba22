"""Other learning rules and readouts beside the model's."""

from __future__ import annotations

import numpy as np

from izhires.analysis.claims.base import (
    OURS,
    Criterion,
    Runs,
    between,
    beyond_model,
    claim,
    early_error,
    probe_error,
    zero_error,
)


@claim(
    "least_squares_without_reset",
    statement="recursive least squares (FORCE) fits the first block and adjusts poorly after switches",
    published="shown, no figure",
    ours="its error 20 trials after a switch, mean over switches",
    control="the model's",
    studies=("force", "default"),
    tests={
        "fits": Criterion("error at the end of the first block over that of predicting nothing", "<", 0.25),
        "excess": Criterion("error after switches, ours less the model's", ">", 0),
    },
)
def least_squares_without_reset(runs: Runs) -> dict[str, float]:
    """RLS not told of the switches."""
    (force,), (model,) = runs["force"], runs["default"]
    ours, control = early_error(force), early_error(model)
    return {
        "ours": ours,
        "control": control,
        "fits": probe_error(force, 0) / zero_error(force, 0),
        "excess": ours - control,
    }


@claim(
    "least_squares_with_reset",
    statement="the local rule adapts faster than least squares that is told of the switches",
    published="needs an explicit reset",
    ours="error 20 trials after a switch, mean over switches",
    control="least squares, reset at each switch",
    studies=("default", "force_reset"),
    tests={"difference": Criterion("control less ours", ">", 0)},
    source=OURS,
)
def least_squares_with_reset(runs: Runs) -> dict[str, float]:
    """RLS told of the switches: information that the local rule does not have."""
    return {"ours": early_error(runs["default"][0]), "control": early_error(runs["force_reset"][0])}


@claim(
    "merged_interferes",
    statement="one readout for what and when interferes with itself",
    published="shown, no figure",
    ours="error of the merged readout at the end of a block, mean over blocks",
    control="the model's",
    studies=("merged", "default"),
    tests={"excess": Criterion("ours less the model's", ">", 0)},
)
def merged_interferes(runs: Runs) -> dict[str, float]:
    """One readout, learned online in every trial."""
    return beyond_model(runs, "merged")


@claim(
    "joint_readout",
    statement="a joint readout of (event, time) learned once a trial needs no factorisation",
    published="not examined",
    ours="error at the end of a block, mean over blocks",
    control="merged readout, learned online",
    studies=("joint", "merged", "default"),
    tests={
        "difference": Criterion("control less ours", ">", 0),
        "behind": Criterion("ours less the factorised model's (margin assumed)", "<", 0.01),
    },
    source=OURS,
)
def joint_readout(runs: Runs) -> dict[str, float]:
    """The same readout as the merged one, consolidated once a trial."""
    return between(runs, "joint", "merged")


@claim(
    "reward_is_enough",
    statement="one scalar reward instead of an error for every channel is enough for the timing readout",
    published="not examined",
    ours="error at the end of a block, mean over blocks",
    control="without learning",
    studies=("node_perturbation", "no_learning", "default"),
    tests={
        "difference": Criterion("control less ours", ">", 0),
        "behind": Criterion("ours less the model's (margin assumed)", "<", 0.01),
    },
    source=OURS,
)
def reward_is_enough(runs: Runs) -> dict[str, float]:
    """Node perturbation."""
    return between(runs, "node_perturbation", "no_learning")


@claim(
    "what_surprise",
    statement="a rate that surprise sets back serves both speed and calibration of the identity readout",
    published="a two-factor rule, its rate not published",
    ours="|q - p| over the trials 20 to 100 of all blocks",
    control="the same rule at a constant rate",
    studies=("default", "plain_two_factor"),
    tests={"difference": Criterion("control less ours", ">", 0)},
    source=OURS,
)
def what_surprise(runs: Runs) -> dict[str, float]:
    """Distance of the identity prediction from the true probability, once each block has settled in."""

    def distance(study: str) -> float:
        from izhires.analysis import selection

        (recording,) = runs[study]
        later = recording["block_trial"].values >= 20
        truth = np.array(
            [
                [selection.probability(recording, int(block), event) for event in selection.events(recording)]
                for block in recording["block"].values
            ]
        )
        return float(np.abs(recording["what"].values - truth)[later].mean())

    return {"ours": distance("default"), "control": distance("plain_two_factor")}
