"""Three-factor rule whose rate follows uncertainty: slow after misses that are usual, fast after those that are not."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import Milliseconds, PerMillisecond, parameter
from izhires.rules.base import Rule


class UncertaintyThreeFactor(Rule):
    """Three-factor rule with a step normalised by |s|^2, at a rate eta_k that falls with misses until these surprise.

    dw_k/dt = min(2*eta_k/(|s|^2 + <|s|^2> + 1), 1/((|s|^2 + 1) dt)) * G_k*(target_k - z_k)*s.

    When event k occurs, it was missed by m = clip(1 - z_k, 0, 1). What is usually missed is known by its running mean
    and variance (each moves by `memory`), and standardised, n = (m - mean)/sqrt(variance + smallest_spread^2), it is
    summed up, sum <- max(0, sum + n - drift) (the cumulative sum test of Page 1954).

    - Expected uncertainty: 1/eta_k grows by caution*m^2, to 1/slowest at most. So an event that comes at its time keeps
      the rate, and one whose latency varies slows learning down, until its channel averages over the latencies.
    - Unexpected uncertainty: when the sum exceeds `threshold`, the time has changed. Then eta_k is `fastest` again, and
      the sum starts from 0.
    """

    type: Literal["uncertainty_three_factor"] = "uncertainty_three_factor"
    fastest: PerMillisecond = parameter(
        "0.05 1/ms", "learning rate at the start and after a surprise", symbol="eta_max", gt=0
    )
    slowest: PerMillisecond = parameter("0.001 1/ms", "smallest learning rate", symbol="eta_min", gt=0)
    caution: Milliseconds = parameter("50 ms", "how much a missed event adds to the inverse of the rate", ge=0)
    memory: float = parameter(0.1, "how fast mean and variance of what is missed follow, per event", gt=0, le=1)
    smallest_spread: float = parameter(0.2, "smallest spread that a miss is divided by", gt=0)
    threshold: float = parameter(3.0, "sum of standardised misses that is a surprise", symbol="theta", gt=0)
    drift: float = parameter(0.5, "standardised miss that is expected of chance", symbol="delta", ge=0)

    schedule: ClassVar[Literal["step", "trial"]] = "step"
    equations: ClassVar[str] = """
    eta : hertz
    told : 1
    missed : 1
    usual : 1
    variance : 1
    total : 1
    surprised : 1
    step : 1
    """
    # before anything was learned, all is missed
    initial: ClassVar[dict[str, str | float]] = {"eta": "fastest", "usual": 1.0}
    # + 1 keeps the step finite while every cell is silent; |s|^2 is of the order of the number of cells
    channel_update: ClassVar[str] = """
    told = at_event*occurs*learning
    missed = clip(1 - z, 0, 1)
    total = clip(total + told*((missed - usual)/sqrt(variance + smallest_spread**2) - drift), 0, inf)
    surprised = told*int(total > threshold)
    eta += told*(clip(eta/(1 + caution*eta*missed**2), slowest, fastest) - eta)
    eta += surprised*(fastest - eta)
    total *= 1 - surprised
    variance += told*memory*((1 - memory)*(missed - usual)**2 - variance)
    usual += told*memory*(missed - usual)
    step = clip(2*eta*dt/(power + mean_power + 1), 0, 1/(power + 1))*gate*error
    """
    weight_update: ClassVar[str] = "w += step_post*s_pre"
    source: ClassVar[str] = (
        "after Yamada & Chao (arXiv 2510.14382); expected and unexpected uncertainty: Yu & Dayan (2005), "
        "doi 10.1016/j.neuron.2005.04.026; change detection: Page (1954), doi 10.1093/biomet/41.1-2.100; "
        "normalisation: Nagumo & Noda (1967), doi 10.1109/TAC.1967.1098599"
    )
