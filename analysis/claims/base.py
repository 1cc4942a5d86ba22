"""How a claim is declared and judged.

A claim is measured in every seed by its function, which gives the claimed quantity, that of a control that could win,
and what its tests need. Each test compares the mean of a quantity over seeds with a limit, by Student's t, two-sided;
correlations as Fisher's z. All tests of all claims that are judged together are one family: their p are adjusted by
Holm's method, and a test is decided when its adjusted p is below .05:

- it holds when it is decided and the mean lies on the claimed side of the limit,
- it fails when it is decided and the mean lies on the other side,
- it is open otherwise.

A claim is "supported" when all its tests hold, "contradicted" when one fails, "inconclusive" otherwise. "X is needed"
and "X is enough" have one margin, 0.05 of the error of predicting nothing (assumed): needed, when without X the error
exceeds the model's by more than the margin; not needed, when by less; enough, when with X alone it exceeds the model's
by less, and not enough, when by more. For probabilities and shares the same margin is 0.05 of their range, 1. What
"holds by construction" is true of every network that runs at all: it says that the program is right, and nothing of a
reservoir.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from izhires.analysis.declared import Registry, Unavailable
from izhires.analysis.statistics import ANY, POSITIVE, Range, fisher_z, holm, t_interval, t_p
from izhires.declare import PAPER
from izhires.errors import ConfigurationError, closest
from izhires.recordings.bounds import LAST

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from izhires.analysis.observers import ObservedTask

Runs = Mapping[str, "Sequence[xr.Dataset]"]
"""Recordings of one seed by study: one, or one a variant."""

Verdict = Literal["supported", "contradicted", "inconclusive", "too few seeds", "not run"]

MARGIN = 0.05
"""Margin of equivalence, as a fraction of the error of predicting nothing; of probabilities and shares, of their range.
Assumed: a twentieth. The table says which verdicts half of it and twice of it would change."""

DECIDED = 0.05
"""Adjusted p below which a test is decided. The usual level."""


ROUNDING = 1e-9
"""By so much a quantity may leave its range; its interval would else be moved to the bound, and nothing said."""


def errors(*beside: str) -> dict[str, Range]:
    """Return the ranges of a claim whose quantities "ours", "control" and some more are errors, or shares of them."""
    return dict.fromkeys(("ours", "control", *beside), POSITIVE)


@dataclass(frozen=True)
class Criterion:
    """One comparison that a claim makes.

    Parameters
    ----------
    text : str
        What is compared, in words.
    sign : {"<", ">"}
        The claimed side of the limit.
    limit : float
    correlation : bool
        Whether the quantity is a correlation, which is averaged and compared as Fisher's z.
    margin : bool
        Whether the limit is the margin of equivalence.
    """

    text: str
    sign: Literal["<", ">"]
    limit: float
    correlation: bool = False
    margin: bool = False

    def holds(self, mean: float) -> bool:
        """Whether a mean lies on the claimed side."""
        return mean > self.limit if self.sign == ">" else mean < self.limit

    def decide(self, mean: float, p: float) -> Literal["holds", "fails", "open"]:
        """Return what a mean and its adjusted p say."""
        if not p < DECIDED:
            return "open"
        return "holds" if self.holds(mean) else "fails"


def needed(text: str) -> Criterion:
    """Return the test that an excess is more than the margin."""
    return Criterion(text, ">", MARGIN, margin=True)


def enough(text: str) -> Criterion:
    """Return the test that an excess is less than the margin."""
    return Criterion(text, "<", MARGIN, margin=True)


class Measured(NamedTuple):
    """What a claim measures in one seed: values by quantity, NaN where it cannot, and then the reason in one line."""

    values: dict[str, float]
    note: str = ""


@dataclass(frozen=True)
class Claim:
    """A declared claim; made by the decorator `claim`."""

    name: str
    statement: str
    published: str
    ours: str
    control: str
    unit: str
    studies: tuple[str, ...]
    tests: Mapping[str, Criterion]
    source: str
    function: Callable[[Runs], dict[str, float]] = field(repr=False)
    where: str = ""
    beside: Mapping[str, str] = field(default_factory=dict)
    construction: str = ""
    within: Mapping[str, Range] = field(default_factory=dict)

    def interval(
        self, values: np.ndarray, quantity: str, correlation: bool | None = None
    ) -> tuple[float, float, float]:
        """Return mean and 95% interval over seeds of a quantity; of correlations as Fisher's z and turned back."""
        within = self.within.get(quantity, ANY)
        if not (self.unit == "r" if correlation is None else correlation):
            return t_interval(values, within=within)
        least, most = (float(fisher_z(end)) if abs(end) < 1 else end * np.inf for end in within)
        mean, low, high = np.tanh(t_interval(fisher_z(values), within=(least, most)))
        return float(mean), float(low), float(high)

    def measure(self, runs: Runs) -> Measured:
        """Return what one seed says: "ours", "control", "difference" (control - ours) and what else is tested.

        Raises
        ------
        ConfigurationError
            If a quantity lies outside of its declared range.
        """
        try:
            found = self.function(runs)
        except Unavailable as reason:
            return Measured(
                dict.fromkeys(["ours", "control", "difference", *self.tests, *self.beside], float("nan")), str(reason)
            )
        found.setdefault("control", float("nan"))
        found.setdefault("difference", found["control"] - found["ours"])
        for quantity, (least, most) in self.within.items():
            if not least - ROUNDING <= (value := found[quantity]) <= most + ROUNDING and value == value:
                problem = f"{quantity!r} is {value:g}, outside of its declared range, {least:g} to {most:g}"
                raise ConfigurationError(problem, f"claim {self.name}")
        return Measured(found)


