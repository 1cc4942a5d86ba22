"""Models of papers on weights: short runs of the examples show what the papers say, and their controls do not."""

import functools
import importlib.util
from pathlib import Path

import pytest

from izhires import simulate

PAPERS = Path(__file__).resolve().parents[1] / "examples" / "papers"


@functools.cache
def example(name):
    """Return an example as a module."""
    spec = importlib.util.spec_from_file_location(name, PAPERS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@functools.cache
def song(rate, control="plastic", seconds=80):
    found = example("song_abbott_2000")
    return found.measured(simulate(found.configuration(rate, control, seconds), seed=0))


@pytest.mark.slow
def test_weights_of_an_additive_rule_go_to_either_bound():
    """They begin around three quarters of the largest, and where A- is below A+ all go to the top."""
    plastic, top = song(20, seconds=400), song(20, "A- < A+", 20)
    for found in (plastic, top):
        assert sum(found[each] for each in ("lowest fifth", "middle fifths", "highest fifth")) == pytest.approx(1)
    assert plastic["lowest fifth"] > 0.5
    assert plastic["highest fifth"] > 0.05
    # at the start the three fifths between have most of them, in the end fewer than the highest, each
    assert plastic["middle fifths"] < 3 * plastic["highest fifth"]
    assert top["highest fifth"] > 0.95


def test_the_rate_is_regulated():
    """Twice the input, with plastic synapses and with fixed ones; the intervals are irregular."""
    assert song(40)["rate"] < 1.5 * song(20)["rate"]
    assert song(40, "fixed")["rate"] > 4 * song(20, "fixed")["rate"]
    assert 2 < song(40)["rate"] < 25
    assert song(40)["CV"] > 0.6
    assert song(40, "fixed")["CV"] < 0.3


@functools.cache
def vogels(control):
    found = example("vogels_2011")
    return found.measured(simulate(found.configuration(control), seed=0))


def test_inhibition_brings_the_network_to_the_target_rate():
    """Within a third, of the assembly too, once inhibition has adapted to it; inhibition follows excitation."""
    found, target = vogels("whole"), example("vogels_2011").TARGET
    groups = ["cued", "assembly", "others"]
    assert found.loc["before", groups].min() > 100
    assert found.loc["balanced", "others"] == pytest.approx(target, rel=0.33)
    assert found.loc["assembly made", "assembly"] > 4 * target
    assert found.loc["assembly balanced", groups].to_numpy(float) == pytest.approx(target, rel=0.33)
    assert found.loc["assembly balanced", "balance"] > 0.8
    assert found.loc["before", "balance"] < 0.5


def test_a_cue_to_a_part_recalls_an_assembly():
    """Only where there is one; and it is over when the cue is."""
    whole, without = vogels("whole"), vogels("no memory")
    assert whole.loc["cue", "assembly"] > 3 * whole.loc["cue", "others"]
    assert whole.loc["cue", "assembly"] > 5 * whole.loc["assembly balanced", "assembly"]
    assert whole.loc["after the cue", "assembly"] < 0.25 * whole.loc["cue", "assembly"]
    assert without.loc["cue", "assembly"] < 1.5 * without.loc["cue", "others"]
