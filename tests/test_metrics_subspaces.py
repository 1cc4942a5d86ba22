import numpy as np
import pytest
from synthetic import recording, study

from izhires.analysis import analyse
from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics.angles import principal_angles
from izhires.analysis.metrics.subspaces import (
    MEASURES,
    course,
    over_seeds,
    principal_vectors,
    relate,
    subspace,
    subspace_without_mean,
)

RNG = np.random.default_rng(0)


def relation(what, when):
    """Return the measures of weights (event, neuron) by name."""
    found = relate(principal_vectors(what, "what"), principal_vectors(when, "when"))
    return dict(zip(MEASURES, found.tolist(), strict=True))


def with_weights(made, what, when):
    """Return the recording with other weights, (probe, event, neuron) or (event, neuron)."""
    shape = made["what_weights"].shape
    dims = ("probe", "event", "neuron")
    return made.assign(
        what_weights=(dims, np.broadcast_to(what, shape).copy()),
        when_weights=(dims, np.broadcast_to(when, shape).copy()),
    )


def test_identical_subspaces_overlap_and_align_wholly_and_disjoint_cells_not_at_all():
    what = RNG.normal(size=(2, 40))
    same = relation(what, np.array([[2.0, 1.0], [1.0, -3.0]]) @ what)
    assert [same[name] for name in ("overlap", "when_in_what", "what_in_when")] == pytest.approx([1, 1, 1])
    assert same["smallest"] == pytest.approx(0, abs=1e-5) and same["largest"] == pytest.approx(0, abs=1e-5)
    one, other = np.zeros((2, 40)), np.zeros((2, 40))
    one[:, :20], other[:, 20:] = RNG.normal(size=(2, 2, 20))
    apart = relation(one, other)
    assert (apart["smallest"], apart["largest"]) == pytest.approx((90, 90))
    assert [apart[name] for name in ("overlap", "when_in_what", "what_in_when")] == pytest.approx([0, 0, 0])


def test_measures_of_planes_with_known_angles():
    axes = np.eye(5)
    c20, s20, c65, s65 = (f(np.radians(d)) for d in (20, 65) for f in (np.cos, np.sin))
    when = np.array([3 * (c20 * axes[0] + s20 * axes[2]), c65 * axes[1] + s65 * axes[3]])  # lengths 3 and 1
    found = relation(axes[:2], when)
    assert (found["smallest"], found["largest"]) == pytest.approx((20, 65))
    assert found["overlap"] == pytest.approx((c20**2 + c65**2) / 2)
    assert found["when_in_what"] == pytest.approx((9 * c20**2 + c65**2) / 10)  # weighted by the power of each vector
    assert found["what_in_when"] == pytest.approx((c20**2 + c65**2) / 2)


def test_alignment_is_that_of_elsayed_with_explicit_covariances():
    what, when = RNG.normal(size=(2, 30)), RNG.normal(size=(3, 30))
    basis = np.linalg.qr(what.T)[0]
    covariance = when.T @ when
    largest = np.linalg.eigvalsh(covariance)[::-1][:2].sum()
    assert relation(what, when)["when_in_what"] == pytest.approx(np.trace(basis.T @ covariance @ basis) / largest)


def test_angles_are_those_of_scipy_and_everything_is_invariant():
    what, when = RNG.normal(size=(2, 3, 30))
    found = relation(what, when)
    angles = principal_angles(what, when)[0]
    assert (found["smallest"], found["largest"]) == pytest.approx((angles[0], angles[-1]))
    rotation = np.linalg.qr(RNG.normal(size=(30, 30)))[0]
    assert relation(what @ rotation, when @ rotation) == pytest.approx(found)
    assert relation(-1e-6 * what, 1e3 * when) == pytest.approx(found)
    swapped = relation(when, what)
    assert swapped["overlap"] == pytest.approx(found["overlap"])
    assert swapped["when_in_what"] == pytest.approx(found["what_in_when"])
    assert relation(RNG.normal(size=(3, 3)) @ what, when)["when_in_what"] == pytest.approx(found["when_in_what"])


def test_principal_vectors_keep_span_and_second_moment_and_drop_what_is_dependent():
    what = np.outer([1.0, 2.0], RNG.normal(size=30))
    vectors = principal_vectors(what, "what")
    assert vectors.shape == (30, 1) and vectors @ vectors.T == pytest.approx(what.T @ what)
    with pytest.raises(Unavailable, match='all "when" weights are zero'):
        principal_vectors(np.zeros((2, 30)), "when")
    with pytest.raises(Unavailable, match="parallel to the mean state"):
        principal_vectors(what, "what", removed=what[0])


