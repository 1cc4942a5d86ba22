"""Finding one's way in a recording: its blocks, its probes, the true statistics of each block."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from izhires.analysis.declared import Unavailable, require
from izhires.errors import RecordingError

if TYPE_CHECKING:
    import xarray as xr


def blocks(recording: xr.Dataset) -> list[int]:
    """Return the blocks that have probes, in order.

    Raises
    ------
    Unavailable
        If there is no probe at all.
    """
    found = [int(block) for block in np.unique(recording["block"].values)]
    if not found:
        raise Unavailable("needs probes, and the recording holds none")
    return found


def block_name(recording: xr.Dataset, block: int) -> str:
    """Return what a block is called: its name in the configuration, else its number."""
    paradigm = json.loads(recording.attrs.get("configuration", "{}")).get("paradigm") or {}
    given = paradigm.get("blocks") or []
    name = given[block].get("name", "") if block < len(given) and isinstance(given[block], dict) else ""
    return str(name) or f"block {block}"


def probes(recording: xr.Dataset, block: int) -> np.ndarray:
    """Return the indices of a block's probes, in order."""
    return np.flatnonzero(recording["block"].values == block)


def trials_of_probes(recording: xr.Dataset) -> np.ndarray:
    """Return the row of the trial table of each probe.

    Raises
    ------
    Unavailable
        If the recording does not say it, or lacks the trial of one.
    """
    from izhires.recordings import recording as recordings

    try:
        found = recordings.trials_of_probes(recording)
    except RecordingError as error:
        raise Unavailable(str(error)) from None
    if (found < 0).any():
        raise Unavailable("the recording lacks the trials of some of its probes")
    return found


