"""Writes the C++ project of a plan: ``python -m izhires.devices.generate_cpp PLAN.json FOLDER TEMPLATES NUMBER``; see
`izhires.devices.generate`, and `izhires.devices.cpp.CppDevice` for TEMPLATES. NUMBER is how many values of a recording
stay in memory with this package's own templates.
"""

from __future__ import annotations

import re
import sys
import weakref
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import brian2 as b2
from brian2.core.variables import ArrayVariable
from brian2.devices.cpp_standalone.codeobject import CPPStandaloneCodeObject
from brian2.devices.cpp_standalone.device import CPPStandaloneDevice
from brian2.devices.device import all_devices
from brian2.equations.unitcheck import check_units_statements
from brian2.groups.group import CodeRunner
from brian2.utils.stringtools import get_identifiers

from izhires.building.build import Additions, Built, build, cannot_read
from izhires.building.parts import Extension
from izhires.building.plan import Plan
from izhires.devices.generate import Carried, describe, main, open_sizes, placeholders, read_sizes, run, unit
from izhires.devices.standalone import EARLIER

ALIGNED = """
// large arrays lie where vector code reads them fastest: at lines of the cache, and one after the other not a little
// less than a multiple of 4096 bytes apart, where a load waits for the store before it with the same last 12 bits
#include <cstdlib>
#include <new>
#ifndef _MSC_VER
void* operator new(std::size_t size)
{
    void* memory = size < 4096 ? std::malloc(size ? size : 1) : std::aligned_alloc(64, (size + 4095)/4096*4096 + 64);
    if (!memory)
        throw std::bad_alloc();
    return memory;
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
#endif
"""
TELL_MEMORY = """
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#if __has_include(<sys/resource.h>)
#include <sys/resource.h>
#endif
void tell_memory()
{
    double peak = 0;
#ifdef __APPLE__
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    peak = usage.ru_maxrss;
#else
    // what getrusage counts begins with what the program held that started this one
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.compare(0, 6, "VmHWM:") == 0)
            peak = 1024*std::atof(line.c_str() + 6);
#endif
    if (peak > 0)
        std::cout << "memory " << peak << std::endl;
}
"""
"""What the program has besides Brian2's sources."""

SINGLE_POW = """
// C++ raises a single number to a whole power as a double one
#pragma once
#include <cmath>
static inline float single_pow(float x, int y) { return std::pow(x, (float) y); }
template <typename X, typename Y> static inline auto single_pow(X x, Y y) { return std::pow(x, y); }
"""
POW = ("_brian_pow(x, y) (pow((x), (y)))", "_brian_pow(x, y) (single_pow((x), (y)))")
"""What Brian2 takes for a power, and what in single precision this package's templates have in its place."""

SEED = 1_234_567_891
"""Placeholder of the seed of Brian2's own noise."""

# the seed is read when the program starts, so that one program serves every seed
READ_SEED = 'std::strtoull(std::getenv("IZHIRES_NOISE_SEED"), 0, 10)'

REPORT = 'std::cout << "progress " << start + completed*duration << " " << {spikes} << std::endl;'
"""Brian2's report of a run, in the words that `izhires.devices.standalone` reads."""

HEADERS = [
    '"objects.h"',
    '"network.h"',
    '"synapses_classes.h"',
    '"brianlib/common_math.h"',
    '"brianlib/stdint_compat.h"',
    "<chrono>",
    "<cmath>",
    "<cstring>",
    "<ctime>",
    "<climits>",
    "<cstdio>",
    "<iostream>",
    "<fstream>",
    "<set>",
    "<map>",
    "<algorithm>",
]


class OwnCodeObject(CPPStandaloneCodeObject):  # type: ignore[misc]
    """A code object that also knows the templates of this package, which come first."""

    templater = CPPStandaloneCodeObject.templater.derive("izhires.devices")


class OwnDevice(CPPStandaloneDevice):  # type: ignore[misc]
    """Brian2's standalone device with this package's templates."""

    def code_object_class(self, codeobj_class: Any = None, fallback_pref: str | None = None) -> Any:  # noqa: D102
        return codeobj_class or OwnCodeObject


def _added(group: b2.Group, clock: b2.Clock, template: str, variables: list[str]) -> CodeRunner:
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


def _without_queue(pathway: Any, template: str) -> None:
    """Have a template do all of a pathway's work; Brian2 would generate two codes, of which one fills its queue."""
    eventspace = f"_{pathway.event}space"
    pathway.template = template
    pathway.template_kwds |= {"eventspace_variable": pathway.source.variables[eventspace]}
    pathway.needed_variables = [*pathway.needed_variables, eventspace]

    def create_code_objects(run_namespace: dict[str, Any]) -> None:
        pathway.code_objects[:] = [weakref.proxy(pathway.create_default_code_object(run_namespace))]

    pathway.create_code_objects = create_code_objects


class Plain(Carried, Additions):
    """Brian2's own templates."""


