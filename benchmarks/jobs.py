"""Whole jobs, timed by part: import, generation, compilation, runs, analysis, figures.

Cold is with an empty cache folder of builds, warm the same again with the build that is kept. Seconds of the clock, and
of the processors in brackets.

    python benchmarks/jobs.py --seeds 100:105 --keep jobs.json
    python benchmarks/jobs.py --compare jobs.json
    python benchmarks/jobs.py --job meet --job meet-levels --job reproduce
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
PLAN = """
import json
from pathlib import Path
from izhires import Configuration
from izhires.run import draw
from izhires.devices import get
folder, plan, device = Path({folder!r}), draw(Configuration(), 0).plan, get("cpp")
(folder / "plan.json").write_text(json.dumps(plan.__dict__))
(folder / "Makefile").write_text(device.makefile())
(folder / "arguments").write_text(" ".join(device.generator_arguments()))
"""


def timed(command: list[str], environment: dict[str, str] | None = None) -> tuple[float, float, str]:
    """Run a command; return seconds of the clock and of the processors, and what it prints."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, env={**os.environ, **(environment or {})}, capture_output=True, text=True)
    took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr or done.stdout}")
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def main() -> None:
    """Measure, print, keep."""
    parser = options(__doc__)
    parser.add_argument("--seeds", default="100:105")
    parser.add_argument("--job", action="append", help="paradigm to run, or reproduce; default: meet", default=None)
    given = parser.parse_args()
    values: dict[str, float] = {}
    said: list[str] = []

    def part(name: str, command: list[str], environment: dict[str, str] | None = None) -> None:
        clock, processors, text = timed([sys.executable, *command], environment)
        said.append(text)
        values[name], values[f"{name}, processors"] = clock, processors
        print(f"{name:40} {clock:7.2f} s  ({processors:.2f} s)", flush=True)

    part("import izhires", ["-c", "import izhires"])
    part("izhires list", ["-m", "izhires", "list"])
    part("import brian2", ["-c", "import brian2"])
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([sys.executable, "-c", PLAN.format(folder=name)], check=True)
        arguments = (Path(name) / "arguments").read_text().split()
        generate = ["-m", "izhires.devices.generate_cpp", f"{name}/plan.json", name, *arguments]
        part("generation, with that import", generate)
        (Path(name) / "makefile").unlink()
        part("compilation", ["-c", f"import subprocess; subprocess.run(['make', '-C', {name!r}, 'main'], check=True)"])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cache = {CACHE: str(folder / "cache")}
        for job in given.job or ["meet"]:
            if job == "reproduce":
                part(job, ["-m", "izhires", job, "--seeds", given.seeds, "--out", str(folder / job)], cache)
                print("\n".join(f"    {line}" for line in said[-1].splitlines()[-4:-2]))
                continue
            for state in ("cold", "warm"):
                out = folder / state / job
                run = ["-m", "izhires", "run", job, "--seeds", given.seeds, "--out", str(out)]
                part(f"{job}, {state}: build and runs", run, cache)
                for what in ("analyse", "figures"):
                    part(f"{job}, {state}: {what}", ["-m", "izhires", what, str(out)], cache)
                parts = [values[f"{job}, {state}: {each}"] for each in ("build and runs", "analyse", "figures")]
                values[f"{job}, {state}: all"] = sum(parts)
                print(f"{f'{job}, {state}: all':40} {sum(parts):7.2f} s")
    finish(given, values)


if __name__ == "__main__":
    main()
