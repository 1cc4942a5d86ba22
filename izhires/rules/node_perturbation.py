"""Reward-modulated Hebbian rule: explore, and keep what made the reward larger than usual."""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import Milliseconds, PerMillisecond, parameter
from izhires.rules.base import Rule


class NodePerturbation(Rule):
    """Reward-modulated Hebbian rule with node perturbation: no channel knows its own error.

    Each channel adds exploration xi_k = amplitude*N(0, 1) to its prediction. One reward serves all channels,
    R = -sum_k (target_k - z_k - xi_k)^2 over those whose gate is not shut, and m is its running mean. Then
    dw_k/dt = rate*G_k*(R - m)*xi_k/amplitude^2*s/(|s|^2 + <|s|^2> + 1), whose mean is that of the gradient,
    2*rate*G_k*(target_k - z_k)*s/(|s|^2 + <|s|^2> + 1). What is fed back and recorded is z_k without exploration.
    """

    type: Literal["node_perturbation"] = "node_perturbation"
    rate: PerMillisecond = parameter("0.01 1/ms", "learning rate", symbol="eta", gt=0)
    amplitude: float = parameter(0.1, "standard deviation of the exploration", gt=0)
    tau_reward: Milliseconds = parameter("5 ms", "memory of the running mean of the reward", gt=0)

    schedule: ClassVar[Literal["step", "trial"]] = "step"
    channel_sums: ClassVar[dict[str, str]] = {"loss": "in_window*int(gate > 0)*(error - amplitude*exploration)**2"}
    population_equations: ClassVar[str] = """
    mean_loss : 1
    advantage : 1
    """
    population_update: ClassVar[str] = """
    advantage = mean_loss - loss
    mean_loss += (loss - mean_loss)*clip(dt/tau_reward, 0, 1)
    """
    channel_update: ClassVar[str] = (
        "step = clip(rate*dt/(power + mean_power + 1), 0, 1/(power + 1))*in_window*gate*advantage*exploration/amplitude"
    )
    weight_update: ClassVar[str] = "w += step_post*s_pre"
    source: ClassVar[str] = (
        "Hoerzer, Legenstein & Maass (2014), doi 10.1093/cercor/bhs348; Fiete & Seung (2006), "
        "doi 10.1103/PhysRevLett.97.048104; Miconi (2017), doi 10.7554/eLife.20899"
    )
