"""Whether the states tell time is measured after every run, and said where they do not."""

import numpy as np
import pytest
import small
from terminal import unlearned

from izhires.analysis.table import analyse
from izhires.model.configuration import Configuration
from izhires.paradigms import Oddball
from izhires.recordings import elapsed
from izhires.running.run import simulate

TAU = 0.05


def traces(active, trials=4, cells=60, noise=0.0, seed=0):
    """Return traces of cells that are active in turn, each around a moment of its own, in the `active` share."""
    rng = np.random.default_rng(seed)
    when = np.linspace(0, 1, cells)[:, None] - np.linspace(0, 1, elapsed.MOMENTS)
    course = 20 * np.exp(-(when**2) / (2 * 0.02**2)).T * (np.linspace(0, 1, elapsed.MOMENTS) < active)[:, None]
    return np.maximum(course + noise * rng.standard_normal((trials, *course.shape)), 0)


def test_states_that_move_tell_time():
    assert max(elapsed.time_told(traces(1.1), TAU)) == 0
    assert max(elapsed.time_told(traces(1.1, noise=1.0), TAU)) < 0.2


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("noise", [0.0, 0.1, 3.0])
def test_states_that_stopped_do_not(share, noise):
    told = np.array(elapsed.time_told(traces(share, noise=noise), TAU))
    alive = round(elapsed.PARTS * share)
    assert (told[:alive] < 1).all()
    assert (told[alive:] >= 1).all()


def test_noise_alone_tells_no_time():
    """Decoded moments are then independent of the true ones: each tenth is as far off as a guess over the window."""
    rng = np.random.default_rng(1)
    told = np.array(elapsed.time_told(rng.uniform(0, 20, (8, elapsed.MOMENTS, 400)), TAU))
    middles = (np.arange(elapsed.PARTS) + 0.5) / elapsed.PARTS
    guess = (middles**2 + (1 - middles) ** 2) / 2 * 3 * elapsed.PARTS
    np.testing.assert_allclose(told, guess, rtol=0.4)


def test_what_decays_below_a_hundredth_of_a_spike_is_not_seen():
    """A noiseless decay could be read with all digits; no readout does."""
    decay = np.exp(-np.linspace(0, 1, elapsed.MOMENTS) / TAU)[None, :, None] / TAU
    told = np.array(elapsed.time_told(np.repeat(decay, 3, 0), TAU))
    seen = TAU * np.log(1 / elapsed.LEAST)
    assert (told[: int(seen * elapsed.PARTS)] < 1).all()
    assert (told[int(seen * elapsed.PARTS) + 1 :] >= 1).all()


def test_one_trial_cannot_be_compared():
    told = elapsed.time_told(traces(1.0, trials=1), TAU)
    assert np.isnan(told).all()
    assert np.isnan(elapsed.of_attributes({"time_told": elapsed.as_text(told)})).all()
    assert elapsed.remark({"time_told": elapsed.as_text(told), "window": 1.0}) == ""
    assert elapsed.remark({"window": 1.0}) == ""


def test_the_remark_names_the_parts():
    told = elapsed.as_text([0.1, 2, 3, 0, 0, 0, 0, 0, 0, 1])
    assert elapsed.remark({"time_told": told, "window": 2.0}) == (
        "from 0.2 to 0.6 s and 1.8 to 2 s after the cue the states do not tell the time; "
        "a prediction of an event then is not to be trusted"
    )


# of a run: a chain of 8 groups, which lasts 0.12 s unless its delays are left open

LONG = {
    **small.PARADIGM,
    "trial_duration": "900 ms",
    "window": "800 ms",
    "blocks": [{"trials": 4, "latency": {"A": "300 ms", "B": "700 ms"}, "probability": {"A": 0.5, "B": 0.5}}],
}


def waiting(delay):
    return small.configuration(paradigm=LONG, reservoir__delay=delay, keep={"spikes": "probes"})


