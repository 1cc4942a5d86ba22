import gc
import json
import pickle
import subprocess
import sys
import textwrap
from typing import Annotated, Literal

import brian2 as b2
import numpy as np
import pytest
from pydantic import Field, PydanticUserError, ValidationError

from izhires.circuits.base import Reservoir
from izhires.circuits.random import Random
from izhires.circuits.sequence import Sequence
from izhires.declare import (
    ASSUMED,
    UNITS,
    Declaration,
    Drive,
    Hertz,
    Milliseconds,
    Millivolts,
    Noise,
    PerMillisecond,
    Seconds,
    _DeclarationType,
    chosen,
    parameter,
    parse_quantity,
)
from izhires.errors import ConfigurationError
from izhires.gates.base import Gate
from izhires.model.model import Model
from izhires.rules.base import Rule
from izhires.rules.three_factor import ThreeFactor


class Inner(Declaration):
    """Something inside something."""

    tau: Milliseconds = parameter("10 ms", "a time", gt=0)
    share: float = parameter(0.5, "a share", ge=0, le=1)


class Outer(Declaration):
    """One of everything."""

    inner: Inner = parameter(Inner(), "one")
    several: tuple[Inner, ...] = parameter((), "many")
    named: dict[str, Inner] = parameter({}, "by name")
    times: dict[str, Milliseconds] = parameter({}, "times by name")
    span: tuple[Milliseconds, Milliseconds] = parameter(("1 ms", "2 ms"), "a range")
    wait: Milliseconds | None = parameter(None, "perhaps a time", symbol="w", source="someone 1999", ge=1)
    count: int = parameter(3, "a number", ge=1, lt=10)
    chances: tuple[Annotated[float, Field(ge=0, le=1)], ...] = parameter((), "chances")
    flag: bool = parameter(False, "yes or no")
    text: str = parameter("x", "a word", min_length=1)
    kind: Literal["a", "b"] = parameter("a", "one of two")


# every unit, with what one of it is in SI
SI = {
    "ms": 1e-3, "s": 1, "us": 1e-6, "min": 60, "mV": 1e-3, "V": 1, "uV": 1e-6, "Hz": 1, "kHz": 1e3,
    "mV/ms": 1, "V/s": 1, "mV/sqrt(ms)": 1e-3 / 1e-3**0.5, "1/ms": 1e3, "1/s": 1,
}  # fmt: skip


@pytest.mark.parametrize("given", UNITS)
@pytest.mark.parametrize("wanted", UNITS)
def test_every_unit_into_every_other(given, wanted):
    if UNITS[given].kind == UNITS[wanted].kind:
        value = parse_quantity(f"3.5 {given}", wanted)
        assert value == pytest.approx(3.5 * SI[given] / SI[wanted], rel=1e-13)
        if not given[0].isdigit():
            assert parse_quantity(f"3.5{given}", wanted) == value
    else:
        with pytest.raises(ValueError, match=r"'3.5 .*' has the wrong unit; an? .* needs one of: ") as caught:
            parse_quantity(f"3.5 {given}", wanted)
        valid = [name for name, each in UNITS.items() if each.kind == UNITS[wanted].kind]
        assert str(caught.value).endswith(f"needs one of: {', '.join(valid)}")


@pytest.mark.parametrize(
    ("quantity", "unit", "value"),
    [
        (50 * b2.ms, "ms", 50.0),
        (0.3 * b2.second, "ms", 300.0),
        (2 * b2.ms, "s", 0.002),
        (-65 * b2.mV, "mV", -65.0),
        (20 * b2.Hz, "Hz", 20.0),
        (3 * b2.mV / b2.ms, "mV/ms", 3.0),
        (0.5 * b2.mV / b2.ms**0.5, "mV/sqrt(ms)", 0.5),
        (0.02 / b2.ms, "1/ms", 0.02),
    ],
)
def test_brian2_quantities(quantity, unit, value):
    assert parse_quantity(quantity, unit) == value
    assert isinstance(parse_quantity(quantity, unit), float)


