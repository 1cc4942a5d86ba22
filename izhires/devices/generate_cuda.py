"""Writes the CUDA project of a plan: ``python -m izhires.devices.generate_cuda PLAN.json FOLDER ARCHITECTURE``; see
`izhires.devices.generate`.

Needs brian2cuda, and neither a GPU nor a CUDA toolkit: the architecture is given, and the makefile that compiles is
this package's.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import brian2 as b2
import brian2cuda  # noqa: F401  (registers the device)

from izhires.building.build import Additions, build
from izhires.building.plan import Plan
from izhires.devices.generate import Carried, describe, main, placeholders, run, unit
from izhires.errors import ConfigurationError

# the seed of the noise is read when the program starts, so that one program serves every seed
SEED = 'brian::random_number_buffer.set_seed(std::strtoull(std::getenv("IZHIRES_NOISE_SEED"), nullptr, 10));'

HEADERS = [
    '"objects.h"',
    '"network.h"',
    '"synapses_classes.h"',
    '"rand.h"',
    '"run.h"',
    '"brianlib/common_math.h"',
    '"brianlib/stdint_compat.h"',
    '"brianlib/cuda_utils.h"',
    '"brianlib/clocks.h"',
    '"cuda_profiler_api.h"',
    *(
        f"<{name}>"
        for name in (
            "cassert",
            "chrono",
            "climits",
            "cmath",
            "csignal",
            "cstdint",
            "cstdio",
            "cstdlib",
            "ctime",
            "fstream",
            "iomanip",
            "iostream",
            "map",
            "string",
            "tuple",
            "utility",
            "vector",
            "curand.h",
            "curand_kernel.h",
        )
    ),
    *(
        f"<thrust/{name}.h>"
        for name in ("copy", "count", "device_vector", "execution_policy", "host_vector", "reduce", "sort", "unique")
    ),
]


class Needs(Carried, Additions):
    """What brian2cuda takes for granted."""

    def clock(self, step: float) -> b2.Clock:  # noqa: D102
        # its code for synapses names the default clock, whatever clock the cells have
        b2.defaultclock.dt = step * b2.second
        return b2.defaultclock


def generate(plan: Plan, folder: Path, architecture: str) -> None:
    """Write the project of a plan for a GPU architecture such as ``9.0``."""
    backend = b2.prefs.devices.cuda_standalone.cuda_backend
    backend.detect_gpus = False
    backend.gpu_id = 0
    backend.compute_capability = float(architecture)
    backend.detect_cuda = False
    backend.cuda_path = "/usr/local/cuda"  # only written into a makefile that is not used
    backend.cuda_runtime_version = 12.0
    b2.set_device("cuda_standalone", build_on_run=False)
    device: Any = b2.get_device()
    arrays = placeholders(plan)
    needs = Needs()
    built = build(plan, arrays, needs)
    # its programs read the names of arguments in lower case only, and would go on with default numbers
    if wrong := [name for name in built.parameters if name != name.lower()]:
        raise ConfigurationError("this device takes names in lower case only; rename it", wrong[0])
    run(built, plan)
    device.insert_code("after_start", SEED)
    device.build(directory=str(folder), compile=False, run=False, debug=False)
    describe(device, built, needs, plan, arrays, folder)
    # what runs after a run follows what it uses
    names = [path.stem for path in (folder / "code_objects").glob("*.cu")]
    names.sort(key=lambda name: (name.removeprefix("after_run_"), name.startswith("after_run_")))
    whole = unit(folder, names, HEADERS, ".cu")
    whole += "".join(
        f'#include "{name}.cu"\n' for name in ("objects", "network", "run", "rand", "synapses_classes", "main")
    )
    (folder / "all.cu").write_text(whole)


if __name__ == "__main__":
    sys.exit(main(partial(generate, architecture=sys.argv[3]), sys.argv[1:3]))
