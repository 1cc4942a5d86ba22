"""The identity readout without a network: its own rule on states that hold nothing, or nothing but the cue.

With one cue the mean state is nearly the same in every trial, so that all the identity readout can do is to count. The
counter runs the text of the network's own rule, with the same parameters, on one constant number for a state: what it
gets right tells nothing of a reservoir.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable, require

if TYPE_CHECKING:
    import xarray as xr

    from izhires.rules.base import Rule

SIZE = 1000.0
"""|x|^2 of a counter's state (Hz^2): large beside the 1 Hz^2 that keeps the rules finite."""


def counted(states: np.ndarray, outcomes: np.ndarray, learn: np.ndarray, rule: Rule) -> np.ndarray:
    """Return q before every trial by a trial rule on any states, from weights of zero.

    The rule's texts are Brian2 statements on one channel and on its weights; they are read here as Python, with Hz = 1.

    Parameters
    ----------
    states : ndarray, (trial, feature)
        x, Hz.
    outcomes : ndarray, (trial, event)
        1 where the trial holds the event, else 0.
    learn : ndarray of bool, (trial,)
    rule : Rule
        Of the schedule "trial".

    Returns
    -------
    ndarray, (trial, event)

    Raises
    ------
    Unavailable
        If the rule needs more than its channel: it has then no counterpart without a network.
    """
    if rule.schedule != "trial" or rule.channel_sums or rule.inverse:
        raise Unavailable(f"the rule {getattr(rule, 'type', '')} needs more than one channel, and has no counter")
    parameters = {name: getattr(rule, name) for name in type(rule).model_fields}
    names = {"Hz": 1.0, "second": 1.0, "sqrt": np.sqrt, "exp": np.exp, "abs": np.abs, "inf": np.inf}
    names |= {"int": lambda true: true * 1, "clip": np.clip, **parameters}
    update, change = (
        compile("\n".join(line.strip() for line in text.strip().splitlines()), "rule", "exec")
        for text in (rule.channel_update, rule.weight_update)
    )
    own, of_weight = (
        [line.split(":")[0].strip() for line in text.strip().splitlines()]
        for text in (rule.equations, rule.weight_equations)
    )
    found = np.empty(outcomes.shape)
    for event in range(outcomes.shape[1]):
        initial = {name: rule.initial.get(name, 0.0) for name in own}
        channel: dict[str, Any] = {key: parameters.get(str(value), value) for key, value in initial.items()}
        weights = {name: np.zeros(states.shape[1]) for name in ("w", *of_weight)}
        for trial, x in enumerate(states):
            q = found[trial, event] = weights["w"] @ x
            outcome = float(outcomes[trial, event])
            channel |= {"q": q, "outcome": outcome, "error": outcome - q, "power": x @ x}
            channel["learning"] = float(learn[trial])
            # the package's own texts, or those of the user's own rule
            exec(update, names, channel)
            here = {f"{name}_post": value for name, value in (parameters | channel).items()} | {**weights, "x_pre": x}
            exec(change, names, here)
            weights = {name: here[name] for name in weights}
    return found


def counter(recording: xr.Dataset, told: bool = False) -> np.ndarray:
    """Return what a counter without a network expects before each trial of a recording, by the rule of its "what".

    Parameters
    ----------
    recording : xarray.Dataset
    told : bool
        Whether it is told the cue: then it has a number for each.

    Returns
    -------
    ndarray, (trial, event)
        q, not clipped.

    Raises
    ------
    Unavailable
        If the recording does not say what its trials or its rule were, or the rule has no counter.
    """
    from izhires.recordings.recording import configuration
    from izhires.rules.base import Rule

    require(recording, ["trial_event", "trial_learn"])
    if "configuration" not in recording.attrs:
        raise Unavailable("needs the configuration that made the recording, which it does not hold")
    made = dict(configuration(recording)["what"]["rule"])
    rule: Rule = Rule.alternatives()[made["type"]].parse(made)
    outcomes = selection.came(recording)
    states = np.ones((len(outcomes), 1))
    if told and "trial_cue_name" in recording:
        names = recording["trial_cue_name"].values.astype(str)
        states = (names[:, None] == np.unique(names)).astype(float)
    return counted(states * np.sqrt(SIZE), outcomes, recording["trial_learn"].values.astype(bool), rule)
