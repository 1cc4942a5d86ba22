"""Trials as events files of the Brain Imaging Data Structure (Gorgolewski et al. 2016, doi 10.1038/sdata.2016.44)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from izhires.errors import ParadigmError, RecordingError
from izhires.files import as_path, whole
from izhires.formats.shared import require, title
from izhires.formats.tables import to_dataframe
from izhires.paradigms.table import NEEDED, ONE_EVENT

if TYPE_CHECKING:
    import xarray as xr

BIDS_VERSION = "1.10.0"

README = """The trials that simulated spiking networks received, written by izhires: cues and events with their times.

A subject named by a seed is a simulated network; one named otherwise is the participant whose trials the network
received. What the networks learned is in the recordings (netCDF) from which these files were made.
"""

COLUMNS: dict[str, dict[str, Any]] = {
    "onset": {"Description": "Time of the cue or event from the start of the experiment.", "Units": "s"},
    "duration": {"Description": "Length of the cue; 0 for an event, which is a moment in time.", "Units": "s"},
    "trial_type": {
        "Description": "The cue of a training trial, or the event that follows it. The cues of inserted trials, with "
        "learning off, have names of their own.",
        "Levels": {
            "cue": "Cue of a training trial; one that no event follows is a cue-only trial.",
            "probe cue": "Cue of a cue-only trial in which the prediction is read.",
            "warm-up cue": "Cue of a cue-only trial in which the network settles.",
        },
    },
    "response_time": {"Description": "The participant's response time from the event.", "Units": "s"},
    "trial": {"Description": "Number of the trial, from 0, in order of time."},
    "block": {"Description": "Number of the block, from 0; true statistics do not change within one."},
    "learn": {"Description": "Whether the network learns in this trial.", "Levels": {"0": "no", "1": "yes"}},
    "trial_onset": {"Description": "Start of the trial, from the start of the experiment.", "Units": "s"},
    "trial_duration": {"Description": "Length of the trial.", "Units": "s"},
}
"""The columns of the events files, as the file beside it (events.json) describes it."""

SEVERAL_CUES = {"cue_name": {"Description": "Name of the trial's cue; that of a training trial is also a trial_type."}}
"""The further column where there are several cues."""


def to_events(
    trials: pd.DataFrame, cue_duration: float = np.nan, latencies: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return a trial table as BIDS events: one row a cue and one row an event, in order of time.

    Parameters
    ----------
    trials : pandas.DataFrame
        As `izhires.paradigms.experiment.Experiment` and `to_dataframe` have it: onset, duration, cue, latency (s),
        event; optionally trial (its number), block, kind, learn, response_time, cue_name.
    cue_duration : float
        Length of the cue, s; NaN where it is not known.
    latencies : pandas.DataFrame, optional
        Where several events may come in a trial, as `Experiment` has them.

    Returns
    -------
    pandas.DataFrame
        The columns of `COLUMNS`, and ``cue_name`` where the trials have it, NaN for "n/a". The paradigm
        ``cued_reaction`` reads them back, with the cue "cue", or with the names of the cues.

    Raises
    ------
    ParadigmError
        If a column is missing, or an event has the name of a cue, or an event or a cue one that an events file cannot
        hold or that means something else in it.
    """
    missing = [name for name in (*NEEDED, *ONE_EVENT) if name not in trials]
    if missing:
        held = ", ".join(map(str, trials.columns))
        raise ParadigmError(f"column {' and '.join(missing)} missing; it has {held}", "trials")
    kinds = tuple(COLUMNS["trial_type"]["Levels"])
    trials = trials.reset_index(drop=True)
    late = trials["latency"]
    event = _names_of(trials, "event")
    row = trials.index[event != ""]  # of the trial of each event
    event, late = event[row], late[row]
    if latencies is not None:
        own = latencies.set_axis(trials.index).melt(var_name="event", ignore_index=False).dropna()
        row, event, late = own.index, own["event"].astype(str), own["value"]
    named = _names_of(trials, "cue_name") if "cue_name" in trials else None
    cues = kinds if named is None else (*kinds, *named.unique())
    if event.isin(cues).any():
        raise ParadigmError(f"{event[event.isin(cues)].iloc[0]!r} names a cue, and cannot name an event", "trials")
    if named is not None and named.isin(kinds[1:]).any():
        problem = "names the cue of an inserted trial, and cannot name a cue"
        raise ParadigmError(f"{named[named.isin(kinds[1:])].iloc[0]!r} {problem}", "trials")
    for what, names in (("an event", event), ("a cue", named)):
        for name in () if names is None else names.unique():
            if name == "n/a" or "\n" in name or "\r" in name:
                problem = "means a missing value" if name == "n/a" else "holds the end of a line"
                raise ParadigmError(f"{name!r} {problem}, and cannot name {what} in an events file", "trials")
    kind = trials.get("kind", pd.Series("train", trials.index))
    shared = pd.DataFrame(
        {
            "trial": _numbers_of(trials),
            "block": trials.get("block", 0),
            "learn": trials.get("learn", kind == "train").astype(int),
            "trial_onset": trials["onset"],
            "trial_duration": trials["duration"],
        }
    )
    heard = shared.assign(
        onset=trials["cue"],
        duration=cue_duration,
        trial_type=(kind + " cue").where(kind != "train", "cue" if named is None else named),
        cue_name=np.nan if named is None else named,
        response_time=np.nan,
    )
    events = shared.loc[row].assign(
        onset=trials["cue"][row].to_numpy() + late.to_numpy(),
        duration=0.0,
        trial_type=event.to_numpy(),
        cue_name=np.nan if named is None else named[row].to_numpy(),
        response_time=np.nan if "response_time" not in trials else trials["response_time"][row].to_numpy(),
    )
    found = pd.concat([heard, events]).sort_values(["trial", "onset"], kind="stable", ignore_index=True)
    found["onset"] = found["onset"].round(6)  # a sum of two times, without the last bits
    return found[[*COLUMNS, *(SEVERAL_CUES if named is not None else ())]]


