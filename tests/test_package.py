import itertools
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import izhires
from izhires.running.processes import python

ROOT = Path(__file__).resolve().parents[1]
ROOMS = {"izhires": "izhires", "paradigms": "izhires.paradigms", "analysis": "izhires.analysis"}
"""Folder of the checkout -> the package it is imported as."""

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def run(*command, cwd, **options):
    return subprocess.run([str(each) for each in command], cwd=cwd, capture_output=True, text=True, **options)


def checked(*command, cwd, **options):
    done = run(*command, cwd=cwd, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def modules():
    """Path in the wheel of every module of the checkout."""
    for folder, package in ROOMS.items():
        for path in (ROOT / folder).rglob("*.py"):
            yield str(Path(*package.split(".")) / path.relative_to(ROOT / folder))


def test_every_package_is_named():
    found = {
        ".".join([package, *path.parent.relative_to(ROOT / folder).parts])
        for folder, package in ROOMS.items()
        for path in (ROOT / folder).rglob("__init__.py")
    }
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == sorted(found)
    # and no module lies in a folder that is no package
    assert {str(Path(each).parent).replace("/", ".") for each in modules()} == found


def requirements(texts):
    """Name and bounds of requirements, by name in lower case; those for some Pythons only left out."""
    return {
        name.lower(): bound
        for text in texts
        if ";" not in text
        for name, bound in [re.fullmatch(r"([A-Za-z0-9_-]+)(?:\[.*\])?(\S*)", text).groups()]
    }


def test_conda_and_pip_ask_for_the_same():
    """Of each package the same bound, and nothing besides but what pip cannot bring: compiler, make, pip itself."""
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    listed = text.partition("\ndependencies:\n")[2]
    conda = dict(re.findall(r"^  - ([A-Za-z0-9_-]+)((?:[<>=!]\S+)?)$", listed, flags=re.MULTILINE))
    wanted = requirements(PROJECT["project"]["dependencies"])
    wanted["python"] = PROJECT["project"]["requires-python"]
    assert len(wanted) > 10
    assert {name: conda.get(name, "absent").split(",")[0] for name in wanted} == wanted
    assert conda.keys() - wanted.keys() == {"pip", "cxx-compiler", "make"}
    # as far as any Python was tried
    newest = max(re.findall(r"Python :: 3\.(\d+)", "\n".join(PROJECT["project"]["classifiers"])), key=int)
    assert conda["python"].split(",")[1] == f"<3.{int(newest) + 1}"
    assert '      - "."\n' in text
    for line in text.splitlines():
        assert re.fullmatch(r"(name|channels|dependencies):.*|\s*(#.*|- .*)?", line), line


def test_every_bound_below_is_said():
    """So that the lowest versions can be tried: each requirement has a lower bound, or is pinned."""
    extras = PROJECT["project"]["optional-dependencies"]
    unbounded = {"izhires", "setuptools"}
    for name, bound in requirements([*PROJECT["project"]["dependencies"], *itertools.chain(*extras.values())]).items():
        assert name in unbounded or bound.startswith((">=", "==")), name


def test_what_the_extras_ask_for_the_tests_ask_for_too():
    """But for what is heavy, or fits some Pythons only, which the test of one Python installs."""
    extras = PROJECT["project"]["optional-dependencies"]
    tests = requirements(extras["test"])
    for extra in ("neo", "pynapple", "nwb", "dask", "sensitivity", "dynamics"):
        for name, bound in requirements(extras[extra]).items():
            assert tests.get(name) == bound, name
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "EXTRAS=,observers" in script and "EXTRAS=,test-cuda" in script


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_every_requirement_has_one_version_that_was_tested(python):
    """Of what .ci/constraints.txt fixes, within the bounds; on each Python."""
    place = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    fixed = {}
    for line in (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8").splitlines():
        each = Requirement(line)
        if each.marker is None or each.marker.evaluate(place):
            assert each.name not in fixed
            (only,) = each.specifier
            assert only.operator == "==" and not each.url
            fixed[canonicalize_name(each.name)] = only.version
    extras = PROJECT["project"]["optional-dependencies"]
    for text in (*PROJECT["project"]["dependencies"], *extras["test"], *extras["observers"], *extras["docs"]):
        each = Requirement(text)
        if each.marker is None or each.marker.evaluate(place):
            assert each.specifier.contains(fixed[canonicalize_name(each.name)], prereleases=True), text


def test_every_python_that_is_admitted_is_tested():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    tried = re.search(r'VERSIONS="([\d. ]+)"', script)[1].split()
    admitted = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["project"]["classifiers"]))
    assert sorted(tried) == sorted(admitted)
    assert PROJECT["project"]["requires-python"] == f">={min(tried, key=lambda each: int(each.split('.')[1]))}"


def test_a_bare_import_is_light():
    script = """
        import sys
        import izhires, izhires.errors, izhires.declare
        heavy = [name for name in ("brian2", "matplotlib", "xarray", "pandas", "scipy") if name in sys.modules]
        assert not heavy, heavy
    """
    checked(sys.executable, "-c", "\n".join(line.strip() for line in script.splitlines()), cwd=ROOT)


