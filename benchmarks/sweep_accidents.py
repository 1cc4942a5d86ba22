"""A sweep under fire: workers and drivers are killed at random, and every recording must be that of an undisturbed one.

    python benchmarks/sweep_accidents.py --out FOLDER            # local workers: 20 kills of workers, 3 of the driver
    python benchmarks/sweep_accidents.py --out FOLDER --dask     # a scheduler and two Dask workers, one of them killed
    python benchmarks/sweep_accidents.py --out FOLDER --overhead # wall time against bare runs in as many processes

Exit code 0 when all recordings are there and equal, bit for bit, in every variable.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "sweep.toml"


def children(parent: int) -> dict[int, str]:
    """Return the living children of a process, and the command line of each."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if fields[0] != "Z" and int(fields[1]) == parent:
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    return found


def start(spec: Path, out: Path, *options: str) -> subprocess.Popen:
    """Start a sweep in a process group of its own."""
    command = [sys.executable, "-m", "izhires", "sweep", str(spec), "--out", str(out), *options]
    return subprocess.Popen(command, process_group=0, stdout=subprocess.DEVNULL)


def good(out: Path) -> int:
    """Return how many recordings lie in a folder."""
    return len(list(out.glob("*.nc")))


def under_fire(spec: Path, out: Path, workers: int, drivers: int, runs: int, rng: random.Random) -> tuple[int, int]:
    """Sweep while workers and drivers are killed, spread over the whole sweep; return how many were."""
    killed = {"worker": 0, "driver": 0}
    # after this many recordings each; a driver's death takes its workers along
    due = sorted(
        [(runs * (k + 0.5) / workers * 0.9, "worker") for k in range(workers)]
        + [(runs * (k + 1) / (drivers + 1), "driver") for k in range(drivers)]
    )
    driver = start(spec, out)
    while due:
        moment, which = due.pop(0)
        while driver.poll() is None and good(out) < moment:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 1.5))  # anywhere in a run: while it draws, simulates, writes
        if driver.poll() is not None:
            break
        if which == "driver":
            driver.kill()
            driver.wait()
            killed["driver"] += 1
            driver = start(spec, out)
            continue
        mine: list[int] = []
        while driver.poll() is None and not mine:
            mine = [number for number, line in children(driver.pid).items() if "izhires.running.worker" in line]
        if mine:
            os.kill(rng.choice(mine), signal.SIGKILL)
            killed["worker"] += 1
    code = driver.wait()
    if code != 0:
        sys.exit(f"the last sweep ended with exit code {code}")
    return killed["worker"], killed["driver"]


