"""What the doctor says of a machine, with tools hidden from it one by one."""

import importlib.util
import os
import re
import shutil
import sys
from importlib import metadata

import pytest
from terminal import izhires

from izhires import doctor
from izhires.devices import cpp, cuda
from izhires.errors import ConfigurationError, ToolchainError

REAL = metadata.version


@pytest.fixture(scope="module")
def healthy():
    """All findings on this machine, as the command prints them."""
    return izhires("doctor")


def parts(done):
    """Return mark and text of each line by its subject."""
    found = {}
    for line in done.stdout.splitlines()[:-1]:
        mark, subject, text = re.fullmatch(r"(works|lacks|note)  ?\s*([^:]+): (.+)", line).groups()
        assert subject not in found
        found[subject] = (mark, text)
    return found


def tools(folder, *names):
    """Return an environment with these tools and no others."""
    folder.mkdir()
    for name in names:
        (folder / name).symlink_to(shutil.which(name))
    return {"PATH": str(folder)}


def test_a_machine_with_all_that_is_needed(healthy):
    found = parts(healthy)
    assert {
        "python",
        "izhires",
        "brian2",
        "numpy",
        "make",
        "nvcc",
        "compiler",
        "cuRAND",
        "GPU",
        "cache",
    } <= found.keys()
    assert {f"device {name}" for name in ("cpp", "numpy", "cython", "cuda")} <= found.keys()
    if shutil.which("g++") is None or shutil.which("make") is None:
        pytest.skip("there is no compiler here")
    assert healthy.returncode == 0
    assert healthy.stdout.splitlines()[-1] == "all that is needed is here"
    for name in ("cpp", "numpy"):
        mark, text = found[f"device {name}"]
        assert mark == "works"
        assert re.fullmatch(r"a small network built in \S+ s, ran in \S+ s, \d+ spikes(; templates: own)?", text)
    assert "-O3" in found["compiler"][1]


def test_a_quick_look_tries_no_device(healthy):
    found, whole = parts(izhires("doctor", "--quick")), parts(healthy)
    assert found.keys() == {subject for subject in whole if not subject.startswith("device ")}
    assert all(found[subject] == whole[subject] for subject in found.keys() - {"cache"})


def test_nothing_but_python(tmp_path):
    """One line for each thing that is missing, with what to install; the numpy device still works."""
    done = izhires("doctor", environment={**tools(tmp_path / "bin"), "CXX": ""})
    assert done.returncode == 3
    found = parts(done)
    assert found["make"] == ("lacks", "not on the PATH; install make")
    assert found["nvcc"] == ("lacks", "not on the PATH; install the CUDA toolkit, for --device cuda only")
    assert found["compiler"] == ("lacks", "'g++' is not on the PATH; install a C++ compiler (g++)")
    assert found["device cpp"] == ("lacks", "'g++' is not on the PATH; install a C++ compiler (g++)")
    assert found["device numpy"][0] == "works"
    assert found["GPU"] == ("lacks", "none here; 'izhires export --device cuda' writes a project for one")
    assert done.stdout.splitlines()[-1] == "3 needed things are lacking, see above"


@pytest.mark.skipif(shutil.which("g++") is None, reason="there is no g++")
def test_without_make(tmp_path):
    done = izhires("doctor", environment={**tools(tmp_path / "bin", "g++"), "CXX": ""})
    assert done.returncode == 3
    found = parts(done)
    assert found["compiler"][0] == "works"
    assert found["device cpp"] == ("lacks", "'make' is not on the PATH; install make")
    assert done.stdout.splitlines()[-1] == "2 needed things are lacking, see above"


@pytest.fixture
def quick(monkeypatch):
    """All findings but those of the devices, which take seconds to try."""

    def look():
        monkeypatch.setattr(doctor, "_try", lambda name, plan, arrays: doctor.Finding(f"device {name}", True, ""))
        found = list(doctor.examine())
        assert all("\n" not in each.text for each in found)
        return {each.subject: each for each in found}

    return look


