"""The same bits as before: hashes of small networks, on the machine and with the versions they were taken with.

The file holds all variables from before plans were made of parts, but for ``rate``: what happens after the end of an
experiment has not counted since.
"""

from __future__ import annotations

import json
from pathlib import Path

import identical
import pytest

STORED = json.loads((Path(__file__).parent / "data" / "identical.json").read_text())

# one of each kind; all of them by `python tests/identical.py`
CASES = [name for name in identical.CASES if identical.CASES[name][1] == "numpy"]
COMPILED = ["circuit sequence cpp", "confidence", "shuffled at test", "rule force", "3 replicates cpp"]


def test_every_case_is_stored():
    assert set(STORED["hashes"]) == set(identical.CASES)
    assert len(STORED["hashes"]) >= 24


@pytest.mark.parametrize("name", [*CASES, *COMPILED])
def test_the_same_bits(name):
    here = identical.machine()
    if name in CASES:  # no compiler has a part in it
        here, there = (
            {key: each[key] for key in ("brian2", "numpy", "processor")} for each in (here, STORED["machine"])
        )
    else:
        there = STORED["machine"]
    if here != there:
        pytest.skip(f"the bits were written down on another machine or with other versions: {there}, here {here}")
    stored, found = STORED["hashes"][name], identical.hashes(name)
    assert {variable: found[variable] for variable in stored} == stored
