"""What a sweep is to run: designs, conditions, and the identity of each run."""

import subprocess
import sys
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import small

from izhires import Rule
from izhires.errors import ConfigurationError
from izhires.sweeps import design
from izhires.sweeps.design import Design, Range, Spec, expand, identity, read

BASE = small.configuration().to_dict()


def spec(**changes):
    return Spec(base=BASE, **changes)


# points


def test_a_grid_is_every_combination_in_order():
    rows = Design(parameters={"a": [1, 2], "b": ["x", "y", "z"]}).rows()
    assert rows == [{"a": a, "b": b} for a in (1, 2) for b in "xyz"]
    assert Design().rows() == [{}]  # the configuration as it is


def test_a_list_is_as_it_is_given():
    points = ({"a": 1}, {"a": 2, "b": "x"})
    assert Design(kind="list", points=points).rows() == list(points)


@pytest.mark.parametrize("kind", ["random", "latin-hypercube"])
def test_draws_lie_in_their_ranges_and_come_back(kind):
    ranges = {
        "linear": {"low": "-1 mV", "high": "3 mV"},
        "log": {"low": 0.01, "high": 100.0, "scale": "log"},
        "whole": {"low": 3, "high": 7},
        "choice": ["p", "q"],
    }
    rows = Design(kind=kind, parameters=ranges, points=64, seed=5).rows()
    assert rows == Design(kind=kind, parameters=ranges, points=64, seed=5).rows()
    assert rows != Design(kind=kind, parameters=ranges, points=64, seed=6).rows()
    linear = np.array([float(row["linear"].removesuffix(" mV")) for row in rows])
    log = np.log10([row["log"] for row in rows])
    assert -1 <= linear.min() < 0 < 2 < linear.max() <= 3
    assert -2 <= log.min() < -1 < 1 < log.max() <= 2
    assert abs(log.mean()) < 0.6  # of a linear spread it would be above 1.5
    assert {row["whole"] for row in rows} == {3, 4, 5, 6, 7}
    assert {row["choice"] for row in rows} == {"p", "q"}
    if kind == "latin-hypercube":  # one draw in each of 64 equal parts
        for shares in ((linear + 1) / 4, (log + 2) / 4):
            assert sorted(np.floor(shares * 64)) == list(range(64))


def test_the_ends_of_a_range():
    assert [Range(low="1 ms", high="3 ms").at(x) for x in (0, 0.5, 1)] == ["1.0 ms", "2.0 ms", "3.0 ms"]
    assert [Range(low=1, high=100, scale="log").at(x) for x in (0, 0.5, 1)] == [1, 10, 100]
    assert [Range(low=1, high=2).at(x) for x in (0, 0.49, 0.51, 1)] == [1, 1, 2, 2]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "grid", "parameters": {"a": {"low": 1, "high": 2}}}, "parameters.a: a grid needs a list of values"),
        ({"kind": "grid", "points": 3}, "points: a grid has every combination"),
        ({"kind": "random", "parameters": {"a": [1]}}, "points: a random design needs a number of points, got 0"),
        ({"kind": "random", "points": 3}, "parameters: a random design needs parameters to draw"),
        ({"kind": "list", "points": 3}, "points: a list design needs points"),
        ({"kind": "sobol"}, "kind: 'sobol' is not a choice (valid: 'grid', 'list', 'random' or 'latin-hypercube')"),
        ({"parameters": {"a": []}}, "parameters.a: has no values"),
        ({"parameters": {"a": 3}}, "parameters.a: must be a list of values or a table of low and high, got 3"),
        ({"parameters": {"a": {"low": "1 ms", "high": "2 s"}}}, "a.high: has the unit 's', low has 'ms'"),
        ({"parameters": {"a": {"low": 2, "high": 1}}}, "a.high: must be above low, got 2 to 1"),
        ({"parameters": {"a": {"low": 0, "high": 1, "scale": "log"}}}, "a.low: must be above 0 on a log scale"),
    ],
)
def test_a_wrong_design_is_named(changes, words):
    with pytest.raises(ConfigurationError) as error:
        Design(**changes)
    assert words in str(error.value)


