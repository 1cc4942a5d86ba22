"""Writes the C++ project of a plan: ``python -m izhires.devices.generate_cpp PLAN.json FOLDER``; see
`izhires.devices.generate`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar

import brian2 as b2
from brian2.devices.cpp_standalone.codeobject import CPPStandaloneCodeObject
from brian2.groups.group import CodeRunner

from izhires.build import Additions, build
from izhires.devices.generate import describe, main, placeholders, run, unit
from izhires.plan import Plan

HEADERS = [
    '"objects.h"',
    '"network.h"',
    '"synapses_classes.h"',
    '"brianlib/common_math.h"',
    '"brianlib/stdint_compat.h"',
    "<cmath>",
    "<cstring>",
    "<ctime>",
    "<climits>",
    "<iostream>",
    "<fstream>",
    "<set>",
    "<map>",
]


class OwnCodeObject(CPPStandaloneCodeObject):
    """A code object that also knows the templates of this package."""

    templater = CPPStandaloneCodeObject.templater.derive("izhires.devices")


def _added(group: b2.Group, template: str, variables: list[str], clock: b2.Clock) -> CodeRunner:
    """Return an object of the network that runs one of this package's templates."""
    return CodeRunner(
        group,
        template,
        code="",
        needed_variables=variables,
        clock=clock,
        name=f"own_{template}",
        codeobj_class=OwnCodeObject,
        check_units=False,
        generate_empty_code=True,
    )


class OwnTemplates(Additions):
    """What plain Brian2 does slowly, through templates of this package."""

    own_noise: ClassVar[bool] = True

    def fill_noise(self, cells: b2.NeuronGroup) -> CodeRunner:  # noqa: D102
        return _added(cells, "gaussian", ["gaussian", "noise_seed", "N"], cells.clock)

    def dense_sum(self, updater: Any, inner: str, rows: int) -> None:  # noqa: D102
        updater.template = "dense_sum"
        updater.codeobj_class = OwnCodeObject
        updater.template_kwds |= {"_inner": inner, "_rows": rows}
        updater.needed_variables = [*updater.needed_variables, "_synaptic_pre"]


    def inverse(self, synapses: b2.Synapses, matrices: int) -> CodeRunner:  # noqa: D102
        needed = ["P", "s_pre", "gain_post", "weight_pre", "selected_pre", "resetting_pre", "penalty"]
        runner = _added(synapses, "inverse", needed, synapses.clock)
        runner.template_kwds = {"_matrices": matrices, "_cells": len(synapses.source)}
        return runner


def generate(plan: Plan, folder: Path) -> None:
    """Write the project of a plan: Brian2's sources, two units that include them, and ``build.json``."""
    b2.prefs.codegen.cpp.extra_compile_args_gcc = []
    b2.set_device("cpp_standalone", build_on_run=False)
    device: Any = b2.get_device()
    arrays = placeholders(plan)
    built = build(plan, arrays, OwnTemplates())
    built.network.add(_added(built.network["when"], "progress", ["t", "N", "z", "largest_prediction"], built.network["when_kept"].clock))
    run(built, plan)
    device.build(directory=str(folder), compile=False, run=False, debug=False)
    describe(device, built, arrays, folder)

    hot = {code.name for thing in built.network.sorted_objects for code in thing._code_objects}
    units: dict[str, list[str]] = {"hot": [], "cold": []}
    for path in sorted((folder / "code_objects").glob("*.cpp")):
        units["hot" if path.stem in hot else "cold"].append(path.stem)
    (folder / "hot.cpp").write_text("// what runs every step\n" + unit(folder, units["hot"], HEADERS, ".cpp"))
    cold = "// what runs once\n" + unit(folder, units["cold"], HEADERS, ".cpp")
    parts = [path.relative_to(folder).as_posix() for path in sorted((folder / "brianlib").glob("*.cpp"))]
    parts += [f"{name}.cpp" for name in ("objects", "network", "run", "synapses_classes", "main")]
    cold += "".join(f'#include "{part}"\n' for part in parts)
    (folder / "cold.cpp").write_text(cold)


if __name__ == "__main__":
    sys.exit(main(generate, sys.argv[1:]))