CLAIMS: Registry[Claim] = Registry("izhires.analysis.claims")

SUBJECTS = ("learning", "switches", "weights", "rules", "gates", "reservoir", "cues")
"""Order of the files in the table; further ones come after them."""

OURS = "this project"


def claim(
    name: str,
    *,
    statement: str,
    published: str,
    ours: str,
    control: str,
    studies: Iterable[str],
    tests: Mapping[str, Criterion],
    where: str,
    unit: str = "1",
    source: str = PAPER,
    beside: Mapping[str, str] | None = None,
    construction: str = "",
    within: Mapping[str, Range] | None = None,
) -> Callable[[Callable[[Runs], dict[str, float]]], Callable[[Runs], dict[str, float]]]:
    """Declare a claim; the decorated function measures it in one seed.

    Parameters
    ----------
    name : str
    statement : str
        What is claimed, one sentence.
    published : str
        The published figure, "-" without one.
    ours, control : str
        What is measured, and its counterpart in the control, in words.
    studies : iterable of str
        Names of the studies whose recordings it needs, see `izhires.analysis.studies`.
    tests : mapping of str to Criterion
        By the key under which the function returns the tested value; "ours", "control" and "difference" are always
        there.
    where : str
        The conditions: task, latencies, blocks and probes that are measured.
    unit : str
        "r" for a correlation, which is averaged over seeds as Fisher's z.
    source : str
        Who claims it.
    beside : mapping of str to str
        Further quantities that the function returns, in words: bounds and observers, printed and not tested.
    construction : str
        Why it holds by construction, if it does.
    within : mapping of str to (float, float)
        The range of each quantity that has one, which its interval does not leave; see `errors`.
    """

    def declare(function: Callable[[Runs], dict[str, float]]) -> Callable[[Runs], dict[str, float]]:
        CLAIMS.add(
            Claim(
                name,
                statement,
                published,
                ours,
                control,
                unit,
                tuple(studies),
                dict(tests),
                source,
                function,
                where,
                dict(beside or {}),
                construction,
                dict(within or {}),
            )
        )
        return function

    return declare


def all_claims(names: Iterable[str] | None = None) -> dict[str, Claim]:
    """Return every declared claim by name, or the named ones.

    Raises
    ------
    ConfigurationError
        If a name is unknown.
    """
    found = CLAIMS.all()
    place = {subject: k for k, subject in enumerate(SUBJECTS)}
    known = dict(
        sorted(found.items(), key=lambda each: place.get(each[1].function.__module__.rpartition(".")[2], len(place)))
    )
    if names is None:
        return known
    for name in names:
        if name not in known:
            raise ConfigurationError(f"{name!r} is not a claim{closest(name, known)}", "--claim", known)
    return {name: known[name] for name in names}


class Tested(NamedTuple):
    """What a test found: mean and 95% interval over seeds, p, and p adjusted over all tests of all claims."""

    mean: float
    low: float
    high: float
    p: float
    adjusted: float


