"""Whether what a network predicts at the end of each block beats two predictions that need no network.

One predicts nothing; the other knows the expected value of each event and spreads it evenly over the window, so that it
knows all but time. A network that does worse has learned something else than its task, whatever its outputs look like.
So every run is compared, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

LAST = 5
"""So many last probes of a block, of each cue, are its end: one probe alone has the luck of its last trials."""


class End(NamedTuple):
    """The end of a block: mean error of its last probes, over that of either bound on the same probes.

    Attributes
    ----------
    block : int
    cue : str
        Empty where there is one only.
    event : str
        Empty for all events together.
    over_zero, over_flat : float
        NaN where the bound makes no error, as where an event never comes.
    silent : bool
        Whether nothing was predicted at all.
    """

    block: int
    cue: str
    event: str
    over_zero: float
    over_flat: float
    silent: bool


def flat(expectation: xr.DataArray) -> xr.DataArray:
    """Return the expectation that knows no time: the mean of each event over the window, at all times."""
    return expectation.mean("time").broadcast_like(expectation)


def ends(recording: xr.Dataset) -> Iterator[End]:
    """Yield the end of each block, for all events together and for each; of each cue, where there are several.

    The error is the root mean square of prediction - expectation over the window. Blocks in which nothing was trained
    before their last probe are left out.
    """
    block, trained = recording["block"].values, recording["block_trial"].values
    cue = recording["cue_name"].values.astype(str) if "cue_name" in recording else np.full(len(block), "")
    for number, name in dict.fromkeys(zip(block.tolist(), cue.tolist(), strict=True)):
        mine = np.flatnonzero((block == number) & (cue == name) & (trained > 0))[-LAST:]
        if not len(mine):
            continue
        prediction, expectation = (recording[each].isel(probe=mine) for each in ("prediction", "expectation"))
        squares = {
            which: ((each - expectation) ** 2).mean("time")
            for which, each in (("own", prediction), ("zero", 0 * prediction), ("flat", flat(expectation)))
        }
        for event in ("", *recording["event"].values.astype(str).tolist()):
            of = {
                which: float(((each.mean("event") if not event else each.sel(event=event)) ** 0.5).mean())
                for which, each in squares.items()
            }
            said = prediction if not event else prediction.sel(event=event)
            yield End(
                number, name, event, _over(of["own"], of["zero"]), _over(of["own"], of["flat"]), not said.any().item()
            )


def _over(above: float, below: float) -> float:
    # a flat expectation of what never comes is off by rounding alone
    return above / below if below > 1e-9 else float("nan")


def remark_on(recording: xr.Dataset) -> str:
    """Return in one line where the end of a block is worse than a bound and what to look at, or nothing.

    What predicts nothing is not said to be worse than nothing.
    """
    worse = [each for each in ends(recording) if not each.silent and each.over_flat > 1]
    if not worse:
        return ""
    # all events together first, then the worst
    first = max(worse, key=lambda each: (each.event == "", each.over_flat))
    where = f"block {first.block}"
    where += f", after {first.cue}" if first.cue else ""
    where += f", {first.event}" if first.event else ""
    than = f"{first.over_flat:.2f} times that of an expectation that is flat in time"
    if first.over_zero > 1:
        than = f"{first.over_zero:.2f} times that of predicting nothing"
    others = f" (also in {len(worse) - 1} more blocks, cues or events)" if len(worse) > 1 else ""
    return (
        f"in {where}, the error of the last probes is {than}{others}; look at time_told, at peak_error and at the "
        "rates of when.rule and what.rule"
    )


def remark(attributes: Mapping[str, Any]) -> str:
    """Return what a recording's attributes say of it; nothing in one of a version that did not look."""
    return str(attributes.get("worse_than_bounds", ""))
