import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import synthetic
from scipy.signal import lfilter

from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics import response_time as rt
from izhires.analysis.metrics.base import all_metrics

LATE = np.round(np.linspace(1.5, 2.5, 12), 3)


def participant(number, effect=-0.08, spread=0.02, noise=0.1, seed=0, trials=60):
    """Return a recording whose response times fall with readiness by about `effect` a standard deviation.

    A probe comes before every trial; its prediction is a random walk, so that readiness and latency differ.
    """
    rng = np.random.default_rng([number, seed])
    block = synthetic.Block({"go": LATE, "no-go": LATE}, {"go": 0.7, "no-go": 0.15}, trials=trials)
    made = synthetic.experiment([block], seed=number, schedule=range(1, trials), paradigm="cued_reaction",
                                variant=f"sub-{number}", window=3.0, trial=4.0, event_width=0.1)  # fmt: skip
    recording = synthetic.recording(made, seed=seed, states=False)
    shape = recording["prediction"].shape
    level = 0.4 + 0.1 * rng.standard_normal((shape[0], 1, 1))
    recording["prediction"] = (recording["prediction"].dims, np.broadcast_to(level, shape).copy())
    recording["trial_response_time"] = ("trial", np.full(recording.sizes["trial"], np.nan))
    table = made.trials
    own = np.random.default_rng([number, 99])
    slope, base = effect + spread * own.standard_normal(), np.log(0.4) + 0.1 * own.standard_normal()
    rows = np.flatnonzero((table["event"] == "go") & (table["kind"] == "train"))
    ready = level[np.cumsum(table["kind"] == "probe").to_numpy()[rows] - 1, 0, 0]
    ready = (ready - ready.mean()) / ready.std(ddof=1)
    late = (table["latency"].to_numpy()[rows] - LATE.mean()) / LATE.std()
    y = base + slope * ready + 0.05 * late + noise * own.standard_normal(len(rows))
    recording["trial_response_time"].values[rows] = np.exp(y)
    # one error of commission: not the event that is answered most
    wrong = np.flatnonzero(table["event"] == "no-go")[0]
    recording["trial_response_time"].values[wrong] = 0.3
    return recording


def people(count=6, **changes):
    return [participant(number, **changes) for number in range(count)]


def values(recordings):
    return {row.part: row for row in all_metrics()["response_time"].rows(recordings)}


def test_readiness_is_that_of_the_probe_before_and_of_the_moment_of_the_event():
    recording = participant(0)
    # what every entry is, in figures: probe.event.milliseconds
    code = [np.arange(recording.sizes[name]) for name in ("probe", "event", "time")]
    recording["prediction"].values[:] = code[0][:, None, None] * 1e5 + code[1][:, None] * 1e4 + code[2]
    found = rt.readiness(recording)
    assert set(found["event"]) == {"go", "no-go"}
    for row in found.itertuples():
        assert row.readiness == row.trial * 1e5 + (row.event == "no-go") * 1e4 + round(1e3 * row.latency)
        assert row.age == 0
    # fewer probes: the last one before the trial, which is then some trials old
    block = synthetic.Block({"go": LATE, "no-go": LATE}, {"go": 0.8, "no-go": 0.1}, trials=60)
    sparse = synthetic.experiment([block], schedule=range(10, 61, 10), window=3.0, trial=4.0)
    old = synthetic.recording(sparse, states=False)
    old["trial_response_time"] = ("trial", np.full(old.sizes["trial"], 0.3))
    assert rt.readiness(old)["age"].max() == 9
    assert (rt.readiness(old)["age"] == rt.readiness(old)["trial"] % 10).all()


def test_readiness_within_the_trial():
    recording = participant(1)
    rng = np.random.default_rng(0)
    shape = (recording.sizes["trial"], 2)
    recording["trial_what"] = (("trial", "event"), rng.uniform(-0.2, 1.2, shape))
    recording["trial_when"] = (("trial", "event"), rng.uniform(-0.5, 1.5, shape))
    found = rt.readiness(recording, within=True)
    answered = np.flatnonzero(np.isfinite(recording["trial_response_time"].values))
    for trial, row in zip(answered, found.itertuples(), strict=True):
        one = recording.isel(trial=trial).sel(event=row.event)
        assert row.readiness == pytest.approx(float(one["trial_what"].clip(0, 1) * one["trial_when"].clip(0)))
    with pytest.raises(Unavailable, match="needs trial_when"):
        rt.readiness(participant(1), within=True)


