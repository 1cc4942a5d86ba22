"""Claims: the rule of the verdicts, what each is measured by, and that all can be run and measured."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import small
import xarray as xr

from izhires.analysis.claims import Claim, Criterion, all_claims, judge
from izhires.analysis.claims.base import MARGIN, enough, errors, family_of_tests, needed
from izhires.analysis.claims.weights import effective, raw_weights
from izhires.analysis.counter import counted, counter
from izhires.analysis.declared import Unavailable
from izhires.analysis.reproduce import (
    Ran,
    draw_conditions,
    left_to_run,
    measure,
    of_more_seeds,
    report_text,
    reproduce,
    studies_of,
)
from izhires.analysis.statistics import CORRELATION, SHARE, fisher_z, holm, t_interval, t_p
from izhires.analysis.studies import STUDIES
from izhires.errors import ConfigurationError
from izhires.model.conditions import all_conditions
from izhires.model.configuration import Configuration
from izhires.recordings.recording import load
from izhires.rules.base import Rule


def made(tests, function=lambda runs: {"ours": 1.0}, studies=("default",), name="it", **more):
    return Claim(name, "it is so", "0.5", "a ratio", "another", "1", studies, tests, "nobody", function, **more)


def table(of="it", **quantities):
    rows = [(of, seed, name, value) for name, values in quantities.items() for seed, value in enumerate(values)]
    return pd.DataFrame(rows, columns=["claim", "seed", "quantity", "value"])


LOW = [0.1, 0.12, 0.11, 0.09]
HIGH = [1.0, 1.1, 0.9, 1.05]
WIDE = [0.1, 1.2, 0.2, 0.3]


def test_no_interval_leaves_the_range_of_its_quantity():
    claim = made({"ours": enough("ratio"), "excess": enough("excess")}, beside={"r": "|r|"}, within=errors("r"))
    values = [0.001, 0.002, 0.04]
    (row,) = judge({"it": claim}, table(ours=values, excess=values, r=values)).to_dict("records")
    assert 0 < row["ours_low"] < row["ours"] == pytest.approx(np.mean(values))
    found = family_of_tests({"it": claim}, table(ours=values, excess=values, r=values))
    assert found["it", "ours"].low == row["ours_low"]
    assert found["it", "excess"].low == pytest.approx(t_interval(values)[1]) and found["it", "excess"].low < 0
    sizes = replace(claim, unit="r", within={"ours": SHARE, "r": CORRELATION})
    wide = np.array([0.1, 0.2, 0.7])
    assert sizes.interval(wide, "control")[1] == pytest.approx(np.tanh(t_interval(np.arctanh(wide))[1]))
    assert (
        sizes.interval(wide, "r") == pytest.approx(sizes.interval(wide, "control")) and sizes.interval(wide, "r")[1] < 0
    )
    assert 0 < sizes.interval(wide, "ours")[1] < sizes.interval(wide, "ours")[0] < sizes.interval(wide, "ours")[2] < 1


def test_a_quantity_outside_of_its_range_is_an_error():
    def claim(ours):
        found = {"ours": ours, "control": np.nan}
        return made({"ours": enough("ratio")}, lambda runs: found, within=errors())

    assert claim(0.5).measure({}).values["ours"] == 0.5
    assert claim(-1e-12).measure({}).values["ours"] == -1e-12  # rounding
    with pytest.raises(ConfigurationError, match=r"claim it: 'ours' is -0.1, outside of its declared range, 0 to inf"):
        claim(-0.1).measure({})


def test_ranges_are_of_what_is_measured():
    for name, claim in all_claims().items():
        assert {*claim.within} <= {"ours", "control", *claim.tests, *claim.beside}, name


@pytest.mark.parametrize(
    ("ours", "difference", "verdict"),
    [
        (LOW, HIGH, "supported"),
        (LOW, WIDE, "inconclusive"),  # the difference is not decided
        (HIGH, HIGH, "contradicted"),
        (HIGH, WIDE, "contradicted"),  # one test that fails is enough
        (HIGH, [-each for each in HIGH], "contradicted"),
        (WIDE, WIDE, "inconclusive"),
        (LOW[:1], HIGH[:1], "too few seeds"),
        ([np.nan] * 3, [np.nan] * 3, "not run"),
    ],
)
def test_a_verdict_follows_from_the_tests(ours, difference, verdict):
    tests = {"ours": Criterion("ratio", "<", 0.44), "difference": Criterion("control less ours", ">", 0)}
    found = judge({"it": made(tests)}, table(ours=ours, difference=difference))
    assert found["verdict"].tolist() == [verdict]
    if len(ours) > 1:
        low, high = t_interval(ours)[1:]
        np.testing.assert_allclose(found[["ours_low", "ours_high"]].to_numpy()[0], [low, high])


def around(mean, spread=0.001):
    """Return ten values of a given mean."""
    return mean + spread * np.linspace(-1, 1, 10)


@pytest.mark.parametrize(
    ("excess", "is_needed", "is_enough"),
    [
        (around(3 * MARGIN), "supported", "contradicted"),
        (around(MARGIN + 0.002), "supported", "contradicted"),
        (around(MARGIN), "inconclusive", "inconclusive"),  # at the margin itself nothing is decided
        (around(MARGIN - 0.002), "contradicted", "supported"),
        (around(MARGIN / 2), "contradicted", "supported"),  # more than nothing, and less than the margin
        (around(-3 * MARGIN), "contradicted", "supported"),  # better without
        (around(MARGIN / 2, 0.3), "inconclusive", "inconclusive"),
    ],
)
def test_needed_and_enough_have_one_margin_and_contradict_each_other(excess, is_needed, is_enough):
    for test, wanted in ((needed("excess"), is_needed), (enough("excess"), is_enough)):
        found = judge({"it": made({"excess": test})}, table(ours=excess, excess=excess))
        assert found["verdict"].tolist() == [wanted]


def test_the_table_says_what_another_margin_would_change():
    excess = around(0.7 * MARGIN)
    found = judge({"it": made({"excess": needed("excess")})}, table(ours=excess, excess=excess))
    assert found["verdict"][0] == "contradicted"
    assert found["other_margins"][0] == "supported at half the margin"
    fixed = judge({"it": made({"excess": Criterion("excess", ">", MARGIN)})}, table(ours=excess, excess=excess))
    assert fixed["other_margins"][0] == ""  # a limit that is no margin stays


def test_all_tests_of_all_claims_are_one_family():
    """A test that decides alone decides nothing among ten others of no effect."""
    from scipy.stats import ttest_1samp

    ours = np.array([0.02, 0.3, 0.25, -0.05, 0.2, 0.15])
    p = ttest_1samp(ours, 0).pvalue
    assert 0.01 < p < 0.05
    test = {"ours": Criterion("more than nothing", ">", 0)}
    alone = judge({"it": made(test)}, table(ours=ours))
    assert alone["verdict"].tolist() == ["supported"]
    others = {f"other{k}": made(test, name=f"other{k}") for k in range(10)}
    rows = [table(ours=ours), *(table(name, ours=around(0.0)) for name in others)]
    family = {"it": made(test), **others}
    found = judge(family, pd.concat(rows))
    assert set(found["verdict"]) == {"inconclusive"}
    tests = family_of_tests(family, pd.concat(rows))
    assert tests["it", "ours"].p == pytest.approx(p)
    assert tests["it", "ours"].adjusted == pytest.approx(11 * p)
    assert f"p {p:.2g}, Holm {11 * p:.2g}, open" in found["tests"][0]


def test_p_values_are_those_of_scipy_and_holms_steps():
    from scipy.stats import ttest_1samp

    values = np.array([0.1, 0.4, 0.35, np.nan, 0.2])
    assert t_p(values, 0.3) == pytest.approx(ttest_1samp(values[~np.isnan(values)], 0.3).pvalue)
    assert t_p([1.0, 1.0], 1.0) == 1 and t_p([1.0, 1.0], 0.9) == 0
    assert np.isnan(t_p([1.0])) and np.isnan(t_p([]))
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, np.nan]), [0.03, 0.06, 0.06, np.nan])


def test_correlations_are_averaged_and_compared_as_fishers_z():
    r = np.array([0.9, 0.99, 0.999])
    test = {"ours": Criterion("r", ">", 0.5, correlation=True)}
    found = judge({"it": replace(made(test), unit="r")}, table(ours=r))
    mean, low, high = np.tanh(t_interval(np.arctanh(r)))
    np.testing.assert_allclose(found[["ours", "ours_low", "ours_high"]].to_numpy(float)[0], [mean, low, high])
    assert found["ours_high"][0] < 1  # which the interval of r itself is not
    assert t_interval(r)[2] > 1
    assert family_of_tests({"it": made(test)}, table(ours=r))["it", "ours"].p == pytest.approx(
        t_p(np.arctanh(r), np.arctanh(0.5))
    )
    assert np.isfinite(fisher_z([1.0, -1.0])).all()


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
        assert each.statement and each.control and each.where, each.name
        for test in each.tests.values():
            assert test.holds(test.limit - 0.5) != test.holds(test.limit + 0.5)
            assert not test.margin or test.limit == MARGIN


def test_without_learning_decides_no_verdict():
    """It is a bound: whatever learns beats it."""
    for each in all_claims().values():
        assert "without learning" not in each.control, each.name
        assert not any("without learning" in test.text for test in each.tests.values())


def test_every_study_says_its_conditions_in_one_line():
    for name, study in STUDIES.items():
        said = study.described()
        assert "\n" not in said and " ms with p " in said, name
        assert all(f"condition {each}" in said for each in study.conditions)
    assert "A at 360/200/520 ms" in STUDIES["grid_wide"].described()


# a network of two cells, and events that are written down
OUTCOMES = np.array([[1, 0], [1, 0], [0, 1], [1, 0], [0, 0]], bool)


def test_the_counter_is_the_delta_rule():
    rule = Rule.alternatives()["two_factor"].parse({"type": "two_factor", "rate": 0.1})
    found = counted(np.full((5, 1), 1e4), OUTCOMES, np.array([True, True, False, True, True]), rule)
    q, wanted = np.zeros(2), []
    for outcome, learn in zip(OUTCOMES, (1, 1, 0, 1, 1), strict=True):
        wanted.append(q)
        q = q + learn * 0.1 * (outcome - q)
    np.testing.assert_allclose(found, wanted, rtol=1e-7)


def test_the_counter_of_the_models_rule_is_the_networks_q(folder):
    """The claim itself: the same texts on a constant number give what a network of 100 cells says."""
    recording = load(folder[0] / "default" / "meet_seed0.nc")
    said = recording["trial_what"].transpose("trial", "event").values
    assert np.abs(said - counter(recording)).max() < 0.05
    assert np.ptp(said) > 0.5


def test_the_counter_keeps_what_a_rule_keeps_of_each_weight():
    """The rule's own counts: of one active cell, q is the mean of the outcomes with one prior trial of 1/.3."""
    rule = Rule.alternatives()["uncertainty_two_factor"].parse({"type": "uncertainty_two_factor", "half": "1e-9 Hz"})
    happened = np.tile([[1, 0], [0, 1]], (10, 1))
    found = counted(np.full((20, 1), 1e4), happened, np.ones(20, bool), rule)
    q, wanted = np.zeros(2), []
    for k, outcome in enumerate(happened):
        wanted.append(q)
        q = q + (outcome - q) / (1 / 0.3 + k)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def three_cues(says):
    """Return a recording of three cues, 100 trials each with exact counts, and what a network says at five probes."""
    from izhires.analysis.studies import CUES

    rng = np.random.default_rng(0)
    trials = [(name, event) for name, each in CUES.items() for event, p in each["probability"].items()
              for _ in range(round(100 * p))]  # fmt: skip
    trials = [trials[k] for k in rng.permutation(len(trials))]
    probes = [(name, "") for _ in range(5) for name in CUES]
    names, events = zip(*trials, *probes, strict=True)
    what = np.array([[says(name, event) for event in ("A", "B")] for name, _ in probes])
    return xr.Dataset(
        {
            "trial_cue_name": ("trial", np.array(names)),
            "trial_event": ("trial", np.array(events)),
            "trial_learn": ("trial", np.arange(len(names)) < len(trials)),
            "trial_kind": ("trial", np.repeat(["train", "probe"], [len(trials), len(probes)])),
            "trial_of_probe": ("probe", np.arange(len(trials), len(names))),
            "cue_name": ("probe", np.array([name for name, _ in probes])),
            "what": (("probe", "event"), what),
        },
        coords={"event": ["A", "B"], "probe": np.arange(len(probes)), "trial": np.arange(len(names))},
        attrs={"configuration": json.dumps({"what": {"rule": {"type": "two_factor", "rate": 0.02}}})},
    )


