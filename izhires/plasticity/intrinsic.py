"""Intrinsic plasticity: the excitability of each cell of a population moves until the cell fires at a target rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from izhires.building.parts import Group, Link, Update
from izhires.declare import Declaration, Drive, Hertz, parameter
from izhires.readouts.base import RecordedVariable

if TYPE_CHECKING:
    from izhires.building.draft import Draft
    from izhires.recordings.recording import Results

LAZAR = "Lazar, Pipa & Triesch (2009), Front. Comput. Neurosci. 3:23, doi 10.3389/neuro.10.023.2009"
ZHENG = "Zheng & Triesch (2014), Front. Comput. Neurosci. 8:66, doi 10.3389/fncom.2014.00066"


class Intrinsic(Declaration):
    r"""A constant drive of each cell that grows while the cell fires too little, and falls while it fires too much.

    With r the spike trace of the cell, every step of the readouts::

        intrinsic += speed*(1 - r/target)*dt/(1 s)

    It is added to the drive of the cell, and stays between -limit and limit. In the sources it is the threshold of a
    binary cell that moves by the difference between its state and its target. A field of populations (`intrinsic`).
    """

    target: Hertz = parameter("5 Hz", "rate of each cell", gt=0)
    speed: Drive = parameter("1 mV/ms", "what a silent cell gains in a second", gt=0)
    limit: Drive = parameter("20 mV/ms", "largest drive", gt=0)
    range: tuple[Drive, Drive] | None = parameter(
        None, "what it keeps the constant drive of a cell between, bias and intrinsic together", source="by choice"
    )
    cells: Literal["all", "excitatory", "inhibitory"] = parameter("all", "whose excitability moves", source="by choice")
    learns: str = parameter(
        "1", "when it moves, as a Brian2 expression of learn(t), block(t), elapsed(t); 1: always", source="by choice"
    )

    source: ClassVar[str] = f"{LAZAR}; {ZHENG}"

    @classmethod
    def summary(cls) -> str:
        """Return what it is, in one line."""
        return "of a population (field 'intrinsic'): a drive that moves each cell to a target rate"

    def parts(self, draft: Draft, population: str) -> None:
        """Add the drive, and what moves it."""
        owner = draft.owner_of_drive(population)
        group = draft.parts[owner]
        assert isinstance(group, Group)
        if owner != population and "r" not in group.links:
            draft.extend(owner, "r : Hz (linked)\n", r=Link(population, "r"))
        lines, numbers = draft.shared(
            intrinsic_target=("Hz", self.target),
            intrinsic_gain=("volt/second", self.speed * draft.step),
            intrinsic_limit=("volt/second", self.limit),
        )
        learning = self.learns
        if self.cells != "all":
            excitatory = draft.model.population(population).excitatory()
            lines += "intrinsic_here : 1 (constant)\n"
            numbers["intrinsic_here"] = (excitatory == (self.cells == "excitatory")).astype(float)
            learning = f"intrinsic_here*({learning})"
        moved = "intrinsic + intrinsic_learning*intrinsic_gain*(1 - r/intrinsic_target)"
        if self.range is not None:
            low, high = self.range
            more, limits = draft.shared(intrinsic_low=("volt/second", low), intrinsic_high=("volt/second", high))
            lines, numbers = lines + more, numbers | limits
            within = f"clip({moved}, intrinsic_low - bias, intrinsic_high - bias)"
            moved = f"intrinsic + int(intrinsic_learning > 0)*({within} - intrinsic)"
        draft.extend(owner, f"intrinsic : volt/second\nintrinsic_learning = {learning} : 1\n{lines}")
        draft.set(owner, **numbers)
        draft.add(
            Update(
                f"{population}_intrinsic",
                owner,
                f"intrinsic = clip({moved}, -intrinsic_limit, intrinsic_limit)",
                "excitability",
            )
        )
        draft.fed_back.setdefault(owner, []).append("intrinsic")
        draft.keep_ends(f"{population}_intrinsic_ends", owner, "intrinsic")

    def variables(self, results: Results, population: str, cells: str) -> dict[str, RecordedVariable]:
        """Return what a recording keeps: the drive at the start and the end, by cells of the dimension `cells`."""
        values = results.at_ends(f"{population}_intrinsic_ends.intrinsic")
        meaning = f"drive of each cell of {population} by its intrinsic plasticity, at start and end"
        name = f"{population}_intrinsic"
        return {name: RecordedVariable((f"{name}_end", cells), values, "mV/ms", meaning)}
