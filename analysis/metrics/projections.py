"""What the network's states show when they are projected on the "what" or on the "when" subspace.

Alignment says how much of the states' variance either subspace holds; cross-decoding, how well time can be read from
the "what" subspace and the coming event from the "when" subspace, and the other way round. Random subspaces of the
same dimensions are read in the same way: much can be read from any projection of a high-dimensional state.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from izhires.analysis import nulls, selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics.base import Item, Row, metric
from izhires.analysis.metrics.subspaces import weight_vectors
from izhires.analysis.statistics import ANY, SHARE, difference_of

if TYPE_CHECKING:
    import xarray as xr

DRAWS = 100
"""Random subspaces of either kind."""
TIME_BIN = 0.05
"""Length (s) of the stretches of time that are told apart."""
READOUTS = ("what", "when")
NULLS = {"isotropic": "isotropic random subspaces", "covariance": "random subspaces with the state's second moment"}


def alignment_index(states: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Return the share of the states' variance in a subspace, over the largest share that so many dimensions can hold.

    A = tr(D^T C D) / (sum of the k largest eigenvalues of C), C the covariance of the states (Elsayed et al. 2016).

    Parameters
    ----------
    states : ndarray, (sample, neuron)
    basis : ndarray, (..., neuron, k)
        D, orthonormal.

    Returns
    -------
    ndarray, (...)
        1 for the leading principal components, 0 for directions in which the states do not vary.

    Raises
    ------
    Unavailable
        If the states do not vary.
    """
    centred = states - states.mean(0)
    gram = centred @ centred.T if len(centred) < centred.shape[1] else centred.T @ centred
    largest = np.linalg.eigvalsh(gram)[::-1][: basis.shape[-1]].sum()
    if not largest > 0:
        raise Unavailable("the states do not vary")
    power = (project(centred, basis.reshape(-1, *basis.shape[-2:])) ** 2).sum((-1, -2))
    return power.reshape(basis.shape[:-2]) / largest


def project(states: np.ndarray, bases: np.ndarray) -> np.ndarray:
    """Return states (sample, neuron) in each of some bases (basis, neuron, k), as (basis, sample, k)."""
    count, neurons, dimensions = bases.shape
    flat = states @ bases.transpose(1, 0, 2).reshape(neurons, count * dimensions)  # one product for all
    return flat.reshape(len(states), count, dimensions).transpose(1, 0, 2)


