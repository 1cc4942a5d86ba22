import numpy as np
import pytest
from synthetic import Block, experiment, participant, recording

from izhires.analysis import analyse


@pytest.mark.parametrize("shift", [0.0, 0.02, -0.015])
def test_peak_error_is_the_shift_of_the_peak(shift):
    table = analyse([recording(tau=1, shift=shift)], only=["peak_error"])
    signed = table.loc[table["metric"] == "peak_error.signed", "value"]
    assert signed.to_numpy() == pytest.approx(np.full(8, 1e3 * shift))
    absolute = table.loc[table["metric"] == "peak_error.absolute", "value"]
    assert absolute.to_numpy() == pytest.approx(np.full(8, abs(1e3 * shift)))
    assert set(table["unit"]) == {"ms"}


def test_events_rarer_than_a_tenth_have_no_peak():
    made = experiment([Block({"A": 0.3, "B": 0.6}, {"A": 0.95, "B": 0.05})])
    assert set(analyse([recording(made)], only=["peak_error"])["event"]) == {"A"}


def test_no_prediction_and_several_latencies_are_said():
    silent = recording()
    silent["prediction"] = 0 * silent["prediction"]
    table = analyse([silent], only=["peak_error"])
    assert table["value"].isna().all() and set(table["note"]) == {"nothing is predicted, hence there is no peak"}
    table = analyse(participant(1), only=["peak_error"])
    assert table["value"].isna().all() and table["note"].str.contains("hence no single peak").all()
