"""What a folder of recordings is built on, as BibTeX: from the sources that every used part declares."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from izhires.declare import PAPER
from izhires.errors import RecordingError
from izhires.files import as_path
from izhires.model.configuration import present

ALWAYS = {
    "simulator Brian2": "Stimberg, Brette & Goodman (2019), doi 10.7554/eLife.47314",
    "model": PAPER,
}
"""What every recording stands on, whatever its parts."""


@dataclass(frozen=True)
class Work:
    """One work.

    Parameters
    ----------
    key : str
    text : str
        Its BibTeX entry.
    """

    key: str
    text: str


def identifiers(text: str) -> list[str]:
    """Return the DOIs and arXiv numbers in a text, in lower case, in order.

    >>> identifiers("Page (1954), doi 10.1093/biomet/41.1-2.100; after Yamada & Chao (arXiv 2510.14382)")
    ['10.1093/biomet/41.1-2.100', '2510.14382']
    """
    found = []
    for match in re.finditer(r"\b(10\.\d{4,9}/[^\s;,\"{}]+)|(?i:arxiv)\W{0,3}(\d{4}\.\d{4,5})", text):
        one = (match[1] or match[2]).rstrip(".:").lower()
        # a bracket that closes one outside the DOI is none of its own
        found.append(one if one.count("(") >= one.count(")") else one.rstrip(")").rstrip("."))
    return found


def bibliography() -> dict[str, Work]:
    """Return the entry of every DOI and arXiv number (lower case) in this package's bibliography."""
    text = Path(__file__).with_name("bibliography.bib").read_text(encoding="utf-8")
    found = {}
    for part in re.split(r"^(?=@)", text, flags=re.MULTILINE)[1:]:
        match = re.match(r"@\w+\{([^,]+),", part)
        assert match, part
        fields = dict(re.findall(r"^ +(doi|eprint) = \{(.*)\},$", part, flags=re.MULTILINE))
        found.update(dict.fromkeys((each.lower() for each in fields.values()), Work(match[1], part.strip())))
    return found


def declared() -> dict[str, str]:
    """Return the sources of all that can be chosen: ``"rule two_factor"`` -> its own and those of its parameters."""
    from izhires import devices
    from izhires.analysis import all_metrics, all_observers
    from izhires.cells.base import Cell
    from izhires.circuits.base import Reservoir
    from izhires.gates.base import Gate
    from izhires.model.model import Model, State
    from izhires.neuromodulators.base import Neuromodulator
    from izhires.paradigms.base import Paradigm
    from izhires.plasticity.base import Plasticity
    from izhires.plasticity.intrinsic import Intrinsic
    from izhires.predictions.base import Prediction
    from izhires.readouts.base import Readout
    from izhires.rules.base import Rule
    from izhires.wirings.base import Wiring

    readouts = [type(each) for each in Model().all_readouts().values()]
    found = {**ALWAYS, "readouts": "; ".join(_sources(each) for each in (State, *readouts))}
    families = (Paradigm, Reservoir, Readout, Prediction, Rule, Gate, Cell, Wiring, Plasticity, Neuromodulator)
    for family in families:
        for name, each in family.alternatives().items():
            found[f"{family.family} {name}"] = _sources(each)
    found["plasticity intrinsic"] = _sources(Intrinsic)
    for cell in Cell.alternatives().values():
        kind = cell.model_fields["type"].default
        found |= {f"cell type {kind} {name}": each.source for name, each in cell.table.items()}
    found |= {f"device {name}": each.source for name, each in devices.all_devices().items()}
    found |= {f"observer {name}": each.source for name, each in all_observers().items()}
    found |= {f"metric {name}": each.source for name, each in all_metrics().items()}
    return found


def _sources(component: Any) -> str:
    """Return what a declaration and its parameters give as their sources, each once."""
    given = [getattr(component, "source", ""), *(row["source"] for row in component.symbols())]
    return "; ".join(dict.fromkeys(each for each in given if each))


