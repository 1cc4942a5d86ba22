"""The end of a block beside predicting nothing and an expectation that knows no time, by hand-made predictions."""

import numpy as np
import pytest
import small
import xarray as xr

from izhires.analysis.table import analyse
from izhires.model.configuration import Configuration
from izhires.recordings import bounds
from izhires.running.run import simulate

EXPECTED = np.array([[0.0, 4.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
"""Event A at the second of four moments; B never."""


def recording(*predictions, trained=1, cues=()):
    """Return a recording of a probe a prediction (event, time), all of block 0."""
    n = len(predictions)
    data = {
        "prediction": (("probe", "event", "time"), np.array(predictions, float)),
        "expectation": (("probe", "event", "time"), np.array([EXPECTED] * n)),
    }
    along = {"block": ("probe", [0] * n), "block_trial": ("probe", [trained] * n)}
    along |= {"cue_name": ("probe", list(cues))} if cues else {}
    return xr.Dataset(data, coords={**along, "event": ["A", "B"], "time": np.arange(4) / 1e3})


def shaped(*values):
    return [list(values), [0.0] * 4]


@pytest.mark.parametrize(
    ("prediction", "over_zero", "over_flat"),
    [
        (EXPECTED, 0.0, 0.0),
        (shaped(0, 0, 0, 0), 1.0, 2 / np.sqrt(3)),  # squares: 16 against 3 + 9 = 12
        (shaped(1, 1, 1, 1), np.sqrt(3) / 2, 1.0),
        (shaped(0, 0, 0, 4), np.sqrt(2), np.sqrt(32 / 12)),
    ],
)
def test_errors_over_those_of_the_bounds(prediction, over_zero, over_flat):
    together, own, never = bounds.ends(recording(prediction))
    for each in (together, own):
        np.testing.assert_allclose((each.over_zero, each.over_flat), (over_zero, over_flat), atol=1e-12)
    assert (together.event, own.event, never.event) == ("", "A", "B")
    assert np.isnan([never.over_zero, never.over_flat]).all()


def test_the_end_is_the_mean_error_of_the_last_five_probes():
    wrong, right = shaped(0, 0, 0, 4), EXPECTED
    (end, *_) = bounds.ends(recording(*[wrong] * 5, *[right] * 4, wrong))
    np.testing.assert_allclose(end.over_zero, np.sqrt(2) / 5)


def test_probes_before_any_training_are_no_end():
    assert list(bounds.ends(recording(EXPECTED, trained=0))) == []
    assert bounds.remark_on(recording(shaped(0, 0, 0, 4), trained=0)) == ""


def test_the_remark_names_the_place_and_the_bound():
    assert bounds.remark_on(recording(EXPECTED)) == ""
    assert bounds.remark_on(recording(shaped(0, 0, 0, 4))).startswith(
        "in block 0, the error of the last probes is 1.41 times that of predicting nothing (also in 1 more"
    )
    # better than nothing, worse than flat: squares 1 + 1 + 9 + 4 = 15
    assert bounds.remark_on(recording(shaped(1, 1, 1, 2))).startswith(
        "in block 0, the error of the last probes is 1.12 times that of an expectation that is flat in time"
    )
    said = bounds.remark_on(recording(EXPECTED, shaped(0, 0, 0, 4), cues=("tone", "light")))
    assert said.startswith("in block 0, after light, the error")


def test_what_predicts_nothing_is_not_said_to_be_worse():
    assert bounds.remark_on(recording(shaped(0, 0, 0, 0))) == ""


def test_the_metric_has_both_ratios_and_the_remark():
    found = recording(shaped(0, 0, 0, 4))
    found.attrs = {"seed": 3, "variant": "", "paradigm": "meet"}
    table = analyse([found], ["end_of_block"])
    row = table[(table["metric"] == "end_of_block.over_zero") & (table["event"] == "A")]
    np.testing.assert_allclose(row["value"], np.sqrt(2))
    assert bounds.remark_on(found) in set(table["note"])


def test_a_run_says_that_its_end_is_worse_than_nothing():
    """Weights that are far too large after the last event: a rate of all, on latencies that never come again."""
    task = {
        **small.PARADIGM,
        "probes": [4],
        "blocks": [
            {"trials": 4, "latency": {"A": f"{a} ms", "B": f"{b} ms"}, "probability": {"A": 0.5, "B": 0.5}}
            for a, b in ((60, 110), (160, 190))
        ],
    }
    frozen = small.configuration(paradigm=task, when__learning_blocks=1)
    assert isinstance(frozen, Configuration)
    found = simulate(frozen, 0)
    ratios = {(each.block, each.event): each.over_flat for each in bounds.ends(found)}
    assert ratios[1, ""] > 1
    assert bounds.remark(found.attrs) == bounds.remark_on(found)
    assert "in block 1, " in bounds.remark(found.attrs)
