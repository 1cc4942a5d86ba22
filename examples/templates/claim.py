"""Template of a claim: ``izhires reproduce --import claim.py --claim my_claim ...``."""

from izhires.analysis.claims.base import Criterion, Runs, claim, errors, final_error


@claim(
    "my_claim",
    statement="without feedback the error at the end of a block is larger",
    where="MEET, ends of its four blocks",
    published="-",
    ours="error without feedback",
    control="the model's",
    studies=("no_feedback", "default"),
    tests={"excess": Criterion("ours less the model's", ">", 0)},
    source="this script",
    within=errors(),
)
def my_claim(runs: Runs) -> dict[str, float]:
    """Measure it in one seed; the control could win."""
    (without,), (model,) = runs["no_feedback"], runs["default"]
    ours, control = final_error(without), final_error(model)
    return {"ours": ours, "control": control, "excess": ours - control}
