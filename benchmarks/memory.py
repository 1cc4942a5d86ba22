"""Memory of MEET with all spikes recorded: predicted before the run, and measured after it.

    python benchmarks/memory.py --keep memory.json

The program is the compiled simulation; Python reads and arranges what it wrote, of which the parts that lie on the disk
count here as far as they were looked at.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from stored import finish, options

ONE = """
import json, sys
from izhires import Configuration
from izhires.recordings.recording import save
from izhires.running.resources import needed_memory, peak_memory
from izhires.running.run import draw, simulate_together
made = Configuration().to_dict()
for block in made["paradigm"]["blocks"]:
    block["trials"] = int(sys.argv[1]) // len(made["paradigm"]["blocks"])
made["keep"]["spikes"] = "all"
drawn = draw(Configuration.parse(made), 0)
(recording,) = simulate_together([drawn])
path = save(recording, sys.argv[2])
print(json.dumps({
    "training trials": int((recording["trial_kind"] == "train").sum()),
    "spikes": recording.sizes["spike"],
    "predicted": needed_memory(drawn.plan) / 2**20,
    "program": recording.attrs["peak_bytes"] / 2**20,
    "program and Python": peak_memory() / 2**20,
    "recording": path.stat().st_size / 2**20,
}))
"""


def main() -> None:
    """Measure, print, keep."""
    parser = options(__doc__)
    parser.add_argument("--trials", type=int, nargs="+", default=[400, 1000, 4000])
    given = parser.parse_args()
    values: dict[str, float] = {}
    for trials in given.trials:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-c", ONE, str(trials), str(Path(folder) / "it.nc")]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        if not values:
            print("  ".join(f"{name:>18}" for name in found) + "   (MiB)")
        print("  ".join(f"{value:18,.0f}" for value in found.values()), flush=True)
        values |= {f"{trials} trials, {name}": value for name, value in found.items()}
    finish(given, values)


if __name__ == "__main__":
    main()
