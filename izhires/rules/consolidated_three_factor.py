"""Three-factor rule that collects a trial's errors and changes the weights once, when the window closes."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import PerMillisecond, parameter
from izhires.rules.base import Rule


class ConsolidatedThreeFactor(Rule):
    """Collects the errors of a trial in an eligibility trace, and consolidates them when the window closes.

    In the window dE_k/dt = 2*rate*G_k*(target_k - z_k)*s/(|s|^2 + <|s|^2> + 1); when it closes w_k += alpha_k*E_k and
    E_k = 0. As in ``surprise_two_factor``, alpha_k falls as alpha/(1 + alpha) to `slowest`, so that z_k becomes a mean
    over trials, and is set back to `fastest` when the cumulative sum of standardised errors exceeds `threshold`. The
    error is that of the occurrence: 1 less z_k at the event's time, or, in a trial without the event, 0 less the
    largest z_k of the window.
    """

    type: Literal["consolidated_three_factor"] = "consolidated_three_factor"
    rate: PerMillisecond = parameter("0.01 1/ms", "learning rate within a trial", symbol="eta", gt=0)
    fastest: float = parameter(1.0, "consolidated share at the start and after a surprise", symbol="alpha_max", gt=0)
    slowest: float = parameter(0.03, "smallest consolidated share", symbol="alpha_min", gt=0)
    threshold: float = parameter(8.0, "sum of standardised errors that is a surprise", symbol="theta", gt=0)
    drift: float = parameter(0.5, "standardised error that is expected of chance", symbol="delta", ge=0)

    schedule: ClassVar[Literal["step", "trial"]] = "step"
    consolidates: ClassVar[bool] = True
    equations: ClassVar[str] = """
    share : 1
    up : 1
    down : 1
    peak : 1
    at_time : 1
    belief : 1
    counts : 1
    deviation : 1
    surprised : 1
    mark : 1
    step : 1
    """
    initial: ClassVar[dict[str, str | float]] = {"share": "fastest"}
    channel_update: ClassVar[str] = """
    peak = in_window*clip(z, peak*int(elapsed(t) > dt/2), inf) + (1 - in_window)*peak
    at_time += at_event*occurs*(z - at_time)
    belief = clip(outcome*at_time + (1 - outcome)*peak, 0.05, 0.95)
    counts = at_window_end*learning*target_trial
    deviation = counts*(outcome - belief)/sqrt(belief*(1 - belief))
    up = clip(up + deviation - counts*drift, 0, inf)
    down = clip(down - deviation - counts*drift, 0, inf)
    surprised = int(up > threshold or down > threshold)
    share += surprised*(clip(share, fastest, inf) - share)
    up *= 1 - surprised
    down *= 1 - surprised
    mark = clip(2*rate*dt/(power + mean_power + 1), 0, 1/(power + 1))*gate*error
    step = at_window_end*share
    share += counts*(clip(share/(1 + share), slowest, inf) - share)
    """
    weight_equations: ClassVar[str] = "eligibility : 1"
    active: ClassVar[str] = "mark != 0 or step != 0"
    weight_update: ClassVar[str] = """
    eligibility += mark_post*s_pre
    w += step_post*eligibility
    eligibility *= 1 - at_window_end_post
    """
    source: ClassVar[str] = "this project; change detection: Page (1954), doi 10.1093/biomet/41.1-2.100"