def test_random_weights_lie_at_chance_and_a_shared_direction_far_from_it():
    rng = np.random.default_rng(3)
    neurons = recording().sizes["neuron"]
    by_chance, shared = [], []
    for seed in range(6):
        made, common = recording(seed=seed), rng.normal(size=neurons)
        what, when = rng.normal(size=(2, 2, neurons))
        by_chance.append(with_weights(made, what, when))
        shared.append(with_weights(made, what + 3 * common, when + 3 * common))
    for recordings, inside in ((by_chance, True), (shared, False)):
        table = analyse(recordings, only=["subspace"]).set_index(["metric", "seed", "block"])["value"]
        for null in ("isotropic", "shuffle"):
            effects = table.xs(f"subspace.overlap_{null}_effect").to_numpy()
            assert (np.abs(effects.mean()) < 1.5) if inside else (effects > 4).all()
        p = table[[name.endswith("_seeds_holm") for name in table.index.get_level_values("metric")]]
        assert (p.xs("subspace.overlap_isotropic_seeds_holm") < 0.05).all() == (not inside)


def test_removing_the_mean_state_takes_a_shared_mean_out_of_values_and_nulls():
    made = recording()
    mean = made["mean_state"].isel(probe=0).values
    what, when = RNG.normal(size=(2, 2, made.sizes["neuron"]))
    joined = with_weights(made, what + 5 * mean, when + 5 * mean)
    as_it_is, without = (
        {r.part: r.value for r in function([joined]) if r.block == 0} for function in (subspace, subspace_without_mean)
    )
    assert as_it_is["overlap"] > 0.4 > 0.2 > without["overlap"]
    unit = mean / np.linalg.norm(mean)
    left = relation(what - np.outer(what @ unit, unit), when - np.outer(when @ unit, unit))
    assert without["overlap"] == pytest.approx(left["overlap"])
    # k m / N over min(k, m): the mean overlap of random planes, here in one dimension less
    assert without["overlap_isotropic_mean"] == pytest.approx(2 / (made.sizes["neuron"] - 1), rel=0.1)


def test_weights_before_learning_are_a_null_where_there_are_any_and_zeros_are_said():
    made = recording()
    shape = made["what_weights"].shape
    what, when = RNG.normal(size=(2, *shape))
    table = analyse([with_weights(made, what, when)], only=["subspace"]).set_index(["metric", "block"])["value"]
    expected = relation(what[-1], when[-1])["overlap"] - relation(what[0], when[0])["overlap"]
    assert table["subspace.overlap_before_difference", 3] == pytest.approx(expected)
    what[0] = 0
    table = analyse([with_weights(made, what, when)], only=["subspace"])
    said = table[table["note"].str.startswith("no comparison with before learning: all")]
    assert set(said["metric"]) == {"subspace.overlap_before_difference"} and len(said) == 4


def test_subspaces_that_turn_apart_are_seen_to_do_so():
    made = recording()
    probes, neurons = made.sizes["probe"], made.sizes["neuron"]
    angle = np.radians(np.linspace(10, 80, probes))
    axes = np.eye(neurons)
    what = np.broadcast_to(axes[:1], (probes, 1, neurons))
    when = np.cos(angle)[:, None, None] * axes[0] + np.sin(angle)[:, None, None] * axes[1]
    both = [np.concatenate([each, np.zeros_like(each)], axis=1) for each in (what, when)]
    turned = with_weights(made, *both)
    assert course(turned, without_mean=False)["smallest"].to_numpy() == pytest.approx(np.degrees(angle))
    table = analyse([turned], only=["subspace_change"]).set_index("metric")["value"]
    assert table["subspace_change.smallest_rank_correlation"] == pytest.approx(1)
    assert table["subspace_change.smallest_change"] == pytest.approx(70)
    assert table["subspace_change.overlap_rank_correlation"] == pytest.approx(-1)


def test_over_seeds_are_t_tests_with_holms_steps():
    # t = mean / (s / sqrt(n)); p of t(3) by its closed form; Holm: 2 p of the smaller, then the larger of that and p
    from scipy.special import stdtr

    first, second = [1.0, 1.2, 0.8, 1.1], [1.0, -0.5, 0.7, 0.2]
    t = [np.mean(v) / (np.std(v, ddof=1) / 2) for v in (first, second)]
    p = [2 * stdtr(3, -abs(each)) for each in t]
    rows = {r.part: r.value for r in over_seeds({("", 0, "a"): first, ("", 0, "b"): second})}
    assert rows["a_seeds_holm"] == pytest.approx(2 * p[0]) and rows["b_seeds_holm"] == pytest.approx(
        max(2 * p[0], p[1])
    )
    assert rows["a_seeds_d"] == pytest.approx(t[0] / 2)


def test_what_is_missing_is_said_and_the_rest_computed():
    bare = recording(states=False, seed=1)
    table = analyse([recording(), bare, recording(seed=2).drop_vars("when_weights")], only=["subspace"])
    notes = table[table["note"] != ""]
    assert set(notes.loc[notes["seed"] == 1, "metric"]) == {"subspace.overlap_covariance_difference"}
    assert notes.loc[notes["seed"] == 2, "note"].str.contains("needs when_weights").all()
    assert table.loc[(table["metric"] == "subspace.overlap") & (table["seed"] < 2), "value"].notna().all()
    alone = analyse([recording()], only=["subspace"])
    assert "a test over seeds needs two or more seeds" in set(alone["note"])


def test_few_probes_have_no_trend():
    made = study(1)[0].isel(probe=slice(0, 2)).drop_dims("state_probe")
    table = analyse([made], only=["subspace_change"])
    assert table["note"].str.contains("needs three or more probes").all()
