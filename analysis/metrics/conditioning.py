"""Conditioning: dopamine at a stimulus, at a reward, and where it stays away; and a model without a network."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics.base import Item, Row, metric
from izhires.declare import parse_quantity

if TYPE_CHECKING:
    import xarray as xr

RELEASED = "dopamine_released"
NEEDS = (RELEASED, f"{RELEASED}_time", "input_onset", "input_channel", "input_duration", "trial_event", "trial_cue")

WINDOWS = {"cs": (0, 300), "onset": (0, 100), "us": (-100, 200), "after": (0, 200)}
"""In which times (ms) a response lies, from the onset of the CS, and from the time of the US."""
RAMP = ((-400, -200), (-200, 0))
"""Two stretches before the time of the US (ms): a ramp is more in the second."""
BIN = 50
"""Milliseconds of which a negative sum is scaled in `ramp_scaled`."""
SCALE = 1 / 6
"""What a negative error counts against a positive one."""
FIRST, LAST = 5, 20
"""Trials of a cue at the start and the end of a phase."""
RATES = np.geomspace(0.0005, 0.5, 120)
"""Learning rates that are tried for the model without a network."""
NIV = "Niv, Duff & Dayan 2005, doi 10.1186/1744-9081-1-6"


def rescorla_wagner(
    stimuli: Sequence[Sequence[str]], rewarded: np.ndarray, learned: np.ndarray, rate: float, context: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return what is predicted in each trial, by the rule of Rescorla and Wagner.

    The prediction V is the sum of the strengths of a trial's stimuli, and each of these moves by ``rate*(r - V)``,
    r = 1 with a US, else 0.

    Parameters
    ----------
    stimuli : sequence of sequence of str
        What is present in each trial.
    rewarded, learned : ndarray of bool, (trial,)
        Whether the US came, and whether there is learning.
    rate : float
    context : bool
        Whether there is a further stimulus, present in all trials and before the others.

    Returns
    -------
    total : ndarray, (trial,)
        V before the US.
    before : ndarray, (trial,)
        What the context alone predicts, 0 without one. The rest of V comes with the CS.
    """
    strength: dict[str, float] = {}
    place, total, before = 0.0, np.zeros(len(stimuli)), np.zeros(len(stimuli))
    for k, present in enumerate(stimuli):
        before[k], total[k] = place, place + sum(strength.get(each, 0.0) for each in present)
        if learned[k]:
            change = rate * (float(rewarded[k]) - total[k])
            place += change * context
            strength |= {each: strength.get(each, 0.0) + change for each in present}
    return total, before


class Fitted(NamedTuple):
    """The model without a network, at the rate that fits a network's responses to the CS best.

    Parameters
    ----------
    rate : float
    cs, us, omission : ndarray, (trial,)
        Its responses to the CS, to the US, and to the US that stays away.
    explained : float
        Of the network's responses to the CS: 1 - (sum of squares that is left)/(sum of squares about the mean).
    """

    rate: float
    cs: np.ndarray
    us: np.ndarray
    omission: np.ndarray
    explained: float


def fitted(trials: pd.DataFrame, worth: float, context: bool = False) -> Fitted:
    """Fit the rate of `rescorla_wagner` to a network's responses to the CS, by least squares.

    Parameters
    ----------
    trials : pandas.DataFrame
        As `trials_of` returns them.
    worth : float
        What a certain US is worth at the onset of the CS.
    context : bool
        As `rescorla_wagner` takes it.
    """
    rewarded, learned = trials["rewarded"].to_numpy(bool), trials["learn"].to_numpy(bool)
    stimuli, responses = list(trials["stimuli"]), trials["cs"].to_numpy(float)
    courses = [rescorla_wagner(stimuli, rewarded, learned, rate, context) for rate in RATES]
    left = [float(((responses - worth * (total - before)) ** 2).sum()) for total, before in courses]
    best = int(np.argmin(left))
    total, before = courses[best]
    about = float(((responses - responses.mean()) ** 2).sum())
    explained = 1 - left[best] / about if about > 0 else float("nan")
    return Fitted(float(RATES[best]), worth * (total - before), 1 - total, -total, explained)


def scaled(released: np.ndarray) -> np.ndarray:
    """Return what is released in each bin (trial, ms -> bin), where less than nothing counts a sixth."""
    binned = released.reshape(len(released), -1, BIN).sum(axis=2)
    return np.where(binned < 0, SCALE * binned, binned)


def sessions(recordings: Sequence[xr.Dataset]) -> Iterator[tuple[str, list[xr.Dataset]]]:
    """Yield the design and the recordings, one a cue, of each network.

    Raises
    ------
    Unavailable
        If recordings are of another paradigm.
    """
    found: dict[tuple[str, int], list[xr.Dataset]] = {}
    for each in recordings:
        if each.attrs.get("paradigm") != "trace_conditioning":
            raise Unavailable("needs recordings of the paradigm trace_conditioning")
        design = str(each.attrs.get("variant", "")).partition(" ")[0]
        found.setdefault((design, selection.seed(each)), []).append(each)
    for (design, _), several in found.items():
        yield design, several


