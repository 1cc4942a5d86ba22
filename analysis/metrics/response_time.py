"""Whether people answer faster when a network that heard what they heard was readier: one test over participants.

Readiness is the network's prediction of the event, what x when, at the very moment at which it came, read in the last
cue-only probe before the trial, so that nothing of the trial itself has entered. (The gate of "when" is open for the
event that will occur from the start of the window on, so the reading within the trial has learned from its own event.)
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable, require
from izhires.analysis.metrics.base import Item, Row, metric
from izhires.analysis.statistics import CORRELATION, POSITIVE

if TYPE_CHECKING:
    import xarray as xr

    from izhires.predictions.base import Prediction

LEAST_PARTICIPANTS = 3
LEAST_TRIALS = 10
FASTEST = 0.1
"""Shorter response times (s) are anticipations and do not count."""
SHUFFLES = 10_000
FOLDS = 5
"""Stretches of successive trials, each of which is predicted from the others."""

CONTROLS = ("latency", "trial")
TERMS = ("readiness", *CONTROLS)


def readiness(recording: xr.Dataset, within: bool = False) -> pd.DataFrame:
    """Return the trials with a response, and how ready the network was for their event.

    Parameters
    ----------
    recording : xarray.Dataset
    within : bool
        Read the timing prediction in the trial itself, before the weights learn from the moment of the event, rather
        than in the last probe before the trial.

    Returns
    -------
    pandas.DataFrame
        Columns trial (training trials before it), event, latency (s), response_time (s), readiness, age (training
        trials between the probe and the trial).

    Raises
    ------
    Unavailable
        If the recording lacks what is needed.
    """
    require(recording, ["trial_response_time", "trial_what", *(["trial_when"] if within else ["prediction"])])
    table = selection.trials(recording)
    table["response_time"] = recording["trial_response_time"].values
    training = (table["kind"] == "train").to_numpy()
    table["trial"] = np.cumsum(training) - training
    last = np.cumsum((table["kind"] == "probe").to_numpy()) - 1
    answered = np.flatnonzero(training & (last >= 0) & (table["latency"].notna() & table["response_time"].notna()))
    found = table.iloc[answered][["trial", "event", "latency", "response_time"]].reset_index(drop=True)
    column = [selection.events(recording).index(event) for event in found["event"]]
    probe = last[answered]
    if within:
        what, when = (recording[f"trial_{name}"].transpose("trial", "event").values for name in ("what", "when"))
        read = _prediction(recording).predict({"what": what[answered], "when": when[answered][:, :, None]})
        found["readiness"] = read[np.arange(len(answered)), column, 0]
    else:
        moment = np.abs(recording["time"].values[:, None] - found["latency"].to_numpy()).argmin(0)
        shown = recording["prediction"].transpose("probe", "event", "time").values
        found["readiness"] = shown[probe, column, moment]
    found["age"] = found["trial"] - recording["probe_trial"].values[probe]
    return found


def _prediction(recording: xr.Dataset) -> Prediction:
    """Return what made the recording's predictions: what x when, where the recording does not say."""
    from izhires.predictions.base import Prediction
    from izhires.recordings.recording import configuration

    made = configuration(recording) if "configuration" in recording.attrs else {}
    kind = made.get("prediction", made.get("readout", {})).get("type", "factorised")
    found: Prediction = Prediction.alternatives()[kind]()
    return found


def answers(recordings: Sequence[xr.Dataset], within: bool = False) -> pd.DataFrame:
    """Return the trials of all participants with the event that is answered most often.

    Returns
    -------
    pandas.DataFrame
        Columns of `readiness`, and participant and seed.

    Raises
    ------
    Unavailable
        With fewer than three participants, or ten trials of one.
    """
    tables = []
    for recording in recordings:
        own = readiness(recording, within)
        own = own[own["response_time"] >= FASTEST]
        tables.append(own.assign(participant=str(recording.attrs["variant"]), seed=selection.seed(recording)))
    found = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    people = found["participant"].nunique() if len(found) else 0
    if people < LEAST_PARTICIPANTS:
        raise Unavailable(
            f"needs response times of {LEAST_PARTICIPANTS} or more participants, got {people}: "
            "izhires run cued-reaction with the event files of all"
        )
    found = found[found["event"] == found["event"].value_counts().index[0]]
    found = found.sort_values(["seed", "participant", "trial"], kind="stable")
    if found.groupby(["participant", "seed"]).size().min() < LEAST_TRIALS:
        raise Unavailable(f"a participant answered in fewer than {LEAST_TRIALS} trials")
    return found.reset_index(drop=True)


