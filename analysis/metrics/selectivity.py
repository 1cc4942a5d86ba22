"""What single cells tell: which events are expected, the time since the cue, or both at once.

The events themselves never reach the cells, which hear the cue alone and, through the feedback, what the "when" readout
says. So a cell can tell "what" only as an expectation, before the event, and what can be expected is what happened
in the trials before:

    e <- e + a (y - e)          after each training trial; y_k: 1 if event k occurred, else 0

For the spike counts Y_ij of a cell in trial i and bin j of the window, less their mean over each block:

    what        = sum_k (sum_i mean_j(Y_ij) e_ik)^2
    interaction = sum_k sum_j (sum_i (Y_ij - mean_j(Y_ij)) e_ik)^2
    when        = sum_j (mean of Y in bin j - mean of Y)^2

Chance, for the first two: the events in another order within each block, and e anew from them (e less its mean over all
orders). The events were drawn in that way, so this is exact, and nothing that a cell does by itself (a drift over the
experiment, a change at a switch) passes for an expectation, as it does when the blocks are compared. For "when": the
bins of each trial shifted in a circle, by an amount drawn for each.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from izhires.analysis import selection
from izhires.analysis.declared import Unavailable
from izhires.analysis.metrics.base import Item, Row, metric
from izhires.analysis.metrics.spiking import need_all_spikes, window_counts
from izhires.analysis.statistics import POSITIVE, SHARE

if TYPE_CHECKING:
    import xarray as xr

BIN = 0.1
"""Width of the time bins, s."""
MEMORY = 0.1
"""a: what one trial changes in the expectation, hence a memory of some ten trials."""
RATE = 0.05
"""False discovery rate over the cells of a network (Benjamini & Hochberg 1995)."""
DRAWS = 499


def orders(events: np.ndarray, blocks: np.ndarray, rng: np.random.Generator, draws: int = DRAWS) -> np.ndarray:
    """Return the events of some trials (index, -1 for none) as they were and in random orders within each block.

    Returns
    -------
    ndarray of int, (1 + draw, trial)
    """
    found = np.tile(events, (draws + 1, 1))
    for block in np.unique(blocks):
        here = blocks == block
        found[1:, here] = rng.permuted(found[1:, here], axis=1)
    return found


def expectations(events: np.ndarray, taught: np.ndarray, number: int, memory: float = MEMORY) -> np.ndarray:
    """Return what can be expected before each trial, for several orders of the events, less the mean over the orders.

    Parameters
    ----------
    events : ndarray of int, (order, training trial)
    taught : ndarray of bool, (trial,)
        Which of all trials are training trials.
    number : int
        Of events.
    memory : float
        a.

    Returns
    -------
    ndarray, (order, trial, event)
    """
    now = np.full((len(events), number), 1 / number)
    found = np.empty((len(events), len(taught), number))
    done = 0
    for trial, teaches in enumerate(taught):
        found[:, trial] = now
        if teaches:
            now = now + memory * ((events[:, done, None] == np.arange(number)) - now)
            done += 1
    return found - found.mean(0)


def expectation_effects(counts: np.ndarray, blocks: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return "what" and the interaction for each cell and each order of the events.

    Parameters
    ----------
    counts : ndarray, (trial, bin, cell)
    blocks : ndarray of int, (trial,)
    expected : ndarray, (order, trial, event)

    Returns
    -------
    what, interaction : ndarray, (order, cell)
    """
    rest = _within_blocks(counts, blocks)
    _, bins, cells = rest.shape
    what, interaction = (np.zeros((len(expected), cells)) for _ in range(2))
    for each in np.moveaxis(expected, 2, 0):
        products = (each @ rest.reshape(len(rest), -1)).reshape(-1, bins, cells)
        mean = products.mean(1)
        what += mean**2
        interaction += ((products - mean[:, None]) ** 2).sum(1)
    return what, interaction


def event_effects(counts: np.ndarray, blocks: np.ndarray, events: np.ndarray) -> np.ndarray:
    """Return the sum of squares between the events of the trials themselves, for each order of the events.

    Parameters
    ----------
    counts : ndarray, (trial, cell)
    blocks : ndarray of int, (trial,)
    events : ndarray of int, (order, trial)

    Returns
    -------
    ndarray, (order, cell)
    """
    rest, found = _within_blocks(counts, blocks), np.zeros((len(events), counts.shape[1]))
    for event in np.unique(events):
        chosen = (events == event).astype(float)
        found += (chosen @ rest) ** 2 / chosen.sum(1, keepdims=True)
    return found