class OwnTemplates(Plain):
    """What plain Brian2 does slowly, through templates of this package."""

    own_noise: ClassVar[bool] = True

    def cells(self, cells: b2.NeuronGroup) -> None:  # noqa: D102
        updater, thresholder = cells.state_updater, cells.thresholder["spike"]
        thresholder.active = False
        updater.template = "cells"
        updater.template_kwds = {"eventspace_variable": cells.variables["_spikespace"]}
        updater.needed_variables = ["_spikespace", "noise_seed"]
        updater.variables = thresholder.variables
        plain = updater.update_abstract_code

        def update_abstract_code(run_namespace: dict[str, Any]) -> None:
            plain(run_namespace)
            try:
                thresholder.update_abstract_code(run_namespace)
                names = get_identifiers(thresholder.abstract_code) - {"_cond"}
                known = cells.resolve_all(names, run_namespace, user_identifiers=names)
                check_units_statements(thresholder.abstract_code, {**known, "_cond": thresholder.variables["_cond"]})
            except Exception as error:
                raise cannot_read(error, thresholder.name) from error
            updater.abstract_code = {"update": updater.abstract_code, "condition": thresholder.abstract_code}
            updater.user_code = {"update": updater.user_code, "condition": thresholder.user_code}

        updater.update_abstract_code = update_abstract_code

    def dense_sum(self, updater: Any, inner: str, rows: int, together: int = 1) -> None:  # noqa: D102
        updater.template = "dense_sum"
        updater.template_kwds |= {"_inner": inner, "_rows": rows, "_together": together}
        updater.needed_variables = [*updater.needed_variables, "_synaptic_pre"]

    def propagation(self, pathway: Any) -> None:  # noqa: D102
        _without_queue(pathway, "propagation")
        # of a reaction to the spikes of the targets these are the sources
        pathway.needed_variables = [*pathway.needed_variables, pathway.synapse_sources.name]
        synapses = pathway.synapses
        other = "_synaptic_pre" if pathway.synapse_sources.name == "_synaptic_post" else "_synaptic_post"
        names = {other, *get_identifiers(pathway.code)} & set(synapses.variables)
        read = [synapses.variables[name] for name in sorted(names) if synapses.variables.indices[name] == "_idx"]
        read = [each for each in read if isinstance(each, ArrayVariable)]
        pathway.template_kwds |= {"_read": read, "_other": synapses.variables[other]}
        pathway.needed_variables = [*pathway.needed_variables, other]

    def dense_event(self, pathway: Any, rows: int) -> None:  # noqa: D102
        _without_queue(pathway, "dense_event")
        pathway.template_kwds |= {"_rows": rows}

    def inverse(self, synapses: b2.Synapses, matrices: int) -> CodeRunner:  # noqa: D102
        needed = ["P", "s_pre", "gain_post", "weight_pre", "selected_pre", "resetting_pre", "penalty"]
        runner = _added(synapses, synapses.clock, "inverse", needed)
        runner.template_kwds = {"_matrices": matrices, "_cells": len(synapses.source)}
        return runner


def _in_pieces(device: Any, built: Built, most: int, sizes: Collection[int]) -> CodeRunner:
    """Return an object that writes recordings to the disk whenever one has more values than `most`; `sizes` are known
    only when the program runs.
    """

    def array(variable: Any) -> tuple[str, str]:
        name = device.get_array_name(variable, access_data=False)
        return name, f"{Path(device.get_array_filename(variable)).name}{EARLIER}"

    monitors: list[tuple[int | str, str, list[tuple[str, str]], list[tuple[str, str]]]] = []
    for each in _objects(built):
        if isinstance(each, b2.monitors.EventMonitor):
            own = [each.variables[name] for name in each.record_variables]
            monitors.append((most, array(own[0])[0], [array(one) for one in own], []))
        elif isinstance(each, b2.StateMonitor):
            times = array(each.variables["t"])
            tables = [array(each.variables[name]) for name in each.record_variables]
            rows = most // max(each.n_indices, 16)  # one of few values takes the memory of 16, since it lies on its own
            later = f"std::max({most}/std::max({each.n_indices}, 16), 1)"
            monitors.append((later if each.n_indices in sizes else max(rows, 1), times[0], [times], tables))
    runner = _added(*_owner(built), "pieces", ["N"])
    runner.template_kwds = {"_monitors": monitors}
    return runner


def _progress(device: Any, built: Built, alone: bool) -> CodeRunner:
    """Return an object that tells how far the run is, and stops that of a network alone when a guard is exceeded."""

    def array(group: Any, name: str) -> str:
        found: str = device.get_array_name(group.variables[name], access_data=False)
        return found

    groups = [(guard, built.network[guard.of]) for guard in built.guards if alone]
    guards = [(array(group, each.variable), len(group), array(group, each.limit)) for each, group in groups]
    runner = _added(*_owner(built), "progress", ["t"])
    runner.template_kwds = {"_guards": guards, "_spikes": _spike_counts(device, built)}
    return runner


