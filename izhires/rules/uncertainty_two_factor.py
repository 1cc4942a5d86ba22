"""Two-factor rule in which each synapse has a rate of its own, which falls with the trials that it has seen."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import PAPER, Hertz, parameter
from izhires.rules.base import Rule
from izhires.rules.surprise_two_factor import SURPRISED


class UncertaintyTwoFactor(Rule):
    """Two-factor rule at the end of a trial, with a rate alpha_ki of each synapse, which surprise sets back.

    dw_ki = alpha_ki*(outcome_k - q_k)*x_i/(|x|^2 + 1 Hz^2), alpha_ki = max(1/(1/fastest + c_ki), slowest).

    The count c_ki grows by x_i/(x_i + half) in every trial: by 1 where the cell was active, by 0 where it was silent.
    So for one cue the prediction is a counter's, each trial counts the same; and after another cue the synapses of
    other cells have their own counts, as if there were a counter for each cue. Surprise is that of
    `surprise_two_factor`: the standardised error n = (outcome_k - q_k)/sqrt(q_k(1 - q_k)) is summed up in both
    directions, less `drift` a trial, and when a sum exceeds `threshold` it starts from 0, and so do the counts of the
    synapses that were active in this trial, x_i > half.
    """

    type: Literal["uncertainty_two_factor"] = "uncertainty_two_factor"
    fastest: float = parameter(0.3, "learning rate at the start and after a surprise", symbol="alpha_max", gt=0, le=1)
    slowest: float = parameter(0.01, "smallest learning rate", symbol="alpha_min", gt=0, le=1)
    half: Hertz = parameter("0.2 Hz", "activity that counts half a trial", gt=0)
    threshold: float = parameter(8.0, "sum of standardised errors that is a surprise", symbol="theta", gt=0)
    drift: float = parameter(0.5, "standardised error that is expected of chance", symbol="delta", ge=0)

    schedule: ClassVar[Literal["step", "trial"]] = "trial"
    equations: ClassVar[str] = """
    up : 1
    down : 1
    deviation : 1
    surprised : 1
    taught : 1
    step : second**2
    """
    channel_update: ClassVar[str] = f"""
    taught = learning{SURPRISED}
    step = learning*error/(power + 1*Hz**2)
    """
    weight_equations: ClassVar[str] = "count : 1"
    # x may be below 0 in a state of one's own, and counts as silence there
    weight_update: ClassVar[str] = """
    count *= 1 - surprised_post*int(x_pre > half_post)
    w += clip(1/(1/fastest_post + count), slowest_post, 1)*step_post*x_pre
    count += taught_post*clip(x_pre, 0*Hz, inf*Hz)/(clip(x_pre, 0*Hz, inf*Hz) + half_post)
    """
    source: ClassVar[str] = (
        f"after {PAPER}; a rate for each synapse, its uncertainty: Aitchison et al. (2021), "
        "doi 10.1038/s41593-021-00809-5; change detection: Page (1954), doi 10.1093/biomet/41.1-2.100; "
        "surprise and learning rate: Pearce & Hall (1980), doi 10.1037/0033-295X.87.6.532"
    )
