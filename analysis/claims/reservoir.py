"""What the reservoir must be like. Every alternative that has parameters of its own is at its best point of a search
as large as the model's (``examples/controls.py``).
"""

from __future__ import annotations

from izhires.analysis.claims.base import ENDS, OURS, Runs, beyond_model, claim, enough, errors, needed


def _worse(
    name: str,
    statement: str,
    published: str,
    ours: str,
    study: str,
    **beside: tuple[str, str],
) -> None:
    """Declare that the error at the ends of blocks grows under a condition; `beside`: further studies, and in words."""

    @claim(
        name,
        statement=statement,
        published=published,
        ours=f"what is left: {ours}",
        control="the model's",
        studies=(study, "default", *(other for other, _ in beside.values())),
        tests={"excess": needed("ours less the model's")},
        where=ENDS,
        source=OURS,
        beside={key: words for key, (_, words) in beside.items()},
        within=errors(*beside),
    )
    def measure(runs: Runs) -> dict[str, float]:
        return beyond_model(runs, study, **{key: other for key, (other, _) in beside.items()})

    measure.__qualname__ = name


_worse(
    "recurrence_cut",
    "the recurrence is needed in this network",
    "-",
    "recurrent weights cut, retuned",
    "no_recurrence_tuned",
)
_worse(
    "recurrence_needed",
    "recurrence is needed for this task",
    "a recurrent network",
    "the best network without it that is known here, a bank of slowly adapting cells, retuned",
    "adapting_cells_tuned",
    other=("unconnected_tuned", "cells of the default below threshold, without a synapse, retuned"),
)
_worse(
    "heterogeneity_needed",
    "heterogeneous cells are needed",
    "heterogeneous cells",
    "homogeneous cells, retuned",
    "homogeneous_cells_tuned",
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
_worse("small_networks_worse", "1,000 cells are needed", "1,000 cells", "250 cells, retuned", "cells_250_tuned")


@claim(
    "robust_to_noise",
    statement="twice the noise in the cells does little harm",
    published="-",
    ours="what is left with twice the noise",
    control="the model's",
    studies=("noise_double", "noise_quadruple", "default"),
    tests={"excess": enough("ours less the model's")},
    where=ENDS,
    source=OURS,
    beside={"four": "with four times the noise"},
    within=errors("four"),
)
def robust_to_noise(runs: Runs) -> dict[str, float]:
    """Error at the ends of blocks with doubled noise."""
    return beyond_model(runs, "noise_double", four="noise_quadruple")
