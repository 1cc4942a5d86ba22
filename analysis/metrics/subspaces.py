"""How the subspaces of the "what" and of the "when" weights lie to each other: angles, overlap, alignment.

Four nulls say what each number would be by chance: isotropic random subspaces; random subspaces with the second moment
of the network's own states; the same weights with the neurons of "what" shuffled; and the network's own weights before
it learned. Everything is also given with the direction of the mean state projected out. The angles themselves and their
distance from the first two nulls stand in the metrics ``angle`` and ``angle_without_mean``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from izhires.analysis import nulls, selection
from izhires.analysis.declared import Unavailable, require
from izhires.analysis.metrics.base import Item, Row, metric
from izhires.analysis.statistics import ANGLE, ANY, CORRELATION, SHARE, Range, difference_of

if TYPE_CHECKING:
    import xarray as xr

DRAWS = 300
"""Draws of each null."""

MEASURES = {
    "smallest": ("smallest principal angle", "deg"),
    "largest": ("largest principal angle", "deg"),
    "overlap": ("overlap of the projections on the two subspaces", "1"),
    "when_in_what": ("alignment index of the when weights with the what subspace", "1"),
    "what_in_when": ("alignment index of the what weights with the when subspace", "1"),
}
ANGLES = ("smallest", "largest")
NULLS = {
    "isotropic": "isotropic random subspaces",
    "covariance": "random subspaces with the state's second moment",
    "shuffle": "the same weights, neurons of what shuffled",
}
BEFORE = "before"
"""Name of the comparison with the weights before learning, which has one value a network and no distribution."""


def relate(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return how two sets of vectors lie to each other.

    With Q1, Q2 orthonormal bases of the spans, of dimensions k and m, and cos_i the singular values of Q1^T Q2:

    - angles arccos(cos_i), the smallest and the largest of them;
    - overlap = sum_i cos_i^2 / min(k, m) = ||Q1^T Q2||_F^2 / min(k, m): 1 when the smaller span lies in the larger
      one, 0 when they are orthogonal;
    - alignment index of B with A (Elsayed et al. 2016): tr(Q_A^T C_B Q_A) / sum of the largest dim(A) eigenvalues of
      C_B, with C_B = B B^T, the second moment of the vectors: the share of B's power within the span of A, over the
      largest share that a subspace of that dimension can hold.

    Parameters
    ----------
    one : ndarray, (..., neuron, k)
        Linearly independent vectors.
    other : ndarray, (..., neuron, m)

    Returns
    -------
    ndarray, (..., 5)
        In the order of `MEASURES` with ``one`` as what and ``other`` as when: smallest and largest angle (degrees),
        overlap, alignment of ``other`` with the span of ``one``, and of ``one`` with the span of ``other``.
    """
    (first, own), (second, others) = np.linalg.qr(one), np.linalg.qr(other)
    inner = np.swapaxes(first, -1, -2) @ second
    cosines = np.clip(np.linalg.svd(inner, compute_uv=False), 0, 1)
    angles = np.degrees(np.arccos(cosines[..., [0, -1]]))
    overlap = (cosines**2).mean(-1)
    held = []
    for product, coordinates, dimension in (
        (inner, others, one.shape[-1]),
        (np.swapaxes(inner, -1, -2), own, other.shape[-1]),
    ):
        powers = np.linalg.svd(coordinates, compute_uv=False)[..., :dimension] ** 2
        held.append(((product @ coordinates) ** 2).sum((-1, -2)) / powers.sum(-1))
    shares = np.broadcast_arrays(overlap, *held)
    return np.concatenate([angles, np.stack(shares, -1)], -1)


def principal_vectors(weights: np.ndarray, name: str, removed: np.ndarray | None = None) -> np.ndarray:
    """Return linearly independent vectors (neuron, rank) with the span and the second moment of (event, neuron).

    Raises
    ------
    Unavailable
        If nothing is left, also after a direction (neuron,) was projected out.
    """
    vectors = np.asarray(weights, float).T
    if not vectors.any():
        raise Unavailable(f'all "{name}" weights are zero')
    scale = float(np.linalg.norm(vectors, 2))
    left = vectors if removed is None else nulls.without(vectors, removed)
    basis = nulls.span(left, scale)
    if not basis.shape[1]:
        raise Unavailable(f'the "{name}" weights are parallel to the mean state: nothing is left without it')
    turn, size, _ = np.linalg.svd(basis.T @ left, full_matrices=False)
    return basis @ (turn * size)


