"""Where the weights of both readouts lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from izhires.analysis.claims.base import OURS, Criterion, Runs, claim, errors
from izhires.analysis.statistics import ANGLE, SHARE, fisher_z

if TYPE_CHECKING:
    import xarray as xr

SINGLE = {1: "single_timing", 2: "single_probability", 3: "single_both"}
"""Studies of one block alone, with the statistics of each block after a switch."""


SWITCHES = {
    1: (("when",), "single_both"),
    2: (("what",), "single_timing"),
    3: (("when", "what"), "single_probability"),
}
"""Of each switch: the readouts whose statistics change, and a study that differs in just these."""


GRIDS = {"": ("grid", "330, 360 and 390 ms"), "_wide": ("grid_wide", "200, 360 and 520 ms")}
"""Studies of the conditions that the weights sort, by what their claims end with: latencies of A closer together than
an event is wide, of which the timing weights lie on a line, and wide apart."""


def _sorts(level: str, component: int, ends: str) -> None:
    study, latencies = GRIDS[ends]

    @claim(
        f"weights_sort_{level}{ends}",
        statement=f"the {('first', 'second')[component]} component of the readout weights sorts conditions by {level}"
        + (", also where the latencies lie wide apart" if ends else ""),
        published="shown, no figure",
        ours=f"|r| of component {component + 1} with the {level} of A",
        control=f"|r| with permuted {'probabilities' if level == 'probability' else 'latencies'}",
        unit="r",
        studies=(study,),
        tests={
            "ours": Criterion("|r| (limit assumed)", ">", 0.9, correlation=True),
            "difference": Criterion("Fisher's z of |r| less that of chance", ">", 0),
        },
        where=f"MEET, ends of 9 blocks of 80 trials: p(A) .2, .5, .8 at latencies of A {latencies}, B at 700 ms",
        within=dict.fromkeys(("ours", "control"), SHARE),
    )
    def measure(runs: Runs) -> dict[str, float]:
        from izhires.analysis.metrics.weight_space import components

        part = f"pc{component + 1}_{level}"
        found = {row.part: row.value for row in components(runs[study])}
        ours, chance = found[part], found[f"{part}_chance"]
        return {"ours": ours, "control": chance, "difference": float(fisher_z(ours) - fisher_z(chance))}

    measure.__qualname__ = f"weights_sort_{level}{ends}"


for _ends in GRIDS:
    _sorts("probability", 0, _ends)
    _sorts("latency", 1, _ends)


@claim(
    "weights_reach_endpoints",
    statement="after a switch the weights move to the end point of the matching single-block condition",
    published="shown, no figure",
    ours="way left at the end of the block, mean over switches",
    control="way left to the end point of a condition that differs in what switched",
    studies=("default", *SINGLE.values()),
    tests={
        "ours": Criterion("way left (limit assumed)", "<", 0.5),
        "difference": Criterion("control less ours", ">", 0),
    },
    where="MEET, last probe of blocks 1 to 3; single blocks of the same statistics and seeds",
    within=errors(),
)
def weights_reach_endpoints(runs: Runs) -> dict[str, float]:
    """Distance to the end of a network that only ever knew the new statistics, over that before the switch.

    Of the readout whose statistics switch: the other has nowhere to go.
    """
    from izhires.analysis import selection
    from izhires.analysis.metrics.weight_space import weights

    (recording,) = runs["default"]

    def way(block: int, study: str) -> float:
        squares = []
        for name in SWITCHES[block][0]:
            every = weights(recording, name)
            end, own = (weights(runs[each][0], name)[-1] for each in (study, SINGLE[block]))
            here, before = (
                every[selection.last_probe(recording, block)],
                every[selection.before_probe(recording, block)],
            )
            squares.append(float(((here - end) ** 2).sum() / ((before - own) ** 2).sum()))
        return float(np.sqrt(np.mean(squares)))

    return {
        "ours": float(np.mean([way(block, SINGLE[block]) for block in SWITCHES])),
        "control": float(np.mean([way(block, other) for block, (_, other) in SWITCHES.items()])),
    }


def raw_weights(recording: xr.Dataset) -> dict[str, np.ndarray]:
    """Return the weights of both readouts at the last probe, both on rates in Hz, (event, neuron).

    "what" reads rates as they are; "when" reads s = (r - mean)/sqrt(variance + smallest_spread^2), so that on rates its
    weights are W/sqrt(variance + smallest_spread^2), with the running variance at the end of the run.

    Raises
    ------
    Unavailable
        If the recording does not hold that variance.
    """
    from izhires.analysis.declared import require
    from izhires.declare import in_si
    from izhires.recordings.recording import configuration

    require(recording, ["state_variance"])
    smallest = in_si(configuration(recording)["state"]["smallest_spread"], "Hz")
    spread = np.sqrt(recording["state_variance"].values[-1] + smallest**2)
    what, when = (
        recording[f"{name}_weights"].isel(probe=-1).transpose("event", "neuron").values.astype(float)
        for name in ("what", "when")
    )
    return {"what": what, "when": when / spread}


def effective(weights: np.ndarray) -> np.ndarray:
    """Return the leading left singular vectors (neuron, rank) of weights (event, neuron), as many as they fill.

    The rank is the participation ratio of the squared singular values, (sum s^2)^2 / sum s^4, rounded: a direction that
    holds a few per cent of the weights is none.
    """
    left, size, _ = np.linalg.svd(weights.T, full_matrices=False)
    return left[:, : round(float((size**2).sum() ** 2 / (size**4).sum()))]


def _angle(runs: Runs, *, without_mean: bool) -> dict[str, float]:
    from scipy.linalg import subspace_angles

    from izhires.analysis import nulls, selection

    (recording,) = runs["states"]
    found = raw_weights(recording)
    removed = recording["mean_state"].isel(probe=-1).values.astype(float) if without_mean else None
    if removed is not None:
        found = {name: nulls.without(each.T, removed).T for name, each in found.items()}
    bases = [effective(each) for each in found.values()]
    shape = (bases[0].shape[1], bases[1].shape[1])
    angle = float(np.degrees(subspace_angles(*bases).min()))
    chance = nulls.isotropic_angles(len(bases[0]) - without_mean, shape)[:, 0]
    result = {"ours": angle, "control": float(chance.mean()), "isotropic": angle - float(chance.mean())}
    result |= {"what": float(shape[0]), "when": float(shape[1])}
    if without_mean:
        samples = selection.state_samples(recording, selection.probes(recording, selection.blocks(recording)[-1]))
        rng = np.random.default_rng([selection.seed(recording), 5])
        matched = nulls.covariance_angles(samples, shape, rng, removed=removed)[:, 0]
        result["covariance"] = angle - float(matched.mean())
    return result


_BESIDE = {"what": "effective rank of the what weights", "when": "effective rank of the when weights"}
_ANGLES = dict.fromkeys(("ours", "control"), ANGLE) | dict.fromkeys(_BESIDE, (1.0, np.inf))
_WHERE = "MEET, last probe; both readouts in raw rates (Hz), at their effective ranks"


@claim(
    "orthogonal",
    statement="what and when readouts lie in near-orthogonal subspaces",
    published="near-orthogonal, no figure",
    ours="smallest principal angle",
    control="isotropic random subspaces of the same dimensions",
    unit="deg",
    studies=("states",),
    tests={"isotropic": Criterion("angle less that of isotropic random subspaces (1 degree assumed)", ">", -1)},
    where=_WHERE,
    beside=_BESIDE,
    within=_ANGLES,
)
def orthogonal(runs: Runs) -> dict[str, float]:
    """Smallest angle against isotropic chance, which decides: a covariance null shares the mean state, as both do."""
    return _angle(runs, without_mean=False)


@claim(
    "orthogonal_without_mean",
    statement="... and so they do when the direction of the mean state, which both may share, is removed",
    published="not examined",
    ours="smallest principal angle, mean state removed",
    control="isotropic random subspaces of the same dimensions",
    unit="deg",
    studies=("states",),
    tests={"isotropic": Criterion("angle less that of isotropic random subspaces (1 degree assumed)", ">", -1)},
    where=f"{_WHERE}, mean state projected out of both, and of the nulls",
    source=OURS,
    beside={
        **_BESIDE,
        "covariance": "angle less that of random subspaces with the states' second moment, mean removed from both",
    },
    within=_ANGLES,
)
def orthogonal_without_mean(runs: Runs) -> dict[str, float]:
    """Smallest angle without the mean state."""
    return _angle(runs, without_mean=True)
