"""Whether participants answer faster when the network that heard what they heard was readier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure, part_values
from izhires.analysis.metrics.response_time import answers, scores, slopes
from izhires.analysis.statistics import spread_over_seeds

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

SHUFFLES = 2000


def prepare(recordings: Sequence[xr.Dataset], table: pd.DataFrame) -> Tables:
    """Return each participant's slope (mean and interval over seeds), and the mixed model of each seed with chance."""
    model = part_values(table, "response_time", ["readiness", "readiness_low", "readiness_high", "shift_p"])
    wide = model.pivot_table("value", "seed", "part").reset_index()
    wide = wide.rename(columns={"readiness": "mean", "readiness_low": "low", "readiness_high": "high"})
    people, chance = [], []
    for seed, own in answers(recordings).groupby("seed"):
        if int(str(seed)) not in set(wide["seed"]):
            continue
        scored = scores(own)
        found, shifted = slopes(scored, SHUFFLES, np.random.default_rng(len(own)), circular=True)
        names = list(dict.fromkeys(scored["participant"]))
        people.append(pd.DataFrame({"participant": names, "seed": int(str(seed)), "slope": found}))
        low, high = np.quantile(shifted, [0.025, 0.975])
        chance.append({"seed": int(str(seed)), "chance_low": low, "chance_high": high})
    each = pd.concat(people, ignore_index=True)
    return {
        "participants": spread_over_seeds(each, ["participant"], "slope").sort_values("mean").reset_index(drop=True),
        "seeds": wide.merge(pd.DataFrame(chance), on="seed"),
    }


@figure(
    "response_times",
    title="Response times against the network's readiness",
    caption=(
        "Slope of the logarithm of the response time on the network's readiness at the moment of the target (one "
        "standard deviation), latency and trial number regressed out: each participant, mean and spread over "
        "the seeds of the network. Below zero: faster when the network was readier.",
        "The same over all participants: coefficient of the mixed model and its 95% interval over participants, for "
        "each seed of the network. Grey: 95% range of the mean slope when response times are shifted along the trials "
        "of each participant, which keeps their serial correlation. p: against the shifts, two-sided.",
    ),
    alt=(
        "Point plot of the slope of response time on readiness for each participant, and of the mixed model's "
        "coefficient for each seed with the range of shifted response times."
    ),
    prepare=prepare,
    needs=("prediction", "trial_response_time"),
    metrics=("response_time",),
    height=lambda tables, width: 72.0 if width > 120 else 124.0,
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw participants beside seeds."""
    people, seeds = prepared["participants"], prepared["seeds"]
    panels = style.tiles(made, 2, 60, sharey=False)
    colour = style.colours(["participant"])["participant"]
    left, right = panels
    style.points(left, range(len(people)), people, color=colour, label="participant (mean over seeds)")
    left.set_xticks(range(len(people)), people["participant"], rotation=60, ha="right", rotation_mode="anchor")
    left.set_ylabel("slope of log RT (per SD of readiness)")
    place = np.arange(len(seeds))
    right.bar(place + 0.18, seeds["chance_high"] - seeds["chance_low"], 0.25, seeds["chance_low"], color=style.GREY,
              alpha=0.4, linewidth=0, label="shifted response times")  # fmt: skip
    style.points(right, place - 0.1, seeds, color=style.BLACK, label="mixed model (one seed)")
    right.use_sticky_edges = False  # room below the bars
    labels = [f"{seed}\np = {p:.2g}" for seed, p in zip(seeds["seed"], seeds["shift_p"], strict=True)]
    right.set_xticks(place, labels)
    right.set(xlabel="seed of the network", ylabel="coefficient of readiness (log RT)", xlim=(-0.6, len(seeds) - 0.4))
    for axes in panels:
        axes.axhline(0, color=style.GREY, linewidth=0.6, linestyle=(0, (4, 2)))
    made.legend(
        *[[*a, *b] for a, b in zip(left.get_legend_handles_labels(), right.get_legend_handles_labels(), strict=True)],
        loc="outside lower center", ncols=3 if style.width(made) > 120 else 1, columnspacing=1.4,
        title=f"n = {len(people)} participants, {len(seeds)} seed{'s' * (len(seeds) != 1)}",
    )  # fmt: skip
    return panels
