"""What every generator of a standalone project does: numbers as placeholders, and the list of what carries them.

A generator runs in a process of its own, so that a user's Brian2 session, its device and its preferences stay as
they are. The project is written with placeholders for all numbers; which file or argument carries which number is
written to ``build.json`` beside it.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import brian2 as b2
import numpy as np
from brian2.core.base import BrianObjectException

from izhires.building.build import Built, cannot_read
from izhires.building.build import unit as unit_of
from izhires.building.plan import INDICES, Plan
from izhires.errors import ConfigurationError


def placeholders(plan: Plan) -> dict[str, np.ndarray]:
    """Return arrays of the plan's shapes, which stand in for the numbers of a run while the code is generated.

    Members are 0, which every group has.
    """
    members = tuple(f".{each}" for each in INDICES)
    return {
        name: (np.zeros if name.endswith(members) else np.ones)(shape, dtype)
        for name, (dtype, shape) in plan.shapes.items()
    }


FIRST_SIZE = 1_000_003
"""Placeholders of the first number of synapses that is drawn, and so on: no other number of a program is like them."""


def open_sizes(plan: Plan) -> dict[int, str]:
    """Return the placeholder of each number of synapses that is drawn, with the name of its pathway."""
    return {FIRST_SIZE + k: name for k, name in enumerate(plan.drawn())}


def read_sizes(folder: Path, sizes: dict[int, str]) -> None:
    """Have the program find out from the files of its numbers how many synapses there are, where Brian2 wrote a
    placeholder.
    """
    if not sizes:
        return
    facts = json.loads((folder / "build.json").read_text())
    declared, made = "", ""
    for name in sizes.values():
        (file,) = facts["inputs"][f"{name}.i"]["files"]
        size = np.dtype(facts["inputs"][f"{name}.i"]["dtype"]).itemsize
        declared += f"int synapses_of_{name}();\n"
        made += (
            f"int synapses_of_{name}()\n{{\n"
            f'    static const int found = std::ifstream("static_arrays/{file}", std::ios::binary | std::ios::ate)'
            f".tellg()/{size};\n    return found;\n}}\n"
        )
    placeholder = re.compile(rf"\b(?:{'|'.join(map(str, sizes))})\b")
    for path in (*folder.glob("*.cpp"), *folder.glob("*.h"), *(folder / "code_objects").iterdir()):
        text = path.read_text()
        found = placeholder.sub(lambda match: f"synapses_of_{sizes[int(match[0])]}()", text)
        if path.name == "objects.cpp":
            found = f"#include <fstream>\n{made}{found}"
        elif path.name == "objects.h":
            found = re.sub(r"(#define \w+\n)", rf"\1{declared}", found, count=1)
        if found != text:
            path.write_text(found)


def run(built: Built, plan: Plan, **options: Any) -> None:
    """Have Brian2 generate the network's code; options as `brian2.Network.run` has them."""
    try:
        built.network.run(plan.duration * b2.second, namespace={}, **options)
    except BrianObjectException as error:
        if isinstance(error.__cause__, ConfigurationError):
            raise error.__cause__ from None
        raise cannot_read(error) from error


class Carried:
    """Which files of a generated project carry the numbers of which name."""

    python: ClassVar[bool] = False

    def __init__(self) -> None:
        self.files: dict[str, list[str]] = {}
        self.names: set[str] = set()

    def numbers_come_later(self, variables: list[Any]) -> None:
        """Have Brian2 say that it does not know them yet, instead of telling placeholders."""
        for variable in variables:
            b2.get_device().array_cache[variable] = None

    @contextmanager
    def carrying(self, *names: str) -> Iterator[None]:
        """Note the files that the device makes within, one for each name in order; none for single numbers."""
        known = set(b2.get_device().static_arrays)
        yield
        made = [file for file in b2.get_device().static_arrays if file not in known]
        if made and len(made) != len(names):
            raise RuntimeError(f"{len(made)} files of the generated project hold {', '.join(names)}")
        self.names |= set(names)
        for name, file in zip(names, made, strict=False):
            self.files.setdefault(name, []).append(file)


