"""How a claim is declared and judged.

A claim is measured in every seed by its function, which gives the claimed quantity, that of the control, and what its
tests need. Each test compares a quantity with a limit, by the 95% t-interval of its mean over seeds:

- it holds when the whole interval lies on the claimed side of the limit,
- it fails otherwise.

The verdict is "reproduced" when all tests hold, "not reproduced" when none does, else "reproduced in part".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from izhires.analysis.declared import Registry, Unavailable
from izhires.analysis.statistics import t_interval
from izhires.errors import ConfigurationError, closest

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Runs = Mapping[str, "Sequence[xr.Dataset]"]
"""Recordings of one seed by study: one, or one a variant."""

Verdict = Literal["reproduced", "reproduced in part", "not reproduced", "too few seeds", "not run"]


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
    """

    text: str
    sign: Literal["<", ">"]
    limit: float

    def holds(self, low: float, high: float) -> bool:
        """Whether an interval lies wholly on the claimed side."""
        return low > self.limit if self.sign == ">" else high < self.limit


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

    def measure(self, runs: Runs) -> Measured:
        """Return what one seed says: "ours", "control", "difference" (control - ours) and what else is tested."""
        try:
            found = self.function(runs)
        except Unavailable as reason:
            return Measured(dict.fromkeys(["ours", "control", "difference", *self.tests], float("nan")), str(reason))
        found.setdefault("control", float("nan"))
        found.setdefault("difference", found["control"] - found["ours"])
        return Measured(found)


CLAIMS: Registry[Claim] = Registry("izhires.analysis.claims")

SUBJECTS = ("learning", "switches", "weights", "rules", "gates", "reservoir")
"""Order of the files in the table; further ones come after them."""

PAPER = "Yamada & Chao 2026, doi 10.1038/s42003-026-10836-2"
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
    unit: str = "1",
    source: str = PAPER,
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
    unit : str
    source : str
        Who claims it.
    """

    def declare(function: Callable[[Runs], dict[str, float]]) -> Callable[[Runs], dict[str, float]]:
        CLAIMS.add(
            Claim(name, statement, published, ours, control, unit, tuple(studies), dict(tests), source, function)
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
            raise ConfigurationError(f"{name!r} is not a claim{closest(name, known)}", "--claims", known)
    return {name: known[name] for name in names}


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
        One row a claim: claim, statement, published, measured, unit, ours, ours_low, ours_high, control_is, control,
        control_low, control_high, seeds, tests (each with its interval and whether it holds), verdict, missing (why
        seeds have no value, and which; empty when all have one), source.
    """
    import pandas as pd

    rows = []
    for name, each in claims.items():
        own = measured[measured["claim"] == name]

        def interval(quantity: str, own: pd.DataFrame = own) -> tuple[float, float, float]:
            return t_interval(own.loc[own["quantity"] == quantity, "value"])

        said, held = [], []
        for quantity, test in each.tests.items():
            mean, low, high = interval(quantity)
            held.append(test.holds(low, high))
            word = "holds" if held[-1] else "fails"
            said.append(f"{test.text} {test.sign} {test.limit:g}: {mean:.3g} [{low:.3g}, {high:.3g}] {word}")
        seeds = own.loc[(own["quantity"] == "ours") & own["value"].notna(), "seed"].nunique()
        verdict: Verdict = (
            "not run" if seeds == 0
            else "too few seeds" if seeds < 2
            else "reproduced" if all(held)
            else "reproduced in part" if any(held)
            else "not reproduced"
        )  # fmt: skip
        ours, control = interval("ours"), interval("control")
        rows.append(
            {
                "claim": name,
                "statement": each.statement,
                "published": each.published,
                "measured": each.ours,
                "unit": each.unit,
                **dict(zip(("ours", "ours_low", "ours_high"), ours, strict=True)),
                "control_is": each.control,
                **dict(zip(("control", "control_low", "control_high"), control, strict=True)),
                "seeds": seeds,
                "tests": "; ".join(said),
                "verdict": verdict,
                "missing": _missing(own),
                "source": each.source,
            }
        )
    return pd.DataFrame(rows)


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


def final_error(recording: xr.Dataset) -> float:
    """Return the error at the last probe of a block, mean over blocks."""
    from izhires.analysis import selection

    return float(np.mean([probe_error(recording, block) for block in selection.blocks(recording)]))


def beyond_model(runs: Runs, study: str) -> dict[str, float]:
    """Return the final error of a study, the model's as control, and by how much the first exceeds it (``excess``)."""
    ours, control = final_error(runs[study][0]), final_error(runs["default"][0])
    return {"ours": ours, "control": control, "excess": ours - control}


def between(runs: Runs, study: str, control: str) -> dict[str, float]:
    """Return the final errors of a study and of its control, and how far the first is ``behind`` the model."""
    ours = final_error(runs[study][0])
    return {"ours": ours, "control": final_error(runs[control][0]), "behind": ours - final_error(runs["default"][0])}


def early_error(recording: xr.Dataset, trial: int = 20) -> float:
    """Return the error some trials after a switch, mean over switches."""
    from izhires.analysis import selection

    return float(np.mean([probe_error(recording, block, trial) for block in selection.blocks(recording)[1:]]))
