"""Where the weights of both readouts go: joint principal components, and the way to the end point after a switch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable, require
from izhires.analysis.metrics.base import Item, Row, metric
from izhires.analysis.statistics import FEWEST_FOR_R, POSITIVE, SHARE, bootstrap_interval, few_for_r
from izhires.declare import PAPER

if TYPE_CHECKING:
    import xarray as xr

READOUTS = ("when", "what")
COMPONENTS = 3
PERMUTATIONS = 1000
AFTER = (10, 50)
"""Training trials after a switch at which the way that is left is tabulated."""


def weights(recording: xr.Dataset, readout: str) -> np.ndarray:
    """Return the weights of one readout at every probe, (probe, event * neuron).

    Raises
    ------
    Unavailable
        If the recording does not hold them.
    """
    require(recording, [f"{readout}_weights"])
    found = recording[f"{readout}_weights"].transpose("probe", "event", "neuron").values.astype(float)
    return found.reshape(len(found), found.shape[1] * found.shape[2])


@dataclass(frozen=True)
class Space:
    """Joint principal components of both readouts' weights in the networks of one seed.

    Parameters
    ----------
    scores : ndarray, (row, component)
        In units in which either readout's weights have a total variance of 1 over the rows.
    explained : ndarray, (component,)
        Fraction of the total variance.
    rows : pandas.DataFrame
        What each row of the scores is: variant, block, block_trial, and last (whether it is the last of its block).
    """

    scores: np.ndarray
    explained: np.ndarray
    rows: pd.DataFrame


def joint_components(blocks: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores and explained fractions of the principal components of several blocks of columns.

    Each block is centred over rows and divided by the root of its total variance, so that all blocks count equally
    whatever their units and numbers of columns; then the blocks stand side by side. The sign of a component is such
    that its largest score is positive.

    Parameters
    ----------
    blocks : sequence of ndarray, (row, column)

    Returns
    -------
    scores : ndarray, (row, component)
    explained : ndarray, (component,)

    Raises
    ------
    Unavailable
        If a block does not vary.
    """
    scaled = []
    for each in blocks:
        centred = each - each.mean(0)
        size = np.sqrt((centred**2).sum() / len(centred))
        if not size > 0:
            raise Unavailable("the weights do not change: they have no principal components")
        scaled.append(centred / size)
    left, size, _ = np.linalg.svd(np.hstack(scaled), full_matrices=False)
    scores = left * size
    largest = scores[np.abs(scores).argmax(0), np.arange(scores.shape[1])]
    return scores * np.where(largest < 0, -1, 1), size**2 / (size**2).sum()


def weight_space(recordings: Sequence[xr.Dataset], *, ends_only: bool = False) -> Space:
    """Return the joint components of the recordings of ONE seed, whose cells are the same, over their probes.

    Probes before any learning, at which all weights of a readout are zero, are left out.

    Parameters
    ----------
    recordings : sequence of xarray.Dataset
    ends_only : bool
        Only the last probe of each block: then what differs between conditions is not mixed with what every network
        goes through while it learns.

    Raises
    ------
    Unavailable
        If the recordings do not fit together, or fewer than three probes are left.
    """
    sizes = {tuple(r[f"{name}_weights"].sizes[d] for d in ("event", "neuron")) for r in recordings for name in READOUTS
             if f"{name}_weights" in r}  # fmt: skip
    if len(sizes) > 1:
        raise Unavailable("the recordings of one seed have different numbers of cells or events")
    found: dict[str, list[np.ndarray]] = {name: [] for name in READOUTS}
    rows = []
    for recording in recordings:
        here = {name: weights(recording, name) for name in READOUTS}
        learned = np.flatnonzero(np.all([each.any(1) for each in here.values()], axis=0))
        last = {selection.last_probe(recording, block) for block in selection.blocks(recording)}
        learned = learned[np.isin(learned, list(last))] if ends_only else learned
        for name, each in here.items():
            found[name].append(each[learned])
        rows.append(
            pd.DataFrame(
                {
                    "variant": str(recording.attrs.get("variant", "")),
                    "block": recording["block"].values[learned],
                    "block_trial": recording["block_trial"].values[learned],
                    "last": [probe in last for probe in learned.tolist()],
                }
            )
        )
    table = pd.concat(rows, ignore_index=True)
    if len(table) < 3:
        what = "blocks" if ends_only else "probes"
        raise Unavailable(f"needs three or more {what} with weights that are not zero")
    scores, explained = joint_components([np.vstack(each) for each in found.values()])
    return Space(scores, explained, table)


