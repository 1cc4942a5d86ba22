"""Declarations: frozen, validated, printable descriptions that never import a simulator.

A declaration is a pydantic model whose parameters carry a unit, a meaning and a source::

    tau_trace: Milliseconds = parameter("50 ms", "decay of the spike trace r", source=ASSUMED)

A parameter with a unit is written as text with its unit (``"50 ms"``, ``"0.05 s"``) or as a Brian2 quantity, and is
kept as a float in the unit of its field. A bare number is refused, since nobody can tell whether it meant seconds or
milliseconds.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar, get_args, get_origin

import numpy as np
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PydanticUserError,
    SerializeAsAny,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from izhires.errors import Complaint, ConfigurationError, check_known, closest, shown
from izhires.imports import load_installed, source_of
from izhires.units import QUANTITY, UNITS

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)

C = TypeVar("C")

ASSUMED = "assumed"
"""Source of a value that no publication gives: chosen in this project, see ``docs/science.md``."""

PAPER = "Yamada & Chao (2026), doi 10.1038/s42003-026-10836-2"
"""Source of what the paper gives that this project starts from; arXiv 2510.14382 is its preprint."""


def parse_quantity(value: Any, unit: str) -> float:
    """Read a quantity into a float in the given unit.

    Parameters
    ----------
    value : str or brian2.Quantity
        ``"50 ms"``, or a Brian2 quantity.
    unit : str
        One of `UNITS`.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the unit is missing, unknown, or of another kind.
    """
    value = _plain(value)
    kind, dimensions, size = UNITS[unit]
    valid = ", ".join(name for name, other in UNITS.items() if other.kind == kind)
    if isinstance(value, str):
        match = re.fullmatch(QUANTITY, value)
        if not match:
            raise ValueError(f"{value!r} is not a number with a unit; write it like '1 {unit}' (units: {valid})")
        number, given = float(match[1]), match[2]
        if given is None:
            raise ValueError(f"{value!r} has no unit; {_a(kind)} needs one of: {valid}")
        if given not in UNITS or UNITS[given].kind != kind:
            raise ValueError(f"{value!r} has the wrong unit; {_a(kind)} needs one of: {valid}")
        return number if given == unit else _rounded(number * UNITS[given].size / size)
    if hasattr(value, "dim") and hasattr(value, "in_unit"):  # a Brian2 quantity, without importing Brian2 to know
        from brian2.equations.equations import dimensions_and_type_from_string

        if value.dim is not dimensions_and_type_from_string(dimensions)[0]:
            raise ValueError(f"{value} has the wrong unit; {_a(kind)} needs one of: {valid}")
        if value.shape:
            raise ValueError(f"{value} is not a single {kind}")
        return _rounded(float(np.asarray(value)) / size)
    raise ValueError(
        f"{shown(value)} has no unit; {_a(kind)} needs one of: {valid}, written like '{shown(value)} {unit}'"
    )


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def in_si(value: Any, unit: str) -> float:
    """Read a quantity, as `parse_quantity` does, into SI units; those of its kind are to be like `unit`."""
    return parse_quantity(value, unit) * UNITS[unit].size


def _rounded(converted: float) -> float:
    """Return a converted number without the noise of the conversion, so that "1.001 s" is "1001 ms"."""
    return float(f"{converted:.14g}")


class Unit(BeforeValidator):
    """Annotation of a float field that is written with a unit and kept in that unit."""

    unit: str

    def __init__(self, unit: str) -> None:
        super().__init__(lambda value: parse_quantity(value, unit))
        object.__setattr__(self, "unit", unit)

    def __reduce__(self) -> tuple[type[Unit], tuple[str]]:
        """A declaration of a user's script reaches worker processes as a copy, with its fields."""
        return Unit, (self.unit,)


def _with_unit(unit: str) -> Any:
    return Annotated[float, Unit(unit), PlainSerializer(lambda value: f"{value!r} {unit}", return_type=str)]


Milliseconds: Any = _with_unit("ms")
Seconds: Any = _with_unit("s")
Millivolts: Any = _with_unit("mV")
Hertz: Any = _with_unit("Hz")
Drive: Any = _with_unit("mV/ms")
Noise: Any = _with_unit("mV/sqrt(ms)")
PerMillisecond: Any = _with_unit("1/ms")


