import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from izhires.errors import ConfigurationError
from izhires.paradigms import Block, Meet, MeetLevels
from izhires.paradigms.meet import STANDARD_PROBES, draw

FAILURE = 1e-6
"""Chance that one comparison with binomial bounds fails on correct draws (were the seed not fixed)."""

THREE = Block(
    trials=50,
    latency={"A": "200 ms", "B": "400 ms", "C": "600 ms"},
    probability={"A": 0.15, "B": 0.25, "C": 0.6},
)


def bounds(n, p):
    return binom.ppf(FAILURE / 2, n, p), binom.isf(FAILURE / 2, n, p)


def events(block, order, rng):
    return [each.first[0] for each in draw(block, order, rng)]


def test_the_default_experiment():
    experiment = Meet().experiment(np.random.default_rng(1))
    assert (experiment.paradigm, experiment.variant, experiment.events) == ("meet", "", ("A", "B"))
    assert (experiment.window, experiment.event_width, experiment.cue_duration) == (1.1, 0.04, 0.05)
    trials = experiment.trials
    training, probes = trials[trials["kind"] == "train"], trials[trials["kind"] == "probe"]
    assert training.groupby("block").size().tolist() == [100] * 4
    assert training["learn"].all()
    assert not probes["learn"].any()
    assert (trials["duration"] == 1.5).all()
    np.testing.assert_allclose(trials["cue"] - trials["onset"], 0.2)
    np.testing.assert_allclose(np.diff(trials["onset"]), 1.5)
    expected = [
        (0, "A", 0.3, 0.7), (0, "B", 0.6, 0.3), (1, "A", 0.5, 0.7), (1, "B", 0.8, 0.3),
        (2, "A", 0.5, 0.2), (2, "B", 0.8, 0.8), (3, "A", 0.3, 0.8), (3, "B", 0.6, 0.2),
    ]  # fmt: skip
    assert list(experiment.outcomes.itertuples(index=False, name=None)) == expected
    latency = {(block, event): when for block, event, when, _ in expected}
    for row in training.itertuples():
        assert row.latency == latency[row.block, row.event]


def probe_places(experiment):
    """Block, and training trials of that block completed before, of each probe."""
    done, places = {}, []
    for row in experiment.trials.itertuples():
        if row.kind == "train":
            done[row.block] = done.get(row.block, 0) + 1
        elif row.kind == "probe":
            places.append((row.block, done.get(row.block, 0)))
    return places


def test_probes_stand_where_they_are_asked_for():
    standard = [*range(1, 31), 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90, 95, 100]
    assert list(STANDARD_PROBES) == standard
    rng = np.random.default_rng(0)
    assert probe_places(Meet().experiment(rng)) == [(0, 0)] + [(b, k) for b in range(4) for k in standard]
    short = Meet(blocks=[THREE, THREE.with_changes(trials=7)])
    assert probe_places(short.experiment(rng)) == (
        [(0, 0)] + [(0, k) for k in standard if k <= 50] + [(1, k) for k in range(1, 8)]
    )
    few = Meet(blocks=[THREE, THREE], probes=[50, 3, 3], probe_before_learning=False)
    assert probe_places(few.experiment(rng)) == [(0, 3), (0, 50), (1, 3), (1, 50)]
    assert probe_places(Meet(probes=(), probe_before_learning=False).experiment(rng)) == []


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(
    ("paradigm", "variant"), [(Meet(), ""), (Meet(blocks=[THREE, THREE], order="exact"), ""), (MeetLevels(), "p=0.30")]
)
def test_warm_up_trials_stand_first_are_cue_only_and_do_not_learn(paradigm, variant, before):
    if isinstance(paradigm, Meet):
        paradigm = paradigm.with_changes(probe_before_learning=before)
    without = paradigm.with_changes(warm_up=0).experiment(np.random.default_rng(4), variant)
    assert set(without.trials["kind"]) == {"train", "probe"}
    for count in (5, 1):
        experiment = paradigm.with_changes(warm_up=count).experiment(np.random.default_rng(4), variant)
        first, rest = experiment.trials[:count], experiment.trials[count:]
        assert first["kind"].tolist() == ["warm-up"] * count
        assert first["event"].tolist() == [""] * count
        assert first["latency"].isna().all()
        assert first["block"].tolist() == [0] * count
        assert not first["learn"].any()
        np.testing.assert_allclose(first["onset"], 1.5 * np.arange(count))
        # all that follows is the same experiment, later: they draw nothing from the generator
        moved = rest.assign(onset=rest["onset"] - 1.5 * count, cue=rest["cue"] - 1.5 * count).reset_index(drop=True)
        pd.testing.assert_frame_equal(moved, without.trials)
        assert experiment.outcomes.equals(without.outcomes)
    assert paradigm.warm_up == 5


