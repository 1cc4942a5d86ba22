import numpy as np
import pytest
from scipy.stats import pearsonr
from synthetic import MEET, Block, experiment, recording

from izhires.analysis import analyse
from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics.weight_space import (
    bootstrap_interval,
    correlation_by_chance,
    joint_components,
    same_statistics,
    way_left,
    weight_space,
)

RNG = np.random.default_rng(0)
DIMS = ("probe", "event", "neuron")


def test_components_of_two_known_directions():
    # the when block moves along one direction with x, the what block along another with y, x and y uncorrelated
    x, y = np.array([1.0, -1, 1, -1]), np.array([2.0, 2, -2, -2])
    when, what = np.outer(x, RNG.normal(size=30)), np.outer(y, RNG.normal(size=5))
    scores, explained = joint_components([when, 1e6 * what])
    assert explained[:2] == pytest.approx([0.5, 0.5])  # equal, whatever the units and numbers of columns
    # two equal components span the plane of x and y
    assert np.linalg.matrix_rank(np.c_[scores[:, :2], x, y], tol=1e-9) == 2
    scores, explained = joint_components([when + np.outer(y, np.ones(30)) * 0, np.outer(x + 0.1 * y, np.ones(5))])
    assert explained[0] > 0.9 and abs(pearsonr(scores[:, 0], x).statistic) > 0.99


def test_components_do_not_depend_on_scale_offset_or_rotation_of_a_block():
    when, what = RNG.normal(size=(12, 40)), RNG.normal(size=(12, 6))
    scores, explained = joint_components([when, what])
    rotation = np.linalg.qr(RNG.normal(size=(40, 40)))[0]
    again, same = joint_components([when @ rotation * 7 + 3, what])
    assert same == pytest.approx(explained) and again[:, :9] == pytest.approx(scores[:, :9])
    assert explained.sum() == pytest.approx(1) and (np.diff(explained) <= 1e-12).all()
    assert (scores**2).sum() / 12 == pytest.approx(2)  # each block has variance 1
    with pytest.raises(Unavailable, match="do not change"):
        joint_components([when, np.ones((12, 3))])


def test_correlation_with_levels_and_its_chance():
    levels = np.arange(11) / 10
    r, chance, p = correlation_by_chance(-3 * levels + 2, levels, np.random.default_rng(0))
    assert r == pytest.approx(1) and p == pytest.approx(1 / 1001)
    # the null of r of 11 pairs: E|r| by Student's t with 9 degrees of freedom, about 0.26
    assert chance == pytest.approx(0.26, abs=0.02)
    scores = RNG.normal(size=11)
    assert correlation_by_chance(scores, levels, RNG)[0] == pytest.approx(abs(pearsonr(scores, levels).statistic))


def conditions(seed=0):
    """Return 9 single-block networks of one seed whose weights hold p along one direction and latency along another."""
    rng = np.random.default_rng([9, seed])
    axes = np.linalg.qr(rng.normal(size=(60, 3)))[0].T
    found = []
    for p in (0.2, 0.5, 0.8):
        for late in (0.3, 0.4, 0.5):
            block = Block({"A": late, "B": 0.8}, {"A": p, "B": 1 - p})
            made = experiment([block], seed=seed, schedule=(100,), variant=f"p={p} t={late}")
            made = recording(made, seed=seed, states=False)
            shape = (2, 2, 60)
            when, what = np.zeros(shape), np.zeros(shape)
            what[-1, 0], what[-1, 1] = (p - 0.5) * axes[0] + axes[2], (0.5 - p) * axes[0] + axes[2]
            when[-1, 0] = axes[2] + 5 * (late - 0.4) * axes[1] + (p - 0.5) * axes[0]
            found.append(made.assign(what_weights=(DIMS, what), when_weights=(DIMS, when)))
    return found


def test_conditions_are_sorted_by_probability_and_latency():
    table = analyse(conditions(), only=["weight_space"]).set_index("metric")["value"]
    assert table["weight_space.pc1_probability"] == pytest.approx(1, abs=1e-6)
    assert table["weight_space.pc2_latency"] == pytest.approx(1, abs=1e-6)
    assert table["weight_space.pc2_latency_chance"] < 0.5 and table["weight_space.pc1_probability_p"] < 0.01
    assert table["weight_space.conditions_explained_1"] + table["weight_space.conditions_explained_2"] == pytest.approx(
        1
    )
    # random weights are sorted by nothing in particular
    shape = (2, 2, 60)
    mixed = [r.assign(what_weights=(DIMS, RNG.normal(size=shape)), when_weights=(DIMS, RNG.normal(size=shape)))
             for r in conditions()]  # fmt: skip
    r = analyse(mixed, only=["weight_space"]).set_index("metric")["value"]
    assert r["weight_space.pc1_probability_p"] > 0.01


