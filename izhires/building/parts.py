"""What a network is made of, as plain, typed descriptions that know nothing of Brian2 objects.

==============  ============================================================================================
`Signal`        what the task tells, one number a readout step: ``elapsed(t)``
`Group`         cells or channels: equations, threshold and reset, events, links
`Pathway`       synapses from one group to another: equations, what an event on either side does, sums
`Update`        statements on a group or pathway, every so many readout steps or when an event happens
`Monitor`       which variables of which part are recorded, of which elements, and how often
`Guard`         a variable whose size must not exceed a limit; beyond it the run stops
`Extension`     a user's function that adds Brian2 objects of its own
==============  ============================================================================================

Declarations make them (`izhires.building.draft.Draft`), `izhires.building.build` makes Brian2 objects of them. Parts
hold texts and sizes; the numbers of a run lie apart from them, by ``part.variable``. Sizes are those of one network:
replicates, networks side by side, have each part as many times.

What happens within one time step happens in the order of `SCHEDULE`; a part names its place in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from izhires.errors import ConfigurationError, check_known

# readouts first, from the state that the step before left; then the cells; at a window's end, what reads once a trial
_IN_ORDER = {
    "start": (
        "state filter",
        "state shuffled",
        "network power",
        "network mean power",
        "online reading",
        "gate",
        "channel sums",
        "network rule",
        "inverse told",
        "inverse reset",
        "inverse reading",
        "inverse projection",
        "inverse scaled",
        "online rule",
        "online learning event",
        "online weights",
        "inverse update",
        "feedback",
        "drive",
        "heard",
        "released",
        "arrived",
        "held back",
        "neuromodulators",
        "spikes counted",
        "levels around cells",
        "weights",
        "excitability",
        "weights checked",
    ),
    "before_groups": ("recording",),
    "groups": ("cells",),
    "thresholds": ("spikes", "window's end", "trial readouts cleared"),
    "synapses": (
        "synapses",
        "trial reading",
        "choices compared",
        "choices made",
        "trial rule",
        "trial weights",
        "traces before",
        "target spikes",
    ),
    "resets": ("reset", "traces after"),
}
SCHEDULE: dict[str, tuple[str, int]] = {
    name: (slot, order) for slot, names in _IN_ORDER.items() for order, name in enumerate(names)
}
"""Place in a time step -> Brian2's slot and the order within it."""

Step = Literal["cells", "readout"]
"""The clock of a part: every step of the cells, or every step of the readouts."""


@dataclass(frozen=True)
class Part:
    """What all parts have: a name, by which everything refers to them, and which Brian2's object has, too."""

    name: str

    @property
    def texts(self) -> dict[str, str]:
        """Return the Brian2 strings of the part, by what each is."""
        return {}


@dataclass(frozen=True)
class Signal(Part):
    """What the task tells at each readout step: the numbers are ``signals.NAME``, texts read ``NAME(t)``.

    Parameters
    ----------
    unit : str
        Brian2's name of the unit of its numbers, ``"1"`` or ``"second"``.
    each : int
        Numbers a step: 1, or one for each member of a group, which reads ``NAME(t, i)``.
    shared : bool
        Whether all networks side by side hear the same.
    """

    unit: str = "1"
    each: int = 1
    shared: bool = False


@dataclass(frozen=True)
class Link:
    """A ``(linked)`` variable of a group is a variable of another one.

    Parameters
    ----------
    group, variable : str
        What it is linked to.
    index : str
        ``"same"``: each member to that of its number; ``"network"``: each to the one member that its network has; else
        the name under which the numbers of the group hold the index of each.
    """

    group: str
    variable: str
    index: str = "same"


@dataclass(frozen=True)
class Event:
    """Something that happens to a member of a group when a condition holds, found out at a place in the time step."""

    condition: str
    at: str


@dataclass(frozen=True)
class Group(Part):
    """Cells or channels.

    Parameters
    ----------
    size : int
        Members in one network.
    equations : str
        Brian2 equations.
    step : {"cells", "readout"}
        Clock.
    threshold, reset : str
        Of cells that spike; empty for others.
    events : dict of str to Event
        Further events.
    links : dict of str to Link
        What each ``(linked)`` variable of the equations is.
    """

    size: int
    equations: str
    step: Step = "readout"
    threshold: str = ""
    reset: str = ""
    events: dict[str, Event] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)

    @property
    def texts(self) -> dict[str, str]:  # noqa: D102
        found = {"equations": self.equations, "threshold": self.threshold, "reset": self.reset}
        return {name: text for name, text in found.items() if text} | {
            f"event {name}": event.condition for name, event in self.events.items()
        }


@dataclass(frozen=True)
class Reaction:
    """What an event on one side of a pathway does to its synapses.

    Parameters
    ----------
    code : str
        Brian2 statements.
    side : {"pre", "post"}
        Where the event is.
    at : str
        When in a time step.
    event : str
        ``"spike"``, or an event of that group.
    template : {"", "sparse", "dense"}
        A hint for devices: ``"dense"`` changes only the weights of synapses that connect all with all, ``"sparse"`` is
        any other reaction to spikes.
    """

    code: str
    side: Literal["pre", "post"]
    at: str
    event: str = "spike"
    template: Literal["", "sparse", "dense"] = ""


