"""The reference pages, made of the code when the site is built; nothing of them is typed or kept.

python docs/reference_pages.py FOLDER     # the pages alone, to look at
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from pathlib import Path
from typing import Any

HIDDEN = [
    "izhires.cli", "izhires.__main__",  # a page of its own
    "izhires.devices.generate", "izhires.devices.generate_cpp", "izhires.devices.generate_cuda",  # programs
    *(f"izhires.{each}" for each in ("izhires", "tests", "docs", "examples", "benchmarks")),  # of a checkout's root
]  # fmt: skip
"""What the reference of modules does not tell of."""

KINDS = {
    "paradigms": "paradigm", "circuits": "reservoir", "readouts": "readout", "predictions": "prediction",
    "rules": "rule", "gates": "gate", "cell models": "cell model", "wirings": "wiring", "plasticity": "plasticity",
    "neuromodulators": "neuromodulator",
}  # fmt: skip
"""What `izhires list` calls a kind, and before the colon in `izhires list parameters`."""


def write(folder: Path) -> None:
    """Write every page that differs from what is there, so that Sphinx reads no page twice."""
    pages = {"index.md": index(), "components.md": components(), "parameters.md": parameter_page()}
    pages |= {"names.md": names(), "commands.md": commands(), "errors.md": errors(), "modules.md": modules_page()}
    pages |= {f"modules/{name}.md": module_page(name) for name in modules()}
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for path in folder.rglob("*.md"):
        if path.relative_to(folder).as_posix() not in pages:
            path.unlink()


def cell(text: object) -> str:
    """Return text that may stand in a cell of a table in Markdown, its ``code`` as code."""
    parts = re.split(r"``(.+?)``|`([^`]+)`", " ".join(str(text).split()))
    plain = [re.sub(r"([\\|`*_<>\[\]$~])", r"\\\1", each) for each in parts[::3]]
    quoted = [code(one or other) for one, other in zip(parts[1::3], parts[2::3], strict=True)]
    return "".join(each + quote for each, quote in zip(plain, [*quoted, ""], strict=True))


def code(text: object) -> str:
    """Return text as code that may stand in a cell of a table in Markdown."""
    plain = " ".join(str(text).split()).replace("|", "\\|")
    return f"`{plain}`" if plain else ""


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def summary(thing: object) -> str:
    """Return the first paragraph of a docstring, which may be of two lines."""
    return " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())


def index() -> str:
    """Return the page of the reference, with what the package itself exports."""
    import izhires

    rows = []
    for name in sorted(izhires.__all__):
        thing = getattr(izhires, name)
        rows.append([f"[{name}](modules/{thing.__module__}.md)", cell(summary(thing))])
    toc = "components\nparameters\nnames\n../recording\ncommands\nerrors\nmodules"
    return f"""# Reference

Made from the code at the time this site was built, for version {_version()}.

- [Components](components.md): everything that can be chosen, as `izhires list` prints it.
- [Parameters](parameters.md): every parameter with its unit, default, source and symbol.
- [Names in equations](names.md): what rules, gates, plasticity and neuromodulators may read.
- [What a recording holds](../recording.md): variables, attributes, checksum.
- [The command line](commands.md), from its own help.
- [Errors and exit codes](errors.md).
- [Modules](modules.md): every public object.

## What `import izhires` gives

{table(["name", "what it is"], rows)}

```{{toctree}}
:hidden:
:maxdepth: 2

{toc}
```
"""


def _version() -> str:
    from importlib.metadata import version

    return version("izhires")


def components() -> str:
    """Return the page of everything that can be chosen."""
    from izhires.cli.list import tables

    known = parameter_tables()
    text = [
        "# Components",
        "Everything that can be chosen, by the name that a configuration or a command takes. `izhires list KIND` prints"
        " the same, with the components of your own scripts (`--import`) among them.",
    ]
    for title, entries in tables().items():
        rows = []
        for name, line in entries.items():
            place = f"{KINDS.get(title, title)} {name}"
            shown = f"[`{name}`](parameters.md#{anchor(place)})" if place in known else f"`{name}`"
            rows.append([shown, cell(line)])
        text += [f"## {title[0].upper()}{title[1:]}", table(["name", "what it is"], rows)]
    return "\n\n".join(text) + "\n"


def anchor(heading: str) -> str:
    """Return the anchor of a heading, as MyST makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def parameter_tables() -> dict[str, list[dict[str, str]]]:
    """Return the rows of every declaration by its place, as `izhires list parameters` reads them."""
    from izhires.cli.list import owners

    return {place or "model": owner.symbols() for place, owner in owners().items() if owner.symbols()}


