import numpy as np
import pytest
from synthetic import recording

from izhires.analysis import analyse
from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics.angles import principal_angles

RNG = np.random.default_rng(0)


def test_equal_spans_have_no_angle_and_disjoint_cells_90_degrees():
    what = RNG.normal(size=(2, 40))
    angles, shape = principal_angles(what, np.array([[2.0, 1.0], [1.0, -3.0]]) @ what)
    assert angles == pytest.approx([0, 0], abs=1e-6) and shape == (2, 2)
    one, other = np.zeros((2, 40)), np.zeros((2, 40))
    one[:, :20], other[:, 20:] = RNG.normal(size=(2, 2, 20))
    assert principal_angles(one, other)[0] == pytest.approx([90, 90])


def test_known_angles_in_a_plane_and_in_two_planes():
    axes = np.eye(5)
    tilt = lambda degrees, a, b: np.cos(np.radians(degrees)) * axes[a] + np.sin(np.radians(degrees)) * axes[b]  # noqa: E731
    assert principal_angles(axes[:1], tilt(30, 0, 1)[None])[0] == pytest.approx([30])
    when = np.array([tilt(20, 0, 2), tilt(65, 1, 3)])
    assert principal_angles(axes[:2], when)[0] == pytest.approx([20, 65])
    # three what vectors, two when vectors
    assert principal_angles(axes[[0, 1, 4]], when)[0] == pytest.approx([20, 65])


def test_angles_do_not_depend_on_basis_scale_sign_or_rotation_of_both():
    what, when = RNG.normal(size=(2, 3, 30))
    angles = principal_angles(what, when)[0]
    rotation = np.linalg.qr(RNG.normal(size=(30, 30)))[0]
    mix = RNG.normal(size=(3, 3))
    assert principal_angles(what @ rotation, when @ rotation)[0] == pytest.approx(angles)
    assert principal_angles(mix @ what, -1e-6 * when)[0] == pytest.approx(angles)
    assert principal_angles(when, what)[0] == pytest.approx(angles)
    assert (np.diff(angles) >= 0).all() and angles.min() >= 0 and angles.max() <= 90


def test_parallel_vectors_span_one_dimension():
    what = np.outer([1.0, 2.0], RNG.normal(size=30))
    angles, shape = principal_angles(what, RNG.normal(size=(2, 30)))
    assert shape == (1, 2) and len(angles) == 1


def test_removing_a_shared_direction_uncovers_the_angle_beneath_it():
    axes = np.eye(6)
    mean = 10 * axes[5]
    what, when = np.array([axes[0] + mean]), np.array([axes[1] + mean])
    assert principal_angles(what, when)[0] == pytest.approx([np.degrees(np.arccos(100 / 101))])
    assert principal_angles(what, when, removed=mean)[0] == pytest.approx([90])
    with pytest.raises(Unavailable, match="parallel to the mean state"):
        principal_angles(np.outer([1.0, 0.3], mean), when, removed=mean)
    direction = RNG.normal(size=30)
    single = np.outer([1.0, 0.3], direction).astype(np.float32)  # as a recording stores it
    with pytest.raises(Unavailable, match="parallel to the mean state"):
        principal_angles(single, RNG.normal(size=(2, 30)), removed=direction)
    with pytest.raises(Unavailable, match='all "when" weights are zero'):
        principal_angles(what, 0 * when)


def test_a_recording_gives_observed_angles_beside_both_nulls():
    made = recording(neurons=80)
    last = int(np.flatnonzero(made["block"].values == 0)[-1])
    made["when_weights"][last] = made["what_weights"][last].values[::-1]
    table = analyse([made], only=["angle", "angle_without_mean"])
    first = table[table["block"] == 0].set_index("metric")["value"]
    assert first["angle.smallest"] == pytest.approx(0, abs=1e-5)
    assert first["angle_without_mean.largest"] == pytest.approx(0, abs=1e-5)
    for null in ("isotropic", "covariance"):
        low, mean, high = (first[f"angle.smallest_{null}_{name}"] for name in ("low", "mean", "high"))
        assert 0 < low < mean < high < 90
        assert first[f"angle.smallest_{null}_difference"] == pytest.approx(-mean, abs=1e-5)
        assert first[f"angle.smallest_{null}_p_larger"] == 1
        assert first[f"angle.smallest_{null}_p_two_sided"] == pytest.approx(2 / 1001)
    units = table.set_index("metric")["unit"]
    assert set(units[units.index.str.contains("_p_")]) == {"1"} and units["angle.smallest"].unique() == ["deg"]


def test_the_table_is_the_same_every_time():
    made = recording()
    first, second = (analyse([made], only=["angle"]) for _ in range(2))
    assert first.equals(second)


def test_without_states_the_isotropic_null_remains_and_one_line_says_so():
    table = analyse([recording(states=False)], only=["angle"])
    names = table.loc[table["value"].notna(), "metric"]
    assert not names.str.contains("covariance").any() and names.str.contains("isotropic").any()
    noted = table[table["note"] != ""]
    assert set(noted["metric"]) == {"angle.smallest_covariance_difference"} and len(noted) == 4
    assert set(noted["note"]) == {"needs state_trace, which the recording does not hold"}
