"""What the compiler says of the loops that run every step: whether it made vector code of them, and how wide.

Generates the project of MEET, or of a configuration, and compiles its hot unit for this machine and for older ones.

    python benchmarks/vectorised.py
    python benchmarks/vectorised.py --config examples/random.toml

Ends with exit code 1 when the step of the cells or the reading of "when" is not vector code on this machine.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from izhires.devices.cpp import FLAGS, GCC_HOT_FLAGS, HOT_FLAGS, CppDevice, compiler, compiler_version
from izhires.model.configuration import read
from izhires.running.run import draw

TARGETS = ("native", "x86-64-v3", "x86-64-v2", "x86-64")
"""As -march has them; v3 is AVX2, v2 SSE4, the last SSE2."""
NEEDED = ("cells_stateupdater", "when_weights_summed_variable_z_post")
SAID = re.compile(r"code_objects/(\w+?)(?:_codeobject)?\.cpp:\d+:\d+: optimized: +loop vectorized using (\d+) byte")


def loops(folder: Path, target: str) -> dict[str, Counter[int]] | str:
    """Return, by object, how many of its loops became vector code of how many bytes; or what the compiler refused."""
    flags = [flag for flag in FLAGS if not flag.startswith("-march")] + HOT_FLAGS + GCC_HOT_FLAGS
    command = [compiler(), *flags, f"-march={target}", "-fopt-info-vec-optimized", "-c", "hot.cpp", "-o", "hot.o"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        return (done.stderr.strip().splitlines() or ["nothing"])[0]
    found: dict[str, Counter[int]] = {}
    for name, width in SAID.findall(done.stderr):
        found.setdefault(name, Counter())[int(width)] += 1
    return found


def main() -> int:
    """Generate, compile, print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path)
    given = parser.parse_args()
    if "clang" in compiler_version():
        print("the report is read from GCC; CXX names another compiler", file=sys.stderr)
        return 2
    plan = draw(read(given.config, [], {"type": "meet"}), 0).plan
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        CppDevice().write_project(plan, folder)
        every_step = re.findall(
            r'#include "code_objects/(\w+?)(?:_codeobject)?\.cpp"', (folder / "hot.cpp").read_text()
        )
        reports = {target: loops(folder, target) for target in TARGETS}
    print(compiler_version())
    print(f"{'loops x bytes of a vector':40} " + " ".join(f"{target:>16}" for target in reports))
    for each in every_step:
        cells = []
        for found in reports.values():
            own = found.get(each, Counter()) if isinstance(found, dict) else Counter()
            cells.append(", ".join(f"{many} x {width}" for width, many in sorted(own.items(), reverse=True)) or "-")
        print(f"{each:40} " + " ".join(f"{cell:>16}" for cell in cells))
    for target, found in reports.items():
        if isinstance(found, str):
            print(f"{target}: {found}")
    here = reports["native"]
    missing = [each for each in NEEDED if not isinstance(here, dict) or each not in here]
    for each in missing:
        print(f"{each} is not vector code on this machine", file=sys.stderr)
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())