def parameter(default: Any, meaning: str, *, source: str = ASSUMED, symbol: str = "", **limits: Any) -> Any:
    """Declare one parameter: its default, what it means, where the value comes from, its limits.

    Parameters
    ----------
    default : object
        As a user would write it. ``...`` makes the parameter required.
    meaning : str
        One line.
    source : str
        A citation, or `ASSUMED`.
    symbol : str
        The letter it has in the equations, when that is not its name.
    **limits
        ``ge``, ``gt``, ``le``, ``lt``, ``min_length``, as pydantic has them; in the unit of the field.
    """
    return Field(default, description=meaning, json_schema_extra={"source": source, "symbol": symbol}, **limits)


_PROBLEMS = {
    "missing": "is required",
    "less_than_equal": "must be at most {le}{unit}, got {given}",
    "less_than": "must be below {lt}{unit}, got {given}",
    "greater_than_equal": "must be at least {ge}{unit}, got {given}",
    "greater_than": "must be above {gt}{unit}, got {given}",
    "float_parsing": "must be a number, got {input}",
    "float_type": "must be a number, got {input}",
    "int_parsing": "must be a whole number, got {input}",
    "int_type": "must be a whole number, got {input}",
    "int_from_float": "must be a whole number, got {input}",
    "bool_parsing": "must be true or false, got {input}",
    "bool_type": "must be true or false, got {input}",
    "finite_number": "must be finite, got {input}",
    "too_short": "needs at least {min_length}, got {actual_length}",
    "too_long": "takes at most {max_length}, got {actual_length}",
    "string_too_short": "must have at least {min_length} characters, got {input}",
    "string_type": "must be text, got {input}",
    "tuple_type": "must be a list, got {input}",
    "dict_type": "must be a table, got {input}",
    "model_type": "must be a table, got {input}",
    "invalid_key": "must have text as its keys",
}


def _place(location: tuple[Any, ...]) -> str:
    text = ""
    for part in location:
        if part == "[key]":  # what is wrong is the key itself, which stands before it
            continue
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text


def _complaints(error: ValidationError, cls: type[BaseModel]) -> list[Complaint]:
    found: list[Complaint] = []
    for item in error.errors(include_url=False):
        location, context = item["loc"], item.get("ctx", {})
        inner = context.get("error")
        choices: tuple[str, ...] = ()
        if isinstance(inner, ConfigurationError):
            found += [complaint.within(_place(location)) for complaint in inner.complaints]
            continue
        if item["type"] == "extra_forbidden":
            choices = tuple(_fields_at(cls, location[:-1]))
            problem = f"unknown key{closest(str(location[-1]), choices)}"
        elif item["type"] == "literal_error":
            problem, choices = f"{shown(item['input'])} is not a choice", (context["expected"],)
        elif item["type"] in _PROBLEMS:
            field = _fields_at(cls, location[:-1]).get(str(location[-1])) if location else None
            unit = f" {unit_of(field)}".rstrip() if field else ""
            # a number has been converted already, text and quantities stand as the user wrote them
            given = f"{_plainly(item['input'])}{unit if isinstance(item['input'], (int, float)) else ''}"
            problem = _PROBLEMS[item["type"]].format(input=shown(item["input"]), given=given, unit=unit, **context)
        else:
            problem = str(inner) if inner is not None else item["msg"]
        found.append(Complaint(_place(location), problem, choices))
    return found


def _plainly(value: Any) -> str:
    """Return a value as the user wrote it, as far as it is short."""
    return shown(value) if isinstance(value, (int, dict, list)) else str(value)[:120]


def _fields_at(cls: type[BaseModel] | None, location: tuple[Any, ...]) -> dict[str, FieldInfo]:
    """Return the fields of the declaration that a location inside `cls` names."""
    for part in location:
        if cls is not None and part in cls.model_fields:
            cls = _declaration_in(cls.model_fields[part].annotation)
    return {} if cls is None else cls.model_fields


