"""Spike-timing-dependent plasticity of pairs and triplets of spikes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from izhires.declare import Drive, Milliseconds, parameter
from izhires.plasticity.base import Plasticity, Texts

if TYPE_CHECKING:
    from izhires.building.draft import Draft

PFISTER = "Pfister & Gerstner (2006), J. Neurosci. 26:9673, doi 10.1523/JNEUROSCI.1425-06.2006"

FITS: dict[str, dict[str, float | str]] = {
    "visual_cortex_minimal": {"a2_plus": 0.0, "a3_plus": 6.5e-3, "a2_minus": 7.1e-3, "a3_minus": 0.0,
                              "tau_y": "114 ms"},
    "visual_cortex": {"a2_plus": 5e-10, "a3_plus": 6.2e-3, "a2_minus": 7e-3, "a3_minus": 2.3e-4, "tau_x": "101 ms",
                      "tau_y": "125 ms"},
    "hippocampus_minimal": {"a2_plus": 5.3e-3, "a3_plus": 8e-3, "a2_minus": 3.5e-3, "a3_minus": 0.0, "tau_y": "40 ms"},
    "hippocampus": {"a2_plus": 6.1e-3, "a3_plus": 6.7e-3, "a2_minus": 1.6e-3, "a3_minus": 1.4e-3, "tau_x": "946 ms",
                    "tau_y": "27 ms"},
    "visual_cortex_nearest": {"a2_plus": 8.8e-11, "a3_plus": 5.3e-2, "a2_minus": 6.6e-3, "a3_minus": 3.1e-3,
                              "tau_x": "714 ms", "tau_y": "40 ms"},
    "visual_cortex_nearest_minimal": {"a2_plus": 0.0, "a3_plus": 5e-2, "a2_minus": 8e-3, "a3_minus": 0.0,
                                      "tau_y": "40 ms"},
}  # fmt: skip
"""The parameters of tables 3 and 4 of the source, by data set and model: of all pairs, or of the nearest spikes."""

UNUSED = "100 ms"
"""``tau_x`` of the minimal models, in which nothing depends on it."""


class Triplet(Plasticity):
    r"""Pairs and triplets of spikes: potentiation needs two spikes of the target, so it grows with the frequency.

    With r1 and r2 the fast and slow traces of arriving spikes, o1 and o2 those of the target's, each as it was before
    the spike that changes the weight::

        target fires:     w += w_unit*r1*(a2_plus + a3_plus*o2)
        a spike arrives:  w -= w_unit*o1*(a2_minus + a3_minus*r2)

    The amplitudes were fitted to changes relative to the weight before, which is `w_unit` here. Hard bounds, 0 and
    w_max. Parameters of the source by the name of a fit; each can be given itself.
    """

    type: Literal["triplet"] = "triplet"
    fit: Literal[tuple(FITS)] = parameter("visual_cortex_minimal", "whose amplitudes and slow traces", source=PFISTER)  # type: ignore[valid-type]
    a2_plus: float | None = parameter(None, "potentiation by a pair; of `fit` when 'none'", source=PFISTER, ge=0)
    a3_plus: float | None = parameter(None, "potentiation by a triplet; of `fit` when 'none'", source=PFISTER, ge=0)
    a2_minus: float | None = parameter(None, "depression by a pair; of `fit` when 'none'", source=PFISTER, ge=0)
    a3_minus: float | None = parameter(None, "depression by a triplet; of `fit` when 'none'", source=PFISTER, ge=0)
    tau_plus: Milliseconds = parameter("16.8 ms", "decay of r1", source=PFISTER, gt=0)
    tau_minus: Milliseconds = parameter("33.7 ms", "decay of o1", source=PFISTER, gt=0)
    tau_x: Milliseconds | None = parameter(None, "decay of r2; of `fit` when 'none'", source=PFISTER, gt=0)
    tau_y: Milliseconds | None = parameter(None, "decay of o2; of `fit` when 'none'", source=PFISTER, gt=0)
    w_unit: Drive = parameter("1 mV/ms", "weight that changes are shares of", gt=0)
    w_max: Drive = parameter("2 mV/ms", "largest weight", gt=0)

    source: ClassVar[str] = PFISTER
    sign: ClassVar[Literal["any", "excitatory", "inhibitory"]] = "excitatory"
    before: ClassVar[dict[str, str]] = {"r1": "tau_plus", "r2": "tau_x"}
    after: ClassVar[dict[str, str]] = {"o1": "tau_minus", "o2": "tau_y"}
    on_pre: ClassVar[str] = "w = clip(w - learning*w_unit*o1*(a2_minus + a3_minus*r2), w_low, w_high)"
    on_post: ClassVar[str] = "w = clip(w + learning*w_unit*r1*(a2_plus + a3_plus*o2), w_low, w_high)"

    def filled(self) -> Triplet:
        """Return the same rule with every number of its fit written out."""
        fit = {"tau_x": UNUSED, **FITS[self.fit]}
        return self.with_changes(**{name: value for name, value in fit.items() if getattr(self, name) is None})

    def parts(self, draft: Draft, name: str, number: int) -> Texts:  # noqa: D102
        return super(Triplet, self.filled()).parts(draft, name, number)

    def nearest(self) -> tuple[str, ...]:  # noqa: D102
        return ("r1", "r2", "o1", "o2") if "nearest" in self.fit else ()

    def bounds(self) -> tuple[float, float]:  # noqa: D102
        return 0.0, self.w_max