def test_a_network_that_reads_the_cue_and_one_that_counts():
    from izhires.analysis.studies import CUES

    claims = all_claims(["cue_read", "cue_read_wholly"])
    knows = three_cues(lambda name, event: CUES[name]["probability"][event])
    read, wholly = (each.measure({"cues": [knows]}).values for each in claims.values())
    assert read["ours"] == 0 and read["told"] < 0.15
    # whoever says .5 after all cues is wrong by .3, 0 and .3
    assert read["gain"] == read["control"] == pytest.approx(np.sqrt(0.06), abs=0.01)
    assert wholly["behind"] == -read["told"]
    counts = three_cues(lambda name, event: 0.5)
    assert claims["cue_read"].measure({"cues": [counts]}).values["gain"] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(("overlap", "angle"), [(0.0, 90), (1.0, 45)])
def test_directions_of_cues_are_compared_with_chance(overlap, angle):
    """What the second block wrote lies along cell 1, and, as far as it overlaps, along cell 0 of the first."""
    weights = np.zeros((2, 1, 1000))
    weights[0, 0, 0] = 0.5
    weights[1, 0, :2] = 0.5 - 0.3 * overlap, 0.3
    recording = xr.Dataset(
        {
            "what_weights": (("probe", "event", "neuron"), weights),
            "mean_state": (("probe", "neuron"), weights[:, 0]),
            "cue_name": ("probe", np.array(["tone", "touch"])),
            "block": ("probe", [0, 1]),
        },
        coords={"event": ["A"]},
        attrs={"seed": 0},
    )
    found = all_claims(["cues_have_directions"])["cues_have_directions"].measure({"cues_serial": [recording]}).values
    assert found["ours"] == pytest.approx(angle)
    assert found["isotropic"] == pytest.approx(angle - 88.55, abs=0.15)  # mean |cosine| in 1,000 dimensions: .0252


