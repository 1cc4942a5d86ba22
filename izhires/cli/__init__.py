"""The command line: one command a file.

Exit codes: 0 all went well; 2 something declared or typed cannot be; 3 a tool is missing or failed; 4 a simulation went
wrong; 5 a file cannot be read or written; 130 interrupted (Ctrl-C), 143 terminated.
"""

from __future__ import annotations

import functools
import importlib
import os
import pkgutil
import signal
import sys
import warnings
from collections.abc import Callable
from typing import Any


class Interrupted(Exception):  # noqa: N818
    """A command was ended from outside; its text says what it left."""


class Ended(KeyboardInterrupt):
    """A signal to end, treated as a Ctrl-C, so that everything is cleaned up."""

    number = signal.SIGINT


def main() -> None:
    """Run the command line."""
    # runs and analyses use processes; threads of the linear algebra library would only get in their way
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import typer

    from izhires.errors import IzhiresError, SlowerWarning

    _say_warnings(SlowerWarning)
    app = typer.Typer(
        name="izhires",
        help="Spiking reservoirs that learn what will happen, when, and how likely it is.",
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    for module in pkgutil.iter_modules(__path__):
        command = importlib.import_module(f"{__name__}.{module.name}")
        if hasattr(command, "COMMAND"):
            app.command(command.COMMAND, **getattr(command, "SETTINGS", {}))(_interruptible(command.command))
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:  # nohup has SIGHUP ignored
            signal.signal(number, _end)
    try:
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except IzhiresError as error:
        for complaint in error.complaints:
            _say(str(complaint))
        sys.exit(error.exit_code)
    except Interrupted as interrupted:
        _say(str(interrupted))
        sys.exit(128 + interrupted.__cause__.number if isinstance(interrupted.__cause__, Ended) else 130)
    except BrokenPipeError:  # somebody's `| head` has seen enough
        _drop_output()
    except OSError as error:  # of a file that no command looks after, or of the output itself
        _say(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        _drop_output()
        sys.exit(5)
    except Exception as error:
        if not hasattr(error, "format_message"):  # what typer says of arguments
            raise
        name = getattr(getattr(error, "ctx", None), "command_path", "izhires")
        _say(f"{error.format_message().rstrip('.')}; see '{name} --help'")
        sys.exit(2)


def _options() -> None:
    """Spiking reservoirs that learn what will happen, when, and how likely it is."""


def _say(text: str) -> None:
    """Print one line on stderr; what other libraries said in it may have several."""
    print(f"izhires: {' '.join(text.split())}", file=sys.stderr)


def _say_warnings(ours: type[Warning]) -> None:
    """Let warnings of this package be one line each, as errors are, and once."""
    shown = warnings.showwarning
    said = set()

    def show(message: Any, category: type[Warning], *rest: Any) -> None:
        if not issubclass(category, ours):
            shown(message, category, *rest)
        elif str(message) not in said:
            said.add(str(message))
            _say(str(message))

    warnings.showwarning = show  # type: ignore[assignment]


def _drop_output() -> None:
    """Let the interpreter end without writing out what cannot be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _end(number: int, _: Any) -> None:
    error = Ended()
    error.number = signal.Signals(number)
    raise error


def _interruptible(command: Callable[..., int | None]) -> Callable[..., int | None]:
    """Turn an interrupt into an error of this package before typer sees it, which would say nothing."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> int | None:
        try:
            return command(*args, **options)
        except KeyboardInterrupt as interrupt:
            raise Interrupted(f"interrupted; {str(interrupt) or 'nothing half-written is left'}") from interrupt

    return run
