"""What a plasticity rule is: Brian2 texts on one synapse, and traces of the spikes on either side of it.

A rule reads these names; every parameter of it is known by its own:

=====================  =======================================================================================
``w``                  weight of the synapse, V/s; negative in a connection of inhibitory cells
``w_low``, ``w_high``  what the weights of the connection lie between: the narrowest of its rules' bounds, and
                       0 on the other side of its sign
``learning``           1 while the connection learns, else 0 (`izhires.model.connection.Connection.learns`)
a name in `before`     trace of the spikes that arrived at the synapse: one more at each, and decays
a name in `after`      trace of the spikes of the target cell
a name in `factors`    level of the neuromodulator of that name around the target cell
=====================  =======================================================================================

No parameter or variable of a rule may be called ``w``, ``w_low``, ``w_high``, ``learning`` or ``delay``, nor as a name
of Brian2, nor end in ``_pre`` or ``_post``.

Within a time step, arriving spikes come first: `on_arrival`, the effect of the spike, `on_pre`; then they enter the
traces `before`. Then come the spikes of the target cells: `on_post`, and they enter the traces `after`. So a spike that
arrives in the very step in which its target fires counts as one that came before. `update` runs at the beginning of a
step, before the cells.

Traces belong to cells, which costs little, where all synapses of a cell have one delay. Where each synapse has a delay
of its own (``delay_of = "synapse"``), the spikes that arrive are not the same for all of them, and every synapse has
its own trace: its value at the last arrival, and the time of that. Both give the same numbers.

With several rules on one connection, all that they do at one moment is done in their order. Where a rule has a name
that an earlier one has too, or the cells on either side, it gets the number of the rule, as ``tau_plus_1`` (rules count
from 0); that is its name in ``keep.record``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from izhires.building.parts import Group, Link, Pathway, Reaction, Update
from izhires.declare import Component
from izhires.errors import ConfigurationError
from izhires.model.variables import read, refuse_taken

if TYPE_CHECKING:
    from izhires.building.draft import Draft


@dataclass(frozen=True)
class Texts:
    """What a rule does at its synapses when a spike arrives, before and after its effect, and when the target fires.

    ``effect`` is what takes the place of the weight ``w`` where a spike does its effect; empty where nothing does.
    """

    arrival: str = ""
    effect: str = ""
    pre: str = ""
    post: str = ""


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
    on_arrival, on_pre, on_post : str
        Brian2 statements on each synapse when a spike arrives, before and after its effect, and when the target cell
        fires.
    update : str
        Brian2 statements on each synapse every `interval`.
    effect : str
        What takes the place of ``w`` where a spike does its effect, as ``"(w*u*available)"``.
    sign : {"any", "excitatory", "inhibitory"}
        Connections that the rule is for.
    """

    family: ClassVar[str] = "plasticity"
    package: ClassVar[str] = "izhires.plasticity"
    source: ClassVar[str] = ""

    equations: ClassVar[str] = ""
    initial: ClassVar[dict[str, float]] = {}
    before: ClassVar[dict[str, str]] = {}
    after: ClassVar[dict[str, str]] = {}
    on_arrival: ClassVar[str] = ""
    on_pre: ClassVar[str] = ""
    on_post: ClassVar[str] = ""
    update: ClassVar[str] = ""
    effect: ClassVar[str] = ""
    sign: ClassVar[Literal["any", "excitatory", "inhibitory"]] = "any"

    @classmethod
    def check_texts(cls) -> None:
        """Refuse an update of which nothing says how often it runs."""
        super().check_texts()
        refuse_taken(cls, "w_low", "w_high", "learning", "delay")
        if cls.update and cls.every is Plasticity.every and not ({"interval"} & {*cls.model_fields, *dir(cls)}):
            raise ConfigurationError("has an 'update': declare a parameter 'interval', how often it runs", cls.__name__)

    def nearest(self) -> tuple[str, ...]:
        """Return the traces that a spike sets to 1, instead of adding 1 to them: only the nearest spike counts."""
        return ()

    def texts(self) -> Texts:
        """Return what the rule does when spikes come: by default the texts of its class."""
        return Texts(self.on_arrival, self.effect, self.on_pre, self.on_post)

    def factors(self) -> dict[str, str]:
        """Return the third factors: the name that the texts read, and that of the neuromodulator."""
        return {}

    def expressions(self) -> dict[str, str]:
        """Return further names of the texts, each a pure number: a Brian2 expression of the other names."""
        return {}

    def every(self) -> float:
        """Return how often `update` runs, ms; by default the parameter ``interval``."""
        return float(getattr(self, "interval", 0.0))

    def bounds(self) -> tuple[float, float] | None:
        """Return what every weight lies between, mV/ms; None where the rule has no bounds."""
        return None

    def parts(self, draft: Draft, name: str, number: int) -> Texts:
        """Add the rule to the synapses of a connection, which are in the draft already.

        Parameters
        ----------
        draft : Draft
        name : str
            Of the connection.
        number : int
            Of the rule, among those of the connection.
        """
        pathway = draft.parts[name]
        assert isinstance(pathway, Pathway)
        lines, numbers = draft.constants(self)
        mine = {*read(self.equations), *numbers, *self.before, *self.after, *self.factors(), *self.expressions()}
        # Brian2 refuses a name that the cells on either side have, too
        sides = (draft.parts[group].equations for group in (pathway.source, pathway.target))  # type: ignore[attr-defined]
        taken = {
            "w",
            "i",
            "j",
            "delay",
            *read(pathway.equations),
            *(each for side in sides for each in read(side)),
        }
        names = {each: f"{each}_{number}" if each in taken else each for each in mine}
        aliases = ""
        for factor, neuromodulator in self.factors().items():
            aliases += f"{factor} = {draft.level_around(pathway.target, neuromodulator)}_post : 1\n"
        aliases += "".join(f"{each} = {expression} : 1\n" for each, expression in self.expressions().items())
        draft.extend(name, renamed(f"{self.equations.strip()}\n{aliases}{lines}", names))
        draft.set(name, **{names[each]: value for each, value in (numbers | self.initial).items()})
        entering = self._traces(draft, name, number, "before", names) + self._traces(
            draft, name, number, "after", names
        )
        if self.update:
            place = f"{name}_rule_{number:02}_update"
            steps = draft.whole_steps(self.every(), "interval")
            draft.add(Update(place, name, renamed(self.update, names), "weights", every=steps))
        own = self.texts()
        pre = f"{own.pre.rstrip()}\n{entering}"
        return Texts(*(renamed(each, names) for each in (own.arrival, own.effect, pre, own.post)))

    def _traces(self, draft: Draft, name: str, number: int, side: str, names: Mapping[str, str]) -> str:
        """Add the traces of one side, and the lines by which a synapse knows them.

        Returns
        -------
        str
            What an arriving spike does to them where each synapse has its own, after all else.
        """
        traces: dict[str, str] = getattr(self, side)
        if not traces:
            return ""
        pathway = draft.parts[name]
        assert isinstance(pathway, Pathway)
        delay = draft.axonal_delay(name) if side == "before" else None
        if side == "before" and delay is None:
            lines = "".join(
                f"{trace} = {trace}_held*exp(-(t - {trace}_arrived)/{tau}) : 1\n"
                f"{trace}_held : 1\n{trace}_arrived : second\n"
                for trace, tau in traces.items()
            )
            own = {**names, **{f"{t}_{what}": f"{names[t]}_{what}" for t in traces for what in ("held", "arrived")}}
            draft.extend(name, renamed(lines, own))
            entering = [f"{t}_held = {'1' if t in self.nearest() else f'{t} + 1'}\n{t}_arrived = t\n" for t in traces]
            return renamed("".join(entering), own)
        group, suffix = (pathway.source, "pre") if side == "before" else (pathway.target, "post")
        lines, numbers = draft.constants(self, only=traces.values())
        own_group, size = f"{name}_rule_{number:02}_{side}", draft.length(group)
        equations = "".join(f"d{trace}/dt = -{trace}/{tau} : 1\n" for trace, tau in traces.items())
        draft.add(Group(own_group, size, equations + lines, step="cells"), **numbers)
        code = "\n".join(f"{trace}_post {'=' if trace in self.nearest() else '+='} 1" for trace in traces)
        members = np.arange(size, dtype=np.int32)
        spikes = Reaction(code, "pre", f"traces {side}", template="sparse")
        draft.add(
            Pathway(f"{own_group}_spikes", group, own_group, "", step="cells", reactions={"pre": spikes}),
            i=members,
            j=members,
            **({} if delay is None else {"delay": delay}),
        )
        for trace in traces:
            linked = f"{own_group}_{trace}"
            draft.extend(group, f"{linked} : 1 (linked)\n", **{linked: Link(own_group, trace)})
            draft.extend(name, f"{names[trace]} = {linked}_{suffix} : 1\n")
        return ""


def renamed(text: str, names: Mapping[str, str]) -> str:
    """Return a Brian2 text with other names."""
    changed = {old: new for old, new in names.items() if old != new}
    if not changed:
        return text
    found = "|".join(map(re.escape, sorted(changed, key=len, reverse=True)))
    return re.sub(rf"\b(?:{found})\b", lambda match: changed[match[0]], text)
