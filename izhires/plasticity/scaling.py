"""Scaling: the summed weights onto a cell, or out of it, are held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from izhires.building.parts import Pathway, Update
from izhires.declare import Drive, Milliseconds, parameter
from izhires.plasticity.base import Plasticity, Texts

if TYPE_CHECKING:
    from izhires.building.draft import Draft

FIETE = "Fiete et al. (2010), Neuron 65:563, doi 10.1016/j.neuron.2010.02.003"
TURRIGIANO = "Turrigiano et al. (1998), Nature 391:892, doi 10.1038/36103"

CHANGES = {
    "multiplicative": {
        "held": "{own} = 1 + {own}_strength*(abs({own}_held)/clip(abs({own}_sum), tiny, huge) - 1)",
        "limited": "{own} = 1 + {own}_strength*(clip(abs({own}_held)/clip(abs({own}_sum), tiny, huge), 0, 1) - 1)",
    },
    "subtractive": {
        "held": "{own} = {own}_strength*({own}_held - {own}_sum)/clip({own}_count, 1, inf)",
        "limited": "{own} = {own}_strength*({sign})*clip(abs({own}_held) - abs({own}_sum), -huge, 0*volt/second)"
        "/clip({own}_count, 1, inf)",
    },
}
"""What a cell makes of the sum of its weights, every interval: the factor of each, or what each gets besides."""


class Scaling(Plasticity):
    r"""The summed weights onto each cell, out of it, or first onto and then out of it, are held at a value.

    Every interval each cell sums its weights of this connection, and each weight is changed by the same factor
    (multiplicative) or the same amount (subtractive)::

        multiplicative:  w *= 1 + strength*(held/sum - 1)
        subtractive:     w += strength*(held - sum)/number of synapses

    At strength 1 the sum is then the one that is held, unless weights were cut off at the bounds of the connection;
    what is left over is taken at the next interval. `when = "limited"` changes weights only where the sum is too large:
    the heterosynaptic depression of Fiete et al. (2010), there subtractive, onto and out of each cell. Each connection
    is summed on its own. Cost: two passes over the synapses an interval, none in between.
    """

    type: Literal["scaling"] = "scaling"
    side: Literal["onto", "out_of", "both"] = parameter(
        "onto", "whose sums: onto cells, out of them, or both", source=FIETE
    )
    how: Literal["multiplicative", "subtractive"] = parameter(
        "multiplicative", "whether each weight changes by a factor or by an amount", source=TURRIGIANO
    )
    when: Literal["held", "limited"] = parameter(
        "held", "whether sums are held, or only kept from growing", source=FIETE
    )
    total: Drive | None = parameter(None, "the sum (magnitude); that at the start of each cell when 'none'", gt=0)
    strength: float = parameter(1.0, "share of the difference that goes in one interval", gt=0, le=1)
    interval: Milliseconds = parameter("100 ms", "time between two changes of the weights", gt=0)

    source: ClassVar[str] = f"{FIETE}; {TURRIGIANO}"

    def parts(self, draft: Draft, name: str, number: int) -> Texts:  # noqa: D102
        steps = draft.whole_steps(self.interval, "interval")
        for side in ("onto", "out_of"):
            if self.side in (side, "both"):
                self._side(draft, name, f"{name}_rule_{number:02}_{side}", side, steps)
        return Texts()

    def _side(self, draft: Draft, name: str, own: str, side: str, steps: int) -> None:
        """Add the sums of one side and what they do; the names of the three steps are in their order."""
        pathway = draft.parts[name]
        assert isinstance(pathway, Pathway)
        group, suffix, end = (pathway.target, "post", "j") if side == "onto" else (pathway.source, "pre", "i")
        members, weights, size = draft.arrays[f"{name}.{end}"], draft.arrays[f"{name}.w"], draft.length(group)
        sign = 1 if draft.arrays[f"{name}.w_high"] > 0 else -1
        sums = np.bincount(members, weights, size)
        lines, shared = draft.shared(**{f"{own}_strength": ("1", self.strength)})
        numbers: dict[str, Any] = dict(shared)
        factor = self.how == "multiplicative"
        lines += f"{own} : {'1' if factor else 'volt/second'}\n"
        lines += f"{own}_sum : volt/second\n{own}_held : volt/second (constant)\n"
        numbers |= {f"{own}_held": sums if self.total is None else np.full(size, sign * self.total)}
        if not factor:
            lines += f"{own}_count : 1 (constant)\n"
            numbers |= {f"{own}_count": np.bincount(members, minlength=size).astype(float)}
        draft.extend(group, lines)
        draft.set(group, **numbers)
        change = CHANGES[self.how][self.when].format(own=own, sign=sign)
        change = change.replace("tiny", "1e-30*volt/second").replace("huge", "1e30*volt/second")
        mine = f"{own}_{suffix}"
        applied = f"w*(1 + learning*({mine} - 1))" if factor else f"w + learning*{mine}"
        for step, of, code in (
            ("1_cleared", group, f"{own}_sum = 0*volt/second"),
            ("2_summed", name, f"{own}_sum_{suffix} += w"),
            ("3_compared", group, change),
            ("4_applied", name, f"w = clip({applied}, w_low, w_high)"),
        ):
            draft.add(Update(f"{own}_{step}", of, code, "weights", every=steps))
