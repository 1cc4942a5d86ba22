"""Plastic synapses: each rule against a closed form, and against a plain loop over random spike trains."""

import functools
import itertools
from typing import ClassVar, Literal

import bench
import brian2 as b2
import numpy as np
import pytest
import small
from given import DT, model, run, trains, weights

from izhires.building.build import LongClock
from izhires.cli.list import tables
from izhires.declare import parameter
from izhires.devices import cuda
from izhires.errors import ConfigurationError, SimulationError
from izhires.plasticity.base import Plasticity
from izhires.plasticity.triplet import FITS
from izhires.recordings.citations import declared
from izhires.running.resources import needed_memory
from izhires.running.run import draw, simulate, simulate_together

EXACT = {"rtol": 1e-12, "atol": 1e-14}
W = 0.5
"""Weight at the start, mV/ms."""


def loop(before, after, duration, start, *, arrive, fire, taus, delay=1.0, nearest=(), regular=None, every=0):
    """One synapse, step by step in plain Python: the order within a step is that of the package's documentation.

    Parameters
    ----------
    before, after : arrays
        Spike times, ms.
    start : float
        Weight.
    arrive, fire, regular : callable
        Of the weight and the traces (a dict); return the new weight when a spike arrives, when the target fires, and
        every `every` ms.
    taus : dict of str to (side, float)
        Traces: ``"pre"`` or ``"post"``, and decay, ms.
    """
    w, traces, path = start, dict.fromkeys(taus, 0.0), []
    arrivals, spikes = ({round(time / DT) for time in each} for each in (np.asarray(before) + delay, after))
    last = round(duration / DT)  # the weights are looked at there, before the cells
    for step in range(last + 1):
        if regular is not None and step % round(every / DT) == 0:
            w = regular(w, traces)
        if step == last:
            break
        traces = {name: value * np.exp(-DT / taus[name][1]) for name, value in traces.items()}
        for events, change, side in ((arrivals, arrive, "pre"), (spikes, fire, "post")):
            if step in events:
                w = change(w, traces)
                for name in (each for each in taus if taus[each][0] == side):
                    traces[name] = 1.0 if name in nearest else traces[name] + 1
        path.append(w)
    return w, np.array(path)


# stdp


def stdp_loop(before, after, duration, a_plus=0.05, a_minus=0.06, mu=0.0, w_max=1.0, pairs="all", **given_loop):
    """Return the weight at the end, by a plain loop."""
    return loop(
        before, after, duration, W,
        arrive=lambda w, x: np.clip(w - a_minus * w_max * (w / w_max) ** mu * x["y"], 0, w_max),
        fire=lambda w, x: np.clip(w + a_plus * w_max * (1 - w / w_max) ** mu * x["x"], 0, w_max),
        taus={"x": ("pre", 20), "y": ("post", 20)}, nearest=("x", "y") if pairs == "nearest" else (), **given_loop,
    )[0]  # fmt: skip


LAGS = np.array([-60, -20, -10, -1.5, -0.5, 0, 0.5, 5, 20, 60])


@pytest.mark.parametrize("delay_of", ["cell", "synapse"])
def test_stdp_of_isolated_pairs(delay_of):
    """A_plus*exp(-s/tau) for a spike that arrives s before its target fires, or with it; -A_minus*exp(-s/tau) after."""
    at, delay = 100.0, 1.0
    rule = {"type": "stdp", "tau_plus": "15 ms", "tau_minus": "30 ms", "w_max": "2 mV/ms"}
    found = weights(run(model([[at - delay]] * 10, [[at + lag] for lag in LAGS], rule, delay_of=delay_of), 250))
    change = np.where(LAGS >= 0, 0.005 * 2 * np.exp(-LAGS / 15), -0.00525 * 2 * np.exp(LAGS / 30))
    np.testing.assert_allclose(found[0], W)
    np.testing.assert_allclose(found[1] - found[0], change, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("pairs", "mu", "delay_of"), [("all", 0.0, "cell"), ("nearest", 0.3, "cell"), ("all", 1.0, "synapse")]
)
def test_stdp_on_random_trains(pairs, mu, delay_of):
    """Ten synapses at 60 Hz, with weights that reach their bounds where nothing else keeps them from it."""
    duration, before, after = 600, trains(60, 600, seed=3), trains(60, 600, seed=4)
    rule = {"type": "stdp", "a_plus": 0.2, "a_minus": 0.21, "mu": mu, "pairs": pairs}
    found = run(
        model(before, after, rule, delay_of=delay_of, delay=["1 ms", "8 ms"], record=[("forward", "w")]), duration
    )
    delays = found["arrays"]["forward.delay"] * 1e3
    assert len(set(delays)) > 4
    expected = [stdp_loop(*each, duration, 0.2, 0.21, mu, pairs=pairs, delay=delay)
                for *each, delay in zip(before, after, delays, strict=True)]  # fmt: skip
    np.testing.assert_allclose(weights(found)[1], expected, **EXACT)
    reached = found["record_forward_w.w"]
    assert (reached.min() == 0 and reached.max() == 1) == (mu == 0)


