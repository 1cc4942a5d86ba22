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
from izhires.building.plan import Plan, mentions
from izhires.errors import ConfigurationError


def placeholders(plan: Plan) -> dict[str, np.ndarray]:
    """Return arrays of the plan's shapes, which stand in for the numbers of a run while the code is generated."""
    return {name: np.ones(shape, dtype) for name, (dtype, shape) in plan.shapes.items()}


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
) -> None:
    """Write ``build.json``: which file or argument carries which number, and which file holds which output."""
    inputs: dict[str, Any] = {}
    texts = [text for part in plan.parts for text in part.texts.values()]
    for name, array in arrays.items():
        owner, variable = name.split(".")
        files = [f"{variable}_signal_values"] if owner == "signals" else carried.files.get(name, [])
        if files and files[0] in device.static_arrays:
            inputs[name] = {"files": files, "dtype": device.static_arrays[files[0]].dtype.str}
        elif name in built.parameters or (name in carried.names and array.size == 1):
            inputs[name] = {"argument": name}  # Brian2 writes a single value into the program
        elif name in carried.names or (owner == "signals" and mentions(variable, *texts)):
            raise RuntimeError(f"no file of the generated project holds {name}")
    outputs = {}
    for name, variable in built.outputs.items():
        shape = getattr(variable, "size", 0)
        outputs[name] = {
            "file": Path(device.get_array_filename(variable)).name,
            "dtype": np.dtype(variable.dtype).str,
            "columns": int(shape[1]) if isinstance(shape, tuple) else 0,
        }
    for facts in inputs.values():  # each run writes its own
        for file in facts.get("files", ()):
            (folder / "static_arrays" / file).unlink()
    main = (folder / "main.cpp").read_text() if (folder / "main.cpp").exists() else ""
    facts = {
        "inputs": inputs,
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