def _names_of(trials: pd.DataFrame, column: str) -> pd.Series:
    return trials[column].astype(object).where(trials[column].notna(), "").astype(str)


def _numbers_of(trials: pd.DataFrame) -> np.ndarray:
    """Return the numbers of the trials, from the table where it holds them."""
    if "trial" in trials and pd.api.types.is_integer_dtype(trials["trial"]) and trials["trial"].is_unique:
        return trials["trial"].to_numpy()
    return np.arange(len(trials))


def save_events(
    trials: pd.DataFrame, path: str | Path, cue_duration: float = np.nan, latencies: pd.DataFrame | None = None
) -> list[Path]:
    """Write a trial table as a BIDS events file, and beside it what its columns mean (events.json).

    Parameters
    ----------
    trials, cue_duration, latencies
        As `to_events` has them.
    path : path
        A name that ends in ``_events.tsv``.

    Returns
    -------
    list of Path
        The two files.
    """
    path = as_path(path)
    table = to_events(trials, cue_duration, latencies)
    meaning = json.loads(json.dumps({name: (COLUMNS | SEVERAL_CUES)[name] for name in map(str, table)}))
    levels = meaning["trial_type"]["Levels"]
    if "cue_name" in table:
        del levels["cue"]
        levels |= {name: f"The cue {name} of a training trial." for name in table["cue_name"].unique()}
    levels |= {name: "Event that follows the cue." for name in table["trial_type"].unique() if name not in levels}
    with whole(path) as part:
        table.to_csv(part, sep="\t", index=False, na_rep="n/a", lineterminator="\n")
    return [path, _write(path.with_suffix(".json"), meaning)]


def save_bids(recordings: Sequence[xr.Dataset], folder: str | Path) -> list[Path]:
    """Write the trials of recordings as a BIDS data set: ``sub-seedN/beh/sub-seedN_task-NAME_events.tsv`` and more.

    A network with its seed stands where BIDS has a subject, and the variant of its paradigm is the label ``acq``; where
    the variants are participants (``sub-LABEL``), they are the subjects, and the seed is the label.

    Parameters
    ----------
    recordings : sequence of xarray.Dataset
    folder : path
        Made if it does not exist.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    RecordingError
        If two recordings are of the same paradigm, variant and seed, or a file cannot be written.
    """
    import xarray

    folder = as_path(folder, "folder")
    paths: list[Path] = []
    recordings = [recordings] if isinstance(recordings, xarray.Dataset) else list(recordings)
    for recording in recordings:
        require(recording, "trial_onset", "trial_cue")
        subject, variant = _subject(recording)
        name = f"{subject}_task-{_label(recording.attrs['paradigm'])}{f'_acq-{variant}' if variant else ''}_events.tsv"
        path = folder / subject / "beh" / name
        if path in paths:
            raise RecordingError(f"two recordings would be {path}", title(recording))
        several = "trial_latency_of" in recording.variables
        held = recording["trial_latency_of"].transpose("trial", "event").values if several else None
        late = None if held is None else pd.DataFrame(held, columns=recording["event"].values.astype(str))
        paths += save_events(to_dataframe(recording, "trials"), path, float(recording.attrs["cue_duration"]), late)
    about = {
        "Name": f"Trials of {', '.join(dict.fromkeys(str(each.attrs['paradigm']) for each in recordings))}, simulated",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "izhires", "Version": _version(recordings)}],
    }
    paths.append(_write(folder / "dataset_description.json", about))
    people = pd.DataFrame({"participant_id": list(dict.fromkeys(_subject(each)[0] for each in recordings))})
    paths.append(folder / "participants.tsv")
    with whole(paths[-1]) as part:
        people.to_csv(part, sep="\t", index=False, lineterminator="\n")
    paths.append(folder / "README")
    with whole(paths[-1]) as part:
        part.write_text(README, encoding="utf-8")
    return paths


def _subject(recording: xr.Dataset) -> tuple[str, str]:
    """Return what stands for the subject of a recording, and the label that tells recordings of one subject apart."""
    seed, variant = f"seed{int(recording.attrs['seed'])}", str(recording.attrs.get("variant", ""))
    if re.fullmatch(r"sub-[A-Za-z0-9]+", variant):
        return variant, seed
    return f"sub-{seed}", _label(variant)


def _label(text: str) -> str:
    """Return the letters and digits of a text, as BIDS wants its labels."""
    return re.sub(r"[^A-Za-z0-9]", "", text)


def _version(recordings: Sequence[xr.Dataset]) -> str:
    versions = {json.loads(each.attrs.get("versions", "{}")).get("izhires", "unknown") for each in recordings}
    return ", ".join(sorted(versions))


def _write(path: Path, content: Any) -> Path:
    with whole(path) as part:
        part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return path