def test_a_chain_that_ends_before_the_window_is_told():
    found = simulate(waiting(["8 ms", "12 ms"]), 1)
    told = elapsed.of_attributes(found.attrs)
    assert len(told) == elapsed.PARTS
    assert told[0] < 1
    assert min(told[5:]) >= 1
    table = analyse([found], ["time_told"]).set_index("metric")
    assert table["value"]["time_told"] == max(told)
    assert table["value"]["time_told.chance"] == 1
    assert 0.08 <= table["value"]["time_told.until"] <= 0.4
    assert table["note"]["time_told"] == elapsed.remark(found.attrs)
    assert "0.8 s after the cue the states do not tell the time" in table["note"]["time_told"]


def test_a_chain_that_lasts_the_window_is_silent():
    found = simulate(waiting(None), 1)
    assert max(elapsed.of_attributes(found.attrs)) < 1
    assert elapsed.remark(found.attrs) == ""
    assert analyse([found], ["time_told"])["note"].tolist() == ["", "", ""]
    # the task of MEET on the circuit as it is
    assert elapsed.remark(simulate(small.configuration(), 0).attrs) == ""


def test_the_command_line_says_both(command_line, tmp_path):
    path = tmp_path / "it.toml"

    def run(delay, name):
        path.write_text(waiting(delay).to_toml(), encoding="utf-8")
        code, said = command_line("run", "meet", "--config", path, "--seeds", "1", "--out", tmp_path / name)
        assert code == 0
        return said.out.splitlines(), said.err

    out, err = run(["8 ms", "12 ms"], "stated")
    err = unlearned(err)
    assert not any("delay" in line for line in out)
    assert len(err) == 2
    assert err[0].startswith("izhires: reservoir.delay: the sequence ends after 0.12 s, the window after 0.8 s")
    assert err[1].startswith("izhires: in 1 of 1 recording, first meet_seed1.nc: from ")
    out, err = run(None, "open")
    (line,) = [line for line in out if "delay" in line]
    assert line.startswith("reservoir.delay is 93 ms to 97 ms here, so that the sequence lasts the window, 0.8 s")
    assert err == ""


def test_a_recording_of_an_earlier_version_says_nothing_of_it():
    found = simulate(small.configuration(), 0)
    del found.attrs["time_told"]
    (row,) = analyse([found], ["time_told"]).to_dict("records")
    assert np.isnan(row["value"])
    assert row["note"] == "needs the attribute time_told, which recordings of earlier versions do not hold"


@pytest.mark.slow
@pytest.mark.parametrize("n", [250, 500])
def test_a_smaller_network_learns(n):
    blocks = Configuration().to_dict()["paradigm"]["blocks"][:1]
    found = simulate(Configuration.parse({"reservoir": {"n": n}, "paradigm": {"type": "meet", "blocks": blocks}}), 100)
    table = analyse([found], ["error"]).set_index(["metric", "event"])["value"]
    # 0.025 with 1,000 cells; .13 with weights that stay what they are
    assert table["error.trial_100", "all events"] < 0.04


def test_a_cue_that_never_comes_says_nothing_of_the_time():
    # two of five stimuli are heard; a volley of cells follows each, in turn
    paradigm = Oddball(blocks=[{"trials": 12}], omission_every=0, warm_up=1)
    experiment = paradigm.experiment(np.random.default_rng(0), "oddball")
    cells = np.arange(50)
    onset = experiment.inputs["onset"].to_numpy()[:, None] + 0.01 * cells
    heard = (experiment.inputs["channel"] == "B").to_numpy()[:, None]
    cell = np.broadcast_to(cells + 50 * heard, onset.shape)
    inside = onset < experiment.duration
    outputs = {"spikes.t": onset[inside], "spikes.i": cell[inside].astype(np.int32)}
    told = elapsed.measure(experiment, outputs, 100, TAU)
    assert len(told) == elapsed.PARTS
    assert max(told) < 0.5
