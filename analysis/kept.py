"""The table of metrics that a folder keeps, when it is of the very recordings that stand beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from izhires.analysis.metrics.base import all_metrics
from izhires.analysis.selection import by_cue
from izhires.analysis.table import COLUMNS
from izhires.files import as_path

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

TABLE = "metrics.csv"
"""Name of the table that `izhires analyse` writes beside the recordings."""


def kept_table(folder: str | Path, recordings: Sequence[xr.Dataset]) -> pd.DataFrame | None:
    """Return the tidy table of a folder, or None when there is none that can be trusted.

    It can when it is no older than any recording of the folder, and holds just these variants and seeds.

    Parameters
    ----------
    folder : path
    recordings : sequence of xarray.Dataset
        All recordings of the folder.
    """
    path = Path(folder) / TABLE
    try:
        written = path.stat().st_mtime
        if any(each.stat().st_mtime > written for each in Path(folder).glob("*.nc")):
            return None
        table = read_table(path)
    except (OSError, ValueError):
        return None
    own = [name for each in all_metrics().values() if each.scope == "recording" for name in each.columns()]
    rows = table[table["metric"].isin(own)]
    held = {(str(variant), int(seed)) for variant, seed in zip(rows["variant"], rows["seed"], strict=True)}
    wanted = {(str(each.attrs.get("variant", "")), int(each.attrs["seed"])) for each in by_cue(recordings)}
    return table if held == wanted else None


def study_folders(folder: str | Path) -> list[Path]:
    """Return the folder when it holds recordings, else the folders in it that do.

    The latter is what `izhires reproduce` makes: one folder a study, here in the order in which studies are declared.

    Raises
    ------
    RecordingError
        If there is no such folder, or no recording in it.
    """
    from izhires.analysis.studies import STUDIES
    from izhires.recordings.recording import files

    folder = as_path(folder, "folder")
    inside = [each for each in folder.iterdir() if each.is_dir()] if folder.is_dir() else []
    found = [each for each in inside if any(each.glob("*.nc"))]
    if any(folder.glob("*.nc")) or not found:
        files(folder)
        return [folder]
    order = list(STUDIES)
    return sorted(found, key=lambda each: (order.index(each.name) if each.name in order else len(order), each.name))


def study(folder: str | Path) -> tuple[list[xr.Dataset], pd.DataFrame | None]:
    """Return all recordings of a folder, one a cue, and its table of metrics where that can be trusted.

    Their attribute ``study`` is the name of the folder.
    """
    from izhires.recordings.recording import load_folder

    recordings = [each.assign_attrs(study=as_path(folder, "folder").resolve().name) for each in load_folder(folder)]
    return by_cue(recordings), kept_table(folder, recordings)


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a tidy table back as `analyse` returned it.

    Raises
    ------
    ValueError
        If it is no such table.
    """
    import pandas as pd

    # an event may be called NA or None: in a column of text every cell is what it says
    text: dict[str, Any] = dict.fromkeys(("metric", "variant", "event", "unit", "note"), str)
    empty = {name: [""] for name in ("seed", "block", "value")}
    types = {**text, "seed": "Int64", "block": "Int64"}
    table = pd.read_csv(path, dtype=types, keep_default_na=False, na_values=empty)
    if tuple(table.columns) != COLUMNS:
        raise ValueError(f"{path} is no table of metrics")
    return table
