"""Components of one's own from scripts and modules: in every command, in workers, in the recording, never unasked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pytest
import small

import izhires
from izhires import imports
from izhires.declare import parameter
from izhires.errors import ConfigurationError
from izhires.model.configuration import read

SCRIPT = '''
from typing import ClassVar, Literal
from izhires import Rule
from izhires.cells.base import CURRENTS, TRACE, Tabled, published
from izhires.declare import Drive, Milliseconds, parameter
from izhires.building.parts import Monitor
from izhires.plasticity.base import Plasticity
from izhires.readouts.trial import Trial

class Halving(Rule):
    """Two-factor rule whose rate is a half."""
    type: Literal["halving"] = "halving"
    schedule: ClassVar[str] = "trial"
    equations: ClassVar[str] = "step : second**2"
    channel_update: ClassVar[str] = "step = 0.5*learning*error/(power + 1*Hz**2)"
    weight_update: ClassVar[str] = "w += step_post*x_pre"
    source: ClassVar[str] = "a test"

class Watchful(Trial):
    """A readout that is read once a trial, and whose rate of learning is recorded, too."""
    type: Literal["watchful"] = "watchful"
    def parts(self, draft, name):
        super().parts(draft, name)
        draft.add(Monitor(f"{name}_steps", name, ("step",), every=draft.snapshot, after=True))

class Leaky(Tabled):
    """Leaky integrate-and-fire, dv/dt = (-65 mV - v)/tau + I."""
    type: Literal["leaky"] = "leaky"
    units: ClassVar[dict[str, str]] = {"tau": "ms"}
    table: ClassVar[dict] = published("a test", E=("excitatory", True, {"tau": 20.0}))
    composition: dict[str, float] = parameter({"E": 1.0}, "share of each cell type")
    equations: str = "dv/dt = (-65*mV - v)/tau + I + noise*xi : volt" + CURRENTS + "tau : second (constant)"
    threshold: str = "v >= -50*mV"
    reset: str = "v = -65*mV\\n" + TRACE

class Growing(Plasticity):
    """Every spike of the target adds a little, as much as there is of the third factor and of what arrived."""
    type: Literal["growing"] = "growing"
    more: Drive = parameter("0.002 mV/ms", "what one spike adds at most")
    before: ClassVar[dict[str, str]] = {"x": "tau_x"}
    on_post: ClassVar[str] = "w = clip(w + learning*more*(x*dopamine + 0.01*x), 0*volt/second, 9*volt/second)"
    source: ClassVar[str] = "a test"
    tau_x: Milliseconds = parameter("20 ms", "decay of the trace")
    def factors(self):
        return {"dopamine": "dopamine"}
'''

AREAS = """
[readouts.third]
type = "watchful"
rule = "halving"

[populations.sensory]
n = 40
cell = "leaky"
cue_share = 1.0
noise = "0 mV/sqrt(ms)"

[neuromodulators.dopamine]
release = "0.5*at_event"

