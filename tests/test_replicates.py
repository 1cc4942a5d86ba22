"""Several networks side by side as one: each recording is that of its network alone."""

import os

import numpy as np
import pytest
import small
from terminal import izhires

from izhires.building.replicates import combine, split
from izhires.devices import get
from izhires.errors import ConfigurationError, SimulationError
from izhires.recordings.recording import load
from izhires.running.run import draw, simulate_together

QUIET = small.configuration()
CIRCUITS = ("sequence", "random")


def alone(networks, device="cpp"):
    return [get(device).prepare(each.plan).run(each.arrays) for each in networks]


def together(networks, device="cpp"):
    plan, arrays = combine([each.plan for each in networks], [each.arrays for each in networks])
    assert plan.replicates == len(networks)
    return split(plan, get(device).prepare(plan).run(arrays))


def same_bytes(one, other):
    assert one.keys() == other.keys()
    return all(one[name].shape == other[name].shape and one[name].tobytes() == other[name].tobytes() for name in one)


def check_close(networks):
    """Each gives the same spikes alone and beside the others, and the rest to 1e-9 of its largest value."""
    single = alone(networks)
    for mine, own in zip(together(networks), single, strict=True):
        assert np.array_equal(small.spikes(mine), small.spikes(own))
        for name in ("when_output.z", "when_snapshots.w", "what_snapshots.w", "mean_state.x", "what_output.q"):
            assert np.abs(mine[name] - own[name]).max() <= 1e-9 * np.abs(own[name]).max(), name
    return single


def check_identical(networks, device="cpp"):
    """Each of the networks gives the same bytes alone and beside the others, and no two of them the same."""
    single = alone(networks, device)
    for mine, own in zip(together(networks, device), single, strict=True):
        # order within a time step is of the machine, not of the network
        assert same_bytes({**mine, "spikes": small.spikes(mine)}, {**own, "spikes": small.spikes(own)})
        assert len(own["spikes.t"]) > 100
    for k, own in enumerate(single):
        for other in single[:k]:
            assert not np.array_equal(own["when_snapshots.w"], other["when_snapshots.w"])


@pytest.mark.parametrize("circuit", CIRCUITS)
def test_four_networks_are_those_of_four_runs(circuit):
    check_identical([draw(small.configuration(circuit), seed) for seed in (3, 1, 4, 15)])


