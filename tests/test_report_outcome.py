"""The sentences with which a report tells what came out, from tables made by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from izhires.analysis.metrics.base import ALL_EVENTS
from izhires.analysis.report.outcome import came_out, compared_out, of_seeds
from izhires.analysis.table import COLUMNS


def table(**metrics):
    """A tidy table: name with ``__`` for the dot -> value of each seed, in block 0 and for all events."""
    rows = [
        (name.replace("__", "."), "", seed, 0, ALL_EVENTS, value, "1", "")
        for name, values in metrics.items()
        for seed, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


GOOD = {
    "error__last": [0.01, 0.02, 0.03],
    "error_zero_output": [0.14, 0.14, 0.14],
    "peak_error__absolute": [4.0, 6.0, 5.0],
    "amplitude__minus_probability": [0.05, -0.05, 0.02],
    "recovery__75": [9.0, 10.0, 11.0],
    "observer_error__network": [0.03, 0.04, 0.05],
    "observer_error__bayes": [0.02, 0.03, 0.04],
}


def test_a_run_that_learned():
    learned, predicted, compared = came_out(table(**GOOD))
    assert learned == (
        "All 3 networks learned what to expect: at the end of a block their predictions are off by 0.02 "
        "(root mean square error), where predicting nothing is off by 0.14."
    )
    # signs do not cancel
    assert predicted == (
        "The largest prediction of an event lies 5 ms from its latency, and its amplitude is 0.04 from the event's "
        "probability (means over events and blocks)."
    )
    assert compared == (
        "75% of the error is gone 10 trials after a switch; over all probes the error is 0.04, worse than the 0.03 of "
        "an exact Bayesian observer of the same trials who is not told of switches."
    )


def test_a_run_that_failed_says_so():
    bad = GOOD | {
        "error__last": [0.14, 0.15, 0.13],
        "recovery__75": [np.inf, np.inf, 30.0],
        "observer_error__network": [0.14, 0.13, 0.02],
    }
    learned, _, compared = came_out(table(**bad))
    assert learned.startswith("None of 3 networks learned anything: at the end of a block their predictions are off")
    assert compared.startswith("75% of the error is gone 30 trials after a switch, in 2 of 3 cases it never is; ")
    assert "the error is 0.0967, not clearly different from the 0.03 of an exact" in compared
    never = came_out(table(**bad | {"recovery__75": [np.inf] * 3}))[2]
    assert never.startswith("75% of the error is never gone after a switch; ")
    mixed = came_out(table(**GOOD | {"error__last": [0.01, 0.1, 0.13]}))[0]
    assert mixed.startswith("1 of 3 networks learned what to expect: ") and mixed.endswith(
        "(learned: below 0.5 of that)."
    )


def test_one_seed_has_no_interval():
    one = came_out(table(**{name: values[:1] for name, values in GOOD.items()}))
    assert one[0].startswith("The network learned what to expect: at the end of a block its prediction is off by 0.01")
    assert "the error is 0.03, beside the 0.02 of an exact Bayesian observer" in one[2]
    part = came_out(table(error__last=[0.1], error_zero_output=[0.14]))
    assert part[0].startswith("The network learned in part: ")


def test_what_is_not_known_is_said_with_its_reason():
    rows = [("error.first", "", 0, None, "", np.nan, "1", "needs probes, and the recording holds none")]
    learned, predicted, compared = came_out(pd.DataFrame(rows, columns=list(COLUMNS)))
    assert learned == (
        "Whether it was learned cannot be said: no error could be computed "
        "(needs probes, and the recording holds none)."
    )
    assert predicted == "Nothing can be said of when and how likely events are expected."
    assert compared == "No exact observer and no switch stands beside it."


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ({"better_choices": [0.8], "better_choices__chance": [0.5], "better_choices__bayes": [0.9]},
         "The better arm is chosen in 80% of the trials, by chance in 50%, a learner that infers the block in 90%."),
        ({"interval_reproduction__slope": [0.1], "interval_reproduction__slope_chance": [0.2]},
         "rises by 0.1 ms with each ms that was heard, no more than the 0.2 that 95% of shuffles stay below"),
        ({"foreperiod__within_probability": [0.9], "foreperiod__within_survivor": [-0.2]},
         "correlates by 0.9 with the probability of the event and by \u22120.2 with its hazard"),
        ({"mismatch__minus_standard": [0.5], "mismatch__minus_control": [0.1]},
         "differs by 0.5 from that to standards, and by 0.1 from that to the same stimulus where it is no deviant."),
        ({"conditioning__cs": [0.8], "conditioning__us": [0.1], "conditioning__omission": [-0.6]},
         "is 0.8 to the CS and 0.1 to the US, and \u22120.6 where it is left out"),
    ],
)  # fmt: skip
def test_tasks_with_measures_of_their_own_are_told_by_these(metrics, words):
    assert words in came_out(table(**GOOD | metrics))[1]


def test_values_are_of_seeds_and_of_all_events_where_there_are_any():
    rows = table(**{"error__last": [1.0, 3.0]})
    more = rows.assign(block=1, value=[3.0, 5.0])
    single = rows.assign(event="A", value=100.0)
    assert of_seeds(pd.concat([rows, more, single]), "error.last").to_list() == [2, 4]
    assert of_seeds(pd.concat([single, single.assign(event="B", value=7.0)]), "error.last", first=True).to_list() == [
        100, 100,
    ]  # fmt: skip


def test_several_studies_and_their_claims():
    def errors(*values, seeds=(0, 1, 2)):
        return pd.Series(values, list(seeds))

    compared = {
        "default": errors(0.02, 0.03, 0.02),
        "no_gate": errors(0.10, 0.12, 0.11),
        "merged": errors(0.01, 0.02, 0.01),  # less by the same in every seed
        "jittered": errors(0.01, 0.05, 0.03),
        "elsewhere": errors(0.5, 0.6, 0.7, seeds=(7, 8, 9)),  # no seed in common: not compared
        "bare": pd.Series(dtype=float),
    }
    verdicts = [{"verdict": "reproduced"}, {"verdict": "reproduced"}, {"verdict": "refuted"}]
    said = compared_out(compared, verdicts)
    low, high = stats.t.interval(0.95, 2, 0.26 / 3, np.std([0.08, 0.09, 0.09], ddof=1) / 3**0.5)
    assert said == [
        "Of 5 studies, merged has the least error at the end of a block (0.0133, root mean square) and elsewhere the "
        "largest (0.6).",
        f"Seed by seed (n = 3, 95% t-interval of the difference) the error against default is larger in no_gate by "
        f"0.0867 [{low:.3g}, {high:.3g}]; smaller in merged by \u22120.01 [\u22120.01, \u22120.01]; not clearly "
        "different in jittered.",
        "Of 3 claims: 2 reproduced, 1 refuted.",
    ]
    assert compared_out({"bare": pd.Series(dtype=float)}, []) == ["No error could be computed in any study."]
    assert len(compared_out({"one": errors(0.1, seeds=[0]), "two": errors(0.2, seeds=[0])}, [])) == 1  # no interval