def test_independent_draws_have_the_declared_statistics():
    # 1000 blocks of 50: each event, each first trial, and each pair of neighbours, within binomial bounds
    rng = np.random.default_rng(20)
    drawn = np.array([events(THREE, "independent", rng) for _ in range(1000)])
    for first, p in THREE.probability.items():
        low, high = bounds(drawn.size, p)
        assert low <= (drawn == first).sum() <= high
        low, high = bounds(1000, p)
        assert low <= (drawn[:, 0] == first).sum() <= high
        # disjoint pairs, so that they are independent of each other
        for second, q in THREE.probability.items():
            low, high = bounds(1000 * 25, p * q)
            assert low <= ((drawn[:, ::2] == first) & (drawn[:, 1::2] == second)).sum() <= high
    # and the counts of blocks vary as binomial counts do: about one in ten lies outside the central nine tenths
    count = (drawn == "C").sum(axis=1)
    low, high = binom.ppf(0.05, 50, 0.6), binom.ppf(0.95, 50, 0.6)
    outside = binom.cdf(low - 1, 50, 0.6) + binom.sf(high, 50, 0.6)
    fewest, most = bounds(1000, outside)
    assert fewest <= ((count < low) | (count > high)).sum() <= most
    assert fewest > 0  # so that draws of exact counts would not pass


def test_exact_counts_in_random_order():
    rng = np.random.default_rng(21)
    drawn = np.array([events(THREE, "exact", rng) for _ in range(400)])
    # .15, .25 and .6 of 50 are 7.5, 12.5 and 30: one of the halves is rounded up, always the same
    assert {tuple((row == name).sum() for name in "ABC") for row in drawn} == {(8, 12, 30)}
    for place in (0, 17, 49):
        low, high = bounds(400, 30 / 50)
        assert low <= (drawn[:, place] == "C").sum() <= high
    ten = Block(trials=10, latency={"A": "0 ms", "B": "1 ms"}, probability={"A": 0.7, "B": 0.3})
    assert events(ten, "exact", rng).count("A") == 7
    thirds = Block(trials=100, latency=dict.fromkeys("ABC", "5 ms"), probability=dict.fromkeys("ABC", 1 / 3))
    assert sorted(map(events(thirds, "exact", rng).count, "ABC")) == [33, 33, 34]


def test_the_experiment_is_drawn_from_its_blocks():
    meet = Meet(blocks=[Block(trials=2000, latency={"A": "1 ms", "B": "2 ms"}, probability={"A": p, "B": 1 - p})
                        for p in (0.9, 0.2)], probes=())  # fmt: skip
    trials = meet.experiment(np.random.default_rng(3)).trials
    for block, p in enumerate((0.9, 0.2)):
        low, high = bounds(2000, p)
        assert low <= ((trials["block"] == block) & (trials["event"] == "A")).sum() <= high
    exact = meet.with_changes(order="exact").experiment(np.random.default_rng(3)).trials
    assert exact[exact["event"] == "A"].groupby("block").size().tolist() == [1800, 400]


