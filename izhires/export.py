"""A run as a project of its own: sources, Makefile and numbers, to be built and run on a machine without Python, and
read back here.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from izhires.configuration import Configuration, read
from izhires.devices import get
from izhires.devices.standalone import StandaloneDevice
from izhires.errors import ConfigurationError, RecordingError, ToolchainError
from izhires.plan import make_plan
from izhires.run import Facts, record

if TYPE_CHECKING:
    import xarray as xr

README = """\
# {title}

Written by izhires {version}. It needs make and {compiler}, and no Python:

    make        # compile
    make run    # simulate {duration:g} s; writes results/

Then take the folder back to a machine with izhires: `izhires collect FOLDER` reads results/ into a recording
(netCDF-4).
"""

RUN = """
run: main
\tmkdir -p results
\t{environment}./main --results_dir results/ {arguments}

clean:
\trm -rf main *.o results

.PHONY: run clean
"""


def export(configuration: Configuration, seed: int, variant: str, device: str, folder: Path) -> Path:
    """Write the project of one run.

    Parameters
    ----------
    configuration : Configuration
    seed : int
    variant : str
        One of the paradigm's variants; empty where there is one.
    device : {"cpp", "cuda"}
    folder : Path
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
    """
    target = get(device)
    if not isinstance(target, StandaloneDevice):
        raise ConfigurationError(f"{device!r} writes no project", "--device", ("cpp", "cuda"))
    lacking = getattr(target, "cannot_generate", lambda: "")()
    if lacking:
        raise ToolchainError(lacking, f"device {device}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError("is not an empty folder", str(folder))
    seeds = configuration.seeds.with_changes(seed=seed)
    experiment = configuration.paradigm.experiment(seeds.generator("trials"), variant)
    plan, arrays = make_plan(configuration, experiment, seeds)
    folder = folder.resolve()  # the generator works there
    try:
        folder.mkdir(parents=True, exist_ok=True)
        target.write_project(plan, folder, portable=True)
        program = target.program(plan, folder, 0.0)
        arguments = program.write(arrays, folder / "static_arrays")
        environment = "".join(f"{name}={value} " for name, value in program.environment(arrays).items())
        with (folder / "Makefile").open("a") as makefile:
            makefile.write(RUN.format(environment=environment, arguments=" ".join(arguments)))
        title = f"{configuration.paradigm.type}{f' {variant}' if variant else ''}, seed {seed}, {device}"
        compiler = "g++" if device == "cpp" else "the CUDA toolkit (nvcc and cuRAND)"
        (folder / "README.md").write_text(
            README.format(title=title, version=version("izhires"), compiler=compiler, duration=plan.duration)
        )
        (folder / "configuration.toml").write_text(configuration.to_toml(), encoding="utf-8")
        facts = {
            "seed": seed,
            "variant": variant,
            "device": device,
            "plan": plan.fingerprint(),
            "izhires": version("izhires"),
        }
        (folder / "export.json").write_text(json.dumps(facts, indent=1))
        (folder / "generate.log").unlink(missing_ok=True)
    except OSError as error:
        raise RecordingError(f"cannot be written to: {error.strerror or error}", str(folder)) from None
    return folder


def collect(folder: Path) -> xr.Dataset:
    """Read the results of an exported project that was run.

    Parameters
    ----------
    folder : Path
        What `export` wrote, with ``results/`` in it.

    Returns
    -------
    xarray.Dataset
        The recording, as `izhires.simulate` makes it.

    Raises
    ------
    RecordingError
        If the folder is not an exported project, or was made by a version that draws other numbers.
    SimulationError
        If the run was not finished.
    """
    try:
        facts = json.loads((folder / "export.json").read_text())
        configuration = read(folder / "configuration.toml")
    except (OSError, json.JSONDecodeError, ConfigurationError):
        raise RecordingError("is not a project that 'izhires export' wrote", str(folder)) from None
    seeds = configuration.seeds.with_changes(seed=facts["seed"])
    experiment = configuration.paradigm.experiment(seeds.generator("trials"), facts["variant"])
    plan, _ = make_plan(configuration, experiment, seeds)
    if plan.fingerprint() != facts["plan"]:
        raise RecordingError(
            f"was exported by izhires {facts['izhires']}, whose model differs from this one's", str(folder)
        )
    device = get(facts["device"])
    assert isinstance(device, StandaloneDevice)
    program = device.program(plan, folder, 0.0)
    outputs = program.collect(folder / "results")
    seconds = float((folder / "results" / "last_run_info.txt").read_text().split()[0])
    return record(
        configuration,
        seeds,
        facts["variant"],
        plan,
        experiment,
        outputs,
        Facts(facts["device"], program.schedule(), 0.0, seconds),
    )
