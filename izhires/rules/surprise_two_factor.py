"""Two-factor rule whose rate falls like a counter's, and starts again when the errors stop looking like chance."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import PAPER, parameter
from izhires.rules.base import Rule

SURPRISED = """
    deviation = learning*error/sqrt(clip(q, 0.05, 0.95)*(1 - clip(q, 0.05, 0.95)))
    up = clip(up + deviation - learning*drift, 0, inf)
    down = clip(down - deviation - learning*drift, 0, inf)
    surprised = int(up > threshold or down > threshold)
    up *= 1 - surprised
    down *= 1 - surprised"""
"""The cumulative sum test of Page (1954) on standardised errors: ``surprised`` is 1 where the statistics changed."""


class SurpriseTwoFactor(Rule):
    """Two-factor rule at the end of a trial, with a rate alpha_k that surprise sets back.

    dw_k = alpha_k*(outcome_k - q_k)*x/(|x|^2 + 1 Hz^2). alpha_k falls as alpha/(1 + alpha) to `slowest`, so that at
    first each trial counts the same. The standardised error n = (outcome_k - q_k)/sqrt(q_k(1 - q_k)) is summed up in
    both directions, up <- max(0, up + n - drift) and down <- max(0, down - n - drift) (the cumulative sum test of Page
    1954). When either exceeds `threshold`, the statistics have changed: alpha_k is raised to `fastest`, and both sums
    start from 0.
    """

    type: Literal["surprise_two_factor"] = "surprise_two_factor"
    fastest: float = parameter(0.3, "learning rate at the start and after a surprise", symbol="alpha_max", gt=0, le=1)
    slowest: float = parameter(0.01, "smallest learning rate", symbol="alpha_min", gt=0, le=1)
    threshold: float = parameter(8.0, "sum of standardised errors that is a surprise", symbol="theta", gt=0)
    drift: float = parameter(0.5, "standardised error that is expected of chance", symbol="delta", ge=0)

    schedule: ClassVar[Literal["step", "trial"]] = "trial"
    equations: ClassVar[str] = """
    rate : 1
    up : 1
    down : 1
    deviation : 1
    surprised : 1
    step : second**2
    """
    initial: ClassVar[dict[str, str | float]] = {"rate": "fastest"}
    channel_update: ClassVar[str] = f"""{SURPRISED}
    rate += surprised*(clip(rate, fastest, 1) - rate)
    step = learning*rate*error/(power + 1*Hz**2)
    rate += learning*(clip(rate/(1 + rate), slowest, 1) - rate)
    """
    weight_update: ClassVar[str] = "w += step_post*x_pre"
    source: ClassVar[str] = (
        f"after {PAPER}; "
        "change detection: Page (1954), doi 10.1093/biomet/41.1-2.100; "
        "surprise and learning rate: Pearce & Hall (1980), doi 10.1037/0033-295X.87.6.532"
    )
