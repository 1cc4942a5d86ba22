"""What all tests share: one cache of builds, which is not the user's, and the command line in this process."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from izhires.cli import main

PORTABLE = """
    cells populations circuits cli configuration cued_reaction devices divergence doctor errors export formats identical
    imports metrics_table observers optional package parts readouts recording reference rules versions worker
"""
"""Tests of all that depends on the versions of Python and of its packages: generate, compile, run, export, read."""


def pytest_collection_modifyitems(items):
    for each in items:
        if each.path.stem.removeprefix("test_") in PORTABLE.split():
            each.add_marker(pytest.mark.portable)


@pytest.fixture(scope="session", autouse=True)
def builds(tmp_path_factory):
    """Keep the builds of all tests in one folder; under several workers it is one for all of them."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(root / "cache")
    yield root / "cache" / "izhires" / "builds"
    if before is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = before


@pytest.fixture
def command_line(monkeypatch, capsys):
    """Run the command line in this process; returns the exit code and what it said (``out`` and ``err``)."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["izhires", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        for number, handler in before.items():
            signal.signal(number, handler)
        return ended.value.code, capsys.readouterr()

    return run
