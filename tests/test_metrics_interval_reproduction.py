import numpy as np
import pytest
import synthetic
from synthetic import REPRODUCED, reproduction

from izhires.analysis import analyse, make_figures
from izhires.analysis.metrics.interval_reproduction import (
    OBSERVERS,
    Observer,
    estimate,
    fit,
    log_likelihood,
    mean_produced,
    measures,
    productions,
    read_times,
    slope,
)
from izhires.analysis.selection import by_cue

PRIOR = np.array(REPRODUCED)


def parts(recordings):
    table = analyse(recordings, only=["interval_reproduction"])
    return table.assign(part=table["metric"].str.partition(".")[2])


def test_readings_of_curves_by_hand():
    times = np.arange(1000.0)
    bump = np.exp(-((times - 400) ** 2) / (2 * 40**2))
    low = 0.5 * np.exp(-((times - 700) ** 2) / (2 * 40**2))
    found = read_times(np.stack([bump, bump + low, 0 * bump, bump + 5 * (times == 100)]), times, 40)
    assert found["peak"][[0, 1, 3]].tolist() == [400, 400, 400]  # a single sample does not decide
    # the filter makes the bump wider: sqrt(2)*40 ms, half of its height sqrt(2 log 2)*57 ms before it
    assert found["rise"][0] == np.ceil(400 - np.sqrt(2 * np.log(2)) * np.sqrt(2) * 40)
    np.testing.assert_allclose(found["centre"][:2], [400, 500], atol=1e-6)
    assert all(np.isnan(each[2]) for each in found.values())


def test_measures_by_hand():
    interval = np.repeat([500.0, 600.0, 700.0], 2)
    produced = np.array([540, 560, 590, 630, 650, 670.0])  # means 550, 610, 660
    found = measures(interval, produced)
    assert found["slope"] == pytest.approx(110 / 200)
    assert found["offset"] == pytest.approx((50 + 10 - 40) / 3)
    assert found["bias"] == pytest.approx(np.sqrt((50**2 + 10**2 + 40**2) / 3))
    spread = np.array([20, 40, 20]) / np.sqrt(2)
    assert found["deviation"] == pytest.approx(np.sqrt(np.mean(spread**2)))
    assert found["scalar"] == pytest.approx(0)
    mean_square = (40**2 + 60**2 + 10**2 + 30**2 + 50**2 + 30**2) / 6
    assert found["error"] == pytest.approx(np.sqrt(mean_square) / np.std([500, 600, 700]))
    assert found["slope_p"] > 1 / 10_001


def test_the_prior_mean_has_an_error_of_one_and_no_slope():
    found = measures(np.repeat(PRIOR, 3), np.full(21, PRIOR.mean()))
    assert (found["error"], found["slope"], found["slope_p"]) == (pytest.approx(1), 0, 1)


def test_slopes_of_shuffles_lie_around_zero():
    interval = np.repeat(PRIOR, 5)
    found, chance = slope(interval, 0.5 * interval + 300, 4000)
    assert found == pytest.approx(0.5)
    # variance of the slope under permutation: var(y) / ((n - 1) var(x)) = slope^2 / (n - 1)
    assert chance.std() == pytest.approx(0.5 / np.sqrt(34), rel=0.05)
    assert abs(chance.mean()) < 5 * chance.std() / np.sqrt(4000)


def test_estimates_of_two_intervals_by_hand():
    w, m = 0.1, 550.0
    at_500, at_600 = (np.exp(-((m - t) ** 2) / (2 * (w * t) ** 2)) / (w * t) for t in (500, 600))
    expected = (500 * at_500 + 600 * at_600) / (at_500 + at_600)
    two = np.array([500.0, 600.0])
    assert estimate("least_squares", np.array([m]), w, two)[0] == pytest.approx(expected)
    # sure of its measurement: the interval that is nearest; unsure: between the two
    np.testing.assert_allclose(estimate("least_squares", np.array([510.0, 590.0]), 0.005, two), [500, 600], atol=1e-3)
    assert estimate("mean", np.array([m]), w, two)[0] == 550


def test_the_likelihood_is_highest_at_its_estimate():
    m, w = 700.0, 0.15
    t = np.linspace(400, 1000, 600_001)
    best = t[np.argmax(-np.log(w * t) - (m - t) ** 2 / (2 * (w * t) ** 2))]
    assert estimate("likelihood", np.array([m]), w, PRIOR)[0] == pytest.approx(best, abs=2e-3)


