"""What all tests share: one cache of builds, which is not the user's, and the command line in this process."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from izhires import imports
from izhires.cli import main
from izhires.optional import let_in

# of what depends on the versions of Python and of its packages: all tests of some files ...
PORTABLE = """
    configuration cued_reaction errors export formats identical imports observers optional package recording versions
    worker
"""
# ... and of others those that stand for the rest: generate, compile, run, analyse, draw
PORTABLE_OF = {
    "cells": ["test_every_type_has", "test_a_wired_network_fires_alike", "test_what_a_plain_script_gets"],
    "circuits": ["test_dales_law", "test_synapses_are_four_arrays_of_one_length_in_order"],
    "cli": ["test_list_has", "test_a_batch_on", "test_analyse", "test_figures", "test_help"],
    "devices": ["test_one_seed_gives_the_same_bytes_again", "test_own_templates_give", "test_the_objects_run_in",
                "test_where_own_templates_do_not_compile", "test_noise_of_the_plain_device",
                "test_what_is_written_in_pieces", "test_a_compiler_that_fails"],
    "divergence": ["test_a_run_that_diverges_stops_with_trial_and_rule[cpp]"],
    "doctor": ["test_a_machine_with_all", "test_without_brian2cuda", "test_brian2cuda_with_another_brian2"],
    "metrics_table": ["test_the_table_is_tidy", "test_the_table_survives"],
    "parts": ["test_any_variable_is_recorded", "test_the_network_in_the_users_hands", "test_an_extension_runs"],
    "plasticity": ["test_the_same_spikes_on_cpp_and_numpy", "test_cuda_code_of_every_rule"],
    "populations": ["test_two_populations_fire_alike", "test_a_recording_holds_both"],
    "precision": ["test_templates_of_this_package_serve"],
    "readouts": ["test_confidence_is"],
    "reference": ["test_a_run_agrees_with_the_reference[sequence-", "test_a_run_agrees_with_the_reference[random-",
                  "test_a_run_agrees_with_the_reference[force-"],
}  # fmt: skip


def pytest_collection_modifyitems(items):
    for each in items:
        stem = each.path.stem.removeprefix("test_")
        if stem in PORTABLE.split() or any(each.name.startswith(name) for name in PORTABLE_OF.get(stem, ())):
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


@pytest.fixture(autouse=True)
def imported(monkeypatch):
    """What a test imports goes with it: a process knows every component and source that was imported in it."""
    monkeypatch.setattr(imports, "_loaded", {})
    yield
    for name, module in [*sys.modules.items()] if imports._loaded else ():
        if name in imports._loaded or getattr(module, "__file__", None) in imports._loaded:
            del sys.modules[name]
            for each in vars(module).values():
                if isinstance(each, type) and each.__module__ == name and "name" in vars(each):
                    del each.name  # the class itself lives as long as somebody holds it


@pytest.fixture
def command_line(monkeypatch, capsys):
    """Run the command line in this process; returns the exit code and what it said (``out`` and ``err``)."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["izhires", *map(str, arguments)])
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:  # a test that fails here leaves no signal ignored in those that follow
            let_in()
            for number, handler in before.items():
                signal.signal(number, handler)
        return ended.value.code, capsys.readouterr()

    return run
