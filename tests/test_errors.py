import pickle

import pytest

from izhires.errors import (
    Complaint,
    ConfigurationError,
    IzhiresError,
    ParadigmError,
    RecordingError,
    SimulationError,
    ToolchainError,
    closest,
)


def test_a_complaint_says_where_what_and_what_would_be_valid():
    assert str(Complaint("", "is empty")) == "is empty"
    assert str(Complaint("trials[3].cue", "is late")) == "trials[3].cue: is late"
    assert str(Complaint("rule", "'x' is not a rule", ("a", "b"))) == "rule: 'x' is not a rule (valid: a, b)"


@pytest.mark.parametrize(
    ("inner", "outer", "place"),
    [
        ("", "model", "model"),
        ("rule", "model", "model.rule"),
        ("[2].rule", "models", "models[2].rule"),
        ("rule", "models[0]", "models[0].rule"),
        ("rule", "", "rule"),
        ("", "", ""),
    ],
)
def test_a_place_is_seen_from_further_out(inner, outer, place):
    assert Complaint(inner, "problem", ("a",)).within(outer) == Complaint(place, "problem", ("a",))


def test_an_error_holds_one_complaint_or_several():
    one = IzhiresError("is empty", "events.tsv", choices=(name for name in ("a", "b")))
    assert one.complaints == (Complaint("events.tsv", "is empty", ("a", "b")),)
    assert str(one) == "events.tsv: is empty (valid: a, b)"
    several = ConfigurationError([Complaint("a", "is required"), Complaint("[1]", "is late")], place="Meet")
    assert [complaint.place for complaint in several.complaints] == ["Meet.a", "Meet[1]"]
    assert str(several) == "Meet.a: is required\nMeet[1]: is late"


def test_each_kind_is_told_apart_by_its_exit_code_and_python_kind():
    codes = {
        IzhiresError: 1,
        ConfigurationError: 2,
        ParadigmError: 2,
        ToolchainError: 3,
        SimulationError: 4,
        RecordingError: 5,
    }
    assert set(codes) == {IzhiresError, *IzhiresError.__subclasses__()}
    for kind, code in codes.items():
        assert kind("x").exit_code == code
    assert issubclass(ConfigurationError, ValueError)
    assert issubclass(ParadigmError, ValueError)
    assert issubclass(ToolchainError, RuntimeError)


def test_an_error_comes_back_whole_from_another_process():
    error = ConfigurationError([Complaint("a", "is required", ("x",)), Complaint("b", "is late")], place="Meet")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is ConfigurationError
    assert str(again) == str(error)
    assert again.complaints == error.complaints


def test_the_nearest_name_is_offered_only_when_it_is_near():
    assert closest("windw", ("window", "cue")) == ", did you mean 'window'?"
    assert closest("xyz", ("window", "cue")) == ""
    assert closest("cue", ()) == ""