def _within_blocks(counts: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """Return counts (trial, ...) less their mean over the trials of each block."""
    rest = counts.astype(float)
    for block in np.unique(blocks):
        rest[blocks == block] -= rest[blocks == block].mean(0)
    return rest


def time_effects(counts: np.ndarray, rng: np.random.Generator, draws: int = DRAWS) -> np.ndarray:
    """Return "when" for each cell, of the counts as they are and of counts with shifted bins.

    Parameters
    ----------
    counts : ndarray, (trial, bin, cell)
    rng : numpy.random.Generator
    draws : int

    Returns
    -------
    ndarray, (1 + draw, cell)
    """
    trials, bins, cells = counts.shape
    flat = (counts - counts.mean((0, 1))).reshape(trials, -1).astype(np.float32)  # precise enough for means, and fast
    shifts = np.vstack([np.zeros(trials, int), rng.integers(0, bins, (draws, trials))])
    found = np.empty((draws + 1, cells))
    for draw, mine in enumerate(shifts):
        # the trials with the same shift are summed first, and their sum is shifted
        parts = ((mine == np.arange(bins)[:, None]).astype(np.float32) @ flat).reshape(bins, bins, cells)
        total = np.zeros((bins, cells))
        for shift, part in enumerate(parts):
            total += np.roll(part, shift, axis=0)
        found[draw] = ((total / trials) ** 2).sum(0)
    return found


def p_values(effects: np.ndarray) -> np.ndarray:
    """Return, for each draw and cell, the share of all draws whose effect is as large (Phipson & Smyth 2010).

    Parameters
    ----------
    effects : ndarray, (draw, cell)
        The first draw is the observation; each of the others is what it would have been by chance.

    Returns
    -------
    ndarray, (draw, cell)
    """
    from scipy.stats import rankdata

    # equal but for rounding, in units of the largest
    size = effects.max(0)
    level = np.round(effects / np.where(size > 0, size, 1), 6)
    found: np.ndarray = rankdata(-level, method="max", axis=0) / len(effects)
    return found


def discovered(p: np.ndarray) -> np.ndarray:
    """Return which of the p values along the last axis count at the false discovery rate `RATE`."""
    from scipy.stats import false_discovery_control

    found: np.ndarray = false_discovery_control(p, axis=-1) <= RATE
    return found


@metric(
    "selectivity",
    unit="1",
    within=SHARE,
    description="share of cells that tell which events are expected (what), the time since the cue (when), or both",
    definition=(
        f"spike counts in {1e3 * BIN:g}-ms bins of the window, all trials; what: covariance with the leaky count of "
        f"the events of earlier trials (rate {MEMORY:g}), as main effect or in interaction with time, against {DRAWS} "
        f"orders of the events within each block; when: differences between bins, against {DRAWS} random circular "
        "shifts of the bins of each trial; event: differences between training trials with different events, against "
        f"the same orders; false discovery rate {RATE:g} over the cells that fire, for each of the four tests by "
        "itself (Benjamini-Hochberg); see izhires.analysis.metrics.selectivity"
    ),
    source=(
        "Rigotti et al. 2013, doi 10.1038/nature12160; exchange of the events: Harris 2020, "
        "doi 10.1101/2020.11.29.402719; Benjamini & Hochberg 1995, doi 10.1111/j.2517-6161.1995.tb02031.x"
    ),
    needs=("spike_time", "spike_neuron", "trial_cue", "trial_event", "trial_kind"),
    parts={
        "what_only": Item("cells that tell what and not when"),
        "when_only": Item("cells that tell when and not what"),
        "both": Item("cells that tell both (mixed selectivity)"),
        "interaction": Item("cells whose what depends on when (nonlinear mixed selectivity)"),
        "what": Item("cells that tell what, with or without when"),
        "what_chance": Item("the same when the events had come in another order, mean over orders", interval=False),
        "event": Item("cells whose count tells the event of its own trial, which reaches no cell: a control"),
        "cells": Item("cells that fire in the windows", "cells", detail=True, within=POSITIVE),
    },
)
def selectivity(recording: xr.Dataset) -> Iterator[Row]:
    """Shares of cells in each class, of one network."""
    need_all_spikes(recording)
    if "trial_latency_of" in recording:
        raise Unavailable("several events may come in one trial, and cells are asked which one did")
    table, names = selection.trials(recording), selection.events(recording)
    table = table[table["kind"].isin(["train", "probe"])]
    taught, blocks = (table["kind"] == "train").to_numpy(), table["block"].to_numpy()
    happened = np.array([names.index(each) if each else -1 for each in table["event"][taught]], int)
    if len(np.unique(happened)) < 2:
        raise Unavailable("needs training trials with different events")
    counts = window_counts(recording, table.index.to_numpy(), BIN)
    fires = counts.any((0, 1))
    if not fires.any():
        raise Unavailable("no cell fires in the windows")
    counts, rng = counts[:, :, fires], np.random.default_rng([selection.seed(recording), 0])
    drawn = orders(happened, blocks[taught], rng)
    effects = expectation_effects(counts, blocks, expectations(drawn, taught, len(names)))
    tests = [discovered(p_values(each)) for each in effects]
    tells = tests[0] | tests[1]
    what, interaction, chance = tells[0], tests[1][0], tells[1:]
    when = discovered(p_values(time_effects(counts, rng))[0])
    event = discovered(p_values(event_effects(counts[taught].sum(1), blocks[taught], drawn))[0])
    yield Row(float((what & ~when).mean()), "what_only")
    yield Row(float((when & ~what).mean()), "when_only")
    yield Row(float((what & when).mean()), "both")
    yield Row(float(interaction.mean()), "interaction")
    yield Row(float(what.mean()), "what")
    yield Row(float(chance.mean()), "what_chance")
    yield Row(float(event.mean()), "event")
    yield Row(float(fires.sum()), "cells")
