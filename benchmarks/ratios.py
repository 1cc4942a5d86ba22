"""The ratio to the hand-written program at every size, several times over, beside MEET and its profile.

Needs the folder of the hand-written program with its script ``ratio``, which runs both in turn and takes the minima:

    python benchmarks/ratios.py --bench FOLDER --keep ratios.json
    python benchmarks/ratios.py --bench FOLDER --rounds 3 --compare ratios.json

The drift is the slowest over the fastest run of the hand-written program among the rounds: what the machine adds.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from stored import finish, options

SIZES = {
    "N = 1,000": ([], 1.7),
    "N = 1,000, 16 channels": (["--channels", "16"], 2.5),
    "N = 4,000, in-degree 100": (["--n", "4000", "--indegree", "100"], 2.0),
    "N = 16,000, in-degree 100": (["--n", "16000", "--indegree", "100"], 2.0),
}
"""What `ratio` is told, and the ratio that is asked."""


def said(command: list[str]) -> str:
    """Return what a command prints."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr or done.stdout}")
    return done.stdout


def main() -> None:
    """Measure, print, keep."""
    parser = options(__doc__)
    parser.add_argument("--bench", type=Path, required=True, metavar="FOLDER", help="folder with the script 'ratio'")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plain", action="store_true", help="profile also Brian2's own templates, which takes minutes")
    given = parser.parse_args()
    program = Path(__file__).with_name("limit.py")
    found: dict[str, list[dict[str, float]]] = {name: [] for name in SIZES}
    for number in range(given.rounds):
        for name, (sizes, _) in SIZES.items():
            command = [sys.executable, str(given.bench / "ratio"), *sizes, sys.executable, str(program)]
            one = json.loads(said(command).splitlines()[-1])
            found[name].append(one)
            off = 100 * (one["command_rate"] / one["limit_rate"] - 1)
            print(
                f"round {number + 1}  {name:26} limit {one['limit_s']:7.3f} s  izhires {one['command_s']:7.3f} s  "
                f"ratio {one['ratio']:.2f}  (rate {off:+.1f} %)",
                flush=True,
            )
    values: dict[str, float] = {}
    print(f"\n{'':26} {'ratios':>18}  {'fastest':>8}  {'asked':>6}  drift of the limit")
    for name, rounds in found.items():
        ratios = [each["ratio"] for each in rounds]
        limits = [each["limit_s"] for each in rounds]
        # of the minima over all rounds, as within one
        values[name] = min(each["command_s"] for each in rounds) / min(limits)
        values[f"{name}, drift"] = max(limits) / min(limits)
        asked = SIZES[name][1]
        print(
            f"{name:26} {' '.join(f'{ratio:.2f}' for ratio in ratios):>18}  {values[name]:8.2f}  {asked:6.1f}  "
            f"x {values[f'{name}, drift']:.2f}"
        )
    for plain in [[], ["--plain"]] if given.plain else [[]]:
        print(f"\nMEET, one seed{', with templates of Brian2 only' if plain else ''}:")
        text = said([sys.executable, "-m", "izhires", "profile", "meet", *plain])
        print(text, end="")
        values[f"MEET{' plain' if plain else ''}, s"] = float(text.splitlines()[-1].split()[0])
    finish(given, values)


if __name__ == "__main__":
    main()
