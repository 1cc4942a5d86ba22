"""Randomness with names: one seed, six independent streams, each of which can be fixed while the others vary."""

from __future__ import annotations

import zlib

import numpy as np

from izhires.declare import Declaration, parameter

STREAMS = ("topology", "cells", "input", "trials", "noise", "exploration")


LARGEST = 2**63 - 1
"""Largest seed that a recording has a place for."""


class Seeds(Declaration):
    """The seed of a run, and the streams that are fixed apart from it.

    Each stream is a child of ``numpy.random.SeedSequence(seed)``, so that every device gets the same network and
    trials.
    """

    seed: int = parameter(0, "seed of every stream that is not fixed by its own", ge=0, le=LARGEST, source="by choice")
    topology: int | None = parameter(None, "seed of synapses, weights and delays", ge=0, le=LARGEST, source="by choice")
    cells: int | None = parameter(None, "seed of cell parameters and bias", ge=0, le=LARGEST, source="by choice")
    input: int | None = parameter(None, "seed of cue and feedback weights", ge=0, le=LARGEST, source="by choice")
    trials: int | None = parameter(None, "seed of the order of trials", ge=0, le=LARGEST, source="by choice")
    noise: int | None = parameter(None, "seed of the noise in the cells", ge=0, le=LARGEST, source="by choice")
    exploration: int | None = parameter(
        None, "seed of the noise that a rule explores with", ge=0, le=LARGEST, source="by choice"
    )

    def sequence(self, stream: str, *part: str) -> np.random.SeedSequence:
        """Return the named child sequence, or a child of it for a `part` of the network with a name of its own."""
        fixed = getattr(self, stream)
        key = tuple(zlib.crc32(each.encode()) for each in (stream, *part))
        return np.random.SeedSequence(self.seed if fixed is None else fixed, spawn_key=key)

    def generator(self, stream: str, *part: str) -> np.random.Generator:
        """Return a numpy generator of the named stream."""
        return np.random.default_rng(self.sequence(stream, *part))

    def integer(self, stream: str, *part: str) -> int:
        """Return a 31-bit integer, 0 or more, of the named stream, for a device's own generator."""
        return int(self.sequence(stream, *part).generate_state(1)[0] >> 1)