def parameter_page() -> str:
    """Return the page of every parameter."""
    text = [
        "# Parameters",
        "Every parameter of every declaration. `assumed`: no publication gives the value, it was chosen in this project"
        " ([what that means](../science.md)). The same as text: `izhires list parameters`.",
    ]
    for place, rows in parameter_tables().items():
        text += [f"## {place}", table(
            ["parameter", "meaning", "unit", "default", "source", "symbol"],
            [[code(row["name"]), cell(row["meaning"]), cell(row["unit"]), default(row["default"]), cell(row["source"]),
              cell(row["symbol"]) if row["symbol"] != row["name"] else ""] for row in rows],
        )]  # fmt: skip
    return "\n\n".join(text) + "\n"


def default(text: str) -> str:
    """Return a default as far as it fits into a table."""
    text = " ".join(text.split())
    return code(text if len(text) <= 80 else f"{text[:77]}...") if text else "(empty)"


def names() -> str:
    """Return the page of what equations may read: the docstrings that state it."""
    parts = [
        ("Rules", "izhires.rules.base", ""),
        ("Gates", "", "izhires.gates.base.Gate"),
        ("Plastic synapses", "izhires.plasticity.base", ""),
        ("Neuromodulators", "izhires.neuromodulators.base", ""),
        ("Predictions", "izhires.predictions.base", ""),
    ]
    text = ["# Names in equations", "What the Brian2 texts of a component of one's own may read, and what it declares."]
    for title, module, cls in parts:
        what = (
            f".. automodule:: {module}\n   :no-index:\n   :no-members:"
            if module
            else (f".. autoclass:: {cls}\n   :no-index:\n   :no-members:")
        )
        text += [f"## {title}", f"```{{eval-rst}}\n{what}\n```"]
    return "\n\n".join(text) + "\n"


def commands() -> str:
    """Return the page of the command line: the help of every command, as it prints it."""
    import os

    from izhires import cli

    os.environ["COLUMNS"] = "78"
    import typer
    from typer.testing import CliRunner

    app = typer.Typer(name="izhires", add_completion=False)
    app.callback()(cli._options)
    found = {}
    for module in pkgutil.iter_modules(cli.__path__):
        command = importlib.import_module(f"izhires.cli.{module.name}")
        if hasattr(command, "COMMAND"):
            settings = {"help": cli.help_of(command.command), "epilog": cli.OWN, **getattr(command, "SETTINGS", {})}
            app.command(command.COMMAND, **settings)(command.command)
            found[command.COMMAND] = command.command
    text = ["# The command line", "`izhires COMMAND --help` prints what stands here."]
    text.append(table(["command", "what it does"], [
        [f"[`{name}`](#izhires-{name})", cell(summary(each))] for name, each in found.items()]))  # fmt: skip
    text.append("Every command takes `--import FILE.py` or `--import MODULE`, repeatable: components of your own."
                " Exit codes: [errors](errors.md).")  # fmt: skip
    for name in found:
        said = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "78", "NO_COLOR": "1", "TERM": "dumb"})
        shown = "\n".join(line.rstrip() for line in said.output.strip("\n").splitlines())
        text += [f"## izhires {name}", f"```text\n{shown}\n```"]
    return "\n\n".join(text) + "\n"


def errors() -> str:
    """Return the page of errors and exit codes."""
    from izhires import cli
    from izhires import errors as family

    known = [each for each in vars(family).values() if inspect.isclass(each) and each.__module__ == family.__name__]
    ours = [each for each in known if issubclass(each, family.IzhiresError)]
    warned = [f"`{each.__name__}`, {cell(summary(each)).rstrip('.')}" for each in known if issubclass(each, Warning)]
    rows = [[f"[`{each.__name__}`](modules/izhires.errors.md)", str(each.exit_code), cell(summary(each))]
            for each in ours if each is not family.IzhiresError]  # fmt: skip
    codes = " ".join((inspect.getdoc(cli) or "").partition("Exit codes:")[2].split())
    return f"""# Errors and exit codes

What is raised on purpose derives from [`IzhiresError`](modules/izhires.errors.md), and says in one line what was wrong,
where, and what would be valid. On the command line that line is all that is printed, and the exit code is that of the
error: {cell(codes)}

{table(["error", "exit code", "when"], rows)}

Warnings: {"; ".join(warned)}.

In a script:

```python
import izhires

try:
    recording = izhires.simulate(izhires.Configuration(reservoir={{"n": 10}}), seed=0)
except izhires.IzhiresError as error:
    for complaint in error.complaints:
        print(complaint.place, complaint.problem, complaint.choices)
```
"""


def modules() -> list[str]:
    """Return the name of every public module, but for those of the command line."""
    found = ["izhires"]
    for package in found:  # grows while it is read
        for each in pkgutil.iter_modules(getattr(importlib.import_module(package), "__path__", [])):
            name = f"{package}.{each.name}"
            # a checkout that is not installed shows all of its folders beside the rooms
            if name not in HIDDEN and not each.name.startswith("_") and name not in found:
                found.append(name)
    return sorted(found)