def decode(features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the balanced accuracy of linear discriminant analysis, each probe decoded by a fit to all the others.

    Classes have equal prior probability and share the covariance S of what remains within classes; a sample f goes to
    the class with the largest f^T S^-1 m_c - m_c^T S^-1 m_c / 2, where m_c is the mean of class c. It is written out
    here so that it runs over all random subspaces at once; the tests compare it with that of scikit-learn.

    Parameters
    ----------
    features : ndarray, (..., probe, sample, k)
    labels : ndarray of int, (sample,)
        Class of each sample from 0 on, the same in every probe; -1 for samples to leave out.

    Returns
    -------
    ndarray, (...)
        Mean over classes of the fraction decoded rightly; by chance 1 / classes.
    """
    used = labels >= 0
    features, labels = features[..., used, :], labels[used]
    member = (labels == np.arange(labels.max() + 1)[:, None]).astype(float)
    count = member.sum(1)
    sums = member @ features
    squares = np.swapaxes(features, -1, -2) @ features
    probes = features.shape[-3]
    recalled = np.zeros(features.shape[:-3])
    for held in range(probes):
        rest = [probe for probe in range(probes) if probe != held]
        means = sums[..., rest, :, :].sum(-3) / (count * len(rest))[:, None]
        within = squares[..., rest, :, :].sum(-3) - len(rest) * np.swapaxes(means, -1, -2) @ (count[:, None] * means)
        # a share of 1e-9 keeps a direction without any spread from having no inverse
        size = np.trace(within, axis1=-2, axis2=-1)[..., None, None] + np.finfo(float).tiny
        weights = np.linalg.solve(within / size + 1e-9 * np.eye(within.shape[-1]), np.swapaxes(means, -1, -2) / size)
        offset = (np.swapaxes(means, -1, -2) * weights).sum(-2) / 2
        chosen = (features[..., held, :, :] @ weights - offset[..., None, :]).argmax(-1)
        recalled += ((chosen == labels) @ (member / count[:, None]).T).mean(-1)
    return recalled / probes


def event_labels(recording: xr.Dataset, block: int, times: np.ndarray) -> np.ndarray:
    """Return the index of the event whose latency lies within its width of each time, -1 for none or several.

    Raises
    ------
    Unavailable
        If fewer than two events have a time of their own.
    """
    near = []
    for event in selection.events(recording):
        latencies, chances = selection.event_latencies(recording, block, event)
        width = float(recording.attrs["event_width"]) + 1e-9
        near.append((np.abs(times[:, None] - latencies[chances > 0]) <= width).any(1))
    alone = np.array(near) & (np.sum(near, 0) == 1)
    own = alone[alone.any(1)]
    if len(own) < 2:
        raise Unavailable(f"fewer than two events have a time of their own in block {block}")
    return np.where(own.any(0), own.argmax(0), -1)


def _bases(recording: xr.Dataset, block: int) -> dict[str, np.ndarray | Unavailable]:
    """Return an orthonormal basis of each readout's subspace, or why there is none."""
    try:
        what, when, _ = weight_vectors(recording, selection.last_probe(recording, block), without_mean=False)
    except Unavailable as reason:
        return dict.fromkeys(READOUTS, reason)
    return {"what": np.linalg.qr(what)[0], "when": np.linalg.qr(when)[0]}


def _null_rows(name: str, value: float, null: str, draws: np.ndarray, block: int) -> Iterator[Row]:
    against = nulls.compare(value, draws)
    yield Row(against.mean, f"{name}_{null}_mean", block)
    yield Row(against.difference, f"{name}_{null}_difference", block)
    yield Row(nulls.effect(value, draws), f"{name}_{null}_effect", block)
    yield Row(against.p_two_sided, f"{name}_{null}_p", block)


def _null_parts(name: str, text: str) -> dict[str, Item]:
    return {
        f"{name}_{null}_{kind}": Item(
            about,
            "1",
            kind != "difference",
            kind not in ("mean", "p"),
            {"difference": difference_of(SHARE), "effect": ANY}.get(kind),
        )
        for null, what in NULLS.items()
        for kind, about in (
            ("mean", f"mean of: {text}, of {what}"),
            ("difference", f"{text}, less the mean of {what}: its interval over seeds is the test"),
            ("effect", f"(value - mean) / standard deviation of the null: {text} against {what}"),
            ("p", f"two-sided p within one network, uncorrected: {text} against {what}"),
        )
    }


def _draws(states: np.ndarray, dimensions: int, seed: int) -> dict[str, np.ndarray]:
    """Return bases of random subspaces of either kind, (draw, neuron, dimension)."""
    return {
        "isotropic": nulls.isotropic_bases(states.shape[1], dimensions, DRAWS),
        "covariance": nulls.state_bases(states, dimensions, np.random.default_rng([3, seed]), DRAWS),
    }


@metric(
    "state_alignment",
    unit="1",
    within=SHARE,
    description="share of the states' variance in the what and in the when subspace, against random subspaces",
    definition=(
        "alignment index tr(D^T C D) / sum of the k largest eigenvalues of C; D: orthonormal basis of the k dimensions "
        "spanned by the weights at the last probe of the block; C: covariance of state_trace within the window at the "
        f"recorded probes of the block; against {DRAWS} isotropic random subspaces and {DRAWS} spans of vectors from "
        "N(0, uncentred second moment of all recorded states)"
    ),
    source="Elsayed et al. 2016, doi 10.1038/ncomms13239",
    needs=("what_weights", "when_weights", "state_trace"),
    parts={
        part: about
        for name in READOUTS
        for text in (f"alignment index of the states with the {name} subspace",)
        for part, about in {name: Item(text), **_null_parts(name, text)}.items()
    },
)
def state_alignment(recording: xr.Dataset) -> Iterator[Row]:
    """Alignment of the states of each block with both readouts' subspaces."""
    everything = selection.state_samples(recording, selection.state_probes(recording))
    draws: dict[int, dict[str, np.ndarray]] = {}
    for block in selection.blocks(recording):
        for name, basis in _bases(recording, block).items():
            try:
                if isinstance(basis, Unavailable):
                    raise basis
                states = selection.state_samples(recording, selection.probes(recording, block))
                size = basis.shape[1]
                if size not in draws:
                    draws[size] = _draws(everything, size, selection.seed(recording))
                found = alignment_index(states, np.concatenate([basis[None], *draws[size].values()]))
            except Unavailable as reason:
                yield Row(np.nan, name, block, note=str(reason))
                continue
            value = float(found[0])
            yield Row(value, name, block)
            for null, chance in zip(draws[size], np.split(found[1:], len(draws[size])), strict=True):
                yield from _null_rows(name, value, null, chance, block)


_TARGETS = {"event": "which event's time it is", "time": f"which {1e3 * TIME_BIN:.0f}-ms stretch of the window it is"}


def _decoding_parts() -> dict[str, Item]:
    parts = {}
    for target, about in _TARGETS.items():
        parts[f"{target}_chance"] = Item(f"1 / classes: chance level of decoding {about}", detail=True, interval=False)
        for name in READOUTS:
            text = f"balanced accuracy of decoding {about} from the {name} subspace"
            parts |= {f"{target}_from_{name}": Item(text), **_null_parts(f"{target}_from_{name}", text)}
    return parts


_DEFINITION = (
    "linear discriminant analysis with equal priors of state_trace projected on the span of the weights at the last "
    "probe of the block; every recorded probe is decoded by a fit to all others; mean over classes of the fraction "
    "right. Event: samples within event_width of a latency of one event alone in this block; time: every sample of the "
    f"window, in stretches of {1e3 * TIME_BIN:.0f} ms. Against {DRAWS} isotropic random subspaces and {DRAWS} spans of "
    "vectors from N(0, uncentred second moment of all recorded states). Probes are cue-only: what is decoded of the "
    "event is whose time it is, nothing that the network was shown"
)
_SOURCE = (
    "linear discriminant analysis: Fisher 1936, doi 10.1111/j.1469-1809.1936.tb02137.x; cross-decoding: this project"
)


@metric(
    "decoding",
    unit="1",
    within=SHARE,
    description="time and event decoded from the states in the what and in the when subspace, against random subspaces",
    definition=_DEFINITION,
    source=_SOURCE,
    needs=("what_weights", "when_weights", "state_trace"),
    parts=_decoding_parts(),
)
def decoding(recording: xr.Dataset) -> Iterator[Row]:
    """Time and event read from either subspace, in each block."""
    chosen = selection.state_probes(recording)
    if len(chosen) < 2:
        raise Unavailable("needs states of two or more probes: each is decoded by a fit to the others")
    states = selection.state_samples(recording, chosen)
    times = selection.state_times(recording)
    stretches = np.unique(np.floor(times / TIME_BIN + 1e-6), return_inverse=True)[1]
    shape = (len(chosen), len(times))
    projected: dict[int, dict[str, np.ndarray]] = {}
    read: dict[tuple[int, str, bytes], np.ndarray] = {}  # random subspaces do not change from block to block
    for block in selection.blocks(recording):
        labels: dict[str, np.ndarray | Unavailable] = {"time": stretches}
        try:
            labels["event"] = event_labels(recording, block, times)
        except Unavailable as reason:
            labels["event"] = reason
        bases = _bases(recording, block)
        for target in _TARGETS:
            classes = labels[target]
            if isinstance(classes, Unavailable):
                yield Row(np.nan, f"{target}_from_when", block, note=str(classes))
                continue
            yield Row(1 / (classes.max() + 1), f"{target}_chance", block)
            for name, basis in bases.items():
                part = f"{target}_from_{name}"
                if isinstance(basis, Unavailable):
                    yield Row(np.nan, part, block, note=str(basis))
                    continue
                value = float(decode((states @ basis).reshape(*shape, -1), classes))
                yield Row(value, part, block)
                size = basis.shape[1]
                if size not in projected:
                    projected[size] = {
                        null: project(states, each).reshape(DRAWS, *shape, size)
                        for null, each in _draws(states, size, selection.seed(recording)).items()
                    }
                for null, features in projected[size].items():
                    key = (size, null, classes.tobytes())
                    if key not in read:
                        read[key] = decode(features, classes)
                    yield from _null_rows(part, value, null, read[key], block)
