"""What the page says: facts of the runs, results beside their chance levels, definitions, configuration."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics.base import all_metrics, range_of
from izhires.analysis.report.film import NUMBERS, film
from izhires.analysis.report.outcome import of_seeds
from izhires.analysis.statistics import spread_of
from izhires.errors import ConfigurationError

if TYPE_CHECKING:
    import xarray as xr

    from izhires.declare import Declaration

FILMS = 12
"""Most films on a page."""


@dataclass(frozen=True)
class Headline:
    """A result of the first table.

    Parameters
    ----------
    value : str
        Name in the tidy table.
    words : str
        What it is.
    chance : str
        Name of what stands beside it, empty when there is none.
    beside : str
        What that is.
    compared : bool
        Whether it is a column of the table that compares studies.
    first : bool
        Of the first event alone, where the mean over events would mean nothing.
    """

    value: str
    words: str
    chance: str = ""
    beside: str = ""
    compared: bool = False
    first: bool = False


_ISOTROPIC, _MATCHED = "isotropic random subspaces", "random subspaces with the states' covariance"
_ANGLE = "smallest angle between what and when"
_BARE = f"{_ANGLE}, mean state removed"
HEADLINES = (
    Headline("error.last", "error at the end of a block", "error_zero_output", "predicting nothing", True),
    Headline("error.last", "", "error_best_fit.other_probes", "readout fitted to the states"),
    Headline("observer_error.network", "error over all probes", "observer_error.bayes", "exact observer, not told"),
    Headline("observer_error.network", "", "observer_error.bayes_told", "exact observer, told of switches"),
    Headline("distribution_distance.total", "distance of the whole distribution", "distribution_distance.total_uniform",
             "a prediction that is the same everywhere"),
    Headline("amplitude.minus_probability", "amplitude less probability", "", "0 when calibrated", True),
    Headline("calibration.r", "correlation of amplitude with probability, first event", "calibration.r_counting",
             "an observer that counts", True, first=True),
    Headline("peak_error.absolute", "distance of the peak from the latency", compared=True),
    Headline("timing_width.minus_true", "width of the prediction less the true one", "", "0 for the expectation"),
    Headline("recovery.75", "trials to 75% recovery after a switch", compared=True),
    Headline("angle.smallest", _ANGLE, "angle.smallest_isotropic_mean", _ISOTROPIC),
    Headline("angle.smallest", "", "angle.smallest_covariance_mean", _MATCHED),
    Headline("angle_without_mean.smallest", _BARE, "angle_without_mean.smallest_isotropic_mean", _ISOTROPIC, True),
    Headline("angle_without_mean.smallest", "", "angle_without_mean.smallest_covariance_mean", _MATCHED),
    Headline("weight_space.pc1_probability", "|r| of weight component 1 with probability",
             "weight_space.pc1_probability_chance", "permuted probabilities"),
    Headline("weight_space.pc2_latency", "|r| of weight component 2 with latency", "weight_space.pc2_latency_chance",
             "permuted latencies"),
    Headline("reliability", "correlation of the states of two trials", "reliability.mean", "one shifted in time"),
    Headline("time_told", "error of the time told, worst tenth of the window", "time_told.chance", "a guess within it"),
    Headline("decoded_time", "error of the time decoded from the state", "decoded_time.mean", "shuffled times"),
    Headline("participation_ratio", "dimension of the state", "participation_ratio.mean", "cells shifted in time"),
    Headline("synchrony", "correlation of pairs of cells", "synchrony.shuffled", "shuffled trials"),
    Headline("selectivity.what", "share of cells that tell what", "selectivity.what_chance",
             "events in another order"),
    Headline("response_time.readiness", "slope of log response time on readiness", "", "0 when it tells nothing"),
    Headline("mean_rate.excitatory", "rate of excitatory cells", compared=True),
)  # fmt: skip
"""Results that come first, each beside what it is by chance or at best, where there is such a thing. Without words: of
the line before."""


@dataclass(frozen=True)
class Facts:
    """What was run in one folder.

    Parameters
    ----------
    name : str
    lines : list of (str, str)
        Facts with their names.
    blocks : list of dict
        Statistics of each block of the first recording: block, cue (empty: one only), event, latency, probability.
    settings : list of dict
        Configuration: parameter, value, meaning, source, assumed.
    toml : str
        The configuration as a file.
    command : str
        What runs it again.
    schedule : str
    unknown : list of str
        One line for each thing that these recordings do not say.
    """

    name: str
    lines: list[tuple[str, str]]
    blocks: list[dict[str, Any]]
    settings: list[dict[str, Any]]
    toml: str
    command: str
    schedule: str
    unknown: list[str] = field(default_factory=list)


def facts(folder: Path, recordings: Sequence[xr.Dataset]) -> Facts:
    """Return what was run, as far as the recordings of a folder say."""
    first = recordings[0].attrs
    variants = list(dict.fromkeys(str(each.attrs.get("variant", "")) for each in recordings))
    cues = selection.cues(recordings)
    # one of several cues is here as one of each
    own = [each for each in recordings if each.attrs.get("cue", "") == (cues[0] if cues else "")]
    if cues:
        variants = list(dict.fromkeys(str(each.attrs["variant"]).removesuffix(cues[0]).strip() for each in own))
    seeds = sorted({selection.seed(each) for each in recordings})
    versions = [json.loads(each.attrs["versions"]) for each in recordings if "versions" in each.attrs]
    commits = list(dict.fromkeys(str(each.attrs["git_commit"]) for each in recordings if "git_commit" in each.attrs))
    created = sorted(str(each.attrs["created"]) for each in recordings if "created" in each.attrs)
    lines = [
        ("Paradigm", str(first.get("paradigm", "not said"))),
        ("Recordings", str(len(own))),
        ("Seeds", _seeds(seeds)),
    ]
    if variants != [""]:
        lines.append(("Variants", ", ".join(variants)))
    if cues:
        lines.append(("Cues", ", ".join(cues)))
    lines.append(("Cells", ", ".join(str(n) for n in sorted({each.sizes.get("neuron", 0) for each in recordings}))))
    lines.append(("Device", ", ".join(dict.fromkeys(str(each.attrs.get("device", "not said")) for each in recordings))))
    if versions:
        merged = {name: sorted({each[name] for each in versions if name in each}) for name in versions[0]}
        lines.append(("Versions", ", ".join(f"{name} {' / '.join(found)}" for name, found in merged.items())))
    if any(commits):
        lines.append(("Commit", ", ".join(filter(None, commits))))
    if created:
        lines.append(("Run", created[0] if created[0] == created[-1] else f"{created[0]} to {created[-1]}"))
    taken = [float(each.attrs["run_seconds"]) for each in recordings if "run_seconds" in each.attrs]
    if taken:
        lines.append(("Time of a run", f"{np.mean(taken):.1f} s (mean of {len(taken)})"))
    missing = [name for name in ("configuration", "versions", "schedule", "created") if name not in first]
    unknown = [f"the recordings do not say: {', '.join(missing)}"] if missing else []
    settings, complaint = _settings(first)
    unknown += complaint
    return Facts(
        folder.name, lines, _blocks(recordings), settings, *_again(folder, first, seeds),
        str(first.get("schedule", "")), unknown,
    )  # fmt: skip


def _seeds(seeds: Sequence[int]) -> str:
    whole = len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[-1] + 1))
    return f"{seeds[0]} to {seeds[-1]} ({len(seeds)})" if whole else ", ".join(map(str, seeds))


def _blocks(recordings: Sequence[xr.Dataset]) -> list[dict[str, Any]]:
    """Return the statistics of each block, and cue; an event with several latencies has their range."""
    firsts = {str(each.attrs.get("cue", "")): each for each in reversed(recordings)}
    try:
        tables = [selection.outcomes(firsts[cue]).assign(cue=cue) for cue in selection.cues(recordings) or firsts]
    except KeyError:
        return []
    rows = []
    for (block, cue, event), own in pd.concat(tables).groupby(["block", "cue", "event"], sort=False):
        low, high = float(own["latency"].min()), float(own["latency"].max())
        late = f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
        chance = f"{own['probability'].sum():.3g}"
        rows.append({"block": int(str(block)), "cue": cue, "event": event, "latency": late, "probability": chance})
    return rows


def _settings(attributes: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return every parameter with what it means and its source, and what cannot be said about them."""
    from izhires.declare import ASSUMED
    from izhires.model.configuration import Configuration

    if "configuration" not in attributes:
        return [], []
    data = json.loads(attributes["configuration"])
    try:
        rows = list(_parameters(Configuration.parse(data), data, ""))
        return [{**row, "assumed": row["source"] == ASSUMED} for row in rows], []
    except ConfigurationError as error:
        empty = {"meaning": "", "source": "", "assumed": False}
        rows = [{"name": name, "value": value, **empty} for name, value in _leaves(data, "")]
        reason = str(error).splitlines()[0]
        return rows, [f"this version does not know the configuration, so its sources are not listed: {reason}"]


