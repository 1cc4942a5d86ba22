"""How a metric is declared: once, beside its function. `izhires list`, the tidy table and the docs read this list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from izhires.analysis.declared import Registry, Unavailable, require
from izhires.analysis.statistics import ANY, Range
from izhires.optional import trouble

if TYPE_CHECKING:
    import xarray as xr

ALL_EVENTS = "all events"
"""Entry of the table's column ``event`` where all events are taken together; an empty entry means: not about events."""

Scope = Literal["recording", "study"]
Worst = Literal["highest", "lowest", "weakest", ""]


@dataclass(frozen=True)
class Row:
    """One value of a metric.

    Parameters
    ----------
    value : float
        NaN when it cannot be computed; `note` then says why in one plain line.
    part : str
        Which of the metric's parts, empty for the metric itself.
    block : int, optional
        The block it belongs to, None for the whole recording.
    event : str
        An event's name, `ALL_EVENTS`, or empty when the value is not about events.
    seed, variant : optional
        Filled in by the table for a metric of one recording; a metric of a study gives the seed of a value that belongs
        to one.
    note : str
        A remark for the reader.
    """

    value: float
    part: str = ""
    block: int | None = None
    event: str = ""
    seed: int | None = None
    variant: str = ""
    note: str = ""


@dataclass(frozen=True)
class Item:
    """One of several values that a metric gives.

    Parameters
    ----------
    description : str
        One line.
    unit : str, optional
        Where it is not the metric's own.
    detail : bool
        A brief summary leaves it out.
    interval : bool
        False where an interval over seeds would mean nothing, as for a p value.
    within : (float, float), optional
        Range of its values, which no interval leaves; that of the metric when left out.
    """

    description: str
    unit: str | None = None
    detail: bool = False
    interval: bool = True
    within: Range | None = None


@dataclass(frozen=True)
class Metric:
    """A declared metric; made by the decorator `metric`."""

    name: str
    unit: str
    description: str
    definition: str
    source: str
    scope: Scope
    worst: Worst
    needs: tuple[str, ...]
    parts: Mapping[str, Item]
    function: Callable[[Any], Iterable[Row]] = field(repr=False)
    library: str = ""
    within: Range = ANY

    def columns(self) -> dict[str, Item]:
        """Return every name this metric has in the tidy table (``name`` or ``name.part``) with its meaning and unit."""
        if not self.parts:
            return {self.name: Item(self.description, self.unit, within=self.within)}
        return {
            self.full_name(part): replace(
                about,
                unit=self.unit if about.unit is None else about.unit,
                within=self.within if about.within is None else about.within,
            )
            for part, about in self.parts.items()
        }

    def full_name(self, part: str) -> str:
        """Return the name of one part in the tidy table."""
        return f"{self.name}.{part}" if part else self.name

    def rows(self, recordings: xr.Dataset | Sequence[xr.Dataset]) -> Iterator[Row]:
        """Compute the metric from one recording (scope "recording") or from a list of them (scope "study").

        Yields
        ------
        Row
            What can be computed; for what cannot, a NaN with a note.
        """
        try:
            several = [recordings] if self.scope == "recording" else list(recordings)
            for each in several:
                require(each, self.needs)  # type: ignore[arg-type]
            yield from self.function(recordings)
        except Unavailable as reason:
            yield self._without(str(reason))
        except (Exception, SystemExit) as error:  # a library may also try to end the process
            if not self.library:
                raise
            yield self._without(trouble(self.library, error))

    def _without(self, reason: str) -> Row:
        return Row(float("nan"), next(iter(self.parts), ""), note=reason)


METRICS: Registry[Metric] = Registry("izhires.analysis.metrics")


def metric(
    name: str,
    *,
    unit: str,
    description: str,
    definition: str,
    source: str = "this project",
    scope: Scope = "recording",
    worst: Worst = "",
    needs: Iterable[str] = (),
    parts: Mapping[str, Item] | None = None,
    library: str = "",
    within: Range = ANY,
) -> Callable[[Callable[[Any], Iterable[Row]]], Callable[[Any], Iterable[Row]]]:
    """Declare a metric; the decorated function stays a plain function.

    Parameters
    ----------
    name : str
        Its name in the tidy table.
    unit : str
        "1" for a pure number.
    description : str
        One line.
    definition : str
        The exact formula in words or symbols.
    source : str
        A citation, or "this project".
    scope : {"recording", "study"}
        Whether the function takes one recording or a list of all recordings of a folder.
    worst : {"highest", "lowest", "weakest", ""}
        Which seed a summary calls the worst; "weakest" is the one farthest against the sign of the mean.
    needs : iterable of str
        Variables that the recording must hold.
    parts : mapping of str to Part, optional
        When the metric gives several values: their names and meanings, in the order in which they are listed.
    library : str
        The optional library that it uses (`izhires.optional`); whatever that raises becomes a note.
    within : (float, float)
        Range of its values, and of those of its parts that say nothing else; no interval leaves it.
    """

    def declare(function: Callable[[Any], Iterable[Row]]) -> Callable[[Any], Iterable[Row]]:
        METRICS.add(
            Metric(
                name,
                unit,
                description,
                definition,
                source,
                scope,
                worst,
                tuple(needs),
                parts or {},
                function,
                library,
                within,
            )
        )
        return function

    return declare


def range_of(name: str, part: str = "") -> Range:
    """Return the range that a metric, or one of its parts, declares for its values."""
    own = METRICS.all()[name]
    return own.columns()[own.full_name(part)].within or ANY


def all_metrics() -> dict[str, Metric]:
    """Return every declared metric by name."""
    return METRICS.all()
