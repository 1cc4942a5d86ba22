"""What a recording holds, declared once: every variable and attribute with its type, dimensions, unit and meaning.

Recordings are written and checked by this table, the formats of `izhires.formats` take their words from it, and it is
the table in ``docs/recording.md`` (`markdown`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from izhires.errors import RecordingError, closest

if TYPE_CHECKING:
    import xarray as xr

LAYOUT = 3
"""Number of the file layout. Every layout that a release has written must load."""

TEXT = "text"

KINDS = ("warm-up", "train", "probe")
"""Kinds of trials; see `izhires.paradigms.columns.KINDS`."""


@dataclass(frozen=True)
class Variable:
    """One variable of a recording.

    Parameters
    ----------
    dims : tuple of str
        Its dimensions, in order.
    dtype : str
        ``"text"``, or the name of a numpy type.
    unit : str
        Empty for text and labels.
    meaning : str
    when : str
        When it is there, in words; empty: always.
    group : str
        Variables of one group are there together or not at all.
    missing : bool
        Whether NaN may stand for a missing value.
    least, most : float
        Bounds of its values.
    choices : tuple of str
        What a text may be.
    coordinate : bool
        Whether it labels others.
    since : int
        The layout from which on it is always there.
    """

    dims: tuple[str, ...]
    dtype: str
    unit: str
    meaning: str
    when: str = ""
    group: str = ""
    missing: bool = False
    least: float = -np.inf
    most: float = np.inf
    choices: tuple[str, ...] = ()
    coordinate: bool = False
    since: int = 1


@dataclass(frozen=True)
class Attribute:
    """One attribute of a recording: its type (str, int or float), unit and meaning, and since which layout it is there.

    `form` is what a text is to be: ``"JSON"`` (a table), ``"tenths"`` (ten numbers), ``"date"``, or empty. `when` says
    when it is there; empty: always.
    """

    kind: type
    unit: str
    meaning: str
    form: str = ""
    when: str = ""
    since: int = 1


_COURSE, _WEIGHTS = ("probe", "event", "time"), ("probe", "event", "neuron")
_NOT_LEFT_OUT = "nobody left it out to save space"
_WITH_PROBES = "there are probes"
_WITH_SPIKES = 'keep.spikes is not "none"'
_SEVERAL_CUES = "there are several cues"
_INPUTS = "the task has inputs besides a cue in each trial"
_EPOCHS = "the task has epochs with names"
_WITH_CHOICES = "a readout chooses"
_WITH_CONFIDENCE = "there are readouts of confidence"

VARIABLES: dict[str, Variable] = {
    "event": Variable(("event",), TEXT, "", "name of the event", coordinate=True),
    "time": Variable(("time",), "float64", "s", "time from the cue", coordinate=True),
    "neuron": Variable(("neuron",), "int64", "1", "number of the cell, from 0", least=0, coordinate=True, since=2),
    "trial": Variable(
        ("trial",), "int64", "1", "number of the trial, from 0, in order of time", least=0, coordinate=True, since=2
    ),
    "probe": Variable(
        ("probe",), "int64", "1", "number of the probe, from 0, in order of time", least=0, coordinate=True, since=2
    ),
    "trial_of_probe": Variable(
        ("probe",), "int64", "1", "number of the trial that is the probe", least=0, coordinate=True, since=2
    ),
    "block": Variable(("probe",), "int64", "1", "block of the probe, from 0", least=0, coordinate=True),
    "probe_trial": Variable(
        ("probe",), "int64", "1", "training trials completed before the probe", least=0, coordinate=True
    ),
    "block_trial": Variable(
        ("probe",), "int64", "1", "training trials completed since the probe's block began", least=0, coordinate=True
    ),
    "cue_name": Variable(("probe",), TEXT, "", "cue of the probe", _SEVERAL_CUES, "cues", coordinate=True),
    "prediction": Variable(
        _COURSE, "float64", "1", "prediction of a cue-only probe, made of what and when by the readout"
    ),
    "expectation": Variable(
        _COURSE, "float64", "1", "true expectation of the probe's block: sum of probability x bump", least=0
    ),
    "what": Variable(
        ("probe", "event"), "float64", "1", "identity prediction at the end of the probe's window"
    ),
    "when": Variable(_COURSE, "float64", "1", "timing prediction over the probe's window"),
    "what_weights": Variable(
        _WEIGHTS, "float64", "s",
        "weights of the identity readout at the probe", _NOT_LEFT_OUT, "weights",
    ),
    "when_weights": Variable(
        _WEIGHTS, "float64", "1",
        "weights of the timing readout at the probe", _NOT_LEFT_OUT, "weights",
    ),
    "mean_state": Variable(
        ("probe", "neuron"), "float64", "Hz",
        "mean spike trace over the probe's window", _NOT_LEFT_OUT, "weights",
    ),
    "trial_what": Variable(
        ("trial", "event"), "float64", "1",
        "identity prediction at the end of the trial's window, before learning from it", missing=True,
    ),
    "trial_when": Variable(
        ("trial", "event"), "float64", "1",
        "timing prediction at the moment of the trial's event; NaN without one", missing=True, since=2,
    ),
    "trial_learn": Variable(("trial",), "int8", "1", "1 in trials that teach", least=0, most=1),
    "trial_onset": Variable(("trial",), "float64", "s", "start of the trial", least=0),
    "trial_duration": Variable(("trial",), "float64", "s", "length of the trial", least=0),
    "trial_cue": Variable(("trial",), "float64", "s", "time of the cue", least=0),
    "trial_latency": Variable(
        ("trial",), "float64", "s", "time from the cue to the event; NaN in a cue-only trial", missing=True, least=0
    ),
    "trial_block": Variable(("trial",), "int64", "1", "block of the trial, from 0", least=0),
    "trial_event": Variable(("trial",), TEXT, "", "event of the trial; empty in a cue-only trial"),
    "trial_kind": Variable(("trial",), TEXT, "", ", ".join(KINDS[:-1]) + f" or {KINDS[-1]}", choices=KINDS),
    "trial_response_time": Variable(
        ("trial",), "float64", "s", "the participant's response time from the event; NaN without one",
        "the trials hold response times", missing=True,
    ),
    "trial_latency_of": Variable(
        ("trial", "event"), "float64", "s", "time from the cue to each event; NaN where it does not come",
        "several events may come in one trial", missing=True, least=0,
    ),
    "trial_cue_name": Variable(("trial",), TEXT, "", "cue of the trial", _SEVERAL_CUES, "cues"),
    "trial_count": Variable(
        ("trial", "event"), "float64", "1",
        "occurrences of the event that the confidence readout counts, before learning from the trial",
        _WITH_CONFIDENCE, "counts", missing=True,
    ),
    "trial_count_against": Variable(
        ("trial", "event"), "float64", "1", "absences of the event that the confidence readout counts",
        _WITH_CONFIDENCE, "counts", missing=True,
    ),
    "trial_payoff": Variable(
        ("trial", "event"), "float64", "1",
        "reward that each event would have brought if chosen; NaN in a trial that is inserted",
        "the task pays for choices", missing=True,
    ),
    "trial_choice": Variable(
        ("trial",), TEXT, "", "event that the readout chose", _WITH_CHOICES, "choices"
    ),
    "trial_choice_reward": Variable(
        ("trial",), "float64", "1", "reward of what was chosen; NaN in a trial that is inserted", _WITH_CHOICES,
        "choices", missing=True,
    ),
    "trial_choice_value": Variable(
        ("trial", "event"), "float64", "1",
        "value of each event when the readout chose, before learning from the trial",
        _WITH_CHOICES, "choices", missing=True,
    ),
    "outcome_block": Variable(("outcome",), "int64", "1", "block of the outcome, from 0", least=0),
    "outcome_latency": Variable(("outcome",), "float64", "s", "time from the cue to the outcome", least=0),
    "outcome_probability": Variable(("outcome",), "float64", "1", "probability of the outcome", least=0, most=1),
    "outcome_event": Variable(("outcome",), TEXT, "", "event of the outcome"),
    "outcome_cue_name": Variable(
        ("outcome",), TEXT, "", "cue that the outcome follows; its probability is given this cue", _SEVERAL_CUES, "cues"
    ),
    "input_onset": Variable(
        ("input",),
        "float64",
        "s",
        "start of what was heard, from the start of the experiment",
        _INPUTS,
        "inputs",
        least=0,
    ),
    "input_duration": Variable(("input",), "float64", "s", "its length", _INPUTS, "inputs", least=0),
    "input_strength": Variable(("input",), "float64", "1", "its strength", _INPUTS, "inputs", least=0),
    "input_channel": Variable(("input",), TEXT, "", "input channel in which it was heard", _INPUTS, "inputs"),
    "epoch_onset": Variable(
        ("epoch",), "float64", "s", "start of the epoch, from the start of the experiment", _EPOCHS, "epochs", least=0
    ),
    "epoch_duration": Variable(("epoch",), "float64", "s", "its length", _EPOCHS, "epochs", least=0),
    "epoch_name": Variable(("epoch",), TEXT, "", "its name", _EPOCHS, "epochs"),
    "rate": Variable(("neuron",), "float64", "Hz", "mean firing rate over the experiment", least=0),
    "cell_type": Variable(("neuron",), TEXT, "", "type of the cell"),
    "excitatory": Variable(("neuron",), "int8", "1", "1 if the cell is excitatory", least=0, most=1),
    "state_probe": Variable(
        ("state_probe",), "int64", "1", "number of the probe", _WITH_PROBES, "states", least=0, coordinate=True
    ),
    "state_time": Variable(
        ("state_time",), "float64", "s", "time from the cue", _WITH_PROBES, "states", coordinate=True
    ),
    "state_trace": Variable(
        ("state_probe", "state_time", "neuron"), "float32", "Hz",
        "spike trace of each cell in the first and the last probe of each block", _WITH_PROBES, "states",
    ),
    "spike_time": Variable(
        ("spike",), "float64", "s", "time of the spike from the start of the experiment", _WITH_SPIKES, "spikes",
        least=0,
    ),
    "spike_neuron": Variable(
        ("spike",), "int32", "1", "number of the cell that spiked", _WITH_SPIKES, "spikes", least=0
    ),
}  # fmt: skip

ATTRIBUTES: dict[str, Attribute] = {
    "title": Attribute(str, "", "paradigm, variant and seed in words"),
    "layout": Attribute(int, "", "number of this layout"),
    "paradigm": Attribute(str, "", "name of the paradigm"),
    "variant": Attribute(str, "", "its variant, empty when there is one only"),
    "seed": Attribute(int, "", "seed of every stream that the configuration does not fix"),
    "configuration": Attribute(str, "", "all that was declared: model, task and what was kept", "JSON", since=2),
    "versions": Attribute(str, "", "versions of this package, Brian2, numpy, xarray and Python", "JSON", since=2),
    "git_commit": Attribute(str, "", "commit of the checkout, with + if it was changed since; empty without", since=2),
    "code": Attribute(str, "", "hash of the sources that decide what a run gives", since=2),
    "imports": Attribute(str, "", "scripts and modules of the user's, each with a hash of its source", "JSON", since=2),
    "plan": Attribute(str, "", "hash of all that decides what was compiled", since=2),
    "precision": Attribute(
        str,
        "",
        "of the network's floating point numbers: double or single",
        when="the version that made it has a choice",
    ),
    "created": Attribute(str, "", "when the run ended (ISO 8601, UTC)", "date", since=2),
    "time_step": Attribute(float, "s", "time between two steps of the readouts"),
    "window": Attribute(float, "s", "time after the cue in which predictions are read"),
    "event_width": Attribute(float, "s", "standard deviation of the bump that stands for an event in time"),
    "cue_duration": Attribute(float, "s", "length of the cue"),
    "duration": Attribute(float, "s", "length of the experiment; nothing after its end is in the recording", since=2),
    "time_told": Attribute(
        str,
        "",
        "of each tenth of the window: median error of the time that the states tell, over that of a guess within it",
        "tenths",
        since=2,
    ),
    "worse_than_bounds": Attribute(
        str,
        "",
        "at the end of which block the prediction is worse than none, or than one that is flat in time",
        when="there is such a block",
    ),
    "device": Attribute(str, "", "where it ran", since=2),
    "templates": Attribute(str, "", "whose code templates its program was made of", since=2),
    "schedule": Attribute(str, "", "what Brian2 does in a time step, in its order", since=2),
    "build_seconds": Attribute(float, "s", "time to build the program", since=2),
    "run_seconds": Attribute(float, "s", "time to run it", since=2),
    "peak_bytes": Attribute(float, "bytes", "most memory that the program had; 0 if unknown", since=2),
    "replicates": Attribute(int, "", "networks that ran side by side as one", since=2),
    "development": Attribute(
        str,
        "",
        "trials that the network heard before the task, and what a test of it found (`izhires.circuits.development`)",
        "JSON",
        when="the network developed before the task",
    ),
    "diverged": Attribute(str, "", "what diverged, and where", when="a readout diverged; these are the trials before"),
    "checksum": Attribute(str, "", "SHA-256 of all variables and attributes", since=2),
}

_NAMES = {str: "a text", int: "a whole number", float: "a number"}


def dataset(values: Mapping[str, Any], attributes: Mapping[str, Any] | None = None) -> xr.Dataset:
    """Return a data set whose dimensions, types, units and meanings are those declared.

    Parameters
    ----------
    values : mapping
        Arrays by name of the variable.
    attributes : mapping, optional
    """
    import xarray as xr

    made = {}
    for name, given in values.items():
        about = VARIABLES[name]
        array = np.asarray(given)
        array = array.astype(str) if about.dtype == TEXT else array.astype(about.dtype, copy=False)
        notes = {"units": about.unit, "long_name": about.meaning}
        made[name] = xr.Variable(about.dims, array, {key: text for key, text in notes.items() if text})
    labels = {name: each for name, each in made.items() if VARIABLES[name].coordinate}
    return xr.Dataset({name: each for name, each in made.items() if name not in labels}, labels, attributes)


def check(recording: xr.Dataset, place: str = "") -> None:
    """Refuse a recording that is not what its layout declares.

    Parameters
    ----------
    recording : xarray.Dataset
        Its attribute ``layout`` is a whole number.
    place : str
        Its file, for the message.

    Raises
    ------
    RecordingError
        One line: what is wrong, and how many things more.
    """
    found = list(_complaints(recording))
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise RecordingError(f"is no whole recording: {found[0]}{more}", place)


def _complaints(recording: xr.Dataset) -> Iterator[str]:
    layout = int(recording.attrs["layout"])
    yield from _attribute_complaints(recording.attrs, layout)
    groups = {each.group for name, each in VARIABLES.items() if each.group and name in recording.variables}
    partial = "diverged" in recording.attrs
    for name, about in VARIABLES.items():
        if name not in recording.variables:
            if about.group in groups:
                yield f"it lacks {name}, and has others of its {about.group}"
            elif not about.when and layout >= about.since:
                near = closest(name, [str(other) for other in recording.variables if other not in VARIABLES])
                yield f"it lacks {name}{near}"
            continue
        held = recording.variables[name]
        if held.dims != about.dims:
            yield f"{name} has the dimensions ({', '.join(map(str, held.dims))}), not ({', '.join(about.dims)})"
        else:
            yield from value_complaints(name, held.values, exact=layout >= 2, partial=partial)
        unit = held.attrs.get("units")
        if (unit is not None or layout >= 2) and (unit or "") != about.unit:
            yield f"{name} has the unit {unit!r}, not {about.unit!r}"
        if not isinstance(held.attrs.get("long_name", ""), str):
            yield f"the attribute long_name of {name} is no text"
    yield from _between(recording)


def _attribute_complaints(attributes: Mapping[str, Any], layout: int) -> Iterator[str]:
    for name, about in ATTRIBUTES.items():
        value = attributes.get(name)
        if value is None:
            # the file alone holds its checksum, see `izhires.recordings.recording.load`
            if not about.when and layout >= about.since and name != "checksum":
                yield f"it lacks the attribute {name}"
            continue
        kinds = {str: str, int: (int, np.integer), float: (int, float, np.integer, np.floating)}[about.kind]
        if not isinstance(value, kinds) or isinstance(value, bool):  # type: ignore[arg-type]
            yield f"the attribute {name} is {_short(value)}, not {_NAMES[about.kind]}"
        elif about.kind is str:
            if problem := text_problem(value):
                yield f"the attribute {name} {problem}"
            elif about.form and not _has_form(value, about.form):
                what = {"JSON": "a table in JSON", "tenths": "a list of ten numbers in JSON", "date": "a date"}[
                    about.form
                ]
                yield f"the attribute {name} is {_short(value)}, not {what}"
        elif not np.isfinite(value) or value < 0 or (about.unit == "s" and value == 0 and "seconds" not in name):
            yield f"the attribute {name} is {value:g}, which cannot be"


def _has_form(text: str, form: str) -> bool:
    try:
        if form == "date":
            return bool(datetime.fromisoformat(text))
        found = json.loads(text)
        if form == "JSON":
            return isinstance(found, dict)
        numbers = isinstance(found, list) and all(each is None or isinstance(each, int | float) for each in found)
        return numbers and len(found) == 10
    except (ValueError, RecursionError):
        return False


def value_complaints(name: str, values: np.ndarray, exact: bool = True, partial: bool = False) -> Iterator[str]:
    """Give what is wrong with the values of a variable, one line each.

    Parameters
    ----------
    name : str
    values : array
    exact : bool
        Whether the very type is asked for, else only whether it is text, whole numbers or numbers.
    partial : bool
        Whether NaN may stand in any number, as where a run diverged.
    """
    about = VARIABLES[name]
    if about.dtype == TEXT:
        texts = values.ravel().tolist()
        if values.dtype.kind not in "OU" or not all(isinstance(each, str) for each in texts):
            yield f"{name} holds {values.dtype}, not text"
            return
        for each in dict.fromkeys(texts):
            if problem := text_problem(each):
                yield f"{name} {problem}"
            elif about.choices and each not in about.choices:
                yield f"{name} holds {_short(each)}; valid: {', '.join(about.choices)}"
        return
    wanted = np.dtype(about.dtype)
    kinds = "iu" if wanted.kind == "i" else "f"
    if values.dtype.kind not in kinds or (exact and values.dtype.newbyteorder("=") != wanted):
        yield f"{name} holds {values.dtype}, not {about.dtype}"
        return
    if not values.size:
        return
    if wanted.kind == "f":
        finite = np.isfinite(values)
        if about.missing or partial:
            finite |= np.isnan(values)
        if not finite.all():
            yield f"{name} holds {values[~finite].ravel()[0]:g} in {int((~finite).sum())} places, where none may be"
            return
        if np.isnan(values).all():
            return
    low, high = np.nanmin(values), np.nanmax(values)
    if low < about.least or high > about.most:
        yield f"{name} holds {(low if low < about.least else high):g}, which cannot be"


def text_problem(text: str) -> str:
    """Return why a text cannot be written to a file, or nothing."""
    if "\0" in text:
        return f"holds a text with a zero character, {_short(text)}"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return f"holds a text that is no Unicode, {_short(text)}"
    return ""


def _between(recording: xr.Dataset) -> Iterator[str]:
    """Give where variables of the right form contradict each other."""
    held = {name: recording.variables[name].values for name, about in VARIABLES.items()
            if name in recording.variables and recording.variables[name].dims == about.dims}  # fmt: skip
    events = set(held["event"].tolist()) if "event" in held else None
    for name in ("trial_event", "outcome_event", "trial_choice"):
        if events is not None and name in held:
            other = set(held[name].tolist()) - events - {""}
            if other:
                yield f"{name} holds {_short(sorted(map(str, other))[0])}, which is no event of it"
    for name in ("event", "neuron", "trial", "probe", "state_probe"):
        if name in held and len(np.unique(held[name].astype(str))) < len(held[name]):
            yield f"{name} holds a label twice"
    window, step = (recording.attrs.get(name, 0.0) for name in ("window", "time_step"))
    time = held.get("time", np.empty(0))
    numbers = isinstance(window, float | np.floating) and isinstance(step, float | np.floating)
    if numbers and time.dtype.kind == "f" and time.size and (time[0] < 0 or time[-1] >= window + step):
        yield f"time goes from {time[0]:g} to {time[-1]:g} s, and the window is {window:g} s"
    if "trial_of_probe" not in held and "trial_kind" in held and "prediction" in held:
        probes, trials = recording.sizes["probe"], int((held["trial_kind"] == "probe").sum())
        if probes != trials:
            yield f"it has {probes} probes, and {trials} trials of that kind"
    if "neuron" not in held and "spike_neuron" in held and "rate" in held:
        cells = held["spike_neuron"]
        if cells.dtype.kind in "iu" and cells.size and cells.max() >= len(held["rate"]):
            yield f"spike_neuron holds {cells.max()}, and there are {len(held['rate'])} cells"
    times, end = held.get("spike_time", np.empty(0)), recording.attrs.get("duration")
    if isinstance(end, float | np.floating) and times.size and times.dtype.kind == "f" and times.max() >= end:
        yield f"spike_time holds {times.max():g} s, after the end at {end:g} s"


def _short(value: Any) -> str:
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) < 60 else f"{text[:50]}..."


def checksum(recording: xr.Dataset) -> str:
    """Return the SHA-256 of all variables (names, dimensions, types, values, units) and of all attributes.

    Parameters
    ----------
    recording : xarray.Dataset
        Of layout 3 or later; up to layout 2, only the variables declared here enter.

    Returns
    -------
    str
        64 hexadecimal digits; the attribute ``checksum`` itself does not enter.
    """
    found = hashlib.sha256()

    def put(*parts: Any) -> None:
        found.update(json.dumps(parts, default=str).encode())

    names = [name for name in VARIABLES if name in recording.variables]
    if int(recording.attrs["layout"]) >= 3:
        names += sorted(str(name) for name in recording.variables if name not in VARIABLES)
    for name in names:
        held = recording.variables[name]
        values = held.values
        if values.dtype.kind in "OU":
            put(name, held.dims, TEXT, values.tolist(), _plain(held.attrs))
        else:
            plain = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
            put(name, held.dims, held.shape, plain.dtype.str, _plain(held.attrs))
            found.update(plain.tobytes() if plain.ndim == 0 else memoryview(plain.reshape(-1).view(np.uint8)))
    put(_plain({name: value for name, value in recording.attrs.items() if name != "checksum"}))
    return found.hexdigest()


def _plain(attributes: Mapping[Any, Any]) -> dict[str, Any]:
    """Return attributes as a file gives them back: numpy's numbers as Python's, one value as itself."""
    plain = {}
    for name in sorted(map(str, attributes)):
        value = attributes[name]
        value = value.tolist() if isinstance(value, np.generic | np.ndarray) else value
        plain[name] = value[0] if isinstance(value, list | tuple) and len(value) == 1 else value
    return plain


def require(recording: xr.Dataset, names: Iterable[str], place: str = "") -> None:
    """Refuse a data set that lacks variables, or has them over other dimensions than declared.

    Raises
    ------
    RecordingError
    """
    names = list(names)
    missing = [name for name in names if name not in recording.variables]
    if missing:
        raise RecordingError(f"lacks {', '.join(missing)}", place)
    for name in names:
        gone = [dim for dim in VARIABLES[name].dims if dim not in recording[name].dims]
        if gone:
            raise RecordingError(
                f"{name} has no dimension {gone[0]}; of one {gone[0]}, take a list: isel({gone[0]}=[0])", place
            )


def markdown() -> str:
    """Return the tables of variables and attributes, as ``docs/recording.md`` has them."""
    lines = ["| variable | dimensions | type | unit | meaning | there |", "|---|---|---|---|---|---|"]
    for name, about in VARIABLES.items():
        there = f"when {about.when}" if about.when else "always" + (f" (layout {about.since})" * (about.since > 1))
        unit = about.unit or "-"
        lines.append(f"| `{name}` | {', '.join(about.dims)} | {about.dtype} | {unit} | {about.meaning} | {there} |")
    lines += ["", "| attribute | type | unit | meaning | there |", "|---|---|---|---|---|"]
    for name, each in ATTRIBUTES.items():
        there = f"when {each.when}" if each.when else "always" + (f" (layout {each.since})" * (each.since > 1))
        kind = {str: "text", int: "int64", float: "float64"}[each.kind] + (f" ({each.form})" * bool(each.form))
        lines.append(f"| `{name}` | {kind} | {each.unit or '-'} | {each.meaning} | {there} |")
    return "\n".join(lines) + "\n"
