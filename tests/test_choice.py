"""A network that chooses: its task, the closed loop inside the run, and what is measured of its choices."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest
import small
import xarray as xr

from izhires.analysis import all_metrics, analyse
from izhires.analysis.learners import Bandit, bayes, rescorla_wagner, yoked
from izhires.analysis.metrics.choice import stays, to_criterion
from izhires.building.replicates import combine, split
from izhires.devices import cuda, get
from izhires.errors import ConfigurationError, ParadigmError
from izhires.model.configuration import Configuration
from izhires.model.model import MEAN_RATE_UPDATE
from izhires.model.seeds import Seeds
from izhires.paradigms import Choice, Experiment
from izhires.recordings.recording import load, save
from izhires.running.run import draw, simulate

BLOCKS = [{"trials": 5, "reward": {"left": 0.9, "right": 0.2}}, {"trials": 5, "reward": {"left": 0.1, "right": 0.8}}]
TASK = {
    **{name: small.PARADIGM[name] for name in ("cue_onset", "cue_duration", "event_width", "warm_up", "window")},
    "type": "choice",
    "trial_duration": "300 ms",
    "reward_delay": "20 ms",
    "blocks": BLOCKS,
}
RATE, TEMPERATURE = 0.3, 0.4


def chooser(paradigm=TASK, temperature=TEMPERATURE, **changes):
    rule = {"type": "two_factor", "rate": RATE}
    # a state of equal length in all trials, in which a step can be told by hand
    return small.configuration(
        paradigm=paradigm,
        state__update=MEAN_RATE_UPDATE,
        readouts={"choice": {"type": "choice", "temperature": temperature, "rule": rule}},
        **changes,
    )


@pytest.fixture(scope="module")
def made():
    return simulate(chooser(), seed=3)


# the task


def test_blocks_probes_and_payoffs():
    found = Choice(blocks=BLOCKS, warm_up=2).experiment(np.random.default_rng(1))
    assert found.events == ("left", "right")
    assert found.trials["kind"].tolist() == ["warm-up"] * 2 + (["probe"] + ["train"] * 5) * 2 + ["probe"]
    assert (found.trials["event"] == "").all() and found.trials["latency"].isna().all()
    training = (found.trials["kind"] == "train").to_numpy()
    assert np.isin(found.payoffs.to_numpy()[training], (0, 1)).all()
    assert found.payoffs.to_numpy()[~training].shape == (5, 2) and found.payoffs[~training].isna().all(axis=None)
    assert found.outcomes["latency"].unique().tolist() == [0.8]
    assert "reward of left p = 0.90 at 800 ms, reward of right p = 0.20 at 800 ms" in found.describe()
    assert found == Choice(blocks=BLOCKS, warm_up=2).experiment(np.random.default_rng(1))
    assert found != Choice(blocks=BLOCKS, warm_up=2).experiment(np.random.default_rng(2))


def test_what_arms_pay_has_their_probabilities():
    """Each arm on its own, after each cue: the frequencies of 4000 trials, within four standard errors."""
    cues = {
        "tone": {"reward": {"a": 0.9, "b": 0.5, "c": 0.0}, "share": 3},
        "light": {"reward": {"a": 0.2, "b": 0.5, "c": 1.0}},
    }
    found = Choice(blocks=[{"trials": 4000, "cues": cues}]).experiment(np.random.default_rng(0))
    rows = found.payoffs.join(found.trials["cue_name"])[found.trials["kind"] == "train"]
    assert (rows["cue_name"] == "tone").mean() == pytest.approx(0.75, abs=4 * 0.5 / np.sqrt(4000))
    for cue, given in cues.items():
        mine = rows[rows["cue_name"] == cue]
        for arm, chance in given["reward"].items():
            assert mine[arm].mean() == pytest.approx(chance, abs=4 * np.sqrt(chance * (1 - chance) / len(mine)))
        together = (mine["a"] * mine["b"]).mean()
        assert together == pytest.approx(given["reward"]["a"] * 0.5, abs=4 * 0.5 / np.sqrt(len(mine)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"blocks": []}, "Choice.blocks: needs at least one block, got none"),
        ({"blocks": [{}]}, "Choice.blocks[0].reward: has no arms"),
        ({"blocks": [{"reward": {"a": 0.5}}]}, "Choice.blocks[0].reward: needs two arms to choose between, got a"),
        (
            {"blocks": [{"reward": {"a": 0.5, "b": 0.1}}, {"reward": {"a": 0.5}}]},
            "Choice.blocks[1].reward.b: is required, since the arms are the same throughout",
        ),
        (
            {"blocks": [{"reward": {"a": 0.5, "b": 0.1}, "cues": {"x": {"reward": {"a": 1, "b": 0}}}}]},
            "Choice.blocks[0].cues: each has rewards of its own; leave that of the block out",
        ),
        ({"blocks": [{"reward": {"a": 1.5, "b": 0}}]}, "Choice.blocks[0].reward.a: must be at most 1.0, got 1.5"),
        (
            {"reward_delay": "500 ms"},
            "Choice.trial_duration: 1200 ms is too short for cue_onset 200 ms + window 600 ms + reward_delay 500 ms",
        ),
        ({"reward_delay": "1.5 ms"}, "Choice.reward_delay: must be whole milliseconds, got 1.5 ms"),
    ],
)
def test_a_task_that_cannot_be(changes, said):
    with pytest.raises(ConfigurationError) as caught:
        Choice(**changes)
    assert str(caught.value).startswith(said)


def of_table(payoffs, **changes):
    table = pd.DataFrame(
        {"onset": [0.0, 0.4], "duration": 0.4, "cue": [0.1, 0.5], "event": "", "latency": np.nan, **changes}
    )
    return Experiment.from_table(table, window=0.2, payoffs=payoffs, reward_delay=0.05)


def test_payoffs_of_a_table_of_ones_own():
    found = of_table({"a": [1, 0], "b": [1, 1]})
    assert found.events == ("a", "b")
    assert found.outcomes.to_dict("list") == {
        "block": [0, 0], "event": ["a", "b"], "latency": [0.25, 0.25], "probability": [0.5, 1.0],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("payoffs", "changes", "said"),
    [
        ({"a": [1], "b": [0]}, {}, "payoffs: needs one row a trial, 2, got 1"),
        ({"a": [1, np.nan], "b": [0, 1]}, {}, "payoffs[1].a: must be a number, got nan"),
        ({"a": [1, 1], "b": [0, 1]}, {"kind": ["probe", "train"]}, "payoffs[0].a: a trial that is inserted pays"),
        ({"a": [1, 1], "b": [0, 1]}, {"cue": [0.18, 0.5]}, "reward_delay: the reward at 0.43 s is not inside"),
    ],
)  # fmt: skip
def test_payoffs_that_cannot_be(payoffs, changes, said):
    with pytest.raises(ParadigmError) as caught:
        of_table(payoffs, **changes)
    assert str(caught.value).startswith(said)


# the loop


def gumbel(seed, trials, arms=2):
    return Seeds(seed=seed).generator("exploration", "choice").gumbel(size=(trials, arms))


def test_each_choice_follows_the_rule_and_its_reward_is_that_of_the_table(made):
    value, payoff = made["trial_choice_value"].values, made["trial_payoff"].values
    utility = value + TEMPERATURE * gumbel(3, len(value))
    chosen = utility.argmax(axis=1)
    assert made["trial_choice"].values.tolist() == np.array(["left", "right"])[chosen].tolist()
    np.testing.assert_array_equal(made["trial_choice_reward"].values, payoff[np.arange(len(payoff)), chosen])
    assert np.isfinite(made["trial_choice_reward"].values).sum() == 10
    assert len(set(chosen)) == 2


def test_only_what_was_chosen_learns_and_from_its_reward_alone(made):
    """The delta rule by hand, along the states that the recording holds: in the probes all values follow."""
    training = made["trial_kind"].values == "train"
    rows = np.flatnonzero(training)
    value, reward = made["trial_choice_value"].values, made["trial_choice_reward"].values
    chosen = (made["trial_choice"].values[:, None] == np.array(["left", "right"])).astype(float)
    weights = made["choice_weights"].values  # at the start, after block 1, after block 2
    state = made["mean_state"].values
    assert not weights[0].any()
    # all states of this quiet network are alike, so that the weights are steps along one direction
    step = chosen[rows] * (RATE * (reward[rows, None] - value[rows]))
    for probe, until in ((1, 5), (2, 10)):
        expected = step[:until].sum(axis=0)
        np.testing.assert_allclose(weights[probe] @ state[probe], expected, rtol=2e-3)
        assert np.linalg.matrix_rank(weights[probe], tol=1e-3 * np.abs(weights[probe]).max()) == 1


def test_the_same_spikes_and_choices_on_cpp_and_numpy(made):
    other = simulate(chooser(), seed=3, device="numpy")
    np.testing.assert_array_equal(small.spikes(_spikes(made)), small.spikes(_spikes(other)))
    for name in ("trial_choice", "trial_choice_reward", "trial_payoff"):
        np.testing.assert_array_equal(made[name].values, other[name].values)
    np.testing.assert_allclose(made["trial_choice_value"].values, other["trial_choice_value"].values, atol=1e-12)


def _spikes(recording):
    return {"spikes.t": recording["spike_time"].values, "spikes.i": recording["spike_neuron"].values}


def test_another_seed_chooses_otherwise(made):
    other = simulate(chooser(), seed=4)
    assert (made["trial_choice"].values != other["trial_choice"].values).any()


def changed(**values):
    """The same task and build with other parameters of the readout."""
    data = chooser().to_dict()
    data["readouts"]["choice"] |= values
    return Configuration.parse(data)


def test_without_learning_it_chooses_by_chance():
    """Values stay 0, so that the Gumbel numbers alone decide, whatever was paid."""
    found = simulate(changed(learning_blocks=0), seed=3)
    assert not found["trial_choice_value"].values.any()
    chosen = gumbel(3, found.sizes["trial"]).argmax(axis=1)
    assert found["trial_choice"].values.tolist() == np.array(["left", "right"])[chosen].tolist()
    np.testing.assert_array_equal(
        found["trial_choice_reward"].values, found["trial_payoff"].values[np.arange(len(chosen)), chosen]
    )


def test_numbers_of_gumbel_choose_as_a_softmax():
    """The largest of q/T + g is k with probability exp(q_k/T)/sum exp(q/T), within four standard errors."""
    value = np.array([0.1, 0.5, 0.3])
    chosen = (value / 0.2 + gumbel(0, 40_000, 3)).argmax(axis=1)
    expected = np.exp(value / 0.2) / np.exp(value / 0.2).sum()
    found = np.bincount(chosen, minlength=3) / len(chosen)
    np.testing.assert_allclose(found, expected, atol=4 * 0.5 / np.sqrt(40_000))


def test_at_temperature_0_the_largest_value_is_chosen_and_the_first_of_equal_ones():
    found = simulate(changed(temperature=0.0), seed=3)
    value = found["trial_choice_value"].values
    assert found["trial_choice"].values.tolist() == np.array(["left", "right"])[value.argmax(axis=1)].tolist()
    assert found["trial_choice"].values[0] == "left" and (value[0] == 0).all()


@pytest.mark.slow
def test_three_arms():
    rewards = {"a": 0.2, "b": 0.5, "c": 1.0}
    found = simulate(chooser({**TASK, "blocks": [{"trials": 8, "reward": rewards}]}), seed=0, device="numpy")
    value = found["trial_choice_value"].values
    chosen = (value + TEMPERATURE * gumbel(0, len(value), 3)).argmax(axis=1)
    assert found["trial_choice"].values.tolist() == np.array(["a", "b", "c"])[chosen].tolist()
    np.testing.assert_array_equal(
        found["trial_choice_reward"].values, found["trial_payoff"].values[np.arange(len(chosen)), chosen]
    )


@pytest.mark.slow
def test_replicates_choose_as_alone():
    networks = [draw(chooser(), seed) for seed in (3, 8)]
    plan, arrays = combine([each.plan for each in networks], [each.arrays for each in networks])
    for own, mine in zip(networks, split(plan, get("cpp").prepare(plan).run(arrays)), strict=True):
        alone = get("cpp").prepare(own.plan).run(own.arrays)
        for name in ("choice_made.chosen", "choice_made.reward"):
            np.testing.assert_array_equal(mine[name], alone[name])
        np.testing.assert_allclose(mine["choice_output.q"], alone["choice_output.q"], atol=1e-12)


def test_a_neuromodulator_hears_the_reward_when_it_comes():
    heard = {"type": "release", "sums": {"paid": {"of": "choice", "summand": "at_reward*reward"}}, "release": "paid"}
    record = [{"of": "dopamine", "variable": "released"}]
    configuration = chooser(neuromodulators={"dopamine": heard}, keep__record=record)
    found = simulate(configuration, seed=3, device="numpy")
    moments = found["dopamine_released_time"].values[found["dopamine_released"].values[:, 0] > 0]
    expected = found["trial_cue"].values[found["trial_choice_reward"].values == 1] + 0.22 + 0.02
    np.testing.assert_allclose(moments, expected, atol=1e-9)
    assert len(expected) > 2


def test_a_recording_of_choices_is_written_and_read(made, tmp_path):
    again = load(save(made, tmp_path / "choice.nc"))
    for name in ("trial_choice", "trial_choice_reward", "trial_choice_value", "trial_payoff"):
        np.testing.assert_array_equal(again[name].values, made[name].values)
    assert "trial_what" in again and "choice_weights" in again


def test_a_choice_without_payoffs_and_payoffs_without_a_choice():
    with pytest.raises(ConfigurationError, match=r"^choice: the task pays for no choices, as 'choice' does"):
        draw(chooser(small.PARADIGM), 0)
    with pytest.raises(ConfigurationError, match=r"^readouts: the task pays for choices, and no readout chooses; "):
        draw(small.configuration(paradigm=TASK), 0)


@pytest.mark.skipif(bool(cuda.CudaDevice.cannot_generate()), reason=cuda.CudaDevice.cannot_generate() or "brian2cuda")
def test_cuda_code(tmp_path, monkeypatch):
    from izhires.running.export import export

    monkeypatch.setenv("IZHIRES_CUDA_ARCHITECTURE", "9.0")
    folder = export(chooser(), 3, "", "cuda", tmp_path / "project")
    written = {path.stem: path.read_text() for path in (folder / "code_objects").glob("*.cu")}
    compared = written["choice_compared_compare_codeobject"]
    # each pair of channels has a thread of its own
    assert "_brian_atomicAdd(&_ptr_array_choice_beaten[_postsynaptic_idx]" in compared
    assert "choice_gumbel_signal(_utility_pre_choice" in compared
    assert "payoff_signal(" in written["choice_window_end_resetter_codeobject"]


# what is measured


def bandit(payoff, choice, block=None, chance=((0.8, 0.2), (0.2, 0.8))):
    payoff, choice = np.array(payoff, float), np.array(choice)
    block = np.zeros(len(choice), int) if block is None else np.array(block)
    reward = payoff[np.arange(len(choice)), choice]
    return Bandit(payoff, block, np.unique(block), np.array(chance), choice, reward, np.zeros_like(payoff))


def test_a_yoked_counter_by_hand():
    seen = bandit([[1, 0], [1, 0], [0, 0], [0, 1]], [0, 1, 0, 1])
    np.testing.assert_allclose(yoked(seen, 0.5), [[0, 0], [0.5, 0], [0.5, 0], [0.25, 0]])


def test_a_rescorla_wagner_learner_without_chance_by_hand():
    """Both are worth 0: the first; it pays nothing and is still the first of equal ones, until it has paid."""
    seen = bandit([[0, 1], [1, 1], [0, 1], [0, 1]], [0] * 4)
    assert rescorla_wagner(seen, 0.5, 0.0, agents=2).tolist() == [[0] * 4] * 2


def test_a_rescorla_wagner_learner_chooses_by_softmax():
    """After one reward of 1 at rate 1 the values are 1 and 0: the first arm again with 1/(1 + exp(-1/T))."""
    seen = bandit([[1, 1], [0, 0]], [0, 0])
    found = rescorla_wagner(seen, 1.0, 0.5, agents=20_000)
    assert (found[:, 0] == found[:, 1]).mean() == pytest.approx(1 / (1 + np.exp(-2)), abs=0.01)


def test_the_learner_that_infers_the_block_by_enumeration():
    """Its belief against the sum over all sequences of blocks, for all rewards of six trials."""
    chance = np.array([[0.9, 0.3], [0.2, 0.6]])
    hazard = 1 / 5
    for rewards in itertools.product((0, 1), repeat=6):
        payoff = np.stack([rewards, rewards], axis=1)
        seen = bandit(payoff, [0] * 6, block=[0, 0, 0, 1, 1, 1], chance=chance)
        chosen = bayes(seen, agents=1)[0]
        for trial in range(1, 6):
            weight = np.zeros(2)
            for path in itertools.product((0, 1), repeat=trial + 1):
                p = 0.5
                for before, now in itertools.pairwise(path):
                    p *= hazard if before != now else 1 - hazard
                for k in range(trial):
                    q = np.unique(chance, axis=0)[path[k], chosen[k]]
                    p *= q if rewards[k] else 1 - q
                weight[path[-1]] += p
            expected = weight / weight.sum() @ np.unique(chance, axis=0)
            if not np.isclose(*expected):
                assert chosen[trial] == expected.argmax()


def test_trials_to_the_criterion_by_hand():
    right = np.array([[0, 0, 0] + [1] * 17, [1, 0] * 10, [0] * 12 + [1] * 8], bool)
    assert to_criterion(right).tolist() == [1.0, np.inf, 10.0]


def test_win_stay_and_lose_shift_by_hand():
    """Won, won, lost, lost, and a pair that goes across two blocks and does not count."""
    choice = [0, 0, 1, 1, 0, 1]
    payoff = [[1, 0], [1, 0], [0, 0], [0, 0], [1, 0], [0, 0]]
    stay, shift = stays(np.array([choice]), bandit(payoff, choice, block=[0, 0, 0, 0, 0, 1]))
    assert (stay.tolist(), shift.tolist()) == ([0.5], [0.5])


def test_the_metrics_of_a_table_of_ones_own(made):
    """Of a recording in which the choices and the statistics are given by hand."""
    better = np.array(["right", *["left"] * 6, *["right"] * 3])
    names = made["trial_choice"].values.astype(object)
    names[made["trial_kind"].values == "train"] = better
    given = made.assign(trial_choice=("trial", names.astype(str)))
    found = {(row.part, row.block): row.value for row in all_metrics()["better_choices"].rows(given)}
    assert (found["", 0], found["", 1], found["late", 1], found["chance", 0], found["most", 1]) == (
        0.8,
        0.6,
        1,
        0.5,
        0.8,
    )
    assert {row.value for row in all_metrics()["reversal"].rows(given) if not row.part} == {np.inf}  # five trials only


def test_with_one_cue_the_readout_is_a_counter(made):
    found = {row.part: row.value for row in all_metrics()["choice_values"].rows(made)}
    assert found[""] < 0.01 < 0.1 < found["deviation"]


def test_a_recording_without_choices_has_none_of_these():
    recording = xr.Dataset(attrs={"configuration": json.dumps({})})
    for name in ("better_choices", "reversal", "win_stay", "choice_values"):
        (row,) = all_metrics()[name].rows(recording)
        assert np.isnan(row.value) and row.note


@pytest.mark.slow
def test_the_table_of_two_cues_has_both():
    cues = {"tone": {"reward": {"left": 1.0, "right": 0.0}}, "light": {"reward": {"left": 0.0, "right": 1.0}}}
    found = simulate(chooser({**TASK, "blocks": [{"trials": 8, "cues": cues}]}), seed=0, device="numpy")
    table = analyse([found])
    mine = table[table["metric"] == "better_choices"]
    assert set(mine["variant"]) == {"tone", "light"} and mine["value"].notna().all()
