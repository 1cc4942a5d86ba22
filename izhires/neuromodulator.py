"""Neuromodulators: third factors as levels of a substance, with kinetics, that the task, readouts or cells drive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import model_validator

from izhires.declare import Declaration, Milliseconds, parameter
from izhires.errors import ConfigurationError, closest
from izhires.parts import Group, Monitor, Pathway, Reaction, Update
from izhires.readouts.base import Variable

if TYPE_CHECKING:
    from izhires.model import Model
    from izhires.plan import Draft
    from izhires.recording import Results

EQUATIONS = """
since_event = elapsed(t) - latency(t) : second
in_window = int(elapsed(t) > -dt/2)*int(elapsed(t) < window - dt/2) : 1
at_cue = int(abs(elapsed(t)) < dt/2) : 1
at_event = int(event(t) > -0.5)*int(abs(since_event) < dt/2) : 1
pool : 1
level : 1
window : second (shared, constant)
tonic : 1 (shared, constant)
tau_decay : second (shared, constant)
"""

SLOW = """
pool = pool*exp(-dt/tau_rise) + {release}
level = tonic + (level - tonic)*exp(-dt/tau_decay) + (1 - exp(-dt/tau_rise))*pool
"""
FAST = """
pool = {release}
level = tonic + (level - tonic)*exp(-dt/tau_decay) + pool
"""
"""What renews the level every readout step: what is released enters a pool, which empties into the level with
``tau_rise``, or at once; the level decays to its tonic value."""


class Sum(Declaration):
    """What a neuromodulator hears of a readout: a sum over its channels."""

    of: str = parameter(..., "the readout", source="by choice")
    summand: str = parameter("z", "what each channel adds, as a Brian2 expression of its names", source="by choice")


class Neuromodulator(Declaration):
    """The level of a substance in the whole network, to which rules listen by its name.

    Every readout step `release` is put into a pool, which empties into the level; the level decays to `tonic`. The
    texts read ``elapsed(t)``, ``latency(t)``, ``event(t)``, ``learn(t)`` and ``block(t)`` of the task, ``since_event``,
    ``in_window``, ``at_cue``, ``at_event`` (1 in the one step of the trial's event), the names in `sums`, and variables
    of their own (`equations`), which `update` renews before.
    """

    release: str = parameter("at_event", "what is released in each readout step, as a Brian2 expression")
    tau_rise: Milliseconds = parameter("0 ms", "how fast what was released reaches the cells; 0: at once", ge=0)
    tau_decay: Milliseconds = parameter(
        "200 ms", "decay of the level", source="Izhikevich (2007), doi 10.1093/cercor/bhl152", gt=0
    )
    tonic: float = parameter(0.0, "level without a release")
    sums: dict[str, Sum] = parameter({}, "what is heard of readouts, by name", source="by choice")
    cells: str = parameter("", "population whose spikes release it, too; none when empty", source="by choice")
    per_spike: float = parameter(0.0, "what the spike of one cell releases", source="by choice")
    equations: str = parameter("", "further variables, as Brian2 equations", source="by choice")
    update: str = parameter("", "what renews these every readout step, as Brian2 statements", source="by choice")

    @model_validator(mode="after")
    def _spikes(self) -> Neuromodulator:
        if self.per_spike and not self.cells:
            raise ConfigurationError("name the population whose spikes release it", "cells")
        return self

    def check(self, name: str, model: Model) -> None:
        """Refuse readouts and populations that do not exist."""
        place, readouts, populations = f"neuromodulators.{name}", model.all_readouts(), model.all_populations()
        for key, each in self.sums.items():
            if each.of not in readouts:
                problem = f"there is no readout {each.of!r}{closest(each.of, readouts)}"
                raise ConfigurationError(problem, f"{place}.sums.{key}.of", readouts)
        if self.cells and self.cells not in populations:
            problem = f"there is no population {self.cells!r}{closest(self.cells, populations)}"
            raise ConfigurationError(problem, f"{place}.cells", populations)

    def parts(self, draft: Draft, name: str) -> None:
        """Add the level."""
        lines, numbers = draft.constants(self, only=("tau_rise",))
        text = SLOW.format(release=f"({self.release})") if self.tau_rise else FAST.format(release=f"({self.release})")
        equations = f"{EQUATIONS}{self.equations.strip()}\n"
        if self.tau_rise:
            equations += lines
        else:
            numbers = {}
        if self.cells:
            equations += "spiked : 1\nper_spike : 1 (shared, constant)\n"
            text = text.replace(f"({self.release})", f"({self.release}) + spiked") + "spiked = 0\n"
            numbers["per_spike"] = self.per_spike
        equations += "".join(f"{key} : 1\n" for key in self.sums)
        constants = {"window": draft.experiment.window, "tonic": self.tonic, "tau_decay": self.tau_decay * 1e-3}
        draft.add(Group(name, 1, equations), **constants, **numbers, level=self.tonic)
        draft.add(Update(f"{name}_update", name, f"{self.update.rstrip()}\n{text}", "neuromodulators"))
        draft.add(Monitor(f"{name}_level", name, ("level",)))

    def connected(self, draft: Draft, name: str) -> None:
        """Add what it hears of readouts and cells, when these are there."""
        for key, each in self.sums.items():
            equations, sums = f"{key}_post = {key}_summand_pre : 1 (summed)", {f"{key}_post": "heard"}
            draft.extend(each.of, f"{key}_summand = {each.summand} : 1\n")
            draft.add(Pathway(f"{name}_{key}", each.of, name, equations, "all by target", sums=sums))
        if self.cells:
            spikes = Reaction("spiked_post += per_spike_post", "pre", "traces before")
            draft.add(
                Pathway(
                    f"{name}_spikes", self.cells, name, "", "all by target", step="cells", reactions={"pre": spikes}
                )
            )

    def variables(self, results: Results, name: str) -> dict[str, Variable]:
        """Return what a recording keeps: the level in the window of each probe."""
        values = results.in_probes(f"{name}_level.level")[:, 0]
        return {f"{name}_level": Variable(("probe", "time"), values, "1", f"level of {name} over the probe's window")}