def test_a_compiler_that_does_not_answer(tmp_path, monkeypatch, quick):
    path = tmp_path / "cxx"
    path.write_text("#!/bin/sh\necho 'no licence' >&2\necho bye >&2\nexit 1\n")
    path.chmod(0o755)
    monkeypatch.setenv("CXX", str(path))
    assert quick()["compiler"] == doctor.Finding("compiler", False, f"{path} --version failed: bye", True)


def test_a_cache_that_cannot_be_written_to(tmp_path, monkeypatch, quick):
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    found = quick()["cache"]
    assert (found.works, found.needed) == (False, True)
    assert found.text.startswith(f"{tmp_path / 'file' / 'izhires' / 'builds'}: ")
    assert found.text.endswith("; set XDG_CACHE_HOME to a folder that can be written to")
    monkeypatch.undo()
    done = izhires("doctor", environment={"XDG_CACHE_HOME": str(tmp_path / "file")})
    assert done.returncode == 3
    assert "cannot build in the cache folder: " in parts(done)["device cpp"][1]


def test_the_size_of_the_cache_is_told(tmp_path, monkeypatch, quick):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "izhires" / "builds" / "abc"
    folder.mkdir(parents=True)
    (folder / "main").write_bytes(bytes(3_000_000))
    assert re.search(r": 1 builds, 3 MB, \d+ GB free$", quick()["cache"].text)


# CUDA


def versions(monkeypatch, **changed):
    """Let packages have other versions, or none."""

    def version(name):
        found = changed.get(name, "")
        if found is None:
            raise metadata.PackageNotFoundError(name)
        return found or REAL(name)

    monkeypatch.setattr(doctor, "version", version)
    monkeypatch.setattr(cuda, "version", version)
    there = importlib.util.find_spec
    absent = [name for name, found in changed.items() if found is None]
    present = [name for name, found in changed.items() if found]

    def find_spec(name, package=None):
        return None if name in absent else there("json") if name in present else there(name, package)

    monkeypatch.setattr("importlib.util.find_spec", find_spec)


def test_without_brian2cuda(monkeypatch, quick):
    versions(monkeypatch, brian2cuda=None)
    found = quick()
    assert found["brian2cuda"].text.endswith("for --device cuda only: pip install 'izhires[cuda]' on Python 3.12")
    assert not found["brian2cuda"].needed
    assert found["brian2 for brian2cuda"].text.startswith("the Python package 'brian2cuda' is not installed; ")


def test_brian2cuda_with_another_brian2(monkeypatch, quick):
    versions(monkeypatch, brian2cuda="1.0b1", brian2="2.11.0")
    found = quick()["brian2 for brian2cuda"]
    assert (found.works, found.needed) == (False, False)
    assert found.text == "brian2cuda 1.0b1 needs brian2 2.10.1, here is 2.11.0; pip install 'izhires[cuda]'"
    with pytest.raises(ToolchainError, match=r"needs brian2 2\.10\.1, here is 2\.11\.0"):
        cuda.CudaDevice().prepare(None)
    versions(monkeypatch, brian2cuda="1.0b1", brian2="2.10.1")
    assert quick()["brian2 for brian2cuda"].works


def test_a_package_that_is_not_there(monkeypatch, quick):
    versions(monkeypatch, netCDF4=None, brian2=None)
    found = quick()
    assert found["netCDF4"] == doctor.Finding("netCDF4", False, "not installed; pip install netCDF4", True)
    assert found["brian2"].needed


def test_an_older_brian2_than_python_could_have(monkeypatch, quick):
    monkeypatch.setattr(sys, "version_info", (3, 12, 0))
    versions(monkeypatch, brian2="2.1.0")
    found = quick()["versions"]
    assert found.works is None
    assert found.text == "brian2 2.1.0 here; 2.10 is the newest that was tried on this Python"
    versions(monkeypatch, brian2="2.10.3")
    assert "versions" not in quick()


def test_a_brian2_that_the_templates_are_not_tested_with(monkeypatch, quick):
    assert "templates" not in quick()
    for there in ("2.12.0", "2.8.0.4", "3.0"):
        monkeypatch.setattr(cpp, "version", lambda name, there=there: there if name == "brian2" else REAL(name))
        found = quick()["templates"]
        assert found.works is None
        assert found.text.startswith(
            f"brian2 {there} is not one that this package's templates are tested with (2.9 to "
        )
        assert found.text.endswith("; device cpp uses Brian2's own, which are several times slower")