def cell_spikes(recording: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return time (s) and place among the recording's cells of each of their spikes.

    Raises
    ------
    Unavailable
        If the recording holds no spikes, or does not say whose they are.
    """
    from izhires.recordings import recording as recordings

    require(recording, ("spike_time", "spike_neuron"))
    try:
        return recordings.cell_spikes(recording)
    except RecordingError as error:
        raise Unavailable(str(error)) from None


def state_probes(recording: xr.Dataset) -> np.ndarray:
    """Return the indices of the probes whose spike traces the recording holds, in order.

    Raises
    ------
    Unavailable
        If it holds no traces.
    """
    from izhires.recordings.recording import places

    require(recording, ["state_trace"])
    found = places(np.atleast_1d(recording["probe"].values), recording["state_probe"].values)
    return found[found >= 0]


def last_probe(recording: xr.Dataset, block: int) -> int:
    """Return the index of a block's last probe."""
    return int(probes(recording, block)[-1])


def before_probe(recording: xr.Dataset, block: int) -> int:
    """Return the index of the probe that shows the network before it learned anything of a block.

    It is the last probe of the block before, or the first probe of the first block.
    """
    first = int(probes(recording, block)[0])
    return first if recording["block_trial"].values[first] == 0 or first == 0 else first - 1


def events(recording: xr.Dataset) -> list[str]:
    """Return the names of the events."""
    return [str(event) for event in recording["event"].values]


def by_cue(recordings: Sequence[xr.Dataset]) -> list[xr.Dataset]:
    """Return recordings of one cue each: one of several cues becomes as many, each with what followed its cue.

    What is said of a network with one cue, metrics and figures, is said of each. The cue's name joins the variant; the
    attributes ``cue`` and ``whole_variant`` say what was joined.

    Parameters
    ----------
    recordings : sequence of xarray.Dataset

    Returns
    -------
    list of xarray.Dataset
    """
    found = []
    for recording in recordings:
        if "trial_cue_name" not in recording:
            found.append(recording)
            continue
        of_probe, of_trial, of_outcome = (
            recording[name].values.astype(str) for name in ("cue_name", "trial_cue_name", "outcome_cue_name")
        )
        kept = recording["state_probe"].values if "state_probe" in recording else np.empty(0, int)
        places = {int(number): k for k, number in enumerate(np.atleast_1d(recording["probe"].values))}
        for name in dict.fromkeys(of_trial.tolist()):
            rows = {"probe": of_probe == name, "trial": of_trial == name, "outcome": of_outcome == name}
            if "state_probe" in recording:
                rows["state_probe"] = np.array([of_probe[places[int(number)]] == name for number in kept], bool)
            own = recording.isel({dim: np.flatnonzero(mask) for dim, mask in rows.items()})
            whole = str(recording.attrs.get("variant", ""))
            variant = f"{whole} {name}".strip()
            found.append(own.drop_vars([each for each in own.variables if str(each).endswith("cue_name")])
                         .assign_attrs(variant=variant, cue=name, whole_variant=whole))  # fmt: skip
    return found


def cues(recordings: Sequence[xr.Dataset]) -> list[str]:
    """Return the names of the cues of recordings that `by_cue` has divided, none where there is one cue only."""
    return list(dict.fromkeys(str(each.attrs["cue"]) for each in recordings if "cue" in each.attrs))


def outcomes(recording: xr.Dataset) -> pd.DataFrame:
    """Return the true statistics of each block: columns block, event, latency (s), probability."""
    columns = ("block", "event", "latency", "probability")
    return pd.DataFrame({name: recording[f"outcome_{name}"].values for name in columns}).astype({"event": str})


def trials(recording: xr.Dataset) -> pd.DataFrame:
    """Return the trial table: columns onset, duration, cue, latency (s), event, block, kind, learn."""
    columns = ("onset", "duration", "cue", "event", "latency", "block", "kind", "learn")
    return pd.DataFrame({name: recording[f"trial_{name}"].values for name in columns}).astype(
        {"event": str, "kind": str}
    )


def latencies(recording: xr.Dataset) -> pd.DataFrame:
    """Return the time from the cue to each event in each trial (s), (trial, event); NaN where it does not come."""
    from izhires.recordings import recording as recordings

    return pd.DataFrame(recordings.latencies(recording), columns=events(recording))


def came(recording: xr.Dataset) -> np.ndarray:
    """Return whether each event came in each trial, (trial, event)."""
    if "trial_latency_of" in recording:
        return latencies(recording).notna().to_numpy()
    return recording["trial_event"].values.astype(str)[:, None] == np.array(events(recording))


def event_latencies(recording: xr.Dataset, block: int, event: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct latencies (s) of an event in a block and their probabilities.

    Raises
    ------
    Unavailable
        If the block's statistics do not name the event, or it comes after the window: the reward of a choice does.
    """
    table = outcomes(recording)
    rows = table[(table["block"] == block) & (table["event"] == event)]
    if rows.empty:
        raise Unavailable(f"event {event} has no latency in block {block}")
    if chosen(recording):
        raise Unavailable(f"{event} follows no cue of itself: it is chosen after the window")
    found = rows.groupby("latency")["probability"].sum()
    return found.index.to_numpy(float), found.to_numpy(float)


def chosen(recording: xr.Dataset) -> bool:
    """Whether nothing follows the cue of itself, since the network chooses and is paid for that."""
    return "trial_payoff" in recording


def probability(recording: xr.Dataset, block: int, event: str) -> float:
    """Return the true probability of an event in a block, 0 when the block's statistics do not name it.

    Where the network chooses, it is that of a reward given the choice of the event.
    """
    table = outcomes(recording)
    # rounded, so that sums of many latencies that make the same probability are equal
    return round(float(table.loc[(table["block"] == block) & (table["event"] == event), "probability"].sum()), 9)


def one_condition(recordings: Sequence[xr.Dataset]) -> Sequence[xr.Dataset]:
    """Return the recordings when all are of one paradigm and variant, with the same events and blocks.

    Raises
    ------
    Unavailable
    """
    if not recordings:
        raise Unavailable("there are no recordings")
    conditions = {(str(r.attrs.get("paradigm", "")), str(r.attrs.get("variant", ""))) for r in recordings}
    if len(conditions) > 1:
        raise Unavailable(f"needs recordings of one condition, got {len(conditions)}")
    if len({(*events(r), *blocks(r)) for r in recordings}) > 1:
        raise Unavailable("needs recordings with the same events and blocks")
    return recordings


def seed(recording: xr.Dataset) -> int:
    """Return the seed of a recording."""
    return int(recording.attrs["seed"])


def state_samples(recording: xr.Dataset, chosen: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return the spike traces (Hz) within the window of some probes as an array (sample, neuron).

    Raises
    ------
    Unavailable
        If the recording holds no traces of these probes.
    """
    require(recording, ["state_trace"])
    wanted = np.isin(recording["state_probe"].values, recording["probe"].values[np.asarray(chosen, int)])
    if not wanted.any():
        raise Unavailable("no state_trace was recorded at the probes that are needed")
    time = recording["state_time"].values
    inside = (time >= 0) & (time < float(recording.attrs["window"]))
    trace = recording["state_trace"].transpose("state_probe", "state_time", "neuron").values[wanted][:, inside]
    return trace.reshape(-1, trace.shape[-1]).astype(float)


def state_times(recording: xr.Dataset) -> np.ndarray:
    """Return the times (s from the cue, within the window) at which `state_samples` reads each probe.

    Raises
    ------
    Unavailable
        If the recording holds no traces.
    """
    require(recording, ["state_trace"])
    time = recording["state_time"].values
    return time[(time >= 0) & (time < float(recording.attrs["window"]))]


def switch(recording: xr.Dataset, block: int) -> str:
    """Return what is new in a block: "timing", "probability", "timing and probability", or "nothing"."""
    table = outcomes(recording)
    earlier, now = blocks(recording)[blocks(recording).index(block) - 1], block
    before, after = (
        {
            "timing": {(row.event, row.latency) for row in table[table["block"] == each].itertuples()},
            "probability": {event: round(probability(recording, each, event), 9) for event in events(recording)},
        }
        for each in (earlier, now)
    )
    return " and ".join(kind for kind in before if before[kind] != after[kind]) or "nothing"
