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


def slopes(table: pd.DataFrame, shuffles: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return each participant's slope of log RT on readiness, and the mean slopes of shuffled response times.

    Latency and trial are regressed out of both sides (Frisch-Waugh-Lovell); what is left of log RT is shuffled among
    the participant's trials (Freedman & Lane 1983).

    Parameters
    ----------
    table : pandas.DataFrame
        From `scores`.
    shuffles : int
    rng : numpy.random.Generator

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
        chance += rng.permuted(np.tile(y, (shuffles, 1)), axis=1) @ weight / len(groups)
    return np.array(found), chance


@metric(
    "response_time",
    unit="log s",
    description="change of a participant's response time with the network's readiness at the moment of the target",
    definition=(
        "log RT ~ readiness + latency + trial number (z-scores within participant), random intercept and slope of "
        "readiness over participants, by REML; readiness: prediction (what x when) of the event at its latency in the "
        "last probe before the trial; trials with the event that is answered most often, RT >= "
        f"{FASTEST:g} s; shuffle: p, two-sided, of the mean over participants of their own slopes, latency and trial "
        f"regressed out, among {SHUFFLES} shuffles of the rest of log RT within participants; readiness is the one "
        "hypothesis, latency and trial are controls"
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
        "shuffle_p": Item("p against shuffled response times, two-sided", "1", interval=False),
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
    extreme = int((np.abs(chance) >= np.abs(own.mean())).sum())
    pairs = [np.corrcoef(each["readiness"], each["latency"])[0, 1] for _, each in scored.groupby("participant")]
    found = {"readiness": fit["readiness"]["estimate"]}
    found |= {f"readiness_{name}": fit["readiness"][name] for name in ("low", "high", "p")}
    found |= {"shuffle_p": (1 + extreme) / (1 + shuffles), "slope": own.mean(), "negative": (own < 0).sum()}
    for name in CONTROLS:
        found |= {name: fit[name]["estimate"], f"{name}_p": fit[name]["p"]}
    found |= {"collinearity": np.mean(pairs), "participants": len(own), "trials": len(table)}
    return {part: float(value) for part, value in found.items()} | {"probe_age": float(table["age"].max())}