def test_both_kinds_of_delay_give_the_same_traces():
    """With one delay for all, synapses with traces of their own change as those that share the traces of cells."""
    before, after = trains(40, 400, seed=5), trains(40, 400, seed=6)
    rule = {"type": "triplet", "a3_minus": 2e-3, "tau_x": "50 ms"}
    one, other = (model(before, after, rule, delay_of=each, delay=["2 ms", "2 ms"]) for each in ("cell", "synapse"))
    # the first has one delay for all, too: the second is told from the numbers, so they must differ
    shared = run(one, 400)
    assert "forward_rule_00_before.tau_plus" in shared["arrays"]
    several = other.with_changes(**{"connections.forward.delay": ["2 ms", "3 ms"], "connections.forward.wiring": "all"})
    found = run(several, 400)
    assert "forward_rule_00_before.tau_plus" not in found["arrays"]
    i, j, delay = (found["arrays"][f"forward.{name}"] for name in ("i", "j", "delay"))
    own = (i == j) & np.isclose(delay, 2e-3)
    assert own.sum() > 2
    np.testing.assert_allclose(weights(found)[1][own], weights(shared)[1][i[own]], **EXACT)


# triplet


def triplet_loop(before, after, duration, fit, start=W, w_max=2.0, **given_loop):
    """Return the weight at the end, by a plain loop."""
    a2p, a3p, a2m, a3m = (FITS[fit][name] for name in ("a2_plus", "a3_plus", "a2_minus", "a3_minus"))
    tau_x, tau_y = (float(str(FITS[fit].get(name, "100 ms")).split()[0]) for name in ("tau_x", "tau_y"))
    traces = {"r1": ("pre", 16.8), "r2": ("pre", tau_x), "o1": ("post", 33.7), "o2": ("post", tau_y)}
    return loop(
        before, after, duration, start,
        arrive=lambda w, x: np.clip(w - x["o1"] * (a2m + a3m * x["r2"]), 0, w_max),
        fire=lambda w, x: np.clip(w + x["r1"] * (a2p + a3p * x["o2"]), 0, w_max),
        taus=traces, nearest=tuple(traces) if "nearest" in fit else (), **given_loop,
    )[0]  # fmt: skip


def test_triplets_that_stand_alone():
    """Pre, post, pre and post, pre, post, in closed form."""
    s, u = 10.0, 15.0
    before, after = [[99, 99 + s + u], [99 + s]], [[100 + s], [100, 100 + s + u]]
    found = weights(run(model(before, after, {"type": "triplet", "fit": "hippocampus"}), 300))
    fit = FITS["hippocampus"]
    first = np.exp(-s / 16.8) * fit["a2_plus"] - np.exp(-u / 33.7) * (
        fit["a2_minus"] + fit["a3_minus"] * np.exp(-(s + u) / 946)
    )
    second = -np.exp(-s / 33.7) * fit["a2_minus"] + np.exp(-u / 16.8) * (
        fit["a2_plus"] + fit["a3_plus"] * np.exp(-(s + u) / 27)
    )
    np.testing.assert_allclose((found[1] - found[0])[:2], [first, second], **EXACT)
    assert not (found[1] - found[0])[2:].any()


@pytest.mark.parametrize("fit", FITS)
def test_triplet_on_random_trains(fit):
    before, after = trains(40, 500, seed=7), trains(40, 500, seed=8)
    found = run(model(before, after, {"type": "triplet", "fit": fit}), 500)
    expected = [triplet_loop(*each, 500, fit) for each in zip(before, after, strict=True)]
    np.testing.assert_allclose(weights(found)[1], expected, **EXACT)
    assert np.abs(weights(found)[1] - W).max() > 0.05


SJOESTROEM = {10: (0.14, 0.10, -0.41, 0.11), 20: (0.29, 0.14, -0.34, 0.10), 40: (0.53, 0.11, 0.56, 0.32),
              50: (0.56, 0.26, 0.75, 0.19)}  # fmt: skip
"""Relative change after 60 pairs at each frequency (Hz): mean and standard error at +10 ms and at -10 ms, the data of
Sjoestroem, Turrigiano & Nelson (2001) as Pfister & Gerstner (2006) fit them."""


def pairings(frequency, lag):
    """Return 60 pairs: the target fires `lag` after the spike arrives."""
    before = 50 + np.round(np.arange(60) * 1e3 / frequency / DT) * DT
    return before - 1, before + lag


def changes(rule, start):
    """Return the change at each frequency, at +10 and -10 ms, relative to a weight of 1 mV/ms."""
    protocols = [pairings(*each) for each in itertools.product(SJOESTROEM, (10, -10))]
    before, after = ([list(each[side]) for each in protocols] for side in (0, 1))
    found = weights(run(model(before, after, rule, weight=f"{start} mV/ms"), 6200, device="cpp"))
    return (found[1] - found[0])[:8].reshape(4, 2), protocols


def misfit(change):
    """Return the mean squared distance from the data, in standard errors."""
    data = np.array(list(SJOESTROEM.values()))
    return (((change - data[:, ::2]) / data[:, 1::2]) ** 2).mean()


