import numpy as np
import pytest
from scipy.linalg import subspace_angles
from scipy.special import gammaln

from izhires.analysis import nulls
from izhires.analysis.declared import Unavailable


def test_isotropic_lines_have_the_closed_form_mean_cosine():
    # E|cos| of two random directions in N dimensions is Gamma(N / 2) / (sqrt(pi) Gamma((N + 1) / 2)), E cos^2 is 1 / N
    for dimensions in (2, 10, 500):
        cosine = np.cos(np.radians(nulls.isotropic_angles(dimensions, (1, 1), n=4000)[:, 0]))
        expected = np.exp(gammaln(dimensions / 2) - gammaln((dimensions + 1) / 2)) / np.sqrt(np.pi)
        spread = np.sqrt(1 / dimensions - expected**2)
        assert cosine.mean() == pytest.approx(expected, abs=4 * spread / np.sqrt(4000))
        assert (cosine**2).mean() == pytest.approx(1 / dimensions, rel=0.15)


def test_lines_in_a_plane_are_uniform_over_the_quarter_circle():
    angle = np.sort(nulls.isotropic_angles(2, (1, 1), n=4000)[:, 0])
    assert np.abs(angle / 90 - (np.arange(4000) + 0.5) / 4000).max() < 1.63 / np.sqrt(4000)  # Kolmogorov-Smirnov, 1%


def test_planes_that_must_meet_have_angle_zero():
    angles = nulls.isotropic_angles(3, (2, 2), n=50)  # two planes in space share a line
    assert angles[:, 0] == pytest.approx(np.zeros(50), abs=1e-5)
    assert (angles[:, 1] > 0).all()


def test_angles_are_those_of_scipy():
    rng, again = np.random.default_rng(3), np.random.default_rng(3)
    angles = nulls.random_angles(np.linspace(1, 2, 12), (2, 3), rng, n=5)
    vectors = np.linspace(1, 2, 12)[:, None] * again.standard_normal((5, 12, 5))
    for pair, (smallest, largest) in zip(vectors, angles, strict=True):
        expected = np.degrees(subspace_angles(pair[:, :2], pair[:, 2:]))
        assert (smallest, largest) == pytest.approx((expected.min(), expected.max()))


def test_covariance_null_is_that_of_vectors_drawn_in_the_space_of_neurons():
    rng = np.random.default_rng(0)
    states = rng.normal(1, 1, (15, 30)) * np.linspace(0.2, 3, 30)
    ours = nulls.covariance_angles(states, (1, 2), rng, n=2000)
    second_moment = states.T @ states / len(states)
    drawn = rng.multivariate_normal(np.zeros(30), second_moment, (2000, 3), method="svd")
    direct = np.array([np.degrees(subspace_angles(v[:1].T, v[1:].T))[[-1, 0]] for v in drawn])
    error = np.hypot(ours.std(0), direct.std(0)) / np.sqrt(2000)
    assert (np.abs(ours.mean(0) - direct.mean(0)) < 4 * error).all()
    # and it differs from the isotropic one, so that the comparison means something
    assert (np.abs(ours.mean(0) - nulls.isotropic_angles(30, (1, 2)).mean(0)) > 10 * error).all()


def test_covariance_null_of_white_states_is_the_isotropic_one():
    rng = np.random.default_rng(0)
    ours = nulls.covariance_angles(np.eye(40), (2, 2), rng)
    assert ours.mean(0) == pytest.approx(nulls.isotropic_angles(40, (2, 2)).mean(0), abs=0.5)


def test_the_second_moment_is_not_centred_and_the_mean_can_be_removed():
    rng = np.random.default_rng(0)
    mean = 100 * np.ones(50)
    states = mean + rng.normal(size=(400, 50))
    assert nulls.covariance_angles(states, (1, 1), rng)[:, 0].mean() < 15
    removed = nulls.covariance_angles(states, (1, 1), rng, removed=mean)
    assert removed.mean() == pytest.approx(nulls.isotropic_angles(49, (1, 1)).mean(), abs=1)


def test_states_along_one_line_leave_no_angle_and_silent_states_no_null():
    rng = np.random.default_rng(0)
    line = np.outer(rng.normal(size=20), rng.normal(size=30))
    assert nulls.covariance_angles(line, (1, 1), rng, n=20) == pytest.approx(np.zeros((20, 2)), abs=1e-5)
    with pytest.raises(Unavailable, match="states are all zero"):
        nulls.covariance_angles(np.zeros((20, 30)), (1, 1), rng)


