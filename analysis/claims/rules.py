"""Other learning rules and readouts beside the model's."""

from __future__ import annotations

import numpy as np

from izhires.analysis.claims.base import (
    ENDS,
    OURS,
    Criterion,
    Runs,
    between,
    beyond_model,
    claim,
    early_error,
    enough,
    errors,
    needed,
    probe_error,
    share_left,
    zero_error,
)

EARLY = "MEET, blocks 1 to 3, probe after 20 trials, over predicting nothing"


@claim(
    "least_squares_without_reset",
    statement="recursive least squares (FORCE) fits the first block and adjusts poorly after switches",
    published="shown, no figure",
    ours="its error 20 trials after a switch, mean over switches",
    control="the model's",
    studies=("force", "default"),
    tests={
        "fits": Criterion("error at the end of the first block over predicting nothing (limit assumed)", "<", 0.25),
        "excess": needed("error after switches, ours less the model's"),
    },
    where=EARLY,
    within=errors("fits"),
)
def least_squares_without_reset(runs: Runs) -> dict[str, float]:
    """RLS not told of the switches."""
    (force,), (model,) = runs["force"], runs["default"]
    ours, control = early_error(force), early_error(model)
    fits = probe_error(force, 0) / zero_error(force, 0)
    return {"ours": ours, "control": control, "fits": fits, "excess": ours - control}


@claim(
    "least_squares_with_reset",
    statement="the local rule adapts faster than least squares that is told of the switches",
    published="needs an explicit reset",
    ours="error 20 trials after a switch, mean over switches",
    control="least squares, reset at each switch",
    studies=("default", "force_reset"),
    tests={"difference": Criterion("control less ours", ">", 0)},
    where=EARLY,
    source=OURS,
    within=errors(),
)
def least_squares_with_reset(runs: Runs) -> dict[str, float]:
    """RLS told of the switches: information that the local rule does not have."""
    return {"ours": early_error(runs["default"][0]), "control": early_error(runs["force_reset"][0])}


@claim(
    "merged_interferes",
    statement="one readout for what and when interferes with itself",
    published="shown, no figure",
    ours="what is left of the merged readout, at a tuned rate",
    control="the model's",
    studies=("merged_tuned", "merged", "default"),
    tests={"excess": needed("ours less the model's")},
    where=ENDS,
    beside={"untuned": "merged readout at the model's rate"},
    within=errors("untuned"),
)
def merged_interferes(runs: Runs) -> dict[str, float]:
    """One readout, learned online in every trial."""
    return beyond_model(runs, "merged_tuned", untuned="merged")


@claim(
    "joint_readout",
    statement="a joint readout of (event, time) learned once a trial needs no factorisation",
    published="not examined",
    ours="what is left, tuned",
    control="merged readout, learned online, at a tuned rate",
    studies=("joint_tuned", "merged_tuned", "default"),
    tests={"behind": enough("ours less the factorised model's")},
    where=ENDS,
    source=OURS,
    within=errors(),
)
def joint_readout(runs: Runs) -> dict[str, float]:
    """The same readout as the merged one, consolidated once a trial."""
    return between(runs, "joint_tuned", "merged_tuned")


@claim(
    "reward_is_enough",
    statement="one scalar reward instead of an error for every channel is enough for the timing readout",
    published="not examined",
    ours="what is left",
    control="the model's",
    studies=("node_perturbation", "no_learning", "default"),
    tests={"excess": enough("ours less the model's")},
    where=ENDS,
    source=OURS,
    beside={"none": "bound: without learning"},
    within=errors("none"),
)
def reward_is_enough(runs: Runs) -> dict[str, float]:
    """Node perturbation."""
    return beyond_model(runs, "node_perturbation", none="no_learning")


@claim(
    "what_surprise",
    statement="a rate that surprise sets back serves both speed and calibration of the identity readout",
    published="a two-factor rule, its rate not known to us",
    ours="|q - p| over the trials 20 to 100 of all blocks",
    control="the same rule at a constant rate, tuned",
    studies=("default", "constant_rate"),
    tests={"difference": Criterion("control less ours", ">", 0)},
    where="MEET, probes after 20 trials and later of all blocks",
    source=OURS,
    beside={
        "counter": "counter without a network, by the rule that surprise sets back",
        "left": "what the constant rate leaves of predicting nothing at the ends",
        "model": "what the model does",
    },
    within=errors("counter", "left", "model"),
)
def what_surprise(runs: Runs) -> dict[str, float]:
    """Distance of the identity prediction from the true probability, once each block has settled in."""
    from izhires.analysis import selection
    from izhires.analysis.claims.learning import true_probability
    from izhires.analysis.counter import counter

    (model,), (constant,) = runs["default"], runs["constant_rate"]

    def distance(said: np.ndarray) -> float:
        rows = selection.trials_of_probes(model)
        later = model["block_trial"].values >= 20
        return float(np.abs(said - true_probability(model)[rows])[later].mean())

    return {
        "ours": distance(model["what"].transpose("probe", "event").values),
        "control": distance(constant["what"].transpose("probe", "event").values),
        "counter": distance(counter(model)[selection.trials_of_probes(model)]),
        "left": share_left(constant),
        "model": share_left(model),
    }