def trials_of(several: Sequence[xr.Dataset]) -> pd.DataFrame:
    """Return the responses of one network, trial by trial.

    Parameters
    ----------
    several : sequence of xarray.Dataset
        The recordings, one a cue, as `izhires.analysis.selection.by_cue` makes them.

    Returns
    -------
    pandas.DataFrame
        In order of time: trial, block, cue, stimuli (tuple), kind, learn, rewarded, and what was released in each of
        `WINDOWS` (columns cs, onset, us, after), ramp and ramp_scaled (per 100 ms).

    Raises
    ------
    Unavailable
        If the US has no latency, or several.
    """
    late = {round(float(t) * 1e3) for each in several for t in each["outcome_latency"].values}
    if len(late) != 1:
        raise Unavailable(f"needs a US at one latency, got {len(late)}")
    us, parts = late.pop(), []
    for each in several:
        released, cues = each[RELEASED].values[:, 0], np.rint(each["trial_cue"].values * 1e3).astype(int)
        start = round(float(each[f"{RELEASED}_time"].values[0]) * 1e3)

        def around(
            low: int, high: int, at: int = 0, values: np.ndarray = released, cues: np.ndarray = cues - start
        ) -> np.ndarray:
            return values[cues[:, None] + np.arange(at + low, at + high)]

        names = each["input_channel"].values.astype(str)
        pulse = np.abs(each["input_duration"].values - float(each.attrs["cue_duration"])) < 5e-4
        heard = pulse & (np.abs(each["input_onset"].values - each["trial_cue"].values[0]) < 5e-4)
        table = selection.trials(each)
        before, close = (around(*stretch, us) for stretch in RAMP)
        part = pd.DataFrame({
            "trial": each["trial"].values,
            "block": table["block"],
            "cue": str(each.attrs["variant"]).partition(" ")[2],
            "stimuli": [tuple(names[heard])] * len(table),
            "kind": table["kind"],
            "learn": table["learn"].astype(bool),
            "rewarded": table["event"] != "",
            "cs": around(*WINDOWS["cs"]).sum(axis=1),
            "onset": around(*WINDOWS["onset"]).sum(axis=1),
            "us": around(*WINDOWS["us"], us).sum(axis=1),
            "after": around(*WINDOWS["after"], us).sum(axis=1),
            "ramp": (close.sum(axis=1) - before.sum(axis=1)) / 2,
            "ramp_scaled": (scaled(close).sum(axis=1) - scaled(before).sum(axis=1)) / 2,
        })  # fmt: skip
        parts.append(part)
    return pd.concat(parts).sort_values("trial").reset_index(drop=True)


def worth_at_cue(recording: xr.Dataset) -> float:
    """Return what a certain US is worth at the onset of the CS: exp(-latency/tau_discount) of the value readout.

    Raises
    ------
    Unavailable
        If the recording's configuration has no readout with the rule `td`.
    """
    readouts = json.loads(recording.attrs["configuration"])["readouts"].values()
    taus = [each["rule"]["tau_discount"] for each in readouts if each.get("rule", {}).get("type") == "td"]
    if not taus:
        raise Unavailable("needs a readout that learns by the rule td")
    return float(np.exp(-float(recording["outcome_latency"].values[0]) * 1e3 / parse_quantity(taus[0], "ms")))


MODELS = {"rw": False, "rw_context": True}
"""The models without a network, by name, and whether they have a context."""


def mean_of(trials: pd.DataFrame, column: str, rewarded: bool | None, last: bool) -> float:
    """Return the mean over the first or last trials of one cue and phase; NaN where there is none."""
    own = trials if rewarded is None else trials[trials["rewarded"] == rewarded]
    own = own.tail(LAST) if last else own.head(FIRST)
    return float(own[column].mean()) if len(own) else float("nan")


