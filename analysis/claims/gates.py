"""The third factor: that there is one, how wide it is, how fast it must be."""

from __future__ import annotations

from izhires.analysis.claims.base import OURS, Criterion, Runs, between, beyond_model, claim, final_error, probe_error


@claim(
    "gate_needed",
    statement="the attention gate is needed",
    published="part of the rule",
    ours="error without a gate at the end of a block, mean over blocks",
    control="the model's",
    studies=("no_gate", "default"),
    tests={"excess": Criterion("ours less the model's", ">", 0)},
)
def gate_needed(runs: Runs) -> dict[str, float]:
    """Every channel learns at all times."""
    return beyond_model(runs, "no_gate")


@claim(
    "literal_window",
    statement="a gate that is closed outside the latency window, as the paper words it, is enough",
    published="G(t) opens in the latency window",
    ours="error at trial 100 over that at trial 1, first block",
    control="with the model's gate",
    studies=("literal_window_gate", "default"),
    tests={
        "ours": Criterion("ratio", "<", 0.44),
        "behind": Criterion("error at the ends of blocks, ours less the model's (margin assumed)", "<", 0.01),
    },
)
def literal_window(runs: Runs) -> dict[str, float]:
    """The gate that is 0 outside its window."""
    (literal,), (model,) = runs["literal_window_gate"], runs["default"]
    return {
        "ours": probe_error(literal, 0, 100) / probe_error(literal, 0, 1),
        "control": probe_error(model, 0, 100) / probe_error(model, 0, 1),
        "behind": final_error(literal) - final_error(model),
    }


@claim(
    "millisecond_gate",
    statement="a neuromodulator that is released at the event and stays for a second teaches too late",
    published="stated as a limit",
    ours="error with the kinetics of dopamine at the end of a block, mean over blocks",
    control="the model's",
    studies=("slow_gate", "default"),
    tests={"excess": Criterion("ours less the model's", ">", 0)},
)
def millisecond_gate(runs: Runs) -> dict[str, float]:
    """A causal, slow gate on the rule without a trace."""
    return beyond_model(runs, "slow_gate")


def _with_trace(name: str, words: str, study: str) -> None:
    @claim(
        name,
        statement=f"an eligibility trace makes up for {words}",
        published="not examined",
        ours="error at the end of a block, mean over blocks",
        control="dopamine's kinetics without a trace",
        studies=(study, "slow_gate", "default"),
        tests={
            "difference": Criterion("control less ours", ">", 0),
            "behind": Criterion("ours less the model's (margin assumed)", "<", 0.02),
        },
        source=OURS,
    )
    def measure(runs: Runs) -> dict[str, float]:
        return between(runs, study, "slow_gate")

    measure.__qualname__ = name


_with_trace("trace_dopamine", "the kinetics of dopamine", "dopamine")
_with_trace("trace_acetylcholine", "the kinetics of cortical acetylcholine", "acetylcholine")
_with_trace(
    "phase_of_consolidation", "a phase of consolidation after the event, apart from that of timing", "consolidation"
)
