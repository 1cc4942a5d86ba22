"""Trace conditioning as tables: dopamine at the CS, at the US and where it is omitted, by design, cue and phase.

    izhires run trace-conditioning --config examples/trace_conditioning.toml --seeds 100:105 --out results/conditioning
    python examples/trace_conditioning.py results/conditioning

Prints mean and standard deviation over seeds of the metric `conditioning`, the network's and, after a slash, those of
the Rescorla-Wagner model fitted to it, and how much of the responses to the CS the models explain.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import izhires
from izhires.analysis import analyse
from izhires.analysis.statistics import mean_and_deviation

COLUMNS = {
    "first CS": "cs_first", "last CS": "cs", "to 100 ms": "cs_onset", "first US": "us_first", "last US": "us",
    "from the US on": "us_after", "omission": "omission", "ramp": "ramp", "ramp, scaled": "ramp_scaled",
    "CS in probes": "test",
}  # fmt: skip


def tables(folder: Path) -> tuple[str, str]:
    """Return the responses, and the fits of the models, as Markdown."""
    found = analyse([izhires.load(path) for path in sorted(folder.glob("*.nc"))], only=["conditioning"])
    found["part"] = found["metric"].str.removeprefix("conditioning.")
    cells = found.groupby(["variant", "block", "part"], dropna=False, sort=False)["value"].agg(
        lambda values: mean_and_deviation(values, 2)
    )
    lines = [f"| design, cue | phase | {' | '.join(COLUMNS)} |", "|---" * (2 + len(COLUMNS)) + "|"]
    for variant, block in found[found["block"].notna()][["variant", "block"]].drop_duplicates().itertuples(index=False):
        row = [variant, str(block + 1)]
        for part in COLUMNS.values():
            both = [cells.get((variant, block, name), "") for name in (part, f"rw_{part}")]
            row.append(" / ".join(each for each in both if each))
        lines.append(f"| {' | '.join(row)} |")
    models = ["| design | stimuli: explained | rate | stimuli and context: explained | rate |", "|---|---|---|---|---|"]
    own = found[found["block"].isna()]
    for design, several in own.groupby("variant", sort=False):
        values = several.groupby("part")["value"]
        names = [f"{name}_{part}" for name in ("rw", "rw_context") for part in ("explained", "rate")]
        texts = [mean_and_deviation(values.get_group(name), 2 if "explained" in name else 4) for name in names]
        models.append(f"| {design} | {' | '.join(texts)} |")
    return "\n".join(lines), "\n".join(models)


def main() -> None:
    """Print the tables of a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    print("\n\n".join(tables(parser.parse_args().folder)))


if __name__ == "__main__":
    main()
