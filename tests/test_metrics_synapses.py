"""What is kept of the weights of plastic connections: distributions of weights that are known."""

import numpy as np
import pytest
from synthetic import MEET, experiment, recording

from izhires.analysis import all_figures, analyse
from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics.synapses import histograms, kept_weights, plastic

SYNAPSES = 200


def learned(seed, snapshots=3, stopped=False):
    """Return a recording in which every weight of ``forward`` grows by 2 mV/ms in all, evenly."""
    made = recording(experiment(MEET, seed=seed), seed=seed, states=False).assign_attrs(duration=300.0)
    start = np.random.default_rng([4, seed]).uniform(1, 3, SYNAPSES)
    times = np.arange(snapshots) * made.attrs["duration"] / max(snapshots, 1)
    end = np.full(SYNAPSES, np.nan) if stopped else start + 2
    found = {"forward_weight": (("forward_end", "forward_synapse"), np.stack([start, end]))}
    if snapshots:
        found["forward_w_time"] = ("forward_w_time", times)
        kept = start + 2 * times[:, None] / made.attrs["duration"]
        found["forward_w"] = (("forward_w_time", "forward_w_element"), kept)
    return made.assign(found)


def test_connections_are_found_by_their_dimensions():
    made = learned(0).assign(half_weight=("neuron", np.zeros(60)))
    assert plastic(made) == ["forward"]


def test_weights_of_start_snapshots_and_end():
    made = learned(0)
    found, duration = kept_weights(made, "forward"), made.attrs["duration"]
    assert [each.time for each in found] == pytest.approx([0, duration / 3, 2 * duration / 3, duration])
    assert [found[0].moment, found[1].moment, found[-1].moment] == ["start", f"{duration / 3:g} s", "end"]
    for _, time, weights in found:
        assert weights - found[0].weights == pytest.approx(2 * time / duration)


def test_chosen_synapses_are_no_snapshot():
    made = learned(0).isel(forward_w_element=[0, 1])
    assert [each.moment for each in kept_weights(made, "forward")] == ["start", "end"]


def test_histograms_count_every_synapse_in_the_same_bins():
    made = [learned(seed) for seed in range(2)]
    table = histograms(made)
    shares = table.groupby(["seed", "time"])["share"].sum()
    assert len(shares) == 2 * 4 and shares.to_numpy() == pytest.approx(1)
    edges = table.groupby(["seed", "time"])["left"].apply(tuple)
    assert len(set(edges)) == 1
    start = made[0]["forward_weight"].values[0]
    first = table[(table["seed"] == 0) & (table["time"] == 0)]
    inside = ((start >= first["left"].iloc[5]) & (start < first["right"].iloc[5])).mean()
    assert first["share"].iloc[5] == pytest.approx(inside)
    assert len(histograms(made, most=1)["time"].unique()) == 3


def test_the_change_of_weights():
    table = analyse([learned(seed) for seed in range(2)], only=["weight_change"])
    assert set(table["metric"]) == {"weight_change.forward"}
    assert table["value"].to_numpy() == pytest.approx(2) and set(table["unit"]) == {"mV/ms"}


def test_a_run_that_was_stopped_has_no_end():
    made = learned(0, stopped=True)
    assert len(histograms([made])["time"].unique()) == 3
    (row,) = analyse([made], only=["weight_change"]).itertuples()
    assert np.isnan(row.value) and row.note == "the run was stopped"


def test_a_recording_without_plastic_connections():
    made = recording(experiment(MEET), states=False)
    with pytest.raises(Unavailable, match="needs the weights of a plastic connection"):
        histograms([made])
    (row,) = analyse([made], only=["weight_change"]).itertuples()
    assert np.isnan(row.value) and "plastic connection" in row.note


def test_the_figure_names_start_snapshots_and_end():
    tables = all_figures()["plastic_weights"].tables([learned(seed, snapshots=3) for seed in range(3)])
    moments = list(dict.fromkeys(tables["share"]["moment"]))
    assert moments[0] == "start" and moments[-1] == "end" and len(moments) == 4
    assert (tables["share"]["seeds"] == 3).all()
