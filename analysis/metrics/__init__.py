"""Metrics: one family a file, each declared once (see `base`). To add one, add a file or one declared function.

| file | what it measures |
|---|---|
| `prediction` | error of the prediction against the expectation, with its bounds |
| `calibration` | amplitude of the prediction against probability |
| `timing` | time of the predicted peak against the latency |
| `recovery` | trials until the error has recovered after a switch |
| `angles` | principal angles between "what" and "when" readouts, with their chance levels |
| `activity` | firing rates |
| `spiking` | regularity of the intervals between spikes, variability over trials, synchrony |
| `dynamics` | dimension and reliability of the state, the time it tells, divergence of runs that differ by noise |
| `selectivity` | what single cells tell: the expected events, the time, both |
| `response_time` | readiness of the network against a participant's response time |
| `observers` | error and expected probability beside observers of the same trials |
| `subspaces` | overlap and alignment of the two readouts' subspaces, against four nulls and over learning |
| `projections` | variance of the states in either subspace; time and event decoded from it |
| `weight_space` | joint principal components of the weights; their way to the end point after a switch |
| `distribution` | distance of the predicted distribution over event and time; its width in time |
| `foreperiod` | whether the course over varying latencies follows probability, hazard, or the last trial |
| `adaptation` | time constant, change point, overshoot and learning rate after a switch |
| `stream` | responses to the stimuli of a stream: mismatch, controls, omissions, transitions |
"""

from izhires.analysis.metrics.base import ALL_EVENTS, Item, Metric, Row, all_metrics, metric

__all__ = ["ALL_EVENTS", "Item", "Metric", "Row", "all_metrics", "metric"]
