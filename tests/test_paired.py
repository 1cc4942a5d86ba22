"""Studies beside each other: against tables made by hand, and on the command line."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from synthetic import study
from terminal import izhires

from izhires.analysis import analyse, differences
from izhires.analysis.metrics.base import ALL_EVENTS
from izhires.analysis.table import COLUMNS
from izhires.errors import ConfigurationError
from izhires.recordings.recording import save


def table(values, metric="error.last", unit="1"):
    """A tidy table of one metric: seed -> values of its blocks."""
    rows = [
        (metric, "", seed, block, ALL_EVENTS, value, unit, "")
        for seed, each in values.items()
        for block, value in enumerate(each)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def test_each_seed_is_compared_with_itself():
    model = table({0: [0.1, 0.3], 1: [0.4, 0.4], 2: [0.1, 0.1]})
    control = table({2: [0.3, 0.3], 0: [0.3, 0.3], 1: [0.5, 0.7], 9: [5.0, 5.0]})  # of 9 the model has no run
    found = differences({"model": model, "control": control}, ["error.last"]).set_index("study")
    paired = np.array([0.3 - 0.2, 0.6 - 0.4, 0.3 - 0.1])
    assert found.loc["control", "difference"] == pytest.approx(paired.mean())
    low, high = stats.t.interval(0.95, 2, paired.mean(), stats.sem(paired))
    assert (found.loc["control", "low"], found.loc["control", "high"]) == pytest.approx((low, high))
    assert found["seeds"].to_dict() == {"model": 3, "control": 3}
    assert found["mean"].to_dict() == pytest.approx({"model": 0.7 / 3, "control": 6.2 / 4})
    assert np.isnan(found.loc["model", "difference"])


def test_a_difference_of_shares_stays_within_its_range():
    metric = "better_choices"
    one, other = table({0: [0.0], 1: [0.05]}, metric), table({0: [1.0], 1: [0.9]}, metric)
    found = differences({"one": one, "other": other}, [metric]).iloc[1]
    assert 0.85 < found["difference"] < 1 and -1 <= found["low"] < found["difference"] < found["high"] <= 1


def test_one_seed_has_no_interval_and_none_in_common_no_difference():
    one = table({0: [0.1]})
    found = differences({"one": one, "two": table({0: [0.3]}), "three": table({5: [0.3]})}, ["error.last"])
    assert found["difference"].tolist()[1] == pytest.approx(0.2)
    assert found["low"].isna().all() and found["seeds"].tolist() == [1, 1, 0]
    with pytest.raises(ConfigurationError, match="needs two studies or more, got 1"):
        differences({"one": one})
    with pytest.raises(ConfigurationError, match=r"'error\.lost' is not a metric, did you mean 'error\.last'"):
        differences({"one": one, "two": one}, ["error.lost"])


def test_the_command_compares_folders_and_leaves_their_tables(tmp_path):
    tables = {}
    for name, shift in (("control", 0.02), ("model", 0.0)):
        (tmp_path / name).mkdir()
        made = study(2, shift=shift, states=False)
        tables[name] = analyse(made, only=["error", "peak_error"])
        for each in made:
            save(each, tmp_path / name / f"meet_seed{each.attrs['seed']}.nc")
    done = izhires("analyse", tmp_path)
    assert done.returncode == 0, done.stderr
    kept = pd.read_csv(tmp_path / "differences.csv")
    asked = differences(tables, ["error.last", "peak_error.absolute"])
    both = kept[kept["metric"].isin(["error.last", "peak_error.absolute"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(both, asked)
    late = both[(both["metric"] == "peak_error.absolute") & (both["study"] == "model")].iloc[0]
    assert late["difference"] < -10  # ms: the control's peaks come 20 ms late
    assert "less control" in done.stdout and (tmp_path / "model" / "metrics.csv").is_file()
    assert done.stdout.splitlines()[-1] == f"differences: {tmp_path / 'differences.csv'}"