def describe(
    device: Any,
    built: Built,
    carried: Carried,
    plan: Plan,
    arrays: dict[str, np.ndarray],
    folder: Path,
    templates: str = "plain",
    sizes: dict[int, str] | None = None,
) -> None:
    """Write ``build.json``: which file or argument carries which number, and which file holds which output.

    `sizes` are placeholders of numbers of synapses, see `open_sizes`.
    """
    inputs: dict[str, Any] = {}
    sizes = sizes or {}
    for name, array in arrays.items():
        owner, variable = name.split(".")
        files = [f"{variable}_signal_values"] if owner == "signals" else carried.files.get(name, [])
        if files and files[0] in device.static_arrays:
            inputs[name] = {"files": files, "dtype": device.static_arrays[files[0]].dtype.str}
        elif variable in INDICES and array.size == 1 and name in carried.names:
            problem = "has one synapse, which this device cannot make; take cpp or numpy, or make it two"
            raise ConfigurationError(problem, f"connections.{owner}")
        elif name in built.parameters or (name in carried.names and array.size == 1):
            inputs[name] = {"argument": name}  # Brian2 writes a single value into the program
        elif name in carried.names:
            raise RuntimeError(f"no file of the generated project holds {name}")
    outputs = {}
    for name, variable in built.outputs.items():
        shape = getattr(variable, "size", 0)
        outputs[name] = {
            "file": Path(device.get_array_filename(variable)).name,
            "dtype": np.dtype(variable.dtype).str,
            "unit": unit_of(variable),
            "columns": sizes.get(shape[1], int(shape[1])) if isinstance(shape, tuple) else 0,
        }
    written = {file for facts in inputs.values() for file in facts.get("files", ())}
    # Brian2 writes no signal that nothing reads, though equations name it
    for file in device.static_arrays:
        if "_signal_" in file and file not in written:
            raise RuntimeError(f"the generated project reads a signal from {file}, which no run would write")
    # of a monitor of all synapses: their indices, which each run writes, too
    counted = {
        name: {"pathway": sizes[len(array)], "dtype": array.dtype.str}
        for name, array in device.static_arrays.items()
        if name not in written and len(array) in sizes
    }
    for file in counted:
        (folder / "static_arrays" / file).unlink()
    for facts in inputs.values():  # each run writes its own
        for file in facts.get("files", ()):
            (folder / "static_arrays" / file).unlink()
    main = (folder / "main.cpp").read_text() if (folder / "main.cpp").exists() else ""
    facts = {
        "inputs": inputs,
        "counted": counted,
        # what the loop over time calls, in order
        "objects": re.findall(r"\.add\(&\w+, _run_(\w+?)(?:_codeobject)?\)", main),
        "outputs": outputs,
        "schedule": str(b2.scheduling_summary(built.network)),
        "brian2": b2.__version__,
        "templates": templates,
    }
    (folder / "build.json").write_text(json.dumps(facts, indent=1))


def unit(folder: Path, functions: list[str], headers: list[str], suffix: str) -> str:
    """Return one source file that includes several of Brian2's, each in a namespace of its own, since their helpers
    share names.

    Fewer, larger units compile several times faster, because the headers are read once. All headers must come first:
    inside a namespace they would declare other things. What runs after a run may use what it follows, and shares its
    namespace.
    """
    lines = [f"#include {header}" for header in headers]
    for function in functions:
        owner = function.removeprefix("after_run_")
        header = (folder / "code_objects" / f"{function}.h").read_text()
        lines += [
            f'#include "code_objects/{function}.h"',
            f"namespace unit_{owner} {{",
            f'#include "code_objects/{function}{suffix}"',
            "}",
            *(
                f"void {name}() {{ unit_{owner}::{name}(); }}"
                for name in re.findall(r"^void (\w+)\(\);", header, re.MULTILINE)
            ),
        ]
    return "\n".join(lines) + "\n"


def main(generate: Callable[[Plan, Path], None], arguments: list[str]) -> int:
    """Generate the plan of a file; a complaint about an equation is printed, and ends with exit code 2."""
    plan_file, folder = map(Path, arguments)
    # said at the end, after the one line that counts
    b2.BrianLogger.suppress_name("unused_brian_object")
    try:
        plan = Plan.from_dict(json.loads(plan_file.read_text()))
        if plan.precision == "single":
            b2.prefs.core.default_float_dtype = np.float32
        generate(plan, folder)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0
