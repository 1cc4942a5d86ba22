"""What a sweep is to run: a declared design over parameters, conditions and seeds, and the runs that it stands for."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from pydantic import field_validator, model_validator

from izhires.building.plan import Plan
from izhires.declare import Declaration, parameter
from izhires.devices import DEFAULT, all_devices, check, get
from izhires.errors import ConfigurationError, check_known
from izhires.files import as_path, read_toml
from izhires.model.configuration import MOST_RUNS, Configuration, _none_as_text, parse_seeds, put
from izhires.model.configuration import read as read_configuration
from izhires.model.extension import beside
from izhires.recordings.schema import LAYOUT
from izhires.running.run import code

METRICS = ("error", "peak_error", "amplitude", "recovery")
"""What a sweep computes of each recording when its file does not say."""


class Range(Declaration):
    """The values from `low` to `high`, both with their unit; whole numbers where both ends are whole."""

    low: int | float | str = parameter(..., "smallest value", source="by choice")
    high: int | float | str = parameter(..., "largest value", source="by choice")
    scale: Literal["linear", "log"] = parameter("linear", "how values are spread in between", source="by choice")

    @model_validator(mode="after")
    def _ascends(self) -> Range:
        (low, unit), (high, other) = _number(self.low, "low"), _number(self.high, "high")
        if unit != other:
            raise ConfigurationError(f"has the unit {other or 'of a pure number'!r}, low has {unit!r}", "high")
        if not low < high:
            raise ConfigurationError(f"must be above low, got {self.low} to {self.high}", "high")
        if self.scale == "log" and low <= 0:
            raise ConfigurationError(f"must be above 0 on a log scale, got {self.low}", "low")
        return self

    def at(self, share: float) -> int | float | str:
        """Return the value at a share of the range: ``low + share*(high - low)``, or ``low*(high/low)**share``.

        Parameters
        ----------
        share : float
            From 0 to 1. Of whole numbers on a linear scale, each has an equal part of it.
        """
        (low, unit), (high, _) = _number(self.low), _number(self.high)
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        if self.scale == "log":
            value = low * (high / low) ** share
            return round(value) if whole else _text(value, unit)
        if whole:
            return int(min(low + share * (high - low + 1), high))
        return _text(low + share * (high - low), unit)


def _number(value: int | float | str, place: str = "") -> tuple[float, str]:
    """Split ``"0.2 mV/ms"`` into number and unit."""
    number, _, unit = str(value).strip().partition(" ")
    try:
        return float(number), unit.strip()
    except ValueError:
        raise ConfigurationError(f"{value!r} is not a number with its unit", place) from None


def _text(value: float, unit: str) -> float | str:
    """Return a value as a configuration has it; six digits say enough of a draw, and can be read."""
    rounded = float(f"{value:.6g}")
    return f"{rounded!r} {unit}" if unit else rounded


def _at(given: list[Any] | Range, share: float) -> Any:
    """Return the value at a share of a range, or of a list."""
    return given.at(share) if isinstance(given, Range) else given[min(int(share * len(given)), len(given) - 1)]


class Design(Declaration):
    """Points in the space of parameters.

    grid: every combination of the values of each parameter. list: the points as they are given. random and
    latin-hypercube: `points` draws from the range of each parameter (or from a list of values), independent, or so that
    each of `points` equal parts of each range is drawn from once (McKay, Beckman & Conover 1979,
    doi 10.1080/00401706.1979.10489755).
    """

    kind: Literal["grid", "list", "random", "latin-hypercube"] = parameter("grid", "how points are chosen")
    parameters: dict[str, list[Any] | Range] = parameter(
        {}, "dotted key of the configuration -> list of values, or table of low, high and scale"
    )
    points: int | tuple[dict[str, Any], ...] = parameter(0, "number of draws, or the points of a list")
    seed: int = parameter(0, "seed of the draws", ge=0)

    @field_validator("parameters", mode="before")
    @classmethod
    def _values(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        for key, value in given.items():
            if isinstance(value, list):
                if not value:
                    raise ConfigurationError("has no values", key)
            elif not isinstance(value, (dict, Range)):
                raise ConfigurationError(f"must be a list of values or a table of low and high, got {value!r}", key)
        return {key: Range.parse(value, key) if isinstance(value, dict) else value for key, value in given.items()}

    @model_validator(mode="after")
    def _fits(self) -> Design:
        drawn = self.kind in ("random", "latin-hypercube")
        if drawn and not (isinstance(self.points, int) and self.points >= 1):
            raise ConfigurationError(f"a {self.kind} design needs a number of points, got {self.points!r}", "points")
        if drawn and not self.parameters:
            raise ConfigurationError(f"a {self.kind} design needs parameters to draw", "parameters")
        if self.kind == "list" and not (isinstance(self.points, tuple) and self.points):
            raise ConfigurationError("a list design needs points, each a table of keys and values", "points")
        if self.kind == "list" and self.parameters:
            raise ConfigurationError("a list design has its values in points", "parameters")
        if self.kind == "grid":
            if self.points != 0:
                raise ConfigurationError("a grid has every combination; it takes no number of points", "points")
            for key, values in self.parameters.items():
                if isinstance(values, Range):
                    raise ConfigurationError("a grid needs a list of values, a range is for draws", f"parameters.{key}")
        return self

    def size(self) -> int:
        """Return the number of points, by arithmetic."""
        if self.kind == "grid":
            return math.prod(len(each) for each in self.parameters.values() if isinstance(each, list))
        return len(self.points) if isinstance(self.points, tuple) else self.points

    def rows(self) -> list[dict[str, Any]]:
        """Return the points, each a table of dotted keys and values."""
        if isinstance(self.points, tuple):
            return [dict(row) for row in self.points]
        if self.kind == "grid":
            values = [each if isinstance(each, list) else [] for each in self.parameters.values()]
            return [dict(zip(self.parameters, row, strict=True)) for row in itertools.product(*values)]
        return [
            {key: _at(given, share) for (key, given), share in zip(self.parameters.items(), row, strict=True)}
            for row in self._shares().tolist()
        ]

    def _shares(self) -> Any:
        """Return the draws as shares of each range, shape (points, parameters)."""
        import numpy as np

        assert isinstance(self.points, int)
        rng, shape = np.random.default_rng(self.seed), (self.points, len(self.parameters))
        if self.kind == "random":
            return rng.random(shape)
        from scipy.stats import qmc

        return qmc.LatinHypercube(shape[1], seed=rng).random(shape[0])


class Sensitivity(Declaration):
    """Which parameters to change, and how far; `izhires.sweeps.sensitivity` makes points of it.

    Each parameter goes from value/factor to value*factor, evenly on a log scale, or over a range of its own.
    one-at-a-time: each alone at both ends, and all at their values. sobol: all at once, samples*(parameters + 2) points
    (Saltelli et al. 2010, doi 10.1016/j.cpc.2009.09.018).
    """

    kind: Literal["one-at-a-time", "sobol"] = parameter("one-at-a-time", "how points are chosen")
    parameters: tuple[str, ...] = parameter(
        ("reservoir", "state", "when", "what"), "keys, or tables of which every assumed number is taken", min_length=1
    )
    exclude: tuple[str, ...] = parameter((), "keys to leave as they are")
    factor: float = parameter(1.5, "how far each parameter goes", gt=1)
    ranges: dict[str, Range] = parameter({}, "key -> range, in the place of the factor")
    samples: int = parameter(32, "base samples of a sobol design, a power of two", ge=2)
    seed: int = parameter(0, "seed of a sobol design", ge=0)

    @model_validator(mode="after")
    def _power_of_two(self) -> Sensitivity:
        if self.samples & (self.samples - 1):
            raise ConfigurationError(f"must be a power of two, got {self.samples}", "samples")
        return self


class Spec(Declaration):
    """All that a sweep runs and computes: what its TOML file holds."""

    paradigm: str = parameter("", "the task, where base does not name it")
    base: str | dict[str, Any] = parameter({}, "the configuration that every point changes: tables, or a file's name")
    design: Design = parameter(Design(), "the points")
    conditions: tuple[str | tuple[str, ...], ...] = parameter(
        ("",), "each a condition, or several that hold together; empty: the configuration as it is", min_length=1
    )
    seeds: str | int = parameter("0", "as on the command line: 7, 1,4,9 or 100:105")
    device: str = parameter(DEFAULT, "where to run, see izhires list devices")
    metrics: tuple[str, ...] = parameter(METRICS, "what to compute of the recordings, see izhires list metrics")
    slurm: dict[str, Any] = parameter(
        {}, "run on a SLURM cluster: jobs, and options of dask_jobqueue.SLURMCluster", source="by choice"
    )
    sensitivity: Sensitivity | None = parameter(None, "what izhires sensitivity makes the points from")

    @field_validator("device")
    @classmethod
    def _known(cls, name: str) -> str:
        check_known(name, all_devices(), "device", "")
        return name

    def configuration(self) -> Configuration:
        """Return the configuration that every point changes."""
        task = {"type": self.paradigm} if self.paradigm else None
        if isinstance(self.base, str):
            return read_configuration(self.base, paradigm=task)
        given = self.base.get("paradigm", {})
        given = {"type": given} if isinstance(given, str) else given
        return Configuration.parse({**self.base, **({"paradigm": {**given, **task}} if task else {})}, "base")

    def to_toml(self) -> str:
        """Return the sweep as TOML that needs no other file; `read` makes an equal one of it."""
        import tomli_w

        whole = self.with_changes(base=self.configuration().to_dict(), paradigm="").to_dict()
        return tomli_w.dumps(_none_as_text(whole), multiline_strings=True)


def read(path: str | Path) -> Spec:
    """Read the file of a sweep.

    Raises
    ------
    ConfigurationError
        Naming every wrong key and value with its place.
    """
    path = as_path(path, "file")
    data = read_toml(path)
    if isinstance(data.get("base"), str):
        data["base"] = str(path.parent / data["base"])
    elif isinstance(data.get("base"), dict) and isinstance(data["base"].get("extend"), str):
        data["base"]["extend"] = beside(data["base"]["extend"], path.parent)
    return Spec.parse(data, str(path))


@dataclass(frozen=True)
class Point:
    """One run of a sweep.

    Parameters
    ----------
    run : str
        Its identity: a hash of what determines it, see `identity`.
    number : int
        Of the point in the design, from 0.
    parameters : dict
        Dotted key -> value, as the design gives it.
    condition, variant : str
    seed : int
    configuration : Configuration
        With parameters and condition applied.
    plan : Plan
        What is built for it.
    """

    run: str
    number: int
    parameters: dict[str, Any]
    condition: str
    variant: str
    seed: int
    configuration: Configuration
    plan: Plan

    @property
    def name(self) -> str:
        """The name of the run on the terminal."""
        return ", ".join(filter(None, [f"point {self.number}", self.condition, self.variant, f"seed {self.seed}"]))


def identity(configuration: Configuration, variant: str, seed: int, device: str, plan: str) -> str:
    """Return the identity of a run: 16 hexadecimal digits of a hash over all that determines its recording.

    Parameters
    ----------
    configuration : Configuration
        As it is run, conditions applied.
    variant : str
    seed : int
    device : str
    plan : str
        Fingerprint of its plan, which holds the equations, those of a user's own rule among them. The version and the
        sources of this package and the layout of recordings enter, too.
    """
    parts = [configuration.to_dict(), variant, seed, device, plan, version("izhires"), code(configuration), LAYOUT]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def expand(spec: Spec) -> list[Point]:
    """Return every run that a sweep stands for, points first, then conditions, variants and seeds.

    Raises
    ------
    ConfigurationError
        If a point cannot be, naming it.
    """
    from izhires.analysis.table import chosen_metrics
    from izhires.running.run import draw

    chosen_metrics(spec.metrics, "metrics")
    base, seeds = spec.configuration(), parse_seeds(str(spec.seeds))
    data = base.to_dict()
    check_size(spec.design.size(), len(spec.conditions), len(base.paradigm.variants()), len(seeds))

    @cache
    def plan_of(configuration: Configuration, variant: str) -> Plan:  # the same for every seed
        return draw(configuration, seeds[0], variant).plan

    found = []
    for number, row in enumerate(spec.design.rows()):
        configuration = _changed(data, row, f"point {number}")
        for condition in spec.conditions:
            names = (condition,) if isinstance(condition, str) else condition
            names = tuple(filter(None, names))
            own = _applied(configuration, names)
            for variant in own.paradigm.variants():
                plan = plan_of(own, variant)
                for seed in seeds:
                    run = identity(own, variant, seed, spec.device, plan.fingerprint())
                    found.append(Point(run, number, row, " + ".join(names), variant, seed, own, plan))
    return found


def check_size(points: int, conditions: int, variants: int, seeds: int) -> None:
    """Refuse a sweep of more than `MOST_RUNS` runs, before any of its points is made.

    Raises
    ------
    ConfigurationError
        With the numbers.
    """
    runs = points * conditions * variants * seeds
    if runs > MOST_RUNS:
        factors = f"{points} points x {conditions} conditions x {variants} variants x {seeds} seeds"
        raise ConfigurationError(f"{factors} are {runs} runs, more than the {MOST_RUNS} of one command", "design")


def _changed(base: dict[str, Any], row: dict[str, Any], place: str) -> Configuration:
    """Return the configuration with some keys changed."""
    data = json.loads(json.dumps(base))
    for key in sorted(row, key=lambda key: key.count(".")):  # a component before its parameters
        put(data, key.split("."), row[key], place)
    return Configuration.parse(data, place)


def _applied(configuration: Configuration, names: tuple[str, ...]) -> Configuration:
    """Return the configuration under some conditions."""
    from izhires.model.conditions import apply

    try:
        return apply(configuration, names)
    except ConfigurationError as error:
        complaints = [replace(each, place=each.place.replace("--condition", "conditions")) for each in error.complaints]
        raise ConfigurationError(complaints) from None


def plans(points: list[Point]) -> Iterator[Plan]:
    """Give each plan once, in the order in which it is first needed."""
    yield from {point.plan.fingerprint(): point.plan for point in points}.values()


def checked_plans(points: list[Point], device: str) -> list[Plan]:
    """Return each plan once, and refuse those that a device cannot run, before anything is built.

    Raises
    ------
    ConfigurationError
        Saying what the device lacks.
    """
    found = list(plans(points))
    for plan in found:
        check(get(device), plan)
    return found
