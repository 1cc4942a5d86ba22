import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from synthetic import participant, recording

from izhires.analysis import analyse
from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics.projections import alignment_index, decode, event_labels, project

RNG = np.random.default_rng(0)


def test_leading_components_align_wholly_and_silent_directions_not_at_all():
    states = RNG.normal(size=(200, 12)) * np.r_[np.linspace(4, 1, 10), 0, 0]
    _, _, axes = np.linalg.svd(states - states.mean(0))
    assert alignment_index(states, axes[:3].T) == pytest.approx(1)
    assert alignment_index(states, np.eye(12)[:, 10:]) == pytest.approx(0, abs=1e-20)
    covariance = np.cov(states.T)
    basis = np.linalg.qr(RNG.normal(size=(5, 12, 2)))[0]
    largest = np.linalg.eigvalsh(covariance)[::-1][:2].sum()
    expected = [np.trace(each.T @ covariance @ each) / largest for each in basis]
    assert alignment_index(states, basis) == pytest.approx(expected)


def test_alignment_does_not_depend_on_basis_rotation_scale_or_offset():
    states, basis = RNG.normal(size=(50, 20)), np.linalg.qr(RNG.normal(size=(20, 3)))[0]
    value = alignment_index(states, basis)
    rotation, turn = (np.linalg.qr(RNG.normal(size=(n, n)))[0] for n in (20, 3))
    assert alignment_index(7 * states + RNG.normal(size=20), basis @ turn) == pytest.approx(value)
    assert alignment_index(states @ rotation, rotation.T @ basis) == pytest.approx(value)
    with pytest.raises(Unavailable, match="do not vary"):
        alignment_index(np.ones((5, 20)), basis)


def test_projection_is_the_product_with_each_basis():
    states, bases = RNG.normal(size=(7, 9)), RNG.normal(size=(4, 9, 2))
    assert project(states, bases) == pytest.approx(np.stack([states @ each for each in bases]))


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_decoding_is_that_of_scikit_learn(dimensions):
    probes, classes, each = 5, 4, 6
    labels = np.repeat(np.arange(classes), each)
    centres = RNG.normal(size=(classes, dimensions))
    spread = RNG.normal(size=(dimensions, dimensions))
    features = centres[labels] + 0.7 * RNG.normal(size=(3, probes, len(labels), dimensions)) @ spread
    found = decode(features, labels)
    for one, value in zip(features, found, strict=True):
        model = LinearDiscriminantAnalysis(solver="lsqr", priors=np.full(classes, 1 / classes))
        groups = np.repeat(np.arange(probes), len(labels))
        said = cross_val_predict(
            model, one.reshape(-1, dimensions), np.tile(labels, probes), groups=groups, cv=LeaveOneGroupOut()
        )
        assert value == pytest.approx((said == np.tile(labels, probes)).mean())
    assert 1 / classes < found.mean() < 1


def test_decoding_is_at_chance_without_information_and_perfect_with_all_of_it():
    labels = np.r_[-1, np.repeat([0, 1, 2], [4, 8, 12]), -1]  # classes of unequal size count equally
    noise = RNG.normal(size=(200, 6, len(labels), 2))
    # held-out samples differ from the rest by nothing but noise: the mean over 200 draws, of spread about 0.04
    assert decode(noise, labels).mean() == pytest.approx(1 / 3, abs=0.015)
    told = np.zeros((6, len(labels), 1))
    told[:, :, 0] = labels
    assert decode(told + 1e-3 * RNG.normal(size=told.shape), labels) == 1


def test_decoding_does_not_depend_on_an_invertible_map_of_the_features():
    labels = np.repeat([0, 1, 2], 5)
    features = RNG.normal(size=(4, 15, 2)) + labels[:, None] * [1.0, 0.3]
    mixed = features @ np.array([[3.0, 1.0], [-0.2, 0.5]]) + [5.0, -2.0]
    assert decode(mixed, labels) == decode(features, labels)


def with_readouts(made, what, when):
    shape = made["what_weights"].shape
    dims = ("probe", "event", "neuron")
    return made.assign(
        what_weights=(dims, np.broadcast_to(what, shape).copy()),
        when_weights=(dims, np.broadcast_to(when, shape).copy()),
    )


def test_a_when_readout_of_tuned_cells_tells_the_event_and_one_of_untuned_cells_does_not():
    made = recording(seed=1, neurons=120)
    rng = np.random.default_rng(5)
    # cells 0 to 99 hold the times of the window; 100 to 119 are made to hold noise alone
    trace = made["state_trace"].values.copy()
    trace[:, :, 100:] = 5 + rng.normal(size=trace[:, :, 100:].shape)
    made["state_trace"] = (made["state_trace"].dims, trace)
    centre = np.linspace(0, float(made.attrs["window"]), 120)
    when = np.stack([np.exp(-((centre - late) ** 2) / (2 * 0.06**2)) * (np.arange(120) < 100) for late in (0.3, 0.6)])
    what = np.zeros((2, 120))
    what[:, 100:] = rng.normal(size=(2, 20))
    table = analyse([with_readouts(made, what, when)], only=["decoding", "state_alignment"])
    value = table[table["block"] == 0].set_index("metric")["value"]
    assert value["decoding.event_from_when"] == 1
    assert value["decoding.event_from_what"] == pytest.approx(0.5, abs=0.2)
    assert value["decoding.time_from_when"] > 4 * value["decoding.time_chance"] > value["decoding.time_from_what"]
    assert value["decoding.event_chance"] == 0.5 and value["decoding.time_chance"] == pytest.approx(1 / 22)
    assert value["decoding.event_from_what_isotropic_effect"] < -2
    assert value["state_alignment.when"] > 10 * value["state_alignment.what"]


def test_events_are_told_apart_at_their_own_times_only():
    made = recording()
    times = np.array([0.0, 0.26, 0.3, 0.34, 0.35, 0.45, 0.6, 0.64, 0.65])
    assert event_labels(made, 0, times).tolist() == [-1, 0, 0, 0, -1, -1, 1, 1, -1]
    mixed = made.assign(outcome_latency=("outcome", np.full(made.sizes["outcome"], 0.3)))
    with pytest.raises(Unavailable, match="time of their own in block 0"):
        event_labels(mixed, 0, times)


def test_what_cannot_be_decoded_is_said():
    table = analyse([recording(states=False)], only=["decoding", "state_alignment"])
    assert table["note"].str.contains("needs state_trace").all() and len(table) == 2
    one = recording().isel(state_probe=[0])
    assert analyse([one], only=["decoding"])["note"].str.contains("two or more probes").all()
    table = analyse(participant(1), only=["decoding"])
    assert table.loc[table["metric"] == "decoding.time_from_when", "value"].notna().all()
