"""Devices as entries of one registry: what each can do is declared, and everything that lists or refuses reads it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields

import pytest
import small

from izhires import devices, imports, run_batch
from izhires.devices.base import Abilities
from izhires.errors import ConfigurationError
from izhires.running.export import export
from izhires.running.run import draw, simulate_together
from izhires.sweeps.design import Spec, read

SCRIPT = '''
from typing import ClassVar
from izhires.devices.base import Abilities
from izhires.devices.numpy import NumpyDevice

class Lab(NumpyDevice):
    """The numpy device under another name."""
    name: ClassVar[str] = "lab"
    summary: ClassVar[str] = "a device of a laboratory"
    abilities: ClassVar[Abilities] = Abilities(guard=True)

    def prepare(self, plan):
        program = super().prepare(plan)
        program.target = "numpy"
        return program
'''

SMALL = small.configuration()


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "lab.py"
    path.write_text(SCRIPT)
    return path


@pytest.fixture
def lab(script):
    """The device of the script, known in this process."""
    imports.load([str(script)])
    return devices.all_devices()["lab"]


def izhires_(*arguments):
    command = [sys.executable, "-m", "izhires", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_every_device_is_an_entry_with_its_abilities():
    found = devices.all_devices()
    assert list(found) == ["cpp", "plain", "cuda", "cython", "numpy"]
    for name, each in found.items():
        assert type(devices.get(name)) is each
        assert (each.name, bool(each.summary), type(each.abilities)) == (name, True, Abilities)
    assert devices.DEFAULT in found
    assert found[devices.FALLBACK].missing() == ""
    assert all(devices.able(each.name) for each in fields(Abilities))


@pytest.mark.parametrize("device", devices.all_devices())
def test_a_sweep_takes_every_device(device, tmp_path):
    assert Spec(base=SMALL.to_dict(), device=device).device == device
    path = tmp_path / "sweep.toml"
    path.write_text(f'paradigm = "meet"\ndevice = "{device}"\n')
    assert read(path).device == device


def test_a_sweep_refuses_what_is_no_device(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text('device = "plian"\n')
    with pytest.raises(
        ConfigurationError, match=r"device: there is no device 'plian', did you mean 'plain'\? \(valid: cpp"
    ):
        read(path)


def test_a_device_of_ones_own_is_listed_and_runs(script, tmp_path):
    (tmp_path / "small.toml").write_text(SMALL.to_toml())
    listed = izhires_("list", "devices", "--import", script).stdout.splitlines()
    assert listed[-1].split() == ["lab", "a", "device", "of", "a", "laboratory;", "can:", "guard"]
    assert "lab " not in izhires_("list", "devices").stdout
    arguments = ["--import", script, "--config", tmp_path / "small.toml", "--device", "lab", "--seeds", "0:2"]
    done = izhires_("run", "meet", *arguments, "--processes", "2", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out").glob("*.nc"))) == 2


def test_what_a_device_cannot_do_is_refused_by_its_abilities(lab, tmp_path):
    cannot = r"the device 'lab' cannot {} \(valid: {}\)$"
    several = cannot.format("run several networks side by side as one", "cpp, plain, cuda, cython, numpy")
    with pytest.raises(ConfigurationError, match=f"^--replicates: {several}"):
        run_batch(SMALL, [0, 1], tmp_path / "out", "lab", replicates=2)
    assert not (tmp_path / "out").exists()
    with pytest.raises(ConfigurationError, match=several):
        simulate_together([draw(SMALL, 0), draw(SMALL, 1)], "lab")
    with pytest.raises(ConfigurationError, match=cannot.format("write a project", "cpp, plain, cuda")):
        export(SMALL, 0, "", "lab", tmp_path / "project")
    assert Spec(base=SMALL.to_dict(), device="lab").device == "lab"


@pytest.mark.parametrize("device", ["cpp", "plain", "numpy"])
def test_what_is_declared_is_so(device):
    """Templates, memory and profile of a program are those of the abilities."""
    _, plan, arrays = small.planned(SMALL)
    program = devices.get(device).prepare(plan)
    program.run(arrays)
    able = devices.get(device).abilities
    assert (program.templates == "own") == able.own_templates
    assert ("peak_bytes" in program.measured) == able.memory


def test_a_profile_needs_the_ability():
    done = izhires_("profile", "meet", "--device", "cuda")
    assert done.returncode == 2
    assert "the device 'cuda' cannot tell where the time of a run goes (valid: cpp, plain)" in done.stderr
