"""A run as a project of its own: sources, Makefile and numbers, to be built and run on a machine without Python, and
read back here.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from izhires.devices import check, get, require
from izhires.devices.standalone import EARLIER, StandaloneDevice
from izhires.errors import ConfigurationError, RecordingError, ToolchainError
from izhires.files import as_path, private_folder
from izhires.imports import loaded
from izhires.model.configuration import Configuration, read
from izhires.running.run import Drawn, Execution, draw, record

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

README = """\
# {title}

Written by izhires {version}. It needs GNU make and {compiler}, and no Python:

    make        # compile
    make run    # simulate {duration:g} s; writes results/

{remark}Then take the folder back to a machine with izhires: `izhires collect FOLDER{imports}` reads results/ into a
recording (netCDF-4).
"""

PREFIX = ".izhires-export-"
"""How the folder begins in which a project is written."""

FACTS = "export.json"
"""Name of the file that says what a project is of."""

# what a long program wrote while it ran is all of an output, and takes the place of the empty file
RUN = """
run: main
\tmkdir -p results
\t{environment}./main --results_dir results/ {arguments}
\tfor each in results/*{earlier}; do if [ -e "$$each" ]; then mv "$$each" "$${{each%{earlier}}}"; fi; done

clean:
\trm -rf main *.o */*.o results

.PHONY: run clean
"""


def export(configuration: Configuration, seed: int, variant: str, device: str, folder: str | Path) -> Path:
    """Write the project of one run; it appears when all of it is written.

    Parameters
    ----------
    configuration : Configuration
    seed : int
    variant : str
        One of the paradigm's variants; empty where there is one.
    device : str
        One that can export, see ``izhires list devices``.
    folder : str or Path
        Must be absent or empty.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ConfigurationError
        If the device writes no projects, or the folder holds something.
    ToolchainError
        If the project cannot be generated here.
    RecordingError
        If the folder cannot be written to.
    """
    folder = as_path(folder, "folder")
    target = get(device)
    require(target, "export", "--device")
    assert isinstance(target, StandaloneDevice)
    if lacking := target.cannot_generate():
        raise ToolchainError(lacking, f"device {device}")
    try:
        _check_empty(folder)
        drawn = draw(configuration, seed, variant)
        check(target, drawn.plan)
        given, folder = folder, folder.resolve()  # the generator works there
        there = folder.exists()
        parent = folder if there else folder.parent
        parent.mkdir(parents=True, exist_ok=True)
        with private_folder(parent, PREFIX) as work:
            project = work / "project"
            project.mkdir()
            _write(drawn, target, project)
            if there:  # somebody may stand in it; the file that makes a project of it comes last
                for each in sorted(project.iterdir(), key=lambda path: path.name == FACTS):
                    os.replace(each, folder / each.name)
            else:
                os.replace(project, folder)
    except OSError as error:
        raise RecordingError(f"cannot be written to: {error.strerror or error}", str(given)) from None
    return folder


def _check_empty(folder: Path) -> None:
    """Refuse a folder that holds something, but for what killed exports left."""
    if folder.is_symlink() and not folder.exists():
        raise ConfigurationError("is a link to what is not there", str(folder))
    if folder.exists() and not (
        folder.is_dir() and all(each.name.startswith(PREFIX) and each.is_dir() for each in folder.iterdir())
    ):
        raise ConfigurationError("is not an empty folder", str(folder))


def _write(drawn: Drawn, target: StandaloneDevice, folder: Path) -> None:
    """Write all of a project into a folder."""
    configuration, plan, arrays, device = drawn.configuration, drawn.plan, drawn.arrays, target.name
    seed, variant = drawn.seeds.seed, drawn.variant
    target.write_project(plan, folder, portable=True)
    program = target.program(plan, folder, 0.0)
    arguments = program.write(arrays, folder / "static_arrays")
    environment = "".join(f"{name}={value} " for name, value in program.environment(arrays).items())
    with (folder / "Makefile").open("a") as makefile:
        makefile.write(RUN.format(environment=environment, arguments=" ".join(arguments), earlier=EARLIER))
    title = f"{configuration.paradigm.type}{f' {variant}' if variant else ''}, seed {seed}, {device}"
    words = {"title": title, "compiler": target.export_needs, "remark": target.export_remark}
    imports = [Path(name).name if name.endswith(".py") else name for name in loaded()]
    words["imports"] = import_options(imports)
    (folder / "README.md").write_text(README.format(version=version("izhires"), duration=plan.duration, **words))
    (folder / "configuration.toml").write_text(configuration.to_toml(), encoding="utf-8")
    facts = {
        "seed": seed,
        "variant": variant,
        "device": device,
        "plan": plan.fingerprint(),
        "trials": _trials(arrays),
        "izhires": version("izhires"),
        "imports": imports,
    }
    (folder / FACTS).write_text(json.dumps(facts, indent=1))
    (folder / "generate.log").unlink(missing_ok=True)


def import_options(names: Iterable[str]) -> str:
    """Return the options of a command by which scripts and modules of a user are imported, after a space each."""
    return "".join(f" --import {name}" for name in names)


def _trials(arrays: dict[str, np.ndarray]) -> str:
    """Return a hash of what the network was told of its trials."""
    signals = hashlib.sha256()
    for name in sorted(arrays):
        if name.startswith("signals."):
            signals.update(arrays[name].tobytes())
    return signals.hexdigest()[:20]


def collect(folder: str | Path) -> xr.Dataset:
    """Read the results of an exported project that was run.

    Parameters
    ----------
    folder : str or Path
        What `export` wrote, with ``results/`` in it.

    Returns
    -------
    xarray.Dataset
        The recording, as `izhires.simulate` makes it.

    Raises
    ------
    RecordingError
        If the folder is not an exported project or holds no results, or the model or its trials are not those of the
        export.
    SimulationError
        If the run was not finished.
    """
    folder = as_path(folder, "folder")
    try:
        facts = json.loads((folder / FACTS).read_text())
        exported = {name: facts[name] for name in ("seed", "variant", "device", "plan", "trials", "izhires")}
    except (OSError, ValueError, TypeError, KeyError):
        raise RecordingError("is not a project that 'izhires export' wrote", str(folder)) from None
    try:
        configuration = read(folder / "configuration.toml")
    except ConfigurationError as error:
        own = import_options(facts.get("imports", []))
        raise RecordingError(f"{error}{f' (it was made with{own})' if own else ''}", str(folder)) from None
    results = folder / "results"
    if not (results / "last_run_info.txt").exists():
        raise RecordingError("holds no results yet; 'make run' there writes them", str(folder))
    drawn = draw(configuration, exported["seed"], exported["variant"])
    for what, found in (("plan", drawn.plan.fingerprint()), ("trials", _trials(drawn.arrays))):
        if found != exported[what]:
            problem = f"was exported by izhires {exported['izhires']} with another {what} than this version makes of it"
            raise RecordingError(problem, str(folder))
    device = get(exported["device"])
    assert isinstance(device, StandaloneDevice)
    try:
        program = device.program(drawn.plan, folder, 0.0)
        outputs = program.collect(results)
        seconds = float((results / "last_run_info.txt").read_text().split()[0])
    except (OSError, ValueError, KeyError) as error:
        raise RecordingError(f"its results cannot be read: {error}", str(folder)) from None
    facts_of_run = Execution(device.name, program.templates, program.schedule(), 0.0, seconds, units=program.units)
    return record(drawn, outputs, facts_of_run)
