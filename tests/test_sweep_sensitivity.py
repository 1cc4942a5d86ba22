"""Which parameters matter: against functions whose answer is known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import small

from izhires.analysis import sensitivity
from izhires.analysis.sensitivity import analysed, draw, strongest
from izhires.errors import ConfigurationError, SimulationError
from izhires.model.configuration import parse_seeds
from izhires.sweeps.design import Sensitivity, Spec, _changed, read
from izhires.sweeps.index import Entry
from izhires.sweeps.results import SweepResults
from izhires.sweeps.sensitivity import designed, parameters

KEYS = ("when.feedback", "when.rule.rate", "state.tau_mean")
BASE = small.configuration().to_dict()


def spec(**options):
    return Spec(base=BASE, seeds="0:8", sensitivity={"parameters": KEYS, **options})


def shares(sweep):
    """Return where each point lies between the ends of each parameter, from its values."""
    changed = parameters(sweep)
    found = []
    for row in sweep.design.rows():
        ends = [(key.at(0.0), row.get(key.key, key.value), key.at(1.0)) for key in changed]
        values = [[float(str(each).partition(" ")[0]) for each in three] for three in ends]
        found.append([np.log(value / low) / np.log(high / low) for low, value, high in values])
    return np.array(found)


def answered(sweep, function, noise=0.0, seeds=8):
    """Return results in which the last error is a function of the shares, plus noise."""
    rng = np.random.default_rng(3)
    entries, rows = [], []
    for number, x in enumerate(shares(sweep)):
        for seed in range(seeds):
            entries.append(Entry(number, {}, "", "", seed, f"{number}-{seed}", "good", 1.0, 0, ""))
            value = function(*x) + noise * rng.standard_normal()
            rows.append((number, "error.last", "", seed, 0, "all events", value))
    columns = ["point", "metric", "variant", "seed", "block", "event", "value"]
    return SweepResults(pd.DataFrame(rows, columns=columns), None, entries)


# what is changed


def test_assumed_numbers_are_taken_and_others_are_not():
    found = {each.key: each for each in parameters(Spec(base=BASE, sensitivity={"parameters": ["reservoir", "when"]}))}
    assert "when.feedback" in found and "reservoir.input_next" in found and "reservoir.bias_excitatory" in found
    assert "reservoir.n" not in found  # published
    assert "reservoir.noise" not in found  # 0 in this network: no scale
    assert "reservoir.composition" not in found and "reservoir.type" not in found  # no numbers
    assert not any(key.startswith(("what.", "state.", "paradigm.")) for key in found)


def test_keys_exclusions_and_ranges():
    given = {"parameters": ["reservoir.n", "what"], "exclude": ["what.rule.drift"],
             "ranges": {"reservoir.noise": {"low": "0 mV/sqrt(ms)", "high": "1 mV/sqrt(ms)"}}}  # fmt: skip
    found = {each.key: each for each in parameters(Spec(base=BASE, sensitivity=given))}
    assert set(found) == {
        "reservoir.n",
        "reservoir.noise",
        "what.rule.fastest",
        "what.rule.slowest",
        "what.rule.threshold",
    }
    assert [found["reservoir.noise"].at(x) for x in (0, 1)] == ["0.0 mV/sqrt(ms)", "1.0 mV/sqrt(ms)"]
    with pytest.raises(ConfigurationError, match=r"'when\.rule\.rat' is no number of the configuration, did you mean"):
        parameters(Spec(base=BASE, sensitivity={"parameters": ["when.rule.rat"]}))
    with pytest.raises(ConfigurationError, match="name no assumed number"):
        parameters(Spec(base=BASE, sensitivity={"parameters": ["reservoir.noise"]}))


def test_how_far_parameters_go():
    found = {
        each.key: each for each in parameters(Spec(base=BASE, sensitivity={"parameters": ["reservoir"], "factor": 2}))
    }
    assert [found["reservoir.tau_fast"].at(x) for x in (0, 0.5, 1)] == ["2.5 ms", "5.0 ms", "10.0 ms"]
    assert [found["reservoir.groups"].at(x) for x in (0, 0.5, 1)] == [4, 8, 16]
    assert found["reservoir.delay"].at(1) == ["16.0 ms", "24.0 ms"]  # a pair goes as one


def test_the_points_of_each_kind():
    one = designed(spec(factor=2))
    assert one.design.rows() == [{}] + [
        {each.key: each.at(x)} for each in parameters(one) for x in (0.0, 1.0)]  # fmt: skip
    pytest.importorskip("SALib")
    sobol = designed(spec(kind="sobol", samples=16))
    assert len(sobol.design.rows()) == 16 * (3 + 2)
    assert all(set(row) == set(KEYS) for row in sobol.design.rows())
    assert sobol == designed(spec(kind="sobol", samples=16))
    assert designed(sobol) == sobol  # what the folder keeps makes the same points


def test_the_example_is_at_least_256_runs_that_can_be():
    found = designed(read(Path(__file__).resolve().parents[1] / "examples" / "sensitivity.toml"))
    rows, base = found.design.rows(), found.configuration()
    assert len(rows) * len(parse_seeds(found.seeds)) >= 256
    assert len({_changed(base.to_dict(), row, "") for row in rows}) == len(rows)  # each differs from all others


# what is found


def test_sobol_indices_of_a_function_with_known_ones():
    """Ishigami & Homma 1990: for a=7, b=0.1 the first-order indices are 0.314, 0.442 and 0, the total ones 0.558, 0.442
    and 0.244 (Saltelli et al. 2008, Global Sensitivity Analysis, doi 10.1002/9780470725184).
    """
    pytest.importorskip("SALib")

    def ishigami(*x):
        a, b, c = np.pi * (2 * np.array(x) - 1)
        return np.sin(a) + 7 * np.sin(b) ** 2 + 0.1 * c**4 * np.sin(a)

    sweep = designed(spec(kind="sobol", samples=2048))
    found = analysed(sweep, answered(sweep, ishigami, seeds=1))
    table = (
        found.table[found.table["claim"] == "error"]
        .set_index("parameter")
        .loc[[each.key for each in parameters(sweep)]]
    )
    np.testing.assert_allclose(table["first"], [0.314, 0.442, 0], atol=0.03)
    np.testing.assert_allclose(table["total"], [0.558, 0.442, 0.244], atol=0.03)
    assert (table["total_interval"] < 0.1).all()


def test_a_sobol_index_of_noise_alone_is_chance():
    pytest.importorskip("SALib")
    sweep = designed(spec(kind="sobol", samples=512))
    found = analysed(sweep, answered(sweep, lambda a, b, c: a, noise=1.0)).table.set_index("parameter")
    first, *others = [found.loc[each.key] for each in parameters(sweep)]
    assert 0 < first["chance"] < 1
    for each in others:
        assert each["total"] == pytest.approx(each["chance"], abs=0.12)
    assert first["total"] > first["chance"] + 0.2


def test_one_at_a_time_changes_are_paired_and_have_a_chance_level():
    sweep = designed(spec())
    found = analysed(sweep, answered(sweep, lambda a, b, c: 3 * a + 0 * b - 2 * c))
    table = found.table.set_index("parameter")
    first, second, third = (each.key for each in parameters(sweep))
    np.testing.assert_allclose(table.loc[[first, second, third], "change_low"], [-1.5, 0, 1], atol=1e-4)
    np.testing.assert_allclose(table.loc[[first, second, third], "change_high"], [1.5, 0, -1], atol=1e-4)
    noisy = analysed(sweep, answered(sweep, lambda a, b, c: 20 * a, noise=1.0))
    table = noisy.table.set_index("parameter")
    assert table["chance"].iloc[0] == pytest.approx(1.96 * 1.0 * np.sqrt(2 / 8), rel=0.25)  # the noise that was put in
    assert table.loc[first, "change_high_from"] < 10 < table.loc[first, "change_high_to"]
    assert strongest(noisy)["parameter"].iloc[0] == first


def test_chance_is_as_often_exceeded_as_it_says():
    """Of changes without effect, 5% lie outside."""
    sweep = designed(Spec(base=BASE, seeds="0:8", sensitivity={"parameters": ["reservoir", "state", "when", "what"]}))
    outside = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        index = pd.MultiIndex.from_product([range(len(sweep.design.rows())), range(8)], names=["point", "seed"])
        outcomes = pd.DataFrame({"error": rng.standard_normal(len(index))}, index=index)
        table = pd.DataFrame(sensitivity._one_at_a_time(parameters(sweep), outcomes, sweep.sensitivity))
        outside += (table["change_high"].abs() > table["chance"]).tolist()
    assert 0.02 < np.mean(outside) < 0.09


def test_what_failed_or_never_recovered_counts_as_the_worst():
    table = pd.DataFrame({"error": [0.1, np.nan, 0.3], "calibration": [0.5, 0.9, np.nan], "recovery": [4, np.inf, 2],
                          "timing": [np.nan] * 3})  # fmt: skip
    found, filled = sensitivity._filled(table)
    assert found["error"].tolist() == [0.1, 0.3, 0.3]
    assert found["calibration"].tolist() == [0.5, 0.9, 0.5]
    assert found["recovery"].tolist() == [4, 4, 2]
    assert filled == {"error": 1, "calibration": 1, "recovery": 1}


def test_the_measures_of_the_claims():
    rows = []
    for seed in (0, 1):
        for block, chances in enumerate(({"A": 0.7, "B": 0.3}, {"A": 0.2, "B": 0.8})):
            rows.append((seed, block, "all events", "error.last", 0.1 + block))
            rows.append((seed, block, "A", "error.last", 99))
            for event, p in chances.items():
                sign = 1 if seed == 0 else -1
                rows += [(seed, block, event, "amplitude", 0.5 + sign * 0.4 * p),
                         (seed, block, event, "amplitude.minus_probability", 0.5 + sign * 0.4 * p - p),
                         (seed, block, event, "peak_error.absolute", 10 * (block + 1))]  # fmt: skip
        rows.append((seed, 1, "all events", "recovery.50", np.inf if seed else 7))
    table = pd.DataFrame(rows, columns=["seed", "block", "event", "metric", "value"]).assign(point=0, variant="")
    entries = [Entry(0, {}, "", "", seed, "", "good", 1, 0, "") for seed in (0, 1, 2)]
    found = sensitivity._outcomes(SweepResults(table, None, entries)).droplevel("point")
    assert found["error"].tolist()[:2] == pytest.approx([0.6, 0.6])
    assert found["timing"].tolist()[:2] == [15, 15]
    assert found["calibration"].tolist()[:2] == pytest.approx([1, -1])
    assert found["recovery"].tolist()[:2] == [7, np.inf]
    assert found.loc[2].isna().all()  # a seed that failed


def test_missing_runs_are_refused():
    sweep = designed(spec())
    found = answered(sweep, lambda a, b, c: a)
    found.entries[0] = Entry(0, {}, "", "", 0, "0-0", "missing", 1.0, 0, "")
    with pytest.raises(SimulationError, match="1 of 56 runs are missing"):
        analysed(sweep, found)


@pytest.mark.parametrize("kind", ["one-at-a-time", "sobol"])
def test_the_figure_shows_each_parameter_of_each_claim(kind):
    if kind == "sobol":
        pytest.importorskip("SALib")
    sweep = designed(spec(kind=kind, samples=8))
    made = draw(analysed(sweep, answered(sweep, lambda a, b, c: a - b, noise=0.2)))
    (axes,) = made.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [each.key for each in parameters(sweep)]
    assert axes.get_title() == "last error"
    assert len(made.legends) == 1


@pytest.mark.parametrize("kind", ["one-at-a-time", "sobol"])
def test_the_command(kind, tmp_path, command_line):
    """From a file to a table and a figure; the second time without a run."""
    if kind == "sobol":
        pytest.importorskip("SALib")
    tiny = Spec(base=BASE, seeds="0:2", sensitivity=Sensitivity(kind=kind, parameters=KEYS[:1], samples=2))
    (tmp_path / "it.toml").write_text(tiny.to_toml(), encoding="utf-8")
    out = tmp_path / "out"
    for arguments in ((tmp_path / "it.toml",), ()):
        code, said = command_line("sensitivity", *arguments, "--out", out, "--processes", "2")
        assert (code, said.err) == (0, "")
        assert said.out.splitlines()[:2] == ["1 parameter: when.feedback", str(out / "sensitivity.csv")]
    runs = {"one-at-a-time": 3, "sobol": 6}[kind] * 2
    assert 0 < len(list(out.glob("*.nc"))) <= runs
    table = pd.read_csv(out / "sensitivity.csv")
    assert set(table["parameter"]) == {"when.feedback"}
    assert (out / "sensitivity.pdf").stat().st_size > 5000
    assert (out / "sensitivity.png").stat().st_size > 5000