# runs


def test_every_point_condition_variant_and_seed():
    found = expand(spec(design={"parameters": {"when.feedback": ["0 mV/ms", "0.5 mV/ms"]}}, seeds="3:5"))
    assert [(each.number, each.seed, each.configuration.when.feedback) for each in found] == [
        (0, 3, 0.0), (0, 4, 0.0), (1, 3, 0.5), (1, 4, 0.5)]  # fmt: skip
    assert len({each.run for each in found}) == 4
    assert found[0].name == "point 0, seed 3"
    levels = {**BASE, "paradigm": {"type": "meet_levels", "levels": [0.2, 0.8]}}
    assert [each.variant for each in expand(Spec(base=levels, seeds=0))] == ["p=0.20", "p=0.80"]


def test_conditions_are_applied_to_every_point():
    feedback = {"parameters": {"when.feedback": ["0.1 mV/ms", "0.5 mV/ms"]}}
    found = expand(spec(design=feedback, conditions=("", "no_feedback", ("no_feedback", "no_gate"))))
    assert [(each.condition, each.configuration.when.feedback) for each in found] == [
        ("", 0.1), ("no_feedback", 0.0), ("no_feedback + no_gate", 0.0),
        ("", 0.5), ("no_feedback", 0.0), ("no_feedback + no_gate", 0.0)]  # fmt: skip
    assert found[1].run == found[4].run != found[2].run == found[5].run  # one and the same run
    with pytest.raises(ConfigurationError, match="conditions: 'no_feedbak' is not a condition, did you mean"):
        expand(spec(conditions=("no_feedbak",)))


def test_a_component_and_its_parameters_may_both_change():
    point = {
        "reservoir.n": 90,
        "reservoir": "random",
        "reservoir.out_degree": 9,
        "when.rule": "three_factor",
        "when.rule.rate": "1e-4 1/ms",
    }
    (found,) = expand(spec(design={"kind": "list", "points": [point]}))
    assert (found.configuration.reservoir.type, found.configuration.reservoir.n) == ("random", 90)
    assert found.configuration.when.rule.type == "three_factor"


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("reservoir.n", 3, "point 0.reservoir.n: must be at least 10, got 3"),
        ("reservoir.m", 3, "point 0.reservoir.m: unknown key"),
        ("when.feedback", 3, "point 0.when.feedback: "),
        ("when.feedback.gain", 3, "point 0.when.feedback: "),
    ],
)
def test_a_point_that_cannot_be_is_named(key, value, words):
    with pytest.raises(ConfigurationError) as error:
        expand(spec(design={"parameters": {key: [value]}}))
    assert words in str(error.value)


def test_identity_is_a_hash_of_what_determines_a_run(monkeypatch):
    one, two = small.configuration(), small.configuration(when__feedback="0.4 mV/ms")
    given = (one, "", 0, "cpp", "plan")
    first = identity(*given)
    assert first == identity(small.configuration(), *given[1:])
    others = [
        (two, *given[1:]), (one, "p=0.20", 0, "cpp", "plan"), (one, "", 1, "cpp", "plan"),
        (one, "", 0, "numpy", "plan"), (one, "", 0, "cpp", "another")]  # fmt: skip
    found = [identity(*each) for each in others]
    monkeypatch.setattr(design, "version", lambda _: "99")
    found.append(identity(*given))
    monkeypatch.undo()
    monkeypatch.setattr(design, "LAYOUT", 99)
    found.append(identity(*given))
    assert len({first, *found}) == 1 + len(found)