def test_the_conversion_adds_no_noise_of_its_own():
    # 1.001*1000 is 1000.9999999999999 in floating point
    for k in range(1, 3000):
        assert parse_quantity(f"{k / 1000} s", "ms") == k
        assert parse_quantity(k * b2.ms, "ms") == k
        assert parse_quantity(f"{k} ms", "s") == k / 1000
    exact = "3.1622776601683795"
    assert parse_quantity(f"{exact} Hz", "Hz") == float(exact)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (50, "50 has no unit; a time needs one of: ms, s, us, min, written like '50 ms'"),
        (0.5, "0.5 has no unit; a time needs one of"),
        (np.float64(2), "has no unit; a time needs one of"),
        (True, "True has no unit"),
        (None, "None has no unit"),
        ("50", "'50' has no unit; a time needs one of: ms, s, us, min"),
        ("50 mV", "'50 mV' has the wrong unit; a time needs one of: ms, s, us, min"),
        ("50 msec", "'50 msec' has the wrong unit"),
        ("50 MS", "'50 MS' has the wrong unit"),
        ("fifty ms", "'fifty ms' is not a number with a unit; write it like '1 ms' (units: ms, s, us, min)"),
        ("", "'' is not a number with a unit"),
        ("ms", "'ms' is not a number with a unit"),
        ("1,5 ms", "'1,5 ms' has the wrong unit"),
        ("nan ms", "'nan ms' is not a number with a unit"),
        ("inf ms", "'inf ms' is not a number with a unit"),
        (5 * b2.mV, "has the wrong unit; a time needs one of: ms, s, us, min"),
        ([1, 2] * b2.ms, "is not a single time"),
    ],
)
def test_quantities_that_cannot_be(value, message):
    with pytest.raises(ConfigurationError) as caught:
        Inner(tau=value)
    assert str(caught.value).startswith("Inner.tau: ")
    assert message in str(caught.value)
    assert len(caught.value.complaints) == 1


@pytest.mark.parametrize(
    "text", ["1.5 ms", "1.5ms", " 1.5 ms ", "+1.5 ms", "15e-1 ms", ".15e1 ms", "0.0015 s", "1500 us"]
)
def test_ways_to_write_a_quantity(text):
    assert Inner(tau=text).tau == 1.5


def test_a_number_too_large_for_a_float():
    with pytest.raises(ConfigurationError, match=r"^Inner.tau: must be finite, got inf$"):
        Inner(tau="1e999 ms")


