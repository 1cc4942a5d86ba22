"""What notebooks show of declarations, experiments, plans and recordings: short HTML, made of what they say."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

    from izhires.building.plan import Plan
    from izhires.declare import Declaration
    from izhires.paradigms.experiment import Experiment


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; its cells are text."""
    lines = [f"<tr>{''.join(f'<th>{escape(each)}</th>' for each in head)}</tr>"]
    lines += [f"<tr>{''.join(f'<td>{escape(str(each))}</td>' for each in row)}</tr>" for row in rows]
    return f"<table>{''.join(lines)}</table>"


def folded(summary: str, inside: str) -> str:
    """Return what is shown when one asks for it."""
    return f"<details><summary>{escape(summary)}</summary>{inside}</details>"


def of_declaration(declared: Declaration) -> str:
    """Return what differs from the defaults, and, to be unfolded, every parameter with meaning and source."""
    cls = type(declared)
    rows = [
        (name, each if isinstance(each, str) else repr(each), cls.model_fields[name].description or "")
        for name, each in declared.differences().items()
    ]
    said = table(("parameter", "value", "meaning"), rows) if rows else "<p>every parameter has its default</p>"
    every = table(("parameter", "value", "meaning", "source"), (
        (row["name"], _short(declared, row["name"]), row["meaning"], row["source"]) for row in cls.symbols()
    ))  # fmt: skip
    return f"<b>{escape(cls.__name__)}</b>{said}{folded('all parameters', every)}"


def _short(declared: Declaration, name: str) -> str:
    value = declared.to_dict()[name]
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 200 else f"{text[:197]}..."


def of_experiment(experiment: Experiment) -> str:
    """Return what an experiment says of itself, and the statistics of its blocks."""
    first, *rest = experiment.describe().splitlines()
    truth = experiment.outcomes
    rows = [[f"{each:g}" if isinstance(each, float) else each for each in row]
            for row in truth.head(40).itertuples(index=False)]  # fmt: skip
    said = "".join(f"<br>{escape(each.strip())}" for each in rest[:12])
    return f"<b>{escape(first)}</b>{said}{folded('true statistics', table(list(truth.columns), rows))}"


def of_plan(plan: Plan) -> str:
    """Return the parts of a plan, each with its Brian2 texts to be unfolded."""
    lines = []
    for part in plan.parts:
        texts = "".join(f"<b>{escape(role)}</b><pre>{escape(text.strip())}</pre>" for role, text in part.texts.items())
        kind = type(part).__name__.lower()
        lines.append(folded(f"{part.name} ({kind})", texts or "no text"))
    head = f"<b>Plan</b>: {plan.cells} cells, {plan.duration:g} s, fingerprint {plan.fingerprint()}"
    return head + "".join(lines)


def of_recording(recording: xr.Dataset) -> str:
    """Return what was run, and one figure of it: the last prediction of each block beside the expectation."""
    from izhires.analysis.plots import prediction

    facts = {name: recording.attrs[name] for name in ("paradigm", "variant", "seed", "device", "created", "duration")
             if recording.attrs.get(name, "") != ""}  # fmt: skip
    facts |= {name: recording.sizes[name] for name in ("trial", "probe", "event", "neuron") if name in recording.sizes}
    said = f"<p>{', '.join(f'{name} {escape(str(each))}' for name, each in facts.items())}</p>"
    head = f"<b>{escape(str(recording.attrs.get('title', 'a part of a recording')))}</b>"
    if not {"prediction", "expectation"} <= set(recording.variables) or not recording.sizes.get("probe"):
        return head + said
    from izhires.analysis.figures import style

    with style.applied():
        made = style.page(style.DOUBLE, 60 * style.MILLIMETRE)
        prediction(recording, made)
        return f"{head}{said}<img alt='prediction and expectation' src='data:image/png;base64,{_png(made)}'>"


def _png(made: Any) -> str:
    buffer = io.BytesIO()
    made.savefig(buffer, format="png", dpi=100)
    return base64.b64encode(buffer.getvalue()).decode()
