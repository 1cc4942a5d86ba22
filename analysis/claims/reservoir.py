"""What the reservoir must be like."""

from __future__ import annotations

from izhires.analysis.claims.base import OURS, Criterion, Runs, beyond_model, claim, final_error


def _worse(name: str, statement: str, published: str, ours: str, study: str, source: str = OURS) -> None:
    """Declare the claim that the error at the ends of blocks grows under a condition."""

    @claim(
        name,
        statement=statement,
        published=published,
        ours=f"error at the end of a block, mean over blocks: {ours}",
        control="the model's",
        studies=(study, "default"),
        tests={"excess": Criterion("ours less the model's", ">", 0)},
        source=source,
    )
    def measure(runs: Runs) -> dict[str, float]:
        return beyond_model(runs, study)

    measure.__qualname__ = name


_worse("recurrence_cut", "the recurrence is needed in this network", "-", "recurrent weights cut", "no_recurrence")
_worse(
    "recurrence_needed",
    "the recurrence is needed for this task",
    "a recurrent network",
    "cells without a synapse, tuned for the task",
    "unconnected",
)
_worse(
    "heterogeneity_needed",
    "heterogeneous cells are needed",
    "heterogeneous cells",
    "homogeneous cells",
    "homogeneous_cells",
)
_worse("spread_needed", "spread of parameters within a type is needed", "-", "canonical cells", "canonical_cells")
_worse("feedback_needed", "feedback of the timing prediction is needed", "closed loop", "no feedback", "no_feedback")
_worse(
    "loop_needed_at_test",
    "at test the closed loop is needed",
    "closed loop",
    "open loop in trials that do not teach",
    "open_loop_at_test",
)
_worse("small_networks_worse", "fewer cells do worse", "-", "250 cells", "cells_250")


@claim(
    "robust_to_noise",
    statement="twice the noise in the cells does little harm",
    published="-",
    ours="error with twice the noise over the model's, ends of blocks",
    control="the same with four times the noise",
    studies=("noise_double", "noise_quadruple", "default"),
    tests={"ours": Criterion("ratio (limit assumed)", "<", 1.5)},
    source=OURS,
)
def robust_to_noise(runs: Runs) -> dict[str, float]:
    """Error at the ends of blocks with doubled noise."""
    quiet = final_error(runs["default"][0])
    return {
        "ours": final_error(runs["noise_double"][0]) / quiet,
        "control": final_error(runs["noise_quadruple"][0]) / quiet,
    }
