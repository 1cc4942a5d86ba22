"""How slow may a neuromodulator be? The paper's gate switches within a millisecond; here its kinetics are swept.

    python examples/neuromodulation.py --seeds 100:103 --out results/neuromodulation

Three gates with a decay from 50 ms to 2 s (rise: a fifth of it) drive the timing readout: one that knows the event
before it comes, a causal one, and a causal one whose errors an eligibility trace holds; and for the last, traces of
different length. Writes gate.csv, gate.md and gate.png/.pdf.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

import izhires
from izhires.analysis.claims.base import probe_error, zero_error
from izhires.analysis.figures import style
from izhires.analysis.statistics import over_seeds
from izhires.model.configuration import parse_seeds, read

DECAYS = (50, 100, 200, 500, 1000, 2000)
TRACES = (0, 50, 200, 500, 1000, 2000)
GATES = {
    "150 ms before the event, no trace": ["when.gate.lead=150 ms"],
    "at the event, no trace": [],
    "at the event, trace of 500 ms": ["when.rule=eligibility_three_factor"],
}


def settings() -> pd.DataFrame:
    """Return one row a setting: which sweep, its gate, its decay and trace (ms), and the configuration's keys."""
    rows = []
    for gate, keys in GATES.items():
        for decay in DECAYS:
            own = ["when.gate.type=phasic", f"when.gate.tau_decay={decay} ms", f"when.gate.tau_rise={decay / 5} ms"]
            rows.append(("decay", gate, decay, 500 if "500" in gate else 0, [*keys, *own]))
    for trace in TRACES:
        keys = ["when.rule.type=eligibility_three_factor", f"when.rule.tau_eligibility={trace} ms"]
        rows.append(("trace", "kinetics of dopamine", 700, trace, [*keys, "when.gate=dopamine"]))
    return pd.DataFrame(rows, columns=["sweep", "gate", "decay", "trace", "keys"])


def main() -> None:
    """Run, measure, write and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="100:103")
    parser.add_argument("--out", type=Path, default=Path("results/neuromodulation"))
    given = parser.parse_args()
    seeds = parse_seeds(given.seeds)
    rows, nothing = [], np.nan
    for setting in settings().to_dict("records"):
        name = f"{setting['sweep']}_{setting['decay']}_{setting['trace']}_{list(GATES).index(setting['gate'])}" \
            if setting["gate"] in GATES else f"{setting['sweep']}_{setting['decay']}_{setting['trace']}"  # fmt: skip
        print(name, flush=True)
        for path in izhires.run_batch(read(None, setting["keys"]), seeds, given.out / name):
            recording = izhires.load(path)
            blocks = np.unique(recording["block"])
            nothing = np.mean([zero_error(recording, block) for block in blocks])
            error = np.mean([probe_error(recording, block) for block in blocks])
            rows.append({**{key: setting[key] for key in ("sweep", "gate", "decay", "trace")},
                         "seed": int(recording.attrs["seed"]), "error": error})  # fmt: skip
    table = over_seeds(pd.DataFrame(rows), ["sweep", "gate", "decay", "trace"], "error")
    table.to_csv(given.out / "gate.csv", index=False, float_format="%.4g")
    text = ["| gate | decay (ms) | trace (ms) | error at the ends of blocks |", "|---|---|---|---|"]
    text += [f"| {row.gate} | {row.decay} | {row.trace} | {row.mean:.3f} [{row.low:.3f}, {row.high:.3f}] |"
             for row in table.itertuples()]  # fmt: skip
    text.append(f"\nPredicting nothing: {nothing:.3f}. Mean [95% t-interval] over seeds {given.seeds}.")
    (given.out / "gate.md").write_text("\n".join(text) + "\n", encoding="utf-8")
    print("\n".join(text))
    with style.applied():
        made, grid = style.canvas(1, 2, width=style.DOUBLE, height=70 * style.MILLIMETRE, sharey=True)
        for axes, sweep, along, label in (
            (grid[0, 0], "decay", "decay", "decay of the gate (ms)"),
            (grid[0, 1], "trace", "trace", "eligibility trace (ms), kinetics of dopamine"),
        ):
            here = table[table["sweep"] == sweep]
            colours = style.colours(list(dict.fromkeys(here["gate"])))
            for gate, own in here.groupby("gate", sort=False):
                style.band(axes, own.sort_values(along), along, color=colours[gate], label=gate)
            axes.axhline(nothing, color=style.GREY, linestyle="--", linewidth=0.8)
            axes.text(0.98, nothing, "predicting nothing", transform=axes.get_yaxis_transform(), ha="right",
                      va="bottom", color=style.GREY)  # fmt: skip
            axes.set_xscale("symlog" if sweep == "trace" else "log", **({"linthresh": 50} if sweep == "trace" else {}))
            ticks = sorted(set(here[along]))
            axes.set_xticks(ticks, [str(each) for each in ticks])
            axes.minorticks_off()
            if sweep == "trace":
                axes.set_xlim(left=0)
                axes.tick_params(axis="x", labelrotation=45)
            axes.set(xlabel=label, ylim=(0, None))
            axes.legend(loc="upper left", bbox_to_anchor=(0, 0.9))
        grid[0, 0].set_ylabel(f"error at the ends of blocks\n(RMSE), {len(seeds)} seeds")
        for kind in ("png", "pdf"):
            made.savefig(given.out / f"gate.{kind}")


if __name__ == "__main__":
    main()