@pytest.mark.parametrize("fit", ["visual_cortex_minimal", "visual_cortex"])
def test_potentiation_by_triplets_grows_with_the_frequency(fit):
    """The protocol of the paper's figure: depression at -10 ms turns into potentiation between 20 and 40 Hz."""
    change, protocols = changes({"type": "triplet", "fit": fit}, 1)
    expected = [triplet_loop(*each, 6200, fit, 1.0) for each in protocols]
    np.testing.assert_allclose(1 + change.ravel(), expected, **EXACT)
    assert np.all(np.diff(change[:, 0]) > 0)
    assert np.all(change[:2, 1] < -0.3)
    assert np.all(change[2:, 1] > 0.1)
    assert np.all(change[:, 0] > 0.1)
    assert misfit(change) < 0.5


def test_pairs_alone_do_not():
    """The same protocol by a pair rule of the same amplitudes at low frequency: 60 pairs take more, the faster."""
    change, _ = changes({"type": "stdp", "a_plus": 5e-3 / 3, "a_minus": 7.1e-3 / 3, "tau_plus": "16.8 ms",
                         "tau_minus": "33.7 ms", "w_max": "3 mV/ms"}, 1)  # fmt: skip
    assert np.all(np.diff(change[:, 0]) < 0)
    assert np.all(change[:, 1] < 0)
    assert misfit(change) > 5


# modulated_stdp

REWARDED = {"trials": [("A", 200)], "window": 300}
"""An event 200 ms after the cue, which comes with the trial."""


def dopamine(**known):
    return {"neuromodulators": {"dopamine": {"tau_decay": "200 ms", **known}}}


