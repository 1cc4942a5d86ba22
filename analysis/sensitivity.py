"""Which parameters matter to which claim: changes and Sobol indices of the results of a sweep, table and figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from izhires.errors import SimulationError
from izhires.optional import library
from izhires.sweeps.design import Sensitivity, Spec
from izhires.sweeps.results import SweepResults
from izhires.sweeps.sensitivity import Parameter, designed, parameters, problem

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure

CLAIMS = {
    "error": ("last error", "1"),
    "timing": ("peak timing error", "ms"),
    "calibration": ("calibration r", "1"),
    "recovery": ("trials to recovery", "trials"),
}
"""Claim -> what measures it, and its unit: the error at the last probe of each block, and the distance of the predicted
peak from the latency, both as a mean over blocks (and events); Pearson's r between amplitude and probability over
events and blocks; trials after a switch until half of the error is gone, as a mean over switches."""


@dataclass(frozen=True)
class Analysed:
    """A sensitivity analysis.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a parameter and claim. one-at-a-time: ``low``, ``high`` (values), ``change_low``, ``change_high`` (of
        the claim's measure against all parameters at their values, mean over seeds), each with ``_from`` and ``_to``
        (95% t-interval over seeds of the paired change), and ``chance``: 1.96*s*sqrt(2/seeds), what a change of no
        effect leads to, s being the spread over seeds, pooled over all points. sobol: ``first``, ``total`` (indices),
        ``first_interval``, ``total_interval`` (half of the 95% bootstrap interval), and ``chance``: the share of the
        variance that the seeds make, which is the total index of a parameter of no effect.
    outcomes : pandas.DataFrame
        The measure of each claim for each point and seed.
    filled : dict
        Claim -> how many outcomes were missing or infinite and count as the worst of the others.
    """

    kind: str
    table: pd.DataFrame
    outcomes: pd.DataFrame
    filled: dict[str, int]


def analysed(spec: Spec, found: SweepResults) -> Analysed:
    """Return which parameters matter, from the results of the sweep of `izhires.sweeps.sensitivity.designed`.

    Raises
    ------
    SimulationError
        If runs are missing or the unchanged point failed.
    """
    spec = designed(spec)
    missing = sum(each.state == "missing" for each in found.entries)
    if missing:
        raise SimulationError(f"{missing} of {len(found.entries)} runs are missing", "sensitivity")
    outcomes, filled = _filled(_outcomes(found))
    changed, wanted = parameters(spec), spec.sensitivity or Sensitivity()
    rows = _one_at_a_time if wanted.kind == "one-at-a-time" else _sobol
    import pandas as pd

    return Analysed(wanted.kind, pd.DataFrame(rows(changed, outcomes, wanted)), outcomes, filled)


def _outcomes(found: SweepResults) -> pd.DataFrame:
    """Return the measure of each claim for every point and seed; NaN where a run failed."""
    import numpy as np
    import pandas as pd

    from izhires.analysis.metrics.calibration import pearson

    whole = pd.MultiIndex.from_frame(
        pd.DataFrame([(each.number, each.seed) for each in found.entries], columns=["point", "seed"]).drop_duplicates()
    )
    table, keys = found.table, ["point", "seed"]

    def mean(metric: str, event: str | None = None) -> pd.Series:
        rows = table[(table["metric"] == metric) & (True if event is None else table["event"] == event)]
        # a mean with an infinite value stays infinite
        return rows.dropna(subset="value").groupby(keys)["value"].mean()

    amplitude = table[table["metric"] == "amplitude"].set_index([*keys, "variant", "block", "event"])["value"]
    excess = table[table["metric"] == "amplitude.minus_probability"].set_index([*keys, "variant", "block", "event"])[
        "value"
    ]
    both = pd.DataFrame({"amplitude": amplitude, "probability": amplitude - excess}).dropna()
    calibration = {
        key: pearson(rows["probability"].to_numpy(), rows["amplitude"].to_numpy()) for key, rows in both.groupby(keys)
    }
    r = pd.Series(calibration, dtype=float)
    r.index = pd.MultiIndex.from_tuples(list(calibration), names=keys) if calibration else whole[:0]
    found_here = {
        "error": mean("error.last", "all events"),
        "timing": mean("peak_error.absolute"),
        "calibration": r,
        "recovery": mean("recovery.50", "all events"),
    }
    return pd.DataFrame({claim: each.reindex(whole) for claim, each in found_here.items()}).replace(-np.inf, np.nan)


def _filled(outcomes: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Put the worst of the other outcomes where a run failed or never recovered; a claim without any is left out."""
    import numpy as np

    found, filled = outcomes.copy(), {}
    for claim in outcomes:
        finite = np.isfinite(outcomes[claim])
        if not finite.any():
            found = found.drop(columns=claim)
            continue
        good = outcomes[claim][finite]
        found[claim] = found[claim].where(finite, good.min() if claim == "calibration" else good.max())
        filled[str(claim)] = int((~finite).sum())
    return found, filled


def _one_at_a_time(changed: list[Parameter], outcomes: pd.DataFrame, _: Sensitivity) -> list[dict[str, Any]]:
    from izhires.analysis.statistics import t_interval

    rows = []
    for claim in outcomes:
        by_point = outcomes[claim].unstack("seed")
        base = by_point.loc[0].to_numpy(float)
        spread = float(by_point.var(axis=1, ddof=1).mean()) ** 0.5  # over seeds, pooled over all points
        chance = 1.96 * spread * (2 / len(base)) ** 0.5
        for k, each in enumerate(changed):
            row: dict[str, Any] = {"parameter": each.key, "claim": claim, "unit": CLAIMS[str(claim)][1]}
            for side, share, point in (("low", 0.0, 1 + 2 * k), ("high", 1.0, 2 + 2 * k)):
                mean, below, above = t_interval(by_point.loc[point].to_numpy(float) - base)
                row |= {side: _word(each.at(share)), f"change_{side}": mean}
                row |= {f"change_{side}_from": below, f"change_{side}_to": above}
            rows.append(row | {"unchanged": float(base.mean()), "chance": chance, "seeds": len(base)})
    return rows


def _word(value: Any) -> Any:
    return " to ".join(map(str, value)) if isinstance(value, list) else value


def _sobol(changed: list[Parameter], outcomes: pd.DataFrame, wanted: Sensitivity) -> list[dict[str, Any]]:
    analyze: Callable[..., dict[str, np.ndarray]] = library("SALib.analyze.sobol").analyze
    rows = []
    for claim in outcomes:
        by_point = outcomes[claim].unstack("seed").sort_index()
        mean, seeds = by_point.mean(axis=1).to_numpy(), by_point.shape[1]
        total = float(mean.var())
        if total == 0:
            continue
        found = analyze(problem(changed), mean, calc_second_order=False, seed=wanted.seed)
        noise = float(by_point.var(axis=1, ddof=1).mean()) / seeds if seeds > 1 else float("nan")
        for k, each in enumerate(changed):
            rows.append(
                {"parameter": each.key, "claim": claim, "low": _word(each.at(0.0)), "high": _word(each.at(1.0)),
                 "first": float(found["S1"][k]), "first_interval": float(found["S1_conf"][k]),
                 "total": float(found["ST"][k]), "total_interval": float(found["ST_conf"][k]),
                 "chance": noise / total, "points": len(mean), "seeds": seeds}
            )  # fmt: skip
    return rows


def strongest(found: Analysed, most: int = 5) -> pd.DataFrame:
    """Return, of each claim, the parameters that matter most and more than chance, in order."""
    table = found.table.copy()
    if found.kind == "one-at-a-time":
        table["strength"] = table[["change_low", "change_high"]].abs().max(axis=1) / table["chance"]
        above = table["strength"] > 1
    else:
        table["strength"] = table["total"]
        above = table["total"] - table["total_interval"] > table["chance"].fillna(0)
    table = table[above].sort_values("strength", ascending=False)
    return table.groupby("claim", sort=False).head(most).sort_values(["claim", "strength"], ascending=[True, False])


def draw(found: Analysed) -> Figure:
    """Draw which parameters matter: a row a parameter, a panel a claim."""
    from izhires.analysis.figures import style

    with style.applied():
        return _drawn(found)


def _drawn(found: Analysed) -> Figure:
    import numpy as np

    from izhires.analysis.figures import style

    table = found.table
    keys, claims = list(dict.fromkeys(table["parameter"])), list(dict.fromkeys(table["claim"]))
    height = (24 + 3.6 * len(keys)) * style.MILLIMETRE
    made, grid = style.canvas(1, len(claims), width=style.DOUBLE, height=height, sharey=True)
    places = np.arange(len(keys))[::-1]
    labels = ("value/factor", "value \u00d7 factor") if found.kind == "one-at-a-time" else ("first order", "total")
    shades = style.colours(labels)
    for axes, claim in zip(grid[0], claims, strict=True):
        own = table[table["claim"] == claim].set_index("parameter").loc[keys]
        chance = float(own["chance"].iloc[0])
        if found.kind == "one-at-a-time":
            reach = 1.25 * max(own[["change_low", "change_high"]].abs().max().max(), np.nan_to_num(chance))
            if np.isfinite(chance):
                axes.axvspan(-chance, chance, color=style.PALE, linewidth=0, label="chance (95%)")
            axes.axvline(0, color=style.GREY, linewidth=0.6)
            for side, label, up in (("low", labels[0], 0.17), ("high", labels[1], -0.17)):
                mean = own[f"change_{side}"]
                spread = np.abs(np.stack([mean - own[f"change_{side}_from"], own[f"change_{side}_to"] - mean]))
                axes.errorbar(mean, places + up, xerr=np.nan_to_num(spread), fmt="o", markersize=2.2, elinewidth=0.6,
                              color=shades[label], label=label)  # fmt: skip
                # wide intervals of few seeds would hide the means
                for end, marker in ((-1, "<"), (1, ">")):
                    on = (end * own[f"change_{side}_{'to' if end > 0 else 'from'}"] > reach).to_numpy()
                    axes.plot(np.full(on.sum(), 0.97 * end * reach), (places + up)[on], marker, markersize=2.2,
                              color=shades[label], markeredgewidth=0)  # fmt: skip
            axes.plot([], [], ">", color=style.GREY, markersize=2.2, label="interval reaches further")
            unit = CLAIMS[claim][1]
            axes.set_xlabel("change" + (f" ({unit})" if unit != "1" else ""))
            axes.set_xlim(-reach, reach)
        else:
            if np.isfinite(chance):
                axes.axvline(chance, color=style.GREY, linestyle=(0, (4, 2)), linewidth=0.8, label="chance")
            for name, label, up in (("first", labels[0], 0.2), ("total", labels[1], -0.2)):
                axes.barh(places + up, own[name], height=0.36, color=shades[label], label=label,
                          xerr=own[f"{name}_interval"], error_kw={"elinewidth": 0.6})  # fmt: skip
            axes.set_xlabel("share of the variance")
            axes.set_xlim(min(0, float(own["first"].min()) - 0.02), max(1.0, float(own["total"].max()) * 1.1))
        axes.set_title(CLAIMS[claim][0])
        axes.set_yticks(places, keys)
        axes.set_ylim(-0.7, len(keys) - 0.3)
        style.few_ticks(axes)
    style.legend_below(made, grid[0, 0], columns=4)
    return made


def write(found: Analysed, folder: Path) -> list[Path]:
    """Write the table (CSV) and the figure (PDF and PNG) into a folder; return the files."""
    from izhires.analysis.figures import style
    from izhires.files import whole

    paths = [folder / f"sensitivity.{kind}" for kind in ("csv", "pdf", "png")]
    with whole(paths[0]) as part:
        found.table.to_csv(part, index=False, float_format="%.6g")
    made = draw(found)
    with style.applied():
        for path in paths[1:]:
            with whole(path) as part:
                made.savefig(part, format=path.suffix[1:])
    return paths
