"""Measured values as JSON: keep them, and compare them with those of an earlier run."""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path


def options(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options that all benchmarks have."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, metavar="FILE.json", help="write what was measured")
    parser.add_argument("--compare", type=Path, metavar="FILE.json", help="print the ratio to an earlier run")
    return parser


def finish(given: argparse.Namespace, values: dict[str, float]) -> None:
    """Keep the values and compare them with earlier ones, as the options say."""
    if given.compare:
        earlier = json.loads(given.compare.read_text())
        print(f"compared with {earlier['date']} ({earlier['machine']}):")
        for name in sorted(values.keys() & earlier["values"].keys()):
            ratio = values[name] / earlier["values"][name] if earlier["values"][name] else float("nan")
            print(f"  {name:40} {earlier['values'][name]:10.4g} -> {values[name]:10.4g}   x {ratio:.2f}")
    if given.keep:
        facts = {
            "date": time.strftime("%Y-%m-%d %H:%M"),
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
            "versions": {name: version(name) for name in ("izhires", "brian2", "numpy")},
            "values": values,
        }
        given.keep.write_text(json.dumps(facts, indent=1) + "\n")
