import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from synthetic import levels, participant, recording, study

from izhires.analysis import all_figures, all_metrics, analyse, notes, summary
from izhires.analysis.metrics.base import METRICS, Row, metric
from izhires.analysis.statistics import over_seeds, t_interval
from izhires.analysis.table import COLUMNS
from izhires.errors import ConfigurationError, RecordingError


@pytest.fixture(scope="module")
def table():
    return analyse(study(3))


def test_the_table_is_tidy_and_holds_only_what_is_declared(table):
    assert tuple(table.columns) == COLUMNS
    declared = {name: part.unit for each in all_metrics().values() for name, part in each.columns().items()}
    for made in (table, analyse(levels(1)), analyse(participant(1)), analyse([recording(states=False)])):
        assert set(made["metric"]) <= set(declared)
        assert all(declared[row.metric] == row.unit for row in made.itertuples())
        assert not made.duplicated(["metric", "variant", "seed", "block", "event"]).any()
        assert (made["value"].notna() | (made["note"] != "")).all()
    computed = table[table["value"].notna()]
    assert set(computed["seed"].dropna()) == {0, 1, 2}  # what is pooled over seeds has none
    # levels, twins, varied foreperiods, participants, real runs, plastic synapses
    elsewhere = {"calibration", "divergence", "foreperiod", "response_time", "time_told", "weight_change"}
    elsewhere |= {"better_choices", "reversal", "win_stay", "choice_values"}  # of a network that chooses
    elsewhere |= {"mismatch", "transitions", "interval_reproduction", "conditioning"}  # of other tasks
    all_spikes = {"selectivity", "synchrony", "fano_factor", "interval_variation"}
    assert {name.split(".")[0] for name in computed["metric"]} == set(all_metrics()) - elsewhere - all_spikes


def test_every_metric_says_what_it_is():
    for each in all_metrics().values():
        assert each.description and each.definition and each.source and each.unit
        assert "\n" not in each.description
        assert all(part.description and part.unit for part in each.columns().values())


def test_summary_is_mean_interval_and_worst_over_seeds():
    rows = [("error.last", "", s, 0, "A", v, "1", "") for s, v in enumerate([1.0, 2.0, 4.0] * 2)]
    found = summary(pd.DataFrame(rows, columns=list(COLUMNS))).iloc[0]
    # of the logarithm: no error is below 0
    half = 2.570582 * np.std([1, 2, 4] * 2, ddof=1) / np.sqrt(6) / (7 / 3)
    assert found["mean"] == pytest.approx(7 / 3) and found["worst"] == 4
    assert (found["low"], found["high"]) == pytest.approx((7 / 3 * np.exp(-half), 7 / 3 * np.exp(half)), rel=1e-6)
    assert found["seeds"] == 6 and found["missing"] == 0


def test_of_few_seeds_a_summary_gives_their_range():
    rows = [("decoded_time", "", s, 0, "", v, "ms", "") for s, v in enumerate([21.0, 57.0])]
    found = summary(pd.DataFrame(rows, columns=list(COLUMNS))).iloc[0]
    assert (found["low"], found["mean"], found["high"]) == (21, 39, 57)


def test_no_printed_interval_leaves_the_range_of_its_quantity():
    """A difference of two values of a range has a range, too; no amplitude of a positive prediction is negative."""
    for seeds in (2, 6):
        found = summary(analyse(study(seeds))).set_index("metric")
        for name, low, high in found[["low", "high"]].itertuples():
            least, most = RANGES[next((end for end in RANGES if name.endswith(end)), "")]
            assert np.isnan(low) or least <= low <= high <= most, name
    declared = {name: about for each in all_metrics().values() for name, about in each.columns().items()}
    of_bounded = [name for name in declared if name.endswith(("_isotropic_difference", "_covariance_difference"))]
    assert len(of_bounded) > 10 and all(np.isfinite(declared[name].within).all() for name in of_bounded)
    assert declared["amplitude"].within[0] == 0 and declared["amplitude.minus_probability"].within[0] == -1


RANGES = {
    "overlap_isotropic_difference": (-1, 1), "overlap_covariance_difference": (-1, 1),
    "smallest_isotropic_difference": (-90, 90), "smallest_covariance_difference": (-90, 90),
    "angle.smallest": (0, 90), "amplitude": (0, np.inf), "error.last": (0, np.inf), "": (-np.inf, np.inf),
}  # fmt: skip