OTHERS = {
    "node perturbation, phasic, confidence": small.configuration(
        "random",
        "node_perturbation",
        when__gate={"type": "phasic", "tau_rise": "5 ms", "tau_decay": "40 ms", "tonic": 0.2},
        confidence={},
    ),
    "eligibility, dopamine, shuffled": small.configuration(
        when__rule={"type": "eligibility_three_factor", "rate": "0.01 1/ms", "tau_eligibility": "60 ms"},
        when__gate={"type": "dopamine", "tau_rise": "10 ms", "tau_decay": "60 ms"},
        state__shuffled_at_test=True,
        when__feedback_at_test=False,
    ),
    "joint, frozen": small.configuration(
        "random", "consolidated_three_factor", when__gate="open", readout="joint", what__learning_blocks=1
    ),
    "merged, consolidation": small.configuration(
        "random",
        "eligibility_three_factor",
        when__gate={"type": "consolidation", "delay": "20 ms", "duration": "50 ms"},
        readout="merged",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_rules_gates_and_readouts_with_sums_traces_and_signals_of_their_own(name):
    networks = [draw(OTHERS[name], seed) for seed in (3, 1, 4)]
    check_identical(networks)


def test_values_of_gates_and_of_what_is_pooled_may_differ():
    changes = [
        {"when__rule": {"type": "node_perturbation", "amplitude": amplitude, "tau_reward": memory},
         "when__gate": {"type": "phasic", "tau_rise": rise, "tau_decay": "40 ms"}}
        for amplitude, memory, rise in ((0.1, "5 ms", "5 ms"), (0.2, "8 ms", "12 ms"))
    ]  # fmt: skip
    single = check_close([draw(small.configuration("random", **each), 0) for each in changes])
    assert (
        np.abs(single[0]["when_output.z"] - single[1]["when_output.z"]).max()
        > 1e-2 * np.abs(single[0]["when_output.z"]).max()
    )


def test_force_has_no_place_for_others():
    networks = [draw(small.configuration("random", "force"), seed) for seed in (0, 1)]
    with pytest.raises(ConfigurationError, match=r"^--replicates: the inverse correlation .* has no place for others$"):
        simulate_together(networks)


@pytest.mark.slow
def test_sixteen_networks_are_those_of_sixteen_runs():
    check_identical([draw(QUIET, seed) for seed in range(16)])


def test_on_the_numpy_device():
    check_identical([draw(QUIET, seed) for seed in (0, 1)], "numpy")


def test_recordings_are_those_of_separate_runs():
    """Everything but how long it took and how many ran together."""
    networks = [draw(QUIET, seed) for seed in (3, 1, 4, 15)]
    for network, found in zip(networks, simulate_together(networks), strict=True):
        (expected,) = simulate_together([network])
        assert found.identical(expected.assign_attrs(found.attrs))
        differing = {name for name in found.attrs if found.attrs[name] != expected.attrs[name]}
        assert differing - {"created"} <= {"replicates", "build_seconds", "run_seconds", "peak_bytes", "schedule"}
        assert (found.attrs["replicates"], expected.attrs["replicates"]) == (4, 1)


CHANGED = {
    "reservoir__tau_fast": "5.5 ms",
    "reservoir__cue_strength": "22 mV/ms",
    "when__rule": {"type": "normalised_three_factor", "rate": "0.01 1/ms", "surprise_gain": 2.0},
    "what__rule": {"type": "surprise_two_factor", "fastest": 0.2, "slowest": 0.02},
    "when__feedback": "0.3 mV/ms",
    "state__tau_mean": "400 ms",
    "paradigm__blocks": [{**block, "latency": {"A": "80 ms", "B": "100 ms"}} for block in small.PARADIGM["blocks"]],
}


def test_values_may_differ_between_the_networks():
    """Not bit for bit: what is computed with a constant that is an array may be rounded at another place."""
    single = check_close([draw(QUIET, 0), draw(small.configuration(**CHANGED), 0)])
    for name in ("when_output.z", "what_snapshots.w"):
        assert np.abs(single[0][name] - single[1][name]).max() > 1e-2 * np.abs(single[0][name]).max()
    assert not np.array_equal(small.spikes(single[0]), small.spikes(single[1]))


def test_a_rule_may_read_the_trial_where_the_weights_are(monkeypatch):
    """Signals differ between the networks, and synapses know the network of their channel."""
    rule = type(QUIET.what.rule)
    monkeypatch.setattr(rule, "weight_update", rule.weight_update + "\nw += 1e-3*second*(event(t) + latency(t)/second)")
    one, other = check_close([draw(QUIET, seed) for seed in (0, 1)])
    assert not np.array_equal(one["what_snapshots.w"], other["what_snapshots.w"])


def test_what_cannot_stand_side_by_side():
    later = draw(small.configuration(paradigm__trial_duration="310 ms"), 0)
    larger = draw(small.configuration(reservoir__n=110), 0)
    other = draw(small.configuration(what="two_factor"), 0)
    for wrong, words in ((later, "trials at the same times"), (larger, "in numbers only"), (other, "in numbers only")):
        with pytest.raises(ConfigurationError, match=f"^--replicates: replicates .*{words}") as caught:
            simulate_together([draw(QUIET, 0), wrong])
        assert "\n" not in str(caught.value)


def test_noise_of_networks_side_by_side_is_independent():
    """Of 4 networks that share everything but their place, no two fire alike, and each fires about as often."""
    noisy = draw(small.configuration("unconnected", reservoir__noise="1 mV/sqrt(ms)"), 0)
    found = together([noisy] * 4)
    trains = [small.spikes(each) for each in found]
    for k, train in enumerate(trains):
        assert all(not np.array_equal(train, other) for other in trains[:k])
    counts = np.array([train.shape[1] for train in trains])
    # spikes of a cell are no more clustered than those of a Poisson process: sd below sqrt(count), here taken 6 times
    assert np.ptp(counts) < 6 * np.sqrt(2 * counts.mean())
    assert same_bytes(found[0], together([noisy] * 4)[0])


def test_one_of_several_that_ran_away_is_told_of_by_itself(monkeypatch):
    """The limit lies between the rates, so that the fastest counts as a runaway, also while it runs."""
    networks = [draw(QUIET, seed) for seed in (3, 1, 4, 15)]
    rates = [float(each["rate"].mean()) for each in simulate_together(networks)]
    fastest, limit = int(np.argmax(rates)), sum(sorted(rates)[-2:]) / 2
    strict = small.configuration(keep__fastest_rate=f"{limit} Hz")
    found = simulate_together([draw(strict, seed) for seed in (3, 1, 4, 15)])
    assert [isinstance(each, SimulationError) for each in found] == [k == fastest for k in range(4)]
    assert str(found[fastest]).startswith("the network ran away: ")
    # one that fires as often as it can does not end the run of the others; two may
    said = []
    run = "izhires.devices.standalone.StandaloneProgram.run"
    monkeypatch.setattr(run, lambda self, arrays, report: report(1.0, said[0]))
    steps = QUIET.reservoir.n * networks[0].plan.duration / networks[0].plan.cell_step
    said.append(round(steps))
    with pytest.raises(TypeError):  # it went on, to results that this stand-in does not have
        simulate_together(networks)
    said[0] = round(2 * steps)
    with pytest.raises(SimulationError, match=r"^at least two of the 4 networks side by side ran away: mean rate "):
        simulate_together(networks)


# the command line


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "small.toml"
    path.write_text(QUIET.to_toml(), encoding="utf-8")
    return path


def names(out):
    return sorted(path.name for path in out.glob("*.nc"))


def test_the_command(config, tmp_path):
    arguments = ("run", "meet", "--config", config, "--replicates", 4)
    out = tmp_path / "out"
    done = izhires(*arguments, "--seeds", "3,1,4,15", "--out", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith(f"4 recordings in {out}: 4 run (")
    assert names(out) == sorted(f"meet_seed{seed}.nc" for seed in (3, 1, 4, 15))
    for seed in (3, 1, 4, 15):
        (expected,) = simulate_together([draw(QUIET, seed)])
        found = load(out / f"meet_seed{seed}.nc")
        assert found.attrs["seed"] == seed
        assert found["when_weights"].identical(expected["when_weights"])


def test_what_is_there_is_kept(tmp_path, monkeypatch):
    from izhires.running.batch import run_batch

    monkeypatch.setattr("izhires.running.run.code", lambda *declarations: "abc")

    def run(seeds, replicates, **options):
        stages = {}
        run_batch(QUIET, seeds, tmp_path, report=lambda name, stage, _: stages.update({name: stage}),
                  replicates=replicates, processes=1, **options)  # fmt: skip
        return {name: stage for name, stage in stages.items() if name}

    def all_of(stage, *seeds):
        return {f"seed {seed}": stage for seed in seeds}

    assert run([1], 1) == all_of("done", 1)
    # those that are missing run together, here only one
    assert run([1, 2], 4) == all_of("kept", 1) | all_of("done", 2)
    assert run([1, 2, 3, 4], 2) == all_of("kept", 1, 2) | all_of("done", 3, 4)
    assert run([1, 2, 3, 4], 4) == all_of("kept", 1, 2, 3, 4)
    assert run([3, 4], 2, again=True) == all_of("done", 3, 4)
    # noise would depend on the neighbours: what ran beside others does not stand for what ran alone
    assert run([1, 3], 1) == all_of("kept", 1) | all_of("done", 3)


@pytest.mark.parametrize("device", ["cpp", "numpy"])
def test_one_failing_network_leaves_the_recordings_of_the_others(device, tmp_path):
    seeds = (3, 1, 4, 15) if device == "cpp" else (0, 1)
    # both devices give the same spikes
    rates = {seed: float(simulate_together([draw(QUIET, seed)])[0]["rate"].mean()) for seed in seeds}
    fastest = max(rates, key=rates.get)
    path = tmp_path / "it.toml"
    strict = small.configuration(keep__fastest_rate=f"{sum(sorted(rates.values())[-2:]) / 2} Hz")
    path.write_text(strict.to_toml(), encoding="utf-8")
    out = tmp_path / "out"
    chosen = ("--replicates", len(seeds), "--device", device, "--seeds", ",".join(map(str, seeds)))
    done = izhires("run", "meet", "--config", path, *chosen, "--out", out)
    assert done.returncode == 4
    assert names(out) == sorted(f"meet_seed{seed}.nc" for seed in seeds if seed != fastest)
    first, second = done.stderr.splitlines()
    assert first.startswith(f"izhires: {len(seeds) - 1} of {len(seeds)} recordings finished in {out} (")
    assert second.startswith(f"izhires: seed {fastest}: the network ran away: ")


def test_trials_at_other_times_are_refused(tmp_path, monkeypatch, capsys):
    """A paradigm whose seeds do not share the times of their trials."""
    from izhires.paradigms import Meet
    from izhires.running.batch import run_batch

    real = Meet.experiment

    def jittered(self, rng, variant=""):
        model = self.with_changes(trial_duration=f"{self.trial_duration + rng.integers(1, 20)} ms")
        return real(model, rng, variant)

    monkeypatch.setattr(Meet, "experiment", jittered)
    with pytest.raises(ConfigurationError, match=r"^--replicates: replicates need trials at the same times$"):
        run_batch(QUIET, [0, 1], tmp_path, replicates=2)
    assert names(tmp_path) == []


@pytest.mark.skipif("IZHIRES_TEST_CYTHON" not in os.environ, reason="IZHIRES_TEST_CYTHON=1: takes minutes to compile")
def test_on_the_cython_device():
    check_identical([draw(QUIET, seed) for seed in (0, 1)], "cython")
