"""What came out, in three sentences that are made of the numbers: whether it was learned, what it is, against whom."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from izhires.analysis.metrics.base import ALL_EVENTS
from izhires.analysis.statistics import paired, t_interval

LEARNED = 0.5
"""Share of the error of predicting nothing below which a network is said to have learned."""
NOT_LEARNED = 0.9
"""Share from which on it is said to have learned nothing."""


def number(value: Any) -> str:
    """Return a number with three digits, empty when there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and math.isinf(value):
        return "never" if value > 0 else "\u2212\u221e"
    text = f"{value:.3g}"
    if "e" in text:
        mantissa, power = text.split("e")
        text = f"{mantissa}\u00d710^{int(power)}" if abs(int(power)) > 4 else f"{value:.0f}"
    return text.replace("-", "\u2212")


def of_seeds(table: pd.DataFrame, name: str, first: bool = False) -> pd.Series:
    """Return one value a seed: the mean over blocks, variants and events, of all events together where there is that.

    Parameters
    ----------
    table : pandas.DataFrame
        From `izhires.analysis.analyse`.
    name : str
        Metric or part of one.
    first : bool
        Of the first event alone, where the mean over events would mean nothing.
    """
    own = table[(table["metric"] == name) & table["value"].notna()]
    together = own[own["event"] == ALL_EVENTS]
    own = together if len(together) else own
    if first and len(own):
        own = own[own["event"] == own["event"].iloc[0]]
    return own.groupby(own["seed"].astype(object).where(own["seed"].notna(), "all"))["value"].mean()


def came_out(table: pd.DataFrame) -> list[str]:
    """Return three sentences about a run: whether it learned, what its predictions are, and how they compare.

    Parameters
    ----------
    table : pandas.DataFrame
        From `izhires.analysis.analyse`. What it does not hold is said to be unknown, with the reason that it gives.
    """
    return [_learned(table), _predictions(table), _compared(table)]


def _reason(table: pd.DataFrame, metric: str) -> str:
    own = table[table["metric"].str.partition(".")[0] == metric]
    notes = [note for note in own["note"].fillna("") if note]
    return f" ({notes[0]})" if notes else ""


def _learned(table: pd.DataFrame) -> str:
    error, nothing = of_seeds(table, "error.last"), of_seeds(table, "error_zero_output")
    seeds = error.index.intersection(nothing.index)
    if not len(seeds):
        return f"Whether it was learned cannot be said: no error could be computed{_reason(table, 'error')}."
    share = error[seeds] / nothing[seeds]
    done = int((share < LEARNED).sum())
    networks = "the network" if len(seeds) == 1 else f"all {len(seeds)} networks"
    if done == len(seeds):
        what = f"{networks} learned what to expect"
    elif (share >= NOT_LEARNED).all():
        what = "the network learned nothing" if len(seeds) == 1 else f"none of {len(seeds)} networks learned anything"
    elif len(seeds) == 1:
        what = "the network learned in part"
    else:
        what = f"{done} of {len(seeds)} networks learned what to expect"
    whose = "its prediction is" if len(seeds) == 1 else "their predictions are"
    said = (
        f"{what}: at the end of a block {whose} off by {number(float(error[seeds].mean()))} (root mean square error), "
        f"where predicting nothing is off by {number(float(nothing[seeds].mean()))}"
    )
    # the rule is told where it decides
    return said[0].upper() + said[1:] + (f" (learned: below {LEARNED:g} of that)." if 0 < done < len(seeds) else ".")


def _predictions(table: pd.DataFrame) -> str:
    """Return the sentence about the predictions: that of the task where it has measures of its own."""
    for of_task in (_choices, _intervals, _foreperiods, _streams, _conditioning):
        said = of_task(table)
        if said:
            return said
    peak = of_seeds(table, "peak_error.absolute")
    size = of_seeds(table.assign(value=table["value"].abs()), "amplitude.minus_probability")
    parts = []
    if len(peak):
        parts.append(f"the largest prediction of an event lies {number(float(peak.mean()))} ms from its latency")
    if len(size):
        parts.append(f"its amplitude is {number(float(size.mean()))} from the event's probability")
    if not parts:
        return f"Nothing can be said of when and how likely events are expected{_reason(table, 'peak_error')}."
    said = ", and ".join(parts)
    return f"{said[0].upper()}{said[1:]} (means over events and blocks)."


def _choices(table: pd.DataFrame) -> str:
    better, chance, best = (of_seeds(table, f"better_choices{part}") for part in ("", ".chance", ".bayes"))
    if not len(better) or not len(chance):
        return ""
    beside = f", a learner that infers the block in {_percent(best)}" if len(best) else ""
    return f"The better arm is chosen in {_percent(better)} of the trials, by chance in {_percent(chance)}{beside}."


def _intervals(table: pd.DataFrame) -> str:
    slope, chance = (of_seeds(table, f"interval_reproduction.{part}") for part in ("slope", "slope_chance"))
    if not len(slope) or not len(chance):
        return ""
    beyond = "more" if slope.mean() > chance.mean() else "no more"
    return (
        f"What is produced rises by {number(float(slope.mean()))} ms with each ms that was heard, {beyond} than the "
        f"{number(float(chance.mean()))} that 95% of shuffles stay below; 1 reproduces the interval, 0 ignores it."
    )