_PARTS = {
    "cs_first": Item(f"response to the CS in the first {FIRST} trials of a phase", detail=True),
    "cs": Item(f"response to the CS in the last {LAST} trials of a phase"),
    "cs_onset": Item("the same in the first 100 ms alone", detail=True),
    "us_first": Item(f"response to the US in the first {FIRST} trials that hold it", detail=True),
    "us": Item(f"response to the US in the last {LAST} trials that hold it"),
    "us_after": Item("the same from the time of the US on, without the dip before it", detail=True),
    "omission": Item(f"response to the time of the US in the last {LAST} trials that do not hold it, probes included"),
    "ramp": Item("rise towards the time of the US, per 100 ms", detail=True),
    "ramp_scaled": Item("the same when negative errors count a sixth", detail=True),
    "test": Item("response to the CS in probes after the phase, without learning"),
    **{
        f"{name}_{part}": Item(f"{what} of a Rescorla-Wagner model {whose}", detail=name != "rw")
        for name, whose in (("rw", "of the stimuli"), ("rw_context", "of stimuli and a context"))
        for part, what in (
            ("cs_first", "first responses to the CS"),
            ("cs", "last responses to the CS"),
            ("us", "last responses to the US"),
            ("omission", "last responses to the omission"),
            ("test", "response to the CS in probes"),
        )
    },
    **{
        f"{name}_{part}": Item(f"{what} of the same model")
        for name in MODELS
        for part, what in (("rate", "fitted rate"), ("explained", "explained variance of all responses to the CS"))
    },
}


@metric(
    "conditioning",
    unit="1",
    description="dopamine at the CS, at the US, and where it is omitted, beside Rescorla-Wagner models",
    definition=(
        "sum of what is released, an unexpected US being about 1: cs from 0 to 300 ms after the onset of the CS, "
        "cs_onset to 100 ms; us and omission from 100 ms before to 200 ms after the time of the US; us_after from 0 to "
        "200 ms; ramp: mean per 100 ms in the last 200 ms before the US less that in the 200 ms before these, over "
        f"trials with and without US alike; ramp_scaled: the same when each negative sum over {BIN} ms counts a sixth. "
        "Models: V moves by "
        "rate (r - V), shared by the stimuli of a trial, with or without a context present in all; at the CS "
        "exp(-latency/tau_discount) times what the CS adds, at the US 1 - V, at its omission -V; one rate a network, "
        "fitted to its responses to the CS by least squares"
    ),
    source=(
        "Schultz, Dayan & Montague 1997, doi 10.1126/science.275.5306.1593; Fiorillo, Tobler & Schultz 2003, "
        f"doi 10.1126/science.1077349; scaled errors: {NIV}; Rescorla & Wagner 1972"
    ),
    scope="study",
    needs=NEEDS,
    parts=_PARTS,
)
def conditioning(recordings: Sequence[xr.Dataset]) -> Iterator[Row]:
    """Responses of each network, cue and phase, and those of the models."""
    for design, several in sessions(recordings):
        seed = selection.seed(several[0])
        trials, models = with_models(several)
        for name, model in models.items():
            for part in ("rate", "explained"):
                yield Row(getattr(model, part), f"{name}_{part}", seed=seed, variant=design)
        for given, own in trials.groupby(["cue", "block"], sort=False):
            cue, block = cast("tuple[str, int]", given)
            for part, value in _responses(own):
                if np.isfinite(value):
                    yield Row(value, part, int(block), seed=seed, variant=f"{design} {cue}")


def _responses(own: pd.DataFrame) -> Iterator[tuple[str, float]]:
    """Yield each part of one cue and phase; NaN where it has no trials of the kind."""
    train, probes = own[own["kind"] == "train"], own[own["kind"] == "probe"]
    quiet = own[own["kind"] != "warm-up"]
    yield "cs_first", mean_of(train, "cs", None, False)
    yield "cs", mean_of(train, "cs", None, True)
    yield "cs_onset", mean_of(train, "onset", None, True)
    yield "us_first", mean_of(train, "us", True, False)
    yield "us", mean_of(train, "us", True, True)
    yield "us_after", mean_of(train, "after", True, True)
    yield "omission", mean_of(quiet, "us", False, True)
    yield "ramp", mean_of(train, "ramp", None, True)
    yield "ramp_scaled", mean_of(train, "ramp_scaled", None, True)
    yield "test", mean_of(probes, "cs", None, True)
    for name in MODELS:
        yield f"{name}_cs_first", mean_of(train, f"{name}_cs", None, False)
        yield f"{name}_cs", mean_of(train, f"{name}_cs", None, True)
        yield f"{name}_us", mean_of(train, f"{name}_us", True, True)
        yield f"{name}_omission", mean_of(quiet, f"{name}_omission", False, True)
        yield f"{name}_test", mean_of(probes, f"{name}_cs", None, True)


def with_models(several: Sequence[xr.Dataset]) -> tuple[pd.DataFrame, dict[str, Fitted]]:
    """Return the trials of one network with what the models expect (columns as ``rw_cs``), and the models."""
    trials = trials_of(several)
    worth = worth_at_cue(next(each for each in several if each.sizes["outcome"]))
    models = {name: fitted(trials, worth, context) for name, context in MODELS.items()}
    columns = {
        f"{name}_{part}": getattr(each, part) for name, each in models.items() for part in ("cs", "us", "omission")
    }
    return trials.assign(**columns), models