def _declaration_in(annotation: Any) -> type[BaseModel] | None:
    """Return the declaration inside an annotation such as ``tuple[Block, ...]``."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_declaration_in, get_args(annotation))), None)


def unit_of(field: FieldInfo) -> str:
    """Return the unit of a field, or of the numbers inside it: ``Milliseconds | None``, ``dict[str, Milliseconds]``."""

    def inside(annotation: Any) -> str:
        if isinstance(annotation, Unit):
            return annotation.unit
        return next(filter(None, map(inside, get_args(annotation))), "")

    return next(filter(None, map(inside, [*field.metadata, field.annotation])), "")


def _plain(data: Any) -> Any:
    """Return data with numpy's numbers and texts as Python's own, so that they are read and quoted alike."""
    if isinstance(data, dict):
        return {_plain(key): _plain(value) for key, value in data.items()}
    if type(data) in (list, tuple):
        return type(data)(_plain(each) for each in data)
    if isinstance(data, np.generic):
        return data.item()
    return data.tolist() if type(data) is np.ndarray else data


def refuse_earlier(text: str, earlier: Mapping[str, str], place: str) -> None:
    """Refuse a Brian2 text that reads a name of an earlier version.

    Raises
    ------
    ConfigurationError
        Naming the present one.
    """
    for old, new in earlier.items():
        if re.search(rf"\b{old}(_pre|_post)?\b", text):
            raise ConfigurationError(f"{old!r} is now {new!r}", place)


def _refuse_earlier_texts(name: str, attributes: Mapping[str, Any], earlier: Mapping[str, str]) -> None:
    """Refuse a class that declares an attribute of an earlier version, or whose texts read such a name.

    What the class itself calls so, a parameter or a variable of its equations, is its own.
    """
    texts: dict[str, str] = {}
    for each, value in attributes.items():
        if each in earlier and not isinstance(value, FieldInfo):
            raise ConfigurationError(f"{each!r} is now {earlier[each]!r}", name)
        if isinstance(value, str | dict) and not each.startswith("_") and each not in ("type", "source"):
            texts[each] = value if isinstance(value, str) else "\n".join(map(str, value.values()))
    declared = [rf"(?m)^\s*(d{old}/dt\s*=|{old}\s*[:=])" for old in earlier]
    own = {old for old, mark in zip(earlier, declared, strict=True) for each in texts.values() if re.search(mark, each)}
    foreign = {old: new for old, new in earlier.items() if old not in own | attributes.keys()}
    for each, text in texts.items():
        refuse_earlier(text, foreign, f"{name}.{each}")


def _cannot_be_read(name: str, error: PydanticUserError) -> ConfigurationError:
    """What to say of a class whose annotations pydantic cannot make sense of."""
    return ConfigurationError(f"its parameters cannot be read: {' '.join(error.message.split())}", name)


def _refuse_misspelt(name: str, attributes: Mapping[str, Any], bases: Iterable[type]) -> None:
    """Refuse a class whose attribute or method is nearly one that its family has, of which nothing would come.

    Parameters are names of a user's own, and so is a name beside the one that it is like.
    """
    mro = (each for base in bases for each in base.__mro__ if hasattr(each, "family"))
    known = {known for each in mro for known in (*vars(each), *inspect.get_annotations(each)) if known[0] != "_"}
    written = attributes.get("__annotations__", {})
    for each in {*attributes, *written} - known:
        if each.startswith("_") or (each in written and "ClassVar" not in str(written[each])):
            continue
        near = difflib.get_close_matches(each, known - attributes.keys(), n=1, cutoff=0.8)
        if near and not each.startswith(f"{near[0]}_") and not each.endswith(f"_{near[0]}"):
            raise ConfigurationError(
                f"unknown attribute {each!r}, did you mean {near[0]!r}? A name of your own may begin with _", name
            )


class _DeclarationType(ModelMetaclass):
    """Turns pydantic's complaints into this package's when a declaration is made in Python."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any) -> Any:
        # before pydantic, which tells of an attribute that no class declares any more only that it is not annotated
        for earlier in (each.earlier_texts for each in bases if hasattr(each, "earlier_texts")):
            _refuse_earlier_texts(name, namespace, earlier)
        # to build validators takes long: those of this package when they are used, a user's when a mistake has its line
        ours = namespace["__module__"].startswith("izhires.")
        if not ours:
            _refuse_misspelt(name, namespace, bases)
        try:
            return super().__new__(mcs, name, bases, namespace, **{"defer_build": ours, **kwargs})
        except PydanticUserError as error:
            if error.code != "model-field-missing-annotation":
                raise
            raise _cannot_be_read(name, error) from None

    def __call__(cls: type[BaseModel], *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        try:
            return super().__call__(*args, **kwargs)  # type: ignore[misc]
        except ValidationError as error:
            raise ConfigurationError(_complaints(error, cls), place=cls.__name__) from None
        except PydanticUserError as error:
            raise _cannot_be_read(cls.__name__, error) from None

    @property
    def __signature__(cls: type[BaseModel]) -> inspect.Signature:  # type: ignore[misc]
        """Names and defaults; what pydantic's has besides, all annotations, fills pages of ``help``."""
        empty, by_name = inspect.Parameter.empty, inspect.Parameter.KEYWORD_ONLY
        return inspect.Signature([
            inspect.Parameter(name, by_name, default=empty if each.is_required() else _Shown(each))
            for name, each in cls.model_fields.items() if name.isidentifier()
        ])  # fmt: skip

    @__signature__.setter
    def __signature__(cls, given: Any) -> None:
        """Pydantic sets its own when it builds the validators of a class, which is when the class is first used."""

    def __dir__(cls) -> list[str]:
        """What ``help`` and completion show: what this package declares, and not pydantic's own methods."""
        ours = {name for each in cls.__mro__ if each not in (*BaseModel.__mro__,) for name in vars(each)}
        return sorted(name for name in ours if not name.startswith("_") and name not in _OF_PYDANTIC)


_OF_PYDANTIC = ("model_config", "model_fields", "model_computed_fields", "model_post_init")


class _Shown:
    """A default as a signature shows it."""

    def __init__(self, field: FieldInfo) -> None:
        value = repr(field.default)
        self.text = value if len(value) <= 40 else "..."

    def __repr__(self) -> str:
        return self.text


class Declaration(BaseModel, metaclass=_DeclarationType):
    """A frozen, validated description. Equal content means equal objects, equal hashes and equal text.

    The order of a table (``{"A": 0.7, "B": 0.3}``) is part of its content, since cells and events are numbered by it.
    """

    earlier_names: ClassVar[dict[str, str]] = {}
    """What parameters were called in earlier versions, each with its present name; both are read. A name with a dot is
    one inside another declaration: ``{"composition": "cell.composition"}``."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _none_as_text(cls, data: Any) -> Any:
        """Read ``"none"`` as None where None is allowed, since TOML has no null; and numpy's numbers as plain ones."""
        data = _plain(data)
        if not isinstance(data, dict):
            return data
        optional = {name for name, field in cls.model_fields.items() if type(None) in get_args(field.annotation)}
        data = {key: None if key in optional and value == "none" else value for key, value in data.items()}
        return cls._with_present_names(data)

    def __setstate__(self, state: dict[Any, Any]) -> None:
        """A worker takes declarations ready-made: nothing else builds there what writes them out again."""
        type(self).model_rebuild()
        super().__setstate__(state)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for old in cls.earlier_names.keys() & cls.model_fields.keys():
            raise ConfigurationError(f"{old!r} is now {cls.earlier_names[old]!r}: declare it there", cls.__name__)

    @classmethod
    def _with_present_names(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Return a table with parameters of earlier versions under their present names."""
        old_names = cls.earlier_names.keys() & data.keys()
        if not old_names:
            return data
        found = {key: value for key, value in data.items() if key not in old_names}
        for old in (key for key in data if key in old_names):  # in the order of the table
            first, _, inner = cls.earlier_names[old].partition(".")
            held = found.get(first)
            if inner:
                if isinstance(held, Declaration):
                    held = held.to_dict()
                table = {"type": held} if isinstance(held, str) else dict(held or {})
                taken, found[first] = inner in table, {**table, inner: data[old]}
            else:
                taken, found[first] = first in found, data[old]
            if taken:
                raise ConfigurationError(f"is the earlier name of {cls.earlier_names[old]!r}; give one of them", old)
        return found

    @classmethod
    def parse(cls, data: Any, place: str = "") -> Self:
        """Read a declaration from plain data (a TOML table), naming the place of every complaint.

        Raises
        ------
        ConfigurationError
            Naming each wrong key or value with its place and the valid choices.
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise ConfigurationError(_complaints(error, cls), place=place) from None
        except PydanticUserError as error:
            raise _cannot_be_read(cls.__name__, error) from None
        except RecursionError:
            raise ConfigurationError("tables are nested too deeply", place) from None
        except OverflowError:
            raise ConfigurationError("a number is too large to reckon with", place) from None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data (text, numbers, lists) from which `parse` makes an equal declaration."""
        return self.model_dump(mode="json")

    def with_changes(self, **changes: Any) -> Self:
        """Return a copy with some parameters changed; the copy is validated as a whole.

        Parameters
        ----------
        **changes
            New values by name, or by dotted key as on the command line: ``**{"reservoir.n": 500}``. A table for a
            declaration inside this one changes what it names, ``reservoir={"n": 500}``; with a ``type`` it replaces it.
        """
        data, place = self.to_dict(), type(self).__name__
        for key in sorted(changes, key=lambda key: key.count(".")):  # a component before its parameters
            put(data, key.split("."), changes[key], f"{place}.{key}", type(self))
        return type(self).parse(data, place=place)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._text() == other._text()

    def __hash__(self) -> int:
        return hash((type(self), self._text()))

    def _text(self) -> str:
        return json.dumps(self.to_dict())

    def __dir__(self) -> list[str]:
        return sorted({*dir(type(self)), *type(self).model_fields})

    def differences(self) -> dict[str, Any]:
        """Return the parameters that differ from their defaults: declarations as they are, other values as text with
        units, numbers, tables and lists, as `parse` takes them.
        """
        cls, data = type(self), self.to_dict()
        required = {name: data[name] for name, field in cls.model_fields.items() if field.is_required()}
        try:
            usual = cls.parse(required).to_dict()
        except ConfigurationError:  # what is required does not go with the defaults, of which one stands for all
            usual = {name: _plain_default(field) for name, field in cls.model_fields.items()}
        return {
            name: _as_written(getattr(self, name), data[name])
            for name in cls.model_fields
            if (name != "type" or name in required) and (name in required or usual.get(name, self) != data[name])
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={each!r}' for name, each in self.differences().items())})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        shown: str = importlib.import_module("izhires.display").of_declaration(self)  # which imports this module
        return shown

    @classmethod
    def symbols(cls) -> list[dict[str, str]]:
        """Return the table of parameters: name, symbol, meaning, unit, default, source."""
        rows = []
        for name, field in cls.model_fields.items():
            if name == "type" or not field.description:
                continue
            extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
            row = {
                "name": name,
                "symbol": str(extra.get("symbol") or name),
                "meaning": field.description,
                "unit": unit_of(field),
                "default": "required" if field.default is PydanticUndefined else str(field.default),
                "source": str(extra.get("source", "")),
            }
            rows.append(row)
        return rows


def _plain_default(field: FieldInfo) -> Any:
    """Return a default as plain data has it, where it is a number, text, or an empty table or list."""
    return [] if field.default == () else field.default


def _as_written(value: Any, data: Any) -> Any:
    """Return a value of a declaration, or of a table or list in it, as one would write it."""
    if isinstance(value, Declaration):
        return value
    if isinstance(value, dict) and isinstance(data, dict):
        return {key: _as_written(each, data[key]) for key, each in value.items()}
    if isinstance(value, (list, tuple)) and isinstance(data, list):
        return [_as_written(each, other) for each, other in zip(value, data, strict=True)]
    return re.sub(r"^(-?\d+)\.0 ", r"\1 ", data) if isinstance(value, float) and isinstance(data, str) else data


def put(data: dict[str, Any], keys: list[str], value: Any, place: str, declared: type[BaseModel]) -> None:
    """Set a value in nested tables.

    Parameters
    ----------
    data : dict
        Plain data of a declaration, all of it or a part.
    keys : list of str
        Tables, and the name of the value; in a list, the number of an entry, from 0.
    value : object
        A table changes what it names in a declaration, of which the rest stays; with a ``type`` it replaces it. A table
        that is a value of its own (``composition``) replaces what was there.
    place : str
        Whose value it is, for complaints.
    declared : type
        The declaration that `data` is of.

    Raises
    ------
    ConfigurationError
        If what a key goes through is not a table.
    """
    inside: type[BaseModel] | None = declared
    left = list(keys)
    while left:
        if inside is not None and issubclass(inside, Declaration):
            left = [*inside.earlier_names.get(left[0], left[0]).split("."), *left[1:]]
            present = dict(inside._with_present_names(data))
            data.clear()
            data.update(present)
        key = left.pop(0)
        field = None if inside is None else inside.model_fields.get(key)
        held = data.get(key)
        changing = bool(left)
        if not changing:
            inner = None if field is None else _table_in(field.annotation)
            changing = inner is not None and isinstance(value, dict) and "type" not in value
            if not changing or held is None or held == "none":
                data[key] = value
                return
        holder: Any = data
        listed = isinstance(held, (list, tuple))
        if isinstance(held, (list, tuple)):
            holder = data[key] = list(held)
            number = left.pop(0) if left else ""
            if not number.isdecimal() or int(number) >= len(holder):
                there = f"has {len(holder)} entries, by number from 0" if holder else "has no entries"
                raise ConfigurationError(f"{key!r} {there}, got {shown(number)}", place)
            key = int(number)  # type: ignore[assignment]
            held = holder[key]
            if not left:
                holder[key] = value
                return
        if isinstance(held, Declaration):
            held = holder[key] = held.to_dict()
        elif isinstance(held, str):  # a component named by its type alone
            held = holder[key] = {"type": held}
        elif held is None:
            held = holder[key] = {}
        if not isinstance(held, dict):
            raise ConfigurationError(f"{key!r} is not a table", place)
        inside = None
        if field is not None:
            inside = _declaration_in(field.annotation) if listed else _table_in(field.annotation)
        if inside is not None and issubclass(inside, Component) and isinstance(held.get("type"), str):
            inside = inside.alternatives().get(held["type"], inside)
        data = held
    for key, each in value.items():
        put(data, [str(key)], each, place, inside or declared)


def _table_in(annotation: Any) -> type[BaseModel] | None:
    """Return the declaration that a field holds, or None of one that holds several or another value."""
    if get_origin(annotation) in (dict, list, tuple):
        return None
    return _declaration_in(annotation)


class Component(Declaration):
    """A declaration with alternatives, chosen by its ``type``. Each alternative is one file of its family's package.

    A family is a direct subclass that names its package; a user's own subclass joins it by being defined with a type
    of its own: ``type: Literal["mine"] = "mine"``. Of a class that was defined again, as in a notebook, the later one
    counts; two different ones that have the same type are refused.
    """

    family: ClassVar[str]
    package: ClassVar[str]

    earlier_texts: ClassVar[dict[str, str]] = {}
    """What attributes, and the names that Brian2 texts read, were called in earlier versions, each with its present
    name; a class that has one of them is refused."""

    defined_in: ClassVar[tuple[str, str]] = ("", "")
    """Of a user's class: the file that defines it, and a hash of that. Of one that was refused: not its own."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        own = not cls.__module__.startswith("izhires.")
        if own and "type" in inspect.get_annotations(cls) and not inspect.isabstract(cls):
            cls.check_texts()
        cls.defined_in = source_of(cls) if own else ("", "")

    @classmethod
    def check_texts(cls) -> None:
        """Refuse a class that lacks what its family needs, or has what it cannot use.

        Raises
        ------
        ConfigurationError
        """
        for name in sorted(cls.__class_vars__):
            if not hasattr(cls, name):
                raise ConfigurationError(f"has no {name!r}, which every {cls.family} needs", cls.__name__)
            choices = next(
                filter(None, (_literals(inspect.get_annotations(each).get(name)) for each in cls.__mro__)), ()
            )
            if choices and getattr(cls, name) not in choices:
                problem = f"{shown(getattr(cls, name))} is not a choice"
                raise ConfigurationError(problem, f"{cls.__name__}.{name}", map(repr, choices))
        if "initial" in cls.__class_vars__:
            from izhires.model.variables import read

            known = read(cls.equations)  # type: ignore[attr-defined]
            for name in cls.initial:  # type: ignore[attr-defined]
                check_known(name, known, "variable", f"{cls.__name__}.initial")

    @classmethod
    def alternatives(cls) -> dict[str, type[Self]]:
        """Return every known alternative of this family by its ``type``, those of the user's scripts included."""
        load_installed()
        package = importlib.import_module(cls.package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{cls.package}.{module.name}")
        found: dict[str, type[Self]] = {}
        # one that was refused may be held by a traceback yet
        made = [each for each in subclasses(cls) if "defined_in" in vars(each)]
        # one that inherits its type must not take the place of the one it derives from
        typed = [each for each in made if "type" in inspect.get_annotations(each)]
        own = [each for each in typed if not inspect.isabstract(each)]
        latest = {_origin(each): each for each in own}
        for each in own:
            name = each.model_fields["type"].default
            if not isinstance(name, str):
                raise ConfigurationError("its type needs a default: type: Literal['mine'] = 'mine'", each.__name__)
            other = found.get(name, each)
            again = other.__module__ == each.__module__ == "__main__"  # in a notebook, under another name
            if again or _origin(other) == _origin(each) or latest[_origin(other)] is not other:
                found[name] = each
            elif latest[_origin(each)] is each:
                mine, theirs = (other, each) if each.__module__.startswith("izhires.") else (each, other)
                raise ConfigurationError(
                    f"the type {name!r} is taken by {theirs.__module__}.{theirs.__name__}; give it a name of its own",
                    mine.__name__,
                )
        return dict(sorted(found.items()))

    @classmethod
    def summary(cls) -> str:
        """Return the first line of the docstring."""
        return (inspect.getdoc(cls) or "").splitlines()[0]


def _origin(cls: type) -> tuple[str, str]:
    """Return what a class has in common with those that it replaces: its module, or script, and its name there."""
    return re.sub("_[0-9a-f]{8}$", "", cls.__module__), cls.__qualname__


def _literals(annotation: Any) -> tuple[Any, ...]:
    """Return the choices of a class attribute, from its annotation as it is written."""
    found = re.search(r"Literal\[(.*?)\]", str(annotation or ""))
    return tuple(ast.literal_eval(f"[{found[1]}]")) if found else ()


def classes_of(value: Any) -> Iterator[type[Declaration]]:
    """Yield the classes of all declarations inside a value, its own first."""
    if isinstance(value, Declaration):
        yield type(value)
        value = vars(value)
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ():
        yield from classes_of(each)


def subclasses(cls: type[C]) -> Iterator[type[C]]:
    """Yield all subclasses of a class, those of its own first."""
    queue = list(cls.__subclasses__())
    while queue:
        each = queue.pop(0)
        queue += each.__subclasses__()
        yield each


BY_IMPORT = "your own by --import FILE.py"


def chosen(family: type[Component], default: str) -> Any:
    """Return the annotation of a field that holds one alternative of a family.

    The field takes an instance, the name of an alternative, or a table whose ``type`` (default: `default`) names it.
    """

    def choose(value: Any) -> Any:
        if isinstance(value, family):
            return value
        data = {"type": value} if isinstance(value, str) else value
        if not isinstance(data, dict):
            raise ConfigurationError(
                f"{shown(value)} is not a {family.family}", choices=(*family.alternatives(), BY_IMPORT)
            )
        known = family.alternatives()
        name = data.get("type", default)
        if not isinstance(name, str) or name not in known:
            raise ConfigurationError(
                f"{shown(name)} is not a {family.family}{closest(str(name)[:100], known)}",
                "type",
                (*known, BY_IMPORT),
            )
        return known[name].parse(data)

    return Annotated[SerializeAsAny[family], BeforeValidator(choose)]  # type: ignore[misc, valid-type]


__all__ = [
    "ASSUMED", "Component", "Declaration", "Drive", "Hertz", "Milliseconds", "Millivolts", "Noise", "PerMillisecond",
    "Seconds", "chosen", "in_si", "parameter", "parse_quantity", "put", "refuse_earlier",
]  # fmt: skip
