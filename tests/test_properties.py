"""What holds for every declaration: units, plain data, TOML, and changes, whatever the values are."""

import tomllib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from izhires.circuits.base import Reservoir
from izhires.declare import UNITS, Component, Declaration, parse_quantity
from izhires.errors import ConfigurationError
from izhires.gates.base import Gate
from izhires.model.configuration import Configuration, _none_as_text, read
from izhires.rules.base import Rule

quick = settings(max_examples=60, deadline=None)
numbers = st.floats(-1e12, 1e12, allow_nan=False).filter(lambda value: value == 0 or abs(value) > 1e-9)
units = st.sampled_from(list(UNITS))


@quick
@given(numbers, units)
def test_a_quantity_in_its_own_unit_is_exact(number, unit):
    assert parse_quantity(f"{number!r} {unit}", unit) == number
    assert parse_quantity(f" {number!r}  {unit} ", unit) == number


@quick
@given(numbers, units, units)
def test_there_and_back(number, one, other):
    if UNITS[one][0] != UNITS[other][0]:
        with pytest.raises(ValueError, match="has the wrong unit"):
            parse_quantity(f"{number!r} {one}", other)
        return
    converted = parse_quantity(f"{number!r} {one}", other)
    assert parse_quantity(f"{converted!r} {other}", one) == pytest.approx(number, rel=1e-12)


@quick
@given(st.text(max_size=12), units)
def test_any_text_is_a_quantity_or_one_clear_line(text, unit):
    try:
        assert np.isfinite(parse_quantity(text, unit))
    except ValueError as error:
        assert "unit" in str(error)
        assert repr(text) in str(error)


# values for the fields of what is shipped, by the kind of field

COMPONENTS = [each for family in (Reservoir, Rule, Gate) for each in family.alternatives().values()
              if each.__module__.startswith("izhires.")]  # fmt: skip


def values_of(declaration: Declaration) -> dict[str, st.SearchStrategy]:
    """Return values, as a user writes them, for the numbers of a declaration, within a factor of two of its own."""
    found = {}
    for name, value in declaration.to_dict().items():
        number, _, unit = value.partition(" ") if isinstance(value, str) else ("", "", "")
        if isinstance(value, bool):
            found[name] = st.booleans()
        elif isinstance(value, float) and value:
            found[name] = st.floats(min(value, value / 2), max(value, value / 2))
        elif unit in UNITS and float(number):
            low, high = sorted((float(number) / 2, float(number) * 2))
            found[name] = st.floats(low, high).map(lambda value, unit=unit: f"{value!r} {unit}")
    return found


@pytest.mark.parametrize("kind", COMPONENTS, ids=lambda kind: f"{kind.family}-{kind.model_fields['type'].default}")
@settings(max_examples=10, deadline=None)
@given(st.data())
def test_every_component_through_plain_data_toml_and_changes(kind: type[Component], data):
    import tomli_w

    changes = data.draw(st.fixed_dictionaries({}, optional=values_of(kind())))
    try:
        made = kind(**changes)
    except ConfigurationError as error:  # two values that do not go together
        assert "np." not in str(error)
        return
    plain = made.to_dict()
    assert kind.parse(plain) == made
    assert kind.parse(tomllib.loads(tomli_w.dumps(_none_as_text(plain)))) == made
    # changes are what they are, however they come in
    assert kind().with_changes(**changes) == made
    if issubclass(kind, Reservoir):
        whole = Configuration(reservoir=kind())
        dotted = whole.with_changes(**{f"reservoir.{key}": value for key, value in changes.items()})
        assert dotted.reservoir == made
        assert whole.with_changes(reservoir=changes) == dotted
        assert dotted.with_changes(**{"when.feedback": "0 mV/ms"}).reservoir == made


@settings(max_examples=20, deadline=None)
@given(
    st.integers(100, 5000),
    st.floats(0, 5),
    st.one_of(st.none(), st.tuples(st.floats(0.5, 20), st.floats(20, 50))),
    st.sampled_from(["force", "three_factor", "normalised_three_factor"]),
    st.booleans(),
)
def test_a_configuration_through_a_file(tmp_path_factory, n, feedback, delay, rule, confident):
    data = {
        "reservoir": {"n": n, "delay": None if delay is None else [f"{each!r} ms" for each in delay]},
        "when": {"feedback": f"{feedback!r} mV/ms", "rule": rule},
        "confidence": {} if confident else None,
    }
    made = Configuration.parse(data)
    path = tmp_path_factory.mktemp("toml") / "it.toml"
    path.write_text(made.to_toml(), encoding="utf-8")
    assert read(path) == made
    assert hash(read(path)) == hash(made)
    assert Configuration.parse(made.to_dict()) == made
    settings_ = [f"reservoir.n={n}", f"when.feedback={feedback!r} mV/ms", f"when.rule={rule}"]
    told = read(None, settings_).with_changes(**{"reservoir.delay": data["reservoir"]["delay"]})
    assert told.with_changes(confidence=data["confidence"]) == made


@quick
@given(
    st.dictionaries(
        st.text(max_size=8),
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
        max_size=3,
    )
)
def test_any_table_is_a_configuration_or_clear_lines(data):
    try:
        Configuration.parse(data)
    except ConfigurationError as error:
        assert all(each.problem for each in error.complaints)