@pytest.mark.parametrize("kind", OBSERVERS)
@pytest.mark.parametrize("w", [0.05, 0.2])
def test_quadrature_over_measurements(kind, w):
    observer = Observer(kind, w, 0.07, 12.0)
    at, produced = PRIOR[2], 640.0
    m = np.linspace(1.0, 2500, 200_001)
    chance = np.exp(-((m - at) ** 2) / (2 * (w * at) ** 2)) / (np.sqrt(2 * np.pi) * w * at)
    guess = estimate(kind, m, w, PRIOR)
    mean = np.trapezoid(chance * guess, m) + 12
    density = np.exp(-((produced - guess - 12) ** 2) / (2 * (0.07 * guess) ** 2)) / (np.sqrt(2 * np.pi) * 0.07 * guess)
    log = np.log(np.trapezoid(chance * density, m))
    assert mean_produced(observer, np.array([at]), PRIOR)[0] == pytest.approx(mean, abs=0.05)
    assert log_likelihood(observer, np.array([at]), np.array([produced]), PRIOR) == pytest.approx(log, abs=2e-3)


@pytest.mark.parametrize("kind", OBSERVERS)
def test_the_observer_that_produced_them_fits_best(kind):
    rng = np.random.default_rng(0)
    interval = np.repeat(PRIOR, 60)
    guess = estimate(kind, interval * (1 + 0.1 * rng.standard_normal(len(interval))), 0.1, PRIOR)
    produced = guess * (1 + 0.05 * rng.standard_normal(len(interval))) + 20
    fitted = {each: fit(each, interval, produced, PRIOR) for each in OBSERVERS}
    best = fitted[kind]
    assert best.offset == pytest.approx(20, abs=12)
    if kind == "least_squares":
        assert (best.w_measure, best.w_produce) == (pytest.approx(0.1, abs=0.02), pytest.approx(0.05, abs=0.02))
    elif kind == "likelihood":  # both make the spread grow in proportion: one cannot be told from the other
        assert np.hypot(best.w_measure, best.w_produce) == pytest.approx(np.hypot(0.1, 0.05), abs=0.02)
    else:
        assert best.w_produce == pytest.approx(0.05, abs=0.02)
    # one that believes next to nothing of its measurement produces the mean, too, at the cost of a parameter
    assert min(fitted.values(), key=lambda each: each.information_criterion).kind == kind


def test_a_network_that_regresses_to_the_mean():
    study = [
        reproduction(lambda t, rng: 650 + 0.6 * (t - 650) + 15 * rng.standard_normal(), seed=seed) for seed in (0, 1)
    ]
    found = productions(study)
    assert len(found) == 2 * 4 * 7  # the probes before learning do not count
    assert set(found["prior"]) == {"mine"} and set(found["interval"]) == set(PRIOR)
    table = parts(study)
    assert set(table["variant"]) == {"mine"} and set(table["seed"]) == {0, 1} and set(table["event"]) == {"go"}
    value = table.groupby("part")["value"].mean()
    assert value["slope"] == pytest.approx(0.6, abs=0.1)
    assert value["slope_centre"] == pytest.approx(0.6, abs=0.1)
    assert value["deviation"] == pytest.approx(15, rel=0.3)
    assert value["slope_chance"] < 0.4 and value["over_mean"] > 10 and value["silent"] == 0


def test_a_network_that_produces_the_mean_whatever_it_heard():
    value = parts([reproduction(lambda t, rng: 650 + 20 * rng.standard_normal())]).groupby("part")["value"].mean()
    assert abs(value["slope"]) < 2 * value["slope_chance"] and value["over_mean"] < 2
    assert value["error"] == pytest.approx(1, abs=0.15)


def test_each_prior_is_measured_on_its_own_and_drawn(tmp_path):
    lower, upper = PRIOR[:4], PRIOR[3:]
    study = [
        reproduction(lambda t, rng, mean=mean: mean + 0.5 * (t - mean), variant, intervals=own)
        for variant, own, mean in (("upper", upper, upper.mean()), ("lower", lower, lower.mean()))
    ]
    found = productions(study).groupby(["prior", "interval"])["peak"].mean()
    # the same interval, 650 ms, is produced longer under the prior of longer ones
    assert found["lower", 650] < 650 < found["upper", 650]
    slopes = parts(study).query("part == 'slope'").set_index("variant")["value"]
    np.testing.assert_allclose(slopes, 0.5, atol=0.02)
    made = make_figures(by_cue(study), tmp_path, only=["interval_reproduction"])
    assert not made.skipped and (tmp_path / "interval_reproduction.png").stat().st_size > 10_000
    text = (tmp_path / "interval_reproduction_produced.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in text[1:]] == ["lower"] * 4 + ["upper"] * 4


def test_what_cannot_be_measured_is_said():
    table = analyse([synthetic.recording()], only=["interval_reproduction"])
    assert table["note"].tolist() == ["needs input_channel, which the recording does not hold"]
    silent = reproduction(lambda t, rng: t)
    silent["prediction"] = 0 * silent["prediction"]
    table = parts([silent])
    assert table["note"].tolist()[0] == "nothing is predicted after set, hence nothing produced"
    assert table.set_index("part")["value"]["silent"] == 1
    other = reproduction(lambda t, rng: t)
    other["input_channel"] = ("input", np.full(other.sizes["input"], "tone"))
    assert parts([other])["note"].tolist()[0].startswith("needs the inputs ready and set")
