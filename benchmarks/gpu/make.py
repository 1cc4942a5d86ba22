"""A folder of projects for a machine with a GPU, nvcc, make and a C++ compiler alone, and the script that runs them.

    python benchmarks/gpu/make.py FOLDER               # here; Python 3.12 with izhires[cuda], and no GPU
    tar xf FOLDER.tar.xz && sh FOLDER/run.sh OUT       # there: at most six minutes; OUT holds what comes back
    python benchmarks/gpu/collect.py FOLDER OUT        # here

Replicates are the same network on the same trials, each with noise of its own; so a project holds the numbers of one,
from which `tile.cpp` makes those of all. A number of replicates is a size of the program, and has a project of its own.

    python benchmarks/gpu/make.py FOLDER --device cpp  # the same in C++: shows that all of it works, without a GPU
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from izhires import Configuration
from izhires.building.replicates import combine
from izhires.devices import get
from izhires.devices.standalone import EARLIER, StandaloneDevice
from izhires.errors import IzhiresError
from izhires.running.run import Drawn, draw

HERE = Path(__file__).parent
SEED = 100
BLOCK = {"trials": 4, "latency": {"A": "300 ms", "B": "600 ms"}, "probability": {"A": 0.5, "B": 0.5}}
TASK = {"type": "meet", "warm_up": 1, "probes": [4], "blocks": [BLOCK]}
PLASTIC = {
    "from": "cells", "to": "cells", "wiring": {"degree": 100}, "weight": "0.002 mV/ms", "delay": ["1 ms", "10 ms"],
    "plasticity": {"type": "stdp", "w_max": "0.004 mV/ms"},
}  # fmt: skip
MIB = 2**20


@dataclass(frozen=True)
class Project:
    """One program: a network, its size, how many side by side, in which precision, for which device."""

    network: str
    n: int
    replicates: int
    precision: str = "double"
    device: str = "cuda"

    @property
    def numbers(self) -> str:
        """Name of the numbers of one network, which projects share."""
        return f"{self.network}-{self.n}-{self.precision}"

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.numbers}-{self.replicates}{'-cpu' * (self.device == 'cpp')}"


def configuration(network: str, n: int, precision: str) -> Configuration:
    """Return one of the networks.

    Parameters
    ----------
    network : {"meet", "random", "plastic"}
        The default circuit; that of `benchmarks/growth.py`, random with 100 synapses a cell; the default one with as
        many plastic synapses besides, too weak to change what it does.
    n : int
        Cells.
    precision : {"double", "single"}
    """
    networks: dict[str, dict[str, Any]] = {
        "meet": {"reservoir": {"n": n}},
        "random": {"reservoir": {"type": "random", "n": n, "out_degree": 100}},
        "plastic": {"reservoir": {"n": n}, "connections": {"plastic": PLASTIC}},
    }
    common = {"paradigm": TASK, "precision": precision, "keep": {"spikes": "all"}}
    return Configuration.parse({**networks[network], **common})


def projects(device: str) -> list[Project]:
    """Return all projects, those first without which the others say little."""
    found = [Project(network, n, 1, device="cpp") for network in ("meet", "random") for n in (1000, 4000)]
    found.append(Project("plastic", 1000, 1, device="cpp"))
    if device == "cpp":
        return found + [Project(each.network, each.n, 4, device="cpp") for each in found]
    sizes = [(1000, (1, 16, 64, 256)), (4000, (1, 16, 64))]
    for network in ("meet", "random"):
        found += [Project(network, n, many) for n, counts in sizes for many in counts]
    found += [Project("plastic", 1000, many) for many in (1, 16)]
    found += [Project("meet", n, many, "single") for n, counts in sizes for many in counts]
    return found


def drawn(project: Project, noise: bool = True) -> Drawn:
    """Return the network of a project: one of its replicates."""
    made = configuration(project.network, project.n, project.precision)
    made = made if noise else made.with_changes(**{"reservoir.noise": "0 mV/sqrt(ms)"})
    return draw(made, SEED)


def rule(one: np.ndarray | None, three: np.ndarray) -> tuple[str, int]:
    """Return the operation of `tile.cpp`, and its number, that makes the numbers of three networks of those of one.

    Found by trying, so that nothing here has to know how `izhires.building.replicates` puts networks side by side.
    """
    if one is None:
        size = len(three) // 3
        tries = [("replicate", size, np.repeat(np.arange(3), size)), ("count", size, np.arange(3 * size))]
    else:
        flat, last = one.ravel(), one.shape[-1] if one.ndim == 2 else 1
        tries = [("same", 0, flat), ("repeat", 0, np.tile(flat, 3))]
        tries.append(("columns", last, np.tile(flat.reshape(-1, last), (1, 3)).ravel()))
        step = int(three.ravel()[one.size] - flat[0]) if three.size > one.size and one.dtype == np.int32 else 0
        tries.append(("offset", step, np.concatenate([flat + step * r for r in range(3)])))
    for operation, number, made in tries:
        if np.array_equal(three.ravel(), made):
            return operation, number
    raise ValueError("no operation makes the numbers of three networks of those of one")


def write(project: Project, folder: Path) -> None:
    """Write a project into ``projects/``, and the numbers of one network into ``numbers/`` where they are not yet."""
    one, many = drawn(project), project.replicates
    target = get(project.device)
    assert isinstance(target, StandaloneDevice)
    own, numbers = folder / "projects" / project.name, folder / "numbers" / project.numbers
    own.mkdir(parents=True)
    numbers.mkdir(parents=True, exist_ok=True)
    plan, _ = combine([one.plan] * many, [one.arrays] * many)
    _, three = combine([one.plan] * 3, [one.arrays] * 3)
    target.write_project(plan, own, portable=True)
    program = target.program(plan, own, 0.0)
    table = []
    for name, facts in program.facts["inputs"].items():
        for file in facts.get("files", ()):
            single, dtype = one.arrays.get(name), np.dtype(facts["dtype"])
            operation, number = ("same", 0) if many == 1 else rule(single, three[name])
            if operation == "offset" and dtype.itemsize != 4:
                raise ValueError(f"{name} is not of whole numbers of 32 bits")
            if single is not None:
                np.ascontiguousarray(single, dtype=dtype).tofile(numbers / file)
            table.append((file, dtype.itemsize, operation, number))
    for file, facts in program.facts.get("counted", {}).items():
        table.append((file, np.dtype(facts["dtype"]).itemsize, "count", plan.length(facts["pathway"])))
    (own / "table").write_text("".join(" ".join(map(str, row)) + "\n" for row in table))
    (own / "numbers").write_text(project.numbers + "\n")
    kept = [facts["file"] + end for facts in program.facts["outputs"].values() for end in ("", EARLIER)]
    (own / "kept").write_text("".join(f"{file}\n" for file in [*kept, "last_run_info.txt"]))
    runs = {"noise": one, **({"quiet": drawn(project, noise=False)} if many == 1 else {})}
    lines = []
    for label, each in runs.items():
        (environment,) = (f"{name}={value}" for name, value in program.environment(each.arrays).items())
        arguments = [
            f"{facts['argument']}={each.arrays[name].item()!r}"
            for name, facts in program.facts["inputs"].items()
            if "argument" in facts
        ]
        # what differs must be an argument: the files are those of the run with noise
        differing = [name for name in one.arrays if not np.array_equal(one.arrays[name], each.arrays[name])]
        if any("argument" not in program.facts["inputs"][name] for name in differing):
            raise ValueError(f"{differing} are not all arguments of the program")
        lines.append(f"{label} {environment} {' '.join(arguments)}\n")
    (own / "runs").write_text("".join(lines))
    for each in ("generate.log", "README.md"):
        (own / each).unlink(missing_ok=True)


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--device", choices=["cuda", "cpp"], default="cuda")
    parser.add_argument("--only", default="", metavar="TEXT", help="only projects whose name has it")
    given = parser.parse_args()
    if lacking := get(given.device).cannot_generate():
        sys.exit(f"{lacking}")
    if given.folder.exists():
        sys.exit(f"{given.folder} is there already")
    make(given.folder, [each for each in projects(given.device) if given.only in each.name])


def make(folder: Path, wanted: list[Project]) -> None:
    """Write projects, their list and the script that runs them."""
    folder.mkdir(parents=True)
    for each in ("run.sh", "tile.cpp"):
        shutil.copy(HERE / each, folder / each)
    listed, facts = "", []
    for each in wanted:
        try:
            write(each, folder)
        except IzhiresError as error:
            sys.exit(f"{each.name}: {error}")
        rounds = 3 if each.device == "cpp" and each.replicates == 1 else 0
        listed += f"{each.name} {each.device} {each.replicates} {rounds}\n"
        facts.append(vars(each))
        print(each.name, flush=True)
    (folder / "projects.txt").write_text(listed)
    (folder / "projects.json").write_text(json.dumps(facts, indent=1))
    archive = folder.with_name(f"{folder.name}.tar.xz")
    with tarfile.open(archive, "w:xz", preset=1) as packed:
        packed.add(folder, folder.name)
    size = archive.stat().st_size / MIB
    print(f"{len(wanted)} projects in {folder}; {archive}, {size:.0f} MiB; there: sh {folder.name}/run.sh")


if __name__ == "__main__":
    main()
