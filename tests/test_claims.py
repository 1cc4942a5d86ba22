"""Claims: the rule of the verdicts, what each is measured by, and that all can be run and measured."""

import numpy as np
import pandas as pd
import pytest
import small

from izhires.analysis.claims import Claim, Criterion, all_claims, judge
from izhires.analysis.declared import Unavailable
from izhires.analysis.reproduce import draw_conditions, measure, report_text, reproduce, studies_of
from izhires.analysis.statistics import t_interval
from izhires.analysis.studies import STUDIES
from izhires.errors import ConfigurationError
from izhires.model.conditions import all_conditions
from izhires.model.configuration import Configuration
from izhires.recordings.recording import load


def made(tests, function=lambda runs: {"ours": 1.0}, studies=("default",)):
    return Claim("it", "it is so", "0.5", "a ratio", "another", "1", studies, tests, "nobody", function)


def table(**quantities):
    rows = [("it", seed, name, value) for name, values in quantities.items() for seed, value in enumerate(values)]
    return pd.DataFrame(rows, columns=["claim", "seed", "quantity", "value"])


LOW = [0.1, 0.12, 0.11, 0.09]
HIGH = [1.0, 1.1, 0.9, 1.05]
WIDE = [0.1, 1.2, 0.2, 0.3]


@pytest.mark.parametrize(
    ("ours", "difference", "verdict"),
    [
        (LOW, HIGH, "reproduced"),
        (LOW, WIDE, "reproduced in part"),  # the interval of the difference holds 0
        (HIGH, HIGH, "reproduced in part"),
        (HIGH, [-each for each in HIGH], "not reproduced"),
        (WIDE, WIDE, "not reproduced"),
        (LOW[:1], HIGH[:1], "too few seeds"),
        ([np.nan] * 3, [np.nan] * 3, "not run"),
    ],
)
def test_a_verdict_follows_from_the_intervals(ours, difference, verdict):
    tests = {"ours": Criterion("ratio", "<", 0.44), "difference": Criterion("control less ours", ">", 0)}
    found = judge({"it": made(tests)}, table(ours=ours, difference=difference))
    assert found["verdict"].tolist() == [verdict]
    if len(ours) > 1:
        low, high = t_interval(ours)[1:]
        np.testing.assert_allclose(found[["ours_low", "ours_high"]].to_numpy()[0], [low, high])


def test_the_difference_is_that_of_control_and_ours_unless_the_claim_says_otherwise():
    assert made({}, lambda runs: {"ours": 1.0, "control": 3.0}).measure({}).values["difference"] == 2.0
    assert (
        made({}, lambda runs: {"ours": 1.0, "control": 3.0, "difference": 7.0}).measure({}).values["difference"] == 7.0
    )


def test_what_cannot_be_measured_is_missing():
    def nothing(runs):
        raise Unavailable("no recording")

    found, note = made({"more": Criterion("more", ">", 0)}, nothing).measure({})
    assert note == "no recording"
    assert set(found) == {"ours", "control", "difference", "more"}
    assert np.isnan(list(found.values())).all()


def test_every_claim_names_studies_that_are_there_and_has_a_test_that_can_fail():
    for each in all_claims().values():
        assert set(each.studies) <= set(STUDIES), each.name
        assert each.tests, each.name
        assert each.statement
        assert each.control
        for test in each.tests.values():
            assert test.holds(test.limit - 1, test.limit - 0.5) != test.holds(test.limit + 0.5, test.limit + 1)


def test_every_study_is_a_configuration_and_is_used():
    for name, study in STUDIES.items():
        assert isinstance(study.configuration(), Configuration), name
        assert set(study.conditions) <= set(all_conditions()), name
    assert {study for each in all_claims().values() for study in each.studies} == set(STUDIES)


def test_an_unknown_claim_is_refused_with_the_valid_ones(tmp_path):
    with pytest.raises(ConfigurationError, match="'eror_falls' is not a claim, did you mean 'error_falls'"):
        reproduce([0], tmp_path, ["eror_falls"])