def _spike_counts(device: Any, built: Built) -> list[str]:
    """Return the program's names of how many spikes there were so far."""
    monitors = [each for each in _objects(built) if isinstance(each, b2.SpikeMonitor)]
    return [device.get_array_name(each.variables["N"], access_data=False) for each in monitors]


def _objects(built: Built) -> list[Any]:
    """Return the objects of a network in the order of their names: Brian2 holds them in a set, which has none."""
    return sorted(built.network.objects, key=lambda each: str(each.name))


def _owner(built: Built) -> tuple[Any, b2.Clock]:
    """Return a group, and the slowest clock of what is recorded, by which the program looks after itself."""
    groups = [each for each in _objects(built) if isinstance(each, b2.NeuronGroup)]
    monitors = [each for each in _objects(built) if isinstance(each, b2.StateMonitor)]
    return groups[0], max((each.clock for each in monitors), key=lambda clock: float(clock.dt), default=groups[0].clock)


def generate(plan: Plan, folder: Path, templates: str, most: int) -> None:
    """Write the project of a plan: Brian2's sources, two units that include them, and ``build.json``.

    With ``plain`` and ``apart`` all that is asked of Brian2 is in its documentation, and ``apart`` leaves its sources
    as they are, too: no units.
    """
    own = templates == "own"
    b2.prefs.codegen.cpp.extra_compile_args_gcc = []
    device: Any = OwnDevice() if templates in ("own", "timed") else all_devices["cpp_standalone"]
    b2.set_device(device, build_on_run=False)
    sizes = {} if templates == "apart" else open_sizes(plan)
    plan = plan.with_numbers_drawn({name: size for size, name in sizes.items()})
    arrays = placeholders(plan)
    additions = OwnTemplates() if own else Plain()
    seeded = not own or bool(plan.of(Extension))  # which may draw random numbers of its own
    if seeded:
        b2.seed(SEED)
    built = build(plan, arrays, additions)
    if own:
        built.network.add(_progress(device, built, plan.replicates == 1), _in_pieces(device, built, most, sizes))
        run(built, plan)
        device.insert_code("before_end", "_run_own_pieces_codeobject();")
    else:
        spikes = " + ".join(f"brian::{each}[0]" for each in _spike_counts(device, built))
        run(built, plan, report=REPORT.format(spikes=spikes or "0"), report_period=0.05 * b2.second)
    device.insert_code("after_end", "void tell_memory(); tell_memory();")
    device.build(directory=str(folder), compile=False, run=False, debug=False)
    if seeded:
        _read_seed(folder)
    describe(device, built, additions, plan, arrays, folder, "plain" if templates == "apart" else templates, sizes)
    read_sizes(folder, sizes)
    (folder / "memory.cpp").write_text(TELL_MEMORY + (ALIGNED if own else ""))
    if own and plan.precision == "single":
        (folder / "single_pow.h").write_text(SINGLE_POW)
        for path in (folder / "code_objects").glob("*.cpp"):
            path.write_text(path.read_text().replace(*POW))
    if templates != "apart":
        _units(folder, built)


def _read_seed(folder: Path) -> None:
    """Have the program read its seed where Brian2 wrote the placeholder of it."""
    found = False
    for path in folder.glob("*.cpp"):
        text, changes = re.subn(rf"\b{SEED}[uUlL]*", READ_SEED, path.read_text())
        if changes:
            path.write_text(f"#include <cstdlib>\n{text}")
            found = True
    if not found:
        raise RuntimeError(f"brian2 {b2.__version__} writes the seed of its noise into no file that is known here")


def _units(folder: Path, built: Built) -> None:
    """Write two units that include all sources: what runs every step, and what runs once."""
    hot = {code.name for thing in built.network.sorted_objects for code in thing._code_objects}
    units: dict[str, list[str]] = {"hot": [], "cold": []}
    for path in sorted((folder / "code_objects").glob("*.cpp")):
        units["hot" if path.stem in hot else "cold"].append(path.stem)
    headers = [*HEADERS, *(f'"{path.name}"' for path in folder.glob("single_pow.h"))]
    (folder / "hot.cpp").write_text("// what runs every step\n" + unit(folder, units["hot"], headers, ".cpp"))
    cold = "// what runs once\n" + unit(folder, units["cold"], headers, ".cpp")
    parts = [path.relative_to(folder).as_posix() for path in sorted((folder / "brianlib").glob("*.cpp"))]
    parts += [f"{name}.cpp" for name in ("objects", "network", "run", "synapses_classes", "main", "memory")]
    (folder / "cold.cpp").write_text(cold + "".join(f'#include "{part}"\n' for part in parts))


if __name__ == "__main__":
    sys.exit(main(partial(generate, templates=sys.argv[3], most=int(sys.argv[4])), sys.argv[1:3]))