def family_of_tests(
    claims: Mapping[str, Claim], measured: pd.DataFrame, factor: float = 1.0
) -> dict[tuple[str, str], Tested]:
    """Return what each test of each claim found, by the names of claim and quantity; all are one family.

    Parameters
    ----------
    claims, measured
        See `judge`.
    factor : float
        On the margin of equivalence.
    """
    found = {}
    for name, each in claims.items():
        for quantity, test in each.tests.items():
            values = _values(measured, name, quantity)
            limit = test.limit * factor if test.margin else test.limit
            p = t_p(fisher_z(values), float(fisher_z(limit))) if test.correlation else t_p(values, limit)
            found[name, quantity] = *each.interval(values, quantity, test.correlation), p
    adjusted = holm([each[-1] for each in found.values()])
    return {key: Tested(*each, p) for (key, each), p in zip(found.items(), adjusted, strict=True)}


def verdict(claim: Claim, found: Mapping[tuple[str, str], Tested], seeds: int, factor: float = 1.0) -> Verdict:
    """Return the verdict on a claim."""
    if seeds < 2:
        return "too few seeds" if seeds else "not run"
    decided = set()
    for quantity, test in claim.tests.items():
        limited = replace(test, limit=test.limit * factor) if test.margin else test
        decided.add(limited.decide(found[claim.name, quantity].mean, found[claim.name, quantity].adjusted))
    return "contradicted" if "fails" in decided else "inconclusive" if "open" in decided else "supported"


def judge(claims: Mapping[str, Claim], measured: pd.DataFrame) -> pd.DataFrame:
    """Return the table of claims.

    Parameters
    ----------
    claims : mapping of str to Claim
    measured : pandas.DataFrame
        Columns claim, seed, quantity, value, and note: what `Claim.measure` returned in every seed.

    Returns
    -------
    pandas.DataFrame
        One row a claim: claim, statement, where, published, measured, unit, ours, ours_low, ours_high, control_is,
        control, control_low, control_high, seeds, tests (each with its interval, p, adjusted p and what it decides),
        beside (what is printed and not tested), verdict, construction, other_margins (the verdict at half and at twice
        the margin where it differs, else empty), missing (why seeds have no value, and which; empty when all have one),
        studies, source.
    """
    import pandas as pd

    family = {factor: family_of_tests(claims, measured, factor) for factor in (1.0, 0.5, 2.0)}
    rows = []
    for name, each in claims.items():
        said = [
            f"{test.text} {test.sign} {test.limit:g}: {found_text(found)} {test.decide(found.mean, found.adjusted)}"
            for quantity, test in each.tests.items()
            for found in (family[1.0][name, quantity],)
        ]
        own = measured[measured["claim"] == name]
        seeds = own.loc[(own["quantity"] == "ours") & own["value"].notna(), "seed"].nunique()
        verdicts = {factor: verdict(each, found, seeds, factor) for factor, found in family.items()}
        others = {0.5: "half", 2.0: "twice"}
        ours, control = (each.interval(_values(measured, name, key), key) for key in ("ours", "control"))
        besides = {text: each.interval(_values(measured, name, key), key) for key, text in each.beside.items()}
        rows.append(
            {
                "claim": name,
                "statement": each.statement,
                "where": each.where,
                "published": each.published,
                "measured": each.ours,
                "unit": each.unit,
                **dict(zip(("ours", "ours_low", "ours_high"), ours, strict=True)),
                "control_is": each.control,
                **dict(zip(("control", "control_low", "control_high"), control, strict=True)),
                "seeds": seeds,
                "tests": "; ".join(said),
                "beside": "; ".join(f"{text}: {interval_text(*found)}" for text, found in besides.items()),
                "verdict": verdicts[1.0],
                "construction": each.construction,
                "other_margins": ", ".join(
                    f"{verdicts[factor]} at {word} the margin"
                    for factor, word in others.items()
                    if verdicts[factor] != verdicts[1.0]
                ),
                "missing": _missing(own),
                "studies": ", ".join(each.studies),
                "source": each.source,
            }
        )
    return pd.DataFrame(rows)


def _values(measured: pd.DataFrame, claim: str, quantity: str) -> np.ndarray:
    mine = (measured["claim"] == claim) & (measured["quantity"] == quantity)
    return measured.loc[mine, "value"].to_numpy(float)


def interval_text(mean: float, low: float, high: float) -> str:
    """Return a mean with its interval, "-" for none."""
    if mean != mean:
        return "-"
    return f"{mean:.3g}" + (f" [{low:.3g}, {high:.3g}]" if low == low else "")


