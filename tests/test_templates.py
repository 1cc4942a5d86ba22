"""The templates of components: each is what it says it is, is listed, and does its work with the others."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "examples" / "templates"
NETWORK = ("rule", "gate", "plasticity", "neuromodulator", "readout", "prediction", "cell", "circuit", "wiring")
REST = ("paradigm", "metric", "figure", "claim", "condition", "observer", "device")

# the templates are imported in a process of its own: what they declare is known from then on
BEFORE = """
import sys
sys.path.insert(0, {tests!r})
import brian2 as b2, numpy as np, small, synthetic
import izhires
from izhires import imports
from izhires.cli.list import tables
imports.load([f"{folder}/{{each}}.py" for each in {names!r}])
known = {{name for entries in tables().values() for name in entries}}
"""

TOGETHER = """
for name in ("my_rule", "my_gate", "my_plasticity", "my_substance", "my_readout", "my_prediction", "my_cell",
             "my_circuit", "my_wiring"):
    assert name in known, name
b2.prefs.codegen.target = "numpy"
task = {**small.PARADIGM, "blocks": small.PARADIGM["blocks"][:1]}
circuit = {"type": "my_circuit", "n": 100, "noise": "0 mV/sqrt(ms)", "cell": {"type": "my_cell"}}
configuration = izhires.Configuration.parse({
    "reservoir": circuit, "when": {"rule": "my_rule", "gate": "my_gate"}, "prediction": "my_prediction",
    "readouts": {"mine": "my_readout"}, "paradigm": task, "neuromodulators": {"substance": "my_substance"},
    "populations": {"sensory": {"n": 50, "cue_share": 1.0, "cue_strength": ["40 mV/ms", "60 mV/ms"]}},
    "connections": {"forward": {"from": "sensory", "to": "cells", "wiring": "my_wiring", "weight": "3 mV/ms",
                                "plasticity": "my_plasticity", "learns": "1"}},
})
assert izhires.Configuration.parse(configuration.to_dict()) == configuration
recording = izhires.simulate(configuration.with_changes(keep={"slowest_rate": "0 Hz"}), seed=0, device="numpy")
assert set(np.unique(recording.cell_type)) == {"slow", "fast"}
assert np.ptp(recording.mine.values) > 0 and recording.mine_weights.dims == ("probe", "event", "neuron")
assert np.abs(recording.when_weights.isel(probe=-1)).max() > 0  # rule and gate let something be learned
what, when = recording.what.values[..., None], recording.when.values
assert np.allclose(recording.prediction, np.maximum(np.minimum(what, when), 0))
start, end = recording.forward_weight.values
assert np.abs(end - start).max() > 0 and 0 <= end.min() and end.max() <= 4
assert (np.bincount(recording.forward_source.values) == 3).all()  # the ring
"""

APART = """
for name in ("my_task", "my_metric", "my_figure", "my_claim", "my_condition", "my_observer", "my_device"):
    assert name in known, name
task = izhires.Configuration(paradigm="my_task").paradigm.experiment(np.random.default_rng(0))
assert (task.trials["kind"] == "probe").sum() == 5 and set(task.trials["latency"].dropna()) == {0.3, 0.6}
from izhires.analysis import all_figures, all_metrics, all_observers
from izhires.analysis.claims.base import all_claims
from izhires.analysis.observers.base import ObservedTask
from izhires.model.conditions import apply
study = synthetic.study(2)
rows = list(all_metrics()["my_metric"].rows(study[0]))
assert [(row.block, row.event) for row in rows] == [(block, event) for block in range(4) for event in "AB"]
assert [row.value for row in rows[:2]] == [0.3, 0.6]
figure = all_figures()["my_figure"]
assert figure.draw(figure.tables(study)).axes[0].get_ylabel() == "identity prediction"
measured = all_claims()["my_claim"].measure({"no_feedback": [study[1]], "default": [study[0]]})
assert measured.values["excess"] == measured.values["ours"] - measured.values["control"] != 0
changed = apply(izhires.Configuration(), ["my_condition"])
assert changed.reservoir.cue_strength == 10 != izhires.Configuration().reservoir.cue_strength
expected = all_observers()["my_observer"].function(ObservedTask.of_experiment(task))
assert (expected.probability == 1).all()  # of one event
page = open("docs/howto/claim.md", encoding="utf-8").read()
exec(page.split("```python\\n")[1].split("```")[0])
imports.load(["examples/templates/rule.py"])
assert STUDIES["own"].configuration().when.rule.type == "my_rule"
from izhires import devices
assert devices.get("my_device").prepare(small.planned(small.configuration())[1]).run
"""


def test_every_template_is_tried():
    assert {path.stem for path in FOLDER.glob("*.py")} == {*NETWORK, *REST}


@pytest.mark.parametrize("name", sorted((*NETWORK, *REST)))
def test_a_template_says_how_it_is_used(name):
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    assert ast.get_docstring(tree).startswith("Template of a")


@pytest.mark.parametrize(("names", "script"), [(NETWORK, TOGETHER), (REST, APART)], ids=["network", "rest"])
def test_the_templates_work(names, script, builds):
    before = BEFORE.format(tests=str(ROOT / "tests"), folder=FOLDER.as_posix(), names=names)
    done = subprocess.run([sys.executable, "-c", before + script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
