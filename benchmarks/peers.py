"""The work of `limit.py` in other simulators, each in an environment of its own, and their ratios to this package.

    python benchmarks/peers.py --make            # make the environments that are missing (venv and pip)
    python benchmarks/peers.py                   # run those that are there

``$BENCH_NETWORK`` names the folder of the network, as for `limit.py`. What each does is said in its file under
``peers/``; NEST and ANNarchy simulate the cells and synapses only, without readouts and learning. Programs take turns,
and the fastest of several rounds counts, since machines drift.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

from stored import finish, options

HERE = Path(__file__).resolve().parent
# name -> (script, what pip installs; nothing: the environment of this package serves)
PEERS = {
    "brian2": ("brian2_natural.py", []),
    "nest": ("nest_reservoir.py", ["nest-simulator", "numpy"]),
    "annarchy": ("annarchy_reservoir.py", ["ANNarchy", "cmake"]),
    "jax": ("jax_scan.py", ["jax", "numpy"]),
}


def make(folder: Path, packages: list[str]) -> str:
    """Make an environment; return why it cannot be, empty if it can."""
    venv.create(folder, with_pip=True, clear=True)
    done = subprocess.run(
        [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *packages], capture_output=True, text=True
    )
    if done.returncode == 0:
        (folder / "whole").touch()
        return ""
    lines = [line for line in done.stderr.splitlines() if "ERROR" in line or "error" in line] or ["pip failed"]
    return lines[0].strip()


def run(command: list[str]) -> dict | str:
    """Run a program; return the line of JSON that it prints, or what is wrong."""
    path = f"{Path(command[0]).parent}{os.pathsep}{os.environ['PATH']}"  # tools that pip installed beside it
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PATH": path})
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not lines:
        return ((done.stderr or done.stdout).strip().splitlines() or ["said nothing"])[-1]
    return json.loads(lines[-1])


def main() -> None:
    """Make, run, print, keep."""
    parser = options(__doc__)
    parser.add_argument("--make", action="store_true", help="make the environments that are missing")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "izhires" / "peers"
    parser.add_argument("--environments", type=Path, default=cache)
    parser.add_argument("--only", action="append", choices=list(PEERS))
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    commands = {"izhires": [sys.executable, str(HERE / "limit.py")]}
    for name in given.only or PEERS:
        script, packages = PEERS[name]
        folder = given.environments / name
        missing = bool(packages) and not (folder / "whole").exists()
        problem = make(folder, packages) if missing and given.make else ""
        if problem:
            print(f"{name:10} cannot be installed: {problem}")
            continue
        if missing and not given.make:
            print(f"{name:10} is not installed; --make does that")
            continue
        python = str(folder / "bin" / "python") if packages else sys.executable
        commands[name] = [python, str(HERE / "peers" / script)]
    found: dict[str, list[dict]] = {name: [] for name in commands}
    for _ in range(given.rounds):
        for name, command in commands.items():
            said = run(command)
            if isinstance(said, str):
                print(f"{name:10} failed: {said}")
            else:
                found[name].append(said)
    values = {}
    ours = min((each["sim_s"] for each in found["izhires"]), default=float("nan"))
    for name, rounds in found.items():
        if rounds:
            values[name] = min(each["sim_s"] for each in rounds)
            drift = max(each["sim_s"] for each in rounds) / values[name]
            what = rounds[0].get("what", "all of the work")
            print(f"{name:10} {values[name]:8.3f} s  x {values[name] / ours:6.1f}  rate {rounds[0]['rate']:5.2f} Hz  "
                  f"(slowest x {drift:.2f})  {what}")  # fmt: skip
    finish(given, values)


if __name__ == "__main__":
    main()