def _foreperiods(table: pd.DataFrame) -> str:
    chance, hazard = (of_seeds(table, f"foreperiod.within_{part}") for part in ("probability", "survivor"))
    if not len(chance) or not len(hazard):
        return ""
    return (
        f"Between the first latency and the last, the course of the prediction correlates by "
        f"{number(float(chance.mean()))} with the probability of the event and by {number(float(hazard.mean()))} "
        f"with its hazard (0: no relation)."
    )


def _streams(table: pd.DataFrame) -> str:
    deviant, control = (of_seeds(table, f"mismatch.minus_{part}") for part in ("standard", "control"))
    if not len(deviant):
        return ""
    beside = (
        f", and by {number(float(control.mean()))} from that to the same stimulus where it is no deviant"
        if len(control)
        else ""
    )
    return f"The response to deviants differs by {number(float(deviant.mean()))} from that to standards{beside}."


def _conditioning(table: pd.DataFrame) -> str:
    cue, reward, omitted = (of_seeds(table, f"conditioning.{part}") for part in ("cs", "us", "omission"))
    if not len(cue) or not len(reward):
        return ""
    beside = f", and {number(float(omitted.mean()))} where it is left out" if len(omitted) else ""
    return (
        f"After learning the response is {number(float(cue.mean()))} to the CS and {number(float(reward.mean()))} to "
        f"the US{beside}, in units of an unexpected US, over all designs and phases."
    )


def _percent(values: pd.Series) -> str:
    return f"{100 * float(values.mean()):.0f}%"


def _compared(table: pd.DataFrame) -> str:
    """Return the sentence about switches, and about the exact observer who sees the same trials."""
    trials = table[(table["metric"] == "recovery.75") & (table["event"] == ALL_EVENTS)]["value"].dropna()
    own, exact = of_seeds(table, "observer_error.network"), of_seeds(table, "observer_error.bayes")
    parts = []
    if len(trials):
        found = trials[np.isfinite(trials)]
        never = len(trials) - len(found)
        after = f"75% of the error is gone {number(float(found.mean()))} trials after a switch" if len(found) else ""
        lost = f"in {never} of {len(trials)} cases it never is" if never and len(found) else ""
        parts.append(", ".join(filter(None, (after, lost))) or "75% of the error is never gone after a switch")
    seeds = own.index.intersection(exact.index)
    if len(seeds):
        parts.append(_beside_the_observer(own[seeds], exact[seeds]))
    if not parts:
        return f"No exact observer and no switch stands beside it{_reason(table, 'observer_error')}."
    said = "; ".join(parts)
    return f"{said[0].upper()}{said[1:]}."


def _beside_the_observer(own: pd.Series, exact: pd.Series) -> str:
    _, low, high = t_interval((own - exact).to_numpy(float))
    if low > 0:
        verdict = "worse than"
    elif high < 0:
        verdict = "better than"
    else:
        verdict = "beside" if np.isnan(low) else "not clearly different from"
    return (
        f"over all probes the error is {number(float(own.mean()))}, {verdict} the {number(float(exact.mean()))} of an "
        f"exact Bayesian observer of the same trials who is not told of switches"
    )


def _beside_the_first(errors: Mapping[str, pd.Series]) -> list[str]:
    """Return how the error of each study differs from that of the first, on the seeds that both have."""
    first, *others = errors
    found: dict[str, list[str]] = {"larger in": [], "smaller in": [], "not clearly different in": []}
    fewest = len(errors[first])
    for name in others:
        mean, low, high, seeds = paired(errors[name], errors[first])
        if np.isnan(low):  # fewer than two seeds in common
            continue
        fewest = min(fewest, seeds)
        verdict = "larger in" if low > 0 else "smaller in" if high < 0 else "not clearly different in"
        by = f" by {number(mean)} [{number(low)}, {number(high)}]" if low > 0 or high < 0 else ""
        found[verdict].append(f"{name}{by}")
    parts = [
        f"{verdict} {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}"
        for verdict, names in found.items()
        if names
    ]
    how = f"Seed by seed (n = {fewest}, 95% t-interval of the difference)"
    return [f"{how} the error against {first} is {'; '.join(parts)}."] if parts else []


def compared_out(errors: Mapping[str, pd.Series], claims: Sequence[dict[str, Any]]) -> list[str]:
    """Return the sentences about several studies: whose error is least, how others differ from the first, verdicts.

    Parameters
    ----------
    errors : dict of str to pandas.Series
        Error at the end of a block of each study, by seed. The same seeds have the same trials where the task is the
        same, so studies are compared seed by seed.
    claims : sequence of dict
        Rows of the table of claims.
    """
    errors = {name: each.dropna() for name, each in errors.items() if each.notna().any()}
    said = []
    if errors:
        mean = {name: float(each.mean()) for name, each in errors.items()}
        least, most = min(mean, key=lambda name: mean[name]), max(mean, key=lambda name: mean[name])
        said.append(
            f"Of {len(mean)} studies, {least} has the least error at the end of a block "
            f"({number(mean[least])}, root mean square) and {most} the largest ({number(mean[most])})."
        )
        said += _beside_the_first(errors)
    else:
        said.append("No error could be computed in any study.")
    verdicts = pd.Series([str(row["verdict"]) for row in claims], dtype=str).value_counts()
    if len(verdicts):
        parts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
        said.append(f"Of {int(verdicts.sum())} claims: {parts}.")
    return said