def modules_page() -> str:
    """Return the list of all modules, by package."""
    text = ["# Modules", "Every public object, from its docstring. Data flows from the paradigm to the figure"
            " ([how it is built](../architecture.md)).", ""]  # fmt: skip
    known = modules()
    packages: dict[str, list[str]] = {}
    for name in known:
        module = importlib.import_module(name)
        packages.setdefault(name if hasattr(module, "__path__") else name.rpartition(".")[0], []).append(name)
    for package, several in packages.items():
        rows = [[f"[{name}](modules/{name}.md)", cell(summary(importlib.import_module(name)))] for name in several]
        text += [f"## {package}", table(["module", "what it holds"], rows)]
    toc = "\n".join(f"{name} <modules/{name}>" for name in known)
    text.append(f"```{{toctree}}\n:hidden:\n:maxdepth: 1\n\n{toc}\n```")
    return "\n\n".join(text) + "\n"


def module_page(name: str) -> str:
    """Return the page of one module."""
    members = "" if name in ("izhires", "izhires.analysis", "izhires.paradigms") else "\n   :members:"
    return f"# {name}\n\n```{{eval-rst}}\n.. automodule:: {name}{members}\n```\n"


# what Sphinx asks while it reads docstrings


def _declaration(thing: object) -> Any:
    from izhires.declare import Declaration

    return thing if inspect.isclass(thing) and issubclass(thing, Declaration) else None


def signature(app, what, name, obj, options, text, returns):
    """A declaration takes its parameters by name; they stand in a table below, not in its signature."""
    if what == "class" and _declaration(obj):
        return "(**parameters)", ""
    return None


def bases(app, name, obj, options, found):
    """Name those bases alone that this package has."""
    found[:] = [each for each in found if getattr(each, "__module__", "").startswith("izhires")] or [object]


def skip(app, what, name, obj, skipped, options):
    """Leave out what pydantic adds."""
    if name in ("model_config", "model_fields", "model_computed_fields", "model_post_init"):
        return True
    return None


def tidy(app, what, name, obj, options, lines):
    """Turn tables in Markdown into those that Sphinx reads, and let a bar, as in ``|x|``, be no markup."""
    made: list[str] = []
    literal = None  # how far a block of code is indented
    for line in lines:
        if not re.match(r"\|.*\|$", line):
            indent = len(line) - len(line.lstrip())
            if literal is not None and line.strip() and indent <= literal:
                literal = None
            parts = re.split(r"(``.*?``)", line) if literal is None else [line]
            made.append("".join(each if each.startswith("``") or literal is not None else each.replace("|", r"\|")
                                for each in parts))  # fmt: skip
            if literal is None and line.endswith("::"):
                literal = indent
        elif not re.match(r"\|[-|]+\|$", line):
            first = not made or not made[-1].startswith("   ")
            if first:
                made += ["", ".. list-table::", "   :header-rows: 1", ""]
            texts = [re.sub(r"`([^`]+)`", r"``\1``", each.strip()) for each in line.strip("|").split(" | ")]
            made += [f"   {'* -' if number == 0 else '  -'} {each}" for number, each in enumerate(texts)]
    lines[:] = made


def parameters(app, what, name, obj, options, lines):
    """Add the table of its parameters to the text of a declaration."""
    declared = _declaration(obj) if what == "class" else None
    rows = declared.symbols() if declared and not inspect.isabstract(declared) else []
    if not rows:
        return
    lines += ["", ".. list-table:: Parameters", "   :header-rows: 1", "   :widths: 18 30 12 20 20", ""]
    head = {each: each for each in ("name", "meaning", "unit", "default", "source")}
    for row in [head, *rows]:
        for number, key in enumerate(head):
            text = " ".join(str(row[key]).split())
            if key in ("name", "default") and row is not head:
                text = f"``{text[:57] + '...' if len(text) > 60 else text}``" if text else ""
            else:
                text = re.sub(r"([\\`*_|])", r"\\\1", text)
            lines.append(f"   {'* -' if number == 0 else '  -'} {text}")
    lines.append("")


def home(target: str, objects: dict[str, Any], module: str) -> str:
    """Return the full name of what is named shortly; empty where nothing, or more than one thing, has that name."""
    import izhires

    first, _, rest = target.removeprefix("izhires.").partition(".")
    if first in izhires._HOME:
        full = ".".join(filter(None, [izhires._HOME[first], first, rest]))
        if full in objects:
            return full
    package = module
    while package:
        if f"{package}.{target}" in objects:
            return f"{package}.{target}"
        package = package.rpartition(".")[0]
    found = [each for each in objects if each.endswith(f".{target}")]
    return found[0] if len(found) == 1 and not target.islower() else ""


def exists(target: str) -> bool:
    """Whether a name of this package is there, though no page has it."""
    parts = target.split(".")
    for length in range(len(parts), 0, -1):
        try:
            thing: Any = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for each in parts[length:]:
            if each in getattr(thing, "model_fields", {}) or each in getattr(thing, "__annotations__", {}):
                return True
            if not hasattr(thing, each):
                return False
            thing = getattr(thing, each)
        return True
    return False


if __name__ == "__main__":
    write(Path(sys.argv[1]))