NOT_NAMED = "(valid: inner, several, named, times, span, wait, count, chances, flag, text, kind)"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inner": {"tau": "0 ms"}}, "Outer.inner.tau: must be above 0.0 ms, got 0.0 ms"),
        ({"inner": {"tau": "-2 s"}}, "Outer.inner.tau: must be above 0.0 ms, got -2000.0 ms"),
        ({"inner": {"share": 1.5}}, "Outer.inner.share: must be at most 1.0, got 1.5"),
        ({"inner": {"share": float("nan")}}, "Outer.inner.share: must be finite, got nan"),
        ({"inner": {"share": "much"}}, "Outer.inner.share: must be a number, got 'much'"),
        ({"inner": {"share": None}}, "Outer.inner.share: must be a number, got None"),
        ({"inner": {"taw": "1 ms"}}, "Outer.inner.taw: unknown key, did you mean 'tau'? (valid: tau, share)"),
        ({"inner": 3}, "Outer.inner: must be a table, got 3"),
        ({"several": [{}, {"share": -1}]}, "Outer.several[1].share: must be at least 0.0, got -1"),
        ({"several": [{}, {"x": -1}]}, "Outer.several[1].x: unknown key (valid: tau, share)"),
        ({"several": 3}, "Outer.several: must be a list, got 3"),
        ({"named": {"A": {"tau": 3}}}, "Outer.named.A.tau: 3 has no unit"),
        ({"named": {"A": {"sharp": 3}}}, "Outer.named.A.sharp: unknown key, did you mean 'share'? (valid: tau, share)"),
        ({"named": 3}, "Outer.named: must be a table, got 3"),
        ({"named": {3: {}}}, "Outer.named[3]: must be text, got 3"),
        ({"times": {"B": "3 V"}}, "Outer.times.B: '3 V' has the wrong unit"),
        ({"span": ("1 ms",)}, "Outer.span[1]: is required"),
        ({"span": ("1 ms", "2 ms", "3 ms")}, "Outer.span: takes at most 2, got 3"),
        ({"span": ("1 ms", 2)}, "Outer.span[1]: 2 has no unit"),
        ({"wait": 0.2 * b2.ms}, "Outer.wait: must be at least 1 ms, got 200. us"),
        ({"wait": "0.2 ms"}, "Outer.wait: must be at least 1 ms, got 0.2 ms"),
        ({"count": 0}, "Outer.count: must be at least 1, got 0"),
        ({"count": 10}, "Outer.count: must be below 10, got 10"),
        ({"count": 2.5}, "Outer.count: must be a whole number, got 2.5"),
        ({"count": "many"}, "Outer.count: must be a whole number, got 'many'"),
        ({"count": None}, "Outer.count: must be a whole number, got None"),
        ({"chances": [0.5, 1.2]}, "Outer.chances[1]: must be at most 1.0, got 1.2"),
        ({"flag": "perhaps"}, "Outer.flag: must be true or false, got 'perhaps'"),
        ({"flag": None}, "Outer.flag: must be true or false, got None"),
        ({"text": 3}, "Outer.text: must be text, got 3"),
        ({"text": ""}, "Outer.text: must have at least 1 characters, got ''"),
        ({"kind": "c"}, "Outer.kind: 'c' is not a choice (valid: 'a' or 'b')"),
        ({"conut": 3}, f"Outer.conut: unknown key, did you mean 'count'? {NOT_NAMED}"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(changes, message):
    with pytest.raises(ConfigurationError) as caught:
        Outer(**changes)
    assert message in str(caught.value)
    assert len(caught.value.complaints) == 1
    assert not isinstance(caught.value, ValidationError)
    # the same from a table, where the user knows no class
    with pytest.raises(ConfigurationError) as caught:
        Outer.parse(changes, place="outer")
    assert message.removeprefix("Outer.") in str(caught.value)
    assert str(caught.value).startswith("outer.")


def test_everything_that_is_wrong_is_named_at_once():
    with pytest.raises(ConfigurationError) as caught:
        Outer(inner={"tau": 3, "share": 2}, count=0, nmae=1)
    places = [complaint.place for complaint in caught.value.complaints]
    assert sorted(places) == ["Outer.count", "Outer.inner.share", "Outer.inner.tau", "Outer.nmae"]
    with pytest.raises(ConfigurationError, match=r"^must be a table, got \[1\]$"):
        Outer.parse([1])
    with pytest.raises(ConfigurationError, match=r"^\[1\]: must have text as its keys$"):
        Outer.parse({1: 2})


def test_what_has_no_default_must_be_told():
    class Needs(Declaration):
        """Needs a value."""

        value: int = parameter(..., "a value")

    with pytest.raises(ConfigurationError, match=r"^Needs.value: is required$"):
        Needs()
    assert Needs.symbols()[0]["default"] == "required"


def test_a_declaration_is_frozen():
    outer = Outer()
    with pytest.raises(ValidationError, match="frozen"):
        outer.count = 4
    with pytest.raises(ValidationError, match="frozen"):
        outer.inner.share = 0.1
    assert outer == Outer()


def test_a_table_that_was_given_is_not_shared():
    times = {"A": "1 ms"}
    outer = Outer(times=times)
    times["A"] = "2 ms"
    times["B"] = "2 ms"
    assert outer.times == {"A": 1.0}


def test_equal_content_is_equal():
    one = Outer(inner={"tau": "1.1 s"}, several=[Inner()], times={"A": "0.2 s", "B": 3 * b2.ms}, wait="1 s")
    two = Outer(inner=Inner(tau="1100 ms"), several=(Inner(tau=10 * b2.ms),), times={"A": "200 ms", "B": "3 ms"},
                wait="1000 ms")  # fmt: skip
    assert one == two
    assert hash(one) == hash(two)
    assert str(one) == str(two)
    assert repr(one) == repr(two)
    assert len({one, two}) == 1
    for other in (
        one.with_changes(count=4),
        one.with_changes(wait=None),
        one.with_changes(inner={"tau": "1100.0000001 ms"}),
        # order is content: cells and events are numbered by it
        one.with_changes(times={"B": "3 ms", "A": "200 ms"}),
    ):
        assert one != other
        assert hash(one) != hash(other)
        assert str(one) != str(other)
    assert one != one.to_dict()

    class Twin(Inner):
        """The same content, another kind."""

    assert Twin() != Inner()


@pytest.mark.parametrize(
    "declaration", [Outer(several=[{}, {"share": 0.1}], span=("0.1 s", "1e3 ms")), Model(), Random()]
)
def test_plain_data_and_back(declaration):
    data = declaration.to_dict()
    through_text = json.loads(json.dumps(data))
    assert through_text == data
    again = type(declaration).parse(through_text)
    assert again == declaration
    assert again.to_dict() == data
    assert eval(repr(declaration.to_dict())) == data


def test_none_as_text_only_where_there_may_be_none():
    assert Outer(wait="5 ms").with_changes(wait="none").wait is None
    assert Model(reservoir={"type": "random", "adaptation": "none"}).reservoir == Random(adaptation=None)
    assert Outer(text="none").text == "none"
    with pytest.raises(ConfigurationError, match=r"^Outer.count: must be a whole number, got 'none'$"):
        Outer(count="none")


def test_a_changed_copy_is_validated_as_a_whole():
    random = Random(n=200, out_degree=50)
    assert random.with_changes(noise="0.1 mV/sqrt(ms)").noise == 0.1
    assert random.with_changes(noise="0.1 mV/sqrt(ms)").out_degree == 50
    assert random.noise == 0.2
    assert random.with_changes() == random
    with pytest.raises(ConfigurationError, match=r"^Random.adaptation: the range must be positive and ascend$"):
        random.with_changes(adaptation=("60 ms", "50 ms"))
    with pytest.raises(ConfigurationError, match=r"^Random.nn: unknown key"):
        random.with_changes(nn=40)


def test_the_table_of_parameters():
    rows = {row["name"]: row for row in Outer.symbols()}
    assert list(rows) == list(Outer.model_fields)
    assert rows["wait"] == {
        "name": "wait", "symbol": "w", "meaning": "perhaps a time", "unit": "ms", "default": "None",
        "source": "someone 1999",
    }  # fmt: skip
    assert {name: row["unit"] for name, row in rows.items() if row["unit"]} == {
        "times": "ms",
        "span": "ms",
        "wait": "ms",
    }
    assert rows["count"]["symbol"] == "count"
    assert rows["count"]["source"] == ASSUMED

    class Units(Declaration):
        """Every unit there is an annotation for."""

        a: Milliseconds = parameter("1 ms", "a")
        b: Seconds = parameter("1 s", "b")
        c: Millivolts = parameter("1 mV", "c")
        d: Hertz = parameter("1 Hz", "d")
        e: Drive = parameter("1 mV/ms", "e")
        f: Noise = parameter("1 mV/sqrt(ms)", "f")
        g: PerMillisecond = parameter("1 1/ms", "g")

    units = ["ms", "s", "mV", "Hz", "mV/ms", "mV/sqrt(ms)", "1/ms"]
    assert [row["unit"] for row in Units.symbols()] == units
    assert [row["default"] for row in Units.symbols()] == [f"1 {unit}" for unit in units]
    assert Units().to_dict() == {name: f"1.0 {unit}" for name, unit in zip("abcdefg", units, strict=True)}


@pytest.mark.parametrize("family", [Reservoir, Rule, Gate])
def test_every_parameter_of_the_package_has_a_meaning_and_a_source(family):
    alternatives = family.alternatives()
    assert alternatives
    for name, each in alternatives.items():
        assert each.model_fields["type"].default == name
        assert each.summary().endswith("."), each
        for field in each.model_fields.values():
            assert field.description or field.default == name, each
        for row in each.symbols():
            assert row["meaning"], row
            assert row["source"], row


def test_a_component_is_chosen_by_name_by_table_or_as_it_is():
    by_name, by_table, as_it_is = (Model(reservoir=given) for given in ("random", {"type": "random"}, Random()))
    assert by_name == by_table == as_it_is
    assert isinstance(by_name.reservoir, Random)
    assert Model(reservoir={"type": "random", "n": 400}).reservoir == Random(n=400)
    # a table without a type changes the default
    assert Model(reservoir={"n": 500}).reservoir == Sequence(n=500)
    assert Model() == Model(reservoir="sequence")
    assert Model(when={"rule": ThreeFactor()}) == Model(when={"rule": "three_factor"})
    # what only one alternative has is kept
    assert Model.parse(by_table.to_dict()).reservoir.out_degree == Random().out_degree


CIRCUITS = "(valid: grown, random, sequence"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("randon", f"Model.reservoir.type: 'randon' is not a circuit, did you mean 'random'? {CIRCUITS}"),
        ({"type": "xyz"}, f"Model.reservoir.type: 'xyz' is not a circuit {CIRCUITS}"),
        ({"type": ["random"]}, f"Model.reservoir.type: ['random'] is not a circuit, did you mean 'random'? {CIRCUITS}"),
        (3, f"Model.reservoir: 3 is not a circuit {CIRCUITS}"),
        (None, f"Model.reservoir: None is not a circuit {CIRCUITS}"),
        (ThreeFactor(), f"is not a circuit {CIRCUITS}"),
        ({"type": "random", "groups": 3}, "Model.reservoir.groups: unknown key (valid: n, cell,"),
        ({"delay": "20 ms"}, "Model.reservoir.delay: must be a list, got '20 ms'"),
        ({"type": "random", "delay": 1}, "Model.reservoir.delay: 1 has no unit"),
        ({"composition": {"RS": 0.5}}, "Model.reservoir.cell.composition: the shares must sum to 1, they sum to 0.5"),
    ],
)
def test_a_component_that_cannot_be(given, message):
    with pytest.raises(ConfigurationError) as caught:
        Model(reservoir=given)
    assert message in str(caught.value)
    assert len(caught.value.complaints) == 1


