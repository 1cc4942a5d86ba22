"""The rebuilt states against what the simulated readouts recorded."""

import json

import numpy as np
import pytest
import small
import synthetic

from izhires.analysis.declared import Unavailable
from izhires.analysis.states import mean_states, readout_states
from izhires.running.run import simulate


@pytest.fixture(scope="module")
def simulated():
    return simulate(small.configuration(), seed=0)


def probes(recording):
    return np.flatnonzero(recording["trial_kind"].values == "probe")


def changed(recording, **tables):
    """Return the recording with another configuration written into it."""
    made = json.loads(recording.attrs["configuration"])
    for table, values in tables.items():
        made[table].update(values)
    return recording.assign_attrs(configuration=json.dumps(made))


def test_mean_states_are_those_that_what_read(simulated):
    found = mean_states(simulated).isel(trial=probes(simulated)).values
    assert simulated["mean_state"].values.max() > 1
    np.testing.assert_allclose(found, simulated["mean_state"].values, rtol=1e-9, atol=1e-12)


def test_weights_times_states_are_the_recorded_timing_prediction(simulated):
    rows = probes(simulated)
    states = readout_states(simulated, rows)
    assert states.dims == ("trial", "time", "neuron")
    np.testing.assert_allclose(states["time"], simulated["time"])
    read = np.einsum("pkn,ptn->pkt", simulated["when_weights"].values, states.values)
    assert np.abs(read[1:]).max() > 0.1
    np.testing.assert_allclose(read, simulated["when"].values, atol=1e-6)


def test_a_coarser_grid_and_fewer_trials_pick_the_same_values(simulated):
    whole = readout_states(simulated)
    assert whole.sizes["trial"] == simulated.sizes["trial"]
    some = readout_states(simulated, [2, 5], every=0.01)
    np.testing.assert_array_equal(some.values, whole.sel(trial=[2, 5]).isel(time=slice(None, None, 10)).values)
    assert readout_states(simulated, []).shape == (0, 220, 100)


def test_another_memory_gives_other_states(simulated):
    other = changed(simulated, state={"tau_mean": "400 ms"})
    assert np.abs(readout_states(other, [3]).values - readout_states(simulated, [3]).values).max() > 1e-3


@pytest.mark.parametrize(
    "spoil, said",
    [
        (lambda r: r.drop_vars("spike_time"), "needs spike_time"),
        (lambda r: changed(r, keep={"spikes": "probes"}), "needs all spikes, that is a run with keep.spikes"),
        (
            lambda r: changed(
                r,
                reservoir={
                    "cell": {
                        "type": "izhikevich",
                        "equations": "dr/dt = -r/tau_trace : Hz",
                        "reset": "v = c\nu += d\nr += 2/tau_trace",
                    }
                },
            ),
            "own equation .* 'r\\+=1/tau",
        ),
        (
            lambda r: changed(
                r, reservoir={"cell": {"equations": "dr/dt = -r**2/tau_trace : Hz", "reset": "r += 1/tau_trace"}}
            ),
            "'dr/dt=-r/tau_trace:Hz'",
        ),
        (lambda r: synthetic.recording(), "needs the configuration"),
    ],
)
def test_a_recording_without_what_is_needed_is_refused(simulated, spoil, said):
    for function in (mean_states, readout_states):
        with pytest.raises(Unavailable, match=said):
            function(spoil(simulated))


@pytest.mark.parametrize("trials", [[-1], [99], [3, 2]])
def test_trials_that_do_not_exist_are_refused(simulated, trials):
    with pytest.raises(Unavailable, match="trials must be ascending and lie in 0 to 13"):
        readout_states(simulated, trials)


@pytest.mark.parametrize("every", [0, 0.0015, -0.01])
def test_a_grid_between_the_readout_steps_is_refused(simulated, every):
    with pytest.raises(Unavailable, match="no multiple of the readout step"):
        readout_states(simulated, [0], every=every)