BASE = {key: value for key, value in small.configuration().to_dict().items() if key in ("reservoir", "state", "when")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The studies of two claims on a network of 100 cells and the whole task; all share one build."""
    out = tmp_path_factory.mktemp("claims")
    said = []
    result = reproduce(
        [0, 1], out, ["error_falls", "what_and_when_apart"], base=BASE, report=lambda *each: said.append(each)
    )
    return out, result, said


def test_claims_are_run_measured_judged_and_written(folder):
    out, (found, seconds, problems), said = folder
    assert not problems
    assert found["claim"].tolist() == ["error_falls", "what_and_when_apart"]
    assert (found["seeds"] == 2).all()
    needed = studies_of(all_claims(["error_falls", "what_and_when_apart"]))
    assert needed == ["default", "no_learning", "frozen_what", "frozen_when"]
    assert set(seconds) == {*needed, "builds", "runs", "analysis"}
    assert seconds["builds"] + seconds["runs"] == pytest.approx(sum(seconds[each] for each in needed))
    for study in needed:
        assert len(list((out / study).glob("*.nc"))) == 2
    assert {each[0] for each in said} == set(needed)
    pd.testing.assert_frame_equal(
        pd.read_csv(out / "claims.csv", dtype={"unit": str}).fillna({"missing": ""}), found, check_dtype=False
    )
    text = (out / "claims.md").read_text()
    assert text == report_text(found, [0, 1], problems)
    assert found["verdict"][0] in text


def test_what_was_run_is_kept(folder):
    out, (found, *_), _ = folder
    said = []
    again, _, _ = reproduce([0, 1], out, ["error_falls"], base=BASE, report=lambda *each: said.append(each))
    assert {each[2] for each in said} == {"kept"}
    pd.testing.assert_frame_equal(again, found[:1])


def test_a_bar_in_a_cell_does_not_end_it():
    each = made({"ours": Criterion("|r|", ">", 0)})
    found = judge({"it": each}, table(ours=LOW)).assign(measured="|r| of each seed")
    row = next(line for line in report_text(found, [0], {}).splitlines() if "of each seed" in line)
    assert row.replace("\\|", "").count("|") == 6


def test_without_learning_nothing_changes(folder):
    out, (found, *_), _ = folder
    assert found["control"][0] == 1.0
    for path in (out / "no_learning").glob("*.nc"):
        assert not load(path)["when_weights"].values.any()
        assert not load(path)["what_weights"].values.any()


def test_a_frozen_readout_keeps_its_weights_after_the_first_block(folder):
    out, _, _ = folder
    for frozen, free in (("what", "when"), ("when", "what")):
        recording = load(out / f"frozen_{frozen}" / "meet_seed0.nc")
        later = recording["block"].values > 0
        end = recording[f"{frozen}_weights"].values[~later][-1]
        assert end.any()
        assert (recording[f"{frozen}_weights"].values[later] == end).all()
        assert (recording[f"{free}_weights"].values[later] != recording[f"{free}_weights"].values[~later][-1]).any()


def test_a_missing_recording_leaves_the_others(folder, tmp_path):
    out, _, _ = folder
    claims = all_claims(["error_falls"])
    measured = measure(claims, [0, 1, 7], out)
    ours = measured[measured["quantity"] == "ours"].set_index("seed")["value"]
    assert np.isnan(ours[7])
    assert np.isfinite(ours[[0, 1]]).all()
    judged = judge(claims, measured)
    assert judged["seeds"].tolist() == [2]
    reason = "default has no recording of seed 7 (seed 7)"
    assert judged["missing"].tolist() == [reason]
    assert f"- error_falls: {reason}" in report_text(judged, [0, 1, 7], {}).splitlines()


def test_conditions_are_drawn_side_by_side(folder, tmp_path):
    out, _, _ = folder
    for name in ("default", "no_gate"):  # the same recordings twice stand for two studies
        (tmp_path / name).symlink_to(out / "default")
    paths = draw_conditions([0, 1], tmp_path)
    assert {path.suffix for path in paths} == {".pdf", ".png", ".csv"}
    drawn = pd.read_csv(tmp_path / "figures" / "conditions_error.csv")
    assert set(drawn["study"]) == {"default", "no_gate", "predicting nothing"}
    recording = load(out / "default" / "meet_seed0.nc")
    other = load(out / "default" / "meet_seed1.nc")
    wanted = np.mean([float((each["expectation"][0] ** 2).mean() ** 0.5) for each in (recording, other)])
    first = drawn[(drawn["study"] == "predicting nothing") & (drawn["trial"] == 0)]
    np.testing.assert_allclose(first["mean"], wanted, rtol=1e-5)


def test_the_control_of_recurrence_is_that_of_the_example():
    from pathlib import Path

    from izhires.model.conditions import apply
    from izhires.model.configuration import read

    example = Path(__file__).parents[1] / "examples" / "unconnected.toml"
    assert apply(Configuration(), ["unconnected"]) == read(example)