[connections.forward]
from = "sensory"
to = "cells"
wiring = { degree = 5 }
weight = "1 mV/ms"
plasticity = "growing"
learns = "learn(t)"
"""

EXTENSION = Path(__file__).with_name("extension_counter.py").read_text()


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "lab rules.py"
    path.write_text(SCRIPT)
    return path


def izhires_(*arguments, cwd=None):
    command = [sys.executable, "-m", "izhires", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd)


@pytest.mark.slow
def test_a_script_brings_a_rule_a_readout_and_an_extension_into_every_command(script, tmp_path):
    """One configuration file says all: imported in the command, in its workers, and by the generator."""
    (tmp_path / "more.py").write_text(EXTENSION)
    changes = {
        "keep__record": [
            {"of": "cells", "variable": "v", "elements": [3], "every": "1 ms"},
            {"of": "counter", "variable": "n", "elements": [0], "every": "100 ms"},
        ],
        "extend": f"{tmp_path}/more.py:count",
    }
    made = small.configuration(**changes)
    text = made.to_toml().replace("extend", f'import = ["{script.name}"]\nextend', 1)
    for table in ("readouts", "populations", "connections", "neuromodulators"):
        text = text.replace(f"[{table}]\n", "")
    text += AREAS
    (tmp_path / "lab.toml").write_text(text)
    arguments = ["--config", tmp_path / "lab.toml", "--seeds", "0:2", "--processes", "2", "--out", tmp_path / "out"]
    spikes = []
    for device in ("cpp", "numpy"):
        done = izhires_("run", "meet", *arguments, "--device", device, "--again")
        assert done.returncode == 0, done.stderr
        recording = izhires.load(tmp_path / "out" / "meet_seed1.nc")
        assert recording["third"].dims == ("probe", "event")
        assert abs(recording["third"]).max() > 0.1
        assert recording["cells_v"].attrs["units"] == "V"
        assert recording["counter_n"].values[-1, 0] > 100
        assert recording["sensory_cell_type"].values.tolist() == ["E"] * 40
        first, last = recording["forward_weight"].values
        assert (last >= first).all()
        assert last.sum() > first.sum()
        assert recording["dopamine_level"].max() > 0.1
        # later, what rounding left may have grown
        times = (recording["spike_time"].values, recording["sensory_spike_time"].values)
        spikes.append([each[each < 1] for each in times])
        found = json.loads(recording.attrs["imports"])
        assert found.keys() == {str(script), str(tmp_path / "more.py")}
        assert all(len(each) == 16 for each in found.values())
    for one, other in zip(*spikes, strict=True):
        assert one.size > 100
        assert np.array_equal(one, other)
    # what is imported is known in listings, and only there where it is asked for
    assert "halving" in izhires_("--import", script, "list", "rules").stdout
    assert "watchful" in izhires_("list", "readouts", f"--import={script}").stdout
    assert "halving" not in izhires_("list", "rules").stdout
    # a recording that names a script has nothing imported
    done = izhires_("analyse", tmp_path / "out")
    assert "Traceback" not in done.stderr
    assert "halving" not in izhires_("list", "rules", cwd=tmp_path / "out").stdout


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("absent.py", None, "import .*absent.py: there is no such file"),
        ("broken.py", "1 +", "import .*broken.py: cannot be imported: SyntaxError"),
        ("failing.py", "1/0", "import .*failing.py: cannot be imported: ZeroDivisionError: division by zero"),
        ("no.such.module", None, "import: there is no module 'no.such.module'"),
    ],
)
def test_what_cannot_be_imported(name, content, said, tmp_path):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(ConfigurationError, match=said):
        imports.load([name], beside=tmp_path)
    done = izhires_("list", "rules", "--import", tmp_path / name if name.endswith(".py") else name)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_import_in_a_file_is_a_list(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text('import = "my.py"\n')
    with pytest.raises(ConfigurationError, match=r'import: must be a list, as import = \["my.py"\]'):
        read(path)
    path.write_text("import = [3]\n")
    with pytest.raises(ConfigurationError, match=r"3 is neither a path that ends in .py nor the name of a module"):
        read(path)
    done = izhires_("list", "--import")
    assert done.returncode == 2
    assert done.stderr == "izhires: --import: name a file that ends in .py, or a module\n"


def test_a_script_is_imported_once(tmp_path):
    path = tmp_path / "counted.py"
    path.write_text(f"with open({str(tmp_path / 'log')!r}, 'a') as log: log.write('x')\n")
    imports.load([str(path), "counted.py"], beside=tmp_path)
    assert (tmp_path / "log").read_text() == "x"
    assert imports.loaded()[str(path)]


RULE = """
    type: Literal["{name}"] = "{name}"
    schedule = "step"
    channel_update = "step = 0.0001*gate*error"
    weight_update = "w += step_post*s_pre"