def test_events_may_differ_between_blocks():
    meet = Meet(
        blocks=[
            {"trials": 3, "latency": {"B": "100 ms"}, "probability": {"B": 1}},
            {"trials": 3, "latency": {"A": "200 ms", "B": "100 ms"}, "probability": {"A": 1, "B": 0}},
        ]
    )
    experiment = meet.experiment(np.random.default_rng(0))
    assert experiment.events == ("B", "A")
    times = np.arange(0, 1.1, 0.001)
    assert not experiment.expectation(0, times)[1].any()
    np.testing.assert_array_equal(experiment.expectation(1, times).max(axis=1), [0, 1])
    assert experiment.trials.loc[experiment.trials["kind"] == "train", "event"].tolist() == ["B"] * 3 + ["A"] * 3


@pytest.mark.parametrize(
    "paradigm",
    [
        Meet(),
        Meet(blocks=[THREE], probes=[1, 5], order="exact", window="0.9 s", cue_onset="0.3 s", event_width="25.5 ms"),
        MeetLevels(),
        MeetLevels(levels=(0.25, 0.5), trials=20, probes=(10,), latency={"high": "250 ms", "low": "0.9 s"}),
    ],
)
def test_round_trip_and_seeds(paradigm):
    again = type(paradigm).parse(paradigm.to_dict())
    assert again == paradigm
    assert hash(again) == hash(paradigm)
    assert again.to_dict() == paradigm.to_dict()
    variant = paradigm.variants()[-1]
    one = paradigm.experiment(np.random.default_rng(5), variant)
    assert one == again.experiment(np.random.default_rng(5), variant)
    middle = paradigm.variants()[len(paradigm.variants()) // 2]
    drawn = [paradigm.experiment(np.random.default_rng(seed), middle) for seed in (5, 6)]
    assert drawn[0] != drawn[1]
    assert drawn[0].outcomes.equals(drawn[1].outcomes)


def block(**changes):
    return {"latency": {"A": "300 ms", "B": "600 ms"}, "probability": {"A": 0.7, "B": 0.3}, **changes}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"windw": "1 s"}, "Meet.windw: unknown key, did you mean 'window'? (valid: trial_duration,"),
        ({"window": 1.1}, "Meet.window: 1.1 has no unit; a time needs one of: ms, s,"),
        ({"window": "11 mV"}, "Meet.window: '11 mV' has the wrong unit"),
        ({"window": "1.4 s"}, "1500 ms is too short: trials would overlap, since cue_onset 200 ms + window"),
        ({"cue_duration": "1.3 s"}, "since cue_onset 200 ms + cue_duration 1300 ms = 1500 ms"),
        ({"blocks": []}, "Meet.blocks: needs at least one block, got none"),
        ({"blocks": [block(latency={}, probability={})]}, "Meet.blocks[0].latency: has no events"),
        ({"blocks": [block(probability={"A": 1.2, "B": 0.1})]}, "probability.A: must be at most 1.0, got 1.2"),
        ({"blocks": [block(probability={"A": -0.2, "B": 1})]}, "probability.A: must be at least 0.0, got -0.2"),
        ({"blocks": [block(probability={"A": 0.7, "B": 0.2})]}, "blocks[0].probability: must sum to 1, the sum is 0.9"),
        ({"blocks": [block(), block(probability={"A": 1})]}, "Meet.blocks[1].probability.B: is required"),
        ({"blocks": [block(latency={"A": "0.3 s"})]}, "Meet.blocks[0].latency.B: is required"),
        ({"blocks": [block(latency={"A": "0.3 s", "B": "1.1 s"})]},
         "Meet.blocks[0].latency.B: 1100 ms lies outside the window of 1100 ms after the cue"),
        ({"blocks": [block(latency={"A": "0.3 s", "B": "-1 ms"})]}, "blocks[0].latency.B: -1 ms lies outside the"),
        ({"blocks": [block(latency={"A": 300, "B": "1 s"})]}, "Meet.blocks[0].latency.A: 300 has no unit"),
        ({"blocks": [block(trials=0)]}, "Meet.blocks[0].trials: must be at least 1, got 0"),
        ({"blocks": [block(trial=3)]}, "blocks[0].trial: unknown key, did you mean 'trials'?"),
        ({"blocks": [block(trials=50)], "probes": [10, 60]}, "Meet.probes: 60 is beyond the 50 trials of blocks[0]"),
        ({"probes": "every"}, "Meet.probes: must be 'standard' or a list of trial counts from 1, got 'every'"),
        ({"probes": [0]}, "Meet.probes: must be 'standard' or a list of trial counts from 1, got [0]"),
        ({"probes": [1.5]}, "Meet.probes: must be 'standard' or a list of trial counts from 1, got [1.5]"),
        ({"warm_up": -1}, "Meet.warm_up: must be at least 0, got -1"),
        ({"warm_up": 1.5}, "Meet.warm_up: must be a whole number, got 1.5"),
        ({"order": "sorted"}, "Meet.order: 'sorted' is not a choice (valid: 'independent' or 'exact')"),
    ],
)  # fmt: skip
def test_declarations_that_cannot_be(changes, message):
    with pytest.raises(ConfigurationError) as caught:
        Meet(**changes)
    assert message in str(caught.value)
    assert len(caught.value.complaints) == 1


