"""Readouts that diverge stop the run: the trial and the rule are told, and the trials before are kept."""

import re

import numpy as np
import pytest
import small
from terminal import izhires

from izhires.recordings.recording import load
from izhires.rules.three_factor import ThreeFactor
from izhires.rules.two_factor import TwoFactor
from izhires.running.run import Diverged, draw, simulate, simulate_together

TOO_FAST = small.configuration("random", when__rule={"type": "three_factor", "rate": "1 1/ms"})
"""It overshoots at every step, more each time: soon all is beyond every number."""
SAID = re.compile(
    r"the timing prediction diverged in trial (\d+) of 14 \((\S+), block (\d)\), at ([\d.]+) s: rule 'three_factor' of "
    r"'when'; a smaller learning rate may keep it stable"
)


def limited(limit, circuit="sequence"):
    """A run that learns well, and counts as diverged where a prediction exceeds the limit."""
    return small.configuration(circuit, when__largest_prediction=limit)


@pytest.mark.parametrize("device", ["cpp", "numpy"])
def test_a_run_that_diverges_stops_with_trial_and_rule(device):
    shares = []
    with pytest.raises(Diverged) as caught:
        simulate(TOO_FAST, 0, device=device, report=lambda stage, share: shares.append(share))
    found = SAID.fullmatch(str(caught.value))
    assert found, str(caught.value)
    trials = draw(TOO_FAST, 0).experiment.trials
    # at once in the first trial that teaches, the third
    assert (int(found[1]), found[2]) == (int(np.argmax(trials["kind"] == "train")), "train")
    assert 0.6 < float(found[4]) < 0.9
    if device == "cpp":  # it says how far it is once a trial; numpy's word comes twice a second
        assert max(shares) < 5 / 14


@pytest.mark.parametrize("device", ["cpp", "numpy"])
def test_the_partial_recording_is_that_of_the_trials_before(device):
    """As an undisturbed run has them, bit for bit."""
    whole = simulate(small.configuration("random"), 0, device=device)
    largest = (
        np.abs(small.outputs(small.configuration("random"), device)["when_output.z"][: 14 * 300])
        .max(axis=1)
        .reshape(14, 300)
    )
    before = np.maximum.accumulate(largest.max(axis=1))
    late = next(trial for trial in range(6, 14) if before[trial] > before[trial - 1])
    limit = float(before[late - 1])
    (found,) = simulate_together([draw(limited(limit, "random"), 0)], device)
    assert isinstance(found, Diverged)
    partial = found.partial
    assert partial.sizes["trial"] == late
    assert partial.attrs["diverged"] == str(found)
    assert f"in trial {late} of 14" in str(found)
    probes = partial.sizes["probe"]
    assert probes > 1
    for name in ("prediction", "when_weights", "what_weights", "mean_state"):
        np.testing.assert_array_equal(partial[name], whole[name].isel(probe=slice(probes)))
    np.testing.assert_array_equal(partial["trial_what"], whole["trial_what"].isel(trial=slice(late)))


@pytest.mark.parametrize("device", ["cpp", "numpy"])
def test_what_is_no_number_has_diverged(device, monkeypatch):
    """A rule that takes the root of a negative number from the second block on."""
    monkeypatch.setattr(
        ThreeFactor, "channel_update", "step = rate*dt*gate*error + sqrt(-1.0*int(block(t) > 0.5)*occurs*learning)"
    )
    configuration = small.configuration(when="three_factor")
    shares = []
    (found,) = simulate_together([draw(configuration, 0)], device, lambda stage, share: shares.append(share))
    assert isinstance(found, Diverged)
    trials = draw(configuration, 0).experiment.trials
    first = int(np.argmax((trials["kind"] == "train") & (trials["block"] == 1)))
    assert f"the timing prediction diverged in trial {first} of 14 (train, block 1)" in str(found)
    assert found.partial.sizes["trial"] == first
    assert np.isfinite(found.partial["when_weights"]).all()
    assert np.isfinite(found.partial["prediction"]).all()
    if device == "cpp":
        assert max(shares) < (first + 3) / 14


@pytest.mark.parametrize("device", ["cpp", "numpy"])
def test_an_identity_readout_that_diverges(device, monkeypatch):
    """The timing readout goes on; the run is refused all the same, with the trials before."""
    monkeypatch.setattr(TwoFactor, "channel_update", "step = learning*rate*error/(power + 1*Hz**2)*1e200")
    (found,) = simulate_together([draw(small.configuration(what="two_factor"), 0)], device)
    assert isinstance(found, Diverged)
    assert re.match(
        r"the identity (prediction|weights) diverged in trial \d+ of 14 .*: rule 'two_factor' of 'what'; ", str(found)
    )
    assert np.isfinite(found.partial["what_weights"]).all()


def test_one_of_several_side_by_side_does_not_end_the_others():
    seeds = (3, 1, 4)
    largest = {seed: np.abs(small.outputs(small.configuration(), seed=seed)["when_output.z"]).max() for seed in seeds}
    first = max(largest, key=largest.get)
    limit = float(sum(sorted(largest.values())[-2:]) / 2)
    found = simulate_together([draw(limited(limit), seed) for seed in seeds])
    assert [isinstance(each, Diverged) for each in found] == [seed == first for seed in seeds]
    for seed, each in zip(seeds, found, strict=True):
        if seed != first:
            expected = simulate(limited(limit), seed)
            np.testing.assert_array_equal(each["when_weights"], expected["when_weights"])


@pytest.mark.parametrize("device", ["cpp", "numpy"])
def test_a_network_beside_one_that_diverges_runs_to_its_end(device):
    stable = small.configuration("random", when__rule={"type": "three_factor", "rate": "2e-4 1/ms"})
    found = simulate_together([draw(stable, 0), draw(TOO_FAST, 0)], device)
    assert isinstance(found[1], Diverged)
    expected = simulate(stable, 0, device=device)
    np.testing.assert_allclose(found[0]["when_weights"], expected["when_weights"], rtol=0, atol=1e-9)


@pytest.mark.parametrize("processes", [1, 2])
def test_the_others_of_a_batch_go_on(processes, tmp_path):
    seeds = (3, 1, 4)
    largest = {seed: np.abs(small.outputs(small.configuration(), seed=seed)["when_output.z"]).max() for seed in seeds}
    first = max(largest, key=largest.get)
    path = tmp_path / "it.toml"
    path.write_text(limited(float(sum(sorted(largest.values())[-2:]) / 2)).to_toml(), encoding="utf-8")
    out = tmp_path / "out"
    done = izhires("run", "meet", "--config", path, "--seeds", "3,1,4", "--processes", processes, "--out", out)
    assert done.returncode == 4
    assert sorted(each.name for each in out.glob("*.nc")) == sorted(f"meet_seed{s}.nc" for s in seeds if s != first)
    kept = out / "diverged" / f"meet_seed{first}.nc"
    assert [each.name for each in (out / "diverged").iterdir()] == [kept.name]
    counted, said = done.stderr.splitlines()
    assert counted.startswith(f"izhires: 2 of 3 recordings finished in {out} (")
    assert said.startswith(f"izhires: seed {first}: the timing prediction diverged in trial ")
    assert said.endswith(f"; the trials before it are kept in {kept}")
    partial = load(kept)
    assert partial.attrs["seed"] == first
    assert 0 < partial.sizes["trial"] < 14
    assert "diverged in trial" in partial.attrs["diverged"]
    # what did not diverge is analysed as ever, and what did is not
    analysed = izhires("analyse", out)
    assert (analysed.returncode, analysed.stderr) == (0, "")
