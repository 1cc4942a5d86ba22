"""Several runs into one folder: variants and seeds in parallel processes, each recording whole or absent."""

from __future__ import annotations

import json
import os
import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from izhires.configuration import Configuration, read
from izhires.errors import ConfigurationError, IzhiresError, RecordingError

Report = Callable[[str, str, float], None]
"""Called with the name of a run, its stage (``build``, ``run``, ``done``, ``kept``), and the share that is done."""


@dataclass(frozen=True)
class Job:
    """One run of a batch: a variant of the paradigm and a seed."""

    variant: str
    seed: int
    path: Path

    @property
    def name(self) -> str:
        """The name of the run on the terminal."""
        return f"{self.variant + ' ' if self.variant else ''}seed {self.seed}"


def jobs(configuration: Configuration, seeds: list[int], folder: Path) -> list[Job]:
    """Return the runs of a batch, in order of variant and seed, with the file of each."""
    name = configuration.paradigm.type
    return [
        Job(variant, seed, folder / f"{name}{'_' + variant if variant else ''}_seed{seed}.nc")
        for variant in configuration.paradigm.variants()
        for seed in seeds
    ]


def run_batch(
    configuration: Configuration,
    seeds: list[int],
    folder: Path,
    device: str = "cpp",
    processes: int | None = None,
    again: bool = False,
    report: Report | None = None,
) -> list[Path]:
    """Run every variant and seed, as many at once as there are cores.

    Recordings that the folder already holds of the same configuration, versions and commit are kept, unless `again`.

    Parameters
    ----------
    configuration : Configuration
    seeds : list of int
    folder : Path
        Made when absent. It holds the runs of one configuration.
    device : str
    processes : int, optional
        At most this many at once; by default one per core.
    again : bool
        Run also what is there.
    report : callable, optional

    Returns
    -------
    list of Path

    Raises
    ------
    ConfigurationError
        If the folder holds recordings of another configuration.
    RecordingError
        If the folder is in use by another run, or cannot be written to.
    IzhiresError
        The first error of a run, after all others have ended.
    """
    from joblib import Parallel, delayed

    from izhires.devices import get
    from izhires.plan import make_plan

    say = report or (lambda name, stage, share: None)
    todo = jobs(configuration, seeds, folder)
    # the first plan finds what is wrong with the task before a folder is made, and its build serves all seeds
    first = configuration.seeds.with_changes(seed=todo[0].seed)
    plan, _ = make_plan(configuration, configuration.paradigm.experiment(first.generator("trials"), todo[0].variant), first)
    with claimed(folder, configuration):
        missing = [job for job in todo if again or not _is_there(job, configuration, plan.fingerprint())]
        for job in todo:
            if job not in missing:
                say(job.name, "kept", 1.0)
        if not missing:
            return [job.path for job in todo]
        say("", "build", 0.0)
        get(device).prepare(plan)
        say("", "build", 1.0)
        # more processes than runs would only cost their start
        at_once = max(1, min(processes or os.cpu_count() or 1, len(missing)))
        if at_once == 1:
            errors = [_run(job, configuration, device, say) for job in missing]
        else:
            with _messages(say) as channel:
                errors = Parallel(n_jobs=at_once)(delayed(_run)(job, configuration, device, channel) for job in missing)
        failed = [error for error in errors if error is not None]
        if failed:
            raise failed[0]
    return [job.path for job in todo]


def _run(job: Job, configuration: Configuration, device: str, report: Any) -> IzhiresError | None:
    from izhires.recording import save
    from izhires.run import simulate

    put = report if callable(report) else lambda *message: report.put(message)
    try:
        recording = simulate(configuration, job.seed, job.variant, device, lambda stage, share: put(job.name, stage, share))
        save(recording, job.path)
        put(job.name, "done", 1.0)
    except IzhiresError as error:
        put(job.name, "failed", 1.0)
        return type(error)(error.complaints, job.name)
    return None


@contextmanager
def _messages(say: Report) -> Iterator[Any]:
    """Pass messages of the processes on to `say`, in a thread."""
    import multiprocessing
    import threading

    with multiprocessing.Manager() as manager:
        channel = manager.Queue()
        ended = threading.Event()

        def listen() -> None:
            while True:
                try:
                    say(*channel.get(timeout=0.1))
                except queue.Empty:
                    if ended.is_set():
                        return

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        try:
            yield channel
        finally:
            ended.set()
            listener.join(timeout=2)


def _is_there(job: Job, configuration: Configuration, fingerprint: str) -> bool:
    """Whether the job's recording is whole and was made by this configuration and this code."""
    from importlib.metadata import version

    from izhires.recording import load
    from izhires.run import git_commit

    if not job.path.exists():
        return False
    try:
        found = load(job.path).attrs
    except RecordingError:
        return False
    commit = git_commit()
    return (
        not commit.endswith("+")  # changed code has no name of its own
        and found["git_commit"] == commit
        and json.loads(found["versions"])["izhires"] == version("izhires")
        and json.loads(found["configuration"]) == configuration.to_dict()
        and found["plan"] == fingerprint
    )


@contextmanager
def claimed(folder: Path, configuration: Configuration) -> Iterator[None]:
    """Hold a folder for one run at a time, and for one configuration.

    Raises
    ------
    RecordingError
        If another run writes there now, or the folder cannot be written to.
    ConfigurationError
        If it holds another configuration.
    """
    from izhires.lock import Busy, lock

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with lock(folder / ".lock", wait=False):
            kept = folder / "configuration.toml"
            if kept.exists():
                if read(kept) != configuration:
                    raise ConfigurationError(
                        "holds runs of another configuration (see configuration.toml there); choose another folder", str(folder)
                    )
            else:
                text = f"# izhires run {configuration.paradigm.type} --config this file\n{configuration.to_toml()}"
                kept.write_text(text, encoding="utf-8")
            for part in folder.glob(".*.part"):  # what a killed run left
                part.unlink()
            yield
    except Busy:
        raise RecordingError("another run is writing into this folder", str(folder)) from None
    except OSError as error:
        raise RecordingError(f"cannot be written to: {error.strerror or error}", str(folder)) from None
