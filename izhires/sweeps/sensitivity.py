"""Points of a sensitivity analysis: one-at-a-time changes or Sobol samples of values that are not known of the paper.

What becomes of them, `izhires.analysis.sensitivity` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from izhires.declare import ASSUMED, Declaration
from izhires.errors import ConfigurationError, closest
from izhires.optional import library
from izhires.sweeps.design import METRICS, Design, Range, Sensitivity, Spec, _number, _text, check_size

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Parameter:
    """One parameter that is changed.

    Parameters
    ----------
    key : str
        Dotted key of the configuration.
    value : object
        As the configuration has it: a number, text with a unit, or a pair of these that is scaled as one.
    factor : float
        It goes from value/factor to value*factor ...
    range : Range, optional
        ... or over this range.
    """

    key: str
    value: Any
    factor: float
    range: Range | None = None

    def at(self, share: float) -> Any:
        """Return the value at a share of the way from the lowest to the highest; 0.5 is the value itself."""
        if self.range is not None:
            return self.range.at(share)
        return _scaled(self.value, self.factor ** (2 * share - 1))


def _scaled(value: Any, by: float) -> Any:
    if isinstance(value, list):
        return [_scaled(each, by) for each in value]
    if isinstance(value, int):
        return round(value * by)
    number, unit = _number(value)
    return _text(number * by, unit)


def parameters(spec: Spec) -> list[Parameter]:
    """Return the parameters that a sensitivity analysis changes: the numbers under its keys whose source is assumed.

    A key that names a single parameter is taken whatever its source. What is 0 has no scale and is left out, unless it
    has a range.

    Raises
    ------
    ConfigurationError
        If a key names nothing of the configuration.
    """
    wanted = spec.sensitivity or Sensitivity()
    configuration = spec.configuration()
    data = configuration.to_dict()
    known = dict(_numbers(configuration))
    for key in (*wanted.parameters, *wanted.exclude, *wanted.ranges):
        if key not in known and not any(each.startswith(f"{key}.") for each in known):
            tables = {each.rpartition(".")[0] for each in known} | {each.partition(".")[0] for each in known}
            near = closest(key, [*known, *tables])
            raise ConfigurationError(f"{key!r} is no number of the configuration{near}", "sensitivity", sorted(tables))
    found = []
    for key, source in known.items():
        named = key in wanted.parameters or key in wanted.ranges
        under = any(key.startswith(f"{each}.") for each in wanted.parameters) and source == ASSUMED
        if key in wanted.exclude or not (named or under):
            continue
        value = _get(data, key)
        own = wanted.ranges.get(key)
        if own is not None or _is_not_zero(value):
            found.append(Parameter(key, value, wanted.factor, own))
    if not found:
        raise ConfigurationError("its keys name no assumed number", "sensitivity.parameters")
    return found


def _numbers(declaration: Declaration, prefix: str = "") -> list[tuple[str, str]]:
    """Return key and source of every number, or pair of numbers, of a declaration."""
    found = []
    for name, info in type(declaration).model_fields.items():
        value = getattr(declaration, name)
        if isinstance(value, Declaration):
            found += _numbers(value, f"{prefix}{name}.")
        elif isinstance(value, (int, float, tuple)) and not isinstance(value, bool):
            inside = value if isinstance(value, tuple) else (value,)
            if inside and all(isinstance(each, (int, float)) for each in inside):
                extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
                found.append((f"{prefix}{name}", str(extra.get("source", ""))))
    return found


def _get(data: dict[str, Any], key: str) -> Any:
    for each in key.split("."):
        data = data[each]
    return data


def _is_not_zero(value: Any) -> bool:
    return any(_number(each)[0] != 0 for each in (value if isinstance(value, list) else [value]))


def designed(spec: Spec) -> Spec:
    """Return the sweep whose points a sensitivity analysis needs."""
    wanted, changed = spec.sensitivity or Sensitivity(), parameters(spec)
    alone = wanted.kind == "one-at-a-time"
    check_size(1 + 2 * len(changed) if alone else wanted.samples * (len(changed) + 2), 1, 1, 1)
    if alone:
        rows: list[dict[str, Any]] = [{}]
        rows += [{each.key: each.at(share)} for each in changed for share in (0.0, 1.0)]
    else:
        rows = [
            {each.key: each.at(share) for each, share in zip(changed, row, strict=True)}
            for row in _sobol_shares(wanted, changed).tolist()
        ]
    return spec.with_changes(
        design=Design(kind="list", points=rows), metrics=METRICS, sensitivity=wanted.to_dict(), conditions=("",)
    )


def problem(changed: list[Parameter]) -> dict[str, Any]:
    """Return parameters as SALib describes them: shares of the way from the lowest to the highest value."""
    return {"num_vars": len(changed), "names": [each.key for each in changed], "bounds": [[0.0, 1.0]] * len(changed)}


def _sobol_shares(wanted: Sensitivity, changed: list[Parameter]) -> np.ndarray:
    """Return the points as shares of each range, shape (samples*(parameters + 2), parameters)."""
    found: np.ndarray = library("SALib.sample.sobol").sample(
        problem(changed), wanted.samples, calc_second_order=False, seed=wanted.seed
    )
    return found