def used(attributes: Mapping[str, Any], metrics: Iterable[str] = ()) -> list[str]:
    """Return what a recording used, in the words of `declared`.

    Parameters
    ----------
    attributes : mapping
        The attributes of the recording.
    metrics : iterable of str
        Names of metrics that were computed from it, as a tidy table has them.
    """
    configuration = present(json.loads(attributes.get("configuration", "{}")))
    reservoir = configuration.get("reservoir", {})
    populations = (reservoir, *configuration.get("populations", {}).values())
    cells = [each.get("cell", {}) for each in populations]
    connections = configuration.get("connections", {}).values()
    readouts = [configuration.get(name) or {} for name in ("when", "what", "confidence")]
    readouts += configuration.get("readouts", {}).values()
    parts = [
        ("paradigm", attributes.get("paradigm")),
        ("circuit", reservoir.get("type")),
        *(("cell model", cell.get("type")) for cell in cells),
        *(
            ("cell type", f"{cell.get('type')} {name}")
            for cell in cells
            for name, share in cell.get("composition", {}).items()
            if share
        ),
        *(("wiring", each.get("wiring", {}).get("type")) for each in connections),
        *(("plasticity", rule.get("type")) for each in connections for rule in each.get("plasticity", ())),
        *(("plasticity", "intrinsic") for each in populations if each.get("intrinsic")),
        *((kind, each.get(kind, {}).get("type")) for each in readouts for kind in ("rule", "gate")),
        *(("neuromodulator", each.get("type")) for each in configuration.get("neuromodulators", {}).values()),
        ("prediction", configuration.get("prediction", {}).get("type")),
        ("device", attributes.get("device")),
        *(("observer", name) for name in _observers(metrics)),
        *(("metric", name.partition(".")[0]) for name in metrics),
    ]
    return list(dict.fromkeys([*ALWAYS, "readouts", *(f"{kind} {name}" for kind, name in parts if name)]))


def _observers(metrics: Iterable[str]) -> list[str]:
    """Return the observers beside which the metrics hold a network, by the names of their parts."""
    from izhires.analysis import all_observers

    parts = [name.partition(".")[2] for name in metrics if name.startswith("observer_")]
    return [name for name in all_observers()
            if any(part in (name, f"{name}_last", f"network_minus_{name}") for part in parts)]  # fmt: skip


def cite(place: str | Path) -> str:
    """Return the BibTeX of exactly what the recordings of a folder used.

    It covers Brian2, this package, the model, and each paradigm, circuit, cell type, rule, gate, readout and device in
    the recordings, and the metrics and observers in the tables (``metrics.csv``) beside them; folders within are
    searched, too.

    Parameters
    ----------
    place : path
        A folder, or one recording.

    Returns
    -------
    str
        BibTeX. A comment before each entry says what it stands for; comments at the end name what has no entry.

    Raises
    ------
    RecordingError
        If there is no recording, or one cannot be read.
    """
    import pandas as pd

    from izhires.recordings.recording import load

    place = as_path(place)
    paths = sorted(place.rglob("*.nc")) if place.is_dir() else [place]
    if not paths:
        raise RecordingError("holds no recording (*.nc)", str(place))
    tables = sorted(place.rglob("metrics.csv")) if place.is_dir() else []
    results = [pd.read_csv(table).dropna(subset="value") for table in tables]
    metrics = [name for table in results for name in table["metric"].unique()]
    attributes = [load(path).attrs for path in paths]

    sources, entries = declared(), bibliography()
    uses: dict[Work, list[str]] = {}
    without = []
    for part in dict.fromkeys(part for each in attributes for part in used(each, metrics)):
        found = [entries[one] for one in identifiers(sources.get(part, "")) if one in entries]
        for entry in dict.fromkeys(found):
            uses.setdefault(entry, []).append(part)
        if part not in sources:
            without.append(f"{part}: not of this package; cite its source")
    files = sorted({Path(path).name for each in attributes for path in _event_files(each)})
    if files:
        some = ", ".join(files[:2]) + (", ..." if len(files) > 2 else "")
        without.append(f"event files ({some}): cite the data set that they come from")
    blocks = [f"% izhires\n{_itself(attributes)}"]
    blocks += [f"% {', '.join(parts)}\n{entry.text}" for entry, parts in uses.items()]
    blocks += [f"% no entry: {line}" for line in without]
    return "\n\n".join(blocks) + "\n"


def _event_files(attributes: Mapping[str, Any]) -> list[str]:
    paradigm = json.loads(attributes.get("configuration", "{}")).get("paradigm", {})
    return [*paradigm.get("events_files", [])]


def _itself(attributes: Iterable[Mapping[str, Any]]) -> str:
    """Return the entry of this package, with the versions and commits that made the recordings."""
    versions = {json.loads(each.get("versions", "{}")).get("izhires", "") for each in attributes} - {""}
    commits = {str(each.get("git_commit", "")) for each in attributes} - {""}
    facts = {"version": ", ".join(sorted(versions)), "note": f"Commit {', '.join(sorted(commits))}" if commits else ""}
    lines = [f"  {name} = {{{value}}}," for name, value in facts.items() if value]
    return "\n".join(
        [
            "@software{izhires,",
            "  author = {{The izhires developers}},",
            "  title = {{izhires}: Spiking reservoirs that learn what will happen, when, and how likely it is},",
            *lines,
            "}",
        ]
    )
