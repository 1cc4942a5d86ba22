"""Metrics: one family a file, each declared once (see `base`). To add one, add a file or one declared function.

| file | what it measures |
|---|---|
| `prediction` | error of the prediction against the expectation, with its bounds |
| `calibration` | amplitude of the prediction against probability |
| `timing` | time of the predicted peak against the latency |
| `recovery` | trials until the error has recovered after a switch |
| `angles` | principal angles between "what" and "when" readouts, with their chance levels |
| `activity` | firing rates |
"""

from izhires.analysis.metrics.base import ALL_EVENTS, Metric, Part, Row, all_metrics, metric

__all__ = ["ALL_EVENTS", "Metric", "Part", "Row", "all_metrics", "metric"]
