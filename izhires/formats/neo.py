"""Recordings for Neo (Garcia et al. 2014, doi 10.3389/fninf.2014.00010), and so for Elephant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from izhires.formats.shared import (
    CELLS,
    TRIALS,
    cue_names,
    happened,
    library,
    observed,
    probe_cues,
    require,
    spike_trains,
    title,
)

if TYPE_CHECKING:
    import neo
    import xarray as xr


def to_neo(recording: xr.Dataset) -> neo.Block:
    """Return spikes, trials and predictions as a Neo block.

    Parameters
    ----------
    recording : xarray.Dataset
        With spikes. Of a part of one, what is there: its cells, its trials, and those of its probes whose trial it
        holds.

    Returns
    -------
    neo.Block
        One segment for each interval in which spikes were kept: the whole experiment with ``keep.spikes = "all"``, else
        one a probe whose spikes were kept. Times count from the start of the experiment. A segment holds one
        ``SpikeTrain`` (s) a cell, an ``Epoch`` "trials" (labels: the kind), the ``Event`` objects "cues" (labels: the
        name of the cue, where there are several) and "events" (labels: the event), where the task has inputs besides an
        ``Epoch`` "inputs" (labels: the channel), and for each of its probes an ``AnalogSignal`` "prediction" over the
        window (1, one channel an event). One ``Group`` a cell joins its trains over the segments.

    Raises
    ------
    RecordingError
        If the recording holds no spikes, or lacks another variable that is needed.
    ToolchainError
        If Neo is not installed.
    """
    neo, pq = library("neo"), library("quantities")
    require(recording, "spike_time", "spike_neuron")
    require(recording, *TRIALS, *CELLS, "trial_learn", "prediction", "block")
    annotations = {name: recording.attrs[name] for name in ("paradigm", "variant", "seed") if name in recording.attrs}
    block = neo.Block(name=title(recording), **annotations)
    facts = [
        {"neuron": int(i), "cell_type": str(kind), "excitatory": bool(sign)}
        for i, kind, sign in zip(
            *(recording[name].values for name in ("neuron", "cell_type", "excitatory")), strict=True
        )
    ]
    block.groups = [neo.Group(name=f"cell {each['neuron']}", allowed_types=[neo.SpikeTrain], **each) for each in facts]
    trains = spike_trains(recording)
    for start, end in observed(recording):
        segment = neo.Segment(name=f"{start:g} to {end:g} s")
        for train, group, each in zip(trains, block.groups, facts, strict=True):
            first, last = np.searchsorted(train, (start, end))
            spikes = neo.SpikeTrain(train[first:last], units="s", t_start=start, t_stop=end, name=group.name, **each)
            segment.spiketrains.append(spikes)
            group.add(spikes)
        _add_trials(neo, recording, segment, start, end)
        for probe, cue in zip(*probe_cues(recording), strict=True):
            if start <= cue < end:
                signal = neo.AnalogSignal(
                    recording["prediction"].isel(probe=probe).transpose("time", "event").values,
                    units="dimensionless", t_start=cue * pq.s, sampling_period=recording.attrs["time_step"] * pq.s,
                    name="prediction", probe=int(recording["probe"].values[probe]),
                    block=int(recording["block"].values[probe]),
                    **({"cue_name": str(recording["cue_name"].values[probe])} if "cue_name" in recording else {}),
                    array_annotations={"event": recording["event"].values},
                )  # fmt: skip
                segment.analogsignals.append(signal)
        block.segments.append(segment)
    block.check_relationships()
    return block


def _add_trials(neo: Any, recording: xr.Dataset, segment: neo.Segment, start: float, end: float) -> None:
    """Add the trials that lie within an interval, with their cues and events."""
    onset, length, cue = (recording[f"trial_{name}"].values for name in ("onset", "duration", "cue"))
    inside = (onset >= start) & (onset + length <= end)
    columns = [name for name in ("block", "learn", "latency", "event", "cue_name") if f"trial_{name}" in recording]
    annotations = {name: recording[f"trial_{name}"].values[inside] for name in columns}
    segment.epochs.append(
        neo.Epoch(
            times=onset[inside], durations=length[inside], labels=recording["trial_kind"].values[inside].astype(str),
            units="s", name="trials", array_annotations=annotations,
        )
    )  # fmt: skip
    named = cue_names(recording)[inside]
    segment.events.append(neo.Event(times=cue[inside], labels=named, units="s", name="cues"))
    trial, event, times = happened(recording)
    shown = inside[trial]
    segment.events.append(neo.Event(times=times[shown], labels=event[shown], units="s", name="events"))
    if "input_onset" in recording:
        onset, length, strength = (recording[f"input_{name}"].values for name in ("onset", "duration", "strength"))
        inside = (onset >= start) & (onset + length <= end)
        segment.epochs.append(
            neo.Epoch(
                times=onset[inside], durations=length[inside],
                labels=recording["input_channel"].values[inside].astype(str), units="s", name="inputs",
                array_annotations={"strength": strength[inside]},
            )
        )  # fmt: skip