def test_every_public_name_is_there():
    import izhires

    for name in izhires.__all__:
        assert getattr(izhires, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'Modell'"):
        izhires.Modell  # noqa: B018


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built from a copy of the checkout, so that nothing built earlier slips in."""
    source = tmp_path_factory.mktemp("source")
    for name in (*ROOMS, "tests"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", PROJECT["project"]["readme"], *PROJECT["project"]["license-files"]):
        shutil.copy(ROOT / name, source / name)
    done = run(sys.executable, "-m", "build", "--wheel", "--outdir", source / "dist", cwd=source)
    skip_without_index(done)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = (source / "dist").glob("*.whl")
    return path


def skip_without_index(done):
    if done.returncode and "Failed to establish a new connection" in done.stdout + done.stderr:
        pytest.skip("no package index can be reached from here")


@pytest.mark.slow
def test_the_wheel_holds_the_three_rooms_and_no_more(wheel):
    version = PROJECT["project"]["version"]
    assert wheel.name == f"izhires-{version}-py3-none-any.whl"
    names = set(zipfile.ZipFile(wheel).namelist())
    code = {name for name in names if name.endswith(".py")}
    assert code == set(modules())
    templates = {f"izhires/devices/templates/{path.name}" for path in (ROOT / "izhires/devices/templates").iterdir()}
    assert len(templates) >= 2
    info = f"izhires-{version}.dist-info/"
    styles, page = ROOT / "analysis/figures/styles", ROOT / "analysis/report"
    looks = {f"izhires/analysis/figures/styles/{path.name}" for path in styles.iterdir()}
    parts = {
        f"izhires/analysis/report/{path.name}" for path in page.iterdir() if path.suffix in (".jinja", ".css", ".js")
    }
    assert len(looks) >= 4 and len(parts) == 3
    data = {"izhires/py.typed", "izhires/recordings/bibliography.bib", *templates, *looks, *parts}
    assert {name for name in names - code if not name.startswith(info)} == data
    assert info + "licenses/LICENSE" in names


@pytest.mark.slow
def test_the_wheel_runs_in_an_empty_environment(wheel, tmp_path):
    venv, elsewhere = tmp_path / "venv", tmp_path / "elsewhere"
    elsewhere.mkdir()
    checked(sys.executable, "-m", "venv", "--without-pip", venv, cwd=elsewhere)
    scripts = venv / ("Scripts" if sys.platform == "win32" else "bin")
    python = scripts / "python"
    # without compiling to bytecode, which would take longer than all else
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile"]
    done = run(*pip, "--disable-pip-version-check", wheel, cwd=elsewhere)
    skip_without_index(done)
    assert done.returncode == 0, done.stdout + done.stderr
    script = "import izhires, izhires.paradigms, izhires.analysis; print(izhires.__file__)"
    where = Path(checked(python, "-c", script, cwd=elsewhere).strip())
    assert venv in where.parents
    listed = checked(scripts / "izhires", "list", cwd=elsewhere)
    for name in ("meet", "cued_reaction", "sequence", "random", "three_factor", "RS"):
        assert re.search(rf"\b{name}\b", listed), listed
    # the same program and the same numbers as from the checkout: bit for bit
    task = 'paradigm.blocks=[{trials=2,latency={A="300 ms"},probability={A=1.0}}]'
    options = ["run", "meet", "--set", "reservoir=random", "--set", "reservoir.n=120", "--set", task, "--seeds", "3"]
    checked(scripts / "izhires", *options, "--out", "wheel", cwd=elsewhere)
    checked(sys.executable, "-m", "izhires", *options, "--out", "checkout", cwd=elsewhere)
    first, second = (izhires.load(elsewhere / each / "meet_seed3.nc") for each in ("wheel", "checkout"))
    assert first.equals(second)
    assert float(first.rate.mean()) > 1


def test_a_checkout_that_is_not_installed_runs(tmp_path):
    """Its three rooms lie side by side; the environment needs only what the package depends on."""
    checkout = tmp_path / "checkout"
    for room in ("izhires", "paradigms", "analysis"):
        shutil.copytree(ROOT / room, checkout / room, ignore=shutil.ignore_patterns("__pycache__"))
    script = (
        "import izhires, izhires.paradigms, izhires.analysis.metrics.base as base\n"
        "print(izhires.__file__, izhires.paradigms.__file__, len(base.all_metrics()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=checkout, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(checkout)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    package, paradigms, metrics = done.stdout.split()
    assert package.startswith(str(checkout))
    assert paradigms.startswith(str(checkout))
    assert int(metrics) > 5


def test_workers_and_generators_import_this_package_wherever_they_are_started(tmp_path, monkeypatch):
    """Also in a folder that holds an `izhires` of its own."""
    (tmp_path / "izhires").mkdir()
    (tmp_path / "izhires" / "__init__.py").write_text("raise SystemExit('the wrong one')\n")
    monkeypatch.chdir(tmp_path)
    command, environment = python("-c", "import izhires.paradigms; print(izhires.__file__)")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == izhires.__file__


def test_the_conda_recipe_asks_for_what_pip_does():
    text = (ROOT / "conda" / "meta.yaml").read_text(encoding="utf-8")
    listed = text.partition("  run:\n")[2].partition("\ntest:")[0]
    found = dict(re.findall(r"^    - ([a-z0-9-]+) ?((?:[<>=!]\S+)?)$", listed, flags=re.MULTILINE))
    found = {name.removesuffix("-base"): bound for name, bound in found.items()}  # what needs no window
    wanted = requirements(PROJECT["project"]["dependencies"])
    wanted["python"] = PROJECT["project"]["requires-python"]
    assert found == {**wanted, "cxx-compiler": "", "make": ""}
    assert f'{{% set version = "{PROJECT["project"]["version"]}" %}}' in text
    build = dict(re.findall(r"    - (setuptools) (\S+)", text))
    assert [f"{name}{bound}" for name, bound in build.items()] == PROJECT["build-system"]["requires"]


def test_the_citation_has_the_version():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {PROJECT['project']['version']}\n" in text
