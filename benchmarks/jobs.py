"""Whole jobs, timed by part: import, generation, compilation, runs, analysis, figures.

Cold is with an empty cache folder of builds. Seconds of the clock, and of the processors in brackets.

    python benchmarks/jobs.py --seeds 100:105 --keep jobs.json
    python benchmarks/jobs.py --compare jobs.json
    python benchmarks/jobs.py --job meet --job meet-levels
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from stored import finish, options

CACHE = "XDG_CACHE_HOME"
GENERATE = """
import sys, tempfile, time
from pathlib import Path
from izhires import Configuration
from izhires.devices import get
from izhires.run import draw
drawn, device = draw(Configuration(), 0), get("cpp")
with tempfile.TemporaryDirectory() as folder:
    device.write_project(drawn.plan, Path(folder))
"""


def timed(command: list[str], environment: dict[str, str] | None = None) -> tuple[float, float]:
    """Run a command; return seconds of the clock and of the processors."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, env={**os.environ, **(environment or {})}, capture_output=True, text=True)
    took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr or done.stdout}")
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure, print, keep."""
    parser = options(__doc__)
    parser.add_argument("--seeds", default="100:105")
    parser.add_argument("--job", action="append", help="paradigm to run; default: meet", default=None)
    given = parser.parse_args()
    values: dict[str, float] = {}

    def part(name: str, command: list[str], environment: dict[str, str] | None = None) -> None:
        clock, processors = timed([sys.executable, *command], environment)
        values[name], values[f"{name}, processors"] = clock, processors
        print(f"{name:32} {clock:7.2f} s  ({processors:.2f} s)", flush=True)

    part("import izhires", ["-c", "import izhires"])
    part("izhires list", ["-m", "izhires", "list"])
    part("generation of the project", ["-c", GENERATE])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cold = {CACHE: str(folder / "cache")}
        part("build from nothing", ["-c", GENERATE.split("with ")[0] + "device.prepare(drawn.plan)"], cold)
        warm, recordings = cold, folder / "results"
        for job in given.job or ["meet"]:
            run = ["-m", "izhires", "run", job, "--seeds", given.seeds, "--out", str(recordings / job)]
            part(f"{job}: runs", run, warm)
            for what in ("analyse", "figures"):
                part(f"{job}: {what}", ["-m", "izhires", what, str(recordings / job)], warm)
            parts = [values[f"{job}: {each}"] for each in ("runs", "analyse", "figures")]
            values[f"{job}: all"] = sum(parts)
            print(f"{job + ': all':32} {sum(parts):7.2f} s")
    finish(given, values)


if __name__ == "__main__":
    main()