@dataclass(frozen=True)
class Pathway(Part):
    """Synapses.

    Parameters
    ----------
    source, target : str
        Groups.
    equations : str
        Brian2 equations of each synapse, and of its sums.
    wiring : {"listed", "all by target", "all by source"}
        ``"listed"``: the numbers hold ``i`` and ``j``. Else all members of the source with all of the target in each
        network, in order of the target and then the source, or the other way round.
    step : {"cells", "readout"}
        Clock.
    reactions : dict of str to Reaction
        By name.
    sums : dict of str to str
        Each ``(summed)`` variable, and when in a time step it is renewed.
    copies : str
        Where each pair has several synapses, the variable that numbers them, else empty; see `count`.
    count : int
        Synapses of each pair.
    template : {"", "dense", "inverse"}
        A hint for devices that have faster code for the sums of such a pathway.
    drawn : bool
        Whether how many synapses there are is drawn, too, so that it differs between seeds.
    """

    source: str
    target: str
    equations: str
    wiring: Literal["listed", "all by target", "all by source"] = "listed"
    step: Step = "readout"
    reactions: dict[str, Reaction] = field(default_factory=dict)
    sums: dict[str, str] = field(default_factory=dict)
    copies: str = ""
    count: int = 1
    template: Literal["", "dense", "inverse"] = ""
    drawn: bool = False

    @property
    def texts(self) -> dict[str, str]:  # noqa: D102
        return {"equations": self.equations} | {name: each.code for name, each in self.reactions.items()}


@dataclass(frozen=True)
class Update(Part):
    """Statements on every member of a group or pathway.

    Parameters
    ----------
    of : str
        The part that they change.
    code : str
        Brian2 statements.
    at : str
        When in a time step.
    event : str
        Only for the members that have this event.
    every : int
        Without an event, how many readout steps lie between two times.
    """

    of: str
    code: str
    at: str
    event: str = ""
    every: int = 1

    @property
    def texts(self) -> dict[str, str]:  # noqa: D102
        return {"code": self.code}


@dataclass(frozen=True)
class Monitor(Part):
    """What is recorded: outputs of a run are named ``monitor.variable``, with ``monitor.t`` for the times (s).

    Parameters
    ----------
    of : str
        The part.
    variables : tuple of str
    every : int
        Readout steps between two rows; 0 for a row at each event.
    step : {"cells", "readout"}
        With ``"cells"``, `every` counts their steps.
    event : str
        With ``every = 0``, the event; the outputs are then ``t`` and ``i``.
    elements : tuple of int, optional
        The members of one network that are recorded; all by default.
    after : bool
        Whether a row after the end of the experiment counts, since it sees what was learned in the last trial.
    """

    of: str
    variables: tuple[str, ...]
    every: int = 1
    step: Step = "readout"
    event: str = ""
    elements: tuple[int, ...] | None = None
    after: bool = False


@dataclass(frozen=True)
class Guard(Part):
    """A variable of a group that stops the run when it is not a number, or its size exceeds `limit`.

    Parameters
    ----------
    of, variable : str
        The group, and its variable.
    limit : str
        The variable of the group that holds the limit.
    """

    of: str
    variable: str
    limit: str


@dataclass(frozen=True)
class Extension(Part):
    """A function that gets the Brian2 network of all groups, pathways and updates, and adds objects of its own to it.

    Parameters
    ----------
    function : str
        Its name in `source`.
    source : str
        Python source that defines it: what is compiled depends on it.
    """

    function: str
    source: str


KINDS: dict[str, type[Part]] = {
    each.__name__: each for each in (Signal, Group, Pathway, Update, Extension, Monitor, Guard)
}
"""In the order in which they are built: each refers to those before it."""


def to_dict(part: Part) -> dict[str, Any]:
    """Return a part as plain data, from which `from_dict` makes an equal one."""
    return {"part": type(part).__name__, **asdict(part)}


def from_dict(data: dict[str, Any]) -> Part:
    """Return the part of plain data."""
    values = dict(data)
    kind = KINDS[values.pop("part")]
    for name, inner in (("events", Event), ("links", Link), ("reactions", Reaction)):
        if name in values:
            values[name] = {key: inner(**each) for key, each in values[name].items()}
    for name in ("variables", "elements"):
        if values.get(name) is not None:
            values[name] = tuple(values[name])
    return kind(**values)


def check(parts: tuple[Part, ...]) -> None:
    """Refuse parts that do not fit together: a name twice, a reference to what does not exist, an unknown place.

    Raises
    ------
    ConfigurationError
        Naming the part.
    """
    by_name: dict[str, Part] = {}
    for part in parts:
        if part.name in by_name:
            raise ConfigurationError("two parts of the network have this name", part.name)
        by_name[part.name] = part
    groups = {name: part for name, part in by_name.items() if isinstance(part, Group)}
    extended = any(isinstance(part, Extension) for part in parts)

    for name, part in by_name.items():
        for place in places(part):
            check_known(place, SCHEDULE, "place in a step", name)
        if isinstance(part, Group):
            linked = set(re.findall(r"(?m)^\s*(\w+)\s*:[^#\n]*\(linked\)", part.equations))
            for variable in linked ^ set(part.links):
                raise ConfigurationError(f"{variable!r} is linked in one place and not in the other", name)
            for link in part.links.values():
                check_known(link.group, groups, "group", name)
        elif isinstance(part, Pathway):
            for side, group in (("pre", part.source), ("post", part.target)):
                check_known(group, groups, "group", name)
                events = {"spike" if groups[group].threshold else "": 0, **groups[group].events}
                for reaction in part.reactions.values():
                    if reaction.side == side:
                        check_known(reaction.event, events, "event", name)
        elif isinstance(part, Update | Guard) or (isinstance(part, Monitor) and not extended):
            check_known(part.of, by_name, "part", name)


def places(part: Part) -> Iterator[str]:
    """Yield the places of `SCHEDULE` that a part names."""
    for each in fields(part):
        value = getattr(part, each.name)
        if each.name == "at":
            yield value
        elif each.name == "sums":
            yield from value.values()
        elif each.name in ("events", "reactions"):
            yield from (one.at for one in value.values())