def scores(table: pd.DataFrame) -> pd.DataFrame:
    """Return log RT and the z-scores within participant of readiness, latency and trial.

    Parameters
    ----------
    table : pandas.DataFrame
        From `answers`, of one seed.

    Returns
    -------
    pandas.DataFrame
        Columns participant, log_rt, readiness, latency, trial.

    Raises
    ------
    Unavailable
        If one of them does not vary within a participant.
    """
    found = table[["participant"]].assign(log_rt=np.log(table["response_time"]))
    for name in TERMS:
        group = table.groupby("participant")[name]
        spread = group.transform("std")
        if not (spread > 0).all():
            raise Unavailable(f"the {name} of a participant's answered trials does not vary")
        found[name] = (table[name] - group.transform("mean")) / spread
    return found


def mixed_model(table: pd.DataFrame) -> pd.DataFrame:
    """Fit log RT ~ readiness + latency + trial with random intercept and slope of readiness over participants.

    Parameters
    ----------
    table : pandas.DataFrame
        From `scores`.

    Returns
    -------
    pandas.DataFrame
        Index readiness, latency, trial; columns estimate, low, high (95%, Wald), p (Wald, two-sided).

    Raises
    ------
    Unavailable
        If the fit does not converge.
    """
    from statsmodels.regression.mixed_linear_model import MixedLM

    names = list(TERMS)
    fixed = table[names].assign(intercept=1.0)
    model = MixedLM(table["log_rt"], fixed, groups=table["participant"], exog_re=fixed[["intercept", "readiness"]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a variance at its bound, zero, which is an answer
        fit = model.fit(method=["lbfgs", "powell"])
    if not fit.converged:
        raise Unavailable("the mixed model did not converge")
    limits = fit.conf_int().loc[names].set_axis(["low", "high"], axis=1)
    return limits.assign(estimate=fit.fe_params[names], p=fit.pvalues[names])[["estimate", "low", "high", "p"]]


def slopes(
    table: pd.DataFrame, shuffles: int, rng: np.random.Generator, circular: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return each participant's slope of log RT on readiness, and the mean slopes of shuffled response times.

    Latency and trial are regressed out of both sides (Frisch-Waugh-Lovell); what is left of log RT is shuffled among
    the participant's trials (Freedman & Lane 1983), or shifted.

    Parameters
    ----------
    table : pandas.DataFrame
        From `scores`, the trials of each participant in order of time.
    shuffles : int
    rng : numpy.random.Generator
    circular : bool
        Shift the course of response times as a whole, its end to its start, by a random number of trials for each
        participant. That keeps how far each response time is like the one before, which shuffles do not: of two courses
        that drift, shuffles find too many slopes too steep.

    Returns
    -------
    slopes : ndarray, (participant,)
        Change of log RT a standard deviation of readiness.
    chance : ndarray, (shuffle,)
        Mean slope over participants.
    """
    found, chance = [], np.zeros(shuffles)
    groups = list(table.groupby("participant", sort=False))
    for _, own in groups:
        nuisance = np.column_stack([np.ones(len(own)), own[list(CONTROLS)]])
        basis = np.linalg.qr(nuisance)[0]
        x, y = (each - basis @ (basis.T @ each) for each in own[["readiness", "log_rt"]].to_numpy().T)
        weight = x / (x @ x)
        found.append(weight @ y)
        if circular:
            places = np.add.outer(np.arange(len(y)), np.arange(len(y))) % len(y)
            chance += (y[places] @ weight)[rng.integers(len(y), size=shuffles)] / len(groups)
        else:
            chance += rng.permuted(np.tile(y, (shuffles, 1)), axis=1) @ weight / len(groups)
    return np.array(found), chance


def held_out(table: pd.DataFrame) -> np.ndarray:
    """Return how much readiness adds to the prediction of response times that were not fitted, for each participant.

    Least squares of log RT on latency and trial, and on these and readiness, fitted to all trials but a stretch of
    successive ones, in turn for each of `FOLDS` stretches: 1 - (sum of squares left with readiness)/(without it), both
    over the trials left out. Below 0: readiness makes the prediction worse.

    Parameters
    ----------
    table : pandas.DataFrame
        From `scores`, the trials of each participant in order of time.

    Returns
    -------
    ndarray, (participant,)
    """
    found = []
    for _, own in table.groupby("participant", sort=False):
        y, controls = own["log_rt"].to_numpy(), np.column_stack([np.ones(len(own)), own[list(CONTROLS)]])
        both = np.column_stack([controls, own["readiness"]])
        left = np.zeros(2)
        for out in np.array_split(np.arange(len(own)), FOLDS):
            kept = np.delete(np.arange(len(own)), out)
            for k, x in enumerate((both, controls)):
                fit = np.linalg.lstsq(x[kept], y[kept], rcond=None)[0]
                left[k] += ((y[out] - x[out] @ fit) ** 2).sum()
        found.append(1 - left[0] / left[1])
    return np.array(found)


@metric(
    "response_time",
    unit="log s",
    description="change of a participant's response time with the network's readiness at the moment of the target",
    definition=(
        "log RT ~ readiness + latency + trial number (z-scores within participant), random intercept and slope of "
        "readiness over participants, by REML; readiness: prediction (what x when) of the event at its latency in the "
        "last probe before the trial; trials with the event that is answered most often, RT >= "
        f"{FASTEST:g} s; shift: p, two-sided, of the mean over participants of their own slopes, latency and trial "
        f"regressed out, among {SHUFFLES} circular shifts of the rest of log RT within participants, which keep its "
        "serial correlation; shuffle: the same among shuffles, which do not; held_out: 1 - (squares left with "
        f"readiness)/(left without), of log RT in {FOLDS} stretches of trials that were not fitted; readiness is the "
        "one hypothesis, latency and trial are controls"
    ),
    source=(
        "this project; mixed model: Laird & Ware 1982, doi 10.2307/2529876; shuffle: Freedman & Lane 1983, "
        "doi 10.1080/07350015.1983.10509354; data: Ribeiro & Castelo-Branco 2019, OpenNeuro ds003690"
    ),
    scope="study",
    needs=("prediction", "trial_response_time"),
    parts={
        "readiness": Item("coefficient: change of log RT for one standard deviation of readiness"),
        "readiness_low": Item("lower limit, 95%, over participants", interval=False),
        "readiness_high": Item("upper limit, 95%, over participants", interval=False),
        "readiness_p": Item("p of the mixed model, two-sided", "1", interval=False),
        "shift_p": Item("p against circularly shifted response times, two-sided: decides", "1", interval=False),
        "held_out": Item(
            "share of what is left of log RT in held-out trials that readiness explains, mean over participants", "1"
        ),
        "held_out_positive": Item("participants of whom it explains any", "participants", interval=False),
        "shuffle_p": Item(
            "p against shuffled response times, two-sided; takes no account of serial correlation",
            "1",
            detail=True,
            interval=False,
        ),
        "slope": Item("mean over participants of their own slopes"),
        "negative": Item("participants whose own slope is negative", "participants", within=POSITIVE),
        "latency": Item("coefficient of the latency, for one standard deviation", detail=True),
        "latency_p": Item("p of the latency", "1", detail=True, interval=False),
        "trial": Item("coefficient of the trial number, for one standard deviation", detail=True),
        "trial_p": Item("p of the trial number", "1", detail=True, interval=False),
        "collinearity": Item(
            "correlation of readiness and latency, mean over participants", "1", detail=True, within=CORRELATION
        ),
        "participants": Item("participants", "participants", detail=True, interval=False),
        "trials": Item("trials of all participants", "trials", detail=True, interval=False),
        "probe_age": Item("most training trials between a probe and a trial", "trials", detail=True, interval=False),
    },
)
def response_time(recordings: Sequence[xr.Dataset]) -> Iterator[Row]:
    """Effect of readiness on response times, for each seed of the networks."""
    table = answers(recordings)
    people = table["participant"].nunique()
    for seed, own in table.groupby("seed", sort=True):
        event, found = str(own["event"].iloc[0]), own["participant"].nunique()
        if found < people:
            note = f"this seed was run for {found} of {people} participants"
            yield Row(np.nan, "readiness", event=event, seed=int(str(seed)), note=note)
            continue
        for part, value in effect(own).items():
            yield Row(value, part, event=event, seed=int(str(seed)))


def effect(table: pd.DataFrame, shuffles: int = SHUFFLES) -> dict[str, float]:
    """Return every part of the metric `response_time`, for a table of `answers` of one seed.

    Raises
    ------
    Unavailable
        If the model cannot be fitted.
    """
    scored = scores(table)
    fit = mixed_model(scored).to_dict("index")
    own, chance = slopes(scored, shuffles, np.random.default_rng(len(table)))
    _, shifted = slopes(scored, shuffles, np.random.default_rng(len(table)), circular=True)
    p = {name: (1 + int((np.abs(each) >= np.abs(own.mean()) - 1e-12).sum())) / (1 + shuffles)
         for name, each in (("shuffle_p", chance), ("shift_p", shifted))}  # fmt: skip
    explained = held_out(scored)
    pairs = [np.corrcoef(each["readiness"], each["latency"])[0, 1] for _, each in scored.groupby("participant")]
    found = {"readiness": fit["readiness"]["estimate"]}
    found |= {f"readiness_{name}": fit["readiness"][name] for name in ("low", "high", "p")}
    found |= {**p, "slope": own.mean(), "negative": (own < 0).sum()}
    found |= {"held_out": explained.mean(), "held_out_positive": (explained > 0).sum()}
    for name in CONTROLS:
        found |= {name: fit[name]["estimate"], f"{name}_p": fit[name]["p"]}
    found |= {"collinearity": np.mean(pairs), "participants": len(own), "trials": len(table)}
    return {part: float(value) for part, value in found.items()} | {"probe_age": float(table["age"].max())}