def _parameters(declared: Declaration, data: dict[str, Any], place: str) -> Iterator[dict[str, Any]]:
    """Yield the parameters of a declaration and of those within it."""
    from izhires.declare import Declaration

    known = {row["name"]: row for row in type(declared).symbols()}
    for name, given in data.items():
        path = f"{place}.{name}" if place else name
        value = getattr(declared, name, None)
        if isinstance(value, Declaration) and isinstance(given, dict):
            yield from _parameters(value, given, path)
            continue
        about = known.get(name, {"meaning": "which one" if name == "type" else "", "source": ""})
        yield {"name": path, "value": _value(given), "meaning": about["meaning"], "source": about["source"]}


def _leaves(data: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(data, dict) and data:
        for name, value in data.items():
            yield from _leaves(value, f"{place}.{name}" if place else name)
    else:
        yield place, _value(data)


def _value(given: Any) -> str:
    if isinstance(given, str):
        return given.strip()
    if isinstance(given, (dict, list)) and len(json.dumps(given)) > 300:
        return json.dumps(given, indent=1)
    return "none" if given is None else json.dumps(given)


def _again(folder: Path, attributes: dict[str, Any], seeds: Sequence[int]) -> tuple[str, str]:
    """Return the configuration as TOML, and the command that runs it."""
    paradigm = str(attributes.get("paradigm", "")).replace("_", "-")
    span = f"{seeds[0]}:{seeds[-1] + 1}" if len(seeds) > 1 else str(seeds[0])
    if list(seeds) != list(range(seeds[0], seeds[-1] + 1)):
        span = ",".join(map(str, seeds))
    command = f"izhires run {paradigm} --config configuration.toml --seeds {span} --out {folder.name or 'results'}"
    kept = folder / "configuration.toml"
    if kept.is_file():
        return kept.read_text(encoding="utf-8"), command
    from izhires.model.configuration import Configuration

    try:
        return Configuration.parse(json.loads(attributes["configuration"])).to_toml(), command
    except (KeyError, ConfigurationError):
        return "", ""


def headlines(table: pd.DataFrame, compared: bool = False) -> list[dict[str, Any]]:
    """Return the results that come first: mean over blocks and events of each seed, then over seeds.

    Parameters
    ----------
    table : pandas.DataFrame
        From `izhires.analysis.analyse`.
    compared : bool
        Only those of the comparison of studies.

    Returns
    -------
    list of dict
        name, words, unit, value, beside, chance_name, chance; value and chance are (mean, low, high, seeds), None where
        there is none; only what could be computed, unless `compared`.
    """
    units = {name: about.unit for each in all_metrics().values() for name, about in each.columns().items()}
    found = []
    for line in HEADLINES:
        if compared and not line.compared:
            continue
        value = _over_seeds(table, line.value, line.first)
        if value is None and not compared:
            continue
        chance = _over_seeds(table, line.chance, line.first) if line.chance else None
        if line.chance and chance is None and not line.words:
            continue
        found.append(
            {
                "name": line.value, "words": line.words, "unit": units[line.value], "value": value,
                "beside": line.beside if chance or not line.chance else "", "chance_name": line.chance,
                "chance": chance,
            }
        )  # fmt: skip
    return found


def _over_seeds(table: pd.DataFrame, name: str, first: bool = False) -> tuple[float, float, float, int] | None:
    each = of_seeds(table, name, first)
    if each.empty:
        return None
    metric, _, part = name.partition(".")
    mean, low, high = spread_of(each.to_numpy(), range_of(metric, part), table["seed"].nunique())
    return mean, low, high, len(each)


def results(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the summary over seeds, metric by metric: name, description, rows."""
    from izhires.analysis.table import summary

    short = summary(table, brief=True)
    families: dict[str, list[dict[str, Any]]] = {}
    for row in short.to_dict("records"):
        families.setdefault(str(row["metric"]).partition(".")[0], []).append({str(key): row[key] for key in row})
    known = all_metrics()
    return [{"name": name, "description": known[name].description if name in known else "", "rows": rows,
             "variants": any(row["variant"] for row in rows)}
            for name, rows in families.items()]  # fmt: skip


def definitions(names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the definition of each metric: name, description, definition, source, unit, worst, parts."""
    known = all_metrics()
    return [
        {
            "name": name, "description": known[name].description, "definition": known[name].definition,
            "source": known[name].source, "unit": known[name].unit,
            "parts": [(full, about.description, about.unit) for full, about in known[name].columns().items()],
        }
        for name in dict.fromkeys(name.partition(".")[0] for name in names)
        if name in known
    ]  # fmt: skip


def films(
    recordings: Sequence[xr.Dataset], study: str = "", most: int = FILMS, numbers: int = NUMBERS
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return a film of each condition of a folder, and one line for each that there is not.

    Parameters
    ----------
    recordings : sequence of xarray.Dataset
    study : str
        Name of the folder where a page is about several.
    most : int
        Films at most.
    numbers : int
        Numbers that they may take together.
    """
    groups: dict[str, list[xr.Dataset]] = {}
    for each in recordings:
        name = ", ".join(part for part in (study, str(each.attrs.get("variant", ""))) if part)
        groups.setdefault(name or str(each.attrs.get("paradigm", "recordings")), []).append(each)
    found: list[dict[str, Any]] = []
    missing = []
    for name, own in list(groups.items())[:most]:
        try:
            found.append(film(own, name, numbers // min(most, len(groups))))
        except Unavailable as reason:
            missing.append(f"film of {name}: {reason}")
    if len(groups) > most:
        missing.append(f"films of {len(groups) - most} more conditions: a page holds {FILMS}")
    return found, missing


def claims(folder: Path) -> list[dict[str, Any]]:
    """Return the table of claims that `izhires reproduce` left in a folder, or nothing."""
    path = folder / "claims.csv"
    if not path.is_file():
        return []
    table = pd.read_csv(path, keep_default_na=True)
    wanted = {"statement", "published", "ours", "control", "verdict", "unit"}
    if not wanted <= set(table.columns):
        return []
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