def test_without_removes_exactly_one_direction():
    vectors, direction = np.random.default_rng(0).normal(size=(10, 3)), np.arange(10.0)
    left = nulls.without(vectors, direction)
    assert direction @ left == pytest.approx(np.zeros(3), abs=1e-12)
    assert nulls.without(left, direction) == pytest.approx(left)
    assert np.linalg.matrix_rank(np.column_stack([vectors - left, direction])) == 1


def test_span_keeps_what_counts():
    basis = nulls.span(np.column_stack([np.eye(4)[:, 0], 2 * np.eye(4)[:, 0], np.eye(4)[:, 1]]))
    assert basis.shape == (4, 2) and basis.T @ basis == pytest.approx(np.eye(2))
    assert nulls.span(1e-14 * np.eye(4)[:, :2], scale=1.0).shape == (4, 0)


def test_p_values_count_the_observation_itself():
    null = np.arange(1.0, 100)  # 1 ... 99
    far = nulls.compare(1000.0, null)
    assert far.p_larger == 1 / 100 and far.p_two_sided == 2 / 100
    middle = nulls.compare(50.0, null)
    assert middle.p_larger == 51 / 100 and middle.p_two_sided == 1 and middle.difference == 0
    low = nulls.compare(2.0, null)
    assert low.p_larger == 99 / 100 and low.p_two_sided == pytest.approx(6 / 100)
    assert (low.low, low.high) == pytest.approx((3.45, 96.55)) and low.mean == 50


def test_p_values_of_chance_are_uniform():
    null = nulls.isotropic_angles(20, (2, 2))[:, 0]
    observed = nulls.random_angles(np.ones(20), (2, 2), np.random.default_rng(9), n=400)[:, 0]
    p = np.array([nulls.compare(value, null).p_two_sided for value in observed])
    assert (p < 0.05).mean() < 0.1 and (p < 0.5).mean() == pytest.approx(0.5, abs=0.1)


def test_shuffled_neurons_keep_lengths_angles_and_weights_but_not_their_places():
    vectors = np.random.default_rng(0).normal(size=(30, 2))
    moved = np.concatenate(list(nulls.shuffled(vectors, np.random.default_rng(1), 250)))
    assert moved.shape == (250, 30, 2)
    assert np.swapaxes(moved, 1, 2) @ moved == pytest.approx(np.broadcast_to(vectors.T @ vectors, (250, 2, 2)))
    assert np.sort(moved[:, :, 0], axis=1) == pytest.approx(np.broadcast_to(np.sort(vectors[:, 0]), (250, 30)))
    # every cell gets every cell's weight equally often: the mean over shuffles is the mean weight
    error = vectors[:, 0].std() / np.sqrt(250)
    assert np.abs(moved[:, :, 0].mean(0) - vectors[:, 0].mean()).max() < 4.5 * error
    direction = np.arange(1.0, 31)
    without = next(nulls.shuffled(vectors, np.random.default_rng(1), 10, direction))
    assert direction @ without == pytest.approx(np.zeros((10, 2)), abs=1e-9)


def test_bases_are_orthonormal_and_hold_the_states_variance_as_their_covariance_says():
    rng = np.random.default_rng(0)
    states = rng.normal(size=(50, 20)) * np.linspace(0.1, 3, 20)
    ours, isotropic = nulls.state_bases(states, 1, rng, 4000), nulls.isotropic_bases(20, 2, 50)
    assert np.swapaxes(isotropic, 1, 2) @ isotropic == pytest.approx(np.broadcast_to(np.eye(2), (50, 2, 2)), abs=1e-12)
    drawn = rng.multivariate_normal(np.zeros(20), states.T @ states, 4000, method="svd")
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    power = ours[:, :, 0] ** 2
    error = np.hypot(power.std(0), (drawn**2).std(0)) / np.sqrt(4000)
    assert (np.abs(power.mean(0) - (drawn**2).mean(0)) < 4 * error).all()


def test_effect_is_the_distance_in_standard_deviations():
    assert nulls.effect(5.0, np.array([1.0, 3.0])) == pytest.approx(3 / np.sqrt(2))
    assert np.isnan(nulls.effect(1.0, np.array([1.0, 1.0])))