def on_dask(spec: Path, out: Path, runs: int) -> None:
    """Sweep on a Dask scheduler with two workers on loopback, of which one is killed in the middle of a run."""
    folder = out.parent / f"{out.name}-dask"
    folder.mkdir(parents=True, exist_ok=True)
    address = folder / "scheduler.json"
    address.unlink(missing_ok=True)
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(address), "--nthreads", "1"]
    worker += ["--no-dashboard", "--local-directory", str(folder), "--no-nanny", "--host", "127.0.0.1"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    host = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(address)]
    processes = [subprocess.Popen([*dask, *host], **quiet)]
    try:
        wait_for(address.exists)
        processes += [subprocess.Popen(worker, **quiet) for _ in range(2)]
        import json

        driver = start(spec, out, "--dask", json.loads(address.read_text())["address"])
        victim = processes[1]
        wait_for(lambda: good(out) >= runs // 3 or driver.poll() is not None)
        wait_for(lambda: bool(programs(victim.pid)) or driver.poll() is not None)
        if driver.poll() is not None:
            sys.exit("the sweep ended before a worker could be killed")
        victim.kill()
        print(f"killed one of two Dask workers after {good(out)} recordings, in the middle of a run")
        processes.append(subprocess.Popen(worker, **quiet))
        if driver.wait() != 0:
            sys.exit("the sweep failed")
    finally:
        for each in processes[::-1]:
            each.kill()
            each.wait()


def programs(worker: int) -> list[int]:
    """Return the simulations that a worker has under way."""
    return [number for number, line in children(worker).items() if "--results_dir" in line]


def wait_for(reached: Callable[[], bool], seconds: float = 300) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > end:
            sys.exit("it took too long")
        time.sleep(0.005)


def differing(one: Path, other: Path) -> list[str]:
    """Return the names of recordings that are missing on one side, or whose variables differ in any bit."""
    from izhires import load

    names = {path.name for path in (*one.glob("*.nc"), *other.glob("*.nc"))}
    return sorted(
        name
        for name in names
        if not ((one / name).exists() and (other / name).exists() and load(one / name).equals(load(other / name)))
    )


BARE = """
import sys
from pathlib import Path
from izhires.running.run import simulate
from izhires.recordings.recording import save
from izhires.sweeps.design import read, expand
from izhires.sweeps.index import path_of
points = expand(read(sys.argv[1]))
for point in points[int(sys.argv[3])::int(sys.argv[4])]:
    save(simulate(point.configuration, point.seed, point.variant), path_of(Path(sys.argv[2]), point.run))
"""


def overhead(spec: Path, out: Path, times: int) -> float:
    """Return what a sweep takes more than bare runs, as a share: wall time, or processor time on a busy machine.

    Of several turns the quickest counts, each kind by itself. Metrics are left out of both.
    """
    from izhires.sweeps.design import read

    out.mkdir(parents=True, exist_ok=True)
    (out / "spec.toml").write_text(read(spec).with_changes(metrics=()).to_toml(), encoding="utf-8")
    spec = out / "spec.toml"
    at_once = len(os.sched_getaffinity(0))
    took: dict[str, list[tuple[float, float]]] = {"sweep": [], "bare": []}

    def clock() -> tuple[float, float]:
        used = os.times()
        return time.perf_counter(), used.children_user + used.children_system

    for turn in range(times):
        bare = [sys.executable, "-c", BARE, str(spec), str(out / f"bare{turn}")]
        for kind in took:
            before = clock()
            if kind == "sweep":
                running = [start(spec, out / f"sweep{turn}")]
            else:
                running = [subprocess.Popen([*bare, str(k), str(at_once)]) for k in range(at_once)]
            if any([each.wait() for each in running]):
                sys.exit(f"the {kind} runs failed")
            after = clock()
            took[kind].append((after[0] - before[0], after[1] - before[1]))
        words = [f"{kind} {each[-1][0]:.1f} s (processor {each[-1][1]:.1f} s)" for kind, each in took.items()]
        print(f"turn {turn}: {', '.join(words)}", flush=True)
    wall, processor = (min(x[k] for x in took["sweep"]) / min(x[k] for x in took["bare"]) - 1 for k in (0, 1))
    shares = f"{100 * wall:.1f} % of wall time, {100 * processor:.1f} % of processor time"
    print(f"overhead of a sweep over bare runs: {shares}")
    busy = min(x[1] for x in took["bare"]) < 0.8 * at_once * min(x[0] for x in took["bare"])
    return processor if busy else wall


def main() -> None:
    """Do what the command line asks for."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", type=Path, default=EXAMPLE)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=20)
    parser.add_argument("--drivers", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dask", action="store_true")
    parser.add_argument("--overhead", type=int, nargs="?", const=2, default=0, help="number of turns")
    given = parser.parse_args()
    if given.overhead:
        found = overhead(given.spec, given.out, given.overhead)
        sys.exit(found > 0.10)
    undisturbed, disturbed = given.out / "undisturbed", given.out / ("dask" if given.dask else "disturbed")
    began = time.perf_counter()
    if start(given.spec, undisturbed).wait() != 0:
        sys.exit("the undisturbed sweep failed")
    runs, took = good(undisturbed), time.perf_counter() - began
    print(f"undisturbed: {runs} recordings in {took:.0f} s", flush=True)
    began = time.perf_counter()
    if given.dask:
        on_dask(given.spec, disturbed, runs)
    else:
        workers, drivers = under_fire(
            given.spec, disturbed, given.workers, given.drivers, runs, random.Random(given.seed)
        )
        print(f"killed {workers} workers and {drivers} drivers")
        if (workers, drivers) != (given.workers, given.drivers):
            sys.exit("the sweep ended before all were killed")
    different = differing(undisturbed, disturbed)
    left = list(disturbed.glob(".*.part"))
    print(f"disturbed: {good(disturbed)} recordings in {time.perf_counter() - began:.0f} s, "
          f"{len(different)} of them missing or different, {len(left)} half-written")  # fmt: skip
    sys.exit(bool(different or left))


if __name__ == "__main__":
    main()