def test_when_is_read_on_rates_as_what_is():
    """A cell with twice the spread has half the weight on its rate."""
    recording = xr.Dataset(
        {
            "what_weights": (("probe", "event", "neuron"), np.ones((1, 1, 2))),
            "when_weights": (("probe", "event", "neuron"), np.ones((1, 1, 2))),
            "state_variance": (("state_variance_time", "state_variance_element"), [[9.0, 9.0], [0.0, 75.0]]),
        },
        attrs={"configuration": json.dumps({"state": {"smallest_spread": "5 Hz"}})},
    )
    found = raw_weights(recording)
    np.testing.assert_allclose(found["when"], [[0.2, 0.1]])
    np.testing.assert_allclose(found["what"], [[1, 1]])


def test_the_rank_is_of_directions_that_hold_more_than_a_few_per_cent():
    one, other = np.eye(5)[:2]
    assert effective(np.stack([one, other])).shape == (5, 2)
    assert effective(np.stack([one, one + 0.03 * other])).shape == (5, 1)


def test_every_study_is_a_configuration_and_is_used():
    for name, study in STUDIES.items():
        assert isinstance(study.configuration(), Configuration), name
        assert set(study.conditions) <= set(all_conditions()), name
    assert {study for each in all_claims().values() for study in each.studies} == set(STUDIES)