@pytest.mark.parametrize(("baseline", "tonic"), [(0.0, 0.0), (0.3, 0.0), (0.1, 0.1)])
def test_a_pair_waits_for_dopamine(baseline, tonic):
    """w grows by rate*interval*w_max*sum of c(t)*(level(t) - baseline), both geometric after the event at 200 ms."""
    found = run(
        model([[49]] * 2, [[60], [45]], {"type": "modulated_stdp", "baseline": baseline},
              changes=dopamine(tonic=tonic), record=[("forward", "w"), ("forward", "eligibility")]),
        1500, **REWARDED,
    )  # fmt: skip
    times = np.arange(0, 1500, 10.0)
    mark = np.array([0.025 * np.exp(-10 / 20), -0.0375 * np.exp(-5 / 20)])
    marked = np.array([60, 50])
    c = np.where(times[:, None] > marked, mark * np.exp(-(times[:, None] - marked) / 1000), 0)
    level = tonic + np.where(times >= 200, np.exp(-(times - 200) / 200), 0)
    change = np.cumsum(0.1 * 10 * c * (level - baseline)[:, None], axis=0)
    np.testing.assert_allclose(found["record_forward_w.w"][: 1500 * 2 : 20, :2] - W, change, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(found["record_forward_eligibility.eligibility"][: 1500 * 2 : 20, :2], c, **EXACT)
    # about the baseline the sign turns: before the event what would strengthen weakens
    early = change[round(150 / 10), 0]
    assert early == pytest.approx(0, abs=1e-15) if baseline == tonic else early < 0


def modulated_loop(before, after, duration, level, further=None):
    """Return the weight at the end, by a plain loop; levels are functions of the time (ms)."""
    w = c = x = y = 0.0
    w = W
    arrivals, spikes = ({round(time / DT) for time in each} for each in (np.asarray(before) + 1, after))
    for step in range(round(duration / DT) + 1):  # the last one for the weights alone
        if step % 20 == 0:
            factor = level(step * DT) * (1 if further is None else further(step * DT))
            w = np.clip(w + 0.1 * 10 * c * factor, 0, 1)
        x, y = x * np.exp(-DT / 20), y * np.exp(-DT / 20)
        if step in arrivals:
            c -= 0.0375 * y
            x += 1
        if step in spikes:
            c += 0.025 * x
            y += 1
        c *= np.exp(-DT / 1000)
    return w


@pytest.mark.parametrize("device", ["numpy", "cpp"])
def test_two_third_factors_on_random_trains(device):
    """A D1-like response to dopamine times the level of acetylcholine, which is released at the cue."""
    before, after = trains(30, 1000, seed=9), trains(30, 1000, seed=10)
    rule = {"type": "modulated_stdp", "response": "level/(level + 0.5) - 0.2", "further": "acetylcholine",
            "further_response": "further_level"}  # fmt: skip
    known = dopamine()
    known["neuromodulators"]["acetylcholine"] = {"release": "at_cue", "tau_decay": "400 ms", "tonic": 0.5}
    found = run(model(before, after, rule, changes=known), 1000, device, **REWARDED)

    def level(time):
        high = np.exp(-(time - 200) / 200) if time >= 200 else 0
        return high / (high + 0.5) - 0.2

    expected = [modulated_loop(*each, 1000, level, lambda time: 0.5 + np.exp(-time / 400))
                for each in zip(before, after, strict=True)]  # fmt: skip
    np.testing.assert_allclose(weights(found)[1], expected, rtol=1e-11, atol=1e-13)
    assert np.ptp(expected) > 0.1


def test_a_second_neuromodulator_that_is_not_there():
    rule = {"type": "modulated_stdp", "further": "dopamin"}
    with pytest.raises(ConfigurationError, match=r"connections.forward.plasticity\[0\].*did you mean 'dopamine'\?"):
        run(model([[1]], [[1]], rule, changes=dopamine()), 100)


# inhibitory


def test_inhibitory_on_random_trains():
    """Weights are negative; both traces have one decay, and every arriving spike takes 2*target*tau."""
    before, after = trains(40, 500, seed=11), trains(15, 500, seed=12)
    rule = {"type": "inhibitory", "eta": 0.02, "target": "10 Hz", "w_max": "2 mV/ms"}
    found = weights(run(model(before, after, rule, sign="I"), 500))
    expected = [
        loop(*each, 500, -W, arrive=lambda w, x: np.clip(w - 0.02 * 2 * (x["y"] - 2 * 0.01 * 20), -2, 0),
             fire=lambda w, x: np.clip(w - 0.02 * 2 * x["x"], -2, 0), taus={"x": ("pre", 20), "y": ("post", 20)})[0]
        for each in zip(before, after, strict=True)
    ]  # fmt: skip
    np.testing.assert_allclose(found[1], expected, **EXACT)
    assert np.all(found[0] == -W)
    assert found[1].min() < -0.7
    assert found[1].max() > -0.3


def measured_rate(found, start, end, population="post", cells=10):
    """Return the mean rate of a population between two moments (s), Hz."""
    times = found[f"{population}_spikes.t"]
    return ((times >= start) & (times < end)).sum() / cells / (end - start)


REGULAR = {"n": 10, "cell": {"composition": {"RS": 1.0}}, "noise": "1 mV/sqrt(ms)",
           "bias_excitatory": ["6 mV/ms", "9 mV/ms"]}  # fmt: skip


def test_inhibition_brings_cells_to_the_target_rate():
    """Ten cells that fire at three to four times the rate, each inhibited by ten others at random, within 5 %."""
    target, duration = 5, 60
    inhibitory = {"n": 50, "cell": {"composition": {"FS": 1.0}}, "noise": "3 mV/sqrt(ms)",
                  "bias_inhibitory": ["3 mV/ms", "4 mV/ms"]}  # fmt: skip
    rule = {"type": "inhibitory", "target": f"{target} Hz", "eta": 2e-3}
    rates = []
    for rules in ([rule], []):
        configuration = model(
            [[1]], REGULAR, *rules, sign="I", weight="0.01 mV/ms", wiring={"degree": 20}
        ).with_changes(**{"populations.pre": inhibitory})
        found = run(configuration, duration * 1000, "cpp")
        rates.append(measured_rate(found, duration / 2, duration))
    assert rates[1] > 2.5 * target
    assert rates[0] == pytest.approx(target, rel=0.05)


# short_term


@pytest.mark.parametrize(
    ("rate", "rule"),
    [
        (20, {}),
        (20, {"utilisation": 0.03, "tau_facil": "530 ms", "tau_rec": "130 ms"}),
        (50, {"utilisation": 0.3, "tau_facil": "100 ms", "tau_rec": "300 ms"}),
    ],
)
def test_short_term_plasticity_at_regular_trains(rate, rule):
    """The first spike does w*U, and in the end each does w*u*R with u = U/(1 - (1 - U)*f) and
    R = (1 - r)/(1 - (1 - u)*r); f and r are the decays between two spikes.
    """
    spikes, gap = 90, 1e3 / rate
    before = [[50 + gap * number for number in range(spikes)]]
    record = [("post", "I_fast"), ("forward", "used"), ("forward", "available")]
    configuration = model(before, [[1.0]], {"type": "short_term", **rule}, record=record, learns="0")
    found = run(configuration, 100 + gap * spikes)
    known = {"utilisation": 0.67, "tau_facil": "0 ms", "tau_rec": "800 ms", **rule}
    share, facil, rec = known["utilisation"], *(float(known[name].split()[0]) for name in ("tau_facil", "tau_rec"))
    f, r = np.exp(-gap / facil) if facil else 0.0, np.exp(-gap / rec)
    used = share / (1 - (1 - share) * f)
    there = (1 - r) / (1 - (1 - used) * r)
    current = found["record_post_I_fast.I_fast"][:, 0]
    jumps = np.diff(current) + current[:-1] * DT / 5
    arrivals = np.round((np.array(before[0]) + 1) / DT).astype(int)
    np.testing.assert_allclose(jumps[arrivals[0]], 0.85 * W * share, rtol=1e-12)
    np.testing.assert_allclose(jumps[arrivals[-1]], 0.85 * W * used * there, rtol=1e-4)
    assert np.abs(np.delete(jumps, arrivals)).max() < 1e-12
    # and the whole way, step by step
    u, a, expected = 0.0, 1.0, []
    for number in range(spikes):
        u, a = share + u * (1 - share) * f, 1 - (1 - a) * (r if number else 1)
        expected.append(0.85 * W * u * a)
        a -= u * a
    np.testing.assert_allclose(jumps[arrivals], expected, rtol=1e-10)
    np.testing.assert_array_equal(weights(found)[1], weights(found)[0])


# scaling

BOUND = {"type": "stdp", "a_plus": 0.01, "a_minus": 0.003, "w_max": "4 mV/ms"}


@pytest.mark.parametrize(
    ("scaling", "rows"),
    [
        ({}, "j"),
        ({"side": "out_of"}, "i"),
        ({"how": "subtractive"}, "j"),
        ({"total": "7 mV/ms"}, "j"),
        ({"how": "subtractive", "side": "out_of", "total": "7 mV/ms"}, "i"),
    ],
)
def test_sums_are_held(scaling, rows):
    """Beside a pair rule that changes the weights all the time, after each application."""
    before, after = trains(30, 600, seed=13), trains(30, 600, seed=14)
    rule = {"type": "scaling", "interval": "50 ms", **scaling}
    configuration = model(before, after, BOUND, rule, wiring="all", weight_spread=0.3, record=[("forward", "w")])
    found = run(configuration, 600)
    w, cells_of = found["record_forward_w.w"], found["arrays"][f"forward.{rows}"]
    sums = np.stack([np.bincount(cells_of, each, 10) for each in w])
    held = np.full(10, 7.0) if "total" in scaling else np.bincount(cells_of, found["arrays"]["forward.w"], 10)
    applied = np.arange(0, 600, 50) / DT
    # where a weight met its bounds the rest of the difference would be left for the next time
    assert 0 < w.min() < w.max() < 4
    np.testing.assert_allclose(sums[applied.astype(int)], np.tile(held, (12, 1)), rtol=1e-12)
    between = sums[(applied[1:] - 1).astype(int)]
    assert np.abs(between / held - 1).max() > 0.02


def test_both_sums_and_half_of_the_difference():
    before, after = trains(30, 400, seed=13), trains(30, 400, seed=14)
    rule = {"type": "scaling", "interval": "50 ms", "side": "both"}
    configuration = model(before, after, BOUND, rule, wiring="all", weight_spread=0.3, record=[("forward", "w")])
    found = run(configuration, 400)
    w, start = found["record_forward_w.w"][350 * 2], found["arrays"]["forward.w"]
    out, onto = (np.bincount(found["arrays"][f"forward.{end}"], w, 10) / np.bincount(
        found["arrays"][f"forward.{end}"], start, 10) for end in "ij")  # fmt: skip
    np.testing.assert_allclose(out, 1, rtol=1e-12)  # the last of the two is exact
    assert 1e-12 < np.abs(onto - 1).max() < 0.2
    slower = {**rule, "side": "onto", "strength": 0.5, "total": "4 mV/ms"}
    half = run(configuration.with_changes(**{"connections.forward.plasticity": [slower]}), 400)["record_forward_w.w"]
    sums = (
        np.bincount(found["arrays"]["forward.j"], half[0], 10),
        np.bincount(found["arrays"]["forward.j"], half[100], 10),
    )
    first = np.bincount(found["arrays"]["forward.j"], start, 10)
    np.testing.assert_allclose(sums[0], first + 0.5 * (4 - first), rtol=1e-12)
    np.testing.assert_allclose(sums[1], sums[0] + 0.5 * (4 - sums[0]), rtol=1e-12)


@pytest.mark.parametrize("how", ["multiplicative", "subtractive"])
@pytest.mark.parametrize("sign", ["E", "I"])
def test_sums_are_only_kept_from_growing(how, sign):
    """Only cells whose total is exceeded change their weights; no weight changes its sign."""
    for total, limited in ((4, True), (30, False)):
        rule = {"type": "scaling", "interval": "10 ms", "how": how, "when": "limited", "total": f"{total} mV/ms"}
        found = run(model([[1.0]], [[1.0]], rule, sign=sign, wiring="all", weight_spread=0.9), 1000)
        first, last = weights(found)
        sums = np.bincount(found["arrays"]["forward.j"], last, 10)
        sides = 1 if sign == "E" else -1
        if not limited:
            np.testing.assert_array_equal(last, first)
            continue
        began = np.bincount(found["arrays"]["forward.j"], first, 10)
        # a weight that is cut off at 0 leaves a rest of the difference, of which in a hundred intervals nothing is left
        np.testing.assert_allclose(sides * sums, np.minimum(sides * began, 4), rtol=1e-12)
        assert 2 < (sides * began < 4).sum() < 8
        assert np.all(sides * last >= 0)
        if how == "multiplicative":
            np.testing.assert_allclose(last / first, (sums / began)[found["arrays"]["forward.j"]], rtol=1e-12)
        else:
            assert (last == 0).any()


def test_presynaptic_scaling_on_random_trains():
    """w *= 1 + share*(x/target)*(1 - y/target), with running mean rates of both cells."""
    before, after = trains(20, 1000, seed=15), [*trains(3, 1000, 5, seed=16), *trains(30, 1000, 5, seed=17)]
    rule = {"type": "presynaptic_scaling", "share": 0.1, "tau_rate": "300 ms", "target": "8 Hz"}
    found = weights(run(model(before, after, rule), 1000))
    rate = 0.3 * 8
    expected = [
        loop(*each, 1000, W, arrive=lambda w, x: w, fire=lambda w, x: w, every=100,
             regular=lambda w, x: max(w * (1 + 0.1 * x["x"] / rate * (1 - x["y"] / rate)), 0),
             taus={"x": ("pre", 300), "y": ("post", 300)})[0]
        for each in zip(before, after, strict=True)
    ]  # fmt: skip
    np.testing.assert_allclose(found[1], expected, **EXACT)
    assert found[1][:5].min() > W > found[1][5:].max()


# intrinsic


def test_cells_reach_their_target_rate():
    """Cells that fire at other rates without it, within 5 %; the drive is recorded."""
    rates = []
    for intrinsic in ({"target": "8 Hz", "speed": "0.5 mV/ms"}, "none"):
        configuration = model([[1.0]], {**REGULAR, "intrinsic": intrinsic}, record=[("post", "r")])
        found = run(configuration, 40_000, "cpp")
        rates.append(measured_rate(found, 20, 40))
        if intrinsic != "none":
            ends = found["post_intrinsic_ends.intrinsic"]
            # what moved it is the mean of the trace: all of it, step by step
            r = found["record_post_r.r"][: round(40_000 / DT) + 1]
            expected = np.cumsum(0.5 * DT * 1e-3 * (1 - r / 8), axis=0)
            np.testing.assert_allclose(ends[-1], expected[-1], rtol=1e-9)
            assert not ends[0].any() or np.abs(ends[0]).max() < 1e-3
    assert rates[1] > 10
    assert rates[0] == pytest.approx(8, rel=0.05)


def test_the_read_population_has_it_too():
    """Where readouts see cells in the place of others, as well; and it rests where it does not learn."""
    task = {"trials": [("A", 10)] * 2, "duration": 200, "device": "numpy"}
    configuration = bench.model(reservoir__intrinsic={}, state__shuffled_at_test=True)
    found, still, without = (
        run(configuration.with_changes(**changes), **task)
        for changes in ({}, {"reservoir.intrinsic.learns": "0"}, {"reservoir.intrinsic": "none"})
    )
    assert np.abs(found["cells_intrinsic_ends.intrinsic"][-1]).max() > 0.01
    assert not still["cells_intrinsic_ends.intrinsic"].any()
    assert np.array_equal(still["spikes.t"], without["spikes.t"])


# several rules, when they learn, and where

MANY = {
    "populations": {"sensory": {"n": 50, "cue_share": 1.0, "noise": "0 mV/sqrt(ms)", "intrinsic": {}}},
    "neuromodulators": {"dopamine": {}, "acetylcholine": {"tonic": 0.5}},
    "connections": {
        "forward": {
            "from": "sensory", "to": "cells", "wiring": {"degree": 5}, "weight": "2 mV/ms",
            "plasticity": [{"type": "stdp", "w_max": "4 mV/ms"}, "short_term", {"type": "scaling", "side": "both"},
                           {"type": "triplet", "w_max": "9 mV/ms"},
                           {"type": "scaling", "how": "subtractive", "when": "limited"}],
        },
        "growing": {
            "from": "sensory", "to": "sensory", "wiring": {"degree": 5}, "weight": "0.2 mV/ms",
            "plasticity": {"type": "axon_remodeling", "interval": "100 ms", "most_out": "1 mV/ms"},
        },
        "slow": {
            "from": "sensory", "to": "cells", "wiring": {"degree": 5}, "weight": "0.5 mV/ms", "delay": ["1 ms", "5 ms"],
            "delay_of": "synapse", "learns": "learn(t)*int(block(t) > 0.5)",
            "plasticity": [{"type": "modulated_stdp", "further": "acetylcholine", "further_response": "further_level"},
                           "presynaptic_scaling"],
        },
        "back": {"from": "cells", "to": "sensory", "cells": "inhibitory", "wiring": {"degree": 5},
                 "weight": "0.5 mV/ms", "plasticity": "inhibitory"},
        "excitation": {"plasticity": {"type": "stdp", "w_max": "40 mV/ms"}, "learns": "learn(t)*int(event(t) > 0.5)"},
    },
    "reservoir__cue_strength": "0 mV/ms",
    "reservoir__intrinsic": {"learns": "learn(t)"},
    "keep__record": [{"of": name, "variable": "w", "every": "1 ms"} for name in ("excitation", "slow")],
}  # fmt: skip
"""Every rule, on connections of every kind."""
CONNECTIONS = tuple(MANY["connections"])


@functools.cache
def many(device="cpp", seed=3):
    """Return the recording of this network, with two of the connections at every step of the readouts."""
    return simulate(small.configuration(**MANY), seed=seed, device=device)


def test_every_rule_is_among_them():
    rules = {rule.type for each in small.configuration(**MANY).connections.values() for rule in each.plasticity}
    assert rules == set(small.shipped(Plasticity))
    known = {name.partition(" ")[2] for name in declared() if name.startswith("plasticity ")}
    assert {*rules, "intrinsic"} <= set(tables()["plasticity"]) == known


def test_the_same_spikes_on_cpp_and_numpy():
    one, other = many("cpp"), many("numpy")
    for name in ("spike_time", "spike_neuron", "sensory_spike_time", "sensory_spike_neuron"):
        assert np.array_equal(one[name], other[name]), name
    assert one["spike_time"].size > 1000
    for name in CONNECTIONS:
        np.testing.assert_allclose(one[f"{name}_weight"], other[f"{name}_weight"], rtol=1e-9, atol=1e-12)
        assert np.abs(one[f"{name}_weight"][1] - one[f"{name}_weight"][0]).max() > 1e-3, name


def test_two_networks_side_by_side_are_those_of_two_runs():
    """Though the events of each are others, and so is when each of them learns."""
    networks = [draw(small.configuration(**MANY), seed) for seed in (3, 4)]
    assert not np.array_equal(networks[0].arrays["signals.event"], networks[1].arrays["signals.event"])
    for found, seed in zip(simulate_together(networks, "cpp"), (3, 4), strict=True):
        alone = many("cpp", seed)
        for name in ("spike_time", "spike_neuron", "sensory_spike_time", "sensory_spike_neuron"):
            assert np.array_equal(found[name], alone[name]), name
        for name in CONNECTIONS:
            np.testing.assert_allclose(found[f"{name}_weight"], alone[f"{name}_weight"], rtol=1e-12, atol=1e-14)


def test_weights_rest_while_they_do_not_learn():
    """With `learn(t)` in probes, with `event(t)` in trials of another event, with `block(t)` in all other blocks."""
    trials, recording = draw(small.configuration(**MANY), 3).experiment.trials, many()
    ends = np.round(trials["onset"] * 1e3).astype(int).to_numpy()[1:] - 1
    happens = {"excitation": trials["event"] == "B", "slow": trials["block"] > 0}
    for name in happens:
        w = recording[f"{name}_w"].values
        changed = np.abs(np.diff(w[[0, *ends]], axis=0)).max(axis=1) > 0
        expected = (trials["learn"] & happens[name]).to_numpy()[: len(changed)]
        assert np.array_equal(changed, expected), name
        assert 2 < expected.sum() < len(expected) - 2


def test_rules_work_in_their_order():
    """A pair rule before another of itself: what both add at a spike, one after the other; names are told apart."""
    before, after = trains(60, 300, seed=18), trains(60, 300, seed=19)
    soft = {"type": "stdp", "a_plus": 0.1, "a_minus": 0.0, "mu": 1.0}
    hard = {"type": "stdp", "a_plus": 0.0, "a_minus": 0.1, "mu": 0.0, "tau_minus": "40 ms"}
    found = run(model(before, after, soft, hard), 300)
    assert found["arrays"]["forward.a_plus"] == 0.1
    assert found["arrays"]["forward.a_plus_1"] == 0.0
    expected = [
        loop(*each, 300, W, arrive=lambda w, x: np.clip(w - 0.1 * x["y"], 0, 1),
             fire=lambda w, x: w + 0.1 * (1 - w) * x["x"], taus={"x": ("pre", 20), "y": ("post", 40)})[0]
        for each in zip(before, after, strict=True)
    ]  # fmt: skip
    np.testing.assert_allclose(weights(found)[1], expected, **EXACT)


def test_weights_of_a_recording():
    recording = many()
    assert recording["forward_weight"].dims == ("forward_end", "forward_synapse")
    assert recording["forward_weight"].attrs["units"] == "mV/ms"
    assert recording["forward_source"].max() < 50
    assert 50 < recording["forward_target"].max() < 100
    assert recording["cells_intrinsic"].dims == ("cells_intrinsic_end", "neuron")


def test_a_clock_of_many_steps_reaches_the_end():
    """Of a step of more than 10 s, 1e-4 are a step of the readouts: Brian2 took an end for reached that was not."""
    for steps in (2, 10_001, 873_001):
        clock = LongClock((steps - 1) * b2.ms, steps - 1, "every_so_often")
        for end, due in ((steps - 1, 1), (steps, 2), (2 * steps - 2, 2)):
            clock.set_interval(0 * b2.ms, end * b2.ms)
            assert clock._i_end == due, (steps, end)


@pytest.mark.slow
def test_plastic_weights_of_a_long_task_on_numpy():
    """Weights at the start and the end are read by a clock of the whole length, here 11.7 s."""
    quiet = {"n": 50, "noise": "0 mV/sqrt(ms)", "bias_excitatory": ["1 mV/ms", "3 mV/ms"]}
    forward = {"from": "cells", "to": "heard", "weight": "1 mV/ms", "wiring": {"type": "fixed_in_degree", "degree": 20}}
    configuration = small.configuration(
        populations={"heard": {**quiet, "bias_inhibitory": ["0 mV/ms", "0.5 mV/ms"], "cue_share": 0.0}},
        connections={"forward": {**forward, "plasticity": {"type": "stdp", "w_max": "2 mV/ms"}}},
        paradigm__blocks=[{"trials": 35, "latency": {"A": "60 ms"}, "probability": {"A": 1.0}}],
        keep__record=[{"of": "forward", "variable": "w", "elements": list(range(50)), "every": "1 ms"}],
    )
    recording, cells = (
        simulate(each, seed=3, device="numpy")
        for each in (configuration, configuration.with_changes(connections={}, **{"keep.record": []}))
    )
    assert recording.attrs["duration"] > 11
    # what the connection reaches is heard by nobody
    assert np.array_equal(recording["spike_time"], cells["spike_time"])
    assert np.array_equal(recording["prediction"], cells["prediction"])
    start, end = recording["forward_weight"].values
    assert (start != end).any()
    # trials end at rest, so that nothing moves in the last millisecond
    np.testing.assert_allclose(recording["forward_w"].values[-1], end[:50], rtol=1e-12)


def test_snapshots_of_all_weights():
    """By ``keep.record`` without elements: what is announced of their memory counts them."""
    record = [{"of": "excitation", "variable": "w", "every": "700 ms"}]
    slow = {"type": "stdp", "w_max": "40 mV/ms", "a_plus": 1e-4, "a_minus": 1e-4}
    plastic = {"excitation": {"plasticity": slow}}
    configuration = small.configuration(connections=plastic, keep__record=record)
    recording = simulate(configuration, seed=3, device="numpy")
    kept, (start, end) = recording["excitation_w"], recording["excitation_weight"].values
    assert kept["excitation_w_time"].values == pytest.approx(0.7 * np.arange(len(kept)))
    assert kept["excitation_w_time"].values[-1] > recording.attrs["duration"] - 0.7
    assert kept.shape[1] == len(start)
    np.testing.assert_allclose(kept.values[0], start, rtol=1e-12)
    assert (kept.values[1] != start).any() and (kept.values[-1] != end).any()

    plans = [draw(each, 3).plan for each in (configuration, small.configuration(connections=plastic))]
    rows = plans[0].rows(plans[0].part("record_excitation_w"))
    assert rows - len(kept) in (0, 1)  # what follows the experiment's end is not in the recording
    more = needed_memory(plans[0]) - needed_memory(plans[1])
    assert more == pytest.approx(rows * 8 * (len(start) + 1))


# what cannot be, and what stops a run


@pytest.mark.parametrize(
    ("rule", "connection", "said"),
    [
        ("inhibitory", {}, r"connections.forward.plasticity\[0\]: 'inhibitory' is for inhibitory cells"),
        ({"type": "stdp", "w_max": "0.4 mV/ms"}, {}, "10 of 10 weights begin beyond the bounds of its rules, 0 to 0.4"),
        (
            {"type": "scaling", "interval": "0.7 ms"},
            {},
            r"plasticity\[0\].interval: must be a whole multiple .* 0.7 ms",
        ),
        ("modulated_stdp", {}, r"plasticity\[0\]: there is no neuromodulator 'dopamine'"),
        ({"type": "stdp", "tau_plus": "0 ms"}, {}, r"plasticity\[0\].tau_plus: must be above 0"),
        ("stpd", {}, "'stpd' is not a plasticity, did you mean 'stdp'"),
    ],
)
def test_what_cannot_be(rule, connection, said):
    with pytest.raises(ConfigurationError, match=said):
        run(model([[1]], [[1]], rule, **connection), 100)


def test_weights_that_begin_beyond_their_bounds_are_cut_off():
    rule = {"type": "stdp", "w_max": "1 mV/ms"}
    found = run(model([[1.0]], [[1.0]], rule, wiring="all", weight="0.7 mV/ms", weight_spread=0.8), 100)
    assert weights(found)[0].max() == 1
    assert 0.05 < (weights(found)[0] == 1).mean() < 0.5


class Leaving(Plasticity):
    """A rule of a user who after 1.2 s forgets to keep the weights between its bounds, or divides by 0."""

    type: Literal["leaving"] = "leaving"
    way: float = parameter(1.0, "1: beyond the bounds, 0: no numbers")
    on_pre: ClassVar[str] = """
    late = int(t > 1.2*second)
    w += late*way*0.5*volt/second/(1 - late*(1 - way))
    """
    source: ClassVar[str] = "tests"

    def bounds(self):
        return 0.0, 3.0


@pytest.mark.parametrize("device", ["cpp", "numpy"])
@pytest.mark.parametrize("way", [1.0, 0.0])
def test_weights_that_leave_their_bounds_stop_a_run(device, way):
    forward = {"from": "sensory", "to": "cells", "wiring": {"degree": 5}, "plasticity": {"type": "leaving", "way": way},
               "weight_spread": 0.0, "effect": "I_fast_post += 0*w"}  # fmt: skip
    configuration = small.configuration(
        populations={"sensory": {"n": 50, "cue_share": 1.0}}, connections={"forward": forward}
    )
    with pytest.raises(SimulationError) as caught:
        simulate(configuration, seed=0, device=device)
    said = str(caught.value)
    assert "the weights of 'forward' were not all numbers from 0 to 3 mV/ms in trial" in said
    assert said.endswith(": plasticity 'leaving'")
    partial = caught.value.partial
    assert partial.attrs["diverged"] == said
    assert 3 <= partial.sizes["trial"] < 10
    assert np.isfinite(partial["forward_weight"].values[0]).all()
    assert np.isnan(partial["forward_weight"].values[1]).all()


# CUDA


@pytest.mark.skipif(bool(cuda.CudaDevice.cannot_generate()), reason=cuda.CudaDevice.cannot_generate() or "brian2cuda")
def test_cuda_code_of_every_rule(tmp_path, monkeypatch):
    from izhires.running.export import export

    monkeypatch.setenv("IZHIRES_CUDA_ARCHITECTURE", "9.0")
    folder = export(small.configuration(**MANY), 3, "", "cuda", tmp_path / "project")
    written = {path.stem: path.read_text() for path in (folder / "code_objects").glob("*.cu")}
    # sums over the synapses of a cell are added by many threads at once
    summed = [text for name, text in written.items() if "2_summed" in name]
    assert len(summed) == 4
    assert all("atomicAdd" in text for text in summed)