def test_identity_is_the_same_in_another_process():
    code = f"""
import sys; sys.path.insert(0, {str(Path(small.__file__).parent)!r})
import small; from izhires.sweeps.design import identity
print(identity(small.configuration(), "", 0, "cpp", "plan"))
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert said == identity(small.configuration(), "", 0, "cpp", "plan")


def test_identity_knows_the_equations_of_a_users_own_rule():
    """They stand in no configuration."""

    def runs(update):
        class Own(Rule):
            """A rule of a script."""

            type: Literal["own_of_this_test"] = "own_of_this_test"
            schedule = "trial"
            equations = "step : second**2"
            channel_update = update
            weight_update = "w += step_post*x_pre"
            source = "this test"

        (found,) = expand(spec(design={"parameters": {"what.rule": ["own_of_this_test"]}}))
        return found.run

    assert runs("step = 0.1*learning*error/(power + 1*Hz**2)") != runs("step = 0.2*learning*error/(power + 1*Hz**2)")


# files

FILE = """
seeds = "0:2"
base = "here.toml"
metrics = ["error"]
[design]
kind = "latin-hypercube"
points = 3
[design.parameters]
"when.feedback" = { low = "0.1 mV/ms", high = "0.5 mV/ms" }
"""


def test_a_file_and_what_is_kept_of_it_are_the_same_sweep(tmp_path):
    (tmp_path / "here.toml").write_text(small.configuration().to_toml(), encoding="utf-8")
    (tmp_path / "sweep.toml").write_text(FILE, encoding="utf-8")
    found = read(tmp_path / "sweep.toml")
    assert found.configuration() == small.configuration()
    (tmp_path / "kept.toml").write_text(found.to_toml(), encoding="utf-8")
    (tmp_path / "here.toml").unlink()  # what is kept needs no other file
    kept = read(tmp_path / "kept.toml")
    assert [each.run for each in expand(kept)] == [
        each.run for each in expand(spec(design=found.design.to_dict(), seeds="0:2"))]  # fmt: skip
    assert kept.to_toml() == read(tmp_path / "kept.toml").to_toml()


def test_the_example_is_64_short_runs():
    found = read(Path(__file__).resolve().parents[1] / "examples" / "sweep.toml")
    assert len(found.design.rows()) * 4 == 64
    assert found.seeds == "0:4"
    assert found.configuration().paradigm.type == "meet"


def test_a_sweep_over_the_decay_of_dopamine():
    """A rule of a connection is named by its number in the list; all points of it have one plan."""
    points = expand(read(Path(__file__).resolve().parents[1] / "examples" / "dopamine_sweep.toml"))
    assert len(points) == 24
    found = {
        (
            each.configuration.neuromodulators["dopamine"].tau_decay,
            each.configuration.connections["forward"].plasticity[0].rate,
        )
        for each in points
    }
    assert found == {(decay, rate) for decay in (150, 200, 400, 800) for rate in (0.05, 0.1)}
    assert len({each.plan.fingerprint() for each in points}) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = [", "is not TOML"),
        ("sedes = 3", "sedes: unknown key, did you mean 'seeds'?"),
        ("base = 'none.toml'", "cannot be read: No such file"),
        ("seeds = '5:5'", "names no seed"),
        ("conditions = ['x']", "'x'"),
        ("[base.reservoir]\nn = 3", "base.reservoir.n: must be at least 10, got 3"),
        ("[sensitivity]\nsamples = 33", "sensitivity.samples: must be a power of two, got 33"),
    ],
)
def test_a_wrong_file_is_named(text, words, tmp_path):
    (tmp_path / "it.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as error:
        expand(read(tmp_path / "it.toml"))
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("design", "points"),
    [
        ({"parameters": {f"when.p{k}": list(range(100)) for k in range(8)}}, 100**8),
        ({"kind": "random", "points": 10**9, "parameters": {"reservoir.n": {"low": 100, "high": 200}}}, 10**9),
    ],
)
def test_a_sweep_that_is_too_large_is_refused_by_arithmetic(design, points):
    with pytest.raises(ConfigurationError) as caught:
        expand(Spec(paradigm="meet", design=design, seeds="0:5"))
    assert str(caught.value) == (
        f"design: {points} points x 1 conditions x 1 variants x 5 seeds are {5 * points} runs, "
        "more than the 1000000 of one command"
    )
