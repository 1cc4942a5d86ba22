"""The network as it was configured: what goes where, and which rule and gate teach it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from izhires.analysis.declared import Unavailable
from izhires.analysis.figures import style
from izhires.analysis.figures.base import Tables, figure

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

OUTPUT = {"factorised": "what \u00d7 when"}
CELLS = {"izhikevich": "Izhikevich", "izhikevich_2007": "Izhikevich (2007)", "adex": "AdEx", "lif": "LIF"}
HEIGHT = 46.0
NO_BREAK = "\u00a0"


def prepare(recordings: Sequence[xr.Dataset]) -> Tables:
    """Return what stands in each box, from the configuration of the first recording."""
    from izhires.recordings.recording import configuration

    if not recordings or "configuration" not in recordings[0].attrs:
        raise Unavailable("needs the configuration, which the recording does not hold")
    made = configuration(recordings[0])
    reservoir, when, what = (made.get(name, {}) for name in ("reservoir", "when", "what"))
    cells = recordings[0].sizes.get("neuron", reservoir.get("n"))
    cell = reservoir.get("cell", {})
    shares = ", ".join(f"{round(100 * share)}%\u00a0{name}" for name, share in cell.get("composition", {}).items())
    kind = CELLS.get(cell.get("type", ""), _words(cell))
    step = made.get("state", {}).get("time_step", "1.0 ms")
    rows = {
        "cue": "cue",
        "reservoir": f"{cells} {kind} cells\n{shares}\ncircuit: {_words(reservoir)}",
        "when": f"when, every {step.replace('.0 ', ' ').replace(' ', NO_BREAK)}\n{_words(when.get('rule'))}",
        "what": f"what, once a trial\n{_words(what.get('rule'))}",
        "gate": f"gate: {_words(when.get('gate'))}",
        "output": OUTPUT.get(_words(made.get("prediction")), _words(made.get("prediction"))) or OUTPUT["factorised"],
        "feedback": "" if str(when.get("feedback", "0")).split()[0] in ("0", "0.0") else f"feedback {when['feedback']}",
    }
    return {"boxes": pd.DataFrame({"box": list(rows), "text": list(rows.values())})}


def _words(component: Any) -> str:
    """Return the type of a component in words."""
    name = component.get("type", "") if isinstance(component, dict) else str(component or "")
    return name.replace("_", " ")


def wrapped(text: str, letters: float) -> list[str]:
    """Return text in lines of about so many letters; no word is broken, also where it is longer."""
    return textwrap.wrap(text, max(1, int(letters)), break_long_words=False, break_on_hyphens=False)


@figure(
    "model",
    title="The model",
    all_cues=True,
    caption=(
        "The network: fixed recurrent weights; the timing readout (when) learns online in a gated three-factor rule, "
        "the identity readout (what) at the end of each trial; their output is the prediction. "
        "Cells: RS regular spiking, IB intrinsically bursting, "
        "CH chattering, FS fast spiking, LTS low-threshold spiking."
    ),
    alt=(
        "Diagram: the cue drives a reservoir of Izhikevich cells; a when and a what readout read it and give the "
        "prediction; the when readout is gated and feeds back."
    ),
    prepare=prepare,
    needs=(),
    height=HEIGHT,
)
def draw(prepared: Tables, made: FigureBase) -> list[Axes]:
    """Draw boxes and arrows."""
    import matplotlib
    from matplotlib.patches import FancyBboxPatch

    text = prepared["boxes"].set_index("box")["text"]
    axes = made.subplots()
    wide = style.width(made) - 3
    axes.set(xlim=(0, wide), ylim=(5, 48))
    axes.axis("off")
    colour = style.colours(["when", "what", "reservoir"])
    letter = 0.6 * matplotlib.rcParams["font.size"] * 0.3528  # mean width of a letter, mm
    gap = 0.05 * wide
    sizes = {"cue": 0.09, "reservoir": 0.3, "readout": 0.26, "output": 0.17}
    left, edges = 0.005 * wide, {}
    for name, share in sizes.items():
        edges[name] = (left, left + share * wide)
        left += share * wide + gap
    boxes = {
        "cue": (edges["cue"], (17, 27), style.GREY),
        "reservoir": (edges["reservoir"], (8, 36), colour["reservoir"]),
        "when": (edges["readout"], (24, 37), colour["when"]),
        "what": (edges["readout"], (6, 19), colour["what"]),
        "output": (edges["output"], (15, 28), style.BLACK),
    }
    for name, ((x0, x1), (y0, y1), ink) in boxes.items():
        shape = FancyBboxPatch((x0 + 1, y0 + 1), x1 - x0 - 2, y1 - y0 - 2, boxstyle="round,pad=1", facecolor="none",
                               edgecolor=ink, linewidth=1)  # fmt: skip
        axes.add_patch(shape)
        said = "prediction:\n" + text[name] if name == "output" else text[name]
        lines = [part for line in said.split("\n") for part in wrapped(line, (x1 - x0 - 1) / letter)]
        axes.text((x0 + x1) / 2, (y0 + y1) / 2, "\n".join(lines), ha="center", va="center", linespacing=1.15)

    def arrow(start: tuple[float, float], end: tuple[float, float], ink: Any = style.BLACK, **look: Any) -> None:
        axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": ink, "linewidth": 0.8, "shrinkA": 1,
                                                  "shrinkB": 1, **look})  # fmt: skip

    arrow((edges["cue"][1], 22), (edges["reservoir"][0], 22))
    for name, height in (("when", 30.5), ("what", 12.5)):
        arrow((edges["reservoir"][1], 22), (edges["readout"][0], height), colour[name])
        arrow((edges["readout"][1], height), (edges["output"][0], 21.5), colour[name])
    middle = sum(edges["readout"]) / 2
    gate = wrapped(text["gate"], (wide - edges["output"][0]) / letter)
    axes.text(edges["output"][0], 44.5, "\n".join(gate), ha="left", va="center", color=colour["when"])
    arrow((edges["output"][0], 44.5), (middle + 8, 37), colour["when"], linestyle=(0, (3, 2)))
    if text["feedback"]:
        centre = sum(edges["reservoir"]) / 2
        axes.plot([middle, middle, centre], [37, 43, 43], color=colour["when"], linewidth=0.8)
        arrow((centre, 43.3), (centre, 36), colour["when"])
        axes.text((centre + middle) / 2, 43.6, text["feedback"], ha="center", va="bottom", color=colour["when"])
    return [axes]
