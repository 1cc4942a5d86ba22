"""What single precision gives on a device, with the default MEET on one seed: time, and what it does to the numbers.

    python benchmarks/precision.py --keep precision.json

Runs in double and in single precision take turns; a time is the least processor time of the program among the runs of
each, which other work on the machine lengthens less than what a clock shows. A network that goes on firing is chaotic:
rounding soon decides over a spike, and what is left to compare are statistics. So beside the differences to single
precision stand those to another noise of the same network, in double precision.
"""

from __future__ import annotations

import resource
from typing import Any

import numpy as np
from stored import finish, options

from izhires import Configuration
from izhires.devices import DEFAULT, able, get
from izhires.running.run import Execution, draw, record


def measured(device: str, changes: dict[str, Any], seed: int, rounds: int) -> dict[str, Any]:
    """Return the recordings and the seconds of every kind of run."""
    kinds = {
        "double": {"precision": "double"},
        "single": {"precision": "single"},
        "double, other noise": {"precision": "double", "seeds.noise": seed + 1},
    }
    drawn = {
        name: draw(Configuration().with_changes(**{"keep.spikes": "all", **changes, **own}), seed)
        for name, own in kinds.items()
    }
    programs = {name: get(device).prepare(each.plan) for name, each in drawn.items()}
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    found = {}
    for number in range(rounds):
        for name, each in drawn.items():
            if number and "noise" in name:
                continue
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            outputs = programs[name].run(each.arrays)
            seconds[name].append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before)
            found[name] = record(
                each, outputs, Execution(device, programs[name].templates, programs[name].schedule(), 0, 0)
            )
    least = {name: min(every) for name, every in seconds.items()}
    drift = max(max(every) / min(every) for every in seconds.values())
    return {
        "recordings": found,
        "seconds": least,
        "drift": drift,
        "memory": {name: program.measured.get("peak_bytes", 0.0) for name, program in programs.items()},
    }


def error(recording: Any) -> float:
    """Return the root mean square of prediction minus expectation in the last probes, over that of the expectation."""
    last = recording.isel(probe=slice(-4, None))
    wrong = float(np.sqrt(((last["prediction"] - last["expectation"]) ** 2).mean()))
    return wrong / float(np.sqrt((last["expectation"] ** 2).mean()))


def over_noises(device: str, changes: dict[str, Any], seed: int, precision: str, many: int) -> np.ndarray:
    """Return the error with each of several noises of one network."""
    found, program = [], None
    for noise in range(many):
        own = {"precision": precision, "seeds.noise": noise}
        drawn = draw(Configuration().with_changes(**{**changes, **own}), seed)
        program = program or get(device).prepare(drawn.plan)
        found.append(error(record(drawn, program.run(drawn.arrays), Execution(device, program.templates, "", 0, 0))))
    return np.array(found)


def first_difference(one: Any, other: Any) -> tuple[float, int]:
    """Return when the spikes of two recordings differ for the first time, and how many they share until then."""
    trains = [
        np.stack([np.rint(each["spike_time"].values * 1e6), each["spike_neuron"].values]) for each in (one, other)
    ]
    shortest = min(train.shape[1] for train in trains)
    differ = np.flatnonzero((trains[0][:, :shortest] != trains[1][:, :shortest]).any(axis=0))
    at = int(differ[0]) if differ.size else shortest
    return (float(trains[0][0, at]) / 1e6 if at < trains[0].shape[1] else float("nan")), at


def main() -> None:
    """Measure, print, keep."""
    parser = options(__doc__)
    parser.add_argument("--device", default=DEFAULT, choices=able("single"))
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cells", type=int, nargs="*", default=[1000, 4000], help="sizes of the reservoir")
    parser.add_argument("--noises", type=int, default=6, help="noises over which the errors of the first size are")
    given = parser.parse_args()
    values: dict[str, float] = {}
    for cells in given.cells:
        found = measured(given.device, {"reservoir.n": cells}, given.seed, given.rounds)
        double, seconds = found["recordings"]["double"], found["seconds"]
        ratio = seconds["double"] / seconds["single"]
        print(
            f"{cells} cells: double {seconds['double']:.2f} s, single {seconds['single']:.2f} s: x {ratio:.2f} "
            f"(slowest over fastest run of a kind x {found['drift']:.2f}); "
            f"program {found['memory']['double'] / 2**20:.0f} and {found['memory']['single'] / 2**20:.0f} MiB"
        )
        values |= {f"{cells} cells, double / single": ratio, f"{cells} cells, drift": found["drift"]}
        print(f"  {'':20} {'mean rate':>9}  {'error':>6}  against double: prediction (rms)  rate of a cell (rms)")
        for name, each in found["recordings"].items():
            values[f"{cells} cells, {name}, rate"] = float(each["rate"].mean())
            values[f"{cells} cells, {name}, error"] = error(each)
            line = f"  {name:20} {float(each['rate'].mean()):6.3f} Hz  {error(each):6.3f}"
            if each is not double:
                apart = {key: float(np.sqrt(((each[key] - double[key]) ** 2).mean())) for key in ("prediction", "rate")}
                values |= {f"{cells} cells, {name}, {key} apart": value for key, value in apart.items()}
                line += f"  {apart['prediction']:31.3f}  {apart['rate']:17.3f} Hz"
            print(line)
        moment, shared = first_difference(double, found["recordings"]["single"])
        print(f"  spikes of single and double: the first {shared:,} identical, then different from {moment:.4g} s on")
        if cells == given.cells[0] and given.noises > 1:
            for precision in ("double", "single"):
                errors = over_noises(given.device, {"reservoir.n": cells}, given.seed, precision, given.noises)
                off = errors.std(ddof=1) / np.sqrt(len(errors))
                print(f"  error over {given.noises} noises, {precision}: {errors.mean():.4f}, standard error {off:.4f}")
                values[f"{cells} cells, {precision}, error over noises"] = float(errors.mean())
    finish(given, values)


if __name__ == "__main__":
    main()
