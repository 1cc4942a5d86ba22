"""Studies beside each other, seed by seed: the same seeds have the same trials, so each is its own control."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from izhires.analysis.metrics.base import all_metrics, range_of
from izhires.analysis.statistics import difference_of, paired
from izhires.errors import ConfigurationError, closest

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("metric", "study", "mean", "difference", "low", "high", "seeds", "unit")


def differences(tables: Mapping[str, pd.DataFrame], metrics: Iterable[str] | None = None) -> pd.DataFrame:
    """Return how studies differ from the first of them, on the seeds that both have.

    The value of a seed is the mean over its blocks, variants and events; the difference is that of the study less that
    of the first, mean over seeds with Student's t interval (95 %).

    Parameters
    ----------
    tables : dict of str to pandas.DataFrame
        Tidy table of each study, as `izhires.analysis.analyse` returns it; the first is compared with.
    metrics : iterable of str, optional
        Metrics, or parts of them (``error.last``); by default those with which a report compares studies.

    Returns
    -------
    pandas.DataFrame
        Columns metric, study, mean, difference, low, high, seeds, unit: one row a metric and study, the first included,
        whose difference is left out. No interval (NaN) of fewer than two seeds in common.

    Raises
    ------
    ConfigurationError
        If there are fewer than two studies, or a metric is unknown.
    """
    import pandas as pd

    from izhires.analysis.report.contents import HEADLINES
    from izhires.analysis.report.outcome import of_seeds

    if len(tables) < 2:
        raise ConfigurationError(f"needs two studies or more, got {len(tables)}", "tables")
    known = {name: about.unit for each in all_metrics().values() for name, about in each.columns().items()}
    first_only = {line.value for line in HEADLINES if line.first}
    names = list(dict.fromkeys(line.value for line in HEADLINES if line.compared) if metrics is None else metrics)
    for name in names:
        if name not in known:
            raise ConfigurationError(f"{name!r} is not a metric{closest(name, known)}", "metrics")
    rows = []
    for name in names:
        of_study = {study: of_seeds(table, name, name in first_only) for study, table in tables.items()}
        first = next(iter(tables))
        metric, _, part = name.partition(".")
        within = difference_of(range_of(metric, part))
        for study, values in of_study.items():
            if values.empty:
                continue
            found = (np.nan, np.nan, np.nan, len(values))
            if study != first:
                found = paired(values, of_study[first], within)
            rows.append((name, study, float(values.mean()), *found, known[name]))
    return pd.DataFrame(rows, columns=list(COLUMNS))
