"""Which parameters matter to which claim: one-at-a-time changes and Sobol indices of values that are not published."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from izhires.declare import ASSUMED, Declaration
from izhires.errors import ConfigurationError, SimulationError, closest
from izhires.optional import library
from izhires.sweeps.design import Design, Range, Sensitivity, Spec, _number, _text, check_size
from izhires.sweeps.results import SweepResults

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure

METRICS = ("error", "peak_error", "amplitude", "recovery")

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
class Parameter:
    """One parameter that is changed.

    Parameters
    ----------
    key : str
        Dotted key of the configuration.
    value : object
        As the configuration has it: a number, text with a unit, or a pair of these that is scaled as one.
    factor : float
        It goes from value/factor to value*factor ...
    range : Range, optional
        ... or over this range.
    """

    key: str
    value: Any
    factor: float
    range: Range | None = None

    def at(self, share: float) -> Any:
        """Return the value at a share of the way from the lowest to the highest; 0.5 is the value itself."""
        if self.range is not None:
            return self.range.at(share)
        return _scaled(self.value, self.factor ** (2 * share - 1))


def _scaled(value: Any, by: float) -> Any:
    if isinstance(value, list):
        return [_scaled(each, by) for each in value]
    if isinstance(value, int):
        return round(value * by)
    number, unit = _number(value)
    return _text(number * by, unit)


def parameters(spec: Spec) -> list[Parameter]:
    """Return the parameters that a sensitivity analysis changes: the numbers under its keys whose source is assumed.

    A key that names a single parameter is taken whatever its source. What is 0 has no scale and is left out, unless it
    has a range.

    Raises
    ------
    ConfigurationError
        If a key names nothing of the configuration.
    """
    wanted = spec.sensitivity or Sensitivity()
    configuration = spec.configuration()
    data = configuration.to_dict()
    known = dict(_numbers(configuration))
    for key in (*wanted.parameters, *wanted.exclude, *wanted.ranges):
        if key not in known and not any(each.startswith(f"{key}.") for each in known):
            tables = {each.rpartition(".")[0] for each in known} | {each.partition(".")[0] for each in known}
            near = closest(key, [*known, *tables])
            raise ConfigurationError(f"{key!r} is no number of the configuration{near}", "sensitivity", sorted(tables))
    found = []
    for key, source in known.items():
        named = key in wanted.parameters or key in wanted.ranges
        under = any(key.startswith(f"{each}.") for each in wanted.parameters) and source == ASSUMED
        if key in wanted.exclude or not (named or under):
            continue
        value = _get(data, key)
        own = wanted.ranges.get(key)
        if own is not None or _is_not_zero(value):
            found.append(Parameter(key, value, wanted.factor, own))
    if not found:
        raise ConfigurationError("its keys name no assumed number", "sensitivity.parameters")
    return found


def _numbers(declaration: Declaration, prefix: str = "") -> list[tuple[str, str]]:
    """Return key and source of every number, or pair of numbers, of a declaration."""
    found = []
    for name, info in type(declaration).model_fields.items():
        value = getattr(declaration, name)
        if isinstance(value, Declaration):
            found += _numbers(value, f"{prefix}{name}.")
        elif isinstance(value, (int, float, tuple)) and not isinstance(value, bool):
            inside = value if isinstance(value, tuple) else (value,)
            if inside and all(isinstance(each, (int, float)) for each in inside):
                extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
                found.append((f"{prefix}{name}", str(extra.get("source", ""))))
    return found


def _get(data: dict[str, Any], key: str) -> Any:
    for each in key.split("."):
        data = data[each]
    return data


def _is_not_zero(value: Any) -> bool:
    return any(_number(each)[0] != 0 for each in (value if isinstance(value, list) else [value]))


def designed(spec: Spec) -> Spec:
    """Return the sweep whose points a sensitivity analysis needs."""
    wanted, changed = spec.sensitivity or Sensitivity(), parameters(spec)
    alone = wanted.kind == "one-at-a-time"
    check_size(1 + 2 * len(changed) if alone else wanted.samples * (len(changed) + 2), 1, 1, 1)
    if alone:
        rows: list[dict[str, Any]] = [{}]
        rows += [{each.key: each.at(share)} for each in changed for share in (0.0, 1.0)]
    else:
        rows = [
            {each.key: each.at(share) for each, share in zip(changed, row, strict=True)}
            for row in _sobol_shares(wanted, changed).tolist()
        ]
    return spec.with_changes(
        design=Design(kind="list", points=rows), metrics=METRICS, sensitivity=wanted.to_dict(), conditions=("",)
    )


def _problem(changed: list[Parameter]) -> dict[str, Any]:
    return {"num_vars": len(changed), "names": [each.key for each in changed], "bounds": [[0.0, 1.0]] * len(changed)}


def _sobol_shares(wanted: Sensitivity, changed: list[Parameter]) -> np.ndarray:
    """Return the points as shares of each range, shape (samples*(parameters + 2), parameters)."""
    found: np.ndarray = library("SALib.sample.sobol").sample(
        _problem(changed), wanted.samples, calc_second_order=False, seed=wanted.seed
    )
    return found


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
    """Return which parameters matter, from the results of the sweep that `designed` describes.

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
        found = analyze(_problem(changed), mean, calc_second_order=False, seed=wanted.seed)
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
            if np.isfinite(chance):
                axes.axvspan(-chance, chance, color=style.PALE, linewidth=0, label="chance (95%)")
            axes.axvline(0, color=style.GREY, linewidth=0.6)
            for side, label, up in (("low", labels[0], 0.17), ("high", labels[1], -0.17)):
                mean = own[f"change_{side}"]
                spread = np.abs(np.stack([mean - own[f"change_{side}_from"], own[f"change_{side}_to"] - mean]))
                axes.errorbar(mean, places + up, xerr=np.nan_to_num(spread), fmt="o", markersize=2.2, elinewidth=0.6,
                              color=shades[label], label=label)  # fmt: skip
            unit = CLAIMS[claim][1]
            axes.set_xlabel("change" + (f" ({unit})" if unit != "1" else ""))
            reach = max(own[["change_low", "change_high"]].abs().max().max(), chance if np.isfinite(chance) else 0)
            axes.set_xlim(-1.25 * reach, 1.25 * reach)  # wide intervals of few seeds would hide the means
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
    style.legend_below(made, grid[0, 0], columns=3)
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
