"""What happens to a network before the task: it hears the cue while it is plastic. Simulated once, then kept.

A development goes on in stages of some trials; after each the network is tested, without plasticity, and it develops no
further once it is a sequence (`Development.falls_short`) or has heard all trials. Each stage begins with cells at rest,
with a noise of its own.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import model_validator

from izhires.declare import Declaration, Milliseconds, Noise, parameter
from izhires.errors import ConfigurationError, GrowthWarning, SimulationError
from izhires.plasticity.axon_remodeling import AxonRemodeling
from izhires.plasticity.intrinsic import Intrinsic

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr

    from izhires.circuits.grown import Grown
    from izhires.model.configuration import Configuration
    from izhires.model.seeds import Seeds

NOT_CUED = "int(cue_weight <= 0*volt/second)"
"""Cells that the cue reaches keep their excitability."""

TESTS, SETTLING = 100, 5
"""Trials of the test after a development, and those before them, which begin from nothing."""
STEP = 0.5
"""Step of the cells where none is said, ms: that of a model."""
REST = 50.0
"""Time at the end of a trial that no longer belongs to its window, ms."""
BIN = 0.05
"""Width of the intervals in which a cell must be reliable, s."""
COMPLETE, EARLY = 0.95, 0.5
"""What a network should come to: share of trials, Hz before the cue. Chosen here."""


class Development(Declaration):
    """Trials of the cue alone, in which excitatory synapses and the excitability of cells are plastic."""

    trials: int = parameter(1600, "how often the cue is heard, at most", ge=1)
    tested_every: int = parameter(
        200, "trials after which the network is tested; once it is a sequence, it develops no further", ge=1
    )
    reach: Milliseconds = parameter("1100 ms", "time from the cue that its sequence should span", gt=0)
    trial_duration: Milliseconds = parameter("2200 ms", "length of a trial", gt=0)
    cue_onset: Milliseconds = parameter("200 ms", "time from the start of a trial to its cue", ge=0)
    cue_duration: Milliseconds = parameter("50 ms", "length of the cue", gt=0)
    noise: Noise = parameter("0.6 mV/sqrt(ms)", "white noise on v in that time", ge=0)
    plasticity: AxonRemodeling = parameter(AxonRemodeling(), "how excitatory synapses change")
    intrinsic: Intrinsic = parameter(
        Intrinsic(
            target="0.41 Hz", speed="0.0015 mV/ms", range=("2 mV/ms", "3.2 mV/ms"), cells="excitatory", learns=NOT_CUED
        ),
        "how the excitability of cells changes; 0.41 Hz: a little less than one spike a trial",
    )

    @model_validator(mode="after")
    def _one_trial(self) -> Development:
        if self.plasticity.interval != self.trial_duration:
            raise ConfigurationError(
                f"must be trial_duration, {self.trial_duration:g} ms, got {self.plasticity.interval:g} ms",
                "plasticity.interval",
            )
        if self.trials % self.stage():
            raise ConfigurationError(f"must divide trials, {self.trials}, got {self.tested_every}", "tested_every")
        return self

    def stage(self) -> int:
        """Return the trials before the first test, and between two."""
        return min(self.tested_every, self.trials)

    def window(self) -> float:
        """Return the time after the cue in which spikes of the test count, ms."""
        return self.trial_duration - self.cue_onset - REST

    def falls_short(self, found: Developed) -> list[str]:
        """Return what a network lacks to be a sequence, in words; nothing when it is one."""
        lacks, wanted = [], min(self.reach, self.window())
        if found.reach < wanted:
            lacks.append(f"its sequence ends {found.reach:g} ms after the cue, before {wanted:g} ms")
        if found.complete < COMPLETE:
            lacks.append(f"{found.complete:.0%} of {TESTS} trials are complete, fewer than {COMPLETE:.0%}")
        if found.early > EARLY:
            lacks.append(f"its cells fire at {found.early:.2g} Hz before the cue, above {EARLY:g} Hz")
        return lacks


@dataclass(frozen=True)
class Developed:
    """What a network has become, and what a test of it without plasticity found.

    Parameters
    ----------
    weight : array of float, shape (synapse,)
        Of the excitatory synapses, in their order at birth, mV/ms.
    excitability : array of float, shape (cell,)
        What each cell's constant drive gained, mV/ms.
    trials : int
        How often it heard the cue.
    reliable : int
        Number of cells that fire in 80 % of the trials of the test, their first spike at a time that varies by less
        than 15 ms (standard deviation).
    reach : float
        From the cue on, every 50 ms have such a cell until this time, ms.
    complete : float
        Share of the trials in which half of the reliable cells of every 50 ms until then fire in these.
    early : float
        Mean rate of excitatory cells in the 100 ms before the cue, Hz.
    """

    weight: np.ndarray
    excitability: np.ndarray
    trials: int = 0
    reliable: int = 0
    reach: float = 0.0
    complete: float = 0.0
    early: float = 0.0


def stage(circuit: Grown, seeds: Seeds, time_step: float = STEP) -> Configuration:
    """Return the configuration of the first stage of a development, in steps (ms) that are those of its task."""
    how = circuit.development
    assert how is not None
    newborn = circuit.with_changes(
        development=None, recurrence=1.0, noise=f"{how.noise} mV/sqrt(ms)", intrinsic=how.intrinsic
    )
    connections = {"excitation": {"plasticity": [how.plasticity.to_dict()]}}
    return _cued(newborn, how, how.stage(), seeds, time_step, connections=connections, keep={"spikes": "none"})


def tested(circuit: Grown, seeds: Seeds, time_step: float = STEP, at_birth: bool = False) -> Configuration:
    """Return the configuration in which the network is tested, developed or at birth: it hears the cue, and nothing
    changes.
    """
    how = circuit.development
    assert how is not None
    changes = {"development": None} if at_birth else {}
    circuit = circuit.with_changes(recurrence=1.0, **changes)
    return _cued(circuit, how, SETTLING + TESTS, seeds, time_step, keep={"spikes": "all"})


def _cued(
    circuit: Grown, how: Development, trials: int, seeds: Seeds, time_step: float, **further: Any
) -> Configuration:
    """Return a configuration with trials of the cue alone, of whose readouts nothing is fed back."""
    from izhires.model.configuration import Configuration

    # what the network is drawn from is that of the task; what only the trials of the task need does not matter
    fixed = {name: getattr(seeds, name) for name in ("topology", "cells", "input")}
    fixed = {name: seeds.seed if value is None else value for name, value in fixed.items()}
    task = {
        "type": "meet", "trial_duration": f"{how.trial_duration} ms", "cue_onset": f"{how.cue_onset} ms",
        "cue_duration": f"{how.cue_duration} ms", "warm_up": trials, "probes": [], "probe_before_learning": False,
        "window": f"{how.window()} ms",
        # a task has an event; here it is nobody's
        "blocks": [{"trials": 1, "latency": {"none": "1 ms"}, "probability": {"none": 1.0}}],
    }  # fmt: skip
    return Configuration.parse(
        {
            "time_step": f"{time_step} ms",
            "reservoir": circuit.to_dict(),
            "state": {"equations": "s = 0 : 1\nx = r : Hz", "update": ""},
            # nor does what the readouts are, which is said so that their defaults do not matter either
            "when": {"feedback": "0 mV/ms", "rule": "normalised_three_factor"},
            "what": {"rule": "surprise_two_factor"},
            "paradigm": task,
            "seeds": {**fixed, "trials": 0, "exploration": 0, "noise": seeds.integer("topology", "development")},
            **further,
        }
    )


def folder() -> Path:
    """Return the folder in which networks are kept that developed: ``developed``, beside that of the builds."""
    from izhires.devices.standalone import cache_folder

    return cache_folder().parent / "developed"


_HELD: dict[str, Developed] = {}
"""By key: what this process simulated or read."""


def develop(circuit: Grown, seeds: Seeds, time_step: float = STEP) -> Developed:
    """Return what a network has become; it is simulated where the cache does not hold it.

    Parameters
    ----------
    circuit : Grown
    seeds : Seeds
    time_step : float
        Step of the cells, ms.

    Raises
    ------
    SimulationError
        If it is silent or runs away while it develops.

    Warns
    -----
    GrowthWarning
        If it has to be simulated, and if it did not become a sequence.
    """
    from filelock import FileLock

    from izhires.running.run import code

    assert circuit.development is not None
    configuration, test = stage(circuit, seeds, time_step), tested(circuit, seeds, time_step)
    # what is done with the network later does not change it
    how = circuit.development
    sources = code(configuration, how, test)
    described = [configuration.to_dict(), how.to_dict(), test.paradigm.to_dict(), circuit.noise, circuit.kept, sources]
    key = hashlib.sha256(json.dumps(described).encode()).hexdigest()[:32]
    if key not in _HELD:
        path = folder() / f"{key}.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            if not path.exists():
                _simulate(circuit, seeds, time_step, key, path)
        with np.load(path) as held:
            trials, reliable, *found = held["found"].tolist()
            _HELD[key] = Developed(held["weight"], held["excitability"], int(trials), int(reliable), *found)
        lacks = how.falls_short(_HELD[key])
        if lacks:
            problem = f"did not grow well in {trials:.0f} trials: {'; '.join(lacks)}"
            warnings.warn(f"reservoir: the network of this seed {problem}", GrowthWarning, stacklevel=3)
    return _HELD[key]


def _simulate(circuit: Grown, seeds: Seeds, time_step: float, key: str, path: Path) -> None:
    """Let a network develop until it is a sequence or has heard all trials, and keep it."""
    from izhires.files import whole
    from izhires.running.run import simulate

    how, test = circuit.development, tested(circuit, seeds, time_step)
    assert how is not None
    warnings.warn(
        f"reservoir: the network develops, {how.trials} trials of {how.trial_duration / 1e3:g} s at most; "
        "it is kept, and this is done once",
        GrowthWarning,
        stacklevel=4,
    )
    try:
        for grown in stages(circuit, seeds, time_step):
            _HELD[key] = grown  # the test asks for it
            grown = replace(grown, **examine(simulate(test)))
            if not how.falls_short(grown):
                break
    except SimulationError as error:
        raise SimulationError(f"while the network developed: {error}", "reservoir.development") from None
    finally:
        _HELD.pop(key, None)
    found = [grown.trials, grown.reliable, grown.reach, grown.complete, grown.early]
    with whole(path) as part, part.open("wb") as file:
        np.savez_compressed(file, weight=grown.weight, excitability=grown.excitability, found=np.array(found))


def stages(circuit: Grown, seeds: Seeds, time_step: float = STEP) -> Iterator[Developed]:
    """Yield what a network has become after each stage, without a test.

    Raises
    ------
    SimulationError
        If it is silent or runs away.
    """
    from izhires.running.run import draw, simulate_together

    assert circuit.development is not None
    newborn = draw(stage(circuit, seeds, time_step), 0)
    born, arrays, gained = newborn.arrays["state.bias"], dict(newborn.arrays), 0.0
    each = circuit.development.stage()
    for trials in range(each, circuit.development.trials + 1, each):
        (recording,) = simulate_together([replace(newborn, arrays=arrays)])
        if isinstance(recording, SimulationError):
            raise recording
        weight = recording["excitation_weight"].values[1]
        gained = gained + recording["cells_intrinsic"].values[1]
        yield Developed(weight, gained, trials)
        noise = np.asarray(seeds.integer("topology", "development", str(trials)), arrays["cells.noise_seed"].dtype)
        arrays |= {"excitation.w": weight, "state.bias": born + gained, "cells.noise_seed": noise}


def examine(recording: xr.Dataset) -> dict[str, Any]:
    """Return what a test finds: `reliable`, `reach`, `complete` and `early` of `Developed`.

    Parameters
    ----------
    recording : xarray.Dataset
        Of cue-only trials of one length, with all spikes.
    """
    is_excitatory = recording["excitatory"].values == 1
    trials = np.flatnonzero(recording["trial_kind"].values == "warm-up")[SETTLING:]
    times, window = recording["spike_time"].values, float(recording.attrs["window"])
    first, early = first_spikes(recording)[trials][:, is_excitatory], 0
    for cue in recording["trial_cue"].values[trials]:
        before = slice(*np.searchsorted(times, (cue - 0.1, cue)))
        early += int(is_excitatory[recording["spike_neuron"].values[before]].sum())
    often = np.isfinite(first).mean(axis=0) >= 0.8
    mean, spread = np.nanmean(first[:, often], axis=0), np.nanstd(first[:, often], axis=0)
    reliable = np.flatnonzero(often)[spread < 0.015]
    where = (mean[spread < 0.015] / BIN).astype(int)
    filled = np.isin(np.arange(int(window / BIN)), where)
    bins = int(np.argmin(filled)) if not filled.all() else len(filled)
    complete = np.ones(len(trials), dtype=bool)
    for number in range(bins):
        mine = first[:, reliable[where == number]]
        complete &= (np.abs(mine - BIN * (number + 0.5)) < BIN).mean(axis=1) >= 0.5
    share = float(complete.mean()) if bins else 0.0
    return {
        "reliable": len(reliable),
        "reach": round(bins * BIN * 1e3, 6),
        "complete": share,
        "early": early / (0.1 * first.size),
    }


def first_spikes(recording: xr.Dataset) -> np.ndarray:
    """Return the first spike of each cell in the window from each cue on, s, NaN without one, (trial, cell)."""
    times, cells = recording["spike_time"].values, recording["spike_neuron"].values
    first = np.full((recording.sizes["trial"], recording.sizes["neuron"]), np.nan)
    for row, cue in enumerate(recording["trial_cue"].values):
        inside = slice(*np.searchsorted(times, (cue, cue + recording.attrs["window"])))
        # the last one written is the earliest
        first[row, cells[inside][::-1]] = times[inside][::-1] - cue
    return first
