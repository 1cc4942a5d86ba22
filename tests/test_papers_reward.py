"""Examples of papers with reward-modulated plasticity, shorter: what they claim, and the control that lacks it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from izhires.running.run import simulate

PAPERS = Path(__file__).resolve().parents[1] / "examples" / "papers"


@pytest.fixture(scope="module")
def script(request):
    """The module of an example, which is no package."""
    name = request.param
    spec = importlib.util.spec_from_file_location(name, PAPERS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[name]


@pytest.mark.slow
@pytest.mark.filterwarnings("error:Mean of empty slice")  # a population without excitatory cells is read
@pytest.mark.parametrize("script", ["izhikevich_2007"], indirect=True)
def test_a_distal_reward_finds_its_synapse(script):
    """50 cells with 10 synapses, half an hour: the chosen synapse gets strong where the reward hangs on it."""
    minutes, seeds = 30, (0, 1)
    made = script.configuration(50, 10, minutes)
    contingent = [simulate(made, seed) for seed in seeds]
    for each in contingent:
        # what the program found, from the spikes: each pair is followed by a reward, 1 to 3 s later
        found, given = script.pairs(each), script.rewards(each)
        end = minutes * 60
        assert len(given) > 50
        assert np.sum(found < end - 3.1) <= len(given) <= len(found)
        for pair in found[found < end - 3.1]:
            assert np.any((given >= pair + 0.999) & (given <= pair + 3.003)), pair
        for reward in given:
            assert np.any((found <= reward - 0.999) & (found >= reward - 3.003)), reward
    chance = np.mean([len(script.rewards(each)) for each in contingent]) / (minutes * 60_000)
    made = script.configuration(50, 10, minutes, "random", chance)
    at_random = [simulate(made, seed) for seed in seeds]
    numbers = {kind: [script.measured(each) for each in own] for kind, own in
               (("contingent", contingent), ("random", at_random))}  # fmt: skip
    for mine, control in zip(*numbers.values(), strict=True):
        assert mine["percentile"] > 90
        assert control["percentile"] < 90
        assert mine["last quarter"] > 3 > 2 > control["last quarter"]
        assert mine["median"] < 1
        assert 0.5 < control["rewards"] / mine["rewards"] < 2


@pytest.mark.slow
@pytest.mark.parametrize("script", ["fremaux_2010"], indirect=True)
def test_success_must_be_without_bias(script):
    """400 trials: reward grows where its mean is subtracted, and falls with an offset; without contingency, neither."""
    seeds = (0, 1)
    change = {}
    for name, known in (("unbiased", {}), ("offset", {"offset": 0.5}), ("before", {"earlier": 1.0})):
        found = []
        for seed in seeds:
            recording = simulate(script.configuration(400, **known), seed)
            rewards = script.rewards(recording)
            found.append(rewards[-50:].mean() - rewards[:50].mean())
        change[name] = np.mean(found)
    success = recording["dopamine_success"].values
    assert np.ptp(success) > 0
    assert change["unbiased"] > 0.05
    assert change["offset"] < -0.05
    assert change["before"] < change["unbiased"] - 0.05


@pytest.mark.parametrize("script", ["fremaux_2010"], indirect=True)
def test_reward_is_the_distance_of_the_spikes(script):
    """What the program says of each trial, from the spikes that it kept."""
    recording = simulate(script.configuration(3), 3, device="numpy")
    rewards, steps = script.rewards(recording), np.round(recording["spike_time"].values * 1e3).astype(int)
    assert len(np.unique(steps)) > 5
    decay, tau = np.exp(-1 / 20), 20
    counted = np.bincount(steps + 1, minlength=3 * script.TRIAL) / script.CELLS  # heard a step later
    z = goal = distance = 0.0
    found = []
    for step in range(3 * script.TRIAL):
        elapsed = step % script.TRIAL - script.CUE if step >= script.CUE else -1
        z = z * decay + counted[step]
        goal = goal * decay + (elapsed in script.TARGETS)
        distance = distance * (elapsed > 0) + (z - goal) ** 2 / tau
        if elapsed == script.PATTERN + 20:
            found.append(1 - distance)
    assert len(rewards) == 2
    np.testing.assert_allclose(rewards, found[: len(rewards)], rtol=1e-9)