def test_a_seed_that_never_recovers_is_not_left_out_and_a_missing_one_is_counted():
    rows = [("recovery.75_sustained", "", s, 1, "A", v, "trials", "") for s, v in enumerate([5.0, np.inf, np.nan])]
    found = summary(pd.DataFrame(rows, columns=list(COLUMNS))).iloc[0]
    assert found["mean"] == np.inf and found["worst"] == np.inf
    assert found["seeds"] == 2 and found["missing"] == 1


def test_p_values_get_no_interval_over_seeds_and_a_brief_summary_no_details(table):
    full, brief = summary(table), summary(table, brief=True)
    p = full[full["metric"].str.contains("_p_")]
    assert len(p) and p["low"].isna().all()
    assert full.loc[full["metric"] == "angle.smallest_isotropic_difference", "low"].notna().all()
    assert set(brief["metric"]) < set(full["metric"])
    assert not brief["metric"].str.contains("_p_|sustained").any()


def test_the_table_survives_its_csv_file(table, tmp_path):
    table.to_csv(tmp_path / "metrics.csv", index=False)
    again = pd.read_csv(tmp_path / "metrics.csv")
    pd.testing.assert_frame_equal(summary(again), summary(table), check_dtype=False)
    assert notes(again) == notes(table)


def test_a_recording_read_from_its_file_gives_the_same_table(tmp_path):
    made = recording()
    made.to_netcdf(tmp_path / "seed.nc")
    with xr.open_dataset(tmp_path / "seed.nc") as again:
        pd.testing.assert_frame_equal(analyse([again]), analyse([made]))


def test_several_processes_give_the_table_of_one(table):
    pd.testing.assert_frame_equal(analyse(study(3), processes=2), table)


def test_one_seed_gives_values_without_intervals():
    found = summary(analyse([recording()], only=["error"]))
    assert found["mean"].notna().all() and found["low"].isna().all() and (found["seeds"] == 1).all()


def test_what_cannot_be_computed_is_one_line_each():
    bare = recording(states=False).drop_vars(["when_weights", "rate"])
    table = analyse([bare, recording(seed=1)])
    lines = notes(table)
    few = "(1 of 2 recordings)"
    assert f"mean_rate.excitatory, silent_fraction: needs rate, which the recording does not hold {few}" in lines
    assert any(line.startswith("angle.smallest") and "needs when_weights" in line and few in line for line in lines)
    assert any(line.startswith("error_best_fit") and "needs state_trace" in line for line in lines)
    assert any(line.startswith("calibration.r: needs recordings of one block") for line in lines)
    assert len(lines) == len(set(lines))


def test_two_recordings_of_one_seed_do_not_mix():
    with pytest.raises(RecordingError, match="two recordings of meet with seed 0"):
        analyse([recording(), recording()])
    with pytest.raises(RecordingError, match="no recording"):
        analyse([])


def test_an_unknown_metric_is_named():
    with pytest.raises(ConfigurationError, match="'eror' is not a metric, did you mean 'error'"):
        analyse([recording()], only=["eror"])


def test_a_new_metric_needs_nothing_but_its_declaration(monkeypatch):
    monkeypatch.setattr(METRICS, "_known", dict(METRICS.all()))

    @metric("probes", unit="1", description="number of probes", definition="length of the dimension probe")
    def probes(made):
        yield Row(made.sizes["probe"])

    table = analyse([recording()])
    assert list(table.loc[table["metric"] == "probes", "value"]) == [recording().sizes["probe"]]
    with pytest.raises(ValueError, match="declared twice"):
        metric("error", unit="1", description="another", definition="another")(lambda made: [])


def test_t_interval_and_over_seeds_agree():
    values = np.random.default_rng(0).normal(size=(4, 3))
    long = pd.DataFrame({"x": np.tile(np.arange(3), 4), "seed": np.repeat(np.arange(4), 3), "v": values.ravel()})
    found = over_seeds(long, ["x"], "v")
    for x in range(3):
        assert tuple(found.loc[x, ["mean", "low", "high"]]) == pytest.approx(t_interval(values[:, x]))
    assert all(np.isnan(t_interval([])))
    assert over_seeds(long[long["seed"] == 0], ["x"], "v")["low"].isna().all()


def test_importing_and_listing_are_light():
    script = (
        "import sys, izhires.analysis as a\n"
        "assert not {'numpy', 'pandas', 'xarray'} & set(sys.modules), 'the import is heavy'\n"
        "a.all_metrics(), a.all_figures()\n"
        "print(*[m for m in ('brian2', 'scipy', 'matplotlib', 'seaborn', 'xarray') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
    assert set(all_figures()) >= {"task", "raster", "predictions", "learning_curve", "calibration", "angles"}