def conditions(recordings: Sequence[xr.Dataset]) -> pd.DataFrame:
    """Return probability and mean latency (s) of the first event in each block of each recording.

    Returns
    -------
    pandas.DataFrame
        Columns variant, block, probability, latency.
    """
    rows = []
    for recording in recordings:
        event = selection.events(recording)[0]
        for block in selection.blocks(recording):
            try:
                late, chance = selection.event_latencies(recording, block, event)
            except Unavailable:
                continue
            mean = float(np.average(late, weights=chance if chance.sum() > 0 else None))
            rows.append((str(recording.attrs.get("variant", "")), block, float(chance.sum()), mean))
    return pd.DataFrame(rows, columns=["variant", "block", "probability", "latency"])


def correlation_by_chance(
    scores: np.ndarray, levels: np.ndarray, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Return |r| of scores with levels, its mean over permutations of the levels, and p.

    Returns
    -------
    r, mean, p : float
        p = (1 + number of permutations with |r| as large or larger) / (1 + permutations), where those count as equal
        that differ by rounding.
    """
    order = rng.permuted(np.tile(np.arange(len(levels)), (PERMUTATIONS, 1)), axis=1)
    centred, level = scores - scores.mean(), levels - levels.mean()
    size = np.sqrt((centred**2).sum() * (level**2).sum())
    value, chance = abs(centred @ level) / size, np.abs(level[order] @ centred) / size
    return float(value), float(chance.mean()), float((1 + (chance >= value - 1e-9).sum()) / (1 + PERMUTATIONS))


def by_seed(recordings: Sequence[xr.Dataset]) -> dict[int, list[xr.Dataset]]:
    """Return the recordings of each seed."""
    found: dict[int, list[xr.Dataset]] = {}
    for recording in recordings:
        found.setdefault(selection.seed(recording), []).append(recording)
    return found


_LEVELS = {"pc1_probability": (0, "probability"), "pc2_latency": (1, "latency")}


@metric(
    "weight_space",
    unit="1",
    within=SHARE,
    description="joint principal components of the when and what weights, and whether they sort the conditions",
    definition=(
        "principal components of one seed, all variants together; columns: the when weights and the what weights of "
        "all events, either block centred and divided by the root of its total variance. explained: over all probes "
        "at which neither weights are zero. conditions: over the last probes of all blocks and variants alone. r: "
        "absolute Pearson correlation, over these, of the score on component 1 with the probability of the first "
        "event, and on component 2 with its mean latency; "
        f"chance: mean |r| over {PERMUTATIONS} permutations of the levels over the conditions, of which there must be "
        f"{FEWEST_FOR_R}"
    ),
    source=f"{PAPER}; block scaling: this project",
    scope="study",
    parts={
        **{f"explained_{k}": Item(f"fraction of the variance over all probes on component {k}", detail=k > 2)
           for k in range(1, COMPONENTS + 1)},
        **{f"conditions_explained_{k}": Item(f"fraction of the variance over conditions on component {k}")
           for k in (1, 2)},
        **{
            part: about
            for name, (component, level) in _LEVELS.items()
            for part, about in {
                name: Item(f"|r| of component {component + 1} with the {level} of the first event"),
                f"{name}_chance": Item(f"mean |r| of component {component + 1} with permuted {level}", interval=False),
                f"{name}_p": Item(f"p of |r| of component {component + 1} with {level}, one seed, uncorrected",
                                  detail=True, interval=False),
            }.items()
        },
    },
)  # fmt: skip
def components(recordings: Sequence[xr.Dataset]) -> Iterator[Row]:
    """Joint components of each seed and their relation to the statistics of the blocks."""
    for seed, own in by_seed(recordings).items():
        try:
            for k, share in enumerate(weight_space(own).explained[:COMPONENTS], start=1):
                yield Row(float(share), f"explained_{k}", seed=seed)
        except Unavailable as reason:
            yield Row(np.nan, "explained_1", seed=seed, note=str(reason))
            continue
        try:
            space = weight_space(own, ends_only=True)
        except Unavailable as reason:
            yield Row(np.nan, "conditions_explained_1", seed=seed, note=str(reason))
            continue
        for k, share in enumerate(space.explained[:2], start=1):
            yield Row(float(share), f"conditions_explained_{k}", seed=seed)
        ends = space.rows.merge(conditions(own), on=["variant", "block"], how="left")
        for name, (component, level) in _LEVELS.items():
            levels = ends[level].to_numpy()
            if not np.ptp(levels) > 0:
                yield Row(np.nan, name, seed=seed, note=f"needs two or more levels of {level}")
                continue
            if len(levels) < FEWEST_FOR_R:
                note = f"needs {FEWEST_FOR_R} or more blocks or networks: {few_for_r(len(levels))}"
                yield Row(np.nan, name, seed=seed, note=note)
                continue
            values = correlation_by_chance(space.scores[:, component], levels, np.random.default_rng([4, seed]))
            for part, value in zip((name, f"{name}_chance", f"{name}_p"), values, strict=True):
                yield Row(value, part, seed=seed)


def same_statistics(one: xr.Dataset, block: int, other: xr.Dataset, its: int) -> bool:
    """Return whether two blocks have the same events, latencies and probabilities."""
    found = []
    for recording, each in ((one, block), (other, its)):
        table = selection.outcomes(recording)
        rows = table[(table["block"] == each) & (table["probability"] > 0)].round({"latency": 6, "probability": 6})
        found.append(sorted(zip(rows["event"], rows["latency"], rows["probability"], strict=True)))
    return found[0] == found[1]


def way_left(recording: xr.Dataset, block: int, end: Sequence[np.ndarray] | None = None) -> pd.DataFrame:
    """Return how far the weights are from an end point over the probes after a switch.

    For each readout |W_n - E| / |W_0 - E|, with W_0 the weights at the last probe before the switch and E the end
    point; for both together the root of the mean of both squares.

    Parameters
    ----------
    recording : xarray.Dataset
    block : int
        The block that the switch leads to.
    end : sequence of ndarray, (event * neuron,), optional
        End points of the when and of the what weights; those at the last probe of this block when left out.

    Returns
    -------
    pandas.DataFrame
        Columns block_trial, when, what, both.

    Raises
    ------
    Unavailable
        If the weights lie at the end point before the switch.
    """
    probes = selection.probes(recording, block)
    before = selection.before_probe(recording, block)
    found = {"block_trial": recording["block_trial"].values[probes].astype(float)}
    for k, name in enumerate(READOUTS):
        every = weights(recording, name)
        point = every[probes[-1]] if end is None else end[k]
        whole = np.linalg.norm(every[before] - point)
        if not whole > 0:
            raise Unavailable(f"the {name} weights lie at the end point before the switch")
        found[name] = np.linalg.norm(every[probes] - point, axis=1) / whole
    return pd.DataFrame(found | {"both": np.sqrt((found["when"] ** 2 + found["what"] ** 2) / 2)})


def single_block_ends(recordings: Sequence[xr.Dataset]) -> list[tuple[xr.Dataset, int, list[np.ndarray]]]:
    """Return each recording of a single block, its block, and its weights at the end."""
    return [
        (r, selection.blocks(r)[0], [weights(r, name)[-1] for name in READOUTS])
        for r in recordings
        if len(selection.blocks(r)) == 1 and all(f"{name}_weights" in r for name in READOUTS)
    ]


_WAY = {"when": "the when weights", "what": "the what weights", "both": "both"}


@metric(
    "weight_recovery",
    unit="1",
    within=POSITIVE,
    description="how far the weights still are from the end of their block after a switch",
    definition=(
        "|W_n - E| / |W_0 - E| after n training trials of the block (the nearest probe at or after n); W_0: last probe "
        "before the switch; E: last probe of the block, for both readouts the root of the mean of both squares. "
        "to_single: E is the end of a recording of one block with the same statistics and seed, and n the last trial; "
        "to_others: the mean over single-block recordings with other statistics, as control. low, high: percentile "
        "bootstrap of the mean over seeds"
    ),
    source="this project; bootstrap: Efron 1979, doi 10.1214/aos/1176344552",
    scope="study",
    parts={
        part: about
        for n in AFTER
        for name, text in _WAY.items()
        for part, about in {
            f"{name}_{n}": Item(f"way left after {n} trials: {text}", detail=name == "both"),
            f"{name}_{n}_low": Item(f"lower end of the bootstrap interval: {text} after {n} trials", None, True, False),
            f"{name}_{n}_high": Item(
                f"upper end of the bootstrap interval: {text} after {n} trials", None, True, False
            ),
        }.items()
    }
    | {
        "to_single": Item("way left at the end of the block to the end of the matching single-block condition: both"),
        "to_others": Item("the same to the ends of the other single-block conditions"),
    },
)
def weight_recovery(recordings: Sequence[xr.Dataset]) -> Iterator[Row]:
    """Way left after each switch, for each seed, and bootstrap intervals over seeds."""
    switched = [recording for recording in recordings if len(selection.blocks(recording)) > 1]
    if not switched:
        raise Unavailable("needs a switch; the recordings have one block each")
    several: dict[tuple[str, int, str], list[float]] = {}
    groups = by_seed(recordings)
    for recording in switched:
        seed, variant = selection.seed(recording), str(recording.attrs.get("variant", ""))
        for block in selection.blocks(recording)[1:]:
            try:
                table = way_left(recording, block)
            except Unavailable as reason:
                yield Row(np.nan, f"when_{AFTER[0]}", block, seed=seed, variant=variant, note=str(reason))
                continue
            for n in AFTER:
                later = table[table["block_trial"] >= n]
                if later.empty:
                    note = f"no probe after {n} trials of block {block}"
                    yield Row(np.nan, f"when_{n}", block, seed=seed, variant=variant, note=note)
                    continue
                for name in _WAY:
                    value = float(later[name].iloc[0])
                    several.setdefault((variant, block, f"{name}_{n}"), []).append(value)
                    yield Row(value, f"{name}_{n}", block, seed=seed, variant=variant)
            yield from _to_single(recording, block, groups[seed])
    for (variant, block, name), values in several.items():
        low, high = bootstrap_interval(values)
        note = "" if np.isfinite(low) else "an interval needs two or more seeds"
        yield Row(low, f"{name}_low", block, variant=variant, note=note)
        yield Row(high, f"{name}_high", block, variant=variant, note=note)


def _to_single(recording: xr.Dataset, block: int, own: Sequence[xr.Dataset]) -> Iterator[Row]:
    distances: dict[str, list[float]] = {"to_single": [], "to_others": []}
    for other, its, end in single_block_ends(own):
        if all(len(point) == weights(recording, name).shape[1] for name, point in zip(READOUTS, end, strict=True)):
            left = float(way_left(recording, block, end)["both"].iloc[-1])
            distances["to_single" if same_statistics(recording, block, other, its) else "to_others"].append(left)
    if distances["to_single"]:
        for name, found in distances.items():
            if found:
                yield Row(float(np.mean(found)), name, block, seed=selection.seed(recording),
                          variant=str(recording.attrs.get("variant", "")))  # fmt: skip