def test_the_default_blocks_are_checked_against_other_parameters():
    with pytest.raises(ConfigurationError, match=r"blocks\[1\].latency.B: 800 ms lies outside the window of 700 ms"):
        Meet(window="700 ms")


def test_levels():
    levels = MeetLevels()
    assert levels.variants() == tuple(f"p={k / 10:.2f}" for k in range(11))
    for k, variant in enumerate(levels.variants()):
        experiment = levels.experiment(np.random.default_rng(k), variant)
        assert (experiment.paradigm, experiment.variant, experiment.events) == ("meet_levels", variant, ("A", "B"))
        np.testing.assert_allclose(experiment.outcomes["probability"], [k / 10, 1 - k / 10])
        assert experiment.outcomes["latency"].tolist() == [0.3, 0.6]
        assert probe_places(experiment) == [(0, 0), (0, 100)]
        count = (experiment.trials["event"] == "A").sum()
        low, high = (0, 0) if k == 0 else (100, 100) if k == 10 else bounds(100, k / 10)
        assert low <= count <= high
    more = MeetLevels(probes=(90, 95), order="exact")
    assert probe_places(more.experiment(np.random.default_rng(0), "p=0.30")) == [(0, 0), (0, 90), (0, 95), (0, 100)]
    assert (more.experiment(np.random.default_rng(0), "p=0.30").trials["event"] == "A").sum() == 30


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"levels": []}, "MeetLevels.levels: needs at least one level, got none"),
        ({"levels": [0.5, 1.5]}, "MeetLevels.levels[1]: must be at most 1.0, got 1.5"),
        ({"levels": [0.5, 0.501]}, "MeetLevels.levels[1]: 0.501 is the same variant, 'p=0.50', as one before it"),
        ({"latency": {"A": "1 ms"}}, "MeetLevels.latency: needs two events, got A"),
        ({"latency": {"A": "1 ms", "B": "2 s"}}, "MeetLevels.latency.B: 2000 ms lies outside the window of 1100 ms"),
        ({"probes": [50, 101]}, "MeetLevels.probes[1]: 101 is beyond the 100 trials of a level"),
        ({"probes": [0]}, "MeetLevels.probes[0]: must be at least 1, got 0"),
    ],
)
def test_levels_that_cannot_be(changes, message):
    with pytest.raises(ConfigurationError) as caught:
        MeetLevels(**changes)
    assert str(caught.value).startswith(message)


def test_a_variant_that_is_none():
    with pytest.raises(ConfigurationError) as caught:
        MeetLevels(levels=(0, 1)).experiment(np.random.default_rng(0), "p=0.5")
    assert str(caught.value) == "variant: 'p=0.5' is not a variant (valid: p=0.00, p=1.00)"
    with pytest.raises(ConfigurationError) as caught:
        Meet().experiment(np.random.default_rng(0), "p=0.50")
    assert str(caught.value) == "variant: 'p=0.50' is not a variant: there is one only"
