"""Axon remodelling: each cell makes strong synapses on few others, so that a random network can become a sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import model_validator

from izhires.building.parts import Pathway, Update
from izhires.declare import Drive, Milliseconds, parameter
from izhires.errors import ConfigurationError
from izhires.plasticity.base import Plasticity, Texts, renamed

if TYPE_CHECKING:
    from izhires.building.draft import Draft

JUN = "Jun & Jin (2007), PLoS ONE 2:e723, doi 10.1371/journal.pone.0000723"
FIETE = "Fiete et al. (2010), Neuron 65:563, doi 10.1016/j.neuron.2010.02.003"


class AxonRemodeling(Plasticity):
    r"""Pairs strengthen synapses, of which a cell can have few strong ones, on either side.

    x is set to 1 by an arriving spike, y gains 1 by a spike of the target; a synapse is strong above `strong`::

        target fires:   w += a_plus*x            unless w is weak, and its source has strong synapses of `most_out` in
                                                 sum, or its target of `closed_in`
        spike arrives:  w -= a_minus*y + wear*(w is strong)

    and every `interval`, with the sums of the strong weights out of each source and onto each target::

        w -= share*(sum out - most_out)/(synapses above 0)    where the sum is larger; so for the target
        w -= decay*(w - rest)                                       where rest < w < 0.7 w_max
        w += outgrowth      where w < 0.9*strong, its source fires in most intervals and has less than 0.9*most_out,
                            and its target less than `closed_in`

    A cell that has become part of a sequence (it fires in most trials) so seeks targets until it has enough, and keeps
    those that fire after it. What is limited in the source is the number of strong synapses; here it is their sum.
    """

    type: Literal["axon_remodeling"] = "axon_remodeling"
    a_plus: Drive = parameter("0.3 mV/ms", "growth by a pair, the arrival first", gt=0)
    a_minus: Drive = parameter("0.06 mV/ms", "loss by a pair, the target first", ge=0)
    tau_plus: Milliseconds = parameter("8 ms", "decay of x", gt=0)
    tau_minus: Milliseconds = parameter("20 ms", "decay of y", gt=0)
    strong: Drive = parameter("0.3 mV/ms", "weight above which a synapse is strong", gt=0)
    w_max: Drive = parameter("2 mV/ms", "largest weight", gt=0)
    wear: Drive = parameter("0.02 mV/ms", "what a strong synapse loses by each arriving spike", ge=0)
    most_out: Drive = parameter("12 mV/ms", "largest sum of the strong weights out of a cell", source=JUN, gt=0)
    closed_in: Drive = parameter("10 mV/ms", "sum of the strong weights onto a cell that gets no new ones", gt=0)
    most_in: Drive = parameter("15 mV/ms", "largest sum of the strong weights onto a cell", source=FIETE, gt=0)
    share: float = parameter(0.5, "share of the excess of a sum that goes in one interval", ge=0, le=1)
    decay: float = parameter(0.02, "share of a weight above rest that is lost in one interval", source=JUN, ge=0, le=1)
    rest: Drive = parameter("0.03 mV/ms", "weight to which synapses decay", gt=0)
    outgrowth: Drive = parameter("0.01 mV/ms", "what the weak synapses of an active cell gain in one interval", ge=0)
    tau_active: Milliseconds = parameter("20000 ms", "memory of how often a cell fires", gt=0)
    interval: Milliseconds = parameter("2200 ms", "time between two such changes: a trial", gt=0)

    source: ClassVar[str] = f"{JUN}; {FIETE}"
    sign: ClassVar[Literal["any", "excitatory", "inhibitory"]] = "excitatory"

    before: ClassVar[dict[str, str]] = {"x": "tau_plus", "fired": "tau_active"}
    after: ClassVar[dict[str, str]] = {"y": "tau_minus"}
    on_arrival: ClassVar[str] = "w = clip(w - learning*(a_minus*y + wear*int(w > strong)), w_low, w_high)"
    on_post: ClassVar[str] = """
    can_grow = 1 - int(w < strong)*(1 - int(sum_out_pre < most_out)*int(sum_in_post < closed_in))
    gained = clip(w + learning*can_grow*a_plus*x, w_low, w_high) - w
    sum_out_pre += gained*int(w + gained > strong)*int(w + gained < w_high)
    w += gained
    """

    @model_validator(mode="after")
    def _in_order(self) -> AxonRemodeling:
        if not self.rest < self.strong < self.w_max:
            raise ConfigurationError("must lie between rest and w_max", "strong")
        return self

    def nearest(self) -> tuple[str, ...]:  # noqa: D102
        return ("x",)

    def bounds(self) -> tuple[float, float]:  # noqa: D102
        return 0.0, self.w_max

    def parts(self, draft: Draft, name: str, number: int) -> Texts:  # noqa: D102
        own = f"{name}_rule_{number:02}"
        pathway = draft.parts[name]
        assert isinstance(pathway, Pathway)
        sides = {"out": pathway.source, "in": pathway.target}
        for side, group in sides.items():
            lines = "".join(f"{own}_{what}_{side} : volt/second\n" for what in ("sum", "excess"))
            draft.extend(group, f"{lines}{own}_number_{side} : 1\n")
        names = {f"{what}_pre": f"{own}_{what}_pre" for what in ("sum_out", "number_out", "excess_out")}
        names |= {f"{what}_post": f"{own}_{what}_post" for what in ("sum_in", "number_in", "excess_in")}
        texts = super().parts(draft, name, number)
        steps = draft.whole_steps(self.interval, "interval")

        lines, limits = draft.shared(
            **{f"{own}_{each}": ("volt/second", getattr(self, each)) for each in ("most_out", "most_in")},
            **{f"{own}_share": ("1", self.share)},
        )
        for group in dict.fromkeys(sides.values()):
            draft.extend(group, lines)
            draft.set(group, **limits)
        for side, group in sides.items():
            cleared = f"{own}_sum_{side} = 0*volt/second\n{own}_number_{side} = 0"
            draft.add(Update(f"{own}_1_cleared_{side}", group, cleared, "weights", every=steps))
            excess = f"clip({own}_sum_{side} - {own}_most_{side}, 0*volt/second, inf*volt/second)"
            code = f"{own}_excess_{side} = {own}_share*{excess}/clip({own}_number_{side}, 1, inf)"
            draft.add(Update(f"{own}_3_compared_{side}", group, code, "weights", every=steps))
        summed = """
        sum_out_pre += w*int(w > strong)
        sum_in_post += w*int(w > strong)
        number_out_pre += int(w > 0*volt/second)
        number_in_post += int(w > 0*volt/second)
        """
        applied = """
        w -= learning*(excess_out_pre + excess_in_post)
        w -= learning*decay*(w - rest)*int(w > rest)*int(w < 0.7*w_max)
        seeks = int(fired > 0.5*tau_active/interval)*int(sum_out_pre < 0.9*most_out)
        w += learning*outgrowth*seeks*int(w < 0.9*strong)*int(sum_in_post < closed_in)
        w = clip(w, w_low, w_high)
        """
        for step, code in (("2_summed", summed), ("4_applied", applied)):
            draft.add(Update(f"{own}_{step}", name, renamed(code, names), "weights", every=steps))
        return Texts(texts.arrival, texts.effect, texts.pre, renamed(texts.post, names))
