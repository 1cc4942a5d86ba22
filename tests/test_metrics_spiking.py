import json
import sys

import numpy as np
import pytest
import synthetic

from izhires.analysis.metrics import spiking
from izhires.analysis.metrics.base import all_metrics

elephant = pytest.importorskip("elephant")

BLOCKS = [synthetic.Block({"A": 0.3, "B": 0.6}, {"A": 0.7, "B": 0.3}, trials=60)]


def with_spikes(times, cells, made=None, kept="all"):
    """Return a recording of one block of trials of 1.5 s (window 1.1 s from 0.2 s on) with these spikes."""
    recording = synthetic.recording(made or synthetic.experiment(BLOCKS, schedule=(30, 60)), states=False)
    order = np.argsort(times, kind="stable")
    recording["spike_time"] = ("spike", np.asarray(times, float)[order])
    recording["spike_neuron"] = ("spike", np.asarray(cells, int)[order])
    recording.attrs["configuration"] = json.dumps({"keep": {"spikes": kept}})
    return recording


def values(name, recording):
    return {row.part: row for row in all_metrics()[name].rows(recording)}


def renewal(shape, n, rng, rate=8.0):
    """Return the spikes of a renewal process whose intervals have the coefficient of variation 1/sqrt(shape)."""
    return np.cumsum(rng.gamma(shape, 1 / (shape * rate), n))


def test_counts_against_a_slow_loop():
    rng = np.random.default_rng(0)
    recording = with_spikes(rng.uniform(0, 90, 3000), rng.integers(0, 60, 3000))
    trials, width = [3, 4, 10, 30], 0.1
    found = spiking.window_counts(recording, trials, width)
    assert found.shape == (4, 11, 60)
    slow = np.zeros_like(found)
    for row, trial in enumerate(trials):
        cue = float(recording["trial_cue"][trial])
        for time, cell in zip(recording["spike_time"].values, recording["spike_neuron"].values, strict=True):
            for column in range(11):
                slow[row, column, cell] += cue + column * width <= time < cue + (column + 1) * width
    np.testing.assert_array_equal(found, slow)
    np.testing.assert_array_equal(spiking.window_counts(recording, trials)[:, 0], slow.sum(1))


def test_a_spike_on_an_edge_counts_in_the_bin_that_begins_there():
    cue = float(with_spikes([], [])["trial_cue"][5])
    found = spiking.window_counts(with_spikes(cue + np.arange(13) * 0.1, np.zeros(13)), [5], 0.1)
    np.testing.assert_array_equal(found[0, :, 0], np.ones(11))


def test_interval_variation_of_known_processes():
    rng = np.random.default_rng(1)
    made = {0: np.arange(500) * 0.1}  # a clock among the excitatory cells
    made |= {cell: renewal(4, 4000, rng) for cell in range(50, 60)}  # inhibitory
    times, cells = np.concatenate(list(made.values())), np.repeat(list(made), [len(each) for each in made.values()])
    found = values("interval_variation", with_spikes(times, cells))
    assert found["cv_excitatory"].value == pytest.approx(0, abs=1e-9)
    assert found["cv2_excitatory"].value == pytest.approx(0, abs=1e-9)
    # intervals of a gamma distribution of shape k: CV = 1/sqrt(k), CV2 = 4 (2k - 1)!/(k (k - 1)!^2 4^k)
    assert found["cv_inhibitory"].value == pytest.approx(0.5, abs=0.01)
    assert found["cv2_inhibitory"].value == pytest.approx(4 * 5040 / (4 * 36 * 256), abs=0.01)
    few = values("interval_variation", with_spikes(np.arange(15.0), np.zeros(15)))
    assert few["cv2_excitatory"].note == "no excitatory cell has 20 intervals"


def test_fano_factors_are_those_of_elephant_but_for_the_degrees_of_freedom():
    rng = np.random.default_rng(2)
    counts = np.column_stack([rng.poisson(3, 200), rng.binomial(10, 0.5, 200), np.full(200, 4), np.zeros(200, int)])
    found = spiking.fano_factors(counts)
    for cell in range(3):
        other = elephant.statistics.fanofactor([np.arange(count, dtype=float) for count in counts[:, cell]])
        assert found[cell] * 199 / 200 == pytest.approx(other, abs=1e-12)
    assert found[0] == pytest.approx(1, abs=0.3) and found[1] == pytest.approx(0.5, abs=0.15) and found[2] == 0
    assert np.isnan(found[3])


def test_the_fano_factor_of_a_recording():
    made = synthetic.experiment(BLOCKS, schedule=(30, 60))
    cues = made.trials["cue"].to_numpy()
    # one cell fires thrice after every cue, another fires 0 or 2 times in turn: variance 1, mean 1
    steady = (cues[:, None] + [0.1, 0.2, 0.3]).ravel()
    turns = (cues[::2, None] + [0.4, 0.5]).ravel()
    times, cells = np.concatenate([steady, turns]), np.repeat([0, 55], [len(steady), len(turns)])
    found = values("fano_factor", with_spikes(times, cells, made))
    n = len(cues)
    counts = np.where(np.arange(n) % 2 == 0, 2, 0)
    assert found["excitatory"].value == 0
    assert found["inhibitory"].value == pytest.approx(counts.var(ddof=1) / counts.mean())


def test_mean_correlation_is_that_of_the_counts():
    rng = np.random.default_rng(3)
    trains = [np.sort(rng.integers(0, 400, 80)) for _ in range(6)]
    counts = np.array([np.bincount(train, minlength=400) for train in trains])
    wanted = np.corrcoef(counts)[np.triu_indices(6, 1)].mean()
    assert spiking.mean_correlation(trains, 400) == pytest.approx(wanted, abs=1e-12)
    assert spiking.mean_correlation([trains[0]] * 3, 400) == pytest.approx(1)


def locked(shared, seed=0):
    """Return a recording of 20 cells that fire once around 0.5 s after each cue, with a jitter of each or of all."""
    rng, made = np.random.default_rng(seed), synthetic.experiment(BLOCKS, schedule=(30, 60))
    cues = made.trials["cue"].to_numpy()
    jitter = rng.normal(0, 0.05, (len(cues), 1 if shared else 20))
    times = cues[:, None] + 0.5 + np.broadcast_to(jitter, (len(cues), 20)) + rng.normal(0, 0.002, (len(cues), 20))
    return with_spikes(times.ravel(), np.tile(np.arange(20), len(cues)), made)


def test_what_the_cue_makes_is_not_synchrony():
    alone = values("synchrony", locked(shared=False))
    assert alone["shuffled"].value > 0.01  # locked to the cue
    assert abs(alone["difference"].value) < 0.01
    together = values("synchrony", locked(shared=True))
    assert together["difference"].value > 0.2
    assert together[""].value == pytest.approx(together["shuffled"].value + together["difference"].value)


@pytest.mark.parametrize("name", ["interval_variation", "fano_factor", "synchrony"])
def test_some_of_the_spikes_are_not_enough(name):
    for recording in (with_spikes([1.0], [0], kept="probes"), synthetic.recording()):
        (row,) = all_metrics()[name].rows(recording)
        assert np.isnan(row.value) and row.note == 'needs all spikes, that is a run with keep.spikes = "all"'


def test_without_elephant_there_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "elephant.statistics", None)
    (row,) = all_metrics()["interval_variation"].rows(locked(shared=False))
    assert row.note == "needs the package elephant: pip install 'izhires[dynamics]'"
