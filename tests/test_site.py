"""The site: its sources say what is so; it is built without a warning, and what it shows was run."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from izhires.errors import ConfigurationError
from izhires.model.configuration import Configuration
from izhires.sweeps.design import Spec

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([DOCS / "start.md", *(DOCS / "tutorials").glob("*.md"), *(DOCS / "howto").glob("*.md")])
NOTEBOOKS = ("first_model", "first_rule", "third_factors")
GALLERY = sorted((DOCS / "gallery").rglob("plot_*.py"))


def blocks(page, language):
    """Code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


TOML = [pytest.param(text, id=f"{page.stem}-{k}") for page in PAGES for k, text in enumerate(blocks(page, "toml"))]
WHERE = {"slurm": (Spec, {}), "plasticity": (Configuration, "connection"), "readouts": (Configuration, "own")}


@pytest.mark.parametrize("text", TOML)
def test_every_configuration_shown_can_be(text):
    data = tomllib.loads(text)
    if "slurm" in data:
        assert Spec.parse({"paradigm": "meet", **data}).slurm["jobs"]
        return
    if "plasticity" in data:  # an entry of a connection
        data = {"connections": {"forward": {"from": "cells", "to": "cells", "weight": "1 mV/ms", **data}}}
    if "my_" in text:  # a template's, see test_templates
        return
    try:
        Configuration.parse(data)
    except ConfigurationError as error:
        pytest.fail(str(error))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_shown_is_one(page):
    """Names of commands and their options, as their help has them."""
    from izhires.cli import __path__ as places

    known = {path.stem for path in Path(next(iter(places))).glob("*.py")}
    for text in [*blocks(page, "console"), *blocks(page, "bash")]:
        for line in text.replace("\\\n", " ").splitlines():
            if match := re.match(r"(?:\$ )?izhires (\S+)(.*)", line):
                command, rest = match.groups()
                assert command in known, line
                source = (Path(next(iter(places))) / f"{command}.py").read_text(encoding="utf-8")
                source += (ROOT / "izhires" / "cli" / "options.py").read_text(encoding="utf-8")
                source += "".join(path.read_text(encoding="utf-8") for path in (ROOT / "paradigms").glob("*.py"))
                for option in re.findall(r" (--[a-z-]+)", rest.partition("#")[0]):
                    name = option.removeprefix("--").replace("-", "_")
                    assert option == "--import" or f'"{option}"' in source or re.search(rf"\b{name}\b", source), line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_python_shown_compiles(page):
    for text in [*blocks(page, "python"), *blocks(page, "{code-cell} python")]:
        compile(text, str(page), "exec")
    for path in re.findall(r"`(examples/[\w./]+)`", page.read_text(encoding="utf-8")):
        assert (ROOT / path).exists(), path


def run(script, folder, cache):
    """Run a script as a user would, in a folder of its own, with the builds of all tests."""
    environment = {**os.environ, "MPLBACKEND": "agg", "XDG_CACHE_HOME": str(cache.parents[1])}
    done = subprocess.run([sys.executable, script], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{script}\n{done.stdout[-1000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("script", GALLERY, ids=lambda path: path.stem.removeprefix("plot_"))
def test_the_gallery_runs(script, tmp_path, builds):
    copied = tmp_path / script.name
    # that it makes figures is told by a line at its end
    further = "\nimport matplotlib.pyplot\nprint('FIGURES', matplotlib.pyplot.get_fignums())\n"
    copied.write_text(script.read_text(encoding="utf-8") + further, encoding="utf-8")
    assert not run(copied, script.parent, builds).rstrip().endswith("FIGURES []")


@pytest.mark.slow
def test_the_notebooks_run(tmp_path, builds):
    """Their cells, as one script each."""
    for name in NOTEBOOKS:
        cells = blocks(DOCS / "tutorials" / f"{name}.md", "{code-cell} python")
        assert len(cells) >= 4
        (tmp_path / f"{name}.py").write_text("\n\n".join(cells), encoding="utf-8")
        run(tmp_path / f"{name}.py", tmp_path, builds)


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path):
    """All of it but for what simulates, which the tests above run."""
    pytest.importorskip("sphinx_gallery", reason="needs pip install '.[docs]'")
    source = tmp_path / "docs"
    ignored = shutil.ignore_patterns("_build", "auto_gallery", "reference", "__pycache__")
    shutil.copytree(DOCS, source, ignore=ignored)
    for name in ("CHANGELOG.md", "examples", "CONTRIBUTING.md"):
        here = ROOT / name
        (shutil.copytree if here.is_dir() else shutil.copy)(here, tmp_path / name)
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", str(source), str(tmp_path / "site")]
    done = subprocess.run(command, env={**os.environ, "IZHIRES_DOCS": "quick"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    site = tmp_path / "site"
    parameters = (site / "reference" / "parameters.html").read_text(encoding="utf-8")
    components = (site / "reference" / "components.html").read_text(encoding="utf-8")
    # in a process of its own, since this one knows the components of other tests, too
    code = """
import json
from izhires.cli.list import owners, tables
symbols = {place: [row["name"] for row in owner.symbols()] for place, owner in owners().items()}
print(json.dumps([symbols, [name for entries in tables().values() for name in entries]]))
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    symbols, names = json.loads(said)
    assert len(symbols) > 20 and len(names) > 100
    for place, own in symbols.items():
        for name in own:
            assert f">{name}</span>" in parameters, (place, name)
    for name in names:
        assert f">{name}</span>" in components or name.replace(" ", '</span> <span class="pre">') in components, name
    assert broken_links(site) == []


def broken_links(site):
    """Links of the pages to pages and places that there are not."""
    places = {}
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        places[page.resolve()] = set(re.findall(r'\bid="([^"]+)"', text))
    wrong = []
    for page in places:
        for link in re.findall(r'href="([^"]+)"', page.read_text(encoding="utf-8")):
            target, _, place = link.partition("#")
            if "://" in link or link.startswith(("mailto:", "data:")) or "_static" in target:
                continue
            path = (page.parent / target).resolve() if target else page
            if not path.exists() or (place and path in places and place not in places[path]):
                wrong.append(f"{page.relative_to(site)}: {link}")
    return wrong
