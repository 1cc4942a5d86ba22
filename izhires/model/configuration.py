"""Configurations: all that decides a run but its seed, as TOML and as a declaration."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import field_validator, model_validator

from izhires import declare
from izhires.building.parts import Extension
from izhires.circuits.base import Reservoir
from izhires.declare import Declaration, Hertz, chosen, parameter
from izhires.errors import ConfigurationError, closest, shown
from izhires.files import read_toml
from izhires.imports import load, source_hash
from izhires.model.extension import beside, extension
from izhires.model.model import Model
from izhires.model.record import Record
from izhires.model.seeds import LARGEST, Seeds
from izhires.paradigms.base import Paradigm

MOST_RUNS = 10**6
"""Runs that one command does, at most; with a second each they take eleven days."""

if TYPE_CHECKING:
    from izhires.building.draft import Draft
    from izhires.readouts.base import RecordedVariable
    from izhires.recordings.recording import Results


class Keep(Declaration):
    """What a recording keeps, and what counts as a living network."""

    spikes: Literal["probes", "all", "none"] = parameter(
        "probes", "spikes of the first and last probe of each block, all, or none", source="by choice"
    )
    slowest_rate: Hertz = parameter("0.05 Hz", "mean rate below which a network is silent", source="by choice", ge=0)
    fastest_rate: Hertz = parameter("200 Hz", "mean rate above which a network ran away", source="by choice", gt=0)
    record: tuple[Record, ...] = parameter((), "further variables of any part, see `Record`", source="by choice")

    def parts(self, draft: Draft) -> None:
        """Add the monitors of what is asked for."""
        for number, each in enumerate(self.record):
            try:
                each.parts(draft)
            except ConfigurationError as error:
                raise ConfigurationError(error.complaints, f"keep.record[{number}]") from None


class Configuration(Model):
    """A model, the task it does, and what is recorded: what a configuration file holds."""

    paradigm: chosen(Paradigm, "meet") = parameter("meet", "the task")  # type: ignore[valid-type]
    keep: Keep = parameter(Keep(), "what to record")
    seeds: Seeds = parameter(Seeds(), "streams that are fixed apart from the seed of a run")
    precision: Literal["double", "single"] = parameter(
        "double", "floating point numbers of the network: 64 bits, or 32 on devices that can", source="by choice"
    )
    extend: str = parameter(
        "", "a function that adds Brian2 objects, as 'module:function' or 'file.py:function'", source="by choice"
    )

    def declarations(self) -> list[Callable[[Draft], None]]:  # noqa: D102
        return [*super().declarations(), self._precision, self._extension, self.keep.parts]

    def variables(self, results: Results) -> dict[str, RecordedVariable]:  # noqa: D102
        from izhires.recordings.schema import VARIABLES

        found = super().variables(results)
        for each in self.keep.record:
            # what a neuromodulator keeps in each probe has the name of its level already
            own = each.variables(results)
            found |= {f"kept_{name}" if name in found or name in VARIABLES else name: own[name] for name in own}
        return found

    def _precision(self, draft: Draft) -> None:
        draft.precision = self.precision

    def _extension(self, draft: Draft) -> None:
        if self.extend:
            function, source = extension(self.extend)
            draft.add(Extension("extension", function, source))

    @model_validator(mode="after")
    def _signals_fit(self) -> Configuration:
        step = self.state.time_step
        if abs(step - 1 / max(1, round(1 / step))) > 1e-9 and abs(step - round(step)) > 1e-9:
            raise ConfigurationError(f"must divide 1 ms or be whole milliseconds, got {step:g} ms", "state.time_step")
        return self

    @field_validator("extend")
    @classmethod
    def _whole_path(cls, text: str) -> str:
        return beside(text, "")

    def extended(self) -> dict[str, str]:
        """Return the file or module of `extend`, and a hash of its source, as `izhires.imports.loaded` does."""
        if not self.extend:
            return {}
        _, source = extension(self.extend)
        return {self.extend.rpartition(":")[0]: source_hash(source.encode())}

    def to_toml(self) -> str:
        """Return the configuration as TOML; `read` makes an equal one of it."""
        import tomli_w

        return tomli_w.dumps(_none_as_text(self.to_dict()), multiline_strings=True)


def _none_as_text(data: Any) -> Any:
    """TOML has no null; declarations read the text as None where they allow it."""
    if isinstance(data, dict):
        return {key: _none_as_text(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_none_as_text(each) for each in data]
    return "none" if data is None else data


def read(
    path: str | Path | None = None,
    settings: Iterable[str] = (),
    paradigm: dict[str, Any] | None = None,
    say: Callable[[str], None] | None = None,
) -> Configuration:
    """Read a configuration.

    Parameters
    ----------
    path : str or Path, optional
        A TOML file; what it leaves out keeps its default.
    settings : iterable of str
        ``key=value`` with dots between tables, as ``reservoir.n=500``; they win over the file. Of a component and
        its parameters the component comes first, whatever their order.
    paradigm : dict, optional
        Parameters of the paradigm, its ``type`` among them; they win over the file, and lose to settings.
        A file's ``paradigm`` of another type says nothing about it.
    say : callable, optional
        Called with a line on what the file holds and is not used.

    Returns
    -------
    Configuration

    Raises
    ------
    ConfigurationError
        Naming every wrong key and value with its place.
    """
    data: dict[str, Any] = {} if path is None else read_toml(path)
    own = data.pop("import", [])
    if not isinstance(own, list):
        raise ConfigurationError('must be a list, as import = ["my.py"]', f"{path}, import")
    load(own, beside=Path(path or "").parent)
    if isinstance(data.get("extend"), str):
        data["extend"] = beside(data["extend"], Path(path or "").parent)
    if paradigm:
        data["paradigm"] = {**_of_the_same_type(data.get("paradigm", {}), paradigm, path, say), **paradigm}
    given = []
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key.strip():
            raise ConfigurationError(f"{setting!r} is not key=value", "--set")
        given.append((key.strip(), _value(text.strip(), f"--set {key.strip()}"), f"--set {setting}"))
    for key, value, place in sorted(given, key=lambda each: each[0].count(".")):  # a component before its parameters
        put(data, key.split("."), value, place)
    keys = [key for key, _, _ in given]
    try:
        return Configuration.parse(data)
    except ConfigurationError as error:
        # a setting is not in the file
        raise ConfigurationError(
            replace(each, place=_told(each.place, path, keys)) for each in error.complaints
        ) from None


def _told(place: str, path: str | Path | None, keys: list[str]) -> str:
    """Return where a wrong value stands: in the file, or among the settings."""
    if not place:
        return str(path or "--set")
    return place if path is None or place.startswith(tuple(keys)) else f"{path}, {place}"


def _of_the_same_type(
    given: Any, paradigm: dict[str, Any], path: str | Path | None, say: Callable[[str], None] | None
) -> dict[str, Any]:
    """Return what a file says of the paradigm: nothing when it is for another one, which is said."""
    wanted = paradigm.get("type", "meet")
    table = {"type": given} if isinstance(given, str) else given
    if not isinstance(table, dict):
        raise ConfigurationError(f"{shown(given)} is not a paradigm", f"{path}, paradigm", Paradigm.alternatives())
    name, known = table.get("type", wanted), Paradigm.alternatives()
    if not isinstance(name, str) or name not in known:
        problem = f"{shown(name)} is not a paradigm{closest(str(name)[:100], known)}"
        raise ConfigurationError(problem, f"{path}, paradigm.type", known)
    if name == wanted:
        return table
    if say is not None and len(table) > 1:
        say(f"{path}: its [paradigm] is for {name!r} and is not used for {wanted!r}")
    return {}


def _value(text: str, place: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    except RecursionError:
        raise ConfigurationError("is no value that can be read: brackets within brackets, too many", place) from None
    except ValueError:  # not of the syntax
        raise ConfigurationError("is a number of more digits than can be read", place) from None


def put(data: dict[str, Any], keys: list[str], value: Any, place: str) -> None:
    """Set a value in nested tables of a configuration, see `izhires.declare.put`."""
    declare.put(data, keys, value, place, Configuration)


def present(data: dict[str, Any]) -> dict[str, Any]:
    """Return the plain data of a configuration, as a recording of any version holds it, under present names."""
    found = Configuration._with_present_names(data)
    if isinstance(found.get("reservoir"), dict):
        found["reservoir"] = Reservoir._with_present_names(found["reservoir"])
    return found


def parse_seeds(text: str) -> list[int]:
    """Read seeds: ``7``, ``1,4,9``, ``100:105`` (half-open, as in Python), or a mixture.

    Raises
    ------
    ConfigurationError
        If the text is none of these, or names no seed or one twice.
    """
    if not isinstance(text, str):
        raise ConfigurationError(f"{shown(text)} is not a text that names seeds", "--seeds", ("7", "1,4,9", "100:105"))
    ranges: list[range] = []
    for part in text.split(","):
        try:
            first, colon, last = part.strip().partition(":")
            ranges.append(range(int(first), int(last) if colon else int(first) + 1))
        except ValueError:
            valid = ("7", "1,4,9", "100:105")
            raise ConfigurationError(f"{shown(part.strip())} is not a seed", "--seeds", valid) from None
    if not any(ranges):
        raise ConfigurationError(f"{text!r} names no seed", "--seeds", ("7", "1,4,9", "100:105"))
    many = sum(max(each.stop - each.start, 0) for each in ranges)  # len() ends at 2**63
    if many > MOST_RUNS:
        raise ConfigurationError(
            f"{shown(text)} names {many:,} seeds, more than the {MOST_RUNS:,} runs of one command", "--seeds"
        )
    seeds = [seed for each in ranges for seed in each]
    if min(seeds) < 0:
        raise ConfigurationError(f"a seed cannot be negative, got {min(seeds)}", "--seeds")
    if max(seeds) > LARGEST:
        raise ConfigurationError(f"a seed cannot be above {LARGEST}, got {max(seeds)}", "--seeds")
    if len(set(seeds)) < len(seeds):
        raise ConfigurationError(f"{text!r} names a seed twice", "--seeds")
    return seeds