def test_an_unknown_claim_is_refused_with_the_valid_ones(tmp_path):
    with pytest.raises(ConfigurationError, match="'eror_falls' is not a claim, did you mean 'error_falls'"):
        reproduce([0], tmp_path, ["eror_falls"])


TEXTS = ("missing", "beside", "construction", "other_margins")
BASE = {key: value for key, value in small.configuration().to_dict().items() if key in ("reservoir", "state", "when")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The studies of two claims on a network of 100 cells and the whole task; all share one build."""
    out = tmp_path_factory.mktemp("claims")
    said = []
    ended = []
    result = reproduce(
        [0, 1], out, ["error_falls", "what_and_when_apart"], base=BASE, report=lambda *each: said.append(each),
        ended=lambda *each: ended.append(each),
    )  # fmt: skip
    return out, result, (said, ended)


def test_claims_are_run_measured_judged_and_written(folder):
    out, (found, done, seconds), (said, ended) = folder
    assert not any(each.problem for each in done.values())
    assert found["claim"].tolist() == ["error_falls", "what_and_when_apart"]
    assert (found["seeds"] == 2).all()
    needed = studies_of(all_claims(["error_falls", "what_and_when_apart"]))
    assert needed == ["default", "no_learning", "frozen_what", "frozen_when"]
    assert list(done) == [each[0] for each in ended] == needed
    assert set(seconds) == {"builds", "runs", "analysis"}
    assert seconds["builds"] + seconds["runs"] == pytest.approx(sum(each.seconds for each in done.values()))
    assert [each.runs for each in done.values()] == [2] * 4
    assert [left for *_, left in ended][-1] == 0
    times = pd.read_csv(out / "times.csv")
    assert times["study"].tolist() == needed and (times["runs"] == 2).all()
    for study in needed:
        assert len(list((out / study).glob("*.nc"))) == 2
    assert {each[0] for each in said} == set(needed)
    pd.testing.assert_frame_equal(
        pd.read_csv(out / "claims.csv", dtype=dict.fromkeys(("unit", *TEXTS), str)).fillna(dict.fromkeys(TEXTS, "")),
        found,
        check_dtype=False,
    )
    text = (out / "claims.md").read_text()
    assert text == report_text(found, [0, 1], {})
    for said_of in ("MEET, first block", "A at 300/500 ms", "condition frozen_what", "Holm"):
        assert said_of in text
    assert found["verdict"][0] in text


def test_what_was_run_is_kept(folder):
    out, (found, *_), _ = folder
    said = []
    before = (out / "times.csv").read_text()
    again, done, _ = reproduce([0, 1], out, ["error_falls"], base=BASE, report=lambda *each: said.append(each))
    assert {each[2] for each in said} == {"kept"}
    assert not any(each.runs for each in done.values())
    assert (out / "times.csv").read_text() == before
    named = ["claim", "ours", "ours_low", "ours_high", "control"]
    pd.testing.assert_frame_equal(again[named], found.loc[:0, named])


def test_the_time_that_is_left_is_that_of_the_runs_and_builds_so_far():
    done = {"default": Ran(30.0, 10.0, 2, ""), "force": Ran(20.0, 10.0, 2, "")}
    assert left_to_run(done, ["merged", "levels"], 2) == pytest.approx(30 / 4 * (1 + 11) * 2 + 10 * 2)
    assert of_more_seeds(done, 2, 20) == pytest.approx(20 + 30 * 10)
    kept = {"default": Ran(1.0, 0.0, 0, "")}
    assert left_to_run(kept, ["merged"], 2) is None and of_more_seeds(kept, 2, 20) is None


def test_a_bar_in_a_cell_does_not_end_it():
    each = made({"ours": Criterion("|r|", ">", 0)})
    found = judge({"it": each}, table(ours=LOW)).assign(measured="|r| of each seed")
    row = next(line for line in report_text(found, [0], {}).splitlines() if "of each seed" in line)
    assert row.replace("\\|", "").count("|") == 7


def test_without_learning_nothing_changes(folder):
    out, (found, *_), _ = folder
    assert "bound: without learning: 1 [1, 1]" in found["beside"][0]
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
