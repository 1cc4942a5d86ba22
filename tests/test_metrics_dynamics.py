import json

import numpy as np
import pytest
import synthetic

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics import dynamics
from izhires.analysis.metrics.base import all_metrics
from izhires.model.seeds import STREAMS


def rows(name, given):
    return list(all_metrics()[name].rows(given))


def by_block(name, recording, part=""):
    return {row.block: row.value for row in rows(name, recording) if row.part == part}


def orthogonal(samples, k, rng):
    """Return centred orthonormal columns."""
    x = rng.standard_normal((samples, k))
    return np.linalg.qr(x - x.mean(0))[0]


def test_participation_ratio_of_known_spectra():
    rng = np.random.default_rng(0)
    basis = orthogonal(200, 5, rng)
    rotation = np.linalg.qr(rng.standard_normal((30, 30)))[0][:5]
    assert dynamics.participation_ratio(basis @ rotation) == pytest.approx(5)
    assert dynamics.participation_ratio(basis[:, :1] @ rotation[:1]) == pytest.approx(1)
    sizes = np.array([3.0, 2, 1, 1, 0.5])
    wanted = (sizes**2).sum() ** 2 / (sizes**4).sum()
    states = (basis * sizes) @ rotation
    assert dynamics.participation_ratio(states) == pytest.approx(wanted)
    # neither rotation nor scale nor mean matters, nor whether there are more cells or more samples
    turned = 7 * states @ np.linalg.qr(rng.standard_normal((30, 30)))[0] + 3
    assert dynamics.participation_ratio(turned) == pytest.approx(wanted)
    assert dynamics.participation_ratio(np.hstack([states] * 10)) == pytest.approx(wanted)
    assert np.isnan(dynamics.participation_ratio(np.ones((4, 3))))


def test_cells_that_share_their_course_have_fewer_dimensions_than_chance():
    recording = synthetic.recording()
    trace = recording["state_trace"]
    common = np.random.default_rng(1).standard_normal(trace.sizes["state_time"])
    weights = np.random.default_rng(2).standard_normal(trace.sizes["neuron"])
    few = recording.assign(state_trace=trace * 0 + np.outer(common, weights))
    found = by_block("participation_ratio", few)
    assert found[0] == pytest.approx(1)
    assert by_block("participation_ratio", few, "p_two_sided")[0] < 0.05
    noise = np.random.default_rng(3).standard_normal(trace.shape)
    own = recording.assign(state_trace=(trace.dims, noise))
    assert by_block("participation_ratio", own, "p_two_sided")[0] > 0.05
    assert rows("participation_ratio", recording.assign(state_trace=trace * 0))[0].note


def test_similarity_of_shifted_trials():
    rng = np.random.default_rng(4)
    one = rng.standard_normal((50, 20))
    assert dynamics.similarity(one, 3 * one + 2)[0] == pytest.approx(1)
    assert dynamics.similarity(one, -one)[0] == pytest.approx(-1)
    found = dynamics.similarity(one, np.roll(one, 43, axis=0))
    assert int(found.argmax()) == 7 and found[7] == pytest.approx(1)
    other = rng.standard_normal((50, 20))
    for shift in (0, 3):
        each = [np.corrcoef(one[:, cell], np.roll(other, shift, axis=0)[:, cell])[0, 1] for cell in range(20)]
        assert dynamics.similarity(one, other)[shift] == pytest.approx(np.mean(each))
    # a cell that is silent in one of them does not count
    silent = np.column_stack([one, rng.standard_normal(50)])
    assert dynamics.similarity(silent, np.column_stack([one, np.zeros(50)]))[0] == pytest.approx(1)
    with pytest.raises(Unavailable):
        dynamics.similarity(one * 0, one)


def test_reliability_of_equal_and_of_unrelated_trials():
    recording = synthetic.recording()
    assert by_block("reliability", recording)[0] == pytest.approx(1)  # one tuning in every trial
    assert by_block("reliability", recording, "difference")[0] > 0.5
    noise = np.random.default_rng(5).standard_normal(recording["state_trace"].shape)
    unrelated = recording.assign(state_trace=(recording["state_trace"].dims, noise))
    assert abs(by_block("reliability", unrelated)[0]) < 0.1
    assert by_block("reliability", unrelated, "p_two_sided")[0] > 0.02


def test_decoded_time():
    recording = synthetic.recording()
    error, chance = by_block("decoded_time", recording), by_block("decoded_time", recording, "mean")
    assert error[0] < 30
    # the mean of all times is off by a quarter of the window on average; noise in the readout adds to that
    assert 0.95 * 1100 / 4 < chance[0] < 600
    assert by_block("decoded_time", recording, "p_two_sided")[0] < 0.05
    noise = np.random.default_rng(6).standard_normal(recording["state_trace"].shape)
    blind = recording.assign(state_trace=(recording["state_trace"].dims, noise))
    assert by_block("decoded_time", blind, "p_two_sided")[0] > 0.02
    one = recording.isel(state_probe=[0])
    assert rows("decoded_time", one)[0].note == "needs state_trace at two probes"


def test_squared_distances():
    rng = np.random.default_rng(7)
    one = rng.standard_normal((60, 400))
    assert (np.diag(dynamics.squared_distances(one, one)) == 0).all()
    found = dynamics.squared_distances(one, rng.standard_normal((60, 400)))
    assert np.diag(found).mean() == pytest.approx(1, abs=0.05)
    unequal = ~np.eye(60, dtype=bool)
    assert found[unequal].mean() == pytest.approx(1)
    with pytest.raises(Unavailable, match="varies"):
        dynamics.squared_distances(one * 0, one * 0)


def pair(growth, size=1e-3, **seeds):
    """Return two runs of one network whose states part by `size` exp(`growth` t)."""
    made = []
    fixed = {"topology": 0, "cells": 0, "input": 0, "trials": 0, "noise": None, "seed": 0, **seeds}
    for seed in (3, 4):
        recording = synthetic.recording(seed=0)
        trace = recording["state_trace"]
        time = recording["state_time"].values[:, None]
        direction = np.random.default_rng(8).standard_normal(trace.sizes["neuron"])
        if seed == 4:
            recording["state_trace"] = trace + size * np.exp(growth * time) * direction
        recording.attrs |= {"seed": seed, "configuration": json.dumps({"when": {}, "seeds": fixed})}
        made.append(recording)
    return made


@pytest.mark.parametrize("growth", [4.0, -2.5])
def test_the_rate_of_divergence(growth):
    found = rows("divergence", pair(growth))
    rates = [row.value for row in found if row.part == "rate"]
    assert len(rates) == 2 * len(selection.blocks(pair(growth)[0]))
    np.testing.assert_allclose(rates, growth, rtol=1e-3)
    assert {row.seed for row in found} == {3, 4}
    assert all(0 < row.value < 0.1 for row in found if row.part == "distance")


def test_runs_that_are_no_twins():
    # another circuit for each seed, or no configuration at all
    for given in (pair(1.0, topology=None), synthetic.study(2), pair(1.0)[:1]):
        (row,) = rows("divergence", given)
        assert np.isnan(row.value) and row.note.startswith("needs runs of one network") and dynamics.PAIR in row.note
    assert len(dynamics.twins([*pair(1.0), *synthetic.study(2)])) == 1
    assert set(dynamics.SHARED) < set(STREAMS)
    same = rows("divergence", pair(1.0, size=0.0))
    assert {row.value for row in same if row.part == "distance"} == {0.0}
    assert all(row.note for row in same if row.part == "rate")
