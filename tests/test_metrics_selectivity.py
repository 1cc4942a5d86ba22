import json

import numpy as np
import pytest
import synthetic

from izhires.analysis.metrics import selectivity as s
from izhires.analysis.metrics.base import all_metrics

BLOCKS = np.repeat([0, 1, 2, 3], 80)
TAUGHT = np.arange(len(BLOCKS)) % 4 > 0  # every fourth trial is a probe
PROBABILITY = np.array([0.7, 0.7, 0.2, 0.8])
CLASSES = ("none", "what", "when", "both", "mixed", "drift", "block")
EACH = 15


def known(seed=0, bins=8):
    """Return events, and Poisson counts (trial, bin, cell) of cells of known classes, with their names."""
    rng = np.random.default_rng(seed)
    events = (rng.uniform(size=TAUGHT.sum()) > PROBABILITY[BLOCKS[TAUGHT]]).astype(int)
    expected, history = 0.5, []
    for trial, taught in enumerate(TAUGHT):
        history.append(expected)
        if taught:
            expected += 0.15 * ((events[TAUGHT[:trial].sum()] == 0) - expected)  # not the memory that the test assumes
    level = 8 * np.array(history)[:, None]
    bump = 2 * np.exp(-((np.arange(bins) - 3) ** 2) / 4)[None]
    flat = np.ones((len(BLOCKS), bins))
    rates = {
        "none": 2 * flat,
        "what": level * flat,
        "when": 3 * bump * flat,
        "both": level * bump,
        # the expectation moves spikes from an earlier bump to a later one; their number is always the same
        "mixed": level * bump + (8 - level) * np.roll(bump, 4),
        "drift": np.linspace(0.5, 9, len(BLOCKS))[:, None] * flat,
        # a level of its own in each block, as its probability, but nothing of the events
        "block": 8 * PROBABILITY[BLOCKS][:, None] * flat,
    }
    stacked = np.stack([rates[name] for name in CLASSES for _ in range(EACH)], axis=2)
    return events, rng.poisson(stacked), np.repeat(CLASSES, EACH)


@pytest.fixture(scope="module")
def tested():
    events, counts, names = known()
    drawn = s.orders(events, BLOCKS[TAUGHT], np.random.default_rng(0))
    effects = s.expectation_effects(counts, BLOCKS, s.expectations(drawn, TAUGHT, 2))
    return names, [s.p_values(each) for each in effects]


def test_cells_of_known_classes(tested):
    names, (what, interaction) = tested
    _, counts, _ = known()
    when = s.p_values(s.time_effects(counts, np.random.default_rng(0)))[0]
    found = {"what": s.discovered(what)[0] | s.discovered(interaction)[0], "interaction": s.discovered(interaction)[0],
             "when": s.discovered(when)}  # fmt: skip
    for part, cells in (("what", ("what", "both", "mixed")), ("interaction", ("both", "mixed")),
                        ("when", ("when", "both", "mixed"))):  # fmt: skip
        for name in CLASSES:
            share = found[part][names == name].mean()
            # neither a drift nor a level of each block is an expectation, however strong
            assert share > 0.9 if name in cells else share <= 0.2, (part, name, share)


def test_by_chance_hardly_any_cell_is_found(tested):
    _, effects = tested
    for p in effects:
        assert s.discovered(p)[1:].mean() < 0.05
        assert abs((p[1:] <= 0.05).mean() - 0.05) < 0.01


def test_comparing_blocks_would_take_a_drift_for_an_expectation():
    """The reason for exchanging events: all drifting cells differ between blocks of different probability."""
    from scipy.stats import f_oneway

    _, counts, names = known()
    mean = counts.mean(1)[:, names == "drift"]
    p = f_oneway(*(mean[PROBABILITY[BLOCKS] == each] for each in (0.2, 0.7, 0.8))).pvalue
    assert (p < 0.001).all()


def test_expectations_against_the_recursion_by_hand():
    events = np.array([[0, 1, 1, -1], [1, 0, -1, 1]])
    found = s.expectations(events, np.array([True, False, True, True, True, False]), 2, memory=0.5)
    by_hand = [
        [[0.5, 0.5], [0.75, 0.25], [0.75, 0.25], [0.375, 0.625], [0.1875, 0.8125], [0.09375, 0.40625]],
        [[0.5, 0.5], [0.25, 0.75], [0.25, 0.75], [0.625, 0.375], [0.3125, 0.1875], [0.15625, 0.59375]],
    ]
    np.testing.assert_allclose(found, by_hand - np.mean(by_hand, axis=0))


