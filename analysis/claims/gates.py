"""The third factor: that there is one, how wide it is, how fast it must be."""

from __future__ import annotations

from izhires.analysis.claims.base import (
    ENDS,
    OURS,
    Criterion,
    Runs,
    between,
    beyond_model,
    claim,
    enough,
    errors,
    needed,
    probe_error,
    share_left,
)


@claim(
    "gate_needed",
    statement="the attention gate is needed",
    published="part of the rule",
    ours="what is left without a gate, the best that is known here: one readout, learned once a trial, tuned",
    control="the model's",
    studies=("joint_tuned", "open_gate_tuned", "no_gate", "default"),
    tests={"excess": needed("ours less the model's")},
    where=ENDS,
    beside={
        "online": "without a gate, the timing readout alone (not times what), learned online at a tuned rate",
        "product": "without a gate, what x when, not retuned",
    },
    within=errors("online", "product"),
)
def gate_needed(runs: Runs) -> dict[str, float]:
    """Every channel learns at all times: z itself tends to probability times bump, and needs no "what"."""
    return beyond_model(runs, "joint_tuned", online="open_gate_tuned", product="no_gate")


@claim(
    "literal_window",
    statement="a gate that is closed outside the latency window, as the paper words it, is enough",
    published="G(t) opens in the latency window",
    ours="error at trial 100 over that at trial 1, first block",
    control="with the model's gate",
    studies=("literal_window_gate", "default"),
    tests={"ours": Criterion("ratio", "<", 0.44), "behind": enough("what is left at the ends, ours less the model's")},
    where=f"ratio: MEET, first block, one probe each; behind: {ENDS}",
    within=errors(),
)
def literal_window(runs: Runs) -> dict[str, float]:
    """The gate that is 0 outside its window."""
    (literal,), (model,) = runs["literal_window_gate"], runs["default"]
    return {
        "ours": probe_error(literal, 0, 100) / probe_error(literal, 0, 1),
        "control": probe_error(model, 0, 100) / probe_error(model, 0, 1),
        "behind": share_left(literal) - share_left(model),
    }


@claim(
    "millisecond_gate",
    statement="a neuromodulator that is released at the event and stays for a second teaches too late",
    published="stated as a limit",
    ours="what is left with such kinetics, no trace, at a tuned rate",
    control="the model's",
    studies=("slow_gate_tuned", "slow_gate", "default"),
    tests={"excess": needed("ours less the model's")},
    where=ENDS,
    beside={"untuned": "at the model's rate"},
    within=errors("untuned"),
)
def millisecond_gate(runs: Runs) -> dict[str, float]:
    """A causal, slow gate on the rule without a trace."""
    return beyond_model(runs, "slow_gate_tuned", untuned="slow_gate")


def _with_trace(name: str, words: str, study: str) -> None:
    @claim(
        name,
        statement=f"an eligibility trace makes up for {words}",
        published="not examined",
        ours="what is left",
        control="the kinetics of the gate 'dopamine' without a trace, at a tuned rate",
        studies=(study, "slow_gate_tuned", "default"),
        tests={
            "difference": Criterion("control less ours", ">", 0),
            "behind": enough("ours less the model's"),
        },
        where=ENDS,
        source=OURS,
    )
    def measure(runs: Runs) -> dict[str, float]:
        return between(runs, study, "slow_gate_tuned")

    measure.__qualname__ = name


_with_trace("trace_dopamine", "the kinetics of the gate 'dopamine'", "dopamine")
_with_trace("trace_acetylcholine", "the kinetics of the gate 'acetylcholine'", "acetylcholine")
_with_trace(
    "phase_of_consolidation", "a phase of consolidation after the event, apart from that of timing", "consolidation"
)