def test_a_users_own_component_joins_its_family_while_it_lives():
    def scope():
        class Slow(Gate):
            """A gate of one's own."""

            type: Literal["slow"] = "slow"
            expression = "1"
            width: Milliseconds = parameter("10 ms", "how wide")

        class SlowerStill(Slow):
            """It has no type of its own, so that it cannot be chosen by name and takes nobody's place."""

        class Holder(Declaration):
            """Holds a gate."""

            gate: chosen(Gate, "slow") = parameter("slow", "gate")

        assert Gate.alternatives()["slow"] is Slow
        assert Holder().gate == Slow()
        assert Holder(gate={"width": "20 ms"}).gate.width == 20
        assert Holder(gate={"type": "slow", "width": "20 ms"}).gate.width == 20
        assert Holder(gate=SlowerStill(width="30 ms")).to_dict() == {"gate": {"type": "slow", "width": "30.0 ms"}}
        with pytest.raises(ConfigurationError, match=r"^Holder.gate.width: '20 mV' has the wrong unit"):
            Holder(gate={"width": "20 mV"})

    scope()
    gc.collect()
    assert "slow" not in Gate.alternatives()


def test_a_type_that_is_taken():
    """By the package's own gate, or by one of another script; what is defined again takes its own earlier place."""

    def scope():
        def make(module, name="Mine", type="open"):
            annotations = {"type": Literal[type]}
            return _DeclarationType(name, (Gate,), {
                "__module__": module, "__qualname__": name, "__annotations__": annotations, "type": type,
                "expression": "1",
            })  # fmt: skip

        mine = make("mine_0123abcd")
        with pytest.raises(ConfigurationError, match=r"^Mine: the type 'open' is taken by izhires\.gates\.open\.Open"):
            Gate.alternatives()
        again = make("mine_4567cdef", type="ajar")  # the script after its type was changed, in another folder
        assert Gate.alternatives()["ajar"] is again and mine not in Gate.alternatives().values()
        assert Gate.alternatives()["open"].__module__ == "izhires.gates.open"
        other = make("other", "Other", type="ajar")
        with pytest.raises(ConfigurationError, match=r"^Other: the type 'ajar' is taken by mine_4567cdef\.Mine"):
            Gate.alternatives()
        del other
        gc.collect()
        for name in ("First", "Second"):  # in a notebook, under another name
            last = make("__main__", name, type="wide")
            assert Gate.alternatives()["wide"] is last

    scope()
    gc.collect()
    assert Gate.alternatives().keys().isdisjoint({"ajar", "wide"})


