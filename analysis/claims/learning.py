"""That the network learns what, when and how likely."""

from __future__ import annotations

import numpy as np

from izhires.analysis.claims.base import Criterion, Runs, claim, probe_error


@claim(
    "error_falls",
    statement="the error at test falls over the first 100 trials",
    published="0.44 (0.192 to 0.085)",
    ours="error at trial 100 over that at trial 1",
    control="without learning",
    studies=("default", "no_learning"),
    tests={"ours": Criterion("ratio", "<", 0.44), "difference": Criterion("control less ours", ">", 0)},
)
def error_falls(runs: Runs) -> dict[str, float]:
    """Ratio of errors in the first block."""
    return {
        name: probe_error(runs[study][0], 0, 100) / probe_error(runs[study][0], 0, 1)
        for name, study in (("ours", "default"), ("control", "no_learning"))
    }


def _calibration(runs: Runs, event: int) -> dict[str, float]:
    """Return r of amplitude with the probability of the first event over levels, of the model and of the control, and
    how much farther from the event's own probability the control's amplitudes are: r says nothing of their size.
    """
    from izhires.analysis.metrics.calibration import levels, pearson

    found = {}
    for name, study in (("ours", "levels"), ("control", "levels_shuffled")):
        table = levels(runs[study])
        own = table[table["event"] == table["event"].unique()[event]]
        found[name] = float(np.nan_to_num(pearson(own["level"].to_numpy(), own["amplitude"].to_numpy())))
        found[f"{name}_distance"] = float((own["amplitude"] - own["probability"]).abs().mean())
    return {**found, "distance": found["control_distance"] - found["ours_distance"]}


@claim(
    "amplitude_first_event",
    statement="the amplitude of event A follows its probability over 11 levels",
    published="r = 0.978",
    ours="r of each seed",
    control="with the readout shuffled at test, which r alone does not tell from it",
    studies=("levels", "levels_shuffled"),
    tests={
        "ours": Criterion("r", ">", 0.978),
        "distance": Criterion("|amplitude - p| of the control less ours", ">", 0),
    },
)
def amplitude_first_event(runs: Runs) -> dict[str, float]:
    """Correlation of the amplitude of A with p(A)."""
    return _calibration(runs, 0)


@claim(
    "amplitude_second_event",
    statement="the amplitude of event B falls with the probability of A over 11 levels",
    published="r = -0.989",
    ours="r of each seed",
    control="with the readout shuffled at test, which r alone does not tell from it",
    studies=("levels", "levels_shuffled"),
    tests={
        "ours": Criterion("r", "<", -0.989),
        "distance": Criterion("|amplitude - p| of the control less ours", ">", 0),
    },
)
def amplitude_second_event(runs: Runs) -> dict[str, float]:
    """Correlation of the amplitude of B with p(A)."""
    return _calibration(runs, 1)


@claim(
    "peaks_at_latencies",
    statement="predictions peak at the latencies of the events, before and after switches",
    published="shown, not measured",
    ours="distance of the peak from the latency, mean over blocks and events",
    control="with the readout shuffled at test",
    unit="ms",
    studies=("default", "shuffled_readout"),
    tests={
        "ours": Criterion("distance (half of the events' width)", "<", 20),
        "difference": Criterion("control less ours", ">", 0),
    },
)
def peaks_at_latencies(runs: Runs) -> dict[str, float]:
    """Mean absolute peak error."""
    from izhires.analysis.metrics.timing import peak_error

    def mean(study: str) -> float:
        return float(np.nanmean([row.value for row in peak_error(runs[study][0]) if row.part == "absolute"]))

    return {"ours": mean("default"), "control": mean("shuffled_readout")}


@claim(
    "confidence",
    statement="an extra readout brings back the Beta posterior of an event's probability",
    published="proposed",
    ours="distance of the posterior's mean from the exact one, mean over trials and events",
    control="distance of a posterior that never learns, Beta(1, 1)",
    studies=("confidence",),
    tests={
        "ours": Criterion("distance of the mean", "<", 0.02),
        "deviation": Criterion("distance of the standard deviation", "<", 0.01),
        "difference": Criterion("control less ours", ">", 0),
    },
)
def confidence(runs: Runs) -> dict[str, float]:
    """Beta posterior of the counts that the network reads out, against that of the counts themselves."""
    (recording,) = runs["confidence"]
    learned = recording["trial_learn"].values.astype(bool)
    events = recording["trial_event"].values.astype(str)[:, None] == recording["event"].values.astype(str)[None, :]
    before = {  # of the exact counts, before each trial
        "for": np.cumsum(events * learned[:, None], axis=0) - events * learned[:, None],
        "against": np.cumsum(~events * learned[:, None], axis=0) - ~events * learned[:, None],
    }
    read = {"for": recording["trial_count"].values, "against": recording["trial_count_against"].values}
    later = learned & np.isfinite(read["for"]).all(1) & np.isfinite(read["against"]).all(1)

    def moments(counts: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        a, b = (1 + np.maximum(counts[name][later], 0) for name in ("for", "against"))
        return a / (a + b), np.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))

    (mean, deviation), (exact, spread) = moments(read), moments(before)
    return {
        "ours": float(np.abs(mean - exact).mean()),
        "deviation": float(np.abs(deviation - spread).mean()),
        "control": float(np.abs(0.5 - exact).mean()),
    }