def test_an_effect_that_is_there():
    found = values(people())
    assert found["readiness"].event == "go" and found["readiness"].seed == 0
    assert found["readiness_low"].value < -0.08 < found["readiness_high"].value < 0
    assert found["slope"].value == pytest.approx(found["readiness"].value, abs=0.01)
    assert found["shuffle_p"].value < 0.001 and found["readiness_p"].value < 0.001
    assert found["shift_p"].value < 0.001
    assert found["held_out"].value > 0.2 and found["held_out_positive"].value == 5
    assert found["latency"].value == pytest.approx(0.05, abs=0.02)
    assert found["negative"].value == found["participants"].value == 6
    assert found["probe_age"].value == 0


def test_no_effect():
    found = values(people(effect=0.0))
    assert found["readiness_low"].value < 0 < found["readiness_high"].value
    assert found["shuffle_p"].value > 0.05 and found["shift_p"].value > 0.05
    assert found["held_out"].value < 0.1 and found["held_out_positive"].value < 5


def test_a_participants_slope_is_that_of_least_squares():
    table = rt.scores(rt.answers(people(4)))
    found, _ = rt.slopes(table, 1, np.random.default_rng(0))
    for slope, (_, own) in zip(found, table.groupby("participant", sort=False), strict=True):
        fit = sm.OLS(own["log_rt"], sm.add_constant(own[["readiness", "latency", "trial"]])).fit()
        assert slope == pytest.approx(fit.params["readiness"], rel=1e-9)


def test_the_shuffle_keeps_its_level():
    """With nothing to find, p values are uniform: seven tables in ten lie above 0.3."""
    rng = np.random.default_rng(1)
    p = []
    for _ in range(200):
        latency = rng.standard_normal(90)
        table = pd.DataFrame({"participant": np.repeat(list("abc"), 30), "latency": latency})
        table["trial"] = np.tile(np.arange(30.0), 3)
        table["readiness"] = -0.5 * latency + rng.standard_normal(90)
        # skewed, and dependent on the control that readiness goes along with
        table["log_rt"] = 0.5 * latency + rng.exponential(1, 90)
        own, chance = rt.slopes(table, 200, rng)
        p.append((1 + (np.abs(chance) >= abs(own.mean())).sum()) / 201)
    for level in (0.05, 0.3):
        assert abs(np.mean(np.array(p) <= level) - level) < 3.5 * np.sqrt(level * (1 - level) / 200)


def test_shifts_keep_their_level_where_courses_drift_and_shuffles_do_not():
    rng = np.random.default_rng(2)
    p = {True: [], False: []}
    for _ in range(100):
        # readiness and response times, each trial like the one before
        drifts = lfilter([1], [1, -0.9], rng.standard_normal((2, 3, 200)))
        table = pd.DataFrame({"participant": np.repeat(list("abc"), 200), "latency": rng.standard_normal(600)})
        table["trial"] = np.tile(np.arange(200.0), 3)
        table["readiness"], table["log_rt"] = drifts.reshape(2, -1)
        for circular, found in p.items():
            own, chance = rt.slopes(table, 200, rng, circular)
            found.append((1 + (np.abs(chance) >= abs(own.mean())).sum()) / 201)
    assert np.mean(np.array(p[False]) <= 0.05) > 0.3
    assert np.mean(np.array(p[True]) <= 0.05) < 0.05 + 3.5 * np.sqrt(0.05 * 0.95 / 100)


def test_held_out_trials_are_predicted_from_the_others():
    table = rt.scores(rt.answers(people(4)))
    for share, (_, own) in zip(rt.held_out(table), table.groupby("participant", sort=False), strict=True):
        left = {True: 0.0, False: 0.0}
        for out in np.array_split(own.index, rt.FOLDS):
            for with_it in left:
                names = [*(["readiness"] * with_it), "latency", "trial"]
                x = sm.add_constant(own[names])
                fit = sm.OLS(own["log_rt"].drop(out), x.drop(out)).fit()
                left[with_it] += ((own["log_rt"][out] - fit.predict(x.loc[out])) ** 2).sum()
        assert share == pytest.approx(1 - left[True] / left[False], rel=1e-9)


def test_what_cannot_be_tested():
    (row,) = values(people(2)).values()
    assert np.isnan(row.value) and row.note.startswith("needs response times of 3 or more participants, got 2")
    (row,) = values(synthetic.study(2)).values()
    assert row.note == "needs trial_response_time, which the recording does not hold"
    # a seed that not all participants have
    rows = list(all_metrics()["response_time"].rows([*people(4), participant(0, seed=1)]))
    assert [row.note for row in rows if row.note] == ["this seed was run for 1 of 4 participants"]
    assert {row.seed for row in rows} == {0, 1}
    same = people(3)
    same[0]["prediction"].values[:] = 0.2
    (row,) = values(same).values()
    assert row.note == "the readiness of a participant's answered trials does not vary"
    (row,) = values(people(3, trials=8)).values()
    assert row.note == "a participant answered in fewer than 10 trials"
