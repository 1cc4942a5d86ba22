"""What a plasticity rule is: Brian2 texts on one synapse, and traces of the spikes on either side of it.

A rule reads these names; every parameter of it is known by its own:

==================  ==========================================================================================
``w``               weight of the synapse, V/s; negative in a connection of inhibitory cells
``learning``        1 while the connection learns, else 0 (`izhires.connection.Connection.learns`)
a name in `before`  trace of the spikes that arrived at the synapse: one more at each, and decays
a name in `after`   trace of the spikes of the target cell
a name in `factors` level of the neuromodulator of that name around the target cell
``rate_after``      running mean rate of the target cell, Hz, where `rate` is asked for
==================  ==========================================================================================

Within a time step, arriving spikes come first (`on_pre`, then they enter the traces `before`), then the spikes of the
target cells (`on_post`, then they enter the traces `after`). So a spike that arrives in the very step in which its
target fires counts as one that came before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from izhires.declare import Component
from izhires.errors import ConfigurationError
from izhires.parts import Group, Link, Pathway, Reaction, Update

if TYPE_CHECKING:
    from izhires.plan import Draft


class Plasticity(Component):
    """A rule by which the synapses of a connection change, declared apart from the connection.

    Attributes
    ----------
    equations : str
        Brian2 equations of what each synapse has besides ``w``; all start at 0.
    initial : dict of str to float
        Where variables of `equations` start otherwise, SI units.
    before, after : dict of str to str
        Traces of the spikes on either side: name, and the parameter that is its time constant.
    nearest : tuple of str
        Traces that a spike sets to 1 instead of adding 1: only the nearest one counts.
    on_pre, on_post : str
        Brian2 statements on each synapse when a spike arrives, and when the target cell fires.
    update : str
        Brian2 statements on each synapse every `interval`.
    effect : str
        What takes the place of ``w`` where a spike does its effect, as ``"(w*u*R)"``.
    sign : {"any", "excitatory", "inhibitory"}
        Connections that the rule is for.
    """

    family: ClassVar[str] = "plasticity"
    package: ClassVar[str] = "izhires.plasticity"
    source: ClassVar[str]

    equations: ClassVar[str] = ""
    initial: ClassVar[dict[str, float]] = {}
    before: ClassVar[dict[str, str]] = {}
    after: ClassVar[dict[str, str]] = {}
    on_pre: ClassVar[str] = ""
    on_post: ClassVar[str] = ""
    update: ClassVar[str] = ""
    effect: ClassVar[str] = ""
    sign: ClassVar[Literal["any", "excitatory", "inhibitory"]] = "any"

    def nearest(self) -> tuple[str, ...]:
        """Return the traces that a spike sets to 1, instead of adding 1 to them."""
        return ()

    def factors(self) -> dict[str, str]:
        """Return the third factors: the name that the texts read, and that of the neuromodulator."""
        return {}

    def interval(self) -> float:
        """Return how often `update` runs, ms."""
        return 0.0

    def bounds(self) -> tuple[float, float] | None:
        """Return what every weight lies between, mV/ms; None where the rule has no bounds."""
        return None

    def parts(self, draft: Draft, name: str) -> None:
        """Add the rule to the synapses of a connection, which are in the draft already."""
        pathway = draft.parts[name]
        assert isinstance(pathway, Pathway)
        lines, numbers = draft.constants(self)
        aliases = ""
        aliases += self._traces(draft, name, "before", "pre", pathway.source)
        aliases += self._traces(draft, name, "after", "post", pathway.target)
        for factor, neuromodulator in self.factors().items():
            aliases += f"{factor} = {draft.level_around(pathway.target, neuromodulator)}_post : 1\n"
        draft.extend(name, f"{self.equations.strip()}\n{aliases}{lines}")
        draft.set(name, **numbers, **self.initial)
        pre, post = self._statements(draft, name)
        draft.react(name, pre, post, self.effect)
        if self.update:
            every = self.interval() / (draft.step * 1e3)
            if abs(every - round(every)) > 1e-9 or every < 1:
                step = f"the readouts' step, {draft.step * 1e3:g} ms"
                problem = f"must be a whole multiple of {step}, got {self.interval():g} ms"
                raise ConfigurationError(problem, "interval")
            draft.add(Update(draft.free(f"{name}_update"), name, self.update, "weights", every=round(every)))

    def _statements(self, draft: Draft, name: str) -> tuple[str, str]:
        """Return what a spike does on arrival and what one of the target does, traces of a synapse's own included."""
        return self.on_pre, self.on_post

    def _traces(self, draft: Draft, name: str, side: str, suffix: str, group: str) -> str:
        """Add the traces of one side; return the lines by which a synapse knows them."""
        traces: dict[str, str] = getattr(self, side)
        if not traces:
            return ""
        lines, numbers = draft.constants(self, only=traces.values())
        own, size = draft.free(f"{name}_{side}"), draft.length(group)
        equations = "".join(f"d{trace}/dt = -{trace}/{tau} : 1\n" for trace, tau in traces.items())
        draft.add(Group(own, size, equations + lines, step="cells"), **numbers)
        code = "\n".join(f"{trace}_post {'=' if trace in self.nearest() else '+='} 1" for trace in traces)
        members = np.arange(size, dtype=np.int32)
        delay = draft.axonal_delay(name) if side == "before" else None
        spikes = Reaction(code, "pre", f"traces {side}", template="sparse")
        draft.add(
            Pathway(f"{own}_spikes", group, own, "", step="cells", reactions={"pre": spikes}),
            i=members,
            j=members,
            **({} if delay is None else {"delay": delay}),
        )
        for trace in traces:
            draft.extend(group, f"{own}_{trace} : 1 (linked)\n", **{f"{own}_{trace}": Link(own, trace)})
        return "".join(f"{trace} = {own}_{trace}_{suffix} : 1\n" for trace in traces)