def found_text(found: Tested) -> str:
    """Return what a test found: mean, interval, p and adjusted p."""
    return f"{interval_text(*found[:3])}, p {found.p:.2g}, Holm {found.adjusted:.2g},"


def _missing(measured: pd.DataFrame) -> str:
    """Return why seeds have no value, each reason with its seeds."""
    if "note" not in measured:
        return ""
    noted = measured[measured["note"] != ""]
    return "; ".join(
        f"{note} (seed{'s' if own['seed'].nunique() > 1 else ''} {', '.join(map(str, own['seed'].unique()))})"
        for note, own in noted.groupby("note", sort=False)
    )


def probe_error(recording: xr.Dataset, block: int, trial: int | None = None) -> float:
    """Return the error of the prediction after a trial of a block, at its last probe without one.

    Raises
    ------
    Unavailable
        If there is no such probe.
    """
    from izhires.analysis import selection
    from izhires.analysis.metrics.prediction import rmse

    probe = selection.last_probe(recording, block)
    if trial is not None:
        found = [int(each) for each in selection.probes(recording, block) if recording["block_trial"][each] == trial]
        if not found:
            raise Unavailable(f"no probe after trial {trial} of block {block}")
        probe = found[0]
    here = recording.isel(probe=probe)
    return float(rmse(here["prediction"], here["expectation"]))


def zero_error(recording: xr.Dataset, block: int) -> float:
    """Return the error of predicting nothing in a block."""
    from izhires.analysis import selection

    here = recording["expectation"].isel(probe=selection.last_probe(recording, block))
    return float((here**2).mean() ** 0.5)


def end_error(recording: xr.Dataset, block: int) -> float:
    """Return the error at the end of a block, mean of its last `LAST` probes."""
    from izhires.analysis import selection
    from izhires.analysis.metrics.prediction import rmse

    here = recording.isel(probe=selection.probes(recording, block)[-LAST:])
    return float(rmse(here["prediction"], here["expectation"]).mean())


def final_error(recording: xr.Dataset) -> float:
    """Return the error at the end of a block (`end_error`), mean over blocks."""
    from izhires.analysis import selection

    return float(np.mean([end_error(recording, block) for block in selection.blocks(recording)]))


def share_left(recording: xr.Dataset) -> float:
    """Return the error at the ends of the blocks over that of predicting nothing, each the mean over blocks."""
    return final_error(recording) / nothing(recording)


def nothing(recording: xr.Dataset) -> float:
    """Return the error of predicting nothing, mean over blocks."""
    from izhires.analysis import selection

    return float(np.mean([zero_error(recording, block) for block in selection.blocks(recording)]))


def as_observed(recording: xr.Dataset, observer: str, task: ObservedTask | None = None) -> xr.Dataset:
    """Return a recording with what an observer of its trials predicts at its probes in place of the network's.

    Raises
    ------
    Unavailable
        If the observer lacks what it needs.
    """
    from izhires.analysis import selection
    from izhires.analysis.observers import ObservedTask, observe

    course = observe(observer, task or ObservedTask.of_recording(recording)).course
    shown = recording["prediction"].transpose("probe", "event", "time")
    return recording.assign(prediction=shown.copy(data=course[selection.trials_of_probes(recording)]))


ENDS = f"MEET, ends of its four blocks (mean of the last {LAST} probes), over predicting nothing"
"""Where most claims are measured."""


def beyond_model(runs: Runs, study: str, **beside: str) -> dict[str, float]:
    """Return what a study leaves of predicting nothing, what the model does (control), and the ``excess`` of the first.

    `beside` are further studies by the key under which what they leave is returned.
    """
    ours, control = share_left(runs[study][0]), share_left(runs["default"][0])
    further = {name: share_left(runs[other][0]) for name, other in beside.items()}
    return {"ours": ours, "control": control, "excess": ours - control, **further}


def between(runs: Runs, study: str, control: str) -> dict[str, float]:
    """Return what a study and its control leave, and how far the first is ``behind`` the model."""
    ours = share_left(runs[study][0])
    return {"ours": ours, "control": share_left(runs[control][0]), "behind": ours - share_left(runs["default"][0])}


def early_error(recording: xr.Dataset, trial: int = 20) -> float:
    """Return the error some trials after a switch over that of predicting nothing, each the mean over switches."""
    from izhires.analysis import selection

    switched = selection.blocks(recording)[1:]
    error = np.mean([probe_error(recording, block, trial) for block in switched])
    return float(error / np.mean([zero_error(recording, block) for block in switched]))
