"""Principal angles between the "what" and the "when" readouts, never without their chance levels.

Angles of any two subspaces with few vectors in many dimensions are near 90 degrees, so each angle stands beside two
nulls: isotropic random subspaces, and random subspaces with the second moment of the network's own states, in which
readouts that are built from states must lie. Both readouts may share the direction of the mean state, which says
nothing about what they encode, so each angle is also given with that direction removed. See `izhires.analysis.nulls`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from izhires.analysis import nulls, selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics.base import Item, Row, metric
from izhires.analysis.statistics import ANGLE, difference_of

if TYPE_CHECKING:
    import xarray as xr

SIZES = ("smallest", "largest")
NULLS = {"isotropic": "isotropic random subspaces", "covariance": "random subspaces with the state's second moment"}

_PARTS = {size: Item(f"{size} principal angle") for size in SIZES} | {
    f"{size}_{null}_{name}": Item(
        text.format(size=size, what=what),
        unit,
        detail,
        interval,
        difference_of(ANGLE) if name == "difference" else None,
    )
    for size in SIZES
    for null, what in NULLS.items()
    for name, text, unit, detail, interval in (
        ("difference", "{size} angle less the mean of {what}: its interval over seeds is the test", None, False, True),
        ("mean", "mean {size} angle of {what}", None, False, False),
        ("low", "2.5 percentile of the {size} angle of {what}", None, True, False),
        ("high", "97.5 percentile of the {size} angle of {what}", None, True, False),
        ("p_larger", "p, within one network, that the {size} angle of {what} is as large or larger", "1", True, False),
        ("p_two_sided", "two-sided p, within one network, of the {size} angle against {what}", "1", True, False),
    )
}


def principal_angles(
    what: np.ndarray, when: np.ndarray, removed: np.ndarray | None = None
) -> tuple[np.ndarray, tuple[int, int]]:
    """Return the principal angles between the spans of two sets of weight vectors.

    Parameters
    ----------
    what, when : ndarray, (event, neuron)
    removed : ndarray, (neuron,), optional
        A direction that is projected out of both first.

    Returns
    -------
    angles : ndarray
        Degrees, ascending; as many as the smaller of the two dimensions.
    shape : (int, int)
        Dimensions of the two subspaces.

    Raises
    ------
    Unavailable
        If either subspace is empty.
    """
    from scipy.linalg import subspace_angles

    bases = []
    for name, weights in (("what", what), ("when", when)):
        vectors = np.asarray(weights, float).T
        if not np.any(vectors):
            raise Unavailable(f'all "{name}" weights are zero')
        scale = float(np.linalg.norm(vectors, 2))
        bases.append(nulls.span(vectors if removed is None else nulls.without(vectors, removed), scale))
        if not bases[-1].shape[1]:
            raise Unavailable(f'the "{name}" weights are parallel to the mean state: nothing is left without it')
    one, other = bases
    return np.degrees(np.sort(subspace_angles(one, other))), (one.shape[1], other.shape[1])


def block_angles(recording: xr.Dataset, block: int, *, without_mean: bool) -> Iterator[Row]:
    """Yield both angles at the last probe of a block, and each against both nulls.

    Raises
    ------
    Unavailable
        If the angles cannot be computed. A null that cannot is a row with a note.
    """
    probe = selection.last_probe(recording, block)
    what, when = (recording[f"{name}_weights"].isel(probe=probe).transpose("event", "neuron").values
                  for name in ("what", "when"))  # fmt: skip
    removed = recording["mean_state"].isel(probe=probe).values.astype(float) if without_mean else None
    if removed is not None and not removed.any():
        raise Unavailable("the mean state is zero: it has no direction to remove")
    angles, shape = principal_angles(what, when, removed)
    observed = dict(zip(SIZES, (float(angles[0]), float(angles[-1])), strict=True))
    for size, value in observed.items():
        yield Row(value, size, block)
    yield from _against("isotropic", nulls.isotropic_angles(what.shape[1] - without_mean, shape), observed, block)
    try:
        samples = selection.state_samples(recording, selection.probes(recording, block))
        rng = np.random.default_rng([selection.seed(recording), block])
        chance = nulls.covariance_angles(samples, shape, rng, removed=removed)
    except Unavailable as reason:
        yield Row(np.nan, "smallest_covariance_difference", block, note=str(reason))
    else:
        yield from _against("covariance", chance, observed, block)


def _against(null: str, chance: np.ndarray, observed: dict[str, float], block: int) -> Iterator[Row]:
    for column, (size, angle) in enumerate(observed.items()):
        for name, value in asdict(nulls.compare(angle, chance[:, column])).items():
            yield Row(value, f"{size}_{null}_{name}", block)


def _angles(recording: xr.Dataset, *, without_mean: bool) -> Iterator[Row]:
    for block in selection.blocks(recording):
        try:
            yield from block_angles(recording, block, without_mean=without_mean)
        except Unavailable as reason:
            yield Row(np.nan, SIZES[0], block, note=str(reason))


_DEFINITION = (
    "principal angles (scipy.linalg.subspace_angles) between the spans of the what and of the when weight vectors of "
    "all events, at the last probe of each block{}; against "
    f"{nulls.DRAWS} pairs of random subspaces of the same dimensions, isotropic, and drawn from N(0, C) with "
    "C the uncentred second moment of state_trace within the window at the recorded probes of the block"
)
_SOURCE = (
    "Bjorck & Golub 1973, doi 10.2307/2005662; nulls: this project; "
    "p values: Phipson & Smyth 2010, doi 10.2202/1544-6115.1585"
)


@metric(
    "angle",
    unit="deg",
    within=ANGLE,
    description="principal angles between what and when readouts, against isotropic and covariance-matched subspaces",
    definition=_DEFINITION.format(""),
    source=_SOURCE,
    needs=("what_weights", "when_weights"),
    parts=_PARTS,
)
def angle(recording: xr.Dataset) -> Iterator[Row]:
    """Angles between the readouts as they are."""
    return _angles(recording, without_mean=False)


@metric(
    "angle_without_mean",
    unit="deg",
    within=ANGLE,
    description="the same angles and nulls with the direction of the mean state projected out of all vectors",
    definition=_DEFINITION.format(", after projecting out mean_state of that probe, in the nulls too"),
    source=_SOURCE,
    needs=("what_weights", "when_weights", "mean_state"),
    parts=_PARTS,
)
def angle_without_mean(recording: xr.Dataset) -> Iterator[Row]:
    """Angles between the readouts without their common mean-rate direction."""
    return _angles(recording, without_mean=True)
