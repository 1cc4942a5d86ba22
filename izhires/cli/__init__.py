"""The command line: one command a file.

Exit codes: 0 all went well; 2 something declared or typed cannot be; 3 a tool is missing or failed; 4 a simulation went wrong; 5 a recording
cannot be read or written; 130 interrupted.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line."""
    import typer

    from izhires.errors import IzhiresError

    app = typer.Typer(
        name="izhires",
        help="Spiking reservoirs that learn what will happen, when, and how likely it is.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    for module in pkgutil.iter_modules(__path__):
        command = importlib.import_module(f"{__name__}.{module.name}")
        if hasattr(command, "COMMAND"):
            app.command(command.COMMAND, **getattr(command, "SETTINGS", {}))(command.command)
    try:
        app()
    except IzhiresError as error:
        for complaint in error.complaints:
            print(f"izhires: {complaint}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("izhires: interrupted; what was finished before is whole", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # somebody's `| head` has seen enough
        sys.stderr.close()
        sys.exit(0)


def _options() -> None:
    """Spiking reservoirs that learn what will happen, when, and how likely it is."""
