"""Writes the C++ project of a plan: ``python -m izhires.devices.generate_cpp PLAN.json FOLDER``.

A process of its own, so that a user's Brian2 session, its device and its preferences stay as they are. The project is written with
placeholders for all numbers; which file or argument carries which number is written to ``build.json`` beside it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import brian2 as b2
import numpy as np
from brian2.core.base import BrianObjectException
from brian2.devices.cpp_standalone.codeobject import CPPStandaloneCodeObject
from brian2.groups.group import CodeRunner

from izhires.build import Additions, build, cannot_read
from izhires.errors import ConfigurationError
from izhires.plan import Plan

class OwnCodeObject(CPPStandaloneCodeObject):
    """A code object that also knows the templates of this package."""

    templater = CPPStandaloneCodeObject.templater.derive("izhires.devices")


def _added(cells: b2.NeuronGroup, template: str, variables: list[str], clock: b2.Clock) -> CodeRunner:
    """Return an object of the network that runs one of this package's templates."""
    return CodeRunner(
        cells,
        template,
        code="",
        needed_variables=variables,
        clock=clock,
        name=template,
        codeobj_class=OwnCodeObject,
        check_units=False,
        generate_empty_code=True,
    )


class OwnTemplates(Additions):
    """What plain Brian2 does slowly, through templates of this package."""

    def fill_noise(self, cells: b2.NeuronGroup) -> CodeRunner:  # noqa: D102
        return _added(cells, "gaussian", ["gaussian", "noise_seed", "N"], cells.clock)

    def dense_sum(self, updater: Any, inner: str, rows: int) -> None:  # noqa: D102
        updater.template = "dense_sum"
        updater.codeobj_class = OwnCodeObject
        updater.template_kwds |= {"_inner": inner, "_rows": rows}
        updater.needed_variables = [*updater.needed_variables, "_synaptic_pre"]


def placeholders(plan: Plan) -> dict[str, np.ndarray]:
    """Return arrays of the plan's shapes, each different from every other, so that each can be found again."""
    rng = np.random.default_rng(0)
    made = {}
    for name, (dtype, shape) in plan.shapes.items():
        if np.dtype(dtype).kind == "i":
            made[name] = rng.integers(0, plan.cells, shape).astype(dtype)
        else:
            made[name] = np.asarray(rng.random(shape) + 1e-3)
    return made


def _unit(name: str, functions: list[str], headers: list[str]) -> str:
    """Return one C++ file that holds several of Brian2's, each in a namespace of its own (their helpers share names)."""
    lines = [f'#include "{header}"' for header in headers]
    lines += [f"#include <{each}>" for each in ("cmath", "cstring", "ctime", "climits", "iostream", "fstream", "set", "map")]
    for function, path in zip(functions, [f"code_objects/{each}.cpp" for each in functions], strict=True):
        call = f"_run_{function}" if not function.startswith(("before_run_", "after_run_")) else f"_{function}"
        lines += [f"namespace unit_{function} {{", f'#include "{path}"', "}", f"void {call}() {{ unit_{function}::{call}(); }}"]
    return f"// {name}\n" + "\n".join(lines) + "\n"


def generate(plan: Plan, folder: Path) -> None:
    """Write the project of a plan: Brian2's sources, two units that include them, and ``build.json``."""
    b2.prefs.codegen.cpp.extra_compile_args_gcc = []
    b2.BrianLogger.suppress_name("unused_brian_object")  # said at the end, after the one line that counts
    b2.set_device("cpp_standalone", build_on_run=False)
    device: Any = b2.get_device()
    arrays = placeholders(plan)
    built = build(plan, arrays, OwnTemplates())
    built.network.add(_added(built.network["cells"], "progress", ["t"], built.network["when_kept"].clock))
    try:
        built.network.run(plan.duration * b2.second, namespace={})
    except BrianObjectException as error:
        raise cannot_read(error) from error
    device.build(directory=str(folder), compile=False, run=False, debug=False)

    files, taken = {}, set()
    for name, array in arrays.items():
        if name in built.parameters:
            variable = built.parameters[name]
            files[name] = {"argument": f"{variable.owner.name}.{variable.name}"}
            continue
        if name == "cells.noise_seed":
            continue
        match = [
            file
            for file, static in device.static_arrays.items()
            if static.size == array.size and file not in taken and np.array_equal(np.ravel(static), np.ravel(array))
        ]
        if not match and array.size == 1:  # Brian2 writes a single value into the program
            files[name] = {"argument": name}
            continue
        if not match:
            raise RuntimeError(f"no file of the generated project holds {name}")
        taken.update(match)
        files[name] = {"files": match, "dtype": device.static_arrays[match[0]].dtype.str}
    outputs = {}
    for name, variable in built.outputs.items():
        shape = getattr(variable, "size", 0)
        columns = shape[1] if isinstance(shape, tuple) else 0
        outputs[name] = {
            "file": Path(device.get_array_filename(variable)).name,
            "dtype": np.dtype(variable.dtype).str,
            "columns": int(columns),
        }

    hot = {code.name for thing in built.network.sorted_objects for code in thing._code_objects}
    headers = ["objects.h", "network.h", "synapses_classes.h", "brianlib/common_math.h", "brianlib/stdint_compat.h"]
    units: dict[str, list[str]] = {"hot": [], "cold": []}
    for path in sorted((folder / "code_objects").glob("*.cpp")):
        units["hot" if path.stem in hot else "cold"].append(path.stem)
    (folder / "hot.cpp").write_text(_unit("what runs every step", units["hot"], headers))
    cold = _unit("what runs once", units["cold"], headers)
    cold += "".join(f'#include "{name}.cpp"\n' for name in ("objects", "network", "run", "synapses_classes", "main"))
    (folder / "cold.cpp").write_text(cold)
    schedule = str(b2.scheduling_summary(built.network))
    (folder / "build.json").write_text(
        json.dumps({"inputs": files, "outputs": outputs, "schedule": schedule, "brian2": b2.__version__}, indent=1)
    )


def main(arguments: list[str]) -> int:
    """Generate; a complaint about an equation is printed for the caller and ends with exit code 2."""
    plan_file, folder = map(Path, arguments)
    data = json.loads(plan_file.read_text())
    try:
        generate(Plan(**data), folder)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
