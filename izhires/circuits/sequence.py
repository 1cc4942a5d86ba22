"""A built-in sequence: groups of excitatory cells, each of which excites the next."""

from __future__ import annotations

from itertools import pairwise
from math import ceil
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator

from izhires.circuits.base import Reservoir, Synapses, fixed_out_degree
from izhires.declare import Drive, Milliseconds, parameter, parse_quantity
from izhires.errors import ConfigurationError, check_ascends
from izhires.model.population import REFERENCE_SIZE
from izhires.model.seeds import Seeds

USUAL_DELAY = (8.0, 12.0)
"""Range of the axonal delay where none is stated and the window is not longer than the sequence, ms."""


class Sequence(Reservoir):
    """Groups of excitatory cells that excite the next group, with axonal delays; the cue starts the first group.

    A synfire chain; its cells fire in turn as time cells do. It shows that recurrence can carry time; it does not show
    that a generic reservoir does. A random target may also be one of the next group, and then has two synapses.
    """

    source: ClassVar[str] = (
        "synfire chains: Abeles (1991), Corticonics, doi 10.1017/CBO9780511574566; "
        "time cells: MacDonald et al. (2011), doi 10.1016/j.neuron.2011.07.012"
    )

    type: Literal["sequence"] = "sequence"
    groups: int = parameter(80, "number of groups, of all sequences together", ge=2)
    sequences: int | None = parameter(
        None,
        "sequences side by side, which share the groups; none: one for each input channel",
        ge=1,
        source="by choice",
    )
    input_next: Drive = parameter(
        "11.5 mV/ms", "summed weight that a cell receives from the group before, whatever its size", ge=0
    )
    random_degree: int = parameter(60, "excitatory targets drawn at random, a cell", ge=0)
    weight_random: Drive = parameter("0.04 mV/ms", "mean weight onto random excitatory targets", ge=0)
    inhibitory_degree: int = parameter(20, "inhibitory targets of an excitatory cell", ge=0)
    weight_to_inhibitory: Drive = parameter("0.18 mV/ms", "mean weight onto inhibitory targets", ge=0)
    inhibition_degree: int = parameter(100, "targets of an inhibitory cell", ge=0)
    weight_inhibition: Drive = parameter("0.5 mV/ms", "mean inhibition of an excitatory cell (magnitude)", ge=0)
    weight_disinhibition: Drive = parameter("0.18 mV/ms", "mean inhibition of an inhibitory cell (magnitude)", ge=0)
    delay: tuple[Milliseconds, Milliseconds] | None = parameter(
        None, "range of the axonal delay, excitatory; none: 8 to 12 ms, longer where the window outlasts the sequence"
    )
    delay_inhibitory: Milliseconds = parameter("0.5 ms", "axonal delay of inhibitory cells", gt=0)
    cue_strength: Drive = parameter("20 mV/ms", "drive of the first group while the cue is on", ge=0)

    @model_validator(mode="before")
    @classmethod
    def _weight_of_one_synapse(cls, data: Any) -> Any:
        """Read ``weight_next``, the mean weight of a synapse, which earlier versions had in place of `input_next`."""
        if not isinstance(data, dict) or "weight_next" not in data:
            return data
        rest = {key: value for key, value in data.items() if key != "weight_next"}
        try:
            weight = parse_quantity(data["weight_next"], "mV/ms")
        except ValueError as error:
            raise ConfigurationError(str(error), "weight_next") from None
        if weight < 0:
            raise ConfigurationError(f"must be at least 0 mV/ms, got {weight:g} mV/ms", "weight_next")
        # the numbers of targets are checked with the rest
        sizes = {key: value for key, value in rest.items() if key in ("cell", "composition", "groups")}
        sizes |= {"random_degree": 0, "inhibitory_degree": 0, "inhibition_degree": 0}
        own, usual = (
            weight * cls.parse({**sizes, "n": n}).group_size() for n in (rest.get("n", REFERENCE_SIZE), REFERENCE_SIZE)
        )
        # written whole by an earlier version, or for the usual size: it says what it always said
        whole = set(cls.model_fields) - {"input_next", "cell", "sequences"} <= set(rest)
        if "input_next" not in rest and (whole or own == usual):
            return {**rest, "input_next": f"{own!r} mV/ms"}
        said = f'input_next = "{own:.14g} mV/ms"'
        if own != usual:
            said += f' if it is for {rest["n"]} cells, input_next = "{usual:.14g} mV/ms" if for {REFERENCE_SIZE}'
        raise ConfigurationError(f"a cell's input is stated as a sum, whatever the size: write {said}", "weight_next")

    @model_validator(mode="after")
    def _sizes(self) -> Sequence:
        excitatory = int(self.excitatory().sum())
        if self.groups > excitatory:
            raise ConfigurationError(f"{self.groups} groups cannot be made of {excitatory} excitatory cells", "groups")
        if self._length() < 2:
            raise ConfigurationError(f"{self.groups} groups are no {self.sequences} sequences of two", "sequences")
        for name, there in self._there().items():
            self.targets(name, there)
        if self.delay is not None:
            check_ascends(self.delay, "delay", positive=True)
        return self

    def _there(self) -> dict[str, int]:
        """Return how many cells there are to choose from, by the parameter that states how many are chosen."""
        excitatory = int(self.excitatory().sum())
        return {
            "random_degree": excitatory - 1,
            "inhibitory_degree": self.n - excitatory,
            "inhibition_degree": self.n - 1,
        }

    def group_size(self) -> float:
        """Return the mean number of cells in a group."""
        return int(self.excitatory().sum()) / self.groups

    def _length(self) -> int:
        """Return the number of groups in each sequence."""
        return self.groups // (self.sequences or 1)

    def delays(self) -> tuple[float, float]:
        """Return the range of the axonal delay, ms."""
        return USUAL_DELAY if self.delay is None else self.delay

    def duration(self) -> float:
        """Return how long after the cue's onset the last group fires, ms: its groups*(mean delay + tau_fast).

        A group fires about `tau_fast` after the spikes of the one before have reached it: measured, with the defaults,
        15.0 ms from group to group.
        """
        return self._length() * (sum(self.delays()) / 2 + self.tau_fast)

    def reach(self) -> float:
        """Return how long after the cue's onset the states tell time, ms: the sequence, then its slow currents."""
        return self.duration() + self.tau_slow

    def fitted(self, window: float, channels: int = 1) -> Self:
        """Return the circuit with delays of its own: those that were left open are longer in a longer window; and with
        a sequence for each input channel, where there are several.
        """
        several = self._for_channels(channels)
        return several if several.delay is not None else several.with_changes(delay=several._delay_for(window))

    def _for_channels(self, channels: int) -> Self:
        return self.with_changes(sequences=channels) if self.sequences is None and channels > 1 else self

    def _delay_for(self, window: float) -> tuple[str, str]:
        """Return the usual range of delays, moved by whole milliseconds until the sequence lasts a window (ms)."""
        low, high = USUAL_DELAY
        missing = max(window / self._length() - self.tau_fast - (low + high) / 2, 0)
        return f"{low + ceil(missing):g} ms", f"{high + ceil(missing):g} ms"

    def remark(self, window: float, channels: int = 1) -> str:  # noqa: D102
        return self._for_channels(channels)._remark(window)

    def _remark(self, window: float) -> str:
        if window <= (self.duration() if self.delay is None else self.reach()):
            return ""
        (low, high), end = self._delay_for(window), f"{self.duration() / 1e3:.2g} s"
        if self.delay is None:
            return (
                f"reservoir.delay is {low} to {high} here, so that the sequence lasts the window, {window / 1e3:g} s; "
                f"with {USUAL_DELAY[0]:g} to {USUAL_DELAY[1]:g} ms it would end after {end}"
            )
        return (
            f"reservoir.delay: the sequence ends after {end}, the window after {window / 1e3:g} s, and in between "
            f'nothing tells time for long; ["{low}", "{high}"] would do, or leave it out'
        )

    def members(self, seeds: Seeds) -> list[np.ndarray]:
        """Return the cells of each group: a random partition of the excitatory cells into groups of near-equal size.

        Those of the first sequence come first, then those of the next.
        """
        return self._partition(seeds.generator("topology"))

    def _partition(self, rng: np.random.Generator) -> list[np.ndarray]:
        order = rng.permutation(np.flatnonzero(self.excitatory()))
        return [np.sort(part) for part in np.array_split(order, self.groups)]

    def draw_synapses(self, rng: np.random.Generator) -> tuple[Synapses, Synapses]:  # noqa: D102
        is_excitatory = self.excitatory()
        excitatory, inhibitory = np.flatnonzero(is_excitatory), np.flatnonzero(~is_excitatory)
        # the first draw of the topology stream is the partition, see `members`
        parts = self._partition(rng)
        # the last group of a sequence excites none, nor do those that are left over
        length = self._length()
        ends = {length * k for k in range(1, (self.sequences or 1) + 1)}
        pairs = [pair for k, pair in enumerate(pairwise(parts), start=1) if k not in ends and k < max(ends)]
        next_source = np.concatenate([np.repeat(here, len(there)) for here, there in pairs])
        next_target = np.concatenate([np.tile(there, len(here)) for here, there in pairs])
        degree, stronger = {}, {}
        for name, there in self._there().items():
            degree[name], stronger[name] = self.targets(name, there)
        random_source, random_target = fixed_out_degree(excitatory, excitatory, degree["random_degree"], rng)
        to_source, to_target = fixed_out_degree(excitatory, inhibitory, degree["inhibitory_degree"], rng)
        source = np.concatenate([next_source, random_source, to_source])
        # without the noise of the division, so that a weight stated otherwise comes out as it was stated
        weight_next = float(f"{self.input_next / self.group_size():.14g}")
        weight = np.concatenate(
            [
                self.lognormal(weight_next, len(next_source), rng),
                self.lognormal(self.weight_random * stronger["random_degree"], len(random_source), rng),
                self.lognormal(self.weight_to_inhibitory * stronger["inhibitory_degree"], len(to_source), rng),
            ]
        )
        axon = rng.uniform(*self.delays(), self.n)
        excitation = Synapses(
            source, np.concatenate([next_target, random_target, to_target]), weight, axon[source]
        ).sorted()
        source, target = fixed_out_degree(inhibitory, np.arange(self.n), degree["inhibition_degree"], rng)
        mean = np.where(is_excitatory[target], self.weight_inhibition, self.weight_disinhibition)
        weight = -mean * self.lognormal(stronger["inhibition_degree"], len(source), rng)
        return excitation, Synapses(source, target, weight, np.full(len(source), self.delay_inhibitory)).sorted()

    def draw_cue(self, rng: np.random.Generator, seeds: Seeds) -> np.ndarray:  # noqa: D102
        return self.draw_input(rng, seeds, 0)

    def draw_input(self, rng: np.random.Generator, seeds: Seeds, channel: int) -> np.ndarray:
        """Drive the first group of the channel's sequence; channels beyond the last sequence share those there are."""
        drive = np.zeros(self.n)
        drive[self.members(seeds)[channel % (self.sequences or 1) * self._length()]] = self.cue_strength
        return drive
