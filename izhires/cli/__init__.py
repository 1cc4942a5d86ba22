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
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_begun = False
"""Whether a command has begun its work; before that, modules are imported and options are read."""

OWN = "--import FILE.py or --import MODULE, repeatable: components of your own."
"""What the help of every command ends with."""

INTERRUPTED = "interrupted; nothing half-written is left"

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")

DELAY = 0.02
"""How long a signal waits that came where nothing can be raised, s."""

CLOSED = ("importlib", "_frozen_importlib", "xarray.backends")
"""Packages within which nothing is raised. An import would swallow it, or leave modules half-made; a file would be
closed under a lock that it left taken, and wait for it for ever.
"""


class Interrupted(Exception):  # noqa: N818
    """A command was ended from outside; its text says what it left."""


class Ended(KeyboardInterrupt):
    """A signal to end, treated as a Ctrl-C, so that everything is cleaned up."""

    number = signal.SIGINT

    @property
    def code(self) -> int:
        """The exit code, as a shell has it."""
        return 128 + self.number


def main() -> None:
    """Run the command line, and end the process."""
    global _begun
    _begun = False
    try:
        with _signals():
            code = _main()
    except Ended as ended:
        _say(INTERRUPTED)
        code = ended.code
    sys.exit(code)


def _main() -> int:
    """Run the command line; return the exit code."""
    # runs and analyses use processes; threads of the linear algebra library would only get in their way
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from izhires.optional import import_when_used, keep_out

    keep_out()
    import_when_used("pandas")  # which tables of trials are made of, and every paradigm imports
    import typer

    from izhires.errors import GrowthWarning, IzhiresError, RecordingError, SlowerWarning

    _say_warnings(SlowerWarning, GrowthWarning)
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
            settings = {"help": help_of(command.command), "epilog": OWN, **getattr(command, "SETTINGS", {})}
            app.command(command.COMMAND, **settings)(_interruptible(command.command))
    try:
        arguments, imported = _imports(sys.argv[1:])
        if imported:
            from izhires import imports

            imports.load(imported)
        code = app(arguments or ["--help"], standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except IzhiresError as error:
        for complaint in error.complaints:
            _say(str(complaint))
        return error.exit_code
    except Interrupted as interrupted:
        _say(str(interrupted))
        return interrupted.__cause__.code if isinstance(interrupted.__cause__, Ended) else 130
    except BrokenPipeError:  # somebody's `| head` has seen enough
        _drop_output()
        return 0
    except OSError as error:  # of a file that no command looks after, or of the output itself
        _say(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        _drop_output()
        return RecordingError.exit_code
    except Exception as error:
        if isinstance(error.__cause__, Ended):  # which typer took for its own
            raise error.__cause__ from None
        if not hasattr(error, "format_message"):  # what typer says of arguments
            raise
        name = getattr(getattr(error, "ctx", None), "command_path", "izhires")
        _say(f"{error.format_message().rstrip('.')}; see '{name} --help'")
        return 2


def help_of(command: Callable[..., Any]) -> str:
    """Return what the help of a command says: its docstring, with paragraphs that the width of the terminal breaks."""
    import inspect

    return "\n\n".join(" ".join(each.split()) for each in (inspect.getdoc(command) or "").split("\n\n"))


def _options() -> None:
    """Spiking reservoirs that learn what will happen, when, and how likely it is.

    Every command takes --import FILE.py or --import MODULE, repeatable: components of your own.
    """


def _imports(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return the arguments without ``--import NAME``, wherever it stands, and the names.

    Raises
    ------
    ConfigurationError
        If no name follows.
    """
    from izhires.errors import ConfigurationError

    rest: list[str] = []
    names: list[str] = []
    waiting = iter(arguments)
    for each in waiting:
        if each == "--":
            return [*rest, each, *waiting], names
        if each == "--import":
            name = next(waiting, "")
            if not name or name.startswith("-"):
                raise ConfigurationError("name a file that ends in .py, or a module", "--import")
            names.append(name)
        elif each.startswith("--import="):
            names.append(each.partition("=")[2])
        else:
            rest.append(each)
    return rest, names


def _say(text: str) -> None:
    """Print one line on stderr; what other libraries said in it may have several."""
    print(f"izhires: {' '.join(text.split())}", file=sys.stderr)


def _say_warnings(*ours: type[Warning]) -> None:
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


@contextmanager
def _signals() -> Iterator[None]:
    """Turn signals to end into `Ended`; after the block they are of no effect, as all is said and done."""
    own = []
    for name in SIGNALS:
        number = getattr(signal, name, None)
        # nohup has SIGHUP ignored, and a shell SIGINT of what it starts in the background
        if number is not None and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _end)
            own.append(number)
    sys.unraisablehook = _again
    try:
        yield
    finally:
        for number in own:
            signal.signal(number, signal.SIG_IGN)


def _end(number: int, frame: FrameType | None) -> None:
    error = Ended()
    error.number = signal.Signals(number)
    if not _begun:  # nothing to clean up, and no telling who would swallow an exception
        _say(INTERRUPTED)
        os._exit(error.code)
    while frame is not None:
        name = frame.f_globals.get("__name__") or ""
        if any(name == each or name.startswith(f"{each}.") for each in CLOSED):
            _later(number)
            return
        frame = frame.f_back
    raise error


def _later(number: int) -> None:
    timer = threading.Timer(DELAY, _send, [number])
    timer.daemon = True
    timer.start()


def _send(number: int) -> None:
    """Send this process a signal as from outside: what its main thread waits for meanwhile is interrupted, too."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:
        signal.raise_signal(number)


def _again(unraisable: sys.UnraisableHookArgs) -> None:
    """Raise anew what was raised where nothing can be raised, as in the removal of an object."""
    if isinstance(unraisable.exc_value, Ended):
        _later(unraisable.exc_value.number)
    else:
        sys.__unraisablehook__(unraisable)


def _interruptible(command: Callable[..., int | None]) -> Callable[..., int | None]:
    """Turn an interrupt into an error of this package before typer sees it, which would say nothing."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> int | None:
        global _begun
        _begun = True
        try:
            return command(*args, **options)
        except KeyboardInterrupt as interrupt:
            said = str(interrupt)
            raise Interrupted(f"interrupted; {said}" if said else INTERRUPTED) from interrupt

    return run