"""


@pytest.mark.parametrize(
    ("base", "change", "said"),
    [
        ("Rule", 'chanel_update = "step = 1"', "unknown attribute 'chanel_update', did you mean 'channel_update'?"),
        ("Rule", 'activ: ClassVar[str] = "step > 0"', "did you mean 'active'?"),
        ("Rule", 'schedule = "sometimes"', "schedule: 'sometimes' is not a choice (valid: 'step', 'trial')"),
        ("Rule", 'channel_update = "stop = 1"', "channel_update: never sets 'step'"),
        ("Rule", 'initial = {"stepp": 0.5}', "initial: there is no variable 'stepp', did you mean 'step'?"),
        ("Rule", "gain = 3.0", "`gain` is not meant to be a field"),
        ("Plasticity", 'on_pots = "w += 1"', "did you mean 'on_post'?"),
        ("Plasticity", "def bound(self): return 0.0, 1.0", "did you mean 'bounds'?"),
        ("Plasticity", 'equations = "rho : 1"\n    initial = {"rhoo": 0.5}', "did you mean 'rho'?"),
        ("Plasticity", 'update = "w += 1"', "declare a parameter 'interval'"),
        ("Rule", "error: float = 1.0", "Mine.error: is a name that is taken"),
        ("Rule", 'equations = "step : 1\\nfloor : 1"', "Mine.floor: is a name that is taken"),
        ("Rule", 'equations = "step : 1\\nc_post : 1"', "Mine.c_post: is a name that is taken"),
        ("Plasticity", "w: float = 1.0", "Mine.w: is a name that is taken"),
        ("Gate", 'source = "a test"', "has no 'expression', which every gate needs"),
    ],
)
def test_a_class_says_at_once_what_is_wrong_with_it(base, change, said, tmp_path):
    script = tmp_path / "own.py"
    head = f"from typing import ClassVar, Literal\nfrom izhires import {base}\n"
    if base == "Rule":
        head += f"class Mended(Rule):\n    'Right.'{RULE.format(name=f'mended_{tmp_path.name}')}"
        base = "Mended"
    script.write_text(f"{head}class Mine({base}):\n    'Wrong.'\n    type: Literal['mine'] = 'mine'\n    {change}\n")
    with pytest.raises(ConfigurationError) as error:
        imports.load([str(script)])
    assert said in str(error.value) and "\n" not in str(error.value)


def test_helpers_and_constants_of_a_class_are_its_own(tmp_path):
    class Helped(izhires.Rule):
        """A rule with more than texts."""

        type: Literal["helped"] = "helped"
        initial_rate: float = parameter(0.1, "a parameter whose name begins like an attribute")
        largest: ClassVar[float] = 3.0
        schedule = "step"
        channel_update = "step = gate*error"
        channel_updates: ClassVar[tuple[str, ...]] = (channel_update,)
        weight_update = "w += step_post*s_pre"

        def halved(self) -> float:
            return self.largest / 2

    assert Helped().halved() == 1.5


def test_a_script_imports_what_lies_beside_it_and_both_are_recorded(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", sys.path[:])
    head = 'from typing import Literal\nfrom izhires import Rule\nclass Neighbour(Rule):\n    """Mine."""\n'
    (tmp_path / "beside_rules.py").write_text(head + RULE.format(name="neighbour"))
    script = tmp_path / "beside_claim.py"
    script.write_text("from beside_rules import Neighbour\n")
    imports.load([str(script)])
    known = izhires.Rule.alternatives()["neighbour"]
    found = imports.used([known])
    assert {Path(each).name for each in found} >= {"beside_rules.py", "beside_claim.py"} and all(found.values())
    with pytest.raises(ConfigurationError, match=r"did you mean 'beside_rulez.py'\?"):
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "beside_rulez.py").write_text("")
        imports.load(["beside_rulez"], beside=tmp_path / "elsewhere")


@pytest.mark.slow
def test_a_recording_says_of_a_class_defined_in_python_where_and_another_is_not_kept(tmp_path):
    script = tmp_path / "mine.py"
    tests = Path(__file__).parent
    text = (
        "import json, sys\nfrom typing import Literal\nfrom izhires import Rule, load, run_batch\n"
        f"sys.path.insert(0, {str(tests)!r})\nimport small\n"
        f"class Mine(Rule):\n    'Mine.'{RULE.format(name='defined_in_python')}\n"
        "if __name__ == '__main__':\n"
        "    configuration = small.configuration(when='defined_in_python')\n"
        f"    run_batch(configuration, [0, 1], {str(tmp_path / 'out')!r}, device='numpy', processes=2)\n"
        f"    print(load({str(tmp_path / 'out' / 'meet_seed1.nc')!r}).attrs['imports'])\n"
    )
    found = []
    for remark in ("", "# changed\n"):
        script.write_text(text + remark)
        done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout))
    assert [list(each) for each in found] == [[str(script.resolve())]] * 2
    assert found[0] != found[1]
