"""Trace conditioning: its trials are counted and its pulses enumerated by hand, and the network hears just those."""

import numpy as np
import pytest
import small

from izhires.errors import ConfigurationError
from izhires.paradigms import TraceConditioning
from izhires.paradigms.trace_conditioning import CONTEXT
from izhires.running.run import simulate

SHORT = {
    "trial_duration": "300 ms",
    "cue_onset": "30 ms",
    "window": "220 ms",
    "cue_duration": "20 ms",
    "gap": "80 ms",
    "event_width": "20 ms",
    "warm_up": 1,
    "probes": 1,
    "stimuli": {"AX": ["A", "X"], "none": []},
    "designs": {
        "blocking": [
            {"name": "element", "trials": 4, "probability": {"A": 1.0, "none": 0.25}, "share": {"none": 3}},
            {"name": "compound", "trials": 2, "probability": {"AX": 1.0}, "tests": ["AX", "X"]},
        ]
    },
}


def made(**changes):
    return TraceConditioning.parse({**SHORT, **changes}).experiment(np.random.default_rng(0), "blocking")


@pytest.mark.parametrize("design", TraceConditioning().variants())
def test_the_default_designs_have_their_counts(design):
    paradigm = TraceConditioning()
    experiment = paradigm.experiment(np.random.default_rng(1), design)
    training = experiment.trials[experiment.trials["kind"] == "train"]
    for block, phase in enumerate(paradigm.designs[design]):
        for cue, chance in phase.probability.items():
            own = training[(training["block"] == block) & (training["cue_name"] == cue)]
            each = phase.trials / len(phase.probability)
            assert (len(own), (own["event"] == "reward").sum()) == (each, chance * each)
    assert set(training["latency"].dropna()) == {0.6}
    # one pulse for each stimulus of a trial, at its cue, and nothing else
    counts = experiment.inputs.groupby("onset").size().reindex(experiment.trials["cue"], fill_value=0)
    wanted = experiment.trials["cue_name"].map(lambda cue: len(paradigm.stimuli.get(cue, (cue,))))
    assert counts.tolist() == wanted.tolist() and len(experiment.inputs) == wanted.sum()


def test_phases_tests_and_pulses():
    experiment = made()
    assert experiment.cues == ("A", "X", "none", "AX")  # stimuli have the first input channels
    trials = experiment.trials
    assert trials.groupby(["block", "kind", "cue_name"]).size().to_dict() == {
        (0, "warm-up", "A"): 1, (0, "train", "A"): 1, (0, "train", "none"): 3, (0, "probe", "A"): 1,
        (0, "probe", "none"): 1, (1, "train", "AX"): 2, (1, "probe", "AX"): 1, (1, "probe", "X"): 1,
    }  # fmt: skip
    signals = experiment.signals(0.001)
    for name, stimuli in {"A": ("A",), "X": ("X",), "AX": ("A", "X"), "none": ()}.items():
        for cue in trials.loc[trials["cue_name"] == name, "cue"]:
            at = round(cue * 1000)
            for k, channel in enumerate(experiment.channels):
                wanted = np.zeros(300)
                wanted[30:50] = channel in stimuli
                assert np.array_equal(signals[f"input_{k}"][at - 30 : at + 270], wanted), (name, channel)


def test_us_and_context_are_heard_where_that_is_asked():
    experiment = made(us_heard=True, context=True)
    assert experiment.channels[-2:] == ("reward", CONTEXT)
    signals, k = experiment.signals(0.001), len(experiment.channels)
    assert signals[f"input_{k - 1}"].all()
    began = np.flatnonzero(np.diff(signals[f"input_{k - 2}"], prepend=0) > 0)
    assert np.array_equal(began, np.flatnonzero(signals["at_event"])) and len(began)
    assert signals[f"input_{k - 2}"].sum() == 20 * len(began)


def test_equal_generators_give_equal_trials():
    assert made() == made()
    again = TraceConditioning.parse(TraceConditioning().to_dict())
    assert again == TraceConditioning()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gap": "200 ms"}, "gap: cue_duration 20 ms + gap 200 ms lies outside the window of 220 ms after the cue"),
        ({"gap": "80.5 ms"}, "gap: must be whole milliseconds"),
        ({"designs": {}}, "designs: needs at least one design"),
        ({"designs": {"one": []}}, "designs.one: needs at least one phase"),
        ({"designs": {"a b": SHORT["designs"]["blocking"]}}, "the name of a design is one word, got 'a b'"),
        ({"designs": {"one": [{"name": "x", "probability": {}}]}}, "probability: needs at least one cue"),
        ({"designs": {"one": [{"name": "x", "probability": {"A": 1.5}}]}}, "probability.A: must be at most 1"),
        ({"designs": {"one": [{"name": "x", "probability": {"A": 1}, "share": {"B": 1}}]}}, "'B' is not a cue of"),
        ({"stimuli": {"AX": ["A", "A"]}}, "stimuli.AX: names a stimulus twice"),
        ({"us": "A", "us_heard": True}, "'A' is the name of a channel of its own, not of a CS"),
    ],
)
def test_declarations_that_cannot_be(changes, message):
    with pytest.raises(ConfigurationError) as caught:
        TraceConditioning.parse({**SHORT, **changes})
    assert message in str(caught.value)


def test_there_is_no_other_design():
    with pytest.raises(ConfigurationError, match="'acquisition' is not a variant"):
        TraceConditioning().experiment(np.random.default_rng(0), "acquisition")


@pytest.mark.slow
def test_a_network_without_a_cs_hears_nothing_and_dopamine_is_released_by_the_reward():
    """A reward that nothing announced releases 1 in its step, whatever the cue is called."""
    configuration = small.configuration(
        paradigm={"type": "trace_conditioning", **SHORT, "stimuli": {"A": [], "none": [], "AX": ["A", "X"]}},
        readouts__value={"type": "value"},
        neuromodulators__dopamine={"type": "reward_prediction_error"},
        keep__record=[{"of": "dopamine", "variable": "released"}],
        reservoir__sequences=1,
    )
    recording = simulate(configuration, 0, variant="blocking")
    first = recording["trial_block"].values == 0
    end = float(recording["trial_onset"].values[~first][0])
    times = recording["spike_time"].values
    assert not ((times > 0.1) & (times < end)).any() and (times > end).any()  # all but those of the cells' start
    released = recording["dopamine_released"].values[: round(end * 1e3), 0]
    given = first & (recording["trial_event"].values.astype(str) == "reward")
    at = np.rint((recording["trial_cue"].values + recording["trial_latency"].values)[given] * 1e3).astype(int)
    expected = np.zeros(len(released))
    expected[at] = 1
    np.testing.assert_allclose(released[100:], expected[100:], atol=0.01)  # states keep a trace of the cells' start