def vector_pair(
    what: np.ndarray, when: np.ndarray, mean_state: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return `principal_vectors` of both weights (event, neuron), without the direction of a mean state (neuron,).

    Raises
    ------
    Unavailable
    """
    if mean_state is not None and not mean_state.any():
        raise Unavailable("the mean state is zero: it has no direction to remove")
    return principal_vectors(what, "what", mean_state), principal_vectors(when, "when", mean_state)


def weight_vectors(
    recording: xr.Dataset, probe: int, *, without_mean: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return `vector_pair` of the weights at a probe, and the direction removed.

    Raises
    ------
    Unavailable
    """
    what, when = (
        recording[f"{name}_weights"].isel(probe=probe).transpose("event", "neuron").values for name in ("what", "when")
    )
    removed = recording["mean_state"].isel(probe=probe).values.astype(float) if without_mean else None
    return *vector_pair(what, when, removed), removed


@lru_cache(maxsize=32)
def _isotropic(neurons: int, shape: tuple[int, int]) -> np.ndarray:
    rng = np.random.default_rng([neurons, *shape])
    return np.concatenate([relate(*pair) for pair in nulls.random_pairs(np.ones(neurons), shape, rng, DRAWS)])


def null_relations(
    recording: xr.Dataset, block: int, what: np.ndarray, when: np.ndarray, removed: np.ndarray | None
) -> Iterator[tuple[str, np.ndarray | Unavailable]]:
    """Yield each null's name and `relate` of its draws, (draw, 5), or why there are none."""
    shape = (what.shape[1], when.shape[1])
    yield "isotropic", _isotropic(len(what) - (removed is not None), shape)
    rng = np.random.default_rng([selection.seed(recording), block])
    try:
        scales = nulls.state_scales(selection.state_samples(recording, selection.probes(recording, block)), removed)
        pairs = nulls.random_pairs(scales, shape, rng, DRAWS)
        yield "covariance", np.concatenate([relate(*pair) for pair in pairs])
    except Unavailable as reason:
        yield "covariance", reason
    yield "shuffle", np.concatenate([relate(moved, when) for moved in nulls.shuffled(what, rng, DRAWS, removed)])


def course(recording: xr.Dataset, *, without_mean: bool) -> pd.DataFrame:
    """Return the relation of the two subspaces at every probe, so that one sees it change while the network learns.

    Returns
    -------
    pandas.DataFrame
        Columns probe, block, block_trial, probe_trial, those of `MEASURES`, and for each angle and overlap
        ``NAME_isotropic``: the mean of isotropic random subspaces of the same dimensions. Probes at which either
        weights are zero are left out.
    """
    whats, whens = (
        recording[f"{name}_weights"].transpose("probe", "event", "neuron").values.astype(float)
        for name in ("what", "when")
    )
    means = recording["mean_state"].transpose("probe", "neuron").values.astype(float) if without_mean else None
    columns = {name: recording[name].values for name in ("block", "block_trial", "probe_trial")}
    rows = []
    for probe in range(recording.sizes["probe"]):
        try:
            what, when = vector_pair(whats[probe], whens[probe], None if means is None else means[probe])
        except Unavailable:
            continue
        chance = _isotropic(len(what) - without_mean, (what.shape[1], when.shape[1])).mean(0)
        about = {name: int(values[probe]) for name, values in columns.items()}
        found = dict(zip(MEASURES, relate(what, when).tolist(), strict=True))
        by_chance = {f"{name}_isotropic": value for name, value in zip(MEASURES, chance.tolist(), strict=True)}
        rows.append({"probe": probe, **about, **found, **by_chance})
    return pd.DataFrame(rows)


def _difference(name: str) -> Range:
    return difference_of(ANGLE if name in ANGLES else SHARE)


def _parts() -> dict[str, Item]:
    parts = {name: Item(text, unit) for name, (text, unit) in MEASURES.items() if name not in ANGLES}
    for name, (text, unit) in MEASURES.items():
        listed = {null: what for null, what in NULLS.items() if name not in ANGLES or null == "shuffle"}
        for null, what in listed.items():
            parts[f"{name}_{null}_mean"] = Item(
                f"mean of: {text}, of {what}", unit, True, False, ANGLE if name in ANGLES else None
            )
            parts[f"{name}_{null}_difference"] = Item(
                f"{text}, less the mean of {what}", unit, name != "overlap", within=_difference(name)
            )
            parts[f"{name}_{null}_p"] = Item(
                f"two-sided p within one network, uncorrected: {text} against {what}", "1", True, False
            )
        for null, what in NULLS.items():
            parts[f"{name}_{null}_effect"] = Item(
                f"(value - mean) / standard deviation of the null: {text} against {what}", "1", True, within=ANY
            )
            parts |= _tests(f"{name}_{null}", f"{text} less the mean of {what}")
        parts[f"{name}_{BEFORE}_difference"] = Item(
            f"{text}, less that of the weights before learning", unit, True, within=_difference(name)
        )
        parts |= _tests(f"{name}_{BEFORE}", f"{text} less that of the weights before learning")
    return parts


def _tests(name: str, text: str) -> dict[str, Item]:
    return {
        f"{name}_seeds_d": Item(f"Cohen's d over seeds (mean / standard deviation): {text}", "1", True, False, ANY),
        f"{name}_seeds_holm": Item(f"t test over seeds, Holm's adjusted p: {text}", "1", True, False),
    }


def _network(recording: xr.Dataset, block: int, *, without_mean: bool) -> Iterator[tuple[Row, str]]:
    """Yield the rows of one block of one network; for a difference also the name of what is tested, else empty."""
    what, when, removed = weight_vectors(recording, selection.last_probe(recording, block), without_mean=without_mean)
    observed = dict(zip(MEASURES, relate(what, when).tolist(), strict=True))
    for name, value in observed.items():
        if name not in ANGLES:
            yield Row(value, name, block), ""
    for null, draws in null_relations(recording, block, what, when, removed):
        if isinstance(draws, Unavailable):
            yield Row(np.nan, f"overlap_{null}_difference", block, note=str(draws)), ""
            continue
        for column, (name, value) in enumerate(observed.items()):
            chance = draws[:, column]
            against = nulls.compare(value, chance)
            if name not in ANGLES or null == "shuffle":
                yield Row(against.mean, f"{name}_{null}_mean", block), ""
                yield Row(against.difference, f"{name}_{null}_difference", block), f"{name}_{null}"
                yield Row(against.p_two_sided, f"{name}_{null}_p", block), ""
            else:  # the metric `angle` gives the difference
                yield Row(against.difference, "", block), f"{name}_{null}"
            yield Row(nulls.effect(value, chance), f"{name}_{null}_effect", block), ""
    try:
        first = relate(*weight_vectors(recording, 0, without_mean=without_mean)[:2])
    except Unavailable as reason:
        yield (
            Row(np.nan, f"overlap_{BEFORE}_difference", block, note=f"no comparison with before learning: {reason}"),
            "",
        )
        return
    for column, (name, value) in enumerate(observed.items()):
        yield Row(value - first[column], f"{name}_{BEFORE}_difference", block), f"{name}_{BEFORE}"


def _subspaces(recordings: Sequence[xr.Dataset], *, without_mean: bool) -> Iterator[Row]:
    from dataclasses import replace

    tested: dict[tuple[str, int, str], list[float]] = {}
    needed = ("what_weights", "when_weights", *(["mean_state"] if without_mean else []))
    for recording in recordings:
        seed, variant = selection.seed(recording), str(recording.attrs.get("variant", ""))
        for block in selection.blocks(recording):
            try:
                require(recording, needed)
                for row, name in _network(recording, block, without_mean=without_mean):
                    if name:
                        tested.setdefault((variant, block, name), []).append(row.value)
                    if row.part:
                        yield replace(row, seed=seed, variant=variant)
            except Unavailable as reason:
                yield Row(np.nan, "overlap", block, seed=seed, variant=variant, note=str(reason))
    yield from over_seeds(tested)


def over_seeds(tested: dict[tuple[str, int, str], list[float]]) -> Iterator[Row]:
    """Yield Cohen's d and Holm's adjusted p of two-sided t tests over seeds, all of them as one family.

    Parameters
    ----------
    tested : dict
        (variant, block, name of the test) -> one difference from chance a seed.
    """
    from scipy.stats import ttest_1samp
    from statsmodels.stats.multitest import multipletests

    family = {key: np.asarray(values) for key, values in tested.items() if len(values) > 1 and np.ptp(values) > 0}
    if not family:
        if tested:
            yield Row(np.nan, "overlap_isotropic_seeds_holm", note="a test over seeds needs two or more seeds")
        return
    p = [float(ttest_1samp(values, 0).pvalue) for values in family.values()]
    adjusted = multipletests(p, method="holm")[1]
    for (key, values), each in zip(family.items(), adjusted, strict=True):
        variant, block, name = key
        yield Row(float(values.mean() / values.std(ddof=1)), f"{name}_seeds_d", block, variant=variant)
        yield Row(float(each), f"{name}_seeds_holm", block, variant=variant)


_DEFINITION = (
    "Q1, Q2: orthonormal bases of the what and of the when weight vectors of all events at the last probe of each "
    "block{}. overlap = ||Q1^T Q2||_F^2 / min(k, m); alignment index of B with A = tr(Q_A^T C_B Q_A) / sum of the "
    f"largest dim(A) eigenvalues of C_B, C_B = B B^T. Nulls: {DRAWS} draws each of pairs of isotropic random "
    "subspaces, of pairs from N(0, C) with C the uncentred second moment of state_trace at the recorded probes of the "
    "block, and of the same weights with the neurons of what in random order; and the weights at the first probe, "
    "before any learning. Over seeds: two-sided t test of value - mean of the null, Holm's correction over the family "
    "of all such tests of this metric (measures x nulls x blocks x variants of the folder)"
)
_SOURCE = (
    "alignment index: Elsayed et al. 2016, doi 10.1038/ncomms13239; angles: Bjorck & Golub 1973, doi 10.2307/2005662; "
    "p values: Phipson & Smyth 2010, doi 10.2202/1544-6115.1585; Holm 1979, Scand. J. Stat. 6:65"
)


@metric(
    "subspace",
    unit="1",
    within=SHARE,
    description="overlap and alignment of the what and when subspaces, against four nulls, with tests over seeds",
    definition=_DEFINITION.format(""),
    source=_SOURCE,
    scope="study",
    parts=_parts(),
)
def subspace(recordings: Sequence[xr.Dataset]) -> Iterator[Row]:
    """Relation of the subspaces as they are."""
    return _subspaces(recordings, without_mean=False)


@metric(
    "subspace_without_mean",
    unit="1",
    within=SHARE,
    description="the same with the direction of the mean state projected out of all vectors",
    definition=_DEFINITION.format(", after projecting out mean_state of that probe, in the nulls too"),
    source=_SOURCE,
    scope="study",
    parts=_parts(),
)
def subspace_without_mean(recordings: Sequence[xr.Dataset]) -> Iterator[Row]:
    """Relation of the subspaces without their common mean-rate direction."""
    return _subspaces(recordings, without_mean=True)


@metric(
    "subspace_change",
    unit="1",
    description="whether the what and when subspaces become more orthogonal while the network learns",
    definition=(
        "Spearman's rank correlation of the measure with the training trials completed, over all probes at which both "
        "weights are not zero, and the measure at the last of these probes less that at the first; without_mean: with "
        "mean_state of each probe projected out. By chance, with random subspaces at every probe, both are 0 on average"
    ),
    source="Spearman 1904, doi 10.2307/1412159",
    needs=("what_weights", "when_weights", "mean_state"),
    parts={
        f"{name}{mean}_{kind}": Item(
            f"{MEASURES[name][0]}{', without the mean direction' * bool(mean)}: {text}",
            MEASURES[name][1] if kind == "change" else "1",
            detail=kind == "change",
            within=_difference(name) if kind == "change" else CORRELATION,
        )
        for mean in ("", "_without_mean")
        for name in ("smallest", "overlap")
        for kind, text in (("rank_correlation", "rank correlation with trials"), ("change", "last less first probe"))
    },
)
def subspace_change(recording: xr.Dataset) -> Iterator[Row]:
    """Trend of the smallest angle and of the overlap over all probes of a recording."""
    for mean in ("", "_without_mean"):
        table = course(recording, without_mean=bool(mean))
        if len(table) < 3:
            note = "needs three or more probes at which neither weights are zero"
            yield Row(np.nan, f"smallest{mean}_rank_correlation", note=note)
            continue
        for name in ("smallest", "overlap"):
            rank = table[name].rank().corr(table["probe_trial"].rank())
            note = "" if np.isfinite(rank) else "constant over the probes"
            yield Row(float(rank), f"{name}{mean}_rank_correlation", note=note)
            yield Row(float(table[name].iloc[-1] - table[name].iloc[0]), f"{name}{mean}_change")
