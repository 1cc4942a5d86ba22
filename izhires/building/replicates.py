"""Replicates: several runs of one plan as one network, side by side and unconnected, and what each of them gave."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from izhires.building.parts import Extension, Group, Monitor, Part, Pathway, Signal, Update
from izhires.building.plan import INDICES, Plan, rewritten, shapes
from izhires.errors import ConfigurationError


def combine(plans: list[Plan], runs: list[dict[str, np.ndarray]]) -> tuple[Plan, dict[str, np.ndarray]]:
    """Put several runs of one plan side by side as one network with block-diagonal synapses.

    Seeds and parameter values may differ between the runs. The noise of all comes from the generator of the first.

    Parameters
    ----------
    plans : list of Plan
        Of each run alone; all equal.
    runs : list of dict
        The numbers of each run.

    Returns
    -------
    plan : Plan
    arrays : dict
        Numbers of the whole; `split` divides what it gives.

    Raises
    ------
    ConfigurationError
        If the trials of the runs do not lie at the same times, or the plans differ otherwise.
    """
    plan = plans[0]
    for signal in (each for each in plan.of(Signal) if each.shared):
        name = f"signals.{signal.name}"
        if any(not np.array_equal(run[name], runs[0][name]) for run in runs):
            raise ConfigurationError("replicates need trials at the same times", "--replicates")
    if any(other != plan for other in plans):
        raise ConfigurationError("replicates may differ in numbers only, not in sizes or equations", "--replicates")
    if len(runs) == 1:
        return plan, runs[0]
    if any(each.template == "inverse" for each in plan.of(Pathway)):
        raise ConfigurationError(
            "the inverse correlation of a network's states has no place for others", "--replicates"
        )
    if extensions := plan.of(Extension):
        raise ConfigurationError(f"{extensions[0].function!r} knows one network only", "--replicates")
    many = len(runs)
    signals = {each.name: each for each in plan.of(Signal)}
    arrays: dict[str, np.ndarray] = {}
    differing: dict[str, list[str]] = {}
    for name, first in runs[0].items():
        owner, variable = name.split(".")
        each = [run[name] for run in runs]
        if variable == "noise_seed" or (owner == "signals" and signals[variable].shared):
            arrays[name] = first
        elif owner == "signals":
            arrays[name] = np.stack(each, axis=1) if first.ndim == 1 else np.concatenate(each, axis=1)
        elif (size := _indexed(plan, owner, variable)) is not None:
            arrays[name] = np.concatenate([other + np.int32(size * r) for r, other in enumerate(each)])
        elif first.ndim == 0 and all(other == first for other in each):
            arrays[name] = first  # one value for all, and the same arithmetic as alone
        elif first.ndim == 0:
            arrays[name] = np.repeat(np.array(each), plan.length(owner))
            differing.setdefault(owner, []).append(variable)
        else:
            arrays[name] = np.concatenate(each)
    parts = tuple(_side_by_side(plan, part, differing.get(part.name, [])) for part in plan.parts)
    for part in parts:
        if isinstance(part, Group) and _hears(plan, part.name) and part.size > 1:
            arrays[f"{part.name}.replicate"] = np.repeat(np.arange(many, dtype=np.int32), part.size)
    return replace(plan, parts=parts, shapes=shapes(arrays), replicates=many), arrays


def _indexed(plan: Plan, owner: str, variable: str) -> int | None:
    """Return the size of the group that numbers are members of; None for other numbers."""
    part = plan.part(owner)
    if isinstance(part, Pathway) and variable in INDICES:
        return plan.length(part.source if variable == "i" else part.target)
    if isinstance(part, Group):
        for link in part.links.values():
            if link.index == variable:
                return plan.length(link.group)
    return None


def _listener(plan: Plan, part: Part) -> str:
    """Return the group whose members hear the signals in the texts of a part."""
    while isinstance(part, Update):
        part = plan.part(part.of)
    return part.target if isinstance(part, Pathway) else part.name


def _hears(plan: Plan, name: str) -> bool:
    """Whether the texts of a group, or of what goes to it, mention a signal that differs between networks."""
    own = [signal.name for signal in plan.of(Signal) if not signal.shared and signal.each == 1]
    texts = [text for part in plan.parts if _listener(plan, part) == name for text in part.texts.values()]
    return any(re.search(rf"\b{signal}\(t\)", text) for signal in own for text in texts)


def _side_by_side(plan: Plan, part: Part, differing: list[str]) -> Part:
    """A parameter that differs is now one value for each member of its group; signals differ by network."""
    listener = _listener(plan, part)
    if not isinstance(part, Group | Pathway | Update) or not isinstance(plan.part(listener), Group):
        return part
    synaptic = isinstance(part, Pathway) or (isinstance(part, Update) and isinstance(plan.part(part.of), Pathway))
    own = ("j" if synaptic else "i") if plan.length(listener) == 1 else "replicate_post" if synaptic else "replicate"

    def several(text: str) -> str:
        for variable in differing:
            text = re.sub(rf"(?m)^({variable} : .*)\(shared, constant\)$", r"\1(constant)", text)
        for signal in plan.of(Signal):
            if not signal.shared:
                text = text.replace(f"{signal.name}(t)", f"{signal.name}(t, {own})")
        return text

    found = rewritten(part, several)
    if isinstance(found, Group) and own == "replicate" and _hears(plan, part.name):
        found = replace(found, equations=found.equations + "replicate : integer (constant)\n")
    return found


def split(plan: Plan, outputs: dict[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    """Divide what a combined plan gave into one set of outputs a run, as each run alone gives them.

    Parameters
    ----------
    plan : Plan
        The combined plan.
    outputs : dict
        What its program returned.
    """
    many = plan.replicates
    if many == 1:
        return [outputs]
    found: list[dict[str, np.ndarray]] = [{} for _ in range(many)]
    for monitor in plan.of(Monitor):
        times = outputs[f"{monitor.name}.t"]
        if not monitor.every:
            size, members = plan.length(monitor.of), outputs[f"{monitor.name}.i"]
            for r, run in enumerate(found):
                mine = members // size == r
                run[f"{monitor.name}.t"], run[f"{monitor.name}.i"] = times[mine], members[mine] - size * r
            continue
        columns = plan.columns(monitor)
        for r, run in enumerate(found):
            run[f"{monitor.name}.t"] = times
            for variable in monitor.variables:
                run[f"{monitor.name}.{variable}"] = outputs[f"{monitor.name}.{variable}"][
                    :, r * columns : (r + 1) * columns
                ]
    return found
