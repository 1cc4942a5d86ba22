"""The recurrence experiment: every network is searched alike, what was run is kept, and a point is numbers alone."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

EXAMPLE = runpy.run_path(str(Path(__file__).resolve().parents[1] / "examples" / "recurrence.py"), run_name="recurrence")
Candidate, Knob, Log, SPACE = (EXAMPLE[name] for name in ("Candidate", "Knob", "Log", "SPACE"))


@pytest.mark.parametrize("log", [False, True])
def test_a_knob_and_back(log):
    knob = Knob(2.0, 8.0, "", log)
    assert (knob.at(0), knob.at(1)) == (2.0, 8.0)
    assert knob.at(0.5) == pytest.approx(4 if log else 5)
    assert knob.share(knob.at(0.3)) == pytest.approx(0.3)
    assert (knob.share(1.0), knob.share(9.0)) == (0.0, 1.0)


def test_a_point_changes_numbers_and_no_text():
    """Where it says the same as the known point, it is that point; else each number is what it says."""
    base = EXAMPLE["drawn"]("random", 0, 0, (300, 600))
    shares = dict(zip(SPACE, EXAMPLE["place"]("random", 0), strict=True))

    def changed(**more):
        return EXAMPLE["changed"](base, Candidate(1, 0, tuple((shares | more).values())).knobs())

    same = changed()
    assert same.plan is base.plan
    for name, values in base.arrays.items():
        np.testing.assert_allclose(same.arrays[name], values, rtol=1e-12, err_msg=name)
    other = changed(cue_all=1.0, cue_one=0.0, cue_other=0.5, bias=1.0, gain=1.0, noise=1.0, adaptation=1.0, rate=1.0)
    excitatory = base.configuration.reservoir.excitatory()
    cue = other.arrays["state.cue_weight"]
    assert cue.min() >= -60 and cue.max() <= -15 and np.ptp(cue) > 40
    np.testing.assert_allclose((other.arrays["state.bias"] - base.arrays["state.bias"]), 2.0 * excitatory, atol=1e-9)
    np.testing.assert_allclose(other.arrays["excitation.w"], 2 * base.arrays["excitation.w"])
    np.testing.assert_allclose(other.arrays["inhibition.w"], 2 * base.arrays["inhibition.w"])
    np.testing.assert_allclose(other.arrays["cells.a"][excitatory], base.arrays["cells.a"][excitatory] / 2)
    np.testing.assert_allclose(other.arrays["cells.a"][~excitatory], base.arrays["cells.a"][~excitatory])
    assert other.arrays["cells.noise"] == pytest.approx(0.5e-3 / np.sqrt(1e-3))
    assert other.arrays["when.rate"] == pytest.approx(0.04 / 1e-3)
    # cells of canonical time constants keep them
    canonical = EXAMPLE["drawn"]("canonical", 0, 0, (300, 600))
    knobs = Candidate(1, 0, tuple((shares | {"adaptation": 1.0}).values())).knobs()
    assert np.array_equal(EXAMPLE["changed"](canonical, knobs).arrays["cells.a"], canonical.arrays["cells.a"])


@pytest.fixture
def pretended(monkeypatch):
    """Runs that cost nothing: the error of a point is its distance from one that is best."""
    best, ran = np.full(len(SPACE), 0.4), []

    def mean_error(self, network, purpose, candidate, seed, latencies):
        ran.append((network, purpose, candidate.number, seed, latencies))
        return float(np.linalg.norm(np.array(candidate.shares or (0.5,) * len(SPACE)) - best))

    monkeypatch.setattr(Log, "run", mean_error)
    monkeypatch.setitem(EXAMPLE["place"].__globals__, "place", lambda network, start: (0.5,) * len(SPACE))
    return ran


def test_every_network_is_searched_alike(pretended, tmp_path):
    log, counts = Log(tmp_path / "runs.csv"), {}
    for network in EXAMPLE["NETWORKS"]:
        pretended.clear()
        best = EXAMPLE["search"](network, log)
        counts[network] = len(set(pretended))
        assert {purpose for _, purpose, *_ in pretended} == {"search"}
        assert {pair for *_, pair in pretended} == set(EXAMPLE["TUNED_ON"])
        assert max(seed for *_, seed, _ in pretended) < 10
        assert best.number in {number for _, _, number, *_ in pretended}
    starts, near, finalists = (EXAMPLE[name] for name in ("STARTS", "NEAR", "FINALISTS"))
    assert set(counts.values()) == {2 * (starts + near + finalists)}
    assert not set(EXAMPLE["TUNED_ON"]) & set(EXAMPLE["JUDGED_ON"])


def test_what_was_run_is_not_run_again(monkeypatch, tmp_path):
    ran = []

    def simulate_together(networks):
        ran.append(networks)
        if len(ran) == 2:
            return [EXAMPLE["SimulationError"]("the network is silent")]
        target = np.ones((6, 1, 4))
        error = np.array([0.5, *[0.1] * 5]).reshape(6, 1, 1)
        from xarray import DataArray

        dims = ("probe", "event", "time")
        return [{"prediction": DataArray(target - error, dims=dims), "expectation": DataArray(target, dims=dims)}]

    space = Log.run.__globals__
    monkeypatch.setitem(space, "simulate_together", simulate_together)
    monkeypatch.setitem(space, "drawn", lambda *given: SimpleNamespace(arrays={}))
    log = Log(tmp_path / "runs.csv")
    assert log.run("random", "search", Candidate(0), 0, (300, 600)) == pytest.approx(0.1)
    assert log.run("random", "search", Candidate(1), 0, (300, 600)) == 1.0
    again = Log(tmp_path / "runs.csv")
    assert again.run("random", "search", Candidate(0), 0, (300, 600)) == pytest.approx(0.1)
    assert again.run("random", "search", Candidate(1), 0, (300, 600)) == 1.0
    assert len(ran) == 2
    rows = pd.read_csv(tmp_path / "runs.csv")
    assert rows["problem"].fillna("").tolist() == ["", "the network is silent"]
    assert rows["first"].tolist()[0] == pytest.approx(0.5)


def test_the_table_and_the_figure(tmp_path):
    rng = np.random.default_rng(0)
    rows = [(name, seed, *rng.uniform(0.1, 0.9, 3)) for name in EXAMPLE["NETWORKS"] for seed in (300, 301, 302)]
    found = pd.DataFrame(rows, columns=["network", "seed", "over nothing", "ratio 50/1", "error"])
    found.loc[found["network"] == "canonical", "over nothing"] = 0.2
    found.loc[found["network"] == "canonical, cut", "over nothing"] = 0.1
    table, words = EXAMPLE["compared"](found), EXAMPLE["beside"](found)
    assert "| canonical | 0.2 [0.2, 0.2], worst 0.2 |" in table
    assert len(table.splitlines()) == 2 + len(EXAMPLE["NETWORKS"])
    assert "- canonical / canonical, cut: 2 [2, 2]" in words
    EXAMPLE["show"](found, tmp_path)
    assert (tmp_path / "recurrence.png").stat().st_size > 10_000