def test_probes_without_weights_are_left_out_and_too_few_are_said():
    assert len(weight_space(conditions()).rows) == 9  # of 18 probes, 9 come before any learning
    made = towards(recording(), np.random.default_rng(4))[0]
    assert len(weight_space([made]).rows) == made.sizes["probe"] - 1
    assert weight_space([made], ends_only=True).rows["block"].tolist() == [0, 1, 2, 3]
    table = analyse(conditions()[:2], only=["weight_space"])
    assert list(table["note"]) == ["needs three or more probes with weights that are not zero"]
    table = analyse([recording(experiment(MEET[:1]))], only=["weight_space"])
    assert table.loc[table["metric"] == "weight_space.explained_1", "value"].notna().all()
    assert list(table.loc[table["note"] != "", "note"]) == ["needs three or more blocks with weights that are not zero"]
    same = [block for block in (MEET[0],) for _ in range(3)]
    table = analyse([recording(experiment(same))], only=["weight_space"])
    assert table["note"].str.contains("two or more levels").sum() == 2


def towards(made, rng, tau=8.0):
    """Return the recording with weights that move from one point a block to the next, exponentially in trials."""
    blocks, done = made["block"].values, made["block_trial"].values
    points = rng.normal(size=(2, blocks.max() + 2, 2, made.sizes["neuron"]))
    points[:, 0] = 0
    weights = np.empty((2, *made["what_weights"].shape))
    before = points[:, 0]
    for block in np.unique(blocks):
        here = np.flatnonzero(blocks == block)
        left = np.exp(-done[here] / tau)[None, :, None, None]
        weights[:, here] = points[:, block + 1, None] * (1 - left) + before[:, None] * left
        before = weights[:, here[-1]]
    return made.assign(when_weights=(DIMS, weights[0]), what_weights=(DIMS, weights[1])), points


def test_the_way_that_is_left_falls_as_it_was_made_to():
    made, points = towards(recording(), np.random.default_rng(4))
    table = way_left(made, 1, [points[k, 2].ravel() for k in (0, 1)])
    for name in ("when", "what", "both"):
        assert table[name].to_numpy() == pytest.approx(np.exp(-table["block_trial"].to_numpy() / 8))
    own = way_left(made, 1)
    assert own["both"].iloc[-1] == 0 and own["both"].to_numpy() == pytest.approx(table["both"].to_numpy(), abs=1e-4)
    again = way_left(made.assign(when_weights=-1e3 * made["when_weights"]), 1)
    assert again["both"].to_numpy() == pytest.approx(own["both"].to_numpy())
    still = made.assign(
        when_weights=made["when_weights"].isel(probe=0, drop=True).expand_dims(probe=made.sizes["probe"]) + 1
    )
    with pytest.raises(Unavailable, match="lie at the end point"):
        way_left(still, 1)


def test_recovery_over_seeds_with_intervals():
    rng = np.random.default_rng(4)
    recordings = [towards(recording(seed=seed), rng, tau)[0] for seed, tau in enumerate((6.0, 8.0, 10.0))]
    table = analyse(recordings, only=["weight_recovery"])
    at = table[(table["metric"] == "weight_recovery.when_10") & (table["block"] == 2)]
    assert at["value"].to_numpy() == pytest.approx(np.exp(-10 / np.array([6, 8, 10])), abs=1e-3)
    pooled = table[table["block"] == 2].set_index("metric")["value"]
    assert at["value"].min() <= pooled["weight_recovery.when_10_low"] < at["value"].mean()
    assert at["value"].mean() < pooled["weight_recovery.when_10_high"] <= at["value"].max()
    assert (
        analyse([recording(experiment(MEET[:1]))], only=["weight_recovery"])["note"]
        .str.contains("needs a switch")
        .all()
    )


def test_weights_arrive_at_the_single_block_condition_of_the_same_statistics():
    rng = np.random.default_rng(4)
    made, points = towards(recording(experiment(MEET[:2])), rng, tau=20.0)
    single = []
    for k, block in enumerate((MEET[1], MEET[3])):
        alone = recording(experiment([block], schedule=(100,), variant=f"alone {k}"), states=False)
        end = np.stack([np.zeros_like(points[:, 2]), points[:, 2] if k == 0 else rng.normal(size=points[:, 2].shape)])
        single.append(alone.assign(when_weights=(DIMS, end[:, 0]), what_weights=(DIMS, end[:, 1])))
    assert same_statistics(made, 1, single[0], 0) and not same_statistics(made, 1, single[1], 0)
    table = analyse([made, *single], only=["weight_recovery"]).set_index("metric")["value"]
    assert table["weight_recovery.to_single"] == pytest.approx(np.exp(-100 / 20), rel=1e-6)
    assert table["weight_recovery.to_others"] > 0.5


def test_bootstrap_interval_covers_the_mean_of_many_as_often_as_it_says():
    rng, covered = np.random.default_rng(0), 0
    for trial in range(200):
        low, high = bootstrap_interval(rng.normal(1, 1, 40), resamples=400, seed=trial)
        covered += low <= 1 <= high
    assert 0.88 < covered / 200 < 0.99
    assert bootstrap_interval([2.0, 2.0]) == (2, 2) and np.isnan(bootstrap_interval([1.0])).all()
    assert np.isnan(bootstrap_interval([1.0, 2.0], lambda drawn: float("nan"))).all()