def test_orders_keep_the_events_of_each_block():
    events, _, _ = known()
    drawn = s.orders(events, BLOCKS[TAUGHT], np.random.default_rng(1), draws=20)
    np.testing.assert_array_equal(drawn[0], events)
    assert len({row.tobytes() for row in drawn}) == 21
    for block in range(4):
        np.testing.assert_array_equal(drawn[:, BLOCKS[TAUGHT] == block].sum(1), events[BLOCKS[TAUGHT] == block].sum())


def test_effects_against_slow_loops():
    rng = np.random.default_rng(2)
    y, blocks, e = rng.standard_normal((30, 5, 3)), np.repeat([0, 1], 15), rng.standard_normal((2, 30, 2))
    what, both = s.expectation_effects(y, blocks, e)
    events = rng.integers(0, 2, (2, 30))
    between = s.event_effects(y[:, 0], blocks, events)
    for order in range(2):
        for cell in range(3):
            one = two = 0.0
            rest = y[:, :, cell] - np.stack([y[blocks == block, :, cell].mean(0) for block in blocks])
            for k in range(2):
                one += sum(rest[i].mean() * e[order, i, k] for i in range(30)) ** 2
                for j in range(5):
                    two += sum((rest[i, j] - rest[i].mean()) * e[order, i, k] for i in range(30)) ** 2
            assert what[order, cell] == pytest.approx(one) and both[order, cell] == pytest.approx(two)
            groups = [rest[events[order] == event, 0] for event in (0, 1)]
            assert between[order, cell] == pytest.approx(sum(len(each) * each.mean() ** 2 for each in groups))


def test_shifted_bins_against_rolled_rows():
    _, counts, _ = known()
    few = counts[:, :, ::10]
    found = s.time_effects(few, np.random.default_rng(3), draws=4)
    shifts = np.random.default_rng(3).integers(0, few.shape[1], (4, len(few)))
    for draw, mine in enumerate([np.zeros(len(few), int), *shifts]):
        rolled = np.stack([np.roll(row, shift, axis=0) for row, shift in zip(few, mine, strict=True)])
        wanted = ((rolled.mean(0) - rolled.mean((0, 1))) ** 2).sum(0)
        np.testing.assert_allclose(found[draw], wanted, rtol=1e-4, atol=1e-6)


def test_p_values():
    effects = np.array([[3.0, 1.0, 0.0], [1.0, 1.0, 0.0], [2.0, 5.0, 0.0], [0.0, 1.0 + 1e-12, 0.0]])
    found = s.p_values(effects)
    np.testing.assert_allclose(found[0], [1 / 4, 1, 1])  # ties count as larger
    np.testing.assert_allclose(found[2], [2 / 4, 1 / 4, 1])


def recorded():
    """Return a recording of the four blocks of MEET with all spikes: 10 cells tell when, 10 the trial's own event."""
    made = synthetic.experiment(seed=1)
    recording = synthetic.recording(made, states=False)
    rng = np.random.default_rng(6)
    cue, event = made.trials["cue"].to_numpy()[:, None], made.trials["event"].to_numpy()
    when = cue + 0.1 * np.arange(10) + rng.uniform(0, 0.09, (len(cue), 10))
    times, cells = [when.ravel()], [np.tile(np.arange(10), len(cue))]
    for trial, mean in enumerate(np.where(event == "A", 8, 3)):
        for cell in range(10, 20):
            times.append(cue[trial] + rng.uniform(0, 1.1, rng.poisson(mean)))
            cells.append(np.full(len(times[-1]), cell))
    times, cells = np.concatenate(times), np.concatenate(cells)
    order = np.argsort(times)
    recording["spike_time"], recording["spike_neuron"] = ("spike", times[order]), ("spike", cells[order])
    recording.attrs["configuration"] = json.dumps({"keep": {"spikes": "all"}})
    return recording


def test_shares_of_a_recording():
    found = {row.part: row.value for row in all_metrics()["selectivity"].rows(recorded())}
    assert found["cells"] == 20
    assert found["when_only"] == pytest.approx(0.5, abs=0.15)
    assert found["event"] == pytest.approx(0.5, abs=0.1)
    # a cell that tells the event of its own trial does not tell it beforehand
    assert found["what"] == found["what_only"] + found["both"] <= 0.15
    assert found["what_chance"] < 0.1


def test_one_event_only_is_a_note():
    recording = recorded()
    recording["trial_event"] = ("trial", np.where(recording["trial_event"] == "", "", "A"))
    (row,) = all_metrics()["selectivity"].rows(recording)
    assert np.isnan(row.value) and row.note == "needs training trials with different events"