def fake_smi(folder, text, code=0):
    folder.mkdir()
    path = folder / "nvidia-smi"
    path.write_text(f"#!/bin/sh\necho '{text}'\nexit {code}\n")
    path.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.skipif(os.name != "posix", reason="the stand-in is a shell script")
def test_a_gpu(tmp_path, monkeypatch, quick):
    monkeypatch.delenv("IZHIRES_CUDA_ARCHITECTURE", raising=False)
    monkeypatch.setenv("PATH", fake_smi(tmp_path / "one", "NVIDIA Toy, Limited 200, 9.0"))
    assert cuda.gpu() == ("NVIDIA Toy, Limited 200", "9.0")
    assert quick()["GPU"] == doctor.Finding("GPU", True, "NVIDIA Toy, Limited 200, compute capability 9.0")
    assert cuda.architecture() == "9.0"
    monkeypatch.setenv("IZHIRES_CUDA_ARCHITECTURE", "8.6")
    assert cuda.architecture() == "8.6"
    monkeypatch.setenv("IZHIRES_CUDA_ARCHITECTURE", "sm_86")
    with pytest.raises(ConfigurationError, match=r"IZHIRES_CUDA_ARCHITECTURE: 'sm_86' is not .*8\.0, 9\.0"):
        cuda.architecture()


@pytest.mark.skipif(os.name != "posix", reason="the stand-in is a shell script")
@pytest.mark.parametrize(
    ("text", "code"), [("NVIDIA-SMI has failed", 9), ("", 0), ("No devices were found", 0), ("A, [N/A]", 0)]
)
def test_a_driver_without_a_gpu(text, code, tmp_path, monkeypatch, quick):
    monkeypatch.delenv("IZHIRES_CUDA_ARCHITECTURE", raising=False)
    monkeypatch.setenv("PATH", fake_smi(tmp_path / "bin", text, code))
    assert cuda.gpu() is None
    assert quick()["GPU"].works is False
    assert cuda.architecture() == cuda.ARCHITECTURE


@pytest.mark.skipif(os.name != "posix", reason="the stand-in is a shell script")
def test_curand_is_found_beside_nvcc(tmp_path, monkeypatch, quick):
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path / "nowhere"))
    toolkit = tmp_path / "cuda"
    for path in ("bin/nvcc", "include/curand_kernel.h", "lib64/libcurand.so.10"):
        (toolkit / path).parent.mkdir(parents=True)
        (toolkit / path).touch(0o755)
    monkeypatch.setenv("PATH", f"{toolkit / 'bin'}:{os.environ['PATH']}")
    assert cuda.curand() == toolkit
    assert quick()["cuRAND"] == doctor.Finding("cuRAND", True, str(toolkit))
    (toolkit / "lib64" / "libcurand.so.10").unlink()
    if cuda.curand() is None:  # not in a usual place, either
        assert quick()["cuRAND"].text == "missing; install it with the CUDA toolkit, or: pip install nvidia-curand"
        assert cuda.CudaDevice.cannot_compile().startswith("cuRAND is missing beside nvcc; ")


def test_curand_of_pypi_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(cuda, "toolkit", lambda: tmp_path)
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    place = tmp_path / "nvidia" / "cu13"
    for path in ("include/curand.h", "include/curand_kernel.h", "lib/libcurand.so.10"):
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).touch()
    assert cuda.curand() == place
    # a folder of a machine is in its own Makefile, and in none that is taken away
    assert f"CURAND = {place}\n" in cuda.CudaDevice().makefile()
    assert str(tmp_path) not in cuda.CudaDevice().makefile(portable=True)


def test_a_device_that_breaks_is_told_of(monkeypatch):
    """What an installation raises whose parts do not fit is one line, too."""

    class Broken:
        quick = True

        def missing(self):
            return ""

        def prepare(self, plan):
            raise AttributeError("`ptp` was removed\nfrom the ndarray class")

    monkeypatch.setattr("izhires.devices.get", lambda name: Broken())
    found = doctor._try("cpp", None, None)
    assert found == doctor.Finding(
        "device cpp", False, "AttributeError: `ptp` was removed from the ndarray class", True
    )
