"""``izhires list``: everything that can be chosen, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from izhires.declare import Declaration
    from izhires.devices import Device

COMMAND = "list"


def tables() -> dict[str, dict[str, str]]:
    """Return, by kind of thing, each name with one line about it."""
    from izhires import devices
    from izhires.analysis import all_figures, all_metrics, all_observers
    from izhires.cells.base import Cell
    from izhires.circuits.base import Reservoir
    from izhires.gates.base import Gate
    from izhires.model.conditions import all_conditions
    from izhires.neuromodulators.base import Neuromodulator
    from izhires.paradigms.base import Paradigm
    from izhires.plasticity.base import Plasticity
    from izhires.plasticity.intrinsic import Intrinsic
    from izhires.predictions.base import Prediction
    from izhires.readouts.base import Readout
    from izhires.rules.base import Rule
    from izhires.wirings.base import Wiring

    families = {"paradigms": Paradigm, "circuits": Reservoir, "readouts": Readout, "predictions": Prediction}
    families |= {"rules": Rule, "gates": Gate, "cell models": Cell, "wirings": Wiring, "plasticity": Plasticity}
    families |= {"neuromodulators": Neuromodulator}
    found = {
        title: {name: each.summary() for name, each in family.alternatives().items()}
        for title, family in families.items()
    }
    found["plasticity"]["intrinsic"] = Intrinsic.summary()
    from izhires.analysis.claims import all_claims

    found["claims"] = {name: each.statement for name, each in all_claims().items()}
    found["conditions"] = {name: each.description for name, each in all_conditions().items()}
    found["cell types"] = {
        f"{model} {name}": _joined(
            each.description, ", ".join(f"{key} {each.values[key]:g} {unit}" for key, unit in cell.units.items())
        )
        for model, cell in Cell.alternatives().items()
        for name, each in cell.table.items()
    }
    found["observers"] = {name: each.description for name, each in all_observers().items()}
    found["metrics"] = {name: each.description for name, each in all_metrics().items()}
    found["figures"] = {name: each.title for name, each in all_figures().items()}
    found["devices"] = {
        name: _joined(each.summary, _able(each), _needs(each)) for name, each in devices.all_devices().items()
    }
    return found


def _joined(*parts: str) -> str:
    return "; ".join(filter(None, parts))


def _able(device: type[Device]) -> str:
    return f"can: {device.abilities}" if str(device.abilities) else ""


def _needs(device: type[Device]) -> str:
    needed = [*device.tools(), *device.packages]
    return f"needs {', '.join(needed)}" if needed else ""


def owners() -> dict[str, type[Declaration]]:
    """Return every declaration that has parameters, by its place: ``rule td``, ``state``; the model itself has none."""
    from izhires.cells.base import Cell
    from izhires.circuits.base import Reservoir
    from izhires.gates.base import Gate
    from izhires.model.configuration import Keep
    from izhires.model.connection import Connection
    from izhires.model.model import Model, State
    from izhires.model.population import Population
    from izhires.model.seeds import Seeds
    from izhires.neuromodulators.base import Neuromodulator
    from izhires.paradigms.base import Paradigm
    from izhires.plasticity.base import Plasticity
    from izhires.plasticity.intrinsic import Intrinsic
    from izhires.readouts.base import Readout
    from izhires.rules.base import Rule
    from izhires.wirings.base import Wiring

    owners: dict[str, type[Declaration]] = {
        "": Model,
        "state": State,
        "population": Population,
        "connection": Connection,
    }
    owners |= {"plasticity intrinsic": Intrinsic, "keep": Keep, "seeds": Seeds}
    for place, family in (
        ("paradigm", Paradigm),
        ("reservoir", Reservoir),
        ("readout", Readout),
        ("rule", Rule),
        ("gate", Gate),
        ("cell model", Cell),
        ("wiring", Wiring),
        ("plasticity", Plasticity),
        ("neuromodulator", Neuromodulator),
    ):
        owners |= {f"{place} {name}": each for name, each in family.alternatives().items()}
    return owners


def parameters() -> dict[str, str]:
    """Return every parameter with what it means, its unit, default and source."""
    found = {}
    for place, owner in owners().items():
        for row in owner.symbols():
            default = " ".join(row["default"].split())
            default = default if len(default) <= 60 else "(see the source)"
            found[f"{place}: {row['name']}" if place else row["name"]] = f"{row['meaning']}; {default}; {row['source']}"
    return found


def command(
    kind: Annotated[
        str, typer.Argument(help="Only this kind, e.g. rules or 'cell types'; or parameters, with their sources.")
    ] = "",
) -> None:
    """List everything that can be chosen, one line each."""
    from izhires.errors import ConfigurationError, closest

    kind = kind.replace("-", " ")
    # too long to come unasked
    found = {"parameters": parameters()} if kind == "parameters" else tables()
    if kind and kind not in found:
        kinds = [*found, "parameters"]
        raise ConfigurationError(f"{kind!r} is not a kind{closest(kind, kinds)}", "list", kinds)
    for title, entries in found.items():
        if kind in ("", title):
            print(f"{title}:")
            width = max(map(len, entries), default=0)
            for name, line in entries.items():
                print(f"  {name:<{width}}  {line}")