def test_a_component_whose_type_has_no_default():
    def scope():
        class Nameless(Gate):
            """A gate without a name."""

            type: Literal["nameless"]
            expression = "1"

        with pytest.raises(ConfigurationError, match=r"^Nameless: its type needs a default: type: Literal"):
            Gate.alternatives()

    scope()
    gc.collect()
    assert Gate.alternatives()


def test_a_new_component_is_one_new_file(tmp_path):
    (tmp_path / "everywhere.py").write_text(
        textwrap.dedent(
            '''
            from typing import ClassVar, Literal
            from izhires.rules.base import Rule

            class Everywhere(Rule):
                """A rule in a file of its own."""
                type: Literal["everywhere"] = "everywhere"
                schedule: ClassVar[str] = "step"
            '''
        )
    )
    script = """
        import sys
        import izhires.rules
        from izhires.model.model import Model
        izhires.rules.__path__.append(sys.argv[1])
        assert Model(when={"rule": "everywhere"}).when.rule.summary() == "A rule in a file of its own."
        assert "brian2" not in sys.modules
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_numbers_of_numpy_are_read_and_quoted_as_plain_ones():
    given = {"count": np.int64(4), "chances": np.array([0.5, 1.0]), "flag": np.bool_(True), "text": np.str_("a")}
    assert Outer(**given) == Outer(count=4, chances=(0.5, 1.0), flag=True, text="a")
    assert Outer().with_changes(**{"inner.share": np.float64(0.25)}).inner.share == 0.25
    for wrong in (
        {"count": np.float64(2.5)}, {"inner": {"share": np.float64(2)}}, {"inner": {"tau": np.float64(0.5)}},
        {"span": (np.float64(1), "2 ms")}, {"chances": np.array([0.5, 2.0])}, {"kind": np.str_("c")},
        {"text": np.float64(0.5)}, {"several": np.float64(0.5)}, {"named": {np.float64(0.5): {}}},
        {"flag": np.float64(0.5)}, {"wait": np.float64(0.5)},
    ):  # fmt: skip
        with pytest.raises(ConfigurationError) as caught:
            Outer(**wrong)
        assert "np." not in str(caught.value)
    with pytest.raises(ValueError, match=r"^0.5 has no unit; a time needs"):
        parse_quantity(np.float64(0.5), "ms")


def test_a_declaration_reaches_a_process_that_has_made_none(tmp_path):
    """Its class has no validators there yet, and what nests in it neither."""
    sent = Sequence(n=400)
    (tmp_path / "sent").write_bytes(pickle.dumps(sent))
    script = """
        import json, pickle, sys
        found = pickle.loads(open(sys.argv[1], "rb").read())
        assert found == type(found).parse(found.to_dict())
        print(json.dumps(found.to_dict()))
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "sent")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == sent.to_dict()


def test_annotations_that_cannot_be_read():
    with pytest.raises(PydanticUserError, match="Unable to generate pydantic-core schema"):  # at the class itself

        class Foreign(Declaration):
            mine: Sentinel = parameter(Sentinel(), "no type that text can stand for")

    class Later(Declaration):
        mine: "Undefined" = parameter(3, "a type that nobody defines")  # noqa: F821

    for make in (Later, lambda: Later.parse({"mine": 4})):
        with pytest.raises(ConfigurationError, match=r"^Later: its parameters cannot be read: .*Undefined"):
            make()


class Sentinel:
    """No declaration."""
